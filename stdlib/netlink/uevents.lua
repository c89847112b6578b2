--- Events of the kernel's objects, and those that udev has made of them.
-- Their messages have no netlink header: each datagram is texts that end with a
-- zero octet, with a header of udev's own in front of udev's.

local listener = require("netlink.listener")

local KERNEL, UDEV = 1, 2
local ENOBUFS = 105
local ROOM = 8 * 2 ^ 20 -- octets of receive buffer: devices come in crowds

-- The header of libudev, struct udev_monitor_netlink_header: "libudev\0", then in
-- network order a magic number, and in host order the length of the header, where
-- the properties begin and how long they are; hashes follow in network order.
local MAGIC = 0xfeedcafe

local Uevent = {__name = "netlink.Uevent"}

function Uevent.__index(e, key)
  if Uevent[key] ~= nil then return Uevent[key] end
  local fields = rawget(e, "fields")
  -- KEY of KEY=value, also in lower case.
  return type(key) == "string" and fields and (fields[key] or fields[key:upper()]) or nil
end

function Uevent.__tostring(e)
  local order = {}
  for name in pairs(e.fields) do order[#order + 1] = name end
  table.sort(order)
  for i, name in ipairs(order) do order[i] = name .. "=" .. e.fields[name] end
  return e.message .. (#order > 0 and " " .. table.concat(order, " ") or "")
end

---Reads the octets of one datagram of the family kobject_uevent: {message,
---source, fields, unparsed}. message is the first text, "add@/devices/…", or "libudev"; fields
---are the KEY=value texts, which read as e.ACTION or e.action, too; unparsed is what
---has another form; header the octets of udev's own header.
---@param octets string
---@return Uevent
function netlink.parse_uevent(octets)
  local e = setmetatable({message = "", source = "kernel", fields = {}, unparsed = ""}, Uevent)
  local body, first = octets, true
  if octets:sub(1, 8) == "libudev\0" and #octets >= 40 then
    local magic = string.unpack(">I4", octets, 9)
    local _, offset, length = string.unpack("=I4I4I4", octets, 13)
    e.source, e.message, first = "udev", "libudev", false
    if magic ~= MAGIC then
      e.unparsed = octets:sub(9)
      return e
    end
    e.header = octets:sub(9, offset)
    body = octets:sub(offset + 1, offset + length)
  end
  local other = {}
  for text in (body .. "\0"):gmatch("(%Z*)%z") do
    if first then
      e.message, first = text, false
    elseif text ~= "" then
      local key, value = text:match("^([^=]+)=(.*)$")
      if key then e.fields[key] = value else other[#other + 1] = text end
    end
  end
  e.unparsed = table.concat(other, "\n")
  return e
end

local Uevents = {__name = "netlink.Uevents"}
Uevents.__index = Uevents

---Waits for the next event. nil when `timeout` seconds pass without one. An event
---whose message is "overrun" stands where the kernel had no room for others.
---@param timeout? number
---@return Uevent?
---@error closed  the socket was closed
function Uevents:read(timeout)
  local ok, octets = pcall(self.socket.recv, self.socket, nil, timeout)
  if ok then return octets and netlink.parse_uevent(octets) end
  if type(octets) ~= "table" or octets.errno ~= ENOBUFS then error(octets, 0) end
  return setmetatable({message = "overrun", source = "kernel", fields = {}, unparsed = ""}, Uevent)
end

---Walks the events as they come.
---@param timeout? number  seconds to wait for each; then the walk ends
---@return function
function Uevents:events(timeout)
  return function() return self:read(timeout) end
end

---Calls fn(event) for each event, from a task of its own, until close.
---@param fn function
function Uevents:on_event(fn)
  listener.each(self, fn)
end

---Closes the socket and ends who waits.
function Uevents:close() self.socket:close() end

---Opens the family kobject_uevent: what the kernel says when objects come, go and
---change; with udev = true what udev says when it has dealt with them.
---
---    u = netlink.uevents()
---    for e in u:events() do print(e.action, e.devpath, e.subsystem) end
---
---In a network namespace the kernel tells of its interfaces only.
---@param options? table  those of netlink.socket, without family, and udev
---@return Uevents
function netlink.uevents(options)
  local o = {}
  for k, v in pairs(options or {}) do o[k] = v end
  local group = o.udev and UDEV or KERNEL
  o.udev, o.family, o.rcvbuf = nil, "uevent", o.rcvbuf or ROOM
  local socket = netlink.socket(o)
  local ok, err = pcall(socket.bind, socket, {groups = {group}})
  if not ok then
    socket:close()
    error(err, 0)
  end
  return setmetatable({socket = socket}, Uevents)
end

return netlink.uevents
