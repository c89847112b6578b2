--- What drivers know of their interfaces, in the words of the program ethtool.

local EINVAL = 22

-- The subjects: the commands that read and write each, and its fields that are
-- yes or no and octets on the wire.
local function yes_or_no(...)
  local set = {}
  for _, name in ipairs{...} do set[name] = true end
  return set
end

local SUBJECTS = {
  linkinfo = {get = "LINKINFO_GET", set = "LINKINFO_SET"},
  linkmodes = {get = "LINKMODES_GET", set = "LINKMODES_SET", bool = yes_or_no("autoneg")},
  linkstate = {get = "LINKSTATE_GET", bool = yes_or_no("link")},
  debug = {get = "DEBUG_GET", set = "DEBUG_SET"},
  wol = {get = "WOL_GET", set = "WOL_SET"},
  features = {get = "FEATURES_GET", set = "FEATURES_SET"},
  privflags = {get = "PRIVFLAGS_GET", set = "PRIVFLAGS_SET"},
  rings = {get = "RINGS_GET", set = "RINGS_SET", bool = yes_or_no("tx_push", "rx_push")},
  channels = {get = "CHANNELS_GET", set = "CHANNELS_SET"},
  coalesce = {get = "COALESCE_GET", set = "COALESCE_SET",
    bool = yes_or_no("use_adaptive_rx", "use_adaptive_tx", "use_cqe_mode_tx", "use_cqe_mode_rx")},
  pause = {get = "PAUSE_GET", set = "PAUSE_SET", bool = yes_or_no("autoneg", "rx", "tx"), stats = true},
  eee = {get = "EEE_GET", set = "EEE_SET", bool = yes_or_no("active", "enabled", "tx_lpi_enabled")},
  tsinfo = {get = "TSINFO_GET", stats = true},
  tunnels = {get = "TUNNEL_INFO_GET"},
  fec = {get = "FEC_GET", set = "FEC_SET", bool = yes_or_no("auto"), stats = true},
  phc_vclocks = {get = "PHC_VCLOCKS_GET"},
  module = {get = "MODULE_GET", set = "MODULE_SET"},
  pse = {get = "PSE_GET", set = "PSE_SET"},
  rss = {get = "RSS_GET", set = "RSS_SET"},
  plca = {get = "PLCA_GET_CFG", set = "PLCA_SET_CFG", bool = yes_or_no("enabled")},
  plca_status = {get = "PLCA_GET_STATUS", bool = yes_or_no("status")},
  mm = {get = "MM_GET", set = "MM_SET", bool = yes_or_no("pmac_enabled", "tx_enabled", "tx_active", "verify_enabled"), stats = true},
  phy = {get = "PHY_GET"},
  tsconfig = {get = "TSCONFIG_GET", set = "TSCONFIG_SET"},
  mse = {get = "MSE_GET"},
}

-- Fields that are sets of named bits.
local BITSETS = {
  ours = true, peer = true, modes = true, msgmask = true, hw = true, wanted = true, active = true, nochange = true,
  flags = true, modes_ours = true, modes_peer = true, timestamping = true, tx_types = true, rx_filters = true,
  hwtstamp_flags = true, types = true, groups = true,
}

-- String sets, enum ethtool_stringset.
local STRINGS = {
  test = 0, stats = 1, ["priv-flags"] = 2, ["ntuple-filters"] = 3, features = 4, ["rss-hash-funcs"] = 5, tunables = 6,
  ["phy-stats"] = 7, ["phy-tunables"] = 8, ["link-modes"] = 9, ["msg-classes"] = 10, ["wol-modes"] = 11,
  timestamping = 12, ["tx-types"] = 13, ["rx-filters"] = 14, ["udp-tunnel-types"] = 15, ["stats-std"] = 16,
  ["stats-eth-phy"] = 17, ["stats-eth-mac"] = 18, ["stats-eth-ctrl"] = 19, ["stats-rmon"] = 20, ["stats-phy"] = 21,
  ["ts-flags"] = 22,
}

--- From messages to tables --------------------------------------------------------

-- {name = true or false} of a bitset: what it says of each bit that it mentions.
-- Bits that have no name go by number.
local function bits_of(b)
  local out = {}
  local list = b.bits and b.bits.bit
  if list or not b.value then
    for _, bit in ipairs(list or {}) do
      out[bit.name or bit.index] = (b.nomask or bit.value) and true or false
    end
    return out
  end
  for i = 0, (b.size or 8 * #b.value) - 1 do
    local octet, power = math.floor(i / 8) + 1, 2 ^ (i % 8)
    local function has(octets) return math.floor((octets:byte(octet) or 0) / power) % 2 == 1 end
    if not b.mask or has(b.mask) then out[i] = has(b.value) end
  end
  return out
end

local function plain(t, bool)
  local out = {}
  for name, value in pairs(t) do
    -- Names that every message has of its own are in capitals there: STATS.
    if type(name) == "string" then name = name:lower() end
    if BITSETS[name] and type(value) == "table" then
      value = bits_of(value)
    elseif bool and bool[name] then
      value = value ~= 0
    elseif type(value) == "table" then
      value = plain(value)
    end
    out[name] = value
  end
  return out
end

-- What a message tells of one interface.
local function tell(m, bool)
  local t = m:totable()
  local header = t.HEADER or {}
  t.cmd, t.version, t.reserved, t.HEADER = nil, nil, nil, nil
  local out = plain(t, bool)
  out.name, out.index, out.phy_index = header.dev_name, header.dev_index, header.phy_index
  return out
end

--- From tables to messages --------------------------------------------------------

-- {"a", "b"} sets exactly these bits; {a = true, b = false} changes these and
-- leaves the others.
local function bitset_of(value)
  if type(value) ~= "table" or value.bits or value.size then return value end
  local list, exact = {}, #value > 0
  if exact then
    for _, name in ipairs(value) do list[#list + 1] = {name = name} end
  else
    local names = {}
    for name in pairs(value) do names[#names + 1] = name end
    table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
    for _, name in ipairs(names) do
      list[#list + 1] = {[type(name) == "number" and "index" or "name"] = name, value = value[name] and true or nil}
    end
  end
  return {nomask = exact or nil, bits = {bit = list}}
end

local function changes_of(changes)
  local out = {}
  for name, value in pairs(changes) do
    if BITSETS[name] then
      value = bitset_of(value)
    elseif type(value) == "boolean" then
      value = value and 1 or 0
    end
    out[name] = value
  end
  return out
end

local function header_of(dev, flags)
  if type(dev) == "number" then return {dev_index = dev, flags = flags} end
  return {dev_name = dev, flags = flags}
end

--- The handle -----------------------------------------------------------------------

local Ethtool = {__name = "netlink.Ethtool"}
Ethtool.__index = Ethtool

local function subject(word, what)
  Ethtool[word] = function(self, dev, changes)
    if changes ~= nil then
      if not what.set then
        raise("unsupported", ("ethtool: %s can only be read"):format(word))
      end
      -- The features alone say which bits they mean.
      if word == "features" and not changes.wanted then changes = {wanted = changes} end
      if word == "privflags" and not changes.flags then changes = {flags = changes} end
      local msg = changes_of(changes)
      msg.HEADER = header_of(dev)
      self.family:request(what.set, msg)
    end
    local function ask(flags)
      local msg = {HEADER = header_of(dev, flags)}
      if dev ~= nil then
        local m = self.family:get(what.get, msg)
        return m and tell(m, what.bool)
      end
      local list = {}
      for m in self.family:dump(what.get, msg) do list[#list + 1] = tell(m, what.bool) end
      return list
    end
    if not what.stats or self.plain[word] then return ask() end
    local ok, result = pcall(ask, "stats")
    if ok then return result end
    if type(result) ~= "table" or result.errno ~= EINVAL then error(result, 0) end
    -- An older kernel counts nothing here.
    self.plain[word] = true
    return ask()
  end
end

for word, what in pairs(SUBJECTS) do subject(word, what) end

---The names of a string set: "features", "link-modes", "wol-modes", "stats", …; what
---depends on the driver needs an interface. The first name has the index 0.
---@param set string|integer
---@param dev? string|integer   interface by name or number
---@return table<integer, string>
function Ethtool:strings(set, dev)
  local id = STRINGS[set] or set
  if type(id) ~= "number" then
    local all = {}
    for name in pairs(STRINGS) do all[#all + 1] = name end
    table.sort(all)
    raise("argument", "ethtool has no string set " .. tostring(set), "sets: " .. table.concat(all, ", "))
  end
  local m = self.family:get("STRSET_GET", {
    HEADER = dev ~= nil and header_of(dev) or {}, stringsets = {stringset = {{id = id}}},
  })
  local out = {}
  for _, s in ipairs(m and m:get("stringsets", "stringset") or {}) do
    if s.id == id then
      for _, list in ipairs(s.strings or {}) do
        for _, text in ipairs(list.string or {}) do out[text.index] = text.value end
      end
    end
  end
  return out
end

---Standard statistics of an interface by group, {["eth-mac"] = {FramesTransmittedOK = n, …}, …};
---what the driver does not count is missing.
---@param dev string|integer
---@param groups? string[]   of eth-phy, eth-mac, eth-ctrl, rmon, phy (default: the first four)
---@return table
function Ethtool:stats(dev, groups)
  local m = self.family:get("STATS_GET", {
    HEADER = header_of(dev), groups = bitset_of(groups or {"eth-phy", "eth-mac", "eth-ctrl", "rmon"}),
  })
  local out = {}
  for _, group in ipairs(m and m:get_attrs("ETHTOOL_A_STATS_GRP") or {}) do
    local id = group.id
    local names = self.names[group.ss_id] or self:strings(group.ss_id)
    self.names[group.ss_id] = names
    local counters = {}
    for _, stat in ipairs(group.stat or {}) do
      for number, value in pairs(stat) do counters[names[number] or number] = value end
    end
    out[id] = counters
  end
  return out
end

---Octets of the EEPROM of a plugged module (SFP, QSFP): 128 of them or fewer a
---time. Options: offset, length, page, bank, i2c_address.
---@param dev string|integer
---@param options? table
---@return string
function Ethtool:eeprom(dev, options)
  local o = options or {}
  local m = self.family:get("MODULE_EEPROM_GET", {
    HEADER = header_of(dev), offset = o.offset or 0, length = o.length or 128, page = o.page or 0, bank = o.bank or 0,
    i2c_address = o.i2c_address or 0x50,
  })
  return m and m:get("data")
end

---Starts a test of the cable; its result is the event CABLE_TEST_NTF of monitor.
---@param dev string|integer
function Ethtool:cable_test(dev) self.family:request("CABLE_TEST_ACT", {HEADER = header_of(dev)}) end

-- The subject of an event of the kernel by its command's name.
local OF_EVENT = {}
for word, what in pairs(SUBJECTS) do OF_EVENT[what.get:gsub("_GET.*", "")] = word end

local function event(m)
  local name = (m.event or ""):gsub("^ETHTOOL_MSG_", "")
  local word = OF_EVENT[name:gsub("_NTF$", ""):gsub("_[GS]ET_REPLY$", "")] or name:lower()
  local out = tell(m, SUBJECTS[word] and SUBJECTS[word].bool)
  out.event = name
  return out, word
end

---Calls fn(event, subject) for each change that ethtool netlink makes known:
---event has the fields of the subject, name, index and event, "FEATURES_NTF".
---Returns the socket, whose close() ends it.
---
---    et:monitor(function(e, subject) print(subject, e.name) end)
---@param fn function
---@return Generic
function Ethtool:monitor(fn)
  local g = self.family:listen("monitor")
  g:on_message(function(m) fn(event(m)) end)
  return g
end

---Closes the socket.
function Ethtool:close() self.family:close() end

---Opens ethtool netlink. Its methods are its subjects: linkinfo linkmodes linkstate
---features rings channels coalesce pause eee tsinfo tsconfig wol debug privflags fec
---module rss mm pse plca plca_status phy tunnels phc_vclocks mse. Each takes an
---interface by name or number and returns a table; without one a list of all
---interfaces that have the subject; with a second table it changes those fields
---first:
---
---    et = netlink.ethtool()
---    et:linkstate("v0").link                          --> false
---    et:features("v0").active["tx-checksum-ip-generic"]
---    et:features("v0", {["tx-generic-segmentation"] = false})
---    et:channels("v0").combined_count
---
---Sets of named bits are tables {name = true or false}: of those that are
---supported, which are on. To change some give {name = value}, to set exactly
---some {"name", …}.
---@param options? table  those of netlink.socket, without family: netns, …
---@return Ethtool
---@error unsupported  what the driver does not know, from the methods
function netlink.ethtool(options)
  return setmetatable({family = netlink.genl("ethtool", nil, options), names = {}, plain = {}}, Ethtool)
end

return netlink.ethtool
