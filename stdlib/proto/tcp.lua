local numbers = require "proto.numbers"

--- Transmission Control Protocol, RFC 9293.
TCP = wire.layout("TCP", {
  { "sport",    "u16", names = numbers.port, doc = "source port" },
  { "dport",    "u16", names = numbers.port, doc = "destination port" },
  { "seq",      "u32", doc = "sequence number of the first octet (of the SYN, if set)" },
  { "ack",      "u32", doc = "next sequence number expected, when A is set" },
  { "dataofs",  "u4", auto = wire.octets("TCP"), unit = 4, doc = "header length in units of 4 octets" },
  { "reserved", "u3", doc = "must be zero" },
  -- Scapy's letters: FIN SYN RST PSH ACK URG ECE CWR and the accurate-ECN bit
  -- that was "nonce sum" (RFC 9768).
  { "flags",    "u9", default = 2, flags = { "F", "S", "R", "P", "A", "U", "E", "C", "N" }, doc = "control bits" },
  { "window",   "u16", default = 8192, doc = "octets the sender will take, before scaling" },
  { "chksum",   "u16", auto = wire.checksum("pseudo", "TCP", "payload"), show = "hex",
    doc = "Internet checksum over pseudo-header, header and payload" },
  { "urgptr",   "u16", doc = "end of urgent data, when U is set" },
  { "options",  wire.tlv {
      type = "u8", len = "u8", includes = true, bare = { 0, 1 }, last = 0, pad = 4,
      [0] = { "EOL" },
      [1] = { "NOP" },
      [2] = { "MSS", "u16" },                                        -- §3.7.1
      [3] = { "WScale", "u8" },                                      -- RFC 7323 §2
      [4] = { "SAckOK" },                                            -- RFC 2018 §2
      [5] = { "SAck", { { "edges", "u32", count = "*" } } },         -- RFC 2018 §3: left, right, left, right…
      [8] = { "Timestamp", { { "tsval", "u32" }, { "tsecr", "u32" } } }, -- RFC 7323 §3
      [14] = { "AltChkSum", "u8" },                                  -- RFC 1146
      [15] = { "AltChkSumOpt", "bytes" },
      [19] = { "MD5", "bytes" },                                     -- RFC 2385
      [28] = { "UTO", "u16" },                                       -- RFC 5482: granularity bit and 15 bits
      [29] = { "AO", { { "keyid", "u8" }, { "rnextkeyid", "u8" }, { "mac", "bytes" } } }, -- RFC 5925 §2.2
      [30] = { "MPTCP", "bytes" },                                   -- RFC 8684 §3: subtype and data as they stand
      [34] = { "TFO", "bytes" },                                     -- RFC 7413 §4.1.1: the cookie
    }, size = wire.rest_of("dataofs", 4, -20), doc = "options, to a multiple of 4 octets" },
}, {
  summary = "{#sport} > {#dport} {flags} seq {seq}[ ack {ack?}] len {#payload}",
  answers = { { sport = "dport", dport = "sport" } },
})
TCP:follows("IP", { proto = 6 })
TCP:follows("IPv6", { nh = 6 })
