package lua

import (
	"strings"

	gopher "github.com/yuin/gopher-lua"
)

// debugModule is what of Lua 5.1's debug has a meaning here. There is no
// sethook: the interpreter has one hook, and it is the host's.
func (h *Host) debugModule() Module {
	return Module{
		Name: "debug",
		Doc:  "Looks into running code, as in Lua 5.1.",
		Funcs: []Func{
			{`
---Describes the stack of the running task or of a coroutine, through protected
---calls and callbacks.
---@param co? thread
---@param message? any    comes first; what is no string is returned as it is
---@param level? integer  where to begin (default 1, the caller)
---@return string
function debug.traceback(co, message, level)`, h.debugTraceback},
			{`
---Tells about a function or a level of the stack: source, short_src, what,
---name, namewhat, currentline, linedefined, lastlinedefined, nups, func.
---@param fn function|integer
---@param what? string
---@return table?
function debug.getinfo(fn, what)`, h.debugGetinfo},
			{`
---Reads a local variable.
---@param level integer
---@param index integer
---@return string?   its name
---@return any       its value
function debug.getlocal(level, index)`, func(L *State) int {
				dbg, ok := L.GetStack(checkInt(L, 1))
				if !ok {
					argError(L, 1, "level out of range")
				}
				i := checkInt(L, 2)
				name, v := "", Nil
				if i > 0 { // below are the registers of other functions
					name, v = L.GetLocal(dbg, i)
				}
				if name == "" || v == nil {
					L.Push(Nil)
					return 1
				}
				L.Push(String(name))
				L.Push(v)
				return 2
			}},
			{`
---Sets a local variable.
---@param level integer
---@param index integer
---@param value any
---@return string?   its name
function debug.setlocal(level, index, value)`, func(L *State) int {
				dbg, ok := L.GetStack(checkInt(L, 1))
				if !ok {
					argError(L, 1, "level out of range")
				}
				i, v := checkInt(L, 2), checkAny(L, 3)
				name := ""
				if i > 0 {
					name = L.SetLocal(dbg, i, v)
				}
				if name == "" {
					L.Push(Nil)
				} else {
					L.Push(String(name))
				}
				return 1
			}},
			{`
---Reads an upvalue of a function.
---@param fn function
---@param index integer
---@return string?   its name
---@return any       its value
function debug.getupvalue(fn, index)`, func(L *State) int {
				name, v := L.GetUpvalue(checkFunction(L, 1), checkInt(L, 2))
				if name == "" {
					L.Push(Nil)
					return 1
				}
				L.Push(String(name))
				L.Push(v)
				return 2
			}},
			{`
---Sets an upvalue of a function.
---@param fn function
---@param index integer
---@param value any
---@return string?   its name
function debug.setupvalue(fn, index, value)`, func(L *State) int {
				name := L.SetUpvalue(checkFunction(L, 1), checkInt(L, 2), checkAny(L, 3))
				if name == "" {
					L.Push(Nil)
				} else {
					L.Push(String(name))
				}
				return 1
			}},
			{`
---Returns the metatable of any value, protected or not.
---@param value any
---@return table?
function debug.getmetatable(value)`, func(L *State) int {
				checkAny(L, 1)
				switch v := L.Get(1).(type) {
				case *Table:
					L.Push(v.Metatable)
				case *UserData:
					L.Push(v.Metatable)
				default:
					L.Push(L.GetMetatable(v))
				}
				return 1
			}},
			{`
---Sets the metatable of any value.
---@param value any
---@param mt table|nil
---@return any
function debug.setmetatable(value, mt)`, func(L *State) int {
				if mt := L.Get(2); mt != Nil || L.GetTop() < 2 {
					if _, ok := mt.(*Table); !ok {
						argError(L, 2, "nil or table expected")
					}
				}
				if ud, ok := L.Get(1).(*UserData); ok && ud.Value != nil {
					raisef(L, "cannot change the metatable of a %s", h.TypeName(ud))
				}
				L.SetMetatable(L.Get(1), L.Get(2))
				L.SetTop(1)
				return 1
			}},
			{`
---Returns the environment of a function.
---@param fn function
---@return table
function debug.getfenv(fn)`, func(L *State) int {
				L.Push(L.GetFEnv(checkAny(L, 1)))
				return 1
			}},
			{`
---Sets the environment of a function.
---@param fn function
---@param env table
---@return function
function debug.setfenv(fn, env)`, func(L *State) int {
				L.SetFEnv(checkAny(L, 1), checkTable(L, 2))
				L.SetTop(1)
				return 1
			}},
			{`
---Returns the registry: an empty table, the host keeps its books in Go.
---@return table
function debug.getregistry()`, func(L *State) int {
				L.Push(L.G.Registry)
				return 1
			}},
		},
	}
}

func (h *Host) debugTraceback(L *State) int {
	co, isCo := L.Get(1).(*State)
	if isCo {
		L.Remove(1)
	}
	msg := L.Get(1)
	if msg != Nil {
		if _, ok := msg.(String); !ok {
			if _, ok := msg.(Number); !ok {
				L.Push(msg)
				return 1
			}
		}
	}
	var ps []pos
	if isCo {
		ps = walk(nil, co)
		ps = ps[min(max(optInt(L, 2, 0), 0), len(ps)):]
	} else {
		level := optInt(L, 2, 1)
		ps = h.traceback(h.cur)
		ps = ps[min(max(level, 0), len(ps)):]
	}
	s := "stack traceback:" + formatTrace(ps)
	if msg != Nil {
		s = msg.String() + "\n" + s
	}
	L.Push(String(s))
	return 1
}

func (h *Host) debugGetinfo(L *State) int {
	if co, ok := L.Get(1).(*State); ok { // of a coroutine
		L.Remove(1)
		return h.getinfo(L, co)
	}
	return h.getinfo(L, L)
}

func (h *Host) getinfo(L, of *State) int {
	what := optString(L, 2, "nSluf")
	for _, c := range what {
		if !strings.ContainsRune("nSlufL", c) {
			argError(L, 2, "invalid option")
		}
	}
	var fn *Function
	var f *frame
	switch v := L.Get(1).(type) {
	case *Function:
		fn = v
	default:
		level := checkInt(L, 1)
		if level < 0 {
			L.Push(Nil)
			return 1
		}
		f = topFrame(of)
		chain := h.cur.chain
		at := len(chain) - 1
		for ; level > 0 && f != nil; level-- {
			f = f.Parent
			for f == nil && of == L && at > 0 { // on to the state that called this one
				at--
				f = topFrame(chain[at])
			}
		}
		if f == nil {
			L.Push(Nil)
			return 1
		}
		fn = f.Fn
	}
	t := L.CreateTable(0, 12)
	set := func(k string, v Value) { t.RawSetString(k, v) }
	for _, c := range what {
		switch c {
		case 'S':
			if fn.IsG {
				set("what", String("C"))
				set("source", String("=[C]"))
				set("short_src", String("[C]"))
				set("linedefined", Int(-1))
				set("lastlinedefined", Int(-1))
				continue
			}
			what := "Lua"
			if defLine(fn.Proto) == 0 {
				what = "main"
			}
			set("what", String(what))
			set("source", String("@"+fn.Proto.SourceName))
			set("short_src", String(fn.Proto.SourceName))
			set("linedefined", Int(defLine(fn.Proto)))
			set("lastlinedefined", Number(fn.Proto.LastLineDefined))
		case 'l':
			line := -1
			if f != nil && !fn.IsG {
				line = pos{fn: fn, pc: f.Pc}.line()
			}
			set("currentline", Number(line))
		case 'u':
			set("nups", Int(len(fn.Upvalues)))
		case 'n':
			set("namewhat", String(""))
			if f != nil {
				if name := callName(f); name != "" {
					set("name", String(name))
					set("namewhat", String(nameKind(f)))
				}
			}
		case 'f':
			set("func", fn)
		case 'L':
			if !fn.IsG {
				lines := L.CreateTable(0, 8)
				for pc := range fn.Proto.DbgSourcePositions {
					lines.RawSetH(Number(placeIn(fn.Proto, pc).Line), True)
				}
				set("activelines", lines)
			}
		}
	}
	L.Push(t)
	return 1
}

// nameKind says how the caller reached the function of f.
func nameKind(f *frame) string {
	code, pc := f.Parent.Fn.Proto.Code, f.Parent.Pc-1
	reg := code[pc] >> 18 & 0xff
	for i := pc - 1; i >= 0; i-- {
		if code[i]>>18&0xff != reg {
			continue
		}
		switch code[i] >> 26 {
		case uint32(gopher.OP_GETGLOBAL):
			return "global"
		case uint32(gopher.OP_SELF):
			return "method"
		case uint32(gopher.OP_GETTABLE), uint32(gopher.OP_GETTABLEKS):
			return "field"
		case uint32(gopher.OP_GETUPVAL):
			return "upvalue"
		case uint32(gopher.OP_MOVE):
			return "local"
		}
	}
	return ""
}
