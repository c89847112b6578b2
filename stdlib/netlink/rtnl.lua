-- The message classes of rtnetlink by name, each loaded at its first use:
-- netlink.rtnl.link, addr, route, neigh, rule, qdisc, tclass, filter, chain,
-- action, nexthop, nsid, netconf, neightbl, stats, prefix, nduseropt, mdb,
-- vlandb, addrlabel. help(netlink.rtnl.link) says what is in one.
local route = require "netlink.family_route"

return setmetatable({}, {
  __index = function(t, name)
    if not route.classes[name] then return nil end
    local class = route.class(name)
    rawset(t, name, class)
    return class
  end,
})
