-- Words for numbers that several classes share, as ip(8) prints them. Where the
-- numbers are great the words come first, since a table keeps a place for every
-- number below its greatest.
local words = {}

-- Hardware types, linux/if_arp.h.
words.arphrd = {
  netrom = 0, ether = 1, eether = 2, ax25 = 3, pronet = 4, chaos = 5, ieee802 = 6, arcnet = 7, atalk = 8,
  dlci = 15, atm = 19, metricom = 23, ieee1394 = 24, infiniband = 32, slip = 256, cslip = 257, slip6 = 258,
  cslip6 = 259, rsrvd = 260, adapt = 264, rose = 270, x25 = 271, hwx25 = 272, can = 280, mctp = 290, ppp = 512,
  hdlc = 513, lapb = 516, ddcmp = 517, rawhdlc = 518, rawip = 519, ipip = 768, tunnel6 = 769, frad = 770,
  skip = 771, loopback = 772, ltalk = 773, fddi = 774, bif = 775, sit = 776, ["ip/ddp"] = 777, gre = 778,
  pimreg = 779, hippi = 780, ash = 781, econet = 782, irda = 783, fcpp = 784, fcal = 785, fcpl = 786, fcfb0 = 787,
  tr = 800, ["ieee802.11"] = 801, ["ieee802.11/prism"] = 802, ["ieee802.11/radiotap"] = 803,
  ["ieee802.15.4"] = 804, ["ieee802.15.4/monitor"] = 805, phonet = 820, phonet_pipe = 821, caif = 822, gre6 = 823,
  netlink = 824, ["6lowpan"] = 825, vsockmon = 826, none = 0xfffe, void = 0xffff,
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
  all = 0x0003, ip = 0x0800, arp = 0x0806, rarp = 0x8035, ["802.1Q"] = 0x8100, ipv6 = 0x86dd, mpls_uc = 0x8847,
  mpls_mc = 0x8848, ["802.1ad"] = 0x88a8, lldp = 0x88cc, macsec = 0x88e5, ppp_disc = 0x8863, ppp_ses = 0x8864,
  ["802.1x"] = 0x888e,
}

-- IP protocols that rules and filters name.
words.ipproto = {
  [1] = "icmp", [2] = "igmp", [4] = "ipencap", [6] = "tcp", [17] = "udp", [33] = "dccp", [41] = "ipv6", [47] = "gre",
  [50] = "esp", [51] = "ah", [58] = "ipv6-icmp", [132] = "sctp", [136] = "udplite",
}

return words
