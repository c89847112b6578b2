---A ladder of what passes: one column a station, one arrow a frame, one line
---each, drawn as it happens.
---
---    lan = connector.lan()
---    ladder{on = lan, lan:host{ip = "10.0.0.1/24"}, lan:host{ip = "10.0.0.2/24"}}
local Ladder = {}
Ladder.__index = Ladder

local MARGIN = 12 -- columns before the first line

-- What an arrow says: the summary without what the arrow itself shows, which
-- are the Ethernet layer and the addresses of the stations at its ends.
function Ladder:_label(p)
  if p.ARP then
    if p.ARP.op == "who-has" then return ("ARP who has %s? tell %s"):format(p.ARP.pdst, p.ARP.psrc) end
    return ("ARP %s is at %s"):format(p.ARP.psrc, p.ARP.hwsrc)
  end
  local l3 = p.IP or p.IPv6
  local shown = l3 and self.owner[l3.src] == p.Ether.src and self.owner[l3.dst] == p.Ether.dst
  local parts = {}
  for layer in p:layers() do
    if layer:name() ~= "Ether" and not (shown and (layer:name() == "IP" or layer:name() == "IPv6")) then
      parts[#parts + 1] = layer:summary()
    end
  end
  if #parts > 1 and (parts[#parts]:find("^Raw ") or parts[#parts]:find("^Padding ")) then parts[#parts] = nil end
  return table.concat(parts, " / ")
end

-- Cells of UTF-8 text; the ladder counts columns, not octets.
local function put(row, at, text)
  for _, c in utf8.codes(text) do
    row[at] = utf8.char(c)
    at = at + 1
  end
end

function Ladder:_row()
  local row = {}
  for i = 1, self.width do row[i] = " " end
  for _, x in pairs(self.columns) do row[x] = "│" end
  return row
end

local function line(row) return (table.concat(row):gsub("%s+$", "")) end

-- One arm of an arrow, from the sender's line to another.
local function arm(row, from, to, text)
  local step = to > from and 1 or -1
  row[from] = step == 1 and "├" or "┤"
  for x = from + step, to - step, step do row[x] = "─" end
  row[to - step] = step == 1 and "▶" or "◀"
  if text then
    local room = math.abs(to - from) - 5
    if utf8.len(text) > room then text = text:sub(1, room - 1) .. "…" end
    local left = math.min(from, to) + 1
    put(row, left + math.floor((room + 4 - utf8.len(text) - 2) / 2), " " .. text .. " ")
  end
end

function Ladder:draw(p)
  local e = p.Ether
  if not e then return end
  self.start = self.start or clock.now()
  local row = self:_row()
  put(row, 1, ("%9.3f"):format((clock.now() - self.start) * 1000))
  local from, to = self.columns[e.src], self.columns[e.dst]
  local text = self:_label(p)
  if from and to then
    arm(row, from, to, text)
  elseif from then -- to all, or to a station that has no line here
    local told = false
    local left, right = self.first, self.last
    if right > from then arm(row, from, right, text) told = true end
    if left < from then arm(row, from, left, not told and text or nil) end
    if left < from and right > from then row[from] = "┼" end
  else
    put(row, MARGIN, e.src .. " > " .. e.dst .. "  " .. text)
  end
  self.print(line(row))
end

---Stops drawing.
function Ladder:close()
  self.handler:cancel()
  if self.port then self.port:close() end
end

---@class ladder.Options
---@field on Lan|Conn         what to watch
---@field print? function     where the lines go (default print)
---@field width? integer      columns of the picture (default 100)

---Draws every frame on a LAN or connector from now on.
---@param opts ladder.Options   the stations in order, and `on`: a LAN or a connector
---@return Ladder
function ladder(opts)
  if type(opts) ~= "table" or not opts.on or #opts == 0 then
    raise("argument", "ladder: want {on = a LAN or connector, host, host, …}")
  end
  local self = setmetatable({columns = {}, owner = {}, print = opts.print or print}, Ladder)
  local names, addresses = {}, {}
  -- The last line needs room for its station's address.
  local gap = math.max(16, math.min(50, math.floor(((opts.width or 100) - MARGIN - 18) / math.max(1, #opts - 1))))
  for i, h in ipairs(opts) do
    local x = MARGIN + (i - 1) * gap
    self.columns[h.mac] = x
    self.first, self.last = self.first or x, x
    for ip in pairs(h.addresses or {[h.ip] = true}) do self.owner[ip] = h.mac end
    names[x], addresses[x] = h.name or h.ip, h.ip
  end
  self.width = self.last + 18
  local function heading(texts, unit)
    local row = {}
    for i = 1, self.width do row[i] = " " end
    put(row, 1, unit)
    for x, text in pairs(texts) do put(row, x, text) end
    self.print(line(row))
  end
  heading(names, "       ms")
  heading(addresses, "")
  self.print(line(self:_row()))
  local port = opts.on.port and opts.on:port("ladder") or nil
  self.port = port
  self.handler = (port or opts.on):on_packet(function(p) self:draw(p) end)
  return self
end

return ladder
