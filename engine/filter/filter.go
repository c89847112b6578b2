// Package filter compiles pcap-filter expressions, the language of tcpdump, to
// classic BPF programs, and runs them.
//
//	p, err := filter.Compile("vlan 10 and tcp port 80", filter.Ethernet, filter.Options{})
//	if err != nil { fmt.Println(err.(*filter.Error).Render()) }
//	p.Match(frame, wireLen)      // in user space, 10 to 20 ns
//	p.Kernel()                   // for SO_ATTACH_FILTER
//	fmt.Print(p.Explain())       // the program and what it means
//
// The way of an expression:
//
//	text ─lex─▶ tokens ─parse─▶ tree ─lower─▶ predicates ─graph─▶ tests and
//	  jumps ─optimize─▶ fewer of them ─emit─▶ instructions ─▶ kernel, or our VM
//
// The meaning is libpcap's, with its surprises: "and" and "or" bind equally
// and to the left, "vlan" and its like move everything to their right, a load
// beyond the captured octets rejects the frame even under "not". Where we
// differ on purpose docs/filters.md says so. What cannot be compiled is
// refused; nothing is compiled to something else.
package filter

import (
	"strconv"

	"golang.org/x/net/bpf"
)

// LinkType says how a frame starts, in the numbers of capture files
// (https://www.tcpdump.org/linktypes.html).
type LinkType uint16

// The link types that can be filtered.
const (
	Null      LinkType = 0 // address family in the byte order of the host that captured it
	Ethernet  LinkType = 1
	PPP       LinkType = 9
	Raw       LinkType = 101
	CiscoHDLC LinkType = 104
	IEEE80211 LinkType = 105
	Loop      LinkType = 108 // address family in network order
	LinuxSLL  LinkType = 113
	Radiotap  LinkType = 127 // IEEE80211 behind a radiotap header
	IPv4      LinkType = 228
	IPv6      LinkType = 229
	LinuxSLL2 LinkType = 276
)

// Numbers that mean one of the above in some files.
const (
	rawBSD    LinkType = 12
	rawOther  LinkType = 14
	pppSerial LinkType = 50
	pppEther  LinkType = 51
)

var linkNames = map[LinkType]string{
	Null: "BSD loopback", Ethernet: "Ethernet", PPP: "PPP", Raw: "raw IP", CiscoHDLC: "Cisco HDLC", IEEE80211: "802.11",
	Loop: "OpenBSD loopback", LinuxSLL: "Linux cooked v1", Radiotap: "802.11 with radiotap", IPv4: "raw IPv4", IPv6: "raw IPv6",
	LinuxSLL2: "Linux cooked v2", rawBSD: "raw IP", rawOther: "raw IP", pppSerial: "PPP over HDLC", pppEther: "PPPoE",
	253: "netlink",
}

// String is the name for people, or the number where we have none.
func (l LinkType) String() string {
	if s, ok := linkNames[l]; ok {
		return s
	}
	return "link type " + strconv.Itoa(int(l))
}

// Options tune Compile. The zero value is right for most.
type Options struct {
	// SnapLen is what an accepting program returns: the number of octets the
	// kernel keeps of a matching frame (default 262144).
	SnapLen uint32
	// Netmask of the network the frames come from, host order, for
	// "ip broadcast". With zero only 0.0.0.0 and 255.255.255.255 are broadcast.
	Netmask uint32
}

const defaultSnapLen = 262144

// A Program is a compiled filter. It is immutable, so any number of goroutines
// may use one.
type Program struct {
	expr   string
	link   LinkType
	code   []insn
	live   []insn // what the kernel gets, where that differs
	vm     machine
	kernel bool // asks for what only the kernel knows
}

// Compile translates expr for frames of the given link type. An empty
// expression accepts every frame. The error is an *Error.
//
// It may be called from several goroutines, takes some ten microseconds to a
// millisecond and never resolves names.
func Compile(expr string, link LinkType, o Options) (*Program, error) {
	if o.SnapLen == 0 {
		o.SnapLen = defaultSnapLen
	}
	tree, err := parse(expr)
	if err != nil {
		return nil, err
	}
	p := &Program{expr: expr, link: link}
	l, code, err := generate(expr, tree, link, o, false)
	if err != nil {
		return nil, err
	}
	p.code, p.kernel = code, l.kernelOnly
	if l.outerVLAN {
		if _, p.live, err = generate(expr, tree, link, o, true); err != nil {
			return nil, err
		}
	}
	p.vm = newMachine(raw(p.code))
	return p, nil
}

// generate lowers a parsed expression and emits its instructions.
func generate(expr string, tree node, link LinkType, o Options, live bool) (l *lowering, code []insn, err error) {
	l = &lowering{expr: expr, link: link, netmask: o.Netmask, live: live, values: newValues()}
	defer recoverError(&err)
	pred := l.program(tree)
	code = l.emit(pred, o.SnapLen)
	return l, code, nil
}

// Expr is the text the program was compiled from.
func (p *Program) Expr() string { return p.expr }

// LinkType is the link type it was compiled for.
func (p *Program) LinkType() LinkType { return p.link }

// String is the expression.
func (p *Program) String() string { return p.expr }

// KernelOnly reports that the expression asks for what is not in the frame
// (inbound, outbound, ifindex): only the kernel can answer, and Match is
// always false.
func (p *Program) KernelOnly() bool { return p.kernel }

// Instructions is the program for frames as they are on the wire and in
// files.
func (p *Program) Instructions() []bpf.RawInstruction { return raw(p.code) }

// Kernel is the program for a live socket (SO_ATTACH_FILTER). It differs from
// Instructions after "vlan": the kernel has moved the outermost tag of a
// received frame out of its octets, so the program asks for that as well. It
// is within the kernel's limits.
func (p *Program) Kernel() []bpf.RawInstruction {
	if p.live != nil {
		return raw(p.live)
	}
	return raw(p.code)
}

// Instruction is one of the kernel's, so that callers need not import x/net.
type Instruction = bpf.RawInstruction

// Prefilter is a program for a live socket whose frames go through Match
// afterwards, with their VLAN tag put back: it accepts at least all that Match
// accepts. A frame whose tag is in the kernel's metadata passes, because its
// octets stand elsewhere there.
//
// Kernel decides alone, with the meaning that tcpdump has on a live interface,
// where "ip" is true of a tagged IP packet as well; Prefilter and Match
// together mean the same as Match on a capture file.
func (p *Program) Prefilter() []bpf.RawInstruction {
	if p.kernel || p.link != Ethernet || len(p.code)+3 > maxProgram {
		return p.Kernel()
	}
	return append([]bpf.RawInstruction{
		{Op: classLD | modeABS | sizeB, K: ancillaryVLANThere},
		{Op: classJMP | jmpEQ, Jf: 1, K: 1},
		{Op: classRET, K: defaultSnapLen},
	}, raw(p.code)...)
}

// Match reports whether the program accepts a frame. The wire length is what
// "len", "less" and "greater" see; it exceeds len(frame) when the frame was
// truncated. A test that needs an octet beyond frame rejects it, as in the
// kernel. It does not allocate.
func (p *Program) Match(frame []byte, wireLen int) bool {
	return p.vm.run(frame, uint32(wireLen)) != 0
}
