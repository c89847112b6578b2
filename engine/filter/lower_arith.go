package filter

// relation compares two terms. What their packet accesses presuppose ("tcp"
// for tcp[13]) is asked before.
func (l *lowering) relation(n *relNode) predicate {
	left, guardL := l.term(&n.l)
	right, guardR := l.term(&n.r)
	op := n.op
	if left.op == opNum && right.op != opNum {
		left, right = right, left
		op = map[string]string{"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}[op]
	}
	code, no := uint16(jmpEQ), false
	switch op {
	case "!=":
		no = true
	case ">":
		code = jmpGT
	case "<=":
		code, no = jmpGT, true
	case ">=":
		code = jmpGE
	case "<":
		code, no = jmpGE, true
	}
	said := note{l.expr[n.l.off : n.l.off+n.l.len], map[uint16]string{jmpEQ: "= ", jmpGT: "> ", jmpGE: ">= "}[code] + l.expr[n.r.off:n.r.off+n.r.len]}
	var p predicate
	switch {
	case left.op == opNum && right.op == opNum:
		p = always(decideConst(code, left.k, right.k))
	case right.op == opNum:
		p = l.test(code, left, right.k, said)
	default:
		p = &compare{op: code, l: left, r: right, note: said}
	}
	switch q := p.(type) {
	case *compare:
		q.user = true
	case *negate:
		q.x.(*compare).user = true
	}
	if no {
		p = &negate{p}
	}
	return both(guardL, guardR, p)
}

// term is the value of a term and what must hold for it to mean anything. As
// in libpcap only the left operand of an operator brings its condition: 1 +
// tcp[13] reads any IPv4-like packet.
func (l *lowering) term(t *term) (*value, predicate) {
	switch t.op {
	case "num":
		return l.values.num(t.num), nil
	case "len":
		return l.values.length(), nil
	case "neg":
		v, guard := l.term(t.l)
		return l.values.neg(v), guard
	case "index":
		return l.index(t)
	}
	left, guard := l.term(t.l)
	right, _ := l.term(t.r)
	op := aluOf[t.op]
	if right.op == opNum {
		if (op == aluDiv || op == aluMod) && right.k == 0 {
			fail(l.expr, t.r.off, t.r.len, "", "division by zero")
		}
		if (op == aluLsh || op == aluRsh) && right.k > 31 {
			fail(l.expr, t.r.off, t.r.len, "", "shift by %d of 32 bits (0..31)", right.k)
		}
	}
	return l.values.alu(op, left, right), guard
}

// transports are the protocols whose header follows an IPv4 header of variable
// length. They are looked for in IPv4 only, in first fragments.
var transports = set("tcp udp sctp icmp igmp igrp pim vrrp carp")

// index is proto[offset:size].
func (l *lowering) index(t *term) (*value, predicate) {
	at, guard := l.term(t.l)
	size := map[uint32]uint16{1: sizeB, 2: sizeH, 4: sizeW}[t.size]
	// An offset near the end of 32 bits would wrap around to the frame's start,
	// or reach the kernel's ancillary data.
	if at.op == opNum && at.k > 0x7fffffff {
		fail(l.expr, t.l.off, t.l.len, "", "no frame has an octet %d", at.k)
	}
	load := func(base *value, k uint32) *value {
		if base == nil {
			return l.values.load(size, at, k)
		}
		if at.op == opNum {
			return l.values.load(size, base, k+at.k)
		}
		return l.values.load(size, l.values.alu(aluAdd, at, base), k)
	}
	net := l.payload.k + l.network
	switch proto := t.proto.text; {
	case proto == "ether":
		return load(l.header.base, l.header.k), guard
	case proto == "radio":
		if l.link != Radiotap {
			l.fail(t.proto, "", "%s frames have no radio header", l.link)
		}
		return load(nil, 0), guard
	case transports[proto]:
		return load(l.headerLength4(), net), both(l.linkType(etherIP, t.proto), guard, l.protocol(t.proto), l.firstFragment())
	case proto == "icmp6":
		return load(l.payload.base, net+40), both(guard, l.linkType(etherIPv6, t.proto), l.eq(l.net(6, sizeB), protoICMPv6, "IPv6.nh", "ICMPv6"))
	case set("ip ip6 arp rarp atalk decnet sca lat moprc mopdl")[proto]:
		return load(l.payload.base, net), both(guard, l.protocol(t.proto))
	}
	l.fail(t.proto, "", "the octets of %s cannot be indexed", l.expr[t.proto.off:t.proto.off+t.proto.len])
	return nil, nil
}
