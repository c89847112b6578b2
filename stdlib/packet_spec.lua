-- Packets and layouts where a script asks for what cannot be.

local function new(layout, fields) return layout(fields) end
local p = Ether{} / IP{dst = "10.0.0.2"} / UDP{dport = 9} / "x"

test("a layer is asked for by name, or by its place, from 1 on", function()
  check.equal(p:layer(2), p.IP)
  check.equal(p:layer("UDP", 1), p.UDP)
  check.equal(p:layer(UDP), p.UDP)
  check.equal(p:layer(5), nil, "there are four")
  check.equal(p:layer("IP", 2), nil)
  for _, args in ipairs{{0}, {-1}, {1.5}, {"IP", 0}, {"IP", -1}, {"IP", 0.5}, {"IP", "1st"}, {2, 1}, {}} do
    check.raises("argument", p.layer, p, unpack(args))
  end
end)

test("tables that stand in each other many times are refused, in no time", function()
  local t = {1}
  for _ = 1, 20 do t = {t, t} end
  check.raises("more than 262144 values", new, IP, {options = t})
  local deep = {1}
  for _ = 1, 30 do deep = {deep} end
  check.raises("more than 20 deep", new, IP, {options = deep})
end)

test("a layout cannot follow where the field has no room for the number", function()
  local L = wire.layout("PacketSpecOne", {{"x", "u8"}})
  local err = check.raises("range", L.follows, L, "IP", {proto = 256})
  check.matches(err.message, "IP%.proto: 256 does not fit 8 bits %(0%.%.255%)")
  check.raises("range", L.follows, L, "IP", {proto = {1, 300}})
  check.raises("range", L.follows, L, "Ether", {type = {from = 3, to = 70000}})
  check.raises("argument", L.follows, L, "IP", {proto = -1})
  L:follows("IP", {proto = 255})
  check.equal((IP{} / L{x = 1}).IP.proto, 255)
end)

test("a name that there is not brings those that there are", function()
  local function says(text, layout, fields)
    check.truthy(check.raises("argument", new, layout, fields).message:find(text, 1, true), text)
  end
  says('ICMP.type: no name "ecko" (did you mean "echo-reply" or "echo-request"?)', ICMP, {type = "ecko"})
  says('IP.proto: no name "udq" (did you mean "udp"?)', IP, {proto = "udq"})
  says('IP.flags: no flag "XX" (there are DF, MF, evil)', IP, {flags = "XX"})
  says('no name "zzzz" (there are ', IP, {proto = "zzzz"})
end)

test("a packet of one layer is a record where its layout is one", function()
  local report = ICMPv6{type = "mld-report-v2", records = {ICMPv6MLDMultAddrRec{dst = "ff02::1"}, {dst = "ff02::2", sources = {"fe80::1"}}}}
  check.equal(report.records[1].dst, "ff02::1")
  check.equal(report.records[2].sources[1], "fe80::1")
  check.equal(report.records_number, 2)
  check.raises("want one of ICMPv6MLDMultAddrRec alone, got the packet Ether / IP", new, ICMPv6, {type = 143, records = {Ether{} / IP{}}})
end)

test("neighbour discovery has a hop limit of 255, and multicast listener discovery one of 1, unless it is set", function()
  local q = Ether{} / IPv6{} / ICMPv6{type = "neighbor-solicitation", target = "fe80::1"}
  check.equal(q.IPv6.hlim, 255)
  check.equal(bytes(q):byte(22), 255)
  q.ICMPv6.type = "echo-request"
  check.equal(q.IPv6.hlim, 64)
  q.IPv6.hlim = 7
  q.ICMPv6.type = "router-advertisement"
  check.equal(q.IPv6.hlim, 7)
  q.IPv6.hlim = nil
  check.equal(q.IPv6.hlim, 255)
  check.equal(bytes(q):byte(22), 255)
  check.equal((IPv6{} / IPv6ExtHdrHopByHop{options = {{"RouterAlert"}}} / ICMPv6{type = "mld-report-v2"}).IPv6.hlim, 1)
  local quoted = IPv6{} / ICMPv6{type = "time-exceeded"} / IPv6{} / ICMPv6{type = "redirect"}
  check.equal({quoted:layer("IPv6", 1).hlim, quoted:layer("IPv6", 2).hlim}, {64, 255})
  -- What was read stays as it was, whatever is edited.
  local read = Ether:parse(bytes(Ether{} / IPv6{hlim = 64} / ICMPv6{type = "neighbor-solicitation"}))
  read.ICMPv6.tgt = "fe80::2"
  check.equal(read.IPv6.hlim, 64)
  check.equal(bytes(read):byte(22), 64)
end)

test("a layout says what layers below should have", function()
  local L = wire.layout("PacketSpecTwo", {{"kind", "u8"}}, {below = {IP = {{ttl = 1, when = {kind = 1}}, {tos = 0xc0}}}})
  L:follows("IP", {proto = 253})
  local q = IP{} / L{kind = 1}
  check.equal({q.IP.ttl, q.IP.tos, q.IP.proto}, {1, 0xc0, 253})
  q.PacketSpecTwo.kind = 2
  check.equal(q.IP.ttl, 64)
  check.equal((IP{ttl = 9} / L{kind = 1}).IP.ttl, 9)
  for _, bad in ipairs{{IP = {ttl = 1}}, {IP = {}}, {IP = {{ttl = "x"}}}, {IP = {{ttl = 1, when = {none = 1}}}}, "IP"} do
    check.raises("argument", wire.layout, "PacketSpecThree", {{"kind", "u8"}}, {below = bad})
  end
end)

test("hexdump takes octets and options, and nothing else", function()
  hexdump("abc")
  hexdump("abc", {})
  hexdump(p, {fields = true})
  p:hexdump{fields = true}
  p.IP:hexdump()
  for _, args in ipairs{{"abc", 1}, {"abc", {field = true}}, {"abc", {fields = true}}, {"abc", {}, 1}, {p, {fields = 1}}, {5}, {}} do
    check.raises("argument", hexdump, unpack(args, 1, 3))
  end
end)
