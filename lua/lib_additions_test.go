package lua

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// What the libraries have beyond Lua 5.1, or do differently on purpose, as
// expressions and what case() of the oracle tests prints for them.

func expect(t *testing.T, table string) {
	t.Helper()
	var src strings.Builder
	src.WriteString(oraclePrelude)
	var exprs, wants []string
	for _, line := range strings.Split(strings.TrimSpace(table), "\n") {
		e, w, ok := strings.Cut(line, " --> ")
		if !ok {
			t.Fatalf("no --> in %q", line)
		}
		exprs, wants = append(exprs, e), append(wants, w)
		src.WriteString("case(0, function() return " + e + " end)\n")
	}
	got := strings.Split(runHere(t, src.String()), "\n")
	for i, want := range wants {
		if g := strings.TrimPrefix(got[i], "0 "); g != want {
			t.Errorf("%s\n  gives %s\n  want  %s", exprs[i], g, want)
		}
	}
}

func TestStringAdditions(t *testing.T) {
	expect(t, `
("ab"):rep(3, ","), ("ab"):rep(1, ","), ("ab"):rep(0, ","), (""):rep(3, "x") --> = "ab,ab,ab" "ab" "" "xx"
string.rep("x", 1e11) --> ! resulting string too large (more than 256 MiB)
string.rep("x", 1e6, ("y"):rep(1e6)) --> ! resulting string too large (more than 256 MiB)
("x"):rep(0/0) --> = ""
string.format("%s %s %s", nil, true, setmetatable({}, {__tostring = function() return "obj" end})) --> = "nil true obj"
string.format("%s", setmetatable({}, {__tostring = function() return {} end})) --> ! 'tostring' must return a string
string.format("%10s|%-10s|%.1s", true, nil, setmetatable({}, {__tostring = function() return "obj" end})) --> = "      true|nil       |o"
string.format("%c%c%c", 0, 200, 65) --> = "\000\200A"
string.format("%5c|%-3c|", 65, 66) --> = "    A|B  |"
string.format("%a %A %.2a", 1.5, 255, 1) --> = "0x1.8p+0 0X1.FEP+7 0x1.00p+0"
string.format("%d %x %X %u %o", u64("0xffffffffffffffff"), u64("0xffffffffffffffff"), u64(255), u64("18446744073709551615"), u64(8)) --> = "18446744073709551615 ffffffffffffffff FF 18446744073709551615 10"
string.format("%d %x", 2^63, -1), string.format("%u", 2^63), string.format("%d", 0/0) --> = "-9223372036854775808 ffffffffffffffff" "9223372036854775808" "-9223372036854775808"
("a\0b"):find("\0", 1, true), ("a\0b"):find("[\0-\1]"), ("a\0b\0"):gsub("\0", "0") --> = 2 2 "a0b0" 2
("\255\254"):upper() == "\255\254", ("%w+"):find("%", 1, true) --> = true 1 1
("THE (quick) fox"):find("%f[%a]%a+%f[%A]", 5) --> = 6 10
("x"):rep(10000):match(("x?"):rep(10000)) == ("x"):rep(10000) --> = true
("x"):rep(30000):match(("x?"):rep(30000)) --> ! pattern too complex
tonumber("-ff", 16), tonumber("1\0"), tonumber(u64(7)), tonumber(u64("0xffffffffffffffff")) --> = -255 nil 7 nil
tostring(u64("0xffffffffffffffff")), u64(1) .. "x", "x" .. u64(2) .. 3 --> = "18446744073709551615" "1x" "x23"
`)
}

func TestPack(t *testing.T) {
	expect(t, `
string.pack(">I2 I4 I1", 0x1234, 0xdeadbeef, 255), string.pack("<I2", 0x1234) --> = "\0184\222\173\190\239\255" "4\018"
string.unpack(">I2 I4 I1", "\18\52\222\173\190\239\255") --> = 4660 3735928559 255 8
string.pack("b", -1), string.pack("i3", -2), string.pack(">i16", -2) --> = "\255" "\254\255\255" "\255\255\255\255\255\255\255\255\255\255\255\255\255\255\255\254"
string.unpack(">i16", string.pack(">i16", -2)), string.unpack("<i3", "\254\255\255"), string.unpack("<I3", "\254\255\255") --> = -2 -2 16777214 4
string.pack("s1", "abc"), string.pack(">s2", "abc"), string.pack("z", "hi"), string.pack("c5", "ab") --> = "\003abc" "\000\003abc" "hi\000" "ab\000\000\000"
string.unpack("s1 z c2", "\3abchi\0xy") --> = "abc" "hi" "xy" 10
string.pack("!4 b i4", 1, 2), string.pack("!4 b Xi4 b", 1, 2), string.packsize("!8 b d"), string.packsize("<i4 i2 x") --> = "\001\000\000\000\002\000\000\000" "\001\000\000\000\002" 16 7
string.unpack("<d f n", string.pack("<d f n", 0.1, 0.5, -2)) --> = 0.10000000000000001 0.5 -2 21
tostring((string.unpack("<I8", ("\255"):rep(8)))), string.unpack("<i8", ("\255"):rep(8)) --> = "18446744073709551615" -1 9
string.unpack("<J", string.pack("<J", 2^53)), type((string.unpack("<J", string.pack("<J", u64(2)^60)))) --> = 9007199254740992 "userdata"
string.pack(">J", u64("0x0102030405060708")), string.pack("j", -1) == string.pack("J", u64("0xffffffffffffffff")) --> = "\001\002\003\004\005\006\007\008" true
string.pack("I1", 256) --> ! bad argument #2 to 'pack' (unsigned overflow)
string.pack("I1", -1) --> ! bad argument #2 to 'pack' (unsigned overflow)
string.pack("b", 128) --> ! bad argument #2 to 'pack' (integer overflow)
string.pack("i4", 2^64 - 2048) --> ! bad argument #2 to 'pack' (integer overflow)
string.pack("b", -128), string.pack("b", 127) --> = "\128" "\127"
string.pack("i4", 1.5) --> ! bad argument #2 to 'pack' (1.5 is not an integer)
string.pack("i4") --> ! bad argument #2 to 'pack' (number expected, got no value)
string.pack("i17", 1) --> ! integral size (17) out of limits [1,16]
string.pack("c", "x") --> ! missing size for format option 'c'
string.pack("y", 1) --> ! invalid format option 'y'
string.pack("X", 1) --> ! bad argument #1 to 'pack' (invalid next option for option 'X')
string.pack("!3 i4", 1) --> ! bad argument #1 to 'pack' (format asks for alignment not power of 2)
string.pack("c1", "ab") --> ! bad argument #2 to 'pack' (string longer than given size)
string.pack("z", "a\0") --> ! bad argument #2 to 'pack' (string contains zeros)
string.pack("s1", ("x"):rep(256)) --> ! bad argument #2 to 'pack' (string length does not fit in given size)
string.pack("c2147483647", "x") --> ! size in format is too large
string.unpack("I4", "abc") --> ! bad argument #2 to 'unpack' (data string too short)
string.unpack("s4", "\255\255\255\127") --> ! bad argument #2 to 'unpack' (data string too short)
string.unpack("z", "abc") --> ! bad argument #2 to 'unpack' (unfinished string for format 'z')
string.unpack("B", "abc", 3), string.unpack("B", "abc", -1) --> = 99 99 4
string.unpack("B", "abc", 5) --> ! bad argument #3 to 'unpack' (initial position out of string)
string.unpack("<I9", ("\255"):rep(9)) --> ! 9-byte integer does not fit into 64 bits
string.packsize("s") --> ! bad argument #1 to 'packsize' (variable-length format)
`)
}

func TestTableMathAndBaseAdditions(t *testing.T) {
	expect(t, `
table.pack(1, nil, 3).n, table.pack().n, table.unpack({1, 2, 3}, 2) --> = 3 0 2 3
unpack(table.move({1, 2, 3}, 2, 3, 1)) --> = 2 3 3
unpack(table.move({1, 2, 3}, 1, 3, 3)) --> = 1 2 1 2 3
unpack(table.move({1, 2, 3}, 1, 3, 1, {})) --> = 1 2 3
table.move({}, -2^62, 2^62, 1) --> ! bad argument #3 to 'move' (too many elements to move)
select("#", unpack({}, 1, 100000)), pcall(unpack, {}, 1, 2^40) --> = 100000 false "too many results to unpack"
unpack({}, -2^62, 2^62) --> ! too many results to unpack
(function() local t = {} table.insert(t, 2^40, "x") return #t, t[2^40] end)() --> = 0 "x"
(function() local t = {} t[5e8] = 1 return #t, t[5e8] end)() --> = 0 1
(function() local t = {1} for i = 1, 1000 do table.insert(t, 1, i) t[#t] = nil end return #t, t[1] end)() --> = 1 1000
(function() local t = {} for i = 1, 5 do table.insert(t, 1, i) end t[5] = nil t[4] = nil table.insert(t, 3, "x") return unpack(t) end)() --> = 5 4 "x" 3
table.concat({("x"):rep(2^20)}, ("y"):rep(2^20)):len() --> = 1048576
(function() local t, s = {}, ("x"):rep(2^20) for i = 1, 300 do t[i] = s end return table.concat(t) end)() --> ! resulting string too large (more than 256 MiB)
(function() local s = ("x"):rep(2^20) while true do s = s .. s end end)() --> ! resulting string too large (more than 256 MiB)
("x"):rep(2^20):gsub("x", ("y"):rep(1000)) --> ! resulting string too large (more than 256 MiB)
math.type(1), math.type(1.5), math.type("1"), math.type(1/0), math.type(u64(1)) --> = "integer" "float" nil "float" "integer"
math.tointeger(3), math.tointeger(3.5), math.tointeger("8"), math.tointeger({}) --> = 3 nil 8 nil
math.ult(1, 2), math.ult(-1, 2), math.ult(1, -1), math.ult(u64(5), 6) --> = true false true true
math.log(8, 2), math.log(100, 10), math.log(27, 3) - 3 < 1e-9 --> = 3 2 true
rawlen({1, 2}), rawlen("abc") --> = 2 3
(function() local o = {} for k, v in pairs(setmetatable({}, {__pairs = function(t) return function(_, k) if not k then return 1, "one" end end, t, nil end})) do o[#o + 1] = k .. v end return unpack(o) end)() --> = "1one"
(function() local o = {} for i, v in ipairs(setmetatable({}, {__ipairs = function(t) return function(_, i) if i < 2 then return i + 1, "v" end end, t, 0 end})) do o[#o + 1] = i .. v end return unpack(o) end)() --> = "1v" "2v"
#setmetatable({1, 2}, {__len = function() return 42 end}) --> = 42
(function() local o = {} for k in pairs({z = 1, y = 2, x = 3, 7, [2.5] = 1}) do o[#o + 1] = tostring(k) end return table.concat(o, " ") end)() --> = "1 z y x 2.5"
(function() local t = {a = 1, b = 2, c = 3} t.b = nil t.d = 4 t.b = 5 local o = {} for k, v in pairs(t) do o[#o + 1] = k .. v end return table.concat(o, " ") end)() --> = "a1 b5 c3 d4"
(function() math.randomseed(7) local a = math.random(1e9) math.randomseed(7) return a == math.random(1e9), math.random(2^53, 2^53 + 2) >= 2^53, math.random(-2^62, 2^62) < 2^62 end)() --> = true true true
tostring(newproxy()):match("^%a+"), getmetatable(newproxy()), type(getmetatable(newproxy(true))) --> = "userdata" nil "table"
`)
}

func TestU64(t *testing.T) {
	expect(t, `
tostring(u64(2)^63), tostring(u64(2)^64), tostring(-u64(1)), tostring(u64(0) - 1) --> = "9223372036854775808" "0" "18446744073709551615" "18446744073709551615"
tostring(u64("0xFFFFFFFFFFFFFFFF") + 1), tostring(u64("18446744073709551615") / 3), tostring(u64(17) % 5), tostring(u64(3) * "0x10") --> = "0" "6148914691236517205" "2" "48"
tostring(u64(-1)), tostring(u64("-1")), tostring(5 - u64(3)), tostring("10" + u64(1)) --> = "18446744073709551615" "18446744073709551615" "2" "11"
u64(5) == u64(5), u64(5) < u64(6), u64(5) >= u64(6), u64(5) == 5, u64(5):eq(5), u64(5):lt("6"), u64(5):le(4) --> = true true false false true true false
u64(2^40):tonumber(), u64("0x123456789abcdef0"):hi(), u64("0x123456789abcdef0"):lo(), u64(255):tohex(), u64(255):tohex(4), u64(255):tohex(-4) --> = 1099511627776 305419896 2596069104 "00000000000000ff" "00ff" "00FF"
(u64(2)^53 + 1):tonumber() --> ! 9007199254740993 is not exact as a number
(u64(2)^63):tonumber() --> = 9.2233720368547758e+18
u64(1) + 1.5 --> ! u64 arithmetic: 1.5 is not an integer
u64(1) + {} --> ! u64 arithmetic: want an integer, got table
u64(1) / 0 --> ! u64 arithmetic: division by zero
u64(1) + "x" --> ! u64 arithmetic: "x" is not an integer
u64(2^64) --> ! bad argument #1 to 'u64' (1.844674407371e+19 does not fit 64 bits)
u64("18446744073709551616") --> ! bad argument #1 to 'u64' ("18446744073709551616" does not fit 64 bits)
u64() --> ! bad argument #1 to 'u64' (value expected)
u64(nil) --> ! bad argument #1 to 'u64' (want an integer, got nil)
u64(1/0) --> ! bad argument #1 to 'u64' (inf is not an integer)
u64("") --> ! bad argument #1 to 'u64' ("" is not an integer)
u64(1):eq() --> ! bad argument #1 to 'eq' (integer expected, got no value)
u64(1).eq(5, 1) --> ! bad argument #1 to 'eq' (u64 expected, got number)
`)
}

// The figures are those of BitOp's documentation and of LuaJIT.
func TestBit(t *testing.T) {
	expect(t, `
bit.tobit(0xffffffff), bit.tobit(0xffffffff + 1), bit.tobit(2^40 + 1234), bit.tobit(-1), bit.tobit("0x10"), bit.tobit(2^31) --> = -1 0 1234 -1 16 -2147483648
bit.tobit(0.5), bit.tobit(1.5), bit.tobit(2.5), bit.tobit(-0.5), bit.tobit(-1.5), bit.tobit(1e300 * 0) --> = 0 2 2 0 -2 0
bit.tohex(1), bit.tohex(-1), bit.tohex(0xffffffff), bit.tohex(-1, -8), bit.tohex(0x21, 4), bit.tohex(0x87654321, 4), bit.tohex(1, 0) --> = "00000001" "ffffffff" "ffffffff" "FFFFFFFF" "0021" "4321" ""
bit.bnot(0), bit.bnot(0x12345678) --> = -1 -305419897
bit.bor(1, 2, 4, 8), bit.band(0x12345678, 0xff), bit.bxor(0xa5a5f0f0, 0xaa55ff00) == bit.tobit(0x0ff00ff0) --> = 15 120 true
bit.lshift(1, 0), bit.lshift(1, 8), bit.lshift(1, 40), bit.rshift(256, 8), bit.rshift(-256, 8), bit.arshift(256, 8), bit.arshift(-256, 8) --> = 1 256 256 1 16777215 1 -1
bit.rol(0x12345678, 12), bit.ror(0x12345678, 12), bit.bswap(0x12345678), bit.bswap(0x78563412) --> = 1164411171 1736516421 2018915346 305419896
tostring(bit.band(u64("0xff00ff00ff00ff00"), 0xffff)), tostring(bit.bnot(u64(0))), bit.tohex(bit.bor(u64(1), -1)), bit.tohex(bit.lshift(u64(1), 63)) --> = "65280" "18446744073709551615" "ffffffffffffffff" "8000000000000000"
bit.tohex(bit.bswap(u64("0x0102030405060708"))), bit.tohex(bit.rol(u64(1), -1)), bit.tohex(u64(255), 4), bit.tohex(bit.arshift(u64("0x8000000000000000"), 4)) --> = "0807060504030201" "8000000000000000" "00ff" "f800000000000000"
bit.band() --> ! bad argument #1 to 'band' (number expected, got no value)
bit.band("x") --> ! bad argument #1 to 'band' (number expected, got string)
`)
}

func TestUTF8(t *testing.T) {
	expect(t, `
utf8.char(72, 228, 8364, 0x1F600), utf8.char(), utf8.char(0x7FFFFFFF) --> = "H\195\164\226\130\172\240\159\152\128" "" "\253\191\191\191\191\191"
utf8.codepoint("H\195\164\226\130\172", 1, -1) --> = 72 228 8364
utf8.len("H\195\164\226\130\172"), utf8.len(""), utf8.len("\195\164", 2) --> = 3 0 nil 2
utf8.len("a\255b"), utf8.len("\192\128"), utf8.len("\244\144\128\128") --> = nil nil nil 1
utf8.offset("a\195\164b", 3), utf8.offset("a\195\164b", -1), utf8.offset("a\195\164b", 0, 3), utf8.offset("abc", 5), utf8.offset("abc", 4) --> = 4 4 2 nil 4
(function() local o = {} for p, c in utf8.codes("a\195\164b") do o[#o + 1] = p .. ":" .. c end return table.concat(o, " ") end)() --> = "1:97 2:228 4:98"
(function() local o = {} for c in ("a\195\164\0b"):gmatch(utf8.charpattern) do o[#o + 1] = #c end return table.concat(o, " ") end)() --> = "1 2 1 1"
(function() for p, c in utf8.codes("a\255") do end end)() --> ! invalid UTF-8 code
utf8.codepoint("\255") --> ! invalid UTF-8 code
utf8.codepoint("abc", 4) --> ! bad argument #3 to 'codepoint' (out of range)
utf8.char(-1) --> ! bad argument #1 to 'char' (value out of range)
utf8.offset("\195\164", 1, 2) --> ! initial position is a continuation byte
utf8.len("abc", 5) --> ! bad argument #2 to 'len' (initial position out of string)
`)
}

// runFor runs a script that would take for ever.
func runFor(t *testing.T, src string) (took time.Duration, err error) {
	t.Helper()
	h, err := New(Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, errors.New("that is enough"))
	defer cancel()
	start := time.Now()
	err = h.RunScript(ctx, "case.lua", src)
	return time.Since(start), err
}

func TestLongLibraryCallsAreInterrupted(t *testing.T) {
	for _, src := range []string{
		`("a"):rep(50):match(("a*"):rep(30) .. "b")`,
		`("a"):rep(3000):find(".-.-.-.-b")`,
		`("a"):rep(100000):gsub("a*b", "")`,
		`for x in ("a"):rep(100000):gmatch(".-.-.-b") do end`,
		`("("):rep(200000):gsub("%b()", "")`,
		`table.insert({1}, -2^40, 1)`,
		`table.move({}, 1, 2^40, 2)`,
		`table.move({}, 1, 2^40, 1, setmetatable({}, {__newindex = function() end}))`,
		`local t = {} for i = 1, 1000 do t[i] = i end table.sort(t, function() while true do end end)`,
	} {
		took, err := runFor(t, src)
		if err == nil || took > 10*time.Second {
			t.Errorf("%s: %v after %v", src, err, took)
		}
	}
}

func TestSortSurvivesAnyComparator(t *testing.T) {
	got := runHere(t, `
local n, ok = 0, 0
math.randomseed(1)
for size = 0, 60 do
  for round = 1, 20 do
    local t = {}
    for i = 1, size do t[i] = math.random(10) end
    n = n + 1
    if pcall(table.sort, t, function(a, b) return math.random(2) == 1 end) then ok = ok + 1 end
    if #t ~= size then print("lost elements", size) end
  end
end
print(n, ok > 0, ok < n)
`)
	if got != "1220\ttrue\ttrue\n" {
		t.Error(got)
	}
}

// FuzzLibraries calls what reads little languages of its own: patterns,
// formats and packs. They may refuse, but only as a Lua error.
func FuzzLibraries(f *testing.F) {
	for _, s := range []string{"%f[%w]%a+", "(a*(.)%w(%s*))%2", "[^%d-]]", "%b()", ">I2 s4 !8 Xd z c10", "%5.3s%-#10x%q", "^(()$"} {
		f.Add(s, "THE (quick) fox\x00\xff")
	}
	h, err := New(Config{Seed: 1})
	if err != nil {
		f.Fatal(err)
	}
	defer h.Close()
	fn, err := h.load(`
local p, s = ...
local function call(f, ...)
  local ok, err = pcall(f, ...)
  if not ok and (type(err) == "table" and err.kind or "") == "bug" then error(err.message, 0) end
end
call(string.find, s, p)
call(string.match, s, p, 2)
call(string.gsub, s, p, p)
call(function() for a in string.gmatch(s, p) do end end)
call(string.format, p, s, 1, 2.5)
call(string.format, p, 1, s, s)
call(string.unpack, p, s)
call(string.pack, p, 1, s, s, 2)
call(string.packsize, p)
call(tonumber, p) call(tonumber, p, 16)
call(utf8.len, p) call(utf8.codepoint, p, 1, -1)
call(u64, p)
`, "fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, p, s string) {
		if len(p) > 12 || len(s) > 40 {
			return // a long pattern may take for ever, rightly
		}
		L := h.root
		L.Push(fn)
		L.Push(String(p))
		L.Push(String(s))
		if err := L.PCall(2, 0, nil); err != nil {
			t.Errorf("%q %q: %v", p, s, err)
		}
		L.SetTop(0)
	})
}

func TestGoIntegersOf64BitsPassExactly(t *testing.T) {
	var out bytes.Buffer
	h, err := New(Config{Seed: 1, Stdout: &out, Modules: []Module{{Name: "wide", Funcs: []Func{
		{"---The largest.\n---@return integer\nfunction wide.most()", func() uint64 { return math.MaxUint64 }},
		{"---The same.\n---@param n integer\n---@return integer\nfunction wide.same(n)", func(n uint64) uint64 { return n }},
		{"---The same.\n---@param n integer\n---@return integer\nfunction wide.short(n)", func(n int32) int32 { return n }},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	err = h.RunScript(context.Background(), "case.lua", `
print(tostring(wide.most()), type(wide.most()), wide.same(2^53), tostring(wide.same(u64("0xfedcba9876543210"))))
print(wide.short(u64(7)), pcall(wide.short, u64(2)^40))`)
	h.Close()
	if err != nil {
		t.Fatal(err)
	}
	want := "18446744073709551615\tuserdata\t9.007199254741e+15\t18364758544493064720\n" +
		"7\tfalse\targument n: 1099511627776 does not fit 32 bits"
	if !strings.HasPrefix(out.String(), want) {
		t.Errorf("got  %s\nwant %s", out.String(), want)
	}
}
