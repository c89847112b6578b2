-- The expression that builds a packet, and JSON.
local p = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}
  / IP{src = "10.0.0.1", dst = "10.0.0.2", options = {{"RR", 4, {"10.0.0.3"}}, "NOP"}}
  / TCP{sport = 1000, dport = 80, flags = "SA", options = {{"MSS", 1460}, {"WScale", 7}, "SAckOK", {253, "\1\2"}}}
  / "GET / HTTP/1.0\r\n"
print(p:lua())
local q = Ether.parse(bytes(p))
q.IP.chksum = 1
print(q:lua())
print(q:json())
print((ARP{op = "is-at", psrc = "10.0.0.1"}):lua())
print((ARP{op = "is-at", psrc = "10.0.0.1"}):json())
print((IPv6{} / ICMPv6{type = "router-advertisement", options = {{"RDNSS", lifetime = 600, dns = {"fe80::53"}}, {"DNSSL", 0, 600, {"example.com"}}}}):lua())
print((IPv6{} / ICMPv6{type = "mld-report-v2", records = {{rtype = 4, dst = "ff02::5"}}}):json())
print(IP.parse(fromhex"4500 0014"):lua())
