package netlink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pktsh/engine/netlink"
	"pktsh/internal/need"
)

// getLink is a request for the interface of this number, or a dump of all.
func getLink(seq uint32, index int32, flags uint16) []byte {
	b := netlink.Header{Len: 32, Type: unix.RTM_GETLINK, Flags: netlink.FlagRequest | flags, Seq: seq}.Append(nil)
	b = append(b, make([]byte, 16)...)
	binary.NativeEndian.PutUint32(b[20:], uint32(index))
	return b
}

func open(t testing.TB, cfg netlink.Config) *netlink.Socket {
	t.Helper()
	cfg.Name = "test"
	s, err := netlink.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestExchangeTakesTheAnswerInOneStep(t *testing.T) {
	s := open(t, netlink.Config{ExtAck: true, Strict: true})
	if s.PID() == 0 {
		t.Error("no port")
	}
	b := make([]byte, 64<<10)
	r, sent, err := s.Exchange(getLink(7, 1, 0), b)
	if err != nil || !sent {
		t.Fatal(sent, err)
	}
	h, ok := netlink.ParseHeader(b[:r.Len])
	if !ok || h.Type != unix.RTM_NEWLINK || h.Seq != 7 || r.PID != 0 || r.Groups != 0 || r.NSID != -1 {
		t.Errorf("%+v %+v", h, r)
	}
	r, _, err = s.Exchange(getLink(8, 99999, 0), b)
	if err != nil {
		t.Fatal(err)
	}
	e := netlink.ErrorOf(b[:r.Len])
	if e == nil || e.Errno != unix.ENODEV || e.Header.Seq != 8 || e.Kind() != "missing" || len(e.Request) != 32 {
		t.Errorf("%+v", e)
	}
	if _, err := s.TryReceive(b); err != netlink.ErrWait {
		t.Error(err)
	}
}

// The sender's address has no bit for such a group.
func TestWhatIsSentToAGroupBeyond32IsKnownForThat(t *testing.T) {
	if _, ok := inOwnNetwork(t); !ok {
		return
	}
	const mcaddr = 37 // RTNLGRP_IPV4_MCADDR, Linux 6.15
	s := open(t, netlink.Config{})
	if err := s.Join(mcaddr); err != nil {
		need.Thing(t, "events of multicast addresses", err)
	}
	linkUp(t, open(t, netlink.Config{}))
	r, err := s.TryReceive(make([]byte, 65536))
	if err != nil || r.Groups == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestErrorsHaveTheKernelsWords(t *testing.T) {
	s := open(t, netlink.Config{ExtAck: true, Strict: true})
	b := make([]byte, 64<<10)
	req := getLink(9, 0, netlink.FlagDump)
	binary.NativeEndian.PutUint32(req[28:], 5) // change: the strict check refuses it
	r, _, err := s.Exchange(req, b)
	if err != nil {
		t.Fatal(err)
	}
	e := netlink.ErrorOf(b[:r.Len])
	if e == nil || e.Errno != unix.EINVAL || e.Text == "" || !errors.Is(e, syscall.EINVAL) {
		t.Fatalf("%+v", e)
	}
	t.Log(e)
}

func TestWaitEndsWithItsContextAndWithClose(t *testing.T) {
	s := open(t, netlink.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Wait(ctx, false) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := s.TrySend(getLink(1, 1, 0), 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(context.Background(), false); err != nil {
		t.Error("something is there:", err)
	}
	if err := s.Wait(context.Background(), true); err != nil {
		t.Error("there is room:", err)
	}
	if _, err := s.TryReceive(make([]byte, 65536)); err != nil {
		t.Fatal(err)
	}
	go func() { done <- s.Wait(context.Background(), false) }()
	runtime.Gosched()
	s.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := s.TrySend(getLink(1, 1, 0), 0, 0); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestPortsAndAdoptedDescriptors(t *testing.T) {
	a := open(t, netlink.Config{PID: 0x10001})
	if a.PID() != 0x10001 {
		t.Error(a.PID())
	}
	if _, err := netlink.Open(netlink.Config{PID: 0x10001}); !errors.Is(err, unix.EADDRINUSE) {
		t.Error(err)
	}
	s, err := netlink.Adopt(a.FD(), netlink.Config{Name: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if s.PID() != a.PID() || s.Config().Family != 0 {
		t.Error(s.PID(), s.Config())
	}
	b := make([]byte, 65536)
	if _, sent, err := s.Exchange(getLink(1, 1, 0), b); err != nil || !sent {
		t.Error(err)
	}
	s.Close()
	if _, sent, err := a.Exchange(getLink(1, 1, 0), b); err != nil || !sent {
		t.Error("the owner's is still open:", err)
	}
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := netlink.Adopt(int(f.Fd()), netlink.Config{}); !errors.Is(err, unix.ENOTSOCK) {
		t.Error(err)
	}
	if _, err := netlink.Adopt(1<<20, netlink.Config{}); !errors.Is(err, unix.EBADF) {
		t.Error(err)
	}
}

func TestAThousandSocketsLeakNothing(t *testing.T) {
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before, routines := count(), runtime.NumGoroutine()
	var list []*netlink.Socket
	for range 1024 {
		s, err := netlink.Open(netlink.Config{})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	b := make([]byte, 65536)
	for i, s := range list {
		if _, _, err := s.Exchange(getLink(uint32(i), 1, 0), b); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	for range 1200 {
		s := open(t, netlink.Config{})
		q := netlink.NewQueue(1<<20, nil)
		r, err := s.ReadInto(q)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		<-r.Done()
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > routines && time.Now().Before(end); {
		runtime.Gosched()
	}
	if after := count(); after > before || runtime.NumGoroutine() > routines {
		t.Errorf("%d descriptors, %d goroutines before; %d, %d after", before, routines, after, runtime.NumGoroutine())
	}
}

func BenchmarkExchange(b *testing.B) {
	s := open(b, netlink.Config{ExtAck: true, Strict: true})
	buf := make([]byte, 64<<10)
	req := getLink(7, 1, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.Exchange(req, buf); err != nil {
			b.Fatal(err)
		}
	}
}
