package bindings

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// runs checks what scripts print on a virtual clock.
func runs(t *testing.T, cases [][3]string) {
	t.Helper()
	for _, c := range cases {
		t.Run(c[0], func(t *testing.T) {
			var out bytes.Buffer
			h := connHost(t, virtual(), &out)
			if err := h.RunScript(context.Background(), "test.lua", world+c[1]); err != nil {
				t.Fatalf("%s%s", out.String(), h.Report(err))
			}
			if got := unframed(strings.ReplaceAll(out.String(), h.Globals().RawGetString("dir").String(), "DIR")); got != strings.TrimSpace(c[2]) {
				t.Errorf("got:\n%s\nwant:\n%s", got, strings.TrimSpace(c[2]))
			}
		})
	}
}

func TestTee(t *testing.T) {
	runs(t, [][3]string{
		{"a capture that is read is copied at once", `
			local file, copy = dir .. "/x.pcap", dir .. "/y.pcap"
			local w = connector.pcap_writer{file=file, nanos=true}
			b:tee(w)
			for i = 1, 200 do a:write(p) sleep(0.001) end
			w:close()
			for i = 1, 200 do assert(b:read(0)) end
			local r, w = open("pcap:" .. file), connector.pcap_writer{file=copy, nanos=true}
			local k, n = r:tee(w), 0
			for _ in r:packets() do n = n + 1 end
			w:close()
			print(n, keys(k:stats()), io.open(file):read("*a") == io.open(copy):read("*a"))
			r, w = open("pcap:" .. file), connector.pcap_writer{file=copy, nanos=true}
			r:tee(w)
			local first = r:read_packet()
			w:close()
			print(#first, open("pcap:" .. copy):read() == bytes(first), select(2, open("pcap:" .. copy):frames()()))`, `
200	errors=0 frames=200	true
64	true	0.001	64`},
		{"alone it copies what arrives, and what handlers get", `
			local w = connector.pcap_writer{file=dir .. "/z.pcap"}
			local k = b:tee(w)
			for i = 1, 3 do a:write(p) end
			sleep(0.01)
			print(k:stats().frames)
			for i = 1, 3 do assert(b:read(0) == bytes(p)) end
			print(b:read(0), k:stats().frames)
			local n = 0
			b:on_packet(function() n = n + 1 end)
			a:write(p)
			print(#b:read(1))
			sleep(0)
			print(n, k:stats().frames)
			b:write(p)
			print(n, k:stats().frames)`, `
3
nil	3
64
1	4
1	5`},
		{"a tee does not take from sr1 and read what they find", `
			b:tee(connector.pcap_writer{file=dir .. "/z.pcap"})
			a:write(p) sleep(0.01)
			a:write("more")
			print(b:sr1(ping({mac="02:00:00:00:00:09", ip="10.0.0.9"}, 1), {timeout=0.1}))
			print(b:read(0) == bytes(p), b:read(0), b:read(0))`, `
nil
true	more	nil`},
		{"two that copy to each other are a bridge", `
			local other = connector.lan()
			local c, d = other:port(), other:port()
			b:tee(c) c:tee(b)
			a:write("to the right") d:write("to the left")
			print(a:read(1), d:read(1))
			print(a:read(1), d:read(1))
			b:write("both")
			print(a:read(1), d:read(1))
			print(a:read(1), d:read(1))`, `
to the left	to the right
nil	nil
both	both
nil	nil`},
		{"what a tee wrote goes on to the tees there", `
			local other = connector.lan()
			local c, d = other:port(), other:port()
			local w = connector.pcap_writer{file=dir .. "/z.pcap"}
			b:tee(c)
			local k = c:tee(w)
			a:write(p)
			sleep(0.01)
			print(#d:read(1), k:stats().frames)`, `
64	1`},
		{"on one medium copies come to an end", `
			local c = lan:port()
			b:tee(c) c:tee(b)
			a:write("x")
			sleep(1)
			local n = 0
			while a:read(0) do n = n + 1 end
			print(n, lan:stats().frames)
			a:write("x")
			sleep(1)
			print(lan:stats().frames)`, `
2	3
6`},
		{"what the other refuses is counted and told once", `
			local w = open("pcap_writer:" .. dir .. "/z.pcap")
			local k = b:tee(open("pcap:" .. dir .. "/z.pcap"))
			a:write(p) a:write(p)
			sleep(0.01)
			print(keys(k:stats()), b:stats().handler_errors, b:stats().dropped)
			k:cancel()
			k = b:tee(w)
			w:close()
			a:write(p)
			sleep(0.01)
			print(keys(k:stats()), #b:read(0), #b:read(0), #b:read(0))`, `
tee of lan1/bob to pcap:DIR/z.pcap loses a frame, and goes on (handler:stats().errors counts): write pcap:DIR/z.pcap: unsupported operation
hint: the file was opened for reading; open it with connector.pcap_writer
errors=2 frames=0	2	0
errors=1 frames=0	64	64	64`},
	})
}

func TestWriteKeepsTimeAndLength(t *testing.T) {
	runs(t, [][3]string{
		{"a loop copies a capture exactly", `
			local file, copy = dir .. "/x.pcap", dir .. "/y.pcap"
			local w = connector.pcap_writer{file=file}
			for i = 0, 999 do
				w:write(p, {time=1700000000 + i + (i * 7919 % 1000000) / 1e6, len=64 + i % 3})
				w:write(("%d"):format(i), {time=4e9 + (i * 104729 % 1000000) / 1e6})
			end
			w:close()
			w = connector.pcap_writer{file=copy}
			local r = open("pcap:" .. file)
			for q, time, len in r:packets() do w:write(q, {time=time, len=len}) end
			w:close()
			local a, b = io.open(file):read("*a"), io.open(copy):read("*a")
			print(a == b, #a, r:stats().truncated)
			w = connector.pcap_writer{file=copy, nanos=true}
			w:write("x", {time=12.123456789})
			w:write("x", {time=1700000000.000001})
			w:close()
			for f, time, len in open("pcap:" .. copy):frames() do print(string.format("%.9f", time), len) end
			print(string.unpack("<I4", io.open(copy):read("*a"), 24 + 17 + 5))`, `
true	98914	666
12.123456789	1
1700000000.000000954	1
1000	50`},
		{"the tees of a file keep them", `
			local v, w = connector.pcap_writer{file=dir .. "/v"}, connector.pcap_writer{file=dir .. "/w"}
			v:tee(w)
			v:write("x", {time=12.5, len=60})
			v:close() w:close()
			print(open("pcap:" .. dir .. "/w"):frames()())
			print(io.open(dir .. "/v"):read("*a") == io.open(dir .. "/w"):read("*a"))`, `
x	12.5	60
true`},
		{"what does not hold is an error", `
			local w = connector.pcap_writer{file=dir .. "/x.pcap"}
			for _, f in ipairs{
				function() w:write(p, 12.5) end,
				function() w:write(p, nil, 3) end,
				function() w:write(p, {tiem=1}) end,
				function() w:write(p, {time="now"}) end,
				function() w:write(p, {time=-1}) end,
				function() w:write(p, {time=0/0}) end,
				function() w:write(p, {len=63}) end,
				function() a:write(p, {time=1}) end,
				function() a:write(p, {len=64}) end,
			} do
				local _, err = pcall(f)
				print(err.kind, err.message)
			end
			print(a:write(p, nil), a:write(p, {}), w:stats().tx_frames)`, `
argument	argument opts: want Conn.WriteOptions, got number (Conn:write)
argument	want a frame and options, got 3 arguments (Conn:write)
argument	argument opts: unknown option tiem (did you mean 'time'?) (Conn:write)
argument	argument opts: option time: want number, got string (Conn:write)
argument	argument opts: option time: want seconds since 1970, up to 2106, got -1 (Conn:write)
argument	argument opts: option time: want seconds since 1970, up to 2106, got NaN (Conn:write)
argument	argument opts: option len: the frame has 64 octets, and cannot have had 63 on the wire (Conn:write)
unsupported	write with options lan1/1: unsupported operation
unsupported	write with options lan1/1: unsupported operation
64	64	0`},
	})
}

func TestPacketsFitTheirConnector(t *testing.T) {
	runs(t, [][3]string{
		{"the first layer is that of the link", `
			local eth = connector.pcap_writer{file=dir .. "/e"}
			local raw = connector.pcap_writer{file=dir .. "/r", linktype="raw"}
			local sll = connector.pcap_writer{file=dir .. "/s", linktype="linux_sll"}
			local user = connector.pcap_writer{file=dir .. "/u", linktype=147}
			Mine = wire.layout("Mine", {{"x", "u8"}})
			Over = wire.layout("Over", {{"x", "u8"}})
			Over:follows("UDP", {dport=7})
			local ip = IP{dst="10.0.0.2"} / "x"
			for _, f in ipairs{
				function() eth:write(ip) end,
				function() a:write(ip) end,
				function() a:write(UDP{}) end,
				function() a:sr1(ip) end,
				function() a:sr({p, ip}) end,
				function() a:send_many({p, ip}) end,
				function() eth:write(SLL{} / ip, {len=100}) end,
				function() raw:write(p) end,
				function() sll:write(ip) end,
			} do
				local _, err = pcall(f)
				print(err.kind, err.message)
			end
			print(eth:write(p), eth:write(bytes(ip)), eth:write(Mine{} / ip), eth:write(Over{}), eth:write(Raw{} / "x"), eth:write(Dot3{}))
			print(raw:write(ip), raw:write(IPv6{}), sll:write(SLL{}), user:write(ip), a:write("x"), a:write(Ether.parse("x")))`, `
argument	argument frame: IP does not fit pcap_writer:DIR/e, whose frames are ethernet: begin with Ether{} or open with linktype="raw"; bytes(p) is written as it stands (Conn:write)
argument	argument frame: IP does not fit lan1/1, whose frames are ethernet: begin with Ether{}; bytes(p) is written as it stands (Conn:write)
argument	argument frame: UDP does not fit lan1/1, whose frames are ethernet: begin with Ether{}; bytes(p) is written as it stands (Conn:write)
argument	argument frame: IP does not fit lan1/1, whose frames are ethernet: begin with Ether{}; bytes(p) is written as it stands (Conn:sr1)
argument	argument frame: IP does not fit lan1/1, whose frames are ethernet: begin with Ether{}; bytes(p) is written as it stands (Conn:sr)
argument	frame 2 of the list: argument frame: IP does not fit lan1/1, whose frames are ethernet: begin with Ether{}; bytes(p) is written as it stands
argument	argument frame: SLL does not fit pcap_writer:DIR/e, whose frames are ethernet: begin with Ether{} or open with linktype="linux_sll"; bytes(p) is written as it stands (Conn:write)
argument	argument frame: Ether does not fit pcap_writer:DIR/r, whose frames are raw: begin with IP{} or IPv6{} or open with linktype="ethernet"; bytes(p) is written as it stands (Conn:write)
argument	argument frame: IP does not fit pcap_writer:DIR/s, whose frames are linux_sll: begin with SLL{} or open with linktype="raw"; bytes(p) is written as it stands (Conn:write)
64	21	22	1	1	14
21	40	16	21	1	1`},
	})
}
