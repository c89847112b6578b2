// Package lua is pktsh's interpreter host: Lua 5.1 with tasks, a clock and
// modules written in Go. It is the only package that imports gopher-lua and it
// knows nothing of packets.
//
// A module is a list of declarations over plain Go functions:
//
//	var tap = lua.Module{
//		Name: "tap",
//		Doc:  "TAP devices: frames straight from and to the kernel.",
//		Types: []lua.Type{{Name: "Tap", Go: reflect.TypeFor[*Tap](), Methods: []lua.Func{{`
//	---Sends one frame.
//	---@param frame bytes
//	function Tap:write(frame)`, (*Tap).Write}}}},
//		Funcs: []lua.Func{{`
//	---Opens a TAP device.
//	---@param name? string     interface name (default: the kernel picks one)
//	---@param opts? tap.Options
//	---@return Tap
//	---@error permission       the process lacks CAP_NET_ADMIN
//	function tap.open(name, opts)`, openTap}},
//		Options: []lua.Options{{`
//	---@class tap.Options
//	---@field mtu? integer     octets of payload per frame (default 1500)`, tapOptions{}}},
//	}
//
//	h, err := lua.New(lua.Config{Modules: []lua.Module{tap}})
//	err = h.RunScript(ctx, "lesson.lua", src)
//	if err != nil { fmt.Fprint(os.Stderr, h.Report(err)) }
//
// The declaration is checked against the Go function when the module opens,
// which is when a script first touches its name:
//
//	string            string             integer   any Go integer, range checked
//	number            float64            boolean   bool
//	seconds           time.Duration      bytes     Bytes (a string, or anything that encodes itself)
//	function          *Function          table     *Table
//	any, a|b          Value              userdata  *UserData
//	Conn (a Type)     its Go type        x.Options a struct, fields by name
//	string[]          []string           ...       variadic, last
//
// A trailing error result is raised, a leading *Host is the host, a leading
// *State the running state. A leading context.Context says that the function
// may block: it runs without the baton, so it may take only Go values. A
// raw func(*State) int is called as gopher-lua calls it, for hot paths; it
// reports errors by Host.Raise and blocks by Host.Await or a Cond.
//
// One task at a time runs Lua, and whoever runs it holds the baton. Everything
// in this package is for the goroutine that holds it, except Post, Stop,
// Interrupt, Do and Cond.Notify, which any goroutine may call.
package lua

import (
	gopher "github.com/yuin/gopher-lua"
)

// The interpreter's types, so that bindings need not import it.
type (
	State    = gopher.LState
	Value    = gopher.LValue
	Table    = gopher.LTable
	Function = gopher.LFunction
	UserData = gopher.LUserData
	Number   = gopher.LNumber
	String   = gopher.LString
	Bool     = gopher.LBool
)

// The values there is only one of.
var (
	Nil   Value = gopher.LNil
	True  Value = gopher.LTrue
	False Value = gopher.LFalse
)

// MultRet asks Call for all results.
const MultRet = gopher.MultRet

// IsNil reports whether v is nil, as Lua and as Go see it.
func IsNil(v Value) bool { return v == nil || v == Nil }

// Truth is v as a condition: all but nil and false are true.
func Truth(v Value) bool { return !IsNil(v) && v != False }
