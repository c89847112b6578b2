-- Netlink sockets against the kernel: opening, requests, batches. Events and
-- callbacks are in events_spec.lua. Where the other side has to say something
-- special it is a second socket of the family usersock.

if clock.virtual then
  test("a socket does not follow the virtual clock", function()
    check.raises("realtime", netlink.socket)
  end)
  return
end

local REQUEST, ACK, DUMP, ECHO = netlink.NLM_F_REQUEST, netlink.NLM_F_ACK, netlink.NLM_F_DUMP, netlink.NLM_F_ECHO
local MULTI, CREATE, EXCL = netlink.NLM_F_MULTI, netlink.NLM_F_CREATE, netlink.NLM_F_EXCL
local GETLINK, NEWLINK, DELLINK = netlink.RTM_GETLINK, netlink.RTM_NEWLINK, netlink.RTM_DELLINK

os.execute("ip link set lo up")

-- A test with a socket of rtnetlink, closed afterwards.
local function with(what, fn, opts)
  test(what, function()
    local s = netlink.socket(opts or {family = "route"})
    local ok, err = pcall(fn, s)
    s:close()
    if not ok then error(err, 0) end
  end)
end

-- A test with two sockets of user programs, either of which can be the kernel
-- to the other.
local function pair(what, fn)
  test(what, function()
    local s, peer = netlink.socket{family = "usersock"}, netlink.socket{family = "usersock"}
    local function say(type, flags, seq, body) peer:put(body or "", type, flags, {s.pid, 0}, seq) end
    local ok, err = pcall(fn, s, say, peer)
    s:close()
    peer:close()
    if not ok then error(err, 0) end
  end)
end

local function code(n) return string.pack("=i4", n) .. ("\0"):rep(16) end

-- Sockets and network namespaces that this process has open.
local function descriptors()
  local p = io.popen("ls -l /proc/$PPID/fd | grep -cE 'socket:|net:|/ns/'")
  local n = tonumber(p:read("*a"))
  p:close()
  return n
end

-- ---- ports and limits ----

test("N001: sockets get different ports", function()
  local a, b = netlink.socket{family = "route"}, netlink.socket{family = "route"}
  a:bind()
  b:bind()
  check.differ(a.pid, b.pid)
  check.truthy(a.pid > 0 and b.pid > 0)
  check.equal(a:getsockname()[1], a.pid)
  a:close()
  b:close()
end)

test("N002: of two sockets that want the same port the second one fails", function()
  local a, b = netlink.socket{family = "route", port = 0x10}, netlink.socket{family = "route", port = 0x10}
  a:bind()
  local err = check.raises("exists", b.bind, b)
  check.equal(err.errno, 98)
  check.differ(a:getsockname()[1], 0)
  check.equal(math.floor(a.pid / 2^22), 0x10)
  check.equal(b:getsockname()[1], 0)
  a:close()
  b:close()
end)

test("N003: 1024 sockets of the scheme with ports, and not one more", function()
  local list = {}
  for i = 1, 1024 do
    list[i] = netlink.socket{family = "route", port = "auto"}
    list[i]:bind()
  end
  local extra = netlink.socket{family = "route", port = "auto"}
  check.matches(check.raises("missing", extra.bind, extra), "no free address available")
  for _, s in ipairs(list) do s:close() end
  extra:bind()
  extra:close()
end)

test("1024 sockets at once, as the kernel numbers them", function()
  local list, seen = {}, {}
  for i = 1, 1024 do list[i] = netlink.socket{family = "route"} end
  for _, s in ipairs(list) do
    check.falsy(seen[s.pid])
    seen[s.pid] = true
    check.equal(s:request({index = 1}, GETLINK, REQUEST)[1].ifname, "lo")
  end
  for _, s in ipairs(list) do s:close() end
end)

test("a port is the process's number, or any that is asked for", function()
  local a = netlink.socket{family = "route", pid = 0}
  a:bind()
  local b = netlink.socket{family = "route"}
  b:bind{pid = 0x3fffff0}
  check.equal(b.pid, 0x3fffff0)
  check.equal(b:request({index = 1}, GETLINK, REQUEST)[1].header.pid, 0x3fffff0)
  local c = netlink.socket{family = "route"}
  local before = c.pid
  check.raises("exists", c.bind, c, {pid = 0x3fffff0})
  check.equal(c.pid, before, "the one it had is still there")
  a:close()
  b:close()
  c:close()
end)

test("N005: 1200 times opened, bound, asked and closed leak nothing", function()
  local before = descriptors()
  for i = 1, 1200 do
    local s = netlink.socket{family = "route"}
    s:bind{groups = "link", async_cache = i % 2 == 0}
    s:request({index = 1}, GETLINK, REQUEST)
    s:close()
  end
  check.equal(descriptors(), before)
end)

test("N006: sockets in other network namespaces leak nothing, there or not", function()
  local before = descriptors()
  local ns = netns.new()
  for i = 1, 1200 do
    local s = netlink.socket{family = "route", netns = ns}
    if i % 100 == 0 then
      local links = s:request({}, GETLINK)
      check.equal({#links, links[1].ifname}, {1, "lo"})
    end
    s:close()
  end
  ns:close()
  for i = 1, 20 do
    local ns = netns.new()
    netlink.socket{family = "route", netns = ns}:close()
    ns:close()
  end
  for i = 1, 1200 do check.raises("missing", netlink.socket, {family = "route", netns = "there-is-none"}) end
  check.equal(descriptors(), before)
end)

test("netns.run opens them in its namespace", function()
  os.execute("ip link add nlhere type veth peer name nlthere")
  local ns = netns.new()
  local s = ns:run(function() return netlink.socket{family = "route"} end)
  check.equal(#s:request({}, GETLINK), 1)
  s:close()
  ns:close()
  os.execute("ip link del nlhere")
end)

with("N007: a dump of 0x800 addresses has them all", function(s)
  local b = s:batch()
  for i = 1, 0x800 do
    b:put({family = 10, prefixlen = 128, index = 1, address = ("fd00::%x"):format(i), flags = 2}, netlink.RTM_NEWADDR, REQUEST + ACK + CREATE + EXCL)
  end
  b:run()
  local list = s:request({family = 10, index = 1}, netlink.RTM_GETADDR)
  check.truthy(#list >= 0x800)
  check.falsy(list.interrupted)
  os.execute("ip -6 addr flush dev lo to fd00::/16")
end)

-- ---- basics ----

test("N010: made and closed, two of them together", function()
  local a, b = netlink.socket{family = "route"}, netlink.socket{family = "generic"}
  check.equal({a.family, b.family, a.closed}, {0, 16, false})
  a:close()
  b:close()
  check.equal({a.closed, b.closed}, {true, true})
  a:close()
end)

with("N011: after close a request is an error", function(s)
  s:close()
  local err = check.raises("closed", s.request, s, {index = 1}, GETLINK, REQUEST)
  check.equal(err.errno, 9)
  check.raises("closed", s.get, s)
  check.raises("closed", s.put, s, {}, GETLINK)
  check.raises("closed", s.bind, s, {groups = "link"})
end)

test("N012: a second object on the first one's descriptor", function()
  local a = netlink.socket{family = "route"}
  local b = netlink.socket{family = "route", fileno = a:fileno()}
  check.equal(b.pid, a.pid)
  local err = check.raises("", b.bind, b, {pid = 0x77777})
  check.equal(err.errno, 22)
  check.equal(b:request({index = 1}, GETLINK, REQUEST)[1].ifname, "lo")
  a:close()
  check.equal(check.raises("closed", b.request, b, {index = 1}, GETLINK, REQUEST).errno, 9)
  b:close()
  check.equal(check.raises("closed", netlink.socket, {fileno = 2048}).errno, 9)
end)

test("N013: use closes the socket, whatever happens", function()
  local s = netlink.socket{family = "route"}
  check.equal(s:use(function(x) return x:request({index = 1}, GETLINK, REQUEST)[1].ifname, 5 end), "lo")
  check.equal(s.closed, true)
  local t = netlink.socket{family = "route"}
  check.raises("oops", t.use, t, function() error("oops") end)
  check.equal(t.closed, true)
end)

pair("N014: it can be waited for like any descriptor", function(s, say)
  check.truthy(s:fileno() > 2)
  check.equal(s:poll(0), false)
  say(16, 0, 0, "abc")
  check.equal(s:poll(1), true)
  check.equal(s:poll(), true)
  check.equal(#s:get(), 1)
  check.equal(s:poll(0), false)
  check.equal(s:poll(0.01), false)
end)

test("N015: the numbers", function()
  check.equal({netlink.NLM_F_REQUEST, netlink.NLM_F_ROOT, netlink.NLM_F_MATCH, netlink.NLM_F_DUMP}, {1, 0x100, 0x200, 0x300})
  check.equal({netlink.NLMSG_DONE, netlink.NLMSG_ERROR, netlink.RTM_GETLINK, netlink.RTM_NEWLINK}, {3, 2, 0x12, 0x10})
end)

test("N016: errors are made, raised and caught", function()
  local err = netlink.error(99)
  check.equal({err.errno, err.kind}, {99, "missing"})
  check.matches(err, "cannot assign requested address")
  check.equal(check.raises("missing", error, err), err)
  check.matches(netlink.error(22, "the kernel's words"), "the kernel's words")
  local decode = netlink.decode_error("octet 7 is wrong")
  check.equal(decode.kind, "truncated")
  check.matches(check.raises("truncated", error, decode), "octet 7 is wrong")
end)

with("N017: an error of the kernel has its number, kind and words", function(s)
  local err = check.raises("missing", s.request, s,
    {family = 2, prefixlen = 24, index = 99999, ["local"] = "10.99.0.1"}, netlink.RTM_NEWADDR, REQUEST + ACK + CREATE + EXCL)
  check.equal(err.errno, 19)
  check.matches(err, "no such device")
  local err = check.raises("exists", s.request, s, {ifname = "lo", linkinfo = {kind = "veth"}}, NEWLINK, REQUEST + ACK + CREATE + EXCL)
  check.equal(err.errno, 17)
end)

test("N017: what the process may not do is EPERM", function()
  local s = netlink.socket{family = "generic"}
  -- TASKSTATS_CMD_GET is for the first user namespace's administrator only.
  local family = s:request("\3\1\0\0" .. string.pack("=I2I2z", 4 + 10, 2, "TASKSTATS") .. "\0\0", 16, REQUEST)
  local id = family[1]:get("family_id")
  local ok, err = pcall(s.request, s, "\1\1\0\0" .. string.pack("=I2I2I4", 8, 1, 1), id, REQUEST)
  s:close()
  if ok then check.skip("this process may do all") end
  check.equal({err.kind, err.errno}, {"permission", 1})
end)

with("errors have the kernel's own text, unless it is not wanted", function(s)
  local bad = ("\0"):rep(12) .. "\5\0\0\0" -- ifi_change of a dump
  local err = check.raises("", s.request, s, bad, GETLINK)
  check.equal(err.errno, 22)
  check.matches(err, "[Ii]nvalid values in header for link dump")
  local plain = netlink.socket{family = "route", ext_ack = false}
  local err = check.raises("", plain.request, plain, bad, GETLINK)
  check.matches(err, "route: invalid argument, at")
  plain:close()
  local lax = netlink.socket{family = "route", strict = false}
  check.truthy(#lax:request(bad, GETLINK) >= 1)
  lax:close()
end)

with("N018: 100 dumps in a row", function(s)
  for i = 1, 100 do check.truthy(#s:request({}, GETLINK) >= 1) end
  check.equal(s:stats().requests, 100)
end)

with("options of the socket can be read and set", function(s)
  s:setsockopt(1, 8, 100000) -- SO_RCVBUF
  check.equal(s:getsockopt(1, 8), 200000)
  check.equal(#s:getsockopt(1, 55, 36), 36) -- SO_MEMINFO
  check.equal(check.raises("", s.getsockopt, s, 270, 999).errno, 92)
  check.truthy(s:stats().rcvbuf == 200000)
end)

test("clone has the same options", function()
  local a = netlink.socket{family = "route", target = "here", name = "a"}
  local b = a:clone()
  check.equal({b.family, b.target, b.name}, {0, "here", "a"})
  check.differ(a.pid, b.pid)
  check.equal(b:request({index = 1}, GETLINK, REQUEST)[1].header.target, "here")
  local c = b:clone{target = "there", rcvbuf = 4096}
  check.equal({c.target, c.name, c:stats().rcvbuf}, {"there", "a", 8192})
  a:close()
  b:close()
  c:close()
  os.execute("ip link add nlhere type veth peer name nlthere")
  local ns = netns.new()
  local d = ns:run(function() return netlink.socket{family = "route"} end)
  local e = d:clone()
  check.equal(#e:request({}, GETLINK), 1, "in the same network namespace")
  os.execute("ip link del nlhere")
  d:close()
  e:close()
  ns:close()
end)

test("what is asked for in vain says so", function()
  check.matches(check.raises("argument", netlink.socket, {family = "rute"}), "did you mean 'route'")
  check.raises("unsupported", netlink.socket, {family = 31})
  local s = netlink.socket{family = "route"}
  check.matches(check.raises("argument", s.bind, s, {groups = "lnk"}), "did you mean 'link'")
  check.raises("argument", s.get, s, {msg_sec = 1})
  check.raises("argument", s.put, s, {}, 70000)
  check.raises("argument", s.put, s, {}, 16, 1, "x")
  check.raises("argument", function() s.pid = 5 end)
  s:close()
end)

-- ---- policies ----

with("N020, N021: policies are per socket, set and taken away by number, table and list", function(s)
  local c = netlink.message("beacon_of_spec", {{"family", "u8"}}, {})
  check.equal(type(s:get_policy_map()), "table")
  s:register_policy(100, c)
  s:register_policy{[101] = c}
  s:register_policy(102, c)
  check.truthy(s:get_policy_map()[100] == c)
  check.truthy(s:get_policy_map(101)[101] == c)
  check.truthy(s:get_policy_map{102}[102] == c)
  local other = netlink.socket{family = "usersock"}
  check.falsy(other:get_policy_map()[100])
  other:close()
  s:unregister_policy(100)
  s:unregister_policy{101}
  s:unregister_policy{[102] = c}
  for n = 100, 102 do check.falsy(s:get_policy_map()[n]) end
  check.raises("argument", s.unregister_policy, s, 100)
end, {family = "usersock"})

-- ---- requests ----

with("put and get by number", function(s)
  s:put({index = 1}, GETLINK, REQUEST, nil, 7)
  s:put({index = 1}, GETLINK, REQUEST + ACK, nil, 8)
  local m = s:get{msg_seq = 8}
  check.equal({#m, m[1].ifname, m[1].header.seq}, {1, "lo", 8})
  local m = s:get{msg_seq = 7}
  check.equal({#m, m[1].ifname, m[1].header.seq, m[1].header.error}, {1, "lo", 7, nil})
  s:put({index = 99999}, GETLINK, REQUEST + ACK, nil, 9)
  check.equal(check.raises("missing", s.get, s, {msg_seq = 9}).errno, 19)
  check.equal(s:get{timeout = 0}, {})
  check.equal(s:stats().orphans, 1, "the acknowledgement of 8")
end)

with("an acknowledgement is a message of its own", function(s)
  local r = s:request({index = 1}, netlink.RTM_SETLINK, REQUEST + ACK)
  check.equal({#r, r[1].event, r[1].header.error}, {1, "NLMSG_ERROR", nil})
end)

with("a request that gets no answer times out and says why it may", function(s)
  local err = check.raises("timeout", s.request, s, {index = 1}, netlink.RTM_SETLINK, REQUEST, {timeout = 0.05})
  check.matches(err.hint, "NLM_F_ACK")
end)

pair("N110: answers that nobody waits for", function(s, say)
  say(netlink.NLMSG_ERROR, 0, 77, code(-19))
  say(16, 0, 78, "abcd")
  local list = s:get()
  check.equal({#list, list[1].header.type, list[1].header.seq}, {1, 16, 78})
  check.equal(s:stats().orphans, 1)
end)

with("N111: an error with the number 0 is returned, not raised", function(s)
  s:put({index = 99999}, GETLINK, REQUEST + ACK)
  local list = s:get()
  check.equal({#list, list[1].event}, {1, "NLMSG_ERROR"})
  check.equal(list[1].header.error.errno or list[1].header.error.code, 19)
end)

pair("N112: close with a code ends every wait", function(s, say, peer)
  local got = {}
  local waiters = {}
  local function wait(name, fn) waiters[#waiters + 1] = spawn(function() got[name] = {pcall(fn)} end) end
  wait("events", function() return s:get() end)
  wait("more events", function() return s:get() end)
  wait("answer", function() s:put("", 16, REQUEST, {peer.pid, 0}, 5) return s:get{msg_seq = 5} end)
  wait("poll", function() return s:poll() end)
  wait("recv", function() return s:recv() end)
  wait("loop", function() for m in s:messages() do error("none came") end return "end" end)
  sleep(0.02)
  s:close(32)
  for _, t in ipairs(waiters) do t:wait() end
  for _, name in ipairs{"events", "more events"} do
    local list = got[name][2]
    check.equal({#list, list[1].event}, {1, "NLMSG_ERROR"})
    check.equal(list[1].header.error.errno or list[1].header.error.code, 32)
  end
  for _, name in ipairs{"answer", "poll", "recv"} do
    check.equal({got[name][1], got[name][2].kind, got[name][2].errno}, {false, "closed", 32})
  end
  check.equal(got.loop, {true, "end"})
end)

for _, async in ipairs{false, true} do
  test("N112: the code of close is 104 unless it is given, 0 is none" .. (async and " (async_cache)" or ""), function()
    for _, c in ipairs{{nil, 104}, {32, 32}, {0, nil}} do
      local s = netlink.socket{family = "route"}
      s:bind{groups = "link", async_cache = async}
      local list
      local t = spawn(function() list = s:get() end)
      sleep(0.01)
      s:close(c[1])
      t:wait()
      local e = list[1] and list[1].header.error
      check.equal(e and (e.errno or e.code), c[2])
    end
  end)
end

with("N113: terminate ends an answer before or after a message", function(s)
  s:put({}, GETLINK, REQUEST + DUMP, nil, 5)
  check.equal(s:get{msg_seq = 5, terminate = function(m) return true end}, {})
  s:put({}, GETLINK, REQUEST + DUMP, nil, 6)
  local list = s:get{msg_seq = 6, terminate = function(m) return m end}
  check.equal({#list, list[1].ifname}, {1, "lo"})
  local list = s:request({}, GETLINK, REQUEST + DUMP, {terminate = function(m) return m end})
  check.equal(#list, 1)
end)

with("N114: a callback of a request has each message first, and may keep it", function(s)
  local seen = {}
  local list = s:request({}, GETLINK, REQUEST + DUMP, {callback = function(m)
    seen[#seen + 1] = m.header.type
    return m.header.type ~= netlink.NLMSG_DONE
  end})
  check.equal(list, {})
  check.equal({seen[1], seen[#seen]}, {NEWLINK, netlink.NLMSG_DONE})
  check.equal(#s:request({index = 1}, GETLINK, REQUEST, {callback = function() return false end}), 1)
end)

pair("N115: a timeout of 0 only looks; a function says what is raised instead", function(s)
  s.get_timeout = 0
  check.equal(s.get_timeout, 0)
  check.equal(s:get{msg_seq = 5}, {})
  check.equal(s:get{timeout = 0}, {})
  check.raises("timeout", s.get, s, {timeout = 0.01})
  s.get_timeout = 0.01
  check.raises("timeout", s.get, s, {msg_seq = 5})
  s.get_timeout_exception = function() return {mine = true} end
  local ok, err = pcall(s.get, s, {msg_seq = 5})
  check.equal({ok, err}, {false, {mine = true}})
  s.get_timeout = 0
  check.equal(select(2, pcall(s.get, s, {msg_seq = 5})), {mine = true})
end)

with("N116: 6 tasks × 60 dumps on one socket, while another waits for events", function(s)
  s:bind{groups = "link"}
  local waiting = spawn(function() return s:get() end)
  local tasks, done = {}, 0
  for i = 1, 6 do
    tasks[i] = spawn(function()
      for j = 1, 60 do
        local list = s:request({}, GETLINK)
        check.equal(list[1].ifname, "lo")
        for _, m in ipairs(list) do check.equal(m.header.seq, list[1].header.seq) end
        done = done + 1
        if j % 7 == i then sleep(0) end
      end
    end)
  end
  for _, t in ipairs(tasks) do t:wait() end
  check.equal(done, 360)
  os.execute("ip link set lo down; ip link set lo up")
  check.truthy(#waiting:wait() >= 1)
end)

pair("requests of many tasks are answered in any order", function(s, say)
  local got, tasks = {}, {}
  for i = 1, 20 do
    tasks[i] = spawn(function()
      s:put("", 16, REQUEST, {s.pid, 0}, 1000 + i)
      -- It has been sent to the socket itself: the question is the answer, too.
      got[i] = s:get{msg_seq = 1000 + i, timeout = 2}[1].header.seq
    end)
  end
  for i = 20, 1, -1 do say(16, 0, 1000 + i, "x") end
  for i = 1, 20 do tasks[i]:wait() check.equal(got[i], 1000 + i) end
end)

with("N117: numbers of requests begin at 255, and one that is late harms nobody", function(s)
  check.equal(s:request({index = 1}, GETLINK, REQUEST)[1].header.seq, 255)
  check.raises("timeout", s.request, s, {index = 1}, netlink.RTM_SETLINK, REQUEST, {timeout = 0})
  s:request({}, GETLINK, REQUEST + DUMP, {terminate = function() return true end})
  for i = 1, 300 do check.equal(s:request({index = 1}, GETLINK, REQUEST + ACK)[1].header.seq, 257 + i) end
  check.equal(s:get{timeout = 0}, {})
end)

pair("get with msg_seq = -1 takes whatever comes", function(s, say)
  s:put("", 16, REQUEST, {s.pid, 0}, 9)
  check.equal(s:get{msg_seq = -1}[1].header.seq, 9)
  say(16, 0, 0, "x")
  check.equal(s:get{msg_seq = -1}[1].header.seq, 0)
end)

with("N091: tasks of one thread dump side by side, with async_cache, too", function(s)
  s:bind{groups = "link", async_cache = true}
  local tasks = {}
  for i = 1, 8 do
    tasks[i] = spawn(function()
      local n = 0
      for m in s:dump({}, GETLINK) do n = n + 1 sleep(0) end
      return n
    end)
  end
  local n = #s:request({}, GETLINK)
  for _, t in ipairs(tasks) do check.equal(t:wait(), n) end
end)

test("N094: close in one task wakes get in another, and nothing is left over", function()
  local before = descriptors()
  for i = 1, 50 do
    local s = netlink.socket{family = "route"}
    s:bind{groups = "link", async_cache = i % 2 == 0}
    local t = spawn(function() return s:get() end)
    local u = spawn(function() return pcall(s.get, s, {msg_seq = 9}) end)
    sleep(0)
    s:close(9)
    local e = t:wait()[1].header.error
    check.equal(e.errno, 9)
    local ok, err = u:wait()
    check.equal({ok, err.kind, err.errno}, {false, "closed", 9})
  end
  check.equal(descriptors(), before)
end)

test("N095: a network namespace that cannot be entered is an error at once", function()
  local path = os.tmpname()
  os.remove(path)
  os.execute("mkfifo " .. path)
  local before = clock.now()
  check.raises("argument", netlink.socket, {family = "route", netns = path})
  check.truthy(clock.now() - before < 2)
  os.remove(path)
end)

-- ---- dumps ----

with("a dump is iterated as the kernel makes it, and can be left", function(s)
  os.execute("for i in $(seq 60); do ip link add nld$i type veth peer name nle$i; done")
  local n = 0
  for m in s:dump({}, GETLINK) do
    check.equal(s:request({index = 1}, GETLINK, REQUEST)[1].ifname, "lo") -- in the midst of it
    n = n + 1
  end
  check.equal(n, #s:request({}, GETLINK))
  for m in s:dump({}, GETLINK) do break end
  check.equal(#s:request({}, GETLINK), n, "a dump begins when the one before has ended")
  local outer = 0
  for a in s:dump({}, GETLINK) do
    if outer < 3 then
      local inner = 0
      for b in s:dump({}, GETLINK) do inner = inner + 1 end
      check.equal(inner, n)
    end
    outer = outer + 1
  end
  check.equal(outer, n)
end)

with("N072: a dump that was interrupted is repeated, or says so", function(s)
  -- The links of the test before are more than one datagram.
  local function interrupt(m)
    if m.index == 1 then os.execute("ip link add nlint type veth peer name nlint2") os.execute("ip link del nlint") end
  end
  local loop, state = s:dump({}, GETLINK)
  for m in loop, state do interrupt(m) end
  if not state.interrupted then check.skip("the kernel has put all into one datagram") end
  s:put({}, GETLINK, REQUEST + DUMP, nil, 5)
  local list = s:get{msg_seq = 5, callback = function(m) interrupt(m) end}
  check.equal(list.interrupted, true)
  local times = 0
  local list = s:request({}, GETLINK, nil, {callback = function(m)
    if m.index == 1 then times = times + 1 end
    if times < 3 then interrupt(m) end
  end})
  check.equal({times, list.interrupted}, {3, nil})
  local list = s:request({}, GETLINK, nil, {retry = 0, callback = function(m) interrupt(m) end})
  check.equal(list.interrupted, true)
  check.truthy(#list > 120)
  os.execute("for i in $(seq 60); do ip link del nld$i; done")
end)

pair("what the end of a dump says is heard: a code, an interruption", function(s, say)
  local function ask() s:put("", 16, REQUEST + DUMP, {s.pid, 0}, 5) s:recv() end
  ask()
  say(16, MULTI, 5, "x")
  say(netlink.NLMSG_DONE, MULTI, 5, code(-16))
  check.equal(check.raises("exists", s.get, s, {msg_seq = 5}).errno, 16)
  ask()
  say(16, MULTI, 5, "x")
  say(netlink.NLMSG_DONE, MULTI + netlink.NLM_F_DUMP_INTR, 5, code(0))
  local list = s:get{msg_seq = 5}
  check.equal({#list, list.interrupted}, {1, true})
end)

with("dumps are filtered in the kernel", function(s)
  os.execute("ip route add 10.77.0.0/24 dev lo table 77")
  local list = s:request({family = 2, table = 77}, netlink.RTM_GETROUTE)
  check.equal({#list, list[1].dst}, {1, "10.77.0.0"})
  os.execute("ip route flush table 77")
end)

-- ---- raw, and messages that are none ----

with("octets go out and come in as they are", function(s)
  local data = string.pack("=I4I2I2I4I4", 32, GETLINK, REQUEST, 77, 0) .. ("\0"):rep(4) .. string.pack("=i4", 1) .. ("\0"):rep(8)
  check.equal(s:send(data), 32)
  local answer = s:recv()
  check.equal({string.unpack("=I4I2I2I4", answer)}, {#answer, NEWLINK, 0, 77, 13})
  s:send(data)
  check.equal(#s:recv(40), 40)
  check.equal(s:recv(nil, 0.01), nil)
end)

pair("what is no message is delivered with the rest, and the socket goes on", function(s, say, peer)
  local head = function(len) return string.pack("=I4I2I2I4I4", len, 16, 0, 0, 0) end
  peer:send(head(20) .. "abcd" .. head(7) .. "xyz", {s.pid, 0})
  peer:send(head(400) .. "abcd", {s.pid, 0})
  peer:send("short", {s.pid, 0})
  peer:send(head(17) .. "a\0\0\0" .. head(16), {s.pid, 0})
  local list = {}
  while s:poll(0) do for _, m in ipairs(s:get()) do list[#list + 1] = m end end
  check.equal({#list, #bytes(list[1])}, {5, 20}) -- 2, 1, 0 and 2 messages
  check.equal(s:stats().malformed, 2)
  say(16, 0, 0, "fine")
  check.equal(#s:get(), 1)
end)

pair("random octets do no harm", function(s, say, peer)
  s:register_callback(function(m) return tostring(m), m.header.error end)
  for i = 1, 1000 do
    local n = math.random(1, 120)
    local t = {}
    for j = 1, n do t[j] = string.char(math.random(0, 255)) end
    local data = table.concat(t)
    if i % 2 == 0 then -- a header that may be right, of a type that means something
      data = string.pack("=I4I2I2I4I4", math.random(0, n + 20), math.random(0, 4), math.random(0, 0x3ff), math.random(0, 300), 0) .. data
    end
    peer:send(data, {s.pid, 0})
    if i % 50 == 0 then
      while s:poll(0) do for _, m in ipairs(s:get()) do check.truthy(#bytes(m) > 0) end end
    end
  end
  check.equal(s:stats().callback_errors, 0)
  s:put("", 16, REQUEST, {s.pid, 0}, 5000)
  check.equal(#s:get{msg_seq = 5000}, 1)
end)

-- ---- batches ----

with("N070: a batch is octets, which any socket can send", function(s)
  local b = netlink.batch()
  b:put({ifname = "nlb0", linkinfo = {kind = "veth"}}, NEWLINK, REQUEST + ACK + CREATE + EXCL)
  check.equal({#b, #b.batch % 4, b:bytes() == b.batch}, {1, 0, true})
  local data = b:bytes()
  b:reset()
  check.equal({#b, b:bytes()}, {0, ""})
  s:sendto(data, {0, 0})
  check.equal(s:get()[1].header.error, nil)
  check.equal(s:request({ifname = "nlb0"}, GETLINK, REQUEST)[1].ifname, "nlb0")
  s:request({ifname = "nlb0"}, DELLINK, REQUEST + ACK)
  check.raises("argument", b.run, b)
end)

with("N071: requests that are only encoded", function(s)
  local c = s:compile()
  local r = s:request({index = 1}, GETLINK, REQUEST)
  local d = s:request({}, GETLINK, REQUEST + DUMP)
  local e = s:request({family = 2}, netlink.RTM_GETROUTE, REQUEST + DUMP)
  check.equal({#r, #d, #e, #s.compiled}, {1, 1, 1, 3})
  check.equal({string.unpack("=I4I2I2", r[1])}, {#r[1], GETLINK, REQUEST, 9})
  check.equal({string.unpack("=I4I2I2", d[1])}, {#d[1], GETLINK, REQUEST + DUMP, 9})
  check.equal({string.unpack("=I4I2I2", e[1])}, {#e[1], netlink.RTM_GETROUTE, REQUEST + DUMP, 9})
  check.equal(s:stats().sent, 0)
  c:close()
  check.equal(s.compiled, nil)
  check.equal(s:request({index = 1}, GETLINK, REQUEST)[1].ifname, "lo")
end)

with("N073: nlm_echo: what was made comes back", function(s)
  local route = {family = 2, dst_len = 24, dst = "10.78.0.0", table = 254, oif = 1, scope = 253, type = 1, proto = 3}
  local plain = s:request(route, netlink.RTM_NEWROUTE, REQUEST + ACK + CREATE)
  check.equal({#plain, plain[1].event}, {1, "NLMSG_ERROR"})
  os.execute("ip route del 10.78.0.0/24")
  local echo = netlink.socket{family = "route", nlm_echo = true}
  local made = echo:request(route, netlink.RTM_NEWROUTE, REQUEST + ACK + CREATE)
  check.equal({#made, made[1].event, made[1].dst}, {1, "RTM_NEWROUTE", "10.78.0.0"})
  echo:close()
  os.execute("ip route del 10.78.0.0/24")
end)

with("a batch of routes: each answer finds its request", function(s)
  for _, ack in ipairs{"last", "all"} do
    local b = s:batch()
    for i = 1, 3000 do
      local dst = ("10.%d.%d.0"):format(100 + math.floor(i / 256), i % 256)
      b:put({family = 2, dst_len = 24, dst = dst, table = 254, oif = i == 1234 and 99999 or 1, scope = 253, type = 1, proto = 3},
        netlink.RTM_NEWROUTE, REQUEST + CREATE + EXCL)
    end
    local r = b:run{noraise = true, ack = ack}
    check.equal({#r, r.failed, r.first, r[1], r[3000]}, {3000, 1, 1234, true, true})
    check.equal({r[1234].kind, r[1234].errno}, {"missing", 19})
    local r = b:run{noraise = true, ack = ack}
    check.equal({r.failed, r.first, r[1].kind, r[1234].kind}, {3000, 1, "exists", "missing"})
    local err = check.raises("exists", b.run, b, {ack = ack})
    check.equal({err.index, #err.results, err.errno}, {1, 3000, 17})
    check.matches(err, "request 1 of 3000")
    os.execute("ip route flush proto boot")
  end
end)

with("a batch has questions among its requests, dumps as well", function(s)
  local b = s:batch()
  b:put({index = 1}, GETLINK)
  b:put({index = 99999}, GETLINK)
  b:put({family = 2}, netlink.RTM_GETADDR, REQUEST + DUMP)
  b:put({}, GETLINK, REQUEST + DUMP)
  b:put({index = 1}, GETLINK, REQUEST + ACK)
  for i = 1, 3 do
    local r = b:run{noraise = true, chunk = i}
    check.equal({r[1][1].ifname, r[2].kind, r[3][1].label, r[4][1].ifname, r[5][1].ifname}, {"lo", "missing", "lo", "lo", "lo"})
  end
  check.equal({#s:batch():run(), s:batch():run().failed}, {0, 0})
end)

pair("while a put waits for a receiver that does not read, others put", function(s, say, peer)
  local slow = netlink.socket{family = "usersock", rcvbuf = 2048}
  local sent, task = 0
  for i = 1, 1000 do
    task = spawn(function()
      s:put(("A%03d"):format(i) .. ("."):rep(400), 100, 0, {slow.pid})
      sent = sent + 1
    end)
    sleep(0)
    if sent < i then break end
  end
  check.truthy(sent > 0 and task:status() ~= "done")
  s:put("B001", 100, 0, {peer.pid})
  check.equal(peer:recv(nil, 5):sub(17), "B001")
  for i = 1, sent + 1 do check.equal(slow:recv(nil, 5):sub(17, 20), ("A%03d"):format(i)) end
  task:wait()
  slow:close()
end)

pair("who waits for an answer lets others run, however much comes for everybody", function(s, say)
  for _ = 1, 700 do say(100, 0, 0) end
  local at
  spawn(function() at = s:stats().received end)
  check.raises("timeout", s.get, s, {msg_seq = 7, timeout = 0.01})
  check.equal(s:stats().received, 700)
  check.truthy(at and at > 0 and at < 700, tostring(at))
end)

with("a number that a request under way has is no other's", function(s)
  local next_link = s:dump({}, GETLINK)
  check.truthy(next_link())
  check.matches(check.raises("argument", s.put, s, {index = 1}, GETLINK, REQUEST, nil, 255), "request under way")
  check.raises("argument", s.get, s, {msg_seq = 255})
  while next_link() do end
  s:put({index = 1}, GETLINK, REQUEST, nil, 255)
  check.equal(s:get{msg_seq = 255}[1].ifname, "lo")
end)

with("the numbers of a batch are between those that a script has chosen", function(s)
  for seq = 256, 280, 3 do s:put({index = 1}, GETLINK, REQUEST, nil, seq) end
  local b = s:batch()
  for _ = 1, 3 do b:put({index = 1}, GETLINK, REQUEST + ACK) end
  for i, r in ipairs(b:run()) do check.equal(r[1].ifname, "lo", i) end
  for seq = 256, 280, 3 do check.equal(s:get{msg_seq = seq, timeout = 1}[1].header.seq, seq) end
end)

pair("what get had taken when its callback failed is the next one's", function(s, say)
  for i = 1, 4 do say(100 + i, 0, 0) end
  s:get{msg_seq = 7, timeout = 0} -- and so they have all been read
  check.equal(pcall(s.get, s, {callback = function(m) if m.header.type == 103 then error("no") end end}), false)
  local got = {}
  for i, m in ipairs(s:get()) do got[i] = m.header.type end
  for _, m in ipairs(s:get{timeout = 0}) do got[#got + 1] = m.header.type end
  check.equal(got, {101, 102, 104})
end)

with("a refusal that is longer than a datagram is one still", function(s)
  local err = check.raises("unsupported", s.request, s, ("\0"):rep(1200000), 9999, REQUEST + ACK, {timeout = 5})
  check.equal(err.errno, 95)
end)
