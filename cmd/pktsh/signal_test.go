package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// self is the command, run by the test binary itself.
func self(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.Env = append(os.Environ(), "PKTSH_TEST_MAIN=1", "HOME="+t.TempDir(), "NO_COLOR=1")
	return cmd
}

// Ctrl-C, a request to end and a hang-up end a script and let it clean up.
func TestSignals(t *testing.T) {
	const waits = `local ok, err = pcall(function() print("ready") io.stdout:flush() sleep(1000) end) print("cleaned up") error(err, 0)`
	for _, c := range []struct {
		name, code string
		signals    []syscall.Signal
		status     int
		stdout     string
		stderr     string
	}{
		{"interrupt", waits, []syscall.Signal{syscall.SIGINT}, 130, "cleaned up\n", "pktsh: interrupted"},
		{"termination", waits, []syscall.Signal{syscall.SIGTERM}, 143, "cleaned up\n", "pktsh: ended by signal: terminated"},
		{"hang-up", waits, []syscall.Signal{syscall.SIGHUP}, 129, "cleaned up\n", "pktsh: ended by signal: hangup"},
		{"a loop", `print("ready") io.stdout:flush() while true do end`, []syscall.Signal{syscall.SIGINT}, 130, "", "pktsh: interrupted"},
		{"a loop that swallows errors", `print("ready") io.stdout:flush() while true do pcall(function() while true do end end) end`,
			[]syscall.Signal{syscall.SIGINT, syscall.SIGINT}, 130, "", "pktsh: interrupted"},
		{"one long call", `print("ready") io.stdout:flush() string.find(("a"):rep(1e5), ("a-"):rep(50) .. "b")`,
			[]syscall.Signal{syscall.SIGINT, syscall.SIGINT, syscall.SIGINT}, 130, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := self(t, "-e", c.code)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(out)
			if line, err := r.ReadString('\n'); line != "ready\n" {
				t.Fatalf("%q, %v, %s", line, err, &stderr)
			}
			ended := make(chan struct{})
			go func() {
				for i := 0; i < len(c.signals) || len(c.signals) > 1; i++ {
					cmd.Process.Signal(c.signals[min(i, len(c.signals)-1)])
					select {
					case <-ended:
						return
					case <-time.After(100 * time.Millisecond): // two signals at once are one
					}
				}
			}()
			var rest bytes.Buffer
			rest.ReadFrom(r)
			close(ended)
			err = cmd.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != c.status {
				t.Errorf("%v, want exit status %d", err, c.status)
			}
			if rest.String() != c.stdout || !strings.HasPrefix(stderr.String(), c.stderr) {
				t.Errorf("stdout %q\nstderr %q", &rest, &stderr)
			}
		})
	}
}
