-- The first lines that somebody types, one after another as at the prompt.

if not clock.virtual then

test("a socket, a callback, a request, a refusal, a class, links and routes", function()
  local told = {}
  local print = function(...) told[#told + 1] = table.concat({...}, "\t") end
  local s = netlink.socket{family="route"}; s:bind{groups={"link","ipv4_route"}, async_cache=true}
  s:register_callback(function(m, tag) print(tag, m.event, m.ifname) end, function(m) return m.index == 1 end, {"lo:"})
  s:put({index=1}, netlink.RTM_GETLINK, netlink.NLM_F_REQUEST, nil, 7)
  check.equal(s:get{msg_seq=7}[1].ifname, "lo")
  check.equal(told, {"lo:\tRTM_NEWLINK\tlo"})

  s:put({index=99999}, netlink.RTM_GETLINK, 5, nil, 8)
  local err = check.raises("missing", s.get, s, {msg_seq=8})
  check.equal(err.errno, 19)

  local beacon = netlink.message("beacon", {{"family","u8"},{"pad","u8"},{"index","s32"}}, {attrs={{"NAME",1,"asciiz"},{"COUNT",2,"u64"}}})
  s:register_policy(0x3ff, beacon)
  check.equal(tohex(netlink.encode(beacon, {index=3, NAME="eth0"})), "0000030000000000090001006574683000000000")
  s:close()

  local ip = netlink.route(); ip:link("add", {ifname="fl0", kind="veth", peer={ifname="fl1"}}); ip:link("set", {ifname="fl0", state="up"})
  ip:link("set", {ifname="fl1", state="up"})
  ip:addr("add", {dev="fl0", address="10.77.0.1/24"})
  local routes = {}
  for r in ip:routes{table="main"} do routes[#routes + 1] = tostring(r) end
  check.truthy(table.concat(routes, "\n"):find("10.77.0.0/24 dev fl0", 1, true))
  ip:link("del", {ifname="fl0"})
  ip:close()
end)

end
