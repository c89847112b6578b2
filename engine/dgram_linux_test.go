package engine_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pktsh/engine"
)

// datagramMedia are the links in datagrams to one peer.
func datagramMedia() []medium {
	urls := func(open func(t testing.TB) (string, string)) func(t testing.TB) (engine.Conn, func() engine.Conn) {
		return func(t testing.TB) (engine.Conn, func() engine.Conn) {
			x, y := open(t)
			a, b := openURL(t, x), openURL(t, y)
			return a, func() engine.Conn { return b }
		}
	}
	return []medium{
		{name: "dgram+udp", max: engine.MaxDatagram, pair: urls(func(t testing.TB) (string, string) {
			a, b := atUDP(t), atUDP(t)
			return "dgram+udp://" + a + "?local=" + b, "dgram+udp://" + b + "?local=" + a
		})},
		{name: "dgram+unix", max: engine.MaxFrame, pair: urls(func(t testing.TB) (string, string) {
			a, b := socketPath(t), socketPath(t)
			return "dgram+unix:" + a + "?local=" + b, "dgram+unix:" + b + "?local=" + a
		})},
		{name: "dgram+fd", max: engine.MaxFrame, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			a, b := openURL(t, fmt.Sprint("dgram+fd:", fds[0])), openURL(t, fmt.Sprint("dgram+fd:", fds[1]))
			return a, func() engine.Conn { return b }
		}},
	}
}

// atUDP is an address that nobody has.
func atUDP(t testing.TB) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

func TestUDPHearsItsPeerOnly(t *testing.T) {
	peer, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	at := atUDP(t)
	c := openURL(t, "udp://"+peer.LocalAddr().String()+"?local="+at)
	send(t, c, []byte("hello"))
	b := make([]byte, 64)
	n, from, err := peer.ReadFrom(b)
	if err != nil || string(b[:n]) != "hello" || from.String() != at {
		t.Fatalf("%q from %v, %v", b[:n], from, err)
	}
	stranger, err := net.Dial("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	stranger.Write([]byte("stranger"))
	peer.WriteTo([]byte("answer"), from)
	fs := make([]engine.Frame, 4)
	if n, err := engine.Read(within(t, 5*time.Second), c, fs); n != 1 || err != nil || string(fs[0].Data) != "answer" {
		t.Fatalf("%d, %v", n, err)
	}
	// A peer that has gone costs frames, which are counted, and ends nothing.
	peer.Close()
	for end := time.Now().Add(5 * time.Second); c.Stats().TxDropped == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", c.Stats())
		}
		send(t, c, []byte("x"))
	}
	if n, err := c.TryRead(fs); n != 0 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
}

func TestUnixDatagramsOutliveThePeer(t *testing.T) {
	a, b := socketPath(t), socketPath(t)
	x := openURL(t, "dgram+unix:"+b+"?local="+a)
	lost := func(n uint64) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); x.Stats().TxDropped != n; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%+v", x.Stats())
			}
		}
	}
	send(t, x, frame(0, 60)) // nobody is there
	lost(1)
	for i := range 3 {
		y := openURL(t, "dgram+unix:"+a+"?local="+b)
		send(t, x, frame(i, 60))
		if got := collect(t, y, 1, 1); binary.BigEndian.Uint32(got[0].Data[14:]) != uint32(i) {
			t.Fatal("another frame")
		}
		close2(t, y)
		y.Stats() // waits until it is gone
		send(t, x, frame(9, 60))
		lost(uint64(i + 2))
	}
	close2(t, x)
	x.Stats()
	if _, err := os.Lstat(a); err == nil {
		t.Error("the socket is still there")
	}
	// A path left behind is taken over, one in use is not.
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: a, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Open(realEnv(), "dgram+unix:"+b+"?local="+a); !kindIs(err, "exists") {
		t.Errorf("%v", err)
	}
	l.Close()
	openURL(t, "dgram+unix:"+b+"?local="+a)
}

func TestDatagramsRefuseWhatMakesNoSense(t *testing.T) {
	for _, url := range []string{
		"dgram+udp:127.0.0.1:1", "dgram+udp://", "dgram+udp://127.0.0.1", "dgram+udp://127.0.0.1:0", "dgram+udp://127.0.0.1:1?local=x",
		"dgram+udp://127.0.0.1:1?local=[::1]:1", "dgram+unix:/x", "dgram+unix:?local=/x", "dgram+fd:9999", "dgram+fd:0?local=1",
		"udp://127.0.0.1:1?server=1", "dgram+unix:/x?local=/" + strings.Repeat("y", 110),
	} {
		if c, err := engine.Open(realEnv(), url); !kindIs(err, "argument") {
			t.Errorf("%s: %v", url, err)
			if err == nil {
				c.Close()
			}
		}
	}
}

// An abstract name needs no file, and a peer that is slow is waited for.
func TestUnixDatagramsWithAbstractNames(t *testing.T) {
	a, b := fmt.Sprintf("@pk-%d-a", os.Getpid()), fmt.Sprintf("@pk-%d-b", os.Getpid())
	x, y := openURL(t, "dgram+unix:"+b+"?local="+a), openURL(t, "dgram+unix:"+a+"?local="+b)
	if _, peer, _ := x.(engine.Linked).LinkState(); peer != b {
		t.Errorf("the peer is %q", peer)
	}
	const n = 5000
	go func() {
		for i := range n {
			for {
				if k, _ := x.TryWrite([][]byte{frame(i, 60)}); k == 1 {
					break
				}
				_ = x.Wait(t.Context(), engine.WriteReady)
			}
		}
	}()
	for i, f := range collect(t, y, n, 64) {
		if int(binary.BigEndian.Uint32(f.Data[14:])) != i {
			t.Fatalf("frame %d is another one", i)
		}
	}
}
