-- Two hosts on a LAN that exists only in memory: one asks for the other's MAC
-- address, then pings it. No root, no interface, nothing to clean up.
--
--   pktsh examples/01-hello-lan.lua             in real time
--   pktsh --virtual examples/01-hello-lan.lua   at once, and the same every time

local lan = connector.lan{latency = 0.005} -- 5 ms from port to port

local alice = lan:host{name = "alice", ip = "10.0.0.1/24"}
local bob   = lan:host{name = "bob",   ip = "10.0.0.2/24"}

ladder{on = lan, alice, bob} -- draws every frame that passes

local rtts = alice:ping("10.0.0.2", {count = 3, interval = 0.1})
sleep(0) -- the picture first: its port heard the last reply at the same moment
for seq, rtt in ipairs(rtts) do
  print(("reply %d after %.1f ms"):format(seq, rtt * 1000))
end

-- The same, by hand: write a frame, read what comes back.
local port = lan:port()
local echo = Ether{src = "02:00:00:00:00:01", dst = bob.mac}
  / IP{src = "10.0.0.77", dst = "10.0.0.2"}
  / ICMP{type = "echo-request", id = 7, seq = 1} / "hello, lan"

local reply = port:sr1(echo, {timeout = 1})
sleep(0)
print()
reply:show()
hexdump(reply)
