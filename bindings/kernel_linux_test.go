package bindings

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"context"

	"pktsh/lua"
	"pktsh/lua/spec"
	"pktsh/stdlib"
)

const inside = "PKTSH_TEST_IN_NETNS"

// Specs that need the kernel run in a child process that is root in a fresh user
// and network namespace, on the real clock.
func TestKernelSpecs(t *testing.T) {
	if os.Getenv(inside) == "" {
		again(t)
		return
	}
	files, err := spec.Find([]string{"testdata/kernel"})
	if err != nil || len(files) == 0 {
		t.Fatal("no specs", err)
	}
	cfg := spec.Config{Real: true, NewHost: func(cfg lua.Config) (*lua.Host, error) {
		cfg.Modules = append(cfg.Modules, Modules()...)
		cfg.Stdlib = stdlib.FS
		return lua.New(cfg)
	}}
	for _, f := range files {
		err := spec.RunFile(context.Background(), cfg, f, func(res spec.Result) {
			t.Run(res.Name, func(t *testing.T) {
				switch {
				case res.Failure != "":
					t.Errorf("%s\n%s%s", res.File, res.Output, res.Failure)
				case res.Skipped:
					t.Skip(res.Why)
				}
			})
		})
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
	}
}

// again runs the test in the namespaces.
func again(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skipf("SKIP: %v", err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	out, err := cmd.CombinedOutput()
	if err != nil && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.ENOSPC)) &&
		!slices.Contains(strings.Split(os.Getenv("PKTSH_REQUIRE"), ","), "netns") {
		t.Skipf("SKIP: no namespace of our own: %v", err)
	}
	if err != nil {
		t.Errorf("in the namespace: %v\n%s", err, out)
	} else if testing.Verbose() || bytes.Contains(out, []byte("--- SKIP")) {
		t.Logf("in the namespace:\n%s", out)
	}
}
