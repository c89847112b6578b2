package netlink

import (
	"fmt"
	"slices"
	"strings"

	"pktsh/engine/wire"
)

// Bits of an attribute's type, linux/netlink.h.
const (
	Nested    = 0x8000 // NLA_F_NESTED
	NetOrder  = 0x4000 // NLA_F_NET_BYTEORDER
	numberOf  = 0x3fff // NLA_TYPE_MASK
	attrsHead = 4      // struct nlattr
)

// A Class is the shape of a message, of an attribute's contents, or of a C
// structure: fixed fields, back to back, then attributes.
type Class struct {
	Name, Doc string
	Prefix    string // of the attributes' names in the kernel's headers, "IFLA_"
	Fields    []*Field
	Size      int    // octets of the fixed part, without a tail
	Tail      *Field // a last field whose length varies
	HasAttrs  bool
	Attrs     []*Attr // as declared

	// Event names messages by type; Always names all of them.
	Event  map[uint16]string
	Always string
	// Variants choose the class of a message by a field of its fixed part;
	// Requests those of requests.
	Variants, Requests *Cases
	// Length is the field that holds the octets of one element where elements of
	// this class stand one after another, as struct rtnexthop does.
	Length *Field

	Handle any // of the bindings

	family *Field
	low    []*Attr // by number, for small numbers
	high   map[uint16]*Attr
	names  map[string]Member
}

// A Field is a part of the fixed part.
type Field struct {
	Name, Doc string
	Type      *Type
	Off, Size int
	Index     int
	Default   Input
	Hex       bool // shown in hexadecimal
	Pad       bool // there for alignment only: shown when it is not zero
	// Of a tail, whose Size is 0: the field that has its length; nil: it takes the
	// rest.
	SizeBy *Field
}

// An Attr is a row of a class's table of attributes.
type Attr struct {
	Name, Doc string // as in the kernel's headers, without the prefix
	Key       string // what it is called in Lua: in lower case, unless a field has that name
	Num       uint16
	Bits      uint16 // Nested, NetOrder: set when it is written
	Type      *Type
	Write     *Type // what it is written as, where that is another type
	Index     int
	Hex       bool
}

// A Member is a field or an attribute.
type Member struct {
	Field *Field
	Attr  *Attr
}

// OK reports whether there is one.
func (m Member) OK() bool { return m.Field != nil || m.Attr != nil }

// Key is the member's name in Lua.
func (m Member) Key() string {
	if m.Field != nil {
		return m.Field.Name
	}
	return m.Attr.Key
}

// Define lays the class out. Names in reserved are no keys of attributes.
func (c *Class) Define(reserved func(string) bool) error {
	c.names = make(map[string]Member, len(c.Fields)+3*len(c.Attrs))
	off := 0
	for i, f := range c.Fields {
		if f.Size <= 0 {
			f.Size = f.Type.fixed()
		}
		if f.Size <= 0 {
			if i+1 < len(c.Fields) {
				return c.fault(f.Name, "a %s has no fixed length, and only the last field can go without", f.Type.Name)
			}
			if c.HasAttrs && len(c.Attrs) > 0 && f.SizeBy == nil {
				return c.fault(f.Name, "takes the rest of the octets, and the class has attributes")
			}
			c.Tail, f.Size = f, 0
		}
		if c.names[f.Name].OK() {
			return c.fault(f.Name, "is declared twice")
		}
		if f.Type.Op == CString && f.Type.Size != f.Size { // it ends at its first zero
			t := *f.Type
			t.Size = f.Size
			f.Type = &t
		}
		f.Off, f.Index = off, i
		f.Pad = strings.TrimRight(strings.TrimLeft(f.Name, "_"), "0123456789") == "pad"
		off += f.Size
		c.names[f.Name] = Member{Field: f}
		if f.Name == "family" && f.Type.Op == Uint {
			c.family = f
		}
	}
	if c.Tail != nil && c.Tail.SizeBy == nil {
		c.HasAttrs = false
	}
	if c.Size = off; off > 1<<15 {
		return c.fault("", "a fixed part of %d octets", off)
	}
	for i, a := range c.Attrs {
		if a.Num > numberOf {
			return c.fault(a.Name, "attributes have numbers up to %d, not %d", numberOf, a.Num)
		}
		a.Index = i
		if err := c.index(a); err != nil {
			return err
		}
		// The name of the kernel's header and the one in capitals always mean the
		// attribute; the one in lower case is a field's, if one has it.
		low := strings.ToLower(a.Name)
		a.Key = low
		if c.names[low].Field != nil || reserved != nil && reserved(low) {
			a.Key = a.Name
		}
		for _, name := range []string{a.Key, a.Name, c.Prefix + a.Name} {
			if old := c.names[name]; old.Attr != nil && old.Attr != a {
				return c.fault(a.Name, "is declared twice")
			} else if !old.OK() {
				c.names[name] = Member{Attr: a}
			}
		}
	}
	// The kernel's name less its first word, too: "br_group_addr" where the prefix
	// is "IFLA_BR_"; what is declared under such a name comes first.
	if _, rest, ok := strings.Cut(c.Prefix, "_"); ok && rest != "" {
		for _, a := range c.Attrs {
			name := strings.ToLower(rest + a.Name)
			if !c.names[name].OK() && (reserved == nil || !reserved(name)) {
				c.names[name] = Member{Attr: a}
			}
		}
	}
	return nil
}

func (c *Class) index(a *Attr) error {
	if c.attr(a.Num) != nil {
		return c.fault(a.Name, "number %d is %s already", a.Num, c.attr(a.Num).Name)
	}
	if a.Num < 256 {
		if n := int(a.Num) + 1 - len(c.low); n > 0 {
			c.low = append(c.low, make([]*Attr, n)...)
		}
		c.low[a.Num] = a
		return nil
	}
	if c.high == nil {
		c.high = map[uint16]*Attr{}
	}
	c.high[a.Num] = a
	return nil
}

func (c *Class) fault(member, format string, args ...any) error {
	return &wire.Error{Layout: c.Name, Field: member, Offset: -1, Err: faultf(wire.ErrArgument, format, args...)}
}

// attr is the attribute of a number without bits, nil if the class has none.
func (c *Class) attr(num uint16) *Attr {
	if int(num) < len(c.low) {
		return c.low[num]
	}
	return c.high[num]
}

// Member looks a name up: a field's, an attribute's in lower case or capitals,
// or the kernel's with its prefix.
func (c *Class) Member(name string) Member { return c.names[name] }

// AttrNamed looks an attribute up even where a field has the same name.
func (c *Class) AttrNamed(name string) *Attr {
	if m := c.names[name]; m.Attr != nil {
		return m.Attr
	}
	up := strings.ToUpper(name)
	if m := c.names[up]; m.Attr != nil {
		return m.Attr
	}
	for _, a := range c.Attrs {
		if strings.EqualFold(a.Name, name) {
			return a
		}
	}
	return nil
}

// Unknown is the error for a name that the class does not have.
func (c *Class) Unknown(name string) error {
	var known []string
	for _, f := range c.Fields {
		known = append(known, f.Name)
	}
	upper := name == strings.ToUpper(name)
	for _, a := range c.Attrs {
		switch {
		case upper && c.Prefix != "" && strings.HasPrefix(name, c.Prefix):
			known = append(known, c.Prefix+a.Name)
		case upper:
			known = append(known, a.Name)
		default:
			known = append(known, a.Key)
		}
	}
	what := "no such field or attribute"
	switch {
	case len(c.Fields) == 0:
		what = "no such attribute"
	case !c.HasAttrs:
		what = "no such field"
	}
	return &wire.Error{Layout: c.Name, Field: name, Offset: -1,
		Err: faultf(wire.ErrMissing, "%s%s", what, didYouMean(name, known))}
}

// fixed is the length of values of the type, if it never varies.
func (t *Type) fixed() int {
	switch t.Op {
	case Struct:
		if t.Class.HasAttrs || t.Class.Tail != nil {
			return 0
		}
		return t.Class.Size
	case Array:
		return t.Size
	}
	return t.Size
}

// variant is the class of a message with this fixed part.
func (c *Class) variant(flags uint16, v *View) *Class {
	for range 4 {
		cases := c.Variants
		if flags&FlagRequest != 0 && c.Requests != nil {
			cases = c.Requests
		}
		if cases == nil {
			return c
		}
		v.c = c
		t, err := cases.pick(v).settle()
		if err != nil || t.Op != Struct {
			return c
		}
		c = t.Class
	}
	return c
}

// EventOf names a message of this type.
func (c *Class) EventOf(typ uint16) string {
	if c.Always != "" {
		return c.Always
	}
	return c.Event[typ]
}

// Has says what a name means: "field", "attr" or "".
func (c *Class) Has(name string) string {
	switch m := c.names[name]; {
	case m.Field != nil:
		return "field"
	case m.Attr != nil:
		return "attr"
	}
	return ""
}

// SortedAttrs are the attributes by number.
func (c *Class) SortedAttrs() []*Attr {
	out := slices.Clone(c.Attrs)
	slices.SortFunc(out, func(a, b *Attr) int { return int(a.Num) - int(b.Num) })
	return out
}

// String is what the class is called.
func (c *Class) String() string { return fmt.Sprintf("class %s", c.Name) }
