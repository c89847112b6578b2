local function over(src, dst, hlim, p) return IPv6{src = src, dst = dst, hlim = hlim} / p end

test("echo", function()
  check.bytes(over("fe80::1", "fe80::2", 64, ICMPv6{type = "echo-request", id = 1, seq = 2}) / "ping", [[
    60 00 00 00  00 0c 3a 40
    fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01
    fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 02
    80 00 a3 e0  00 01 00 02  70 69 6e 67]])
end)

test("neighbour advertisement", function()
  local p = over("fe80::2", "fe80::1", 255, ICMPv6{type = "neighbor-advertisement", flags = "SO", target = "fe80::2",
    options = {{"TargetLinkAddr", "02:00:00:00:00:02"}}})
  check.bytes(p, [[
    60 00 00 00  00 20 3a ff
    fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 02
    fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01
    88 00 18 1a  60 00 00 00
    fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 02
    02 01 02 00 00 00 00 02]])
  local ask = over("fe80::1", "ff02::1:ff00:2", 255, ICMPv6{type = "neighbor-solicitation", target = "fe80::2"})
  check.equal(p:answers(ask), true)
  check.equal(over("fe80::3", "fe80::1", 255, ICMPv6{type = "neighbor-advertisement", target = "fe80::3"}):answers(ask), false)
end)

test("router advertisement with its options", function()
  local p = over("fe80::1", "ff02::1", 255, ICMPv6{type = "router-advertisement", chlim = 64, flags = "M", prf = "high",
    routerlifetime = 1800, reachabletime = 5, retranstimer = 6, options = {
      {"SourceLinkAddr", "02:00:00:00:00:01"}, {"MTU", 0, 1400},
      {"PrefixInfo", prefix = "2001:db8::"},
      {"RDNSS", lifetime = 600, dns = {"2001:db8::53", "2001:db8::54"}},
      {"DNSSL", lifetime = 600, searchlist = {"example.com", "lab.example.com"}}}})
  check.bytes(bytes(p):sub(41), [[
    86 00 14 aa  40 88 07 08  00 00 00 05  00 00 00 06
    01 01 02 00 00 00 00 01
    05 01 00 00 00 00 05 78
    03 04 40 c0 ff ff ff ff ff ff ff ff 00 00 00 00 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 00
    19 05 00 00 00 00 02 58 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 53 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 54
    1f 05 00 00 00 00 02 58 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00 03 6c 61 62 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00 00 00]])
  check.equal(IPv6.parse(bytes(p)), p)
end)

test("a listener query of version 2 is one with more octets", function()
  local v1 = IPv6.parse(bytes(over("fe80::1", "ff02::1", 1, ICMPv6{type = "mld-query", mrd = 10000})))
  check.equal(#v1, 64)
  check.equal(v1.ICMPv6.QRV, nil)
  local v2 = over("fe80::1", "ff02::1", 1, ICMPv6{type = "mld-query", mrd = 10000, mladdr = "ff02::5",
    S = 1, QRV = 2, QQIC = 125, sources = {"2001:db8::1", "2001:db8::2"}})
  check.bytes(bytes(v2):sub(41), [[
    82 00 f3 f6  27 10 00 00  ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 05
    0a 7d 00 02
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02]])
  check.equal(IPv6.parse(bytes(v2)).ICMPv6.QRV, 2)
end)

test("a listener report of version 2", function()
  local p = over("fe80::1", "ff02::16", 1, ICMPv6{type = "mld-report-v2", records = {
    {rtype = "to-include", dst = "ff02::5", sources = {"2001:db8::1"}},
    {rtype = 2, dst = "ff02::6"}}})
  check.bytes(bytes(p):sub(41), [[
    8f 00 42 1c  00 00 00 02
    03 00 00 01 ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 05 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
    02 00 00 00 ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 06]])
  local q = IPv6.parse(bytes(p))
  check.equal(q.ICMPv6.records_number, 2)
  check.equal(q.ICMPv6.records[1].sources[1], "2001:db8::1")
  check.equal(q, p)
end)

test("an error quotes the packet it is about", function()
  local p = over("fe80::1", "fe80::2", 64, ICMPv6{type = "packet-too-big", mtu = 1400})
    / IPv6{src = "fe80::2", dst = "fe80::9"} / UDP{sport = 1, dport = 2} / "x"
  local q = IPv6.parse(bytes(p))
  check.equal(q:layer("IPv6", 2).dst, "fe80::9")
  check.equal(q.UDP.dport, 2)
  check.equal(q:answers(IPv6{src = "fe80::2", dst = "fe80::9"} / UDP{sport = 1, dport = 2} / "x"), true)
end)
