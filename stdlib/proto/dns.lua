-- The Domain Name System: messages of questions and resource records.

-- IANA, "Resource Record (RR) TYPEs".
local rrtypes = {
  [1] = "A", [2] = "NS", [5] = "CNAME", [6] = "SOA", [10] = "NULL", [11] = "WKS", [12] = "PTR", [13] = "HINFO", [14] = "MINFO",
  [15] = "MX", [16] = "TXT", [17] = "RP", [18] = "AFSDB", [24] = "SIG", [25] = "KEY", [28] = "AAAA", [29] = "LOC", [33] = "SRV",
  [35] = "NAPTR", [36] = "KX", [37] = "CERT", [39] = "DNAME", [41] = "OPT", [42] = "APL", [43] = "DS", [44] = "SSHFP",
  [45] = "IPSECKEY", [46] = "RRSIG", [47] = "NSEC", [48] = "DNSKEY", [49] = "DHCID", [50] = "NSEC3", [51] = "NSEC3PARAM",
  [52] = "TLSA", [53] = "SMIMEA", [55] = "HIP", [59] = "CDS", [60] = "CDNSKEY", [61] = "OPENPGPKEY", [62] = "CSYNC",
  [63] = "ZONEMD", [64] = "SVCB", [65] = "HTTPS", [99] = "SPF", [108] = "EUI48", [109] = "EUI64", [249] = "TKEY", [250] = "TSIG",
  [251] = "IXFR", [252] = "AXFR", [253] = "MAILB", [254] = "MAILA", [255] = "ALL", [256] = "URI", [257] = "CAA",
}
local classes = { [1] = "IN", [3] = "CH", [4] = "HS", [254] = "NONE", [255] = "ANY" }

-- RFC 2136 §2.4 and §2.5: of updates records of these classes have no data, or
-- are only there to be compared.
local plain = { no = { 254, 255 } }
local NAMES = { 2, 5, 12, 39 }
local KNOWN = { 1, 2, 5, 6, 12, 15, 16, 28, 33, 39, 41, 99 }

--- A question, RFC 1035 §4.1.2.
DNSQR = wire.layout("DNSQR", {
  { "qname",  "name", default = ".", doc = "domain name" },
  { "qtype",  "u16", default = 1, names = rrtypes, doc = "type of records that are asked for" },
  { "qclass", "u16", default = 1, names = classes, doc = "class; of mDNS the first bit asks for a unicast answer" },
}, { summary = "{qname} {qtype}" })

--- A resource record, RFC 1035 §4.1.3. What its data are depends on the type;
-- those of a type without a form of its own are octets.
DNSRR = wire.layout("DNSRR", {
  { "rrname", "name", default = ".", doc = "domain name" },
  { "type",   "u16", default = 1, names = rrtypes, doc = "what the data are" },
  { "rclass", "u16", default = 1, names = classes,
    doc = "class; of mDNS the first bit replaces older records; of OPT the octets that a datagram may have" },
  { "ttl",    "u32", when = { type = { no = 41 } }, doc = "seconds that the record may be kept" },
  { "extrcode", "u8", when = { type = 41 }, doc = "upper bits of the response code, RFC 6891 §6.1.3" },
  { "version",  "u8", when = { type = 41 }, doc = "version of EDNS" },
  { "z",        "u16", when = { type = 41 }, show = "hex", doc = "flags; 0x8000: DNSSEC is understood" },
  { "rdlen",  "u16", auto = wire.octets("rdata"), doc = "octets of the data" },
  { "rdata",  "ip4", when = { type = 1, rclass = plain }, doc = "address" },
  { "rdata",  "ip6", when = { type = 28, rclass = plain }, doc = "address, RFC 3596" },
  { "rdata",  "name", default = ".", when = { type = NAMES, rclass = plain }, doc = "domain name" },
  { "rdata", {
      { "mname", "name", default = ".", doc = "name server of the zone" },
      { "rname", "name", default = ".", doc = "mailbox of who is responsible" },
      { "serial", "u32", doc = "version of the zone" },
      { "refresh", "u32", doc = "seconds until it is asked for anew" },
      { "retry", "u32", doc = "seconds until it is tried again" },
      { "expire", "u32", doc = "seconds after which it is no longer valid" },
      { "minimum", "u32", doc = "seconds that a negative answer may be kept" },
    }, when = { type = 6, rclass = plain }, doc = "start of a zone" },
  { "rdata", { { "preference", "u16", default = 10, doc = "lower ones first" }, { "exchange", "name", default = ".", doc = "mail server" } },
    when = { type = 15, rclass = plain }, doc = "mail exchange" },
  { "rdata", "list", of = { { "len", "u8", auto = wire.octets("text"), doc = "octets" }, { "text", "text", size = "len", doc = "text" } },
    size = "rdlen", count = "*", when = { type = { 16, 99 }, rclass = plain }, doc = "texts" },
  { "rdata", {
      { "priority", "u16", doc = "lower ones first" }, { "weight", "u16", doc = "share among those of one priority" },
      { "port", "u16", doc = "port" }, { "target", "name", default = ".", doc = "host" },
    }, when = { type = 33, rclass = plain }, doc = "service, RFC 2782" },
  { "rdata", wire.tlv {
      type = "u16", len = "u16",
      [3] = { "NSID", "bytes" },                        -- RFC 5001
      [8] = { "ECS", "bytes" },                         -- client subnet, RFC 7871
      [9] = { "Expire", "bytes" },                      -- RFC 7314
      [10] = { "Cookie", "bytes" },                     -- RFC 7873
      [11] = { "Keepalive", "bytes" },                  -- RFC 7828
      [12] = { "Padding", "bytes" },                    -- RFC 7830
      [15] = { "EDE", { { "code", "u16" }, { "text", "text" } } }, -- RFC 8914
    }, size = "rdlen", when = { type = 41, rclass = plain }, doc = "options of EDNS, RFC 6891 §6.1.2" },
  { "rdata", "bytes", size = "rdlen", when = { type = { no = KNOWN } }, doc = "data" },
  { "rdata", "bytes", size = "rdlen", when = { type = KNOWN, rclass = { 254, 255 } }, doc = "data" },
}, { summary = "{rrname} {type}[ {rdata?}]" })

--- Domain Name System, RFC 1035 §4.1.1. Names that are built are not compressed.
-- Those that were read may be, and point to octets further ahead: before a
-- section in front of them is changed write them in full, p.an = p.an.
DNS = wire.layout("DNS", {
  { "id",     "u16", doc = "identifier: which question" },
  { "qr",     "u1", names = { [0] = "query", "response" }, doc = "0: query, 1: response" },
  { "opcode", "u4", names = { [0] = "QUERY", "IQUERY", "STATUS", [4] = "NOTIFY", [5] = "UPDATE", [6] = "DSO" }, doc = "kind of query" },
  { "aa",     "u1", doc = "the answer is authoritative" },
  { "tc",     "u1", doc = "truncated: ask again over TCP" },
  { "rd",     "u1", default = 1, doc = "recursion is desired" },
  { "ra",     "u1", doc = "recursion is available" },
  { "z",      "u1", doc = "zero" },
  { "ad",     "u1", doc = "the data are authentic, RFC 4035 §3.2.3" },
  { "cd",     "u1", doc = "no checking, RFC 4035 §3.2.2" },
  { "rcode",  "u4", names = { [0] = "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
      "NXRRSET", "NOTAUTH", "NOTZONE" }, doc = "response code" },
  { "qdcount", "u16", auto = wire.count("qd"), doc = "how many questions" },
  { "ancount", "u16", auto = wire.count("an"), doc = "how many answers" },
  { "nscount", "u16", auto = wire.count("ns"), doc = "how many authority records" },
  { "arcount", "u16", auto = wire.count("ar"), doc = "how many additional records" },
  { "qd", "DNSQR", count = "qdcount", doc = "questions; of updates the zone" },
  { "an", "DNSRR", count = "ancount", doc = "answers; of updates what must hold" },
  { "ns", "DNSRR", count = "nscount", doc = "authority; of updates what changes" },
  { "ar", "DNSRR", count = "arcount", doc = "additional records" },
}, {
  summary = "{qr} {#id}[ {rcode?}][ {qd?}][ = {an?}]",
  answers = { { qr = { [1] = 0 }, id = "id" } },
})
for _, port in ipairs { 53, 5353, 5355 } do  -- DNS, mDNS (RFC 6762), LLMNR (RFC 4795)
  DNS:follows("UDP", { dport = port })
  DNS:follows("UDP", { sport = port })
end
