local numbers = require "proto.numbers"

-- A list of addresses with a pointer to the next free or next used one:
-- record route and the two source routes have the same shape (RFC 791 §3.1).
local route = {
  { "pointer", "u8", default = 4, doc = "octet of the option, counted from 1, where the next address goes" },
  { "routers", "ip4", count = "*", doc = "addresses" },
}

--- Internet Protocol, RFC 791.
IP = wire.layout("IP", {
  { "version", "u4", default = 4, doc = "version of the protocol" },
  { "ihl",     "u4", auto = wire.octets("IP"), unit = 4, doc = "header length in units of 4 octets" },
  { "tos",     "u8", show = "hex", doc = "differentiated services and congestion notification: RFC 2474, RFC 3168" },
  { "len",     "u16", auto = wire.octets("IP", "payload"), doc = "octets of header and payload" },
  { "id",      "u16", doc = "identification: the same in all fragments of a packet" },
  { "flags",   "u3", flags = { "MF", "DF", "evil" }, doc = "more fragments, don't fragment, RFC 3514" },
  { "frag",    "u13", doc = "where this fragment belongs, in units of 8 octets" },
  { "ttl",     "u8", default = 64, doc = "time to live: hops left" },
  { "proto",   "u8", auto = wire.next(), names = numbers.protocol, doc = "protocol of the payload" },
  { "chksum",  "u16", auto = wire.checksum("IP"), show = "hex", doc = "Internet checksum of the header" },
  { "src",     "ip4", doc = "source address" },
  { "dst",     "ip4", doc = "destination address" },
  { "options", wire.tlv {
      type = "u8", len = "u8", includes = true, bare = { 0, 1 }, last = 0, pad = 4,
      [0x00] = { "EOL" },
      [0x01] = { "NOP" },
      [0x07] = { "RR", route },
      [0x0b] = { "MTU_Probe", { { "mtu", "u16" } } },                                  -- RFC 1063
      [0x0c] = { "MTU_Reply", { { "mtu", "u16" } } },
      [0x44] = { "Timestamp", {
        { "pointer", "u8", default = 5 },
        { "oflw",    "u4", doc = "hosts that found no room" },
        { "flg",     "u4", names = { [0] = "timestamp-only", [1] = "timestamp-and-address", [3] = "prespecified" } },
        { "stamps",  "u32", count = "*", doc = "milliseconds since midnight UT, with an address before each when flg is 1 or 3" },
      } },
      [0x52] = { "Traceroute", {                                                      -- RFC 1393
        { "id", "u16" }, { "outbound_hops", "u16" }, { "return_hops", "u16" }, { "originator_ip", "ip4" },
      } },
      [0x82] = { "Security", "bytes" },                                               -- RFC 1108
      [0x83] = { "LSRR", route },
      [0x86] = { "CIPSO", "bytes" },
      [0x88] = { "Stream_Id", { { "security", "u16" } } },
      [0x89] = { "SSRR", route },
      [0x94] = { "Router_Alert", { { "alert", "u16" } } },                            -- RFC 2113
    }, size = wire.rest_of("ihl", 4, -20), doc = "options, to a multiple of 4 octets" },
}, {
  summary = "{src} > {dst} ttl {ttl}[alone: {proto?}][ {flags?}][ frag {frag?}]",
  answers = { { src = "dst", dst = "src" } },
  final_dst = { { field = "options", options = { "LSRR", "SSRR" } } },
  opaque = { frag = { no = 0 } },
  quotes = { flags = { mask = 1 } },   -- a first fragment has the beginning of its packet only
})
IP:follows("Ether", { type = 0x0800 })
IP:follows("LLC", { dsap = 0x06, ssap = 0x06, ctrl = 3 })
for _, under in ipairs { "Null", "Loop" } do IP:follows(under, { type = 2 }) end
IP:follows("Null", { type = 0x02000000 })  -- captured on a big-endian machine
IP:follows("IP", { proto = 4 })      -- RFC 2003
IP:follows("IPv6", { nh = 4 })       -- RFC 2473
for _, error in ipairs { 3, 4, 5, 11, 12 } do IP:follows("ICMP", { type = error }) end
