-- Addresses of interfaces: linux/if_addr.h, struct ifaddrmsg.
local words = require "netlink.words"

-- IFA_F_*, bit 0 first. ip(8) calls the first one "temporary" for IPv6.
local FLAGS = {
  "secondary", "nodad", "optimistic", "dadfailed", "home", "deprecated", "tentative", "permanent", "mngtmpaddr",
  "noprefixroute", "autojoin", "stable-privacy",
}

return netlink.message("addr", {
  { "family", "u8", names = words.family },
  { "prefixlen", "u8" },
  { "flags", "u8", flags = { "secondary", "nodad", "optimistic", "dadfailed", "home", "deprecated", "tentative", "permanent" } },
  { "scope", "u8", names = words.scope },
  { "index", "u32" },
}, {
  doc = "An address of an interface: linux/if_addr.h. A link's multicast and anycast addresses come in the same " ..
    "form. Times in seconds and hundredths.",
  prefix = "IFA_",
  text = function(m, o) return require "netlink.print".addr(m, o) end,
  words = function(m, name, o) return require "netlink.print".member(m, name, o) end,
  -- A peer's address is ADDRESS, one's own LOCAL; IPv6 has only ADDRESS when they are the same.
  key = { "family", "index", "prefixlen", "IFA_LOCAL", "IFA_ADDRESS", "IFA_MULTICAST", "IFA_ANYCAST" },
  event = {
    [20] = "RTM_NEWADDR", [21] = "RTM_DELADDR", [22] = "RTM_GETADDR",
    [56] = "RTM_NEWMULTICAST", [57] = "RTM_DELMULTICAST", [58] = "RTM_GETMULTICAST",
    [60] = "RTM_NEWANYCAST", [61] = "RTM_DELANYCAST", [62] = "RTM_GETANYCAST",
  },
  attrs = {
    { "ADDRESS", 1, "addr" },
    { "LOCAL", 2, "addr" },
    { "LABEL", 3, "asciiz" },
    { "BROADCAST", 4, "addr" },
    { "ANYCAST", 5, "addr" },
    { "CACHEINFO", 6, netlink.struct("ifa_cacheinfo", {
      { "ifa_preferred", "u32" }, { "ifa_valid", "u32" }, { "cstamp", "u32" }, { "tstamp", "u32" },
    }) },
    { "MULTICAST", 7, "addr" },
    { "FLAGS", 8, "u32", flags = FLAGS },
    { "RT_PRIORITY", 9, "u32" },
    { "TARGET_NETNSID", 10, "s32" },
    { "PROTO", 11, "u8", enum = { [0] = "unspec", [1] = "kernel_lo", [2] = "kernel_ra", [3] = "kernel_ll" } },
  },
})
