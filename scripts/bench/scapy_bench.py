# The same work as packets.lua, in Scapy: one line each, NAME <tab> CPU seconds. The
# argument is the capture file that packets.lua wrote.
import sys
import time

start = time.process_time()
from scapy.all import Ether, IP, UDP, PcapReader  # noqa: E402

print("import\t%.3e" % (time.process_time() - start))

payload = b"x" * 22


def measure(name, n, work):
    best = float("inf")
    for _ in range(3):
        t = time.process_time()
        for i in range(n):
            work(i)
        best = min(best, (time.process_time() - t) / n)
    print("%s\t%.3e" % (name, best))


def packet(sport):
    return (
        Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        / IP(src="10.0.0.1", dst="10.0.0.2")
        / UDP(sport=sport, dport=9999)
        / payload
    )


measure("build", 2000, lambda i: bytes(packet(1000 + i % 1024)))

template = packet(1000)


def change(i):
    template[UDP].sport = i % 65536
    return bytes(template)


measure("change", 2000, change)

octets = bytes(template)


def parse(_):
    p = Ether(octets)
    return p[IP].src, p[UDP].dport


measure("parse", 4000, parse)

# A part of the capture gives the rate.
with PcapReader(sys.argv[1]) as frames:
    measure("capture", 6000, lambda _: next(frames)[UDP].dport == 9999)
