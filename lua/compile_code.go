package lua

import (
	"math"

	glua "github.com/yuin/gopher-lua"
)

// Code generation: from the syntax tree to the byte code of gopher-lua's
// virtual machine, which is that of Lua 5.1 with three instructions more
// (MOVEN, SETTABLEKS, and GETTABLEKS, which is not used; see index).
//
// Registers are used as a stack: local variables lie below active, temporary
// values from there up to free. The virtual machine relies on it, because a
// call forgets what lies above its results. A rule makes nested expressions
// safe: the register of a variable is written by the last instruction of the
// expression assigned to it and by no earlier one, since the expression may
// still read the variable.

// maxRegisters keeps register numbers and the frame size within an octet.
const maxRegisters = 250

// maxChain bounds the recursion of the generator over long chains, such as
// a.b.b.b… or 1+1+1…, which the parser reads without recursion.
const maxChain = 20_000

const (
	opBitRk  = 1 << 8 // marks a constant in an operand
	maxRk    = opBitRk - 1
	maxBx    = 1<<18 - 1
	maxSbx   = maxBx >> 1
	maxArgC  = 1<<9 - 1
	noJump   = -1
	anyValue = -1 // number of results: all there are
)

// generator makes the code of one function.
type generator struct {
	full   []fullArray // see append.go
	chunk  *chunkInfo
	parent *generator
	fn     *funcNode
	proto  *glua.FunctionProto
	dbg    *debugInfo

	code   []uint32
	lines  []int
	active []*local // variables in scope; the index is the register
	free   int      // first free register
	max    int      // registers used at most
	depth  int
	loop   *loop

	strs  map[string]int // constants by value
	nums  map[uint64]int
	words [3]int // nil, true and false, plus one
}

// loop is an enclosing loop that break leaves.
type loop struct {
	outer  *loop
	active int // variables in scope outside its body
	breaks int // list of jumps
}

func abc(op, a, b, c int) uint32 { return uint32(op<<26 | a<<18 | c<<9 | b) }
func abx(op, a, bx int) uint32   { return uint32(op<<26 | a<<18 | bx) }

func (g *generator) fail(where at, format string, args ...any) {
	lx := lexer{src: g.chunk.source, name: g.chunk.name}
	lx.errorAt(where, "", format, args...)
}

// ---- instructions ----

func (g *generator) emit(inst uint32, where at) int {
	g.code = append(g.code, inst)
	g.lines = append(g.lines, int(where.line))
	g.dbg.cols = append(g.dbg.cols, where.col)
	return len(g.code) - 1
}

func (g *generator) abc(op, a, b, c int, where at) int { return g.emit(abc(op, a, b, c), where) }
func (g *generator) abx(op, a, bx int, where at) int   { return g.emit(abx(op, a, bx), where) }

// A list of jumps to a place not known yet is the index of its last jump; each
// holds the index of the one before it in its target field, plus one.

// jump emits a jump and puts it into list.
func (g *generator) jump(list int, where at) int {
	return g.abx(glua.OP_JMP, 0, g.link(list, where), where)
}

func (g *generator) link(list int, where at) int {
	if list+1 > maxBx {
		g.fail(where, "control structure too long")
	}
	return list + 1
}

// join puts the jumps of b before those of a.
func (g *generator) join(a, b int, where at) int {
	if a == noJump {
		return b
	}
	if b == noJump {
		return a
	}
	last := b
	for {
		next := int(g.code[last]&maxBx) - 1
		if next == noJump {
			break
		}
		last = next
	}
	g.code[last] = g.code[last]&^maxBx | uint32(g.link(a, where))
	return b
}

// patch lets the jumps of a list go to pc.
func (g *generator) patch(list, pc int, where at) {
	for list != noJump {
		next := int(g.code[list]&maxBx) - 1
		g.setJump(list, pc, where)
		list = next
	}
}

func (g *generator) patchHere(list int, where at) { g.patch(list, len(g.code), where) }

func (g *generator) setJump(from, to int, where at) {
	d := to - from - 1
	if d < -maxSbx || d > maxSbx {
		g.fail(where, "control structure too long")
	}
	g.code[from] = g.code[from]&^maxBx | uint32(d+maxSbx)
}

// jumpTo jumps to code that exists already.
func (g *generator) jumpTo(pc int, where at) {
	g.setJump(g.abx(glua.OP_JMP, 0, 0, where), pc, where)
}

// ---- registers and constants ----

// reserve takes n registers and returns the first.
func (g *generator) reserve(n int, where at) int {
	r := g.free
	g.free += n
	if g.free > g.max {
		g.max = g.free
		if g.max > maxRegisters {
			g.fail(where, "function or expression needs too many registers")
		}
	}
	return r
}

// touch makes sure that register r exists.
func (g *generator) touch(r int, where at) {
	free := g.free
	g.free = r
	g.reserve(1, where)
	g.free = free
}

func (g *generator) constant(v glua.LValue, where at) int {
	k := len(g.proto.Constants)
	if k > maxBx {
		g.fail(where, "function has too many constants")
	}
	g.proto.Constants = append(g.proto.Constants, v)
	return k
}

func (g *generator) strK(s string, where at) int {
	if k, ok := g.strs[s]; ok {
		return k
	}
	k := g.constant(Str(s), where)
	if g.strs == nil {
		g.strs = make(map[string]int)
	}
	g.strs[s] = k
	return k
}

func (g *generator) numK(n float64, where at) int {
	bits := math.Float64bits(n) // tells 0 from -0
	if k, ok := g.nums[bits]; ok {
		return k
	}
	k := g.constant(Num(n), where)
	if g.nums == nil {
		g.nums = make(map[uint64]int)
	}
	g.nums[bits] = k
	return k
}

// declare brings a variable into scope; its value is in the register of the
// same number already.
func (g *generator) declare(v *local) {
	v.reg = len(g.active)
	v.dbg = len(g.proto.DbgLocals)
	g.active = append(g.active, v)
	g.proto.DbgLocals = append(g.proto.DbgLocals, &glua.DbgLocalInfo{Name: v.name, StartPc: len(g.code) - 1})
}

// undeclare ends the scope of all but the first n variables.
func (g *generator) undeclare(n int) {
	for _, v := range g.active[n:] {
		g.proto.DbgLocals[v.dbg].EndPc = len(g.code)
	}
	g.active = g.active[:n]
	g.free = n
}

// closeFrom gives closures their own copy of captured variables from register
// n up, if there are any in scope.
func (g *generator) closeFrom(n int, where at) {
	for _, v := range g.active[n:] {
		if v.captured {
			g.abc(glua.OP_CLOSE, n, 0, 0, where)
			return
		}
	}
}

// ---- functions ----

func (g *generator) function(fn *funcNode) *glua.FunctionProto {
	p := &glua.FunctionProto{SourceName: g.chunk.name, LineDefined: int(fn.at.line), LastLineDefined: int(fn.end.line)}
	g.fn, g.proto = fn, p
	g.dbg = &debugInfo{chunk: g.chunk}
	for _, v := range fn.params {
		g.declare(v)
	}
	p.NumParameters = uint8(len(fn.params))
	if fn.vararg {
		p.IsVarArg = glua.VarArgIsVarArg | glua.VarArgHasArg
		if !fn.usesDots {
			p.IsVarArg |= glua.VarArgNeedsArg
		}
		if !fn.main {
			g.declare(&local{name: "arg"})
		}
	}
	g.free = len(g.active)
	g.max = g.free
	g.statements(fn.body)
	g.abc(glua.OP_RETURN, 0, 1, 0, fn.end)
	g.endAppends()
	g.undeclare(0)
	g.bulkMoves()

	p.Code = g.code
	p.DbgSourcePositions = g.lines
	p.NumUpvalues = uint8(len(fn.upvalues))
	p.DbgUpvalues = make([]string, len(fn.upvalues))
	for i, u := range fn.upvalues {
		p.DbgUpvalues[i] = u.name
	}
	// One register more than is used: a tail call of gopher-lua moves one too few.
	p.NumUsedRegisters = uint8(max(g.max, 2) + 1)
	setStringConstants(p)
	p.Constants = append(p.Constants, &glua.LUserData{Value: g.dbg})
	return p
}

// bulkMoves marks runs of MOVE instructions, which the virtual machine then
// executes in one step. A jump into the middle of a run still finds MOVEs.
func (g *generator) bulkMoves() {
	for i := 0; i < len(g.code); i++ {
		switch int(g.code[i] >> 26) {
		case glua.OP_CLOSURE: // followed by one pseudo instruction for each upvalue
			i += int(g.proto.FunctionPrototypes[g.code[i]&maxBx].NumUpvalues)
		case glua.OP_SETLIST:
			if g.code[i]>>9&maxArgC == 0 { // followed by a number
				i++
			}
		case glua.OP_MOVE:
			n := 1
			for i+n < len(g.code) && int(g.code[i+n]>>26) == glua.OP_MOVE && n < maxArgC {
				n++
			}
			if n > 1 {
				g.code[i] = g.code[i]&(1<<26-1)&^(maxArgC<<9) | uint32(glua.OP_MOVEN<<26|(n-1)<<9)
				i += n - 1
			}
		}
	}
}

// ---- statements ----

func (g *generator) statements(b *block) {
	for i, s := range b.stmts {
		g.statement(s, b.stmts[i+1:])
		g.free = len(g.active)
	}
}

// block generates a block with a scope of its own.
func (g *generator) block(b *block) {
	n := len(g.active)
	g.statements(b)
	if b.captured && !endsInJump(b) {
		g.abc(glua.OP_CLOSE, n, 0, 0, b.end)
	}
	g.undeclare(n)
}

// endsInJump reports that the end of a block is never reached.
func endsInJump(b *block) bool {
	if len(b.stmts) == 0 {
		return false
	}
	switch b.stmts[len(b.stmts)-1].op {
	case sReturn, sBreak, sGoto:
		return true
	}
	return false
}

func (g *generator) statement(s *stmt, following []*stmt) {
	switch s.op {
	case sLocal:
		g.local(s, following)
	case sLocalFn:
		r := g.reserve(1, s.at)
		g.declare(s.vars[0]) // the function sees itself
		g.closure(s.rhs[0], r)
	case sAssign:
		g.assign(s)
	case sFunction:
		g.store(s.lhs[0], s.rhs[0])
	case sCall:
		g.call(s.rhs[0], 0)
	case sDo:
		g.block(s.body)
	case sWhile:
		g.while(s)
	case sRepeat:
		g.repeat(s)
	case sIf:
		g.ifStat(s)
	case sFor:
		g.forNum(s)
	case sForIn:
		g.forIn(s)
	case sReturn:
		g.ret(s)
	case sBreak:
		g.closeFrom(g.loop.active, s.at)
		g.loop.breaks = g.jump(g.loop.breaks, s.at)
	case sGoto:
		l := s.label
		g.closeFrom(l.active, s.at)
		if l.pc >= 0 {
			g.jumpTo(l.pc, s.at)
		} else {
			l.jumps = g.jump(l.jumps, s.at)
		}
	case sLabel:
		s.label.pc = len(g.code)
		g.patchHere(s.label.jumps, s.at)
		s.label.jumps = noJump
	}
}

func (g *generator) local(s *stmt, following []*stmt) {
	if len(s.vars) == 1 && len(s.rhs) == 1 && s.rhs[0].op == eTable && len(s.rhs[0].items) == 0 {
		g.emptyTable(s.rhs[0], g.reserve(1, s.at), fieldsAssigned(s.vars[0], following))
	} else {
		g.values(s.rhs, len(s.vars), s.at)
	}
	for _, v := range s.vars {
		g.declare(v)
	}
}

// values puts exactly n values of a list of expressions into n new registers.
func (g *generator) values(list []*expr, n int, where at) {
	base := g.free
	for i, e := range list {
		switch {
		case i == len(list)-1 && e.multi() && n > i:
			g.free = base + i
			g.multi(e, n-i)
			g.free = base + i
			g.reserve(n-i, where)
			return
		case i < n:
			g.push(e)
		default: // more values than variables: only for what they do
			g.push(e)
			g.free--
		}
	}
	if missing := n - len(list); missing > 0 {
		r := g.reserve(missing, where)
		g.abc(glua.OP_LOADNIL, r, r+missing-1, 0, where)
	}
}

// target is the prepared left side of an assignment.
type target struct {
	e        *expr
	obj, key int // for eIndex: register and operand
}

func (g *generator) target(e *expr) target {
	t := target{e: e}
	if e.op == eIndex {
		t.obj = g.anyReg(e.a)
		t.key = g.operand(e.b)
	}
	return t
}

func (g *generator) assign(s *stmt) {
	if len(s.lhs) == 1 && len(s.rhs) == 1 {
		g.store(s.lhs[0], s.rhs[0])
		return
	}
	// a[i], i = x, y: the object and the key of a[i] are those from before.
	assigned := func(e *expr) bool {
		for _, l := range s.lhs {
			if e.op == eLocal && l.op == eLocal && l.v == e.v {
				return true
			}
		}
		return false
	}
	targets := make([]target, len(s.lhs))
	for i, l := range s.lhs {
		if l.op == eIndex {
			t := target{e: l}
			if assigned(l.a) {
				t.obj = g.push(l.a)
			} else {
				t.obj = g.anyReg(l.a)
			}
			if assigned(l.b) {
				t.key = g.push(l.b)
			} else {
				t.key = g.operand(l.b)
			}
			targets[i] = t
		} else {
			targets[i] = target{e: l}
		}
	}
	// All values are computed before the first is stored. The last one may go
	// straight to its variable when the counts agree: nothing reads it later.
	base := g.free
	last := len(targets) - 1
	if len(s.rhs) == len(s.lhs) {
		for _, e := range s.rhs[:last] {
			g.push(e)
		}
		g.storeTo(targets[last], s.rhs[last])
		last--
	} else {
		g.values(s.rhs, len(s.lhs), s.at)
	}
	for i := last; i >= 0; i-- {
		g.storeReg(targets[i], base+i)
	}
}

// store assigns an expression to a variable.
func (g *generator) store(l, r *expr) {
	t := g.target(l)
	if appends(l) {
		g.guardAppend(t.key, l.at)
	}
	g.storeTo(t, r)
}

func (g *generator) storeTo(t target, r *expr) {
	switch t.e.op {
	case eLocal:
		g.into(r, t.e.v.reg)
	case eIndex:
		g.setIndex(t, g.operand(r))
	default:
		g.storeReg(t, g.anyReg(r))
	}
}

func (g *generator) storeReg(t target, reg int) {
	switch e := t.e; e.op {
	case eLocal:
		g.abc(glua.OP_MOVE, e.v.reg, reg, 0, e.at)
	case eUpvalue:
		g.abc(glua.OP_SETUPVAL, reg, e.index, 0, e.at)
	case eGlobal:
		g.abx(glua.OP_SETGLOBAL, reg, g.strK(e.str, e.at), e.at)
	case eIndex:
		g.setIndex(t, reg)
	}
}

func (g *generator) setIndex(t target, value int) {
	op := glua.OP_SETTABLE
	if t.e.b.op == eString {
		op = glua.OP_SETTABLEKS
	}
	pc := g.abc(op, t.obj, t.key, value, indexAt(t.e))
	g.dbg.note(pc, g.describe(t.e.a), 0)
}

// indexAt is the place to show when e cannot be indexed: the object, if it is
// on the same line as the key.
func indexAt(e *expr) at {
	if e.a.at.line == e.at.line {
		return e.a.at
	}
	return e.at
}

func (g *generator) while(s *stmt) {
	l := loop{outer: g.loop, active: len(g.active), breaks: noJump}
	// The condition stands behind the body: one jump less in each turn.
	enter := noJump
	always := constTruth(s.cond) > 0
	if !always {
		enter = g.jump(noJump, s.at)
	}
	top := len(g.code)
	g.loop = &l
	g.block(s.body)
	g.loop = l.outer
	if always {
		g.jumpTo(top, s.at)
	} else {
		g.patchHere(enter, s.at)
		g.patch(g.branch(s.cond, true), top, s.at)
	}
	g.patchHere(l.breaks, s.at)
}

func (g *generator) repeat(s *stmt) {
	n := len(g.active)
	l := loop{outer: g.loop, active: n, breaks: noJump}
	g.loop = &l
	top := len(g.code)
	g.statements(s.body)
	g.loop = l.outer
	if s.body.captured {
		done := g.branch(s.cond, true)
		g.abc(glua.OP_CLOSE, n, 0, 0, s.cond.at)
		g.jumpTo(top, s.cond.at)
		g.patchHere(done, s.at)
		g.abc(glua.OP_CLOSE, n, 0, 0, s.cond.at)
	} else {
		g.patch(g.branch(s.cond, false), top, s.at)
	}
	g.undeclare(n)
	g.patchHere(l.breaks, s.at)
}

func (g *generator) ifStat(s *stmt) {
	end := noJump
	for i, c := range s.clauses {
		if c.cond == nil {
			g.block(c.body)
			break
		}
		next := g.branch(c.cond, false)
		g.free = len(g.active)
		g.block(c.body)
		if i < len(s.clauses)-1 && !endsInJump(c.body) {
			end = g.jump(end, s.at)
		}
		g.patchHere(next, s.at)
	}
	g.patchHere(end, s.at)
}

func (g *generator) forNum(s *stmt) {
	base := g.free
	for i := range 3 {
		if i == 2 && len(s.rhs) < 3 {
			g.abx(glua.OP_LOADK, g.reserve(1, s.at), g.numK(1, s.at), s.at)
			continue
		}
		e := s.rhs[i]
		r := g.push(e)
		if !numeric(e) {
			// As in Lua a string that holds a number will do. Subtracting
			// zero leaves every number as it is.
			pc := g.abc(glua.OP_SUB, r, r, g.numOperand(0, e.at), e.at)
			g.dbg.note(pc, opnd(oForInit+i), 0)
			g.free = r + 1
		}
	}
	n := len(g.active)
	for _, v := range s.vars[:3] {
		g.declare(v)
	}
	l := loop{outer: g.loop, active: len(g.active), breaks: noJump}
	prep := g.abx(glua.OP_FORPREP, base, 0, s.at)
	g.loop = &l
	g.reserve(1, s.at)
	g.declare(s.vars[3])
	top := len(g.code)
	g.statements(s.body)
	if s.body.captured && !endsInJump(s.body) {
		g.abc(glua.OP_CLOSE, base+3, 0, 0, s.body.end)
	}
	g.undeclare(n + 3)
	g.loop = l.outer
	g.setJump(prep, len(g.code), s.at)
	g.setJump(g.abx(glua.OP_FORLOOP, base, 0, s.at), top, s.at)
	g.undeclare(n)
	g.patchHere(l.breaks, s.at)
}

// numeric reports that e is a number for certain.
func numeric(e *expr) bool {
	return e.op == eNumber || e.op == eNeg && numeric(e.a) || e.op == eLen && e.a.op == eString
}

func (g *generator) forIn(s *stmt) {
	base := g.free
	g.values(s.rhs, 3, s.at)
	n := len(g.active)
	for _, v := range s.vars[:3] {
		g.declare(v)
	}
	names := len(s.vars) - 3
	l := loop{outer: g.loop, active: len(g.active), breaks: noJump}
	enter := g.jump(noJump, s.at)
	g.loop = &l
	g.reserve(names, s.at)
	g.touch(base+5, s.at) // the call needs three registers above the hidden ones
	for _, v := range s.vars[3:] {
		g.declare(v)
	}
	top := len(g.code)
	g.statements(s.body)
	if s.body.captured && !endsInJump(s.body) {
		g.abc(glua.OP_CLOSE, base+3, 0, 0, s.body.end)
	}
	g.undeclare(n + 3)
	g.loop = l.outer
	g.patchHere(enter, s.at)
	where := s.at
	if len(s.rhs) > 0 {
		where.col = s.rhs[0].at.col
		if s.rhs[0].at.line != s.at.line {
			where = s.rhs[0].at
		}
	}
	pc := g.abc(glua.OP_TFORLOOP, base, 0, names, where)
	g.dbg.note(pc, opnd(oForIterator), 0)
	g.jumpTo(top, s.at)
	g.undeclare(n)
	g.patchHere(l.breaks, s.at)
}

func (g *generator) ret(s *stmt) {
	base := g.free
	if len(s.rhs) == 1 && !g.fn.input {
		switch e := s.rhs[0]; {
		case e.op == eLocal:
			g.abc(glua.OP_RETURN, e.v.reg, 2, 0, s.at)
			return
		case (e.op == eCall || e.op == eMethod) && !e.paren:
			if shape := shapeOf(e); shape != nil {
				g.recordReturn(e, shape, s.at)
				return
			}
			pc := g.call(e, anyValue)
			// A tail call of yield by the body of a coroutine would end it:
			// gopher-lua takes the frame away first.
			if calledAs(e) != "yield" {
				g.code[pc] = g.code[pc]&(1<<26-1) | uint32(glua.OP_TAILCALL<<26)
			}
			g.abc(glua.OP_RETURN, base, 0, 0, s.at)
			return
		}
	}
	n := len(s.rhs) + 1
	if g.pushAll(s.rhs) {
		n = 0
	}
	g.abc(glua.OP_RETURN, base, n, 0, s.at)
}

// pushAll puts the values of a list into new registers; open says that the
// last expression left all its values, up to the top of the stack.
func (g *generator) pushAll(list []*expr) (open bool) {
	for i, e := range list {
		if i == len(list)-1 && e.multi() {
			g.multi(e, anyValue)
			return true
		}
		g.push(e)
	}
	return false
}

// ---- expressions ----

// push puts the value of e into a new register.
func (g *generator) push(e *expr) int {
	r := g.reserve(1, e.at)
	g.into(e, r)
	return r
}

// anyReg puts the value of e into some register: the variable's own if e is a
// local variable.
func (g *generator) anyReg(e *expr) int {
	if e.op == eLocal {
		return e.v.reg
	}
	return g.push(e)
}

// operand is anyReg, or a constant where instructions take one.
func (g *generator) operand(e *expr) int {
	switch e.op {
	case eNil:
		return g.wordOperand(0, Nil, e)
	case eTrue:
		return g.wordOperand(1, True, e)
	case eFalse:
		return g.wordOperand(2, False, e)
	case eNumber:
		if k := g.numK(e.num, e.at); k <= maxRk {
			return k | opBitRk
		}
	case eString:
		if k := g.strK(e.str, e.at); k <= maxRk {
			return k | opBitRk
		}
	case eNeg, eArith:
		if n, ok := fold(e); ok {
			return g.numOperand(n, e.at)
		}
	}
	return g.anyReg(e)
}

// wordOperand is the operand of nil, true or false. Constants may be of any
// type, and one of them saves the instruction that loads a register.
func (g *generator) wordOperand(i int, v glua.LValue, e *expr) int {
	if g.words[i] == 0 {
		g.words[i] = g.constant(v, e.at) + 1
	}
	if k := g.words[i] - 1; k <= maxRk {
		return k | opBitRk
	}
	return g.push(e)
}

func (g *generator) numOperand(n float64, where at) int {
	k := g.numK(n, where)
	if k <= maxRk {
		return k | opBitRk
	}
	r := g.reserve(1, where)
	g.abx(glua.OP_LOADK, r, k, where)
	return r
}

// strOperand is the operand of a name used as a key.
func (g *generator) strOperand(s string, where at) int {
	k := g.strK(s, where)
	if k <= maxRk {
		return k | opBitRk
	}
	r := g.reserve(1, where)
	g.abx(glua.OP_LOADK, r, k, where)
	return r
}

// fold computes an expression of numerals.
func fold(e *expr) (float64, bool) {
	switch e.op {
	case eNumber:
		return e.num, true
	case eNeg:
		n, ok := fold(e.a)
		return -n, ok
	case eArith:
		// Chains are folded as far down as they are short.
		if e.b.op != eNumber && e.b.op != eNeg && e.b.op != eArith {
			return 0, false
		}
		if e.a.op != eNumber && e.a.op != eNeg {
			return 0, false
		}
		a, ok := fold(e.a)
		if !ok {
			return 0, false
		}
		b, ok := fold(e.b)
		if !ok {
			return 0, false
		}
		switch e.tok {
		case tPlus:
			return a + b, true
		case tMinus:
			return a - b, true
		case tStar:
			return a * b, true
		case tSlash:
			return a / b, b != 0
		case tCaret:
			return math.Pow(a, b), true
		}
	}
	return 0, false
}

// constTruth is 1 for a constant that is true, -1 for one that is false, 0 for the rest.
func constTruth(e *expr) int {
	switch e.op {
	case eNil, eFalse:
		return -1
	case eTrue, eNumber, eString, eFunction:
		return 1
	case eNot:
		return -constTruth(e.a)
	}
	return 0
}

// fresh reports that register r is a temporary one on top of the stack, so
// that it may hold values on the way to the last one.
func (g *generator) fresh(r int) bool { return r == g.free-1 && r >= len(g.active) }

// into puts the value of e into register r. If r is a variable only the last
// instruction writes it.
func (g *generator) into(e *expr, r int) {
	if g.depth++; g.depth > maxChain {
		g.fail(e.at, "expression is too long")
	}
	free := g.free
	switch e.op {
	case eNil:
		g.abc(glua.OP_LOADNIL, r, r, 0, e.at)
	case eTrue:
		g.abc(glua.OP_LOADBOOL, r, 1, 0, e.at)
	case eFalse:
		g.abc(glua.OP_LOADBOOL, r, 0, 0, e.at)
	case eNumber:
		g.abx(glua.OP_LOADK, r, g.numK(e.num, e.at), e.at)
	case eString:
		g.abx(glua.OP_LOADK, r, g.strK(e.str, e.at), e.at)
	case eLocal:
		if e.v.reg != r {
			g.abc(glua.OP_MOVE, r, e.v.reg, 0, e.at)
		}
	case eUpvalue:
		g.abc(glua.OP_GETUPVAL, r, e.index, 0, e.at)
	case eGlobal:
		g.abx(glua.OP_GETGLOBAL, r, g.strK(e.str, e.at), e.at)
	case eFunction:
		g.closure(e, r)
	case eDots: // forgets what lies above its result, as a call does
		t := r
		if !g.fresh(r) {
			t = g.reserve(1, e.at)
		}
		g.abc(glua.OP_VARARG, t, 2, 0, e.at)
		if t != r {
			g.abc(glua.OP_MOVE, r, t, 0, e.at)
		}
	case eIndex:
		g.index(e, r)
	case eCall, eMethod:
		if g.fresh(r) {
			g.free--
		}
		base := g.free
		g.call(e, 1)
		g.free = max(g.free, free)
		if base != r {
			g.abc(glua.OP_MOVE, r, base, 0, e.at)
		}
	case eTable:
		t := r
		if !g.fresh(r) {
			t = g.reserve(1, e.at)
		}
		g.table(e, t)
		if t != r {
			g.abc(glua.OP_MOVE, r, t, 0, e.at)
		}
	case eConcat:
		if g.fresh(r) {
			g.free--
		}
		base := g.free
		g.concat(e)
		if base != r {
			g.abc(glua.OP_MOVE, r, base, 0, e.at)
		}
	case eAnd, eOr:
		g.logical(e, r)
	case eNot:
		if t := constTruth(e); t != 0 {
			g.abc(glua.OP_LOADBOOL, r, (t+1)/2, 0, e.at)
		} else if e.a.op == eNot || e.a.op == eCompare || e.a.op == eAnd || e.a.op == eOr {
			g.boolean(e, r)
		} else {
			g.abc(glua.OP_NOT, r, g.anyReg(e.a), 0, e.at)
		}
	case eCompare:
		g.boolean(e, r)
	case eNeg, eLen:
		if n, ok := fold(e); ok {
			g.abx(glua.OP_LOADK, r, g.numK(n, e.at), e.at)
			break
		}
		op := glua.OP_LEN
		if e.op == eNeg {
			op = glua.OP_UNM
		}
		a := g.scratch(e.a, r)
		pc := g.abc(op, r, a, 0, e.at)
		g.dbg.note(pc, g.describe(e.a), 0)
	case eArith:
		if n, ok := fold(e); ok {
			g.abx(glua.OP_LOADK, r, g.numK(n, e.at), e.at)
			break
		}
		a := g.scratchOperand(e.a, r)
		b := g.operand(e.b)
		pc := g.abc(arithOp(e.tok), r, a, b, e.at)
		g.dbg.note(pc, g.describe(e.a), g.describe(e.b))
		if e.tok == tSlash {
			c := chain{pc: int32(pc), a: shapeOf(e.a), b: shapeOf(e.b)}
			if e.a.op == eArith && e.a.tok == tSlash {
				c.left = e.a.pc
			}
			for _, s := range []*Shape{c.a, c.b} {
				if s != nil {
					s.Divided = true
				}
			}
			if c.left > 0 || c.a != nil || c.b != nil {
				g.dbg.chains = append(g.dbg.chains, c)
			}
			e.pc = int32(pc)
		}
	}
	g.free = free
	g.depth--
}

func arithOp(k kind) int {
	switch k {
	case tPlus:
		return glua.OP_ADD
	case tMinus:
		return glua.OP_SUB
	case tStar:
		return glua.OP_MUL
	case tSlash:
		return glua.OP_DIV
	case tPercent:
		return glua.OP_MOD
	}
	return glua.OP_POW
}

// scratch is anyReg for an operand of an instruction that will write r: if r
// is a temporary register, the operand may be computed in it.
func (g *generator) scratch(e *expr, r int) int {
	if e.op != eLocal && g.fresh(r) {
		g.into(e, r)
		return r
	}
	return g.anyReg(e)
}

func (g *generator) scratchOperand(e *expr, r int) int {
	switch e.op {
	case eNil, eTrue, eFalse, eNumber, eString, eLocal:
		return g.operand(e)
	case eNeg, eArith:
		if _, ok := fold(e); ok {
			return g.operand(e)
		}
	}
	return g.scratch(e, r)
}

func (g *generator) index(e *expr, r int) {
	obj := g.scratch(e.a, r)
	key := g.operand(e.b)
	// GETTABLEKS would be no faster for a table, and it makes a new value of the key for every call of __index.
	pc := g.abc(glua.OP_GETTABLE, r, obj, key, indexAt(e))
	g.dbg.note(pc, g.describe(e.a), 0)
}

func (g *generator) closure(e *expr, r int) {
	fn := e.fn
	child := &generator{chunk: g.chunk, parent: g}
	p := child.function(fn)
	n := len(g.proto.FunctionPrototypes)
	g.proto.FunctionPrototypes = append(g.proto.FunctionPrototypes, p)
	if n > maxBx {
		g.fail(e.at, "function has too many functions inside")
	}
	g.abx(glua.OP_CLOSURE, r, n, e.at)
	for _, u := range fn.upvalues {
		if u.v != nil {
			g.abc(glua.OP_MOVE, 0, u.v.reg, 0, e.at)
		} else {
			g.abc(glua.OP_GETUPVAL, 0, u.index, 0, e.at)
		}
	}
}

// multi leaves n values of a call or of ... in new registers, or all of them.
// The registers are not reserved: the next instruction is to use them.
func (g *generator) multi(e *expr, n int) {
	if e.op == eDots {
		g.touch(g.free+max(n, 1)-1, e.at)
		g.abc(glua.OP_VARARG, g.free, n+1, 0, e.at)
		return
	}
	g.call(e, n)
}

// call calls, leaves n results from the first free register on, and returns
// the index of its last instruction. It does not reserve registers for the results.
func (g *generator) call(e *expr, n int) int {
	if s := shapeOf(e); s != nil {
		g.record(e, s, n)
		return len(g.code) - 1
	}
	base := g.free
	var what opnd
	args := 0
	if e.op == eMethod {
		obj := g.anyReg(e.a)
		key := g.strOperand(e.str, e.at)
		g.free = base
		g.reserve(2, e.at)
		pc := g.abc(glua.OP_SELF, base, obj, key, e.at)
		g.dbg.note(pc, g.describe(e.a), 0)
		what = newOpnd(oMethod, g.strK(e.str, e.at))
		args = 1
	} else {
		g.push(e.a)
		what = g.describe(e.a)
	}
	args += len(e.list)
	if g.pushAll(e.list) {
		args = -1
	}
	g.free = base
	g.touch(base+max(n, 1)-1, e.at)
	pc := g.abc(glua.OP_CALL, base, args+1, n+1, e.at)
	g.dbg.note(pc, what, 0)
	g.proto.DbgCalls = append(g.proto.DbgCalls, glua.DbgCall{Pc: pc, Name: calledAs(e)})
	return pc
}

// calledAs is the name of a called function in a traceback.
func calledAs(e *expr) string {
	switch {
	case e.op == eMethod:
		return e.str
	case e.a.op == eLocal:
		return e.a.v.name
	case e.a.op == eGlobal || e.a.op == eUpvalue:
		return e.a.str
	case e.a.op == eIndex && e.a.b.op == eString:
		return e.a.b.str
	}
	return "?"
}

// concat is a call of concatFunction: see there for the reason. The result is
// in the first free register.
func (g *generator) concat(e *expr) {
	base := g.free
	g.reserve(1, e.at)
	k := g.concatK(e.at)
	g.abx(glua.OP_LOADK, base, k, e.at)
	names := make([]opnd, len(e.list))
	for i, o := range e.list {
		g.push(o)
		names[i] = g.describe(o)
	}
	g.free = base
	pc := g.abc(glua.OP_CALL, base, len(e.list)+1, 2, e.at)
	g.dbg.noteList(pc, names)
}

func (g *generator) concatK(where at) int {
	if g.dbg.concat == 0 {
		g.dbg.concat = g.constant(concatFunction, where) + 1
	}
	return g.dbg.concat - 1
}

func (g *generator) emptyTable(e *expr, r, fields int) {
	g.abc(glua.OP_NEWTABLE, r, 0, fields, e.at)
}

// fieldsAssigned counts how many fields the statements behind the declaration
// of a table put into it: t.x = …, function t.f() … and function t:m() …. Room
// for them in time saves the hash part that gopher-lua makes for 32 fields.
func fieldsAssigned(v *local, following []*stmt) int {
	n := 0
	for _, s := range following {
		switch s.op {
		case sAssign, sFunction:
			for _, l := range s.lhs {
				if l.op == eIndex && l.a.op == eLocal && l.a.v == v && l.b.op == eString {
					n++
				}
			}
		case sReturn:
			return n
		}
	}
	return min(n, maxArgC)
}

func (g *generator) table(e *expr, t int) {
	positional, keyed := 0, 0
	for _, it := range e.items {
		if it.key == nil {
			positional++
		} else {
			keyed++
		}
	}
	open := positional > 0 && e.items[len(e.items)-1].key == nil && e.items[len(e.items)-1].value.multi()
	if open {
		positional--
	}
	g.abc(glua.OP_NEWTABLE, t, min(positional, maxArgC), min(keyed, maxArgC), e.at)
	base := g.free
	flush := glua.FieldsPerFlush
	pending, stored := 0, 0
	setList := func(n, b int) {
		c := stored/flush + 1
		if c > maxArgC {
			g.abc(glua.OP_SETLIST, t, b, 0, e.at)
			g.emit(uint32(c), e.at)
		} else {
			g.abc(glua.OP_SETLIST, t, b, c, e.at)
		}
		stored += n
		pending = 0
		g.free = base
	}
	for i, it := range e.items {
		if it.key != nil {
			free := g.free
			key := g.operand(it.key)
			value := g.operand(it.value)
			op := glua.OP_SETTABLE
			if it.key.op == eString {
				op = glua.OP_SETTABLEKS
			}
			g.abc(op, t, key, value, it.key.at)
			g.free = free
			continue
		}
		if open && i == len(e.items)-1 {
			g.multi(it.value, anyValue)
			setList(0, 0)
			return
		}
		g.push(it.value)
		if pending++; pending == flush {
			setList(pending, pending)
		}
	}
	if pending > 0 {
		setList(pending, pending)
	}
}

// ---- conditions ----

// branch emits code that jumps if e is true or false as cond says, and else
// goes on. It returns the jumps.
func (g *generator) branch(e *expr, cond bool) int {
	if g.depth++; g.depth > maxChain {
		g.fail(e.at, "expression is too long")
	}
	free := g.free
	list := noJump
	if t := constTruth(e); t != 0 {
		if (t > 0) == cond {
			list = g.jump(noJump, e.at)
		}
		g.depth--
		return list
	}
	switch e.op {
	case eNot:
		list = g.branch(e.a, !cond)
	case eAnd, eOr:
		if (e.op == eOr) == cond { // either operand decides
			list = g.branch(e.a, cond)
			list = g.join(list, g.branch(e.b, cond), e.at)
		} else {
			skip := g.branch(e.a, !cond)
			list = g.branch(e.b, cond)
			g.patchHere(skip, e.at)
		}
	case eCompare:
		g.compare(e, cond)
		list = g.jump(noJump, e.at)
	default:
		g.abc(glua.OP_TEST, g.anyReg(e), 0, bit(cond), e.at)
		list = g.jump(noJump, e.at)
	}
	g.free = free
	g.depth--
	return list
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compare emits a comparison that lets the jump behind it happen if the result
// is cond.
func (g *generator) compare(e *expr, cond bool) {
	a := g.operand(e.a)
	b := g.operand(e.b)
	op := glua.OP_LT
	switch e.tok {
	case tEq:
		op = glua.OP_EQ
	case tNe:
		op, cond = glua.OP_EQ, !cond
	case tLe:
		op = glua.OP_LE
	case tGt:
		a, b = b, a
	case tGe:
		op, a, b = glua.OP_LE, b, a
	}
	g.abc(op, bit(cond), a, b, e.at)
}

// boolean puts the truth of a condition into r.
func (g *generator) boolean(e *expr, r int) {
	isTrue := g.branch(e, true)
	g.abc(glua.OP_LOADBOOL, r, 0, 1, e.at)
	g.patchHere(isTrue, e.at)
	g.abc(glua.OP_LOADBOOL, r, 1, 0, e.at)
}

// logical puts the value of a and b or of a or b into r.
func (g *generator) logical(e *expr, r int) {
	done := g.decide(e.a, r, e.op == eOr)
	g.into(e.b, r)
	g.patchHere(done, e.at)
}

// decide emits code that, if the truth of e is cond, puts its value into r and
// jumps. It returns the jumps.
func (g *generator) decide(e *expr, r int, cond bool) int {
	if g.depth++; g.depth > maxChain {
		g.fail(e.at, "expression is too long")
	}
	defer func(free int) { g.depth--; g.free = free }(g.free)
	if t := constTruth(e); t != 0 {
		if (t > 0) != cond {
			return noJump
		}
		g.into(e, r)
		return g.jump(noJump, e.at)
	}
	switch e.op {
	case eNot, eCompare:
		skip := g.branch(e, !cond)
		g.abc(glua.OP_LOADBOOL, r, bit(cond), 0, e.at)
		list := g.jump(noJump, e.at)
		g.patchHere(skip, e.at)
		return list
	case eAnd, eOr:
		if (e.op == eOr) == cond {
			list := g.decide(e.a, r, cond)
			return g.join(list, g.decide(e.b, r, cond), e.at)
		}
		skip := g.branch(e.a, !cond)
		list := g.decide(e.b, r, cond)
		g.patchHere(skip, e.at)
		return list
	}
	if e.op != eLocal && g.fresh(r) {
		g.into(e, r)
		g.abc(glua.OP_TEST, r, 0, bit(cond), e.at)
	} else if reg := g.anyReg(e); reg == r {
		g.abc(glua.OP_TEST, r, 0, bit(cond), e.at)
	} else {
		g.abc(glua.OP_TESTSET, r, reg, bit(cond), e.at)
	}
	return g.jump(noJump, e.at)
}
