package bindings

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pktsh/engine/clock"
	"pktsh/lua"
	"pktsh/stdlib"
)

// connHost is a host with all modules. Its script finds the folder of the test
// in the global dir.
func connHost(t testing.TB, c *clock.Clock, out *bytes.Buffer) *lua.Host {
	t.Helper()
	h, err := lua.New(lua.Config{Clock: c, Seed: 1, Stdin: strings.NewReader(""), Stdout: out, Stderr: out,
		Modules: Modules(), Stdlib: stdlib.FS})
	if err != nil {
		t.Fatal(err)
	}
	h.Globals().RawSetString("dir", lua.String(t.TempDir()))
	t.Cleanup(func() { h.Close() })
	return h
}

func virtual() *clock.Clock { return clock.NewVirtual(time.Unix(0, 0).UTC()) }

// world is what the scripts below share: two ports and a packet.
const world = `
local lan = connector.lan{latency = 0.001}
local a, b = lan:port(), lan:port("bob")
local p = Ether{src="02:00:00:00:00:01", dst="02:00:00:00:00:02"} / IP{src="10.0.0.1", dst="10.0.0.2"}
  / UDP{sport=1000, dport=9999} / ("x"):rep(22)
local function ping(to, seq)
  return Ether{dst=to.mac}/IP{src="10.0.0.1", dst=to.ip}/ICMP{type="echo-request", id=7, seq=seq}
end
local function keys(t)
  local ks = {}
  for k, v in pairs(t) do ks[#ks+1] = k .. "=" .. v end
  table.sort(ks)
  return table.concat(ks, " ")
end
`

func TestConnScripts(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"the lines of the plan", `
			b:on_packet(function(pkt) if pkt.UDP then print(pkt.UDP.dport) end end)
			print(a:write(p), #p)
			print(a:read(0.1))
			local h = lan:host{ip="10.0.0.9/24"}
			print(a:sr1(Ether{dst=h.mac}/IP{src="10.0.0.1",dst="10.0.0.9"}/ICMP{type="echo-request"}, {timeout=1}).ICMP.type)
			print(a.name, b.name, a.linktype, lan.name)`, `
64	64
9999
nil
echo-reply
lan1/1	lan1/bob	ethernet	lan1`},
		{"read and its kin", `
			a:write(p) a:write(p) a:write(p) a:write("short")
			print(b:poll_read(1), b:poll_read(0))
			print(b:read(1) == bytes(p), b:read_packet().dport, b:readpkt(0) == p, b:blocking_read())
			print(b:read(0), b:read(0.5), b:poll_read(0) == TIMEOUT, b:poll_read(0.5) == TIMEOUT, clock.now())
			print(tostring(TIMEOUT), tostring(EOF), TIMEOUT == EOF)`, `
nil	nil
true	9999	true	short
nil	nil	true	true	1.001
TIMEOUT	EOF	false`},
		{"iterators end with their time", `
			local timer = every(0.1, function() a:write(p) end)
			local n = 0
			for frame, at, octets in b:frames(1.05) do n = n + 1 assert(frame == bytes(p) and octets == 64) last = at end
			print(n, last, clock.now())
			for q, at in b:packets(0.2) do print(q.UDP.sport, at) end
			timer:cancel()`, `
10	1.001	1.05
1000	1.101
1000	1.201`},
		{"every reader that waits sees every frame of a handler", `
			local got = {}
			b:on_packet(function(q) got[#got+1] = q.UDP.dport end)
			local r = spawn(function() return b:read_packet(1).UDP.dport end)
			local s = spawn(function() return b:sr1(ping({mac="02:00:00:00:00:09", ip="10.0.0.9"}, 1), {timeout=0.1}) end)
			sleep(0)
			for port = 1, 3 do p.UDP.dport = port a:write(p) end
			print(r:wait(), s:wait(), table.concat(got, " "))`, `
1	nil	1 2 3`},
		{"a failing handler goes on", `
			local n = 0
			local k = b:on_packet(function(q) n = n + 1 if n == 2 then error("no twos", 0) end end)
			for i = 1, 3 do a:write(p) end
			sleep(1)
			print(n, keys(k:stats()), b:stats().handler_errors)
			k:cancel()
			a:write(p)
			print(n, b:read(1) == bytes(p))`, `
handler of lan1/bob failed, and goes on: no twos
3	errors=1 frames=3	1
3	true`},
		{"a handler may read", `
			local h = lan:host{ip="10.0.0.9/24"}
			b:on_packet(function(q)
				if q.UDP then print("handler", b:sr1(ping(h, 5), {timeout=1}).ICMP.seq) end
			end)
			a:write(p) a:write(p)
			sleep(1)
			print("handler saw both")`, `
handler	5
handler	5
handler saw both`},
		{"sr1 leaves what is no answer, and ignores what came before", `
			local h = lan:host{ip="10.0.0.9/24"}
			print(a:sr1(ping(h, 1), {timeout=1}).ICMP.seq)
			a:write(ping(h, 2)) sleep(0.1)             -- the answer waits at a
			b:write(p)
			print(a:sr1(ping(h, 3), {timeout=1}).ICMP.seq)
			print(a:read_packet(0).ICMP.seq, a:read_packet(0).UDP.dport, a:read(0))
			print(a:sr1(ping(h, 1), {timeout=0}), a:sr1(ping({mac=h.mac, ip="10.0.0.8"}, 1), {timeout=0.5, retry=2}))
			print(a:sr1(bytes(ping(h, 4)), {timeout=1}).ICMP.seq)`, `
1
3
2	9999	nil
nil	nil
4`},
		{"sr collects", `
			local h = lan:host{ip={"10.0.0.9/24"}}
			local gone = ping({mac=h.mac, ip="10.0.0.8"}, 9)
			local yes, no = a:sr({ping(h, 1), gone, ping(h, 2)}, {timeout=0.5, inter=0.1, retry=1})
			for _, x in ipairs(yes) do print(x[1].ICMP.seq, x[2].ICMP.seq, x[2].ICMP.type) end
			print(#no, no[1] == gone, clock.now())`, `
1	1	echo-reply
2	2	echo-reply
1	true	1.2`},
		{"close wakes", `
			local r = spawn(function() return b:read() end)
			local s = spawn(function() for q in b:packets() do end end)
			local u = spawn(function() return b:sr1(p) end)
			after(0.5, function() b:close() end)
			for _, task in ipairs{r, s, u} do
				local ok, err = pcall(task.wait, task)
				print(ok, err.kind, err.message, clock.now())
			end
			b:close()
			local ok, err = pcall(b.write, b, p)
			print(ok, err.kind, err.message)
			print(select(2, pcall(b.on_packet, b, print)).kind, select(2, pcall(b.stats, b)).rx_frames)
			lan:close()
			print(select(2, pcall(a.read, a)).message, select(2, pcall(lan.port, lan)).kind)`, `
false	closed	read lan1/bob: the connector is closed	0.5
false	closed	read lan1/bob: the connector is closed	0.5
false	closed	read lan1/bob: the connector is closed	0.5
false	closed	write lan1/bob: the connector is closed
closed	0
read lan1/1: the connector is closed	closed`},
		{"a tee records both ways and uses nothing up", `
			local file = dir .. "/tee.pcap"
			local h = lan:host{ip="10.0.0.9/24"}
			local w = connector.pcap_writer{file=file, nanos=true}
			local k = a:tee(w)
			print(a:sr1(ping(h, 1), {timeout=1}).ICMP.seq)
			b:write(p) sleep(0.1)
			print(a:read(0) == bytes(p), a:read(0))
			k:cancel()
			a:write(p)
			w:close()
			for q, at in open("pcap:" .. file):packets() do print(q.ICMP and q.ICMP.type or q.UDP.dport, at) end`, `
1
true	nil
echo-request	0
echo-reply	0.002
9999	0.003`},
		{"capture files", `
			local file = dir .. "/x.pcap"
			local w = connector.pcap_writer{file=file}
			print(w:write(p), w.name == "pcap_writer:" .. file, w:stats().tx_frames)
			w:write(p / "more")
			w:close()
			local r = open("pcap:" .. file)
			print(r:poll_read(), r:read_packet() == p, #r:read(), r:poll_read() == EOF, r:read() == EOF, r:read_packet(3) == EOF)
			local n = 0
			for _ in connector.pcap{file=file}:packets() do n = n + 1 end
			connector.pcap{file=file}:on_packet(function(q) n = n + 1 end)
			sleep(1)
			print(n, r:stats().rx_frames)
			print(select(2, pcall(r.write, r, p)).kind)
			local raw = connector.pcap_writer{file=file, linktype="raw"}
			raw:write(p.IP and bytes(p):sub(15))
			raw:close()
			local q = open("pcap:" .. file)
			print(q.linktype, q:read_packet().IP.dst)`, `
64	true	1
nil	true	68	true	true	true
4	2
unsupported
raw	10.0.0.2`},
		{"named LANs", `
			local x, y = open"mem:lab", open"mem:lab/left"
			x:write(p)
			print(x.name, y.name, y:read() == bytes(p))
			print(select(2, pcall(connector.lan, {name="lab"})).kind, select(2, pcall(open, "mem:lab/left")).kind)`, `
lab/1	lab/left	true
exists	exists`},
		{"counts", `
			for i = 1, 10 do a:write(p) end
			b:read() b:read()
			print(keys(a:stats()))
			print(keys(b:stats()))
			local small = connector.lan{queue=1000}
			local c, d = small:port(), small:port()
			for i = 1, 10 do c:write(p) end
			print(d:stats().dropped, keys(small:stats()))`, `
dropped=0 filtered=0 handler_errors=0 rx_frames=0 rx_octets=0 truncated=0 tx_dropped=0 tx_frames=10 tx_octets=640
dropped=0 filtered=0 handler_errors=0 rx_frames=10 rx_octets=640 truncated=0 tx_dropped=0 tx_frames=0 tx_octets=0
3	delivered=7 dropped=3 duplicated=0 frames=10 lost=0 octets=640 reordered=0`},
		{"a seed gives one run", `
			local function run()
				math.randomseed(1)
				local l = connector.lan{loss=0.3, duplicate=0.2, reorder=0.2, latency=0.001}
				local x, y = l:port(), l:port()
				for i = 1, 50 do x:write(string.char(i)) sleep(0.0005) end
				local got = {}
				for f in y:frames(1) do got[#got+1] = f:byte() end
				return table.concat(got, " ")
			end
			local first = run()
			print(#first > 50, first:find("1 2 3 4 5 6 7 8 9 10 11 12 13") == nil)`, `
true	true`},
		{"a script that fails", `
			for _, f in ipairs{
				function() open"foo:x" end,
				function() connector.mcast{group="10.0.0.1"} end,
				function() connector.mcast{} end,
				function() connector.tap{name="pk0"} end,
				function() connector.lan{lattency=1} end,
				function() connector.pcap{} end,
				function() open"pcap:/nowhere/x.pcap" end,
				function() a:write() end,
				function() a:write{} end,
				function() a.read() end,
				function() a:read("soon") end,
				function() a:sr1(p, {timeout=-1}) end,
				function() a:tee(a) end,
				function() a:write(("x"):rep(65536)) end,
				function() a.colour = 1 end,
				function() lan:host{on=a} end,
			} do
				local _, err = pcall(f)
				print(err.kind, (err.message:gsub("known are .*", "known are …")))
			end`, `
argument	open foo:x: unknown scheme "foo", known are …
argument	open mcast://10.0.0.1:1102: group 10.0.0.1 is not a multicast address (224.0.0.0 to 239.255.255.255, ff00::/8)
realtime	open mcast://239.192.168.1:1102: the kernel does not follow the virtual clock
realtime	open tap:pk0: the kernel does not follow the virtual clock
argument	argument opts: unknown option lattency (did you mean 'latency'?) (connector.lan)
argument	argument opts: option file is missing (string) (connector.pcap)
missing	open pcap:/nowhere/x.pcap: no such file or directory
argument	argument frame: want bytes (a string or a Packet), got nil (Conn:write)
argument	argument frame: want bytes (a string or a Packet), got table (Conn:write)
argument	argument self: want Conn, got nil; call it with a colon (Conn:read)
argument	argument timeout: want seconds, got string (Conn:read)
argument	argument opts: want 0 or more for timeout, inter and retry (Conn:sr1)
argument	argument other: a connector cannot be copied to itself (Conn:tee)
range	write lan1/1: frame of 65536 octets exceeds 65535
argument	Conn has no field "colour" to set
argument	argument opts: option on: the host goes on a port of this LAN (Lan:host)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			h := connHost(t, virtual(), &out)
			if err := h.RunScript(context.Background(), "test.lua", world+c.src); err != nil {
				t.Fatalf("%s%s", out.String(), h.Report(err))
			}
			if got := unframed(out.String()); got != strings.TrimSpace(c.want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, strings.TrimSpace(c.want))
			}
		})
	}
}

// unframed is a script's output without the source lines and stacks of reports.
func unframed(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") && line != "stack traceback:\n" {
			b.WriteString(line)
		}
	}
	return strings.TrimSpace(b.String())
}

// A capture file is whole when the script is over, however it ends.
func TestExitFlushesCaptureFiles(t *testing.T) {
	for _, end := range []string{"", "os.exit(0)", "error('over')"} {
		var out bytes.Buffer
		h := connHost(t, virtual(), &out)
		file := filepath.Join(t.TempDir(), "x.pcap")
		_ = h.RunScript(context.Background(), "test.lua", fmt.Sprintf(`
			local w = connector.pcap_writer{file=%q}
			for i = 1, 100 do w:write(("x"):rep(60)) end
			%s`, file, end))
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err := os.Stat(file); err != nil || s.Size() != 24+100*76 {
			t.Errorf("%q: %v, %v", end, s, err)
		}
	}
}

// A frame that arrived before the script's end still reaches its handler.
func TestHandlersFinishWhatHasArrived(t *testing.T) {
	var out bytes.Buffer
	h := connHost(t, virtual(), &out)
	err := h.RunScript(context.Background(), "test.lua", `
		local lan = connector.lan()
		local a, b = lan:port(), lan:port()
		b:on_packet(function(p) print(#p) end)
		a:write(("x"):rep(60)) a:write(("x"):rep(61))`)
	if err != nil || out.String() != "60\n61\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// On the kernel: two members of a multicast LAN, readers that wait there, and
// close.
func TestConnOnTheKernel(t *testing.T) {
	var out bytes.Buffer
	h := connHost(t, clock.Real(), &out)
	err := h.RunScript(context.Background(), "test.lua", fmt.Sprintf(`
		local function member() return connector.mcast{group="239.192.77.2", port=%d, ifaddr="127.0.0.1"} end
		local a, b = member(), member()
		print(b:poll_read(0.01) == TIMEOUT, b:poll_read(0) == TIMEOUT, b:read(0.01))
		local r = spawn(function() return b:read() end)
		local s = spawn(function() return b:read_packet(5) end)
		sleep(0.01)
		a:write("one") a:write("two")
		local got = {r:wait(), bytes(s:wait())}
		table.sort(got)
		print(got[1], got[2], a:read(1), a:read(1))     -- and its own
		local n = 0
		local k = b:on_packet(function(p) n = n + 1 if n == 500 then b:close() end end)
		for i = 1, 500 do a:write(("x"):rep(i)) end
		local t = spawn(function() return a:read(5) and b:read() end)
		local ok, err = pcall(t.wait, t)
		print(ok, err.kind, n)
		local c = member()
		local w = spawn(function() return c:read() end)
		after(0.01, function() c:close() end)
		print(select(2, pcall(w.wait, w)).kind)
		local x = member()
		host{on=x, ip="10.9.0.2/24"}
		local y = member()
		print(y:sr1(Ether{dst="ff:ff:ff:ff:ff:ff"}/ARP{op="who-has", psrc="10.9.0.1", pdst="10.9.0.2"}, {timeout=5}).ARP.op)
	`, 20000+os.Getpid()%20000))
	if err != nil {
		t.Fatalf("%s%s", out.String(), h.Report(err))
	}
	want := "true\ttrue\tnil\none\ttwo\tone\ttwo\nfalse\tclosed\t500\nclosed\nis-at\n"
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
}

// benchmark runs a script that gets N and says how often it did the thing.
func benchmark(b *testing.B, setup, loop string) {
	var out bytes.Buffer
	h := connHost(b, clock.Real(), &out)
	h.Globals().RawSetString("N", lua.Number(b.N))
	src := setup + "\nfunction go()\n" + loop + "\nend"
	if err := h.RunScript(context.Background(), "setup.lua", src); err != nil {
		b.Fatal(h.Report(err))
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := h.RunScript(context.Background(), "bench.lua", "go()"); err != nil {
		b.Fatal(h.Report(err))
	}
	b.StopTimer()
	if s := out.String(); s != "" {
		b.Log(s)
	}
}

const benchWorld = `
lan = connector.lan(); a, b = lan:port(), lan:port()
frame = bytes(Ether{src="02:00:00:00:00:01", dst="02:00:00:00:00:02"} / IP{src="10.0.0.1", dst="10.0.0.2"} / UDP{sport=1000, dport=9999} / ("x"):rep(22))
n = 0
`

func BenchmarkLanToCallback(b *testing.B) {
	benchmark(b, benchWorld+`b:on_packet(function(p) if p.UDP.dport == 9999 then n = n + 1 end end)`, `
		for i = 1, N do a:write(frame) if i % 512 == 0 then sleep(0) end end
		while n < N do sleep(0) end`)
}

func BenchmarkLanWrite(b *testing.B) {
	benchmark(b, benchWorld, `for i = 1, N do a:write(frame) end`)
}

func BenchmarkLanRead(b *testing.B) {
	benchmark(b, benchWorld, `for i = 1, N do a:write(frame) b:read() end`)
}

// The frames lie in the kernel's buffer; what is measured is taking them out.
func BenchmarkMcastToCallback(b *testing.B) {
	benchmark(b, benchWorld+`
		x = connector.mcast{group="239.192.77.3", port=21003, ifaddr="127.0.0.1"}
		y = connector.mcast{group="239.192.77.3", port=21003, ifaddr="127.0.0.1"}
		y:on_packet(function(p) if p.UDP.dport == 9999 then n = n + 1 end end)`, `
		local took = 0
		for sent = 0, N - 1, 2000 do
			local k = math.min(2000, N - sent)
			for i = 1, k do x:write(frame) end
			local t0 = clock.now()
			while n < sent + k and y:stats().dropped == 0 do sleep(0) end
			took = took + clock.now() - t0
		end
		if N > 10000 then print(("%.0f frames a second, %d dropped"):format(n / took, y:stats().dropped)) end`)
}

func BenchmarkCaptureFile(b *testing.B) {
	benchmark(b, benchWorld+`
		local w = connector.pcap_writer{file = dir .. "/x.pcap"}
		for i = 1, N do w:write(frame) end
		w:close()`, `
		for p in open("pcap:" .. dir .. "/x.pcap"):packets() do if p.UDP.dport == 9999 then n = n + 1 end end
		assert(n == N)`)
}
