package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// A layout says in a template how its one-line summary reads:
//
//	{ttl}                  the field, as its names, enum or flags print it
//	{#sport}               the field as a number, whatever names it has
//	{#payload}             octets behind the header
//	[ frag {frag?}]        left out unless every field in it is present, and
//	                       those with a question mark are neither zero nor empty
//	[op=is-at:…|…]         the first alternative that holds; a test compares what
//	                       the field reads as, or its number
//	[alone:…]              holds when nothing but octets follows the layer
//
// A backslash takes the next character as it stands.
type template []piece

type piece struct {
	text   string   // literal, when field and group are empty
	field  string   // value of this field
	number bool     // without its name
	solid  bool     // the group is left out while the field is zero or empty
	octets bool     // {#payload}
	group  []branch // [a|b]
}

type branch struct {
	field, value string // test: the field reads as value
	alone        bool   // test: only octets follow
	body         template
}

// parseSummary compiles a template.
func parseSummary(src string) (template, error) {
	s := templateScanner{src: src}
	t := s.pieces("")
	if s.err == nil && s.pos < len(src) {
		s.fail("unexpected %q", src[s.pos])
	}
	if s.err != nil {
		return nil, s.err
	}
	return t, nil
}

// compilePrint compiles the summary and checks the names of fields in it and in
// the rules for replies.
func (l *Layout) compilePrint(s Spec) error {
	t, err := parseSummary(s.Summary)
	check := func(what, name string) {
		if l.byName[name] == nil && err == nil {
			err = faultf(ErrMissing, "%s: no field %q%s", what, name, didYouMean(name, l.FieldNames()))
		}
	}
	t.fields(func(name string) { check("summary", name) })
	for _, a := range s.Answers {
		for mine, theirs := range a.Same {
			check("answers", mine)
			check("answers", theirs)
		}
		for name := range a.Pairs {
			check("answers", name)
		}
	}
	if err != nil {
		return &Error{Layout: s.Name, Offset: -1, Err: err}
	}
	l.summary, l.answers = t, s.Answers
	return nil
}

type templateScanner struct {
	src string
	pos int
	err error
}

func (s *templateScanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = faultf(ErrArgument, "summary %q, column %d: %s", s.src, s.pos+1, fmt.Sprintf(format, args...))
	}
}

// pieces reads up to one of the characters in end, which it leaves.
func (s *templateScanner) pieces(end string) template {
	var t template
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			t = append(t, piece{text: lit.String()})
			lit.Reset()
		}
	}
	for s.err == nil && s.pos < len(s.src) {
		c := s.src[s.pos]
		switch {
		case strings.IndexByte(end, c) >= 0:
			flush()
			return t
		case c == '\\' && s.pos+1 < len(s.src):
			lit.WriteByte(s.src[s.pos+1])
			s.pos += 2
		case c == '{':
			flush()
			n := strings.IndexByte(s.src[s.pos:], '}')
			if n < 2 {
				s.fail("want a field name between { and }")
				return nil
			}
			p := piece{field: s.src[s.pos+1 : s.pos+n]}
			if p.field == "#payload" {
				p = piece{octets: true}
			} else {
				p.field, p.number = strings.CutPrefix(p.field, "#")
				p.field, p.solid = strings.CutSuffix(p.field, "?")
			}
			t = append(t, p)
			s.pos += n + 1
		case c == '[':
			flush()
			s.pos++
			t = append(t, piece{group: s.group()})
		default:
			lit.WriteByte(c)
			s.pos++
		}
	}
	flush()
	return t
}

func (s *templateScanner) group() []branch {
	var g []branch
	for s.err == nil {
		var b branch
		b.field, b.value, b.alone = s.test()
		b.body = s.pieces("|]")
		g = append(g, b)
		if s.pos >= len(s.src) {
			s.fail("a [ without its ]")
			return nil
		}
		s.pos++
		if s.src[s.pos-1] == ']' {
			return g
		}
	}
	return nil
}

// test reads "field=value:" or "alone:", if that is what stands here.
func (s *templateScanner) test() (field, value string, alone bool) {
	rest := s.src[s.pos:]
	n := strings.IndexAny(rest, ":{[|]")
	if n < 0 || rest[n] != ':' {
		return "", "", false
	}
	if rest[:n] == "alone" {
		s.pos += n + 1
		return "", "", true
	}
	field, value, ok := strings.Cut(rest[:n], "=")
	if !ok || strings.ContainsAny(field, " \t") {
		return "", "", false // a colon in plain text
	}
	s.pos += n + 1
	return field, value, false
}

// fields calls f for every field the template names.
func (t template) fields(f func(name string)) {
	for _, p := range t {
		if p.field != "" {
			f(p.field)
		}
		for _, b := range p.group {
			if b.field != "" {
				f(b.field)
			}
			b.body.fields(f)
		}
	}
}

// Summary is the packet on one line: its layers with what their layouts'
// templates say of them, and what is left over.
//
//	Ether / IP 10.0.0.1 > 10.0.0.2 ttl 3 / UDP 1000 > 9999 / Raw 22
func (p *Packet) Summary() string { return string(p.AppendSummary(nil)) }

// AppendSummary appends [Packet.Summary].
func (p *Packet) AppendSummary(b []byte) []byte {
	first := true
	for l := range p.Layers() {
		if !first {
			b = append(b, " / "...)
		}
		first = false
		b = l.AppendSummary(b)
	}
	if first {
		b = append(b, "empty"...)
	}
	return b
}

// AppendSummary appends the layer's part of [Packet.Summary]: its name and what
// its template says.
func (l Layer) AppendSummary(b []byte) []byte {
	lay := l.Layout()
	b = append(b, lay.Name...)
	if lay == lay.reg.raw || lay == lay.reg.pad {
		return fmt.Appendf(b, " %d", l.HeaderLen())
	}
	at := len(b)
	b = append(b, ' ')
	if b, _ = lay.summary.append(b, l); len(b) == at+1 {
		b = b[:at]
	}
	if l.Cut() {
		b = append(b, " (cut short)"...)
	}
	return b
}

// append fills the template in. ok is false when a field that it needs is absent
// or, where the template insists, nothing.
func (t template) append(b []byte, l Layer) (_ []byte, ok bool) {
	ok = true
	for i := range t {
		p := &t[i]
		switch {
		case p.octets:
			b = fmt.Appendf(b, "%d", l.End()-l.Offset()-l.HeaderLen())
		case p.field != "":
			f := l.Field(p.field)
			v, err := l.Get(f)
			if err != nil || v.Kind() == 0 || p.solid && v.none() {
				ok = false
				continue
			}
			if p.number && v.t.integer() {
				b = strconv.AppendUint(b, v.n, 10)
				continue
			}
			b = appendBrief(b, v)
		case p.group != nil:
			for j := range p.group {
				if s, ok := p.group[j].append(b, l); ok {
					b = s
					break
				}
			}
		default:
			b = append(b, p.text...)
		}
	}
	return b, ok
}

func (g *branch) append(b []byte, l Layer) ([]byte, bool) {
	switch {
	case g.alone:
		if l.i+1 < l.p.NumLayers() {
			if next := l.p.layers[l.i+1].lay; next != next.reg.raw && next != next.reg.pad {
				return b, false
			}
		}
	case g.field != "":
		v, err := l.Get(l.Field(g.field))
		if err != nil || v.Kind() == 0 {
			return b, false
		}
		if v.Text() != g.value && v.Name() != g.value {
			if n, err := v.Type().number(g.value, nil); !v.Type().integer() || err != nil || n != v.Uint() {
				return b, false
			}
		}
	}
	s, ok := g.body.append(b, l)
	return s, ok
}

// none reports whether a value is zero or empty.
func (v Value) none() bool {
	switch v.Kind() {
	case Uint, Int:
		return v.n == 0
	case OptionsOf, List:
		return v.Len() == 0
	}
	return allZero(v.b)
}

// appendBrief writes a value as a summary does: the name alone where there is
// one, lists and options without braces.
func appendBrief(b []byte, v Value) []byte {
	switch v.Kind() {
	case Uint, Int:
		if s := v.Name(); s != "" {
			return append(b, s...)
		}
		return appendShownInt(b, v)
	case List:
		sep := ""
		for e := range v.Items() {
			b = append(b, sep...)
			b = appendBrief(b, e)
			sep = ", "
		}
		return b
	case OptionsOf:
		sep := ""
		for o := range v.Options() {
			if o.Info != nil && (o.Info == v.t.TLV.fill || o.Info == v.t.TLV.fill1) {
				continue
			}
			b = append(b, sep...)
			b = append(b, o.Label()...)
			if o.Value.Kind() != 0 {
				b = append(b, ' ')
				b = appendBrief(b, o.Value)
			}
			sep = ", "
		}
		return b
	case RecordOf:
		return appendBriefRecord(b, v.Record())
	case Text, CString:
		if s := v.Text(); isWord(s) {
			return append(b, s...)
		}
	}
	return appendShown(b, v, 16)
}

// isWord reports whether a text reads well without quotes.
func isWord(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' || strings.IndexByte("\"',{}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// appendBriefRecord writes what tells most about a record: its addresses, names
// and words; without any, its last number.
func appendBriefRecord(b []byte, r Record) []byte {
	var last Value
	at := len(b)
	for f := range r.Fields() {
		v := r.Get(f)
		switch v.Kind() {
		case Uint, Int:
			last = v
			if v.Name() == "" {
				continue
			}
		case MAC, IP4, IP6, Name, List, Text, CString:
			if v.none() {
				continue
			}
		default:
			continue
		}
		if len(b) > at {
			b = append(b, ' ')
		}
		b = appendBrief(b, v)
	}
	if len(b) == at && last.Kind() != 0 {
		b = appendBrief(b, last)
	}
	return b
}
