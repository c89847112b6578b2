package bindings

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"pktsh/engine/clock"
	"pktsh/lua"
	"pktsh/stdlib"
)

// runWire runs a script on a host of its own and returns what it printed.
func runWire(t testing.TB, src string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	h := wireHost(t, &out)
	err := h.RunScript(context.Background(), "test.lua", src)
	if err != nil {
		return out.String(), err
	}
	return out.String(), nil
}

func wireHost(t testing.TB, out *bytes.Buffer) *lua.Host {
	t.Helper()
	h, err := lua.New(lua.Config{Clock: clock.NewVirtual(time.Unix(0, 0).UTC()), Seed: 1, Stdin: strings.NewReader(""),
		Stdout: out, Stderr: out, Modules: []lua.Module{wireModule}, Stdlib: stdlib.FS})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// expect runs lines and compares what they print.
func expect(t *testing.T, src, want string) {
	t.Helper()
	got, err := runWire(t, src)
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// raises runs a line and looks for the message.
func raises(t *testing.T, src, want string) {
	t.Helper()
	_, err := runWire(t, src)
	if err == nil {
		t.Errorf("%s: no error", src)
	} else if !strings.Contains(err.Error(), want) {
		t.Errorf("%s\n got %v\nwant %s", src, err, want)
	}
}

const buildP = `
p = Ether{src="02:00:00:00:00:01", dst="02:00:00:00:00:02"} / IP{src="10.0.0.1", dst="10.0.0.2"} / UDP{sport=1000, dport=9999} / ("x"):rep(22)
`

func TestTheLinesOfTheContract(t *testing.T) {
	expect(t, buildP+`
print(tohex(bytes(p)))
print(#p)
p.IP.ttl = 3
print(p.IP.chksum, p.IP.len)
p.IP.chksum = 0xdead
print(tohex(bytes(p), " "):sub(73, 77))
p.IP.chksum = nil
print(p.IP.chksum)
q = Ether.parse(bytes(p)); print(q == p)
print(q.IP.ttl, q.UDP.dport, q.dport, q.payload)
q.UDP.payload = "hi"; print(#q)
print(tohex(bytes(q)))
print(tohex(bytes(Ether{} / IP{dst="10.0.0.2"} / ICMP{type="echo-request", id=1, seq=1} / "ping")))
t = TCP{flags="SA", options={{"MSS", 1460}, {"WScale", 7}, "SAckOK"}}
print(t.flags, tohex(bytes(t)))
print(tohex(fromhex[[45 00:00-3c 0x01  -- IP
   ff]]))
`, `
0200000000020200000000010800450000320000000040`+`1166b90a0000010a00000203e8270f001e938b`+strings.Repeat("78", 22)+`
64
41913	50
de ad
41913
true
3	9999	9999	`+strings.Repeat("x", 22)+`
44
02000000000202000000000108004500001e000000000311a3cd0a0000010a00000203e8270f000a5877`+`6869
ffffffffffff00000000000008004500002000000000400170dc000000000a0000020800192d0001000170696e67
SA	00000000000000000000000080122000000000000204`+`05b403030704020000`+`00
4500003c01ff
`)
	raises(t, "x = IP{ttl=300}", `IP.ttl: 300 does not fit 8 bits (0..255)`)
}

func TestAChainOfDivisionsChangesNothingThatHasAName(t *testing.T) {
	expect(t, `
local a, b = IP{src="10.0.0.1"}, UDP{sport=1}
local ab = a / b
local x, y = ab / "x", ab / "y"
print(#a, #b, #ab, #x, #y, x.payload, y.payload)
local function f(p) return p end
local z = f(a / b) / "z" / "z"
print(#ab, #z, #(a / b / ab), #ab)
for i = 1, 2 do local q = a / b / "q"; print(#q, q.payload) end
local keep = {}
local odd = setmetatable({}, {__div = function(_, p) return keep[1] end})
keep[1] = a / b
print(#(odd / b / "x"), #keep[1])
`, `
20	8	28	29	29	x	y
28	30	56	28
29	q
29	q
29	28`)
}
