-- A message of generic netlink that pktsh does not know, declared here: multipath
-- TCP's path manager, whose numbers are in linux/mptcp_pm.h. From the table come
-- encoding, reading by name, print-outs and errors that name the attribute.
--
--   pktsh --sandbox examples/10-own-generic-message.lua

local address = netlink.attrs("mptcp_addr", {
  { "FAMILY",  1, "u16", enum = { [2] = "inet", [10] = "inet6" } },
  { "ID",      2, "u8" },
  { "ADDR4",   3, "ip4" },
  { "ADDR6",   4, "ip6" },
  { "PORT",    5, "u16" },
  { "FLAGS",   6, "u32", flags = { "signal", "subflow", "backup", "fullmesh", "implicit" } }, -- bit 0 first
  { "IF_IDX",  7, "s32" },
}, { prefix = "MPTCP_PM_ADDR_ATTR_" })

local mptcp = netlink.generic_message("mptcp_pm", {
  prefix = "MPTCP_PM_ATTR_",
  command_prefix = "MPTCP_PM_CMD_",
  commands = { ADD_ADDR = 1, DEL_ADDR = 2, GET_ADDR = 3, FLUSH_ADDRS = 4, SET_LIMITS = 5, GET_LIMITS = 6 },
  attrs = {
    { "ADDR",          1, address, nested = true },
    { "RCV_ADD_ADDRS", 2, "u32" },
    { "SUBFLOWS",      3, "u32" },
  },
})

-- Generic netlink numbers its families when the kernel starts; ask for ours.
local pm = netlink.generic():family("mptcp_pm", mptcp)

pm:request("SET_LIMITS", { subflows = 4, rcv_add_addrs = 2 })
local limits = pm:get("GET_LIMITS")
print("subflows", limits.subflows, "addresses", limits.rcv_add_addrs)

pm:request("ADD_ADDR", { addr = { family = "inet", addr4 = "10.0.0.1", id = 1, flags = "subflow+backup" } })
pm:request("ADD_ADDR", { addr = { family = "inet6", addr6 = "2001:db8::1", id = 2, flags = "signal" } })
for m in pm:dump("GET_ADDR") do
  print(m.addr.id, m.addr.addr4 or m.addr.addr6, m.addr.flags)
end

-- What the kernel refuses it tells with a reason; what cannot be encoded never
-- leaves the script.
local _, err = pcall(pm.request, pm, "ADD_ADDR", { addr = { family = "inet", addr4 = "10.0.0.1", id = 1, flags = "subflow" } })
print(err.kind, err.errno)
_, err = pcall(pm.request, pm, "ADD_ADDR", { addr = { adr4 = "10.0.0.1" } })
print(err.message)

-- The octets, whoever sends them.
print(tohex(netlink.encode(mptcp, { cmd = 5, version = 1, subflows = 4 })))
