package tunnel_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"pktsh/engine/clock"
	"pktsh/engine/tunnel"
	"pktsh/internal/need"
)

func needTun(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile(tunnel.Path, os.O_RDWR, 0)
	need.Thing(t, "tap", err)
	f.Close()
}

func open(t *testing.T, r *tunnel.Real, name string) int {
	t.Helper()
	fd, err := r.Open(tunnel.Path, r.Flags().RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Ioctl(fd, tunnel.TUNSETIFF, tunnel.Ifreq(name, tunnel.IFF_TUN|tunnel.IFF_NO_PI)); err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestCloseWakesWaiters(t *testing.T) {
	needTun(t)
	if !need.Netns(t) {
		return
	}
	r := tunnel.NewReal(clock.Real())
	fd := open(t, r, "wake0")
	if _, err := r.Read(fd, 100); err != tunnel.ErrWait {
		t.Fatalf("read of an empty tunnel: %v", err)
	}
	const waiters = 8
	type wake struct {
		err error
		at  time.Time
	}
	woken := make(chan wake, waiters)
	for range waiters {
		go func() {
			err := r.Wait(context.Background(), fd, false)
			woken <- wake{err, time.Now()}
		}()
	}
	time.Sleep(20 * time.Millisecond) // so that they wait; a slower start finds it closed
	start := time.Now()
	if err := r.Close(fd); err != nil {
		t.Fatal(err)
	}
	closed := time.Since(start)
	var last time.Duration
	for range waiters {
		w := <-woken
		if !errors.Is(w.err, syscall.EBADF) {
			t.Errorf("woken with %v", w.err)
		}
		last = max(last, w.at.Sub(start))
	}
	t.Logf("the last was woken after %v, the interface was gone after %v", last, closed)
	if err := r.Wait(context.Background(), fd, false); !errors.Is(err, syscall.EBADF) {
		t.Errorf("wait for a closed descriptor: %v", err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	needTun(t)
	if !need.Netns(t) {
		return
	}
	r := tunnel.NewReal(clock.Real())
	fd := open(t, r, "ctx0")
	defer r.Close(fd)
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer stop()
	if err := r.Wait(ctx, fd, false); err != context.DeadlineExceeded {
		t.Errorf("wait: %v", err)
	}
	// What comes after it is heard nevertheless.
	if err := r.Configure("ctx0", tunnel.Config{Addr: netip.MustParsePrefix("10.9.0.1/24")}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.SendUDP([]byte("x"), netip.MustParseAddrPort("10.9.0.2:9")); err != nil {
		t.Fatal(err)
	}
	ctx, stop = context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	if err := r.Wait(ctx, fd, false); err != nil {
		t.Errorf("wait: %v", err)
	}
	if b, err := r.Read(fd, 1500); err != nil || len(b) < 20 {
		t.Errorf("%x, %v", b, err)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	needTun(t)
	if !need.Netns(t) {
		return
	}
	r := tunnel.NewReal(clock.Real())
	cycle := func() {
		fd := open(t, r, "left%d")
		ctx, stop := context.WithTimeout(context.Background(), time.Millisecond)
		r.Wait(ctx, fd, false)
		stop()
		p, err := r.ReceiveUDP(fd, netip.MustParseAddrPort("0.0.0.0:0"))
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
		if err := r.Close(fd); err != nil {
			t.Fatal(err)
		}
	}
	cycle() // the poller's own descriptors
	fds, goroutines := openFiles(t), runtime.NumGoroutine()
	for range 50 {
		cycle()
	}
	if n := openFiles(t); n != fds {
		t.Errorf("%d descriptors, %d before", n, fds)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	links, err := os.ReadDir("/sys/class/net")
	if err == nil {
		for _, l := range links {
			if l.Name() == "left0" {
				t.Error("an interface is left")
			}
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}

// The kernel's system reaches no descriptor of the process but its own, and
// lets no request through whose argument it does not know.
func TestOnlyWhatItOpened(t *testing.T) {
	r := tunnel.NewReal(clock.Real())
	if _, err := r.Write(1, []byte("x")); !errors.Is(err, syscall.EBADF) {
		t.Errorf("write to 1: %v", err)
	}
	if err := r.Close(0); !errors.Is(err, syscall.EBADF) {
		t.Errorf("close 0: %v", err)
	}
	fd, err := r.Open(os.DevNull, r.Flags().RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close(fd)
	if _, err := r.Ioctl(fd, 0x5413, tunnel.Arg{}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("TIOCGWINSZ: %v", err)
	}
}

func TestVirtualClock(t *testing.T) {
	r := tunnel.NewReal(clock.NewVirtual(time.Unix(0, 0)))
	_, err := r.Open(tunnel.Path, r.Flags().RDWR, 0)
	var k interface{ Kind() string }
	if !errors.As(err, &k) || k.Kind() != "realtime" {
		t.Errorf("open: %v", err)
	}
}
