--- The sockets of the machine, as ss shows them.

local inet = require "netlink.inet"

local REQUEST, ACK, DUMP = netlink.NLM_F_REQUEST, netlink.NLM_F_ACK, netlink.NLM_F_DUMP
local BY_FAMILY, DESTROY = 20, 21
local ANY = ("\0"):rep(16)
local NO_COOKIE = u64("0xffffffffffffffff")

local PROTOCOLS = {tcp = 6, udp = 17, udplite = 136, sctp = 132, dccp = 33, icmp = 1, icmp6 = 58, raw = 255, mptcp = 262}
local PROTOCOL_NAMES = {}
for name, number in pairs(PROTOCOLS) do PROTOCOL_NAMES[number] = name end

-- What ss calls the states, with their bits.
local STATES = {
  established = 1, ["syn-sent"] = 2, ["syn-recv"] = 3, ["fin-wait-1"] = 4, ["fin-wait-2"] = 5, ["time-wait"] = 6, closed = 7,
  ["close-wait"] = 8, ["last-ack"] = 9, listen = 10, closing = 11, ["new-syn-recv"] = 12, ["bound-inactive"] = 13,
}
local STATE_ALIAS = {listening = "listen", estab = "established", unconnected = "closed", unconn = "closed", close = "closed"}
local SHOWN = {
  established = "ESTAB", ["syn-sent"] = "SYN-SENT", ["syn-recv"] = "SYN-RECV", ["fin-wait-1"] = "FIN-WAIT-1",
  ["fin-wait-2"] = "FIN-WAIT-2", ["time-wait"] = "TIME-WAIT", closed = "UNCONN", ["close-wait"] = "CLOSE-WAIT",
  ["last-ack"] = "LAST-ACK", listen = "LISTEN", closing = "CLOSING", ["new-syn-recv"] = "NEW-SYN-RECV",
  ["bound-inactive"] = "BOUND-INACTIVE",
}

local function bits(...)
  local n = 0
  for _, state in ipairs{...} do n = n + 2 ^ STATES[state] end
  return n
end

local ALL = 0xffffffff
local GROUPS = {
  all = ALL,
  connected = ALL - bits("closed", "listen"),
  synchronized = ALL - bits("closed", "listen", "syn-sent"),
  bucket = bits("time-wait", "syn-recv"),
  big = ALL - bits("time-wait", "syn-recv"),
}

local function states_of(state)
  if state == nil then return ALL end
  if type(state) == "table" then
    local n, seen = 0, {}
    for _, word in ipairs(state) do
      local s = STATES[STATE_ALIAS[word] or word]
      if not s then return states_of(word) end
      if not seen[s] then n, seen[s] = n + 2 ^ s, true end
    end
    return n
  end
  if GROUPS[state] then return GROUPS[state] end
  local s = STATES[STATE_ALIAS[state] or state]
  if s then return 2 ^ s end
  local all = {}
  for word in pairs(STATES) do all[#all + 1] = word end
  for word in pairs(GROUPS) do all[#all + 1] = word end
  table.sort(all)
  raise("argument", "no state of sockets is called " .. tostring(state), "states: " .. table.concat(all, ", "))
end

--- A filter that the kernel runs ------------------------------------------------------

-- INET_DIAG_BC_*, linux/inet_diag.h. An instruction is u8 code, u8 where to go on
-- when it holds, u16 where when it does not, both in octets from its begin; to
-- leave at the end accepts a socket, to leave behind it does not.
local S_COND, D_COND, DEV_COND, S_EQ, D_EQ = 7, 8, 9, 11, 12

-- struct inet_diag_hostcond: u8 family, u8 prefix length, s32 port or -1, address.
local function host(code, prefix)
  local octets, family, length = inet.prefix(prefix)
  return {code, string.pack("=I1I1I2i4", family, length, 0, -1) .. octets}
end

-- A port is the second half of an empty instruction.
local function port(code, number) return {code, string.pack("=I1I1I2", 0, 0, number)} end

local function bytecode(o)
  local list = {}
  if o.sport then list[#list + 1] = port(S_EQ, o.sport) end
  if o.dport then list[#list + 1] = port(D_EQ, o.dport) end
  if o.src then list[#list + 1] = host(S_COND, o.src) end
  if o.dst then list[#list + 1] = host(D_COND, o.dst) end
  if o.interface then list[#list + 1] = {DEV_COND, string.pack("=I4", o.interface)} end
  if #list == 0 then return nil end
  local code, rest = "", 0
  for i = #list, 1, -1 do
    local length = 4 + #list[i][2]
    rest = rest + length
    code = string.pack("=I1I1I2", list[i][1], length, rest + 4) .. list[i][2] .. code
  end
  return code
end

--- From messages to tables ----------------------------------------------------------

local Socket = {__name = "netlink.Endpoint"}
Socket.__index = Socket

local function any(addr) return addr == "0.0.0.0" or addr == "::" end

local function shown(addr, number)
  local p = number == 0 and "*" or tostring(number)
  if addr:find(":", 1, true) then return ("[%s]:%s"):format(addr, p) end
  return addr .. ":" .. p
end

function Socket.__tostring(s)
  local left, right
  if s.sport then
    left, right = shown(s.src, s.sport), shown(s.dst, s.dport)
  elseif s.family == "unix" then
    left, right = ("%s %d"):format(s.path or "*", s.inode), "* " .. tostring(s.peer or 0)
  elseif s.family == "netlink" then
    left, right = ("%s:%s"):format(s.protocol, s.portid == 0 and "kernel" or s.portid), "*"
  else
    left, right = ("%s:%s"):format(s.protocol, s.interface or "*"), "*"
  end
  return ("%-5s %-10s %-6d %-6d %s %s"):format(s.netid, SHOWN[s.state] or s.state, s.recv_q, s.send_q, left, right)
end

local function struct(s) return s and s:totable() end

-- Sockets have few addresses: their texts are made once.
local texts, known = {[inet.AF_INET] = {}, [inet.AF_INET6] = {}}, 0

local function address(octets, family)
  local text = texts[family][octets]
  if not text then
    if known > 10000 then texts, known = {[inet.AF_INET] = {}, [inet.AF_INET6] = {}}, 0 end
    text = inet.text(family == inet.AF_INET and octets:sub(1, 4) or octets)
    texts[family][octets], known = text, known + 1
  end
  return text
end

local function flat(id, name)
  local value = id[name]
  if value ~= nil and value ~= 0 then return value end
end

local TIMERS = {on = "on", keepalive = "keepalive", timewait = "timewait", persist = "persist"}

local function inet_socket(m, protocol)
  local family = m.family
  local name = PROTOCOL_NAMES[protocol] or tostring(protocol)
  local timer = TIMERS[m.timer]
  return setmetatable({
    family = family == inet.AF_INET and "inet" or "inet6", netid = name, proto = name, state = m.state,
    src = address(m.src, family), sport = m.sport, dst = address(m.dst, family), dport = m.dport,
    interface = flat(m, "interface"), recv_q = m.rqueue, send_q = m.wqueue, uid = m.uid, inode = m.inode, cookie = m.cookie,
    timer = timer and {name = timer, expires = m.expires / 1000, retrans = m.retrans} or nil,
    mark = m:get("mark"), cong = m:get("cong"), tos = m:get("tos"), tclass = m:get("tclass"), shutdown = m:get("shutdown"),
    v6only = m:get("skv6only"), info = struct(m:get("info")), mem = struct(m:get("skmeminfo")),
    vegas = struct(m:get("vegasinfo")), bbr = struct(m:get("bbrinfo")), dctcp = struct(m:get("dctcpinfo")),
    cgroup = m:get("cgroup_id"),
  }, Socket)
end

local UNIX_TYPES = {[1] = "u_str", [2] = "u_dgr", [5] = "u_seq"}

local function unix_socket(m)
  local path = m:get("name")
  local queue = m:get("rqlen")
  if path then
    -- An abstract name begins with a zero octet, which ss writes as @.
    path = path:gsub("^%z", "@"):gsub("%z+$", ""):gsub("%z", "@")
  end
  return setmetatable({
    family = "unix", netid = UNIX_TYPES[m.type] or "u_" .. m.type, type = m.type, state = m.state, path = path,
    inode = m.ino, peer = m:get("peer"), recv_q = queue and queue.rqueue or 0, send_q = queue and queue.wqueue or 0,
    pending = m:get("icons"), uid = m:get("uid"), shutdown = m:get("shutdown"), cookie = m.cookie,
    mem = struct(m:get("meminfo")), vfs = struct(m:get("vfs")),
  }, Socket)
end

local families = require "netlink.families"

local function groups_of(octets)
  local list = {}
  for i = 1, #(octets or "") do
    local b = octets:byte(i)
    for bit = 0, 7 do
      if math.floor(b / 2 ^ bit) % 2 == 1 then list[#list + 1] = 8 * (i - 1) + bit + 1 end
    end
  end
  return list
end

local function netlink_socket(m)
  local mem = m:get("meminfo")
  return setmetatable({
    family = "netlink", netid = "nl", protocol = families.name(m.protocol),
    state = "closed", portid = m.portid, dst_portid = m.dst_portid, inode = m.ino, groups = groups_of(m:get("groups")),
    recv_q = mem and mem.rmem_alloc or 0, send_q = mem and mem.wmem_alloc or 0, mem = struct(mem), flags = m:get("flags"),
  }, Socket)
end

local function packet_socket(m)
  local info, mem = m:get("info"), m:get("meminfo")
  return setmetatable({
    family = "packet", netid = m.type == 3 and "p_raw" or "p_dgr", protocol = m.num, state = "closed", inode = m.ino,
    interface = info and info.index ~= 0 and info.index or nil, uid = m:get("uid"), info = struct(info), mem = struct(mem),
    recv_q = mem and mem.rmem_alloc or 0, send_q = 0, fanout = m:get("fanout"), cookie = m.cookie,
  }, Socket)
end

--- Questions ----------------------------------------------------------------------------

-- Extensions are bits, INET_DIAG_MEMINFO being the first.
local function extensions(o)
  local ext = 0
  if o.info then ext = ext + 2 end     -- INFO
  if o.info or o.cong then ext = ext + 8 + 4 end -- CONG, VEGASINFO
  if o.tos then ext = ext + 16 + 32 end
  if o.mem then ext = ext + 64 end     -- SKMEMINFO
  return ext
end

local function sockid(o)
  return {src = ANY, dst = ANY, sport = 0, dport = 0, interface = 0, cookie = NO_COOKIE, family = o}
end

local function inet_question(family, protocol, o)
  local q = sockid(family)
  q.protocol, q.ext, q.states, q.bytecode = protocol % 256, extensions(o), states_of(o.state), bytecode(o)
  if protocol > 255 then
    q.protocol, q["INET_DIAG_REQ_PROTOCOL"] = 255, protocol
  end
  return q
end

-- What each family of sockets is asked with, and how its answer is read.
local UNIX_SHOW = 0x1 + 0x2 + 0x4 + 0x8 + 0x10 + 0x20 + 0x40
local FAMILIES = {
  inet = {inet.AF_INET}, inet6 = {inet.AF_INET6},
  unix = {1, function(o) return {family = 1, states = states_of(o.state), show = UNIX_SHOW, cookie = NO_COOKIE} end, unix_socket},
  netlink = {16, function() return {family = 16, protocol = 255, show = 0x1 + 0x2 + 0x8, cookie = NO_COOKIE} end, netlink_socket},
  packet = {17, function() return {family = 17, show = 0x1 + 0x10, cookie = NO_COOKIE} end, packet_socket},
}

local function bad(what, word, known)
  local all = {}
  for name in pairs(known) do all[#all + 1] = name end
  table.sort(all)
  raise("argument", ("sockets have no %s %s"):format(what, tostring(word)), what .. ": " .. table.concat(all, ", "))
end

local function list_of(value, default)
  if value == nil then return default end
  return type(value) == "table" and value or {value}
end

-- Conditions that the kernel does not check for this family.
local function wanted(s, o)
  if o.path and s.path ~= o.path then return false end
  if o.inode and s.inode ~= o.inode then return false end
  if o.uid and s.uid ~= o.uid then return false end
  return true
end

local WORDS = {}
for word in ("family proto state sport dport src dst interface uid inode path info cong mem tos"):gmatch("%a+") do WORDS[word] = true end

-- A word that is not known would mean all sockets, also those that must not be
-- destroyed.
local function understood(o)
  for word in pairs(o) do
    if not WORDS[word] then bad("option", word, WORDS) end
  end
  return o
end

local Diag = {__name = "netlink.Diag"}
Diag.__index = Diag

function Diag:_inet(out, name, proto, o)
  local protocol = type(proto) == "number" and proto or PROTOCOLS[proto] or bad("proto", proto, PROTOCOLS)
  local ok, err = pcall(function()
    for m in self.socket:dump(inet_question(FAMILIES[name][1], protocol, o), BY_FAMILY) do
      local s = inet_socket(m, protocol)
      -- An IPv6 address is compared with IPv4 sockets by no kernel, and neither here.
      if wanted(s, o) then out[#out + 1] = s end
    end
  end)
  -- A kernel without this protocol's half of sock_diag has none of its sockets to
  -- tell, unless it was asked for by name.
  if not ok and (o.proto ~= nil or type(err) ~= "table" or err.kind ~= "missing") then error(err, 0) end
end

---The sockets that fit, as tables; printed they read as a line of ss:
---
---    for _, s in ipairs(diag:sockets{proto = "tcp", state = "listen"}) do print(s.src, s.sport) end
---    diag:sockets{family = "inet", proto = "tcp", dport = 443, info = true}[1].info.rtt
---    diag:sockets{family = "unix", path = "/run/x.sock"}
---
---Options: family, one or a list of inet, inet6 (both are the default), unix,
---netlink, packet; proto, tcp and udp unless said: also raw, sctp, mptcp, udplite,
---dccp; state, a word of ss or a list: established syn-sent … listen, or
---connected, synchronized, bucket, big, all; sport, dport, src and dst ("10.0.0.0/8"), interface (a
---number), which the kernel compares; uid, inode, path; info = true for TCP's state
---(info, cong), mem = true for memory, tos = true.
---
---Fields: family netid proto state src sport dst dport interface recv_q send_q uid
---inode cookie timer mark cong info mem; of unix sockets path, peer, type; of netlink
---portid, groups, protocol; of packet interface, protocol.
---@param options? table
---@return table[]
---@error argument    a word is not known
---@error missing     the kernel lacks this part of sock_diag
function Diag:sockets(options)
  local o, out = understood(options or {}), {}
  for _, name in ipairs(list_of(o.family, {"inet", "inet6"})) do
    local family = FAMILIES[name] or bad("family", name, FAMILIES)
    if family[2] then
      for m in self.socket:dump(family[2](o), BY_FAMILY) do
        local s = family[3](m)
        if wanted(s, o) then out[#out + 1] = s end
      end
    else
      for _, proto in ipairs(list_of(o.proto, {"tcp", "udp"})) do self:_inet(out, name, proto, o) end
    end
  end
  return out
end

local function exact(s)
  if not s.sport then raise("unsupported", "sock_diag: only sockets of inet and inet6 can be destroyed") end
  local family = FAMILIES[s.family][1]
  local function padded(text)
    local octets = inet.octets(text)
    return octets .. ("\0"):rep(16 - #octets)
  end
  return {
    family = family, protocol = PROTOCOLS[s.proto] or tonumber(s.proto), states = ALL, src = padded(s.src), dst = padded(s.dst),
    sport = s.sport, dport = s.dport, interface = s.interface or 0, cookie = s.cookie or NO_COOKIE,
  }
end

---Closes a socket of any process: one of sockets(), or all that fit the options,
---which are those of sockets(). Their owner reads ECONNABORTED. Returns how many
---were closed.
---@param which table
---@return integer
---@error argument     nothing says which, or a word is not known
---@error missing      the socket is no more
---@error permission   it takes CAP_NET_ADMIN
---@error unsupported  the kernel is built without it
function Diag:destroy(which)
  local one = getmetatable(which) == Socket
  if type(which) ~= "table" or next(which) == nil then
    raise("argument", "destroy: which sockets? nothing is refused, since it would be all", 'say which, such as {proto = "tcp", dst = "192.0.2.1"}, or {state = "all"}')
  end
  local closed = 0
  for _, s in ipairs(one and {which} or self:sockets(which)) do
    local ok, err = pcall(self.socket.request, self.socket, exact(s), DESTROY, REQUEST + ACK)
    -- Of the two ends of a connection the second goes with the first.
    if not ok and (one or type(err) ~= "table" or err.kind ~= "missing") then error(err, 0) end
    if ok then closed = closed + 1 end
  end
  return closed
end

---Closes the socket.
function Diag:close() self.socket:close() end

---Opens sock_diag, which tells of the sockets of all processes in the network
---namespace.
---@param options? table  those of netlink.socket, without family: netns, …
---@return Diag
function netlink.diag(options)
  local o = {}
  for k, v in pairs(options or {}) do o[k] = v end
  o.family = "sock_diag"
  return setmetatable({socket = netlink.socket(o)}, Diag)
end

return netlink.diag
