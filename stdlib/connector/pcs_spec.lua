-- Connectors as the Packet Construction Set has them, under its names.
local rig = require "rig"
local udp, who = rig.udp, rig.who

local PING = "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637"
local LOOPPING = fromhex("0000000245000054e6bb0000400100007f0000017f0000010800ec865b46000042f873ad000d0e7d" .. PING)
local ETHERPING = fromhex("0010db3a3a77000d9344fa62080045000054889300004001e540c0a865a6a9e53ca1080095b4062d00004302047e000d298e" .. PING)

test("P001: a loopback savefile: 88 octets, and behind four of them the IPv4 header", function()
  rig.with_file(function(name)
    rig.savefile(name, 0, 1123578797, 855791, LOOPPING)
    local c = connector.PcapConnector(name)
    check.equal(c.linktype, "null")
    local frame, time, octets = c:frames()()
    check.equal(#frame, 88)
    check.equal(octets, 88)
    check.equal(("%.6f"):format(time), "1123578797.855791")
    local ip = IP:parse(frame:sub(5)).IP
    for field, want in pairs{version = 4, ihl = 5, tos = 0, len = 84, id = 59067, flags = "", frag = 0, ttl = 64, proto = 1, src = "127.0.0.1", dst = "127.0.0.1"} do
      check.equal(ip[field], want, field)
    end
    check.equal(c:read(), EOF)
    c:close()
    -- Its header is in network order, and known all the same.
    c = connector.PcapConnector(name)
    local p = c:read_packet()
    check.equal(p.IP.id, 59067)
    check.equal(p.ICMP.type, "echo-request")
    check.equal(bytes(p), LOOPPING)
    c:close()
  end)
end)

rig.on_namespace("P002: a reader with the filter icmp sees what a second connector injects into the same device", function()
  rig.veth("pv0", "pv1")
  local reader, writer = connector.PcapConnector("pv0"), connector.PcapConnector("pv0")
  check.equal(reader.name, "link:pv0")
  reader:setfilter "icmp"
  local ping = Ether{dst = "ff:ff:ff:ff:ff:ff", src = "02:00:00:00:00:01"} / IP{src = "10.0.0.1", dst = "10.0.0.2"} / ICMP{type = "echo-request"}
  writer:write(udp(9))
  check.equal(writer:write(ping), 42)
  local got = reader:read_packet(5)
  check.equal(got, ping)
  check.equal(reader:read(0), nil, "the filter keeps the rest away")
  reader:close()
  writer:close()
end)

test("P003: what is dumped with a loopback header is read back as it was written", function()
  rig.with_file(function(name)
    local chain = Null{} / IP{src = "127.0.0.1", dst = "127.0.0.1", id = 7} / ICMP{type = "echo-request", id = 1, seq = 2}
    for _, dumptype in ipairs{0, "null"} do
      local w = connector.PcapDumpConnector(name, dumptype)
      check.equal(w:write(bytes(chain)), #chain)
      w:close()
      local r = connector.PcapConnector(name)
      check.equal(r.linktype, "null")
      local p = r:read_packet()
      check.equal(p:copy().IP, chain.IP)
      check.equal(p, chain)
      r:close()
    end
  end)
end)

test("P004: readpkt of an Ethernet savefile", function()
  rig.with_file(function(name)
    rig.savefile(name, 1, 1124205694, 862694, ETHERPING)
    local c = connector.PcapConnector(name)
    local p = c:readpkt()
    check.equal(p.Ether.dst, "00:10:db:3a:3a:77")
    check.equal(p.Ether.src, "00:0d:93:44:fa:62")
    check.equal(p.Ether.type, 0x800)
    check.equal(#p, 98)
    c:close()
  end)
end)

test("P005: sendto with a header keeps its time", function()
  rig.with_file(function(name)
    local w = connector.PcapDumpConnector(name)
    check.equal(w:sendto(ETHERPING, {sec = 69, usec = 69}), 98)
    check.raises("argument", w.sendto, w, ETHERPING, {sec = 69, usec = 1000000})
    check.raises("argument", w.sendto, w, ETHERPING)
    w:close()
    local r = connector.PcapConnector(name)
    local frame, time = r:frames()()
    check.equal(frame, ETHERPING)
    check.near(time, 69.000069, 1e-9)
    r:close()
  end)
end)

test("P006: a bare Ethernet header can be written to a dump", function()
  rig.with_file(function(name)
    local header = Ether{dst = "02:00:00:00:00:02", src = "02:00:00:00:00:01", type = 0x9000}
    local w = connector.PcapDumpConnector(name)
    check.equal(w:write(header), 14)
    check.equal(w:send(bytes(header)), 14)
    w:close()
    local r = connector.PcapConnector(name)
    check.equal(r:recv(), bytes(header))
    check.equal(r:recvfrom(), bytes(header))
    check.equal(r:recvfrom(), EOF)
    r:close()
  end)
end)

test("P007: another layout in the place of one changes what readpkt decodes next", function()
  rig.with_file(function(name)
    rig.savefile(name, 1, 0, 0, ETHERPING)
    local function first()
      local c = connector.PcapConnector(name)
      local p = c:readpkt()
      c:close()
      return p
    end
    local Mine = wire.layout("P007Mine", {{"version", "u4"}, {"rest", "u12"}})
    Mine:follows("Ether", {type = 0x0800}) -- before anybody has asked for IP
    local p = first()
    check.equal(p.P007Mine.version, 4)
    check.equal(p.IP, nil)
    check.equal(first().P007Mine.version, 4)
    IP:follows("Ether", {type = 0x0800})
    p = first()
    check.equal(p.IP.src, "192.168.101.166")
    check.equal(p.P007Mine, nil)
  end)
end)

test("P008: each of the twelve operations raises unsupported where a connector cannot do it, by name", function()
  local lan = connector.lan()
  rig.with_file(function(name)
    rig.savefile(name, 1, 0, 0, ETHERPING)
    local w = connector.PcapDumpConnector(name .. ".w")
    local r = connector.PcapConnector(name)
    local port = lan:port()
    local who_cannot = {
      accept = port, bind = port, connect = port, listen = port, sendto = port,
      write = r, send = r,
      read = w, recv = w, recvfrom = w, poll_read = w, read_packet = w,
    }
    local n = 0
    for op, c in pairs(who_cannot) do
      n = n + 1
      local frame = (c == port or c == r) and "a frame" or nil -- what only reads takes no argument
      local err = check.raises("unsupported", c[op], c, frame)
      check.equal(err.op, "Conn:" .. op)
      check.truthy(err.message:find(c.name, 1, true), err.message)
      check.truthy(err.hint, op)
    end
    check.equal(n, 12)
    for _, op in ipairs{"readpkt", "blocking_read", "fileno", "socket"} do check.raises("unsupported", w[op], w) end
    check.raises("unsupported", w.on_packet, w, print)
    r:close()
    w:close()
    os.remove(name .. ".w")
  end)
  lan:close()
end)

rig.on_namespace("P009: the UML connector has group, port and file, and the socket that PCS makes", function()
  rig.sh "ip route add 224.0.0.0/4 dev lo"
  local c = connector.UmlMcast4Connector("239.192.168.1", "1102")
  check.equal(c.group, "239.192.168.1")
  check.equal(c.port, 1102)
  check.equal(c.file, c:fileno())
  local s = c:socket()
  check.equal(s.name, "239.192.168.1:1102")
  check.equal(s.fd, c.file)
  check.equal({s.ttl, s.loop, s.ifaddr, s.reuseaddr, s.reuseport, s.datagrams}, {1, true, "0.0.0.0", true, false, true})
  check.equal({c.ttl, c.loop, c.ifaddr}, {1, true, "0.0.0.0"})
  local second = connector.UmlMcast4Connector("239.192.168.1", 1102)
  check.differ(second.file, c.file)
  c:close()
  check.equal(c.group, nil)
  check.raises("closed", c.fileno, c)
  second:close()
end)

rig.on_pairs("P010: poll_read says TIMEOUT when nothing comes and nil when there is a frame", function(a, b)
  local start = clock.now()
  check.equal(b:poll_read(0.1), TIMEOUT)
  local waited = clock.now() - start
  check.truthy(waited > 0.0999 and waited < (rig.on_kernel and 2 or 0.11), tostring(waited))
  check.equal(b:poll_read(0), TIMEOUT)
  a:write(who)
  check.equal(b:poll_read(0.1), nil)
  check.equal(b:poll_read(0), nil, "it is still there")
  check.equal(b:read_packet(0), who)
  after(0.05, function() a:write(who) end)
  check.equal(b:poll_read(), nil)
  b:close()
  check.raises("closed", b.poll_read, b, 0.1)
end)

rig.on_pairs("P011: write returns the length", function(a, b)
  check.equal(a:write(who), 42)
  check.equal(a:write(("x"):rep(1514)), 1514)
  check.equal(a:write "x", 1)
end)

rig.on_namespace("P011: 65507 octets go, 65508 do not, nor do groups, interfaces and ports that are none", function()
  local c = connector.UmlMcast4Connector("239.192.168.1", 1102, "127.0.0.1")
  check.equal(c:write(("x"):rep(65507)), 65507)
  check.equal(#c:read(5), 65507)
  check.raises("range", c.write, c, ("x"):rep(65508))
  check.equal(c:stats().tx_frames, 1)
  c:close()
end)

test("P011: a group that is none, a port that is none", function()
  check.raises("argument", connector.UmlMcast4Connector, "10.0.0.1", 1102)
  for _, port in ipairs{"eleven", "1102x", "", "-1", "0", "65536", 0, 65536, 1.5} do
    check.raises("argument", connector.UmlMcast4Connector, "239.192.168.1", port)
  end
end)

rig.on_namespace("P011: an address that is not this host's", function()
  local err = check.raises("missing", connector.UmlMcast4Connector, "239.192.168.1", 1102, "192.0.2.1")
  check.equal(err.errno, 19, "ENODEV")
  check.raises("argument", connector.UmlMcast4Connector, "239.192.168.1", 1102, "nothing0")
end)

rig.on_namespace("P012: with ifaddr 127.0.0.1 sender and peer hear; by default the routing table decides for both ways", function()
  local a = connector.UmlMcast4Connector("239.192.168.1", 1102, "127.0.0.1")
  local b = connector.UmlMcast4Connector("239.192.168.1", 1102, "127.0.0.1")
  a:write(who)
  check.equal(a:read_packet(5), who)
  check.equal(b:read_packet(5), who)
  a:close()
  b:close()
  -- Where PCS joins, and nobody ever hears, we say so.
  local err = check.raises("missing", connector.UmlMcast4Connector, "239.192.168.1", 1102)
  check.matches(err.hint, "name an interface")
  rig.veth("pv0", "pv1")
  rig.sh "ip addr add 10.0.0.1/24 dev pv0 && ip route add 224.0.0.0/4 dev pv0"
  local c, d = connector.UmlMcast4Connector(), connector.UmlMcast4Connector()
  c:write(who)
  check.equal(c:read_packet(5), who)
  check.equal(d:read_packet(5), who)
  c:close()
  d:close()
end)

rig.on_pairs("P013: a frame of 1514 octets is received whole, and longer ones are", function(a, b)
  for _, n in ipairs{1514, 1518, 9014, 65507} do
    local frame = ("%05d"):format(n) .. ("x"):rep(n - 5)
    a:write(frame)
    local got, _, octets = b:frames(5)()
    check.equal(got, frame)
    check.equal(octets, n)
  end
  check.equal(b:stats().truncated, 0)
end)

rig.on_pairs("P014: expect returns the pattern's number and keeps the packets", function(a, b)
  a:write(udp(53)) a:write(who) a:write(udp(80)) a:write(who)
  local i = b:expect({ARP{op = "is-at"}, ARP{op = "who-has"}, TIMEOUT}, {timeout = 2})
  check.equal(i, 2)
  check.equal(b.match_index, 2)
  check.equal(#b.matches, 2, "both that had arrived")
  check.equal(b.matches[1].ARP.pdst, "10.0.0.2")
  -- What arrived behind the match and did not match is still there, what came
  -- before it is not.
  check.equal(b:read_packet(0).UDP.dport, 80)
  check.equal(b:read(0), nil)
end)

rig.on_pairs("P014: the first pattern of the list wins, whatever its kind", function(a, b)
  local seen = 0
  a:write(udp(80))
  check.equal(b:expect{"udp port 53", function(p) seen = seen + 1 return p.UDP.dport == 80 end, UDP{dport = 80}}, 2)
  check.equal(seen, 1)
  a:write(udp(53))
  check.equal(b:expect{ARP{}, filter.compile("udp port 53"), UDP{}}, 2)
  a:write(udp(9))
  check.equal(b:expect(UDP{dport = 9}), 1, "one pattern needs no list, and may be a bare packet")
  check.raises("argument", b.expect, b, {42})
  check.raises("argument", b.expect, b, {})
  check.raises("argument", b.expect, b, {"port 70000"})
  check.raises("argument", b.expect, b, {ARP{}}, {timeout = -1})
end)

rig.on_pairs("P014: TIMEOUT is a pattern or an error, after exactly the time", function(a, b)
  local noise = every(0.03, function() a:write(udp(9)) end)
  local start = clock.now()
  check.equal(b:expect({ARP{}, TIMEOUT}, {timeout = 0.2}), 2)
  -- The time left shrinks with every frame that does not match.
  local waited = clock.now() - start
  check.truthy(waited > 0.1999 and waited < (rig.on_kernel and 5 or 0.21), tostring(waited))
  check.equal(b.matches[1], TIMEOUT)
  check.raises("timeout", b.expect, b, {ARP{}}, {timeout = 0.1})
  check.equal(b.matches, nil)
  check.equal(b.match_index, nil)
  noise:cancel()
end)

rig.on_pairs("P014: LIMIT is a pattern or an error, after that many frames", function(a, b)
  for port = 1, 5 do a:write(udp(port)) end
  check.equal(b:expect({ARP{}, LIMIT}, {limit = 2}), 2)
  check.equal(b.matches[1], LIMIT)
  local err = check.raises("range", b.expect, b, {ARP{}}, {limit = 2})
  check.matches(err.message, "none of 2 frames matched")
  check.equal(b:read_packet(0).UDP.dport, 5)
end)

rig.on_pairs("P014: EOF is a pattern or an error, when the connector closes", function(a, b)
  after(0.05, function() b:close() end)
  check.equal(b:expect({ARP{}, EOF}, {timeout = 5}), 2)
  check.raises("closed", b.expect, b, {ARP{}})
end)

test("P014: EOF is a pattern or an error, at the end of a file", function()
  rig.with_file(function(name)
    local w = connector.PcapDumpConnector(name)
    w:write(who)
    w:close()
    local r = connector.PcapConnector(name)
    check.equal(r:expect{ARP{}}, 1)
    check.equal(r:expect{ARP{}, EOF}, 2)
    check.raises("closed", r.expect, r, {ARP{}})
    r:close()
  end)
end)

rig.on_namespace("P009: the other connectors of PCS go by their names, too", function()
  local peer = open"tcp://127.0.0.1:5101?server=1"
  local t = connector.TCP4Connector("127.0.0.1", "5101")
  check.equal(t:wait_up(5), true)
  t:send "octets"
  check.equal(peer:recv(5), "octets")
  check.equal(t:socket().peer, "127.0.0.1:5101")
  t:close()
  peer:close()
  local u = connector.UDP4Connector("127.0.0.1", 5102)
  local v = open("udp://" .. u:socket().name .. "?local=127.0.0.1:5102")
  u:write "datagram"
  local data, from = v:recvfrom(5)
  check.equal(data, "datagram")
  check.equal(from, u:socket().name)
  u:close()
  v:close()
  local six = connector.UDP6Connector("::1", 5103)
  check.equal(six:socket().peer, "[::1]:5103")
  six:close()
  check.raises("system", connector.TCP6Connector, "::1", 5104)
  for _, class in ipairs{"UDP4", "UDP6", "TCP4", "TCP6", "SCTP4", "SCTP6"} do
    check.raises("argument", connector[class .. "Connector"], "127.0.0.1", "x")
  end
end)
