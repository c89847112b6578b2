-- Filters of what is gone through: what people say becomes a request in which
-- the kernel filters as far as it can (NETLINK_GET_STRICT_CHK), and a test for
-- the rest.
local V = require("netlink.vocabulary")
local F = {}

local function num(v)
  if type(v) == "number" or v == nil then return v end
  return tonumber(tostring(v))
end

local function canonical(ip)
  local inet = require("netlink.inet")
  return inet.text((inet.octets(ip)))
end

-- equal is whether a value is as wanted: a number, a word, yes or no.
local function equal(v, want)
  if want == true then return v ~= nil and v ~= false and v ~= 0 end
  if want == false then return v == nil or v == false or v == 0 end
  if v == want then return true end
  if v == nil or want == nil then return false end
  return tostring(v) == tostring(want)
end

-- expect makes a test of what is wanted: a value, a list of them, a function.
-- convert makes of a wanted word what get gives.
local function expect(get, want, convert)
  if type(want) == "function" then
    return function(m) return want(get(m)) end
  end
  if type(want) == "table" then
    local list = {}
    for i, w in ipairs(want) do list[i] = convert and convert(w) or w end
    return function(m)
      local v = get(m)
      for _, w in ipairs(list) do
        if equal(v, w) then return true end
      end
      return false
    end
  end
  if convert then want = convert(want) end
  return function(m) return equal(get(m), want) end
end

-- A glob such as "veth*".
local function glob(text)
  return "^" .. text:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$"
end

local function by_name(want, get)
  return function(m)
    local v = get(m)
    for _, w in ipairs(type(want) == "table" and want or {want}) do
      if v ~= nil and (v == w or w:find("*", 1, true) and v:find(glob(w)) ~= nil) then return true end
    end
    return false
  end
end

-- word makes the test of a member that is a number with words.
local function word(get, vocabulary)
  if type(get) == "string" then
    local name = get
    get = function(m) return m[name] end
    return function(want)
      if type(want) == "string" or type(want) == "number" then
        local n = vocabulary(want)
        return function(m) return m[name] == n end -- by far the most frequent: no detour
      end
      return expect(get, want, vocabulary)
    end
  end
  return function(want) return expect(get, want, vocabulary) end
end

-- bits makes the test that all these flags are set; any: one of them.
local function bits(get, kind, any)
  return function(want)
    if type(want) == "function" then return function(m) return want(get(m)) end end
    local mask = V.mask(kind, want)
    return function(m)
      local v = get(m)
      v = v and bit.band(V.mask(kind, v), mask) % 2 ^ 32 or 0
      if any then return v ~= 0 end
      return v == mask
    end
  end
end

local function field(name) return function(m) return m[name] end end
local function attr(name) return function(m) return m:get_attr(name) end end

-- prefix makes the test of an address with its length: "10.0.0.0/8", "default";
-- without a length in what is wanted any length will do if loose.
local function prefix(get, length, loose)
  return function(want)
    if type(want) == "function" then return function(m) return want(get(m)) end end
    local tests = {}
    for i, w in ipairs(type(want) == "table" and want or {want}) do
      local ip, len = V.prefix(w, "filter")
      if ip == nil then
        tests[i] = function(m) return (num(m[length]) or 0) == 0 end
      else
        ip = canonical(ip)
        local full = ip:find(":", 1, true) and 128 or 32
        tests[i] = function(m)
          if get(m) ~= ip then return false end
          if len == nil then return loose or m[length] == full end
          return m[length] == len
        end
      end
    end
    return function(m)
      for _, t in ipairs(tests) do
        if t(m) then return true end
      end
      return false
    end
  end
end

local function address(get)
  return function(want) return expect(get, want, function(w) return (w:find("^[%x:.]+$") and canonical(w)) or w end) end
end

-- What each kind of object may be filtered by: WORDS[object](f, ctx, body) takes
-- its words out of f, fills in the request, and returns tests. first takes a word
-- out.
local function first(t, ...)
  local found
  for i = 1, select("#", ...) do
    local k = select(i, ...)
    if t[k] ~= nil then
      if found == nil then found = t[k] end
      t[k] = nil
    end
  end
  return found
end

local function interface(ctx, v)
  if type(v) == "string" then return ctx:index(v) end
  if type(v) == "userdata" then return v.index end -- a link message
  return v
end

local WORDS = {}

function WORDS.link(f, ctx, body, add)
  body.ext_mask = first(f, "ext_mask") or 1 -- RTEXT_FILTER_VF, as ip
  if f.family ~= nil then body.family = V.family(first(f, "family")) end
  local single
  local name, index = first(f, "ifname", "name", "dev"), first(f, "index", "ifindex")
  if type(name) == "string" and not name:find("*", 1, true) then
    single = {[#name > 15 and "ALT_IFNAME" or "ifname"] = name, ext_mask = body.ext_mask}
  elseif name ~= nil then
    add(type(name) == "function" and expect(field("ifname"), name) or by_name(name, field("ifname")))
  end
  if type(index) == "number" then
    if single then add(expect(field("index"), index)) else single = {index = index, ext_mask = body.ext_mask} end
  elseif index ~= nil then
    add(expect(field("index"), index))
  end
  local kind = first(f, "kind")
  if kind ~= nil then
    if type(kind) == "string" then body.linkinfo = {kind = kind} end
    add(expect(function(m) return m:get("linkinfo", "kind") end, kind))
  end
  local slave = first(f, "slave_kind")
  if slave ~= nil then add(expect(function(m) return m:get("linkinfo", "slave_kind") end, slave)) end
  local master = first(f, "master")
  if master ~= nil and master ~= false and type(master) ~= "function" and type(master) ~= "table" then
    master = interface(ctx, master)
    body.master = master
    add(expect(field("master"), master))
  elseif master ~= nil then
    add(expect(field("master"), master, function(w) return interface(ctx, w) end))
  end
  local lower = first(f, "link")
  if lower ~= nil then add(expect(field("link"), lower, function(w) return interface(ctx, w) end)) end
  for _, w in ipairs{"state", "up"} do
    local state = first(f, w)
    if state ~= nil then
      local up = state == "up" or state == true
      if not up and state ~= "down" and state ~= false then
        raise("argument", ("state: want \"up\" or \"down\", got %q; the other states are of operstate"):format(tostring(state)))
      end
      add(function(m) return (bit.band(V.mask("link", m.flags), 1) ~= 0) == up end)
    end
  end
  local oper = first(f, "operstate")
  if oper ~= nil then add(expect(field("operstate"), oper, type(oper) ~= "function" and function(w) return type(w) == "string" and w:lower() or V.operstate_name(w) end or nil)) end
  if f.flags ~= nil then add(bits(field("flags"), "link")(first(f, "flags"))) end
  if f.type ~= nil then add(word("type", V.arphrd)(first(f, "type"))) end
  if f.group ~= nil then add(word("group", V.group)(first(f, "group"))) end
  local alt = first(f, "altname")
  if alt ~= nil then
    add(function(m)
      local names = m:get("prop_list", "alt_ifname")
      for _, n in ipairs(type(names) == "string" and {names} or names or {}) do
        if n == alt then return true end
      end
      return false
    end)
  end
  -- Words of the kind: {kind="vlan", id=5}.
  local data = type(kind) == "string" and require("netlink.kinds").data[kind]
  for key, want in pairs(f) do
    local short = type(key) == "string" and data and (key:match("^" .. kind .. "_(.+)$") or kind == "bridge" and key:match("^br_(.+)$"))
    local k = short and data:has(short) and short or data and type(key) == "string" and data:has(key) and key
    if k and not netlink.rtnl.link:has(key) then
      f[key] = nil
      add(expect(function(m) return m:get("linkinfo", "data", k) end, want))
    end
  end
  return single
end

function WORDS.addr(f, ctx, body, add)
  local dev = first(f, "dev", "index", "ifindex", "ifname")
  if dev ~= nil and type(dev) ~= "function" and type(dev) ~= "table" then
    body.index = interface(ctx, dev)
    add(expect(field("index"), body.index), true)
  elseif dev ~= nil then
    add(expect(field("index"), dev, function(w) return interface(ctx, w) end))
  end
  local own = first(f, "local", "address", "addr")
  if own ~= nil then
    add(prefix(function(m) return m:get_attr("IFA_LOCAL") or m:get_attr("IFA_ADDRESS") end, "prefixlen", true)(own))
    if f.family == nil and type(own) == "string" then body.family = own:find(":", 1, true) and 10 or 2 end
  end
  local peer = first(f, "peer")
  if peer ~= nil then add(prefix(attr("IFA_ADDRESS"), "prefixlen", true)(peer)) end
  if f.family ~= nil then
    local family = first(f, "family")
    local done = type(family) ~= "table" and type(family) ~= "function"
    if done then body.family = V.family(family) end
    add(word("family", V.family)(family), done)
  end
  if f.scope ~= nil then add(word("scope", V.scope)(first(f, "scope"))) end
  if f.flags ~= nil then add(bits(function(m) return m:get_attr("IFA_FLAGS") or m.flags end, "addr")(first(f, "flags"))) end
  if f.label ~= nil then add(by_name(first(f, "label"), field("label"))) end
  if f.broadcast ~= nil then add(address(field("broadcast"))(first(f, "broadcast"))) end
end

-- Does a route lead over this interface?
local function uses(index)
  return function(m)
    if m.oif == index then return true end
    local hops = m.multipath
    if hops == nil or type(hops) == "string" then return false end
    for _, nh in ipairs(hops) do
      if nh.ifindex == index then return true end
    end
    return false
  end
end

function WORDS.route(f, ctx, body, add)
  local family = first(f, "family")
  local dst = first(f, "dst", "to")
  local via = first(f, "via", "gateway", "gw")
  local src = first(f, "src", "prefsrc")
  for _, text in ipairs{dst or false, via or false, src or false} do
    if family == nil and type(text) == "string" and text:find("^[%x:.]+[/%d]*$") then family = text:find(":", 1, true) and 10 or 2 end
  end
  if family ~= nil then
    local done = type(family) ~= "table" and type(family) ~= "function"
    if done then body.family = V.family(family) end
    add(word("family", V.family)(family), done)
  end
  local t = first(f, "table")
  if t ~= nil and t ~= "all" then
    local get = function(m) return m:get_attr("RTA_TABLE") or m.table end
    if type(t) == "table" or type(t) == "function" then
      add(word(get, V.table)(t))
    else
      local n = V.table(t)
      if n < 256 then body.table = n else body.RTA_TABLE = n end
      add(expect(get, n), true)
    end
  end
  for _, row in ipairs{{"proto", V.proto, "protocol"}, {"type", V.type}, {"scope", V.scope}} do
    local want = first(f, row[1], row[3] or row[1])
    if want ~= nil then
      -- The kernel filters by proto and type; 0 would mean all.
      local done = row[1] ~= "scope" and type(want) ~= "table" and type(want) ~= "function"
      if done then body[row[1]] = row[2](want) end
      add(word(row[1], row[2])(want), done)
    end
  end
  local dev = first(f, "dev", "oif", "ifname", "index")
  if dev ~= nil and type(dev) ~= "function" then
    local index = interface(ctx, dev)
    body.oif = index
    add(uses(index), true)
  elseif dev ~= nil then
    add(expect(field("oif"), dev))
  end
  local iif = first(f, "iif")
  if iif ~= nil then add(expect(field("iif"), iif, function(w) return interface(ctx, w) end)) end
  if dst ~= nil then add(prefix(field("dst"), "dst_len", false)(dst)) end
  if via ~= nil then
    local test = address(field("gateway"))(via)
    local hop = address(function(nh) return nh.gateway end)(via)
    add(function(m)
      if test(m) then return true end
      local hops = m.multipath
      if hops == nil or type(hops) == "string" then return false end
      for _, nh in ipairs(hops) do
        if hop(nh) then return true end
      end
      return false
    end)
  end
  if src ~= nil then add(address(field("prefsrc"))(src)) end
  local from = first(f, "from")
  if from ~= nil then add(prefix(field("src"), "src_len", false)(from)) end
  local metric = first(f, "metric", "priority")
  if metric ~= nil then add(expect(field("priority"), metric)) end
  local id = first(f, "nhid", "nh_id")
  if id ~= nil then add(expect(field("nh_id"), id)) end
  if f.flags ~= nil then add(bits(field("flags"), "route")(first(f, "flags"))) end
end

function WORDS.neigh(f, ctx, body, add)
  local dst = first(f, "dst", "to")
  local family = first(f, "family")
  if family == nil and type(dst) == "string" then family = dst:find(":", 1, true) and 10 or 2 end
  if family ~= nil then
    local done = type(family) ~= "table" and type(family) ~= "function"
    if done then body.family = V.family(family) end
    add(word("family", V.family)(family), done)
  end
  if dst ~= nil then add(address(field("dst"))(dst)) end
  local dev = first(f, "dev", "ifindex", "index", "ifname")
  if dev ~= nil and type(dev) ~= "function" and type(dev) ~= "table" then
    local index = interface(ctx, dev)
    if index ~= 0 then body.NDA_IFINDEX = index end
    add(expect(field("ifindex"), index))
  elseif dev ~= nil then
    add(expect(field("ifindex"), dev, function(w) return interface(ctx, w) end))
  end
  local master = first(f, "master")
  if master ~= nil then
    master = interface(ctx, master)
    body.master = master
    if body.family == 7 then add(expect(field("master"), master)) end -- of others, the kernel knows whose port it is
  end
  local state = first(f, "state", "nud")
  if state ~= nil and state ~= "all" then add(bits(field("state"), "nud", true)(state)) end
  if first(f, "proxy") then body.flags = 8 end
  if f.flags ~= nil then add(bits(field("flags"), "ntf")(first(f, "flags"))) end
  local mac = first(f, "lladdr", "mac")
  if mac ~= nil then add(expect(field("lladdr"), mac, function(w) return type(w) == "string" and w:lower() or w end)) end
  local proto = first(f, "protocol", "proto")
  if proto ~= nil then add(word("protocol", V.proto)(proto)) end
end

function WORDS.rule(f, ctx, body, add)
  local family = first(f, "family")
  if family ~= nil and type(family) ~= "table" and type(family) ~= "function" then
    body.family = V.family(family)
  elseif family ~= nil then
    add(word("family", V.family)(family))
  else
    -- Those of multicast routing are asked for by their family.
    add(function(m) return m.family == 2 or m.family == 10 end)
  end
  for _, row in ipairs{{"src", "from"}, {"dst", "to"}} do
    local want = first(f, row[1], row[2])
    if want ~= nil then add(prefix(field(row[1]), row[1] .. "_len", true)(want)) end
  end
  local t = first(f, "table", "lookup")
  if t ~= nil then add(word(function(m) return m:get_attr("FRA_TABLE") or m.table end, V.table)(t)) end
  local prio = first(f, "priority", "pref", "preference")
  if prio ~= nil then add(expect(function(m) return m.priority or 0 end, prio)) end
  if f.action ~= nil then add(word("action", V.action)(first(f, "action"))) end
  local iif, oif = first(f, "iif", "iifname"), first(f, "oif", "oifname")
  if iif ~= nil then add(expect(field("iifname"), iif)) end
  if oif ~= nil then add(expect(field("oifname"), oif)) end
  local proto = first(f, "protocol", "proto")
  if proto ~= nil then add(word("protocol", V.proto)(proto)) end
  local mark = first(f, "fwmark", "mark")
  if mark ~= nil then add(expect(field("fwmark"), mark, num)) end
end

function WORDS.nexthop(f, ctx, body, add)
  local id = first(f, "id", "nhid")
  local single = type(id) == "number" and {id = id} or nil
  if id ~= nil then add(expect(field("id"), id)) end
  local dev = first(f, "dev", "oif")
  if dev ~= nil then
    body.oif = interface(ctx, dev)
    add(expect(field("oif"), body.oif))
  end
  local via = first(f, "via", "gateway")
  if via ~= nil then add(address(field("gateway"))(via)) end
  if first(f, "groups") then body.groups = true end
  local proto = first(f, "protocol", "proto")
  if proto ~= nil then add(word("protocol", V.proto)(proto)) end
  return single
end

local function traffic(f, ctx, body, add)
  local dev = first(f, "dev", "ifindex", "index", "ifname")
  if dev ~= nil then
    body.index = interface(ctx, dev)
    add(expect(field("index"), body.index))
  end
  local parent, handle = first(f, "parent"), first(f, "handle", "classid")
  if parent ~= nil then
    local n = V.handle(parent)
    add(expect(field("parent"), n))
    return n, handle
  end
  if handle ~= nil then add(expect(field("handle"), V.handle(handle))) end
end

function WORDS.qdisc(f, ctx, body, add) traffic(f, ctx, body, add) end
function WORDS.class(f, ctx, body, add)
  local parent = traffic(f, ctx, body, add)
  body.parent = parent
end
function WORDS.filter(f, ctx, body, add)
  local parent = f.parent
  f.parent = nil
  traffic(f, ctx, body, add)
  if parent == "ingress" then parent = 0xfffffff2 elseif parent == "egress" then parent = 0xfffffff3 end
  if parent ~= nil then body.parent = V.handle(parent) end
end

function WORDS.nsid(f, ctx, body, add)
  local id = first(f, "nsid", "id")
  if id ~= nil then add(expect(field("nsid"), id)) end
end

---Compiles a filter for objects of a kind: the body of the dump's request, a test
---for what it gives (nil: all), the test of what the kernel is asked to test
---(nil: nothing), and the body of a request for one object when the filter names
---one.
function F.compile(ctx, o, filter)
  local body, tests = {}, {}
  if filter == nil then filter = {} end
  if type(filter) == "function" then filter = {match = filter} end
  if type(filter) ~= "table" then
    raise("argument", ("a filter is a table such as {ifname=\"lo\"} or a function, got %s"):format(type(filter)))
  end
  local f = {}
  for k, v in pairs(filter) do f[k] = v end
  local match = first(f, "match")
  local done = {} -- tests that the kernel makes, too
  local single = WORDS[o.name](f, ctx, body, function(test, kernel)
    local list = kernel and done or tests
    list[#list + 1] = test
  end)
  local class = netlink.rtnl[o.class]
  for key, want in pairs(f) do
    if type(key) ~= "string" then
      raise("argument", ("a filter of %ss has words, not a list: {ifname=\"lo\"}"):format(o.name))
    end
    if key:find(".", 1, true) then -- "linkinfo.data.id"
      local path = {}
      for part in key:gmatch("[^.]+") do path[#path + 1] = part end
      tests[#tests + 1] = expect(function(m) return m:get(unpack(path)) end, want)
    elseif class:has(key) then
      tests[#tests + 1] = expect(field(key), want)
    else
      raise("argument", ("a %s has no %q to filter by"):format(o.name, key))
    end
  end
  if match ~= nil then tests[#tests + 1] = match end
  local function all(list)
    if #list <= 1 then return list[1] end
    return function(m)
      for i = 1, #list do
        if not list[i](m) then return false end
      end
      return true
    end
  end
  return body, all(tests), all(done), single
end

return F
