-- Counters of qdiscs, classes, filters and actions: linux/gen_stats.h,
-- linux/pkt_sched.h tc_*_xstats.
local attrs, by, struct = netlink.attrs, netlink.by, netlink.struct

-- Counters of one's own, by the kind of the qdisc.
local xstats = {
  choke = struct("tc_choke_xstats", {
    { "early", "u32" }, { "pdrop", "u32" }, { "other", "u32" }, { "marked", "u32" }, { "matched", "u32" },
  }),
  codel = struct("tc_codel_xstats", {
    { "maxpacket", "u32" }, { "count", "u32" }, { "lastcount", "u32" }, { "ldelay", "u32" }, { "drop_next", "s32" },
    { "drop_overlimit", "u32" }, { "ecn_mark", "u32" }, { "dropping", "u32" }, { "ce_mark", "u32" },
  }),
  fq_pie = struct("tc_fq_pie_xstats", {
    { "packets_in", "u32" }, { "dropped", "u32" }, { "overlimit", "u32" }, { "overmemory", "u32" },
    { "ecn_mark", "u32" }, { "new_flow_count", "u32" }, { "new_flows_len", "u32" }, { "old_flows_len", "u32" },
    { "memory_usage", "u32" },
  }),
  hhf = struct("tc_hhf_xstats", {
    { "drop_overlimit", "u32" }, { "hh_overlimit", "u32" }, { "hh_tot_count", "u32" }, { "hh_cur_count", "u32" },
  }),
  pie = struct("tc_pie_xstats", {
    { "prob", "u64" }, { "delay", "u32" }, { "avg_dq_rate", "u32" }, { "dq_rate_estimating", "u32" },
    { "packets_in", "u32" }, { "dropped", "u32" }, { "overlimit", "u32" }, { "maxq", "u32" }, { "ecn_mark", "u32" },
  }),
  red = struct("tc_red_xstats", {
    { "early", "u32" }, { "pdrop", "u32" }, { "other", "u32" }, { "marked", "u32" },
  }),
  sfb = struct("tc_sfb_xstats", {
    { "earlydrop", "u32" }, { "penaltydrop", "u32" }, { "bucketdrop", "u32" }, { "queuedrop", "u32" },
    { "childdrop", "u32" }, { "marked", "u32" }, { "maxqlen", "u32" }, { "maxprob", "u32" }, { "avgprob", "u32" },
  }),
  sfq = struct("tc_sfq_xstats", {
    { "allot", "s32" },
  }),
  fq = struct("tc_fq_qd_stats", {
    { "gc_flows", "u64" }, { "highprio_packets", "u64" }, { "tcp_retrans", "u64" }, { "throttled", "u64" },
    { "flows_plimit", "u64" }, { "pkts_too_long", "u64" }, { "allocation_errors", "u64" },
    { "time_next_delayed_flow", "s64" }, { "flows", "u32" }, { "inactive_flows", "u32" },
    { "throttled_flows", "u32" }, { "unthrottle_latency_ns", "u32" }, { "ce_mark", "u64" },
    { "horizon_drops", "u64" }, { "horizon_caps", "u64" }, { "fastpath_packets", "u64" },
    { "band_drops", "u64", count = 3 }, { "band_pkt_count", "u32", count = 3 }, { "pad", "u32" },
  }),
  fq_codel = struct("tc_fq_codel_xstats", {
    { "type", "u32" }, { "maxpacket", "u32" }, { "drop_overlimit", "u32" }, { "ecn_mark", "u32" },
    { "new_flow_count", "u32" }, { "new_flows_len", "u32" }, { "old_flows_len", "u32" }, { "ce_mark", "u32" },
    { "memory_usage", "u32" }, { "drop_overmemory", "u32" },
  }),
  htb = struct("tc_htb_xstats", {
    { "lends", "u32" }, { "borrows", "u32" }, { "giants", "u32" }, { "tokens", "s32" }, { "ctokens", "s32" },
  }),
  dualpi2 = struct("tc_dualpi2_xstats", {
    { "prob", "u32" }, { "delay_c", "u32" }, { "delay_l", "u32" }, { "pkts_in_c", "u32" }, { "pkts_in_l", "u32" },
    { "maxq", "u32" }, { "ecn_mark", "u32" }, { "step_mark", "u32" }, { "credit", "s32" }, { "memory_used", "u32" },
    { "max_memory_used", "u32" }, { "memory_limit", "u32" },
  }),
  cake = attrs("cake_stats", {
    { "CAPACITY_ESTIMATE64", 2, "u64" },
    { "MEMORY_LIMIT", 3, "u32" },
    { "MEMORY_USED", 4, "u32" },
    { "AVG_NETOFF", 5, "u32" },
    { "MIN_NETLEN", 6, "u32" },
    { "MAX_NETLEN", 7, "u32" },
    { "MIN_ADJLEN", 8, "u32" },
    { "MAX_ADJLEN", 9, "u32" },
    { "TIN_STATS", 10, netlink.list(attrs("cake_tin_stats", {
      { "SENT_PACKETS", 2, "u32" },
      { "SENT_BYTES64", 3, "u64" },
      { "DROPPED_PACKETS", 4, "u32" },
      { "DROPPED_BYTES64", 5, "u64" },
      { "ACKS_DROPPED_PACKETS", 6, "u32" },
      { "ACKS_DROPPED_BYTES64", 7, "u64" },
      { "ECN_MARKED_PACKETS", 8, "u32" },
      { "ECN_MARKED_BYTES64", 9, "u64" },
      { "BACKLOG_PACKETS", 10, "u32" },
      { "BACKLOG_BYTES", 11, "u32" },
      { "THRESHOLD_RATE64", 12, "u64" },
      { "TARGET_US", 13, "u32" },
      { "INTERVAL_US", 14, "u32" },
      { "WAY_INDIRECT_HITS", 15, "u32" },
      { "WAY_MISSES", 16, "u32" },
      { "WAY_COLLISIONS", 17, "u32" },
      { "PEAK_DELAY_US", 18, "u32" },
      { "AVG_DELAY_US", 19, "u32" },
      { "BASE_DELAY_US", 20, "u32" },
      { "SPARSE_FLOWS", 21, "u32" },
      { "BULK_FLOWS", 22, "u32" },
      { "UNRESPONSIVE_FLOWS", 23, "u32" },
      { "MAX_SKBLEN", 24, "u32" },
      { "FLOW_QUANTUM", 25, "u32" },
    }, { prefix = "TCA_CAKE_TIN_STATS_" })) },
    { "DEFICIT", 11, "s32" },
    { "COBALT_COUNT", 12, "u32" },
    { "DROPPING", 13, "u32" },
    { "DROP_NEXT_US", 14, "s32" },
    { "P_DROP", 15, "u32" },
    { "BLUE_TIMER_US", 16, "s32" },
  }, { prefix = "TCA_CAKE_STATS_" }),
}

-- Those of a class of the qdisc, where they are others.
local class_xstats = {
  htb = xstats.htb, cake = xstats.cake, sfq = xstats.sfq,
  fq_codel = struct("tc_fq_codel_cl_stats", {
    { "type", "u32" }, { "deficit", "s32" }, { "ldelay", "u32" }, { "count", "u32" }, { "lastcount", "u32" },
    { "dropping", "u32" }, { "drop_next", "s32" },
  }),
  drr = struct("tc_drr_stats", { { "deficit", "u32" } }),
  qfq = struct("tc_qfq_stats", { { "weight", "u32" }, { "lmax", "u32" } }),
  hfsc = struct("tc_hfsc_stats", { { "work", "u64" }, { "rtwork", "u64" }, { "period", "u32" }, { "level", "u32" } }),
}
xstats.htb = nil -- the qdisc has none

-- A rate as the kernel keeps it: struct tc_ratespec.
local ratespec = struct("tc_ratespec", {
  { "cell_log", "u8" }, { "linklayer", "u8", enum = { [0] = "unaware", [1] = "ethernet", [2] = "atm" } }, { "overhead", "u16" },
  { "cell_align", "s16" }, { "mpu", "u16" }, { "rate", "u32" },
})

local basic = struct("gnet_stats_basic", { { "bytes", "u64" }, { "packets", "u32" }, { "pad", "u32" } })

-- Counters as they were first: struct tc_stats.
local first = struct("tc_stats", {
  { "bytes", "u64" }, { "packets", "u32" }, { "drops", "u32" }, { "overlimits", "u32" }, { "bps", "u32" },
  { "pps", "u32" }, { "qlen", "u32" }, { "backlog", "u32" }, { "pad", "u32" },
})
local rate_est = struct("gnet_stats_rate_est", { { "bps", "u32" }, { "pps", "u32" } })
local rate_est64 = struct("gnet_stats_rate_est64", { { "bps", "u64" }, { "pps", "u64" } })
local queue = struct("gnet_stats_queue", {
  { "qlen", "u32" }, { "backlog", "u32" }, { "drops", "u32" }, { "requeues", "u32" }, { "overlimits", "u32" },
})

-- The counters of qdiscs, filters and actions, or of classes: TCA_STATS_*.
local function counters(own)
  local app = by("kind", own, "bytes")
  return {
    first = first,
    own = app,
    now = attrs("stats2", {
      { "BASIC", 1, basic },
      { "RATE_EST", 2, rate_est },
      { "QUEUE", 3, queue },
      { "APP", 4, app },
      { "RATE_EST64", 5, rate_est64 },
      { "BASIC_HW", 7, basic },
      { "PKT64", 8, "u64" },
    }, { prefix = "TCA_STATS_" }),
  }
end

return { ratespec = ratespec, qdisc = counters(xstats), class = counters(class_xstats) }
