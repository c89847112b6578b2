-- Events of netlink sockets: groups, callbacks, the reader in the background,
-- what is lost and found again. The kernel's own, made by ip, and where a storm
-- has to be exact those of a second socket of the family usersock.

if clock.virtual then return end

local REQUEST, ACK, DUMP = netlink.NLM_F_REQUEST, netlink.NLM_F_ACK, netlink.NLM_F_DUMP
local GETLINK, NEWROUTE, DELROUTE = netlink.RTM_GETLINK, netlink.RTM_NEWROUTE, netlink.RTM_DELROUTE

local function sh(line) check.equal(os.execute(line), 0, line) end

os.execute("ip link set lo up; ip link add nle0 type veth peer name nle1; ip link set nle0 up; ip link set nle1 up")
-- The kernel tells that they work a while after they do: not in the midst of a test.
os.execute("for d in nle0 nle1; do for i in $(seq 250); do ip link show $d | grep -q 'state UP' && break; sleep 0.02; done; done")

local function with(what, fn, opts)
  test(what, function()
    local s = netlink.socket(opts or {family = "route"})
    local ok, err = pcall(fn, s)
    s:close()
    if not ok then error(err, 0) end
  end)
end

-- Waits until fn returns something true.
local function eventually(fn, what)
  for i = 1, 500 do
    local v = fn()
    if v then return v end
    sleep(0.01)
  end
  check.fail((what or "it") .. " has not come about in 5 seconds")
end

local function flap() sh"ip link set nle0 mtu 1400; ip link set nle0 mtu 1500" end

-- ---- groups ----

with("groups are joined by name, number and mask, several times", function(s)
  s:bind{groups = "link"}
  s:bind{groups = {"ipv4_route", 5}}
  check.equal(s.groups, {1, 5, 7})
  check.equal(s:getsockname(), {s.pid, 0x51})
  s:drop_membership("ipv4_route")
  s:add_membership(33)
  check.equal(s.groups, {1, 5, 33})
  s:bind{groups = 0x4}
  check.equal(s.groups, {1, 3, 5, 33})
  flap()
  for m in s:messages(2) do
    if m.event == "RTM_NEWLINK" then
      check.equal({m.ifname, m.stats.qsize}, {"nle0", 0})
      return
    end
  end
  check.fail("no event of the link")
end)

for _, async in ipairs{false, true} do
  local how = async and " (async_cache)" or ""

  with("events are never taken for answers" .. how, function(s)
    s:bind{groups = {"link", "ipv4_route"}, async_cache = async}
    local name = s:request({ifname = "nle0"}, GETLINK, REQUEST)[1]
    for i = 1, 20 do
      -- The group hears of it with the number of the request, before the answer.
      local r = s:request({index = name.index, mtu = 1400 + i}, netlink.RTM_NEWLINK, REQUEST + ACK)
      check.equal({#r, r[1].event, r[1].header.error}, {1, "NLMSG_ERROR", nil})
    end
    local n = 0
    eventually(function()
      for _, m in ipairs(s:get{timeout = 0}) do
        if m.event == "RTM_NEWLINK" then n = n + 1 end
      end
      return n >= 20
    end)
    sh"ip link set nle0 mtu 1500"
  end)

  with("messages gives them one by one" .. how, function(s)
    s:bind{groups = "link", async_cache = async}
    local task = spawn(flap)
    local mtus = {}
    for m in s:messages(5) do
      mtus[#mtus + 1] = m.mtu
      if #mtus == 2 then break end
    end
    check.equal(mtus, {1400, 1500})
    task:wait()
    local n = 0
    for m in s:messages(0) do n = n + 1 end
    check.equal(n, 0)
  end)

  with("N030: a callback with a predicate and an argument" .. how, function(s)
    s:bind{groups = "link", async_cache = async}
    local index = s:request({ifname = "nle0"}, GETLINK, REQUEST)[1].index
    local calls, tags = 0, {}
    local function count(m, tag) calls = calls + 1 tags[tag] = true check.equal(m.index, index) end
    s:register_callback(count, function(m) return m.index == index end, {"tag"})
    s:request({index = index}, GETLINK, REQUEST)
    check.equal({calls, tags}, {1, {tag = true}}, "an answer, before it is returned")
    s:request({index = 1}, GETLINK, REQUEST)
    check.equal(calls, 1)
    flap()
    eventually(function() return calls == 3 end, "two events at the prompt, as it were")
    s:unregister_callback(count)
    flap()
    s:request({index = index}, GETLINK, REQUEST)
    sleep(0.02)
    check.equal(calls, 3)
  end)

  with("N031: a predicate that is never true" .. how, function(s)
    s:bind{groups = "link", async_cache = async}
    local calls, asked = 0, 0
    s:register_callback(function() calls = calls + 1 end, function() asked = asked + 1 return false end)
    flap()
    s:request({}, GETLINK)
    eventually(function() return asked >= 4 end)
    check.equal(calls, 0)
  end)

  with("N033: a callback that fails is counted, and all others go on" .. how, function(s)
    s:bind{groups = "link", async_cache = async}
    local seen = 0
    s:register_callback(function() error("this failure belongs to the test") end)
    s:register_callback(function() seen = seen + 1 end, function() return true end)
    s:register_callback(function() end, function(m) return m.no.such.field end)
    flap()
    local list = {}
    eventually(function()
      for _, m in ipairs(s:get{timeout = 0}) do list[#list + 1] = m end
      return #list >= 2
    end)
    check.equal(seen, 2)
    check.equal({#list, list[1].mtu, list[2].mtu}, {2, 1400, 1500}, "and the messages are queued")
    check.equal(s:stats().callback_errors, 4)
    check.equal(#s:request({}, GETLINK) > 0, true)
  end)

  with("callbacks fire while another task waits for an answer, and during sleep" .. how, function(s)
    s:bind{groups = "link", async_cache = async}
    local seen = 0
    s:on_message(function(m) seen = seen + 1 end, function(m) return m.event == "RTM_NEWLINK" end)
    local waiting = spawn(function()
      return select(2, pcall(s.request, s, {index = 1}, netlink.RTM_SETLINK, REQUEST, {timeout = 0.3})).kind
    end)
    sleep(0.01)
    flap()
    sleep(0.1)
    check.equal(seen, 2)
    check.equal(waiting:wait(), "timeout")
  end)
end

with("N032: callbacks run in the order of registration, and see the ends of dumps", function(s)
  local log = {}
  local function a(m) log[#log + 1] = "a" .. m.header.type end
  local function b(m) log[#log + 1] = "b" .. m.header.type end
  s:register_callback(a)
  s:register_callback(b)
  s:register_callback(a)
  s:request({index = 1}, GETLINK, REQUEST)
  check.equal(log, {"a16", "b16", "a16"})
  s:unregister_callback(a)
  s:unregister_callback(print)
  log = {}
  s:request({index = 1}, GETLINK, REQUEST)
  check.equal(log, {"b16", "a16"})
  log = {}
  s:request({}, GETLINK)
  check.equal({log[1], log[#log]}, {"b16", "a3"})
  log = {}
  s:request({index = 1}, GETLINK, REQUEST, {quiet = true})
  check.equal(log, {})
end)

with("N098: what can be called is a callback", function(s)
  local seen = {}
  local fn = setmetatable({}, {__call = function(self, m, x) seen[#seen + 1] = {self, m.ifname, x} end})
  local yes = setmetatable({}, {__call = function(self, m) return m.ifname == "lo" end})
  s:register_callback(fn, yes, {7})
  s:request({index = 1}, GETLINK, REQUEST)
  check.truthy(seen[1][1] == fn)
  check.equal({seen[1][2], seen[1][3]}, {"lo", 7})
  s:unregister_callback(fn)
  check.raises("argument", s.register_callback, s, 5)
end)

with("a callback may ask on the same socket, and blocks nobody", function(s)
  s:bind{groups = "link"}
  local names = {}
  s:register_callback(function(m)
    if m.event ~= "RTM_NEWLINK" then return end
    names[#names + 1] = s:request({index = m.index}, GETLINK, REQUEST)[1].ifname
    sleep(0.2)
    names[#names + 1] = "slept"
  end)
  flap()
  eventually(function() return names[1] end)
  local before = clock.now()
  for i = 1, 50 do s:request({index = 1}, GETLINK, REQUEST) end
  check.truthy(clock.now() - before < 0.15, "others ask while it sleeps")
  check.equal(names, {"nle0"})
end)

-- ---- loss ----

test("N004: a receive buffer that is too small: ENOBUFS once, then the socket works on", function()
  local s = netlink.socket{family = "route", rcvbuf = 1024}
  s:bind{groups = {"link", "ipv4_route"}}
  for i = 1, 4 do flap() end
  local n, err = 0
  repeat
    local ok, r = pcall(s.get, s, {timeout = 0})
    if ok then n = n + #r else err = r end
  until err or #r == 0
  check.equal(err.errno, 105)
  check.matches(err, "%d+ messages were lost")
  check.equal(tonumber(err.message:match("(%d+) messages")) + n, 8)
  check.equal(s:get{timeout = 0}, {})
  flap()
  check.truthy(#s:get{timeout = 1} > 0)
  check.truthy(s:stats().overruns >= 1)
  s:close()
end)

test("N004: with async_cache it is an event that tells how many are missing, in its place", function()
  local s = netlink.socket{family = "usersock", queue = 4096}
  s:bind{groups = 2, async_cache = true}
  local peer = netlink.socket{family = "usersock"}
  local sent = 0
  local function send() sent = sent + 1 peer:put(("%04d"):format(sent), 20, 0, {0, 2}) end
  for i = 1, 500 do send() end
  eventually(function() return s:stats().received == 500 end)
  local list = s:get()
  local last = list[#list]
  check.equal({last.event, last.exact, last.kernel}, {"overrun", "yes", 0})
  check.equal(#list - 1 + last.lost, 500)
  check.equal(bytes(list[#list - 1]):sub(17), ("%04d"):format(#list - 1), "what is there is the beginning, and whole")
  send()
  local more = s:get()
  check.equal({#more, bytes(more[1]):sub(17)}, {1, "0501"})
  check.equal({s:stats().queue, s:stats().lost}, {0, last.lost})
  peer:close()
  s:close()
end)

test("a queued event costs its octets and at most 64", function()
  local s = netlink.socket{family = "usersock"}
  s:bind{groups = 2, async_cache = true}
  local peer = netlink.socket{family = "usersock"}
  for i = 1, 2000 do peer:put(("x"):rep(i % 300), 20, 0, {0, 2}) end
  eventually(function() return s:stats().queue == 2000 end)
  local octets = s:stats().octets
  check.truthy(s:stats().queue_octets <= octets + 64 * 2000, s:stats().queue_octets .. " for " .. octets)
  local list = s:get()
  check.equal(#list, 2000)
  check.equal({list[1].stats.qsize, list[2].stats.qsize, list[2].stats.delta, list[2000].stats.qsize}, {1999, 1998, -1, 0})
  check.truthy(list[1].stats.delay > 0)
  peer:close()
  s:close()
end)

test("the kernel drops what keep does not name", function()
  local s = netlink.socket{family = "route"}
  check.raises("argument", s.bind, s, {keep = {type = NEWROUTE}})
  check.raises("argument", s.bind, s, {keep = {tipe = NEWROUTE}, async_cache = true})
  s:bind{groups = "ipv4_route", async_cache = true, keep = {type = {DELROUTE}}}
  for i = 1, 40 do
    sh(("ip route add 10.80.0.%d dev nle0"):format(i))
    if i % 4 == 0 then sh(("ip route del 10.80.0.%d dev nle0"):format(i)) end
  end
  local got = {}
  eventually(function()
    for _, m in ipairs(s:get{timeout = 0}) do got[#got + 1] = m end
    return #got >= 10
  end)
  check.equal(#got, 10)
  for _, m in ipairs(got) do check.equal(m.event, "RTM_DELROUTE") end
  check.equal(s:stats().received, 10)
  check.raises("argument", s.bind, s, {keep = {type = DELROUTE, dst = 5}})
  s:bind{keep = {type = {NEWROUTE, DELROUTE}, dst_len = 24, table = 254}}
  sh"ip route add 10.80.1.0/24 dev nle0; ip route add 10.80.2.0/24 dev nle0 table 77; ip route add 10.80.1.1 dev nle0"
  sh"ip route del 10.80.1.0/24; ip route flush table 77; ip route del 10.80.1.1"
  eventually(function() return s:stats().received >= 12 end)
  check.equal({#s:get{timeout = 1}, s:stats().received}, {2, 12})
  s:bind{keep = {}}
  sh"ip route flush root 10.80.0.0/24"
  eventually(function() return s:stats().received == 42 end)
  s:close()
end)

-- A table of routes as events tell of it, by what they lead to.
local function apply(t, m)
  if not m.dst or m.event ~= "RTM_NEWROUTE" and m.event ~= "RTM_DELROUTE" then return end
  t[("%s/%d %d"):format(m.dst, m.dst_len, m.table)] = m.event == "RTM_NEWROUTE" and (m.oif or 0) or nil
end

test("resync: after an overrun the difference comes as events, and the end is the kernel's table", function()
  local s = netlink.socket{family = "route", queue = 16384}
  s:bind{groups = {"ipv4_route", "link"}, async_cache = true, resync = true}
  local here, overruns = {}, 0
  for _, m in ipairs(s:request({family = 2}, netlink.RTM_GETROUTE)) do apply(here, m) end
  local b = s:batch()
  local index = s:request({ifname = "nle0"}, GETLINK, REQUEST)[1].index
  for i = 1, 3000 do
    b:put({family = 2, dst_len = 32, dst = ("10.81.%d.%d"):format(math.floor(i / 256), i % 256), table = 254, oif = index, scope = 253, type = 1, proto = 3},
      NEWROUTE, REQUEST + 0x600)
  end
  b:run()
  sh"ip route del 10.81.0.7; ip route del 10.81.11.7; ip link set nle0 mtu 1444"
  local mtu
  local function read()
    for _, m in ipairs(s:get{timeout = 0}) do
      if m.event == "overrun" then overruns = overruns + 1 end
      if m.ifname == "nle0" then mtu = m.mtu end
      apply(here, m)
    end
  end
  eventually(function() read() return s:stats().queue == 0 end)
  read()
  local fresh = {}
  for _, m in ipairs(s:request({family = 2}, netlink.RTM_GETROUTE)) do apply(fresh, m) end
  check.equal(here, fresh)
  check.truthy(overruns >= 1)
  check.equal(s:stats().resyncs, overruns)
  check.equal(mtu, 1444)
  sh"ip route flush root 10.81.0.0/16; ip link set nle0 mtu 1500"
  eventually(function() read() return not next(here, nil) or here["10.81.1.1/32 254"] == nil and s:stats().queue == 0 end)
  read()
  fresh = {}
  for _, m in ipairs(s:request({family = 2}, netlink.RTM_GETROUTE)) do apply(fresh, m) end
  check.equal(here, fresh)
  s:close()
end)

test("resync with callbacks", function()
  local s = netlink.socket{family = "route", queue = 16384}
  s:bind{groups = "ipv4_route", async_cache = true, resync = true}
  local here, overruns, first = {}, 0, true
  for _, m in ipairs(s:request({family = 2}, netlink.RTM_GETROUTE)) do apply(here, m) end
  s:register_callback(function(m)
    if first then first = false sleep(0.3) end
    if m.event == "overrun" then overruns = overruns + 1 end
    apply(here, m)
  end)
  local other = netlink.socket{family = "route"}
  local b = other:batch()
  local index = other:request({ifname = "nle0"}, GETLINK, REQUEST)[1].index
  for i = 1, 3000 do
    b:put({family = 2, dst_len = 32, dst = ("10.82.%d.%d"):format(math.floor(i / 256), i % 256), table = 254, oif = index, scope = 253, type = 1, proto = 3},
      NEWROUTE, REQUEST + 0x600)
  end
  b:run()
  local fresh = {}
  for _, m in ipairs(other:request({family = 2}, netlink.RTM_GETROUTE)) do apply(fresh, m) end
  eventually(function()
    for k, v in pairs(fresh) do if here[k] ~= v then return false end end
    return s:stats().queue == 0
  end)
  check.equal(here, fresh)
  check.truthy(overruns >= 1)
  sh"ip route flush root 10.82.0.0/16"
  other:close()
  s:close()
end)

test("resync is for what can be dumped", function()
  local s = netlink.socket{family = "route"}
  check.raises("argument", s.bind, s, {groups = "link", resync = true})
  check.raises("argument", s.bind, s, {groups = "nd_useropt", async_cache = true, resync = true})
  s:close()
end)

-- Should nobody be told of the second event, poll finds it when its time is up.
with("recv takes the last of what the reader has, and poll is told of the next", function(s)
  s:bind{groups = {"link"}, async_cache = true}
  sh"ip link set nle0 mtu 1400"
  check.truthy(s:recv(nil, 5))
  eventually(function() return not s:recv(nil, 0) end)
  sh"ip link set nle0 mtu 1500"
  while s:stats().queue == 0 do sleep(0.01) end
  while s:stats().queue > 0 do s:recv(nil, 0) end
  local task = spawn(function() return s:poll(20) end)
  sleep(0)
  local from = clock.now()
  sh"ip link set nle0 mtu 1400"
  check.equal(task:wait(), true)
  check.truthy(clock.now() - from < 10)
  sh"ip link set nle0 mtu 1500"
end)

with("what a task was telling callbacks when it was cancelled is told by others", function(s)
  s:bind{groups = {"link"}}
  local seen = {}
  s:register_callback(function(m) if m.event == "RTM_NEWLINK" then sleep(1000) end end)
  s:register_callback(function(m) seen[#seen + 1] = m.event end)
  local task = spawn(function()
    s:request({index = 1, flags = 0, change = 1}, netlink.RTM_NEWLINK, REQUEST + ACK)
  end)
  sleep(0)
  task:cancel()
  check.raises("cancelled", task.wait, task)
  eventually(function() return #seen >= 2 end, "the answer")
  check.equal(seen, {"RTM_NEWLINK", "NLMSG_ERROR"})
  check.equal(s:get{timeout = 0}[1].event, "RTM_NEWLINK")
  sh"ip link set lo up"
end)

with("what is lost after a socket got another port is told, too", function(s)
  local function overrun()
    sh"for i in $(seq 100); do echo link set nle0 mtu 14$((i % 90 + 10)); done | ip -batch -"
    local err
    for _ = 1, 1000 do
      local ok, got = pcall(s.get, s, {timeout = 0})
      if not ok then err = got break end
    end
    check.equal(err and err.errno, 105)
    return err.message
  end
  s:bind{groups = {"link"}}
  local first = overrun()
  check.truthy(tonumber(first:match("(%d+) messages were lost")), first)
  s:bind{pid = 4241}
  local lost = tonumber(overrun():match("(%d+) messages were lost"))
  check.equal(lost, s:stats().kernel_drops)
  sh"ip link set nle0 mtu 1500"
end, {family = "route", rcvbuf = 2048})

test("all_ns: events of other network namespaces say where they come from", function()
  local ns = netns.new()
  local s = netlink.socket{family = "route", all_ns = true}
  s:bind{groups = {"link", "nsid"}}
  sh("ip link add nle4 type veth peer name nle5 netns /proc/" .. ns.path:match("(%d+)/fd/%d+$") .. "/fd/" .. ns.path:match("fd/(%d+)$"))
  -- The namespace has a number here since it holds the other end.
  ns:run(function() sh"ip link set nle5 mtu 1444" end)
  local seen = {}
  eventually(function()
    for _, m in ipairs(s:get{timeout = 0}) do
      if m.ifname then seen[m.ifname] = m.header.nsid or "own" end
    end
    return seen.nle4 and seen.nle5
  end)
  check.equal(seen.nle4, "own")
  check.equal(type(seen.nle5), "number")
  sh"ip link del nle4; ip link del nle0"
  ns:close()
  s:close()
end)
