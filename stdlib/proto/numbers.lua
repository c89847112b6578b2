-- Assigned numbers that several protocols share. Names are for printing and
-- may be written instead of the number: Ether{type="IPv4"}, IP{proto="udp"}.

local numbers = {}

-- EtherTypes: IANA "IEEE 802 Numbers", RFC 9542 §3. Names as tcpdump and
-- /etc/ethertypes spell them.
numbers.ethertype = {
  [0x0800] = "IPv4",
  [0x0806] = "ARP",
  [0x0842] = "WoL",
  [0x22f3] = "TRILL",
  [0x6558] = "TEB",           -- transparent Ethernet bridging, RFC 1701
  [0x8035] = "RARP",
  [0x809b] = "AppleTalk",
  [0x80f3] = "AARP",
  [0x8100] = "802.1Q",
  [0x8137] = "IPX",
  [0x86dd] = "IPv6",
  [0x8808] = "EthernetFlowControl",
  [0x8809] = "SlowProtocols", -- LACP, OAM: IEEE 802.3 Annex 57A
  [0x8847] = "MPLS",
  [0x8848] = "MPLS-multicast",
  [0x8863] = "PPPoE-D",
  [0x8864] = "PPPoE-S",
  [0x888e] = "EAPOL",
  [0x8892] = "PROFINET",
  [0x88a2] = "AoE",
  [0x88a8] = "802.1ad",
  [0x88cc] = "LLDP",
  [0x88e5] = "MACsec",
  [0x88e7] = "802.1ah",
  [0x88f7] = "PTP",
  [0x8902] = "CFM",
  [0x8906] = "FCoE",
  [0x894f] = "NSH",
  [0x9000] = "Loopback",      -- Ethernet configuration testing protocol
  [0x9100] = "QinQ",
}

-- Protocol numbers: IANA "Assigned Internet Protocol Numbers", names as in
-- /etc/protocols (lower case) where it has one.
numbers.protocol = {
  [0] = "hopopt",
  [1] = "icmp",
  [2] = "igmp",
  [4] = "ipencap",
  [6] = "tcp",
  [8] = "egp",
  [17] = "udp",
  [33] = "dccp",
  [41] = "ipv6",
  [43] = "ipv6-route",
  [44] = "ipv6-frag",
  [46] = "rsvp",
  [47] = "gre",
  [50] = "esp",
  [51] = "ah",
  [58] = "ipv6-icmp",
  [59] = "ipv6-nonxt",
  [60] = "ipv6-opts",
  [88] = "eigrp",
  [89] = "ospf",
  [94] = "ipip",
  [97] = "etherip",
  [98] = "encap",
  [103] = "pim",
  [108] = "ipcomp",
  [112] = "vrrp",
  [113] = "pgm",
  [115] = "l2tp",
  [132] = "sctp",
  [135] = "mobility-header",
  [136] = "udplite",
  [137] = "mpls-in-ip",
  [139] = "hip",
  [140] = "shim6",
  [143] = "ethernet",
  [253] = "test1",            -- RFC 3692: for experiments
  [254] = "test2",
}

-- Hardware types: IANA "ARP Parameters"; the kernel's ARPHRD_… of cooked
-- captures are the same numbers.
numbers.hardware = {
  [1] = "Ethernet",
  [6] = "IEEE802",
  [7] = "ARCNET",
  [15] = "FrameRelay",
  [16] = "ATM",
  [18] = "FibreChannel",
  [20] = "Serial",
  [24] = "IEEE1394",
  [27] = "EUI-64",
  [32] = "InfiniBand",
  [256] = "SLIP",
  [512] = "PPP",
  [768] = "IPIP-tunnel",
  [772] = "Loopback-device",
  [776] = "SIT-tunnel",
  [778] = "GRE-tunnel",
  [801] = "IEEE802.11",
  [802] = "IEEE802.11-prism",
  [803] = "IEEE802.11-radiotap",
  [823] = "GRE6-tunnel",
  [824] = "Netlink",
  [65534] = "None",
}

-- Well-known ports, for the print-out only: IANA "Service Name and Transport
-- Protocol Port Number Registry". Few on purpose: those of the protocols that
-- people read in captures.
numbers.port = {
  [7] = "echo", [9] = "discard", [13] = "daytime", [19] = "chargen",
  [20] = "ftp-data", [21] = "ftp", [22] = "ssh", [23] = "telnet", [25] = "smtp",
  [43] = "whois", [53] = "domain", [67] = "bootps", [68] = "bootpc", [69] = "tftp",
  [80] = "http", [88] = "kerberos", [110] = "pop3", [111] = "sunrpc", [123] = "ntp",
  [137] = "netbios-ns", [138] = "netbios-dgm", [139] = "netbios-ssn", [143] = "imap",
  [161] = "snmp", [162] = "snmptrap", [179] = "bgp", [319] = "ptp-event", [320] = "ptp-general",
  [389] = "ldap", [443] = "https", [445] = "microsoft-ds", [500] = "isakmp", [514] = "syslog",
  [520] = "rip", [521] = "ripng", [546] = "dhcpv6-client", [547] = "dhcpv6-server",
  [636] = "ldaps", [646] = "ldp", [853] = "domain-s", [1701] = "l2tp", [1723] = "pptp",
  [1812] = "radius", [1813] = "radius-acct", [2049] = "nfs", [3784] = "bfd-control",
  [4500] = "ipsec-nat-t", [4789] = "vxlan", [5353] = "mdns", [6081] = "geneve", [6343] = "sflow",
}

return numbers
