package lua

import "sort"

// A Division is the place of a running division a / b: which call frame, and which
// instruction of it.
type Division struct {
	frame *frame
	pc    int32
}

// Dividing is for a __div metamethod in Go. at is the division that calls it;
// left is the division, earlier in the same expression, whose result is the left operand: in
// a / b / c nothing but the second division can see what the first one made, so a metamethod that knows
// the left operand as its own result of that division may change it instead of copying it.
// ok is false when the left operand is anything else.
func Dividing(L *State) (at, left Division, ok bool) {
	f := topFrame(L)
	if f == nil || f.Parent == nil || f.Parent.Fn.IsG {
		return at, left, false
	}
	f = f.Parent
	at = Division{f, int32(f.Pc - 1)}
	d := debugOf(f.Fn.Proto)
	if d == nil {
		return at, left, false
	}
	i := sort.Search(len(d.chains), func(i int) bool { return d.chains[i].pc >= at.pc })
	if i == len(d.chains) || d.chains[i].pc != at.pc {
		return at, left, false
	}
	return at, Division{f, d.chains[i].left}, true
}
