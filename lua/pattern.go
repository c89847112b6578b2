package lua

import "strings"

// Lua patterns: find, match, gmatch and gsub. A pattern is matched as it
// stands, by backtracking; strings and patterns may hold any octets. What
// takes long can be interrupted: the matcher counts steps and polls.

const (
	maxCaptures     = 32
	maxPatternDepth = 20000 // nested items of a pattern; each takes Go stack
	pollInterval    = 4096  // steps between polls, some 50 µs
)

// Lengths that are not lengths yet.
const (
	captureOpen     = -1
	capturePosition = -2
)

type matcher struct {
	L        *State
	src, pat string
	level    int // captures begun
	depth    int
	steps    int // left until the next poll
	captures [maxCaptures]struct{ start, len int }
}

// Character classes, one bit each.
const (
	classAlpha = 1 << iota
	classDigit
	classLower
	classUpper
	classSpace
	classControl
	classPunct
	classHex
	classAlnum
	classZero
)

var (
	classOf     [256]uint16 // the classes an octet is in, in the C locale
	classLetter = [256]uint16{
		'a': classAlpha, 'd': classDigit, 'l': classLower, 'u': classUpper, 's': classSpace,
		'c': classControl, 'p': classPunct, 'x': classHex, 'w': classAlnum, 'z': classZero,
	}
)

func init() {
	for i := range classOf {
		c, bits := byte(i), uint16(0)
		if c >= '0' && c <= '9' {
			bits |= classDigit | classHex | classAlnum
		}
		if c >= 'a' && c <= 'z' {
			bits |= classLower | classAlpha | classAlnum
		}
		if c >= 'A' && c <= 'Z' {
			bits |= classUpper | classAlpha | classAlnum
		}
		if c|0x20 >= 'a' && c|0x20 <= 'f' {
			bits |= classHex
		}
		if isSpace(c) {
			bits |= classSpace
		}
		if c < ' ' || c == 127 {
			bits |= classControl
		}
		if c > ' ' && c < 127 && bits&classAlnum == 0 {
			bits |= classPunct
		}
		if c == 0 {
			bits |= classZero
		}
		classOf[i] = bits
	}
}

// inClass matches c against the letter after a %.
func inClass(c, letter byte) bool {
	bits := classLetter[letter|0x20]
	if bits == 0 {
		return letter == c
	}
	return classOf[c]&bits != 0 == (letter&0x20 != 0)
}

func (m *matcher) reset() { m.level = 0 }

// tick counts n steps.
func (m *matcher) tick(n int) {
	if m.steps -= n; m.steps < 0 {
		m.steps = pollInterval
		poll(m.L)
	}
}

// classEnd returns where the single-character class at p ends.
func (m *matcher) classEnd(p int) int {
	c := m.pat[p]
	p++
	switch c {
	case '%':
		if p == len(m.pat) {
			raisef(m.L, "malformed pattern (ends with '%%')")
		}
		return p + 1
	case '[':
		if p < len(m.pat) && m.pat[p] == '^' {
			p++
		}
		for first := true; first || p >= len(m.pat) || m.pat[p] != ']'; first = false {
			if p >= len(m.pat) {
				raisef(m.L, "malformed pattern (missing ']')")
			}
			c := m.pat[p]
			p++
			if c == '%' && p < len(m.pat) {
				p++
			}
		}
		return p + 1
	}
	return p
}

// inSet matches c against the set [...] at p whose ']' is at end.
func (m *matcher) inSet(c byte, p, end int) bool {
	found := true
	p++
	if m.pat[p] == '^' {
		found = false
		p++
	}
	for ; p < end; p++ {
		switch x := m.pat[p]; {
		case x == '%':
			p++
			if inClass(c, m.pat[p]) {
				return found
			}
		case m.pat[p+1] == '-' && p+2 < end:
			p += 2
			if x <= c && c <= m.pat[p] {
				return found
			}
		case x == c:
			return found
		}
	}
	return !found
}

// single matches c against the class from p to end.
func (m *matcher) single(c byte, p, end int) bool {
	switch x := m.pat[p]; x {
	case '.':
		return true
	case '%':
		return inClass(c, m.pat[p+1])
	case '[':
		return m.inSet(c, p, end-1)
	default:
		return x == c
	}
}

// match matches the pattern from p on at src[s:] and returns the end, or -1.
func (m *matcher) match(s, p int) int {
	if m.depth++; m.depth > maxPatternDepth {
		raisef(m.L, "pattern too complex")
	}
	e := m.run(s, p)
	m.depth--
	return e
}

func (m *matcher) run(s, p int) int {
	for {
		m.tick(1)
		if p == len(m.pat) {
			return s
		}
		switch m.pat[p] {
		case '(':
			if p+1 < len(m.pat) && m.pat[p+1] == ')' {
				return m.open(s, p+2, capturePosition)
			}
			return m.open(s, p+1, captureOpen)
		case ')':
			return m.close(s, p+1)
		case '$':
			if p+1 == len(m.pat) {
				if s == len(m.src) {
					return s
				}
				return -1
			}
		case '%':
			if p+1 == len(m.pat) {
				break // classEnd complains
			}
			switch c := m.pat[p+1]; {
			case c == 'b':
				if s = m.balance(s, p+2); s < 0 {
					return -1
				}
				p += 4
				continue
			case c == 'f':
				p += 2
				if p >= len(m.pat) || m.pat[p] != '[' {
					raisef(m.L, "missing '[' after '%%f' in pattern")
				}
				end := m.classEnd(p)
				var before, here byte // a zero octet stands before and after the string
				if s > 0 {
					before = m.src[s-1]
				}
				if s < len(m.src) {
					here = m.src[s]
				}
				if m.inSet(before, p, end-1) || !m.inSet(here, p, end-1) {
					return -1
				}
				p = end
				continue
			case c-'0' <= 9:
				if s = m.again(s, c); s < 0 {
					return -1
				}
				p += 2
				continue
			}
		}
		end := m.classEnd(p)
		var suffix byte
		if end < len(m.pat) {
			suffix = m.pat[end]
		}
		switch suffix {
		case '*':
			return m.most(s, p, end)
		case '-':
			return m.least(s, p, end)
		}
		ok := s < len(m.src) && m.single(m.src[s], p, end)
		switch suffix {
		case '?':
			if ok {
				if e := m.match(s+1, end+1); e >= 0 {
					return e
				}
			}
			p = end + 1
		case '+':
			if !ok {
				return -1
			}
			return m.most(s+1, p, end)
		default:
			if !ok {
				return -1
			}
			s++
			p = end
		}
	}
}

// most takes as many octets of the class p..end as the rest lets it.
func (m *matcher) most(s, p, end int) int {
	i := s
	switch x := m.pat[p]; x {
	case '.':
		i = len(m.src)
	case '[':
		for i < len(m.src) && m.inSet(m.src[i], p, end-1) {
			i++
		}
	case '%':
		for letter := m.pat[p+1]; i < len(m.src) && inClass(m.src[i], letter); {
			i++
		}
	default:
		for i < len(m.src) && m.src[i] == x {
			i++
		}
	}
	m.tick((i - s) / 8)
	if end+1 == len(m.pat) {
		return i
	}
	for ; i >= s; i-- {
		if e := m.match(i, end+1); e >= 0 {
			return e
		}
	}
	return -1
}

// least takes as few as it can.
func (m *matcher) least(s, p, end int) int {
	for {
		if e := m.match(s, end+1); e >= 0 {
			return e
		}
		if s >= len(m.src) || !m.single(m.src[s], p, end) {
			return -1
		}
		s++
	}
}

func (m *matcher) open(s, p, what int) int {
	if m.level >= maxCaptures {
		raisef(m.L, "too many captures")
	}
	m.captures[m.level].start = s
	m.captures[m.level].len = what
	m.level++
	e := m.match(s, p)
	if e < 0 {
		m.level--
	}
	return e
}

func (m *matcher) close(s, p int) int {
	l := m.level - 1
	for l >= 0 && m.captures[l].len != captureOpen {
		l--
	}
	if l < 0 {
		raisef(m.L, "invalid pattern capture")
	}
	m.captures[l].len = s - m.captures[l].start
	e := m.match(s, p)
	if e < 0 {
		m.captures[l].len = captureOpen
	}
	return e
}

// balance matches %bxy, where p is at x.
func (m *matcher) balance(s, p int) int {
	if p+1 >= len(m.pat) {
		raisef(m.L, "unbalanced pattern")
	}
	begin, end := m.pat[p], m.pat[p+1]
	if s >= len(m.src) || m.src[s] != begin {
		return -1
	}
	for i, open := s+1, 1; i < len(m.src); i++ {
		if c := m.src[i]; c == end {
			if open--; open == 0 {
				m.tick((i - s) / 8)
				return i + 1
			}
		} else if c == begin {
			open++
		}
	}
	m.tick((len(m.src) - s) / 8)
	return -1
}

// again matches what capture number digit took.
func (m *matcher) again(s int, digit byte) int {
	i := int(digit) - '1'
	if i < 0 || i >= m.level || m.captures[i].len == captureOpen {
		raisef(m.L, "invalid capture index")
	}
	c := m.captures[i]
	if c.len < 0 { // a position capture takes nothing that could match again
		return -1
	}
	if strings.HasPrefix(m.src[s:], m.src[c.start:c.start+c.len]) {
		return s + c.len
	}
	return -1
}

// search finds the first match at or after s. The pattern must not begin with
// an anchor, which the caller has cut off.
func (m *matcher) search(s int, anchored bool) (start, end int) {
	lead, literal := m.lead()
	for {
		if literal && !anchored {
			i := strings.IndexByte(m.src[s:], lead)
			if i < 0 {
				return -1, -1
			}
			s += i
		}
		m.reset()
		if e := m.match(s, 0); e >= 0 {
			return s, e
		}
		if s++; s > len(m.src) || anchored {
			return -1, -1
		}
	}
}

// lead returns the octet that every match begins with, if there is one.
func (m *matcher) lead() (byte, bool) {
	if m.pat == "" {
		return 0, false
	}
	c := m.pat[0]
	if strings.IndexByte("^$*+?.([%-)", c) >= 0 {
		return 0, false
	}
	if len(m.pat) > 1 {
		switch m.pat[1] {
		case '*', '?', '-':
			return 0, false
		}
	}
	return c, true
}

// value is capture i of a match from start to end; the whole match if the
// pattern has no captures and i is 0.
func (m *matcher) value(i, start, end int) Value {
	if i >= m.level {
		if i != 0 {
			raisef(m.L, "invalid capture index")
		}
		return substring(m.src, start, end)
	}
	switch c := m.captures[i]; c.len {
	case captureOpen:
		raisef(m.L, "unfinished capture")
	case capturePosition:
		return Int(c.start + 1)
	default:
		return substring(m.src, c.start, c.start+c.len)
	}
	return Nil
}

// push pushes the captures and returns how many.
func (m *matcher) push(start, end int, whole bool) int {
	n := m.level
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		m.L.Push(m.value(i, start, end))
	}
	return n
}
