package lua

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
)

// kinds is the closed list of what an error can be, for scripts to branch on;
// an error that carries Kind() says it itself. The first sentinel that matches
// decides.
var kinds = []struct {
	err  error
	kind string
}{
	{errArgument, "argument"},
	{errRange, "range"},
	{io.ErrUnexpectedEOF, "truncated"},
	{io.ErrShortBuffer, "truncated"},
	{net.ErrClosed, "closed"},
	{fs.ErrClosed, "closed"},
	{io.ErrClosedPipe, "closed"},
	{syscall.EPIPE, "closed"},
	{os.ErrDeadlineExceeded, "timeout"},
	{context.DeadlineExceeded, "timeout"},
	{syscall.ETIMEDOUT, "timeout"},
	{context.Canceled, "cancelled"},
	{fs.ErrPermission, "permission"},
	{fs.ErrNotExist, "missing"},
	{syscall.ENODEV, "missing"},
	{fs.ErrExist, "exists"},
	{syscall.EBUSY, "exists"},
	{syscall.EADDRINUSE, "exists"},
	{errors.ErrUnsupported, "unsupported"},
	{ErrRealtime, "realtime"},
	{errBug, "bug"},
	{errSystem, "system"},
}

var (
	errArgument = errors.New("bad argument")
	errRange    = errors.New("out of range")
	errBug      = errors.New("bug")
	errSystem   = errors.New("system")
	// ErrRealtime is wrapped by what refuses to work on a virtual clock.
	ErrRealtime = errors.New("needs the real clock")
)

// Kinds lists the kinds of errors.
func Kinds() []string {
	var ks []string
	seen := map[string]bool{}
	for _, k := range kinds {
		if !seen[k.kind] {
			seen[k.kind] = true
			ks = append(ks, k.kind)
		}
	}
	return ks
}

// KindOf classes err: what it says of itself, else the first sentinel that it
// wraps, else "system".
func KindOf(err error) string {
	var le *Error
	if errors.As(err, &le) {
		if t, ok := le.Value.(*Table); ok {
			if s, ok := t.RawGetString("kind").(String); ok {
				return string(s)
			}
		}
		if le.Err == nil {
			return ""
		}
	}
	var k interface{ Kind() string }
	if errors.As(err, &k) {
		return k.Kind()
	}
	var to interface{ Timeout() bool }
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.kind
		}
	}
	if errors.As(err, &to) && to.Timeout() {
		return "timeout"
	}
	return "system"
}

// An ArgError says that an argument does not fit its declaration.
type ArgError struct {
	Name string // of the parameter
	Msg  string // "want bytes, got table"
	Func string // as declared, "Conn:write"; filled in when it is raised
}

func (e *ArgError) Error() string {
	s := e.Msg
	if e.Name != "" {
		s = "argument " + e.Name + ": " + s
	}
	if e.Func != "" {
		s += " (" + e.Func + ")"
	}
	return s
}

// Is makes every ArgError an "argument" error.
func (e *ArgError) Is(err error) bool { return err == errArgument }

// A BugError is a panic of Go code.
type BugError struct {
	Panic any
	Stack []byte
}

func (e *BugError) Error() string { return fmt.Sprintf("bug in pktsh: %v", e.Panic) }

// Is makes every BugError a "bug".
func (e *BugError) Is(err error) bool { return err == errBug }

// Unwrap is the error that the code panicked with, if it was one.
func (e *BugError) Unwrap() error {
	err, _ := e.Panic.(error)
	return err
}

// An ExitError is os.exit: it ends the run, whatever else goes on.
type ExitError struct{ Code int }

func (e *ExitError) Error() string { return fmt.Sprintf("exit %d", e.Code) }

// Kind classes it with the cancelled: tasks are ended by it.
func (e *ExitError) Kind() string { return "cancelled" }

// An Error is a Lua error as Go sees it.
type Error struct {
	Value    Value // what was raised
	Err      error // the Go error in it, nil if Lua raised something of its own
	Reported bool  // a message about it is on Stderr already

	h     *Host
	place Place
	trace []pos
	text  string // what Value's own __tostring says, once it has been asked
}

// Error is what tostring gives for the value.
func (e *Error) Error() string {
	if e.text != "" {
		return e.text
	}
	return e.h.errorText(e.Value)
}

// Unwrap is the Go error.
func (e *Error) Unwrap() error { return e.Err }

// Traceback is the stack at the place of the error, in Lua's form; "" if
// nobody has taken it.
func (e *Error) Traceback() string {
	if len(e.trace) == 0 {
		return ""
	}
	return "stack traceback:" + formatTrace(e.trace)
}

// Reported reports whether err has already been shown on Stderr.
func Reported(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Reported
}

// ask fills in e.text. A task does it before it ends: there the script's code
// can be interrupted and is under the limits of the run.
func (e *Error) ask() {
	if HasText(e.Value) && infoOf(e.Value) == nil {
		e.text = e.h.errorText(e.Value)
	}
}

// errorText is tostring that never fails.
func (h *Host) errorText(v Value) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case String:
		return string(v)
	case Number:
		return FormatNumber(float64(v))
	case *Table:
		if info := infoOf(v); info != nil {
			return errorString(v)
		}
		if text, ok := h.ownText(v, v.Metatable); ok {
			return text
		}
		// A script's own error{kind=…, message=…}.
		if m, ok := v.RawGetString("message").(String); ok {
			if k, ok := v.RawGetString("kind").(String); ok {
				return string(k) + ": " + string(m)
			}
			return string(m)
		}
	case *UserData:
		if text, ok := h.ownText(v, v.Metatable); ok {
			return text
		}
	}
	return "error value: " + v.String()
}

// ownText is what the __tostring of v's metatable says, if it says something.
func (h *Host) ownText(v, metatable Value) (string, bool) {
	mt, ok := metatable.(*Table)
	if !ok {
		return "", false
	}
	f, ok := mt.RawGetString("__tostring").(*Function)
	if !ok {
		return "", false
	}
	vs, err := h.Call(nil, f, v)
	if err != nil || len(vs) == 0 || !isText(vs[0]) {
		return "", false
	}
	return vs[0].String(), true
}

// errorInfo is the Go side of an error table; its metatable holds it.
type errorInfo struct {
	err   error
	trace []pos
	place Place
}

func infoOf(v Value) *errorInfo {
	t, ok := v.(*Table)
	if !ok {
		return nil
	}
	mt, ok := t.Metatable.(*Table)
	if !ok {
		return nil
	}
	ud, ok := mt.RawGetString("__error").(*UserData)
	if !ok {
		return nil
	}
	info, _ := ud.Value.(*errorInfo)
	return info
}

// errorString is "MESSAGE, at FILE:LINE". A message with a picture below has the
// place at the end of its first line.
func errorString(t *Table) string {
	s := t.RawGetString("message").String()
	if w, ok := t.RawGetString("where").(String); ok && !strings.Contains(s, " at "+string(w)) {
		first, picture, below := strings.Cut(s, "\n")
		s = first + ", at " + string(w)
		if below {
			s += "\n" + picture
		}
	}
	return s
}

// luaErrorString is the __tostring of error tables.
func luaErrorString(L *State) int {
	L.Push(String(errorString(checkTable(L, 1))))
	return 1
}

// luaErrorConcat lets ".." take an error for its text.
func luaErrorConcat(L *State) int {
	text := func(v Value) string {
		if t, ok := v.(*Table); ok && infoOf(t) != nil {
			return errorString(t)
		}
		return ToString(L, v)
	}
	L.Push(String(text(L.Get(1)) + text(L.Get(2))))
	return 1
}

// errorValue makes the Lua value of a Go error. An Error from a call back into
// Lua stays the value it was.
func (h *Host) errorValue(L *State, err error, op string) Value {
	p, _ := h.where(L)
	return h.errorValueAt(p, err, op)
}

func (h *Host) errorValueAt(p pos, err error, op string) Value {
	var le *Error
	if errors.As(err, &le) && le == err { // nothing was added to it
		return le.Value
	}
	var arg *ArgError
	if op != "" && errors.As(err, &arg) && arg.Func == "" {
		arg.Func = op
	}
	t := h.root.CreateTable(0, 6)
	t.RawSetString("kind", String(KindOf(err)))
	t.RawSetString("message", String(err.Error()))
	info := &errorInfo{err: err}
	if p.fn != nil && !p.fn.IsG {
		info.place = placeIn(p.fn.Proto, p.pc-1)
		t.RawSetString("where", String(info.place.String()))
	}
	if op != "" {
		t.RawSetString("op", String(op))
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		t.RawSetString("errno", Number(errno))
	}
	var hint interface{ Hint() string }
	if errors.As(err, &hint) && hint.Hint() != "" {
		t.RawSetString("hint", String(hint.Hint()))
	}
	var fields interface{ Fields() map[string]any }
	if errors.As(err, &fields) {
		m := fields.Fields()
		for _, k := range sortedKeys(m) {
			t.RawSetString(k, h.ToLua(m[k]))
		}
	}
	var bug *BugError
	if errors.As(err, &bug) {
		t.RawSetString("stack", String(bug.Stack))
	}
	if le != nil {
		t.RawSetString("cause", le.Value)
	}
	mt := h.root.CreateTable(0, 4)
	mt.RawSetString("__tostring", h.libs.errString)
	mt.RawSetString("__concat", h.libs.errConcat)
	mt.RawSetString("__name", String("error"))
	mt.RawSetString("__error", &UserData{Value: info, Metatable: Nil})
	t.Metatable = mt
	return t
}

// ErrorValue is the Lua value that Raise would raise.
func (h *Host) ErrorValue(L *State, err error) Value { return h.errorValue(L, err, "") }

// Raise raises err as the Lua value of it; it does not return.
func (h *Host) Raise(L *State, err error) { h.raiseOp(L, err, "") }

func (h *Host) raiseOp(L *State, err error, op string) {
	h.cur.struck = false
	if h.cur.cancel != nil && err == h.cur.cancel {
		// The blocking call has told; do not tell again at the next instruction.
		h.cur.strike = h.cur.hard
	}
	if e, ok := err.(*Error); ok {
		h.rethrow(L, e)
	}
	L.Error(h.errorValue(L, err, op), 0)
}

// RaiseOp is Raise for a function whose name is op.
func (h *Host) RaiseOp(L *State, err error, op string) { h.raiseOp(L, err, op) }

// Throw raises err from anywhere below a function that was called by Lua.
func (h *Host) Throw(err error) { h.Raise(h.cur.top(), err) }

// struckValue is the error value of a cancel that the hook raised as text.
func (h *Host) struckValue(t *Task, text string) Value {
	if t.cancel == nil || !strings.Contains(text, t.cancel.Error()) {
		return String(text)
	}
	return h.errorValue(t.top(), t.cancel, "")
}

// coroutineError is the error value of a coroutine that has failed.
func (h *Host) coroutineError(co *State, v Value) Value {
	s, ok := v.(String)
	if !ok {
		return v
	}
	t := h.cur
	if t.struck {
		t.struck = false
		return h.struckValue(t, string(s))
	}
	switch {
	case s == "lua callstack overflow":
		return String(h.at(co) + "stack overflow")
	case strings.HasPrefix(string(s), "runtime error: "), strings.HasPrefix(string(s), "interface conversion: "):
		return h.errorValue(t.top(), &BugError{Panic: string(s)}, "")
	}
	return v
}

func (h *Host) syntaxError(err error) error {
	e := &Error{h: h, Value: String(err.Error()), Err: err}
	e.place, _ = placeOf(err)
	return e
}

// traceback joins the stacks of all states of t, the innermost first.
func (h *Host) traceback(t *Task) []pos {
	var ps []pos
	for i := len(t.chain) - 1; i >= 0; i-- {
		ps = walk(ps, t.chain[i])
	}
	if t.origin.fn != nil {
		ps = append(ps, pos{name: fmt.Sprintf("%s: task spawned here", t.origin)})
	}
	return ps
}

// Report renders err for a person: the message with its place, the source line
// with a caret, the stack, and what to do about it.
func (h *Host) Report(err error) string {
	var b strings.Builder
	var e *Error
	if !errors.As(err, &e) {
		b.WriteString(strings.TrimRight(err.Error(), "\n") + "\n")
		hint(&b, err)
		return b.String()
	}
	b.WriteString(strings.TrimRight(e.Error(), "\n") + "\n")
	place := e.place
	if info := infoOf(e.Value); info != nil {
		place = info.place
	}
	if s := place.Snippet(); s != "" {
		b.WriteString(s + "\n")
	}
	var syn *SyntaxError
	if len(e.trace) > 1 && !errors.As(err, &syn) {
		b.WriteString(e.Traceback() + "\n")
	}
	if t, ok := e.Value.(*Table); ok {
		if s, ok := t.RawGetString("hint").(String); ok {
			b.WriteString("hint: " + string(s) + "\n")
		}
		if s, ok := t.RawGetString("stack").(String); ok && KindOf(err) == "bug" {
			b.WriteString("\nGo stack, for a bug report:\n" + string(s))
		}
	}
	return b.String()
}

func hint(b *strings.Builder, err error) {
	var k interface{ Hint() string }
	if errors.As(err, &k) && k.Hint() != "" {
		b.WriteString("hint: " + k.Hint() + "\n")
	}
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
