-- The proc connector: struct cn_msg, then struct proc_event.

local function event(what, body)
  local data = string.pack("=I4I4I8", what, 1, 2000000000) .. body
  return string.pack("=I4I4I4I4I2I2", 1, 1, 9, 0, #data, 0) .. data
end

test("N093: fork, exec and exit read by name", function()
  local fork = netlink.parse_proc(event(0x1, string.pack("=I4I4I4I4I4I4", 10, 10, 11, 11, 0, 0)))
  check.equal({fork.event, fork.parent_pid, fork.parent_tgid, fork.child_pid, fork.child_tgid}, {"fork", 10, 10, 11, 11})
  check.equal({fork.cpu, fork.time, fork.seq}, {1, 2, 9})
  local exec = netlink.parse_proc(event(0x2, string.pack("=I4I4I8I8", 11, 11, 0, 0)))
  check.equal({exec.event, exec.pid, exec.tgid}, {"exec", 11, 11})
  local exit = netlink.parse_proc(event(0x80000000, string.pack("=I4I4I4I4I4I4", 11, 11, 0x300, 17, 10, 10)))
  check.equal({exit.event, exit.exit_code, exit.signal, exit.parent_pid}, {"exit", 3, "SIGCHLD", 10})
  check.equal(exit.killed_by, nil)
  local killed = netlink.parse_proc(event(0x80000000, string.pack("=I4I4I4I4I4I4", 11, 11, 9, 17, 10, 10)))
  check.equal({killed.exit_code, killed.killed_by}, {0, "SIGKILL"})
  check.equal(tostring(exec), "exec pid=11 tgid=11")
end)

test("names of processes end at their first zero", function()
  local comm = netlink.parse_proc(event(0x200, string.pack("=I4I4", 5, 5) .. ("kworker\0junk"):sub(1, 12) .. ("\0"):rep(4)))
  check.equal({comm.event, comm.comm}, {"comm", "kworker"})
end)

test("messages with a netlink header, cut ones, and other connectors", function()
  local body = event(0x2, string.pack("=I4I4I8I8", 11, 11, 0, 0))
  local whole = string.pack("=I4I2I2I4I4", 16 + #body, 3, 0, 1, 0) .. body
  check.equal(netlink.parse_proc(whole).event, "exec")
  for n = 0, #whole - 1 do netlink.parse_proc(whole:sub(1, n)) end
  check.equal(netlink.parse_proc(string.pack("=I4I4I4I4I2I2", 5, 1, 0, 0, 16, 0) .. ("\0"):rep(16)), nil)
  check.equal(netlink.parse_proc(event(0x77, "")).event, "0x77")
end)

if not clock.virtual then
  test("N093: a child gives fork, exec and exit", function()
    local ok, p = pcall(netlink.proc)
    if not ok then check.skip(p.message) end
    os.execute("exit 0")
    local seen, child = {}, nil
    local ok, err = pcall(function()
      for e in p:events(1) do
        seen[#seen + 1] = e
        if e.event == "exit" and e.exit_code == 0 and e.signal == "SIGCHLD" then
          child = e
          break
        end
      end
    end)
    p:close()
    if not ok then check.skip(err.message) end
    -- Who listens in a container hears nothing.
    if #seen == 0 then check.skip("the kernel tells of no processes here") end
    check.truthy(child)
    local events = {}
    for _, e in ipairs(seen) do
      if e.child_pid == child.pid or e.pid == child.pid then events[e.event] = true end
    end
    check.truthy(events.fork and events.exec and events.exit)
  end)
end
