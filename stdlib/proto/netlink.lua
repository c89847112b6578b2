-- Netlink as captures of nlmon interfaces have it:
-- https://www.tcpdump.org/linktypes/LINKTYPE_NETLINK.html

--- The header before a datagram of netlink, LINKTYPE_NETLINK (253); its payload
-- reads with netlink.decode.
Netlink = wire.layout("Netlink", {
  { "pkttype", "u16", names = { [0] = "to-us", "broadcast", "multicast", "to-others", "from-us", [6] = "to-user", [7] = "to-kernel" }, doc = "to whom the datagram went" },
  { "lladdrtype", "u16", default = 824, doc = "ARPHRD_… of the device, ARPHRD_NETLINK" },
  { "unused", "bytes", size = 10, doc = "zeros" },
  { "family", "u16", doc = "of the netlink socket", names = {
    [0] = "route", [2] = "usersock", [4] = "sock_diag", [5] = "nflog", [6] = "xfrm", [7] = "selinux", [8] = "iscsi", [9] = "audit",
    [10] = "fib_lookup", [11] = "connector", [12] = "netfilter", [15] = "uevent", [16] = "generic", [18] = "scsi_transport",
    [20] = "rdma", [21] = "crypto", [22] = "smc",
  } },
}, { summary = "{family} {pkttype}" })
