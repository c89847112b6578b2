-- What sockets of the family "route" know from the start: the class of each
-- message type, loaded at the first message of it, and the multicast groups by
-- name, linux/rtnetlink.h RTM_* and RTNLGRP_*. Every socket has a policy of its
-- own, made from this one.

-- File and, where a file declares several, the class in it.
local CLASSES = {
  link = { "link" }, addr = { "addr" }, route = { "route" }, neigh = { "neigh" }, rule = { "rule" },
  qdisc = { "tc", "qdisc" }, tclass = { "tc", "class" }, filter = { "tc", "filter" }, chain = { "tc", "chain" },
  action = { "tc", "action" },
  prefix = { "prefix" }, neightbl = { "neightbl" }, nduseropt = { "nduseropt" }, addrlabel = { "addrlabel" },
  netconf = { "netconf" }, mdb = { "mdb" }, nsid = { "nsid" }, stats = { "stats" }, nexthop = { "nexthop" },
  vlandb = { "vlandb" },
}

-- Message types by what they are about: NEW, DEL, GET and SET follow one
-- another, and not every one of the four exists.
local TYPES = {
  { "link", 16, "LINK", "NEW DEL GET SET" },
  { "addr", 20, "ADDR", "NEW DEL GET" },
  { "route", 24, "ROUTE", "NEW DEL GET" },
  { "neigh", 28, "NEIGH", "NEW DEL GET" },
  { "rule", 32, "RULE", "NEW DEL GET" },
  { "qdisc", 36, "QDISC", "NEW DEL GET" },
  { "tclass", 40, "TCLASS", "NEW DEL GET" },
  { "filter", 44, "TFILTER", "NEW DEL GET" },
  { "action", 48, "ACTION", "NEW DEL GET" },
  { "prefix", 52, "PREFIX", "NEW" },
  { "addr", 56, "MULTICAST", "NEW DEL GET" },
  { "addr", 60, "ANYCAST", "NEW DEL GET" },
  { "neightbl", 64, "NEIGHTBL", "NEW - GET SET" },
  { "nduseropt", 68, "NDUSEROPT", "NEW" },
  { "addrlabel", 72, "ADDRLABEL", "NEW DEL GET" },
  { "netconf", 80, "NETCONF", "NEW DEL GET" },
  { "mdb", 84, "MDB", "NEW DEL GET" },
  { "nsid", 88, "NSID", "NEW DEL GET" },
  { "stats", 92, "STATS", "NEW - GET SET" },
  { "chain", 100, "CHAIN", "NEW DEL GET" },
  { "nexthop", 104, "NEXTHOP", "NEW DEL GET" },
  { "link", 108, "LINKPROP", "NEW DEL GET" },
  { "vlandb", 112, "VLAN", "NEW DEL GET" },
  { "nexthop", 116, "NEXTHOPBUCKET", "NEW DEL GET" },
}

-- Multicast groups from number 1; some numbers are not in use.
local GROUPS = {
  "link", "notify", "neigh", "tc", "ipv4_ifaddr", "ipv4_mroute", "ipv4_route", "ipv4_rule", "ipv6_ifaddr",
  "ipv6_mroute", "ipv6_route", "ipv6_ifinfo", "decnet_ifaddr", "-", "decnet_route", "decnet_rule", "-", "ipv6_prefix",
  "ipv6_rule", "nd_useropt", "phonet_ifaddr", "phonet_route", "dcb", "ipv4_netconf", "ipv6_netconf", "mdb",
  "mpls_route", "nsid", "mpls_netconf", "ipv4_mroute_r", "ipv6_mroute_r", "nexthop", "brvlan", "mctp_ifaddr", "tunnel",
  "stats", "ipv4_mcaddr", "ipv6_mcaddr", "ipv6_acaddr",
}

local function class(name)
  local file, member = CLASSES[name][1], CLASSES[name][2]
  local value = require("netlink." .. file)
  return member and value[member] or value
end

local policy, types, groups = {}, {}, {}
for _, row in ipairs(TYPES) do
  local name, number, about = row[1], row[2], row[3]
  for verb in row[4]:gmatch "%S+" do
    if verb ~= "-" then
      policy[number] = function() return class(name) end
      types["RTM_" .. verb .. about] = number
    end
    number = number + 1
  end
end
for number, name in ipairs(GROUPS) do
  if name ~= "-" then groups[name] = number end
end

netlink.policy("route", policy, { groups = groups, types = types })

return { class = class, classes = CLASSES, groups = groups, types = types }
