-- Connectors: what holds for all of them, on a memory LAN. What the conformance
-- list asks is in connector/.

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

on_lan("a number in the place of options is the timeout, everywhere", function(a, b)
  local ping = Ether{} / IP{dst = "10.0.0.2"} / ICMP{}
  local function takes(seconds, fn, ...)
    local start = clock.now()
    fn(...)
    check.near(clock.now() - start, seconds, 1e-6)
  end
  takes(0.1, a.sr1, a, ping, 0.1)
  takes(0.1, a.sr1, a, ping, {timeout = 0.1})
  takes(0.1, a.sr, a, {ping}, 0.1)
  takes(0.1, a.expect, a, {ARP{}, TIMEOUT}, 0.1)
  takes(0.1, function() for _ in a:packets(0.1) do end end)
  takes(0.1, function() for _ in a:frames{timeout = 0.1} do end end)
  takes(0.1, a.read, a, 0.1)
  for _, bad in ipairs{-1, 0 / 0, "soon"} do
    check.raises("argument", a.sr1, a, ping, bad)
    check.raises("argument", a.sr, a, {ping}, bad)
    check.raises("argument", a.expect, a, {ARP{}}, bad)
    check.raises("argument", a.packets, a, bad)
    check.raises("argument", a.frames, a, {timeout = bad})
  end
end)

test("names that would garble what is printed are refused", function()
  for _, bad in ipairs{"a\nb", "a\0", "\127", "\255", ("x"):rep(256)} do
    check.raises("argument", connector.lan, {name = bad})
    check.raises("argument", open, "mem:" .. bad)
    local lan = connector.lan()
    check.raises("argument", lan.port, lan, bad)
    lan:close()
  end
  check.raises("argument", connector.lan, {name = "a/b"})
  local lan = connector.lan{name = "Büro"}
  check.equal(lan:port("eins").name, "Büro/eins")
  lan:close()
end)

on_lan("check.frames shows the fields in which frames differ", function(a, b)
  local function frame(ttl) return Ether{} / IP{dst = "10.0.0.2", ttl = ttl} / UDP{dport = 9} end
  for _, want in ipairs{frame(64), tohex(frame(64))} do
    a:write(frame(3))
    local err = check.raises("fields, wanted and got", check.frames, b, {want})
    check.matches(err, "IP%.ttl +64 +3\n")
    check.matches(err, "octets differ at 22")
  end
end)
