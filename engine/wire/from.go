package wire

// From returns a packet of its own that begins with the layer at place i and has
// all that follows it, octet for octet. Automatic fields stay automatic, and
// those of a parsed packet that are right become so: on another packet they are
// computed for the place where they are then.
func (p *Packet) From(i int) *Packet {
	x := &struct {
		Packet
		Room
	}{}
	p.FromTo(&x.Packet, &x.Room, i)
	return &x.Packet
}

// FromTo makes q, whatever it was, what From returns. in may be nil.
func (p *Packet) FromTo(q *Packet, in room, i int) {
	p.complete()
	p.copyTo(q, in, 0)
	// While the lower layers are there: a checksum may cover their addresses.
	// What cannot be computed is said when q is encoded.
	if q.parsed {
		q.thaw()
	} else if q.dirty {
		_ = q.fix()
	}
	q.own()
	base := q.layers[i].off
	q.buf = q.buf[:copy(q.buf, q.buf[base:])]
	n := copy(q.layers, q.layers[i:])
	clear(q.layers[n:])
	q.layers = q.layers[:n]
	for k := range q.layers {
		q.layers[k].off -= base
		q.layers[k].end -= base
	}
	if q.rem == nil {
		return
	}
	marks, notes := q.rem.marks[:0], q.rem.notes[:0]
	for _, m := range q.rem.marks {
		if m.layer -= i; m.layer >= 0 {
			marks = append(marks, m)
		}
	}
	for _, t := range q.rem.notes {
		if t.Offset -= int(base); t.Offset >= 0 {
			notes = append(notes, t)
		}
	}
	q.rem.marks, q.rem.notes = marks, notes
}
