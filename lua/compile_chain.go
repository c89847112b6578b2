package lua

import "sort"

// A Division is the place of a running division a / b: which call frame, and which
// instruction of it.
type Division struct {
	frame *frame
	pc    int32
}

// Operands says where those operands of a division come from that nothing but the division can see.
type Operands struct {
	Left Division // earlier in the same expression, whose result is the left operand: in a / b / c the first; or zero
	A, B *Shape   // the operand is the result of this call, of a Recorder or not; or nil
}

// Dividing is for a __div metamethod in Go: at is the division that calls it. A
// metamethod that knows an operand as its own result of Operands.Left, or a Recorder as what
// it made last at that Shape, may change the operand instead of copying it, or use its memory again.
func Dividing(L *State) (at Division, by Operands) {
	f := topFrame(L)
	if f == nil || f.Parent == nil || f.Parent.Fn.IsG {
		return at, by
	}
	f = f.Parent
	at = Division{f, int32(f.Pc - 1)}
	d := debugOf(f.Fn.Proto)
	if d == nil {
		return at, by
	}
	i := sort.Search(len(d.chains), func(i int) bool { return d.chains[i].pc >= at.pc })
	if i == len(d.chains) || d.chains[i].pc != at.pc {
		return at, by
	}
	c := &d.chains[i]
	if c.left > 0 {
		by.Left = Division{f, c.left}
	}
	by.A, by.B = c.a, c.b
	return at, by
}
