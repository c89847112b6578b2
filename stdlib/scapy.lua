-- Scapy's class names for what has another name here, or one layout where Scapy
-- has a class for every type:
--
--   local scapy = require "scapy"
--   IPv6{dst = "fe80::2"} / scapy.ICMPv6EchoRequest{id = 1, seq = 2} / "ping"

-- name -> layout, fields set beforehand
local names = {
  CookedLinux = { "SLL" },
  CookedLinuxV2 = { "SLL2" },
  Loopback = { "Null" },
  IPerror = { "IP" },
  IPerror6 = { "IPv6" },
  UDPerror = { "UDP" },
  TCPerror = { "TCP" },
  ICMPerror = { "ICMP" },
  IPv6ExtHdrSegmentRouting = { "IPv6ExtHdrRouting", { type = 4 } },
  ICMPv6DestUnreach = { "ICMPv6", { type = 1 } },
  ICMPv6PacketTooBig = { "ICMPv6", { type = 2 } },
  ICMPv6TimeExceeded = { "ICMPv6", { type = 3 } },
  ICMPv6ParamProblem = { "ICMPv6", { type = 4 } },
  ICMPv6EchoRequest = { "ICMPv6", { type = 128 } },
  ICMPv6EchoReply = { "ICMPv6", { type = 129 } },
  ICMPv6MLQuery = { "ICMPv6", { type = 130, mrd = 10000 } },
  ICMPv6MLQuery2 = { "ICMPv6", { type = 130, mrd = 10000, sources = {} } },
  ICMPv6MLReport = { "ICMPv6", { type = 131 } },
  ICMPv6MLDone = { "ICMPv6", { type = 132 } },
  ICMPv6ND_RS = { "ICMPv6", { type = 133 } },
  ICMPv6ND_RA = { "ICMPv6", { type = 134, prf = 1 } },
  ICMPv6ND_NS = { "ICMPv6", { type = 135 } },
  ICMPv6ND_NA = { "ICMPv6", { type = 136, flags = "RO" } },
  ICMPv6ND_Redirect = { "ICMPv6", { type = 137 } },
  ICMPv6MLReport2 = { "ICMPv6", { type = 143 } },
}

return setmetatable({}, {
  __index = function(scapy, name)
    local entry = names[name]
    if not entry then return _G[name] end
    local layout = _G[entry[1]]
    scapy[name] = entry[2] and wire.preset(name, layout, entry[2]) or layout
    return scapy[name]
  end,
})
