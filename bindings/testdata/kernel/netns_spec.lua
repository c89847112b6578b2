-- Network namespaces. These specs run on the real clock, as root of a namespace.

-- output of a program.
local function run(command)
  local f = io.popen(command)
  local text = f:read("*a")
  f:close()
  return text
end

local function interfaces()
  local names = {}
  for line in io.lines("/proc/net/dev") do
    local name = line:match("^%s*([^%s:]+):")
    if name then names[name] = true end
  end
  return names
end

test("netns.run opens connectors inside, and nothing else", function()
  local ns = netns.new()
  local tap = netns.run(ns, function() return connector.tap{name = "pkin", addr = "10.3.0.1/24"} end)
  check.equal(tap.name, "tap:pkin")
  check.falsy(interfaces().pkin)
  local list = ns:run(function() return run("cat /proc/net/dev") end)
  check.truthy(list:find("pkin", 1, true), list)
  check.equal(ns:run(function() return os.execute("exit 3") end) / 256, 3)
  tap:close()
  ns:close()
  check.raises("closed", netns.run, ns, function() end)
end)

test("netns= on every connector of the kernel", function()
  local ns = netns.new()
  local tap = connector.tap{name = "pka", up = true, netns = ns}
  local tun = connector.tun{name = "pkb", up = true, netns = ns.path}
  local a = connector.mcast{ifaddr = "127.0.0.1", netns = ns}
  local b = open("mcast://239.192.168.1:1102?if=127.0.0.1&netns=" .. ns.path)
  local other = netns.new()
  local here = connector.mcast{ifaddr = "127.0.0.1", netns = other}
  a:write(("x"):rep(60))
  check.equal(b:read(1), ("x"):rep(60))
  check.equal(here:poll_read(0.02), TIMEOUT)
  check.falsy(interfaces().pka)
  check.falsy(interfaces().pkb)
  for _, c in ipairs{tap, tun, a, b, here, ns, other} do c:close() end
end)

test("only the task that runs it is inside, also while it waits", function()
  local ns = netns.new()
  local list = function() return run("cat /proc/net/dev") end
  local tap = connector.tap{name = "pkc", netns = ns}
  local other
  ns:run(function()
    local t = spawn(function() other = list() end)
    sleep(0.01)
    t:wait()
    check.truthy(list():find("pkc", 1, true))
  end)
  check.falsy(other:find("pkc", 1, true))
  check.falsy(list():find("pkc", 1, true))
  tap:close()
  ns:close()
end)

test("runs may be nested, and an error ends them", function()
  local a, b = netns.new(), netns.new()
  local taps = {}
  local function tap() table.insert(taps, connector.tap{name = "pkd"}) end
  a:run(function()
    b:run(tap)
    local ok = pcall(netns.run, b, function() error("enough") end)
    check.falsy(ok)
    tap() -- the name is free in a
  end)
  tap() -- and here
  check.equal(select("#", a:run(function() return nil, nil end)), 2)
  for _, t in ipairs(taps) do t:close() end
  a:close()
  b:close()
end)

test("what is no namespace is an error", function()
  check.raises("missing", netns.open, "no-such")
  check.raises("argument", netns.open, "/etc/passwd")
  check.raises("argument", netns.run, -7, print) -- no number of a process
  check.raises("argument", netns.run, "/proc/self/ns/net")
  check.raises("missing", connector.tap, {netns = "no-such"})
  check.raises("argument", connector.tap, {netns = {}})
  check.raises("closed", function() local n = netns.new() n:close() connector.tap{netns = n} end)
end)
