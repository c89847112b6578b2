test("a question and its answer", function()
  local ask = Ether{src = "02:00:00:00:00:01"} / ARP{op = "who-has", hwsrc = "02:00:00:00:00:01", psrc = "10.0.0.1", pdst = "10.0.0.2"}
  check.bytes(ask, [[
    ff ff ff ff ff ff  02 00 00 00 00 01  08 06
    00 01  08 00  06  04  00 01
    02 00 00 00 00 01  0a 00 00 01
    00 00 00 00 00 00  0a 00 00 02]])
  local answer = Ether{src = "02:00:00:00:00:02", dst = "02:00:00:00:00:01"}
    / ARP{op = "is-at", hwsrc = "02:00:00:00:00:02", psrc = "10.0.0.2", hwdst = "02:00:00:00:00:01", pdst = "10.0.0.1"}
  check.equal(answer:answers(ask), true)
  check.equal(ask:answers(answer), false)
  check.equal(answer.ARP.op, "is-at")
end)

test("op takes a number, and an unknown one reads as a number", function()
  check.equal(ARP{op = 2}.op, "is-at")
  check.equal(ARP{op = 77}.op, 77)
end)

test("a network with short addresses (ARCNET, RFC 1201)", function()
  local b = fromhex[[
    00 07  08 00  01  04  00 01
    c2  83 fc 64 20
    00  83 fc 64 01]]
  local p = ARP.parse(b)
  check.equal(p.ARP.hwsrc, "\xc2")
  check.equal(p.ARP.psrc, "131.252.100.32")
  check.equal(p.ARP.pdst, "131.252.100.1")
  check.equal(bytes(p), b)
end)
