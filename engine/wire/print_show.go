package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// shownOctets is how many octets of a payload a print-out of fields shows.
const shownOctets = 32

// Show is the packet as a tree: layers, fields, values, and where each value
// comes from.
//
//	IP                    20 octets at 14
//	  version  4            default
//	  len      50           auto
//	  ttl      3            set at lesson.lua:3
//	  chksum   0xdead       wrong, 0x66b9 would be right
//
// Fields of a parsed packet that are as they should be have no mark.
func (p *Packet) Show() string {
	var b strings.Builder
	notes := p.Notes()
	for l := range p.Layers() {
		l.show(&b)
		for _, n := range notes {
			if n.Layer == l.i {
				fmt.Fprintf(&b, "  ! octet %d: %s\n", n.Offset, n.Text)
			}
		}
	}
	for _, n := range notes {
		if n.Layer >= p.NumLayers() {
			fmt.Fprintf(&b, "! octet %d: %s\n", n.Offset, n.Text)
		}
	}
	if b.Len() == 0 {
		return "empty packet\n"
	}
	return b.String()
}

// Show is the layer's part of [Packet.Show].
func (l Layer) Show() string {
	var b strings.Builder
	l.show(&b)
	return b.String()
}

// row is a line of a layer's table. A line without a name belongs to the one above.
type row struct{ name, value, mark string }

func (l Layer) show(b *strings.Builder) {
	rows := l.rows()
	nameWidth, valueWidth := 0, 0
	for _, r := range rows {
		nameWidth = max(nameWidth, len(r.name))
		if n := utf8.RuneCountInString(r.value); n <= 40 {
			valueWidth = max(valueWidth, n)
		}
	}
	fmt.Fprintf(b, "%-*s  %s at %d", nameWidth+2+valueWidth, l.Layout().Name, countOf(l.HeaderLen(), "octet"), l.Offset())
	if l.Quoted() {
		b.WriteString(", in part")
	}
	if l.Cut() {
		b.WriteString(", cut short")
	}
	b.WriteByte('\n')
	for _, r := range rows {
		line := fmt.Sprintf("  %-*s  %-*s  %s", nameWidth, r.name, valueWidth, r.value, r.mark)
		b.WriteString(strings.TrimRight(line, " "))
		b.WriteByte('\n')
	}
}

func (l Layer) rows() []row {
	var rows []row
	for f := range l.Fields() {
		v, err := l.Get(f)
		if err != nil {
			rows = append(rows, row{f.Name, err.Error(), ""})
			continue
		}
		if v.Len() == 0 && (v.Kind() == OptionsOf || v.Kind() == List) && l.Provenance(f) != Set {
			continue // an empty list that nobody asked for is not worth a line
		}
		mark := l.mark(f, v)
		switch v.Kind() {
		case OptionsOf, List:
			elem := v.t.Elem
			if v.Kind() == List && elem.Kind != RecordOf && v.Len() <= 4 || v.Len() == 0 {
				break
			}
			first := row{f.Name, countOf(v.Len(), "element"), mark}
			if v.Kind() == OptionsOf {
				first.value = countOf(v.Len(), "option")
			}
			rows = append(rows, first)
			if v.Kind() == OptionsOf {
				for o := range v.Options() {
					rows = append(rows, row{"", "  " + string(appendShownOption(nil, o, shownOctets)), ""})
				}
			} else {
				for e := range v.Items() {
					rows = append(rows, row{"", "  " + string(appendShown(nil, e, shownOctets)), ""})
				}
			}
			continue
		}
		rows = append(rows, row{f.Name, string(appendShown(nil, v, shownOctets)), mark})
	}
	return rows
}

// mark says where a value comes from; "" for one that was read and has nothing
// wrong about it.
func (l Layer) mark(f *Field, v Value) string {
	switch l.Provenance(f) {
	case Set:
		if s := l.Site(f); s != (Site{}) {
			return "set at " + s.String()
		}
		return "set"
	case Automatic:
		if l.p.parsed {
			return ""
		}
		return "auto"
	case Default:
		return "default"
	case Parsed:
		pos, _ := l.Extent(f)
		for _, n := range l.p.Notes() {
			if n.Offset == l.Offset()+pos/8 {
				return "" // a note says it better
			}
		}
		if v.n == 0 && f.spec.Zero != 0 {
			return "none" // RFC 768: the sender computed no checksum
		}
		if l.Quoted() {
			return ""
		}
		if right, ok := l.would(f); ok && right.n != v.n {
			return "wrong, " + string(appendShownInt(nil, right)) + " would be right"
		}
	}
	return ""
}

// would is the value that an automatic field would have; false when it has no
// rule or the rule cannot say.
func (l Layer) would(f *Field) (Value, bool) {
	n, known := l.Check(f)
	return Value{t: f.Type, n: n}, known && !l.Cut()
}

func countOf(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
