-- Watch network interfaces come, change and go. Hearing the kernel's events needs
-- no privileges; this example also makes an interface and removes it, so it wants
-- a network of its own:
--
--   pktsh --sandbox examples/07-watch-links.lua
--
-- At the prompt two lines watch while you go on typing; events print above the
-- line that you are at, as `ip monitor` prints them:
--
--   > ip = netlink.route()
--   > m = ip:monitor("link", print)          -- … until m:close()

local ip = netlink.route()

-- The function is called for every event, also while the script waits below.
local known, told = nil, queue()
local watch = ip:monitor("link", function(ev)
  if ev.ifname ~= "v0" then return end
  local now = ev.event == "RTM_DELLINK" and "gone"
    or ev.state == "down" and "down"
    or ev.carrier == 1 and "up" or "up, no carrier"
  if now ~= known then -- events may repeat what is known
    print("v0 is " .. now)
    known = now
    told:put(now)
  end
end)
local function wait_for(state)
  while assert(told:get(5), "nothing happened for 5 s") ~= state do end
end

ip:link("add", {ifname = "v0", kind = "veth", address = "02:00:00:00:00:10", peer = {ifname = "v1"}})
ip:link("set", {ifname = "v0", state = "up"})
wait_for("up, no carrier")
ip:link("set", {ifname = "v1", state = "up"}) -- the other end of the cable
wait_for("up")

local l = ip:link("get", {ifname = "v0"})
print(l.kind, l.mtu, l.address, l.operstate)

ip:link("del", {ifname = "v0"})
wait_for("gone")
watch:close()
