---TCP for fake hosts (RFC 9293): listen, connect, read, write, close, over any
---connector that the host is on. Handshake, retransmission (RFC 6298), flow
---control with window scaling (RFC 7323), congestion control (RFC 5681,
---RFC 6582), orderly close and reset.
---
---    local tcp = require "net.tcp"
---    tcp.listen(h, 7, function(c)                  -- a task for each connection
---      for data in c:chunks() do c:write(data) end
---    end)
---    local c = tcp.connect(h, "10.0.0.2", 7)
---    c:write("hello") print(c:read()) c:close()
---
---A connection is for one reader and one writer at a time.
local tcp = {}

local MTU = 1500
local BUFFER = 65535            -- octets we take before they are read, and keep before they are acknowledged
local RTO_FIRST, RTO_MIN, RTO_MAX = 1, 0.2, 60   -- seconds, RFC 6298 §2 but for the minimum: fake hosts sit on LANs
local TRIES = 8                 -- of one segment, before the peer counts as gone
local LINGER = 2                -- seconds in TIME-WAIT: RFC 9293 wants 4 minutes, a LAN forgets sooner
local PEER_CLOSE = 60           -- seconds for the peer to close, once nobody here reads any more
local BACKLOG = 64              -- handshakes under way on one port

local WRAP = 2 ^ 32

-- Sequence numbers are counted on without end (2^53 octets are enough) and
-- wrap only on the wire. unwrap finds the number that is nearest to `near`.
local function unwrap(v, near)
  return near + (v - near + WRAP / 2) % WRAP - WRAP / 2
end

local function signal(q)
  if q:len() == 0 then q:put(true) end
end

--- Connections -------------------------------------------------------------

local Conn = {}
Conn.__index = Conn

-- What is to be sent is a list of segments; SYN and FIN are segments, too, as
-- each of them takes one sequence number.
local function new(stack, head, lip, rip, lport, rport)
  local iss = math.random(0, WRAP - 1)
  local c = setmetatable({
    stack = stack, head = head, lip = lip, rip = rip, lport = lport, rport = rport,
    key = ("%s %d %s %d"):format(lip, lport, rip, rport),
    state = "closed",
    -- sending: segs[first..last] wait for acknowledgement, of which those
    -- before `at` are under way
    segs = {}, first = 1, last = 0, at = 1,
    una = iss, nxt = iss, top = iss, -- oldest unacknowledged, next to be queued, highest sent
    queued = 0,                      -- octets in segs
    wnd = 0, scale = 0, mss = 536,   -- of the peer; 536: RFC 9293 §3.7.1
    cwnd = 0, ssthresh = math.huge, dups = 0,
    rto = RTO_FIRST, tries = 0,
    -- receiving
    rcv = nil, early = {}, held = 0, inbox = {}, waiting = 0, finished = false,
    readable = queue(), writable = queue(),
  }, Conn)
  return c
end

function Conn:__tostring()
  return ("tcp %s:%d > %s:%d %s"):format(self.lip, self.lport, self.rip, self.rport, self.state)
end

function Conn:_window()
  return math.max(0, BUFFER - self.waiting)
end

function Conn:_send(seq, flags, data, options)
  self.advertised = self:_window()
  self.stack.host.conn:write(self.head / TCP{
    sport = self.lport, dport = self.rport, seq = seq % WRAP, ack = self.rcv and self.rcv % WRAP or 0,
    flags = flags, window = self.advertised, options = options} / data)
end

function Conn:_ack()
  self:_send(self.top, "A", "")
end

function Conn:_queue(flags, data, options)
  local len = flags and 1 or #data
  self.last = self.last + 1
  self.segs[self.last] = {seq = self.nxt, len = len, data = data, flags = flags, options = options}
  self.nxt = self.nxt + len
  self.queued = self.queued + len
end

-- The segment at `at` becomes two, the first of n octets.
function Conn:_split(n)
  local s = self.segs[self.at]
  for i = self.last, self.at + 1, -1 do self.segs[i + 1] = self.segs[i] end
  self.last = self.last + 1
  self.segs[self.at + 1] = {seq = s.seq + n, len = s.len - n, data = s.data:sub(n + 1)}
  s.len, s.data = n, s.data:sub(1, n)
end

function Conn:_transmit(s)
  if s.sent then s.again = true end
  s.sent = clock.now()
  self.top = math.max(self.top, s.seq + s.len)
  if s.flags then
    self:_send(s.seq, self.rcv and s.flags .. "A" or s.flags, s.data, s.options)
  else
    self:_send(s.seq, s.seq + s.len == self.nxt and "PA" or "A", s.data)
  end
end

-- Sends what the windows allow. Writing a frame may let another task run, so
-- the state is whole before each.
function Conn:_push()
  while self.at <= self.last and self.state ~= "closed" do
    local s = self.segs[self.at]
    local room = self.una + math.min(self.wnd, self.cwnd) - s.seq
    if s.len > room and not s.flags then
      -- Nothing is under way, so nothing but a part of it would bring the window on.
      if self.at > self.first or room <= 0 then break end
      self:_split(room)
    end
    self.at = self.at + 1
    self:_transmit(s)
  end
  if self.first <= self.last then
    if not self.deadline then self:_arm(self.rto) end
  elseif not self.fin_acked then -- else the deadline is that of the close
    self.deadline = nil
  end
end

-- One timer a connection. It is not moved with every segment: it looks at the
-- deadline when it fires.
function Conn:_arm(seconds)
  local now = clock.now()
  self.deadline = now + seconds
  if self.timer then
    if self.timer_at <= self.deadline then return end
    self.timer:cancel()
  end
  self.timer_at = self.deadline
  self.timer = after(seconds, function()
    local ok, err = pcall(self._timer, self)
    if ok then return end
    self:_end("closed", "the connector is closed")
    if err.kind ~= "closed" then error(err, 0) end
  end)
end

function Conn:_timer()
  self.timer = nil
  if not self.deadline or self.state == "closed" then return end
  local left = self.deadline - clock.now()
  if left > 1e-9 then return self:_arm(left) end
  self.deadline = nil
  if self.first > self.last then return self:_end() end -- TIME-WAIT, or the peer never closed
  self.tries = self.tries + 1
  if self.tries > TRIES then return self:_end("timeout", "no acknowledgement") end
  self.rto = math.min(RTO_MAX, self.rto * 2) -- RFC 6298 §5.5
  if self.at > self.first then
    -- RFC 5681 §3.1; what was under way is sent once more, from the oldest on.
    self.ssthresh = math.max((self.top - self.una) / 2, 2 * self.mss)
    self.cwnd, self.dups, self.recover = self.mss, 0, nil
    self.at = self.first
  end
  local s = self.segs[self.at]
  if not s.flags and self.wnd == 0 and s.len > 1 then self:_split(1) end -- a probe: RFC 9293 §3.8.6.1
  self.at = self.at + 1
  self:_arm(self.rto)
  self:_transmit(s)
  self:_push()
end

-- RFC 6298 §2.
function Conn:_measure(rtt)
  if not self.srtt then
    self.srtt, self.rttvar = rtt, rtt / 2
  else
    self.rttvar = 0.75 * self.rttvar + 0.25 * math.abs(self.srtt - rtt)
    self.srtt = 0.875 * self.srtt + 0.125 * rtt
  end
  self.rto = math.min(RTO_MAX, math.max(RTO_MIN, self.srtt + 4 * self.rttvar))
end

function Conn:_acked(ack)
  local now, progress = clock.now(), ack - self.una
  self.una, self.dups, self.tries = ack, 0, 0
  self.top = math.max(self.top, ack)
  while self.first <= self.last do
    local s = self.segs[self.first]
    if s.seq + s.len > ack then
      local part = ack - s.seq
      if part > 0 then
        s.seq, s.len, s.data = ack, s.len - part, s.data:sub(part + 1)
        self.queued = self.queued - part
      end
      break
    end
    if s.sent and not s.again then self:_measure(now - s.sent) end -- Karn: never from one sent twice
    self.segs[self.first] = nil
    self.first = self.first + 1
    self.queued = self.queued - s.len
    if s.flags == "F" then self.fin_acked = true end
  end
  self.at = math.max(self.at, self.first)
  if self.recover then
    if ack >= self.recover then
      self.cwnd, self.recover = self.ssthresh, nil
    elseif self.first < self.at then -- RFC 6582: the next hole
      self:_transmit(self.segs[self.first])
    end
  elseif self.cwnd < self.ssthresh then
    self.cwnd = self.cwnd + math.min(progress, 2 * self.mss)
  else
    self.cwnd = self.cwnd + math.max(1, self.mss * self.mss / self.cwnd)
  end
  self.deadline = nil
  if self.first <= self.last then self:_arm(self.rto) end
  if self.queued < BUFFER then signal(self.writable) end
end

function Conn:_duplicate()
  self.dups = self.dups + 1
  if self.recover then
    self.cwnd = self.cwnd + self.mss
  elseif self.dups == 3 and self.at > self.first then -- RFC 5681 §3.2
    self.ssthresh = math.max((self.top - self.una) / 2, 2 * self.mss)
    self.cwnd, self.recover = self.ssthresh + 3 * self.mss, self.top
    self:_transmit(self.segs[self.first])
  end
end

function Conn:_take(data, fin)
  self.rcv = self.rcv + #data + (fin and 1 or 0)
  if #data > 0 and not self.closing then -- who closed does not read any more
    self.inbox[#self.inbox + 1] = data
    self.waiting = self.waiting + #data
  end
  if fin then self.finished = true end
  signal(self.readable)
end

function Conn:_receive(seq, data, fin)
  local stop = seq + #data + (fin and 1 or 0)
  if stop > self.rcv and seq <= self.rcv and #data - (self.rcv - seq) <= self:_window() + 1 then
    self:_take(data:sub(self.rcv - seq + 1), fin)
    repeat -- what came early and fits now
      local more = false
      for at, e in pairs(self.early) do
        if at <= self.rcv then
          self.early[at] = nil
          self.held = self.held - #e.data - 1
          if at + #e.data + (e.fin and 1 or 0) > self.rcv then
            self:_take(e.data:sub(self.rcv - at + 1), e.fin)
            more = true
            break
          end
        end
      end
    until not more
  elseif seq > self.rcv and stop <= self.rcv + self:_window() and not self.early[seq]
    and self.held + #data <= BUFFER then
    self.early[seq] = {data = data, fin = fin}
    self.held = self.held + #data + 1
  end
end

function Conn:_options(t)
  self.mss = 536
  for _, o in ipairs(t.options) do
    if type(o) == "table" and type(o[2]) == "number" then -- else it has no value, or is malformed
      if o[1] == "MSS" then self.mss = math.max(64, o[2]) end
      if o[1] == "WScale" then self.scaled, self.scale = true, math.min(14, o[2]) end -- RFC 7323 §2.3
    end
  end
  self.mss = math.min(self.mss, self.stack.mss(self.rip))
end

function Conn:_established()
  self.state = "established"
  self.cwnd = 10 * self.mss -- RFC 6928
  signal(self.writable)
  if self.accept then
    local accept = self.accept
    self.accept = nil
    self.listener.pending = self.listener.pending - 1
    spawn(accept, self)
  end
end

-- A segment for this connection.
function Conn:_input(p)
  local t = p.TCP
  local flags, data = t.flags, t.payload
  local syn, fin = flags:find("S", 1, true), flags:find("F", 1, true) and true
  if self.state == "syn-sent" then
    if flags:find("R", 1, true) then
      if flags:find("A", 1, true) and unwrap(t.ack, self.top) == self.top then
        self:_end("closed", "refused")
      end
      return
    end
    if not syn or not flags:find("A", 1, true) or unwrap(t.ack, self.top) ~= self.top then return end
    self.rcv = t.seq + 1
    self:_options(t)
    if not self.scaled then self.scale = 0 end
    self.wnd = t.window
    self:_established()
    self:_acked(self.top)
    self:_ack()
    return self:_push()
  end
  local seq = unwrap(t.seq, self.rcv)
  if flags:find("R", 1, true) then
    if seq >= self.rcv and seq <= self.rcv + BUFFER then self:_end("closed", "reset by the peer") end
    return
  end
  if syn then -- our SYN-ACK was lost, or a challenge is due (RFC 5961 §4)
    if self.state == "syn-received" then return self:_transmit(self.segs[self.first]) end
    return self:_ack()
  end
  if not flags:find("A", 1, true) then return end
  local ack = unwrap(t.ack, self.una)
  if ack > self.top then return self:_ack() end
  if self.state == "syn-received" then
    if ack <= self.una then return end
    self:_established()
  end
  local wnd = t.window * 2 ^ self.scale
  if ack > self.una then
    self.wnd = wnd
    self:_acked(ack)
  elseif ack == self.una then
    if #data == 0 and not fin and wnd == self.wnd and self.at > self.first then self:_duplicate() end
    if wnd == 0 then self.tries = 0 end -- alive, only full
    self.wnd = wnd
  end
  if #data > 0 or fin then
    self:_receive(seq, data, fin)
    self:_ack()
  end
  self:_push()
  if self.fin_acked then
    if self.finished and self.state ~= "time-wait" then
      if self.passive_close then return self:_end() end
      self.state = "time-wait"
      signal(self.readable)
      self:_arm(LINGER)
    elseif not self.finished and self.closing then
      self:_arm(PEER_CLOSE)
    end
  end
end

function Conn:_end(kind, why)
  if self.state == "closed" then return end
  self.state, self.kind, self.why = "closed", kind, why
  if self.timer then self.timer:cancel() end
  self.timer, self.deadline = nil, nil
  self.stack.conns[self.key] = nil
  if self.accept then
    self.accept = nil
    self.listener.pending = self.listener.pending - 1
  end
  signal(self.readable)
  signal(self.writable)
end

function Conn:_fail(op)
  raise(self.kind or "closed", ("%s: tcp %s:%d: %s"):format(op, self.rip, self.rport, self.why or "closed"))
end

---What has arrived; waits while there is nothing.
---@param timeout? seconds   default: for ever
---@return string?   nil at the end, or when the time is up
---@return string?   "closed" or "timeout", when there is no data
---@error closed     the peer reset the connection
---@error timeout    the peer is gone
function Conn:read(timeout)
  local limit = timeout and clock.now() + timeout
  while #self.inbox == 0 do
    if self.finished or (self.state == "closed" and not self.kind) then return nil, "closed" end
    if self.state == "closed" then self:_fail("read") end
    local left
    if limit then
      left = limit - clock.now()
      if left <= 0 then return nil, "timeout" end
    end
    self.readable:get(left)
  end
  local data = table.concat(self.inbox)
  self.inbox, self.waiting = {}, 0
  -- The peer stopped for want of room: tell it that there is some.
  if self.advertised < 2 * self.mss and self.state == "established" then self:_ack() end
  return data
end

---Goes through what arrives until the end: for data in c:chunks() do … end.
---@return function
function Conn:chunks()
  return function() return (self:read()) end
end

---Sends; waits while more than 64 KiB are not acknowledged.
---@param data string
---@error closed   the connection is closed
---@error timeout  the peer is gone
function Conn:write(data)
  local at = 1
  while at <= #data do
    while self.queued >= BUFFER or self.state == "syn-sent" do
      if self.state == "closed" then self:_fail("write") end
      self.writable:get()
    end
    if self.ending or self.state == "closed" then self:_fail("write") end
    local stop = math.min(#data, at + BUFFER - self.queued - 1)
    for i = at, stop, self.mss do self:_queue(nil, data:sub(i, math.min(stop, i + self.mss - 1))) end
    at = stop + 1
    self:_push()
  end
end

---Ends our direction: what was written goes out first, the other direction
---stays open. Does not wait.
function Conn:close_write()
  if self.ending or self.state == "closed" then return end
  self.ending = true
  self.passive_close = self.finished
  self:_queue("F", "")
  self:_push()
end

---Ends the connection: what was written goes out first, what still comes in is
---thrown away. Does not wait.
function Conn:close()
  self:close_write()
  self.closing, self.inbox, self.waiting = true, {}, 0
  if self.fin_acked and not self.finished and self.state ~= "closed" then self:_arm(PEER_CLOSE) end
end

---Resets the connection.
function Conn:abort()
  if self.state == "closed" then return end
  if self.rcv then self:_send(self.top, "RA", "") end
  self:_end("closed", "aborted")
end

---Waits until both sides have closed, or the connection failed.
---@param timeout? seconds
---@return boolean   false when the time is up
function Conn:wait(timeout)
  local limit = timeout and clock.now() + timeout
  while self.state ~= "closed" and self.state ~= "time-wait" do
    local left = limit and limit - clock.now()
    if left and left <= 0 then return false end
    self.readable:get(left)
  end
  return true
end

--- Hosts -------------------------------------------------------------------

local Stack = {}
Stack.__index = Stack

-- The host's TCP, made at first use.
local function stack_of(h)
  if not h.tcp then
    h.tcp = setmetatable({host = h, conns = {}, listeners = {}, port = math.random(49152, 65535)}, Stack)
    h.tcp.mss = function(ip) return MTU - (ip:find(":", 1, true) and 60 or 40) end
  end
  return h.tcp
end

local function reset(p, head) -- RFC 9293 §3.10.7.1
  local t = p.TCP
  local f = t.flags
  if f:find("R", 1, true) then return end
  if f:find("A", 1, true) then
    return head / TCP{sport = t.dport, dport = t.sport, seq = t.ack, flags = "R", window = 0}
  end
  local len = #t.payload + (f:find("S", 1, true) and 1 or 0) + (f:find("F", 1, true) and 1 or 0)
  return head / TCP{sport = t.dport, dport = t.sport, seq = 0, ack = (t.seq + len) % WRAP, flags = "RA", window = 0}
end

-- What the host does with a segment that is addressed to it; may return the answer.
function Stack:input(p)
  local ip, t = p.IP or p.IPv6, p.TCP
  local key = ("%s %d %s %d"):format(ip.dst, t.dport, ip.src, t.sport)
  local c = self.conns[key]
  if c and c.state == "time-wait" and t.flags == "S" then -- the port is used again: RFC 9293 §3.6.1
    c:_end()
    c = nil
  end
  if c then return c:_input(p) end
  local l3 = p.IP and IP{src = ip.dst, dst = ip.src, flags = "DF"} or IPv6{src = ip.dst, dst = ip.src}
  local head = Ether{src = self.host.mac, dst = p.Ether.src} / l3
  local l = self.listeners[t.dport]
  if not l or t.flags:find("[RA]") or not t.flags:find("S", 1, true) then return reset(p, head) end
  if l.pending >= BACKLOG then return end -- it will ask again
  l.pending = l.pending + 1
  c = new(self, head, ip.dst, ip.src, t.dport, t.sport)
  self.conns[key] = c
  c.listener, c.accept, c.state = l, l.accept, "syn-received"
  c.rcv, c.wnd = t.seq + 1, t.window
  c:_options(t)
  c.cwnd = c.mss
  local options = {{"MSS", self.mss(ip.src)}}
  if c.scaled then options[2], options[3] = "NOP", {"WScale", 0} end
  c:_queue("S", "", options)
  c:_push()
end

---Forgets all connections, without a word to the peers.
function Stack:close()
  self.listeners = {}
  for _, c in pairs(self.conns) do c:_end("closed", "the host is closed") end
end

---Accepts connections on a port; each gets a task that calls fn.
---@param h Host
---@param port integer
---@param fn function      called with the connection, which is closed when it returns and reset when it fails
---@error exists  the host listens on the port already
---@return table   a listener: l:close()
function tcp.listen(h, port, fn)
  local stack = stack_of(h)
  if stack.listeners[port] then raise("exists", ("host %s listens on port %d already"):format(h.name, port)) end
  local l = {pending = 0}
  l.accept = function(c)
    local ok, err = pcall(fn, c)
    if ok then return c:close() end
    c:abort()
    local kind = type(err) == "table" and err.kind
    -- A peer that went away is nobody's fault.
    if kind ~= "closed" and kind ~= "timeout" and kind ~= "cancelled" then error(err, 0) end
  end
  function l.close() stack.listeners[port] = nil end
  stack.listeners[port] = l
  return l
end

---Opens a connection.
---@param h Host
---@param ip string
---@param port integer
---@param timeout? seconds   default: until the handshake has been tried 8 times
---@return table
---@error missing  nobody on the link has the address
---@error closed   refused
---@error timeout  no answer
function tcp.connect(h, ip, port, timeout)
  local stack = stack_of(h)
  local head = h:to(ip)
  local l3 = head.IP or head.IPv6
  if head.IP then head.IP.flags = "DF" end
  repeat
    stack.port = stack.port == 65535 and 49152 or stack.port + 1
  until not stack.conns[("%s %d %s %d"):format(l3.src, stack.port, l3.dst, port)]
  local c = new(stack, head, l3.src, l3.dst, stack.port, port)
  stack.conns[c.key] = c
  c.state, c.cwnd, c.wnd = "syn-sent", 536, 1
  c:_queue("S", "", {{"MSS", stack.mss(l3.dst)}, "NOP", {"WScale", 0}})
  c:_push()
  local limit = timeout and clock.now() + timeout
  while c.state == "syn-sent" do
    local left = limit and limit - clock.now()
    if left and left <= 0 then c:_end("timeout", "no answer") break end
    c.writable:get(left)
  end
  if c.state == "closed" then c:_fail("connect") end
  return c
end

return tcp
