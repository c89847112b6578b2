package lua

// The syntax tree. Names are resolved while it is built, so a use of a local
// variable points to the variable itself, and by the time code is generated
// each variable knows whether a closure captures it.

type exprOp uint8

const (
	eNil exprOp = iota
	eTrue
	eFalse
	eNumber // num
	eString // str
	eDots
	eFunction // fn
	eLocal    // v
	eUpvalue  // str, index
	eGlobal   // str
	eIndex    // a[b]
	eCall     // a(list...)
	eMethod   // a:str(list...)
	eTable    // items
	eAnd
	eOr
	eNot
	eNeg
	eLen
	eArith   // tok is the operator
	eCompare // tok is the operator
	eConcat  // list, two operands at least
)

type expr struct {
	op    exprOp
	tok   kind
	paren bool // in parentheses: one value, and not a variable to assign to
	at    at   // the token that names it: a.b.c is at c, x + y at +, f(x) at f
	index int
	str   string
	num   float64
	a, b  *expr
	pc    int32  // of a division's instruction
	shape *Shape // of a call that may be of a Recorder
	v     *local
	list  []*expr
	items []item
	fn    *funcNode
}

// multi reports whether the expression can have any number of values.
func (e *expr) multi() bool {
	return !e.paren && (e.op == eCall || e.op == eMethod || e.op == eDots)
}

// item is a field of a table constructor; key is nil for a positional one.
type item struct{ key, value *expr }

// local is a local variable.
type local struct {
	name     string
	captured bool // by a closure
	reg      int  // set when code is generated
	dbg      int  // its index in the debug information
}

// upvalue is a variable of an enclosing function that a function uses: a local
// variable of the function around it, or that function's own upvalue.
type upvalue struct {
	name  string
	v     *local
	index int
}

// funcNode is a function body.
type funcNode struct {
	params   []*local
	vararg   bool
	usesDots bool
	main     bool
	input    bool // typed at the prompt: keeps its frame, whose line errors name
	upvalues []upvalue
	body     *block
	at, end  at
}

type block struct {
	stmts    []*stmt
	captured bool // one of its own variables is
	end      at   // the token behind it
}

type stmtOp uint8

const (
	sLocal    stmtOp = iota // vars = rhs
	sLocalFn                // vars[0], rhs[0]
	sAssign                 // lhs = rhs
	sCall                   // rhs[0]
	sDo                     // body
	sWhile                  // cond, body
	sRepeat                 // body, cond
	sIf                     // clauses
	sFor                    // vars[0..3] the last the visible one, rhs init limit step
	sForIn                  // vars[0..2] hidden, rhs
	sReturn                 // rhs
	sBreak                  // nothing
	sGoto                   // label
	sLabel                  // label
	sFunction               // lhs[0] = rhs[0], declared as function a.b.c:m()
)

type stmt struct {
	op      stmtOp
	at      at
	lhs     []*expr
	rhs     []*expr
	vars    []*local
	cond    *expr
	body    *block
	clauses []clause
	label   *label
}

// clause is a condition and what happens if it holds; cond is nil for else.
type clause struct {
	cond *expr
	body *block
}

// label is where a goto leads.
type label struct {
	name   string
	at     at
	active int // variables in scope there
	pc     int // -1 until code is generated for it
	jumps  int // list of jumps that wait for pc
}
