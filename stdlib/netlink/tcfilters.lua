-- What stands in TCA_OPTIONS of a filter, by its kind: linux/pkt_cls.h.
local words = require "netlink.words"
local action = require "netlink.actions"

local array, attrs, multi, struct = netlink.array, netlink.attrs, netlink.multi, netlink.struct

local acts, police = action.list, action.police

-- TCA_CLS_FLAGS_*, bit 0 first.
local CLS_FLAGS = { "skip_hw", "skip_sw", "in_hw", "not_in_hw", "verbose" }

local ematches = attrs("ematches", {
  { "TREE_HDR", 1, struct("tcf_ematch_tree_hdr", { { "nmatches", "u16" }, { "progid", "u16" } }) },
  { "TREE_LIST", 2, "bytes" },
}, { prefix = "TCA_EMATCH_TREE_" })

local filters = {}

---A match of any 32 bits, and hash tables of such: TCA_U32_*.
filters.u32 = attrs("u32", {
  { "CLASSID", 1, "u32", show = "hex" },
  { "HASH", 2, "u32", show = "hex" },
  { "LINK", 3, "u32", show = "hex" },
  { "DIVISOR", 4, "u32" },
  { "SEL", 5, struct("tc_u32_sel", {
    { "flags", "u8", flags = { "terminal", "offset", "varoffset", "eat" } }, { "offshift", "u8" }, { "nkeys", "u8" },
    { "pad", "u8" }, { "offmask", "be16", show = "hex" }, { "off", "u16" }, { "offoff", "s16" }, { "hoff", "s16" },
    { "hmask", "be32", show = "hex" },
    { "keys", array(struct("tc_u32_key", {
      { "mask", "be32", show = "hex" }, { "val", "be32", show = "hex" }, { "off", "s32" }, { "offmask", "s32" },
    })) },
  }) },
  { "POLICE", 6, police },
  { "ACT", 7, acts },
  { "INDEV", 8, "asciiz" },
  { "PCNT", 9, struct("tc_u32_pcnt", { { "rcnt", "u64" }, { "rhit", "u64" }, { "kcnts", array "u64" } }) },
  { "MARK", 10, struct("tc_u32_mark", {
    { "val", "u32", show = "hex" }, { "mask", "u32", show = "hex" }, { "success", "u32" },
  }) },
  { "FLAGS", 11, "u32", flags = CLS_FLAGS },
}, { prefix = "TCA_U32_" })

---An expression of extended matches: TCA_BASIC_*.
filters.basic = attrs("basic", {
  { "CLASSID", 1, "u32", show = "hex" },
  { "EMATCHES", 2, ematches },
  { "ACT", 3, acts },
  { "POLICE", 4, police },
  { "PCNT", 5, struct("tc_basic_pcnt", { { "rcnt", "u64" }, { "rhit", "u64" } }) },
}, { prefix = "TCA_BASIC_" })

---Everything: TCA_MATCHALL_*.
filters.matchall = attrs("matchall", {
  { "CLASSID", 1, "u32", show = "hex" },
  { "ACT", 2, acts },
  { "FLAGS", 3, "u32", flags = CLS_FLAGS },
  { "PCNT", 4, struct("tc_matchall_pcnt", { { "rhit", "u64" } }) },
}, { prefix = "TCA_MATCHALL_" })

---A BPF program: TCA_BPF_*.
filters.bpf = attrs("bpf_filter", {
  { "ACT", 1, acts },
  { "POLICE", 2, police },
  { "CLASSID", 3, "u32", show = "hex" },
  { "OPS_LEN", 4, "u16" },
  { "OPS", 5, "bytes" },
  { "FD", 6, "u32" },
  { "NAME", 7, "asciiz" },
  { "FLAGS", 8, "u32", flags = { "direct_action" } },
  { "FLAGS_GEN", 9, "u32", flags = CLS_FLAGS },
  { "TAG", 10, "hex" },
  { "ID", 11, "u32" },
}, { prefix = "TCA_BPF_" })

---The mark of a packet: TCA_FW_*.
filters.fw = attrs("fw", {
  { "CLASSID", 1, "u32", show = "hex" },
  { "POLICE", 2, police },
  { "INDEV", 3, "asciiz" },
  { "ACT", 4, acts },
  { "MASK", 5, "u32", show = "hex" },
}, { prefix = "TCA_FW_" })

---The control group of the sender: TCA_CGROUP_*.
filters.cgroup = attrs("cgroup", {
  { "ACT", 1, acts },
  { "POLICE", 2, police },
  { "EMATCHES", 3, ematches },
}, { prefix = "TCA_CGROUP_" })

-- TCA_FLOWER_KEY_FLAGS_*, bit 0 first.
local FLOWER_FLAGS = { "frag", "firstfrag", "tuncsum", "tundf", "tunoam", "tuncrit" }

local enc_opts = attrs("flower_enc_opts", {
  { "GENEVE", 1, multi(attrs("flower_geneve", {
    { "CLASS", 1, "be16" }, { "TYPE", 2, "u8" }, { "DATA", 3, "hex" },
  }, { prefix = "TCA_FLOWER_KEY_ENC_OPT_GENEVE_" })), nested = true },
  { "VXLAN", 2, attrs("flower_vxlan", { { "GBP", 1, "u32" } }, { prefix = "TCA_FLOWER_KEY_ENC_OPT_VXLAN_" }),
    nested = true },
  { "ERSPAN", 3, attrs("flower_erspan", {
    { "VER", 1, "u8" }, { "INDEX", 2, "be32" }, { "DIR", 3, "u8" }, { "HWID", 4, "u8" },
  }, { prefix = "TCA_FLOWER_KEY_ENC_OPT_ERSPAN_" }), nested = true },
  { "GTP", 4, attrs("flower_gtp", { { "PDU_TYPE", 1, "u8" }, { "QFI", 2, "u8" } },
    { prefix = "TCA_FLOWER_KEY_ENC_OPT_GTP_" }), nested = true },
}, { prefix = "TCA_FLOWER_KEY_ENC_OPTS_" })

-- One MPLS label after another; the depth says which.
local mpls_opts = attrs("flower_mpls_opts", {
  { "LSE", 1, multi(attrs("flower_mpls_lse", {
    { "DEPTH", 1, "u8" }, { "TTL", 2, "u8" }, { "BOS", 3, "u8" }, { "TC", 4, "u8" }, { "LABEL", 5, "u32" },
  }, { prefix = "TCA_FLOWER_KEY_MPLS_OPT_LSE_" })), nested = true },
}, { prefix = "TCA_FLOWER_KEY_MPLS_OPTS_" })

local cfm = attrs("flower_cfm", { { "MD_LEVEL", 1, "u8" }, { "OPCODE", 2, "u8" } },
  { prefix = "TCA_FLOWER_KEY_CFM_" })

---Fields of a packet by name: TCA_FLOWER_*.
filters.flower = attrs("flower", {
  { "CLASSID", 1, "u32", show = "hex" },
  { "INDEV", 2, "asciiz" },
  { "ACT", 3, acts },
  { "KEY_ETH_DST", 4, "l2addr" },
  { "KEY_ETH_DST_MASK", 5, "l2addr" },
  { "KEY_ETH_SRC", 6, "l2addr" },
  { "KEY_ETH_SRC_MASK", 7, "l2addr" },
  { "KEY_ETH_TYPE", 8, "be16", names = words.ethertype },
  { "KEY_IP_PROTO", 9, "u8", names = words.ipproto },
  { "KEY_IPV4_SRC", 10, "ip4" },
  { "KEY_IPV4_SRC_MASK", 11, "ip4" },
  { "KEY_IPV4_DST", 12, "ip4" },
  { "KEY_IPV4_DST_MASK", 13, "ip4" },
  { "KEY_IPV6_SRC", 14, "ip6" },
  { "KEY_IPV6_SRC_MASK", 15, "ip6" },
  { "KEY_IPV6_DST", 16, "ip6" },
  { "KEY_IPV6_DST_MASK", 17, "ip6" },
  { "KEY_TCP_SRC", 18, "be16" },
  { "KEY_TCP_DST", 19, "be16" },
  { "KEY_UDP_SRC", 20, "be16" },
  { "KEY_UDP_DST", 21, "be16" },
  { "FLAGS", 22, "u32", flags = CLS_FLAGS },
  { "KEY_VLAN_ID", 23, "be16" },
  { "KEY_VLAN_PRIO", 24, "u8" },
  { "KEY_VLAN_ETH_TYPE", 25, "be16", names = words.ethertype },
  { "KEY_ENC_KEY_ID", 26, "be32" },
  { "KEY_ENC_IPV4_SRC", 27, "ip4" },
  { "KEY_ENC_IPV4_SRC_MASK", 28, "ip4" },
  { "KEY_ENC_IPV4_DST", 29, "ip4" },
  { "KEY_ENC_IPV4_DST_MASK", 30, "ip4" },
  { "KEY_ENC_IPV6_SRC", 31, "ip6" },
  { "KEY_ENC_IPV6_SRC_MASK", 32, "ip6" },
  { "KEY_ENC_IPV6_DST", 33, "ip6" },
  { "KEY_ENC_IPV6_DST_MASK", 34, "ip6" },
  { "KEY_TCP_SRC_MASK", 35, "be16" },
  { "KEY_TCP_DST_MASK", 36, "be16" },
  { "KEY_UDP_SRC_MASK", 37, "be16" },
  { "KEY_UDP_DST_MASK", 38, "be16" },
  { "KEY_SCTP_SRC_MASK", 39, "be16" },
  { "KEY_SCTP_DST_MASK", 40, "be16" },
  { "KEY_SCTP_SRC", 41, "be16" },
  { "KEY_SCTP_DST", 42, "be16" },
  { "KEY_ENC_UDP_SRC_PORT", 43, "be16" },
  { "KEY_ENC_UDP_SRC_PORT_MASK", 44, "be16" },
  { "KEY_ENC_UDP_DST_PORT", 45, "be16" },
  { "KEY_ENC_UDP_DST_PORT_MASK", 46, "be16" },
  { "KEY_FLAGS", 47, "be32", flags = FLOWER_FLAGS },
  { "KEY_FLAGS_MASK", 48, "be32", flags = FLOWER_FLAGS },
  { "KEY_ICMPV4_CODE", 49, "u8" },
  { "KEY_ICMPV4_CODE_MASK", 50, "u8" },
  { "KEY_ICMPV4_TYPE", 51, "u8" },
  { "KEY_ICMPV4_TYPE_MASK", 52, "u8" },
  { "KEY_ICMPV6_CODE", 53, "u8" },
  { "KEY_ICMPV6_CODE_MASK", 54, "u8" },
  { "KEY_ICMPV6_TYPE", 55, "u8" },
  { "KEY_ICMPV6_TYPE_MASK", 56, "u8" },
  { "KEY_ARP_SIP", 57, "ip4" },
  { "KEY_ARP_SIP_MASK", 58, "ip4" },
  { "KEY_ARP_TIP", 59, "ip4" },
  { "KEY_ARP_TIP_MASK", 60, "ip4" },
  { "KEY_ARP_OP", 61, "u8" },
  { "KEY_ARP_OP_MASK", 62, "u8" },
  { "KEY_ARP_SHA", 63, "l2addr" },
  { "KEY_ARP_SHA_MASK", 64, "l2addr" },
  { "KEY_ARP_THA", 65, "l2addr" },
  { "KEY_ARP_THA_MASK", 66, "l2addr" },
  { "KEY_MPLS_TTL", 67, "u8" },
  { "KEY_MPLS_BOS", 68, "u8" },
  { "KEY_MPLS_TC", 69, "u8" },
  { "KEY_MPLS_LABEL", 70, "be32" },
  { "KEY_TCP_FLAGS", 71, "be16" },
  { "KEY_TCP_FLAGS_MASK", 72, "be16" },
  { "KEY_IP_TOS", 73, "u8" },
  { "KEY_IP_TOS_MASK", 74, "u8" },
  { "KEY_IP_TTL", 75, "u8" },
  { "KEY_IP_TTL_MASK", 76, "u8" },
  { "KEY_CVLAN_ID", 77, "be16" },
  { "KEY_CVLAN_PRIO", 78, "u8" },
  { "KEY_CVLAN_ETH_TYPE", 79, "be16", names = words.ethertype },
  { "KEY_ENC_IP_TOS", 80, "u8" },
  { "KEY_ENC_IP_TOS_MASK", 81, "u8" },
  { "KEY_ENC_IP_TTL", 82, "u8" },
  { "KEY_ENC_IP_TTL_MASK", 83, "u8" },
  { "KEY_ENC_OPTS", 84, enc_opts, nested = true },
  { "KEY_ENC_OPTS_MASK", 85, enc_opts, nested = true },
  { "IN_HW_COUNT", 86, "u32" },
  { "KEY_PORT_SRC_MIN", 87, "be16" },
  { "KEY_PORT_SRC_MAX", 88, "be16" },
  { "KEY_PORT_DST_MIN", 89, "be16" },
  { "KEY_PORT_DST_MAX", 90, "be16" },
  { "KEY_CT_STATE", 91, "u16" },
  { "KEY_CT_STATE_MASK", 92, "u16" },
  { "KEY_CT_ZONE", 93, "u16" },
  { "KEY_CT_ZONE_MASK", 94, "u16" },
  { "KEY_CT_MARK", 95, "u32" },
  { "KEY_CT_MARK_MASK", 96, "u32" },
  { "KEY_CT_LABELS", 97, "hex" },
  { "KEY_CT_LABELS_MASK", 98, "hex" },
  { "KEY_MPLS_OPTS", 99, mpls_opts, nested = true },
  { "KEY_HASH", 100, "u32" },
  { "KEY_HASH_MASK", 101, "u32" },
  { "KEY_NUM_OF_VLANS", 102, "u8" },
  { "KEY_PPPOE_SID", 103, "be16" },
  { "KEY_PPP_PROTO", 104, "be16" },
  { "KEY_L2TPV3_SID", 105, "be32" },
  { "L2_MISS", 106, "u8" },
  { "KEY_CFM", 107, cfm, nested = true },
  { "KEY_SPI", 108, "be32" },
  { "KEY_SPI_MASK", 109, "be32" },
  { "KEY_ENC_FLAGS", 110, "be32", flags = FLOWER_FLAGS },
  { "KEY_ENC_FLAGS_MASK", 111, "be32", flags = FLOWER_FLAGS },
}, { prefix = "TCA_FLOWER_" })

return filters
