package lua

import (
	"math"
	"slices"
	"strings"

	gopher "github.com/yuin/gopher-lua"
)

func init() {
	// An assignment far beyond the end, t[50000000] = 1, makes gopher-lua fill
	// the array with nil up to there. Above this index keys are hashed. The
	// price is that # and list functions count no further, so table.insert
	// refuses longer lists.
	gopher.MaxArrayIndex = 1 << 22
}

func openTable(L *State) *Table {
	return functions(L, []function{
		{"concat", tableConcat}, {"foreach", tableForeach}, {"foreachi", tableForeachi}, {"getn", tableGetn},
		{"insert", tableInsert}, {"maxn", tableMaxn}, {"move", tableMove}, {"pack", tablePack},
		{"remove", tableRemove}, {"setn", tableSetn}, {"sort", tableSort}, {"unpack", tableUnpack},
	})
}

// setInt is t[i] = v without metamethods.
func setInt(t *Table, i int, v Value) {
	if i > 0 && i < gopher.MaxArrayIndex {
		t.RawSetInt(i, v)
	} else {
		t.RawSet(Number(i), v)
	}
}

// interruptible calls poll now and then in a loop with counter n.
func interruptible(L *State, n int) {
	if n&0xfff == 0xfff {
		poll(L)
	}
}

func tableConcat(L *State) int {
	sep := optString(L, 2, "")
	t := checkTable(L, 1)
	first := optInt(L, 3, 1)
	last := 0
	if L.Get(4) == Nil {
		last = t.Len()
	} else {
		last = checkInt(L, 4)
	}
	if first > last {
		L.Push(emptyString)
		return 1
	}
	// First the size, so that a bomb is an error before it takes memory.
	var buf [32]byte
	size := 0
	for i := first; ; i++ {
		switch v := rawGetInt(t, i).(type) {
		case String:
			size += len(v)
		case Number:
			size += len(appendNumber(buf[:0], float64(v)))
		default:
			raisef(L, "invalid value (%s) at index %d in table for 'concat'", v.Type(), i)
		}
		if i == last {
			break
		}
		if size += len(sep); size > maxString {
			raiseTooLarge(L)
		}
		interruptible(L, i)
	}
	checkSize(L, size)
	var b strings.Builder
	b.Grow(size)
	for i := first; ; i++ {
		switch v := rawGetInt(t, i).(type) {
		case String:
			b.WriteString(string(v))
		case Number:
			b.Write(appendNumber(buf[:0], float64(v)))
		}
		if i == last {
			break
		}
		b.WriteString(sep)
	}
	L.Push(Str(b.String()))
	return 1
}

func tableForeach(L *State) int {
	t := checkTable(L, 1)
	f := checkFunction(L, 2)
	for k, v := t.Next(Nil); k != Nil; k, v = t.Next(k) {
		if r := call1(L, f, k, v); r != Nil {
			L.Push(r)
			return 1
		}
	}
	return 0
}

func tableForeachi(L *State) int {
	t := checkTable(L, 1)
	f := checkFunction(L, 2)
	n := t.Len()
	for i := 1; i <= n; i++ {
		if r := call1(L, f, Int(i), rawGetInt(t, i)); r != Nil {
			L.Push(r)
			return 1
		}
	}
	return 0
}

func tableGetn(L *State) int {
	L.Push(Int(checkTable(L, 1).Len()))
	return 1
}

func tableSetn(L *State) int {
	checkTable(L, 1)
	raisef(L, "'setn' is obsolete")
	return 0
}

// tableMaxn is the largest number among the keys.
func tableMaxn(L *State) int {
	t := checkTable(L, 1)
	most := 0.0
	for k, _ := t.Next(Nil); k != Nil; k, _ = t.Next(k) {
		if n, ok := k.(Number); ok && float64(n) > most {
			most = float64(n)
		}
	}
	L.Push(Num(most))
	return 1
}

func tableInsert(L *State) int {
	t := checkTable(L, 1)
	end := t.Len() + 1
	if end >= gopher.MaxArrayIndex {
		raisef(L, "table has too many elements (%d)", end-1)
	}
	switch L.GetTop() {
	case 2:
		setInt(t, end, L.Get(2))
	case 3:
		at := checkInt(L, 2)
		v := L.Get(3)
		switch {
		case at >= end:
			setInt(t, at, v)
		case at >= 1:
			// Drop the free slots behind the last element, which Insert would
			// move along and add one to each time; then the last element is
			// dropped, too, and goes back.
			last := t.RawGetInt(end - 1)
			for t.Remove(0) == Nil {
				continue
			}
			t.RawSetInt(end-1, last)
			t.Insert(at, v)
		default:
			for i := end; i > at; i-- {
				setInt(t, i, rawGetInt(t, i-1))
				interruptible(L, i)
			}
			setInt(t, at, v)
		}
	default:
		raisef(L, "wrong number of arguments to 'insert'")
	}
	return 0
}

func tableRemove(L *State) int {
	t := checkTable(L, 1)
	n := t.Len()
	at := optInt(L, 2, n)
	if at < 1 || at > n {
		return 0
	}
	L.Push(t.Remove(at))
	return 1
}

// tableMove is Lua 5.3's move(from, first, last, at[, to]).
func tableMove(L *State) int {
	from := checkTable(L, 1)
	first, last, at := checkInt(L, 2), checkInt(L, 3), checkInt(L, 4)
	to := from
	if L.Get(5) != Nil {
		to = checkTable(L, 5)
	}
	if first <= last {
		if first <= 0 && last >= math.MaxInt+first {
			argError(L, 3, "too many elements to move")
		}
		n := last - first + 1
		if at > math.MaxInt-n+1 {
			argError(L, 4, "destination wrap around")
		}
		get := func(i int) Value { return rawGetInt(from, i) }
		if from.Metatable != Nil {
			get = func(i int) Value { return L.GetTable(from, Int(i)) }
		}
		set := func(i int, v Value) { setInt(to, i, v) }
		if to.Metatable != Nil {
			set = func(i int, v Value) { L.SetTable(to, Int(i), v) }
		}
		if at > last || at <= first || to != from {
			for i := range n {
				set(at+i, get(first+i))
				interruptible(L, i)
			}
		} else {
			for i := n - 1; i >= 0; i-- {
				set(at+i, get(first+i))
				interruptible(L, i)
			}
		}
	}
	L.Push(to)
	return 1
}

func tablePack(L *State) int {
	n := L.GetTop()
	t := L.CreateTable(n, 1)
	for i := 1; i <= n; i++ {
		t.RawSetInt(i, L.Get(i))
	}
	t.RawSetString("n", Int(n))
	L.Push(t)
	return 1
}

func tableUnpack(L *State) int {
	t := checkTable(L, 1)
	i := optInt(L, 2, 1)
	j := 0
	if L.Get(3) == Nil {
		j = t.Len()
	} else {
		j = checkInt(L, 3)
	}
	if i > j {
		return 0
	}
	if n := uint(j) - uint(i); n >= maxResults {
		raisef(L, "too many results to unpack")
	}
	for k := i; ; k++ {
		L.Push(rawGetInt(t, k))
		if k == j {
			return j - i + 1
		}
	}
}

// tableSort sorts a copy and puts it back, so an error in the comparator
// leaves the table as it was, and one that waits does no harm to others.
func tableSort(L *State) int {
	t := checkTable(L, 1)
	n := t.Len()
	s := sorter{L: L}
	if L.Get(2) != Nil {
		s.less = checkFunction(L, 2)
	}
	if n < 2 {
		return 0
	}
	vs := make([]Value, n)
	for i := range vs {
		vs[i] = rawGetInt(t, i+1)
	}
	if s.less != nil || !sortPlain(vs) {
		s.vs = vs
		s.sort(0, n-1)
	}
	for i, v := range vs {
		setInt(t, i+1, v)
	}
	return 0
}

// sortPlain sorts numbers without NaN, or strings, where no one can tell
// equal ones apart.
func sortPlain(vs []Value) bool {
	switch vs[0].(type) {
	case Number:
		for _, v := range vs {
			if n, ok := v.(Number); !ok || n != n {
				return false
			}
		}
		slices.SortFunc(vs, func(a, b Value) int {
			x, y := a.(Number), b.(Number)
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		})
		return true
	case String:
		for _, v := range vs {
			if _, ok := v.(String); !ok {
				return false
			}
		}
		slices.SortFunc(vs, func(a, b Value) int {
			return strings.Compare(string(a.(String)), string(b.(String)))
		})
		return true
	}
	return false
}

// sorter is Lua 5.1's quicksort step by step: elements that compare equal end
// up in the same order as there, and a comparator that contradicts itself is
// found out in the same places.
type sorter struct {
	L    *State
	less *Function
	vs   []Value
}

func (s *sorter) lt(a, b Value) bool {
	if s.less == nil {
		return s.L.LessThan(a, b)
	}
	L := s.L
	L.Push(s.less)
	L.Push(a)
	L.Push(b)
	L.Call(2, 1)
	r := L.Get(-1)
	L.Pop(1)
	return Truth(r)
}

// sort sorts vs[lo] to vs[up].
func (s *sorter) sort(lo, up int) {
	vs := s.vs
	for lo < up {
		if s.lt(vs[up], vs[lo]) {
			vs[lo], vs[up] = vs[up], vs[lo]
		}
		if up-lo == 1 {
			return
		}
		mid := (lo+up+2)/2 - 1 // of the indices from 1 on, rounded down
		if s.lt(vs[mid], vs[lo]) {
			vs[mid], vs[lo] = vs[lo], vs[mid]
		} else if s.lt(vs[up], vs[mid]) {
			vs[mid], vs[up] = vs[up], vs[mid]
		}
		if up-lo == 2 {
			return
		}
		pivot := vs[mid]
		vs[mid], vs[up-1] = vs[up-1], vs[mid]
		i, j := lo, up-1
		for {
			for i++; s.lt(vs[i], pivot); i++ {
				if i >= up {
					raisef(s.L, "invalid order function for sorting")
				}
			}
			for j--; s.lt(pivot, vs[j]); j-- {
				if j <= lo {
					raisef(s.L, "invalid order function for sorting")
				}
			}
			if j < i {
				break
			}
			vs[i], vs[j] = vs[j], vs[i]
		}
		vs[up-1], vs[i] = vs[i], vs[up-1]
		// Recur into the smaller part, go on with the larger one.
		if i-lo < up-i {
			s.sort(lo, i-1)
			lo = i + 1
		} else {
			s.sort(i+1, up)
			up = i - 1
		}
	}
}
