package filter

import (
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// attach asks the kernel to take a program. A datagram socket pair needs no
// privilege.
func attach(t testing.TB, fd int, code []bpf.RawInstruction) error {
	t.Helper()
	insns := make([]unix.SockFilter, len(code))
	for i, c := range code {
		insns[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(insns)), Filter: &insns[0]})
}

func socketPair(t testing.TB) (r, w int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[0]); unix.Close(fds[1]) })
	return fds[0], fds[1]
}

func TestTheKernelTakesEveryProgram(t *testing.T) {
	r, _ := socketPair(t)
	exprs := []string{"", strings.Repeat("host 10.0.0.1 or ", 200) + "host 10.0.0.2", longExpression(300)}
	for _, e := range examples(t) {
		if e.accept {
			exprs = append(exprs, e.expr)
		}
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		exprs = append(exprs, expand(random, "E", 6))
	}
	for _, link := range []LinkType{Ethernet, Raw, LinuxSLL, LinuxSLL2, IEEE80211, Radiotap, PPP} {
		for _, expr := range exprs {
			p, err := Compile(expr, link, Options{})
			if err != nil {
				continue // refused for its own reasons, which other tests look at
			}
			for _, code := range [][]bpf.RawInstruction{p.Kernel(), p.Instructions(), p.Prefilter()} {
				if err := attach(t, r, code); err != nil {
					t.Errorf("%s: %s: %d instructions: %v", link, expr, len(code), err)
				}
			}
		}
	}
}

// The kernel runs our programs to the same verdicts as our machine does: frames
// sent into one end of a socket pair come out of the other if it accepts them.
func TestTheKernelAgreesWithMatch(t *testing.T) {
	r, w := socketPair(t)
	pkts := differentialFrames(t, Ethernet, 150)[600:]
	buf := make([]byte, 70000)
	for i, e := range examples(t) {
		p, err := Compile(e.expr, Ethernet, Options{})
		if err != nil || p.KernelOnly() || strings.Contains(e.expr, "vlan") || i%3 != 0 {
			continue
		}
		if err := attach(t, r, p.Kernel()); err != nil {
			t.Fatal(err)
		}
		for _, pkt := range pkts {
			if len(pkt.data) == 0 {
				continue
			}
			// A unix socket gives the writer an error for a frame the filter
			// drops on some kernels, and silence on others.
			_ = unix.Send(w, pkt.data, unix.MSG_DONTWAIT)
			_, _, err := unix.Recvfrom(r, buf, unix.MSG_DONTWAIT)
			if got, want := err == nil, p.Match(pkt.data, len(pkt.data)); got != want {
				t.Errorf("%s: the kernel says %v, we %v: % x", e.expr, got, want, pkt.data)
				break
			}
		}
	}
}

// A received frame has its outer VLAN tag in the kernel's metadata. The live
// program must say of it what the plain program says of the frame with the tag
// in place.
func TestLiveProgramSeesTheTagInMetadata(t *testing.T) {
	exprs := []string{"vlan", "vlan 10", "vlan and ip", "vlan 10 and host 10.0.0.1", "vlan and tcp port 80", "vlan 10 and vlan 20 and ip",
		"vlan 5 or vlan 10", "vlan and arp", "vlan and mpls", "vlan and pppoes and ip", "not vlan 10", "vlan and ip6", "vlan and udp port 53",
		"vlan and (port 53 or net 10.0.0.0/8)", "vlan and ip[8] > 32", "vlan and tcp[13] & 2 != 0", "vlan and ip6 protochain 17", "vlan and geneve"}
	r := rand.New(rand.NewPCG(7, 8))
	var tagged []packet
	for _, f := range captures(t) {
		if f.link != Ethernet {
			continue
		}
		for _, p := range f.pkts {
			if len(p.data) < 14 {
				continue
			}
			d := append([]byte{}, p.data[:12]...)
			d = append(d, 0x81, 0, 0, byte(r.IntN(4)*5))
			if r.IntN(3) == 0 {
				d = append(d, 0x81, 0, 0, byte(r.IntN(5)*5))
			}
			tagged = append(tagged, packet{append(d, p.data[12:]...), len(d) + len(p.data) - 12})
		}
	}
	for _, expr := range exprs {
		p, err := Compile(expr, Ethernet, Options{})
		if err != nil {
			t.Fatal(err)
		}
		validate(t, expr, p)
		matched := 0
		for _, pkt := range tagged {
			want := p.Match(pkt.data, pkt.wire)
			if want {
				matched++
			}
			stripped := append(append([]byte{}, pkt.data[:12]...), pkt.data[16:]...)
			tci := uint32(pkt.data[14])<<8 | uint32(pkt.data[15])
			meta := map[uint32]uint32{ancillaryVLANThere: 1, ancillaryVLANTag: tci}
			if keep, _ := reference(p.Prefilter(), stripped, pkt.wire-4, meta); want && keep == 0 {
				t.Fatalf("%s: the prefilter drops what Match accepts: % x", expr, pkt.data)
			}
			if keep, _ := reference(p.Kernel(), stripped, pkt.wire-4, meta); (keep != 0) != want {
				t.Fatalf("%s: with the tag in the metadata %v, in the frame %v: % x", expr, keep != 0, want, pkt.data)
			}
			// A frame on its way out still has it in place.
			if keep, _ := reference(p.Kernel(), pkt.data, pkt.wire, map[uint32]uint32{ancillaryVLANThere: 0}); (keep != 0) != want {
				t.Fatalf("%s: live with the tag in the frame %v, want %v: % x", expr, keep != 0, want, pkt.data)
			}
		}
		t.Logf("%s: %d of %d", expr, matched, len(tagged))
	}
}
