package wire

import (
	"encoding/hex"
	"strconv"
	"unicode/utf8"
)

// AppendJSON appends the packet as one JSON object on one line:
//
//	{"len":64,"layers":[{"layer":"Ether","dst":"02:00:00:00:00:02",…},…],"notes":[{"octet":34,"note":"…"}]}
//
// Layers and fields stand in wire order, so equal packets give equal text.
// Numbers are numbers up to 2^53 and strings above; names of enumerations,
// flags, addresses and DNS names are strings; octets are hexadecimal.
func (p *Packet) AppendJSON(b []byte) ([]byte, error) {
	octets, err := p.AppendBinary(nil)
	if err != nil {
		return b, err
	}
	b = append(b, `{"len":`...)
	b = strconv.AppendInt(b, int64(len(octets)), 10)
	b = append(b, `,"layers":[`...)
	first := true
	for l := range p.Layers() {
		if !first {
			b = append(b, ',')
		}
		first = false
		if b, err = l.AppendJSON(b); err != nil {
			return b, err
		}
	}
	b = append(b, ']')
	if notes := p.Notes(); len(notes) > 0 {
		b = append(b, `,"notes":[`...)
		for i, n := range notes {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"octet":`...)
			b = strconv.AppendInt(b, int64(n.Offset), 10)
			b = append(b, `,"note":`...)
			b = appendJSONString(b, n.Text)
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	return append(b, '}'), nil
}

// AppendJSON appends the layer as [Packet.AppendJSON] does.
func (l Layer) AppendJSON(b []byte) ([]byte, error) {
	b = append(b, `{"layer":`...)
	b = appendJSONString(b, l.Layout().Name)
	for f := range l.Fields() {
		v, err := l.Get(f)
		if err != nil {
			return b, err
		}
		b = append(b, ',')
		b = appendJSONString(b, f.Name)
		b = append(b, ':')
		b = appendJSONValue(b, v)
	}
	return append(b, '}'), nil
}

func appendJSONValue(b []byte, v Value) []byte {
	switch v.Kind() {
	case 0:
		return append(b, "null"...)
	case Uint, Int:
		t := v.Type()
		if t.Flags != nil || t.Enum && v.Name() != "" {
			return appendJSONString(b, v.Text())
		}
		wide := t.Kind == Uint && v.Uint() > 1<<53 || t.Kind == Int && (v.Int() > 1<<53 || v.Int() < -1<<53)
		if wide {
			b = append(b, '"')
		}
		b = v.AppendText(b)
		if wide {
			b = append(b, '"')
		}
		return b
	case Bytes:
		b = append(b, '"')
		b = hex.AppendEncode(b, v.Octets())
		return append(b, '"')
	case List:
		b = append(b, '[')
		sep := ""
		for e := range v.Items() {
			b = append(b, sep...)
			b = appendJSONValue(b, e)
			sep = ","
		}
		return append(b, ']')
	case OptionsOf:
		b = append(b, '[')
		sep := ""
		for o := range v.Options() {
			b = append(b, sep...)
			b = append(b, `{"option":`...)
			if o.Info != nil && o.Info.Name != "" || o.Raw {
				b = appendJSONString(b, o.Label())
			} else {
				b = strconv.AppendUint(b, o.Code, 10)
			}
			if o.Value.Kind() != 0 {
				b = append(b, `,"value":`...)
				b = appendJSONValue(b, o.Value)
			}
			b = append(b, '}')
			sep = ","
		}
		return append(b, ']')
	case RecordOf:
		b = append(b, '{')
		sep := ""
		r := v.Record()
		for f := range r.Fields() {
			b = append(b, sep...)
			b = appendJSONString(b, f.Name)
			b = append(b, ':')
			b = appendJSONValue(b, r.Get(f))
			sep = ","
		}
		return append(b, '}')
	}
	return appendJSONString(b, v.Text())
}

// appendJSONString quotes as JSON does; octets that are no UTF-8 become U+FFFD.
func appendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029:
			b = append(b, `\u`...)
			for shift := 12; shift >= 0; shift -= 4 {
				b = append(b, hexDigits[r>>shift&15])
			}
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
