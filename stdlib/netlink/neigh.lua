-- Neighbours and forwarding entries of bridges: linux/neighbour.h, struct ndmsg.
local words = require "netlink.words"

local attrs, message, struct = netlink.attrs, netlink.message, netlink.struct

local STATES = { "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "NOARP", "PERMANENT" }
local FLAGS = { "use", "self", "master", "proxy", "extern_learn", "offload", "sticky", "router" }

return message("neigh", {
  { "family", "u8", names = words.family },
  { "pad1", "u8" },
  { "pad2", "u16" },
  { "ifindex", "s32" },
  { "state", "u16", flags = STATES },
  { "flags", "u8", flags = FLAGS },
  { "type", "u8", names = words.route },
}, {
  doc = "A neighbour, or where a bridge or a VXLAN forwards to: linux/neighbour.h.",
  prefix = "NDA_",
  text = function(m, o) return require "netlink.print".neigh(m, o) end,
  words = function(m, name, o) return require "netlink.print".member(m, name, o) end,
  -- A neighbour is known by its IP address; in a bridge by its link address, where it also stands beside a VLAN,
  -- and in a VXLAN it may have several destinations.
  key = function(m)
    if m.family == 7 then
      return 7, m.ifindex, m:get_attr "NDA_LLADDR", m:get_attr "NDA_VLAN", m:get_attr "NDA_DST", m:get_attr "NDA_VNI",
        m:get_attr "NDA_MASTER"
    end
    return m.family, m.ifindex, m:get_attr "NDA_DST", m.flags and m.flags:find "proxy" ~= nil
  end,
  event = { [28] = "RTM_NEWNEIGH", [29] = "RTM_DELNEIGH", [30] = "RTM_GETNEIGH" },
  attrs = {
    { "DST", 1, "ipaddr" },
    { "LLADDR", 2, "lladdr" },
    { "CACHEINFO", 3, struct("nda_cacheinfo", { -- in clock ticks
      { "ndm_confirmed", "u32" }, { "ndm_used", "u32" }, { "ndm_updated", "u32" }, { "ndm_refcnt", "u32" },
    }) },
    { "PROBES", 4, "u32" },
    { "VLAN", 5, "u16" },
    { "PORT", 6, "be16" },
    { "VNI", 7, "u32" },
    { "IFINDEX", 8, "u32" },
    { "MASTER", 9, "u32" },
    { "LINK_NETNSID", 10, "s32" },
    { "SRC_VNI", 11, "u32" },
    { "PROTOCOL", 12, "u8", names = words.protocol },
    { "NH_ID", 13, "u32" },
    { "FDB_EXT_ATTRS", 14, attrs("fdb_ext", {
      { "ACTIVITY_NOTIFY", 1, "u8" },
      { "DONT_REFRESH", 2, "flag" },
    }, { prefix = "NFEA_" }), nested = true },
    { "FLAGS_EXT", 15, "u32", flags = { "managed", "locked", "ext_validated" } },
    { "NDM_STATE_MASK", 16, "u16", flags = STATES },
    { "NDM_FLAGS_MASK", 17, "u8", flags = FLAGS },
  },
})
