local tcp = require "net.tcp"

-- Two hosts on a LAN; fn(server, client, lan).
local function two(opts, fn)
  local lan = connector.lan(opts)
  local a, b = lan:host{ip = "10.0.0.1/24"}, lan:host{ip = "10.0.0.2/24"}
  b.neighbors[a.ip], a.neighbors[b.ip] = a.mac, b.mac -- ARP is not what these tests are about
  local ok, err = pcall(fn, a, b, lan)
  a:close() b:close() lan:close()
  if not ok then error(err, 0) end
end

local function pattern(n)
  local piece = {}
  for i = 0, 250 do piece[#piece + 1] = string.char(i) end
  return table.concat(piece):rep(math.ceil(n / 251)):sub(1, n)
end

local function echo(c)
  for data in c:chunks() do c:write(data) end
end

-- Everything that b gets back from port 7 of a when it sends text.
local function through(a, b, text)
  tcp.listen(a, 7, echo)
  local c = tcp.connect(b, a.ip, 7)
  spawn(function() c:write(text) c:close_write() end)
  local got = {}
  for data in c:chunks() do got[#got + 1] = data end
  c:close()
  check.truthy(c:wait(30))
  return table.concat(got)
end

test("open, ask, answer, close: the frames of a short connection", function()
  two({}, function(a, b, lan)
    tcp.listen(a, 7, function(c) c:write(c:read():upper()) end)
    local seen = {}
    local tap = lan:port()
    tap:on_packet(function(p) if p.TCP then seen[#seen + 1] = p.TCP.flags .. " " .. #p.TCP.payload end end)
    local c = tcp.connect(b, a.ip, 7)
    c:write("hello")
    check.equal(c:read(1), "HELLO")
    check.equal({c:read(1)}, {nil, "closed"})
    c:close()
    check.truthy(c:wait(5))
    sleep(0.01)
    check.equal(table.concat(seen, ", "), "S 0, SA 0, A 0, PA 5, A 0, PA 5, FA 0, A 0, A 0, FA 0, A 0")
  end)
end)

test("what is written arrives, however much it is", function()
  two({latency = 0.001}, function(a, b)
    local text = pattern(400000)
    check.truthy(through(a, b, text) == text)
  end)
end)

test("frames that are lost are sent again", function()
  two({latency = 0.002, loss = 0.05}, function(a, b)
    local text = pattern(150000)
    check.truthy(through(a, b, text) == text)
  end)
end)

test("frames that overtake each other, and come twice", function()
  two({latency = 0.002, reorder = 0.1, duplicate = 0.1, loss = 0.02}, function(a, b)
    local text = pattern(150000)
    check.truthy(through(a, b, text) == text)
  end)
end)

test("a reader that rests stops the writer, and nothing is lost", function()
  two({latency = 0.001}, function(a, b)
    local text, done = pattern(300000), nil
    tcp.listen(a, 9, function(c)
      c:write(text)
      done = clock.now()
    end)
    local c = tcp.connect(b, a.ip, 9)
    local start = clock.now()
    sleep(20)
    check.equal(done, nil)
    local got = {}
    for data in c:chunks() do got[#got + 1] = data end
    check.truthy(table.concat(got) == text)
    check.truthy(done > start + 20)
    c:close()
    check.truthy(c:wait(5))
  end)
end)

test("a small window and a small segment are respected", function()
  two({}, function(a)
    local lan = connector.lan()
    local h, c = lan:host{ip = "10.0.0.1/24"}, lan:port()
    tcp.listen(h, 80, function(s) s:write(("x"):rep(100)) end)
    local function send(seq, ack, flags, window, options)
      c:write(Ether{src = "02:00:00:00:00:05", dst = h.mac} / IP{src = "10.0.0.5", dst = "10.0.0.1"}
        / TCP{sport = 5, dport = 80, seq = seq, ack = ack, flags = flags, window = window, options = options})
    end
    send(100, 0, "S", 1000, {{"MSS", 64}})
    local syn = c:read_packet(1).TCP
    check.equal(syn.flags, "SA")
    check.equal(syn.ack, 101)
    send(101, syn.seq + 1, "A", 80)
    local one, two = c:read_packet(1).TCP, nil
    check.equal(#one.payload, 64)
    -- 16 octets are left in the window, less than what comes next: nothing until the first has arrived.
    send(101, syn.seq + 65, "A", 10)
    two = c:read_packet(0.1).TCP
    check.equal(#two.payload, 10)
    send(101, syn.seq + 75, "A", 0)
    local probe = c:read_packet(5).TCP
    check.equal(#probe.payload, 1)
    send(101, syn.seq + 76, "A", 1000)
    check.equal(#c:read_packet(1).TCP.payload, 25)
    h:close() lan:close()
  end)
end)

test("nobody listens: refused, and a segment from nowhere is reset", function()
  two({}, function(a, b)
    tcp.listen(a, 7, echo)
    local err = check.raises("closed", tcp.connect, b, a.ip, 8)
    check.matches(err.message, "connect: tcp 10.0.0.1:8: refused")
    local p = a.conn and b.conn:sr1(Ether{src = b.mac, dst = a.mac} / IP{src = b.ip, dst = a.ip}
      / TCP{sport = 1, dport = 7, seq = 5, ack = 77, flags = "A"}, {timeout = 1})
    check.equal(p.TCP.flags, "R")
    check.equal(p.TCP.seq, 77)
  end)
end)

test("a reset ends the connection, but only one that fits", function()
  two({}, function(a, b)
    local gone
    tcp.listen(a, 7, function(c)
      local ok, err = pcall(c.read, c)
      gone = err
      error(err, 0)
    end)
    local c = tcp.connect(b, a.ip, 7)
    local function rst(seq)
      b.conn:write(Ether{src = b.mac, dst = a.mac} / IP{src = b.ip, dst = a.ip}
        / TCP{sport = c.lport, dport = 7, seq = seq % 2 ^ 32, flags = "R"})
      sleep(0.01)
    end
    rst(c.top + 100000)
    check.equal(gone, nil)
    rst(c.top)
    check.matches(gone.message, "reset by the peer")
    c:abort()
  end)
end)

test("a peer that falls silent is given up", function()
  two({}, function(a, b)
    tcp.listen(a, 7, echo)
    local c = tcp.connect(b, a.ip, 7)
    a:close()
    c:write("anyone?")
    check.raises("timeout", c.read, c)
  end)
end)

test("over IPv6 as well", function()
  local lan = connector.lan()
  local a, b = lan:host{ip = "2001:db8::1/64"}, lan:host{ip = "2001:db8::2/64"}
  check.equal(through(a, b, "hello"), "hello")
  a:close() b:close() lan:close()
end)
