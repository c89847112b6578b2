package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"pktsh/engine"
)

// flushing is a writer whose frames are in the file at once.
type flushing struct{ *engine.PcapWriter }

func (f flushing) TryWrite(frames [][]byte) (int, error) {
	n, err := f.PcapWriter.TryWrite(frames)
	if ferr := f.Flush(); err == nil {
		err = ferr
	}
	return n, err
}

func growingFile() medium {
	return medium{name: "growing file", max: 262144, lasts: true, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
		file := filepath.Join(t.TempDir(), "x.pcapng")
		w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: file, LinkType: engine.LinkEthernet,
			Interfaces: []engine.PcapInterface{{LinkType: engine.LinkEthernet}}})
		if err == nil {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
		r := followed(t, file)
		return flushing{w}, func() engine.Conn { return r }
	}}
}

// followed opens a file that grows.
func followed(t testing.TB, file string) engine.Conn {
	t.Helper()
	c, err := engine.Open(realEnv(), "pcap:"+file+"?follow=1")
	if err == nil {
		err = c.(engine.Opening).Opened(within(t, 10*time.Second))
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGrowingFile(t *testing.T) { conformance(t, growingFile()) }

// pipe makes a named pipe.
func pipe(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// openPipe opens a pipe that need not carry anything yet.
func openPipe(t testing.TB, name string) engine.Conn {
	t.Helper()
	c, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: name})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// descriptors is how many are open.
func descriptors(t testing.TB) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// A pipe is opened and read without anybody waiting for the other end, and
// octets may come one at a time.
func TestPcapPipe(t *testing.T) {
	name := pipe(t)
	r := openPipe(t, name)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := r.(engine.Opening).Opened(ctx); !kindIs(err, "timeout") {
		t.Fatalf("nobody writes: %v", err)
	}
	w, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	for _, b := range header(le, 0xa1b2c3d4, 1) {
		w.Write([]byte{b})
		runtime.Gosched()
	}
	if err := r.(engine.Opening).Opened(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	if r.LinkType() != engine.LinkEthernet {
		t.Errorf("link type %v", r.LinkType())
	}
	fs := make([]engine.Frame, 4)
	if n, err := r.TryRead(fs); n != 0 || err != nil {
		t.Fatalf("nothing was sent: %d, %v", n, err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := r.Wait(ctx, engine.ReadReady); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	go func() {
		for _, b := range append(record(le, 1, 0, 5, "hello"), record(le, 2, 0, 3, "you")...) {
			w.Write([]byte{b})
		}
		w.Close()
	}()
	for _, want := range []string{"hello", "you"} {
		if n, err := engine.Read(within(t, 10*time.Second), r, fs[:1]); n != 1 || err != nil || string(fs[0].Data) != want {
			t.Fatalf("%d, %v, %q", n, err, fs[0].Data)
		}
	}
	if _, err := engine.Read(within(t, 10*time.Second), r, fs); err != io.EOF {
		t.Fatal(err)
	}
	close2(t, r)
}

// A pipe can be closed at any time, and leaves nothing.
func TestPcapPipeCloses(t *testing.T) {
	name := pipe(t)
	before := descriptors(t)
	fast := 0
	for i := range 200 {
		r := openPipe(t, name)
		var w *os.File
		if i%4 >= 1 { // a peer that says nothing
			var err error
			if w, err = os.OpenFile(name, os.O_WRONLY, 0); err != nil {
				t.Fatal(err)
			}
		}
		if i%4 >= 2 { // that has begun
			w.Write(header(binary.LittleEndian, 0xa1b2c3d4, 1)[:12*(i%4-1)])
		}
		ended := make(chan error, 1)
		go func() {
			err := r.(engine.Opening).Opened(context.Background())
			for err == nil {
				if _, err = r.TryRead(make([]engine.Frame, 1)); err == nil {
					err = r.Wait(context.Background(), engine.ReadReady)
				}
			}
			ended <- err
		}()
		if i%8 >= 4 {
			time.Sleep(200 * time.Microsecond) // let it get into its wait; both outcomes are right
		}
		start := time.Now()
		close2(t, r)
		if err := <-ended; !kindIs(err, "closed") {
			t.Fatal(err)
		}
		if time.Since(start) < time.Millisecond {
			fast++
		}
		if w != nil {
			w.Close()
		}
	}
	if fast < 20 {
		t.Errorf("only %d of 200 were closed within a millisecond", fast)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// What is no capture is told, and a fault gives the descriptor back.
func TestPcapStreamFaults(t *testing.T) {
	before := descriptors(t)
	for _, c := range []struct{ name, kind, text, content string }{
		{"nothing", "truncated", "the file is empty", ""},
		{"text", "argument", "not a capture file", "hello, world"},
		{"half a header", "truncated", "want 24 octets, the file ends after 10", string(header(binary.LittleEndian, 0xa1b2c3d4, 1)[:10])},
		{"broken gzip", "truncated", "gzip", "\x1f\x8b\x08\x00"},
		{"broken zstd", "argument", "zstd", "\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff"},
	} {
		name := pipe(t)
		r := openPipe(t, name)
		w, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		w.WriteString(c.content)
		w.Close()
		if err := r.(engine.Opening).Opened(within(t, 10*time.Second)); !kindIs(err, c.kind) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", c.name, err)
		}
		close2(t, r)
	}
	// In a file, after the header.
	le := binary.LittleEndian
	bad := append(header(le, 0xa1b2c3d4, 1), record(le, 1, 0, 5, "hello")...)
	r, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: stored(t, bad[:len(bad)-1])})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := r.TryRead(make([]engine.Frame, 1)); !kindIs(err, "truncated") {
			t.Error(err)
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	close2(t, r)
	if _, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: t.TempDir()}); !kindIs(err, "argument") || !strings.HasSuffix(err.Error(), ": is a directory") || strings.Contains(err.Error(), "octet") {
		t.Error(err)
	}
	if _, err := engine.OpenPcap(virtualEnv(1), engine.PcapConfig{File: stored(t, bad), Follow: true}); !kindIs(err, "realtime") {
		t.Error(err)
	}
	// On a virtual clock a pipe that says nothing would never time out.
	if _, err := engine.OpenPcap(virtualEnv(1), engine.PcapConfig{File: pipe(t)}); !kindIs(err, "realtime") {
		t.Error(err)
	}
}

// A file is followed from before its header to long behind its end, packed or
// not, and one that is cut off says so.
func TestPcapFollow(t *testing.T) {
	for _, ending := range []string{".pcap", ".pcapng", ".pcapng.gz", ".pcapng.zst"} {
		file := filepath.Join(t.TempDir(), "x"+ending)
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: file, Follow: true})
		if err != nil {
			t.Fatal(err)
		}
		opened := make(chan error)
		go func() { opened <- c.(engine.Opening).Opened(context.Background()) }()
		w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: file, LinkType: engine.LinkRaw, Format: strings.Split(ending, ".")[1]})
		if err != nil {
			t.Fatal(err)
		}
		fs := make([]engine.Frame, 1)
		for i := range 50 {
			send(t, flushing{w}, frame(i, 50+i))
			if i == 0 {
				if err := <-opened; err != nil || c.LinkType() != engine.LinkRaw {
					t.Fatal(err)
				}
			}
			if _, err := engine.Read(within(t, 10*time.Second), c, fs); err != nil || !bytes.Equal(fs[0].Data, frame(i, 50+i)) {
				t.Fatalf("%s: frame %d: %v", ending, i, err)
			}
		}
		if n, err := c.TryRead(fs); n != 0 || err != nil {
			t.Errorf("at the end: %d, %v", n, err)
		}
		if ending == ".pcap" {
			os.Truncate(file, 10)
			if _, err := engine.Read(within(t, 10*time.Second), c, fs); err == nil || !strings.Contains(err.Error(), "cut off") {
				t.Error(err)
			}
		}
		close2(t, w)
		close2(t, c)
		if _, err := c.TryRead(fs); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}
}

// Who writes to a pipe never waits for its reader: when he is far behind there
// is no room, and Close waits as long as he takes anything.
func TestPcapWriterToPipe(t *testing.T) {
	name := pipe(t)
	w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: name, LinkType: engine.LinkEthernet})
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	one := [][]byte{frame(0, 1000)}
	for {
		n, err := w.TryWrite(one)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		sent++
	}
	if sent < 1000 || sent > 20000 {
		t.Errorf("%d frames of 1000 octets had room", sent)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := w.Wait(ctx, engine.WriteReady); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	r := openPipe(t, name)
	read := make(chan int)
	go func() {
		n := 0
		err := r.(engine.Opening).Opened(context.Background())
		for fs := make([]engine.Frame, 64); err == nil; {
			var k int
			k, err = engine.Read(context.Background(), r, fs)
			n += k
		}
		if err != io.EOF {
			n = -1
		}
		read <- n
	}()
	if err := w.Wait(within(t, 10*time.Second), engine.WriteReady); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		send(t, w, one...)
		sent++
	}
	close2(t, w)
	if n := <-read; n != sent {
		t.Errorf("read %d of %d", n, sent)
	}
	close2(t, r)
}

// A reader that goes is noticed, and one that never came: what was written is not
// thought to have arrived. End wakes who waits for room, and keeps nobody waiting.
func TestPcapWriterToPipeWithoutReader(t *testing.T) {
	before := descriptors(t)
	name := pipe(t)
	create := func() *engine.PcapWriter {
		w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: name, LinkType: engine.LinkEthernet})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	w := create()
	r, err := os.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 24)); err != nil { // the header is there
		t.Fatal(err)
	}
	r.Close()
	for start := time.Now(); err == nil; {
		if time.Since(start) > 10*time.Second {
			t.Fatal("the reader has gone, and nobody notices")
		}
		var n int
		if n, err = w.TryWrite([][]byte{frame(0, 60000)}); n == 0 && err == nil {
			err = w.Wait(within(t, 10*time.Second), engine.WriteReady)
		}
	}
	if !errors.Is(err, syscall.EPIPE) {
		t.Error(err)
	}
	if err := w.Close(); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("close: %v", err)
	}
	close2(t, w)

	w = create()
	for {
		if n, err := w.TryWrite([][]byte{frame(0, 60000)}); err != nil {
			t.Fatal(err)
		} else if n == 0 {
			break
		}
	}
	waiting := make(chan error)
	go func() { waiting <- w.Wait(context.Background(), engine.WriteReady) }()
	start := time.Now()
	w.End()
	if err := <-waiting; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("End took %v", d)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("nobody has read anything: %v", err)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}
