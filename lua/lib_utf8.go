package lua

// The library utf8 of Lua 5.3.

const maxUnicode = 0x10FFFF

func openUTF8(L *State) *Table {
	lib := functions(L, []function{
		{"char", utf8Char}, {"codepoint", utf8Codepoint}, {"len", utf8Len}, {"offset", utf8Offset},
	})
	step := L.NewFunction(utf8Next)
	lib.RawSetString("codes", L.NewFunction(func(L *State) int {
		s := checkString(L, 1)
		L.Push(step)
		L.Push(String(s))
		L.Push(smallNumber(0))
		return 3
	}))
	lib.RawSetString("charpattern", String("[\x00-\x7F\xC2-\xF4][\x80-\xBF]*"))
	return lib
}

func continuation(c byte) bool { return c&0xC0 == 0x80 }

// decodeUTF8 decodes the first character of s; n is 0 if there is none.
func decodeUTF8(s string) (x uint32, n int) {
	if s == "" {
		return 0, 0
	}
	c := s[0]
	if c < 0x80 {
		return uint32(c), 1
	}
	least := [...]uint32{0x80, 0x800, 0x10000, 0x200000}
	for n = 1; c&0x40 != 0; n++ {
		if n > 3 || n >= len(s) || !continuation(s[n]) {
			return 0, 0
		}
		x = x<<6 | uint32(s[n]&0x3f)
		c <<= 1
	}
	if n == 1 { // a continuation octet
		return 0, 0
	}
	x |= uint32(c&0x7f) << (5 * (n - 1))
	if x < least[n-2] || x > maxUnicode {
		return 0, 0
	}
	return x, n
}

func utf8Char(L *State) int {
	var buf [32]byte
	b := buf[:0]
	for i := 1; i <= L.GetTop(); i++ {
		x := checkInt(L, i)
		if x < 0 || x > 0x7FFFFFFF {
			argError(L, i, "value out of range")
		}
		b = appendUTF8(b, uint32(x))
	}
	L.Push(bytesValue(b))
	return 1
}

func utf8Codepoint(L *State) int {
	s := checkString(L, 1)
	i := strIndex(optInt(L, 2, 1), len(s))
	j := strIndex(optInt(L, 3, i), len(s))
	if i < 1 {
		argError(L, 2, "out of range")
	}
	if j > len(s) {
		argError(L, 3, "out of range")
	}
	if j-i >= maxResults {
		raisef(L, "string slice too long")
	}
	count := 0
	for i--; i < j; {
		x, n := decodeUTF8(s[i:])
		if n == 0 {
			raisef(L, "invalid UTF-8 code")
		}
		L.Push(Int(int(x)))
		i += n
		count++
	}
	return count
}

func utf8Len(L *State) int {
	s := checkString(L, 1)
	i := strIndex(optInt(L, 2, 1), len(s))
	j := strIndex(optInt(L, 3, -1), len(s))
	if i < 1 || i > len(s)+1 {
		argError(L, 2, "initial position out of string")
	}
	if j > len(s) {
		argError(L, 3, "final position out of string")
	}
	count := 0
	for i--; i < j; {
		_, n := decodeUTF8(s[i:])
		if n == 0 {
			L.Push(Nil)
			L.Push(Int(i + 1))
			return 2
		}
		i += n
		count++
	}
	L.Push(Int(count))
	return 1
}

func utf8Offset(L *State) int {
	s := checkString(L, 1)
	n := checkInt(L, 2)
	def := 1
	if n <= 0 {
		def = len(s) + 1
	}
	i := strIndex(optInt(L, 3, def), len(s)) - 1
	if i < 0 || i > len(s) {
		argError(L, 3, "position out of range")
	}
	cont := func() bool { return i < len(s) && continuation(s[i]) }
	if n == 0 {
		for i > 0 && cont() {
			i--
		}
		L.Push(Int(i + 1))
		return 1
	}
	if cont() {
		raisef(L, "initial position is a continuation byte")
	}
	if n < 0 {
		for n < 0 && i > 0 {
			for i--; i > 0 && cont(); i-- {
				continue
			}
			n++
		}
	} else {
		for n--; n > 0 && i < len(s); n-- {
			for i++; cont(); i++ {
				continue
			}
		}
	}
	if n != 0 {
		L.Push(Nil)
		return 1
	}
	L.Push(Int(i + 1))
	return 1
}

func utf8Next(L *State) int {
	s := checkString(L, 1)
	i := checkInt(L, 2)
	if i < 0 || i > len(s) {
		return 0
	}
	if i > 0 { // skip the rest of the character before
		for ; i < len(s) && continuation(s[i]); i++ {
			continue
		}
	}
	if i >= len(s) {
		return 0
	}
	x, n := decodeUTF8(s[i:])
	if n == 0 || i+n < len(s) && continuation(s[i+n]) {
		raisef(L, "invalid UTF-8 code")
	}
	L.Push(Int(i + 1))
	L.Push(Int(int(x)))
	return 2
}
