-- Counters of links beyond those in a link message: linux/if_link.h,
-- struct if_stats_msg, IFLA_STATS_*.
local words = require "netlink.words"

local attrs, multi, struct = netlink.attrs, netlink.multi, netlink.struct

local function counters(name, names)
  local members = {}
  for i, member in ipairs(names) do members[i] = { member, "u64" } end
  return struct(name, members)
end

local stats64 = counters("link_stats64", {
  "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped",
  "multicast", "collisions", "rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors",
  "rx_fifo_errors", "rx_missed_errors", "tx_aborted_errors", "tx_carrier_errors", "tx_fifo_errors",
  "tx_heartbeat_errors", "tx_window_errors", "rx_compressed", "tx_compressed", "rx_nohandler", "rx_otherhost_dropped",
})

-- Counters by the kind of the link, LINK_XSTATS_TYPE_*: linux/if_bridge.h, linux/if_bonding.h.
local xstats = attrs("link_xstats", {
  { "BRIDGE", 1, attrs("bridge_xstats", {
    { "VLAN", 1, multi(struct("bridge_vlan_xstats", {
      { "rx_bytes", "u64" }, { "rx_packets", "u64" }, { "tx_bytes", "u64" }, { "tx_packets", "u64" },
      { "vid", "u16" }, { "flags", "u16", flags = { "MASTER", "PVID", "UNTAGGED", "RANGE_BEGIN", "RANGE_END", "BRENTRY" } },
      { "pad", "u32" },
    })) },
    { "MCAST", 2, counters("bridge_mcast_stats", {
      "igmp_v1queries_rx", "igmp_v1queries_tx", "igmp_v2queries_rx", "igmp_v2queries_tx", "igmp_v3queries_rx",
      "igmp_v3queries_tx", "igmp_leaves_rx", "igmp_leaves_tx", "igmp_v1reports_rx", "igmp_v1reports_tx",
      "igmp_v2reports_rx", "igmp_v2reports_tx", "igmp_v3reports_rx", "igmp_v3reports_tx", "igmp_parse_errors",
      "mld_v1queries_rx", "mld_v1queries_tx", "mld_v2queries_rx", "mld_v2queries_tx", "mld_leaves_rx", "mld_leaves_tx",
      "mld_v1reports_rx", "mld_v1reports_tx", "mld_v2reports_rx", "mld_v2reports_tx", "mld_parse_errors",
      "mcast_bytes_rx", "mcast_bytes_tx", "mcast_packets_rx", "mcast_packets_tx",
    }) },
    { "STP", 4, counters("bridge_stp_xstats", {
      "transition_blk", "transition_fwd", "rx_bpdu", "tx_bpdu", "rx_tcn", "tx_tcn",
    }) },
  }, { prefix = "BRIDGE_XSTATS_" }) },
  { "BOND", 2, attrs("bond_xstats", {
    { "3AD", 1, attrs("bond_3ad_stats", {
      { "LACPDU_RX", 0, "u64" },
      { "LACPDU_TX", 1, "u64" },
      { "LACPDU_UNKNOWN_RX", 2, "u64" },
      { "LACPDU_ILLEGAL_RX", 3, "u64" },
      { "MARKER_RX", 4, "u64" },
      { "MARKER_TX", 5, "u64" },
      { "MARKER_RESP_RX", 6, "u64" },
      { "MARKER_RESP_TX", 7, "u64" },
      { "MARKER_UNKNOWN_RX", 8, "u64" },
    }, { prefix = "BOND_3AD_STAT_" }) },
  }, { prefix = "BOND_XSTATS_" }) },
}, { prefix = "LINK_XSTATS_TYPE_" })

local hw_info = attrs("offload_hw_info", { { "REQUEST", 1, "u8" }, { "USED", 2, "u8" } },
  { prefix = "IFLA_OFFLOAD_XSTATS_HW_S_INFO_" })

return netlink.message("stats", {
  { "family", "u8", names = words.family },
  { "pad1", "u8" },
  { "pad2", "u16" },
  { "ifindex", "u32" },
  { "filter_mask", "u32", flags = { "link_64", "link_xstats", "link_xstats_slave", "link_offload_xstats", "af_spec" } },
}, {
  doc = "Counters of a link, of the sorts whose bit is set in filter_mask: linux/if_link.h.",
  prefix = "IFLA_STATS_",
  key = { "ifindex" },
  event = { [92] = "RTM_NEWSTATS", [94] = "RTM_GETSTATS", [95] = "RTM_SETSTATS" },
  attrs = {
    { "LINK_64", 1, stats64 },
    { "LINK_XSTATS", 2, xstats },
    { "LINK_XSTATS_SLAVE", 3, xstats },
    { "LINK_OFFLOAD_XSTATS", 4, attrs("link_offload_xstats", {
      { "CPU_HIT", 1, stats64 },
      { "HW_S_INFO", 2, netlink.map(hw_info), nested = true }, -- by the number of another sort of counters
      { "L3_STATS", 3, counters("hw_stats64", {
        "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped", "multicast",
      }) },
    }, { prefix = "IFLA_OFFLOAD_XSTATS_" }) },
    { "AF_SPEC", 5, attrs("stats_af_spec", {
      { "MPLS", 28, attrs("mpls_stats", {
        { "LINK", 1, counters("mpls_link_stats", {
          "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped", "rx_noroute",
        }) },
      }, { prefix = "MPLS_STATS_" }) },
    }, { prefix = "AF_" }) },
  },
})
