package wire

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhexed(s string) []byte {
	var clean strings.Builder
	for _, line := range strings.Split(s, "\n") {
		line, _, _ = strings.Cut(line, "--")
		clean.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(clean.String())
	if err != nil {
		panic(err)
	}
	return b
}

type set map[string]any

// stack builds a packet from names of layouts, the fields of each, and octets.
func stack(t testing.TB, r *Registry, parts ...any) *Packet {
	t.Helper()
	var p *Packet
	put := func(q *Packet) {
		if p == nil {
			p = q
		} else {
			p = p.Over(q)
		}
	}
	for i := 0; i < len(parts); i++ {
		name, _ := parts[i].(string)
		if strings.HasPrefix(name, "=") {
			put(r.RawPacket(name[1:]))
			continue
		}
		l, err := r.Layout(name)
		if err != nil {
			t.Fatal(err)
		}
		q := l.New()
		if i+1 < len(parts) {
			if s, ok := parts[i+1].(set); ok {
				i++
				if err := q.At(0).SetAll(s); err != nil {
					t.Fatal(err)
				}
			}
		}
		put(q)
	}
	return p
}

func encoded(t testing.TB, p *Packet) []byte {
	t.Helper()
	b, err := p.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantHex(t testing.TB, p *Packet, want string) {
	t.Helper()
	if got := encoded(t, p); !bytes.Equal(got, unhexed(want)) {
		t.Errorf("got  %x\nwant %x", got, unhexed(want))
	}
}

func frame(t testing.TB, r *Registry) *Packet {
	return stack(t, r, "Ether", set{"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"},
		"IP", set{"src": "10.0.0.1", "dst": "10.0.0.2"}, "UDP", set{"sport": 1000, "dport": 9999}, "="+strings.Repeat("x", 22))
}

const frameHex = `
	02 00 00 00 00 02 02 00 00 00 00 01 08 00
	45 00 00 32 00 00 00 00 40 11 66 b9 0a 00 00 01 0a 00 00 02
	03 e8 27 0f 00 1e 93 8b
	78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 78 78`

func get(t testing.TB, p *Packet, layer, field string) any {
	t.Helper()
	l := p.Layer(layer, 0)
	if !l.OK() {
		t.Fatalf("no %s", layer)
	}
	v, err := l.Value(field)
	if err != nil {
		t.Fatal(err)
	}
	return v.Go()
}

func TestLengthsChecksumsAndNumbersOfTheNextLayerAreFilledIn(t *testing.T) {
	r := testLayouts(t)
	p := frame(t, r)
	wantHex(t, p, frameHex)
	if p.Len() != 64 {
		t.Errorf("Len = %d", p.Len())
	}
}

func TestAFieldThatIsSetIsSentAsItStandsUntilItIsCleared(t *testing.T) {
	r := testLayouts(t)
	p := frame(t, r)
	ip := p.Layer("IP", 0)
	if err := ip.Set("ttl", 3); err != nil {
		t.Fatal(err)
	}
	if got := get(t, p, "IP", "chksum"); got != uint64(0xa3b9) {
		t.Errorf("chksum = %#x", got)
	}
	ip.Set("chksum", 0xdead)
	if b := encoded(t, p); b[24] != 0xde || b[25] != 0xad {
		t.Errorf("%x", b[24:26])
	}
	ip.Set("chksum", nil)
	if got := get(t, p, "IP", "chksum"); got != uint64(0xa3b9) {
		t.Errorf("chksum = %#x", got)
	}
}

func TestEditingAParsedFrameKeepsItValid(t *testing.T) {
	r := testLayouts(t)
	ether, _ := r.Layout("Ether")
	b := unhexed(frameHex)
	q := ether.Parse(b)
	if got := encoded(t, q); !bytes.Equal(got, b) {
		t.Fatalf("%x", got)
	}
	if !bytes.Equal(q.Payload(), bytes.Repeat([]byte("x"), 22)) {
		t.Errorf("payload %q", q.Payload())
	}
	if err := q.Layer("UDP", 0).SetPayload("hi"); err != nil {
		t.Fatal(err)
	}
	if q.Len() != 44 {
		t.Errorf("Len %d", q.Len())
	}
	want := stack(t, r, "Ether", set{"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"},
		"IP", set{"src": "10.0.0.1", "dst": "10.0.0.2"}, "UDP", set{"sport": 1000, "dport": 9999}, "=hi")
	if !q.Equal(want) {
		t.Errorf("got  %x\nwant %x", encoded(t, q), encoded(t, want))
	}
	if !bytes.Equal(b, unhexed(frameHex)) {
		t.Error("the octets that were parsed have changed")
	}
}

func TestAWrongFieldOfAParsedFrameStaysWrong(t *testing.T) {
	r := testLayouts(t)
	ether, _ := r.Layout("Ether")
	b := unhexed(frameHex)
	b[24] ^= 1 // IP.chksum
	q := ether.Parse(b)
	if got := q.Layer("IP", 0).Provenance(r.layouts["IP"].Field("chksum")); got != Parsed {
		t.Errorf("provenance %v", got)
	}
	if got := q.Layer("UDP", 0).Provenance(r.layouts["UDP"].Field("chksum")); got != Automatic {
		t.Errorf("provenance %v", got)
	}
	q.Layer("UDP", 0).SetPayload("hi")
	got := encoded(t, q)
	if got[24] != 0x67 || got[25] != 0xb9 {
		t.Errorf("IP.chksum %x", got[24:26])
	}
	if got[17] != 30 {
		t.Errorf("IP.len %d", got[17])
	}
}

func TestOctetsBehindTheEndAreAPaddingLayer(t *testing.T) {
	r := testLayouts(t)
	ether, _ := r.Layout("Ether")
	p := stack(t, r, "Ether", "IP", "UDP", "=hi")
	b := append(encoded(t, p), make([]byte, 16)...)
	q := ether.Parse(b)
	var names []string
	for l := range q.Layers() {
		names = append(names, l.Layout().Name)
	}
	if got := strings.Join(names, " "); got != "Ether IP UDP Raw Padding" {
		t.Error(got)
	}
	if len(q.Notes()) != 0 {
		t.Error(q.Notes())
	}
	q.Layer("IP", 0).Set("ttl", 1)
	if got := encoded(t, q); len(got) != len(b) || got[17] != 30 {
		t.Errorf("%x", got)
	}
	if string(q.Payload()) != "hi" {
		t.Errorf("payload %q", q.Payload())
	}
}

func TestAShortPacketGivesTheLayersThatFitAndANote(t *testing.T) {
	r := testLayouts(t)
	ether, _ := r.Layout("Ether")
	b := unhexed(frameHex)
	for n := range len(b) {
		q := ether.Parse(b[:n])
		if got := encoded(t, q); !bytes.Equal(got, b[:n]) {
			t.Fatalf("%d octets: %x", n, got)
		}
		if len(q.Notes()) == 0 && n != 14 {
			t.Errorf("%d octets: no note", n)
		}
	}
	q := ether.Parse(b[:40])
	if got := q.Notes(); len(got) != 2 || got[1].Text != "UDP needs 8 octets, 6 are there" || got[1].Offset != 34 {
		t.Error(got)
	}
}

func TestOptionsAreReadAndWritten(t *testing.T) {
	r := testLayouts(t)
	p := stack(t, r, "IP", set{"src": "10.0.0.1", "dst": "10.0.0.2"},
		"TCP", set{"flags": "SA", "options": []any{[]any{"MSS", 1460}, []any{"WScale", 7}, "SAckOK"}})
	wantHex(t, p, `
		45 00 00 34 00 00 00 00 40 06 66 c2 0a 00 00 01 0a 00 00 02
		00 00 00 00 00 00 00 00 00 00 00 00 80 12 20 00 38 05 00 00
		02 04 05 b4  03 03 07  04 02  00 00 00`)
	q := r.layouts["IP"].Parse(encoded(t, p))
	v, err := q.Layer("TCP", 0).Value("options")
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Text(); got != "{MSS 1460, WScale 7, SAckOK}" {
		t.Error(got)
	}
	if err := q.Layer("TCP", 0).Set("options", []any{"NOP", "NOP", []any{"Timestamp", []any{1, 2}}, []any{"SAck", []any{3, 4}}, []any{254, "\x01"}}); err != nil {
		t.Fatal(err)
	}
	v, _ = q.Layer("TCP", 0).Value("options")
	if got := v.Text(); got != "{NOP, NOP, Timestamp {tsval=1, tsecr=2}, SAck {3, 4}, 254 \x01}" {
		t.Error(got)
	}
	if got := get(t, q, "TCP", "dataofs"); got != uint64(12) {
		t.Error(got)
	}
	if got := get(t, q, "IP", "len"); got != uint64(68) {
		t.Error(got)
	}
}

func TestConditionalFieldsComeAndGoWithTheFieldTheyDependOn(t *testing.T) {
	r := testLayouts(t)
	p := stack(t, r, "ICMP", set{"type": "echo-request", "id": 1, "seq": 2}, "=ping")
	wantHex(t, p, "08 00 19 2c 00 01 00 02 70 69 6e 67")
	l := p.At(0)
	if err := l.Set("gw", "10.0.0.1"); err == nil || err.Error() != "ICMP.gw: only present when type is redirect" {
		t.Error(err)
	}
	if err := l.Set("type", "redirect"); err != nil {
		t.Fatal(err)
	}
	if err := l.Set("gw", "10.0.0.1"); err != nil {
		t.Fatal(err)
	}
	wantHex(t, p, "05 00 12 2e 0a 00 00 01 70 69 6e 67")
	if l.Has(l.Field("id")) {
		t.Error("id is still there")
	}
}

func TestAQuotedPacketMayEndEarly(t *testing.T) {
	r := testLayouts(t)
	inner := encoded(t, stack(t, r, "IP", "TCP", set{"sport": 7, "dport": 9, "seq": 5}, "=0123456789"))
	p := stack(t, r, "IP", "ICMP", set{"type": 3}, "="+string(inner[:28]))
	b := encoded(t, p)
	q := r.layouts["IP"].Parse(b)
	if n := q.Notes(); len(n) != 0 {
		t.Error(n)
	}
	tcp := q.Layer("TCP", 0)
	if !tcp.OK() || !tcp.Cut() {
		t.Fatal("no TCP layer, or a whole one")
	}
	if got := get(t, q, "TCP", "seq"); got != uint64(5) {
		t.Error(got)
	}
	if got := get(t, q, "TCP", "window"); got != nil {
		t.Error(got)
	}
	q.Layer("IP", 0).Set("ttl", 9)
	if got := encoded(t, q); !bytes.Equal(got[20:], b[20:]) {
		t.Errorf("got  %x\nwant %x", got, b)
	}
}

func TestIPv6ExtensionHeadersAndTheFinalDestination(t *testing.T) {
	r := testLayouts(t)
	p := stack(t, r, "IPv6", set{"src": "2001:db8::1", "dst": "2001:db8::2"},
		"Hop", set{"options": []any{[]any{"RouterAlert", 0}}},
		"Routing", set{"addresses": []any{"2001:db8::3"}}, "UDP", set{"sport": 1, "dport": 2}, "=hi")
	wantHex(t, p, `
		60 00 00 00 00 2a 00 40 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002
		2b 00 05 02 00 00 01 00
		11 02 00 01 00 00 00 00 2001 0db8 0000 0000 0000 0000 0000 0003
		00 01 00 02 00 0a 3b f8 68 69`)
	q := r.layouts["IPv6"].Parse(encoded(t, p))
	if err := q.Layer("UDP", 0).Set("sport", 2); err != nil {
		t.Fatal(err)
	}
	if q.Equal(p) {
		t.Error("not changed")
	}
	q.Layer("UDP", 0).Set("sport", 1)
	if !q.Equal(p) {
		t.Error("changed")
	}
}

func TestErrorsNameTheFieldAndItsLimits(t *testing.T) {
	r := testLayouts(t)
	for _, c := range []struct {
		layer, field string
		v            any
		want, kind   string
	}{
		{"IP", "ttl", 300, "IP.ttl: 300 does not fit 8 bits (0..255)", "range"},
		{"IP", "ttl", -1, "IP.ttl: -1 does not fit 8 bits (0..255)", "range"},
		{"IP", "ttl", 1.5, "IP.ttl: 1.5 is not an integer", "argument"},
		{"IP", "src", "10.0.0", `IP.src: "10.0.0" is not an IPv4 address, such as "192.0.2.1"`, "argument"},
		{"Ether", "src", "02:00", `Ether.src: "02:00" is not a MAC address, such as "02:00:00:00:00:01"`, "argument"},
		{"ICMP", "type", "echo-rqeuest", `ICMP.type: no name "echo-rqeuest" (did you mean "echo-request"?)`, "argument"},
		{"IP", "tll", 1, `IP.tll: no such field (did you mean "ttl"?)`, "missing"},
		{"TCP", "options", []any{[]any{"MS", 1}}, `TCP.options: option 1: no option "MS" (did you mean "MSS"?)`, "argument"},
		{"TCP", "options", []any{[]any{"MSS", 70000}}, `TCP.options: option 1: MSS: 70000 does not fit 16 bits (0..65535)`, "range"},
		{"TCP", "flags", "SX", `TCP.flags: no flag "X" in "SX" (there are FSRPAUECN)`, "argument"},
	} {
		err := stack(t, r, c.layer).At(0).Set(c.field, c.v)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s.%s = %v: %v", c.layer, c.field, c.v, err)
		} else if k := err.(*Error).Kind(); k != c.kind {
			t.Errorf("%v: kind %s", err, k)
		}
	}
	p := stack(t, r, "IP", "UDP", "="+strings.Repeat("x", 65535))
	_, err := p.AppendBinary(nil)
	if err == nil || err.Error() != "UDP.len: 65543 octets do not fit 16 bits (0..65535)" {
		t.Error(err)
	}
	p.Layer("UDP", 0).Set("len", 0)
	p.Layer("IP", 0).Set("len", 0)
	if b, err := p.AppendBinary(nil); err != nil || len(b) != 65563 {
		t.Error(len(b), err)
	}
}

func TestSteppingOnALengthThatAParsedFrameHadRight(t *testing.T) {
	r := testLayouts(t)
	// Dot3 by the length in the place of the type.
	b := append(unhexed("0180c2000000 020000000001 0003 424203"), make([]byte, 43)...)
	q := r.layouts["Ether"].Parse(b)
	if q.At(0).Layout().Name != "Dot3" {
		t.Fatal(q.At(0).Layout().Name)
	}
	q.Layer("Dot3", 0).SetPayload("abcd")
	if got := encoded(t, q); got[13] != 4 || len(got) != len(b)+1 {
		t.Errorf("%x", got)
	}
}

func TestBorrowedNumbers(t *testing.T) {
	r := testLayouts(t)
	p := stack(t, r, "Ether", "Dot1Q", set{"vlan": 5}, "IP")
	b := encoded(t, p)
	if !bytes.Equal(b[12:18], unhexed("8100 0005 0800")) {
		t.Errorf("%x", b[12:18])
	}
	if q := r.layouts["Ether"].Parse(b); !q.Layer("IP", 0).OK() {
		t.Error("no IP")
	}
}
