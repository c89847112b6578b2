-- netlink.route(): what people say becomes the kernel's messages, and what the
-- kernel has is printed as ip prints it. The second part asks the kernel, in
-- namespaces of its own.
local V = require("netlink.vocabulary")
local R = require("netlink.requests")

--- Words ---------------------------------------------------------------------

test("words and numbers of the kernel, both ways", function()
  check.equal(V.table("main"), 254)
  check.equal(V.table("100"), 100)
  check.equal(V.table_name(255), "local")
  check.equal(V.table_name(77777), "77777")
  check.equal(V.scope("link"), 253)
  check.equal(V.proto("static"), 4)
  check.equal(V.type("blackhole"), 6)
  check.equal(V.family("inet6"), 10)
  local err = check.raises("argument", V.scope, "univers")
  check.truthy(err.message:find('there is no "univers"', 1, true) and err.message:find("global", 1, true), err.message)
  check.raises("argument", V.table, {})
end)

test("flags as words, lists, sums and numbers", function()
  check.equal(V.mask("link", "up"), 1)
  check.equal(V.mask("link", "UP+BROADCAST"), 3)
  check.equal(V.mask("link", {"IFF_UP", "promisc"}), 0x101)
  check.equal(V.mask("nud", "reachable,stale"), 6)
  check.equal(V.mask("ntf", 0x80), 0x80)
  check.equal(V.mask("addr", "temporary"), 1)
  check.raises("argument", V.mask, "link", "upp")
end)

test("addresses with their length, masks, broadcast", function()
  check.equal({V.prefix("10.0.0.1/24", "x")}, {"10.0.0.1", 24, 2})
  check.equal({V.prefix("2001:db8::/32", "x")}, {"2001:db8::", 32, 10})
  check.equal({V.prefix("10.0.0.0/255.255.240.0", "x")}, {"10.0.0.0", 20, 2})
  check.equal({V.prefix("default", "x")}, {nil, 0, nil})
  check.equal(V.mask_length("255.255.255.255", "x"), 32)
  check.equal(V.broadcast("10.1.2.3", 20), "10.1.15.255")
  check.raises("argument", V.mask_length, "255.0.255.0", "x")
  check.raises("argument", V.prefix, "eth0", "x")
  check.raises("range", V.prefix, "10.0.0.1/33", "x")
end)

test("handles, rates, sizes and times of traffic control", function()
  check.equal(V.handle("1:10"), 0x10010)
  check.equal(V.handle("ffff:"), 0xffff0000)
  check.equal(V.handle("root"), 0xffffffff)
  check.equal(V.handle_name(0x10010), "1:10")
  check.equal(V.rate("1mbit"), 125000)
  check.equal(V.rate("10mbps"), 1e7)
  check.equal(V.size("10k"), 10240)
  check.near(V.time("50ms"), 0.05, 1e-9)
  check.raises("argument", V.rate, "fast")
end)

--- Requests ------------------------------------------------------------------

-- Interfaces of a machine that does not exist.
local NAMES = {lo = 1, eth0 = 2, br0 = 3, v0 = 4}
local ctx = {index_field = "index", keep = function() end,
  index = function(_, name) return NAMES[name] or raise("missing", "there is no interface named " .. name) end}
local function made(what, verb, spec, ...)
  ctx.index_field = "index"
  return R[what](ctx, verb, spec, ...)
end

test("a link: what it is, switches, a kind and what that kind has", function()
  check.equal(made("link", "set", {ifname = "v0", state = "up", master = "br0"}), {ifname = "v0", flags = 1, change = 1, master = 3})
  check.equal(made("link", "set", {index = 4, state = "down", arp = false, master = false}), {index = 4, flags = 0x80, change = 0x81, master = 0})
  check.equal(made("link", "add", {ifname = "v0", kind = "veth", peer = "v1"}), {ifname = "v0", linkinfo = {kind = "veth", data = {peer = {ifname = "v1"}}}})
  check.equal(made("link", "add", {ifname = "v0.5", kind = "vlan", link = "v0", id = 5}), {ifname = "v0.5", link = 4, linkinfo = {kind = "vlan", data = {id = 5}}})
  check.equal(made("link", "add", {ifname = "v0.5", kind = "vlan", link = "v0", vlan_id = 5}).linkinfo.data, {id = 5})
  check.equal(made("link", "add", {ifname = "vx", kind = "vxlan", vxlan_id = 7, remote = "2001:db8::1", link = "eth0", dstport = 4789, learning = false}).linkinfo.data,
    {id = 7, group6 = "2001:db8::1", link = 2, port = 4789, learning = 0})
  check.equal(made("link", "add", {ifname = "b", kind = "bridge", br_stp_state = 1, vlan_filtering = true, mtu = 1400}),
    {ifname = "b", mtu = 1400, linkinfo = {kind = "bridge", data = {stp_state = 1, vlan_filtering = 1}}})
  check.equal(made("link", "set", {dev = "v0", kind = "bridge_slave", cost = 5, hairpin = true}),
    {ifname = "v0", linkinfo = {slave_kind = "bridge", slave_data = {cost = 5, mode = 1}}})
end)

test("a link is renamed by its number, or by dev and ifname", function()
  check.equal(made("link", "set", {dev = "v0", ifname = "new"}), {index = 4, ifname = "new"})
  check.equal(made("link", "set", {index = 4, ifname = "new"}), {index = 4, ifname = "new"})
  check.equal(made("link", "del", {ifname = "v0"}), {ifname = "v0"})
  check.raises("argument", made, "link", "set", {state = "up"})
  check.raises("argument", made, "link", "set", {ifname = "v0", state = "upp"})
  check.raises("missing", made, "link", "set", {dev = "nope", ifname = "new"})
  check.raises("unsupported", made, "link", "add", {ifname = "t", kind = "tap"})
end)

test("an address: its length, family, broadcast and flags", function()
  check.equal(made("addr", "add", {dev = "v0", address = "10.0.0.1/24", broadcast = true}),
    {index = 4, family = 2, prefixlen = 24, ["local"] = "10.0.0.1", address = "10.0.0.1", broadcast = "10.0.0.255"})
  check.equal(made("addr", "add", {index = 4, address = "10.0.0.1", mask = "255.255.0.0", label = "v0:x"}),
    {index = 4, family = 2, prefixlen = 16, ["local"] = "10.0.0.1", address = "10.0.0.1", label = "v0:x"})
  check.equal(made("addr", "add", {dev = "v0", address = "2001:db8::1/64", nodad = true, valid_lft = 100}),
    {index = 4, family = 10, prefixlen = 64, ["local"] = "2001:db8::1", address = "2001:db8::1", IFA_FLAGS = 2, cacheinfo = {ifa_valid = 100, ifa_preferred = 100}})
  check.equal(made("addr", "add", {dev = "v0", address = "10.0.0.1", peer = "10.5.0.1/30"}),
    {index = 4, family = 2, prefixlen = 30, ["local"] = "10.0.0.1", address = "10.5.0.1"})
  check.equal(made("addr", "add", {dev = "lo", address = "127.0.0.2/8"}).scope, 254)
  check.raises("argument", made, "addr", "add", {address = "10.0.0.1/24"})
  check.raises("argument", made, "addr", "add", {dev = "v0"})
end)

test("a route: destination, gateway, what ip takes for granted", function()
  check.equal(made("route", "add", {dst = "10.1.0.0/16", via = "10.0.0.2", metric = 5}),
    {family = 2, dst = "10.1.0.0", dst_len = 16, gateway = "10.0.0.2", priority = 5, type = 1, proto = 4, table = 254, scope = 0, flags = 0})
  check.equal(made("route", "add", {dst = "default", dev = "v0", table = 1000}),
    {family = 2, dst_len = 0, oif = 4, type = 1, proto = 4, table = 252, RTA_TABLE = 1000, scope = 253, flags = 0})
  check.equal(made("route", "del", {dst = "10.1.0.0/16"}), {family = 2, dst = "10.1.0.0", dst_len = 16, type = 0, proto = 0, table = 254, scope = 255, flags = 0})
  local r = made("route", "add", {blackhole = "10.0.0.0/8"})
  check.equal({r.type, r.dst, r.dst_len}, {6, "10.0.0.0", 8})
  r = made("route", "add", {dst = "10.0.0.0/8", via = "2001:db8::1", dev = "v0"})
  check.equal({r.via, r.gateway}, {{family = 10, addr = "2001:db8::1"}, nil})
  r = made("route", "add", {dst = "10.0.0.0/8", nexthops = {{via = "10.0.0.2", weight = 3}, {dev = "v0", onlink = true}}, mtu = 1400, lock = "mtu"})
  check.equal(r.multipath, {{gateway = "10.0.0.2", hops = 2, ifindex = 0, flags = 0}, {ifindex = 4, hops = 0, flags = 4}})
  check.equal(r.metrics, {mtu = 1400, lock = 4})
  r = made("route", "add", {dst = "10.0.0.0/8", dev = "v0", src = "10.0.0.1"})
  check.equal({r.prefsrc, r.src}, {"10.0.0.1", nil})
  r = made("route", "get", {dst = "10.9.9.9", src = "10.0.0.1", iif = "v0"})
  check.equal({r.dst, r.dst_len, r.src, r.src_len, r.iif}, {"10.9.9.9", 32, "10.0.0.1", 32, 4})
  check.raises("argument", made, "route", "add", {dst = "10.0.0.0/8", via = "eth0"})
  check.raises("argument", made, "route", "add", {dst = "10.0.0.0/8", table = "mian"})
end)

test("neighbours, rules and next hops", function()
  check.equal(made("neigh", "add", {dst = "10.0.0.7", lladdr = "02:00:00:00:00:07", dev = "v0"}),
    {family = 2, dst = "10.0.0.7", lladdr = "02:00:00:00:00:07", ifindex = 4, flags = 0, state = 0x80})
  check.equal(made("neigh", "add", {proxy = "10.0.0.7", dev = "v0"}), {family = 2, dst = "10.0.0.7", ifindex = 4, flags = 8, state = 0})
  check.equal(made("rule", "add", {from = "10.0.0.0/8", table = 100, priority = 5}), {family = 2, src = "10.0.0.0", src_len = 8, table = 100, action = 1, priority = 5, protocol = 4})
  local r = made("rule", "add", {fwmark = "0x10/0xff", sport = "10-20", dport = 80, ["goto"] = 9, ["not"] = true})
  check.equal({r.fwmark, r.fwmask, r.sport_range, r.dport_range, r.action, r["goto"], r.flags}, {16, 255, {start = 10, ["end"] = 20}, {start = 80, ["end"] = 80}, 2, 9, 2})
  check.equal(made("nexthop", "add", {id = 10, group = {1, {2, weight = 3}}}), {id = 10, family = 0, protocol = 4, group = {{id = 1, weight = 0}, {id = 2, weight = 2}}})
end)

--- Print-outs of what this kernel may not have ---------------------------------

-- What is printed of a message that was encoded from a table.
local function printed(class, msg)
  local octets = netlink.encode(netlink.rtnl[class], msg, {type = class == "link" and 16 or 24})
  return tostring(netlink.parse(netlink.rtnl[class], octets))
end

test("kinds of links print as ip prints them", function()
  local function kind(name, data)
    local text = printed("link", {type = 1, index = 7, flags = "UP+BROADCAST+RUNNING+MULTICAST+LOWER_UP", ifname = "x0", mtu = 1500, address = "02:00:00:00:00:01", broadcast = "ff:ff:ff:ff:ff:ff", link = 3, linkinfo = {kind = name, data = data}})
    check.equal(text:match("^[^\n]*\n[^\n]*"), "7: x0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500\n    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff")
    return text:match("\n    (" .. name .. ".*)$")
  end
  check.equal(kind("vlan", {id = 5, protocol = "802.1Q", flags = {flags = "REORDER_HDR+GVRP", mask = 3}}), "vlan protocol 802.1Q id 5 <REORDER_HDR,GVRP>")
  check.equal(kind("vrf", {table = 254}), "vrf table main")
  check.equal(kind("ipvlan", {mode = "l3", flags = 0}), "ipvlan mode l3 bridge")
  check.equal(kind("macvlan", {mode = "passthru", flags = "nopromisc"}), "macvlan mode passthru nopromisc")
  check.equal(kind("bond", {mode = "802.3ad", miimon = 100, xmit_hash_policy = "layer3+4", ad_lacp_rate = "fast"}), "bond mode 802.3ad miimon 100 xmit_hash_policy layer3+4 lacp_rate fast")
  check.equal(kind("dummy"), "dummy")
  check.equal(kind("gre", {remote = "10.0.0.2", ["local"] = "10.0.0.1", ttl = 64}), "gre local 10.0.0.1 remote 10.0.0.2 ttl 64")
  check.equal(kind("nosuchkind"), "nosuchkind")
end)

test("routes with labels and tunnels print as ip prints them", function()
  check.equal(printed("route", {family = 2, dst = "10.1.0.0", dst_len = 16, table = 254, type = 1, proto = 4, oif = 3, encap_type = "mpls", encap = {dst = {{label = 100}, {label = 200, bos = 1}}}}),
    "unicast 10.1.0.0/16 encap mpls 100/200 dev if3 proto static scope global")
  check.equal(printed("route", {family = 28, dst = {{label = 100, bos = 1}}, dst_len = 20, table = 254, type = 1, proto = 4, newdst = {{label = 7, bos = 1}}, via = {family = 2, addr = "10.0.0.2"}, oif = 3}),
    "unicast 100 as to 7 via inet 10.0.0.2 dev if3 proto static scope global")
  check.equal(printed("route", {family = 2, dst_len = 0, table = 254, type = 1, proto = 4, encap_type = "ip", encap = {id = 7, dst = "10.0.0.9", ttl = 3}, oif = 3}),
    "unicast default encap ip id 7 dst 10.0.0.9 ttl 3 dev if3 proto static scope global")
end)

--- The kernel ----------------------------------------------------------------

if clock.virtual then
  test("on the virtual clock there is no kernel", function() check.raises("realtime", netlink.route) end)
  return
end

-- lab is a test in a namespace of its own: fn(ip, ns, sh), where sh(command) runs
-- a program in there and returns what it prints.
local function lab(name, fn)
  test(name, function()
    local ok, ns = pcall(netns.new)
    if not ok then check.skip("no namespaces: " .. ns.message) end
    local ip = netlink.route{netns = ns}
    local function sh(command)
      return ns:run(function()
        local f = io.popen(command .. " 2>&1")
        local text = f:read("*a")
        f:close()
        return text
      end)
    end
    local ok, err = pcall(fn, ip, ns, sh)
    ip:close()
    ns:close()
    if not ok then error(err, 0) end
  end)
end

local function pair(ip)
  ip:link("add", {ifname = "v0", kind = "veth", address = "02:00:00:00:00:10", peer = {ifname = "v1", address = "02:00:00:00:00:11"}})
  ip:link("set", {ifname = "v0", state = "up"})
  ip:link("set", {ifname = "v1", state = "up"})
  ip:wait_link("v0", {operstate = "up"}, 5)
  ip:wait_link("v1", {operstate = "up"}, 5)
end

lab("links are added, set, found, renamed and deleted", function(ip)
  local v0 = ip:link("add", {ifname = "v0", kind = "veth", peer = {ifname = "v1", mtu = 1400}})
  check.equal(v0.ifname, "v0")
  check.equal(ip:link("get", {ifname = "v1"}).mtu, 1400)
  check.equal(ip:link("get", {index = v0.index}).ifname, "v0")
  check.equal(ip:index_of("v0"), v0.index)
  check.equal(ip:name_of(v0.index), "v0")
  check.equal(ip:link("exists", {ifname = "v0"}), true)
  ip:link("set", {ifname = "v0", state = "up", mtu = 1300, alias = "mine"})
  local l = ip:link("get", {ifname = "v0"})
  check.equal({l.mtu, l.ifalias, l.flags:find("UP", 1, true) ~= nil}, {1300, "mine", true})
  ip:link("set", {dev = "v0", ifname = "w0", state = "down"})
  check.equal(ip:name_of(v0.index), "w0")
  ip:link("property_add", {ifname = "w0", altname = {"quite-a-long-name-for-a-link", "x0"}})
  check.equal(ip:index_of("quite-a-long-name-for-a-link"), v0.index)
  check.equal(ip:index_of("x0"), v0.index)
  ip:link("add", {ifname = "br0", kind = "bridge", ageing_time = 1000})
  ip:link("set", {ifname = "w0", master = "br0"})
  check.equal(ip:links{master = "br0"}:first().ifname, "w0")
  ip:link("set", {ifname = "w0", master = false})
  check.equal(ip:links{master = "br0"}:count(), 0)
  check.equal(ip:links{kind = "bridge"}:first():get("linkinfo", "data", "ageing_time"), 1000)
  ip:link("del", {ifname = "w0"})
  check.equal(ip:link("exists", {ifname = "v1"}), false)
end)

lab("what goes wrong is told by name, with what to do", function(ip)
  ip:link("add", {ifname = "v0", kind = "veth", peer = "v1"})
  local err = check.raises("exists", ip.link, ip, "add", {ifname = "v0", kind = "veth", peer = "v2"})
  check.truthy(err.message:find("link add v0: file exists", 1, true), err.message)
  check.equal(err.errno, 17)
  check.truthy(err.hint)
  err = check.raises("missing", ip.link, ip, "set", {ifname = "nope", state = "up"})
  check.truthy(err.message:find("nope", 1, true), err.message)
  err = check.raises("missing", ip.addr, ip, "add", {dev = "nope", address = "10.0.0.1/24"})
  check.truthy(err.message:find('no interface named "nope"', 1, true), err.message)
  err = check.raises("unsupported", ip.link, ip, "add", {ifname = "x", kind = "nosuchkind"})
  check.truthy(err.message:find("nosuchkind", 1, true) or err.hint:find("nosuchkind", 1, true), err.message)
  err = check.raises("argument", ip.link, ip, "ad", {ifname = "x"})
  check.truthy(err.message:find("add", 1, true), err.message)
  check.raises("argument", ip.links, ip, {nosuchfield = 1})
  ip:close()
  check.raises("closed", ip.link, ip, "get", {ifname = "v0"})
end)

lab("addresses, routes and neighbours with filters", function(ip)
  pair(ip)
  ip:addr("add", {dev = "v0", address = "10.0.0.1/24", broadcast = true})
  ip:addr("add", {dev = "v0", address = "2001:db8::1/64", nodad = true})
  check.equal(ip:addrs{dev = "v0", family = "inet"}:first().broadcast, "10.0.0.255")
  check.equal(ip:addrs{address = "2001:DB8:0::1"}:count(), 1)
  check.equal(ip:addrs{address = "10.0.0.1/16"}:count(), 0)
  check.raises("exists", ip.addr, ip, "add", {dev = "v0", address = "10.0.0.1/24"})

  ip:route("add", {dst = "default", via = "10.0.0.2"})
  ip:route("add", {dst = "10.1.0.0/16", via = "10.0.0.3", table = 100, mtu = 1400})
  ip:route("add", {dst = "10.2.0.0/16", nexthops = {{via = "10.0.0.2"}, {via = "10.0.0.3", weight = 3}}, table = 1000})
  ip:route("add", {blackhole = "10.3.0.0/16"})
  check.equal(ip:routes{table = 100}:list()[1].metrics.mtu, 1400)
  check.equal(ip:routes{table = 100}:count(), 1)
  check.equal(ip:routes{table = 1000, dev = "v0"}:first().multipath[2].hops, 2)
  check.equal(ip:routes{table = 4711}:count(), 0, "a table that is not there has no routes")
  check.equal(ip:routes{table = 4711, family = "inet"}:count(), 0)
  check.equal(ip:routes{type = "blackhole"}:first().dst, "10.3.0.0")
  check.equal(ip:routes{dst = "default", family = "inet"}:first().gateway, "10.0.0.2")
  check.equal(#ip:get_default_routes{family = "inet"}, 1)
  check.equal(ip:route("get", {dst = "10.99.0.1"}).gateway, "10.0.0.2")
  ip:route("replace", {dst = "default", via = "10.0.0.9"})
  check.equal(ip:routes{dst = "default", family = "inet"}:list()[1].gateway, "10.0.0.9")
  ip:route("del", {dst = "default"})
  check.equal(ip:routes{dst = "default", family = "inet"}:count(), 0)
  check.equal(ip:flush_routes{table = 1000}, 1)
  check.raises("argument", ip.flush_routes, ip, {})

  ip:neigh("add", {dst = "10.0.0.7", lladdr = "02:00:00:00:00:07", dev = "v0"})
  check.equal(ip:neighs{dst = "10.0.0.7"}:first().lladdr, "02:00:00:00:00:07")
  check.equal(ip:neighs{state = "permanent", dev = "v0"}:count(), 1)
  check.equal(ip:neigh("get", {dst = "10.0.0.7", dev = "v0"}).lladdr, "02:00:00:00:00:07")
  ip:neigh("del", {dst = "10.0.0.7", dev = "v0"})
  check.equal(ip:neighs{dst = "10.0.0.7", state = "permanent"}:count(), 0)
  check.equal(ip:flush_addr{dev = "v0", family = "inet"}, 1)
end)

lab("rules, next hops, namespaces' numbers, queueing disciplines", function(ip)
  pair(ip)
  ip:rule("add", {from = "1.2.3.4", table = 100, priority = 50})
  ip:rule("add", {fwmark = "0x10/0xff", iif = "v0", prohibit = true, priority = 51})
  check.equal(ip:rule("get", {priority = 50}).src, "1.2.3.4")
  check.equal(ip:rules{family = "inet", table = 100}:count(), 1)
  ip:rule("del", {priority = 50})
  check.equal(ip:rules{priority = 50}:count(), 0)
  check.equal(ip:flush_rules{action = "prohibit"}, 1)

  ip:addr("add", {dev = "v0", address = "10.0.0.1/24"})
  ip:nexthop("add", {id = 1, via = "10.0.0.2", dev = "v0"})
  ip:nexthop("add", {id = 10, group = {1}})
  ip:route("add", {dst = "10.9.0.0/16", nhid = 10})
  check.equal(ip:routes{nhid = 10}:first().dst, "10.9.0.0")
  check.equal(ip:nexthop("get", {id = 1}).gateway, "10.0.0.2")

  ip:tc("add", {dev = "v0", kind = "tbf", rate = "1mbit", burst = "10k", latency = "50ms"})
  check.equal(ip:qdiscs{dev = "v0"}:first().kind, "tbf")
  ip:tc("del", {dev = "v0", parent = "root"})
  ip:tc("add", {dev = "v0", kind = "htb", handle = "1:", default = "10"})
  ip:tc("add-class", {dev = "v0", kind = "htb", parent = "1:", classid = "1:10", rate = "1mbit", ceil = "2mbit"})
  check.equal(ip:classes{dev = "v0"}:first().handle, 0x10010)
  check.equal(tostring(ip:classes{dev = "v0"}:first()):match("rate %S+ ceil %S+"), "rate 1Mbit ceil 2Mbit")
  ip:tc("add-filter", {dev = "v0", parent = "1:", kind = "u32", protocol = "ip", prio = 2, dst = "10.9.0.0/16", flowid = "1:10"})
  check.equal(ip:filters{dev = "v0", parent = "1:", kind = "u32"}:count() > 0, true)
  ip:tc("del-filter", {dev = "v0", parent = "1:", kind = "u32", protocol = "ip", prio = 2})
  check.equal(ip:filters{dev = "v0", parent = "1:"}:count(), 0)
  ip:tc("del-class", {dev = "v0", classid = "1:10"})
  check.equal(ip:classes():count(), 0)

  local other = netns.new()
  ip:nsid("add", {netns = other, nsid = 7})
  check.equal(ip:nsid("get", {netns = other}).nsid, 7)
  check.equal(ip:nsids():count(), 1)
  ip:link("set", {ifname = "v1", netns = other})
  check.equal(ip:link("exists", {ifname = "v1"}), false)
  local there = netlink.route{netns = other}
  check.equal(there:link("exists", {ifname = "v1"}), true)
  there:close()
  other:close()
end)

lab("wait_link waits for what comes, and for no longer", function(ip)
  check.equal(ip:wait_link("v0", 0.01), nil)
  ip:link("add", {ifname = "v0", kind = "veth", peer = "v1"})
  check.equal(ip:wait_link("v0", {state = "up"}, 0.01), nil)
  local t = spawn(function() return ip:wait_link("v0", {state = "up"}, 10).ifname end)
  sleep(0)
  ip:link("set", {ifname = "v0", state = "up"})
  check.equal(t:wait(10), "v0")
  local gone = spawn(function() return ip:wait_link("v0", "gone", 10) end)
  local back = spawn(function() return ip:wait_link("w0", 10).ifname end)
  sleep(0)
  ip:link("del", {ifname = "v0"})
  ip:link("add", {ifname = "w0", kind = "veth", peer = "w1"})
  check.equal(gone:wait(10), true)
  check.equal(back:wait(10), "w0")
end)

lab("closing the handle is an error to who waits for a link, not the end of its time", function(_, ns)
  local other = netlink.route{netns = ns}
  local t = spawn(function() return check.raises("closed", other.wait_link, other, "none", 10) end)
  sleep(0.01)
  other:close()
  check.matches(t:wait(5).message, "closed")
end)

lab("monitors call functions and are loops; closing ends both", function(ip)
  local seen = queue()
  local m = ip:monitor({"link", "addr"}, function(ev) seen:put(ev.event) end)
  ip:link("add", {ifname = "v0", kind = "veth", peer = "v1"})
  check.equal(seen:get(5), "RTM_NEWLINK")
  check.equal(seen:get(5), "RTM_NEWLINK")
  ip:addr("add", {dev = "v0", address = "10.0.0.1/24"})
  check.equal(seen:get(5), "RTM_NEWADDR")
  m:close()
  ip:link("set", {ifname = "v0", mtu = 1400})
  check.equal(seen:get(0.01), nil)

  local loop = ip:monitor("link")
  local got = spawn(function()
    local names = {}
    for ev in loop do names[#names + 1] = ev.ifname end
    return names
  end)
  sleep(0)
  ip:link("set", {ifname = "v0", mtu = 1300})
  ip:wait_link("v0", {mtu = 1300}, 5)
  sleep(0.01)
  loop:close()
  check.equal(got:wait(5)[1], "v0")
  check.equal(loop:read(0), nil)
  check.raises("argument", ip.monitor, ip, "linkz")
  check.raises("argument", ip.monitor, ip, "link", "print")
end)

--- Print-outs ----------------------------------------------------------------

-- What two programs print, by lines without the blanks at their ends.
local function lines(text)
  local out = {}
  for l in (text .. "\n"):gmatch("(.-)\n") do
    l = l:gsub("%s+", " "):gsub(" $", "")
    if l ~= "" then out[#out + 1] = l end
  end
  return out
end

-- Timers run on while two programs ask.
local function still(text)
  return (text:gsub("(%a+_timer) +[%d.]+", "%1 T"):gsub("direct_packets_stat %d+", ""):gsub("expires %d+sec", "expires T"):gsub("(%a+_lft) %d+sec", "%1 T"))
end

local function same(ours, theirs, what)
  local a, b = lines(still(ours)), lines(still(theirs))
  for i = 1, math.max(#a, #b) do check.equal(a[i], b[i], what .. ", line " .. i) end
end

-- The kernel goes on meanwhile: what is compared is what it said before and
-- after.
local function compare(ours, theirs, what)
  local a, b, c
  for i = 1, 20 do
    a, b, c = ours(), theirs(), ours()
    if still(a) == still(c) then break end
  end
  same(a, b, what)
end

local LAB = [[
ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
ip link add br0 type bridge; ip link set v1 master br0; ip link set br0 up
ip link add mv0 link v0 type macvlan mode bridge; ip link add mvt0 link v0 type macvtap mode private
ip link add vx0 type vxlan id 5 dstport 4789 dev v0 group 239.1.1.1
ip link add vx1 type vxlan id 6 dstport 4790 remote 2001:db8::9 local 2001:db8::1 nolearning ttl 9 tos 4 udp6zerocsumtx l2miss
ip link add vx2 type vxlan external dstport 4791
ip link add vv5 type veth peer name vv6; ip tuntap add tap0 mode tap; ip tuntap add tun0 mode tun user 0
ip link set vx0 alias "my tunnel"; ip link property add dev vx0 altname a-long-name-of-a-tunnel
ip link set mv0 promisc on; ip link set vv5 mtu 1400 txqueuelen 7 group 5; ip link set mvt0 addrgenmode none
ip addr add 10.0.0.1/24 brd + dev v0; ip addr add 10.0.0.9/24 dev v0
ip addr add 10.0.0.1 peer 10.5.0.1 dev br0 label br0:x; ip addr add 127.0.0.9/8 dev lo scope host
ip -6 addr add 2001:db8::1/64 dev v0 nodad; ip -6 addr add 2001:db8::2/64 dev v0 nodad valid_lft 1000 preferred_lft 500
ip addr add 10.7.0.1/24 dev v0 metric 77 noprefixroute
ip route add 10.9.0.0/16 via 10.0.0.2 metric 50 mtu 1400 advmss lock 1000 rtt 100ms hoplimit 9 initcwnd 5 quickack 1 src 10.0.0.1 table 100
ip route add default via 10.0.0.2; ip route add blackhole 10.66.0.0/16; ip route add unreachable 10.67.0.0/16 metric 5
ip route add prohibit 10.68.0.0/16; ip route add throw 10.69.0.0/16 table 7; ip route add 10.70.0.0/16 dev v0 table 70000
ip route add 10.8.0.0/16 nexthop via 10.0.0.2 dev v0 nexthop via 10.0.0.3 dev v0 weight 3 onlink
ip route add 10.10.0.0/16 via inet6 2001:db8::99 dev v0; ip route add 10.11.0.0/16 dev v0 tos 0x10 scope link proto static
ip route add 10.13.0.0/16 via 10.99.0.1 dev v0 onlink; ip route add 10.14.0.0/16 dev v0 congctl reno rto_min 5ms features ecn
ip -6 route add 2001:db8:1::/48 via 2001:db8::5 pref high; ip -6 route add 2001:db8:2::/48 nexthop via 2001:db8::5 nexthop via 2001:db8::6
ip -6 route add 2001:db8:3::/48 encap seg6 mode encap segs 2001:db8::7,2001:db8::8 dev v0
ip -6 route add 2001:db8:4::/48 dev v0 expires 100; ip -6 route add 2001:db8:5::/48 from 2001:db8:9::/48 dev v0
ip -6 route add blackhole 2001:db8:6::/48
ip nexthop add id 1 via 10.0.0.2 dev v0; ip nexthop add id 2 blackhole; ip nexthop add id 3 via 10.0.0.3 dev v0 onlink
ip nexthop add id 4 via 2001:db8::5 dev v0; ip nexthop add id 10 group 1,5/3,2; ip route add 10.12.0.0/16 nhid 1
ip rule add from 1.2.3.4/32 table 7; ip rule add to 10.3.0.0/16 fwmark 0x10/0xff lookup main pref 100
ip rule add iif v0 oif v1 ipproto tcp sport 10-20 dport 80 table 99 suppress_prefixlength 0; ip rule add iif gone0 table 98 pref 60
ip rule add tos 0x10 blackhole pref 7; ip rule add not from 3.3.3.3 goto 32766 pref 50; ip -6 rule add from 2001:db8::/32 prohibit
ip rule add pref 51 from all iif v0 unreachable; ip rule add pref 52 fwmark 5 table 70000; ip rule add pref 53 goto 9999
ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:01 dev v0; ip neigh add 10.0.0.8 lladdr 02:00:00:00:00:01 dev v0 nud stale
ip neigh add 10.0.0.6 dev v0 nud none; ip neigh add proxy 10.0.0.77 dev v0; ip neigh add 10.0.0.4 dev v0 nud failed
ip -6 neigh add 2001:db8::7 lladdr 02:00:00:00:00:01 dev v0 router
ip neigh add 10.0.0.5 dev v0 lladdr 02:00:00:00:00:05 nud noarp protocol 4 extern_learn
bridge fdb add 02:00:00:00:00:42 dev v1 master static; bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.99 vni 9
tc qdisc add dev v0 root tbf rate 1mbit burst 10k latency 50ms; tc qdisc add dev v0 ingress; tc qdisc add dev mv0 root pfifo limit 10
tc qdisc add dev vx0 root handle 1: htb default 10; tc class add dev vx0 parent 1: classid 1:10 htb rate 1mbit ceil 2mbit prio 3
tc class add dev vx0 parent 1:10 classid 1:11 htb rate 1500kbit burst 20k; tc qdisc add dev vx0 parent 1:11 handle 20: bfifo limit 100k
]]

-- Print-outs change with the version of ip; these are of 6.1.
local function needs_ip(sh)
  local version = sh("ip -V")
  if not version:find("iproute2%-6%.1%f[%D]") then check.skip("compares with ip of iproute2 6.1; this is " .. version) end
end

lab("print-outs are what ip -d, bridge fdb and tc print", function(ip, ns, sh)
  needs_ip(sh)
  local out = sh(LAB)
  ip:wait_link("v1", {operstate = "up"}, 5)
  ip:wait_link("br0", {operstate = "up"}, 5)
  compare(function() return ip:links():text() end, function() return sh("ip -d link show") end, "link")
  for _, dev in ipairs{"lo", "v0", "br0"} do
    -- ip prints the link first, and the addresses without its name.
    local function theirs() return (sh("ip -d -o addr show dev " .. dev):gsub("\\", "\n")) end
    compare(function() return ip:addrs{dev = dev}:text() end, theirs, "addr of " .. dev)
  end
  local function routes(command)
    return (sh(command):gsub("\n\tnh_info[^\n]*", ""):gsub(" table main ", " "))
  end
  compare(function() return ip:routes{table = "main", family = "inet"}:text() end, function() return routes("ip -d -4 route show") end, "route")
  compare(function() return ip:routes{table = "main", family = "inet6"}:text() end, function() return routes("ip -d -6 route show") end, "-6 route")
  compare(function() return ip:routes{family = "inet"}:text() end, function() return routes("ip -d -4 route show table all") end, "route table all")
  compare(function() return ip:routes{family = "inet6"}:text() end, function() return routes("ip -d -6 route show table all") end, "-6 route table all")
  compare(function() return tostring(ip:route("get", {dst = "10.9.9.9"})) end, function() return routes("ip -d route get 10.9.9.9") end, "route get")
  compare(function() return tostring(ip:route("get", {dst = "10.0.0.1"})) end, function() return routes("ip -d route get 10.0.0.1") end, "route get of oneself")
  compare(function() return tostring(ip:route("get", {dst = "2001:db8:1::1"})) end, function() return routes("ip -d -6 route get 2001:db8:1::1") end, "-6 route get")
  compare(function() return ip:neighs{family = "inet"}:text() end, function() return sh("ip -d -4 neigh show nud all") end, "neigh")
  compare(function() return ip:neighs{family = "inet6"}:text() end, function() return sh("ip -d -6 neigh show nud all") end, "-6 neigh")
  compare(function() return ip:neighs{proxy = true}:text() end, function() return sh("ip -d neigh show proxy") end, "neigh proxy")
  compare(function() return ip:fdb_entries():text() end, function() return sh("bridge fdb show") end, "fdb")
  compare(function() return ip:rules{family = "inet"}:text() end, function() return sh("ip -d rule show") end, "rule")
  compare(function() return ip:rules{family = "inet6"}:text() end, function() return sh("ip -d -6 rule show") end, "-6 rule")
  compare(function() return ip:nexthops():text() end, function() return sh("ip -d nexthop show") end, "nexthop")
  compare(function() return (ip:qdiscs{dev = "v0"}:text():gsub(" dev v0", "")) end, function() return sh("tc qdisc show dev v0") end, "qdisc")
  compare(function() return (ip:qdiscs{dev = "vx0"}:text():gsub(" dev vx0", "")) end, function() return sh("tc qdisc show dev vx0") end, "qdisc")
  compare(function() return (ip:classes{dev = "vx0"}:text():gsub(" dev vx0", "")) end, function() return sh("tc class show dev vx0") end, "class")
  compare(function() return (ip:qdiscs{dev = "mv0"}:text():gsub(" dev mv0", "")) end, function() return sh("tc qdisc show dev mv0") end, "qdisc")
end)

lab("events print as ip monitor prints them", function(ip, ns, sh)
  needs_ip(sh)
  -- ip listens, and we do. What is done is done in steps, so that both can ask
  -- for the names of interfaces before these go.
  local file = os.tmpname()
  local ours, at = {}, 0
  local m = ip:monitor("all", function(ev)
    ours[#ours + 1] = tostring(ev)
    if ev.ifname == "lo" then at = ev.mtu end
  end)
  local pid = tonumber((sh(("stdbuf -oL ip monitor link address route neigh rule nsid nexthop netconf prefix label > %s 2>&1 & echo $!"):format(file))))
  local function told()
    local f = io.open(file)
    local text = f:read("*a")
    f:close()
    return text
  end
  -- step returns when both have heard of what was done before it.
  local function step(mtu, tries)
    sh("ip link set lo mtu " .. mtu)
    for i = 1, tries or 1000 do
      if at == mtu and told():find("mtu " .. mtu, 1, true) then return true end
      sleep(0.01)
    end
  end
  local mtu = 60000
  while not step(mtu, 10) do mtu = mtu + 1 end -- until ip listens
  local first = mtu
  for command in ([[
    ip link add v0 type veth peer name v1
    ip link set v0 up; ip link set v1 up
    ip addr add 10.0.0.1/24 dev v0; ip route add default via 10.0.0.2
    ip route add 10.8.0.0/16 nexthop via 10.0.0.2 dev v0 nexthop via 10.0.0.3 dev v0 weight 3
    ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:01 dev v0; ip neigh del 10.0.0.7 dev v0
    ip rule add from 1.2.3.4 table 7; ip rule del from 1.2.3.4 table 7
    ip nexthop add id 1 via 10.0.0.2 dev v0; ip nexthop del id 1
    ip route del default; ip addr del 10.0.0.1/24 dev v0
    ip link add br0 type bridge
    ip link set v1 master br0; ip link set v1 nomaster
    ip link set v1 down; ip link set v1 alias far
    ip link del v0; ip link del br0]]):gmatch("[^\n]+") do
    sh(command)
    mtu = mtu + 1
    check.truthy(step(mtu), command)
  end
  sh("kill " .. pid)
  m:close()
  -- From the first event on that ip heard.
  local from = ("^.*(%%[LINK%%]1: lo: [^\n]*mtu %d)"):format(first)
  local theirs, mine = told():gsub(from, "%1"), table.concat(ours, "\n"):gsub(from, "%1")
  os.remove(file)
  same(mine, theirs, "monitor")
end)

lab("traffic control is watched, too; printing objects does not read them", function(ip)
  pair(ip)
  local seen = queue()
  local m = ip:monitor({"tc", resync = true}, function(ev) seen:put(tostring(ev)) end)
  ip:tc("add", {dev = "v0", kind = "pfifo", limit = 7, handle = "7:"})
  local text
  repeat text = seen:get(5) until not text or not text:find("noqueue", 1, true) -- that was there before
  check.equal(text:gsub("refcnt %d+ ", ""), "qdisc pfifo 7: dev v0 root limit 7p")
  m:close()
  check.equal(m:wait(), true)
  local links = ip:links{kind = "veth"}
  check.truthy(tostring(links):find("v0@v1", 1, true))
  check.equal(links:count(), 2)
  check.equal(links:count(), 0)
  check.equal(links:interrupted(), false)
end)

lab("a handle stays in its namespace, wherever it is used", function(ip, ns)
  local inside = ns:run(function() return netlink.route() end)
  ip:link("add", {ifname = "v0", kind = "veth", peer = "v1"})
  check.equal(inside:link("get", {ifname = "v0"}).ifname, "v0")
  local t = spawn(function() return inside:wait_link("v0", {state = "up"}, 10).ifname end)
  sleep(0)
  ip:link("set", {ifname = "v0", state = "up"})
  check.equal(t:wait(10), "v0")
  local outside = netlink.route()
  ns:run(function() -- monitors, too, are where the handle is
    check.equal(outside:wait_link("v0", 0), nil)
    check.equal(inside:wait_link("v0", 0).ifname, "v0")
  end)
  inside:close()
  outside:close()
  local stat = io.open("/proc/self/stat")
  local by_process = netlink.route{netns = stat:read("*n")}
  stat:close()
  check.equal(by_process:link("get", {ifname = "lo"}).index, 1)
  by_process:close()
end)

-- What we do, and what ip does: in two namespaces, which are the same then.
local function both(ip)
  return {
    {ip.link, "add", {ifname = "br0", kind = "bridge", ageing_time = 1000, stp_state = 1, address = "02:00:00:00:00:20"}, "ip link add br0 address 02:00:00:00:00:20 type bridge ageing_time 1000 stp_state 1"},
    {ip.link, "set", {ifname = "br0", state = "up"}, "ip link set br0 up"},
    {ip.link, "set", {ifname = "v1", master = "br0"}, "ip link set v1 master br0"},
    {ip.link, "set", {dev = "v1", kind = "bridge_slave", cost = 7, hairpin = true, isolated = true}, "ip link set dev v1 type bridge_slave cost 7 hairpin on isolated on"},
    {ip.link, "set", {ifname = "v0", alias = "mine", txqlen = 7, group = 9, mtu = 1400, allmulticast = true, arp = false}, "ip link set v0 alias mine txqueuelen 7 group 9 mtu 1400 allmulticast on arp off"},
    {ip.link, "add", {ifname = "mv0", kind = "macvlan", link = "v0", mode = "private", address = "02:00:00:00:00:21"}, "ip link add mv0 link v0 address 02:00:00:00:00:21 type macvlan mode private"},
    {ip.link, "add", {ifname = "vx0", kind = "vxlan", id = 7, remote = "10.0.0.9", ["local"] = "10.0.0.1", link = "v0", dstport = 4789, ttl = 9, learning = false, srcport = {5000, 6000}, address = "02:00:00:00:00:22"},
      "ip link add vx0 address 02:00:00:00:00:22 type vxlan id 7 remote 10.0.0.9 local 10.0.0.1 dev v0 dstport 4789 ttl 9 nolearning srcport 5000 6000"},
    {ip.link, "add", {ifname = "vx1", kind = "vxlan", vxlan_id = 8, group = "239.1.1.1", link = "v0", dstport = 4790, address = "02:00:00:00:00:23"},
      "ip link add vx1 address 02:00:00:00:00:23 type vxlan id 8 group 239.1.1.1 dev v0 dstport 4790"},
    {ip.link, "set", {ifname = "vx1", addrgenmode = "none"}, "ip link set vx1 addrgenmode none"},
    {ip.link, "property_add", {ifname = "v0", altname = {"another-name-of-v0"}}, "ip link property add dev v0 altname another-name-of-v0"},
    {ip.addr, "add", {dev = "v0", address = "10.0.0.1/24", broadcast = true}, "ip addr add 10.0.0.1/24 brd + dev v0"},
    {ip.addr, "add", {dev = "v0", address = "10.0.0.5", peer = "10.5.0.1", label = "v0:x", scope = "link"}, "ip addr add 10.0.0.5 peer 10.5.0.1 dev v0 label v0:x scope link"},
    {ip.addr, "add", {dev = "v0", address = "2001:db8::1/64", nodad = true, noprefixroute = true}, "ip addr add 2001:db8::1/64 dev v0 nodad noprefixroute"},
    {ip.addr, "add", {dev = "v0", address = "2001:db8::2/64", nodad = true, valid_lft = 5000, preferred_lft = 0, metric = 77}, "ip addr add 2001:db8::2/64 dev v0 nodad valid_lft 5000 preferred_lft 0 metric 77"},
    {ip.route, "add", {dst = "default", via = "10.0.0.2", metric = 5, src = "10.0.0.1"}, "ip route add default via 10.0.0.2 metric 5 src 10.0.0.1 proto static"},
    {ip.route, "add", {dst = "10.1.0.0/16", dev = "v0", table = 100, tos = 0x10}, "ip route add 10.1.0.0/16 dev v0 table 100 tos 0x10 proto static"},
    {ip.route, "add", {dst = "10.2.0.0/16", via = "10.0.0.2", mtu = 1300, lock = "mtu", advmss = 900, rtt = "100ms", rto_min = "5ms", hoplimit = 9, initcwnd = 10, quickack = true, congctl = "reno", features = "ecn"},
      "ip route add 10.2.0.0/16 via 10.0.0.2 mtu lock 1300 advmss 900 rtt 100ms rto_min 5ms hoplimit 9 initcwnd 10 quickack 1 congctl reno features ecn proto static"},
    {ip.route, "add", {dst = "10.3.0.0/16", nexthops = {{via = "10.0.0.2", dev = "v0"}, {via = "10.0.0.3", weight = 3, onlink = true, dev = "v0"}}}, "ip route add 10.3.0.0/16 proto static nexthop via 10.0.0.2 dev v0 nexthop via 10.0.0.3 dev v0 weight 3 onlink"},
    {ip.route, "add", {dst = "10.4.0.0/16", via = "2001:db8::9", dev = "v0"}, "ip route add 10.4.0.0/16 via inet6 2001:db8::9 dev v0 proto static"},
    {ip.route, "add", {dst = "10.6.0.0/16", via = "10.77.0.1", dev = "v0", onlink = true}, "ip route add 10.6.0.0/16 via 10.77.0.1 dev v0 onlink proto static"},
    {ip.route, "append", {dst = "10.6.0.0/16", via = "10.0.0.8"}, "ip route append 10.6.0.0/16 via 10.0.0.8 proto static"},
    {ip.route, "prepend", {dst = "10.6.0.0/16", via = "10.0.0.7"}, "ip route prepend 10.6.0.0/16 via 10.0.0.7 proto static"},
    {ip.route, "change", {dst = "10.2.0.0/16", via = "10.0.0.6"}, "ip route change 10.2.0.0/16 via 10.0.0.6 proto static"},
    {ip.route, "add", {blackhole = "10.66.0.0/16"}, "ip route add blackhole 10.66.0.0/16 proto static"},
    {ip.route, "add", {type = "unreachable", dst = "10.67.0.0/16", proto = "bird", metric = 3}, "ip route add unreachable 10.67.0.0/16 proto bird metric 3"},
    {ip.route, "add", {throw = "10.68.0.0/16", table = 77777}, "ip route add throw 10.68.0.0/16 table 77777 proto static"},
    {ip.route, "add", {dst = "2001:db8:1::/48", via = "2001:db8::5", pref = "high", metric = 9}, "ip -6 route add 2001:db8:1::/48 via 2001:db8::5 dev v0 pref high metric 9 proto static"},
    {ip.route, "add", {dst = "2001:db8:2::/48", nexthops = {{via = "2001:db8::5", dev = "v0"}, {via = "2001:db8::6", dev = "v0", weight = 2}}}, "ip -6 route add 2001:db8:2::/48 proto static nexthop via 2001:db8::5 dev v0 nexthop via 2001:db8::6 dev v0 weight 2"},
    {ip.route, "add", {dst = "2001:db8:3::/48", dev = "v0", encap = {type = "seg6", mode = "encap", segs = {"2001:db8::7", "2001:db8::8"}}}, "ip -6 route add 2001:db8:3::/48 encap seg6 mode encap segs 2001:db8::7,2001:db8::8 dev v0 proto static"},
    {ip.route, "add", {dst = "2001:db8:7::/48", dev = "v0", encap = {type = "seg6", mode = "inline", segs = "2001:db8::7"}}, "ip -6 route add 2001:db8:7::/48 encap seg6 mode inline segs 2001:db8::7 dev v0 proto static"},
    {ip.route, "add", {dst = "2001:db8:5::/48", from = "2001:db8:9::/48", dev = "v0"}, "ip -6 route add 2001:db8:5::/48 from 2001:db8:9::/48 dev v0 proto static"},
    {ip.route, "add", {dst = "2001:db8:8::/48", dev = "v0", expires = 5000}, "ip -6 route add 2001:db8:8::/48 dev v0 expires 5000 proto static"},
    {ip.route, "add", {prohibit = "2001:db8:6::/48"}, "ip -6 route add prohibit 2001:db8:6::/48 proto static"},
    {ip.nexthop, "add", {id = 1, via = "10.0.0.2", dev = "v0"}, "ip nexthop add id 1 via 10.0.0.2 dev v0 proto static"},
    {ip.nexthop, "add", {id = 3, via = "10.0.0.3", dev = "v0", onlink = true}, "ip nexthop add id 3 via 10.0.0.3 dev v0 onlink proto static"},
    {ip.nexthop, "add", {id = 2, blackhole = true}, "ip nexthop add id 2 blackhole proto static"},
    {ip.nexthop, "add", {id = 10, group = {1, {3, weight = 2}}}, "ip nexthop add id 10 group 1/3,2 proto static"},
    {ip.route, "add", {dst = "10.12.0.0/16", nhid = 10}, "ip route add 10.12.0.0/16 nhid 10 proto static"},
    {ip.rule, "add", {from = "1.2.3.4", table = 7, protocol = 0}, "ip rule add from 1.2.3.4 table 7"},
    {ip.rule, "add", {to = "10.3.0.0/16", fwmark = "0x10/0xff", pref = 100, protocol = 0}, "ip rule add to 10.3.0.0/16 fwmark 0x10/0xff lookup main pref 100"},
    {ip.rule, "add", {iif = "v0", oif = "v1", ipproto = "tcp", sport = "10-20", dport = 80, table = 99, suppress_prefixlength = 0, priority = 60, protocol = 0, uidrange = "0-0"},
      "ip rule add iif v0 oif v1 ipproto tcp sport 10-20 dport 80 uidrange 0-0 table 99 suppress_prefixlength 0 pref 60"},
    {ip.rule, "add", {tos = 0x10, blackhole = true, priority = 7, protocol = 0}, "ip rule add tos 0x10 blackhole pref 7"},
    {ip.rule, "add", {["not"] = true, from = "3.3.3.3", ["goto"] = 32766, priority = 50, protocol = 0}, "ip rule add not from 3.3.3.3 goto 32766 pref 50"},
    {ip.rule, "add", {from = "2001:db8::/32", prohibit = true, priority = 51, protocol = 0}, "ip -6 rule add from 2001:db8::/32 prohibit pref 51"},
    {ip.rule, "add", {fwmark = 5, table = 77777, priority = 52, protocol = "static"}, "ip rule add fwmark 5 table 77777 pref 52 protocol static"},
    {ip.neigh, "add", {dst = "10.0.0.7", lladdr = "02:00:00:00:00:07", dev = "br0"}, "ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev br0"},
    {ip.neigh, "add", {dst = "10.0.0.8", lladdr = "02:00:00:00:00:08", dev = "br0", state = "noarp", protocol = "static"}, "ip neigh add 10.0.0.8 lladdr 02:00:00:00:00:08 dev br0 nud noarp protocol static"},
    {ip.neigh, "add", {dst = "2001:db8::7", lladdr = "02:00:00:00:00:07", dev = "br0", router = true}, "ip -6 neigh add 2001:db8::7 lladdr 02:00:00:00:00:07 dev br0 router"},
    {ip.neigh, "add", {proxy = "10.0.0.77", dev = "br0"}, "ip neigh add proxy 10.0.0.77 dev br0"},
    {ip.fdb, "add", {lladdr = "02:00:00:00:00:42", dev = "v1"}, "bridge fdb add 02:00:00:00:00:42 dev v1 master"},
    {ip.fdb, "append", {lladdr = "00:00:00:00:00:00", dev = "vx0", dst = "10.0.0.99", self = true, vni = 9}, "bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.99 vni 9"},
    {ip.tc, "add", {dev = "v0", kind = "htb", handle = "1:", default = "10"}, "tc qdisc add dev v0 root handle 1: htb default 10"},
    {ip.tc, "add-class", {dev = "v0", kind = "htb", parent = "1:", classid = "1:10", rate = "1mbit", ceil = "2mbit", prio = 3}, "tc class add dev v0 parent 1: classid 1:10 htb rate 1mbit ceil 2mbit prio 3"},
    {ip.tc, "add", {dev = "v0", parent = "1:10", handle = "20:", kind = "tbf", rate = "1mbit", burst = "10k", latency = "50ms"}, "tc qdisc add dev v0 parent 1:10 handle 20: tbf rate 1mbit burst 10k latency 50ms"},
    {ip.tc, "add-filter", {dev = "v0", parent = "1:", kind = "u32", protocol = "ip", prio = 2, src = "10.9.0.0/16", dst = "10.8.0.1", ipproto = "udp", sport = 7, dport = 53, flowid = "1:10"},
      "tc filter add dev v0 parent 1: protocol ip prio 2 u32 match ip src 10.9.0.0/16 match ip dst 10.8.0.1 match ip protocol 17 0xff match ip sport 7 0xffff match ip dport 53 0xffff flowid 1:10"},
    {ip.tc, "add-filter", {dev = "v0", parent = "1:", kind = "u32", prio = 3, keys = {"0x0a0b0000/0xffff0000+12"}, mirror = "v1"},
      "tc filter add dev v0 parent 1: protocol all prio 3 u32 match u32 0x0a0b0000 0xffff0000 at 12 action mirred egress mirror dev v1"},
    {ip.tc, "add-filter", {dev = "v0", parent = "1:", kind = "u32", prio = 4, redirect = "v1"},
      "tc filter add dev v0 parent 1: protocol all prio 4 u32 match u32 0 0 action mirred egress redirect dev v1"},
    {ip.tc, "add", {dev = "v0", kind = "clsact"}, "tc qdisc add dev v0 clsact"},
    {ip.tc, "add", {dev = "mv0", kind = "pfifo", handle = "3:", limit = 9}, "tc qdisc add dev mv0 root handle 3: pfifo limit 9"},
    {ip.tc, "add", {dev = "vx0", kind = "ingress"}, "tc qdisc add dev vx0 ingress"},
  }
end

lab("what we do is what ip does", function(ip, ns, sh)
  needs_ip(sh)
  local other = netns.new()
  local function osh(command)
    return other:run(function()
      local f = io.popen(command .. " 2>&1")
      local text = f:read("*a")
      f:close()
      return text
    end)
  end
  pair(ip)
  osh("ip link add v0 address 02:00:00:00:00:10 type veth peer name v1 address 02:00:00:00:00:11; ip link set v0 up; ip link set v1 up")
  for i, row in ipairs(both(ip)) do
    local ok, err = pcall(row[1], ip, row[2], row[3])
    local out = osh(row[4])
    if not ok or out ~= "" then check.equal(("ours: %s; ip's: %s"):format(ok and "" or err.message, out), "ours: ; ip's: ", row[4]) end
  end
  for _, show in ipairs{"ip -d link", "ip -d addr", "ip -d -4 route show table all", "ip -d -6 route show table all", "ip -d rule", "ip -d -6 rule",
    "ip -d nexthop", "ip -4 -d neigh show nud all", "ip -6 -d neigh show nud permanent", "ip neigh show proxy", "bridge fdb", "tc qdisc show", "tc class show dev v0", "tc filter show dev v0 parent 1:"} do
    local function steady(text)
      return (text:gsub("forward_delay_timer +[%d.]+", ""):gsub("state %u+", "state S"):gsub("state %l+", "state S"):gsub(" M%-DOWN", "")
        :gsub(",LOWER_UP", ""):gsub("NO%-CARRIER,", ""):gsub(" linkdown", ""):gsub(" tentative", ""):gsub(" NOARP", "")
        :gsub("[^\n]*fe80::[^\n]*\n", "") -- which come when nobody objects to them
        :gsub("[^\n]*33:33:[^\n]*\n", ""):gsub("[^\n]*01:00:5e:[^\n]*\n", ""))
    end
    -- In any order: the kernel keeps some in tables by a key of the namespace's.
    local function sorted(text)
      local l = lines(still(steady(text)))
      if not show:find("link") and not show:find("addr") and not show:find("route") then table.sort(l) end
      return table.concat(l, "\n")
    end
    same(sorted(sh(show)), sorted(osh(show)), show)
  end
  other:close()
end)

lab("what was read says what is to be deleted", function(ip)
  pair(ip)
  ip:addr("add", {dev = "v0", address = "10.0.0.1/24"})
  ip:route("add", {dst = "10.1.0.0/16", via = "10.0.0.2", table = 100, metric = 7})
  ip:neigh("add", {dst = "10.0.0.7", lladdr = "02:00:00:00:00:07", dev = "v0"})
  ip:neigh("add", {dst = "10.0.0.8", lladdr = "02:00:00:00:00:07", dev = "v0"})
  ip:rule("add", {from = "1.2.3.4", table = 100})
  ip:route("del", ip:routes{table = 100}:first())
  check.equal(ip:routes{table = 100}:count(), 0)
  ip:neigh("del", ip:neighs{dst = "10.0.0.7"}:first())
  check.equal(ip:neighs{state = "permanent", dev = "v0"}:count(), 1)
  check.equal(ip:flush_neigh{dev = "v0", state = "permanent"}, 1)
  check.equal(ip:neighs{state = "permanent", dev = "v0"}:count(), 0)
  ip:rule("del", ip:rules{table = 100}:first())
  ip:addr("del", ip:addrs{dev = "v0", family = "inet"}:first())
  check.equal(ip:addrs{dev = "v0", family = "inet"}:count(), 0)
  local v0 = ip:links{ifname = "v0"}:first()
  ip:link("set", {dev = v0, mtu = 1300})
  check.equal(ip:link("get", v0).mtu, 1300)
  ip:link("del", v0)
  check.equal(ip:link("exists", {ifname = "v1"}), false)
  local err = check.raises("missing", ip.link, ip, "del", v0)
  check.truthy(err.message:find("link del v0", 1, true), err.message)
end)

lab("a batch sends many requests at once and names the one that failed", function(ip)
  pair(ip)
  ip:addr("add", {dev = "v0", address = "10.0.0.1/24"})
  local b = ip:batch()
  for i = 1, 1000 do b:route("add", {dst = ("10.%d.%d.0/24"):format(1 + math.floor(i / 256), i % 256), via = "10.0.0.2", dev = "v0", table = 100}) end
  check.equal(#b, 1000)
  check.equal(ip:routes{table = 100}:count(), 0)
  check.equal(b:run().failed, 0)
  check.equal(ip:routes{table = 100}:count(), 1000)
  b:route("add", {dst = "10.1.1.0/24", via = "10.0.0.2", table = 100})
  b:link("set", {ifname = "v0", mtu = 1300})
  local err = check.raises("exists", b.run, b)
  check.truthy(err.message:find("route add 10.1.1.0/24", 1, true), err.message)
  check.equal(ip:link("get", {ifname = "v0"}).mtu, 1300)
  check.equal(#b, 0)
  for r in ip:routes{table = 100} do b:route("del", r) end
  check.equal(b:run{noraise = true}.failed, 0)
  check.equal(ip:routes{table = 100}:count(), 0)
  b:close()
  check.equal(ip:link("exists", {ifname = "v0"}), true)
end)

lab("iterators are lists, JSON and text; loops may be left early", function(ip)
  pair(ip)
  for i = 1, 3 do
    for l in ip:links() do if l.ifname == "v0" then break end end
  end
  check.equal(ip:links():count(), 3)
  local list = ip:links():list()
  check.equal(#list, 3)
  check.equal(#netlink.collect(ip:links()), 3)
  check.equal(ip:links{ifname = "v*"}:count(), 2)
  check.equal(ip:links{ifname = {"lo", "v1"}}:count(), 2)
  check.equal(ip:links(function(l) return l.index == 1 end):first().ifname, "lo")
  check.equal(ip:links{mtu = function(mtu) return mtu > 60000 end}:first().ifname, "lo")
  check.equal(ip:links{["linkinfo.kind"] = "veth"}:count(), 2)
  check.equal(ip:links{state = "up"}:count(), 3)
  check.equal(ip:link_lookup{ifname = "lo"}, {1})
  check.equal(ip:links{ifname = "lo"}:tables()[1].ifname, "lo")
  check.truthy(ip:links{ifname = "lo"}:json():find('^%[{.*"ifname":%s*"lo"'))
  check.equal(#ip:get_links{kind = "veth"}, 2)
  check.equal(ip:get_links(1)[1].ifname, "lo")
  check.equal(#ip:get_links(1, ip:link_lookup{kind = "veth"}[1]), 2)
end)
