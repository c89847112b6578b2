local rig = require "rig"

local TYPE = {tun = "IFF_TUN", tap = "IFF_TAP"}

-- T.4: whatever the type ---------------------------------------------------------

test("T030 a port offers the interface of a listening port", function()
  local port = tunnel.port{name = "tun0", handler = print, system = tunnel.memory()}
  for _, name in ipairs{"start_listening", "stop_listening", "lose_connection", "write", "write_sequence", "get_host", "fileno", "log_prefix", "do_read"} do
    check.equal(type(port[name]), "function", name)
  end
  check.equal(port.connected, false)
  check.equal(port.max_packet_size, 8192)
end)

test("T031 without a system the port is on the kernel's", function()
  local port = tunnel.port{name = "tun0", handler = print}
  check.equal(port.system, tunnel.real())
  check.equal(port.system.name, "real")
end)

-- T.5: on a system, for TUN and for TAP --------------------------------------------

rig.each(rig.ports, "T040 start_listening opens the device and asks for the interface", function(k)
  local port, _, sys = rig.listen(k)
  if not k.real then
    local t = rig.tunnel_of(port)
    check.equal(t.open_flags, sys.O_RDWR + sys.O_CLOEXEC + sys.O_NONBLOCK)
    check.equal(t.requested_name, "tun0" .. ("\0"):rep(12))
    check.equal(t.name, port.interface)
    check.equal(t.blocking, false)
    check.equal(t.close_on_exec, true)
    check.equal(t.tunnel_mode, tunnel[TYPE[k.mode]] + tunnel.IFF_NO_PI)
  else
    local got = sys:ioctl(port:fileno(), tunnel.TUNGETIFF)
    check.equal(got.name, "tun0")
    check.equal(bit.band(got.mode, 0xf003), tunnel[TYPE[k.mode]] + tunnel.IFF_NO_PI)
    check.equal(port.interface, "tun0")
  end
  rig.stop(port)
end)

rig.each(rig.ports, "T041 start_listening makes connected true", function(k)
  local port = rig.listen(k)
  check.equal(port.connected, true)
  rig.stop(port)
end)

rig.each(rig.ports, "T042 start_listening connects the handler: its transport is the port", function(k)
  local starts = 0
  local handler = {datagram_received = function() end, start_protocol = function(self)
    starts = starts + 1
    check.truthy(self.transport)
  end}
  local port = rig.listen(k, {handler = handler})
  check.equal(handler.transport, port)
  check.equal(starts, 1)
  rig.stop(port)
end)

rig.each(rig.ports, "T043 start_listening registers the port for reading", function(k)
  local port, got, sys = rig.listen(k)
  check.equal(port.reading, true)
  if not k.real then
    rig.tunnel_of(port):add_to_read_buffer("some packet")
    sleep(0)
    sleep(0)
    check.equal(got.got, {rig.as_read(k, "some packet")})
  else
    port:configure{addr = "172.16.9.1/24"}
    for i = 1, 100 do -- in TAP mode it is a question for the MAC address that comes
      sys:send_udp("some packet", {"172.16.9.2", 9})
      sleep(0.01)
      if #got.got > 0 then break end
    end
    check.truthy(#got.got > 0)
  end
  rig.stop(port)
end)

rig.each(rig.memory_ports, "T044 without the permission open, start_listening cannot listen", function(k)
  local port, _, sys = rig.port(k)
  sys.permissions.open = false
  local err = check.raises("permission", port.start_listening, port)
  check.matches(err.message, "couldn't listen on any:tun0: open /dev/net/tun: operation not permitted")
  check.equal(err.errno, tunnel.EPERM)
  check.equal(port.connected, false)
end)

rig.each(rig.memory_ports, "T045 without the permission ioctl, start_listening cannot listen, and leaves no descriptor", function(k)
  local port, _, sys = rig.port(k)
  sys.permissions = {"open"}
  local err = check.raises("permission", port.start_listening, port)
  check.matches(err.message, "couldn't listen on any:tun0: ")
  check.equal(err.errno, tunnel.EPERM)
  check.equal(port:fileno(), -1)
  check.raises("closed", sys.get_tunnel, sys, 8192)
end)

rig.each(rig.ports, "T046 stop_listening ends reading at once, and its result comes with nothing after one turn, when the descriptor is closed", function(k)
  local port, _, sys = rig.listen(k)
  local fd = port:fileno()
  local done = port:stop_listening()
  check.equal(port.reading, false)
  check.equal(done.done, false)
  check.equal(select("#", done:wait()), 0)
  check.equal(done.done, true)
  check.equal(check.raises("closed", sys.read, sys, fd, 1).errno, tunnel.EBADF)
  if not k.real then check.raises("closed", sys.get_tunnel, sys, fd) end
end)

rig.each(rig.ports, "T047 after stopping, connected is false", function(k)
  local port = rig.listen(k)
  rig.stop(port)
  check.equal(port.connected, false)
end)

rig.each(rig.ports, "T048 after stopping, the handler has no transport", function(k)
  local stops = 0
  local handler = {datagram_received = function() end, stop_protocol = function() stops = stops + 1 end}
  local port = rig.listen(k, {handler = handler})
  rig.stop(port)
  check.equal(handler.transport, nil)
  check.equal(stops, 1)
end)

rig.each(rig.ports, "T049 stop_listening on a port that never started succeeds immediately", function(k)
  local port = rig.port(k)
  local done = port:stop_listening()
  check.equal(done.done, true)
  check.equal(select("#", done:wait()), 0)
end)

rig.each(rig.ports, "T050 a second stop_listening does no harm, and its result comes, too", function(k)
  local port = rig.listen(k)
  local first, second = port:stop_listening(), port:stop_listening()
  first:wait()
  second:wait()
  check.equal(first.done and second.done, true)
  local third = port:stop_listening()
  check.equal(third.done, true)
end)

rig.each(rig.ports, "T051 lose_connection stops the port and warns once", function(k)
  local port = rig.listen(k)
  local done
  local lines = rig.logged(function() done = port:lose_connection() end)
  done:wait()
  check.equal(lines, {"tunnel.Port.lose_connection was deprecated; please use tunnel.Port.stop_listening instead"})
  check.equal(port.connected, false)
end)

local function quiet(k, style, name, errno)
  local port, got = rig.listen(k)
  local t = rig.tunnel_of(port)
  t.non_blocking_exception_style = style
  check.equal(t.non_blocking_exception_style, style)
  local err = check.raises(name, t.read, t, 10)
  check.equal(err.errno, errno)
  port:do_read()
  check.equal(got.got, {})
  rig.stop(port)
end

rig.each(rig.memory_ports, "T052 EAGAIN ends a burst of reads", function(k)
  quiet(k, tunnel.EAGAIN_STYLE, "resource temporarily unavailable", tunnel.EAGAIN)
end)

rig.each(rig.memory_ports, "T053 EWOULDBLOCK ends a burst of reads", function(k)
  quiet(k, tunnel.EWOULDBLOCK_STYLE, "operation would block", tunnel.EWOULDBLOCK)
end)

rig.each(rig.memory_ports, "T054 EINTR ends a burst of reads", function(k)
  quiet(k, tunnel.EINTR_STYLE, "interrupted function call", tunnel.EINTR)
end)

rig.each(rig.memory_ports, "T055 any other error of a read comes out of do_read", function(k)
  local port, got = rig.listen(k)
  local unhandled = setmetatable({}, {__tostring = function() return "UnhandledException" end})
  rig.tunnel_of(port).non_blocking_exception_style = unhandled
  local ok, err = pcall(port.do_read, port)
  check.equal(ok, false)
  check.equal(rawequal(err, unhandled), true)
  check.equal(got.got, {})
  rig.stop(port)
end)

rig.each(rig.memory_ports, "T056 so does a system error of another number", function(k)
  local port, got = rig.listen(k)
  rig.tunnel_of(port).non_blocking_exception_style = tunnel.EPERM
  local err = check.raises("permission", port.do_read, port)
  check.equal(err.errno, tunnel.EPERM)
  check.equal(got.got, {})
  rig.stop(port)
end)

rig.each(rig.memory_ports, "T057 a datagram of one octet less than the limit is delivered whole, once", function(k)
  local port, got = rig.listen(k)
  local packet = ("x"):rep(port.max_packet_size - 1 - rig.overhead(k))
  rig.tunnel_of(port):add_to_read_buffer(packet)
  port:do_read()
  check.equal(got.got, {rig.as_read(k, packet)})
  check.equal(#got.got[1], port.max_packet_size - 1)
  check.equal(got.info[1].partial, 0)
  rig.stop(port)
end)

rig.each(rig.memory_ports, "T058 one of an octet more is cut to the limit", function(k)
  local port, got = rig.listen(k)
  local packet = ("x"):rep(port.max_packet_size + 1 - rig.overhead(k))
  rig.tunnel_of(port):add_to_read_buffer(packet)
  port:do_read()
  check.equal(got.got, {rig.as_read(k, packet):sub(1, port.max_packet_size)})
  rig.stop(port)
end)

rig.each(rig.memory_ports, "T059 one do_read delivers 256 KiB in order, and leaves the rest", function(k)
  local port, got = rig.listen(k)
  local t, want = rig.tunnel_of(port), {}
  for i = 1, 262144 / port.max_packet_size do
    local packet = string.char(i):rep(port.max_packet_size - rig.overhead(k))
    t:add_to_read_buffer(packet)
    want[i] = rig.as_read(k, packet)
  end
  t:add_to_read_buffer("one more")
  port:do_read()
  check.equal(#got.got, 32)
  check.equal(got.got, want)
  check.equal(#t.read_buffer, 1)
  rig.stop(port)
end)

local Failing = {__name = "spec.Failing"}
Failing.__index = Failing
function Failing:datagram_received() error("handler failed on purpose", 0) end

rig.each(rig.memory_ports, "T060 an error of the handler is logged once, and does not come out", function(k)
  local port = rig.listen(k, {handler = setmetatable({}, Failing)})
  local t = rig.tunnel_of(port)
  t:add_to_read_buffer("a")
  local lines = rig.logged(function() port:do_read() end)
  check.equal(#lines, 1)
  check.matches(lines[1], "handler failed on purpose")
  check.equal(port.handler_errors, 1)
  -- One that goes on failing is told about ever more rarely: at 10, at 100.
  for i = 2, 100 do t:add_to_read_buffer("a") end
  lines = rig.logged(function() port:do_read() end)
  check.equal(#lines, 2)
  check.equal(port.handler_errors, 100)
  check.equal(port.connected, true)
  rig.stop(port)
end)

rig.each(rig.memory_ports, "T061 the first line of the log names the handler", function(k)
  local port = rig.listen(k, {handler = setmetatable({}, Failing)})
  rig.tunnel_of(port):add_to_read_buffer("a")
  local lines = rig.logged(function() port:do_read() end)
  check.equal(lines[1]:match("^[^\n]*"), "Unhandled exception from spec.Failing.datagramReceived")
  rig.stop(port)
end)

rig.each(rig.ports, "T062 write leaves exactly the datagram in the tunnel", function(k)
  local port, _, sys = rig.listen(k)
  if not k.real then
    check.equal(port:write("hello"), 5)
    check.equal(rig.tunnel_of(port).write_buffer:list(), {"hello"})
  else
    port:configure{addr = "172.16.9.1/24"}
    local udp = sys:receive_udp(port:fileno(), "172.16.9.1", 7)
    local frame = rig.encapsulate(tunnel[TYPE[k.mode]] + tunnel.IFF_NO_PI, {"172.16.9.2", 1}, {"172.16.9.1", 7}, "hello")
    check.equal(port:write(frame), #frame)
    check.equal(udp:recv(100, 2), "hello")
    check.equal(udp:recv(100, 0), nil)
    udp:close()
  end
  rig.stop(port)
end)

rig.each(rig.memory_ports, "T063 a write that a signal interrupts is tried again, and stored once", function(k)
  local port = rig.listen(k)
  local t = rig.tunnel_of(port)
  t.pending_signals:append("SIGCHLD")
  port:write("hello")
  check.equal(t.write_buffer:list(), {"hello"})
  check.equal(#t.pending_signals, 0)
  rig.stop(port)
end)

rig.each(rig.memory_ports, "T064 a datagram that is too long for the buffer is an error of the caller", function(k)
  local port = rig.listen(k)
  local t = rig.tunnel_of(port)
  check.equal(t.SEND_BUFFER_SIZE, 1024)
  port:write(("x"):rep(1024))
  local err = check.raises("system", port.write, port, ("x"):rep(1025))
  check.equal(err.errno, tunnel.ENOBUFS)
  check.equal(#t.write_buffer, 1)
  rig.stop(port)
end)

rig.each(rig.memory_ports, "T065 write_sequence stores one datagram", function(k)
  local port = rig.listen(k)
  check.equal(port:write_sequence{"a", "b", "c", "d"}, nil)
  check.equal(rig.tunnel_of(port).write_buffer:list(), {"abcd"})
  rig.stop(port)
end)

rig.each(rig.ports, "T066 get_host is the type without the PI flag, and the granted name", function(k)
  local port = rig.listen(k)
  check.equal(port:get_host() == tunnel.address(k.mode, port.interface), true)
  if not k.real then check.equal(port:get_host().name, rig.tunnel_of(port).name) end
  rig.stop(port)
end)

rig.each(rig.ports, "T067 the text of a listening port", function(k)
  local port = rig.listen(k)
  check.equal(tostring(port), ("<spec.Recorder listening on %s/%s>"):format(TYPE[k.mode], port.interface))
  rig.stop(port)
end)

rig.each(rig.ports, "T068 the text of a port that does not listen", function(k)
  local port = rig.port(k)
  check.equal(tostring(port), ("<spec.Recorder not listening on %s/tun0>"):format(TYPE[k.mode]))
end)

rig.each(rig.ports, "T069 the prefix of its log", function(k)
  local port = rig.port(k)
  check.equal(port:log_prefix(), ("Recorder (%s)"):format(TYPE[k.mode]))
end)

-- T.6: addresses ---------------------------------------------------------------------

local device = function() return tunnel.address(tunnel.IFF_TAP, "device") end

test("T080 an address has a type and a name", function()
  check.equal(device().type, tunnel.IFF_TAP)
  check.equal(device().name, "device")
  check.raises("argument", tunnel.address, "tin", "device")
end)

test("T081 the indices 0 and 1 still work, and warn", function()
  local kind, name
  local lines = rig.logged(function()
    local a = device()
    kind, name = a[0], a[1]
  end)
  check.equal(kind, "TUNTAP")
  check.equal(name, "device")
  check.equal(#lines, 2)
  for _, line in ipairs(lines) do check.matches(line, "TunnelAddress.__getitem__ is deprecated") end
end)

test("T082 the text of an address", function()
  check.matches(tostring(tunnel.address("tun", "device")), "TunnelAddress type=IFF_TUN name='device'>$")
end)

test("T083 an address equals itself", function()
  local a = device()
  check.equal(a == a, true)
end)

test("T084 and is not unequal to itself", function()
  local a = device()
  check.equal(a ~= a, false)
end)

test("T085 the same type and name are equal", function()
  check.equal(tunnel.address("tap", "device") == device(), true)
end)

test("T086 and not unequal", function()
  check.equal(tunnel.address("tap", "device") ~= device(), false)
end)

test("T087 another type is not equal", function()
  check.equal(tunnel.address("tun", "device") == device(), false)
end)

test("T088 but unequal", function()
  check.equal(tunnel.address("tun", "device") ~= device(), true)
end)

test("T089 another name is not equal", function()
  check.equal(tunnel.address("tap", "another") == device(), false)
end)

test("T090 but unequal", function()
  check.equal(tunnel.address("tap", "another") ~= device(), true)
end)

local function of_another_class()
  return setmetatable({type = tunnel.IFF_TAP, name = "device"}, {__eq = getmetatable(device()).__eq})
end

test("T091 another class is not equal", function()
  check.equal(of_another_class() == device(), false)
  check.equal(device() == "device", false)
end)

test("T092 but unequal", function()
  check.equal(of_another_class() ~= device(), true)
  check.equal(device() ~= "device", true)
end)

-- Beyond the list ---------------------------------------------------------------------

rig.each(rig.ports, "a port can listen again after it has stopped", function(k)
  local port = rig.listen(k)
  rig.stop(port)
  port:start_listening()
  check.equal(port.connected, true)
  check.raises("exists", port.start_listening, port)
  rig.stop(port)
end)

rig.each(rig.ports, "wait returns when the port stops, and a write to a stopped port is an error", function(k)
  local port = rig.listen(k)
  local waiter = spawn(function() port:wait() return port.connected end)
  after(0.01, function() port:stop_listening() end)
  check.equal(waiter:wait(), false)
  check.raises("closed", port.write, port, "x")
end)

test("the system picks a name when none is asked for", function()
  local sys = tunnel.memory()
  local ports = {}
  for i = 1, 3 do
    ports[i] = tunnel.port{mode = i == 2 and "tap" or "tun", handler = print, system = sys}
    ports[i]:start_listening()
  end
  check.equal(ports[1].interface, "tun0")
  check.equal(ports[2].interface, "tap0")
  check.equal(ports[3].interface, "tun1")
  for _, p in ipairs(ports) do rig.stop(p) end
end)

test("the mode follows from the handler", function()
  check.equal(tunnel.port{handler = tunnel.ip_protocol(), system = tunnel.memory()}.mode, tunnel.IFF_TUN)
  check.equal(tunnel.port{handler = tunnel.ethernet_protocol(), system = tunnel.memory()}.mode, tunnel.IFF_TAP)
end)

test("options of a port are checked", function()
  check.raises("argument", tunnel.port, {})
  check.raises("argument", tunnel.port, {handler = "silliness"})
  check.raises("argument", tunnel.port, {handler = print, mode = "tin"})
  check.raises("argument", tunnel.port, {handler = print, name = "sixteen octets ."})
  check.raises("argument", tunnel.port, {handler = print, nmae = "tun0"})
  check.raises("argument", tunnel.port, {handler = print, max_packet_size = 0})
end)

test("a read that fails in the background stops the port, aloud", function()
  local port, _, sys = rig.port(rig.memory_ports[1])
  port:start_listening()
  local said = {}
  port.log = function(text) table.insert(said, text) end
  local t = rig.tunnel_of(port)
  t.non_blocking_exception_style = tunnel.EPERM
  t:add_to_read_buffer("x") -- read, and then the burst goes on to an empty buffer
  port:wait()
  check.equal(#said, 1)
  check.matches(said[1], "stops reading: read /dev/net/tun: operation not permitted")
  check.equal(port.handler.got, {"x"})
end)

test("a handler may stop its port in the middle of a burst", function()
  local port
  local got = 0
  port = tunnel.port{mode = "tun", system = tunnel.memory(), handler = function()
    got = got + 1
    port:stop_listening()
  end}
  port:start_listening()
  local t = rig.tunnel_of(port)
  for i = 1, 3 do t:add_to_read_buffer("x") end
  port:wait()
  check.equal(got, 1)
  check.equal(#t.read_buffer, 2)
end)

test("a thousand ports at once get each its own", function()
  local sys, ports, got = tunnel.memory(), {}, {}
  for i = 1, 1000 do
    local p = tunnel.port{name = "t" .. i, mode = "tun", system = sys, handler = function(data) got[i] = data end}
    p:start_listening()
    p:configure{addr = ("10.%d.%d.1/24"):format(math.floor(i / 250), i % 250)}
    ports[i] = p
  end
  for i = 1, 1000 do sys:send_udp("to " .. i, {("10.%d.%d.2"):format(math.floor(i / 250), i % 250), i}) end
  sleep(0.001)
  for i = 1, 1000 do check.equal(IP.parse(got[i]):layer("UDP").payload, "to " .. i) end
  for i = 1, 1000 do ports[i]:stop_listening() end
  ports[1000]:wait()
end)
