package netlink

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"pktsh/engine/wire"
)

func mustType(t testing.TB, s string) *Type {
	t.Helper()
	x, err := ParseType(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func define(t testing.TB, c *Class) *Class {
	t.Helper()
	if err := c.Define(nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// everything is a class with every type there is.
func everything(t testing.TB) *Class {
	t.Helper()
	field := func(name, typ string) *Field { return &Field{Name: name, Type: mustType(t, typ)} }
	pair := define(t, &Class{Name: "pair", Fields: []*Field{field("a", "u8"), field("b", "be16")}})
	via := define(t, &Class{Name: "via", Fields: []*Field{field("family", "u16"), field("addr", "ipaddr")}})
	c := &Class{Name: "everything", HasAttrs: true, Fields: []*Field{
		field("family", "u8"), field("kind", "u8"), field("n", "be16"), {Name: "text", Type: mustType(t, "asciiz"), Size: 6},
		{Name: "pair", Type: Of(pair)}, {Name: "list", Type: &Type{Op: Array, Elem: mustType(t, "u16"), Size: 6, Name: "array(u16)"}},
	}}
	hop := &Class{Name: "hop", HasAttrs: true, Fields: []*Field{field("len", "u16"), field("flags", "u8"), field("hops", "u8")},
		Attrs: []*Attr{{Name: "GW", Num: 1, Type: mustType(t, "addr")}}}
	hop.Length = hop.Fields[0]
	define(t, hop)
	inner := &Class{Name: "inner", HasAttrs: true}
	inner.Attrs = []*Attr{
		{Name: "KIND", Num: 1, Type: mustType(t, "asciiz")},
		{Name: "DATA", Num: 2, Type: &Type{Op: Choice, Name: "by", Cases: &Cases{By: "kind", Word: map[string]*Type{"a": Of(pair), "b": mustType(t, "u32")}}}},
		{Name: "SELF", Num: 3, Type: Of(inner)},
	}
	define(t, inner)
	for i, typ := range []string{"none", "flag", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "be16", "be32", "be64", "uint", "sint",
		"ip4", "ip6", "ipaddr", "addr", "mpls", "l2addr", "lladdr", "hex", "bytes", "string", "asciiz", "bitfield32", "array(u16)", "*u32",
		"multi(asciiz)", "map(u8)", "array(ip6)"} {
		c.Attrs = append(c.Attrs, &Attr{Name: "T" + hex.EncodeToString([]byte{byte(i)}), Num: uint16(i), Type: mustType(t, typ)})
	}
	n := uint16(len(c.Attrs))
	for _, x := range []*Type{Of(pair), Of(via), Of(inner), ListOf(Of(inner)), MultiOf(Of(inner)), ArrayOf(Of(hop)), ArrayOf(Of(pair)), MapOf(Of(inner)), Of(c),
		{Op: Choice, Name: "by", Cases: &Cases{By: "kind", Num: map[uint64]*Type{1: mustType(t, "u32"), 2: Of(inner)}, Always: mustType(t, "asciiz")}}} {
		c.Attrs = append(c.Attrs, &Attr{Name: "N" + hex.EncodeToString([]byte{byte(n)}), Num: n, Type: x})
		n++
	}
	return define(t, c)
}

func attrBytes(num uint16, contents ...byte) []byte { return appendAttr(nil, num, contents) }

// seeds are octets of bodies that begin a fuzz.
func seeds() [][]byte {
	head := make([]byte, 20)
	head[0] = 2
	out := [][]byte{nil, {0}, head, append(bytes.Clone(head), 0, 0), append(bytes.Clone(head), 3, 0, 1, 0)}
	deep := attrBytes(3, 7)
	for range 1000 {
		deep = attrBytes(34, attrBytes(3, deep...)...)
		if len(deep) > 30000 {
			break
		}
	}
	out = append(out, append(bytes.Clone(head), deep...))
	all := bytes.Clone(head)
	for i := range uint16(44) {
		for _, n := range []int{0, 1, 2, 3, 4, 6, 8, 16, 20} {
			all = append(all, attrBytes(i, bytes.Repeat([]byte{4, 0, 1, 0}, 5)[:n]...)...)
		}
	}
	bits := bytes.Clone(head)
	for i := range uint16(44) {
		bits = append(bits, attrBytes(i|NetOrder, 1, 0, 0, 0)...)
		bits = append(bits, attrBytes(i|Nested|NetOrder, 1, 0)...)
		bits = append(bits, attrBytes(i|Nested, 8, 0, 1, 0x40, 1, 0, 0, 0)...)
	}
	return append(out, bits, all, append(all, 200, 0, 5, 0, 1))
}

// look does everything that can be done with a view without changing it.
func look(t *testing.T, v *View) {
	t.Helper()
	end := len(v.msg.raw)
	if v.Octets(); v.frame == gone {
		end = len(v.b)
	}
	v.Walk(func(p *Part) bool {
		if p.Off < 0 || p.Off+p.Len > end {
			t.Fatalf("part %s: octets %d to %d of %d", p.Path, p.Off, p.Off+p.Len, end)
		}
		p.Shown()
		return true
	})
	_ = v.Summary("x") + v.Show("x") + v.Hexdump()
	v.Notes()
	for off := 0; off < end; off += 1 + end/16 {
		v.Locate(off)
		v.LocateMissing(1, off)
	}
	if !v.Equal(v) {
		t.Fatal("a message is not equal to itself")
	}
	for _, a := range v.c.Attrs {
		if val, ok := v.Get(Member{Attr: a}); ok {
			val.Count()
			val.Text()
		}
	}
}

func FuzzBody(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b)
	}
	c := everything(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		was := bytes.Clone(body)
		m := c.ParseBody(body)
		look(t, &m.View)
		j := m.AppendJSON(nil)
		m.AppendPlainJSON(nil)
		d, err := ReadDump(j)
		if err != nil {
			t.Fatalf("%v in %s", err, j)
		}
		again, err := d.Message(c)
		if err != nil {
			t.Fatalf("%v in %s", err, j)
		}
		// Only what fills the last attribute up may come to it.
		if !bytes.Equal(again.b, m.b) && (!again.Equal(&m.View) || !bytes.Equal(again.AppendPlainJSON(nil), m.AppendPlainJSON(nil))) {
			t.Fatalf("JSON changes\n%x to\n%x: %s", m.b, again.b, j)
		}
		if !bytes.Equal(body, was) {
			t.Fatal("reading changed the octets")
		}
		other := c.ParseBody(was[:len(was)/2])
		look(t, &m.Minus(&other.View).View)
		look(t, &other.Common(&m.View).View)
	})
}

// FuzzMessages walks datagrams, and reads each message with and without a class.
func FuzzMessages(f *testing.F) {
	for _, b := range seeds() {
		f.Add(append(Header{Len: uint32(HeaderSize + len(b)), Type: 16}.Append(nil), b...))
	}
	f.Add(Header{Len: 3}.Append(nil))
	f.Add(append(Header{Len: 17}.Append(nil), 1, 0, 0, 0, 9, 9))
	c := everything(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		for raw, fault := range Messages(b) {
			if n += len(raw); n > len(b) {
				t.Fatal("more octets than there were")
			}
			m := ParseAs(raw, c)
			look(t, &m.View)
			plain := ParseAs(raw, nil)
			look(t, &plain.View)
			if fault != nil && len(m.Notes()) == 0 {
				t.Fatalf("%v, and no note says so", fault)
			}
			ErrorOf(raw)
		}
	})
}

// FuzzSet changes members of hostile messages: whatever is set reads back, and
// what was there else stays.
func FuzzSet(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b, uint8(3), "7")
		f.Add(b, uint8(34), "x")
	}
	c := everything(f)
	f.Fuzz(func(t *testing.T, body []byte, which uint8, text string) {
		m := c.ParseBody(body)
		shared := c.Parse(bytes.Clone(m.Octets()))
		was := bytes.Clone(shared.raw)
		a := c.Attrs[int(which)%len(c.Attrs)]
		before, _ := ParseAs(was, c).Get(Member{Attr: a})
		nested := before.Op() == Struct && len(before.Type.Class.Attrs) > 0
		var inner *View
		if nested {
			v, _ := shared.Get(Member{Attr: a})
			inner = v.View()
			_ = inner.Set(Member{Attr: inner.c.Attrs[0]}, Text(text))
			look(t, inner)
		}
		if err := shared.Set(Member{Attr: a}, Text(text)); err == nil {
			if v, ok := shared.Get(Member{Attr: a}); !ok && a.Type.Op != Flag {
				t.Fatalf("%s was set to %q and is not there", a.Name, text)
			} else {
				v.Text()
			}
		}
		for _, field := range c.Fields {
			_ = shared.Set(Member{Field: field}, Text(text))
		}
		look(t, &shared.View)
		if inner != nil {
			look(t, inner)
		}
		if err := shared.Remove(Member{Attr: a}); err != nil {
			t.Fatal(err)
		}
		if _, ok := shared.Get(Member{Attr: a}); ok {
			t.Fatalf("%s was taken away and is there", a.Name)
		}
		if h := shared.Header(); int(h.Len) != len(shared.raw) {
			t.Fatalf("length %d of %d octets", h.Len, len(shared.raw))
		}
	})
}

func TestMessagesAreChangedInACopy(t *testing.T) {
	c := everything(t)
	m, err := c.Build(Input{}, Header{Type: 16})
	if err != nil {
		t.Fatal(err)
	}
	raw := m.Octets()
	was := bytes.Clone(raw)
	got := c.Parse(raw)
	if err := got.Set(c.Member("kind"), Number(9)); err != nil {
		t.Fatal(err)
	}
	if err := got.Set(Member{Attr: c.AttrNumber(4)}, Number(9)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw, was) {
		t.Error("the octets of the datagram were written to")
	}
	if v, ok := got.Get(c.Member("kind")); !ok || v.Uint() != 9 {
		t.Errorf("kind is %d", v.Uint())
	}
}

func TestErrorsHaveKinds(t *testing.T) {
	c := everything(t)
	if _, err := c.Append(nil, Input{Kind: FloatInput, F: 1}, 0); !errors.Is(err, wire.ErrArgument) {
		t.Errorf("got %v", err)
	}
	m := c.ParseBody(make([]byte, 20))
	err := m.Set(Member{Attr: c.AttrNumber(2)}, Number(256))
	if !errors.Is(err, wire.ErrRange) || err.Error() != "everything.T02: 256 does not fit 8 bits (0..255)" {
		t.Errorf("got %v", err)
	}
}

// FuzzType reads octets as whatever type a declaration may name.
func FuzzType(f *testing.F) {
	for _, s := range []string{"u32", "*u8", "array(u16)", "map(*asciiz)", "multi(self)", "array(array(u8))", "list(bitfield32)", "array(bytes)", "***", "array()", "map(multi(flag))"} {
		f.Add(s, []byte{8, 0, 1, 0, 1, 2, 3, 4, 4, 0, 1, 0})
	}
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		c := &Class{Name: "c", HasAttrs: true}
		x, err := ParseType(s, c)
		if err != nil || len(s) > 200 {
			return
		}
		c.Attrs = []*Attr{{Name: "A", Num: 1, Type: x}, {Name: "B", Num: 2, Type: ArrayOf(x)}, {Name: "C", Num: 3, Type: ListOf(x)}}
		define(t, c)
		for _, a := range c.Attrs {
			m := c.ParseBody(appendAttr(nil, a.Num, b[:min(len(b), 1000)]))
			look(t, &m.View)
			d, err := ReadDump(m.AppendJSON(nil))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Message(c); err != nil {
				t.Fatalf("%v: %s", err, m.AppendJSON(nil))
			}
			_ = m.Set(Member{Attr: a}, Text(string(b)))
			look(t, &m.View)
		}
	})
}
