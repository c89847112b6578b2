test("lengths, protocol and checksum are filled in", function()
  check.bytes(IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 7, dport = 9} / "hi", [[
    45 00 00 1e  00 00 00 00  40 11 66 cd  0a 00 00 01  0a 00 00 02   -- IP
    00 07 00 09  00 0a 83 5e                                          -- UDP
    68 69                                                             -- payload]])
end)

test("what is set is sent as it stands", function()
  check.bytes(IP{version = 5, ihl = 6, len = 99, chksum = 0xdead, src = "10.0.0.1", dst = "10.0.0.2"} / "0123", [[
    56 00 00 63  00 00 00 00  40 00 de ad  0a 00 00 01  0a 00 00 02  30 31 32 33]])
end)

test("flags by name and number", function()
  check.equal(IP{flags = "DF"}.flags, "DF")
  check.equal(IP{flags = 3}.flags, "MF+DF")
  check.equal(IP{flags = "MF+DF"}.flags, "MF+DF")
  check.equal(IP{}.flags, "")
end)

test("a fragment that is not the first stays octets", function()
  local p = IP.parse(bytes(IP{proto = 17, frag = 3, src = "10.0.0.1", dst = "10.0.0.2"} / "abcdefgh"))
  check.equal(p.UDP, nil)
  check.equal(p.Raw.load, "abcdefgh")
end)

test("record route", function()
  local p = IP{src = "10.0.0.1", dst = "10.0.0.2", proto = 253, options = {{"RR", 4, {"10.0.0.3", "10.0.0.4"}}}}
  check.bytes(p, [[
    48 00 00 20  00 00 00 00  40 fd 50 c0  0a 00 00 01  0a 00 00 02
    07 0b 04  0a 00 00 03  0a 00 00 04  00]])
  local q = IP.parse(bytes(p))
  check.equal(q, p)
  check.equal(q.IP.ihl, 8)
  check.equal(q.IP.options[1][1], "RR")
end)

test("an option that nobody knows is kept", function()
  local b = fromhex[[46 00 00 18  00 00 00 00  40 fd 4d e0  0a 00 00 01  0a 00 00 02  1e 04 ab cd]]
  local p = IP.parse(b)
  check.equal(p.IP.options[1][1], 0x1e)
  check.equal(p.IP.options[1][2], "\xab\xcd")
  p.IP.ttl = 63
  check.equal(bytes(p):sub(21), "\x1e\x04\xab\xcd")
end)

test("the checksum of UDP covers the end of a source route", function()
  local via = IP{src = "10.0.0.1", dst = "10.0.0.9", options = {{"LSRR", 4, {"10.0.0.2"}}}} / UDP{sport = 7, dport = 9} / "hi"
  check.equal(via.UDP.chksum, 0x835e)   -- as if sent to 10.0.0.2 at once
end)

test("octets behind the length are padding", function()
  local p = IP.parse(bytes(IP{src = "10.0.0.1", dst = "10.0.0.2", proto = 253} / "abc") .. "\0\0\0")
  check.equal(p.Raw.load, "abc")
  check.equal(p.Padding.load, "\0\0\0")
end)

test("a length of zero means up to the end (segmentation offload)", function()
  local p = IP.parse(bytes(IP{len = 0, src = "10.0.0.1", dst = "10.0.0.2", proto = 253} / "abc"))
  check.equal(p.Raw.load, "abc")
end)

test("a value that does not fit names the field", function()
  local ok, err = pcall(function() return IP{ttl = 300} end)
  check.equal(ok, false)
  check.matches(tostring(err), "^IP%.ttl: 300 does not fit 8 bits %(0%.%.255%), at ")
end)
