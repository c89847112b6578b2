//go:build unix

package bindings

import (
	"bytes"
	"context"
	"syscall"
	"testing"
	"time"

	"pktsh/lua"
)

// userTime is what the process has computed so far, garbage collection included. Beside other
// processes the clock on the wall says little.
func userTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano())
}

// The work of scripts/bench/scapy_bench.py, in Lua:
//
//	go test ./bindings -run '^$' -bench Lua
func benchLua(b *testing.B, setup, body string) {
	var out bytes.Buffer
	h := wireHost(b, &out)
	// One run of the script is b.N rounds of the body, so that starting it does not count.
	src := setup + "\nreturn function(n) for i = 1, n do " + body + " end end"
	fn, err := h.Load(src, "bench.lua")
	if err != nil {
		b.Fatal(err)
	}
	vs, err := h.Call(nil, fn)
	if err != nil {
		b.Fatal(err)
	}
	loop := vs[0]
	h.Globals().RawSetString("loop", loop)
	b.ReportAllocs()
	h.Globals().RawSetString("N", lua.Int(b.N))
	b.ResetTimer()
	before := userTime()
	if err := h.RunScript(context.Background(), "run.lua", "loop(N)"); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(userTime()-before)/float64(b.N), "user-ns/op")
	if out.Len() > 0 {
		b.Fatal(out.String())
	}
}

func BenchmarkLuaBuild(b *testing.B) {
	benchLua(b, `local pay = ("x"):rep(22)`, `local s = bytes(Ether{src="02:00:00:00:00:01", dst="02:00:00:00:00:02"} /
		IP{src="10.0.0.1", dst="10.0.0.2"} / UDP{sport=1000+i%1024, dport=9999} / pay)`)
}

func BenchmarkLuaChange(b *testing.B) {
	benchLua(b, buildP, `p.UDP.sport = i % 65536; local s = bytes(p)`)
}

func BenchmarkLuaParse(b *testing.B) {
	benchLua(b, buildP+`local b = bytes(p)`, `local q = Ether.parse(b); local s, d = q.IP.src, q.UDP.dport`)
}

func BenchmarkLuaGet(b *testing.B) {
	benchLua(b, buildP+`local ip = p.IP`, `local t = ip.ttl`)
}

func BenchmarkLuaSet(b *testing.B) {
	benchLua(b, buildP+`local ip = p.IP`, `ip.ttl = 5`)
}
