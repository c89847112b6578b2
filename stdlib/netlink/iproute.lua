---rtnetlink for people: links, addresses, routes, neighbours, rules, queueing
---disciplines, by the words of ip.
---
---    ip = netlink.route()                          -- or {netns = "blue"}
---    for l in ip:links{kind = "veth"} do print(l) end
---    ip:link("add", {ifname = "v0", kind = "veth", peer = "v1"})
---    ip:link("set", {ifname = "v0", state = "up", master = "br0"})
---    ip:addr("add", {dev = "v0", address = "10.0.0.1/24"})
---    ip:route("add", {dst = "default", via = "10.0.0.254"})
---    ip:wait_link("v0", {operstate = "up"}, 2)
---    for ev in ip:monitor{"link", "route"} do print(ev) end
---
---What is read are messages: l.ifname, r.gateway, tostring(r) as `ip -d` prints
---it, r:show(), r:json(). The words of pyroute2 and those of ip are both
---understood: index and dev, address and local, gateway and via, oif and dev.
local V = require("netlink.vocabulary")
local R = require("netlink.requests")
local F = require("netlink.match")

local Route = {__name = "netlink.Route"}
Route.__index = Route

local REQUEST, ACK, ECHO = 0x1, 0x4, 0x8
local REPLACE, EXCL, CREATE, APPEND = 0x100, 0x200, 0x400, 0x800

-- What is to be had: how it is called, its messages, the field that has its
-- interface, what one of them is in words.
local OBJECTS = {
  link = {new = 16, field = "index", make = R.link, class = "link"},
  addr = {new = 20, field = "index", make = R.addr, class = "addr"},
  route = {new = 24, field = "oif", make = R.route, class = "route"},
  neigh = {new = 28, field = "ifindex", make = R.neigh, class = "neigh"},
  rule = {new = 32, make = R.rule, class = "rule"},
  qdisc = {new = 36, field = "index", make = R.tc, class = "qdisc"},
  class = {new = 40, field = "index", make = R.tc, class = "tclass"},
  filter = {new = 44, field = "index", make = R.tc, class = "filter"},
  nsid = {new = 88, make = R.nsid, class = "nsid"},
  nexthop = {new = 104, field = "oif", make = R.nexthop, class = "nexthop"},
}
for name, o in pairs(OBJECTS) do
  o.name, o.del, o.get, o.usual = name, o.new + 1, o.new + 2, {}
end

-- What verbs mean in message types and flags.
local VERBS = {
  add = {flags = CREATE + EXCL}, set = {flags = 0}, change = {flags = 0}, replace = {flags = CREATE + REPLACE},
  append = {flags = CREATE + APPEND}, prepend = {flags = CREATE}, test = {flags = EXCL},
  del = {del = true}, delete = {del = true, same = "del"}, remove = {del = true, same = "del"}, update = {flags = 0, same = "set"},
}

-- Where the kernel takes another flag for a word than above.
local function flags_of(o, verb)
  if verb == "change" and (o.name == "route" or o.name == "neigh") then return REPLACE end
  if verb == "change" and o.name == "addr" then return CREATE + REPLACE end
  if verb == "set" and (o.name == "neigh" or o.name == "addr" or o.name == "route") then return CREATE + REPLACE end
  if verb == "replace" and (o.name == "class" or o.name == "filter") then return CREATE end
  return VERBS[verb].flags
end

--- Errors ------------------------------------------------------------------------

-- The one that a request is about, in a few words.
local function subject(o, spec)
  if type(spec) ~= "table" then return "" end
  local dev = spec.dev or spec.ifname or spec.name or spec.index or spec.ifindex or spec.oif
  if type(dev) == "table" or type(dev) == "userdata" then
    local ok, name = pcall(function() return dev.ifname end)
    dev = ok and name or nil
  end
  local name
  if o.name == "link" then
    name = dev
  elseif o.name == "nsid" or o.name == "nexthop" then
    name = spec.nsid or spec.id
  elseif o.name == "rule" then
    local from, to = spec.src or spec.from, spec.dst or spec.to
    name = spec.priority and "priority " .. tostring(spec.priority) or from and "from " .. tostring(from) or to and "to " .. tostring(to)
  elseif o.name == "qdisc" or o.name == "class" or o.name == "filter" then
    name = spec.kind
  else
    name = spec.address or spec.dst or spec.to or spec["local"] or spec.lladdr
  end
  local text = name ~= nil and type(name) ~= "table" and " " .. tostring(name) or ""
  if dev ~= nil and dev ~= name then text = text .. " on " .. tostring(dev) end
  return text
end

local HINTS = {
  permission = "changes need CAP_NET_ADMIN: run as root, or in a network of your own: pktsh --sandbox, or netlink.route{netns = netns.new()} as root",
}

-- What to do about errnos, by verb and object.
local function advise(o, verb, spec, err)
  if err.kind == "permission" then return HINTS.permission end
  if err.kind == "exists" and verb == "add" then
    return ("it is there already: %q changes it"):format(o.name == "link" and "set" or "replace")
  end
  if o.name == "link" and verb == "add" and err.errno == 95 then
    return ("this kernel makes no links of kind %q; its module may be missing"):format(tostring(spec.kind or spec.type))
  end
  if o.name == "link" and verb == "add" and err.errno == 22 and err.message:find("Required attributes", 1, true) then
    return "what is missing? vxlan: id; vlan: link and id; macvlan: link; geneve: id and remote"
  end
  if o.name == "route" and verb ~= "del" and err.kind == "missing" then return "say where it leads: via= or dev=" end
  if o.name == "route" and verb == "get" then return end
  if o.name == "route" and err.message:find("Invalid prefix", 1, true) then return "the octets behind the prefix must be zero: \"10.9.0.0/16\", not \"10.9.0.1/16\"" end
  if (o.name == "qdisc" or o.name == "class" or o.name == "filter") and err.message:find("kind is unknown", 1, true) then
    return "the kernel has none of this kind; its module may be missing"
  end
  if o.name == "route" and err.errno == 101 then
    return "no interface leads to the gateway: give one an address in its network, or say dev= and onlink=true"
  end
  if o.name == "route" and err.errno == 100 then return "the interface is down: ip:link(\"set\", {ifname=…, state=\"up\"})" end
  if o.name == "route" and err.errno == 3 and verb == "del" then return "every word that is given must fit: ip:routes{…} shows those there are" end
end

-- blame puts before an error of the kernel what was asked for.
local function blame(err, text, hint)
  if type(err) == "table" and rawget(err, "kind") and (err.errno or err.kind ~= "argument" and err.kind ~= "range" and err.kind ~= "cancelled") then
    local message = tostring(err.message):gsub("^netlink%.Socket:%a+ %S+: ", "")
    -- ESRCH and ENOENT are the kernel's words for what is not there.
    if err.errno == 3 or err.errno == 2 then message = message:gsub("^no such process", "there is none"):gsub("^no such file or directory", "there is none") end
    err.message = ("%s: %s"):format(text, message)
    if hint then err.hint = hint end
  end
  error(err, 0)
end

--- The handle ------------------------------------------------------------------------

-- What help(ip) prints.
local HELP = [[
netlink.Route: the kernel's links, addresses, routes … by the words of ip
  ip:links{…}  addrs  routes  neighs  fdb_entries  rules  nexthops  qdiscs  classes  filters  nsids
      go through what there is: for l in ip:links{kind="veth"} do print(l) end; :list() :first() :json() :text()
  ip:link(verb, {…})  addr  route  neigh  fdb  rule  nexthop  tc  nsid
      verbs: add set change replace append del get dump; help(ip.link) and so on have the words
  ip:wait_link(name, {state="up"}, timeout)
  ip:monitor{"link", "route"}  ip:monitor(fn)
  ip:index_of(name)  name_of(index)  flush_addr{…}  flush_routes{…}  flush_neigh{…}  flush_rules{…}
  ip:close()
]]

local recent -- the link of a number, or nil, as it was a moment ago

---@class netlink.RouteOptions
---@field netns? string|Netns   the network namespace (default: where the script is, see netns.run)
---@field timeout? number       seconds that a request may take (default 30)
---@field rcvbuf? integer       octets of the receive buffer of the sockets of monitors
---@field remote? boolean|string[]  the kernel of another machine or container, as of netlink.socket: {"ssh", "host", "pktsh"}
---@field telemetry? string     ADDR:PORT of a statsd server, as of netlink.socket

---Opens the kernel's network configuration. Reading needs no privileges;
---changing needs CAP_NET_ADMIN, which pktsh --sandbox gives in a network of your
---own.
---@param opts? netlink.RouteOptions
---@return table    with the methods of Route
---@error missing     there is no namespace of this name
---@error permission  the namespace may not be entered
---@error realtime    the kernel is not on the virtual clock
function netlink.route(opts)
  opts = opts or {}
  for k in pairs(opts) do
    if k ~= "netns" and k ~= "timeout" and k ~= "rcvbuf" and k ~= "remote" and k ~= "telemetry" then
      raise("argument", ("netlink.route: there is no option %q; there are netns, timeout, rcvbuf, remote and telemetry"):format(tostring(k)))
    end
  end
  local self = setmetatable({opts = opts, open = {}, __help = HELP}, Route)
  self.origin = {}
  function self.origin.name_of(_, index)
    local l = recent(self, index)
    return l and l.ifname
  end
  function self.origin.flags_of(_, index)
    local l = recent(self, index)
    return l and V.mask("link", l.flags)
  end
  self.s = netlink.socket{family = "route", netns = opts.netns, strict = true, ext_ack = true, origin = self.origin,
    remote = opts.remote, telemetry = opts.telemetry}
  return self
end

function Route.__tostring(self)
  return "netlink.Route" .. (self.opts.netns and " in " .. tostring(self.opts.netns) or "") .. (self.s == nil and " (closed)" or "")
end

local function socket(self)
  return rawget(self, "s") or raise("closed", "the handle of netlink.route() is closed")
end

---Closes the handle and the monitors that were made from it.
function Route:close()
  for m in pairs(self.open) do m:close() end
  if rawget(self, "s") then
    self.s:close()
    self.s = nil
  end
end

-- request sends one message and returns the answers of this type.
local function request(self, msg, type, flags)
  return socket(self):request(msg, type, REQUEST + flags, {timeout = self.opts.timeout})
end

local SKIP_STATS = 8 -- RTEXT_FILTER_SKIP_STATS: half of a link's octets are counters

local function by_index(self, index)
  if rawget(self, "s") == nil then return nil end
  local ok, found = pcall(request, self, {index = index, ext_mask = SKIP_STATS}, 18, 0)
  return ok and found[1] or nil
end

-- What is printed one after another names the same few interfaces: who was asked
-- for 5 ms ago is not asked for again, unless something was changed from here.
recent = function(self, index)
  local now = clock.now()
  local seen = self.seen
  if not seen or now - seen.time > 0.005 then
    seen = {time = now, links = {}}
    self.seen = seen
  end
  local l = seen.links[index]
  if l == nil then
    l = by_index(self, index) or false
    seen.links[index] = l
  end
  return l
end

---The name of an interface, nil when there is none of this number.
---@param index integer
---@return string?
function Route:name_of(index)
  local l = by_index(self, index)
  return l and l.ifname
end

---The number of an interface by its name or an alternative name.
---@param name string
---@return integer
---@error missing  there is no interface of this name
function Route:index_of(name)
  if type(name) == "number" then return name end
  local msg = {ext_mask = SKIP_STATS}
  msg[#name > 15 and "ALT_IFNAME" or "ifname"] = name
  local ok, found = pcall(request, self, msg, 18, 0)
  if ok and found[1] then return found[1].index end
  if not ok and found.kind ~= "missing" and found.kind ~= "range" then error(found, 0) end
  raise("missing", ("there is no interface named %q"):format(name), "ip:links() goes through those there are; they belong to a network namespace")
end

-- A ctx is one call: interfaces that it names are asked for once.
local function context(self, o, verb)
  local names, kept = rawget(self, "names") or {}, {} -- of a batch: asked for once in all
  return {
    verb = verb, index_field = o.field,
    index = function(_, name)
      if not names[name] then names[name] = self:index_of(name) end
      return names[name]
    end,
    keep = function(_, ns) kept[#kept + 1] = ns end, -- a namespace that was opened for this call
    done = function()
      for _, ns in ipairs(kept) do ns:close() end
    end,
  }
end

--- Going through objects --------------------------------------------------------------

-- Objects are what ip:links{} returns: calling them gives the next message, so
-- that a for loop takes them as they are.
local Objects = {}

---All that are left, as a table. When the kernel's table changed while it was
---told, so that something may be missing or there twice, it is told again, up to
---three times.
---@return table
function Objects:list()
  local mt, out = getmetatable(self), nil
  local fresh = mt.start
  for _ = 1, 3 do
    local n = 0
    out = {}
    for m in self do
      n = n + 1
      out[n] = m
    end
    if not fresh or not self:interrupted() then break end
    mt.rewind()
  end
  return out
end

---The next one, or nil.
---@return any
function Objects:first() return self() end

---How many are left.
---@return integer
function Objects:count()
  local n = 0
  for _ in self do n = n + 1 end
  return n
end

---All that are left as plain tables.
---@return table
function Objects:tables()
  local out = {}
  for m in self do out[#out + 1] = m:totable() end
  return out
end

---All that are left as one JSON array, for other programs.
---@return string
function Objects:json()
  local out = {}
  for m in self do out[#out + 1] = m:json{plain = true} end
  return "[" .. table.concat(out, ",\n") .. "]"
end

---All that are left, each as ip prints it.
---@return string
function Objects:text()
  local out = {}
  for m in self do out[#out + 1] = tostring(m) end
  return table.concat(out, "\n")
end

local function nothing() return nil end

---Whether the kernel's table changed while it was told, so that something may be
---missing or there twice.
---@return boolean
function Objects:interrupted()
  local state = getmetatable(self).state
  return state ~= nil and state.interrupted or false
end

-- dump makes objects of a function that starts: it returns an iterator, its first
-- result, and the state of the dump. It is called at the first step.
local function dump(start)
  local mt = {__name = "netlink.Objects", __index = Objects}
  function mt.rewind()
    mt.start = true
    mt.__call = function()
      mt.start = nil
      local step, m
      step, m, mt.state = start()
      mt.__call = m == nil and nothing or step -- from here on a loop calls it without a detour
      return m
    end
  end
  -- Printing objects asks for them, and leaves these where they are.
  function mt.__tostring()
    if not mt.start then return "netlink.Objects, some of which are read" end
    return dump(start):text()
  end
  mt.rewind()
  return setmetatable({}, mt)
end

local FILTERED = 0x20 -- NLM_F_DUMP_FILTERED

-- find goes through objects of a kind that fit a filter.
local function find(self, o, filter)
  local ctx = context(self, o, "dump")
  local body, test, kernel, single = F.compile(ctx, o, filter)
  local function both(m) return (not test or test(m)) and (not kernel or kernel(m)) end
  return dump(function()
    local s = socket(self)
    if single then -- one of them, by its name: the kernel finds it
      local ok, found = pcall(request, self, single, o.get, 0)
      if not ok then
        if type(found) == "table" and (found.kind == "missing" or found.kind == "range") then return nothing end
        blame(found, o.name)
      end
      for _, m in ipairs(found) do
        if m.header.type == o.new and both(m) then return nothing, m end
      end
      return nothing
    end
    local ok, step, state = pcall(s.dump, s, body, o.get)
    if not ok then blame(step, o.name) end
    local m
    ok, m = pcall(step)
    if not ok then
      -- A table of routes that nobody has written to is not there: no routes.
      if type(m) == "table" and m.kind == "missing" then return nothing end
      blame(m, o.name)
    end
    if m == nil then return nothing, nil, state end
    local check = test
    if kernel and not (bit.band(m.header.flags, FILTERED) ~= 0 and kernel(m)) then check = both end
    if not check then return step, m, state end
    local function next_one()
      for x in step do
        if check(x) then return x end
      end
    end
    if check(m) then return next_one, m, state end
    return next_one, next_one(), state
  end)
end

---Goes through the links: `for l in ip:links() do print(l) end`. The result is
---called for the next one; :list() is a table of them, :json() their JSON,
---:first() the first, :count() their number.
---
---A filter has fields and attributes with the value they must have, or a list of
---values, or a function of the value; the words of ip:link are understood, and
---names of interfaces may have * in them. A function as the filter is asked for
---each. What the kernel can filter (one link, master, kind) it filters.
---@param filter? table|function   {ifname=, kind=, master=, state="up", operstate=, …}
---@return table
function Route:links(filter) return find(self, OBJECTS.link, filter) end

---Goes through the addresses.
---@param filter? table|function   {dev=, family="inet", address="10.0.0.1", scope=, label=, …}
---@return table
function Route:addrs(filter) return find(self, OBJECTS.addr, filter) end

---Goes through the routes of all tables and families. The kernel itself filters
---by table, dev, family, proto and type.
---@param filter? table|function   {table="main", dev=, family="inet6", proto="static", type=, dst="default", via=, …}
---@return table
function Route:routes(filter) return find(self, OBJECTS.route, filter) end

---Goes through the neighbours, those that have not answered, too.
---@param filter? table|function   {dev=, dst=, state="reachable", lladdr=, family=, proxy=true, …}
---@return table
function Route:neighs(filter) return find(self, OBJECTS.neigh, filter) end

---Goes through the forwarding tables of bridges and VXLANs.
---@param filter? table|function   {dev=, lladdr=, vlan=, master="br0", …}
---@return table
function Route:fdb_entries(filter)
  if type(filter) == "function" then filter = {match = filter} end
  local f = {family = 7}
  for k, v in pairs(filter or {}) do f[k] = v end
  return find(self, OBJECTS.neigh, f)
end

---Goes through the rules that choose a routing table.
---@param filter? table|function   {family=, priority=, table=, src=, …}
---@return table
function Route:rules(filter) return find(self, OBJECTS.rule, filter) end

---Goes through the next hops that routes share.
---@param filter? table|function   {id=, dev=, …}
---@return table
function Route:nexthops(filter) return find(self, OBJECTS.nexthop, filter) end

---Goes through the queueing disciplines.
---@param filter? table|function   {dev=, kind=, handle=, parent=, …}
---@return table
function Route:qdiscs(filter) return find(self, OBJECTS.qdisc, filter) end

-- Classes and filters are told by the interface.
local function of_devices(self, o, filter)
  if type(filter) == "function" then filter = {match = filter} end
  filter = filter or {}
  if filter.dev or filter.index or filter.ifindex or filter.ifname then return find(self, o, filter) end
  return dump(function()
    local devices, inner = self:links():list(), nil
    local i = 0
    local function next_one()
      while true do
        if inner then
          local m = inner()
          if m then return m end
        end
        i = i + 1
        if not devices[i] then return nil end
        local f = {dev = devices[i].index}
        for k, v in pairs(filter) do f[k] = v end
        inner = find(self, o, f)
      end
    end
    return next_one, next_one()
  end)
end

---Goes through the classes of queueing disciplines, of all links or one.
---@param filter? table|function   {dev=, kind=, parent=, …}
---@return table
function Route:classes(filter) return of_devices(self, OBJECTS.class, filter) end

---Goes through the filters of queueing disciplines, of all links or one, at the
---root unless a parent is given.
---@param filter? table|function   {dev=, parent="1:", kind=, …}
---@return table
function Route:filters(filter) return of_devices(self, OBJECTS.filter, filter) end

---Goes through the numbers that network namespaces have in this one.
---@param filter? table|function
---@return table
function Route:nsids(filter) return find(self, OBJECTS.nsid, filter) end

---A table of all that an iterator gives.
---@param iterator any   such as ip:links() or s:messages()
---@return table
function netlink.collect(iterator, state, control)
  local out = {}
  for m in iterator, state, control do out[#out + 1] = m end
  return out
end

--- Verbs ------------------------------------------------------------------------------

local function known(verb, o)
  local words = {"add", "set", "change", "replace", "del", "get", "dump"}
  if o.name == "route" or o.name == "neigh" then words[#words + 1] = "append" end
  raise("argument", ("%s: %s there are %s"):format(o.name, verb == nil and "what to do?" or ("there is no verb %q;"):format(tostring(verb)), table.concat(words, ", ")))
end

-- Objects that the kernel does not hand out one by one: the first that fits.
local SEARCHED = {addr = true, rule = true, class = true, filter = true, qdisc = true}

-- usual is how a verb of an object is done when it is said in the usual words:
-- the wording, the message's type, the flags alone and in a batch; false: there is
-- no such way.
local function usual(o, verb)
  local u = o.usual[verb]
  if u ~= nil then return u end
  local v = verb == "get" and {get = true} or VERBS[verb]
  if not v then return false end
  local same = v.same or verb
  local w = not (v.get and SEARCHED[o.name]) and R.usual(o.name, same)
  u = false
  if w then
    local flags = not (v.get or v.del) and flags_of(o, same) or 0
    u = {of = o, wording = w, verb = same, what = v, type = v.get and o.get or v.del and o.del or o.new,
      flags = v.get and 0 or v.del and ACK or ACK + ECHO + flags, batched = not v.get and REQUEST + flags}
  end
  o.usual[verb] = u
  return u
end

-- worded asks for the interfaces that a spec names and that are not known yet; nil
-- when there is none of a name, which is told elsewhere.
local function worded(self, wording, spec, names, missing)
  local octets
  while missing do
    local ok, index = pcall(self.index_of, self, missing)
    if not ok then return nil end
    names[missing] = index
    octets, missing = wording:octets(spec, names)
  end
  return octets
end

-- conclude makes of what the kernel answered what the caller gets.
local function conclude(self, o, v, verb, spec, ok, result)
  if not ok and type(result) == "table" and result.kind == "missing" and not result.errno and tostring(result.message):find(": no such [fa]") then
    -- A word that the message class does not know is a wrong argument.
    raise("argument", ("%s %s%s: %s"):format(o.name, verb, subject(o, spec), result.message))
  end
  if not ok then
    blame(result, ("%s %s%s"):format(o.name, verb, subject(o, spec)), type(result) == "table" and advise(o, verb, spec, result) or nil)
  end
  if not v.del then
    -- Of a pair the kernel tells both ends.
    local found
    for _, m in ipairs(result) do
      if m.header.type == o.new and (not found or o.name ~= "link" or m.ifname == (spec.ifname or spec.name) or spec.ifname == nil and spec.name == nil) then found = m end
    end
    if found then return found end
  end
  if v.get then raise("missing", ("%s get%s: the kernel told none"):format(o.name, subject(o, spec))) end
  -- Before Linux 6.2 the kernel does not tell a link that it has made.
  if o.name == "link" and verb == "add" and not rawget(self, "sink") and spec.netns == nil and (spec.ifname or spec.name) then
    local made = find(self, o, {ifname = spec.ifname or spec.name}):first()
    return made
  end
end

local function act(self, o, verb, spec, extra)
  if extra == nil and type(spec) == "table" then
    local u = usual(o, verb)
    if u then
      local wording, names = u.wording, rawget(self, "names") or {}
      local octets, missing = wording:octets(spec, names)
      if missing then octets = worded(self, wording, spec, names, missing) end
      if octets then
        local sink = u.batched and rawget(self, "sink")
        if sink then
          local place = sink:put(octets, u.type, u.batched)
          self.said[place], self.done[place] = spec, u
          return
        end
        self.seen = nil
        return conclude(self, o, u.what, u.verb, spec, pcall(request, self, octets, u.type, u.flags))
      end
    end
  end
  if verb == "dump" or verb == "show" or verb == "list" then return find(self, o, spec):list() end
  if type(spec) == "userdata" and verb == "del" and o.name ~= "link" and not rawget(self, "sink") then
    -- What the kernel has told is the best description of what is to go.
    local ok, err = pcall(request, self, spec, o.del, ACK)
    if not ok then blame(err, ("%s del: %s"):format(o.name, tostring(spec)), advise(o, verb, {}, err)) end
    return
  end
  if type(spec) == "userdata" then
    local ok, plain = pcall(function() return spec:totable() end)
    if ok then spec = plain end
  end
  if spec ~= nil and type(spec) ~= "table" then
    raise("argument", ("%s %s: want a table of words, such as {ifname=\"v0\"}, or a message, got %s"):format(o.name, tostring(verb), type(spec)))
  end
  spec = spec or {}
  if verb == "get" and SEARCHED[o.name] then
    local m = find(self, o, spec):first()
    return m or raise("missing", ("%s get%s: there is none that fits"):format(o.name, subject(o, spec)))
  end
  local v = verb == "get" and {get = true} or VERBS[verb] or known(verb, o)
  verb = v.same or verb
  self.seen = nil
  local ctx = context(self, o, verb)
  local ok, result = pcall(function()
    local msg = o.make(ctx, verb, spec, extra)
    local sink = rawget(self, "sink")
    if sink and not v.get then
      local place = sink:put(msg, v.del and o.del or o.new, REQUEST + (v.del and 0 or flags_of(o, verb)))
      self.said[place], self.done[place] = spec, {of = o, verb = verb}
      return {}
    end
    if v.get then return request(self, msg, o.get, 0) end
    if v.del then return request(self, msg, o.del, ACK) end
    return request(self, msg, o.new, ACK + ECHO + flags_of(o, verb))
  end)
  ctx.done()
  return conclude(self, o, v, verb, spec, ok, result)
end

---Does something with a link.
---
---    ip:link("add", {ifname = "v0", kind = "veth", peer = {ifname = "v1", netns = ns}})
---    ip:link("add", {ifname = "v0.5", kind = "vlan", link = "v0", id = 5})
---    ip:link("set", {ifname = "v0", state = "up", mtu = 9000, master = "br0"})
---    ip:link("set", {dev = "v0", ifname = "uplink"})       -- a new name
---    ip:link("set", {ifname = "v1", netns = "blue"})       -- another namespace
---    ip:link("set", {ifname = "v0", kind = "bridge_slave", cost = 5})
---    ip:link("get", {ifname = "v0"}).mtu
---    ip:link("del", {ifname = "v0"})
---
---Words: ifname or index says which; kind and what that kind has (vlan: id;
---vxlan: id, remote, dstport; bridge: stp_state, vlan_filtering; macvlan: mode …,
---also as vlan_id, br_stp_state …); state, mtu, address, master, link, netns,
---alias, altname, group, arp, promisc, multicast, allmulticast, txqlen,
---addrgenmode, and every attribute of the message. A message that was read will do
---in place of a table, for this and its siblings: ip:link("del", l).
---@param verb string   add, set, replace, del, get, dump
---@param spec table|Message
---@return any          the link for add, set, replace and get; a list for dump
---@error permission  the process lacks CAP_NET_ADMIN
---@error exists      there is one of this name already
---@error missing     there is no such link
---@error unsupported the kernel does not have this kind
function Route:link(verb, spec)
  if verb == "property_add" or verb == "property_del" then -- alternative names
    local o = OBJECTS.link
    local ctx = context(self, o, "set")
    local msg = R.link(ctx, "set", spec)
    local ok, err = pcall(request, self, msg, verb == "property_add" and 108 or 109, ACK + (verb == "property_add" and CREATE + EXCL + APPEND or 0))
    if not ok then blame(err, ("link %s%s"):format(verb, subject(o, spec)), advise(o, "set", spec, err)) end
    return
  end
  if verb == "exists" then return find(self, OBJECTS.link, spec):first() ~= nil end
  return act(self, OBJECTS.link, verb, spec)
end

---Does something with an address.
---
---    ip:addr("add", {dev = "v0", address = "10.0.0.1/24", broadcast = true})
---    ip:addr("add", {dev = "v0", address = "2001:db8::1/64", nodad = true})
---    ip:addr("add", {dev = "p0", address = "10.0.0.1", peer = "10.9.0.1"})
---    ip:addr("del", {dev = "v0", address = "10.0.0.1/24"})
---
---Words: dev or index, address with its prefix length (or prefixlen, mask),
---local, peer, broadcast (true: computed), label, scope, valid_lft,
---preferred_lft, metric, and the flags nodad, noprefixroute, mngtmpaddr,
---autojoin, home.
---@param verb string   add, replace, del, get, dump
---@param spec table|Message
---@return any
---@error permission  the process lacks CAP_NET_ADMIN
---@error exists      the interface has it already
---@error missing     there is no such interface
function Route:addr(verb, spec) return act(self, OBJECTS.addr, verb, spec) end

---Does something with a route.
---
---    ip:route("add", {dst = "10.1.0.0/16", via = "10.0.0.2", metric = 50, mtu = 1400})
---    ip:route("add", {dst = "default", dev = "v0", table = 100})
---    ip:route("add", {blackhole = "10.66.0.0/16"})
---    ip:route("replace", {dst = "10.2.0.0/16", nexthops = {{via = "10.0.0.2"}, {via = "10.0.0.3", weight = 3}}})
---    ip:route("add", {dst = "2001:db8:3::/48", dev = "v0", encap = {type = "seg6", segs = {"2001:db8::7"}}})
---    ip:route("get", {dst = "8.8.8.8"}).oif
---    ip:route("del", {dst = "default"})
---
---Words: dst, via or gateway (of another family, too), dev or oif, src, from,
---table, metric or priority, proto (default "static"), scope, type, tos,
---nexthops, nhid, encap, onlink, pref, expires, mark, and the metrics mtu,
---advmss, window, rtt, initcwnd, hoplimit … with lock = {"mtu"}.
---@param verb string   add, replace, change, append, prepend, del, get, dump
---@param spec table|Message
---@return any
---@error permission  the process lacks CAP_NET_ADMIN
---@error exists      there is such a route already
---@error missing     there is no such interface
function Route:route(verb, spec) return act(self, OBJECTS.route, verb, spec) end

---Does something with a neighbour.
---
---    ip:neigh("add", {dst = "10.0.0.7", lladdr = "02:00:00:00:00:07", dev = "v0"})
---    ip:neigh("set", {dst = "10.0.0.7", dev = "v0", state = "stale", lladdr = "02:00:00:00:00:07"})
---    ip:neigh("add", {proxy = "10.0.0.77", dev = "v0"})
---@param verb string   add, set, replace, change, append, del, get, dump
---@param spec table|Message    dst, dev or ifindex, lladdr, state (default "permanent"), router, proxy, extern_learn, protocol
---@return any
---@error permission  the process lacks CAP_NET_ADMIN
---@error exists      there is one already
---@error missing     there is none
function Route:neigh(verb, spec) return act(self, OBJECTS.neigh, verb, spec) end

---Does something with an entry of a bridge's or a VXLAN's forwarding table.
---
---    ip:fdb("add", {lladdr = "02:00:00:00:00:07", dev = "v1"})
---    ip:fdb("append", {lladdr = "00:00:00:00:00:00", dev = "vx0", dst = "10.0.0.9", self = true})
---@param verb string   add, replace, append, del, dump
---@param spec table|Message    lladdr, dev, vlan, dst, port, vni, self, master, state
---@return any
---@error permission  the process lacks CAP_NET_ADMIN
function Route:fdb(verb, spec)
  if verb == "dump" then return self:fdb_entries(spec):list() end
  return act(self, OBJECTS.neigh, verb, spec, true)
end

---Does something with a rule.
---
---    ip:rule("add", {from = "10.1.0.0/16", table = 100, priority = 50})
---    ip:rule("add", {fwmark = "0x10/0xff", iif = "v0", unreachable = true})
---    ip:rule("del", {priority = 50})
---
---Words: from or src, to or dst, iif, oif, fwmark, tos, ipproto, sport, dport,
---uidrange, table, priority, goto, blackhole, unreachable, prohibit, nop,
---suppress_prefixlength, l3mdev, ["not"].
---@param verb string   add, del, get, dump
---@param spec table|Message
---@return any
---@error permission  the process lacks CAP_NET_ADMIN
---@error exists      there is such a rule already
---@error missing     there is none
function Route:rule(verb, spec) return act(self, OBJECTS.rule, verb, spec) end

---Does something with a next hop that routes share by its number.
---
---    ip:nexthop("add", {id = 1, via = "10.0.0.2", dev = "v0"})
---    ip:nexthop("add", {id = 10, group = {1, {2, weight = 3}}})
---    ip:route("add", {dst = "10.9.0.0/16", nhid = 10})
---@param verb string   add, replace, del, get, dump
---@param spec table|Message    id, via, dev, group, blackhole, encap, fdb, onlink
---@return any
---@error permission  the process lacks CAP_NET_ADMIN
function Route:nexthop(verb, spec) return act(self, OBJECTS.nexthop, verb, spec) end

---Gives a network namespace a number in this one, or tells it.
---
---    ip:nsid("add", {netns = ns})             -- the kernel picks one
---    ip:nsid("get", {netns = ns}).nsid
---@param verb string   add, get, dump
---@param spec table|Message    netns (Netns, name, process), nsid
---@return any
---@error permission  the process lacks CAP_NET_ADMIN
---@error exists      it has one already
function Route:nsid(verb, spec) return act(self, OBJECTS.nsid, verb, spec) end

-- Verbs of tc name what they are for: "add" is a queueing discipline,
-- "add-class" or "add_class" a class, "add-filter" a filter.
local function traffic(verb)
  local v, what = tostring(verb):match("^(%a+)[-_](%a+)$")
  if v and (what == "class" or what == "filter" or what == "qdisc") then return v, what end
  return verb, "qdisc"
end

---Does something with a queueing discipline, a class or a filter.
---
---    ip:tc("add", {dev = "v0", kind = "tbf", rate = "1mbit", burst = "10k", latency = "50ms"})
---    ip:tc("add", {dev = "v0", kind = "htb", handle = "1:", default = "10"})
---    ip:tc("add-class", {dev = "v0", kind = "htb", parent = "1:", classid = "1:10", rate = "1mbit"})
---    ip:tc("add-filter", {dev = "v0", kind = "u32", parent = "1:", protocol = "ip", dst = "10.9.0.0/16", flowid = "1:10"})
---    ip:tc("add-filter", {dev = "v0", kind = "u32", parent = "ingress", redirect = "v1"})
---    ip:tc("del", {dev = "v0", parent = "root"})
---
---Rates are octets a second, or "10mbit"; times seconds, or "50ms"; sizes octets,
---or "10k". Of tbf, htb, netem, fq_codel, codel, pfifo and bfifo the words of tc
---are understood; of other kinds, options are attributes. A filter of u32 matches
---src, dst, ipproto, sport, dport and keys; what a filter does is flowid, redirect,
---mirror or action.
---@param verb string   add, change, replace, del, get, dump, each also with -class or -filter
---@param spec table|Message
---@return any
---@error permission  the process lacks CAP_NET_ADMIN
function Route:tc(verb, spec)
  local v, what = traffic(verb)
  local o = OBJECTS[what]
  if v == "dump" then return (what == "qdisc" and self.qdiscs or what == "class" and self.classes or self.filters)(self, spec):list() end
  if type(spec) ~= "table" then raise("argument", "tc: want a table such as {dev=\"eth0\", kind=\"tbf\"}") end
  return act(self, o, v, spec, what)
end

--- Waiting and watching -----------------------------------------------------------------

-- Multicast groups by what people watch, linux/rtnetlink.h RTNLGRP_*.
local GROUPS = {
  link = {1}, addr = {5, 9}, route = {7, 11, 27}, neigh = {3}, rule = {8, 19}, tc = {4}, nsid = {28}, nexthop = {32},
  netconf = {24, 25, 29}, prefix = {18}, mroute = {6, 10}, mdb = {26}, nduseropt = {20}, stats = {36},
}
local ALIASES = {links = "link", address = "addr", addrs = "addr", addresses = "addr", routes = "route", neighbour = "neigh", neighbor = "neigh", neighs = "neigh",
  rules = "rule", qdisc = "tc", class = "tc", filter = "tc", nexthops = "nexthop", netns = "nsid"}
-- What `ip monitor` watches when nobody says what.
local USUAL = {"link", "addr", "route", "neigh", "rule", "nsid", "nexthop", "netconf", "prefix"}

local function groups(what)
  local list, numbers = {}, {}
  if type(what) == "string" then what = {what} end
  if what == nil or #what == 0 then what = USUAL end
  for _, word in ipairs(what) do
    word = ALIASES[word] or word
    if word == "all" then
      for _, w in ipairs(USUAL) do list[#list + 1] = w end
    elseif GROUPS[word] then
      list[#list + 1] = word
    else
      local words = {}
      for w in pairs(GROUPS) do words[#words + 1] = w end
      table.sort(words)
      raise("argument", ("monitor: there is nothing named %q to watch; want of %s"):format(tostring(word), table.concat(words, ", ")))
    end
  end
  for _, word in ipairs(list) do
    for _, n in ipairs(GROUPS[word]) do numbers[#numbers + 1] = n end
  end
  return numbers, list
end

local Monitor = {__name = "netlink.Monitor"}
Monitor.__index = Monitor
function Monitor.__tostring(m) return ("netlink.Monitor of %s"):format(table.concat(m.watches, ", ")) end

-- Names of interfaces as events have told them: what is deleted has no name any
-- more when its last events are printed.
local function names(ip, label)
  local known, flags = {}, {}
  local o = {events = true, label = label}
  function o:learn(m)
    local e = m.event
    if (e == "RTM_NEWLINK" or e == "RTM_DELLINK") and m.family ~= 7 then
      if m.ifname then known[m.index] = m.ifname end
      flags[m.index] = V.mask("link", m.flags)
    end
  end
  function o:name_of(index)
    if not known[index] then known[index] = ip:name_of(index) end
    return known[index]
  end
  function o:flags_of(index)
    if not flags[index] then flags[index] = ip.origin:flags_of(index) end
    return flags[index]
  end
  return o
end

local function listen(self, what, label)
  local numbers, list = groups(what)
  local resync = type(what) == "table" and what.resync or nil
  local origin = names(self, label and #list > 1)
  local s = socket(self):clone{origin = origin, rcvbuf = self.opts.rcvbuf}
  local ok, err = pcall(s.bind, s, {groups = numbers, async_cache = true, resync = resync})
  if not ok then
    s:close()
    error(err, 0)
  end
  local m = setmetatable({s = s, ip = self, origin = origin, watches = list, ended = queue()}, Monitor)
  self.open[m] = true
  return m
end

---Stops the monitor; who waits in it goes on.
function Monitor:close()
  if not self.s then return end
  self.ip.open[self] = nil
  local s = self.s
  self.s = nil
  s:close(0)
  self.ended:put(true)
end
Monitor.cancel, Monitor.stop = Monitor.close, Monitor.close

---The next event, nil when none came in time or the monitor was closed.
---@param timeout? number   seconds (default: for ever)
---@return any
function Monitor:read(timeout)
  local s = self.s
  if not s then return nil end
  local m = self.pending and table.remove(self.pending, 1)
  if not m then
    local ok, got = pcall(s.get, s, {timeout = timeout})
    if not ok then
      if type(got) == "table" and (got.kind == "timeout" or got.kind == "closed" and not self.s) then return nil end
      error(got, 0)
    end
    m = table.remove(got, 1)
    if #got > 0 then self.pending = got end
    if not m then return nil end
  end
  self.origin:learn(m)
  return m
end

---Waits until the monitor is closed: for a script that has nothing else to do
---than to watch.
---@param timeout? number   seconds (default: for ever)
---@return boolean          false when the time is up
function Monitor:wait(timeout)
  if not self.s then return true end
  local ended = self.ended:get(timeout)
  if ended then self.ended:put(true) end -- for others who wait
  return ended == true
end

-- A monitor is called for its next event, so that for loops take it as it is.
function Monitor.__call(self) return self:read() end

---Watches the kernel's configuration change. With a function, it is called for
---every event while the script or the prompt goes on, until the result is closed;
---without one the result is an iterator of events. A function alone does not keep
---a script from ending; m:wait() does.
---
---    for ev in ip:monitor{"link", "route"} do print(ev) end
---    m = ip:monitor(print)  …  m:close()
---    m = ip:monitor("link", function(ev) print(ev.event, ev.ifname) end)
---
---An event is a message; tostring is what `ip monitor` prints, ev.event says what
---happened ("RTM_NEWLINK", "RTM_DELROUTE"). When there was no room for one, an
---event "overrun" with counts stands in its place; with resync = true among what
---is watched, a dump then finds out what was missed, and the difference follows as
---ordinary events.
---@param what? string|table|function   link, addr, route, neigh, rule, tc, nexthop, nsid, netconf, prefix; default: all but tc
---@param fn? function
---@return table   with read([timeout]), wait([timeout]), close()
function Route:monitor(what, fn)
  if type(what) == "function" then
    what, fn = nil, what
  elseif type(what) == "table" and type(what[#what]) == "function" then
    local list = {resync = what.resync}
    for i = 1, #what - 1 do list[i] = what[i] end
    what, fn = list, what[#what]
  end
  if fn ~= nil and type(fn) ~= "function" then
    raise("argument", ("monitor: want a function to call for every event, got %s"):format(type(fn)), 'things to watch are a list: ip:monitor({"link", "addr"}, print)')
  end
  local m = listen(self, what, true)
  if fn then
    m.s:register_callback(function(ev)
      m.origin:learn(ev)
      fn(ev)
    end)
  end
  return m
end

---Waits until a link is as wanted, and returns it; nil when the time is up.
---
---    ip:wait_link("pk0", {state = "up"}, 2)
---    ip:wait_link("v0", {operstate = "up", master = "br0"})
---    ip:wait_link("v0", "gone", 2)                   -- true when there is none
---
---It listens before it looks, so nothing slips through between.
---@param name string|integer    ifname or index
---@param want? string|table|function  what ip:links takes as a filter; "up", "down"; "gone" (default: that there is one)
---@param timeout? number        seconds (default: for ever)
---@return any
function Route:wait_link(name, want, timeout)
  if type(want) == "number" and timeout == nil then want, timeout = nil, want end
  local gone = want == "gone" or type(want) == "table" and (want.gone or want.exists == false)
  if want == "up" or want == "down" then want = {state = want} end
  if type(want) == "string" and not gone then
    raise("argument", ("wait_link: want \"up\", \"down\", \"gone\" or a table such as {state=\"up\"}, got %q"):format(want))
  end
  local filter = {}
  if type(want) == "function" then
    filter.match = want
  elseif type(want) == "table" then
    for k, v in pairs(want) do
      if k ~= "gone" and k ~= "exists" then filter[k] = v end
    end
  end
  if type(name) == "number" then filter.index = name else filter.ifname = name end
  local m = listen(self, {"link"}, false)
  local ok, result = pcall(function()
    local deadline = timeout and clock.now() + timeout
    while true do
      local l = find(self, OBJECTS.link, filter):first()
      if gone and not l then return true end
      if not gone and l then return l end
      -- Any event of links may be the one: what counts is how the link is now.
      local left = deadline and deadline - clock.now()
      if left and left <= 0 then return nil end
      local ev = m:read(left)
      if not ev then
        socket(self) -- fails if it was the handle that was closed
        return nil
      end
      while m.pending and #m.pending > 0 do table.remove(m.pending) end
    end
  end)
  m:close()
  if not ok then error(result, 0) end
  return result
end

--- Names of pyroute2 ---------------------------------------------------------------------

local function as_list(method)
  return function(self, filter) return method(self, filter):list() end
end

---The numbers of the links that fit, as in pyroute2: ip:link_lookup{ifname="lo"}[1].
---@param filter table
---@return table
function Route:link_lookup(filter)
  local out = {}
  for l in self:links(filter) do out[#out + 1] = l.index end
  return out
end

---The same as ip:links(filter):list(), as in pyroute2; get_addr, get_routes,
---get_neighbours, get_rules, get_qdiscs, get_classes and get_filters likewise. As
---there, numbers stand for the links that have them: ip:get_links(1, 2).
---@param filter? table|integer
---@param ... integer
---@return table
function Route:get_links(filter, ...)
  if type(filter) == "number" then filter = {index = {filter, ...}} end
  return self:links(filter):list()
end
Route.get_addr, Route.get_routes, Route.get_neighbours, Route.get_rules = as_list(Route.addrs), as_list(Route.routes), as_list(Route.neighs), as_list(Route.rules)
Route.get_qdiscs, Route.get_classes, Route.get_filters, Route.get_neighbors = as_list(Route.qdiscs), as_list(Route.classes), as_list(Route.filters), as_list(Route.neighs)
Route.get_netnsid = as_list(Route.nsids)

---The default routes, as in pyroute2.
---@param filter? table
---@return table
function Route:get_default_routes(filter)
  local f = {dst = "default", type = "unicast", table = "main"}
  for k, v in pairs(filter or {}) do f[k] = v end
  return self:routes(f):list()
end

--- Many at once ------------------------------------------------------------------------

local Batch = {__name = "netlink.RouteBatch"}
Batch.__index = setmetatable(Batch, {__index = Route})
function Batch.__len(self) return #self.sink end
function Batch.__tostring(self) return ("netlink.RouteBatch of %d requests"):format(#self.sink) end

---Collects what its methods say (link, addr, route, neigh, rule, nexthop, tc …)
---and sends it with run, many requests for a system call.
---
---    b = ip:batch()
---    for i = 1, 250 do b:route("add", {dst = "10.1." .. i .. ".0/24", via = "10.0.0.2"}) end
---    b:run()
---
---Interfaces that it names are asked for once in all, when they are first named.
---@return table   with the methods of Route, and run([opts])
function Route:batch()
  local s = socket(self)
  return setmetatable({opts = self.opts, open = {}, s = s, origin = self.origin, sink = s:batch(), said = {}, done = {}, names = {}}, Batch)
end

---Sends what was collected, and forgets it. The first request that the kernel
---refused raises when all are done; with {noraise = true} errors stand in the
---result instead.
---@param opts? netlink.RunOptions
---@return table   for each request true, its answers or its error; fields failed, first
---@error permission  the process lacks CAP_NET_ADMIN
---@error exists      one of them is there already
---@error missing     one of them is not there
function Batch:run(opts)
  local said, done = self.said, self.done
  local ok, result = pcall(self.s.run, self.s, self.sink, opts)
  self.sink:reset()
  self.said, self.done, self.names = {}, {}, {}
  if ok then return result end
  local how = type(result) == "table" and done[result.index]
  if not how then error(result, 0) end
  local o, verb, spec = how.of, how.verb, said[result.index]
  blame(result, ("%s %s%s"):format(o.name, verb, subject(o, spec)), advise(o, verb, spec, result))
end

---Forgets what was collected. The handle that the batch is of stays open.
function Batch:close()
  self.sink:reset()
  self.said, self.done = {}, {}
end

-- Thousands of requests in the usual words are what batches are for: they go into
-- the batch without a detour.
for _, name in ipairs{"link", "addr", "route", "neigh"} do
  local ways, other = OBJECTS[name].usual, Route[name]
  Batch[name] = function(self, verb, spec)
    local u = ways[verb]
    if u and u.batched and type(spec) == "table" then
      local place = u.wording:put(self.sink, u.type, u.batched, spec, self.names)
      if place then
        self.said[place], self.done[place] = spec, u
        return
      end
    end
    return other(self, verb, spec)
  end
end

-- How many objects a flush holds at a time.
local FLUSHED = 50000

-- flush deletes what fits; what has gone meanwhile is gone.
local function flush(self, o, filter)
  if filter == nil or type(filter) == "table" and next(filter) == nil then
    raise("argument", ("flush: which %ss? {} is refused, since it would be all"):format(o.name), "give a filter such as {dev=\"v0\"} or {table=100}")
  end
  local deleted, more = 0, true
  while more do
    local list, n = {}, 0
    more = false
    for m in find(self, o, filter) do
      if n == FLUSHED then
        more = true
        break
      end
      n = n + 1
      list[n] = m
    end
    if n == 0 then break end
    local s = socket(self)
    local b = s:batch()
    for i = 1, n do b:put(list[i], o.del, REQUEST) end
    local before = deleted
    for i, result in ipairs(s:run(b, {noraise = true})) do
      if type(result) ~= "table" or rawget(result, "kind") == nil then
        deleted = deleted + 1
      elseif result.kind ~= "missing" then
        blame(result, ("%s flush: %s"):format(o.name, tostring(list[i])), advise(o, "flush", filter, result))
      end
    end
    if deleted == before then break end
  end
  return deleted
end

---Deletes the addresses that fit a filter, and tells how many.
---@param filter table   as for ip:addrs; not empty
---@return integer
---@error permission  the process lacks CAP_NET_ADMIN
function Route:flush_addr(filter) return flush(self, OBJECTS.addr, filter) end
---Deletes the routes that fit a filter, and tells how many.
---@param filter table   as for ip:routes; not empty
---@return integer
---@error permission  the process lacks CAP_NET_ADMIN
function Route:flush_routes(filter) return flush(self, OBJECTS.route, filter) end
---Deletes the neighbours that fit a filter, and tells how many.
---@param filter table   as for ip:neighs; not empty
---@return integer
---@error permission  the process lacks CAP_NET_ADMIN
function Route:flush_neigh(filter) return flush(self, OBJECTS.neigh, filter) end
---Deletes the rules that fit a filter, and tells how many.
---@param filter table   as for ip:rules; not empty
---@return integer
---@error permission  the process lacks CAP_NET_ADMIN
function Route:flush_rules(filter) return flush(self, OBJECTS.rule, filter) end

return netlink.route
