-- Netlink beside ip and pyroute2: run by the command bench in a network of its
-- own. Prints NAME<tab>SECONDS; each figure is the best of a few runs.
local python = arg[1]
local REQUEST, ACK, CREATE = netlink.NLM_F_REQUEST, netlink.NLM_F_ACK, netlink.NLM_F_CREATE

local function say(name, value) print(name .. "\t" .. value) end

local function best(n, fn)
  local least
  for i = 1, n do
    collectgarbage()
    local t0 = clock.now()
    fn()
    local t = clock.now() - t0
    least = math.min(least or t, t)
  end
  return least
end

local function sh(line)
  if os.execute(line) ~= 0 then error(line) end
end

-- pyroute2's figure: a script in which `work` does the thing once.
local function pyroute2(name, runs, prepare, work)
  local file = os.tmpname()
  local f = io.open(file, "w")
  f:write(([[
import time
from pyroute2 import IPRoute
ip = IPRoute()
%s
best = None
for i in range(%d):
    t = time.perf_counter()
    %s
    t = time.perf_counter() - t
    best = t if best is None else min(best, t)
print(best)
]]):format(prepare, runs, work))
  f:close()
  local p = io.popen(python .. " " .. file .. " 2>/dev/null")
  local t = tonumber(p:read("*a"))
  p:close()
  os.remove(file)
  if t then say("pyroute2-" .. name, t) end
end

sh"ip link set lo up; ip link add w0 type veth peer name w1; ip link set w0 up; ip link set w1 up; ip addr add 10.255.0.1/24 dev w0"
local s = netlink.socket{family = "route"}
local w0 = s:request({ifname = "w0"}, netlink.RTM_GETLINK, REQUEST)[1].index

say("pktsh-request", best(50, function()
  for i = 1, 500 do local name = s:request({index = 1}, netlink.RTM_GETLINK, REQUEST)[1].ifname end
end) / 500)
pyroute2("request", 5, "", "for j in range(1000): ip.link('get', index=1)[0].get_attr('IFLA_IFNAME')\n    t += (time.perf_counter() - t) * 0.999")

-- ---- adding routes ----

local function fill(n, first)
  local b = s:batch()
  for i = 0, n - 1 do
    b:put({
      family = 2, dst_len = 32, table = 254, proto = 3, scope = 253, type = 1,
      dst = ("10.%d.%d.%d"):format(first, math.floor(i / 256), i % 256), oif = w0,
    }, netlink.RTM_NEWROUTE, REQUEST + CREATE)
  end
  b:run()
end

local function empty() sh"ip route flush table main proto boot" end

local least
for i = 1, 5 do
  local t0 = clock.now()
  fill(10000, 20)
  local t = clock.now() - t0
  least = math.min(least or t, t)
  empty()
end
say("pktsh-batch", least)

local batch, undo = os.tmpname(), os.tmpname()
local f, g = io.open(batch, "w"), io.open(undo, "w")
for i = 0, 9999 do
  local dst = ("10.20.%d.%d"):format(math.floor(i / 256), i % 256)
  f:write("route add ", dst, " dev w0\n")
  g:write("route del ", dst, " dev w0\n")
end
f:close()
g:close()
least = nil
for i = 1, 5 do
  local t0 = clock.now()
  sh("ip -batch " .. batch)
  local t = clock.now() - t0
  least = math.min(least or t, t)
  empty()
end
say("ip-batch", least)
pyroute2("batch", 1, "from pyroute2 import IPBatch", ([[b = IPBatch()
    for i in range(10000): b.route('add', dst='10.20.%%d.%%d/32' %% (i // 256, i %% 256), oif=%d)
    ip.sendto(b.batch, (0, 0))
    while len(ip.get_routes(table=254)) < 10000: pass]]):format(w0))
empty()

-- ---- events ----

local function lines()
  local name = os.tmpname()
  local f = io.open(name, "w")
  for _, verb in ipairs{"add", "del"} do
    for i = 0, 19999 do f:write("route ", verb, (" 10.30.%d.%d dev w0\n"):format(math.floor(i / 256), i % 256)) end
  end
  f:close()
  return name
end
local both = lines()
local seen = 0
local e = netlink.socket{family = "route"}
e:bind{groups = "ipv4_route", async_cache = true}
e:register_callback(function(m) seen = seen + 1 end)
sh("ip -batch " .. both)
for i = 1, 500 do if seen >= 40000 then break end sleep(0.01) end
e:close()
say("pktsh-storm", seen)
for _, how in ipairs{"storm", "storm-async"} do
  local py = os.tmpname()
  f = io.open(py, "w")
  f:write(([[
import os, subprocess, threading, time
from pyroute2 import IPRoute
ip = IPRoute()
ip.bind(async_cache=%s)
seen = 0
def count(m):
    global seen
    if m.get('event', '').endswith('ROUTE'): seen += 1
ip.register_callback(count)
def read():
    for i in range(1000):
        try:
            while True: ip.get()
        except Exception: pass
threading.Thread(target=read, daemon=True).start()
subprocess.call(['ip', '-batch', '%s'])
last = -1
while seen != last:
    last = seen
    time.sleep(1)
print(seen, flush=True)
os._exit(0)
]]):format(how == "storm" and "False" or "True", both))
  f:close()
  local p = io.popen("timeout 60 " .. python .. " " .. py .. " 2>/dev/null")
  local n = tonumber(p:read("*a"))
  p:close()
  if n then say("pyroute2-" .. how, n) end
  os.remove(py)
end

-- ---- 50,000 routes ----

fill(50000, 40)
local GETROUTE = netlink.RTM_GETROUTE
say("pktsh-routes-field", best(5, function()
  local n = 0
  for m in s:dump({family = 2}, GETROUTE) do if m.dst then n = n + 1 end end
  if n < 50000 then error("only " .. n) end
end))
say("pktsh-routes-table", best(3, function()
  local n = 0
  for m in s:dump({family = 2}, GETROUTE) do if m:totable().dst then n = n + 1 end end
end))
say("ip-routes-field", best(3, function() sh"ip -j route show table all >/dev/null" end))
pyroute2("routes-table", 1, "", "n = len([r.get_attr('RTA_DST') for r in ip.get_routes(family=2)])")
empty()

-- ---- 5,000 links ----

least = nil
local b = s:batch()
for i = 1, 2500 do b:put({ifname = "n" .. i, linkinfo = {kind = "veth"}}, netlink.RTM_NEWLINK, REQUEST + CREATE) end
b:run()
local GETLINK = netlink.RTM_GETLINK
say("pktsh-links-field", best(5, function()
  local n = 0
  for m in s:dump({}, GETLINK) do if m.ifname then n = n + 1 end end
  if n < 5000 then error("only " .. n) end
end))
say("pktsh-links-table", best(3, function()
  for m in s:dump({}, GETLINK) do local x = m:totable() end
end))
say("ip-links-field", best(3, function() sh"ip -j link >/dev/null" end))
pyroute2("links-table", 1, "", "n = len([l.get_attr('IFLA_IFNAME') for l in ip.get_links()])")
s:close()
for _, name in ipairs{batch, undo, both} do os.remove(name) end
