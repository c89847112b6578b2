-- Fake hosts: what they answer, what they ask.

local function pair(opts_a, opts_b)
  local lan = connector.lan{latency = 0.001}
  return lan, lan:host(opts_a), lan:host(opts_b)
end

test("two hosts resolve and ping each other over IPv4", function()
  local lan, a, b = pair({ip = "10.0.0.1/24"}, {ip = "10.0.0.2/24"})
  check.equal(a:resolve("10.0.0.2"), "02:00:0a:00:00:02")
  local rtts = a:ping("10.0.0.2", {count = 3, interval = 0.5})
  check.equal(#rtts, 3)
  for _, rtt in ipairs(rtts) do check.near(rtt, 0.002, 1e-9) end
  check.equal(b.neighbors["10.0.0.1"], a.mac)
  lan:close()
end)

test("two hosts resolve and ping each other over IPv6, by any spelling", function()
  local lan, a, b = pair({ip = "2001:db8::1/64"}, {ip = "2001:db8::2/64"})
  check.near(a:ping("2001:DB8:0:0::2")[1], 0.002, 1e-9)
  check.equal(a:resolve("2001:db8:0::0:2"), b.mac)
  check.near(b:ping(a.ip6)[1], 0.002, 1e-9)
  lan:close()
end)

test("nobody answers: resolve gives nil, ping raises missing", function()
  local lan, a = pair({ip = "10.0.0.1/24"}, {ip = "10.0.0.2/24"})
  check.equal(a:resolve("10.0.0.3", 0.1), nil)
  check.raises("missing", function() a:ping("10.0.0.3") end)
  lan:close()
end)

test("an address of another network is reached through the gateway", function()
  local lan, a, b = pair({ip = "10.0.0.1/24", gateway = "10.0.0.2"}, {ip = "10.0.0.2/24"})
  local to = a:to("192.0.2.9")
  check.equal(to.Ether.dst, b.mac)
  check.equal(to.IP.dst, "192.0.2.9")
  check.equal(to.IP.src, "10.0.0.1")
  lan:close()
end)

test("UDP port 7 echoes, a handler answers, another port is unreachable", function()
  local lan = connector.lan()
  local h = lan:host{ip = {"10.0.0.9/24", "2001:db8::9/64"}, udp = {[9] = function(payload) return payload:upper() end}}
  local p = lan:port()
  local four = Ether{src = "02:00:00:00:00:01", dst = h.mac} / IP{src = "10.0.0.1", dst = "10.0.0.9"}
  local six = Ether{src = "02:00:00:00:00:01", dst = h.mac} / IPv6{src = "2001:db8::1", dst = "2001:db8::9"}
  for _, to in ipairs{four, six} do
    check.equal(p:sr1(to / UDP{sport = 5, dport = 7} / "echo", {timeout = 1}).UDP.payload, "echo")
    check.equal(p:sr1(to / UDP{sport = 5, dport = 9} / "echo", {timeout = 1}).UDP.payload, "ECHO")
    local asked = to / UDP{sport = 5, dport = 99} / "echo"
    local reply = p:sr1(asked, {timeout = 1})
    check.equal((reply.ICMP or reply.ICMPv6).type, "dest-unreach")
    check.truthy(reply:answers(asked))
  end
  lan:close()
end)

test("duplicate address detection is answered to all nodes", function()
  local lan = connector.lan()
  local h = lan:host{ip = "2001:db8::9/64"}
  local p = lan:port()
  p:write(Ether{src = "02:00:00:00:00:01", dst = "33:33:ff:00:00:09"} / IPv6{src = "::", dst = "ff02::1:ff00:9", hlim = 255}
    / ICMPv6{type = "neighbor-solicitation", target = "2001:db8::9"})
  local na = p:read_packet(1)
  check.equal(na.IPv6.dst, "ff02::1")
  check.equal(na.Ether.dst, "33:33:00:00:00:01")
  check.equal(na.ICMPv6.flags, "O")
  lan:close()
end)

test("frames for others, and its own coming back, are not answered", function()
  local lan = connector.lan()
  local h = lan:host{ip = "10.0.0.9/24"}
  local p = lan:port()
  local echo = IP{src = "10.0.0.1", dst = "10.0.0.9"} / ICMP{type = "echo-request"}
  p:write(Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:77"} / echo)
  p:write(Ether{src = h.mac, dst = h.mac} / echo)
  p:write(Ether{src = "02:00:00:00:00:01", dst = h.mac} / IP{src = "10.0.0.1", dst = "10.0.0.8"} / ICMP{type = "echo-request"})
  p:write(Ether{src = "02:00:00:00:00:01", dst = h.mac} / ARP{op = "who-has", psrc = "10.0.0.1", pdst = "10.0.0.8"})
  p:write("short")
  check.equal(p:read(1), nil)
  check.equal(h.answered, 0)
  lan:close()
end)

test("what a receiver would drop is dropped: wrong sums and lengths, tags, fragments, ND from afar", function()
  local lan = connector.lan()
  local h = lan:host{ip = {"10.0.0.9/24", "2001:db8::9/64"}}
  local p = lan:port()
  local e = Ether{src = "02:00:00:00:00:01", dst = h.mac}
  local four, six = IP{src = "10.0.0.1", dst = "10.0.0.9"}, IPv6{src = "2001:db8::1", dst = "2001:db8::9"}
  local function silent(q)
    p:write(q)
    check.equal(p:read(1), nil)
  end
  silent(e / IP{src = "10.0.0.1", dst = "10.0.0.9", chksum = 0xdead} / ICMP{} / "x")
  silent(e / four / ICMP{chksum = 0xdead} / "x")
  silent(e / four / UDP{sport = 5, dport = 7, chksum = 0xdead} / "x")
  silent(e / six / UDP{sport = 5, dport = 7, chksum = 0} / "x")
  silent(e / six / ICMPv6{type = "echo-request", chksum = 0xdead} / "x")
  silent(e / IP{src = "10.0.0.1", dst = "10.0.0.9", flags = "MF"} / ICMP{} / ("x"):rep(16))
  silent(e / Dot1Q{vlan = 5} / four / ICMP{} / "x")
  silent(e / IPv6{src = "2001:db8::1", dst = "2001:db8::9", hlim = 64} / ICMPv6{type = "neighbor-solicitation", target = "2001:db8::9"})
  -- no checksum is none in IPv4 (RFC 768), and the same without faults is answered
  p:write(e / four / UDP{sport = 5, dport = 7, chksum = 0} / "x")
  check.truthy(p:read(1))
  for _, q in ipairs{e / four / ICMP{} / "x", e / six / ICMPv6{type = "echo-request"} / "x",
      e / six / ICMPv6{type = "neighbor-solicitation", target = "2001:db8::9"}} do
    check.truthy(p:sr1(q, {timeout = 1}))
  end
  lan:close()
end)

test("a closed host does not answer, and its port is gone", function()
  local lan = connector.lan()
  local h = lan:host{ip = "10.0.0.9/24"}
  local p = lan:port()
  h:close()
  h:wait(1)
  p:write(Ether{dst = "ff:ff:ff:ff:ff:ff"} / ARP{op = "who-has", psrc = "10.0.0.1", pdst = "10.0.0.9"})
  check.equal(p:read(1), nil)
  lan:close()
end)

test("bad options name the option", function()
  local lan = connector.lan()
  local function says(want, opts)
    local ok, err = pcall(lan.host, lan, opts)
    check.equal(ok, false)
    check.truthy(tostring(err):find(want, 1, true), tostring(err))
  end
  says("option ip", {})
  says("prefix length", {ip = "10.0.0.1/33"})
  says("is not an IPv4 address", {ip = "10.0.0"})
  says("unknown option \"ipp\"", {ipp = "10.0.0.1/24"})
  says("option ip", {ip = {}})
  says("ADDRESS/PREFIX", {ip = "10.0.0.1/"})
  says("ADDRESS/PREFIX", {ip = {5}})
  says("option udp: want a table", {ip = "10.0.0.1/24", udp = 1})
  says("got function for x", {ip = "10.0.0.1/24", udp = {x = print}})
  says("option on_answer", {ip = "10.0.0.1/24", on_answer = 5})
  check.raises("argument", function() host{on = 1, ip = "10.0.0.1/24"} end)
  says("is not a MAC address", {ip = "10.0.0.1/24", mac = "02:00"})
  lan:close()
end)

test("the ladder draws one line a frame", function()
  local lan = connector.lan{latency = 0.005}
  local a, b = lan:host{name = "a", ip = "10.0.0.1/24"}, lan:host{name = "b", ip = "10.0.0.2/24"}
  local lines = {}
  local l = ladder{on = lan, a, b, print = function(s) lines[#lines + 1] = s end}
  a:ping("10.0.0.2")
  sleep(0.1)
  l:close()
  check.equal(#lines, 7)
  check.truthy(lines[4]:find("0.000  ├.*ARP who has 10.0.0.2%? tell 10.0.0.1.*▶│$"), lines[4])
  check.truthy(lines[5]:find("5.000  │◀.*ARP 10.0.0.2 is at 02:00:0a:00:00:02.*┤$"), lines[5])
  check.truthy(lines[6]:find("10.000  ├─.* ICMP echo.request id 1 seq 1 .*▶│$"), lines[6])
  check.truthy(lines[7]:find("15.000  │◀.* ICMP echo.reply id 1 seq 1 .*┤$"), lines[7])
  lan:close()
end)
