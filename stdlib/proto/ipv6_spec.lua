test("a header with nothing behind it", function()
  check.bytes(IPv6{src = "2001:db8::1", dst = "2001:db8::2"}, [[
    60 00 00 00  00 00 3b 40
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02]])
end)

test("options fill up to 8 octets", function()
  check.bytes(IPv6ExtHdrHopByHop{nh = 59, options = {{"RouterAlert", 0}}}, [[3b 00  05 02 00 00  01 00]])
  check.bytes(IPv6ExtHdrHopByHop{nh = 59, options = {{"Jumbo", 70000}}}, [[3b 00  c2 04 00 01 11 70]])
  check.bytes(IPv6ExtHdrDestOpt{nh = 59}, [[3b 00  01 04 00 00 00 00]])
end)

test("the routing header's last address is in the checksum", function()
  check.bytes(IPv6{src = "2001:db8::1", dst = "2001:db8::2"} / IPv6ExtHdrRouting{addresses = {"2001:db8::3", "2001:db8::4"}}
    / UDP{sport = 1, dport = 2} / "x", [[
    60 00 00 00  00 31 2b 40
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02
    11 04 00 02  00 00 00 00
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 03
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 04
    00 01 00 02  00 09 2c 62  78]])
end)

test("segment routing lists the last segment first", function()
  local p = IPv6{src = "2001:db8::1", dst = "2001:db8::2"}
    / IPv6ExtHdrRouting{type = 4, segleft = 1, addresses = {"2001:db8::4", "2001:db8::2"}} / UDP{sport = 1, dport = 2} / "x"
  check.equal(p.IPv6ExtHdrRouting.lastentry, 1)
  check.equal(p.IPv6ExtHdrRouting.len, 4)
  local q = IPv6.parse(bytes(p))
  check.equal(q.IPv6ExtHdrRouting.addresses[1], "2001:db8::4")
  check.equal(q, p)
end)

test("a routing header of another type keeps its data", function()
  local b = bytes(IPv6ExtHdrRouting{nh = 59, type = 3, segleft = 1, data = "abcd"})
  check.equal(b, fromhex"3b 00 03 01 61 62 63 64")
  check.equal(IPv6ExtHdrRouting.parse(b).data, "abcd")
end)

test("a fragment that is not the first stays octets", function()
  local p = IPv6{src = "2001:db8::1", dst = "2001:db8::2"} / IPv6ExtHdrFragment{nh = 17, offset = 3, m = 1, id = 0x1234} / "abcdefgh"
  check.bytes(p, [[
    60 00 00 00  00 10 2c 40
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02
    11 00 00 19  00 00 12 34  61 62 63 64 65 66 67 68]])
  check.equal(IPv6.parse(bytes(p)).Raw.load, "abcdefgh")
end)
