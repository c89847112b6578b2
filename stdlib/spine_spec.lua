-- The lines of a first session, each doing what it says: one line of Lua to the
-- wire and back.

local function frame()
  return Ether{src="02:00:00:00:00:01", dst="02:00:00:00:00:02"} / IP{src="10.0.0.1", dst="10.0.0.2"} / UDP{sport=1000, dport=9999} / ("x"):rep(22)
end

test("a frame is built, lengths and checksums computed", function()
  local p = frame()
  check.equal(tohex(bytes(p)), "0200000000020200000000010800" .. "4500003200000000401166b90a0000010a000002"
    .. "03e8270f001e938b" .. ("78"):rep(22))
  check.equal(#p, 64)
end)

test("automatic fields follow, set ones are sent as they stand, nil makes them automatic again", function()
  local p = frame()
  p.IP.ttl = 3
  check.equal(p.IP.chksum, 0xa3b9)
  check.equal(p.IP.len, 50)
  p.IP.chksum = 0xdead
  check.equal(tohex(bytes(p)):sub(49, 52), "dead")
  check.equal(p.IP.chksum, 0xdead)
  p.IP.chksum = nil
  check.equal(p.IP.chksum, 0xa3b9)
  check.equal(tohex(bytes(p)):sub(49, 52), "a3b9")
end)

test("what is parsed is equal, and follows an edit where it was right", function()
  local p = frame()
  p.IP.ttl = 3
  local q = Ether.parse(bytes(p))
  check.truthy(q == p)
  check.equal(q.IP.ttl, 3)
  check.equal(q.UDP.dport, 9999)
  check.equal(q.dport, 9999)
  check.equal(q.payload, ("x"):rep(22))
  q.UDP.payload = "hi"
  check.equal(#q, 44)
  check.equal(q.IP.len, 30)
  check.equal(q.UDP.len, 10)
  -- and what was wrong stays wrong
  local r = Ether.parse(bytes(p))
  p.IP.chksum = 0xdead
  r = Ether.parse(bytes(p))
  r.IP.ttl = 9
  check.equal(r.IP.chksum, 0xdead)
end)

test("layers stack, fill in what follows and take names for numbers", function()
  local p = Ether{} / IP{dst="10.0.0.2"} / ICMP{type="echo-request", id=1, seq=1} / "ping"
  check.equal(p.Ether.type, 0x0800)
  check.equal(p.IP.proto, 1)
  check.equal(p.ICMP.type, "echo-request")
  check.equal(#p, 14 + 20 + 8 + 4)
  local t = TCP{flags="SA", options={{"MSS", 1460}, {"WScale", 7}, "SAckOK"}}
  check.equal(tohex(bytes(t)):sub(41), "020405b4" .. "030307" .. "0402" .. "000000")
  check.equal(t.TCP.dataofs, 8)
end)

test("an error names the field, the value and the line", function()
  local ok, err = pcall(function() return IP{ttl=300} end)
  check.equal(ok, false)
  check.equal(err.kind, "range")
  check.truthy(tostring(err):match("^IP%.ttl: 300 does not fit 8 bits %(0%.%.255%), at .*spine_spec%.lua:%d+$"), tostring(err))
end)

test("octets are written as people write them", function()
  check.equal(fromhex"45 00\n00:14", "\69\0\0\20")
  check.equal(tohex("\69\0"), "4500")
end)

test("a frame crosses the memory LAN, a callback sees it, and the sender does not", function()
  local p = frame()
  local lan = connector.lan()
  local a, b = lan:port(), lan:port()
  local seen = {}
  b:on_packet(function(pkt) seen[#seen + 1] = pkt:summary() end)
  check.equal(a:write(p), 64)
  check.equal(a:read(0.1), nil)
  check.equal(seen, {"Ether / IP 10.0.0.1 > 10.0.0.2 ttl 64 / UDP 1000 > 9999 / Raw 22"})
  lan:close()
end)

test("a fake host is asked and answers", function()
  local lan = connector.lan()
  local a = lan:port()
  local h = lan:host{ip="10.0.0.9/24"}
  local r = a:sr1(Ether{dst=h.mac}/IP{src="10.0.0.1",dst="10.0.0.9"}/ICMP{type="echo-request"}, {timeout=1})
  check.equal(r.ICMP.type, "echo-reply")
  lan:close()
end)

test("a named LAN is opened by its name", function()
  local a, b = open"mem:lab", open"mem:lab"
  a:write("frame")
  check.equal(b:read(1), "frame")
  check.equal(b:poll_read(0.2), TIMEOUT)
  a:close()
  b:close()
end)

test("a capture file is written and read", function()
  local file = os.tmpname()
  local w = connector.pcap_writer{file=file}
  local p = frame()
  w:write(p)
  w:close()
  local n = 0
  for pkt in open("pcap:" .. file):packets() do -- at its end there is nothing left to close
    n = n + 1
    check.truthy(pkt == p)
  end
  check.equal(n, 1)
  os.remove(file)
end)

test("an hour passes at once on the virtual clock", function()
  local began = clock.now()
  local task = spawn(function() sleep(3600) return "an hour later" end)
  check.equal(task:wait(), "an hour later")
  check.equal(clock.now() - began, 3600)
end)
