test("Linux cooked capture, both versions", function()
  check.bytes(SLL{pkttype = "from-us", lladdrtype = 1, lladdrlen = 6, src = "\2\0\0\0\0\1\0\0"} / ARP{}, [[
    00 04  00 01  00 06  02 00 00 00 00 01 00 00  08 06
    00 01 08 00 06 04 00 01  00 00 00 00 00 00  00 00 00 00  00 00 00 00 00 00  00 00 00 00]])
  check.bytes(SLL2{pkttype = 4, ifindex = 3, lladdrtype = 1, lladdrlen = 6, src = "\2\0\0\0\0\1\0\0"} / IPv6{}, [[
    86 dd  00 00  00 00 00 03  00 01  04  06  02 00 00 00 00 01 00 00
    60 00 00 00 00 00 3b 40  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00]])
end)

test("BSD loopback, in the byte order of a little machine and of the network", function()
  check.equal(bytes(Null{} / IP{}):sub(1, 5), "\2\0\0\0\x45")
  check.equal(bytes(Loop{} / IPv6{}):sub(1, 5), "\0\0\0\x1e\x60")
  for _, family in ipairs{10, 24, 28, 30} do
    check.equal(Null.parse(bytes(Null{type = family} / IPv6{})).IPv6.hlim, 64)
  end
end)
