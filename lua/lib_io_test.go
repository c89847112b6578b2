package lua

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pktsh/engine/clock"
)

func TestAFailedReadLeavesTheFileToOthers(t *testing.T) {
	prints(t, `
local f = io.tmpfile()
f:write("1 2") f:seek("set")
for _, format in ipairs{-1, 0/0, {}, "*x"} do print(pcall(f.read, f, format)) end
print(f:read("*n", "*n"))`, `false	bad argument #2 to '?' (negative count)
false	bad argument #2 to '?' (negative count)
false	bad argument #2 to '?' (string expected, got table)
false	bad argument #2 to '?' (invalid format)
1	2`)
}

func TestTasksWriteToOnePipe(t *testing.T) {
	r := newRun(t, func(c *Config) { c.Clock = clock.Real() })
	file := filepath.Join(t.TempDir(), "out")
	err := r.do(`
local p = io.popen("cat > " .. ..., "w")
local line = ("x"):rep(9999) .. "\n"
local tasks = {}
for i = 1, 4 do tasks[i] = spawn(function() for j = 1, 20 do assert(p:write(line)) end end) end
for _, task in ipairs(tasks) do task:wait() end
print(p:close())`, file)
	if err != nil {
		t.Fatal(r.h.Report(err))
	}
	if got := r.out.String(); got != "true\texit\t0\n" {
		t.Error(got)
	}
	b, err := os.ReadFile(file)
	if want := strings.Repeat(strings.Repeat("x", 9999)+"\n", 80); err != nil || string(b) != want {
		t.Errorf("%d octets arrived of %d (%v)", len(b), len(want), err)
	}
}

func TestACancelledWriteLeavesThePipeToOthers(t *testing.T) {
	r := newRun(t, func(c *Config) { c.Clock = clock.Real() })
	dir := t.TempDir()
	err := r.do(`
local go, out = ...
local p = io.popen("while [ ! -e " .. go .. " ]; do sleep 0.01; done; cat > " .. out, "w")
p:setvbuf("no")
local full = spawn(function() p:write(("x"):rep(1e6)) end)
sleep(0)
full:cancel()
print(pcall(full.wait, full))
local q = queue(1)
q:put(1)
local a, b = spawn(q.put, q, 2), spawn(q.put, q, 3)
sleep(0)
q:get() a:cancel() -- it had its turn and cannot use it
b:wait()
print(q:get())
io.open(go, "w"):close()
p:close()`, filepath.Join(dir, "go"), filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(r.h.Report(err))
	}
	if got := r.out.String(); got != "false\tcancelled, at test.lua:5\n3\n" {
		t.Error(got)
	}
}

func TestWhatIsWrittenToAProgramReachesIt(t *testing.T) {
	for _, end := range []string{"", "os.exit(0)"} {
		r := newRun(t)
		file := filepath.Join(t.TempDir(), "out")
		r.do(`local p = io.popen("sleep 0.1; cat > " .. ..., "w") p:write("hello\n") `+end, file)
		if err := r.h.Close(); err != nil {
			t.Error(err)
		}
		if b, err := os.ReadFile(file); string(b) != "hello\n" {
			t.Errorf("%q: %q, %v", end, b, err)
		}
	}
}

func TestACancelledTaskClosesItsPipe(t *testing.T) {
	r := newRun(t, func(c *Config) { c.Clock = clock.Real() })
	err := r.do(`
local q = queue()
local t = spawn(function()
  local p = io.popen("echo $$; exec sleep 1000")
  print(p:read())
  q:put(true)
  pcall(sleep, 1000)
  local ok, err = pcall(p.close, p)
  assert(not ok and err.kind == "cancelled")
  assert(io.type(p) == "closed file")
end)
q:get()
t:cancel()
t:wait()`)
	if err != nil {
		t.Fatal(r.h.Report(err))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(r.out.String()))
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the program still runs")
		}
	}
}

func TestReadersThatEndAreStopped(t *testing.T) {
	for _, src := range []string{
		`load(math.random)`,
		`load(function() return ("x"):rep(1e6) end)`,
		`loadfile("/dev/zero")`,
		`io.open("/dev/zero"):read("*a")`,
		`local name = os.tmpname() local f = io.open(name, "w") f:seek("set", 1e13) f:write("x") f:close() pcall(function() io.open(name):read("*a") end) os.remove(name)`,
	} {
		r := newRun(t, func(c *Config) { c.MaxMemory = 256 << 20 })
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, &TimeoutError{time.Second})
		begin := time.Now()
		err := r.h.RunScript(ctx, "test.lua", src)
		cancel()
		// A fast machine meets the limit of a string before the one of time.
		if err != nil && KindOf(err) != "timeout" && KindOf(err) != "range" && !errors.As(err, new(*MemoryError)) {
			t.Errorf("%s: %v", src, err)
		}
		t.Logf("%v %s: %v", time.Since(begin), src, err)
	}
}

// The text of an error is made by the task, where it can be stopped.
func TestTheTextOfAnErrorIsUnderTheLimits(t *testing.T) {
	r := newRun(t)
	ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, &TimeoutError{time.Second})
	defer cancel()
	err := r.h.RunScript(ctx, "test.lua", `error(setmetatable({}, {__tostring = function() while true do end end}))`)
	if KindOf(err) != "timeout" {
		t.Error(r.h.Report(err))
	}
	fails(t, `error(setmetatable({}, {__tostring = function() sleep(1) return "slept" end}))`, "slept\n")
	fails(t, `error(setmetatable({}, {__tostring = function() return {} end}))`, "error value: table: ")
	fails(t, `error(setmetatable({}, {__tostring = function() error("no") end}))`, "error value: table: ")
	fails(t, `error(u64(7))`, "7\n")
	fails(t, `spawn(error, setmetatable({}, {__tostring = function() sleep(1) return "slept" end}))`, "nobody waits for it: slept\n")
}

func TestArgumentErrorsNameTheFunction(t *testing.T) {
	prints(t, `
for _, f in ipairs{os.getenv, io.open, loadfile, coroutine.resume, os.difftime} do print(select(2, pcall(f, {}))) end
print(pcall(debug.setmetatable, 1, 2))
print(pcall(debug.setmetatable, 1))
print((debug.traceback(coroutine.create(print), "x", -1)))
print(debug.getlocal(1, -1), debug.setlocal(1, -2^63, 1), debug.getlocal(1, 2^53))
os.date("%c", 0/0) os.date("%c", 1e300)`, `bad argument #1 to 'getenv' (string expected, got table)
bad argument #1 to 'open' (string expected, got table)
bad argument #1 to 'loadfile' (string expected, got table)
bad argument #1 to 'resume' (coroutine expected)
bad argument #1 to 'difftime' (number expected, got table)
false	bad argument #2 to 'setmetatable' (nil or table expected)
false	bad argument #2 to 'setmetatable' (nil or table expected)
x
stack traceback:
nil	nil	nil`)
}

func TestANamedPipeOpensWhenTheOtherEndDoes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRun(t)
	err := r.do(`
local waits = spawn(function(name) io.open(name) end, ...)
sleep(0)
waits:cancel()
print(pcall(waits.wait, waits))
local reader = spawn(function(name) return io.open(name):read("*a") end, ...)
sleep(0)
local w = io.open(..., "w")
w:write("through") w:close()
print(reader:wait())`, name)
	if err != nil {
		t.Fatal(r.h.Report(err))
	}
	if got := r.out.String(); got != "false\tcancelled, at test.lua:2\nthrough\n" {
		t.Errorf("%q", got)
	}
}

func TestOutputOfProgramsComesBeforeTheEnd(t *testing.T) {
	var out bytes.Buffer
	r := newRun(t, func(c *Config) { c.Stdout = &out })
	r.do(`local p = io.popen("cat", "w") p:write("hello\n")`)
	r.h.Close()
	if out.String() != "hello\n" {
		t.Errorf("%q", &out)
	}
}

// A file that no script can reach any more is closed, with what was written to
// it, and the runner of tests hears of it.
func TestDroppedFilesAreClosed(t *testing.T) {
	r := newRun(t, func(c *Config) { c.Clock = clock.Real() })
	name := filepath.Join(t.TempDir(), "dropped")
	src := `do local f = io.open(arg[1], "w") f:write("what was written") end
local kept = io.open(arg[1])
for _ = 1, 100 do
  collectgarbage()
  sleep(0.01)
  local g = io.open(arg[1])
  if g:read("*a") ~= "" then g:close() break end
  g:close()
end
print(kept:read("*a"))`
	if err := r.h.RunScript(t.Context(), "main.lua", src, name); err != nil {
		t.Fatal(r.h.Report(err))
	}
	if got := r.out.String(); got != "what was written\n" {
		t.Errorf("got %q", got)
	}
	left := strings.Join(r.h.Leftovers(), "\n")
	if want := "file " + name + " was not closed"; strings.Count(left, want) != 2 { // the one that was dropped, and the one that is kept
		t.Errorf("left over: %s", left)
	}
	if err := r.h.Clean(); err != nil {
		t.Error(err)
	}
	if left := r.h.Leftovers(); left != nil {
		t.Errorf("left over: %v", left)
	}
}

// A script that drops any number of files leaves a bounded list of their names.
func TestNamesOfWhatWasDroppedAreBounded(t *testing.T) {
	r := newRun(t, func(c *Config) { c.Clock = clock.Real() })
	name := filepath.Join(t.TempDir(), "dropped")
	src := `local function open() for i = 1, 400 do io.open(arg[1], "w") end end
for _ = 1, 4 do
	open()
	for _ = 1, 50 do collectgarbage() sleep(0.005) end
end`
	if err := r.h.RunScript(t.Context(), "main.lua", src, name); err != nil {
		t.Fatal(r.h.Report(err))
	}
	if n := len(r.h.unclosed); n == 0 || n > maxUnclosed {
		t.Errorf("%d names", n)
	}
}
