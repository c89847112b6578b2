-- How a route or a next hop wraps what it sends, by LWTUNNEL_ENCAP_*:
-- linux/lwtunnel.h, linux/mpls_iptunnel.h, linux/seg6_iptunnel.h,
-- linux/seg6_local.h, linux/rpl_iptunnel.h, linux/ioam6_iptunnel.h, linux/ila.h.
local array, attrs, multi, struct = netlink.array, netlink.attrs, netlink.multi, netlink.struct

-- A segment routing header, RFC 8754 §2, without TLVs. Segments stand last first.
local function srh(name, ...)
  local fields = { ... }
  for _, field in ipairs {
    { "nexthdr", "u8" }, { "hdrlen", "u8" }, { "type", "u8" }, { "segments_left", "u8" },
    { "last_segment", "u8" }, { "flags", "u8" }, { "tag", "be16" },
    { "segments", array "ip6" },
  } do fields[#fields + 1] = field end
  return struct(name, fields)
end

local ip_opts = {
  { "GENEVE", 1, multi(attrs("lwt_geneve", {
    { "CLASS", 1, "be16" }, { "TYPE", 2, "u8" }, { "DATA", 3, "hex" },
  }, { prefix = "LWTUNNEL_IP_OPT_GENEVE_" })) },
  { "VXLAN", 2, attrs("lwt_vxlan", { { "GBP", 1, "u32" } }, { prefix = "LWTUNNEL_IP_OPT_VXLAN_" }) },
  { "ERSPAN", 3, attrs("lwt_erspan", {
    { "VER", 1, "u8" }, { "INDEX", 2, "be32" }, { "DIR", 3, "u8" }, { "HWID", 4, "u8" },
  }, { prefix = "LWTUNNEL_IP_OPT_ERSPAN_" }) },
}

local bpf = attrs("lwt_bpf_prog", { { "FD", 1, "u32" }, { "NAME", 2, "asciiz" } }, { prefix = "LWT_BPF_PROG_" })

local encap = {
  ---MPLS labels: linux/mpls_iptunnel.h.
  [1] = attrs("encap_mpls", { { "DST", 1, "mpls" }, { "TTL", 2, "u8" } }, { prefix = "MPLS_IPTUNNEL_" }),
  ---What a tunnel device in metadata mode is told, IPv4: linux/lwtunnel.h.
  [2] = attrs("encap_ip", {
    { "ID", 1, "be64" },
    { "DST", 2, "ip4" },
    { "SRC", 3, "ip4" },
    { "TTL", 4, "u8" },
    { "TOS", 5, "u8" },
    { "FLAGS", 6, "be16", show = "hex" },
    { "OPTS", 8, attrs("encap_ip_opts", ip_opts, { prefix = "LWTUNNEL_IP_OPTS_" }), nested = true },
  }, { prefix = "LWTUNNEL_IP_" }),
  [3] = attrs("encap_ila", {
    { "LOCATOR", 1, "be64", show = "hex" },
    { "CSUM_MODE", 7, "u8", enum = { [0] = "adj-transport", [1] = "neutral-map", [2] = "no-action", [3] = "neutral-map-auto" } },
    { "IDENT_TYPE", 8, "u8" },
    { "HOOK_TYPE", 9, "u8", enum = { [0] = "output", [1] = "input" } },
  }, { prefix = "ILA_ATTR_" }),
  [4] = attrs("encap_ip6", {
    { "ID", 1, "be64" },
    { "DST", 2, "ip6" },
    { "SRC", 3, "ip6" },
    { "HOPLIMIT", 4, "u8" },
    { "TC", 5, "u8" },
    { "FLAGS", 6, "be16", show = "hex" },
    { "OPTS", 8, attrs("encap_ip6_opts", ip_opts, { prefix = "LWTUNNEL_IP_OPTS_" }), nested = true },
  }, { prefix = "LWTUNNEL_IP6_" }),
  ---Segment routing over IPv6: linux/seg6_iptunnel.h.
  [5] = attrs("encap_seg6", {
    { "SRH", 1, srh("seg6_iptunnel_encap", { "mode", "s32", enum = {
      [0] = "inline", [1] = "encap", [2] = "l2encap", [3] = "encap.red", [4] = "l2encap.red",
    } }) },
  }, { prefix = "SEG6_IPTUNNEL_" }),
  [6] = attrs("encap_bpf", {
    { "IN", 1, bpf }, { "OUT", 2, bpf }, { "XMIT", 3, bpf }, { "XMIT_HEADROOM", 4, "u32" },
  }, { prefix = "LWT_BPF_" }),
  ---What a segment's own router does: linux/seg6_local.h, RFC 8986.
  [7] = attrs("encap_seg6local", {
    { "ACTION", 1, "u32", enum = {
      [1] = "End", [2] = "End.X", [3] = "End.T", [4] = "End.DX2", [5] = "End.DX6", [6] = "End.DX4", [7] = "End.DT6",
      [8] = "End.DT4", [9] = "End.B6", [10] = "End.B6.Encaps", [11] = "End.BM", [12] = "End.S", [13] = "End.AS",
      [14] = "End.AM", [15] = "End.BPF", [16] = "End.DT46",
    } },
    { "SRH", 2, srh "seg6_srh" },
    { "TABLE", 3, "u32" },
    { "NH4", 4, "ip4" },
    { "NH6", 5, "ip6" },
    { "IIF", 6, "u32" },
    { "OIF", 7, "u32" },
    { "BPF", 8, attrs("seg6_local_bpf", { { "PROG", 1, "u32" }, { "PROG_NAME", 2, "asciiz" } },
      { prefix = "SEG6_LOCAL_BPF_" }) },
    { "VRFTABLE", 9, "u32" },
    { "COUNTERS", 10, attrs("seg6_local_counters", {
      { "PACKETS", 2, "u64" }, { "BYTES", 3, "u64" }, { "ERRORS", 4, "u64" },
    }, { prefix = "SEG6_LOCAL_CNT_" }), nested = true },
    { "FLAVORS", 11, attrs("seg6_local_flavors", {
      { "OPERATION", 1, "u32", flags = { "", "psp", "usp", "usd", "next-csid" } },
      { "LCBLOCK_BITS", 2, "u8" },
      { "LCNODE_FN_BITS", 3, "u8" },
    }, { prefix = "SEG6_LOCAL_FLV_" }), nested = true },
  }, { prefix = "SEG6_LOCAL_" }),
  ---Source routing for low-power networks, RFC 6554: linux/rpl_iptunnel.h.
  [8] = attrs("encap_rpl", { { "SRH", 1, "bytes" } }, { prefix = "RPL_IPTUNNEL_" }),
  ---In-situ measurement, RFC 9197: linux/ioam6_iptunnel.h.
  [9] = attrs("encap_ioam6", {
    { "MODE", 1, "u8", enum = { [1] = "inline", [2] = "encap", [3] = "auto" } },
    { "DST", 2, "ip6" },
    { "TRACE", 3, "bytes" },
    { "FREQ_K", 4, "u32" },
    { "FREQ_N", 5, "u32" },
    { "SRC", 6, "ip6" },
  }, { prefix = "IOAM6_IPTUNNEL_" }),
  [10] = attrs("encap_xfrm", { { "IF_ID", 1, "u32" }, { "LINK", 2, "u32" } }, { prefix = "LWT_XFRM_" }),
}

return encap
