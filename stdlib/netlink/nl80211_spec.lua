-- Wireless interfaces: what a kernel says, without one.

local message = require "netlink.nl80211_message"

-- struct nlmsghdr and genlmsghdr of a message of type 28, then attributes.
local function kernel(cmd, attributes)
  local body = string.char(cmd, 1, 0, 0) .. fromhex((attributes:gsub("%-%-[^\n]*", ""):gsub("%s", "")))
  return string.pack("=I4I2I2I4I4", 16 + #body, 28, 2, 7, 600) .. body
end

test("N042: what the kernel says of an interface", function()
  local octets = kernel(7, [[
    08 00 03 00  03 00 00 00                        -- IFINDEX
    0a 00 04 00  77 6c 61 6e 30 00 00 00            -- IFNAME
    08 00 01 00  00 00 00 00                        -- WIPHY
    08 00 05 00  02 00 00 00                        -- IFTYPE
    0c 00 99 00  01 00 00 00 00 00 00 00            -- WDEV
    0a 00 06 00  02 00 00 00 00 07 00 00            -- MAC
    08 00 2e 00  05 00 00 00]])
  local list = netlink.decode(octets, {family = "generic", families = {[28] = "nl80211"}})
  check.equal(#list, 1)
  local m = list[1]
  check.equal({m.event, m.cmd, m.version}, {"NL80211_CMD_NEW_INTERFACE", 7, 1})
  check.equal({m.ifindex, m.ifname, m.wiphy, m.iftype, m.wdev, m.mac, m.generation}, {3, "wlan0", 0, "station", 1, "02:00:00:00:00:07", 5})
  check.equal(m:get_attr("NL80211_ATTR_IFNAME"), "wlan0")
  -- The same from its members, in the order of the octets.
  local again = netlink.encode(message, {cmd = 7, attrs = {
    {"IFINDEX", 3}, {"IFNAME", "wlan0"}, {"WIPHY", 0}, {"IFTYPE", "station"}, {"WDEV", 1}, {"MAC", "02:00:00:00:00:07"}, {"GENERATION", 5},
  }}, {type = 28, flags = 2, seq = 7, pid = 600})
  check.equal(tohex(again), tohex(octets))
end)

test("N042: the results of a scan, one message a station", function()
  local one = kernel(34, [[
    08 00 2e 00  07 00 00 00  08 00 03 00  0b 00 00 00   -- GENERATION, IFINDEX
    48 00 2f 00                                          -- BSS
      0a 00 01 00  02 00 00 00 00 09 00 00
      0c 00 03 00  8d 5c 63 ca 0f 00 00 00               -- TSF
      09 00 06 00  00 03 6c 61 62 00 00 00               -- INFORMATION_ELEMENTS
      06 00 04 00  64 00 00 00  06 00 05 00  31 00 00 00 -- BEACON_INTERVAL, CAPABILITY
      08 00 02 00  3c 14 00 00                           -- FREQUENCY
      08 00 07 00  34 ef ff ff]])
  local list = netlink.decode(one .. one .. one .. one, {family = "generic", families = {[28] = "nl80211"}})
  check.equal(#list, 4)
  for _, m in ipairs(list) do
    check.equal({m.event, m.ifindex, m:notes()[1]}, {"NL80211_CMD_NEW_SCAN_RESULTS", 11})
    local b = m.bss
    check.equal({b.bssid, b.frequency, b.beacon_interval, b.capability, b.signal_mbm}, {"02:00:00:00:00:09", 5180, 100, 0x31, -4300})
    check.equal(b.tsf, 67820018829)
    check.equal(b.information_elements, "\0\3lab")
  end
end)
