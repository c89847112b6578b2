-- What iproute2 6.1 asks the kernel for, octet for octet (the sequence number is
-- zero), and what it says in our classes' words. Kinds that a machine's kernel
-- lacks are held by these; the kernel's own answers are compared with ip(8) in
-- netlink_ip_linux_test.go.

-- The members of a table of tables by path: {a = {b = 1}} is {["a.b"] = "1"}.
local function flat(value, path, into)
  if type(value) ~= "table" then
    if type(value) == "string" and value:find "[%z\1-\31\127-\255]" then value = "hex:" .. tohex(value) end
    into[path] = tostring(value)
    return into
  end
  for name, member in pairs(value) do flat(member, path == "" and tostring(name) or path .. "." .. name, into) end
  return into
end

local function members(msg)
  local t = msg:totable()
  t.header = nil
  return flat(t, "", {})
end

-- One request: what it says (members that are zero are left out of `want`), that
-- a table that says so encodes to a message that says the same, and that nothing
-- of it is lost in a dump.
local function request(command, class, octets, want)
  test(command, function()
    local raw = fromhex(octets)
    local class = netlink.rtnl[class]
    local msg = class:parse(raw)
    for _, note in ipairs(msg:notes()) do
      -- A request carries a flag where the kernel's answer has an octet.
      if note.path ~= "LINKINFO.DATA.TTL_INHERIT" then check.equal(note.path .. ": " .. note.text, "") end
    end
    local got, said = members(msg), {}
    for path, value in want:gmatch "(%S+)=(%S+)" do
      said[path] = true
      check.equal(path .. "=" .. tostring(got[path]), path .. "=" .. value)
    end
    for path, value in pairs(got) do
      if not said[path] and value ~= "0" and value ~= "" and value ~= "none" then
        check.equal(path .. "=" .. value, "nothing")
      end
    end
    local again = class:parse(class:encode(msg:totable(), msg.header))
    check.equal(members(again), got)
    check.bytes(bytes(netlink.load(msg:dump())), tohex(raw))
  end)
end

-- One answer of the kernel, Linux 6.18: some of what it says, and that all of it
-- is known and nothing of it is lost.
local function answer(what, class, octets, want)
  test(what .. ", as the kernel tells it", function()
    local raw = fromhex(octets)
    local msg = netlink.rtnl[class]:parse(raw)
    check.equal(msg:notes(), {})
    local got = members(msg)
    for path, value in want:gmatch "(%S+)=(%S+)" do
      check.equal(path .. "=" .. tostring(got[path]), path .. "=" .. value)
    end
    for path in pairs(got) do check.equal(path:match "^%d+$", nil) end -- an attribute that is not known
    check.bytes(bytes(netlink.load(msg:dump())), tohex(raw))
    check.bytes(bytes(netlink.load(msg:json())), tohex(raw))
  end)
end

request("ip link add va type veth peer name vb mtu 1400 address 02:00:00:00:00:01", "link", [[
    68000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 07000300 76610000 40001200 08000100
    76657468 34000200 30000100 00000000 00000000 00000000 00000000 08000400 78050000 0a000100 02000000 00010000
    07000300 76620000 ]], [[
    ifname=va linkinfo.data.peer.address=02:00:00:00:00:01 linkinfo.data.peer.ifname=vb linkinfo.data.peer.mtu=1400
    linkinfo.kind=veth ]])

request("ip link add link v0 name v0.5 type vlan id 5 protocol 802.1ad gvrp on reorder_hdr off ingress-qos-map 1:2 3:4 egress-qos-map 5:6", "link", [[
    8c000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000500 03000000 09000300 76302e35
    00000000 58001200 08000100 766c616e 4c000200 06000100 05000000 06000500 88a80000 1c000400 0c000100 01000000
    02000000 0c000100 03000000 04000000 10000300 0c000100 05000000 06000000 0c000200 02000000 03000000 ]], [[
    ifname=v0.5 link=3 linkinfo.data.egress_qos.mapping.1.from=5 linkinfo.data.egress_qos.mapping.1.to=6
    linkinfo.data.flags.flags=GVRP linkinfo.data.flags.mask=3 linkinfo.data.id=5
    linkinfo.data.ingress_qos.mapping.1.from=1 linkinfo.data.ingress_qos.mapping.1.to=2
    linkinfo.data.ingress_qos.mapping.2.from=3 linkinfo.data.ingress_qos.mapping.2.to=4
    linkinfo.data.protocol=802.1ad linkinfo.kind=vlan ]])

request("ip link add vx0 type vxlan id 42 local 10.0.0.1 group 239.1.1.1 dev v0 dstport 4789 ttl 5 nolearning srcport 1000 2000", "link", [[
    7c000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 76783000 54001200 09000100
    76786c61 6e000000 44000200 08000300 03000000 05000500 05000000 08000a00 03e807d0 08000100 2a000000 08000400
    0a000001 08000200 ef010101 05000700 00000000 06000f00 12b50000 ]], [[
    ifname=vx0 linkinfo.data.group=239.1.1.1 linkinfo.data.id=42 linkinfo.data.learning=0 linkinfo.data.link=3
    linkinfo.data.local=10.0.0.1 linkinfo.data.port=4789 linkinfo.data.port_range.high=2000
    linkinfo.data.port_range.low=1000 linkinfo.data.ttl=5 linkinfo.kind=vxlan ]])

request("ip link add vx6 type vxlan id 43 local fd00::1 remote fd00::2 dstport 4790 ttl inherit df set", "link", [[
    88000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 76783600 60001200 09000100
    76786c61 6e000000 50000200 04001c00 05001d00 01000000 08000100 2b000000 14001100 fd000000 00000000 00000000
    00000001 14001000 fd000000 00000000 00000000 00000002 05000700 01000000 06000f00 12b60000 ]], [[
    ifname=vx6 linkinfo.data.df=set linkinfo.data.group6=fd00::2 linkinfo.data.id=43 linkinfo.data.learning=1
    linkinfo.data.local6=fd00::1 linkinfo.data.port=4790 linkinfo.kind=vxlan ]])

request("ip link add link v0 name mv0 type macvlan mode bridge bcqueuelen 500", "link", [[
    54000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000500 03000000 08000300 6d763000
    24001200 0b000100 6d616376 6c616e00 14000200 08000700 f4010000 08000100 04000000 ]], [[
    ifname=mv0 link=3 linkinfo.data.bc_queue_len=500 linkinfo.data.mode=bridge linkinfo.kind=macvlan ]])

request("ip link add link v0 name mt0 type macvtap mode source", "link", [[
    4c000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000500 03000000 08000300 6d743000
    1c001200 0b000100 6d616376 74617000 0c000200 08000100 10000000 ]], [[
    ifname=mt0 link=3 linkinfo.data.mode=source linkinfo.kind=macvtap ]])

request("ip link add link v0 name iv0 type ipvlan mode l3s private", "link", [[
    54000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000500 03000000 08000300 69763000
    24001200 0a000100 6970766c 616e0000 14000200 06000100 02000000 06000200 01000000 ]], [[
    ifname=iv0 link=3 linkinfo.data.flags=private linkinfo.data.mode=l3s linkinfo.kind=ipvlan ]])

request("ip link add br1 type bridge stp_state 1 priority 4096 vlan_filtering 1 forward_delay 400 group_address 01:80:c2:00:00:0e mcast_igmp_version 3 vlan_protocol 802.1ad no_linklocal_learn 1", "link", [[
    84000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 62723100 5c001200 0a000100
    62726964 67650000 4c000200 08000500 01000000 06000600 00100000 05000700 01000000 08000100 90010000 0a001400
    0180c200 000e0000 05002b00 03000000 06000800 88a80000 0c002e00 01000000 01000000 ]], [[
    ifname=br1 linkinfo.data.forward_delay=400 linkinfo.data.group_addr=01:80:c2:00:00:0e
    linkinfo.data.mcast_igmp_version=3 linkinfo.data.multi_boolopt.optmask=1
    linkinfo.data.multi_boolopt.optval=no_linklocal_learn linkinfo.data.priority=4096 linkinfo.data.stp_state=1
    linkinfo.data.vlan_filtering=1 linkinfo.data.vlan_protocol=802.1ad linkinfo.kind=bridge ]])

request("ip link set v0 type bridge_slave priority 7 cost 12 hairpin on guard on isolated on group_fwd_mask 8", "link", [[
    68000000 10000500 00000000 00000000 00000000 03000000 00000000 00000000 48001200 10000100 62726964 67655f73
    6c617665 34000500 06000200 07000000 08000300 0c000000 05000400 01000000 05000500 01000000 05002100 01000000
    06001f00 08000000 ]], [[
    index=3 linkinfo.kind=bridge_slave linkinfo.slave_data.cost=12 linkinfo.slave_data.group_fwd_mask=8
    linkinfo.slave_data.guard=1 linkinfo.slave_data.isolated=1 linkinfo.slave_data.mode=1
    linkinfo.slave_data.priority=7 ]])

request("ip link add gre1 type gre local 10.0.0.1 remote 10.0.0.2 ttl 64 ikey 1 okey 2 icsum", "link", [[
    ac000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 09000300 67726531 00000000 80001200
    07000100 67726500 74000200 08000400 00000001 08000500 00000002 06000200 a0000000 06000300 20000000 08000600
    0a000001 08000700 0a000002 05000a00 01000000 05000900 00000000 05000800 40000000 08001400 00000000 06000e00
    00000000 06000f00 00000000 06001000 00000000 06001100 00000000 ]], [[
    ifname=gre1 linkinfo.data.iflags=40960 linkinfo.data.ikey=1 linkinfo.data.local=10.0.0.1
    linkinfo.data.oflags=8192 linkinfo.data.okey=2 linkinfo.data.pmtudisc=1 linkinfo.data.remote=10.0.0.2
    linkinfo.data.ttl=64 linkinfo.kind=gre ]])

request("ip link add gt1 type gretap local 10.0.0.1 remote 10.0.0.2 ttl 64 key 5 encap fou encap-sport 7777 encap-dport 8888", "link", [[
    ac000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 67743100 84001200 0a000100
    67726574 61700000 74000200 08000400 00000005 08000500 00000005 06000200 20000000 06000300 20000000 08000600
    0a000001 08000700 0a000002 05000a00 01000000 05000900 00000000 05000800 40000000 08001400 00000000 06000e00
    01000000 06000f00 00000000 06001000 1e610000 06001100 22b80000 ]], [[
    ifname=gt1 linkinfo.data.encap_dport=8888 linkinfo.data.encap_sport=7777 linkinfo.data.encap_type=fou
    linkinfo.data.iflags=8192 linkinfo.data.ikey=5 linkinfo.data.local=10.0.0.1 linkinfo.data.oflags=8192
    linkinfo.data.okey=5 linkinfo.data.pmtudisc=1 linkinfo.data.remote=10.0.0.2 linkinfo.data.ttl=64
    linkinfo.kind=gretap ]])

request("ip link add g61 type ip6gre local fd00::1 remote fd00::2 hoplimit 63 tclass 0x20 flowlabel 0x12345 key 9", "link", [[
    d4000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 67363100 ac001200 0a000100
    69703667 72650000 9c000200 08000400 00000009 08000500 00000009 06000200 20000000 06000300 20000000 14000600
    fd000000 00000000 00000000 00000001 14000700 fd000000 00000000 00000000 00000002 05000800 3f000000 05000b00
    04000000 08000c00 02012345 08000d00 00000000 08001400 00000000 05001600 01000000 06000e00 00000000 06000f00
    02000000 06001000 00000000 06001100 00000000 ]], [[
    ifname=g61 linkinfo.data.encap_flags=csum6 linkinfo.data.encap_limit=4 linkinfo.data.erspan_ver=1
    linkinfo.data.flowinfo=33628997 linkinfo.data.iflags=8192 linkinfo.data.ikey=9 linkinfo.data.local=fd00::1
    linkinfo.data.oflags=8192 linkinfo.data.okey=9 linkinfo.data.remote=fd00::2 linkinfo.data.ttl=63
    linkinfo.kind=ip6gre ]])

request("ip link add er1 type erspan seq key 30 local 10.0.0.1 remote 10.0.0.2 erspan_ver 1 erspan 123", "link", [[
    bc000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 65723100 94001200 0a000100
    65727370 616e0000 84000200 08000400 0000001e 08000500 0000001e 06000200 30000000 06000300 30000000 08000600
    0a000001 08000700 0a000002 05000a00 01000000 05000900 00000000 05000800 00000000 08001400 00000000 05001600
    01000000 08001500 7b000000 06000e00 00000000 06000f00 00000000 06001000 00000000 06001100 00000000 ]], [[
    ifname=er1 linkinfo.data.erspan_index=123 linkinfo.data.erspan_ver=1 linkinfo.data.iflags=12288
    linkinfo.data.ikey=30 linkinfo.data.local=10.0.0.1 linkinfo.data.oflags=12288 linkinfo.data.okey=30
    linkinfo.data.pmtudisc=1 linkinfo.data.remote=10.0.0.2 linkinfo.kind=erspan ]])

request("ip link add ti1 type ipip local 10.0.0.1 remote 10.0.0.2 ttl 9", "link", [[
    98000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 74693100 70001200 08000100
    69706970 64000200 05000900 00000000 08000200 0a000001 08000300 0a000002 05000a00 01000000 05000500 00000000
    05000400 09000000 08000100 00000000 08001400 00000000 06000f00 00000000 06001000 00000000 06001100 00000000
    06001200 00000000 ]], [[
    ifname=ti1 linkinfo.data.local=10.0.0.1 linkinfo.data.pmtudisc=1 linkinfo.data.remote=10.0.0.2
    linkinfo.data.ttl=9 linkinfo.kind=ipip ]])

request("ip link add si1 type sit local 10.0.0.1 remote 10.0.0.2 6rd-prefix 2001:db8::/32", "link", [[
    bc000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 73693100 94001200 07000100
    73697400 88000200 05000900 00000000 08000200 0a000001 08000300 0a000002 05000a00 01000000 05000500 00000000
    05000400 00000000 08000100 00000000 08001400 00000000 06000f00 00000000 06001000 00000000 06001100 00000000
    06001200 00000000 06000800 00000000 14000b00 20010db8 00000000 00000000 00000000 06000d00 20000000 ]], [[
    ifname=si1 linkinfo.data.6rd_prefix=2001:db8:: linkinfo.data.6rd_prefixlen=32 linkinfo.data.local=10.0.0.1
    linkinfo.data.pmtudisc=1 linkinfo.data.remote=10.0.0.2 linkinfo.kind=sit ]])

request("ip link add i61 type ip6tnl mode ip6ip6 local fd00::1 remote fd00::2", "link", [[
    bc000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 69363100 94001200 0a000100
    69703674 6e6c0000 84000200 05000900 29000000 14000200 fd000000 00000000 00000000 00000001 14000300 fd000000
    00000000 00000000 00000002 05000400 40000000 05000600 04000000 08000700 00000000 08000800 00000000 08000100
    00000000 08001400 00000000 06000f00 00000000 06001000 02000000 06001100 00000000 06001200 00000000 ]], [[
    ifname=i61 linkinfo.data.encap_flags=csum6 linkinfo.data.encap_limit=4 linkinfo.data.local=fd00::1
    linkinfo.data.proto=41 linkinfo.data.remote=fd00::2 linkinfo.data.ttl=64 linkinfo.kind=ip6tnl ]])

request("ip link add vti1 type vti local 10.0.0.1 remote 10.0.0.2 key 7", "link", [[
    64000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 09000300 76746931 00000000 38001200
    07000100 76746900 2c000200 08000200 00000007 08000300 00000007 08000400 0a000001 08000500 0a000002 08000600
    00000000 ]], [[
    ifname=vti1 linkinfo.data.ikey=7 linkinfo.data.local=10.0.0.1 linkinfo.data.okey=7
    linkinfo.data.remote=10.0.0.2 linkinfo.kind=vti ]])

request("ip link add xf0 type xfrm dev v0 if_id 42", "link", [[
    48000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 78663000 20001200 08000100
    7866726d 14000200 08000200 2a000000 08000100 03000000 ]], [[
    ifname=xf0 linkinfo.data.if_id=42 linkinfo.data.link=3 linkinfo.kind=xfrm ]])

request("ip link add bo0 type bond mode 802.3ad miimon 100 lacp_rate fast xmit_hash_policy layer3+4 arp_ip_target 10.0.0.1,10.0.0.2 ad_actor_system 02:00:00:00:00:09", "link", [[
    78000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 626f3000 50001200 08000100
    626f6e64 44000200 05000100 04000000 08000300 64000000 05001500 01000000 05000e00 01000000 14000800 08000000
    0a000001 08000100 0a000002 0a001a00 02000000 00090000 ]], [[
    ifname=bo0 linkinfo.data.ad_actor_system=02:00:00:00:00:09 linkinfo.data.ad_lacp_rate=fast
    linkinfo.data.arp_ip_target.1=10.0.0.1 linkinfo.data.arp_ip_target.2=10.0.0.2 linkinfo.data.miimon=100
    linkinfo.data.mode=802.3ad linkinfo.data.xmit_hash_policy=layer3+4 linkinfo.kind=bond ]])

request("ip link set v0 type bond_slave queue_id 3 prio 5", "link", [[
    48000000 10000500 00000000 00000000 00000000 03000000 00000000 00000000 28001200 0e000100 626f6e64 5f736c61
    76650000 14000500 06000500 03000000 08000900 05000000 ]], [[
    index=3 linkinfo.kind=bond_slave linkinfo.slave_data.prio=5 linkinfo.slave_data.queue_id=3 ]])

request("ip link add vrf0 type vrf table 100", "link", [[
    44000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 09000300 76726630 00000000 18001200
    07000100 76726600 0c000200 08000100 64000000 ]], [[
    ifname=vrf0 linkinfo.data.table=100 linkinfo.kind=vrf ]])

request("ip link add ge0 type geneve id 7 remote 10.0.0.9 ttl 5 dstport 6081 udp6zerocsumrx", "link", [[
    74000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 67653000 4c001200 0a000100
    67656e65 76650000 3c000200 08000100 07000000 08000200 0a000009 08000b00 00000000 05000300 05000000 05000400
    00000000 06000500 17c10000 05000a00 01000000 ]], [[
    ifname=ge0 linkinfo.data.id=7 linkinfo.data.port=6081 linkinfo.data.remote=10.0.0.9 linkinfo.data.ttl=5
    linkinfo.data.udp_zero_csum6_rx=1 linkinfo.kind=geneve ]])

request("ip link add link v0 ms0 type macsec sci 0200000000010001 encrypt on", "link", [[
    58000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000500 03000000 08000300 6d733000
    28001200 0a000100 6d616373 65630000 18000200 0c000100 02000000 00010001 05000700 01000000 ]], [[
    ifname=ms0 link=3 linkinfo.data.encrypt=1 linkinfo.data.sci=144115188075921409 linkinfo.kind=macsec ]])

request("ip link add hs0 type hsr slave1 v0 slave2 v1 supervision 45 version 1", "link", [[
    58000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 68733000 30001200 07000100
    68737200 24000200 08000100 03000000 08000200 02000000 05000300 2d000000 05000600 01000000 ]], [[
    ifname=hs0 linkinfo.data.multicast_spec=45 linkinfo.data.slave1=3 linkinfo.data.slave2=2
    linkinfo.data.version=1 linkinfo.kind=hsr ]])

request("ip link add bu0 type bareudp dstport 6635 ethertype mpls_uc", "link", [[
    4c000000 10000506 00000000 00000000 00000000 00000000 00000000 00000000 08000300 62753000 24001200 0b000100
    62617265 75647000 14000200 06000100 19eb0000 06000200 88470000 ]], [[
    ifname=bu0 linkinfo.data.ethertype=34887 linkinfo.data.port=6635 linkinfo.kind=bareudp ]])

request("ip link set v1 netns 1", "link", [[
    28000000 10000500 00000000 00000000 00000000 02000000 00000000 00000000 08001300 01000000 ]], [[
    index=2 net_ns_pid=1 ]])

request("ip link property add dev v0 altname other altname another", "link", [[
    3c000000 6c00050e 00000000 00000000 00000000 03000000 00000000 00000000 1c003480 0a003500 6f746865 72000000
    0c003500 616e6f74 68657200 ]], [[
    index=3 prop_list.alt_ifname.1=other prop_list.alt_ifname.2=another ]])

request("ip link set v0 xdp off", "link", [[
    34000000 10000500 00000000 00000000 00000000 03000000 00000000 00000000 14002b00 08000100 ffffffff 08000300
    01000000 ]], [[
    index=3 xdp.fd=-1 xdp.flags=UPDATE_IF_NOEXIST ]])

request("ip link set v0 vf 0 mac 02:00:00:00:00:05 vlan 9 qos 1", "link", [[
    60000000 10000500 00000000 00000000 00000000 03000000 00000000 00000000 40001600 3c000100 28000100 00000000
    02000000 00050000 00000000 00000000 00000000 00000000 00000000 00000000 10000200 00000000 09000000 01000000 ]], [[
    index=3 vfinfo_list.info.1.mac.mac=hex:0200000000050000000000000000000000000000000000000000000000000000
    vfinfo_list.info.1.vlan.qos=1 vfinfo_list.info.1.vlan.vlan=9 ]])

request("ip link set v0 addrgenmode none", "link", [[
    30000000 10000500 00000000 00000000 00000000 03000000 00000000 00000000 10001a00 0c000a00 05000800 01000000 ]], [[
    af_spec.inet6.addr_gen_mode=none index=3 ]])

request("ip addr add 10.1.2.3/24 broadcast + dev v0 label v0:x scope link metric 5", "addr", [[
    44000000 14000506 00000000 00000000 021800fd 03000000 08000200 0a010203 09000300 76303a78 00000000 08000900
    05000000 08000100 0a010203 08000400 0a0102ff ]], [[
    address=10.1.2.3 broadcast=10.1.2.255 family=2 index=3 label=v0:x local=10.1.2.3 prefixlen=24 rt_priority=5
    scope=253 ]])

request("ip addr add 2001:db8::1/64 dev v0 valid_lft 600 preferred_lft 300 nodad noprefixroute home", "addr", [[
    5c000000 14000506 00000000 00000000 0a400000 03000000 14000200 20010db8 00000000 00000000 00000001 08000800
    12020000 14000100 20010db8 00000000 00000000 00000001 14000600 2c010000 58020000 00000000 00000000 ]], [[
    FLAGS=nodad+home+noprefixroute address=2001:db8::1 cacheinfo.ifa_preferred=300 cacheinfo.ifa_valid=600
    family=10 index=3 local=2001:db8::1 prefixlen=64 ]])

request("ip addr add 10.9.0.1 peer 10.9.0.2/32 dev v0", "addr", [[
    28000000 14000506 00000000 00000000 02200000 03000000 08000200 0a090001 08000100 0a090002 ]], [[
    address=10.9.0.2 family=2 index=3 local=10.9.0.1 prefixlen=32 ]])

request("ip route add 192.0.2.0/24 via 10.1.2.1 dev v0 table 1000 metric 50 mtu lock 1400 advmss 1300 proto bird src 10.1.2.3 onlink", "route", [[
    68000000 18000506 00000000 00000000 02180000 000c0001 04000000 08000100 c0000200 08000500 0a010201 08000f00
    e8030000 08000600 32000000 08000700 0a010203 08000400 03000000 1c000800 08000200 78050000 08000800 14050000
    08000100 04000000 ]], [[
    TABLE=1000 dst=192.0.2.0 dst_len=24 family=2 flags=onlink gateway=10.1.2.1 metrics.advmss=1300 metrics.lock=mtu
    metrics.mtu=1400 oif=3 prefsrc=10.1.2.3 priority=50 proto=12 type=1 ]])

request("ip route add 198.51.100.0/24 nexthop via 10.1.2.1 dev v0 weight 3 nexthop via 10.1.2.2 dev v0 onlink", "route", [[
    48000000 18000506 00000000 00000000 02180000 fe030001 00000000 08000100 c6336400 24000900 10000002 03000000
    08000500 0a010201 10000400 03000000 08000500 0a010202 ]], [[
    dst=198.51.100.0 dst_len=24 family=2 multipath.1.gateway=10.1.2.1 multipath.1.hops=2 multipath.1.ifindex=3
    multipath.1.len=16 multipath.2.flags=onlink multipath.2.gateway=10.1.2.2 multipath.2.ifindex=3
    multipath.2.len=16 proto=3 table=254 type=1 ]])

request("ip -6 route add 2001:db8:1::/48 via 2001:db8::9 dev v0 pref high expires 100 metric 7", "route", [[
    64000000 18000506 00000000 00000000 0a300000 fe030001 00000000 14000100 20010db8 00010000 00000000 00000000
    14000500 20010db8 00000000 00000000 00000009 05001400 01000000 08001700 64000000 08000600 07000000 08000400
    03000000 ]], [[
    dst=2001:db8:1:: dst_len=48 expires=100 family=10 gateway=2001:db8::9 oif=3 pref=high priority=7 proto=3
    table=254 type=1 ]])

request("ip -6 route add 2001:db8:2::/48 nexthop via 2001:db8::9 dev v0 nexthop via 2001:db8::a dev v0", "route", [[
    6c000000 18000506 00000000 00000000 0a300000 fe030001 00000000 14000100 20010db8 00020000 00000000 00000000
    3c000900 1c000000 03000000 14000500 20010db8 00000000 00000000 00000009 1c000000 03000000 14000500 20010db8
    00000000 00000000 0000000a ]], [[
    dst=2001:db8:2:: dst_len=48 family=10 multipath.1.gateway=2001:db8::9 multipath.1.ifindex=3 multipath.1.len=28
    multipath.2.gateway=2001:db8::a multipath.2.ifindex=3 multipath.2.len=28 proto=3 table=254 type=1 ]])

request("ip route add 203.0.113.0/24 via inet6 2001:db8::9 dev v0", "route", [[
    44000000 18000506 00000000 00000000 02180000 fe030001 00000000 08000100 cb007100 16001200 0a002001 0db80000
    00000000 00000000 00090000 08000400 03000000 ]], [[
    dst=203.0.113.0 dst_len=24 family=2 oif=3 proto=3 table=254 type=1 via.addr=2001:db8::9 via.family=10 ]])

request("ip route add 10.50.0.0/16 encap mpls 100/200 ttl 5 via 10.1.2.1 dev v0", "route", [[
    54000000 18000506 00000000 00000000 02100000 fe030001 00000000 08000100 0a320000 18001680 0c000100 00064000
    000c8100 05000200 05d00100 06001500 01000100 08000500 0a010201 08000400 03000000 ]], [[
    dst=10.50.0.0 dst_len=16 encap.dst.1.label=100 encap.dst.2.bos=1 encap.dst.2.label=200 encap.ttl=5
    encap_type=mpls family=2 gateway=10.1.2.1 oif=3 proto=3 table=254 type=1 ]])

request("ip route add 10.51.0.0/16 encap ip id 100 src 10.1.1.1 dst 10.1.1.2 ttl 9 dev v0", "route", [[
    5c000000 18000506 00000000 00000000 02100000 fe03fd01 00000000 08000100 0a330000 28001680 0c000100 00000000
    00000064 08000300 0a010101 08000200 0a010102 05000400 09e10100 06001500 02000100 08000400 03000000 ]], [[
    dst=10.51.0.0 dst_len=16 encap.dst=10.1.1.2 encap.id=100 encap.src=10.1.1.1 encap.ttl=9 encap_type=ip family=2
    oif=3 proto=3 scope=253 table=254 type=1 ]])

request("ip route add 10.52.0.0/16 encap ip6 id 100 dst fd00::2 dev v0", "route", [[
    58000000 18000506 00000000 00000000 02100000 fe03fd01 00000000 08000100 0a340000 24001680 0c000100 00000000
    00000064 14000200 fd000000 00000000 00000000 00000002 06001500 04000000 08000400 03000000 ]], [[
    dst=10.52.0.0 dst_len=16 encap.dst=fd00::2 encap.id=100 encap_type=ip6 family=2 oif=3 proto=3 scope=253
    table=254 type=1 ]])

request("ip -6 route add fd01::/64 encap seg6 mode encap segs fd00::1,fd00::2 dev v0", "route", [[
    74000000 18000506 00000000 00000000 0a400000 fe030001 00000000 14000100 fd010000 00000000 00000000 00000000
    34001680 30000100 01000000 00040401 01000000 fd000000 00000000 00000000 00000002 fd000000 00000000 00000000
    00000001 06001500 05000000 08000400 03000000 ]], [[
    dst=fd01:: dst_len=64 encap.srh.hdrlen=4 encap.srh.last_segment=1 encap.srh.mode=encap
    encap.srh.segments.1=fd00::2 encap.srh.segments.2=fd00::1 encap.srh.segments_left=1 encap.srh.type=4
    encap_type=seg6 family=10 oif=3 proto=3 table=254 type=1 ]])

request("ip -6 route add fd02::/64 encap seg6local action End.X nh6 fd00::9 dev v0", "route", [[
    60000000 18000506 00000000 00000000 0a400000 fe030001 00000000 14000100 fd020000 00000000 00000000 00000000
    20001680 08000100 02000000 14000500 fd000000 00000000 00000000 00000009 06001500 07000100 08000400 03000000 ]], [[
    dst=fd02:: dst_len=64 encap.action=End.X encap.nh6=fd00::9 encap_type=seg6local family=10 oif=3 proto=3
    table=254 type=1 ]])

request("ip route add blackhole 10.53.0.0/16", "route", [[
    24000000 18000506 00000000 00000000 02100000 fe030006 00000000 08000100 0a350000 ]], [[
    dst=10.53.0.0 dst_len=16 family=2 proto=3 table=254 type=6 ]])

request("ip -f mpls route add 100 as 200/300 via inet 10.1.2.1 dev v0", "route", [[
    44000000 18000506 00000000 00000000 1c140000 fe030001 00000000 08000100 00064100 0c001300 000c8000 0012c100
    0a001200 02000a01 02010000 08000400 03000000 ]], [[
    dst.1.bos=1 dst.1.label=100 dst_len=20 family=28 newdst.1.label=200 newdst.2.bos=1 newdst.2.label=300 oif=3
    proto=3 table=254 type=1 via.addr=10.1.2.1 via.family=2 ]])

request("ip neigh add 10.1.2.9 lladdr 02:00:00:00:00:99 dev v0 nud permanent router protocol static", "neigh", [[
    38000000 1c000506 00000000 00000000 02000000 03000000 80008000 05000c00 04000000 08000100 0a010209 0a000200
    02000000 00990000 ]], [[
    dst=10.1.2.9 family=2 flags=router ifindex=3 lladdr=02:00:00:00:00:99 protocol=4 state=PERMANENT ]])

request("ip neigh add proxy 10.1.2.10 dev v0", "neigh", [[
    24000000 1c000506 00000000 00000000 02000000 03000000 80000800 08000100 0a01020a ]], [[
    dst=10.1.2.10 family=2 flags=proxy ifindex=3 state=PERMANENT ]])

request("bridge fdb add 02:00:00:00:00:77 dev vx0 dst 10.0.0.7 vni 42 port 4800 self permanent", "neigh", [[
    40000000 1c000506 00000000 00000000 07000000 07000000 c0000200 0a000200 02000000 00770000 08000100 0a000007
    06000600 12c00000 08000700 2a000000 ]], [[
    dst=10.0.0.7 family=7 flags=self ifindex=7 lladdr=02:00:00:00:00:77 port=4800 state=NOARP+PERMANENT vni=42 ]])

request("bridge fdb add 02:00:00:00:00:78 dev v0 master vlan 5", "neigh", [[
    30000000 1c000506 00000000 00000000 07000000 03000000 c0000400 0a000200 02000000 00780000 06000500 05000000 ]], [[
    family=7 flags=master ifindex=3 lladdr=02:00:00:00:00:78 state=NOARP+PERMANENT vlan=5 ]])

request("ip rule add from 10.0.0.0/8 to 192.0.2.0/24 fwmark 0x10/0xff table 1000 pref 100 iif v0 ipproto tcp sport 100-200 dport 80 uidrange 5-10 tos 0x10", "rule", [[
    78000000 20000506 00000000 00000000 02180810 00000001 00000000 08000200 0a000000 08000100 c0000200 08000a00
    10000000 08001000 ff000000 08000f00 e8030000 08000600 64000000 07000300 76300000 05001600 06000000 08001700
    6400c800 08001800 50005000 0c001400 05000000 0a000000 ]], [[
    TABLE=1000 action=1 dport_range.end=80 dport_range.start=80 dst=192.0.2.0 dst_len=24 family=2 fwmark=16
    fwmask=255 iifname=v0 ip_proto=6 priority=100 sport_range.end=200 sport_range.start=100 src=10.0.0.0 src_len=8
    tos=16 uid_range.end=10 uid_range.start=5 ]])

request("ip -6 rule add not from fd00::/64 lookup main suppress_prefixlength 0 pref 99 oif v0", "rule", [[
    48000000 20000506 00000000 00000000 0a004000 fe000001 02000000 14000200 fd000000 00000000 00000000 00000000
    08000e00 00000000 08000600 63000000 07001100 76300000 ]], [[
    action=1 family=10 flags=invert oifname=v0 priority=99 src=fd00:: src_len=64 table=254 ]])

request("ip rule add goto 32766 pref 55", "rule", [[
    2c000000 20000506 00000000 00000000 02000000 00000002 00000000 08000400 fe7f0000 08000600 37000000 ]], [[
    action=2 family=2 goto=32766 priority=55 ]])

request("ip nexthop add id 5 via 10.1.2.1 dev v0", "nexthop", [[
    30000000 68000506 00000000 00000000 02000000 00000000 08000100 05000000 08000600 0a010201 08000500 03000000 ]], [[
    family=2 gateway=10.1.2.1 id=5 oif=3 ]])

request("ip nexthop add id 10 group 5,3/5,3 type resilient buckets 8 idle_timer 60", "nexthop", [[
    50000000 68000506 00000000 00000000 00000000 00000000 08000100 0a000000 14000200 05000000 02000000 05000000
    02000000 14000c80 06000100 08000000 08000200 70170000 06000300 01000000 ]], [[
    group.1.id=5 group.1.weight=2 group.2.id=5 group.2.weight=2 group_type=resilient id=10 res_group.buckets=8
    res_group.idle_timer=6000 ]])

request("ip nexthop add id 11 blackhole", "nexthop", [[
    24000000 68000506 00000000 00000000 02000000 00000000 08000100 0b000000 04000400 ]], [[
    blackhole=true family=2 id=11 ]])

request("ip nexthop add id 12 encap mpls 100 via 10.1.2.1 dev v0", "nexthop", [[
    44000000 68000506 00000000 00000000 02000000 00000000 08000100 0c000000 0c000880 08000100 00064100 06000700
    01000000 08000600 0a010201 08000500 03000000 ]], [[
    encap.dst.1.bos=1 encap.dst.1.label=100 encap_type=mpls family=2 gateway=10.1.2.1 id=12 oif=3 ]])

request("tc qdisc replace dev v0 root handle 1: htb default 0x10", "qdisc", [[
    48000000 24000505 00000000 00000000 00000000 03000000 00000100 ffffffff 00000000 08000100 68746200 1c000200
    18000200 03000000 0a000000 10000000 00000000 00000000 ]], [[
    handle=65536 index=3 kind=htb options.init.defcls=16 options.init.rate2quantum=10 options.init.version=3
    parent=4294967295 ]])

request("tc qdisc add dev v0 root netem delay 10ms 2ms 25% loss 1% duplicate 2% reorder 25% 50% corrupt 0.1% rate 1mbit", "qdisc", [[
    88000000 24000506 00000000 00000000 00000000 03000000 00000000 ffffffff 00000000 0a000100 6e657465 6d000000
    58000200 5a620200 e8030000 295c8f02 01000000 52b81e05 127a0000 10000100 00000040 00000000 00000000 0c000300
    00000040 00000080 0c000400 37894100 00000000 14000600 48e80100 00000000 00000000 00000000 ]], [[
    index=3 kind=netem options.corr.delay_corr=1073741824 options.corrupt.probability=4294967
    options.duplicate=85899346 options.gap=1 options.jitter=31250 options.latency=156250 options.limit=1000
    options.loss=42949673 options.rate.rate=125000 options.reorder.correlation=2147483648
    options.reorder.probability=1073741824 parent=4294967295 ]])

request("tc qdisc add dev v0 root netem loss gemodel 1% 10% 70% 0.1% slot 800us 1ms", "qdisc", [[
    90000000 24000506 00000000 00000000 00000000 03000000 00000000 ffffffff 00000000 0a000100 6e657465 6d000000
    60000200 00000000 e8030000 00000000 00000000 00000000 00000000 2c000c00 00350c00 00000000 40420f00 00000000
    00000000 00000000 00000000 00000000 00000000 00000000 18000580 14000200 295c8f02 9a999919 cdcccc4c 37894100 ]], [[
    index=3 kind=netem options.LOSS.ge.h=1288490189 options.LOSS.ge.k1=4294967 options.LOSS.ge.p=42949673
    options.LOSS.ge.r=429496730 options.limit=1000 options.slot.max_delay=1000000 options.slot.min_delay=800000
    parent=4294967295 ]])

request("tc qdisc add dev v0 root fq_codel limit 100 target 4ms interval 50ms noecn", "qdisc", [[
    58000000 24000506 00000000 00000000 00000000 03000000 00000000 ffffffff 00000000 0d000100 66715f63 6f64656c
    00000000 24000200 08000200 64000000 08000300 50c30000 08000100 a00f0000 08000400 00000000 ]], [[
    index=3 kind=fq_codel options.interval=50000 options.limit=100 options.target=4000 parent=4294967295 ]])

request("tc qdisc add dev v0 root fq limit 1000 maxrate 1mbit pacing", "qdisc", [[
    48000000 24000506 00000000 00000000 00000000 03000000 00000000 ffffffff 00000000 07000100 66710000 1c000200
    08000100 e8030000 08000500 01000000 08000700 48e80100 ]], [[
    index=3 kind=fq options.flow_max_rate=125000 options.plimit=1000 options.rate_enable=1 parent=4294967295 ]])

request("tc qdisc add dev v0 root sfq perturb 10 quantum 1514", "qdisc", [[
    78000000 24000506 00000000 00000000 00000000 03000000 00000000 ffffffff 00000000 08000100 73667100 4c000200
    ea050000 0a000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
    00000000 00000000 00000000 00000000 00000000 00000000 ]], [[
    index=3 kind=sfq options.perturb_period=10 options.quantum=1514 parent=4294967295 ]])

request("tc qdisc add dev v0 root prio bands 4 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 3", "qdisc", [[
    4c000000 24000506 00000000 00000000 00000000 03000000 00000000 ffffffff 00000000 09000100 7072696f 00000000
    1c000200 04000000 01020202 01020000 01010101 01010103 04000200 ]], [[
    index=3 kind=prio options.bands=4 options.priomap.1=1 options.priomap.10=1 options.priomap.11=1
    options.priomap.12=1 options.priomap.13=1 options.priomap.14=1 options.priomap.15=1 options.priomap.16=3
    options.priomap.2=2 options.priomap.3=2 options.priomap.4=2 options.priomap.5=1 options.priomap.6=2
    options.priomap.9=1 parent=4294967295 ]])

request("tc qdisc add dev v0 root pfifo limit 50", "qdisc", [[
    38000000 24000506 00000000 00000000 00000000 03000000 00000000 ffffffff 00000000 0a000100 70666966 6f000000
    08000200 32000000 ]], [[
    index=3 kind=pfifo options.limit=50 parent=4294967295 ]])

request("tc qdisc add dev v0 root codel limit 100", "qdisc", [[
    3c000000 24000506 00000000 00000000 00000000 03000000 00000000 ffffffff 00000000 0a000100 636f6465 6c000000
    0c000200 08000200 64000000 ]], [[
    index=3 kind=codel options.limit=100 parent=4294967295 ]])

request("tc qdisc add dev v0 root cake bandwidth 10mbit diffserv4 overhead -4", "qdisc", [[
    58000000 24000506 00000000 00000000 00000000 03000000 00000000 ffffffff 00000000 09000100 63616b65 00000000
    28000200 0c000200 d0121300 00000000 08000300 01000000 08000600 fcffffff 08000900 00000000 ]], [[
    index=3 kind=cake options.base_rate64=1250000 options.diffserv_mode=1 options.overhead=-4 parent=4294967295 ]])

request("tc qdisc add dev v0 clsact", "qdisc", [[
    30000000 24000506 00000000 00000000 00000000 03000000 0000ffff f1ffffff 00000000 0b000100 636c7361 63740000 ]], [[
    handle=4294901760 index=3 kind=clsact parent=4294967281 ]])

request("tc filter add dev v0 parent 1: protocol ip prio 5 u32 match ip src 10.0.0.0/8 match ip dport 80 0xffff flowid 1:10", "filter", [[
    6c000000 2c000506 00000000 00000000 00000000 03000000 00000000 00000100 08000500 08000100 75333200 40000200
    08000100 10000100 34000500 01000200 00000000 00000000 00000000 ff000000 0a000000 0c000000 00000000 0000ffff
    00000050 14000000 00000000 ]], [[
    index=3 info=327688 kind=u32 options.classid=65552 options.sel.flags=terminal
    options.sel.keys.1.mask=4278190080 options.sel.keys.1.off=12 options.sel.keys.1.val=167772160
    options.sel.keys.2.mask=65535 options.sel.keys.2.off=20 options.sel.keys.2.val=80 options.sel.nkeys=2
    parent=65536 ]])

request("tc filter add dev v0 ingress protocol ip prio 6 flower dst_mac 02:00:00:00:00:01 ip_proto tcp src_ip 10.0.0.0/8 dst_port 80 tcp_flags 0x2/0x12 action mirred egress redirect dev lo", "filter", [[
    c4000000 2c000506 00000000 00000000 00000000 03000000 00000000 f2ffffff 08000600 0b000100 666c6f77 65720000
    94000200 0a000400 02000000 00010000 0a000500 ffffffff ffff0000 05000900 06000000 08000a00 0a000000 08000b00
    ff000000 06001300 00500000 06004700 00020000 06004800 00120000 38000300 34000100 0b000100 6d697272 65640000
    24000280 20000200 00000000 00000000 04000000 00000000 00000000 01000000 01000000 08001600 00000000 06000800
    08000000 ]], [[
    index=3 info=393224 kind=flower options.act.1.kind=mirred options.act.1.options.parms.action=stolen
    options.act.1.options.parms.eaction=egress_redirect options.act.1.options.parms.ifindex=1
    options.key_eth_dst=02:00:00:00:00:01 options.key_eth_dst_mask=ff:ff:ff:ff:ff:ff options.key_eth_type=2048
    options.key_ip_proto=6 options.key_ipv4_src=10.0.0.0 options.key_ipv4_src_mask=255.0.0.0 options.key_tcp_dst=80
    options.key_tcp_flags=2 options.key_tcp_flags_mask=18 parent=4294967282 ]])

request("tc filter add dev v0 ingress prio 7 matchall action vlan push id 5 protocol 802.1Q priority 3 action skbedit mark 7 priority 1:5", "filter", [[
    c0000000 2c000506 00000000 00000000 00000000 03000000 00000000 f2ffffff 00030700 0d000100 6d617463 68616c6c
    00000000 8c000200 88000200 48000100 09000100 766c616e 00000000 38000280 1c000200 00000000 00000000 03000000
    00000000 00000000 02000000 06000300 05000000 06000400 81000000 05000600 03000000 3c000200 0c000100 736b6265
    64697400 2c000280 18000200 00000000 00000000 03000000 00000000 00000000 08000300 05000100 08000500 07000000 ]], [[
    index=3 info=459520 kind=matchall options.act.1.kind=vlan options.act.1.options.parms.action=pipe
    options.act.1.options.parms.v_action=push options.act.1.options.push_vlan_id=5
    options.act.1.options.push_vlan_priority=3 options.act.1.options.push_vlan_protocol=33024
    options.act.2.kind=skbedit options.act.2.options.mark=7 options.act.2.options.parms.action=pipe
    options.act.2.options.priority=65541 parent=4294967282 ]])

request("tc filter add dev v0 ingress prio 9 matchall action drop", "filter", [[
    68000000 2c000506 00000000 00000000 00000000 03000000 00000000 f2ffffff 00030900 0d000100 6d617463 68616c6c
    00000000 34000200 30000200 2c000100 09000100 67616374 00000000 1c000280 18000200 00000000 00000000 02000000
    00000000 00000000 ]], [[
    index=3 info=590592 kind=matchall options.act.1.kind=gact options.act.1.options.parms.action=drop
    parent=4294967282 ]])

request("tc filter add dev v0 ingress prio 10 basic match meta(nf_mark eq 6) action pass", "filter", [[
    9c000000 2c000506 00000000 00000000 00000000 03000000 00000000 f2ffffff 00030a00 0a000100 62617369 63000000
    6c000200 38000200 08000100 01000000 2c000200 28000100 00000400 00000000 0c000100 0c100000 00100000 08000200
    00000000 08000300 06000000 30000300 2c000100 09000100 67616374 00000000 1c000280 18000200 00000000 00000000
    00000000 00000000 00000000 ]], [[
    index=3 info=656128 kind=basic options.act.1.kind=gact options.act.1.options.parms.action=pass
    options.ematches.tree_hdr.nmatches=1
    options.ematches.tree_list=hex:2800010000000400000000000c0001000c1000000010000008000200000000000800030006000000
    parent=4294967282 ]])

request("tc actions add action gact pass index 5 cookie 0011", "action", [[
    4c000000 30000506 00000000 00000000 00000000 38000100 34000100 09000100 67616374 00000000 1c000280 18000200
    05000000 00000000 00000000 00000000 00000000 06000600 00110000 ]], [[
    tab.1.cookie=00:11 tab.1.kind=gact tab.1.options.parms.action=pass tab.1.options.parms.index=5 ]])

request("bridge mdb add dev br0 port v0 grp 239.1.1.2 permanent vid 5", "mdb", [[
    38000000 54000506 00000000 00000000 07000000 04000000 20000100 03000000 01000500 ef010102 00000000 00000000
    00000000 08000000 ]], [[
    family=7 ifindex=4 set_entry.addr=hex:ef010102000000000000000000000000 set_entry.ifindex=3 set_entry.proto=2048
    set_entry.state=permanent set_entry.vid=5 ]])

request("ip addrlabel add prefix 2001:db8::/32 label 99", "addrlabel", [[
    38000000 48000506 00000000 00000000 0a002000 00000000 00000000 08000200 63000000 14000100 20010db8 00000000
    00000000 00000000 ]], [[
    address=2001:db8:: family=10 label=99 prefixlen=32 ]])

request("ip ntable change name arp_cache thresh1 200", "neightbl", [[
    2c000000 43000501 00000000 00000000 00000000 0e000100 6172705f 63616368 65000000 08000200 c8000000 ]], [[
    name=arp_cache thresh1=200 ]])

answer("a bridge", "link", [[
    2804000010000200 0000000000000000 0000010004000000 0310000000000000 0800030062723000 08000d00e8030000
    0500100002000000 0500110000000000 0500430001000000 08000400dc050000 0800320044000000 08003300ffff0000
    08001b0000000000 08001e0000000000 08003d0000000000 08001f0001000000 08002800ffff0000 0800290000000100
    08003a0000000100 08003f0000000100 0800400000000100 08003b00f8ff0700 08003c00ffff0000 0800420000000000
    0800200001000000 0500210000000000 0800230001000000 08002f0000000000 0800300001000000 0600440000000000
    0600450000000000 0500270000000000 0a000100fa62d515 8aa100000a000200 ffffffffffff0000 cc00170000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000001000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000064000700 0000000000000000 0000000000000000 0000000000000000 0000000001000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0c002b0005000200 000000009c011200 0b00010062726964 676500008c010200 0c001000a4000000
    000000000c001100 0000000000000000 0c00120000000000 000000000c001300 1675000000000000 08000100dc050000
    08000200c8000000 08000300d0070000 0800040030750000 0800050001000000 0600060000100000 0500070000000000
    0600090000000000 0c000b001000fa62 d5158aa10c000a00 1000fa62d5158aa1 06000c0000000000 08000d0000000000
    05000e0000000000 05000f0000000000 0a0014000180c200 000000000c002e00 000000001f000000 0800300000000000
    0800310000000000 0500160001000000 0500170001000000 0500180000000000 0500190000000000 05002a0000000000
    08001a0010000000 08001b0000100000 08001c0002000000 08001d0002000000 05002b0002000000 05002c0001000000
    0c001e0064000000 000000000c001f00 9065000000000000 0c0020009c630000 000000000c002100 d430000000000000
    0c002200e8030000 000000000c002300 340c000000000000 0500240000000000 0500250000000000 0500260000000000
    0c0006006e6f7175 6575650024000e00 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    04003e8004004180 ]], [[
    flags=UP+BROADCAST+MULTICAST ifname=br0 linkinfo.data.ageing_time=30000
    linkinfo.data.bridge_id.addr=fa:62:d5:15:8a:a1 linkinfo.data.bridge_id.prio=4096
    linkinfo.data.forward_delay=1500 linkinfo.data.gc_timer=29974 linkinfo.data.group_addr=01:80:c2:00:00:00
    linkinfo.data.hello_time=200 linkinfo.data.hello_timer=164 linkinfo.data.max_age=2000
    linkinfo.data.mcast_hash_elasticity=16 linkinfo.data.mcast_hash_max=4096 linkinfo.data.mcast_igmp_version=2
    linkinfo.data.mcast_last_member_cnt=2 linkinfo.data.mcast_last_member_intvl=100
    linkinfo.data.mcast_membership_intvl=26000 linkinfo.data.mcast_mld_version=1
    linkinfo.data.mcast_querier_intvl=25500 linkinfo.data.mcast_query_intvl=12500
    linkinfo.data.mcast_query_response_intvl=1000 linkinfo.data.mcast_router=1 linkinfo.data.mcast_snooping=1
    linkinfo.data.mcast_startup_query_cnt=2 linkinfo.data.mcast_startup_query_intvl=3124
    linkinfo.data.multi_boolopt.optmask=31 linkinfo.data.priority=4096 linkinfo.data.root_id.addr=fa:62:d5:15:8a:a1
    linkinfo.data.root_id.prio=4096 linkinfo.data.stp_state=1 linkinfo.kind=bridge mtu=1500 operstate=down
    qdisc=noqueue ]])

answer("a VXLAN over IPv4, by multicast", "link", [[
    7c03000010000200 0000000000000000 0000010005000000 4310010000000000 0800030076783000 08000d00e8030000
    0500100000000000 0500110000000000 0500430000000000 08000400aa050000 0800320044000000 08003300ffff0000
    08001b0000000000 08001e0000000000 08003d0000000000 08001f0001000000 08002800ffff0000 0800290000000100
    08003a0000000100 08003f0000000100 0800400000000100 08003b00f8ff0700 08003c00ffff0000 0800420000000000
    0800200001000000 0500210001000000 0800230000000000 08002f0000000000 0800300000000000 0600440040000000
    0600450000000000 0500270000000000 0a0001002ef2e082 466600000a000200 ffffffffffff0000 cc00170000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000001000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000001000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000064000700 0000000000000000 0000000000000000 0000000001000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000001000000 0000000000000000 0000000000000000
    0000000000000000 0c002b0005000200 00000000f0001200 0a00010076786c61 6e000000e0000200 080001002a000000
    08000200ef010101 0800030003000000 080004000a000001 0500050005000000 05001c0000000000 0500060000000000
    05001d0000000000 08001a0000000000 0800200000000000 0500070000000000 05000b0000000000 05000c0000000000
    05000d0000000000 05000e0000000000 0500190000000000 080008002c010000 0800090000000000 06000f0012b50000
    0500120001000000 0500130000000000 0500140000000000 0500150000000000 0500160000000000 05001f0001000000
    08000a0003e807d0 0c002100f7ffffff 000000ff0c000600 6e6f717565756500 24000e0000000000 0000000000000000
    0000000000000000 0000000000000000 0000000004003e80 04004180 ]], [[
    flags=UP+BROADCAST+RUNNING+MULTICAST+LOWER_UP ifname=vx0 linkinfo.data.ageing=300 linkinfo.data.df=unset
    linkinfo.data.group=239.1.1.1 linkinfo.data.id=42 linkinfo.data.label_policy=fixed linkinfo.data.link=3
    linkinfo.data.local=10.0.0.1 linkinfo.data.localbypass=1 linkinfo.data.port=4789
    linkinfo.data.port_range.high=2000 linkinfo.data.port_range.low=1000
    linkinfo.data.reserved_bits=f7:ff:ff:ff:00:00:00:ff linkinfo.data.ttl=5 linkinfo.data.udp_csum=1
    linkinfo.kind=vxlan mtu=1450 operstate=unknown qdisc=noqueue ]])

answer("a VXLAN over IPv6", "link", [[
    8c03000010000200 0000000000000000 0000010006000000 0210000000000000 0800030076783600 08000d00e8030000
    0500100002000000 0500110000000000 0500430000000000 08000400dc050000 0800320044000000 08003300ffff0000
    08001b0000000000 08001e0000000000 08003d0000000000 08001f0001000000 08002800ffff0000 0800290000000100
    08003a0000000100 08003f0000000100 0800400000000100 08003b0000000100 08003c00ffff0000 0800420000000000
    0800200001000000 0500210001000000 0800230000000000 08002f0000000000 0800300000000000 0600440054000000
    0600450000000000 0500270000000000 0a00010006bf025f e2a100000a000200 ffffffffffff0000 cc00170000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000064000700 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0c002b0005000200 0000000000011200 0a00010076786c61 6e000000f0000200 080001002b000000
    14001000fd000000 0000000000000000 0000000214001100 fd00000000000000 0000000000000001 0500050000000000
    05001c0001000000 0500060000000000 05001d0001000000 08001a0000000000 0800200000000000 0500070001000000
    05000b0000000000 05000c0000000000 05000d0000000000 05000e0000000000 0500190000000000 080008002c010000
    0800090000000000 06000f0012b60000 0500120001000000 0500130000000000 0500140000000000 0500150000000000
    0500160000000000 05001f0001000000 08000a0000000000 0c002100f7ffffff 000000ff09000600 6e6f6f7000000000
    24000e0000000000 0000000000000000 0000000000000000 0000000000000000 0000000004003e80 04004180 ]], [[
    flags=BROADCAST+MULTICAST ifname=vx6 linkinfo.data.ageing=300 linkinfo.data.df=set linkinfo.data.group6=fd00::2
    linkinfo.data.id=43 linkinfo.data.label_policy=fixed linkinfo.data.learning=1 linkinfo.data.local6=fd00::1
    linkinfo.data.localbypass=1 linkinfo.data.port=4790 linkinfo.data.reserved_bits=f7:ff:ff:ff:00:00:00:ff
    linkinfo.data.ttl_inherit=1 linkinfo.data.udp_csum=1 linkinfo.kind=vxlan mtu=1500 operstate=down qdisc=noop ]])

answer("a macvlan that takes the frames of two addresses", "link", [[
    ec02000010000200 0000000000000000 0000010009000000 0210000000000000 080003006d763100 08000d00e8030000
    0500100002000000 0500110000000000 0500430000000000 0800040078050000 0800320044000000 08003300ffff0000
    08001b0000000000 08001e0000000000 08003d0000000000 08001f0001000000 08002800ffff0000 0800290000000100
    08003a0000000100 08003f0000000100 0800400000000100 08003b00f8ff0700 08003c00ffff0000 0800420000000000
    0800200001000000 0500210001000000 0800230001000000 08002f0001000000 0800300000000000 0600440000000000
    0600450000000000 0500270000000000 0a000100f23e7d13 eb6900000a000200 ffffffffffff0000 cc00170000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000064000700 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0c002b0005000200 0000000058001200 0c0001006d616376 6c616e0048000200 0800010010000000
    0600020000000000 0800060002000000 1c0005000a000400 0200000000310000 0a00040002000000 0032000008000700
    e803000008000800 e803000008000500 0300000009000600 6e6f6f7000000000 24000e0000000000 0000000000000000
    0000000000000000 0000000000000000 0000000004003e80 04004180 ]], [[
    flags=BROADCAST+MULTICAST ifname=mv1 link=3 linkinfo.data.bc_queue_len=1000
    linkinfo.data.bc_queue_len_used=1000 linkinfo.data.macaddr_count=2
    linkinfo.data.macaddr_data.macaddr.1=02:00:00:00:00:31 linkinfo.data.macaddr_data.macaddr.2=02:00:00:00:00:32
    linkinfo.data.mode=source linkinfo.kind=macvlan mtu=1400 operstate=down qdisc=noop ]])

answer("a tap with many queues", "link", [[
    d402000010000200 0000000000000000 000001000c000000 0210000000000000 0900030074617030 0000000008000d00
    e803000005001000 0200000005001100 0000000005004300 0000000008000400 dc05000008003200 4400000008003300
    f1ff000008001b00 0000000008001e00 0000000008003d00 0000000008001f00 0001000008002800 ffff000008002900
    0000010008003a00 0000010008003f00 0000010008004000 0000010008003b00 0000010008003c00 ffff000008004200
    0000000008002000 0001000005002100 0000000008002300 0100000008002f00 0000000008003000 0100000006004400
    0000000006004500 0000000005002700 000000000a000100 128ae3d7239b0000 0a000200ffffffff ffff0000cc001700
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 6400070000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 000000000c002b00 0500020000000000 4800120008000100 74756e003c000200 0500030002000000
    0500040000000000 0500050000000000 0500060001000000 0500070001000000 0800080000000000 0800090000000000
    070006006d710000 24000e0000000000 0000000000000000 0000000000000000 0000000000000000 0000000004003e80 04004180 ]], [[
    flags=BROADCAST+MULTICAST ifname=tap0 linkinfo.data.multi_queue=1 linkinfo.data.persist=1
    linkinfo.data.type=tap linkinfo.kind=tun mtu=1500 operstate=down qdisc=mq ]])

answer("a tun of root's", "link", [[
    b802000010000200 0000000000000000 0000feff0d000000 9010000000000000 0900030074756e30 0000000008000d00
    f401000005001000 0200000005001100 0000000005004300 0000000008000400 dc05000008003200 4400000008003300
    ffff000008001b00 0000000008001e00 0000000008003d00 0000000008001f00 0100000008002800 ffff000008002900
    0000010008003a00 0000010008003f00 0000010008004000 0000010008003b00 0000010008003c00 ffff000008004200
    0000000008002000 0100000005002100 0000000008002300 0100000008002f00 0000000008003000 0100000006004400
    0000000006004500 0000000005002700 00000000cc001700 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 6400070000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 000000000c002b00 0500020000000000
    4000120008000100 74756e0034000200 0500030001000000 0800010000000000 0500040000000000 0500050000000000
    0500060001000000 0500070000000000 090006006e6f6f70 0000000024000e00 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 04003e8004004180 ]], [[
    flags=POINTOPOINT+NOARP+MULTICAST ifname=tun0 linkinfo.data.persist=1 linkinfo.data.type=tun linkinfo.kind=tun
    mtu=1500 operstate=down qdisc=noop ]])

answer("a veth with two more names", "link", [[
    c002000010000200 0000000000000000 000001000e000000 4310010000000000 0700030070310000 08000d00e8030000
    0500100006000000 0500110000000000 0500430000000000 08000400dc050000 0800320044000000 08003300ffff0000
    08001b0000000000 08001e0000000000 08003d0000000000 08001f0002000000 08002800ffff0000 0800290000000100
    08003a0000000100 08003f0000000100 0800400000000100 08003b00f8ff0700 08003c00ffff0000 0800420000000000
    0800200002000000 0500210001000000 0800230002000000 08002f0001000000 0800300001000000 0600440000000000
    0600450000000000 0500270000000000 0a0001003ec9aaa9 9a4500000a000200 ffffffffffff0000 cc00170003000000
    0000000000000000 000000000a010000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000064000700 0300000000000000 0a01000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0c002b0005000200 0000000010001200 0900010076657468 0000000008000500 0f0000000a000600
    706669666f000000 24000e0000000000 0000000000000000 0000000000000000 0000000000000000 000000001c003480
    0a0035006f746865 720000000c003500 616e6f7468657200 04003e8004004180 ]], [[
    flags=UP+BROADCAST+RUNNING+MULTICAST+LOWER_UP ifname=p1 link=15 linkinfo.kind=veth mtu=1500 operstate=up
    prop_list.alt_ifname.1=other prop_list.alt_ifname.2=another qdisc=pfifo ]])

answer("a port of a bridge", "link", [[
    1404000010000200 0000000000000000 000001000f000000 4310010000000000 0700030070300000 08000d004d000000
    0500100006000000 0500110000000000 0500430000000000 08000400dc050000 0800320044000000 08003300ffff0000
    08001b0005000000 08001e0001000000 08003d0001000000 08001f0002000000 08002800ffff0000 0800290000000100
    08003a0000000100 08003f0000000100 0800400000000100 08003b00f8ff0700 08003c00ffff0000 0800420000000000
    0800200002000000 08000a0004000000 0500210001000000 0b0014006120706f 7274000008002300 0200000008002f00
    0100000008003000 0100000006004400 0000000006004500 0000000005002700 000000000a000100 fa62d5158aa10000
    0a000200ffffffff ffff0000cc001700 0000000000000000 0300000000000000 0000000000000000 0a01000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 6400070000000000 0300000000000000 0a01000000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 000000000c002b00 0500020000000000 6c01120009000100
    7665746800000000 0b00040062726964 6765000050010500 0500010001000000 0600020007000000 080003000c000000
    0500040001000000 0500050001000000 0500060000000000 0500070000000000 05001c0000000000 0500080001000000
    0500090001000000 05001b0001000000 05001e0001000000 05000a0000000000 05000c0000000000 0c000d001000fa62
    d5158aa10c000e00 1000fa62d5158aa1 06000f00011c0000 0600100000000000 06001100011c0000 0600120001000000
    0500130000000000 0500140000000000 05001d0000000000 06001f0008000000 0500200000000000 0500230000000000
    0500240000000000 0500210001000000 0500270000000000 0500280000000000 05002b0000000000 0c00150000000000
    000000000c001600 b805000000000000 0c00170000000000 0000000005001900 0100000008002500 0002000008002600
    0000000008002900 0100000008002a00 0000000008000500 0e0000000c000600 6e6f717565756500 24000e0000000000
    0000000000000000 0000000000000000 0000000000000000 0000000004003e80 04004180 ]], [[
    flags=UP+BROADCAST+RUNNING+MULTICAST+LOWER_UP group=5 ifname=p0 link=14 linkinfo.kind=veth
    linkinfo.slave_data.bcast_flood=1 linkinfo.slave_data.bridge_id.addr=fa:62:d5:15:8a:a1
    linkinfo.slave_data.bridge_id.prio=4096 linkinfo.slave_data.cost=12 linkinfo.slave_data.designated_port=7169
    linkinfo.slave_data.forward_delay_timer=1464 linkinfo.slave_data.group_fwd_mask=8 linkinfo.slave_data.guard=1
    linkinfo.slave_data.id=7169 linkinfo.slave_data.isolated=1 linkinfo.slave_data.learning=1
    linkinfo.slave_data.mcast_eht_hosts_limit=512 linkinfo.slave_data.mcast_flood=1
    linkinfo.slave_data.mcast_n_groups=1 linkinfo.slave_data.mode=1 linkinfo.slave_data.multicast_router=1
    linkinfo.slave_data.no=1 linkinfo.slave_data.priority=7 linkinfo.slave_data.root_id.addr=fa:62:d5:15:8a:a1
    linkinfo.slave_data.root_id.prio=4096 linkinfo.slave_data.state=listening linkinfo.slave_data.unicast_flood=1
    linkinfo.slave_kind=bridge master=4 mtu=1500 operstate=up qdisc=noqueue ]])

answer("a port of a bridge, in a message of the bridge's family", "link", [[
    a401000010000200 0000000000000000 070001000f000000 4310010000000000 0700030070300000 08000a0004000000
    08000400dc050000 0500100006000000 0a000100fa62d515 8aa1000008000500 0e00000050010c80 0500010001000000
    0600020007000000 080003000c000000 0500040001000000 0500050001000000 0500060000000000 0500070000000000
    05001c0000000000 0500080001000000 0500090001000000 05001b0001000000 05001e0001000000 05000a0000000000
    05000c0000000000 0c000d001000fa62 d5158aa10c000e00 1000fa62d5158aa1 06000f00011c0000 0600100000000000
    06001100011c0000 0600120001000000 0500130000000000 0500140000000000 05001d0000000000 06001f0008000000
    0500200000000000 0500230000000000 0500240000000000 0500210001000000 0500270000000000 0500280000000000
    05002b0000000000 0c00150000000000 000000000c001600 b805000000000000 0c00170000000000 0000000005001900
    0100000008002500 0002000008002600 0000000008002900 0100000008002a00 00000000 ]], [[
    family=7 flags=UP+BROADCAST+RUNNING+MULTICAST+LOWER_UP ifname=p0 link=14 master=4 mtu=1500 operstate=up
    protinfo.bcast_flood=1 protinfo.bridge_id.addr=fa:62:d5:15:8a:a1 protinfo.bridge_id.prio=4096 protinfo.cost=12
    protinfo.designated_port=7169 protinfo.forward_delay_timer=1464 protinfo.group_fwd_mask=8 protinfo.guard=1
    protinfo.id=7169 protinfo.isolated=1 protinfo.learning=1 protinfo.mcast_eht_hosts_limit=512
    protinfo.mcast_flood=1 protinfo.mcast_n_groups=1 protinfo.mode=1 protinfo.multicast_router=1 protinfo.no=1
    protinfo.priority=7 protinfo.root_id.addr=fa:62:d5:15:8a:a1 protinfo.root_id.prio=4096 protinfo.state=listening
    protinfo.unicast_flood=1 ]])

answer("an address with a label and a metric", "addr", [[
    6000000014000200 0000000000000000 0218800003000000 080001000a010203 080002000a010203 080004000a0102ff
    0900030076303a78 0000000008000800 8000000008000900 0500000014000600 ffffffffffffffff a9eb1700a9eb1700 ]], [[
    FLAGS=permanent address=10.1.2.3 broadcast=10.1.2.255 cacheinfo.cstamp=1567657
    cacheinfo.ifa_preferred=4294967295 cacheinfo.ifa_valid=4294967295 cacheinfo.tstamp=1567657 family=2
    flags=permanent index=3 label=v0:x local=10.1.2.3 prefixlen=24 rt_priority=5 ]])

answer("an address that runs out", "addr", [[
    4800000014000200 0000000000000000 0a40120003000000 1400010020010db8 0000000000000000 0000000114000600
    2c01000058020000 aaeb1700aaeb1700 0800080012020000 ]], [[
    FLAGS=nodad+home+noprefixroute address=2001:db8::1 cacheinfo.cstamp=1567658 cacheinfo.ifa_preferred=300
    cacheinfo.ifa_valid=600 cacheinfo.tstamp=1567658 family=10 flags=nodad+home index=3 prefixlen=64 ]])

answer("a route with metrics", "route", [[
    6800000018002200 0000000000000000 02180000fc0c0001 0400000008000f00 e803000008000100 c000020008000600
    320000001c000800 0800010004000000 0800020078050000 0800080014050000 080007000a010203 080005000a010201
    0800040003000000 ]], [[
    TABLE=1000 dst=192.0.2.0 dst_len=24 family=2 flags=onlink gateway=10.1.2.1 metrics.advmss=1300 metrics.lock=mtu
    metrics.mtu=1400 oif=3 prefsrc=10.1.2.3 priority=50 proto=12 table=252 type=1 ]])

answer("a route with an encapsulation in IP", "route", [[
    7400000018002200 0000000000000000 02100000fe03fd01 0000000008000f00 fe00000008000100 0a33000008000400
    0700000038001600 0c00010000000000 0000006408000200 0a01010208000300 0a01010105000500 0000000005000400
    0900000006000600 0000000006001500 02000000 ]], [[
    TABLE=254 dst=10.51.0.0 dst_len=16 encap.dst=10.1.1.2 encap.id=100 encap.src=10.1.1.1 encap.ttl=9 encap_type=ip
    family=2 oif=7 proto=3 scope=253 table=254 type=1 ]])

answer("a route with two next hops", "route", [[
    5000000018002200 0000000000000000 02180000fe030001 0000000008000f00 fe00000008000100 c633640024000900
    1000000203000000 080005000a010201 1000040003000000 080005000a010202 ]], [[
    TABLE=254 dst=198.51.100.0 dst_len=24 family=2 multipath.1.gateway=10.1.2.1 multipath.1.hops=2
    multipath.1.ifindex=3 multipath.1.len=16 multipath.2.flags=onlink multipath.2.gateway=10.1.2.2
    multipath.2.ifindex=3 multipath.2.len=16 proto=3 table=254 type=1 ]])

answer("a route with two next hops, IPv6", "route", [[
    a800000018002200 0000000000000000 0a300000fe030001 0000000008000f00 fe00000014000100 20010db800020000
    0000000000000000 0800060000040000 3c0009001c000000 0300000014000500 20010db800000000 0000000000000009
    1c00000003000000 1400050020010db8 0000000000000000 0000000a24000c00 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0500140000000000 ]], [[
    TABLE=254 dst=2001:db8:2:: dst_len=48 family=10 multipath.1.gateway=2001:db8::9 multipath.1.ifindex=3
    multipath.1.len=28 multipath.2.gateway=2001:db8::a multipath.2.ifindex=3 multipath.2.len=28 pref=medium
    priority=1024 proto=3 table=254 type=1 ]])

answer("a route through two segments", "route", [[
    b000000018002200 0000000000000000 0a400000fe030001 0000000008000f00 fe00000014000100 fd01000000000000
    0000000000000000 0800060000040000 0800040003000000 3400160030000100 0100000000040401 01000000fd000000
    0000000000000000 00000002fd000000 0000000000000000 0000000106001500 0500000024000c00 0000000000000000
    0000000000000000 0000000000000000 0000000000000000 0500140000000000 ]], [[
    TABLE=254 dst=fd01:: dst_len=64 encap.srh.hdrlen=4 encap.srh.last_segment=1 encap.srh.mode=encap
    encap.srh.segments.1=fd00::2 encap.srh.segments.2=fd00::1 encap.srh.segments_left=1 encap.srh.type=4
    encap_type=seg6 family=10 oif=3 pref=medium priority=1024 proto=3 table=254 type=1 ]])

answer("a neighbour for good", "neigh", [[
    540000001c000200 0000000000000000 0200000003000000 8000800108000100 0a0102090a000200 0200000000990000
    0800040000000000 140003001c000000 1c0000001c000000 0000000005000c00 04000000 ]], [[
    cacheinfo.ndm_confirmed=28 cacheinfo.ndm_updated=28 cacheinfo.ndm_used=28 dst=10.1.2.9 family=2 flags=router
    ifindex=3 lladdr=02:00:00:00:00:99 protocol=4 state=PERMANENT type=1 ]])

answer("where a VXLAN forwards to", "neigh", [[
    4c0000001c000200 0000000000000000 0700000005000000 c00002010a000200 0200000000770000 080001000a000007
    0600060012c00000 1400030000000000 1b0000001b000000 00000000 ]], [[
    cacheinfo.ndm_updated=27 cacheinfo.ndm_used=27 dst=10.0.0.7 family=7 flags=self ifindex=5
    lladdr=02:00:00:00:00:77 port=4800 state=NOARP+PERMANENT type=1 ]])

answer("a rule with all it may have", "rule", [[
    9000000020000200 0000000000000000 02180810fc000001 0000000008000f00 e803000008000e00 ffffffff05001500
    0000000007000300 7630000008000600 6400000008000a00 1000000008001000 ff0000000c001400 0000000000000000
    080017006400c800 0800180050005000 06001d00ffff0000 0500160006000000 08000100c0000200 080002000a000000 ]], [[
    TABLE=1000 action=1 dport_mask=65535 dport_range.end=80 dport_range.start=80 dst=192.0.2.0 dst_len=24 family=2
    fwmark=16 fwmask=255 iifname=v0 ip_proto=6 priority=100 sport_range.end=200 sport_range.start=100 src=10.0.0.0
    src_len=8 suppress_prefixlen=-1 table=252 tos=16 ]])

answer("a resilient group", "nexthop", [[
    6c00000068000200 0000000000000000 0000000000000000 080001000c000000 0600030001000000 1400020005000000
    0000000006000000 0000000028000c80 0600010008000000 0800020070170000 0800030000000000 0c00040000000000
    0000000008000e00 00000080 ]], [[
    group.1.id=5 group.2.id=6 group_type=resilient id=12 op_flags=resp_grp_resvd_0 res_group.buckets=8
    res_group.idle_timer=6000 ]])

answer("a multicast group", "mdb", [[
    5000000056000200 0000000000000000 0000000004000000 3800010034000100 300001000f000000 01000300ef010102
    0000000000000000 0000000008000000 0800010000000000 0500050004000000 ]], [[
    ifindex=4 mdb.entry.1.info.1.addr=hex:ef010102000000000000000000000000 mdb.entry.1.info.1.ifindex=15
    mdb.entry.1.info.1.proto=2048 mdb.entry.1.info.1.rtprot=4 mdb.entry.1.info.1.state=permanent
    mdb.entry.1.info.1.vid=3 ]])

answer("an htb", "qdisc", [[
    b400000024000200 0000000000000000 0000000002000000 00000100ffffffff 0300000008000100 6874620024000200
    1800020011000300 0a00000010000000 0000000000000000 08000500e8030000 05000c0000000000 3000070014000100
    0000000000000000 0000000000000000 1800030000000000 0000000000000000 0000000000000000 2c00030000000000
    0000000000000000 0000000000000000 0000000000000000 0000000000000000 00000000 ]], [[
    handle=65536 index=2 info=3 kind=htb options.direct_qlen=1000 options.init.defcls=16
    options.init.rate2quantum=10 options.init.version=196625 parent=4294967295 ]])

answer("a tbf", "qdisc", [[
    bc00000024000200 0000000000000000 0000000002000000 0000200010000100 0100000008000100 746266002c000200
    2800010000010000 0000000040420f00 0001000000000000 d012130000fa0000 00d007003e490000 05000c0000000000
    3000070014000100 0000000000000000 0000000000000000 1800030000000000 0000000000000000 0000000000000000
    2c00030000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 00000000 ]], [[
    handle=2097152 index=2 info=1 kind=tbf options.parms.buffer=512000 options.parms.limit=64000
    options.parms.mtu=18750 options.parms.peakrate.linklayer=ethernet options.parms.peakrate.rate=1250000
    options.parms.rate.linklayer=ethernet options.parms.rate.rate=1000000 parent=65552 ]])

answer("a class of an htb", "tclass", [[
    ec00000028000200 0000000000000000 0000000002000000 10000100ffffffff 0000200008000100 6874620034000200
    3000010000010000 0000000048e80100 0001000000000000 90d0030000881300 a0860100d4300000 0000000002000000
    4800070014000100 0000000000000000 0000000000000000 1800030000000000 0000000000000000 0000000000000000
    1800040000000000 0000000000000000 00881300a0860100 2c00030000000000 0000000000000000 0000000000000000
    0000000000000000 0000000000000000 0000000018000400 0000000000000000 0000000000881300 a0860100 ]], [[
    handle=65552 index=2 info=2097152 kind=htb options.parms.buffer=1280000 options.parms.cbuffer=100000
    options.parms.ceil.linklayer=ethernet options.parms.ceil.rate=250000 options.parms.prio=2
    options.parms.quantum=12500 options.parms.rate.linklayer=ethernet options.parms.rate.rate=125000
    parent=4294967295 xstats.ctokens=100000 xstats.tokens=1280000 ]])

answer("a u32 filter", "filter", [[
    840000002c000200 0000000000000000 0000000002000000 0008008000000100 0800050008000100 7533320008000b00
    0000000050000200 3400050001000200 0000000000000000 00000000ff000000 0a0000000c000000 000000000000ffff
    0000005014000000 0000000008000200 0000008008000100 1000010008000b00 08000000 ]], [[
    handle=2147485696 index=2 info=327688 kind=u32 options.classid=65552 options.flags=not_in_hw
    options.hash=2147483648 options.sel.flags=terminal options.sel.keys.1.mask=4278190080 options.sel.keys.1.off=12
    options.sel.keys.1.val=167772160 options.sel.keys.2.mask=65535 options.sel.keys.2.off=20
    options.sel.keys.2.val=80 options.sel.nkeys=2 parent=65536 ]])

answer("configuration of an interface", "netconf", [[
    4c00000050000200 0000000000000000 0200000008000100 0100000008000200 0000000008000300 0000000008000400
    0000000008000800 0000000008000500 0000000008000600 00000000 ]], [[
    family=2 ifindex=1 rp_filter=off ]])

answer("a prefix from a router advertisement", "prefix", [[
    3c00000034000000 0000000000000000 0a00000002000000 0340c00014000100 20010db800050000 0000000000000000
    0c00020008070000 100e0000 ]], [[
    family=10 ifindex=2 type=3 len=64 flags=A+L address=2001:db8:5:: cacheinfo.preferred_time=1800
    cacheinfo.valid_time=3600 ]])

answer("an option of a router advertisement", "nduseropt", [[
    5400000044000000 0000000000000000 0a00200002000000 8600000000000000 030440c000000e10 0000070800000000
    20010db800050000 0000000000000000 14000100fe800000 0000000000000000 000000aa ]], [[
    family=10 ifindex=2 opts_len=32 icmp_type=134
    options=hex:030440c000000e10000007080000000020010db8000500000000000000000000 srcaddr=fe80::aa ]])
