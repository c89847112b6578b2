-- Options of taps that show only on a device of the kernel.

test("a persistent tap stays, until it is opened without", function()
  local ns = netns.new()
  local function show()
    local f = ns:run(function() return io.popen("ip -d link show pkq 2>&1") end)
    local text = f:read("*a")
    f:close()
    return text
  end
  connector.tap{name = "pkq", persist = true, owner = 0, mtu = 1400, netns = ns}:close()
  check.truthy(show():find("persist on", 1, true), show())
  check.truthy(show():find("mtu 1400", 1, true), show())
  ns:run(function() open"tap:pkq":close() end)
  check.falsy(show():find("mtu", 1, true), show())
  ns:close()
end)

test("a tap of several queues may be opened by several", function()
  local ns = netns.new()
  ns:run(function()
    local a = connector.tap{name = "pkq", multiqueue = true, up = true}
    local b = open"tap:pkq?multiqueue=1"
    b:write(Ether{dst = "ff:ff:ff:ff:ff:ff"} / ARP{op = "who-has"})
    check.raises("exists", open, "tap:pkq")
    a:close()
    b:close()
  end)
  ns:close()
end)

test("an owner that does not exist", function()
  check.raises("argument", connector.tap, {owner = "no such user"})
end)
