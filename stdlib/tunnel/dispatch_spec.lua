local rig = require "rig"

-- T.8: dispatchers. A handler that records everything it is given.
local function recorder()
  local r = {calls = {}}
  function r:datagram_received(...) table.insert(self.calls, {...}) end
  return r
end

local function frame(kind, body) return "123456987654" .. string.char(math.floor(kind / 256), kind % 256) .. body end

local DEST, SOURCE = "31:32:33:34:35:36", "39:38:37:36:35:34"

local function eth_call(body, partial, kind)
  return {body, {dest = DEST, source = SOURCE, protocol = kind or 0x800, partial = partial}}
end

test("T110 a frame reaches the handler of its type once, with its fields", function()
  local e, r = tunnel.ethernet_protocol(), recorder()
  e:add_proto(0x800, r)
  e:datagram_received(frame(0x800, "foobar"), {partial = 0})
  check.equal(r.calls, {eth_call("foobar", 0)})
end)

test("T111 frames arrive in order, and partial is kept", function()
  local e, r = tunnel.ethernet_protocol(), recorder()
  e:add_proto(0x800, r)
  e:datagram_received(frame(0x800, "foobar"), {partial = 0})
  e:datagram_received(frame(0x800, "quux"), {partial = 1})
  check.equal(r.calls, {eth_call("foobar", 0), eth_call("quux", 1)})
end)

test("T112 two handlers of one type both get the frame", function()
  local e, a, b = tunnel.ethernet_protocol(), recorder(), recorder()
  e:add_proto(0x800, a)
  e:add_proto(0x800, b)
  e:datagram_received(frame(0x800, "foobar"), {partial = 0})
  check.equal(a.calls, {eth_call("foobar", 0)})
  check.equal(b.calls, a.calls)
end)

test("T113 a handler of another type sees nothing", function()
  local e, r = tunnel.ethernet_protocol(), recorder()
  e:add_proto(0x801, r)
  e:datagram_received(frame(0x800, "foobar"))
  e:datagram_received(frame(0x800, "quux"))
  check.equal(r.calls, {})
  check.equal(e.unknown, 2)
end)

test("T114 interleaved types reach only their own handler, in order", function()
  local e, ip, arp = tunnel.ethernet_protocol(), recorder(), recorder()
  e:add_proto(0x800, ip)
  e:add_proto(0x806, arp)
  for i, body in ipairs{"foobar", "quux", "quuz", "corge"} do
    e:datagram_received(frame(i % 2 == 1 and 0x800 or 0x806, body), {partial = 0})
  end
  check.equal(ip.calls, {eth_call("foobar", 0), eth_call("quuz", 0)})
  check.equal(arp.calls, {eth_call("quux", 0, 0x806), eth_call("corge", 0, 0x806)})
end)

test("T115 what is no packet handler cannot be added to Ethernet", function()
  local e = tunnel.ethernet_protocol()
  check.matches(check.raises("argument", e.add_proto, e, 42, "silliness").message, "cannot adapt")
  check.raises("cannot adapt", e.add_proto, e, 42, {})
  check.raises("cannot adapt", e.add_proto, e, 42, tunnel.raw_udp_protocol())
end)

test("T116 a negative type cannot be added to Ethernet", function()
  local e = tunnel.ethernet_protocol()
  check.raises("Added protocol must be positive or zero", e.add_proto, e, -1, recorder())
end)

test("T117 a type beyond 16 bits cannot be added to Ethernet", function()
  local e = tunnel.ethernet_protocol()
  check.raises("Added protocol must fit in 16 bits", e.add_proto, e, 65536, recorder())
  check.raises("Added protocol must fit in 16 bits", e.add_proto, e, 65537, recorder())
  e:add_proto(65535, recorder())
end)

-- IP -----------------------------------------------------------------------------------

-- The packet of the list, but for its first octet: version 4 and 5 words of
-- header are 0x45, where the seed wants 0x54.
local function packet(body, protocol)
  return fromhex("45 07 00" .. ("%02x"):format(20 + #body) .. "dead beef c0" .. ("%02x"):format(protocol or 0x0f) .. "0000 05060708 01020304") .. body
end

local function ip_call(body, partial, protocol)
  return {body, {
    source = "5.6.7.8", dest = "1.2.3.4", protocol = protocol or 0x0f, version = 4, ihl = 20, tos = 7, tot_len = 20 + #body,
    fragment_id = 0xdead, fragment_offset = 0x1eef, dont_fragment = false, more_fragments = true, ttl = 0xc0, partial = partial,
  }}
end

local below = {partial = 0, dest = "dummy", source = "dummy", protocol = "dummy"}

test("T120 a packet reaches the handler of its protocol with all fields; 0x45 is version 4 with 20 octets of header", function()
  local ip, r = tunnel.ip_protocol(), recorder()
  ip:add_proto(0x0f, r)
  ip:datagram_received(packet("foobar"), below)
  check.equal(r.calls, {ip_call("foobar", 0)})
  -- 0x54 is version 5, which is no IP.
  ip:datagram_received("\x54" .. packet("foobar"):sub(2), below)
  check.equal(#r.calls, 1)
  check.equal(ip.malformed, 1)
end)

test("T121 packets arrive in order, and partial is kept", function()
  local ip, r = tunnel.ip_protocol(), recorder()
  ip:add_proto(0x0f, r)
  ip:datagram_received(packet("foobar"), below)
  ip:datagram_received(packet("quux"), {partial = 1})
  check.equal(r.calls, {ip_call("foobar", 0), ip_call("quux", 1)})
end)

test("T122 two handlers of one protocol both get the packet", function()
  local ip, a, b = tunnel.ip_protocol(), recorder(), recorder()
  ip:add_proto(0x0f, a)
  ip:add_proto(0x0f, b)
  ip:datagram_received(packet("foobar"), below)
  check.equal(a.calls, {ip_call("foobar", 0)})
  check.equal(b.calls, a.calls)
end)

test("T123 a handler of another protocol sees nothing", function()
  local ip, r = tunnel.ip_protocol(), recorder()
  ip:add_proto(0x0a, r)
  ip:datagram_received(packet("foobar"), below)
  check.equal(r.calls, {})
  check.equal(ip.unknown, 1)
end)

test("T124 interleaved protocols reach only their own handler, in order", function()
  local ip, a, f = tunnel.ip_protocol(), recorder(), recorder()
  ip:add_proto(0x0a, a)
  ip:add_proto(0x0f, f)
  for i, body in ipairs{"foobar", "quux", "quuz", "corge"} do
    ip:datagram_received(packet(body, i % 2 == 1 and 0x0a or 0x0f), below)
  end
  check.equal(a.calls, {ip_call("foobar", 0, 0x0a), ip_call("quuz", 0, 0x0a)})
  check.equal(f.calls, {ip_call("quux", 0), ip_call("corge", 0)})
end)

test("T125 what is no handler of datagrams cannot be added to IP", function()
  local ip = tunnel.ip_protocol()
  check.raises("cannot adapt", ip.add_proto, ip, 42, "silliness")
  check.raises("cannot adapt", ip.add_proto, ip, 42, tunnel.ip_protocol())
end)

test("T126 a negative protocol cannot be added to IP", function()
  local ip = tunnel.ip_protocol()
  check.raises("Added protocol must be positive or zero", ip.add_proto, ip, -1, recorder())
end)

test("T127 a protocol beyond 32 bits cannot be added to IP", function()
  local ip = tunnel.ip_protocol()
  check.raises("Added protocol must fit in 32 bits", ip.add_proto, ip, 2 ^ 32, recorder())
  check.raises("Added protocol must fit in 32 bits", ip.add_proto, ip, 2 ^ 32 + 1, recorder())
  ip:add_proto(2 ^ 32 - 1, recorder())
end)

-- UDP ----------------------------------------------------------------------------------

local function segment(body, dport)
  return fromhex("43a2" .. ("%04x"):format(dport or 0xf00f) .. "0006 dead") .. body
end

local above = {partial = 0, dest = "dummy", source = "testHost", protocol = 17}

local function udp_call(body) return {body, {"testHost", 0x43a2}, above} end

test("T130 a datagram reaches the handler of its port, whatever its length and checksum say", function()
  local udp, r = tunnel.raw_udp_protocol(), recorder()
  udp:add_proto(0xf00f, r)
  udp:datagram_received(segment("foobar"), above)
  check.equal(r.calls, {udp_call("foobar")})
end)

test("T131 datagrams arrive in order", function()
  local udp, r = tunnel.raw_udp_protocol(), recorder()
  udp:add_proto(0xf00f, r)
  udp:datagram_received(segment("foobar"), above)
  udp:datagram_received(segment("quux"), above)
  check.equal(r.calls, {udp_call("foobar"), udp_call("quux")})
end)

test("T132 two handlers of one port both get the datagram", function()
  local udp, a, b = tunnel.raw_udp_protocol(), recorder(), recorder()
  udp:add_proto(0xf00f, a)
  udp:add_proto(0xf00f, b)
  udp:datagram_received(segment("foobar"), above)
  check.equal(a.calls, {udp_call("foobar")})
  check.equal(b.calls, a.calls)
end)

test("T133 a handler of another port sees nothing", function()
  local udp, r = tunnel.raw_udp_protocol(), recorder()
  udp:add_proto(1, r)
  udp:datagram_received(segment("foobar"), above)
  udp:datagram_received(segment("quux"), above)
  check.equal(r.calls, {})
end)

test("T134 interleaved ports reach only their own handler, in order", function()
  local udp, a, b = tunnel.raw_udp_protocol(), recorder(), recorder()
  udp:add_proto(0xf00f, a)
  udp:add_proto(0xb050, b)
  for i, body in ipairs{"foobar", "quux", "quuz", "corge"} do
    udp:datagram_received(segment(body, i % 2 == 1 and 0xf00f or 0xb050), above)
  end
  check.equal(a.calls, {udp_call("foobar"), udp_call("quuz")})
  check.equal(b.calls, {udp_call("quux"), udp_call("corge")})
end)

test("T135 what does not receive datagrams cannot be added to UDP", function()
  local udp = tunnel.raw_udp_protocol()
  check.raises("Added protocol must be an instance of DatagramProtocol", udp.add_proto, udp, 42, "silliness")
  check.raises("Added protocol must be an instance of DatagramProtocol", udp.add_proto, udp, 42, tunnel.ip_protocol())
end)

test("T136 a negative port cannot be added to UDP", function()
  local udp = tunnel.raw_udp_protocol()
  check.raises("Added protocol must be positive or zero", udp.add_proto, udp, -1, recorder())
end)

test("T137 a port beyond 16 bits cannot be added to UDP", function()
  local udp = tunnel.raw_udp_protocol()
  check.raises("Added protocol must fit in 16 bits", udp.add_proto, udp, 65536, recorder())
  check.raises("Added protocol must fit in 16 bits", udp.add_proto, udp, 65537, recorder())
end)

-- Beyond the list ----------------------------------------------------------------------

test("dispatchers stack: a port of frames hands datagrams to functions", function()
  local eth, ip, udp, got = tunnel.ethernet_protocol(), tunnel.ip_protocol(), tunnel.raw_udp_protocol(), {}
  eth:add_proto(0x800, ip)
  eth:add_proto(0x86dd, ip)
  ip:add_proto(17, udp)
  udp:add_proto(12345, function(data, from, info) table.insert(got, {data, from, info.dest, info.port}) end)
  local port, _, sys = rig.listen(rig.memory_ports[2], {handler = eth})
  check.matches(tostring(port), "^<tunnel.ethernet_protocol listening on IFF_TAP/tun0123>$")
  local from4 = sys:send_udp("four", {"172.16.2.2", 12345})
  local from6 = sys:send_udp("six", {"2001:db8::2", 12345})
  port:do_read()
  check.equal(got, {{"four", from4, "172.16.2.2", port}, {"six", from6, "2001:db8::2", port}})
  rig.stop(port)
end)

test("options are skipped, and what Ethernet filled up is no payload", function()
  local ip, got = tunnel.ip_protocol(), {}
  ip:add_proto(17, function(data, info) table.insert(got, {data, info.ihl, info.dont_fragment}) end)
  ip:datagram_received(fromhex"46 00 001c 0001 4000 40 11 0000 0a000001 0a000002 94040000" .. "data" .. ("\0"):rep(18))
  check.equal(got, {{"data", 24, true}})
end)

test("extension headers of IPv6 are skipped, and a fragment says so", function()
  local ip, got = tunnel.ip_protocol(), {}
  ip:add_proto(17, function(data, info) table.insert(got, {data, info.ihl, info.fragment_offset, info.more_fragments, info.fragment_id, info.ttl, info.source}) end)
  local head = "6ab00000 0014 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002"
  ip:datagram_received(fromhex(head .. "2c 00 000000000000  11 00 0009 00000007") .. "data")
  check.equal(got, {{"data", 56, 1, true, 7, 64, "2001:db8::1"}})
  ip:datagram_received(fromhex(head .. "2c 00"))
  check.equal(ip.malformed, 1)
end)

test("short octets are counted, never an error", function()
  local whole = {frame(0x800, packet("foobar")), packet("foobar"), segment("foobar")}
  local six = bytes(IPv6{} / UDP{} / "x")
  for i, d in ipairs{tunnel.ethernet_protocol(), tunnel.ip_protocol(), tunnel.raw_udp_protocol()} do
    local need = ({14, 20, 8})[i]
    for n = 0, need - 1 do d:datagram_received(whole[i]:sub(1, n)) end
    check.equal(d.malformed, need)
  end
  local ip = tunnel.ip_protocol()
  for n = 0, 39 do ip:datagram_received(six:sub(1, n)) end
  check.equal(ip.malformed, 40)
end)

test("random octets do no harm", function()
  local eth, ip, udp = tunnel.ethernet_protocol(), tunnel.ip_protocol(), tunnel.raw_udp_protocol()
  eth:add_proto(0x800, ip)
  eth:add_proto(0x86dd, ip)
  ip:add_proto(17, udp)
  for i = 1, 2000 do
    local t = {}
    for k = 1, math.random(0, 80) do t[k] = string.char(math.random(0, 255)) end
    local noise = table.concat(t)
    eth:datagram_received(noise)
    ip:datagram_received(noise)
    ip:datagram_received(string.char(0x60) .. noise)
    ip:datagram_received(string.char(0x40 + math.random(5, 15)) .. noise)
    udp:datagram_received(noise)
  end
  check.truthy(ip.malformed > 0)
end)
