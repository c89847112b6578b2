-- Connectors: what holds for all of them, on a memory LAN. What the conformance
-- list asks is in connector/.

-- on_lan is a test with two ports of a LAN.
local function on_lan(name, fn)
  test(name, function()
    local lan = connector.lan()
    fn(lan:port(), lan:port())
    lan:close()
  end)
end
local function udp(port) return Ether{dst = "02:00:00:00:00:02"} / IP{src = "10.0.0.1", dst = "10.0.0.2"} / UDP{sport = 1, dport = port} end
local who = Ether{dst = "ff:ff:ff:ff:ff:ff"} / ARP{op = "who-has", psrc = "10.0.0.1", pdst = "10.0.0.2"}

on_lan("frames that matched nothing stay readable on request", function(a, b)
  for port = 1, 3 do a:write(udp(port)) end
  check.equal(b:expect({UDP{dport = 3}}, {keep = true}), 1)
  check.equal(b:expect({ARP{}, TIMEOUT}, {timeout = 0.1, keep = true}), 2)
  a:write(udp(4))
  for _, port in ipairs{1, 2, 4} do check.equal(b:read_packet(0).UDP.dport, port) end
end)

on_lan("a flood of what is not wanted does not stop the time", function(a, b)
  local flood = spawn(function() while true do a:write(who) sleep(0) end end)
  check.equal(b:expect({UDP{}, TIMEOUT}, {timeout = 0}), 2)
  flood:cancel()
  pcall(flood.wait, flood)
end)
