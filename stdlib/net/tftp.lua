---A TFTP server for fake hosts: reading files (RFC 1350) with the options
---blksize (RFC 2348), tsize, timeout (RFC 2349) and windowsize (RFC 7440).
---
---    require("net.tftp").serve(h, require("net.files").below("/srv/boot"))
local tftp = {}

local TRIES = 6              -- of one window, before the client counts as gone
local BLKSIZE_MAX = 1468     -- what fits a frame: UDP and IP do not fragment here
local WINDOW_MAX = 64

-- The options we take, with what we answer: a number, or nil to leave it out.
local OPTIONS = {
  blksize = function(n) if n >= 8 then return math.min(n, BLKSIZE_MAX) end end,
  tsize = function(_, file) return file.size end,
  timeout = function(n) if n >= 1 and n <= 255 then return n end end,
  windowsize = function(n) if n >= 1 then return math.min(n, WINDOW_MAX) end end,
}

-- netascii, RFC 764 by way of RFC 1350: lines end in CR LF, a lone CR is CR NUL.
local function netascii(file)
  local text = file:read(0, file.size):gsub("\r", "\r\0"):gsub("\n", "\r\n")
  file:close()
  return {size = #text, read = function(_, at, n) return text:sub(at + 1, at + n) end, close = function() end}
end

local function refusal(code, text) return TFTP{} / TFTP_ERROR{errorcode = code, errormsg = text} end

-- One transfer, from a port of its own (RFC 1350 §4). `take` waits for the
-- client's next packet.
local function transfer(send, take, file, rrq, timeout)
  local size, window, taken = 512, 1, {}
  for _, o in ipairs(rrq.options) do
    local name, n = (o.oname or ""):lower(), tonumber((o.value or ""):match("^%d+$")) -- either may be cut off
    local v = OPTIONS[name] and n and OPTIONS[name](n, file)
    if v then
      taken[#taken + 1] = {name, tostring(v)}
      if name == "blksize" then size = v end
      if name == "timeout" then timeout = v end
      if name == "windowsize" then window = v end
    end
  end
  -- Blocks are counted on; on the wire 65535 is followed by 0. A file of whole
  -- blocks ends with an empty one.
  local blocks = math.floor(file.size / size) + 1
  local acked = 0
  if #taken > 0 then acked = -1 end -- the options are acknowledged as block 0
  local tries = 0
  while acked < blocks do
    if acked < 0 then
      send(TFTP{} / TFTP_OACK{options = taken})
    else
      for b = acked + 1, math.min(acked + window, blocks) do
        send(TFTP{} / TFTP_DATA{block = b % 65536} / file:read((b - 1) * size, size))
      end
    end
    local limit = clock.now() + timeout
    local moved = false
    repeat
      local p = take(math.max(0, limit - clock.now()))
      if p and p.TFTP_ERROR then return nil, p.TFTP_ERROR.errormsg or "ended by the client" end
      if p and p.TFTP_ACK and p.TFTP_ACK.block then
        -- Only an acknowledgement of what is under way moves the transfer on:
        -- answering older ones again would double every packet from then on.
        local ahead = (p.TFTP_ACK.block - acked) % 65536
        if ahead >= 1 and ahead <= window and acked + ahead <= blocks then
          acked, moved = acked + ahead, true
        end
      end
    until moved or not p
    tries = moved and 0 or tries + 1
    if tries >= TRIES then return nil, "no acknowledgement" end
  end
  return file.size
end

---@class tftp.Options
---@field port? integer         default 69
---@field timeout? seconds      before a block is sent again (default 1)
---@field on_request? function  called when a request was refused or served: client's address, file name, octets or nil, why

---Serves files.
---@param h Host
---@param open function      from net.files: a name to a file
---@param opts? tftp.Options
function tftp.serve(h, open, opts)
  opts = opts or {}
  local report = opts.on_request or function() end
  local running = {}  -- client's address and port: its transfer
  local tid = math.random(49152, 65535)

  h:on_udp(opts.port or 69, function(payload, p)
    local q = TFTP.parse(payload)
    local ip, u = p.IP or p.IPv6, p.UDP
    local who = ip.src .. " " .. u.sport
    if q.TFTP_WRQ then
      report(ip.src, q.TFTP_WRQ.filename or "", nil, "writing is not allowed")
      return refusal(2, "read only")
    end
    local rrq = q.TFTP_RRQ
    if not rrq or not rrq.mode then -- a request that was cut has no mode
      if not q.TFTP_ERROR then return refusal(4, "not a request") end
      return
    end
    if running[who] then return end -- the request once more; the transfer repeats its answer by itself
    local mode = rrq.mode:lower()
    if mode ~= "octet" and mode ~= "netascii" then return refusal(4, "no mode " .. mode) end
    local file, why = open(rrq.filename)
    if not file then
      report(ip.src, rrq.filename, nil, why == "permission" and "refused" or "no such file")
      if why == "permission" then return refusal(2, "access violation") end
      return refusal(1, "file not found")
    end
    if mode == "netascii" then file = netascii(file) end

    repeat tid = tid == 65535 and 49152 or tid + 1 until not h.udp[tid]
    local port, inbox = tid, queue(2 * WINDOW_MAX)
    running[who] = true
    local head = Ether{src = h.mac, dst = p.Ether.src}
      / (p.IP and IP{src = ip.dst, dst = ip.src} or IPv6{src = ip.dst, dst = ip.src})
      / UDP{sport = port, dport = u.sport}
    h:on_udp(port, function(answer, a)
      if a.UDP.sport ~= u.sport or (a.IP or a.IPv6).src ~= ip.src then
        return refusal(5, "unknown transfer ID")
      end
      -- A flood of acknowledgements is worth no more than its first.
      if inbox:len() < 2 * WINDOW_MAX then inbox:put(TFTP.parse(answer)) end
    end)
    spawn(function()
      local ok, octets, problem = pcall(transfer, function(t) h.conn:write(head / t) end,
        function(wait) return inbox:get(wait) end, file, rrq, opts.timeout or 1)
      h:on_udp(port, nil)
      running[who] = nil
      file:close()
      if ok then return report(ip.src, rrq.filename, octets, problem) end
      if octets.kind ~= "closed" and octets.kind ~= "cancelled" then error(octets, 0) end
    end)
  end)
end

return tftp
