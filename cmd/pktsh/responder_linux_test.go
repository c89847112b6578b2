package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"pktsh/internal/need"
)

// The main job on a real kernel: a script answers ping.
//
//	┌ network namespace ─────────────────────────────┐
//	│ ping ─ kernel 10.9.0.1 ═ pk0 ═ pktsh 10.9.0.2  │
//	└────────────────────────────────────────────────┘
func TestResponderAnswersTheKernel(t *testing.T) {
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	need.Thing(t, "tap", err)
	f.Close()
	ip, ping := need.Program(t, "ip"), need.Program(t, "ping")
	if !need.Netns(t) {
		return
	}
	p := start(t, "../../scripts/responder.lua", "tap:pk0", "10.9.0.2/24")
	p.expect("answering on tap:pk0")
	must(t, ip, "addr", "add", "10.9.0.1/24", "dev", "pk0")
	must(t, ip, "link", "set", "pk0", "up")
	out := must(t, ping, "-c", "3", "-i", "0.2", "-W", "5", "10.9.0.2")
	if !strings.Contains(out, "3 received") {
		t.Errorf("ping says\n%s", out)
	}
	p.expect("ICMP echo-request")
}

// The same script on a multicast LAN answers a second process there.
func TestResponderAnswersAnotherProcess(t *testing.T) {
	ip := need.Program(t, "ip")
	if !need.Netns(t) {
		return
	}
	must(t, ip, "link", "set", "lo", "up")
	const lan = "mcast://239.192.168.1:1102?if=127.0.0.1"
	start(t, "../../scripts/responder.lua", lan, "10.9.0.2/24").expect("answering on mcast:")
	p := start(t, "-e", `
		local h = host{on = open"`+lan+`", ip = "10.9.0.1/24"}
		for _, rtt in ipairs(h:ping("10.9.0.2", {count = 3, interval = 0.05, timeout = 5})) do
			print(rtt and "reply" or "lost")
		end`)
	for range 3 {
		p.expect("reply")
	}
}

// A session is a running pktsh whose output is read line by line.
type session struct {
	t     *testing.T
	lines chan string
	mu    sync.Mutex
	seen  bytes.Buffer
}

func start(t *testing.T, args ...string) *session {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, lines: make(chan string, 1024)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(s.lines)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			s.mu.Lock()
			fmt.Fprintln(&s.seen, sc.Text())
			s.mu.Unlock()
			s.lines <- sc.Text()
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		<-done
		cmd.Wait()
	})
	return s
}

// expect waits for a line that contains text.
func (s *session) expect(text string) {
	s.t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case line, ok := <-s.lines:
			if strings.Contains(line, text) {
				return
			}
			if !ok {
				s.t.Fatalf("pktsh ended without %q; it said\n%s", text, s.said())
			}
		case <-timeout:
			s.t.Fatalf("no %q in 20 s; pktsh said\n%s", text, s.said())
		}
	}
}

func (s *session) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
