-- What stands in IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA of a link, by the
-- kind of the link: linux/if_link.h, and the headers named below. A kind
-- without attributes of its own (dummy, ifb, nlmon, team, wireguard …) needs no
-- row here.
local words = require "netlink.words"

local array, attrs, list, multi, struct = netlink.array, netlink.attrs, netlink.list, netlink.multi, netlink.struct

local vlan_protocol = { ["802.1Q"] = 0x8100, ["802.1ad"] = 0x88a8 }
local df = { [0] = "unset", [1] = "set", [2] = "inherit" }
local port_range = struct("port_range", { { "low", "be16" }, { "high", "be16" } })

local data, slave = {}, {}

data.veth = attrs("veth", {
  { "PEER", 1, function() return require "netlink.link" end },
}, { prefix = "VETH_INFO_", doc = "A pair of cables: linux/veth.h. The peer is a link message of its own." })

local vlan_qos = attrs("vlan_qos", {
  { "MAPPING", 1, multi(struct("vlan_qos_mapping", { { "from", "u32" }, { "to", "u32" } })) },
}, { prefix = "IFLA_VLAN_QOS_" })
data.vlan = attrs("vlan", {
  { "ID", 1, "u16" },
  { "FLAGS", 2, struct("vlan_flags", {
    { "flags", "u32", flags = { "REORDER_HDR", "GVRP", "LOOSE_BINDING", "MVRP", "BRIDGE_BINDING" } },
    { "mask", "u32", show = "hex" },
  }) },
  { "EGRESS_QOS", 3, vlan_qos },
  { "INGRESS_QOS", 4, vlan_qos },
  { "PROTOCOL", 5, "be16", enum = vlan_protocol },
}, { prefix = "IFLA_VLAN_", doc = "A VLAN on another link: linux/if_link.h IFLA_VLAN_*." })

data.vxlan = attrs("vxlan", {
  { "ID", 1, "u32" },
  { "GROUP", 2, "ip4" },
  { "LINK", 3, "u32" },
  { "LOCAL", 4, "ip4" },
  { "TTL", 5, "u8" },
  { "TOS", 6, "u8" },
  { "LEARNING", 7, "u8" },
  { "AGEING", 8, "u32" },
  { "LIMIT", 9, "u32" },
  { "PORT_RANGE", 10, port_range },
  { "PROXY", 11, "u8" },
  { "RSC", 12, "u8" },
  { "L2MISS", 13, "u8" },
  { "L3MISS", 14, "u8" },
  { "PORT", 15, "be16" },
  { "GROUP6", 16, "ip6" },
  { "LOCAL6", 17, "ip6" },
  { "UDP_CSUM", 18, "u8" },
  { "UDP_ZERO_CSUM6_TX", 19, "u8" },
  { "UDP_ZERO_CSUM6_RX", 20, "u8" },
  { "REMCSUM_TX", 21, "u8" },
  { "REMCSUM_RX", 22, "u8" },
  { "GBP", 23, "flag" },
  { "REMCSUM_NOPARTIAL", 24, "flag" },
  { "COLLECT_METADATA", 25, "u8" },
  { "LABEL", 26, "be32" },
  { "GPE", 27, "flag" },
  { "TTL_INHERIT", 28, "u8", write = "flag" }, -- the kernel tells an octet and takes a flag
  { "DF", 29, "u8", enum = df },
  { "VNIFILTER", 30, "u8" },
  { "LOCALBYPASS", 31, "u8" },
  { "LABEL_POLICY", 32, "u32", enum = { [0] = "fixed", [1] = "inherit" } },
  { "RESERVED_BITS", 33, "hex" },
  { "MC_ROUTE", 34, "u8" },
}, { prefix = "IFLA_VXLAN_", doc = "A virtual extensible LAN, RFC 7348: linux/if_link.h IFLA_VXLAN_*." })

data.geneve = attrs("geneve", {
  { "ID", 1, "u32" },
  { "REMOTE", 2, "ip4" },
  { "TTL", 3, "u8" },
  { "TOS", 4, "u8" },
  { "PORT", 5, "be16" },
  { "COLLECT_METADATA", 6, "flag" },
  { "REMOTE6", 7, "ip6" },
  { "UDP_CSUM", 8, "u8" },
  { "UDP_ZERO_CSUM6_TX", 9, "u8" },
  { "UDP_ZERO_CSUM6_RX", 10, "u8" },
  { "LABEL", 11, "be32" },
  { "TTL_INHERIT", 12, "u8" },
  { "DF", 13, "u8", enum = df },
  { "INNER_PROTO_INHERIT", 14, "flag" },
  { "PORT_RANGE", 15, port_range },
}, { prefix = "IFLA_GENEVE_", doc = "Generic network virtualization encapsulation, RFC 8926: IFLA_GENEVE_*." })

data.macvlan = attrs("macvlan", {
  { "MODE", 1, "u32", enum = { [1] = "private", [2] = "vepa", [4] = "bridge", [8] = "passthru", [16] = "source" } },
  { "FLAGS", 2, "u16", flags = { "nopromisc", "nodst" } },
  { "MACADDR_MODE", 3, "u32", enum = { [0] = "add", [1] = "del", [2] = "flush", [3] = "set" } },
  { "MACADDR", 4, "l2addr" },
  { "MACADDR_DATA", 5, attrs("macvlan_macaddrs", { { "MACADDR", 4, multi "l2addr" } }, { prefix = "IFLA_MACVLAN_" }) },
  { "MACADDR_COUNT", 6, "u32" },
  { "BC_QUEUE_LEN", 7, "u32" },
  { "BC_QUEUE_LEN_USED", 8, "u32" },
  { "BC_CUTOFF", 9, "s32" },
}, {
  prefix = "IFLA_MACVLAN_",
  doc = "Several stations on one link: IFLA_MACVLAN_*; macvtap is the same with a character device.",
})
data.macvtap = data.macvlan

data.ipvlan = attrs("ipvlan", {
  { "MODE", 1, "u16", enum = { [0] = "l2", [1] = "l3", [2] = "l3s" } },
  { "FLAGS", 2, "u16", flags = { "private", "vepa" } },
}, { prefix = "IFLA_IPVLAN_", doc = "Several IP hosts with one station address: IFLA_IPVLAN_*." })
data.ipvtap = data.ipvlan

data.tun = attrs("tun", {
  { "OWNER", 1, "u32" },
  { "GROUP", 2, "u32" },
  { "TYPE", 3, "u8", enum = { [1] = "tun", [2] = "tap" } },
  { "PI", 4, "u8" },
  { "VNET_HDR", 5, "u8" },
  { "PERSIST", 6, "u8" },
  { "MULTI_QUEUE", 7, "u8" },
  { "NUM_QUEUES", 8, "u32" },
  { "NUM_DISABLED_QUEUES", 9, "u32" },
}, { prefix = "IFLA_TUN_", doc = "TUN and TAP devices: IFLA_TUN_*." })

-- The encapsulations within UDP that tunnels may have, linux/if_tunnel.h
-- TUNNEL_ENCAP_*.
local tunnel_encap = { [0] = "none", [1] = "fou", [2] = "gue", [3] = "mpls" }

data.gre = attrs("gre", {
  { "LINK", 1, "u32" },
  { "IFLAGS", 2, "be16", show = "hex" },
  { "OFLAGS", 3, "be16", show = "hex" },
  { "IKEY", 4, "be32" },
  { "OKEY", 5, "be32" },
  { "LOCAL", 6, "ipaddr" },
  { "REMOTE", 7, "ipaddr" },
  { "TTL", 8, "u8" },
  { "TOS", 9, "u8" },
  { "PMTUDISC", 10, "u8" },
  { "ENCAP_LIMIT", 11, "u8" },
  { "FLOWINFO", 12, "be32", show = "hex" },
  { "FLAGS", 13, "u32", show = "hex" },
  { "ENCAP_TYPE", 14, "u16", enum = tunnel_encap },
  { "ENCAP_FLAGS", 15, "u16", flags = { "csum", "csum6", "remcsum" } },
  { "ENCAP_SPORT", 16, "be16" },
  { "ENCAP_DPORT", 17, "be16" },
  { "COLLECT_METADATA", 18, "flag" },
  { "IGNORE_DF", 19, "u8" },
  { "FWMARK", 20, "u32", show = "hex" },
  { "ERSPAN_INDEX", 21, "u32" },
  { "ERSPAN_VER", 22, "u8" },
  { "ERSPAN_DIR", 23, "u8" },
  { "ERSPAN_HWID", 24, "u16" },
}, { prefix = "IFLA_GRE_", doc = "Generic routing encapsulation, RFC 2784 and 2890: linux/if_tunnel.h IFLA_GRE_*." })
for _, kind in ipairs { "gretap", "erspan", "ip6gre", "ip6gretap", "ip6erspan" } do data[kind] = data.gre end

-- Tunnels of IP in IP: linux/if_tunnel.h IFLA_IPTUN_*. The flags of ip6tnl are
-- wider than those of ipip and sit.
local function iptun(name, doc, flags)
  return attrs(name, {
    { "LINK", 1, "u32" },
    { "LOCAL", 2, "ipaddr" },
    { "REMOTE", 3, "ipaddr" },
    { "TTL", 4, "u8" },
    { "TOS", 5, "u8" },
    { "ENCAP_LIMIT", 6, "u8" },
    { "FLOWINFO", 7, "be32", show = "hex" },
    { "FLAGS", 8, flags, show = "hex" },
    { "PROTO", 9, "u8", names = words.ipproto },
    { "PMTUDISC", 10, "u8" },
    { "6RD_PREFIX", 11, "ip6" },
    { "6RD_RELAY_PREFIX", 12, "ip4" },
    { "6RD_PREFIXLEN", 13, "u16" },
    { "6RD_RELAY_PREFIXLEN", 14, "u16" },
    { "ENCAP_TYPE", 15, "u16", enum = tunnel_encap },
    { "ENCAP_FLAGS", 16, "u16", flags = { "csum", "csum6", "remcsum" } },
    { "ENCAP_SPORT", 17, "be16" },
    { "ENCAP_DPORT", 18, "be16" },
    { "COLLECT_METADATA", 19, "flag" },
    { "FWMARK", 20, "u32", show = "hex" },
  }, { prefix = "IFLA_IPTUN_", doc = doc })
end
data.ipip = iptun("ipip", "IPv4 in IPv4, and IPv6 in IPv4 (RFC 4213, 5569): IFLA_IPTUN_*.", "be16")
data.sit = data.ipip
data.ip6tnl = iptun("ip6tnl", "IPv4 or IPv6 in IPv6, RFC 2473: IFLA_IPTUN_*.", "u32")

data.vti = attrs("vti", {
  { "LINK", 1, "u32" },
  { "IKEY", 2, "be32" },
  { "OKEY", 3, "be32" },
  { "LOCAL", 4, "ipaddr" },
  { "REMOTE", 5, "ipaddr" },
  { "FWMARK", 6, "u32", show = "hex" },
}, { prefix = "IFLA_VTI_", doc = "Tunnels of IPsec with an address of their own: linux/if_tunnel.h IFLA_VTI_*." })
data.vti6 = data.vti

data.xfrm = attrs("xfrm", {
  { "LINK", 1, "u32" },
  { "IF_ID", 2, "u32" },
  { "COLLECT_METADATA", 3, "flag" },
}, { prefix = "IFLA_XFRM_", doc = "An interface of IPsec policies: IFLA_XFRM_*." })

data.bareudp = attrs("bareudp", {
  { "PORT", 1, "be16" },
  { "ETHERTYPE", 2, "be16", names = words.ethertype },
  { "SRCPORT_MIN", 3, "u16" },
  { "MULTIPROTO_MODE", 4, "flag" },
}, { prefix = "IFLA_BAREUDP_", doc = "Layer 3 in UDP, RFC 7510: IFLA_BAREUDP_*." })

data.vrf = attrs("vrf", { { "TABLE", 1, "u32" } }, {
  prefix = "IFLA_VRF_",
  doc = "A routing table as a link: IFLA_VRF_*.",
})
slave.vrf = attrs("vrf_port", { { "TABLE", 1, "u32" } }, { prefix = "IFLA_VRF_PORT_" })

data.macsec = attrs("macsec", {
  { "SCI", 1, "be64" },
  { "PORT", 2, "be16" },
  { "ICV_LEN", 3, "u8" },
  { "CIPHER_SUITE", 4, "u64", show = "hex" },
  { "WINDOW", 5, "u32" },
  { "ENCODING_SA", 6, "u8" },
  { "ENCRYPT", 7, "u8" },
  { "PROTECT", 8, "u8" },
  { "INC_SCI", 9, "u8" },
  { "ES", 10, "u8" },
  { "SCB", 11, "u8" },
  { "REPLAY_PROTECT", 12, "u8" },
  { "VALIDATION", 13, "u8", enum = { [0] = "disabled", [1] = "check", [2] = "strict" } },
  { "OFFLOAD", 15, "u8", enum = { [0] = "off", [1] = "phy", [2] = "mac" } },
}, { prefix = "IFLA_MACSEC_", doc = "MAC security, IEEE 802.1AE: IFLA_MACSEC_*." })

data.hsr = attrs("hsr", {
  { "SLAVE1", 1, "u32" },
  { "SLAVE2", 2, "u32" },
  { "MULTICAST_SPEC", 3, "u8" },
  { "SUPERVISION_ADDR", 4, "l2addr" },
  { "SEQ_NR", 5, "u16" },
  { "VERSION", 6, "u8" },
  { "PROTOCOL", 7, "u8", enum = { [0] = "hsr", [1] = "prp" } },
  { "INTERLINK", 8, "u32" },
}, { prefix = "IFLA_HSR_", doc = "High-availability seamless redundancy, IEC 62439-3: IFLA_HSR_*." })

data.ipoib = attrs("ipoib", {
  { "PKEY", 1, "u16", show = "hex" },
  { "MODE", 2, "u16", enum = { [0] = "datagram", [1] = "connected" } },
  { "UMCAST", 3, "u16" },
}, { prefix = "IFLA_IPOIB_", doc = "IP over InfiniBand, RFC 4391: IFLA_IPOIB_*." })

local netkit_policy = { [0] = "forward", [2] = "blackhole" }
local netkit_scrub = { [0] = "none", [1] = "default" }
data.netkit = attrs("netkit", {
  { "PEER_INFO", 1, function() return require "netlink.link" end },
  { "PRIMARY", 2, "u8" },
  { "POLICY", 3, "u32", enum = netkit_policy },
  { "PEER_POLICY", 4, "u32", enum = netkit_policy },
  { "MODE", 5, "u32", enum = { [0] = "l2", [1] = "l3" } },
  { "SCRUB", 6, "u32", enum = netkit_scrub },
  { "PEER_SCRUB", 7, "u32", enum = netkit_scrub },
  { "HEADROOM", 8, "u16" },
  { "TAILROOM", 9, "u16" },
}, { prefix = "IFLA_NETKIT_", doc = "A pair of links whose ends run BPF programs: IFLA_NETKIT_*." })

data.ovpn = attrs("ovpn", { { "MODE", 1, "u8", enum = { [0] = "p2p", [1] = "mp" } } }, {
  prefix = "IFLA_OVPN_",
  doc = "OpenVPN in the kernel: IFLA_OVPN_*.",
})

-- Whom a bridge believes to be root or itself: IEEE 802.1D §9.2.5,
-- struct ifla_bridge_id. The priority is in the order of the network.
local bridge_id = struct("bridge_id", { { "prio", "be16", show = "hex" }, { "addr", "mac" } })

data.bridge = attrs("bridge", {
  { "FORWARD_DELAY", 1, "u32" },
  { "HELLO_TIME", 2, "u32" },
  { "MAX_AGE", 3, "u32" },
  { "AGEING_TIME", 4, "u32" },
  { "STP_STATE", 5, "u32" },
  { "PRIORITY", 6, "u16" },
  { "VLAN_FILTERING", 7, "u8" },
  { "VLAN_PROTOCOL", 8, "be16", enum = vlan_protocol },
  { "GROUP_FWD_MASK", 9, "u16", show = "hex" },
  { "ROOT_ID", 10, bridge_id },
  { "BRIDGE_ID", 11, bridge_id },
  { "ROOT_PORT", 12, "u16" },
  { "ROOT_PATH_COST", 13, "u32" },
  { "TOPOLOGY_CHANGE", 14, "u8" },
  { "TOPOLOGY_CHANGE_DETECTED", 15, "u8" },
  { "HELLO_TIMER", 16, "u64" },
  { "TCN_TIMER", 17, "u64" },
  { "TOPOLOGY_CHANGE_TIMER", 18, "u64" },
  { "GC_TIMER", 19, "u64" },
  { "GROUP_ADDR", 20, "l2addr" },
  { "FDB_FLUSH", 21, "none" },
  { "MCAST_ROUTER", 22, "u8" },
  { "MCAST_SNOOPING", 23, "u8" },
  { "MCAST_QUERY_USE_IFADDR", 24, "u8" },
  { "MCAST_QUERIER", 25, "u8" },
  { "MCAST_HASH_ELASTICITY", 26, "u32" },
  { "MCAST_HASH_MAX", 27, "u32" },
  { "MCAST_LAST_MEMBER_CNT", 28, "u32" },
  { "MCAST_STARTUP_QUERY_CNT", 29, "u32" },
  { "MCAST_LAST_MEMBER_INTVL", 30, "u64" },
  { "MCAST_MEMBERSHIP_INTVL", 31, "u64" },
  { "MCAST_QUERIER_INTVL", 32, "u64" },
  { "MCAST_QUERY_INTVL", 33, "u64" },
  { "MCAST_QUERY_RESPONSE_INTVL", 34, "u64" },
  { "MCAST_STARTUP_QUERY_INTVL", 35, "u64" },
  { "NF_CALL_IPTABLES", 36, "u8" },
  { "NF_CALL_IP6TABLES", 37, "u8" },
  { "NF_CALL_ARPTABLES", 38, "u8" },
  { "VLAN_DEFAULT_PVID", 39, "u16" },
  { "VLAN_STATS_ENABLED", 41, "u8" },
  { "MCAST_STATS_ENABLED", 42, "u8" },
  { "MCAST_IGMP_VERSION", 43, "u8" },
  { "MCAST_MLD_VERSION", 44, "u8" },
  { "VLAN_STATS_PER_PORT", 45, "u8" },
  { "MULTI_BOOLOPT", 46, struct("br_boolopt_multi", { -- linux/if_bridge.h BR_BOOLOPT_*
    { "optval", "u32", flags = {
      "no_linklocal_learn", "mcast_vlan_snooping", "mst_enable", "mdb_offload_fail_notification", "fdb_local_vlan_0",
    } },
    { "optmask", "u32", show = "hex" },
  }) },
  { "MCAST_QUERIER_STATE", 47, attrs("bridge_querier", { -- linux/if_bridge.h BRIDGE_QUERIER_*
    { "IP_ADDRESS", 1, "ip4" },
    { "IP_PORT", 2, "u32" },
    { "IP_OTHER_TIMER", 3, "u64" },
    { "IPV6_ADDRESS", 5, "ip6" },
    { "IPV6_PORT", 6, "u32" },
    { "IPV6_OTHER_TIMER", 7, "u64" },
  }, { prefix = "BRIDGE_QUERIER_" }) },
  { "FDB_N_LEARNED", 48, "u32" },
  { "FDB_MAX_LEARNED", 49, "u32" },
}, { prefix = "IFLA_BR_", doc = "A bridge: linux/if_link.h IFLA_BR_*. Times in hundredths of a second." })

slave.bridge = attrs("brport", {
  { "STATE", 1, "u8", enum = { [0] = "disabled", [1] = "listening", [2] = "learning", [3] = "forwarding", [4] = "blocking" } },
  { "PRIORITY", 2, "u16" },
  { "COST", 3, "u32" },
  { "MODE", 4, "u8" }, -- hairpin
  { "GUARD", 5, "u8" },
  { "PROTECT", 6, "u8" }, -- root block
  { "FAST_LEAVE", 7, "u8" },
  { "LEARNING", 8, "u8" },
  { "UNICAST_FLOOD", 9, "u8" },
  { "PROXYARP", 10, "u8" },
  { "LEARNING_SYNC", 11, "u8" },
  { "PROXYARP_WIFI", 12, "u8" },
  { "ROOT_ID", 13, bridge_id },
  { "BRIDGE_ID", 14, bridge_id },
  { "DESIGNATED_PORT", 15, "u16" },
  { "DESIGNATED_COST", 16, "u16" },
  { "ID", 17, "u16", show = "hex" },
  { "NO", 18, "u16", show = "hex" },
  { "TOPOLOGY_CHANGE_ACK", 19, "u8" },
  { "CONFIG_PENDING", 20, "u8" },
  { "MESSAGE_AGE_TIMER", 21, "u64" },
  { "FORWARD_DELAY_TIMER", 22, "u64" },
  { "HOLD_TIMER", 23, "u64" },
  { "FLUSH", 24, "none" },
  { "MULTICAST_ROUTER", 25, "u8" },
  { "MCAST_FLOOD", 27, "u8" },
  { "MCAST_TO_UCAST", 28, "u8" },
  { "VLAN_TUNNEL", 29, "u8" },
  { "BCAST_FLOOD", 30, "u8" },
  { "GROUP_FWD_MASK", 31, "u16", show = "hex" },
  { "NEIGH_SUPPRESS", 32, "u8" },
  { "ISOLATED", 33, "u8" },
  { "BACKUP_PORT", 34, "u32" },
  { "MRP_RING_OPEN", 35, "u8" },
  { "MRP_IN_OPEN", 36, "u8" },
  { "MCAST_EHT_HOSTS_LIMIT", 37, "u32" },
  { "MCAST_EHT_HOSTS_CNT", 38, "u32" },
  { "LOCKED", 39, "u8" },
  { "MAB", 40, "u8" },
  { "MCAST_N_GROUPS", 41, "u32" },
  { "MCAST_MAX_GROUPS", 42, "u32" },
  { "NEIGH_VLAN_SUPPRESS", 43, "u8" },
  { "BACKUP_NHID", 44, "u32" },
}, {
  prefix = "IFLA_BRPORT_",
  doc = "A port of a bridge: linux/if_link.h IFLA_BRPORT_*. Also in IFLA_PROTINFO of the family bridge.",
})

data.bond = attrs("bond", {
  { "MODE", 1, "u8", enum = {
    [0] = "balance-rr", [1] = "active-backup", [2] = "balance-xor", [3] = "broadcast", [4] = "802.3ad",
    [5] = "balance-tlb", [6] = "balance-alb",
  } },
  { "ACTIVE_SLAVE", 2, "u32" },
  { "MIIMON", 3, "u32" },
  { "UPDELAY", 4, "u32" },
  { "DOWNDELAY", 5, "u32" },
  { "USE_CARRIER", 6, "u8" },
  { "ARP_INTERVAL", 7, "u32" },
  { "ARP_IP_TARGET", 8, list "ip4" },
  { "ARP_VALIDATE", 9, "u32", enum = {
    [0] = "none", [1] = "active", [2] = "backup", [3] = "all", [4] = "filter", [5] = "filter_active", [6] = "filter_backup",
  } },
  { "ARP_ALL_TARGETS", 10, "u32", enum = { [0] = "any", [1] = "all" } },
  { "PRIMARY", 11, "u32" },
  { "PRIMARY_RESELECT", 12, "u8", enum = { [0] = "always", [1] = "better", [2] = "failure" } },
  { "FAIL_OVER_MAC", 13, "u8", enum = { [0] = "none", [1] = "active", [2] = "follow" } },
  { "XMIT_HASH_POLICY", 14, "u8", enum = {
    [0] = "layer2", [1] = "layer3+4", [2] = "layer2+3", [3] = "encap2+3", [4] = "encap3+4", [5] = "vlan+srcmac",
  } },
  { "RESEND_IGMP", 15, "u32" },
  { "NUM_PEER_NOTIF", 16, "u8" },
  { "ALL_SLAVES_ACTIVE", 17, "u8" },
  { "MIN_LINKS", 18, "u32" },
  { "LP_INTERVAL", 19, "u32" },
  { "PACKETS_PER_SLAVE", 20, "u32" },
  { "AD_LACP_RATE", 21, "u8", enum = { [0] = "slow", [1] = "fast" } },
  { "AD_SELECT", 22, "u8", enum = { [0] = "stable", [1] = "bandwidth", [2] = "count" } },
  { "AD_INFO", 23, attrs("bond_ad_info", {
    { "AGGREGATOR", 1, "u16" },
    { "NUM_PORTS", 2, "u16" },
    { "ACTOR_KEY", 3, "u16" },
    { "PARTNER_KEY", 4, "u16" },
    { "PARTNER_MAC", 5, "l2addr" },
  }, { prefix = "IFLA_BOND_AD_INFO_" }) },
  { "AD_ACTOR_SYS_PRIO", 24, "u16" },
  { "AD_USER_PORT_KEY", 25, "u16" },
  { "AD_ACTOR_SYSTEM", 26, "l2addr" },
  { "TLB_DYNAMIC_LB", 27, "u8" },
  { "PEER_NOTIF_DELAY", 28, "u32" },
  { "AD_LACP_ACTIVE", 29, "u8", enum = { [0] = "off", [1] = "on" } },
  { "MISSED_MAX", 30, "u8" },
  { "NS_IP6_TARGET", 31, list "ip6" },
  { "COUPLED_CONTROL", 32, "u8" },
}, {
  prefix = "IFLA_BOND_",
  doc = "Links bound together: linux/if_link.h IFLA_BOND_*, Documentation/networking/bonding. Times in " ..
    "milliseconds.",
})

slave.bond = attrs("bond_slave", {
  { "STATE", 1, "u8", enum = { [0] = "ACTIVE", [1] = "BACKUP" } },
  { "MII_STATUS", 2, "u8", enum = { [0] = "UP", [1] = "GOING_DOWN", [2] = "DOWN", [3] = "GOING_BACK" } },
  { "LINK_FAILURE_COUNT", 3, "u32" },
  { "PERM_HWADDR", 4, "lladdr" },
  { "QUEUE_ID", 5, "u16" },
  { "AD_AGGREGATOR_ID", 6, "u16" },
  { "AD_ACTOR_OPER_PORT_STATE", 7, "u8", show = "hex" },
  { "AD_PARTNER_OPER_PORT_STATE", 8, "u16", show = "hex" },
  { "PRIO", 9, "s32" },
}, { prefix = "IFLA_BOND_SLAVE_", doc = "A link within a bond: IFLA_BOND_SLAVE_*." })

return { data = data, slave = slave }
