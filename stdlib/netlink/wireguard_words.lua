--- Between WireGuard's messages and tables in the words of wg.

local inet = require "netlink.inet"

local NO_KEY = ("\0"):rep(32)
local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

--- Keys -----------------------------------------------------------------------------

-- Base64, as wg prints keys.
local function text_of(key)
  if key == nil or key == NO_KEY then return nil end
  local out = {}
  for i = 1, #key, 3 do
    local a, b, c = key:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    for shift = 3, 0, -1 do
      local six = math.floor(n / 64 ^ shift) % 64
      out[#out + 1] = (shift == 0 and not c or shift == 1 and not b) and "=" or ALPHABET:sub(six + 1, six + 1)
    end
  end
  return table.concat(out)
end

local function key_of(text, what)
  if type(text) == "string" and #text == 32 then return text end
  local function bad() raise("argument", ("%s: want a key of 32 octets, in base64 or as they are"):format(what)) end
  if type(text) ~= "string" or #text ~= 44 or not text:match("^[%w+/]+=$") then bad() end
  local out, n, bits = {}, 0, 0
  for c in text:gmatch("[^=]") do
    n, bits = n * 64 + ALPHABET:find(c, 1, true) - 1, bits + 6
    if bits >= 8 then
      bits = bits - 8
      out[#out + 1] = string.char(math.floor(n / 2 ^ bits) % 256)
      n = n % 2 ^ bits
    end
  end
  local key = table.concat(out)
  if #key ~= 32 then bad() end
  return key
end

--- From messages to tables --------------------------------------------------------

-- Seconds of a struct timespec; nil of none, and of the time that stands for never.
local function seconds(when)
  if not when or not when.sec or not when.nsec then return nil end
  local s = tonumber(tostring(when.sec)) + tonumber(tostring(when.nsec)) / 1e9
  return s ~= 0 and s or nil
end

local function describe_peer(p)
  local allowed = {}
  for _, a in ipairs(p.allowedips or {}) do allowed[#allowed + 1] = ("%s/%d"):format(a.ipaddr, a.cidr_mask) end
  return {
    public_key = text_of(p.public_key), preshared_key = text_of(p.preshared_key),
    endpoint = p.endpoint and inet.from_sockaddr(p.endpoint), allowed_ips = allowed,
    persistent_keepalive = p.persistent_keepalive_interval ~= 0 and p.persistent_keepalive_interval or nil,
    last_handshake = seconds(p.last_handshake_time),
    rx_bytes = p.rx_bytes, tx_bytes = p.tx_bytes,
  }
end

-- A device may fill several messages: those that follow have only more peers, and
-- a peer whose addresses did not fit is the first of the next.
local function describe(messages)
  local dev
  for _, m in ipairs(messages) do
    if not dev then
      dev = {
        name = m:get("ifname"), index = m:get("ifindex"), private_key = text_of(m:get("private_key")),
        public_key = text_of(m:get("public_key")), listen_port = m:get("listen_port"), fwmark = m:get("fwmark"), peers = {},
      }
    end
    for i, raw in ipairs(m:get("peers") or {}) do
      local p, last = describe_peer(raw), dev.peers[#dev.peers]
      if i == 1 and last and last.public_key == p.public_key then
        for _, a in ipairs(p.allowed_ips) do last.allowed_ips[#last.allowed_ips + 1] = a end
      else
        dev.peers[#dev.peers + 1] = p
      end
    end
  end
  return dev
end

--- From tables to messages --------------------------------------------------------

local DEVICE = {private_key = 1, listen_port = 1, fwmark = 1, replace_peers = 1, peers = 1}
local PEER = {
  public_key = 1, preshared_key = 1, endpoint = 1, allowed_ips = 1, persistent_keepalive = 1, remove = 1, update_only = 1,
  replace_allowed_ips = 1,
}

local function only(t, known, what)
  for name in pairs(t) do
    if not known[name] then
      local all = {}
      for k in pairs(known) do all[#all + 1] = k end
      table.sort(all)
      raise("argument", ("%s has no %s"):format(what, tostring(name)), "there are " .. table.concat(all, ", "))
    end
  end
end

local function flags(...)
  local words = {}
  for i = 1, select("#", ...) do
    local word = select(i, ...)
    if word then words[#words + 1] = word end
  end
  return #words > 0 and words or nil
end

local function peer_of(p)
  only(p, PEER, "a peer")
  local out = {
    public_key = key_of(p.public_key, "public_key"),
    preshared_key = p.preshared_key and key_of(p.preshared_key, "preshared_key"),
    endpoint = p.endpoint and inet.sockaddr(p.endpoint),
    persistent_keepalive_interval = p.persistent_keepalive,
    flags = flags(p.remove and "remove-me", p.replace_allowed_ips and "replace-allowedips", p.update_only and "update-only"),
  }
  if p.allowed_ips then
    out.allowedips = {}
    for _, text in ipairs(p.allowed_ips) do
      local octets, family, length = inet.prefix(text)
      out.allowedips[#out.allowedips + 1] = {family = family, ipaddr = inet.text(octets), cidr_mask = length}
    end
  end
  return out
end

-- The attributes of a change to a device.
local function device_of(dev, changes)
  only(changes, DEVICE, "a device")
  local msg = {
    private_key = changes.private_key and (changes.private_key == "" and NO_KEY or key_of(changes.private_key, "private_key")),
    listen_port = changes.listen_port, fwmark = changes.fwmark, flags = flags(changes.replace_peers and "replace-peers"),
  }
  msg[type(dev) == "number" and "ifindex" or "ifname"] = dev
  if changes.peers then
    msg.peers = {}
    for _, p in ipairs(changes.peers) do msg.peers[#msg.peers + 1] = peer_of(p) end
  end
  return msg
end

return {describe = describe, device_of = device_of, text_of = text_of, key_of = key_of}
