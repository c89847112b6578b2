-- Options of router advertisements that the kernel leaves to programs:
-- linux/rtnetlink.h, struct nduseroptmsg.
local words = require "netlink.words"

return netlink.message("nduseropt", {
  { "family", "u8", names = words.family },
  { "pad1", "u8" },
  { "opts_len", "u16" },
  { "ifindex", "s32" },
  { "icmp_type", "u8" },
  { "icmp_code", "u8" },
  { "pad2", "u16" },
  { "pad3", "u32" },
  { "options", "bytes", size = "opts_len" },
}, {
  doc = "An option of neighbour discovery, such as RDNSS (RFC 8106): struct nduseroptmsg. The option as it was " ..
    "received is `options`.",
  prefix = "NDUSEROPT_",
  event = { [68] = "RTM_NEWNDUSEROPT" },
  attrs = {
    { "SRCADDR", 1, "ip6" },
  },
})
