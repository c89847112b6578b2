-- A machine that boots over the network, in Lua: what a ROM does, step by step.

local files, netboot, tcp = require "net.files", require "net.netboot", require "net.tcp"

local SCRIPT = "#!ipxe\nimgfetch http://10.0.2.1/kernel\n"
local KERNEL = ("\1\2\3\4\5\6\7"):rep(20000)

-- Asks until somebody answers.
local function patiently(conn, request, want, timeout)
  for _ = 1, 8 do
    conn:write(request)
    for p in conn:packets(timeout or 1) do
      if want(p) then return p end
    end
  end
  check.fail("no answer to " .. request:summary())
end

local function options(p)
  local o = {}
  for _, option in ipairs(p.DHCP.options) do
    if type(option) == "table" then o[option[1]] = option[2] end
  end
  return o
end

local function dhcp(conn, mac, kind, more)
  local list = {{"message-type", kind}, {"param_req_list", 1, 3, 6, 67, 175}}
  for _, o in ipairs(more or {}) do list[#list + 1] = o end
  list[#list + 1] = "end"
  return Ether{src = mac} / IP{src = "0.0.0.0", dst = "255.255.255.255"} / UDP{sport = 68, dport = 67}
    / BOOTP{chaddr = mac, xid = 0x52540012} / DHCP{options = list}
end

local function configure(conn, mac)
  local function is(kind)
    return function(p) return p.DHCP and p.BOOTP.op == 2 and p.BOOTP.xid == 0x52540012 and options(p)["message-type"] == kind end
  end
  local offer = patiently(conn, dhcp(conn, mac, "discover"), is "offer")
  return offer, patiently(conn, dhcp(conn, mac, "request",
    {{"requested_addr", offer.BOOTP.yiaddr}, {"server_id", options(offer).server_id}}), is "ack")
end

local function tftp(h, server, name)
  local inbox, port, got = queue(), 69, {}
  h:on_udp(2070, function(payload, p) inbox:put({TFTP.parse(payload), p.UDP.sport}) end)
  local last, n = TFTP_RRQ{filename = name, options = {{"blksize", "1432"}, {"tsize", "0"}}}, 1
  local to = h:to(server)
  for _ = 1, 100 do
    h.conn:write(to / UDP{sport = 2070, dport = port} / (TFTP{} / last))
    local answer = inbox:get(1)
    local p = answer and answer[1]
    if p and p.TFTP_OACK then
      port, last = answer[2], TFTP_ACK{block = 0}
    elseif p and p.TFTP_DATA and p.TFTP_DATA.block == n then
      port, got[n], last, n = answer[2], p.TFTP_DATA.payload, TFTP_ACK{block = n}, n + 1
      if #got[n - 1] < 1432 then
        h.conn:write(to / UDP{sport = 2070, dport = port} / (TFTP{} / last))
        return table.concat(got)
      end
    end
  end
end

local function http(h, url)
  local server, path = url:match("^http://([^/]+)(/.*)$")
  local c = tcp.connect(h, server, 80)
  c:write("GET " .. path .. " HTTP/1.1\r\nHost: " .. server .. "\r\nConnection: close\r\n\r\n")
  local got = {}
  for data in c:chunks() do got[#got + 1] = data end
  c:close()
  c:wait(10)
  return table.concat(got):match("^HTTP/1.1 200 OK\r\n.-\r\n\r\n(.*)$")
end

local function boot(lan_options)
  local lan = connector.lan(lan_options)
  local log = {}
  local server = lan:host{ip = "10.0.2.1/24", router = true}
  netboot.serve(server, files.of{["boot.ipxe"] = SCRIPT, kernel = KERNEL},
    {boot = "boot.ipxe", log = function(line) log[#log + 1] = line:match(" (.*)") end})

  local mac, port = "52:54:00:12:34:56", lan:port()
  local offer, ack = configure(port, mac)
  check.equal(offer.BOOTP.siaddr, "10.0.2.1")
  check.equal(ack.BOOTP.yiaddr, offer.BOOTP.yiaddr)
  local o = options(ack)
  check.equal(o.subnet_mask, "255.255.255.0")
  check.equal(o["boot-file-name"], "boot.ipxe")
  check.equal(o.ipxe, {{"no-pxedhcp", 1}})

  local client = host{on = port, ip = ack.BOOTP.yiaddr .. "/24", mac = mac}
  local script = tftp(client, ack.BOOTP.siaddr, ack.BOOTP.file)
  check.equal(script, SCRIPT)
  check.truthy(http(client, script:match("imgfetch (%S+)")) == KERNEL)
  local took = clock.now()
  client:close() server:close() lan:close()
  return log, took
end

test("a machine boots", function()
  local log, took = boot{latency = 0.0005}
  check.equal(log, {"dhcp offer: 10.0.2.100 for 52:54:00:12:34:56", "dhcp ack: 10.0.2.100 for 52:54:00:12:34:56",
    'tftp 10.0.2.100: "boot.ipxe" 39 octets', 'http 10.0.2.100: GET "/kernel" 200, 140000 octets'})
  check.truthy(took < 2, took)
end)

test("a machine boots over a bad LAN", function()
  boot{latency = 0.0005, loss = 0.1, duplicate = 0.05, reorder = 0.05}
end)

local function serving(ip, fn, opts)
  local lan = connector.lan()
  local h, c = lan:host{ip = ip, router = true}, lan:port()
  local leases = require("net.dhcp").serve(h, opts)
  local ok, err = pcall(fn, c, h, leases)
  h:close() lan:close()
  if not ok then error(err, 0) end
end

test("each client gets its own address, and the same one again", function()
  serving("10.0.2.1/24", function(c)
    local function address(n)
      local _, ack = configure(c, ("52:54:00:00:00:%02x"):format(n))
      return ack.BOOTP.yiaddr
    end
    check.equal(address(1), "10.0.2.100")
    check.equal(address(2), "10.0.2.101")
    check.equal(address(1), "10.0.2.100")
  end)
end)

test("a small network is used up, and leases run out", function()
  serving("10.0.2.1/30", function(c)
    local _, ack = configure(c, "52:54:00:00:00:01")
    check.equal(ack.BOOTP.yiaddr, "10.0.2.2")
    c:write(dhcp(c, "52:54:00:00:00:02", "discover"))
    check.equal(c:sr1(dhcp(c, "52:54:00:00:00:02", "discover"), {timeout = 2}), nil)
    sleep(100)
    _, ack = configure(c, "52:54:00:00:00:02")
    check.equal(ack.BOOTP.yiaddr, "10.0.2.2")
  end, {lease = 90})
end)

test("an address that is not ours to give is refused", function()
  serving("10.0.2.1/24", function(c)
    for _, bad in ipairs {"10.0.2.1", "192.168.1.5", "10.0.2.255"} do
      local r = c:sr1(dhcp(c, "52:54:00:00:00:01", "request", {{"requested_addr", bad}}), {timeout = 1})
      check.equal(options(r)["message-type"], "nak", bad)
      check.equal(r.IP.dst, "255.255.255.255")
    end
    check.equal(c:sr1(dhcp(c, "52:54:00:00:00:01", "request", {{"requested_addr", "10.0.2.100"}, {"server_id", "10.0.2.9"}}), {timeout = 1}), nil)
  end)
end)

test("answers go where the client can hear them", function()
  serving("10.0.2.1/24", function(c)
    local q = dhcp(c, "52:54:00:00:00:01", "discover")
    local r = c:sr1(q, {timeout = 1})
    check.equal({r.Ether.dst, r.IP.dst, r.UDP.dport}, {"52:54:00:00:00:01", "10.0.2.100", 68})
    q.BOOTP.flags = "B"
    r = c:sr1(q, {timeout = 1})
    check.equal({r.Ether.dst, r.IP.dst}, {"ff:ff:ff:ff:ff:ff", "255.255.255.255"})
    q.BOOTP.giaddr = "10.0.2.9"
    c:write(q)
    r = c:read_packet(1)
    check.equal({r.IP.dst, r.UDP.dport}, {"10.0.2.9", 67})
  end)
end)

test("who looks for a router hears that there is none", function()
  serving("10.0.2.1/24", function(c, h)
    local r = c:sr1(Ether{src = "52:54:00:00:00:01", dst = "33:33:00:00:00:02"}
      / IPv6{src = "fe80::1", dst = "ff02::2", hlim = 255} / ICMPv6{type = "router-solicitation"}, {timeout = 1})
    check.equal(r.ICMPv6.type, "router-advertisement")
    check.equal(r.ICMPv6.routerlifetime, 0)
    check.equal(r.IPv6.src, h.ip6)
    check.equal(r.IPv6.dst, "fe80::1")
  end)
end)
