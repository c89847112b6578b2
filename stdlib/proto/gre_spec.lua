local ends = IP{src = "10.0.0.1", dst = "10.0.0.2", id = 1}

test("GRE with checksum, key and sequence number, as Scapy writes it", function()
  local p = ends / GRE{chksum_present = 1, key_present = 1, seqnum_present = 1, key = 0x01020304, sequence_number = 7}
    / IP{src = "1.1.1.1", dst = "2.2.2.2", id = 1} / ICMP{}
  check.bytes(p, [[
    45 00 00 40 00 01 00 00 40 2f 66 8c 0a 00 00 01 0a 00 00 02
    b0 00 08 00 43 f2 00 00 01 02 03 04 00 00 00 07
    45 00 00 1c 00 01 00 00 40 01 74 db 01 01 01 01 02 02 02 02
    08 00 f7 ff 00 00 00 00]])
  local q = IP.parse(bytes(p))
  check.equal({q.GRE.proto, q.GRE.chksum, q.GRE.key, q.GRE.sequence_number}, {0x0800, 0x43f2, 0x01020304, 7})
  check.equal(q:layer("IP", 2).dst, "2.2.2.2")
  check.equal(q, p)
  q.GRE.sequence_number = 8
  check.equal(q.GRE.chksum, 0x43f1, "computed again")
end)

test("GRE carries Ethernet frames and all that follows Ethernet", function()
  local p = ends / GRE{key_present = 1, key = 5} / Ether{src = "02:fc:00:00:00:01"} / ARP{}
  check.equal(tohex(bytes(p):sub(21, 28)), "2000655800000005")
  check.truthy(IP.parse(bytes(p)).ARP)
  check.equal(GRE.parse(bytes(GRE{} / IPv6{})).IPv6.hlim, 64)
  check.equal((GRE{} / IPv6{}).GRE.proto, 0x86dd)
  check.equal(tohex(bytes(IPv6{} / GRE{}):sub(7, 7)), "2f")
end)

test("GRE: what is announced and missing is noted, what is not announced cannot be set", function()
  local p = GRE.parse("\x20\0\8\0\0\0")
  check.equal(bytes(p), "\x20\0\8\0\0\0")
  local err = check.raises("missing", function() return GRE{key = 5} end)
  check.truthy(err.message:find("key_present is 1", 1, true), err.message)
end)

test("L2TPv3 in IP and in UDP", function()
  local frame = Ether{dst = "ff:ff:ff:ff:ff:ff", src = "02:00:00:00:00:01"} / ARP{op = "who-has", pdst = "10.0.0.2"}
  local p = ends / L2TPv3{session = 0x11223344} / frame
  check.equal({p.IP.proto, tohex(bytes(p):sub(21, 30))}, {115, "11223344ffffffffffff"})
  check.equal(IP.parse(bytes(p)).ARP.pdst, "10.0.0.2")
  check.bytes(L2TPv3UDP{session = 1} / "\1\2\3\4", "00 03 00 00  00 00 00 01  01 02 03 04")
  check.equal(L2TPv3UDP.parse(bytes(L2TPv3UDP{session = 1} / frame)).ARP.pdst, "10.0.0.2")
end)
