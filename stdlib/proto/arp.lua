local numbers = require "proto.numbers"

--- Address Resolution Protocol, RFC 826.
-- Addresses are MAC and IPv4 where the lengths say so (hwlen 6, plen 4), and
-- plain octets for other networks: ARCNET has hwlen 1.
ARP = wire.layout("ARP", {
  { "hwtype", "u16", default = 1, names = numbers.hardware, doc = "kind of network" },
  { "ptype",  "u16", default = 0x0800, names = numbers.ethertype, show = "hex", doc = "protocol whose addresses are looked up" },
  { "hwlen",  "u8", default = 6, doc = "octets of a hardware address" },
  { "plen",   "u8", default = 4, doc = "octets of a protocol address" },
  { "op",     "u16", default = 1, enum = {
      [1] = "who-has", [2] = "is-at",
      [3] = "RARP-req", [4] = "RARP-rep",                                -- RFC 903
      [5] = "Dyn-RARP-req", [6] = "Dyn-RAR-rep", [7] = "Dyn-RARP-err",   -- RFC 1931
      [8] = "InARP-req", [9] = "InARP-rep" },                            -- RFC 2390
    doc = "request or reply" },
  { "hwsrc", "mac", when = { hwlen = 6 }, doc = "sender's hardware address" },
  { "hwsrc", "bytes", size = "hwlen", when = { hwlen = { no = 6 } }, doc = "sender's hardware address" },
  { "psrc",  "ip4", when = { plen = 4 }, doc = "sender's protocol address" },
  { "psrc",  "bytes", size = "plen", when = { plen = { no = 4 } }, doc = "sender's protocol address" },
  { "hwdst", "mac", when = { hwlen = 6 }, doc = "target's hardware address; unknown in a request" },
  { "hwdst", "bytes", size = "hwlen", when = { hwlen = { no = 6 } }, doc = "target's hardware address" },
  { "pdst",  "ip4", when = { plen = 4 }, doc = "target's protocol address: the one asked for" },
  { "pdst",  "bytes", size = "plen", when = { plen = { no = 4 } }, doc = "target's protocol address" },
}, {
  summary = "[op=who-has:who-has {pdst} tell {psrc}|op=is-at:{psrc} is-at {hwsrc}|{op} {psrc} > {pdst}]",
  answers = {
    { op = { [2] = 1 }, psrc = "pdst" },
    { op = { [4] = 3, [6] = 5 }, hwdst = "hwdst" },
    { op = { [9] = 8 }, hwsrc = "hwdst" },
  },
})
ARP:follows("Ether", { type = 0x0806 })
