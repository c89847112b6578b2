package bindings

import (
	"fmt"
	"strings"

	"pktsh/engine"
	"pktsh/engine/wire"
	"pktsh/lua"
)

// foreignLayers are the protocols in a packet's raw octets that gopacket can
// read and pktsh has no layout for.
func foreignLayers(p *wire.Packet) ([]engine.Foreign, error) {
	from, first := -1, ""
	for i := 0; ; i++ {
		l := p.At(i)
		if !l.OK() {
			break
		}
		if i == 0 {
			first = l.Layout().Name
		}
		if l.Layout().Name == "Raw" && from < 0 {
			from = l.Offset()
		}
	}
	if from < 0 {
		return nil, nil
	}
	for link, name := range layers {
		if name == first {
			octets, err := p.AppendBinary(nil)
			if err != nil {
				return nil, err
			}
			return engine.Dissect(link, octets, from), nil
		}
	}
	return nil, nil
}

// packetForeign is p:foreign().
func packetForeign(h *lua.Host, p *wire.Packet) (*lua.Table, error) {
	found, err := foreignLayers(p)
	if err != nil {
		return nil, err
	}
	list := h.NewTable(len(found), 0)
	for _, l := range found {
		t, fields := h.NewTable(0, 4), h.NewTable(0, len(l.Fields))
		for _, f := range l.Fields {
			fields.RawSetString(f.Name, lua.String(f.Value))
		}
		t.RawSetString("name", lua.String(l.Name))
		t.RawSetString("octet", lua.Int(l.Offset))
		t.RawSetString("octets", lua.Int(l.Octets))
		t.RawSetString("fields", fields)
		list.Append(t)
	}
	return list, nil
}

// showPacket is p:show(): our layers, and what is known of the rest.
func showPacket(h *lua.Host, p *wire.Packet) error {
	text := p.Show()
	found, err := foreignLayers(p)
	if err != nil {
		return err
	}
	if len(found) > 0 && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	for _, l := range found {
		text += fmt.Sprintf("(%s, as gopacket reads it)  %d octets at %d\n", l.Name, l.Octets, l.Offset)
		wide := 0
		for _, f := range l.Fields {
			wide = max(wide, len(f.Name))
		}
		for _, f := range l.Fields {
			text += fmt.Sprintf("  %-*s  %s\n", wide, f.Name, f.Value)
		}
	}
	return show(h, text)
}
