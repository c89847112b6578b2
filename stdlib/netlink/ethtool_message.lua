--- The messages of ethtool netlink, linux/ethtool_netlink.h and linux/ethtool.h:
-- one set of attributes a subject, the same in requests, answers and events.

local HEADER_FLAGS = { "compact-bitsets", "omit-reply", "stats" }
local PORT = { [0] = "tp", "aui", "mii", "fibre", "bnc", "da", [0xef] = "none", [0xff] = "other" }
local MDIX = { [0] = "unknown", "mdi", "mdi-x", "auto" }
local TRANSCEIVER = { [0] = "internal", "external" }
local DUPLEX = { [0] = "half", "full", [0xff] = "unknown" }
local MASTER_SLAVE_CFG = { [0] = "unsupported", "unknown", "preferred-master", "preferred-slave", "forced-master", "forced-slave" }
local MASTER_SLAVE_STATE = { [0] = "unsupported", "unknown", "master", "slave", "resolution-error" }
local RATE_MATCHING = { [0] = "none", "pause", "crs", "open-loop" }
local EXT_STATE = {
  [0] = "autoneg", "link-training-failure", "link-logical-mismatch", "bad-signal-integrity", "no-cable", "cable-issue",
  "eeprom-issue", "calibration-failure", "power-budget-exceeded", "overheat", "module",
}
local STATS_SRC = { [0] = "aggregate", "emac", "pmac" }
local STATS_GROUP = { [0] = "eth-phy", "eth-mac", "eth-ctrl", "rmon", "phy" }
local POWER_MODE_POLICY = { "high", "auto" }
local POWER_MODE = { "low", "high" }
local VERIFY_STATUS = { [0] = "unknown", "initial", "verifying", "succeeded", "failed", "disabled" }
local PAIR = { [0] = "A", "B", "C", "D" }
local CABLE_CODE = {
  [0] = "unspecified", "ok", "open", "same-short", "cross-short", "impedance-mismatch", "noise", "resolution-not-possible",
}
local CABLE_STATUS = { "started", "completed" }
local UDP_TUNNEL_TYPE = { [0] = "vxlan", "geneve", "vxlan-gpe" }
local TCP_DATA_SPLIT = { [0] = "unknown", "off", "on" }
local HWTSTAMP_SOURCE = { "netdev", "phylib" }
local PHY_UPSTREAM_TYPE = { [0] = "mac", "phy" }
local MODULE_FW_FLASH_STATUS = { "started", "in-progress", "completed", "error" }
local C33_PSE_EXT_STATE = {
  "error-condition", "mr-mps-valid", "mr-pse-enable", "option-detect-ted", "option-vport-lim", "ovld-detected",
  "power-not-available", "short-detected",
}
local PSE_EVENT = {
  "over-current", "over-temp", "detection", "classification", "disconnection", "over-budget", "sw-pw-control-error",
}
local INPUT_XFRM = { "sym-xor", "sym-or-xor" }
local RXFH_FIELDS = {
  "", "l2da", "vlan", "l3-proto", "ip-src", "ip-dst", "l4-b-0-1", "l4-b-2-3", "gtp-teid", "ip6-fl",
}

-- Attributes are called ETHTOOL_A_SUBJECT_NAME, but those of power sourcing.
local function attrs(subject, rows)
  return netlink.attrs("ethtool_" .. subject, rows, { prefix = subject == "pse" and "ETHTOOL_A_" or "ETHTOOL_A_" .. subject:upper() .. "_" })
end

local header = attrs("header", {
  { "DEV_INDEX", 1, "u32" }, { "DEV_NAME", 2, "asciiz" }, { "FLAGS", 3, "u32", flags = HEADER_FLAGS },
  { "PHY_INDEX", 4, "u32" },
})

local bitset_bit = attrs("bitset_bit", {
  { "INDEX", 1, "u32" }, { "NAME", 2, "asciiz" }, { "VALUE", 3, "flag" },
})

local bitset_bits = attrs("bitset_bits", {
  { "BIT", 1, netlink.multi(bitset_bit), nested = true },
})

local bitset = attrs("bitset", {
  { "NOMASK", 1, "flag" }, { "SIZE", 2, "u32" }, { "BITS", 3, bitset_bits, nested = true }, { "VALUE", 4, "bytes" },
  { "MASK", 5, "bytes" },
})

local text = attrs("string", {
  { "INDEX", 1, "u32" }, { "VALUE", 2, "asciiz" },
})

local strings = attrs("strings", {
  { "STRING", 1, netlink.multi(text), nested = true },
})

local stringset = attrs("stringset", {
  { "ID", 1, "u32" }, { "COUNT", 2, "u32" }, { "STRINGS", 3, netlink.multi(strings), nested = true },
})

local stringsets = attrs("stringsets", {
  { "STRINGSET", 1, netlink.multi(stringset), nested = true },
})

local strset = attrs("strset", {
  { "HEADER", 1, header, nested = true }, { "STRINGSETS", 2, stringsets, nested = true },
  { "COUNTS_ONLY", 3, "flag" },
})

local privflags = attrs("privflags", {
  { "HEADER", 1, header, nested = true }, { "FLAGS", 2, bitset, nested = true },
})

local rings = attrs("rings", {
  { "HEADER", 1, header, nested = true }, { "RX_MAX", 2, "u32" }, { "RX_MINI_MAX", 3, "u32" },
  { "RX_JUMBO_MAX", 4, "u32" }, { "TX_MAX", 5, "u32" }, { "RX", 6, "u32" }, { "RX_MINI", 7, "u32" },
  { "RX_JUMBO", 8, "u32" }, { "TX", 9, "u32" }, { "RX_BUF_LEN", 10, "u32" },
  { "TCP_DATA_SPLIT", 11, "u8", enum = TCP_DATA_SPLIT }, { "CQE_SIZE", 12, "u32" }, { "TX_PUSH", 13, "u8" },
  { "RX_PUSH", 14, "u8" }, { "TX_PUSH_BUF_LEN", 15, "u32" }, { "TX_PUSH_BUF_LEN_MAX", 16, "u32" },
  { "HDS_THRESH", 17, "u32" }, { "HDS_THRESH_MAX", 18, "u32" },
})

local mm_stat = attrs("mm_stat", {
  { "PAD", 1, "none" }, { "REASSEMBLY_ERRORS", 2, "u64" }, { "SMD_ERRORS", 3, "u64" }, { "REASSEMBLY_OK", 4, "u64" },
  { "RX_FRAG_COUNT", 5, "u64" }, { "TX_FRAG_COUNT", 6, "u64" }, { "HOLD_COUNT", 7, "u64" },
})

local mm = attrs("mm", {
  { "HEADER", 1, header, nested = true }, { "PMAC_ENABLED", 2, "u8" }, { "TX_ENABLED", 3, "u8" },
  { "TX_ACTIVE", 4, "u8" }, { "TX_MIN_FRAG_SIZE", 5, "u32" }, { "RX_MIN_FRAG_SIZE", 6, "u32" },
  { "VERIFY_ENABLED", 7, "u8" }, { "VERIFY_STATUS", 8, "u8", enum = VERIFY_STATUS }, { "VERIFY_TIME", 9, "u32" },
  { "MAX_VERIFY_TIME", 10, "u32" }, { "STATS", 11, mm_stat, nested = true },
})

local linkinfo = attrs("linkinfo", {
  { "HEADER", 1, header, nested = true }, { "PORT", 2, "u8", enum = PORT }, { "PHYADDR", 3, "u8" },
  { "TP_MDIX", 4, "u8", enum = MDIX }, { "TP_MDIX_CTRL", 5, "u8", enum = MDIX },
  { "TRANSCEIVER", 6, "u8", enum = TRANSCEIVER },
})

local linkmodes = attrs("linkmodes", {
  { "HEADER", 1, header, nested = true }, { "AUTONEG", 2, "u8" }, { "OURS", 3, bitset, nested = true },
  { "PEER", 4, bitset, nested = true }, { "SPEED", 5, "u32" }, { "DUPLEX", 6, "u8", enum = DUPLEX },
  { "MASTER_SLAVE_CFG", 7, "u8", enum = MASTER_SLAVE_CFG },
  { "MASTER_SLAVE_STATE", 8, "u8", enum = MASTER_SLAVE_STATE }, { "LANES", 9, "u32" },
  { "RATE_MATCHING", 10, "u8", enum = RATE_MATCHING },
})

local linkstate = attrs("linkstate", {
  { "HEADER", 1, header, nested = true }, { "LINK", 2, "u8" }, { "SQI", 3, "u32" }, { "SQI_MAX", 4, "u32" },
  { "EXT_STATE", 5, "u8", enum = EXT_STATE }, { "EXT_SUBSTATE", 6, "u8" }, { "EXT_DOWN_CNT", 7, "u32" },
})

local msglevel = attrs("debug", {
  { "HEADER", 1, header, nested = true }, { "MSGMASK", 2, bitset, nested = true },
})

local wol = attrs("wol", {
  { "HEADER", 1, header, nested = true }, { "MODES", 2, bitset, nested = true }, { "SOPASS", 3, "lladdr" },
})

local features = attrs("features", {
  { "HEADER", 1, header, nested = true }, { "HW", 2, bitset, nested = true }, { "WANTED", 3, bitset, nested = true },
  { "ACTIVE", 4, bitset, nested = true }, { "NOCHANGE", 5, bitset, nested = true },
})

local channels = attrs("channels", {
  { "HEADER", 1, header, nested = true }, { "RX_MAX", 2, "u32" }, { "TX_MAX", 3, "u32" }, { "OTHER_MAX", 4, "u32" },
  { "COMBINED_MAX", 5, "u32" }, { "RX_COUNT", 6, "u32" }, { "TX_COUNT", 7, "u32" }, { "OTHER_COUNT", 8, "u32" },
  { "COMBINED_COUNT", 9, "u32" },
})

local irq_moderation = attrs("irq_moderation", {
  { "USEC", 1, "u32" }, { "PKTS", 2, "u32" }, { "COMPS", 3, "u32" },
})

local profile = attrs("profile", {
  { "IRQ_MODERATION", 1, netlink.multi(irq_moderation), nested = true },
})

local coalesce = attrs("coalesce", {
  { "HEADER", 1, header, nested = true }, { "RX_USECS", 2, "u32" }, { "RX_MAX_FRAMES", 3, "u32" },
  { "RX_USECS_IRQ", 4, "u32" }, { "RX_MAX_FRAMES_IRQ", 5, "u32" }, { "TX_USECS", 6, "u32" },
  { "TX_MAX_FRAMES", 7, "u32" }, { "TX_USECS_IRQ", 8, "u32" }, { "TX_MAX_FRAMES_IRQ", 9, "u32" },
  { "STATS_BLOCK_USECS", 10, "u32" }, { "USE_ADAPTIVE_RX", 11, "u8" }, { "USE_ADAPTIVE_TX", 12, "u8" },
  { "PKT_RATE_LOW", 13, "u32" }, { "RX_USECS_LOW", 14, "u32" }, { "RX_MAX_FRAMES_LOW", 15, "u32" },
  { "TX_USECS_LOW", 16, "u32" }, { "TX_MAX_FRAMES_LOW", 17, "u32" }, { "PKT_RATE_HIGH", 18, "u32" },
  { "RX_USECS_HIGH", 19, "u32" }, { "RX_MAX_FRAMES_HIGH", 20, "u32" }, { "TX_USECS_HIGH", 21, "u32" },
  { "TX_MAX_FRAMES_HIGH", 22, "u32" }, { "RATE_SAMPLE_INTERVAL", 23, "u32" }, { "USE_CQE_MODE_TX", 24, "u8" },
  { "USE_CQE_MODE_RX", 25, "u8" }, { "TX_AGGR_MAX_BYTES", 26, "u32" }, { "TX_AGGR_MAX_FRAMES", 27, "u32" },
  { "TX_AGGR_TIME_USECS", 28, "u32" }, { "RX_PROFILE", 29, profile, nested = true },
  { "TX_PROFILE", 30, profile, nested = true },
})

local pause_stat = attrs("pause_stat", {
  { "PAD", 1, "none" }, { "TX_FRAMES", 2, "u64" }, { "RX_FRAMES", 3, "u64" },
})

local pause = attrs("pause", {
  { "HEADER", 1, header, nested = true }, { "AUTONEG", 2, "u8" }, { "RX", 3, "u8" }, { "TX", 4, "u8" },
  { "STATS", 5, pause_stat, nested = true }, { "STATS_SRC", 6, "u32", enum = STATS_SRC },
})

local eee = attrs("eee", {
  { "HEADER", 1, header, nested = true }, { "MODES_OURS", 2, bitset, nested = true },
  { "MODES_PEER", 3, bitset, nested = true }, { "ACTIVE", 4, "u8" }, { "ENABLED", 5, "u8" },
  { "TX_LPI_ENABLED", 6, "u8" }, { "TX_LPI_TIMER", 7, "u32" },
})

local ts_stat = attrs("ts_stat", {
  { "TX_PKTS", 1, "uint" }, { "TX_LOST", 2, "uint" }, { "TX_ERR", 3, "uint" },
  { "TX_ONESTEP_PKTS_UNCONFIRMED", 4, "uint" },
})

local ts_hwtstamp_provider = attrs("ts_hwtstamp_provider", {
  { "INDEX", 1, "u32" }, { "QUALIFIER", 2, "u32" },
})

local tsinfo = attrs("tsinfo", {
  { "HEADER", 1, header, nested = true }, { "TIMESTAMPING", 2, bitset, nested = true },
  { "TX_TYPES", 3, bitset, nested = true }, { "RX_FILTERS", 4, bitset, nested = true }, { "PHC_INDEX", 5, "u32" },
  { "STATS", 6, ts_stat, nested = true }, { "HWTSTAMP_PROVIDER", 7, ts_hwtstamp_provider, nested = true },
  { "HWTSTAMP_SOURCE", 8, "u32", enum = HWTSTAMP_SOURCE }, { "HWTSTAMP_PHYINDEX", 9, "u32" },
})

local cable_result = attrs("cable_result", {
  { "PAIR", 1, "u8", enum = PAIR }, { "CODE", 2, "u8", enum = CABLE_CODE }, { "SRC", 3, "u32" },
})

local cable_fault_length = attrs("cable_fault_length", {
  { "PAIR", 1, "u8", enum = PAIR }, { "CM", 2, "u32" }, { "SRC", 3, "u32" },
})

local cable_nest = attrs("cable_nest", {
  { "RESULT", 1, cable_result, nested = true }, { "FAULT_LENGTH", 2, cable_fault_length, nested = true },
})

local cable_test = attrs("cable_test", {
  { "HEADER", 1, header, nested = true },
})

local cable_test_ntf = attrs("cable_test_ntf", {
  { "HEADER", 1, header, nested = true }, { "STATUS", 2, "u8", enum = CABLE_STATUS },
  { "NEST", 3, netlink.multi(cable_nest), nested = true },
})

local cable_test_tdr_cfg = attrs("cable_test_tdr_cfg", {
  { "FIRST", 1, "u32" }, { "LAST", 2, "u32" }, { "STEP", 3, "u32" }, { "PAIR", 4, "u8" },
})

local cable_test_tdr_ntf = attrs("cable_test_tdr_ntf", {
  { "HEADER", 1, header, nested = true }, { "STATUS", 2, "u8", enum = CABLE_STATUS },
  { "NEST", 3, netlink.multi(cable_nest), nested = true },
})

local cable_test_tdr = attrs("cable_test_tdr", {
  { "HEADER", 1, header, nested = true }, { "CFG", 2, cable_test_tdr_cfg, nested = true },
})

local tunnel_udp_entry = attrs("tunnel_udp_entry", {
  { "PORT", 1, "be16" }, { "TYPE", 2, "u32", enum = UDP_TUNNEL_TYPE },
})

local tunnel_udp_table = attrs("tunnel_udp_table", {
  { "SIZE", 1, "u32" }, { "TYPES", 2, bitset, nested = true },
  { "ENTRY", 3, netlink.multi(tunnel_udp_entry), nested = true },
})

local tunnel_udp = attrs("tunnel_udp", {
  { "TABLE", 1, tunnel_udp_table, nested = true },
})

local tunnel_info = attrs("tunnel_info", {
  { "HEADER", 1, header, nested = true }, { "UDP_PORTS", 2, tunnel_udp, nested = true },
})

local fec_hist = attrs("fec_hist", {
  { "PAD", 1, "none" }, { "BIN_LOW", 2, "u32" }, { "BIN_HIGH", 3, "u32" }, { "BIN_VAL", 4, "uint" },
  { "BIN_VAL_PER_LANE", 5, netlink.array("u64") },
})

local fec_stat = attrs("fec_stat", {
  { "PAD", 1, "none" }, { "CORRECTED", 2, netlink.array("u64") }, { "UNCORR", 3, netlink.array("u64") },
  { "CORR_BITS", 4, netlink.array("u64") }, { "HIST", 5, netlink.multi(fec_hist), nested = true },
})

local fec = attrs("fec", {
  { "HEADER", 1, header, nested = true }, { "MODES", 2, bitset, nested = true }, { "AUTO", 3, "u8" },
  { "ACTIVE", 4, "u32" }, { "STATS", 5, fec_stat, nested = true },
})

local module_eeprom = attrs("module_eeprom", {
  { "HEADER", 1, header, nested = true }, { "OFFSET", 2, "u32" }, { "LENGTH", 3, "u32" }, { "PAGE", 4, "u8" },
  { "BANK", 5, "u8" }, { "I2C_ADDRESS", 6, "u8" }, { "DATA", 7, "bytes" },
})

local stats_grp
stats_grp = attrs("stats_grp", {
  { "PAD", 1, "none" }, { "ID", 2, "u32", enum = STATS_GROUP }, { "SS_ID", 3, "u32" },
  { "STAT", 4, netlink.multi(netlink.map("u64")) },
  { "HIST_RX", 5, netlink.multi(function() return stats_grp end), nested = true },
  { "HIST_TX", 6, netlink.multi(function() return stats_grp end), nested = true }, { "HIST_BKT_LOW", 7, "u32" },
  { "HIST_BKT_HI", 8, "u32" }, { "HIST_VAL", 9, "u64" },
})

local stats = attrs("stats", {
  { "PAD", 1, "none" }, { "HEADER", 2, header, nested = true }, { "GROUPS", 3, bitset, nested = true },
  { "GRP", 4, stats_grp, nested = true }, { "SRC", 5, "u32", enum = STATS_SRC },
})

local phc_vclocks = attrs("phc_vclocks", {
  { "HEADER", 1, header, nested = true }, { "NUM", 2, "u32" }, { "INDEX", 3, netlink.array("s32") },
})

local module = attrs("module", {
  { "HEADER", 1, header, nested = true }, { "POWER_MODE_POLICY", 2, "u8", enum = POWER_MODE_POLICY },
  { "POWER_MODE", 3, "u8", enum = POWER_MODE },
})

local c33_pse_pw_limit = attrs("c33_pse_pw_limit", {
  { "MIN", 1, "u32" }, { "MAX", 2, "u32" },
})

local pse = attrs("pse", {
  { "HEADER", 1, header, nested = true }, { "PODL_PSE_ADMIN_STATE", 2, "u32" },
  { "PODL_PSE_ADMIN_CONTROL", 3, "u32" }, { "PODL_PSE_PW_D_STATUS", 4, "u32" }, { "C33_PSE_ADMIN_STATE", 5, "u32" },
  { "C33_PSE_ADMIN_CONTROL", 6, "u32" }, { "C33_PSE_PW_D_STATUS", 7, "u32" }, { "C33_PSE_PW_CLASS", 8, "u32" },
  { "C33_PSE_ACTUAL_PW", 9, "u32" }, { "C33_PSE_EXT_STATE", 10, "u32", enum = C33_PSE_EXT_STATE },
  { "C33_PSE_EXT_SUBSTATE", 11, "u32" }, { "C33_PSE_AVAIL_PW_LIMIT", 12, "u32" },
  { "C33_PSE_PW_LIMIT_RANGES", 13, netlink.multi(c33_pse_pw_limit), nested = true }, { "PSE_PW_D_ID", 14, "u32" },
  { "PSE_PRIO_MAX", 15, "u32" }, { "PSE_PRIO", 16, "u32" },
})

local flow = attrs("flow", {
  { "ETHER", 1, "uint", flags = RXFH_FIELDS }, { "IP4", 2, "uint", flags = RXFH_FIELDS },
  { "IP6", 3, "uint", flags = RXFH_FIELDS }, { "TCP4", 4, "uint", flags = RXFH_FIELDS },
  { "TCP6", 5, "uint", flags = RXFH_FIELDS }, { "UDP4", 6, "uint", flags = RXFH_FIELDS },
  { "UDP6", 7, "uint", flags = RXFH_FIELDS }, { "SCTP4", 8, "uint", flags = RXFH_FIELDS },
  { "SCTP6", 9, "uint", flags = RXFH_FIELDS }, { "AH4", 10, "uint", flags = RXFH_FIELDS },
  { "AH6", 11, "uint", flags = RXFH_FIELDS }, { "ESP4", 12, "uint", flags = RXFH_FIELDS },
  { "ESP6", 13, "uint", flags = RXFH_FIELDS }, { "AH_ESP4", 14, "uint", flags = RXFH_FIELDS },
  { "AH_ESP6", 15, "uint", flags = RXFH_FIELDS }, { "GTPU4", 16, "uint", flags = RXFH_FIELDS },
  { "GTPU6", 17, "uint", flags = RXFH_FIELDS }, { "GTPC4", 18, "uint", flags = RXFH_FIELDS },
  { "GTPC6", 19, "uint", flags = RXFH_FIELDS }, { "GTPC_TEID4", 20, "uint", flags = RXFH_FIELDS },
  { "GTPC_TEID6", 21, "uint", flags = RXFH_FIELDS }, { "GTPU_EH4", 22, "uint", flags = RXFH_FIELDS },
  { "GTPU_EH6", 23, "uint", flags = RXFH_FIELDS }, { "GTPU_UL4", 24, "uint", flags = RXFH_FIELDS },
  { "GTPU_UL6", 25, "uint", flags = RXFH_FIELDS }, { "GTPU_DL4", 26, "uint", flags = RXFH_FIELDS },
  { "GTPU_DL6", 27, "uint", flags = RXFH_FIELDS },
})

local rss = attrs("rss", {
  { "HEADER", 1, header, nested = true }, { "CONTEXT", 2, "u32" }, { "HFUNC", 3, "u32" },
  { "INDIR", 4, netlink.array("u32") }, { "HKEY", 5, "bytes" }, { "INPUT_XFRM", 6, "u32", flags = INPUT_XFRM },
  { "START_CONTEXT", 7, "u32" }, { "FLOW_HASH", 8, flow, nested = true },
})

local plca = attrs("plca", {
  { "HEADER", 1, header, nested = true }, { "VERSION", 2, "u16" }, { "ENABLED", 3, "u8" }, { "STATUS", 4, "u8" },
  { "NODE_CNT", 5, "u32" }, { "NODE_ID", 6, "u32" }, { "TO_TMR", 7, "u32" }, { "BURST_CNT", 8, "u32" },
  { "BURST_TMR", 9, "u32" },
})

local module_fw_flash = attrs("module_fw_flash", {
  { "HEADER", 1, header, nested = true }, { "FILE_NAME", 2, "asciiz" }, { "PASSWORD", 3, "u32" },
  { "STATUS", 4, "u32", enum = MODULE_FW_FLASH_STATUS }, { "STATUS_MSG", 5, "asciiz" }, { "DONE", 6, "uint" },
  { "TOTAL", 7, "uint" },
})

local phy = attrs("phy", {
  { "HEADER", 1, header, nested = true }, { "INDEX", 2, "u32" }, { "DRVNAME", 3, "asciiz" }, { "NAME", 4, "asciiz" },
  { "UPSTREAM_TYPE", 5, "u32", enum = PHY_UPSTREAM_TYPE }, { "UPSTREAM_INDEX", 6, "u32" },
  { "UPSTREAM_SFP_NAME", 7, "asciiz" }, { "DOWNSTREAM_SFP_NAME", 8, "asciiz" },
})

local tsconfig = attrs("tsconfig", {
  { "HEADER", 1, header, nested = true }, { "HWTSTAMP_PROVIDER", 2, ts_hwtstamp_provider, nested = true },
  { "TX_TYPES", 3, bitset, nested = true }, { "RX_FILTERS", 4, bitset, nested = true },
  { "HWTSTAMP_FLAGS", 5, bitset, nested = true },
})

local pse_ntf = attrs("pse_ntf", {
  { "HEADER", 1, header, nested = true }, { "EVENTS", 2, "uint", flags = PSE_EVENT },
})

local mse_capabilities = attrs("mse_capabilities", {
  { "MAX_AVERAGE_MSE", 1, "uint" }, { "MAX_PEAK_MSE", 2, "uint" }, { "REFRESH_RATE_PS", 3, "uint" },
  { "NUM_SYMBOLS", 4, "uint" },
})

local mse_snapshot = attrs("mse_snapshot", {
  { "AVERAGE_MSE", 1, "uint" }, { "PEAK_MSE", 2, "uint" }, { "WORST_PEAK_MSE", 3, "uint" },
})

local mse = attrs("mse", {
  { "HEADER", 1, header, nested = true }, { "CAPABILITIES", 2, mse_capabilities, nested = true },
  { "CHANNEL_A", 3, mse_snapshot, nested = true }, { "CHANNEL_B", 4, mse_snapshot, nested = true },
  { "CHANNEL_C", 5, mse_snapshot, nested = true }, { "CHANNEL_D", 6, mse_snapshot, nested = true },
  { "WORST_CHANNEL", 7, mse_snapshot, nested = true }, { "LINK", 8, mse_snapshot, nested = true },
})

---A message of ethtool netlink. Requests and what the kernel sends are numbered
---apart: FEATURES_GET is 11, its answer FEATURES_GET_REPLY, the event 13 is
---FEATURES_NTF.
return netlink.generic_message("ethtool", {
  command_prefix = "ETHTOOL_MSG_",
  commands = {
    STRSET_GET = {1, strset}, LINKINFO_GET = {2, linkinfo}, LINKINFO_SET = {3, linkinfo},
    LINKMODES_GET = {4, linkmodes}, LINKMODES_SET = {5, linkmodes}, LINKSTATE_GET = {6, linkstate},
    DEBUG_GET = {7, msglevel}, DEBUG_SET = {8, msglevel}, WOL_GET = {9, wol}, WOL_SET = {10, wol},
    FEATURES_GET = {11, features}, FEATURES_SET = {12, features}, PRIVFLAGS_GET = {13, privflags},
    PRIVFLAGS_SET = {14, privflags}, RINGS_GET = {15, rings}, RINGS_SET = {16, rings}, CHANNELS_GET = {17, channels},
    CHANNELS_SET = {18, channels}, COALESCE_GET = {19, coalesce}, COALESCE_SET = {20, coalesce},
    PAUSE_GET = {21, pause}, PAUSE_SET = {22, pause}, EEE_GET = {23, eee}, EEE_SET = {24, eee},
    TSINFO_GET = {25, tsinfo}, CABLE_TEST_ACT = {26, cable_test}, CABLE_TEST_TDR_ACT = {27, cable_test_tdr},
    TUNNEL_INFO_GET = {28, tunnel_info}, FEC_GET = {29, fec}, FEC_SET = {30, fec},
    MODULE_EEPROM_GET = {31, module_eeprom}, STATS_GET = {32, stats}, PHC_VCLOCKS_GET = {33, phc_vclocks},
    MODULE_GET = {34, module}, MODULE_SET = {35, module}, PSE_GET = {36, pse}, PSE_SET = {37, pse},
    RSS_GET = {38, rss}, PLCA_GET_CFG = {39, plca}, PLCA_SET_CFG = {40, plca}, PLCA_GET_STATUS = {41, plca},
    MM_GET = {42, mm}, MM_SET = {43, mm}, MODULE_FW_FLASH_ACT = {44, module_fw_flash}, PHY_GET = {45, phy},
    TSCONFIG_GET = {46, tsconfig}, TSCONFIG_SET = {47, tsconfig}, RSS_SET = {48, rss}, RSS_CREATE_ACT = {49, rss},
    RSS_DELETE_ACT = {50, rss}, MSE_GET = {51, mse},
  },
  replies = {
    STRSET_GET_REPLY = {1, strset}, LINKINFO_GET_REPLY = {2, linkinfo}, LINKINFO_NTF = {3, linkinfo},
    LINKMODES_GET_REPLY = {4, linkmodes}, LINKMODES_NTF = {5, linkmodes}, LINKSTATE_GET_REPLY = {6, linkstate},
    DEBUG_GET_REPLY = {7, msglevel}, DEBUG_NTF = {8, msglevel}, WOL_GET_REPLY = {9, wol}, WOL_NTF = {10, wol},
    FEATURES_GET_REPLY = {11, features}, FEATURES_SET_REPLY = {12, features}, FEATURES_NTF = {13, features},
    PRIVFLAGS_GET_REPLY = {14, privflags}, PRIVFLAGS_NTF = {15, privflags}, RINGS_GET_REPLY = {16, rings},
    RINGS_NTF = {17, rings}, CHANNELS_GET_REPLY = {18, channels}, CHANNELS_NTF = {19, channels},
    COALESCE_GET_REPLY = {20, coalesce}, COALESCE_NTF = {21, coalesce}, PAUSE_GET_REPLY = {22, pause},
    PAUSE_NTF = {23, pause}, EEE_GET_REPLY = {24, eee}, EEE_NTF = {25, eee}, TSINFO_GET_REPLY = {26, tsinfo},
    CABLE_TEST_NTF = {27, cable_test_ntf}, CABLE_TEST_TDR_NTF = {28, cable_test_tdr_ntf},
    TUNNEL_INFO_GET_REPLY = {29, tunnel_info}, FEC_GET_REPLY = {30, fec}, FEC_NTF = {31, fec},
    MODULE_EEPROM_GET_REPLY = {32, module_eeprom}, STATS_GET_REPLY = {33, stats},
    PHC_VCLOCKS_GET_REPLY = {34, phc_vclocks}, MODULE_GET_REPLY = {35, module}, MODULE_NTF = {36, module},
    PSE_GET_REPLY = {37, pse}, RSS_GET_REPLY = {38, rss}, PLCA_GET_CFG_REPLY = {39, plca},
    PLCA_GET_STATUS_REPLY = {40, plca}, PLCA_NTF = {41, plca}, MM_GET_REPLY = {42, mm}, MM_NTF = {43, mm},
    MODULE_FW_FLASH_NTF = {44, module_fw_flash}, PHY_GET_REPLY = {45, phy}, PHY_NTF = {46, phy},
    TSCONFIG_GET_REPLY = {47, tsconfig}, TSCONFIG_SET_REPLY = {48, tsconfig}, PSE_NTF = {49, pse_ntf},
    RSS_NTF = {50, rss}, RSS_CREATE_ACT_REPLY = {51, rss}, RSS_CREATE_NTF = {52, rss}, RSS_DELETE_NTF = {53, rss},
    MSE_GET_REPLY = {54, mse},
  },
})
