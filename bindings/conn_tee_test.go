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
