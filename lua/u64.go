package lua

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	gopher "github.com/yuin/gopher-lua"
)

// U64 is an unsigned integer of 64 bits in Lua: a userdata with arithmetic
// modulo 2^64. Lua's own numbers hold 53 bits exactly.
//
// Arithmetic and .. mix it with numbers and with strings that u64() reads; a
// number that is no integer from -2^63 to 2^64 is an error, and a negative one
// counts as its two's complement. Division is the unsigned integer division.
// Comparison has Lua 5.1's limit: == is false and < is an error between a u64
// and a number, so compare with u:eq(5), u:lt(5), u:le(5) or u64(5).
type U64 uint64

// exactInteger is the largest n for which all integers up to n are Lua numbers.
const exactInteger = 1 << 53

// u64Key is where the registry keeps the metatable of u64 values.
const u64Key = "pktsh.u64"

func u64Metatable(L *State) *Table {
	reg := L.Get(gopher.RegistryIndex).(*Table)
	if mt, ok := reg.RawGetString(u64Key).(*Table); ok {
		return mt
	}
	mt := L.CreateTable(0, 16)
	mt.RawSetString("__name", String("u64"))
	reg.RawSetString(u64Key, mt)
	fillUint64(L, mt)
	return mt
}

func isUint64(ud *UserData) bool { _, ok := ud.Value.(U64); return ok }

// NewUint64 returns u as a u64 value, whatever its size.
func NewUint64(L *State, u uint64) *UserData {
	return &UserData{Value: U64(u), Env: L.Env, Metatable: u64Metatable(L)}
}

// PushUint64 pushes u as a number where that is exact, else as a u64.
func PushUint64(L *State, u uint64) {
	L.Push(Uint64Value(L, u))
}

// Uint64Value is the value that PushUint64 pushes.
func Uint64Value(L *State, u uint64) Value {
	if u <= exactInteger {
		return Num(float64(u))
	}
	return NewUint64(L, u)
}

// CheckUint64 returns argument n, an integer from 0 to 2^64-1 in any of the
// forms that ToUint64 takes.
func CheckUint64(L *State, n int) uint64 {
	v := L.Get(n)
	if v == Nil {
		typeError(L, n, "integer")
	}
	u, err := ToUint64(v)
	if err != nil {
		argError(L, n, "%s", err)
	}
	return u
}

// ToUint64 converts a number, a u64 or a string ("123", "0xff") that is an
// integer from 0 to 2^64-1.
func ToUint64(v Value) (uint64, error) {
	u, neg, err := integer64(v)
	if err == nil && neg {
		err = fmt.Errorf("%s is negative", v)
	}
	return u, err
}

// integer64 converts to 64 bits; negative integers to two's complement.
func integer64(v Value) (u uint64, neg bool, err error) {
	switch v := v.(type) {
	case Number:
		f := float64(v)
		switch {
		case f != math.Trunc(f) || f != f || math.IsInf(f, 0):
			return 0, false, fmt.Errorf("%s is not an integer", FormatNumber(f))
		case f >= 0x1p64 || f < -0x1p63:
			return 0, false, fmt.Errorf("%s does not fit 64 bits", FormatNumber(f))
		case f < 0:
			return uint64(int64(f)), true, nil
		}
		return uint64(f), false, nil
	case *UserData:
		if u, ok := v.Value.(U64); ok {
			return uint64(u), false, nil
		}
	case String:
		s := trimSpace(string(v))
		digits, minus := strings.CutPrefix(s, "-")
		base := 10
		if len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x' {
			digits, base = digits[2:], 16
		}
		u, err := strconv.ParseUint(digits, base, 64)
		if err != nil {
			if e, ok := err.(*strconv.NumError); ok && e.Err == strconv.ErrRange {
				return 0, false, fmt.Errorf("%q does not fit 64 bits", s)
			}
			return 0, false, fmt.Errorf("%q is not an integer", s)
		}
		if minus {
			if u > 1<<63 {
				return 0, false, fmt.Errorf("%q does not fit 64 bits", s)
			}
			return -u, u != 0, nil
		}
		return u, false, nil
	}
	return 0, false, fmt.Errorf("want an integer, got %s", valueName(v))
}

func valueName(v Value) string {
	if ud, ok := v.(*UserData); ok {
		if mt, ok := ud.Metatable.(*Table); ok {
			if s, ok := mt.RawGetString("__name").(String); ok {
				return string(s)
			}
		}
	}
	return v.Type().String()
}

// openUint64 returns the constructor u64(x).
func openUint64(L *State) *Function {
	return L.NewFunction(func(L *State) int {
		checkAny(L, 1)
		u, _, err := integer64(L.Get(1))
		if err != nil {
			argError(L, 1, "%s", err)
		}
		L.Push(NewUint64(L, u))
		return 1
	})
}

func fillUint64(L *State, mt *Table) {
	// An operand of arithmetic, which has no argument number.
	operand := func(L *State, n int) uint64 {
		u, _, err := integer64(L.Get(n))
		if err != nil {
			raisef(L, "u64 arithmetic: %s", err)
		}
		return u
	}
	binary := func(f func(L *State, a, b uint64) uint64) func(*State) int {
		return func(L *State) int {
			u := f(L, operand(L, 1), operand(L, 2))
			L.Push(&UserData{Value: U64(u), Env: L.Env, Metatable: mt})
			return 1
		}
	}
	compare := func(f func(a, b uint64) bool) func(*State) int {
		return func(L *State) int {
			a, b := self(L), uint64(0)
			v := L.Get(2)
			if ud, ok := v.(*UserData); ok && isUint64(ud) {
				b = uint64(ud.Value.(U64))
			} else {
				b = CheckUint64(L, 2)
			}
			L.Push(Bool(f(a, b)))
			return 1
		}
	}
	divisor := func(L *State, b uint64) uint64 {
		if b == 0 {
			raisef(L, "u64 arithmetic: division by zero")
		}
		return b
	}
	less := compare(func(a, b uint64) bool { return a < b })
	lessEqual := compare(func(a, b uint64) bool { return a <= b })
	equal := compare(func(a, b uint64) bool { return a == b })
	for _, f := range []function{
		{"__add", binary(func(_ *State, a, b uint64) uint64 { return a + b })},
		{"__sub", binary(func(_ *State, a, b uint64) uint64 { return a - b })},
		{"__mul", binary(func(_ *State, a, b uint64) uint64 { return a * b })},
		{"__div", binary(func(L *State, a, b uint64) uint64 { return a / divisor(L, b) })},
		{"__mod", binary(func(L *State, a, b uint64) uint64 { return a % divisor(L, b) })},
		{"__pow", binary(func(_ *State, a, b uint64) uint64 {
			r := uint64(1)
			for ; b != 0; b >>= 1 {
				if b&1 != 0 {
					r *= a
				}
				a *= a
			}
			return r
		})},
		{"__unm", func(L *State) int {
			L.Push(NewUint64(L, -operand(L, 1)))
			return 1
		}},
		{"__lt", less}, {"__le", lessEqual}, {"__eq", equal},
		{"__tostring", func(L *State) int {
			L.Push(String(strconv.FormatUint(self(L), 10)))
			return 1
		}},
		{"__concat", func(L *State) int {
			var b []byte
			for i := 1; i <= 2; i++ {
				switch v := L.Get(i).(type) {
				case String, Number:
					b = appendText(b, v)
				case *UserData:
					b = append(b, ToString(L, v)...)
				default:
					raisef(L, "attempt to concatenate a %s value", v.Type())
				}
			}
			checkSize(L, len(b))
			L.Push(bytesValue(b))
			return 1
		}},
	} {
		mt.RawSetString(f.name, L.NewFunction(f.fn))
	}
	mt.RawSetString("__index", functions(L, []function{
		{"eq", equal}, {"lt", less}, {"le", lessEqual},
		{"hi", func(L *State) int { L.Push(Num(float64(self(L) >> 32))); return 1 }},
		{"lo", func(L *State) int { L.Push(Num(float64(uint32(self(L))))); return 1 }},
		{"tonumber", func(L *State) int {
			u := self(L)
			f := float64(u)
			if f >= 0x1p64 || uint64(f) != u {
				raisef(L, "%d is not exact as a number", u)
			}
			L.Push(Num(f))
			return 1
		}},
		{"tohex", func(L *State) int {
			L.Push(String(hexDigits(self(L), optInt(L, 2, 16), 16)))
			return 1
		}},
	}))
}

// self is the u64 that a method was called on.
func self(L *State) uint64 {
	if ud, ok := L.Get(1).(*UserData); ok {
		if u, ok := ud.Value.(U64); ok {
			return uint64(u)
		}
	}
	typeError(L, 1, "u64")
	return 0
}

// hexDigits is the last n hexadecimal digits of u, in capitals if n is negative.
func hexDigits(u uint64, n, most int) string {
	digits := "0123456789abcdef"
	if n < 0 {
		n, digits = -n, "0123456789ABCDEF"
		if n < 0 {
			n = most
		}
	}
	n = min(n, most)
	b := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		b[i] = digits[u&15]
		u >>= 4
	}
	return string(b)
}
