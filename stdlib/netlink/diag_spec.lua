-- sock_diag: what ss shows.

local message = require "netlink.diag_message"

test("a question is these octets: family, protocol, extensions, states, and a socket of any address", function()
  check.bytes(netlink.encode(message, {
    family = 2, protocol = 6, ext = 2, states = 0x400, src = ("\0"):rep(16), dst = ("\0"):rep(16), cookie = u64("0xffffffffffffffff"),
  }, {type = 20, flags = 0x301}), [[
    48 00 00 00  14 00 01 03  00 00 00 00  00 00 00 00
    02 06 02 00  00 04 00 00
    00 00 00 00  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    00 00 00 00  ff ff ff ff ff ff ff ff]])
end)

test("an answer reads by the socket's family", function()
  local unix = message:parse(string.pack("=I1I1I1I1I4I8", 1, 1, 10, 0, 77, 5) .. "\9\0\0\0/run\0\0\0\0" .. "\8\0\7\0\232\3\0\0", {header = false})
  check.equal({unix.state, unix.ino, unix:get("name"), unix:get("uid")}, {"listen", 77, "/run\0", 1000})
end)

if not clock.virtual then
  os.execute("ip link set lo up")

  -- Calls fn(diag, port) while a connection is there, from a port of the kernel's
  -- to that port of 127.0.0.1, another one in each test: a connection may outlive
  -- its sockets. In a network namespace of its own nobody else's are there.
  local port = 8090
  local function connected(what, fn)
    test(what, function()
      port = port + 1
      local server = open("tcp://127.0.0.1:" .. port .. "?server=1")
      local client = open("tcp://127.0.0.1:" .. port)
      client:wait_up(2)
      server:wait_up(2)
      local d = netlink.diag()
      fn(d, port)
      d:close()
      client:close()
      server:close()
    end)
  end

  connected("listening and connected sockets as ss shows them", function(d, port)
    local list = d:sockets{family = "inet", proto = "tcp", state = "listen"}
    local s
    for _, one in ipairs(list) do if one.sport == port then s = one end end
    check.equal({s.netid, s.state, s.src, s.dst, s.dport, s.recv_q}, {"tcp", "listen", "127.0.0.1", "0.0.0.0", 0, 0})
    check.matches(tostring(s), "^tcp   LISTEN     0      %d+ +127.0.0.1:" .. port .. " 0.0.0.0:%*$")
    local found = d:sockets{family = "inet", proto = "tcp", state = "connected", dport = port, info = true, mem = true}
    check.equal(#found, 1)
    check.equal(found[1].state, "established")
    check.equal(found[1].info.state, "established")
    check.truthy(found[1].info.snd_mss > 500)
    check.truthy(found[1].mem.rcvbuf > 0)
    check.truthy(found[1].cong)
  end)

  -- A line of ss without what it pads with: netid state recv-q send-q local peer.
  local function ss(args)
    local p = io.popen("ss -H " .. args)
    local lines = {}
    for line in p:lines() do
      lines[#lines + 1] = table.concat({line:match("^(%S+)%s+(%S+)%s+(%d+)%s+(%d+)%s+(%S+)%s+(%S+)")}, " ")
    end
    p:close()
    table.sort(lines)
    return lines
  end

  local function ours(options)
    local d = netlink.diag()
    local lines = {}
    for _, s in ipairs(d:sockets(options)) do lines[#lines + 1] = tostring(s):gsub("%s+", " ") end
    d:close()
    table.sort(lines)
    return lines
  end

  connected("every line of ss, and no other", function()
    if os.execute("command -v ss >/dev/null") ~= 0 then check.skip("there is no ss") end
    local udp = open"udp://127.0.0.1:9?local=127.0.0.1:8098"
    -- The connections of other tests may still be going: both are asked until ss
    -- says the same before and after.
    local function same(options, args)
      for _ = 1, 100 do
        local before, mine, after = ss(args), ours(options), ss(args)
        if table.concat(before, "\n") == table.concat(after, "\n") then return check.equal(mine, before) end
        sleep(0.02)
      end
      error("the sockets never come to rest")
    end
    same({}, "-antu")
    same({family = "inet", proto = "tcp", state = "listen"}, "-4ntlA tcp state listening | sed 's/^/tcp LISTEN /'")
    udp:close()
  end)

  connected("conditions that the kernel checks: ports, addresses, all of them together", function(d, port)
    local function count(o)
      o.family, o.proto, o.state = "inet", "tcp", "established"
      return #d:sockets(o)
    end
    check.equal(count{dport = port}, 1)
    check.equal(count{sport = port}, 1)
    check.equal(count{sport = port, dport = port}, 0)
    check.equal(count{src = "127.0.0.0/8", dport = port}, 1)
    check.equal(count{src = "127.0.0.1", dst = "127.0.0.1/32", dport = port}, 1)
    check.equal(count{src = "10.0.0.0/8", dport = port}, 0)
    check.equal(count{dst = "0.0.0.0/0", sport = port}, 1)
  end)

  test("sockets of unix, netlink and packets", function()
    local path = os.tmpname() .. ".sock"
    local u = open("stream+unix:" .. path .. "?server=1")
    local d = netlink.diag()
    local list = d:sockets{family = "unix", path = path}
    check.equal({#list, list[1].state, list[1].netid}, {1, "listen", "u_str"})
    local found
    for _, s in ipairs(d:sockets{family = "netlink"}) do
      if s.protocol == "sock_diag" and s.portid == d.socket.pid then found = true end
    end
    check.truthy(found)
    os.execute("ip link add dg0 type veth peer name dg1; ip link set dg0 up; ip link set dg1 up")
    local link = open"link:dg0"
    check.equal(#d:sockets{family = "packet"}, 1)
    link:close()
    os.execute("ip link del dg0")
    u:close()
    d:close()
  end)

  connected("destroy: the peer's connection is gone", function(d, port)
    local ok, n = pcall(d.destroy, d, {family = "inet", proto = "tcp", state = "established", sport = port})
    if not ok and n.kind == "unsupported" then check.skip(n.message) end
    check.equal(n, 1)
    check.equal(d:destroy{family = "inet", proto = "tcp", state = "established", dst = "127.0.0.1", dport = port}, 0)
    check.equal(#d:sockets{family = "inet", proto = "tcp", state = "established", sport = port}, 0)
  end)

  test("destroy wants to be told which", function()
    local d = netlink.diag()
    for _, which in ipairs{false, {}, {dprot = 443}} do check.raises("argument", d.destroy, d, which or nil) end
    d:close()
  end)

  test("words that are not known come with those that are", function()
    local d = netlink.diag()
    check.matches(check.raises("argument", d.sockets, d, {state = "open"}).hint, "established")
    check.matches(check.raises("argument", d.sockets, d, {family = "ipx"}).hint, "inet6")
    check.matches(check.raises("argument", d.sockets, d, {proto = "quic"}).hint, "udp")
    check.matches(check.raises("argument", d.sockets, d, {dprot = 443}).hint, "dport")
    d:close()
  end)
end
