package wire

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"
	"slices"
	"strings"
)

// text is the condition as the layout language would say it.
func (c *Cond) text() string {
	var parts []string
	for i := range c.Tests {
		t := &c.Tests[i]
		var vs []string
		for _, in := range t.In {
			s := t.name(in.Lo)
			if in.Hi != in.Lo {
				if in.Hi == ^uint64(0) {
					s += " or more"
				} else {
					s += " to " + t.name(in.Hi)
				}
			}
			vs = append(vs, s)
		}
		is := " is "
		if t.Not {
			is = " is not "
		}
		name := t.Field
		if t.Mask != 0 {
			name = fmt.Sprintf("%s&%#x", name, t.Mask)
		}
		parts = append(parts, name+is+strings.Join(vs, " or "))
	}
	if c.Func != nil {
		parts = append(parts, "a function says so")
	}
	if len(parts) == 0 {
		return "set"
	}
	return strings.Join(parts, " and ")
}

func (t *Test) name(n uint64) string {
	if t.f != nil && t.f.Type.Enum {
		if s := t.f.Type.words.name(n); s != "" {
			return s
		}
	}
	return fmt.Sprint(n)
}

// settle computes the automatic fields if one may have changed.
func (p *Packet) settle() error {
	if p.dirty {
		return p.fix()
	}
	return nil
}

// fix computes all automatic fields, innermost layer first: numbers and lengths, then code and
// checksums.
func (p *Packet) fix() error {
	if p.fixing {
		return nil // a rule in code reads a field while it is computed
	}
	p.fixing = true
	err := p.fixAll()
	p.fixing = false
	if err == nil {
		p.dirty, p.moved = false, false
	}
	return err
}

func (p *Packet) fixAll() error {
	if p.moved {
		if err := p.fixLengths(); err != nil {
			return err
		}
	}
	// Checksums look at lengths and addresses of the layers below.
	for i := len(p.layers) - 1; i >= 0; i-- {
		if lay := p.layers[i].lay; lay.lengths < len(lay.autos) {
			if err := p.computeAll(i, lay.autos[lay.lengths:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// fixLengths computes lengths, counts and the numbers of who follows.
func (p *Packet) fixLengths() error {
	for i := len(p.layers) - 1; i >= 0; i-- {
		y := &p.layers[i]
		lay := y.lay
		var upper *Layout
		if i+1 < len(p.layers) {
			upper = p.layers[i+1].lay
		}
		if len(p.reg.wanted) > 0 {
			for _, f := range lay.chain().wanted {
				if !y.pinned(f) {
					v, _ := p.wanted(i, f)
					p.put(i, f, v)
				}
			}
		}
		if len(lay.autos) == 0 && upper == nil && len(lay.nexts) == 0 {
			continue
		}
		var fills []fill
		if upper != nil && upper != p.reg.raw && upper != p.reg.pad {
			fills = lay.fillsFor(upper)
			for _, fl := range fills {
				if !y.pinned(fl.f) {
					p.put(i, fl.f, fl.v)
				}
			}
		}
		if len(lay.nexts) > 0 {
		next:
			for _, f := range lay.nexts {
				for _, fl := range fills {
					if fl.f == f {
						continue next
					}
				}
				if !y.pinned(f) {
					p.put(i, f, f.def)
				}
			}
		}
		if err := p.computeAll(i, lay.autos[:lay.lengths]); err != nil {
			return err
		}
	}
	return nil
}

func (p *Packet) computeAll(i int, fs []*Field) error {
	for _, f := range fs {
		y := &p.layers[i]
		if y.pinned(f) {
			continue
		}
		if f.pos >= 0 && !y.cut && f.cover.fields == nil {
			// The common rules without looking for anything.
			switch f.auto.kind {
			case autoOctets:
				n := f.auto.add
				if f.cover.header {
					n += int(y.hlen)
				}
				if f.cover.payload {
					n += int(y.end - y.off - y.hlen)
				}
				if f.unit > 1 {
					n = (n + f.unit - 1) / f.unit
				}
				if n += f.spec.Plus; n >= 0 && (f.Type.Bits >= 32 || n>>f.Type.Bits == 0) {
					f.store(p.buf[y.off:], uint64(n))
					continue
				}
			case autoChecksum:
				if f.whole && y.hlen&1 == 0 {
					b := p.buf[y.off:]
					old := b[f.octet : f.octet+2 : f.octet+2]
					was := [2]byte(old)
					old[0], old[1] = 0, 0
					n := y.hlen
					if f.cover.payload {
						n = y.end - y.off
					}
					v, known := p.finishSum(i, f, sum(0, b[:n]), int(n))
					if !known {
						v = uint64(was[0])<<8 | uint64(was[1])
					}
					old[0], old[1] = byte(v>>8), byte(v)
					continue
				}
			}
		}
		if err := p.compute(i, f); err != nil {
			return err
		}
	}
	return nil
}

// put writes an integer of layer i if it is there.
func (p *Packet) put(i int, f *Field, v uint64) {
	y := &p.layers[i]
	if f.pos >= 0 && !y.cut {
		f.store(p.buf[y.off:], v)
		return
	}
	r := p.rec(i)
	if r.has(f) {
		f.Type.put(p.buf[y.off:], r.start(f), v)
	}
}

// wanted is the value of f that a layer above wants, else f's default.
func (p *Packet) wanted(i int, f *Field) (v uint64, ok bool) {
	lay := p.layers[i].lay
	for j := i + 1; j < len(p.layers); j++ {
		up := p.layers[j].lay
		for k := range up.below {
			b := &up.below[k]
			if b.Under != lay.Name || b.Field != f.Name {
				continue
			}
			r := p.rec(j)
			if ok, err := r.holds(&b.When); ok && err == nil {
				return b.Value, true
			}
		}
		if !slices.ContainsFunc(up.nexts, func(n *Field) bool { return n.likeLayout == lay.Name }) {
			break
		}
	}
	return f.def, false
}

// nextValue is what a next rule says.
func (p *Packet) nextValue(i int, f *Field) uint64 {
	if i+1 < len(p.layers) {
		if upper := p.layers[i+1].lay; upper != p.reg.raw && upper != p.reg.pad {
			for _, fl := range p.layers[i].lay.fillsFor(upper) {
				if fl.f == f {
					return fl.v
				}
			}
		}
	}
	return f.def
}

// compute writes what f's rule says.
func (p *Packet) compute(i int, f *Field) error {
	l := Layer{p, i}
	if f.tail >= 0 || p.layers[i].cut {
		if !l.Has(f) {
			return nil
		}
	}
	if f.auto.kind == autoFunc {
		v, err := f.auto.fn(l)
		if err != nil {
			return err
		}
		if v == nil {
			return nil
		}
		y := &p.layers[i]
		set := y.set
		if err := l.SetField(f, v); err != nil {
			return err
		}
		p.layers[i].set = set
		return nil
	}
	v, known, err := p.want(i, f)
	if err != nil {
		return err
	}
	if known {
		p.put(i, f, v)
	}
	return nil
}

// right reports whether the automatic field holds what its rule says; known is false when that
// cannot be told, because octets are missing.
func (p *Packet) right(i int, f *Field) (right, known bool) {
	r := p.rec(i)
	if !r.has(f) {
		return false, false
	}
	if f.auto.kind == autoFunc {
		c := p.Copy()
		c.parsed, c.dirty = false, false
		c.own()
		before := append([]byte(nil), c.buf...)
		if c.compute(i, f) != nil {
			return false, false
		}
		return string(before) == string(c.buf), true
	}
	v, known, err := p.want(i, f)
	if err != nil || !known {
		return false, err == nil && known
	}
	return r.uint(f) == v, true
}

// Check says what an automatic integer field would be if it were not set, and whether that can be
// told at all: not for the checksum of a packet that is cut off.
func (l Layer) Check(f *Field) (want uint64, known bool) {
	if f.auto == nil || !l.Has(f) || !f.Type.integer() {
		return 0, false
	}
	l.p.complete()
	if l.p.dirty {
		_ = l.p.fix()
	}
	if f.auto.kind == autoNext {
		return l.p.nextValue(l.i, f), true
	}
	if f.auto.kind == autoFunc {
		return 0, false
	}
	v, known, err := l.p.want(l.i, f)
	return v, known && err == nil
}

// want is the value of a rule that is not code.
func (p *Packet) want(i int, f *Field) (v uint64, known bool, err error) {
	y := &p.layers[i]
	switch f.auto.kind {
	case autoOctets:
		n := f.auto.add
		if f.cover.header {
			n += int(y.hlen)
		}
		if f.cover.payload {
			n += int(y.end - y.off - y.hlen)
		}
		if len(f.cover.fields) > 0 {
			r := p.rec(i)
			for _, g := range f.cover.fields {
				if g = r.variant(g); g != nil {
					n += (r.end(g) - r.start(g)) / 8
				}
			}
		}
		if f.unit > 1 {
			n = (n + f.unit - 1) / f.unit
		}
		n += f.spec.Plus
		if n < 0 {
			n = 0
		}
		if b := f.Type.Bits; b < 64 && uint64(n)>>b != 0 {
			unit := "octets"
			if f.unit > 1 {
				unit = fmt.Sprintf("units of %d octets", f.unit)
			}
			return 0, true, f.err(faultf(ErrRange, "%d %s do not fit %d bits (%s)", n, unit, b, f.Type.limits()))
		}
		return uint64(n), true, nil
	case autoCount:
		r := p.rec(i)
		n := f.spec.Plus
		if g := r.variant(f.cover.fields[0]); g != nil {
			n += r.value(g).Len()
		}
		if n < 0 {
			n = 0
		}
		if b := f.Type.Bits; b < 64 && uint64(n)>>b != 0 {
			return 0, true, f.err(faultf(ErrRange, "%d elements do not fit %d bits (%s)", n, b, f.Type.limits()))
		}
		return uint64(n), true, nil
	case autoChecksum:
		return p.checksum(i, f)
	case autoCRC32, autoCRC32C:
		table := crc32.IEEETable
		if f.auto.kind == autoCRC32C {
			table = castagnoli
		}
		var crc uint32
		p.covered(i, f, func(b []byte) { crc = crc32.Update(crc, table, b) })
		return uint64(crc), !p.truncated(i), nil
	case autoNext:
		return p.nextValue(i, f), true, nil
	}
	return 0, false, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var zeros [8]byte

// covered hands out the octets that a rule covers, the field itself as zeros, in the order in
// which the rule names them.
func (p *Packet) covered(i int, f *Field, use func([]byte)) {
	y := &p.layers[i]
	r := p.rec(i)
	own := int(y.off) + r.start(f)/8
	ownEnd := own + f.width/8
	piece := func(a, b int) {
		if own >= a && ownEnd <= b {
			use(p.buf[a:own])
			use(zeros[:ownEnd-own])
			use(p.buf[ownEnd:b])
			return
		}
		use(p.buf[a:b])
	}
	for _, name := range f.auto.cover {
		switch name {
		case "pseudo":
		case "payload":
			piece(int(y.off+y.hlen), int(y.end))
		case y.lay.Name:
			piece(int(y.off), int(y.off+y.hlen))
		default:
			if g := r.variant(y.lay.byName[name]); g != nil {
				piece(int(y.off)+r.start(g)/8, int(y.off)+r.end(g)/8)
			}
		}
	}
}

// truncated reports whether a length told of octets that are not there.
func (p *Packet) truncated(i int) bool {
	if !p.layers[i].quoted && p.layers[i].cut {
		return true
	}
	for k := 0; k <= i; k++ {
		y := &p.layers[k]
		if y.lay.bounds == nil {
			continue
		}
		r := p.rec(k)
		for _, f := range y.lay.bounds {
			if f.auto == nil || !y.parsed.has(f.idx) || !r.has(f) {
				continue
			}
			n := int(min(r.uint(f), 1<<31))
			if n == 0 {
				continue
			}
			n = (n-f.spec.Plus)*f.unit - f.auto.add
			if !f.cover.header {
				n += int(y.hlen)
			}
			if n > int(y.end-y.off) {
				return true
			}
		}
	}
	return false
}

// sum adds b, which begins at an even octet, as 16-bit words in the ones' complement of 64 bits. Its carry
// out is added back in, so any order and width of adding gives the same (RFC 1071 §2).
func sum(s uint64, b []byte) uint64 {
	var c uint64
	for len(b) >= 32 {
		s, c = bits.Add64(s, binary.BigEndian.Uint64(b), c)
		s, c = bits.Add64(s, binary.BigEndian.Uint64(b[8:]), c)
		s, c = bits.Add64(s, binary.BigEndian.Uint64(b[16:]), c)
		s, c = bits.Add64(s, binary.BigEndian.Uint64(b[24:]), c)
		b = b[32:]
	}
	for len(b) >= 8 {
		s, c = bits.Add64(s, binary.BigEndian.Uint64(b), c)
		b = b[8:]
	}
	var last uint64
	if len(b) >= 4 {
		last = uint64(binary.BigEndian.Uint32(b)) << 32
		b = b[4:]
		switch len(b) {
		case 1:
			last |= uint64(b[0]) << 24
		case 2:
			last |= uint64(binary.BigEndian.Uint16(b)) << 16
		case 3:
			last |= uint64(binary.BigEndian.Uint16(b))<<16 | uint64(b[2])<<8
		}
	} else {
		switch len(b) {
		case 1:
			last = uint64(b[0]) << 56
		case 2:
			last = uint64(binary.BigEndian.Uint16(b)) << 48
		case 3:
			last = uint64(binary.BigEndian.Uint16(b))<<48 | uint64(b[2])<<40
		}
	}
	s, c = bits.Add64(s, last, c)
	s, c = bits.Add64(s, 0, c)
	return s + c
}

// fold makes 16 bits of a sum.
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s)
}

// checksum is the Internet checksum that f should hold.
func (p *Packet) checksum(i int, f *Field) (uint64, bool, error) {
	y := &p.layers[i]
	var s uint64
	length := 0
	at := f.pos
	if at < 0 || y.cut {
		r := p.rec(i)
		at = r.start(f)
	}
	own := int(y.off) + at/8
	if f.cover.header && len(f.cover.fields) == 0 && at&15 == 0 && y.hlen&1 == 0 {
		// Header and payload stand together and the field at an even octet.
		a, b := int(y.off), int(y.off+y.hlen)
		if f.cover.payload {
			b = int(y.end)
		}
		s = sum(s, p.buf[a:own])
		s = sum(s, p.buf[own+2:b])
		length = b - a
	} else {
		odd := false
		p.covered(i, f, func(b []byte) {
			length += len(b)
			if odd && len(b) > 0 {
				s = sum(s, []byte{0, b[0]})
				b = b[1:]
				odd = false
			}
			s = sum(s, b)
			odd = len(b)&1 != 0 != odd
		})
	}
	v, known := p.finishSum(i, f, s, length)
	return v, known, nil
}

// finishSum makes the checksum of the sum of length octets.
func (p *Packet) finishSum(i int, f *Field, s uint64, length int) (v uint64, known bool) {
	if f.cover.pseudo {
		var ok bool
		if s, ok = p.pseudoSum(s, i, length); !ok {
			return 0, true
		}
	}
	v = uint64(^fold(s))
	if v == 0 && f.spec.Zero != 0 {
		v = f.spec.Zero
	}
	// A sum over the header alone can be told while the header is there.
	return v, !p.read || !f.cover.payload && !p.layers[i].cut || !p.quotedOrCut(i)
}

// quotedOrCut reports whether octets that a checksum covers may be missing.
func (p *Packet) quotedOrCut(i int) bool {
	for k := 0; k <= i; k++ {
		if p.layers[k].parsed != (mask{}) {
			return p.truncated(i)
		}
	}
	return false
}

// pseudoSum adds the pseudo-header of the nearest IP or IPv6 layer (RFC 768, RFC 8200 §8.1).
func (p *Packet) pseudoSum(s uint64, i, length int) (uint64, bool) {
	k := i - 1
	for k >= 0 && p.layers[k].lay.pseudo[0] == nil {
		k--
	}
	if k < 0 {
		return 0, false
	}
	y := &p.layers[k]
	src, dst := y.lay.pseudo[0], y.lay.pseudo[1]
	if y.cut {
		return 0, false
	}
	b := p.buf[y.off:]
	n := src.Type.Size
	from := b[src.pos/8 : src.pos/8+n]
	to := b[dst.pos/8 : dst.pos/8+n]
	for j := k; j < i; j++ {
		for fd := p.routeOf(j); fd != nil; fd = fd.Or {
			if a := p.finalDst(j, n, fd); a != nil && fd.Src {
				from = a
				break
			} else if a != nil {
				to = a
				break
			}
		}
	}
	if n == 4 {
		s, c := bits.Add64(s, uint64(binary.BigEndian.Uint32(from))+uint64(binary.BigEndian.Uint32(to))+uint64(length)+p.protocol(k, i), 0)
		return s + c, true
	}
	s = sum(sum(s, from), to)
	s, c := bits.Add64(s, uint64(length)+p.protocol(k, i), 0)
	return s + c, true
}

// protocol is the number of layer i under the network layer k.
func (p *Packet) protocol(k, i int) uint64 {
	upper := p.layers[i].lay
	for _, fl := range p.layers[k].lay.fillsFor(upper) {
		return fl.v
	}
	for j := i - 1; j >= k; j-- {
		if nx := p.layers[j].lay.nexts; len(nx) > 0 {
			r := p.rec(j)
			if r.has(nx[0]) {
				return r.uint(nx[0])
			}
		}
	}
	return 0
}

// routeOf is the layer's rule for the final destination, if it has anything that may be one.
func (p *Packet) routeOf(j int) *FinalDst {
	y := &p.layers[j]
	if int(y.hlen)*8 == y.lay.fixedBits {
		return nil
	}
	return y.lay.final
}

// finalDst is the last stop of a source route, nil if there is none.
func (p *Packet) finalDst(j, n int, fd *FinalDst) []byte {
	r := p.rec(j)
	if fd.Left != "" {
		if f := r.variant(r.lay.byName[fd.Left]); f == nil || r.uint(f) == 0 {
			return nil
		}
	}
	if ok, _ := r.holds(&fd.When); !ok {
		return nil
	}
	f := r.variant(r.lay.byName[fd.Field])
	if f == nil {
		return nil
	}
	v := r.value(f)
	pick := func(v Value) []byte {
		if (v.Kind() == IP4 || v.Kind() == IP6) && len(v.b) == n {
			return v.b
		}
		if v.Kind() != List || len(v.b) < n || v.t.Elem.Size != n {
			return nil
		}
		if fd.First {
			return v.b[:n]
		}
		return v.b[len(v.b)/n*n-n : len(v.b)/n*n]
	}
	if v.Kind() != OptionsOf {
		return pick(v)
	}
	for o := range v.Options() {
		for _, name := range fd.Options {
			if o.Label() != name {
				continue
			}
			if a := pick(o.Value); a != nil {
				return a
			}
			rr := o.Value.Record()
			for f := range rr.Fields() {
				if a := pick(rr.Get(f)); a != nil {
					return a
				}
			}
		}
	}
	return nil
}
