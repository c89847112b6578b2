--- WireGuard's devices, peers and allowed addresses, in the words of wg.

local words = require "netlink.wireguard_words"

local REQUEST, ACK = netlink.NLM_F_REQUEST, netlink.NLM_F_ACK

local Wireguard = {__name = "netlink.Wireguard"}
Wireguard.__index = Wireguard

---What a device is and which peers it has: name, index, private_key, public_key,
---listen_port, fwmark and peers, a list of {public_key, preshared_key, endpoint,
---allowed_ips, persistent_keepalive, last_handshake, rx_bytes, tx_bytes}. Keys are
---base64, as wg has them.
---@param dev string|integer   interface by name or number
---@return table
---@error missing      there is no such interface
---@error unsupported  it is of another kind
function Wireguard:device(dev)
  local list = {}
  for m in self.family:dump("GET_DEVICE", {[type(dev) == "number" and "ifindex" or "ifname"] = dev}) do list[#list + 1] = m end
  return words.describe(list)
end

---Changes a device: private_key ("" takes it away), listen_port, fwmark, peers and
---replace_peers=true, which takes all others away. A peer has public_key, and what
---is to change: preshared_key, endpoint, allowed_ips, persistent_keepalive,
---remove=true, update_only=true, replace_allowed_ips=true.
---
---    wg:set("wg0", {private_key = key, listen_port = 51820, peers = {
---      {public_key = theirs, endpoint = "192.0.2.1:51820", allowed_ips = {"10.0.0.0/24"}, persistent_keepalive = 25},
---    }})
---@param dev string|integer
---@param changes table
---@error argument    a key, an address or a name is wrong
---@error permission  it takes CAP_NET_ADMIN
function Wireguard:set(dev, changes)
  self.family:request("SET_DEVICE", words.device_of(dev, changes), {flags = REQUEST + ACK})
end

---Closes the socket.
function Wireguard:close() self.family:close() end

---Opens the family wireguard, for devices that netlink.route() has made:
---ip:link("add", {ifname = "wg0", kind = "wireguard"}).
---@param options? table  those of netlink.socket, without family
---@return Wireguard
---@error missing  the kernel does not have WireGuard
function netlink.wireguard(options)
  return setmetatable({family = netlink.genl("wireguard", nil, options)}, Wireguard)
end

return netlink.wireguard
