-- Tables of neighbours and what they are tuned by: linux/neighbour.h.
local words = require "netlink.words"

local attrs, message, struct = netlink.attrs, netlink.message, netlink.struct

local function members(type, names)
  local list = {}
  for i, name in ipairs(names) do list[i] = { name, type } end
  return list
end

return message("neightbl", {
  { "family", "u8", names = words.family },
  { "pad1", "u8" },
  { "pad2", "u16" },
}, {
  doc = "A table of neighbours, ARP's or NDP's: struct ndtmsg. Times in milliseconds.",
  prefix = "NDTA_",
  key = { "family", "NDTA_NAME", "NDTA_PARMS" },
  event = { [64] = "RTM_NEWNEIGHTBL", [66] = "RTM_GETNEIGHTBL", [67] = "RTM_SETNEIGHTBL" },
  attrs = {
    { "NAME", 1, "asciiz" },
    { "THRESH1", 2, "u32" },
    { "THRESH2", 3, "u32" },
    { "THRESH3", 4, "u32" },
    { "CONFIG", 5, struct("ndt_config", {
      { "key_len", "u16" }, { "entry_size", "u16" }, { "entries", "u32" }, { "last_flush", "u32" },
      { "last_rand", "u32" }, { "hash_rnd", "u32" }, { "hash_mask", "u32" }, { "hash_chain_gc", "u32" },
      { "proxy_qlen", "u32" },
    }) },
    { "PARMS", 6, attrs("ndt_parms", {
      { "IFINDEX", 1, "u32" },
      { "REFCNT", 2, "u32" },
      { "REACHABLE_TIME", 3, "u64" },
      { "BASE_REACHABLE_TIME", 4, "u64" },
      { "RETRANS_TIME", 5, "u64" },
      { "GC_STALETIME", 6, "u64" },
      { "DELAY_PROBE_TIME", 7, "u64" },
      { "QUEUE_LEN", 8, "u32" },
      { "APP_PROBES", 9, "u32" },
      { "UCAST_PROBES", 10, "u32" },
      { "MCAST_PROBES", 11, "u32" },
      { "ANYCAST_DELAY", 12, "u64" },
      { "PROXY_DELAY", 13, "u64" },
      { "PROXY_QLEN", 14, "u32" },
      { "LOCKTIME", 15, "u64" },
      { "QUEUE_LENBYTES", 16, "u32" },
      { "MCAST_REPROBES", 17, "u32" },
      { "INTERVAL_PROBE_TIME_MS", 19, "u64" },
    }, { prefix = "NDTPA_" }) },
    { "STATS", 7, struct("ndt_stats", members("u64", {
      "allocs", "destroys", "hash_grows", "res_failed", "lookups", "hits", "rcv_probes_mcast", "rcv_probes_ucast",
      "periodic_gc_runs", "forced_gc_runs", "table_fulls",
    })) },
    { "GC_INTERVAL", 8, "u64" },
  },
})
