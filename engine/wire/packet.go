package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
)

// A Packet is octets and the layers found in them. The zero value is an empty
// packet; see [Layout.New] and [Layout.Parse].
type Packet struct {
	reg    *Registry
	buf    []byte
	layers []layer
	ext    []uint32 // positions of fields that may move, for all layers
	rem    *remarks
	Handle any  // for the packet's user; a copy has none
	view   bool // buf belongs to someone else
	lazy   bool // there may be more layers to find
	parsed bool // no edit yet: automatic fields are as they were read
	dirty  bool // automatic fields are to be computed: checksums and code
	moved  bool // and lengths and numbers
	fixing bool
	read   bool // some layer was parsed
}

// layer is a layout's place in the packet.
type layer struct {
	lay            *Layout
	off, hlen, end int32 // header, its length, end of the payload
	tail           int32 // first of its positions in ext
	cut, quoted    bool
	set, parsed    mask
	has            mask // of the fields that may move
	site           *Site
}

// remarks are what most packets do without.
type remarks struct {
	notes []Note
	marks []mark
}

func (p *Packet) remark() *remarks {
	if p.rem == nil {
		p.rem = &remarks{}
	}
	return p.rem
}

func (p *Packet) marks() []mark {
	if p.rem == nil {
		return nil
	}
	return p.rem.marks
}

// A Site is a place in a script.
type Site struct {
	File string
	Line int
}

func (s Site) String() string {
	if s.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", s.File, s.Line)
}

// mark is where a field was set.
type mark struct {
	layer, field int
	site         Site
}

// A Note says what was found wrong when a packet was parsed.
type Note struct {
	Layer  int // index of the layer it is about
	Offset int // octet in the packet
	Text   string
}

func (n Note) String() string { return fmt.Sprintf("octet %d: %s", n.Offset, n.Text) }

// Room is memory for a small packet, so that it takes one allocation with its owner.
type Room struct {
	layers [4]layer
	buf    [96]byte
	ext    [4]uint32
}

// Room1 is memory for one layer.
type Room1 struct {
	layers [1]layer
	buf    [40]byte
}

// RoomParsed is memory for the layers of a packet that is parsed.
type RoomParsed struct{ layers [3]layer }

type room interface {
	use(p *Packet)
}

func (r *Room) use(p *Packet)       { p.layers, p.buf, p.ext = r.layers[:0], r.buf[:0], r.ext[:0] }
func (r *RoomParsed) use(p *Packet) { p.layers = r.layers[:0] }
func (r *Room1) use(p *Packet)      { p.layers, p.buf = r.layers[:0], r.buf[:0] }

// maxLayers ends the parsing of frames that are nothing but nested headers.
const maxLayers = 255

// maxSize is the largest size that a field can have by declaration: every new
// header is as long.
const maxSize = 1 << 24

// New returns a packet of one layer with all defaults.
func (l *Layout) New() *Packet {
	x := &struct {
		Packet
		Room1
	}{}
	l.Init(&x.Packet, &x.Room1)
	return &x.Packet
}

// Init makes p, whatever it was, a packet of one layer with all defaults. in may be nil.
// A layout whose defaults cannot be written, see [Layout.Defaults], gives a header of zeros that is
// cut short behind its fixed part.
func (l *Layout) Init(p *Packet, in room) {
	p.reset(l.reg)
	if in != nil {
		in.use(p)
	}
	p.push(l)
}

func (p *Packet) reset(reg *Registry) {
	if p.reg == nil && p.buf == nil && p.layers == nil {
		p.reg = reg // new memory, most often
		return
	}
	*p = Packet{reg: reg, buf: p.buf[:0], layers: p.layers[:0], ext: p.ext[:0], Handle: p.Handle}
	if p.view {
		p.buf = nil
	}
}

// Reset empties p for [Packet.Push] and keeps its memory.
func (p *Packet) Reset() {
	if p.view {
		p.buf = nil
	}
	p.reset(p.reg)
}

// Push puts another layer with all defaults on top of p and returns it.
func (p *Packet) Push(l *Layout) Layer {
	p.edit()
	p.reg = l.reg
	if n := len(p.layers); n > 0 && p.layers[n-1].lay == l.reg.pad {
		q := l.New()
		p.stack(q)
		return p.At(p.body() - 1)
	}
	p.push(l)
	return Layer{p, len(p.layers) - 1}
}

// PushOctets puts octets behind the last layer.
func (p *Packet) PushOctets(b string) {
	p.edit()
	p.appendRaw(b)
}

func (p *Packet) push(l *Layout) {
	if !l.tmplOK {
		if l.template() != nil {
			l.blank()
		}
	}
	n := int32(len(l.tmpl))
	off := int32(len(p.buf))
	p.buf = append(p.buf, l.tmpl...)
	if l != l.reg.pad {
		for i := range p.layers {
			p.layers[i].end += n
		}
	}
	y := p.grow()
	y.lay, y.off, y.hlen, y.end, y.tail, y.has = l, off, n, off+n, int32(len(p.ext)), l.tmplHas
	p.ext = append(p.ext, l.tmplTail...)
	y.cut = !l.tmplOK
	p.dirty, p.moved = true, true
}

// Parse returns a packet whose first layer is an l. It never fails: what does not
// fit becomes Raw or Padding, and [Packet.Notes] says why. The packet is a view of b
// until it is edited, so b must not change meanwhile.
func (l *Layout) Parse(b []byte) *Packet {
	x := &struct {
		Packet
		Room1
	}{}
	x.Packet.layers = x.Room1.layers[:0]
	l.ParseInto(&x.Packet, b)
	return &x.Packet
}

// ParseInto makes p, whatever it was, the packet that Parse returns, and uses its memory again.
func (l *Layout) ParseInto(p *Packet, b []byte) {
	p.reg = l.reg
	p.buf = b
	p.layers = p.layers[:0]
	p.ext = p.ext[:0]
	if p.rem != nil {
		p.rem = nil
	}
	p.view, p.parsed, p.lazy, p.read, p.dirty, p.moved = true, true, true, true, false, false
	if !p.found(l, 0, len(b), false) {
		p.finish()
	}
}

// note remembers what is wrong.
func (p *Packet) note(off int, format string, args ...any) {
	r := p.remark()
	r.notes = append(r.notes, Note{len(p.layers), off, fmt.Sprintf(format, args...)})
}

// found reads a layer at off from the octets up to lim; false when not even its fixed part is there.
func (p *Packet) found(lay *Layout, off, lim int, quoted bool) bool {
	b := p.buf[off:lim]
	if len(b)*8 >= lay.fixedBits && (lay.instead == "" || lay.flat && !lay.insteadWhen.fixed(b)) && p.plain(lay, b, off, quoted) {
		return true
	}
	return p.special(lay, off, lim, quoted)
}

// special is found for any header.
func (p *Packet) special(lay *Layout, off, lim int, quoted bool) bool {
	room := lim - off
	fixed := lay.fixedBits / 8
	if room < fixed && (!quoted || room == 0) {
		if room > 0 || off == 0 {
			p.note(off, "%s needs %d octets, %d are there", lay.Name, fixed, room)
		}
		return false
	}
	r := rec{lay: lay, msg: p.buf[off:lim]}
	if lay.instead != "" && room >= fixed {
		r.hlen = fixed
		if ok, err := r.holds(&lay.insteadWhen); ok && err == nil {
			other, err := p.reg.Layout(lay.instead)
			if err == nil && other != lay && other.instead == "" {
				return p.found(other, off, lim, quoted)
			}
			if err != nil {
				p.note(off, "%s", err)
			}
		}
	}
	end := lim
	if room >= fixed {
		r.hlen = fixed
		for _, f := range lay.bounds {
			if f.pos >= 0 && f.cover.header {
				end = p.bound(&r, f, off, lim, fixed, quoted)
			}
		}
	}
	k := len(p.layers)
	y := p.grow()
	y.lay, y.off, y.parsed, y.quoted = lay, int32(off), lay.all, quoted
	if len(lay.tails) == 0 && room >= fixed {
		r.hlen = fixed
	} else {
		y.tail = int32(len(p.ext))
		lay.walk(&r, end-off, p.ext)
		p.ext = r.tail
		r.tail = p.ext[y.tail:]
		y.has, y.cut = r.has_, r.cut
		if r.why.f != nil && !quoted {
			at := off
			if r.has(r.why.f) || !r.cut {
				at += r.start(r.why.f) / 8
			}
			p.note(at, "%s.%s", lay.Name, r.why)
			notes := p.rem.notes
			notes[len(notes)-1].Layer = k
		}
	}
	for _, f := range lay.bounds {
		if (f.pos < 0 || !f.cover.header) && r.has(f) {
			end = p.bound(&r, f, off, end, r.hlen, quoted)
		}
	}
	y.hlen, y.end = int32(r.hlen), int32(max(end, off+r.hlen))
	return true
}

// plain is found for a usual header and a length that agrees with b, the octets from off on. It does
// nothing and returns false when anything is special.
func (p *Packet) plain(lay *Layout, b []byte, off int, quoted bool) bool {
	q := &lay.quick
	if !q.ok || len(b) < q.fixed {
		return false
	}
	hlen := q.fixed
	if q.size.mask != 0 {
		n := q.size.fetch(b)*q.mul + q.add
		if n < 0 || hlen+n > len(b) {
			return false
		}
		hlen += n
	}
	end := off + len(b)
	if q.bound.mask != 0 {
		if n := q.bound.fetch(b); n != 0 {
			n = n*q.unit - q.plus
			if !q.header {
				n += hlen
			}
			if n < hlen || n > len(b) {
				return false
			}
			end = off + n
		}
	}
	k := len(p.layers)
	if k == cap(p.layers) {
		p.layers = append(p.layers, layer{})
	}
	p.layers = p.layers[:k+1]
	y := &p.layers[k] // what was there before is overwritten; a struct literal would be copied
	y.lay = lay
	y.off, y.hlen, y.end, y.tail = int32(off), int32(hlen), int32(end), int32(len(p.ext))
	y.cut, y.quoted = false, quoted
	// Word by word: as arrays they would go through memory twice.
	y.set[0], y.set[1] = 0, 0
	y.parsed[0], y.parsed[1] = lay.all[0], lay.all[1]
	y.has[0], y.has[1] = q.has[0], q.has[1]
	if y.site != nil {
		y.site = nil
	}
	return true
}

// grow appends a layer.
func (p *Packet) grow() *layer {
	k := len(p.layers)
	if k < cap(p.layers) {
		p.layers = p.layers[:k+1]
		p.layers[k] = layer{}
	} else {
		p.layers = append(p.layers, layer{})
	}
	return &p.layers[k]
}

// bound is where the payload ends according to f, at most lim.
func (p *Packet) bound(r *rec, f *Field, off, lim, hlen int, quoted bool) int {
	n := int(min(r.uint(f), 1<<31))
	if n == 0 {
		return lim // "to the end": segmentation offload, jumbo payload
	}
	n -= f.spec.Plus
	n *= f.unit
	end := off + n
	if f.auto != nil && f.auto.kind == autoOctets {
		end -= f.auto.add
		for _, g := range f.cover.fields {
			if r.has(g) {
				end -= (r.end(g) - r.start(g)) / 8
			}
		}
	}
	if !f.cover.header {
		end += hlen
	}
	at := off + r.start(f)/8
	switch {
	case end < off+hlen && f.cover.header:
		if !quoted {
			p.note(at, "%s.%s: %d octets are fewer than the header has", r.lay.Name, f.Name, end-off)
		}
		return lim
	case end > lim:
		if !quoted {
			p.note(at, "%s.%s: %d octets are missing", r.lay.Name, f.Name, end-lim)
		}
		return lim
	case end < off+hlen:
		return off + hlen
	}
	return end
}

// more finds the next layer; false when there is none.
func (p *Packet) more() bool {
	if !p.lazy {
		return false
	}
	// The usual header on a usual header, without a record of it.
	if k := len(p.layers); k > 0 && k < maxLayers {
		y := &p.layers[k-1]
		lay := y.lay
		if lay.usual && !y.cut && y.off+y.hlen < y.end {
			b := p.buf[y.off:y.end]
			if lay.calm == 0 || binary.BigEndian.Uint16(b[lay.calmAt:])&lay.calm == 0 {
				next, sure := lay.fixedFollower(b)
				if next != nil {
					if next.instead == "" && next.fixedBits > 0 && p.plain(next, b[y.hlen:], int(y.off+y.hlen), y.quoted) {
						return true
					}
				} else if sure {
					p.finish()
					return true
				}
			}
		}
	}
	return p.search()
}

// search is more for any header.
func (p *Packet) search() bool {
	k := len(p.layers)
	if k == 0 {
		p.finish()
		return false
	}
	y := &p.layers[k-1]
	start, lim := int(y.off+y.hlen), int(y.end)
	if start >= lim || k >= maxLayers {
		if start < lim {
			p.note(start, "more than %d layers", maxLayers)
		}
		p.finish()
		return len(p.layers) > k
	}
	lay := y.lay
	cut := y.cut
	quoted := y.quoted
	r := p.rec(k - 1)
	if !cut && !lay.opaque.none() {
		if ok, _ := r.holds(&lay.opaque); ok {
			p.finish()
			return len(p.layers) > k
		}
	}
	if !quoted && !lay.quotes.none() {
		quoted, _ = r.holds(&lay.quotes)
	}
	next, err := r.follower()
	if err != nil {
		p.note(start, "%s", err)
	}
	if next == nil || cut || !p.found(next, start, lim, quoted) {
		p.finish()
		return len(p.layers) > k
	}
	if y = &p.layers[len(p.layers)-1]; y.hlen == 0 {
		p.layers = p.layers[:k] // a layer of nothing would be found for ever
		p.finish()
		return len(p.layers) > k
	}
	return true
}

// finish gives what is left to Raw and Padding.
func (p *Packet) finish() {
	p.lazy = false
	at := 0
	k := len(p.layers)
	add := func(lay *Layout, end int) {
		p.layers = append(p.layers, layer{lay: lay, off: int32(at), hlen: int32(end - at), end: int32(end), tail: int32(len(p.ext)), parsed: lay.all, has: lay.all})
		at = end
	}
	if k > 0 {
		y := &p.layers[k-1]
		if at = int(y.off + y.hlen); at < int(y.end) {
			add(p.reg.raw, int(y.end))
		}
		for i := k - 1; i >= 0; i-- {
			if e := int(p.layers[i].end); e > at {
				add(p.reg.pad, e)
			}
		}
		if len(p.buf) > at {
			add(p.reg.pad, len(p.buf))
		}
	} else if len(p.buf) > 0 {
		add(p.reg.raw, len(p.buf))
	}
}

func (p *Packet) complete() {
	for p.lazy {
		p.more()
	}
}

// rec is layer i as a record.
func (p *Packet) rec(i int) rec {
	y := &p.layers[i]
	r := rec{lay: y.lay, msg: p.buf[y.off:max(y.end, y.off+y.hlen)], hlen: int(y.hlen), cut: y.cut, has_: y.has}
	if n := len(y.lay.tails); n > 1 {
		r.tail = p.ext[y.tail : int(y.tail)+n-1]
	}
	return r
}

// own makes buf the packet's own.
func (p *Packet) own() {
	if p.view {
		p.buf = append(make([]byte, 0, len(p.buf)+16), p.buf...)
		p.view = false
	}
}

// thaw prepares a parsed packet for its first edit: automatic fields whose
// value is right become automatic again.
func (p *Packet) thaw() {
	if !p.parsed {
		return
	}
	p.complete()
	p.parsed = false
	for i := len(p.layers) - 1; i >= 0; i-- {
		y := &p.layers[i]
		if len(y.lay.autos) > 0 || len(y.lay.nexts) > 0 {
			p.release(i)
		}
	}
	p.own()
}

func (p *Packet) release(i int) {
	y := &p.layers[i]
	r := p.rec(i)
	for _, f := range y.lay.nexts {
		if r.has(f) && r.uint(f) == p.nextValue(i, f) {
			y.parsed.del(f.idx)
		}
	}
	for _, f := range y.lay.autos {
		if !r.has(f) {
			continue
		}
		if right, known := p.right(i, f); right && known {
			y.parsed.del(f.idx)
		}
	}
}

// edit is called before every change.
func (p *Packet) edit() {
	if p.parsed {
		p.thaw()
	}
	if p.view {
		p.own()
	}
	p.dirty, p.moved = true, true
}

// Layers yields the layers from the outermost on; all are found first.
func (p *Packet) Layers() iter.Seq[Layer] {
	return func(yield func(Layer) bool) {
		p.complete()
		for i := 0; i < len(p.layers); i++ {
			if !yield(Layer{p, i}) {
				return
			}
		}
	}
}

// NumLayers is how many layers the packet has.
func (p *Packet) NumLayers() int {
	p.complete()
	return len(p.layers)
}

// At is the layer at place i, from 0; the zero Layer when there is none.
func (p *Packet) At(i int) Layer {
	for i >= len(p.layers) && p.more() {
	}
	if i < 0 || i >= len(p.layers) {
		return Layer{}
	}
	return Layer{p, i}
}

// Find is the nth layer (from 0) of a layout, the zero Layer when there is none.
func (p *Packet) Find(l *Layout, n int) Layer {
	for i := 0; i < len(p.layers) || p.more(); i++ {
		if p.layers[i].lay == l {
			if n == 0 {
				return Layer{p, i}
			}
			n--
		}
	}
	return Layer{}
}

// Layer is the nth layer (from 0) of a name, the zero Layer when there is none.
func (p *Packet) Layer(name string, n int) Layer {
	for i := 0; i < len(p.layers) || p.more(); i++ {
		if p.layers[i].lay.Name == name {
			if n == 0 {
				return Layer{p, i}
			}
			n--
		}
	}
	return Layer{}
}

// FieldNamed finds the first layer that has the field, present ones first.
func (p *Packet) FieldNamed(name string) (Layer, *Field) {
	var absent Layer
	var af *Field
	for i := 0; i < len(p.layers) || p.more(); i++ {
		f := p.layers[i].lay.byName[name]
		if f == nil {
			continue
		}
		if f.tail < 0 && !p.layers[i].cut {
			return Layer{p, i}, f
		}
		r := p.rec(i)
		if g := r.variant(f); g != nil {
			return Layer{p, i}, g
		}
		if af == nil {
			absent, af = Layer{p, i}, f
		}
	}
	return absent, af
}

// Registry is where the packet's layouts come from.
func (p *Packet) Registry() *Registry { return p.reg }

// Len is the number of octets the packet encodes to.
func (p *Packet) Len() int { return len(p.buf) }

// AppendBinary appends the packet's octets; automatic fields are computed
// first, and one that cannot hold its value is an error.
func (p *Packet) AppendBinary(b []byte) ([]byte, error) {
	if p.dirty {
		if err := p.fix(); err != nil {
			return b, err
		}
	}
	return append(b, p.buf...), nil
}

// Octets are the packet's, computed as by AppendBinary: a view, valid until the
// packet is changed, which must not be written to.
func (p *Packet) Octets() ([]byte, error) {
	if p.dirty {
		if err := p.fix(); err != nil {
			return nil, err
		}
	}
	return p.buf, nil
}

// Notes tells what was wrong when the packet was parsed.
func (p *Packet) Notes() []Note {
	p.complete()
	if p.rem == nil {
		return nil
	}
	return p.rem.notes
}

// Parsed reports whether the packet was read from octets and not edited since.
func (p *Packet) Parsed() bool { return p.parsed }

// Equal reports whether two packets encode to the same octets.
func (p *Packet) Equal(q *Packet) bool {
	if p == q {
		return true
	}
	a, err1 := p.Octets()
	b, err2 := q.Octets()
	return err1 == nil && err2 == nil && bytes.Equal(a, b)
}

// Copy returns a packet of its own with the same layers.
func (p *Packet) Copy() *Packet {
	x := &struct {
		Packet
		Room
	}{}
	p.CopyTo(&x.Packet, &x.Room)
	return &x.Packet
}

// CopyTo makes q a copy of p. in may be nil.
func (p *Packet) CopyTo(q *Packet, in room) {
	p.copyTo(q, in, 0)
}

func (p *Packet) copyTo(q *Packet, in room, extra int) {
	q.reset(p.reg)
	if in != nil {
		in.use(q)
	}
	q.view, q.lazy, q.parsed, q.read, q.dirty, q.moved = p.view, p.lazy, p.parsed, p.read, p.dirty, p.moved
	q.layers = append(q.layers, p.layers...)
	q.ext = append(q.ext, p.ext...)
	if p.rem != nil {
		q.rem = &remarks{slices.Clone(p.rem.notes), slices.Clone(p.rem.marks)}
	}
	if p.view {
		q.buf = p.buf
	} else {
		if n := len(p.buf) + extra; cap(q.buf) < n {
			q.buf = make([]byte, 0, n)
		}
		q.buf = append(q.buf, p.buf...)
	}
}

// body is how many layers stand before the Padding at the end.
func (p *Packet) body() int {
	n := len(p.layers)
	for n > 0 && p.layers[n-1].lay == p.reg.pad {
		n--
	}
	return n
}

// Over returns a packet with q as the payload of p's last layer. Neither is changed.
func (p *Packet) Over(q *Packet) *Packet {
	x := &struct {
		Packet
		Room
	}{}
	p.OverTo(&x.Packet, &x.Room, q)
	return &x.Packet
}

// OverTo makes to, whatever it was, what Over returns. in may be nil.
func (p *Packet) OverTo(to *Packet, in room, q *Packet) {
	p.copyTo(to, in, len(q.buf))
	to.edit()
	if q.parsed {
		q = q.Copy()
		q.thaw()
	}
	to.stack(q)
}

// Put puts a copy of q on p as the payload of its last layer: p is changed, q is not.
func (p *Packet) Put(q *Packet) {
	p.edit()
	if q.parsed {
		q = q.Copy()
		q.thaw()
	}
	p.stack(q)
}

// OverOctets makes to a packet with octets as the payload of p's last layer. in may be nil.
func (p *Packet) OverOctets(to *Packet, in room, b string) {
	p.copyTo(to, in, len(b))
	to.edit()
	to.appendRaw(b)
}

// Raw returns a packet of one Raw layer.
func (r *Registry) RawPacket(b string) *Packet {
	p := r.raw.New()
	p.edit()
	p.layers = p.layers[:0]
	p.appendRaw(b)
	return p
}

// appendRaw puts octets behind the last layer; Raw upon Raw is one Raw.
func (p *Packet) appendRaw(b string) {
	if b == "" {
		return
	}
	n := p.body()
	at := len(p.buf)
	if n < len(p.layers) {
		at = int(p.layers[n].off)
	}
	p.open(n, at, 0, len(b))
	copy(p.buf[at:], b)
	if n > 0 && p.layers[n-1].lay == p.reg.raw {
		p.layers[n-1].hlen += int32(len(b))
		p.layers[n-1].set.add(0)
		return
	}
	p.insert(n, layer{lay: p.reg.raw, off: int32(at), hlen: int32(len(b)), end: int32(at + len(b)), tail: int32(len(p.ext)), has: p.reg.raw.all})
	p.layers[n].set.add(0)
}

func (p *Packet) insert(i int, y layer) {
	p.layers = append(p.layers, layer{})
	copy(p.layers[i+1:], p.layers[i:])
	p.layers[i] = y
	for k, m := range p.marks() {
		if m.layer >= i {
			p.rem.marks[k].layer++
		}
	}
}

// open replaces n octets at at by m others, to be written by the caller. Layers before i grow, those
// from i on move.
func (p *Packet) open(i, at, n, m int) {
	d := m - n
	if d == 0 {
		return
	}
	old := len(p.buf)
	if d > 0 {
		p.buf = append(p.buf, make([]byte, d)...)
		copy(p.buf[at+m:], p.buf[at+n:old])
	} else {
		copy(p.buf[at+m:], p.buf[at+n:])
		p.buf = p.buf[:old+d]
	}
	for k := range p.layers {
		y := &p.layers[k]
		if k >= i {
			y.off += int32(d)
			y.end += int32(d)
		} else {
			y.end += int32(d)
		}
	}
}

// stack puts q, which is not parsed, behind the last layer.
func (p *Packet) stack(q *Packet) {
	if p.reg == nil {
		p.reg = q.reg
	}
	if len(q.layers) == 0 {
		return
	}
	p.read = p.read || q.read
	n := p.body()
	at := len(p.buf)
	if n < len(p.layers) {
		at = int(p.layers[n].off)
	}
	in := 0 // octets of q that go into the payload, and layers
	inl := 0
	if q.layers[0].lay != p.reg.pad {
		in = int(q.layers[0].end)
		for inl < len(q.layers) && int(q.layers[inl].off) < in || inl == 0 {
			inl++
		}
		// An empty layer may stand at the very end of the payload.
		for inl < len(q.layers) && q.layers[inl].lay != p.reg.pad {
			inl++
		}
	}
	if n > 0 && inl == 1 && p.layers[n-1].lay == p.reg.raw && q.layers[0].lay == p.reg.raw {
		p.appendRaw(string(q.buf[:in]))
	} else {
		p.open(n, at, 0, in)
		copy(p.buf[at:], q.buf[:in])
		for k := range inl {
			y := q.layers[k]
			y.off += int32(at)
			y.end += int32(at)
			y.tail += int32(len(p.ext))
			if n+k == len(p.layers) {
				p.layers = append(p.layers, y)
			} else {
				p.insert(n+k, y)
			}
		}
		for _, m := range q.marks() {
			if m.layer < inl {
				m.layer += n
				r := p.remark()
				r.marks = append(r.marks, m)
			}
		}
	}
	at = len(p.buf)
	p.buf = append(p.buf, q.buf[in:]...)
	for _, y := range q.layers[inl:] {
		y.off += int32(at - in)
		y.end += int32(at - in)
		y.tail += int32(len(p.ext))
		p.layers = append(p.layers, y)
	}
	p.ext = append(p.ext, q.ext...)
}

// payload is the last layer that has a layout of its own, whose payload is the packet's.
func (p *Packet) last() int {
	p.complete()
	n := p.body()
	for n > 1 && p.layers[n-1].lay == p.reg.raw {
		n--
	}
	return n - 1
}

// Last is the last layer that is neither Raw nor Padding, else the first.
func (p *Packet) Last() Layer {
	if i := p.last(); i >= 0 {
		return Layer{p, i}
	}
	return Layer{}
}

// Use makes p empty and gives it memory for its layers.
func (p *Packet) Use(in room) { in.use(p) }

// Payload is what follows the last layer that is neither Raw nor Padding: a view.
func (p *Packet) Payload() []byte {
	i := p.last()
	if i < 0 {
		return nil
	}
	if p.layers[i].lay == p.reg.raw {
		y := &p.layers[i]
		return p.buf[y.off : y.off+y.hlen]
	}
	return Layer{p, i}.Payload()
}

// SetPayload replaces what Payload returns.
func (p *Packet) SetPayload(b string) error {
	i := p.last()
	if i < 0 {
		return &Error{Offset: -1, Err: faultf(ErrArgument, "an empty packet has no layer to put a payload in")}
	}
	if y := &p.layers[i]; y.lay == p.reg.raw {
		return Layer{p, i}.SetString(y.lay.fields[0], b)
	}
	return Layer{p, i}.SetPayload(b)
}

// setPayload empties the payload of layer i.
func (p *Packet) clearPayload(i int) {
	y := &p.layers[i]
	at, end := int(y.off+y.hlen), int(y.end)
	k := i + 1
	for k < len(p.layers) && !(p.layers[k].lay == p.reg.pad && int(p.layers[k].off) >= end) {
		k++
	}
	p.layers = append(p.layers[:i+1], p.layers[k:]...)
	if marks := p.marks(); marks != nil {
		kept := marks[:0]
		for _, m := range marks {
			switch {
			case m.layer > i && m.layer < k:
				continue
			case m.layer >= k:
				m.layer -= k - i - 1
			}
			kept = append(kept, m)
		}
		p.rem.marks = kept
	}
	p.open(i+1, at, end-at, 0)
}
