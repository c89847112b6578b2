package lua

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pktsh/engine/clock"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	r := newRun(t, func(c *Config) { c.Stdin = strings.NewReader("one\ntwo\n3.5 0x10 rest\nlast") })
	err := r.do(`
local name = arg[1] .. "/f.txt"
local f = assert(io.open(name, "w"))
print(f:write("a\n", 1, "\n", 2.5, "\nlast"), io.type(f))
print(f:close(), io.type(f), pcall(f.read, f))
for l in io.lines(name) do io.write("[", l, "]") end print()
f = io.open(name)
print(f:read("*l", "*n", "*n", "*l", "*a", "*a", "*l"))
print(f:seek("set", 2), f:read(1), f:seek("cur"), f:seek("end"), f:read(0), f:read(1))
f:close()
f = io.open(name, "r+") f:seek("set", 0) f:write("A") f:seek("set", 0) print(f:read("*a")) f:close()
f = io.open(name, "a") f:write("+") f:close() print(io.open(name):read("*a"))
print(io.open(arg[1] .. "/none"))
print(pcall(io.open, name, "q"))
print(io.read(), io.read("*L"), io.read("*n", "*n"))
for l in io.lines() do io.write("{", l, "}") end print(io.read(), io.read("*a"))
io.output(name) io.write("via output") io.close() io.output(io.stdout)
print(io.open(name):read("*a"), io.type(5))
print(os.rename(name, name .. "2"), os.remove(name .. "2"), select("#", os.remove(name)))
local t = io.tmpfile() t:write("x") t:seek("set") print(t:read("*a"))
print(tostring(t):match("^file %("), pcall(io.lines, "/none"))`, dir)
	if err != nil {
		t.Fatal(r.h.Report(err))
	}
	want := `true	file
true	closed file	false	attempt to use a closed file
[a][1][2.5][last]
a	1	2.5		last		nil
2	1	3	12	nil	nil
A
1
2.5
last
A
1
2.5
last+
nil	DIR/none: No such file or directory	2
false	bad argument #2 to 'open' (invalid mode)
one	two
	3.5	16
{ rest}{last}nil	
via output	nil
true	true	3
x
file (	false	open /none: no such file or directory, at test.lua:21
`
	if got := strings.ReplaceAll(r.out.String(), dir, "DIR"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPopen(t *testing.T) {
	r := newRun(t, func(c *Config) { c.Clock = clock.Real() })
	err := r.do(`
local p = io.popen("echo hi; read x; echo $x; exit 3", "r")
print(p:read("*l"), p:read("*a")) print(p:close())
local n = 0
spawn(function() for i = 1, 3 do n = n + 1 sleep(0.001) end end)
print(io.popen("sleep 0.1; echo slow"):read("*a"), n)
print(os.execute("exit 2") / 256, os.execute("true"))
local w = io.popen("cat >/dev/null", "w") print(w:write(("x"):rep(300000))) print(w:close())
local t = spawn(function() io.popen("sleep 100"):read("*a") end)
sleep(0.01) t:cancel() print(pcall(t.wait, t))`)
	if err != nil {
		t.Fatal(r.h.Report(err))
	}
	want := "hi\t\n\ntrue\texit\t3\nslow\n\t3\n2\t0\ntrue\ntrue\texit\t0\nfalse\tcancelled, at test.lua:9\n"
	if got := r.out.String(); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// pipe is a reader that nothing wakes but its other end.
func TestReadingStandardInputLetsOthersRun(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	r := newRun(t, func(c *Config) { c.Stdin = in; c.Clock = clock.Real() })
	r.h.Globals().RawSetString("feed", r.h.NewFunction(func(L *State) int {
		out.WriteString(L.CheckString(1))
		return 0
	}))
	if err := r.do(`local n = 0
local t = spawn(function() for i = 1, 3 do n = n + i; sleep(0) end feed("line\n") end)
print(io.read(), n)
local c = spawn(io.read) sleep(0) c:cancel() print(pcall(c.wait, c))
spawn(feed, "next\n") print(io.read())`); err != nil {
		t.Fatal(r.h.Report(err))
	}
	if got := r.out.String(); got != "line\t6\nfalse\tcancelled\nnext\n" {
		t.Errorf("%q", got)
	}
}

func TestOs(t *testing.T) {
	t.Setenv("PKTSH_TEST", "set")
	prints(t, `
print(os.getenv("PKTSH_TEST"), os.getenv("PKTSH_NONE"), os.setlocale(), os.setlocale("de"))
sleep(90061.5)
print(os.time(), os.clock(), os.date("%Y-%m-%d %H:%M:%S %a %j %p %y %%"), os.date("!%c", 0))
local d = os.date("*t", 86400) print(d.year, d.month, d.day, d.hour, d.wday, d.yday, d.isdst)
print(os.time{year=1970, month=1, day=2, hour=0}, os.time{year=2000, month=13, day=1}, os.difftime(5, 3))
print(pcall(os.time, {year=1}))`,
		"set\tnil\tC\tnil\n90061\t90061.5\t1970-01-02 01:01:01 Fri 002 AM 70 %\tThu Jan  1 00:00:00 1970\n1970\t1\t2\t0\t6\t2\tfalse\n86400\t978350400\t2\nfalse\tfield 'day' missing in date table")
}

// A module that sleeps while it loads is loaded once; other tasks wait for it,
// and hear when it fails or would wait for them.
func TestRequireWaitsForAnotherTask(t *testing.T) {
	r := newRun(t, func(c *Config) {
		c.Stdlib = fstest.MapFS{
			"slow.lua":    {Data: []byte("n = (n or 0) + 1 sleep(0.1) return {n = n}")},
			"failing.lua": {Data: []byte("tries = (tries or 0) + 1 sleep(0.1) error('no luck ' .. tries, 0)")},
			"one.lua":     {Data: []byte("sleep(0.1) return {other = require 'two'}")},
			"two.lua":     {Data: []byte("sleep(0.1) return {other = require 'one'}")},
			"long.lua":    {Data: []byte("sleep(1000)")},
		}
	})
	src := `
local ts = {}
for i = 1, 3 do ts[i] = spawn(require, "slow") end
local m = require "slow"
for i = 1, 3 do print(ts[i]:wait() == m, m.n) end
for i = 1, 2 do ts[i] = spawn(pcall, require, "failing") end
for i = 1, 2 do print(ts[i]:wait()) end
local x, y = spawn(pcall, require, "one"), spawn(pcall, require, "two")
print(x:wait()) print(y:wait())
local first = spawn(require, "long")
sleep(0.01)
local second = spawn(require, "long")
sleep(0.01)
second:cancel()
print(select(2, pcall(second.wait, second)).kind)
first:cancel()
print(select(2, pcall(first.wait, first)).kind)`
	if err := r.h.RunScript(t.Context(), "main.lua", src); err != nil {
		t.Fatal(r.h.Report(err))
	}
	got := r.out.String()
	for _, w := range []string{"true\t1\ntrue\t1\ntrue\t1\n", "no luck 1\n", "no luck 2\n", "two.lua:1: loop or previous error loading module 'one'\n", "cancelled\ncancelled\n"} {
		if !strings.Contains(got, w) {
			t.Errorf("no %q in\n%s", w, got)
		}
	}
}

func TestLoadAndRequire(t *testing.T) {
	dir := t.TempDir()
	write := func(name, src string) {
		p := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(p), 0o755)
		if err := os.WriteFile(p, []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("mod.lua", `return {name = ..., n = (count or 0) + 1}`)
	write("pack/init.lua", `module(..., package.seeall) function hi() return _NAME, print ~= nil end`)
	write("bad.lua", `local x = = 1`)
	write("fails.lua", `error("at load")`)
	write("loopa.lua", `return require "loopb"`)
	write("loopb.lua", `return require "loopa"`)
	write("run.lua", "#!/usr/bin/env pktsh\nreturn 1, ...")
	main := filepath.Join(dir, "main.lua")
	write("main.lua", "")
	r := newRun(t, func(c *Config) {
		c.Stdlib = fstest.MapFS{"emb.lua": {Data: []byte("return 'embedded'")}, "deep/x.lua": {Data: []byte("return {'deep'}")}}
	})
	src := `
local m = require "mod" print(m.name, m.n, require "mod" == m, package.loaded.mod == m)
print((require("pack").hi()), pack ~= nil)
print(require "emb", require("deep.x")[1])
print(pcall(require, "bad")) print(pcall(require, "fails")) print(pcall(require, "loopa"))
package.preload.pre = function(n) return n .. "!" end print(require "pre")
print(dofile(arg[1] .. "/run.lua"), loadfile(arg[1] .. "/none.lua"))
print(load("return ...", "=c")(1, 2)) print(loadstring("x =")) print(load(function() return nil end)())
local n = 0 print(load(function() n = n + 1 return ({"return ", "4", "2"})[n] end)())
local env = {} setfenv(loadstring("y = 1"), env)() print(env.y, y, load("return z", "c", "t", {z = 3})())
local function f() return getfenv(1) == _G, getfenv(f) end print(f()) print(getfenv(print) == _G, pcall(setfenv, print, {}))
print(select(2, pcall(error, "lvl", 2)), select(2, pcall(error)), select(2, pcall(assert, false)), select(2, pcall(assert, nil, "m")), assert(1, 2))
for _, n in ipairs{"=chunk", "@f.lua", "x\ny"} do io.write(select(2, pcall(loadstring("error('e')", n))), " ") end print()
print(type(collectgarbage("count")), collectgarbage("step"), collectgarbage(), pcall(collectgarbage, "odd"))`
	if err := r.h.RunScript(t.Context(), main, src, dir); err != nil {
		t.Fatal(r.h.Report(err))
	}
	got := strings.ReplaceAll(r.out.String(), dir, "DIR")
	for _, w := range []string{
		"mod\t1\ttrue\ttrue\n", "pack\ttrue\n", "embedded\tdeep\n",
		"false\terror loading module 'bad' from file 'DIR/bad.lua':\n\tDIR/bad.lua:1:",
		"false\tDIR/fails.lua:1: at load\n", "DIR/loopb.lua:1: loop or previous error loading module 'loopa'",
		"pre!\n", "1\tnil\tcannot open DIR/none.lua", "1\t2\nnil\t[string \"x =\"]:1:", "42\n", "1\tnil\t3\n",
		"true\t", "true\tfalse\t'setfenv' cannot change environment of given object",
		"lvl\tnil\tassertion failed!\tm\t1\t2\n",
		"chunk:1: e f.lua:1: e [string \"x...\"]:1: e \n",
		"number\ttrue\t0\tfalse\tbad argument #1 to 'collectgarbage' (invalid option 'odd')",
	} {
		if !strings.Contains(got, w) {
			t.Errorf("lacks %q in\n%s", w, got)
		}
	}
}

func TestDebug(t *testing.T) {
	prints(t, `
local function f() return debug.traceback("msg") end
local s = select(2, pcall(function() return f() .. "" end))
print(s)
local i = debug.getinfo(1, "Sl") print(i.short_src, i.currentline, i.what)
i = debug.getinfo(f) print(i.linedefined, i.lastlinedefined, i.what, i.nups)
i = debug.getinfo(print) print(i.what, i.short_src)
local function name() return debug.getinfo(1, "n").name end print((name()), debug.getinfo(50))
print(debug.getlocal(1, 1), debug.getupvalue(f, 1), debug.traceback({}) ~= nil)`,
		`msg
stack traceback:
	test.lua:2: in function 'f'
	test.lua:3: in function <test.lua:3>
	[Go]: in function 'pcall'
	test.lua:3: in main chunk
test.lua	5	main
2	2	Lua	0
C	[C]
name	nil
f	nil	true`)
}

func TestOutputIsFlushedAndEndsQuietly(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	r := newRun(t, func(c *Config) { c.Stdout = out; c.Clock = clock.NewVirtual(time.Unix(0, 0)) })
	runErr := r.do(`while true do print(("x"):rep(1000)) end`)
	if !IsBrokenPipe(runErr) {
		t.Errorf("%v", runErr)
	}
}
