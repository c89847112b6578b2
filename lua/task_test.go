package lua

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"pktsh/engine/clock"
)

func TestTasksTakeTurnsInOrder(t *testing.T) {
	prints(t, `
for i = 1, 3 do spawn(function() for j = 1, 2 do print(i, j); sleep(0) end end) end
print("main")`, "main\n1\t1\n2\t1\n3\t1\n1\t2\n2\t2\n3\t2")
}

func TestSleepCostsNoTimeOnTheVirtualClock(t *testing.T) {
	prints(t, `
local t = spawn(function(x) sleep(3600); return x, clock.now() end, "late")
spawn(function() sleep(1); print("one", os.time(), os.clock()) end)
print(t:wait())
print(clock.virtual, t:status(), t.id, os.date("!%H:%M:%S"))`, "one\t1\t1\nlate\t3600\ntrue\tdone\t2\t01:00:00")
}

func TestBlockingWorksFromEverywhere(t *testing.T) {
	prints(t, `
local mt = {__index = function(_, k) sleep(1); return k end, __add = function(a, b) sleep(1); return 7 end}
local p = setmetatable({}, mt)
print(pcall(function() sleep(1); return p.x, p + p end))
for i in (function() sleep(1); return nil end) do end
local t = {3, 1, 2}
table.sort(t, function(a, b) sleep(1); return a < b end)
print(table.concat(t, ","))
print((("abc"):gsub("%w", function(c) sleep(1); return c:upper() end)))
local co = coroutine.wrap(function() sleep(1); coroutine.yield("y"); sleep(1); return "z" end)
print(co(), co())
print(clock.now() > 10)`, "true\tx\t7\n1,2,3\nABC\ny\tz\ntrue")
}

func TestEveryDoesNotDrift(t *testing.T) {
	prints(t, `
local n = 0
local tick = every(0.1, function() n = n + 1; sleep(0.03); io.write(string.format("%.2f ", clock.now())); return n < 3 end)
tick:wait()
n = 0
every(0.1, function() n = n + 1; sleep(0.25); io.write(string.format("%.2f ", clock.now())); return n < 3 end):wait()
local a = after(5, function(x) return x end, "x")
print(a:wait(), string.format("%.2f", clock.now()))
local e = every(1, print)
sleep(2.5)
e:cancel()`, "0.13 0.23 0.33 0.68 0.93 1.18 x\t6.18")
}

func TestQueue(t *testing.T) {
	prints(t, `
local q = queue(2)
local p = spawn(function() for i = 1, 5 do q:put(i) io.write("p", i, " ") end q:close() end)
sleep(0)
print(#q, q:len())
for v in q:values() do io.write("g", v, " ") end
print(q:get())
print(pcall(q.put, q, 1))
local r = queue()
print(r:get(0.5))
print(r:get(0))
spawn(function() sleep(1); r:put("late") end)
print(r:get(2), clock.now())
print(select(2, pcall(r.put, r)))`, `p1 p2 2	2
g1 g2 p3 p4 g3 g4 p5 g5 nil	closed
false	the queue is closed, at test.lua:8
nil	timeout
nil	timeout
late	1.5
argument value: must not be nil (Queue:put), at test.lua:14`)
}

func TestCancel(t *testing.T) {
	prints(t, `
local function try(f)
  local t = spawn(f)
  sleep(1)
  t:cancel()
  local ok, e = pcall(t.wait, t)
  print(ok, e and e.kind, t:status())
end
try(function() sleep(100) end)
try(function() local ok, e = pcall(sleep, 100); print("cleanup", ok, e.kind, e.where) end)
try(function() queue():get() end)
try(function() coroutine.wrap(function() sleep(100) end)() end)
local stubborn = spawn(function() while true do pcall(sleep, 1) end end)
sleep(1) stubborn:cancel() stubborn:cancel()
print(pcall(stubborn.wait, stubborn))`, `false	cancelled	cancelled
cleanup	false	cancelled	test.lua:10
true	nil	done
false	cancelled	cancelled
false	cancelled	cancelled
false	cancelled, at test.lua:13`)
}

func TestBusyTasksCanBeStopped(t *testing.T) {
	for _, src := range []string{
		`while true do end`,
		`while true do pcall(function() while true do end end) end`,
		`local function f() return f() end f()`,
		`coroutine.wrap(function() while true do end end)()`,
		`while true do coroutine.resume(coroutine.create(function() while true do end end)) end`,
		`table.sort({1,2,3}, function() while true do end end)`,
		`while true do pcall(sleep, 0) end`,
		`while true do xpcall(error, function() while true do end end) end`,
		`repeat until false`,
		`for i = 1, math.huge do end`,
		`setmetatable({}, {__index = function() while true do end end}).x()`,
	} {
		r := newRun(t)
		ctx, cancel := context.WithTimeoutCause(context.Background(), 20*time.Millisecond, &TimeoutError{20 * time.Millisecond})
		err := r.h.RunScript(ctx, "test.lua", src)
		cancel()
		if KindOf(err) != "timeout" || !errors.As(err, new(*TimeoutError)) {
			t.Errorf("%s: %v (%s)", src, err, KindOf(err))
		}
	}
}

func TestMemoryIsLimited(t *testing.T) {
	for _, src := range []string{
		`local t = {} while true do t[#t + 1] = {} end`,
		`local s = "x" while true do s = s .. s end`,
		`local t = {} for i = 1, 1e9 do t[i] = i end`,
		`local t = {} while true do pcall(function() while true do t[#t + 1] = ("x"):rep(1000) .. #t end end) end`,
		`local t = {} while true do t[#t + 1] = spawn(sleep, 1000) end`,
		`local t = {} t[50000000] = 1 while true do t[#t + 1] = {} end`,
	} {
		r := newRun(t, func(c *Config) { c.MaxMemory = 64 << 20 })
		begin := time.Now()
		err := r.do(src)
		t.Logf("%v %s", time.Since(begin), src)
		var me *MemoryError
		if !errors.As(err, &me) && (err == nil || !strings.Contains(err.Error(), "too large")) {
			t.Errorf("%s: %v", src, err)
		}
		r.h.Close()
	}
}

func TestGarbageIsNoMemory(t *testing.T) {
	r := newRun(t, func(c *Config) { c.MaxMemory = 64 << 20 })
	if err := r.do(`for i = 1, 4000 do local s = ("x"):rep(100000 + i) end`); err != nil {
		t.Error(err)
	}
}

func TestDeadlockNamesTheWaiters(t *testing.T) {
	fails(t, `local q = queue()
local t = spawn(function() q:get() end)
t:wait()`, "deadlock: all 2 tasks are blocked", "main waits in task:wait(2) at test.lua:3", "task 2 (from test.lua:2) waits in Queue:get at test.lua:2")
	fails(t, `queue():get()`, "deadlock: main waits in Queue:get at test.lua:1, and nothing can wake it")
}

func TestFailedTasksAreReported(t *testing.T) {
	r := newRun(t)
	err := r.do(`spawn(function() local x = nil; x() end)
sleep(1)
print("on")`)
	if err == nil || !Reported(err) {
		t.Errorf("the script's error: %v", err)
	}
	if got := r.err.String(); !strings.Contains(got, "task 2 (from test.lua:1) failed, and nobody waits for it: test.lua:1: attempt to call a nil value (local 'x')") || !strings.Contains(got, "test.lua:1: task spawned here") {
		t.Errorf("stderr: %s", got)
	}
	if r.out.String() != "on\n" {
		t.Errorf("stdout: %q", r.out.String())
	}
	// One that is waited for later is the waiter's.
	r = newRun(t)
	if err := r.do(`local t = spawn(error, "x", 0); sleep(1); print(pcall(t.wait, t))`); err != nil {
		t.Errorf("%v", err)
	}
}

// A script that failed ends: what its other tasks wait for will not be served.
func TestFailureOfTheScriptEndsItsTasks(t *testing.T) {
	r := newRun(t)
	err := r.do(`
spawn(function() local ok, e = pcall(sleep, 3600) print("cleaned up", ok) end)
spawn(function() while true do pcall(sleep, 3600) end end)
sleep(1)
error("enough")`)
	if err == nil || !strings.Contains(err.Error(), "enough") {
		t.Errorf("the run ended with %v", err)
	}
	if got := r.out.String(); got != "cleaned up\tfalse\n" {
		t.Errorf("printed %q", got)
	}
	if got := r.err.String(); got != "" {
		t.Errorf("reported %q", got)
	}
}

func TestCoroutinesOfOtherTasks(t *testing.T) {
	prints(t, `
local co = coroutine.create(function() sleep(10) end)
spawn(function() coroutine.resume(co) end)
sleep(1)
print(coroutine.resume(co))
print(coroutine.status(co))
sleep(20)
print(coroutine.status(co), coroutine.resume(co))`, `false	cannot resume a coroutine that is blocked in another task: task 2 (from test.lua:3) waits in sleep at test.lua:2
normal
dead	false	cannot resume dead coroutine`)
}

func TestCoroutines(t *testing.T) {
	prints(t, `
print(coroutine.running(), coroutine.isyieldable())
local co
co = coroutine.create(function(a, b)
  print(a, b, coroutine.running() == co, coroutine.status(co), coroutine.isyieldable())
  print(coroutine.yield(1, 2))
  print(pcall(function() print(coroutine.running() == co); return coroutine.resume(co) end))
  print(coroutine.yield())
  error({"e"})
end)
print(coroutine.resume(co, "a", "b"))
print(coroutine.status(co))
print(coroutine.resume(co, "c"))
local ok, e = coroutine.resume(co, "d")
print(ok, e[1], coroutine.status(co))
print(coroutine.resume(co))
local w = coroutine.wrap(function() local x = 1; local f = function() x = x + 1 return x end; coroutine.yield(f); error("w") end)
local f = w()
print(f(), pcall(w))
print(f(), pcall(w))
print(coroutine.resume(coroutine.create(function() return pcall(coroutine.yield) end)))
print(pcall(coroutine.yield))
print(coroutine.resume(coroutine.create(function() table.sort({1,2,3}, coroutine.yield) end)))
print(coroutine.resume(coroutine.create(function() return setmetatable({}, {__index = function() coroutine.yield() end}).x end)))
print(coroutine.resume(coroutine.create(function() return coroutine.yield(4) end)))
local inner = coroutine.wrap(function() local c = coroutine.wrap(function() coroutine.yield("in") end); c(); coroutine.yield("out") end)
print(inner())
local n = 0
for v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do n = n + v end
print(n, coroutine.close(coroutine.create(print)))`, `nil	false
a	b	true	running	true
true	1	2
suspended
c
true
true	false	cannot resume non-suspended coroutine
true
d
false	e	dead
false	cannot resume dead coroutine
2	false	test.lua:17: w
3	false	cannot resume dead coroutine
true	false	attempt to yield across a protected call or a callback (spawn a task and use a queue instead)
false	attempt to yield from outside a coroutine
false	attempt to yield across a Go function (sort, gsub or the like)
false	test.lua:24: attempt to yield across a metamethod or an iterator
true	4
out
6	true`)
}

func TestExitClosesEverything(t *testing.T) {
	r := newRun(t)
	closed := ""
	r.h.OnClose(closeFunc(func() error { closed += "a"; return nil }))
	r.h.OnClose(closeFunc(func() error { closed += "b"; return nil }))
	err := r.do(`spawn(function() while true do pcall(sleep, 1) end end)
pcall(function() print("bye"); os.exit(3) end) print("not reached")`)
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("%v", err)
	}
	r.h.Close()
	if closed != "ba" || r.out.String() != "bye\n" {
		t.Errorf("closed %q, printed %q", closed, r.out.String())
	}
}

func TestInterrupt(t *testing.T) {
	r := newRun(t, func(c *Config) { c.Clock = clock.Real() })
	r.h.Globals().RawSetString("intr", r.h.NewFunction(func(*State) int { r.h.Interrupt(); return 0 }))
	err := r.do(`spawn(intr) local ok, e = pcall(sleep, 1000) print(ok, e.kind, e.message) sleep(1)`)
	if !errors.Is(err, ErrInterrupted) {
		t.Errorf("%v", err)
	}
	if r.out.String() != "false\tcancelled\tinterrupted\n" {
		t.Errorf("%s", r.out.String())
	}
}

func TestLoopAndDo(t *testing.T) {
	r := newRun(t, func(c *Config) { c.Keep = true; c.Clock = clock.Real() })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- r.h.Loop(ctx) }()
	do := func(src string) string {
		vs, err := r.h.Do(context.Background(), "in[1]", src)
		if err != nil {
			return r.h.Report(err)
		}
		return fmt.Sprint(vs)
	}
	if got := do("1 + 1, 'x'"); got != "[2 x]" {
		t.Error(got)
	}
	if got := do("x = 5"); got != "[]" {
		t.Error(got)
	}
	if got := do("x ="); !strings.Contains(got, "in[1]:1:") {
		t.Error(got)
	}
	go func() {
		for {
			if ws := blockedNow(r.h); len(ws) > 0 {
				r.h.Interrupt()
				return
			}
			runtime.Gosched()
		}
	}()
	if got := do("sleep(1000)"); !strings.Contains(got, "interrupted") {
		t.Error(got)
	}
	if got := do("x"); got != "[5]" {
		t.Error(got)
	}
	cancel()
	<-ended
	ran := r.h.With(func() {})
	if _, err := r.h.Do(context.Background(), "late", "1"); ran || err != ErrHostClosed {
		t.Errorf("after the loop: %v, %v", ran, err)
	}
}

func blockedNow(h *Host) (ws []Wait) {
	h.With(func() { ws = h.Blocked() })
	return ws
}

func TestNothingLeaks(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		r := newRun(t)
		r.do(`for i = 1, 50 do spawn(sleep, 1000); spawn(function() queue():get() end) end sleep(1) os.exit()`)
		r.h.Spawn(r.h.NewFunction(func(L *State) int { return 0 }), SpawnOptions{Daemon: true})
		r.h.Close()
	}
	for end := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}

func TestPooledStatesAreSmall(t *testing.T) {
	r := newRun(t)
	err := r.do(`
local function many() return unpack({}, 1, 1e5) end
local tasks = {}
for i = 1, 80 do tasks[i] = spawn(function() sleep(0) local n = select("#", many()) sleep(0) end) end
for i = 1, 80 do tasks[i]:wait() end`)
	if err != nil {
		t.Fatal(err)
	}
	slots := 0
	for _, th := range append(r.h.spare, r.h.spareBig...) {
		slots += len(*th.slots)
	}
	if slots > 80*keptSlots {
		t.Errorf("%d registers are kept", slots)
	}
}

func TestAwait(t *testing.T) {
	r := newRun(t)
	h := r.h
	started := make(chan bool, 1)
	h.Globals().RawSetString("block", h.NewFunction(func(L *State) int {
		err := h.Await("block", func(ctx context.Context) error {
			started <- true
			<-ctx.Done()
			return ctx.Err()
		})
		if err != nil {
			h.Raise(L, err)
		}
		return 0
	}))
	h.Globals().RawSetString("quick", h.NewFunction(func(L *State) int {
		n := 0
		if err := h.Await("quick", func(context.Context) error { n = 42; return nil }); err != nil {
			h.Raise(L, err)
		}
		L.Push(Int(n))
		return 1
	}))
	h.Globals().RawSetString("crash", h.NewFunction(func(L *State) int {
		err := h.Await("crash", func(context.Context) error { panic("oops") })
		h.Raise(L, err)
		return 0
	}))
	err := r.do(`print(quick())
local t = spawn(block) sleep(0) t:cancel()
print(select(2, pcall(t.wait, t)).kind)
local ok, e = pcall(crash) print(e.kind, e.message, #e.stack > 10, clock.now())`)
	if err != nil {
		t.Fatal(h.Report(err))
	}
	if got := r.out.String(); got != "42\ncancelled\nbug\tbug in pktsh: oops\ttrue\t0\n" {
		t.Error(got)
	}
}

// TestRunsAreTheSame is the promise of virtual time: the same script with the
// same seed prints the same.
func TestRunsAreTheSame(t *testing.T) {
	src := `
local q = queue(3)
for i = 1, 20 do
  spawn(function()
    for j = 1, 20 do
      sleep(math.random() * 10)
      if math.random(4) == 1 then q:put(i * 100 + j) else sleep(0) end
      if math.random(50) == 1 then pcall(error, {}) end
    end
  end)
end
local n = 0
every(0.5, function() n = n + 1; io.write(n, " ", #q, " "); return n < 400 end)
spawn(function() for v in q:values() do io.write(v, "@", clock.now(), " "); sleep(math.random() / 10) end end)
after(250, function() q:close() end)
local t = {} for i = 1, 20 do t["k" .. math.random(1000)] = i end
for k, v in pairs(t) do io.write(k, "=", v, " ") end`
	var first string
	for i := range 30 {
		r := newRun(t)
		if err := r.do(src); err != nil {
			t.Fatal(r.h.Report(err))
		}
		if i == 0 {
			first = r.out.String()
		} else if r.out.String() != first {
			t.Fatalf("run %d differs:\n%s\n%s", i, first, r.out.String())
		}
	}
	r := newRun(t, func(c *Config) { c.Seed = 2 })
	r.do(src)
	if r.out.String() == first || len(first) < 3000 {
		t.Errorf("another seed changes nothing, or %d octets are too few", len(first))
	}
}

func TestTasksThatTakeNoHeedEnd(t *testing.T) {
	fails(t, `local q = queue() while true do pcall(q.get, q) end`, "deadlock")
	prints(t, `local t = spawn(function() while true do pcall(sleep, 1) end end) sleep(1) t:cancel() print(pcall(t.wait, t))`,
		"false\tcancelled, at test.lua:1")
}

func TestDaemonsFinishWhatHasArrived(t *testing.T) {
	r := newRun(t)
	q := r.h.NewQueue(100)
	r.h.Globals().RawSetString("q", r.h.Wrap(q))
	fn, err := r.h.Load(`for v in q:values() do sleep(0) print(v) end`, "daemon")
	if err != nil {
		t.Fatal(err)
	}
	r.h.Spawn(fn, SpawnOptions{Daemon: true, Name: "printer"})
	if err := r.do(`for i = 1, 3 do q:put(i) end`); err != nil {
		t.Fatal(err)
	}
	if got := r.out.String(); got != "1\n2\n3\n" {
		t.Errorf("%q", got)
	}
}

func TestTaskFields(t *testing.T) {
	prints(t, `
local t = spawn(function() sleep(2) return 1, nil, 3 end)
t.name = "worker"
print(t.name, t.id, t:status(), tostring(t), t == t, pcall(function() t.id = 3 end))
print(select(2, pcall(t.wait, t, 1)).kind, t:status())
print(t:wait()) print(t:wait()) print(t:status(), select("#", t:wait()))
local f = spawn(error, {kind = "own"}) print(select(2, pcall(f.wait, f)).kind, f:status())
print(pcall(t.wait), pcall(spawn(sleep, 1).wait, 5))`,
		"worker\t2\tready\ttask 2 (worker) ready\ttrue\tfalse\tof a task only the name can be set, at test.lua:4\n"+
			"timeout\twaiting\n1\tnil\t3\n1\tnil\t3\ndone\t3\nown\tfailed\n"+
			"false\tfalse\targument self: want Task, got number; call it with a colon: x:wait() (Task:wait), at test.lua:8")
}

// A script that waits for a time less than a nanosecond away gets there.
func TestSleepIsNeverNothing(t *testing.T) {
	for _, wait := range []float64{1e-10, 4.9e-324, 1e-9} {
		if d, err := Seconds(wait); d != 1 || err != nil {
			t.Errorf("%g s is %d ns, %v", wait, d, err)
		}
	}
	if d, err := Seconds(0); d != 0 || err != nil {
		t.Errorf("0 s is %d ns, %v", d, err)
	}
}
