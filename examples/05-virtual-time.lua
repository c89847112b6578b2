-- An hour of protocol time in no time, and the same every time:
--
--   pktsh --virtual --seed 7 examples/05-virtual-time.lua
--
-- Without --virtual the hour is a second, so that nobody has to wait.

local hour = clock.virtual and 3600 or 0.6
local lan = connector.lan{latency = hour / 1000, loss = 0.2}  -- one frame in five is lost
local station = lan:host{ip = "10.0.0.1/24"}
local peer = lan:host{ip = "10.0.0.2/24"}
station.neighbors["10.0.0.2"] = peer.mac     -- resolved already: nothing but echoes on the LAN

local began, lost = clock.now(), 0
for _, rtt in ipairs(station:ping("10.0.0.2", {count = 10, interval = hour / 10, timeout = hour / 20})) do
  if not rtt then lost = lost + 1 end
end
print(("%d of 10 lost in %.1f s of the script's time"):format(lost, clock.now() - began))
