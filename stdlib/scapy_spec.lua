local scapy = require "scapy"

test("a class for a type is a layout with that type", function()
  check.equal(bytes(scapy.ICMPv6EchoRequest{id = 1, seq = 2}), bytes(ICMPv6{type = "echo-request", id = 1, seq = 2}))
  check.equal(scapy.ICMPv6ND_NA{}.flags, "OR")
  check.equal(scapy.ICMPv6MLQuery2{}.QRV, 0)
  check.equal(scapy.ICMPv6MLQuery{}.QRV, nil)
end)

test("the layouts of pktsh are there as well", function()
  check.equal(scapy.IP, IP)
  check.equal(scapy.CookedLinux, SLL)
end)
