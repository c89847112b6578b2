package netlink

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pktsh/engine/wire"
)

// Op is the sort of a type: how octets and a value are made of each other.
type Op uint8

// The sorts. Numbers are in the host's order unless the type says otherwise.
const (
	None     Op = iota + 1 // the contents mean nothing
	Flag                   // there or not there, no contents
	Uint                   // Size octets
	Int                    // Size octets, two's complement
	AnyUint                // 4 or 8 octets, as short as the value allows
	AnyInt                 // the same, signed
	IP4                    // 4 octets
	IP6                    // 16 octets
	IP                     // 4 or 16 octets, by length
	Addr                   // an address of the message's family
	MPLS                   // a stack of MPLS labels
	MAC                    // 6 octets
	LLAddr                 // a link layer address, by length
	Hex                    // octets that read as aa:bb:cc
	Bytes                  // octets
	String                 // text
	CString                // text with a zero at the end
	Bitfield               // struct nla_bitfield32
	Struct                 // a class: fields, attributes or both
	Array                  // values one after another
	List                   // attributes numbered 1, 2, 3…, each a value
	Multi                  // an attribute that occurs many times
	Map                    // attributes whose numbers are keys
	Choice                 // one of several types
	Later                  // a type that is made at its first use
)

var opNames = [...]string{"", "nothing", "flag", "unsigned integer", "signed integer", "unsigned integer", "signed integer",
	"IPv4 address", "IPv6 address", "IP address", "address", "MPLS labels", "MAC address", "link layer address", "octets",
	"octets", "text", "text", "bit field", "structure", "array", "list", "list", "map", "one of several", "structure"}

func (o Op) String() string { return opNames[o] }

// A Type says how a field's or an attribute's octets read.
type Type struct {
	Op   Op
	Size int  // octets; 0 when that varies
	Big  bool // network order
	Name string

	Words *Words   // names of numbers
	Enum  bool     // a number with a name reads as the name
	Flags []string // names of bits, bit 0 first

	Class *Class // of a Struct
	Elem  *Type  // of an Array, List, Multi or Map
	// ElemBits are set on the elements of a List or a Map when they are written.
	ElemBits uint16
	Cases    *Cases // of a Choice
	// Load makes the type of a Later.
	Load func() (*Type, error)
}

// Words are names of numbers, in both directions.
type Words struct {
	names   map[uint64]string
	numbers map[string]uint64
}

// NewWords makes words of names by number; the first name of a number is the
// one it reads as.
func NewWords(of map[uint64][]string) *Words {
	w := &Words{make(map[uint64]string, len(of)), make(map[string]uint64, len(of))}
	keys := make([]uint64, 0, len(of))
	for n := range of {
		keys = append(keys, n)
	}
	slices.Sort(keys)
	for _, n := range keys {
		for i, s := range of[n] {
			if i == 0 {
				w.names[n] = s
			}
			if _, taken := w.numbers[s]; !taken {
				w.numbers[s] = n
			}
		}
	}
	return w
}

// Name is the name of n, "" if it has none.
func (w *Words) Name(n uint64) string {
	if w == nil {
		return ""
	}
	return w.names[n]
}

// Number is the number that s names.
func (w *Words) Number(s string) (uint64, bool) {
	if n, ok := w.numbers[s]; ok {
		return n, true
	}
	for name, n := range w.numbers {
		if strings.EqualFold(name, s) {
			return n, true
		}
	}
	return 0, false
}

func (w *Words) all() []string {
	out := make([]string, 0, len(w.numbers))
	for s := range w.numbers {
		out = append(out, s)
	}
	return out
}

// Cases choose a type by another member: an attribute beside it, or a field or
// attribute of this or an outer level.
type Cases struct {
	By     string
	Num    map[uint64]*Type
	Word   map[string]*Type
	Always *Type // when no case fits; nil: octets
	// Pick is asked instead, when By is empty.
	Pick func(v *View) *Type
}

// octets is the type of what has no better one.
var octets = &Type{Op: Bytes, Name: "bytes"}

var simpleTypes = map[string]Type{
	"none": {Op: None}, "flag": {Op: Flag},
	"uint": {Op: AnyUint}, "sint": {Op: AnyInt}, "int": {Op: AnyInt},
	"ip4": {Op: IP4, Size: 4}, "ip6": {Op: IP6, Size: 16}, "ipaddr": {Op: IP}, "addr": {Op: Addr}, "target": {Op: Addr},
	"ip4addr": {Op: IP4, Size: 4}, "ip6addr": {Op: IP6, Size: 16},
	"mpls": {Op: MPLS}, "mpls_target": {Op: MPLS},
	"l2addr": {Op: MAC, Size: 6}, "mac": {Op: MAC, Size: 6}, "lladdr": {Op: LLAddr},
	"hex": {Op: Hex}, "bytes": {Op: Bytes}, "binary": {Op: Bytes}, "cdata": {Op: Bytes},
	"string": {Op: String}, "text": {Op: String}, "asciiz": {Op: CString}, "nul_string": {Op: CString}, "cstring": {Op: CString},
	"bitfield32": {Op: Bitfield, Size: 8},
	"be8":        {Op: Uint, Size: 1, Big: true},
}

func init() {
	for n := 1; n <= 8; n *= 2 {
		bits := strconv.Itoa(8 * n)
		for _, name := range []string{"u" + bits, "uint" + bits} {
			simpleTypes[name] = Type{Op: Uint, Size: n}
		}
		for _, name := range []string{"s" + bits, "int" + bits} {
			simpleTypes[name] = Type{Op: Int, Size: n}
		}
		if n > 1 {
			simpleTypes["be"+bits] = Type{Op: Uint, Size: n, Big: true}
			simpleTypes["sbe"+bits] = Type{Op: Int, Size: n, Big: true}
		}
	}
}

// ParseType reads a type by name: "u32", "asciiz", "array(u16)", "*u32". self is
// the class that "self" means.
func ParseType(s string, self *Class) (*Type, error) {
	if t, ok := simpleTypes[s]; ok {
		t.Name = s
		return &t, nil
	}
	switch {
	case s == "self" || s == "recursive":
		if self == nil {
			return nil, fmt.Errorf("%q means the class of attributes that is being declared, and there is none", s)
		}
		return &Type{Op: Struct, Class: self, Name: self.Name}, nil
	case strings.HasPrefix(s, "*"):
		elem, err := ParseType(s[1:], self)
		if err != nil {
			return nil, err
		}
		return ListOf(elem), nil
	case strings.HasSuffix(s, ")"):
		for _, of := range []struct {
			name string
			make func(*Type) *Type
		}{{"array(", ArrayOf}, {"list(", ListOf}, {"multi(", MultiOf}, {"map(", MapOf}} {
			if inner, ok := strings.CutPrefix(s[:len(s)-1], of.name); ok {
				elem, err := ParseType(inner, self)
				if err != nil {
					return nil, err
				}
				return of.make(elem), nil
			}
		}
	}
	all := []string{"self", "array", "list", "multi", "map"}
	for name := range simpleTypes {
		all = append(all, name)
	}
	return nil, faultf(wire.ErrArgument, "no type %q%s", s, didYouMean(s, all))
}

// ArrayOf is the type of values one after another.
func ArrayOf(t *Type) *Type { return &Type{Op: Array, Elem: t, Name: "array(" + t.Name + ")"} }

// ListOf is the type of an attribute of attributes 1, 2, 3…
func ListOf(t *Type) *Type { return &Type{Op: List, Elem: t, Name: "list(" + t.Name + ")"} }

// MultiOf is the type of an attribute that occurs many times.
func MultiOf(t *Type) *Type { return &Type{Op: Multi, Elem: t, Name: "multi(" + t.Name + ")"} }

// MapOf is the type of an attribute of attributes whose numbers are keys.
func MapOf(t *Type) *Type { return &Type{Op: Map, Elem: t, Name: "map(" + t.Name + ")"} }

// Of is the type of a class.
func Of(c *Class) *Type { return &Type{Op: Struct, Class: c, Name: c.Name} }

// settle is t, or what it turns out to be at its first use.
func (t *Type) settle() (*Type, error) {
	if t.Op != Later {
		return t, nil
	}
	u, err := t.Load()
	if err != nil {
		return nil, err
	}
	if u.Op == Later {
		if u, err = u.settle(); err != nil {
			return nil, err
		}
	}
	*t = *u
	return t, nil
}

// nested reports whether values of the type have members or elements.
func (t *Type) nested() bool { return t.Op >= Struct }

// word is the text that the number n reads as; false: it reads as a number.
func (t *Type) word(n uint64) (string, bool) {
	if t.Flags != nil {
		return t.FlagText(n), true
	}
	if t.Enum {
		s, ok := t.Words.names[n]
		return s, ok
	}
	return "", false
}

// FlagText is a set of flags as text, "UP+BROADCAST"; bits without a name are a
// number at the end.
func (t *Type) FlagText(n uint64) string {
	if n == 0 {
		return ""
	}
	var b []byte
	for i, f := range t.Flags {
		if n>>i&1 == 0 || f == "" {
			continue
		}
		n &^= 1 << i
		if len(b) > 0 {
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

// parseFlags reads "UP+BROADCAST", "UP,0x10", "UP|BROADCAST" or a number.
func (t *Type) parseFlags(s string) (uint64, error) {
	var n uint64
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == '+' || r == ',' || r == '|' || r == ' ' }) {
		m, err := t.flagWord(w)
		if err != nil {
			return 0, err
		}
		n |= m
	}
	return n, nil
}

func (t *Type) flagWord(w string) (uint64, error) {
	for i, f := range t.Flags {
		if f != "" && strings.EqualFold(f, w) {
			return 1 << i, nil
		}
	}
	if w[0] >= '0' && w[0] <= '9' {
		if m, err := strconv.ParseUint(w, 0, 64); err == nil {
			return m, nil
		}
	}
	return 0, faultf(wire.ErrArgument, "no flag %q%s", w, didYouMean(w, slices.Clone(t.Flags)))
}

// fault is a message that is one of wire's sentinels without printing it.
type fault struct {
	msg  string
	kind error
}

func (f *fault) Error() string        { return f.msg }
func (f *fault) Is(target error) bool { return target == f.kind }

// Kind is the word that scripts branch on.
func (f *fault) Kind() string {
	switch f.kind {
	case wire.ErrRange:
		return "range"
	case wire.ErrMissing:
		return "missing"
	case wire.ErrTruncated:
		return "truncated"
	}
	return "argument"
}

func faultf(kind error, format string, args ...any) error {
	return &fault{fmt.Sprintf(format, args...), kind}
}

func didYouMean(w string, known []string) string {
	if s := wire.Suggest(w, known); s != "" {
		return fmt.Sprintf(" (did you mean %q?)", s)
	}
	return ""
}

// All yields the numbers in ascending order with their names.
func (w *Words) All() iter.Seq2[uint64, string] {
	return func(yield func(uint64, string) bool) {
		if w == nil {
			return
		}
		for _, n := range slices.Sorted(maps.Keys(w.names)) {
			if !yield(n, w.names[n]) {
				return
			}
		}
	}
}
