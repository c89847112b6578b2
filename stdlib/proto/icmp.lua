-- Which types have which fields after type, code and checksum.
local ECHO = { 0, 8, 13, 14, 15, 16, 17, 18 }  -- identifier and sequence number
local STAMPS = { 13, 14 }
local MASK = { 17, 18 }
local QUOTES = { 3, 4, 5, 11, 12 }             -- errors: a copy of the packet they are about

--- Internet Control Message Protocol, RFC 792. What stands behind code and
-- checksum depends on the type: `id` and `seq` are there for an echo, `gw` for
-- a redirect, and errors carry the beginning of the packet they are about as
-- the layers that follow.
ICMP = wire.layout("ICMP", {
  { "type", "u8", default = 8, enum = {
      [0] = "echo-reply", [3] = "dest-unreach", [4] = "source-quench", [5] = "redirect", [8] = "echo-request",
      [9] = "router-advertisement", [10] = "router-solicitation",                       -- RFC 1256
      [11] = "time-exceeded", [12] = "parameter-problem",
      [13] = "timestamp-request", [14] = "timestamp-reply",
      [15] = "information-request", [16] = "information-response",
      [17] = "address-mask-request", [18] = "address-mask-reply",                       -- RFC 950
      [30] = "traceroute", [31] = "datagram-conversion-error", [32] = "mobile-host-redirect",
      [33] = "ipv6-where-are-you", [34] = "ipv6-i-am-here",
      [35] = "mobile-registration-request", [36] = "mobile-registration-reply",
      [37] = "domain-name-request", [38] = "domain-name-reply", [39] = "skip", [40] = "photuris",
      [42] = "extended-echo-request", [43] = "extended-echo-reply" },                   -- RFC 8335
    doc = "kind of message" },
  { "code", "u8", names = {
      type = {
        [3] = { [0] = "network-unreachable", "host-unreachable", "protocol-unreachable", "port-unreachable",
          "fragmentation-needed", "source-route-failed", "network-unknown", "host-unknown", "source-isolated",
          "network-prohibited", "host-prohibited", "TOS-network-unreachable", "TOS-host-unreachable",
          "communication-prohibited", "host-precedence-violation", "precedence-cutoff" },
        [5] = { [0] = "network-redirect", "host-redirect", "TOS-network-redirect", "TOS-host-redirect" },
        [11] = { [0] = "ttl-zero-during-transit", "ttl-zero-during-reassembly" },
        [12] = { [0] = "ip-header-bad", "required-option-missing", "bad-length" },
        [43] = { [0] = "no-error", "malformed-query", "no-such-interface", "no-such-table-entry", "multiple-interfaces" },
      } },
    doc = "which one of that kind" },
  { "chksum", "u16", auto = wire.checksum("ICMP", "payload"), show = "hex", doc = "Internet checksum of the whole message" },

  -- echo, timestamp, information, address mask
  { "id",  "u16", when = { type = ECHO }, doc = "identifier: which ping" },
  { "seq", "u16", when = { type = ECHO }, doc = "sequence number: which packet of it" },
  { "ts_ori", "u32", when = { type = STAMPS }, doc = "sent: milliseconds since midnight UT" },
  { "ts_rx",  "u32", when = { type = STAMPS }, doc = "received" },
  { "ts_tx",  "u32", when = { type = STAMPS }, doc = "sent back" },
  { "addr_mask", "ip4", when = { type = MASK }, doc = "subnet mask" },

  -- destination unreachable, time exceeded, parameter problem (RFC 4884 §4: length of the quoted packet)
  { "unused",     "u8", when = { type = { 3, 11 } }, doc = "zero" },
  { "ptr",        "u8", when = { type = { 12 } }, doc = "octet of the quoted packet that is wrong" },
  { "length",     "u8", when = { type = { 3, 11, 12 } }, bounds = "payload", unit = 4,
    doc = "quoted packet in units of 4 octets when an extension stands behind it, else 0" },
  { "nexthopmtu", "u16", when = { type = { 3 } }, doc = "with fragmentation-needed: MTU of the next hop, RFC 1191" },
  { "reserved",   "u16", when = { type = { 11, 12 } }, doc = "zero" },

  { "gw",     "ip4", when = { type = { 5 } }, doc = "better gateway" },
  { "unused", "u32", when = { type = { 4, 10 } }, doc = "zero" },

  -- router advertisement, RFC 1256
  { "num_addrs",       "u8", when = { type = { 9 } }, auto = wire.count("addrs"), doc = "routers listed" },
  { "addr_entry_size", "u8", default = 2, when = { type = { 9 } }, doc = "32-bit words of an entry" },
  { "lifetime",        "u16", default = 1800, when = { type = { 9 } }, doc = "seconds" },
  { "addrs", "ICMPRouter", count = "num_addrs", when = { type = { 9 } }, doc = "routers and their preference" },

  -- extended echo, RFC 8335 §2
  { "id",    "u16", when = { type = { 42, 43 } }, doc = "identifier" },
  { "seq",   "u8", when = { type = { 42, 43 } }, doc = "sequence number" },
  { "reserved", "u7", when = { type = { 42 } }, doc = "zero" },
  { "is_local", "u1", when = { type = { 42 } }, doc = "1: the probed interface is on the node that is asked" },
  { "state", "u3", when = { type = { 43 } }, names = { [0] = "reserved", "incomplete", "reachable", "stale", "delay", "probe", "failed" },
    doc = "neighbour state of the probed interface" },
  { "reserved", "u2", when = { type = { 43 } }, doc = "zero" },
  { "active", "u1", when = { type = { 43 } }, doc = "the probed interface is up" },
  { "ipv4",   "u1", when = { type = { 43 } }, doc = "it runs IPv4" },
  { "ipv6",   "u1", when = { type = { 43 } }, doc = "it runs IPv6" },
}, {
  summary = "{type}[ {code?}][ id {id}][ seq {seq}][ mtu {nexthopmtu?}][ gw {gw}][ ptr {ptr}][ mask {addr_mask}]",
  answers = {
    { type = { [0] = 8, [14] = 13, [16] = 15, [18] = 17, [43] = 42 }, id = "id", seq = "seq" },
    { type = { [9] = 10 } },
  },
  quotes = { type = QUOTES },
})
ICMP:follows("IP", { proto = 1 })
