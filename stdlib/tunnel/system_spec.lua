local rig = require "rig"

local TUN, TAP, NO_PI = tunnel.IFF_TUN, tunnel.IFF_TAP, tunnel.IFF_NO_PI

-- A system in memory with one tunnel of a mode.
local function one(mode, opts)
  local sys = tunnel.memory(opts)
  local fd = sys:open(tunnel.PATH, sys.O_RDWR + sys.O_NONBLOCK)
  sys:ioctl(fd, tunnel.TUNSETIFF, {name = "tun0", mode = mode})
  return sys, fd, sys:get_tunnel(fd)
end

local function errno(want, fn, ...)
  local ok, err = pcall(fn, ...)
  check.equal(ok, false, "no error")
  check.equal(type(err) == "table" and err.errno, want)
  return err
end

test("the lines of the guide work as printed", function()
  sys = tunnel.memory{}; fd = sys:open("/dev/net/tun", sys.O_RDWR + sys.O_NONBLOCK)
  sys:ioctl(fd, tunnel.TUNSETIFF, {name="tun0", mode=tunnel.IFF_TUN + tunnel.IFF_NO_PI})
  check.equal(sys:send_udp("hi", {"172.16.2.2", 12345}), {"10.1.2.3", 21345})
  check.equal(tohex(sys:read(fd, 1024)), "4500001e000100004011c0b80a010203ac10020253613039000a00006869")
  local err = check.raises("system", sys.read, sys, fd, 1024)
  check.equal(err.errno, tunnel.EAGAIN)
  check.equal(err.errno, 11)
  err = errno(tunnel.ENOSYS, sys.open, sys, "/dev/nothing", 0)
  check.equal(err.errno, 38)
  sys:close(fd)
end)

-- E.1: what send_udp puts into the tunnel, by mode.
test("the octets of a datagram in every mode", function()
  local packet = "4500001e000100004011c0b80a010203ac10020253613039000a00006869"
  local ethernet = "ffffffffffff0000000000000800"
  for _, row in ipairs{
    {TUN + NO_PI, packet}, {TUN, "00000000" .. packet},
    {TAP + NO_PI, ethernet .. packet}, {TAP, "00000000" .. ethernet .. packet},
    {TUN + NO_PI + tunnel.IFF_VNET_HDR, ("00"):rep(10) .. packet},
    {TAP + tunnel.IFF_VNET_HDR, "00000000" .. ("00"):rep(10) .. ethernet .. packet},
  } do
    local sys, fd = one(row[1])
    sys:send_udp("hi", {"172.16.2.2", 12345})
    check.equal(tohex(sys:read(fd, 1024)), row[2])
    sys:close(fd)
  end
end)

test("the limit of a read holds in every mode, also below the size of PI", function()
  local sys, fd = one(TUN)
  local function limited(n)
    sys:send_udp("hello", {"172.16.2.2", 12345})
    return tohex(sys:read(fd, n))
  end
  check.equal(limited(10), "00000000450000210001")
  check.equal(limited(4), "00000000")
  check.equal(limited(2), "0000")
  check.equal(limited(0), "")
  errno(tunnel.EAGAIN, sys.read, sys, fd, 10) -- each took its datagram
  errno(tunnel.EINVAL, sys.read, sys, fd, -1)
  sys:close(fd)
  sys, fd = one(TUN + NO_PI)
  check.equal(limited(4), "45000021")
  check.equal(limited(0), "")
  sys:close(fd)
end)

-- E.2: what receive_udp takes out of it.
test("a datagram is received from its octets in every mode", function()
  local packet = "450000230001000040111ea6ac100202ac100201c3503039000f00007061796c6f6164"
  local ethernet = "ffffffffffff0000000000000800"
  for _, row in ipairs{{TUN + NO_PI, packet}, {TUN, "00000800" .. packet}, {TAP + NO_PI, ethernet .. packet}, {TAP, "00000800" .. ethernet .. packet}} do
    local sys, fd, t = one(row[1])
    local port = sys:receive_udp(fd, "172.16.2.1", 12345)
    sys:write(fd, fromhex(row[2]))
    check.equal(t.write_buffer:list(), {fromhex(row[2])})
    check.equal(port:recv(3), "pay")
    check.equal(#t.write_buffer, 0)
    port:close()
    sys:close(fd)
  end
end)

-- E.3: the octets of TUNSETIFF.
test("ioctl takes and gives octets, too", function()
  local sys = tunnel.memory()
  local fd = sys:open(tunnel.PATH, sys.O_RDWR)
  check.equal(tohex(sys:ioctl(fd, tunnel.TUNSETIFF, "tap-twistedtest\0\2\16")), "7461702d7477697374656474653132330210")
  local t = sys:get_tunnel(fd)
  check.equal(t.requested_name, "tap-twistedtest\0")
  check.equal(t.name, "tap-twistedte123")
  check.equal(t.tunnel_mode, 0x1002)
  sys:close(fd)
end)

test("a granted name has no NUL in it", function()
  local sys, fd, t = one(TUN)
  check.equal(t.name, "tun0123")
  check.equal(sys:ioctl(fd, tunnel.TUNGETIFF), {name = "tun0123", mode = TUN})
  check.equal(tohex(sys:ioctl(fd, tunnel.TUNGETIFF, ("\0"):rep(18))), tohex("tun0123") .. ("00"):rep(9) .. "0100")
  sys:close(fd)
end)

test("descriptors begin at 8192 and are never used again", function()
  local sys = tunnel.memory()
  local function open() return sys:open(tunnel.PATH, sys.O_RDWR) end
  check.equal(open(), 8192)
  check.equal(open(), 8193)
  sys:close(8192)
  check.equal(open(), 8194)
  for fd = 8193, 8194 do sys:close(fd) end
end)

test("ioctl looks at permission, descriptor, request and argument in this order", function()
  local sys, fd = one(TUN)
  sys.permissions.ioctl = false
  errno(tunnel.EPERM, sys.ioctl, sys, 7, 0xDEADBEEF, "garbage")
  sys.permissions.ioctl = true
  errno(tunnel.EBADF, sys.ioctl, sys, 7, 0xDEADBEEF, "garbage")
  errno(tunnel.EINVAL, sys.ioctl, sys, fd, 0xDEADBEEF, "garbage")
  errno(tunnel.EINVAL, sys.ioctl, sys, fd, tunnel.TUNSETIFF, "garbage")
  check.raises("argument", sys.ioctl, sys, fd, tunnel.TUNSETIFF, 7)
  check.raises("argument", sys.ioctl, sys, fd, tunnel.TUNSETIFF, {name = "seventeen octets!", mode = TUN})
  check.raises("argument", sys.ioctl, sys, fd, tunnel.TUNSETIFF, {name = "x", mode = 65536})
  check.raises("argument", sys.ioctl, sys, fd, tunnel.TUNSETPERSIST, {})
  sys:close(fd)
end)

test("permissions can be given, changed and looked at; read and write need none", function()
  local sys = tunnel.memory{permissions = {}}
  check.equal(tostring(sys.permissions), "{}")
  errno(tunnel.EPERM, sys.open, sys, tunnel.PATH, sys.O_RDWR)
  sys.permissions = {"open", "ioctl"}
  check.equal(tostring(sys.permissions), "{ioctl, open}")
  local fd = sys:open(tunnel.PATH, sys.O_RDWR)
  sys.permissions = {}
  check.equal(sys.permissions.open, false)
  check.equal(sys:write(fd, "x"), 1)
  check.raises("argument", tunnel.memory, {permissions = {"write"}})
  check.raises("argument", function() sys.permissions.write = true end)
  check.raises("argument", function() sys.permissions = {"write"} end)
  sys:close(fd)
end)

test("pending signals interrupt writes, one each, before the size is looked at", function()
  local sys, fd, t = one(TUN)
  t.pending_signals:append("SIGCHLD")
  t.pending_signals:append("SIGHUP")
  errno(tunnel.EINTR, sys.write, sys, fd, ("x"):rep(2000))
  check.equal(t.pending_signals:list(), {"SIGHUP"})
  errno(tunnel.EINTR, t.write, t, "x")
  check.equal(t:write("x"), 1)
  errno(tunnel.ENOBUFS, sys.write, sys, fd, ("x"):rep(1025))
  check.equal(sys:write(fd, ("x"):rep(1024)), 1024)
  sys:close(fd)
end)

test("the buffers are queues", function()
  local sys, fd, t = one(TUN + NO_PI)
  t:add_to_read_buffer("a")
  t.read_buffer:append("b")
  check.equal(#t.read_buffer, 2)
  check.equal(t.read_buffer[1], "a")
  check.equal(t.read_buffer[3], nil)
  check.equal(t:read(10), "a")
  check.equal(t.read_buffer:pop(), "b")
  check.equal(t.read_buffer:pop(), nil)
  sys:write(fd, "c")
  t.write_buffer:clear()
  check.equal(t.write_buffer:list(), {})
  errno(tunnel.EAGAIN, sys.read, sys, fd, 10) -- what was written is not read
  sys:close(fd)
  check.equal(tostring(t.read_buffer):sub(1, 12), "tunnel.Queue")
end)

test("before TUNSETIFF a tunnel has no mode and takes no packet", function()
  local sys = tunnel.memory()
  local fd = sys:open(tunnel.PATH, sys.O_RDWR + sys.O_NONBLOCK + sys.O_CLOEXEC, 384)
  local t = sys:get_tunnel(fd)
  check.equal(t.tunnel_mode, nil)
  check.equal(t.requested_name, nil)
  check.equal(t.name, nil)
  check.equal(t.file_mode, 384)
  check.equal(t.close_on_exec, true)
  check.equal(t.system, sys)
  check.equal(t == sys:get_tunnel(fd), true)
  check.raises("argument", t.add_to_read_buffer, t, "x")
  check.truthy(pcall(sys.read, sys, fd, 1) == false)
  errno(tunnel.ENETUNREACH, sys.send_udp, sys, "x", {"10.0.0.1", 1})
  sys:close(fd)
  errno(tunnel.ENETUNREACH, sys.send_udp, sys, "x", {"10.0.0.1", 1})
end)

-- Waiting --------------------------------------------------------------------------------

rig.each(rig.devices, "a blocking read is woken by close, and so are all who wait", function(d)
  local sys = d.system()
  local fd = rig.open(sys, tunnel.PATH, sys.O_RDWR)
  local got = rig.ioctl(sys, fd, tunnel.TUNSETIFF, {name = d.device, mode = d.mode})
  local function until_closed(fn) -- the kernel has things to say of its own
    while true do fn() end
  end
  local a = spawn(function() check.raises("closed", until_closed, function() sys:read(fd, 2048) end) end)
  local b = spawn(function() check.raises("closed", until_closed, function() if sys:wait(fd) then sleep(0.001) end end) end)
  local c = sys:receive_udp(fd, "0.0.0.0", 12346)
  local r = spawn(function() check.raises("closed", c.recv, c, 100) end)
  sleep(0.01)
  c:close()
  sys:close(fd)
  for _, t in ipairs{a, b, r} do t:wait(2) end
  check.truthy(got.name)
end)

test("wait tells whether there is something to read", function()
  local sys, fd, t = one(TUN)
  local start = clock.now()
  check.equal(sys:wait(fd, 0), false)
  check.equal(sys:wait(fd, 0.01), false)
  check.truthy(clock.now() - start >= 0.01)
  after(0.01, function() t:add_to_read_buffer("x") end)
  check.equal(sys:wait(fd), true)
  check.equal(sys:wait(fd, 0), true)
  sys:close(fd)
  check.raises("closed", sys.wait, sys, fd)
end)

test("many tasks may wait for one descriptor; each datagram goes to one of them", function()
  local sys = tunnel.memory()
  local fd = sys:open(tunnel.PATH, sys.O_RDWR)
  sys:ioctl(fd, tunnel.TUNSETIFF, {name = "tun0", mode = TUN + NO_PI})
  local tasks, got = {}, {}
  for i = 1, 10 do tasks[i] = spawn(function() table.insert(got, (sys:read(fd, 10))) end) end
  sleep(0)
  for i = 1, 10 do sys:get_tunnel(fd):add_to_read_buffer("p" .. i) end
  for i = 1, 10 do tasks[i]:wait() end
  table.sort(got)
  check.equal(table.concat(got, " "), "p1 p10 p2 p3 p4 p5 p6 p7 p8 p9")
  sys:close(fd)
end)

test("a task that waits in a read can be cancelled", function()
  local sys = tunnel.memory()
  local fd = sys:open(tunnel.PATH, sys.O_RDWR)
  local t = spawn(function() check.raises("cancelled", sys.read, sys, fd, 10) end)
  sleep(0)
  t:cancel()
  t:wait()
  sys:close(fd)
end)

test("on_readable calls until it is cancelled", function()
  local sys, fd, t = one(TUN + NO_PI)
  local got = {}
  local reader = sys:on_readable(fd, function() got[#got + 1] = sys:read(fd, 10) end)
  t:add_to_read_buffer("a")
  t:add_to_read_buffer("b")
  sleep(0.001)
  check.equal(got, {"a", "b"})
  reader:cancel()
  t:add_to_read_buffer("c")
  sleep(0.001)
  check.equal(#got, 2)
  sys:close(fd)
  check.raises("closed", sys.on_readable, sys, fd, print)
end)

-- The other side ---------------------------------------------------------------------------

test("receive_udp goes by its address and port, and leaves what is not for it", function()
  local sys, fd, t = one(TUN + NO_PI)
  local function send(to, data) sys:write(fd, rig.encapsulate(TUN + NO_PI, {"10.0.0.9", 5}, to, data)) end
  local a = sys:receive_udp(fd, "10.0.0.1", 7)
  local b = sys:receive_udp(fd, "10.0.0.1", 9)
  local other = sys:receive_udp(fd, "10.0.0.2", 7)
  local any = sys:receive_udp(fd, "0.0.0.0", 53)
  check.equal({a.host, a.port}, {"10.0.0.1", 7})
  sys:write(fd, "no packet at all")
  send({"10.0.0.1", 9}, "nine")
  send({"10.0.0.1", 7}, "seven")
  send({"10.0.0.7", 53}, "dns")
  check.equal(a:recv(100), "seven")
  check.equal(other:recv(100, 0), nil)
  check.equal(b:recv(100), "nine")
  check.equal({any:recv_from(100)}, {"dns", {"10.0.0.9", 5}})
  check.equal(t.write_buffer:list(), {"no packet at all"})
  -- It waits for one that is still to come.
  after(0.01, function() send({"10.0.0.1", 7}, "late") end)
  check.equal(a:recv(100, 1), "late")
  check.equal(a:recv(100, 0.01), nil)
  for _, p in ipairs{a, b, other, any} do p:close() end
  check.raises("closed", a.recv, a, 100)
  sys:close(fd)
end)

test("a datagram whose lengths or checksums are wrong is not received", function()
  local sys, fd, t = one(TUN + NO_PI)
  local port = sys:receive_udp(fd, "0.0.0.0")
  local good = IP{src = "10.0.0.9", dst = "10.0.0.1"} / UDP{sport = 1, dport = 2} / "data"
  for _, spoil in ipairs{
    function(p) p.IP.chksum = 1 end, function(p) p.UDP.chksum = 1 end, function(p) p.UDP.len = 50 end, function(p) p.UDP.len = 7 end,
    function(p) p.IP.len = 100 end, function(p) p.IP.ihl = 4 end, function(p) p.IP.frag = 1 end, function(p) p.IP.flags = "MF" end,
    function(p) p.IP.proto = 6 end, function(p) p.IP.version = 5 end,
  } do
    local p = good:copy()
    spoil(p)
    sys:write(fd, p)
    check.equal(port:recv(100, 0), nil, p:lua())
  end
  sys:write(fd, good)
  check.equal(port:recv(100, 0), "data")
  good.UDP.chksum = 0 -- none, which IPv4 allows
  sys:write(fd, good)
  check.equal(port:recv(100, 0), "data")
  check.equal(#t.write_buffer, 10)
  port:close()
  sys:close(fd)
end)

for _, mode in ipairs{TUN + NO_PI, TUN, TAP + NO_PI, TAP, TAP + tunnel.IFF_VNET_HDR} do
  test(("IPv6 goes both ways, mode 0x%04x"):format(mode), function()
    local sys, fd = one(mode)
    local from = sys:send_udp("hi", {"2001:db8::2", 12345})
    check.equal(from, {"fd10:1:2::3", 21345})
    local vnet = mode >= tunnel.IFF_VNET_HDR and 10 or 0
    local data = sys:read(fd, 1024)
    if vnet > 0 then data = data:sub(1, 4) .. data:sub(15) end
    local payload, source, dest = rig.decapsulate(mode, data)
    check.equal(payload, "hi")
    check.equal(source, from)
    check.equal(dest, {"2001:db8::2", 12345})
    local port = sys:receive_udp(fd, "2001:db8::1", 7)
    local back = rig.encapsulate(mode, {"2001:db8::2", 50000}, {"2001:db8::1", 7}, "payload")
    if vnet > 0 then back = back:sub(1, 4) .. ("\0"):rep(10) .. back:sub(5) end
    sys:write(fd, back)
    check.equal({port:recv_from(100)}, {"payload", {"2001:db8::2", 50000}})
    port:close()
    sys:close(fd)
  end)
end

test("what send_udp builds is what the codec builds", function()
  local sys, fd = one(TUN + NO_PI)
  for n = 0, 40 do
    local data = ("\255"):rep(n)
    sys:send_udp(data, {"172.16.2.2", 12345})
    check.bytes(sys:read(fd, 1024), tohex(bytes(IP{src = "10.1.2.3", dst = "172.16.2.2", id = 1} / UDP{sport = 21345, dport = 12345, chksum = 0} / data)))
    sys:send_udp(data, {"2001:db8::2", n})
    check.bytes(sys:read(fd, 1024), tohex(bytes(IPv6{src = "fd10:1:2::3", dst = "2001:db8::2"} / UDP{sport = 21345, dport = n} / data)))
  end
  errno(tunnel.EMSGSIZE, sys.send_udp, sys, ("x"):rep(65508), {"10.0.0.1", 1})
  check.raises("argument", sys.send_udp, sys, "x", {"host.example", 1})
  check.raises("argument", sys.send_udp, sys, "x", {"10.0.0.1"})
  sys:close(fd)
end)

test("of many tunnels the one that leads there gets the datagram, else the first", function()
  local sys, fds = tunnel.memory(), {}
  for i = 1, 3 do
    fds[i] = sys:open(tunnel.PATH, sys.O_RDWR + sys.O_NONBLOCK)
    local got = sys:ioctl(fds[i], tunnel.TUNSETIFF, {name = "net" .. i, mode = TUN + NO_PI})
    if i > 1 then sys:configure(got.name, {addr = ("10.0.%d.1/%d"):format(i, i * 8)}) end
  end
  local function goes(host) -- to which tunnel, and from where
    local from = sys:send_udp("x", {host, 1})
    for i = 1, 3 do
      if fds[i] and sys:wait(fds[i], 0) then
        sys:read(fds[i], 100)
        return i .. " from " .. from[1]
      end
    end
  end
  check.equal(goes("10.0.3.9"), "3 from 10.0.3.1")
  check.equal(goes("10.0.9.9"), "2 from 10.0.2.1")
  check.equal(goes("192.0.2.1"), "1 from 10.1.2.3")
  sys:close(fds[1])
  fds[1] = nil
  check.equal(goes("192.0.2.1"), "2 from 10.1.2.3")
  sys:close(fds[2])
  sys:close(fds[3])
  check.raises("missing", sys.configure, sys, "net2123", {addr = "10.0.0.1/8"})
  check.raises("argument", sys.configure, sys, "net2123", {addr = "10.0.0.1"})
end)

-- Interfaces, on both systems ------------------------------------------------------------------

-- A descriptor with an interface; on the kernel's system the name that was asked
-- for is granted, in memory another one.
local function attach(s, sys, name, mode)
  local fd = rig.open(sys, tunnel.PATH, sys.O_RDWR + sys.O_NONBLOCK)
  local ok, got = pcall(rig.ioctl, sys, fd, tunnel.TUNSETIFF, {name = name, mode = mode})
  if not ok then
    sys:close(fd)
    error(got, 0)
  end
  return fd, got.name
end

rig.each(rig.systems, "TUNGETIFF tells name and mode", function(s)
  local sys = s.make()
  local fd = rig.open(sys, tunnel.PATH, sys.O_RDWR)
  check.truthy(not pcall(sys.ioctl, sys, fd, tunnel.TUNGETIFF))
  local got = rig.ioctl(sys, fd, tunnel.TUNSETIFF, {name = "ptun", mode = TUN + NO_PI})
  check.equal(sys:ioctl(fd, tunnel.TUNGETIFF), {name = got.name, mode = TUN + NO_PI})
  check.equal(bit.band(sys:ioctl(fd, tunnel.TUNGETFEATURES), TUN + TAP + NO_PI), TUN + TAP + NO_PI)
  sys:close(fd)
end)

rig.each(rig.systems, "an interface goes with its descriptor, unless it is persistent", function(s)
  local sys = s.make()
  local function there(name) return (pcall(sys.configure, sys, name, {mtu = 1400})) end
  local fd, name = attach(s, sys, "ptap", TAP + NO_PI)
  check.equal(there(name), true)
  sys:close(fd)
  check.equal(there(name), false)
  fd, name = attach(s, sys, "ptap", TAP + NO_PI)
  sys:ioctl(fd, tunnel.TUNSETPERSIST, 1)
  sys:ioctl(fd, tunnel.TUNSETOWNER, 0)
  sys:ioctl(fd, tunnel.TUNSETGROUP, 0)
  check.equal(bit.band(sys:ioctl(fd, tunnel.TUNGETIFF).mode, tunnel.IFF_PERSIST), tunnel.IFF_PERSIST)
  sys:close(fd)
  check.equal(there(name), true)
  local again, name2 = attach(s, sys, "ptap", TAP + NO_PI)
  check.equal(name2, name)
  sys:ioctl(again, tunnel.TUNSETPERSIST, false)
  sys:close(again)
  check.equal(there(name), false)
end)

rig.each(rig.systems, "an interface has one descriptor, of one kind", function(s)
  local sys = s.make()
  local fd = attach(s, sys, "ptun", TUN + NO_PI)
  errno(tunnel.EBUSY, attach, s, sys, "ptun", TUN + NO_PI)
  errno(tunnel.EINVAL, attach, s, sys, "ptun", TAP + NO_PI)
  errno(tunnel.EINVAL, attach, s, sys, "ptun", TUN + NO_PI + tunnel.IFF_MULTI_QUEUE)
  errno(tunnel.EBUSY, attach, s, sys, "ptun", TUN + NO_PI + tunnel.IFF_TUN_EXCL)
  sys:close(fd)
end)

rig.each(rig.systems, "several descriptors for one interface with several queues", function(s)
  local sys = s.make()
  local mode = TUN + NO_PI + tunnel.IFF_MULTI_QUEUE
  local fds, name = {}, nil
  for i = 1, 4 do
    local granted
    fds[i], granted = attach(s, sys, "pmq", mode)
    name = name or granted
    check.equal(granted, name)
  end
  sys:configure(name, {addr = "10.77.0.1/24"})
  -- Every datagram comes out of exactly one queue, and one flow of one.
  local function count()
    local per, all = {}, 0
    for i, fd in ipairs(fds) do
      per[i] = 0
      while sys:wait(fd, 0) do
        local payload = rig.decapsulate(mode, sys:read(fd, 2048))
        if payload == "flow" then per[i], all = per[i] + 1, all + 1 end
      end
    end
    return per, all
  end
  for port = 1, 64 do sys:send_udp("flow", {"10.77.0.2", port}) end
  local per, all = count()
  check.equal(all, 64)
  local used = 0
  for i = 1, 4 do if per[i] > 0 then used = used + 1 end end
  check.truthy(used > 1, "all went through one queue")
  -- A queue that is switched off gets nothing.
  for i = 2, 4 do sys:ioctl(fds[i], tunnel.TUNSETQUEUE, {mode = tunnel.IFF_DETACH_QUEUE}) end
  errno(tunnel.EINVAL, sys.ioctl, sys, fds[2], tunnel.TUNSETQUEUE, {mode = tunnel.IFF_DETACH_QUEUE})
  for port = 1, 16 do sys:send_udp("flow", {"10.77.0.2", port}) end
  local got = 0
  while sys:wait(fds[1], 0) do
    if rig.decapsulate(mode, sys:read(fds[1], 2048)) == "flow" then got = got + 1 end
  end
  check.equal(got, 16)
  sys:ioctl(fds[2], tunnel.TUNSETQUEUE, {mode = tunnel.IFF_ATTACH_QUEUE})
  for _, fd in ipairs(fds) do sys:close(fd) end
end)

rig.each(rig.systems, "a virtio header stands in front of every packet, of the size that was set", function(s)
  local sys = s.make()
  local mode = TUN + NO_PI + tunnel.IFF_VNET_HDR
  local fd, name = attach(s, sys, "pvnet", mode)
  check.equal(sys:ioctl(fd, tunnel.TUNGETVNETHDRSZ), 10)
  sys:ioctl(fd, tunnel.TUNSETVNETHDRSZ, 12)
  check.equal(sys:ioctl(fd, tunnel.TUNGETVNETHDRSZ), 12)
  errno(tunnel.EINVAL, sys.ioctl, sys, fd, tunnel.TUNSETVNETHDRSZ, 4)
  sys:configure(name, {addr = "10.78.0.1/24"})
  sys:send_udp("hi", {"10.78.0.2", 9})
  local payload
  while sys:wait(fd, 1) do
    payload = rig.decapsulate(mode, sys:read(fd, 2048):sub(13))
    if payload == "hi" then break end
  end
  check.equal(payload, "hi")
  local port = sys:receive_udp(fd, "10.78.0.1", 7)
  sys:write(fd, ("\0"):rep(12) .. rig.encapsulate(mode, {"10.78.0.2", 9}, {"10.78.0.1", 7}, "back"))
  check.equal(port:recv(100, 2), "back")
  port:close()
  sys:close(fd)
end)

local kinds = {}
for _, s in ipairs(rig.systems) do
  for name, mode in pairs{tun = TUN + NO_PI, tap = TAP + NO_PI} do
    table.insert(kinds, {name = s.name .. " " .. name, s = s, mode = mode, device = "p6" .. name})
  end
end

rig.each(kinds, "IPv6 reaches the tunnel that leads there, and comes back", function(k)
  local sys, mac = k.s.make(), "02:00:00:00:00:02"
  local fd, name = attach(k.s, sys, k.device, k.mode)
  sys:configure(name, {addr = "fd77::1/64"})
  local from = sys:send_udp("hi", {"fd77::2", 9})
  check.equal(from[1], "fd77::1")
  local payload
  while sys:wait(fd, 1) do
    local data, p = sys:read(fd, 2048), nil
    payload, p = rig.decapsulate(k.mode, data)
    if payload == "hi" then break end
    -- A kernel asks for the MAC address first (RFC 4861 §7.2.2).
    local ask = k.mode == TAP + NO_PI and Ether.parse(data)
    local nd = ask and ask:layer("ICMPv6")
    if nd and nd.type == "neighbor-solicitation" and nd.target == "fd77::2" then
      sys:write(fd, Ether{src = mac, dst = ask.Ether.src} / IPv6{src = "fd77::2", dst = ask.IPv6.src, hlim = 255}
        / ICMPv6{type = "neighbor-advertisement", flags = "SO", target = "fd77::2", options = {{"TargetLinkAddr", mac}}})
    end
  end
  check.equal(payload, "hi")
  local port = sys:receive_udp(fd, "fd77::1", 7)
  sys:write(fd, rig.encapsulate(k.mode, {"fd77::2", 9}, {"fd77::1", 7}, "back"))
  check.equal({port:recv_from(100, 2)}, {"back", {"fd77::2", 9}})
  port:close()
  sys:close(fd)
end)

test("an owner keeps others out of his persistent interface", function()
  local sys = tunnel.memory()
  local fd, name = attach(nil, sys, "own", TUN)
  sys:ioctl(fd, tunnel.TUNSETOWNER, 1000)
  sys:ioctl(fd, tunnel.TUNSETPERSIST, 1)
  sys:close(fd)
  sys.uid = 1001
  errno(tunnel.EPERM, attach, nil, sys, name, TUN)
  errno(tunnel.EPERM, attach, nil, sys, "new", TUN)
  sys.uid = 1000
  sys:close((attach(nil, sys, name, TUN)))
end)

rig.each(rig.systems, "a thousand times open and close leaves nothing", function(s)
  local sys = s.make()
  for i = 1, s.real and 100 or 1000 do
    local fd = attach(s, sys, "cycle", TUN + NO_PI)
    sys:close(fd)
  end
end)

rig.each(rig.systems, "a failed ioctl leaves the descriptor to its owner", function(s)
  local sys = s.make()
  local fd = rig.open(sys, tunnel.PATH, sys.O_RDWR)
  check.truthy(not pcall(sys.ioctl, sys, fd, tunnel.TUNSETIFF, "short"))
  sys:close(fd)
end)

-- Special devices ----------------------------------------------------------------------------

test("a special device is a table of functions", function()
  local sys = tunnel.memory()
  local opened
  sys:register_special_device("/dev/echo", function(system, flags, mode)
    opened = {system, flags, mode}
    local queue = {}
    return {
      read = function(_, limit) return table.remove(queue, 1) end,
      write = function(_, data) queue[#queue + 1] = data:upper() return #data end,
      ioctl = function(_, request, arg) return {request, arg} end,
      ready = function() return #queue > 0 end,
      close = function() opened = nil end,
      add_to_read_buffer = function(_, packet) queue[#queue + 1] = packet end,
    }
  end)
  local fd = sys:open("/dev/echo", 5, 438)
  check.equal(opened, {sys, 5, 438})
  check.equal(sys:write(fd, "hello"), 5)
  check.equal(sys:read(fd, 4), "HELL")
  errno(tunnel.EAGAIN, sys.read, sys, fd, 4)
  check.equal(sys:ioctl(fd, 0xDEADBEEF, "x"), {0xDEADBEEF, "x"})
  sys:send_udp("hi", {"10.0.0.1", 1})
  check.equal(#sys:read(fd, 100), 30)
  check.equal(type(sys:get_tunnel(fd).read), "function")
  local got
  local reader = sys:on_readable(fd, function() got = sys:read(fd, 100) end)
  sleep(0)
  sys:write(fd, "later")
  sys:notify(fd)
  sleep(0.001)
  check.equal(got, "LATER")
  reader:cancel()
  sys:close(fd)
  check.equal(opened, nil)
end)

test("what a special device lacks is ENOSYS, and its errors are the caller's", function()
  local sys = tunnel.memory()
  sys:register_special_device("/dev/lame", function() return {write = function() error("broken on purpose", 0) end} end)
  local fd = sys:open("/dev/lame", 0)
  errno(tunnel.ENOSYS, sys.read, sys, fd, 1)
  errno(tunnel.EINVAL, sys.ioctl, sys, fd, 1)
  check.raises("broken on purpose", sys.write, sys, fd, "x")
  sys:close(fd)
  sys:register_special_device("/dev/none", function() end)
  check.raises("returned no table", sys.open, sys, "/dev/none", 0)
end)

test("a port runs on any table that offers what a system does", function()
  local packets, log, reader = {"one", "two"}, {}, nil
  local function none()
    local _, err = pcall(raise, "system", "nothing")
    err.errno = tunnel.EAGAIN
    error(err, 0)
  end
  local mine = {
    O_RDWR = 1, O_NONBLOCK = 2, O_CLOEXEC = 4,
    open = function(_, path, flags) log[#log + 1] = path .. " " .. flags return 42 end,
    ioctl = function(_, fd, request, arg) return {name = "granted", mode = arg.mode} end,
    read = function(_, fd, limit) return table.remove(packets, 1) or none() end,
    write = function(_, fd, data) log[#log + 1] = fd .. " " .. data return #data end,
    close = function(_, fd) log[#log + 1] = "close " .. fd end,
    on_readable = function(_, fd, fn) reader = fn return {cancel = function() log[#log + 1] = "cancel" end} end,
  }
  local got = rig.recorder()
  local port = tunnel.port{name = "x", mode = "tun", system = mine, handler = got}
  port:start_listening()
  check.equal(port.interface, "granted")
  reader()
  check.equal(got.got, {"one", "two"})
  port:write("three")
  rig.stop(port)
  check.equal(log, {"/dev/net/tun 7", "42 three", "cancel", "close 42"})
end)

test("the kernel's system has nothing to look into", function()
  local sys = tunnel.real()
  check.raises("unsupported", sys.get_tunnel, sys, 3)
  check.raises("unsupported", sys.register_special_device, sys, "/dev/x", print)
  check.equal(sys.permissions, nil)
  check.raises("closed", sys.read, sys, 0, 1) -- a descriptor that it has not opened
end)
