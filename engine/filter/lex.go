package filter

import (
	"net/netip"
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	tokEnd     tokenKind = iota
	tokKeyword           // text is the canonical word
	tokWord              // a name that is not a keyword, or an escaped one
	tokNumber
	tokIPv4 // dotted, two to four numbers
	tokIPv6
	tokMAC
	tokARCnet // $ and two hexadecimal digits
	tokOp
)

type token struct {
	kind     tokenKind
	text     string // canonical word, operator, or what was written
	num      uint32
	mac      [6]byte
	ip6      netip.Addr
	off, len int // in the expression
	match    int // of a bracket: index of its partner, or -1
}

func (t token) is(text string) bool {
	return (t.kind == tokKeyword || t.kind == tokOp) && t.text == text
}
func (t token) keyword(text string) bool { return t.kind == tokKeyword && t.text == text }

func alnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// Longest first, so that the first that fits is the right one.
var operators = []string{"&&", "||", "!=", "==", ">=", "<=", "<<", ">>",
	"!", "=", "<", ">", "(", ")", "[", "]", "+", "-", "*", "/", "%", "&", "|", "^", ":"}

// lex splits an expression as tcpdump's scanner does: the longest word wins,
// so "len-1" is one word and "len - 1" three tokens.
func lex(expr string) (toks []token) {
	var open []int
	for i := 0; i < len(expr); {
		c := expr[i]
		t := token{off: i, match: -1}
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '\\':
			n := strings.IndexAny(expr[i+1:], " !()\n\t")
			if n < 0 {
				n = len(expr) - i - 1
			}
			if n == 0 {
				fail(expr, i, 1, "", "a backslash needs a word after it")
			}
			t.kind, t.text, t.len = tokWord, expr[i+1:i+1+n], n+1
		case alnum(c) || strings.HasPrefix(expr[i:], "::"):
			lexWord(expr, &t)
		case c == '$':
			n := 1
			for n < 3 && i+n < len(expr) && strings.IndexByte("0123456789abcdefABCDEF", expr[i+n]) >= 0 {
				n++
			}
			if n == 1 {
				fail(expr, i, 1, "", "%q does not belong in a filter", "$")
			}
			t.kind, t.text, t.len = tokARCnet, expr[i:i+n], n
		default:
			for _, op := range operators {
				if strings.HasPrefix(expr[i:], op) {
					t.kind, t.text, t.len = tokOp, op, len(op)
					break
				}
			}
			switch t.text {
			case "":
				r := []rune(expr[i:min(len(expr), i+4)])[0]
				fail(expr, i, 1, "", "%q does not belong in a filter", r)
			case "&&":
				t.kind, t.text = tokKeyword, "and"
			case "||":
				t.kind, t.text = tokKeyword, "or"
			case "!":
				t.kind, t.text = tokKeyword, "not"
			case "==":
				t.text = "="
			case "(", "[":
				open = append(open, len(toks))
			case ")", "]":
				if n := len(open); n > 0 && (toks[open[n-1]].text == "(") == (t.text == ")") {
					t.match = open[n-1]
					toks[t.match].match = len(toks)
					open = open[:n-1]
				}
			}
		}
		i += t.len
		toks = append(toks, t)
	}
	return append(toks, token{kind: tokEnd, off: len(expr), match: -1})
}

// lexWord reads a word, number or address.
func lexWord(expr string, t *token) {
	i, end := t.off, t.off
	for end < len(expr) && (alnum(expr[end]) || strings.IndexByte("._:-", expr[end]) >= 0) {
		end++
	}
	w := expr[i:end]
	if mac, ok := parseMAC(w); ok {
		t.kind, t.text, t.len, t.mac = tokMAC, w, len(w), mac
		return
	}
	if colon := strings.IndexByte(w, ':'); colon >= 0 {
		if a, err := netip.ParseAddr(w); err == nil {
			t.kind, t.text, t.len, t.ip6 = tokIPv6, w, len(w), a
			return
		}
		// In ip[4:2] and portrange a colon only separates; in an address that
		// is neither MAC nor IPv6 there are more of them.
		if strings.Count(w, ":") > 1 {
			fail(expr, i, len(w), "", "%s is neither an IPv6 address nor a MAC address", w)
		}
		w = w[:colon]
	}
	for len(w) > 1 && (w[len(w)-1] == '-' || w[len(w)-1] == '_') {
		w = w[:len(w)-1]
	}
	t.text, t.len = w, len(w)
	if n, ok := number(w); ok {
		t.kind, t.num = tokNumber, lexNumber(expr, i, w, n)
		return
	}
	if parts := strings.Split(w, "."); len(parts) >= 2 && len(parts) <= 4 {
		all := true
		for _, p := range parts {
			_, ok := number(p)
			all = all && ok
		}
		if all {
			t.kind = tokIPv4
			return
		}
	}
	t.kind = tokWord
	if canon, ok := keywords[w]; ok {
		t.kind, t.text = tokKeyword, canon
	} else if n, ok := constants[w]; ok {
		t.kind, t.num = tokNumber, n
	}
}

// number reports whether w is digits, or 0x and hexadecimal digits, and
// returns the base.
func number(w string) (base int, ok bool) {
	digits, base := "0123456789", 10
	switch {
	case len(w) > 2 && (w[:2] == "0x" || w[:2] == "0X"):
		w, digits, base = w[2:], "0123456789abcdefABCDEF", 16
	case len(w) > 1 && w[0] == '0':
		base = 8
	}
	return base, w != "" && strings.Trim(w, digits) == ""
}

func lexNumber(expr string, off int, w string, base int) uint32 {
	digits := w
	if base == 16 {
		digits = w[2:]
	}
	n, err := strconv.ParseUint(digits, base, 64)
	switch {
	case err != nil && base == 8 && strings.ContainsAny(w, "89"):
		fail(expr, off, len(w), "", "%s starts with 0, so it is octal, and has a digit above 7", w)
	case err != nil || n > 0xffffffff:
		fail(expr, off, len(w), "", "%s does not fit 32 bits (0..4294967295)", w)
	}
	return uint32(n)
}

// parseMAC reads the forms xx:xx:xx:xx:xx:xx (also with - or . between, and
// one digit instead of two), xxxx.xxxx.xxxx and xxxxxxxxxxxx.
func parseMAC(s string) (mac [6]byte, ok bool) {
	groups, width := []string(nil), 2
	if len(s) == 12 {
		groups, width = []string{s[:4], s[4:8], s[8:]}, 4
	} else if g := strings.Split(s, "."); len(g) == 3 && len(s) == 14 {
		groups, width = g, 4
	}
	for _, sep := range []string{":", "-", "."} {
		if g := strings.Split(s, sep); len(g) == 6 {
			groups = g
		}
	}
	for i, g := range groups {
		n, err := strconv.ParseUint(g, 16, 16)
		if err != nil || len(g) > width || len(g) < width-1 || width == 4 && len(g) != 4 {
			return mac, false
		}
		if width == 4 {
			mac[2*i], mac[2*i+1] = byte(n>>8), byte(n)
		} else {
			mac[i] = byte(n)
		}
	}
	return mac, groups != nil
}
