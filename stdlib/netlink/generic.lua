--- Generic netlink: families that the kernel numbers at run time, found by name.

local Commands = require "netlink.commands"

local GENL_ID_CTRL = 0x10
local CTRL_CMD_GETFAMILY, CTRL_CMD_GETPOLICY = 3, 10
local REQUEST, ACK, DUMP = netlink.NLM_F_REQUEST, netlink.NLM_F_ACK, netlink.NLM_F_DUMP

-- Classes of families that this library knows, by the family's name.
local CLASSES = {
  nlctrl = "ctrl", ethtool = "ethtool_message", TASKSTATS = "taskstats_message", wireguard = "wireguard_message",
  nl80211 = "nl80211_message",
}

-- Modules that bring a family, where the name does not say so.
local MODULES = {
  nl80211 = "cfg80211", ["IPVS"] = "ip_vs", ovs_datapath = "openvswitch", ovs_flow = "openvswitch", ovs_vport = "openvswitch",
  ovs_packet = "openvswitch", team = "team", l2tp = "l2tp_netlink", macsec = "macsec", TIPC = "tipc", TIPCv2 = "tipc",
}

--- One family -------------------------------------------------------------------

local Family = {__name = "netlink.Family"}
Family.__index = Family

function Family.__tostring(f)
  local groups = {}
  for name in pairs(f.groups) do groups[#groups + 1] = name end
  table.sort(groups)
  return ("%s id 0x%x version %d ops %d%s"):format(f.name, f.id, f.version, #f.ops,
    #groups > 0 and " groups " .. table.concat(groups, " ") or "")
end

local function describe(m)
  local ops, groups = {}, {}
  for _, op in ipairs(m:get("ops") or {}) do ops[#ops + 1] = {id = op.id, flags = op.flags} end
  for _, group in ipairs(m:get("mcast_groups") or {}) do groups[group.name] = group.id end
  return setmetatable({
    name = m:get("family_name"), id = m:get("family_id"), version = m:get_attr("VERSION") or 1, -- not that of the message
    hdrsize = m:get("hdrsize") or 0, maxattr = m:get("maxattr") or 0, ops = ops, groups = groups,
  }, Family)
end

function Family:_message(cmd, attrs)
  local number = Commands.number(self.name, self.info, cmd)
  if attrs == nil then attrs = {} end
  if type(attrs) ~= "table" then
    raise("argument", ("attributes of %s: want a table, got %s"):format(self.name, type(attrs)))
  end
  local msg = {}
  for k, v in pairs(attrs) do msg[k] = v end
  msg.cmd, msg.version = number, msg.version or self.version
  -- header is every message's own, but a family's attribute of that name is meant.
  local class = self.info.requests and self.info.requests[number]
  if type(msg.header) == "table" and msg.HEADER == nil and class and class():has("HEADER") == "attr" then
    msg.HEADER, msg.header = msg.header, nil
  end
  return msg
end

-- Calls a method of the socket, or what it has returned; errors say what could not
-- be done.
function Family:_try(cmd, fn, ...)
  local ok, result, state = pcall(fn, ...)
  if ok then return result, state end
  if type(result) == "table" and type(result.message) == "string" and result.kind ~= "cancelled" then
    local word = type(cmd) == "string" and cmd:upper() or self.info.names[cmd] or tostring(cmd)
    result.message = ("%s %s: %s"):format(self.name, word, (result.message:gsub("^netlink%.Socket:%w+ [^:]*: ", "")))
  end
  error(result, 0)
end

---Sends a command and returns what the kernel answers.
---@param cmd string|integer   a command of the class by name, or its number
---@param attrs? table         attributes and fields of the message
---@param options? table       flags; timeout, retry, terminate, callback as of Socket:request
---@return Message[]
---@error missing     the kernel knows no such thing
---@error permission  the command takes privileges
function Family:request(cmd, attrs, options)
  local o = options or {}
  return (self:_try(cmd, self.socket.request, self.socket, self:_message(cmd, attrs), self.id, o.flags or REQUEST + ACK, {
    timeout = o.timeout, retry = o.retry, terminate = o.terminate, callback = o.callback,
  }))
end

---Sends a command and returns the first message of the answer, or nil.
---@param cmd string|integer
---@param attrs? table
---@param options? table
---@return Message?
function Family:get(cmd, attrs, options) return self:request(cmd, attrs, options)[1] end

---Walks all that a command has to tell, one message at a time, as Socket:dump
---does: its second result has interrupted = true when the tables changed meanwhile.
---@param cmd string|integer
---@param attrs? table
---@return function
---@return netlink.Dump
---@error missing     the kernel knows no such thing
---@error permission  the command takes privileges
function Family:dump(cmd, attrs)
  local next_message, state = self:_try(cmd, self.socket.dump, self.socket, self:_message(cmd, attrs), self.id)
  return function() return (self:_try(cmd, next_message)) end, state
end

-- A multicast group's number by name, or the number itself.
function Family:_group(group)
  if type(group) == "number" then return group end
  local id = self.groups[group]
  if id then return id end
  local all = {}
  for name in pairs(self.groups) do all[#all + 1] = name end
  table.sort(all)
  raise("missing", ("netlink family %s has no multicast group %s"):format(self.name, tostring(group)),
    #all > 0 and "groups: " .. table.concat(all, ", ") or "it has none at all")
end

---Makes a socket of its own that hears groups of the family: all of them unless
---some are named. Its messages() and on_message(fn) give the events.
---@param ... string|integer
---@return Generic
function Family:listen(...)
  local g = netlink.generic(self.generic.options)
  g:bind(self.name, self.class)
  local groups = {...}
  if #groups == 0 then
    for name in pairs(self.groups) do groups[#groups + 1] = name end
  end
  for _, group in ipairs(groups) do g:add_membership(self:_group(group)) end
  return g
end

---The kernel's own rules for the attributes of the family: policies, a list by
---number of {[attribute] = {type=, min_length=, policy_idx=, …}}, and ops,
---{[command] = {do=, dump=}} with the number of the policy of each.
---@return table
function Family:policy()
  local out = {ops = {}, policies = {}}
  local ctrl = {cmd = CTRL_CMD_GETPOLICY, version = 2, family_id = self.id}
  for _, m in ipairs(self.socket:request(ctrl, GENL_ID_CTRL, REQUEST + DUMP)) do
    for cmd, p in pairs(m:get("op_policy") or {}) do
      out.ops[cmd] = {["do"] = p:get_attr("DO"), dump = p:get_attr("DUMP")}
    end
    for index, attributes in pairs(m:get("policy") or {}) do
      local policy = out.policies[index] or {}
      out.policies[index] = policy
      for number, rule in pairs(attributes) do policy[number] = rule end
    end
  end
  return out
end

---Ends the socket that netlink.genl opened for the family.
function Family:close() self.generic:close() end

--- The socket -------------------------------------------------------------------

local Generic = {__name = "netlink.Generic"}

local NOT_BOUND = "generic netlink protocol id is not obtained yet, run bind() before placing any requests"

-- What a Generic does not say itself is said by its socket.
function Generic.__index(g, key)
  local own = Generic[key]
  if own ~= nil then return own end
  if key == "prid" or key == "mcast_groups" then
    local family = rawget(g, "bound")
    if not family then raise("argument", NOT_BOUND, 'g:bind("ethtool", class)') end
    return key == "prid" and family.id or family.groups
  end
  local socket = rawget(g, "socket")
  local value = socket and socket[key]
  if type(value) ~= "function" then return value end
  local function method(_, ...) return value(socket, ...) end
  rawset(g, key, method)
  return method
end

function Generic.__tostring(g)
  return "generic netlink socket" .. (g.bound and " of " .. g.bound.name or "")
end

-- Names that look like the one that does not exist.
local function similar(name, all)
  local found = {}
  local low = name:lower():gsub("[^%w]", "")
  for _, other in ipairs(all) do
    local o = other:lower():gsub("[^%w]", "")
    if o == low or #low > 2 and (o:find(low, 1, true) or low:find(o, 1, true)) then found[#found + 1] = other end
  end
  return found
end

-- Says what the kernel does have, and what would bring the family.
local function no_family(g, name, err)
  local all = {}
  local ok, list = pcall(g.families, g)
  if ok then
    for _, f in ipairs(list) do all[#all + 1] = f.name end
    table.sort(all)
  end
  local hint
  local near = similar(name, all)
  if #near > 0 then
    hint = "there is " .. table.concat(near, ", ")
  else
    hint = "load the kernel module that brings it, perhaps: modprobe " .. (MODULES[name] or name)
    if #all > 0 then hint = hint .. "; there are " .. table.concat(all, ", ") end
  end
  local _, refusal = pcall(raise, "missing", ("the kernel has no generic netlink family %s"):format(name), hint)
  refusal.errno = err.errno
  error(refusal, 0)
end

---Looks a family up by name: its id, version, ops, groups; and a handle to
---speak to it, with `class` for its messages (default: what this library knows
---of it).
---@param name string
---@param class? MessageClass
---@return Family
---@error missing  the kernel has no such family
function Generic:family(name, class)
  local cached = self.known[name]
  if cached and (class == nil or cached.class == class) then return cached end
  local ok, answer = pcall(self.socket.request, self.socket,
    {cmd = CTRL_CMD_GETFAMILY, version = 2, family_name = name}, GENL_ID_CTRL, REQUEST + ACK)
  if not ok then
    if type(answer) == "table" and answer.kind == "missing" then no_family(self, name, answer) end
    error(answer, 0)
  end
  local f = describe(answer[1])
  if class == nil and CLASSES[f.name] then class = require("netlink." .. CLASSES[f.name]) end
  f.generic, f.socket, f.class, f.info = self, self.socket, class, Commands.of(class)
  for _, op in ipairs(f.ops) do op.name = f.info.names[op.id] end
  if class ~= nil and f.id ~= GENL_ID_CTRL then self.socket:register_policy(f.id, class) end
  self.known[name] = f
  return f
end

---All families that the kernel has, in the order of their ids.
---@return Family[]
function Generic:families()
  local list = {}
  for _, m in ipairs(self.socket:request({cmd = CTRL_CMD_GETFAMILY, version = 2}, GENL_ID_CTRL, REQUEST + DUMP)) do
    local f = describe(m)
    f.generic, f.socket, f.info = self, self.socket, Commands.of(nil)
    list[#list + 1] = f
  end
  table.sort(list, function(a, b) return a.id < b.id end)
  return list
end

---Binds the socket and looks the family `proto` up, as in pyroute2: from then on
---prid is its number, its messages are of `class`, and groups go by name.
---Options: groups, a list of names or numbers to join; pid; async_cache.
---@param proto string
---@param class? MessageClass
---@param options? table
---@return Generic
---@error missing  the kernel has no such family, or the family no such group
function Generic:bind(proto, class, options)
  local o = options or {}
  self.socket:bind{groups = 0, pid = o.pid, async_cache = o.async_cache}
  self.bound = self:family(proto, class)
  for _, group in ipairs(o.groups or {}) do self:add_membership(group) end
  return self
end

---Joins a multicast group of the family that the socket is bound to, by name, or
---any by number.
---@param group string|integer
---@error missing  the family has no such group
function Generic:add_membership(group)
  if type(group) ~= "number" then
    local _ = self.prid
    group = self.bound:_group(group)
  end
  self.socket:add_membership(group)
end

---Leaves a multicast group, by name or number.
---@param group string|integer
function Generic:drop_membership(group)
  if type(group) ~= "number" then
    local _ = self.prid
    group = self.bound:_group(group)
  end
  self.socket:drop_membership(group)
end

---Opens a socket of generic netlink, which finds families by name. Everything
---that a netlink.Socket does it does, too.
---
---    g = netlink.generic()
---    g:family("ethtool").id
---    for _, f in ipairs(g:families()) do print(f) end
---@param options? table  those of netlink.socket, without family
---@return Generic
function netlink.generic(options)
  local o = {family = "generic"}
  for k, v in pairs(options or {}) do o[k] = v end
  o.family = "generic"
  return setmetatable({socket = netlink.socket(o), known = {}, options = options}, Generic)
end

return netlink.generic
