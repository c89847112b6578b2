package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/bpf"
)

// need skips a test aloud when this machine lacks what, or fails it if what is
// in PKTSH_REQUIRE.
func need(t testing.TB, what string, ok bool) {
	t.Helper()
	switch {
	case ok:
	case slices.Contains(strings.Split(os.Getenv("PKTSH_REQUIRE"), ","), what):
		t.Fatalf("%s is required and missing", what)
	default:
		t.Skipf("SKIP: no %s here", what)
	}
}

func needTcpdump(t testing.TB) {
	t.Helper()
	_, err := exec.LookPath("tcpdump")
	need(t, "tcpdump", err == nil)
}

// An expression of testdata/filters.txt and what libpcap says of it.
type example struct {
	class, expr string
	accept      bool
	length      int // of libpcap's program
	matches     int // in the Ethernet captures
}

func examples(t testing.TB) []example {
	t.Helper()
	text, err := os.ReadFile("testdata/filters.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []example
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.SplitN(line, "\t", 5)
		if len(f) != 5 {
			t.Fatalf("testdata/filters.txt: bad line %q", line)
		}
		length, err1 := strconv.Atoi(f[2])
		matches, err2 := strconv.Atoi(f[3])
		if err1 != nil || err2 != nil {
			t.Fatalf("testdata/filters.txt: bad line %q", line)
		}
		out = append(out, example{f[0], f[4], f[1] == "accept", length, matches})
	}
	return out
}

// packet is a frame as a capture file holds it.
type packet struct {
	data []byte
	wire int
}

// readCapture reads the packets of a pcap or pcapng file and its link type,
// leaving out what is not a packet.
func readCapture(t testing.TB, file string) (link LinkType, out []packet) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var order binary.ByteOrder = binary.LittleEndian
	u32 := func(at int) int { return int(order.Uint32(b[at:])) }
	switch binary.BigEndian.Uint32(b) {
	case 0x0a0d0d0a: // pcapng
		for at := 0; at+12 <= len(b); {
			if u32(at) == 0x0a0d0d0a && binary.LittleEndian.Uint32(b[at+8:]) != 0x1a2b3c4d {
				order = binary.BigEndian
			}
			kind, n := u32(at), u32(at+4)
			switch kind {
			case 1:
				link = LinkType(order.Uint16(b[at+8:]))
			case 6:
				out = append(out, packet{b[at+28 : at+28+u32(at+20)], u32(at + 24)})
			}
			at += n
		}
		return link, out
	case 0xa1b2c3d4, 0xa1b23c4d:
		order = binary.BigEndian
	}
	link = LinkType(u32(20))
	for at := 24; at+16 <= len(b); {
		n := u32(at + 8)
		if at+16+n > len(b) {
			break
		}
		out = append(out, packet{b[at+16 : at+16+n], u32(at + 12)})
		at += 16 + n
	}
	return link, out
}

type captureFile struct {
	name string
	link LinkType
	pkts []packet
}

// captures are the sample captures beside the repository.
func captures(t testing.TB) []captureFile {
	t.Helper()
	files, _ := filepath.Glob("../../../shared/captures/*.pcap*")
	need(t, "captures", len(files) > 0)
	var out []captureFile
	for _, f := range files {
		link, pkts := readCapture(t, f)
		out = append(out, captureFile{f, link, pkts})
	}
	return out
}

// libpcap compiles an expression as tcpdump does. With optimize false the
// program asks every question in the order of the expression.
func libpcap(expr string, link LinkType, optimize bool) ([]bpf.RawInstruction, error) {
	names := map[LinkType]string{Null: "NULL", Ethernet: "EN10MB", PPP: "PPP", Raw: "RAW", CiscoHDLC: "C_HDLC", IEEE80211: "IEEE802_11",
		Loop: "LOOP", LinuxSLL: "LINUX_SLL", Radiotap: "IEEE802_11_RADIO", IPv4: "IPV4", IPv6: "IPV6", LinuxSLL2: "LINUX_SLL2"}
	args := []string{"-ddd", "-y", names[link], "-s", "262144"}
	if !optimize {
		args = append(args, "-O")
	}
	var stderr bytes.Buffer
	cmd := exec.Command("tcpdump", append(args, "--", expr)...)
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s", strings.TrimSpace(stderr.String()))
	}
	var out []bpf.RawInstruction
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines[1:] {
		var r bpf.RawInstruction
		if _, err := fmt.Sscan(line, &r.Op, &r.Jt, &r.Jf, &r.K); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// each runs f for all items on a few goroutines: tcpdump is mostly start-up.
func each[T any](items []T, f func(T)) {
	work := make(chan T)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for x := range work {
				f(x)
			}
		})
	}
	for _, x := range items {
		work <- x
	}
	close(work)
	wg.Wait()
}

// reference interprets a program step by step as the kernel's documentation
// says. It knows the ancillary loads, and, unlike x/net/bpf, the wire length
// and the backward jumps of libpcap's protochain. A fault is a load beyond the
// frame, which rejects it.
func reference(code []bpf.RawInstruction, frame []byte, wireLen int, meta map[uint32]uint32) (keep uint32, fault bool) {
	var a, x uint32
	var mem [16]uint32
	load := func(at uint64, size int) (uint32, bool) {
		if v, ok := meta[uint32(at)]; ok {
			return v, true
		}
		if at+uint64(size) > uint64(len(frame)) {
			return 0, false
		}
		v := uint32(0)
		for _, b := range frame[at : at+uint64(size)] {
			v = v<<8 | uint32(b)
		}
		return v, true
	}
	sizes := map[uint16]int{0x00: 4, 0x08: 2, 0x10: 1}
	for pc, steps := 0, 0; pc >= 0 && pc < len(code); steps++ {
		if steps > 100000 {
			return 0, true
		}
		i := code[pc]
		pc++
		ok := true
		switch i.Op & 7 {
		case 0x00:
			switch i.Op & 0xe0 {
			case 0x00:
				a = i.K
			case 0x20:
				a, ok = load(uint64(i.K), sizes[i.Op&0x18])
			case 0x40:
				a, ok = load(uint64(x+i.K), sizes[i.Op&0x18])
			case 0x60:
				a = mem[i.K]
			case 0x80:
				a = uint32(wireLen)
			}
		case 0x01:
			switch i.Op & 0xe0 {
			case 0x00:
				x = i.K
			case 0x60:
				x = mem[i.K]
			case 0x80:
				x = uint32(wireLen)
			case 0xa0:
				x, ok = load(uint64(i.K), 1)
				x = x & 15 * 4
			}
		case 0x02:
			mem[i.K] = a
		case 0x03:
			mem[i.K] = x
		case 0x04:
			v := i.K
			if i.Op&8 != 0 {
				v = x
			}
			if i.Op&0xf0 == 0x80 {
				a = -a
			} else {
				a, ok = arith(i.Op&0xf0, a, v)
			}
		case 0x05:
			v := i.K
			if i.Op&8 != 0 {
				v = x
			}
			if i.Op&0xf0 == 0 {
				pc += int(int32(i.K))
			} else if decideConst(i.Op&0xf0, a, v) {
				pc += int(i.Jt)
			} else {
				pc += int(i.Jf)
			}
		case 0x06:
			if i.Op == 0x16 {
				return a, false
			}
			return i.K, false
		case 0x07:
			if i.Op == 0x87 {
				a = x
			} else {
				x = a
			}
		}
		if !ok {
			return 0, true
		}
	}
	return 0, true
}

// mutate changes frames the way the wire does not: cut short, octets changed,
// wrapped into tags, labels and tunnels.
func mutate(r *rand.Rand, p packet) packet {
	d := slices.Clone(p.data)
	wire := p.wire
	switch r.IntN(8) {
	case 0, 1:
		d = d[:r.IntN(len(d)+1)]
	case 2, 3:
		for range 1 + r.IntN(3) {
			if len(d) > 0 {
				d[r.IntN(min(len(d), 80))] = byte(r.Uint32())
			}
		}
	case 4:
		d = slices.Insert(d, min(12, len(d)), 0x81, 0, byte(r.IntN(2)), byte(r.IntN(20)))
	case 5:
		d = slices.Insert(d, min(12, len(d)), 0x88, 0x47, 0, 0, 1<<4|byte(r.IntN(2)), 64)
		if r.IntN(2) == 0 {
			d = slices.Insert(d, min(14, len(d)), 0, 0, 0xa<<4, 64)
		}
	case 6:
		d = slices.Insert(d, min(12, len(d)), 0x88, 0x64, 0x11, 0, 0, 0x3b, 0, 40, 0, byte(pick(r.IntN(2) == 0, 0x21, 0x57)))
	case 7:
		if len(d) > 40 {
			d[14] = 0x40 | byte(5+r.IntN(11))
		}
	}
	return packet{d, max(wire, len(d))}
}
