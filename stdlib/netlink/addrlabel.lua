-- Labels of IPv6 prefixes, RFC 6724 §2.1: linux/if_addrlabel.h, struct ifaddrlblmsg.
local words = require "netlink.words"

return netlink.message("addrlabel", {
  { "family", "u8", names = words.family },
  { "pad", "u8" },
  { "prefixlen", "u8" },
  { "flags", "u8" },
  { "index", "u32" },
  { "seq", "u32" },
}, {
  doc = "A label by which a source address is chosen: linux/if_addrlabel.h.",
  prefix = "IFAL_",
  key = { "family", "index", "prefixlen", "IFAL_ADDRESS" },
  event = { [72] = "RTM_NEWADDRLABEL", [73] = "RTM_DELADDRLABEL", [74] = "RTM_GETADDRLABEL" },
  attrs = {
    { "ADDRESS", 1, "addr" },
    { "LABEL", 2, "u32" },
  },
})
