package netlink

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
	"strconv"
)

// A View reads octets as a class says: a message's body, or the contents of an
// attribute or a structure in it. Nothing is decoded before it is asked for, and
// the octets are the truth: setting a member changes them (a copy of them, if
// they are somebody else's). A view whose place in the message has gone keeps
// its octets and can no longer be changed.
type View struct {
	c   *Class
	b   []byte
	up  *View // the level it stands in; nil for a message
	msg *Message

	off   int // of b in up.b
	ord   int // which attribute, element or field of up it is, from 0
	gen   uint32
	num   uint16
	frame frame

	absent uint64 // fields by index that a difference has left out
}

// frame is how a view's octets stand in those of the level above.
type frame uint8

const (
	whole   frame = iota // a message
	inAttr               // contents of an attribute
	inArray              // one of several, one after another
	inField              // a structure in the fixed part
	gone                 // its place is no more
)

// A Message is one netlink message. It is a View of its body.
type Message struct {
	View
	raw  []byte // with the header
	own  bool   // raw is nobody else's
	edit uint32 // counts the changes that move octets

	Meta any // of the bindings
}

// NoClass is the class of messages whose type nobody has declared.
var NoClass = func() *Class {
	c := &Class{Name: "message"}
	if err := c.Define(nil); err != nil {
		panic(err)
	}
	return c
}()

// Init makes m the message in raw, which is kept and not written to.
func (m *Message) Init(raw []byte, c *Class) {
	if c == nil {
		c = NoClass
	}
	m.raw, m.msg, m.c = raw, m, c
	if len(raw) > HeaderSize {
		m.b = raw[HeaderSize:]
	}
	if c.Variants != nil || c.Requests != nil {
		m.c = c.variant(m.Header().Flags, &m.View)
	}
}

// Parse reads a message with its header.
func (c *Class) Parse(raw []byte) *Message {
	m := &Message{}
	m.Init(raw, c)
	return m
}

// ParseBody reads a message's octets after the header.
func (c *Class) ParseBody(body []byte) *Message {
	raw := append(make([]byte, HeaderSize, HeaderSize+len(body)), body...)
	Header{Len: uint32(len(raw))}.Put(raw)
	m := c.Parse(raw)
	m.own = true
	return m
}

// Header is the message's header; zero where the octets are too few for one.
func (m *Message) Header() Header {
	h, _ := ParseHeader(m.raw)
	return h
}

// SetHeader writes the header, but for its length.
func (m *Message) SetHeader(h Header) {
	m.keep()
	if len(m.raw) >= HeaderSize {
		h.Len = m.Header().Len
		h.Put(m.raw)
	}
}

// Octets are those of the message with its header: a view.
func (m *Message) Octets() []byte { return m.raw }

// keep makes the octets the message's own, so that they can be written to.
func (m *Message) keep() {
	if m.own {
		return
	}
	m.adopt(append(make([]byte, 0, len(m.raw)), m.raw...))
}

func (m *Message) adopt(raw []byte) {
	m.raw, m.own, m.b = raw, true, nil
	if len(raw) > HeaderSize {
		m.b = raw[HeaderSize:]
	}
	m.edit++
	m.gen = m.edit
}

// Class is what the view is read by.
func (v *View) Class() *Class { return v.c }

// Message is the message the view is of.
func (v *View) Message() *Message { return v.msg }

// IsMessage reports whether the view is a whole message's.
func (v *View) IsMessage() bool { return v.frame == whole }

// Octets are the view's own: of a message its body, of an attribute its contents.
func (v *View) Octets() []byte {
	v.refresh()
	return v.b
}

// AppendBinary appends the octets: of a message with its header.
func (v *View) AppendBinary(b []byte) ([]byte, error) {
	if v.frame == whole {
		return append(b, v.msg.raw...), nil
	}
	return append(b, v.Octets()...), nil
}

// Offset is where the view's octets begin in the message, its header included;
// 0 of one that is no longer in it.
func (v *View) Offset() int {
	v.refresh()
	if v.frame == gone {
		return 0
	}
	n := HeaderSize
	for x := v; x.up != nil; x = x.up {
		n += x.off
	}
	return n
}

// refresh finds the view's octets again after a change moved them.
func (v *View) refresh() {
	if v.gen == v.msg.edit || v.up == nil || v.frame == gone {
		return
	}
	v.up.refresh()
	v.gen = v.msg.edit
	if v.up.frame == gone || !v.find() {
		v.b, v.frame = append([]byte(nil), v.b...), gone
	}
}

// find sets the view's octets from the level above.
func (v *View) find() bool {
	up := v.up
	switch v.frame {
	case inAttr:
		off := up.attrsAt()
		for i := 0; ; i++ {
			start, end, typ, next, ok := nextAttr(up.b, off)
			if !ok {
				return false
			}
			if i == v.ord {
				if typ&numberOf != v.num {
					return false
				}
				v.off, v.b = start, up.b[start:end:end]
				return true
			}
			off = next
		}
	case inField:
		if up.c == nil || v.ord >= len(up.c.Fields) {
			return false
		}
		f := up.c.Fields[v.ord]
		end := up.end(f)
		if end > len(up.b) {
			return false
		}
		v.off, v.b = f.Off, up.b[f.Off:end:end]
		return true
	case inArray:
		off := 0
		for i := 0; ; i++ {
			n, pad := v.c.element(up.b[off:])
			if n == 0 {
				return false
			}
			if i == v.ord {
				v.off, v.b = off, up.b[off:off+n:off+n]
				return true
			}
			off += pad
		}
	}
	return false
}

// element is the length of the first of several structures in b, without and
// with what fills it up; 0: there is none.
func (c *Class) element(b []byte) (n, padded int) {
	n = c.Size
	if f := c.Length; f != nil {
		if f.Off+f.Size > len(b) {
			return 0, 0
		}
		n = int(min(number(b[f.Off:f.Off+f.Size], f.Type.Big), 1<<30))
		if n < c.Size || n > len(b) {
			return 0, 0
		}
		return n, min(Align(n), len(b))
	}
	if n == 0 || n > len(b) {
		return 0, 0
	}
	return n, n
}

// attrsAt is where the attributes begin.
func (v *View) attrsAt() int {
	if v.c == nil {
		return 0 // a list
	}
	if !v.c.HasAttrs {
		return len(v.b)
	}
	if v.c.Tail != nil {
		return Align(v.end(v.c.Tail))
	}
	return Align(v.c.Size)
}

// end is where a field ends; beyond the octets if it is not there.
func (v *View) end(f *Field) int {
	if f.Size > 0 {
		return f.Off + f.Size
	}
	if by := f.SizeBy; by != nil {
		if by.Off+by.Size > len(v.b) {
			return f.Off + 1<<16
		}
		return f.Off + int(min(number(v.b[by.Off:by.Off+by.Size], by.Type.Big), 1<<16))
	}
	return max(f.Off, len(v.b))
}

// nextAttr is the attribute at off in b; ok is false at the end and at one that
// cannot be.
func nextAttr(b []byte, off int) (start, end int, typ uint16, next int, ok bool) {
	if off+attrsHead > len(b) {
		return
	}
	n := int(binary.NativeEndian.Uint16(b[off:]))
	if n < attrsHead || off+n > len(b) {
		return
	}
	return off + attrsHead, off + n, binary.NativeEndian.Uint16(b[off+2:]), off + Align(n), true
}

// A Value is what a member holds: a number, or octets in the message. It is
// valid until the message is changed.
type Value struct {
	Type *Type // what it was read as; octets where its own type does not fit them
	n    uint64
	b    []byte
	at   *View // the level it stands in
	off  int
	ord  int
	typ  uint16 // the attribute's number and bits
	in   frame
	said Op
}

// Declared is the sort of type that the class says the value has; it is another
// than Op where the octets do not fit.
func (val *Value) Declared() Op { return val.said }

// Op is the sort of the value; 0 of none.
func (val *Value) Op() Op {
	if val.Type == nil {
		return 0
	}
	return val.Type.Op
}

// Uint is the value of an integer.
func (val *Value) Uint() uint64 { return val.n }

// Int is the value of a signed integer.
func (val *Value) Int() int64 { return int64(val.n) }

// Octets are the value's, as in the message.
func (val *Value) Octets() []byte { return val.b }

// IsZero reports whether all octets are zero.
func (val *Value) IsZero() bool { return isZero(val.b) }

// Num is the number of the attribute that the value is of.
func (val *Value) Num() uint16 { return val.typ & numberOf }

// Bits are those beside the number: Nested, NetOrder.
func (val *Value) Bits() uint16 { return val.typ &^ numberOf }

// Word is the text that a number reads as; false: it reads as a number.
func (val *Value) Word() (string, bool) { return val.Type.word(val.n) }

// View is the members of a structure.
func (val *Value) View() *View {
	x := &View{}
	val.ViewTo(x)
	return x
}

// ViewTo makes x the view of a structure.
func (val *Value) ViewTo(x *View) {
	*x = View{c: val.Type.Class, b: val.b, up: val.at, msg: val.at.msg, off: val.off, ord: val.ord, gen: val.at.msg.edit, num: val.typ & numberOf, frame: val.in}
}

// Get is a member's value; false: it is not there. Of an attribute that occurs
// several times it is the first.
func (v *View) Get(m Member) (Value, bool) {
	var val Value
	return val, v.GetTo(&val, m)
}

// GetTo is Get for the hot path.
func (v *View) GetTo(val *Value, m Member) bool {
	v.refresh()
	if f := m.Field; f != nil {
		end := v.end(f)
		if end > len(v.b) || v.absent != 0 && f.Index < 64 && v.absent>>f.Index&1 != 0 {
			return false
		}
		val.at, val.off, val.ord, val.in, val.typ = v, f.Off, f.Index, inField, 0
		val.read(f.Type, v.b[f.Off:end:end])
		return true
	}
	a := m.Attr
	if a == nil {
		return false
	}
	off := v.attrsAt()
	for i := 0; ; i++ {
		start, end, typ, next, ok := nextAttr(v.b, off)
		if !ok {
			return false
		}
		if typ&numberOf == a.Num {
			val.at, val.off, val.ord, val.in, val.typ = v, start, i, inAttr, typ
			if a.Type.Op == Multi {
				val.Type, val.b = a.Type, v.b[start:end:end]
				return true
			}
			val.read(a.Type, v.b[start:end:end])
			return true
		}
		off = next
	}
}

// An Item is one attribute where it stands.
type Item struct {
	Attr *Attr // nil: the class does not know it
	Value
}

// All yields the attributes in their order, those the class does not know too.
// Those of a Multi come one by one.
func (v *View) All() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for c := v.First(); c.OK() && yield(c.Item); c.Next() {
		}
	}
}

// A Cursor goes over the attributes as All does, without a copy of each.
type Cursor struct {
	Item
	next int
}

// First is the first attribute; it is not OK if there is none.
func (v *View) First() Cursor {
	v.refresh()
	c := Cursor{next: v.attrsAt()}
	c.at, c.ord, c.in = v, -1, inAttr
	c.Next()
	return c
}

// OK reports whether there is an attribute.
func (c *Cursor) OK() bool { return c.at != nil }

// Next goes on.
func (c *Cursor) Next() {
	v := c.at
	start, end, typ, next, ok := nextAttr(v.b, c.next)
	if !ok {
		c.at = nil
		return
	}
	c.off, c.typ, c.next = start, typ, next
	c.ord++
	t := octets
	c.Attr = nil
	if v.c != nil {
		if c.Attr = v.c.attr(typ & numberOf); c.Attr != nil {
			if t = c.Attr.Type; t.Op == Multi {
				t = t.Elem
			}
		}
	}
	c.read(t, v.b[start:end:end])
}

// Find is the first attribute of a number.
func (v *View) Find(num uint16) (Item, bool) {
	for it := range v.All() {
		if it.Num() == num {
			return it, true
		}
	}
	return Item{}, false
}

// number reads an integer of 1, 2, 4 or 8 octets.
func number(b []byte, big bool) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		if big {
			return uint64(binary.BigEndian.Uint16(b))
		}
		return uint64(binary.NativeEndian.Uint16(b))
	case 4:
		if big {
			return uint64(binary.BigEndian.Uint32(b))
		}
		return uint64(binary.NativeEndian.Uint32(b))
	case 8:
		if big {
			return binary.BigEndian.Uint64(b)
		}
		return binary.NativeEndian.Uint64(b)
	}
	return 0
}

// signed extends the sign of a number of so many octets.
func signed(n uint64, size int) uint64 {
	shift := 64 - 8*size
	return uint64(int64(n<<shift) >> shift)
}

// wrong says why octets cannot be of the type; "" when they can.
func (t *Type) wrong(n int) string {
	switch t.Op {
	case Uint, Int, IP4, IP6, MAC, Bitfield:
		if n != t.Size {
			return fmt.Sprintf("%s of %d octets, want %d", t.Name, n, t.Size)
		}
	case AnyUint, AnyInt:
		if n != 4 && n != 8 {
			return fmt.Sprintf("%s of %d octets, want 4 or 8", t.Name, n)
		}
	case IP:
		if n != 4 && n != 16 {
			return fmt.Sprintf("%s of %d octets, want 4 or 16", t.Name, n)
		}
	case Addr:
		if n == 0 || n != 4 && n != 16 && n%4 != 0 {
			return fmt.Sprintf("address of %d octets, want 4 or 16", n)
		}
	case MPLS:
		if n == 0 || n%4 != 0 {
			return fmt.Sprintf("MPLS labels of %d octets, want a multiple of 4", n)
		}
	}
	return ""
}

// read makes val the value of type t in b. What does not fit its type reads as
// octets.
func (val *Value) read(t *Type, b []byte) {
	val.b = b
	for {
		val.said = t.Op
		switch t.Op {
		case Uint, Int:
			if len(b) != t.Size {
				t = octets
				break
			}
			n := number(b, t.Big || val.typ&NetOrder != 0)
			if t.Op == Int {
				n = signed(n, t.Size)
			}
			val.n = n
		case AnyUint, AnyInt:
			if len(b) != 4 && len(b) != 8 {
				t = octets
				break
			}
			val.n = number(b, t.Big || val.typ&NetOrder != 0)
			if t.Op == AnyInt {
				val.n = signed(val.n, len(b))
			}
		case IP4, IP6, MAC, Bitfield, IP, MPLS:
			if t.wrong(len(b)) != "" {
				t = octets
			}
		case Addr:
			t = addrType(val.at, len(b))
		case Choice:
			u, err := t.Cases.pick(val.at).settle()
			if err != nil {
				u = octets
			}
			t = u
			continue
		case Later:
			u, err := t.settle()
			if err != nil {
				u = octets
			}
			t = u
			continue
		}
		val.Type = t
		return
	}
}

var (
	ip4Type  = &Type{Op: IP4, Size: 4, Name: "ip4"}
	ip6Type  = &Type{Op: IP6, Size: 16, Name: "ip6"}
	mplsType = &Type{Op: MPLS, Name: "mpls"}
)

// Address families, linux/socket.h.
const (
	familyInet  = 2
	familyInet6 = 10
	familyMPLS  = 28
)

// addrType is how an address of n octets reads: by its length, but labels where
// the message's family is MPLS.
func addrType(v *View, n int) *Type {
	if f, ok := v.family(); ok && f == familyMPLS && n > 0 && n%4 == 0 {
		return mplsType
	}
	switch n {
	case 4:
		return ip4Type
	case 16:
		return ip6Type
	}
	return octets
}

// family is the address family of the message.
func (v *View) family() (uint64, bool) {
	for x := v; x != nil; x = x.up {
		if x.c == nil || x.c.family == nil {
			continue
		}
		if f := x.c.family; f.Off+f.Size <= len(x.b) {
			return number(x.b[f.Off:f.Off+f.Size], f.Type.Big), true
		}
	}
	return 0, false
}

// pick is the type that the cases choose in the level v; octets, if none.
func (c *Cases) pick(v *View) *Type {
	t := c.choose(v)
	if t == nil {
		t = c.Always
	}
	if t == nil {
		t = octets
	}
	return t
}

func (c *Cases) choose(v *View) *Type {
	if c.Pick != nil {
		return c.Pick(v)
	}
	for x := v; x != nil; x = x.up {
		if x.c == nil {
			continue
		}
		m := x.c.names[c.By]
		if !m.OK() {
			continue
		}
		if m.Attr != nil {
			if t, err := m.Attr.Type.settle(); err != nil || t.Op == Choice {
				return nil // what depends on others, or on itself, decides nothing
			}
		}
		val, ok := x.Get(m)
		if !ok {
			return nil
		}
		return c.of(&val)
	}
	return nil
}

// of is the case of a value.
func (c *Cases) of(val *Value) *Type {
	switch val.Type.Op {
	case Uint, Int, AnyUint, AnyInt:
		if t := c.Num[val.n]; t != nil {
			return t
		}
		if w := val.Type.Words.Name(val.n); w != "" {
			return c.Word[w]
		}
	case String, CString, Bytes:
		return c.Word[string(trimZero(val.b))]
	}
	return nil
}

func trimZero(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

// Items yields the elements of an Array, a List, a Multi, a Map or a stack of
// labels; of a Map their numbers are keys.
func (val Value) Items() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		switch val.Op() {
		case Array:
			elem, err := val.Type.Elem.settle()
			if err != nil {
				return
			}
			v := &View{b: val.b, up: val.at, msg: val.at.msg, off: val.off, ord: val.ord, gen: val.at.msg.edit, num: val.typ & numberOf, frame: val.in}
			off := 0
			for i := 0; ; i++ {
				n, pad := elem.fixed(), elem.fixed()
				if elem.Op == Struct {
					n, pad = elem.Class.element(val.b[off:])
				}
				if n <= 0 || off+n > len(val.b) {
					return
				}
				e := Value{at: v, off: off, ord: i, in: inArray}
				e.read(elem, val.b[off:off+n:off+n])
				if !yield(e) {
					return
				}
				off += pad
			}
		case List, Map:
			v := &View{b: val.b, up: val.at, msg: val.at.msg, off: val.off, ord: val.ord, gen: val.at.msg.edit, num: val.typ & numberOf, frame: val.in}
			for it := range v.All() {
				it.read(val.Type.Elem, it.b)
				if !yield(it.Value) {
					return
				}
			}
		case Multi:
			for it := range val.at.All() {
				if it.Num() == val.typ&numberOf && !yield(it.Value) {
					return
				}
			}
		}
	}
}

// Count is the number of elements.
func (val Value) Count() int {
	n := 0
	if val.Op() == Array {
		if size := val.Type.Elem.fixed(); size > 0 {
			return len(val.b) / size
		}
	}
	for range val.Items() {
		n++
	}
	return n
}

// A Label is an entry of a stack of MPLS labels, RFC 3032.
type Label struct {
	Label uint32
	TC    uint8
	BOS   bool // the bottom of the stack
	TTL   uint8
}

// Labels are those of an MPLS value.
func (val Value) Labels() []Label {
	out := make([]Label, 0, len(val.b)/4)
	for b := val.b; len(b) >= 4; b = b[4:] {
		n := binary.BigEndian.Uint32(b)
		out = append(out, Label{n >> 12, uint8(n >> 9 & 7), n>>8&1 != 0, uint8(n)})
	}
	return out
}

// Bitfield is the value and the selector of a bit field.
func (val Value) Bitfield() (value, selector uint32) {
	if len(val.b) < 8 {
		return 0, 0
	}
	return binary.NativeEndian.Uint32(val.b), binary.NativeEndian.Uint32(val.b[4:])
}

// Text is the value as it reads in Lua, where that is text or a number.
func (val Value) Text() string { return string(val.AppendText(nil)) }

// AppendText appends [Value.Text].
func (val Value) AppendText(b []byte) []byte {
	switch val.Op() {
	case Uint, AnyUint:
		if s, ok := val.Word(); ok {
			return append(b, s...)
		}
		return strconv.AppendUint(b, val.n, 10)
	case Int, AnyInt:
		if s, ok := val.Word(); ok {
			return append(b, s...)
		}
		return strconv.AppendInt(b, int64(val.n), 10)
	case IP4, IP6, IP:
		a, _ := netip.AddrFromSlice(val.b)
		return a.AppendTo(b)
	case MAC, Hex:
		return appendColons(b, val.b)
	case LLAddr:
		switch len(val.b) {
		case 4, 16:
			a, _ := netip.AddrFromSlice(val.b)
			return a.AppendTo(b)
		}
		return appendColons(b, val.b)
	case CString:
		if val.Type.Size > 0 { // in a field of fixed length
			s, _, _ := bytes.Cut(val.b, zero)
			return append(b, s...)
		}
		return append(b, trimZero(val.b)...)
	case Flag:
		return append(b, "true"...)
	}
	return append(b, val.b...)
}

var zero = []byte{0}

const hexDigits = "0123456789abcdef"

func appendColons(b, octets []byte) []byte {
	for i, c := range octets {
		if i > 0 {
			b = append(b, ':')
		}
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return b
}

// ReadNumber reads an integer of 1, 2, 4 or 8 octets in the host's order.
func ReadNumber(b []byte) uint64 { return number(b, false) }

// ParseAs reads a message with its header; c may be nil.
func ParseAs(raw []byte, c *Class) *Message {
	m := &Message{}
	m.Init(raw, c)
	return m
}

// AttrNumber is the attribute of a number, nil if the class has none.
func (c *Class) AttrNumber(num uint16) *Attr { return c.attr(num & numberOf) }
