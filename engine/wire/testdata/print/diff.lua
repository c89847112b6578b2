-- Two packets side by side, and one octet explained.
local p = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"} / IP{src = "10.0.0.1", dst = "10.0.0.2"}
  / UDP{sport = 1000, dport = 9999} / ("x"):rep(40)
local q = p:copy()
q.IP.ttl = 3
q.UDP.payload = ("x"):rep(35) .. "y"
print(p:diff(q))
print(p:diff(IP{src = "10.0.0.1", dst = "10.0.0.3"} / TCP{flags = "A", ack = 7}))
print("[" .. p:diff(p:copy()) .. "]")
q.IP.chksum = 1
for _, octet in ipairs{0, 14, 17, 22, 24, 41, 60} do print(q:why(octet)) end
print(Ether.parse(bytes(q)):why(25))
print((IP{options = {{"RR", 4, {"10.0.0.3"}}, "NOP"}}):why(24))
