package lua

import (
	"fmt"

	gopher "github.com/yuin/gopher-lua"
)

// Coroutines are gopher-lua's, which the garbage collector takes when they are
// dropped half-way. What is added: the hook, a bound on recursion, yields that
// cannot work are errors and not silence, and a coroutine that is blocked in
// one task cannot be resumed from another.

func (h *Host) openCoroutine() {
	L := h.root
	L.Push(L.NewFunction(gopher.OpenCoroutine))
	L.Push(String(gopher.CoroutineLibName))
	L.Call(1, 0)
	mod := L.GetGlobal("coroutine").(*Table)
	stock := func(name string) gopher.LGFunction { return mod.RawGetString(name).(*Function).GFunction }
	create, resume, wrap := stock("create"), stock("resume"), stock("wrap")

	// made gives a new coroutine the hook; NewThread would derive a context
	// from it that never fires.
	made := func(L *State, f gopher.LGFunction) {
		checkFunction(L, 1)
		L.RemoveContext()
		defer L.SetContext(h.hook)
		f(L)
	}
	set := func(name string, f gopher.LGFunction) { mod.RawSetString(name, L.NewFunction(f)) }
	set("create", func(L *State) int {
		made(L, create)
		co := L.Get(-1).(*State)
		co.SetContext(&starter{h.hook, co})
		return 1
	})
	set("resume", func(L *State) int {
		co := checkThread(L, 1)
		if err := h.mayResume(co); err != "" {
			L.Push(False)
			L.Push(String(err))
			return 2
		}
		n := h.inCoroutine(L, co, resume)
		if n == 2 && L.Get(-2) == False && co.Dead {
			L.Push(h.coroutineError(co, L.Get(-1)))
			L.Remove(-2)
		}
		return n
	})
	aux := func(L *State) int {
		co := L.Get(gopher.UpvalueIndex(1)).(*State)
		if err := h.mayResume(co); err != "" {
			raisef(L, "%s", err)
		}
		L.Insert(co, 1)
		return h.inCoroutine(L, co, resume)
	}
	set("wrap", func(L *State) int {
		made(L, wrap)
		co := L.Get(-1).(*Function).Upvalues[0].Value().(*State)
		co.SetContext(&starter{h.hook, co})
		L.Pop(1)
		L.Push(L.NewClosure(aux, co))
		return 1
	})
	set("yield", func(L *State) int {
		if why := noYield(h, L); why != "" {
			raisef(L, "%s", why)
		}
		return -1
	})
	set("isyieldable", func(L *State) int {
		L.Push(Bool(noYield(h, L) == ""))
		return 1
	})
	set("running", func(L *State) int { // nil in a task's own code, as in the main thread of Lua 5.1
		if co := h.root.G.CurrentThread; co.Parent != nil {
			L.Push(co)
		} else {
			L.Push(Nil)
		}
		return 1
	})
	set("status", func(L *State) int {
		co := checkThread(L, 1)
		switch {
		case co.Dead:
			L.Push(String("dead"))
		case co == h.root.G.CurrentThread:
			L.Push(String("running"))
		case co.Parent != nil:
			L.Push(String("normal"))
		default:
			L.Push(String("suspended"))
		}
		return 1
	})
	set("close", func(L *State) int {
		co := checkThread(L, 1)
		if co.Parent != nil {
			raisef(L, "cannot close a coroutine that is running")
		}
		if !co.Dead {
			co.Dead = true
			closeUpvalues(co)
		}
		L.Push(True)
		return 1
	})
}

// inCoroutine resumes co by f, the stock function, and keeps the books.
func (h *Host) inCoroutine(L, co *State, f gopher.LGFunction) int {
	t := h.cur
	depth := len(t.chain)
	running := h.root.G.CurrentThread
	t.chain = append(t.chain, co)
	// A yield that is resumed with fewer values than it is to return would
	// leave registers without a value.
	if f := topFrame(co); f != nil && !f.Fn.IsG && f.Pc > 0 {
		if inst := f.Fn.Proto.Code[f.Pc-1]; int(inst>>26) == gopher.OP_CALL {
			for n := L.GetTop() - 1; n < int(inst>>9&maxArgC)-1; n++ {
				L.Push(Nil)
			}
		}
	}
	ok := false
	defer func() {
		if !ok { // a wrapped coroutine failed: stock leaves all of this behind
			t.lost = walk(t.lost, co)
			closeUpvalues(co)
			co.Dead, co.Parent = true, nil
		}
		t.chain = t.chain[:depth]
		h.root.G.CurrentThread = running
	}()
	n := f(L)
	ok = true
	return n
}

// mayResume says why co cannot be resumed, "" if it can.
func (h *Host) mayResume(co *State) string {
	switch {
	case co.Dead:
		return "cannot resume dead coroutine"
	case co.Parent != nil:
		for t := h.all.head; t != nil; t = t.nextAll {
			if t == h.cur {
				continue
			}
			for _, L := range t.chain {
				if L == co {
					w := t.wait()
					return fmt.Sprintf("cannot resume a coroutine that is blocked in another task: %s", w)
				}
			}
		}
		return "cannot resume non-suspended coroutine"
	case topFrame(co) == nil && co.GetTop() == 0 && co == h.cur.th.L:
		return "cannot resume a task"
	}
	for t := h.all.head; t != nil; t = t.nextAll {
		if t.th != nil && t.th.L == co {
			return "cannot resume non-suspended coroutine"
		}
	}
	if len(h.cur.chain) >= maxDepth {
		return "stack overflow: too many nested coroutines"
	}
	return ""
}

// noYield says why L cannot yield, "" if it can.
func noYield(h *Host, L *State) string {
	if L.Parent == nil {
		if h.root.G.CurrentThread.Parent != nil {
			return "attempt to yield across a protected call or a callback (spawn a task and use a queue instead)"
		}
		return "attempt to yield from outside a coroutine"
	}
	// Every frame but the innermost must have been called by an instruction of
	// Lua code that stands at a call; metamethods and Go functions nest loops
	// of the interpreter that a yield cannot cross.
	for f := topFrame(L); f != nil && f.Parent != nil; f = f.Parent {
		p := f.Parent
		if p.Fn.IsG {
			return "attempt to yield across a Go function (sort, gsub or the like)"
		}
		switch op := p.Fn.Proto.Code[p.Pc-1] >> 26; int(op) {
		case gopher.OP_CALL, gopher.OP_TAILCALL:
		default:
			return "attempt to yield across a metamethod or an iterator"
		}
	}
	return ""
}
