-- Tunnels that are a header and a socket: with connector.rawip or connector.udp
-- they carry a LAN, as the vector transports gre and l2tpv3 of User Mode Linux do.

local numbers = require "proto.numbers"

--- Generic Routing Encapsulation, RFC 2784, with the key and the sequence number
--- of RFC 2890. A field of the second part is there if its bit says so.
GRE = wire.layout("GRE", {
  { "chksum_present",      "u1", doc = "chksum and offset are there" },
  { "routing_present",     "u1", doc = "of RFC 1701; 0" },
  { "key_present",         "u1", doc = "key is there" },
  { "seqnum_present",      "u1", doc = "sequence_number is there" },
  { "strict_route_source", "u1", doc = "of RFC 1701; 0" },
  { "recursion_control",   "u3", doc = "of RFC 1701; 0" },
  { "flags",               "u5", doc = "reserved; 0" },
  { "version",             "u3", doc = "0; 1 is PPTP's (RFC 2637)" },
  { "proto",  "u16", auto = wire.next("Ether.type"), names = numbers.ethertype, show = "hex",
    doc = "EtherType of what is carried; 0x6558: an Ethernet frame" },
  { "chksum", "u16", when = { chksum_present = 1 }, auto = wire.checksum("GRE", "payload"), show = "hex",
    doc = "Internet checksum over header and payload" },
  { "offset", "u16", when = { chksum_present = 1 }, doc = "reserved; 0" },
  { "key",    "u32", when = { key_present = 1 }, show = "hex", doc = "tells tunnels between the same hosts apart" },
  { "sequence_number", "u32", alias = "seqence_number", when = { seqnum_present = 1 }, doc = "of the packet, from 0" },
}, { summary = "{#proto}" })
GRE:follows("IP", { proto = 47 })
GRE:follows("IPv6", { nh = 47 })
Ether:follows("GRE", { proto = 0x6558 }) -- transparent Ethernet bridging

--- Layer Two Tunneling Protocol, version 3, in IP: the header of data, RFC 3931
--- §4.1.1.1. Behind it may stand a cookie of 4 or 8 octets and a sublayer header,
--- which both ends have agreed on: write them as octets in front of the frame.
L2TPv3 = wire.layout("L2TPv3", {
  { "session", "u32", doc = "the receiver's number of the session; 0: a control message" },
}, { summary = "session {session}" })
L2TPv3:follows("IP", { proto = 115 })
L2TPv3:follows("IPv6", { nh = 115 })
Ether:follows("L2TPv3")

--- The same in UDP, RFC 3931 §4.1.2.1; the port is 1701 or what both agree on.
L2TPv3UDP = wire.layout("L2TPv3UDP", {
  { "control",  "u1", doc = "1: a control message" },
  { "reserved", "u11", doc = "0" },
  { "version",  "u4", default = 3, doc = "3" },
  { "reserved2", "u16", doc = "0" },
  { "session",  "u32", doc = "the receiver's number of the session" },
}, { summary = "session {session}" })
Ether:follows("L2TPv3UDP")
