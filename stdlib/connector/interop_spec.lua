-- What User Mode Linux and QEMU send and take, octet for octet.
local rig = require "rig"
local who = rig.who

local DEFAULT = {group = "239.192.168.1", port = 1102}

rig.on_namespace("Q001: one frame is one datagram to 239.192.168.1:1102 with ttl 1, unless said otherwise", function()
  local wire = connector.link{name = "lo", direction = "in", filter = "udp"}
  local c = connector.mcast{ifaddr = "127.0.0.1"}
  check.equal({c.group, c.port, c.ttl, c.loop}, {DEFAULT.group, DEFAULT.port, 1, true})
  for _, frame in ipairs{bytes(who), "x", ("y"):rep(1514)} do
    c:write(frame)
    local p = wire:read_packet(5)
    check.equal({p.IP.dst, p.IP.ttl, p.UDP.sport, p.UDP.dport}, {DEFAULT.group, 1, DEFAULT.port, DEFAULT.port})
    check.equal(bytes(p):sub(-#frame), frame)
    check.equal(p.UDP.len, 8 + #frame, "nothing around it")
  end
  check.equal(wire:read(0), nil)
  c:close()
  c = open"mcast://239.1.2.3:1103?if=127.0.0.1&ttl=7&loop=0"
  check.equal({c.group, c.port, c.ttl, c.loop}, {"239.1.2.3", 1103, 7, false})
  c:write(who)
  local p = wire:read_packet(5)
  check.equal({p.IP.dst, p.IP.ttl, p.UDP.dport}, {"239.1.2.3", 7, 1103})
  c:close()
  wire:close()
end)

test("Q001: extra text and bad numbers are refused", function()
  for _, url in ipairs{
    "mcast:239.192.168.1:1102", "mcast://239.192.168.1:1102,extra", "mcast://239.192.168.1:1102 ", "mcast://239.192.168.1:1102x",
    "mcast://239.192.168.1:1102:1", "mcast://239.192.168.1:", "mcast://239.192.168.1:0", "mcast://239.192.168.1:65536",
    "mcast://239.192.168.1:-1", "mcast://239.192.168.1:0x44e", "mcast://239.192.168:1102", "mcast://10.0.0.1:1102", "mcast://lab:1102",
    "mcast://?ttl=0", "mcast://?ttl=256", "mcast://?ttl=one", "mcast://?ttl=1x", "mcast://?time=1", "mcast://?loop=2",
  } do
    local err = check.raises("argument", open, url)
    check.truthy(err.message:find("mcast", 1, true), err.message)
  end
  for _, opts in ipairs{{port = 70000}, {port = -1}, {ttl = 256}, {ttl = -1}, {group = "239.192.168.1.1"}, {groups = "239.1.1.1"}, {port = "eleven"}} do
    check.raises("argument", connector.mcast, opts)
  end
end)

rig.on_namespace("Q002: two listeners on one host receive both, and the sender hears itself", function()
  local a, b, c = connector.mcast{ifaddr = "lo"}, open"mcast://?if=127.0.0.1", connector.mcast{ifaddr = "127.0.0.1"}
  a:write(who)
  for _, conn in ipairs{a, b, c} do
    check.equal(conn:read_packet(5), who)
    check.equal(conn:read(0), nil, "once")
  end
  a:close() b:close() c:close()
end)

test("Q002: on a memory LAN all others receive", function()
  local lan = connector.lan()
  local a, b, c = lan:port(), lan:port(), lan:port()
  a:write(who)
  check.equal(b:read_packet(0), who)
  check.equal(c:read_packet(0), who)
  lan:close()
end)

-- Streams: a peer that sends what octets it likes, when it likes.
local function unit(frame) return string.pack(">I4", #frame) .. frame end

local function each_stream(name, fn)
  rig.on_namespace(name .. " over TCP", function()
    fn("stream+tcp://127.0.0.1:5201?server=1", "stream+tcp://127.0.0.1:5201", function() return open"tcp://127.0.0.1:5201" end)
  end)
end

each_stream("Q003: every frame stands behind its length, four octets in network order", function(server, _, raw)
  local c = open(server)
  local peer = raw()
  check.equal(c:wait_up(5), true)
  c:write(who)
  local got = ""
  while #got < 46 do got = got .. peer:read(5) end
  check.equal(got, "\0\0\0\x2a" .. bytes(who))
  c:close()
  peer:close()
end)

each_stream("Q003: what comes in pieces, and what comes at once, are the frames that were sent", function(server, _, raw)
  local c = open(server)
  local peer = raw()
  -- Every place to split at, the length among them.
  local stream = unit "one" .. unit(bytes(who))
  for at = 1, #stream - 1 do
    peer:write(stream:sub(1, at))
    if at < 7 then check.equal(c:read(0.002), nil) else check.equal(c:read(5), "one") end
    peer:write(stream:sub(at + 1))
    if at < 7 then check.equal(c:read(5), "one") end
    check.equal(c:read_packet(5), who)
  end
  local many = {}
  for i = 1, 300 do many[i] = unit(("frame %d"):format(i)) end
  peer:write(table.concat(many))
  for i = 1, 300 do check.equal(c:read(5), ("frame %d"):format(i)) end
  for octet in (unit "slowly"):gmatch "." do peer:write(octet) end
  check.equal(c:read(5), "slowly")
  peer:write(unit "" .. unit "behind an empty one")
  check.equal(c:read(5), "behind an empty one")
  peer:close()
  c:close()
end)

each_stream("Q003: a frame of 69632 octets is taken, one of 69633 closes the link, and the listener accepts again", function(server, client, raw)
  local c = open(server)
  local peer = raw()
  local frame = ("x"):rep(69632)
  peer:write((unit(frame):sub(1, 40000)))
  peer:write((unit(frame):sub(40001)))
  check.equal(c:read(5), frame)
  peer:write(string.pack(">I4", 69633) .. "x")
  check.equal(peer:read(5), EOF, "it hung up")
  check.equal(c:read(0.01), nil)
  check.equal(c.up, false)
  check.matches(c.link_error, "69633")
  peer:close()
  local good = open(client)
  good:write(frame)
  check.equal(c:read(5), frame)
  check.equal(c.link_error, nil)
  check.raises("range", good.write, good, frame .. "x")
  -- The peer's end is the link's end, and not the listener's.
  good:close()
  check.equal(c:poll_read(0.2), TIMEOUT)
  check.equal(c.up, false)
  check.equal(c.link_error, nil)
  local third = open(client)
  third:write "again"
  check.equal(c:read(5), "again")
  c:close()
  check.equal(third:read(5), EOF)
  third:close()
end)

each_stream("Q004: a listener has one peer at a time; the next one waits until it has left", function(server, client)
  local c = open(server)
  local first = open(client)
  check.equal(c:wait_up(5), true)
  local name = c.peer
  local second = open(client)
  second:write "from the second"
  first:write "from the first"
  check.equal(c:read(5), "from the first")
  check.equal(c:read(0.05), nil)
  check.equal(c.peer, name)
  c:write "to the first"
  check.equal(first:read(5), "to the first")
  check.equal(second:read(0), nil)
  first:close()
  check.equal(c:read(5), "from the second")
  check.differ(c.peer, name)
  c:write "to the second"
  check.equal(second:read(5), "to the second")
  second:close()
  c:close()
end)

test("Q005: options that do not go together are refused by name", function()
  for _, case in ipairs{
    {{}, "exactly one of listen=, connect=, mcast=, udp= and fd=, got none"},
    {{localaddr = "127.0.0.1"}, "got none"},
    {{listen = ":5000", connect = "127.0.0.1:5000"}, "got listen= and connect="},
    {{connect = "127.0.0.1:5000", mcast = "239.1.1.1:1102"}, "got connect= and mcast="},
    {{mcast = "239.1.1.1:1102", udp = "127.0.0.1:1", localaddr = "127.0.0.1:2"}, "got mcast= and udp="},
    {{udp = "127.0.0.1:1", fd = 3}, "got udp= and fd="},
    {{listen = ":1", connect = "h:1", mcast = "239.1.1.1:1", udp = "1.1.1.1:1", fd = 3}, "got listen= and connect= and mcast= and udp= and fd="},
    {{listen = ":5000", localaddr = "127.0.0.1"}, "localaddr= goes only with mcast= or udp=, not with listen="},
    {{connect = "127.0.0.1:5000", localaddr = "127.0.0.1:1"}, "not with connect="},
    {{fd = 3, localaddr = "127.0.0.1:1"}, "not with fd="},
    {{udp = "127.0.0.1:5000"}, "udp= wants localaddr="},
    {{udp = "127.0.0.1:5000", localaddr = "127.0.0.1"}, "localaddr=127.0.0.1: want ADDR:PORT"},
    {{udp = "127.0.0.1", localaddr = "127.0.0.1:1"}, "udp=127.0.0.1: want ADDR:PORT"},
    {{mcast = "239.192.168.1"}, "want GROUP:PORT"},
    {{mcast = "10.0.0.1:1102"}, "not a multicast address"},
    {{mcast = "239.192.168.1:1102", localaddr = "127.0.0.1:0"}, "without a port"},
    {{mcast = "239.192.168.1:0"}, "want GROUP:PORT"},
    {{listen = "5000"}, "listen=5000: want HOST:PORT"},
    {{connect = "127.0.0.1:0"}, "want a port"},
    {{connect = "127.0.0.1:99999"}, "want a port"},
  } do
    local err = check.raises("argument", connector.qemu, case[1])
    check.truthy(err.message:find(case[2], 1, true), err.message)
    check.truthy(err.message:find("qemu:", 1, true), err.message)
  end
  check.raises("unknown option", connector.qemu, {mcast = "239.192.168.1:1102", group = "239.1.1.1"})
  for text, why in pairs{
    ["qemu:"] = "unknown option", ["qemu:socket"] = "got none", ["qemu:mcast"] = "wants a value", ["qemu:mcast="] = "wants a value",
    ["qemu:listen=:1,listen=:2"] = "given twice", ["qemu:listen=:1,vlan=3"] = "unknown option \"vlan\"",
    ["qemu:socket,id=n0,connect=a:1,localaddr=b:2"] = "goes only with mcast= or udp=",
  } do
    local err = check.raises("argument", open, text)
    check.truthy(err.message:find(why, 1, true), err.message)
  end
end)

rig.on_namespace("Q005: the combinations that hold meet their counterparts", function()
  local function meet(a, b)
    check.equal(a:wait_up(5), true)
    check.equal(b:wait_up(5), true)
    a:write(who)
    check.equal(b:read_packet(5), who)
    b:write "back"
    local got = a:read(5)
    if got == bytes(who) then got = a:read(5) end -- on multicast one hears oneself
    check.equal(got, "back")
    a:close()
    b:close()
  end
  meet(connector.qemu{listen = ":5301"}, connector.qemu{connect = "127.0.0.1:5301"})
  meet(open"qemu:socket,id=n0,listen=127.0.0.1:5302", open"stream+tcp://127.0.0.1:5302")
  meet(connector.qemu{mcast = "239.192.168.1:1102", localaddr = "127.0.0.1"}, open"mcast://?if=127.0.0.1")
  check.raises("is not a socket", connector.qemu, {fd = 12345})
  meet(connector.qemu{udp = "127.0.0.1:5303", localaddr = "127.0.0.1:5304"}, open"qemu:udp=127.0.0.1:5304,localaddr=127.0.0.1:5303")
end)

rig.on_namespace("a link over a connection is in the namespace that it was opened in", function(ns)
  local server = open"stream+tcp://127.0.0.1:5305?server=1"
  local other = netns.new()
  check.raises("system", connector.stream, {addr = "127.0.0.1:5305", netns = other})
  local c = connector.stream{addr = "127.0.0.1:5305", reconnect = 0.01, netns = ns}
  c:write(who)
  check.equal(server:read_packet(5), who)
  -- It comes back there, also when nobody else holds the namespace.
  other:run(function() server:close() end)
  local again = open"stream+tcp://127.0.0.1:5305?server=1"
  check.equal(again:wait_up(5), true)
  again:close()
  c:close()
  other:close()
end)
