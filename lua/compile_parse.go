package lua

import "fmt"

// maxLevels is how deep syntax may nest, as in Lua 5.1 (LUAI_MAXCCALLS).
const maxLevels = 200

// maxLocals is how many local variables one function may have in scope, as in
// Lua 5.1 (LUAI_MAXVARS).
const maxLocals = 200

// maxUpvalues is bounded by the octet that gopher-lua counts them in.
const maxUpvalues = 255

type parser struct {
	lexer
	tok      token // the current one
	ahead    token // the one behind it, if hasNext
	hasNext  bool
	lastLine int32 // on which the token before tok ended
	levels   int
	fs       *funcScope

	exprs []expr // not yet used nodes: one allocation for many
	stmts []stmt
}

// funcScope is a function that is being parsed.
type funcScope struct {
	fn      *funcNode
	parent  *funcScope
	active  []*local // in scope; the index is the register
	block   *blockScope
	pending []pendingGoto
}

type blockScope struct {
	parent  *blockScope
	active  int // len(active) at its beginning
	pending int // len(pending) at its beginning
	loop    bool
	labels  []*label
}

type pendingGoto struct {
	stmt   *stmt
	name   string
	active int // variables in scope at the goto, as seen from the current block
}

func (p *parser) newExpr(op exprOp, where at) *expr {
	if len(p.exprs) == 0 {
		p.exprs = make([]expr, min(32, 4+(len(p.src)-p.pos)/8))
	}
	e := &p.exprs[0]
	p.exprs = p.exprs[1:]
	e.op, e.at = op, where
	return e
}

func (p *parser) newStmt(op stmtOp, where at) *stmt {
	if len(p.stmts) == 0 {
		p.stmts = make([]stmt, min(16, 1+(len(p.src)-p.pos)/16))
	}
	s := &p.stmts[0]
	p.stmts = p.stmts[1:]
	s.op, s.at = op, where
	return s
}

// advance steps to the next token.
func (p *parser) advance() {
	if p.hasNext { // tok is a name, which has one line
		p.lastLine = p.tok.at.line
		p.tok, p.hasNext = p.ahead, false
		return
	}
	p.lastLine = p.line
	p.next(&p.tok)
}

// peekKind is the kind of the token behind the current one.
func (p *parser) peekKind() kind {
	if !p.hasNext {
		p.next(&p.ahead)
		p.hasNext = true
	}
	return p.ahead.kind
}

func (p *parser) fail(format string, args ...any) {
	p.errorAt(p.tok.at, p.near(&p.tok), format, args...)
}

func (p *parser) accept(k kind) bool {
	if p.tok.kind == k {
		p.advance()
		return true
	}
	return false
}

func (p *parser) expect(k kind) {
	if p.tok.kind != k {
		p.expected(k)
	}
	p.advance()
}

func (p *parser) expected(k kind) {
	p.advise()
	hint := ""
	if p.tok.kind == tAssign && (k == tThen || k == tDo) {
		hint = " (comparison is written '==')"
	}
	p.fail("'%s' expected%s", k, hint)
}

// match expects the token that closes what open began.
func (p *parser) match(k, open kind, where at) {
	if p.tok.kind != k {
		p.advise()
		if where.line == p.tok.at.line {
			p.fail("'%s' expected", k)
		}
		p.fail("'%s' expected (to close '%s' at line %d)", k, open, where.line)
	}
	p.advance()
}

func (p *parser) name() string {
	if p.tok.kind != tName {
		p.advise()
		p.fail("<name> expected")
	}
	s := p.tok.str
	p.advance()
	return s
}

// advise refuses a token that only other languages and later Luas have, and
// says what to write.
func (p *parser) advise() {
	var text string
	switch p.tok.kind {
	case tIdiv:
		text = "there is no operator '//': write math.floor(a / b); comments begin with '--'"
	case tAmp:
		text = "there is no operator '&': write bit.band(a, b)"
	case tPipe:
		text = "there is no operator '|': write bit.bor(a, b)"
	case tTilde:
		text = "there is no operator '~': write bit.bxor(a, b), or bit.bnot(a) for one operand; 'not equal' is '~='"
	case tShl:
		text = "there is no operator '<<': write bit.lshift(a, n), or a * 2^n"
	case tShr:
		text = "there is no operator '>>': write bit.rshift(a, n), or math.floor(a / 2^n)"
	case tBangEq:
		text = "there is no operator '!=': write '~='"
	case tBang:
		text = "there is no operator '!': write 'not'"
	case tAmpAmp:
		text = "there is no operator '&&': write 'and'"
	case tPipePipe:
		text = "there is no operator '||': write 'or'"
	case tQuestion:
		text = "there is no operator '?': write 'condition and a or b'"
	case tPlusPlus:
		text = "there is no operator '++': write 'x = x + 1'"
	case tOpAssign:
		op := p.src[p.tok.start:p.tok.end]
		text = fmt.Sprintf("there is no operator '%s': write 'x = x %s y'", op, op[:len(op)-1])
	case tArrow:
		text = "there is no '=>': a function is written 'function(x) return x end'"
	default:
		return
	}
	p.fail("%s", text)
}

func (p *parser) enter() {
	if p.levels++; p.levels > maxLevels {
		p.errorAt(p.tok.at, "", "chunk has too many syntax levels")
	}
}

func (p *parser) leave() { p.levels-- }

// ---- scopes ----

func (p *parser) declare(v *local, where at) {
	fs := p.fs
	if len(fs.active) >= maxLocals {
		p.errorAt(where, quoted(v.name), "too many local variables (a function can have %d)", maxLocals)
	}
	fs.active = append(fs.active, v)
}

func (p *parser) openBlock(loop bool) *blockScope {
	fs := p.fs
	fs.block = &blockScope{parent: fs.block, active: len(fs.active), pending: len(fs.pending), loop: loop}
	return fs.block
}

// closeBlock ends the scope of b's variables and reports whether one of them
// is captured.
func (p *parser) closeBlock() (captured bool) {
	fs := p.fs
	b := fs.block
	for _, v := range fs.active[b.active:] {
		captured = captured || v.captured
	}
	fs.active = fs.active[:b.active]
	fs.block = b.parent
	for i := b.pending; i < len(fs.pending); i++ {
		fs.pending[i].active = min(fs.pending[i].active, b.active)
	}
	if b.parent == nil && len(fs.pending) > 0 {
		g := fs.pending[0]
		p.errorAt(g.stmt.at, quoted(g.name), "no visible label '%s' for goto", g.name)
	}
	return captured
}

// variable resolves a name.
func (p *parser) variable(name string, where at) *expr {
	e := p.newExpr(eGlobal, where)
	e.str = name
	if v := p.fs.find(name); v != nil {
		e.op, e.v = eLocal, v
	} else if i := p.upvalue(p.fs, name, where); i >= 0 {
		e.op, e.index = eUpvalue, i
	}
	return e
}

func (fs *funcScope) find(name string) *local {
	for i := len(fs.active) - 1; i >= 0; i-- {
		if v := fs.active[i]; v.name == name {
			return v
		}
	}
	return nil
}

// upvalue is the index of the upvalue of that name, -1 if the name is global.
func (p *parser) upvalue(fs *funcScope, name string, where at) int {
	if fs.parent == nil {
		return -1
	}
	// The scopes around a function do not change while it is parsed, so a
	// name means the same variable everywhere in it.
	for i := range fs.fn.upvalues {
		if fs.fn.upvalues[i].name == name {
			return i
		}
	}
	up := upvalue{name: name, index: -1}
	if up.v = fs.parent.find(name); up.v != nil {
		up.v.captured = true
	} else if up.index = p.upvalue(fs.parent, name, where); up.index < 0 {
		return -1
	}
	if len(fs.fn.upvalues) >= maxUpvalues {
		p.errorAt(where, quoted(name), "too many upvalues (a function can use %d variables of the functions around it)", maxUpvalues)
	}
	fs.fn.upvalues = append(fs.fn.upvalues, up)
	return len(fs.fn.upvalues) - 1
}

// ---- functions and blocks ----

func (p *parser) chunk() *funcNode {
	fn := &funcNode{vararg: true, usesDots: true, main: true, at: at{0, 0}}
	p.fs = &funcScope{fn: fn}
	p.openBlock(false)
	fn.body = p.statements()
	fn.body.captured = p.closeBlock()
	fn.end = p.tok.at
	if p.tok.kind != tEOF {
		p.fail("'<eof>' expected")
	}
	return fn
}

// block parses a block with a scope of its own.
func (p *parser) block(loop bool) *block {
	p.openBlock(loop)
	b := p.statements()
	b.captured = p.closeBlock()
	return b
}

func (p *parser) blockEnds() bool {
	switch p.tok.kind {
	case tEOF, tEnd, tElse, tElseif, tUntil:
		return true
	}
	return false
}

func (p *parser) statements() *block {
	p.enter()
	b := &block{}
	for !p.blockEnds() {
		if p.tok.kind == tSemicolon {
			p.advance()
			continue
		}
		last := p.tok.kind == tReturn
		b.stmts = p.statement(b.stmts)
		p.accept(tSemicolon)
		if last {
			break
		}
	}
	b.end = p.tok.at
	p.leave()
	return b
}

// funcBody parses parameters, block and end. method adds self.
func (p *parser) funcBody(where at, method bool) *expr {
	fn := &funcNode{at: where}
	fs := &funcScope{fn: fn, parent: p.fs}
	p.fs = fs
	p.openBlock(false)
	if method {
		v := &local{name: "self"}
		p.declare(v, where)
		fn.params = append(fn.params, v)
	}
	p.expect(tLparen)
	for p.tok.kind != tRparen {
		if p.tok.kind == tDots {
			p.advance()
			fn.vararg = true
			break
		}
		if p.tok.kind != tName {
			p.advise()
			p.fail("<name> or '...' expected")
		}
		v := &local{name: p.tok.str}
		p.declare(v, p.tok.at)
		fn.params = append(fn.params, v)
		p.advance()
		if !p.accept(tComma) {
			break
		}
		if p.tok.kind == tRparen {
			p.fail("<name> or '...' expected")
		}
	}
	p.expect(tRparen)
	if fn.vararg {
		// Lua 5.1 gives a function that does not use '...' its arguments in a
		// local table arg, and gopher-lua's call reserves the register for it.
		p.declare(&local{name: "arg"}, where)
	}
	fn.body = p.statements()
	fn.end = p.tok.at
	p.match(tEnd, tFunction, where)
	fn.body.captured = p.closeBlock()
	p.fs = fs.parent
	e := p.newExpr(eFunction, where)
	e.fn = fn
	return e
}

// ---- statements ----

func (p *parser) statement(out []*stmt) []*stmt {
	where := p.tok.at
	switch p.tok.kind {
	case tIf:
		return append(out, p.ifStat(where))
	case tWhile:
		p.advance()
		s := p.newStmt(sWhile, where)
		s.cond = p.expr()
		p.expect(tDo)
		s.body = p.block(true)
		p.match(tEnd, tWhile, where)
		return append(out, s)
	case tDo:
		p.advance()
		s := p.newStmt(sDo, where)
		s.body = p.block(false)
		p.match(tEnd, tDo, where)
		return append(out, s)
	case tFor:
		return append(out, p.forStat(where))
	case tRepeat:
		p.advance()
		s := p.newStmt(sRepeat, where)
		p.openBlock(true)
		s.body = p.statements()
		p.match(tUntil, tRepeat, where)
		s.cond = p.expr() // sees the variables of the block
		s.body.captured = p.closeBlock()
		return append(out, s)
	case tFunction:
		return append(out, p.funcStat(where))
	case tLocal:
		p.advance()
		if p.accept(tFunction) {
			s := p.newStmt(sLocalFn, where)
			v := &local{name: p.tok.str}
			nameAt := p.tok.at
			p.name()
			p.declare(v, nameAt)
			s.vars = []*local{v}
			s.rhs = []*expr{p.funcBody(where, false)}
			return append(out, s)
		}
		return append(out, p.localStat(where))
	case tLabel:
		return p.labels(out)
	case tReturn:
		p.advance()
		s := p.newStmt(sReturn, where)
		if !p.blockEnds() && p.tok.kind != tSemicolon {
			s.rhs = p.exprList()
		}
		p.accept(tSemicolon)
		if !p.blockEnds() {
			if p.levels == 1 {
				p.fail("'<eof>' expected ('return' must be the last statement; write 'do return end' to leave earlier)")
			}
			p.fail("'end' expected ('return' must be the last statement of its block; write 'do return end' to leave earlier)")
		}
		return append(out, s)
	case tBreak:
		p.advance()
		for b := p.fs.block; ; b = b.parent {
			if b == nil {
				p.errorAt(where, quoted("break"), "no loop to break")
			}
			if b.loop {
				return append(out, p.newStmt(sBreak, where))
			}
		}
	case tName:
		// goto is no reserved word in Lua 5.1, so a name in any other place.
		if p.tok.str == "goto" && p.peekKind() == tName {
			return append(out, p.gotoStat(where))
		}
	}
	return append(out, p.exprStat(where))
}

func (p *parser) ifStat(where at) *stmt {
	s := p.newStmt(sIf, where)
	for {
		p.advance() // if or elseif
		c := clause{cond: p.expr()}
		p.expect(tThen)
		c.body = p.block(false)
		s.clauses = append(s.clauses, c)
		if p.tok.kind != tElseif {
			break
		}
	}
	if p.accept(tElse) {
		s.clauses = append(s.clauses, clause{body: p.block(false)})
	}
	p.match(tEnd, tIf, where)
	return s
}

func (p *parser) forStat(where at) *stmt {
	p.advance()
	firstAt := p.tok.at
	first := p.name()
	hidden := func(names ...string) (vs []*local) {
		for _, n := range names {
			vs = append(vs, &local{name: n})
		}
		return vs
	}
	switch p.tok.kind {
	case tAssign:
		s := p.newStmt(sFor, where)
		p.advance()
		s.rhs = append(s.rhs, p.expr())
		p.expect(tComma)
		s.rhs = append(s.rhs, p.expr())
		if p.accept(tComma) {
			s.rhs = append(s.rhs, p.expr())
		}
		s.vars = append(hidden("(for index)", "(for limit)", "(for step)"), &local{name: first})
		s.body = p.loopBody(s, where, []at{where, where, where, firstAt})
		return s
	case tComma, tIn:
		s := p.newStmt(sForIn, where)
		s.vars = append(hidden("(for generator)", "(for state)", "(for control)"), &local{name: first})
		places := []at{where, where, where, firstAt}
		for p.accept(tComma) {
			places = append(places, p.tok.at)
			s.vars = append(s.vars, &local{name: p.name()})
		}
		p.expect(tIn)
		s.rhs = p.exprList()
		s.body = p.loopBody(s, where, places)
		return s
	}
	p.advise()
	p.fail("'=' or 'in' expected")
	return nil
}

// loopBody parses do block end with the variables of a for loop in scope.
func (p *parser) loopBody(s *stmt, where at, places []at) *block {
	p.expect(tDo)
	p.openBlock(false)
	for i, v := range s.vars[:3] {
		p.declare(v, places[i])
	}
	// The visible variables belong to the body: each turn has its own.
	p.openBlock(true)
	for i, v := range s.vars[3:] {
		p.declare(v, places[i+3])
	}
	b := p.statements()
	b.captured = p.closeBlock()
	p.closeBlock()
	p.match(tEnd, tFor, where)
	return b
}

func (p *parser) funcStat(where at) *stmt {
	p.advance()
	s := p.newStmt(sFunction, where)
	target := p.variable(p.tok.str, p.tok.at)
	p.name()
	method := false
	for p.tok.kind == tDot || p.tok.kind == tColon {
		method = p.tok.kind == tColon
		p.advance()
		target = p.field(target)
		if method {
			break
		}
	}
	s.lhs = []*expr{target}
	s.rhs = []*expr{p.funcBody(where, method)}
	return s
}

func (p *parser) localStat(where at) *stmt {
	s := p.newStmt(sLocal, where)
	var places []at
	for {
		places = append(places, p.tok.at)
		s.vars = append(s.vars, &local{name: p.name()})
		if p.tok.kind == tLt {
			p.fail("there are no attributes like <const> and <close> here: write 'local %s' alone", s.vars[len(s.vars)-1].name)
		}
		if !p.accept(tComma) {
			break
		}
	}
	if p.accept(tAssign) {
		s.rhs = p.exprList()
	} else {
		p.advise()
	}
	for i, v := range s.vars {
		p.declare(v, places[i])
	}
	return s
}

func (p *parser) gotoStat(where at) *stmt {
	p.advance()
	s := p.newStmt(sGoto, where)
	name := p.name()
	for b := p.fs.block; b != nil; b = b.parent {
		for _, l := range b.labels {
			if l.name == name {
				s.label = l
				return s
			}
		}
	}
	p.fs.pending = append(p.fs.pending, pendingGoto{s, name, len(p.fs.active)})
	return s
}

// labels parses a run of labels and empty statements.
func (p *parser) labels(out []*stmt) []*stmt {
	fs := p.fs
	b := fs.block
	first := len(b.labels)
	for p.tok.kind == tLabel || p.tok.kind == tSemicolon {
		if p.tok.kind == tSemicolon {
			p.advance()
			continue
		}
		where := p.tok.at
		p.advance()
		l := &label{at: where, pc: -1, jumps: noJump, active: len(fs.active)}
		nameTok := p.tok
		l.name = p.name()
		p.expect(tLabel)
		for _, old := range b.labels {
			if old.name == l.name {
				p.errorAt(nameTok.at, p.near(&nameTok), "label '%s' already defined on line %d", l.name, old.at.line)
			}
		}
		b.labels = append(b.labels, l)
		s := p.newStmt(sLabel, where)
		s.label = l
		out = append(out, s)
	}
	for _, l := range b.labels[first:] {
		// At the end of a block its variables are out of scope already.
		if p.blockEnds() && p.tok.kind != tUntil {
			l.active = b.active
		}
		keep := fs.pending[:b.pending]
		for _, g := range fs.pending[b.pending:] {
			if g.name != l.name {
				keep = append(keep, g)
				continue
			}
			if g.active < l.active {
				p.errorAt(g.stmt.at, quoted("goto "+g.name), "label '%s' at line %d is inside the scope of local '%s', which begins behind the goto",
					g.name, l.at.line, fs.active[g.active].name)
			}
			g.stmt.label = l
		}
		fs.pending = keep
	}
	return out
}

// foreign are words of other languages at the beginning of a statement.
var foreign = map[string]string{
	"continue": "there is no 'continue': write 'goto continue' here and '::continue::' before the end of the loop",
	"elif":     "write 'elseif'",
	"elsif":    "write 'elseif'",
	"let":      "a variable is declared with 'local'",
	"var":      "a variable is declared with 'local'",
	"const":    "a variable is declared with 'local'",
	"def":      "a function is declared with 'function name() ... end'",
	"func":     "a function is declared with 'function name() ... end'",
	"fn":       "a function is declared with 'function name() ... end'",
	"import":   "a module is loaded with 'require \"name\"'",
	"switch":   "write a chain of 'if' and 'elseif'",
	"try":      "write 'local ok, err = pcall(function() ... end)'",
}

func (p *parser) exprStat(where at) *stmt {
	first := p.tok
	e := p.suffixed()
	if p.tok.kind == tAssign || p.tok.kind == tComma {
		lhs := []*expr{p.target(e)}
		for p.accept(tComma) {
			lhs = append(lhs, p.target(p.suffixed()))
		}
		s := p.newStmt(sAssign, where)
		s.lhs = lhs
		p.expect(tAssign)
		s.rhs = p.exprList()
		return s
	}
	if (e.op == eCall || e.op == eMethod) && !e.paren {
		p.advise()
		s := p.newStmt(sCall, where)
		s.rhs = []*expr{e}
		return s
	}
	p.advise()
	if first.kind == tName {
		if text, ok := foreign[first.str]; ok && p.tok.kind != tEOF {
			p.errorAt(first.at, p.near(&first), "%s", text)
		}
	}
	if e.op == eLocal || e.op == eUpvalue || e.op == eGlobal || e.op == eIndex {
		p.fail("'=' expected")
	}
	p.fail("syntax error")
	return nil
}

// target checks that a value can be assigned to e.
func (p *parser) target(e *expr) *expr {
	switch e.op {
	case eLocal, eUpvalue, eGlobal, eIndex:
		if !e.paren {
			return e
		}
	}
	p.fail("syntax error (cannot assign to this)")
	return nil
}

// ---- expressions ----

func (p *parser) exprList() []*expr {
	list := []*expr{p.expr()}
	for p.accept(tComma) {
		list = append(list, p.expr())
	}
	return list
}

func (p *parser) expr() *expr { return p.binary(0) }

// Binding powers; .. and ^ are right associative.
const (
	precOr = iota + 1
	precAnd
	precCompare
	precConcat
	precAdd
	precMul
	precUnary
	precPow
)

func precedence(k kind) int {
	switch k {
	case tOr:
		return precOr
	case tAnd:
		return precAnd
	case tEq, tNe, tLt, tLe, tGt, tGe:
		return precCompare
	case tConcat:
		return precConcat
	case tPlus, tMinus:
		return precAdd
	case tStar, tSlash, tPercent:
		return precMul
	case tCaret:
		return precPow
	}
	return 0
}

// binary parses an expression of operators that bind tighter than limit.
func (p *parser) binary(limit int) *expr {
	p.enter()
	left := p.unary()
	for {
		op := p.tok
		prec := precedence(op.kind)
		if prec == 0 {
			p.advise()
		}
		if prec <= limit {
			break
		}
		p.advance()
		switch prec {
		case precConcat:
			e := p.newExpr(eConcat, op.at)
			e.list = append(make([]*expr, 0, 4), left, p.binary(precConcat))
			for p.accept(tConcat) {
				e.list = append(e.list, p.binary(precConcat))
			}
			left = e
			continue
		case precPow:
			e := p.newExpr(eArith, op.at)
			e.tok, e.a, e.b = op.kind, left, p.binary(precUnary)
			left = e
			continue
		}
		e := p.newExpr(eArith, op.at)
		switch prec {
		case precOr:
			e.op = eOr
		case precAnd:
			e.op = eAnd
		case precCompare:
			e.op = eCompare
		}
		e.tok, e.a, e.b = op.kind, left, p.binary(prec)
		left = e
	}
	p.leave()
	return left
}

func (p *parser) unary() *expr {
	op := eNot
	switch p.tok.kind {
	case tNot:
	case tMinus:
		op = eNeg
	case tHash:
		op = eLen
	default:
		return p.simple()
	}
	e := p.newExpr(op, p.tok.at)
	p.advance()
	e.a = p.binary(precUnary)
	return e
}

func (p *parser) simple() *expr {
	t := &p.tok
	var e *expr
	switch t.kind {
	case tNumber:
		e = p.newExpr(eNumber, t.at)
		e.num = t.num
	case tString:
		e = p.newExpr(eString, t.at)
		e.str = t.str
	case tNil:
		e = p.newExpr(eNil, t.at)
	case tTrue:
		e = p.newExpr(eTrue, t.at)
	case tFalse:
		e = p.newExpr(eFalse, t.at)
	case tDots:
		if !p.fs.fn.vararg {
			p.fail("cannot use '...' outside a vararg function")
		}
		p.fs.fn.usesDots = true
		e = p.newExpr(eDots, t.at)
	case tLbrace:
		return p.table()
	case tFunction:
		where := t.at
		p.advance()
		return p.funcBody(where, false)
	default:
		return p.suffixed()
	}
	p.advance()
	return e
}

// suffixed parses a variable, a call or an expression in parentheses.
func (p *parser) suffixed() *expr {
	var e *expr
	switch p.tok.kind {
	case tName:
		e = p.variable(p.tok.str, p.tok.at)
		p.advance()
	case tLparen:
		where := p.tok.at
		p.advance()
		e = p.expr()
		p.match(tRparen, tLparen, where)
		e.paren = true
	default:
		p.advise()
		p.fail("unexpected symbol")
	}
	for {
		switch p.tok.kind {
		case tDot:
			p.advance()
			e = p.field(e)
		case tLbracket:
			where := p.tok.at
			p.advance()
			i := p.newExpr(eIndex, where)
			i.a, i.b = e, p.expr()
			if i.b.at.line == where.line {
				i.at = i.b.at
			}
			p.match(tRbracket, tLbracket, where)
			e = i
		case tColon:
			p.advance()
			if p.tok.kind != tName {
				p.advise()
				p.fail("<name> expected (a method call is written object:method(), a field name = value)")
			}
			m := p.newExpr(eMethod, p.tok.at)
			m.a, m.str = e, p.name()
			m.list = p.args()
			e = m
		case tLparen, tString, tLbrace:
			c := p.newExpr(eCall, e.at)
			if e.op == eCall || e.op == eMethod || e.op == eFunction || e.paren {
				c.at = p.tok.at
			}
			c.a = e
			c.list = p.args()
			e = c
		default:
			return e
		}
	}
}

// field parses the name behind a dot.
func (p *parser) field(a *expr) *expr {
	e := p.newExpr(eIndex, p.tok.at)
	key := p.newExpr(eString, p.tok.at)
	key.str = p.name()
	e.a, e.b = a, key
	return e
}

func (p *parser) args() []*expr {
	switch p.tok.kind {
	case tLparen:
		where := p.tok.at
		if p.lastLine != where.line {
			p.fail("ambiguous syntax (function call x new statement): end the statement above with ';', or put '(' on its line")
		}
		p.advance()
		if p.accept(tRparen) {
			return nil
		}
		list := p.exprList()
		if last := list[len(list)-1]; p.tok.kind == tAssign && (last.op == eGlobal || last.op == eLocal || last.op == eUpvalue || last.op == eString) {
			p.fail("arguments have no names: write f{name = value}, with braces")
		}
		p.match(tRparen, tLparen, where)
		return list
	case tLbrace:
		return []*expr{p.table()}
	case tString:
		e := p.newExpr(eString, p.tok.at)
		e.str = p.tok.str
		p.advance()
		return []*expr{e}
	}
	p.advise()
	p.fail("function arguments expected")
	return nil
}

func (p *parser) table() *expr {
	e := p.newExpr(eTable, p.tok.at)
	where := p.tok.at
	p.expect(tLbrace)
	for p.tok.kind != tRbrace {
		var it item
		switch {
		case p.tok.kind == tName && p.peekKind() == tAssign:
			it.key = p.newExpr(eString, p.tok.at)
			it.key.str = p.tok.str
			p.advance()
			p.advance()
		case p.tok.kind == tLbracket:
			p.advance()
			it.key = p.expr()
			p.expect(tRbracket)
			p.expect(tAssign)
		}
		it.value = p.expr()
		e.items = append(e.items, it)
		if !p.accept(tComma) && !p.accept(tSemicolon) {
			break
		}
	}
	if p.tok.kind == tColon || p.tok.kind == tAssign {
		p.fail("'}' expected (a field is written name = value or [key] = value)")
	}
	p.match(tRbrace, tLbrace, where)
	return e
}
