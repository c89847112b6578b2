-- VLANs of bridges and their ports: linux/if_bridge.h, struct br_vlan_msg.
local words = require "netlink.words"

local attrs, multi, struct = netlink.attrs, netlink.multi, netlink.struct

local STATE = { [0] = "disabled", [1] = "listening", [2] = "learning", [3] = "forwarding", [4] = "blocking" }

return netlink.message("vlandb", {
  { "family", "u8", names = words.family },
  { "pad1", "u8" },
  { "pad2", "u16" },
  { "ifindex", "u32" },
}, {
  doc = "VLANs of a bridge or a port, with options and counters: linux/if_bridge.h BRIDGE_VLANDB_*.",
  prefix = "BRIDGE_VLANDB_",
  key = { "ifindex", "BRIDGE_VLANDB_ENTRY", "BRIDGE_VLANDB_GLOBAL_OPTIONS" },
  event = { [112] = "RTM_NEWVLAN", [113] = "RTM_DELVLAN", [114] = "RTM_GETVLAN" },
  attrs = {
    { "ENTRY", 1, multi(attrs("vlandb_entry", {
      { "INFO", 1, struct("bridge_vlan_info", {
        { "flags", "u16", flags = { "MASTER", "PVID", "UNTAGGED", "RANGE_BEGIN", "RANGE_END", "BRENTRY", "ONLY_OPTS" } },
        { "vid", "u16" },
      }) },
      { "RANGE", 2, "u16" },
      { "STATE", 3, "u8", enum = STATE },
      { "TUNNEL_INFO", 4, attrs("vlandb_tunnel", { { "ID", 1, "u32" }, { "CMD", 2, "u32" } },
        { prefix = "BRIDGE_VLANDB_TINFO_" }), nested = true },
      { "STATS", 5, attrs("vlandb_stats", {
        { "RX_BYTES", 1, "u64" }, { "RX_PACKETS", 2, "u64" }, { "TX_BYTES", 3, "u64" }, { "TX_PACKETS", 4, "u64" },
      }, { prefix = "BRIDGE_VLANDB_STATS_" }) },
      { "MCAST_ROUTER", 6, "u8" },
      { "MCAST_N_GROUPS", 7, "u32" },
      { "MCAST_MAX_GROUPS", 8, "u32" },
      { "NEIGH_SUPPRESS", 9, "u8" },
    }, { prefix = "BRIDGE_VLANDB_ENTRY_" })), nested = true },
    { "GLOBAL_OPTIONS", 2, multi(attrs("vlandb_global", {
      { "ID", 1, "u16" },
      { "RANGE", 2, "u16" },
      { "MCAST_SNOOPING", 3, "u8" },
      { "MCAST_IGMP_VERSION", 4, "u8" },
      { "MCAST_MLD_VERSION", 5, "u8" },
      { "MCAST_LAST_MEMBER_CNT", 6, "u32" },
      { "MCAST_STARTUP_QUERY_CNT", 7, "u32" },
      { "MCAST_LAST_MEMBER_INTVL", 8, "u64" },
      { "MCAST_MEMBERSHIP_INTVL", 10, "u64" },
      { "MCAST_QUERIER_INTVL", 11, "u64" },
      { "MCAST_QUERY_INTVL", 12, "u64" },
      { "MCAST_QUERY_RESPONSE_INTVL", 13, "u64" },
      { "MCAST_STARTUP_QUERY_INTVL", 14, "u64" },
      { "MCAST_QUERIER", 15, "u8" },
      { "MCAST_ROUTER_PORTS", 16, "bytes" },
      { "MCAST_QUERIER_STATE", 17, "bytes" },
      { "MSTI", 18, "u16" },
    }, { prefix = "BRIDGE_VLANDB_GOPTS_" })), nested = true },
  },
})
