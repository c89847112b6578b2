--- Netlink's octets, whoever sent them and however we came by them.

local families = require "netlink.families"

local NLCTRL, NEWFAMILY = 0x10, 1
local UEVENT, CONNECTOR, GENERIC = 15, 11, 16

-- Families whose messages the library knows.
local KNOWN = getmetatable(netlink).families

-- Classes of generic families by the family's name; see generic.lua.
local CLASSES = {
  nlctrl = "ctrl", ethtool = "ethtool_message", TASKSTATS = "taskstats_message", wireguard = "wireguard_message",
  nl80211 = "nl80211_message",
}

--- A decoder --------------------------------------------------------------------------

-- It keeps one marshal a family, and learns the numbers of generic families from
-- what passes.
local Decoder = {}
Decoder.__index = Decoder

function Decoder:_marshal(family)
  local m = self.marshals[family]
  if not m then
    local name = families.name(family)
    m = netlink.marshal(KNOWN[name] and {policy = name} or nil)
    self.marshals[family] = m
    if family == GENERIC then
      for id, class in pairs(self.options.families or {}) do self:_know(id, class) end
      if self.options.live then self:_ask() end
    end
  end
  return m
end

-- Messages of the type id are those of a family, by its name or its class.
function Decoder:_know(id, class)
  if type(class) == "string" then
    self.names[id] = class
    local file = CLASSES[class]
    if not file then return end
    class = require("netlink." .. file)
  end
  self:_marshal(GENERIC):register_policy(id, class)
end

-- This machine's numbers, for what was captured here.
function Decoder:_ask()
  local g = netlink.generic()
  local ok, list = pcall(g.families, g)
  g:close()
  if not ok then error(list, 0) end
  for _, f in ipairs(list) do
    if not self.names[f.id] then self:_know(f.id, f.name) end
  end
end

-- The messages in the octets of one datagram of a family.
function Decoder:messages(octets, family)
  if family == UEVENT then return {netlink.parse_uevent(octets)} end
  local list = self:_marshal(family):parse(octets)
  if family == GENERIC then
    for _, m in ipairs(list) do
      if m.header.type == NLCTRL and m.cmd == NEWFAMILY then
        local id, name = m:get("family_id"), m:get("family_name")
        if id and name and not self.names[id] then self:_know(id, name) end
      end
    end
  elseif family == CONNECTOR then
    for i, m in ipairs(list) do list[i] = netlink.parse_proc(bytes(m)) or m end
  end
  return list
end

local function decoder(options)
  return setmetatable({options = options or {}, marshals = {}, names = {}}, Decoder)
end

-- What is no message.
local OCTETS = netlink.message("octets", {})

--- For people -------------------------------------------------------------------------

---Reads octets as netlink messages, whatever they come from: another socket, strace,
---a hexdump. Options: family, a name or number (default "route"); of generic
---netlink, whose families have no fixed numbers, families = {[0x15] = "ethtool"} or
---classes, or live = true for those of this machine.
---
---    for _, m in ipairs(netlink.decode(octets)) do print(m.event, m.ifname) end
---
---What does not decode is a message whose notes say why. Uevents and proc events
---come as tables of their own (netlink.parse_uevent, netlink.parse_proc).
---@param octets bytes
---@param options? table
---@return Message[]
---@error argument  there is no such family
function netlink.decode(octets, options)
  local o = options or {}
  octets = bytes(octets)
  local list = decoder(o):messages(octets, families.number(o.family or "route"))
  -- What is left is less than a header; zeros are padding.
  local at = 1
  for _, m in ipairs(list) do
    if type(m) ~= "userdata" then return list end
    at = at + math.ceil(#bytes(m) / 4) * 4
  end
  local rest = octets:sub(at)
  if #rest < 16 and rest:find("[^%z]") then list[#list + 1] = netlink.parse(OCTETS, rest) end
  return list
end

---Prints octets as netlink messages, part by part with their names. Options are
---those of netlink.decode.
---
---    netlink.hexdump(octets, {family = "route"})
---@param octets bytes
---@param options? table
---@error argument  there is no such family
function netlink.hexdump(octets, options)
  for _, m in ipairs(netlink.decode(octets, options)) do
    if type(m) == "userdata" then m:hexdump() else print(m) end
  end
end

return {decoder = decoder}
