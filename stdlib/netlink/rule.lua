-- Rules that choose a routing table: linux/fib_rules.h, struct fib_rule_hdr.
local words = require "netlink.words"

local struct = netlink.struct

local function port_range(name)
  return struct(name, { { "start", "u16" }, { "end", "u16" } })
end

return netlink.message("rule", {
  { "family", "u8", names = words.family },
  { "dst_len", "u8" },
  { "src_len", "u8" },
  { "tos", "u8", show = "hex" },
  { "table", "u8", names = words.table }, -- FRA_TABLE has those that need more
  { "pad1", "u8" },
  { "pad2", "u8" },
  { "action", "u8", names = {
    [0] = "unspec", [1] = "to_tbl", [2] = "goto", [3] = "nop", [6] = "blackhole", [7] = "unreachable", [8] = "prohibit",
  } },
  { "flags", "u32", flags = {
    "permanent", "invert", "unresolved", "iif_detached", "oif_detached", "", "", "", "", "", "", "", "", "", "", "",
    "find_saddr",
  } },
}, {
  doc = "A rule: linux/fib_rules.h.",
  prefix = "FRA_",
  text = function(m, o) return require "netlink.print".rule(m, o) end,
  words = function(m, name, o) return require "netlink.print".member(m, name, o) end,
  -- The kernel refuses two rules that are the same in everything.
  key = {
    "family", "dst_len", "src_len", "tos", "action", "flags", "FRA_PRIORITY", "FRA_TABLE", "FRA_DST", "FRA_SRC",
    "FRA_IIFNAME", "FRA_OIFNAME", "FRA_GOTO", "FRA_FWMARK", "FRA_FWMASK", "FRA_TUN_ID", "FRA_L3MDEV", "FRA_IP_PROTO",
    "FRA_UID_RANGE", "FRA_SPORT_RANGE", "FRA_DPORT_RANGE", "FRA_DSCP", "FRA_FLOWLABEL",
  },
  event = { [32] = "RTM_NEWRULE", [33] = "RTM_DELRULE", [34] = "RTM_GETRULE" },
  attrs = {
    { "DST", 1, "addr" },
    { "SRC", 2, "addr" },
    { "IIFNAME", 3, "asciiz" },
    { "GOTO", 4, "u32" },
    { "PRIORITY", 6, "u32" },
    { "FWMARK", 10, "u32", show = "hex" },
    { "FLOW", 11, "u32" },
    { "TUN_ID", 12, "be64" },
    { "SUPPRESS_IFGROUP", 13, "s32" },
    { "SUPPRESS_PREFIXLEN", 14, "s32" },
    { "TABLE", 15, "u32", names = words.table },
    { "FWMASK", 16, "u32", show = "hex" },
    { "OIFNAME", 17, "asciiz" },
    { "L3MDEV", 19, "u8" },
    { "UID_RANGE", 20, struct("fib_rule_uid_range", { { "start", "u32" }, { "end", "u32" } }) },
    { "PROTOCOL", 21, "u8", names = words.protocol },
    { "IP_PROTO", 22, "u8", names = words.ipproto },
    { "SPORT_RANGE", 23, port_range "fib_rule_sport_range" },
    { "DPORT_RANGE", 24, port_range "fib_rule_dport_range" },
    { "DSCP", 25, "u8", show = "hex" },
    { "FLOWLABEL", 26, "be32", show = "hex" },
    { "FLOWLABEL_MASK", 27, "be32", show = "hex" },
    { "SPORT_MASK", 28, "u16", show = "hex" },
    { "DPORT_MASK", 29, "u16", show = "hex" },
    { "DSCP_MASK", 30, "u8", show = "hex" },
  },
})
