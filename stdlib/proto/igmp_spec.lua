local function over(igmp) return IP{src = "10.0.0.1", dst = "224.0.0.1"} / igmp end

test("a query of version 2, that no router passes on", function()
  local p = over(IGMP{type = "query", mrcode = 100})
  check.bytes(p, [[
    45 00 00 1c  00 00 00 00  01 02 cf de  0a 00 00 01  e0 00 00 01   -- IP, ttl 1
    11 64 ee 9b  00 00 00 00]])
  check.equal(IP:parse(bytes(p)).IGMP.qrv, nil, "nothing of version 3 is there")
  check.equal((IP{ttl = 5} / IGMP{}).IP.ttl, 5)
end)

test("a query of version 3 is told by its length", function()
  local p = over(IGMP{mrcode = 100, gaddr = "239.1.1.1", s = 1, qrv = 2, qqic = 125, srcaddrs = {"10.0.0.7", "10.0.0.8"}})
  check.bytes(bytes(p):sub(21), [[
    11 64 e0 0a  ef 01 01 01  0a 7d 00 02  0a 00 00 07  0a 00 00 08]])
  local q = IP:parse(bytes(p))
  check.equal(q, p)
  check.equal({q.IGMP.qrv, q.IGMP.numsrc, q.IGMP.srcaddrs[2]}, {2, 2, "10.0.0.8"})
end)

test("a report of version 3 has a record for every group", function()
  local p = over(IGMP{type = "report-v3", records = {
    {rtype = "to-exclude", maddr = "239.1.1.1"},
    {rtype = "allow-new", maddr = "239.1.1.2", srcaddrs = {"10.0.0.1"}}}})
  check.bytes(bytes(p):sub(21), [[
    22 00 ea f4  00 00 00 02
    04 00 00 00  ef 01 01 01
    05 00 00 01  ef 01 01 02  0a 00 00 01]])
  local q = IP:parse(bytes(p))
  check.equal(q, p)
  check.equal({q.IGMP.numgrp, q.IGMP.records[2].maddr, q.IGMP.records[2].srcaddrs[1]}, {2, "239.1.1.2", "10.0.0.1"})
end)

test("reports and leaves name their group; what is cut does no harm", function()
  for type, number in pairs{["report-v1"] = 0x12, report = 0x16, leave = 0x17} do
    local p = IGMP{type = type, gaddr = "239.1.1.1"}
    check.equal(bytes(p):byte(1), number)
    check.equal(IGMP:parse(bytes(p)).gaddr, "239.1.1.1")
  end
  for _, hex in ipairs{"22 00 00 00 00 00 ff ff 04 00", "11", "11 64 ee 9b 00 00", "11 64 00 00 ef 01 01 01 0a 7d ff ff"} do
    local b = fromhex(hex)
    local p = IGMP:parse(b)
    check.equal(bytes(p), b)
    p:summary()
  end
end)
