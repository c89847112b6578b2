-- Internet Protocol version 6 and its extension headers.

local numbers = require "proto.numbers"

--- Internet Protocol version 6, RFC 8200 §3.
IPv6 = wire.layout("IPv6", {
  { "version", "u4", default = 6, doc = "version of the protocol" },
  { "tc",      "u8", show = "hex", doc = "traffic class: differentiated services and congestion notification" },
  { "fl",      "u20", show = "hex", doc = "flow label, RFC 6437" },
  { "plen",    "u16", auto = wire.octets("payload"), doc = "octets after this header; 0 with a jumbo option: see there" },
  { "nh",      "u8", auto = wire.next(), default = 59, names = numbers.protocol, doc = "protocol of the next header" },
  { "hlim",    "u8", default = 64, doc = "hops left" },
  { "src",     "ip6", doc = "source address" },
  { "dst",     "ip6", doc = "destination address" },
}, {
  summary = "{src} > {dst} hlim {hlim}[alone: {nh?}]",
  answers = { { src = "dst", dst = "src" } },
})
IPv6:follows("Ether", { type = 0x86dd })
for _, under in ipairs { "Null", "Loop" } do
  -- AF_INET6 of macOS first: the one that is written; then NetBSD and OpenBSD,
  -- FreeBSD, Linux.
  for _, af in ipairs { 30, 24, 28, 10 } do IPv6:follows(under, { type = af }) end
end
for _, af in ipairs { 24, 28, 10 } do IPv6:follows("Null", { type = af * 0x1000000 }) end  -- from big-endian machines
IPv6:follows("IP", { proto = 41 })   -- RFC 4213
IPv6:follows("IPv6", { nh = 41 })    -- RFC 2473
for _, error in ipairs { 1, 2, 3, 4 } do IPv6:follows("ICMPv6", { type = error }) end

-- Options of hop-by-hop and destination headers, RFC 8200 §4.2. The two upper
-- bits of a type say what a node does that does not know it, the third whether
-- the option may change on the way.
local options = wire.tlv {
  type = "u8", len = "u8", bare = { 0 }, pad = 8, fill = "PadN",
  [0x00] = { "Pad1" },
  [0x01] = { "PadN", "bytes" },
  [0x04] = { "Tunnel_Limit", "u8" },                 -- RFC 2473 §4.1.1
  [0x05] = { "RouterAlert", { { "value", "u16", names = { [0] = "mld", "rsvp", "active-networks" } } } }, -- RFC 2711
  [0x07] = { "CALIPSO", "bytes" },                   -- RFC 5570
  [0x63] = { "RPL", "bytes" },                       -- RFC 6553
  [0x6d] = { "MPL", "bytes" },                       -- RFC 7731
  [0xc2] = { "Jumbo", { { "jumboplen", "u32" } } },  -- RFC 2675
  [0xc9] = { "HAO", { { "hoa", "ip6" } } },          -- home address, RFC 6275 §6.3
}

--- Hop-by-hop options header, RFC 8200 §4.3: read by every router on the way.
IPv6ExtHdrHopByHop = wire.layout("IPv6ExtHdrHopByHop", {
  { "nh",      "u8", auto = wire.next("IPv6.nh"), default = 59, names = numbers.protocol, doc = "protocol of the next header" },
  { "len",     "u8", auto = wire.octets("IPv6ExtHdrHopByHop"), unit = 8, plus = -1, doc = "header length in units of 8 octets, without the first 8" },
  { "options", options, size = wire.rest_of("len", 8, 6), doc = "options; Pad1 and PadN fill up to 8 octets" },
}, { summary = "[{options?}]" })
IPv6ExtHdrHopByHop:follows("IPv6", { nh = 0 })

--- Destination options header, RFC 8200 §4.6.
IPv6ExtHdrDestOpt = wire.layout("IPv6ExtHdrDestOpt", {
  { "nh",      "u8", auto = wire.next("IPv6.nh"), default = 59, names = numbers.protocol, doc = "protocol of the next header" },
  { "len",     "u8", auto = wire.octets("IPv6ExtHdrDestOpt"), unit = 8, plus = -1, doc = "header length in units of 8 octets, without the first 8" },
  { "options", options, size = wire.rest_of("len", 8, 6), doc = "options; Pad1 and PadN fill up to 8 octets" },
}, {
  summary = "[{options?}]",
  -- What a mobile node sends away from home is summed with its home address (RFC 6275 §11.3.1).
  final_dst = { { field = "options", options = { "HAO" }, src = true } },
})
IPv6ExtHdrDestOpt:follows("IPv6", { nh = 60 })

--- Routing header, RFC 8200 §4.4: type 0 (a list of addresses, RFC 5095 took it
-- out of use), type 2 (home address, RFC 6275 §6.4), type 4 (segment routing,
-- RFC 8754 §2); of other types the data stays octets.
IPv6ExtHdrRouting = wire.layout("IPv6ExtHdrRouting", {
  { "nh",      "u8", auto = wire.next("IPv6.nh"), default = 59, names = numbers.protocol, doc = "protocol of the next header" },
  { "len",     "u8", auto = wire.octets("IPv6ExtHdrRouting"), unit = 8, plus = -1, doc = "header length in units of 8 octets, without the first 8" },
  { "type",    "u8", names = { [0] = "source-route", [2] = "home-address", [3] = "rpl", [4] = "segment-routing" }, doc = "routing type" },
  { "segleft", "u8", auto = wire.count("addresses"), doc = "segments left: listed nodes still to be visited" },
  { "reserved",  "u32", when = { type = { 0, 2 } }, doc = "zero" },
  { "lastentry", "u8", when = { type = 4 }, auto = wire.count("addresses"), plus = -1, doc = "index of the last element of the segment list" },
  { "flags",     "u8", when = { type = 4 }, show = "hex", doc = "none assigned in RFC 8754" },
  { "tag",       "u16", when = { type = 4 }, doc = "class of packets" },
  { "addresses", "ip6", when = { type = { 0, 2 } }, size = wire.rest_of("len", 8, 0), doc = "addresses to visit" },
  { "addresses", "ip6", when = { type = 4 }, count = "lastentry", plus = -1, doc = "segment list, last segment first" },
  { "tlvs", wire.tlv { type = "u8", len = "u8", bare = { 0 },
      [0] = { "Pad1" },
      [4] = { "PadN", "bytes" },
      [5] = { "HMAC", { { "flags", "u16" }, { "keyid", "u32" }, { "hmac", "bytes" } } } },
    when = { type = 4 }, size = wire.rest_of("len", 8, 0), doc = "objects behind the segment list" },
  { "data", "bytes", when = { type = { no = { 0, 2, 4 } } }, size = wire.rest_of("len", 8, 4), doc = "type-specific data" },
}, {
  summary = "{type} left {segleft}[ via {addresses?}]",
  final_dst = {
    { field = "addresses", left = "segleft", when = { type = { 0, 2 } } },
    { field = "addresses", left = "segleft", when = { type = 4 }, first = true },
  },
})
IPv6ExtHdrRouting:follows("IPv6", { nh = 43 })

--- Fragment header, RFC 8200 §4.5.
IPv6ExtHdrFragment = wire.layout("IPv6ExtHdrFragment", {
  { "nh",     "u8", auto = wire.next("IPv6.nh"), default = 59, names = numbers.protocol, doc = "protocol of the fragmented part" },
  { "res1",   "u8", doc = "zero" },
  { "offset", "u13", doc = "where this fragment belongs, in units of 8 octets" },
  { "res2",   "u2", doc = "zero" },
  { "m",      "u1", doc = "more fragments follow" },
  { "id",     "u32", doc = "identification: the same in all fragments of a packet" },
}, {
  summary = "frag {offset}[ m {m?}] id {id}",
  opaque = { offset = { no = 0 } },
  quotes = { m = 1 },   -- the first fragment has the beginning of its packet only
})
IPv6ExtHdrFragment:follows("IPv6", { nh = 44 })
