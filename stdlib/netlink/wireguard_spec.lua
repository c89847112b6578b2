-- WireGuard's messages as octets; few kernels that tests run on have it.

local words = require "netlink.wireguard_words"
local message = require "netlink.wireguard_message"

local ONE, TWO, THREE = ("\1"):rep(32), ("\2"):rep(32), ("\3"):rep(32)

local CHANGE = [[
    01 01 00 00                                         -- cmd SET_DEVICE, version
    08 00 02 00  77 67 30 00                            -- IFNAME wg0
    24 00 03 00  01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01  01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01
    08 00 05 00  01 00 00 00                            -- FLAGS replace-peers
    06 00 06 00  6c ca 00 00                            -- LISTEN_PORT
    98 00 08 80  94 00 01 80                            -- PEERS, the first
      24 00 01 00  02 02 02 02 02 02 02 02 02 02 02 02 02 02 02 02  02 02 02 02 02 02 02 02 02 02 02 02 02 02 02 02
      08 00 03 00  02 00 00 00                          -- FLAGS replace-allowedips
      14 00 04 00  02 00 ca 6c  c0 00 02 01  00 00 00 00 00 00 00 00
      06 00 05 00  19 00 00 00                          -- PERSISTENT_KEEPALIVE_INTERVAL
      48 00 09 80                                       -- ALLOWEDIPS
        1c 00 01 80  06 00 01 00  02 00 00 00  08 00 02 00  0a 00 00 00  05 00 03 00  18 00 00 00
        28 00 02 80  06 00 01 00  0a 00 00 00  14 00 02 00  fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
                     05 00 03 00  08 00 00 00]]

test("a change to a device is these octets", function()
  local change = words.device_of("wg0", {
    private_key = ONE, listen_port = 51820, replace_peers = true,
    peers = {{
      public_key = words.text_of(TWO), endpoint = "192.0.2.1:51820", persistent_keepalive = 25, replace_allowed_ips = true,
      allowed_ips = {"10.0.0.0/24", "fd00::/8"},
    }},
  })
  change.cmd = 1
  check.bytes(netlink.encode(message, change), CHANGE)
end)

test("what the kernel tells of a device reads in the words of wg", function()
  local function tell(t)
    t.cmd = 0
    return message:parse(netlink.encode(message, t), {header = false})
  end
  local dev = words.describe{
    tell{ifname = "wg0", ifindex = 5, private_key = ONE, public_key = THREE, listen_port = 51820, fwmark = 0, peers = {
      {public_key = TWO, preshared_key = ("\0"):rep(32), endpoint = string.pack("=I2", 10) .. "\xca\x6c\0\0\0\0" .. "\x20\x01\x0d\xb8" .. ("\0"):rep(11) .. "\1\0\0\0\0",
        last_handshake_time = {sec = 1700000000, nsec = 500000000}, rx_bytes = 1000, tx_bytes = 2000, persistent_keepalive_interval = 0,
        allowedips = {{family = 2, ipaddr = "10.0.0.0", cidr_mask = 24}}},
    }},
    -- The addresses of that peer that did not fit, and one more peer.
    tell{ifname = "wg0", peers = {
      {public_key = TWO, allowedips = {{family = 10, ipaddr = "fd00::", cidr_mask = 8}}},
      {public_key = THREE, allowedips = {}},
    }},
  }
  check.equal({dev.name, dev.index, dev.listen_port, #dev.peers}, {"wg0", 5, 51820, 2})
  check.equal(dev.public_key, "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=")
  local p = dev.peers[1]
  check.equal(p.public_key, "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=")
  check.equal(p.endpoint, "[2001:db8::1]:51820")
  check.equal(p.allowed_ips, {"10.0.0.0/24", "fd00::/8"})
  check.equal(p.last_handshake, 1700000000.5)
  check.equal({p.preshared_key, p.persistent_keepalive}, {})
  check.equal(dev.peers[2].public_key, words.text_of(THREE))
end)

test("keys are base64 or 32 octets, and nothing else", function()
  for _, key in ipairs{ONE, ("\255"):rep(32), "0123456789abcdefghijklmnopqrstuv"} do
    check.equal(words.key_of(words.text_of(key), "key"), key)
    check.equal(words.key_of(key, "key"), key)
  end
  for _, bad in ipairs{"", "short", ("A"):rep(44), ("A"):rep(43) .. "!", words.text_of(ONE):sub(2)} do
    check.raises("argument", words.key_of, bad, "key")
  end
end)

test("a change that says something else is refused by name", function()
  local err = check.raises("argument", words.device_of, "wg0", {privatekey = ONE})
  check.matches(err.message, "privatekey")
  check.raises("argument", words.device_of, "wg0", {peers = {{public_key = TWO, allowed_ips = {"10.0.0"}}}})
  check.raises("range", words.device_of, "wg0", {peers = {{public_key = TWO, allowed_ips = {"10.0.0.0/33"}}}})
  check.raises("argument", words.device_of, "wg0", {peers = {{public_key = TWO, endpoint = "192.0.2.1"}}})
end)

if not clock.virtual then
  test("a device of the kernel's is made, changed and read", function()
    if os.execute("ip link add wgs0 type wireguard 2>/dev/null") ~= 0 then check.skip("this kernel has no WireGuard") end
    local wg = netlink.wireguard()
    local peers = {}
    for i = 1, 30 do
      peers[i] = {public_key = string.pack(">I4", i) .. ("\1"):rep(28), allowed_ips = {}}
      for j = 1, 60 do peers[i].allowed_ips[j] = ("10.%d.%d.0/24"):format(i, j) end
    end
    wg:set("wgs0", {private_key = ("\8"):rep(31) .. "@", listen_port = 51820, replace_peers = true, peers = peers})
    local dev, n = wg:device("wgs0"), 0
    for _, p in ipairs(dev.peers) do n = n + #p.allowed_ips end
    check.equal({dev.listen_port, dev.public_key, #dev.peers, n}, {51820, "N8lGvdVlWafnRXIGrQXWmbtLvOocy2+YuihMQVYoKG0=", 30, 1800})
    wg:set("wgs0", {peers = {{public_key = dev.peers[1].public_key, remove = true}}})
    check.equal(#wg:device("wgs0").peers, 29)
    check.raises("unsupported", wg.device, wg, "lo")
    check.raises("missing", wg.device, wg, "nope")
    wg:close()
    os.execute("ip link del wgs0")
  end)
end
