package lua

import (
	"math"
	"strconv"
	"strings"
)

// Numbers and text, as C's printf("%.14g") and strtod do it for Lua 5.1.

// defaultNaN is what x86 computes for 0/0 and sqrt(-1). C prints it "-nan",
// and so does lua5.1 on Linux.
var defaultNaN = math.Float64frombits(0xFFF8000000000000)

// FormatNumber returns what tostring, print and .. make of f.
func FormatNumber(f float64) string {
	if i := int64(f); float64(i) == f && i > -1e14 && i < 1e14 && (i != 0 || !math.Signbit(f)) {
		return strconv.FormatInt(i, 10)
	}
	var buf [32]byte
	return string(appendNumber(buf[:0], f))
}

// appendNumber appends what FormatNumber returns.
func appendNumber(b []byte, f float64) []byte {
	if i := int64(f); float64(i) == f && i > -1e14 && i < 1e14 && (i != 0 || !math.Signbit(f)) {
		return strconv.AppendInt(b, i, 10)
	}
	if s := notFinite(f); s != "" {
		return append(b, s...)
	}
	return strconv.AppendFloat(b, f, 'g', 14, 64)
}

// notFinite is the name of an infinity or NaN, and "" for any other number.
func notFinite(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f != f && math.Signbit(f):
		return "-nan"
	case f != f:
		return "nan"
	}
	return ""
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func trimSpace(s string) string {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// ParseNumber reads a number as tonumber does: blanks around it, a sign,
// decimal (leading zeros mean nothing) or hexadecimal with an optional
// fraction and exponent, "inf" and "nan". It reports whether all of s is one.
func ParseNumber(s string) (float64, bool) {
	s = trimSpace(s)
	digits := s
	neg := false
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		neg = digits[0] == '-'
		digits = digits[1:]
	}
	if digits == "" {
		return 0, false
	}
	if len(digits) <= 15 { // plain digits, exact without help
		n, i := uint64(0), 0
		for i < len(digits) && digits[i]-'0' <= 9 {
			n = n*10 + uint64(digits[i]-'0')
			i++
		}
		if i == len(digits) {
			if neg {
				return -float64(n), true
			}
			return float64(n), true
		}
	}
	var f float64
	var ok bool
	switch {
	case len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x':
		f, ok = parseHex(digits)
	case digits[0] == '.' || digits[0]-'0' <= 9:
		f, ok = parseDecimal(digits)
	default:
		f, ok = parseNamed(digits)
	}
	if neg {
		f = -f
	}
	return f, ok
}

func parseDecimal(s string) (float64, bool) {
	i, n := 0, 0
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		n++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && s[i]-'0' <= 9; i++ {
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		var ok bool
		if i, ok = exponent(s, i); !ok {
			return 0, false
		}
	}
	if i != len(s) {
		return 0, false
	}
	f, _ := strconv.ParseFloat(s, 64) // the syntax is checked; out of range is an infinity, as in C
	return f, true
}

func parseHex(s string) (float64, bool) {
	isHex := func(c byte) bool { return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'f' }
	i, n := 2, 0
	for ; i < len(s) && isHex(s[i]); i++ {
		n++
	}
	if i == len(s) && n <= 15 && n > 0 {
		u, err := strconv.ParseUint(s[2:], 16, 64)
		return float64(u), err == nil
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && isHex(s[i]); i++ {
			n++
		}
	}
	if n == 0 {
		return 0, false
	}
	if i == len(s) {
		s += "p0"
	} else if s[i]|0x20 == 'p' {
		var ok bool
		if i, ok = exponent(s, i); !ok || i != len(s) {
			return 0, false
		}
	} else {
		return 0, false
	}
	f, _ := strconv.ParseFloat(s, 64)
	return f, true
}

// exponent skips the letter at s[i], a sign and digits.
func exponent(s string, i int) (int, bool) {
	i++
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	start := i
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i, i > start
}

func parseNamed(s string) (float64, bool) {
	switch {
	case strings.EqualFold(s, "inf"), strings.EqualFold(s, "infinity"):
		return math.Inf(1), true
	case strings.EqualFold(s, "nan"):
		return math.Abs(defaultNaN), true
	}
	return 0, false
}

// parseBase reads an integer in another base than ten. Unlike 5.1, whose
// strtoul wraps a minus sign to 2^64-n, it returns the negative number.
func parseBase(s string, base int) (float64, bool) {
	s = trimSpace(s)
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if base == 16 && len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		s = s[2:]
	}
	if s == "" {
		return 0, false
	}
	exact, f := uint64(0), 0.0
	for i := range len(s) {
		d := 99
		switch c := s[i]; {
		case c-'0' <= 9:
			d = int(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			d = int(c|0x20-'a') + 10
		}
		if d >= base {
			return 0, false
		}
		if exact < 1<<58 {
			exact = exact*uint64(base) + uint64(d)
			f = float64(exact)
		} else {
			exact = math.MaxUint64
			f = f*float64(base) + float64(d)
		}
	}
	if neg {
		f = -f
	}
	return f, true
}

// truncate is C's cast from double to a 64-bit integer on x86: what does not
// fit becomes the smallest one.
func truncate(f float64) int64 {
	if f >= -0x1p63 && f < 0x1p63 {
		return int64(f)
	}
	return math.MinInt64
}

// truncateUnsigned is the cast to an unsigned one: negative numbers are taken
// as two's complement.
func truncateUnsigned(f float64) uint64 {
	if f >= 0x1p63 && f < 0x1p64 {
		return uint64(f)
	}
	if f >= 0x1p64 {
		return 0
	}
	return uint64(truncate(f))
}
