--- The messages of sock_diag: linux/sock_diag.h, linux/inet_diag.h, unix_diag.h,
-- netlink_diag.h, packet_diag.h. One message type, SOCK_DIAG_BY_FAMILY, asks and
-- answers for all families of sockets, whose structures begin with the family.

local STATES = {
  "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "closed", "close-wait", "last-ack",
  "listen", "closing", "new-syn-recv", "bound-inactive",
}
local SHUTDOWN = { "receive", "send" }

-- sk_meminfo: an array, enumerated in linux/sock_diag.h.
local skmeminfo = netlink.struct("skmeminfo", {
  { "rmem_alloc", "u32" }, { "rcvbuf", "u32" }, { "wmem_alloc", "u32" }, { "sndbuf", "u32" }, { "fwd_alloc", "u32" },
  { "wmem_queued", "u32" }, { "optmem", "u32" }, { "backlog", "u32" }, { "drops", "u32" },
})

local meminfo = netlink.struct("inet_diag_meminfo", {
  { "rmem", "u32" }, { "wmem", "u32" }, { "fmem", "u32" }, { "tmem", "u32" },
})

-- struct tcp_info, linux/tcp.h. It grows at its end.
local tcp_info = netlink.struct("tcp_info", {
  { "state", "u8", enum = STATES }, { "ca_state", "u8", enum = { [0] = "open", "disorder", "cwr", "recovery", "loss" } },
  { "retransmits", "u8" }, { "probes", "u8" }, { "backoff", "u8" },
  { "options", "u8", flags = { "timestamps", "sack", "wscale", "ecn", "ecn-seen", "syn-data", "usec-ts", "tfo-child" } },
  { "wscale", "u8" }, { "bits", "u8" },
  { "rto", "u32" }, { "ato", "u32" }, { "snd_mss", "u32" }, { "rcv_mss", "u32" },
  { "unacked", "u32" }, { "sacked", "u32" }, { "lost", "u32" }, { "retrans", "u32" }, { "fackets", "u32" },
  { "last_data_sent", "u32" }, { "last_ack_sent", "u32" }, { "last_data_recv", "u32" }, { "last_ack_recv", "u32" },
  { "pmtu", "u32" }, { "rcv_ssthresh", "u32" }, { "rtt", "u32" }, { "rttvar", "u32" }, { "snd_ssthresh", "u32" },
  { "snd_cwnd", "u32" }, { "advmss", "u32" }, { "reordering", "u32" },
  { "rcv_rtt", "u32" }, { "rcv_space", "u32" }, { "total_retrans", "u32" },
  { "pacing_rate", "u64" }, { "max_pacing_rate", "u64" }, { "bytes_acked", "u64" }, { "bytes_received", "u64" },
  { "segs_out", "u32" }, { "segs_in", "u32" }, { "notsent_bytes", "u32" }, { "min_rtt", "u32" },
  { "data_segs_in", "u32" }, { "data_segs_out", "u32" }, { "delivery_rate", "u64" },
  { "busy_time", "u64" }, { "rwnd_limited", "u64" }, { "sndbuf_limited", "u64" },
  { "delivered", "u32" }, { "delivered_ce", "u32" }, { "bytes_sent", "u64" }, { "bytes_retrans", "u64" },
  { "dsack_dups", "u32" }, { "reord_seen", "u32" }, { "rcv_ooopack", "u32" }, { "snd_wnd", "u32" }, { "rcv_wnd", "u32" },
  { "rehash", "u32" }, { "total_rto", "u16" }, { "total_rto_recoveries", "u16" }, { "total_rto_time", "u32" },
  { "received_ce", "u32" }, { "delivered_e1_bytes", "u32" }, { "delivered_e0_bytes", "u32" }, { "delivered_ce_bytes", "u32" },
  { "received_e1_bytes", "u32" }, { "received_e0_bytes", "u32" }, { "received_ce_bytes", "u32" },
  { "accecn_fail_mode", "u16" }, { "accecn_opt_seen", "u16" },
})

local vegasinfo = netlink.struct("tcpvegas_info", {
  { "enabled", "u32" }, { "rttcnt", "u32" }, { "rtt", "u32" }, { "minrtt", "u32" },
})
local dctcpinfo = netlink.struct("tcp_dctcp_info", {
  { "enabled", "u16" }, { "ce_state", "u16" }, { "alpha", "u32" }, { "ab_ecn", "u32" }, { "ab_tot", "u32" },
})
local bbrinfo = netlink.struct("tcp_bbr_info", {
  { "bw_lo", "u32" }, { "bw_hi", "u32" }, { "min_rtt", "u32" }, { "pacing_gain", "u32" }, { "cwnd_gain", "u32" },
})

local ulp_info = netlink.attrs("inet_ulp_info", {
  { "NAME", 1, "asciiz" }, { "TLS", 2, "bytes" }, { "MPTCP", 3, "bytes" },
}, { prefix = "INET_ULP_INFO_" })

-- struct inet_diag_sockid: an IPv4 address is the first 4 octets of 16.
local SOCKID = {
  { "sport", "be16" }, { "dport", "be16" }, { "src", "bytes", size = 16 }, { "dst", "bytes", size = 16 },
  { "interface", "u32" }, { "cookie", "u64" },
}

local function with_sockid(before, after)
  local all = {}
  for _, list in ipairs{before, SOCKID, after} do
    for _, f in ipairs(list) do all[#all + 1] = f end
  end
  return all
end

local request = netlink.message("inet_diag_req", with_sockid({
  { "family", "u8" }, { "protocol", "u8" }, { "ext", "u8" }, { "pad", "u8" }, { "states", "u32" },
}, {}), {
  prefix = "INET_DIAG_REQ_", event = "SOCK_DIAG_BY_FAMILY",
  attrs = { { "BYTECODE", 1, "bytes" }, { "SK_BPF_STORAGES", 2, "bytes" }, { "PROTOCOL", 3, "u32" } },
})

local inet = netlink.message("inet_diag", with_sockid({
  { "family", "u8" }, { "state", "u8", enum = STATES }, { "timer", "u8", enum = { [0] = "off", "on", "keepalive", "timewait", "persist" } },
  { "retrans", "u8" },
}, {
  { "expires", "u32" }, { "rqueue", "u32" }, { "wqueue", "u32" }, { "uid", "u32" }, { "inode", "u32" },
}), {
  prefix = "INET_DIAG_", event = "SOCK_DIAG_BY_FAMILY",
  attrs = {
    { "MEMINFO", 1, meminfo },
    { "INFO", 2, tcp_info },
    { "VEGASINFO", 3, vegasinfo },
    { "CONG", 4, "asciiz" },
    { "TOS", 5, "u8" }, { "TCLASS", 6, "u8" },
    { "SKMEMINFO", 7, skmeminfo },
    { "SHUTDOWN", 8, "u8", flags = SHUTDOWN },
    { "DCTCPINFO", 9, dctcpinfo },
    { "PROTOCOL", 10, "u8" },
    { "SKV6ONLY", 11, "u8" },
    { "LOCALS", 12, "bytes" }, { "PEERS", 13, "bytes" }, { "PAD", 14, "none" },
    { "MARK", 15, "u32", show = "hex" },
    { "BBRINFO", 16, bbrinfo },
    { "CLASS_ID", 17, "u32" }, { "MD5SIG", 18, "bytes" },
    { "ULP_INFO", 19, ulp_info },
    { "SK_BPF_STORAGES", 20, "bytes" }, { "CGROUP_ID", 21, "u64" }, { "SOCKOPT", 22, "bytes" },
  },
})

local unix_request = netlink.message("unix_diag_req", {
  { "family", "u8" }, { "protocol", "u8" }, { "pad", "u16" }, { "states", "u32" }, { "ino", "u32" }, { "show", "u32" }, { "cookie", "u64" },
}, { event = "SOCK_DIAG_BY_FAMILY" })

local unix = netlink.message("unix_diag", {
  { "family", "u8" }, { "type", "u8" }, { "state", "u8", enum = STATES }, { "pad", "u8" }, { "ino", "u32" }, { "cookie", "u64" },
}, {
  prefix = "UNIX_DIAG_", event = "SOCK_DIAG_BY_FAMILY",
  attrs = {
    { "NAME", 0, "bytes" },
    { "VFS", 1, netlink.struct("unix_diag_vfs", { { "ino", "u32" }, { "dev", "u32" } }) },
    { "PEER", 2, "u32" },
    { "ICONS", 3, netlink.array("u32") },
    { "RQLEN", 4, netlink.struct("unix_diag_rqlen", { { "rqueue", "u32" }, { "wqueue", "u32" } }) },
    { "MEMINFO", 5, skmeminfo },
    { "SHUTDOWN", 6, "u8", flags = SHUTDOWN },
    { "UID", 7, "u32" },
  },
})

local netlink_request = netlink.message("netlink_diag_req", {
  { "family", "u8" }, { "protocol", "u8" }, { "pad", "u16" }, { "ino", "u32" }, { "show", "u32" }, { "cookie", "u64" },
}, { event = "SOCK_DIAG_BY_FAMILY" })

local netlink_socket = netlink.message("netlink_diag", {
  { "family", "u8" }, { "type", "u8" }, { "protocol", "u8" }, { "state", "u8" },
  { "portid", "u32" }, { "dst_portid", "u32" }, { "dst_group", "u32" }, { "ino", "u32" }, { "cookie", "bytes", size = 8 },
}, {
  prefix = "NETLINK_DIAG_", event = "SOCK_DIAG_BY_FAMILY",
  attrs = {
    { "MEMINFO", 0, skmeminfo },
    { "GROUPS", 1, "bytes" },
    { "RX_RING", 2, "bytes" }, { "TX_RING", 3, "bytes" },
    { "FLAGS", 4, "u32", flags = { "cb-running", "pktinfo", "broadcast-error", "no-enobufs", "listen-all-nsid", "cap-ack" } },
  },
})

local packet_request = netlink.message("packet_diag_req", {
  { "family", "u8" }, { "protocol", "u8" }, { "pad", "u16" }, { "ino", "u32" }, { "show", "u32" }, { "cookie", "u64" },
}, { event = "SOCK_DIAG_BY_FAMILY" })

local packet = netlink.message("packet_diag", {
  { "family", "u8" }, { "type", "u8" }, { "num", "u16" }, { "ino", "u32" }, { "cookie", "u64" },
}, {
  prefix = "PACKET_DIAG_", event = "SOCK_DIAG_BY_FAMILY",
  attrs = {
    { "INFO", 0, netlink.struct("packet_diag_info", {
      { "index", "u32" }, { "version", "u32" }, { "reserve", "u32" }, { "copy_thresh", "u32" }, { "tstamp", "u32" },
      { "flags", "u32", flags = { "running", "auxdata", "origdev", "vnethdr", "loss" } },
    }) },
    { "MCLIST", 1, "bytes" }, { "RX_RING", 2, "bytes" }, { "TX_RING", 3, "bytes" },
    { "FANOUT", 4, "u32" }, { "UID", 5, "u32" },
    { "MEMINFO", 6, skmeminfo },
    { "FILTER", 7, "bytes" },
  },
})

---A message of sock_diag: a question or what is known of one socket, by the
---family of the socket.
return netlink.message("sock_diag", { { "family", "u8" } }, {
  event = "SOCK_DIAG_BY_FAMILY",
  variants = netlink.by("family", { [1] = unix, [2] = inet, [10] = inet, [16] = netlink_socket, [17] = packet }),
  requests = netlink.by("family", { [1] = unix_request, [2] = request, [10] = request, [16] = netlink_request, [17] = packet_request }),
})
