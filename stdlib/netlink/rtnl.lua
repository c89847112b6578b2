-- The message classes of rtnetlink by name, each loaded at its first use:
-- netlink.rtnl.link, addr, route, neigh, rule, qdisc, tclass, filter, chain,
-- action, nexthop, nsid, netconf, neightbl, stats, prefix, nduseropt, mdb,
-- vlandb, addrlabel. help(netlink.rtnl.link) says what is in one. What a link's
-- kind adds is in netlink.rtnl.kinds.vxlan and its siblings, what it adds to the
-- ports of a bridge or a bond in netlink.rtnl.ports.
local route = require "netlink.family_route"

return setmetatable({}, {
  __index = function(t, name)
    if name == "kinds" or name == "ports" then
      local kinds = require "netlink.kinds"
      t.kinds, t.ports = kinds.data, kinds.slave
    elseif route.classes[name] then
      t[name] = route.class(name)
    end
    return rawget(t, name)
  end,
})
