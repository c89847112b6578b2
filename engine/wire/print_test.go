package wire

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestASummaryTemplateSaysWhatIsWrongWithIt(t *testing.T) {
	for src, want := range map[string]string{
		"{":                 "column 1",
		"{}":                "want a field name",
		"a [b":              "without its ]",
		"[{nothing}]":       "no field \"nothing\"",
		"{tttl}":            "did you mean \"ttl\"",
		"[nothing=3:x]":     "no field \"nothing\"",
		"{ttl} [x] {ttl":    "column 11",
		"[{ttl}|{ttl]":      "want a field name",
		"{ttl?}{#payload} ": "",
	} {
		_, err := NewRegistry().Define(Spec{Name: "X", Summary: src, Fields: []FieldSpec{{Name: "ttl", Type: "u8"}}})
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", src, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %q in it", src, err, want)
		}
	}
}

func TestASummaryFollowsItsTemplate(t *testing.T) {
	fields := []FieldSpec{
		{Name: "op", Type: "u8", Enum: Words{1: {"ask"}, 2: {"tell"}}},
		{Name: "n", Type: "u8"},
		{Name: "more", Type: "u16", When: When(Is("op", 2))},
	}
	for _, c := range []struct {
		template, payload, want string
		op, n                   int
	}{
		{"{op} {n}", "", "X ask 0", 1, 0},
		{"{op}[ n {n?}]", "", "X ask", 1, 0},
		{"{op}[ n {n?}]", "", "X ask n 7", 1, 7},
		{"[op=ask:who {n}|op=2:me {more}|{op}]", "", "X who 3", 1, 3},
		{"[op=ask:who {n}|op=2:me {more}|{op}]", "", "X me 0", 2, 3},
		{"[op=ask:who {n}|op=2:me {more}|{op}]", "", "X 9", 9, 3},
		{"{op}[ more {more}]", "", "X ask", 1, 0},
		{"{op} len {#payload}", "abc", "X ask len 3 / Raw 3", 1, 0},
		{"[alone:by itself]", "abc", "X by itself / Raw 3", 1, 0},
		{`\{\[\\: {n}`, "", `X {[\: 0`, 1, 0},
		{"", "", "X", 1, 0},
	} {
		l, err := NewRegistry().Define(Spec{Name: "X", Summary: c.template, Fields: fields})
		if err != nil {
			t.Fatal(err)
		}
		p := l.New()
		if err := p.At(0).SetAll(map[string]any{"op": c.op, "n": c.n}); err != nil {
			t.Fatal(err)
		}
		if err := p.SetPayload(c.payload); err != nil {
			t.Fatal(err)
		}
		if got := p.Summary(); got != c.want {
			t.Errorf("%q: %q, want %q", c.template, got, c.want)
		}
	}
}

func TestOctetsAreQuotedForLua(t *testing.T) {
	for in, want := range map[string]string{
		"":                         `""`,
		"ping":                     `"ping"`,
		"a\"b\\c\n\r\t":            `"a\"b\\c\n\r\t"`,
		"\x00\x01" + "1":           `"\0\0011"`,
		"\xff\xfe":                 `"\255\254"`,
		"grüß":                     `"grüß"`,
		"xxxxxxxxxxxx":             `("x"):rep(12)`,
		strings.Repeat("\x00", 40): `("\0"):rep(40)`,
	} {
		if got := string(appendLuaString(nil, []byte(in))); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestJSONIsJSON(t *testing.T) {
	r := testLayouts(t)
	p := frame(t, r)
	b, err := p.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Len    int
		Layers []map[string]any
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	if v.Len != 64 || len(v.Layers) != 4 || v.Layers[1]["ttl"] != 64.0 {
		t.Errorf("%s", b)
	}
	for _, s := range []string{"", "a\"\\\n\t\r\x00\x7f\u2028é\U0001F600", "\xff"} {
		var back string
		if err := json.Unmarshal(appendJSONString(nil, s), &back); err != nil || back != strings.ToValidUTF8(s, "\ufffd") {
			t.Errorf("%q: %q, %v", s, back, err)
		}
	}
}

func TestADiagramOfAFieldOverSeveralRows(t *testing.T) {
	var b strings.Builder
	drawDiagram(&b, []cell{
		{name: "kind", value: "1", bits: 8}, {name: "address", value: "02:00:00:00:00:01", bits: 48}, {name: "x", value: "0", bits: 3},
		{name: "reserved", value: "0", bits: 5}, {name: "load", value: `"hello"`, bits: 40, long: true},
	})
	want := `
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|    kind 1     |           address 02:00:00:00:00:01           |
+-+-+-+-+-+-+-+-+                               +-+-+-+-+-+-+-+-+
|                                               |  x  |reserved |
|                                               |  0  |    0    |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/                         load "hello"                          /
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
`
	if b.String() != want[1:] {
		t.Errorf("got\n%s\nwant%s", b.String(), want)
	}
}

func TestAnOctetIsOutOfThePacket(t *testing.T) {
	p := frame(t, testLayouts(t))
	for _, n := range []int{-1, 64} {
		if _, err := p.Why(n); err == nil || !strings.Contains(err.Error(), "64 octets") {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func BenchmarkSummary(b *testing.B) {
	p := frame(b, testLayouts(b))
	var buf []byte
	for b.Loop() {
		buf = p.AppendSummary(buf[:0])
	}
}
