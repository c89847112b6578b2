test("length and checksum follow the payload", function()
  local p = IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1000, dport = 9999} / ("x"):rep(22)
  check.equal(p.UDP.len, 30)
  check.equal(p.UDP.chksum, 0x938b)
  p.UDP.payload = "hi"
  check.equal(p.UDP.len, 10)
end)

test("a checksum that comes to zero is sent as ffff", function()
  check.equal((IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 0x1f, dport = 0xebb8} / "\0\0").UDP.chksum, 0xffff)
end)

test("a checksum of zero means none, and stays when the datagram is edited", function()
  local p = IP.parse(bytes(IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1, dport = 2, chksum = 0} / "abc"))
  p.UDP.dport = 3
  check.equal(p.UDP.chksum, 0)
end)

test("alone it has no pseudo-header and no checksum", function()
  check.bytes(UDP{sport = 1, dport = 2} / "abc", [[00 01 00 02  00 0b 00 00  61 62 63]])
end)

test("over IPv6", function()
  check.bytes(IPv6{tc = 0x20, fl = 0x12345, hlim = 3, src = "2001:db8::1", dst = "2001:db8::2"} / UDP{sport = 1000, dport = 9999} / "hello", [[
    62 01 23 45  00 0d 11 03
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
    20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 02
    03 e8 27 0f  00 0d 35 96  68 65 6c 6c 6f]])
end)

test("an answer comes from the port that was asked", function()
  local q = IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1000, dport = 7} / "hi"
  check.equal((IP{src = "10.0.0.2", dst = "10.0.0.1"} / UDP{sport = 7, dport = 1000} / "hi"):answers(q), true)
  check.equal((IP{src = "10.0.0.2", dst = "10.0.0.1"} / UDP{sport = 8, dport = 1000} / "hi"):answers(q), false)
  check.equal((IP{src = "10.0.0.3", dst = "10.0.0.1"} / UDP{sport = 7, dport = 1000} / "hi"):answers(q), false)
end)
