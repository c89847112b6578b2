package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// A layout says in a template how its one-line summary reads:
//
//	{ttl}                  the field, as its names, enum or flags print it
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
			} else if name, ok := strings.CutSuffix(p.field, "?"); ok {
				p.field, p.solid = name, true
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
