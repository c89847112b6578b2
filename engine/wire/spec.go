package wire

// Spec declares a layout: the fields of one protocol header in wire order.
type Spec struct {
	Name    string // capitalised, Scapy's word where it has one
	Doc     string
	Summary string // template of the one-line print-out, fields in braces; see template
	Fields  []FieldSpec

	// Opaque, when it holds, keeps the payload from being parsed further: a
	// fragment that is not the first one, for instance.
	Opaque Cond
	// Quotes, when it holds, says that the payload is the beginning of another
	// packet, as in ICMP errors: what is cut off there is no fault.
	Quotes Cond
	// Instead names the layout to parse with when the condition holds on what
	// this one reads: Dot3 for an Ether whose type is a length.
	Instead     string
	InsteadWhen Cond
	// Answers says what makes a packet the reply to another; see [Packet.Answers].
	Answers []Answer
	// FinalDst says where a source route holds the final destination.
	FinalDst *FinalDst
	// Below says what the layers below should have that nobody has set there, beside
	// what the rules of who follows whom tell.
	Below []Below
}

// Below is a value for a field of a layer below, for headers of which this one
// holds: the hop limit of 255 under neighbour discovery. Headers between the two
// that borrow the lower one's numbers, as extension headers do, do not matter.
type Below struct {
	Under, Field string
	Value        uint64
	When         Cond // on this header
}

// FinalDst says where a source route keeps the final destination, which is what
// the pseudo-header holds (RFC 8200 §8.1, RFC 791 §3.1).
type FinalDst struct {
	Field   string    // a list of addresses, or options
	Options []string  // with options: the names of those that are routes
	Left    string    // the route counts only while this field is not zero
	When    Cond      // and this holds
	First   bool      // the final destination is the first of the list, not the last (RFC 8754)
	Src     bool      // it is the source instead: a home address, RFC 6275 §11.3.1
	Or      *FinalDst // another rule, for when this one tells nothing
}

// Words are the names of numbers. The first name of a number is the one that is
// printed, all are accepted.
type Words map[uint64][]string

// FieldSpec declares one field. Several fields may have one name if all have
// conditions of which at most one holds.
type FieldSpec struct {
	Name    string
	Aliases []string // further names, accepted and never printed

	// Type is one of
	//
	//	u1…u64 s1…s64 (big endian), u16le, u16host …
	//	mac ip4 ip6
	//	bytes text     Size octets, or the rest of the layer; a text of a fixed size
	//	               reads without the zeros that fill it up
	//	cstring        up to and with the first zero octet
	//	name           a DNS name, which may be compressed when read
	//	list           repeated Of
	//	tlv            options, see TLV
	//	record         Record's fields
	//	X              another layout, nested
	//
	// A field of any other type with Count, or of a type of fixed size with
	// Size, is a list as well.
	Type   string
	Of     string      // element type of a list
	TLV    *TLVSpec    // for type tlv
	Record []FieldSpec // for type record, or a list of record

	Default any // nil: zero, empty

	Auto *Auto  // computed unless it was set
	Unit int    // of an octets rule (default 1)
	Plus int    // added to a computed length or count; taken off when Count reads the field
	Zero uint64 // sent in place of a computed zero

	Names   Words            // accepted when written, shown when printed; reads as a number
	NamesBy string           // with NamesOf: the field whose value says which names
	NamesOf map[uint64]Words // by value of NamesBy
	Enum    Words            // as Names, and reads as the name
	Flags   []string         // names of bits, bit 0 first

	When     Cond  // present only when it holds (nil: always)
	Optional bool  // present only when there are octets for it
	Size     *Size // octets
	Count    *Size // elements of a list
	Bounds   bool  // the payload has so many Units, unless it is zero

	// Pad fills the field with zeros (options: with what TLV.Fill says) until
	// the header up to here is a multiple of so many octets.
	Pad int

	Show string // "hex" or "" for printing
	Doc  string
}

// Size is a number of octets or elements: Mul times the value of Field plus
// Add, or what Func says. Without Field and Func it is just Add.
type Size struct {
	Field string
	Mul   int // 0 counts as 1
	Add   int
	Rest  bool // less the octets of the fields of variable size that stand before
	All   bool // as many as there are
	Func  func(Record) (int, error)
}

// Fixed is the size n.
func Fixed(n int) *Size { return &Size{Add: n} }

// By is mul times the value of a field plus add.
func By(field string, mul, add int) *Size { return &Size{Field: field, Mul: mul, Add: add} }

// RestOf is By less the octets of fields of variable size that stand before.
func RestOf(field string, mul, add int) *Size {
	return &Size{Field: field, Mul: mul, Add: add, Rest: true}
}

// Range is a set of values lo..hi, both included.
type Range struct{ Lo, Hi uint64 }

// Test holds when the field's value, after Mask (0: all bits), is in one of the
// ranges; with Not, when it is in none.
type Test struct {
	Field string
	Mask  uint64
	In    []Range
	Not   bool

	f *Field
}

// Is tests for any of the given values.
func Is(field string, values ...uint64) Test {
	t := Test{Field: field}
	for _, v := range values {
		t.In = append(t.In, Range{v, v})
	}
	return t
}

// Between tests for lo..hi.
func Between(field string, lo, hi uint64) Test {
	return Test{Field: field, In: []Range{{lo, hi}}}
}

// Bits tests that at least one of the bits in mask is set.
func Bits(field string, mask uint64) Test {
	return Test{Field: field, Mask: mask, In: []Range{{1, ^uint64(0)}}}
}

// Cond is a condition on the fields of a header: every test must hold, and
// Func. The zero Cond always holds; where a Cond switches something on, it does
// not count.
type Cond struct {
	Tests []Test
	Func  func(Record) (bool, error)
}

// When is the condition that every test holds.
func When(tests ...Test) Cond { return Cond{Tests: tests} }

func (c *Cond) none() bool { return len(c.Tests) == 0 && c.Func == nil }

// Auto is the rule of an automatic field; see [Octets], [CountOf], [Next],
// [Checksum], [CRC32], [CRC32C] and [Computed].
type Auto struct {
	kind  autoKind
	cover []string
	like  string
	add   int
	fn    func(Layer) (any, error)
}

type autoKind uint8

const (
	autoOctets autoKind = iota + 1
	autoCount
	autoNext
	autoFunc
	autoChecksum
	autoCRC32
	autoCRC32C
)

// String names the rule as the layout language writes it.
func (a *Auto) String() string {
	return [...]string{"", "octets", "count", "next", "function", "checksum", "crc32", "crc32c"}[a.kind]
}

// Octets counts the octets of what is named: the layout itself (its header),
// "payload", or fields of the header. The field's Unit divides the sum, rounding up.
// A rule that covers "payload" also bounds the payload when a packet is parsed.
func Octets(cover ...string) *Auto { return &Auto{kind: autoOctets, cover: cover} }

// Add returns the rule with n octets added to its sum before it is divided.
func (a *Auto) Add(n int) *Auto {
	b := *a
	b.add += n
	return &b
}

// CountOf counts the elements of a list field.
func CountOf(field string) *Auto { return &Auto{kind: autoCount, cover: []string{field}} }

// Next is the number under which the following layer is known here, or the
// field's default when that has none. Like names another layout's field,
// "Ether.type", whose numbers count here as well; "" is for none.
func Next(like string) *Auto { return &Auto{kind: autoNext, like: like} }

// Checksum is the Internet checksum (RFC 1071) over what is named: the layout
// itself (its header), "payload", fields of the header, and "pseudo" for the
// pseudo-header of the enclosing IP or IPv6 layer. Without such a layer a
// checksum that needs it is zero.
func Checksum(cover ...string) *Auto { return &Auto{kind: autoChecksum, cover: cover} }

// CRC32 is the CRC of IEEE 802.3 over what is named, the field itself as zeros.
func CRC32(cover ...string) *Auto { return &Auto{kind: autoCRC32, cover: cover} }

// CRC32C is Castagnoli's CRC as in SCTP (RFC 9260 appendix A).
func CRC32C(cover ...string) *Auto { return &Auto{kind: autoCRC32C, cover: cover} }

// Computed is a rule in code; its result is anything [Layer.Set] accepts.
func Computed(fn func(Layer) (any, error)) *Auto { return &Auto{kind: autoFunc, fn: fn} }

// TLVSpec declares a list of options: type, length, value, each shape of them.
type TLVSpec struct {
	Type, Length string // unsigned integer types (default "u8"); a run of bits such as u7, u9 works too
	LengthFirst  bool   // the length stands before the type (netlink)
	Includes     bool   // the length counts the type and the length as well
	Unit         int    // of the length (default 1); values are padded to it
	Align        int    // every option begins at a multiple of so many octets; the length does not count the filling
	Options      []OptionSpec

	Pad  int    // the header up to the end of the options is a multiple of so many octets
	Fill string // name of the option that fills up to Pad, with a single-octet one for a gap of one; "": zeros
}

// OptionSpec declares one option. Its value is nothing, or one of Type, Of,
// TLV and Record as in [FieldSpec]. A record of one field reads as that field.
type OptionSpec struct {
	Code   uint64
	Name   string
	Single bool // neither length nor value: NOP
	Stop   bool // ends the list: EOL
	Type   string
	Of     string
	TLV    *TLVSpec
	Record []FieldSpec
	Enum   Words
	Names  Words
	Show   string
	Doc    string
}
