package engine_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pktsh/engine"
	"pktsh/engine/clock"
)

var sockets atomic.Int32

// socketPath is a short path: a socket's has room for 107 octets.
func socketPath(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pk")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, fmt.Sprint(sockets.Add(1)))
}

func openURL(t testing.TB, url string) engine.Conn {
	t.Helper()
	c, err := engine.Open(realEnv(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// linked waits until there is a peer.
func linked(t testing.TB, c engine.Conn) engine.Conn {
	t.Helper()
	if err := c.(engine.Linked).WaitLink(within(t, 5*time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// atTCP is an address where a listener can be opened.
func atTCP(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// streamMedia are the links over connections, in both directions.
func streamMedia() []medium {
	var ms []medium
	both := func(name string, max int, server func(t testing.TB) engine.Conn, client func(name string) string) {
		open := func(t testing.TB) (s, c engine.Conn) {
			s = server(t)
			c = linked(t, openURL(t, client(s.Name())))
			return linked(t, s), c
		}
		ms = append(ms,
			medium{name: name + " to server", max: max, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
				s, c := open(t)
				return c, func() engine.Conn { return s }
			}},
			medium{name: name + " to client", max: max, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
				s, c := open(t)
				return s, func() engine.Conn { return c }
			}})
	}
	asClient := func(name string) string { return strings.TrimSuffix(name, "?server=1") }
	both("stream+tcp", engine.MaxStreamFrame, func(t testing.TB) engine.Conn {
		return openURL(t, "stream+tcp://127.0.0.1:0?server=1")
	}, asClient)
	both("stream+unix", engine.MaxStreamFrame, func(t testing.TB) engine.Conn {
		return openURL(t, "stream+unix:"+socketPath(t)+"?server=1")
	}, asClient)
	both("bess", engine.MaxFrame, func(t testing.TB) engine.Conn {
		return openURL(t, "bess:"+socketPath(t)+"?server=1")
	}, asClient)
	both("tcp with length", engine.MaxFrame, func(t testing.TB) engine.Conn {
		return openURL(t, "tcp://127.0.0.1:0?server=1&prefix=2")
	}, func(name string) string { return asClient(name) + "?prefix=2" })
	return ms
}

// rawPeer is a listener on lo, and the next connection to it.
func dialRaw(t testing.TB, server engine.Conn) net.Conn {
	t.Helper()
	at := strings.TrimSuffix(strings.TrimPrefix(server.Name(), "stream+tcp://"), "?server=1")
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func prefixed(frames ...[]byte) (b []byte) {
	for _, f := range frames {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...)
	}
	return b
}

// wantDown waits until the server has lost its peer.
func wantDown(t testing.TB, c engine.Conn) error {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if up, _, err := c.(engine.Linked).LinkState(); !up {
			return err
		}
	}
	t.Fatal("the link is still up")
	return nil
}

func TestStreamReassemblesWhateverTheSegments(t *testing.T) {
	s := openURL(t, "stream+tcp://127.0.0.1:0?server=1")
	c := dialRaw(t, s)
	all := prefixed(frame(0, 60), frame(1, 18), nil, frame(2, 300), nil, frame(3, 64))
	for _, b := range all { // one octet at a time
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	for i, f := range collect(t, s, 4, 1) {
		if n := binary.BigEndian.Uint32(f.Data[14:]); int(n) != i {
			t.Fatalf("frame %d is %d", i, n)
		}
	}
	if _, err := c.Write(append(all, all...)); err != nil { // many at once
		t.Fatal(err)
	}
	if got := collect(t, s, 8, 64); len(got) != 8 {
		t.Fatalf("%d frames", len(got))
	}
	if st := s.Stats(); st.RxFrames != 12 || st.Dropped != 0 {
		t.Errorf("%+v", st)
	}
}

func TestStreamRefusesHostileLengths(t *testing.T) {
	for _, length := range []uint32{engine.MaxStreamFrame + 1, 1 << 20, 1<<32 - 1} {
		s := openURL(t, "stream+tcp://127.0.0.1:0?server=1")
		bad := dialRaw(t, s)
		b := binary.BigEndian.AppendUint32(prefixed(frame(1, 60), frame(2, engine.MaxStreamFrame)), length)
		if _, err := bad.Write(append(b, "xxxx"...)); err != nil {
			t.Fatal(err)
		}
		collect(t, s, 2, 4) // what came before is good
		bad.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := bad.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("the link is still up: %v", err)
		}
		if err := wantDown(t, s); !kindIs(err, "range") || !strings.Contains(err.Error(), fmt.Sprint(length)) {
			t.Errorf("%v", err)
		}
		// The server goes on.
		good := dialRaw(t, s)
		if _, err := good.Write(prefixed(frame(9, 60))); err != nil {
			t.Fatal(err)
		}
		collect(t, s, 1, 4)
	}
	// A client without reconnect says what happened.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := openURL(t, "stream+tcp://"+l.Addr().String())
	p, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Write([]byte{0xff, 0, 0, 0})
	if _, err := engine.Read(within(t, 5*time.Second), c, make([]engine.Frame, 1)); !kindIs(err, "range") {
		t.Errorf("%v", err)
	}
	if _, err := c.TryWrite([][]byte{frame(0, 60)}); !kindIs(err, "closed") {
		t.Errorf("%v", err)
	}
}

func TestStreamServerServesOnePeerAfterTheOther(t *testing.T) {
	s := openURL(t, "stream+tcp://127.0.0.1:0?server=1")
	if up, _, _ := s.(engine.Linked).LinkState(); up {
		t.Fatal("up without a peer")
	}
	send(t, s, frame(0, 60)) // to nobody
	for end := time.Now().Add(5 * time.Second); s.Stats().TxDropped != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", s.Stats())
		}
	}
	first := dialRaw(t, s)
	linked(t, s)
	if _, peer, _ := s.(engine.Linked).LinkState(); peer != first.LocalAddr().String() {
		t.Errorf("peer %s", peer)
	}
	second := dialRaw(t, s)
	first.Write(prefixed(frame(1, 60)))
	second.Write(prefixed(frame(2, 60)))
	collect(t, s, 1, 4)
	time.Sleep(20 * time.Millisecond) // the second one's frame must not come
	if n, _ := s.TryRead(make([]engine.Frame, 4)); n != 0 {
		t.Fatal("two peers at a time")
	}
	first.Write([]byte{0, 0, 0, 60, 1, 2, 3}) // vanishes within a frame
	first.Close()
	if got := collect(t, s, 1, 4); binary.BigEndian.Uint32(got[0].Data[14:]) != 2 {
		t.Fatal("another frame")
	}
	if st := s.Stats(); st.Dropped != 1 {
		t.Errorf("%+v", st)
	}
	send(t, s, frame(3, 60))
	second.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 64)
	if _, err := io.ReadFull(second, b); err != nil || string(b) != string(prefixed(frame(3, 60))) {
		t.Fatalf("%v", err)
	}
}

func TestStreamClientConnectsAgain(t *testing.T) {
	at := atTCP(t)
	if _, err := engine.Open(realEnv(), "stream+tcp://"+at); !kindIs(err, "system") {
		t.Fatalf("nobody listens: %v", err)
	}
	c := openURL(t, "stream+tcp://"+at+"?reconnect=0.01")
	for i := range 3 {
		s := openURL(t, "stream+tcp://"+at+"?server=1")
		linked(t, c)
		send(t, linked(t, s), frame(i, 60))
		if got := collect(t, c, 1, 4); binary.BigEndian.Uint32(got[0].Data[14:]) != uint32(i) {
			t.Fatal("another frame")
		}
		close2(t, s)
		wantDown(t, c)
		if n, err := c.TryRead(make([]engine.Frame, 1)); n != 0 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	// Without reconnect the peer's end is the end.
	s := openURL(t, "stream+tcp://"+at+"?server=1")
	d := openURL(t, "stream+tcp://"+at)
	send(t, linked(t, s), frame(7, 60))
	close2(t, s)
	collect(t, d, 1, 1)
	if _, err := engine.Read(within(t, 5*time.Second), d, make([]engine.Frame, 1)); err != io.EOF {
		t.Fatalf("%v", err)
	}
}

// What is written right after opening is not lost, whichever side writes.
func TestStreamLosesNothingAtTheStart(t *testing.T) {
	for range 50 {
		at := socketPath(t)
		s := openURL(t, "stream+unix:"+at+"?server=1")
		c := openURL(t, "stream+unix:"+at)
		send(t, s, frame(1, 60))
		send(t, c, frame(2, 60))
		collect(t, c, 1, 1)
		collect(t, s, 1, 1)
		send(t, c, frame(3, 60)) // and right before closing neither
		close2(t, c)
		collect(t, s, 1, 1)
		close2(t, s)
		if st := s.Stats(); st.TxDropped+st.Dropped != 0 {
			t.Fatalf("%+v", st)
		}
	}
}

func TestStreamTakesOverADeadServersPath(t *testing.T) {
	at := socketPath(t)
	l, err := net.Listen("unix", at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Open(realEnv(), "stream+unix:"+at+"?server=1"); !kindIs(err, "exists") {
		t.Fatalf("a living server's path: %v", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	s := openURL(t, "stream+unix:"+at+"?server=1")
	close2(t, s)
	if _, err := os.Lstat(at); err == nil {
		t.Error("the socket is still there")
	}
	if err := os.WriteFile(at, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Open(realEnv(), "stream+unix:"+at+"?server=1"); !kindIs(err, "exists") {
		t.Fatalf("a file: %v", err)
	}
}

func TestTCPSegmentsAreOctetsInOrder(t *testing.T) {
	s := openURL(t, "tcp://127.0.0.1:0?server=1")
	c := openURL(t, strings.TrimSuffix(s.Name(), "?server=1"))
	var got []byte
	send(t, c, []byte("hello "), []byte("world"))
	for len(got) < 11 {
		fs := make([]engine.Frame, 4)
		n, err := engine.Read(within(t, 5*time.Second), s, fs)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs[:n] {
			got = append(got, f.Data...)
		}
	}
	if string(got) != "hello world" {
		t.Fatalf("%q", got)
	}
}

func TestStreamRefusesWhatMakesNoSense(t *testing.T) {
	for _, url := range []string{
		"stream+tcp:127.0.0.1:1", "stream+tcp://127.0.0.1", "stream+tcp://127.0.0.1:http", "stream+tcp://127.0.0.1:70000",
		"stream+tcp://127.0.0.1:0", "stream+tcp://:5000", "stream+tcp://127.0.0.1:1?server=1&reconnect=1",
		"stream+tcp://127.0.0.1:1?reconnect=-1", "stream+tcp://127.0.0.1:1?prefix=4", "stream+tcp://127.0.0.1:1?localaddr=1",
		"stream+unix:", "stream+unix:/" + strings.Repeat("x", 107), "tcp://127.0.0.1:1?prefix=3", "stream+fd:x", "bess:",
	} {
		if c, err := engine.Open(realEnv(), url); !kindIs(err, "argument") {
			t.Errorf("%s: %v", url, err)
			if err == nil {
				c.Close()
			}
		}
	}
	if _, err := engine.Open(&engine.Env{Clock: clock.NewVirtual(time.Unix(0, 0))}, "stream+unix:/x"); !kindIs(err, "realtime") {
		t.Errorf("virtual: %v", err)
	}
	if _, err := engine.Open(realEnv(), "stream+unix:/nowhere/x.sock"); !kindIs(err, "missing") {
		t.Errorf("missing: %v", err)
	}
	if c, err := engine.Open(realEnv(), "sctp://127.0.0.1:0?server=1"); err == nil {
		c.Close() // this kernel has it
	} else if !kindIs(err, "unsupported") || !strings.Contains(err.Error(), "not supported") {
		t.Errorf("sctp: %v", err)
	}
}

func TestStreamWaitLinkEnds(t *testing.T) {
	s := openURL(t, "stream+tcp://127.0.0.1:0?server=1").(engine.Linked)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.WaitLink(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	ended := make(chan error)
	go func() { ended <- s.WaitLink(context.Background()) }()
	s.(engine.Conn).Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}
