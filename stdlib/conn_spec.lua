-- Connectors: what holds for all of them, on a memory LAN. The names in
-- brackets are those of the conformance list.

-- on_lan is a test with two ports of a LAN.
local function on_lan(name, fn)
  test(name, function()
    local lan = connector.lan()
    fn(lan:port(), lan:port())
    lan:close()
  end)
end
local function udp(port) return Ether{dst = "02:00:00:00:00:02"} / IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1, dport = port} end
local who = Ether{dst = "ff:ff:ff:ff:ff:ff"} / ARP{op = "who-has", psrc = "10.0.0.1", pdst = "10.0.0.2"}

on_lan("[P008] what a connector cannot do is unsupported, by name", function(a, b)
  for _, op in ipairs{"accept", "bind", "connect", "listen", "sendto"} do
    local err = check.raises("unsupported", a[op], a, 1)
    check.equal(err.op, "Conn:" .. op)
    check.truthy(err.message:find(op .. " ", 1, true), err.message)
    check.truthy(err.hint)
  end
  local file = os.tmpname()
  local w = connector.pcap_writer{file = file}
  check.raises("unsupported", w.read, w)
  w:close()
  os.remove(file)
end)

on_lan("[P010] poll_read says TIMEOUT when nothing comes and nil when there is a frame", function(a, b)
  local start = clock.now()
  check.equal(b:poll_read(0.1), TIMEOUT)
  check.near(clock.now() - start, 0.1, 0.05)
  a:write(who)
  check.equal(b:poll_read(0.1), nil)
  check.equal(b:read_packet(0), who)
  b:close()
  check.raises("closed", b.poll_read, b, 0.1)
end)

on_lan("[P014] expect returns the pattern's number and keeps the packets", function(a, b)
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

on_lan("[P014] the first pattern of the list wins, whatever its kind", function(a, b)
  local seen = 0
  a:write(udp(80))
  check.equal(b:expect{"udp port 53", function(p) seen = seen + 1 return p.UDP.dport == 80 end, UDP{dport = 80}}, 2)
  check.equal(seen, 1)
  a:write(udp(53))
  check.equal(b:expect{ARP{}, filter.compile("udp port 53"), UDP{}}, 2)
  a:write(udp(9))
  check.equal(b:expect(UDP{dport = 9}), 1, "one pattern needs no list")
  check.raises("argument", b.expect, b, {42})
  check.raises("argument", b.expect, b, {})
  check.raises("argument", b.expect, b, {"port 70000"})
  check.raises("argument", b.expect, b, {ARP{}}, {timeout = -1})
end)

on_lan("[P014] TIMEOUT is a pattern or an error, after exactly the time", function(a, b)
  local noise = every(0.3, function() a:write(udp(9)) end)
  local start = clock.now()
  check.equal(b:expect({ARP{}, TIMEOUT}, {timeout = 2}), 2)
  -- The time left shrinks with every frame that does not match.
  check.near(clock.now() - start, 2, 0.05)
  check.equal(b.matches[1], TIMEOUT)
  check.raises("timeout", b.expect, b, {ARP{}}, {timeout = 0.1})
  check.equal(b.matches, nil)
  check.equal(b.match_index, nil)
  noise:cancel()
end)

on_lan("[P014] LIMIT is a pattern or an error, after that many frames", function(a, b)
  for port = 1, 5 do a:write(udp(port)) end
  check.equal(b:expect({ARP{}, LIMIT}, {limit = 2}), 2)
  check.equal(b.matches[1], LIMIT)
  local err = check.raises("range", b.expect, b, {ARP{}}, {limit = 2})
  check.matches(err.message, "none of 2 frames matched")
  check.equal(b:read_packet(0).UDP.dport, 5)
end)

on_lan("[P014] EOF is a pattern or an error, at the end of a file and when the connector closes", function(a, b)
  local file = os.tmpname()
  local w = connector.pcap_writer{file = file}
  w:write(who)
  w:close()
  local r = open("pcap:" .. file)
  check.equal(r:expect{ARP{}}, 1)
  check.equal(r:expect{ARP{}, EOF}, 2)
  check.raises("closed", r.expect, r, {ARP{}})
  r:close()
  os.remove(file)
  after(0.1, function() b:close() end)
  check.equal(b:expect({ARP{}, EOF}, {timeout = 5}), 2)
  check.raises("closed", b.expect, b, {ARP{}})
end)

on_lan("frames that matched nothing stay readable on request", function(a, b)
  for port = 1, 3 do a:write(udp(port)) end
  check.equal(b:expect({UDP{dport = 3}}, {keep = true}), 1)
  check.equal(b:expect({ARP{}, TIMEOUT}, {timeout = 0.1, keep = true}), 2)
  a:write(udp(4))
  for _, port in ipairs{1, 2, 4} do check.equal(b:read_packet(0).UDP.dport, port) end
end)

on_lan("a flood of what is not wanted does not stop the time", function(a, b)
  local flood = spawn(function() while true do a:write(who) sleep(0) end end)
  check.equal(b:expect({UDP{}, TIMEOUT}, {timeout = 0}), 2)
  flood:cancel()
  pcall(flood.wait, flood)
end)
