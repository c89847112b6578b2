package wire

import (
	"bytes"
	"fmt"
	"strings"
)

// Diff compares two packets field by field and returns a line for every
// difference, "" when they encode to the same octets. Layers that only one of
// them has are marked - (in p) and + (in q).
//
//	  IP.ttl      3        64
//	  IP.chksum   0xa3b9   0x66b9
//	- UDP 1000 > 9999
//	+ TCP 1000 > 80 S seq 0 len 0
func (p *Packet) Diff(q *Packet) string {
	a, err1 := p.Octets()
	b, err2 := q.Octets()
	if err1 != nil || err2 != nil {
		return fmt.Sprintf("cannot be encoded: %v %v\n", err1, err2)
	}
	if bytes.Equal(a, b) {
		return ""
	}
	var rows []diffRow
	var mine, theirs []Layer
	for l := range p.Layers() {
		mine = append(mine, l)
	}
	for l := range q.Layers() {
		theirs = append(theirs, l)
	}
	i, j := 0, 0
	for _, pair := range commonLayers(mine, theirs) {
		for ; i < pair[0]; i++ {
			rows = append(rows, diffRow{sign: "-", name: string(mine[i].AppendSummary(nil))})
		}
		for ; j < pair[1]; j++ {
			rows = append(rows, diffRow{sign: "+", name: string(theirs[j].AppendSummary(nil))})
		}
		rows = diffFields(rows, mine[i], theirs[j])
		i, j = i+1, j+1
	}
	for ; i < len(mine); i++ {
		rows = append(rows, diffRow{sign: "-", name: string(mine[i].AppendSummary(nil))})
	}
	for ; j < len(theirs); j++ {
		rows = append(rows, diffRow{sign: "+", name: string(theirs[j].AppendSummary(nil))})
	}
	if len(rows) == 0 {
		rows = diffOctets(rows, a, b)
	}
	return formatDiff(rows)
}

// diffRow is a line: a field with two values, or a layer with a sign.
type diffRow struct{ sign, name, a, b string }

func formatDiff(rows []diffRow) string {
	nameWidth, aWidth := 0, 0
	for _, r := range rows {
		if r.sign == "" {
			nameWidth = max(nameWidth, len(r.name))
			aWidth = max(aWidth, len([]rune(r.a)))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		if r.sign != "" {
			fmt.Fprintf(&b, "%s %s\n", r.sign, r.name)
			continue
		}
		line := fmt.Sprintf("  %-*s   %-*s   %s", nameWidth, r.name, aWidth, r.a, r.b)
		b.WriteString(strings.TrimRight(line, " "))
		b.WriteByte('\n')
	}
	return b.String()
}

// commonLayers pairs up layers of the same layouts in order: as many as can be.
func commonLayers(a, b []Layer) [][2]int {
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i].Layout() == b[j].Layout() {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var pairs [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].Layout() == b[j].Layout():
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}

func diffFields(rows []diffRow, a, b Layer) []diffRow {
	for _, f := range a.Layout().fields {
		v, w := valueIf(a, f), valueIf(b, f)
		if sameValue(v, w) {
			continue
		}
		r := diffRow{name: a.Layout().Name + "." + f.Name}
		r.a, r.b = diffText(v, w), diffText(w, v)
		rows = append(rows, r)
	}
	return rows
}

func valueIf(l Layer, f *Field) Value {
	if !l.Has(f) {
		return Value{}
	}
	v, _ := l.Get(f)
	return v
}

// diffText is a value beside another one; of long octets the part around the
// first difference.
func diffText(v, other Value) string {
	switch {
	case v.Kind() == 0:
		return "absent"
	case v.Kind() == Bytes && v.Len() > shownOctets && other.Kind() == Bytes:
		at := 0
		for at < len(v.b) && at < len(other.b) && v.b[at] == other.b[at] {
			at++
		}
		from := max(0, min(at-4, len(v.b)-16))
		some := v.b[from:min(from+16, len(v.b))]
		return fmt.Sprintf("%s, from octet %d: %s", countOf(len(v.b), "octet"), from, appendOctets(nil, some, 0))
	}
	return string(appendShown(nil, v, 0))
}

// diffOctets is for packets whose fields are the same and octets are not: names
// that are compressed in one only, filling.
func diffOctets(rows []diffRow, a, b []byte) []diffRow {
	for at := 0; at < max(len(a), len(b)); at++ {
		text := func(b []byte) string {
			if at >= len(b) {
				return "absent"
			}
			return fmt.Sprintf("%02x", b[at])
		}
		if x, y := text(a), text(b); x != y {
			rows = append(rows, diffRow{name: fmt.Sprintf("octet %d", at), a: x, b: y})
			if len(rows) == 16 {
				return append(rows, diffRow{name: "…"})
			}
		}
	}
	return rows
}
