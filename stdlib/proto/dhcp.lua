-- BOOTP and the options that make DHCP of it.

local TYPES = { "discover", "offer", "request", "decline", "ack", "nak", "release", "inform",
  "force_renew", "lease_query", "lease_unassigned", "lease_unknown", "lease_active" }  -- RFC 3203, RFC 4388

local COOKIE = 0x63825363   -- RFC 1497: 99.130.83.99

-- An option that is a list of addresses; one may be written without braces.
local function addresses(name) return { name, { "addresses", "ip4", count = "*" } } end

--- Bootstrap Protocol, RFC 951 and RFC 1542.
-- `chaddr` is a MAC address where the length says so, and 16 plain octets for
-- other networks.
BOOTP = wire.layout("BOOTP", {
  { "op",     "u8", default = 1, names = { "BOOTREQUEST", "BOOTREPLY" }, doc = "request or reply" },
  { "htype",  "u8", default = 1, names = require("proto.numbers").hardware, doc = "kind of network" },
  { "hlen",   "u8", default = 6, doc = "octets of a hardware address" },
  { "hops",   "u8", doc = "relay agents on the way" },
  { "xid",    "u32", show = "hex", doc = "transaction: the same in request and reply" },
  { "secs",   "u16", doc = "seconds since the client began" },
  { "flags",  "u16", flags = { "m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10", "m11", "m12", "m13", "m14", "B" },
    doc = "B: answer by broadcast; the others must be zero" },
  { "ciaddr", "ip4", doc = "client's address, if it has one that it answers ARP for" },
  { "yiaddr", "ip4", doc = "your address: the one the client gets" },
  { "siaddr", "ip4", doc = "server of the next step: where the boot file is" },
  { "giaddr", "ip4", doc = "relay agent's address; 0.0.0.0: none" },
  { "chaddr", "mac", when = { hlen = 6 }, doc = "client's hardware address" },
  { "chpad",  "bytes", size = 10, when = { hlen = 6 }, doc = "what fills the client's address up to 16 octets" },
  { "chaddr", "bytes", size = 16, when = { hlen = { no = 6 } }, doc = "client's hardware address" },
  { "sname",  "text", size = 64, doc = "server's name" },
  { "file",   "text", size = 128, doc = "boot file" },
  { "options", "u32", auto = wire.next(), show = "hex", names = { [COOKIE] = "DHCP" },
    doc = "magic cookie: what stands behind it is in DHCP's format" },
}, {
  summary = "{op} xid {xid}[ {ciaddr?}][ {chaddr}][ your {yiaddr?}][ next {siaddr?}][ via {giaddr?}][ {file?}]",
  answers = { { op = { [2] = 1 }, xid = "xid" } },
})
-- The first rule is what a client sends.
BOOTP:follows("UDP", { sport = 68, dport = 67 })
BOOTP:follows("UDP", { sport = 67, dport = 68 })
BOOTP:follows("UDP", { dport = 67 })   -- between relay agents and servers, and from any port
BOOTP:follows("UDP", { dport = 68 })

--- Dynamic Host Configuration Protocol: the options of BOOTP, RFC 2131 and
-- RFC 2132; registry: IANA "BOOTP Vendor Extensions and DHCP Options". Names
-- are Scapy's.
DHCP = wire.layout("DHCP", {
  { "options", wire.tlv {
      type = "u8", len = "u8", bare = { 0, 255 }, last = 255,
      [0] = { "pad" },
      [1] = { "subnet_mask", "ip4" },
      [2] = { "time_zone", "u32" },
      [3] = addresses "router",
      [4] = addresses "time_server",
      [5] = addresses "IEN_name_server",
      [6] = addresses "name_server",
      [7] = addresses "log_server",
      [8] = addresses "cookie_server",
      [9] = addresses "lpr_server",
      [10] = addresses "impress-servers",
      [11] = addresses "resource-location-servers",
      [12] = { "hostname", "text" },
      [13] = { "boot-size", "u16" },
      [14] = { "dump_path", "text" },
      [15] = { "domain", "text" },
      [16] = { "swap-server", "ip4" },
      [17] = { "root_disk_path", "text" },
      [18] = { "extensions-path", "text" },
      [19] = { "ip-forwarding", "u8" },
      [20] = { "non-local-source-routing", "u8" },
      [21] = addresses "policy-filter",
      [22] = { "max_dgram_reass_size", "u16" },
      [23] = { "default_ttl", "u8" },
      [24] = { "pmtu_timeout", "u32" },
      [25] = { "path-mtu-plateau-table", { "sizes", "u16", count = "*" } },
      [26] = { "interface-mtu", "u16" },
      [27] = { "all-subnets-local", "u8" },
      [28] = { "broadcast_address", "ip4" },
      [29] = { "perform-mask-discovery", "u8" },
      [30] = { "mask-supplier", "u8" },
      [31] = { "router-discovery", "u8" },
      [32] = { "router-solicitation-address", "ip4" },
      [33] = addresses "static-routes",
      [34] = { "trailer-encapsulation", "u8" },
      [35] = { "arp_cache_timeout", "u32" },
      [36] = { "ieee802-3-encapsulation", "u8" },
      [37] = { "tcp_ttl", "u8" },
      [38] = { "tcp_keepalive_interval", "u32" },
      [39] = { "tcp_keepalive_garbage", "u8" },
      [40] = { "NIS_domain", "text" },
      [41] = addresses "NIS_server",
      [42] = addresses "NTP_server",
      [43] = { "vendor_specific", "bytes" },
      [44] = addresses "NetBIOS_server",
      [45] = addresses "NetBIOS_dist_server",
      [46] = { "NetBIOS_node_type", "u8", names = { [1] = "B", [2] = "P", [4] = "M", [8] = "H" } },
      [47] = { "netbios-scope", "text" },
      [48] = addresses "font-servers",
      [49] = addresses "x-display-manager",
      [50] = { "requested_addr", "ip4" },
      [51] = { "lease_time", "u32" },
      [52] = { "dhcp-option-overload", "u8", names = { "file", "sname", "both" } },
      [53] = { "message-type", "u8", enum = TYPES },
      [54] = { "server_id", "ip4" },
      [55] = { "param_req_list", { "codes", "u8", count = "*" } },
      [56] = { "error_message", "text" },
      [57] = { "max_dhcp_size", "u16" },
      [58] = { "renewal_time", "u32" },
      [59] = { "rebinding_time", "u32" },
      [60] = { "vendor_class_id", "text" },
      [61] = { "client_id", "bytes" },
      [62] = { "nwip-domain-name", "text" },
      [64] = { "NISplus_domain", "text" },
      [65] = addresses "NISplus_server",
      [66] = { "tftp_server_name", "text" },
      [67] = { "boot-file-name", "text" },
      [68] = addresses "mobile-ip-home-agent",
      [69] = addresses "SMTP_server",
      [70] = addresses "POP3_server",
      [71] = addresses "NNTP_server",
      [72] = addresses "WWW_server",
      [73] = addresses "Finger_server",
      [74] = addresses "IRC_server",
      [75] = addresses "StreetTalk_server",
      [76] = addresses "StreetTalk_Dir_Assistance",
      [77] = { "user_class", "bytes" },                                               -- RFC 3004, and text as iPXE sends it
      [80] = { "rapid_commit" },                                                      -- RFC 4039
      [81] = { "client_FQDN", "bytes" },                                              -- RFC 4702
      [82] = { "relay_agent_information", wire.tlv {                                  -- RFC 3046
        type = "u8", len = "u8",
        [1] = { "circuit_id", "bytes" }, [2] = { "remote_id", "bytes" }, [5] = { "link_selection", "ip4" } } },
      [91] = { "client-last-transaction-time", "u32" },                               -- RFC 4388
      [92] = addresses "associated-ip",
      [93] = { "pxe_client_architecture", { "architectures", "u16", count = "*" } },  -- RFC 4578 §2.1
      [94] = { "pxe_client_network_interface", "bytes" },
      [97] = { "pxe_client_machine_identifier", "bytes" },
      [100] = { "pcode", "text" },                                                    -- RFC 4833
      [101] = { "tcode", "text" },
      [108] = { "ipv6-only-preferred", "u32" },                                       -- RFC 8925
      [114] = { "captive-portal", "text" },                                           -- RFC 8910
      [116] = { "auto-config", "u8" },                                                -- RFC 2563
      [118] = { "subnet-selection", "ip4" },                                          -- RFC 3011
      [119] = { "domain_search", "bytes" },                                           -- RFC 3397
      [121] = { "classless_static_routes", "bytes" },                                 -- RFC 3442
      [124] = { "vendor_class", "bytes" },                                            -- RFC 3925
      [125] = { "vendor_specific_information", "bytes" },
      [150] = addresses "tftp_server_address",                                        -- RFC 5859
      [175] = { "ipxe", wire.tlv {                                                    -- ipxe.org/howto/dhcpd
        type = "u8", len = "u8",
        [0x01] = { "priority", "s8" },
        [0x08] = { "keep-san", "u8" },
        [0x09] = { "skip-san-boot", "u8" },
        [0xb0] = { "no-pxedhcp", "u8" },
        [0xb1] = { "bus-id", "bytes" },
        [0xbd] = { "san-drive", "u8" },
        [0xbe] = { "username", "text" },
        [0xbf] = { "password", "text" },
        [0xeb] = { "version", "bytes" } } },
      [208] = { "pxelinux_magic", "bytes" },                                          -- RFC 5071
      [209] = { "pxelinux_configuration_file", "text" },
      [210] = { "pxelinux_path_prefix", "text" },
      [211] = { "pxelinux_reboot_time", "u32" },
      [255] = { "end" },
    }, doc = "options, up to the one called end" },
}, { summary = "{options}" })
DHCP:follows("BOOTP", { options = COOKIE })
