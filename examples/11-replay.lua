-- A capture with comments is sent again through a bridge that lets only ARP pass,
-- and what crosses is recorded with the names of both sides.

local file, crossed = os.tmpname() .. ".pcapng", os.tmpname() .. ".pcapng"

local w = connector.pcap_writer{file = file, comment = "who talks to whom"}
for i = 1, 4 do
  local ip = "10.0.0." .. i
  w:write(Ether{} / ARP{op = "who-has", pdst = ip}, {time = i * 0.010, comment = "asks for " .. ip})
  w:write(Ether{} / IP{dst = ip} / UDP{dport = 9}, {time = i * 0.010 + 0.005})
end
w:close()

local left, right = connector.lan{name = "left"}, connector.lan{name = "right"}
local br = bridge(left:port("bridge"), right:port("bridge"), "arp")
local record = open("pcap_writer:" .. crossed)
br.a:tee(record)
br.b:tee(record)

local r = replay(file, left:port("player"), {speed = 2})
print(r.frames .. " frames sent, " .. r.errors .. " refused")
sleep(0.01)
print(br:stats().a_to_b.frames .. " crossed, " .. br:stats().a_to_b.filtered .. " did not")
record:close()

local seen = {}
for p in open(crossed):packets() do
  local where = p.interface .. (p.direction == "out" and ", written" or ", read")
  seen[where] = (seen[where] or 0) + 1
end
for _, where in ipairs{"left/bridge, read", "right/bridge, written"} do print(where .. ": " .. seen[where]) end
print(open(file):read_packet().comment)

os.remove(file)
os.remove(crossed)
