--- Ports of tunnels, and dispatchers that hand packets to those who want them.
-- A port is the program's end of a TUN or TAP interface, on the kernel or in
-- memory:
--
--    net = tunnel.ip_protocol()
--    net:add_proto(17, function(data, info) print(info.source, #data) end)
--    port = tunnel.port{name = "tun0", mode = "tun", handler = net}
--    port:start_listening()
--    port:configure{addr = "10.9.0.1/24"}
--    port:wait()

--- Classes and log ------------------------------------------------------------

-- Where warnings and the errors of handlers go; a script may replace it.
tunnel.log = function(text) io.stderr:write(text, "\n") end

-- "tunnel.ip_protocol" for a dispatcher, the __name of a class, else the type.
local function class_of(handler)
  local mt = getmetatable(handler)
  if type(mt) == "table" and type(mt.__name) == "string" then return mt.__name end
  if type(handler) == "table" and type(rawget(handler, "name")) == "string" then return handler.name end
  return type(handler)
end

local function is_receiver(proto)
  if type(proto) == "function" then return true end
  return (type(proto) == "table" or type(proto) == "userdata") and type(proto.datagram_received) == "function"
end

local function deliver(proto, ...)
  if type(proto) == "function" then return proto(...) end
  return proto:datagram_received(...)
end

-- An error that ends a task is nobody's to keep.
local function is_cancel(err) return type(err) == "table" and err.kind == "cancelled" end

--- Addresses ------------------------------------------------------------------

local TYPES = {[tunnel.IFF_TUN] = "IFF_TUN", [tunnel.IFF_TAP] = "IFF_TAP"}
local MODES = {tun = tunnel.IFF_TUN, tap = tunnel.IFF_TAP}

local Address = {__name = "tunnel.TunnelAddress"}

function Address.__index(self, key)
  if key ~= 0 and key ~= 1 then return nil end
  tunnel.log("TunnelAddress.__getitem__ is deprecated; use the fields type and name instead")
  if key == 0 then return "TUNTAP" end
  return self.name
end

function Address.__eq(a, b)
  return getmetatable(a) == getmetatable(b) and a.type == b.type and a.name == b.name
end

function Address.__tostring(a)
  return ("<tunnel.TunnelAddress type=%s name='%s'>"):format(TYPES[a.type] or ("0x%04x"):format(a.type), a.name)
end

---Makes the address of an interface, as get_host returns it. Two are equal when
---type and name are.
---@param type string|integer   "tun", "tap", or a mode
---@param name string           the interface
---@return table                {type=, name=}
---@error argument  there is no such type
function tunnel.address(type, name)
  local mode = MODES[type] or type
  if _G.type(mode) ~= "number" then raise("argument", ("type: want \"tun\", \"tap\" or a number, got %s"):format(tostring(type))) end
  return setmetatable({type = mode, name = name}, Address)
end

--- Ports ------------------------------------------------------------------------

-- Octets that one do_read takes, so that others have their turn.
local MAX_THROUGHPUT = 262144

local Port = {__name = "tunnel.Port"}
Port.__index = Port

-- The result of stop_listening.
local Result = {__name = "tunnel.Result"}
Result.__index = Result

function Result:wait(timeout)
  if self.task then self.task:wait(timeout) end
end

-- How many ports each handler is connected to.
local ports_of = setmetatable({}, {__mode = "k"})

local function connect(handler, port)
  if type(handler) ~= "table" then return end
  local n = (ports_of[handler] or 0) + 1
  ports_of[handler] = n
  handler.transport = port
  if n == 1 and type(handler.start_protocol) == "function" then handler:start_protocol() end
end

local function disconnect(handler)
  if type(handler) ~= "table" or not ports_of[handler] then return end
  local n = ports_of[handler] - 1
  ports_of[handler] = n > 0 and n or nil
  handler.transport = nil
  if n == 0 and type(handler.stop_protocol) == "function" then handler:stop_protocol() end
end

local OPTIONS = {name = "string", mode = "string", handler = true, max_packet_size = "number", system = true, log = "function"}

---Makes a port; start_listening opens it. Options:
---  name             interface, up to 15 octets (default: the system picks one)
---  mode             "tap" or "tun" (default: what the handler is for, else "tap")
---  handler          a function (data, info), or a table with datagram_received(self,
---                   data, info) and perhaps start_protocol and stop_protocol; its
---                   field transport is the port while that is open
---  max_packet_size  octets of a packet; the rest of a longer one is lost (default 8192)
---  system           tunnel.real() (default) or tunnel.memory()
---  log              where the errors of the handler go (default tunnel.log)
---Methods: start_listening stop_listening lose_connection wait write
---write_sequence get_host fileno log_prefix configure do_read. Fields: connected,
---reading, interface (the name that was granted), name, handler, system,
---max_packet_size, handler_errors.
---@param opts table
---@return any
---@error argument  an option is not understood
function tunnel.port(opts)
  for k, v in pairs(opts) do
    local want = OPTIONS[k]
    if not want then raise("argument", ("option %s: a port has no such option"):format(tostring(k))) end
    if want ~= true and type(v) ~= want then
      raise("argument", ("option %s: want %s, got %s"):format(k, want, type(v)))
    end
  end
  local handler, name = opts.handler, opts.name or ""
  if not is_receiver(handler) then
    raise("argument", ("option handler: want a function or a table with datagram_received, got %s"):format(type(handler)))
  end
  if #name > 15 then
    raise("argument", ("option name: %q has %d octets, an interface's name has up to 15"):format(name, #name))
  end
  local level = type(handler) == "table" and handler.level
  local mode = opts.mode or level == "packet" and "tun" or "tap"
  if not MODES[mode] then raise("argument", ("option mode: want \"tap\" or \"tun\", got %q"):format(mode)) end
  local size = opts.max_packet_size or 8192
  if size < 1 or size ~= math.floor(size) then
    raise("argument", ("option max_packet_size: want a whole number above 0, got %s"):format(tostring(size)))
  end
  return setmetatable({
    name = name, interface = name, mode = MODES[mode], handler = handler, max_packet_size = size,
    system = opts.system or tunnel.real(), log = opts.log,
    connected = false, reading = false, handler_errors = 0, fd = -1,
  }, Port)
end

-- Raises what the system refused as one error that says what could not be done;
-- kind and errno are the system's.
local function cannot_listen(port, cause)
  if is_cancel(cause) or type(cause) ~= "table" then error(cause, 0) end
  local _, err = pcall(raise, cause.kind or "system",
    ("couldn't listen on any:%s: %s"):format(port.name, cause.message or tostring(cause)), cause.hint)
  if type(err) == "table" then err.errno, err.cause = cause.errno, cause end
  error(err, 0)
end

function Port:start_listening()
  if self.stopping then self.stopping:wait() end
  if self.connected then raise("exists", ("the port listens already on %s"):format(self.interface)) end
  local sys = self.system
  local opened, fd = pcall(sys.open, sys, tunnel.PATH, sys.O_RDWR + sys.O_CLOEXEC + sys.O_NONBLOCK)
  if not opened then cannot_listen(self, fd) end
  local set, got = pcall(sys.ioctl, sys, fd, tunnel.TUNSETIFF, {name = self.name, mode = self.mode + tunnel.IFF_NO_PI})
  if not set then
    pcall(sys.close, sys, fd)
    cannot_listen(self, got)
  end
  self.fd, self.interface, self.connected, self.stopped = fd, got.name, true, queue()
  local started, err = pcall(connect, self.handler, self)
  if not started then
    self:connection_lost()
    error(err, 0)
  end
  self.reading = true
  self.reader = sys:on_readable(fd, function()
    local ok, err = pcall(self.do_read, self)
    if ok then return end
    if is_cancel(err) then error(err, 0) end
    self:say(("%s stops reading: %s"):format(tostring(self), tostring(err)))
    self:stop_listening()
  end)
end

-- Nothing is read any more; the rest happens at the next turn.
function Port:stop_listening()
  if self.stopping then return self.stopping end
  if not self.connected then return setmetatable({done = true}, Result) end
  self.reading = false
  if self.reader then self.reader:cancel() end
  local result = setmetatable({done = false}, Result)
  self.stopping = result
  result.task = spawn(function()
    self:connection_lost()
    result.done = true
  end)
  return result
end

function Port:lose_connection()
  self:say("tunnel.Port.lose_connection was deprecated; please use tunnel.Port.stop_listening instead")
  return self:stop_listening()
end

-- The end of a port, whatever brought it about.
function Port:connection_lost()
  local fd = self.fd
  self.fd, self.connected, self.reading, self.reader = -1, false, false, nil
  self.interface = self.name
  pcall(self.system.close, self.system, fd) -- somebody may have closed it behind our back
  self.stopping = nil
  self.stopped:close()
  disconnect(self.handler)
end

-- Waits until the port has stopped.
function Port:wait(timeout)
  if not self.connected then return end
  local ok, err = pcall(self.stopped.get, self.stopped, timeout)
  if not ok and err.kind ~= "closed" then error(err, 0) end
end

function Port:say(text) (self.log or tunnel.log)(text) end

local QUIET = {[tunnel.EAGAIN] = true, [tunnel.EWOULDBLOCK] = true, [tunnel.EINTR] = true}

-- Reads what is there, up to MAX_THROUGHPUT octets, and hands it over.
function Port:do_read()
  local sys, size, total = self.system, self.max_packet_size, 0
  local read = sys.read
  while total < MAX_THROUGHPUT and self.reading do
    local ok, data = pcall(read, sys, self.fd, size)
    if not ok then
      if type(data) == "table" and QUIET[data.errno] then return end
      error(data, 0)
    end
    total = total + #data
    local fine, err = pcall(deliver, self.handler, data, {partial = 0, port = self})
    if not fine then self:failed(err) end
    if #data == 0 then return end
  end
end

-- Tells about a handler that failed: the first time, and then ever more rarely.
function Port:failed(err)
  if is_cancel(err) then error(err, 0) end
  local n = self.handler_errors + 1
  self.handler_errors = n
  if n > 1 and not tostring(n):match("^10+$") then return end
  local times = n > 1 and ("\n(%d times so far)"):format(n) or ""
  self:say(("Unhandled exception from %s.datagramReceived\n%s%s"):format(class_of(self.handler), tostring(err), times))
end

function Port:open_fd()
  if not self.connected then raise("closed", ("the port of %s does not listen"):format(self.name)) end
  return self.fd
end

-- Sends one packet, a string or a Packet, and returns its octets.
function Port:write(datagram)
  local sys, fd = self.system, self:open_fd()
  while true do
    local ok, n = pcall(sys.write, sys, fd, datagram)
    if ok then return n end
    if type(n) ~= "table" or n.errno ~= tunnel.EINTR then error(n, 0) end
  end
end

-- Sends one packet that is given in pieces.
function Port:write_sequence(pieces)
  local octets = {}
  for i, piece in ipairs(pieces) do octets[i] = type(piece) == "string" and piece or bytes(piece) end
  self:write(table.concat(octets))
end

function Port:get_host() return tunnel.address(self.mode, self.interface) end

function Port:fileno() return self.fd end

function Port:log_prefix()
  return ("%s (%s)"):format(class_of(self.handler):match("[^.]*$"), TYPES[self.mode])
end

-- Gives the interface an address of the other side: {addr=, mtu=, up=}.
function Port:configure(opts)
  self:open_fd()
  self.system:configure(self.interface, opts)
end

function Port:__tostring()
  local state = self.connected and "listening" or "not listening"
  return ("<%s %s on %s/%s>"):format(class_of(self.handler), state, TYPES[self.mode], self.interface)
end

--- Dispatchers --------------------------------------------------------------------

-- A class of dispatchers: number -> list of handlers. above is the level that it
-- hands to, bits the size of its numbers.
local function dispatcher(name, level, above, bits, unfit)
  local class = {__name = "tunnel." .. name, level = level}
  class.__index = class

  function class:add_proto(num, proto)
    local of = type(proto) == "table" and proto.level
    if not is_receiver(proto) or of and of ~= above then
      raise("argument", unfit:format(type(proto) == "string" and ("%q"):format(proto) or tostring(proto)))
    end
    if type(num) ~= "number" or num ~= math.floor(num) then
      raise("argument", ("Added protocol must be a whole number, got %s"):format(tostring(num)))
    end
    if num < 0 then raise("range", "Added protocol must be positive or zero") end
    if num >= 2 ^ bits then raise("range", ("Added protocol must fit in %d bits"):format(bits)) end
    local list = self.protos[num] or {}
    list[#list + 1] = proto
    self.protos[num] = list
  end

  -- Hands to all handlers of a number.
  function class:dispatch(num, ...)
    local list = self.protos[num]
    if not list then
      self.unknown = self.unknown + 1
      return
    end
    for i = 1, #list do deliver(list[i], ...) end
  end

  function class.new() return setmetatable({protos = {}, unknown = 0, malformed = 0}, class) end
  return class
end

local ADAPT = "cannot adapt: %s does not receive what this dispatcher hands over"
local Ethernet = dispatcher("ethernet_protocol", "frame", "packet", 16, ADAPT)
local IPv = dispatcher("ip_protocol", "packet", "segment", 32, ADAPT)
local UDPs = dispatcher("raw_udp_protocol", "segment", nil, 16, "Added protocol must be an instance of DatagramProtocol")

-- Texts of addresses, by their octets: a few stations say nearly everything. It
-- forgets all when it is full.
local function texts(format)
  local known, n = {}, 0
  return function(octets)
    local text = known[octets]
    if text then return text end
    if n == 4096 then known, n = {}, 0 end
    text = format:format(octets:byte(1, -1))
    known[octets], n = text, n + 1
    return text
  end
end
local mac, ip4 = texts("%02x:%02x:%02x:%02x:%02x:%02x"), texts("%d.%d.%d.%d")

function Ethernet:datagram_received(frame, info)
  local hi, lo = frame:byte(13, 14)
  if not lo then
    self.malformed = self.malformed + 1
    return
  end
  local kind = hi * 256 + lo
  if not self.protos[kind] then
    self.unknown = self.unknown + 1
    return
  end
  self:dispatch(kind, frame:sub(15), {
    partial = info and info.partial or 0, port = info and info.port, protocol = kind,
    dest = mac(frame:sub(1, 6)), source = mac(frame:sub(7, 12)),
  })
end

-- IPv6 extension headers that have their length in the second octet, RFC 8200.
local EXTENSIONS = {[0] = true, [43] = true, [60] = true}
local FRAGMENT = 44

-- What is in an IPv6 packet: the fields, the number of the payload and where it
-- begins; nil when the headers do not fit.
local function parse6(packet)
  if #packet < 40 then return end
  local a, b = packet:byte(1, 2)
  local hi, lo, nh, hops = packet:byte(5, 8)
  local p = IPv6.parse(packet:sub(1, 40))
  local out = {version = 6, tos = a % 16 * 16 + math.floor(b / 16), tot_len = 40 + hi * 256 + lo, ttl = hops,
    source = p.src, dest = p.dst, fragment_id = 0, fragment_offset = 0, dont_fragment = true, more_fragments = false}
  local at = 40
  while EXTENSIONS[nh] or nh == FRAGMENT do
    local next_nh, len, frag_hi, frag_lo = packet:byte(at + 1, at + 4)
    if not frag_lo then return end
    if nh == FRAGMENT then
      local i = {packet:byte(at + 5, at + 8)}
      if #i < 4 then return end
      local frag = frag_hi * 256 + frag_lo
      out.fragment_offset, out.more_fragments = math.floor(frag / 8), frag % 2 == 1
      out.fragment_id = ((i[1] * 256 + i[2]) * 256 + i[3]) * 256 + i[4]
      at = at + 8
    else
      at = at + 8 + len * 8
    end
    nh = next_nh
    if out.fragment_offset > 0 then break end -- what follows is not a header
  end
  if at > #packet then return end
  out.ihl, out.protocol = at, nh
  return out
end

local function parse4(packet)
  local first, tos, l1, l2, i1, i2, f1, f2, ttl, protocol = packet:byte(1, 10)
  if not protocol then return end
  local ihl = first % 16 * 4
  if ihl < 20 or ihl > #packet then return end
  local frag = f1 * 256 + f2
  return {
    version = 4, ihl = ihl, tos = tos, tot_len = l1 * 256 + l2, fragment_id = i1 * 256 + i2,
    fragment_offset = frag % 0x2000, dont_fragment = math.floor(frag / 0x4000) % 2 == 1,
    more_fragments = math.floor(frag / 0x2000) % 2 == 1, ttl = ttl, protocol = protocol,
    source = ip4(packet:sub(13, 16)), dest = ip4(packet:sub(17, 20)),
  }
end

function IPv:datagram_received(packet, below)
  local version = math.floor((packet:byte(1) or 0) / 16)
  local info
  if version == 4 then info = parse4(packet) elseif version == 6 then info = parse6(packet) end
  if not info then
    self.malformed = self.malformed + 1
    return
  end
  info.partial, info.port = below and below.partial or 0, below and below.port
  -- What Ethernet filled up is no payload; a length that cannot be is not believed.
  local last = #packet
  if info.tot_len >= info.ihl and info.tot_len < last then last = info.tot_len end
  self:dispatch(info.protocol, packet:sub(info.ihl + 1, last), info)
end

function UDPs:datagram_received(segment, info)
  if #segment < 8 then
    self.malformed = self.malformed + 1
    return
  end
  local s1, s2, d1, d2 = segment:byte(1, 4)
  self:dispatch(d1 * 256 + d2, segment:sub(9), {info and info.source, s1 * 256 + s2}, info)
end

---Makes a dispatcher of Ethernet frames by their type: add_proto(type, handler).
---A handler is a function (data, info), a table with datagram_received(self,
---data, info), or a tunnel.ip_protocol(); info has dest, source (MAC addresses),
---protocol, partial and port. Frames that nobody wants are counted in the field
---unknown, those that are too short in malformed.
---@return any
function tunnel.ethernet_protocol() return Ethernet.new() end

---Makes a dispatcher of IPv4 and IPv6 packets by their protocol:
---add_proto(number, handler). A handler is a function (data, info), a table with
---datagram_received(self, data, info), or a tunnel.raw_udp_protocol(); info has
---source, dest, protocol, version, ihl (octets of all headers), tos, tot_len,
---fragment_id, fragment_offset (in units of 8 octets), dont_fragment,
---more_fragments, ttl, partial and port. Packets that nobody wants are counted
---in the field unknown, those whose header does not hold in malformed.
---@return any
function tunnel.ip_protocol() return IPv.new() end

---Makes a dispatcher of UDP datagrams by their destination port:
---add_proto(port, handler). A handler is a function (data, {host, port}, info) or
---a table with datagram_received(self, data, {host, port}, info); length and
---checksum are not looked at.
---@return any
function tunnel.raw_udp_protocol() return UDPs.new() end
