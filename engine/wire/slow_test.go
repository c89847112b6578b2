package wire_test

import (
	"testing"
	"time"
)

// The largest frame of the most repetitive octets is printed in a moment.
func TestLargeFramesArePrintedInAMoment(t *testing.T) {
	h := newHost(t)
	if err := h.reg.LoadAll(); err != nil {
		t.Fatal(err)
	}
	for _, name := range h.reg.Names() {
		l, err := h.reg.Layout(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []byte{0, 1, 41, 60, 0x45, 0xff} {
			b := make([]byte, 65535)
			for i := range b {
				b[i] = c
			}
			p := l.Parse(b)
			for what, f := range map[string]func(){
				"summary": func() { p.Summary() }, "show": func() { p.Show() }, "diagram": func() { p.Diagram() }, "hexdump": func() { p.HexdumpFields() },
				"json": func() { _, _ = p.AppendJSON(nil) }, "lua": func() { _, _ = p.LuaSource() }, "why": func() { _, _ = p.Why(60000) },
				"edit": func() { q := p.Copy(); y := q.At(q.NumLayers() - 1); for f := range y.Fields() { v, _ := y.Get(f); _ = y.SetField(f, v) } },
				"answers": func() { p.Answers(p) }, "diff": func() { q := p.Copy(); _ = q.SetPayload("x"); p.Diff(q) },
			} {
				start := time.Now()
				f()
				if d := time.Since(start); d > 200*time.Millisecond {
					t.Errorf("%s of %s from octets 0x%02x: %v, %d layers", what, name, c, d, p.NumLayers())
				}
			}
		}
	}
}
