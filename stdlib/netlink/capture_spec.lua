-- Netlink seen from outside: any octets, and captures of nlmon.

-- What a kernel answered to "ip address show lo", from the reference.
local ADDRESS = fromhex("4c00000014000200020100 00c54e0000 020880fe01000000 080001007f000001 080002007f000001 070003006c6f0000"
  .. "0800080080000000 14000600ffffffffffffffff0501000005010000")
local GETLINK = netlink.encode(netlink.rtnl.link, {index = 1}, {type = netlink.RTM_GETLINK, flags = 1, seq = 7, pid = 99})

-- The header that nlmon's captures have.
local function cooked(direction, family, octets)
  return string.pack(">I2I2c10I2", direction, 824, ("\0"):rep(10), family) .. octets
end

local TO_USER, TO_KERNEL = 6, 7

-- A capture of these frames, one a second.
local function capture(frames)
  local file = os.tmpname()
  local w = connector.pcap_writer{file = file, linktype = "netlink"}
  for i, f in ipairs(frames) do w:write(f, {time = 1700000000 + i}) end
  w:close()
  local r = open("pcap:" .. file)
  os.remove(file)
  return r
end

test("octets of rtnetlink are messages with names", function()
  local list = netlink.decode(GETLINK .. ADDRESS)
  check.equal(#list, 2)
  check.equal({list[1].event, list[1].index}, {"RTM_GETLINK", 1})
  check.equal({list[2].event, list[2].address, list[2].label}, {"RTM_NEWADDR", "127.0.0.1", "lo"})
end)

test("octets that were cut off are what is there of them", function()
  for _, octets in ipairs{GETLINK, ADDRESS} do
    for n = 1, #octets - 1 do
      local m = netlink.decode(octets:sub(1, n))[1]
      check.truthy(#m:notes() > 0 and #tostring(m) > 0 and #m:json() > 0)
      check.equal(m.index, n >= 24 and 1 or nil)
    end
  end
  local list = netlink.decode(GETLINK .. "rest")
  check.equal({#list, list[2]:notes()[1].text}, {2, "4 octets are less than a message header"})
  check.equal(#netlink.decode(GETLINK .. "\0\0\0\0"), 1)
  -- A whole message that ends with its header can be printed, too.
  check.truthy(#tostring(netlink.decode(string.pack("=I4I2I2I4I4", 16, 16, 0, 0, 0))[1]) > 0)
end)

test("families by name and number, and what is none", function()
  check.equal(netlink.decode(ADDRESS, {family = 0})[1].event, "RTM_NEWADDR")
  check.equal(netlink.decode(ADDRESS, {family = "NETLINK_ROUTE"})[1].event, "RTM_NEWADDR")
  check.matches(check.raises("argument", netlink.decode, ADDRESS, {family = "routes"}).hint, "route")
end)

test("generic netlink: families that are named, and those that are learned on the way", function()
  local ctrl, ethtool = require "netlink.ctrl", require "netlink.ethtool_message"
  local question = netlink.encode(ethtool, {cmd = "LINKSTATE_GET", HEADER = {dev_name = "v0"}}, {type = 0x15, flags = 5, seq = 2})
  local answer = netlink.encode(ethtool, {cmd = "LINKSTATE_GET_REPLY", HEADER = {dev_name = "v0", dev_index = 3}, link = 1}, {type = 0x15, seq = 2})
  local m = netlink.decode(question .. answer, {family = "generic", families = {[0x15] = "ethtool"}})
  check.equal({m[1].event, m[2].event, m[2].link}, {"ETHTOOL_MSG_LINKSTATE_GET", "ETHTOOL_MSG_LINKSTATE_GET_REPLY", 1})
  -- Without a word the numbers are nobody's, and the octets are still there.
  check.equal(#netlink.decode(answer, {family = "generic"}), 1)
  local known = netlink.encode(ctrl, {cmd = "NEWFAMILY", family_name = "ethtool", family_id = 0x15}, {type = 0x10, seq = 1})
  local seen = {}
  for m in netlink.capture(capture{cooked(TO_USER, 16, known), cooked(TO_KERNEL, 16, question), cooked(TO_USER, 16, answer)}) do
    seen[#seen + 1] = m.event
  end
  check.equal(seen, {"CTRL_CMD_NEWFAMILY", "ETHTOOL_MSG_LINKSTATE_GET", "ETHTOOL_MSG_LINKSTATE_GET_REPLY"})
end)

test("names of netfilter, xfrm and audit", function()
  local function event(family, typ, body)
    local octets = body or "\2\0\0\0"
    return netlink.decode(string.pack("=I4I2I2I4I4", 16 + #octets, typ, 0, 0, 0) .. octets, {family = family})[1].event
  end
  check.equal(event("netfilter", 0xa00), "NFT_MSG_NEWTABLE")
  check.equal(event("netfilter", 0x101), "IPCTNL_MSG_CT_GET")
  check.equal(event("netfilter", 16), "NFNL_MSG_BATCH_BEGIN")
  check.equal(event("xfrm", 0x10), "XFRM_MSG_NEWSA")
  check.equal(event("audit", 1300, "audit(1:2): x"), "AUDIT_SYSCALL")
  check.equal(event("audit", 1320, ""), "AUDIT_EOE")
  local nf = netlink.decode(string.pack("=I4I2I2I4I4", 20, 0xa01, 0, 0, 0) .. "\2\0\0\10", {family = "netfilter"})[1]
  check.equal({nf.family, nf.version, nf.res_id}, {2, 0, 10})
end)

local FRAMES = {
  cooked(TO_KERNEL, 0, GETLINK),
  cooked(TO_USER, 0, ADDRESS .. ADDRESS),
  cooked(TO_USER, 16, fromhex"20000000100001000000000007000000030100000b0002006e6c6374726c0000"),
  cooked(TO_USER, 15, "add@/devices/virtual/net/v0\0ACTION=add\0INTERFACE=v0\0"),
  cooked(TO_USER, 0, "short"),
  "cut off",
}

test("N097: a capture is decoded, each datagram by the family that its header names", function()
  local seen = {}
  for m, at in netlink.capture(capture(FRAMES)) do seen[#seen + 1] = tostring(at) .. " " .. (m.event or m.message) .. " " .. at.time - 1700000000 end
  check.equal(seen, {
    "route to-kernel RTM_GETLINK 1", "route to-user RTM_NEWADDR 2", "route to-user RTM_NEWADDR 2", "generic to-user CTRL_CMD_GETFAMILY 3",
    "uevent to-user add@/devices/virtual/net/v0 4",
  })
end)

test("who sent it: by the header, or, of what nlmon sends out, by the flag of questions", function()
  local seen = {}
  for _, at in netlink.capture(capture{cooked(4, 0, GETLINK), cooked(4, 0, ADDRESS), cooked(4, 15, "add@/x\0"), cooked(TO_USER, 0, GETLINK)}) do
    seen[#seen + 1] = at.direction
  end
  check.equal(seen, {"to-kernel", "to-user", "to-user", "to-user"})
end)

local function count(options)
  local n = 0
  for _ in netlink.capture(capture(FRAMES), options) do n = n + 1 end
  return n
end

test("N097: filtered by family", function()
  check.equal(count{family = 0}, 3)
  check.equal(count{family = "generic"}, 1)
  check.equal(count{family = {"uevent", 16}}, 2)
  check.equal(count{family = "audit"}, 0)
  local c = capture(FRAMES)
  check.raises("argument", netlink.capture, c, {family = "nope"})
  c:close()
end)

test("N097: filtered by data: format, offset, value", function()
  check.equal(count{family = 0, data = {format = "u16", offset = 4, value = 20}}, 2)
  check.equal(count{data = {fmt = "H", offset = 4, value = 18}}, 1)
  check.equal(count{data = {{format = "<I", offset = 0, value = 76}, {format = "B", offset = 16, value = 2}}}, 2)
  check.equal(count{data = {{format = "<I", offset = 0, value = 76}, {format = "B", offset = 16, value = 3}}}, 0)
  check.equal(count{data = {format = "be32", offset = 16, value = 0x020880fe}}, 2)
  check.equal(count{data = {format = "I", offset = 100000, value = 0}}, 0)
  local c = capture(FRAMES)
  check.raises("argument", netlink.capture, c, {data = {format = "Z", offset = 4, value = 20}})
  check.raises("argument", netlink.capture, c, {data = {format = "H", value = 20}})
  c:close()
end)

test("N097: filtered by a function of the message and where it was", function()
  check.equal(count{match = function(m, at) return at.direction == "to-kernel" and m.index == 1 end}, 1)
end)

test("a capture of something else is refused", function()
  local lan = connector.lan()
  local p = lan:port()
  check.matches(check.raises("argument", netlink.capture, p).hint, "nlmon")
  lan:close()
end)

test("frames of netlink print as packets, with family and direction", function()
  local c = capture(FRAMES)
  local p = c:read_packet()
  c:close()
  check.equal({p.Netlink.family, p.Netlink.pkttype}, {0, 7})
  check.matches(tostring(p), "^Netlink route to%-kernel")
  check.equal(netlink.decode(p.Netlink.payload)[1].index, 1)
end)

-- What nlmon showed on Linux 6.1 while a script made a WireGuard device, gave it an
-- address and a peer, asked for it, for its link and for the netlink sockets, and
-- took it away.
local HERE = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
local function nlmon(options) return netlink.capture(open("pcap:" .. HERE .. "testdata/nlmon.pcap"), options) end

test("N097: a real capture of nlmon: every message has its name", function()
  local seen = {}
  for m, at in nlmon() do
    local line = ("%s %s %s"):format(at.family, at.direction, m.event)
    if m.header.error then line = line .. " " .. m.header.error.kind end
    if seen[#seen] ~= line then seen[#seen + 1] = line end
    check.equal(m:notes(), {})
  end
  check.equal(seen, {
    "route to-kernel RTM_NEWLINK", "route to-user NLMSG_ERROR",
    "route to-kernel RTM_GETLINK", "route to-user RTM_NEWLINK", "route to-kernel RTM_GETLINK", "route to-user RTM_NEWLINK",
    "route to-kernel RTM_GETLINK", "route to-user NLMSG_ERROR missing", "route to-kernel RTM_GETLINK", "route to-user RTM_NEWLINK",
    "route to-kernel RTM_NEWADDR", "route to-user RTM_NEWADDR", "route to-user NLMSG_ERROR", "route to-kernel RTM_NEWLINK",
    "route to-user NLMSG_ERROR", "generic to-kernel CTRL_CMD_GETFAMILY", "generic to-user CTRL_CMD_NEWFAMILY",
    "generic to-user NLMSG_ERROR", "generic to-kernel WG_CMD_SET_DEVICE", "generic to-user NLMSG_ERROR",
    "generic to-kernel WG_CMD_GET_DEVICE", "generic to-user WG_CMD_GET_DEVICE", "generic to-user NLMSG_DONE",
    "generic to-kernel CTRL_CMD_GETFAMILY", "generic to-user CTRL_CMD_NEWFAMILY", "generic to-user NLMSG_ERROR",
    "generic to-kernel ETHTOOL_MSG_LINKSTATE_GET", "generic to-user ETHTOOL_MSG_LINKSTATE_GET_REPLY", "generic to-user NLMSG_ERROR",
    "sock_diag to-kernel SOCK_DIAG_BY_FAMILY", "sock_diag to-user SOCK_DIAG_BY_FAMILY", "sock_diag to-user NLMSG_DONE",
    "route to-kernel RTM_DELLINK", "route to-user NLMSG_ERROR",
  })
end)

test("N097: that capture by family and by data", function()
  local function events(options)
    local n = {}
    for m in nlmon(options) do n[m.event] = (n[m.event] or 0) + 1 end
    return n
  end
  check.equal(events{family = "sock_diag"}, {SOCK_DIAG_BY_FAMILY = 14, NLMSG_DONE = 1})
  check.equal(events{family = 0, data = {format = "H", offset = 4, value = netlink.RTM_GETLINK}}, {RTM_GETLINK = 4})
  -- The header's type and genlmsghdr's command, side by side.
  check.equal(events{family = 16, data = {{format = "u16", offset = 4, value = 32}, {format = "u8", offset = 16, value = 1}}}, {WG_CMD_SET_DEVICE = 1})
end)

test("what a kernel said of a WireGuard device and of a link", function()
  local dev, link
  for m in nlmon{family = "generic", match = function(m) return m.header.flags % 2 == 0 end} do
    if m.event == "WG_CMD_GET_DEVICE" then dev = require("netlink.wireguard_words").describe{m} end
    if m.event == "ETHTOOL_MSG_LINKSTATE_GET_REPLY" then link = m:get("HEADER", "dev_name") end
  end
  check.equal(link, "wg0")
  check.equal({dev.name, dev.index, dev.listen_port, dev.fwmark}, {"wg0", 5, 51820, 7})
  check.equal(dev.public_key, "N8lGvdVlWafnRXIGrQXWmbtLvOocy2+YuihMQVYoKG0=")
  check.equal(dev.peers[1].endpoint, "192.0.2.1:51820")
  check.equal(dev.peers[1].allowed_ips, {"10.0.0.0/24", "fd00::/8"})
end)

test("events of processes in a capture", function()
  local data = string.pack("=I4I4I8I4I4I4I4I4I4", 0x80000000, 1, 5, 11, 11, 0x300, 17, 10, 10)
  local body = string.pack("=I4I4I4I4I2I2", 1, 1, 9, 0, #data, 0) .. data
  local frame = cooked(TO_USER, 11, string.pack("=I4I2I2I4I4", 16 + #body, 3, 0, 9, 0) .. body)
  for e, at in netlink.capture(capture{frame}) do
    check.equal({at.family, e.event, e.exit_code}, {"connector", "exit", 3})
  end
end)

-- Octets that were true once, with some of them changed or taken away.
local function spoil(octets)
  local out = {octets:byte(1, -1)}
  for _ = 1, math.random(1, 6) do
    local i = math.random(#out)
    local how = math.random(4)
    if how == 1 then out[i] = math.random(0, 255)
    elseif how == 2 then out[i] = 0
    elseif how == 3 then out[i] = 255
    elseif #out > 17 then table.remove(out, i) end
  end
  return string.char(unpack(out))
end

test("octets that were spoiled do no harm, in any family", function()
  local ctrl, ethtool = require "netlink.ctrl", require "netlink.ethtool_message"
  local wireguard, diag = require "netlink.wireguard_message", require "netlink.diag_message"
  local ANY = ("\0"):rep(16)
  local good = {
    {"route", ADDRESS}, {"route", GETLINK},
    {"generic", netlink.encode(ctrl, {cmd = "NEWFAMILY", family_name = "ethtool", family_id = 0x15, ops = {{id = 1, flags = "do"}},
      policy = {[4] = {[1] = {type = "u32"}}}}, {type = 16})},
    {"generic", netlink.encode(ethtool, {cmd = "FEATURES_NTF", HEADER = {dev_name = "v0"},
      hw = {size = 60, bits = {bit = {{index = 1, name = "x", value = true}, {index = 2, name = "y"}}}}}, {type = 0x15})},
    {"generic", netlink.encode(wireguard, {cmd = 0, ifname = "wg0", peers = {{public_key = ANY .. ANY,
      allowedips = {{family = 2, ipaddr = "10.0.0.0", cidr_mask = 8}}}}}, {type = 0x22})},
    {"sock_diag", netlink.encode(diag, {family = 2, state = 1, src = ANY, dst = ANY, cong = "bbr", info = {rtt = 5}}, {type = 20})},
    {"netfilter", string.pack("=I4I2I2I4I4", 28, 0xa00, 0, 0, 0) .. "\2\0\0\10" .. "\8\0\1\0abc\0"},
    {"xfrm", string.pack("=I4I2I2I4I4", 28, 16, 0, 0, 0) .. ("x"):rep(12)},
    {"connector", string.pack("=I4I2I2I4I4", 56, 3, 0, 0, 0) .. string.pack("=I4I4I4I4I2I2I4I4I8", 1, 1, 1, 0, 20, 0, 2, 0, 7) .. "\1\0\0\0"},
    {"uevent", "libudev\0\254\237\202\254" .. string.pack("=I4I4I4", 40, 40, 4) .. ("\0"):rep(16) .. "A=1\0"},
  }
  for _ = 1, 400 do
    for _, one in ipairs(good) do
      local octets = spoil(one[2])
      local list = netlink.decode(octets, {family = one[1], families = {[0x15] = "ethtool", [0x22] = "wireguard"}})
      for _, m in ipairs(list) do
        check.equal(type(tostring(m)), "string")
        if type(m) == "userdata" then
          m:totable()
          m:fields()
        end
      end
    end
  end
end)

if not clock.virtual then
  test("what the kernel really says: dumps of links, addresses and routes, captured and decoded", function()
    os.execute("ip link set lo up; ip link add cs0 type veth peer name cs1; ip addr add 10.77.0.1/24 dev cs0; ip link set cs0 up")
    local s = netlink.socket{family = "route"}
    local frames = {}
    for _, typ in ipairs{netlink.RTM_GETLINK, netlink.RTM_GETADDR, netlink.RTM_GETROUTE} do
      s:put(nil, typ, netlink.NLM_F_REQUEST + netlink.NLM_F_DUMP, nil, 9)
      repeat
        local octets = s:recv()
        frames[#frames + 1] = cooked(TO_USER, 0, octets)
        local list = netlink.decode(octets)
      until list[#list].header.type == 3
    end
    s:close()
    local links, addrs, routes = {}, {}, 0
    for m in netlink.capture(capture(frames)) do
      if m.event == "RTM_NEWLINK" then links[m.ifname] = m.index
      elseif m.event == "RTM_NEWADDR" then addrs[m.address] = m.index
      elseif m.event == "RTM_NEWROUTE" then routes = routes + 1 end
    end
    check.truthy(links.lo and links.cs0 and links.cs1)
    check.equal(addrs["10.77.0.1"], links.cs0)
    check.truthy(routes > 3)
    os.execute("ip link del cs0")
  end)

  test("N097: an nlmon interface shows the traffic of its namespace", function()
    if os.execute("ip link add nlm0 up type nlmon 2>/dev/null") ~= 0 then check.skip("this kernel has no nlmon interfaces") end
    local c = open"link:nlm0"
    os.execute("ip link show lo >/dev/null")
    local found
    for m, at in netlink.capture(c, {family = "route", timeout = 2}) do
      if m.event == "RTM_GETLINK" then found = at.direction break end
    end
    check.equal(found, "to-kernel")
    c:close()
    os.execute("ip link del nlm0")
  end)
end
