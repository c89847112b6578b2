--- Wireless interfaces, linux/nl80211.h. What the kernel's headers say of many
-- attributes is octets; those are shown as such.

local IFTYPE = {
  [0] = "unspecified", "adhoc", "station", "ap", "ap-vlan", "wds", "monitor", "mesh-point", "p2p-client", "p2p-go", "p2p-device",
  "ocb", "nan",
}

local bss = netlink.attrs("nl80211_bss", {
  { "BSSID", 1, "lladdr" }, { "FREQUENCY", 2, "u32" }, { "TSF", 3, "u64" }, { "BEACON_INTERVAL", 4, "u16" },
  { "CAPABILITY", 5, "u16", show = "hex" }, { "INFORMATION_ELEMENTS", 6, "bytes" }, { "SIGNAL_MBM", 7, "s32" },
  { "SIGNAL_UNSPEC", 8, "u8" }, { "STATUS", 9, "u32", enum = { [0] = "authenticated", "associated", "ibss-joined" } },
  { "SEEN_MS_AGO", 10, "u32" }, { "BEACON_IES", 11, "bytes" }, { "CHAN_WIDTH", 12, "u32" }, { "BEACON_TSF", 13, "u64" },
  { "PRESP_DATA", 14, "flag" }, { "LAST_SEEN_BOOTTIME", 15, "u64" }, { "PAD", 16, "none" }, { "PARENT_TSF", 17, "u64" },
  { "PARENT_BSSID", 18, "lladdr" }, { "CHAIN_SIGNAL", 19, netlink.map("s8") }, { "FREQUENCY_OFFSET", 20, "u32" },
}, { prefix = "NL80211_BSS_" })

local rate = netlink.attrs("nl80211_rate", {
  { "BITRATE", 1, "u16" }, { "MCS", 2, "u8" }, { "40_MHZ_WIDTH", 3, "flag" }, { "SHORT_GI", 4, "flag" }, { "BITRATE32", 5, "u32" },
  { "VHT_MCS", 6, "u8" }, { "VHT_NSS", 7, "u8" }, { "80_MHZ_WIDTH", 8, "flag" }, { "80P80_MHZ_WIDTH", 9, "flag" },
  { "160_MHZ_WIDTH", 10, "flag" },
}, { prefix = "NL80211_RATE_INFO_" })

local sta_info = netlink.attrs("nl80211_sta_info", {
  { "INACTIVE_TIME", 1, "u32" }, { "RX_BYTES", 2, "u32" }, { "TX_BYTES", 3, "u32" }, { "LLID", 4, "u16" }, { "PLID", 5, "u16" },
  { "PLINK_STATE", 6, "u8" }, { "SIGNAL", 7, "s8" }, { "TX_BITRATE", 8, rate }, { "RX_PACKETS", 9, "u32" },
  { "TX_PACKETS", 10, "u32" }, { "TX_RETRIES", 11, "u32" }, { "TX_FAILED", 12, "u32" }, { "SIGNAL_AVG", 13, "s8" },
  { "RX_BITRATE", 14, rate }, { "BSS_PARAM", 15, "bytes" }, { "CONNECTED_TIME", 16, "u32" }, { "STA_FLAGS", 17, "bytes" },
  { "BEACON_LOSS", 18, "u32" }, { "T_OFFSET", 19, "s64" }, { "LOCAL_PM", 20, "u32" }, { "PEER_PM", 21, "u32" },
  { "NONPEER_PM", 22, "u32" }, { "RX_BYTES64", 23, "u64" }, { "TX_BYTES64", 24, "u64" }, { "CHAIN_SIGNAL", 25, netlink.map("s8") },
  { "CHAIN_SIGNAL_AVG", 26, netlink.map("s8") }, { "EXPECTED_THROUGHPUT", 27, "u32" }, { "RX_DROP_MISC", 28, "u64" },
  { "BEACON_RX", 29, "u64" }, { "BEACON_SIGNAL_AVG", 30, "s8" },
}, { prefix = "NL80211_STA_INFO_" })

local supported_iftypes = netlink.attrs("nl80211_supported_iftypes", {
  { "ADHOC", 1, "flag" }, { "STATION", 2, "flag" }, { "AP", 3, "flag" }, { "AP_VLAN", 4, "flag" },
  { "WDS", 5, "flag" }, { "MONITOR", 6, "flag" }, { "MESH_POINT", 7, "flag" }, { "P2P_CLIENT", 8, "flag" },
  { "P2P_GO", 9, "flag" }, { "P2P_DEVICE", 10, "flag" }, { "OCB", 11, "flag" }, { "NAN", 12, "flag" },
}, { prefix = "NL80211_IFTYPE_" })

local frame_type = netlink.attrs("nl80211_frame_type", {
  { "FRAME_TYPE", 101, netlink.multi("u16") },
}, { prefix = "NL80211_ATTR_" })

local wmm = netlink.attrs("nl80211_wmm", {
  { "CW_MIN", 1, "u16" }, { "CW_MAX", 2, "u16" }, { "AIFSN", 3, "u8" }, { "TXOP", 4, "u16" },
}, { prefix = "NL80211_WMMR_" })

local bitrate = netlink.attrs("nl80211_bitrate", {
  { "RATE", 1, "u32" }, { "2GHZ_SHORTPREAMBLE", 2, "flag" },
}, { prefix = "NL80211_BITRATE_ATTR_" })

local frequency = netlink.attrs("nl80211_frequency", {
  { "FREQ", 1, "u32" }, { "DISABLED", 2, "flag" }, { "NO_IR", 3, "flag" }, { "NO_IBSS", 4, "flag" },
  { "RADAR", 5, "flag" }, { "MAX_TX_POWER", 6, "u32" }, { "DFS_STATE", 7, "u32" }, { "DFS_TIME", 8, "u32" },
  { "NO_HT40_MINUS", 9, "flag" }, { "NO_HT40_PLUS", 10, "flag" }, { "NO_80MHZ", 11, "flag" },
  { "NO_160MHZ", 12, "flag" }, { "DFS_CAC_TIME", 13, "u32" }, { "INDOOR_ONLY", 14, "flag" },
  { "IR_CONCURRENT", 15, "flag" }, { "NO_20MHZ", 16, "flag" }, { "NO_10MHZ", 17, "flag" },
  { "WMM", 18, netlink.map(wmm) }, { "NO_HE", 19, "flag" }, { "OFFSET", 20, "u32" }, { "1MHZ", 21, "flag" },
  { "2MHZ", 22, "flag" }, { "4MHZ", 23, "flag" }, { "8MHZ", 24, "flag" }, { "16MHZ", 25, "flag" },
  { "NO_320MHZ", 26, "flag" }, { "NO_EHT", 27, "flag" }, { "PSD", 28, "s8" }, { "DFS_CONCURRENT", 29, "flag" },
  { "NO_6GHZ_VLP_CLIENT", 30, "flag" }, { "NO_6GHZ_AFC_CLIENT", 31, "flag" }, { "CAN_MONITOR", 32, "flag" },
  { "ALLOW_6GHZ_VLP_AP", 33, "flag" },
}, { prefix = "NL80211_FREQUENCY_ATTR_" })

local iftype_data = netlink.attrs("nl80211_iftype_data", {
  { "IFTYPES", 1, supported_iftypes }, { "HE_CAP_MAC", 2, "bytes" }, { "HE_CAP_PHY", 3, "bytes" },
  { "HE_CAP_MCS_SET", 4, "bytes" }, { "HE_CAP_PPE", 5, "bytes" }, { "HE_6GHZ_CAPA", 6, "bytes" },
  { "VENDOR_ELEMS", 7, "bytes" }, { "EHT_CAP_MAC", 8, "bytes" }, { "EHT_CAP_PHY", 9, "bytes" },
  { "EHT_CAP_MCS_SET", 10, "bytes" }, { "EHT_CAP_PPE", 11, "bytes" },
}, { prefix = "NL80211_BAND_IFTYPE_ATTR_" })

local band = netlink.attrs("nl80211_band", {
  { "FREQS", 1, netlink.map(frequency) }, { "RATES", 2, netlink.map(bitrate) },
  { "HT_MCS_SET", 3, "bytes" }, { "HT_CAPA", 4, "u16" }, { "HT_AMPDU_FACTOR", 5, "u8" },
  { "HT_AMPDU_DENSITY", 6, "u8" }, { "VHT_MCS_SET", 7, "bytes" }, { "VHT_CAPA", 8, "u32" },
  { "IFTYPE_DATA", 9, netlink.map(iftype_data) }, { "EDMG_CHANNELS", 10, "bytes" },
  { "EDMG_BW_CONFIG", 11, "bytes" }, { "S1G_MCS_NSS_SET", 12, "bytes" }, { "S1G_CAPA", 13, "bytes" },
}, { prefix = "NL80211_BAND_ATTR_" })

local wiphy_bands = netlink.attrs("nl80211_wiphy_bands", {
  { "2GHZ", 0, band }, { "5GHZ", 1, band }, { "60GHZ", 2, band }, { "6GHZ", 3, band },
  { "S1GHZ", 4, band }, { "LC", 5, band },
}, { prefix = "NL80211_BAND_" })

local iface_limit = netlink.attrs("nl80211_iface_limit", {
  { "MAX", 1, "u32" }, { "TYPES", 2, supported_iftypes },
}, { prefix = "NL80211_IFACE_LIMIT_" })

local if_combination = netlink.attrs("nl80211_if_combination", {
  { "LIMITS", 1, netlink.map(iface_limit) }, { "MAXNUM", 2, "u32" }, { "STA_AP_BI_MATCH", 3, "flag" },
  { "NUM_CHANNELS", 4, "u32" }, { "RADAR_DETECT_WIDTHS", 5, "u32" }, { "RADAR_DETECT_REGIONS", 6, "u32" },
  { "BI_MIN_GCD", 7, "u32" },
}, { prefix = "NL80211_IFACE_COMB_" })

local iftype = netlink.attrs("nl80211_iftype", {
  { "UNSPECIFIED", 0, frame_type }, { "ADHOC", 1, frame_type }, { "STATION", 2, frame_type },
  { "AP", 3, frame_type }, { "AP_VLAN", 4, frame_type }, { "WDS", 5, frame_type },
  { "MONITOR", 6, frame_type }, { "MESH_POINT", 7, frame_type }, { "P2P_CLIENT", 8, frame_type },
  { "P2P_GO", 9, frame_type }, { "P2P_DEVICE", 10, frame_type }, { "OCB", 11, frame_type },
  { "NAN", 12, frame_type },
}, { prefix = "NL80211_IFTYPE_" })

local sar_specs = netlink.attrs("nl80211_sar_specs", {
  { "POWER", 1, "s32" }, { "RANGE_INDEX", 2, "u32" }, { "START_FREQ", 3, "u32" }, { "END_FREQ", 4, "u32" },
}, { prefix = "NL80211_SAR_ATTR_SPECS_" })

local sar = netlink.attrs("nl80211_sar", {
  { "TYPE", 1, "u32" }, { "SPECS", 2, netlink.map(sar_specs) },
}, { prefix = "NL80211_SAR_ATTR_" })

local txq_stats = netlink.attrs("nl80211_txq_stats", {
  { "BACKLOG_BYTES", 1, "u32" }, { "BACKLOG_PACKETS", 2, "u32" }, { "FLOWS", 3, "u32" }, { "DROPS", 4, "u32" },
  { "ECN_MARKS", 5, "u32" }, { "OVERLIMIT", 6, "u32" }, { "OVERMEMORY", 7, "u32" }, { "COLLISIONS", 8, "u32" },
  { "TX_BYTES", 9, "u32" }, { "TX_PACKETS", 10, "u32" }, { "MAX_FLOWS", 11, "u32" },
}, { prefix = "NL80211_TXQ_STATS_" })

local wowlan_triggers = netlink.attrs("nl80211_wowlan_triggers", {
  { "ANY", 1, "flag" }, { "DISCONNECT", 2, "flag" }, { "MAGIC_PKT", 3, "flag" }, { "PKT_PATTERN", 4, "flag" },
  { "GTK_REKEY_SUPPORTED", 5, "flag" }, { "GTK_REKEY_FAILURE", 6, "flag" }, { "EAP_IDENT_REQUEST", 7, "flag" },
  { "4WAY_HANDSHAKE", 8, "flag" }, { "RFKILL_RELEASE", 9, "flag" }, { "WAKEUP_PKT_80211", 10, "flag" },
  { "WAKEUP_PKT_80211_LEN", 11, "flag" }, { "WAKEUP_PKT_8023", 12, "flag" }, { "WAKEUP_PKT_8023_LEN", 13, "flag" },
  { "TCP_CONNECTION", 14, "flag" }, { "WAKEUP_TCP_MATCH", 15, "flag" }, { "WAKEUP_TCP_CONNLOST", 16, "flag" },
  { "WAKEUP_TCP_NOMORETOKENS", 17, "flag" }, { "NET_DETECT", 18, "flag" }, { "NET_DETECT_RESULTS", 19, "flag" },
  { "UNPROTECTED_DEAUTH_DISASSOC", 20, "flag" },
}, { prefix = "NL80211_WOWLAN_TRIG_" })

---A message of the family nl80211.
return netlink.generic_message("nl80211", {
  command_prefix = "NL80211_CMD_", prefix = "NL80211_ATTR_",
  commands = {
    GET_WIPHY = 1, SET_WIPHY = 2, NEW_WIPHY = 3, DEL_WIPHY = 4, GET_INTERFACE = 5, SET_INTERFACE = 6, NEW_INTERFACE = 7,
    DEL_INTERFACE = 8, GET_KEY = 9, SET_KEY = 10, NEW_KEY = 11, DEL_KEY = 12, GET_BEACON = 13, SET_BEACON = 14,
    NEW_BEACON = 15, DEL_BEACON = 16, GET_STATION = 17, SET_STATION = 18, NEW_STATION = 19, DEL_STATION = 20,
    GET_MPATH = 21, SET_MPATH = 22, NEW_MPATH = 23, DEL_MPATH = 24, SET_BSS = 25, SET_REG = 26, REQ_SET_REG = 27,
    GET_MESH_CONFIG = 28, SET_MESH_CONFIG = 29, SET_MGMT_EXTRA_IE = 30, GET_REG = 31, GET_SCAN = 32, TRIGGER_SCAN = 33,
    NEW_SCAN_RESULTS = 34, SCAN_ABORTED = 35, REG_CHANGE = 36, AUTHENTICATE = 37, ASSOCIATE = 38, DEAUTHENTICATE = 39,
    DISASSOCIATE = 40, MICHAEL_MIC_FAILURE = 41, REG_BEACON_HINT = 42, JOIN_IBSS = 43, LEAVE_IBSS = 44, TESTMODE = 45,
    CONNECT = 46, ROAM = 47, DISCONNECT = 48, SET_WIPHY_NETNS = 49, GET_SURVEY = 50, NEW_SURVEY_RESULTS = 51,
    SET_PMKSA = 52, DEL_PMKSA = 53, FLUSH_PMKSA = 54, REMAIN_ON_CHANNEL = 55, CANCEL_REMAIN_ON_CHANNEL = 56,
    SET_TX_BITRATE_MASK = 57, REGISTER_ACTION = 58, ACTION = 59, ACTION_TX_STATUS = 60, SET_POWER_SAVE = 61,
    GET_POWER_SAVE = 62, SET_CQM = 63, NOTIFY_CQM = 64, SET_CHANNEL = 65, SET_WDS_PEER = 66, FRAME_WAIT_CANCEL = 67,
    JOIN_MESH = 68, LEAVE_MESH = 69, UNPROT_DEAUTHENTICATE = 70, UNPROT_DISASSOCIATE = 71, NEW_PEER_CANDIDATE = 72,
    GET_WOWLAN = 73, SET_WOWLAN = 74, START_SCHED_SCAN = 75, STOP_SCHED_SCAN = 76, SCHED_SCAN_RESULTS = 77,
    SCHED_SCAN_STOPPED = 78, SET_REKEY_OFFLOAD = 79, PMKSA_CANDIDATE = 80, TDLS_OPER = 81, TDLS_MGMT = 82,
    UNEXPECTED_FRAME = 83, PROBE_CLIENT = 84, REGISTER_BEACONS = 85, UNEXPECTED_4_ADDR_FRAME = 86, SET_NOACK_MAP = 87,
    CH_SWITCH_NOTIFY = 88, START_P2P_DEVICE = 89, STOP_P2P_DEVICE = 90, CONN_FAILED = 91, SET_MCAST_RATE = 92,
    SET_MAC_ACL = 93, RADAR_DETECT = 94, GET_PROTOCOL_FEATURES = 95, UPDATE_FT_IES = 96, FT_EVENT = 97,
    CRIT_PROTOCOL_START = 98, CRIT_PROTOCOL_STOP = 99, GET_COALESCE = 100, SET_COALESCE = 101, CHANNEL_SWITCH = 102,
    VENDOR = 103, SET_QOS_MAP = 104, ADD_TX_TS = 105, DEL_TX_TS = 106, GET_MPP = 107, JOIN_OCB = 108, LEAVE_OCB = 109,
    CH_SWITCH_STARTED_NOTIFY = 110, TDLS_CHANNEL_SWITCH = 111, TDLS_CANCEL_CHANNEL_SWITCH = 112, WIPHY_REG_CHANGE = 113,
    ABORT_SCAN = 114, START_NAN = 115, STOP_NAN = 116, ADD_NAN_FUNCTION = 117, DEL_NAN_FUNCTION = 118,
    CHANGE_NAN_CONFIG = 119, NAN_MATCH = 120, SET_MULTICAST_TO_UNICAST = 121, UPDATE_CONNECT_PARAMS = 122,
    SET_PMK = 123, DEL_PMK = 124, PORT_AUTHORIZED = 125, RELOAD_REGDB = 126, EXTERNAL_AUTH = 127,
    STA_OPMODE_CHANGED = 128, CONTROL_PORT_FRAME = 129, GET_FTM_RESPONDER_STATS = 130, PEER_MEASUREMENT_START = 131,
    PEER_MEASUREMENT_RESULT = 132, PEER_MEASUREMENT_COMPLETE = 133, NOTIFY_RADAR = 134, UPDATE_OWE_INFO = 135,
    PROBE_MESH_LINK = 136, SET_TID_CONFIG = 137, UNPROT_BEACON = 138, CONTROL_PORT_FRAME_TX_STATUS = 139,
    SET_SAR_SPECS = 140, OBSS_COLOR_COLLISION = 141, COLOR_CHANGE_REQUEST = 142, COLOR_CHANGE_STARTED = 143,
    COLOR_CHANGE_ABORTED = 144, COLOR_CHANGE_COMPLETED = 145, SET_FILS_AAD = 146, ASSOC_COMEBACK = 147, ADD_LINK = 148,
    REMOVE_LINK = 149, ADD_LINK_STA = 150, MODIFY_LINK_STA = 151, REMOVE_LINK_STA = 152, SET_HW_TIMESTAMP = 153,
    LINKS_REMOVED = 154, SET_TID_TO_LINK_MAPPING = 155,
  },
  attrs = {
    { "WIPHY", 1, "u32" }, { "WIPHY_NAME", 2, "asciiz" }, { "IFINDEX", 3, "u32" }, { "IFNAME", 4, "asciiz" },
    { "IFTYPE", 5, "u32", enum = IFTYPE }, { "MAC", 6, "lladdr" }, { "KEY_DATA", 7, "bytes" }, { "KEY_IDX", 8, "u8" },
    { "KEY_CIPHER", 9, "u32" }, { "KEY_SEQ", 10, "bytes" }, { "KEY_DEFAULT", 11, "flag" },
    { "BEACON_INTERVAL", 12, "u32" }, { "DTIM_PERIOD", 13, "u32" }, { "BEACON_HEAD", 14, "bytes" },
    { "BEACON_TAIL", 15, "bytes" }, { "STA_AID", 16, "u16" }, { "STA_FLAGS", 17, "bytes" },
    { "STA_LISTEN_INTERVAL", 18, "u16" }, { "STA_SUPPORTED_RATES", 19, "bytes" }, { "STA_VLAN", 20, "u32" },
    { "STA_INFO", 21, sta_info }, { "WIPHY_BANDS", 22, wiphy_bands }, { "MNTR_FLAGS", 23, "bytes" },
    { "MESH_ID", 24, "bytes" }, { "STA_PLINK_ACTION", 25, "u8" }, { "MPATH_NEXT_HOP", 26, "lladdr" },
    { "MPATH_INFO", 27, "bytes" }, { "BSS_CTS_PROT", 28, "u8" }, { "BSS_SHORT_PREAMBLE", 29, "u8" },
    { "BSS_SHORT_SLOT_TIME", 30, "u8" }, { "HT_CAPABILITY", 31, "bytes" },
    { "SUPPORTED_IFTYPES", 32, supported_iftypes }, { "REG_ALPHA2", 33, "bytes" }, { "REG_RULES", 34, "bytes" },
    { "MESH_CONFIG", 35, "bytes" }, { "BSS_BASIC_RATES", 36, "bytes" }, { "WIPHY_TXQ_PARAMS", 37, "bytes" },
    { "WIPHY_FREQ", 38, "u32" }, { "WIPHY_CHANNEL_TYPE", 39, "u32" }, { "KEY_DEFAULT_MGMT", 40, "flag" },
    { "MGMT_SUBTYPE", 41, "u8" }, { "IE", 42, "bytes" }, { "MAX_NUM_SCAN_SSIDS", 43, "u8" },
    { "SCAN_FREQUENCIES", 44, "bytes" }, { "SCAN_SSIDS", 45, "bytes" }, { "GENERATION", 46, "u32" }, { "BSS", 47, bss },
    { "REG_INITIATOR", 48, "u8" }, { "REG_TYPE", 49, "u8" }, { "SUPPORTED_COMMANDS", 50, netlink.map("u32") },
    { "FRAME", 51, "bytes" }, { "SSID", 52, "string" }, { "AUTH_TYPE", 53, "u32" }, { "REASON_CODE", 54, "u16" },
    { "KEY_TYPE", 55, "u32" }, { "MAX_SCAN_IE_LEN", 56, "u16" }, { "CIPHER_SUITES", 57, netlink.array("u32") },
    { "FREQ_BEFORE", 58, "bytes" }, { "FREQ_AFTER", 59, "bytes" }, { "FREQ_FIXED", 60, "flag" },
    { "WIPHY_RETRY_SHORT", 61, "u8" }, { "WIPHY_RETRY_LONG", 62, "u8" }, { "WIPHY_FRAG_THRESHOLD", 63, "u32" },
    { "WIPHY_RTS_THRESHOLD", 64, "u32" }, { "TIMED_OUT", 65, "flag" }, { "USE_MFP", 66, "u32" },
    { "STA_FLAGS2", 67, "bytes" }, { "CONTROL_PORT", 68, "flag" }, { "TESTDATA", 69, "bytes" },
    { "PRIVACY", 70, "flag" }, { "DISCONNECTED_BY_AP", 71, "flag" }, { "STATUS_CODE", 72, "u16" },
    { "CIPHER_SUITES_PAIRWISE", 73, "bytes" }, { "CIPHER_SUITE_GROUP", 74, "u32" }, { "WPA_VERSIONS", 75, "u32" },
    { "AKM_SUITES", 76, "bytes" }, { "REQ_IE", 77, "bytes" }, { "RESP_IE", 78, "bytes" }, { "PREV_BSSID", 79, "bytes" },
    { "KEY", 80, "bytes" }, { "KEYS", 81, "bytes" }, { "PID", 82, "u32" }, { "4ADDR", 83, "u8" },
    { "SURVEY_INFO", 84, "bytes" }, { "PMKID", 85, "bytes" }, { "MAX_NUM_PMKIDS", 86, "u8" }, { "DURATION", 87, "u32" },
    { "COOKIE", 88, "u64" }, { "WIPHY_COVERAGE_CLASS", 89, "u8" }, { "TX_RATES", 90, "bytes" },
    { "FRAME_MATCH", 91, "bytes" }, { "ACK", 92, "flag" }, { "PS_STATE", 93, "u32" }, { "CQM", 94, "bytes" },
    { "LOCAL_STATE_CHANGE", 95, "flag" }, { "AP_ISOLATE", 96, "u8" }, { "WIPHY_TX_POWER_SETTING", 97, "u32" },
    { "WIPHY_TX_POWER_LEVEL", 98, "u32" }, { "TX_FRAME_TYPES", 99, iftype },
    { "RX_FRAME_TYPES", 100, iftype }, { "FRAME_TYPE", 101, "u16" }, { "CONTROL_PORT_ETHERTYPE", 102, "flag" },
    { "CONTROL_PORT_NO_ENCRYPT", 103, "flag" }, { "SUPPORT_IBSS_RSN", 104, "flag" }, { "WIPHY_ANTENNA_TX", 105, "u32" },
    { "WIPHY_ANTENNA_RX", 106, "u32" }, { "MCAST_RATE", 107, "u32" }, { "OFFCHANNEL_TX_OK", 108, "flag" },
    { "BSS_HT_OPMODE", 109, "u16" }, { "KEY_DEFAULT_TYPES", 110, "bytes" },
    { "MAX_REMAIN_ON_CHANNEL_DURATION", 111, "u32" }, { "MESH_SETUP", 112, "bytes" },
    { "WIPHY_ANTENNA_AVAIL_TX", 113, "u32" }, { "WIPHY_ANTENNA_AVAIL_RX", 114, "u32" },
    { "SUPPORT_MESH_AUTH", 115, "flag" }, { "STA_PLINK_STATE", 116, "u8" }, { "WOWLAN_TRIGGERS", 117, "bytes" },
    { "WOWLAN_TRIGGERS_SUPPORTED", 118, wowlan_triggers }, { "SCHED_SCAN_INTERVAL", 119, "u32" },
    { "INTERFACE_COMBINATIONS", 120, netlink.map(if_combination) },
    { "SOFTWARE_IFTYPES", 121, supported_iftypes }, { "REKEY_DATA", 122, "bytes" },
    { "MAX_NUM_SCHED_SCAN_SSIDS", 123, "u8" }, { "MAX_SCHED_SCAN_IE_LEN", 124, "u16" },
    { "SCAN_SUPP_RATES", 125, "bytes" }, { "HIDDEN_SSID", 126, "u32" }, { "IE_PROBE_RESP", 127, "bytes" },
    { "IE_ASSOC_RESP", 128, "bytes" }, { "STA_WME", 129, "bytes" }, { "SUPPORT_AP_UAPSD", 130, "flag" },
    { "ROAM_SUPPORT", 131, "flag" }, { "SCHED_SCAN_MATCH", 132, "bytes" }, { "MAX_MATCH_SETS", 133, "u8" },
    { "PMKSA_CANDIDATE", 134, "bytes" }, { "TX_NO_CCK_RATE", 135, "flag" }, { "TDLS_ACTION", 136, "u8" },
    { "TDLS_DIALOG_TOKEN", 137, "u8" }, { "TDLS_OPERATION", 138, "u8" }, { "TDLS_SUPPORT", 139, "flag" },
    { "TDLS_EXTERNAL_SETUP", 140, "flag" }, { "DEVICE_AP_SME", 141, "u32" }, { "DONT_WAIT_FOR_ACK", 142, "flag" },
    { "FEATURE_FLAGS", 143, "u32" }, { "PROBE_RESP_OFFLOAD", 144, "u32" }, { "PROBE_RESP", 145, "bytes" },
    { "DFS_REGION", 146, "u8" }, { "DISABLE_HT", 147, "flag" }, { "HT_CAPABILITY_MASK", 148, "bytes" },
    { "NOACK_MAP", 149, "u16" }, { "INACTIVITY_TIMEOUT", 150, "u16" }, { "RX_SIGNAL_DBM", 151, "u32" },
    { "BG_SCAN_PERIOD", 152, "u16" }, { "WDEV", 153, "u64" }, { "USER_REG_HINT_TYPE", 154, "u32" },
    { "CONN_FAILED_REASON", 155, "u32" }, { "AUTH_DATA", 156, "bytes" }, { "VHT_CAPABILITY", 157, "bytes" },
    { "SCAN_FLAGS", 158, "u32" }, { "CHANNEL_WIDTH", 159, "u32" }, { "CENTER_FREQ1", 160, "u32" },
    { "CENTER_FREQ2", 161, "u32" }, { "P2P_CTWINDOW", 162, "u8" }, { "P2P_OPPPS", 163, "u8" },
    { "LOCAL_MESH_POWER_MODE", 164, "u32" }, { "ACL_POLICY", 165, "u32" }, { "MAC_ADDRS", 166, "bytes" },
    { "MAC_ACL_MAX", 167, "u32" }, { "RADAR_EVENT", 168, "u32" }, { "EXT_CAPA", 169, "bytes" },
    { "EXT_CAPA_MASK", 170, "bytes" }, { "STA_CAPABILITY", 171, "u16" }, { "STA_EXT_CAPABILITY", 172, "bytes" },
    { "PROTOCOL_FEATURES", 173, "u32" }, { "SPLIT_WIPHY_DUMP", 174, "flag" }, { "DISABLE_VHT", 175, "flag" },
    { "VHT_CAPABILITY_MASK", 176, "bytes" }, { "MDID", 177, "u16" }, { "IE_RIC", 178, "bytes" },
    { "CRIT_PROT_ID", 179, "u16" }, { "MAX_CRIT_PROT_DURATION", 180, "u16" }, { "PEER_AID", 181, "u16" },
    { "COALESCE_RULE", 182, "bytes" }, { "CH_SWITCH_COUNT", 183, "u32" }, { "CH_SWITCH_BLOCK_TX", 184, "flag" },
    { "CSA_IES", 185, "bytes" }, { "CNTDWN_OFFS_BEACON", 186, "bytes" }, { "CNTDWN_OFFS_PRESP", 187, "bytes" },
    { "RXMGMT_FLAGS", 188, "bytes" }, { "STA_SUPPORTED_CHANNELS", 189, "bytes" },
    { "STA_SUPPORTED_OPER_CLASSES", 190, "bytes" }, { "HANDLE_DFS", 191, "flag" }, { "SUPPORT_5_MHZ", 192, "flag" },
    { "SUPPORT_10_MHZ", 193, "flag" }, { "OPMODE_NOTIF", 194, "u8" }, { "VENDOR_ID", 195, "u32" },
    { "VENDOR_SUBCMD", 196, "u32" }, { "VENDOR_DATA", 197, "bytes" }, { "VENDOR_EVENTS", 198, "bytes" },
    { "QOS_MAP", 199, "bytes" }, { "MAC_HINT", 200, "lladdr" }, { "WIPHY_FREQ_HINT", 201, "u32" },
    { "MAX_AP_ASSOC_STA", 202, "u32" }, { "TDLS_PEER_CAPABILITY", 203, "u32" }, { "SOCKET_OWNER", 204, "flag" },
    { "CSA_C_OFFSETS_TX", 205, "bytes" }, { "MAX_CSA_COUNTERS", 206, "u8" }, { "TDLS_INITIATOR", 207, "flag" },
    { "USE_RRM", 208, "flag" }, { "WIPHY_DYN_ACK", 209, "flag" }, { "TSID", 210, "u8" }, { "USER_PRIO", 211, "u8" },
    { "ADMITTED_TIME", 212, "u16" }, { "SMPS_MODE", 213, "u8" }, { "OPER_CLASS", 214, "u8" },
    { "MAC_MASK", 215, "lladdr" }, { "WIPHY_SELF_MANAGED_REG", 216, "flag" }, { "EXT_FEATURES", 217, "bytes" },
    { "SURVEY_RADIO_STATS", 218, "bytes" }, { "NETNS_FD", 219, "u32" }, { "SCHED_SCAN_DELAY", 220, "u32" },
    { "REG_INDOOR", 221, "flag" }, { "MAX_NUM_SCHED_SCAN_PLANS", 222, "u32" }, { "MAX_SCAN_PLAN_INTERVAL", 223, "u32" },
    { "MAX_SCAN_PLAN_ITERATIONS", 224, "u32" }, { "SCHED_SCAN_PLANS", 225, "bytes" }, { "PBSS", 226, "flag" },
    { "BSS_SELECT", 227, "bytes" }, { "STA_SUPPORT_P2P_PS", 228, "u8" }, { "IFTYPE_EXT_CAPA", 230, "bytes" },
    { "MU_MIMO_GROUP_DATA", 231, "bytes" }, { "MU_MIMO_FOLLOW_MAC_ADDR", 232, "lladdr" },
    { "SCAN_START_TIME_TSF", 233, "u64" }, { "SCAN_START_TIME_TSF_BSSID", 234, "bytes" },
    { "MEASUREMENT_DURATION", 235, "u16" }, { "MEASUREMENT_DURATION_MANDATORY", 236, "flag" },
    { "MESH_PEER_AID", 237, "u16" }, { "NAN_MASTER_PREF", 238, "u8" }, { "BANDS", 239, "u32" },
    { "NAN_FUNC", 240, "bytes" }, { "NAN_MATCH", 241, "bytes" }, { "FILS_KEK", 242, "bytes" },
    { "FILS_NONCES", 243, "bytes" }, { "MULTICAST_TO_UNICAST_ENABLED", 244, "flag" }, { "BSSID", 245, "lladdr" },
    { "SCHED_SCAN_RELATIVE_RSSI", 246, "s8" }, { "SCHED_SCAN_RSSI_ADJUST", 247, "bytes" },
    { "TIMEOUT_REASON", 248, "u32" }, { "FILS_ERP_USERNAME", 249, "bytes" }, { "FILS_ERP_REALM", 250, "bytes" },
    { "FILS_ERP_NEXT_SEQ_NUM", 251, "u16" }, { "FILS_ERP_RRK", 252, "bytes" }, { "FILS_CACHE_ID", 253, "bytes" },
    { "PMK", 254, "bytes" }, { "SCHED_SCAN_MULTI", 255, "flag" }, { "SCHED_SCAN_MAX_REQS", 256, "u32" },
    { "WANT_1X_4WAY_HS", 257, "flag" }, { "PMKR0_NAME", 258, "bytes" }, { "PORT_AUTHORIZED", 259, "bytes" },
    { "EXTERNAL_AUTH_ACTION", 260, "u32" }, { "EXTERNAL_AUTH_SUPPORT", 261, "flag" }, { "NSS", 262, "u8" },
    { "ACK_SIGNAL", 263, "s32" }, { "CONTROL_PORT_OVER_NL80211", 264, "flag" }, { "TXQ_STATS", 265, txq_stats },
    { "TXQ_LIMIT", 266, "u32" }, { "TXQ_MEMORY_LIMIT", 267, "u32" }, { "TXQ_QUANTUM", 268, "u32" },
    { "HE_CAPABILITY", 269, "bytes" }, { "FTM_RESPONDER", 270, "bytes" }, { "FTM_RESPONDER_STATS", 271, "bytes" },
    { "TIMEOUT", 272, "u32" }, { "PEER_MEASUREMENTS", 273, "bytes" }, { "AIRTIME_WEIGHT", 274, "u16" },
    { "STA_TX_POWER_SETTING", 275, "u8" }, { "STA_TX_POWER", 276, "s16" }, { "SAE_PASSWORD", 277, "bytes" },
    { "TWT_RESPONDER", 278, "flag" }, { "HE_OBSS_PD", 279, "bytes" }, { "WIPHY_EDMG_CHANNELS", 280, "u8" },
    { "WIPHY_EDMG_BW_CONFIG", 281, "u8" }, { "VLAN_ID", 282, "u16" }, { "HE_BSS_COLOR", 283, "bytes" },
    { "IFTYPE_AKM_SUITES", 284, "bytes" }, { "TID_CONFIG", 285, "bytes" }, { "CONTROL_PORT_NO_PREAUTH", 286, "flag" },
    { "PMK_LIFETIME", 287, "u32" }, { "PMK_REAUTH_THRESHOLD", 288, "u8" }, { "RECEIVE_MULTICAST", 289, "flag" },
    { "WIPHY_FREQ_OFFSET", 290, "u32" }, { "CENTER_FREQ1_OFFSET", 291, "u32" }, { "SCAN_FREQ_KHZ", 292, "bytes" },
    { "HE_6GHZ_CAPABILITY", 293, "bytes" }, { "FILS_DISCOVERY", 294, "bytes" },
    { "UNSOL_BCAST_PROBE_RESP", 295, "bytes" }, { "S1G_CAPABILITY", 296, "bytes" },
    { "S1G_CAPABILITY_MASK", 297, "bytes" }, { "SAE_PWE", 298, "u8" }, { "RECONNECT_REQUESTED", 299, "bytes" },
    { "SAR_SPEC", 300, sar }, { "DISABLE_HE", 301, "flag" }, { "OBSS_COLOR_BITMAP", 302, "u64" },
    { "COLOR_CHANGE_COUNT", 303, "u8" }, { "COLOR_CHANGE_COLOR", 304, "u8" }, { "COLOR_CHANGE_ELEMS", 305, "bytes" },
    { "MBSSID_CONFIG", 306, "bytes" }, { "MBSSID_ELEMS", 307, "bytes" }, { "RADAR_BACKGROUND", 308, "flag" },
    { "AP_SETTINGS_FLAGS", 309, "u32" }, { "EHT_CAPABILITY", 310, "bytes" }, { "DISABLE_EHT", 311, "flag" },
    { "MLO_LINKS", 312, "bytes" }, { "MLO_LINK_ID", 313, "u8" }, { "MLD_ADDR", 314, "lladdr" },
    { "MLO_SUPPORT", 315, "flag" }, { "MAX_NUM_AKM_SUITES", 316, "bytes" }, { "EML_CAPABILITY", 317, "u16" },
    { "MLD_CAPA_AND_OPS", 318, "u16" }, { "TX_HW_TIMESTAMP", 319, "u64" }, { "RX_HW_TIMESTAMP", 320, "u64" },
    { "TD_BITMAP", 321, "bytes" }, { "PUNCT_BITMAP", 322, "u32" }, { "MAX_HW_TIMESTAMP_PEERS", 323, "u16" },
    { "HW_TIMESTAMP_ENABLED", 324, "flag" }, { "EMA_RNR_ELEMS", 325, "bytes" }, { "MLO_LINK_DISABLED", 326, "flag" },
    { "BSS_DUMP_INCLUDE_USE_DATA", 327, "flag" }, { "MLO_TTLM_DLINK", 328, "u16" }, { "MLO_TTLM_ULINK", 329, "u16" },
    { "ASSOC_SPP_AMSDU", 330, "flag" }, { "WIPHY_RADIOS", 331, "bytes" },
    { "WIPHY_INTERFACE_COMBINATIONS", 332, "bytes" }, { "VIF_RADIO_MASK", 333, "u32" },
  },
})
