package filter

import (
	"fmt"
	"math/rand/v2"
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
	for range mutations {
		pkts = append(pkts, mutate(r, pkts[captured+r.IntN(len(pkts)-captured)]))
	}
	return pkts
}

// agree compares a program with libpcap's on every frame. On a truncated frame
// the order of loads decides, so there our verdict must be that of libpcap's
// optimised or unoptimised program.
func agree(t testing.TB, p *Program, optimised, plain []bpf.RawInstruction, pkts []packet) {
	t.Helper()
	bad := 0
	for _, pkt := range pkts {
		got := p.Match(pkt.data, pkt.wire)
		if want := reference(optimised, pkt.data, pkt.wire, nil) != 0; got == want {
			continue
		}
		if want := reference(plain, pkt.data, pkt.wire, nil) != 0; got == want {
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
		agree(t, p, optimised, plain, pkts)
	})
}

var _ = fmt.Sprint
