-- What may be configured of IP on an interface: linux/netconf.h, struct netconfmsg.
local words = require "netlink.words"

return netlink.message("netconf", {
  { "family", "u8", names = words.family },
  { "pad1", "u8" }, -- the structure is one octet, and the kernel wants it filled up
  { "pad2", "u16" },
}, {
  doc = "How a family treats an interface; the index -1 is all, -2 the default: linux/netconf.h.",
  prefix = "NETCONFA_",
  text = function(m, o) return require "netlink.print".netconf(m, o) end,
  words = function(m, name, o) return require "netlink.print".member(m, name, o) end,
  key = { "family", "NETCONFA_IFINDEX" },
  event = { [80] = "RTM_NEWNETCONF", [81] = "RTM_DELNETCONF", [82] = "RTM_GETNETCONF" },
  attrs = {
    { "IFINDEX", 1, "s32" },
    { "FORWARDING", 2, "s32" },
    { "RP_FILTER", 3, "s32", enum = { [0] = "off", [1] = "strict", [2] = "loose" } },
    { "MC_FORWARDING", 4, "s32" },
    { "PROXY_NEIGH", 5, "s32" },
    { "IGNORE_ROUTES_WITH_LINKDOWN", 6, "s32" },
    { "INPUT", 7, "s32" },
    { "BC_FORWARDING", 8, "s32" },
    { "FORCE_FORWARDING", 9, "s32" },
  },
})
