-- Everything goes on while a script waits: a handler fires when a frame
-- arrives, a timer when its time comes, and a task reads in straight lines.

local lan = connector.lan{latency = 0.001}
local a, b = lan:port(), lan:port()

-- A handler gets every frame that arrives.
b:on_packet(function(p) print("handler saw", p) end)

-- A task blocks, and nobody else notices.
local reader = spawn(function()
  local p = b:read_packet(5)       -- nil after five seconds
  return "the task read port " .. p.UDP.dport
end)

-- A timer sends.
local n = 0
local timer = every(0.01, function()
  n = n + 1
  a:write(Ether{dst = "ff:ff:ff:ff:ff:ff"} / IP{src = "10.0.0.1", dst = "10.0.0.255"} / UDP{sport = 68, dport = n})
end)

print(reader:wait())
sleep(0.035)
timer:cancel()

-- Absence returns: nothing comes to a within 10 ms. Failure raises: b is closed.
print("read", a:read(0.01))
b:close()
local ok, err = pcall(b.read, b, 1)
print(ok, err.kind, err)
