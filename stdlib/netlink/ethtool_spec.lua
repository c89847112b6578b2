-- ethtool netlink: bit sets, events, and what the kernel says of a veth.

local message = require "netlink.ethtool_message"

test("questions and what the kernel sends are numbered apart", function()
  local ask = netlink.parse(message, netlink.encode(message, {cmd = "FEATURES_GET", HEADER = {dev_name = "v0"}}, {type = 21, flags = 1}))
  check.equal({ask.cmd, ask.event, ask:get("HEADER", "dev_name")}, {11, "ETHTOOL_MSG_FEATURES_GET", "v0"})
  local told = netlink.parse(message, netlink.encode(message, {cmd = "FEATURES_NTF", HEADER = {dev_index = 3}}, {type = 21}))
  check.equal({told.cmd, told.event}, {13, "ETHTOOL_MSG_FEATURES_NTF"})
end)

test("a question for the state of a link is these octets", function()
  check.bytes(netlink.encode(message, {cmd = "LINKSTATE_GET", version = 1, HEADER = {dev_name = "v0", flags = "compact-bitsets"}}, {type = 21, flags = 5, seq = 1}), [[
    28 00 00 00  15 00 05 00  01 00 00 00  00 00 00 00      -- nlmsghdr
    06 01 00 00                                             -- genlmsghdr
    14 00 01 80                                             -- HEADER, nested
      07 00 02 00  76 30 00 00                              -- DEV_NAME
      08 00 03 00  01 00 00 00]])
end)

if not clock.virtual then
  os.execute("ip link add et0 type veth peer name et1")

  test("a link's state follows the interface", function()
    local et = netlink.ethtool()
    check.equal(et:linkstate("et0").link, false)
    os.execute("ip link set et0 up; ip link set et1 up")
    local s = et:linkstate("et0")
    check.equal({s.name, s.link}, {"et0", true})
    check.equal(et:linkstate(s.index).name, "et0")
    et:close()
  end)

  test("link modes, rings, channels, timestamping, the level of messages", function()
    local et = netlink.ethtool()
    local m = et:linkmodes("et0")
    check.equal({m.autoneg, m.duplex, m.speed}, {false, "full", 10000})
    check.equal(et:channels("et0").combined_count or et:channels("et0").rx_count, 1)
    check.equal(et:tsinfo("et0").timestamping["software-transmit"], true)
    check.equal(et:linkinfo("et0").port, "tp")
    check.raises("unsupported", et.eee, et, "et0")
    et:close()
  end)

  test("features are read and changed by name", function()
    local et = netlink.ethtool()
    local f = et:features("et0")
    check.equal(f.active["tx-generic-segmentation"], true)
    check.equal(f.hw["rx-gro"] ~= nil, true)
    et:features("et0", {["tx-generic-segmentation"] = false})
    check.equal(et:features("et0").active["tx-generic-segmentation"] or false, false)
    et:features("et0", {["tx-generic-segmentation"] = true})
    check.equal(et:features("et0").active["tx-generic-segmentation"], true)
    et:close()
  end)

  test("without an interface: all of them", function()
    local et = netlink.ethtool()
    local names = {}
    for _, s in ipairs(et:linkstate()) do names[s.name] = true end
    check.truthy(names.et0 and names.et1 and names.lo)
    et:close()
  end)

  test("string sets", function()
    local et = netlink.ethtool()
    check.equal(et:strings("wol-modes")[0], "phy")
    check.equal(et:strings("msg-classes")[0], "drv")
    check.truthy(#et:strings("features") > 40)
    check.matches(check.raises("argument", et.strings, et, "feature").hint, "features")
    et:close()
  end)

  test("a change that cannot be, an interface that is not there", function()
    local et = netlink.ethtool()
    local gone = check.raises("missing", et.linkstate, et, "nope")
    check.matches(gone.message, "^ethtool LINKSTATE_GET: no such device: no device matches name")
    check.equal(et.family:get("LINKSTATE_GET", {header = {dev_name = "et0"}}).HEADER.dev_name, "et0")
    check.raises("unsupported", et.linkstate, et, "et0", {link = true})
    local err = check.raises("unsupported", et.features, et, "et0", {["no-such-feature"] = true})
    check.matches(err.message, "bit name not found")
    et:close()
  end)

  test("the monitor tells of changes", function()
    local et, seen = netlink.ethtool(), queue()
    local mon = et:monitor(function(e, subject) seen:put({subject, e.name, e.event}) end)
    et:features("et1", {["tx-generic-segmentation"] = false})
    check.equal(seen:get(5), {"features", "et1", "FEATURES_NTF"})
    mon:close()
    et:close()
  end)

  -- Every attribute that we declare for a question has the type that the kernel
  -- checks it against.
  local SAME = {
    u8 = "u8", u16 = "u16", u32 = "u32", u64 = "u64", s32 = "s32", ["nul-string"] = "asciiz", string = "asciiz", flag = "flag",
    nested = "class", binary = "bytes", uint = "uint",
  }

  test("declared types are those of the kernel's policy", function()
    local f = netlink.genl("ethtool")
    local p, compared = f:policy(), 0
    local function compare(class, index, path, depth)
      for _, a in ipairs(class:attributes()) do
        local rule = p.policies[index] and p.policies[index][a.number]
        if rule and rule.type ~= "invalid" then
          compared = compared + 1
          local want = SAME[rule.type] or rule.type
          local got = a.class and "class" or a.type
          if got == "lladdr" or got:find("^array") then got = "bytes" end
          if got:find("^multi%(ethtool") then got = "class" end
          check.equal(got, want, path .. a.name)
          if a.class and rule.policy_idx and depth < 6 then compare(a.class, rule.policy_idx, path .. a.name .. ".", depth + 1) end
        end
      end
    end
    for cmd, which in pairs(p.ops) do
      local class = f.info.requests[cmd]
      if class and (which["do"] or which.dump) then compare(class(), which["do"] or which.dump, f.info.names[cmd] .. ".", 0) end
    end
    check.truthy(compared > 150)
    f:close()
  end)

  test("the interfaces of these tests go again", function() os.execute("ip link del et0") end)
end
