package lua

import (
	"errors"
	"fmt"

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
	if place, ok := placeAt(L, 0); ok {
		e.Cause = &Fault{Place: place, Msg: v.String()}
	}
	panic(e)
}
