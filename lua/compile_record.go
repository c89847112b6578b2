package lua

import (
	glua "github.com/yuin/gopher-lua"
)

// A Recorder is called with fields instead of a table of fields. The Value of
// a userdata implements it, beside the __call of its metatable:
//
//	IP{ttl = 3, src = "10.0.0.1"}
//
// makes a table of two fields, calls IP, and throws the table away; the table
// costs more than the packet. Where a name that begins with a capital letter
// is called with a table of named fields, {name = value, …} or {}, the compiler
// asks first whether the callee is a Recorder. If so, it gets the values
// as they are and no table is made. Any other callee is called as it is written.
//
// Record must do what __call with the table would do: a field whose value is
// nil is absent, the others count in the order written, and there is exactly
// one result. It reports errors by Host.Raise; they carry the place of the call.
//
//	func (l *layout) Record(L *lua.State, s *lua.Shape) lua.Value {
//		fields, ok := s.Cache.(*resolved)   // of this place in the source
//		if !ok || fields.layout != l {      // which may call several layouts
//			fields = l.resolve(s.Keys)      // names to fields, once
//			s.Cache = fields
//		}
//		p := l.new()
//		for i, f := range fields.list {
//			if v := s.Value(L, i); v != lua.Nil {
//				p.set(f, v)
//			}
//		}
//		return userdata(p)
//	}
type Recorder interface {
	Record(L *State, s *Shape) Value
}

// A Shape is the names of the fields at one place in the source. Keys has no
// name twice.
type Shape struct {
	Keys    []string
	Divided bool // the result is an operand of a division, and goes nowhere else; see Dividing
	Cache   any  // for the Recorder that is called there: what it made of Keys; nil again when another callee was called
}

// Value is field i of the call that is going on: L is Record's.
func (s *Shape) Value(L *State, i int) Value { return L.Get(i + 3) }

// recordFunction is called with the callee, the shape and the values of the
// fields. It returns the record, or the callee and the table to call it with.
var recordFunction = &Function{IsG: true, GFunction: func(L *State) int {
	callee := L.Get(1)
	s := L.Get(2).(*UserData).Value.(*Shape)
	if ud, ok := callee.(*UserData); ok {
		if r, ok := ud.Value.(Recorder); ok {
			L.Push(r.Record(L, s))
			return 1
		}
	}
	s.Cache = nil
	t := L.CreateTable(0, len(s.Keys))
	for i, k := range s.Keys {
		if v := s.Value(L, i); v != Nil {
			t.RawSetString(k, v)
		}
	}
	L.Push(callee)
	L.Push(t)
	return 2
}}

// maxShape keeps the values of a record within the registers of a frame.
const maxShape = 60

// shapeOf is the shape of a call that may be of a Recorder, or nil.
func shapeOf(e *expr) *Shape {
	if e.shape != nil {
		return e.shape
	}
	if e.op != eCall || len(e.list) != 1 || e.list[0].op != eTable || e.list[0].paren {
		return nil
	}
	var name string
	switch f := e.a; f.op {
	case eLocal:
		name = f.v.name
	case eUpvalue, eGlobal:
		name = f.str
	}
	items := e.list[0].items
	if name == "" || name[0] < 'A' || name[0] > 'Z' || len(items) > maxShape {
		return nil
	}
	s := &Shape{Keys: make([]string, len(items))}
	for i, it := range items {
		if it.key == nil || it.key.op != eString {
			return nil
		}
		for _, k := range s.Keys[:i] {
			if k == it.key.str {
				return nil
			}
		}
		s.Keys[i] = it.key.str
	}
	e.shape = s
	return s
}

// record is call for a call that may be of a Recorder.
func (g *generator) record(e *expr, s *Shape, n int) {
	base, done := g.recordArgs(e, s)
	g.recordCall(glua.OP_CALL, e, base, n)
	end := noJump
	switch {
	case n == anyValue:
		end = g.jump(end, e.at)
		g.patchHere(done, e.at)
		// No values of ... from here on: the record is the last one.
		g.abc(glua.OP_VARARG, base+1, 1, 0, e.at)
	case n > 1:
		end = g.jump(end, e.at)
		g.patchHere(done, e.at)
		g.touch(base+n-1, e.at)
		g.abc(glua.OP_LOADNIL, base+1, base+n-1, 0, e.at)
	default:
		g.patchHere(done, e.at)
	}
	g.patchHere(end, e.at)
}

// recordReturn returns the result of a call that may be of a Recorder, by a
// tail call if it is not.
func (g *generator) recordReturn(e *expr, s *Shape, where at) {
	base, done := g.recordArgs(e, s)
	g.recordCall(glua.OP_TAILCALL, e, base, anyValue)
	g.abc(glua.OP_RETURN, base, 0, 0, where)
	g.patchHere(done, e.at)
	g.abc(glua.OP_RETURN, base, 2, 0, where)
}

// recordArgs emits the call of recordFunction. The jumps lead to where its
// first result is the record; behind them the callee and the table are in base
// and the register above.
func (g *generator) recordArgs(e *expr, s *Shape) (base, done int) {
	base = g.reserve(1, e.at)
	if g.dbg.record == 0 {
		g.dbg.record = g.constant(recordFunction, e.at) + 1
	}
	g.abx(glua.OP_LOADK, base, g.dbg.record-1, e.at)
	g.push(e.a)
	shape := g.constant(&glua.LUserData{Value: s, Metatable: Nil}, e.at)
	g.abx(glua.OP_LOADK, g.reserve(1, e.at), shape, e.at)
	for _, it := range e.list[0].items {
		g.push(it.value)
	}
	g.free = base
	pc := g.abc(glua.OP_CALL, base, len(s.Keys)+3, 3, e.at)
	g.proto.DbgCalls = append(g.proto.DbgCalls, glua.DbgCall{Pc: pc, Name: calledAs(e)})
	g.abc(glua.OP_TEST, base+1, 0, 0, e.at)
	return base, g.jump(noJump, e.at)
}

func (g *generator) recordCall(op int, e *expr, base, n int) {
	pc := g.abc(op, base, 2, n+1, e.at)
	g.dbg.note(pc, g.describe(e.a), 0)
	g.proto.DbgCalls = append(g.proto.DbgCalls, glua.DbgCall{Pc: pc, Name: calledAs(e)})
}
