package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// hold checks what must be true of any octets read with any layout: they come back
// unchanged, also after an edit is taken back, and everything can be read.
func hold(t *testing.T, l *Layout, data []byte) {
	t.Helper()
	keep := bytes.Clone(data)
	p := l.Parse(data)
	if got, err := p.AppendBinary(nil); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%s: %x came back as %x, %v", l.Name, data, got, err)
	}
	at := 0
	for y := range p.Layers() {
		if y.Offset() != at && y.Layout() != l.reg.Padding() {
			t.Fatalf("%s: %s begins at octet %d, not %d", l.Name, y.Layout().Name, y.Offset(), at)
		}
		at = y.Offset() + y.HeaderLen()
		for f := range y.Fields() {
			v, err := y.Get(f)
			if err != nil {
				t.Fatal(err)
			}
			v.AppendText(nil)
			v.Go()
			pos, bits := y.Extent(f)
			if pos < 0 || bits < 0 || pos+bits > y.HeaderLen()*8 {
				t.Fatalf("%s: %s.%s has %d bits at %d of %d octets", l.Name, y.Layout().Name, f.Name, bits, pos, y.HeaderLen())
			}
			y.Provenance(f)
			y.Check(f)
		}
	}
	if at != len(data) {
		t.Fatalf("%s: the layers have %d octets of %d", l.Name, at, len(data))
	}
	// Every field set to the value it has, on a packet of its own.
	q := l.Parse(data)
	for i := range q.NumLayers() {
		y := q.At(i)
		for f := range y.Fields() {
			if !f.Type.integer() {
				continue
			}
			v, _ := y.Get(f)
			if err := y.SetField(f, v); err != nil {
				t.Fatalf("%s.%s = %v: %v", y.Layout().Name, f.Name, v.Text(), err)
			}
		}
	}
	if got, err := q.AppendBinary(nil); err == nil && !bytes.Equal(got, data) {
		t.Fatalf("%s: set to what it was, %x became %x", l.Name, data, got)
	}
	if c := p.Copy(); !c.Equal(p) {
		t.Fatalf("%s: a copy of %x differs", l.Name, data)
	}
	r := p.Over(l.Parse(data))
	if r.Len() != 2*len(data) {
		t.Fatalf("%s: on itself, %d octets became %d", l.Name, len(data), r.Len())
	}
	p.SetPayload("x")
	p.AppendBinary(nil)
	if !bytes.Equal(keep, data) {
		t.Fatalf("%s: the octets that were read have changed", l.Name)
	}
}

func FuzzParse(f *testing.F) {
	r := testLayouts(f)
	names := r.Names()
	frames := [][]byte{unhexed(frameHex),
		unhexed("45 00 00 2c 00 00 20 00 40 06 66 c2 0a 00 00 01 0a 00 00 02 0000 0000 00000000 00000000 6012 2000 06a8 0000 02 04 05 b4 78 78"),
		unhexed("03 00 00 00 00 00 00 00 45 00 00 1d 00 00 00 00 40 11 00 00 0a000001 0a000002 0001 0002"),
		unhexed("60 00 00 00 00 10 00 40 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002 11 00 05 02 00 00 01 00 0001 0002 0008 0000")}
	for i := range names {
		for _, b := range frames {
			f.Add(uint8(i), b)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		if len(data) > 1<<12 {
			return
		}
		hold(t, r.layouts[names[int(which)%len(names)]], data)
	})
}

func TestRandomOctetsOfEveryLength(t *testing.T) {
	r := testLayouts(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range r.Names() {
		for n := range 64 {
			b := make([]byte, n)
			for range 5 {
				for i := range b {
					b[i] = byte(rng.Uint32())
					if rng.IntN(2) == 0 {
						b[i] &= 7 // small numbers are types and lengths more often
					}
				}
				hold(t, r.layouts[name], b)
			}
		}
	}
}

// Every width, sign and order at every bit position keeps its value and its neighbours'.
func TestEveryIntegerAtEveryBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	r := NewRegistry()
	for bits := 1; bits <= 64; bits++ {
		for shift := range 8 {
			for _, kind := range []string{"u", "s"} {
				rest := (8 - (shift+bits)%8) % 8
				fields := []FieldSpec{{Name: "x", Type: fmt.Sprintf("%s%d", kind, bits)}}
				if shift > 0 {
					fields = append([]FieldSpec{{Name: "before", Type: fmt.Sprintf("u%d", shift)}}, fields...)
				}
				if rest > 0 {
					fields = append(fields, FieldSpec{Name: "behind", Type: fmt.Sprintf("u%d", rest)})
				}
				l, err := r.Define(Spec{Name: "X", Fields: fields})
				if err != nil {
					t.Fatal(err)
				}
				everyValue(t, l, rng)
			}
		}
	}
	for bits := 8; bits <= 64; bits += 8 {
		for _, order := range []string{"le", "host"} {
			for _, kind := range []string{"u", "s"} {
				l, err := r.Define(Spec{Name: "X", Fields: []FieldSpec{{Name: "x", Type: fmt.Sprintf("%s%d%s", kind, bits, order)}}})
				if err != nil {
					t.Fatal(err)
				}
				everyValue(t, l, rng)
			}
		}
	}
}

func everyValue(t *testing.T, l *Layout, rng *rand.Rand) {
	t.Helper()
	y := l.New().At(0)
	want := map[*Field]uint64{}
	for round := range 6 {
		for f := range l.Fields() {
			n := rng.Uint64() >> (64 - f.Type.Bits)
			switch round {
			case 0:
				n = ^uint64(0) >> (64 - f.Type.Bits)
			case 1:
				n = 0
			}
			if f.Type.Kind == Int {
				n = uint64(int64(n<<(64-f.Type.Bits)) >> (64 - f.Type.Bits))
				if err := y.SetInt(f, int64(n)); err != nil {
					t.Fatalf("%v bits: %v", f.Type.Bits, err)
				}
			} else if err := y.SetUint(f, n); err != nil {
				t.Fatalf("%v bits: %v", f.Type.Bits, err)
			}
			want[f] = n
			for g, n := range want {
				if v, _ := y.Get(g); v.Uint() != n {
					t.Fatalf("%d bits (%v): %s is %#x, not %#x, after %s was set", f.Type.Bits, f.Type.Kind, g.Name, v.Uint(), n, f.Name)
				}
			}
		}
	}
	f := l.Field("x")
	if f.Type.Bits < 64 {
		if err := y.SetUint(f, 1<<f.Type.Bits); err == nil {
			t.Errorf("%d bits hold 2^%d", f.Type.Bits, f.Type.Bits)
		}
	}
}

func TestEveryTypeKeepsWhatIsSet(t *testing.T) {
	r := NewRegistry()
	if _, err := r.Define(Spec{Name: "Pair", Fields: []FieldSpec{{Name: "a", Type: "u8"}, {Name: "n", Type: "u8", Auto: CountOf("b")}, {Name: "b", Type: "u16", Count: By("n", 1, 0)}}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec FieldSpec
		in   any
		out  string
		hex  string
	}{
		{FieldSpec{Type: "mac"}, "2:0:0:0:0:a", "02:00:00:00:00:0a", "02000000000a"},
		{FieldSpec{Type: "mac"}, "02-00-00-00-00-0A", "02:00:00:00:00:0a", "02000000000a"},
		{FieldSpec{Type: "ip4"}, "192.0.2.1", "192.0.2.1", "c0000201"},
		{FieldSpec{Type: "ip4"}, netip.MustParseAddr("192.0.2.1"), "192.0.2.1", "c0000201"},
		{FieldSpec{Type: "ip6"}, "2001:db8::1", "2001:db8::1", "20010db8000000000000000000000001"},
		{FieldSpec{Type: "ip6"}, "::ffff:1.2.3.4", "::ffff:1.2.3.4", "00000000000000000000ffff01020304"},
		{FieldSpec{Type: "bytes"}, "\x00\xff", "\x00\xff", "00ff"},
		{FieldSpec{Type: "bytes", Size: Fixed(4)}, "ab", "ab\x00\x00", "61620000"},
		{FieldSpec{Type: "text"}, "hé", "hé", "68c3a9"},
		{FieldSpec{Type: "cstring"}, "hi", "hi", "686900"},
		{FieldSpec{Type: "name"}, "www.example.com", "www.example.com.", "0377777707657861 6d706c6503636f6d00"},
		{FieldSpec{Type: "name"}, ".", ".", "00"},
		{FieldSpec{Type: "name"}, `a\.b.c\001`, `a\.b.c\001.`, "03612e6202630100"},
		{FieldSpec{Type: "list", Of: "ip4"}, []any{"1.2.3.4", "5.6.7.8"}, "{1.2.3.4, 5.6.7.8}", "0102030405060708"},
		{FieldSpec{Type: "u16", Count: &Size{All: true}}, []any{1, 2}, "{1, 2}", "00010002"},
		{FieldSpec{Type: "Pair"}, map[string]any{"a": 1, "b": []any{2, 3}}, "{a=1, n=2, b={2, 3}}", "010200020003"},
		{FieldSpec{Type: "list", Of: "Pair"}, []any{map[string]any{"a": 1, "b": []any{2}}, map[string]any{"a": 3}}, "{{a=1, n=1, b={2}}, {a=3, n=0, b={}}}", "010100020300"},
		{FieldSpec{Type: "record", Record: []FieldSpec{{Name: "x", Type: "u4"}, {Name: "y", Type: "u4"}}}, []any{1, 2}, "{x=1, y=2}", "12"},
		{FieldSpec{Type: "u8", Enum: Words{1: {"one", "uno"}}}, "uno", "one", "01"},
		{FieldSpec{Type: "u8", Enum: Words{1: {"one"}}}, 7, "7", "07"},
		{FieldSpec{Type: "u8", Flags: []string{"A", "B", "", "D"}}, "DA", "AD", "09"},
		{FieldSpec{Type: "u8", Flags: []string{"one", "two"}}, "two+0x80", "two+0x80", "82"},
		{FieldSpec{Type: "tlv", TLV: &TLVSpec{Type: "u16host", Length: "u16host", LengthFirst: true, Includes: true, Align: 4,
			Options: []OptionSpec{{Code: 3, Name: "IFNAME", Type: "cstring"}, {Code: 4, Name: "MTU", Type: "u32host"}}}},
			[]any{[]any{"IFNAME", "lo"}, []any{"MTU", 5}}, "{IFNAME lo, MTU 5}", "0700 0300 6c6f0000 0800 0400 05000000"},
		{FieldSpec{Type: "tlv", TLV: &TLVSpec{Type: "u7", Length: "u9", Options: []OptionSpec{{Code: 3, Name: "TTL", Type: "u16"}, {Code: 0, Name: "End"}}}},
			[]any{[]any{"TTL", 120}, "End"}, "{TTL 120, End}", "0602 0078 0000"},
		{FieldSpec{Type: "tlv", TLV: &TLVSpec{Includes: true, Unit: 8, Options: []OptionSpec{{Code: 1, Name: "SrcLLAddr", Type: "mac"}, {Code: 5, Name: "MTU", Record: []FieldSpec{{Name: "r", Type: "u16"}, {Name: "mtu", Type: "u32"}}}}}},
			[]any{[]any{"SrcLLAddr", "02:00:00:00:00:01"}, []any{"MTU", map[string]any{"mtu": 1500}}}, "{SrcLLAddr 02:00:00:00:00:01, MTU {r=0, mtu=1500}}", "0101 020000000001 0501 0000 000005dc"},
		{FieldSpec{Type: "tlv", TLV: &TLVSpec{Options: []OptionSpec{{Code: 0, Name: "Pad", Single: true}, {Code: 255, Name: "end", Single: true, Stop: true}, {Code: 53, Name: "type", Type: "u8"}}}},
			[]any{[]any{"type", 1}, "Pad", "end"}, "{type 1, Pad, end}", "350101 00 ff"},
	} {
		c.spec.Name = "x"
		l, err := r.Define(Spec{Name: "X", Fields: []FieldSpec{{Name: "before", Type: "u8"}, c.spec}})
		if err != nil {
			t.Errorf("%+v: %v", c.spec, err)
			continue
		}
		p := l.New()
		if err := p.At(0).Set("x", c.in); err != nil {
			t.Errorf("%v: %v", c.in, err)
			continue
		}
		b := encoded(t, p)
		if !bytes.Equal(b[1:], unhexed(c.hex)) {
			t.Errorf("%v is %x, not %s", c.in, b[1:], c.hex)
		}
		v, err := l.Parse(b).At(0).Value("x")
		if err != nil || v.Text() != c.out {
			t.Errorf("%v reads as %q, %v", c.in, v.Text(), err)
		}
		// What was read can be written.
		q := l.New()
		if err := q.At(0).Set("x", v.Go()); err != nil || !q.Equal(p) {
			t.Errorf("%v: %#v gives %x, %v", c.in, v.Go(), encoded(t, q), err)
		}
		if err := q.At(0).Set("x", nil); err != nil || !q.Equal(l.New()) {
			t.Errorf("%v: cleared to %x, %v", c.in, encoded(t, q), err)
		}
	}
}

func TestNamesMayBeCompressedWhenRead(t *testing.T) {
	r := NewRegistry()
	l, err := r.Define(Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "name"}, {Name: "b", Type: "name"}, {Name: "c", Type: "u8"}}})
	if err != nil {
		t.Fatal(err)
	}
	y := l.Parse(unhexed("03777777 026d65 00 0161 c004 07")).At(0)
	for name, want := range map[string]string{"a": "www.me.", "b": "a.me.", "c": "7"} {
		if v, _ := y.Value(name); v.Text() != want {
			t.Errorf("%s = %s", name, v.Text())
		}
	}
	// A pointer to itself, forwards, and out of the message.
	for _, s := range []string{"c000 00 00", "c002 c000 00", "ffff 00 00"} {
		y := l.Parse(unhexed(s)).At(0)
		for f := range y.Fields() {
			v, _ := y.Get(f)
			v.Text()
		}
	}
}

func TestWrongDeclarationsNameLayoutAndField(t *testing.T) {
	r := NewRegistry()
	r.Reserve("copy")
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{Name: "x"}, `x: names of layouts begin with a capital letter`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "copy", Type: "u8"}}}, `X.copy: "copy" is reserved: packets and layers have a method or a field of that name`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "u65"}}}, `X.a: type "u65": integers have 1 to 64 bits`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "ipv4"}}}, `X.a: unknown type "ipv4" (did you mean "ip4"?)`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "u4"}}}, `X: ends 4 bits into an octet`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "u4"}, {Name: "b", Type: "mac"}}}, `X.b: begins 4 bits into an octet`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "u8"}, {Name: "a", Type: "u8"}}}, `X.a: declared twice; of several fields of one name each needs a condition`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "bytes", Size: By("b", 1, 0)}}}, `X.a: size: no field "b"`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "u8", Default: 256}}}, `X.a: default: 256 does not fit 8 bits (0..255)`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "u8", Auto: Checksum("X")}}}, `X.a: an Internet checksum has 16 bits`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "u16", Auto: Octets("paylod")}}}, `X.a: octets: no "paylod" here (did you mean "payload"?)`},
		{Spec{Name: "X", Fields: []FieldSpec{{Name: "a", Type: "u8", When: When(Is("b", 1))}}}, `X.a: when: no field "b"`},
	} {
		if _, err := r.Define(c.spec); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}
