-- Conn:send_many on a memory LAN: from the loop, in the host's time.

local function on_lan(name, fn)
  test(name, function()
    local lan = connector.lan()
    fn(lan:port(), lan:port(), lan)
    lan:close()
  end)
end

local f, g = ("a"):rep(60), ("b"):rep(61)

on_lan("a list is sent over and over", function(a, b)
  local r = a:send_many({f, g}, {count = 5})
  check.equal(r.sent, 5)
  check.equal(r.octets, 3 * 60 + 2 * 61)
  for _, want in ipairs{f, g, f, g, f} do check.equal(b:read(0), want) end
  check.equal(b:read(0), nil)
  check.equal(a:send_many({f, g}).sent, 2)
  check.equal(a:send_many(f).sent, 1)
  check.equal(a:send_many(f, {count = 0}).sent, 0)
end)

on_lan("packets are encoded once", function(a, b)
  local p = Ether{dst = "02:00:00:00:00:02"} / IP{dst = "10.0.0.2"} / UDP{dport = 9}
  check.equal(a:send_many({p, p}, {count = 3}).sent, 3)
  check.equal(b:read_packet(0).UDP.dport, 9)
end)

on_lan("at a rate every frame has its time", function(a, b)
  local start = clock.now()
  local times = {}
  b:on_packet(function() times[#times + 1] = clock.now() - start end)
  local r = a:send_many(f, {count = 11, rate = 4})
  sleep(0)
  check.equal(#times, 11)
  for i, t in ipairs(times) do check.truthy(math.abs(t - (i - 1) / 4) < 1e-6, i .. ": " .. t) end
  check.equal(r.rate, 4)
  check.equal(r.seconds, 2.5)
end)

on_lan("no time passes without a rate, and readers keep up", function(a, b)
  local n = 0
  b:on_packet(function() n = n + 1 end)
  local start = clock.now()
  local r = a:send_many(f, {count = 300000})
  check.equal(clock.now(), start)
  check.equal(r.rate, 0)
  sleep(0.01)
  check.equal(b:stats().dropped, 0)
  check.equal(b:stats().rx_frames, 300000)
end)

on_lan("tees get copies", function(a, b, lan)
  local copy, seen = lan:port("copy"), connector.lan()
  local from, to = seen:port(), seen:port()
  a:tee(from)
  a:send_many({f, g}, {count = 4})
  for _, want in ipairs{f, g, f, g} do check.equal(to:read(0), want) end
  copy:close()
  seen:close()
end)

on_lan("it can be cancelled", function(a, b)
  local t = spawn(function() a:send_many(f, {count = 1e9, rate = 10}) end)
  sleep(1)
  t:cancel()
  check.raises("cancelled", t.wait, t)
  check.equal(a:stats().tx_frames, 10)
end)

on_lan("what cannot be sent is an error", function(a)
  check.raises("argument", a.send_many, a, {})
  check.raises("argument", a.send_many, a, 7)
  check.raises("argument", a.send_many, a, {f, 7})
  check.raises("argument", a.send_many, a, f, {rate = 0})
  check.raises("argument", a.send_many, a, f, {rate = 1 / 0})
  check.raises("argument", a.send_many, a, f, {count = -1})
  local err = check.raises("range", a.send_many, a, {f, ("x"):rep(70000)})
  check.truthy(err.message:find("(1 of 2 frames went out)", 1, true), err.message)
  a:close()
  check.raises("closed", a.send_many, a, f)
end)

test("into a capture file", function()
  local file = os.tmpname()
  local w = connector.pcap_writer{file = file}
  w:send_many({f, g}, {count = 3, rate = 2})
  w:close()
  local times = {}
  local c = open("pcap:" .. file)
  for _, t in c:frames() do times[#times + 1] = t end
  c:close()
  check.equal(#times, 3)
  check.truthy(math.abs(times[3] - times[1] - 1) < 1e-6)
  os.remove(file)
end)
