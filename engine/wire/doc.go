// Package wire turns layouts into codecs: a [Spec] lists the fields of a wire
// format with their widths, types, defaults and automatic rules, and the
// [Layout] compiled from it builds, parses, edits and checks packets.
//
// It knows no protocol except [Registry.Raw] and [Registry.Padding], opens no
// device and hears nothing of Lua.
//
//	reg := wire.NewRegistry()
//	udp, err := reg.Define(wire.Spec{Name: "UDP", Fields: []wire.FieldSpec{
//		{Name: "sport", Type: "u16"},
//		{Name: "dport", Type: "u16"},
//		{Name: "len", Type: "u16", Auto: wire.Octets("UDP", "payload")},
//		{Name: "chksum", Type: "u16", Auto: wire.Checksum("pseudo", "UDP", "payload"), Zero: 0xffff},
//	}})
//	p := udp.New()
//	err = p.Layer(0).Set("dport", 53)
//	b, err := p.AppendBinary(nil)
//
// The octets are the truth and fields are windows on them:
//
//	  layer 0        layer 1           layer 2    Raw            Padding
//	┌─────────────┬─────────────────┬──────────┬──────────────┬──────────┐
//	│ Ether       │ IP              │ UDP      │ what follows │          │
//	└─────────────┴─────────────────┴──────────┴──────────────┴──────────┘
//	              ▲                 ▲                         ▲
//	              offset            offset+header             end of UDP's and IP's payload
//
// A packet is one buffer and a list of layers, each an offset, a header length
// and the end of its payload. Every field of every layer has a [Provenance]:
// default, automatic, set, or parsed. What was set is sent as it stands;
// automatic fields are computed, innermost layer first, when the packet is
// encoded or one of them is read. A parsed packet is a view of the caller's
// octets until it is first edited, and re-encodes to the very same octets. At
// the first edit the automatic fields whose parsed value was right become
// automatic again; wrong ones stay as they were read.
//
// A Registry and the packets made with it belong to one goroutine at a time.
package wire
