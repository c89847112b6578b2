-- Generic netlink: nlctrl, families by name, and classes of one's own.

local ctrl = require "netlink.ctrl"

test("N118: CTRL GETFAMILY is the octets of the reference, in both directions", function()
  local octets = netlink.encode(ctrl, {cmd = 3, version = 1, family_name = "nlctrl"}, {type = 16, flags = 1, seq = 0, pid = 7})
  check.bytes(octets, "20 00 00 00  10 00 01 00  00 00 00 00  07 00 00 00  03 01 00 00  0b 00 02 00  6e 6c 63 74 72 6c 00 00")
  local m = netlink.parse(ctrl, octets)
  check.equal({m.cmd, m.version, m.family_name, m.event}, {3, 1, "nlctrl", "CTRL_CMD_GETFAMILY"})
  check.equal(m:get_attr("CTRL_ATTR_FAMILY_NAME"), "nlctrl")
end)

-- What a kernel says of ethtool, cut to two operations.
local NEWFAMILY = netlink.encode(ctrl, {
  cmd = "NEWFAMILY", version = 2, family_name = "ethtool", family_id = 21, hdrsize = 0, maxattr = 0,
  ops = {{id = 1, flags = {"do", "dump"}}, {id = 3, flags = {"admin-perm", "do"}}},
  mcast_groups = {{name = "monitor", id = 7}},
}, {type = 16, seq = 1})

test("a family's description: operations and groups are lists", function()
  local m = netlink.parse(ctrl, NEWFAMILY)
  check.equal(m.event, "CTRL_CMD_NEWFAMILY")
  check.equal(m:get("ops", 2, "id"), 3)
  check.equal(m:get("mcast_groups")[1].name, "monitor")
  check.equal(m:get("ops")[1].flags, "do+dump")
end)

test("policies: rules by policy and attribute", function()
  local m = netlink.parse(ctrl, netlink.encode(ctrl, {
    cmd = "GETPOLICY", version = 2, family_id = 21,
    op_policy = {[3] = {["do"] = 4}}, policy = {[4] = {[1] = {type = "nested", policy_idx = 5, policy_maxtype = 4}, [2] = {type = "u8"}}},
  }), {header = false})
  check.equal(m:get("op_policy")[3]["do"], 4)
  local rules = m:get("policy")[4]
  check.equal({rules[1].type, rules[1].policy_idx, rules[2].type}, {"nested", 5, "u8"})
end)

local metrics = netlink.generic_message("spec_metrics", {
  prefix = "TCP_METRICS_ATTR_", version = 1, command_prefix = "TCP_METRICS_CMD_", commands = {GET = 1, DEL = 2},
  attrs = {{"ADDR_IPV4", 1, "ip4"}, {"ADDR_IPV6", 2, "ip6"}, {"AGE", 3, "u64"}},
})

test("a class of one's own: commands by name, the version filled in", function()
  local octets = netlink.encode(metrics, {cmd = "DEL", addr_ipv4 = "10.0.0.1"})
  check.bytes(octets, "02 01 00 00  08 00 01 00  0a 00 00 01")
  local m = metrics:parse(octets, {header = false})
  check.equal({m.cmd, m.event, m.addr_ipv4}, {2, "TCP_METRICS_CMD_DEL", "10.0.0.1"})
end)

test("N063: messages of generic netlink survive dump, JSON and load", function()
  for _, m in ipairs{netlink.parse(ctrl, NEWFAMILY), metrics:parse(netlink.encode(metrics, {cmd = "GET", age = 77}), {header = false})} do
    local again = netlink.load(m:dump())
    check.equal(bytes(again), bytes(m))
    check.equal(again, m)
    check.equal(bytes(netlink.load(m:json())), bytes(m))
  end
end)

test("commands and replies are numbered apart where the family does", function()
  local c = netlink.generic_message("spec_directional", {
    commands = {GET = {1, {{"NAME", 1, "asciiz"}}}, SET = {2, {{"VALUE", 1, "u32"}}}},
    replies = {GET_REPLY = {1, {{"VALUE", 1, "u64"}}}, NTF = {2, {{"TEXT", 1, "asciiz"}}}},
    command_prefix = "SPEC_",
  })
  local ask = netlink.parse(c, netlink.encode(c, {cmd = 1, name = "x"}, {type = 30, flags = netlink.NLM_F_REQUEST}))
  check.equal({ask.event, ask.name}, {"SPEC_GET", "x"})
  local told = netlink.parse(c, netlink.encode(c, {cmd = 2, text = "y"}, {type = 30}))
  check.equal({told.event, told.text}, {"SPEC_NTF", "y"})
end)

test("a class with fields of its own behind the header", function()
  local c = netlink.generic_message("spec_header", {
    header = {{"ifindex", "u32"}}, commands = {GET = 1}, attrs = {{"NAME", 1, "asciiz"}},
  })
  check.bytes(netlink.encode(c, {cmd = "GET", ifindex = 3, name = "a"}), "01 01 00 00  03 00 00 00  06 00 01 00  61 00 00 00")
end)

-- The reference sends these to a kernel module that echoes them; here they go
-- through the codec, and to a socket that has no room.
local long = netlink.generic_message("spec_long", {commands = {ECHO = 1}, attrs = {{"DATA", 1, "bytes"}}})

test("N065: an attribute of 65000 octets comes back as it was, one of 66000 cannot be encoded", function()
  for _, n in ipairs{0, 1, 65000, 65530, 65531} do
    local data = ("x"):rep(n)
    check.equal(long:parse(netlink.encode(long, {cmd = "ECHO", data = data}), {header = false}):get("data") == data, true)
  end
  for _, n in ipairs{65532, 66000} do
    local err = check.raises("range", netlink.encode, long, {cmd = "ECHO", data = ("x"):rep(n)})
    check.matches(err.message, "DATA")
  end
end)

if not clock.virtual then
  test("N065: a message that is longer than the send buffer is EMSGSIZE", function()
    local s = netlink.socket{family = "generic", sndbuf = 4096}
    s:register_policy(0x77, long)
    local err = check.raises("system", s.put, s, {cmd = "ECHO", data = ("x"):rep(65530)}, 0x77)
    check.equal(err.errno, 90)
    s:close()
  end)

  test("N092: what needs a family before bind says so", function()
    local g = netlink.generic()
    local err = check.raises("argument", function() return g.prid end)
    check.equal(err.message, "generic netlink protocol id is not obtained yet, run bind() before placing any requests")
    check.raises("argument", g.add_membership, g, "monitor")
    g:close()
  end)

  test("families by name: id, operations, groups", function()
    local g = netlink.generic()
    local f = g:family("nlctrl")
    check.equal({f.id, f.name, f.groups.notify}, {16, "nlctrl", 16})
    check.truthy(#f.ops > 0)
    check.equal({f.ops[1].id, f.ops[1].name}, {3, "GETFAMILY"})
    check.matches(tostring(f), "nlctrl id 0x10 version 2")
    local names = {}
    for _, one in ipairs(g:families()) do names[one.name] = one.id end
    check.equal(names.nlctrl, 16)
    check.equal(g:family("ethtool").id, names.ethtool)
    g:close()
  end)

  test("a family that is not there: kind missing, with what there is", function()
    local g = netlink.generic()
    local err = check.raises("missing", g.family, g, "no_such_thing")
    check.matches(err.message, "no generic netlink family no_such_thing")
    check.matches(err.hint, "modprobe no_such_thing")
    check.matches(err.hint, "nlctrl")
    check.matches(check.raises("missing", g.family, g, "Ethtool").hint, "there is ethtool")
    check.matches(check.raises("missing", g.bind, g, "ethtool", nil, {groups = {"nope"}}).hint, "groups: monitor")
    g:close()
    check.raises("missing", netlink.genl, "no_such_thing")
  end)

  test("bind as pyroute2 has it: prid, groups by name, messages of the class", function()
    local s = netlink.generic()
    s:bind("nlctrl", ctrl, {groups = {"notify"}})
    check.equal(s.prid, 16)
    local list = s:request({cmd = 3, version = 2, family_name = "nlctrl"}, s.prid, netlink.NLM_F_REQUEST)
    check.equal(list[1].family_name, "nlctrl")
    s:put({cmd = 3, version = 2, family_name = "nlctrl"}, s.prid, netlink.NLM_F_REQUEST, nil, 33)
    check.equal(s:get{msg_seq = 33}[1].family_id, 16)
    s:drop_membership("notify")
    s:close()
  end)

  test("commands by name; what the class does not have is told with what it has", function()
    local f = netlink.genl("nlctrl")
    local n = 0
    for m in f:dump("GETFAMILY") do n = n + (m.event == "CTRL_CMD_NEWFAMILY" and 1 or 0) end
    check.truthy(n > 2)
    check.equal(f:get("getfamily", {family_name = "nlctrl"}).family_id, 16)
    local err = check.raises("argument", f.request, f, "GETFAMILIES")
    check.matches(err.hint, "GETFAMILY")
    f:close()
  end)

  test("a family or command that is not there is an error with its place", function()
    local err = check.raises("missing", netlink.genl, "no_such")
    check.equal(err.errno, 2)
    check.matches(tostring(err), "^the kernel has no generic netlink family no_such, at .+:%d+$")
    local f = netlink.genl("nlctrl")
    check.matches(tostring(check.raises("argument", f.get, f, "GETFAMLY")), "has no command GETFAMLY, at .+:%d+$")
    f:close()
  end)

  test("the kernel's own rules for a family", function()
    local f = netlink.genl("nlctrl")
    local p = f:policy()
    check.equal(type(p.ops[3]["do"]), "number")
    check.truthy(p.ops[3].dump == nil or type(p.ops[3].dump) == "number") -- older kernels check no dumps
    local rules = p.policies[p.ops[3]["do"]]
    check.equal(rules[1].type, "u16")
    check.equal(rules[2].type, "nul-string")
    f:close()
  end)

  test("a family of one's own class, from declaration to answer in a few lines", function()
    local ok, f = pcall(netlink.genl, "tcp_metrics", metrics)
    if not ok then check.skip(f.message) end
    local walk, state = f:dump("GET")
    for m in walk do check.truthy(m.event) end
    check.truthy(not state.interrupted)
    local err = check.raises("missing", f.request, f, "GET", {addr_ipv4 = "203.0.113.9"})
    check.matches(err.message, "^tcp_metrics GET: no such process")
    f:close()
  end)
end
