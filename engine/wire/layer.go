package wire

import (
	"errors"
	"iter"
	"net/netip"
	"slices"
	"sort"
)

func isKind(err, kind error) bool { return errors.Is(err, kind) }

// A Layer is one header of a packet. It is a small value: copy it freely. It is
// valid while its packet has a layer at that place.
type Layer struct {
	p *Packet
	i int
}

// Provenance is where a field's value comes from.
type Provenance uint8

// The provenances.
const (
	Default   Provenance = iota // the layout's
	Automatic                   // computed
	Set                         // by the script
	Parsed                      // read, and not automatic
	Absent                      // the field is not there
)

func (v Provenance) String() string {
	return [...]string{"default", "auto", "set", "parsed", "absent"}[v]
}

// OK reports whether the layer exists.
func (l Layer) OK() bool { return l.p != nil && l.i < len(l.p.layers) }

func (l Layer) y() *layer { return &l.p.layers[l.i] }

// Layout is the layer's.
func (l Layer) Layout() *Layout { return l.y().lay }

// Packet is the one the layer is part of.
func (l Layer) Packet() *Packet { return l.p }

// Index is the layer's place in its packet, from 0.
func (l Layer) Index() int { return l.i }

// SetSite says where the layer was built; fields set at other places have sites of their own.
func (l Layer) SetSite(s *Site) { l.y().site = s }

// Record gives the layer's fields as they stand; automatic fields may not be
// computed yet.
func (l Layer) Record() Record { return Record{l.p.rec(l.i)} }

// Offset is the layer's first octet in the packet.
func (l Layer) Offset() int { return int(l.y().off) }

// HeaderLen is the length of the layer's header in octets.
func (l Layer) HeaderLen() int { return int(l.y().hlen) }

// End is where the layer's payload ends in the packet.
func (l Layer) End() int { return int(l.y().end) }

// Cut reports whether the header is not all there, as in a quoted packet.
func (l Layer) Cut() bool { return l.y().cut }

// Quoted reports whether the layer is part of a packet that an error message quotes.
func (l Layer) Quoted() bool { return l.y().quoted }

// Octets are the header's: a view. Automatic fields are computed if they can be.
func (l Layer) Octets() []byte {
	_ = l.p.settle()
	y := l.y()
	return l.p.buf[y.off : y.off+y.hlen]
}

// Payload is what stands between the header and the end of the layer: a view.
func (l Layer) Payload() []byte {
	_ = l.p.settle()
	y := l.y()
	return l.p.buf[y.off+y.hlen : y.end]
}

// SetPayload puts octets in the place of all layers above.
func (l Layer) SetPayload(b string) error {
	p := l.p
	p.edit()
	p.clearPayload(l.i)
	if b != "" {
		y := l.y()
		at := int(y.off + y.hlen)
		p.open(l.i+1, at, 0, len(b))
		copy(p.buf[at:], b)
		p.insert(l.i+1, layer{lay: p.reg.raw, off: int32(at), hlen: int32(len(b)), end: int32(at + len(b)), tail: int32(len(p.ext)), has: p.reg.raw.all})
		p.layers[l.i+1].set.add(0)
	}
	return nil
}

// SetPayloadPacket puts a copy of q in the place of all layers above.
func (l Layer) SetPayloadPacket(q *Packet) error {
	p := l.p
	p.edit()
	c := q.Copy()
	c.thaw()
	p.clearPayload(l.i)
	if l.i+1 == p.body() {
		p.stack(c)
		return nil
	}
	return &Error{Layout: l.Layout().Name, Offset: -1, Err: faultf(ErrArgument, "padding has no payload")}
}

// Field returns the present field of that name or alias; an absent one when there is
// no present one; nil when the layout has none.
func (l Layer) Field(name string) *Field {
	y := l.y()
	f := y.lay.byName[name]
	if f == nil || f.tail < 0 && f.alt == nil {
		return f
	}
	r := l.p.rec(l.i)
	if g := r.variant(f); g != nil {
		return g
	}
	return f
}

// Has reports whether the field is present.
func (l Layer) Has(f *Field) bool {
	y := l.y()
	if f.tail < 0 && !y.cut {
		return true
	}
	r := l.p.rec(l.i)
	return r.has(f)
}

// Extent is where a present field stands: bits from the start of the header, and how many.
func (l Layer) Extent(f *Field) (pos, bits int) { return l.Record().Extent(f) }

// pinned reports whether a field is sent as it stands.
func (y *layer) pinned(f *Field) bool {
	w := f.idx >> 6 & 1
	return (y.set[w]|y.parsed[w])>>(f.idx&63)&1 != 0
}

// Provenance is where the field's value comes from.
func (l Layer) Provenance(f *Field) Provenance {
	y := l.y()
	switch {
	case !l.Has(f):
		return Absent
	case y.set.has(f.idx):
		return Set
	case l.p.parsed && f.auto != nil:
		// Nobody has asked yet whether what was read is right.
		if f.auto.kind == autoNext {
			l.p.complete()
			r := l.p.rec(l.i)
			if r.uint(f) == l.p.nextValue(l.i, f) {
				return Automatic
			}
			return Parsed
		}
		l.p.complete()
		if right, known := l.p.right(l.i, f); right && known {
			return Automatic
		}
		return Parsed
	case y.parsed.has(f.idx):
		return Parsed
	case f.auto != nil:
		return Automatic
	}
	if k := l.i + 1; k < len(l.p.layers) {
		if upper := l.p.layers[k].lay; upper != l.p.reg.raw && upper != l.p.reg.pad {
			for _, fl := range y.lay.fillsFor(upper) {
				if fl.f == f {
					return Automatic
				}
			}
		}
		if slices.Contains(y.lay.chain().wanted, f) {
			l.p.complete()
			if _, ok := l.p.wanted(l.i, f); ok {
				return Automatic
			}
		}
	}
	return Default
}

// Site is where the field was set; the zero Site when that is not known.
func (l Layer) Site(f *Field) Site {
	if !l.y().set.has(f.idx) {
		return Site{}
	}
	for _, m := range l.p.marks() {
		if m.layer == l.i && m.field == f.idx {
			return m.site
		}
	}
	if s := l.y().site; s != nil {
		return *s
	}
	return Site{}
}

// MarkSite remembers where the field was set.
func (l Layer) MarkSite(f *Field, s Site) {
	r := l.p.remark()
	for k := range r.marks {
		if m := &r.marks[k]; m.layer == l.i && m.field == f.idx {
			m.site = s
			return
		}
	}
	r.marks = append(r.marks, mark{l.i, f.idx, s})
}

// Fields yields the fields that are present, in wire order.
func (l Layer) Fields() iter.Seq[*Field] {
	return func(yield func(*Field) bool) {
		for _, f := range l.Layout().fields {
			if l.Has(f) && !yield(f) {
				return
			}
		}
	}
}

// Value reads a field by name.
func (l Layer) Value(name string) (Value, error) {
	f := l.Field(name)
	if f == nil {
		return Value{}, l.Layout().Unknown(name)
	}
	return l.Get(f)
}

// Get reads a field; an absent one gives the zero Value. An automatic field that cannot hold
// its value is an error.
func (l Layer) Get(f *Field) (Value, error) {
	if l.p.dirty && f.computed() {
		if err := l.p.fix(); err != nil {
			return Value{}, err
		}
	}
	y := &l.p.layers[l.i]
	if f.pos >= 0 && !y.cut && f.namesBy == nil {
		b := l.p.buf[y.off:]
		if f.Type.integer() {
			return Value{t: f.Type, n: f.fetch(b)}, nil
		}
		e := f.octet + f.width/8
		b = b[:y.hlen]
		return Value{t: f.Type, b: b[f.octet:e:e], msg: b, off: f.octet}, nil
	}
	r := l.p.rec(l.i)
	return r.value(f), nil
}

// computed reports whether encoding may change the field.
func (f *Field) computed() bool {
	if f.auto != nil {
		return true
	}
	if g := f.Layout.reg.gen; f.gen != g {
		f.gen, f.named = g, f.Type.integer() && f.Layout.filled(f)
	}
	return f.named
}

// filled reports whether some follower's rule names the field, or wants it otherwise.
func (l *Layout) filled(f *Field) bool {
	if slices.Contains(l.reg.wanted[l.Name], f.Name) {
		return true
	}
	rs := l.reg.rules[l.Name]
	if rs == nil {
		return false
	}
	for _, r := range rs.rules {
		for _, t := range r.tests {
			if t.Field == f.Name {
				return true
			}
		}
	}
	return false
}

// Uint reads an integer field that is always there; see [Layer.Get] for others.
func (l Layer) Uint(f *Field) (uint64, error) {
	if n, ok := l.Number(f); ok {
		return n, nil
	}
	v, err := l.Get(f)
	return v.n, err
}

// Number reads an unsigned integer at a fixed place that reads as a number; ok is
// false for any other field, and when something has to be computed first: see Get.
func (l Layer) Number(f *Field) (n uint64, ok bool) {
	y := &l.p.layers[l.i]
	if !f.plain || y.cut || l.p.dirty && f.computed() {
		return 0, false
	}
	return f.fetch(l.p.buf[y.off:]), true
}

// Octets4 reads the first octets of an address that is always there, or zeros.
func (l Layer) Octets4(f *Field) (a [4]byte) {
	if l.p != nil && f.pos >= 0 && !l.y().cut {
		copy(a[:], l.p.buf[int(l.y().off)+f.pos/8:])
	}
	return a
}

// Addr reads an address field.
func (l Layer) Addr(f *Field) netip.Addr {
	v, _ := l.Get(f)
	return v.Addr()
}

// Set sets a field by name; see [Layer.SetField].
func (l Layer) Set(name string, v any) error {
	f := l.Field(name)
	if f == nil {
		return l.Layout().Unknown(name)
	}
	return l.SetField(f, v)
}

// SetAll sets fields by name, in the order in which they stand in the layout.
func (l Layer) SetAll(m map[string]any) error {
	lay := l.Layout()
	order := make([]*Field, 0, len(m))
	names := make(map[*Field]string, len(m))
	for n := range m {
		f := lay.byName[n]
		if f == nil {
			return lay.Unknown(n)
		}
		if names[f] != "" {
			return f.err(faultf(ErrArgument, "given twice, as %s and as %s", names[f], n))
		}
		order = append(order, f)
		names[f] = n
	}
	sort.Slice(order, func(i, j int) bool { return order[i].idx < order[j].idx })
	for _, f := range order {
		if err := l.Set(names[f], m[names[f]]); err != nil {
			return err
		}
	}
	return nil
}

// SetField sets a field to a number, string, octets, address, list ([]any),
// record (map[string]any, [Table]) or [Value]; nil makes it automatic or default again.
func (l Layer) SetField(f *Field, v any) error {
	if v == nil {
		return l.Clear(f)
	}
	if f.Type.integer() {
		var alt *words
		if f.namesBy != nil {
			r := l.p.rec(l.i)
			alt = r.altNames(f)
		}
		n, err := f.Type.number(v, alt)
		if err != nil {
			return f.err(err)
		}
		return l.putUint(f, n)
	}
	var room [32]byte
	if f.width >= 0 && f.Type.Kind != List && f.Type.Size >= 0 && f.Type.Size <= len(room) {
		b, err := f.Type.appendTo(room[:0], v)
		if err != nil {
			return f.err(err)
		}
		return l.putOctets(f, b)
	}
	if err := l.admit(f); err != nil {
		return err
	}
	r := l.p.rec(l.i)
	b, err := f.encode(v, r.start(f)/8)
	if err != nil {
		return f.err(err)
	}
	return l.putOctets(f, b)
}

// SetUint sets an integer field.
func (l Layer) SetUint(f *Field, n uint64) error {
	if !f.Type.integer() {
		return l.SetField(f, n)
	}
	n, err := f.Type.fitUint(n)
	if err != nil {
		return f.err(err)
	}
	return l.putUint(f, n)
}

// SetInt sets an integer field.
func (l Layer) SetInt(f *Field, n int64) error {
	if !f.Type.integer() {
		return l.SetField(f, n)
	}
	u, err := f.Type.fitInt(n)
	if err != nil {
		return f.err(err)
	}
	return l.putUint(f, u)
}

// SetString sets any field from text: an address, a name, flags, octets.
func (l Layer) SetString(f *Field, s string) error {
	switch f.Type.Kind {
	case IP4:
		if a, ok := parseIP4(s); ok {
			return l.putOctets(f, a[:])
		}
	case MAC:
		if m, ok := parseMAC(s); ok {
			return l.putOctets(f, m[:])
		}
	}
	return l.SetField(f, s)
}

// admit makes sure that the field is present; an optional one comes to be.
func (l Layer) admit(f *Field) error {
	y := l.y()
	if f.tail < 0 && !y.cut {
		return nil
	}
	r := l.p.rec(l.i)
	if r.has(f) {
		return nil
	}
	if y.cut {
		return f.err(faultf(ErrTruncated, "the header ends before it"))
	}
	if f.spec.Optional {
		if ok, _ := r.holds(&f.when); ok {
			l.p.edit()
			return l.p.relayout(l.i, f)
		}
	}
	return f.err(faultf(ErrMissing, "only present %s", f.whenText()))
}

// whenText says under which conditions a field and its variants are present.
func (f *Field) whenText() string {
	s := "when "
	sep := ""
	for ; f != nil; f = f.alt {
		s += sep + f.when.text()
		sep = ", or "
	}
	return s
}

func (l Layer) putUint(f *Field, n uint64) error {
	p := l.p
	if f.tail >= 0 || p.layers[l.i].cut {
		if err := l.admit(f); err != nil {
			return err
		}
	}
	if p.parsed || p.view {
		p.edit()
	}
	p.dirty = true // lengths and numbers look at which fields there are, not at their values
	if f.steers {
		p.moved = true
	}
	y := &p.layers[l.i]
	control := f.control
	if control {
		r := p.rec(l.i)
		control = r.uint(f) != n
	}
	if f.pos >= 0 && !y.cut {
		f.store(p.buf[y.off:], n)
	} else {
		r := p.rec(l.i)
		f.Type.put(p.buf[y.off:], r.start(f), n)
	}
	y.set.add(f.idx)
	y.parsed.del(f.idx)
	if control {
		return p.relayout(l.i, nil)
	}
	return nil
}

// SetOctets sets a field to octets as they stand on the wire, without a copy of them in between.
func (l Layer) SetOctets(f *Field, b []byte) error {
	if f.Type.integer() {
		return l.SetField(f, b)
	}
	if f.width >= 0 && len(b) != f.width/8 {
		return f.err(faultf(ErrRange, "%d octets do not fit %d", len(b), f.width/8))
	}
	return l.putOctets(f, b)
}

// putOctets writes the octets of a field, which may have another length than before.
func (l Layer) putOctets(f *Field, b []byte) error {
	p := l.p
	if f.tail >= 0 || p.layers[l.i].cut {
		if err := l.admit(f); err != nil {
			return err
		}
	}
	if p.parsed || p.view {
		p.edit()
	}
	p.dirty = true
	if f.Type.Kind != IP4 && f.Type.Kind != MAC {
		p.moved = true
	}
	y := &p.layers[l.i]
	if f.pos >= 0 {
		copy(p.buf[int(y.off)+f.octet:], b)
	} else {
		r := p.rec(l.i)
		at, end := r.start(f)/8, r.end(f)/8
		p.splice(l.i, f, at, end-at, b)
	}
	y.set.add(f.idx)
	y.parsed.del(f.idx)
	return nil
}

// splice replaces n octets at at of layer i's header, which are f's, by b.
func (p *Packet) splice(i int, f *Field, at, n int, b []byte) {
	y := &p.layers[i]
	abs := int(y.off) + at
	if d := len(b) - n; d != 0 {
		p.open(i+1, abs, n, len(b))
		y.hlen += int32(d)
		if len(y.lay.tails) > 1 && f != nil {
			tail := p.ext[y.tail : int(y.tail)+len(y.lay.tails)-1]
			for k := f.tail; k < len(tail); k++ {
				tail[k] += uint32(d * 8)
			}
		}
	}
	copy(p.buf[abs:], b)
}

// relayout finds anew which fields layer i has, because one on which that depends
// was changed or an optional one (want) shall come to be.
func (p *Packet) relayout(i int, want *Field) error {
	p.moved = true
	old := p.rec(i)
	old.msg = append([]byte(nil), old.msg...)
	lay := old.lay
	buf, tail, has, err := lay.compose(func(f *Field, _ *rec) (uint64, []byte, bool) {
		if !old.has(f) {
			// Optional fields before the wanted one come along with it.
			if want != nil && f.spec.Optional && f.idx <= want.idx {
				r := rec{lay: lay}
				n, b, err := f.initial(&r, 0)
				return n, b, err == nil
			}
			return 0, nil, false
		}
		if f.Type.integer() {
			return old.uint(f), nil, true
		}
		return 0, old.msg[old.start(f)/8 : old.end(f)/8], true
	})
	if err != nil {
		return err
	}
	y := &p.layers[i]
	p.splice(i, nil, 0, int(y.hlen), buf)
	y.hlen = int32(len(buf))
	if has != y.has {
		for k := range has {
			// What came or went is neither set nor parsed.
			gone := has[k] ^ y.has[k]
			y.set[k] &^= gone
			y.parsed[k] &^= gone
		}
	}
	y.has = has
	copy(p.ext[y.tail:], tail)
	return nil
}

// Clear makes a field automatic or default again.
func (l Layer) Clear(f *Field) error {
	if !l.Has(f) {
		return nil
	}
	p := l.p
	p.edit()
	r := p.rec(l.i)
	n, b, err := f.initial(&r, r.start(f)/8)
	if err != nil {
		return err
	}
	if f.Type.integer() {
		err = l.putUint(f, n)
	} else {
		err = l.putOctets(f, b)
	}
	l.y().set.del(f.idx)
	return err
}
