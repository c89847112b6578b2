package netlink

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"pktsh/engine/wire"
)

// Exact reports whether the value, encoded again from what it reads as, gives
// the same octets. What does not is dumped as octets.
func (val *Value) Exact() bool {
	switch val.Op() {
	case CString:
		if val.Type.Size > 0 {
			return isZero(val.b[len(val.Text()):])
		}
		n := len(val.b)
		return n > 0 && val.b[n-1] == 0 && (n == 1 || val.b[n-2] != 0)
	case Flag:
		return len(val.b) == 0
	case None:
		return len(val.b) == 0
	case AnyUint:
		return len(val.b) == 4 || val.n > 1<<32-1
	case AnyInt:
		return len(val.b) == 4 || int64(val.n) != int64(int32(val.n))
	case IP4, IP6, IP:
		f, ok := val.at.family() // an address by family that is of another one
		return !ok || f != familyInet && f != familyInet6 || (f == familyInet) == (len(val.b) == 4)
	case LLAddr:
		return len(val.b) > 0
	case MPLS:
		return true
	case Struct:
		var x View
		val.ViewTo(&x)
		return x.Exact()
	case Array:
		n := 0
		for e := range val.Items() {
			n = e.off + len(e.b)
			if e.Op() == Struct && e.Type.Class.Length != nil {
				n = min(Align(n), len(val.b))
			}
		}
		return n == len(val.b)
	case List, Map:
		x := &View{b: val.b, msg: val.at.msg, gen: val.at.msg.edit}
		i := 0
		var seen map[uint16]bool
		for it := range x.All() {
			if val.Op() == Map {
				if seen[it.Num()] {
					return false
				}
				if seen == nil {
					seen = map[uint16]bool{}
				}
				seen[it.Num()] = true
			}
			if i++; val.Op() == List && it.Num() != uint16(i) || (it.Bits()^val.Type.ElemBits)&^Nested != 0 {
				return false
			}
		}
		return x.wellFormed(0)
	}
	return true
}

// Exact reports whether the view has all its fields and nothing but attributes
// after them.
func (v *View) Exact() bool {
	if v.c == nil {
		return false
	}
	v.refresh()
	if t := v.c.Tail; t != nil && (len(v.b) < v.c.Size || v.end(t) > len(v.b)) {
		return false
	} else if t != nil && t.SizeBy == nil {
		return true
	}
	if v.c.Tail == nil && (!v.c.HasAttrs || len(v.b) <= v.attrsAt()) {
		return len(v.b) == v.c.Size
	}
	return len(v.b) >= v.c.Size && (v.c.Tail != nil || isZero(v.b[v.c.Size:min(v.attrsAt(), len(v.b))])) && v.wellFormed(v.attrsAt())
}

// wellFormed reports whether there is nothing but attributes from off on, each
// filled up with zeros.
func (v *View) wellFormed(off int) bool {
	for off < len(v.b) {
		_, end, _, next, ok := nextAttr(v.b, off)
		if !ok || !isZero(v.b[end:min(next, len(v.b))]) {
			return false
		}
		off = next
	}
	return off == len(v.b) || off-len(v.b) < attrsHead && len(v.b)%attrsHead != 0
}

// AppendJSON appends the message as JSON that LoadJSON reads: the class's name,
// the header, fields by name, and attrs, a list of [name, value].
func (v *View) AppendJSON(b []byte) []byte {
	j := jsonWriter{}
	b = append(b, `{"class":`...)
	b = appendString(b, v.className())
	b = v.appendHeaderJSON(b)
	if !v.Exact() {
		b = append(b, `,"hex":"`...)
		b = hex.AppendEncode(b, v.b)
		return append(b, `"}`...)
	}
	return append(j.members(b, v, true), '}')
}

func (v *View) appendHeaderJSON(b []byte) []byte {
	if v.frame != whole {
		return b
	}
	h := v.msg.Header()
	return fmt.Appendf(b, `,"header":{"length":%d,"type":%d,"flags":%d,"seq":%d,"pid":%d}`, h.Len, h.Type, h.Flags, h.Seq, h.PID)
}

// AppendPlainJSON appends the members by name, as other programs like them.
func (v *View) AppendPlainJSON(b []byte) []byte {
	j := jsonWriter{plain: true}
	return append(j.members(append(b, '{'), v, false), '}')
}

type jsonWriter struct {
	plain bool
	depth int
}

// members appends "name":value pairs; comma: one stands before them.
func (j *jsonWriter) members(b []byte, v *View, comma bool) []byte {
	v.refresh()
	key := func(name string) {
		if comma {
			b = append(b, ',')
		}
		comma = true
		b = append(appendString(b, name), ':')
	}
	var val Value
	if v.c != nil {
		for _, f := range v.c.Fields {
			if v.GetTo(&val, Member{Field: f}) && !(j.plain && f.Pad && isZero(val.b)) {
				key(f.Name)
				b = j.value(b, &val)
			}
		}
	}
	if j.plain {
		var room [64]uint16
		seen := room[:0]
		for it := v.First(); it.OK(); it.Next() {
			if slices.Contains(seen, it.Num()) {
				continue
			}
			seen = append(seen, it.Num())
			switch {
			case it.Attr == nil:
				key(strconv.Itoa(int(it.Num())))
				b = j.value(b, &it.Value)
			case it.Attr.Type.Op == Multi:
				key(it.Attr.Key)
				v.GetTo(&val, Member{Attr: it.Attr})
				b = j.value(b, &val)
			default:
				key(it.Attr.Key)
				b = j.value(b, &it.Value)
			}
		}
		return b
	}
	if v.c == nil || !v.c.HasAttrs {
		return b
	}
	key("attrs")
	b = append(b, '[')
	sep := ""
	for it := range v.All() {
		b = append(append(b, sep...), '[')
		said := uint16(0)
		if it.Attr != nil {
			b = appendString(b, it.Attr.Name)
			said = it.Attr.Bits
		} else {
			b = strconv.AppendUint(b, uint64(it.Num()), 10)
		}
		b = append(b, ',')
		b = j.value(b, &it.Value)
		if bits := it.Bits(); bits != said {
			b = strconv.AppendUint(append(b, ','), uint64(bits), 10)
		}
		b = append(b, ']')
		sep = ","
	}
	return append(b, ']')
}

func (j *jsonWriter) octets(b, octets []byte) []byte {
	if j.plain {
		b = append(b, '"')
		b = hex.AppendEncode(b, octets)
		return append(b, '"')
	}
	b = append(b, `{"hex":"`...)
	b = hex.AppendEncode(b, octets)
	return append(b, `"}`...)
}

func (j *jsonWriter) value(b []byte, val *Value) []byte {
	if j.depth > maxDepth-10 || !j.plain && !val.Exact() {
		return j.octets(b, val.b)
	}
	j.depth++
	defer func() { j.depth-- }()
	switch val.Op() {
	case Uint, AnyUint, Int, AnyInt:
		if s, ok := val.Word(); ok {
			return appendString(b, s)
		}
		return val.AppendText(b)
	case IP4, IP6, IP, MAC, LLAddr, Hex: // in which nothing is to be quoted
		b = append(b, '"')
		b = val.AppendText(b)
		return append(b, '"')
	case Bytes:
		return j.octets(b, val.b)
	case String, CString:
		s := val.Text()
		if !utf8.ValidString(s) {
			return j.octets(b, val.b)
		}
		return appendString(b, s)
	case Flag:
		return append(b, "true"...)
	case None:
		return append(b, "null"...)
	case Struct:
		var x View
		val.ViewTo(&x)
		return append(j.members(append(b, '{'), &x, false), '}')
	case Array, List, Multi:
		b = append(b, '[')
		sep := ""
		for e := range val.Items() {
			b = j.value(append(b, sep...), &e)
			sep = ","
		}
		return append(b, ']')
	case Map:
		b = append(b, '{')
		sep := ""
		for e := range val.Items() {
			b = append(append(b, sep...), '"')
			b = strconv.AppendUint(b, uint64(e.Num()), 10)
			b = j.value(append(b, `":`...), &e)
			sep = ","
		}
		return append(b, '}')
	case MPLS:
		b = append(b, '[')
		sep := ""
		for _, l := range val.Labels() {
			bos := 0
			if l.BOS {
				bos = 1
			}
			b = fmt.Appendf(b, `%s{"label":%d,"tc":%d,"bos":%d,"ttl":%d}`, sep, l.Label, l.TC, bos, l.TTL)
			sep = ","
		}
		return append(b, ']')
	case Bitfield:
		v, s := val.Bitfield()
		return fmt.Appendf(b, `{"value":%d,"selector":%d}`, v, s)
	}
	return appendString(b, val.Text())
}

// appendString quotes valid UTF-8 as JSON does.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	plain := true // as names and addresses are
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			plain = false
			break
		}
	}
	if plain {
		return append(append(b, s...), '"')
	}
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// A Dump is a message as JSON has it.
type Dump struct{ members map[string]any }

// ReadDump reads what AppendJSON wrote.
func ReadDump(text []byte) (*Dump, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // 64 bits
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, faultf(wire.ErrArgument, "no dump of a message: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, faultf(wire.ErrArgument, "no dump of a message: something follows it")
	}
	return &Dump{m}, nil
}

// Class is the name of the message's class.
func (d *Dump) Class() string {
	s, _ := d.members["class"].(string)
	return s
}

// Message makes the message again.
func (d *Dump) Message(c *Class) (*Message, error) {
	var h Header
	if t, ok := d.members["header"].(map[string]any); ok {
		n := func(name string, size int) uint32 {
			in := jsonTable{m: t}.Named(name)
			if in.Kind == NoInput {
				return 0
			}
			v, err := (&Type{Op: Uint, Size: size}).number(in)
			if err != nil {
				return 0
			}
			return uint32(v)
		}
		h = Header{Type: uint16(n("type", 2)), Flags: uint16(n("flags", 2)), Seq: n("seq", 4), PID: n("pid", 4)}
	}
	return c.Load(Input{Kind: TableInput, T: jsonTable{m: d.members}}, h)
}

// jsonTable is an object or an array of JSON.
type jsonTable struct {
	m map[string]any
	l []any
}

func jsonInput(v any) Input {
	switch v := v.(type) {
	case nil:
		return Input{}
	case bool:
		if v {
			return Input{Kind: BoolInput, U: 1}
		}
		return Input{Kind: BoolInput}
	case string:
		return Text(v)
	case json.Number:
		if n, err := strconv.ParseUint(string(v), 10, 64); err == nil {
			return Number(n)
		}
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return Input{Kind: IntInput, U: uint64(n)}
		}
		f, _ := v.Float64()
		return Input{Kind: FloatInput, F: f}
	case map[string]any:
		return Input{Kind: TableInput, T: jsonTable{m: v}}
	case []any:
		return Input{Kind: TableInput, T: jsonTable{l: v}}
	}
	return Input{Type: fmt.Sprintf("%T", v)}
}

func (t jsonTable) Len() int { return len(t.l) }

func (t jsonTable) Item(i int) Input {
	if i >= len(t.l) {
		return Input{}
	}
	return jsonInput(t.l[i])
}

func (t jsonTable) Named(name string) Input { return jsonInput(t.m[name]) }

func (t jsonTable) Members(f func(name string, num float64, v Input) error) error {
	names := make([]string, 0, len(t.m))
	for name := range t.m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := f(name, 0, jsonInput(t.m[name])); err != nil {
			return err
		}
	}
	return nil
}
