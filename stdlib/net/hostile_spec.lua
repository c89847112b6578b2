-- Whatever comes in, a server neither fails nor stops.

local files, netboot = require "net.files", require "net.netboot"

local function mangle(s)
  local b = {s:byte(1, -1)}
  for _ = 1, math.random(0, 4) do
    local at = math.random(1, #b)
    local how = math.random(4)
    if how == 1 then b[at] = math.random(0, 255)
    elseif how == 2 then b[at] = math.random(2) == 1 and 0 or 255
    elseif how == 3 and #b > 1 then table.remove(b, at)
    else table.insert(b, at, math.random(0, 255)) end
  end
  s = string.char(unpack(b))
  return math.random(5) == 1 and s:sub(1, math.random(0, #s)) or s
end

test("mangled requests", function()
  local lan = connector.lan()
  local h, c = lan:host{ip = "10.0.2.1/24", router = true}, lan:port()
  netboot.serve(h, files.of{["boot.ipxe"] = "#!ipxe\n"}, {boot = "boot.ipxe"})
  local mac = "52:54:00:12:34:56"
  local head = Ether{src = mac, dst = h.mac}
  local function ip(src) return IP{src = src or "10.0.2.100", dst = "10.0.2.1"} end
  local function udp(sport, dport, p) return function() return head / ip() / UDP{sport = sport, dport = dport} / mangle(bytes(p)) end end
  local get = "GET /boot.ipxe HTTP/1.1\r\nRange: bytes=1-2\r\nContent-Length: 0\r\n\r\n"
  local makers = {
    udp(68, 67, BOOTP{chaddr = mac} / DHCP{options = {{"message-type", "discover"}, {"requested_addr", "10.0.2.7"}, "end"}}),
    udp(68, 67, BOOTP{chaddr = mac} / DHCP{options = {{"message-type", "request"}, {"requested_addr", "10.0.2.100"}, {"server_id", "10.0.2.1"}, "end"}}),
    udp(2000, 69, TFTP{} / TFTP_RRQ{filename = "boot.ipxe", options = {{"blksize", "1432"}, {"tsize", "0"}, {"timeout", "1"}}}),
    udp(2000, 69, TFTP{} / TFTP_WRQ{filename = "x"}),
    -- What a client says on a transfer's port.
    function()
      c:write(head / ip() / UDP{sport = 2001, dport = 69} / (TFTP{} / TFTP_RRQ{filename = "boot.ipxe"}))
      for p in c:packets(0.1) do
        if p.UDP and p.UDP.dport == 2001 then
          local t = math.random(3) == 1 and TFTP_ERROR{errormsg = "no"} or TFTP_ACK{block = 1}
          return head / ip() / UDP{sport = 2001, dport = p.UDP.sport} / mangle(bytes(TFTP{} / t))
        end
      end
      return head
    end,
    function()
      local p = head / ip() / TCP.parse(mangle(bytes(TCP{sport = 9, dport = 80, flags = "S", options = {{"MSS", 1460}, {"WScale", 7}}})))
      if p.TCP then p.TCP.dport, p.TCP.chksum = 80, nil end -- a wrong checksum would end it at the door
      return p
    end,
    -- A whole connection, of which only the request is mangled.
    function()
      local sport = math.random(10000, 60000)
      c:write(head / ip() / TCP{sport = sport, dport = 80, seq = 1, flags = "S"})
      for p in c:packets(0.1) do
        if p.TCP and p.TCP.dport == sport then
          c:write(head / ip() / TCP{sport = sport, dport = 80, seq = 2, ack = p.TCP.seq + 1, flags = "PA"} / mangle(get))
          return head / ip() / TCP{sport = sport, dport = 80, seq = 2 + math.random(0, 90), ack = p.TCP.seq + 1, flags = "RA"}
        end
      end
      return head
    end,
  }
  for n = 1, 1400 do
    c:write(makers[n % #makers + 1]())
    if n % 20 == 0 then sleep(0.01) end
  end
  sleep(400)
  local stats = h.handler:stats()
  check.equal(stats.errors, 0)
  check.truthy(stats.frames >= 1200, stats.frames)
  check.equal(next(h.tcp.conns), nil, "connections that nobody needs are forgotten")
  h:close() lan:close()
end)
