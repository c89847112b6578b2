package lua

import (
	"testing"

	gopher "github.com/yuin/gopher-lua"
)

// Library calls beside gopher-lua's own: each loop runs in both.
//
//	go test ./lua -run xxx -bench Library
var libraryLoops = []struct{ name, body string }{
	{"format %d:%s:%x", `local f = string.format for i = 1, N do f("%d:%s:%x", i, "abc", i) end`},
	{"format %5.2f", `local f = string.format for i = 1, N do f("%5.2f", i) end`},
	{"tostring(n)", `local f = tostring for i = 1, N do f(i) end`},
	{"tostring(0.1)", `local f = tostring for i = 1, N do f(i + 0.1) end`},
	{"tonumber", `local f = tonumber for i = 1, N do f("1234") end`},
	{"a..i", `for i = 1, N do local s = "a" .. i end`},
	{"a..b", `local a, b = "hello", "world" for i = 1, N do local s = a .. b end`},
	{"a..b..c..d", `local a, b = "hello", "world" for i = 1, N do local s = a .. "," .. b .. "," .. i end`},
	{"byte", `local f, s = string.byte, "hello world" for i = 1, N do f(s, 3) end`},
	{"sub", `local s = "hello world" for i = 1, N do s:sub(3, 6) end`},
	{"upper", `local s = "hello world" for i = 1, N do s:upper() end`},
	{"find plain", `local s = "hello world" for i = 1, N do s:find("wor", 1, true) end`},
	{"find pattern", `local s = "hello world" for i = 1, N do s:find("w%a+") end`},
	{"match two captures", `local s = "key = value" for i = 1, N do s:match("^(%w+)%s*=%s*(%w+)$") end`},
	{"gsub", `local s = "hello world" for i = 1, N do s:gsub("o", "0") end`},
	{"gmatch", `local s = "a b c d" for i = 1, N do for w in s:gmatch("%a") do end end`},
	{"rep", `local s = "ab" for i = 1, N do s:rep(10) end`},
	{"table.insert/remove", `local t, ins, rem = {}, table.insert, table.remove for i = 1, N do ins(t, i) rem(t) end`},
	{"table.concat 10", `local t = {1,2,3,4,5,6,7,8,9,10} local c = table.concat for i = 1, N do c(t, ",") end`},
	{"unpack 3", `local t = {1, 2, 3} for i = 1, N do local a, b, c = unpack(t) end`},
	{"select #", `local function f(...) return select("#", ...) end for i = 1, N do f(1, 2, 3) end`},
	{"ipairs 100", `local t = {} for i = 1, 100 do t[i] = i end for i = 1, N do for k, v in ipairs(t) do end end`},
	{"pairs 100 list", `local t = {} for i = 1, 100 do t[i] = i end for i = 1, N do for k, v in pairs(t) do end end`},
	{"pairs 100 keys", `local t = {} for i = 1, 100 do t["k" .. i] = i end for i = 1, N do for k, v in pairs(t) do end end`},
	{"sort 1000", `local r = {} for i = 1, 1000 do r[i] = (i * 7919) % 1009 end for i = 1, N do local t = {} for j = 1, 1000 do t[j] = r[j] end table.sort(t) end`},
	{"sort 1000 by function", `local r = {} for i = 1, 1000 do r[i] = (i * 7919) % 1009 end local function lt(a, b) return a < b end for i = 1, N do local t = {} for j = 1, 1000 do t[j] = r[j] end table.sort(t, lt) end`},
	{"math.floor", `local f = math.floor for i = 1, N do f(i / 3) end`},
	{"math.random(100)", `local f = math.random for i = 1, N do f(100) end`},
	{"type", `local f = type for i = 1, N do f(i) end`},
	{"string + number", `for i = 1, N do local x = "10" + i end`},
}

var ourLoops = []struct{ name, body string }{
	{"bit.band", `local f = bit.band for i = 1, N do f(i, 255) end`},
	{"u64 add", `local a, b = u64(2)^60, u64(1) for i = 1, N do local c = a + b end`},
	{"u64 add number", `local a = u64(2)^60 for i = 1, N do local c = a + 1 end`},
	{"u64 compare", `local a, b = u64(2)^60, u64(1) for i = 1, N do local c = a < b end`},
	{"pack >I2I4", `local f = string.pack for i = 1, N do f(">I2I4", 1, 2) end`},
	{"unpack >I2I4", `local f, s = string.unpack, "\1\2\3\4\5\6" for i = 1, N do f(">I2I4", s) end`},
}

func BenchmarkLibrary(b *testing.B) {
	h, err := New(Config{Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	ours := func(b *testing.B, body string) {
		fn, err := h.load(body, "bench")
		if err != nil {
			b.Fatal(err)
		}
		// The state's own context off, as in the stock loop: what is
		// measured is the library.
		L := h.root
		ctx := L.RemoveContext()
		defer L.SetContext(ctx)
		L.SetGlobal("N", Int(b.N))
		b.ReportAllocs()
		b.ResetTimer()
		L.Push(fn)
		L.Call(0, 0)
	}
	for _, l := range libraryLoops {
		b.Run(l.name+"/ours", func(b *testing.B) { ours(b, l.body) })
		b.Run(l.name+"/stock", func(b *testing.B) {
			L := gopher.NewState()
			defer L.Close()
			fn, err := L.LoadString(l.body)
			if err != nil {
				b.Fatal(err)
			}
			L.SetGlobal("N", Int(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			L.Push(fn)
			L.Call(0, 0)
		})
	}
	for _, l := range ourLoops {
		b.Run(l.name+"/ours", func(b *testing.B) { ours(b, l.body) })
	}
}
