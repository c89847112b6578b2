-- The words of iproute2 for the kernel's numbers, both ways, and what people
-- write for addresses, masks, flags, rates and times. What the system's own
-- files in /etc/iproute2 say comes on top of the built-in words, as in ip.
--
-- Sources: linux/rtnetlink.h, linux/if.h, linux/neighbour.h, linux/if_addr.h,
-- linux/fib_rules.h; the files rt_tables, rt_protos, rt_scopes, group of iproute2.
local words = require("netlink.words")
local V = {}

-- What a word is called, the words by number, the system's file of them. The
-- words stand by the negative of their number: a table keeps a place for every
-- positive one below its greatest.
local function vocabulary(what, names, file)
  local v = {what = what, names = {}, numbers = {}, file = file}
  for n, word in pairs(names) do
    if type(n) == "string" then n, word = word, n end
    v.names[-n], v.numbers[word] = word, n
  end
  return v
end

-- The system's file is read at the first word or number that is not among the
-- built-in ones.
local function read_system(v)
  if not v.file then return end
  local name = v.file
  v.file = nil
  for _, dir in ipairs{"/usr/share/iproute2/", "/usr/lib/iproute2/", "/etc/iproute2/"} do
    local f = io.open(dir .. name)
    if f then
      for line in f:lines() do
        local n, word = line:match("^%s*(%w+)%s+([^%s#]+)")
        n = tonumber(n)
        if n then v.names[-n], v.numbers[word] = word, n end
      end
      f:close()
    end
  end
end

-- The word of a number, nil when there is none. A value that is a word already
-- is that word.
local function word_of(v, n)
  if type(n) ~= "number" then return n end
  if not v.names[-n] then read_system(v) end
  return v.names[-n]
end

local function all_words(v)
  local list = {}
  for _, word in pairs(v.names) do list[#list + 1] = word end
  table.sort(list)
  return table.concat(list, ", ")
end

-- The number of a word; a number, or digits in a string, is itself.
local function number_of(v, word)
  if type(word) == "number" then return word end
  if type(word) ~= "string" then
    raise("argument", ("%s: want a word or a number, got %s"):format(v.what, type(word)))
  end
  local n = v.numbers[word] or v.numbers[word:lower()] or tonumber(word)
  if not n then
    read_system(v)
    n = v.numbers[word]
  end
  return n or raise("argument", ("%s: there is no %q; want a number or one of %s"):format(v.what, word, all_words(v)))
end

-- V.table("main") is 254; V.table_word(254) is "main", of a stranger nil;
-- V.table_name(254) is "main", of a stranger its digits. V.numbers.table has those
-- that are known so far.
V.numbers = {}
for name, v in pairs{
  family = vocabulary("family", words.family),
  table = vocabulary("table", words.table, "rt_tables"),
  proto = vocabulary("proto", words.protocol, "rt_protos"),
  scope = vocabulary("scope", words.scope, "rt_scopes"),
  type = vocabulary("type", words.route),
  ipproto = vocabulary("ipproto", words.ipproto),
  ethertype = vocabulary("protocol", words.ethertype),
  encap = vocabulary("encap", words.encap),
  -- FR_ACT_*
  action = vocabulary("action", {[0] = "unspec", "to_tbl", "goto", "nop", "res3", "res4", "blackhole", "unreachable", "prohibit"}),
  group = vocabulary("group", {[0] = "default"}, "group"),
  -- Router preference, linux/icmpv6.h
  pref = vocabulary("pref", {[0] = "medium", [1] = "high", [3] = "low"}),
  -- IF_OPER_*
  operstate = vocabulary("operstate", {[0] = "unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"}),
  -- IN6_ADDR_GEN_MODE_*
  addrgenmode = vocabulary("addrgenmode", {[0] = "eui64", "none", "stable_secret", "random"}),
  linkmode = vocabulary("linkmode", {[0] = "default", "dormant"}),
  arphrd = vocabulary("type", words.arphrd),
} do
  V.numbers[name] = v.numbers
  V[name] = function(word) return number_of(v, word) end
  V[name .. "_word"] = function(n) return word_of(v, n) end
  V[name .. "_name"] = function(n) return word_of(v, n) or tostring(n) end
end

---The name of a user ("passwd") or a group by its number, as the system's file
---has it.
function V.account(file, id)
  local f = io.open("/etc/" .. file)
  if not f then return tostring(id) end
  local found
  for line in f:lines() do
    local name, n = line:match("^([^:]+):[^:]*:(%d+):")
    if tonumber(n) == id then found = name break end
  end
  f:close()
  return found or tostring(id)
end

-- How many letters differ, at most 3.
local function distance(a, b)
  if math.abs(#a - #b) > 2 then return 3 end
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local last = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and last or math.min(last, row[j], row[j - 1]) + 1
      last, row[j] = row[j], cost
    end
  end
  return row[#b]
end

---"; did you mean \"mtu\"?" for a word that is not among those that there are.
function V.suggest(word, words)
  local best, least = nil, #word <= 3 and 2 or 3
  for _, w in ipairs(words) do
    local d = distance(word:lower(), w:lower())
    if d < least then best, least = w, d end
  end
  return best and ("; did you mean %q?"):format(best) or ""
end

--- Flags ---------------------------------------------------------------------

-- Words bit by bit, in the order in which ip prints them.
V.bits = {
  -- IFF_*, linux/if.h
  link = {{0x8, "LOOPBACK"}, {0x2, "BROADCAST"}, {0x10, "POINTOPOINT"}, {0x1000, "MULTICAST"}, {0x80, "NOARP"}, {0x200, "ALLMULTI"},
    {0x100, "PROMISC"}, {0x400, "MASTER"}, {0x800, "SLAVE"}, {0x4, "DEBUG"}, {0x8000, "DYNAMIC"}, {0x4000, "AUTOMEDIA"}, {0x2000, "PORTSEL"},
    {0x20, "NOTRAILERS"}, {0x1, "UP"}, {0x10000, "LOWER_UP"}, {0x20000, "DORMANT"}, {0x40000, "ECHO"}, {0x40, "RUNNING"}},
  -- IFA_F_*, linux/if_addr.h
  addr = {{0x1, "secondary"}, {0x40, "tentative"}, {0x20, "deprecated"}, {0x10, "home"}, {0x2, "nodad"}, {0x4, "optimistic"},
    {0x100, "mngtmpaddr"}, {0x200, "noprefixroute"}, {0x400, "autojoin"}, {0x800, "stable-privacy"}, {0x80, "permanent"}, {0x8, "dadfailed"}},
  -- RTNH_F_* and RTM_F_*, linux/rtnetlink.h
  route = {{0x1, "dead"}, {0x4, "onlink"}, {0x2, "pervasive"}, {0x8, "offload"}, {0x40, "trap"}, {0x100, "notify"}, {0x10, "linkdown"},
    {0x20, "unresolved"}, {0x4000, "rt_offload"}, {0x8000, "rt_trap"}, {0x20000000, "rt_offload_failed"},
    {0x200, "cloned"}, {0x400, "equalize"}, {0x800, "prefix"}, {0x1000, "lookup_table"}, {0x2000, "fib_match"}},
  -- NUD_*, linux/neighbour.h: a neighbour is in one of these states
  nud = {{0x1, "incomplete"}, {0x2, "reachable"}, {0x4, "stale"}, {0x8, "delay"}, {0x10, "probe"}, {0x20, "failed"}, {0x40, "noarp"}, {0x80, "permanent"}},
  -- NTF_*
  ntf = {{0x1, "use"}, {0x2, "self"}, {0x4, "master"}, {0x8, "proxy"}, {0x10, "extern_learn"}, {0x20, "offload"}, {0x40, "sticky"}, {0x80, "router"}},
  -- FIB_RULE_*
  rule = {{0x1, "permanent"}, {0x2, "invert"}, {0x4, "unresolved"}, {0x8, "iif_detached"}, {0x10, "oif_detached"}, {0x10000, "find_saddr"}},
}
-- Other spellings of the same bits.
local ALIASES = {temporary = "secondary", homeaddress = "home", ext_learn = "extern_learn", ext_learned = "extern_learn", stable_privacy = "stable-privacy"}

-- What texts of flags mean, as messages have them again and again.
local memo, memos = {}, 0

local function bit_of(kind, word)
  local n = tonumber(word)
  if n then return n end
  local w = word:lower():gsub("^iff_", ""):gsub("^nud_", ""):gsub("^ntf_", ""):gsub("^ifa_f_", ""):gsub("^rtnh_f_", ""):gsub("^rtm_f_", "")
  w = ALIASES[w] or w
  for _, b in ipairs(V.bits[kind]) do
    if b[2]:lower() == w then return b[1] end
  end
end

---The bits that words mean: a number, a word, several joined with "+", ",", "|"
---or blanks, or a list of these.
function V.mask(kind, value, what)
  local t = type(value)
  if t == "number" then return value end
  local known = memo[kind]
  if t == "string" then
    if known and known[value] then return known[value] end
    local list = {}
    for word in value:gmatch("[^%s,+|]+") do list[#list + 1] = word end
    local n = V.mask(kind, list, what)
    if memos < 4096 then
      if not known then
        known = {}
        memo[kind] = known
      end
      known[value], memos = n, memos + 1
    end
    return n
  end
  if t == "userdata" then return tonumber(tostring(value)) end
  if t ~= "table" then
    raise("argument", ("%s: want words or a number, got %s"):format(what or "flags", t))
  end
  local sum = 0
  for _, word in ipairs(value) do
    local n = bit_of(kind, tostring(word))
    if not n then
      local all = {}
      for i, b in ipairs(V.bits[kind]) do all[i] = b[2] end
      raise("argument", ("%s: there is no %q; want of %s"):format(what or "flags", tostring(word), table.concat(all, ", ")))
    end
    sum = bit.bor(sum, n) % 0x100000000
  end
  return sum
end

--- Addresses -------------------------------------------------------------------

---Splits "10.0.0.1/24" in address, prefix length (nil when there is none) and
---family; "default", "any" and "all" give nil and 0.
function V.prefix(text, what, family)
  if type(text) ~= "string" then
    raise("argument", ("%s: want an address such as \"10.0.0.1/24\", got %s"):format(what, type(text)))
  end
  if text == "default" or text == "any" or text == "all" then return nil, 0, family end
  local ip, slash, len = text:match("^([^/%s]+)(/?)([%d.]*)$")
  if (slash == "/") ~= (len ~= "") then ip = nil end
  if len == "" then len = nil end
  local shape = ip or ""
  if shape:find("^%d+%.%d+%.%d+%.%d+$") then
    family = 2
  elseif shape:find(":", 1, true) then
    family = 10
  elseif family ~= 28 or not shape:match("^%d+$") then -- 28: MPLS, a label
    raise("argument", ("%s: %q is no address; want one such as \"10.0.0.1/24\", \"2001:db8::1/64\" or \"default\""):format(what, text))
  end
  if len then
    local most = family == 10 and 128 or 32
    len = V.mask_length(len, what)
    if len > most then
      raise("range", ("%s: the prefix length of %q is over %d"):format(what, text, most))
    end
  end
  return ip, len, family
end

---The prefix length that a mask means: 24, "24" or "255.255.255.0".
function V.mask_length(mask, what)
  local n = tonumber(mask)
  if n then return n end
  local bits, done = 0, false
  local octets = {tostring(mask):match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")}
  for _, octet in ipairs(octets) do
    octet = tonumber(octet)
    for i = 7, 0, -1 do
      local set = math.floor(octet / 2 ^ i) % 2 == 1
      if set and done then bits = nil break end
      if set then bits = bits + 1 else done = true end
    end
    if not bits then break end
  end
  if #octets == 4 and bits then return bits end
  raise("argument", ("%s: %q is no mask; want a number of bits or one such as \"255.255.255.0\""):format(what or "mask", tostring(mask)))
end

---The broadcast address of an IPv4 prefix.
function V.broadcast(ip, len)
  local a, b, c, d = ip:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  local n = ((a * 256 + b) * 256 + c) * 256 + d
  local size = 2 ^ (32 - len)
  n = n - n % size + size - 1
  return ("%d.%d.%d.%d"):format(math.floor(n / 2 ^ 24), math.floor(n / 2 ^ 16) % 256, math.floor(n / 256) % 256, n % 256)
end

--- Traffic control -----------------------------------------------------------

local HANDLES = {root = 0xffffffff, none = 0, ingress = 0xfffffff1, clsact = 0xfffffff1, egress = 0xfffffff3}

---A handle: "1:10", "ffff:", "root", "ingress", a number.
function V.handle(text, what)
  if type(text) == "number" then return text end
  if HANDLES[text] then return HANDLES[text] end
  local major, minor = tostring(text):match("^(%x*):(%x*)$")
  if not major then
    raise("argument", ("%s: want one such as \"1:\", \"1:10\", \"root\" or a number, got %q"):format(what or "handle", tostring(text)))
  end
  return tonumber(major == "" and "0" or major, 16) * 65536 + tonumber(minor == "" and "0" or minor, 16)
end

---The text of a handle, "1:10".
function V.handle_name(n)
  if n == 0xffffffff then return "root" end
  if n == 0 then return "none" end
  local major, minor = math.floor(n / 65536), n % 65536
  if minor == 0 then return ("%x:"):format(major) end
  if major == 0 then return (":%x"):format(minor) end
  return ("%x:%x"):format(major, minor)
end

local RATES = {[""] = 1 / 8, bit = 1 / 8, kbit = 1e3 / 8, mbit = 1e6 / 8, gbit = 1e9 / 8, tbit = 1e12 / 8, bps = 1, kbps = 1e3, mbps = 1e6, gbps = 1e9, tbps = 1e12,
  kibit = 1024 / 8, mibit = 1024 ^ 2 / 8, gibit = 1024 ^ 3 / 8, kibps = 1024, mibps = 1024 ^ 2, gibps = 1024 ^ 3}
local SIZES = {[""] = 1, b = 1, k = 1024, kb = 1024, m = 1024 ^ 2, mb = 1024 ^ 2, g = 1024 ^ 3, gb = 1024 ^ 3, kbit = 128, mbit = 131072, gbit = 134217728}
local TIMES = {s = 1, sec = 1, secs = 1, ms = 1e-3, msec = 1e-3, msecs = 1e-3, us = 1e-6, usec = 1e-6, usecs = 1e-6, ns = 1e-9}

local function measure(text, units, what, example)
  if type(text) == "number" then return text end
  local n, u = tostring(text):lower():match("^([%d.]+)(%a*)$")
  n = tonumber(n)
  local factor = n and units[u]
  if not factor then
    raise("argument", ("%s: want a number or one such as %q, got %q"):format(what, example, tostring(text)))
  end
  return n * factor
end

---Octets a second: a number is that, a string has the units of tc: "1mbit", "10mbps".
function V.rate(text, what) return measure(text, RATES, what or "rate", "1mbit") end
---Octets: a number, or "10k".
function V.size(text, what) return measure(text, SIZES, what or "size", "10k") end
---Seconds: a number, or "50ms".
function V.time(text, what) return measure(text, TIMES, what or "time", "50ms") end

return V
