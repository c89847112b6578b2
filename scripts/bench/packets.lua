-- The work of the packet benchmarks as a user writes it, timed: one line each,
-- NAME <tab> seconds an operation. scripts/bench runs it beside its peers.
-- The argument is the name of a capture file to write and read.

local payload = ("x"):rep(22)

-- The best of five runs: the machine is shared, and only slowness is noise.
local function measure(name, n, work)
  local best = math.huge
  for _ = 1, 5 do
    local t = os.clock()
    work(n)
    best = math.min(best, (os.clock() - t) / n)
  end
  print(("%s\t%.3e"):format(name, best))
end

measure("build", 20000, function(n)
  for i = 1, n do
    local p = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}
      / IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1000 + i % 1024, dport = 9999} / payload
    local b = bytes(p)
  end
end)

local template = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}
  / IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1000, dport = 9999} / payload

measure("change", 50000, function(n)
  for i = 1, n do
    template.UDP.sport = i % 65536
    local b = bytes(template)
  end
end)

local octets = bytes(template)
measure("parse", 50000, function(n)
  for i = 1, n do
    local p = Ether.parse(octets)
    local src, dport = p.IP.src, p.UDP.dport
  end
end)

local w = connector.pcap_writer{file = arg[1]}
for i = 1, 1e6 do
  template.UDP.sport = i % 65536
  w:write(template)
end
w:close()

measure("capture", 1e6, function(n)
  local seen = 0
  local c = open("pcap:" .. arg[1])
  for p in c:packets() do
    if p.UDP.dport == 9999 then seen = seen + 1 end
  end
  c:close()
  assert(seen == n)
end)

measure("hub", 50000, function(n)
  local lan = connector.lan()
  local a, b = lan:port(), lan:port()
  for i = 1, n do
    a:write(octets)
    b:read(0)
  end
  lan:close()
end)

measure("callback", 100000, function(n)
  local lan = connector.lan()
  local a, b = lan:port(), lan:port()
  local seen = 0
  b:on_packet(function(p) if p.UDP.dport == 9999 then seen = seen + 1 end end)
  for i = 1, n do
    a:write(octets)
    if i % 256 == 0 then sleep(0) end
  end
  while seen < n do sleep(0) end
  lan:close()
end)

measure("switch", 100000, function(n)
  local tasks = {}
  for t = 1, 2 do
    tasks[t] = spawn(function() for _ = 1, n / 2 do sleep(0) end end)
  end
  for t = 1, 2 do tasks[t]:wait() end
end)

-- Memory of tasks asleep.
collectgarbage()
local before = collectgarbage("count")
local tasks = {}
for i = 1, 10000 do tasks[i] = spawn(function() sleep(3600) end) end
sleep(0)
collectgarbage()
print(("sleeper-kb\t%.3e"):format((collectgarbage("count") - before) / 10000))
for i = 1, 10000 do tasks[i]:cancel() end
