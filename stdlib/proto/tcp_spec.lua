local function over_ip(tcp) return IP{src = "10.0.0.1", dst = "10.0.0.2"} / tcp end

test("flags are letters, in any order", function()
  check.equal(TCP{flags = "SA"}.flags, "SA")
  check.equal(TCP{flags = "AS"}.flags, "SA")
  check.equal(TCP{flags = 0x12}.flags, "SA")
  check.equal(TCP{}.flags, "S")
end)

test("options fill the header up to words of 4 octets", function()
  check.bytes(over_ip(TCP{sport = 1025, dport = 80, flags = "SA", options = {{"MSS", 1460}, {"WScale", 7}, "SAckOK"}}), [[
    45 00 00 34  00 00 00 00  40 06 66 c2  0a 00 00 01  0a 00 00 02
    04 01 00 50  00 00 00 00  00 00 00 00  80 12 20 00  33 b4 00 00
    02 04 05 b4  03 03 07  04 02  00 00 00]])
end)

test("options read back as they are written", function()
  local p = over_ip(TCP{options = {{"MSS", 1460}, "SAckOK", {"Timestamp", 1, 2}, "NOP", {"WScale", 7}}})
  local q = IP.parse(bytes(p))
  check.equal(q, p)
  check.equal(q.TCP.dataofs, 10)
  local o = q.TCP.options
  check.equal(o[1][1], "MSS")
  check.equal(o[1][2], 1460)
end)

test("selective acknowledgement is a run of edges", function()
  check.bytes(over_ip(TCP{sport = 1, dport = 2, seq = 3, ack = 4, flags = "A", window = 512, urgptr = 9,
    options = {"NOP", "NOP", {"SAck", {10, 20, 30, 40}}}} / "data"), [[
    45 00 00 40  00 00 00 00  40 06 66 b6  0a 00 00 01  0a 00 00 02
    00 01 00 02  00 00 00 03  00 00 00 04  a0 10 02 00  6a 6d 00 09
    01 01 05 12  00 00 00 0a  00 00 00 14  00 00 00 1e  00 00 00 28
    64 61 74 61]])
end)

test("an option that nobody knows, and one cut short, are kept as they are", function()
  local b = bytes(over_ip(TCP{options = {{0xfd, "\xab\xcd"}}}))
  local p = IP.parse(b)
  check.equal(p.TCP.options[1][1], 0xfd)
  check.equal(p.TCP.options[1][2], "\xab\xcd")
  local short = fromhex[[04 01 00 50  00 00 00 00  00 00 00 00  60 12 20 00  00 00 00 00  02 09 05 b4]]
  check.equal(bytes(TCP.parse(short)), short)
end)

test("a header that claims more than there is does no harm", function()
  local b = fromhex[[04 01 00 50  00 00 00 00  00 00 00 00  f0 12 20 00  00 00 00 00  02 04]]
  check.equal(bytes(TCP.parse(b)), b)
end)
