package lua

import (
	"math"
	"math/bits"
)

// The library bit, as in LuaJIT's BitOp: operands are reduced to 32 bits
// (modulo 2^32, rounding fractions), results are signed 32-bit numbers. With a
// u64 among the operands of an operation all 64 bits count and the result is
// a u64; for shifts and rotations that is the first operand.

func openBit(L *State) *Table {
	shift := func(f32 func(x uint32, n uint) uint32, f64 func(x uint64, n uint) uint64) func(*State) int {
		return func(L *State) int {
			x, wide := bitOperand(L, 1)
			n64, _ := bitOperand(L, 2)
			n := uint(n64)
			if wide {
				L.Push(NewUint64(L, f64(x, n&63)))
			} else {
				pushBits(L, f32(uint32(x), n&31))
			}
			return 1
		}
	}
	fold := func(f func(a, b uint64) uint64) func(*State) int {
		return func(L *State) int {
			x, wide := bitOperand(L, 1)
			for i := 2; i <= L.GetTop(); i++ {
				y, w := bitOperand(L, i)
				wide = wide || w
				x = f(x, y)
			}
			return pushWide(L, x, wide)
		}
	}
	return functions(L, []function{
		{"tobit", func(L *State) int {
			x, _ := bitOperand(L, 1)
			pushBits(L, uint32(x))
			return 1
		}},
		{"bnot", func(L *State) int {
			x, wide := bitOperand(L, 1)
			return pushWide(L, ^x, wide)
		}},
		{"band", fold(func(a, b uint64) uint64 { return a & b })},
		{"bor", fold(func(a, b uint64) uint64 { return a | b })},
		{"bxor", fold(func(a, b uint64) uint64 { return a ^ b })},
		{"lshift", shift(
			func(x uint32, n uint) uint32 { return x << n },
			func(x uint64, n uint) uint64 { return x << n })},
		{"rshift", shift(
			func(x uint32, n uint) uint32 { return x >> n },
			func(x uint64, n uint) uint64 { return x >> n })},
		{"arshift", shift(
			func(x uint32, n uint) uint32 { return uint32(int32(x) >> n) },
			func(x uint64, n uint) uint64 { return uint64(int64(x) >> n) })},
		{"rol", shift(
			func(x uint32, n uint) uint32 { return bits.RotateLeft32(x, int(n)) },
			func(x uint64, n uint) uint64 { return bits.RotateLeft64(x, int(n)) })},
		{"ror", shift(
			func(x uint32, n uint) uint32 { return bits.RotateLeft32(x, -int(n)) },
			func(x uint64, n uint) uint64 { return bits.RotateLeft64(x, -int(n)) })},
		{"bswap", func(L *State) int {
			x, wide := bitOperand(L, 1)
			if wide {
				return pushWide(L, bits.ReverseBytes64(x), true)
			}
			return pushWide(L, uint64(bits.ReverseBytes32(uint32(x))), false)
		}},
		{"tohex", func(L *State) int {
			x, wide := bitOperand(L, 1)
			most := 8
			if wide {
				most = 16
			}
			n := most
			if L.Get(2) != Nil {
				m, _ := bitOperand(L, 2)
				n = int(int32(m))
			}
			L.Push(Str(hexDigits(x, n, most)))
			return 1
		}},
	})
}

func pushWide(L *State, x uint64, wide bool) int {
	if wide {
		L.Push(NewUint64(L, x))
	} else {
		pushBits(L, uint32(x))
	}
	return 1
}

func pushBits(L *State, x uint32) { L.Push(Int(int(int32(x)))) }

// bitOperand returns argument n, sign-extended to 64 bits, and whether it is
// a u64.
func bitOperand(L *State, n int) (x uint64, wide bool) {
	v := L.Get(n)
	if ud, ok := v.(*UserData); ok && isUint64(ud) {
		return uint64(ud.Value.(U64)), true
	}
	f, ok := v.(Number)
	if !ok {
		f = Number(checkNumber(L, n))
	}
	if i := int64(f); Number(i) == f && i > -1<<51 && i < 1<<51 {
		return uint64(i), false
	}
	r := math.RoundToEven(float64(f))
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return 0, false
	}
	if math.Abs(r) >= 0x1p63 {
		r = math.Mod(r, 0x1p64)
		if r < 0 {
			return -uint64(-r), false
		}
		return uint64(r), false
	}
	return uint64(int64(r)), false
}
