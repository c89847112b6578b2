package wire

import (
	"fmt"
	"strings"
)

// Hexdump prints octets 16 a line, with their offset before and as text behind.
//
//	0000  02 00 00 00 00 02 02 00  00 00 00 01 08 00 45 00  ..............E.
func Hexdump(octets []byte) string {
	var b strings.Builder
	for at := 0; at < len(octets); at += 16 {
		hexLine(&b, octets[at:min(at+16, len(octets))], at)
		b.WriteByte('\n')
	}
	return b.String()
}

// hexLine prints up to 16 octets.
func hexLine(b *strings.Builder, line []byte, at int) {
	fmt.Fprintf(b, "%04x ", at)
	for i := range 16 {
		if i == 8 {
			b.WriteByte(' ')
		}
		if i < len(line) {
			fmt.Fprintf(b, " %02x", line[i])
		} else {
			b.WriteString("   ")
		}
	}
	b.WriteString("  ")
	asText(b, line)
}

func asText(b *strings.Builder, line []byte) {
	for _, c := range line {
		if c < ' ' || c > '~' {
			c = '.'
		}
		b.WriteByte(c)
	}
}

// HexdumpFields prints the packet field by field: the octets of each, its name
// and its value. Bits that share an octet stand on one line.
//
//	IP
//	000e  45           version 4, ihl 5
//	000f  00           tos 0x00
//	0010  00 32        len 50
func (p *Packet) HexdumpFields() string {
	octets, err := p.Octets()
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	for l := range p.Layers() {
		b.WriteString(l.Layout().Name)
		b.WriteByte('\n')
		var names []string
		from := 0 // bit of the header where the line began
		pos := 0
		for f := range l.Fields() {
			at, n := l.Extent(f)
			pos = at + n
			if n == 0 {
				continue
			}
			v, err := l.Get(f)
			if err != nil {
				continue
			}
			names = append(names, f.Name+" "+string(appendShown(nil, v, shownOctets)))
			if pos%8 == 0 {
				fieldLines(&b, octets, l.Offset()+from/8, l.Offset()+pos/8, strings.Join(names, ", "))
				names, from = nil, pos
			}
		}
		if end := l.HeaderLen() * 8; from < end {
			fieldLines(&b, octets, l.Offset()+from/8, l.Offset()+l.HeaderLen(), strings.Join(append(names, "cut short"), ", "))
		}
	}
	return b.String()
}

// fieldLines prints the octets from..to, eight a line, and the text behind the first line.
func fieldLines(b *strings.Builder, octets []byte, from, to int, text string) {
	const perLine = 8
	for at := from; at < to; at += perLine {
		fmt.Fprintf(b, "%04x ", at)
		n := min(perLine, to-at)
		for _, c := range octets[at : at+n] {
			fmt.Fprintf(b, " %02x", c)
		}
		if at == from {
			fmt.Fprintf(b, "%*s  %s", 3*(perLine-n), "", text)
		}
		b.WriteByte('\n')
	}
}
