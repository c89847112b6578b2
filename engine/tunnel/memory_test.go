package tunnel

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"syscall"
	"testing"
)

// The contract of the systems is tested by the specs in stdlib/tunnel, which
// run on both. Here is what only Go sees, and what random octets do.

func attached(t testing.TB, m *Memory, name string, mode uint16) (int, *Tunnel) {
	t.Helper()
	fd, err := m.Open(Path, m.Flags().RDWR|m.Flags().NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Ioctl(fd, TUNSETIFF, Ifreq(name, mode)); err != nil {
		t.Fatal(err)
	}
	return fd, m.Device(fd).(*Tunnel)
}

func TestErrorsAreTheStandardOnes(t *testing.T) {
	m := NewMemory()
	_, err := m.Read(8192, 1)
	if !errors.Is(err, net.ErrClosed) || !errors.Is(err, syscall.EBADF) {
		t.Errorf("read: %v", err)
	}
	delete(m.Permissions, MayOpen)
	_, err = m.Open(Path, 0, 0)
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("open: %v", err)
	}
	for errno, kind := range map[syscall.Errno]string{
		syscall.EPERM: "permission", syscall.EBADF: "closed", syscall.EINVAL: "argument", syscall.ENOENT: "missing",
		syscall.EBUSY: "exists", syscall.EAGAIN: "system", syscall.ENOSYS: "system", syscall.ENOBUFS: "system",
	} {
		if got := (&Error{Op: "read", Errno: errno}).Kind(); got != kind {
			t.Errorf("%v is %s, want %s", errno, got, kind)
		}
	}
}

func TestNothingIsKept(t *testing.T) {
	m := NewMemory()
	fd, tun := attached(t, m, "tun0", IFF_TUN|IFF_NO_PI)
	b := []byte("written")
	if _, err := m.Write(fd, b); err != nil {
		t.Fatal(err)
	}
	tun.AddToReadBuffer(b)
	b[0] = 'X'
	if got := tun.WriteBuffer.At(0); string(got) != "written" {
		t.Errorf("write buffer %q", got)
	}
	if got, _ := m.Read(fd, 100); string(got) != "written" {
		t.Errorf("read %q", got)
	}
}

func TestOnChange(t *testing.T) {
	m := NewMemory()
	var told []int
	m.OnChange = func(fd int) { told = append(told, fd) }
	a, ta := attached(t, m, "a", IFF_TUN)
	b, _ := attached(t, m, "b", IFF_TUN)
	ta.AddToReadBuffer([]byte("x"))
	m.Write(b, []byte("x"))
	m.Close(b)
	if len(told) != 3 || told[0] != a || told[1] != b || told[2] != b {
		t.Errorf("told of %v", told)
	}
}

func TestNamesOfInterfaces(t *testing.T) {
	m := NewMemory()
	for _, row := range []struct {
		asked string
		mode  uint16
		want  string
	}{
		{"tun0", IFF_TUN, "tun0123"}, {"", IFF_TUN, "tun0"}, {"", IFF_TUN, "tun1"}, {"", IFF_TAP, "tap0"}, {"lab%d", IFF_TAP, "lab0"},
		{"lab%d", IFF_TAP, "lab1"}, {"tap-twistedtest", IFF_TAP, "tap-twistedte123"},
	} {
		if _, tun := attached(t, m, row.asked, row.mode); tun.Name != row.want {
			t.Errorf("%q: granted %q, want %q", row.asked, tun.Name, row.want)
		}
	}
}

// A second TUNSETIFF takes the descriptor to another interface.
func TestTunsetiffTwice(t *testing.T) {
	m := NewMemory()
	fd, tun := attached(t, m, "a", IFF_TUN)
	if _, err := m.Ioctl(fd, TUNSETIFF, Ifreq("b", IFF_TAP)); err != nil {
		t.Fatal(err)
	}
	if mode, _ := tun.Mode(); tun.Name != "b123" || mode != IFF_TAP || len(m.ifaces) != 1 {
		t.Errorf("%s, mode %#x, %d interfaces", tun.Name, mode, len(m.ifaces))
	}
	m.Close(fd)
	if len(m.ifaces) != 0 || len(m.files) != 0 || len(m.open) != 0 {
		t.Errorf("left: %v %v %v", m.ifaces, m.files, m.open)
	}
}

func TestUDPRoundTrip(t *testing.T) {
	for _, pair := range [][2]string{{"10.0.0.1:1", "10.0.0.2:65535"}, {"[2001:db8::1]:53", "[ff02::1]:0"}} {
		from, to := netip.MustParseAddrPort(pair[0]), netip.MustParseAddrPort(pair[1])
		for n := range 300 {
			data := bytes.Repeat([]byte{byte(n)}, n)
			p := udpPacket(from, to, data)
			f, o, got, ok := parseUDP(append(p, "what Ethernet fills up"...))
			if !ok || f != from || o != to || !bytes.Equal(got, data) {
				t.Fatalf("%d octets: %v %v %x %v", n, f, o, got, ok)
			}
			if to.Addr().Is6() && n > 0 {
				p[len(p)-1] ^= 1
				if _, _, _, ok := parseUDP(p); ok {
					t.Fatalf("a wrong checksum passed: %x", p)
				}
			}
		}
	}
}

func FuzzParseUDP(f *testing.F) {
	for _, s := range []string{
		"4500001e000100004011c0b80a010203ac10020253613039000a00006869",
		"600000000009114020010db800000000000000000000000120010db8000000000000000000000002000100020009000078",
	} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		from, to, data, ok := parseUDP(p)
		if ok && (len(data) > len(p) || from.Addr().Is4() != to.Addr().Is4()) {
			t.Errorf("%v %v %x", from, to, data)
		}
	})
}

// Every request with any argument gives an error or a result, and every frame
// that is written can be looked through.
func FuzzTunnel(f *testing.F) {
	f.Add(uint8(0), []byte("tun0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x10"), uint16(IFF_TAP), []byte("frame"))
	f.Fuzz(func(t *testing.T, which uint8, arg []byte, mode uint16, frame []byte) {
		m := NewMemory()
		fd, tun := attached(t, m, "x", mode&^IFF_TUN_EXCL)
		r := Requests[int(which)%len(Requests)]
		m.Ioctl(fd, r.Number, Arg{Octets: arg})
		p, err := m.ReceiveUDP(fd, netip.AddrPort{})
		if err != nil {
			t.Fatal(err)
		}
		m.Write(fd, frame)
		p.Recv(100)
		tun.AddToReadBuffer(frame)
		for limit := range 40 {
			if b, err := m.Read(fd, limit); len(b) > limit {
				t.Errorf("limit %d: %d octets, %v", limit, len(b), err)
			}
			tun.AddToReadBuffer(frame)
		}
		m.Close(fd)
	})
}

func BenchmarkMemory(b *testing.B) {
	m := NewMemory()
	fd, tun := attached(b, m, "tun0", IFF_TUN|IFF_NO_PI)
	packet := make([]byte, 100)
	b.ReportAllocs()
	for range b.N {
		tun.AddToReadBuffer(packet)
		p, err := m.Read(fd, 8192)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := m.Write(fd, p); err != nil {
			b.Fatal(err)
		}
		tun.WriteBuffer.Take()
	}
}

func BenchmarkSendUDPToOneOfAThousand(b *testing.B) {
	m := NewMemory()
	for range 1000 {
		fd, _ := attached(b, m, "", IFF_TUN|IFF_NO_PI)
		defer m.Close(fd)
	}
	_, last := m.Device(FirstDescriptor).(*Tunnel), m.Device(FirstDescriptor+999).(*Tunnel)
	if err := m.Configure(last.Name, Config{Addr: netip.MustParsePrefix("10.9.0.1/24")}); err != nil {
		b.Fatal(err)
	}
	to := netip.MustParseAddrPort("10.9.0.2:9")
	b.ReportAllocs()
	for range b.N {
		if _, err := m.SendUDP([]byte("x"), to); err != nil {
			b.Fatal(err)
		}
		last.ReadBuffer.Take()
	}
}
