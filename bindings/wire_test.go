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
		Stdout: out, Stderr: out, Modules: Modules(), Stdlib: stdlib.FS})
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

func TestLayersAreReadAndWalked(t *testing.T) {
	expect(t, buildP+`
local names = {}
for l in p:layers() do names[#names + 1] = l:name() end
print(table.concat(names, "/"))
print(p.TCP, p.ICMP == nil, p:layer("IP", 2), p:layer("IP").ttl, p:layer(3).dport)
print(p.IP == p:layer("IP"), p.IP:layout(), #p.IP, tohex(p.UDP))
p.dport = 53
print(p.UDP.dport, p.UDP:provenance("dport"))
print(p.IP:provenance("ttl"), p.IP:provenance("src"))
print(p.ttl, p.seq)
print(table.concat(p.UDP:fields(), " "))
local c = p:copy(); c.IP.ttl = 1
print(p.IP.ttl, c.IP.ttl, p == c)
p.payload = IP{dst="1.2.3.4"}
print(p:layer("IP", 2).dst, #p)
p.IP.payload = "x"
print(#p, p.UDP, p.payload)
print(p.IP:json())
`, `
Ether/IP/UDP/Raw
nil	true	nil	64	9999
true	layout IP	20	03e8270f001e938b
53	set	test.lua:9
default	set	test.lua:2
64	nil
sport dport len chksum
64	1	false
1.2.3.4	62
35	nil	x
{"layer":"IP","version":4,"ihl":5,"tos":0,"len":21,"id":0,"flags":"","frag":0,"ttl":64,"proto":0,"chksum":26343,"src":"10.0.0.1","dst":"10.0.0.2","options":[]}
`)
}

func TestErrorsOfPacketsInLua(t *testing.T) {
	for src, want := range map[string]string{
		`IP{ttl=300}`:                   `IP.ttl: 300 does not fit 8 bits (0..255), at test.lua:1`,
		`local p = IP{}; p.ttl = -1`:    `IP.ttl: -1 does not fit 8 bits (0..255), at test.lua:1`,
		`local p = IP{}; p.IP.ttl = {}`: `IP.ttl: want a number, got a table, at test.lua:1`,
		`IP{tll=3}`:                     `IP.tll: no such field (did you mean "ttl"?), at test.lua:1`,
		`IP{src="10.0.0"}`:              `IP.src: "10.0.0" is not an IPv4 address, such as "192.0.2.1", at test.lua:1`,
		`Ether{src="x"}`:                `Ether.src: "x" is not a MAC address, such as "02:00:00:00:00:01", at test.lua:1`,
		`local p = IP{}; print(p.tttl)`: `Packet.tttl: no layer, field or method of that name (did you mean "ttl"?), at test.lua:1`,
		`local p = IP{}; p.IP.tttl = 1`: `IP.tttl: no such field (did you mean "ttl"?), at test.lua:1`,
		`local p = IP{}; p.dport = 1`:   `Packet.dport: no layer of this packet (IP) has it, at test.lua:1`,
		`IP{"x"}`:                       `fields have names (IP{version = …}), got a value without, at test.lua:1`,
		`IP("x")`:                       `want a table of fields; octets are read with IP.parse(…)`,
		`local p = IP{} / 5`:            `a packet is built from packets and strings, not from number`,
		`ARP{op="is-att"}`:              `ARP.op: no name "is-att" (did you mean "is-at"?), at test.lua:1`,
		`fromhex"45 0"`:                 `the last octet has a single digit`,
		`fromhex"45 xy"`:                `"x" at character 4 is no hexadecimal digit`,
		`local p = UDP{} / ("x"):rep(70000); bytes(p)`:                                              `UDP.len: 70008 octets do not fit 16 bits (0..65535), at test.lua:1`,
		`local p = IP{}/UDP{}; local u = p.UDP; p.payload = ""; p.IP.payload = "x"; print(u.dport)`: `UDP: this layer is no longer part of its packet`,
		`bytes(5)`: `want bytes (a string or a Packet), got number`,
		`ICMP{type="echo-request", gw="1.2.3.4"}`:                 `ICMP.gw: only present when type is redirect, at test.lua:1`,
		`wire.layout("X", {{"a", "u8", wehn = {}}})`:              `X.a: wehn: no such option (did you mean "when"?), at test.lua:1`,
		`wire.layout("X", {{"a", "u7"}})`:                         `X: ends 7 bits into an octet, at test.lua:1`,
		`wire.layout("X", {{"copy", "u8"}})`:                      `X.copy: "copy" is reserved`,
		`wire.layout("X", {{"a", "u8"}}):follows("IP", {prot=3})`: `IP.prot: no such field (did you mean "proto"?), at test.lua:1`,
		`wire.layout("x", {})`:                                    `x: names of layouts begin with a capital letter, at test.lua:1`,
	} {
		raises(t, src, want)
	}
}

func TestALayoutOfOnesOwn(t *testing.T) {
	expect(t, `
Beacon = wire.layout("Beacon", {
  { "kind",  "u4", enum = { [1] = "hello", [2] = "bye" } },
  { "n",     "u4", auto = wire.count("peers") },
  { "len",   "u16", auto = wire.octets("Beacon", "payload", -3) },
  { "key",   "u64" },
  { "extra", "s16", when = { kind = "bye" } },
  { "label", "cstring" },
  { "peers", "ip4", count = "n" },
  { "blob",  "bytes", size = function(r) return r.n * 2 end },
  { "sum",   "u8", auto = function(l) return #l:octets() end },
}, { summary = "{kind} {label}" })
Beacon:follows("UDP", { dport = 4242 })
local b = Beacon{kind = "hello", key = u64"0xfedcba9876543210", label = "me", peers = {"10.0.0.1", "10.0.0.2"}, blob = "abcd"}
print(tohex(bytes(b)))
local p = IP{src="10.0.0.1", dst="10.0.0.2"} / UDP{sport = 1} / b
print(p.UDP.dport, p.UDP:provenance("dport"))
local q = IP.parse(bytes(p))
print(q.Beacon.kind, q.Beacon.n, q.Beacon.len, q.Beacon.key, q.Beacon.extra, q.Beacon.label, q.Beacon.peers[2], q.Beacon.blob, q.Beacon.sum)
q.Beacon.kind = "bye"
q.Beacon.extra = -2
q.Beacon.peers = {"1.1.1.1"}
print(q.Beacon.extra, q.Beacon.n, q.Beacon.len, #q, q.Beacon.label, q.UDP.len)
print(tostring(b))
`, `
120018fedcba98765432106d65000a0000010a000002616263641b
4242	auto
hello	2	24	18364758544493064720	nil	me	10.0.0.2	abcd	27
-2	1	22	53	me	33
Beacon hello me
`)
}

func TestLayoutsAreLoadedWhenTheyAreTouched(t *testing.T) {
	var out bytes.Buffer
	h := wireHost(t, &out)
	run := func(src string) {
		t.Helper()
		if err := h.RunScript(context.Background(), "test.lua", src); err != nil {
			t.Fatal(err)
		}
	}
	run(`b = fromhex"020000000002020000000001080045000032000000004011 66b9 0a0000010a00000203e8270f001e938b"..("x"):rep(22)
		q = Ether.parse(b); assert(q.type == 0x0800)`)
	reg, err := Registry(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"IP", "UDP", "TCP"} {
		if reg.Loaded(name) != nil {
			t.Errorf("%s is loaded before anyone has asked for it", name)
		}
	}
	run(`assert(q.IP.proto == 17)`)
	if reg.Loaded("IP") == nil || reg.Loaded("UDP") != nil {
		t.Error("q.IP loads IP and nothing else")
	}
	run(`assert(q.dport == 9999)`)
	if reg.Loaded("UDP") == nil || reg.Loaded("TCP") != nil {
		t.Error("q.dport loads what the packet has and nothing else")
	}
}

func TestOperandsThatAreKept(t *testing.T) {
	// What a constructor makes for a division is used again, but never what somebody holds.
	expect(t, `
local kept, out = {}, {}
local keeper = setmetatable({}, {__div = function(_, q) kept[#kept + 1] = q return q end})
local stored
local function Make(t) return stored end
for i, left in ipairs{Ether{}, keeper, Ether{}, keeper, Ether{}} do
  local L = i == 5 and Make or IP
  stored = kept[2]
  out[i] = left / L{ttl = i}
end
for i, p in ipairs(out) do print(i, p.IP.ttl) end
print(kept[1].ttl, kept[2].ttl)

local function nested(n)
  if n == 0 then return "end" end
  return IP{ttl = n} / bytes(nested(n - 1)):sub(9, 9)
end
print(tohex(bytes(nested(3)):sub(21)), #nested(3))
local all = {}
for i = 1, 3 do all[i] = Ether{type = i} / IP{id = i} / UDP{sport = i} end
for i = 1, 3 do print(all[i].Ether.type, all[i].IP.id, all[i].UDP.sport) end`, `
1	1
2	2
3	3
4	4
5	4
2	4
02	21
1	1	1
2	2	2
3	3	3`)
}
