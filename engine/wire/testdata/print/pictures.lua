-- Diagrams and hexdumps.
local p = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}
  / IP{src = "10.0.0.1", dst = "10.0.0.2", options = {{"RR", 4, {"10.0.0.3"}}, "NOP"}}
  / TCP{sport = 1000, dport = 80, flags = "SA", options = {{"MSS", 1460}, {"WScale", 7}, "SAckOK"}}
  / "GET / HTTP/1.0\r\n"
p:diagram()
hexdump(p)
p:hexdump{fields = true}
p = IPv6{src = "fe80::1", dst = "fe80::2"} / IPv6ExtHdrRouting{addresses = {"fe80::3"}} / UDP{sport = 1, dport = 2}
p:diagram()
