-- Prefixes from router advertisements: linux/rtnetlink.h, struct prefixmsg.
local words = require "netlink.words"

return netlink.message("prefix", {
  { "family", "u8", names = words.family },
  { "pad1", "u8" },
  { "pad2", "u16" },
  { "ifindex", "s32" },
  { "type", "u8" }, -- of the option: 3
  { "len", "u8" },
  -- IF_PREFIX_*, or the letters of the option's own bits (RFC 4861 §4.6.2), which newer kernels tell.
  { "flags", "u8", flags = { "onlink", "autoconf", "", "", "P", "R", "A", "L" } },
  { "pad3", "u8" },
}, {
  doc = "A prefix that a router announced, RFC 4861 §4.6.2: struct prefixmsg. Times in seconds.",
  prefix = "PREFIX_",
  text = function(m, o) return require "netlink.print".prefix(m, o) end,
  words = function(m, name, o) return require "netlink.print".member(m, name, o) end,
  key = { "ifindex", "len", "PREFIX_ADDRESS" },
  event = { [52] = "RTM_NEWPREFIX" },
  attrs = {
    { "ADDRESS", 1, "ip6" },
    { "CACHEINFO", 2, netlink.struct("prefix_cacheinfo", { { "preferred_time", "u32" }, { "valid_time", "u32" } }) },
  },
})
