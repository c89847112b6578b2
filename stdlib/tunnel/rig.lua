-- What the specs of tunnels share: the systems they run on, and frames.
local rig = {}

rig.REMOTE_MAC, rig.BROADCAST = "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"

-- The specs run on the memory system; on the real clock, where a kernel can
-- follow, they run on the kernel's, too.
local on_kernel = not clock.virtual

-- Opens a system's driver, and skips the test where there is none. That is the
-- rule for real systems; in memory it never comes to that.
function rig.open(sys, path, flags)
  local ok, fd = pcall(sys.open, sys, path, flags)
  if ok then return fd end
  if fd.errno == tunnel.ENOENT or fd.errno == tunnel.ENODEV then check.skip("no /dev/net/tun: " .. fd.message) end
  error(fd, 0)
end

function rig.ioctl(sys, fd, request, arg)
  local ok, got = pcall(sys.ioctl, sys, fd, request, arg)
  if ok then return got end
  if got.errno == tunnel.EPERM and sys.name == "real" then check.skip("may not make an interface: " .. got.message) end
  error(got, 0)
end

local TAP, TUN, NO_PI = tunnel.IFF_TAP, tunnel.IFF_TUN, tunnel.IFF_NO_PI

-- The devices that the contract is run against. Each makes a system and names
-- the mode, the interface to ask for and the two addresses.
rig.devices = {
  {name = "tap in memory", mode = TAP + NO_PI},
  {name = "tap with PI in memory", mode = TAP},
  {name = "tun in memory", mode = TUN + NO_PI},
  {name = "tun with PI in memory", mode = TUN},
}
for _, d in ipairs(rig.devices) do
  d.system, d.device, d.local_ip, d.remote_ip = tunnel.memory, "tap-twistedtest", "172.16.2.1", "172.16.2.2"
end
if on_kernel then
  for _, d in ipairs{
    {name = "real tap", mode = TAP + NO_PI, device = "tap-twtest", local_ip = "172.16.0.1", remote_ip = "172.16.0.2"},
    {name = "real tap with PI", mode = TAP, device = "tap-twtest-pi", local_ip = "172.16.1.1", remote_ip = "172.16.1.2"},
    {name = "real tun", mode = TUN + NO_PI, device = "tun-twtest", local_ip = "172.16.3.1", remote_ip = "172.16.3.2"},
    {name = "real tun with PI", mode = TUN, device = "tun-twtest-pi", local_ip = "172.16.4.1", remote_ip = "172.16.4.2"},
  } do
    d.system, d.real = tunnel.real, true
    table.insert(rig.devices, d)
  end
end

-- The systems, for what needs no particular device.
rig.systems = {{name = "memory", make = tunnel.memory}}
if on_kernel then table.insert(rig.systems, {name = "real", make = tunnel.real, real = true}) end

-- What a port can be: its mode, on every system.
rig.ports = {
  {name = "tun in memory", mode = "tun", make = tunnel.memory},
  {name = "tap in memory", mode = "tap", make = tunnel.memory},
}
if on_kernel then
  table.insert(rig.ports, {name = "real tun", mode = "tun", make = tunnel.real, real = true})
  table.insert(rig.ports, {name = "real tap", mode = "tap", make = tunnel.real, real = true})
end
-- Those whose tunnel can be looked into.
rig.memory_ports = {rig.ports[1], rig.ports[2]}

-- Declares a test for every one of a list.
function rig.each(list, name, fn)
  for _, x in ipairs(list) do
    test(("%s [%s]"):format(name, x.name), function() fn(x) end)
  end
end

-- An open device of d: the system, the descriptor, and what it was granted.
function rig.attach(d)
  local sys = d.system()
  local fd = rig.open(sys, tunnel.PATH, sys.O_RDWR + sys.O_NONBLOCK)
  local ok, got = pcall(rig.ioctl, sys, fd, tunnel.TUNSETIFF, {name = d.device, mode = d.mode})
  if not ok then
    sys:close(fd)
    error(got, 0)
  end
  if d.real then sys:configure(got.name, {addr = d.local_ip .. "/24"}) end
  return sys, fd, got
end

local function has(mode, flag) return bit.band(mode, flag) ~= 0 end

-- A datagram as the program writes it to a tunnel of this mode.
function rig.encapsulate(mode, from, to, data)
  local l3 = from[1]:find(":", 1, true) and IPv6{src = from[1], dst = to[1]} or IP{src = from[1], dst = to[1]}
  local p = l3 / UDP{sport = from[2], dport = to[2]} / data
  if has(mode, TAP) then p = Ether{dst = rig.BROADCAST, src = rig.REMOTE_MAC} / p end
  local pi = has(mode, NO_PI) and "" or (l3.version == 6 and "\0\0\x86\xdd" or "\0\0\8\0")
  return pi .. bytes(p)
end

-- The other way: payload, source and destination of the UDP datagram in what was
-- read; nil if it is something else.
function rig.decapsulate(mode, data)
  if not has(mode, NO_PI) then data = data:sub(5) end
  local p
  if has(mode, TAP) then p = Ether.parse(data)
  elseif #data > 0 and math.floor(data:byte() / 16) == 6 then p = IPv6.parse(data)
  else p = IP.parse(data) end
  local l3 = p:layer("IP") or p:layer("IPv6")
  local udp = p:layer("UDP")
  if not l3 or not udp then return nil, p end
  return udp.payload, {l3.src, udp.sport}, {l3.dst, udp.dport}
end

-- A kernel asks for the MAC address of the remote station before it sends.
function rig.answer_arp(sys, fd, d, data)
  if not d.real or not has(d.mode, TAP) then return end
  local ask = Ether.parse(has(d.mode, NO_PI) and data or data:sub(5))
  local arp = ask:layer("ARP")
  if not arp or arp.op ~= "who-has" or arp.pdst ~= d.remote_ip then return end
  local mac = "02:00:00:00:00:02"
  local reply = Ether{dst = ask.Ether.src, src = mac} / ARP{op = "is-at", hwsrc = mac, psrc = arp.pdst, hwdst = arp.hwsrc, pdst = arp.psrc}
  sys:write(fd, (has(d.mode, NO_PI) and "" or "\0\0\8\6") .. bytes(reply))
end

-- A handler that records, as a class with a name of its own.
local Recorder = {__name = "spec.Recorder"}
Recorder.__index = Recorder

function Recorder:datagram_received(data, info)
  table.insert(self.got, data)
  table.insert(self.info, info)
end

function rig.recorder(level) return setmetatable({got = {}, info = {}, level = level}, Recorder) end

-- A port of kind k with a recording handler, not listening.
function rig.port(k, opts)
  local o = {name = "tun0", mode = k.mode, system = k.make(), handler = rig.recorder(k.mode == "tap" and "frame" or "packet")}
  for key, v in pairs(opts or {}) do o[key] = v end
  return tunnel.port(o), o.handler, o.system
end

-- The same, listening; rig.stop ends it.
function rig.listen(k, opts)
  local port, got, sys = rig.port(k, opts)
  local ok, err = pcall(port.start_listening, port)
  if not ok then
    if k.real and (err.errno == tunnel.ENOENT or err.errno == tunnel.ENODEV or err.errno == tunnel.EPERM) then check.skip(err.message) end
    error(err, 0)
  end
  return port, got, sys
end

function rig.stop(port) port:stop_listening():wait() end

-- The tunnel behind a port in memory.
function rig.tunnel_of(port) return port.system:get_tunnel(port) end

-- What a port of kind k delivers for a packet in its tunnel's read buffer.
function rig.as_read(k, packet)
  if k.mode == "tun" then return packet end
  return "\255\255\255\255\255\255\0\0\0\0\0\0\8\0" .. packet
end

-- How many octets that adds.
function rig.overhead(k) return k.mode == "tap" and 14 or 0 end

-- Calls fn and returns what tunnel.log got meanwhile.
function rig.logged(fn)
  local lines, log = {}, tunnel.log
  tunnel.log = function(text) table.insert(lines, text) end
  local ok, err = pcall(fn)
  tunnel.log = log
  if not ok then error(err, 0) end
  return lines
end

return rig
