package wire

import (
	"fmt"
	"iter"
)

// rec is a header or nested record found in octets: which fields are there, and where.
type rec struct {
	lay  *Layout
	msg  []byte // the layer from its first octet on; names may point back into it
	off  int    // of the record in msg
	hlen int    // octets
	tail []uint32
	has_ mask // of the fields that may move; without any, all are there
	cut  bool // the octets end before the fields do
	why  problem
}

// problem is what walk found wrong, first one only.
type problem struct {
	f          *Field
	want, have int
	text       string
}

func (p problem) String() string {
	if p.f == nil {
		return ""
	}
	if p.text != "" {
		return p.f.Name + ": " + p.text
	}
	return fmt.Sprintf("%s: %d octets are missing", p.f.Name, p.want-p.have)
}

// Record gives access to the fields of a header or of a nested layout. It is a view, valid
// until the packet is changed.
type Record struct{ rec }

// Layout is what the record is read with.
func (r Record) Layout() *Layout { return r.lay }

// Octets are the record's, a view.
func (r Record) Octets() []byte { return r.msg[r.off : r.off+r.hlen] }

// Fields yields the fields that are present, in wire order.
func (r Record) Fields() iter.Seq[*Field] {
	return func(yield func(*Field) bool) {
		if r.lay == nil {
			return
		}
		for _, f := range r.lay.fields {
			if r.has(f) && !yield(f) {
				return
			}
		}
	}
}

// Field returns the present field of that name or alias, else nil.
func (r Record) Field(name string) *Field {
	if f := r.lay.byName[name]; f != nil {
		return r.variant(f)
	}
	return nil
}

// Has reports whether the field is present.
func (r Record) Has(f *Field) bool { return r.has(f) }

// Get reads a field; an absent one gives the zero Value.
func (r Record) Get(f *Field) Value { return r.value(f) }

// Uint reads an integer field by name, 0 if it is absent.
func (r Record) Uint(name string) uint64 {
	if f := r.Field(name); f != nil && f.Type.integer() {
		return r.uint(f)
	}
	return 0
}

// Extent is where a present field stands: bits from the start of the record, and how many.
func (r Record) Extent(f *Field) (pos, bits int) { return r.start(f), r.end(f) - r.start(f) }

func (r *rec) start(f *Field) int {
	switch {
	case f.pos >= 0:
		return f.pos
	case f.tail == 0:
		return r.lay.fixedBits
	}
	return int(r.tail[f.tail-1])
}

func (r *rec) end(f *Field) int {
	if f.width >= 0 && !r.cut {
		return r.start(f) + f.width
	}
	if f.tail < 0 {
		return f.pos + f.width
	}
	if f.tail < len(r.tail) {
		return int(r.tail[f.tail])
	}
	return r.hlen * 8
}

func (r *rec) has(f *Field) bool {
	if f.tail >= 0 {
		return r.has_.has(f.idx)
	}
	return !r.cut || f.pos+f.width <= r.hlen*8
}

// variant is the present one of the fields of f's name, or nil.
func (r *rec) variant(f *Field) *Field {
	for ; f != nil; f = f.alt {
		if r.has(f) {
			return f
		}
	}
	return nil
}

func (r *rec) uint(f *Field) uint64 {
	if f.pos >= 0 && !r.cut {
		return f.fetch(r.msg[r.off:])
	}
	return f.Type.get(r.msg[r.off:], r.start(f))
}

func (r *rec) value(f *Field) Value {
	if !r.has(f) {
		return Value{}
	}
	if f.Type.integer() {
		v := Value{t: f.Type, n: r.uint(f)}
		if f.namesBy != nil {
			v.alt = r.altNames(f)
		}
		return v
	}
	s, e := r.off+r.start(f)/8, r.off+r.end(f)/8
	return Value{t: f.Type, b: r.msg[s:e:e], msg: r.msg, off: s}
}

func (r *rec) altNames(f *Field) *words {
	if f.namesBy == nil {
		return nil
	}
	if g := r.variant(f.namesBy); g != nil {
		return f.namesOf[r.uint(g)]
	}
	return nil
}

func (r *rec) holdsAll(tests []Test) (bool, error) {
	for i := range tests {
		if !r.test(&tests[i]) {
			return false, nil
		}
	}
	return true, nil
}

func (r *rec) test(t *Test) bool {
	f := r.variant(t.f)
	if f == nil || !f.Type.integer() {
		return false
	}
	v := r.uint(f)
	if t.Mask != 0 {
		v &= t.Mask
	}
	for _, in := range t.In {
		if v >= in.Lo && v <= in.Hi {
			return !t.Not
		}
	}
	return t.Not
}

func (r *rec) holds(c *Cond) (bool, error) {
	if ok, err := r.holdsAll(c.Tests); !ok || err != nil {
		return ok, err
	}
	if c.Func != nil {
		return c.Func(Record{*r})
	}
	return true, nil
}

// fixed is holds for tests of fields at fixed places.
func (c *Cond) fixed(b []byte) bool {
	for i := range c.Tests {
		t := &c.Tests[i]
		v := t.f.fetch(b)
		if t.Mask != 0 {
			v &= t.Mask
		}
		in := false
		for _, r := range t.In {
			if v >= r.Lo && v <= r.Hi {
				in = true
				break
			}
		}
		if in == t.Not {
			return false
		}
	}
	return true
}

// sizeOf evaluates a size or count that stands at octet at; -1 for as many as there are.
func (r *rec) sizeOf(s *Size, by, f *Field, at int) (int, error) {
	n := s.Add
	switch {
	case s.All:
		return -1, nil
	case s.Func != nil:
		m, err := s.Func(Record{*r})
		if err != nil {
			return 0, err
		}
		n += m
	case by != nil:
		g := r.variant(by)
		if g == nil {
			return -1, nil
		}
		v := r.uint(g)
		if v > 1<<31 {
			v = 1 << 31
		}
		n += int(v) * max(s.Mul, 1)
	}
	if s.Rest {
		for _, g := range r.lay.tails[:f.tail] {
			if g.width < 0 && r.has(g) {
				n -= (r.end(g) - r.start(g)) / 8
			}
		}
	}
	return n, nil
}

// walk finds the fields in the first lim octets from r.off on. It never fails: a field
// for which there is no room is cut, and those behind it are absent. tail is reused.
func (l *Layout) walk(r *rec, lim int, tail []uint32) {
	r.lay = l
	r.tail = tail
	room := lim * 8
	if room < l.fixedBits {
		r.cut = true
		r.hlen = lim
		for range max(len(l.tails)-1, 0) {
			r.tail = append(r.tail, uint32(room))
		}
		for _, f := range l.fields {
			if f.pos < 0 || f.pos+f.width > room {
				r.why = problem{f: f, want: l.fixedBits / 8, have: lim}
				break
			}
		}
		return
	}
	pos := l.fixedBits
	for k, f := range l.tails {
		if k > 0 {
			r.tail = append(r.tail, uint32(pos))
		}
		r.hlen = (pos + 7) / 8
		if r.cut || f.spec.Optional && pos >= room {
			continue
		}
		if !f.when.none() {
			if ok, err := r.holds(&f.when); err != nil {
				r.wrong(problem{f: f, text: err.Error()})
				continue
			} else if !ok {
				continue
			}
		}
		if f.width >= 0 {
			if pos+f.width > room {
				r.wrong(problem{f: f, want: (f.width + 7) / 8, have: (room - pos) / 8})
				r.cut = true
				if !f.Type.integer() && f.Type.Size < 0 {
					r.has_.add(f.idx)
				}
				pos = room
				continue
			}
			pos += f.width
			r.has_.add(f.idx)
			continue
		}
		at := pos / 8
		n, ok, why := f.extent(r, at, lim)
		if why.f != nil {
			r.wrong(why)
		}
		if !ok {
			r.cut = true
			// Part of a run of octets or of a list is worth showing, part of a name or number is not.
			switch f.Type.Kind {
			case Bytes, Text, List, OptionsOf:
				r.has_.add(f.idx)
			}
			pos = room
			continue
		}
		pos += n * 8
		r.has_.add(f.idx)
	}
	r.hlen = (pos + 7) / 8
}

func (r *rec) wrong(p problem) {
	if r.why.f == nil {
		r.why = p
	}
}

// extent is how many octets f takes at octet at, of at most lim; ok is false when it needs more.
func (f *Field) extent(r *rec, at, lim int) (n int, ok bool, why problem) {
	room := lim - at
	n = -1
	if f.size != nil {
		var err error
		if n, err = r.sizeOf(f.size, f.sizeF, f, at); err != nil {
			return 0, true, problem{f: f, text: err.Error()}
		}
		if n < 0 && !f.size.All {
			why = problem{f: f, text: fmt.Sprintf("its size would be %d octets", n)}
			n = 0
		}
		if n > room {
			return room, false, problem{f: f, want: n, have: room}
		}
	}
	t := f.Type
	switch {
	case n >= 0:
	case t.Kind == List:
		count := -1
		if f.count != nil {
			var err error
			if count, err = r.sizeOf(f.count, f.countF, f, at); err != nil {
				return 0, true, problem{f: f, text: err.Error()}
			}
			if f.count.Field != "" && count >= 0 {
				if count -= f.spec.Plus; count < 0 {
					why = problem{f: f, text: fmt.Sprintf("would have %d elements", count)}
					count = 0
				}
			} else if count < 0 && !f.count.All {
				why = problem{f: f, text: fmt.Sprintf("would have %d elements", count)}
				count = 0
			}
		}
		switch {
		case count < 0:
			n = room
		case t.Elem.Size >= 0:
			if n = t.Elem.Size * count; n > room {
				return room, false, problem{f: f, want: n, have: room}
			}
		default:
			n = 0
			base := r.off + at
			for i := range count {
				m, ok := t.Elem.span(r.msg[:r.off+lim], base+n, r.off+lim)
				if !ok || m <= 0 {
					return room, false, problem{f: f, text: fmt.Sprintf("%d of %d elements are there", i, count)}
				}
				n += m
			}
		}
	default:
		n, ok = t.span(r.msg[:r.off+lim], r.off+at, r.off+lim)
		if !ok {
			return n, false, problem{f: f, text: "it does not end"}
		}
	}
	if p := f.spec.Pad; p > 0 && f.size == nil {
		if n += (p - (at+n)%p) % p; n > room {
			n = room
		}
	}
	return n, true, why
}

// compose writes a header from the values that src gives; a field for which it gives none is
// written with its default, an optional one is left out.
func (l *Layout) compose(src func(f *Field, r *rec) (n uint64, octets []byte, ok bool)) (buf []byte, tail []uint32, has mask, err error) {
	r := rec{lay: l}
	pos := 0
	grow := func(bits int) {
		for len(buf)*8 < bits {
			buf = append(buf, 0)
		}
		r.msg = buf
		r.hlen = len(buf)
	}
	for _, f := range l.fields {
		if f.tail > 0 {
			r.tail = append(r.tail, uint32(pos))
		}
		n, octets, ok := uint64(0), []byte(nil), false
		if !f.when.none() {
			holds, err := r.holds(&f.when)
			if err != nil {
				return nil, nil, has, f.err(err)
			}
			if !holds {
				continue
			}
		}
		if src != nil {
			n, octets, ok = src(f, &r)
		}
		if !ok {
			if f.spec.Optional {
				continue
			}
			if n, octets, err = f.initial(&r, pos/8); err != nil {
				return nil, nil, has, err
			}
		}
		if f.Type.integer() {
			grow(pos + f.width)
			f.Type.put(buf, pos, n)
			pos += f.width
		} else {
			buf = append(buf[:pos/8], octets...)
			pos = len(buf) * 8
			r.msg, r.hlen = buf, len(buf)
		}
		if f.tail >= 0 {
			r.has_.add(f.idx)
		}
	}
	return buf, r.tail, r.has_, nil
}

// initial is what a field is before anyone sets it.
func (f *Field) initial(r *rec, at int) (uint64, []byte, error) {
	if f.Type.integer() {
		return f.def, nil, nil
	}
	if f.defOct != nil || f.spec.Default != nil {
		return 0, f.defOct, nil
	}
	if f.Type.Kind == RecordOf || f.width >= 0 {
		b, err := f.encode(nil, at)
		if err != nil {
			return 0, nil, f.err(err)
		}
		return 0, b, nil
	}
	var b []byte
	if (f.Type.Kind == Bytes || f.Type.Kind == Text) && f.size != nil && f.sizeF != nil {
		// A size that someone else computes will follow the octets; a size that stands is obeyed.
		if g := r.variant(f.sizeF); g != nil && g.auto == nil {
			if n, err := r.sizeOf(f.size, f.sizeF, f, at); err == nil && n > 0 && n <= 1<<16 {
				b = make([]byte, n)
			}
		}
	}
	return 0, f.fillUp(b, at), nil
}

// template makes the header with all defaults.
func (l *Layout) template() error {
	if l.tmplOK {
		return nil
	}
	if l.reg.writing[l] {
		return faultf(ErrArgument, "a %s holds a %s, and so on for ever", l.Name, l.Name)
	}
	l.reg.writing[l] = true
	defer delete(l.reg.writing, l)
	buf, tail, has, err := l.compose(nil)
	if err != nil {
		return err
	}
	l.tmpl, l.tmplTail, l.tmplHas, l.tmplOK = buf, tail, has, true
	return nil
}

// Defaults writes the header with all defaults, which [Layout.New] copies, unless
// that is done, and says why it cannot: a condition that fails, a nested
// layout that cannot be loaded, or one that holds itself.
func (l *Layout) Defaults() error {
	if l.tmplOK {
		return nil
	}
	return l.template()
}

// blank makes the header that stands for one whose defaults cannot be written.
func (l *Layout) blank() {
	l.tmpl, l.tmplTail, l.tmplHas = make([]byte, l.fixedBits/8), nil, mask{}
	for range max(len(l.tails)-1, 0) {
		l.tmplTail = append(l.tmplTail, uint32(l.fixedBits))
	}
}
