package bindings

import "testing"

func TestLayersAsOperands(t *testing.T) {
	runs(t, [][3]string{
		{"a layer stands for the packet from it on", `
			local q = Ether{src="02:00:00:00:00:09"} / p.IP
			print(q, q.IP.len, q.IP.src, #q)
			print(bytes(q):sub(15) == bytes(p):sub(15), q.UDP.chksum == p.UDP.chksum)
			print(#bytes(p.IP), #(p.UDP / "x"), p.UDP / "x")
			print("zz" / p.UDP, UDP / p.Raw, IPv6{} / p.UDP, p.IP / p.UDP)
			q.IP.ttl = 3
			print(p.IP.ttl, q.IP.ttl)`, `
Ether / IP 10.0.0.1 > 10.0.0.2 ttl 64 / UDP 1000 > 9999 / Raw 22	50	10.0.0.1	64
true	true
20	31	UDP 1000 > 9999 / Raw 23
Raw 2 / UDP 1000 > 9999 / Raw 22	UDP 0 > 0 / Raw 22	IPv6 :: > :: hlim 64 / UDP 1000 > 9999 / Raw 22	IP 10.0.0.1 > 10.0.0.2 ttl 64 / UDP 1000 > 9999 / Raw 22 / UDP 1000 > 9999 / Raw 22
64	3`},
		{"what was right follows, what was wrong stays", `
			for _, wrong in ipairs{false, true} do
				local s = p:copy()
				if wrong then s.UDP.chksum = 0xdead end
				local r = Ether.parse(bytes(s))
				local q = IP{src="10.0.0.1", dst="10.9.9.9"} / r.UDP
				print(q.UDP.chksum == (IP{src="10.0.0.1", dst="10.9.9.9"} / UDP{sport=1000, dport=9999} / p.payload).UDP.chksum, q.UDP.chksum == 0xdead)
				print(bytes(r:from("UDP")) == bytes(s):sub(35), r == s, (r.UDP / "more").UDP.len)
			end`, `
true	false
true	true	34
false	true
true	true	34`},
		{"every layer of any packet, parsed or made", `
			local tcp = IP{src="10.0.0.1", dst="10.0.0.2"} / TCP{flags="S", options={{"MSS", 1460}, "SAckOK"}}
			local made = {
				p, Ether{} / ARP{}, Ether{} / tcp, Ether{} / Dot1Q{vlan=5} / IPv6{} / ICMPv6{type="echo-request"},
				Ether{} / IP{src="10.0.0.2", dst="10.0.0.1"} / ICMP{type="dest-unreach"} / (IP{src="10.0.0.1", dst="10.0.0.2"} / UDP{} / "12345678"),
				Ether{} / IP{} / UDP{sport=68, dport=67} / DHCP{}, SLL{} / tcp, IPv6{} / IPv6ExtHdrHopByHop{} / UDP{} / "x",
			}
			local n = 0
			for _, m in ipairs(made) do
				local octets = bytes(m)
				local first = m:layer(1):name()
				for _, s in ipairs{m, _G[first].parse(octets), _G[first].parse(octets .. ("\0"):rep(9)), _G[first].parse(octets:sub(1, -3))} do
					local whole, at, i = bytes(s), 0, 0
					for l in s:layers() do
						i = i + 1
						local q = s:from(i)
						local tail = whole:sub(at + 1)
						assert(bytes(q) == tail, tostring(s) .. " from " .. l:name())
						assert(q:layer(1):name() == l:name() and #q == #tail)
						local k = 0
						for x in q:layers() do assert(x:name() == s:layer(i + k):name()) k = k + 1 end
						assert(not s:layer(i + k))
						assert(bytes(l) == whole:sub(at + 1, at + #l))
						if i == 2 then -- on the same first layer everything is as it was
							local again = s:layer(1):name()
							local head = _G[again].parse(whole:sub(1, at))
							assert(#(head / l) == #s, tostring(s))
							if s ~= m then assert(bytes(head / l):sub(at + 1) == tail, tostring(s) .. " on " .. again) end
						end
						assert(tostring(q) and q:json() and #q:lua() > 0 and (q / "x").payload)
						at = at + #l
						n = n + 1
					end
					assert(bytes(s) == whole)
				end
			end
			print(n > 100)`, `
true`},
		{"marks and notes go with their layers", `
			local q = p:copy()
			q.UDP.sport = 7
			print(q:from("IP").UDP:provenance("sport"), q:from("UDP").UDP:provenance("dport"), q:from(2).IP:provenance("len"))
			local r = Ether.parse(bytes(p):sub(1, 40))
			print(r:notes()[1].octet - r:from("IP"):notes()[1].octet, #r:notes() == #r:from("IP"):notes())`, `
set	set	auto
14	true`},
		{"what is not there", `
			print(p:from("TCP"), p:from("IP", 2), p:from(9))
			local ip = p.IP
			p.Ether.payload = "x"
			for _, f in ipairs{
				function() return p:from("Nothing") end,
				function() return p:from() end,
				function() return Ether{} / ip end,
				function() return Ether{} / 5 end,
			} do
				local _, err = pcall(f)
				print(err.kind, err.message)
			end`, `
nil	nil	nil
missing	Nothing: no such layout
argument	argument layout: want the name of a layout, got nil
missing	IP: this layer is no longer part of its packet: no such thing
argument	a packet is built from packets and strings, not from number`},
	})
}
