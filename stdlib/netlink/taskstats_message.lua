--- Accounting of processes, linux/taskstats.h.

-- struct taskstats grows at its end, so an older kernel's is shorter. Members
-- that C aligns have their padding written out.
local stats = netlink.struct("taskstats", {
  { "version", "u16" }, { "pad1", "u16" }, { "ac_exitcode", "u32" },
  { "ac_flag", "u8" }, { "ac_nice", "s8" }, { "pad2", "bytes", size = 6 },
  { "cpu_count", "u64" }, { "cpu_delay_total", "u64" }, { "blkio_count", "u64" }, { "blkio_delay_total", "u64" },
  { "swapin_count", "u64" }, { "swapin_delay_total", "u64" },
  { "cpu_run_real_total", "u64" }, { "cpu_run_virtual_total", "u64" },
  { "ac_comm", "text", size = 32 }, { "ac_sched", "u8" }, { "pad3", "bytes", size = 7 },
  { "ac_uid", "u32" }, { "ac_gid", "u32" }, { "ac_pid", "u32" }, { "ac_ppid", "u32" },
  { "ac_btime", "u32" }, { "pad4", "u32" },
  { "ac_etime", "u64" }, { "ac_utime", "u64" }, { "ac_stime", "u64" }, { "ac_minflt", "u64" }, { "ac_majflt", "u64" },
  { "coremem", "u64" }, { "virtmem", "u64" }, { "hiwater_rss", "u64" }, { "hiwater_vm", "u64" },
  { "read_char", "u64" }, { "write_char", "u64" }, { "read_syscalls", "u64" }, { "write_syscalls", "u64" },
  { "read_bytes", "u64" }, { "write_bytes", "u64" }, { "cancelled_write_bytes", "u64" },
  { "nvcsw", "u64" }, { "nivcsw", "u64" },
  { "ac_utimescaled", "u64" }, { "ac_stimescaled", "u64" }, { "cpu_scaled_run_real_total", "u64" },
  { "freepages_count", "u64" }, { "freepages_delay_total", "u64" },
  { "thrashing_count", "u64" }, { "thrashing_delay_total", "u64" },
  { "ac_btime64", "u64" }, { "compact_count", "u64" }, { "compact_delay_total", "u64" },
  { "ac_tgid", "u32" }, { "pad5", "u32" }, { "ac_tgetime", "u64" }, { "ac_exe_dev", "u64" }, { "ac_exe_inode", "u64" },
  { "wpcopy_count", "u64" }, { "wpcopy_delay_total", "u64" }, { "irq_count", "u64" }, { "irq_delay_total", "u64" },
  { "cpu_delay_max", "u64" }, { "cpu_delay_min", "u64" }, { "blkio_delay_max", "u64" }, { "blkio_delay_min", "u64" },
  { "swapin_delay_max", "u64" }, { "swapin_delay_min", "u64" },
  { "freepages_delay_max", "u64" }, { "freepages_delay_min", "u64" },
  { "thrashing_delay_max", "u64" }, { "thrashing_delay_min", "u64" },
  { "compact_delay_max", "u64" }, { "compact_delay_min", "u64" },
  { "wpcopy_delay_max", "u64" }, { "wpcopy_delay_min", "u64" }, { "irq_delay_max", "u64" }, { "irq_delay_min", "u64" },
})

local reply = {
  { "PID", 1, "u32" }, { "TGID", 2, "u32" }, { "STATS", 3, stats },
  { "AGGR_PID", 4, netlink.attrs("taskstats_pid", {
    { "PID", 1, "u32" }, { "STATS", 3, stats },
  }, { prefix = "TASKSTATS_TYPE_" }) },
  { "AGGR_TGID", 5, netlink.attrs("taskstats_tgid", {
    { "TGID", 2, "u32" }, { "STATS", 3, stats },
  }, { prefix = "TASKSTATS_TYPE_" }) },
  { "NULL", 6, "none" },
}

local request = netlink.attrs("taskstats_request", {
  { "PID", 1, "u32" }, { "TGID", 2, "u32" }, { "REGISTER_CPUMASK", 3, "asciiz" }, { "DEREGISTER_CPUMASK", 4, "asciiz" },
}, { prefix = "TASKSTATS_CMD_ATTR_" })

---A message of the family TASKSTATS.
return netlink.generic_message("taskstats", {
  command_prefix = "TASKSTATS_CMD_", prefix = "TASKSTATS_TYPE_", attrs = reply,
  commands = { GET = {1, request} },
  replies = { GET = 1, NEW = 2 },
})
