-- The kernel's numbers by the kernel's names, linux/netlink.h and linux/rtnetlink.h.
return {
  NLM_F_REQUEST = 0x1, NLM_F_MULTI = 0x2, NLM_F_ACK = 0x4, NLM_F_ECHO = 0x8,
  NLM_F_DUMP_INTR = 0x10, NLM_F_DUMP_FILTERED = 0x20,
  NLM_F_ROOT = 0x100, NLM_F_MATCH = 0x200, NLM_F_ATOMIC = 0x400, NLM_F_DUMP = 0x300,
  NLM_F_REPLACE = 0x100, NLM_F_EXCL = 0x200, NLM_F_CREATE = 0x400, NLM_F_APPEND = 0x800,
}
