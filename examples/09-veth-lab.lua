-- A lab of the kernel's own parts, built and torn down by a script: a veth pair
-- from here into a network namespace, where the kernel is a host; at our end of
-- the cable there is no kernel but this script's packets.
--
--   pktsh --sandbox examples/09-veth-lab.lua
--
--      this script                         namespace "far"
--   ┌───────────────┐   veth pair   ┌─────────────────────────┐
--   │ open"link:v0" ├───────────────┤ v1  10.0.0.1/24, kernel │
--   └───────────────┘               └─────────────────────────┘

local far = netns.new()
local here, there = netlink.route(), netlink.route{netns = far}

here:link("add", {ifname = "v0", kind = "veth", peer = {ifname = "v1", address = "02:00:00:00:00:01", netns = far}})
here:link("set", {ifname = "v0", state = "up"})
there:link("set", {ifname = "v1", state = "up"})
there:addr("add", {dev = "v1", address = "10.0.0.1/24"})
there:route("add", {dst = "default", via = "10.0.0.2"})
there:wait_link("v1", {operstate = "up"}, 5)

for a in there:addrs{dev = "v1", family = "inet"} do print(a) end
for r in there:routes{table = "main", family = "inet"} do print(r) end

-- Packet world: ask who 10.0.0.1 is, and ping it, frame by frame.
local wire = open"link:v0"
local me = "02:00:00:00:00:02"
local who = Ether{src = me, dst = "ff:ff:ff:ff:ff:ff"} / ARP{op = "who-has", hwsrc = me, psrc = "10.0.0.2", pdst = "10.0.0.1"}
local is_at = wire:sr1(who, {timeout = 5})
print(is_at.ARP.psrc .. " is at " .. is_at.ARP.hwsrc)

local echo = Ether{src = me, dst = is_at.ARP.hwsrc} / IP{src = "10.0.0.2", dst = "10.0.0.1"}
  / ICMP{type = "echo-request", id = 7, seq = 1} / "hello, kernel"
print(wire:sr1(echo, {timeout = 5}))

-- Netlink world: what the kernel over there has learned from that.
print(there:neighs{dst = "10.0.0.2"}:first().lladdr)

-- Tear down: when one end of the pair goes, so does the other.
wire:close()
here:link("del", {ifname = "v0"})
there:close()
far:close()
print(here:link("exists", {ifname = "v0"}))
