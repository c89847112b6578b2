package wire

import (
	"encoding/binary"
	"fmt"
	"iter"
	"reflect"
	"strconv"
	"strings"
)

// mask is a set of fields of one layout.
type mask [2]uint64

func (m *mask) has(i int) bool { return m[i>>6]>>(i&63)&1 != 0 }
func (m *mask) add(i int)      { m[i>>6] |= 1 << (i & 63) }
func (m *mask) del(i int)      { m[i>>6] &^= 1 << (i & 63) }

const maxFields = 128

// A Layout is a compiled [Spec].
type Layout struct {
	Name, Doc, Summary string

	reg    *Registry
	fields []*Field
	byName map[string]*Field // names and aliases; the first of several variants
	anon   bool              // an option's value

	fixedBits int      // what stands before the first field that may move
	tails     []*Field // the fields that may move
	all       mask

	nexts   []*Field // automatic by who follows
	autos   []*Field // automatic by another rule, in the order they are computed
	lengths int      // how many of autos are lengths and counts
	bounds  []*Field // tell where the payload ends
	pseudo  [2]*Field

	opaque, quotes, insteadWhen Cond
	instead                     string
	final                       *FinalDst
	below                       []Below
	quick                       quick
	// With calm not zero, neither opaque nor quotes holds while these bits are zero.
	calm   uint16
	calmAt int
	flat   bool // opaque and quotes look at fixed fields alone
	usual  bool // and calm says when neither holds

	tmpl     []byte // the header with defaults
	tmplTail []uint32
	tmplHas  mask
	tmplOK   bool

	summary template
	answers []Answer

	follow    *chain
	lastUpper *Layout
	lastFills []fill
	lastGen   int
}

// A Field is one field of a layout.
type Field struct {
	Name, Doc string
	Aliases   []string
	Type      *Type
	Layout    *Layout

	spec    *FieldSpec
	idx     int
	octet   int // pos / 8, or where the octets begin that op looks at
	op      op  // how an integer at a fixed place is read and written
	shift   uint8
	mask    uint64
	gen     int // of the registry when named was found out
	named   bool
	steers  bool // what a layer below should have looks at it
	plain   bool // a whole unsigned integer at a fixed place that reads as a number
	pos     int  // bit from the start of the header, if fixed; else -1
	tail    int  // place among the fields that may move, else -1
	width   int  // bits, if fixed; else -1
	alt     *Field
	def     uint64
	defOct  []byte
	when    Cond
	size    *Size
	sizeF   *Field
	count   *Size
	countF  *Field
	auto    *Auto
	cover   cover
	whole   bool // a checksum at an even octet over the header, or header and payload
	unit    int
	control bool // the presence of other fields depends on it
	namesBy *Field
	namesOf map[uint64]*words

	likeLayout, likeField string
}

// op says how an integer at a fixed place is read and written: within two octets
// of the header, within four, or in any other way.
type op uint8

const (
	opAny op = iota
	op16
	op32
)

// setOp finds the way for a field at a fixed place of a header that has at least so many octets.
func (f *Field) setOp(octets int) {
	f.octet = f.pos / 8
	if f.Type.Kind != Uint || f.Type.LE {
		return
	}
	f.mask = ^uint64(0) >> (64 - f.width)
	end := (f.pos + f.width + 7) / 8
	n := 2
	switch {
	case end-f.octet <= 2 && octets >= 2:
		f.op = op16
	case end-f.octet <= 4 && octets >= 4:
		f.op, n = op32, 4
	default:
		return
	}
	f.octet = min(f.octet, octets-n)
	f.shift = uint8((f.octet+n)*8 - f.pos - f.width)
}

// fetch reads an integer at a fixed place of a whole header.
func (f *Field) fetch(b []byte) uint64 {
	if f.op == op16 {
		return uint64(binary.BigEndian.Uint16(b[f.octet:])) >> f.shift & f.mask
	}
	return f.fetchAny(b)
}

func (f *Field) fetchAny(b []byte) uint64 {
	if f.op == op32 {
		return uint64(binary.BigEndian.Uint32(b[f.octet:])) >> f.shift & f.mask
	}
	return f.Type.get(b, f.pos)
}

// store writes an integer at a fixed place of a whole header.
func (f *Field) store(b []byte, v uint64) {
	switch f.op {
	case op16:
		c := b[f.octet : f.octet+2 : f.octet+2]
		binary.BigEndian.PutUint16(c, binary.BigEndian.Uint16(c)&^uint16(f.mask<<f.shift)|uint16(v&f.mask<<f.shift))
	case op32:
		c := b[f.octet : f.octet+4 : f.octet+4]
		binary.BigEndian.PutUint32(c, binary.BigEndian.Uint32(c)&^uint32(f.mask<<f.shift)|uint32(v&f.mask<<f.shift))
	default:
		f.Type.put(b, f.pos, v)
	}
}

// cover is what an automatic rule looks at.
type cover struct {
	header, payload, pseudo bool
	fields                  []*Field
}

// A window is an integer within two octets at a fixed place, as most lengths and numbers are.
type window struct {
	octet int
	mask  uint16
	shift uint8
}

func (f *Field) window() window { return window{f.octet, uint16(f.mask), f.shift} }

func (w *window) fetch(b []byte) int {
	return int(binary.BigEndian.Uint16(b[w.octet:]) >> w.shift & w.mask)
}

// quick is what finding a usual header takes: one of a fixed length, or with one field
// at its end that another sizes, and at most one length that bounds the payload.
type quick struct {
	ok          bool
	fixed       int
	has         mask
	size, bound window
	mul, add    int // of size
	unit, plus  int // of bound
	header      bool
}

// calm finds bits that are all zero when neither opaque nor quotes holds, if
// such bits in two octets are all that the conditions look at.
func (l *Layout) setCalm() {
	var mask uint64
	at := -1
	for _, c := range []*Cond{&l.opaque, &l.quotes} {
		if c.none() {
			continue
		}
		if c.Func != nil || len(c.Tests) != 1 || len(c.Tests[0].In) != 1 {
			return
		}
		t := &c.Tests[0]
		f, in := t.f, t.In[0]
		if f.op != op16 || f.alt != nil || at >= 0 && f.octet != at {
			return
		}
		bits := f.mask
		if t.Mask != 0 {
			bits &= t.Mask
		}
		zero := t.Not && in == Range{} || !t.Not && in.Lo == 1 && in.Hi >= bits
		if !zero {
			return
		}
		at = f.octet
		mask |= bits << f.shift
	}
	if at >= 0 {
		l.calmAt, l.calm = at, uint16(mask)
	}
}

func (l *Layout) setQuick() {
	q := quick{ok: true, fixed: l.fixedBits / 8}
	if len(l.tails) > 0 {
		f := l.tails[0]
		g := f.sizeF
		if len(l.tails) > 1 || g == nil || g.pos < 0 || g.op != op16 || g.alt != nil || f.Conditional() || f.size.All || f.size.Func != nil || f.width >= 0 {
			return
		}
		q.size, q.mul, q.add = g.window(), max(f.size.Mul, 1), f.size.Add
		q.has.add(f.idx)
	}
	if len(l.bounds) > 0 {
		f := l.bounds[0]
		if len(l.bounds) > 1 || f.pos < 0 || f.op != op16 || f.auto == nil || f.auto.kind != autoOctets || f.cover.fields != nil {
			return
		}
		q.bound, q.unit, q.header = f.window(), f.unit, f.cover.header
		q.plus = f.spec.Plus*f.unit + f.auto.add
	}
	l.quick = q
}

// Fields yields the fields in wire order, all variants of a name.
func (l *Layout) Fields() iter.Seq[*Field] {
	return func(yield func(*Field) bool) {
		for _, f := range l.fields {
			if !yield(f) {
				return
			}
		}
	}
}

// Field returns the field of that name or alias (the first of several variants), or nil.
func (l *Layout) Field(name string) *Field { return l.byName[name] }

// Registry is the one the layout was defined in.
func (l *Layout) Registry() *Registry { return l.reg }

// Size is the length of the header in octets if it is always the same, else -1.
func (l *Layout) Size() int {
	if len(l.tails) > 0 {
		return -1
	}
	return l.fixedBits / 8
}

// Single reports whether the layout is an option's value of one field, which reads as that field.
func (l *Layout) Single() bool { return l.anon && l.single() != nil }

// Anonymous reports whether the layout is an option's value.
func (l *Layout) Anonymous() bool { return l.anon }

// FieldNames lists the names of the fields in wire order, each once.
func (l *Layout) FieldNames() []string {
	var out []string
	for _, f := range l.fields {
		if l.byName[f.Name] == f {
			out = append(out, f.Name)
		}
	}
	return out
}

// Unknown is the error for a name that is no field of l.
func (l *Layout) Unknown(name string) error {
	e := &Error{Layout: l.Name, Field: name, Offset: -1,
		Err: faultf(ErrMissing, "no such field%s", didYouMean(name, l.FieldNames()))}
	e.hint = fmt.Sprintf("%s has: %s", l.Name, strings.Join(l.FieldNames(), " "))
	return e
}

// Index is the field's place in its layout.
func (f *Field) Index() int { return f.idx }

// Fixed is the position in bits from the start of the header and the width in
// bits, if both are always the same.
func (f *Field) Fixed() (pos, width int, ok bool) { return f.pos, f.width, f.pos >= 0 && f.width >= 0 }

// Auto is the field's rule, nil for none.
func (f *Field) Auto() *Auto { return f.auto }

// Spec is the field's declaration; it must not be changed.
func (f *Field) Spec() *FieldSpec { return f.spec }

// Variant is the next field of the same name, nil when there are no more.
func (f *Field) Variant() *Field { return f.alt }

// CanBe says why a test of the field could not hold whatever the header says: a value that the
// field has no room for. Fields that are no plain unsigned integers can be anything.
func (f *Field) CanBe(t Test) error {
	if f.Type.Kind != Uint || f.Type.Bits >= 64 || t.Mask != 0 {
		return nil
	}
	for _, r := range t.In {
		v := r.Lo
		if v>>f.Type.Bits == 0 && r.Hi != ^uint64(0) {
			v = r.Hi
		}
		if v>>f.Type.Bits != 0 {
			return f.Type.noFit(strconv.FormatUint(v, 10))
		}
	}
	return nil
}

// Conditional reports whether the field may be absent.
func (f *Field) Conditional() bool { return !f.when.none() || f.spec.Optional }

func (f *Field) err(err error) error {
	return &Error{Layout: f.Layout.Name, Field: f.Name, Offset: -1, Err: err, hint: ""}
}

// fieldType compiles the type of a field or of an option's value.
func (r *Registry) fieldType(s *FieldSpec, owner string) (*Type, error) {
	name := s.Type
	of := func(name string) (*Type, error) {
		if name == "record" {
			l, err := r.compile(Spec{Name: owner, Fields: s.Record}, true)
			if err != nil {
				return nil, err
			}
			return &Type{Kind: RecordOf, Size: l.Size(), reg: r, rec: l}, nil
		}
		return r.parseType(name)
	}
	var t *Type
	var err error
	switch {
	case name == "tlv" || name == "" && s.TLV != nil:
		tlv, e := r.compileTLV(s.TLV)
		t, err = &Type{Kind: OptionsOf, Size: -1, TLV: tlv, reg: r}, e
	case name == "record" || name == "" && s.Record != nil:
		t, err = of("record")
	case name == "list":
		if s.Of == "" && s.Record != nil {
			t, err = of("record")
		} else if s.Of == "" {
			err = faultf(ErrArgument, "a list of what? say of = a type")
		} else {
			t, err = of(s.Of)
		}
	default:
		t, err = of(name)
	}
	if err != nil {
		return nil, err
	}
	t.Show = s.Show
	t.Flags = s.Flags
	t.letters = t.shortFlags()
	names := s.Names
	if s.Enum != nil {
		names, t.Enum = s.Enum, true
	}
	t.words = newWords(names)
	if (t.words != nil || t.Flags != nil) && !t.integer() {
		return nil, faultf(ErrArgument, "only integers have names, enum or flags")
	}
	if len(t.Flags) > t.Bits {
		return nil, faultf(ErrArgument, "%d flags in %d bits", len(t.Flags), t.Bits)
	}
	if name == "list" || s.Count != nil || s.Size != nil && t.Size > 0 {
		if t.Kind == OptionsOf {
			return nil, faultf(ErrArgument, "options are not counted, they have a size")
		}
		if t.integer() && t.Size < 0 {
			return nil, faultf(ErrArgument, "elements of a list need whole octets")
		}
		t = &Type{Kind: List, Elem: t, Size: -1, reg: r, Show: s.Show, all: s.Count == nil || s.Count.All}
	}
	return t, nil
}

func (r *Registry) compile(s Spec, anon bool) (*Layout, error) {
	l := &Layout{Name: s.Name, Doc: s.Doc, Summary: s.Summary, reg: r, byName: map[string]*Field{}, anon: anon,
		opaque: s.Opaque, quotes: s.Quotes, insteadWhen: s.InsteadWhen, instead: s.Instead, final: s.FinalDst}
	fail := func(field, format string, args ...any) error {
		return &Error{Layout: s.Name, Field: field, Offset: -1, Err: faultf(ErrArgument, format, args...)}
	}
	if len(s.Fields) > maxFields {
		return nil, fail("", "%d fields; a layout has at most %d, nested ones hold more", len(s.Fields), maxFields)
	}
	for i := range s.Fields {
		fs := s.Fields[i]
		if err := r.checkName(fs.Name, s.Name, false); err != nil {
			return nil, err
		}
		t, err := r.fieldType(&fs, s.Name+"_"+fs.Name)
		if err != nil {
			return nil, &Error{Layout: s.Name, Field: fs.Name, Offset: -1, Err: err}
		}
		f := &Field{Name: fs.Name, Doc: fs.Doc, Aliases: fs.Aliases, Type: t, Layout: l, spec: &fs, idx: i,
			pos: -1, tail: -1, width: -1, when: fs.When, size: fs.Size, count: fs.Count, auto: fs.Auto, unit: max(fs.Unit, 1)}
		if t.Kind != List {
			f.width = t.bits()
		}
		if fs.Size != nil && fs.Size.Field == "" && fs.Size.Func == nil && !fs.Size.All {
			if fs.Size.Add < 0 {
				return nil, fail(fs.Name, "size %d is negative", fs.Size.Add)
			}
			if fs.Size.Add > maxSize {
				return nil, fail(fs.Name, "size %d is more than %d octets", fs.Size.Add, maxSize)
			}
			if fs.Pad == 0 {
				f.width = fs.Size.Add * 8
			}
		}
		if t.Kind == Text && f.width >= 0 {
			filled := *t
			filled.filled = true
			t, f.Type = &filled, &filled
		}
		if t.integer() && fs.Size != nil && t.Kind != List {
			return nil, fail(fs.Name, "an integer has its size in its type")
		}
		for _, name := range append([]string{fs.Name}, fs.Aliases...) {
			old := l.byName[name]
			if old == nil {
				l.byName[name] = f
				continue
			}
			if old.Name != name {
				return nil, fail(name, "is also another name of %s", old.Name)
			}
			if !old.Conditional() || !f.Conditional() {
				return nil, fail(name, "declared twice; of several fields of one name each needs a condition")
			}
			for old.alt != nil {
				old = old.alt
			}
			if old != f {
				old.alt = f
			}
		}
		if fs.Unit < 0 || fs.Pad < 0 {
			return nil, fail(fs.Name, "unit and pad are not negative")
		}
		l.fields = append(l.fields, f)
		l.all.add(i)
	}
	// References to fields by name.
	before := func(f *Field, name, what string) (*Field, error) {
		g := l.byName[name]
		if g == nil {
			return nil, fail(f.Name, "%s: no field %q%s", what, name, didYouMean(name, l.FieldNames()))
		}
		if g.idx >= f.idx {
			return nil, fail(f.Name, "%s: %s stands behind it", what, name)
		}
		if !g.Type.integer() {
			return nil, fail(f.Name, "%s: %s is no integer", what, name)
		}
		return g, nil
	}
	for _, f := range l.fields {
		fs := f.spec
		var err error
		if f.size != nil && f.size.Field != "" {
			if f.sizeF, err = before(f, f.size.Field, "size"); err != nil {
				return nil, err
			}
		}
		if f.count != nil && f.count.Field != "" {
			if f.countF, err = before(f, f.count.Field, "count"); err != nil {
				return nil, err
			}
		}
		f.when.Tests = append([]Test(nil), f.when.Tests...)
		for i := range f.when.Tests {
			g, err := before(f, f.when.Tests[i].Field, "when")
			if err != nil {
				return nil, err
			}
			f.when.Tests[i].f = g
			for ; g != nil; g = g.alt {
				g.control = true
			}
		}
		if f.when.Func != nil {
			for _, g := range l.fields[:f.idx] {
				g.control = true
			}
		}
		if fs.NamesBy != "" {
			g := l.byName[fs.NamesBy]
			if g == nil || !g.Type.integer() {
				return nil, fail(f.Name, "names: no integer field %q", fs.NamesBy)
			}
			f.namesBy, f.namesOf = g, map[uint64]*words{}
			for n, w := range fs.NamesOf {
				f.namesOf[n] = newWords(w)
			}
		}
		if f.auto != nil {
			if f.auto.kind != autoFunc && !f.Type.integer() {
				return nil, fail(f.Name, "a rule of kind %s needs an integer", f.auto)
			}
			if f.auto.kind == autoChecksum && f.Type.Bits != 16 {
				return nil, fail(f.Name, "an Internet checksum has 16 bits")
			}
			if (f.auto.kind == autoCRC32 || f.auto.kind == autoCRC32C) && f.Type.Bits != 32 {
				return nil, fail(f.Name, "a CRC has 32 bits")
			}
			if err := l.compileCover(f); err != nil {
				return nil, err
			}
			if f.auto.kind == autoNext {
				l.nexts = append(l.nexts, f)
				if f.auto.like != "" {
					lay, fld, ok := strings.Cut(f.auto.like, ".")
					if !ok {
						return nil, fail(f.Name, "next: want LAYOUT.FIELD, got %q", f.auto.like)
					}
					f.likeLayout, f.likeField = lay, fld
				}
			}
			if f.auto.kind == autoOctets && f.cover.payload {
				l.bounds = append(l.bounds, f)
			}
		}
		if fs.Bounds {
			if !f.Type.integer() {
				return nil, fail(f.Name, "only an integer bounds the payload")
			}
			l.bounds = append(l.bounds, f)
		}
	}
	for kind := autoOctets; kind <= autoCRC32C; kind++ {
		for _, f := range l.fields {
			if f.auto != nil && f.auto.kind == kind && kind != autoNext {
				l.autos = append(l.autos, f)
			}
		}
		if kind == autoCount {
			l.lengths = len(l.autos)
		}
	}
	for _, c := range []*Cond{&l.opaque, &l.quotes, &l.insteadWhen} {
		c.Tests = append([]Test(nil), c.Tests...)
		for i := range c.Tests {
			if c.Tests[i].f = l.byName[c.Tests[i].Field]; c.Tests[i].f == nil {
				return nil, fail("", "condition: no field %q%s", c.Tests[i].Field, didYouMean(c.Tests[i].Field, l.FieldNames()))
			}
		}
	}
	for to := &l.final; *to != nil; to = &(*to).Or {
		fd := new(FinalDst)
		*fd = **to
		*to = fd
		fd.When.Tests = append([]Test(nil), fd.When.Tests...)
		for i := range fd.When.Tests {
			if fd.When.Tests[i].f = l.byName[fd.When.Tests[i].Field]; fd.When.Tests[i].f == nil {
				return nil, fail("", "final: no field %q", fd.When.Tests[i].Field)
			}
		}
		if l.byName[fd.Field] == nil || fd.Left != "" && l.byName[fd.Left] == nil {
			return nil, fail("", "final: no field %q", fd.Field+" "+fd.Left)
		}
	}
	for _, b := range s.Below {
		b.When.Tests = append([]Test(nil), b.When.Tests...)
		for i := range b.When.Tests {
			if b.When.Tests[i].f = l.byName[b.When.Tests[i].Field]; b.When.Tests[i].f == nil {
				return nil, fail("", "below: no field %q%s", b.When.Tests[i].Field, didYouMean(b.When.Tests[i].Field, l.FieldNames()))
			}
		}
		for _, t := range b.When.Tests {
			for f := t.f; f != nil; f = f.alt {
				f.steers = true
			}
		}
		l.below = append(l.below, b)
	}
	if s, d := l.byName["src"], l.byName["dst"]; s != nil && d != nil && s.Type.Kind == d.Type.Kind &&
		(s.Type.Kind == IP4 || s.Type.Kind == IP6) {
		l.pseudo = [2]*Field{s, d}
	}
	if err := l.place(); err != nil {
		return nil, err
	}
	for _, f := range l.autos {
		f.whole = f.auto.kind == autoChecksum && f.op == op16 && f.pos&15 == 0 && f.cover.header && f.cover.fields == nil
	}
	l.setQuick()
	l.flat = l.opaque.Func == nil && l.quotes.Func == nil && l.insteadWhen.Func == nil
	l.setCalm()
	for _, c := range []*Cond{&l.opaque, &l.quotes, &l.insteadWhen} {
		for i := range c.Tests {
			if f := c.Tests[i].f; f.pos < 0 || f.alt != nil || !f.Type.integer() {
				l.flat = false
			}
		}
	}
	l.usual = l.flat && (l.calm != 0 || l.opaque.none() && l.quotes.none())
	if err := l.compilePrint(s); err != nil {
		return nil, err
	}
	return l, l.defaults()
}

func (l *Layout) compileCover(f *Field) error {
	a := f.auto
	for _, name := range a.cover {
		switch name {
		case l.Name:
			f.cover.header = true
		case "payload":
			f.cover.payload = true
		case "pseudo":
			if a.kind != autoChecksum {
				return f.err(faultf(ErrArgument, "only a checksum has a pseudo-header"))
			}
			f.cover.pseudo = true
		default:
			g := l.byName[name]
			if g == nil {
				known := append([]string{l.Name, "payload", "pseudo"}, l.FieldNames()...)
				return f.err(faultf(ErrArgument, "%s: no %q here%s", a, name, didYouMean(name, known)))
			}
			if a.kind == autoCount && g.Type.Kind != List && g.Type.Kind != OptionsOf {
				return f.err(faultf(ErrArgument, "count: %s is no list", name))
			}
			f.cover.fields = append(f.cover.fields, g)
		}
	}
	return nil
}

// place finds what stands at a fixed position and checks that octets begin at octets.
func (l *Layout) place() error {
	pos, moving := 0, false
	run, runWhen := 0, Cond{} // bits of the run of integers that a field belongs to
	for _, f := range l.fields {
		if f.Conditional() || f.width < 0 || f.spec.Pad > 0 {
			moving = true
		}
		if len(l.tails) > 0 || moving {
			if len(l.tails) == 0 && pos%8 != 0 && f.Conditional() {
				return f.err(faultf(ErrArgument, "begins %d bits into an octet and may be absent", pos%8))
			}
			if len(l.tails) == 0 {
				run, runWhen = pos%8, f.when
			}
		}
		whole := !f.Type.integer() || f.Type.LE
		if moving {
			if run%8 != 0 && (whole || f.Conditional() && !sameCond(runWhen, f.when)) {
				return f.err(faultf(ErrArgument, "begins %d bits into an octet", run%8))
			}
			runWhen = f.when
			if f.width >= 0 {
				run += f.width
			} else {
				run = 0
			}
			f.tail = len(l.tails)
			l.tails = append(l.tails, f)
			continue
		}
		if whole && pos%8 != 0 {
			return f.err(faultf(ErrArgument, "begins %d bits into an octet", pos%8))
		}
		f.pos = pos
		pos += f.width
	}
	l.fixedBits = pos
	for _, f := range l.fields {
		if f.pos >= 0 {
			f.setOp(pos / 8)
			f.plain = f.op != opAny && !f.Type.Enum && f.Type.Flags == nil
		}
	}
	if moving && run%8 != 0 || !moving && pos%8 != 0 {
		return &Error{Layout: l.Name, Offset: -1, Err: faultf(ErrArgument, "ends %d bits into an octet", (pos+run)%8)}
	}
	return nil
}

func sameCond(a, b Cond) bool {
	return a.Func == nil && b.Func == nil && reflect.DeepEqual(a.Tests, b.Tests)
}

// defaults checks the declared defaults and encodes them.
func (l *Layout) defaults() error {
	for _, f := range l.fields {
		d := f.spec.Default
		if f.Type.integer() {
			if d == nil {
				continue
			}
			n, err := f.Type.number(d, nil)
			if err != nil {
				return f.err(faultOf(err, "default: "))
			}
			f.def = n
			continue
		}
		if f.Type.Kind == RecordOf || f.Type.Kind == List && f.Type.Elem.Kind == RecordOf && d == nil {
			continue // the nested layout may not be loaded yet
		}
		if d == nil && f.width < 0 && f.Type.Kind != CString && f.Type.Kind != Name {
			continue
		}
		b, err := f.encode(d, 0)
		if err != nil {
			return f.err(faultOf(err, "default: "))
		}
		f.defOct = b
	}
	return nil
}

// encode is the octets of a value for f when the header before it has so many octets.
func (f *Field) encode(v any, at int) ([]byte, error) {
	var b []byte
	var err error
	if v != nil || f.Type.Kind == CString || f.Type.Kind == Name || f.Type.Kind == RecordOf || f.width < 0 {
		if v == nil && f.Type.Kind == CString {
			v = ""
		} else if v == nil && f.Type.Kind == Name {
			v = "."
		}
		if b, err = f.Type.appendTo(nil, v); err != nil {
			return nil, err
		}
	}
	if f.width >= 0 {
		n := f.width / 8
		if len(b) > n {
			return nil, faultf(ErrRange, "%d octets do not fit %d", len(b), n)
		}
		for len(b) < n {
			b = append(b, 0)
		}
	}
	return f.fillUp(b, at), nil
}

// fillUp pads b, which begins at octet at of the header.
func (f *Field) fillUp(b []byte, at int) []byte {
	pad := f.spec.Pad
	tlv := f.Type.TLV
	if pad == 0 && tlv != nil {
		pad = tlv.spec.Pad
	}
	if pad == 0 {
		return b
	}
	n := (pad - (at+len(b))%pad) % pad
	if tlv != nil {
		return tlv.padTo(b, n)
	}
	for range n {
		b = append(b, 0)
	}
	return b
}
