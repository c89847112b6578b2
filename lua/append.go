package lua

import glua "github.com/yuin/gopher-lua"

// gopher-lua keeps elements up to glua.MaxArrayIndex in an array and all others
// in a map that the operator # does not see. Beyond the limit t[#t+1] = v would
// write the same element over and over, in silence. A higher limit is no way
// out: assigning one element far away fills the array up to it, so the limit is
// also what a slip of that kind costs (64 MiB at 1<<22). So the compiler has
// the key compared with the limit where it is written #t+1, and table.insert
// does the same. The comparison costs two instructions.

// fullArray is a place at which an array may prove to be full.
type fullArray struct {
	jump int // to be directed to the error
	reg  int // free there
	at   at
}

// fullFunction raises the error.
var fullFunction = &Function{IsG: true, GFunction: func(L *State) int {
	raisef(L, "table overflow: # counts %d elements at most (keep the count in a variable, t[n] = v has no limit)", glua.MaxArrayIndex-1)
	return 0
}}

// appends reports whether l is an element t[#t+1].
func appends(l *expr) bool {
	if l.op != eIndex || l.b.op != eArith || l.b.tok != tPlus {
		return false
	}
	a, b := l.b.a, l.b.b
	return a.op == eLen && b.op == eNumber && b.num == 1
}

// guardAppend leaves for the error when the key in a register is beyond the limit.
func (g *generator) guardAppend(key int, where at) {
	free := g.free
	limit := g.numOperand(float64(glua.MaxArrayIndex), where)
	g.abc(glua.OP_LT, 0, key, limit, where) // key < limit skips the jump
	jump := g.jump(noJump, where)
	reg := g.reserve(1, where)
	g.free = free
	g.full = append(g.full, fullArray{jump, reg, where})
}

// endAppends puts the errors behind the function's code.
func (g *generator) endAppends() {
	for _, f := range g.full {
		g.patchHere(f.jump, f.at)
		g.abx(glua.OP_LOADK, f.reg, g.constant(fullFunction, f.at), f.at)
		g.abc(glua.OP_CALL, f.reg, 1, 1, f.at)
	}
	g.full = nil
}
