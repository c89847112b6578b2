package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if os.Getenv("PKTSH_TEST_MAIN") != "" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"pktsh": main})
}

// TestScript runs the command end to end: testdata/script holds one idea a file.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_STATE_HOME", "")
			env.Setenv("XDG_CONFIG_HOME", "")
			env.Setenv("TERM", "xterm")
			env.Setenv("NO_COLOR", "1")
			if v := os.Getenv("GORACE"); v != "" {
				env.Setenv("GORACE", v)
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"status": status},
	})
}

// status runs a command and compares its exit status:
//
//	status 124 pktsh --timeout 0.1 loop.lua
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command...")
	}
	sh := `"$@"; s=$?; [ $s = ` + args[0] + ` ] || { echo "exit status $s, want ` + args[0] + `" >&2; exit 1; }`
	ts.Check(ts.Exec("sh", append([]string{"-c", sh, "sh"}, args[1:]...)...))
}
