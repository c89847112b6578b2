-- Connectors over sockets and devices of the kernel.
local rig = require "rig"
local who = rig.who

rig.on_namespace("mcast: without own frames members of one host hear each other, not themselves", function()
  local a = connector.mcast{ifaddr = "127.0.0.1", own = false}
  local b = open"mcast://?if=127.0.0.1&own=0"
  local c = connector.mcast{ifaddr = "127.0.0.1"}
  for _, from in ipairs{a, b, c} do from:write(who) end
  for conn, n in pairs{[a] = 2, [b] = 2, [c] = 3} do
    for _ = 1, n do check.equal(conn:read_packet(5), who) end
    check.equal(conn:read(0), nil)
    check.equal(conn:stats().dropped, 0)
  end
  a:close() b:close() c:close()
end)

rig.on_namespace("mcast: groups of IPv6", function()
  local err = check.raises("argument", connector.mcast, {group = "ff02::1:3"})
  check.truthy(err.message:find("name an interface", 1, true))
  local a = connector.mcast{group = "ff02::1:3", ifaddr = "lo"}
  err = check.raises("system", a.write, a, who)
  check.truthy(err.hint:find("ip -6 route add local ff00::/8 dev lo", 1, true), "without a route it says what to do")
  rig.sh("ip -6 route add local ff00::/8 dev lo")
  local b = open"mcast://[ff02::1:3]:1102?if=lo&own=0"
  check.equal({a.name, a.group, a.port}, {"mcast://[ff02::1:3]:1102?if=lo", "ff02::1:3", 1102})
  a:write(who)
  b:write(("y"):rep(65527))
  check.equal(b:read_packet(5), who)
  check.equal(b:read(0), nil)
  check.equal(a:read_packet(5), who)
  check.equal(#a:read(5), 65527)
  check.raises("range", a.write, a, ("y"):rep(65528))
  a:close() b:close()
end)

rig.on_namespace("rawip: whole packets of IPv4, and an answer of the kernel", function()
  local a, b = open"rawip:127.0.0.2?proto=253", connector.rawip{proto = 253, src = "127.0.0.3"}
  check.equal({a.name, a.linktype}, {"rawip:127.0.0.2?proto=253", "raw"})
  local p = IP{src = "127.0.0.2", dst = "127.0.0.3", id = 7, ttl = 9, proto = 253} / "hello"
  a:write(p)
  check.equal(b:read_packet(5), p)
  check.equal(a:read(0), nil)
  local ping = connector.rawip{proto = "icmp"}
  local reply = ping:sr1(IP{dst = "127.0.0.1"} / ICMP{id = 7, seq = 8} / "ping", {timeout = 5})
  check.equal({reply.ICMP.type, reply.ICMP.seq, reply.IP.src}, {"echo-reply", 8, "127.0.0.1"})
  check.raises("argument", a.write, a, Ether{} / IP{})
  check.raises("argument", a.write, a, "x")
  local only = connector.rawip{proto = "raw"}
  check.raises("unsupported", only.read, only, 0)
  a:close() b:close() ping:close() only:close()
end)

rig.on_namespace("rawip: packets of IPv6 with all their headers", function()
  local a, b = open"rawip:lo?proto=253&version=6", connector.rawip{version = 6, proto = 253, src = "::1"}
  local p = IPv6{src = "::1", dst = "::1", tc = 0x28, fl = 0x12345, hlim = 5} / IPv6ExtHdrHopByHop{} / IPv6ExtHdrDestOpt{nh = 253} / "behind"
  local raw = bytes(p)
  a:write(raw)
  check.equal(tohex(b:read(5)), tohex(raw))
  a:close() b:close()
end)

test("rawip: what makes no sense is refused", function()
  for _, opts in ipairs{{}, {proto = 0}, {proto = 256}, {proto = "icmpp"}, {proto = 1, version = 5}, {proto = 1, src = "::1", dst = "127.0.0.1"}, {proto = 1, src = "lo"}} do
    check.raises("argument", connector.rawip, opts)
  end
end)

rig.on_namespace("tun: packet information and virtio headers stand before the packet", function()
  local ask = IP{src = "10.9.0.2", dst = "10.9.0.1"} / ICMP{id = 7}
  for before, opts in pairs{["\0\0\8\0"] = {pi = true}, [("\0"):rep(10)] = {vnet = true}, ["\0\0\8\0" .. ("\0"):rep(10)] = {pi = true, vnet = true}} do
    opts.name, opts.addr = "pk0", "10.9.0.1/24"
    local t = connector.tun(opts)
    check.equal(t.linktype, "147")
    t:write(before .. bytes(ask))
    local reply
    repeat reply = t:read(5) until not reply or reply:sub(1, #before) == before and #reply == #before + 28
    check.truthy(reply, "an answer")
    check.equal(IP.parse(reply:sub(#before + 1)).ICMP.type, "echo-reply")
    t:close()
  end
end)

rig.on_namespace("link: a clock in hardware is told of, or that there is none", function()
  local err = check.raises("unsupported", connector.link, {name = "lo", tstamp = "hardware"})
  check.truthy(err.hint:find("ethtool -T lo", 1, true))
  check.raises("argument", connector.link, {name = "lo", tstamp = "sundial"})
  local c = open"link:lo?tstamp=software"
  c:close()
end)

rig.on_namespace("udp and dgram: batches, and every frame counted", function()
  local a = connector.dgram{remote = "127.0.0.1:5002", bind = "127.0.0.1:5001"}
  local b = connector.udp{remote = "127.0.0.1:5001", bind = "127.0.0.1:5002"}
  check.equal(a:send_many(("x"):rep(100), {count = 20000}).sent, 20000)
  local n = 0
  while b:read(0.1) do n = n + 1 end
  local s = b:stats()
  check.equal(n + s.dropped, 20000)
  check.equal(b.peer, "127.0.0.1:5001")
  a:close()
  local lost = 0
  for _ = 1, 10 do b:write("nobody is there") end
  check.equal(b:read(0), nil)
  check.truthy(b:stats().tx_dropped > 0)
  b:close()
end)

rig.on_namespace("every socket opens in the namespace it is told", function()
  local other = netns.new()
  local at = {}
  local server = connector.stream{addr = "127.0.0.1:0", server = true, netns = other}
  at.addr = server.name:match("//(.-)%?")
  check.raises("system", connector.stream, at)
  at.netns = other
  local client = connector.stream(at)
  client:write(who)
  check.equal(server:read_packet(5), who)
  client:close() server:close()
  for _, name in ipairs{"udp", "dgram"} do
    local a = connector[name]{remote = "127.0.0.1:5002", bind = "127.0.0.1:5001", netns = other}
    local b = connector[name]{remote = "127.0.0.1:5001", bind = "127.0.0.1:5002", netns = other}
    local here = connector[name]{remote = "127.0.0.1:5001", bind = "127.0.0.1:5002"}
    a:write("x")
    check.equal(b:read(5), "x")
    check.equal(here:read(0), nil)
    a:close() b:close() here:close()
  end
  local raw = connector.rawip{proto = 253, netns = other}
  local here = connector.rawip{proto = 253}
  raw:write(IP{dst = "127.0.0.1", proto = 253} / "x")
  check.truthy(raw:read(5))
  check.equal(here:read(0), nil)
  raw:close() here:close() other:close()
end)

rig.on_namespace("close wakes a blocked reader within a millisecond, whatever the kernel has to take down", function()
  rig.veth("va", "vb")
  local path = os.tmpname()
  local opens = {
    tap = function() return connector.tap{name = "pk0", up = true} end,
    tun = function() return connector.tun{name = "pk0", up = true, pi = true} end,
    link = function() return connector.link{name = "va"} end,
    ring = function() return connector.link{name = "va", promisc = true} end,
    mcast = function() return connector.mcast{ifaddr = "lo"} end,
    rawip = function() return connector.rawip{proto = 253} end,
    udp = function() return connector.udp{remote = "127.0.0.1:9"} end,
    dgram = function() return connector.dgram{remote = path .. ".a", bind = path .. ".b"} end,
    stream = function() return connector.stream{path = path .. ".c", server = true} end,
    tcp = function() return connector.tcp{addr = "127.0.0.1:0", server = true} end,
  }
  for name, open in pairs(opens) do
    local best = math.huge
    for _ = 1, 10 do -- the machine may be busy, the code may not be
      local c = open()
      local woken, kind, reading
      local t = spawn(function()
        repeat
          reading = true
          local ok, err = pcall(c.read, c)
        until not ok
        kind, woken = select(2, pcall(c.read, c)).kind, clock.now()
      end)
      sleep(0.002)
      check.truthy(reading)
      local start = clock.now()
      c:close()
      t:wait()
      check.equal(kind, "closed")
      best = math.min(best, woken - start)
    end
    check.truthy(best < 0.001, ("%s: woken after %g s"):format(name, best))
  end
  os.remove(path)
end)
