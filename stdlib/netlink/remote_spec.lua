-- Sockets whose kernel is at the other end of a pipe, and what a statsd server
-- is told of the calls.

if clock.virtual then
  test("a remote socket does not follow the virtual clock", function()
    check.raises("realtime", netlink.socket, {family = "route", remote = true})
  end)
  return
end

os.execute("ip link set lo up")

-- Processes that this one has started and that have not ended.
local function children()
  local p = io.popen("cat /proc/$PPID/task/*/children")
  local n = select(2, p:read("*a"):gsub("%d+", ""))
  p:close()
  return n - 1 -- the shell itself
end

local function names(ip)
  local list = {}
  for l in ip:links() do list[#list + 1] = {l.index, l.ifname, l.mtu} end
  return list
end

test("N090: a remote socket over a local pipe sees the links that a local one sees", function()
  local near, far = netlink.route(), netlink.route{remote = true}
  near:link("add", {ifname = "rm0", kind = "veth", peer = "rm1"})
  check.truthy(#names(near) >= 3)
  check.equal(names(far), names(near))
  far:link("set", {ifname = "rm0", mtu = 1400})
  check.equal(near:links{ifname = "rm0"}:first().mtu, 1400)
  local e = check.raises("exists", far.link, far, "add", {ifname = "rm0", kind = "veth", peer = "rm1"})
  check.equal(e.errno, 17)
  far:link("del", {ifname = "rm0"})
  near:close()
  far:close()
end)

test("N090: dumps of tasks side by side, batches and options go the same way", function()
  local s = netlink.socket{family = "route", remote = true}
  local n = #s:request({}, netlink.RTM_GETLINK)
  local tasks = {}
  for i = 1, 4 do
    tasks[i] = spawn(function()
      local k = 0
      for m in s:dump({}, netlink.RTM_GETLINK) do k = k + 1 sleep(0) end
      return k
    end)
  end
  for _, t in ipairs(tasks) do check.equal(t:wait(), n) end
  local b = s:batch()
  for i = 1, 300 do b:put({index = 1}, netlink.RTM_GETLINK, netlink.NLM_F_REQUEST) end
  check.equal(b:run().failed, 0)
  check.equal(s:getsockname()[1], s.pid)
  check.equal(s:getsockopt(1, 38), 0) -- SO_PROTOCOL
  check.raises("unsupported", netlink.socket, {family = "route", remote = true, port = 3})
  check.raises("unsupported", s.bind, s, {pid = s.pid + 1})
  s:close()
end)

test("N090: events arrive from a remote socket, with async_cache, too", function()
  local near = netlink.route()
  for _, async in ipairs{false, true} do
    local s = netlink.socket{family = "route", remote = {}}
    s:bind{groups = "link", async_cache = async}
    near:link("add", {ifname = "rm2", kind = "veth", peer = "rm3"})
    local seen
    for m in s:messages(5) do
      if m.ifname == "rm2" then seen = m.event break end
    end
    check.equal(seen, "RTM_NEWLINK")
    near:link("del", {ifname = "rm2"})
    s:close()
  end
  near:close()
end)

test("N090: when the relay ends that is an error with what it has printed", function()
  local e = check.raises("closed", netlink.socket, {family = "route", remote = {"sh", "-c", "echo no way in >&2; exit 3"}})
  check.matches(e.message, "exit status 3.*no way in")
  e = check.raises("closed", netlink.socket, {family = "route", remote = {"sh", "-c", "echo welcome; exec cat >/dev/null"}})
  check.matches(e.message, "welcome")
  check.raises("missing", netlink.socket, {family = "route", remote = {"no-such-program"}})
  for _, async in ipairs{false, true} do
    local s = netlink.socket{family = "route", remote = true}
    s:bind{groups = "link", async_cache = async}
    local t = spawn(function() return pcall(s.get, s) end)
    sleep(0)
    os.execute[[for p in $(cat /proc/$PPID/task/*/children); do
      grep -qz '^netlink-relay$' /proc/$p/cmdline && kill -9 $p; done]]
    local ok, err = t:wait()
    check.equal({ok, err.kind}, {false, "closed"})
    check.matches(err.message, "killed")
    check.raises("closed", s.request, s, {index = 1}, netlink.RTM_GETLINK)
    s:close()
  end
end)

test("N090: close leaves no process", function()
  local before = children()
  for i = 1, 4 do
    local s = netlink.socket{family = "route", remote = true}
    s:bind{groups = "link", async_cache = i % 2 == 0}
    check.truthy(children() > before)
    local t = spawn(function() return s:get() end)
    sleep(0)
    s:close(9)
    check.equal(t:wait()[1].header.error.errno, 9)
    check.equal(children(), before)
  end
end)

test("N096: a telemetry counter of each call arrives at a statsd server", function()
  local from = open"dgram+udp://127.0.0.1:9?local=127.0.0.1:8125" -- hears everybody
  local s = netlink.socket{family = "route", telemetry = "127.0.0.1:8125"}
  local function told(name) check.equal(from:read(2), "pktsh.netlink." .. name .. ":1|c") end
  s:bind()
  told "bind"
  s:request({index = 1}, netlink.RTM_GETLINK, netlink.NLM_F_REQUEST)
  told "request"
  s:put({index = 1}, netlink.RTM_GETLINK, netlink.NLM_F_REQUEST, nil, 7)
  told "put"
  check.equal(s:get{msg_seq = 7}[1].ifname, "lo")
  told "get"
  for m in s:dump({}, netlink.RTM_GETLINK) do end
  told "dump"
  from:close()
  for i = 1, 3 do s:request({index = 1}, netlink.RTM_GETLINK, netlink.NLM_F_REQUEST) end -- nobody listens
  s:close()
  check.raises("argument", netlink.socket, {family = "route", telemetry = "localhost"})
end)
