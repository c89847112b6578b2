//go:build unix

package lua

import (
	"context"
	"io"
	"math"
	"syscall"
	"testing"
	"time"

	glua "github.com/yuin/gopher-lua"
)

// cpuTime is what the process has used so far, garbage collection included.
// Beside other processes the clock on the wall says little.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// mix is what scripts spend their time with; N counts the turns.
var mix = []struct{ name, code string }{
	{"add loop", `local x = 0 for i = 1, N do x = x + i end`},
	{"arith mix", `local a, b = 1, 2 for i = 1, N do a = (a * 3 + i) % 1000; b = b - a / 2 end`},
	{"array set", `local t = {} for i = 1, N do t[i % 1000 + 1] = i end`},
	{"array get", `local t, x = {}, 0 for i = 1, 1000 do t[i] = i end for i = 1, N do x = x + t[i % 1000 + 1] end`},
	{"field get+set", `local p = {ttl = 0} for i = 1, N do p.ttl = p.ttl + 1 end`},
	{"hash set str", `local t, k = {}, {} for i = 1, 1000 do k[i] = "k" .. i end for i = 1, N do t[k[i % 1000 + 1]] = i end`},
	{"a..i", `local s for i = 1, N do s = "a" .. i end`},
	{"string.format", `local s for i = 1, N do s = string.format("%d:%s:%x", i, "abc", i) end`},
	{"function call", `local function f(a, b) return a end for i = 1, N do f(i, 2) end`},
	{"method call", `local o = {n = 0} function o:inc() self.n = self.n + 1 end for i = 1, N do o:inc() end`},
	{"closure", `local f for i = 1, N do f = function() return i end end`},
	{"{x=,y=}", `local t for i = 1, N do t = {x = i, y = i} end`},
	{"{1,2}", `local t for i = 1, N do t = {i, i} end`},
	{"pairs 100", `local t = {} for i = 1, 100 do t["k" .. i] = i end for i = 1, N / 100 do for k, v in pairs(t) do end end`},
	{"ipairs 100", `local t = {} for i = 1, 100 do t[i] = i end for i = 1, N / 100 do for k, v in ipairs(t) do end end`},
	{"pcall", `local function f(x) return x end for i = 1, N do pcall(f, i) end`},
	{"byte+sub", `local s, x = ("x"):rep(100), 0 for i = 1, N do x = x + s:byte(i % 100 + 1) local q = s:sub(3, 6) end`},
	{"match", `local a, b for i = 1, N do a, b = ("key = value"):match("^(%w+)%s*=%s*(%w+)$") end`},
	{"sort 100", `local r = 42 for i = 1, N / 100 do local t = {} for j = 1, 100 do r = (r * 1103 + 12345) % 65536 t[j] = r end table.sort(t) end`},
	{"fib", `local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end for i = 1, N / 465 do fib(12) end`},
	{"while", `local i = 0 while i < N do i = i + 1 if i % 3 == 0 and i % 5 ~= 0 then local x = i end end`},
	{"and or", `local x for i = 1, N do x = i > 5 and "a" or "b" end`},
}

// BenchmarkMix runs the mix under stock gopher-lua and here (own compiler,
// hook, libraries, a task), in turns, and reports how much slower here is.
func BenchmarkMix(b *testing.B) {
	const n = 100_000
	stock := func(code string) time.Duration {
		L := glua.NewState()
		defer L.Close()
		L.SetGlobal("N", glua.LNumber(n))
		fn, err := L.LoadString(code)
		if err != nil {
			b.Fatal(err)
		}
		L.Push(fn)
		start := cpuTime()
		if err := L.PCall(0, 0, nil); err != nil {
			b.Fatal(err)
		}
		return cpuTime() - start
	}
	ours := func(code string) time.Duration {
		h, err := New(Config{Stdout: io.Discard})
		if err != nil {
			b.Fatal(err)
		}
		defer h.Close()
		h.Globals().RawSetString("N", Number(n))
		start := cpuTime()
		if err := h.RunScript(context.Background(), "mix", code); err != nil {
			b.Fatal(err)
		}
		return cpuTime() - start
	}
	logs, vm, ran, vmRan := 0.0, 0.0, 0, 0
	measured := map[string]bool{} // b.Run begins with a trial of one turn
	for _, m := range mix {
		b.Run(m.name, func(b *testing.B) {
			bestStock, best := time.Hour, time.Hour
			for range max(b.N, 3) {
				bestStock = min(bestStock, stock(m.code))
				best = min(best, ours(m.code))
			}
			r := float64(best) / float64(bestStock)
			b.ReportMetric(float64(bestStock)/n, "stock-ns/turn")
			b.ReportMetric(float64(best)/n, "ns/turn")
			b.ReportMetric(r, "times-stock")
			b.ReportMetric(0, "ns/op")
			if !measured[m.name] {
				measured[m.name] = true
				logs += math.Log(r)
				ran++
				if m.name != "string.format" && m.name != "match" {
					vm += math.Log(r)
					vmRan++
				}
			}
		})
	}
	b.Run("geometric mean", func(b *testing.B) {
		b.ReportMetric(math.Exp(logs/float64(ran)), "times-stock")
		b.ReportMetric(math.Exp(vm/float64(vmRan)), "without-string-library")
		b.ReportMetric(0, "ns/op")
	})
}
