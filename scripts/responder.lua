#!/usr/bin/env pktsh
-- A host that is not there: answers ARP, ND, ICMP and ICMPv6 echo and UDP echo
-- for an address on any connector.
--
--   pktsh scripts/responder.lua CONNECTOR ADDRESS[/PREFIX] [MAC]
--
--   pktsh scripts/responder.lua tap:pk0 10.9.0.2/24        # needs CAP_NET_ADMIN
--   pktsh scripts/responder.lua 'mcast://239.192.168.1:1102?if=127.0.0.1' 10.9.0.2/24
--
-- Stop it with Ctrl-C.

local url, ip, mac = ...
if not ip then
  io.stderr:write("usage: pktsh scripts/responder.lua CONNECTOR ADDRESS[/PREFIX] [MAC]\n")
  os.exit(2)
end

local h = host{on = open(url), ip = ip, mac = mac, on_answer = function(p)
  print(("%.6f answered %s"):format(clock.now(), p:summary()))
end}
print("answering on " .. url .. " as " .. tostring(h))
h:wait()
