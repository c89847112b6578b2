package engine

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// A Foreign is a layer that gopacket's decoders know and we have no layout for:
// something to look at, not to edit.
type Foreign struct {
	Name   string // gopacket's word for the protocol
	Offset int    // of its first octet in the frame
	Octets int    // of its header
	Fields []ForeignField
}

// ForeignField is one field of it, as text.
type ForeignField struct{ Name, Value string }

// firstLayer says where gopacket begins for a link type.
var firstLayer = map[LinkType]gopacket.LayerType{
	LinkEthernet: layers.LayerTypeEthernet,
	LinkRaw:      layers.LayerTypeIPv4,
	LinkIPv4:     layers.LayerTypeIPv4,
	LinkIPv6:     layers.LayerTypeIPv6,
	LinkNull:     layers.LayerTypeLoopback,
	LinkLoop:     layers.LayerTypeLoopback,
	LinkLinuxSLL: layers.LayerTypeLinuxSLL,
}

// Dissect offers a frame to gopacket's decoders and returns the layers that
// they find at octet from and behind it; nil when they know none. The frame is
// only read. It never fails: a decoder that panics on what it was given has
// found nothing.
func Dissect(link LinkType, frame []byte, from int) (found []Foreign) {
	first, ok := firstLayer[link]
	if link == LinkRaw && len(frame) > 0 && frame[0]>>4 == 6 {
		first = layers.LayerTypeIPv6
	}
	if !ok {
		return nil
	}
	defer func() {
		if recover() != nil { // gopacket's decoders index what they did not measure
			found = nil
		}
	}()
	p := gopacket.NewPacket(frame, first, gopacket.DecodeOptions{NoCopy: true, SkipDecodeRecovery: true})
	for _, l := range p.Layers() {
		head := l.LayerContents()
		switch l.LayerType() {
		case gopacket.LayerTypePayload, gopacket.LayerTypeDecodeFailure, gopacket.LayerTypeFragment, gopacket.LayerTypeZero:
			continue
		}
		// With NoCopy the header is a window on the frame; what is left behind
		// its first octet says where it begins.
		at := cap(frame) - cap(head)
		if len(head) == 0 || at < from || at >= len(frame) {
			continue
		}
		found = append(found, Foreign{Name: l.LayerType().String(), Offset: at, Octets: len(head), Fields: foreignFields(l)})
	}
	return found
}

// foreignFields are the exported fields of a decoder's struct, in its order.
func foreignFields(l gopacket.Layer) []ForeignField {
	v := reflect.Indirect(reflect.ValueOf(l))
	if v.Kind() != reflect.Struct {
		return nil
	}
	var out []ForeignField
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || f.Anonymous || f.Name == "Contents" || f.Name == "Payload" {
			continue
		}
		out = append(out, ForeignField{f.Name, foreignText(v.Field(i))})
	}
	return out
}

// maxForeign keeps a field's text on a line.
const maxForeign = 120

func foreignText(v reflect.Value) string {
	var s string
	if b, ok := v.Interface().([]byte); ok {
		s = hex.EncodeToString(b[:min(len(b), maxForeign)])
	} else {
		s = fmt.Sprintf("%v", v.Interface())
	}
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "?")
	if len(s) > maxForeign {
		s = strings.ToValidUTF8(s[:maxForeign], "") + "…"
	}
	return s
}
