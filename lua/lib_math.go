package lua

import (
	"math"
	"math/rand/v2"
)

// openMath makes the library math. Its random numbers come from rng, the
// host's, until a script calls math.randomseed.
func openMath(L *State, rng *rand.Rand) *Table {
	one := func(f func(float64) float64) func(*State) int {
		return func(L *State) int {
			L.Push(Num(asC(f, checkNumber(L, 1))))
			return 1
		}
	}
	arc := func(f func(float64) float64) func(*State) int { // their NaN has the other sign
		return func(L *State) int {
			x := checkNumber(L, 1)
			r := f(x)
			if r != r && x == x {
				r = -defaultNaN
			}
			L.Push(Num(r))
			return 1
		}
	}
	two := func(f func(a, b float64) float64) func(*State) int {
		return func(L *State) int {
			a, b := checkNumber(L, 1), checkNumber(L, 2)
			r := f(a, b)
			if r != r {
				r = theNaN(a, b)
			}
			L.Push(Num(r))
			return 1
		}
	}
	extreme := func(better func(a, b float64) bool) func(*State) int {
		return func(L *State) int {
			best := checkNumber(L, 1)
			for i := 2; i <= L.GetTop(); i++ {
				if x := checkNumber(L, i); better(x, best) {
					best = x
				}
			}
			L.Push(Num(best))
			return 1
		}
	}
	lib := functions(L, []function{
		{"abs", mathAbs}, {"acos", arc(math.Acos)}, {"asin", arc(math.Asin)}, {"atan", one(math.Atan)},
		{"atan2", two(math.Atan2)}, {"ceil", mathCeil}, {"cos", one(math.Cos)}, {"cosh", one(math.Cosh)},
		{"deg", one(func(x float64) float64 { return x / (math.Pi / 180) })},
		{"exp", one(math.Exp)}, {"floor", mathFloor}, {"fmod", two(math.Mod)},
		{"frexp", mathFrexp}, {"ldexp", mathLdexp}, {"log", mathLog}, {"log10", one(math.Log10)},
		{"max", extreme(func(a, b float64) bool { return a > b })},
		{"min", extreme(func(a, b float64) bool { return a < b })},
		{"mod", two(math.Mod)}, {"modf", mathModf}, {"pow", two(math.Pow)},
		{"rad", one(func(x float64) float64 { return x * (math.Pi / 180) })},
		{"sin", one(math.Sin)}, {"sinh", one(math.Sinh)}, {"sqrt", one(math.Sqrt)}, {"tan", one(math.Tan)},
		{"tanh", one(math.Tanh)}, {"tointeger", mathTointeger}, {"type", mathType}, {"ult", mathUlt},
	})
	lib.RawSetString("pi", Number(math.Pi))
	lib.RawSetString("huge", Number(math.Inf(1)))
	lib.RawSetString("random", L.NewFunction(func(L *State) int { return mathRandom(L, rng) }))
	lib.RawSetString("randomseed", L.NewFunction(func(L *State) int {
		// A source of the script's own from here on: its numbers depend on
		// the seed alone, not on what else the host draws.
		rng = rand.New(rand.NewPCG(math.Float64bits(checkNumber(L, 1)), 0x6c7561))
		return 0
	}))
	return lib
}

func mathAbs(L *State) int {
	L.Push(Num(math.Abs(checkNumber(L, 1))))
	return 1
}

func mathFloor(L *State) int {
	L.Push(Num(math.Floor(checkNumber(L, 1))))
	return 1
}

func mathCeil(L *State) int {
	L.Push(Num(math.Ceil(checkNumber(L, 1))))
	return 1
}

// asC is f(x) with the NaN that C computes where Go returns another one.
func asC(f func(float64) float64, x float64) float64 {
	r := f(x)
	if r != r {
		return theNaN(x)
	}
	return r
}

// theNaN is the result of an operation on these operands that is NaN: the
// first operand that is one, or what x86 makes anew. C shows the difference
// in the sign it prints.
func theNaN(operands ...float64) float64 {
	for _, x := range operands {
		if x != x {
			return x
		}
	}
	return defaultNaN
}

// mathLog is log(x), and Lua 5.2's log(x, base).
func mathLog(L *State) int {
	x := checkNumber(L, 1)
	r := 0.0
	if L.Get(2) == Nil {
		r = asC(math.Log, x)
	} else {
		switch base := checkNumber(L, 2); base {
		case 2:
			r = asC(math.Log2, x)
		case 10:
			r = asC(math.Log10, x)
		default:
			r = asC(math.Log, x) / asC(math.Log, base)
		}
	}
	L.Push(Num(r))
	return 1
}

func mathFrexp(L *State) int {
	m, e := math.Frexp(checkNumber(L, 1))
	L.Push(Num(m))
	L.Push(Int(e))
	return 2
}

func mathLdexp(L *State) int {
	L.Push(Num(math.Ldexp(checkNumber(L, 1), max(min(checkInt(L, 2), 5000), -5000))))
	return 1
}

func mathModf(L *State) int {
	x := checkNumber(L, 1)
	if math.IsInf(x, 0) {
		L.Push(Num(x))
		L.Push(Num(math.Copysign(0, x)))
		return 2
	}
	whole := math.Trunc(x)
	L.Push(Num(whole))
	L.Push(Num(math.Copysign(x-whole, x)))
	return 2
}

// mathRandom is random(), random(m) and random(m, n).
func mathRandom(L *State, rng *rand.Rand) int {
	lo, hi := 1.0, 0.0
	switch L.GetTop() {
	case 0:
		L.Push(Number(rng.Float64()))
		return 1
	case 1:
		hi = float64(truncate(checkNumber(L, 1)))
		if hi < 1 {
			argError(L, 1, "interval is empty")
		}
	case 2:
		lo, hi = float64(truncate(checkNumber(L, 1))), float64(truncate(checkNumber(L, 2)))
		if lo > hi {
			argError(L, 2, "interval is empty")
		}
	default:
		raisef(L, "wrong number of arguments")
	}
	if hi-lo < exactInteger {
		L.Push(Num(lo + float64(rng.Uint64N(uint64(hi-lo)+1))))
	} else {
		L.Push(Num(lo + math.Floor(rng.Float64()*(hi-lo))))
	}
	return 1
}

// The functions of later Luas with integers. Here a number that has no
// fraction and that 64 bits hold is an integer, and so is a u64.

// mathTointeger is the argument if it is an integer, else nil.
func mathTointeger(L *State) int {
	v := checkAny(L, 1)
	if s, ok := v.(String); ok {
		if f, ok := ParseNumber(string(s)); ok {
			v = Num(f)
		}
	}
	if !isInteger(v) {
		v = Nil
	}
	L.Push(v)
	return 1
}

func isInteger(v Value) bool {
	switch v := v.(type) {
	case Number:
		f := float64(v)
		return f == math.Trunc(f) && f >= -0x1p63 && f < 0x1p64
	case *UserData:
		return isUint64(v)
	}
	return false
}

// mathType is "integer" or "float" by the value, and nil for what is no number.
func mathType(L *State) int {
	v := checkAny(L, 1)
	_, number := v.(Number)
	switch {
	case isInteger(v):
		L.Push(String("integer"))
	case number:
		L.Push(String("float"))
	default:
		L.Push(Nil)
	}
	return 1
}

// mathUlt compares integers as unsigned ones; negative ones are the largest.
func mathUlt(L *State) int {
	var u [2]uint64
	for i := range u {
		var err error
		if u[i], _, err = integer64(checkAny(L, i+1)); err != nil {
			argError(L, i+1, "%s", err)
		}
	}
	L.Push(Bool(u[0] < u[1]))
	return 1
}
