local constants = require "netlink.constants"
local route = require "netlink.family_route"

test("groups go by the kernel's names, in lower case", function()
  local n = 0
  for name, number in pairs(constants) do
    local group = type(name) == "string" and name:match "^RTNLGRP_(.*)"
    if group and group ~= "NONE" and not group:find "^NOP" then
      check.equal(group .. "=" .. tostring(route.groups[group:lower()]), group .. "=" .. number)
      n = n + 1
    end
  end
  for group, number in pairs(route.groups) do
    local name = "RTNLGRP_" .. group:upper():gsub("^DECNET", "DECnet")
    check.equal(constants[name], number)
  end
  check.equal(n > 30, true)
end)

test("message types go by the kernel's names, and each has its class", function()
  local policy = netlink.marshal{ policy = "route" }:get_policy_map()
  for name, number in pairs(route.types) do
    check.equal(name .. "=" .. tostring(constants[name]), name .. "=" .. number)
    local class = policy[number]
    if type(class) == "function" then class = class() end -- it is not loaded yet
    check.equal(name .. " " .. tostring(class ~= nil), name .. " true")
    local m = class:parse(class:encode({}, { type = number }))
    check.equal(m.event, name)
  end
end)

test("every member that tells an object from another is one of its class", function()
  for name in pairs(route.classes) do
    local class = netlink.rtnl[name]
    if type(class.key) == "table" then
      for _, member in ipairs(class.key) do
        check.equal(name .. "." .. member .. " " .. tostring(class:has(member)), name .. "." .. member .. " " .. (class:has(member) or "there"))
      end
    end
  end
end)

test("a bridge's entry is known by its link address, a neighbour by its IP address", function()
  local neigh = netlink.rtnl.neigh
  local function key(t) return { neigh.key(neigh:parse(neigh:encode(t, { type = 28 }))) } end
  check.equal(key{ family = 2, ifindex = 3, DST = "10.0.0.1", LLADDR = "02:00:00:00:00:01" },
    key{ family = 2, ifindex = 3, DST = "10.0.0.1", LLADDR = "02:00:00:00:00:02", state = "STALE" })
  local a = key{ family = 7, ifindex = 3, LLADDR = "02:00:00:00:00:01" }
  local b = key{ family = 7, ifindex = 3, LLADDR = "02:00:00:00:00:02" }
  check.equal(a[3] == b[3], false)
  check.equal(key{ family = 7, ifindex = 3, LLADDR = "02:00:00:00:00:01", VLAN = 5 }[4], 5)
end)

test("there are no classes of what there is not", function()
  check.equal(netlink.rtnl.nothing, nil)
end)

test("each kind of a link says what it is", function()
  local n = 0
  for kind, class in pairs(netlink.rtnl.kinds) do
    check.equal(kind .. ": " .. tostring(class.doc ~= nil and class.doc ~= ""), kind .. ": true")
    n = n + 1
  end
  check.equal(n >= 30, true)
  check.equal(netlink.rtnl.ports.bridge:has "isolated", "attr")
end)

test("words are written as well as numbers, flags in any form", function()
  local link = netlink.rtnl.link
  local function bond(mode)
    return link:parse(link:encode({ linkinfo = { kind = "bond", data = { mode = mode } } }, { type = 16 })).linkinfo.data.mode
  end
  check.equal(bond "802.3ad", "802.3ad")
  check.equal(bond(4), "802.3ad")
  check.raises("range", function() bond(300) end)
  check.raises("argument", function() bond "802.3zz" end)
  for _, flags in ipairs { "UP+BROADCAST", 3, "BROADCAST,UP" } do
    check.equal(link:parse(link:encode({ flags = flags }, { type = 16 })).flags, "UP+BROADCAST")
  end
  check.equal(link:parse(link:encode({ flags = 0x80000001 }, { type = 16 })).flags, "UP+0x80000000")
end)

test("an attribute that is read as one type and written as another", function()
  -- IFLA_INET_CONF: the kernel tells all values one after another, and takes a nest of those that change.
  local link = netlink.rtnl.link
  check.bytes(link:encode({ af_spec = { inet = { conf = { forwarding = 1, rp_filter = 2 } } } }, { type = 16 }):sub(33), [[
    1c 00 1a 00  18 00 02 00  14 00 01 00
    08 00 01 00 01 00 00 00  08 00 08 00 02 00 00 00]])
  local read = link:parse(link:encode({ [26] = fromhex "10000200 0c000100 01000000 00000000" }, { type = 16 }))
  check.equal(read.af_spec.inet.conf.forwarding, 1)
  check.equal(read.af_spec.inet.conf.rp_filter, nil)
end)

test("a veth's peer is a link in a link", function()
  local link = netlink.rtnl.link
  local m = link:parse(link:encode({ ifname = "a", linkinfo = { kind = "veth", data = { peer = {
    ifname = "b", flags = "UP", linkinfo = { kind = "veth" },
  } } } }, { type = 16 }))
  check.equal(m:get("linkinfo", "data", "peer", "ifname"), "b")
  check.equal(m.linkinfo.data.peer.flags, "UP")
  check.equal(m.linkinfo.data.peer.linkinfo.kind, "veth")
end)

test("a next hop's length and a packet's options end where they say", function()
  local route = netlink.rtnl.route
  local m = route:parse(route:encode({ family = 2, multipath = {
    { ifindex = 1, gateway = "10.0.0.1" }, { ifindex = 2, encap_type = "mpls", encap = { dst = { 100 } } },
  } }, { type = 24 }))
  check.equal(#m.multipath, 2)
  check.equal(m.multipath[1].gateway, "10.0.0.1")
  check.equal(m.multipath[2].encap.dst[1].label, 100)

  local option = netlink.rtnl.nduseropt
  m = option:parse(option:encode({ family = 10, ifindex = 3, icmp_type = 134, options = fromhex "1901000000000e10",
    srcaddr = "fe80::1" }, { type = 68 }))
  check.equal({ m.opts_len, tohex(m.options), m.srcaddr }, { 8, "1901000000000e10", "fe80::1" })
end)

test("a group is asked for with other attributes than it is told with", function()
  local mdb = netlink.rtnl.mdb
  local ask = mdb:parse(mdb:encode({ family = 7, ifindex = 4, set_entry = { ifindex = 5, state = "permanent", vid = 3 } },
    { type = 84, flags = 1 }))
  check.equal(ask.set_entry.vid, 3)
  local told = mdb:parse(mdb:encode({ family = 7, ifindex = 4, mdb = { entry = { { info = { { ifindex = 5, vid = 3, timer = 9 } } } } } },
    { type = 84 }))
  check.equal(told.mdb.entry[1].info[1].timer, 9)
end)

if not clock.virtual then
  test("sockets of the family share no policy", function()
    local a, b = netlink.socket{ family = "route" }, netlink.socket{ family = "route" }
    local own = netlink.message("own", { { "x", "u32" } }, {})
    a:register_policy(16, own)
    check.equal(tostring(a:get_policy_map()[16]), "netlink class own")
    check.equal(tostring(b:get_policy_map()[16]) == "netlink class own", false)
    check.equal(tostring(netlink.marshal{ policy = "route" }:get_policy_map()[16]) == "netlink class own", false)
    a:close()
    b:close()
  end)
end
