package bindings

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pktsh/engine"
	"pktsh/engine/clock"
)

// inRealTime runs a script with named pipes p1, p2 in dir, whose other ends
// nobody has opened.
func inRealTime(t *testing.T, src, want string) {
	t.Helper()
	var out bytes.Buffer
	h := connHost(t, clock.Real(), &out)
	dir := h.Globals().RawGetString("dir").String()
	for _, name := range []string{"p1", "p2"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Skipf("SKIP: no named pipes: %v", err)
		}
	}
	if err := h.RunScript(context.Background(), "test.lua", world+src); err != nil {
		t.Fatalf("%s%s", out.String(), h.Report(err))
	}
	if got := strings.TrimSpace(strings.ReplaceAll(out.String(), dir, "DIR")); got != strings.TrimSpace(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, strings.TrimSpace(want))
	}
}

// A pipe that says nothing keeps nobody but its reader: others run, times hold,
// and it can be closed.
func TestPipesDoNotBlock(t *testing.T) {
	inRealTime(t, `
		local ticks = 0
		local ticker = spawn(function() while true do sleep(0.001) ticks = ticks + 1 end end)
		local ok, err = pcall(connector.pcap, {file = dir .. "/p1", timeout = 0.05})
		print(ok, err.kind, err.message, ticks > 3)
		local opener = spawn(open, "pcap:" .. dir .. "/p1")
		sleep(0.01)
		opener:cancel()
		print(select(2, pcall(opener.wait, opener)).kind)

		local w = connector.pcap_writer{file = dir .. "/p2"} -- its header is in the pipe
		local r = open("pcap:" .. dir .. "/p2")
		print(r.linktype, r:read(0), r:read(0.02))
		print(r:poll_read(0.02) == TIMEOUT)
		local before = ticks
		spawn(function() sleep(0.02) w:write(p) sleep(0.3) w:write(p, {time = 5}) end)
		print(r:read_packet(5).UDP.dport, ticks > before)
		print(r:read_packet(5).time)
		spawn(function() sleep(0.01) r:close() end)
		local start = clock.now()
		print(select(2, pcall(r.read, r)).kind, clock.now() - start < 5)
		w:close()
		ticker:cancel()`, `
false	timeout	open pcap:DIR/p1: context deadline exceeded	true
cancelled
ethernet	nil	nil
true
9999	true
5
closed	true`)
}

// A file that is still being written is read to where it is and further.
func TestFollow(t *testing.T) {
	inRealTime(t, `
		local name = dir .. "/x.pcapng"
		local w = connector.pcap_writer{file = name}
		local n = 0
		local r
		local reader = spawn(function()
			r = connector.pcap{file = name, follow = true}
			for q in r:packets() do n = n + 1 if q.comment == "last" then break end end
		end)
		for i = 1, 3 do w:write(p) sleep(0.01) end
		w:write(p, {comment = "last"})
		reader:wait()
		print(n, r:read(0))
		r:close()
		w:close()
		print(open("pcap:" .. name .. "?follow=1"):poll_read(1))`, `
4	nil
nil`)
}

// A capture with a fault in it gives its descriptor back when that is found.
func TestFaultsKeepNothingOpen(t *testing.T) {
	var out bytes.Buffer
	h := connHost(t, virtual(), &out)
	count := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skipf("SKIP: no /proc: %v", err)
		}
		return len(all)
	}
	before := count()
	err := h.RunScript(context.Background(), "test.lua", world+`
		local w = connector.pcap_writer{file = dir .. "/x.pcap"}
		w:write(p)
		w:close()
		local f = io.open(dir .. "/x.pcap", "a")
		f:write("half a record")
		f:close()
		for i = 1, 50 do
			local r = open("pcap:" .. dir .. "/x.pcap")
			r:read()
			local ok, err = pcall(r.read, r)
			assert(not ok and err.kind == "truncated")
		end`)
	if err != nil {
		t.Fatalf("%s%s", out.String(), h.Report(err))
	}
	if after := count(); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// A replay to the kernel runs beside the script, which may close either end.
func TestReplayBesideTheScript(t *testing.T) {
	inRealTime(t, `
		local name = dir .. "/x.pcapng.zst"
		local w = connector.pcap_writer{file = name}
		for i = 1, 300 do w:write(p, {time = 1700000000 + i * 0.001}) end
		w:close()
		local ok, to = pcall(connector.mcast, {group = "239.192.168.77", port = 11077, ifaddr = "127.0.0.1"})
		if not ok then print("300\ttrue\n0\ttrue\nclosed\nclosed\nargument") return end -- no multicast here
		local ticks = 0
		local ticker = spawn(function() while true do sleep(0.001) ticks = ticks + 1 end end)
		local start = clock.now()
		local r = replay(name, to)
		print(r.frames, ticks > 3 and clock.now() - start >= 0.299 and r.late.p50 < 0.1)
		local c = open(name)
		local t = spawn(replay, c, to)
		sleep(0.02)
		print(r.errors, not pcall(c.read, c, 0))
		c:close()
		print(select(2, pcall(t.wait, t)).kind)
		t = spawn(replay, name, to, {loop = 1000})
		sleep(0.02)
		to:close()
		print(select(2, pcall(t.wait, t)).kind)
		ticker:cancel()
		print(select(2, pcall(replay, name, a, {loop = 2, filter = 7})).kind)`, `
300	true
0	true
closed
closed
argument`)
}

// A pipe whose reader is far behind holds up who writes to it, and nobody else:
// not while a replay waits for room, not while it is closed, and not when it is
// closed because no script can reach it.
func TestSlowReadersHoldUpNobodyElse(t *testing.T) {
	inRealTime(t, `
		local last, worst = clock.now(), 0
		local ticker = spawn(function()
			while true do
				sleep(0.005)
				local now = clock.now()
				worst, last = math.max(worst, now - last), now
			end
		end)
		local big = connector.pcap_writer{file = dir .. "/big.pcap"}
		for i = 1, 5000 do big:write(("x"):rep(1400)) end
		big:close()

		local w = connector.pcap_writer{file = dir .. "/p1"}
		local sender = spawn(replay, dir .. "/big.pcap", w, {speed = math.huge})
		sleep(0.1)
		local n, r = 0, open("pcap:" .. dir .. "/p1")
		for f in r:frames() do n = n + 1 if n == 5000 then break end end
		print(n, sender:wait().frames)
		w:close()
		r:close()

		w = connector.pcap_writer{file = dir .. "/p2"}
		w:write(("x"):rep(1400))
		local closer = spawn(function() w:close() end)
		sleep(0.01)
		print(select(2, pcall(w.write, w, "too late")).kind)
		closer:cancel()
		print(select(2, pcall(closer.wait, closer)).kind)
		do local dropped = connector.pcap_writer{file = dir .. "/p1"} end
		for i = 1, 20 do collectgarbage() sleep(0.01) end
		print(worst < 1)
		ticker:cancel()
		for _, name in ipairs{"/p1", "/p2"} do -- so that the end need not wait
			local rest = open("pcap:" .. dir .. name)
			while rest:read(5) ~= EOF do end
		end`, `
5000	5000
closed
cancelled
true`)
}

// What expect keeps readable has a bound while it waits, too, and what is beyond
// is counted.
func TestWhatExpectKeepsIsBounded(t *testing.T) {
	e := &expectation{c: &Conn{}}
	f := engine.Frame{Data: make([]byte, 1<<20), Len: 1 << 20}
	for range 40 {
		e.keep(f)
	}
	if n := len(e.left); n == 0 || n*len(f.Data) > queueOctets || uint64(n)+e.c.lost != 40 {
		t.Errorf("%d were kept, %d lost", n, e.c.lost)
	}
}
