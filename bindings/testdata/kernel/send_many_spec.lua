-- send_many on connectors of the kernel: it runs beside the loop.

local frame = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02", type = 0x88b5} / ("x"):rep(50)

local function everywhere(name, fn)
  test(name, function()
    local ns = netns.new()
    fn(connector.mcast{ifaddr = "127.0.0.1", netns = ns})
    fn(connector.tap{up = true, netns = ns})
    fn(connector.link{name = "lo", netns = ns})
    ns:close()
  end)
end

everywhere("as fast as it goes, and other tasks go on", function(c)
  local ticks = 0
  local other = every(0.001, function() ticks = ticks + 1 end)
  local before = c:stats().tx_frames
  local r = c:send_many(frame, {count = 20000})
  check.equal(r.sent, 20000)
  check.equal(r.octets, 20000 * 64)
  check.truthy(r.rate > 1000, r.rate)
  check.equal(c:stats().tx_frames - before, 20000)
  check.truthy(ticks > 0)
  other:cancel()
  c:close()
end)

everywhere("at a rate", function(c)
  local r = c:send_many({frame, bytes(frame)}, {count = 101, rate = 500})
  check.equal(r.sent, 101)
  check.truthy(r.rate > 400 and r.rate < 600, r.rate)
  check.truthy(r.seconds > 0.19, r.seconds)
  c:close()
end)

everywhere("cancelled or closed it ends, and others may write meanwhile", function(c)
  local t = spawn(function() c:send_many(frame, {count = 1e12}) end)
  sleep(0.01)
  for _ = 1, 100 do c:write(frame) end
  t:cancel()
  check.raises("cancelled", t.wait, t)
  check.truthy(c:stats().tx_frames > 100)
  t = spawn(function() c:send_many(frame, {count = 1e12, rate = 1000}) end)
  sleep(0.01)
  c:close()
  local err = check.raises("closed", t.wait, t)
  check.truthy(err.message:find("of 1000000000000 frames went out", 1, true), err.message)
end)

everywhere("a frame that is too long says how many went out before", function(c)
  local err = check.raises("range", c.send_many, c, {frame, frame, ("x"):rep(70000)})
  check.truthy(err.message:find("(2 of 3 frames went out)", 1, true), err.message)
  c:close()
end)
