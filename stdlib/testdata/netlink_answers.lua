-- Asks the kernel for everything in this network namespace, and holds of each
-- message: all of it is known, all of it is as declared, nothing of it is lost in
-- a dump, and a table that says the same encodes to the same members.
local s = netlink.socket{ family = "route" }
s:bind()

local dumps = {
  { "GETLINK", { ext_mask = "VF" } }, { "GETLINK", { family = 7, ext_mask = "BRVLAN" } }, { "GETLINK", { family = 10 } },
  { "GETADDR", {} }, { "GETMULTICAST", { family = 2 } }, { "GETMULTICAST", { family = 10 } },
  { "GETANYCAST", { family = 10 } }, { "GETROUTE", { family = 2 } }, { "GETROUTE", { family = 10 } },
  { "GETNEIGH", {} }, { "GETNEIGH", { family = 7 } }, { "GETRULE", { family = 2 } }, { "GETRULE", { family = 10 } },
  { "GETNEXTHOP", {} }, { "GETNEXTHOPBUCKET", {} }, { "GETNEIGHTBL", {} }, { "GETNETCONF", { family = 2 } },
  { "GETNETCONF", { family = 10 } }, { "GETSTATS", { filter_mask = 31 } }, { "GETNSID", {} },
  { "GETADDRLABEL", { family = 10 } }, { "GETMDB", { family = 7 } }, { "GETVLAN", { family = 7 } }, { "GETQDISC", {} },
}
for m in s:dump({}, netlink.RTM_GETLINK) do
  if m.ifname ~= "lo" then
    dumps[#dumps + 1] = { "GETTCLASS", { index = m.index } }
    for _, parent in ipairs { 0x10000, 0xfffffff2, 0xfffffff3 } do
      dumps[#dumps + 1] = { "GETTFILTER", { index = m.index, parent = parent } }
    end
    dumps[#dumps + 1] = { "GETCHAIN", { index = m.index, parent = 0xfffffff2 } }
  end
end

local function plain(value)
  if type(value) ~= "table" then return tostring(value) end
  local names, out = {}, {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for i, name in ipairs(names) do out[i] = tostring(name) .. "=" .. plain(value[name]) end
  return "{" .. table.concat(out, " ") .. "}"
end

-- Attributes that the classes do not know are called by their numbers.
local function unknown(dump, path, of)
  for _, pair in ipairs(dump.attrs or {}) do
    local name, value = pair[1], pair[2]
    local at = path .. "." .. tostring(name)
    if type(name) == "number" then print("unknown attribute", of, at) end
    if type(value) == "table" then
      unknown(value, at, of)
      for i, item in ipairs(value) do
        if type(item) == "table" then unknown(item, at .. "." .. i, of) end
      end
    end
  end
end

local seen = {}
for _, of in ipairs(dumps) do
  local name = "RTM_" .. of[1]
  local ok, err = pcall(function()
    for m in s:dump(of[2], netlink[name]) do
      seen[m.event] = (seen[m.event] or 0) + 1
      for _, note in ipairs(m:notes()) do print("note", m.event, note.path, note.text) end
      local dump = m:dump()
      unknown(dump, "", m.event)
      local raw = bytes(m)
      if bytes(netlink.load(dump)) ~= raw then print("dump", m.event, tohex(raw)) end
      local class = netlink.rtnl[dump.class]
      local again = class:parse(class:encode(m:totable(), m.header))
      local before, after = m:totable(), again:totable()
      before.header, after.header = nil, nil
      for _, t in ipairs { before, after } do -- what is read as one type and written as another
        if t.af_spec then t.af_spec.inet = nil end
        if t.linkinfo and t.linkinfo.kind == "vxlan" then t.linkinfo.data.ttl_inherit = nil end
      end
      if plain(before) ~= plain(after) then print("table", m.event, plain(before), plain(after)) end
    end
  end)
  if not ok and err.kind ~= "unsupported" and err.kind ~= "argument" and err.kind ~= "missing" then error(err) end
  if not ok then print("?", name, err.message) end
end
s:close()
local names = {}
for event, n in pairs(seen) do names[#names + 1] = event .. " " .. n end
table.sort(names)
print("seen", table.concat(names, ", "))
