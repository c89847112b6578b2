-- What people say of links, addresses, routes … as tables of message classes:
-- names become numbers, "10.0.0.1/24" an address with its length, and a word
-- that stands in another place in the kernel's structures goes there.
--
-- R.link(ctx, verb, spec) and its siblings return the table that is encoded.
-- ctx:index(name) is the number of an interface; ctx.verb is what is done.
local V = require("netlink.vocabulary")
local R = {}

local AF_INET, AF_INET6, AF_BRIDGE, AF_MPLS = 2, 10, 7, 28

-- What a message wants as a number where people say yes or no.
local function number(v)
  if v == true then return 1 end
  if v == false then return 0 end
  return v
end

local function copy(t)
  local out = {}
  for k, v in pairs(t) do out[k] = v end
  return out
end

-- first takes the first of these words out of the table; most are not there.
local function first(t, a, b, c, d)
  local found = t[a]
  if found ~= nil then t[a] = nil end
  if b ~= nil then
    local v = t[b]
    if v ~= nil then
      t[b] = nil
      if found == nil then found = v end
    end
    if c ~= nil then
      v = first(t, c, d)
      if found == nil then found = v end
    end
  end
  return found
end

local function want(spec, word, what, example)
  if spec == nil then
    raise("argument", ("%s: %s is missing; want %s"):format(what, word, example))
  end
  return spec
end

-- interface is the number of an interface that a spec names by a word or number.
local function interface(ctx, v, what)
  if v == false or v == "" or v == "none" then return 0 end
  if type(v) == "number" then return v end
  if type(v) == "string" then return ctx:index(v, what) end
  local ok, index = pcall(function() return v.index end) -- a link message
  if ok and type(index) == "number" then return index end
  raise("argument", ("%s: want the name or the number of an interface, got %s"):format(what, type(v)))
end

-- The namespace that a word means: Netns, a name, a process's number.
local function namespace(ctx, msg, v, pid, fd)
  if type(v) == "number" then
    msg[pid] = v
    return
  end
  if type(v) == "string" then
    v = netns.open(v)
    ctx:keep(v)
  end
  local ok, path = pcall(function() return v.path end)
  local n = ok and type(path) == "string" and tonumber(path:match("/fd/(%d+)$"))
  if not n then raise("argument", "netns: want Netns, the name of one, or the number of a process, got " .. type(v)) end
  msg[fd] = n
end

--- Links -------------------------------------------------------------------------

local ON = {up = true, on = true, yes = true, [true] = true, [1] = true}
local OFF = {down = true, off = true, no = true, [false] = true, [0] = true}

-- Switches of a link: IFF_*, and whether "on" clears the bit.
local SWITCHES = {
  state = {0x1}, up = {0x1}, arp = {0x80, true}, promisc = {0x100}, allmulticast = {0x200}, allmulti = {0x200},
  multicast = {0x1000}, dynamic = {0x8000}, debug = {0x4}, trailers = {0x20, true},
}

-- Other names of a link's attributes.
local LINK_NAMES = {
  lladdr = "address", mac = "address", brd = "broadcast", alias = "ifalias", txqueuelen = "txqlen", qlen = "txqlen", name = "ifname",
  protodown = "proto_down", numtxqueues = "num_tx_queues", numrxqueues = "num_rx_queues",
}

-- Kinds whose lower interface is in their own data.
local LOWER_IN_DATA = {}
for kind in ("vxlan gre gretap ip6gre ip6gretap erspan ip6erspan ipip sit ip6tnl vti vti6 xfrm"):gmatch("%S+") do LOWER_IN_DATA[kind] = true end

-- What begins the names of a kind's own words in pyroute2: vlan_id, br_priority.
local KIND_PREFIX = {bridge = "br_", bridge_slave = "brport_", ipip = "ipip_", macvtap = "macvtap_"}

local function v6(text) return type(text) == "string" and text:find(":", 1, true) ~= nil end

-- Words of kinds whose place or value is not that of an attribute.
local KIND_WORDS = {
  vxlan = function(data)
    local remote = first(data, "remote", "group")
    if remote ~= nil then data[v6(remote) and "group6" or "group"] = remote end
    local addr = first(data, "local")
    if addr ~= nil then data[v6(addr) and "local6" or "local"] = addr end
    data.port = first(data, "dstport", "port")
    if data.ttl == "auto" then data.ttl = 0 end
    if data.ttl == "inherit" then data.ttl, data.ttl_inherit = nil, 1 end
    local range = first(data, "srcport")
    if type(range) == "table" then data.port_range = {low = range[1] or range.low, high = range[2] or range.high} end
    local external = first(data, "external")
    if external ~= nil then data.collect_metadata = external end
  end,
  geneve = function(data)
    local remote = first(data, "remote")
    if remote ~= nil then data[v6(remote) and "remote6" or "remote"] = remote end
    data.port = first(data, "dstport", "port")
  end,
  vlan = function(data)
    local flags = data.flags
    if type(flags) == "string" or type(flags) == "number" then data.flags = {flags = flags, mask = 0xffffffff} end
    for word, name in pairs{reorder_hdr = "REORDER_HDR", gvrp = "GVRP", loose_binding = "LOOSE_BINDING", mvrp = "MVRP", bridge_binding = "BRIDGE_BINDING"} do
      local v = first(data, word)
      if v ~= nil then
        local bits = {REORDER_HDR = 1, GVRP = 2, LOOSE_BINDING = 4, MVRP = 8, BRIDGE_BINDING = 16}
        data.flags = data.flags or {flags = 0, mask = 0}
        data.flags.mask = data.flags.mask + bits[name]
        if not OFF[v] then data.flags.flags = data.flags.flags + bits[name] end
      end
    end
  end,
  vrf = function(data)
    if data.table ~= nil then data.table = V.table(data.table) end
  end,
  bridge = function(data)
    local p = first(data, "stp")
    if p ~= nil then data.stp_state = p end
  end,
  bond = function(data, ctx)
    for _, word in ipairs{"primary", "active_slave"} do
      if data[word] ~= nil then data[word] = interface(ctx, data[word], word) end
    end
  end,
  bridge_slave = function(data)
    for word, name in pairs{hairpin = "mode", root_block = "protect", fastleave = "fast_leave", flood = "unicast_flood", mcast_router = "multicast_router",
      mcast_to_unicast = "mcast_to_ucast", proxy_arp = "proxyarp", proxy_arp_wifi = "proxyarp_wifi"} do
      local v = first(data, word)
      if v ~= nil then data[name] = v end
    end
  end,
}

-- member is the class of an attribute, if it is one of attributes.
local function data_class(kind)
  local kinds = require("netlink.kinds")
  local slave = kind:match("^(.*)_slave$")
  if slave then return kinds.slave[slave], slave end
  return kinds.data[kind]
end

local function has(class, name)
  return class ~= nil and class:has(name) ~= nil
end

---The message of a link. base says that the link is a veth's peer.
function R.link(ctx, verb, spec, peer)
  spec = copy(spec)
  local class = netlink.rtnl.link
  local msg, data, info = {}, {}, nil
  local kind = first(spec, "kind", "type_name")
  if type(spec.type) == "string" and kind == nil then kind = first(spec, "type") end -- as `ip link add … type veth`
  if spec.linkinfo ~= nil then info = first(spec, "linkinfo") end
  if spec.data ~= nil then
    for k, v in pairs(first(spec, "data")) do data[k] = v end
  end
  if kind == "tun" or kind == "tap" or kind == "tuntap" then
    if verb == "add" then
      raise("unsupported", ("link add: the kernel makes %s interfaces for who opens /dev/net/tun"):format(kind), 'open"tap:NAME" or open"tun:NAME" makes one')
    end
  end

  -- Which one it is.
  local dev, index = first(spec, "dev"), first(spec, "index")
  local name, newname = first(spec, "ifname", "name"), first(spec, "newname", "rename")
  local existing = verb ~= "add" and verb ~= "replace" and not peer
  if dev ~= nil then
    if newname == nil then newname = name end
    name = dev
  end
  if index ~= nil then
    msg.index = interface(ctx, index, "index")
    if name ~= nil and newname == nil then newname = name end -- {index=3, ifname="new"} renames, as in pyroute2
    msg.ifname = newname
  elseif type(name) == "number" or type(name) == "userdata" or type(name) == "table" then
    msg.index = interface(ctx, name, "dev")
    msg.ifname = newname
  elseif name ~= nil and (newname ~= nil or existing and #tostring(name) > 15) then
    msg.index = ctx:index(name, "dev")
    msg.ifname = newname
  else
    msg.ifname = name
  end
  if existing and not msg.index and not msg.ifname then
    -- del of a whole group needs no name.
    if not (verb == "del" and spec.group ~= nil) then
      raise("argument", ("link %s: which one? want ifname=\"eth0\" or index=2"):format(verb))
    end
  end

  if type(msg.ifname) == "string" and #msg.ifname > 15 then
    raise("range", ("ifname: %q is longer than the 15 octets that the name of an interface may have"):format(msg.ifname), "an altname may have up to 127")
  end
  if verb == "add" and not peer and kind == nil and info == nil then
    raise("argument", "link add: of which kind? want kind=\"veth\", \"bridge\", \"vlan\", \"vxlan\", \"macvlan\" …")
  end

  if verb == "del" or verb == "get" then -- a whole link may be given: what else it says is not asked
    local family, group = first(spec, "family"), first(spec, "group")
    msg.family = family and V.family(family)
    if msg.index == nil and msg.ifname == nil then msg.group = V.group(group) end
    if type(spec.ext_mask) == "number" then msg.ext_mask = spec.ext_mask end
    if index ~= nil then msg.ifname = nil end
    return msg
  end

  -- Switches.
  local flags, change = 0, 0
  for word, v in pairs(spec) do
    local s = SWITCHES[word]
    if s then
      spec[word] = nil
      if type(v) == "string" then v = v:lower() end
      if not ON[v] and not OFF[v] then
        raise("argument", ("%s: want \"up\", \"down\", true or false, got %s"):format(word, tostring(v)))
      end
      change = change + s[1]
      if (ON[v] or false) ~= (s[2] or false) then flags = flags + s[1] end
    end
  end
  if spec.flags ~= nil then
    local v = V.mask("link", first(spec, "flags"))
    flags = bit.bor(flags, v) % 2 ^ 32
    change = bit.bor(change, spec.change and 0 or v) % 2 ^ 32
  end
  if spec.change ~= nil then change = bit.bor(change, V.mask("link", first(spec, "change"))) % 2 ^ 32 end
  if change ~= 0 then msg.flags, msg.change = flags, change end

  local master = first(spec, "master")
  if first(spec, "nomaster") then master = 0 end
  if master ~= nil then msg.master = interface(ctx, master, "master") end
  local lower = first(spec, "link")
  if lower ~= nil then
    lower = interface(ctx, lower, "link")
    if kind and LOWER_IN_DATA[kind] then data.link = lower else msg.link = lower end
  end
  local ns = first(spec, "netns", "net_ns")
  if ns == nil and type(spec.net_ns_fd) == "string" then ns = first(spec, "net_ns_fd") end
  if ns ~= nil then namespace(ctx, msg, ns, "net_ns_pid", "net_ns_fd") end
  if spec.group ~= nil and not (kind == "vxlan" and type(spec.group) == "string" and spec.group:find("[.:]")) then msg.group = V.group(first(spec, "group")) end
  local gen = first(spec, "addrgenmode")
  if gen ~= nil then msg.af_spec = {inet6 = {addr_gen_mode = V.addrgenmode(gen)}} end
  local alt = first(spec, "altname", "altnames", "alt_ifname")
  if alt ~= nil then msg.prop_list = {alt_ifname = type(alt) == "table" and alt or {alt}} end

  -- The rest is attributes of the link or of its kind.
  local other
  if kind then
    other = data_class(kind)
    local prefix = KIND_PREFIX[kind] or kind:gsub("_slave$", "") .. "_"
    local mate = first(spec, "peer")
    if mate ~= nil then
      if type(mate) == "string" then mate = {ifname = mate} end
      if type(mate) ~= "table" then raise("argument", "peer: want a name or a table such as {ifname=\"v1\"}, got " .. type(mate)) end
      data[kind == "netkit" and "peer_info" or "peer"] = R.link(ctx, "add", mate, true)
    end
    for key, v in pairs(spec) do
      if type(key) == "string" then
        local short = key:sub(1, #prefix) == prefix and key:sub(#prefix + 1) or nil
        if short and (has(other, short) or short == "remote" or short == "dstport") then
          data[short] = v
          spec[key] = nil
        end
      end
    end
    local words = KIND_WORDS[kind]
    if words or other then
      for key, v in pairs(spec) do
        local top = type(key) ~= "string" or has(class, LINK_NAMES[key] or key)
        local both = key == "group" or key == "flags" or key == "priority" or key == "cost"
        if not top or both and has(other, key) then
          data[key] = v
          spec[key] = nil
        end
      end
    end
    if words then words(data, ctx) end
    for key, v in pairs(data) do
      if type(v) == "boolean" then data[key] = number(v) end
    end
  elseif spec.peer ~= nil then
    raise("argument", "peer: only a link of a kind has one: kind=\"veth\"")
  end
  for key, v in pairs(spec) do
    msg[LINK_NAMES[key] or key] = number(v)
  end
  if kind and other then
    for key in pairs(data) do
      if type(key) == "string" and not has(other, key) then
        local words = {"state", "master", "netns", "peer", "alias", "link"}
        for _, c in ipairs{class, other} do
          for _, a in ipairs(c:attributes()) do words[#words + 1] = a.key end
        end
        raise("argument", ("a link of kind %s has no %q%s"):format(kind, key, V.suggest(key, words)))
      end
    end
  end
  if kind then
    info = info or {}
    local slave = kind:match("^(.*)_slave$")
    if slave then
      info.slave_kind = slave
      if next(data) ~= nil then info.slave_data = data end
    else
      info.kind = kind
      if next(data) ~= nil then info.data = data end
    end
  end
  msg.linkinfo = info
  return msg
end

--- Addresses ---------------------------------------------------------------------

---The message of an address.
function R.addr(ctx, verb, spec)
  spec = copy(spec)
  local msg = {}
  local dev = first(spec, "dev", "index", "ifname", "oif")
  msg.index = interface(ctx, want(dev, "dev", "addr " .. verb, "dev=\"eth0\" or index=2"), "dev")
  local mask = first(spec, "prefixlen", "mask", "prefix")
  local whole = first(spec, "address", "addr")
  local own, peer = first(spec, "local"), first(spec, "peer")
  -- {address=, local=} as in the kernel: address is the other end's then.
  if own ~= nil and peer == nil and whole ~= nil then peer = whole end
  if own == nil then own = whole end
  if own == nil then
    raise("argument", ("addr %s: want address=\"10.0.0.1/24\""):format(verb))
  end
  local ip, len, family = V.prefix(own, "address")
  if ip == nil then raise("argument", ("addr %s: %q is no address of an interface"):format(verb, own)) end
  local other, otherlen
  if peer ~= nil then
    other, otherlen = V.prefix(peer, "peer")
  end
  msg.family = spec.family and V.family(first(spec, "family")) or family
  msg.prefixlen = mask and V.mask_length(mask, "prefixlen") or otherlen or len or (family == AF_INET6 and 128 or 32)
  msg["local"], msg.address = ip, other or ip
  local brd = first(spec, "broadcast", "brd")
  if brd == true or brd == "+" then brd = family == AF_INET and msg.prefixlen < 31 and V.broadcast(ip, msg.prefixlen) or nil end
  if brd then msg.broadcast = brd end
  if spec.scope ~= nil then
    msg.scope = V.scope(first(spec, "scope"))
  elseif family == AF_INET and ip:match("^127%.") then
    msg.scope = 254 -- as ip: nothing beyond this host knows it
  end
  local flags = spec.flags and V.mask("addr", first(spec, "flags")) or 0
  for _, b in ipairs(V.bits.addr) do
    local v = first(spec, b[2])
    if v then flags = bit.bor(flags, b[1]) end
  end
  if flags ~= 0 then msg.IFA_FLAGS = flags % 2 ^ 32 end
  local valid, preferred = first(spec, "valid_lft", "valid"), first(spec, "preferred_lft", "preferred")
  if valid ~= nil or preferred ~= nil then
    local function seconds(v)
      if v == nil or v == "forever" then return 0xffffffff end
      return v
    end
    valid = seconds(valid)
    msg.cacheinfo = {ifa_valid = valid, ifa_preferred = preferred ~= nil and seconds(preferred) or valid}
  end
  local metric = first(spec, "metric", "priority")
  if metric ~= nil then msg.rt_priority = metric end
  for key, v in pairs(spec) do msg[key] = number(v) end
  return msg
end

--- Routes --------------------------------------------------------------------------

-- RTAX_*: what a route says of connections over it.
local METRICS = {}
for word in ("lock mtu window rtt rttvar ssthresh cwnd advmss reordering hoplimit initcwnd features rto_min initrwnd quickack fastopen_no_cookie cc_algo"):gmatch("%S+") do METRICS[word] = true end
METRICS.congctl = true
local LOCKABLE = {mtu = 2, window = 3, rtt = 4, rttvar = 5, ssthresh = 6, cwnd = 7, advmss = 8, reordering = 9, hoplimit = 10, initcwnd = 11, rto_min = 13, initrwnd = 14}

local function metrics(spec, msg)
  local m = first(spec, "metrics")
  m = m and copy(m) or {}
  for word, v in pairs(spec) do
    if METRICS[word] then m[word], spec[word] = v, nil end
  end
  if next(m) == nil then return end
  if m.congctl ~= nil then m.cc_algo = first(m, "congctl") end
  if m.features == "ecn" then m.features = 1 end
  if m.rtt ~= nil then m.rtt = V.time(m.rtt, "rtt") * (type(m.rtt) == "string" and 8000 or 1) end
  if m.rttvar ~= nil then m.rttvar = V.time(m.rttvar, "rttvar") * (type(m.rttvar) == "string" and 4000 or 1) end
  if m.rto_min ~= nil then m.rto_min = V.time(m.rto_min, "rto_min") * (type(m.rto_min) == "string" and 1000 or 1) end
  if type(m.lock) == "string" then m.lock = {m.lock} end
  if type(m.lock) == "table" then
    local n = 0
    for _, word in ipairs(m.lock) do
      if not LOCKABLE[word] then raise("argument", ("lock: there is no metric %q to lock"):format(tostring(word))) end
      n = n + 2 ^ LOCKABLE[word]
    end
    m.lock = n
  end
  for k, v in pairs(m) do m[k] = number(v) end
  msg.metrics = m
end

-- The gateway of a route or next hop, which may be of another family.
local function gateway(target, spec, family)
  local via = first(spec, "gateway", "via", "gw")
  if via == nil then return end
  if type(via) == "table" then
    target.via = {family = via.family and V.family(via.family) or (v6(via.addr) and AF_INET6 or AF_INET), addr = via.addr}
    return
  end
  if type(via) ~= "string" then raise("argument", "gateway: want an address, got " .. type(via)) end
  via = via:gsub("^inet6? ", "")
  local ip, _, f = V.prefix(via, "gateway")
  if not ip then raise("argument", ("gateway: %q is no address"):format(via)) end
  if family ~= nil and family ~= f then
    target.via = {family = f, addr = ip}
  else
    target.gateway = ip
  end
  return f
end

local function labels(v)
  if type(v) == "number" then return {{label = v, bos = 1}} end
  local out = {}
  if type(v) == "string" then
    for l in v:gmatch("%d+") do out[#out + 1] = {label = tonumber(l)} end
  else
    for i, l in ipairs(v) do out[i] = type(l) == "table" and copy(l) or {label = tonumber(l)} end
  end
  for i, l in ipairs(out) do l.bos = l.bos or (i == #out and 1 or 0) end
  return out
end

-- encap = {type="mpls", labels="100/200"}, {type="seg6", mode="encap", segs={…}},
-- {type="ip", id=, dst=, …}.
local function encap(target, spec)
  local e = first(spec, "encap")
  local kind = first(spec, "encap_type")
  if e == nil then return end
  if type(e) ~= "table" then raise("argument", "encap: want a table such as {type=\"mpls\", labels=\"100/200\"}, got " .. type(e)) end
  e = copy(e)
  kind = kind or first(e, "type")
  if kind == nil then raise("argument", "encap: want its type, such as type=\"mpls\"") end
  target.encap_type = V.encap(kind)
  local word = V.encap_name(target.encap_type)
  if word == "mpls" then
    local l = first(e, "labels", "label", "dst")
    e.dst = labels(want(l, "labels", "encap mpls", "labels=\"100/200\""))
  elseif word == "seg6" and (e.segs ~= nil or e.segments ~= nil) then
    local segs = first(e, "segs", "segments")
    if type(segs) == "string" then
      local list = {}
      for s in segs:gmatch("[^%s,]+") do list[#list + 1] = s end
      segs = list
    end
    -- They stand from the last to the first; inline takes the destination's own
    -- place along (RFC 8754 §2, linux/seg6_iptunnel.h).
    local mode, stack = e.mode or "encap", {}
    if mode == "inline" then stack[1] = "::" end
    for i = #segs, 1, -1 do stack[#stack + 1] = segs[i] end
    local n = #stack
    e = {srh = {mode = mode, hdrlen = 2 * n, type = 4, segments_left = n - 1, last_segment = n - 1, segments = stack}}
  end
  target.encap = e
end

local function nexthops(ctx, list, family)
  if type(list) ~= "table" then raise("argument", "nexthops: want a list such as {{via=\"10.0.0.1\"}, {dev=\"eth0\", weight=2}}") end
  local out = {}
  for i, nh in ipairs(list) do
    nh = copy(nh)
    local hop = {}
    gateway(hop, nh, family)
    encap(hop, nh)
    local dev = first(nh, "dev", "oif", "ifindex")
    hop.ifindex = dev ~= nil and interface(ctx, dev, "dev") or 0
    local weight = first(nh, "weight")
    hop.hops = weight and weight - 1 or first(nh, "hops") or 0
    local flags = nh.flags and V.mask("route", first(nh, "flags")) or 0
    if first(nh, "onlink") then flags = bit.bor(flags, 4) end
    hop.flags = flags
    for k, v in pairs(nh) do hop[k] = v end
    out[i] = hop
  end
  return out
end

local TYPES = {unicast = true, ["local"] = true, broadcast = true, anycast = true, multicast = true, blackhole = true, unreachable = true, prohibit = true, throw = true}
local WITHOUT_DEVICE = {[6] = true, [7] = true, [8] = true, [9] = true}

---The message of a route.
function R.route(ctx, verb, spec)
  spec = copy(spec)
  local msg = {}
  local family = spec.family and V.family(first(spec, "family")) or nil
  -- {blackhole="10.0.0.0/8"} and {type="blackhole", dst="10.0.0.0/8"} are the same.
  for kind, dst in pairs(spec) do
    if TYPES[kind] and type(dst) == "string" then
      spec[kind] = nil
      spec.type, spec.dst = kind, dst
      break
    end
  end
  local dst = first(spec, "dst", "to")
  if dst == nil and spec[1] ~= nil then dst = first(spec, 1) end
  if type(dst) == "table" or family == AF_MPLS then
    family = AF_MPLS
    msg.dst, msg.dst_len = labels(dst), 20
  elseif dst ~= nil then
    local ip, len, f = V.prefix(dst, "dst", family)
    family = family or f
    msg.dst, msg.dst_len = ip, len
  end
  local dst_len = first(spec, "dst_len", "prefixlen")
  if dst_len then msg.dst_len = V.mask_length(dst_len, "dst_len") end

  local src, pref = first(spec, "src"), first(spec, "prefsrc")
  local from = first(spec, "from")
  if type(src) == "string" and pref == nil and verb ~= "get" and not src:find("/", 1, true) and spec.src_len == nil then
    pref, src = src, nil
  end
  from = from or src
  if from ~= nil then
    local ip, len, f = V.prefix(from, "from", family)
    family = family or f
    msg.src, msg.src_len = ip, len or (ip and (f == AF_INET6 and 128 or 32)) or 0
  end
  if pref ~= nil then
    local ip, _, f = V.prefix(pref, "src")
    family = family or f
    msg.prefsrc = ip
  end
  local gwf = gateway(msg, spec, family)
  family = family or gwf
  local hops = first(spec, "nexthops", "multipath")
  if family == nil and hops then
    for _, nh in ipairs(hops) do
      local via = nh.via or nh.gateway
      if type(via) == "string" then family = v6(via) and AF_INET6 or AF_INET end
    end
  end
  family = family or AF_INET
  msg.family = family
  if hops ~= nil then msg.multipath = nexthops(ctx, hops, family) end
  if msg.dst ~= nil and msg.dst_len == nil then msg.dst_len = family == AF_INET6 and 128 or family == AF_MPLS and 20 or 32 end
  if family == AF_MPLS then
    local as = first(spec, "as", "newdst")
    if as ~= nil then msg.newdst = labels(as) end
  end

  local dev = first(spec, "dev", "oif", "ifname")
  if dev ~= nil then msg.oif = interface(ctx, dev, "dev") end
  local iif = first(spec, "iif")
  if iif ~= nil then msg.iif = interface(ctx, iif, "iif") end
  encap(msg, spec)
  metrics(spec, msg)

  local changing = verb ~= "del" and verb ~= "get"
  local kind = first(spec, "type")
  msg.type = kind ~= nil and V.type(kind) or (changing and 1 or 0)
  local proto = first(spec, "proto", "protocol")
  msg.proto = proto ~= nil and V.proto(proto) or (changing and 4 or 0)
  local t = first(spec, "table")
  local table_ = t ~= nil and V.table(t) or (msg.type == 2 or msg.type == 3 or msg.type == 4) and 255 or 254
  if verb == "get" then table_ = t and V.table(t) or 0 end
  msg.table = table_ < 256 and table_ or 252
  if table_ > 255 then msg.RTA_TABLE = table_ end
  local scope = first(spec, "scope")
  if scope ~= nil then
    msg.scope = V.scope(scope)
  elseif family == AF_INET6 or family == AF_MPLS then
    msg.scope = 0
  elseif verb == "del" then
    msg.scope = 255
  elseif changing and msg.type == 2 then
    msg.scope = 254
  elseif changing and (msg.type == 3 or msg.type == 4 or msg.type == 5) then
    msg.scope = 253
  elseif changing and msg.type == 1 and not msg.gateway and not msg.via and not msg.multipath and spec.nh_id == nil and spec.nhid == nil then
    msg.scope = 253
  else
    msg.scope = 0
  end
  local metric = first(spec, "metric", "priority")
  if metric ~= nil then msg.priority = metric end
  local tos = first(spec, "tos", "dsfield")
  if tos ~= nil then msg.tos = tos end
  local id = first(spec, "nhid", "nh_id")
  if id ~= nil then msg.nh_id = id end
  local flags = spec.flags and V.mask("route", first(spec, "flags")) or 0
  if first(spec, "onlink") then flags = bit.bor(flags, 4) end
  if verb == "get" then
    if family == AF_INET then flags = bit.bor(flags, 0x1000) end -- RTM_F_LOOKUP_TABLE, which IPv6 does not know
    if first(spec, "fibmatch") then flags = bit.bor(flags, 0x2000) end
    if msg.dst_len == nil then raise("argument", "route get: want dst=\"10.0.0.1\"") end
  end
  msg.flags = flags
  local p = first(spec, "pref")
  if p ~= nil then msg.pref = V.pref(p) end
  local expires = first(spec, "expires")
  if expires ~= nil then msg.expires = expires end
  if WITHOUT_DEVICE[msg.type] and family == AF_INET then msg.oif = nil end
  for key, v in pairs(spec) do msg[key] = number(v) end
  return msg
end

--- Neighbours ------------------------------------------------------------------------

---The message of a neighbour, or of an entry of a bridge's table.
function R.neigh(ctx, verb, spec, bridge)
  spec = copy(spec)
  local msg = {}
  local dev = first(spec, "dev", "ifindex", "index", "ifname")
  msg.ifindex = interface(ctx, want(dev, "dev", "neigh " .. verb, "dev=\"eth0\" or ifindex=2"), "dev")
  local dst = first(spec, "dst", "to", "address")
  local family = spec.family and V.family(first(spec, "family")) or bridge and AF_BRIDGE or nil
  local flags = spec.flags and V.mask("ntf", first(spec, "flags")) or 0
  for _, b in ipairs(V.bits.ntf) do
    if spec[b[2]] == true then
      first(spec, b[2])
      flags = bit.bor(flags, b[1])
    end
  end
  local proxy = first(spec, "proxy")
  if type(proxy) == "string" then
    dst, flags = proxy, bit.bor(flags, 0x8)
  end
  if dst ~= nil then
    local ip, _, f = V.prefix(dst, "dst")
    msg.dst, family = ip, family or f
  end
  if family == nil then raise("argument", ("neigh %s: want dst=\"10.0.0.1\""):format(verb)) end
  msg.family = family
  if family == AF_BRIDGE and bit.band(flags, 0x6) == 0 and verb ~= "get" then flags = bit.bor(flags, 0x4) end -- as bridge fdb: the bridge's, unless self is said
  msg.flags = flags
  local state = first(spec, "state", "nud")
  if state ~= nil then
    msg.state = state == "none" and 0 or V.mask("nud", state, "state")
  elseif verb ~= "del" and verb ~= "get" then
    msg.state = (bit.band(flags, 0x8) ~= 0 or msg.flags == 0x10) and 0 or 0x80
  end
  local proto = first(spec, "protocol", "proto")
  if proto ~= nil then msg.protocol = V.proto(proto) end
  local mac = first(spec, "lladdr", "mac")
  if mac ~= nil then msg.lladdr = mac end
  local via = first(spec, "via")
  if via ~= nil then msg.NDA_IFINDEX = interface(ctx, via, "via") end
  local master = spec.master
  if type(master) == "string" then
    spec.master = nil
    msg.master = interface(ctx, master, "master")
  end
  for key, v in pairs(spec) do msg[key] = number(v) end
  return msg
end

--- Rules ---------------------------------------------------------------------------------

local function span(v, what)
  if type(v) == "number" then return {start = v, ["end"] = v} end
  if type(v) == "table" then return {start = v.start or v[1], ["end"] = v["end"] or v[2] or v.start or v[1]} end
  local a, b = tostring(v):match("^(%d+)%-(%d+)$")
  if not a then
    a = tostring(v):match("^(%d+)$")
    b = a
  end
  if not a then raise("argument", ("%s: want a number or a range such as \"1000-2000\", got %q"):format(what, tostring(v))) end
  return {start = tonumber(a), ["end"] = tonumber(b)}
end

---The message of a rule.
function R.rule(ctx, verb, spec)
  spec = copy(spec)
  local msg = {}
  local family = spec.family and V.family(first(spec, "family")) or nil
  for _, row in ipairs{{"src", "from"}, {"dst", "to"}} do
    local v = first(spec, row[1], row[2])
    local len = first(spec, row[1] .. "_len")
    if v ~= nil then
      local ip, n, f = V.prefix(v, row[2], family)
      if ip ~= nil then
        family = family or f
        msg[row[1]], msg[row[1] .. "_len"] = ip, len or n or (f == AF_INET6 and 128 or 32)
      end
    end
  end
  msg.family = family or AF_INET
  local iif, oif = first(spec, "iif", "iifname"), first(spec, "oif", "oifname")
  if iif ~= nil then msg.iifname = iif end
  if oif ~= nil then msg.oifname = oif end
  local mark = first(spec, "fwmark", "mark")
  if mark ~= nil then
    local m, mask = mark, first(spec, "fwmask")
    if type(mark) == "string" then
      local a, b = mark:match("^([^/]+)/(.+)$")
      m, mask = tonumber(a or mark), b and tonumber(b) or mask
      if not m or b and not mask then raise("argument", ("fwmark: want a number or one such as \"0x10/0xff\", got %q"):format(mark)) end
    end
    msg.fwmark = m
    if mask ~= nil then msg.fwmask = mask end
  end
  local prio = first(spec, "priority", "pref", "preference", "order")
  if prio ~= nil then msg.priority = prio end
  local tos = first(spec, "tos", "dsfield")
  if tos ~= nil then msg.tos = tos end
  local proto = first(spec, "ipproto", "ip_proto")
  if proto ~= nil then msg.ip_proto = V.ipproto(proto) end
  for word, name in pairs{sport = "sport_range", dport = "dport_range", uidrange = "uid_range"} do
    local v = first(spec, name, word)
    if v ~= nil then msg[name] = span(v, word) end
  end
  local spl = first(spec, "suppress_prefixlength", "suppress_prefixlen")
  if spl ~= nil then msg.suppress_prefixlen = spl end
  local sg = first(spec, "suppress_ifgroup")
  if sg ~= nil then msg.suppress_ifgroup = V.group(sg) end
  local inv = first(spec, "not", "invert")
  if inv then msg.flags = 2 end

  local goto_ = first(spec, "goto")
  local action = first(spec, "action")
  for _, word in ipairs{"blackhole", "unreachable", "prohibit", "nop"} do
    if first(spec, word) then action = word end
  end
  local t = first(spec, "table", "lookup")
  local l3 = first(spec, "l3mdev")
  if l3 then msg.l3mdev = 1 end
  if goto_ ~= nil then
    msg["goto"] = goto_
    action = action or "goto"
  end
  if verb ~= "del" and action == nil and t == nil and not l3 then t = "main" end
  if t ~= nil then
    local n = V.table(t)
    msg.table = n < 256 and n or 252
    if n > 255 then msg.FRA_TABLE = n end
    action = action or "to_tbl"
  elseif l3 then
    action = action or "to_tbl"
  end
  if action ~= nil then msg.action = V.action(action) end
  local rp = first(spec, "protocol", "proto")
  if rp ~= nil then
    msg.protocol = V.proto(rp)
  elseif verb ~= "del" then
    msg.protocol = 4
  end
  for key, v in pairs(spec) do msg[key] = number(v) end
  return msg
end

--- Next hops and namespaces ----------------------------------------------------------

---The message of a next hop.
function R.nexthop(ctx, verb, spec)
  spec = copy(spec)
  local msg = {}
  msg.id = first(spec, "id", "nhid", "nh_id")
  if (verb == "del" or verb == "get") and msg.id == nil then raise("argument", ("nexthop %s: want its id"):format(verb)) end
  local family = spec.family and V.family(first(spec, "family")) or nil
  local group = first(spec, "group")
  if group ~= nil then
    local list = {}
    for i, g in ipairs(group) do
      if type(g) == "number" then g = {id = g} end
      local weight = g.weight or g[2]
      list[i] = {id = g.id or g[1], weight = weight and weight - 1 or 0}
    end
    msg.group = list
    family = family or 0
  end
  local gwf = gateway(msg, spec, family)
  family = family or gwf
  encap(msg, spec)
  local dev = first(spec, "dev", "oif", "ifname")
  if dev ~= nil then msg.oif = interface(ctx, dev, "dev") end
  if first(spec, "blackhole") then msg.blackhole = true end
  if first(spec, "fdb") then msg.fdb = true end
  msg.family = family or (verb == "del" or verb == "get") and 0 or AF_INET
  local proto = first(spec, "protocol", "proto")
  if proto ~= nil then
    msg.protocol = V.proto(proto)
  elseif verb ~= "del" and verb ~= "get" then
    msg.protocol = 4
  end
  local flags = spec.flags and V.mask("route", first(spec, "flags")) or 0
  if first(spec, "onlink") then flags = bit.bor(flags, 4) end
  if flags ~= 0 then msg.flags = flags end
  for key, v in pairs(spec) do msg[key] = v end
  return msg
end

---The message of a namespace's number.
function R.nsid(ctx, verb, spec)
  spec = copy(spec)
  local msg = {family = 0}
  local ns = first(spec, "netns", "pid", "fd")
  if ns ~= nil then namespace(ctx, msg, ns, "pid", "fd") end
  if verb == "add" and ns == nil then raise("argument", "nsid add: want netns=, a namespace, its name or a process in it") end
  msg.nsid = first(spec, "nsid", "id")
  if verb == "add" and msg.nsid == nil then msg.nsid = -1 end -- the kernel picks one
  for key, v in pairs(spec) do msg[key] = v end
  return msg
end

--- Traffic control ------------------------------------------------------------------------

-- Time in the kernel's ticks of packet schedulers, 64 ns each since Linux 2.6.31.
local TICK = 64e-9
local function ticks(seconds) return math.floor(seconds / TICK + 0.5) end

-- struct tc_ratespec: octets a second; the kernel computes times itself.
local function ratespec(rate)
  return {linklayer = 1, rate = math.min(math.floor(rate), 0xffffffff), cell_log = 0, overhead = 0, mpu = 0}
end

local OPTIONS = {}

function OPTIONS.tbf(o)
  local rate = V.rate(want(first(o, "rate"), "rate", "tbf", "rate=\"1mbit\""), "rate")
  local burst = V.size(want(first(o, "burst", "buffer"), "burst", "tbf", "burst=\"10k\""), "burst")
  local limit, latency = first(o, "limit"), first(o, "latency")
  if limit ~= nil then
    limit = V.size(limit, "limit")
  else
    limit = math.floor(rate * V.time(latency or 0.05, "latency") + burst)
  end
  local out = {parms = {rate = ratespec(rate), limit = limit, buffer = ticks(burst / rate), mtu = 0}, burst = burst}
  if rate > 0xffffffff then out.rate64 = rate end
  return out
end

function OPTIONS.htb(o, class)
  if not class then
    local out = {init = {version = 3, rate2quantum = first(o, "r2q") or 10, defcls = 0, debug = 0, direct_pkts = 0}}
    local def = first(o, "default", "defcls")
    if def ~= nil then out.init.defcls = type(def) == "string" and tonumber((def:gsub("^0x", "")), 16) or def end
    if o.direct_qlen then out.direct_qlen = o.direct_qlen end
    return out
  end
  local rate = V.rate(want(first(o, "rate"), "rate", "htb class", "rate=\"1mbit\""), "rate")
  local ceil = V.rate(first(o, "ceil") or rate, "ceil")
  local burst = first(o, "burst")
  burst = burst ~= nil and V.size(burst, "burst") or 1600 -- as tc where timers are fine
  local cburst = first(o, "cburst")
  cburst = cburst ~= nil and V.size(cburst, "cburst") or 1600
  local out = {parms = {rate = ratespec(rate), ceil = ratespec(ceil), buffer = ticks(burst / rate), cbuffer = ticks(cburst / ceil),
    quantum = first(o, "quantum") or 0, level = 0, prio = first(o, "prio") or 0}}
  if rate > 0xffffffff then out.rate64 = rate end
  if ceil > 0xffffffff then out.ceil64 = ceil end
  return out
end

function OPTIONS.pfifo(o) return {limit = first(o, "limit") or 1000} end
function OPTIONS.bfifo(o) return {limit = V.size(first(o, "limit") or 1500000, "limit")} end

function OPTIONS.netem(o)
  local function time(...)
    local v = first(o, ...)
    return v ~= nil and V.time(v, "delay") or 0
  end
  local function share(...)
    local v = first(o, ...)
    if v == nil then return 0 end
    if type(v) == "string" then v = tonumber((v:gsub("%%$", ""))) end
    if type(v) ~= "number" then raise("argument", "netem: want a share in percent, such as loss=1") end
    return math.floor(v / 100 * 0xffffffff + 0.5)
  end
  local delay, jitter = time("delay", "latency"), time("jitter")
  local out = {latency = ticks(delay), jitter = ticks(jitter), limit = first(o, "limit") or 1000, loss = share("loss"), gap = first(o, "gap") or 0, duplicate = share("duplicate")}
  out.LATENCY64, out.JITTER64 = math.floor(delay * 1e9 + 0.5), math.floor(jitter * 1e9 + 0.5)
  local reorder, corrupt = share("reorder"), share("corrupt")
  if reorder ~= 0 then
    out.reorder = {probability = reorder, correlation = share("reorder_corr")}
    if out.gap == 0 then out.gap = 1 end
  end
  if corrupt ~= 0 then out.corrupt = {probability = corrupt, correlation = share("corrupt_corr")} end
  local dc, lc, uc = share("delay_corr"), share("loss_corr"), share("duplicate_corr")
  if dc + lc + uc > 0 then out.corr = {delay_corr = dc, loss_corr = lc, dup_corr = uc} end
  local rate = first(o, "rate")
  if rate ~= nil then out.rate = {rate = V.rate(rate, "rate"), packet_overhead = 0, cell_size = 0, cell_overhead = 0} end
  return out
end

for _, kind in ipairs{"fq_codel", "codel"} do
  OPTIONS[kind] = function(o)
    local out = {}
    for _, row in ipairs{{"target"}, {"interval"}, {"ce_threshold"}} do
      local v = first(o, row[1])
      if v ~= nil then out[row[1]] = math.floor(V.time(v, row[1]) * 1e6 + 0.5) end
    end
    for _, word in ipairs{"limit", "flows", "quantum", "ecn", "memory_limit"} do
      local v = first(o, word)
      if v ~= nil then out[word] = number(v) end
    end
    return out
  end
end

-- What a filter does with what it matches: redirect and mirror name an interface,
-- action is "drop", "pass" …, or a list of actions as the message has them.
local function actions(ctx, o)
  local list = {}
  for _, row in ipairs{{"mirror", "egress_mirror", "pipe"}, {"redirect", "egress_redirect", "stolen"}} do
    local to = first(o, row[1])
    if to ~= nil then
      list[#list + 1] = {kind = "mirred", options = {parms = {action = row[3], eaction = row[2], ifindex = interface(ctx, to, row[1])}}}
    end
  end
  local action = first(o, "action")
  if type(action) == "table" then
    for _, a in ipairs(action) do list[#list + 1] = a end
  elseif action ~= nil then
    list[#list + 1] = {kind = "gact", options = {parms = {action = action}}}
  end
  return #list > 0 and list or nil
end

-- An IPv4 prefix as 32 bits and their mask.
local function bits32(text, what)
  local ip, len = V.prefix(text, what)
  if ip == nil or ip:find(":", 1, true) then raise("argument", ("%s: u32 matches IPv4 here, got %q; keys match anything"):format(what, text)) end
  local a, b, c, d = ip:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  local mask = 2 ^ 32 - 2 ^ (32 - (len or 32))
  local value = ((a * 256 + b) * 256 + c) * 256 + d
  return value - value % 2 ^ (32 - (len or 32)), mask
end

local FILTERS = {}

-- 32 bits at an offset from the IP header: keys = {"VALUE/MASK+OFFSET", …} as in
-- pyroute2, or the words of tc for a header without options.
function FILTERS.u32(o, ctx)
  local keys = {}
  local function key(value, mask, off)
    for _, k in ipairs(keys) do
      if k.off == off then -- one key for each place, as tc
        k.val, k.mask = bit.bor(k.val, value) % 2 ^ 32, bit.bor(k.mask, mask) % 2 ^ 32
        return
      end
    end
    keys[#keys + 1] = {val = value, mask = mask, off = off, offmask = 0}
  end
  local src, dst, proto = first(o, "src"), first(o, "dst"), first(o, "ipproto", "ip_proto")
  if src ~= nil then
    local value, mask = bits32(src, "src")
    key(value, mask, 12)
  end
  if dst ~= nil then
    local value, mask = bits32(dst, "dst")
    key(value, mask, 16)
  end
  if proto ~= nil then key(V.ipproto(proto) * 65536, 0xff0000, 8) end
  local sport, dport = first(o, "sport"), first(o, "dport")
  if sport ~= nil then key(sport * 65536, 0xffff0000, 20) end
  if dport ~= nil then key(dport, 0xffff, 20) end
  for _, text in ipairs(first(o, "keys") or {}) do
    local value, mask, off = tostring(text):match("^([%xx]+)/([%xx]+)%+(%d+)$")
    if not value then raise("argument", ("keys: want \"VALUE/MASK+OFFSET\" such as \"0x0a090000/0xffff0000+16\", got %q"):format(tostring(text))) end
    key(tonumber(value), tonumber(mask), tonumber(off))
  end
  if #keys == 0 then key(0, 0, 0) end -- everything
  return {sel = {flags = "terminal", nkeys = #keys, keys = keys}}
end
function FILTERS.matchall() return {} end
function FILTERS.fw() return {} end

-- tc's attributes and fields that are no options.
local TC_OWN = {kind = true, options = true, chain = true, ingress_block = true, egress_block = true, rate = false, stab = true, stats = true, hw_offload = true}

---The message of a queueing discipline, a class or a filter; what is "qdisc",
---"class" or "filter".
function R.tc(ctx, verb, spec, what)
  spec = copy(spec)
  local msg = {family = 0}
  local dev = first(spec, "dev", "index", "ifindex", "ifname")
  local member = ctx.index_field
  msg[member] = interface(ctx, want(dev, "dev", "tc " .. verb, "dev=\"eth0\" or index=2"), "dev")
  local kind = first(spec, "kind")
  local root = first(spec, "root")
  local parent, handle = first(spec, "parent"), first(spec, "handle")
  if what ~= "filter" and handle == nil then handle = first(spec, "classid") end
  if root then parent = "root" end
  if kind == "ingress" then
    parent, handle = parent or "ingress", handle or "ffff:"
  elseif kind == "clsact" then
    parent, handle = parent or "clsact", handle or "ffff:"
  elseif what == "qdisc" and parent == nil then
    parent = "root"
  end
  if parent ~= nil then msg.parent = V.handle(parent, "parent") end
  if parent == "ingress" and what == "filter" then msg.parent = 0xfffffff2 end
  if parent == "egress" and what == "filter" then msg.parent = 0xfffffff3 end
  if handle ~= nil then msg.handle = V.handle(handle) end
  if kind ~= nil then msg.kind = kind end
  if what == "filter" then
    local prio, proto = first(spec, "prio", "pref", "priority"), first(spec, "protocol")
    local number_ = proto ~= nil and V.ethertype(proto) or (verb == "del" or verb == "get") and 0 or 3
    -- In tcm_info: the priority, and the protocol in the network's order.
    msg.info = (prio or 0) * 65536 + (number_ % 256) * 256 + math.floor(number_ / 256)
  end
  for key, own in pairs(TC_OWN) do
    if own and spec[key] ~= nil then msg[key] = first(spec, key) end
  end
  if what == "filter" and FILTERS[kind] and msg.options == nil and verb ~= "del" and verb ~= "get" then
    local class = first(spec, "flowid", "classid", "target")
    msg.options = FILTERS[kind](spec, ctx)
    if class ~= nil then msg.options.classid = V.handle(class, "flowid") end
    msg.options.act = actions(ctx, spec)
    for key, v in pairs(spec) do msg.options[key] = number(v) end
  elseif next(spec) ~= nil and verb ~= "del" and verb ~= "get" or (OPTIONS[kind] and verb ~= "del" and verb ~= "get" and what ~= "filter") then
    local f = OPTIONS[kind]
    if f then
      msg.options = f(spec, what == "class")
      for key in pairs(spec) do
        raise("argument", ("tc %s: %s has no option %q"):format(verb, kind, tostring(key)))
      end
    else
      msg.options = msg.options or {}
      for key, v in pairs(spec) do msg.options[key] = number(v) end
    end
  end
  return msg
end

--- What is said most often ----------------------------------------------------------

-- The words of the usual requests, for those who make thousands of them. Whatever
-- is not as simple as this goes through the functions above: both make the same
-- octets, which the spec of netlink.route compares.
local NUD = {none = 0}
for _, b in ipairs(V.bits.nud) do NUD[b[2]] = b[1] end

local function all(...)
  local out = {}
  for i = 1, select("#", ...) do
    for words, what in pairs((select(i, ...))) do
      for word in words:gmatch("%S+") do out[word] = what end
    end
  end
  return out
end

local ROUTE = {
  ["dst to"] = "prefix dst dst_len", ["via gateway gw"] = "address gateway", prefsrc = "address prefsrc", ["dev oif"] = "index oif", iif = "index iif",
  table = "table table RTA_TABLE table", ["proto protocol"] = "word proto proto", ["metric priority"] = "number priority", ["tos dsfield"] = "number tos",
  ["nhid nh_id"] = "number nh_id",
}
local ROUTE_REST = {"family 2", "dst_len 32 inet +dst", "dst_len 128 inet6 +dst", "flags 0"}
local ADDR = {
  ["dev index ifname oif"] = "index index", ["address addr local"] = "prefix local prefixlen address", ["prefixlen mask prefix"] = "number prefixlen",
  ["broadcast brd"] = "address broadcast", label = "text label", scope = "word scope scope", ["metric priority"] = "number rt_priority",
}
local NEIGH = {["dev ifindex index ifname"] = "index ifindex", ["dst to address"] = "address dst", ["lladdr mac"] = "text lladdr", ["state nud"] = "word state nud"}
local NEIGH_REST = {"flags 0", "need ifindex", "need dst"}
local LINK = {["ifname name dev"] = "name ifname", index = "number index", ext_mask = "number ext_mask"}
local LINK_SET = {
  ["ifname name dev"] = "name ifname", index = "number index", ["state up"] = "switch flags change", mtu = "number mtu", ["address lladdr mac"] = "text address",
  master = "index master", ["alias ifalias"] = "text ifalias", ["txqlen txqueuelen qlen"] = "number txqlen",
}

local function plus(list, ...)
  local out = {...}
  for _, text in ipairs(list) do out[#out + 1] = text end
  return out
end

-- By object and what is done: words, and what is so when nothing is said.
local USUAL = {
  route = {
    add = {all(ROUTE, {src = "address prefsrc"}), plus(ROUTE_REST, "type 1", "proto 4", "table 254", "scope 0 inet6", "scope 0 +gateway", "scope 0 +nh_id", "scope 253")},
    del = {all(ROUTE, {src = "address prefsrc"}), plus(ROUTE_REST, "type 0", "proto 0", "table 254", "scope 0 inet6", "scope 255")},
    get = {all(ROUTE), {"family 2", "dst_len 32 inet +dst", "dst_len 128 inet6 +dst", "need dst_len", "type 0", "proto 0", "table 0", "scope 0", "flags 4096 inet"}},
  },
  addr = {
    add = {all(ADDR), {"prefixlen 32 inet", "prefixlen 128 inet6", "need index", "need local"}},
    del = {all(ADDR), {"prefixlen 32 inet", "prefixlen 128 inet6", "need index", "need local"}},
  },
  neigh = {
    add = {all(NEIGH), plus(NEIGH_REST, "state 128")},
    del = {all(NEIGH), NEIGH_REST},
    get = {all(NEIGH), NEIGH_REST},
  },
  link = {
    set = {all(LINK_SET), {"need index|ifname"}},
    del = {all(LINK), {"need index|ifname"}},
    get = {all(LINK), {"need index|ifname"}},
  },
}
local VOCABULARIES = {table = V.numbers.table, proto = V.numbers.proto, scope = V.numbers.scope, nud = NUD}

---The netlink.Wording of what is usually said of an object with a verb; nil: there
---is none.
function R.usual(name, verb)
  local verbs = USUAL[name]
  local u = verbs and (verbs[verb] or verb ~= "get" and (name == "link" and verb == "change" and verbs.set or name ~= "link" and verbs.add))
  if not u then return nil end
  if not u.wording then u.wording = netlink.wording(netlink.rtnl[name], u[1], u[2], VOCABULARIES) end
  return u.wording
end

return R
