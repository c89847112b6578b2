package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"pktsh/engine/wire"
)

// InputKind is the sort of a value to be encoded.
type InputKind uint8

// The sorts.
const (
	NoInput    InputKind = iota
	FloatInput           // F
	UintInput            // U
	IntInput             // U in two's complement
	BoolInput            // U is 0 or 1
	TextInput            // S, which may be any octets
	TableInput           // T
	ViewInput            // V
)

// Input is a value to be encoded as its giver has it.
type Input struct {
	Kind InputKind
	F    float64
	U    uint64
	S    string
	T    Table
	V    *View
	Type string // what the giver calls the type of a value that is none of these
}

// Text is s as an input.
func Text(s string) Input { return Input{Kind: TextInput, S: s} }

// Number is n as an input.
func Number(n uint64) Input { return Input{Kind: UintInput, U: n} }

// Table is a table of values to be encoded: items by place and members by name.
type Table interface {
	Len() int         // how many items
	Item(i int) Input // from 0
	Named(name string) Input
	// Members calls f for all that are no items, with their name or number.
	Members(f func(name string, num float64, v Input) error) error
}

// describe says what an input is, in an error.
func (in Input) describe() string {
	switch in.Kind {
	case FloatInput:
		return strconv.FormatFloat(in.F, 'g', 17, 64)
	case UintInput:
		return strconv.FormatUint(in.U, 10)
	case IntInput:
		return strconv.FormatInt(int64(in.U), 10)
	case BoolInput:
		return strconv.FormatBool(in.U != 0)
	case TextInput:
		s := in.S
		if len(s) > 40 {
			s = s[:40] + "…"
		}
		return strconv.Quote(s)
	case TableInput:
		return "a table"
	case ViewInput:
		return in.V.className()
	}
	if in.Type != "" {
		return "a " + in.Type
	}
	return "nil"
}

// maxDepth is how deep tables and attributes may nest. The kernel's own do not
// reach ten.
const maxDepth = 100

// encoder is one encoding: it knows where it is, for errors.
type encoder struct {
	depth  int
	asRead bool // attributes are of the type they read as, also where they are written as another
}

// level is what is being encoded around a value: its members, for types that
// depend on them.
type level struct {
	c     *Class
	v     *View // a message that is being changed
	given []given
	up    *level
}

type given struct {
	m     Member
	num   uint16 // of an attribute that the class does not know
	bits  int    // -1: those of the class
	order int
	in    Input
	// single says that the value is one attribute, even if it is a list.
	single bool
}

// member finds a member's input.
func (l *level) member(m Member) (Input, bool) {
	for i := range l.given {
		if l.given[i].m == m {
			return l.given[i].in, true
		}
	}
	return Input{}, false
}

// memberError says which member could not be encoded.
type memberError struct {
	path string
	err  error
}

func (e *memberError) Error() string { return e.path + ": " + e.err.Error() }

func inMember(name string, err error) error {
	if m, ok := err.(*memberError); ok {
		m.path = name + "." + m.path
		return m
	}
	if w, ok := err.(*wire.Error); ok { // an unknown name further in
		return &memberError{name + "." + w.Field, w.Err}
	}
	return &memberError{name, err}
}

// fault is an error with the class and the member in it.
func (e *encoder) fault(c *Class, err error) error {
	var m *memberError
	if errors.As(err, &m) {
		return &wire.Error{Layout: c.Name, Field: m.path, Offset: -1, Err: m.err}
	}
	var w *wire.Error
	if errors.As(err, &w) {
		return err
	}
	return &wire.Error{Layout: c.Name, Offset: -1, Err: err}
}

// Append encodes a table, a view or octets as the body of a message of class c,
// or as the contents of an attribute. flags are the message's.
func (c *Class) Append(b []byte, in Input, flags uint16) ([]byte, error) {
	return c.append(encoder{}, b, in, flags)
}

func (c *Class) append(e encoder, b []byte, in Input, flags uint16) ([]byte, error) {
	out, err := e.class(b, c, in, nil, flags)
	if err != nil {
		return b, e.fault(c, err)
	}
	return out, nil
}

// Build makes a message of a table. Its length is filled in, and what fills it
// up to a multiple of 4 is not part of it.
func (c *Class) Build(in Input, h Header) (*Message, error) { return c.build(encoder{}, in, h) }

// Load makes a message of what a dump tells: as Build, but each attribute is
// what it was when it was read.
func (c *Class) Load(in Input, h Header) (*Message, error) {
	return c.build(encoder{asRead: true}, in, h)
}

func (c *Class) build(e encoder, in Input, h Header) (*Message, error) {
	raw, err := c.append(e, make([]byte, HeaderSize, 128), in, h.Flags)
	if err != nil {
		return nil, err
	}
	h.Len = uint32(len(raw))
	h.Put(raw)
	m := c.Parse(raw)
	m.own = true
	return m, nil
}

func (e *encoder) class(b []byte, c *Class, in Input, up *level, flags uint16) ([]byte, error) {
	switch in.Kind {
	case TextInput:
		return append(b, in.S...), nil
	case ViewInput:
		if in.V.c != c && in.V.c.Name != c.Name {
			return nil, faultf(wire.ErrArgument, "want %s, got %s", c.Name, in.V.className())
		}
		return append(b, in.V.Octets()...), nil
	case NoInput:
		if in.Type != "" {
			return nil, faultf(wire.ErrArgument, "want a table for %s, got %s", c.Name, in.describe())
		}
		return e.members(b, c, &level{c: c, up: up})
	case TableInput:
		if !c.names["hex"].OK() {
			if raw, ok := hexOf(in.T); ok {
				return append(b, raw...), nil
			}
		}
	default:
		return nil, faultf(wire.ErrArgument, "want a table for %s, got %s", c.Name, in.describe())
	}
	if e.depth++; e.depth > maxDepth {
		return nil, faultf(wire.ErrRange, "tables within tables, more than %d deep", maxDepth)
	}
	defer func() { e.depth-- }()
	if up == nil {
		var err error
		if c, err = c.variantFor(in.T, flags); err != nil {
			return nil, err
		}
	}
	l := levels.Get().(*level)
	l.c, l.up = c, up
	defer l.free()
	if err := l.collect(in.T, up == nil); err != nil {
		return nil, err
	}
	return e.members(b, c, l)
}

// levels are those that are not in use: one is large, and lives as long as the
// encoding of a table.
var levels = sync.Pool{New: func() any { return &level{given: make([]given, 0, 12)} }}

func (l *level) free() {
	clear(l.given)
	*l = level{given: l.given[:0]}
	levels.Put(l)
}

// variantFor is the class that the table's message has.
func (c *Class) variantFor(t Table, flags uint16) (*Class, error) {
	for range 4 {
		cases := c.Variants
		if flags&FlagRequest != 0 && c.Requests != nil {
			cases = c.Requests
		}
		if cases == nil {
			return c, nil
		}
		m := c.names[cases.By]
		if m.Field == nil {
			return c, nil
		}
		in := t.Named(cases.By)
		if in.Kind == NoInput {
			in = m.Field.Default
		}
		u, err := cases.given(m.Field.Type, in)
		if err != nil {
			return nil, inMember(cases.By, err)
		}
		if u == nil || u.Op != Struct {
			return c, nil
		}
		c = u.Class
	}
	return c, nil
}

// given is the case of a value that is being encoded, nil for none.
func (c *Cases) given(t *Type, in Input) (*Type, error) {
	var found *Type
	if in.Kind == TableInput { // octets, from a dump, that are not as the type has them
		if b, ok := hexOf(in.T); ok {
			if in = Text(b); t.Op != CString && t.Op != String {
				in = Number(number([]byte(b), t.Big))
			}
		}
	}
	if t.Op == Uint || t.Op == Int || t.Op == AnyUint || t.Op == AnyInt {
		n := uint64(0)
		if in.Kind != NoInput {
			var err error
			if n, err = t.number(in); err != nil {
				return nil, err
			}
		}
		if found = c.Num[n]; found == nil {
			if w := t.Words.Name(n); w != "" {
				found = c.Word[w]
			}
		}
	} else if in.Kind == TextInput {
		found = c.Word[strings.TrimRight(in.S, "\x00")]
	}
	if found == nil {
		found = c.Always
	}
	if found == nil {
		return nil, nil
	}
	return found.settle()
}

// collect finds the members that a table gives.
func (l *level) collect(t Table, top bool) error {
	n := 0
	add := func(name string, in Input) error {
		m := l.c.names[name]
		if !m.OK() {
			if a := l.c.AttrNamed(name); a != nil {
				m = Member{Attr: a}
			} else {
				return l.c.Unknown(name)
			}
		}
		g := given{m: m, bits: -1, in: in, order: -1}
		if m.Attr != nil {
			g.order = m.Attr.Index
		}
		l.given = append(l.given, g)
		return nil
	}
	byNumber := func(num float64, in Input, bits, place int, single bool) error {
		k := uint16(num)
		if float64(k) != num || !l.c.HasAttrs {
			return faultf(wire.ErrArgument, "members have names; %v is none", num)
		}
		if b := int(k &^ numberOf); b != 0 {
			bits = max(bits, 0) | b
		}
		k &= numberOf
		if a := l.c.attr(k); a != nil {
			l.given = append(l.given, given{m: Member{Attr: a}, bits: bits, in: in, order: place, single: single})
			return nil
		}
		l.given = append(l.given, given{num: k, bits: bits, in: in, order: place})
		return nil
	}
	pairs := func(list Table) error {
		for i := range list.Len() {
			it := list.Item(i)
			if it.Kind == NoInput && it.Type == "" {
				continue // [77] = octets is an item, too, and those before it are nil
			}
			if it.Kind != TableInput {
				if err := byNumber(float64(i+1), it, -1, 1<<20+i+1, false); err != nil {
					return err
				}
				continue
			}
			bits := -1
			if f := it.T.Item(2); f.Kind == FloatInput || f.Kind == UintInput {
				v, err := bitsType.number(f)
				if err != nil {
					return err
				}
				bits = int(v)
			}
			// The order of a list is kept; what has names comes after it.
			place := i - 1<<20
			var err error
			switch key := it.T.Item(0); key.Kind {
			case TextInput:
				if a := l.c.AttrNamed(key.S); a != nil {
					l.given = append(l.given, given{m: Member{Attr: a}, bits: bits, in: it.T.Item(1), order: place, single: true})
				} else {
					err = l.c.Unknown(key.S)
				}
			case FloatInput:
				err = byNumber(key.F, it.T.Item(1), bits, place, true)
			case UintInput:
				err = byNumber(float64(key.U), it.T.Item(1), bits, place, true)
			default:
				err = faultf(wire.ErrArgument, "attribute %d of the list is no {NAME, value}", i+1)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	err := t.Members(func(name string, num float64, in Input) error {
		n++
		if name == "" {
			return byNumber(num, in, -1, 1<<20+int(num), false)
		}
		if !l.c.names[name].OK() {
			switch name {
			case "attrs":
				if in.Kind != TableInput {
					return faultf(wire.ErrArgument, "attrs: want a list of {NAME, value}, got %s", in.describe())
				}
				return pairs(in.T)
			case "header", "event", "stats", "class":
				if top {
					return nil
				}
			}
		}
		return add(name, in)
	})
	if err != nil {
		return err
	}
	if t.Len() > 0 {
		if err := pairs(t); err != nil {
			return err
		}
	}
	slices.SortStableFunc(l.given, func(a, b given) int { return a.order - b.order })
	return nil
}

var bitsType = &Type{Op: Uint, Size: 2, Name: "u16"}

// members writes the fixed part and the attributes that are given.
func (e *encoder) members(b []byte, c *Class, l *level) ([]byte, error) {
	start := len(b)
	b = append(b, make([]byte, c.Size)...)
	for _, f := range c.Fields {
		if f == c.Tail {
			var err error
			if b, err = e.tail(b, start, f, l); err != nil {
				return nil, err
			}
			continue
		}
		in, ok := l.member(Member{Field: f})
		if !ok {
			in = f.Default
		}
		if in.Kind == NoInput && in.Type == "" {
			continue
		}
		if _, err := e.field(b[start+f.Off:start+f.Off], f, in, l); err != nil {
			return nil, err
		}
	}
	if !c.HasAttrs {
		return b, nil
	}
	for i := range l.given {
		g := &l.given[i]
		if g.m.Field != nil {
			continue
		}
		b = pad(b, len(b)-start)
		var err error
		if g.m.Attr != nil {
			b, err = e.attrBits(b, g.m.Attr, g.bits, g.single, g.in, l)
		} else {
			b, err = e.unknown(b, g)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// unknown writes an attribute the class does not know: octets.
func (e *encoder) unknown(b []byte, g *given) ([]byte, error) {
	name := "attribute " + strconv.Itoa(int(g.num))
	s := ""
	switch g.in.Kind {
	case TextInput:
		s = g.in.S
	case ViewInput:
		s = string(g.in.V.Octets())
	case NoInput:
	case TableInput:
		raw, ok := hexOf(g.in.T)
		if !ok {
			return nil, inMember(name, faultf(wire.ErrArgument, "the class does not know its type; want octets, got %s", g.in.describe()))
		}
		s = raw
	default:
		return nil, inMember(name, faultf(wire.ErrArgument, "the class does not know its type; want octets, got %s", g.in.describe()))
	}
	if len(s)+attrsHead > maxAttr {
		return nil, inMember(name, tooLong(len(s)))
	}
	return appendAttr(b, g.num|uint16(max(g.bits, 0)), []byte(s)), nil
}

// tail writes a last field whose length varies, and its length where that is a
// field that is not given.
func (e *encoder) tail(b []byte, start int, f *Field, l *level) ([]byte, error) {
	in, ok := l.member(Member{Field: f})
	if !ok {
		in = f.Default
	}
	at := len(b)
	if in.Kind != NoInput || in.Type != "" {
		var err error
		if b, err = e.value(b, f.Type, in, l); err != nil {
			return nil, inMember(f.Name, err)
		}
	}
	if by := f.SizeBy; by != nil {
		if _, given := l.member(Member{Field: by}); !given {
			n, err := by.Type.fitUint(uint64(len(b) - at))
			if err != nil {
				return nil, inMember(f.Name, err)
			}
			putNumber(b[start+by.Off:start+by.Off+by.Size], n, by.Type.Big)
		}
	}
	return b, nil
}

// field writes a field over the capacity of b.
func (e *encoder) field(b []byte, f *Field, in Input, l *level) ([]byte, error) {
	if in.Kind == NoInput && in.Type == "" {
		return append(b, make([]byte, f.Size)...), nil
	}
	out, err := e.value(b, f.Type, in, l)
	if err == nil && f.Size == 0 {
		return out, nil
	}
	if err == nil && len(out)-len(b) != f.Size {
		switch n := len(out) - len(b); {
		case n < f.Size && (f.Type.Op == Bytes || f.Type.Op == CString || f.Type.Op == Array || f.Type.Op == Struct):
			out = append(out, make([]byte, f.Size-n)...)
		case n == f.Size+1 && f.Type.Op == CString:
			out = out[:len(b)+f.Size] // the zero at the end, where the text fills the field
		default:
			err = faultf(wire.ErrRange, "%d octets do not fit a field of %d", n, f.Size)
		}
	}
	if err != nil {
		return nil, inMember(f.Name, err)
	}
	if cap(b) >= f.Size && len(out) > 0 && &out[0] != &b[:1][0] {
		copy(b[:f.Size], out) // it grew over the field and moved
	}
	return out, nil
}

func (e *encoder) attr(b []byte, a *Attr, in Input, l *level) ([]byte, error) {
	return e.attrBits(b, a, -1, false, in, l)
}

func (e *encoder) attrBits(b []byte, a *Attr, bits int, single bool, in Input, l *level) ([]byte, error) {
	t := a.Type
	if a.Write != nil && !e.asRead {
		t = a.Write
	}
	t, err := t.settle()
	if err != nil {
		return nil, inMember(a.Name, err)
	}
	if t.Op != Multi {
		return e.oneAttr(b, a, t, bits, in, l)
	}
	if single && t.Elem.Op >= Array { // one of a list of {NAME, value}, whose value is a list
		return e.oneAttr(b, a, t.Elem, bits, in, l)
	}
	if in.Kind == TableInput && (in.T.Len() > 0 || empty(in.T)) {
		for i := range in.T.Len() {
			if b, err = e.oneAttr(b, a, t.Elem, bits, in.T.Item(i), l); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return e.oneAttr(b, a, t.Elem, bits, in, l)
}

func empty(t Table) bool {
	return t.Len() == 0 && t.Members(func(string, float64, Input) error { return errGone }) == nil
}

func (e *encoder) oneAttr(b []byte, a *Attr, t *Type, bits int, in Input, l *level) ([]byte, error) {
	if t.Op == Flag && in.Kind == BoolInput && in.U == 0 {
		return b, nil
	}
	if t.Op == Flag && a.Write == t { // it reads as a number
		if in.Kind == FloatInput && in.F == 0 || (in.Kind == UintInput || in.Kind == IntInput) && in.U == 0 {
			return b, nil
		}
	}
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	var err error
	if bits >= 0 && bits&NetOrder != 0 && t.Op >= Uint && t.Op <= AnyInt {
		u := *t
		u.Big = true // the attribute itself says so
		t = &u
	}
	if in.Kind != NoInput || in.Type != "" { // {NAME} alone is an attribute without contents
		if b, err = e.value(b, t, in, l); err != nil {
			return nil, inMember(a.Name, err)
		}
	}
	n := len(b) - start
	if n > maxAttr {
		return nil, inMember(a.Name, tooLong(n-attrsHead))
	}
	binary.NativeEndian.PutUint16(b[start:], uint16(n))
	if bits < 0 {
		bits = int(a.Bits)
	}
	binary.NativeEndian.PutUint16(b[start+2:], a.Num|uint16(bits))
	return pad(b, n), nil
}

// value writes the octets of one value.
func (e *encoder) value(b []byte, t *Type, in Input, l *level) ([]byte, error) {
	if in.Kind == TableInput && t.Op != Struct {
		// Octets that a print-out had to write in hexadecimal.
		if raw, ok := hexOf(in.T); ok {
			return append(b, raw...), nil
		}
	}
	switch t.Op {
	case None, Flag:
		return b, nil
	case Uint, Int:
		n, err := t.number(in)
		if err != nil {
			return nil, err
		}
		b = append(b, make([]byte, t.Size)...)
		putNumber(b[len(b)-t.Size:], n, t.Big)
		return b, nil
	case AnyUint, AnyInt:
		n, err := t.number(in)
		if err != nil {
			return nil, err
		}
		size := 4
		if t.Op == AnyUint && n > math.MaxUint32 || t.Op == AnyInt && (int64(n) > math.MaxInt32 || int64(n) < math.MinInt32) {
			size = 8
		}
		b = append(b, make([]byte, size)...)
		putNumber(b[len(b)-size:], n, t.Big)
		return b, nil
	case IP4, IP6, IP, Addr:
		return e.address(b, t, in, l)
	case MPLS:
		return appendLabels(b, in)
	case MAC:
		if in.Kind == TextInput && len(in.S) == 6 && strings.IndexByte(in.S, ':') < 0 {
			return append(b, in.S...), nil
		}
		n := len(b)
		b, err := appendFromColons(b, in, "a MAC address (aa:bb:cc:dd:ee:ff)")
		if err == nil && len(b)-n != 6 {
			err = faultf(wire.ErrArgument, "want a MAC address (aa:bb:cc:dd:ee:ff), got %s", in.describe())
		}
		return b, err
	case LLAddr:
		if in.Kind == TextInput && !isColons(in.S) {
			if a, err := netip.ParseAddr(in.S); err == nil {
				return append(b, a.AsSlice()...), nil
			}
		}
		return appendFromColons(b, in, "a link layer address (aa:bb:…, or an IP address)")
	case Hex:
		return appendFromColons(b, in, "octets as aa:bb:cc")
	case Bytes, String:
		switch in.Kind {
		case TextInput:
			return append(b, in.S...), nil
		case ViewInput:
			return in.V.AppendBinary(b)
		case TableInput:
			if t.Op == Bytes && in.T.Len() > 0 {
				for i := range in.T.Len() {
					n, err := byteType.number(in.T.Item(i))
					if err != nil {
						return nil, err
					}
					b = append(b, byte(n))
				}
				return b, nil
			}
		case FloatInput, UintInput, IntInput:
			if t.Op == String {
				return append(b, in.describe()...), nil
			}
		}
		return nil, faultf(wire.ErrArgument, "want a string, got %s", in.describe())
	case CString:
		switch in.Kind {
		case TextInput:
			return append(append(b, in.S...), 0), nil
		case FloatInput, UintInput, IntInput:
			return append(append(b, in.describe()...), 0), nil
		}
		return nil, faultf(wire.ErrArgument, "want a string, got %s", in.describe())
	case Bitfield:
		return appendBitfield(b, t, in)
	case Struct:
		return e.class(b, t.Class, in, or(l), 0)
	case Array:
		return e.array(b, t, in, l)
	case List, Map:
		return e.list(b, t, in, l)
	case Multi:
		return e.value(b, t.Elem, in, l)
	case Choice:
		u, err := l.chosen(t.Cases, in)
		if err != nil {
			return nil, err
		}
		return e.value(b, u, in, l)
	case Later:
		u, err := t.settle()
		if err != nil {
			return nil, err
		}
		return e.value(b, u, in, l)
	}
	return nil, fmt.Errorf("a type that cannot be encoded: %s", t.Name)
}

var byteType = &Type{Op: Uint, Size: 1, Name: "u8"}

// or is a level that is there, so that what is inside knows that it is.
func or(l *level) *level {
	if l == nil {
		return &level{}
	}
	return l
}

// chosen is the type that the cases choose for a value that is being encoded.
func (l *level) chosen(c *Cases, in Input) (*Type, error) {
	if c.Pick != nil {
		if l != nil && l.v != nil {
			return c.pick(l.v).settle()
		}
	} else {
		for x := l; x != nil; x = x.up {
			if x.c == nil {
				continue
			}
			m := x.c.names[c.By]
			if !m.OK() {
				continue
			}
			with, ok := x.member(m)
			if !ok && x.v != nil {
				return c.pick(x.v).settle()
			}
			var t *Type
			switch {
			case m.Field != nil:
				t = m.Field.Type
				if !ok {
					with = m.Field.Default
				}
			case ok:
				t = m.Attr.Type
			default:
				t = octets // an attribute that is not there has no case
			}
			u, err := c.given(t, with)
			if err != nil {
				return nil, err
			}
			if u != nil {
				return u, nil
			}
			break
		}
		for x := l; x != nil; x = x.up {
			if x.v != nil && (x.c == nil || !x.c.names[c.By].OK()) {
				return c.pick(x.v).settle()
			}
		}
	}
	if c.Always != nil {
		return c.Always.settle()
	}
	if in.Kind == TextInput {
		return octets, nil
	}
	return nil, faultf(wire.ErrArgument, "its type depends on %q, which says none; set that too, or give octets", c.By)
}

// number is in as an integer of type t: a number, a word, or flags.
func (t *Type) number(in Input) (uint64, error) {
	switch in.Kind {
	case UintInput:
		return t.fitUint(in.U)
	case IntInput:
		return t.fitInt(int64(in.U))
	case BoolInput:
		return in.U, nil
	case FloatInput:
		f := in.F
		if n := int64(f); float64(n) == f && f > -1<<63 && f < 1<<63 {
			return t.fitInt(n)
		}
		if f >= 1<<63 && f < 1<<64 {
			return t.fitUint(uint64(f))
		}
		if f != math.Trunc(f) || math.IsNaN(f) {
			return 0, faultf(wire.ErrArgument, "%s is not an integer", in.describe())
		}
		return 0, t.noFit(in.describe())
	case TextInput:
		return t.fitText(in.S)
	case TableInput:
		if t.Flags != nil {
			var n uint64
			for i := range in.T.Len() {
				m, err := t.number(in.T.Item(i))
				if err != nil {
					return 0, err
				}
				n |= m
			}
			return n, nil
		}
	}
	want := "a number"
	switch {
	case t.Flags != nil:
		want = "a number or flags"
	case t.Words != nil:
		want = "a number or a name"
	}
	return 0, faultf(wire.ErrArgument, "want %s, got %s", want, in.describe())
}

func (t *Type) bits() int {
	if t.Size == 0 {
		return 64
	}
	return 8 * t.Size
}

func (t *Type) signedType() bool { return t.Op == Int || t.Op == AnyInt }

func (t *Type) fitUint(n uint64) (uint64, error) {
	bits := t.bits()
	if t.signedType() {
		bits--
	}
	if bits < 64 && n>>bits != 0 {
		return 0, t.noFit(strconv.FormatUint(n, 10))
	}
	return n, nil
}

func (t *Type) fitInt(n int64) (uint64, error) {
	if n >= 0 {
		return t.fitUint(uint64(n))
	}
	if !t.signedType() || t.bits() < 64 && n < -1<<(t.bits()-1) {
		return 0, t.noFit(strconv.FormatInt(n, 10))
	}
	return uint64(n), nil
}

func (t *Type) noFit(s string) error {
	bits := t.bits()
	if t.signedType() {
		return faultf(wire.ErrRange, "%s does not fit %d bits (%d..%d)", s, bits, int64(-1)<<(bits-1), int64(1)<<(bits-1)-1)
	}
	return faultf(wire.ErrRange, "%s does not fit %d bits (0..%d)", s, bits, ^uint64(0)>>(64-bits))
}

func (t *Type) fitText(s string) (uint64, error) {
	if t.Words != nil {
		if n, ok := t.Words.Number(s); ok {
			return t.fitUint(n)
		}
	}
	if t.Flags != nil {
		n, err := t.parseFlags(s)
		if err != nil {
			return 0, err
		}
		return t.fitUint(n)
	}
	if n, err := strconv.ParseUint(s, 0, 64); err == nil {
		return t.fitUint(n)
	}
	if n, err := strconv.ParseInt(s, 0, 64); err == nil {
		return t.fitInt(n)
	}
	if t.Words != nil {
		return 0, faultf(wire.ErrArgument, "no name %q%s", s, didYouMean(s, t.Words.all()))
	}
	return 0, faultf(wire.ErrArgument, "want a number, got %q", s)
}

// address writes an IP address from text or from its octets.
func (e *encoder) address(b []byte, t *Type, in Input, l *level) ([]byte, error) {
	family, known := l.family()
	if t.Op == Addr && known && family == familyMPLS {
		return appendLabels(b, in)
	}
	want := "an IP address"
	switch t.Op {
	case IP4:
		want = "an IPv4 address"
	case IP6:
		want = "an IPv6 address"
	}
	if in.Kind != TextInput {
		return nil, faultf(wire.ErrArgument, "want %s, got %s", want, in.describe())
	}
	a, err := netip.ParseAddr(in.S)
	if err != nil || a.Zone() != "" {
		// Octets are taken as they are.
		if n := len(in.S); (n == 4 && t.Op != IP6 || n == 16 && t.Op != IP4) && !strings.ContainsAny(in.S, ".:") {
			return append(b, in.S...), nil
		}
		return nil, faultf(wire.ErrArgument, "want %s, got %s", want, in.describe())
	}
	switch {
	case t.Op == IP4 && !a.Is4(), t.Op == IP6 && a.Is4():
		return nil, faultf(wire.ErrArgument, "want %s, got %s", want, in.describe())
	case t.Op == Addr && known && (family == familyInet && !a.Is4() || family == familyInet6 && a.Is4()):
		return nil, faultf(wire.ErrArgument, "%s is no address of the message's family (%d)", in.S, family)
	}
	if a.Is4() {
		x := a.As4()
		return append(b, x[:]...), nil
	}
	x := a.As16()
	return append(b, x[:]...), nil
}

// family is the address family of what is being encoded.
func (l *level) family() (uint64, bool) {
	for x := l; x != nil; x = x.up {
		if x.c == nil || x.c.family == nil {
			if x.c != nil && x.v != nil {
				return x.v.family()
			}
			continue
		}
		if in, ok := x.member(Member{Field: x.c.family}); ok {
			n, err := x.c.family.Type.number(in)
			return n, err == nil && n != 0
		}
		if x.v != nil {
			n, ok := x.v.family()
			return n, ok && n != 0
		}
	}
	return 0, false
}

// appendLabels writes labels: a number, {label=, tc=, bos=, ttl=}, or a list of
// either. The last one is the bottom of the stack unless it says otherwise.
func appendLabels(b []byte, in Input) ([]byte, error) {
	one := func(in Input, last bool) error {
		var n uint64
		bos := uint64(0)
		if last {
			bos = 1
		}
		ttl, tc := uint64(0), uint64(0)
		part := func(name string, to *uint64, bits int) error {
			v := in.T.Named(name)
			if v.Kind == NoInput {
				return nil
			}
			x, err := wordType.number(v)
			if err == nil && x>>bits != 0 {
				err = faultf(wire.ErrRange, "%d does not fit %d bits", x, bits)
			}
			if err != nil {
				return inMember(name, err)
			}
			*to = x
			return nil
		}
		if in.Kind == TableInput {
			for _, p := range []struct {
				name string
				to   *uint64
				bits int
			}{{"label", &n, 20}, {"tc", &tc, 3}, {"bos", &bos, 1}, {"ttl", &ttl, 8}} {
				if err := part(p.name, p.to, p.bits); err != nil {
					return err
				}
			}
		} else {
			var err error
			if n, err = wordType.number(in); err != nil {
				return err
			}
			if n>>20 != 0 {
				return faultf(wire.ErrRange, "label %d does not fit 20 bits", n)
			}
		}
		b = binary.BigEndian.AppendUint32(b, uint32(n<<12|tc<<9|bos<<8|ttl))
		return nil
	}
	if in.Kind == TextInput { // "100/200"
		words := strings.Split(in.S, "/")
		for i, w := range words {
			if err := one(Text(w), i == len(words)-1); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	if in.Kind != TableInput || in.T.Len() == 0 {
		return b, one(in, true)
	}
	for i := range in.T.Len() {
		if err := one(in.T.Item(i), i == in.T.Len()-1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

var wordType = &Type{Op: Uint, Size: 4, Name: "u32"}

// appendBitfield writes {value=, selector=}; a number selects the bits it has.
func appendBitfield(b []byte, t *Type, in Input) ([]byte, error) {
	u := Type{Op: Uint, Size: 4, Name: "u32", Flags: t.Flags, Words: t.Words}
	var value, selector uint64
	var err error
	if in.Kind == TableInput && in.T.Len() == 0 {
		if value, err = u.number(in.T.Named("value")); err != nil {
			return nil, inMember("value", err)
		}
		selector = value
		if s := in.T.Named("selector"); s.Kind != NoInput {
			if selector, err = u.number(s); err != nil {
				return nil, inMember("selector", err)
			}
		}
	} else if value, err = u.number(in); err != nil {
		return nil, err
	} else {
		selector = value
	}
	b = binary.NativeEndian.AppendUint32(b, uint32(value))
	return binary.NativeEndian.AppendUint32(b, uint32(selector)), nil
}

// isColons reports whether s is octets as aa:bb:cc; eight of them look like an
// IPv6 address, too.
func isColons(s string) bool {
	for i := range len(s) {
		if (i%3 == 2) != (s[i] == ':') {
			return false
		}
	}
	return len(s)%3 == 2
}

// appendFromColons writes aa:bb:cc, aa-bb-cc or aabbcc.
func appendFromColons(b []byte, in Input, want string) ([]byte, error) {
	fail := func() ([]byte, error) {
		return nil, faultf(wire.ErrArgument, "want %s, got %s", want, in.describe())
	}
	if in.Kind != TextInput {
		return fail()
	}
	half := -1
	for i := range len(in.S) {
		ch := in.S[i]
		d := -1
		switch {
		case ch >= '0' && ch <= '9':
			d = int(ch - '0')
		case ch|0x20 >= 'a' && ch|0x20 <= 'f':
			d = int(ch|0x20-'a') + 10
		case (ch == ':' || ch == '-' || ch == ' ') && half < 0:
			continue
		default:
			return fail()
		}
		if half < 0 {
			half = d
		} else {
			b = append(b, byte(half<<4|d))
			half = -1
		}
	}
	if half >= 0 {
		return fail()
	}
	return b, nil
}

func (e *encoder) array(b []byte, t *Type, in Input, l *level) ([]byte, error) {
	switch in.Kind {
	case TextInput:
		return append(b, in.S...), nil
	case TableInput:
	default:
		return nil, faultf(wire.ErrArgument, "want a list, got %s", in.describe())
	}
	elem, err := t.Elem.settle()
	if err != nil {
		return nil, err
	}
	for i := range in.T.Len() {
		start := len(b)
		if b, err = e.value(b, elem, in.T.Item(i), l); err != nil {
			return nil, inMember(strconv.Itoa(i+1), err)
		}
		if elem.Op == Struct && elem.Class.Length != nil {
			f := elem.Class.Length
			n := len(b) - start
			if f.Size == 2 && n > maxAttr {
				return nil, inMember(strconv.Itoa(i+1), tooLong(n))
			}
			putNumber(b[start+f.Off:start+f.Off+f.Size], uint64(n), f.Type.Big)
			b = pad(b, n)
		}
	}
	return b, nil
}

func (e *encoder) list(b []byte, t *Type, in Input, l *level) ([]byte, error) {
	switch in.Kind {
	case TextInput:
		return append(b, in.S...), nil
	case TableInput:
	default:
		return nil, faultf(wire.ErrArgument, "want a list, got %s", in.describe())
	}
	if e.depth++; e.depth > maxDepth {
		return nil, faultf(wire.ErrRange, "tables within tables, more than %d deep", maxDepth)
	}
	defer func() { e.depth-- }()
	cell := Attr{Type: t.Elem, Bits: t.ElemBits}
	var err error
	for i := range in.T.Len() {
		cell.Num, cell.Name = uint16(i+1), strconv.Itoa(i+1)
		if t.Op == Map && in.T.Item(i).Kind == 0 {
			continue // a hole in Lua's array
		}
		if b, err = e.attr(b, &cell, in.T.Item(i), l); err != nil {
			return nil, err
		}
	}
	if t.Op != Map {
		return b, nil
	}
	type pair struct {
		num uint16
		in  Input
	}
	var rest []pair
	err = in.T.Members(func(name string, num float64, v Input) error {
		n := uint16(num)
		if name != "" {
			x, err := strconv.ParseUint(name, 0, 16) // JSON has no other keys
			if err != nil {
				return faultf(wire.ErrArgument, "want numbers as keys, got %q", name)
			}
			n, num = uint16(x), float64(x)
		}
		if float64(n) != num || n > numberOf {
			return faultf(wire.ErrRange, "%v is no number of an attribute (0..%d)", num, numberOf)
		}
		rest = append(rest, pair{n, v})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rest, func(a, b pair) int { return int(a.num) - int(b.num) })
	for _, p := range rest {
		cell.Num, cell.Name = p.num, strconv.Itoa(int(p.num))
		if b, err = e.attr(b, &cell, p.in, l); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// hexOf reads {hex = "0a0b"}, as JSON has octets.
func hexOf(t Table) (string, bool) {
	h := t.Named("hex")
	if h.Kind != TextInput || t.Len() > 0 {
		return "", false
	}
	if t.Members(func(name string, _ float64, _ Input) error {
		switch name {
		case "hex", "class", "header":
			return nil
		}
		return errGone
	}) != nil {
		return "", false
	}
	b, err := appendFromColons(nil, h, "")
	return string(b), err == nil
}
