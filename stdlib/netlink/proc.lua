--- What processes do, from the kernel's proc connector: linux/connector.h and
-- linux/cn_proc.h.

local listener = require("netlink.listener")

local CN_IDX_PROC, CN_VAL_PROC = 1, 1
local LISTEN, IGNORE = 1, 2
local NLMSG_DONE = 3
local ECONNREFUSED, ENOBUFS = 111, 105
local ROOM = 8 * 2 ^ 20 -- octets of receive buffer: a build is thousands of processes

local SIGNALS = {
  "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
  "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU",
  "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
}

-- enum proc_cn_event, the names and formats of what follows in the union.
local EVENTS = {
  [0x0] = {"none", "=I4", "err"},
  [0x1] = {"fork", "=I4I4I4I4", "parent_pid", "parent_tgid", "child_pid", "child_tgid"},
  [0x2] = {"exec", "=I4I4", "pid", "tgid"},
  [0x4] = {"uid", "=I4I4I4I4", "pid", "tgid", "ruid", "euid"},
  [0x40] = {"gid", "=I4I4I4I4", "pid", "tgid", "rgid", "egid"},
  [0x80] = {"sid", "=I4I4", "pid", "tgid"},
  [0x100] = {"ptrace", "=I4I4I4I4", "pid", "tgid", "tracer_pid", "tracer_tgid"},
  [0x200] = {"comm", "=I4I4c16", "pid", "tgid", "comm"},
  [0x40000000] = {"coredump", "=I4I4I4I4", "pid", "tgid", "parent_pid", "parent_tgid"},
  [0x80000000] = {"exit", "=I4I4I4I4I4I4", "pid", "tgid", "exit_status", "exit_signal", "parent_pid", "parent_tgid"},
}

local ProcEvent = {__name = "netlink.ProcEvent"}
ProcEvent.__index = ProcEvent

function ProcEvent.__tostring(e)
  local names, out = EVENTS[e.what] or {}, {e.event}
  for i = 3, #names do out[#out + 1] = names[i] .. "=" .. tostring(e[names[i]]) end
  if e.signal then out[#out + 1] = "signal=" .. e.signal end
  return table.concat(out, " ")
end

---Reads the octets of one message of the proc connector, without the netlink
---header or with it. nil if it is something else.
---@param octets string
---@return table?
function netlink.parse_proc(octets)
  -- A cn_msg begins with the number of the connector, which no length is.
  if #octets >= 36 and string.unpack("=I4", octets) == #octets then octets = octets:sub(17) end
  if #octets < 36 then return nil end
  local idx, val, seq, ack, length = string.unpack("=I4I4I4I4I2", octets)
  if idx ~= CN_IDX_PROC or val ~= CN_VAL_PROC or length + 20 > #octets then return nil end
  local what, cpu, time = string.unpack("=I4I4I8", octets, 21)
  local known = EVENTS[what]
  local e = setmetatable({
    what = what, event = known and known[1] or ("0x%x"):format(what), cpu = cpu, time = tonumber(tostring(time)) / 1e9, seq = seq, ack = ack,
  }, ProcEvent)
  if not known or #octets < 36 + string.packsize(known[2]) then return e end
  local values = {string.unpack(known[2], octets, 37)}
  for i = 3, #known do e[known[i]] = values[i - 2] end
  if e.comm then e.comm = e.comm:match("^%Z*") end
  if e.exit_status then
    -- As wait(2) encodes it: the low 7 bits are the signal that ended the process.
    e.exit_code = math.floor(e.exit_status / 256) % 256
    local killed = e.exit_status % 128
    e.killed_by = killed ~= 0 and (SIGNALS[killed] or tostring(killed)) or nil
    e.signal = SIGNALS[e.exit_signal] or tostring(e.exit_signal)
  end
  return e
end

local Proc = {__name = "netlink.Proc"}
Proc.__index = Proc

local function tell(self, op)
  self.socket:put(string.pack("=I4I4I4I4I2I2I4", CN_IDX_PROC, CN_VAL_PROC, 0, 0, 4, 0, op), NLMSG_DONE, 0)
end

---Waits for the next event. nil when `timeout` seconds pass without one. An event
---"overrun" stands where the kernel had no room for others.
---@param timeout? number
---@return table?
---@error closed      the socket was closed
---@error permission  the kernel does not tell us
function Proc:read(timeout)
  local deadline = timeout and clock.now() + timeout
  while true do
    local ok, octets = pcall(self.socket.recv, self.socket, nil, deadline and math.max(0, deadline - clock.now()))
    if not ok then
      if type(octets) ~= "table" or octets.errno ~= ENOBUFS then error(octets, 0) end
      return setmetatable({event = "overrun"}, ProcEvent)
    end
    if not octets then return nil end
    local e = netlink.parse_proc(octets)
    -- The first answer only says that we are listening.
    if e and e.event ~= "none" then return e end
    if e and e.err ~= 0 then
      local _, refusal = pcall(raise, "permission", "proc connector: the kernel refuses to tell of processes",
        "before Linux 6.6 only root of the first user namespace may listen")
      refusal.errno = e.err
      error(refusal, 0)
    end
  end
end

---Walks the events as they come.
---@param timeout? number  seconds to wait for each; then the walk ends
---@return function
function Proc:events(timeout)
  return function() return self:read(timeout) end
end

---Calls fn(event) for each event, from a task of its own, until close.
---@param fn function
function Proc:on_event(fn)
  listener.each(self, fn)
end

---Tells the kernel that we no longer listen, and closes the socket.
function Proc:close()
  pcall(tell, self, IGNORE)
  self.socket:close()
end

---Opens the proc connector: fork, exec, exit, uid, gid, sid, comm, ptrace and
---coredump of all processes of the machine.
---
---    p = netlink.proc()
---    for e in p:events() do print(e.event, e.pid, e.exit_code) end
---
---The kernel answers only in the first network namespace, outside of containers,
---and before Linux 6.6 only root.
---@param options? table  those of netlink.socket, without family
---@return Proc
---@error permission   the kernel does not tell us
---@error unsupported  there is no proc connector here
function netlink.proc(options)
  local o = {}
  for k, v in pairs(options or {}) do o[k] = v end
  o.family, o.rcvbuf = "connector", o.rcvbuf or ROOM
  local self = setmetatable({socket = netlink.socket(o)}, Proc)
  local ok, err = pcall(function()
    self.socket:bind{groups = {CN_IDX_PROC}}
    tell(self, LISTEN)
  end)
  if not ok then
    self.socket:close()
    if type(err) == "table" and err.errno == ECONNREFUSED then
      local errno = err.errno
      _, err = pcall(raise, "unsupported", "proc connector: no kernel listens in this network namespace",
        "it answers in the first one only, outside of containers")
      err.errno = errno
    end
    error(err, 0)
  end
  return self
end

return netlink.proc
