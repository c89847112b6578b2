package lua

import (
	"fmt"
	"math/bits"
)

// Arguments of the library functions, checked and worded as Lua 5.1 does.

// typeName names the type of argument n in an error.
func typeName(L *State, n int) string {
	if n > L.GetTop() {
		return "no value"
	}
	v := L.Get(n)
	if ud, ok := v.(*UserData); ok {
		if s, ok := L.GetMetaField(ud, "__name").(String); ok {
			return string(s)
		}
	}
	return v.Type().String()
}

// argError raises "bad argument #n to 'f' (msg)".
func argError(L *State, n int, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	name, method := callee(L)
	if method {
		if n--; n == 0 {
			raisef(L, "calling '%s' on bad self (%s)", name, msg)
		}
	}
	raisef(L, "bad argument #%d to '%s' (%s)", n, name, msg)
}

// typeError raises "bad argument #n to 'f' (want expected, got type)".
func typeError(L *State, n int, want string) {
	argError(L, n, "%s expected, got %s", want, typeName(L, n))
}

// raisef raises a message with the position of the Lua function that called
// the running Go function, if it was one.
func raisef(L *State, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	if f := topFrame(L); f != nil && f.Parent != nil && !f.Parent.Fn.IsG {
		msg = pos{fn: f.Parent.Fn, pc: f.Parent.Pc}.String() + ": " + msg
	}
	L.Error(String(msg), 0)
}

// callee returns how the script names the Go function that runs, and whether
// it was called with a colon.
func callee(L *State) (name string, method bool) {
	f := topFrame(L)
	if f == nil {
		return "?", false
	}
	if name = callName(f); name == "" || name[0] == '(' {
		return builtinName(L, f.Fn), false
	}
	return name, isMethodCall(f.Parent.Fn.Proto, f.Parent.Pc-1)
}

// builtinName finds a function that was not called by name, as in
// pcall(string.rep), among the globals and their tables.
func builtinName(L *State, fn *Function) string {
	found := "?"
	search := func(t *Table) {
		for k, v := t.Next(Nil); k != Nil; k, v = t.Next(k) {
			if s, ok := k.(String); ok && v == Value(fn) {
				found = string(s)
				return
			}
		}
	}
	search(L.G.Global)
	for k, v := L.G.Global.Next(Nil); k != Nil && found == "?"; k, v = L.G.Global.Next(k) {
		if t, ok := v.(*Table); ok {
			search(t)
		}
	}
	return found
}

func checkAny(L *State, n int) Value {
	if n > L.GetTop() {
		argError(L, n, "value expected")
	}
	return L.Get(n)
}

func checkString(L *State, n int) string {
	switch v := L.Get(n).(type) {
	case String:
		return string(v)
	case Number:
		return FormatNumber(float64(v))
	}
	typeError(L, n, "string")
	return ""
}

func optString(L *State, n int, def string) string {
	if L.Get(n) == Nil {
		return def
	}
	return checkString(L, n)
}

// numberOf converts numbers and strings that hold one.
func numberOf(v Value) (float64, bool) {
	switch v := v.(type) {
	case Number:
		return float64(v), true
	case String:
		return ParseNumber(string(v))
	}
	return 0, false
}

func checkNumber(L *State, n int) float64 {
	if v, ok := L.Get(n).(Number); ok {
		return float64(v)
	}
	f, ok := numberOf(L.Get(n))
	if !ok {
		typeError(L, n, "number")
	}
	return f
}

// checkInt drops a fraction, as 5.1 does.
func checkInt(L *State, n int) int {
	return int(truncate(checkNumber(L, n)))
}

func optInt(L *State, n, def int) int {
	if L.Get(n) == Nil {
		return def
	}
	return checkInt(L, n)
}

func checkTable(L *State, n int) *Table {
	t, ok := L.Get(n).(*Table)
	if !ok {
		typeError(L, n, "table")
	}
	return t
}

func checkFunction(L *State, n int) *Function {
	f, ok := L.Get(n).(*Function)
	if !ok {
		typeError(L, n, "function")
	}
	return f
}

func checkThread(L *State, n int) *State {
	co, ok := L.Get(n).(*State)
	if !ok {
		argError(L, n, "coroutine expected")
	}
	return co
}

// functions makes a library table. Going by a list keeps pairs over it in one
// order from run to run.
func functions(L *State, list []function) *Table {
	t := L.CreateTable(0, 1<<bits.Len(uint(len(list))))
	for _, f := range list {
		t.RawSetString(f.name, L.NewFunction(f.fn))
	}
	return t
}

type function struct {
	name string
	fn   func(*State) int
}

// poll lets a cancel, a time limit or Ctrl-C interrupt a Go function that may
// take long, just as the interpreter does between two instructions.
func poll(L *State) {
	if ctx := L.Context(); ctx != nil {
		select {
		case <-ctx.Done():
			L.RaiseError("%s", ctx.Err().Error())
		default:
		}
	}
}

// maxString is the longest string a library function or .. makes. A longer
// one is an error that a script can catch, where Go's allocator could only
// end the process.
const maxString = 256 << 20

// checkSize raises an error if a string of n octets is too long to be made.
func checkSize(L *State, n int) {
	if n < 0 || n > maxString {
		raiseTooLarge(L)
	}
}

func raiseTooLarge(L *State) { HostOf(L).Raise(L, tooLargeError{}) }

type tooLargeError struct{}

func (tooLargeError) Error() string {
	return fmt.Sprintf("resulting string too large (more than %d MiB)", maxString>>20)
}

// Kind is "range".
func (tooLargeError) Kind() string { return "range" }
