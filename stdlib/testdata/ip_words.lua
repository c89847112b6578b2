-- Prints what our message classes say of this network namespace in the words of
-- ip -j -d and bridge -j: one line a value, the command, the path, the value.
-- What other versions of iproute2 leave out has a "?" before its path.
local null, list, optional = {}, {}, {}

local function array(t) return setmetatable(t, list) end
local function maybe(value) if value ~= nil then return setmetatable({ value = value }, optional) end end

local function put(command, path, value)
  local mark = ""
  if getmetatable(value) == optional then mark, value = "?", value.value end
  if value == null then
    print(command, mark .. path, "null")
  elseif getmetatable(value) == list or type(value) == "table" and value[1] ~= nil then
    if #value == 0 then print(command, mark .. path, "[]") end
    for i, item in ipairs(value) do put(command, path .. "." .. i - 1, item) end
  elseif type(value) == "table" then
    if next(value) == nil then print(command, mark .. path, "{}") end
    for name, item in pairs(value) do put(command, path .. "." .. name, item) end
  elseif type(value) == "number" then
    print(command, mark .. path, ("%.14g"):format(value))
  else
    print(command, mark .. path, tostring(value))
  end
end

local words = require "netlink.words"
local link_types = {}
for word, number in pairs(words.arphrd) do link_types[number] = word end
local s = netlink.socket{ family = "route" }
s:bind()

local function dump(command, type)
  local all = {}
  for m in s:dump(command, type) do all[#all + 1] = m end
  return all
end

local function has(flags, name) return ("+" .. flags .. "+"):find("+" .. name .. "+", 1, true) ~= nil end
local function hex(n) return ("0x%x"):format(n) end
local function bool(n) if n ~= nil then return n ~= 0 end end
local function seconds(n) if n ~= nil then return tonumber(tostring(n)) / 100 end end

-- ---- links ----

local links, names = dump({ ext_mask = "VF" }, netlink.RTM_GETLINK), {}
for _, m in ipairs(links) do names[m.index] = m end
local function dev(index) return names[index] and names[index].ifname or index and "if" .. index end

local function bridge_id(id) -- iproute2 leaves out leading zeros of the address
  if id then return ("%04x.%s"):format(id.prio, (id.addr:gsub("%f[%x]0(%x)", "%1"))) end
end

local data = {}

function data.bridge(d)
  local options = d.multi_boolopt and d.multi_boolopt.optval
  return {
    forward_delay = d.forward_delay, hello_time = d.hello_time, max_age = d.max_age, ageing_time = d.ageing_time,
    stp_state = d.stp_state, priority = d.priority, vlan_filtering = d.vlan_filtering, vlan_protocol = d.vlan_protocol,
    bridge_id = bridge_id(d.bridge_id), root_id = bridge_id(d.root_id), root_port = d.root_port,
    root_path_cost = d.root_path_cost, topology_change = d.topology_change,
    topology_change_detected = d.topology_change_detected, hello_timer = seconds(d.hello_timer),
    tcn_timer = seconds(d.tcn_timer), topology_change_timer = seconds(d.topology_change_timer),
    gc_timer = seconds(d.gc_timer), vlan_default_pvid = d.vlan_default_pvid, vlan_stats_enabled = d.vlan_stats_enabled,
    vlan_stats_per_port = d.vlan_stats_per_port,
    group_fwd_mask = d.group_fwd_mask == 0 and "0" or d.group_fwd_mask and hex(d.group_fwd_mask),
    group_addr = d.group_addr, mcast_snooping = d.mcast_snooping,
    no_linklocal_learn = options and (has(options, "no_linklocal_learn") and 1 or 0),
    mcast_vlan_snooping = options and (has(options, "mcast_vlan_snooping") and 1 or 0),
    mst_enabled = maybe(options and (has(options, "mst_enable") and 1 or 0)),
    mcast_router = d.mcast_router, mcast_query_use_ifaddr = d.mcast_query_use_ifaddr, mcast_querier = d.mcast_querier,
    mcast_hash_elasticity = d.mcast_hash_elasticity, mcast_hash_max = d.mcast_hash_max,
    mcast_last_member_cnt = d.mcast_last_member_cnt, mcast_startup_query_cnt = d.mcast_startup_query_cnt,
    mcast_last_member_intvl = d.mcast_last_member_intvl, mcast_membership_intvl = d.mcast_membership_intvl,
    mcast_querier_intvl = d.mcast_querier_intvl, mcast_query_intvl = d.mcast_query_intvl,
    mcast_query_response_intvl = d.mcast_query_response_intvl, mcast_startup_query_intvl = d.mcast_startup_query_intvl,
    mcast_stats_enabled = d.mcast_stats_enabled, mcast_igmp_version = d.mcast_igmp_version,
    mcast_mld_version = d.mcast_mld_version, nf_call_iptables = d.nf_call_iptables,
    nf_call_ip6tables = d.nf_call_ip6tables, nf_call_arptables = d.nf_call_arptables,
    fdb_n_learned = maybe(d.fdb_n_learned), fdb_max_learned = maybe(d.fdb_max_learned),
  }
end

function data.vxlan(d)
  local group = { group = d.group }
  if d.group and (tonumber(d.group:match "^%d+") < 224 or tonumber(d.group:match "^%d+") > 239) then group = { remote = d.group } end
  if d.group6 then group = d.group6:find "^ff" and { group6 = d.group6 } or { remote6 = d.group6 } end
  local function ports(p) if p then return { low = p.low, high = p.high } end end
  return {
    external = d.collect_metadata ~= nil and d.collect_metadata ~= 0 or nil, vnifilter = maybe(bool(d.vnifilter)), id = d.id,
    group = group.group, remote = group.remote, group6 = group.group6, remote6 = group.remote6, ["local"] = d["local"],
    local6 = d.local6, link = d.link and d.link ~= 0 and dev(d.link) or nil, port_range = ports(d.port_range), port = d.port,
    learning = bool(d.learning), proxy = d.proxy ~= 0 and bool(d.proxy) or nil, rsc = d.rsc ~= 0 and bool(d.rsc) or nil,
    l2miss = d.l2miss ~= 0 and bool(d.l2miss) or nil, l3miss = d.l3miss ~= 0 and bool(d.l3miss) or nil,
    ttl = (d.ttl_inherit or 0) == 0 and d.ttl or nil, tos = d.tos ~= 0 and hex(d.tos) or nil,
    label = d.label and d.label ~= 0 and hex(d.label) or nil, df = d.df, ageing = d.ageing,
    limit = d.limit ~= 0 and d.limit or nil, udp_csum = bool(d.udp_csum), udp_zero_csum6_tx = bool(d.udp_zero_csum6_tx),
    udp_zero_csum6_rx = bool(d.udp_zero_csum6_rx), gbp = d.gbp, gpe = d.gpe, localbypass = maybe(bool(d.localbypass)),
    mcroute = maybe(bool(d.mc_route)),
  }
end

function data.macvlan(d)
  return {
    mode = d.mode, bcqueuelen = d.bc_queue_len, usedbcqueuelen = d.bc_queue_len_used,
    nopromisc = has(d.flags or "", "nopromisc") or nil, macaddr_count = d.macaddr_count ~= 0 and d.macaddr_count or nil,
    macaddr_data = d:get("macaddr_data", "macaddr"), bccutoff = maybe(d.bc_cutoff),
  }
end
data.macvtap = data.macvlan

function data.tun(d)
  local many = d.multi_queue ~= 0
  local user = d.owner and io.popen("getent passwd " .. d.owner):read "*l"
  return {
    type = d.type, pi = bool(d.pi), vnet_hdr = bool(d.vnet_hdr), multi_queue = many, persist = bool(d.persist),
    numqueues = many and d.num_queues or nil, numdisabled = many and d.num_disabled_queues or nil,
    user = user and user:match "^[^:]*" or d.owner, group = d.group,
  }
end

local slave = {}

function slave.bridge(d)
  return {
    state = d.state, priority = d.priority, cost = d.cost, hairpin = bool(d.mode), guard = bool(d.guard),
    root_block = bool(d.protect), fastleave = bool(d.fast_leave), learning = bool(d.learning), flood = bool(d.unicast_flood),
    id = hex(d.id), no = hex(d.no), designated_port = d.designated_port, designated_cost = d.designated_cost,
    bridge_id = bridge_id(d.bridge_id), root_id = bridge_id(d.root_id), hold_timer = seconds(d.hold_timer),
    message_age_timer = seconds(d.message_age_timer), forward_delay_timer = seconds(d.forward_delay_timer),
    topology_change_ack = d.topology_change_ack, config_pending = d.config_pending, proxy_arp = bool(d.proxyarp),
    proxy_arp_wifi = bool(d.proxyarp_wifi), multicast_router = d.multicast_router, mcast_flood = bool(d.mcast_flood),
    bcast_flood = bool(d.bcast_flood), mcast_to_unicast = bool(d.mcast_to_ucast), neigh_suppress = bool(d.neigh_suppress),
    neigh_vlan_suppress = maybe(bool(d.neigh_vlan_suppress)),
    group_fwd_mask = d.group_fwd_mask == 0 and "0" or hex(d.group_fwd_mask),
    group_fwd_mask_str = d.group_fwd_mask == 0 and "0" or hex(d.group_fwd_mask),
    vlan_tunnel = bool(d.vlan_tunnel), isolated = bool(d.isolated), locked = bool(d.locked), mab = maybe(bool(d.mab)),
    mcast_n_groups = maybe(d.mcast_n_groups), mcast_max_groups = maybe(d.mcast_max_groups),
    mcast_eht_hosts_limit = maybe(d.mcast_eht_hosts_limit), mcast_eht_hosts_cnt = maybe(d.mcast_eht_hosts_cnt),
    backup_port = d.backup_port and dev(d.backup_port), backup_nhid = d.backup_nhid,
  }
end

local function linkinfo(l)
  if not l then return end
  return {
    info_kind = l.kind, info_data = data[l.kind] and l.data and data[l.kind](l.data),
    info_slave_kind = l.slave_kind, info_slave_data = slave[l.slave_kind] and l.slave_data and slave[l.slave_kind](l.slave_data),
  }
end

local LINK_FLAGS = {
  "LOOPBACK", "BROADCAST", "POINTOPOINT", "MULTICAST", "NOARP", "ALLMULTI", "PROMISC", "MASTER", "SLAVE", "DEBUG",
  "DYNAMIC", "AUTOMEDIA", "PORTSEL", "NOTRAILERS", "UP", "LOWER_UP", "DORMANT", "ECHO",
}

local function link(m)
  local flags = array {}
  if has(m.flags, "UP") and not has(m.flags, "RUNNING") then flags[1] = "NO-CARRIER" end
  for _, name in ipairs(LINK_FLAGS) do
    if has(m.flags, name) then flags[#flags + 1] = name end
  end
  if m.link and names[m.link] and not has(names[m.link].flags, "UP") then flags[#flags + 1] = "M-DOWN" end
  return {
    ifindex = m.index, ifname = m.ifname, link = m.link and (m.link == 0 and null or dev(m.link)), flags = flags, mtu = m.mtu,
    qdisc = m.qdisc, master = m.master and dev(m.master), operstate = m.operstate:upper(),
    linkmode = maybe(m.linkmode:upper()), group = m.group == 0 and "default" or tostring(m.group),
    txqlen = m.txqlen ~= 0 and m.txqlen or nil, link_type = link_types[m.type], address = m.address, broadcast = m.broadcast,
    promiscuity = m.promiscuity, allmulti = maybe(m.allmulti), min_mtu = m.min_mtu, max_mtu = m.max_mtu,
    linkinfo = linkinfo(m.linkinfo),
    inet6_addr_gen_mode = maybe(m:get("af_spec", "inet6", "addr_gen_mode")), num_tx_queues = m.num_tx_queues,
    num_rx_queues = m.num_rx_queues, gso_max_size = m.gso_max_size, gso_max_segs = m.gso_max_segs,
    tso_max_size = maybe(m.tso_max_size), tso_max_segs = maybe(m.tso_max_segs), gro_max_size = maybe(m.gro_max_size),
    gso_ipv4_max_size = maybe(m.gso_ipv4_max_size), gro_ipv4_max_size = maybe(m.gro_ipv4_max_size), ifalias = m.ifalias,
    altnames = m:get("prop_list", "alt_ifname"), parentbus = maybe(m.parent_dev_bus_name), parentdev = maybe(m.parent_dev_name),
    netns_immutable = maybe(bool(m.netns_immutable)), max_pacing_offload_horizon = maybe(m.max_pacing_offload_horizon),
    headroom = maybe(m.headroom), tailroom = maybe(m.tailroom),
    link_pointtopoint = has(m.flags, "POINTOPOINT") and m.address ~= nil or nil,
  }
end
for i, m in ipairs(links) do put("link", i - 1, link(m)) end

-- ---- addresses ----

local ADDR_FLAGS = {
  "secondary", "nodad", "optimistic", "dadfailed", "home", "deprecated", "tentative", "mngtmpaddr", "noprefixroute",
  "autojoin", "stable-privacy",
}

local addresses = {}
for _, family in ipairs { 2, 10 } do
  for _, m in ipairs(dump({ family = family }, netlink.RTM_GETADDR)) do
    local own = m["local"] or m.address
    local entry = {
      family = words.family[m.family], ["local"] = own, address = m.address ~= own and m.address or nil,
      prefixlen = m.prefixlen, metric = m.rt_priority, broadcast = m.broadcast, anycast = m.anycast,
      scope = words.scope[m.scope], label = m.label, valid_life_time = m.cacheinfo.ifa_valid,
      preferred_life_time = m.cacheinfo.ifa_preferred, protocol = maybe(m.proto),
    }
    local flags = m:get_attr "FLAGS" or m.flags
    if not has(flags, "permanent") then entry.dynamic = true end
    for _, name in ipairs(ADDR_FLAGS) do
      if has(flags, name) then entry[name == "secondary" and family == 10 and "temporary" or name] = true end
    end
    addresses[m.index] = addresses[m.index] or {}
    table.insert(addresses[m.index], entry)
  end
end
for i, m in ipairs(links) do put("addr", i - 1, { ifindex = m.index, addr_info = array(addresses[m.index] or {}) }) end

-- ---- next hops and routes ----

local ROUTE_FLAGS = {
  "dead", "onlink", "pervasive", "offload", "trap", "notify", "linkdown", "unresolved", "rt_offload", "rt_trap",
  "rt_offload_failed",
}
local function route_flags(flags)
  local out = array {}
  for _, name in ipairs(ROUTE_FLAGS) do
    if has(flags, name) then out[#out + 1] = name end
  end
  return out
end

-- Adds what is said of an encapsulation to a route or a next hop.
local function encapsulation(out, m)
  local kind, e = m.encap_type, m.encap
  if not kind then return end
  out.encap = kind
  if kind == "seg6" then
    out.mode, out.segs = e.srh.mode, array {}
    for _, segment in ipairs(e.srh.segments) do table.insert(out.segs, 1, segment) end
  elseif kind == "ip" or kind == "ip6" then
    out.id, out.src, out.dst, out.ttl, out.tos = e.id and tostring(e.id), e.src, e.dst, e.ttl, e.tos
    out.hoplimit, out.tc = e.hoplimit, e.tc
  end
end

local nexthops = {}
local function group(m)
  local out = array {}
  for _, member in ipairs(m.group) do
    out[#out + 1] = { id = member.id, weight = member.weight > 0 and member.weight + 1 or nil }
  end
  return out
end
for i, m in ipairs(dump({}, netlink.RTM_GETNEXTHOP)) do
  nexthops[m.id] = m
  local args = m.res_group
  put("nexthop", i - 1, {
    id = m.id, group = m.group and group(m), type = m.group and m.group_type ~= "mpath" and m.group_type or nil,
    resilient_args = args and {
      buckets = args.buckets, idle_timer = args.idle_timer / 100, unbalanced_timer = args.unbalanced_timer / 100,
      unbalanced_time = seconds(args.unbalanced_time),
    },
    gateway = m.gateway, dev = dev(m.oif), scope = m.scope ~= 0 and words.scope[m.scope] or nil,
    blackhole = m.blackhole and null or nil, protocol = m.protocol ~= 0 and words.protocol[m.protocol] or nil,
    flags = route_flags(m.flags), fdb = m.fdb and null or nil,
  })
end

local function address(addr, len, family)
  if not addr then return "default" end
  return len == (family == 2 and 32 or 128) and addr or addr .. "/" .. len
end

local METRICS = {
  "mtu", "window", "ssthresh", "cwnd", "advmss", "reordering", "hoplimit", "initcwnd", "rto_min", "initrwnd", "quickack",
  "fastopen_no_cookie",
}
local function metrics(m)
  if not m then return end
  local out = {}
  for _, name in ipairs(METRICS) do out[name] = m[name] end
  out.rtt, out.rttvar, out.congestion = m.rtt and m.rtt / 8, m.rttvar and m.rttvar / 4, m.cc_algo
  for name in (m.features or ""):gmatch "[^+]+" do out[name] = null end
  return array { out }
end

local function hop(m, dev_index)
  local out = {
    gateway = m.gateway, dev = dev(dev_index),
    via = m.via and { family = words.family[m.via.family], host = m.via.addr },
  }
  return out
end

for _, family in ipairs { 2, 10 } do
  for i, m in ipairs(dump({ family = family }, netlink.RTM_GETROUTE)) do
    local table_id = m:get_attr "RTA_TABLE"
    local out = hop(m, m.oif)
    out.type, out.dst = words.route[m.type], address(m.dst, m.dst_len, family)
    out.from = m.src_len > 0 and address(m.src, m.src_len, family) or nil
    out.tos, out.nhid = m.tos ~= 0 and hex(m.tos) or nil, m.nh_id
    out.table, out.protocol = words.table[table_id] or tostring(table_id), words.protocol[m.proto]
    out.scope, out.prefsrc, out.metric = words.scope[m.scope], m.prefsrc, m.priority
    out.flags, out.metrics, out.pref = route_flags(m.flags), metrics(m.metrics), m.pref
    local expires = m.cacheinfo and m.cacheinfo.rta_expires or 0
    out.expires = expires ~= 0 and math.floor(expires / 100) or nil
    -- Here iproute2 has two members of one name, and whoever reads JSON keeps the last.
    encapsulation(out, m)
    if m.multipath then
      out.nexthops = array {}
      for _, next in ipairs(m.multipath) do
        local h = hop(next, next.ifindex)
        encapsulation(h, next)
        h.weight, h.flags = next.hops + 1, route_flags(next.flags)
        table.insert(out.nexthops, h)
      end
    end
    local nh = m.nh_id and nexthops[m.nh_id]
    if nh then
      out.nh_info = {
        id = nh.id, group = nh.group and group(nh), gateway = nh.gateway, dev = dev(nh.oif), scope = words.scope[nh.scope],
        protocol = words.protocol[nh.protocol], flags = route_flags(nh.flags), blackhole = nh.blackhole and null or nil,
      }
    end
    put("route" .. family, i - 1, out)
  end
end

-- ---- neighbours ----

local STATES = { "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "NOARP", "PERMANENT" }

local place = 0
for _, family in ipairs { 2, 10 } do
  for _, m in ipairs(dump({ family = family }, netlink.RTM_GETNEIGH)) do
    local state = array {}
    for _, name in ipairs(STATES) do
      if has(m.state, name) then state[#state + 1] = name end
    end
    if not has(m.state, "NOARP") and m.state ~= "" then -- ip shows these only when it is asked to
      put("neigh", place, {
        dst = m.dst, dev = dev(m.ifindex), lladdr = m.lladdr, router = has(m.flags, "router") and null or nil,
        extern_learn = has(m.flags, "extern_learn") and null or nil, offload = has(m.flags, "offload") and null or nil,
        managed = has(m.flags_ext or "", "managed") and null or nil, state = state,
        protocol = m.protocol and words.protocol[m.protocol],
      })
      place = place + 1
    end
  end
end
place = 0
for _, family in ipairs { 2, 10 } do
  for _, m in ipairs(dump({ family = family, flags = "proxy" }, netlink.RTM_GETNEIGH)) do
    if has(m.flags, "proxy") then
      put("proxy", place, { dst = m.dst, dev = dev(m.ifindex), proxy = null })
      place = place + 1
    end
  end
end

for i, m in ipairs(dump({ family = 7 }, netlink.RTM_GETNEIGH)) do
  local flags = array {}
  for _, name in ipairs { "self", "router", "extern_learn", "offload", "sticky" } do
    if has(m.flags, name) then flags[#flags + 1] = name end
  end
  put("fdb", i - 1, {
    mac = m.lladdr, ifname = dev(m.ifindex), dst = m.dst, vlan = m.vlan, port = m.port, vni = m.vni, src_vni = m.src_vni,
    viaIf = m:get_attr "NDA_IFINDEX" and dev(m:get_attr "NDA_IFINDEX"), flags = flags,
    master = m.master and dev(m.master),
    state = has(m.state, "PERMANENT") and "permanent" or has(m.state, "NOARP") and "static" or has(m.state, "STALE") and "stale" or "",
  })
end

-- ---- rules ----

for _, family in ipairs { 2, 10 } do
  for i, m in ipairs(dump({ family = family }, netlink.RTM_GETRULE)) do
    local full = family == 2 and 32 or 128
    local out = {
      priority = m.priority or 0, src = m.src or "all", srclen = m.src_len ~= 0 and m.src_len ~= full and m.src_len or nil,
      dst = m.dst, dstlen = m.dst_len ~= 0 and m.dst_len ~= full and m.dst_len or nil, iif = m.iifname, oif = m.oifname,
      ["not"] = has(m.flags, "invert") and null or nil, tos = m.tos ~= 0 and hex(m.tos) or nil,
      iif_detached = has(m.flags, "iif_detached") and null or nil, oif_detached = has(m.flags, "oif_detached") and null or nil,
      fwmark = m.fwmark and hex(m.fwmark), fwmask = m.fwmask and m.fwmask ~= 0xffffffff and hex(m.fwmask) or nil,
      ipproto = m.ip_proto and words.ipproto[m.ip_proto], goto = m["goto"], protocol = words.protocol[m.protocol or 0],
    }
    if m.uid_range then out.uid_start, out.uid_end = m.uid_range.start, m.uid_range["end"] end
    for _, side in ipairs { "sport", "dport" } do
      local range = m[side .. "_range"]
      if range and range.start == range["end"] then
        out[side] = range.start
      elseif range then
        out[side .. "_start"], out[side .. "_end"] = range.start, range["end"]
      end
    end
    local table_id = m:get_attr "FRA_TABLE" or m.table
    if m.action == netlink.FR_ACT_TO_TBL and table_id ~= 0 then out.table = words.table[table_id] or tostring(table_id) end
    if m.suppress_prefixlen and m.suppress_prefixlen ~= -1 then out.suppress_prefixlen = m.suppress_prefixlen end
    if m.action > netlink.FR_ACT_NOP then out.action = words.route[m.action] end
    if m.goto and has(m.flags, "unresolved") then out.unresolved = null end
    put("rule" .. family, i - 1, out)
  end
end

-- ---- configuration ----

for _, family in ipairs { 2, 10 } do
  for i, m in ipairs(dump({ family = family }, netlink.RTM_GETNETCONF)) do
    put("netconf" .. family, i - 1, {
      family = words.family[m.family],
      interface = m.ifindex == netlink.NETCONFA_IFINDEX_ALL and "all"
        or m.ifindex == netlink.NETCONFA_IFINDEX_DEFAULT and "default" or dev(m.ifindex),
      forwarding = bool(m.forwarding), rp_filter = m.rp_filter, mc_forwarding = bool(m.mc_forwarding),
      proxy_neigh = bool(m.proxy_neigh), ignore_routes_with_linkdown = bool(m.ignore_routes_with_linkdown),
      input = bool(m.input), bc_forwarding = maybe(bool(m.bc_forwarding)), force_forwarding = maybe(bool(m.force_forwarding)),
    })
  end
end

for i, m in ipairs(dump({ family = 10 }, netlink.RTM_GETADDRLABEL)) do
  put("addrlabel", i - 1, {
    address = m.address, prefixlen = m.prefixlen, label = m.label, dev = m.index ~= 0 and dev(m.index) or nil,
  })
end

local function number(n) return n and tonumber(tostring(n)) end
for i, m in ipairs(dump({}, netlink.RTM_GETNEIGHTBL)) do
  local p = m.parms
  put("ntable", i - 1, {
    family = words.family[m.family], name = m.name, dev = p.ifindex and dev(p.ifindex), thresh1 = m.thresh1,
    thresh2 = m.thresh2, thresh3 = m.thresh3, gc_interval = number(m.gc_interval), refcnt = p.refcnt,
    reachable = number(p.reachable_time), base_reachable = number(p.base_reachable_time), retrans = number(p.retrans_time),
    gc_stale = number(p.gc_staletime), delay_probe = number(p.delay_probe_time), queue = p.queue_len,
    app_probes = p.app_probes, ucast_probes = p.ucast_probes, mcast_probes = p.mcast_probes,
    mcast_reprobes = maybe(p.mcast_reprobes), anycast_delay = number(p.anycast_delay), proxy_delay = number(p.proxy_delay),
    proxy_queue = p.proxy_qlen, locktime = number(p.locktime),
  })
end

-- ---- queueing disciplines ----

local function handle(n) -- 0x10010 is 1:10
  local major, minor = math.floor(n / 65536), n % 65536
  return minor == 0 and ("%x:"):format(major) or ("%x:%x"):format(major, minor)
end

local options = {}
function options.htb(o)
  return {
    r2q = o.init.rate2quantum, default = hex(o.init.defcls), direct_packets_stat = o.init.direct_pkts,
    direct_qlen = o.direct_qlen,
    ver = math.floor(o.init.version / 65536) .. "." .. o.init.version % 65536,
  }
end
function options.pfifo(o) return { limit = o.limit } end
function options.pfifo_fast(o) return { bands = o.bands, priomap = o.priomap, multiqueue = false } end
function options.tbf(o) return { rate = o.parms.rate.rate, linklayer = o.parms.rate.linklayer } end

for i, m in ipairs(dump({}, netlink.RTM_GETQDISC)) do
  local o = m.options
  local root = m.parent == 0xffffffff
  local basic, q = m.stats2.basic, m.stats2.queue
  put("qdisc", i - 1, {
    kind = m.kind, handle = handle(m.handle), dev = dev(m.index), root = root or nil,
    parent = not root and handle(m.parent) or nil, refcnt = m.info ~= 1 and m.info or nil,
    options = options[m.kind] and options[m.kind](o) or {}, bytes = tonumber(tostring(basic.bytes)), packets = basic.packets,
    drops = q.drops, overlimits = q.overlimits, requeues = q.requeues, backlog = q.backlog, qlen = q.qlen,
  })
end
s:close()
