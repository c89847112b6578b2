"""Scapy as an oracle: one request a line on standard input, one answer a line.

build EXPRESSION       -> the packet's octets in hexadecimal
parse CLASS HEX        -> a JSON list of [layer, {field: value}]

An error answers "error: …". Values are numbers, strings and lists.
"""
import json
import logging
import sys

logging.getLogger("scapy").setLevel(logging.CRITICAL)
from scapy.all import *  # noqa
from scapy.layers.inet6 import *  # noqa


def plain(v):
    if isinstance(v, bytes):
        return v.hex()
    if isinstance(v, Packet):
        return bytes(v).hex()
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if v is None or isinstance(v, (int, str)):
        return int(v) if isinstance(v, bool) else v
    if hasattr(v, "value"):  # FlagValue
        return int(v)
    return str(v)


def answer(line):
    op, _, rest = line.partition(" ")
    if op == "build":
        return bytes(eval(rest)).hex()
    cls, _, data = rest.partition(" ")
    p = eval(cls)(bytes.fromhex(data))
    out = []
    while p and not isinstance(p, NoPayload):
        out.append([p.__class__.__name__, {f.name: plain(p.getfieldval(f.name)) for f in p.fields_desc
                                           if not isinstance(f, ConditionalField) or f._evalcond(p)}])
        p = p.payload
    return json.dumps(out)


for line in sys.stdin:
    try:
        print(answer(line.strip()))
    except Exception as e:  # noqa
        print("error: %s: %s" % (type(e).__name__, e))
    sys.stdout.flush()
