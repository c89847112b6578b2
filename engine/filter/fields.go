package filter

import (
	"fmt"
	"strings"
)

// A Test asks for octets at a fixed place of the frame.
type Test struct {
	Offset int    // of the first octet
	Value  []byte // what must stand there, in network order
	Mask   []byte // which bits count; nil for all, else as long as Value
	Name   string // of the field, for Explain: "IP.proto"
}

// maxOffset is beyond any frame; larger offsets are the kernel's ancillary data.
const maxOffset = 1 << 20

// FromFields makes the program that accepts the frames that pass all tests, in
// their order. No tests accept every frame. A test that cannot be asked is an
// *Error that names it.
//
// Its text is an expression that Compile takes and that means the same.
//
// It is what a packet used as a pattern compiles to: the fields its author
// set, at the offsets they have in it.
func FromFields(tests []Test, link LinkType, o Options) (p *Program, err error) {
	defer recoverError(&err)
	if o.SnapLen == 0 {
		o.SnapLen = defaultSnapLen
	}
	l := &lowering{link: link, values: newValues()}
	var text []string
	var all predicate = always(true)
	for _, t := range tests {
		switch {
		case t.Offset < 0 || t.Offset > maxOffset-len(t.Value):
			fail("", 0, 1, "", "%s: no frame has an octet %d", t.Name, t.Offset)
		case t.Mask != nil && len(t.Mask) != len(t.Value):
			fail("", 0, 1, "", "%s: a mask of %d octets for a value of %d", t.Name, len(t.Mask), len(t.Value))
		}
		all = both(all, l.octetsMasked(t, &text))
	}
	p = &Program{expr: strings.Join(text, " and "), link: link, code: l.emit(all, o.SnapLen)}
	p.vm = newMachine(raw(p.code))
	return p, nil
}

// octetsMasked asks for the octets of t in as few loads as it takes, and adds
// the same in the language of filters to text.
func (l *lowering) octetsMasked(t Test, text *[]string) predicate {
	var p predicate = always(true)
	for i := 0; i < len(t.Value); {
		size, width := uint16(sizeB), 1
		switch n := len(t.Value) - i; {
		case n >= 4:
			size, width = sizeW, 4
		case n >= 2:
			size, width = sizeH, 2
		}
		value, mask := uint32(0), uint32(0)
		for j := range width {
			m := byte(0xff)
			if t.Mask != nil {
				m = t.Mask[i+j]
			}
			value, mask = value<<8|uint32(t.Value[i+j]&m), mask<<8|uint32(m)
		}
		at := uint32(t.Offset + i)
		switch {
		case mask == 0:
		case mask == 1<<(8*width)-1:
			*text = append(*text, fmt.Sprintf("ether[%d:%d] = 0x%0*x", at, width, 2*width, value))
			mask = 0xffffffff
		default:
			*text = append(*text, fmt.Sprintf("ether[%d:%d] & 0x%0*x = 0x%0*x", at, width, 2*width, mask, 2*width, value))
		}
		p = both(p, l.masked(l.values.load(size, nil, at), mask, value, t.Name, fmt.Sprintf("= 0x%0*x", 2*width, value)))
		i += width
	}
	return p
}
