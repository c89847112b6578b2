-- replay: a capture is sent again, at its own times or others.

-- capture writes a file of frames at the given times and gives its name to fn.
local function capture(times, fn)
  local name = os.tmpname() .. ".pcapng"
  local w = connector.pcap_writer{file = name}
  for i, t in ipairs(times) do
    local ip = IP{id = i}
    w:write(Ether{} / ip / (i % 2 == 0 and TCP{} or UDP{}), {time = 1700000000 + t})
  end
  w:close()
  local lan = connector.lan()
  local ok, err = pcall(fn, name, lan:port(), lan:port(), lan)
  lan:close()
  os.remove(name)
  if not ok then error(err, 0) end
end

-- arrivals notes what arrives and when, on a connector.
local function arrivals(conn)
  local seen, start = {}, clock.now()
  conn:on_packet(function(p) seen[#seen + 1] = ("%d at %.3f"):format(p.IP.id, clock.now() - start) end)
  return function()
    sleep(0)
    local all = table.concat(seen, ", ")
    seen = {}
    return all
  end
end

-- In virtual time everything is to the microsecond; in real time only the order
-- is certain.
local function same(got, want)
  if not clock.virtual then
    got, want = got:gsub(" at %S+", ""), want:gsub(" at %S+", "")
  end
  check.equal(got, want)
end

test("frames go out at their times, and the report tells", function()
  capture({0, 0.010, 0.010, 0.025}, function(name, a, b)
    local seen = arrivals(b)
    local r = replay(name, a)
    same(seen(), "1 at 0.000, 2 at 0.010, 3 at 0.010, 4 at 0.025")
    check.equal(r.frames, 4)
    check.equal(r.octets, 4 * 34 + 2 * 20 + 2 * 8)
    check.equal(r.errors, 0)
    check.equal(r.error, nil)
    check.equal(r.passes, 1)
    check.truthy(r.seconds >= 0.025 and r.late.max >= r.late.p99 and r.late.p99 >= r.late.p50 and r.jitter.max >= 0)
  end)
end)

test("faster, slower, at a rate, over and over, with a limit, a filter, a gap", function()
  capture({0, 0.010, 0.020, 1}, function(name, a, b)
    local seen = arrivals(b)
    check.equal(replay(name, a, {speed = math.huge}).frames, 4)
    same(seen(), "1 at 0.000, 2 at 0.000, 3 at 0.000, 4 at 0.000")
    local r = replay(name, a, {speed = 10, limit = 3})
    check.equal(r.frames, 3)
    same(seen(), "1 at 0.000, 2 at 0.001, 3 at 0.002")
    r = replay(name, a, {rate = 1000, loop = 2})
    check.equal(r.passes, 2)
    check.equal(#seen(), #"1 at 0.000, " * 8 - 2)
    r = replay(name, a, {filter = "tcp", gap = 0.005})
    check.equal(r.frames, 2)
    check.equal(r.filtered, 2)
    check.truthy(r.seconds < 0.5)
  end)
end)

test("other tasks go on, and a replay can be cancelled", function()
  capture({0, 0.001, 1000}, function(name, a, b)
    local seen = arrivals(b)
    local t = spawn(replay, name, a)
    sleep(0.05)
    t:cancel()
    check.raises("cancelled", t.wait, t)
    same(seen(), "1 at 0.000, 2 at 0.001")
    check.equal(a:stats().tx_frames, 2)
  end)
end)

test("from a connector: what was not sent can still be read", function()
  capture({0, 1, 2, 3, 4}, function(name, a, b)
    local c = open(name)
    check.equal(c:read_packet().IP.id, 1)
    check.equal(replay(c, a, {speed = math.huge, limit = 2}).frames, 2)
    check.equal(b:read_packet(1).IP.id, 2)
    check.equal(c:read_packet().IP.id, 4)
    check.equal(replay(c, a).frames, 1)
    check.equal(c:read(), EOF)
    check.equal(replay(c, a).frames, 0)
    check.raises("argument", replay, c, a, {loop = 2})
    c:close()
    check.raises("closed", replay, c, a)
  end)
end)

test("from a LAN to another", function()
  capture({}, function(_, a, b)
    local other = connector.lan()
    local from, to = other:port(), other:port()
    local t = spawn(replay, b, from, {limit = 3, speed = math.huge})
    for i = 1, 3 do a:write("frame number " .. i) end
    check.equal(t:wait().frames, 3)
    check.equal(to:read(1), "frame number 1")
    other:close()
  end)
end)

test("a frame that is refused is counted, with the reason of the first", function()
  local name = os.tmpname()
  local w = connector.pcap_writer{file = name}
  w:write("small")
  w:write(("x"):rep(70000))
  w:write(("x"):rep(70000))
  w:write("small too", {len = 100})
  w:close()
  local lan = connector.lan()
  local a, b = lan:port(), lan:port()
  local r = replay(name, a, {speed = math.huge})
  check.equal(r.frames, 2)
  check.equal(r.truncated, 1)
  check.equal(r.errors, 2)
  check.truthy(r.error:find("exceeds 65535", 1, true), r.error)
  check.equal(b:read(1), "small")
  check.equal(b:read(1), "small too")
  lan:close()
  os.remove(name)
end)

test("what cannot be replayed says so", function()
  capture({0}, function(name, a, b, lan)
    for _, o in ipairs{{speed = 0}, {speed = -1}, {rate = 0}, {loop = 0}, {limit = 0}, {gap = 0}, {speed = 1, rate = 1}, {sped = 1}, {filter = "no such"}} do
      local ok, err = pcall(replay, name, a, o)
      check.equal(ok, false)
      check.equal(err.kind, "argument")
    end
    check.raises("missing", replay, "nowhere.pcap", a)
    check.raises("argument", replay, 7, a)
    b:on_packet(function() end)
    check.raises("argument", replay, b, a)
    local raw = connector.pcap_writer{file = name, linktype = "raw"}
    local err = check.raises("argument", replay, a, raw)
    check.truthy(err.message:find("are ethernet", 1, true), err.message)
    check.raises("unsupported", replay, raw, a)
    raw:close()
    a:close()
    check.raises("closed", replay, name, a)
  end)
end)
