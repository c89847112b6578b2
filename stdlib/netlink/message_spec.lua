-- Message classes: the codec, and messages as Lua sees them.

local function same(got, want, note) check.equal(tohex(got), tohex(want), note) end

local function class(attrs, opts)
  opts = opts or {}
  opts.attrs = attrs
  return netlink.message("sample", {{"family", "u8"}, {"pad", "u8"}, {"index", "s32"}}, opts)
end

local nested = netlink.attrs("nest", {{"N_A", 1, "u32"}, {"N_B", 2, "asciiz"}})

-- Attributes of all types that the reference has vectors for.
local all = netlink.attrs("all", {
  {"U8", 1, "uint8"}, {"BE16", 5, "be16"}, {"ASCIIZ", 7, "asciiz"}, {"STRING", 9, "string"}, {"FLAG", 18, "flag"},
  {"L2", 13, "l2addr"}, {"ARRAY", 16, "array(uint16)"}, {"LIST", 20, netlink.list(nested)}, {"NEST", 19, nested},
  {"FLAGGED", 22, netlink.attrs("flagged", {{"N_A", 1, "u32"}}), nested = true},
})

-- The octets of one attribute of a class.
local function one(c, name, value) return netlink.encode(c, {attrs = {{name, value}}}) end

test("N118: attributes of every type, octet for octet in both directions", function()
  for _, v in ipairs{
    {"U8", 5, "05 00 01 00 05 00 00 00"},
    {"BE16", 0x1234, "06 00 05 00 12 34 00 00"},
    {"ASCIIZ", "lo", "07 00 07 00 6c 6f 00 00"},
    {"ASCIIZ", "\xc3\xa9", "07 00 07 00 c3 a9 00 00"},
    {"STRING", "lo", "06 00 09 00 6c 6f 00 00"},
    {"L2", "00:11:22:33:44:55", "0a 00 0d 00 00 11 22 33 44 55 00 00"},
    {"ARRAY", {1, 2, 3}, "0a 00 10 00 01 00 02 00 03 00 00 00"},
    {"NEST", {n_a = 7, n_b = "x"}, "14 00 13 00 08 00 01 00 07 00 00 00 06 00 02 00 78 00 00 00"},
    {"LIST", {{n_a = 7}, {n_a = 8}}, "1c 00 14 00 0c 00 01 00 08 00 01 00 07 00 00 00 0c 00 02 00 08 00 01 00 08 00 00 00"},
    {"FLAGGED", {n_a = 7}, "0c 00 16 80 08 00 01 00 07 00 00 00"},
    {"FLAG", true, "04 00 12 00"},
  } do
    local name, value, octets = v[1], v[2], fromhex(v[3])
    same(one(all, name, value), octets, name)
    local got = netlink.parse(all, octets, {header = false}):get(name)
    if type(value) ~= "table" then
      check.equal(got, value, name)
    elseif type(got) == "table" then
      for i, want in ipairs(value) do check.equal(type(want) == "table" and got[i].n_a or got[i], type(want) == "table" and want.n_a or want) end
    else
      check.equal(got:totable(), value, name)
    end
  end
end)

test("N118: RTM_NEWADDR and CTRL_CMD_GETFAMILY, octet for octet in both directions", function()
  local addr = netlink.message("ifaddrmsg", {{"family", "u8"}, {"prefixlen", "u8"}, {"flags", "u8"}, {"scope", "u8"}, {"index", "u32"}},
    {prefix = "IFA_", event = {[20] = "RTM_NEWADDR"}, attrs = {{"ADDRESS", 1, "addr"}, {"LOCAL", 2, "addr"}, {"LABEL", 3, "asciiz"}}})
  local want = fromhex"3400000014000506ff000000e80300000218000003000000080002000a000001080001000a000001090003006574683000000000"
  local got = netlink.encode(addr, {family = 2, prefixlen = 24, index = 3,
    attrs = {{"IFA_LOCAL", "10.0.0.1"}, {"IFA_ADDRESS", "10.0.0.1"}, {"IFA_LABEL", "eth0"}}},
    {type = 20, flags = 0x605, seq = 255, pid = 1000})
  same(got, want)
  local m = netlink.parse(addr, want)
  check.equal({m.header.length, m.header.type, m.header.flags, m.header.seq, m.header.pid}, {52, 20, 0x605, 255, 1000})
  check.equal({m.family, m.prefixlen, m.index, m["local"], m.address, m.label}, {2, 24, 3, "10.0.0.1", "10.0.0.1", "eth0"})
  check.equal(m.event, "RTM_NEWADDR")
  same(bytes(m), want)

  local ctrl = netlink.message("genlmsghdr", {{"cmd", "u8"}, {"version", "u8"}, {"reserved", "u16"}},
    {prefix = "CTRL_ATTR_", attrs = {{"FAMILY_ID", 1, "u16"}, {"FAMILY_NAME", 2, "asciiz"}}})
  want = fromhex"20000000100001000000000007000000030100000b0002006e6c6374726c0000"
  got = netlink.encode(ctrl, {cmd = 3, version = 1, family_name = "nlctrl"}, {type = 16, flags = 1, pid = 7})
  same(got, want)
  check.equal(netlink.parse(ctrl, want).family_name, "nlctrl")
  same(bytes(netlink.parse(ctrl, want)), want)
end)

-- ---- access ----

local abc = class{
  {"A", 1, "u32"},
  {"B", 2, netlink.attrs("b", {{"C", 3, "u32"}, {"D", 4, netlink.attrs("d", {{"E", 5, "u32"}, {"F", 6, "u32"}})}})},
  {"X", 9, "u32"},
}

test("N060: get_attr, get_attrs and get_nested", function()
  local m = abc{attrs = {{"A", 2}, {"A", 3}, {"A", 4}, {"B", {attrs = {{"C", 5}, {"D", {attrs = {{"E", 6}, {"F", 7}}}}}}}}}
  check.equal(m:get_attr("A"), 2)
  check.equal(m:get_attr("X"), nil)
  check.equal(m:get_attr("X", "nothing"), "nothing")
  check.equal(m:get_attrs("A"), {2, 3, 4})
  check.equal(m:get_attrs("X"), {})
  check.equal(m:get_nested("B", "D", "E"), 6)
  check.equal(m:get_nested("B", "D", "F"), 7)
  check.equal(m:get_nested("B", "D", "G"), nil)
  check.equal(m:get_nested("X", "D", "F"), nil)
  check.equal(m.b.d.e, 6)
  check.equal(m:get("b", "d", "f"), 7)
  check.equal(m:get{"b", "d", "f"}, 7)
  check.equal(m.attrs[3], {"A", 4})
end)

local link = netlink.message("lnk", {
  {"family", "u8"}, {"pad", "u8"}, {"type", "u16", names = {[1] = "ether", [772] = "loopback"}},
  {"index", "s32"}, {"flags", "u32", flags = {"UP", "BROADCAST"}}, {"change", "u32"},
}, {
  prefix = "IFLA_", event = {[16] = "RTM_NEWLINK"},
  attrs = {
    {"ADDRESS", 1, "lladdr"}, {"IFNAME", 3, "asciiz"}, {"MTU", 4, "u32"},
    {"OPERSTATE", 16, "u8", enum = {[0] = "unknown", [6] = "up"}},
    {"LINKINFO", 18, netlink.attrs("lnkinfo", {{"KIND", 1, "asciiz"}, {"DATA", 2, netlink.by("kind", {
      vlan = netlink.attrs("vlan", {{"ID", 1, "u16"}}), bridge = netlink.attrs("bridge", {{"GROUP_ADDR", 20, "l2addr"}}, {prefix = "IFLA_BR_"})})}}, {prefix = "IFLA_INFO_"})},
    {"STATS64", 23, netlink.struct("stats64", {{"rx_packets", "u64"}, {"tx_packets", "u64"}, {"rx_bytes", "u64"}})},
    {"PROP_LIST", 52, netlink.attrs("prop", {{"ALT_IFNAME", 53, netlink.multi("asciiz")}}), nested = true},
  },
})

local function lan(more)
  local t = {index = 3, ifname = "v10", flags = "UP+BROADCAST", mtu = 1500, operstate = "up", address = "02:00:00:00:00:01",
    linkinfo = {kind = "vlan", data = {id = 10}}, prop_list = {alt_ifname = {"a", "b"}},
    stats64 = {rx_packets = u64("0xffffffffffffffff"), tx_packets = 5}, header = {type = 16, seq = 9}}
  for k, v in pairs(more or {}) do t[k] = v end
  return link(t)
end

test("N061: the same message twice is equal, two links are not, and no message is 42", function()
  check.equal(lan() == lan(), true)
  check.equal(lan() == lan{mtu = 9000}, false)
  check.equal(lan() == lan{header = {type = 16, seq = 10}}, true)
  check.equal(lan() == 42, false)
  check.equal(lan():get("linkinfo") == lan{index = 4}:get("linkinfo"), true)
  -- The order of attributes does not count, and zero is what is not there.
  check.equal(link{attrs = {{"MTU", 5}, {"IFNAME", "a"}}} == link{ifname = "a", mtu = 5}, true)
  check.equal(link{ifname = "a", mtu = 0} == link{ifname = "a"}, true)
end)

test("N062: a - b keeps what differs, a:common(b) what agrees", function()
  local addr = netlink.message("ifa", {{"family", "u8"}, {"prefixlen", "u8"}, {"flags", "u8"}, {"scope", "u8"}, {"index", "u32"}},
    {attrs = {{"ADDRESS", 1, "addr"}, {"LABEL", 3, "asciiz"}}})
  local a = addr{family = 2, prefixlen = 24, index = 1, address = "10.0.0.1", label = "lo"}
  local b = addr{family = 2, prefixlen = 24, index = 1, address = "10.0.0.2", label = "lo"}
  local minus, both = a - b, a:common(b)
  check.equal(minus.address, "10.0.0.1")
  check.equal({minus.label, minus.prefixlen, minus.index}, {})
  check.equal(both.address, nil)
  check.equal({both.label, both.prefixlen, both.index}, {"lo", 24, 1})
  check.equal(a:band(b) == both, true)
  check.equal((lan() - lan{linkinfo = {kind = "vlan", data = {id = 11}}}):totable().linkinfo, {kind = "vlan", data = {id = 10}})
  check.raises("argument", function() return a - lan() end)
end)

test("N063: octets, JSON, and plain tables make the same message again", function()
  local m = lan()
  m[77] = "\0\255raw"
  for _, again in ipairs{netlink.parse(link, bytes(m)), netlink.load(m:json()), netlink.load(m:dump()), netlink.load(m:dump(), link)} do
    check.equal(again == m, true)
    same(bytes(again), bytes(m))
    check.equal({again.ifname, again.index}, {"v10", 3})
    check.equal(tostring(again.stats64.rx_packets), "18446744073709551615")
  end
  check.raises("argument", netlink.load, "{")
  check.raises("argument", netlink.load, {class = "nosuch"})
end)

test("N063: what cannot be decoded survives JSON, too", function()
  local m = netlink.parse(link, bytes(lan()) .. fromhex"05000400aa000000 0600030061610000 0300")
  same(bytes(netlink.load(m:json())):sub(17), bytes(m):sub(17))
  m = netlink.parse(link, fromhex"18000000 1000 0000 00000000 00000000 0700000001000000")
  same(bytes(netlink.load(m:json())), bytes(m))
end)

test("N064: paths through nested members", function()
  local m = lan()
  check.equal(tostring(m:get("stats64", "rx_packets")), "18446744073709551615")
  check.equal(m:get("linkinfo", "data", "id"), 10)
  check.equal(m:get("linkinfo", "data", "nothing"), nil)
  check.equal(m:get("nothing", "data"), nil)
  local b = link{linkinfo = {kind = "bridge", data = {group_addr = "01:80:c2:00:00:00"}}}
  for _, name in ipairs{"group_addr", "br_group_addr", "GROUP_ADDR", "IFLA_BR_GROUP_ADDR"} do
    check.equal(b:get("linkinfo", "data", name), "01:80:c2:00:00:00")
  end
end)

test("N065: attributes of up to 65531 octets; a longer one is an error that names it", function()
  local c = class{{"DATA", 1, "bytes"}}
  local long = ("x"):rep(65000)
  check.equal(c{data = long}.data, long)
  check.equal(#c{data = ("x"):rep(65531)}.data, 65531)
  local err = check.raises("range", function() c{data = ("x"):rep(66000)} end)
  check.matches(tostring(err), "^sample%.DATA: 66000 octets do not fit an attribute %(0%.%.65531%)")
end)

test("N066: octets as aa:bb and back", function()
  local b = fromhex"00 01 02 03 04 05 06 07 08 09"
  check.equal(#tohex(b, ":"), 29)
  check.equal(#tohex(b:sub(1, 6), ":"), 17)
  same(fromhex(tohex(b, ":")), b)
  local c = class{{"RAW", 1, "hex"}}
  check.equal(c{raw = "00:ff:10"}.raw, "00:ff:10")
  same(c{raw = "00:ff:10"}:get_encoded("raw"), fromhex"00ff10")
end)

-- ---- declarations and values ----

test("a message in the words of the class, and in octets", function()
  local beacon = netlink.message("beacon", {{"family", "u8"}, {"pad", "u8"}, {"index", "s32"}}, {attrs = {{"NAME", 1, "asciiz"}, {"COUNT", 2, "u64"}}})
  check.equal(tohex(netlink.encode(beacon, {index = 3, NAME = "eth0"})), "0000030000000000090001006574683000000000")
  local m = beacon{index = 3, name = "eth0"}
  check.equal(tostring(m), 'beacon{index=3, name="eth0"}')
  check.equal({m.index, m.name, m.NAME, m.count}, {3, "eth0", "eth0"})
end)

test("one attribute has three names, and a field wins over an attribute of its name", function()
  local addr = netlink.message("ifb", {{"family", "u8"}, {"flags", "u8"}, {"pad", "u16"}}, {prefix = "IFA_", attrs = {{"FLAGS", 8, "u32"}, {"LABEL", 3, "asciiz"}}})
  local m = addr{flags = 1, IFA_FLAGS = 0x80, label = "lo"}
  check.equal({m.flags, m.FLAGS, m.IFA_FLAGS, m:get_attr("flags"), m:get("flags")}, {1, 128, 128, 128, 1})
  check.equal({m.label, m.LABEL, m.IFA_LABEL, m:get_attr("IFA_LABEL")}, {"lo", "lo", "lo", "lo"})
  check.equal(m:totable(), {family = 0, flags = 1, FLAGS = 128, label = "lo"})
end)

test("errors name the class and the member, and what may have been meant", function()
  for _, v in ipairs{
    {{ifnme = "x"}, "missing", 'lnk.ifnme: no such field or attribute (did you mean "ifname"?)'},
    {{mtu = 2^32}, "range", "lnk.MTU: 4294967296 does not fit 32 bits (0..4294967295)"},
    {{mtu = -1}, "range", "lnk.MTU: -1 does not fit 32 bits (0..4294967295)"},
    {{mtu = 1.5}, "argument", "lnk.MTU: 1.5 is not an integer"},
    {{mtu = {}}, "argument", "lnk.MTU: want a number, got a table"},
    {{index = 2^31}, "range", "lnk.index: 2147483648 does not fit 32 bits (-2147483648..2147483647)"},
    {{flags = "UPP"}, "argument", 'lnk.flags: no flag "UPP" (did you mean "UP"?)'},
    {{operstate = "upp"}, "argument", 'lnk.OPERSTATE: no name "upp" (did you mean "up"?)'},
    {{address = "zz"}, "argument", 'lnk.ADDRESS: want a link layer address (aa:bb:…, or an IP address), got "zz"'},
    {{linkinfo = {kind = "vlan", data = {idd = 1}}}, "missing", 'lnk.LINKINFO.DATA.idd: no such attribute (did you mean "id"?)'},
    {{linkinfo = {kind = "vlan", data = {id = 70000}}}, "range", "lnk.LINKINFO.DATA.ID: 70000 does not fit 16 bits (0..65535)"},
    {{linkinfo = {data = {id = 1}}}, "argument", 'lnk.LINKINFO.DATA: its type depends on "kind", which says none; set that too, or give octets'},
    {{ifname = print}, "argument", "lnk.IFNAME: want a string, got a function"},
  } do
    local err = check.raises(v[2], function() link(v[1]) end)
    check.equal(err.message, v[3])
  end
end)

test("numbers: words, flags, the host's order and the network's, 64 bits", function()
  local c = class{
    {"U64", 1, "u64"}, {"S64", 2, "s64"}, {"BE32", 3, "be32"}, {"UINT", 4, "uint"}, {"SINT", 5, "sint"},
    {"NET", 6, "u16", be = true}, {"BITS", 7, "u32", flags = {"a", "b", "", "d"}}, {"KINDS", 8, "u8", names = {[3] = "three"}},
    {"MANY", 9, netlink.array("u8"), enum = {[1] = "one", [2] = "two"}}, {"S8", 10, "s8"},
  }
  local m = c{u64 = u64("0x8000000000000001"), s64 = -5, be32 = 0x01020304, uint = 7, sint = -7, net = 0x0102, bits = {"a", "d"}, kinds = "three", many = {"one", 2, 9}, s8 = -128}
  check.equal(tostring(m.u64), "9223372036854775809")
  check.equal({m.s64, m.be32, m.uint, m.sint, m.net, m.bits, m.kinds, m.s8}, {-5, 0x01020304, 7, -7, 0x0102, "a+d", 3, -128})
  check.equal(m.many, {"one", "two", 9})
  same(m:get_encoded("be32"), "\1\2\3\4")
  same(m:get_encoded("net"), "\1\2")
  same(bytes(m):match("\6\0\6@.."), "\6\0\6\64\1\2") -- NLA_F_NET_BYTEORDER
  check.equal(#m:get_encoded("uint"), 4)
  check.equal(#c{uint = 2^40}:get_encoded("uint"), 8)
  check.equal(c{uint = 2^40}.uint, 2^40)
  check.equal(c{bits = "a+0x10"}.bits, "a+0x10")
  check.equal(c{u64 = "0xffffffffffffffff"}:get_encoded("u64"), ("\255"):rep(8))
end)

test("addresses: by type, by length, by the message's family", function()
  local c = class{{"V4", 1, "ip4"}, {"V6", 2, "ip6"}, {"ANY", 3, "ipaddr"}, {"DST", 4, "addr"}, {"LL", 5, "lladdr"}, {"L2", 6, "l2addr"}, {"MPLS", 7, "mpls"}}
  local m = c{family = 2, v4 = "10.0.0.1", v6 = "fe80::1", any = "::1", dst = "192.0.2.1", ll = "02:00:00:00:00:01", l2 = "aa:bb:cc:dd:ee:ff", mpls = {100, {label = 200, tc = 3, ttl = 64}}}
  check.equal({m.v4, m.v6, m.any, m.dst, m.ll, m.l2}, {"10.0.0.1", "fe80::1", "::1", "192.0.2.1", "02:00:00:00:00:01", "aa:bb:cc:dd:ee:ff"})
  check.equal(m.mpls, {{label = 100, tc = 0, bos = 0, ttl = 0}, {label = 200, tc = 3, bos = 1, ttl = 64}})
  same(m:get_encoded("mpls"), fromhex"00064000 000c8740")
  check.equal(c{family = 10, dst = "2001:db8::1"}.dst, "2001:db8::1")
  check.equal(c{family = 28, dst = "16/17"}.dst[2].label, 17)
  check.equal(c{ll = "10.0.0.1"}.ll, "10.0.0.1")
  check.equal(#c{ll = "00:01:02:03:04:05:06:07"}:get_encoded("ll"), 8)
  check.raises("argument", function() c{family = 2, dst = "2001:db8::1"} end)
  check.raises("argument", function() c{v4 = "::1"} end)
  check.raises("argument", function() c{v4 = 5} end)
end)

test("lists, maps, repeated attributes, bit fields", function()
  local c = class{
    {"LIST", 1, netlink.list("u32")}, {"MULTI", 2, netlink.multi("asciiz")}, {"MAP", 3, netlink.map(netlink.attrs("e", {{"V", 1, "u8"}}))},
    {"BITS", 4, "bitfield32"}, {"STRUCTS", 5, netlink.array(netlink.struct("pair", {{"a", "u8"}, {"b", "be16"}}))}, {"SELF", 6, "self"},
  }
  local m = c{list = {1, 2}, multi = {"x", "y"}, map = {[0] = {v = 1}, [7] = {v = 2}}, bits = {value = 1, selector = 3}, structs = {{a = 1, b = 2}, {a = 3}},
    self = {index = 5, list = {9}}}
  check.equal({m.list, m.multi, m.bits}, {{1, 2}, {"x", "y"}, {value = 1, selector = 3}})
  check.equal({m.map[0].v, m.map[7].v}, {1, 2})
  check.equal({m.structs[1].b, m.structs[2].a, m.structs[2].b}, {2, 3, 0})
  check.equal({m.self.index, m.self.list}, {5, {9}})
  check.equal(m:totable().map, {[0] = {v = 1}, [7] = {v = 2}})
  m.structs[2].b = 0x0102
  check.equal(m.structs[2].b, 0x0102)
  m.map[7].v = 9
  check.equal(m:get("map")[7].v, 9)
  m.multi = {"z"}
  check.equal(m.multi, {"z"})
end)

test("elements with a length of their own, as struct rtnexthop", function()
  local hop = netlink.message("rtnexthop", {{"len", "u16"}, {"flags", "u8"}, {"hops", "u8"}, {"oif", "s32"}}, {length = "len", attrs = {{"GATEWAY", 5, "addr"}}})
  local c = class{{"MULTIPATH", 9, netlink.array(hop)}}
  local m = c{family = 2, multipath = {{oif = 3, gateway = "10.0.0.1"}, {oif = 4, hops = 1}, {oif = 5, gateway = "10.0.0.2"}}}
  same(m:get_encoded("multipath"), fromhex[[
    10 00 00 00  03 00 00 00  08 00 05 00  0a 00 00 01
    08 00 00 01  04 00 00 00
    10 00 00 00  05 00 00 00  08 00 05 00  0a 00 00 02]])
  check.equal({#m.multipath, m.multipath[2].oif, m.multipath[3].gateway}, {3, 4, "10.0.0.2"})
  m.multipath[2].gateway = "10.0.0.9"
  check.equal({m.multipath[2].gateway, m.multipath[2].len, m.multipath[3].gateway}, {"10.0.0.9", 16, "10.0.0.2"})
end)

test("a last field of varying length, and one whose length another has", function()
  local nduseropt = netlink.message("nduseropt", {{"family", "u8"}, {"pad", "u8"}, {"opts_len", "u16"}, {"options", "bytes", size = "opts_len"}}, {attrs = {{"SRCADDR", 1, "ip6"}}})
  local m = nduseropt{options = "abcde", srcaddr = "::1"}
  check.equal({m.opts_len, m.options, m.srcaddr}, {5, "abcde", "::1"})
  m.options = "0123456789"
  check.equal({m.opts_len, m.options, m.srcaddr}, {10, "0123456789", "::1"})
  check.equal(netlink.load(m:json()) == m, true)
  local via = netlink.struct("rtvia", {{"family", "u16"}, {"addr", "ipaddr"}})
  local c = class{{"VIA", 18, via}}
  check.equal(c{via = {family = 10, addr = "fe80::1"}}.via.addr, "fe80::1")
  check.equal(c{via = {family = 2, addr = "10.0.0.1"}}.via.addr, "10.0.0.1")
end)

test("a structure may be longer or shorter than it is declared", function()
  local c = class{{"S", 1, netlink.struct("s", {{"a", "u32"}, {"b", "u32"}})}}
  local function of(octets) return netlink.parse(c, ("\0"):rep(8) .. string.char(4 + #octets) .. "\0\1\0" .. octets, {header = false}).s end
  check.equal({of("\1\0\0\0").a, of("\1\0\0\0").b}, {1})
  check.equal(of("\1\0\0\0\2\0\0\0\3\0\0\0").b, 2)
end)

test("fields of fixed length: text, octets, arrays, structures, defaults", function()
  local inner = netlink.struct("inner", {{"x", "u8"}, {"y", "u8"}})
  local c = netlink.struct("s", {{"name", "text", size = 8}, {"raw", "bytes", size = 3}, {"list", "u16", count = 2}, {"in", inner}, {"version", "u8", default = 4}, {"mac", "mac"}})
  local b = c:encode{name = "eth0", raw = "ab", list = {1, 2}, ["in"] = {x = 7}, mac = "02:00:00:00:00:01"}
  same(b, "eth0\0\0\0\0" .. "ab\0" .. "\1\0\2\0" .. "\7\0" .. "\4" .. "\2\0\0\0\0\1")
  local m = c:parse(b, {header = false})
  check.equal({m.name, m.raw, m.list, m["in"].x, m.version, m.mac}, {"eth0", "ab\0", {1, 2}, 7, 4, "02:00:00:00:00:01"})
  check.equal(#c:encode{name = "12345678"}, #b)
  check.raises("range", function() c:encode{name = "123456789"} end)
  check.raises("range", function() c:encode{list = {1, 2, 3}} end)
  m["in"].y = 9
  check.equal(m["in"].y, 9)
end)

test("variants of a class by a field, and of requests", function()
  local head = {{"cmd", "u8", names = {[1] = "get", [2] = "set"}}, {"version", "u8", default = 1}, {"reserved", "u16"}}
  local get = netlink.message("get", head, {attrs = {{"NAME", 1, "asciiz"}}})
  local reply = netlink.message("reply", head, {attrs = {{"VALUE", 1, "u32"}}, event = "REPLY"})
  local c = netlink.message("family", head, {variants = netlink.by("cmd", {[1] = reply}), requests = netlink.by("cmd", {get = get})})
  local m = netlink.parse(c, netlink.encode(c, {cmd = "get", name = "x"}, {type = 99, flags = 1}))
  check.equal({m.name, m.version}, {"x", 1})
  m = netlink.parse(c, netlink.encode(c, {cmd = 1, value = 5}, {type = 99, flags = 0}))
  check.equal({m.value, m.event}, {5, "REPLY"})
  m = netlink.parse(c, netlink.encode(reply, {cmd = 7, value = 5}, {type = 99}))
  check.equal({m.value, m[1]}, {nil, "\5\0\0\0"})
end)

test("declarations that cannot work are errors that name the member", function()
  for _, v in ipairs{
    {function() netlink.message("x", {{"a", "u33"}}) end, 'x.a: no type "u33" (did you mean "u32"?)'},
    {function() netlink.message("x", {{"a", "bytes"}, {"b", "u8"}}) end, "x.a: a bytes has no fixed length, and only the last field can go without"},
    {function() netlink.attrs("x", {{"A", 1, "u8"}, {"B", 1, "u8"}}) end, "x.B: number 1 is another attribute's already"},
    {function() netlink.attrs("x", {{"A", 1, "u8", nestd = true}}) end, 'x.A: nestd: no such option (did you mean "nested"?)'},
    {function() netlink.attrs("x", {{"A", 20000, "u8"}}) end, "x.A: want a number from 0 to 16383 as the second item, got 20000"},
    {function() netlink.message("x", {}, {attr = {}}) end, 'x: attr: no such option of a class (did you mean "attrs"?)'},
    {function() netlink.struct("x", {{"a", "u8"}, {"a", "u8"}}) end, "x.a: is declared twice"},
  } do
    check.equal(check.raises("argument", v[1]).message, v[2])
  end
end)

-- ---- changes ----

test("setting a member changes the octets and nothing else", function()
  local was = bytes(lan())
  local m = netlink.parse(link, was)
  m.index = 7
  m.mtu = nil
  m.linkinfo.data.id = 99
  m.prop_list.alt_ifname = {"a", "bb", "ccc"}
  m[77] = "new"
  check.equal({m.index, m.mtu, m.linkinfo.data.id, m.linkinfo.kind, m.prop_list.alt_ifname, m[77], m.ifname}, {7, nil, 99, "vlan", {"a", "bb", "ccc"}, "new", "v10"})
  check.equal(m == lan{index = 7, mtu = 0, linkinfo = {kind = "vlan", data = {id = 99}}, prop_list = {alt_ifname = {"a", "bb", "ccc"}}, [77] = "new"}, true)
  check.equal(m.header.length, #bytes(m))
  check.equal(#m:notes(), 0)
  m[77] = nil
  check.equal(m[77], nil)
  m.header = {seq = 12}
  check.equal({m.header.seq, m.header.type}, {12, 16})
  check.raises("argument", function() m.header = {sq = 12} end)
  check.equal(link{index = 1, header = m.header}.header.seq, 12)
  check.raises("missing", function() m.nothing = 1 end)
  check.raises("range", function() m.linkinfo.data.id = 70000 end)
end)

test("parts follow the message they are of, and are none of it when they have gone", function()
  local m = lan()
  local data = m.linkinfo.data
  m.ifname = "a-much-longer-name"
  check.equal(data.id, 10)
  data.id = 20
  check.equal(m.linkinfo.data.id, 20)
  m.linkinfo = nil
  check.equal(data.id, 20) -- as it was
  check.raises("argument", function() data.id = 30 end)
  m = lan()
  local info = m.linkinfo
  m.linkinfo = nil
  check.equal({info.data.id, info:get("data", "id")}, {10, 10})
  check.raises("argument", function() info.data.id = 30 end)
  check.equal(type(tostring(info) .. #info:fields()), "string")
end)

test("strip, copy, setvalue, pairs", function()
  local m = lan()
  local c = m:copy()
  m:strip{"IFLA_MTU", "address"}
  check.equal({m.mtu, m.address, c.mtu, c.address}, {nil, nil, 1500, "02:00:00:00:00:01"})
  c:setvalue{index = 1, ifname = "x"}
  check.equal(c:totable(), {family = 0, type = 0, index = 1, flags = "", change = 0, ifname = "x"})
  local seen = {}
  for k, v in pairs(link{index = 1, mtu = 5, [77] = "z"}) do seen[#seen + 1] = tostring(k) .. "=" .. tostring(v) end
  check.equal(table.concat(seen, " "), "family=0 type=0 index=1 flags= change=0 mtu=5 77=z")
end)

-- ---- print-outs ----

test("print-outs: a line, a tree, octets with names, the parts, the place of an octet", function()
  local m = link{index = 1, ifname = "lo", linkinfo = {kind = "vlan", data = {id = 5}}, header = {type = 16, flags = 5, seq = 1}}
  check.equal(tostring(m), 'RTM_NEWLINK lnk{index=1, ifname="lo", linkinfo={kind="vlan", data={id=5}}}')
  check.equal(m:json{plain = true}, '{"family":0,"type":0,"index":1,"flags":"","change":0,"ifname":"lo","linkinfo":{"kind":"vlan","data":{"id":5}}}')
  local parts = m:fields()
  check.equal({parts[1].path, parts[1].octet, parts[1].octets, parts[1].text}, {"header.length", 0, 4, "68"})
  check.equal({parts[#parts].path, parts[#parts].octet, parts[#parts].octets, parts[#parts].text, parts[#parts].depth}, {"LINKINFO.DATA.ID", 60, 6, "5", 2})
  check.equal({m:locate(62), m:locate(20), m:locate(4), m:locate(1000)}, {"LINKINFO.DATA.ID", "index", "header.type"})
  check.equal(link:locate(bytes(m), 62), "LINKINFO.DATA.ID")
end)

test("words of numbers, and numbers of words", function()
  local m = lan{type = "loopback"}
  check.equal({m.type, m:word("type"), m:number("type")}, {772, "loopback", 772})
  check.equal({m.flags, m:word("flags"), m:number("flags")}, {"UP+BROADCAST", "UP+BROADCAST", 3})
  check.equal({m:word("operstate"), m:number("operstate"), m:number(16)}, {"up", 6, 6})
  check.equal({m:word("ifname"), m:number("ifname"), m:word("nothing")}, {})
end)

test("an attribute called event does not hide the event", function()
  local c = class({{"EVENT", 44, "u32"}, {"ATTRS", 45, "u32"}}, {event = "THAT"})
  local m = c{EVENT = 5, ATTRS = 6, header = {type = 100}}
  check.equal({m.event, m.EVENT, m:get_attr("event"), #m.attrs}, {"THAT", 5, 5, 2})
end)

test("classes tell what they have", function()
  check.equal({link.name, link.prefix, link:has("ifname"), link:has("index"), link:has("nothing")}, {"lnk", "IFLA_", "attr", "field"})
  check.equal({link:fields()[4].name, link:fields()[4].octet, link:attributes()[2].key}, {"index", 4, "ifname"})
end)

test("text and words of a class", function()
  local c = netlink.message("w", {{"index", "u32"}}, {text = function(m) return "number " .. m.index end, words = function(m, name) if name == "twice" then return 2 * m.index end end})
  local m = c{index = 21}
  check.equal({tostring(m), m.twice, m.thrice}, {"number 21", 42})
end)

-- ---- hostile input ----

test("what does not fit its type reads as octets, and a note says why", function()
  local m = netlink.parse(link, fromhex"00000000 1000 0000 00000000 00000000" .. ("\0"):rep(16)
    .. fromhex"06000400 aabb 0000" .. fromhex"09004d00 0102030405 000000" .. fromhex"20000300 6161")
  check.equal({m.mtu, m[77], m.ifname}, {"\xaa\xbb", "\1\2\3\4\5"})
  local notes = m:notes()
  check.equal({notes[1].octet, notes[1].text}, {0, "58 octets are there"})
  check.equal({notes[2].path, notes[2].octet, notes[2].text}, {"MTU", 32, "u32 of 2 octets, want 4"})
  check.equal({notes[3].octet, notes[3].text}, {52, "attribute 3 says it has 32 octets, 6 are there"})
end)

test("lengths of 0 to 3, misaligned ends and short fixed parts end the walk", function()
  for length = 0, 3 do
    local m = netlink.parse(link, ("\0"):rep(32) .. string.char(length) .. "\0\3\0abcd")
    check.equal(m.ifname, nil)
    check.equal(m:notes()[2].text, "an attribute's length of " .. length .. " is less than its header")
    check.equal(m:totable().index, 0)
  end
  for n = 0, 31 do
    local m = netlink.parse(link, ("\1"):rep(n))
    check.equal(m.ifname, nil)
    check.equal(m.change, nil)
    check.equal(type(tostring(m) .. m:json()), "string")
  end
end)

test("attributes nested a thousand deep, and tables that hold themselves", function()
  local c = netlink.attrs("deep", {{"IN", 1, "self"}, {"V", 2, "u8"}})
  local b = fromhex"0500020007000000"
  for _ = 1, 1000 do b = string.char((#b + 4) % 256, math.floor((#b + 4) / 256), 1, 0) .. b end
  local m = netlink.parse(c, b, {header = false})
  local at = m
  for _ = 1, 1000 do at = at["in"] end
  check.equal(at.v, 7)
  check.equal(type(m:totable()), "table")
  check.equal(type(tostring(m) .. m:json()), "string")
  check.equal(#m:fields() > 50, true)
  same(bytes(netlink.load(m:json(), c)), bytes(m))
  local t = {}
  t["in"] = t
  check.raises("range", function() c(t) end)
end)

test("a type that depends on itself reads as octets", function()
  local class = netlink.message("round", {}, {attrs = {
    {"A", 1, netlink.by("b", {[5] = "u32"})}, {"B", 2, netlink.by("a", {[5] = "u32"})}, {"C", 3, netlink.by("c", {[5] = "u32"})},
  }})
  local m = netlink.parse(class, string.pack("=I4I2I2I4I4", 40, 16, 0, 0, 0) .. string.pack("=I2I2I4I2I2I4I2I2I4", 8, 1, 5, 8, 2, 5, 8, 3, 5))
  for _, name in ipairs{"a", "b", "c"} do check.equal(m[name], string.pack("=I4", 5)) end
end)
