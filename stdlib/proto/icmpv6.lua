-- ICMPv6 with neighbour discovery and multicast listener discovery.

local ECHO = { 128, 129 }
local ERRORS = { 1, 2, 3, 4 }        -- carry the beginning of the packet they are about
local MLD = { 130, 131, 132 }
local ND = { 133, 134, 135, 136, 137 }

-- One multicast address record of an MLDv2 report, RFC 3810 §5.2.4.
ICMPv6MLDMultAddrRec = wire.layout("ICMPv6MLDMultAddrRec", {
  { "rtype",          "u8", default = 4, names = { "is-include", "is-exclude", "to-include", "to-exclude", "allow-new", "block-old" },
    doc = "what the listener says about the sources" },
  { "auxdata_len",    "u8", auto = wire.octets("auxdata"), unit = 4, doc = "auxiliary data in units of 4 octets" },
  { "sources_number", "u16", auto = wire.count("sources"), doc = "how many sources" },
  { "dst",            "ip6", doc = "multicast address" },
  { "sources",        "ip6", count = "sources_number", doc = "sources" },
  { "auxdata",        "bytes", size = { "auxdata_len", 4 }, doc = "auxiliary data" },
})

--- Internet Control Message Protocol for IPv6, RFC 4443; neighbour discovery,
-- RFC 4861; multicast listener discovery, RFC 2710 and RFC 3810. What stands
-- behind code and checksum depends on the type.
ICMPv6 = wire.layout("ICMPv6", {
  { "type", "u8", default = 128, enum = {
      [1] = "dest-unreach", [2] = "packet-too-big", [3] = "time-exceeded", [4] = "parameter-problem",
      [128] = "echo-request", [129] = "echo-reply",
      [130] = "mld-query", [131] = "mld-report", [132] = "mld-done",
      [133] = "router-solicitation", [134] = "router-advertisement",
      [135] = "neighbor-solicitation", [136] = "neighbor-advertisement", [137] = "redirect",
      [138] = "router-renumbering",
      [139] = "node-information-query", [140] = "node-information-response",            -- RFC 4620
      [141] = "inverse-solicitation", [142] = "inverse-advertisement",                  -- RFC 3122
      [143] = "mld-report-v2",
      [144] = "home-agent-request", [145] = "home-agent-reply",                         -- RFC 6275
      [146] = "mobile-prefix-solicitation", [147] = "mobile-prefix-advertisement",
      [148] = "certification-path-solicitation", [149] = "certification-path-advertisement", -- RFC 3971
      [151] = "multicast-router-advertisement", [152] = "multicast-router-solicitation", [153] = "multicast-router-termination", -- RFC 4286
      [155] = "rpl-control",                                                            -- RFC 6550
      [160] = "extended-echo-request", [161] = "extended-echo-reply" },                 -- RFC 8335
    doc = "kind of message" },
  { "code", "u8", names = {
      type = {
        [1] = { [0] = "no-route", "prohibited", "beyond-scope", "address-unreachable", "port-unreachable",
          "source-policy", "reject-route", "source-routing-error" },
        [3] = { [0] = "hop-limit-exceeded", "reassembly-time-exceeded" },
        [4] = { [0] = "erroneous-header", "unknown-next-header", "unknown-option", "first-fragment-incomplete" },  -- 3: RFC 7112
      } },
    doc = "which one of that kind" },
  { "chksum", "u16", alias = "cksum", auto = wire.checksum("pseudo", "ICMPv6", "payload"), show = "hex",
    doc = "Internet checksum over pseudo-header and message" },

  -- errors, RFC 4443 §3; RFC 4884 §4 for `length`
  { "length", "u8", when = { type = { 1, 3 } }, bounds = "payload", unit = 8,
    doc = "quoted packet in units of 8 octets when an extension stands behind it, else 0" },
  { "unused", "u24", when = { type = { 1, 3 } }, doc = "zero" },
  { "mtu",    "u32", default = 1280, when = { type = 2 }, doc = "MTU of the next hop" },
  { "ptr",    "u32", when = { type = 4 }, doc = "octet of the quoted packet that is wrong" },

  -- echo, RFC 4443 §4
  { "id",  "u16", when = { type = ECHO }, doc = "identifier: which ping" },
  { "seq", "u16", when = { type = ECHO }, doc = "sequence number: which packet of it" },

  -- multicast listener discovery
  { "mrd",      "u16", when = { type = MLD }, doc = "maximum response delay, milliseconds (as a code in version 2)" },
  { "reserved", "u16", when = { type = MLD }, doc = "zero" },
  { "mladdr",   "ip6", when = { type = MLD }, doc = "multicast address; :: asks for all" },
  -- A query of version 2 is told from one of version 1 by its length alone
  -- (RFC 3810 §8.1): these are there when octets are there.
  { "Resv",           "u4", when = { type = 130 }, optional = true, doc = "zero" },
  { "S",              "u1", when = { type = 130 }, optional = true, doc = "routers: do not process" },
  { "QRV",            "u3", when = { type = 130 }, optional = true, doc = "querier's robustness variable" },
  { "QQIC",           "u8", when = { type = 130 }, optional = true, doc = "querier's query interval code" },
  { "sources_number", "u16", when = { type = 130 }, optional = true, auto = wire.count("sources"), doc = "how many sources" },
  { "sources",        "ip6", when = { type = 130 }, optional = true, count = "sources_number", doc = "sources asked about" },
  { "reserved",       "u16", when = { type = 143 }, doc = "zero" },
  { "records_number", "u16", when = { type = 143 }, auto = wire.count("records"), doc = "how many records" },
  { "records",        "ICMPv6MLDMultAddrRec", when = { type = 143 }, count = "records_number", doc = "multicast address records" },

  -- neighbour discovery, RFC 4861 §4
  { "chlim", "u8", when = { type = 134 }, doc = "hop limit for packets sent; 0: no word" },
  { "flags", "u3", flags = { "H", "O", "M" }, when = { type = 134 },
    doc = "M: addresses from DHCPv6, O: other configuration from it, H: home agent (RFC 6275 §7.1)" },
  { "prf",   "u2", when = { type = 134 }, names = { [0] = "medium", "high", "reserved", "low" }, doc = "preference, RFC 4191 §2.2" },
  { "P",     "u1", when = { type = 134 }, doc = "neighbour discovery proxy, RFC 4389" },
  { "res",   "u2", when = { type = 134 }, doc = "zero" },
  { "routerlifetime", "u16", default = 1800, when = { type = 134 }, doc = "seconds as a default router; 0: not one" },
  { "reachabletime",  "u32", when = { type = 134 }, doc = "milliseconds a neighbour counts as reachable; 0: no word" },
  { "retranstimer",   "u32", when = { type = 134 }, doc = "milliseconds between solicitations; 0: no word" },
  { "flags",  "u3", flags = { "O", "S", "R" }, when = { type = 136 },
    doc = "R: sender is a router, S: answers a solicitation, O: override what the cache has" },
  { "res",    "u29", when = { type = 136 }, doc = "zero" },
  { "res",    "u32", when = { type = { 133, 135, 137 } }, doc = "zero" },
  { "tgt",    "ip6", alias = "target", when = { type = { 135, 136, 137 } }, doc = "address asked for, told, or better next hop" },
  { "dst",    "ip6", when = { type = 137 }, doc = "destination that is redirected" },
  { "options", wire.tlv {
      type = "u8", len = "u8", includes = true, unit = 8, pad = 8,
      [1] = { "SourceLinkAddr", "mac" },
      [2] = { "TargetLinkAddr", "mac" },
      [3] = { "PrefixInfo", {
        { "prefixlen", "u8", default = 64 },
        { "flags", "u3", default = "LA", flags = { "R", "A", "L" }, doc = "L: on link, A: addresses may be made from it, R: it is the router's address" },
        { "res1", "u5" },
        { "validlifetime", "u32", default = 0xffffffff, doc = "seconds" },
        { "preferredlifetime", "u32", default = 0xffffffff, doc = "seconds" },
        { "res2", "u32" },
        { "prefix", "ip6" },
      } },
      [4] = { "RedirectedHdr", { { "res", "u48" }, { "pkt", "bytes" } } },
      [5] = { "MTU", { { "res", "u16" }, { "mtu", "u32", default = 1280 } } },
      [7] = { "AdvInterval", { { "res", "u16" }, { "advint", "u32", doc = "milliseconds" } } },   -- RFC 6275 §7.3
      [14] = { "Nonce", "bytes" },                                                               -- RFC 3971 §5.3.2
      [24] = { "RouteInfo", {                                                                    -- RFC 4191 §2.3
        { "plen", "u8" }, { "res1", "u3" }, { "prf", "u2" }, { "res2", "u3" }, { "rtlifetime", "u32" }, { "prefix", "bytes" } } },
      [25] = { "RDNSS", { { "res", "u16" }, { "lifetime", "u32", default = 0xffffffff }, { "dns", "ip6", count = "*" } } }, -- RFC 8106 §5.1
      [26] = { "EFA", "bytes" },                                                                 -- RFC 5175
      [31] = { "DNSSL", { { "res", "u16" }, { "lifetime", "u32", default = 0xffffffff }, { "searchlist", "name", count = "*" } } }, -- RFC 8106 §5.2
      [37] = { "CaptivePortal", "text" },                                                        -- RFC 8910 §2.3
      [38] = { "PREF64", { { "lifetime", "u13", doc = "in units of 8 seconds" }, { "plc", "u3" }, { "prefix", "bytes", size = 12 } } }, -- RFC 8781
    }, when = { type = ND }, doc = "options, each a multiple of 8 octets" },
}, {
  summary = "{type}[ {code?}][ id {id}][ seq {seq}][ mtu {mtu}][ ptr {ptr}][ {tgt}][ > {dst}][ {mladdr}][ {options?}][ {records?}]",
  answers = {
    { type = { [129] = 128, [161] = 160 }, id = "id", seq = "seq" },
    { type = { [136] = 135 }, tgt = "tgt" },
    { type = { [134] = 133 } },
    { type = { [131] = 130 } },
    { type = { [143] = 130 } },
  },
  quotes = { type = ERRORS },
  below = { IPv6 = {
    { hlim = 255, when = { type = { 133, 134, 135, 136, 137, 141, 142, 148, 149 } } },  -- RFC 4861 §4: it came over no router
    { hlim = 1, when = { type = { 130, 131, 132, 143 } } },                             -- RFC 2710 §3, RFC 3810 §5
  } },
})
ICMPv6:follows("IPv6", { nh = 58 })
