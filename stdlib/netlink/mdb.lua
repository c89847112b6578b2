-- Multicast groups of a bridge: linux/if_bridge.h, struct br_port_msg.
local words = require "netlink.words"

local array, attrs, message, multi, struct = netlink.array, netlink.attrs, netlink.message, netlink.multi, netlink.struct

local header = {
  { "family", "u8", names = words.family },
  { "pad1", "u8" },
  { "pad2", "u16" },
  { "ifindex", "u32" },
}

-- The group is an IPv4, IPv6 or MAC address, by proto, and zeros behind it.
local entry = {
  { "ifindex", "u32" },
  { "state", "u8", enum = { [0] = "temp", [1] = "permanent" } },
  { "flags", "u8", flags = { "offload", "fast_leave", "star_excl", "blocked" } },
  { "vid", "u16" },
  { "addr", "bytes", size = 16 },
  { "proto", "be16", names = words.ethertype },
  { "pad", "u16" },
}

local set = message("mdb_set", header, {
  doc = "What is asked for when a group is added, deleted or searched: MDBA_SET_ENTRY_*.",
  prefix = "MDBA_",
  attrs = {
    { "SET_ENTRY", 1, struct("br_mdb_entry", entry) },
    { "SET_ENTRY_ATTRS", 2, attrs("mdbe_attrs", {
      { "SOURCE", 1, "ipaddr" },
      { "SRC_LIST", 2, attrs("mdbe_src_list", {
        { "ENTRY", 1, multi(attrs("mdbe_src", { { "ADDRESS", 1, "ipaddr" } }, { prefix = "MDBE_SRCATTR_" })) },
      }, { prefix = "MDBE_SRC_LIST_" }), nested = true },
      { "GROUP_MODE", 3, "u8", enum = { [0] = "exclude", [1] = "include" } },
      { "RTPROT", 4, "u8", names = words.protocol },
      { "DST", 5, "ipaddr" },
      { "DST_PORT", 6, "u16" },
      { "VNI", 7, "u32" },
      { "IFINDEX", 8, "u32" },
      { "SRC_VNI", 9, "u32" },
      { "STATE_MASK", 10, "u8" },
    }, { prefix = "MDBE_ATTR_" }), nested = true },
  },
})

return message("mdb", header, {
  doc = "The multicast groups of a bridge and its ports towards routers: linux/if_bridge.h.",
  prefix = "MDBA_",
  key = { "ifindex", "MDBA_MDB" },
  event = { [84] = "RTM_NEWMDB", [85] = "RTM_DELMDB", [86] = "RTM_GETMDB" },
  requests = netlink.by("family", {}, set),
  attrs = {
    { "MDB", 1, attrs("mdba_mdb", {
      { "ENTRY", 1, multi(attrs("mdba_mdb_entry", {
        { "INFO", 1, multi(message("mdb_entry", entry, {
          prefix = "MDBA_MDB_EATTR_",
          attrs = {
            { "TIMER", 1, "u32" },
            { "SRC_LIST", 2, attrs("mdb_src_list", {
              { "ENTRY", 1, multi(attrs("mdb_src", {
                { "ADDRESS", 1, "ipaddr" },
                { "TIMER", 2, "u32" },
              }, { prefix = "MDBA_MDB_SRCATTR_" })) },
            }, { prefix = "MDBA_MDB_SRCLIST_" }) },
            { "GROUP_MODE", 3, "u8", enum = { [0] = "exclude", [1] = "include" } },
            { "SOURCE", 4, "ipaddr" },
            { "RTPROT", 5, "u8", names = words.protocol },
            { "DST", 6, "ipaddr" },
            { "DST_PORT", 7, "u16" },
            { "VNI", 8, "u32" },
            { "IFINDEX", 9, "u32" },
            { "SRC_VNI", 10, "u32" },
          },
        })) },
      }, { prefix = "MDBA_MDB_ENTRY_" })) },
    }, { prefix = "MDBA_MDB_" }) },
    { "ROUTER", 2, attrs("mdba_router", {
      { "PORT", 1, multi(message("mdb_router_port", { { "ifindex", "u32" } }, {
        prefix = "MDBA_ROUTER_PATTR_",
        attrs = {
          { "TIMER", 1, "u32" },
          { "TYPE", 2, "u8", enum = { [0] = "disabled", [1] = "temp_query", [2] = "permanent", [3] = "temp" } },
          { "INET_TIMER", 3, "u32" },
          { "INET6_TIMER", 4, "u32" },
          { "VID", 5, "u16" },
        },
      })) },
    }, { prefix = "MDBA_ROUTER_" }) },
  },
})
