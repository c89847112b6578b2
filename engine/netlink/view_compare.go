package netlink

import (
	"bytes"
	"slices"
)

// Copy is a message of its own with the same octets.
func (v *View) Copy() *Message {
	m := &Message{}
	m.raw = slices.Clone(v.msg.raw)
	m.msg, m.c, m.own, m.absent = m, v.msg.c, true, v.msg.absent
	if len(m.raw) > HeaderSize {
		m.b = m.raw[HeaderSize:]
	}
	return m
}

// SetAll replaces the fixed part and the attributes.
func (v *View) SetAll(in Input) error {
	if err := v.alive(); err != nil {
		return err
	}
	e := encoder{}
	var up *level
	if v.up != nil {
		up = &level{c: v.up.c, v: v.up}
	}
	b, err := e.class(nil, v.c, in, up, 0)
	if err != nil {
		return e.fault(v.c, err)
	}
	v.absent = 0
	return v.splice(0, len(v.b), b)
}

// isZero reports whether octets say no more than an attribute that is not there.
func isZero(b []byte) bool { return len(trimZero(b)) == 0 }

// Equal compares the members of two messages, or parts of messages, of the same
// class. The order of different attributes does not count, nor does the header;
// zero, empty and not there are the same.
func (v *View) Equal(w *View) bool {
	v.refresh()
	w.refresh()
	if v.c != w.c {
		return false
	}
	if bytes.Equal(v.b, w.b) && v.absent == w.absent {
		return true
	}
	return v.equal(w, 0)
}

func (v *View) equal(w *View, depth int) bool {
	if depth > maxDepth {
		return bytes.Equal(v.b, w.b)
	}
	if v.c != nil {
		for _, f := range v.c.Fields {
			if !sameField(v, w, f, depth) {
				return false
			}
		}
		if !v.c.HasAttrs {
			return v.c.Size > 0 || bytes.Equal(v.b, w.b)
		}
	}
	a, b := v.items(), w.items()
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Num() < b[0].Num():
			if !a[0].means() {
				a = a[1:]
				continue
			}
			return false
		case len(a) == 0 || b[0].Num() < a[0].Num():
			if !b[0].means() {
				b = b[1:]
				continue
			}
			return false
		}
		if !a[0].same(&b[0].Value, depth) {
			return false
		}
		a, b = a[1:], b[1:]
	}
	return true
}

// items are the attributes by number; those of one number keep their order.
func (v *View) items() []Item {
	items := slices.Collect(v.All())
	slices.SortStableFunc(items, func(a, b Item) int { return int(a.Num()) - int(b.Num()) })
	return items
}

// means reports whether an attribute says more by being there than by not.
func (it *Item) means() bool { return it.Op() == Flag || !isZero(it.b) }

func sameField(v, w *View, f *Field, depth int) bool {
	a, ok1 := v.Get(Member{Field: f})
	b, ok2 := w.Get(Member{Field: f})
	switch {
	case ok1 && ok2:
		return a.same(&b, depth)
	case ok1:
		return isZero(a.b)
	case ok2:
		return isZero(b.b)
	}
	return true
}

// same compares two values of one member.
func (val *Value) same(w *Value, depth int) bool {
	if bytes.Equal(val.b, w.b) {
		return val.Type == w.Type || val.Type.Op == w.Type.Op
	}
	if val.Type.Op != w.Type.Op {
		return false
	}
	switch val.Type.Op {
	case Struct:
		if val.Type.Class != w.Type.Class {
			return false
		}
		return val.View().equal(w.View(), depth+1)
	case CString:
		return val.Text() == w.Text()
	case AnyUint, AnyInt:
		return val.n == w.n
	case None:
		return true
	case List, Map, Array:
		a, b := slices.Collect(val.Items()), slices.Collect(w.Items())
		if len(a) != len(b) || depth > maxDepth {
			return false
		}
		for i := range a {
			if !a[i].same(&b[i], depth+1) || val.Type.Op == Map && a[i].Num() != b[i].Num() {
				return false
			}
		}
		return true
	}
	return false
}

// Minus is a message with what v has and w has not, or with another value.
func (v *View) Minus(w *View) *Message { return v.sift(w, false) }

// Common is a message with what v and w both have with the same value.
func (v *View) Common(w *View) *Message { return v.sift(w, true) }

func (v *View) sift(w *View, same bool) *Message {
	v.refresh()
	w.refresh()
	raw := make([]byte, HeaderSize, HeaderSize+len(v.b))
	if v.frame == whole {
		copy(raw, v.msg.raw)
	}
	raw, absent := v.appendSifted(raw, w, same, 0)
	h, _ := ParseHeader(raw)
	h.Len = uint32(len(raw))
	h.Put(raw)
	m := v.c.Parse(raw)
	m.c, m.own, m.absent = v.c, true, absent
	return m
}

// appendSifted appends the members of v that are, or are not, the same in w;
// fields that are left out are zero and absent.
func (v *View) appendSifted(out []byte, w *View, same bool, depth int) ([]byte, uint64) {
	var absent uint64
	start := len(out)
	if v.c != nil {
		out = append(out, v.b[:min(v.c.Size, len(v.b))]...)
		for _, f := range v.c.Fields {
			if sameField(v, w, f, depth) == same {
				continue
			}
			if f.Index < 64 {
				absent |= 1 << f.Index
			}
			if end := start + f.Off + f.Size; end <= len(out) {
				clear(out[start+f.Off : end])
			}
		}
	}
	rest := w.items()
	type kept struct {
		it, other Item
		keep      bool
		nested    bool // in part
	}
	var all []kept
	for it := range v.All() {
		k := kept{it: it}
		i := slices.IndexFunc(rest, func(x Item) bool { return x.Num() == it.Num() })
		equal := false
		if i >= 0 {
			k.other = rest[i]
			equal = it.same(&k.other.Value, depth)
			rest = slices.Delete(rest, i, i+1)
		} else if !same && !it.means() {
			continue
		}
		k.nested = i >= 0 && !equal && it.Op() == Struct && k.other.Op() == Struct && it.Type.Class == k.other.Type.Class && len(it.Type.Class.Fields) == 0 && depth < maxDepth
		k.keep = equal == same || k.nested
		all = append(all, k)
	}
	// What the type of a kept attribute depends on is kept with it.
	for _, k := range all {
		if k.keep && k.it.Attr != nil && k.it.Attr.Type.Op == Choice {
			if by := v.c.names[k.it.Attr.Type.Cases.By].Attr; by != nil {
				for i := range all {
					all[i].keep = all[i].keep || all[i].it.Num() == by.Num
				}
			}
		}
	}
	for _, k := range all {
		if !k.keep {
			continue
		}
		out = pad(out, len(out)-start)
		if !k.nested {
			out = appendAttr(out, k.it.typ, k.it.b)
			continue
		}
		head := len(out)
		out = append(out, 0, 0, 0, 0)
		out, _ = k.it.View().appendSifted(out, k.other.View(), same, depth+1)
		n := len(out) - head
		if same && n == attrsHead {
			out = out[:head]
			continue
		}
		putNumber(out[head:head+2], uint64(n), false)
		putNumber(out[head+2:head+4], uint64(k.it.typ), false)
		out = pad(out, n)
	}
	return out, absent
}
