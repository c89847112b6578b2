package lua

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"pktsh/engine/clock"
)

// run is one script on a host of its own, in virtual time.
type run struct {
	h        *Host
	out, err bytes.Buffer
}

func newRun(t testing.TB, change ...func(*Config)) *run {
	t.Helper()
	r := &run{}
	cfg := Config{Clock: clock.NewVirtual(time.Unix(0, 0).UTC()), Seed: 1,
		Stdin: strings.NewReader(""), Stdout: &r.out, Stderr: &r.err}
	for _, f := range change {
		f(&cfg)
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.h = h
	t.Cleanup(func() { h.Close() })
	return r
}

func (r *run) do(src string, args ...string) error {
	return r.h.RunScript(context.Background(), "test.lua", src, args...)
}

// prints runs src and compares what it prints.
func prints(t *testing.T, src, want string) {
	t.Helper()
	r := newRun(t)
	if err := r.do(src); err != nil {
		t.Fatalf("%v\n%s", err, r.h.Report(err))
	}
	if got := strings.TrimSpace(r.out.String()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if r.err.Len() > 0 {
		t.Errorf("on stderr: %s", &r.err)
	}
}

// fails runs src and looks for the words in the report.
func fails(t *testing.T, src string, words ...string) {
	t.Helper()
	r := newRun(t)
	err := r.do(src)
	if err == nil {
		t.Fatalf("no error; printed %q", r.out.String())
	}
	rep := r.err.String() + r.h.Report(err)
	for _, w := range words {
		if !strings.Contains(rep, w) {
			t.Errorf("the report lacks %q:\n%s", w, rep)
		}
	}
}

func TestHello(t *testing.T) {
	prints(t, `print("hello", 1, nil, true, 0.1)`, "hello\t1\tnil\ttrue\t0.1")
}

func TestPcallKeepsUpvalues(t *testing.T) {
	prints(t, `
local n = 0
local function inc() n = n + 1 end
pcall(function() inc() error("x") end)
inc()
n = n + 10
inc()
print(n, pcall(error, {1}) == false, select(2, pcall(error, "m", 0)))
print(pcall(function(...) return ... end, 1, nil, 3))
print(xpcall(function() local x = nil; x.y = 1 end, function(m) return "H:" .. m end))`,
		"13\ttrue\tm\ntrue\t1\tnil\t3\nfalse\tH:test.lua:10: attempt to index a nil value (local 'x')")
}

func TestStackOverflow(t *testing.T) {
	prints(t, `
local keep
local function deep(n) local v = n; keep = function() return v end; return 1 + deep(n + 1) end
local ok, e = pcall(deep, 1)
print(ok, e, type(keep()))
local function p() local ok, e = pcall(p); if e then return e end end
print((select(2, pcall(p)):match("stack overflow")))
local function w() return coroutine.wrap(w)() end
print((select(2, pcall(w)):match("overflow")))
local mt = {} mt.__index = function(t, k) return t[k .. "x"] end
print((select(2, pcall(function() return setmetatable({}, mt).a end)):match("overflow")))
local t = {} for i = 1, 100 do t[i] = i end
local function s() table.sort(t, function(a, b) s() return a < b end) end
print((select(2, pcall(s)):match("overflow")))`,
		"false\ttest.lua:3: stack overflow\tnumber\nstack overflow\noverflow\noverflow\noverflow")
}

func TestDeepRecursionIsFine(t *testing.T) {
	prints(t, `
local function sum(n) if n == 0 then return 0 end return n + sum(n - 1) end
print(sum(15000), pcall(sum, 15000))
local function loop(n) if n == 0 then return "end" end return loop(n - 1) end
print(loop(1e6))`, "112507500\ttrue\t112507500\nend")
}
