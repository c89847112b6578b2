-- Write a capture file, read it back, change it. Other tools read it, too:
-- tcpdump -r, Wireshark.

local file = os.tmpname()

local w = connector.pcap_writer{file = file}
for seq = 1, 3 do
  w:write(Ether{src = "02:00:00:00:00:01", dst = "02:00:00:00:00:02"}
    / IP{src = "10.0.0.1", dst = "10.0.0.2"} / ICMP{type = "echo-request", id = 1, seq = seq} / "ping")
end
w:close()

for p in open("pcap:" .. file):packets() do
  p.IP.ttl = p.IP.ttl - 1         -- the checksum follows: it was right when it was read
  print(p.ICMP.seq, p.IP.ttl, ("0x%04x"):format(p.IP.chksum))
end

os.remove(file)
