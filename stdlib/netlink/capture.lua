--- Captures of netlink itself: nlmon interfaces, and files of link type netlink.
--
-- Before each datagram stands a header of 16 octets, LINKTYPE_NETLINK (253), in
-- network order: u16 packet type, u16 kind of device (824), 10 unused octets,
-- u16 family of the netlink socket.

local families = require "netlink.families"
local decoder = require("netlink.decode").decoder

local HEADER = 16
local TO_USER, TO_KERNEL = 6, 7
local UEVENT, GENERIC = 15, 16
local NLCTRL = 0x10

--- What to look at --------------------------------------------------------------------

-- Formats as Python's struct or Lua's string.pack has them, or as message classes
-- do: "u16", "be32".
local PYTHON = {b = "i1", B = "I1", h = "i2", H = "I2", i = "i4", I = "I4", l = "i4", L = "I4", q = "i8", Q = "I8"}

local function format_of(f)
  local order, sign, bits = f:match("^(%l-)([us]?)(%d+)$")
  if bits then
    local size = tonumber(bits) / 8
    return (order == "be" and ">" or order == "le" and "<" or "=") .. (sign == "s" and "i" or "I") .. size
  end
  local prefix, code = f:match("^([<>=!@]?)(.*)$")
  prefix = prefix == "!" and ">" or (prefix == "" or prefix == "@") and "=" or prefix
  return prefix .. (PYTHON[code] or code)
end

-- {format=, offset=, value=}: what stands there is that. The offset counts from the
-- first octet of the netlink header.
local function compile(data)
  if data.format or data.fmt then data = {data} end
  local tests = {}
  for i, d in ipairs(data) do
    local ok, format = pcall(format_of, d.format or d.fmt)
    local sized, size = pcall(string.packsize, ok and format or "")
    if not ok or not sized or type(d.offset) ~= "number" or d.value == nil then
      raise("argument", ("data expression %d: want {format = \"u16\", offset = 4, value = 16}"):format(i))
    end
    tests[i] = {format = format, from = d.offset + 1, to = d.offset + size, value = d.value}
  end
  return function(octets)
    for _, t in ipairs(tests) do
      if #octets < t.to or string.unpack(t.format, octets, t.from) ~= t.value then return false end
    end
    return true
  end
end

-- Where a datagram went. The header could tell, but by the time that a capture sees
-- it all are outgoing packets of the interface: then a question goes to the kernel,
-- and what is none comes from there.
local function direction_of(kind, family, octets)
  if kind == TO_USER then return "to-user" end
  if kind == TO_KERNEL then return "to-kernel" end
  if family == UEVENT or #octets < 16 then return "to-user" end
  return string.unpack("=I2", octets, 7) % 2 == 1 and "to-kernel" or "to-user"
end

local Where = {__tostring = function(w) return w.family .. " " .. w.direction end}

local function families_of(family)
  if family == nil then return nil end
  local set = {}
  for _, f in ipairs(type(family) == "table" and family or {family}) do set[families.number(f)] = true end
  return set
end

---Walks the netlink messages in a capture: of connector.link on an nlmon interface,
---or a file of link type netlink. Gives each message and where it comes from:
---{family =, direction =, time =, datagram =}, which printed reads "route to-user".
---direction is "to-kernel" of questions and "to-user" of the rest.
---
---    sh: ip link add nl0 type nlmon; ip link set nl0 up; tcpdump -i nl0 -w nl.pcap
---    for m, at in netlink.capture(open"pcap:nl.pcap", {family = "route"}) do print(at, m) end
---
---Options: family, one or a list, by name or number; data, {format =, offset =,
---value =} or a list of them, which the octets of the datagram have to have;
---match, a function of (message, where) that says which to give; families and live
---for generic netlink, as in netlink.decode; timeout, seconds without a frame
---after which the walk ends.
---@param conn Conn
---@param options? table
---@return function
---@error argument  the connector carries something else, or an option is not understood
function netlink.capture(conn, options)
  local o = options or {}
  if conn.linktype ~= "netlink" then
    raise("argument", ("netlink.capture: frames of %s are %s, not netlink"):format(conn.name, tostring(conn.linktype)),
      "capture on an interface of kind nlmon")
  end
  local only, test = families_of(o.family), o.data and compile(o.data)
  local d = decoder{families = o.families, live = o.live}
  local next_frame = conn:frames(o.timeout)
  local list, i, where = {}, 0, nil
  return function()
    while true do
      i = i + 1
      local m = list[i]
      if m ~= nil then
        if not o.match or o.match(m, where) then return m, where end
      else
        local frame, time = next_frame()
        if frame == nil then return nil end
        list, i = {}, 0
        if #frame >= HEADER then
          local kind, family = string.unpack(">I2", frame), string.unpack(">I2", frame, 15)
          local octets = frame:sub(HEADER + 1)
          if only and not only[family] then
            octets = nil
          elseif test and not test(octets) then
            -- What is not wanted may still say which family has which number.
            if family == GENERIC and #octets >= 16 and string.unpack("=I2", octets, 5) == NLCTRL then d:messages(octets, family) end
            octets = nil
          end
          if octets then
            where = setmetatable({
              family = families.name(family), number = family, time = time, datagram = octets,
              direction = direction_of(kind, family, octets),
            }, Where)
            list = d:messages(octets, family)
          end
        end
      end
    end
  end
end

return netlink.capture
