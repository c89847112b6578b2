-- One line a packet.
local e = Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}
local ip = IP{src = "10.0.0.1", dst = "10.0.0.2", ttl = 3}
local ip6 = IPv6{src = "fe80::1", dst = "ff02::1", hlim = 255}
local function say(p) print(p:summary()) end
say(e / ip / UDP{sport = 1000, dport = 9999} / ("x"):rep(22))
say(e / ip / UDP{sport = 1000, dport = 53} / "x")
say(e / ARP{op = "who-has", psrc = "10.0.0.1", pdst = "10.0.0.2"})
say(e / ARP{op = "is-at", hwsrc = "02:00:00:00:00:02", psrc = "10.0.0.2"})
say(e / Dot1AD{vlan = 100} / Dot1Q{vlan = 7, prio = 5} / ARP{op = "InARP-req"})
say(e / "nobody knows")
say(e)
say(Dot3{dst = "01:80:c2:00:00:00"} / LLC{dsap = 0x42, ssap = 0x42, ctrl = 3} / "bpdu")
say(ip / TCP{sport = 1025, dport = 80, seq = 7})
say(ip / TCP{sport = 80, dport = 1025, flags = "SA", seq = 1, ack = 8, options = {{"MSS", 1460}}} / "hello")
say(ip / ICMP{type = "echo-request", id = 1, seq = 2} / "ping")
say(ip / ICMP{type = "dest-unreach", code = "port-unreachable"} / IP{src = "10.0.0.2", dst = "10.0.0.1"} / UDP{dport = 9})
say(ip / ICMP{type = "dest-unreach", code = 4, nexthopmtu = 1280})
say(ip / ICMP{type = "redirect", gw = "10.0.0.254"})
say(IP{src = "10.0.0.1", dst = "10.0.0.2", flags = "MF", frag = 185, proto = 17} / "fragment")
say(ip6 / ICMPv6{type = "neighbor-solicitation", target = "fe80::2", options = {{"SourceLinkAddr", "02:00:00:00:00:01"}}})
say(ip6 / ICMPv6{type = "router-advertisement", options = {{"MTU", 0, 1400}, {"PrefixInfo", prefix = "2001:db8::"}}})
say(ip6 / IPv6ExtHdrHopByHop{options = {{"RouterAlert", 0}}} / ICMPv6{type = "mld-report-v2", records = {{rtype = 4, dst = "ff02::5"}}})
say(ip6 / IPv6ExtHdrRouting{addresses = {"fe80::2", "fe80::3"}} / IPv6ExtHdrFragment{m = 1, id = 7} / "x")
say(SLL{pkttype = "from-us"} / ip)
say(Null{} / ip)
