-- Words for numbers that several classes share, as ip(8) prints them.
local words = {}

-- Hardware types, linux/if_arp.h.
words.arphrd = {
  [0] = "netrom", [1] = "ether", [2] = "eether", [3] = "ax25", [4] = "pronet", [5] = "chaos", [6] = "ieee802",
  [7] = "arcnet", [8] = "atalk", [15] = "dlci", [19] = "atm", [23] = "metricom", [24] = "ieee1394",
  [32] = "infiniband", [256] = "slip", [257] = "cslip", [258] = "slip6", [259] = "cslip6", [260] = "rsrvd",
  [264] = "adapt", [270] = "rose", [271] = "x25", [272] = "hwx25", [280] = "can", [290] = "mctp", [512] = "ppp",
  [513] = "hdlc", [516] = "lapb", [517] = "ddcmp", [518] = "rawhdlc", [519] = "rawip", [768] = "ipip",
  [769] = "tunnel6", [770] = "frad", [771] = "skip", [772] = "loopback", [773] = "ltalk", [774] = "fddi",
  [775] = "bif", [776] = "sit", [777] = "ip/ddp", [778] = "gre", [779] = "pimreg", [780] = "hippi", [781] = "ash",
  [782] = "econet", [783] = "irda", [784] = "fcpp", [785] = "fcal", [786] = "fcpl", [787] = "fcfb0",
  [800] = "tr", [801] = "ieee802.11", [802] = "ieee802.11/prism", [803] = "ieee802.11/radiotap",
  [804] = "ieee802.15.4", [805] = "ieee802.15.4/monitor", [820] = "phonet", [821] = "phonet_pipe", [822] = "caif",
  [823] = "gre6", [824] = "netlink", [825] = "6lowpan", [826] = "vsockmon", [0xfffe] = "none", [0xffff] = "void",
}

-- Address families, and those rtnetlink adds: linux/rtnetlink.h RTNL_FAMILY_*.
words.family = {
  [0] = "unspec", [2] = "inet", [7] = "bridge", [10] = "inet6", [17] = "link", [28] = "mpls", [45] = "mctp",
  [128] = "ipmr", [129] = "ip6mr",
}

-- Scopes, linux/rtnetlink.h RT_SCOPE_*.
words.scope = { [0] = "global", [200] = "site", [253] = "link", [254] = "host", [255] = "nowhere" }

-- Who made a route, a rule or a next hop, linux/rtnetlink.h RTPROT_*.
words.protocol = {
  [0] = "unspec", [1] = "redirect", [2] = "kernel", [3] = "boot", [4] = "static", [8] = "gated", [9] = "ra",
  [10] = "mrt", [11] = "zebra", [12] = "bird", [13] = "dnrouted", [14] = "xorp", [15] = "ntk", [16] = "dhcp",
  [17] = "mrouted", [18] = "keepalived", [42] = "babel", [84] = "ovn", [99] = "openr", [186] = "bgp",
  [187] = "isis", [188] = "ospf", [189] = "rip", [192] = "eigrp",
}

-- Tables, linux/rtnetlink.h RT_TABLE_*.
words.table = { [0] = "unspec", [252] = "compat", [253] = "default", [254] = "main", [255] = "local" }

-- Types of routes, linux/rtnetlink.h RTN_*.
words.route = {
  [0] = "unspec", [1] = "unicast", [2] = "local", [3] = "broadcast", [4] = "anycast", [5] = "multicast",
  [6] = "blackhole", [7] = "unreachable", [8] = "prohibit", [9] = "throw", [10] = "nat", [11] = "xresolve",
}

-- Flags of a next hop, linux/rtnetlink.h RTNH_F_*, bit 0 first.
words.nexthop_flags = { "dead", "pervasive", "onlink", "offload", "linkdown", "unresolved", "trap" }

-- How a route wraps a packet, linux/lwtunnel.h LWTUNNEL_ENCAP_*.
words.encap = {
  [0] = "none", [1] = "mpls", [2] = "ip", [3] = "ila", [4] = "ip6", [5] = "seg6", [6] = "bpf", [7] = "seg6local",
  [8] = "rpl", [9] = "ioam6", [10] = "xfrm",
}

-- EtherTypes that links and filters name, linux/if_ether.h.
words.ethertype = {
  [0x0003] = "all", [0x0800] = "ip", [0x0806] = "arp", [0x8035] = "rarp", [0x8100] = "802.1Q", [0x86dd] = "ipv6",
  [0x8847] = "mpls_uc", [0x8848] = "mpls_mc", [0x88a8] = "802.1ad", [0x88cc] = "lldp", [0x88e5] = "macsec",
  [0x8863] = "ppp_disc", [0x8864] = "ppp_ses", [0x888e] = "802.1x",
}

-- IP protocols that rules and filters name.
words.ipproto = {
  [1] = "icmp", [2] = "igmp", [4] = "ipencap", [6] = "tcp", [17] = "udp", [33] = "dccp", [41] = "ipv6", [47] = "gre",
  [50] = "esp", [51] = "ah", [58] = "ipv6-icmp", [132] = "sctp", [136] = "udplite",
}

return words
