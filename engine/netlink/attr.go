package netlink

import (
	"encoding/binary"
	"errors"
	"slices"

	"pktsh/engine/wire"
)

// Changes of a message: fields are written where they stand, attributes are put
// in the place of those of the same number, or at the end.

var errGone = errors.New("this part of the message is no longer in it")

// maxAttr is what the length of an attribute can say.
const maxAttr = 1<<16 - 1

// Set gives a member a value.
func (v *View) Set(m Member, in Input) error {
	if err := v.alive(); err != nil {
		return err
	}
	switch {
	case m.Field != nil:
		return v.setField(m.Field, in)
	case m.Attr != nil:
		e := encoder{}
		b, err := e.attr(nil, m.Attr, in, &level{c: v.c, v: v})
		if err != nil {
			return e.fault(v.c, err)
		}
		return v.replaceAttr(m.Attr.Num, b)
	}
	return v.c.Unknown("")
}

// SetNumber gives the attribute of a number octets; for one that the class does
// not know.
func (v *View) SetNumber(num uint16, contents []byte) error {
	if err := v.alive(); err != nil {
		return err
	}
	if len(contents)+attrsHead > maxAttr {
		return tooLong(len(contents))
	}
	b := appendAttr(nil, num, contents)
	return v.replaceAttr(num&numberOf, b)
}

func tooLong(n int) error {
	return faultf(wire.ErrRange, "%d octets do not fit an attribute (0..%d)", n, maxAttr-attrsHead)
}

// appendAttr appends a whole attribute and what fills it up.
func appendAttr(b []byte, typ uint16, contents []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(attrsHead+len(contents)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, contents...)
	return pad(b, len(contents))
}

// pad fills b up so that n octets at its end become a multiple of 4.
func pad(b []byte, n int) []byte {
	for ; n%4 != 0; n++ {
		b = append(b, 0)
	}
	return b
}

func (v *View) alive() error {
	v.refresh()
	for x := v; x != nil; x = x.up {
		if x.frame == gone {
			return &wire.Error{Layout: v.className(), Offset: -1, Err: errGone}
		}
	}
	return nil
}

func (v *View) className() string {
	if v.c == nil {
		return "list"
	}
	return v.c.Name
}

// Remove takes a member away: an attribute, or a field, which becomes zero.
func (v *View) Remove(m Member) error {
	if err := v.alive(); err != nil {
		return err
	}
	switch {
	case m.Field != nil:
		if m.Field == v.c.Tail {
			return v.writeTail(nil)
		}
		return v.write(m.Field.Off, make([]byte, m.Field.Size))
	case m.Attr != nil:
		return v.RemoveNumber(m.Attr.Num)
	}
	return nil
}

// RemoveNumber takes all attributes of a number away.
func (v *View) RemoveNumber(num uint16) error {
	if err := v.alive(); err != nil {
		return err
	}
	return v.replaceAttr(num, nil)
}

func (v *View) setField(f *Field, in Input) error {
	e := encoder{}
	b, err := e.field(make([]byte, 0, f.Size), f, in, &level{c: v.c, v: v})
	if err != nil {
		return e.fault(v.c, err)
	}
	if f.Index < 64 {
		v.absent &^= 1 << f.Index
	}
	if f == v.c.Tail {
		return v.writeTail(b)
	}
	return v.write(f.Off, b)
}

// writeTail replaces the last field, whose length varies.
func (v *View) writeTail(b []byte) error {
	f := v.c.Tail
	from, to := f.Off, v.end(f)
	if f.SizeBy != nil {
		n, err := f.SizeBy.Type.fitUint(uint64(len(b)))
		if err != nil {
			return inMember(f.Name, err)
		}
		count := make([]byte, f.SizeBy.Size)
		putNumber(count, n, f.SizeBy.Type.Big)
		if err := v.write(f.SizeBy.Off, count); err != nil {
			return err
		}
		if to = Align(to); to < len(v.b) {
			b = pad(b, f.Off+len(b))
		}
	}
	if len(v.b) < from {
		b = append(make([]byte, from-len(v.b)), b...)
		from = len(v.b)
	}
	return v.splice(from, max(from, min(to, len(v.b))), b)
}

// write puts octets over those at off, lengthening a fixed part that is short.
func (v *View) write(off int, b []byte) error {
	if off+len(b) <= len(v.b) {
		v.msg.keep()
		v.refresh()
		copy(v.b[off:], b)
		return nil
	}
	long := make([]byte, off+len(b))
	copy(long, v.b)
	copy(long[off:], b)
	return v.splice(0, len(v.b), long)
}

// replaceAttr puts b, whole attributes, in the place of the first attribute of a
// number, or at the end, and takes all others of that number away.
func (v *View) replaceAttr(num uint16, b []byte) error {
	at := min(v.attrsAt(), len(v.b))
	out := slices.Clone(v.b[:at])
	if len(out) < v.attrsAt() {
		if len(b) == 0 {
			return nil
		}
		out = append(out, make([]byte, v.attrsAt()-len(out))...)
	}
	placed, found := false, false
	off := at
	for {
		_, _, typ, next, ok := nextAttr(v.b, off)
		if !ok {
			break
		}
		if typ&numberOf == num {
			found = true
			if !placed {
				out, placed = append(pad(out, len(out)-v.attrsAt()), b...), true
			}
		} else {
			out = append(pad(out, len(out)-v.attrsAt()), v.b[off:min(next, len(v.b))]...)
		}
		off = next
	}
	if !found && len(b) == 0 {
		return nil
	}
	if !placed {
		out = append(pad(out, len(out)-v.attrsAt()), b...)
	}
	if off < len(v.b) {
		out = append(out, v.b[off:]...) // what is no attribute stays, behind them
	}
	return v.splice(0, len(v.b), out)
}

// splice puts octets in the place of others, in every level up to the message.
func (v *View) splice(from, to int, b []byte) error {
	out := make([]byte, 0, len(v.b)-(to-from)+len(b))
	out = append(append(append(out, v.b[:from]...), b...), v.b[to:]...)
	if v.up == nil {
		m := v.msg
		raw := make([]byte, HeaderSize, HeaderSize+len(out))
		copy(raw, m.raw)
		raw = append(raw, out...)
		binary.NativeEndian.PutUint32(raw, uint32(len(raw)))
		m.adopt(raw)
		return nil
	}
	if err := v.up.replace(v, out); err != nil {
		return err
	}
	v.refresh()
	return nil
}

// replace puts octets in the place of a level inside.
func (v *View) replace(inner *View, b []byte) error {
	old := len(inner.b)
	switch inner.frame {
	case inAttr:
		if len(b)+attrsHead > maxAttr {
			return &wire.Error{Layout: inner.className(), Offset: -1, Err: tooLong(len(b))}
		}
		from := inner.off - attrsHead
		typ := binary.NativeEndian.Uint16(v.b[from+2:])
		return v.splice(from, min(from+Align(attrsHead+old), len(v.b)), appendAttr(nil, typ, b))
	case inArray:
		if f := inner.c.Length; f != nil {
			putNumber(b[f.Off:f.Off+f.Size], uint64(len(b)), f.Type.Big)
			return v.splice(inner.off, min(inner.off+Align(old), len(v.b)), pad(b, len(b)))
		}
	}
	if len(b) != old {
		return &wire.Error{Layout: inner.className(), Offset: -1, Err: faultf(wire.ErrRange, "%d octets in the place of %d", len(b), old)}
	}
	return v.splice(inner.off, inner.off+old, b)
}

// putNumber writes an integer of 1, 2, 4 or 8 octets.
func putNumber(b []byte, n uint64, big bool) {
	switch len(b) {
	case 1:
		b[0] = byte(n)
	case 2:
		if big {
			binary.BigEndian.PutUint16(b, uint16(n))
			return
		}
		binary.NativeEndian.PutUint16(b, uint16(n))
	case 4:
		if big {
			binary.BigEndian.PutUint32(b, uint32(n))
			return
		}
		binary.NativeEndian.PutUint32(b, uint32(n))
	case 8:
		if big {
			binary.BigEndian.PutUint64(b, n)
			return
		}
		binary.NativeEndian.PutUint64(b, n)
	}
}
