local rig = require "rig"

-- T.1: the tunnel alone ------------------------------------------------------

test("T001 a blocking read of an empty tunnel is not implemented in a strict system, as in the seed", function()
  local sys = tunnel.memory{strict = true}
  local fd = sys:open(tunnel.PATH, sys.O_RDWR)
  check.raises("unsupported", sys.read, sys, fd, 1024)
  check.raises("unsupported", sys:get_tunnel(fd).read, sys:get_tunnel(fd), 1024)
  sys:close(fd)
end)

test("T001 otherwise a blocking read blocks, until there is something", function()
  local sys = tunnel.memory()
  local fd = sys:open(tunnel.PATH, sys.O_RDWR)
  sys:ioctl(fd, tunnel.TUNSETIFF, {name = "tun0", mode = tunnel.IFF_TUN + tunnel.IFF_NO_PI})
  local t = sys:get_tunnel(fd)
  check.equal(t.blocking, true)
  local reader = spawn(function() return sys:read(fd, 1024), clock.now() end)
  local start = clock.now()
  after(0.02, function() t:add_to_read_buffer("late") end)
  local data, at = reader:wait()
  check.equal(data, "late")
  check.truthy(at - start >= 0.02)
  sys:close(fd)
end)

-- T.2: the contract of a device ------------------------------------------------

rig.each(rig.devices, "T010 the system offers the whole interface", function(d)
  local sys = d.system()
  for _, name in ipairs{"open", "read", "write", "close", "ioctl", "send_udp", "receive_udp", "wait", "on_readable", "configure"} do
    check.equal(type(sys[name]), "function", name)
  end
  for _, name in ipairs{"O_RDWR", "O_NONBLOCK", "O_CLOEXEC"} do check.equal(type(sys[name]), "number", name) end
end)

local function closed(d)
  local sys, fd = rig.attach(d)
  sys:close(fd)
  return sys, fd
end

local function is_ebadf(fn, ...)
  local err = check.raises("closed", fn, ...)
  check.equal(err.errno, tunnel.EBADF)
end

rig.each(rig.devices, "T011 reading a closed descriptor is EBADF", function(d)
  local sys, fd = closed(d)
  is_ebadf(sys.read, sys, fd, 1024)
end)

rig.each(rig.devices, "T012 writing to a closed descriptor is EBADF", function(d)
  local sys, fd = closed(d)
  is_ebadf(sys.write, sys, fd, "bytes")
end)

rig.each(rig.devices, "T013 closing a closed descriptor is EBADF", function(d)
  local sys, fd = closed(d)
  is_ebadf(sys.close, sys, fd)
end)

rig.each(rig.devices, "T014 ioctl looks at the descriptor before the argument", function(d)
  local sys, fd = closed(d)
  is_ebadf(sys.ioctl, sys, fd, tunnel.TUNSETIFF, "tap0")
  is_ebadf(sys.ioctl, sys, fd, tunnel.TUNSETIFF, {nonsense = true})
  is_ebadf(sys.ioctl, sys, fd, tunnel.TUNSETIFF)
end)

rig.each(rig.devices, "T015 an unknown request is EINVAL, whatever its argument", function(d)
  local sys, fd = rig.attach(d)
  for _, garbage in ipairs{"garbage", 7, {nonsense = true}} do
    local err = check.raises("argument", sys.ioctl, sys, fd, 0xDEADBEEF, garbage)
    check.equal(err.errno, tunnel.EINVAL)
    check.matches(err.message, "request or args is not valid")
  end
  sys:close(fd)
end)

rig.each(rig.devices, "T016 a datagram that is sent through the system can be read and decoded", function(d)
  local sys, fd = rig.attach(d)
  local found
  for attempt = 1, 100 do
    local message = "hello world:" .. math.random(0, 2 ^ 53)
    local source = sys:send_udp(message, {d.remote_ip, 12345})
    for burst = 1, 100 do
      local ok, data = pcall(sys.read, sys, fd, 1024)
      if not ok then
        check.equal(data.errno == tunnel.EAGAIN or data.errno == tunnel.EWOULDBLOCK, true)
        break
      end
      rig.answer_arp(sys, fd, d, data)
      local payload, from, to = rig.decapsulate(d.mode, data)
      if payload == message then
        check.equal(from, source)
        check.equal(to, {d.remote_ip, 12345})
        found = true
      end
    end
    if found then break end
    sys:wait(fd, 0.02)
  end
  check.truthy(found, "the datagram never came")
  sys:close(fd)
end)

rig.each(rig.devices, "T017 a datagram that is written to the tunnel is received on the other side", function(d)
  local sys, fd = rig.attach(d)
  local port = sys:receive_udp(fd, d.local_ip, 12345)
  local message = "hello world:" .. math.random(0, 2 ^ 53)
  for attempt = 1, 100 do
    local frame = rig.encapsulate(d.mode, {d.remote_ip, 50000}, {d.local_ip, 12345}, message)
    check.equal(sys:write(fd, frame), #frame)
    local got, from = port:recv_from(1024, 0.05)
    if got then
      check.equal(got, message)
      check.equal(from, {d.remote_ip, 50000})
      port:close()
      sys:close(fd)
      return
    end
  end
  check.fail("the datagram never came")
end)

-- T.3: the I/O systems --------------------------------------------------------

local nowhere = "/dev/there-is-no-such-device-ever"

test("T020 in memory a device that was not registered is ENOSYS", function()
  local sys = tunnel.memory()
  local err = check.raises("system", sys.open, sys, nowhere, sys.O_RDWR)
  check.equal(err.errno, tunnel.ENOSYS)
end)

if clock.virtual then
  test("T021 the kernel's system opens nothing on a virtual clock", function()
    local sys = tunnel.real()
    check.raises("realtime", sys.open, sys, nowhere, sys.O_RDWR)
    check.raises("realtime", sys.send_udp, sys, "x", {"127.0.0.1", 9})
  end)
else
  test("T021 of the kernel's system a device that is not there is ENOENT", function()
    local sys = tunnel.real()
    local err = check.raises("missing", sys.open, sys, nowhere, sys.O_RDWR)
    check.equal(err.errno, tunnel.ENOENT)
  end)
end

test("T022 a missing driver, or no right to use it, skips a test of the kernel's system", function()
  local function refusing(op, errno)
    local sys = {name = "real"}
    sys[op] = function()
      local _, err = pcall(raise, "system", op .. " refused")
      err.errno = errno
      error(err, 0)
    end
    return sys
  end
  check.raises("no /dev/net/tun", rig.open, refusing("open", tunnel.ENOENT), tunnel.PATH, 0)
  check.raises("no /dev/net/tun", rig.open, refusing("open", tunnel.ENODEV), tunnel.PATH, 0)
  check.raises("open refused", rig.open, refusing("open", tunnel.EPERM), tunnel.PATH, 0)
  check.raises("may not make an interface", rig.ioctl, refusing("ioctl", tunnel.EPERM), 3, tunnel.TUNSETIFF)
  check.raises("ioctl refused", rig.ioctl, refusing("ioctl", tunnel.EINVAL), 3, tunnel.TUNSETIFF)
end)

-- T.7: what the specs themselves rely on ---------------------------------------

test("T100 a reader is registered while the port listens, time is the test's, and results come after one turn", function()
  local sys = tunnel.memory()
  local got = rig.recorder()
  local port = tunnel.port{name = "tun0", mode = "tun", handler = got, system = sys}
  port:start_listening()
  check.equal(port.reading, true)
  local before = clock.now()
  if clock.virtual then
    sleep(3600)
    check.equal(clock.now() - before, 3600)
  end
  local done = port:stop_listening()
  check.equal(port.reading, false)
  check.equal(done.done, false)
  sleep(0)
  check.equal(done.done, true)
end)

test("T101 with PI on, what is written has 0000 0800 in front, and 4 octets of what is read are stripped", function()
  local mode = tunnel.IFF_TAP
  local frame = rig.encapsulate(mode, {"10.0.0.1", 1}, {"10.0.0.2", 2}, "x")
  check.bytes(frame:sub(1, 4), "00 00 08 00")
  check.equal(rig.decapsulate(mode, "\0\0\0\0" .. frame:sub(5)), "x")
end)
