package engine_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"pktsh/engine"
	"pktsh/internal/need"
)

// ip4 is a whole packet of IPv4.
func ip4(proto byte, src, dst string, payload []byte) []byte {
	h := make([]byte, 20, 20+len(payload))
	h[0], h[8], h[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(payload)))
	h[5] = 1 // identification; of 0 the kernel would make one
	copy(h[12:], netip.MustParseAddr(src).AsSlice())
	copy(h[16:], netip.MustParseAddr(dst).AsSlice())
	binary.BigEndian.PutUint16(h[10:], checksum(h))
	return append(h, payload...)
}

// ip6 is a whole packet of IPv6; ext stands between its header and the payload.
func ip6(next byte, src, dst string, ext, payload []byte) []byte {
	h := make([]byte, 40, 40+len(ext)+len(payload))
	h[0], h[1], h[2], h[3], h[6], h[7] = 0x6a, 0xb1, 0x23, 0x45, next, 63
	binary.BigEndian.PutUint16(h[4:], uint16(len(ext)+len(payload)))
	copy(h[8:], netip.MustParseAddr(src).AsSlice())
	copy(h[24:], netip.MustParseAddr(dst).AsSlice())
	return append(append(h, ext...), payload...)
}

// twoAddresses gives lo fd00::1 and fd00::2; of IPv4 it has 127.0.0.0/8.
func twoAddresses(t *testing.T) {
	t.Helper()
	loopback(t)
	for _, a := range []string{"fd00::1/128", "fd00::2/128"} {
		if err := engine.ConfigureLink("lo", 0, netip.MustParsePrefix(a), true); err != nil {
			need.Thing(t, "ipv6", err)
		}
	}
}

func TestRawIPPacketsComeWhole(t *testing.T) {
	if !need.Netns(t) {
		return
	}
	twoAddresses(t)
	hop := []byte{60, 0, 1, 4, 0, 0, 0, 0}                              // hop by hop: padding; then destination options
	dest := []byte{43, 0, 0x1e, 4, 1, 2, 3, 4}                          // an option to skip; then routing
	route := []byte{253, 0, 253, 0, 0, 0, 0, 0}                         // of an experimental type, with nothing left to visit
	ext := bytes.Join([][]byte{hop, dest, route}, nil)                  // in the order of RFC 8200 §4.1
	long := bytes.Repeat([]byte("0123456789abcdef"), 65535/16)[:60_000] // cut by nobody: lo takes 64 KiB
	for _, c := range []struct {
		a, b    string
		packets [][]byte
	}{
		{"127.0.0.2", "127.0.0.3", [][]byte{
			ip4(253, "127.0.0.2", "127.0.0.3", []byte("hello")), ip4(253, "127.0.0.2", "127.0.0.3", nil), ip4(253, "127.0.0.2", "127.0.0.3", long),
		}},
		{"fd00::1", "fd00::2", [][]byte{
			ip6(253, "fd00::1", "fd00::2", nil, []byte("hello")), ip6(253, "fd00::1", "fd00::2", nil, nil),
			ip6(253, "fd00::1", "fd00::2", nil, long), ip6(0, "fd00::1", "fd00::2", ext, []byte("behind three headers")),
		}},
	} {
		a, b := openURL(t, "rawip:"+c.a+"?proto=253"), openURL(t, "rawip:"+c.b+"?proto=253")
		only := openURL(t, "rawip:lo?proto=253&src="+c.b+"&dst="+c.a)
		if a.LinkType() != engine.LinkRaw || a.Name() != "rawip:"+c.a+"?proto=253" {
			t.Errorf("%s of %v", a.Name(), a.LinkType())
		}
		var other []byte
		if c.a[0] == '1' {
			other = ip4(254, c.a, c.b, []byte("another protocol"))
		} else {
			other = ip6(254, c.a, c.b, nil, []byte("another protocol"))
		}
		send(t, a, other)
		send(t, a, c.packets...)
		for _, r := range []engine.Conn{b, only} {
			fs := make([]engine.Frame, 64)
			for got := 0; got < len(c.packets); {
				n, err := engine.Read(within(t, 5*time.Second), r, fs)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range fs[:n] {
					if want := c.packets[got]; !bytes.Equal(f.Data, want) || f.Len != len(want) || f.Link != engine.LinkRaw {
						t.Errorf("%s: packet %d is %d of %d octets\n% x\n% x", r.Name(), got, len(f.Data), f.Len, f.Data[:min(len(f.Data), 90)], want[:min(len(want), 90)])
					}
					got++
				}
			}
			if s := r.Stats(); s.RxFrames != uint64(len(c.packets)) || s.Dropped != 0 {
				t.Errorf("%+v", s)
			}
		}
		if n, err := a.TryRead(make([]engine.Frame, 1)); n != 0 || err != nil {
			t.Errorf("%s heard %d of what goes to another address, %v", a.Name(), n, err)
		}
		if _, err := a.TryWrite([][]byte{[]byte("no header")}); !kindIs(err, "argument") {
			t.Errorf("%v", err)
		}
	}
}

// What the kernel has put together from fragments comes as one packet.
func TestRawIPFragmentsArePutTogether(t *testing.T) {
	if !need.Netns(t) {
		return
	}
	twoAddresses(t)
	b := openURL(t, "rawip:127.0.0.3?proto=253")
	a := openURL(t, "rawip:127.0.0.2?proto=raw")
	payload := bytes.Repeat([]byte("pkt"), 800)
	first, second := ip4(253, "127.0.0.2", "127.0.0.3", payload[:1600]), ip4(253, "127.0.0.2", "127.0.0.3", payload[1600:])
	first[6] |= 0x20
	binary.BigEndian.PutUint16(second[6:], 1600/8)
	send(t, a, second, first)
	if got := readUntil(t, b, func([]byte) bool { return true }); !bytes.Equal(got, ip4(253, "127.0.0.2", "127.0.0.3", payload)) {
		t.Errorf("% x", got)
	}
	if _, err := a.TryRead(make([]engine.Frame, 1)); !kindIs(err, "unsupported") {
		t.Errorf("reading with proto=255: %v", err)
	}
	// The kernel answers what we ask.
	ping := openURL(t, "rawip:127.0.0.2?proto=icmp&dst=127.0.0.3")
	echo := []byte{8, 0, 0, 0, 0x12, 0x34, 0, 1}
	binary.BigEndian.PutUint16(echo[2:], checksum(echo))
	send(t, ping, ip4(1, "0.0.0.0", "127.0.0.3", echo))
	reply := readUntil(t, ping, func(b []byte) bool { return len(b) >= 28 && b[20] == 0 })
	if !bytes.Equal(reply[24:28], echo[4:]) {
		t.Errorf("% x", reply)
	}
}

func TestRawIPSaysWhatIsWrong(t *testing.T) {
	for url, want := range map[string]string{
		"rawip:lo":                          "proto: want the protocol",
		"rawip:lo?proto=0":                  `proto "0"`,
		"rawip:lo?proto=icmpp":              `proto "icmpp"`,
		"rawip:lo?proto=256":                `proto "256"`,
		"rawip:127.0.0.1?proto=1&version=6": "version 6 does not go with",
		"rawip:127.0.0.1?proto=1&dst=::1":   "not of one family",
		"rawip:lo?proto=1&src=lo":           `src "lo" is not an address`,
		"rawip:lo?proto=1&version=5":        "version 5",
		"rawip:nowherenowherenow?proto=1":   "17 octets",
		"rawip:lo?proto=1&colour=blue":      "unknown option",
		"rawip:fe80::1%nowhere0?proto=1":    "there is no such interface",
		"rawip:nowhere0?proto=1":            `interface "nowhere0"`,
	} {
		c, err := engine.Open(realEnv(), url)
		if errors.Is(err, os.ErrPermission) {
			continue // what the system would say is not reached
		}
		if !kindIs(err, "argument") || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", url, err)
		}
		if err == nil {
			c.Close()
		}
	}
	if _, err := engine.OpenRawIP(virtualEnv(1), engine.RawIPConfig{Proto: 1}); !kindIs(err, "realtime") {
		t.Errorf("on the virtual clock: %v", err)
	}
	for name, want := range map[string]int{"ICMP": 1, "ospf": 89, "raw": 255, "17": 17} {
		if n, err := engine.ProtocolNumber(name); n != want || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

func TestRawIPExplainsWhatTheKernelSays(t *testing.T) {
	if !inNetns(t) {
		return
	}
	c := openURL(t, "rawip:?proto=253")
	write := func(p []byte, kind, text string) {
		t.Helper()
		if _, err := c.TryWrite([][]byte{p}); !kindIs(err, kind) || !strings.Contains(fmt.Sprint(err), text) {
			t.Errorf("%v", err)
		}
	}
	write(ip4(253, "0.0.0.0", "192.0.2.1", nil), "system", "no route to 192.0.2.1")
	if err := engine.ConfigureLink("lo", 1500, netip.Prefix{}, true); err != nil {
		t.Fatal(err)
	}
	write(ip4(253, "0.0.0.0", "127.0.0.1", make([]byte, 1481)), "range", "packet of 1501 octets exceeds the mtu")
	write(make([]byte, 65536), "range", "exceeds 65535")
	write(ip6(253, "::1", "::1", nil, nil), "argument", "want an IPv4 header")
	bad := ip4(253, "127.0.0.1", "127.0.0.1", nil)
	bad[0] = 0x4f // a header of 60 octets
	write(bad, "argument", "the kernel takes no such packet")
	_, err := engine.Open(realEnv(), "rawip:192.0.2.1?proto=1")
	if !kindIs(err, "missing") {
		t.Errorf("%v", err)
	}
	// The same binary without the capability, still in this namespace.
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestRawIPWithoutCapability$", "-test.v")
	cmd.Env = append(os.Environ(), "PKTSH_TEST_NO_CAP=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRawIPWithoutCapability runs in a user namespace that does not own the
// network namespace.
func TestRawIPWithoutCapability(t *testing.T) {
	if os.Getenv("PKTSH_TEST_NO_CAP") == "" {
		return // it is a part of TestRawIPExplainsWhatTheKernelSays
	}
	_, err := engine.Open(realEnv(), "rawip:?proto=icmp")
	var hint interface{ Hint() string }
	if !kindIs(err, "permission") || !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "CAP_NET_RAW") {
		t.Errorf("%v", err)
	}
}
