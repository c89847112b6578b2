package lua

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is a kind of token.
type kind uint8

const (
	tEOF kind = iota
	tName
	tNumber
	tString

	// Reserved words, in the order of reservedWords.
	tAnd
	tBreak
	tDo
	tElse
	tElseif
	tEnd
	tFalse
	tFor
	tFunction
	tIf
	tIn
	tLocal
	tNil
	tNot
	tOr
	tRepeat
	tReturn
	tThen
	tTrue
	tUntil
	tWhile

	tPlus
	tMinus
	tStar
	tSlash
	tPercent
	tCaret
	tHash
	tEq
	tNe
	tLe
	tGe
	tLt
	tGt
	tAssign
	tLparen
	tRparen
	tLbrace
	tRbrace
	tLbracket
	tRbracket
	tSemicolon
	tColon
	tLabel // ::
	tComma
	tDot
	tConcat
	tDots

	// Known only to refuse them with advice.
	tIdiv
	tAmp
	tPipe
	tTilde
	tShl
	tShr
	tBangEq
	tBang
	tPlusPlus
	tOpAssign // += -= *= /= ..= and so on
	tArrow    // =>
	tAmpAmp
	tPipePipe
	tQuestion
)

var kindText = [...]string{
	tEOF: "<eof>", tName: "<name>", tNumber: "<number>", tString: "<string>",
	tAnd: "and", tBreak: "break", tDo: "do", tElse: "else", tElseif: "elseif", tEnd: "end", tFalse: "false",
	tFor: "for", tFunction: "function", tIf: "if", tIn: "in", tLocal: "local", tNil: "nil", tNot: "not", tOr: "or",
	tRepeat: "repeat", tReturn: "return", tThen: "then", tTrue: "true", tUntil: "until", tWhile: "while",
	tPlus: "+", tMinus: "-", tStar: "*", tSlash: "/", tPercent: "%", tCaret: "^", tHash: "#",
	tEq: "==", tNe: "~=", tLe: "<=", tGe: ">=", tLt: "<", tGt: ">", tAssign: "=",
	tLparen: "(", tRparen: ")", tLbrace: "{", tRbrace: "}", tLbracket: "[", tRbracket: "]",
	tSemicolon: ";", tColon: ":", tLabel: "::", tComma: ",", tDot: ".", tConcat: "..", tDots: "...",
	tIdiv: "//", tAmp: "&", tPipe: "|", tTilde: "~", tShl: "<<", tShr: ">>", tBangEq: "!=", tBang: "!",
	tPlusPlus: "++", tOpAssign: "+=", tArrow: "=>", tAmpAmp: "&&", tPipePipe: "||", tQuestion: "?",
}

func (k kind) String() string { return kindText[k] }

// reserved is the kind of a word. A switch on strings is a binary search over
// length and content, and compiles to no allocation.
func reserved(s string) kind {
	switch s {
	case "and":
		return tAnd
	case "break":
		return tBreak
	case "do":
		return tDo
	case "else":
		return tElse
	case "elseif":
		return tElseif
	case "end":
		return tEnd
	case "false":
		return tFalse
	case "for":
		return tFor
	case "function":
		return tFunction
	case "if":
		return tIf
	case "in":
		return tIn
	case "local":
		return tLocal
	case "nil":
		return tNil
	case "not":
		return tNot
	case "or":
		return tOr
	case "repeat":
		return tRepeat
	case "return":
		return tReturn
	case "then":
		return tThen
	case "true":
		return tTrue
	case "until":
		return tUntil
	case "while":
		return tWhile
	}
	return tName
}

// at is a place in the source: line and octet in the line, both from 1.
type at struct{ line, col int32 }

// token is one lexical element.
type token struct {
	kind       kind
	at         at
	start, end int     // octets of the source
	str        string  // of a name or a string
	num        float64 // of a number
}

// lexer cuts a chunk into tokens. Errors leave it as a panic with a
// *SyntaxError, caught in compile.
type lexer struct {
	src       string
	name      string
	pos       int
	line      int32
	lineStart int // offset of the first octet of the line
}

func newLexer(src, name string) *lexer {
	lx := &lexer{src: src, name: name, line: 1}
	lx.pos = len(src) - len(strings.TrimPrefix(src, "\ufeff"))
	if strings.HasPrefix(src[lx.pos:], "#!") { // a script that the kernel may run
		for lx.pos < len(src) && src[lx.pos] != '\n' {
			lx.pos++
		}
	}
	return lx
}

func (lx *lexer) at(pos int) at { return at{lx.line, int32(pos-lx.lineStart) + 1} }

func (lx *lexer) errorAt(where at, near, format string, args ...any) {
	msg := format
	if len(args) > 0 {
		msg = fmt.Sprintf(format, args...)
	}
	panic(&SyntaxError{
		Chunk: lx.name, Line: int(where.line), Col: int(where.col), Near: near, Msg: msg, Source: lx.src,
		incomplete: near == nearEOF,
	})
}

// nearEOF is how a message shows the end of the text. Such an error means that
// more text could make the chunk correct.
const nearEOF = "'<eof>'"

// quoted is how a message shows a piece of the source.
func quoted(s string) string {
	const longest = 60
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = s[:i] + "..."
	}
	if len(s) > longest {
		cut := longest
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "..."
	}
	return "'" + s + "'"
}

func (lx *lexer) near(t *token) string {
	if t.kind == tEOF {
		return nearEOF
	}
	return quoted(lx.src[t.start:t.end])
}

// newline steps over one line end: \n, \r, \r\n or \n\r.
func (lx *lexer) newline() {
	c := lx.src[lx.pos]
	lx.pos++
	if lx.pos < len(lx.src) && lx.src[lx.pos] != c && (lx.src[lx.pos] == '\n' || lx.src[lx.pos] == '\r') {
		lx.pos++
	}
	lx.line++
	lx.lineStart = lx.pos
}

const (
	cSpace = 1 << iota
	cAlpha // letters and _
	cDigit
	cHex
)

var class = func() (t [256]uint8) {
	for _, c := range " \t\v\f" {
		t[c] |= cSpace
	}
	for c := '0'; c <= '9'; c++ {
		t[c] |= cDigit | cHex
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] |= cAlpha
		t[c-'a'+'A'] |= cAlpha
	}
	for c := 'a'; c <= 'f'; c++ {
		t[c] |= cHex
		t[c-'a'+'A'] |= cHex
	}
	t['_'] |= cAlpha
	return t
}()

// peek is the octet n places on, 0 behind the end.
func (lx *lexer) peek(n int) byte {
	if lx.pos+n < len(lx.src) {
		return lx.src[lx.pos+n]
	}
	return 0
}

// next reads one token into t.
func (lx *lexer) next(t *token) {
	src := lx.src
	for {
		if lx.pos >= len(src) {
			*t = token{kind: tEOF, at: lx.at(len(src)), start: len(src), end: len(src)}
			return
		}
		switch c := src[lx.pos]; {
		case class[c]&cSpace != 0:
			lx.pos++
			continue
		case c == '\n' || c == '\r':
			lx.newline()
			continue
		case c == '-' && lx.peek(1) == '-':
			lx.comment()
			continue
		}
		break
	}
	start := lx.pos
	*t = token{at: lx.at(start), start: start}
	c := src[start]
	switch {
	case class[c]&cAlpha != 0:
		end := start + 1
		for end < len(src) && class[src[end]]&(cAlpha|cDigit) != 0 {
			end++
		}
		lx.pos = end
		t.str = src[start:end]
		t.kind = reserved(t.str)
	case class[c]&cDigit != 0 || c == '.' && class[lx.peek(1)]&cDigit != 0:
		lx.number(t)
	case c == '"' || c == '\'':
		t.kind = tString
		t.str = lx.str(c, t.at)
	case c == '[' && (lx.peek(1) == '[' || lx.peek(1) == '='):
		level, ok := lx.longBracket()
		if !ok {
			lx.errorAt(t.at, quoted(src[start:min(start+2, len(src))]), "invalid long string delimiter")
		}
		t.kind = tString
		t.str = lx.long(level, "string", t.at)
	default:
		lx.symbol(t, c)
	}
	t.end = lx.pos
}

func (lx *lexer) symbol(t *token, c byte) {
	// two or three octets
	c1, c2 := lx.peek(1), lx.peek(2)
	set := func(k kind, n int) { t.kind = k; lx.pos += n }
	switch c {
	case '+':
		switch {
		case c1 == '+':
			set(tPlusPlus, 2)
		case c1 == '=' && c2 != '=':
			set(tOpAssign, 2)
		default:
			set(tPlus, 1)
		}
	case '-':
		if c1 == '=' && c2 != '=' {
			set(tOpAssign, 2)
		} else {
			set(tMinus, 1)
		}
	case '*':
		if c1 == '=' && c2 != '=' {
			set(tOpAssign, 2)
		} else {
			set(tStar, 1)
		}
	case '/':
		switch {
		case c1 == '/':
			set(tIdiv, 2)
		case c1 == '=' && c2 != '=':
			set(tOpAssign, 2)
		default:
			set(tSlash, 1)
		}
	case '%':
		set(tPercent, 1)
	case '^':
		set(tCaret, 1)
	case '#':
		set(tHash, 1)
	case '&':
		if c1 == '&' {
			set(tAmpAmp, 2)
		} else {
			set(tAmp, 1)
		}
	case '|':
		if c1 == '|' {
			set(tPipePipe, 2)
		} else {
			set(tPipe, 1)
		}
	case '~':
		if c1 == '=' {
			set(tNe, 2)
		} else {
			set(tTilde, 1)
		}
	case '!':
		if c1 == '=' {
			set(tBangEq, 2)
		} else {
			set(tBang, 1)
		}
	case '<':
		switch c1 {
		case '=':
			set(tLe, 2)
		case '<':
			set(tShl, 2)
		default:
			set(tLt, 1)
		}
	case '>':
		switch c1 {
		case '=':
			set(tGe, 2)
		case '>':
			set(tShr, 2)
		default:
			set(tGt, 1)
		}
	case '=':
		switch c1 {
		case '=':
			set(tEq, 2)
		case '>':
			set(tArrow, 2)
		default:
			set(tAssign, 1)
		}
	case ':':
		if c1 == ':' {
			set(tLabel, 2)
		} else {
			set(tColon, 1)
		}
	case '.':
		switch {
		case c1 == '.' && c2 == '.':
			set(tDots, 3)
		case c1 == '.' && c2 == '=':
			set(tOpAssign, 3)
		case c1 == '.':
			set(tConcat, 2)
		default:
			set(tDot, 1)
		}
	case '(':
		set(tLparen, 1)
	case ')':
		set(tRparen, 1)
	case '{':
		set(tLbrace, 1)
	case '}':
		set(tRbrace, 1)
	case '[':
		set(tLbracket, 1)
	case ']':
		set(tRbracket, 1)
	case ';':
		set(tSemicolon, 1)
	case ',':
		set(tComma, 1)
	case '?':
		set(tQuestion, 1)
	default:
		lx.strange(t.at)
	}
}

// strange refuses an octet that begins no token.
func (lx *lexer) strange(where at) {
	r, n := utf8.DecodeRuneInString(lx.src[lx.pos:])
	near := lx.src[lx.pos : lx.pos+n]
	switch {
	case r == utf8.RuneError && n == 1 || r < ' ' || r == 0x7f:
		lx.errorAt(where, fmt.Sprintf("'\\%d'", lx.src[lx.pos]), "unexpected symbol")
	case strings.ContainsRune("“”„«»‘’‚", r):
		lx.errorAt(where, quoted(near), `unexpected symbol (strings are written with plain quotes, "..." or '...')`)
	case strings.ContainsRune("−–—", r):
		lx.errorAt(where, quoted(near), "unexpected symbol (minus is the plain '-')")
	case r == '\u00a0' || r == '\u200b' || r == '\ufeff' || r == '\u2028' || r == '\u3000':
		lx.errorAt(where, fmt.Sprintf("'\\u{%x}'", r), "unexpected symbol (an invisible character that is no blank)")
	}
	lx.errorAt(where, quoted(near), "unexpected symbol")
}

// comment steps over a comment; the lexer stands at its first '-'.
func (lx *lexer) comment() {
	start := lx.at(lx.pos)
	lx.pos += 2
	if lx.peek(0) == '[' {
		if level, ok := lx.longBracket(); ok {
			lx.long(level, "comment", start)
			return
		}
	}
	rest := lx.src[lx.pos:]
	if i := strings.IndexAny(rest, "\r\n"); i >= 0 {
		lx.pos += i
	} else {
		lx.pos = len(lx.src)
	}
}

// longBracket recognises [[ or [=…=[ and steps over it.
func (lx *lexer) longBracket() (level int, ok bool) {
	for lx.peek(1+level) == '=' {
		level++
	}
	if lx.peek(1+level) != '[' {
		return 0, false
	}
	lx.pos += level + 2
	return level, true
}

// long reads the rest of a long string or comment, up to ]=…=].
func (lx *lexer) long(level int, what string, start at) string {
	src := lx.src
	if c := lx.peek(0); c == '\n' || c == '\r' {
		lx.newline()
	}
	var b strings.Builder
	from := lx.pos // not yet copied to b
	for lx.pos < len(src) {
		switch c := src[lx.pos]; c {
		case ']':
			n := 0
			for lx.peek(1+n) == '=' {
				n++
			}
			if n == level && lx.peek(1+n) == ']' {
				s := src[from:lx.pos]
				lx.pos += n + 2
				if b.Len() > 0 {
					b.WriteString(s)
					return b.String()
				}
				return s
			}
			lx.pos += n + 1
		case '\n', '\r':
			end := lx.pos
			lx.newline()
			if lx.pos-end != 1 || c == '\r' { // every line end reads as \n
				b.WriteString(src[from:end])
				b.WriteByte('\n')
				from = lx.pos
			}
		default:
			lx.pos++
		}
	}
	lx.errorAt(lx.at(lx.pos), nearEOF, "unfinished long %s (it begins at line %d)", what, start.line)
	return ""
}

// str reads a string in quotes.
func (lx *lexer) str(quote byte, start at) string {
	src := lx.src
	begin := lx.pos
	lx.pos++
	from := lx.pos
	// most strings have no escapes and are a piece of the source
	for lx.pos < len(src) {
		c := src[lx.pos]
		if c == quote {
			lx.pos++
			return src[from : lx.pos-1]
		}
		if c == '\\' || c == '\n' || c == '\r' {
			break
		}
		lx.pos++
	}
	b := make([]byte, 0, lx.pos-from+32)
	b = append(b, src[from:lx.pos]...)
	for {
		if lx.pos >= len(src) {
			// Lua takes the end of the text inside quotes for a line end that was forgotten.
			lx.unfinished(begin, start, false)
		}
		switch c := src[lx.pos]; c {
		case quote:
			lx.pos++
			return string(b)
		case '\n', '\r':
			lx.unfinished(begin, start, false)
		case '\\':
			b = lx.escape(b, begin, start)
		default:
			b = append(b, c)
			lx.pos++
		}
	}
}

// unfinished refuses a string without its closing quote. The text may go on
// where the line ended in a backslash.
func (lx *lexer) unfinished(begin int, start at, goesOn bool) {
	if goesOn {
		lx.errorAt(start, nearEOF, "unfinished string")
	}
	rest := lx.src[begin:]
	if i := strings.IndexAny(rest, "\r\n"); i >= 0 {
		rest = rest[:i]
	}
	lx.errorAt(start, quoted(rest), "unfinished string")
}

func (lx *lexer) escape(b []byte, begin int, start at) []byte {
	from := lx.pos
	bad := func(n int, format string, args ...any) {
		end := min(lx.pos+n, len(lx.src))
		lx.errorAt(lx.at(from), quoted(lx.src[from:end]), format, args...)
	}
	lx.pos++
	if lx.pos >= len(lx.src) {
		lx.unfinished(begin, start, true)
	}
	c := lx.src[lx.pos]
	lx.pos++
	switch c {
	case 'a':
		c = '\a'
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'v':
		c = '\v'
	case '\n', '\r':
		lx.pos--
		lx.newline()
		if lx.pos >= len(lx.src) {
			lx.unfinished(begin, start, true)
		}
		return append(b, '\n')
	case 'x':
		n := 0
		for i := range 2 {
			d := lx.peek(i)
			if class[d]&cHex == 0 {
				bad(i+1, `hexadecimal digit expected (\x takes two of them; a backslash is \\)`)
			}
			n = n<<4 | hexDigit(d)
		}
		lx.pos += 2
		return append(b, byte(n))
	case 'z':
		for lx.pos < len(lx.src) {
			c := lx.src[lx.pos]
			if c == '\n' || c == '\r' {
				lx.newline()
			} else if class[c]&cSpace != 0 {
				lx.pos++
			} else {
				return b
			}
		}
		lx.unfinished(begin, start, true)
	case 'u':
		if lx.peek(0) != '{' {
			bad(1, `missing '{' in \u{XXXX}`)
		}
		lx.pos++
		n, digits := uint64(0), 0
		for class[lx.peek(0)]&cHex != 0 {
			n = n<<4 | uint64(hexDigit(lx.peek(0)))
			if n > 0x7fffffff {
				bad(1, `\u{XXXX} is too large`)
			}
			digits++
			lx.pos++
		}
		if digits == 0 {
			bad(1, "hexadecimal digit expected")
		}
		if lx.peek(0) != '}' {
			bad(1, `missing '}' in \u{XXXX}`)
		}
		lx.pos++
		return appendUTF8(b, uint32(n))
	default:
		if class[c]&cDigit != 0 {
			n := int(c - '0')
			for range 2 {
				d := lx.peek(0)
				if class[d]&cDigit == 0 {
					break
				}
				n = n*10 + int(d-'0')
				lx.pos++
			}
			if n > 255 {
				bad(0, "escape sequence too large")
			}
			c = byte(n)
		}
	}
	return append(b, c)
}

func hexDigit(c byte) int {
	switch {
	case c <= '9':
		return int(c - '0')
	default:
		return int(c|0x20-'a') + 10
	}
}

// appendUTF8 encodes up to 31 bits, as RFC 2279 and later Luas do.
func appendUTF8(b []byte, n uint32) []byte {
	if n < 0x80 {
		return append(b, byte(n))
	}
	var tail [6]byte
	i := len(tail)
	first := uint32(0x3f) // what fits the first octet
	for n > first {
		i--
		tail[i] = byte(0x80 | n&0x3f)
		n >>= 6
		first >>= 1
	}
	i--
	tail[i] = byte(^first<<1 | n)
	return append(b, tail[i:]...)
}

// number reads a numeral. As in Lua all letters and digits that follow belong
// to it, so that 3x is an error and not two tokens.
func (lx *lexer) number(t *token) {
	src := lx.src
	t.kind = tNumber
	end := lx.pos
	hex := src[end] == '0' && end+1 < len(src) && src[end+1]|0x20 == 'x'
	exponent := byte('e')
	if hex {
		exponent = 'p'
	}
	for end < len(src) {
		c := src[end]
		if class[c]&(cAlpha|cDigit) == 0 && c != '.' {
			break
		}
		end++
		if c|0x20 == exponent && end < len(src) && (src[end] == '+' || src[end] == '-') {
			end++
		}
	}
	s := src[lx.pos:end]
	lx.pos = end
	n, ok := numeral(s, hex)
	if !ok {
		lx.errorAt(t.at, quoted(s), "malformed number")
	}
	t.num = n
}

// numeral is the value of a numeral. Hexadecimal ones are exact up to 2^53 and
// rounded beyond, whatever their length.
func numeral(s string, hex bool) (float64, bool) {
	if len(s) <= 15 { // plain digits: most of them
		n := 0
		for i := range len(s) {
			if class[s[i]]&cDigit == 0 {
				n = -1
				break
			}
			n = n*10 + int(s[i]-'0')
		}
		if n >= 0 {
			return float64(n), true
		}
	}
	if strings.IndexByte(s, '_') >= 0 { // which Go would take
		return 0, false
	}
	if hex && strings.IndexByte(s, 'p') < 0 && strings.IndexByte(s, 'P') < 0 {
		s += "p0"
	} else if !hex && (s[0]|0x20 == 'i' || s[0]|0x20 == 'n') {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		if e, ok := err.(*strconv.NumError); !ok || e.Err != strconv.ErrRange {
			return 0, false
		}
	}
	return n, !math.IsNaN(n)
}
