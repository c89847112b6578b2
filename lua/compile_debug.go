package lua

import (
	"sort"

	glua "github.com/yuin/gopher-lua"
)

// debugInfo is what is known of a function's instructions beyond gopher-lua's
// own debug information. It is the value of the last constant of the function,
// so it lives exactly as long as the code.
type debugInfo struct {
	chunk  *chunkInfo
	cols   []int32    // of each instruction
	notes  []note     // by pc
	lists  []nameList // by pc
	concat int        // index of the constant concatFunction, plus one
	record int        // of recordFunction
	chains []chain    // by pc
}

// chain is a division whose operands are nowhere else: results of another one, as in a / b / c, or
// of calls of a Recorder.
type chain struct {
	pc, left int32
	a, b     *Shape
}

// note names the operands of an instruction that can fail.
type note struct {
	pc   int32
	a, b opnd
}

// nameList names the operands of a concatenation.
type nameList struct {
	pc    int32
	names []opnd
}

// opnd says what an operand is: a kind and the index of its name in the
// function's own tables.
type opnd int32

const (
	oNone     = iota
	oLocal    // DbgLocals
	oUpvalue  // DbgUpvalues
	oGlobal   // Constants, as are the rest
	oField    //
	oMethod   //
	oConstant //
	oForInit
	oForLimit
	oForStep
	oForIterator
)

const opndKinds = 16

func newOpnd(kind, index int) opnd { return opnd(index*opndKinds + kind) }

func (o opnd) kind() int  { return int(o) % opndKinds }
func (o opnd) index() int { return int(o) / opndKinds }

func (d *debugInfo) note(pc int, a, b opnd) {
	if a != 0 || b != 0 {
		d.notes = append(d.notes, note{int32(pc), a, b})
	}
}

func (d *debugInfo) noteList(pc int, names []opnd) {
	d.lists = append(d.lists, nameList{int32(pc), names})
}

// describe says what e is.
func (g *generator) describe(e *expr) opnd {
	switch e.op {
	case eLocal:
		return newOpnd(oLocal, e.v.dbg)
	case eUpvalue:
		return newOpnd(oUpvalue, e.index)
	case eGlobal:
		return newOpnd(oGlobal, g.strK(e.str, e.at))
	case eIndex:
		if e.b.op == eString {
			return newOpnd(oField, g.strK(e.b.str, e.at))
		}
	case eMethod:
		return 0
	case eString:
		return newOpnd(oConstant, g.strK(e.str, e.at))
	}
	return 0
}

// debugOf is the debug information of a function, nil for one that compile
// has not made.
func debugOf(p *glua.FunctionProto) *debugInfo {
	if n := len(p.Constants); n > 0 {
		if ud, ok := p.Constants[n-1].(*glua.LUserData); ok {
			d, _ := ud.Value.(*debugInfo)
			return d
		}
	}
	return nil
}

func (d *debugInfo) operands(pc int) (a, b opnd) {
	i := sort.Search(len(d.notes), func(i int) bool { return int(d.notes[i].pc) >= pc })
	if i < len(d.notes) && int(d.notes[i].pc) == pc {
		return d.notes[i].a, d.notes[i].b
	}
	return 0, 0
}

func (d *debugInfo) list(pc int) []opnd {
	i := sort.Search(len(d.lists), func(i int) bool { return int(d.lists[i].pc) >= pc })
	if i < len(d.lists) && int(d.lists[i].pc) == pc {
		return d.lists[i].names
	}
	return nil
}

// text is how an error message names an operand: " (local 'x')", or "".
func (o opnd) text(p *glua.FunctionProto) string {
	constant := func() string {
		if s, ok := p.Constants[o.index()].(glua.LString); ok {
			return string(s)
		}
		return "?"
	}
	switch o.kind() {
	case oLocal:
		return " (local '" + p.DbgLocals[o.index()].Name + "')"
	case oUpvalue:
		return " (upvalue '" + p.DbgUpvalues[o.index()] + "')"
	case oGlobal:
		return " (global '" + constant() + "')"
	case oField:
		return " (field '" + constant() + "')"
	case oMethod:
		return " (method '" + constant() + "')"
	case oConstant:
		return " (constant '" + constant() + "')"
	}
	return ""
}
