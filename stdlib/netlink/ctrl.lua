--- The family that knows all others of generic netlink, linux/genetlink.h:
-- messages of type 0x10, GENL_ID_CTRL.

local op = netlink.attrs("ctrl_op", {
  { "ID", 1, "u32" },
  { "FLAGS", 2, "u32", flags = { "admin-perm", "do", "dump", "policy", "uns-admin-perm" } },
}, { prefix = "CTRL_ATTR_OP_" })

local group = netlink.attrs("ctrl_group", {
  { "NAME", 1, "asciiz" }, { "ID", 2, "u32" },
}, { prefix = "CTRL_ATTR_MCAST_GRP_" })

-- What an attribute may be, enum netlink_attribute_type.
local TYPES = {
  [0] = "invalid", "flag", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "binary", "string", "nul-string",
  "nested", "nested-array", "bitfield32", "sint", "uint",
}

local rule = netlink.attrs("ctrl_rule", {
  { "TYPE", 1, "u32", enum = TYPES },
  { "MIN_VALUE_S", 2, "s64" }, { "MAX_VALUE_S", 3, "s64" },
  { "MIN_VALUE_U", 4, "u64" }, { "MAX_VALUE_U", 5, "u64" },
  { "MIN_LENGTH", 6, "u32" }, { "MAX_LENGTH", 7, "u32" },
  { "POLICY_IDX", 8, "u32" }, { "POLICY_MAXTYPE", 9, "u32" },
  { "BITFIELD32_MASK", 10, "u32" }, { "PAD", 11, "none" }, { "MASK", 12, "u64" },
}, { prefix = "NL_POLICY_TYPE_ATTR_" })

local op_policy = netlink.attrs("ctrl_op_policy", {
  { "DO", 1, "u32" }, { "DUMP", 2, "u32" },
}, { prefix = "CTRL_ATTR_POLICY_" })

---A message of nlctrl, the family that knows the others: its commands ask for
---families and tell of them as they come and go.
return netlink.generic_message("ctrl", {
  version = 2,
  prefix = "CTRL_ATTR_",
  command_prefix = "CTRL_CMD_",
  commands = {
    NEWFAMILY = 1, DELFAMILY = 2, GETFAMILY = 3, NEWOPS = 4, DELOPS = 5, GETOPS = 6,
    NEWMCAST_GRP = 7, DELMCAST_GRP = 8, GETMCAST_GRP = 9, GETPOLICY = 10,
  },
  attrs = {
    { "FAMILY_ID", 1, "u16" },
    { "FAMILY_NAME", 2, "asciiz" },
    { "VERSION", 3, "u32" },
    { "HDRSIZE", 4, "u32" },
    { "MAXATTR", 5, "u32" },
    { "OPS", 6, netlink.list(op) },
    { "MCAST_GROUPS", 7, netlink.list(group) },
    { "POLICY", 8, netlink.map(netlink.map(rule)) },
    { "OP_POLICY", 9, netlink.map(op_policy) },
    { "OP", 10, "u32" },
  },
})
