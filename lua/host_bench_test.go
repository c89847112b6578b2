package lua

import (
	"context"
	"runtime"
	"testing"
	"time"

	"pktsh/engine/clock"
)

// bench runs a script that calls the global step b.N times.
func bench(b *testing.B, src string, set ...func(*Host)) {
	r := newRun(b)
	for _, f := range set {
		f(r.h)
	}
	r.h.Globals().RawSetString("N", Number(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	if err := r.do(src); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkSwitch(b *testing.B) { // sleep(0) of one of 100 tasks
	bench(b, `local n = math.ceil(N / 100) for i = 1, 100 do spawn(function() for j = 1, n do sleep(0) end end) end`)
}

func BenchmarkSleep(b *testing.B) { // with a timer
	bench(b, `local n = math.ceil(N / 100) for i = 1, 100 do spawn(function() for j = 1, n do sleep(1) end end) end`)
}

func BenchmarkSpawnWait(b *testing.B) {
	bench(b, `local function f() end for i = 1, N do spawn(f):wait() end`)
}

func BenchmarkQueue(b *testing.B) {
	bench(b, `local q = queue(64) spawn(function() for i = 1, N do q:put(i) end q:close() end) for v in q:values() do end`)
}

func BenchmarkAwait(b *testing.B) {
	bench(b, `for i = 1, N do await() end`, func(h *Host) {
		h.Globals().RawSetString("await", h.NewFunction(func(L *State) int {
			h.Await("await", func(context.Context) error { return nil })
			return 0
		}))
	})
}

func BenchmarkBoundCall(b *testing.B) {
	r := newRun(b, func(c *Config) { c.Modules = []Module{thingModule()} })
	r.h.Globals().RawSetString("N", Number(b.N))
	b.ReportAllocs()
	b.ResetTimer()
	if err := r.do(`local add = thing.add for i = 1, N do add(i, 2) end`); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkRawCall(b *testing.B) {
	bench(b, `local f = rawadd for i = 1, N do f(i, 2) end`, func(h *Host) {
		h.Globals().RawSetString("rawadd", h.NewFunction(func(L *State) int {
			L.Push(L.CheckNumber(1) + L.CheckNumber(2))
			return 1
		}))
	})
}

func BenchmarkPcall(b *testing.B) {
	bench(b, `local function f() end for i = 1, N do pcall(f) end`)
}

func BenchmarkPcallError(b *testing.B) {
	bench(b, `local function f() error("x") end for i = 1, N do pcall(f) end`)
}

func BenchmarkErrorValue(b *testing.B) {
	bench(b, `local f = sleep for i = 1, N do pcall(f) end`)
}

func BenchmarkCoroutine(b *testing.B) {
	bench(b, `local w = coroutine.wrap(function() while true do coroutine.yield() end end) for i = 1, N do w() end`)
}

func BenchmarkCallback(b *testing.B) {
	bench(b, `callback(function(a) return a end)`, func(h *Host) {
		h.Globals().RawSetString("callback", h.NewFunction(func(L *State) int {
			f := L.CheckFunction(1)
			for range b.N {
				h.Call(L, f, True)
			}
			return 0
		}))
	})
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		h, err := New(Config{Clock: clock.NewVirtual(time.Time{})})
		if err != nil {
			b.Fatal(err)
		}
		h.Close()
	}
}

// BenchmarkSleeping reports what 10,000 sleeping tasks cost each.
func BenchmarkSleeping(b *testing.B) {
	const n = 10_000
	for range b.N {
		r := newRun(b)
		used := func() uint64 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc + m.StackInuse
		}
		before := used()
		var each float64
		r.h.Globals().RawSetString("measure", r.h.NewFunction(func(L *State) int {
			each = float64(used()-before) / n
			return 0
		}))
		if err := r.do(`for i = 1, 10000 do spawn(function() local x = i; sleep(10) end) end sleep(1) measure()`); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(each, "B/task")
	}
}
