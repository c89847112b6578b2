package lua

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// allKinds is the closed list of the design.
var allKinds = strings.Fields("argument range truncated closed cancelled timeout permission missing exists unsupported realtime system bug")

func TestKindsAreTheClosedList(t *testing.T) {
	have := map[string]bool{}
	for _, k := range Kinds() {
		have[k] = true
	}
	for _, k := range allKinds {
		if !have[k] {
			t.Errorf("no sentinel has kind %s", k)
		}
		delete(have, k)
	}
	for k := range have {
		t.Errorf("kind %s is not in the list", k)
	}
}

func TestEverySentinelHasItsKind(t *testing.T) {
	for _, k := range kinds {
		for _, err := range []error{k.err, fmt.Errorf("wrapped: %w", k.err)} {
			if got := KindOf(err); got != k.kind {
				t.Errorf("%v is %s, want %s", err, got, k.kind)
			}
		}
	}
	for err, want := range map[error]string{
		errors.New("plain"):              "system",
		syscall.EACCES:                   "permission",
		syscall.ENOENT:                   "missing",
		syscall.EEXIST:                   "exists",
		os.ErrDeadlineExceeded:           "timeout",
		&ArgError{}:                      "argument",
		&BugError{}:                      "bug",
		ErrInterrupted:                   "cancelled",
		&TimeoutError{}:                  "timeout",
		&net.OpError{Err: net.ErrClosed}: "closed",
	} {
		if got := KindOf(err); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}

type richError struct{}

func (richError) Error() string          { return "no device" }
func (richError) Kind() string           { return "missing" }
func (richError) Hint() string           { return "plug it in" }
func (richError) Unwrap() error          { return syscall.ENODEV }
func (richError) Fields() map[string]any { return map[string]any{"layout": "IP", "offset": 8} }

func TestErrorsAsLuaValues(t *testing.T) {
	r := newRun(t)
	g := r.h.Globals()
	g.RawSetString("fail", r.h.NewFunction(func(L *State) int { r.h.Raise(L, richError{}); return 0 }))
	g.RawSetString("panics", r.h.NewFunction(func(L *State) int { var p *Task; p.ID = 1; return 0 }))
	g.RawSetString("call", r.h.NewFunction(func(L *State) int {
		_, err := r.h.Call(L, L.CheckFunction(1))
		r.h.Raise(L, fmt.Errorf("call: %w", err))
		return 0
	}))
	err := r.do(`
local ok, e = pcall(fail)
print(type(e), e.kind, e.message, e.where, e.errno, e.hint, e.layout, e.offset, tostring(e), e .. "!")
ok, e = pcall(panics)
print(e.kind, e.message, e.stack:find("errors_test.go") ~= nil)
ok, e = pcall(call, function() error({kind = "mine"}) end)
print(e.kind, e.cause.kind)
ok, e = pcall(call, function() fail() end)
print(e.kind, e.message, e.cause.hint)
fail()`)
	want := "table\tmissing\tno device\ttest.lua:2\t19\tplug it in\tIP\t8\tno device, at test.lua:2\tno device, at test.lua:2!\n" +
		"bug\tbug in pktsh: runtime error: invalid memory address or nil pointer dereference\ttrue\n"
	if got := r.out.String(); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	t.Log(r.out.String())
	rep := r.h.Report(err)
	for _, w := range []string{"no device, at test.lua:10\n", "\n  fail()\n", "hint: plug it in"} {
		if !strings.Contains(rep, w) {
			t.Errorf("the report lacks %q:\n%s", w, rep)
		}
	}
	if !errors.Is(err, syscall.ENODEV) {
		t.Error("the Go error is lost")
	}
}

func TestReportJoinsTheStacks(t *testing.T) {
	fails(t, `local function inner(x)
  return x.y.z
end
local function outer()
  local t = {3, 2, 1}
  table.sort(t, function(a, b) return inner({}) < 1 end)
end
local co = coroutine.wrap(function() outer() end)
pcall(print)
spawn(function() co() end):wait()`,
		"test.lua:2: attempt to index a nil value (field 'y')",
		"\n    return x.y.z\n",
		"stack traceback:", "test.lua:2: in function 'inner'", "[Go]: in function 'sort'", "test.lua:8: in function", "task spawned here")
}

func TestReportsHaveNoGoStack(t *testing.T) {
	r := newRun(t)
	err := r.do(`local t = setmetatable({}, {__tostring = function() error("deep") end}) print(t)`)
	if rep := r.h.Report(err); strings.Contains(rep, "goroutine") || !strings.Contains(rep, "deep") {
		t.Error(rep)
	}
}

func TestUncaughtValues(t *testing.T) {
	fails(t, `error({kind = "odd", message = "custom"})`, "odd: custom")
	fails(t, `error(setmetatable({}, {__tostring = function() return "as text" end}))`, "as text")
	fails(t, `error("plain", 0)`, "plain")
	fails(t, `error()`, "nil")
	fails(t, `local x = = 1`, "test.lua:1:", "local x = = 1")
	fails(t, `assert(io.open("/does/not/exist"))`, "/does/not/exist: No such file or directory")
	fails(t, `io.lines("/does/not/exist")`, "no such file or directory, at test.lua:1")
	fails(t, `require "no.such.module"`, "module 'no.such.module' not found", "no field package.preload")
}

func TestRunAfterStop(t *testing.T) {
	r := newRun(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&TimeoutError{})
	if err := r.h.RunScript(ctx, "a", "while true do end"); KindOf(err) != "timeout" {
		t.Error(err)
	}
	if err := r.do("x = 1"); err != nil {
		t.Error(err)
	}
}
