-- Numbers of network namespaces: linux/net_namespace.h, struct rtgenmsg.
local words = require "netlink.words"

return netlink.message("nsid", {
  { "family", "u8", names = words.family },
  { "pad1", "u8" }, -- the structure is one octet, and the kernel wants it filled up
  { "pad2", "u16" },
}, {
  doc = "The number that a namespace has in another, -1 for none: linux/net_namespace.h.",
  prefix = "NETNSA_",
  text = function(m, o) return require "netlink.print".nsid(m, o) end,
  words = function(m, name, o) return require "netlink.print".member(m, name, o) end,
  key = { "NETNSA_NSID" },
  event = { [88] = "RTM_NEWNSID", [89] = "RTM_DELNSID", [90] = "RTM_GETNSID" },
  attrs = {
    { "NSID", 1, "s32" },
    { "PID", 2, "u32" },
    { "FD", 3, "u32" },
    { "TARGET_NSID", 4, "s32" },
    { "CURRENT_NSID", 5, "s32" },
  },
})
