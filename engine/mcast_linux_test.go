package engine_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"pktsh/engine"
	"pktsh/internal/need"
)

func TestMcastMembersHearEachOtherAndThemselves(t *testing.T) {
	cfg := lanConfig()
	var all []engine.Conn
	for range 4 {
		all = append(all, openMcast(t, cfg))
	}
	other := openMcast(t, lanConfig())
	for i, c := range all {
		send(t, c, frame(i, 42+i)) // short frames go unpadded
	}
	for _, c := range all {
		got := collect(t, c, 4, 3)
		for i, f := range got {
			if !bytes.Equal(f.Data, frame(i, 42+i)) {
				t.Fatalf("%s: frame %d has %d octets", c.Name(), i, len(f.Data))
			}
		}
	}
	if n, err := other.TryRead(make([]engine.Frame, 1)); n != 0 || err != nil {
		t.Fatalf("another LAN got %d, %v", n, err)
	}
	for _, c := range append(all, other) {
		close2(t, c)
	}
}

// A datagram is a frame, byte for byte, whoever sends it.
func TestMcastFramingIsBare(t *testing.T) {
	cfg := lanConfig()
	c := openMcast(t, cfg)
	defer c.Close()
	group := &net.UDPAddr{IP: net.ParseIP(cfg.Group), Port: cfg.Port}
	peer, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, group)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	want := frame(3, 1514)
	if _, err := peer.Write(want); err != nil {
		t.Fatal(err)
	}
	if got := collect(t, c, 1, 1)[0].Data; !bytes.Equal(got, want) {
		t.Fatalf("got %x", got)
	}
	// And our source port is the LAN's, as QEMU's is.
	listen := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) error {
		return rc.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
	}}
	pc, err := listen.ListenPacket(t.Context(), "udp4", group.String())
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	send(t, c, want)
	b := make([]byte, 2000)
	pc.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, from, err := pc.ReadFrom(b)
	if err != nil || !bytes.Equal(b[:n], want) || from.(*net.UDPAddr).Port != cfg.Port {
		t.Fatalf("%d octets from %v, %v", n, from, err)
	}
}

func TestMcastFlagsTruncation(t *testing.T) {
	cfg := lanConfig()
	a := openMcast(t, cfg)
	cfg.Snaplen = 96
	b := openMcast(t, cfg)
	send(t, a, frame(0, 96), frame(1, 97), frame(2, 65507))
	got := collect(t, b, 3, 2)
	for i, want := range []int{96, 97, 65507} {
		f := got[i]
		if f.Len != want || len(f.Data) != 96 || f.Truncated() != (want > 96) || !bytes.Equal(f.Data, frame(i, want)[:96]) {
			t.Errorf("frame %d: %d of %d octets", i, len(f.Data), f.Len)
		}
	}
	if s := b.Stats(); s.Truncated != 2 {
		t.Errorf("%+v", s)
	}
	close2(t, a)
	close2(t, b)
}

func TestMcastSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		cfg        engine.McastConfig
		kind, text string
	}{
		{engine.McastConfig{Group: "10.0.0.1"}, "argument", "10.0.0.1 is not a multicast address"},
		{engine.McastConfig{Group: "lab"}, "argument", "not an address"},
		{engine.McastConfig{Group: "ff02::1"}, "argument", "name an interface, as in ?if=lo"},
		{engine.McastConfig{Group: "ff02::1%lo", Interface: "eth0"}, "argument", "two interfaces"},
		{engine.McastConfig{Group: "ff05::1", Interface: "127.0.0.1"}, "argument", "neither an interface nor an IPv6 address"},
		{engine.McastConfig{Group: "fe80::1"}, "argument", "not a multicast address"},
		{engine.McastConfig{Port: 70000}, "argument", "port 70000"},
		{engine.McastConfig{TTL: 300}, "argument", "ttl 300"},
		{engine.McastConfig{Interface: "nowhere0"}, "argument", `interface "nowhere0"`},
		{engine.McastConfig{Interface: "192.0.2.77"}, "missing", "join: no such device"},
	} {
		_, err := engine.OpenMcast(realEnv(), c.cfg)
		if !kindIs(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.text) || !strings.HasPrefix(fmt.Sprint(err), "open mcast://") {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
	for url, want := range map[string]string{
		"mcast://[ff02::1:3:1102?if=lo": "in brackets", "mcast://ff02::1:3?if=lo": "in brackets", "mcast://[ff02::1:3]1102?if=lo": "in brackets",
		"mcast://[ff02::1:3]:?if=lo": `port ""`, "mcast://[ff02::1:3]:0?if=lo": `port "0"`, "mcast://[]:1102?if=lo": "in brackets", "mcast://[x]:1": "not an address",
		"mcast://1.2.3.4:5:6": "in brackets", "mcast://]:1": "not an address", "mcast://[": "in brackets", "mcast://[239.1.1.1]:1102?if=nowhere0": "nowhere0",
	} {
		if c, err := engine.Open(realEnv(), url); !kindIs(err, "argument") || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", url, err)
			if err == nil {
				c.Close()
			}
		}
	}
	if _, err := engine.OpenMcast(virtualEnv(1), engine.McastConfig{}); !kindIs(err, "realtime") {
		t.Errorf("on the virtual clock: %v", err)
	}
}

// The LAN on IPv6 is the same, also where a group belongs to one link only.
func TestMcastOnIPv6(t *testing.T) {
	if !need.Netns(t) {
		return
	}
	loopback(t)
	x := openMcast6(t, engine.McastConfig{Group: "ff02::1:3", Interface: "lo"})
	_, err := x.TryWrite([][]byte{frame(0, 60)})
	var hint interface{ Hint() string }
	if !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "ip -6 route add local ff00::/8 dev lo") {
		t.Errorf("without a route: %v", err)
	}
	close2(t, x)
	multicastRoute(t)
	for _, cfg := range []engine.McastConfig{
		{Group: "ff02::1:3", Interface: "lo"}, {Group: "ff01::77%lo"}, {Group: "ff02::1:3", Interface: "::1"}, {Group: "ff05::77", Interface: "lo"},
	} {
		cfg.Port = lanConfig().Port
		a, b := openMcast6(t, cfg), openMcast6(t, cfg)
		long := frame(1, engine.MaxDatagram6)
		send(t, a, frame(0, 42), long)
		for _, c := range []engine.Conn{a, b} {
			got := collect(t, c, 2, 3)
			if !bytes.Equal(got[0].Data, frame(0, 42)) || !bytes.Equal(got[1].Data, long) {
				t.Errorf("%s: other frames", c.Name())
			}
		}
		c := openURL(t, b.Name())
		if c.Name() != a.Name() || !strings.HasPrefix(c.Name(), "mcast://[ff0") {
			t.Errorf("%s is %s", a.Name(), c.Name())
		}
		for _, c := range []engine.Conn{a, b, c} {
			close2(t, c)
		}
	}
}

// Any number of members of one host can leave out their own frames, and only
// these: they are told by address and port, and nothing else.
func TestMcastWithoutOwnFrames(t *testing.T) {
	if !need.Netns(t) {
		return
	}
	loopback(t)
	multicastRoute(t)
	for _, cfg := range []engine.McastConfig{lanConfig(), {Group: "ff02::1:3", Port: lanConfig().Port, Interface: "lo"}} {
		var all []engine.Conn
		for range 3 {
			cfg := cfg
			cfg.NoOwn = true
			all = append(all, openMcast6(t, cfg))
		}
		plain := openMcast6(t, cfg)
		for i, c := range append(all, plain) {
			send(t, c, frame(i, 60), frame(i, 60))
		}
		for i, c := range append(all, plain) {
			n := 6
			if c == plain {
				n = 8
			}
			for _, f := range collect(t, c, n, 64) {
				if c != plain && int(binary.BigEndian.Uint32(f.Data[14:])) == i {
					t.Errorf("%s %d: its own frame", c.Name(), i)
				}
			}
			if k, err := c.TryRead(make([]engine.Frame, 1)); k != 0 || err != nil {
				t.Errorf("%s %d: %d more, %v", c.Name(), i, k, err)
			}
			if s := c.Stats(); s.RxFrames != uint64(n) || s.TxFrames != 2 || s.Dropped != 0 {
				t.Errorf("%+v", s)
			}
		}
		for _, c := range append(all, plain) {
			send(t, c, frame(0, 60))
		}
		for _, c := range all { // its own are not counted as lost either
			close2(t, c)
			if s := c.Stats(); s.Dropped != 3 {
				t.Errorf("%+v", s)
			}
		}
		close2(t, plain)
	}
}

// loopback sets lo up, with IPv6 as it comes.
func loopback(t testing.TB) {
	t.Helper()
	if err := engine.ConfigureLink("lo", 0, netip.Prefix{}, true); err != nil {
		t.Fatal(err)
	}
}

// multicastRoute leads the groups of IPv6 to lo.
func multicastRoute(t *testing.T) {
	t.Helper()
	need.Program(t, "ip")
	run(t, "ip", "-6", "route", "add", "local", "ff00::/8", "dev", "lo")
}

// openMcast6 is openMcast on a machine that need not have IPv6.
func openMcast6(t testing.TB, cfg engine.McastConfig) engine.Conn {
	t.Helper()
	c, err := engine.OpenMcast(realEnv(), cfg)
	if errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.ENODEV) {
		need.Thing(t, "ipv6", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Members that name no interface need a route; with one they meet members on
// lo, and their datagrams may come from 0.0.0.0.
func TestMcastWithoutInterfaceFollowsTheRoute(t *testing.T) {
	need.Program(t, "ip")
	if !inNetns(t) {
		return
	}
	run(t, "ip", "addr", "flush", "dev", "lo")
	cfg := engine.McastConfig{}
	_, err := engine.OpenMcast(realEnv(), cfg)
	var hint interface{ Hint() string }
	if err == nil || !errors.As(err, &hint) || !strings.Contains(hint.Hint(), "ifaddr") {
		t.Fatalf("without a route: %v", err)
	}
	run(t, "ip", "route", "add", "224.0.0.0/4", "dev", "lo")
	a := openMcast(t, cfg)
	b := openMcast(t, engine.McastConfig{Interface: "lo"})
	if a.Name() != "mcast://239.192.168.1:1102" || b.Name() != "mcast://239.192.168.1:1102?if=lo" {
		t.Errorf("%s, %s", a.Name(), b.Name())
	}
	send(t, a, frame(1, 60))
	send(t, b, frame(2, 60))
	if got := collect(t, b, 2, 4); len(got) != 2 {
		t.Fatal(got)
	}
	close2(t, a)
	close2(t, b)
}

func BenchmarkMcast(b *testing.B) {
	cfg := lanConfig()
	from, to := openMcast(b, cfg), openMcast(b, cfg)
	defer from.Close()
	defer to.Close()
	frames := make([][]byte, 64)
	for i := range frames {
		frames[i] = frame(i, 64)
	}
	fs := make([]engine.Frame, 64)
	b.ReportAllocs()
	for i := 0; i < b.N; i += 64 {
		send(b, from, frames...)
		for got := 0; got < 64; {
			n, err := to.TryRead(fs)
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
		for got := 0; got < 64; { // its own
			n, _ := from.TryRead(fs)
			got += n
		}
	}
}
