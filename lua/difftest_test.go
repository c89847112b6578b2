package lua

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pktsh/internal/need"
)

// The differential test: random programs print the same under lua5.1 and
// here. It runs a few hundred; PKTSH_FUZZ_PROGRAMS asks for another number and
// PKTSH_FUZZ_SEED for another first seed. It is blind to the sign of zero,
// which the arithmetic of gopher-lua drops.
func TestRandomProgramsPrintWhatLua51Prints(t *testing.T) {
	need.Program(t, "lua5.1")
	number := func(name string, def int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return def
	}
	programs, seed := number("PKTSH_FUZZ_PROGRAMS", 400), number("PKTSH_FUZZ_SEED", 1)
	if testing.Short() {
		programs = min(programs, 100)
	}
	const batch = 100
	failed, skipped, ran := 0, 0, 0
	for first := seed; first < seed+programs; first += batch {
		var srcs []string
		for i := first; i < min(first+batch, seed+programs); i++ {
			srcs = append(srcs, randomProgram(uint64(i)))
		}
		want, err := diffLua51(srcs)
		if err != nil {
			t.Fatal(err)
		}
		for i, src := range srcs {
			if strings.Contains(want[i], "TIMEOUT") {
				skipped++
				continue
			}
			if strings.HasPrefix(want[i], "COMPILE") {
				t.Fatalf("seed %d: the generator made a program that lua5.1 refuses: %s\n%s", first+i, want[i], numbered(src))
			}
			ran++
			if got := diffHere(src); got != want[i] {
				small := shrink(src)
				w, err := diffLua51([]string{small})
				if err != nil {
					t.Fatal(err)
				}
				t.Errorf("seed %d prints something else than under lua5.1:\n%s\n-- lua5.1:\n%s-- here:\n%s", first+i, numbered(strings.TrimPrefix(small, diffPrelude)), w[0], diffHere(small))
				if failed++; failed >= 5 {
					t.FailNow()
				}
			}
		}
	}
	t.Logf("%d programs agree, %d ran too long to tell", ran-failed, skipped)
}

// A program that never ends must not keep the oracle.
func TestTheOracleGivesUpOnEndlessPrograms(t *testing.T) {
	need.Program(t, "lua5.1")
	got, err := diffLua51([]string{
		`while true do pcall(function() while true do end end) end`,
		`while true do coroutine.resume(coroutine.create(function() while true do end end)) end`,
		`local f = coroutine.wrap(function() while true do pcall(function() while true do end end) end end) f()`,
		`print(pcall(coroutine.wrap(function(x) error(x, 0) end), "fine"))`,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, out := range got {
		if ended := !strings.Contains(out, "TIMEOUT"); ended != (i == 3) {
			t.Errorf("%d: %s", i, out)
		}
	}
	if got[3] != "false\tfine\n" {
		t.Errorf("%q", got[3])
	}
}

func numbered(src string) string {
	var b strings.Builder
	for i, l := range strings.Split(src, "\n") {
		fmt.Fprintf(&b, "%3d %s\n", i+1, l)
	}
	return b.String()
}

// diffLua51 runs programs in one process, each with its own globals.
func diffLua51(srcs []string) ([]string, error) {
	var in bytes.Buffer
	for _, s := range srcs {
		fmt.Fprintf(&in, "%d\n%s", len(s), s)
	}
	out, err := lua51(&in, "-e", diffDriver)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(string(out), "\x00\n")
	if len(parts) != len(srcs)+1 {
		return nil, fmt.Errorf("lua5.1 ran %d of %d programs", len(parts)-1, len(srcs))
	}
	for i := range parts {
		parts[i] = sameWords(parts[i])
	}
	return parts[:len(srcs)], nil
}

var errorWords = regexp.MustCompile(`(?m)^(ERR .*attempt to [a-z]+).*$`)

// sameWords cuts what the two word differently off the message of an error
// that ended the program.
func sameWords(s string) string { return errorWords.ReplaceAllString(s, "$1") }

// diffDriver gives each program three million instructions, its coroutines'
// included. From then on every instruction fails, so that no pcall saves it.
const diffDriver = `
local base = {}
for k, v in pairs(_G) do base[k] = v end
local driver, sethook, getinfo = debug.getinfo(1, "f").func, debug.sethook, debug.getinfo
local left
local function hook()
  left = left - 1
  if left >= 0 then return end
  if getinfo(2, "f").func == driver then return sethook() end
  sethook(hook, "", 1)
  error("TIMEOUT", 0)
end
local create, wrap = coroutine.create, coroutine.wrap
base.coroutine = {}
for k, v in pairs(coroutine) do base.coroutine[k] = v end
base.coroutine.create = function(f)
  local co = create(f)
  sethook(co, hook, "", 10000)
  return co
end
base.coroutine.wrap = function(f)
  if type(f) ~= "function" then return wrap(f) end
  return wrap(function(...)
    sethook(hook, "", 10000)
    return f(...)
  end)
end
while true do
  local n = io.read("*n")
  if not n then break end
  io.read("*l")
  local src = io.read(n)
  local buf = {}
  local env = setmetatable({}, {__index = base})
  env.print = function(...)
    local t = {}
    for i = 1, select("#", ...) do t[i] = tostring((select(i, ...))) end
    buf[#buf + 1] = table.concat(t, "\t")
  end
  env.loadstring = function(s, name) return setfenv(loadstring(s, name), env) end
  local f, err = loadstring(src, "=p")
  if not f then
    buf[#buf + 1] = "COMPILE " .. err
  else
    setfenv(f, env)
    left = 300
    sethook(hook, "", 10000)
    local ok, err = pcall(f)
    sethook()
    if left < 0 then buf[#buf + 1] = "TIMEOUT" end
    if not ok then buf[#buf + 1] = "ERR " .. tostring(err) end
  end
  buf[#buf + 1] = "\0"
  io.write(table.concat(buf, "\n"), "\n")
end`

func diffHere(src string) string {
	var out bytes.Buffer
	h, err := New(Config{Stdout: &out, Stderr: &out, Seed: 1})
	if err != nil {
		return err.Error()
	}
	defer h.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := h.RunScript(ctx, "p", src); err != nil {
		fmt.Fprintf(&out, "ERR %v\n", err)
	}
	return sameWords(out.String())
}

// shrink drops lines as long as the results differ.
func shrink(src string) string {
	body, ok := strings.CutPrefix(src, diffPrelude)
	if !ok {
		return src
	}
	lines := strings.Split(body, "\n")
	differs := func(lines []string) bool {
		s := diffPrelude + strings.Join(lines, "\n")
		if _, err := compile(s, "p"); err != nil {
			return false
		}
		want, err := diffLua51([]string{s})
		return err == nil && !strings.Contains(want[0], "TIMEOUT") && !strings.HasPrefix(want[0], "COMPILE") && diffHere(s) != want[0]
	}
	deadline := time.Now().Add(20 * time.Second)
	for progress := true; progress; {
		progress = false
		for size := len(lines); size >= 1; size-- {
			for i := 0; i+size <= len(lines); i++ {
				if time.Now().After(deadline) {
					return diffPrelude + strings.Join(lines, "\n")
				}
				fewer := append(append([]string{}, lines[:i]...), lines[i+size:]...)
				if differs(fewer) {
					lines, progress = fewer, true
					i--
				}
			}
		}
	}
	return diffPrelude + strings.Join(lines, "\n")
}

// diffPrelude keeps programs within what Lua defines and lets them end. It is
// one line, so that line numbers in messages are easy to read.
var diffPrelude = strings.ReplaceAll(`local N, D = 0, 0
function S(v) local t = type(v) if t == "number" then if v ~= v then return "nan" elseif v == 0 then return "0" end return tostring(v) elseif t == "string" then return v:gsub("attempt to (%a+).*", "attempt to %1"):gsub("bad argument.*", "bad argument") .. "" elseif t == "table" then return "T" elseif t == "boolean" or t == "nil" then return tostring(v) end return t end
function out(...) local t = {} for i = 1, select("#", ...) do t[i] = S((select(i, ...))) end print(table.concat(t, " ")) end
function M(x) if type(x) ~= "number" or x ~= x or x > 1e6 or x < -1e6 then return 7 end return x + 0 end
function C(s) return s:sub(1, 40) end
function B(v) return v and true or false end
function get(t, k) if type(t) == "table" then return t[k] end return k end
function put(t, k, v) if type(t) == "table" and k ~= nil and k == k then t[k] = v end end
function call(f, ...) if type(f) == "function" then return f(...) end return ... end
function sel(...) return select("#", ...), ... end
function id(...) return ... end
function one() return 11 end function two() return 21, 22 end function none() end
function tick() N = N + 1 if N > 200 then error("stop", 0) end return true end
function tick3() tick() return N % 3 == 0 end
function deep() tick() D = D + 1 if D > 25 then return true end return false end
local mt = {} mt.__index = function(t, k) return k end mt.__add = function(a, b) return 1 end mt.__concat = function(a, b) return "cat" end mt.__call = function(self, ...) return select("#", ...), ... end mt.__eq = function(a, b) return true end mt.__lt = function(a, b) return true end mt.__le = function(a, b) return false end mt.__unm = function(a) return "unm" end mt.__newindex = function(t, k, v) rawset(t, k, v == nil and "nil" or v) end
function obj(v) return setmetatable({v = v}, mt) end
function Rec(t) return t, t.k, t.x end
function iter(n) local i = 0 return function() i = i + 1 if i <= n then return i, i * 10 end end end
`, "\n", " ") + "\n"

type varKind int

const (
	anyVar varKind = iota
	numVar
	strVar
	tabVar
	fnVar // takes anything, returns anything
)

type variable struct {
	name string
	kind varKind
}

// programmer writes random programs. Variables of the kinds number and string
// only ever hold such values, so that operators can be used on them bare.
type programmer struct {
	r      *rand.Rand
	b      strings.Builder
	vars   []variable
	next   int
	indent int
	loop   bool
	vararg bool
	depth  int
	size   int
	co     bool // straight in a coroutine's own function
}

func randomProgram(seed uint64) string {
	g := &programmer{r: rand.New(rand.NewPCG(seed, 51)), vararg: true, size: 60}
	g.b.WriteString(diffPrelude)
	g.block(6)
	return g.b.String()
}

func (g *programmer) n(n int) int             { return g.r.IntN(n) }
func (g *programmer) chance(percent int) bool { return g.n(100) < percent }
func (g *programmer) pick(s ...string) string { return s[g.n(len(s))] }
func (g *programmer) line(f string, a ...any) {
	fmt.Fprintf(&g.b, strings.Repeat("  ", g.indent)+f+"\n", a...)
}
func (g *programmer) fresh(prefix string) string {
	g.next++
	if g.chance(12) && g.next > 3 { // shadow an older one
		return prefix + strconv.Itoa(1+g.n(g.next))
	}
	return prefix + strconv.Itoa(g.next)
}

// declared adds a variable and hides those of the same name.
func (g *programmer) declare(name string, k varKind) {
	g.vars = append(g.vars, variable{name, k})
}

func (g *programmer) visible(k varKind) []string {
	seen := map[string]bool{}
	var names []string
	for i := len(g.vars) - 1; i >= 0; i-- {
		v := g.vars[i]
		if !seen[v.name] && v.kind == k {
			names = append(names, v.name)
		}
		seen[v.name] = true
	}
	return names
}

func (g *programmer) someVar(k varKind) (string, bool) {
	vs := g.visible(k)
	if len(vs) == 0 {
		return "", false
	}
	return vs[g.n(len(vs))], true
}

func (g *programmer) number(d int) string {
	if v, ok := g.someVar(numVar); ok && (d > 3 || g.chance(35)) {
		return v
	}
	if d > 3 || g.chance(20) {
		return g.pick("1", "2", "3", "7", "0.5", "2.25", "10", "0x1F", "1e2", "3.0", ".5", "12345")
	}
	a := func() string { return g.number(d + 1) }
	switch g.n(17) {
	case 0, 1:
		return fmt.Sprintf("(M(%s) + %s)", a(), a())
	case 2:
		return fmt.Sprintf("(%s - M(%s))", a(), a())
	case 3:
		return fmt.Sprintf("(M(%s) * M(%s))", a(), a())
	case 4:
		return fmt.Sprintf("(M(%s) / %s)", a(), g.pick("2", "3", "4", "0.5", "7"))
	case 5:
		return fmt.Sprintf("(M(%s) %% %s)", a(), g.pick("2", "3", "5", "10", "-3"))
	case 6:
		return "-M(" + a() + ")"
	case 7:
		return "#" + g.str(d+1)
	case 8:
		return fmt.Sprintf("math.floor(%s)", a())
	case 9:
		return fmt.Sprintf("(%s and %s or %s)", g.cond(d+1), a(), a())
	case 10:
		return fmt.Sprintf("(%s or %s)", g.pick("nil", "false", a()), a())
	case 11:
		return "M(" + g.any(d+1) + ")"
	case 12:
		return fmt.Sprintf("(%s + \"%d\")", a(), g.n(20))
	case 13:
		return fmt.Sprintf("math.%s(%s, %s)", g.pick("max", "min"), a(), a())
	case 14:
		return fmt.Sprintf("(tonumber(%s) or %s)", g.str(d+1), a())
	case 15:
		return fmt.Sprintf("(M(%s) ^ %s)", a(), g.pick("2", "0.5", "3"))
	}
	return fmt.Sprintf("select('#', %s)", g.list(d+1, 3))
}

func (g *programmer) str(d int) string {
	if v, ok := g.someVar(strVar); ok && (d > 3 || g.chance(35)) {
		return v
	}
	if d > 3 || g.chance(25) {
		return g.pick(`"a"`, `'b'`, `""`, `"x,y"`, `"\65\n\t\\"`, `[[long]]`, `[==[x]]y]==]`, `"k"`, `"12"`, `"it's"`, `"Abc dEf"`, `("q")`)
	}
	a := func() string { return g.str(d + 1) }
	switch g.n(15) {
	case 0, 1:
		return fmt.Sprintf("(%s .. %s)", a(), a())
	case 2:
		return fmt.Sprintf("(%s .. M(%s))", a(), g.number(d+1))
	case 3:
		return fmt.Sprintf("(%s .. %s .. %s)", a(), a(), a())
	case 4:
		return fmt.Sprintf("C((%s):sub(%d, %d))", a(), g.n(5)-2, g.n(6)-2)
	case 5:
		return fmt.Sprintf("(%s):%s()", a(), g.pick("upper", "lower", "reverse"))
	case 6:
		return fmt.Sprintf("C(%s):rep(%d)", a(), g.n(4))
	case 7:
		return fmt.Sprintf("string.format(%s, M(%s))", g.pick(`"%d"`, `"%5.2f"`, `"%g"`, `"%s"`, `"%-6d|"`, `"%05d"`, `"%5s"`), g.number(d+1))
	case 8:
		return fmt.Sprintf("((%s):gsub(%s, %s))", a(), g.pick(`"%a"`, `"."`, `"x"`, `"%w+"`, `"()"`, `"[a-f]"`), g.pick(`"-"`, `"%0%0"`, `string.upper`, `{a = "A"}`, "function(s) return nil end"))
	case 9:
		return fmt.Sprintf("tostring(M(%s))", g.number(d+1)) // M: the interpreter makes 0 of -0
	case 10:
		return fmt.Sprintf("S(%s)", g.any(d+1))
	case 11:
		return fmt.Sprintf("(%s and %s or %s)", g.cond(d+1), a(), a())
	case 12:
		return fmt.Sprintf("((%s):match(%s) or %s)", a(), g.pick(`"%a+"`, `"^(.)"`, `"%d"`, `"(.)$"`), a())
	case 13:
		return fmt.Sprintf("type(%s)", g.any(d+1))
	}
	return fmt.Sprintf("string.format(%s, %s)", g.pick(`"%s"`, `"%q"`, `"%10s|"`, `"%.2s"`), a())
}

func (g *programmer) cond(d int) string {
	if d > 3 || g.chance(10) {
		return g.pick("true", "false", "nil", "1", `"s"`)
	}
	a := func() string { return g.cond(d + 1) }
	switch g.n(11) {
	case 0, 1:
		return fmt.Sprintf("%s %s %s", g.number(d+1), g.pick("<", "<=", ">", ">=", "==", "~="), g.number(d+1))
	case 2:
		return fmt.Sprintf("%s %s %s", g.str(d+1), g.pick("<", "<=", ">", ">=", "==", "~="), g.str(d+1))
	case 3:
		return fmt.Sprintf("(%s %s %s)", g.any(d+1), g.pick("==", "~="), g.any(d+1))
	case 4, 5:
		return fmt.Sprintf("(%s and %s)", a(), a())
	case 6, 7:
		return fmt.Sprintf("(%s or %s)", a(), a())
	case 8, 9:
		return fmt.Sprintf("not %s", "("+a()+")")
	}
	return g.any(d + 1)
}

func (g *programmer) list(d, most int) string {
	n := g.n(most + 1)
	if n == 0 {
		return "nil"
	}
	var s []string
	for i := range n {
		if i == n-1 && g.chance(30) {
			s = append(s, g.open(d))
		} else {
			s = append(s, g.any(d+1))
		}
	}
	return strings.Join(s, ", ")
}

// open is an expression with any number of values.
func (g *programmer) open(d int) string {
	switch {
	case g.vararg && g.chance(40):
		return "..."
	case g.chance(50):
		return g.pick("one()", "two()", "none()", "id(two())", "sel(two())", "Rec{}", "Rec{k = "+g.any(d+1)+"}", "Rec{x = "+g.any(d+1)+", k = two()}")
	}
	return fmt.Sprintf("%s(%s)", g.pick("sel", "id"), g.list(d+1, 3))
}

func (g *programmer) table(d int) string {
	var s []string
	for range g.n(5) {
		switch g.n(7) {
		case 0, 1, 2:
			s = append(s, g.any(d+1))
		case 3, 4:
			s = append(s, g.pick("k", "x", "n", "v")+" = "+g.any(d+1))
		case 5:
			s = append(s, fmt.Sprintf("[%s] = %s", g.pick("1", "2", "-1", `"k"`, "1.5", "true", `"a b"`), g.any(d+1)))
		case 6:
			s = append(s, g.open(d))
		}
	}
	sep := g.pick(", ", "; ")
	end := ""
	if len(s) > 0 && g.chance(20) {
		end = g.pick(",", ";")
	}
	return "{" + strings.Join(s, sep) + end + "}"
}

func (g *programmer) any(d int) string {
	if d > 3 || g.chance(25) {
		k := []varKind{anyVar, anyVar, anyVar, numVar, strVar, tabVar, fnVar}[g.n(7)]
		if v, ok := g.someVar(k); ok && g.chance(75) {
			return v
		}
		return g.pick("nil", "true", "false", "1", "2.5", `"k"`, `"s"`, "3", "g1", "g2")
	}
	switch g.n(19) {
	case 0, 1:
		return fmt.Sprintf("(%s and %s)", g.any(d+1), g.any(d+1))
	case 2, 3:
		return fmt.Sprintf("(%s or %s)", g.any(d+1), g.any(d+1))
	case 4:
		return "not " + g.any(d+1)
	case 5:
		return g.number(d + 1)
	case 6:
		return g.str(d + 1)
	case 7:
		return g.table(d + 1)
	case 8:
		return "(" + g.open(d+1) + ")"
	case 9:
		return g.open(d + 1)
	case 10:
		return fmt.Sprintf("get(%s, %s)", g.any(d+1), g.pick("1", "2", `"k"`, `"x"`))
	case 11:
		if t, ok := g.someVar(tabVar); ok {
			return t + g.pick(".k", "[1]", ".x", "[2]", ".n", `["v"]`)
		}
		return g.cond(d + 1)
	case 12:
		if f, ok := g.someVar(fnVar); ok {
			return fmt.Sprintf("%s(%s)", f, g.list(d+1, 2))
		}
		return "one()"
	case 13:
		return "(" + g.cond(d+1) + ")"
	case 14:
		old := g.vararg
		g.vararg = true
		s := g.pick("local b = a ", "", "a = ... ") + fmt.Sprintf("return a, %s", g.pick("...", "(...)", "select('#', ...)"))
		g.vararg = old
		return fmt.Sprintf("(function(a, ...) %s end)(%s)", s, g.list(d+1, 3))
	case 15:
		return fmt.Sprintf("obj(%s)%s", g.any(d+1), g.pick("", ".zz", ".v", "(1, 2)", " .. 'x'", " + 1"))
	case 16:
		return fmt.Sprintf("(%s == %s)", g.any(d+1), g.any(d+1))
	case 17:
		return fmt.Sprintf("(%s)", g.any(d+1))
	}
	return fmt.Sprintf("call(%s, %s)", g.any(d+1), g.any(d+1))
}

// scope runs f in a new scope of variables.
func (g *programmer) scope(f func()) {
	n := len(g.vars)
	g.indent++
	f()
	g.indent--
	g.vars = g.vars[:n]
}

func (g *programmer) block(most int) {
	n := 1 + g.n(most)
	for range n {
		if g.size <= 0 {
			return
		}
		g.size--
		g.statement()
	}
}

func (g *programmer) nested(f func()) {
	g.depth++
	g.scope(f)
	g.depth--
}

// inFunction writes a function body.
func (g *programmer) inFunction(vararg bool, params []variable, f func()) {
	loop, va, co := g.loop, g.vararg, g.co
	g.loop, g.vararg, g.co = false, vararg, false
	g.nested(func() {
		g.vars = append(g.vars, params...)
		f()
	})
	g.loop, g.vararg, g.co = loop, va, co
}

func (g *programmer) assignable() string {
	for range 4 {
		switch g.n(6) {
		case 0:
			return g.pick("g1", "g2")
		case 1, 2:
			if t, ok := g.someVar(tabVar); ok {
				return t + g.pick(".k", "[1]", ".x", "[2]", ".n", "[tostring(one())]")
			}
		default:
			if v, ok := g.someVar(anyVar); ok {
				return v
			}
		}
	}
	return "g1"
}

func (g *programmer) statement() {
	if g.depth > 4 {
		g.line("out(%s)", g.list(1, 3))
		return
	}
	switch g.n(44) {
	case 0, 1, 2:
		names := []string{g.fresh("v")}
		for range g.n(3) {
			names = append(names, g.fresh("v"))
		}
		rhs := ""
		if g.chance(85) {
			rhs = " = " + g.list(0, len(names)+1)
		}
		g.line("local %s%s", strings.Join(names, ", "), rhs)
		for _, n := range names {
			g.declare(n, anyVar)
		}
	case 3, 4:
		v := g.fresh("n")
		g.line("local %s = %s", v, g.number(0))
		g.declare(v, numVar)
	case 5:
		v := g.fresh("s")
		g.line("local %s = C(%s)", v, g.str(0))
		g.declare(v, strVar)
	case 6, 7:
		v := g.fresh("t")
		g.line("local %s = %s", v, g.table(0))
		g.declare(v, tabVar)
	case 8, 9, 10:
		g.line("out(%s)", g.list(0, 4))
	case 11, 12:
		if v, ok := g.someVar(numVar); ok {
			g.line("%s = %s", v, g.number(0))
		}
		if v, ok := g.someVar(strVar); ok {
			g.line("%s = C(%s)", v, g.str(0))
		}
	case 13, 14, 15:
		if v, ok := g.someVar(anyVar); ok {
			g.line("%s = %s", v, g.any(0))
		} else {
			g.line("%s = %s", g.pick("g1", "g2"), g.any(0))
		}
	case 16, 17: // several at once
		var l []string
		seen := map[string]bool{}
		for range 1 + g.n(3) {
			if v := g.assignable(); !seen[v] {
				seen[v] = true
				l = append(l, v)
			}
		}
		g.line("%s = %s", strings.Join(l, ", "), g.list(0, 4))
		g.line("out(%s)", strings.Join(l, ", "))
	case 18:
		vs := g.visible(anyVar)
		if len(vs) > 1 {
			g.line("%s, %s = %s, %s", vs[0], vs[1], vs[1], vs[0])
		}
	case 19, 20, 21:
		g.line("if %s then", g.cond(0))
		g.nested(func() { g.block(3) })
		for g.chance(25) {
			g.line("elseif %s then", g.cond(0))
			g.nested(func() { g.block(3) })
		}
		if g.chance(40) {
			g.line("else")
			g.nested(func() { g.block(3) })
		}
		g.line("end")
	case 22, 23:
		v := g.fresh("n")
		from, to, step := strconv.Itoa(1+g.n(3)), strconv.Itoa(g.n(5)), ""
		switch g.n(5) {
		case 0:
			from, to, step = to, from, ", -1"
		case 1:
			step = g.pick(", 0.5", ", 2", ", 0.75", ", -0.5")
		case 2:
			from, to = "M("+g.any(2)+") % 3", "4"
		case 3:
			from = `"` + from + `"`
		}
		g.line("for %s = %s, %s%s do", v, from, to, step)
		g.inLoop(func() { g.declare(v, numVar); g.line("tick()"); g.block(3) })
		g.line("end")
	case 24, 25:
		k, v := g.fresh("n"), g.fresh("v")
		e := "ipairs{" + g.pick("1, 2, 3", `"a", "b"`, "", g.str(2)+", "+g.number(2)) + "}"
		vk := numVar
		switch g.n(4) {
		case 0:
			e = fmt.Sprintf("iter(%d)", g.n(4))
		case 1:
			e, vk = fmt.Sprintf("next, {k = %s}", g.any(1)), anyVar
		}
		if k == v {
			v += "_"
		}
		g.line("for %s, %s in %s do", k, v, e)
		g.inLoop(func() {
			if g.chance(60) {
				g.line("tick()")
			}
			g.declare(k, vk)
			g.declare(v, anyVar)
			g.block(3)
		})
		g.line("end")
	case 26:
		g.line("while tick() and %s do", g.cond(0))
		g.inLoop(func() { g.block(3) })
		g.line("end")
	case 27, 28:
		v := g.fresh("v")
		g.line("repeat")
		g.inLoop(func() {
			g.line("local %s = %s", v, g.any(1))
			g.declare(v, anyVar)
			if g.chance(50) {
				f := g.fresh("f")
				g.line("local %s = function() return %s end", f, v)
				g.declare(f, fnVar)
			}
			g.block(3)
			g.indent--
			g.line("until tick3() or %s", g.any(1))
			g.indent++
		})
	case 29, 30: // closures made in a loop
		t, i := g.fresh("t"), g.fresh("n")
		g.line("local %s = {}", t)
		g.line("for %s = 1, %d do", i, 1+g.n(3))
		g.inLoop(func() {
			g.declare(i, numVar)
			x := g.fresh("v")
			g.line("local %s = %s", x, g.any(0))
			g.declare(x, anyVar)
			if g.chance(30) {
				g.line("if %s then break end", g.cond(1))
			}
			g.line("%s[#%s + 1] = function(y) %s = y or %s return %s, %s end", t, t, x, x, x, i)
			g.block(2)
		})
		g.line("end")
		g.line("for i = 1, #%s do out(%s[i](i), (%s[i]())) end", t, t, t)
		g.declare(t, tabVar)
	case 31, 32: // a local function
		f, a := g.fresh("f"), g.fresh("v")
		params := []variable{{a, anyVar}}
		head := a
		va := g.chance(50)
		if va {
			head += ", ..."
		}
		if g.chance(20) {
			g.line("local %s", f)
			g.line("%s = function(%s)", f, head)
		} else {
			g.line("local function %s(%s)", f, head)
		}
		g.declare(f, fnVar)
		g.inFunction(va, params, func() {
			g.line("if deep() then return %s end", a)
			g.block(4)
			if g.chance(70) {
				g.line("return %s", g.list(0, 3))
			}
		})
		g.line("end")
		g.line("out(%s(%s))", f, g.list(0, 3))
	case 33: // methods
		t, a := g.fresh("t"), g.fresh("v")
		g.line("local %s = {x = %s}", t, g.any(0))
		g.line("function %s:m(%s, ...)", t, a)
		g.inFunction(true, []variable{{a, anyVar}, {"self", tabVar}}, func() {
			g.line("if deep() then return end")
			g.line("self.x = %s", g.any(0))
			g.block(3)
			g.line("return %s, self.x, ...", g.any(0))
		})
		g.line("end")
		g.line("out(%s:m(%s))", t, g.list(0, 3))
		g.line("%s.n = %s.x", t, t)
		g.declare(t, tabVar)
	case 34, 35: // protected calls
		g.line("out(pcall(function(...)")
		g.inFunction(true, nil, func() {
			g.block(3)
			if g.chance(60) {
				g.line("if %s then error(%s) end", g.cond(0), g.pick(`"e"`, `"e", 0`, `"e", 2`, "{}", "nil", g.str(1), "7"))
			}
			g.line("return %s", g.list(0, 2))
		})
		g.line("end, %s))", g.list(1, 2))
	case 36: // bare operators on anything, errors included
		va := g.vararg
		g.vararg = false
		x, y := g.any(1), g.any(1)
		g.vararg = va
		g.line("out(pcall(function() return %s end))", g.pick(
			"("+x+") + ("+y+")", "("+x+") .. ("+y+")", "("+x+") < ("+y+")", "("+x+") <= ("+y+")", "-("+x+")",
			"#("+x+")", "("+x+").k", "("+x+")[1]", "("+x+")()", "("+x+"):m()", "("+x+") * ("+y+")"))
	case 37:
		h := g.fresh("v")
		g.line("local %s", h)
		g.declare(h, anyVar)
		g.line("out(xpcall(function()")
		g.inFunction(false, nil, func() {
			g.line("%s = function() return %s end", h, g.any(1))
			g.block(2)
			g.line("error(%s)", g.pick(`"e"`, `{}`, g.str(1)))
		})
		g.inFunction(false, nil, func() {
			g.indent--
			g.line("end, function(e) return S(e) .. %s end))", g.str(9)) // 9: nothing that can fail
			g.indent++
		})
		g.line("out(call(%s))", h)
	case 38, 39: // coroutines
		f, a := g.fresh("f"), g.fresh("v")
		g.line("local %s = coroutine.wrap(function(%s, ...)", f, a)
		g.inFunction(true, []variable{{a, anyVar}}, func() {
			g.co = true
			g.line("local b = coroutine.yield(%s)", g.list(0, 2))
			g.declare("b", anyVar)
			g.line("for i = 1, %d do", 1+g.n(3))
			g.inLoop(func() {
				g.line("%s = coroutine.yield(i, %s)", a, g.any(0))
				g.line("out(%s, b)", a)
			})
			g.line("end")
			g.block(2)
			g.line("return %s", g.list(0, 2))
		})
		g.line("end)")
		for range 1 + g.n(6) {
			g.line("out(pcall(%s, %s))", f, g.list(1, 2))
		}
	case 40:
		if g.loop {
			if g.chance(50) {
				g.line("if %s then break end", g.cond(0))
			} else {
				g.line("do break end")
			}
		} else {
			g.line("do %s end", g.pick("", ";"[:0], "local q = 1", "out('do')"))
		}
	case 41:
		g.line("do")
		g.nested(func() { g.block(3) })
		g.line("end")
	case 42:
		t := g.fresh("t")
		g.line("local %s = {%s}", t, g.pick("3, 1, 2", "5, 4, 3, 2, 1", `"b", "a"`, ""))
		g.line("table.sort(%s, function(a, b) tick() return a %s b end)", t, g.pick("<", ">"))
		g.line("table.insert(%s, M(%s)) table.insert(%s, 1, 9) out(table.remove(%s), #%s, table.concat(%s, %s))", t, g.number(1), t, t, t, t, g.pick(`","`, `""`, `"--"`))
		g.declare(t, tabVar)
	default:
		if g.chance(50) {
			g.line("-- %s", g.pick("a comment", "[[not long", "[==[ x ]==] --"))
		} else {
			g.line("--%s", g.pick("[[ long ]] out(1)", "[=[ ]] ]=] out(2)", "[x] no"))
		}
		if f, ok := g.someVar(fnVar); ok {
			g.line("%s(%s)", f, g.list(0, 2))
		}
	}
}

func (g *programmer) inLoop(f func()) {
	old := g.loop
	g.loop = true
	g.nested(f)
	g.loop = old
}
