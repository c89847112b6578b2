-- Wordings: the short way of usual requests makes the octets of the long one.
local R = require("netlink.requests")
local NAMES = {v0 = 7, br0 = 9}

-- The octets that the functions of netlink.requests make.
local function long(name, verb, spec)
  local ctx = {verb = verb, index = function(_, n) return NAMES[n] or error("no " .. n) end}
  return netlink.encode(netlink.rtnl[name], R[name](ctx, verb, spec))
end

local V4, V6 = "10.1.0.0/16", "2001:db8::/32"
local ROUTES = {
  {dst = V4, via = "10.0.0.2"}, {dst = V4, gateway = "10.0.0.2", oif = "v0"}, {to = V4, dev = "v0"}, {dst = "10.1.2.3", dev = 7}, {dst = "default", gw = "10.0.0.2"},
  {dst = V6, via = "fe80::1", dev = "v0"}, {dst = V6, dev = "v0", metric = 5}, {dst = "2001:db8::7", oif = "v0"}, {dst = "default", via = "fe80::1", dev = "v0"},
  {dst = "default", dev = "v0"}, {dst = V4, dev = "v0", table = 100, proto = "kernel"}, {dst = V4, dev = "v0", table = 4000, protocol = 77, priority = 3},
  {dst = V4, dev = "v0", table = "local", src = "10.9.9.9", tos = 16}, {dst = V4, nhid = 12}, {dst = "0.0.0.0/0", via = "10.0.0.2", prefsrc = "10.9.9.9"},
}
local SAID = {
  route = {add = ROUTES, replace = ROUTES, change = ROUTES, append = ROUTES, del = ROUTES,
    get = {{dst = "10.1.2.3"}, {dst = "2001:db8::7"}, {dst = "10.1.2.3", iif = "v0"}, {dst = "10.1.2.3", table = 100}, {dst = V4}}},
  addr = {
    add = {{dev = "v0", address = "10.0.0.1/24"}, {index = 7, ["local"] = "10.0.0.1", mask = 24}, {ifname = "v0", addr = "2001:db8::1/64"}, {dev = "v0", address = "2001:db8::1"},
      {dev = "v0", address = "10.0.0.1/24", brd = "10.0.0.255", label = "v0:x", scope = "link", metric = 9}, {dev = "v0", address = "10.0.0.1"}},
    del = {{dev = "v0", address = "10.0.0.1/24"}, {oif = 7, address = "2001:db8::1/64"}},
  },
  neigh = {
    add = {{dst = "10.0.0.7", lladdr = "02:00:00:00:00:07", dev = "v0"}, {to = "2001:db8::7", mac = "02:00:00:00:00:07", ifindex = 7, state = "stale"},
      {dst = "10.0.0.7", dev = "v0", nud = "none"}, {dst = "10.0.0.7", dev = "v0", state = 2}},
    set = {{dst = "10.0.0.7", lladdr = "02:00:00:00:00:07", dev = "v0", state = "reachable"}},
    del = {{dst = "10.0.0.7", dev = "v0"}}, get = {{dst = "10.0.0.7", dev = "v0"}},
  },
  link = {
    set = {{ifname = "v0", state = "up"}, {index = 7, up = false}, {dev = "v0", state = "down", mtu = 1400, master = "br0"}, {name = "v0", state = true, alias = "an alias"},
      {ifname = "v0", address = "02:00:00:00:00:07", txqlen = 5}, {index = 7, mtu = 9000}},
    change = {{ifname = "v0", up = true}},
    del = {{ifname = "v0"}, {index = 7}, {dev = "v0"}}, get = {{ifname = "v0"}, {index = 7}, {ifname = "v0", ext_mask = 9}},
  },
}

test("usual requests have the same octets as those that are not usual", function()
  for name, verbs in pairs(SAID) do
    for verb, specs in pairs(verbs) do
      for i, spec in ipairs(specs) do
        local octets, missing = R.usual(name, verb):octets(spec, NAMES)
        check.equal({name, verb, i, octets and tohex(octets), missing}, {name, verb, i, tohex(long(name, verb, spec)), nil})
      end
    end
  end
end)

test("wordings put requests into batches as batches do", function()
  local a, b, w = netlink.batch(), netlink.batch(), R.usual("route", "add")
  for _, spec in ipairs(ROUTES) do
    check.equal(w:put(a, 24, 0x605, spec, NAMES), b:put(w:octets(spec, NAMES), 24, 0x605))
  end
  check.equal({w:put(a, 24, 0x605, {dst = V4, dev = "nobody"}, NAMES)}, {nil, "nobody"})
  check.equal({w:put(a, 24, 0x605, {dst = "nowhere"}, NAMES)}, {nil})
  check.equal({#a, tohex(a:bytes())}, {#ROUTES, tohex(b:bytes())})
end)

test("what is not usual is left to the long way", function()
  local function none(name, verb, spec, who)
    local octets, missing = R.usual(name, verb):octets(spec, NAMES)
    check.equal({octets, missing}, {nil, who})
  end
  none("route", "add", {dst = V4, via = "fe80::1"}) -- families differ
  none("route", "add", {dst = "10.1.0.0/33", dev = "v0"})
  none("route", "add", {dst = "10.1.0.0/255.255.0.0", dev = "v0"})
  none("route", "add", {dst = "10.1.0.400", dev = "v0"})
  none("route", "add", {dst = V4, to = V4, dev = "v0"})
  none("route", "add", {dst = V4, dev = "v0", mtu = 1400})
  none("route", "add", {dst = V4, dev = "v0", type = "local"})
  none("route", "add", {dst = V4, dev = "nobody"}, "nobody")
  none("route", "add", {dst = V4, dev = "v0", metric = -1})
  none("route", "add", {dst = V4, dev = "v0", proto = "no such word"})
  none("route", "add", {V4, dev = "v0"})
  none("route", "get", {dev = "v0"})
  none("addr", "add", {dev = "v0", address = "127.0.0.1/8"}) -- of scope host
  none("addr", "add", {dev = "v0", address = "10.0.0.1/24", peer = "10.0.0.2"})
  none("addr", "add", {address = "10.0.0.1/24"})
  none("addr", "add", {dev = "v0"})
  none("neigh", "add", {dst = "10.0.0.7", dev = "v0", router = true})
  none("link", "set", {ifname = "v0", index = 7})
  none("link", "set", {ifname = "a name that is too long", state = "up"})
  none("link", "set", {ifname = "v0", state = "sideways"})
  none("link", "set", {state = "up"})
  check.equal({R.usual("link", "add"), R.usual("rule", "add"), R.usual("addr", "get")}, {nil, nil, nil})
end)

test("a wording that says nothing sensible is refused", function()
  local class = netlink.rtnl.route
  check.raises("argument", function() netlink.wording(class, {dst = "colour dst"}, {}) end)
  check.raises("argument", function() netlink.wording(class, {dst = "prefix dst"}, {}) end)
  check.raises("argument", function() netlink.wording(class, {proto = "word proto nowhere"}, {}) end)
  check.raises("argument", function() netlink.wording(class, {}, {"scope much"}) end)
  check.raises("argument", function() netlink.wording("route", {}, {}) end)
end)
