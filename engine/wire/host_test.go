package wire_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pktsh/bindings"
	"pktsh/engine/clock"
	"pktsh/engine/wire"
	"pktsh/lua"
	"pktsh/stdlib"
)

// host is an interpreter with the layouts that ship: what these tests compare
// with other programs is what a script sees.
type host struct {
	lua *lua.Host
	out bytes.Buffer
	reg *wire.Registry
}

func newHost(t testing.TB) *host {
	t.Helper()
	h := &host{}
	l, err := lua.New(lua.Config{
		Clock: clock.NewVirtual(time.Unix(0, 0).UTC()), Seed: 1,
		Stdin: strings.NewReader(""), Stdout: &h.out, Stderr: &h.out,
		Modules: bindings.Modules(), Stdlib: stdlib.FS,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	h.lua = l
	if h.reg, err = bindings.Registry(l); err != nil {
		t.Fatal(err)
	}
	return h
}

// run runs a script and returns what it printed.
func (h *host) run(t testing.TB, name, src string) (string, error) {
	t.Helper()
	h.out.Reset()
	err := h.lua.RunScript(context.Background(), name, src)
	return h.out.String(), err
}

// build evaluates an expression and returns its octets.
func (h *host) build(t testing.TB, expr string) []byte {
	t.Helper()
	out, err := h.run(t, "test.lua", "io.write(tohex(bytes("+expr+")))")
	if err != nil {
		t.Errorf("%s: %v", expr, err)
		return nil
	}
	b, err := hex.DecodeString(out)
	if err != nil {
		t.Errorf("%s: %v", expr, err)
	}
	return b
}

// Every script in testdata/print prints what stands beside it.
func TestPrintOuts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/print/*.lua")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".lua"), func(t *testing.T) {
			src, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			h := newHost(t)
			got, err := h.run(t, filepath.Base(script), string(src))
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(script, ".lua") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
