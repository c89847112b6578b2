-- The kernel's objects in the words of ip: a link, address, route, neighbour,
-- rule, next hop, qdisc … is what `ip -d` (or `tc`, `bridge fdb`) prints of it,
-- an event what `ip monitor` does. What a class of message gives to tostring.
--
-- Each function takes the message and its origin, which says who interfaces are:
-- a table with a method name_of(index), or a socket to ask; nil is nobody. An
-- origin with .events prints events: without details; with .label "[LINK]" comes
-- first.
local W = require("netlink.vocabulary")
local P = {}

--- Helpers ---------------------------------------------------------------------

-- Interfaces by number. Who has only a number is "if3", as in ip.
local function dev(index, origin)
  if not index then return "?" end
  if index == 0 then return "*" end
  local name
  if type(origin) == "table" then
    name = origin.name_of and origin:name_of(index)
  elseif type(origin) == "userdata" then
    local ok, found = pcall(function()
      return origin:request({index = index}, netlink.RTM_GETLINK, netlink.NLM_F_REQUEST, {timeout = 1, quiet = true})[1].ifname
    end)
    name = ok and found
  end
  return name or ("if%d"):format(index)
end

-- The bits of a field that reads as a number or as words.
local function mask(kind, value)
  if not value or value == "" then return 0 end
  return W.mask(kind, value)
end
local function has(n, b) return bit.band(n, b) ~= 0 end

-- A list that becomes a line: put("mtu", 1500).
local function line()
  local words = {}
  local function put(...)
    for i = 1, select("#", ...) do words[#words + 1] = tostring((select(i, ...))) end
  end
  return words, put
end

local function num(v)
  if type(v) == "number" or v == nil then return v end
  return tonumber(tostring(v))
end

local function brief(origin) return type(origin) == "table" and origin.events end

-- The octets of an attribute that a class reads as octets or as pieces.
local function hex(s)
  return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- head puts "[LINK]" and "Deleted " before the text of an event.
local function head(m, origin, label, text)
  local h = m.header
  if h and h.type % 4 == 1 and h.type >= 16 then text = "Deleted " .. text end
  if type(origin) == "table" and origin.label then text = "[" .. label .. "]" .. text end
  return text
end

--- Links -------------------------------------------------------------------------

local function on(v) return (v == true or num(v) and num(v) ~= 0) and "on" or "off" end

-- "8000.62:54:1a:9:4:ab": the priority and the address of a bridge.
local function bridge_id(v)
  if v == nil or type(v) == "string" then return v end
  local octets = {}
  for x in v.addr:gmatch("%x%x") do octets[#octets + 1] = ("%x"):format(tonumber(x, 16)) end
  return ("%04x.%s"):format(num(v.prio), table.concat(octets, ":"))
end

-- A timer in hundredths of a second.
local function timer(v)
  local n = num(v)
  return n and ("%4d.%02d"):format(math.floor(n / 100), n % 100)
end

-- Rows say how an attribute is printed: {name, word, how}. how is a function of
-- the value, "on" for on/off, nil for the value as it is.
local function rows(list, data, put, origin)
  for _, row in ipairs(list) do
    local name, word, how = row[1], row[2] or row[1], row[3]
    local v = data[name]
    if v ~= nil then
      if how == "on" then
        v = on(v)
      elseif how == "dev" then
        v = dev(v, origin)
      elseif how then
        v = how(v)
      end
      if v ~= nil then put(word, v) end
    end
  end
end

local BRIDGE = {
  {"forward_delay"}, {"hello_time"}, {"max_age"}, {"ageing_time"}, {"stp_state"}, {"priority"}, {"vlan_filtering"},
  {"bridge_id", nil, bridge_id}, {"root_id", "designated_root", bridge_id}, {"root_port"}, {"root_path_cost"}, {"topology_change"},
  {"topology_change_detected"}, {"hello_timer", nil, timer}, {"tcn_timer", nil, timer},
  {"topology_change_timer", nil, timer}, {"gc_timer", nil, timer},
  {"group_fwd_mask", nil, function(v) return num(v) == 0 and "0" or ("0x%x"):format(num(v)) end},
  {"group_addr", "group_address"}, {"mcast_snooping"},
}
local BRIDGE_MCAST = {
  {"mcast_router"}, {"mcast_query_use_ifaddr"}, {"mcast_querier"}, {"mcast_hash_elasticity"}, {"mcast_hash_max"},
  {"mcast_last_member_cnt", "mcast_last_member_count"}, {"mcast_startup_query_cnt", "mcast_startup_query_count"},
  {"mcast_last_member_intvl", "mcast_last_member_interval"}, {"mcast_membership_intvl", "mcast_membership_interval"},
  {"mcast_querier_intvl", "mcast_querier_interval"}, {"mcast_query_intvl", "mcast_query_interval"},
  {"mcast_query_response_intvl", "mcast_query_response_interval"}, {"mcast_startup_query_intvl", "mcast_startup_query_interval"},
  {"mcast_stats_enabled"}, {"mcast_igmp_version"}, {"mcast_mld_version"}, {"nf_call_iptables"}, {"nf_call_ip6tables"}, {"nf_call_arptables"},
}

local KINDS = {}

function KINDS.bridge(data, put, origin)
  rows(BRIDGE, data, put, origin)
  local opts = data.multi_boolopt
  if opts ~= nil and type(opts) ~= "string" then
    -- Words, of which ip 6.1 prints two.
    for _, word in ipairs{"no_linklocal_learn", "mcast_vlan_snooping"} do
      put(word, tostring(opts.optval):find(word, 1, true) and 1 or 0)
    end
  end
  rows(BRIDGE_MCAST, data, put, origin)
end

function KINDS.macvlan(data, put)
  if data.mode then put("mode", data.mode) end
  if tostring(data.flags):find("nopromisc", 1, true) then put("nopromisc") end
  if data.bc_queue_len then put("bcqueuelen", data.bc_queue_len) end
  if data.bc_queue_len_used then put("usedbcqueuelen", data.bc_queue_len_used) end
end
KINDS.macvtap = KINDS.macvlan

function KINDS.vlan(data, put)
  if data.protocol then put("protocol", data.protocol) end
  put("id", data.id)
  local f = data.flags
  if f ~= nil and type(f) ~= "string" then put("<" .. tostring(f.flags):gsub("%+", ",") .. ">") end
end

function KINDS.vrf(data, put) put("table", W.table_name(data.table)) end

function KINDS.vxlan(data, put, origin)
  local function flag(name) return num(data[name]) == 1 or data[name] == true end
  if flag("collect_metadata") then put("external") end
  put("id", data.id)
  local group = data.group or data.group6
  if group then
    local multicast = group:match("^2[23]%d%.") or group:match("^ff")
    put(multicast and "group" or "remote", group)
  end
  if data["local"] then put("local", data["local"]) elseif data.local6 then put("local", data.local6) end
  if num(data.link) and data.link ~= 0 then put("dev", dev(data.link, origin)) end
  local range = data.port_range
  if range ~= nil and type(range) ~= "string" then put("srcport", range.low, range.high) end
  if data.port then put("dstport", data.port) end
  if data.learning ~= nil and not flag("learning") then put("nolearning") end
  for _, name in ipairs{"proxy", "rsc", "l2miss", "l3miss"} do
    if flag(name) then put(name) end
  end
  local tos = num(data.tos)
  if tos and tos ~= 0 then put("tos", tos == 1 and "inherit" or ("0x%x"):format(tos)) end
  if flag("ttl_inherit") then
    put("ttl", "inherit")
  elseif data.ttl then
    put("ttl", num(data.ttl) == 0 and "auto" or data.ttl)
  end
  if data.df ~= nil and data.df ~= "unset" then put("df", data.df) end
  local label = num(data.label)
  if label and label ~= 0 then put("flowlabel", ("0x%x"):format(label)) end
  if data.ageing then put("ageing", num(data.ageing) == 0 and "none" or data.ageing) end
  if num(data.limit) and num(data.limit) ~= 0 then put("maxaddr", data.limit) end
  if data.udp_csum ~= nil then put(flag("udp_csum") and "udpcsum" or "noudpcsum") end
  if data.udp_zero_csum6_tx ~= nil then put(flag("udp_zero_csum6_tx") and "udp6zerocsumtx" or "noudp6zerocsumtx") end
  if data.udp_zero_csum6_rx ~= nil then put(flag("udp_zero_csum6_rx") and "udp6zerocsumrx" or "noudp6zerocsumrx") end
  if flag("remcsum_tx") then put("remcsumtx") end
  if flag("remcsum_rx") then put("remcsumrx") end
  if data.gbp ~= nil then put("gbp") end
  if data.gpe ~= nil then put("gpe") end
end

function KINDS.tun(data, put)
  put("type", data.type)
  put("pi", on(data.pi))
  put("vnet_hdr", on(data.vnet_hdr))
  if num(data.multi_queue) == 1 or data.multi_queue == true then
    put("multi_queue", "numqueues", data.num_queues or 0, "numdisabled", data.num_disabled_queues or 0)
  end
  put("persist", on(data.persist))
  if data.owner then put("user", W.account("passwd", data.owner)) end
  if data.group then put("group", W.account("group", data.group)) end
end

function KINDS.ipvlan(data, put)
  put("mode", data.mode, (data.flags == nil or data.flags == "") and "bridge" or data.flags)
end
KINDS.ipvtap = KINDS.ipvlan

function KINDS.bond(data, put, origin)
  rows({
    {"mode"}, {"active_slave", nil, "dev"}, {"miimon"}, {"updelay"}, {"downdelay"}, {"peer_notif_delay", "peer_notify_delay"}, {"use_carrier"},
    {"arp_interval"}, {"missed_max", "arp_missed_max"}, {"arp_validate"}, {"arp_all_targets"}, {"primary", nil, "dev"}, {"primary_reselect"},
    {"fail_over_mac"}, {"xmit_hash_policy"}, {"resend_igmp"}, {"num_peer_notif", "num_grat_arp"}, {"all_slaves_active"}, {"min_links"},
    {"lp_interval"}, {"packets_per_slave"}, {"ad_lacp_active", "lacp_active"}, {"ad_lacp_rate", "lacp_rate"}, {"ad_select"}, {"tlb_dynamic_lb"},
  }, data, put, origin)
end

-- Kinds that have no rows: every attribute with its value, by name.
local function plain(data, put)
  local names = {}
  for name in pairs(data) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    local v = data[name]
    local t = type(v)
    if t == "string" and v:find("[^%w%p ]") then v = hex(v) end
    if t == "string" or t == "number" or t == "boolean" then put(name, v) end
    if t == "userdata" and num(v) then put(name, v) end
  end
end

local SLAVES = {}

function SLAVES.bridge(data, put)
  rows({
    {"state"}, {"priority"}, {"cost"}, {"mode", "hairpin", "on"}, {"guard", nil, "on"}, {"protect", "root_block", "on"},
    {"fast_leave", "fastleave", "on"}, {"learning", nil, "on"}, {"unicast_flood", "flood", "on"},
    {"id", "port_id", function(v) return ("0x%x"):format(num(v)) end}, {"no", "port_no", function(v) return ("0x%x"):format(num(v)) end},
    {"designated_port"}, {"designated_cost"}, {"bridge_id", "designated_bridge", bridge_id}, {"root_id", "designated_root", bridge_id},
    {"hold_timer", nil, timer}, {"message_age_timer", nil, timer}, {"forward_delay_timer", nil, timer},
    {"topology_change_ack"}, {"config_pending"}, {"proxyarp", "proxy_arp", "on"}, {"proxyarp_wifi", "proxy_arp_wifi", "on"},
    {"multicast_router", "mcast_router"}, {"fast_leave", "mcast_fast_leave", "on"}, {"mcast_flood", nil, "on"}, {"bcast_flood", nil, "on"}, {"mcast_to_ucast", "mcast_to_unicast", "on"},
    {"neigh_suppress", nil, "on"}, {"group_fwd_mask", nil, num}, {"group_fwd_mask", "group_fwd_mask_str", function(v) return ("0x%x"):format(num(v)) end},
    {"vlan_tunnel", nil, "on"}, {"isolated", nil, "on"}, {"locked", nil, "on"},
  }, data, put)
  if data.backup_port and num(data.backup_port) then put("backup_port", data.backup_port) end
end

-- "00:1b:21" without its colons.
local function plain_hex(v) return (v:gsub(":", "")) end

---What `ip -d link show` prints.
function P.link(m, origin)
  local short = brief(origin)
  local w, put = line()
  local flags = mask("link", m.flags)

  local at = ""
  local link = num(m.link)
  if m.link_netnsid then
    at = link and "@" .. ("if%d"):format(link) or ""
  elseif link then
    at = "@" .. (link == 0 and "NONE" or dev(link, origin))
  end
  local words, rest = {}, flags
  if has(flags, 0x1) and not has(flags, 0x40) then words[1] = "NO-CARRIER" end
  for _, b in ipairs(W.bits.link) do
    if has(flags, b[1]) then
      if b[1] ~= 0x40 then words[#words + 1] = b[2] end -- RUNNING is what NO-CARRIER is not
      rest = rest - b[1]
    end
  end
  if rest ~= 0 then words[#words + 1] = ("%x"):format(rest) end
  if link and link ~= 0 and not m.link_netnsid and type(origin) == "table" and origin.flags_of then
    local other = origin:flags_of(link) -- the link at the other end, or below
    if other and not has(other, 0x1) then words[#words + 1] = "M-DOWN" end
  end
  put(("%d: %s%s: <%s>"):format(m.index, m.ifname or "?", at, table.concat(words, ",")))

  if m.mtu then put("mtu", m.mtu) end
  if m.qdisc then put("qdisc", m.qdisc) end
  if num(m.master) and m.master ~= 0 then put("master", dev(m.master, origin)) end
  if m.operstate ~= nil then put("state", tostring(W.operstate_name(m.operstate)):upper()) end
  if m.linkmode ~= nil and not short then put("mode", tostring(W.linkmode_name(m.linkmode)):upper()) end
  if m.group ~= nil then put("group", W.group_name(m.group)) end
  if m.txqlen ~= nil and not short then put("qlen", m.txqlen) end
  local event = m:get_attr("IFLA_EVENT")
  if event ~= nil and event ~= "none" then put("event", (tostring(event):upper():gsub("_", " "))) end
  local out = table.concat(w, " ")

  w, put = line()
  put("link/" .. W.arphrd_name(m.type))
  local address, broadcast = m.address, m.broadcast
  if address and address ~= "" then put(address) end
  if broadcast and broadcast ~= "" then put(has(flags, 0x10) and "peer" or "brd", broadcast) end
  if m.perm_address and m.perm_address ~= address then put("permaddr", m.perm_address) end
  if m.link_netnsid ~= nil then put("link-netnsid", m.link_netnsid) end
  if m.new_netnsid ~= nil then put("new-netnsid", m.new_netnsid) end
  if m.new_ifindex ~= nil then put("new-ifindex", m.new_ifindex) end
  if num(m.proto_down) == 1 or m.proto_down == true then put("protodown", "on") end

  if not short then
    if m.promiscuity ~= nil then put("promiscuity", m.promiscuity) end
    if m.allmulti ~= nil then put("allmulti", m.allmulti) end
    if m.min_mtu ~= nil then put("minmtu", m.min_mtu) end
    if m.max_mtu ~= nil then put("maxmtu", m.max_mtu) end
    local info = m.linkinfo
    if info then
      if info.kind then
        put("\n    " .. info.kind)
        local data = info.data
        if data ~= nil and type(data) ~= "string" then (KINDS[info.kind] or plain)(data, put, origin) end
      end
      if info.slave_kind then
        put("\n    " .. info.slave_kind .. "_slave")
        local data = info.slave_data
        if data ~= nil and type(data) ~= "string" then (SLAVES[info.slave_kind] or plain)(data, put, origin) end
      end
    end
    local inet6 = m.af_spec and type(m.af_spec) ~= "string" and m.af_spec.inet6
    local mode = inet6 and type(inet6) ~= "string" and inet6.addr_gen_mode
    if mode then put("addrgenmode", W.addrgenmode_name(mode)) end
    rows({{"num_tx_queues", "numtxqueues"}, {"num_rx_queues", "numrxqueues"}, {"gso_max_size"}, {"gso_max_segs"},
      {"tso_max_size"}, {"tso_max_segs"}, {"gro_max_size"}, {"phys_port_name", "portname"}, {"phys_port_id", "portid", plain_hex}, {"phys_switch_id", "switchid", plain_hex},
      {"parent_dev_bus_name", "parentbus"}, {"parent_dev_name", "parentdev"}}, m, put, origin)
  end
  out = out .. "\n    " .. table.concat(w, " "):gsub(" \n", "\n")
  if short then return head(m, origin, "LINK", out) end
  if m.ifalias then out = out .. "\n    alias " .. m.ifalias end
  local names = m.prop_list
  if names and type(names) ~= "string" then
    names = names.alt_ifname
    if type(names) == "string" then names = {names} end
    for _, name in ipairs(names or {}) do out = out .. "\n    altname " .. name end
  end
  return head(m, origin, "LINK", out)
end

--- Addresses ---------------------------------------------------------------------

local function lifetime(v)
  v = num(v)
  return v == 0xffffffff and "forever" or ("%dsec"):format(v)
end

---What `ip -o addr show` prints, in two lines as `ip monitor address` does.
function P.addr(m, origin)
  local w, put = line()
  local label = m.label
  local name = dev(m.index, origin)
  if name:match("^if%d+$") and label then name = label:match("^[^:]*") end
  put(("%d: %s   "):format(m.index, name))
  local ip, peer = m["local"] or m.address, m.address
  put(W.family_name(m.family))
  if peer and peer ~= ip then
    put(ip, "peer", ("%s/%d"):format(peer, m.prefixlen))
  else
    put(("%s/%d"):format(ip or "?", m.prefixlen))
  end
  if m.rt_priority and num(m.rt_priority) ~= 0 then put("metric", m.rt_priority) end
  if m.broadcast then put("brd", m.broadcast) end
  if m.anycast then put("any", m.anycast) end
  put("scope", W.scope_name(m.scope))
  local flags = mask("addr", m:get_attr("IFA_FLAGS") or m.flags)
  for _, b in ipairs{{0x1, m.family == 10 and "temporary" or "secondary"}, {0x40, "tentative"}, {0x20, "deprecated"}, {0x10, "home"}, {0x2, "nodad"},
    {0x4, "optimistic"}, {0x100, "mngtmpaddr"}, {0x200, "noprefixroute"}, {0x400, "autojoin"}, {0x800, "stable-privacy"}} do
    if has(flags, b[1]) then put(b[2]) end
  end
  if not has(flags, 0x80) then put("dynamic") end
  if has(flags, 0x8) then put("dadfailed") end
  if label then put(label) end
  local text = table.concat(w, " ")
  local ci = m.cacheinfo
  if ci and type(ci) ~= "string" then
    text = text .. ("\n       valid_lft %s preferred_lft %s"):format(lifetime(ci.ifa_valid), lifetime(ci.ifa_preferred))
  end
  return head(m, origin, "ADDR", text)
end

--- Routes --------------------------------------------------------------------------

-- How long an address is in bits, by family.
local FULL = {[2] = 32, [10] = 128, [28] = 20}

local function label_text(v)
  if type(v) == "number" or type(v) == "string" then return tostring(v) end
  local out = {}
  if v.label then v = {v} end
  for i, l in ipairs(v) do out[i] = tostring(type(l) == "number" and l or l.label) end
  return table.concat(out, "/")
end

local function encap_text(kind, e)
  kind = W.encap_name(kind)
  local w, put = line()
  put("encap", kind)
  if type(e) ~= "string" and e ~= nil then
    if kind == "mpls" then
      if e.dst then put(label_text(e.dst)) end
      if e.ttl then put("ttl", e.ttl) end
    elseif kind == "seg6" then
      local srh = e.srh
      if srh ~= nil and type(srh) ~= "string" then
        put("mode", srh.mode)
        local list = {}
        for i, segment in ipairs(srh.segments or {}) do list[i] = tostring(segment) end
        put("segs", #list, "[")
        for i = #list, 1, -1 do put(list[i]) end -- they stand from the last one on
        put("]")
      end
    elseif kind == "ip" or kind == "ip6" then
      if e.id then put("id", e.id) end
      if e.src then put("src", e.src) end
      if e.dst then put("dst", e.dst) end
      if e.ttl or e.hoplimit then put(kind == "ip" and "ttl" or "hoplimit", e.ttl or e.hoplimit) end
      if e.tos or e.tc then put(kind == "ip" and "tos" or "tc", e.tos or e.tc) end
    else
      plain(e, put)
    end
  end
  return table.concat(w, " ")
end

local NH_FLAGS = {{0x1, "dead"}, {0x4, "onlink"}, {0x2, "pervasive"}, {0x8, "offload"}, {0x40, "trap"}, {0x10, "linkdown"}, {0x20, "unresolved"}}

local function metrics_text(metrics, put)
  local lock = "+" .. tostring(metrics.lock or "") .. "+"
  for _, row in ipairs{{"mtu"}, {"window"}, {"rtt"}, {"rttvar"}, {"ssthresh"}, {"cwnd"}, {"advmss"}, {"reordering"}, {"hoplimit"}, {"initcwnd"}, {"features"}, {"rto_min"}, {"initrwnd"},
    {"quickack"}, {"cc_algo", "congctl"}, {"fastopen_no_cookie"}} do
    local v = metrics[row[1]]
    if v ~= nil then
      put(row[2] or row[1])
      if lock:find("+" .. row[1] .. "+", 1, true) then put("lock") end
      local name = row[1]
      if name == "rtt" then
        v = num(v) / 8
        v = v >= 1000 and ("%gs"):format(v / 1000) or ("%gms"):format(v)
      elseif name == "rttvar" then
        v = num(v) / 4
        v = v >= 1000 and ("%gs"):format(v / 1000) or ("%gms"):format(v)
      elseif name == "rto_min" then
        v = num(v) >= 1000 and ("%gs"):format(num(v) / 1000) or ("%gms"):format(num(v))
      elseif name == "features" then
        v = tostring(v):gsub("%+", " ")
      end
      put(v)
    end
  end
end

-- Members of the routes that there are by the ten thousand.
local PLAIN = {family = true, dst_len = true, src_len = true, tos = true, table = true, proto = true, scope = true, type = true, flags = true, TABLE = true, dst = true,
  gateway = true, oif = true, priority = true, prefsrc = true}

-- "proto static scope global" by the numbers.
local origins = {}
local function proto_scope(proto, scope)
  local key = proto * 256 + scope
  local text = origins[-key]
  if not text then
    text = (" proto %s scope %s"):format(W.proto_name(proto), W.scope_name(scope))
    origins[-key] = text
  end
  return text
end

-- A route that says no more than where it leads, in one go; nil: it says more.
local function plain_route(m, origin)
  local t = m:totable()
  for name in next, t do
    if not PLAIN[name] then return nil end
  end
  local dst, len = t.dst, t.dst_len
  if t.flags ~= "" or t.tos ~= 0 or t.src_len ~= 0 or dst ~= nil and type(dst) ~= "string" or dst == nil and len ~= 0 then return nil end
  local text = W.type_name(t.type) .. " " .. (dst == nil and "default" or len == FULL[t.family] and dst or dst .. "/" .. len)
  if t.gateway then text = text .. " via " .. t.gateway end
  if t.oif then text = text .. " dev " .. dev(t.oif, origin) end
  local table_ = t.TABLE or t.table
  if table_ ~= 254 then text = text .. " table " .. W.table_name(table_) end
  text = text .. proto_scope(t.proto, t.scope)
  if t.prefsrc then text = text .. " src " .. t.prefsrc end
  if t.priority then text = text .. " metric " .. t.priority end
  return head(m, origin, "ROUTE", text)
end

---What `ip -d route show` prints; the table only when it is not main.
function P.route(m, origin)
  local short = brief(origin)
  local text = not short and plain_route(m, origin)
  if text then return text end
  local w, put = line()
  local full = FULL[m.family] or 32
  local kind = W.type_name(m.type)
  if kind ~= "unicast" or not short then put(kind) end
  local dst = m.dst
  if dst ~= nil then
    dst = label_text(dst)
    put(m.dst_len == full and dst or ("%s/%d"):format(dst, m.dst_len))
  elseif m.dst_len == 0 then
    put("default")
  else
    put(("0/%d"):format(m.dst_len))
  end
  if m.src ~= nil then put("from", m.src_len == full and m.src or ("%s/%d"):format(m.src, m.src_len)) end
  if m.newdst ~= nil then put("as", "to", label_text(m.newdst)) end
  if num(m.tos) and num(m.tos) ~= 0 then put("tos", ("0x%02x"):format(num(m.tos))) end
  if num(m.nh_id) then put("nhid", m.nh_id) end
  if m.encap_type and m.encap ~= nil then put(encap_text(m.encap_type, m.encap)) end
  if m.gateway then put("via", m.gateway) end
  if m.via ~= nil then put("via", W.family_name(m.via.family), m.via.addr) end
  if m.oif then put("dev", dev(m.oif, origin)) end
  local table_ = m:get_attr("RTA_TABLE") or m.table
  local cloned = has(mask("route", m.flags), 0x200)
  if table_ and W.table(table_) ~= 254 then put("table", W.table_name(table_)) end
  local proto = W.proto(m.proto or 0)
  if not cloned and (proto ~= 3 or not short) then put("proto", W.proto_name(proto)) end
  local scope = W.scope(m.scope or 0)
  if not cloned and (scope ~= 0 or not short) then put("scope", W.scope_name(scope)) end
  if m.prefsrc then put("src", m.prefsrc) end
  if m.priority ~= nil then put("metric", m.priority) end
  local flags = mask("route", m.flags)
  for _, f in ipairs(NH_FLAGS) do
    if has(flags, f[1]) then put(f[2]) end
  end
  if has(flags, 0x100) then put("notify") end
  if has(flags, 0x4000) then put("rt_offload") end
  if has(flags, 0x8000) then put("rt_trap") end
  if num(m.mark) and num(m.mark) ~= 0 then put("mark", ("0x%x"):format(num(m.mark))) end
  if num(m.uid) then put("uid", m.uid) end
  if num(m.flow) then
    local to, from = num(m.flow) % 65536, math.floor(num(m.flow) / 65536)
    put(from ~= 0 and "realms" or "realm", from ~= 0 and ("%d/%d"):format(from, to) or to)
  end
  local ci = m.cacheinfo
  if cloned and m.family == 2 then
    put("\n    cache")
    local words = {} -- RTCF_*, linux/in_route.h
    for _, b in ipairs{{0x80000000, "local"}, {0x10000000, "brd"}, {0x20000000, "mc"}, {0x4000000, "src-direct"}, {0x1000000, "redirect"}, {0x40000, "redirected"}} do
      if has(flags, b[1]) then words[#words + 1] = b[2] end
    end
    if #words > 0 then put("<" .. table.concat(words, ",") .. ">") end
  end
  if m.metrics ~= nil and type(m.metrics) ~= "string" then metrics_text(m.metrics, put) end
  if ci and type(ci) ~= "string" then
    local expires = num(ci.rta_expires)
    if expires and expires ~= 0 then put("expires", ("%dsec"):format(math.floor(expires / 100))) end
    local err = num(ci.rta_error)
    if err and err ~= 0 then put("error", err) end
  end
  if m.iif then put("iif", dev(m.iif, origin)) end
  if m.pref ~= nil then put("pref", W.pref_name(m.pref)) end
  text = table.concat(w, " ")
  local hops = m.multipath
  if hops and type(hops) ~= "string" then
    for _, nh in ipairs(hops) do
      w, put = line()
      put("\n\tnexthop")
      if nh.encap_type and nh.encap ~= nil then put(encap_text(nh.encap_type, nh.encap)) end
      if nh.newdst ~= nil then put("as", "to", label_text(nh.newdst)) end
      if nh.gateway then put("via", nh.gateway) end
      if nh.via ~= nil then put("via", W.family_name(nh.via.family), nh.via.addr) end
      if nh.ifindex ~= 0 then put("dev", dev(nh.ifindex, origin)) end
      put("weight", nh.hops + 1)
      local f = mask("route", nh.flags)
      for _, b in ipairs(NH_FLAGS) do
        if has(f, b[1]) then put(b[2]) end
      end
      text = text .. table.concat(w, " ")
    end
  end
  return head(m, origin, "ROUTE", text)
end

--- Neighbours ------------------------------------------------------------------------

local STATES = {{0x1, "INCOMPLETE"}, {0x2, "REACHABLE"}, {0x4, "STALE"}, {0x8, "DELAY"}, {0x10, "PROBE"}, {0x20, "FAILED"}, {0x40, "NOARP"}, {0x80, "PERMANENT"}}

-- What `bridge fdb show` prints.
local function fdb(m, origin)
  local w, put = line()
  put(m.lladdr or "")
  put("dev", dev(m.ifindex, origin))
  if m.dst then put("dst", m.dst) end
  if m.vlan then put("vlan", m.vlan) end
  if m.port then put("port", m.port) end
  if m.vni then put("vni", m.vni) end
  if m.src_vni then put("src_vni", m.src_vni) end
  local out = num(m:get_attr("NDA_IFINDEX"))
  if out then put("via", dev(out, origin)) end
  if m.nh_id then put("nhid", m.nh_id) end
  local flags, state = mask("ntf", m.flags), mask("nud", m.state)
  if has(flags, 0x2) then put("self") end
  if has(flags, 0x8) then put("router") end
  if has(flags, 0x10) then put("extern_learn") end
  if has(flags, 0x20) then put("offload") end
  if has(flags, 0x4) then put("master") end
  if has(flags, 0x40) then put("sticky") end
  if num(m.master) and m.master ~= 0 then put("master", dev(m.master, origin)) end
  if has(state, 0x80) then
    put("permanent")
  elseif has(state, 0x40) then
    put("static")
  elseif has(state, 0x4) then
    put("stale")
  elseif not has(state, 0x2) and state ~= 0 then
    put(("state=%#x"):format(state))
  end
  return head(m, origin, "NEIGH", table.concat(w, " "))
end

---What `ip -d neigh show` prints; of a bridge's forwarding table, `bridge fdb`.
function P.neigh(m, origin)
  if m.family == 7 and not brief(origin) then return fdb(m, origin) end
  local w, put = line()
  if m.dst then put(m.dst) end
  put("dev", dev(m.ifindex, origin))
  if m.lladdr and m.lladdr ~= "" then put("lladdr", m.lladdr) end
  local flags, state = mask("ntf", m.flags), mask("nud", m.state)
  if has(flags, 0x80) then put("router") end
  if has(flags, 0x8) then put("proxy") end
  if has(flags, 0x10) then put("extern_learn") end
  if has(flags, 0x20) then put("offload") end
  for _, b in ipairs(STATES) do
    if has(state, b[1]) then put(b[2]) end
  end
  if m.protocol ~= nil then put("proto", W.proto_name(m.protocol)) end
  return head(m, origin, "NEIGH", table.concat(w, " "))
end

--- Rules ---------------------------------------------------------------------------------

local function range(v)
  if type(v) == "string" then return v end
  local a, b = num(v.start), num(v["end"] or v.stop)
  return a == b and tostring(a) or ("%d-%d"):format(a, b)
end

---What `ip -d rule show` prints.
function P.rule(m, origin)
  local w, put = line()
  local full = FULL[m.family] or 32
  local flags = mask("rule", m.flags)
  local text = ("%s:\t"):format(tostring(m.priority or 0))
  if has(flags, 2) then put("not") end
  put("from")
  if m.src then
    put(m.src_len == full and m.src or ("%s/%d"):format(m.src, m.src_len))
  else
    put(m.src_len == 0 and "all" or ("0/%d"):format(m.src_len or 0))
  end
  if m.dst then put("to", m.dst_len == full and m.dst or ("%s/%d"):format(m.dst, m.dst_len)) end
  if num(m.tos) and num(m.tos) ~= 0 then put("tos", ("0x%02x"):format(num(m.tos))) end
  local mark, fwmask = num(m.fwmark), num(m.fwmask)
  if mark or fwmask then
    local s = ("0x%x"):format(mark or 0)
    if fwmask and fwmask ~= 0xffffffff then s = s .. ("/0x%x"):format(fwmask) end
    put("fwmark", s)
  end
  local iif = m.iifname
  if iif then
    put("iif", iif)
    if has(flags, 8) then put("[detached]") end
  end
  if m.oifname then
    put("oif", m.oifname)
    if has(flags, 0x10) then put("[detached]") end
  end
  if num(m.l3mdev) == 1 then put("lookup", "[l3mdev-table]") end
  if m.uid_range then put("uidrange", range(m.uid_range):find("-") and range(m.uid_range) or (range(m.uid_range) .. "-" .. range(m.uid_range))) end
  if m.ip_proto then put("ipproto", W.ipproto_name(m.ip_proto)) end
  if m.sport_range then put("sport", range(m.sport_range)) end
  if m.dport_range then put("dport", range(m.dport_range)) end
  if m.tun_id and num(m.tun_id) ~= 0 then put("tun_id", m.tun_id) end
  local action = W.action(m.action or 0)
  local table_ = m:get_attr("FRA_TABLE") or m.table
  if table_ and W.table(table_) ~= 0 then
    if num(m.l3mdev) ~= 1 then put("lookup", W.table_name(table_)) end
    local spl = num(m.suppress_prefixlen)
    if spl and spl ~= 0xffffffff and spl ~= -1 then put("suppress_prefixlength", spl) end
    local sg = num(m.suppress_ifgroup)
    if sg and sg ~= 0xffffffff and sg ~= -1 then put("suppress_ifgroup", W.group_name(sg)) end
  end
  if num(m.flow) then
    local to, from = num(m.flow) % 65536, math.floor(num(m.flow) / 65536)
    put("realms", from ~= 0 and ("%d/%d"):format(from, to) or to)
  end
  if action == 2 then
    put("goto", m["goto"] or "none")
    if has(flags, 4) then put("[unresolved]") end
  elseif action == 3 then
    put("nop")
  elseif action ~= 1 then
    put(W.action_name(action))
  end
  if m.protocol ~= nil and not brief(origin) then put("proto", W.proto_name(m.protocol)) end
  return head(m, origin, "RULE", text .. table.concat(w, " "))
end

--- Next hops, namespaces, settings -----------------------------------------------------

---What `ip -d nexthop show` prints.
function P.nexthop(m, origin)
  local w, put = line()
  local short = brief(origin)
  if m.id then put("id", m.id) end
  if m.group ~= nil and type(m.group) ~= "string" then
    local list = {}
    for i, g in ipairs(m.group) do
      local weight = (num(g.weight) or 0) + 1
      list[i] = weight > 1 and ("%d,%d"):format(g.id, weight) or tostring(g.id)
    end
    put("group", table.concat(list, "/"))
    if num(m.group_type) == 1 then put("type", "resilient") end
  end
  if m.encap_type and m.encap ~= nil then put(encap_text(m.encap_type, m.encap)) end
  if m.gateway then put("via", m.gateway) end
  if m.oif then put("dev", dev(m.oif, origin)) end
  local scope = W.scope(m.scope or 0)
  if scope ~= 0 or not short then put("scope", W.scope_name(scope)) end
  if m.blackhole ~= nil then put("blackhole") end
  local proto = W.proto(m.protocol or 0)
  if proto ~= 0 or not short then put("proto", W.proto_name(proto)) end
  local flags = mask("route", m.flags)
  for _, b in ipairs(NH_FLAGS) do
    if has(flags, b[1]) then put(b[2]) end
  end
  if m.fdb ~= nil then put("fdb") end
  return head(m, origin, "NEXTHOP", table.concat(w, " "))
end

---What `ip netns list-id` prints.
function P.nsid(m, origin)
  return head(m, origin, "NSID", ("nsid %s"):format(m.nsid == nil and "unassigned" or num(m.nsid) == -1 and "unassigned" or tostring(m.nsid)))
end

---What `ip netconf` prints.
function P.netconf(m, origin)
  local w, put = line()
  put(W.family_name(m.family))
  local index = num(m.ifindex)
  if index == nil and m.index then index = num(m.index) end
  put(index == -1 and "all" or index == -2 and "default" or index == 0xffffffff and "all" or index == 0xfffffffe and "default" or dev(index, origin))
  rows({{"forwarding", nil, "on"}, {"rp_filter"}, {"mc_forwarding", nil, "on"}, {"proxy_neigh", nil, "on"},
    {"ignore_routes_with_linkdown", nil, "on"}, {"input", nil, "on"}}, m, put, origin)
  return head(m, origin, "NETCONF", table.concat(w, " "))
end

---What `ip monitor prefix` prints.
function P.prefix(m, origin)
  local w, put = line()
  put(("prefix %s/%d"):format(m.address or "::", m.prefix_len or m.len or 0))
  put("dev", dev(m.ifindex or m.index, origin))
  local flags = num(m.flags) or 0
  if has(flags, 1) then put("onlink") end
  if has(flags, 2) then put("autoconf") end
  local ci = m.cacheinfo
  if ci and type(ci) ~= "string" then put("valid", ci.valid_time, "preferred", ci.preferred_time) end
  return head(m, origin, "PREFIX", table.concat(w, " "))
end

--- Traffic control ------------------------------------------------------------------------

-- Bits a second, in the largest unit that leaves it whole.
local function rate_text(bytes)
  local bits, unit = bytes * 8, 0
  while unit < 4 and bits >= 1000 and bits % 1000 == 0 do bits, unit = bits / 1000, unit + 1 end
  return ("%.0f%sbit"):format(bits, ({[0] = "", "K", "M", "G", "T"})[unit])
end

-- Octets, in round units where they are nearly round.
local function size_text(n)
  local m, k = math.floor(n / 1048576 + 0.5), math.floor(n / 1024 + 0.5)
  if n >= 1048576 and math.abs(m * 1048576 - n) < 1024 then return m .. "Mb" end
  if n >= 1024 and math.abs(k * 1024 - n) < 16 then return k .. "Kb" end
  return n .. "b"
end

local function time_text(s)
  if s >= 1 then return ("%.3gs"):format(s) end
  if s >= 1e-3 then return ("%.3gms"):format(s * 1e3) end
  return ("%.3gus"):format(s * 1e6)
end

local TICK = 64e-9 -- PSCHED_TICKS of every kernel since 2.6.31: 2^6 ns

local QDISCS = {}

function QDISCS.tbf(o, put)
  local p = o.parms
  if not p or type(p) == "string" then return end
  local rate = num(o.rate64) or num(p.rate.rate)
  put("rate", rate_text(rate))
  local burst = num(o.burst) or num(p.buffer) * TICK * rate
  put("burst", size_text(math.floor(burst + 0.5)))
  local latency = (num(p.limit) - burst) / rate
  put("lat", time_text(latency))
end

function QDISCS.htb(o, put)
  local g = o.init or o.global
  if g and type(g) ~= "string" then
    put("r2q", g.rate2quantum, "default", ("0x%x"):format(num(g.defcls)), "direct_packets_stat", g.direct_pkts)
  end
  if o.direct_qlen then put("direct_qlen", o.direct_qlen) end
  local p = o.parms
  if p and type(p) ~= "string" then
    local rate, ceil = num(o.rate64) or num(p.rate.rate), num(o.ceil64) or num(p.ceil.rate)
    if num(p.level) == 0 then put("prio", p.prio) end -- of a leaf
    put("rate", rate_text(rate), "ceil", rate_text(ceil))
    put("burst", size_text(math.floor(num(p.buffer) * TICK * rate)), "cburst", size_text(math.floor(num(p.cbuffer) * TICK * ceil)))
  end
end

function QDISCS.netem(o, put)
  put("limit", o.limit)
  local delay, jitter = num(o.latency64), num(o.jitter64)
  delay = delay and delay / 1e9 or num(o.latency) * TICK
  jitter = jitter and jitter / 1e9 or num(o.jitter) * TICK
  if delay ~= 0 then
    put("delay", time_text(delay))
    if jitter ~= 0 then put(time_text(jitter)) end
  end
  for _, word in ipairs{"loss", "duplicate"} do
    local v = num(o[word])
    if v and v ~= 0 then put(word, ("%.3g%%"):format(v / 0xffffffff * 100)) end
  end
  local rate = o.rate
  if rate ~= nil and type(rate) ~= "string" then put("rate", rate_text(num(o.rate64) or num(rate.rate))) end
  if num(o.gap) and o.gap ~= 0 then put("gap", o.gap) end
end

function QDISCS.pfifo(o, put)
  if type(o) == "userdata" or type(o) == "table" then put("limit", tostring(o.limit) .. "p") end
end
function QDISCS.bfifo(o, put)
  if type(o) == "userdata" or type(o) == "table" then put("limit", size_text(num(o.limit))) end
end

local function tc(word, label)
  return function(m, origin)
    local w, put = line()
    put(word, m.kind or "?")
    if word ~= "filter" and word ~= "chain" then put(m.handle == 0 and "0:" or W.handle_name(m.handle)) end
    put("dev", dev(m.index, origin))
    if m.parent == 0xffffffff then
      put("root")
    elseif m.parent ~= 0 then
      put("parent", W.handle_name(m.parent))
    end
    if word == "class" and m.info ~= 0 then put("leaf", ("%x:"):format(math.floor(m.info / 65536))) end
    if word == "filter" then -- in info: the priority, and below it the protocol in the network's order
      local proto = m.info % 65536
      put("protocol", W.ethertype_name(proto % 256 * 256 + math.floor(proto / 256)), "pref", math.floor(m.info / 65536))
      if m.chain then put("chain", m.chain) end
      if m.handle ~= 0 then put("handle", ("0x%x"):format(m.handle)) end
    end
    if word == "qdisc" and m.info and m.info ~= 1 and num(m.info) then put("refcnt", m.info) end
    if num(m.ingress_block) then put("ingress_block", m.ingress_block) end
    if num(m.egress_block) then put("egress_block", m.egress_block) end
    local o = m.options
    if o ~= nil and type(o) ~= "string" and word ~= "filter" then
      local f = QDISCS[m.kind]
      if f then
        f(o, put)
      else
        plain(o, put)
      end
    end
    if m.kind == "ingress" and word == "qdisc" then put("----------------") end
    return head(m, origin, label, table.concat(w, " "))
  end
end

---What `tc qdisc show` prints of the parts that every discipline has.
P.qdisc = tc("qdisc", "QDISC")
P.tclass = tc("class", "CLASS")
P.filter = tc("filter", "FILTER")
P.chain = tc("chain", "CHAIN")

--- Members for people ------------------------------------------------------------

-- What has no place of its own in the message: l.kind, l.state, r.dev …
local MEMBERS = {
  kind = function(m) return m:get("linkinfo", "kind") end,
  slave_kind = function(m) return m:get("linkinfo", "slave_kind") end,
  state = function(m)
    if m.change == nil then return nil end -- a link
    return has(mask("link", m.flags), 1) and "up" or "down"
  end,
  dev = function(m, origin)
    local index = m.ifname and m.index or m.oif or m.ifindex or m.index
    if type(index) ~= "number" or index == 0 then return nil end
    return m.ifname or dev(index, origin)
  end,
  metric = function(m) return m.priority end,
  prefix = function(m)
    local len = m.prefixlen
    if len then return ("%s/%d"):format(m:get_attr("IFA_LOCAL") or m:get_attr("IFA_ADDRESS") or "?", len) end
    len = m.dst_len
    if not len then return nil end
    if m.dst == nil then return len == 0 and "default" or nil end
    return ("%s/%d"):format(m.dst, len)
  end,
}

---The value of a member that only people know, nil when there is none.
function P.member(m, name, origin)
  local f = MEMBERS[name]
  if f then return f(m, origin) end
end

return P
