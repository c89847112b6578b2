-- A capture is sent again on its own schedule, by replay and by tcpreplay, and the
-- kernel notes when frames arrive at the other end. Runs in a network of its own:
-- pktsh --sandbox replay.lua
local count, gap, rounds = tonumber(arg[1] or 2000), 0.0005, 3

if os.execute("ip link add va type veth peer name vb && ip link set va up && ip link set vb up") ~= 0 then
  error("needs ip and veth", 0)
end
os.execute("until [ $(ip link show type veth | grep -c 'state UP') = 2 ]; do :; done")

local file = os.tmpname()
local w = connector.pcap_writer{file = file, nanos = true}
for i = 0, count - 1 do w:write("\2\0\0\0\0\2\2\0\0\0\0\1\136\181" .. ("\0"):rep(50), {time = i * gap}) end
w:close()

-- How far every frame is behind where the capture has it, in order.
local function arrivals(send)
  local c = connector.link{name = "vb", direction = "in", proto = 0x88b5}
  send()
  local late, first, n, most = {}, nil, 0, math.huge
  for _, time in c:frames(0.1) do
    first = first or time
    late[#late + 1] = time - first - n * gap
    most = math.min(most, late[#late])
    n = n + 1
  end
  c:close()
  if n ~= count then return nil, n .. " of " .. count .. " frames arrived" end
  for i = 1, n do late[i] = late[i] - most end
  table.sort(late)
  return late
end

local out = connector.link{name = "va", proto = 0x88b5}
for _, tool in ipairs{
  {"pktsh", function() replay(file, out) end},
  {"tcpreplay", function() os.execute("tcpreplay -q -i va " .. file .. " >/dev/null 2>&1") end},
} do
  local best, why
  for _ = 1, rounds do
    local late, err = arrivals(tool[2])
    why = err
    if late and (not best or late[#late / 2] < best[#best / 2]) then best = late end
  end
  if best then
    print(("replay-%s-p50\t%.9f"):format(tool[1], best[math.ceil(#best * 0.5)]))
    print(("replay-%s-p99\t%.9f"):format(tool[1], best[math.ceil(#best * 0.99)]))
    print(("replay-%s-max\t%.9f"):format(tool[1], best[#best]))
  else
    io.stderr:write(tool[1], ": ", why, "\n")
  end
end
os.remove(file)
