package wire

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sort"
	"strconv"
	"strings"
)

// Type is how a value stands on the wire.
type Type struct {
	Kind  Kind
	Bits  int // of an integer
	Size  int // octets, if always the same; else -1
	LE    bool
	Enum  bool     // reads as the name
	Flags []string // names of bits, bit 0 first
	Elem  *Type    // of a list
	TLV   *TLV     // of options
	Show  string   // "hex" or ""

	words   *words
	letters bool // all flags have one-letter names
	all     bool // a list of as many elements as there are
	filled  bool // text of a fixed size, which zeros fill up
	reg     *Registry
	recName string // of the nested layout, which may not be loaded yet
	rec     *Layout
}

// AllWords lists the names that values of the type have, and its flags.
func (t *Type) AllWords() []string {
	var all []string
	if t.words != nil {
		all = t.words.all()
	}
	for _, f := range t.Flags {
		if f != "" {
			all = append(all, f)
		}
	}
	sort.Strings(all)
	return all
}

// Words reports the name of n, "" if it has none.
func (t *Type) Word(n uint64) string {
	if t.words == nil {
		return ""
	}
	return t.words.name(n)
}

// Layout is the nested layout of a record.
func (t *Type) Layout() (*Layout, error) {
	if t.rec == nil {
		l, err := t.reg.Layout(t.recName)
		if err != nil {
			return nil, err
		}
		t.rec = l
	}
	return t.rec, nil
}

var hostLE = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// parseType compiles the name of a type; records and options come from their own specs.
func (r *Registry) parseType(s string) (*Type, error) {
	switch s {
	case "mac":
		return &Type{Kind: MAC, Size: 6, reg: r}, nil
	case "ip4":
		return &Type{Kind: IP4, Size: 4, reg: r}, nil
	case "ip6":
		return &Type{Kind: IP6, Size: 16, reg: r}, nil
	case "bytes":
		return &Type{Kind: Bytes, Size: -1, reg: r}, nil
	case "text":
		return &Type{Kind: Text, Size: -1, reg: r}, nil
	case "cstring":
		return &Type{Kind: CString, Size: -1, reg: r}, nil
	case "name":
		return &Type{Kind: Name, Size: -1, reg: r}, nil
	case "":
		return nil, faultf(ErrArgument, "no type")
	}
	if s[0] == 'u' || s[0] == 's' {
		num := strings.TrimSuffix(strings.TrimSuffix(s[1:], "le"), "host")
		if n, err := strconv.Atoi(num); err == nil {
			if n < 1 || n > 64 {
				return nil, faultf(ErrArgument, "type %q: integers have 1 to 64 bits", s)
			}
			t := &Type{Kind: Uint, Bits: n, Size: -1, reg: r}
			if s[0] == 's' {
				t.Kind = Int
			}
			if n&7 == 0 {
				t.Size = n / 8
			}
			t.LE = strings.HasSuffix(s, "le") || strings.HasSuffix(s, "host") && hostLE
			if strings.HasSuffix(s, "le") || strings.HasSuffix(s, "host") {
				if n&7 != 0 {
					return nil, faultf(ErrArgument, "type %q: only whole octets have a byte order", s)
				}
			}
			return t, nil
		}
	}
	if s[0] >= 'A' && s[0] <= 'Z' {
		return &Type{Kind: RecordOf, Size: -1, reg: r, recName: s}, nil
	}
	known := []string{"u8", "u16", "u32", "u64", "mac", "ip4", "ip6", "bytes", "text", "cstring", "name", "list", "tlv", "record"}
	return nil, faultf(ErrArgument, "unknown type %q%s", s, didYouMean(s, known))
}

// bits is the width of a value of fixed width, else -1.
func (t *Type) bits() int {
	if t.Bits > 0 {
		return t.Bits
	}
	if t.Size >= 0 {
		return t.Size * 8
	}
	return -1
}

func (t *Type) integer() bool { return t.Kind == Uint || t.Kind == Int }

// get reads an integer at a bit position.
func (t *Type) get(b []byte, pos int) uint64 {
	v := getBits(b, pos, t.Bits)
	if t.LE {
		v = swap(v, t.Bits)
	}
	if t.Kind == Int {
		return uint64(int64(v<<(64-t.Bits)) >> (64 - t.Bits))
	}
	return v
}

func (t *Type) put(b []byte, pos int, v uint64) {
	if t.LE {
		v = swap(v, t.Bits)
	}
	putBits(b, pos, t.Bits, v)
}

// span is how many octets a value of t takes at pos, where lim is the end of the
// octets it may take. ok is false when it does not fit; n is then all there is.
func (t *Type) span(msg []byte, pos, lim int) (n int, ok bool) {
	room := lim - pos
	if t.Size >= 0 {
		return min(t.Size, room), t.Size <= room
	}
	switch t.Kind {
	case CString:
		for i := pos; i < lim; i++ {
			if msg[i] == 0 {
				return i + 1 - pos, true
			}
		}
		return room, false
	case Name:
		n, ok := nameSpan(msg[:lim], pos)
		if !ok {
			return room, false
		}
		return n, true
	case RecordOf:
		r, err := t.record(msg[:lim], pos, room)
		if err != nil || r.lay == nil {
			return room, false
		}
		return r.hlen, !r.cut
	}
	return room, true // octets, text, options, lists: whatever there is
}

// read reads a value at an octet position; n is 0 when it does not fit.
func (t *Type) read(msg []byte, pos, lim int, _ *Registry) (v Value, n int) {
	n, ok := t.span(msg, pos, lim)
	if !ok {
		return Value{}, 0
	}
	return t.view(msg, pos, n), n
}

// view is the value in the n octets at pos.
func (t *Type) view(msg []byte, pos, n int) Value {
	if t.integer() {
		return Value{t: t, n: t.get(msg, pos*8)}
	}
	return Value{t: t, b: msg[pos : pos+n : pos+n], msg: msg, off: pos}
}

// record finds the fields of a nested layout in the n octets at off.
func (t *Type) record(msg []byte, off, n int) (rec, error) {
	lay, err := t.Layout()
	if err != nil {
		return rec{}, err
	}
	r := rec{lay: lay, msg: msg, off: off}
	lay.walk(&r, n, nil)
	return r, nil
}

// appendTo encodes v.
func (t *Type) appendTo(dst []byte, v any) ([]byte, error) {
	if w, ok := v.(Value); ok {
		if w.t == t && !t.integer() && t.Kind != Name {
			return append(dst, w.b...), nil
		}
		if !w.t.integer() && t.Kind != Bytes {
			v = w.Go()
		} else if !w.t.integer() {
			v = w.b
		}
	}
	switch t.Kind {
	case Uint, Int:
		n, err := t.number(v, nil)
		if err != nil {
			return dst, err
		}
		at := len(dst)
		var zero [8]byte
		dst = append(dst, zero[:t.Size]...)
		t.put(dst, at*8, n)
		return dst, nil
	case MAC:
		return appendMACFrom(dst, v)
	case IP4, IP6:
		return t.appendAddr(dst, v)
	case Bytes, Text, CString:
		at := len(dst)
		switch v := v.(type) {
		case nil:
		case string:
			dst = append(dst, v...)
		case []byte:
			dst = append(dst, v...)
		case interface {
			AppendBinary([]byte) ([]byte, error)
		}:
			var err error
			if dst, err = v.AppendBinary(dst); err != nil {
				return dst, err
			}
		default:
			return dst, faultf(ErrArgument, "want a string, got %s", describe(v))
		}
		if t.Kind == CString {
			for _, c := range dst[at:] {
				if c == 0 {
					return dst[:at], faultf(ErrArgument, "text has a zero octet, which ends it on the wire")
				}
			}
			dst = append(dst, 0)
		}
		return dst, nil
	case Name:
		s, ok := v.(string)
		if !ok {
			return dst, faultf(ErrArgument, "want a DNS name, got %s", describe(v))
		}
		return encodeName(dst, s)
	case List:
		items, ok := v.([]any)
		if !ok {
			if v == nil {
				return dst, nil
			}
			items = []any{v} // a list of one may be written without braces
		}
		var err error
		for i, e := range items {
			if dst, err = t.Elem.appendTo(dst, e); err != nil {
				return dst, faultOf(err, "element %d: ", i+1)
			}
		}
		return dst, nil
	case OptionsOf:
		return t.TLV.appendTo(dst, v)
	case RecordOf:
		return t.appendRecord(dst, v)
	}
	return dst, faultf(ErrArgument, "cannot be set")
}

// faultOf puts words before the message of err and keeps its kind.
func faultOf(err error, format string, args ...any) error {
	kind := ErrArgument
	for _, k := range []error{ErrRange, ErrMissing, ErrTruncated} {
		if isKind(err, k) {
			kind = k
		}
	}
	return &fault{msg: faultf(nil, format, args...).Error() + err.Error(), kind: kind}
}

func (t *Type) appendRecord(dst []byte, v any) ([]byte, error) {
	lay, err := t.Layout()
	if err != nil {
		return dst, err
	}
	if err := lay.template(); err != nil { // an empty header would stand there in silence
		return dst, err
	}
	var p Packet
	lay.Init(&p, nil)
	l := p.At(0)
	switch v := v.(type) {
	case nil:
	case map[string]any:
		err = l.SetAll(v)
	case []any:
		err = l.setItems(v)
	case Table:
		if err = l.setItems(v.Items); err == nil {
			err = l.SetAll(v.Fields)
		}
	case Record:
		if v.lay != lay {
			return dst, faultf(ErrArgument, "want %s, got %s", lay.Name, v.lay.Name)
		}
		return append(dst, v.msg[v.off:v.off+v.hlen]...), nil
	case *Packet:
		if v.NumLayers() != 1 || v.At(0).Layout() != lay {
			return dst, faultf(ErrArgument, "want one of %s alone, got %s", lay.Name, describe(v))
		}
		return v.AppendBinary(dst)
	default:
		if lay.single() == nil {
			return dst, faultf(ErrArgument, "want a table of %s's fields, got %s", lay.Name, describe(v))
		}
		err = l.setItems([]any{v})
	}
	if err != nil {
		return dst, err
	}
	return p.AppendBinary(dst)
}

// single is the only field of a layout that has just one.
func (l *Layout) single() *Field {
	if len(l.fields) == 1 {
		return l.fields[0]
	}
	return nil
}

// setItems sets fields by place. A list for a single field of list type is that field's value.
func (l Layer) setItems(items []any) error {
	lay := l.Layout()
	if f := lay.single(); f != nil && f.Type.Kind == List && !(len(items) == 1 && isItems(items[0])) {
		return l.SetField(f, items)
	}
	if len(items) > len(lay.fields) {
		return faultf(ErrArgument, "%d values for %d fields of %s", len(items), len(lay.fields), lay.Name)
	}
	for i, v := range items {
		if v == nil {
			continue
		}
		if err := l.SetField(lay.fields[i], v); err != nil {
			return err
		}
	}
	return nil
}

func isItems(v any) bool {
	_, ok := v.([]any)
	return ok
}

func appendMACFrom(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		if m, ok := parseMAC(v); ok {
			return append(dst, m[:]...), nil
		}
	case net.HardwareAddr:
		if len(v) == 6 {
			return append(dst, v...), nil
		}
	case []byte:
		if len(v) == 6 {
			return append(dst, v...), nil
		}
	case [6]byte:
		return append(dst, v[:]...), nil
	case nil:
		return append(dst, 0, 0, 0, 0, 0, 0), nil
	}
	return dst, faultf(ErrArgument, "%s is not a MAC address, such as \"02:00:00:00:00:01\"", describe(v))
}

// parseMAC reads 02:00:00:00:00:01, also with dashes and with single digits.
func parseMAC(s string) (m [6]byte, ok bool) {
	if len(s) < 11 || len(s) > 17 {
		return m, false
	}
	i := 0
	var sep byte
	for j := range 6 {
		if j > 0 {
			if i >= len(s) || s[i] != ':' && s[i] != '-' || sep != 0 && s[i] != sep {
				return m, false
			}
			sep = s[i]
			i++
		}
		d := 0
		for d < 2 && i < len(s) {
			h := unhex[s[i]]
			if h < 0 {
				break
			}
			m[j] = m[j]<<4 | byte(h)
			i++
			d++
		}
		if d == 0 {
			return m, false
		}
	}
	return m, i == len(s)
}

var unhex = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range 10 {
		t['0'+i] = int8(i)
	}
	for i := range 6 {
		t['a'+i] = int8(10 + i)
		t['A'+i] = int8(10 + i)
	}
	return
}()

// parseIP4 reads four decimal numbers; netip does the same in twice the time.
func parseIP4(s string) (a [4]byte, ok bool) {
	n, digits, part := 0, 0, 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= '0' && c <= '9' {
			if digits > 0 && n == 0 {
				return a, false
			}
			n = n*10 + int(c-'0')
			if digits++; n > 255 {
				return a, false
			}
			continue
		}
		if c != '.' || digits == 0 || part == 3 {
			return a, false
		}
		a[part] = byte(n)
		part++
		n, digits = 0, 0
	}
	if part != 3 || digits == 0 {
		return a, false
	}
	a[3] = byte(n)
	return a, true
}

func (t *Type) appendAddr(dst []byte, v any) ([]byte, error) {
	var a netip.Addr
	switch w := v.(type) {
	case nil:
		return append(dst, make([]byte, t.Size)...), nil
	case string:
		if t.Kind == IP4 {
			if q, ok := parseIP4(w); ok {
				return append(dst, q[:]...), nil
			}
		} else if p, err := netip.ParseAddr(w); err == nil && p.Is6() && p.Zone() == "" {
			q := p.As16()
			return append(dst, q[:]...), nil
		}
	case netip.Addr:
		a = w
	case net.IP:
		a, _ = netip.AddrFromSlice(w)
		if t.Kind == IP4 {
			a = a.Unmap()
		}
	case []byte:
		if len(w) == t.Size {
			return append(dst, w...), nil
		}
	case [4]byte:
		a = netip.AddrFrom4(w)
	case [16]byte:
		a = netip.AddrFrom16(w)
	}
	if t.Kind == IP4 && a.Is4() || t.Kind == IP6 && a.Is6() {
		return append(dst, a.AsSlice()...), nil
	}
	if t.Kind == IP4 {
		return dst, faultf(ErrArgument, "%s is not an IPv4 address, such as \"192.0.2.1\"", describe(v))
	}
	return dst, faultf(ErrArgument, "%s is not an IPv6 address, such as \"2001:db8::1\"", describe(v))
}
