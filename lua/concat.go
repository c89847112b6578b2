package lua

import "strings"

// gopher-lua's concatenation writes 0.1 .. "" as Go prints floats (17 digits,
// "+Inf"), has no limit and words its errors its own way, and cannot be
// changed from outside. So the compiler makes a call of this function of
// a .. b .. c. It stands among the constants of the compiled code: it has no
// name that a script could see or replace, and loading it costs no lookup.
var concatFunction = &Function{IsG: true, GFunction: opConcat}

// opConcat is a .. b .. c.
func opConcat(L *State) int {
	n := L.GetTop()
	if n == 2 {
		a, ok1 := L.Get(1).(String)
		b, ok2 := L.Get(2).(String)
		if ok1 && ok2 {
			switch {
			case a == "":
				L.Push(L.Get(2))
			case b == "":
				L.Push(L.Get(1))
			default:
				checkSize(L, len(a)+len(b))
				L.Push(a + b)
			}
			return 1
		}
	}
	// From the right: join what is text up to an operand that is not, and
	// hand that one and the join to a metamethod.
	right := L.Get(n)
	for i := n - 1; i >= 1; {
		left := L.Get(i)
		if !isText(left) || !isText(right) {
			right = concatMeta(L, i, right)
			i--
			continue
		}
		first := i
		for first > 1 && isText(L.Get(first-1)) {
			first--
		}
		right = joinText(L, first, i, right)
		i = first - 1
	}
	L.Push(right)
	return 1
}

func isText(v Value) bool {
	switch v.(type) {
	case String, Number:
		return true
	}
	return false
}

// joinText joins arguments first to last and the text after them.
func joinText(L *State, first, last int, after Value) Value {
	const longestNumber = 24
	size := operandSize(after, longestNumber)
	for i := first; i <= last; i++ {
		size += operandSize(L.Get(i), longestNumber)
	}
	var buf [160]byte // a short text is put together on the stack
	if size <= len(buf) {
		b := buf[:0]
		for i := first; i <= last; i++ {
			b = appendText(b, L.Get(i))
		}
		return Str(string(appendText(b, after)))
	}
	checkSize(L, size)
	var b strings.Builder
	b.Grow(size)
	write := func(v Value) {
		switch v := v.(type) {
		case String:
			b.WriteString(string(v))
		case Number:
			b.Write(appendNumber(buf[:0], float64(v)))
		}
	}
	for i := first; i <= last; i++ {
		write(L.Get(i))
	}
	write(after)
	return Str(b.String())
}

func operandSize(v Value, number int) int {
	if s, ok := v.(String); ok {
		return len(s)
	}
	return number
}

// concatMeta joins operand i and what stands to the right of it.
func concatMeta(L *State, i int, right Value) Value {
	left := L.Get(i)
	op := L.GetMetaField(left, "__concat")
	if op == Nil {
		op = L.GetMetaField(right, "__concat")
	}
	if op == Nil {
		bad, name := left, ""
		switch {
		case !isText(left):
			name = culprit(L, i)
		case right == L.Get(i+1): // and not the result of a metamethod
			bad, name = right, culprit(L, i+1)
		default:
			bad = right
		}
		raisef(L, "attempt to concatenate a %s value%s", bad.Type(), name)
	}
	return call1(L, op, left, right)
}

// call1 calls f and returns its first result.
func call1(L *State, f Value, args ...Value) Value {
	L.Push(f)
	for _, a := range args {
		L.Push(a)
	}
	L.Call(len(args), 1)
	v := L.Get(-1)
	L.Pop(1)
	return v
}
