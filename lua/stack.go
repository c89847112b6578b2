package lua

import (
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	gopher "github.com/yuin/gopher-lua"
)

// gopher-lua v1.1.2 shows neither its call frames nor a way to reset a state
// after a panic. This file mirrors the private fields that protected
// calls and tracebacks need; init compares the mirror with the real types, so
// another version of the interpreter fails at once and not by wrong numbers.

// frame mirrors gopher-lua's callFrame.
type frame struct {
	Idx        int
	Fn         *Function
	Parent     *frame
	Pc         int
	Base       int
	LocalBase  int
	ReturnBase int
	NArgs      int
	NRet       int
	TailCall   int
}

var offFrame, offUpvalues, offNext, offArray uintptr

func init() {
	st := reflect.TypeFor[State]()
	field := func(t reflect.Type, name, kind string) reflect.StructField {
		f, ok := t.FieldByName(name)
		if !ok || f.Type.String() != kind {
			panic(fmt.Sprintf("lua: gopher-lua's %s.%s is not %s", t, name, kind))
		}
		return f
	}
	cf := field(st, "currentFrame", "*lua.callFrame")
	offFrame = cf.Offset
	field(st, "stack", "lua.callFrameStack")
	offUpvalues = field(st, "uvcache", "*lua.Upvalue").Offset
	offNext = field(reflect.TypeFor[gopher.Upvalue](), "next", "*lua.Upvalue").Offset
	theirs, ours := cf.Type.Elem(), reflect.TypeFor[frame]()
	same := theirs.NumField() == ours.NumField()
	for i := 0; same && i < ours.NumField(); i++ {
		a, b := theirs.Field(i), ours.Field(i)
		same = a.Name == b.Name && a.Offset == b.Offset && a.Type.Kind() == b.Type.Kind()
	}
	if !same {
		panic("lua: gopher-lua's call frame has changed")
	}
	reg := field(st, "reg", "*lua.registry").Type
	if _, ok := reg.MethodByName("SetTop"); !ok {
		panic("lua: gopher-lua's registry has changed")
	}
	offArray = field(reg.Elem(), "array", "[]lua.LValue").Offset
}

// topFrame is the innermost call frame of L, nil when nothing runs in it.
func topFrame(L *State) *frame { return *framePtr(L) }

func framePtr(L *State) **frame { return (**frame)(unsafe.Add(unsafe.Pointer(L), offFrame)) }

// A thread is a pooled state with the handles that reset needs.
type thread struct {
	L     *State
	big   bool
	stack interface{ SetSp(int) }
	reg   interface{ SetTop(int) }
	slots *[]Value // of reg
}

func newThread(L *State) *thread {
	st := reflect.TypeFor[State]()
	stack, _ := st.FieldByName("stack")
	reg, _ := st.FieldByName("reg")
	at := func(f reflect.StructField) any {
		return reflect.NewAt(f.Type, unsafe.Add(unsafe.Pointer(L), f.Offset)).Elem().Interface()
	}
	r := at(reg)
	return &thread{
		L:     L,
		stack: at(stack).(interface{ SetSp(int) }),
		reg:   r.(interface{ SetTop(int) }),
		slots: (*[]Value)(unsafe.Add(reflect.ValueOf(r).UnsafePointer(), offArray)),
	}
}

// closeUpvalues gives every closure that refers to a register of L its own copy.
// A Lua error has done so; a Go panic has not.
func closeUpvalues(L *State) {
	head := (**gopher.Upvalue)(unsafe.Add(unsafe.Pointer(L), offUpvalues))
	for uv := *head; uv != nil; uv = *(**gopher.Upvalue)(unsafe.Add(unsafe.Pointer(uv), offNext)) {
		if !uv.IsClosed() {
			uv.Close()
		}
	}
	*head = nil
}

// reset drops all frames and registers after a panic.
func (th *thread) reset() {
	closeUpvalues(th.L)
	th.stack.SetSp(0)
	*framePtr(th.L) = nil
	th.reg.SetTop(0)
}

// ---- positions ----

// pos is where a frame stands.
type pos struct {
	fn   *Function
	pc   int
	tail int
	name string // as the caller calls it, "" when unknown
}

func (p pos) line() int {
	if p.fn.IsG || p.pc < 1 || p.pc > len(p.fn.Proto.DbgSourcePositions) {
		return 0
	}
	return placeIn(p.fn.Proto, p.pc-1).Line
}

func (p pos) String() string {
	if p.fn.IsG {
		return "[Go]"
	}
	return fmt.Sprintf("%s:%d", p.fn.Proto.SourceName, p.line())
}

// callName is how the function of f was called, from the debug information of its caller.
func callName(f *frame) string {
	if f.Parent == nil || f.Parent.Fn.IsG || f.TailCall > 0 {
		return ""
	}
	pc := f.Parent.Pc - 1
	for _, c := range f.Parent.Fn.Proto.DbgCalls {
		if c.Pc == pc {
			if c.Name == "?" {
				return ""
			}
			return c.Name
		}
	}
	return ""
}

// What a traceback says of functions that no call has called.
const (
	inMetamethod = "a metamethod"
	inIterator   = "the iterator of a for loop"
)

// role is callName for people.
func role(f *frame) string {
	if name := callName(f); name != "" || f.Parent == nil || f.Parent.Fn.IsG || f.Parent.Pc < 1 {
		return name
	}
	switch int(f.Parent.Fn.Proto.Code[f.Parent.Pc-1] >> 26) {
	case gopher.OP_CALL, gopher.OP_TAILCALL, gopher.OP_RETURN:
		return ""
	case gopher.OP_TFORLOOP:
		return inIterator
	}
	return inMetamethod
}

// maxTrace bounds a traceback: the innermost and the outermost frames say the most.
const maxTrace = 22

// walk appends the frames of L, innermost first.
func walk(out []pos, L *State) []pos {
	n := 0
	for f := topFrame(L); f != nil; f = f.Parent {
		n++
	}
	i := 0
	for f := topFrame(L); f != nil; f = f.Parent {
		if f.Fn == concatFunction || f.Fn == fullFunction { // operators that the compiler made calls of
			n--
			continue
		}
		if n <= maxTrace || i < maxTrace/2 || i >= n-maxTrace/2 {
			out = append(out, pos{f.Fn, f.Pc, f.TailCall, role(f)})
		} else if i == maxTrace/2 {
			out = append(out, pos{tail: n - maxTrace})
		}
		i++
	}
	return out
}

// where is the position of the innermost Lua frame of L or of the states below
// it. The script comes before the library that ships in the binary: who called
// host:ping wants to see his line, not ours.
func (h *Host) where(L *State) (pos, bool) {
	inner, ok := luaFrame(L)
	if ok && !shipped(inner) {
		return inner, true
	}
	chain := h.cur.chain
	for i := len(chain) - 1; i >= 0; i-- {
		if chain[i] == L {
			for i--; i >= 0; i-- {
				p, found := luaFrame(chain[i])
				if found && !shipped(p) {
					return p, true
				}
				if !ok {
					inner, ok = p, found
				}
			}
			break
		}
	}
	return inner, ok
}

func shipped(p pos) bool { return strings.HasPrefix(p.fn.Proto.SourceName, stdlibPrefix) }

// luaFrame is the innermost Lua frame of one state, of the script if it has one.
func luaFrame(L *State) (inner pos, ok bool) {
	for f := topFrame(L); f != nil; f = f.Parent {
		if f.Fn.IsG {
			continue
		}
		p := pos{fn: f.Fn, pc: f.Pc}
		if !shipped(p) {
			return p, true
		}
		if !ok {
			inner, ok = p, true
		}
	}
	return inner, ok
}

// Where is "file:line" of the innermost Lua code that runs in L, "" if none does.
func (h *Host) Where(L *State) string {
	if p, ok := h.where(L); ok {
		return p.String()
	}
	return ""
}

// formatTrace writes frames as Lua's debug.traceback does.
func formatTrace(ps []pos) string {
	var b strings.Builder
	for _, p := range ps {
		if p.fn == nil {
			if p.name != "" {
				fmt.Fprintf(&b, "\n\t%s", p.name)
			} else {
				fmt.Fprintf(&b, "\n\t... (%d more)", p.tail)
			}
			continue
		}
		b.WriteString("\n\t")
		at := "[Go]"
		if !p.fn.IsG {
			at = p.String()
		}
		switch {
		case p.name == inMetamethod || p.name == inIterator:
			b.WriteString(at + ": in " + p.name)
		case p.fn.IsG && p.name != "":
			fmt.Fprintf(&b, "[Go]: in function '%s'", p.name)
		case p.fn.IsG:
			b.WriteString("[Go]: in ?")
		case p.name != "":
			fmt.Fprintf(&b, "%s: in function '%s'", p, p.name)
		case defLine(p.fn.Proto) == 0:
			fmt.Fprintf(&b, "%s: in main chunk", p)
		default:
			fmt.Fprintf(&b, "%s: in function <%s:%d>", p, p.fn.Proto.SourceName, defLine(p.fn.Proto))
		}
		for range min(p.tail, 3) {
			b.WriteString("\n\t(tail call): ?")
		}
	}
	return b.String()
}

// defLine is the line on which a function begins.
func defLine(p *gopher.FunctionProto) int { return p.LineDefined }
