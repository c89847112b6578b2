package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong with the command line is said before anything is opened.
func TestNetbootSaysWhatIsWrong(t *testing.T) {
	script, err := filepath.Abs("../../scripts/pxe.lua")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "boot.ipxe"), "#!ipxe\n")
	for _, c := range []struct{ args, want string }{
		{"", "no connector"},
		{"mem:x", "--ip is missing"},
		{"mem:x --ip 10.0.2.1/24", "--root is missing"},
		{"mem:x --ip 10.0.2.1 --root .", `--ip wants an IPv4 address with the length of its prefix, such as 10.0.2.1/24, not "10.0.2.1"`},
		{"mem:x --ip 10.0.2.1/24 --root nowhere", `--root: no folder "nowhere"`},
		{"mem:x --ip 10.0.2.1/24 --root boot.ipxe", `--root: "boot.ipxe" is not a folder`},
		{"mem:x --ip=10.0.2.1/24 --root=. --boot nothing", `--boot: no file "nothing" in .`},
		{"mem:x --ip=10.0.2.1/24 --root=. --boot ../boot.ipxe", "outside of"},
		{"mem:x --ip", "--ip wants a value"},
		{"mem:x --ip 10.0.2.1/24 --ip 10.0.2.2/24", "--ip is given twice"},
		{"mem:x --port 80", "unknown option --port"},
		{"mem:x mem:y", `not also "mem:y"`},
	} {
		out, err := pktsh(t, dir, append([]string{script}, strings.Fields(c.args)...)...)
		exit, ok := err.(*exec.ExitError)
		if !ok || exit.ExitCode() != 2 || !strings.Contains(out, c.want) || !strings.Contains(out, "usage: pktsh scripts/pxe.lua") {
			t.Errorf("pxe.lua %s: %v\n%s\nwant status 2 and %q", c.args, err, out, c.want)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
