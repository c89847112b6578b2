package lua

import (
	"context"
	"errors"

	gopher "github.com/yuin/gopher-lua"
)

// Input is what a person entered at a shell, compiled.
type Input struct {
	proto *gopher.FunctionProto
	Expr  bool // a list of expressions: its values are of interest
}

// CompileInput compiles a list of expressions, a chunk, or a chunk that ends in
// a list of expressions: "q = f(); q.x". The error is a *SyntaxError; an
// Incomplete one asks for another line.
func CompileInput(src, name string) (*Input, error) {
	p, asExpr := compileWith((*parser).expressions, src, name)
	if asExpr == nil {
		return &Input{p, true}, nil
	}
	p, asChunk := compileWith((*parser).inputChunk, src, name)
	if asChunk == nil {
		return &Input{p, false}, nil
	}
	// A semicolon or the end of a line may stand before the expressions. What
	// comes after the last of them decides first.
	for i := len(src) - 1; i >= 0; i-- {
		if src[i] == ';' || src[i] == '\n' {
			if p, err := compileWith((*parser).inputChunk, src[:i+1]+" return "+src[i+1:], name); err == nil {
				return &Input{p, true}, nil
			}
		}
	}
	var e, c *SyntaxError
	if !errors.As(asExpr, &e) || !errors.As(asChunk, &c) {
		return nil, asChunk
	}
	// The reading that got further is what was meant.
	further := e.Line > c.Line || e.Line == c.Line && e.Col > c.Col
	if !c.incomplete && (e.incomplete || further) {
		return nil, e
	}
	return nil, c
}

// inputChunk parses a chunk that was typed.
func (p *parser) inputChunk() *funcNode {
	fn := p.chunk()
	fn.input = true
	return fn
}

// expressions parses a chunk as if "return" stood before it.
func (p *parser) expressions() *funcNode {
	start := p.tok.at
	fn := &funcNode{vararg: true, usesDots: true, main: true, input: true}
	p.fs = &funcScope{fn: fn}
	p.openBlock(false)
	s := p.newStmt(sReturn, start)
	if p.tok.kind != tEOF {
		s.rhs = p.exprList()
	}
	for p.accept(tSemicolon) {
	}
	if p.tok.kind != tEOF {
		p.fail("'<eof>' expected")
	}
	fn.body = &block{stmts: []*stmt{s}, end: p.tok.at}
	fn.body.captured = p.closeBlock()
	fn.end = p.tok.at
	return fn
}

// Run runs the input in the environment env and returns its values. A task
// calls it; see Foreground.
func (in *Input) Run(L *State, env *Table) []Value {
	h := HostOf(L)
	fn := h.root.NewFunctionFromProto(in.proto)
	fn.Env = h.root.G.Global
	if env != nil {
		fn.Env = env
	}
	base := L.GetTop()
	L.Push(fn)
	L.Call(0, gopher.MultRet)
	vs := make([]Value, L.GetTop()-base)
	for i := range vs {
		vs[i] = L.Get(base + 1 + i)
	}
	L.SetTop(base)
	return vs
}

// Foreground runs body in a task, which Interrupt cancels, and returns when it
// has ended. It is called from another goroutine than the one that is in Loop.
// body may call Lua on L and may block as Lua's own functions do.
func (h *Host) Foreground(ctx context.Context, body func(L *State)) error {
	done := make(chan error, 1)
	var t *Task
	h.Post(func() {
		if h.stopped != nil && !errors.As(h.stopped, new(*ExitError)) {
			h.stopped = nil // what stopped the last input does not concern this one
		}
		t = h.Spawn(h.root.NewFunction(func(L *State) int {
			body(L)
			return 0
		}), SpawnOptions{Name: mainName})
		t.seen = true
		h.fg = t
		h.waiters++
		h.finally(t, func() {
			h.waiters--
			if h.fg == t {
				h.fg = nil
			}
			h.flush()
			if t.err == nil {
				done <- nil
				return
			}
			// The outermost frame is body itself, which is nothing to show.
			if n := len(t.err.trace); n > 0 && t.err.trace[n-1].fn != nil && t.err.trace[n-1].fn.IsG {
				t.err.trace = t.err.trace[:n-1]
			}
			done <- t.err
		})
	})
	off := context.AfterFunc(ctx, func() {
		h.Post(func() {
			if t != nil {
				t.cancelWith(context.Cause(ctx))
			}
		})
	})
	defer off()
	select {
	case err := <-done:
		return err
	case <-h.over:
		return ErrHostClosed
	}
}

// RunChunk runs a script on L with the global arg and ... as RunScript does.
// A task calls it; a syntax error is raised.
func (h *Host) RunChunk(L *State, name, src string, args ...string) {
	h.setArgs(name, args)
	fn, err := h.load(src, name)
	if err != nil {
		h.Raise(L, err)
	}
	L.Push(fn)
	for _, v := range h.argValues() {
		L.Push(v)
	}
	L.Call(len(args), 0)
}

// Class is the declaration of a class of option tables, or nil.
func (h *Host) Class(name string) *Decl {
	if o := h.mods.options[name]; o != nil {
		return o.decl
	}
	return nil
}

// InterruptHard cancels the foreground task and the task that keeps it from
// running, if one does.
func (h *Host) InterruptHard() {
	h.Post(func() {
		fg := h.fg
		if fg == nil {
			return
		}
		fg.cancelWith(ErrInterrupted)
		if t := h.cur; t != h.idle && t != fg {
			t.cancelWith(ErrInterrupted)
			t.cancelWith(ErrInterrupted)
		}
	})
}

// Text is tostring(v): the metatable's word counts. A task calls it.
func Text(L *State, v Value) string { return L.ToStringMeta(v).String() }

// HasText reports whether v is a userdata or a table with a __tostring of its own.
func HasText(v Value) bool {
	switch v := v.(type) {
	case *UserData:
		mt, ok := v.Metatable.(*Table)
		return ok && !IsNil(mt.RawGetString("__tostring"))
	case *Table:
		mt, ok := v.Metatable.(*Table)
		return ok && !IsNil(mt.RawGetString("__tostring"))
	}
	return false
}
