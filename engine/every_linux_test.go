package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pktsh/engine"
	"pktsh/internal/need"
)

// Every connector in one table, and what holds for all of them:
//
//	TestConn, TestKernelConn   the suite of conn_test.go
//	TestEveryConnectorLeaves   nothing is left behind
//	TestEveryConnectorCounts   received and dropped are what was sent, to the frame
//
// They run in a namespace of their own. PKTSH_FULL=1 has them do all 1,000
// cycles and a million frames also where the kernel takes its time.
func everyMedium(t *testing.T) []medium {
	return slices.Concat([]medium{memoryLAN()}, streamMedia(), kernelMedia(t), namespaceMedia(t))
}

// namespaceMedia are those that take a namespace, or privileges; the test that
// asks for them is in one.
func namespaceMedia(t *testing.T) []medium {
	t.Helper()
	twoAddresses(t)
	_ = os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0) // new interfaces stay quiet
	multicastRoute(t)
	veth(t, engine.MaxFrame-14)
	ms := append(sctpMedia(t),
		multicastLAN6(), plainUDP("127.0.0.1"), plainUDP("[::1]"), inheritedStream(),
		vethPair("link", false), vethPair("link with a ring", true),
		rawIPPair("rawip 4", 20, engine.MaxFrame-20, "127.0.0.2", "127.0.0.3", func(f []byte) []byte { return ip4(253, "127.0.0.2", "127.0.0.3", f) }),
		rawIPPair("rawip 6", 40, 65536-40, "fd00::1", "fd00::2", func(f []byte) []byte { return ip6(253, "fd00::1", "fd00::2", nil, f) }),
	)
	if f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err == nil {
		f.Close()
		run(t, "ip", "link", "add", "pkbr", "mtu", "65521", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
		run(t, "ip", "link", "set", "pkbr", "up")
		return append(ms, bridgedTaps(), deviceAndLink("tap to link", "tap", true), deviceAndLink("link to tap", "tap", false),
			deviceAndLink("tun to link", "tun", true), deviceAndLink("link to tun", "tun", false), rawIPToTun())
	} else if os.Getenv("PKTSH_REQUIRE") != "" {
		need.Thing(t, "tap", err)
	}
	return ms
}

func multicastLAN6() medium {
	return medium{name: "mcast 6", max: engine.MaxDatagram6, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
		cfg := engine.McastConfig{Group: "ff02::1:3", Port: lanConfig().Port, Interface: "lo", NoOwn: true}
		a, b := openMcast6(t, cfg), openMcast6(t, cfg)
		return a, func() engine.Conn { return b }
	}}
}

func plainUDP(host string) medium {
	m := medium{name: "udp " + host, max: engine.MaxDatagram}
	if host[0] == '[' {
		m.max = engine.MaxDatagram6
	}
	m.pair = func(t testing.TB) (engine.Conn, func() engine.Conn) {
		at := func() string { // a port that nobody has
			c, err := net.ListenPacket("udp", host+":0")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			return c.LocalAddr().String()
		}
		x, y := at(), at()
		a, b := openURL(t, "udp://"+x+"?local="+y), openURL(t, "udp://"+y+"?local="+x)
		return a, func() engine.Conn { return b }
	}
	return m
}

func inheritedStream() medium {
	return medium{name: "stream+fd", max: engine.MaxStreamFrame, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		a, b := openURL(t, fmt.Sprint("stream+fd:", fds[0])), openURL(t, fmt.Sprint("stream+fd:", fds[1]))
		return linked(t, a), func() engine.Conn { return linked(t, b) }
	}}
}

// sctpMedia is nothing where the kernel lacks it, and says so.
func sctpMedia(t *testing.T) []medium {
	open := func(t testing.TB) (engine.Conn, string, error) {
		at := "sctp://" + atTCP(t)
		s, err := engine.Open(realEnv(), at+"?server=1")
		return s, at, err
	}
	s, _, err := open(t)
	if kindIs(err, "unsupported") && strings.Contains(err.Error(), "protocol not supported") {
		t.Log(err)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	return []medium{{name: "sctp", max: engine.MaxFrame, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
		s, at, err := open(t)
		if err != nil {
			t.Fatal(err)
		}
		c := linked(t, openURL(t, at))
		return c, func() engine.Conn { return linked(t, s) }
	}}}
}

// headed is a Conn of IP packets to a test that sends frames: wrap makes a
// packet of one, and head octets are taken off again.
type headed struct {
	engine.Conn
	head int
	wrap func(f []byte) []byte
}

func (h *headed) TryWrite(frames [][]byte) (int, error) {
	packets := make([][]byte, len(frames))
	for i, f := range frames {
		packets[i] = h.wrap(f)
	}
	return h.Conn.TryWrite(packets)
}

func (h *headed) TryRead(fs []engine.Frame) (int, error) {
	n, err := h.Conn.TryRead(fs)
	for i := range fs[:n] {
		if len(fs[i].Data) >= h.head {
			fs[i].Data = fs[i].Data[h.head:]
			fs[i].Len -= h.head
		}
	}
	return n, err
}

func (h *headed) Stats() engine.Stats {
	s := h.Conn.Stats()
	s.TxOctets -= s.TxFrames * uint64(h.head)
	s.RxOctets -= s.RxFrames * uint64(h.head)
	return s
}

func rawIPPair(name string, head, max int, x, y string, wrap func([]byte) []byte) medium {
	return medium{name: name, max: max, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
		a, b := openURL(t, "rawip:"+x+"?proto=253"), openURL(t, "rawip:"+y+"?proto=253")
		return &headed{a, head, wrap}, func() engine.Conn { return &headed{b, head, wrap} }
	}}
}

// between is a packet for the network of tun devices.
func between(f []byte) []byte { return ip4(253, "10.9.9.2", "10.9.9.3", f) }

// deviceAndLink is a tap or tun and a packet socket on its interface, in one of
// both directions:
//
//	tap ── pkd ── link
func deviceAndLink(name, scheme string, toLink bool) medium {
	m := medium{name: name, max: engine.MaxFrame, slow: true}
	if scheme == "tun" {
		m.max -= 20
	}
	m.pair = func(t testing.TB) (engine.Conn, func() engine.Conn) {
		mtu := engine.MaxFrame
		if scheme == "tap" {
			mtu -= 14
		}
		dev := openURL(t, fmt.Sprintf("%s:pkd?mtu=%d&up=1", scheme, mtu))
		var link engine.Conn = openLink(t, engine.LinkConfig{Name: "pkd", Direction: "in"})
		if scheme == "tun" {
			dev, link = &headed{dev, 20, between}, &headed{link, 20, between}
		}
		if toLink {
			return dev, func() engine.Conn { return link }
		}
		return link, func() engine.Conn { return dev }
	}
	return m
}

// rawIPToTun is a packet that the kernel routes into a tun.
func rawIPToTun() medium {
	return medium{name: "rawip to tun", max: engine.MaxFrame - 20, slow: true, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
		tun := openURL(t, "tun:pkd?mtu=65535&addr=10.9.9.2/24")
		return &headed{openURL(t, "rawip:pkd?proto=raw"), 20, between}, func() engine.Conn { return &headed{tun, 20, between} }
	}}
}

// full asks for all; the race detector takes ten times as long.
func full() bool { return os.Getenv("PKTSH_FULL") != "" && !raced }

func TestKernelConn(t *testing.T) {
	if !need.Netns(t) {
		return
	}
	for _, m := range namespaceMedia(t) {
		t.Run(m.name, func(t *testing.T) { conformance(t, m) })
	}
}

// world is what a connector could leave behind: descriptors, goroutines,
// interfaces, routes.
type world struct {
	files, goroutines int
	kernel            string
}

// exceeds reports whether there is something that was not there before.
func (w world) exceeds(before world) bool {
	return w.files > before.files || w.goroutines > before.goroutines || w.kernel != before.kernel
}

func worldNow(t testing.TB) (w world) {
	w.files, w.goroutines = openFiles(t), runtime.NumGoroutine()
	devices, err := os.ReadFile("/proc/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(devices)) {
		name, _, _ := strings.Cut(line, ":")
		w.kernel += strings.TrimSpace(name) + "\n"
	}
	for _, file := range []string{"/proc/net/route", "/proc/net/ipv6_route", "/proc/net/igmp", "/proc/net/igmp6", "/proc/net/packet", "/proc/net/raw", "/proc/net/raw6"} {
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) { // of a line the last words are counters
			f := strings.Fields(line)
			w.kernel += file + " " + strings.Join(f[:min(len(f), 4)], " ") + "\n"
		}
	}
	return w
}

func TestEveryConnectorLeaves(t *testing.T) {
	if !need.Netns(t) {
		return
	}
	for _, m := range everyMedium(t) {
		t.Run(m.name, func(t *testing.T) {
			cycles := 1000
			if testing.Short() || raced || m.slow && !full() {
				cycles = 50
			}
			var took []time.Duration
			cycle := func() {
				from, to := m.pair(t)
				r := to()
				woken := make(chan time.Time, 1)
				ready := make(chan struct{})
				go func() {
					close(ready)
					for r.Wait(context.Background(), engine.ReadReady) == nil {
						fs := make([]engine.Frame, 4)
						if _, err := r.TryRead(fs); err != nil {
							break
						}
					}
					woken <- time.Now()
				}()
				<-ready
				runtime.Gosched() // it gets into its wait, or nearly
				start := time.Now()
				close2(t, r)
				took = append(took, max(0, (<-woken).Sub(start)))
				close2(t, from)
			}
			cycle()
			runtime.GC() // Conns that t.Cleanup holds are closed, and no longer wait for anything
			before := worldNow(t)
			began := time.Now()
			for range cycles {
				cycle()
			}
			each := time.Since(began) / time.Duration(cycles)
			after := worldNow(t)
			for end := time.Now().Add(10 * time.Second); after.exceeds(before) && time.Now().Before(end); after = worldNow(t) {
				time.Sleep(time.Millisecond)
			}
			if after.exceeds(before) {
				t.Errorf("%d cycles left %d descriptors, %d goroutines; before\n%safter\n%s", cycles,
					after.files-before.files, after.goroutines-before.goroutines, before.kernel, after.kernel)
			}
			slices.Sort(took)
			t.Logf("%d cycles of %v; a reader was woken after %v, at worst %v", cycles, each, took[len(took)/2], took[len(took)-1])
			// One of four: the machine may be busy, the code may not be.
			if quick := took[len(took)/4]; quick > time.Millisecond {
				t.Errorf("a blocked reader was woken after %v", quick)
			}
		})
	}
}

// Frames at full speed, read all the while; then more of them, read by nobody.
// To the frame, what was sent has been received or is counted as dropped.
func TestEveryConnectorCounts(t *testing.T) {
	if !need.Netns(t) {
		return
	}
	for _, m := range everyMedium(t) {
		t.Run(m.name, func(t *testing.T) {
			n := 50_000
			switch {
			case testing.Short() || raced:
				n = 10_000
			case full():
				n = 1_000_000
			}
			countAll(t, m, n)
		})
	}
}

func countAll(t *testing.T, m medium, n int) {
	from, to := m.pair(t)
	r := to()
	sizes := make([][]byte, 64)
	for i := range sizes {
		sizes[i] = frame(i, 60+i)
	}
	began := time.Now()
	failed := make(chan error, 1)
	go func() {
		failed <- func() error {
			for sent := 0; sent < n; {
				k, err := from.TryWrite(sizes[:min(len(sizes), n-sent)])
				if err != nil {
					return err
				}
				if sent += k; k == 0 {
					ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
					err := from.Wait(ctx, engine.WriteReady)
					if cancel(); err != nil {
						return err
					}
				}
			}
			return nil
		}()
	}()
	fs := make([]engine.Frame, 256)
	got, noise := 0, 0
	lost := func() int { return int(r.Stats().Dropped + from.Stats().TxDropped) }
	var sent error
	done := false
	for quiet := time.Now(); ; {
		k, err := r.TryRead(fs)
		if err != nil {
			t.Fatal(err)
		}
		for i := range fs[:k] {
			if ours(fs[i]) {
				got++
			} else {
				noise++
			}
		}
		if k > 0 {
			quiet = time.Now()
			continue
		}
		if !done {
			select {
			case sent = <-failed:
				done, quiet = true, time.Now()
				continue
			default:
			}
		} else if got+lost() >= n || time.Since(quiet) > 2*time.Second {
			break
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		_ = r.Wait(ctx, engine.ReadReady) // the time is up: look whether all is sent
		cancel()
	}
	if sent != nil {
		t.Fatal(sent)
	}
	live := got
	t.Logf("%d frames in %v: received %d, dropped %d", n, time.Since(began).Round(time.Millisecond), got, lost())
	if noise > 0 {
		t.Errorf("%d frames of somebody else", noise)
	}
	if s := r.Stats(); int(s.RxFrames) != got || got+lost() != n {
		t.Errorf("sent %d, received %d, dropped %d (%+v, %+v)", n, got, lost(), from.Stats(), s)
	}
	// And now without a reader.
	more := min(n, 100_000)
	for i := 0; i < more; i += len(sizes) {
		send(t, from, sizes[:min(len(sizes), more-i)]...)
	}
	close2(t, r)
	close2(t, from)
	if s := r.Stats(); int(s.RxFrames) != live || live+lost() != n+more {
		t.Errorf("sent %d in all, received %d, dropped %d (%+v, %+v)", n+more, live, lost(), from.Stats(), s)
	}
}
