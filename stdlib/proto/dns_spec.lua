local function udp(dns) return IP{src = "10.0.0.1", dst = "10.0.0.53"} / UDP{sport = 4000} / dns end

test("a question counts itself and asks for recursion", function()
  check.bytes(udp(DNS{id = 7, qd = {{qname = "www.example.com"}}}), [[
    45 00 00 3d  00 00 00 00  40 11 66 7b  0a 00 00 01  0a 00 00 35   -- IP
    0f a0 00 35  00 29 91 2e                                          -- UDP, to port 53
    00 07 01 00  00 01 00 00  00 00 00 00                             -- DNS: rd, one question
    03 77 77 77  07 65 78 61 6d 70 6c 65  03 63 6f 6d 00              -- www.example.com
    00 01 00 01]])                                                    -- A IN
end)

test("names that were read may be compressed, and stay so until they are changed", function()
  local b = fromhex[[
    00 07 81 80  00 01 00 03  00 00 00 00
    03 77 77 77  07 65 78 61 6d 70 6c 65  03 63 6f 6d 00  00 01 00 01
    c0 0c  00 05 00 01  00 00 00 3c  00 06  03 77 65 62 c0 10         -- www.example.com is web.example.com
    c0 2d  00 01 00 01  00 00 00 3c  00 04  0a 00 00 50
    c0 10  00 0f 00 01  00 00 00 3c  00 09  00 05  04 6d 61 69 6c c0 10]]
  local p = DNS:parse(b)
  check.equal(p.qd[1].qname, "www.example.com.")
  check.equal(p.an[1].rrname, "www.example.com.")
  check.equal(p.an[1].rdata, "web.example.com.")
  check.equal(p.an[2].rrname, "web.example.com.")
  check.equal(p.an[2].rdata, "10.0.0.80")
  check.equal(p.an[3].rdata.exchange, "mail.example.com.")
  check.equal({p.qr, p.ra, p.rcode, p.ancount}, {1, 1, 0, 3})
  check.equal(bytes(p), b)
  p.id = 8
  check.equal(bytes(p):sub(3), b:sub(3))
  -- A section that is set, or taken to another message, is written in full.
  check.equal(DNS:parse(bytes(DNS{an = p.an})).an[3].rdata.exchange, "mail.example.com.")
  p.an = p.an
  p.qd = {{qname = "other."}}
  check.equal(DNS:parse(bytes(p)).an[1].rdata, "web.example.com.")
end)

test("every kind of data reads back as it was written", function()
  local list = {
    {rrname = "a.", ttl = 60, rdata = "10.0.0.1"},
    {rrname = "a.", type = "AAAA", rdata = "2001:db8::1"},
    {rrname = "a.", type = "NS", rdata = "ns.a."},
    {rrname = "a.", type = "SOA", rdata = {mname = "ns.a.", rname = "root.a.", serial = 2024, refresh = 1, retry = 2, expire = 3, minimum = 4}},
    {rrname = "a.", type = "MX", rdata = {preference = 5, exchange = "mx.a."}},
    {rrname = "a.", type = "TXT", rdata = {{text = "v=spf1"}, {text = "-all"}}},
    {rrname = "_sip._udp.a.", type = "SRV", rdata = {priority = 1, weight = 2, port = 5060, target = "sip.a."}},
    {rrname = "a.", type = "HTTPS", rdata = "\0\1\0"},
    DNSRR{rrname = "b.", type = "CNAME", rdata = "a."},
  }
  local p = DNS{qr = 1, an = list, ns = {{type = "NS", rdata = "a.root."}}, ar = {{type = "OPT", rclass = 1232, z = 0x8000, rdata = {{"NSID", "x"}, {"EDE", code = 3, text = "stale"}}}}}
  local q = DNS:parse(bytes(p))
  check.equal(q, p)
  check.equal({q.ancount, q.nscount, q.arcount}, {9, 1, 1})
  check.equal(q.an[4].rdata.serial, 2024)
  check.equal(q.an[6].rdata[2].text, "-all")
  check.equal(q.an[7].rdata.port, 5060)
  check.equal(q.an[8].rdata, "\0\1\0")
  check.equal(q.an[9].rdata, "a.")
  check.equal(q.ar[1].rdata[2][2].code, 3)
  check.equal(q.ar[1].z, 0x8000)
end)

test("records of an update may have no data", function()
  local b = fromhex[[
    00 01 28 00  00 01 00 02  00 00 00 00  01 61 00  00 06 00 01
    01 62 c0 0c  00 01 00 ff  00 00 00 00  00 00
    01 63 c0 0c  00 01 00 fe  00 00 00 00  00 04  0a 00 00 01]]
  local p = DNS:parse(b)
  check.equal({p.opcode, p.an[1].rrname, p.an[1].rdata, p.an[2].rdata}, {5, "b.a.", "", "\10\0\0\1"})
  check.equal(bytes(p), b)
end)

test("a response answers its question, on any of the ports", function()
  local q = udp(DNS{id = 7, qd = {{qname = "a"}}})
  local r = IP{src = "10.0.0.53", dst = "10.0.0.1"} / UDP{sport = 53, dport = 4000} / DNS{id = 7, qr = 1, qd = {{qname = "a"}}}
  check.truthy(r:answers(q))
  check.falsy(q:answers(q))
  r.DNS.id = 8
  check.falsy(r:answers(q))
  for _, port in ipairs{5353, 5355} do
    check.truthy(IP:parse(bytes(IP{dst = "224.0.0.251"} / UDP{sport = port, dport = port} / DNS{qd = {{qname = "a.local"}}})).DNS)
  end
end)

test("names that run in circles, and counts of what is not there, do no harm", function()
  for _, hex in ipairs{
    "000101000001000000000000c00c00010001",                 -- points at itself
    "0001010000010000000000000161c00e00010001",             -- forwards
    "00010100ffffffffffffffff",                             -- nothing of what is promised
    "0001010000010000000000003f6161",                       -- a label that is cut
    "000101000000000100000000 0000010001 00000000 ffff 0a", -- data that are cut
    "0001",
  } do
    local b = fromhex(hex)
    local p = DNS:parse(b)
    check.equal(bytes(p), b)
    p:summary()
    p:json()
  end
  check.raises("more than 63 octets", function() return DNS{qd = {{qname = ("x"):rep(64)}}} end)
end)
