-- Next hops that routes share: linux/nexthop.h, struct nhmsg.
local words = require "netlink.words"
local encap = require "netlink.encap"

local array, attrs, by, multi, struct = netlink.array, netlink.attrs, netlink.by, netlink.multi, netlink.struct

-- NHA_OP_FLAG_*, bit 0 first; the last one says that the kernel knows 16 bits of weight.
local OP_FLAGS = { "dump_stats", "dump_hw_stats" }
for bit = 3, 31 do OP_FLAGS[bit] = "" end
OP_FLAGS[32] = "resp_grp_resvd_0"

return netlink.message("nexthop", {
  { "family", "u8", names = words.family },
  { "scope", "u8", names = words.scope },
  { "protocol", "u8", names = words.protocol },
  { "resvd", "u8" },
  { "flags", "u32", flags = words.nexthop_flags },
}, {
  doc = "A next hop, or a group of them: linux/nexthop.h. Times in hundredths of a second.",
  prefix = "NHA_",
  text = function(m, o) return require "netlink.print".nexthop(m, o) end,
  words = function(m, name, o) return require "netlink.print".member(m, name, o) end,
  key = { "NHA_ID", "NHA_RES_BUCKET" },
  event = {
    [104] = "RTM_NEWNEXTHOP", [105] = "RTM_DELNEXTHOP", [106] = "RTM_GETNEXTHOP",
    [116] = "RTM_NEWNEXTHOPBUCKET", [117] = "RTM_DELNEXTHOPBUCKET", [118] = "RTM_GETNEXTHOPBUCKET",
  },
  attrs = {
    { "ID", 1, "u32" },
    { "GROUP", 2, array(struct("nexthop_grp", {
      { "id", "u32" }, { "weight", "u8" }, { "weight_high", "u8" }, { "resvd2", "u16" }, -- the weight less one
    })) },
    { "GROUP_TYPE", 3, "u16", enum = { [0] = "mpath", [1] = "resilient" } },
    { "BLACKHOLE", 4, "flag" },
    { "OIF", 5, "u32" },
    { "GATEWAY", 6, "ipaddr" },
    { "ENCAP_TYPE", 7, "u16", enum = words.encap },
    { "ENCAP", 8, by("encap_type", encap, "bytes"), nested = true },
    { "GROUPS", 9, "flag" },
    { "MASTER", 10, "u32" },
    { "FDB", 11, "flag" },
    { "RES_GROUP", 12, attrs("nexthop_res_group", {
      { "BUCKETS", 1, "u16" },
      { "IDLE_TIMER", 2, "u32" },
      { "UNBALANCED_TIMER", 3, "u32" },
      { "UNBALANCED_TIME", 4, "u64" },
    }, { prefix = "NHA_RES_GROUP_" }), nested = true },
    { "RES_BUCKET", 13, attrs("nexthop_res_bucket", {
      { "INDEX", 1, "u16" },
      { "IDLE_TIME", 2, "u64" },
      { "NH_ID", 3, "u32" },
    }, { prefix = "NHA_RES_BUCKET_" }), nested = true },
    { "OP_FLAGS", 14, "u32", flags = OP_FLAGS },
    { "GROUP_STATS", 15, attrs("nexthop_group_stats", {
      { "ENTRY", 1, multi(attrs("nexthop_group_stats_entry", {
        { "ID", 1, "u32" },
        { "PACKETS", 2, "uint" },
        { "PACKETS_HW", 3, "uint" },
      }, { prefix = "NHA_GROUP_STATS_ENTRY_" })) },
    }, { prefix = "NHA_GROUP_STATS_" }) },
    { "HW_STATS_ENABLE", 16, "u32" },
    { "HW_STATS_USED", 17, "u32" },
  },
})
