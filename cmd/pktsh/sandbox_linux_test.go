package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// users calls f as the user the tests run as, and if that is root as nobody, too.
func users(t *testing.T, f func(t *testing.T, pktsh func(args ...string) *exec.Cmd)) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := func(name, exe string, cred *syscall.Credential) {
		t.Run(name, func(t *testing.T) {
			f(t, func(args ...string) *exec.Cmd {
				cmd := exec.Command(exe, args...)
				cmd.Dir = "/"
				cmd.Env = append(os.Environ(), "PKTSH_TEST_MAIN=1", "HOME=/nonexistent", "NO_COLOR=1")
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
				return cmd
			})
		})
	}
	run("self", exe, nil)
	if os.Geteuid() != 0 {
		return
	}
	// Somebody else must be able to reach the binary.
	dir, err := os.MkdirTemp("", "pktsh-nobody")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "pktsh")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(other, b, 0o755)); err != nil {
		t.Fatal(err)
	}
	run("nobody", other, &syscall.Credential{Uid: 65534, Gid: 65534})
}

// needSandbox skips aloud where the system forbids it.
func needSandbox(t *testing.T, pktsh func(args ...string) *exec.Cmd) {
	t.Helper()
	if out, err := pktsh("--sandbox", "-e", "").CombinedOutput(); err != nil {
		if strings.Contains(os.Getenv("PKTSH_REQUIRE"), "netns") {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Skipf("SKIP: the system forbids it: %s", out)
	}
}

func TestSandbox(t *testing.T) {
	users(t, func(t *testing.T, pktsh func(args ...string) *exec.Cmd) {
		needSandbox(t, pktsh)
		out, err := pktsh("--sandbox", "-e", `
			local lo = open"link:lo"
			local m = open"mcast://239.1.1.1:9999?if=127.0.0.1"
			m:write(("x"):rep(60))
			print(m:read(1) == ("x"):rep(60), lo:read(1) ~= nil, os.getenv("PKTSH_SANDBOX"))
			netns.new():close()
			os.exit(7)`).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 7 || string(out) != "true\ttrue\tnil\n" {
			t.Errorf("%v\n%s", err, out)
		}
		// It is another network than ours, and standard input is ours.
		cmd := pktsh("--sandbox")
		cmd.Stdin = strings.NewReader(`io.popen("readlink /proc/self/ns/net"):read("*l"); print(io.popen("readlink /proc/self/ns/net"):read("*l"))`)
		out, err = cmd.Output()
		ours, _ := os.Readlink("/proc/self/ns/net")
		if err != nil || !strings.HasPrefix(string(out), "net:[") || strings.TrimSpace(string(out)) == ours {
			t.Errorf("%v: %s, ours is %s", err, out, ours)
		}
		// One in another.
		out, err = pktsh("--sandbox", "-e", `print(os.execute("/proc/$PPID/exe --sandbox -e 'os.exit(5)'") / 256)`).CombinedOutput()
		if err != nil || string(out) != "5\n" {
			t.Errorf("nested: %v\n%s", err, out)
		}
	})
}

func TestSandboxPassesSignalsOn(t *testing.T) {
	users(t, func(t *testing.T, pktsh func(args ...string) *exec.Cmd) {
		needSandbox(t, pktsh)
		for _, c := range []struct {
			signal syscall.Signal
			status int    // 0: it dies of the signal
			says   string // when it ends
		}{{syscall.SIGTERM, 143, "cleaned up\n"}, {syscall.SIGINT, 130, "cleaned up\n"}, {syscall.SIGHUP, 129, "cleaned up\n"}, {syscall.SIGKILL, 0, ""}} {
			cmd := pktsh("--sandbox", "-e", `pcall(function() print("ready") io.stdout:flush() sleep(1000) end) print("cleaned up")`)
			cmd.SysProcAttr.Setsid = true // no terminal: what we send is all it gets
			pipe, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(pipe)
			if _, err := r.ReadString('\n'); err != nil { // it runs
				t.Fatal(err)
			}
			start := time.Now()
			cmd.Process.Signal(c.signal)
			// The pipe ends when the child has ended, too.
			rest, err := io.ReadAll(r)
			if err != nil || string(rest) != c.says {
				t.Errorf("%v: %q, %v, after %v", c.signal, rest, err, time.Since(start))
			}
			cmd.Wait()
			st := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if c.status == 0 && st.Signal() != c.signal || c.status != 0 && st.ExitStatus() != c.status {
				t.Errorf("%v: %v", c.signal, cmd.ProcessState)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%v took %v", c.signal, took)
			}
		}
		// A child that dies of a signal takes us along the same way.
		cmd := pktsh("--sandbox", "-e", `os.execute("kill -9 $PPID")`)
		cmd.Run()
		if st := cmd.ProcessState.Sys().(syscall.WaitStatus); st.Signal() != syscall.SIGKILL {
			t.Errorf("%v", cmd.ProcessState)
		}
	})
}

func TestSandboxSaysWhatForbidsIt(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// In a user namespace of its own the test may set the limits of those below.
	cmd := exec.Command("/bin/sh", "-c", `echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" --sandbox -e 'print(1)'`, exe)
	cmd.Env = append(os.Environ(), "PKTSH_TEST_MAIN=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Skipf("SKIP: no user namespace: %v", err)
	}
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "user.max_user_namespaces is 0") || !strings.HasPrefix(string(out), "pktsh: --sandbox: ") {
		t.Errorf("%v\n%s", err, out)
	}
}
