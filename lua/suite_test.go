package lua

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pktsh/internal/need"
)

// The official Lua 5.1 test suite, as gopher-lua carries it in its module: the
// files that test the language and the libraries rather than C Lua's inside.
func TestOfficialSuite(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/yuin/gopher-lua").Output()
	dir := filepath.Join(strings.TrimSpace(string(out)), "_lua5.1-tests")
	if err == nil {
		_, err = os.Stat(dir)
	}
	need.Thing(t, "suite", err) // go's cache of modules has it
	for _, name := range []string{
		"closure", "constructs", "events", "literals", "locals", "math", "nextvar", "pm", "sort", "strings",
	} {
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(filepath.Join(dir, name+".lua"))
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			var out bytes.Buffer
			h, err := New(Config{Seed: 1, Stdout: &out, Stderr: &out})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			if err := h.RunScript(context.Background(), name+".lua", string(src)); err != nil {
				t.Errorf("%s\n%s", h.Report(err), out.String())
			}
		})
	}
}
