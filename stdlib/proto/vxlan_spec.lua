test("Ethernet in UDP, told by the port, with the number of its network", function()
  local p = IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 4000} / VXLAN{vni = 100} /
    Ether{dst = "02:00:00:00:00:02", src = "02:00:00:00:00:01"} / ARP{psrc = "10.1.0.1", pdst = "10.1.0.2"}
  check.equal(p.UDP.dport, 4789)
  check.bytes(bytes(p):sub(29, 36), "08 00 00 00  00 00 64 00")
  local q = IP:parse(bytes(p))
  check.equal(q, p)
  check.equal(q.ARP.pdst, "10.1.0.2")
  check.matches(q:summary(), "VXLAN vni 100 / Ether / ARP who%-has 10%.1%.0%.2")
end)
