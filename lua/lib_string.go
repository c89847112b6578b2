package lua

import (
	"math"
	"strings"
)

// openString makes the library string and the metatable of strings.
func openString(L *State) *Table {
	lib := functions(L, []function{
		{"byte", stringByte}, {"char", stringChar}, {"dump", stringDump}, {"find", stringFind},
		{"format", stringFormat}, {"gmatch", stringGmatch}, {"gsub", stringGsub},
		{"len", stringLen}, {"lower", stringLower}, {"match", stringMatch}, {"pack", stringPack},
		{"packsize", stringPacksize}, {"rep", stringRep}, {"reverse", stringReverse}, {"sub", stringSub},
		{"unpack", stringUnpack}, {"upper", stringUpper},
	})
	lib.RawSetString("gfind", lib.RawGetString("gmatch")) // the name it had in 5.0
	// The interpreter reads numbers in strings its own way ("010" octal) where
	// arithmetic meets one; these metamethods come first.
	mt := functions(L, []function{
		{"__add", stringArith("__add", func(a, b float64) float64 { return a + b })},
		{"__sub", stringArith("__sub", func(a, b float64) float64 { return a - b })},
		{"__mul", stringArith("__mul", func(a, b float64) float64 { return a * b })},
		{"__div", stringArith("__div", func(a, b float64) float64 { return a / b })},
		{"__mod", stringArith("__mod", modulo)},
		{"__pow", stringArith("__pow", math.Pow)},
		{"__unm", stringMinus},
	})
	mt.RawSetString("__index", lib)
	L.SetMetatable(emptyString, mt)
	return lib
}

// modulo is a % b, as the interpreter does it for numbers.
func modulo(a, b float64) float64 {
	m := math.Mod(a, b)
	if m != 0 && (m < 0) != (b < 0) {
		m += b
	}
	return m
}

// stringArith is an operator with a string operand: arithmetic if both
// operands are numbers or read as such, else the other operand's metamethod.
func stringArith(event string, op func(a, b float64) float64) func(*State) int {
	return func(L *State) int {
		va, vb := L.Get(1), L.Get(2)
		a, ok1 := numberOf(va)
		b, ok2 := numberOf(vb)
		if ok1 && ok2 {
			L.Push(Num(op(a, b)))
			return 1
		}
		if _, isString := vb.(String); !isString {
			if f := L.GetMetaField(vb, event); f != Nil {
				L.Push(call1(L, f, va, vb))
				return 1
			}
		}
		name := culprit(L, 1)
		if ok1 {
			va, name = vb, culprit(L, 2)
		}
		raisef(L, "attempt to perform arithmetic on a %s value%s", va.Type(), name)
		return 0
	}
}

func stringMinus(L *State) int {
	f, ok := numberOf(L.Get(1))
	if !ok {
		raisef(L, "attempt to perform arithmetic on a %s value%s", L.Get(1).Type(), culprit(L, 1))
	}
	L.Push(Num(-f))
	return 1
}

// strIndex turns an index that may count from the end into one from the start.
func strIndex(i, length int) int {
	if i < 0 {
		if i += length + 1; i < 0 {
			i = 0
		}
	}
	return i
}

// maxResults bounds what byte and unpack push at once.
const maxResults = 1 << 17

func stringByte(L *State) int {
	s := checkString(L, 1)
	i := 1
	if L.GetTop() > 1 {
		i = strIndex(optInt(L, 2, 1), len(s))
	}
	j := i
	if L.GetTop() > 2 {
		j = strIndex(optInt(L, 3, i), len(s))
	}
	i, j = max(i, 1), min(j, len(s))
	if i > j {
		return 0
	}
	if j-i >= maxResults {
		raisef(L, "string slice too long")
	}
	for _, c := range []byte(s[i-1 : j]) {
		L.Push(smallNumber(uint64(c)))
	}
	return j - i + 1
}

func stringChar(L *State) int {
	n := L.GetTop()
	var buf [64]byte
	b := buf[:0]
	for i := 1; i <= n; i++ {
		c := checkInt(L, i)
		if c < 0 || c > 255 {
			argError(L, i, "invalid value")
		}
		b = append(b, byte(c))
	}
	L.Push(bytesValue(b))
	return 1
}

// bytesValue copies b to a string value.
func bytesValue(b []byte) Value {
	if len(b) == 1 {
		return oneByte[b[0]]
	}
	return Str(string(b))
}

func stringDump(L *State) int {
	checkFunction(L, 1)
	raisef(L, "unable to dump given function")
	return 0
}

func stringLen(L *State) int {
	L.Push(Int(len(checkString(L, 1))))
	return 1
}

func stringSub(L *State) int {
	s := checkString(L, 1)
	i := strIndex(checkInt(L, 2), len(s))
	j := strIndex(optInt(L, 3, -1), len(s))
	i, j = max(i, 1), min(j, len(s))
	switch {
	case i > j:
		L.Push(emptyString)
	case i == 1 && j == len(s):
		L.Push(Str(s))
	default:
		L.Push(substring(s, i-1, j))
	}
	return 1
}

func stringReverse(L *State) int {
	s := checkString(L, 1)
	b := make([]byte, len(s))
	for i := range len(s) {
		b[len(s)-1-i] = s[i]
	}
	L.Push(Str(string(b)))
	return 1
}

// The C locale's letters only: other octets are left as they are.
func stringLower(L *State) int { return mapLetters(L, 'A', 'Z') }
func stringUpper(L *State) int { return mapLetters(L, 'a', 'z') }

func mapLetters(L *State, from, to byte) int {
	s := checkString(L, 1)
	for i := range len(s) {
		if s[i] >= from && s[i] <= to {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= from && b[i] <= to {
					b[i] ^= 0x20
				}
			}
			L.Push(bytesValue(b))
			return 1
		}
	}
	L.Push(Str(s))
	return 1
}

// stringRep is rep(s, n, sep): the separator is Lua 5.2's.
func stringRep(L *State) int {
	s := checkString(L, 1)
	n := checkInt(L, 2)
	sep := optString(L, 3, "")
	if n <= 0 || len(s)+len(sep) == 0 {
		L.Push(emptyString)
		return 1
	}
	if len(s)+len(sep) > maxString/n {
		raiseTooLarge(L)
	}
	if sep == "" {
		L.Push(Str(strings.Repeat(s, n)))
		return 1
	}
	L.Push(Str(strings.Repeat(s+sep, n-1) + s))
	return 1
}

func stringFind(L *State) int  { return find(L, true) }
func stringMatch(L *State) int { return find(L, false) }

func find(L *State, positions bool) int {
	s := checkString(L, 1)
	p := checkString(L, 2)
	init := 0
	if L.GetTop() > 2 {
		init = min(max(strIndex(optInt(L, 3, 1), len(s))-1, 0), len(s))
	}
	if positions && (L.GetTop() > 3 && Truth(L.Get(4)) || !strings.ContainsAny(p, "^$*+?.([%-")) {
		i := strings.Index(s[init:], p)
		if i < 0 {
			L.Push(Nil)
			return 1
		}
		L.Push(Int(init + i + 1))
		L.Push(Int(init + i + len(p)))
		return 2
	}
	anchored := p != "" && p[0] == '^'
	if anchored {
		p = p[1:]
	}
	m := matcher{L: L, src: s, pat: p, steps: pollInterval}
	start, end := m.search(init, anchored)
	switch {
	case start < 0:
		L.Push(Nil)
		return 1
	case positions:
		L.Push(Int(start + 1))
		L.Push(Int(end))
		return 2 + m.push(start, end, false)
	}
	return m.push(start, end, true)
}

func stringGmatch(L *State) int {
	s := checkString(L, 1)
	p := checkString(L, 2)
	next := 0
	L.Push(L.NewFunction(func(L *State) int {
		if next > len(s) {
			return 0
		}
		m := matcher{L: L, src: s, pat: p, steps: pollInterval} // a ^ is no anchor here in 5.1
		start, end := m.search(next, false)
		if start < 0 {
			next = len(s) + 1
			return 0
		}
		if next = end; end == start {
			next++
		}
		return m.push(start, end, true)
	}))
	return 1
}

func stringGsub(L *State) int {
	s := checkString(L, 1)
	p := checkString(L, 2)
	repl := L.Get(3)
	text := ""
	switch r := repl.(type) {
	case String:
		text = string(r)
	case Number:
		text = FormatNumber(float64(r))
	case *Table, *Function:
	default:
		argError(L, 3, "string/function/table expected")
	}
	limit := optInt(L, 4, len(s)+1)
	anchored := p != "" && p[0] == '^'
	if anchored {
		p = p[1:]
	}
	m := matcher{L: L, src: s, pat: p, steps: pollInterval}
	lead, literal := m.lead()
	var out []byte
	copied, n := 0, 0 // s[:copied] is in out
	for at := 0; n < limit; {
		if literal && !anchored {
			i := strings.IndexByte(s[at:], lead)
			if i < 0 {
				break
			}
			at += i
		}
		m.reset()
		end := m.match(at, 0)
		if end >= 0 {
			n++
			out = append(out, s[copied:at]...)
			copied = end
			switch r := repl.(type) {
			case *Table:
				out = m.addValue(out, L.GetTable(r, m.value(0, at, end)), at, end)
			case *Function:
				L.Push(r)
				L.Call(m.push(at, end, true), 1)
				v := L.Get(-1)
				L.Pop(1)
				out = m.addValue(out, v, at, end)
			default:
				out = m.addText(out, text, at, end)
			}
			checkSize(L, len(out))
		}
		if end > at {
			at = end
		} else if at++; at > len(s) {
			break
		}
		if anchored {
			break
		}
	}
	if n == 0 {
		L.Push(Str(s))
	} else {
		out = append(out, s[min(copied, len(s)):]...)
		checkSize(L, len(out))
		L.Push(bytesValue(out))
	}
	L.Push(Int(n))
	return 2
}

// addText appends a replacement text, in which %0 is the match, %1 to %9 are
// captures, and % before anything else stands for that.
func (m *matcher) addText(out []byte, text string, start, end int) []byte {
	for {
		i := strings.IndexByte(text, '%')
		if i < 0 {
			return append(out, text...)
		}
		out = append(out, text[:i]...)
		if i+1 == len(text) {
			return append(out, 0) // as 5.1: its strings end with a zero octet
		}
		c := text[i+1]
		text = text[i+2:]
		switch {
		case c == '0':
			out = append(out, m.src[start:end]...)
		case c-'1' <= 8:
			out = appendText(out, m.value(int(c-'1'), start, end))
		default:
			out = append(out, c)
		}
	}
}

// addValue appends what a table or function gave for a match.
func (m *matcher) addValue(out []byte, v Value, start, end int) []byte {
	switch {
	case !Truth(v):
		return append(out, m.src[start:end]...)
	case !isText(v):
		raisef(m.L, "invalid replacement value (a %s)", v.Type())
	}
	return appendText(out, v)
}

// appendText appends a string or a number.
func appendText(out []byte, v Value) []byte {
	switch v := v.(type) {
	case String:
		return append(out, v...)
	case Number:
		return appendNumber(out, float64(v))
	}
	return out
}

// quoteLua appends s as %q writes it: a literal that any Lua reads back.
func quoteLua(out []byte, s string) []byte {
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			out = append(out, '\\', c)
		case '\r':
			out = append(out, `\r`...)
		case 0:
			out = append(out, `\000`...)
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
