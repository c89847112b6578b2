-- Interfaces through packet sockets, on a cable in a namespace:
--   va ── vb

local function cable(name, fn)
  test(name, function()
    local ns = netns.new()
    ns:run(function()
      if os.execute("ip link add va type veth peer name vb && ip link set va up && ip link set vb up") ~= 0 then
        check.skip("the kernel makes no veth, or there is no ip")
      end
      os.execute("until [ $(ip link show type veth | grep -c 'state UP') = 2 ]; do :; done; sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null")
      fn(ns)
    end)
    ns:close()
  end)
end

local function udp(port) return Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"} / IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1, dport = port} / "hello" end

cable("a packet goes over the cable", function(ns)
  local a, b = open"link:va", connector.link{name = "vb", promisc = true, direction = "in"}
  check.equal(a.name, "link:va")
  check.equal(a.linktype, "ethernet")
  local before = clock.now()
  a:write(udp(53))
  local p, at, octets
  for q, t, n in b:packets(2) do
    if q.UDP then p, at, octets = q, t, n break end
  end
  check.equal(p.UDP.dport, 53)
  check.equal(octets, #bytes(udp(53)))
  check.truthy(at >= before - 0.001 and at <= clock.now(), at)
  a:close()
  b:close()
end)

cable("the kernel sorts out, and tags come back", function(ns)
  local a = connector.link{name = "va"}
  local b = connector.link{name = "vb", direction = "in", filter = "udp port 53", snaplen = 30}
  local c = open"link:vb?promisc=1&direction=in&filter=vlan 7"
  a:write(udp(1)) a:write(udp(53)) a:write(udp(2))
  a:write(Ether{dst = "02:00:00:00:00:02"} / Dot1Q{vlan = 7} / IP{dst = "10.0.0.2"} / UDP{dport = 53})
  local f = b:read(1)
  check.equal(#f, 30)
  check.equal(b:poll_read(0.05), TIMEOUT)
  check.equal(b:stats().rx_frames, 1)
  check.equal(b:stats().truncated, 1)
  local p = c:read_packet(1)
  check.equal(p.Dot1Q.vlan, 7)
  check.equal(c:stats().rx_frames, 1)
  for _, x in ipairs{a, b, c} do x:close() end
end)

cable("a ping is answered by the kernel's own stack", function(ns)
  os.execute("ip addr add 10.9.0.1/24 dev vb")
  local a = open"link:va"
  local arp = a:sr1(Ether{src = "02:00:00:00:00:09", dst = "ff:ff:ff:ff:ff:ff"} / ARP{op = "who-has", hwsrc = "02:00:00:00:00:09", psrc = "10.9.0.9", pdst = "10.9.0.1"}, {timeout = 2})
  check.equal(arp.ARP.psrc, "10.9.0.1")
  local pong = a:sr1(Ether{src = "02:00:00:00:00:09", dst = arp.ARP.hwsrc} / IP{src = "10.9.0.9", dst = "10.9.0.1"} / ICMP{type = "echo-request", id = 7, seq = 1}, {timeout = 2})
  check.equal(pong.ICMP.type, "echo-reply")
  a:close()
end)

cable("an interface that goes down or away is an error", function(ns)
  local a = open"link:va"
  os.execute("ip link set va down")
  check.raises("system", function() while true do a:read(2) end end)
  check.raises("system", a.write, a, udp(1))
  os.execute("ip link set va up; ip link del va")
  check.raises("missing", function() while true do a:read(2) end end)
  check.raises("missing", a.write, a, udp(1))
  a:close()
  check.raises("missing", open, "link:va")
  check.raises("argument", connector.link, {name = "lo", filter = "port 70000"})
  check.raises("argument", connector.link, {name = "lo", direction = "sideways"})
end)
