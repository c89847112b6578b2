-- The marshal: octets to messages, policies, keys, parsers; the number pool.

local addr, link = netlink.rtnl.addr, netlink.rtnl.link

local LO = fromhex[[
  4c000000 1400 0200 02010000 c54e0000  02 08 80 fe 01000000
  0800 0100 7f000001  0800 0200 7f000001  0700 0300 6c6f0000
  0800 0800 80000000  1400 0600 ffffffff ffffffff 05010000 05010000]]

local GRE = fromhex[[
  84000000100005064961035500000000000000000000000000000000000000000a0003006d677265300000005800120008000100677265004c0002000800
  04000000000008000500000000000600020000000000060003000000000008000600c0a87a0108000700c0a87a3c05000a000100000005000800100000000500
  090000000000240000000200000049610355f52f00000000000084000000100005064961035500000000]]

local function check_lo(msgs)
  check.equal(#msgs, 1)
  local m = msgs[1]
  check.equal({m.header.length, m.header.type, m.header.flags, m.header.seq, m.header.pid}, {76, 20, 2, 258, 20165})
  check.equal({m:get("family"), m:get("prefixlen"), m:get("index"), m:get_attr("IFA_ADDRESS"), m:get_attr("IFA_LOCAL"), m:get_attr("IFA_LABEL")},
    {2, 8, 1, "127.0.0.1", "127.0.0.1", "lo"})
  local c = m:get_attr("IFA_CACHEINFO")
  check.equal({c.ifa_preferred, c.ifa_valid, c.cstamp, c.tstamp}, {4294967295, 4294967295, 261, 261})
  check.equal(tohex(m:get_encoded("IFA_FLAGS")), "80000000")
  check.equal(tohex(bytes(m)), tohex(LO))
end

local function check_gre(msgs)
  check.equal(#msgs, 2)
  local m = msgs[1]
  check.equal({m.event, m.header.length, m.header.flags, m.header.seq}, {"RTM_NEWLINK", 132, 1541, 1426284873})
  check.equal({m.ifname, m.linkinfo.kind}, {"mgre0", "gre"})
  local d = m.linkinfo.data
  check.equal({d.ikey, d.okey, d["local"], d.remote, d.pmtudisc, d.ttl, d.tos}, {0, 0, "192.168.122.1", "192.168.122.60", 1, 16, 0})
  check.equal({#d:get_encoded("iflags"), #d:get_encoded("oflags")}, {2, 2})
  local e = msgs[2]
  check.equal({e.event, e.header.type, e.header.error, e.header.pid}, {"NLMSG_ERROR", 2, nil, 12277})
  check.equal({e.header.errmsg.header.type, e.header.errmsg.header.seq}, {16, 1426284873})
end

local ROUTE = {[20] = addr, [16] = link}

test("N040: the dump of lo's address is one message", function()
  check_lo(netlink.marshal{policy = ROUTE}:parse(LO))
end)

test("N041: the creation of a gre device and its acknowledgement are two messages", function()
  check_gre(netlink.marshal{policy = ROUTE}:parse(GRE))
end)

test("N043: a key of another place, length and mask", function()
  local m = netlink.marshal{policy = {[20 * 65536] = addr, [16 * 65536] = link}, key = {format = "I", offset = 2, mask = 0xffff0000}}
  check_lo(m:parse(LO))
  check_gre(m:parse(GRE))
end)

test("N044: the same key without classes for it finds none", function()
  local m = netlink.marshal{policy = ROUTE, key = {format = "u32", offset = 2, mask = 0xffff0000}}
  local msg = m:parse(LO)[1]
  check.equal({msg.prefixlen, msg.header.type}, {nil, 20})
  check.equal(msg:notes()[1].text, "no class is registered for message type 20")
  check.equal(tohex(bytes(msg)), tohex(LO))
end)

test("N045: a parser for one sequence number", function()
  local seen = 0
  local function parser(octets, seq)
    seen = seen + 1
    check.equal(seq, 258)
    return netlink.parse(addr, octets)
  end
  check_lo(netlink.marshal{seq_map = {[258] = parser}}:parse(LO))
  check.equal(seen, 1)
  check_lo(netlink.marshal{seq_map = {[258] = addr}}:parse(LO))
  local n = 0
  local out = netlink.marshal{seq_map = {[1426284873] = function() n = n + 1 end}}:parse(GRE)
  check.equal({#out, n}, {0, 2}) -- nil leaves a message out
  check.equal(netlink.marshal{seq_map = {[1426284873] = function(o) return #o end}}:parse(GRE), {132, 36})
  check.raises("argument", netlink.marshal, {seq_map = {[1] = 5}})
end)

test("N047: a class whose attributes are computed: names and types by number", function()
  local rows = {}
  for i = 1, 10 do rows[i] = {"NLA_" .. i, i, "hex"} end
  local adapted = netlink.message("adapted", {{"family", "u8"}, {"prefixlen", "u8"}, {"flags", "u8"}, {"scope", "u8"}, {"index", "u32"}}, {prefix = "IFA_", attrs = rows})
  local m = netlink.marshal{policy = {[20] = adapted}}:parse(LO)[1]
  local names = {}
  for _, a in ipairs(m.attrs) do names[#names + 1] = "IFA_" .. a[1] .. "=" .. a[2] end
  check.equal(table.concat(names, " "), "IFA_NLA_1=7f:00:00:01 IFA_NLA_2=7f:00:00:01 IFA_NLA_3=6c:6f:00 IFA_NLA_8=80:00:00:00 "
    .. "IFA_NLA_6=ff:ff:ff:ff:ff:ff:ff:ff:05:01:00:00:05:01:00:00")
  -- The encoding adapter is the type that it is written as.
  local c = netlink.attrs("c", {{"N", 1, "hex", write = "asciiz"}})
  local e = c{n = "lo"}
  check.equal({tohex(e:get_encoded("n")), e.n}, {"6c6f00", "6c:6f:00"})
end)

test("N049: few octets, a length of zero, padding, lengths that cannot be", function()
  local m = netlink.marshal{policy = ROUTE}
  for n = 0, 15 do check.equal(#m:parse(LO:sub(1, n)), 0) end
  check.equal(#m:parse(("\0"):rep(100)), 0)
  check.equal(#m:parse(LO .. ("\0"):rep(64000 - #LO)), 1)
  -- A message of 17 octets does not put the next one out of step.
  local odd = fromhex"11000000 6300 0000 00000000 00000000 ff000000"
  local out = m:parse(odd .. LO)
  check.equal({#out, out[1].header.length, out[2].header.type}, {2, 17, 20})
  -- What is broken is delivered raw, with the reason.
  out = m:parse(LO .. LO:sub(1, 40))
  check.equal({#out, #bytes(out[2])}, {2, 40})
  check.equal(out[2]:notes()[1].text, "40 octets are there")
  out = m:parse(fromhex"05000000 1400 0000 00000000 00000000 ffff")
  check.equal({#out, #bytes(out[1])}, {1, 18})
end)

test("a callback sees the messages of its sequence number, and can take them", function()
  local m, seen = netlink.marshal{policy = ROUTE}, {}
  check.equal(#m:parse(LO .. GRE, 258, function(msg) seen[#seen + 1] = msg.event return true end), 2)
  check.equal(seen, {"RTM_NEWADDR"})
  check.equal(#m:parse(LO .. GRE, 258, function() end), 3)
  local err = check.raises("", function() m:parse(LO, 258, function() error("mine", 0) end) end)
  check.matches(tostring(err), "mine")
end)

test("N118: an error with the header of its request", function()
  local want = fromhex"24000000 0200 0000 07000000 00000000 efffffff 14000000 1000 0500 07000000 00000000"
  local e = netlink.marshal():parse(want)[1]
  check.equal({e.event, e.header.error.code, e.header.error.kind}, {"NLMSG_ERROR", 17, "exists"})
  check.matches(e.header.error.message, "file exists")
  check.equal({e.header.errmsg.header.type, e.header.errmsg.header.flags}, {16, 5})
end)

test("N118: what close puts in the queue", function()
  local octets = fromhex("1c000000020000000000000000000000 68000000 0000000000000000000000000000000000000000")
  local msgs = netlink.marshal():parse(octets)
  check.equal({#msgs, msgs[1].event, msgs[1].header.error.code, msgs[1].header.seq}, {1, "NLMSG_ERROR", 104, 0})
end)

-- ---- policies ----

test("N020: get_policy_map gives a table", function()
  check.equal(type(netlink.marshal():get_policy_map()), "table")
end)

test("N021: register_policy, get_policy_map and unregister_policy by number, list and table", function()
  local m = netlink.marshal()
  m:register_policy(100, link)
  m:register_policy{[101] = link}
  m:register_policy(102, link)
  local map = m:get_policy_map()
  check.equal({map[100] == link, map[101] == link, map[102] == link}, {true, true, true})
  check.equal({m:get_policy_map(101)[101] == link, m:get_policy_map{102}[102] == link}, {true, true})
  check.equal(m:get_policy_map(101)[100], nil)
  m:unregister_policy(100)
  m:unregister_policy{101}
  m:unregister_policy{[102] = link}
  check.equal(next(m:get_policy_map()), nil)
  check.raises("argument", function() m:unregister_policy(100) end)
  check.raises("argument", function() m:get_policy_map(100) end)
  check.raises("argument", function() m:register_policy(100, {}) end)
end)

test("a family's policy, by name", function()
  check_lo(netlink.marshal{policy = "route"}:parse(LO))
  check.raises("argument", netlink.marshal, {policy = "nosuch"})
end)

test("a marshal's policy is its own", function()
  local a, b = netlink.marshal{policy = ROUTE}, netlink.marshal{policy = ROUTE}
  a:register_policy(99, link)
  a:unregister_policy(20)
  check.equal({b:get_policy_map()[99], b:get_policy_map()[20] == addr}, {nil, true})
end)

test("a class may be a function that is asked at its first use", function()
  local asked = 0
  local m = netlink.marshal{policy = {[20] = function() asked = asked + 1 return addr end}}
  check.equal(asked, 0)
  check_lo(m:parse(LO))
  check_lo(m:parse(LO))
  check.equal(asked, 1)
end)

-- ---- the number pool ----

local function all(pool)
  local n = 0
  while pcall(function() pool:alloc() end) do n = n + 1 end
  return n
end

test("N080: 1 to 1024 are 1024 numbers", function()
  local p = netlink.pool{min = 1, max = 1024}
  check.equal(all(p), 1024)
  check.matches(check.raises("missing", function() p:alloc() end).message, "no free address available")
end)

test("N081: 1 to 1020 are 1020 numbers", function() check.equal(all(netlink.pool{min = 1, max = 1020}), 1020) end)

test("N082: in reverse each number is smaller", function()
  local p, last = netlink.pool{min = 1, max = 1024, reverse = true}, 1025
  for _ = 1, 1024 do
    local n = p:alloc()
    check.equal(n < last, true)
    last = n
  end
  check.equal(last, 1)
end)

test("N083: a number that is freed is free", function()
  local p = netlink.pool{min = 1, max = 1024}
  local f = p:alloc()
  p:free(f)
  check.equal({p.allocated, p:alloc() == f}, {0, true})
end)

test("N084: freeing what is not allocated is an error", function()
  check.raises("missing", function() netlink.pool{min = 1, max = 1024}:free(0) end)
  check.raises("missing", function() netlink.pool{min = 1, max = 1024, reverse = true}:free(0) end)
end)

test("N085: locate", function()
  local p = netlink.pool()
  local f = p:alloc()
  local cell1, bit1, used1 = p:locate(f)
  local cell2, bit2, used2 = p:locate(f + 1)
  check.equal({cell1 == cell2, bit2 - bit1, used1, used2, p.allocated}, {true, 1, true, false, 1})
end)

test("N086: setaddr allocated", function()
  local p = netlink.pool()
  local f = p:alloc()
  local _, _, used = p:locate(f + 1)
  check.equal({used, p.allocated}, {false, 1})
  p:setaddr(f + 1, "allocated")
  _, _, used = p:locate(f + 1)
  check.equal({used, p.allocated}, {true, 2})
  p:setaddr(f + 1, "allocated")
  check.equal(p.allocated, 2)
  p:free(f + 1)
  check.equal({select(3, p:locate(f + 1)), p.allocated}, {false, 1})
end)

test("N087: setaddr free", function()
  local p = netlink.pool()
  local f = p:alloc()
  p:setaddr(f + 1, "free")
  check.equal({select(3, p:locate(f + 1)), p.allocated}, {false, 1})
  p:setaddr(f, "free")
  check.equal({select(3, p:locate(f)), p.allocated}, {false, 0})
  check.raises("missing", function() p:free(f) end)
  check.raises("argument", function() p:setaddr(f, "lost") end)
end)

test("a ban keeps a number away for so many allocations", function()
  local p = netlink.pool{min = 1, max = 100}
  local n = p:alloc()
  p:free(n, 3)
  check.equal({p:alloc(), p:alloc(), p:alloc()}, {2, 3, 4})
  check.equal(p:alloc(), 1)
  -- As pyroute2's requests do it: numbers 255 to 510, again and again.
  p = netlink.pool{min = 255, max = 0xffff}
  local most = 0
  for _ = 1, 2000 do
    local seq = p:alloc()
    most = math.max(most, seq)
    p:free(seq, 255)
  end
  check.equal(most, 510)
end)

test("a number that frees itself", function()
  local p = netlink.pool{min = 1, max = 10, release = 2}
  check.equal({p:alloc(), p:alloc(), p:alloc(), p:alloc()}, {1, 2, 3, 1})
end)
