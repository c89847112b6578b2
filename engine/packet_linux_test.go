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
	"pktsh/engine/filter"
	"pktsh/internal/need"
)

// veth makes a pair of interfaces, pkva and pkvb, both up.
func veth(t *testing.T, mtu int) {
	t.Helper()
	need.Program(t, "ip")
	run(t, "ip", "link", "add", "pkva", "mtu", fmt.Sprint(mtu), "type", "veth", "peer", "name", "pkvb", "mtu", fmt.Sprint(mtu))
	for _, name := range []string{"pkva", "pkvb"} {
		if err := engine.ConfigureLink(name, 0, netip.Prefix{}, true); err != nil {
			t.Fatal(err)
		}
	}
	// Before the kernel has noticed the carrier it drops what is sent.
	for end := time.Now().Add(5 * time.Second); strings.Count(run(t, "ip", "link", "show", "type", "veth"), "state UP") < 2; {
		if time.Now().After(end) {
			t.Fatal("the cable has no carrier")
		}
	}
}

func openLink(t testing.TB, cfg engine.LinkConfig) engine.Conn {
	t.Helper()
	c, err := engine.OpenLink(realEnv(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// vethPair is two ends of a cable: pkva ── pkvb.
func vethPair(name string, ring bool) medium {
	return medium{name: name, max: engine.MaxFrame, slow: true, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
		a := openLink(t, engine.LinkConfig{Name: "pkva", Direction: "in"})
		b := openLink(t, engine.LinkConfig{Name: "pkvb", Direction: "in", Promisc: ring})
		return a, func() engine.Conn { return b }
	}}
}

// both runs a test with and without a ring.
func both(t *testing.T, f func(t *testing.T, open func(cfg engine.LinkConfig) engine.Conn)) {
	veth(t, 1500)
	for _, ring := range []bool{false, true} {
		t.Run(fmt.Sprintf("ring=%v", ring), func(t *testing.T) {
			f(t, func(cfg engine.LinkConfig) engine.Conn {
				cfg.Ring = &ring
				c := openLink(t, cfg)
				t.Cleanup(func() { c.Close() })
				return c
			})
		})
	}
}

// expression is a filter for LinkConfig.
func expression(expr string) func(engine.LinkType) (*filter.Program, error) {
	return func(l engine.LinkType) (*filter.Program, error) {
		return filter.Compile(expr, filter.LinkType(l), filter.Options{})
	}
}

func tagged(number, size, tpid, vlan int) []byte {
	f := frame(number, size)
	tag := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, uint16(tpid)), uint16(vlan))
	return append(append(bytes.Clone(f[:12]), tag...), f[12:]...)
}

// exactly reads until each wanted frame has come, in order, and nothing else of
// ours; a last frame that is not among them ends it.
func exactly(t *testing.T, c engine.Conn, want ...[]byte) []engine.Frame {
	t.Helper()
	ctx := within(t, 5*time.Second)
	var all []engine.Frame
	fs := make([]engine.Frame, 8)
	for len(all) < len(want) {
		n, err := engine.Read(ctx, c, fs)
		if err != nil {
			t.Fatalf("after %d of %d frames: %v", len(all), len(want), err)
		}
		for _, f := range fs[:n] {
			if len(f.Data) < 14 || f.Data[0] == 0x33 { // what IPv6 says on its own
				continue
			}
			f.Data = bytes.Clone(f.Data)
			all = append(all, f)
		}
	}
	for i, f := range all {
		if i >= len(want) || !bytes.Equal(f.Data, want[i]) {
			t.Fatalf("frame %d is % x", i, f.Data)
		}
	}
	return all
}

func TestLinkPutsVLANTagsBack(t *testing.T) {
	if !inNetns(t) {
		return
	}
	both(t, func(t *testing.T, open func(engine.LinkConfig) engine.Conn) {
		a := open(engine.LinkConfig{Name: "pkva"})
		b := open(engine.LinkConfig{Name: "pkvb", Direction: "in"})
		short := open(engine.LinkConfig{Name: "pkvb", Direction: "in", Snaplen: 40})
		vlan := open(engine.LinkConfig{Name: "pkvb", Direction: "in", Filter: expression("vlan 10 and greater 60")})
		frames := [][]byte{frame(0, 60), tagged(1, 60, 0x8100, 10), tagged(2, 1510, 0x8100, 0xefff), tagged(3, 60, 0x88a8, 20),
			tagged(4, 60, 0x8100, 30)[:60]}
		send(t, a, frames...)
		for _, f := range exactly(t, b, frames...) {
			if f.Len != len(f.Data) {
				t.Errorf("%d octets of %d", len(f.Data), f.Len)
			}
		}
		var cut [][]byte
		for _, f := range frames {
			cut = append(cut, f[:40])
		}
		for i, f := range exactly(t, short, cut...) {
			if f.Len != len(frames[i]) || !f.Truncated() {
				t.Errorf("frame %d: a length of %d instead of %d", i, f.Len, len(frames[i]))
			}
		}
		if s := short.Stats(); s.Truncated != 5 || s.RxFrames != 5 || s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
		exactly(t, vlan, frames[1])
	})
}

func TestLinkDirectionProtoAndFilter(t *testing.T) {
	if !inNetns(t) {
		return
	}
	both(t, func(t *testing.T, open func(engine.LinkConfig) engine.Conn) {
		a := open(engine.LinkConfig{Name: "pkva"})
		b := open(engine.LinkConfig{Name: "pkvb"})
		all := open(engine.LinkConfig{Name: "pkvb"})
		in := open(engine.LinkConfig{Name: "pkvb", Direction: "in"})
		out := open(engine.LinkConfig{Name: "pkvb", Direction: "out"})
		outAll := open(engine.LinkConfig{Name: "pkvb", Filter: expression("outbound")})
		some := open(engine.LinkConfig{Name: "pkvb", Filter: expression("ether proto 0x88b5 and greater 100"), Snaplen: 20})
		proto := open(engine.LinkConfig{Name: "pkvb", Proto: 0x88b6})
		other := frame(3, 60)
		other[13] = 0xb6
		send(t, a, frame(1, 60), frame(2, 200), other)
		exactly(t, in, frame(1, 60), frame(2, 200), other)
		send(t, b, frame(4, 70))
		send(t, b, frame(5, 70))
		exactly(t, all, frame(1, 60), frame(2, 200), other, frame(4, 70), frame(5, 70))
		exactly(t, out, frame(4, 70), frame(5, 70))
		exactly(t, outAll, frame(4, 70), frame(5, 70))
		if f := exactly(t, some, frame(2, 200)[:20]); f[0].Len != 200 {
			t.Errorf("a length of %d", f[0].Len)
		}
		exactly(t, proto, other)
		exactly(t, b, frame(1, 60), frame(2, 200), other) // its own frames do not come back

		// Another filter, and none.
		k := in.(interface {
			SetFilter([]filter.Instruction) error
		})
		p, _ := expression("less 100")(engine.LinkEthernet)
		if err := k.SetFilter(p.Kernel()); err != nil {
			t.Fatal(err)
		}
		send(t, a, frame(6, 200), frame(7, 60))
		exactly(t, in, frame(7, 60))
		if err := k.SetFilter(nil); err != nil {
			t.Fatal(err)
		}
		send(t, a, frame(8, 200))
		exactly(t, in, frame(8, 200))
		// What has come before a filter that only the kernel can ask is gone.
		send(t, a, frame(9, 200))
		if p, err := expression("outbound")(engine.LinkEthernet); err != nil {
			t.Fatal(err)
		} else if err := k.SetFilter(p.Kernel()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		if n, err := in.TryRead(make([]engine.Frame, 1)); n != 0 || err != nil {
			t.Errorf("%d frames, %v", n, err)
		}
	})
}

func TestLinkIsPromiscuous(t *testing.T) {
	if !inNetns(t) {
		return
	}
	both(t, func(t *testing.T, open func(engine.LinkConfig) engine.Conn) {
		flags := func() string { return run(t, "ip", "-d", "link", "show", "pkvb") }
		c := open(engine.LinkConfig{Name: "pkvb", Promisc: true})
		if !strings.Contains(flags(), "promiscuity 1") {
			t.Errorf("%s", flags())
		}
		close2(t, c)
		if !strings.Contains(flags(), "promiscuity 0") {
			t.Errorf("%s", flags())
		}
	})
}

func TestLinkOverflowIsCounted(t *testing.T) {
	if !inNetns(t) {
		return
	}
	both(t, func(t *testing.T, open func(engine.LinkConfig) engine.Conn) {
		a := open(engine.LinkConfig{Name: "pkva"})
		b := open(engine.LinkConfig{Name: "pkvb", Direction: "in", Buffer: 1 << 18, Filter: expression("ether proto 0x88b5")})
		batch := make([][]byte, 64)
		for i := range batch {
			batch[i] = frame(i, 1000)
		}
		const rounds = 500
		for range rounds {
			send(t, a, batch...)
		}
		if s := b.Stats(); s.Dropped == 0 {
			t.Errorf("nothing was dropped: %+v", s)
		}
		fs := make([]engine.Frame, 64)
		if n, err := b.TryRead(fs); n == 0 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		close2(t, b)
		if s := b.Stats(); s.RxFrames+s.Dropped != rounds*64 || s.RxFrames == 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestLinkOnLoopbackAndTun(t *testing.T) {
	needTun(t)
	if !inNetns(t) {
		return
	}
	for _, ring := range []bool{false, true} {
		a := openLink(t, engine.LinkConfig{Name: "lo", Ring: &ring})
		b := openLink(t, engine.LinkConfig{Name: "lo", Ring: &ring, Direction: "in"})
		long := frame(2, 65550)
		send(t, a, frame(1, 60), long)
		exactly(t, b, frame(1, 60), long)
		close2(t, a)
		close2(t, b)
	}
	tun := openTap(t, engine.TapConfig{TUN: true, Name: "pk5", Addr: "10.9.0.1/24"})
	defer tun.Close()
	c := openLink(t, engine.LinkConfig{Name: "pk5"})
	defer c.Close()
	if c.LinkType() != engine.LinkRaw {
		t.Fatalf("%s", c.LinkType())
	}
	p := echoRequest()
	copy(p[12:20], "\x0a\x09\x00\x01\x0a\x09\x00\x07")
	send(t, c, p)
	readUntil(t, tun, func(b []byte) bool { return bytes.Equal(b, p) })
	send(t, tun, echoRequest())
	readUntil(t, c, func(b []byte) bool { return len(b) == 28 && b[20] == 8 }) // the request
	readUntil(t, c, func(b []byte) bool { return len(b) == 28 && b[20] == 0 }) // and the kernel's answer
}

func TestLinkSaysWhatIsWrong(t *testing.T) {
	if !inNetns(t) {
		return
	}
	expect := func(err error, kind, text, hint string) {
		t.Helper()
		var h interface{ Hint() string }
		if !kindIs(err, kind) || !strings.Contains(fmt.Sprint(err), text) || !errors.As(err, &h) || !strings.Contains(h.Hint(), hint) {
			t.Errorf("%v, want kind %s, %q, hint %q", err, kind, text, hint)
		}
	}
	both(t, func(t *testing.T, _ func(engine.LinkConfig) engine.Conn) {
		ring := strings.HasSuffix(t.Name(), "true")
		open := func(cfg engine.LinkConfig) error {
			cfg.Ring = &ring
			c, err := engine.OpenLink(realEnv(), cfg)
			if err == nil {
				c.Close()
			}
			return err
		}
		fds := openFiles(t)
		expect(open(engine.LinkConfig{}), "argument", "name of an interface", "")
		expect(open(engine.LinkConfig{Name: "nix"}), "missing", "open link:nix: there is no such interface", "ip link")
		expect(open(engine.LinkConfig{Name: "pkva", Direction: "up"}), "argument", "in, out or both", "")
		expect(open(engine.LinkConfig{Name: "pkva", Snaplen: -1}), "argument", "snaplen", "")
		expect(open(engine.LinkConfig{Name: "pkva", Proto: 1 << 16}), "argument", "proto", "")
		expect(open(engine.LinkConfig{Name: "pkva", Buffer: 3}), "argument", "buffer", "")
		expect(open(engine.LinkConfig{Name: "pkva", Timestamps: "sundial"}), "argument", "software or hardware", "")
		expect(open(engine.LinkConfig{Name: "pkva", Timestamps: "hardware"}), "unsupported", "no clock in hardware", "ethtool -T pkva")
		err := open(engine.LinkConfig{Name: "pkva", Filter: expression("port 70000")})
		if !kindIs(err, "argument") || !strings.Contains(err.Error(), "70000") {
			t.Errorf("%v", err)
		}
		run(t, "ip", "link", "set", "pkva", "down")
		expect(open(engine.LinkConfig{Name: "pkva"}), "system", "the interface is down", "ip link set pkva up")
		if err := open(engine.LinkConfig{Name: "pkva", Up: true}); err != nil {
			t.Error(err)
		}
		if n := openFiles(t); n != fds {
			t.Errorf("failed opens left %d descriptors", n-fds)
		}
		_, err = engine.OpenLink(virtualEnv(1), engine.LinkConfig{Name: "pkva"})
		expect(err, "realtime", "virtual clock", "connector.lan")

		c := openLink(t, engine.LinkConfig{Name: "pkva", Ring: &ring})
		defer c.Close()
		_, err = c.TryWrite([][]byte{frame(0, 60), make([]byte, 5)})
		expect(err, "argument", "5 octets", "")
		_, err = c.TryWrite([][]byte{make([]byte, 1515)})
		expect(err, "range", "frame of 1515 octets exceeds 1514", "")
		for _, what := range []string{"down", "gone"} {
			if what == "down" {
				run(t, "ip", "link", "set", "pkva", "down")
			} else {
				run(t, "ip", "link", "set", "pkva", "up")
				run(t, "ip", "link", "del", "pkva")
			}
			fs := make([]engine.Frame, 4)
			for {
				var n int
				if n, err = engine.Read(within(t, 5*time.Second), c, fs); err != nil {
					break
				} else if n == 0 {
					t.Fatal("no frame and no error")
				}
			}
			if what == "down" {
				expect(err, "system", "read link:pkva: the interface is down", "ip link set pkva up")
				_, err = c.TryWrite([][]byte{frame(0, 60)})
				expect(err, "system", "write link:pkva: the interface is down", "ip link set pkva up")
				continue
			}
			expect(err, "missing", "read link:pkva: the interface was removed", "")
			_, err = c.TryRead(fs)
			expect(err, "missing", "removed", "")
			_, err = c.TryWrite([][]byte{frame(0, 60)})
			expect(err, "missing", "removed", "")
		}
		veth(t, 1500)
	})
	// The same binary without the capability, still in this namespace.
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestLinkWithoutCapability$", "-test.v")
	cmd.Env = append(os.Environ(), "PKTSH_TEST_NO_CAP=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestLinkWithoutCapability runs in a user namespace that does not own the
// network namespace.
func TestLinkWithoutCapability(t *testing.T) {
	if os.Getenv("PKTSH_TEST_NO_CAP") == "" {
		return // it is a part of TestLinkSaysWhatIsWrong
	}
	_, err := engine.OpenLink(realEnv(), engine.LinkConfig{Name: "pkva"})
	var h interface{ Hint() string }
	if !kindIs(err, "permission") || !errors.As(err, &h) || !strings.Contains(h.Hint(), "setcap cap_net_raw+ep") {
		t.Fatalf("%v", err)
	}
	t.Log(err, h.Hint())
}

func TestLinkSendMany(t *testing.T) {
	if !inNetns(t) {
		return
	}
	veth(t, engine.MaxFrame-14)
	sendMany(t, vethPair("plain", false))
}

// A frame's time is the network card's where it has said one, else the kernel's.
func TestLinkTimestamps(t *testing.T) {
	note := func(kind int, times ...int64) (b []byte) {
		b = binary.NativeEndian.AppendUint64(b, uint64(16+16*len(times)))
		b = binary.NativeEndian.AppendUint32(b, syscall.SOL_SOCKET)
		b = binary.NativeEndian.AppendUint32(b, uint32(kind))
		for _, s := range times {
			b = binary.NativeEndian.AppendUint64(b, uint64(s))
			b = binary.NativeEndian.AppendUint64(b, uint64(min(s, 5)))
		}
		return b
	}
	if syscall.SizeofCmsghdr != 16 {
		t.Skip("SKIP: needs a machine of 64 bits: the test lays out its structures")
	}
	for _, c := range []struct {
		note []byte
		want int64
	}{
		{note(syscall.SO_TIMESTAMPNS, 1000), 1000},
		{note(syscall.SO_TIMESTAMPING, 1000, 0, 2000), 2000},
		{note(syscall.SO_TIMESTAMPING, 1000, 0, 0), 1000},
		{note(syscall.SO_TIMESTAMPING, 0, 0, 2000), 2000},
	} {
		if at := engine.TimestampOf(c.note); at.Unix() != c.want || at.Nanosecond() != 5 {
			t.Errorf("% x: %v", c.note, at)
		}
	}
	for _, b := range [][]byte{nil, note(syscall.SO_TIMESTAMPING, 0, 0, 0), note(syscall.SO_TIMESTAMPING, 1000), note(syscall.SO_TIMESTAMPNS)} {
		if at := engine.TimestampOf(b); time.Since(at) > time.Minute {
			t.Errorf("% x: %v, want now", b, at)
		}
	}
}
