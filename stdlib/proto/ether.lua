-- Ethernet and what stands between a frame's addresses and its packet: the
-- DIX and 802.3 frame headers, LLC and SNAP, VLAN tags.

local numbers = require "proto.numbers"

--- Ethernet II frame header, IEEE 802.3 §3.1.1 with a type: no preamble, no FCS.
Ether = wire.layout("Ether", {
  { "dst",  "mac", default = "ff:ff:ff:ff:ff:ff", doc = "destination address" },
  { "src",  "mac", doc = "source address" },
  -- Scapy's default for a frame with nothing known inside: a number that is
  -- neither a length nor a protocol that anyone would answer.
  { "type", "u16", auto = wire.next(), default = 0x9000, names = numbers.ethertype, show = "hex",
    doc = "EtherType: what follows (0x0600 and up; below that it is a length and the frame a Dot3)" },
}, {
  summary = "[alone:{src} > {dst} {type}]",
  instead = { "Dot3", type = { from = 0, to = 1500 } },
})

--- IEEE 802.3 frame header, §3.2.6: a length where Ethernet II has a type.
Dot3 = wire.layout("Dot3", {
  { "dst", "mac", default = "ff:ff:ff:ff:ff:ff", doc = "destination address" },
  { "src", "mac", doc = "source address" },
  { "len", "u16", auto = wire.octets("payload"), doc = "octets of LLC data; what is left of the frame is padding" },
}, { summary = "{src} > {dst} len {len}" })

--- Logical Link Control, IEEE 802.2 §3.2.
LLC = wire.layout("LLC", {
  { "dsap", "u8", auto = wire.next(), show = "hex", names = {
      [0x00] = "null", [0x06] = "IP", [0x42] = "STP", [0xaa] = "SNAP", [0xe0] = "IPX", [0xf0] = "NetBIOS",
      [0xfe] = "OSI", [0xff] = "global" },
    doc = "destination service access point" },
  { "ssap", "u8", auto = wire.next(), show = "hex", doc = "source service access point; bit 0: response" },
  { "ctrl", "u8", auto = wire.next(), show = "hex", names = { [0x03] = "UI", [0xaf] = "XID", [0xe3] = "TEST" },
    doc = "control; 3: unnumbered information" },
}, { summary = "dsap {dsap} ssap {ssap} ctrl {ctrl}" })
LLC:follows("Dot3")
-- Behind a tag stands a length as well, when the frame is 802.3.
for _, tag in ipairs { "Dot1Q", "Dot1AD" } do LLC:follows(tag, { type = { from = 3, to = 1500 } }) end

--- Subnetwork Access Protocol, IEEE 802 §10.3: an EtherType below LLC.
SNAP = wire.layout("SNAP", {
  { "OUI",  "u24", show = "hex", doc = "who numbers the protocol; 0: `code` is an EtherType" },
  { "code", "u16", auto = wire.next("Ether.type"), names = numbers.ethertype, show = "hex", doc = "protocol number" },
}, { summary = "OUI {OUI} {code}" })
SNAP:follows("LLC", { dsap = 0xaa, ssap = 0xaa, ctrl = 3 })

--- VLAN tag, IEEE 802.1Q §9.6.
Dot1Q = wire.layout("Dot1Q", {
  { "prio", "u3", doc = "priority code point" },
  { "dei",  "u1", alias = "id", doc = "drop eligible (once: canonical format indicator)" },
  { "vlan", "u12", default = 1, doc = "VLAN identifier; 0: priority tag only" },
  { "type", "u16", auto = wire.next("Ether.type"), names = numbers.ethertype, show = "hex",
    doc = "EtherType of what the tag stands before; up to 1500 it is an 802.3 length" },
}, { summary = "vlan {vlan} prio {prio}" })
Dot1Q:follows("Ether", { type = 0x8100 })

--- Provider's VLAN tag (QinQ, S-tag), IEEE 802.1ad, now 802.1Q §9.6.
Dot1AD = wire.layout("Dot1AD", {
  { "prio", "u3", doc = "priority code point" },
  { "dei",  "u1", alias = "id", doc = "drop eligible" },
  { "vlan", "u12", default = 1, doc = "service VLAN identifier" },
  { "type", "u16", auto = wire.next("Ether.type"), names = numbers.ethertype, show = "hex",
    doc = "EtherType of what the tag stands before" },
}, { summary = "svlan {vlan} prio {prio}" })
Dot1AD:follows("Ether", { type = 0x88a8 })
