-- Accounting of processes.

local message = require "netlink.taskstats_message"

test("a question for a process is these octets", function()
  check.bytes(netlink.encode(message, {cmd = "GET", tgid = 7}, {type = 31, flags = 1, seq = 2}), [[
    1c 00 00 00  1f 00 01 00  02 00 00 00  00 00 00 00  01 01 00 00  08 00 02 00  07 00 00 00]])
end)

test("the structure's members stand where C puts them", function()
  local octets = {}
  for _, f in ipairs(message:attributes()) do
    if f.name == "STATS" then
      for _, m in ipairs(f.class:fields()) do octets[m.name] = m.octet end
    end
  end
  -- offsetof(struct taskstats, …), linux/taskstats.h on a 64-bit machine.
  check.equal({octets.ac_exitcode, octets.cpu_count, octets.ac_comm, octets.ac_uid, octets.ac_etime, octets.read_bytes, octets.ac_tgid, octets.wpcopy_count},
    {4, 16, 80, 120, 144, 248, 368, 400})
end)

if not clock.virtual then
  test("N092: its first command before bind is an error with words", function()
    local g = netlink.generic()
    check.raises("argument", function() return g.prid end)
    g:close()
  end)

  test("what the first process has used", function()
    local ok, ts = pcall(netlink.taskstats)
    if not ok then check.skip(ts.message) end
    local ok, s = pcall(ts.tgid, ts, 1)
    ts:close()
    if not ok then
      check.equal(s.kind, "permission")
      check.skip(s.message)
    end
    check.truthy(s.version >= 8)
    check.truthy(tonumber(s.ac_etime) > 0)
  end)
end
