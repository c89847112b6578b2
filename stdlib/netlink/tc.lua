-- Traffic control: queueing disciplines, their classes, filters, chains and
-- actions. linux/rtnetlink.h struct tcmsg, linux/pkt_sched.h, linux/pkt_cls.h.
local words = require "netlink.words"
local counters = require "netlink.tcstats"
local options = require "netlink.qdiscs"
local filters = require "netlink.tcfilters"
local actions = require "netlink.actions"

local attrs, by, message, struct = netlink.attrs, netlink.by, netlink.message, netlink.struct

-- A message of traffic control whose options are of the given kinds.
local function tcm(name, doc, kinds, key, event)
  local stats = name == "tclass" and counters.class or counters.qdisc
  return message(name, {
    { "family", "u8", names = words.family },
    { "pad1", "u8" },
    { "pad2", "u16" },
    { "index", "s32" }, -- of the link; -1: parent is the number of a block
    { "handle", "u32", show = "hex" },
    { "parent", "u32", show = "hex" },
    { "info", "u32", show = "hex" }, -- of a filter: the priority, and below it the protocol in network order
  }, {
    doc = doc,
    prefix = "TCA_",
    text = function(m, o) return require "netlink.print"[name](m, o) end,
    words = function(m, member, o) return require "netlink.print".member(m, member, o) end,
    key = key,
    event = event,
    attrs = {
      { "KIND", 1, "asciiz" },
      { "OPTIONS", 2, by("kind", kinds, "bytes") },
      { "STATS", 3, stats.first },
      { "XSTATS", 4, stats.own },
      { "RATE", 5, struct("gnet_estimator", { { "interval", "s8" }, { "ewma_log", "u8" } }) },
      { "FCNT", 6, "u32" },
      { "STATS2", 7, stats.now },
      { "STAB", 8, attrs("tc_stab", {
        { "BASE", 1, struct("tc_sizespec", {
          { "cell_log", "u8" }, { "size_log", "u8" }, { "cell_align", "s16" }, { "overhead", "s32" }, { "linklayer", "u32" },
          { "mpu", "u32" }, { "mtu", "u32" }, { "tsize", "u32" },
        }) },
        { "DATA", 2, netlink.array "u16" },
      }, { prefix = "TCA_STAB_" }) },
      { "DUMP_INVISIBLE", 10, "flag" },
      { "CHAIN", 11, "u32" },
      { "HW_OFFLOAD", 12, "u8" },
      { "INGRESS_BLOCK", 13, "u32" },
      { "EGRESS_BLOCK", 14, "u32" },
      { "DUMP_FLAGS", 15, "bitfield32" },
      { "EXT_WARN_MSG", 16, "asciiz" },
    },
  })
end

local qdisc = tcm("qdisc", "A queueing discipline of a link: linux/pkt_sched.h.", options.qdiscs,
  { "index", "parent", "handle" }, { [36] = "RTM_NEWQDISC", [37] = "RTM_DELQDISC", [38] = "RTM_GETQDISC" })

local class = tcm("tclass", "A class of a queueing discipline: linux/pkt_sched.h.", options.classes,
  { "index", "handle" }, { [40] = "RTM_NEWTCLASS", [41] = "RTM_DELTCLASS", [42] = "RTM_GETTCLASS" })

local filter = tcm("filter", "A filter: linux/pkt_cls.h.", filters,
  { "index", "parent", "TCA_CHAIN", "info", "handle", "TCA_KIND" },
  { [44] = "RTM_NEWTFILTER", [45] = "RTM_DELTFILTER", [46] = "RTM_GETTFILTER" })

local chain = tcm("chain", "A chain of filters: linux/rtnetlink.h.", filters, { "index", "parent", "TCA_CHAIN" },
  { [100] = "RTM_NEWCHAIN", [101] = "RTM_DELCHAIN", [102] = "RTM_GETCHAIN" })

local action = message("action", {
  { "family", "u8", names = words.family },
  { "pad1", "u8" },
  { "pad2", "u16" },
}, {
  doc = "Actions that stand by themselves: struct tcamsg, TCA_ROOT_*.",
  prefix = "TCA_ROOT_",
  event = { [48] = "RTM_NEWACTION", [49] = "RTM_DELACTION", [50] = "RTM_GETACTION" },
  attrs = {
    { "TAB", 1, actions.list },
    { "FLAGS", 2, "bitfield32" }, -- the kernel's flags: 1 large dump, 2 terse dump
    { "COUNT", 3, "u32" },
    { "TIME_DELTA", 4, "u32" },
    { "EXT_WARN_MSG", 5, "asciiz" },
  },
})

return { qdisc = qdisc, class = class, filter = filter, chain = chain, action = action }
