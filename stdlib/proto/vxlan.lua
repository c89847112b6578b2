-- Ethernet in UDP.

--- Virtual eXtensible LAN, RFC 7348: Ethernet in UDP.
VXLAN = wire.layout("VXLAN", {
  { "flags",     "u8", default = 8, show = "hex", doc = "8: the number of the network holds" },
  { "reserved1", "u24", doc = "zero" },
  { "vni",       "u24", doc = "number of the network" },
  { "reserved2", "u8", doc = "zero" },
}, { summary = "vni {#vni}" })
VXLAN:follows("UDP", { dport = 4789 })
Ether:follows("VXLAN")
