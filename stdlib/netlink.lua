-- The Lua side of the module netlink: what is found when a script says its
-- name, from the files in netlink/.

-- Where a name of the module is declared. A file is read at the first use of
-- one of its names.
local FILES = {
  generic = "generic", genl = "genl", generic_message = "generic_message", ethtool = "ethtool", taskstats = "taskstats",
  wireguard = "wireguard", diag = "diag", uevents = "uevents", parse_uevent = "uevents", proc = "proc", parse_proc = "proc",
  decode = "decode", hexdump = "decode", capture = "capture",
  rtnl = "rtnl", route = "iproute", collect = "iproute",
}

-- The families whose messages the library knows: what netlink.policy has to say
-- about them is read when the first socket of the family is made.
local FAMILIES = {
  route = "family_route", generic = "family_generic", netfilter = "family_netfilter", sock_diag = "family_sock_diag",
  xfrm = "family_xfrm", audit = "family_audit",
}

local constants
setmetatable(netlink, {families = FAMILIES, __index = function(_, name)
  local file = FILES[name]
  if file then
    local value = require("netlink." .. file)
    -- A file that declares several names has set them itself.
    if rawget(netlink, name) == nil then rawset(netlink, name, value) end
    return rawget(netlink, name)
  end
  if type(name) == "string" and name:find("^[A-Z]") then
    constants = constants or require("netlink.constants")
    return constants[name]
  end
end})
