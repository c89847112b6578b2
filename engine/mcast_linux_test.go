package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
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
		{engine.McastConfig{Group: "ff02::1"}, "argument", "IPv4"},
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
	if _, err := engine.OpenMcast(virtualEnv(1), engine.McastConfig{}); !kindIs(err, "realtime") {
		t.Errorf("on the virtual clock: %v", err)
	}
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
