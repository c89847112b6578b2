// Package need lets tests say what they need of the machine: a program, a
// folder of captures, a network namespace. What is missing skips the test
// aloud, and fails it where PKTSH_REQUIRE (words separated by commas) names it.
//
//	need.Program(t, "tshark")
//	need.Thing(t, "tap", err)
//	if !need.Netns(t) {
//		return // it ran in a namespace of its own, in a child process
//	}
//
// Only test files import it.
package need

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Thing skips the test when err says that the machine lacks what.
func Thing(t testing.TB, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if slices.Contains(strings.Split(os.Getenv("PKTSH_REQUIRE"), ","), what) {
		t.Fatalf("needs %s: %v", what, err)
	}
	t.Skipf("SKIP: needs %s: %v", what, err)
}

// Program is the path of a program.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	Thing(t, name, err)
	return path
}

// Tie makes a process end when the one that starts it does, where the system
// can do that.
func Tie(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	dieWithParent(cmd.SysProcAttr)
}

// Scapy is the path of a Python that has Scapy: Debian's own, which need not be
// the first in PATH.
func Scapy(t testing.TB) string {
	t.Helper()
	var err error
	for _, py := range []string{"/usr/bin/python3", "python3"} {
		if err = exec.Command(py, "-c", "import scapy").Run(); err == nil {
			return py
		}
	}
	Thing(t, "scapy", err)
	return ""
}

// Captures is the folder of capture files beside the module, root being the way
// from the test's folder to the module's.
func Captures(t testing.TB, root string) string {
	t.Helper()
	dir := filepath.Join(root, "..", "shared", "captures")
	_, err := os.Stat(dir)
	Thing(t, "captures", err)
	return dir
}

const inside = "PKTSH_TEST_IN_NETNS"

// Netns runs the calling test once more in a child process that is root in a
// user and network namespace of its own, and reports its result here. It
// returns true in the child, where the test goes on.
func Netns(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		return true
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-test.run=^" + regexp.QuoteMeta(t.Name()) + "$", "-test.count=1", "-test.v"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), inside+"=1")
	if err := isolate(cmd); err != nil {
		Thing(t, "netns", err)
	}
	out, err := cmd.CombinedOutput()
	if err != nil && (errors.Is(err, fs.ErrPermission) || refused(err)) {
		Thing(t, "netns", err)
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
