local numbers = require "proto.numbers"

--- User Datagram Protocol, RFC 768.
UDP = wire.layout("UDP", {
  { "sport",  "u16", names = numbers.port, doc = "source port; 0: no answer wanted" },
  { "dport",  "u16", names = numbers.port, doc = "destination port" },
  { "len",    "u16", auto = wire.octets("UDP", "payload"), doc = "octets of header and payload" },
  -- Zero on the wire means "no checksum", so a computed zero is sent as 0xffff
  -- (RFC 768; RFC 8200 §8.1 for IPv6, where the checksum is not optional).
  { "chksum", "u16", auto = wire.checksum("pseudo", "UDP", "payload"), zero = 0xffff, show = "hex",
    doc = "Internet checksum over pseudo-header, header and payload; 0: none" },
}, {
  summary = "{#sport} > {#dport}",
  answers = { { sport = "dport", dport = "sport" } },
})
UDP:follows("IP", { proto = 17 })
UDP:follows("IPv6", { nh = 17 })
