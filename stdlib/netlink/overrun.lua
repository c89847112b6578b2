-- NLMSG_OVERRUN as a socket delivers it in the place of what is missing.
return netlink.message("overrun", {
  { "lost", "u64" },               -- messages that are missing
  { "kernel", "u64" },             -- messages that the kernel had no room for
  { "queue", "u64" },              -- messages that the queue had no room for
  { "exact", "u8", enum = { [0] = "no", [1] = "yes" } },
  { "pad", "bytes", size = 7 },
}, { event = { [4] = "overrun" } })
