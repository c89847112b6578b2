-- Internet Group Management Protocol: who listens to which multicast group.

local QUERY = 0x11
local SINGLE = { 0x11, 0x12, 0x16, 0x17 }
local REPORT = 0x22

--- IGMP, RFC 2236 (version 2) and RFC 3376 (version 3). A query of version 3 is
-- told by its length alone.
IGMP = wire.layout("IGMP", {
  { "type",   "u8", default = QUERY, enum = { [0x11] = "query", [0x12] = "report-v1", [0x16] = "report", [0x17] = "leave", [0x22] = "report-v3" },
    doc = "kind of message" },
  { "mrcode", "u8", when = { type = { no = REPORT } }, doc = "tenths of a second that an answer may take, of version 3 as a code" },
  { "reserved", "u8", when = { type = REPORT }, doc = "zero" },
  { "chksum", "u16", auto = wire.checksum("IGMP", "payload"), show = "hex", doc = "Internet checksum of the message" },
  { "gaddr",  "ip4", when = { type = SINGLE }, doc = "multicast group; 0.0.0.0 asks for all" },
  { "resv",   "u4", when = { type = QUERY }, optional = true, doc = "zero" },
  { "s",      "u1", when = { type = QUERY }, optional = true, doc = "routers: do not process" },
  { "qrv",    "u3", when = { type = QUERY }, optional = true, doc = "querier's robustness variable" },
  { "qqic",   "u8", when = { type = QUERY }, optional = true, doc = "querier's query interval code" },
  { "numsrc", "u16", when = { type = QUERY }, optional = true, auto = wire.count("srcaddrs"), doc = "how many sources" },
  { "srcaddrs", "ip4", when = { type = QUERY }, optional = true, count = "numsrc", doc = "sources asked about" },
  { "res2",   "u16", when = { type = REPORT }, doc = "zero" },
  { "numgrp", "u16", when = { type = REPORT }, auto = wire.count("records"), doc = "how many records" },
  { "records", "list", when = { type = REPORT }, count = "numgrp", of = {
      { "rtype",  "u8", default = 4, names = { "is-include", "is-exclude", "to-include", "to-exclude", "allow-new", "block-old" },
        doc = "what the listener says about the sources" },
      { "auxdlen", "u8", auto = wire.octets("auxdata"), unit = 4, doc = "auxiliary data in units of 4 octets" },
      { "numsrc", "u16", auto = wire.count("srcaddrs"), doc = "how many sources" },
      { "maddr",  "ip4", doc = "multicast group" },
      { "srcaddrs", "ip4", count = "numsrc", doc = "sources" },
      { "auxdata", "bytes", size = { "auxdlen", 4 }, doc = "auxiliary data" },
    }, doc = "group records" },
}, {
  summary = "{type}[ {gaddr?}][ {records?}]",
  answers = { { type = { [0x12] = QUERY, [0x16] = QUERY, [0x22] = QUERY } } },
  below = { IP = { { ttl = 1 } } },  -- RFC 2236 §2: no router passes it on
})
IGMP:follows("IP", { proto = 2 })
