test("a frame has addresses and the type of what follows", function()
  check.bytes(Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"} / IP{src = "10.0.0.1", dst = "10.0.0.2"}, [[
    02 00 00 00 00 02  02 00 00 00 00 01  08 00
    45 00 00 14  00 00 00 00  40 00 66 e8  0a 00 00 01  0a 00 00 02]])
end)

test("a type that was set stays, whatever follows", function()
  local p = Ether{type = 0x1234} / IP{}
  check.equal(p.Ether.type, 0x1234)
  p.Ether.type = nil
  check.equal(p.Ether.type, 0x0800)
end)

test("a type may be written by its name", function()
  check.equal(Ether{type = "ARP"}.type, 0x0806)
end)

test("a frame with a length where the type is, is 802.3", function()
  local p = Ether.parse(fromhex[[
    01 80 c2 00 00 00  02 00 00 00 00 01  00 07
    42 42 03  00 00 00 00                        -- LLC, the beginning of a BPDU
    aa aa                                        -- padding]])
  check.equal(p.Dot3.len, 7)
  check.equal(p.LLC.dsap, 0x42)
  check.equal(p.Raw.load, "\0\0\0\0")
  check.equal(p.Padding.load, "\xaa\xaa")
  check.equal(p.Ether, nil)
end)

test("802.3 counts its payload", function()
  check.bytes(Dot3{dst = "01:80:c2:00:00:00", src = "02:00:00:00:00:01"} / LLC{dsap = 0x42, ssap = 0x42, ctrl = 3} / "abc", [[
    01 80 c2 00 00 00  02 00 00 00 00 01  00 06
    42 42 03  61 62 63]])
end)

test("LLC and SNAP are filled in below an EtherType", function()
  check.bytes(Dot3{dst = "ff:ff:ff:ff:ff:ff"} / LLC{} / SNAP{} / ARP{}, [[
    ff ff ff ff ff ff  00 00 00 00 00 00  00 24
    aa aa 03  00 00 00  08 06
    00 01 08 00 06 04 00 01  00 00 00 00 00 00  00 00 00 00  00 00 00 00 00 00  00 00 00 00]])
end)

test("tags nest", function()
  local p = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"} / Dot1AD{vlan = 100, prio = 5} / Dot1Q{vlan = 7} / "x"
  check.bytes(p, [[
    02 00 00 00 00 02  02 00 00 00 00 01  88 a8
    a0 64 81 00
    00 07 00 00
    78]])
  local q = Ether.parse(bytes(p))
  check.equal(q.Dot1AD.vlan, 100)
  check.equal(q.Dot1Q.vlan, 7)
  check.equal(q, p)
end)
