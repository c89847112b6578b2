package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A cell is one field of a diagram.
type cell struct {
	name, value string
	bits        int
	long        bool // drawn as one row of its own, whatever its length
}

const (
	rowBits = 32
	// A field of more octets than this is drawn as one row with open ends.
	longField = 16
)

// drawDiagram draws cells, which follow each other without holes, as the boxes
// of an RFC: 32 bits a row, two characters a bit.
//
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|             sport             |             dport             |
//	|             1000              |             9999              |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// A field that goes over several rows has its name in the widest one. What is
// too long for its box is cut there and written out below the picture.
func drawDiagram(b *strings.Builder, cells []cell) {
	rows := layRows(cells)
	var notes []string
	var above []part
	for _, r := range rows {
		border(b, above, r)
		if oneLine(r) {
			rowText(b, r, func(c *cell) string { return strings.TrimSpace(c.name + " " + c.value) }, &notes)
		} else {
			rowText(b, r, func(c *cell) string { return c.name }, nil)
			rowText(b, r, func(c *cell) string { return c.value }, &notes)
		}
		above = r
	}
	border(b, above, nil)
	for _, n := range notes {
		b.WriteString(n)
		b.WriteByte('\n')
	}
}

// A part is the piece of a cell that stands in one row.
type part struct {
	cell     *cell
	from, to int  // bits of the row
	label    bool // this piece carries name and value
	apart    bool // no other piece of the cell stands above or below it
}

// layRows cuts the cells into rows.
func layRows(cells []cell) [][]part {
	var rows [][]part
	var row []part
	col := 0
	flush := func() {
		if len(row) > 0 {
			rows = append(rows, row)
			row = nil
		}
		col = 0
	}
	for i := range cells {
		c := &cells[i]
		if c.long || c.bits > longField*8 {
			flush()
			rows = append(rows, []part{{cell: c, to: rowBits, label: true}})
			continue
		}
		left := c.bits
		for left > 0 {
			n := min(left, rowBits-col)
			// A box that goes over the end of a row and is no wider than one has
			// two pieces that do not touch.
			row = append(row, part{cell: c, from: col, to: col + n, apart: c.bits <= rowBits})
			left -= n
			col += n
			if col == rowBits {
				flush()
			}
		}
	}
	flush()
	labelParts(rows)
	return rows
}

// labelParts picks, of the pieces of every cell, the widest one (of equals the
// first) to carry the text.
func labelParts(rows [][]part) {
	best := map[*cell]*part{}
	for _, r := range rows {
		for i := range r {
			p := &r[i]
			if old := best[p.cell]; old == nil || p.to-p.from > old.to-old.from {
				best[p.cell] = p
			}
		}
	}
	for _, p := range best {
		p.label = true
	}
}

func ruler(b *strings.Builder) {
	b.WriteString(" 0                   1                   2                   3\n")
	b.WriteString(" 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1\n")
}

// border draws the line between two rows. Where the same cell stands above and
// below, the line is left out.
func border(b *strings.Builder, above, below []part) {
	width := 0
	for _, r := range [][]part{above, below} {
		if len(r) > 0 {
			width = max(width, r[len(r)-1].to)
		}
	}
	at := func(r []part, bit int) *cell {
		for i := range r {
			if bit >= r[i].from && bit < r[i].to {
				return r[i].cell
			}
		}
		return nil
	}
	open := func(bit int) bool {
		c := at(above, bit)
		return c != nil && c == at(below, bit)
	}
	for bit := range width + 1 {
		if open(bit-1) && open(bit) && at(above, bit-1) == at(above, bit) {
			b.WriteByte(' ')
		} else {
			b.WriteByte('+')
		}
		if bit < width {
			if open(bit) {
				b.WriteByte(' ')
			} else {
				b.WriteByte('-')
			}
		}
	}
	b.WriteByte('\n')
}

func (p *part) room() int { return 2*(p.to-p.from) - 1 }

// oneLine says whether names and values fit side by side in every box.
func oneLine(r []part) bool {
	for i := range r {
		p := &r[i]
		if p.label && utf8.RuneCountInString(p.cell.name)+1+utf8.RuneCountInString(p.cell.value) > p.room() && !p.cell.open() {
			return false
		}
	}
	return true
}

// open says whether the cell's row has open ends: its height is not its length.
func (c *cell) open() bool { return c.long || c.bits > longField*8 }

// rowText writes one line of a row. A cell whose name or value is cut is noted.
func rowText(b *strings.Builder, r []part, text func(*cell) string, notes *[]string) {
	for i := range r {
		p := &r[i]
		edge := byte('|')
		if p.cell.open() {
			edge = '/'
		}
		b.WriteByte(edge)
		s := ""
		if p.label {
			s = text(p.cell)
			if notes != nil && (utf8.RuneCountInString(s) > p.room() || utf8.RuneCountInString(p.cell.name) > p.room()) {
				*notes = append(*notes, p.cell.name+": "+p.cell.value)
			}
		}
		if !p.label && p.apart {
			s = "…"
		}
		s = cut(s, p.room())
		gap := p.room() - utf8.RuneCountInString(s)
		b.WriteString(strings.Repeat(" ", gap/2))
		b.WriteString(s)
		b.WriteString(strings.Repeat(" ", gap-gap/2))
		if i == len(r)-1 {
			b.WriteByte(edge)
		}
	}
	b.WriteByte('\n')
}

// cut shortens s to n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	keep, tail := n-1, "…"
	if n < 3 {
		keep, tail = n, ""
	}
	for pos := range s {
		if keep == 0 {
			return s[:pos] + tail
		}
		keep--
	}
	return s
}

// Diagram is the packet as the box pictures of an RFC, layer by layer, with its
// own values in the boxes.
func (p *Packet) Diagram() string {
	var b strings.Builder
	for l := range p.Layers() {
		if l.i == 0 {
			ruler(&b)
		}
		b.WriteString(l.Layout().Name)
		b.WriteByte('\n')
		drawDiagram(&b, l.cells())
	}
	return b.String()
}

// Diagram is the layer's part of [Packet.Diagram].
func (l Layer) Diagram() string {
	var b strings.Builder
	ruler(&b)
	b.WriteString(l.Layout().Name)
	b.WriteByte('\n')
	drawDiagram(&b, l.cells())
	return b.String()
}

// cells are the layer's fields, options and list elements each in a box of
// their own, and what is left of a header that is cut short.
func (l Layer) cells() []cell {
	var cells []cell
	pos := 0
	for f := range l.Fields() {
		at, bits := l.Extent(f)
		v, err := l.Get(f)
		if err != nil || bits == 0 {
			continue
		}
		pos = at + bits
		switch v.Kind() {
		case OptionsOf:
			used := 0
			for o := range v.Options() {
				value := strings.TrimPrefix(string(appendShownOption(nil, o, shownOctets)), o.Label())
				cells = append(cells, cell{name: o.Label(), value: strings.TrimSpace(value), bits: o.Size * 8})
				used += o.Size
			}
			if rest := bits/8 - used; rest > 0 {
				cells = append(cells, cell{name: "fill", bits: rest * 8})
			}
		case List:
			n := 0
			for e := range v.Items() {
				size := e.t.Size
				if size < 0 {
					size = len(e.b)
				}
				cells = append(cells, cell{name: fmt.Sprintf("%s[%d]", f.Name, n+1), value: string(appendShown(nil, e, shownOctets)), bits: size * 8})
				n++
			}
		case Bytes, Text, CString, Name, RecordOf:
			fixed := f.width >= 0
			cells = append(cells, cell{name: f.Name, value: string(appendShown(nil, v, shownOctets)), bits: bits, long: !fixed})
		default:
			cells = append(cells, cell{name: f.Name, value: string(appendShown(nil, v, shownOctets)), bits: bits})
		}
	}
	if rest := l.HeaderLen()*8 - pos; rest > 0 {
		cells = append(cells, cell{name: "cut short", bits: rest, long: true})
	}
	return cells
}
