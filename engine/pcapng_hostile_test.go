package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"pktsh/engine"
)

// What a file says beside its frames is kept up to a bound, because a packed one
// may be a thousand times as long as it looks; its frames are read all the same.
func TestPcapNgKeepsLittleTextOfHostileFiles(t *testing.T) {
	le := binary.LittleEndian
	block := func(kind uint32, body []byte) []byte {
		n := uint32(len(body) + 12)
		return le.AppendUint32(append(le.AppendUint32(le.AppendUint32(nil, kind), n), body...), n)
	}
	option := func(code uint16, value string) []byte {
		b := append(le.AppendUint16(le.AppendUint16(nil, code), uint16(len(value))), value...)
		return append(b, make([]byte, -len(value)&3)...)
	}
	long := strings.Repeat("x", 65532)
	section := append(le.AppendUint32(nil, 0x1a2b3c4d), 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255)
	iface := []byte{1, 0, 0, 0, 0, 0, 0, 0}
	var all []byte
	all = append(all, block(0x0a0d0d0a, append(bytes.Clone(section), bytes.Repeat(option(1, ""), 2<<20)...))...)
	for range 300 {
		all = append(all, block(1, bytes.Join([][]byte{iface, option(2, long), option(3, long)}, nil))...)
	}
	for i := range 300 {
		zeros := fmt.Sprintf("\x0a\x00\x00\x01%d%s", i, strings.Repeat("\x00", 65000)) + "x"
		all = append(all, block(4, option(1, zeros))...)
	}
	packet := append(make([]byte, 12), 4, 0, 0, 0, 4, 0, 0, 0, 'a', 'b', 'c', 'd')
	all = append(all, block(6, append(bytes.Clone(packet), bytes.Repeat(option(1, ""), 1<<18)...))...)
	all = append(all, block(6, append(bytes.Clone(packet), option(1, "still here")...))...)

	file := stored(t, all)
	fs, err := slurp(file, 9)
	if err != nil || len(fs) != 2 || string(fs[0].Data) != "abcd" {
		t.Fatal(len(fs), err)
	}
	if n := len(fs[0].Info.Comments); n > 1<<20/16 {
		t.Errorf("%d comments of a frame were kept", n)
	}
	if c := fs[1].Info.Comments; len(c) != 1 || c[0] != "still here" {
		t.Errorf("%q", c)
	}
	a := about(t, file)
	octets := 16 * len(a.Comments)
	for _, i := range a.Interfaces {
		octets += len(i.Name) + len(i.Description)
	}
	for _, n := range a.Names {
		octets += 16 * len(n.Names)
	}
	if octets > 33<<20 {
		t.Errorf("%d octets of texts were kept", octets)
	}
	if len(a.Interfaces) != 300 || len(a.Names) == 0 {
		t.Errorf("%d interfaces, %d names", len(a.Interfaces), len(a.Names))
	}
	// A section begins anew, names stay.
	all = append(all, block(0x0a0d0d0a, append(bytes.Clone(section), option(1, "again")...))...)
	all = append(all, block(1, append(bytes.Clone(iface), option(2, "eth0")...))...)
	if a := about(t, stored(t, all)); a.Comments[0] != "again" || len(a.Interfaces) != 1 || a.Interfaces[0].Name != "eth0" {
		t.Errorf("%+v", engine.About{PcapSection: a.PcapSection, Interfaces: a.Interfaces})
	}
}
