-- What stands in TCA_OPTIONS of a queueing discipline or a class, by its kind:
-- linux/pkt_sched.h. The kinds mq, noqueue, ingress and clsact have no options.
-- Times in microseconds and counts of packets, unless the kind says otherwise.
local tc = require "netlink.tcstats"

local array, attrs, message, multi, struct = netlink.array, netlink.attrs, netlink.message, netlink.multi, netlink.struct

local qdiscs, classes = {}, {}

---A queue of packets, or of octets: struct tc_fifo_qopt.
qdiscs.pfifo = struct("tc_fifo_qopt", { { "limit", "u32" } })
qdiscs.bfifo, qdiscs.pfifo_head_drop = qdiscs.pfifo, qdiscs.pfifo

---Bands by priority: struct tc_prio_qopt.
qdiscs.prio = struct("tc_prio_qopt", { { "bands", "u32" }, { "priomap", "u8", count = 16 } })
qdiscs.pfifo_fast = qdiscs.prio

---Bands by transmit queue: struct tc_multiq_qopt.
qdiscs.multiq = struct("tc_multiq_qopt", { { "bands", "u16" }, { "max_bands", "u16" } })

---Fair queueing with pacing: TCA_FQ_*. Rates in octets a second.
qdiscs.fq = attrs("fq", {
  { "PLIMIT", 1, "u32" },
  { "FLOW_PLIMIT", 2, "u32" },
  { "QUANTUM", 3, "u32" },
  { "INITIAL_QUANTUM", 4, "u32" },
  { "RATE_ENABLE", 5, "u32" },
  { "FLOW_DEFAULT_RATE", 6, "u32" },
  { "FLOW_MAX_RATE", 7, "u32" },
  { "BUCKETS_LOG", 8, "u32" },
  { "FLOW_REFILL_DELAY", 9, "u32" },
  { "ORPHAN_MASK", 10, "u32" },
  { "LOW_RATE_THRESHOLD", 11, "u32" },
  { "CE_THRESHOLD", 12, "u32" },
  { "TIMER_SLACK", 13, "u32" },
  { "HORIZON", 14, "u32" },
  { "HORIZON_DROP", 15, "u8" },
  { "PRIOMAP", 16, qdiscs.prio },
  { "WEIGHTS", 17, array "s32" },
}, { prefix = "TCA_FQ_" })

---Fair queueing with controlled delay, RFC 8290: TCA_FQ_CODEL_*.
qdiscs.fq_codel = attrs("fq_codel", {
  { "TARGET", 1, "u32" },
  { "LIMIT", 2, "u32" },
  { "INTERVAL", 3, "u32" },
  { "ECN", 4, "u32" },
  { "FLOWS", 5, "u32" },
  { "QUANTUM", 6, "u32" },
  { "CE_THRESHOLD", 7, "u32" },
  { "DROP_BATCH_SIZE", 8, "u32" },
  { "MEMORY_LIMIT", 9, "u32" },
  { "CE_THRESHOLD_SELECTOR", 10, "u8" },
  { "CE_THRESHOLD_MASK", 11, "u8" },
}, { prefix = "TCA_FQ_CODEL_" })

---Controlled delay, RFC 8289: TCA_CODEL_*.
qdiscs.codel = attrs("codel", {
  { "TARGET", 1, "u32" },
  { "LIMIT", 2, "u32" },
  { "INTERVAL", 3, "u32" },
  { "ECN", 4, "u32" },
  { "CE_THRESHOLD", 5, "u32" },
}, { prefix = "TCA_CODEL_" })

---Proportional integral controller, RFC 8033: TCA_PIE_*.
qdiscs.pie = attrs("pie", {
  { "TARGET", 1, "u32" },
  { "LIMIT", 2, "u32" },
  { "TUPDATE", 3, "u32" },
  { "ALPHA", 4, "u32" },
  { "BETA", 5, "u32" },
  { "ECN", 6, "u32" },
  { "BYTEMODE", 7, "u32" },
  { "DQ_RATE_ESTIMATOR", 8, "u32" },
}, { prefix = "TCA_PIE_" })

---Fair queueing with PIE: TCA_FQ_PIE_*.
qdiscs.fq_pie = attrs("fq_pie", {
  { "LIMIT", 1, "u32" },
  { "FLOWS", 2, "u32" },
  { "TARGET", 3, "u32" },
  { "TUPDATE", 4, "u32" },
  { "ALPHA", 5, "u32" },
  { "BETA", 6, "u32" },
  { "QUANTUM", 7, "u32" },
  { "MEMORY_LIMIT", 8, "u32" },
  { "ECN_PROB", 9, "u32" },
  { "ECN", 10, "u32" },
  { "BYTEMODE", 11, "u32" },
  { "DQ_RATE_ESTIMATOR", 12, "u32" },
}, { prefix = "TCA_FQ_PIE_" })

---Common applications kept enhanced: TCA_CAKE_*. Rates in octets a second.
qdiscs.cake = attrs("cake", {
  { "BASE_RATE64", 2, "u64" },
  { "DIFFSERV_MODE", 3, "u32" },
  { "ATM", 4, "u32" },
  { "FLOW_MODE", 5, "u32" },
  { "OVERHEAD", 6, "s32" },
  { "RTT", 7, "u32" },
  { "TARGET", 8, "u32" },
  { "AUTORATE", 9, "u32" },
  { "MEMORY", 10, "u32" },
  { "NAT", 11, "u32" },
  { "RAW", 12, "u32" },
  { "WASH", 13, "u32" },
  { "MPU", 14, "u32" },
  { "INGRESS", 15, "u32" },
  { "ACK_FILTER", 16, "u32" },
  { "SPLIT_GSO", 17, "u32" },
  { "FWMARK", 18, "u32" },
}, { prefix = "TCA_CAKE_" })

-- Random early detection: struct tc_red_qopt.
local red_qopt = struct("tc_red_qopt", {
  { "limit", "u32" }, { "qth_min", "u32" }, { "qth_max", "u32" }, { "wlog", "u8" }, { "plog", "u8" },
  { "scell_log", "u8" }, { "flags", "u8", flags = { "ecn", "harddrop", "adaptative", "nodrop" } },
})
---Random early detection: TCA_RED_*.
qdiscs.red = attrs("red", {
  { "PARMS", 1, red_qopt },
  { "STAB", 2, "bytes" },
  { "MAX_P", 3, "u32" },
  { "FLAGS", 4, "bitfield32" },
  { "EARLY_DROP_BLOCK", 5, "u32" },
  { "MARK_BLOCK", 6, "u32" },
}, { prefix = "TCA_RED_" })

---RED that keeps flows apart: TCA_CHOKE_*.
qdiscs.choke = attrs("choke", {
  { "PARMS", 1, red_qopt },
  { "STAB", 2, "bytes" },
  { "MAX_P", 3, "u32" },
}, { prefix = "TCA_CHOKE_" })

---Heavy hitters apart: TCA_HHF_*.
qdiscs.hhf = attrs("hhf", {
  { "BACKLOG_LIMIT", 1, "u32" },
  { "QUANTUM", 2, "u32" },
  { "HH_FLOWS_LIMIT", 3, "u32" },
  { "RESET_TIMEOUT", 4, "u32" },
  { "ADMIT_BYTES", 5, "u32" },
  { "EVICT_TIMEOUT", 6, "u32" },
  { "NON_HH_WEIGHT", 7, "u32" },
}, { prefix = "TCA_HHF_" })

---Stochastic fairness: struct tc_sfq_qopt_v1.
qdiscs.sfq = struct("tc_sfq_qopt_v1", {
  { "quantum", "u32" }, { "perturb_period", "s32" }, { "limit", "u32" }, { "divisor", "u32" }, { "flows", "u32" },
  { "depth", "u32" }, { "headdrop", "u32" }, { "red_limit", "u32" }, { "qth_min", "u32" }, { "qth_max", "u32" },
  { "wlog", "u8" }, { "plog", "u8" }, { "scell_log", "u8" }, { "flags", "u8", flags = { "ecn", "harddrop" } },
  { "max_p", "u32" },
  { "prob_drop", "u32" }, { "forced_drop", "u32" }, { "prob_mark", "u32" }, { "forced_mark", "u32" },
  { "prob_mark_head", "u32" }, { "forced_mark_head", "u32" },
})

---A bucket of tokens: TCA_TBF_*.
qdiscs.tbf = attrs("tbf", {
  { "PARMS", 1, struct("tc_tbf_qopt", {
    { "rate", tc.ratespec }, { "peakrate", tc.ratespec }, { "limit", "u32" }, { "buffer", "u32" }, { "mtu", "u32" },
  }) },
  { "RTAB", 2, "bytes" },
  { "PTAB", 3, "bytes" },
  { "RATE64", 4, "u64" },
  { "PRATE64", 5, "u64" },
  { "BURST", 6, "u32" },
  { "PBURST", 7, "u32" },
}, { prefix = "TCA_TBF_" })

---Buckets of tokens in a tree, the qdisc and its classes: TCA_HTB_*.
qdiscs.htb = attrs("htb", {
  { "PARMS", 1, struct("tc_htb_opt", {
    { "rate", tc.ratespec }, { "ceil", tc.ratespec }, { "buffer", "u32" }, { "cbuffer", "u32" }, { "quantum", "u32" },
    { "level", "u32" }, { "prio", "u32" },
  }) },
  { "INIT", 2, struct("tc_htb_glob", {
    { "version", "u32" }, { "rate2quantum", "u32" }, { "defcls", "u32", show = "hex" }, { "debug", "u32" }, { "direct_pkts", "u32" },
  }) },
  { "CTAB", 3, "bytes" },
  { "RTAB", 4, "bytes" },
  { "DIRECT_QLEN", 5, "u32" },
  { "RATE64", 6, "u64" },
  { "CEIL64", 7, "u64" },
  { "OFFLOAD", 9, "flag" },
}, { prefix = "TCA_HTB_" })
classes.htb = qdiscs.htb

---Service curves: struct tc_hfsc_qopt; of a class TCA_HFSC_*.
qdiscs.hfsc = struct("tc_hfsc_qopt", { { "defcls", "u16", show = "hex" } })
local service_curve = struct("tc_service_curve", { { "m1", "u32" }, { "d", "u32" }, { "m2", "u32" } })
classes.hfsc = attrs("hfsc_class", {
  { "RSC", 1, service_curve }, { "FSC", 2, service_curve }, { "USC", 3, service_curve },
}, { prefix = "TCA_HFSC_" })

---Deficit round robin, and quick fair queueing: of their classes TCA_DRR_*, TCA_QFQ_*.
classes.drr = attrs("drr_class", { { "QUANTUM", 1, "u32" } }, { prefix = "TCA_DRR_" })
classes.qfq = attrs("qfq_class", { { "WEIGHT", 1, "u32" }, { "LMAX", 2, "u32" } }, { prefix = "TCA_QFQ_" })

---Enhanced transmission selection, IEEE 802.1Qaz: TCA_ETS_*.
local ets_quanta = attrs("ets_quanta", { { "BAND", 4, multi "u32" } }, { prefix = "TCA_ETS_QUANTA_" })
local ets_priomap = attrs("ets_priomap", { { "BAND", 6, multi "u8" } }, { prefix = "TCA_ETS_PRIOMAP_" })
qdiscs.ets = attrs("ets", {
  { "NBANDS", 1, "u8" },
  { "NSTRICT", 2, "u8" },
  { "QUANTA", 3, ets_quanta, nested = true },
  { "PRIOMAP", 5, ets_priomap, nested = true },
}, { prefix = "TCA_ETS_" })
classes.ets = attrs("ets_class", { { "QUANTA_BAND", 4, "u32" } }, { prefix = "TCA_ETS_" })

---A network that is far, slow and bad: TCA_NETEM_*, struct tc_netem_qopt.
---Times in the scheduler's ticks, and in nanoseconds where the name ends in 64;
---probabilities as shares of 2^32 - 1.
qdiscs.netem = message("netem", {
  { "latency", "u32" }, { "limit", "u32" }, { "loss", "u32" }, { "gap", "u32" }, { "duplicate", "u32" }, { "jitter", "u32" },
}, {
  prefix = "TCA_NETEM_",
  attrs = {
    { "CORR", 1, struct("tc_netem_corr", { { "delay_corr", "u32" }, { "loss_corr", "u32" }, { "dup_corr", "u32" } }) },
    { "DELAY_DIST", 2, array "s16" },
    { "REORDER", 3, struct("tc_netem_reorder", { { "probability", "u32" }, { "correlation", "u32" } }) },
    { "CORRUPT", 4, struct("tc_netem_corrupt", { { "probability", "u32" }, { "correlation", "u32" } }) },
    { "LOSS", 5, attrs("netem_loss", {
      { "GI", 1, struct("tc_netem_gimodel", {
        { "p13", "u32" }, { "p31", "u32" }, { "p32", "u32" }, { "p14", "u32" }, { "p23", "u32" },
      }) },
      { "GE", 2, struct("tc_netem_gemodel", { { "p", "u32" }, { "r", "u32" }, { "h", "u32" }, { "k1", "u32" } }) },
    }, { prefix = "NETEM_LOSS_" }), nested = true },
    { "RATE", 6, struct("tc_netem_rate", {
      { "rate", "u32" }, { "packet_overhead", "s32" }, { "cell_size", "u32" }, { "cell_overhead", "s32" },
    }) },
    { "ECN", 7, "u32" },
    { "RATE64", 8, "u64" },
    { "LATENCY64", 10, "s64" },
    { "JITTER64", 11, "s64" },
    { "SLOT", 12, struct("tc_netem_slot", {
      { "min_delay", "s64" }, { "max_delay", "s64" }, { "max_packets", "s32" }, { "max_bytes", "s32" },
      { "dist_delay", "s64" }, { "dist_jitter", "s64" },
    }) },
    { "SLOT_DIST", 13, array "s16" },
    { "PRNG_SEED", 14, "u64" },
  },
})

---Traffic classes on transmit queues: struct tc_mqprio_qopt, TCA_MQPRIO_*.
qdiscs.mqprio = message("mqprio", {
  { "num_tc", "u8" }, { "prio_tc_map", "u8", count = 16 }, { "hw", "u8" }, { "count", "u16", count = 16 },
  { "offset", "u16", count = 16 },
}, {
  prefix = "TCA_MQPRIO_",
  attrs = {
    { "MODE", 1, "u16", enum = { [0] = "dcb", [1] = "channel" } },
    { "SHAPER", 2, "u16", enum = { [0] = "dcb", [1] = "bw_rlimit" } },
    { "MIN_RATE64", 3, "bytes" },
    { "MAX_RATE64", 4, "bytes" },
    { "TC_ENTRY", 5, multi(attrs("mqprio_tc_entry", { { "INDEX", 1, "u32" }, { "FP", 2, "u32" } },
      { prefix = "TCA_MQPRIO_TC_ENTRY_" })) },
  },
})

---Credits for time-sensitive streams, IEEE 802.1Qav: TCA_CBS_*.
qdiscs.cbs = attrs("cbs", {
  { "PARMS", 1, struct("tc_cbs_qopt", {
    { "offload", "u8" }, { "pad", "u8", count = 3 }, { "hicredit", "s32" }, { "locredit", "s32" }, { "idleslope", "s32" },
    { "sendslope", "s32" },
  }) },
}, { prefix = "TCA_CBS_" })

---Earliest transmission time first: TCA_ETF_*.
qdiscs.etf = attrs("etf", {
  { "PARMS", 1, struct("tc_etf_qopt", {
    { "delta", "s32" }, { "clockid", "s32" }, { "flags", "u32", flags = { "deadline_mode", "offload", "skip_sock_check" } },
  }) },
}, { prefix = "TCA_ETF_" })

---Nothing passes while it is plugged: struct tc_plug_qopt.
qdiscs.plug = struct("tc_plug_qopt", {
  { "action", "s32", enum = { [0] = "buffer", [1] = "release_one", [2] = "release_indefinite", [3] = "limit" } }, { "limit", "u32" },
})

---Two queues for low latency, RFC 9332: TCA_DUALPI2_*.
qdiscs.dualpi2 = attrs("dualpi2", {
  { "LIMIT", 1, "u32" },
  { "MEMORY_LIMIT", 2, "u32" },
  { "TARGET", 3, "u32" },
  { "TUPDATE", 4, "u32" },
  { "ALPHA", 5, "u32" },
  { "BETA", 6, "u32" },
  { "STEP_THRESH_PKTS", 7, "u32" },
  { "STEP_THRESH_US", 8, "u32" },
  { "MIN_QLEN_STEP", 9, "u32" },
  { "COUPLING", 10, "u8" },
  { "DROP_OVERLOAD", 11, "u8" },
  { "DROP_EARLY", 12, "u8" },
  { "C_PROTECTION", 13, "u8" },
  { "ECN_MASK", 14, "u8" },
  { "SPLIT_GSO", 15, "u8" },
}, { prefix = "TCA_DUALPI2_" })

return { qdiscs = qdiscs, classes = classes }
