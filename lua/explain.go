package lua

import (
	"context"
	"errors"
	"fmt"
	"strings"

	glua "github.com/yuin/gopher-lua"
)

// Place is a place in a chunk.
type Place struct {
	Chunk     string
	Line, Col int    // from 1; Col 0: not known
	Source    string // text of the whole chunk; may be empty
}

// String is chunk:line, the form in which Lua's messages begin.
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.Chunk, p.Line) }

// Snippet is the source line with a caret below the place, or empty.
func (p Place) Snippet() string { return snippet(p.Source, p.Line, p.Col) }

// Fault is where a run-time error was raised. It travels as the Cause of the
// *glua.ApiError that raise throws, beside the Lua value, so that whoever shows
// the error can show the source line.
type Fault struct {
	Place
	Msg string // message without position, names added
}

func (f *Fault) Error() string { return f.Place.String() + ": " + f.Msg }

// placeOf finds the place that an error caught from gopher-lua was raised at.
func placeOf(err error) (Place, bool) {
	var api *glua.ApiError
	if errors.As(err, &api) && api.Cause != nil {
		err = api.Cause
	}
	var f *Fault
	if errors.As(err, &f) {
		return f.Place, true
	}
	var s *SyntaxError
	if errors.As(err, &s) {
		return Place{s.Chunk, s.Line, s.Col, s.Source}, true
	}
	return Place{}, false
}

// placeAt says what the Lua function at a level of L's call stack is doing:
// 0 is the innermost Lua function (the caller, when a Go function asks), 1 the
// Lua function that called it, and so on; Go functions are not counted.
func placeAt(L *State, level int) (Place, bool) {
	for f := topFrame(L); f != nil; f = f.Parent {
		if f.Fn.IsG {
			continue
		}
		if level == 0 {
			return placeIn(f.Fn.Proto, f.Pc-1), true
		}
		level--
	}
	return Place{}, false
}

// placeIn is the place of the instruction at index pc of a function.
func placeIn(p *glua.FunctionProto, pc int) Place {
	place := Place{Chunk: p.SourceName}
	if pc >= 0 && pc < len(p.DbgSourcePositions) {
		place.Line = p.DbgSourcePositions[pc]
		if d := debugOf(p); d != nil {
			place.Col, place.Source = int(d.cols[pc]), d.chunk.source
		}
	}
	return place
}

// throw is the Panic of every state: the host sets it (L.Panic = throw) on the
// states on which it runs Lua. gopher-lua calls it at the place of the error,
// with the stack still whole and the error value on top. It words the message
// of a run-time error as Lua does, with the name of the culprit, adds the
// place, and throws a *glua.ApiError whose Cause is a *Fault.
func throw(L *State) {
	v := L.Get(-1)
	e := &glua.ApiError{Type: glua.ApiErrorRun, Object: v}
	text, isText := v.(String)
	msg := string(text)
	place, ok := placeAt(L, 0)
	if isText {
		if words, changed := reword(L, msg); changed {
			if msg = words; ok {
				words = place.String() + ": " + words
			}
			e.Object = String(words)
		} else if !ok {
			// gopher-lua separates the message from a position that is not there.
			msg = strings.TrimPrefix(msg, " ")
			e.Object = String(msg)
		} else {
			// error("…", 2) speaks of the caller.
			for level := 0; level < 4; level++ {
				p, ok := placeAt(L, level)
				if !ok {
					break
				}
				if rest, ok := strings.CutPrefix(msg, p.String()+": "); ok {
					place, msg = p, rest
					break
				}
			}
		}
	}
	if ok {
		e.Cause = &Fault{Place: place, Msg: msg}
	}
	panic(e)
}

// starter is the context that a coroutine begins with: gopher-lua gives it a
// Panic of its own when it is first resumed, and asks its context before the
// first instruction.
type starter struct {
	context.Context
	co *State
}

func (s *starter) Done() <-chan struct{} {
	s.co.Panic = throw
	s.co.SetContext(s.Context)
	return s.Context.Done()
}

// The messages of gopher-lua's virtual machine that are reworded.
const (
	vmCall    = "attempt to call a non-function object"
	vmIndex   = "attempt to index a non-table object("
	vmArith   = "cannot perform "
	vmUnm     = "__unm undefined"
	vmLen     = "__len undefined"
	vmCompare = "attempt to compare "
	vmFor     = "for statement "
)

var vmPlain = map[string]string{
	"too many recursions in gettable":           "loop in gettable",
	"too many recursions in settable":           "loop in settable",
	"registry overflow":                         "stack overflow",
	"can not yield from outside of a coroutine": "attempt to yield from outside a coroutine",
}

// reword is Lua's message, without position, for one of the virtual machine's.
func reword(L *State, s string) (string, bool) {
	f := topFrame(L)
	if f == nil { // the host calls something
		if strings.TrimSpace(s) == vmCall {
			return "attempt to call a " + L.Get(1).Type().String() + " value", true
		}
		return s, false
	}
	inGo := f.Fn.IsG
	for f != nil && f.Fn.IsG {
		f = f.Parent
	}
	if f == nil {
		return s, false
	}
	p, pc := f.Fn.Proto, f.Pc-1
	// The virtual machine puts "chunk:line: " in front.
	msg := s
	if i := strings.Index(s, ": "); strings.HasPrefix(s, p.SourceName) && i >= 0 {
		if rest, ok := strings.CutPrefix(s[len(p.SourceName):], ":"); ok {
			if j := strings.Index(rest, ": "); j >= 0 {
				msg = rest[j+2:]
			}
		}
	}
	var a, b opnd
	if d := debugOf(p); d != nil {
		a, b = d.operands(pc)
	}
	if inGo {
		switch {
		case a.kind() >= oForInit && a.kind() <= oForStep && strings.HasPrefix(msg, "attempt to perform arithmetic on"):
			return forMessage(a), true
		case msg == vmCall:
			return "attempt to call a value that is no function", true
		case strings.HasPrefix(msg, vmIndex):
			kind, _, _ := strings.Cut(msg[len(vmIndex):], ")")
			return "attempt to index a " + kind + " value", true
		}
		return s, false
	}
	inst := p.Code[pc]
	switch {
	case msg == vmCall:
		reg := int(inst >> 18 & 0xff)
		if inst>>26 == uint32(glua.OP_TFORLOOP) {
			reg += 3
		}
		kind := register(L, reg).Type().String()
		if a.kind() == oForIterator {
			if kind == "table" {
				return "attempt to call a table value (for iterator; is pairs or ipairs missing?)", true
			}
			return "attempt to call a " + kind + " value (for iterator)", true
		}
		return "attempt to call a " + kind + " value" + a.text(p), true
	case strings.HasPrefix(msg, vmIndex):
		kind, _, _ := strings.Cut(msg[len(vmIndex):], ")")
		reg := int(inst & maxArgC)
		switch int(inst >> 26) {
		case glua.OP_SETTABLE, glua.OP_SETTABLEKS:
			reg = int(inst >> 18 & 0xff)
		case glua.OP_GETGLOBAL, glua.OP_SETGLOBAL:
			reg = -1
		}
		// It may be another value than the operand: its __index.
		if reg < 0 || register(L, reg).Type().String() != kind {
			a = 0
		}
		return "attempt to index a " + kind + " value" + a.text(p), true
	case strings.HasPrefix(msg, vmArith):
		_, kinds, ok := strings.Cut(msg, " operation between ")
		if !ok {
			return s, false
		}
		if a.kind() >= oForInit && a.kind() <= oForStep {
			return forMessage(a), true
		}
		left, right, _ := strings.Cut(kinds, " and ")
		if strings.HasPrefix(msg, "cannot perform concat") {
			if left == "string" || left == "number" {
				left = right
			}
			return "attempt to concatenate a " + left + " value", true
		}
		if left == "number" {
			left, a = right, b
		}
		return "attempt to perform arithmetic on a " + left + " value" + a.text(p), true
	case msg == vmUnm:
		return "attempt to perform arithmetic on a " + operandType(L, p, int(inst&maxArgC)) + " value" + a.text(p), true
	case msg == vmLen:
		return "attempt to get length of a " + operandType(L, p, int(inst&maxArgC)) + " value" + a.text(p), true
	case strings.HasPrefix(msg, vmCompare):
		left, right, ok := strings.Cut(msg[len(vmCompare):], " with ")
		if !ok {
			return s, false
		}
		if left == right {
			return "attempt to compare two " + left + " values", true
		}
		return msg, true
	case strings.HasPrefix(msg, vmFor):
		switch {
		case strings.Contains(msg, "init"):
			return forMessage(oForInit), true
		case strings.Contains(msg, "limit"):
			return forMessage(oForLimit), true
		}
		return forMessage(oForStep), true
	}
	if words := vmPlain[msg]; words != "" {
		return words, true
	}
	return s, false
}

func forMessage(o opnd) string {
	switch o.kind() {
	case oForInit:
		return "'for' initial value must be a number"
	case oForLimit:
		return "'for' limit must be a number"
	}
	return "'for' step must be a number"
}

// register is the value of a register of the running Lua function.
func register(L *State, reg int) Value {
	if dbg, ok := L.GetStack(0); ok {
		if _, v := L.GetLocal(dbg, reg+1); v != nil {
			return v
		}
	}
	return Nil
}

func operandType(L *State, p *glua.FunctionProto, rk int) string {
	if rk&opBitRk != 0 {
		return p.Constants[rk&^opBitRk].Type().String()
	}
	return register(L, rk).Type().String()
}

// culprit names operand i, from 1, of the operator that the innermost Lua code
// is executing, for Go functions that stand in for operators: " (local 'x')".
// It is empty for an operand without a name.
func culprit(L *State, i int) string {
	for f := topFrame(L); f != nil; f = f.Parent {
		if f.Fn.IsG {
			continue
		}
		p := f.Fn.Proto
		d := debugOf(p)
		if d == nil {
			return ""
		}
		if names := d.list(f.Pc - 1); names != nil {
			if i <= len(names) {
				return names[i-1].text(p)
			}
			return ""
		}
		a, b := d.operands(f.Pc - 1)
		if i == 2 {
			a = b
		}
		if a.kind() == oMethod { // a call, not an operator
			return ""
		}
		return a.text(p)
	}
	return ""
}

// isMethodCall reports that the instruction at pc calls with a colon.
func isMethodCall(p *glua.FunctionProto, pc int) bool {
	d := debugOf(p)
	if d == nil {
		return false
	}
	a, _ := d.operands(pc)
	return a.kind() == oMethod
}
