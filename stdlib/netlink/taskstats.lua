--- What a process has used, from the kernel's accounting.

local Taskstats = {__name = "netlink.Taskstats"}
Taskstats.__index = Taskstats

local function stats(m)
  local aggregate = m and (m:get("aggr_pid") or m:get("aggr_tgid"))
  local s = aggregate and aggregate:get_attr("STATS")
  return s and s:totable()
end

---The statistics of a thread by its number: a table with the names of struct
---taskstats: ac_comm, ac_utime, ac_stime (microseconds), read_bytes,
---hiwater_rss, …
---@param pid integer
---@return table
---@error missing     there is no such thread
---@error permission  the kernel tells root only
function Taskstats:pid(pid) return stats(self.family:get("GET", {pid = pid})) end

---The statistics of a process with all its threads.
---@param tgid integer
---@return table
---@error missing     there is no such process
---@error permission  the kernel tells root only
function Taskstats:tgid(tgid) return stats(self.family:get("GET", {tgid = tgid})) end

---Calls fn(stats, number) for each thread that ends on these processors, "0-3". Returns
---the socket, whose close() ends it.
---@param cpus string
---@param fn function
---@return Generic
---@error permission  the kernel tells root only
function Taskstats:on_exit(cpus, fn)
  local g = self.family:listen()
  g:request({cmd = 1, version = 1, register_cpumask = cpus}, g.prid, netlink.NLM_F_REQUEST + netlink.NLM_F_ACK)
  g:on_message(function(m)
    local s = stats(m)
    if s then fn(s, m:get("aggr_pid", "pid") or m:get("aggr_tgid", "tgid")) end
  end)
  return g
end

---Closes the socket.
function Taskstats:close() self.family:close() end

---Opens the kernel's accounting of processes.
---
---    ts = netlink.taskstats()
---    ts:pid(1).ac_comm
---@param options? table  those of netlink.socket, without family
---@return Taskstats
function netlink.taskstats(options)
  return setmetatable({family = netlink.genl("TASKSTATS", nil, options)}, Taskstats)
end

return netlink.taskstats
