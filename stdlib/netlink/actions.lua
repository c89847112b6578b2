-- What is done with a packet that a filter chose, by the kind of the action:
-- linux/pkt_cls.h TCA_ACT_*, linux/tc_act/*.h.
local words = require "netlink.words"

local array, attrs, by, list, multi, struct =
  netlink.array, netlink.attrs, netlink.by, netlink.list, netlink.multi, netlink.struct

local tc = require "netlink.tcstats"

-- What happens next: TC_ACT_*.
local VERDICT = {
  [-1] = "continue", [0] = "pass", [1] = "reclassify", [2] = "drop", [3] = "pipe", [4] = "stolen", [5] = "queued",
  [6] = "repeat", [7] = "redirect", [8] = "trap",
}

-- When an action was made and last used, in clock ticks: struct tcf_t.
local tm = struct("tcf_t", { { "install", "u64" }, { "lastuse", "u64" }, { "expires", "u64" }, { "firstuse", "u64" } })

-- The parameters of an action begin alike: tc_gen of linux/pkt_cls.h.
local function gen(name, ...)
  local members = {
    { "index", "u32" }, { "capab", "u32" }, { "action", "s32", enum = VERDICT }, { "refcnt", "s32" },
    { "bindcnt", "s32" },
  }
  for _, member in ipairs { ... } do members[#members + 1] = member end
  return struct(name, members)
end

-- What pedit changes: struct tc_pedit_sel, a key for each 32 bits.
local pedit_sel = gen("tc_pedit_sel", { "nkeys", "u8" }, { "flags", "u8" }, { "pad", "u16" },
  { "keys", array(struct("tc_pedit_key", {
    { "mask", "u32", show = "hex" }, { "val", "u32", show = "hex" }, { "off", "u32" }, { "at", "u32" }, { "offmask", "u32" },
    { "shift", "u32" },
  })) })

---Takes packets up to a rate: TCA_POLICE_*, struct tc_police.
local police = attrs("police", {
  { "TBF", 1, struct("tc_police", {
    { "index", "u32" }, { "action", "s32", enum = VERDICT }, { "limit", "u32" }, { "burst", "u32" }, { "mtu", "u32" },
    { "rate", tc.ratespec }, { "peakrate", tc.ratespec }, { "refcnt", "s32" }, { "bindcnt", "s32" }, { "capab", "u32" },
  }) },
  { "RATE", 2, "bytes" },
  { "PEAKRATE", 3, "bytes" },
  { "AVRATE", 4, "u32" },
  { "RESULT", 5, "s32", enum = VERDICT },
  { "TM", 6, tm },
  { "RATE64", 8, "u64" },
  { "PEAKRATE64", 9, "u64" },
  { "PKTRATE64", 10, "u64" },
  { "PKTBURST64", 11, "u64" },
}, { prefix = "TCA_POLICE_" })

local kinds = {
  police = police,
  ---A verdict, perhaps at random: linux/tc_act/tc_gact.h.
  gact = attrs("gact", {
    { "TM", 1, tm },
    { "PARMS", 2, gen "tc_gact" },
    { "PROB", 3, struct("tc_gact_p", {
      { "ptype", "u16", enum = { [0] = "none", [1] = "netrand", [2] = "determ" } }, { "pval", "u16" },
      { "paction", "s32", enum = VERDICT },
    }) },
  }, { prefix = "TCA_GACT_" }),
  ---To another link: linux/tc_act/tc_mirred.h.
  mirred = attrs("mirred", {
    { "TM", 1, tm },
    { "PARMS", 2, gen("tc_mirred",
      { "eaction", "s32", enum = { [1] = "egress_redirect", [2] = "egress_mirror", [3] = "ingress_redirect", [4] = "ingress_mirror" } },
      { "ifindex", "u32" }) },
    { "BLOCKID", 4, "u32" },
  }, { prefix = "TCA_MIRRED_" }),
  ---Tags on and off: linux/tc_act/tc_vlan.h.
  vlan = attrs("act_vlan", {
    { "TM", 1, tm },
    { "PARMS", 2, gen("tc_vlan",
      { "v_action", "s32", enum = { [1] = "pop", [2] = "push", [3] = "modify", [4] = "pop_eth", [5] = "push_eth" } }) },
    { "PUSH_VLAN_ID", 3, "u16" },
    { "PUSH_VLAN_PROTOCOL", 4, "be16", names = words.ethertype },
    { "PUSH_VLAN_PRIORITY", 6, "u8" },
    { "PUSH_ETH_DST", 7, "l2addr" },
    { "PUSH_ETH_SRC", 8, "l2addr" },
  }, { prefix = "TCA_VLAN_" }),
  ---What a packet is marked with inside: linux/tc_act/tc_skbedit.h.
  skbedit = attrs("skbedit", {
    { "TM", 1, tm },
    { "PARMS", 2, gen "tc_skbedit" },
    { "PRIORITY", 3, "u32", show = "hex" },
    { "QUEUE_MAPPING", 4, "u16" },
    { "MARK", 5, "u32", show = "hex" },
    { "PTYPE", 7, "u16", enum = { [0] = "host", [1] = "broadcast", [2] = "multicast", [3] = "otherhost" } },
    { "MASK", 8, "u32", show = "hex" },
    { "FLAGS", 9, "u64", show = "hex" },
    { "QUEUE_MAPPING_MAX", 10, "u16" },
  }, { prefix = "TCA_SKBEDIT_" }),
  ---Checksums anew: linux/tc_act/tc_csum.h.
  csum = attrs("act_csum", {
    { "PARMS", 1, gen("tc_csum", { "update_flags", "u32", flags = { "iph", "icmp", "igmp", "tcp", "udp", "udplite", "sctp" } }) },
    { "TM", 2, tm },
  }, { prefix = "TCA_CSUM_" }),
  ---Stateless address translation: linux/tc_act/tc_nat.h.
  nat = attrs("act_nat", {
    { "PARMS", 1, gen("tc_nat", { "old_addr", "ip4" }, { "new_addr", "ip4" }, { "mask", "ip4" }, { "flags", "u32", flags = { "egress" } }) },
    { "TM", 2, tm },
  }, { prefix = "TCA_NAT_" }),
  ---A BPF program: linux/tc_act/tc_bpf.h.
  bpf = attrs("act_bpf", {
    { "TM", 1, tm },
    { "PARMS", 2, gen "tc_act_bpf" },
    { "OPS_LEN", 3, "u16" },
    { "OPS", 4, "bytes" },
    { "FD", 5, "u32" },
    { "NAME", 6, "asciiz" },
    { "TAG", 8, "hex" },
    { "ID", 9, "u32" },
  }, { prefix = "TCA_ACT_BPF_" }),
  ---What a tunnel device in metadata mode is told: linux/tc_act/tc_tunnel_key.h.
  tunnel_key = attrs("tunnel_key", {
    { "TM", 1, tm },
    { "PARMS", 2, gen("tc_tunnel_key", { "t_action", "s32", enum = { [1] = "set", [2] = "unset" } }) },
    { "ENC_IPV4_SRC", 3, "ip4" },
    { "ENC_IPV4_DST", 4, "ip4" },
    { "ENC_IPV6_SRC", 5, "ip6" },
    { "ENC_IPV6_DST", 6, "ip6" },
    { "ENC_KEY_ID", 7, "be32" },
    { "ENC_DST_PORT", 9, "be16" },
    { "NO_CSUM", 10, "u8" },
    { "ENC_OPTS", 11, "bytes" },
    { "ENC_TOS", 12, "u8" },
    { "ENC_TTL", 13, "u8" },
    { "NO_FRAG", 14, "flag" },
  }, { prefix = "TCA_TUNNEL_KEY_" }),
  ---Connection tracking: linux/tc_act/tc_ct.h.
  ct = attrs("act_ct", {
    { "PARMS", 1, gen "tc_ct" },
    { "TM", 2, tm },
    { "ACTION", 3, "u16", flags = { "commit", "force", "clear", "nat", "nat_src", "nat_dst" } },
    { "ZONE", 4, "u16" },
    { "MARK", 5, "u32", show = "hex" },
    { "MARK_MASK", 6, "u32", show = "hex" },
    { "LABELS", 7, "hex" },
    { "LABELS_MASK", 8, "hex" },
    { "NAT_IPV4_MIN", 9, "ip4" },
    { "NAT_IPV4_MAX", 10, "ip4" },
    { "NAT_IPV6_MIN", 11, "ip6" },
    { "NAT_IPV6_MAX", 12, "ip6" },
    { "NAT_PORT_MIN", 13, "be16" },
    { "NAT_PORT_MAX", 14, "be16" },
    { "HELPER_NAME", 16, "asciiz" },
    { "HELPER_FAMILY", 17, "u8" },
    { "HELPER_PROTO", 18, "u8" },
  }, { prefix = "TCA_CT_" }),
  ---The mark of a connection to its packets: linux/tc_act/tc_connmark.h.
  connmark = attrs("act_connmark", {
    { "PARMS", 1, gen("tc_connmark", { "zone", "u16" }, { "pad", "u16" }) },
    { "TM", 2, tm },
  }, { prefix = "TCA_CONNMARK_" }),
  ---Marks and DSCP of a connection: linux/tc_act/tc_ctinfo.h.
  ctinfo = attrs("act_ctinfo", {
    { "TM", 2, tm },
    { "ACT", 3, gen "tc_ctinfo" },
    { "ZONE", 4, "u16" },
    { "PARMS_DSCP_MASK", 5, "u32", show = "hex" },
    { "PARMS_DSCP_STATEMASK", 6, "u32", show = "hex" },
    { "PARMS_CPMARK_MASK", 7, "u32", show = "hex" },
    { "STATS_DSCP_SET", 8, "u64" },
    { "STATS_DSCP_ERROR", 9, "u64" },
    { "STATS_CPMARK_SET", 10, "u64" },
  }, { prefix = "TCA_CTINFO_" }),
  ---MPLS labels on and off: linux/tc_act/tc_mpls.h.
  mpls = attrs("act_mpls", {
    { "TM", 1, tm },
    { "PARMS", 2, gen("tc_mpls", { "m_action", "s32", enum = {
      [1] = "pop", [2] = "push", [3] = "modify", [4] = "dec_ttl", [5] = "mac_push",
    } }) },
    { "PROTO", 4, "be16", names = words.ethertype },
    { "LABEL", 5, "u32" },
    { "TC", 6, "u8" },
    { "TTL", 7, "u8" },
    { "BOS", 8, "u8" },
  }, { prefix = "TCA_MPLS_" }),
  ---Any octets of a packet: linux/tc_act/tc_pedit.h.
  pedit = attrs("act_pedit", {
    { "TM", 1, tm },
    { "PARMS", 2, pedit_sel },
    { "PARMS_EX", 4, pedit_sel },
    { "KEYS_EX", 5, attrs("pedit_keys_ex", {
      { "KEY_EX", 6, multi(attrs("pedit_key_ex", {
        { "HTYPE", 1, "u16", enum = { [0] = "network", [1] = "eth", [2] = "ip4", [3] = "ip6", [4] = "tcp", [5] = "udp" } },
        { "CMD", 2, "u16", enum = { [0] = "set", [1] = "add" } },
      }, { prefix = "TCA_PEDIT_KEY_EX_" })) },
    }, { prefix = "TCA_PEDIT_" }) },
  }, { prefix = "TCA_PEDIT_" }),
  ---A word for the kernel's log: linux/tc_act/tc_defact.h.
  simple = attrs("act_simple", {
    { "TM", 1, tm },
    { "PARMS", 2, gen "tc_defact" },
    { "DATA", 3, "asciiz" },
  }, { prefix = "TCA_DEF_" }),
  ---Ethernet addresses and types: linux/tc_act/tc_skbmod.h.
  skbmod = attrs("act_skbmod", {
    { "TM", 1, tm },
    { "PARMS", 2, gen("tc_skbmod", { "flags", "u64", flags = { "dmac", "smac", "etype", "swapmac", "ecn" } }) },
    { "DMAC", 3, "l2addr" },
    { "SMAC", 4, "l2addr" },
    { "ETYPE", 5, "u16", names = words.ethertype },
  }, { prefix = "TCA_SKBMOD_" }),
  ---A sample to user space: linux/tc_act/tc_sample.h.
  sample = attrs("act_sample", {
    { "TM", 1, tm },
    { "PARMS", 2, gen "tc_sample" },
    { "RATE", 3, "u32" },
    { "TRUNC_SIZE", 4, "u32" },
    { "PSAMPLE_GROUP", 5, "u32" },
  }, { prefix = "TCA_SAMPLE_" }),
}

---One action: TCA_ACT_*.
local act = attrs("act", {
  { "KIND", 1, "asciiz" },
  { "OPTIONS", 2, by("kind", kinds, "bytes") },
  { "INDEX", 3, "u32" },
  { "STATS", 4, tc.qdisc.now },
  { "COOKIE", 6, "hex" },
  { "FLAGS", 7, "bitfield32" },
  { "HW_STATS", 8, "bitfield32" },
  { "USED_HW_STATS", 9, "bitfield32" },
  { "IN_HW_COUNT", 10, "u32" },
}, { prefix = "TCA_ACT_" })

return { act = act, list = list(act), police = police }
