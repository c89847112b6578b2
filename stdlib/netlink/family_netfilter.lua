-- Netfilter, linux/netfilter/nfnetlink*.h: names of its messages, and the header
-- that all have, struct nfgenmsg. A message's type is a subsystem in its upper
-- octet and a command in its lower one.
local SUBSYSTEMS = {
  [1] = {"IPCTNL_MSG_CT_", "NEW GET DELETE GET_CTRZERO GET_STATS_CPU GET_STATS GET_DYING GET_UNCONFIRMED"},
  [2] = {"IPCTNL_MSG_EXP_", "NEW GET DELETE GET_STATS_CPU"},
  [3] = {"NFQNL_MSG_", "PACKET VERDICT CONFIG VERDICT_BATCH"},
  [4] = {"NFULNL_MSG_", "PACKET CONFIG"},
  [5] = {"OSF_MSG_", "ADD REMOVE"},
  [6] = {"IPSET_CMD_", "NONE PROTOCOL CREATE DESTROY FLUSH RENAME SWAP LIST SAVE ADD DEL TEST HEADER TYPE GET_BYNAME GET_BYINDEX"},
  [7] = {"NFNL_MSG_ACCT_", "NEW GET GET_CTRZERO DEL OVERQUOTA"},
  [8] = {"IPCTNL_MSG_TIMEOUT_", "NEW GET DELETE DEFAULT_SET DEFAULT_GET"},
  [9] = {"NFNL_MSG_CTHELPER_", "NEW GET DEL"},
  [10] = {"NFT_MSG_", "NEWTABLE GETTABLE DELTABLE NEWCHAIN GETCHAIN DELCHAIN NEWRULE GETRULE DELRULE NEWSET GETSET DELSET NEWSETELEM "
    .. "GETSETELEM DELSETELEM NEWGEN GETGEN TRACE NEWOBJ GETOBJ DELOBJ GETOBJ_RESET NEWFLOWTABLE GETFLOWTABLE DELFLOWTABLE "
    .. "GETRULE_RESET DESTROYTABLE DESTROYCHAIN DESTROYRULE DESTROYSET DESTROYSETELEM DESTROYOBJ DESTROYFLOWTABLE GETSETELEM_RESET"},
  [11] = {"NFNL_MSG_COMPAT_", "GET"},
  [12] = {"NFNL_MSG_HOOK_", "GET"},
}

local event = { [16] = "NFNL_MSG_BATCH_BEGIN", [17] = "NFNL_MSG_BATCH_END" }
for number, subsystem in pairs(SUBSYSTEMS) do
  local cmd = 0
  for name in subsystem[2]:gmatch("%S+") do
    event[256 * number + cmd], cmd = subsystem[1] .. name, cmd + 1
  end
end

local message = netlink.message("nfgenmsg", {
  { "family", "u8", names = { [0] = "unspec", [1] = "inet", [2] = "ipv4", [3] = "arp", [5] = "netdev", [7] = "bridge", [10] = "ipv6" } },
  { "version", "u8" }, { "res_id", "be16" },
}, { event = event })

local classes, types = {}, {}
for number, name in pairs(event) do classes[number], types[name] = message, number end

netlink.policy("netfilter", classes, {
  types = types,
  groups = {
    conntrack_new = 1, conntrack_update = 2, conntrack_destroy = 3, conntrack_exp_new = 4, conntrack_exp_update = 5,
    conntrack_exp_destroy = 6, nftables = 7, acct_quota = 8, nftrace = 9,
  },
})
