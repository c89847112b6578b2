-- A link flap detector: who goes down too often in a short time is told. A bad
-- cable looks like this; here the "cable" is a veth whose far end we pull.
--
--   pktsh --sandbox examples/08-link-flaps.lua

-- Calls fn(name, times) when a link has lost its carrier so many times within so
-- many seconds. Returns the monitor; close() ends it.
local function flaps(ip, times, seconds, fn)
  local lost, running = {}, {} -- by index: when the carrier went; whether it is there
  return ip:monitor("link", function(ev)
    local has_carrier = ev.event == "RTM_NEWLINK" and ev.flags:find("LOWER_UP", 1, true) ~= nil
    if running[ev.index] and not has_carrier then
      local t = lost[ev.index] or {}
      lost[ev.index] = t
      t[#t + 1] = clock.now()
      while clock.now() - t[1] > seconds do table.remove(t, 1) end
      if #t >= times then
        fn(ev.ifname, #t)
        lost[ev.index] = nil -- tell once for every so many
      end
    end
    running[ev.index] = has_carrier
  end)
end

local ip = netlink.route()
ip:link("add", {ifname = "eth0", kind = "veth", peer = {ifname = "far-end"}})
ip:link("set", {ifname = "eth0", state = "up"})

local told = queue()
local detector = flaps(ip, 3, 10, function(name, times)
  if name == "eth0" then told:put(("%s: lost its carrier %d times in 10 s"):format(name, times)) end
end)

for pull = 1, 3 do
  ip:link("set", {ifname = "far-end", state = "up"})
  ip:wait_link("eth0", {carrier = 1}, 5)
  ip:link("set", {ifname = "far-end", state = "down"})
  ip:wait_link("eth0", {carrier = 0}, 5)
  print(("pulled the cable, %d"):format(pull))
end
print(told:get(5))

detector:close()
ip:link("del", {ifname = "eth0"})
