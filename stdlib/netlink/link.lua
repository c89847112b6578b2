-- Network interfaces: linux/if_link.h, struct ifinfomsg of linux/rtnetlink.h.
local words = require "netlink.words"
local kinds = require "netlink.kinds"

local attrs, by, multi, struct = netlink.attrs, netlink.by, netlink.multi, netlink.struct

-- A struct of counters that have the same width.
local function counters(name, type, names)
  local members = {}
  for i, member in ipairs(names) do members[i] = { member, type } end
  return struct(name, members)
end

local STATS = {
  "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped", "tx_dropped",
  "multicast", "collisions", "rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors",
  "rx_fifo_errors", "rx_missed_errors", "tx_aborted_errors", "tx_carrier_errors", "tx_fifo_errors",
  "tx_heartbeat_errors", "tx_window_errors", "rx_compressed", "tx_compressed", "rx_nohandler",
}
---Counters of a link, 32 bits: struct rtnl_link_stats.
local stats = counters("link_stats", "u32", STATS)
STATS[#STATS + 1] = "rx_otherhost_dropped"
---Counters of a link, 64 bits: struct rtnl_link_stats64.
local stats64 = counters("link_stats64", "u64", STATS)

---What an interface does with IPv4, by IPV4_DEVCONF_* of linux/ip.h. The kernel
---tells all of them one after another, and takes a nest.
local IPV4 = {
  "forwarding", "mc_forwarding", "proxy_arp", "accept_redirects", "secure_redirects", "send_redirects",
  "shared_media", "rp_filter", "accept_source_route", "bootp_relay", "log_martians", "tag", "arpfilter", "medium_id",
  "noxfrm", "nopolicy", "force_igmp_version", "arp_announce", "arp_ignore", "promote_secondaries", "arp_accept",
  "arp_notify", "accept_local", "src_vmark", "proxy_arp_pvlan", "route_localnet",
  "igmpv2_unsolicited_report_interval", "igmpv3_unsolicited_report_interval", "ignore_routes_with_linkdown",
  "drop_unicast_in_l2_multicast", "drop_gratuitous_arp", "bc_forwarding", "arp_evict_nocarrier",
}
local ipv4_rows = {}
for number, name in ipairs(IPV4) do ipv4_rows[number] = { name:upper(), number, "s32" } end
local ipv4_set = attrs("ipv4_devconf_set", ipv4_rows, { prefix = "IPV4_DEVCONF_" })

---What an interface does with IPv6, by DEVCONF_* of linux/ipv6.h.
local ipv6_devconf = counters("ipv6_devconf", "s32", {
  "forwarding", "hoplimit", "mtu6", "accept_ra", "accept_redirects", "autoconf", "dad_transmits", "rtr_solicits",
  "rtr_solicit_interval", "rtr_solicit_delay", "use_tempaddr", "temp_valid_lft", "temp_prefered_lft",
  "regen_max_retry", "max_desync_factor", "max_addresses", "force_mld_version", "accept_ra_defrtr",
  "accept_ra_pinfo", "accept_ra_rtr_pref", "rtr_probe_interval", "accept_ra_rt_info_max_plen", "proxy_ndp",
  "optimistic_dad", "accept_source_route", "mc_forwarding", "disable_ipv6", "accept_dad", "force_tllao",
  "ndisc_notify", "mldv1_unsolicited_report_interval", "mldv2_unsolicited_report_interval", "suppress_frag_ndisc",
  "accept_ra_from_local", "use_optimistic", "accept_ra_mtu", "stable_secret", "use_oif_addrs_only",
  "accept_ra_min_hop_limit", "ignore_routes_with_linkdown", "drop_unicast_in_l2_multicast", "drop_unsolicited_na",
  "keep_addr_on_down", "rtr_solicit_max_interval", "seg6_enabled", "seg6_require_hmac", "enhanced_dad",
  "addr_gen_mode", "disable_policy", "accept_ra_rt_info_min_plen", "ndisc_tclass", "rpl_seg_enabled",
  "ra_defrtr_metric", "ioam6_enabled", "ioam6_id", "ioam6_id_wide", "ndisc_evict_nocarrier", "accept_untracked_na",
  "accept_ra_min_lft", "force_forwarding",
})

-- The first counter is how many counters there are: linux/snmp.h.
local ipv6_stats = counters("ipv6_stats", "u64", {
  "num", "inpkts", "inoctets", "indelivers", "outforwdatagrams", "outpkts", "outoctets", "inhdrerrors",
  "intoobigerrors", "innoroutes", "inaddrerrors", "inunknownprotos", "intruncatedpkts", "indiscards", "outdiscards",
  "outnoroutes", "reasmtimeout", "reasmreqds", "reasmoks", "reasmfails", "fragoks", "fragfails", "fragcreates",
  "inmcastpkts", "outmcastpkts", "inbcastpkts", "outbcastpkts", "inmcastoctets", "outmcastoctets", "inbcastoctets",
  "outbcastoctets", "csumerrors", "noectpkts", "ect1pkts", "ect0pkts", "cepkts", "reasm_overlaps",
})
local icmp6_stats = counters("icmp6_stats", "u64", {
  "num", "inmsgs", "inerrors", "outmsgs", "outerrors", "csumerrors", "ratelimithost",
})

---What IPv6 says of a link: linux/if_link.h IFLA_INET6_*, linux/if_addr.h.
local inet6 = attrs("link_inet6", {
  { "FLAGS", 1, "u32", flags = { "", "", "", "", "rs_sent", "rcvd", "managed", "otherconf" } },
  { "CONF", 2, ipv6_devconf },
  { "STATS", 3, ipv6_stats },
  { "MCAST", 4, "bytes" },
  { "CACHEINFO", 5, struct("ifla_cacheinfo", {
    { "max_reasm_len", "u32" }, { "tstamp", "u32" }, { "reachable_time", "u32" }, { "retrans_time", "u32" },
  }) },
  { "ICMP6STATS", 6, icmp6_stats },
  { "TOKEN", 7, "ip6" },
  { "ADDR_GEN_MODE", 8, "u8", enum = { [0] = "eui64", [1] = "none", [2] = "stable_secret", [3] = "random" } },
  { "RA_MTU", 9, "u32" },
}, { prefix = "IFLA_INET6_" })

-- The attributes that an address family adds to a link.
local af_spec = attrs("af_spec", {
  { "INET", 2, attrs("link_inet", {
    { "CONF", 1, counters("ipv4_devconf", "s32", IPV4), write = ipv4_set },
  }, { prefix = "IFLA_INET_" }) },
  { "INET6", 10, inet6 },
  { "MCTP", 45, attrs("link_mctp", {
    { "NET", 1, "u32" },
    { "PHYS_BINDING", 2, "u8" },
  }, { prefix = "IFLA_MCTP_" }) },
}, { prefix = "AF_" })

-- The same place in messages of the family bridge: linux/if_bridge.h IFLA_BRIDGE_*.
local bridge_vlan_info = struct("bridge_vlan_info", {
  { "flags", "u16", flags = { "MASTER", "PVID", "UNTAGGED", "RANGE_BEGIN", "RANGE_END", "BRENTRY", "ONLY_OPTS" } },
  { "vid", "u16" },
})
local af_bridge = attrs("af_bridge", {
  { "FLAGS", 0, "u16", flags = { "MASTER", "SELF" } },
  { "MODE", 1, "u16", enum = { veb = 0, vepa = 1, undef = 0xffff } },
  { "VLAN_INFO", 2, multi(bridge_vlan_info) },
  { "VLAN_TUNNEL_INFO", 3, multi(attrs("bridge_vlan_tunnel", {
    { "ID", 1, "u32" },
    { "VID", 2, "u16" },
    { "FLAGS", 3, "u16", flags = { "MASTER", "PVID", "UNTAGGED", "RANGE_BEGIN", "RANGE_END" } },
  }, { prefix = "IFLA_BRIDGE_VLAN_TUNNEL_" })) },
  { "MRP", 4, "bytes" },
  { "CFM", 5, "bytes" },
  { "MST", 6, attrs("bridge_mst", {
    { "ENTRY", 1, multi(attrs("bridge_mst_entry", {
      { "MSTI", 1, "u16" },
      { "STATE", 2, "u8", enum = { [0] = "disabled", [1] = "listening", [2] = "learning", [3] = "forwarding", [4] = "blocking" } },
    }, { prefix = "IFLA_BRIDGE_MST_ENTRY_" })) },
  }, { prefix = "IFLA_BRIDGE_MST_" }) },
}, { prefix = "IFLA_BRIDGE_" })

-- Virtual functions: linux/if_link.h IFLA_VF_*, struct ifla_vf_*.
local function vf(name, ...)
  local members = { { "vf", "u32" } }
  for _, member in ipairs { ... } do members[#members + 1] = member end
  return struct("vf_" .. name, members)
end
local vf_info = attrs("vf_info", {
  { "MAC", 1, vf("mac", { "mac", "bytes", size = 32 }) },
  { "VLAN", 2, vf("vlan", { "vlan", "u32" }, { "qos", "u32" }) },
  { "TX_RATE", 3, vf("tx_rate", { "rate", "u32" }) },
  { "SPOOFCHK", 4, vf("spoofchk", { "setting", "u32" }) },
  { "LINK_STATE", 5, vf("link_state", { "link_state", "u32", enum = { [0] = "auto", [1] = "enable", [2] = "disable" } }) },
  { "RATE", 6, vf("rate", { "min_tx_rate", "u32" }, { "max_tx_rate", "u32" }) },
  { "RSS_QUERY_EN", 7, vf("rss_query_en", { "setting", "u32" }) },
  { "STATS", 8, attrs("vf_stats", {
    { "RX_PACKETS", 0, "u64" },
    { "TX_PACKETS", 1, "u64" },
    { "RX_BYTES", 2, "u64" },
    { "TX_BYTES", 3, "u64" },
    { "BROADCAST", 4, "u64" },
    { "MULTICAST", 5, "u64" },
    { "RX_DROPPED", 7, "u64" },
    { "TX_DROPPED", 8, "u64" },
  }, { prefix = "IFLA_VF_STATS_" }) },
  { "TRUST", 9, vf("trust", { "setting", "u32" }) },
  { "IB_NODE_GUID", 10, vf("guid", { "pad", "u32" }, { "guid", "u64" }) }, -- the C struct aligns guid
  { "IB_PORT_GUID", 11, vf("guid", { "pad", "u32" }, { "guid", "u64" }) },
  { "VLAN_LIST", 12, attrs("vf_vlans", {
    { "INFO", 1, multi(vf("vlan_info", { "vlan", "u32" }, { "qos", "u32" }, { "vlan_proto", "be16" }, { "pad", "u16" })) },
  }, { prefix = "IFLA_VF_VLAN_" }) },
  { "BROADCAST", 13, "hex" },
}, { prefix = "IFLA_VF_" })

local port = attrs("link_port", {
  { "VF", 1, "u32" },
  { "PROFILE", 2, "asciiz" },
  { "VSI_TYPE", 3, "hex" },
  { "INSTANCE_UUID", 4, "hex" },
  { "HOST_UUID", 5, "hex" },
  { "REQUEST", 6, "u8" },
  { "RESPONSE", 7, "u16" },
}, { prefix = "IFLA_PORT_" })

local xdp = attrs("xdp", {
  { "FD", 1, "s32" },
  { "ATTACHED", 2, "u8", enum = { [0] = "none", [1] = "drv", [2] = "skb", [3] = "hw", [4] = "multi" } },
  { "FLAGS", 3, "u32", flags = { "UPDATE_IF_NOEXIST", "SKB_MODE", "DRV_MODE", "HW_MODE", "REPLACE" } },
  { "PROG_ID", 4, "u32" },
  { "DRV_PROG_ID", 5, "u32" },
  { "SKB_PROG_ID", 6, "u32" },
  { "HW_PROG_ID", 7, "u32" },
  { "EXPECTED_FD", 8, "s32" },
}, { prefix = "IFLA_XDP_" })

local linkinfo = attrs("linkinfo", {
  { "KIND", 1, "asciiz" },
  { "DATA", 2, by("kind", kinds.data, "bytes") },
  { "XSTATS", 3, "bytes" },
  { "SLAVE_KIND", 4, "asciiz" },
  -- Requests name the kind of the slave in KIND, "bridge_slave", and the kernel in SLAVE_KIND.
  { "SLAVE_DATA", 5, by("slave_kind", kinds.slave, by("kind", {
    bridge_slave = kinds.slave.bridge, bond_slave = kinds.slave.bond,
  }, "bytes")) },
}, { prefix = "IFLA_INFO_" })

local link = netlink.message("link", {
  { "family", "u8", names = words.family },
  { "pad", "u8" },
  { "type", "u16", names = words.arphrd },
  { "index", "s32" },
  { "flags", "u32", flags = {
    "UP", "BROADCAST", "DEBUG", "LOOPBACK", "POINTOPOINT", "NOTRAILERS", "RUNNING", "NOARP", "PROMISC", "ALLMULTI",
    "MASTER", "SLAVE", "MULTICAST", "PORTSEL", "AUTOMEDIA", "DYNAMIC", "LOWER_UP", "DORMANT", "ECHO",
  } },
  { "change", "u32", show = "hex" },
}, {
  doc = "A network interface: linux/if_link.h.",
  prefix = "IFLA_",
  text = function(m, o) return require "netlink.print".link(m, o) end,
  words = function(m, name, o) return require "netlink.print".member(m, name, o) end,
  key = { "family", "index" },
  event = {
    [16] = "RTM_NEWLINK", [17] = "RTM_DELLINK", [18] = "RTM_GETLINK", [19] = "RTM_SETLINK",
    [108] = "RTM_NEWLINKPROP", [109] = "RTM_DELLINKPROP", [110] = "RTM_GETLINKPROP",
  },
  attrs = {
    { "ADDRESS", 1, "lladdr" },
    { "BROADCAST", 2, "lladdr" },
    { "IFNAME", 3, "asciiz" },
    { "MTU", 4, "u32" },
    { "LINK", 5, "u32" },
    { "QDISC", 6, "asciiz" },
    { "STATS", 7, stats },
    { "COST", 8, "bytes" },
    { "PRIORITY", 9, "bytes" },
    { "MASTER", 10, "u32" },
    { "WIRELESS", 11, "bytes" },
    { "PROTINFO", 12, by("family", { [7] = kinds.slave.bridge, [10] = inet6 }, "bytes") },
    { "TXQLEN", 13, "u32" },
    { "MAP", 14, struct("ifmap", {
      { "mem_start", "u64", show = "hex" }, { "mem_end", "u64", show = "hex" }, { "base_addr", "u64", show = "hex" },
      { "irq", "u16" }, { "dma", "u8" }, { "port", "u8" }, { "pad", "u32" },
    }) },
    { "WEIGHT", 15, "u32" },
    { "OPERSTATE", 16, "u8", enum = {
      [0] = "unknown", [1] = "notpresent", [2] = "down", [3] = "lowerlayerdown", [4] = "testing", [5] = "dormant", [6] = "up",
    } },
    { "LINKMODE", 17, "u8", enum = { [0] = "default", [1] = "dormant", [2] = "testing" } },
    { "LINKINFO", 18, linkinfo },
    { "NET_NS_PID", 19, "u32" },
    { "IFALIAS", 20, "asciiz" },
    { "NUM_VF", 21, "u32" },
    { "VFINFO_LIST", 22, attrs("vf_list", { { "INFO", 1, multi(vf_info) } }, { prefix = "IFLA_VF_" }) },
    { "STATS64", 23, stats64 },
    { "VF_PORTS", 24, attrs("vf_ports", { { "PORT", 1, multi(port) } }, { prefix = "IFLA_VF_" }) },
    { "PORT_SELF", 25, port },
    { "AF_SPEC", 26, by("family", { [7] = af_bridge }, af_spec) },
    { "GROUP", 27, "u32" },
    { "NET_NS_FD", 28, "u32" },
    { "EXT_MASK", 29, "u32", flags = {
      "VF", "BRVLAN", "BRVLAN_COMPRESSED", "SKIP_STATS", "MRP", "CFM_CONFIG", "CFM_STATUS", "MST",
    } },
    { "PROMISCUITY", 30, "u32" },
    { "NUM_TX_QUEUES", 31, "u32" },
    { "NUM_RX_QUEUES", 32, "u32" },
    { "CARRIER", 33, "u8" },
    { "PHYS_PORT_ID", 34, "hex" },
    { "CARRIER_CHANGES", 35, "u32" },
    { "PHYS_SWITCH_ID", 36, "hex" },
    { "LINK_NETNSID", 37, "s32" },
    { "PHYS_PORT_NAME", 38, "asciiz" },
    { "PROTO_DOWN", 39, "u8" },
    { "GSO_MAX_SEGS", 40, "u32" },
    { "GSO_MAX_SIZE", 41, "u32" },
    { "XDP", 43, xdp },
    { "EVENT", 44, "u32", enum = {
      [0] = "none", [1] = "reboot", [2] = "feature_change", [3] = "bonding_failover", [4] = "notify_peers",
      [5] = "resend_igmp", [6] = "bonding_options",
    } },
    { "NEW_NETNSID", 45, "s32" },
    { "TARGET_NETNSID", 46, "s32" }, -- also called IFLA_IF_NETNSID
    { "CARRIER_UP_COUNT", 47, "u32" },
    { "CARRIER_DOWN_COUNT", 48, "u32" },
    { "NEW_IFINDEX", 49, "s32" },
    { "MIN_MTU", 50, "u32" },
    { "MAX_MTU", 51, "u32" },
    { "PROP_LIST", 52, attrs("link_props", { { "ALT_IFNAME", 53, multi "asciiz" } }, { prefix = "IFLA_" }), nested = true },
    { "ALT_IFNAME", 53, "asciiz" },
    { "PERM_ADDRESS", 54, "lladdr" },
    { "PROTO_DOWN_REASON", 55, attrs("proto_down_reason", {
      { "MASK", 1, "u32", show = "hex" },
      { "VALUE", 2, "u32", show = "hex" },
    }, { prefix = "IFLA_PROTO_DOWN_REASON_" }) },
    { "PARENT_DEV_NAME", 56, "asciiz" },
    { "PARENT_DEV_BUS_NAME", 57, "asciiz" },
    { "GRO_MAX_SIZE", 58, "u32" },
    { "TSO_MAX_SIZE", 59, "u32" },
    { "TSO_MAX_SEGS", 60, "u32" },
    { "ALLMULTI", 61, "u32" },
    { "DEVLINK_PORT", 62, "bytes" },
    { "GSO_IPV4_MAX_SIZE", 63, "u32" },
    { "GRO_IPV4_MAX_SIZE", 64, "u32" },
    { "DPLL_PIN", 65, attrs("link_dpll_pin", { { "ID", 1, "u32" } }, { prefix = "DPLL_A_PIN_" }) },
    { "MAX_PACING_OFFLOAD_HORIZON", 66, "uint" },
    { "NETNS_IMMUTABLE", 67, "u8" },
    { "HEADROOM", 68, "u16" },
    { "TAILROOM", 69, "u16" },
  },
})

return link
