-- What is known before any socket of generic netlink asks: the family that
-- tells of the others.
netlink.policy("generic", { [0x10] = require "netlink.ctrl" }, { groups = {}, types = { GENL_ID_CTRL = 0x10 } })
