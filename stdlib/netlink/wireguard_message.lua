--- The tunnels of WireGuard, linux/wireguard.h.

local allowedip = netlink.attrs("wg_allowedip", {
  { "FAMILY", 1, "u16" },
  { "IPADDR", 2, "ipaddr" },
  { "CIDR_MASK", 3, "u8" },
  { "FLAGS", 4, "u32", flags = { "remove-me" } },
}, { prefix = "WGALLOWEDIP_A_" })

local timespec = netlink.struct("timespec", { { "sec", "s64" }, { "nsec", "s64" } })

local peer = netlink.attrs("wg_peer", {
  { "PUBLIC_KEY", 1, "bytes" },
  { "PRESHARED_KEY", 2, "bytes" },
  { "FLAGS", 3, "u32", flags = { "remove-me", "replace-allowedips", "update-only" } },
  { "ENDPOINT", 4, "bytes" }, -- struct sockaddr_in or sockaddr_in6
  { "PERSISTENT_KEEPALIVE_INTERVAL", 5, "u16" },
  { "LAST_HANDSHAKE_TIME", 6, timespec },
  { "RX_BYTES", 7, "u64" }, { "TX_BYTES", 8, "u64" },
  { "ALLOWEDIPS", 9, netlink.list(allowedip), nested = true },
  { "PROTOCOL_VERSION", 10, "u32" },
}, { prefix = "WGPEER_A_" })

---A message of the family wireguard.
return netlink.generic_message("wireguard", {
  command_prefix = "WG_CMD_", prefix = "WGDEVICE_A_",
  commands = { GET_DEVICE = 0, SET_DEVICE = 1 },
  attrs = {
    { "IFINDEX", 1, "u32" },
    { "IFNAME", 2, "asciiz" },
    { "PRIVATE_KEY", 3, "bytes" }, { "PUBLIC_KEY", 4, "bytes" },
    { "FLAGS", 5, "u32", flags = { "replace-peers" } },
    { "LISTEN_PORT", 6, "u16" },
    { "FWMARK", 7, "u32", show = "hex" },
    { "PEERS", 8, netlink.list(peer), nested = true },
  },
})
