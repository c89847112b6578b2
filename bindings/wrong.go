package bindings

import (
	"pktsh/engine/wire"
	"pktsh/lua"
)

// packetWrong is p:wrong(): what a receiver that checks would refuse.
func packetWrong(h *lua.Host, p *wire.Packet) *lua.Table {
	list := h.NewTable(0, 0)
	ip6 := false
	for l := range p.Layers() {
		if l.Quoted() {
			break
		}
		for f := range l.Layout().Fields() {
			// The number of a protocol that nobody knows here is not wrong.
			if f.Auto() == nil || f.Auto().String() == "next" || l.Provenance(f) != wire.Parsed {
				continue
			}
			v, err := l.Get(f)
			if err != nil {
				continue
			}
			is := v.Uint()
			right, known := l.Check(f)
			if !known || is == right {
				continue
			}
			// RFC 768: zero is no checksum. RFC 8200 §8.1: over IPv6 there is one.
			if is == 0 && f.Spec().Zero != 0 && !ip6 {
				continue
			}
			t := h.NewTable(0, 4)
			t.RawSetString("layer", lua.String(l.Layout().Name))
			t.RawSetString("field", lua.String(f.Spec().Name))
			t.RawSetString("is", lua.Number(is))
			t.RawSetString("right", lua.Number(right))
			list.Append(t)
		}
		ip6 = ip6 && l.Layout().Name != "IP" || l.Layout().Name == "IPv6"
	}
	return list
}
