package filter

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/bpf"
)

// Verdicts and matches of the table, and lengths beside libpcap's.
func TestExamples(t *testing.T) {
	var ratio, chains float64
	n, nchain := 0, 0
	for _, e := range examples(t) {
		p, err := Compile(e.expr, Ethernet, Options{})
		if (err == nil) != e.accept {
			t.Errorf("%s: accepted: %v, want %v (%v)", e.expr, err == nil, e.accept, err)
		}
		if err != nil {
			continue
		}
		validate(t, e.expr, p)
		r := float64(len(p.code)) / float64(e.length)
		if e.class == "protochain" {
			chains += r
			nchain++
		}
		ratio += r
		n++
	}
	t.Logf("%d programs, on average %.3f of libpcap's length, %.3f without the %d unrolled protochains",
		n, ratio/float64(n), (ratio-chains)/float64(n-nchain), nchain)
	if ratio/float64(n) > 1.2 {
		t.Errorf("programs are %.3f times as long as libpcap's, want 1.2 at most", ratio/float64(n))
	}
}

// validate checks what the kernel checks before it takes a program.
func validate(t testing.TB, expr string, p *Program) {
	t.Helper()
	for _, code := range [][]bpf.RawInstruction{p.Instructions(), p.Kernel()} {
		if err := Validate(code); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

func TestExamplesMatchTheCapturesAsLibpcapDoes(t *testing.T) {
	files := captures(t)
	for _, e := range examples(t) {
		if !e.accept {
			continue
		}
		p, err := Compile(e.expr, Ethernet, Options{})
		if err != nil {
			continue // TestExamples reports it
		}
		got := 0
		for _, f := range files {
			if f.link != Ethernet {
				continue
			}
			for _, pkt := range f.pkts {
				if p.Match(pkt.data, pkt.wire) {
					got++
				}
			}
		}
		if got != e.matches {
			t.Errorf("%s: %d packets, want %d", e.expr, got, e.matches)
		}
	}
}

// frames for differential tests: those of the captures and mutations of them.
func differentialFrames(t testing.TB, link LinkType, mutations int) []packet {
	r := rand.New(rand.NewPCG(1, 2))
	var pkts []packet
	for _, f := range captures(t) {
		if f.link == link {
			pkts = append(pkts, f.pkts...)
		}
	}
	captured := len(pkts)
	for range mutations {
		pkts = append(pkts, mutate(r, pkts[r.IntN(captured)]))
	}
	// And mutations of mutations.
	for range mutations {
		pkts = append(pkts, mutate(r, pkts[captured+r.IntN(len(pkts)-captured)]))
	}
	return pkts
}

// agree compares a program with libpcap's on every frame. On a truncated frame
// the order of loads decides, so there our verdict must be that of libpcap's
// optimised or unoptimised program; or, if lenient, theirs may be a load out of
// the frame that ours does not need.
func agree(t testing.TB, p *Program, optimised, plain []bpf.RawInstruction, pkts []packet, lenient bool) {
	t.Helper()
	bad := 0
	for _, pkt := range pkts {
		got := p.Match(pkt.data, pkt.wire)
		keep, fault := reference(optimised, pkt.data, pkt.wire, nil)
		if got == (keep != 0) || lenient && fault {
			continue
		}
		if keep, fault = reference(plain, pkt.data, pkt.wire, nil); got == (keep != 0) || lenient && fault {
			continue
		}
		if bad++; bad == 1 {
			t.Errorf("%s: matches %v, libpcap says %v: %d of %d octets % x", p, got, !got, len(pkt.data), pkt.wire, pkt.data[:min(len(pkt.data), 120)])
		}
	}
	if bad > 1 {
		t.Errorf("%s: %d of %d frames differ", p, bad, len(pkts))
	}
}

func TestExamplesAgreeWithTcpdump(t *testing.T) {
	needTcpdump(t)
	pkts := differentialFrames(t, Ethernet, 1500)
	each(examples(t), func(e example) {
		p, err := Compile(e.expr, Ethernet, Options{})
		optimised, perr := libpcap(e.expr, Ethernet, true)
		if (err == nil) != (perr == nil) {
			t.Errorf("%s: ours: %v, libpcap: %v", e.expr, err, perr)
		}
		if err != nil || perr != nil {
			return
		}
		plain, _ := libpcap(e.expr, Ethernet, false)
		agree(t, p, optimised, plain, pkts, false)
	})
}

// A grammar makes random expressions. Each nonterminal is a list of
// alternatives; words that are no nonterminal stand for themselves.
var grammar = map[string][]string{
	"E": {"T", "T", "T and T", "T or T", "not T", "( E )", "E and T", "T or E", "T and not T", "I", "I", "! ( E )", "T && T || T"},
	"T": {"P", "P", "P", "P host A4", "D A4", "D host A4", "host A6", "D net N4", "net N6", "port O", "D port O", "X port O", "X D port O",
		"portrange R", "X portrange R", "ether D M", "ether host M", "ip proto Q", "ip6 proto Q", "proto Q", "ether proto 0x0800",
		"L", "L", "broadcast", "multicast", "ip multicast", "ip6 multicast", "ip broadcast", "less 100", "greater 64", "arp host A4", "ip host A4",
		"C", "C", "llc", "llc ui", "stp", "isis", "lsp", "iih", "ipx", "atalk", "host ( A4 or A4 )", "port ( O or O and O )", "decnet host 1.2"},
	"I": {"port O or O", "host A4 and not A4", "X port O or O or O", "net N4 or N4", "src host A4 or A4", "ip proto Q or Q", "T and I"},
	"P": {"ip", "ip6", "tcp", "udp", "icmp", "arp", "icmp6", "igmp", "sctp", "pim", "vrrp", "esp", "ah", "rarp"},
	"X": {"tcp", "udp", "sctp"}, "D": {"src", "dst", "src or dst", "src and dst"},
	"A4": {"10.1.1.2", "10.0.0.1", "224.0.0.18", "127.0.0.1", "0.0.0.0", "192.168.1.1", "255.255.255.255"},
	"A6": {"fe80::1", "ff02::1:2", "::1", "fe80::2"}, "N4": {"10.0.0.0/8", "192.168.0.0/16", "10.0.0.0/24", "224.0.0.0/4", "10"},
	"N6": {"fe80::/10", "ff02::/16", "2000::/3"}, "O": {"53", "80", "67", "22", "1985", "domain", "ntp", "547"}, "R": {"1-1023", "53-80", "6000-7000"},
	"M": {"ff:ff:ff:ff:ff:ff", "01:80:c2:00:00:00", "00:60:08:9f:b1:f3"}, "Q": {"6", "17", "89", "1", "58", "51"},
	"L": {"vlan", "vlan 100", "mpls", "mpls 10", "pppoes", "vlan and vlan", "vlan and P", "vlan or P", "mpls and ip", "pppoes and P", "mpls and mpls 10"},
	"C": {"Z = K", "Z != K", "Z > K", "Z <= K", "Z & K = 0", "Z & K != 0", "Z & K = K", "Z + 3 > Z", "K < Z", "Z = Z", "( Z ) >= K", "Z - Z < K", "Z >> 2 = 1", "Z * 4 = 20", "- Z > K", "Z | 1 = 3", "( Z + Z ) * 2 > K"},
	"Z": {"ip[8]", "ip[2:2]", "tcp[13]", "tcp[0:2]", "udp[4:2]", "ether[0]", "ether[12:2]", "ip6[6]", "len", "icmp[0]", "ip[0]", "ip[ip[0] & 15]", "tcp[tcp[12] >> 2]", "icmp6[0]", "arp[6:2]", "udp[8:4]", "ether[len - 1]"},
	"K": {"0", "1", "2", "64", "0x45", "1500", "6", "17"},
}

func expand(r *rand.Rand, sym string, depth int) string {
	alternatives, ok := grammar[sym]
	if !ok {
		return sym
	}
	pickOne := alternatives[r.IntN(len(alternatives))]
	if depth <= 0 {
		pickOne = alternatives[0]
	}
	var out []string
	for w := range strings.FieldsSeq(pickOne) {
		out = append(out, expand(r, w, depth-1))
	}
	return strings.Join(out, " ")
}

// PKTSH_FUZZ_FILTERS is how many random expressions to compare (default 150).
func TestRandomExpressionsAgreeWithTcpdump(t *testing.T) {
	needTcpdump(t)
	n, seed := 150, uint64(1)
	if s := os.Getenv("PKTSH_FUZZ_FILTERS"); s != "" {
		n, _ = strconv.Atoi(s)
		seed = rand.Uint64()
	}
	r := rand.New(rand.NewPCG(seed, 0))
	pkts := differentialFrames(t, Ethernet, 500)
	var exprs []string
	for range n {
		exprs = append(exprs, expand(r, "E", 6))
	}
	var mu sync.Mutex
	var ours, theirs int
	each(exprs, func(expr string) {
		p, err := Compile(expr, Ethernet, Options{})
		optimised, perr := libpcap(expr, Ethernet, true)
		// libpcap sees some more expressions to be impossible; of those our
		// program must know it as well.
		if err == nil && perr != nil && strings.Contains(perr.Error(), "rejects all packets") && len(p.code) == 1 && p.code[0].k == 0 {
			return
		}
		if (err == nil) != (perr == nil) {
			t.Errorf("%s: ours: %v, libpcap: %v", expr, err, perr)
		}
		if err != nil || perr != nil {
			return
		}
		validate(t, expr, p)
		plain, _ := libpcap(expr, Ethernet, false)
		agree(t, p, optimised, plain, pkts, true)
		mu.Lock()
		ours, theirs = ours+len(p.code), theirs+len(optimised)
		mu.Unlock()
	})
	t.Logf("%d instructions, libpcap's have %d", ours, theirs)
}

// Expressions tried on every link type: what libpcap refuses there we refuse.
var linkExpressions = []string{
	"", "ip", "ip6", "arp", "rarp", "tcp", "udp and port 53", "host 10.0.0.1", "src net 10.0.0.0/8 and not tcp", "host fe80::2", "port 67 or 68",
	"icmp[icmptype] = icmp-echo", "tcp[tcpflags] & tcp-syn != 0", "ip[8] < 64", "ip6[6] = 58", "icmp6[0] = 135", "less 100", "len - 20 > 40",
	"ip multicast", "ip6 multicast", "ip broadcast", "multicast", "broadcast", "ether host ff:ff:ff:ff:ff:ff", "ether src 00:11:22:33:44:55",
	"vlan", "vlan 10 and ip", "mpls", "mpls 10 and ip", "pppoes", "pppoes and ip", "pppoed", "llc", "llc ui", "stp", "iso", "isis", "l1", "ipx", "atalk",
	"aarp", "decnet", "netbeui", "ether proto 0x0800", "ether proto 0x88cc", "ether[0] & 1 = 1", "link[0] = 2", "geneve", "geneve 10 and ip",
	"type mgt", "type data subtype qos-data", "subtype beacon", "dir tods", "wlan addr1 ff:ff:ff:ff:ff:ff", "wlan addr2 00:11:22:33:44:55",
	"wlan ra 00:11:22:33:44:55", "wlan ta 00:11:22:33:44:55", "wlan addr4 00:11:22:33:44:55", "radio[2] = 8", "proto 17", "ip proto 6",
	"inbound", "outbound", "ifindex 1", "not ip", "ip or ip6 or arp", "udp[8:4] = 0", "fddi[12:2] = 0x800", "wlan type ctl subtype ack",
}

// linkFrames dresses the Ethernet captures for another link type.
func linkFrames(t testing.TB, link LinkType) []packet {
	r := rand.New(rand.NewPCG(3, 4))
	var out []packet
	for _, f := range captures(t) {
		// For NULL libpcap takes other numbers of IPv6 from a file than without.
		if f.link == link && link != Null {
			out = append(out, f.pkts...)
		}
		if f.link != Ethernet {
			continue
		}
		for i, p := range f.pkts {
			if len(p.data) < 14 || i%5 != 0 {
				continue
			}
			kind, rest := p.data[12:14], p.data[14:]
			six := kind[0] == 0x86
			ppp := []byte{0, pick[byte](six, 0x57, 0x21)}
			var head []byte
			switch link {
			case Ethernet:
				head = p.data[:14]
			case Null:
				head = []byte{pick[byte](six, 10, 2), 0, 0, 0} // without a file libpcap takes Linux's AF_INET6
			case Loop:
				head = []byte{0, 0, 0, pick[byte](six, 10, 2)}
			case PPP:
				head = append([]byte{0xff, 3}, ppp...)
			case CiscoHDLC:
				head = append([]byte{0x0f, 0}, kind...)
			case LinuxSLL:
				head = append([]byte{0, byte(r.IntN(6)), 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0}, kind...)
			case LinuxSLL2:
				head = append(slices.Clone(kind), 0, 0, 0, 0, 0, byte(r.IntN(3)), 0, 1, byte(r.IntN(6)), 6, 1, 2, 3, 4, 5, 6, 0, 0)
			case IEEE80211, Radiotap:
				if link == Radiotap {
					head = []byte{0, 0, 9, 0, byte(2 * r.IntN(2)), 0, 0, 0, byte(r.IntN(2) * 0x20)}
				}
				fc := pick(r.IntN(3) == 0, byte(r.Uint32())&0xfc, pick[byte](r.IntN(2) == 0, 0x08, 0x88))
				wlan := append([]byte{fc, byte(r.IntN(4)), 0, 0}, p.data[:6]...)
				wlan = append(append(wlan, p.data[6:12]...), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0)
				if fc&0x80 != 0 {
					wlan = append(wlan, 0, 0)
				}
				head = append(append(head, wlan...), 0xaa, 0xaa, 3, 0, 0, 0)
				head = append(head, kind...)
			}
			d := append(slices.Clone(head), rest...)
			out = append(out, packet{d, len(d)})
		}
	}
	for n := len(out); n > 0; n-- {
		if p := mutate(r, out[r.IntN(n)]); r.IntN(2) == 0 {
			out = append(out, p)
		}
	}
	return out
}

// better lists where libpcap 1.10.3 loses the offset of an 802.11 payload once
// an encapsulation has set its own.
func better(link LinkType, expr string) bool {
	encapsulated := strings.HasPrefix(expr, "geneve") || strings.HasPrefix(expr, "pppoes")
	return encapsulated && (link == IEEE80211 || link == Radiotap)
}

func TestLinkTypesAgreeWithTcpdump(t *testing.T) {
	needTcpdump(t)
	for _, link := range []LinkType{Null, Ethernet, PPP, Raw, CiscoHDLC, IEEE80211, Loop, LinuxSLL, Radiotap, IPv4, IPv6, LinuxSLL2} {
		pkts := linkFrames(t, link)
		each(linkExpressions, func(expr string) {
			p, err := Compile(expr, link, Options{})
			optimised, perr := libpcap(expr, link, true)
			if (err == nil) != (perr == nil) {
				t.Errorf("%s: %s: ours: %v, libpcap: %v", link, expr, err, perr)
			}
			if err != nil || perr != nil {
				return
			}
			validate(t, expr, p)
			if better(link, expr) {
				return
			}
			plain, _ := libpcap(expr, link, false)
			agree(t, p, optimised, plain, pkts, true)
		})
	}
}

// longExpression asks n different questions, so that jumps must reach beyond
// 255 instructions.
func longExpression(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf("ip[%d:2] = %d", i%40, i))
	}
	return strings.Join(parts, " or ")
}

func TestLongJumpsKeepTheirMeaning(t *testing.T) {
	pkts := differentialFrames(t, Ethernet, 200)
	for _, n := range []int{10, 60, 100, 130, 300, 1000} {
		p, err := Compile(longExpression(n), Ethernet, Options{})
		if err != nil {
			t.Fatal(err)
		}
		validate(t, "", p)
		for _, pkt := range pkts {
			want := len(pkt.data) >= 14 && pkt.data[12] == 8 && pkt.data[13] == 0
			if want {
				found := false
				for i := range n {
					at := 14 + i%40
					if at+2 > len(pkt.data) {
						break // the load ends the program
					}
					if found = int(pkt.data[at])<<8|int(pkt.data[at+1]) == i; found {
						break
					}
				}
				want = found
			}
			if len(pkt.data) >= 14+42 && p.Match(pkt.data, pkt.wire) != want {
				t.Fatalf("%d questions: matches %v, want %v: % x", n, !want, want, pkt.data)
			}
		}
		t.Logf("%d questions: %d instructions", n, len(p.code))
	}
	if _, err := Compile(longExpression(4000), Ethernet, Options{}); err == nil {
		t.Error("a program beyond the kernel's limit was not refused")
	}
}

// Behind a tunnel keyword a filter means what it means on the inner frame
// alone. libpcap 1.10 has no vxlan to compare with.
func TestTunnelsAreLookedInto(t *testing.T) {
	inner := []string{"ip", "ip6", "arp", "tcp", "udp", "icmp", "host 10.0.0.1", "src net 20.0.0.0/8", "udp port 53", "port 22", "ip[8] < 65",
		"icmp[icmptype] = icmp-echo", "ether[0] & 1 = 1", "broadcast", "multicast", "ether src 00:00:00:00:00:01", "vlan", "vlan 3 and ip", "stp", "less 2000",
		"not tcp", "tcp or arp", "tcp[tcpflags] & tcp-syn != 0", "ip multicast"}
	// The frame inside of a tunnel over IPv4 or IPv6 and UDP, where it carries Ethernet.
	unwrap := func(d []byte, port int, header func(h []byte) (n int, ok bool)) ([]byte, bool) {
		at := 0
		switch {
		case len(d) < 60:
			return nil, false
		case d[12] == 8 && d[13] == 0 && d[23] == 17 && d[20]&0x1f == 0 && d[21] == 0:
			at = 14 + int(d[14]&15)*4
		case d[12] == 0x86 && d[13] == 0xdd && d[20] == 17:
			at = 54
		default:
			return nil, false
		}
		if len(d) < at+16 || int(d[at+2])<<8|int(d[at+3]) != port {
			return nil, false
		}
		n, ok := header(d[at+8:])
		if !ok || len(d) < at+8+n+14 {
			return nil, false
		}
		return d[at+8+n:], true
	}
	r := rand.New(rand.NewPCG(11, 12))
	for _, tunnel := range []struct {
		word   string
		port   int
		header func(h []byte) (int, bool)
		wrap   func(f []byte) []byte
	}{
		{"vxlan", 4789, func(h []byte) (int, bool) { return 8, h[0] == 8 },
			func(f []byte) []byte { return append([]byte{8, 0, 0, 0, 0, 0, byte(r.IntN(3)), 0}, f...) }},
		{"geneve", 6081, func(h []byte) (int, bool) {
			return 8 + int(h[0]&0x3f)*4, h[0]&0xc0 == 0 && h[2] == 0x65 && h[3] == 0x58
		},
			func(f []byte) []byte {
				options := r.IntN(4)
				head := append([]byte{byte(options), 0, 0x65, 0x58, 0, 0, byte(r.IntN(3)), 0}, make([]byte, 4*options)...)
				return append(head, f...)
			}},
	} {
		var pkts []packet
		for _, f := range captures(t) {
			if f.link != Ethernet {
				continue
			}
			for i, p := range f.pkts {
				pkts = append(pkts, p)
				if i%4 != 0 || len(p.data) < 14 {
					continue
				}
				var outer []byte
				udp := []byte{0x80, 0, byte(tunnel.port >> 8), byte(tunnel.port), 0, 0, 0, 0}
				if r.IntN(2) == 0 {
					words := 5 + r.IntN(3)
					outer = append(make([]byte, 12), 8, 0, 0x40|byte(words))
					outer = append(outer, make([]byte, 4*words-1)...)
					outer[23] = 17
				} else {
					outer = append(make([]byte, 12), 0x86, 0xdd, 0x60)
					outer = append(outer, make([]byte, 39)...)
					outer[20] = 17
				}
				d := append(append(outer, udp...), tunnel.wrap(p.data)...)
				pkts = append(pkts, packet{d, len(d)})
			}
		}
		tunneled := 0
		for _, expr := range inner {
			whole, err := Compile(tunnel.word+" and ("+expr+")", Ethernet, Options{})
			if err != nil {
				t.Fatal(err)
			}
			validate(t, whole.expr, whole)
			alone, err := Compile(expr, Ethernet, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range pkts {
				f, ok := unwrap(p.data, tunnel.port, tunnel.header)
				if !ok {
					continue
				}
				tunneled++
				if expr != "less 2000" && whole.Match(p.data, p.wire) != alone.Match(f, len(f)) {
					t.Fatalf("%s: %v, on the inner frame %v: % x", whole, !alone.Match(f, len(f)), alone.Match(f, len(f)), p.data)
				}
			}
		}
		if tunneled < 1000 {
			t.Errorf("%s: only %d frames", tunnel.word, tunneled)
		}
	}
}
