-- Uevents: texts that end with a zero octet, alone or behind udev's header.

test("N046: an event of the kernel: the message and its fields", function()
  local e = netlink.parse_uevent("add@/devices/virtual/net/v0\0ACTION=add\0DEVPATH=/devices/virtual/net/v0\0SUBSYSTEM=net\0"
    .. "INTERFACE=v0\0IFINDEX=7\0SEQNUM=3012\0")
  check.equal(e.message, "add@/devices/virtual/net/v0")
  check.equal(e.source, "kernel")
  check.equal(e.unparsed, "")
  check.equal(e.fields, {
    ACTION = "add", DEVPATH = "/devices/virtual/net/v0", SUBSYSTEM = "net", INTERFACE = "v0", IFINDEX = "7", SEQNUM = "3012",
  })
  check.equal(e.action, "add")
  check.equal(e.INTERFACE, "v0")
  check.equal(tostring(e), "add@/devices/virtual/net/v0 ACTION=add DEVPATH=/devices/virtual/net/v0 IFINDEX=7 INTERFACE=v0 SEQNUM=3012 SUBSYSTEM=net")
end)

-- struct udev_monitor_netlink_header, then the properties.
local function udev(properties, magic)
  return "libudev\0" .. string.pack(">I4", magic or 0xfeedcafe) .. string.pack("=I4I4I4", 40, 40, #properties)
    .. string.pack(">I4I4I4I4", 0x4bdd8c21, 0, 0x00200000, 0x04000000) .. properties
end

test("N046: an event of udev: libudev, its binary header, and the fields", function()
  local e = netlink.parse_uevent(udev("UDEV_DATABASE_VERSION=1\0ACTION=change\0DEVPATH=/devices/virtual/net/v0\0SUBSYSTEM=net\0TAGS=:systemd:\0"))
  check.equal(e.message, "libudev")
  check.equal(e.source, "udev")
  check.equal(e.action, "change")
  check.equal(e.UDEV_DATABASE_VERSION, "1")
  check.equal(e.tags, ":systemd:")
  check.equal(#e.header, 32)
  check.equal(e.unparsed, "")
end)

test("N046: what is no KEY=value is kept as it is", function()
  local e = netlink.parse_uevent("change@/x\0no value\0A==b=c\0=odd\0")
  check.equal(e.unparsed, "no value\n=odd")
  check.equal(e.A, "=b=c")
end)

test("octets of any kind are no reason to fail", function()
  check.equal(netlink.parse_uevent("").message, "")
  check.equal(netlink.parse_uevent("add@/x").message, "add@/x")
  check.equal(netlink.parse_uevent("libudev\0").message, "libudev")
  check.equal(netlink.parse_uevent(udev("A=1\0", 0xdeadbeef)).fields, {})
  local cut = udev("A=1\0B=2\0")
  for n = 0, #cut do netlink.parse_uevent(cut:sub(1, n)) end
  check.equal(netlink.parse_uevent(cut:sub(1, 44)).fields, {A = "1"})
end)

if not clock.virtual then
  test("N046: the kernel tells of an interface that is made and taken away", function()
    local u = netlink.uevents()
    os.execute("ip link add uev0 type veth peer name uev1")
    local function wait(action)
      for e in u:events(5) do
        if e.action == action and e.interface == "uev0" then return e end
      end
    end
    local e = wait("add")
    check.equal(e.message, "add@/devices/virtual/net/uev0")
    check.equal(e.subsystem, "net")
    os.execute("ip link del uev0")
    check.equal(wait("remove").message, "remove@/devices/virtual/net/uev0")
    while u:read(0.2) do end
    check.equal(u:read(0), nil)
    local reader = spawn(function() check.raises("closed", u.read, u) end)
    sleep(0.01)
    u:close()
    reader:wait()
  end)

  test("what the kernel had no room for is an event of its own", function()
    local u = netlink.uevents{rcvbuf = 1}
    for i = 1, 4 do os.execute(("ip link add uev%d type veth peer name uew%d; ip link del uev%d"):format(i, i, i)) end
    local seen
    for e in u:events(1) do
      if e.message == "overrun" then seen = true break end
    end
    check.equal(seen, true)
    u:close()
  end)

  test("a handler of uevents runs while the script sleeps", function()
    local u, seen = netlink.uevents(), queue()
    u:on_event(function(e) if e.interface == "uev2" then seen:put(e.action) end end)
    os.execute("ip link add uev2 type veth peer name uev3; ip link del uev2")
    check.equal(seen:get(5), "add")
    repeat until seen:get(5) == "remove"
    u:close()
  end)
end
