package wire_test

import (
	"bytes"
	"testing"

	"pktsh/engine/wire"
)

// Over every layout that ships: parsing never fails, what was parsed encodes to
// the same octets, edited and unedited, and every print-out has an end.
func FuzzShippedLayouts(f *testing.F) {
	h := newHost(f)
	if err := h.reg.LoadAll(); err != nil {
		f.Fatal(err)
	}
	names := h.reg.Names()
	for _, g := range readGoldens(f) {
		b := h.build(f, g.lua)
		f.Add(uint8(0), b)
		for i, name := range names {
			if l := layerOf(h, g.lua); l != nil && l.Name == name {
				f.Add(uint8(i), b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		l, err := h.reg.Layout(names[int(which)%len(names)])
		if err != nil {
			t.Fatal(err)
		}
		p := l.Parse(b)
		check := func(what string, p *wire.Packet) {
			t.Helper()
			if got, err := p.AppendBinary(nil); err != nil || !bytes.Equal(got, b) {
				t.Fatalf("%s of %s: %v\n got %x\nwant %x\n%s", what, l.Name, err, got, b, p.Show())
			}
		}
		check("parse", p)
		q := p.Copy()
		for i := range q.NumLayers() {
			y := q.At(i)
			if y.Cut() {
				continue // what is there of its last field is not the whole value
			}
			for f := range y.Fields() {
				if f.Auto() != nil || f.Type.Kind == wire.Name {
					continue // a name that was compressed is written in full
				}
				v, err := y.Get(f)
				if err != nil {
					t.Fatal(err)
				}
				if err := y.SetField(f, v); err != nil {
					t.Fatalf("%s.%s cannot be set to what it is, %s: %v", y.Layout().Name, f.Name, v.Text(), err)
				}
				break
			}
		}
		check("edit", q)
		p.Summary()
		p.Show()
		p.Diagram()
		p.HexdumpFields()
		if _, err := p.AppendJSON(nil); err != nil {
			t.Fatal(err)
		}
		if _, err := p.LuaSource(); err != nil {
			t.Fatal(err)
		}
		if d := p.Diff(q); d != "" {
			t.Fatal(d)
		}
		if len(b) > 0 {
			if _, err := p.Why(int(which) % len(b)); err != nil {
				t.Fatal(err)
			}
		}
		p.Answers(q)
		p.Matches(q)
	})
}

// layerOf is the layout that an expression begins with.
func layerOf(h *host, expr string) *wire.Layout {
	for i, c := range expr {
		if c == '{' {
			l, _ := h.reg.Layout(expr[:i])
			return l
		}
	}
	return nil
}
