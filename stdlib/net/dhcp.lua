---A DHCP server for fake hosts (RFC 2131, RFC 2132): addresses from a pool,
---and what a boot ROM wants to know.
---
---    require("net.dhcp").serve(h, {boot = "boot.ipxe"})
local dhcp = {}

local OFFERED = 60        -- seconds an offered address is kept
local DECLINED = 600      -- seconds an address rests that somebody else seems to have
local POOL = 100          -- addresses, unless the caller says which

-- nil for what is no address: an option of the wrong length reads as octets.
local function number(ip)
  local a, b, c, d = ip:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  if not a then return nil end
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function text(n)
  return ("%d.%d.%d.%d"):format(math.floor(n / 2 ^ 24), math.floor(n / 2 ^ 16) % 256, math.floor(n / 256) % 256, n % 256)
end

-- The host's first IPv4 network: mask, first and last address.
local function network(h)
  for _, a in ipairs(h.list) do
    if not a.ip:find(":", 1, true) then
      local size = 2 ^ (32 - a.len)
      local net = math.floor(number(a.ip) / size) * size
      return a.ip, text(2 ^ 32 - size), net, net + size - 1
    end
  end
  raise("argument", ("dhcp: host %s has no IPv4 address"):format(h.name))
end

---@class dhcp.Options
---@field pool? table        first and last address, {"10.0.2.100", "10.0.2.199"} (default: up to 100 of the host's network)
---@field lease? seconds     default 86400
---@field boot? string       boot file: a name for the TFTP server, or a URL
---@field server? string     address of the TFTP server (default: the host's)
---@field router? string     default: the host's address
---@field dns? string        default: the host's address
---@field on_lease? function  called with address, client's MAC address and kind of answer

---Serves addresses to the host's network.
---@param h Host
---@param opts? dhcp.Options
---@return table   leases: MAC address to {ip=, expires=}
function dhcp.serve(h, opts)
  opts = opts or {}
  local me, mask, net, broadcast = network(h)
  local from = broadcast - net > 200 and net + 100 or net + 1
  local to = math.min(broadcast - 1, from + POOL - 1)
  if opts.pool then from, to = number(opts.pool[1]), number(opts.pool[2]) end
  if not from or not to or from <= net or to >= broadcast or from > to then
    raise("range", "dhcp: the pool is not in the network of " .. me)
  end
  local lease = opts.lease or 86400
  local leases, holder = {}, {} -- by MAC address; who has an address

  local function free(ip, mac)
    local who = holder[ip]
    return ip ~= me and (not who or who == mac or leases[who].expires <= clock.now())
  end
  local function usable(ip, mac)
    local n = number(ip)
    return n and n >= from and n <= to and free(ip, mac)
  end
  local function take(ip, mac, seconds)
    local old = leases[mac]
    if old and holder[old.ip] == mac then holder[old.ip] = nil end
    local other = holder[ip]
    if other and other ~= mac then leases[other] = nil end
    leases[mac], holder[ip] = {ip = ip, expires = clock.now() + seconds}, mac
  end
  -- The address a client had, the one it asks for, the first free one.
  local function choose(mac, wish)
    if leases[mac] and free(leases[mac].ip, mac) then return leases[mac].ip end
    if wish and usable(wish, mac) then return wish end
    for n = from, to do
      if free(text(n), mac) then return text(n) end
    end
  end

  local function reply(p, kind, ip)
    local b = p.BOOTP
    local options = {{"message-type", kind}, {"server_id", me}}
    local function add(...) options[#options + 1] = {...} end
    if kind ~= "nak" then
      if ip then add("lease_time", lease) end
      add("subnet_mask", mask)
      add("router", opts.router or me)
      add("name_server", opts.dns or me)
      if opts.boot then add("boot-file-name", opts.boot) end
      add("ipxe", {{"no-pxedhcp", 1}}) -- spares iPXE 3 s of waiting for a proxy
    end
    options[#options + 1] = "end"
    local boot = kind ~= "nak" and opts.boot or ""
    local answer = BOOTP{op = 2, xid = b.xid, flags = b.flags, htype = b.htype, hlen = b.hlen, chaddr = b.chaddr,
      ciaddr = kind == "ack" and b.ciaddr or nil, yiaddr = ip, giaddr = b.giaddr,
      siaddr = kind ~= "nak" and (opts.server or me) or nil, file = #boot < 128 and boot or nil} / DHCP{options = options}
    -- RFC 2131 §4.1: to the relay, to who has an address, to all, or to an
    -- address that the client does not answer ARP for yet.
    local mac, dst, port = b.chaddr, ip or b.ciaddr, 68
    if b.giaddr ~= "0.0.0.0" then
      mac, dst, port = p.Ether.src, b.giaddr, 67
    elseif kind == "nak" or (b.ciaddr == "0.0.0.0" and b.flags:find("B", 1, true)) then
      mac, dst = "ff:ff:ff:ff:ff:ff", "255.255.255.255"
    elseif b.ciaddr ~= "0.0.0.0" then
      dst = b.ciaddr
    end
    h.conn:write(Ether{src = h.mac, dst = mac} / IP{src = me, dst = dst} / UDP{sport = 67, dport = port} / answer)
    if opts.on_lease then opts.on_lease(ip or dst, b.chaddr, kind) end
  end

  h:on_udp(67, function(_, p)
    local b = p.BOOTP
    if not b or not p.DHCP or b.op ~= 1 or b.hlen ~= 6 then return end
    local o = {}
    for _, option in ipairs(p.DHCP.options) do
      if type(option) == "table" then o[option[1]] = option[2] end -- "end" and "pad" stand alone
    end
    local kind, mac, wish = o["message-type"], b.chaddr, o.requested_addr
    local mine = not o.server_id or o.server_id == me
    if kind == "discover" then
      local ip = choose(mac, wish)
      if not ip then return end -- none left
      -- A client that asks again keeps what it has.
      local known = leases[mac]
      if not known or known.ip ~= ip or known.expires < clock.now() + OFFERED then take(ip, mac, OFFERED) end
      reply(p, "offer", ip)
    elseif kind == "request" then
      if not mine then -- it took another server's offer
        if leases[mac] then leases[mac].expires = clock.now() end
        return
      end
      local ip = wish or b.ciaddr
      if usable(ip, mac) then
        take(ip, mac, lease)
        reply(p, "ack", ip)
      else
        reply(p, "nak")
      end
    elseif kind == "release" and mine then
      if leases[mac] and leases[mac].ip == b.ciaddr then leases[mac].expires = clock.now() end
    elseif kind == "decline" and mine and wish and holder[wish] == mac then
      leases[mac] = nil
      leases["declined " .. wish], holder[wish] = {ip = wish, expires = clock.now() + DECLINED}, "declined " .. wish
    elseif kind == "inform" then
      reply(p, "ack")
    end
  end, {broadcast = true})
  return leases
end

return dhcp
