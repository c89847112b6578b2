package wire

import (
	"strings"
	"testing"
)

func TestAPatternComparesWhatItsAuthorSet(t *testing.T) {
	r := testLayouts(t)
	p := frame(t, r)
	for _, c := range []struct {
		name    string
		pattern []any
		why     string // "" matches
	}{
		{"a layer", []any{"UDP"}, ""},
		{"a field", []any{"IP", set{"dst": "10.0.0.2"}}, ""},
		{"a field that is another", []any{"IP", set{"dst": "10.0.0.3"}}, "IP.dst: 10.0.0.2, want 10.0.0.3"},
		{"layers with others between", []any{"Ether", "UDP", set{"dport": 9999}}, ""},
		{"layers in another order", []any{"UDP", "IP"}, "no layer IP"},
		{"defaults do not count", []any{"IP", set{"src": "10.0.0.1"}, "UDP"}, ""},
		{"a default that is set does", []any{"IP", set{"ttl": 63}}, "IP.ttl: 64, want 63"},
		{"an automatic field that is set does", []any{"IP", set{"len": 51}}, "IP.len: 50, want 51"},
		{"the payload", []any{"UDP", "=" + strings.Repeat("x", 22)}, ""},
		{"another payload", []any{"UDP", "=y"}, "Raw.load"},
		{"no such layer", []any{"IP", "TCP"}, "no layer TCP"},
	} {
		ok, why := p.Matches(stack(t, r, c.pattern...))
		if ok != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("%s: %v %q, want %q", c.name, ok, why, c.why)
		}
	}
	// The second of two layers of a kind is found as well.
	in := stack(t, r, "IP", set{"src": "10.0.0.1"}, "ICMP", set{"type": 3}, "IP", set{"src": "10.9.9.9"}, "UDP", set{"dport": 5})
	if ok, why := in.Matches(stack(t, r, "IP", set{"src": "10.9.9.9"}, "UDP", set{"dport": 5})); !ok {
		t.Error(why)
	}
	// A pattern that was parsed is compared as a whole.
	ether, _ := r.Layout("Ether")
	if ok, why := p.Matches(ether.Parse(encoded(t, p))); !ok {
		t.Error(why)
	}
}

func TestDifferencesOfPackets(t *testing.T) {
	r := testLayouts(t)
	p := frame(t, r)
	if d := p.Diff(p.Copy()); d != "" {
		t.Errorf("a copy differs: %s", d)
	}
	q := p.Copy()
	q.Layer("UDP", 0).Set("dport", 53)
	if d := p.Diff(q); !strings.Contains(d, "UDP.dport    9999     53\n") || strings.Contains(d, "IP.") {
		t.Errorf("%s", d)
	}
	if d := p.Diff(stack(t, r, "Ether", set{"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}, "=x")); !strings.Contains(d, "- IP\n- UDP\n") {
		t.Errorf("%s", d)
	}
	long := func(at int) *Packet {
		b := []byte(strings.Repeat("x", 100))
		b[at] = 'y'
		return r.RawPacket(string(b))
	}
	if d := long(50).Diff(long(99)); !strings.Contains(d, "from octet 46") {
		t.Errorf("%s", d)
	}
}
