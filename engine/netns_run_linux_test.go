package engine_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pktsh/engine"
)

func newNetns(t testing.TB) *engine.Netns {
	t.Helper()
	n, err := engine.NewNetns()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// threadNetns is the namespace of the thread this runs on.
func threadNetns() string {
	s, _ := os.Readlink("/proc/thread-self/ns/net")
	return s
}

func TestNetnsHoldsNothingButWhatRunsInIt(t *testing.T) {
	if !inNetns(t) {
		return
	}
	home := threadNetns()
	stop := make(chan struct{})
	var others sync.WaitGroup
	for range 4 {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if at := threadNetns(); at != home {
					t.Errorf("a goroutine is in %s instead of %s", at, home)
					return
				}
				runtime.Gosched()
			}
		})
	}
	a, b := newNetns(t), newNetns(t)
	var runs sync.WaitGroup
	for i := range 8 {
		ns := []*engine.Netns{a, b}[i%2]
		id, err := ns.ID()
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("net:[%d]", id)
		runs.Go(func() {
			for range 50 {
				err := ns.Run(func() error {
					if at := threadNetns(); at != want {
						return fmt.Errorf("in %s instead of %s", at, want)
					}
					inner := make(chan string)
					go func() { inner <- threadNetns() }() // a thread may be made for it
					if at := <-inner; at != home {
						return fmt.Errorf("a goroutine started inside is in %s", at)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	runs.Wait()
	close(stop)
	others.Wait()
	if err := a.Run(func() error { return fs.ErrExist }); err != fs.ErrExist {
		t.Errorf("the error became %v", err)
	}
	if err := a.Run(func() error { panic("at the disco") }); err == nil || !strings.Contains(err.Error(), "at the disco") {
		t.Errorf("a panic became %v", err)
	}
	if err := a.Run(func() error { runtime.Goexit(); return nil }); err == nil {
		t.Error("Goexit is no error")
	}
	// Threads that could not go back have ended.
	var strays []string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		strays = nil
		threads, _ := filepath.Glob("/proc/self/task/*/ns/net")
		for _, p := range threads {
			if at, err := os.Readlink(p); err == nil && at != home {
				strays = append(strays, at)
			}
		}
		if len(strays) == 0 {
			break
		}
	}
	if len(strays) > 0 {
		t.Errorf("threads are left in %v", strays)
	}
}

func TestNetnsIsGoneAfterClose(t *testing.T) {
	if !inNetns(t) {
		return
	}
	newNetns(t)
	fds, goroutines := openFiles(t), runtime.NumGoroutine()
	for range 30 {
		n := newNetns(t)
		if err := n.Run(func() error {
			i, err := net.InterfaceByName("lo")
			if err == nil && i.Flags&net.FlagUp == 0 {
				err = errors.New("lo is down")
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(n.Close(), n.Close()); err != nil {
			t.Fatal(err)
		}
		if err := n.Run(func() error { return nil }); !kindIs(err, "closed") {
			t.Fatalf("after Close: %v", err)
		}
	}
	if n := openFiles(t); n > fds {
		t.Errorf("%d descriptors became %d", fds, n)
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		runtime.Gosched() // it has answered, and is about to end
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines became %d", goroutines, n)
	}
}

func TestOpenNetnsSaysWhatIsWrong(t *testing.T) {
	if !inNetns(t) {
		return
	}
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{
		"no-such-namespace": "missing", "/nowhere/x": "missing", file: "argument", "/proc/self/ns/user": "argument", "": "argument", "..": "argument",
		"999999999": "missing",
	} {
		n, err := engine.OpenNetns(name)
		if !kindIs(err, kind) {
			t.Errorf("%q: %v", name, err)
		}
		if n != nil {
			n.Close()
		}
	}
	n, err := engine.OpenNetns(fmt.Sprint(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if id, err := n.ID(); err != nil || fmt.Sprintf("net:[%d]", id) != threadNetns() {
		t.Errorf("%d, %v", id, err)
	}
}

func TestConnectorsOpenInANamespace(t *testing.T) {
	needTun(t)
	if !inNetns(t) {
		return
	}
	ns := newNetns(t)
	tap := openTap(t, engine.TapConfig{Name: "pkn", Addr: "10.9.0.1/24", Netns: ns})
	defer tap.Close()
	if _, err := net.InterfaceByName("pkn"); err == nil {
		t.Error("the device is in the wrong namespace")
	}
	if err := ns.Run(func() error { _, err := net.InterfaceByName("pkn"); return err }); err != nil {
		t.Error(err)
	}
	cfg := lanConfig()
	here := openMcast(t, cfg)
	defer here.Close()
	cfg.Netns = ns
	a, b := openMcast(t, cfg), openMcast(t, cfg)
	defer a.Close()
	defer b.Close()
	send(t, a, frame(1, 60))
	if got := collect(t, b, 1, 4); len(got) != 1 {
		t.Fatal("nothing came")
	}
	if n, err := here.TryRead(make([]engine.Frame, 1)); n != 0 || err != nil {
		t.Errorf("a frame left the namespace: %d, %v", n, err)
	}
	env := realEnv()
	env.Netns = func() *engine.Netns { return ns }
	c, err := engine.Open(env, "tap:pkm")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := ns.Run(func() error { _, err := net.InterfaceByName("pkm"); return err }); err != nil {
		t.Error(err)
	}
	if _, err := engine.Open(env, "tap:pkx?netns=no-such"); !kindIs(err, "missing") {
		t.Errorf("%v", err)
	}
}

// Whatever has a socket opens it in the namespace that netns= names, or else in
// the one that the script is in.
func TestEverySocketOpensInANamespace(t *testing.T) {
	needTun(t)
	if !inNetns(t) {
		return
	}
	ns := newNetns(t)
	path, err := ns.Path()
	if err != nil {
		t.Fatal(err)
	}
	inside := realEnv()
	inside.Netns = func() *engine.Netns { return ns }
	for _, url := range []string{
		"udp://127.0.0.1:9", "dgram+udp://127.0.0.1:9", "dgram+unix:@far?local=@near",
		"mcast://239.192.77.9:1102?if=lo", "mcast://239.192.77.9:1102?if=127.0.0.1&own=0", "rawip:lo?proto=253", "rawip:127.0.0.1?proto=1",
		"link:lo", "link:lo?promisc=1", "tap:pkn", "tun:pkn?pi=1", "stream+unix:@pkn?server=1", "bess:@pkn?server=1",
		"stream+tcp://127.0.0.1:0?server=1", "tcp://127.0.0.1:0?server=1", "sctp://127.0.0.1:0?server=1",
	} {
		named := url + "?netns=" + path
		if strings.Contains(url, "?") {
			named = url + "&netns=" + path
		}
		for text, env := range map[string]*engine.Env{named: realEnv(), url: inside} {
			c, err := engine.Open(env, text)
			if strings.HasPrefix(url, "sctp") && kindIs(err, "unsupported") {
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			isIn(t, c, ns)
			close2(t, c)
		}
	}
	// A client meets the server in there, also when it connects again.
	server := openURL(t, "tcp://127.0.0.1:0?server=1&netns="+path)
	at := strings.TrimSuffix(server.Name(), "?server=1")
	if _, err := engine.Open(realEnv(), at); err == nil {
		t.Error("a client out here has met a server in there")
	}
	client := linked(t, openURL(t, at+"?reconnect=0.001&netns="+path))
	close2(t, server)
	openURL(t, "tcp"+strings.TrimPrefix(at, "tcp")+"?server=1&netns="+path)
	linked(t, client)
}

// isIn checks where the socket of c is, or its interface.
func isIn(t *testing.T, c engine.Conn, ns *engine.Netns) {
	t.Helper()
	s, err := engine.SocketOf(c)
	if kindIs(err, "unsupported") { // a device
		if err := ns.Run(func() error { _, err := net.InterfaceByName("pkn"); return err }); err != nil {
			t.Errorf("%s: %v", c.Name(), err)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %v", c.Name(), err)
		return
	}
	fd, err := unix.IoctlRetInt(s.FD, unix.SIOCGSKNS)
	if err != nil {
		t.Errorf("%s: %v", c.Name(), err)
		return
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	want, err := ns.ID()
	if err := errors.Join(err, unix.Fstat(fd, &st)); err != nil || st.Ino != want {
		t.Errorf("%s is in namespace %d, want %d, %v", c.Name(), st.Ino, want, err)
	}
}
