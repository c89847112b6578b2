package engine_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pktsh/engine"
	"pktsh/internal/need"
)

func needTun(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	need.Thing(t, "tap", err)
	f.Close()
}

func openTap(t *testing.T, cfg engine.TapConfig) engine.Conn {
	t.Helper()
	c, err := engine.OpenTap(realEnv(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// readUntil reads frames until one is what the test waits for.
func readUntil(t *testing.T, c engine.Conn, is func(b []byte) bool) []byte {
	t.Helper()
	ctx := within(t, 5*time.Second)
	fs := make([]engine.Frame, 1)
	for {
		n, err := engine.Read(ctx, c, fs)
		if err != nil {
			t.Fatal(err)
		}
		if n == 1 && is(fs[0].Data) {
			return fs[0].Data
		}
	}
}

// checksum is RFC 1071's.
func checksum(b []byte) uint16 {
	sum := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// echoRequest is an IPv4 packet from 10.9.0.2 to 10.9.0.1.
func echoRequest() []byte {
	p := []byte{
		0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0, 0, 10, 9, 0, 2, 10, 9, 0, 1,
		8, 0, 0, 0, 0x12, 0x34, 0, 1,
	}
	binary.BigEndian.PutUint16(p[10:], checksum(p[:20]))
	binary.BigEndian.PutUint16(p[22:], checksum(p[20:]))
	return p
}

func TestTapTalksToTheKernel(t *testing.T) {
	needTun(t)
	if !inNetns(t) {
		return
	}
	c := openTap(t, engine.TapConfig{Name: "pk0", Addr: "10.9.0.1/24"})
	if c.Name() != "tap:pk0" || c.LinkType() != engine.LinkEthernet {
		t.Fatalf("%s, %s", c.Name(), c.LinkType())
	}
	i, err := net.InterfaceByName("pk0")
	if err != nil {
		t.Fatal(err)
	}
	us := []byte{2, 0, 0, 0, 0, 2}
	arp := append([]byte("\xff\xff\xff\xff\xff\xff"), us...)
	arp = append(arp, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1)
	arp = append(arp, us...)
	arp = append(arp, 10, 9, 0, 2, 0, 0, 0, 0, 0, 0, 10, 9, 0, 1)
	send(t, c, arp)
	reply := readUntil(t, c, func(b []byte) bool { return len(b) >= 42 && b[12] == 8 && b[13] == 6 && b[21] == 2 })
	if string(reply[22:28]) != string(i.HardwareAddr) || string(reply[28:32]) != "\x0a\x09\x00\x01" {
		t.Fatalf("ARP reply % x", reply)
	}
	ping := append(append(append([]byte{}, i.HardwareAddr...), us...), 8, 0)
	send(t, c, append(ping, echoRequest()...))
	echo := readUntil(t, c, func(b []byte) bool { return len(b) >= 42 && b[12] == 8 && b[13] == 0 && b[23] == 1 })
	if echo[34] != 0 || string(echo[38:42]) != "\x12\x34\x00\x01" || string(echo[:6]) != string(us) {
		t.Fatalf("echo reply % x", echo)
	}
	close2(t, c)
	if _, err := net.InterfaceByName("pk0"); err == nil {
		t.Error("the interface is still there")
	}
}

func TestTunTalksToTheKernel(t *testing.T) {
	needTun(t)
	if !inNetns(t) {
		return
	}
	c := openTap(t, engine.TapConfig{Name: "pk1", TUN: true, Addr: "10.9.0.1/24", MTU: 1400})
	if c.Name() != "tun:pk1" || c.LinkType() != engine.LinkRaw {
		t.Fatalf("%s, %s", c.Name(), c.LinkType())
	}
	if i, err := net.InterfaceByName("pk1"); err != nil || i.MTU != 1400 || i.Flags&net.FlagUp == 0 {
		t.Fatalf("%+v, %v", i, err)
	}
	send(t, c, echoRequest())
	echo := readUntil(t, c, func(b []byte) bool { return len(b) == 28 && b[0] == 0x45 && b[9] == 1 })
	if echo[20] != 0 || string(echo[24:28]) != "\x12\x34\x00\x01" {
		t.Fatalf("echo reply % x", echo)
	}
	if _, err := c.TryWrite([][]byte{{0xff, 1, 2}}); !kindIs(err, "argument") {
		t.Errorf("neither IPv4 nor IPv6: %v", err)
	}
	close2(t, c)
}

func TestTapWithIPv6Address(t *testing.T) {
	needTun(t)
	need.Program(t, "ip")
	if !inNetns(t) {
		return
	}
	c := openTap(t, engine.TapConfig{Name: "pk6"})
	defer c.Close()
	need.Thing(t, "ipv6", os.WriteFile("/proc/sys/net/ipv6/conf/pk6/disable_ipv6", []byte("0"), 0))
	if err := engine.ConfigureLink("pk6", 0, netip.MustParsePrefix("fd00::1/64"), true); err != nil {
		t.Fatal(err)
	}
	if out := run(t, "ip", "-6", "addr", "show", "dev", "pk6"); !strings.Contains(out, "fd00::1/64") {
		t.Errorf("%s", out)
	}
}

func TestTapSaysWhatIsWrong(t *testing.T) {
	needTun(t)
	need.Program(t, "ip")
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
	open := func(cfg engine.TapConfig) error {
		c, err := engine.OpenTap(realEnv(), cfg)
		if err == nil {
			c.Close()
		}
		return err
	}
	held := openTap(t, engine.TapConfig{Name: "pk0"})
	fds := openFiles(t)
	expect(open(engine.TapConfig{Name: "pk0"}), "exists", "open tap:pk0: another process holds the interface", "")
	expect(open(engine.TapConfig{Name: "pk0", TUN: true}), "exists", "open tun:pk0: ", "")
	run(t, "ip", "link", "add", "br0", "type", "bridge")
	expect(open(engine.TapConfig{Name: "br0"}), "exists", "no tap device", "")
	expect(open(engine.TapConfig{Name: "abcdefghijklmnop"}), "argument", "15", "")
	expect(open(engine.TapConfig{Name: "a/b"}), "argument", "slash", "")
	expect(open(engine.TapConfig{Addr: "10.9.0.1"}), "argument", "ADDR/LEN", "")
	expect(open(engine.TapConfig{MTU: 1 << 20}), "argument", "mtu", "")
	if n := openFiles(t); n != fds {
		t.Errorf("failed opens left %d descriptors", n-fds)
	}

	_, err := held.TryWrite([][]byte{frame(0, 60)})
	expect(err, "system", "write tap:pk0: ", "up")
	run(t, "ip", "link", "del", "pk0")
	_, err = held.TryRead(make([]engine.Frame, 1))
	expect(err, "missing", "deleted", "")
	close2(t, held)

	_, err = engine.OpenTap(virtualEnv(1), engine.TapConfig{})
	expect(err, "realtime", "virtual clock", "connector.lan")

	// The same binary without the capability, still in this namespace.
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestTapWithoutCapability$", "-test.v")
	cmd.Env = append(os.Environ(), "PKTSH_TEST_NO_CAP=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}}}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestTapWithoutCapability runs in a user namespace that does not own the
// network namespace.
func TestTapWithoutCapability(t *testing.T) {
	if os.Getenv("PKTSH_TEST_NO_CAP") == "" {
		return // it is a part of TestTapSaysWhatIsWrong
	}
	_, err := engine.OpenTap(realEnv(), engine.TapConfig{Name: "pk9"})
	var h interface{ Hint() string }
	if !kindIs(err, "permission") || !errors.As(err, &h) || !strings.Contains(h.Hint(), "CAP_NET_ADMIN") || !strings.Contains(h.Hint(), "setcap cap_net_admin+ep") {
		t.Fatalf("%v", err)
	}
	t.Log(err, h.Hint())
}

func TestTapSendMany(t *testing.T) {
	needTun(t)
	need.Program(t, "ip")
	if !inNetns(t) {
		return
	}
	run(t, "ip", "link", "add", "pkbr", "mtu", "65521", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
	run(t, "ip", "link", "set", "pkbr", "up")
	sendMany(t, bridgedTaps())
}

func TestTapPersistOwnerMultiQueue(t *testing.T) {
	needTun(t)
	need.Program(t, "ip")
	if !inNetns(t) {
		return
	}
	there := func() bool { _, err := net.InterfaceByName("pkp"); return err == nil }
	c := openTap(t, engine.TapConfig{Name: "pkp", Persist: true, Owner: "0"})
	close2(t, c)
	if out := run(t, "ip", "-d", "link", "show", "pkp"); !strings.Contains(out, "persist on") || !strings.Contains(out, "user root") && !strings.Contains(out, "user 0") {
		t.Errorf("%s", out)
	}
	close2(t, openTap(t, engine.TapConfig{Name: "pkp"}))
	if there() {
		t.Error("it is still there")
	}
	_, err := engine.OpenTap(realEnv(), engine.TapConfig{Name: "pkp", Owner: "no such user"})
	if !kindIs(err, "argument") || there() {
		t.Errorf("%v", err)
	}
	a := openTap(t, engine.TapConfig{Name: "pkp", MultiQueue: true, Up: true})
	b, err := engine.Open(realEnv(), "tap:pkp?multiqueue=1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.OpenTap(realEnv(), engine.TapConfig{Name: "pkp"}); err == nil {
		t.Error("opened without multiqueue")
	}
	send(t, a, frame(1, 60))
	send(t, b, frame(2, 60))
	close2(t, a)
	if !there() {
		t.Error("it went with its first queue")
	}
	close2(t, b)
	if there() {
		t.Error("it is still there")
	}
}

// What stands before a frame is passed through, in both directions.
func TestTapWithHeadersBeforeEveryFrame(t *testing.T) {
	needTun(t)
	if !inNetns(t) {
		return
	}
	echo := []byte{8, 0, 0, 0, 0x12, 0x34, 0, 1}
	binary.BigEndian.PutUint16(echo[2:], checksum(echo))
	ask := ip4(1, "10.9.0.2", "10.9.0.1", echo)
	pi := []byte{0, 0, 8, 0}
	vnet := make([]byte, 10)
	for _, c := range []struct {
		url    string
		before []byte
	}{
		{"tun:pk0?addr=10.9.0.1/24&pi=1", pi},
		{"tun:pk0?addr=10.9.0.1/24&vnet=1", vnet},
		{"tun:pk0?addr=10.9.0.1/24&pi=1&vnet=1&multiqueue=1", append(append([]byte{}, pi...), vnet...)},
	} {
		d, err := engine.Open(realEnv(), c.url)
		if err != nil {
			t.Fatal(err)
		}
		if d.LinkType() != engine.LinkUser0 {
			t.Errorf("%s: frames are %v", c.url, d.LinkType())
		}
		send(t, d, append(append([]byte{}, c.before...), ask...))
		n := len(c.before)
		reply := readUntil(t, d, func(b []byte) bool { return len(b) == n+28 && b[n+9] == 1 })
		if string(reply[:n]) != string(c.before) || reply[n+20] != 0 || string(reply[n+24:]) != string(echo[4:]) {
			t.Errorf("%s: % x", c.url, reply)
		}
		if _, err := d.TryWrite([][]byte{make([]byte, n+engine.MaxFrame+1)}); !kindIs(err, "range") {
			t.Errorf("%s: %v", c.url, err)
		}
		close2(t, d)
		if _, err := net.InterfaceByName("pk0"); err == nil {
			t.Errorf("%s: the interface is still there", c.url)
		}
	}
	// Of Ethernet, and kept, and of a name that the kernel picks.
	d := openTap(t, engine.TapConfig{PI: true, Persist: true})
	name := strings.TrimPrefix(d.Name(), "tap:")
	close2(t, d)
	if _, err := net.InterfaceByName(name); err != nil {
		t.Error(err)
	}
	e := openTap(t, engine.TapConfig{Name: name, PI: true})
	if _, err := engine.OpenTap(realEnv(), engine.TapConfig{Name: name, PI: true}); !kindIs(err, "exists") {
		t.Errorf("%v", err)
	}
	close2(t, e)
	if _, err := net.InterfaceByName(name); err == nil {
		t.Errorf("%s is still there", name)
	}
	if _, err := engine.OpenTap(realEnv(), engine.TapConfig{Name: "lo", PI: true}); !kindIs(err, "exists") {
		t.Errorf("%v", err)
	}
}

// Without a name the first interface is that of the namespace, not ours.
func TestCaptureWithoutANameLooksIntoTheNamespace(t *testing.T) {
	if !inNetns(t) {
		return
	}
	needTun(t)
	ns := newNetns(t)
	dev, err := engine.OpenTap(realEnv(), engine.TapConfig{Name: "onlythere", Up: true, Netns: ns})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	c, err := engine.OpenCapture(realEnv(), "", engine.LinkConfig{Netns: ns})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Name() != "link:onlythere" {
		t.Error(c.Name())
	}
}

// A tap that cannot be opened leaves nothing behind, and takes nothing away from
// whoever has a descriptor of the driver that is not attached yet.
func TestTapThatFailsClosesOnlyItsOwn(t *testing.T) {
	if !inNetns(t) {
		return
	}
	needTun(t)
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	before := descriptors(t)
	if _, err := engine.OpenTap(realEnv(), engine.TapConfig{Name: "lo"}); !kindIs(err, "exists") {
		t.Fatal(err)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
		t.Errorf("the other descriptor: %v", err)
	}
}
