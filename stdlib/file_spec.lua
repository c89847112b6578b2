-- Capture files: what they keep beside frames, and what they say of themselves.

local function file(ending, fn)
  local name = os.tmpname() .. ending
  local ok, err = pcall(fn, name)
  os.remove(name)
  if not ok then error(err, 0) end
end

local p = Ether{src = "02:00:00:00:00:01"} / IP{dst = "10.0.0.2"} / UDP{dport = 9} / "x"

test("a pcapng file keeps comments, interfaces, directions, times and lengths", function()
  file(".pcapng", function(name)
    local w = connector.pcap_writer{file = name, interfaces = {{name = "left"}, {name = "tun0", linktype = "raw", description = "a tunnel"}}}
    w:write(p, {interface = "left", comment = "the question", time = 1700000000.25})
    w:write(IP{} / UDP{}, {interface = "tun0", direction = "out", len = 100, comment = {"one", "two"}})
    w:write(p, {interface = 0})
    w:write(p, {interface = "new"})
    w:close()
    local r = open("pcap:" .. name)
    local q = r:read_packet()
    check.equal(q.time, 1700000000.25)
    check.equal(q.comment, "the question")
    check.equal(q.interface, "left")
    check.equal(q.direction, nil)
    check.equal(q.wirelen, #p)
    check.equal(bytes(q), bytes(p))
    q = r:read_packet()
    check.equal(q.comment, "one\ntwo")
    check.equal(q.interface, "tun0")
    check.equal(q.direction, "out")
    check.equal(q.wirelen, 100)
    check.truthy(q.IP and not q.Ether)
    check.equal(r:read_packet().interface, "left")
    check.equal(r:read_packet().interface, "new")
    check.equal(r:read(), EOF)
  end)
end)

test("frames() gives comment and interface behind time and length", function()
  file(".pcapng", function(name)
    local w = open("pcap_writer:" .. name)
    w:write("one", {comment = "c", interface = "i"})
    w:write("two")
    w:close()
    local next = open("pcap:" .. name):frames()
    local f, _, len, comment, interface = next()
    check.equal(f, "one")
    check.equal(len, 3)
    check.equal(comment, "c")
    check.equal(interface, "i")
    f, _, len, comment = next()
    check.equal(f, "two")
    check.equal(comment, nil)
    check.equal(next(), nil)
  end)
end)

test("what was read and is written again keeps what it had, and what it is given", function()
  file(".pcapng", function(name)
    file(".pcapng.gz", function(copy)
      local w = connector.pcap_writer{file = name}
      w:write(p, {interface = "left", comment = {"one", "two"}, time = 1.5, len = 1000})
      w:write(p, {time = 2.5})
      w:close()
      w = connector.pcap_writer{file = copy}
      for q in open("pcap:" .. name):packets() do
        q.IP.ttl = 7
        if not q.comment then q.comment = "new" end
        w:write(q)
      end
      w:close()
      local r = open("pcap:" .. copy)
      local q = r:read_packet()
      check.equal(q.comment, "one\ntwo")
      check.equal(q.interface, "left")
      check.equal(q.time, 1.5)
      check.equal(q.wirelen, 1000)
      check.equal(q.IP.ttl, 7)
      q = r:read_packet()
      check.equal(q.comment, "new")
      check.equal(q.time, 2.5)
      check.equal(q.interface, nil)
      r:close()
    end)
  end)
end)

test("a built packet can be given what a file keeps", function()
  file(".pcapng", function(name)
    local q = Ether{} / ARP{}
    check.equal(q.time, nil)
    check.equal(q.comment, nil)
    q.time, q.comment, q.interface, q.direction = 12.25, "by hand", "veth0", "in"
    local w = open("pcapng_writer:" .. name)
    w:write(q)
    w:write(q, {comment = "another", time = 13})
    q.comment, q.interface, q.direction, q.time = nil, nil, nil, nil
    check.equal(q.comment, nil)
    check.equal(q.time, nil)
    w:close()
    local r = open("pcap:" .. name)
    local a, b = r:read_packet(), r:read_packet()
    check.equal(a.time, 12.25)
    check.equal(a.comment, "by hand")
    check.equal(a.interface, "veth0")
    check.equal(a.direction, "in")
    check.equal(b.comment, "another")
    check.equal(b.interface, "veth0")
    r:close()
    check.raises("argument", function() q.direction = "up" end)
    check.raises("argument", function() q.comment = 7 end)
    check.raises("argument", function() q.time = "now" end)
    check.raises("argument", function() q.time = -1 end)
    check.raises("argument", function() q.wirelen = 60 end)
  end)
end)

test("a file tells of itself", function()
  file(".pcapng", function(name)
    local w = connector.pcap_writer{file = name, comment = "second try", hardware = "a desk", os = "an os", userappl = "a spec",
      names = {["10.0.0.2"] = "server", ["2001:db8::1"] = {"a", "b"}}}
    check.equal(w:add_interface{name = "eth0", digits = 6}, 0)
    check.equal(w:add_interface{name = "eth1", linktype = "raw", snaplen = 3, filter = "udp"}, 1)
    w:add_name("10.0.0.3", "other", "another")
    check.raises("exists", w.add_interface, w, {name = "eth0"})
    check.raises("argument", w.add_name, w, "nowhere", "x")
    check.raises("argument", w.add_interface, w, {digits = 12})
    w:write("abcdef", {interface = "eth1", time = 1.123456789})
    check.equal(w:info().interfaces[2].name, "eth1")
    w:close()
    local r = open("pcap:" .. name)
    local f, _, len = r:frames()()
    check.equal(f, "abc")
    check.equal(len, 6)
    local i = r:info()
    check.equal(i.format, "pcapng")
    check.equal(i.comment, "second try")
    check.equal(i.hardware .. i.os .. i.userappl, "a deskan osa spec")
    check.equal(i.interfaces, {
      {name = "eth0", linktype = "ethernet", snaplen = 262144, digits = 6},
      {name = "eth1", linktype = "raw", snaplen = 3, digits = 9, filter = "udp"},
    })
    check.equal(i.names, {["10.0.0.2"] = {"server"}, ["2001:db8::1"] = {"a", "b"}, ["10.0.0.3"] = {"other", "another"}})
    r:close()
  end)
  local lan = connector.lan()
  check.raises("unsupported", function() lan:port():info() end)
  lan:close()
end)

test("the ending of the name says how a file is written, format= overrules it", function()
  for ending, magic in pairs{[".pcap"] = "d4c3b2a1", [".pcapng"] = "0a0d0d0a", [""] = "d4c3b2a1", [".pcapng.gz"] = "1f8b", [".cap.zst"] = "28b52ffd"} do
    file(ending, function(name)
      local w = open("pcap_writer:" .. name)
      w:write(p)
      w:close()
      local f = io.open(name)
      check.equal(tohex(f:read(#magic / 2)), magic)
      f:close()
      local r = open("pcap:" .. name)
      check.equal(r:read(), bytes(p))
      r:close()
      w = connector.pcap_writer{file = name, format = "pcapng"}
      w:close()
      r = open("pcap:" .. name)
      check.equal(r:info().format, "pcapng")
      r:close()
    end)
  end
  check.raises("argument", connector.pcap_writer, {file = os.tmpname(), format = "text"})
  local err = check.raises("argument", connector.pcap_writer, {file = os.tmpname(), comment = "x"})
  check.truthy(err.hint:find("pcapng", 1, true))
end)

test("what does not fit is an error and leaves the file whole", function()
  file(".pcapng", function(name)
    local w = connector.pcap_writer{file = name, interfaces = {{name = "left"}, {name = "tun0", linktype = "raw"}}}
    check.raises("argument", w.write, w, IP{} / UDP{})
    check.raises("argument", w.write, w, p, {interface = "tun0"})
    check.raises("argument", w.write, w, p, {interface = 2})
    check.raises("argument", w.write, w, p, {interface = {}})
    check.raises("argument", w.write, w, p, {direction = "sideways"})
    check.raises("argument", w.write, w, p, {comment = 7})
    check.raises("range", w.write, w, p, {comment = ("x"):rep(65536)})
    w:write(p)
    w:close()
    check.raises("closed", w.write, w, p)
    check.raises("closed", w.add_name, w, "10.0.0.1", "x")
    local n = 0
    for _ in open("pcap:" .. name):packets() do n = n + 1 end
    check.equal(n, 1)
  end)
  local lan = connector.lan()
  local port = lan:port()
  check.raises("unsupported", port.write, port, p, {comment = "x"})
  check.raises("unsupported", port.add_name, port, "10.0.0.1", "x")
  check.raises("unsupported", port.add_interface, port, {name = "x"})
  lan:close()
end)

test("several link types in one file are each parsed as what they are", function()
  file(".pcapng", function(name)
    local w = connector.pcap_writer{file = name}
    for _, c in ipairs{{"ethernet", Ether{} / ARP{}}, {"raw", IP{} / UDP{}}, {"null", Null{} / IP{}}, {"loop", Loop{} / IPv6{}},
      {"linux_sll", SLL{} / ARP{}}, {"linux_sll2", SLL2{} / IP{} / UDP{}}, {"netlink", "\0\4\0\0hello"}} do
      w:add_interface{name = c[1], linktype = c[1]}
      w:write(c[2], {interface = c[1]})
    end
    w:close()
    local seen = {}
    for q in open("pcap:" .. name):packets() do seen[#seen + 1] = q.interface .. " " .. q:summary():match("^[^ ]+") end
    check.equal(table.concat(seen, ", "), "ethernet Ether, raw IP, null Null, loop Loop, linux_sll SLL, linux_sll2 SLL2, netlink " .. seen[7]:match(" (.*)"))
    -- And a copy of it, packet by packet, is the same.
    file(".pcapng", function(copy)
      w = connector.pcap_writer{file = copy, linktype = "raw"}
      for q in open("pcap:" .. name):packets() do w:write(q) end
      w:close()
      local a, b = open("pcap:" .. name), open("pcap:" .. copy)
      for q in a:packets() do
        local c = b:read_packet()
        check.equal(bytes(c), bytes(q))
        check.equal(c.interface, q.interface)
        check.equal(c.time, q.time)
      end
      check.equal(b:read(), EOF)
    end)
  end)
end)

test("a loopback header in either byte order is understood", function()
  for _, family in ipairs{"\2\0\0\0", "\0\0\0\2"} do
    file(".pcap", function(name)
      local w = connector.pcap_writer{file = name, linktype = "null"}
      w:write(family .. bytes(IP{ttl = 9} / UDP{}))
      w:close()
      local r = open("pcap:" .. name)
      check.equal(r:read_packet().IP.ttl, 9)
      r:close()
    end)
  end
end)

test("a bare name is the file, if there is one", function()
  file(".pcap", function(name)
    local w = connector.pcap_writer{file = name}
    w:write(p)
    w:close()
    local c = open(name)
    check.equal(c.name, "pcap:" .. name)
    check.equal(c:read(), bytes(p))
    c:close()
  end)
  local err = check.raises("missing", open, "nothing-of-this-name.pcap")
  check.truthy(err.message:find("no such file, and no interface can be called so", 1, true), err.message)
  err = check.raises("missing", open, "nothing7")
  check.truthy(err.message:find("no such file, and no such interface", 1, true), err.message)
end)

test("what is no capture says so", function()
  check.truthy(check.raises("argument", open, "pcap:/").message:find("is a directory", 1, true))
  check.raises("missing", open, "pcap:/nowhere/x.pcap")
  file(".pcap", function(name)
    local f = io.open(name, "w")
    f:write("hello, world, this is text")
    f:close()
    check.raises("argument", open, "pcap:" .. name)
  end)
end)

test("a tee notes which connector saw a frame, and whether it wrote it", function()
  file(".pcapng", function(name)
    local lan = connector.lan{name = "teed"}
    local a, b, w = lan:port("a"), lan:port("b"), open("pcap_writer:" .. name)
    a:tee(w)
    b:tee(w)
    a:write(p)
    check.truthy(b:read(1))
    a:send_many(bytes(p), {count = 2})
    w:close()
    lan:close()
    local seen = {}
    for q in open("pcap:" .. name):packets() do seen[#seen + 1] = q.interface .. " " .. (q.direction or "") end
    check.equal(seen, {"teed/a out", "teed/b ", "teed/a out", "teed/a out"})
    -- A copy of the file keeps what the file says.
    file(".pcapng", function(copy)
      local r, w = open("pcap:" .. name), open("pcap_writer:" .. copy)
      r:tee(w)
      for _ in r:frames() do end
      w:close()
      r = open("pcap:" .. copy)
      check.equal(r:read_packet().interface, "teed/a")
      r:close()
    end)
  end)
end)
