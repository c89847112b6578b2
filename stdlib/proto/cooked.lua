-- Headers that a capture puts in the place of a link header, for devices that
-- have none or have too many kinds: https://www.tcpdump.org/linktypes.html

local numbers = require "proto.numbers"

local direction = { [0] = "to-us", "broadcast", "multicast", "to-others", "from-us" }

--- Linux "cooked" capture, LINKTYPE_LINUX_SLL (113).
SLL = wire.layout("SLL", {
  { "pkttype",    "u16", names = direction, doc = "to whom the frame went" },
  { "lladdrtype", "u16", default = 512, names = numbers.hardware, doc = "ARPHRD_… of the device" },
  { "lladdrlen",  "u16", doc = "octets of the sender's address" },
  { "src",        "bytes", size = 8, doc = "sender's link-layer address, zeros behind it" },
  { "proto",      "u16", auto = wire.next("Ether.type"), default = 0x0800, names = numbers.ethertype, show = "hex", doc = "EtherType" },
}, { summary = "{pkttype} {proto}" })

--- Linux "cooked" capture version 2, LINKTYPE_LINUX_SLL2 (276).
SLL2 = wire.layout("SLL2", {
  { "proto",      "u16", auto = wire.next("Ether.type"), default = 0x0800, names = numbers.ethertype, show = "hex", doc = "EtherType" },
  { "reserved",   "u16", doc = "zero" },
  { "ifindex",    "u32", doc = "number of the device" },
  { "lladdrtype", "u16", default = 512, names = numbers.hardware, doc = "ARPHRD_… of the device" },
  { "pkttype",    "u8", names = direction, doc = "to whom the frame went" },
  { "lladdrlen",  "u8", doc = "octets of the sender's address" },
  { "src",        "bytes", size = 8, doc = "sender's link-layer address, zeros behind it" },
}, { summary = "if {ifindex} {pkttype} {proto}" })

-- AF_INET is 2 everywhere; AF_INET6 is not: 24 NetBSD and OpenBSD, 28 FreeBSD,
-- 30 macOS, 10 Linux.
local family = { [2] = "IPv4", [10] = "IPv6", [24] = "IPv6", [28] = "IPv6", [30] = "IPv6" }

local either = {}
for af, name in pairs(family) do either[af], either[af * 0x1000000] = name, name end

--- BSD loopback, LINKTYPE_NULL (0): an address family in the byte order of the
-- machine that captured; little endian here, as all but museum pieces, whose
-- numbers are known, too.
Null = wire.layout("Null", {
  { "type", "u32le", auto = wire.next(), default = 2, names = either, doc = "AF_… of the packet" },
}, { summary = "{type}" })

--- OpenBSD loopback, LINKTYPE_LOOP (108): an address family in network order.
Loop = wire.layout("Loop", {
  { "type", "u32", auto = wire.next(), default = 2, names = family, doc = "AF_… of the packet" },
}, { summary = "{type}" })
