package netlink

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how deep print-outs and tables follow attributes in attributes.
// What is deeper stays octets.
const MaxDepth = maxDepth

// A Part is a piece of a message in the order of its octets.
type Part struct {
	Depth int
	Name  string // "index", "IFNAME", "3" of an unknown attribute or an element
	Path  string // "LINKINFO.DATA.ID"
	Off   int    // in the message, its header included
	Len   int    // octets, without what fills up; of an attribute with its header
	Head  int    // of these, the attribute's header
	Value Value  // none of the parts of the header
	Hex   bool
	Pad   bool   // zeros for alignment
	Note  string // what is wrong with it
	n     uint64 // of the header
}

// Walk calls f for the parts of the message in the order of their octets, those
// of an attribute after the attribute itself, until f returns false.
func (v *View) Walk(f func(*Part) bool) {
	v.refresh()
	w := walker{f: f}
	if v.frame == whole {
		if !w.header(v.msg) {
			return
		}
	}
	w.view(v, v.Offset(), 0, "")
}

type walker struct{ f func(*Part) bool }

func (w *walker) header(m *Message) bool {
	h, ok := ParseHeader(m.raw)
	if !ok {
		w.f(&Part{Name: "header", Len: len(m.raw), Note: fmt.Sprintf("%d octets are less than a message header", len(m.raw))})
		return false
	}
	for i, p := range [...]Part{
		{Name: "length", Len: 4, n: uint64(h.Len)}, {Name: "type", Off: 4, Len: 2, n: uint64(h.Type)}, {Name: "flags", Off: 6, Len: 2, n: uint64(h.Flags), Hex: true},
		{Name: "seq", Off: 8, Len: 4, n: uint64(h.Seq)}, {Name: "pid", Off: 12, Len: 4, n: uint64(h.PID)},
	} {
		p.Path = "header." + p.Name
		if i == 0 && int(h.Len) != len(m.raw) {
			p.Note = fmt.Sprintf("%d octets are there", len(m.raw))
		}
		if !w.f(&p) {
			return false
		}
	}
	return true
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// view walks fields and attributes; base is where the view begins.
func (w *walker) view(v *View, base, depth int, path string) bool {
	if v.c != nil {
		for _, f := range v.c.Fields {
			val, ok := v.Get(Member{Field: f})
			if !ok {
				if f.Off < len(v.b) {
					p := Part{Depth: depth, Name: f.Name, Path: join(path, f.Name), Off: base + f.Off, Len: len(v.b) - f.Off}
					p.Note = fmt.Sprintf("cut short: %d of %d octets", p.Len, v.end(f)-f.Off)
					return w.f(&p)
				}
				continue
			}
			p := Part{Depth: depth, Name: f.Name, Path: join(path, f.Name), Off: base + f.Off, Len: len(val.b), Value: val, Hex: f.Hex, Pad: f.Pad && isZero(val.b)}
			if !w.part(&p) {
				return false
			}
		}
		if !v.c.HasAttrs {
			if rest := len(v.b) - v.c.Size; rest > 0 && v.c.Length == nil && v.c.Tail == nil {
				p := Part{Depth: depth, Name: "rest", Path: join(path, "rest"), Off: base + v.c.Size, Len: rest, Value: Value{Type: octets, b: v.b[v.c.Size:], at: v}}
				if v.c == NoClass && v.msg != nil {
					p.Name, p.Path = "body", "body"
					p.Note = fmt.Sprintf("no class is registered for message type %d", v.msg.Header().Type)
					if v.msg.Header().Type < TypeMin {
						p.Note = ""
					}
				}
				return w.f(&p)
			}
			return true
		}
	}
	end := v.attrsAt()
	for it := range v.All() {
		name := strconv.Itoa(int(it.Num()))
		hex := false
		if it.Attr != nil {
			name, hex = it.Attr.Name, it.Attr.Hex
		}
		p := Part{Depth: depth, Name: name, Path: join(path, name), Off: base + it.off - attrsHead, Len: attrsHead + len(it.b), Head: attrsHead, Value: it.Value, Hex: hex}
		if it.Attr != nil {
			p.Note = it.Attr.Type.why(v, len(it.b))
		}
		if !w.part(&p) {
			return false
		}
		end = it.off + Align(len(it.b))
	}
	return w.rest(v, base, depth, path, end)
}

// rest tells about octets behind the attributes that are none.
func (w *walker) rest(v *View, base, depth int, path string, end int) bool {
	left := len(v.b) - end
	if left <= 0 || left < attrsHead && len(trimZero(v.b[end:])) == 0 {
		return true
	}
	p := Part{Depth: depth, Name: "rest", Path: join(path, "rest"), Off: base + end, Len: left, Value: Value{Type: octets, b: v.b[end:], at: v}}
	if left < attrsHead {
		p.Note = fmt.Sprintf("%d octets are less than an attribute's header", left)
	} else if n := int(number(v.b[end:end+2], false)); n < attrsHead {
		p.Note = fmt.Sprintf("an attribute's length of %d is less than its header", n)
	} else {
		p.Note = fmt.Sprintf("attribute %d says it has %d octets, %d are there", number(v.b[end+2:end+4], false)&numberOf, n, left)
	}
	return w.f(&p)
}

// why says what is wrong with an attribute of n octets in the level v.
func (t *Type) why(v *View, n int) string {
	for range 8 {
		switch t.Op {
		case Multi:
			t = t.Elem
			continue
		case Choice:
			t = t.Cases.pick(v)
			continue
		case Later:
			u, err := t.settle()
			if err != nil {
				return err.Error()
			}
			t = u
			continue
		case Addr:
			if addrType(v, n) != octets {
				return ""
			}
		}
		break
	}
	return t.wrong(n)
}

// part is a field or an attribute and what is in it.
func (w *walker) part(p *Part) bool {
	if !w.f(p) {
		return false
	}
	base := p.Off + p.Head
	switch p.Value.Op() {
	case Struct:
		if p.Depth >= maxDepth {
			return true
		}
		var x View
		p.Value.ViewTo(&x)
		return w.view(&x, base, p.Depth+1, p.Path)
	case Array, List, Map:
		i := 0
		for e := range p.Value.Items() {
			i++
			name := strconv.Itoa(i)
			q := Part{Depth: p.Depth + 1, Off: base + e.off, Len: len(e.b), Value: e, Hex: p.Hex}
			if p.Value.Op() != Array {
				name = strconv.Itoa(int(e.Num()))
				q.Off, q.Len, q.Head = q.Off-attrsHead, q.Len+attrsHead, attrsHead
				q.Note = p.Value.Type.Elem.why(e.at, len(e.b))
			}
			q.Name, q.Path = name, join(p.Path, name)
			if q.Depth >= maxDepth {
				return true
			}
			if !w.part(&q) {
				return false
			}
		}
		if p.Value.Op() != Array {
			v := &View{b: p.Value.b, msg: p.Value.at.msg, gen: p.Value.at.msg.edit}
			end := 0
			for {
				_, _, _, next, ok := nextAttr(v.b, end)
				if !ok {
					break
				}
				end = next
			}
			return w.rest(v, base, p.Depth+1, p.Path, end)
		}
	}
	return true
}

// Notes are what could not be decoded: where, and why.
func (v *View) Notes() []Part {
	var out []Part
	v.Walk(func(p *Part) bool {
		if p.Note != "" {
			out = append(out, *p)
		}
		return true
	})
	return out
}

// Locate names the part that an octet of the message belongs to, as
// "LINKINFO.DATA.ID"; "" when none does.
func (v *View) Locate(octet int) string {
	path := ""
	v.Walk(func(p *Part) bool {
		if p.Off <= octet && octet < p.Off+p.Len {
			path = p.Path
		}
		return p.Off <= octet
	})
	return path
}

// LocateMissing names an attribute that the kernel misses: its type, and the
// octet at which the attribute begins that it belongs into (0: the message).
func (v *View) LocateMissing(typ, nest int) string {
	in, path := v, ""
	if nest > 0 {
		in = nil
		v.Walk(func(p *Part) bool {
			if p.Off == nest && p.Head > 0 {
				path = p.Path
				if p.Value.Op() == Struct {
					in = p.Value.View()
				}
				return false
			}
			return true
		})
	}
	name := strconv.Itoa(typ)
	if in != nil && in.c != nil && typ >= 0 {
		if a := in.c.attr(uint16(typ) & numberOf); a != nil {
			name = a.Name
		}
	}
	return join(path, name)
}

// Shown is the part's value as print-outs have it.
func (p *Part) Shown() string {
	if p.Value.Type == nil {
		if p.Len == 0 || !strings.HasPrefix(p.Path, "header.") {
			return ""
		}
		if p.Hex {
			return "0x" + strconv.FormatUint(p.n, 16)
		}
		return strconv.FormatUint(p.n, 10)
	}
	return string(p.Value.AppendShown(nil, p.Hex))
}

const shownOctets = 32

// AppendShown appends the value for a person: text in quotes, octets in
// hexadecimal, nothing of what has members.
func (val Value) AppendShown(b []byte, hex bool) []byte {
	switch val.Op() {
	case Uint, Int, AnyUint, AnyInt:
		if hex {
			if _, ok := val.Word(); !ok {
				return strconv.AppendUint(append(b, "0x"...), val.n, 16)
			}
		}
		if _, ok := val.Word(); !ok {
			b = val.AppendText(b)
			if w := val.Type.Words.Name(val.n); w != "" {
				b = append(append(append(b, " ("...), w...), ')')
			}
			return b
		}
		if val.Type.Flags != nil && val.n == 0 {
			return append(b, '0')
		}
		return val.AppendText(b)
	case Bytes:
		return appendOctets(b, val.b)
	case String, CString:
		s := val.Text()
		if !utf8.ValidString(s) {
			return appendOctets(b, val.b)
		}
		return strconv.AppendQuote(b, s)
	case MPLS:
		for i, l := range val.Labels() {
			if i > 0 {
				b = append(b, '/')
			}
			b = strconv.AppendUint(b, uint64(l.Label), 10)
		}
		return b
	case Bitfield:
		v, s := val.Bitfield()
		return fmt.Appendf(b, "0x%x of 0x%x", v, s)
	case None:
		return b
	case Struct, Array, List, Map, Multi:
		return b
	}
	return val.AppendText(b)
}

func appendOctets(b, octets []byte) []byte {
	n := min(len(octets), shownOctets)
	for _, c := range octets[:n] {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	if n < len(octets) {
		b = fmt.Appendf(b, "… %d octets", len(octets))
	}
	if len(octets) == 0 {
		b = append(b, "empty"...)
	}
	return b
}

// Summary is the message in one line: what is zero is left out.
func (v *View) Summary(event string) string {
	var b []byte
	if event != "" && v.frame == whole {
		b = append(b, event...)
		b = append(b, ' ')
	}
	return string(v.appendSummary(b, 0))
}

func (v *View) appendSummary(b []byte, depth int) []byte {
	v.refresh()
	if depth == 0 {
		b = append(b, v.className()...)
	}
	b = append(b, '{')
	sep := ""
	add := func(name string, val Value, hex bool) {
		b = append(append(append(b, sep...), name...), '=')
		sep = ", "
		b = val.appendBrief(b, depth, hex)
	}
	if v.c != nil {
		for _, f := range v.c.Fields {
			if val, ok := v.Get(Member{Field: f}); ok && len(trimZero(val.b)) > 0 {
				add(f.Name, val, f.Hex)
			}
		}
	}
	for it := range v.All() {
		name, hex := strconv.Itoa(int(it.Num())), false
		if it.Attr != nil {
			name, hex = it.Attr.Key, it.Attr.Hex
		}
		add(name, it.Value, hex)
	}
	if v.c == NoClass && len(v.b) > 0 {
		b = appendOctets(b, v.b)
	}
	return append(b, '}')
}

func (val Value) appendBrief(b []byte, depth int, hex bool) []byte {
	const most = 3 // levels in one line
	switch val.Op() {
	case Struct:
		if depth >= most {
			return append(b, "{…}"...)
		}
		var x View
		val.ViewTo(&x)
		return x.appendSummary(b, depth+1)
	case Array, List, Map:
		if depth >= most {
			return append(b, "{…}"...)
		}
		b = append(b, '{')
		i := 0
		for e := range val.Items() {
			if i > 0 {
				b = append(b, ", "...)
			}
			if i++; i > 8 {
				b = append(b, "…"...)
				break
			}
			b = e.appendBrief(b, depth+1, hex)
		}
		return append(b, '}')
	}
	return val.AppendShown(b, hex)
}

// Show is the message as a tree, a member a line.
func (v *View) Show(event string) string {
	type row struct {
		depth             int
		name, value, note string
	}
	var rows []row
	wide := 0
	v.Walk(func(p *Part) bool {
		if p.Note == "" && (strings.HasPrefix(p.Path, "header.") || p.Pad) {
			return true
		}
		r := row{p.Depth, p.Name, p.Shown(), p.Note}
		if op := p.Value.Op(); op == Array || op == List || op == Map {
			r.value = countOf(p.Value.Count(), "element")
		}
		wide = max(wide, 2*p.Depth+utf8.RuneCountInString(p.Name))
		rows = append(rows, r)
		return true
	})
	var b strings.Builder
	b.WriteString(v.className())
	if v.frame == whole {
		h := v.msg.Header()
		if event != "" {
			b.WriteString("  " + event)
		}
		fmt.Fprintf(&b, "  %s, flags 0x%x, seq %d, pid %d", countOf(len(v.msg.raw), "octet"), h.Flags, h.Seq, h.PID)
	}
	b.WriteByte('\n')
	for _, r := range rows {
		name := strings.Repeat("  ", r.depth) + r.name
		line := "  " + name + strings.Repeat(" ", wide-utf8.RuneCountInString(name)+2) + r.value
		if r.note != "" {
			line += "  ! " + r.note
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

func countOf(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

// Hexdump is the message part by part: the octets of each, its name and its
// value. An attribute's header has a line of its own where there is more in it.
func (v *View) Hexdump() string {
	v.refresh()
	var b strings.Builder
	whole := v.msg.raw
	if v.frame == gone {
		whole = v.b
	}
	at := -1
	fill := func(to int) {
		if at >= 0 && at < to && to <= len(whole) {
			hexLines(&b, whole, at, to, "padding")
		}
	}
	v.Walk(func(p *Part) bool {
		if p.Off > len(whole) {
			return false
		}
		fill(p.Off)
		text := strings.Repeat("  ", p.Depth) + p.Name
		to := min(p.Off+p.Len, len(whole))
		inner := p.Value.Type != nil && p.Value.Type.nested() && p.Value.Op() != Choice && len(p.Value.b) > 0
		if inner {
			to = p.Off + p.Head
			if p.Value.Op() != Struct {
				text += "  " + countOf(p.Value.Count(), "element")
			}
		} else if s := p.Shown(); s != "" {
			text += "  " + s
		}
		if p.Note != "" {
			text += "  ! " + p.Note
		}
		if to > p.Off {
			hexLines(&b, whole, p.Off, to, text)
		} else if inner {
			fmt.Fprintf(&b, "%04x %24s  %s\n", p.Off, "", text)
		}
		at = max(at, to)
		return true
	})
	end := len(whole)
	if v.up != nil {
		end = v.Offset() + len(v.b)
	}
	fill(end)
	return b.String()
}

// hexLines prints octets, eight a line, and the text behind the first line.
func hexLines(b *strings.Builder, octets []byte, from, to int, text string) {
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

// FieldNames are the names of the members that are there, for completion.
func (v *View) FieldNames() []string {
	var names []string
	if v.c != nil {
		for _, f := range v.c.Fields {
			names = append(names, f.Name)
		}
	}
	for it := v.First(); it.OK(); it.Next() {
		if it.Attr != nil && !slices.Contains(names, it.Attr.Key) {
			names = append(names, it.Attr.Key)
		}
	}
	if v.frame == whole {
		names = append(names, "attrs", "event", "header", "stats")
	}
	return names
}
