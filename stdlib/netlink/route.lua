-- Routes: linux/rtnetlink.h, struct rtmsg.
local words = require "netlink.words"
local encap = require "netlink.encap"

local array, attrs, by, message, struct = netlink.array, netlink.attrs, netlink.by, netlink.message, netlink.struct

---The address of a next hop of another family: struct rtvia.
local via = struct("rtvia", { { "family", "u16", names = words.family }, { "addr", "ipaddr" } })

---What a connection over the route assumes: RTAX_*. Times in milliseconds,
---rtt in eighths, rttvar in quarters.
local metrics = attrs("metrics", {
  { "LOCK", 1, "u32", flags = { -- bit n: metric n is not to be changed
    "", "", "mtu", "window", "rtt", "rttvar", "ssthresh", "cwnd", "advmss", "reordering", "hoplimit", "initcwnd",
    "features", "rto_min", "initrwnd", "quickack",
  } },
  { "MTU", 2, "u32" },
  { "WINDOW", 3, "u32" },
  { "RTT", 4, "u32" },
  { "RTTVAR", 5, "u32" },
  { "SSTHRESH", 6, "u32" },
  { "CWND", 7, "u32" },
  { "ADVMSS", 8, "u32" },
  { "REORDERING", 9, "u32" },
  { "HOPLIMIT", 10, "u32" },
  { "INITCWND", 11, "u32" },
  { "FEATURES", 12, "u32", flags = { "ecn", "sack", "timestamp", "allfrag", "tcp_usec_ts" } },
  { "RTO_MIN", 13, "u32" },
  { "INITRWND", 14, "u32" },
  { "QUICKACK", 15, "u32" },
  { "CC_ALGO", 16, "asciiz" },
  { "FASTOPEN_NO_COOKIE", 17, "u32" },
}, { prefix = "RTAX_" })

local nexthop = message("rtnexthop", {
  { "len", "u16" },
  { "flags", "u8", flags = words.nexthop_flags },
  { "hops", "u8" }, -- the weight less one
  { "ifindex", "s32" },
}, {
  doc = "One of several next hops: struct rtnexthop, its length first.",
  prefix = "RTA_",
  length = "len",
  attrs = {
    { "GATEWAY", 5, "addr" },
    { "FLOW", 11, "u32" },
    { "VIA", 18, via },
    { "NEWDST", 19, "mpls" },
    { "ENCAP_TYPE", 21, "u16", enum = words.encap },
    { "ENCAP", 22, by("encap_type", encap, "bytes") },
  },
})

return message("route", {
  { "family", "u8", names = words.family },
  { "dst_len", "u8" },
  { "src_len", "u8" },
  { "tos", "u8", show = "hex" },
  { "table", "u8", names = words.table }, -- RTA_TABLE has those that need more
  { "proto", "u8", names = words.protocol },
  { "scope", "u8", names = words.scope },
  { "type", "u8", names = words.route },
  { "flags", "u32", flags = {
    "dead", "pervasive", "onlink", "offload", "linkdown", "unresolved", "trap", "",
    "notify", "cloned", "equalize", "prefix", "lookup_table", "fib_match", "rt_offload", "rt_trap",
    "", "", "", "", "", "", "", "", "", "", "", "", "", "rt_offload_failed",
  } },
}, {
  doc = "A route: linux/rtnetlink.h.",
  prefix = "RTA_",
  text = function(m, o) return require "netlink.print".route(m, o) end,
  words = function(m, name, o) return require "netlink.print".member(m, name, o) end,
  -- Routes to one destination may differ in nothing but where they lead.
  key = {
    "family", "RTA_TABLE", "dst_len", "RTA_DST", "src_len", "RTA_SRC", "tos", "RTA_PRIORITY", "type",
    "RTA_OIF", "RTA_GATEWAY", "RTA_VIA", "RTA_NH_ID", "RTA_IIF",
  },
  event = { [24] = "RTM_NEWROUTE", [25] = "RTM_DELROUTE", [26] = "RTM_GETROUTE" },
  attrs = {
    { "DST", 1, "addr" },
    { "SRC", 2, "addr" },
    { "IIF", 3, "u32" },
    { "OIF", 4, "u32" },
    { "GATEWAY", 5, "addr" },
    { "PRIORITY", 6, "u32" },
    { "PREFSRC", 7, "addr" },
    { "METRICS", 8, metrics },
    { "MULTIPATH", 9, array(nexthop) },
    { "PROTOINFO", 10, "bytes" },
    { "FLOW", 11, "u32" },
    { "CACHEINFO", 12, struct("rta_cacheinfo", {
      { "rta_clntref", "u32" }, { "rta_lastuse", "u32" }, { "rta_expires", "s32" }, { "rta_error", "u32" },
      { "rta_used", "u32" }, { "rta_id", "u32" }, { "rta_ts", "u32" }, { "rta_tsage", "u32" },
    }) },
    { "SESSION", 13, "bytes" },
    { "MP_ALGO", 14, "bytes" },
    { "TABLE", 15, "u32", names = words.table },
    { "MARK", 16, "u32", show = "hex" },
    { "MFC_STATS", 17, struct("rta_mfc_stats", { { "packets", "u64" }, { "bytes", "u64" }, { "wrong_if", "u64" } }) },
    { "VIA", 18, via },
    { "NEWDST", 19, "mpls" },
    { "PREF", 20, "u8", enum = { [0] = "medium", [1] = "high", [3] = "low" } }, -- RFC 4191 §2.1
    { "ENCAP_TYPE", 21, "u16", enum = words.encap },
    { "ENCAP", 22, by("encap_type", encap, "bytes") },
    { "EXPIRES", 23, "u32" },
    { "UID", 25, "u32" },
    { "TTL_PROPAGATE", 26, "u8" },
    { "IP_PROTO", 27, "u8", names = words.ipproto },
    { "SPORT", 28, "be16" },
    { "DPORT", 29, "be16" },
    { "NH_ID", 30, "u32" },
    { "FLOWLABEL", 31, "be32", show = "hex" },
  },
})
