package filter

import (
	"fmt"
	"maps"
	"slices"
)

// word is a primitive of its own kind.
func (l *lowering) word(n *wordNode) predicate {
	w := n.word
	switch w.text {
	case "less":
		return &negate{l.test(jmpGT, l.values.length(), n.args[0].num, note{"length", "longer than " + n.args[0].text})}
	case "greater":
		return l.test(jmpGE, l.values.length(), n.args[0].num, note{"length", "at least " + n.args[0].text})
	case "byte":
		return l.byteTest(n)
	case "broadcast":
		return l.broadcast(n)
	case "multicast":
		return l.multicast(n)
	case "inbound":
		return &negate{l.outbound()}
	case "outbound":
		return l.outbound()
	case "ifindex":
		if l.medium == mediumSLL2 {
			return l.eq(l.load(l.header, 4, sizeW), n.args[0].num, "SLL2.ifindex", n.args[0].text)
		}
		l.kernelOnly = true
		return l.eq(l.values.load(sizeW, nil, ancillaryIfindex), n.args[0].num, "interface index", n.args[0].text)
	case "vlan":
		return l.vlan(n)
	case "mpls":
		return l.mpls(n)
	case "pppoed":
		return l.linkType(etherPPPoED, w)
	case "pppoes":
		return l.pppoes(n)
	case "geneve", "vxlan":
		return l.tunnel(n)
	case "llc":
		return l.llcWord(n)
	}
	return l.wlanWord(n)
}

// Ancillary loads of the kernel, linux/filter.h: SKF_AD_OFF and what follows.
const (
	ancillary           = 0xfffff000
	ancillaryPacketType = ancillary + 4
	ancillaryIfindex    = ancillary + 8
	ancillaryVLANTag    = ancillary + 44
	ancillaryVLANThere  = ancillary + 48
)

// limit refuses an argument above most.
func (l *lowering) limit(t token, what string, most uint32) uint32 {
	if t.num > most {
		l.fail(t, "", "%s %s is above %d", what, t.text, most)
	}
	return t.num
}

func (l *lowering) byteTest(n *wordNode) predicate {
	v, op, k := l.load(l.header, n.args[0].num, sizeB), n.args[1].text, n.args[2].num
	said := note{fmt.Sprintf("octet %d", n.args[0].num), fmt.Sprintf("%s %d", op, k)}
	switch op {
	case "<":
		return &negate{l.test(jmpGE, v, k, note{said.field, fmt.Sprintf("at least %d", k)})}
	case ">":
		return l.test(jmpGT, v, k, said)
	case "&":
		return l.test(jmpSET, v, k, said)
	case "|":
		return &negate{l.eq(l.values.alu(aluOr, v, l.values.num(k)), 0, said.field, "zero")}
	}
	return l.test(jmpEQ, v, k, said)
}

// outbound: the sender's own copy of a frame. The kernel knows, and cooked
// frames say so.
func (l *lowering) outbound() predicate {
	const outgoing = 4 // PACKET_OUTGOING
	switch l.medium {
	case mediumSLL:
		return l.eq(l.load(l.header, 0, sizeH), outgoing, "SLL.pkttype", "outgoing")
	case mediumSLL2:
		return l.eq(l.load(l.header, 10, sizeB), outgoing, "SLL2.pkttype", "outgoing")
	}
	l.kernelOnly = true
	return l.eq(l.values.load(sizeH, nil, ancillaryPacketType), outgoing, "packet type", "outgoing")
}

func (l *lowering) broadcast(n *wordNode) predicate {
	all := [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	switch n.proto.text {
	case "", "ether":
		return l.etherHost(all, qualifiers{dir: "dst"}, n.word)
	case "ip":
		host := ^l.netmask
		return both(l.linkType(etherIP, n.word), either(
			l.masked(l.net(16, sizeW), host, 0, "IP.dst", "host part all zeros"),
			l.masked(l.net(16, sizeW), host, host, "IP.dst", "host part all ones")))
	}
	l.fail(n.word, "ether and ip have", "%s has no broadcast address", n.proto.text)
	return nil
}

func (l *lowering) multicast(n *wordNode) predicate {
	switch n.proto.text {
	case "", "ether":
		switch l.medium {
		case mediumEthernet:
			return both(l.bridged, l.group(0, "Ether.dst"))
		case mediumWLAN:
			return l.wlanMulticast()
		}
		l.fail(n.word, "write ip multicast or ip6 multicast", "%s frames have no MAC addresses", l.link)
	case "ip":
		return both(l.linkType(etherIP, n.word), l.test(jmpGE, l.net(16, sizeB), 224, note{"IP.dst", "224.0.0.0 and above"}))
	case "ip6":
		return both(l.linkType(etherIPv6, n.word), l.eq(l.net(24, sizeB), 255, "IPv6.dst", "ff00::/8"))
	}
	l.fail(n.word, "ether, ip and ip6 have", "%s has no multicast addresses", n.proto.text)
	return nil
}

// group tests the group bit of a MAC address.
func (l *lowering) group(k uint32, field string) predicate {
	return l.test(jmpSET, l.load(l.header, k, sizeB), 1, note{field, "a group address"})
}

// vlan asks for a tag and moves on behind it, also where it is not found:
// "vlan or ip" looks for IP behind the tag.
func (l *lowering) vlan(n *wordNode) predicate {
	if l.labels > 0 {
		l.fail(n.word, "", "no VLAN tag can be told behind MPLS labels")
	}
	if l.medium != mediumEthernet && l.medium != mediumWLAN {
		l.fail(n.word, "", "%s frames carry no VLAN tags", l.mediumName())
	}
	var id uint32
	if len(n.args) > 0 {
		id = l.limit(n.args[0], "VLAN", 4095)
	}
	tag := either(l.linkType(etherVLAN, n.word), l.linkType(etherQinQ, n.word), l.linkType(etherQinQOld, n.word))
	named := func(v *value) predicate {
		if len(n.args) == 0 {
			return nil
		}
		return l.masked(v, 0x0fff, id, "Dot1Q.vlan", n.args[0].text)
	}
	outer := l.medium == mediumEthernet && l.tags == 0 && l.header == offset{}
	l.outerVLAN = l.outerVLAN || outer
	l.tags++
	if !outer || !l.live {
		p := both(tag, named(l.net(0, sizeH)))
		l.typeAt.k += 4
		l.payload.k += 4
		return p
	}
	// A received frame has its outermost tag in the kernel's metadata, and its
	// octets begin without it; what we send ourselves may have it in place. So
	// a scratch cell holds how far the rest has moved.
	moved := l.allocate("octets of tag in the frame")
	there := l.eq(l.values.load(sizeB, nil, ancillaryVLANThere), 1, "VLAN tag", "in the metadata")
	inFrame := both(&negate{there}, &assign{[]store{{moved, l.values.num(4)}}, note{"offset", "the tag is in the frame"}},
		tag, named(l.net(0, sizeH)))
	inMeta := both(there, &assign{[]store{{moved, l.values.num(0)}}, note{"offset", "the tag is not in the frame"}},
		named(l.values.load(sizeH, nil, ancillaryVLANTag)))
	l.typeAt.base = l.values.cell(moved)
	l.payload.base = l.typeAt.base
	return either(inMeta, inFrame)
}

func (l *lowering) mediumName() string {
	if l.medium == mediumPPP {
		return "PPP"
	}
	return l.link.String()
}

func (l *lowering) mpls(n *wordNode) predicate {
	var p predicate
	switch {
	case l.labels > 0:
		p = l.masked(l.load(l.payload, l.network-2, sizeB), 1, 0, "MPLS.s", "followed by a label")
	case l.medium == mediumEthernet, l.medium == mediumHDLC, l.medium == mediumPPP:
		p = l.linkType(etherMPLS, n.word)
	default:
		l.fail(n.word, "", "%s frames carry no MPLS labels", l.link)
	}
	if len(n.args) > 0 {
		label := l.limit(n.args[0], "MPLS label", 0xfffff)
		p = both(p, l.masked(l.net(0, sizeW), 0xfffff000, label<<12, "MPLS.label", n.args[0].text))
	}
	l.network += 4
	l.llc += 4
	l.labels++
	return p
}

func (l *lowering) pppoes(n *wordNode) predicate {
	p := l.linkType(etherPPPoES, n.word)
	if len(n.args) > 0 {
		id := l.limit(n.args[0], "PPPoE session", 0xffff)
		p = both(p, l.masked(l.net(0, sizeW), 0xffff, id, "PPPoE.sessionid", n.args[0].text))
	}
	l.header = l.payload.plus(l.network + 6)
	l.typeAt, l.payload = l.header, l.header.plus(2)
	l.medium, l.network, l.llc = mediumPPP, 0, 0
	return p
}

// tunnel is Geneve (RFC 8926) or VXLAN (RFC 7348) over UDP. What follows is
// looked for inside, at offsets known only when the program runs: the outer IP
// header and Geneve's options have variable lengths.
func (l *lowering) tunnel(n *wordNode) predicate {
	name, port, mask, flags := "Geneve", uint32(6081), uint32(0xc0), uint32(0)
	if n.word.text == "vxlan" {
		name, port, mask, flags = "VXLAN", 4789, 0xff, 0x08
	}
	inside := func(load func(k uint32, size uint16) *value) predicate {
		p := both(l.eq(load(2, sizeH), port, "dport", name), l.masked(load(8, sizeB), mask, flags, name+".flags", name))
		if len(n.args) > 0 {
			id := l.limit(n.args[0], name+" network", 0xffffff)
			p = both(p, l.masked(load(12, sizeW), 0xffffff00, id<<8, name+".vni", n.args[0].text))
		}
		return p
	}
	at := l.allocate(name + " header")
	here := l.values.cell(at)
	found := func(v *value, udp uint32) predicate {
		return &assign{[]store{{at, l.values.alu(aluAdd, v, l.values.num(l.payload.k+l.network+udp))}}, note{name, "its header starts here"}}
	}
	four := both(l.linkType(etherIP, n.word), l.eq(l.net(9, sizeB), protoUDP, "IP.proto", "UDP"), l.firstFragment(),
		inside(l.transport4), found(l.headerLength4(), 8))
	base6 := l.values.num(0)
	if l.payload.base != nil {
		base6 = l.payload.base
	}
	six := both(l.linkType(etherIPv6, n.word), l.eq(l.net(6, sizeB), protoUDP, "IPv6.nh", "UDP"),
		inside(l.transport6), found(base6, 48))
	p := either(four, six)
	if name == "VXLAN" {
		l.header, l.typeAt, l.payload = offset{here, 8}, offset{here, 20}, offset{here, 22}
		l.bridged = nil
	} else {
		p = both(p, l.geneveInside(here))
	}
	l.medium, l.network, l.llc, l.tags, l.labels, l.tunneled = mediumEthernet, 0, 3, 0, 0, true
	return p
}

// geneveInside finds what a Geneve header carries: an Ethernet frame, or the
// payload itself with its type in the Geneve header.
func (l *lowering) geneveInside(here *value) predicate {
	typeAt, payload, header := l.allocate("inner type field"), l.allocate("inner payload"), l.allocate("inner frame")
	options := l.values.alu(aluMul, l.values.alu(aluAnd, l.values.load(sizeB, here, 0), l.values.num(0x3f)), l.values.num(4))
	end := l.values.alu(aluAdd, l.values.alu(aluAdd, options, l.values.num(8)), here)
	start := l.values.cell(header)
	l.header, l.typeAt, l.payload = offset{base: start}, offset{base: l.values.cell(typeAt)}, offset{base: l.values.cell(payload)}
	l.bridged = &negate{&compare{op: jmpEQ, l: start, r: l.payload.base, note: note{"Geneve", "not carrying Ethernet"}}}
	plain := &assign{[]store{{header, end}, {payload, start}, {typeAt, l.values.alu(aluAdd, here, l.values.num(2))}},
		note{"Geneve", "where the inner parts are"}}
	ether := both(l.eq(l.values.load(sizeH, here, 2), etherTEB, "Geneve.proto", "bridged Ethernet"),
		&assign{[]store{{typeAt, l.values.alu(aluAdd, start, l.values.num(12))}, {payload, l.values.alu(aluAdd, start, l.values.num(14))}},
			note{"Geneve", "behind the inner Ethernet header"}})
	return both(plain, either(ether, always(true)))
}

func (l *lowering) llcWord(n *wordNode) predicate {
	var p predicate
	switch l.medium {
	case mediumEthernet:
		p = both(l.lengthField(), &negate{l.eq(l.load(l.payload, 0, sizeH), 0xffff, "LLC", "raw IPX")})
	case mediumWLAN:
		p = l.wlanData()
	default:
		l.fail(n.word, "", "%s frames have no LLC header", l.mediumName())
	}
	if len(n.args) == 0 {
		return p
	}
	t := n.args[0]
	control := l.load(l.payload, 2, sizeB)
	switch t.text {
	case "i":
		return both(p, &negate{l.test(jmpSET, control, 1, note{"LLC.ctrl", "not information"})})
	case "s":
		return both(p, l.masked(control, 3, 1, "LLC.ctrl", "supervisory"))
	case "u":
		return both(p, l.masked(control, 3, 3, "LLC.ctrl", "unnumbered"))
	}
	if k, ok := llcSupervisory[t.text]; ok {
		return both(p, l.masked(control, 0x0f, k, "LLC.ctrl", t.text))
	}
	if k, ok := llcUnnumbered[t.text]; ok {
		return both(p, l.masked(control, 0xef, k, "LLC.ctrl", t.text))
	}
	l.fail(t, "one of i s u rr rnr rej ui ua disc dm sabme test xid frmr", "no LLC type is called %s", t.text)
	return nil
}

// 802.11.

// wlanHeader computes, before all else, where the headers of an 802.11 frame
// are: radiotap's length is in its header, and a QoS data frame is two octets
// longer, perhaps padded to four.
func (l *lowering) wlanHeader() predicate {
	vs := l.values
	var p predicate
	start := vs.num(0)
	if l.link == Radiotap {
		header := l.allocate("802.11 header")
		length := vs.alu(aluOr, vs.alu(aluLsh, vs.load(sizeB, nil, 3), vs.num(8)), vs.load(sizeB, nil, 2))
		p = &assign{[]store{{header, length}}, note{"radiotap.len", "where the 802.11 header starts"}}
		start = vs.cell(header)
		l.header.base = start
	}
	cell := l.allocate("802.11 payload")
	end := vs.cell(cell)
	l.payload.base = end
	set := func(v *value) predicate {
		return &assign{[]store{{cell, v}}, note{"802.11", "where its payload starts"}}
	}
	p = both(p, set(vs.alu(aluAdd, start, vs.num(24))))
	quality := either(both(l.test(jmpSET, l.load(l.header, 0, sizeB), 0x80, note{"802.11.fc", "QoS"}), set(vs.alu(aluAdd, end, vs.num(2)))), always(true))
	data := both(l.wlanData(), quality)
	if l.link == Radiotap {
		present := func(bit uint32, name string) predicate {
			return l.test(jmpSET, vs.load(sizeW, nil, 4), bit, note{"radiotap.present", name})
		}
		padded := func(at uint32) predicate {
			return l.test(jmpSET, vs.load(sizeB, nil, at), 0x20, note{"radiotap.flags", "padded to 4 octets"})
		}
		timestamp := present(0x01000000, "timestamp")
		data = both(data, present(0x02000000, "flags"), &negate{present(0x00000080, "more words")},
			either(both(timestamp, padded(16)), both(&negate{timestamp}, padded(8))),
			set(vs.alu(aluAnd, vs.alu(aluAdd, end, vs.num(3)), vs.num(0xfffffffc))))
	}
	return both(p, either(data, always(true)))
}

func (l *lowering) frameControl(op uint16, k, bits uint32, is string) predicate {
	return l.test(op, l.load(l.header, k, sizeB), bits, note{"802.11.fc", is})
}

func (l *lowering) wlanData() predicate {
	return both(&negate{l.frameControl(jmpSET, 0, 0x04, "control")}, l.frameControl(jmpSET, 0, 0x08, "data"))
}

// wlanHost: which of four addresses is the source or destination depends on
// the direction bits, IEEE 802.11 §9.3.2.1.
func (l *lowering) wlanHost(mac []byte, name string, q qualifiers) predicate {
	addr := func(k uint32) predicate { return l.octets(l.header, k, mac, "802.11 address", name) }
	toDS := func() predicate { return l.frameControl(jmpSET, 1, 1, "to DS") }
	fromDS := func() predicate { return l.frameControl(jmpSET, 1, 2, "from DS") }
	data := func() predicate { return l.frameControl(jmpSET, 0, 8, "data") }
	control := func() predicate { return l.frameControl(jmpSET, 0, 4, "control") }
	isControl := func() predicate {
		return l.masked(l.load(l.header, 0, sizeB), 0x0c, 0x04, "802.11.fc", "control")
	}
	subtype := func(k uint32, is string) predicate {
		return l.masked(l.load(l.header, 0, sizeB), 0xf0, k, "802.11.fc", is)
	}
	choose := func(cond func() predicate, yes, no predicate) predicate {
		return either(both(&negate{cond()}, no), both(cond(), yes))
	}
	hasSecond := func() predicate { // CTS and ACK have one address only
		return either(&negate{isControl()}, both(&negate{subtype(0xc0, "CTS")}, &negate{subtype(0xd0, "ACK")}))
	}
	switch q.dir {
	case "src", "dst", "and", "or", "":
		return l.direction(q, func(source bool) predicate {
			if source {
				from := choose(toDS, addr(24), addr(16))
				return both(&negate{control()}, choose(data, choose(fromDS, from, addr(10)), addr(10)))
			}
			return both(&negate{control()}, choose(data, choose(toDS, addr(16), addr(4)), addr(4)))
		})
	case "addr1":
		return addr(4)
	case "addr2":
		return both(hasSecond(), addr(10))
	case "addr3":
		return both(&negate{isControl()}, addr(16))
	case "addr4":
		return both(l.masked(l.load(l.header, 1, sizeB), 3, 3, "802.11.fc", "DS to DS"), addr(24))
	case "ra":
		return both(data(), addr(4))
	}
	return both(data(), hasSecond(), addr(10)) // ta
}

func (l *lowering) wlanMulticast() predicate {
	toDS := func() predicate { return l.frameControl(jmpSET, 1, 1, "to DS") }
	data := func() predicate { return l.frameControl(jmpSET, 0, 8, "data") }
	inData := either(both(&negate{toDS()}, l.group(4, "802.11.addr1")), both(toDS(), l.group(16, "802.11.addr3")))
	return both(&negate{l.frameControl(jmpSET, 0, 4, "control")},
		either(both(&negate{data()}, l.group(4, "802.11.addr1")), both(data(), inData)))
}

// wlanWord is type, subtype or dir.
func (l *lowering) wlanWord(n *wordNode) predicate {
	if l.medium != mediumWLAN {
		l.fail(n.word, "", "%q is for 802.11 frames, and these are %s", n.word.text, l.link)
	}
	value := func(t token, mask uint32, what string, tables ...map[string]uint32) uint32 {
		if t.kind == tokNumber {
			if t.num&^mask != 0 {
				l.fail(t, "", "%s has bits beyond those of the 802.11 %s (0x%02x)", t.text, what, mask)
			}
			return t.num
		}
		for _, table := range tables {
			if k, ok := table[t.text]; ok {
				return k
			}
		}
		l.fail(t, tipFor(t.text, namesOf(tables...)), "no 802.11 %s is called %s", what, t.text)
		return 0
	}
	first := n.args[0]
	control := l.load(l.header, 0, sizeB)
	switch n.word.text {
	case "dir":
		return l.masked(l.load(l.header, 1, sizeB), 0x03, value(first, 0xff, "direction", wlanDirs), "802.11.fc", "direction "+first.text)
	case "type":
		kind := value(first, 0x0c, "type", wlanTypes)
		if len(n.args) == 1 {
			return l.masked(control, 0x0c, kind, "802.11.fc", "type "+first.text)
		}
		sub := value(n.args[1], 0xf0, "subtype", wlanSubtypes[kind])
		return l.masked(control, 0xfc, kind|sub, "802.11.fc", n.args[1].text)
	}
	if first.kind != tokNumber {
		for _, kind := range slices.Sorted(maps.Keys(wlanSubtypes)) {
			if sub, ok := wlanSubtypes[kind][first.text]; ok {
				return l.masked(control, 0xfc, kind|sub, "802.11.fc", first.text)
			}
		}
	}
	sub := value(first, 0xfc, "subtype", wlanSubtypes[0], wlanSubtypes[4], wlanSubtypes[8])
	return l.masked(control, 0xfc, sub, "802.11.fc", "subtype "+first.text)
}
