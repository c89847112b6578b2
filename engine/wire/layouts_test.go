package wire

import "testing"

// The layouts that the tests of this package need, in Go; the shipped ones are
// Lua and tested with the bindings.
func testLayouts(t testing.TB) *Registry {
	r := NewRegistry()
	def := func(s Spec) *Layout {
		t.Helper()
		l, err := r.Define(s)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	def(Spec{Name: "Ether", Fields: []FieldSpec{
		{Name: "dst", Type: "mac", Default: "ff:ff:ff:ff:ff:ff"},
		{Name: "src", Type: "mac"},
		{Name: "type", Type: "u16", Auto: Next(""), Default: 0x9000, Names: Words{0x800: {"IPv4"}}},
	}, Instead: "Dot3", InsteadWhen: When(Between("type", 0, 1500))})
	def(Spec{Name: "Dot3", Fields: []FieldSpec{
		{Name: "dst", Type: "mac"}, {Name: "src", Type: "mac"}, {Name: "len", Type: "u16", Auto: Octets("payload")},
	}})
	def(Spec{Name: "Dot1Q", Fields: []FieldSpec{
		{Name: "prio", Type: "u3"}, {Name: "dei", Type: "u1", Aliases: []string{"id"}}, {Name: "vlan", Type: "u12", Default: 1},
		{Name: "type", Type: "u16", Auto: Next("Ether.type")},
	}}).Follows("Ether", map[string]uint64{"type": 0x8100})
	tcpOptions := func() *TLVSpec {
		return &TLVSpec{Includes: true, Pad: 4, Options: []OptionSpec{
			{Code: 0, Name: "EOL", Single: true, Stop: true},
			{Code: 1, Name: "NOP", Single: true},
			{Code: 2, Name: "MSS", Type: "u16"},
			{Code: 3, Name: "WScale", Type: "u8"},
			{Code: 4, Name: "SAckOK"},
			{Code: 5, Name: "SAck", Of: "u32"},
			{Code: 8, Name: "Timestamp", Record: []FieldSpec{{Name: "tsval", Type: "u32"}, {Name: "tsecr", Type: "u32"}}},
			{Code: 19, Name: "MD5", Type: "bytes"},
		}}
	}
	ip := def(Spec{Name: "IP", Fields: []FieldSpec{
		{Name: "version", Type: "u4", Default: 4},
		{Name: "ihl", Type: "u4", Auto: Octets("IP"), Unit: 4},
		{Name: "tos", Type: "u8", Show: "hex"},
		{Name: "len", Type: "u16", Auto: Octets("IP", "payload")},
		{Name: "id", Type: "u16"},
		{Name: "flags", Type: "u3", Flags: []string{"MF", "DF", "evil"}},
		{Name: "frag", Type: "u13"},
		{Name: "ttl", Type: "u8", Default: 64},
		{Name: "proto", Type: "u8", Auto: Next("")},
		{Name: "chksum", Type: "u16", Auto: Checksum("IP"), Show: "hex"},
		{Name: "src", Type: "ip4"},
		{Name: "dst", Type: "ip4"},
		{Name: "options", Type: "tlv", TLV: &TLVSpec{Includes: true, Pad: 4, Options: []OptionSpec{
			{Code: 0, Name: "EOL", Single: true, Stop: true},
			{Code: 1, Name: "NOP", Single: true},
			{Code: 0x83, Name: "LSRR", Record: []FieldSpec{{Name: "pointer", Type: "u8", Default: 4}, {Name: "routers", Type: "ip4", Count: &Size{All: true}}}},
			{Code: 0x94, Name: "Router_Alert", Record: []FieldSpec{{Name: "alert", Type: "u16"}}},
		}}, Size: RestOf("ihl", 4, -20)},
	},
		Opaque:   When(Between("frag", 1, 8191)),
		Quotes:   When(Bits("flags", 1)),
		FinalDst: &FinalDst{Field: "options", Options: []string{"LSRR"}},
	})
	ip.Follows("Ether", map[string]uint64{"type": 0x800})
	ip.Follows("ICMP", map[string]uint64{"type": 3})
	udp := def(Spec{Name: "UDP", Fields: []FieldSpec{
		{Name: "sport", Type: "u16"}, {Name: "dport", Type: "u16"},
		{Name: "len", Type: "u16", Auto: Octets("UDP", "payload")},
		{Name: "chksum", Type: "u16", Auto: Checksum("pseudo", "UDP", "payload"), Zero: 0xffff, Show: "hex"},
	}})
	udp.Follows("IP", map[string]uint64{"proto": 17})
	udp.Follows("IPv6", map[string]uint64{"nh": 17})
	def(Spec{Name: "TCP", Fields: []FieldSpec{
		{Name: "sport", Type: "u16"}, {Name: "dport", Type: "u16"}, {Name: "seq", Type: "u32"}, {Name: "ack", Type: "u32"},
		{Name: "dataofs", Type: "u4", Auto: Octets("TCP"), Unit: 4},
		{Name: "reserved", Type: "u3"},
		{Name: "flags", Type: "u9", Default: "S", Flags: []string{"F", "S", "R", "P", "A", "U", "E", "C", "N"}},
		{Name: "window", Type: "u16", Default: 8192},
		{Name: "chksum", Type: "u16", Auto: Checksum("pseudo", "TCP", "payload")},
		{Name: "urgptr", Type: "u16"},
		{Name: "options", Type: "tlv", TLV: tcpOptions(), Size: RestOf("dataofs", 4, -20)},
	}}).Follows("IP", map[string]uint64{"proto": 6})
	def(Spec{Name: "ICMP", Quotes: When(Is("type", 3)), Fields: []FieldSpec{
		{Name: "type", Type: "u8", Default: 8, Enum: Words{0: {"echo-reply"}, 3: {"dest-unreach", "unreachable"}, 5: {"redirect"}, 8: {"echo-request"}}},
		{Name: "code", Type: "u8"},
		{Name: "chksum", Type: "u16", Auto: Checksum("ICMP", "payload")},
		{Name: "id", Type: "u16", When: When(Is("type", 0, 8))},
		{Name: "seq", Type: "u16", When: When(Is("type", 0, 8))},
		{Name: "unused", Type: "u16", When: When(Is("type", 3))},
		{Name: "mtu", Type: "u16", When: When(Is("type", 3))},
		{Name: "gw", Type: "ip4", When: When(Is("type", 5))},
	}}).Follows("IP", map[string]uint64{"proto": 1})
	def(Spec{Name: "IPv6", Fields: []FieldSpec{
		{Name: "version", Type: "u4", Default: 6}, {Name: "tc", Type: "u8"}, {Name: "fl", Type: "u20"},
		{Name: "plen", Type: "u16", Auto: Octets("payload")},
		{Name: "nh", Type: "u8", Auto: Next(""), Default: 59},
		{Name: "hlim", Type: "u8", Default: 64},
		{Name: "src", Type: "ip6"}, {Name: "dst", Type: "ip6"},
	}}).Follows("Ether", map[string]uint64{"type": 0x86dd})
	def(Spec{Name: "Hop", Fields: []FieldSpec{
		{Name: "nh", Type: "u8", Auto: Next("IPv6.nh"), Default: 59},
		{Name: "len", Type: "u8", Auto: Octets("Hop"), Unit: 8, Plus: -1},
		{Name: "options", Type: "tlv", TLV: &TLVSpec{Pad: 8, Fill: "PadN", Options: []OptionSpec{
			{Code: 0, Name: "Pad1", Single: true}, {Code: 1, Name: "PadN", Type: "bytes"}, {Code: 5, Name: "RouterAlert", Type: "u16"},
		}}, Size: RestOf("len", 8, 6)},
	}}).Follows("IPv6", map[string]uint64{"nh": 0})
	def(Spec{Name: "Routing", FinalDst: &FinalDst{Field: "addresses", Left: "segleft"}, Fields: []FieldSpec{
		{Name: "nh", Type: "u8", Auto: Next("IPv6.nh"), Default: 59},
		{Name: "len", Type: "u8", Auto: Octets("Routing"), Unit: 8, Plus: -1},
		{Name: "type", Type: "u8"},
		{Name: "segleft", Type: "u8", Auto: CountOf("addresses")},
		{Name: "reserved", Type: "u32"},
		{Name: "addresses", Type: "ip6", Size: RestOf("len", 8, 0)},
	}}).Follows("IPv6", map[string]uint64{"nh": 43})
	return r
}
