-- The tree: defaults, automatic values, what was set and where; then the same
-- packet as it is read, with a checksum that is wrong.
local p = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}
  / IP{src = "10.0.0.1", dst = "10.0.0.2"}
  / TCP{sport = 1000, dport = 80, options = {{"MSS", 1460}, "SAckOK", {"Timestamp", 1, 2}}}
  / "GET / HTTP/1.0\r\n"
p.IP.ttl = 3
p.IP.chksum = 0xdead
p:show()
Ether.parse(bytes(p)):show()
Ether.parse(bytes(p):sub(1, 60)):show()
