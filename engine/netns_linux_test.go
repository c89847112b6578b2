package engine_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"pktsh/engine"
)

const inside = "PKTSH_TEST_IN_NETNS"

// inNetns runs the calling test once more in a child process that is root in a
// fresh user and network namespace, and reports its result here. It returns
// true in the child, where the test goes on; lo is up there and IPv6 is quiet.
//
//	func TestX(t *testing.T) {
//		if !inNetns(t) {
//			return
//		}
//		…
func inNetns(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		for _, f := range []string{"all", "default"} {
			_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+f+"/disable_ipv6", []byte("1"), 0) // absent without IPv6
		}
		if err := engine.ConfigureLink("lo", 0, netip.Prefix{}, true); err != nil {
			t.Fatal(err)
		}
		return true
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-test.run=^" + t.Name() + "$", "-test.count=1"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	out, err := cmd.CombinedOutput()
	if err != nil && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.ENOSPC)) {
		need(t, "netns", err)
	}
	if err != nil {
		t.Errorf("in the namespace: %v\n%s", err, out)
	} else if testing.Verbose() {
		t.Logf("in the namespace:\n%s", out)
	}
	if bytes.Contains(out, []byte("--- SKIP")) {
		t.Skipf("in the namespace:\n%s", out)
	}
	return false
}

// run runs a program and fails the test if that fails.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
