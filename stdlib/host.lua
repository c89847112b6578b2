---Fake hosts: a station with addresses on any connector that carries Ethernet
---frames, which resolves and answers like a real one.
---
---    lan = connector.lan()
---    h = lan:host{ip = "10.0.0.9/24"}
---    h:ping("10.0.0.1")                        -- its own requests
---    host{on = open"tap:pk0", ip = "10.9.0.2/24"}:wait()
---
---A host answers ARP (RFC 826), neighbor solicitations (RFC 4861), ICMP and
---ICMPv6 echo (RFC 792, RFC 4443) and UDP echo (RFC 862, port 7); a datagram
---for any other port gets "port unreachable", as from a real host. With
---`router` it also answers router solicitations. TCP, TFTP, HTTP and DHCP are in
---net/: require "net.tcp" and its siblings.
local Host = {}
Host.__index = Host

local BROADCAST = "ff:ff:ff:ff:ff:ff"
local PORT_ECHO = 7

--- Addresses ---------------------------------------------------------------

-- Octets of an address as the layouts encode it, so that there is one parser.
local function octets4(ip) return bytes(IP{src = ip}):sub(13, 16) end
local function octets6(ip) return bytes(IPv6{src = ip}):sub(9, 24) end

-- The canonical text, so that "2001:DB8::1" and "2001:db8:0::1" are one key.
local function canonical(ip)
  if ip:find(":", 1, true) then return IPv6{src = ip}.src end
  return IP{src = ip}.src
end

-- "10.0.0.9/24" -> "10.0.0.9", 24
local function split(text, what)
  local ip, len
  if type(text) == "string" then ip, len = text:match("^([^/]+)/(%d+)$") end
  if not ip and type(text) == "string" then ip, len = text:match("^([^/]+)$"), "" end
  if not ip then
    raise("argument", ("%s: want ADDRESS or ADDRESS/PREFIX, got %q"):format(what, tostring(text)))
  end
  local bits = ip:find(":", 1, true) and 128 or 32
  local default = bits == 128 and 64 or 24
  len = len == "" and default or tonumber(len)
  if len > bits then
    raise("range", ("%s: the prefix length of %q is over %d"):format(what, text, bits))
  end
  return canonical(ip), len
end

local function same_prefix(a, b, len)
  local whole, rest = math.floor(len / 8), len % 8
  if a:sub(1, whole) ~= b:sub(1, whole) then return false end
  if rest == 0 then return true end
  local shift = 2 ^ (8 - rest)
  return math.floor(a:byte(whole + 1) / shift) == math.floor(b:byte(whole + 1) / shift)
end

-- RFC 4291 appendix A: the interface identifier is the MAC address with fffe
-- in its middle and the universal/local bit turned over.
local function link_local(mac)
  local m = bytes(Ether{src = mac}):sub(7, 12)
  local first = bit.bxor(m:byte(1), 2)
  local id = string.char(first) .. m:sub(2, 3) .. "\255\254" .. m:sub(4, 6)
  local s = ("fe80::%02x%02x:%02x%02x:%02x%02x:%02x%02x"):format(id:byte(1, 8))
  return canonical(s)
end

-- RFC 4291 §2.7.1: ff02::1:ff and the last three octets.
local function solicited_node(ip)
  local o = octets6(ip)
  return canonical(("ff02::1:ff%02x:%02x%02x"):format(o:byte(14, 16)))
end

-- RFC 2464 §7: 33:33 and the last four octets of the group.
local function group_mac(group)
  return ("33:33:%02x:%02x:%02x:%02x"):format(octets6(group):byte(13, 16))
end

-- A MAC address that a reader recognises: 02:00 and the IPv4 address.
local function mac_for(ip)
  if ip:find(":", 1, true) then
    return ("02:00:%02x:%02x:%02x:%02x"):format(octets6(ip):byte(13, 16))
  end
  return ("02:00:%02x:%02x:%02x:%02x"):format(octets4(ip):byte(1, 4))
end

--- What a host answers -----------------------------------------------------
-- Each takes the host and a packet that is addressed to its MAC address (or to
-- all), and returns the reply, or nil.

local function answer_arp(self, p)
  local a = p.ARP
  if a.psrc ~= "0.0.0.0" then self.neighbors[a.psrc] = a.hwsrc end
  if a.op ~= "who-has" or not self.addresses[a.pdst] then return end
  return Ether{src = self.mac, dst = a.hwsrc}
    / ARP{op = "is-at", hwsrc = self.mac, psrc = a.pdst, hwdst = a.hwsrc, pdst = a.psrc}
end

local function answer_nd(self, p)
  local nd = p.ICMPv6
  if p.IPv6.hlim ~= 255 or nd.code ~= 0 then return end -- RFC 4861 §7.1.1: it came over a router
  local target = nd.target
  if not self.addresses[target] then return end
  local src, dst, solicited = p.IPv6.src, p.IPv6.src, "RSO"
  local to = p.Ether.src
  if src == "::" then -- somebody asks whether the address is free: tell all (RFC 4861 §7.2.4)
    dst, to = "ff02::1", group_mac("ff02::1")
  else
    self.neighbors[src] = to
  end
  return Ether{src = self.mac, dst = to}
    / IPv6{src = target, dst = dst, hlim = 255}
    / ICMPv6{type = "neighbor-advertisement", flags = src == "::" and "O" or "SO",
             target = target, options = {{"TargetLinkAddr", self.mac}}}
end

-- An empty advertisement: there is no router here and nothing to configure,
-- which is what a host that asks has to hear before it goes on without.
local function answer_rs(self, p)
  if not self.router then return end
  local src = p.IPv6.src
  local all = src == "::"
  return Ether{src = self.mac, dst = all and group_mac("ff02::1") or p.Ether.src}
    / IPv6{src = self.ip6, dst = all and "ff02::1" or src, hlim = 255}
    / ICMPv6{type = "router-advertisement", routerlifetime = 0, options = {{"SourceLinkAddr", self.mac}}}
end

local function answer_icmp(self, p)
  if p.ICMP.type ~= "echo-request" then return end
  return Ether{src = self.mac, dst = p.Ether.src}
    / IP{src = p.IP.dst, dst = p.IP.src, id = p.IP.id}
    / ICMP{type = "echo-reply", id = p.ICMP.id, seq = p.ICMP.seq} / p.ICMP.payload
end

local function answer_icmp6(self, p)
  local t = p.ICMPv6.type
  if t == "neighbor-solicitation" then return answer_nd(self, p) end
  if t == "router-solicitation" then return answer_rs(self, p) end
  if t == "neighbor-advertisement" then
    if p.IPv6.hlim ~= 255 then return end
    self.neighbors[p.ICMPv6.target] = p.Ether.src
    return
  end
  if t ~= "echo-request" then return end
  return Ether{src = self.mac, dst = p.Ether.src}
    / IPv6{src = self.addresses[p.IPv6.dst] and p.IPv6.dst or self.ip6, dst = p.IPv6.src}
    / ICMPv6{type = "echo-reply", id = p.ICMPv6.id, seq = p.ICMPv6.seq} / p.ICMPv6.payload
end

local function answer_udp(self, p)
  local u, ip = p.UDP, p.IP or p.IPv6
  local back = Ether{src = self.mac, dst = p.Ether.src}
  local handler = self.udp[u.dport]
  if not self.addresses[ip.dst] then -- to all: only who asked for such answers, and nobody complains
    handler = p.IP and self.broadcast[u.dport]
    local reply = handler and handler(u.payload, p)
    return reply and back / IP{src = self:_source(ip.src) or self.ip, dst = ip.src} / UDP{sport = u.dport, dport = u.sport} / reply
  end
  if handler then
    local reply = handler(u.payload, p)
    if not reply then return end
    local l3 = p.IP and IP{src = ip.dst, dst = ip.src} or IPv6{src = ip.dst, dst = ip.src}
    return back / l3 / UDP{sport = u.dport, dport = u.sport} / reply
  end
  -- The quoted packet is the IP header and what follows it, as it was received.
  if p.IP then
    local quote = ip.ihl * 4 + 8 -- RFC 792: the header and 8 octets
    return back / IP{src = ip.dst, dst = ip.src}
      / ICMP{type = "dest-unreach", code = 3} / bytes(p):sub(15, 14 + quote)
  end
  return back / IPv6{src = ip.dst, dst = ip.src}
    / ICMPv6{type = "dest-unreach", code = 4} / bytes(p):sub(15, 14 + 1232) -- RFC 4443 §2.4 (c)
end

-- What a receiver checks before it looks further: lengths and checksums, and
-- that it has the whole datagram. There is no reassembly: a fragment is dropped.
local function sound(p)
  if p.Dot1Q or p.Dot1AD then return false end -- of another network
  if #p:wrong() > 0 then return false end
  if p.IP then return p.IP.frag == 0 and not p.IP.flags:find("MF", 1, true) end
  return not p.IPv6ExtHdrFragment
end

---The packet with which this host answers `p`, or nil when it has nothing to say.
---@param p Packet
---@return Packet?
function Host:answer(p)
  local e = p.Ether
  if not e or e.src == self.mac then return end
  local group = e.dst:sub(1, 5) == "33:33"
  if e.dst ~= self.mac and e.dst ~= BROADCAST and not group then return end
  if p.ARP then return answer_arp(self, p) end
  local l3 = p.IP or p.IPv6
  if not l3 then return end
  -- A neighbor solicitation comes to a group that each address implies.
  local mine = self.addresses[l3.dst] or self.groups[l3.dst]
  if not mine or not sound(p) then return end
  if p.ICMP and p.IP then return answer_icmp(self, p) end
  if p.ICMPv6 and p.IPv6 then return answer_icmp6(self, p) end
  if p.UDP and not group then return answer_udp(self, p) end
  if p.TCP and self.tcp and self.addresses[l3.dst] and e.dst == self.mac then return self.tcp:input(p) end
end

--- What a host asks --------------------------------------------------------

function Host:_source(ip)
  local v6 = ip:find(":", 1, true)
  local first
  for _, a in ipairs(self.list) do
    if (a.ip:find(":", 1, true) and true or false) == (v6 and true or false) then
      local oct = v6 and octets6 or octets4
      if same_prefix(oct(a.ip), oct(ip), a.len) then return a.ip, true end
      if not (v6 and a.len == 64 and a.ip:sub(1, 5) == "fe80:") then first = first or a.ip end
    end
  end
  return first, false
end

---The MAC address of a neighbor: asked for by ARP or neighbor solicitation,
---then remembered.
---@param ip string          an IPv4 or IPv6 address on this link
---@param timeout? seconds   for each of the three attempts (default 1)
---@return string?           nil when nobody answers
function Host:resolve(ip, timeout)
  ip = canonical(ip)
  if self.addresses[ip] then return self.mac end
  if self.neighbors[ip] then return self.neighbors[ip] end
  local ask
  if ip:find(":", 1, true) then
    local group = solicited_node(ip)
    ask = Ether{src = self.mac, dst = group_mac(group)}
      / IPv6{src = self:_source(ip) or self.ip6, dst = group, hlim = 255}
      / ICMPv6{type = "neighbor-solicitation", target = ip,
               options = {{"SourceLinkAddr", self.mac}}}
  else
    ask = Ether{src = self.mac, dst = BROADCAST}
      / ARP{op = "who-has", hwsrc = self.mac, psrc = self:_source(ip) or "0.0.0.0", pdst = ip}
  end
  local reply = self.conn:sr1(ask, {timeout = timeout or 1, retry = 2})
  if not reply then return nil end
  self.neighbors[ip] = reply.ARP and reply.ARP.hwsrc or reply.Ether.src
  return self.neighbors[ip]
end

---The Ethernet and IP layers of a packet from this host to `ip`, resolved.
---@param ip string
---@return Packet
---@error missing  nobody on the link has the address
function Host:to(ip)
  ip = canonical(ip)
  local src, on_link = self:_source(ip)
  if not src then raise("missing", ("host %s has no address to reach %s from"):format(self.name, ip)) end
  local hop = ip
  if not on_link and self.gateway then hop = self.gateway end
  local mac = self:resolve(hop)
  if not mac then raise("missing", ("host %s: nobody answers for %s"):format(self.name, hop)) end
  if ip:find(":", 1, true) then
    return Ether{src = self.mac, dst = mac} / IPv6{src = src, dst = ip}
  end
  return Ether{src = self.mac, dst = mac} / IP{src = src, dst = ip}
end

---@class host.PingOptions
---@field count? integer     how many (default 1)
---@field interval? seconds  between two requests (default 1)
---@field timeout? seconds   to wait for each reply (default 1)
---@field size? integer      octets of data (default 56)

---Sends echo requests and waits for each reply.
---@param ip string
---@param opts? host.PingOptions
---@return table   a list of round-trip times in seconds; false where no reply came
---@error missing  nobody on the link has the address
function Host:ping(ip, opts)
  opts = opts or {}
  local count, interval, timeout = opts.count or 1, opts.interval or 1, opts.timeout or 1
  local to = self:to(ip)
  self.pings = (self.pings + 1) % 65536
  local rtts = {}
  for seq = 1, count do
    local sent = clock.now()
    local layer = to.IPv6 and ICMPv6 or ICMP
    local q = to / layer{type = "echo-request", id = self.pings, seq = seq} / ("x"):rep(opts.size or 56)
    local reply = self.conn:sr1(q, {timeout = timeout})
    rtts[seq] = reply and clock.now() - sent or false
    if seq < count then sleep(math.max(0, sent + interval - clock.now())) end
  end
  return rtts
end

---Answers datagrams for a port from now on.
---@param port integer
---@param fn? function        called with payload and packet; what it returns, if anything, is the answer. nil: no more
---@param opts? host.UDPOptions
function Host:on_udp(port, fn, opts)
  self.udp[port] = fn
  self.broadcast[port] = opts and opts.broadcast and fn or nil
end

---@class host.UDPOptions
---@field broadcast? boolean   datagrams that are sent to all as well

---Stops answering. The connector stays open, except the LAN port that
---`lan:host` made for this host.
function Host:close()
  if self.handler then self.handler:cancel() end
  self.handler = nil
  if self.tcp then self.tcp:close() end
  if self.own then self.conn:close() end
  self.stopped:close()
end

---Waits until the host is closed: for scripts whose only job is to answer.
---@param seconds? seconds  at most this long
function Host:wait(seconds)
  self.stopped:get(seconds)
end

function Host:__tostring()
  local list = {}
  for _, a in ipairs(self.list) do list[#list + 1] = a.ip .. "/" .. a.len end
  return ("host %s (%s) %s"):format(self.name, self.mac, table.concat(list, " "))
end

local known = {on = true, ip = true, mac = true, name = true, gateway = true, router = true, udp = true, own = true, on_answer = true}

---@class host.Options
---@field on Conn            the connector it is on; lan:host makes a port of its own
---@field ip string|table    an address with its prefix length, "10.0.0.9/24", or a list of them
---@field mac? string        default: 02:00 and the last four octets of the address
---@field name? string       default: the address
---@field gateway? string    where packets for other networks go
---@field router? boolean    answers router solicitations: that there is no router
---@field udp? table         port to function(payload, packet) that returns the answer; 7 echoes
---@field on_answer? function  called with the packet and the answer after each

---Puts a host on a connector.
---@param opts host.Options
---@return Host
function host(opts)
  if type(opts) ~= "table" then raise("argument", "host: want a table of options, got " .. type(opts)) end
  for k in pairs(opts) do
    if not known[k] then raise("argument", ("host: unknown option %q"):format(tostring(k)), "options: on, ip, mac, name, gateway, router, udp, on_answer") end
  end
  if type(opts.on) ~= "userdata" then
    raise("argument", "host: option on: want a connector, got " .. type(opts.on), 'host{on = open"tap:pk0", ip = "10.9.0.2/24"}')
  end
  if not opts.ip or type(opts.ip) == "table" and #opts.ip == 0 then
    raise("argument", 'host: option ip: want an address such as "10.0.0.9/24", or a list of them')
  end
  if opts.on_answer and type(opts.on_answer) ~= "function" then
    raise("argument", "host: option on_answer: want a function, got " .. type(opts.on_answer))
  end
  if opts.udp and type(opts.udp) ~= "table" then
    raise("argument", "host: option udp: want a table of functions by port, got " .. type(opts.udp))
  end
  for port, fn in pairs(opts.udp or {}) do
    if type(port) ~= "number" or port < 0 or port > 65535 or port % 1 ~= 0 or type(fn) ~= "function" then
      raise("argument", ("host: option udp: want a function for each port, got %s for %s"):format(type(fn), tostring(port)))
    end
  end
  local self = setmetatable({conn = opts.on, own = opts.own, neighbors = {}, addresses = {}, groups = {}, list = {},
                             pings = 0, answered = 0, stopped = queue()}, Host)
  for _, text in ipairs(type(opts.ip) == "table" and opts.ip or {opts.ip}) do
    local ip, len = split(text, "host: option ip")
    self.list[#self.list + 1] = {ip = ip, len = len}
    self.ip = self.ip or ip
  end
  self.mac = opts.mac and Ether{src = opts.mac}.src or mac_for(self.ip)
  self.ip6 = link_local(self.mac)
  self.list[#self.list + 1] = {ip = self.ip6, len = 64}
  self.groups["ff02::1"] = true
  self.groups["255.255.255.255"] = true
  self.router = opts.router
  if self.router then self.groups["ff02::2"] = true end
  for _, a in ipairs(self.list) do
    self.addresses[a.ip] = true
    if a.ip:find(":", 1, true) then self.groups[solicited_node(a.ip)] = true end
  end
  self.name = opts.name or self.ip
  self.gateway = opts.gateway and canonical(opts.gateway)
  self.broadcast = {}
  self.udp = {[PORT_ECHO] = function(payload) return payload end}
  for port, fn in pairs(opts.udp or {}) do self.udp[port] = fn end
  self.handler = self.conn:on_packet(function(p)
    local reply = self:answer(p)
    if not reply then return end
    self.conn:write(reply)
    self.answered = self.answered + 1
    if opts.on_answer then opts.on_answer(p, reply) end
  end)
  return self
end

return host
