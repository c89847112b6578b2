package lua

import (
	"math"
	"strconv"
	"strings"
)

// formatSpec is one % item of a format.
type formatSpec struct {
	minus, plus, space, hash, zero bool
	width                          int
	prec                           int // -1: not given
}

// stringFormat is C's printf over Lua values. %d, %u, %x and their kin also
// take u64 values with all their bits.
func stringFormat(L *State) int {
	format := checkString(L, 1)
	var buf [128]byte
	out := buf[:0]
	arg := 1
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			out = append(out, format...)
			break
		}
		out = append(out, format[:i]...)
		format = format[i+1:]
		var c byte
		if format != "" {
			c = format[0]
		}
		if c == '%' {
			out = append(out, '%')
			format = format[1:]
			continue
		}
		arg++
		// The bare items, which are nearly all there are.
		switch c {
		case 'd', 'i':
			if n, ok := L.Get(arg).(Number); ok {
				out = strconv.AppendInt(out, truncate(float64(n)), 10)
				format = format[1:]
				continue
			}
		case 's':
			if s, ok := L.Get(arg).(String); ok {
				out = append(out, s...)
				format = format[1:]
				checkSize(L, len(out))
				continue
			}
		case 'x':
			if n, ok := L.Get(arg).(Number); ok {
				out = strconv.AppendUint(out, truncateUnsigned(float64(n)), 16)
				format = format[1:]
				continue
			}
		}
		if arg > L.GetTop() {
			argError(L, arg, "no value")
		}
		f, n := parseSpec(L, format)
		if n == len(format) {
			raisef(L, "invalid option '%%' to 'format'")
		}
		c = format[n]
		format = format[n+1:]
		out = f.append(L, out, c, arg)
		checkSize(L, len(out))
	}
	L.Push(bytesValue(out))
	return 1
}

// parseSpec reads flags, width and precision and returns how long they are.
func parseSpec(L *State, s string) (formatSpec, int) {
	f := formatSpec{prec: -1}
	i := 0
flags:
	for ; i < len(s); i++ {
		switch s[i] {
		case '-':
			f.minus = true
		case '+':
			f.plus = true
		case ' ':
			f.space = true
		case '#':
			f.hash = true
		case '0':
			f.zero = true
		default:
			break flags
		}
	}
	if i > 5 {
		raisef(L, "invalid format (repeated flags)")
	}
	number := func() (n int) {
		for digits := 0; digits < 2 && i < len(s) && s[i]-'0' <= 9; digits++ {
			n = n*10 + int(s[i]-'0')
			i++
		}
		return n
	}
	f.width = number()
	if i < len(s) && s[i] == '.' {
		i++
		f.prec = number()
	}
	if i < len(s) && s[i]-'0' <= 9 {
		raisef(L, "invalid format (width or precision too long)")
	}
	return f, i
}

// append appends argument arg as the conversion c says.
func (f *formatSpec) append(L *State, out []byte, c byte, arg int) []byte {
	switch c {
	case 'd', 'i':
		var n int64
		if u, ok := L.Get(arg).(*UserData); ok && isUint64(u) {
			n = int64(u.Value.(U64))
			if n < 0 { // an unsigned value is not negative
				return f.integer(out, false, uint64(n), 10, "", true)
			}
		} else {
			n = truncate(checkNumber(L, arg))
		}
		if n < 0 {
			return f.integer(out, true, -uint64(n), 10, "", true)
		}
		return f.integer(out, false, uint64(n), 10, "", true)
	case 'u':
		return f.integer(out, false, formatUnsigned(L, arg), 10, "", false)
	case 'o':
		return f.integer(out, false, formatUnsigned(L, arg), 8, "0", false)
	case 'x':
		return f.integer(out, false, formatUnsigned(L, arg), 16, "0x", false)
	case 'X':
		return f.integer(out, false, formatUnsigned(L, arg), 16, "0X", false)
	case 'c':
		return f.pad(out, string([]byte{byte(checkInt(L, arg))}))
	case 'e', 'E', 'f', 'g', 'G', 'a', 'A':
		return f.float(out, checkNumber(L, arg), c)
	case 'q':
		return quoteLua(out, checkString(L, arg))
	case 's':
		s := ToString(L, L.Get(arg))
		if f.prec >= 0 && f.prec < len(s) {
			s = s[:f.prec]
		}
		return f.pad(out, s)
	}
	raisef(L, "invalid option '%%%c' to 'format'", c)
	return out
}

func formatUnsigned(L *State, arg int) uint64 {
	if u, ok := L.Get(arg).(*UserData); ok && isUint64(u) {
		return uint64(u.Value.(U64))
	}
	return truncateUnsigned(checkNumber(L, arg))
}

// pad appends s, with blanks up to the width.
func (f *formatSpec) pad(out []byte, s string) []byte {
	blanks := f.width - len(s)
	if !f.minus {
		out = repeat(out, ' ', blanks)
	}
	out = append(out, s...)
	if f.minus {
		out = repeat(out, ' ', blanks)
	}
	return out
}

func repeat(out []byte, c byte, n int) []byte {
	for ; n > 0; n-- {
		out = append(out, c)
	}
	return out
}

// integer appends u, or -u if neg.
func (f *formatSpec) integer(out []byte, neg bool, u uint64, base int, prefix string, signed bool) []byte {
	var buf [72]byte
	digits := strconv.AppendUint(buf[:0], u, base)
	if prefix == "0X" {
		for i, c := range digits {
			if c >= 'a' {
				digits[i] = c - 0x20
			}
		}
	}
	if u == 0 && f.prec == 0 {
		digits = nil
	}
	zeros := f.prec - len(digits)
	switch {
	case !f.hash:
		prefix = ""
	case base == 8:
		prefix = ""
		if zeros <= 0 && (len(digits) == 0 || digits[0] != '0') {
			zeros = 1
		}
	case u == 0:
		prefix = ""
	}
	if signed {
		prefix = f.sign(neg)
	}
	zeros = max(zeros, 0)
	if f.zero && !f.minus && f.prec < 0 {
		zeros = max(zeros, f.width-len(prefix)-len(digits))
	}
	blanks := f.width - len(prefix) - zeros - len(digits)
	if !f.minus {
		out = repeat(out, ' ', blanks)
	}
	out = append(out, prefix...)
	out = repeat(out, '0', zeros)
	out = append(out, digits...)
	if f.minus {
		out = repeat(out, ' ', blanks)
	}
	return out
}

func (f *formatSpec) sign(neg bool) string {
	switch {
	case neg:
		return "-"
	case f.plus:
		return "+"
	case f.space:
		return " "
	}
	return ""
}

// float appends v by one of e f g a, or their capitals.
func (f *formatSpec) float(out []byte, v float64, c byte) []byte {
	upper := c < 'a'
	sign := f.sign(math.Signbit(v))
	var buf [512]byte
	if name := notFinite(v); name != "" {
		text := sign + strings.TrimPrefix(name, "-")
		if upper {
			text = strings.ToUpper(text)
		}
		return f.pad(out, text)
	}
	v = math.Abs(v)
	prec := f.prec
	if prec < 0 && c|0x20 != 'a' {
		prec = 6
	}
	prefix := ""
	var text []byte
	switch c | 0x20 {
	case 'e', 'f':
		text = strconv.AppendFloat(buf[:0], v, c|0x20, prec, 64)
	case 'g':
		prec = max(prec, 1)
		if f.hash {
			text = alternateGeneral(buf[:0], v, prec)
		} else {
			text = strconv.AppendFloat(buf[:0], v, 'g', prec, 64)
		}
	case 'a':
		prefix = "0x"
		text = hexFloat(buf[:0], v, prec)
	}
	if f.hash && strings.IndexByte(string(text), '.') < 0 {
		i := 0
		for i < len(text) && text[i] != 'e' && text[i] != 'p' {
			i++
		}
		text = append(text[:i], append([]byte{'.'}, text[i:]...)...)
	}
	if upper {
		for i, b := range text {
			if b >= 'a' && b <= 'z' {
				text[i] = b - 0x20
			}
		}
		prefix = strings.ToUpper(prefix)
	}
	prefix = sign + prefix
	fill := f.width - len(prefix) - len(text)
	if !f.minus && !f.zero {
		out = repeat(out, ' ', fill)
	}
	out = append(out, prefix...)
	if !f.minus && f.zero {
		out = repeat(out, '0', fill)
	}
	out = append(out, text...)
	if f.minus {
		out = repeat(out, ' ', fill)
	}
	return out
}

// alternateGeneral is %#g: %g that keeps trailing zeros.
func alternateGeneral(b []byte, v float64, prec int) []byte {
	e := strconv.FormatFloat(v, 'e', prec-1, 64)
	exp, _ := strconv.Atoi(e[strings.IndexByte(e, 'e')+1:])
	if exp < -4 || exp >= prec {
		return append(b, e...)
	}
	return strconv.AppendFloat(b, v, 'f', prec-1-exp, 64)
}

// hexFloat is %a without its 0x, with as many digits of the exponent as it needs.
func hexFloat(b []byte, v float64, prec int) []byte {
	b = strconv.AppendFloat(b, v, 'x', prec, 64)[2:]
	if n := len(b); b[n-2] == '0' && (b[n-3] == '+' || b[n-3] == '-') {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}
