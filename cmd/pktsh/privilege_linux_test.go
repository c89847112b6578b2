package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A user without privileges is told what is missing and how to get it.
func TestWithoutPrivileges(t *testing.T) {
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	var cred *syscall.Credential
	if os.Geteuid() == 0 {
		// Somebody else must be able to reach the binary.
		dir, err := os.MkdirTemp("", "pktsh-nobody")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		b, err := os.ReadFile(bin)
		if err != nil {
			t.Fatal(err)
		}
		bin = filepath.Join(dir, "pktsh")
		if err := os.WriteFile(bin, b, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		cred = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	run := func(code string) (string, int) {
		cmd := exec.Command(bin, "-e", code)
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
		cmd.Env = []string{"HOME=/nonexistent", "PATH=" + os.Getenv("PATH")}
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := run(`print("fine")`); out != "fine\n" || code != 0 {
		t.Errorf("%d: %s", code, out)
	}
	out, code := run(`connector.tap{name = "pk0"}`)
	if code != 1 || strings.Contains(out, "goroutine") {
		t.Errorf("%d: %s", code, out)
	}
	dev, err := os.Stat("/dev/net/tun")
	if err != nil {
		return // there is nothing that could be permitted
	}
	need := "CAP_NET_ADMIN"
	if cred != nil && dev.Mode().Perm()&6 != 6 {
		need = "may not open /dev/net/tun"
	}
	for _, want := range []string{"pk0", need, "(command line):1"} {
		if !strings.Contains(out, want) {
			t.Errorf("the message lacks %q:\n%s", want, out)
		}
	}
}
