-- Filters: the language of tcpdump, on packets, files and LANs.

local query = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}
  / IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 40000, dport = 53} / "query"
local syn = Ether{} / IP{src = "10.0.0.1", dst = "10.0.0.2"} / TCP{sport = 1025, dport = 80, flags = "S"}

test("an expression is compiled and explained", function()
  local f = filter.compile("vlan 10 and tcp port 80")
  check.equal(tostring(f), 'Filter "vlan 10 and tcp port 80" for ethernet')
  check.equal(f.expr, "vlan 10 and tcp port 80")
  check.equal(f.linktype, "ethernet")
  local text = f:explain()
  check.equal(text:match("^[^\n]*"), "vlan 10 and tcp port 80: 27 instructions for Ethernet frames")
  check.equal(text:find("jeq   #0x8100       VLAN tag?", 1, true) ~= nil, true)
  check.equal(text:find("80 (http)?", 1, true) ~= nil, true)
end)

test("a wrong expression is refused with a caret under the fault", function()
  local ok, err = pcall(filter.compile, "port 70000")
  check.equal(ok, false)
  check.equal(err.kind, "argument")
  check.equal(err.line, 1)
  check.equal(err.column, 6)
  check.equal(err.message, [[
filter: column 6: port 70000 does not fit 16 bits (0..65535)
    port 70000
         ^~~~~]])
  ok, err = pcall(filter.compile, "ip and tpc")
  check.equal(err.column, 8)
  check.equal(err.hint, 'did you mean "tcp"?')
  for _, expr in ipairs{"tcp and", "(tcp", "host 256.1.1.1", "vlan 4096", "tcp and udp", "gateway 10.1.1.2", "tcp[0:3] = 1"} do
    check.raises("argument", function() filter.compile(expr) end)
  end
  check.raises("argument", function() filter.compile("ip", "netlink") end)
end)

test("packets and octets are matched", function()
  check.equal(filter.compile("udp port 53"):match(query), true)
  check.equal(filter.compile("udp port domain"):match(bytes(query)), true)
  check.equal(filter.compile("udp port 53"):match(syn), false)
  check.equal(filter.compile("tcp[tcpflags] & tcp-syn != 0 and not port 22"):match(syn), true)
  check.equal(filter.compile(""):match(query), true)
  -- "and" and "or" bind equally: this is (udp or tcp) and port 80.
  check.equal(filter.compile("udp or tcp and port 80"):match(query), false)
end)

test("a cut frame keeps its length, and what is missing rejects it", function()
  local cut = bytes(query):sub(1, 20)
  check.equal(filter.compile("greater 1000"):match(cut, 1500), true)
  check.equal(filter.compile("greater 1000"):match(cut), false)
  check.equal(filter.compile("ip"):match(cut), true)
  check.equal(filter.compile("not host 10.9.9.9"):match(cut), false)
end)

test("what only the kernel knows is refused where we answer", function()
  check.raises("unsupported", function() filter.compile("inbound"):match(query) end)
  local lan = connector.lan{}
  local a = lan:port("a")
  check.raises("unsupported", function() a:on_packet(print, "ifindex 3") end)
  check.raises("unsupported", function() a:frames{filter = "outbound"} end)
  -- A cooked frame says it itself.
  check.equal(filter.compile("outbound", "linux_sll"):match(SLL{pkttype = 4} / IP{}), true)
  lan:close()
end)

test("other link types", function()
  local ip = bytes(IP{src = "10.0.0.1"} / UDP{dport = 53})
  check.equal(filter.compile("src host 10.0.0.1 and port 53", "raw"):match(ip), true)
  check.equal(filter.compile("ip6", "raw"):match(ip), false)
  check.raises("argument", function() filter.compile("ether broadcast", "raw") end)
end)

test("a packet is a filter: what its author set, and what says which layer follows", function()
  local f = filter.of(Ether{} / IP{dst = "10.0.0.2"} / UDP{dport = 53})
  check.equal(f.expr, "ether[12:2] = 0x0800 and ether[23:1] = 0x11 and ether[30:4] = 0x0a000002 and ether[36:2] = 0x0035")
  check.equal(f:match(query), true)
  check.equal(f:match(syn), false)
  check.equal(filter.compile(f.expr):match(query), true)
  -- Fields that are not whole octets compare their bits.
  f = filter.of(IP{flags = "DF", ttl = 1})
  check.equal(f.linktype, "ipv4")
  check.equal(f:match(IP{flags = "DF", ttl = 1, dst = "1.2.3.4"}), true)
  check.equal(f:match(IP{ttl = 1}), false)
end)

test("reading through a filter", function()
  local lan = connector.lan{}
  local a, b = lan:port("a"), lan:port("b")
  check.equal(b:filter("udp port 53"), b)
  a:write(syn)
  a:write(query)
  a:write(syn)
  check.equal(b:read(1), bytes(query))
  check.equal(b:read(0.1), nil)
  check.equal(b:stats().filtered, 2)
  check.equal(b:stats().dropped, 0)
  b:filter()
  a:write(syn)
  check.equal(b:read(1), bytes(syn))
  filter.compile("tcp"):attach(b)
  a:write(query)
  check.equal(b:read(0.1), nil)
  check.raises("argument", function() b:filter("no such thing") end)
  check.raises("unsupported", function() b:filter("inbound") end)
  lan:close()
end)

test("a filter set late also holds for frames that wait", function()
  local lan = connector.lan{}
  local a, b = lan:port("a"), lan:port("b")
  for _ = 1, 5 do a:write(syn) a:write(query) end
  check.equal(b:read(1), bytes(syn))
  b:filter("udp")
  for _ = 1, 5 do check.equal(b:read(1), bytes(query)) end
  check.equal(b:read(0.1), nil)
  check.equal(b:stats().filtered, 4)
  lan:close()
end)

test("iterators and handlers with a filter of their own", function()
  local lan = connector.lan{}
  local a, b = lan:port("a"), lan:port("b")
  local seen, all = 0, 0
  b:on_packet(function(p) seen = seen + 1 check.equal(p.UDP.dport, 53) end, "udp port 53")
  b:on_packet(function() all = all + 1 end)
  for _ = 1, 3 do a:write(query) a:write(syn) end
  sleep(0.1)
  check.equal(seen, 3)
  check.equal(all, 6)
  check.raises("argument", function() b:on_packet(print, "udp port") end)
  local c = lan:port("c")
  for _ = 1, 3 do a:write(query) a:write(syn) end
  local n = 0
  for p in c:packets{filter = "tcp", timeout = 1} do
    check.equal(p.TCP.dport, 80)
    n = n + 1
  end
  check.equal(n, 3)
  lan:close()
end)

test("a file read through a filter", function()
  local name = os.tmpname()
  local w = open("pcap_writer:" .. name)
  for i = 1, 100 do w:write(i % 4 == 0 and syn or query) end
  w:close()
  local n = 0
  local c = open("pcap:" .. name)
  for _ in c:frames{filter = "tcp[tcpflags] & tcp-syn != 0 and not port 22"} do n = n + 1 end
  check.equal(n, 25)
  c:close()
  c = open("pcap:" .. name):filter("udp and less 64")
  n = 0
  for _ in c:frames() do n = n + 1 end
  check.equal(n, 75)
  check.equal(c:stats().filtered, 25)
  c:close()
  os.remove(name)
end)
