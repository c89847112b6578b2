-- A packet is a stack of layers. What you set is sent as it stands; what you
-- leave out is computed when the packet is encoded.

local p = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}
  / IP{src = "10.0.0.1", dst = "10.0.0.2"}
  / UDP{sport = 1000, dport = 9999} / ("x"):rep(22)

print(p)                    -- one line
print("octets", #p)
p:show()             -- every field, and where its value comes from
p.IP:diagram()       -- the header as the RFC draws it, with this packet's values

-- Reading an automatic field gives the value that would be sent.
print("checksum", ("0x%04x"):format(p.IP.chksum))
p.IP.ttl = 3
print("with ttl 3", ("0x%04x"):format(p.IP.chksum))

-- Wrong on purpose, and automatic again.
p.IP.chksum = 0xdead
print("set", tohex(bytes(p)):sub(49, 52))
p.IP.chksum = nil
print("automatic", tohex(bytes(p)):sub(49, 52))

-- Parsing gives the same packet back. Lengths and checksums that were right
-- follow an edit.
local q = Ether.parse(bytes(p))
print("equal", q == p)
q.UDP.payload = "hi"
print("after the edit", #q, q.IP.len, q.UDP.len)
print(q:diff(p))
