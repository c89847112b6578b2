-- IPsec, linux/xfrm.h: names of its messages.
local types = {}
for i, name in ipairs{
  "NEWSA", "DELSA", "GETSA", "NEWPOLICY", "DELPOLICY", "GETPOLICY", "ALLOCSPI", "ACQUIRE", "EXPIRE", "UPDPOLICY", "UPDSA",
  "POLEXPIRE", "FLUSHSA", "FLUSHPOLICY", "NEWAE", "GETAE", "REPORT", "MIGRATE", "NEWSADINFO", "GETSADINFO", "NEWSPDINFO",
  "GETSPDINFO", "MAPPING", "SETDEFAULT", "GETDEFAULT",
} do
  types["XFRM_MSG_" .. name] = 15 + i
end
netlink.policy("xfrm", {}, {
  types = types,
  groups = { acquire = 1, expire = 2, sa = 3, policy = 4, aevents = 5, report = 6, migrate = 7, mapping = 8 },
})
