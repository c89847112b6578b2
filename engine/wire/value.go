package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
	"strconv"
	"strings"
)

// Kind is the sort of a value.
type Kind uint8

// The kinds.
const (
	Uint      Kind = iota + 1 // unsigned integer
	Int                       // signed integer, two's complement
	MAC                       // 6 octets
	IP4                       // 4 octets
	IP6                       // 16 octets
	Bytes                     // octets
	Text                      // octets that are text
	CString                   // text up to a zero octet
	Name                      // DNS name
	RecordOf                  // fields of another layout
	OptionsOf                 // type-length-value options
	List                      // elements of one type
)

var kindNames = [...]string{"", "unsigned integer", "signed integer", "MAC address", "IPv4 address", "IPv6 address",
	"octets", "text", "zero-ended text", "DNS name", "record", "options", "list"}

func (k Kind) String() string { return kindNames[k] }

// A Value is what a field holds: a number, or a view of the packet's octets. It
// is valid until the packet is changed.
type Value struct {
	t *Type
	n uint64 // integers
	b []byte // the octets of anything else
	// names may point back into the message; records know where their fields are
	msg []byte
	off int
	alt *words // names by another field's value
}

// Type is the type the value was read with.
func (v Value) Type() *Type { return v.t }

// Kind is the sort of the value; 0 is that of the zero Value.
func (v Value) Kind() Kind {
	if v.t == nil {
		return 0
	}
	return v.t.Kind
}

// Uint is the value of an integer; of a signed one, its two's complement in 64 bits.
func (v Value) Uint() uint64 { return v.n }

// Int is the value of a signed integer.
func (v Value) Int() int64 { return int64(v.n) }

// Octets are those of any value but an integer, as on the wire: a view.
func (v Value) Octets() []byte { return v.b }

// Addr is an IPv4 or IPv6 address.
func (v Value) Addr() netip.Addr {
	a, _ := netip.AddrFromSlice(v.b)
	return a
}

// Name is the word for an integer's value, "" if it has none.
func (v Value) Name() string {
	if v.alt != nil {
		return v.alt.name(v.n)
	}
	if v.t != nil && v.t.words != nil {
		return v.t.words.name(v.n)
	}
	return ""
}

// Flags is a flag set as text: "SA" for one-letter names, "DF+MF" for longer
// ones, bits without a name as a number; "" when none is set.
func (v Value) Flags() string { return v.t.flagText(v.n) }

// Items yields the elements of a list.
func (v Value) Items() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.t == nil || v.t.Kind != List {
			return
		}
		pos := v.off
		end := v.off + len(v.b)
		for pos < end {
			e, n := v.t.Elem.read(v.msg[:end], pos, end, v.t.reg)
			if n <= 0 || pos+n > end {
				return
			}
			if v.t.Elem.Kind == Name && v.t.all && n == 1 {
				return // the zeros that fill up a list of names (RFC 8106 §5.2)
			}
			if !yield(e) {
				return
			}
			pos += n
		}
	}
}

// Len is the number of elements of a list, of options, or of octets.
func (v Value) Len() int {
	n := 0
	switch v.Kind() {
	case List:
		if s := v.t.Elem.Size; s > 0 {
			return len(v.b) / s
		}
		for range v.Items() {
			n++
		}
	case OptionsOf:
		for range v.Options() {
			n++
		}
	default:
		n = len(v.b)
	}
	return n
}

// Record is a nested layout's fields.
func (v Value) Record() Record {
	if v.t == nil || v.t.Kind != RecordOf {
		return Record{}
	}
	r, _ := v.t.record(v.msg[:v.off+len(v.b)], v.off, len(v.b))
	return Record{r}
}

// Text is the value as the layout language reads it: names of enumerations,
// flags as letters, addresses and DNS names in their notation, text as it
// stands, numbers in decimal. Lists, options and records are written in braces.
func (v Value) Text() string { return string(v.AppendText(nil)) }

// AppendText appends [Value.Text].
func (v Value) AppendText(b []byte) []byte {
	switch v.Kind() {
	case 0:
		return b
	case Uint, Int:
		if v.t.Flags != nil {
			return append(b, v.Flags()...)
		}
		if v.t.Enum {
			if s := v.Name(); s != "" {
				return append(b, s...)
			}
		}
		if v.t.Kind == Int {
			return strconv.AppendInt(b, int64(v.n), 10)
		}
		return strconv.AppendUint(b, v.n, 10)
	case MAC:
		return appendMAC(b, v.b)
	case IP4:
		return netip.AddrFrom4([4]byte(v.b)).AppendTo(b)
	case IP6:
		return netip.AddrFrom16([16]byte(v.b)).AppendTo(b)
	case CString:
		if n := len(v.b); n > 0 && v.b[n-1] == 0 {
			return append(b, v.b[:n-1]...)
		}
		return append(b, v.b...)
	case Text:
		if v.t.filled {
			return append(b, bytes.TrimRight(v.b, "\x00")...)
		}
		return append(b, v.b...)
	case Name:
		return appendName(b, v.msg, v.off)
	case List:
		b = append(b, '{')
		sep := ""
		for e := range v.Items() {
			b = append(b, sep...)
			b = e.AppendText(b)
			sep = ", "
		}
		return append(b, '}')
	case OptionsOf:
		b = append(b, '{')
		sep := ""
		for o := range v.Options() {
			b = append(b, sep...)
			b = append(b, o.Label()...)
			if o.Value.t != nil {
				b = append(b, ' ')
				b = o.Value.AppendText(b)
			}
			sep = ", "
		}
		return append(b, '}')
	case RecordOf:
		b = append(b, '{')
		sep := ""
		r := v.Record()
		for f := range r.Fields() {
			b = append(b, sep...)
			b = append(b, f.Name...)
			b = append(b, '=')
			b = r.Get(f).AppendText(b)
			sep = ", "
		}
		return append(b, '}')
	}
	return append(b, v.b...)
}

// Go is the value in Go's own types: uint64, int64, string (names, flags, addresses,
// text), []byte, []any, map[string]any; options are []any of [Option].
func (v Value) Go() any {
	switch v.Kind() {
	case 0:
		return nil
	case Uint, Int:
		if v.t.Flags != nil {
			return v.Flags()
		}
		if v.t.Enum {
			if s := v.Name(); s != "" {
				return s
			}
		}
		if v.t.Kind == Int {
			return int64(v.n)
		}
		return v.n
	case Bytes:
		return append([]byte{}, v.b...)
	case List:
		out := []any{}
		for e := range v.Items() {
			out = append(out, e.Go())
		}
		return out
	case OptionsOf:
		out := []any{}
		for o := range v.Options() {
			out = append(out, o)
		}
		return out
	case RecordOf:
		out := map[string]any{}
		r := v.Record()
		for f := range r.Fields() {
			out[f.Name] = r.Get(f).Go()
		}
		return out
	}
	return v.Text()
}

const hexDigits = "0123456789abcdef"

func appendMAC(b, m []byte) []byte {
	for i, c := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

// A Table is input for a record or an option: items by place and fields by name.
type Table struct {
	Items  []any
	Fields map[string]any
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		if len(v) > 40 {
			v = v[:40] + "…"
		}
		return strconv.Quote(v)
	case []byte:
		return fmt.Sprintf("%d octets", len(v))
	case []any, map[string]any, Table:
		return "a table"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case *Packet:
		return "the packet " + v.names()
	case Record:
		return "a record of " + v.lay.Name
	}
	return fmt.Sprint(v)
}

// names is a packet's layers by name: Ether / IP.
func (p *Packet) names() string {
	var b strings.Builder
	for l := range p.Layers() {
		if b.Len() > 0 {
			b.WriteString(" / ")
		}
		b.WriteString(l.Layout().Name)
	}
	return b.String()
}

// number turns v into an integer of type t.
func (t *Type) number(v any, alt *words) (uint64, error) {
	switch v := v.(type) {
	case uint64:
		return t.fitUint(v)
	case int64:
		return t.fitInt(v)
	case int:
		return t.fitInt(int64(v))
	case uint8:
		return t.fitUint(uint64(v))
	case uint16:
		return t.fitUint(uint64(v))
	case uint32:
		return t.fitUint(uint64(v))
	case int32:
		return t.fitInt(int64(v))
	case float64:
		return t.fitFloat(v)
	case bool:
		if v {
			return t.fitUint(1)
		}
		return 0, nil
	case string:
		return t.fitText(v, alt)
	case Value:
		if k := v.Kind(); k == Uint {
			return t.fitUint(v.n)
		} else if k == Int {
			return t.fitInt(int64(v.n))
		}
	case []any:
		if t.Flags != nil {
			var n uint64
			for _, e := range v {
				b, err := t.number(e, alt)
				if err != nil {
					return 0, err
				}
				n |= b
			}
			return n, nil
		}
	}
	return 0, faultf(ErrArgument, "want a number%s, got %s", t.orName(), describe(v))
}

func (t *Type) orName() string {
	if t.Flags != nil {
		return " or flags"
	}
	if t.words != nil {
		return " or a name"
	}
	return ""
}

func (t *Type) fitUint(n uint64) (uint64, error) {
	if t.Kind == Int {
		if n > 1<<63-1 || t.Bits < 64 && n > 1<<(t.Bits-1)-1 {
			return 0, t.noFit(strconv.FormatUint(n, 10))
		}
		return n, nil
	}
	if t.Bits < 64 && n>>t.Bits != 0 {
		return 0, t.noFit(strconv.FormatUint(n, 10))
	}
	return n, nil
}

func (t *Type) fitInt(n int64) (uint64, error) {
	if t.Kind == Uint {
		if n < 0 {
			return 0, t.noFit(strconv.FormatInt(n, 10))
		}
		return t.fitUint(uint64(n))
	}
	if t.Bits < 64 && (n < -1<<(t.Bits-1) || n > 1<<(t.Bits-1)-1) {
		return 0, t.noFit(strconv.FormatInt(n, 10))
	}
	return uint64(n), nil
}

func (t *Type) fitFloat(v float64) (uint64, error) {
	if n := int64(v); float64(n) == v && v > -1<<63 && v < 1<<63 {
		return t.fitInt(n)
	}
	if v >= 1<<63 && v < 1<<64 {
		return t.fitUint(uint64(v))
	}
	s := strconv.FormatFloat(v, 'g', 17, 64)
	if v >= 1<<64 || v <= -1<<63 {
		return 0, t.noFit(s)
	}
	return 0, faultf(ErrArgument, "%s is not an integer", s)
}

// limits is the range of an integer type as text.
func (t *Type) limits() string {
	if t.Kind == Int {
		return fmt.Sprintf("%d..%d", int64(-1)<<(t.Bits-1), int64(^(uint64(1)<<63))>>(64-t.Bits))
	}
	return fmt.Sprintf("0..%d", ^uint64(0)>>(64-t.Bits))
}

func (t *Type) noFit(s string) error {
	bits := "bits"
	if t.Bits == 1 {
		bits = "bit"
	}
	return faultf(ErrRange, "%s does not fit %d %s (%s)", s, t.Bits, bits, t.limits())
}

// fitText reads a name, flags, or a number in decimal or hexadecimal.
func (t *Type) fitText(s string, alt *words) (uint64, error) {
	w := t.words
	if alt != nil {
		w = alt
	}
	if w != nil {
		if n, ok := w.number(s); ok {
			return t.fitUint(n)
		}
	}
	if t.Flags != nil {
		return t.parseFlags(s)
	}
	if n, err := strconv.ParseUint(s, 0, 64); err == nil && s != "" && s[0] != '_' {
		return t.fitUint(n)
	}
	if n, err := strconv.ParseInt(s, 0, 64); err == nil {
		return t.fitInt(n)
	}
	if w != nil {
		return 0, faultf(ErrArgument, "no name %q%s", s, choices(s, w.all()))
	}
	return 0, faultf(ErrArgument, "want a number, got %s", describe(s))
}

// words are names in both directions.
type words struct {
	byNum  map[uint64]string
	byName map[string]uint64
}

func newWords(w Words) *words {
	if len(w) == 0 {
		return nil
	}
	ws := &words{make(map[uint64]string, len(w)), make(map[string]uint64, len(w))}
	for n, names := range w {
		if len(names) > 0 {
			ws.byNum[n] = names[0]
		}
	}
	for n, names := range w {
		for i, s := range names {
			// Where two numbers share a name, the one that prints it wins, then the smaller.
			if old, ok := ws.byName[s]; ok && (ws.byNum[old] == s && i > 0 || ws.byNum[old] == s && old < n) {
				continue
			}
			ws.byName[s] = n
		}
	}
	return ws
}

func (w *words) name(n uint64) string { return w.byNum[n] }

func (w *words) number(s string) (uint64, bool) {
	if n, ok := w.byName[s]; ok {
		return n, true
	}
	for name, n := range w.byName {
		if strings.EqualFold(name, s) {
			return n, true
		}
	}
	return 0, false
}

func (w *words) all() []string {
	out := make([]string, 0, len(w.byName))
	for s := range w.byName {
		out = append(out, s)
	}
	return out
}

func (t *Type) shortFlags() bool {
	for _, f := range t.Flags {
		if len(f) > 1 {
			return false
		}
	}
	return true
}

func (t *Type) flagText(n uint64) string {
	if n == 0 {
		return ""
	}
	var b []byte
	short := t.letters
	for i, f := range t.Flags {
		if n>>i&1 == 0 || f == "" {
			continue
		}
		n &^= 1 << i
		if len(b) > 0 && !short {
			b = append(b, '+')
		}
		b = append(b, f...)
	}
	if n != 0 {
		if len(b) > 0 {
			b = append(b, '+')
		}
		b = append(b, "0x"...)
		b = strconv.AppendUint(b, n, 16)
	}
	return string(b)
}

// parseFlags reads "SA", "S+A", "MF+DF", "MF,DF", "MF DF" and numbers among them.
func (t *Type) parseFlags(s string) (uint64, error) {
	var n uint64
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == '+' || r == ',' || r == '|' || r == ' ' }) {
		m, err := t.flagWord(w)
		if err != nil {
			return 0, err
		}
		n |= m
	}
	return t.fitUint(n)
}

func (t *Type) flagWord(w string) (uint64, error) {
	for i, f := range t.Flags {
		if f != "" && f == w {
			return 1 << i, nil
		}
	}
	if w[0] >= '0' && w[0] <= '9' {
		if m, err := strconv.ParseUint(w, 0, 64); err == nil {
			return m, nil
		}
	}
	if t.letters {
		var n uint64
		for _, c := range w {
			m := uint64(0)
			for i, f := range t.Flags {
				if f == string(c) {
					m = 1 << i
				}
			}
			if m == 0 {
				return 0, faultf(ErrArgument, "no flag %q in %q (there are %s)", string(c), w, strings.Join(t.Flags, ""))
			}
			n |= m
		}
		return n, nil
	}
	for i, f := range t.Flags {
		if f != "" && strings.EqualFold(f, w) {
			return 1 << i, nil
		}
	}
	return 0, faultf(ErrArgument, "no flag %q%s", w, choices(w, append([]string{}, t.Flags...)))
}

// getBits reads n ≤ 64 bits from bit pos on, most significant first.
func getBits(b []byte, pos, n int) uint64 {
	i := pos >> 3
	end := pos + n
	if pos&7 == 0 && n&7 == 0 {
		switch n {
		case 8:
			return uint64(b[i])
		case 16:
			return uint64(binary.BigEndian.Uint16(b[i:]))
		case 32:
			return uint64(binary.BigEndian.Uint32(b[i:]))
		case 64:
			return binary.BigEndian.Uint64(b[i:])
		}
	}
	last := (end - 1) >> 3
	v := uint64(b[i]) & (0xff >> (pos & 7))
	drop := uint(last<<3 + 8 - end)
	if i == last {
		return v >> drop
	}
	for i++; i < last; i++ {
		v = v<<8 | uint64(b[i])
	}
	return v<<(8-drop) | uint64(b[last])>>drop
}

// putBits writes the low n bits of v from bit pos on.
func putBits(b []byte, pos, n int, v uint64) {
	i := pos >> 3
	if pos&7 == 0 && n&7 == 0 {
		switch n {
		case 8:
			b[i] = byte(v)
			return
		case 16:
			binary.BigEndian.PutUint16(b[i:], uint16(v))
			return
		case 32:
			binary.BigEndian.PutUint32(b[i:], uint32(v))
			return
		case 64:
			binary.BigEndian.PutUint64(b[i:], v)
			return
		}
	}
	end := pos + n
	last := (end - 1) >> 3
	drop := uint(last<<3 + 8 - end)
	for j := last; j >= i; j-- {
		mask := byte(0xff)
		if j == i {
			mask = 0xff >> (pos & 7)
		}
		c := byte(v)
		if j == last {
			mask &= 0xff << drop
			c = byte(v << drop)
			v >>= 8 - drop
		} else {
			v >>= 8
		}
		b[j] = b[j]&^mask | c&mask
	}
}

// swap reverses the octets of an integer of n whole octets.
func swap(v uint64, bits int) uint64 {
	var out uint64
	for i := 0; i < bits; i += 8 {
		out = out<<8 | v>>i&0xff
	}
	return out
}
