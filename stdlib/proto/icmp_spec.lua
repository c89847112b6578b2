local function over_ip(p) return IP{src = "10.0.0.2", dst = "10.0.0.1"} / p end

test("echo", function()
  check.bytes(IP{src = "10.0.0.1", dst = "10.0.0.2"} / ICMP{type = "echo-request", id = 1, seq = 1} / "ping", [[
    45 00 00 20  00 00 00 00  40 01 66 db  0a 00 00 01  0a 00 00 02
    08 00 19 2d  00 01 00 01  70 69 6e 67]])
  check.equal(ICMP{type = 0}.type, "echo-reply")
end)

test("what stands behind the checksum depends on the type", function()
  check.bytes(ICMP{type = "redirect", code = 1, gw = "10.0.0.3"} / "12345678", [[05 01 20 27  0a 00 00 03  31 32 33 34 35 36 37 38]])
  check.bytes(ICMP{type = "parameter-problem", ptr = 9} / "12345678", [[0c 00 1a 2b  09 00 00 00  31 32 33 34 35 36 37 38]])
  check.bytes(ICMP{type = "dest-unreach", code = "fragmentation-needed", nexthopmtu = 1280} / "12345678", [[03 04 27 27  00 00 05 00  31 32 33 34 35 36 37 38]])
  check.bytes(ICMP{type = "timestamp-request", id = 5, seq = 6, ts_ori = 1000}, [[0d 00 ef 0c  00 05 00 06  00 00 03 e8  00 00 00 00  00 00 00 00]])
  check.bytes(ICMP{type = "address-mask-reply", id = 5, seq = 6, addr_mask = "255.255.255.0"}, [[12 00 ee f3  00 05 00 06  ff ff ff 00]])
end)

test("an error quotes the packet it is about", function()
  local p = over_ip(ICMP{type = "dest-unreach", code = 3}) / IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1000, dport = 9} / "hello"
  local q = IP.parse(bytes(p))
  check.equal(q:layer("IP", 2).dst, "10.0.0.2")
  check.equal(q.UDP.dport, 9)
  check.equal(q, p)
end)

test("a quotation that is cut short is no fault, and stays as it is", function()
  local whole = bytes(IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1000, dport = 9} / ("x"):rep(100))
  local p = IP.parse(bytes(over_ip(ICMP{type = "time-exceeded"}) / whole:sub(1, 28)))
  check.equal(p:layer("IP", 2).len, 128)
  check.equal(p.UDP.len, 108)
  local quoted = bytes(p):sub(29)
  p.IP.ttl = 1
  check.equal(bytes(p):sub(29), quoted)
end)

test("the length of RFC 4884 ends the quotation", function()
  local quoted = bytes(IP{src = "10.0.0.1", dst = "10.0.0.2", proto = 253} / ("x"):rep(108))
  local p = IP.parse(bytes(over_ip(ICMP{type = "time-exceeded", length = 32}) / (quoted .. fromhex"20 00 00 00")))
  check.equal(p.Padding.load, fromhex"20 00 00 00")
end)

test("a reply answers its request only", function()
  local ask = IP{src = "10.0.0.1", dst = "10.0.0.2"} / ICMP{type = "echo-request", id = 1, seq = 1} / "ping"
  check.equal((over_ip(ICMP{type = "echo-reply", id = 1, seq = 1}) / "ping"):answers(ask), true)
  check.equal((over_ip(ICMP{type = "echo-reply", id = 1, seq = 2}) / "ping"):answers(ask), false)
  check.equal((over_ip(ICMP{type = "echo-request", id = 1, seq = 1}) / "ping"):answers(ask), false)
end)

test("an error answers what it quotes", function()
  local sent = IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1000, dport = 9} / "hello"
  local function err(port) return IP{src = "10.0.0.254", dst = "10.0.0.1"} / ICMP{type = "dest-unreach", code = 3}
    / IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1000, dport = port} end
  check.equal(err(9):answers(sent), true)
  check.equal(err(10):answers(sent), false)
end)
