-- Sending and receiving on connectors of the kernel, beside C loops around the
-- same system calls (limits/io.c). Runs in a network of its own: pktsh --sandbox io.lua C
local c = arg[1]
local count, rounds = tonumber(arg[2] or 400000), tonumber(arg[3] or 5)

if os.execute("ip link add va type veth peer name vb && ip link set va up && ip link set vb up") ~= 0 then
  error("needs ip and veth", 0)
end
os.execute("until [ $(ip link show type veth | grep -c 'state UP') = 2 ]; do :; done")

local head = "\2\0\0\0\0\2\2\0\0\0\0\1\136\181"
local function frame(size) return head .. ("\0"):rep(size - #head) end
-- limit is seconds a frame, of the C program.
local function limit(what, size)
  local p = io.popen(("%s %s %d %d 2>&1"):format(c, what, size, count))
  local text = p:read("*a")
  p:close()
  local n, wall = text:match("^(%d+) ([%d.]+)")
  if not n then return nil, text end
  return wall / n
end

-- The two take turns, so that a busy machine is busy for both; the best round of
-- each counts.
local peer = "127.0.0.1:1102"
for _, what in ipairs{"mcast", "udp", "dgram", "link", "tap"} do
  -- A socket that nobody reads, so that nothing is refused.
  local sink = (what == "udp" or what == "dgram") and connector.dgram{remote = "127.0.0.1:9", bind = peer}
  for _, size in ipairs{64, 1400} do
    local ours, theirs = math.huge, math.huge
    local why
    for _ = 1, rounds do
      local wall, err = limit(what, size)
      if not wall then why = err break end
      theirs = math.min(theirs, wall)
      local conn = what == "mcast" and connector.mcast{ifaddr = "127.0.0.1"}
        or what == "udp" and connector.udp{remote = peer}
        or what == "dgram" and connector.dgram{remote = peer}
        or what == "link" and connector.link{name = "va", proto = 0x88b5}
        or connector.tap{up = true}
      local r = conn:send_many(frame(size), {count = count})
      ours = math.min(ours, r.seconds / r.sent)
      conn:close()
    end
    if why then
      io.stderr:write(what, ": ", why)
      break
    end
    print(("send-%s-%d-ours\t%.12f"):format(what, size, ours))
    print(("send-%s-%d-c\t%.12f"):format(what, size, theirs))
  end
  if sink then sink:close() end
end

-- A C program sends at full speed, a Lua function gets the packets. Every frame
-- must be handled or counted as dropped.
for _, what in ipairs{"mcast", "dgram", "link"} do
  local conn = what == "mcast" and connector.mcast{ifaddr = "127.0.0.1"}
    or what == "dgram" and connector.dgram{remote = "127.0.0.1:9", bind = peer}
    or connector.link{name = "vb", promisc = true, direction = "in", filter = "ether proto 0x88b5"}
  local n, last = 0, nil
  conn:on_packet(function() n, last = n + 1, clock.now() end)
  local start = clock.now()
  local sent = 3 * count
  os.execute(("%s %s 64 %d >/dev/null"):format(c, what, sent))
  repeat
    local before = n
    sleep(0.05)
  until n == before
  local s = conn:stats()
  if n + s.dropped ~= sent then
    io.stderr:write(("%s: %d handled and %d dropped are not the %d sent\n"):format(what, n, s.dropped, sent))
  end
  print(("receive-%s-rate\t%.1f"):format(what, n / (last - start)))
  print(("receive-%s-dropped\t%d"):format(what, s.dropped))
  print(("receive-%s-sent\t%d"):format(what, sent))
  conn:close()
end
