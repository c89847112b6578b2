package lua

import (
	"errors"
	"runtime/debug"

	gopher "github.com/yuin/gopher-lua"
)

// Protected calls run on a state of their own. In gopher-lua v1.1.2 an error
// closes the open upvalues of every frame of the state it is raised in, also
// of those below the pcall (gopher-lua, bug 448): afterwards the caller's locals and the
// closures over them are different variables. On a state of its own the error
// cannot reach the caller's frames. States are pooled.

// maxDepth bounds nested protected calls and coroutines (LUAI_MAXCCALLS): each
// takes Go stack, which no error can give back in time.
const maxDepth = 200

var errDepth = errors.New("stack overflow (200 nested protected calls or coroutines)")

var (
	// Tasks start with 8 call frames and 128 registers: 10,000 of them sleep
	// in 100 MB. The main chunk and the outer protected calls may recurse as
	// deep as Lua 5.1 allows.
	smallState = gopher.Options{CallStackSize: 1600, MinimizeStackMemory: true,
		RegistrySize: 128, RegistryGrowStep: 512, RegistryMaxSize: 1 << 20, SkipOpenLibs: true}
	bigState = gopher.Options{CallStackSize: 16000, MinimizeStackMemory: true,
		RegistrySize: 256, RegistryGrowStep: 2048, RegistryMaxSize: 1 << 20, SkipOpenLibs: true}
	// Coroutines inherit the options of the state that makes them.
	coroutineState = gopher.Options{CallStackSize: 1600, MinimizeStackMemory: true,
		RegistrySize: 64, RegistryGrowStep: 512, RegistryMaxSize: 1 << 20, SkipOpenLibs: true}
)

// newState is NewThread with other sizes and the hook instead of a context
// derived from it, which would bypass it.
func (h *Host) newState(o gopher.Options) *State {
	old := h.root.Options
	h.root.Options = o
	h.root.RemoveContext()
	L, _ := h.root.NewThread()
	h.root.SetContext(h.hook)
	h.root.Options = old
	L.SetContext(h.hook)
	L.Options = coroutineState
	L.Panic = throw
	return L
}

func (h *Host) borrow(big bool) *thread {
	pool := &h.spare
	if big {
		pool = &h.spareBig
	}
	if n := len(*pool); n > 0 {
		th := (*pool)[n-1]
		*pool = (*pool)[:n-1]
		return th
	}
	o := smallState
	if big {
		o = bigState
	}
	th := newThread(h.newState(o))
	th.big = big
	return th
}

// keptSlots is how many registers a state in the pool has at most: one deep
// recursion must not hold its memory for ever.
const keptSlots = 1 << 13

func (h *Host) giveBack(th *thread) {
	th.L.SetTop(0)
	th.L.Env = h.root.Env
	pool, most := &h.spare, 64
	if th.big {
		pool, most = &h.spareBig, 16
	}
	if len(*pool) < most && len(*th.slots) <= keptSlots {
		*pool = append(*pool, th)
	}
}

// try calls the function and the n arguments on th's stack, which hold nothing
// else, and leaves the results there. handler, as in xpcall, maps the error
// value while the failing frames still stand. With trace the error knows them.
func (h *Host) try(th *thread, n int, handler Value, trace bool) (e *Error) {
	t := h.cur
	depth := len(t.chain)
	if depth == 0 || t.chain[depth-1] != th.L { // a task's own state is there already
		t.chain = append(t.chain, th.L)
	}
	co := h.root.G.CurrentThread
	defer func() {
		if r := recover(); r != nil {
			e = h.caught(t, r, handler, trace)
			th.reset()
		}
		t.chain = t.chain[:depth]
		h.root.G.CurrentThread = co
	}()
	th.L.Call(n, gopher.MultRet)
	return nil
}

// caught makes an Error of a panic. It runs on top of the frames that failed.
func (h *Host) caught(t *Task, r any, handler Value, trace bool) *Error {
	e := &Error{h: h}
	if a, ok := r.(*gopher.ApiError); ok {
		e.Value = a.Object
		if e.Value == nil {
			e.Value = Nil
		}
		e.place, _ = placeOf(a)
		if inner, ok := a.Cause.(*Error); ok { // an error from another stack
			e.place, e.trace = inner.place, inner.trace
		}
	} else if r == "lua callstack overflow" {
		e.Value = String(h.at(t.top()) + "stack overflow")
	} else {
		e.Value = h.errorValue(t.top(), &BugError{Panic: r, Stack: debug.Stack()}, "")
	}
	if t.struck {
		t.struck = false
		if s, ok := e.Value.(String); ok { // the hook's error text
			e.Value = h.struckValue(t, string(s))
		}
	}
	if trace {
		e.trace = append(append(e.trace, t.lost...), h.traceback(t)...)
	}
	t.lost = nil
	if info := infoOf(e.Value); info != nil {
		e.Err = info.err
		if info.trace == nil && trace {
			info.trace = e.trace
		} else if info.trace != nil {
			e.trace = info.trace
		}
	}
	if handler != nil {
		e.Value = h.handle(t, handler, e.Value)
	}
	return e
}

// rethrow raises in L an error that was caught on another stack.
func (h *Host) rethrow(L *State, e *Error) {
	closeUpvalues(L) // as every error does
	panic(&gopher.ApiError{Type: gopher.ApiErrorRun, Object: e.Value, Cause: e})
}

// at is "file:line: " of the innermost Lua code, as Lua's messages begin.
func (h *Host) at(L *State) string {
	if p, ok := h.where(L); ok {
		return p.String() + ": "
	}
	return ""
}

// handle calls an xpcall handler on top of the frames that failed, so that it
// can see them. An error in it is its result.
func (h *Host) handle(t *Task, handler, v Value) (out Value) {
	depth := len(t.chain)
	defer func() {
		if r := recover(); r != nil {
			t.chain = t.chain[:depth]
			fn, ok := handler.(*Function)
			if r == "lua callstack overflow" && ok {
				// No room on top of the frames that failed: without them, then.
				if vs, err := h.Call(nil, fn, v); err == nil {
					if out = Nil; len(vs) > 0 {
						out = vs[0]
					}
					return
				}
			}
			if a, ok := r.(*gopher.ApiError); ok && a.Object != nil {
				out = a.Object
			} else {
				out = String("error in error handling")
			}
		}
	}()
	L := t.top()
	L.Push(handler)
	L.Push(v)
	L.Call(1, 1)
	out = L.Get(-1)
	L.Pop(1)
	return out
}

// protect runs the function and n arguments on top of L's stack on a state of
// its own and leaves the results in their place.
func (h *Host) protect(L *State, n int, handler Value, trace bool) *Error {
	depth := len(h.cur.chain)
	if depth >= maxDepth {
		L.Pop(n + 1)
		e := &Error{h: h, Value: String(h.at(L) + "stack overflow")}
		return e
	}
	th := h.borrow(depth < 8)
	th.L.Env = L.Env
	L.XMoveTo(th.L, n+1)
	e := h.try(th, n, handler, trace)
	if e == nil {
		th.L.XMoveTo(L, th.L.GetTop())
	}
	h.giveBack(th)
	return e
}

// Call calls fn from Go, protected: on a state of its own, so that an error
// leaves L's frames alone. L may be nil. The error is an *Error.
func (h *Host) Call(L *State, fn *Function, args ...Value) ([]Value, error) {
	if len(h.cur.chain) >= maxDepth {
		return nil, errDepth
	}
	th := h.borrow(len(h.cur.chain) < 8)
	if L != nil {
		th.L.Env = L.Env
	}
	th.L.Push(fn)
	for _, a := range args {
		th.L.Push(a)
	}
	e := h.try(th, len(args), nil, true)
	var vs []Value
	if e == nil {
		vs = popAll(th.L)
	}
	h.giveBack(th)
	if e != nil {
		return nil, e
	}
	return vs, nil
}

func (h *Host) luaPcall(L *State) int {
	checkAny(L, 1)
	return pcallResult(L, h.protect(L, L.GetTop()-1, nil, false))
}

// luaXpcall passes further arguments to the function, as Lua 5.2 does.
func (h *Host) luaXpcall(L *State) int {
	checkAny(L, 2)
	handler := L.Get(2)
	L.Remove(2)
	return pcallResult(L, h.protect(L, L.GetTop()-1, handler, false))
}

func pcallResult(L *State, e *Error) int {
	if e != nil {
		L.Push(False)
		L.Push(e.Value)
		return 2
	}
	L.Insert(True, 1)
	return L.GetTop()
}

// guard turns a panic of f into a BugError.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &BugError{Panic: r, Stack: debug.Stack()}
		}
	}()
	return f()
}
