package tunnel

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"pktsh/engine/clock"
)

// Real is the kernel's I/O system. It knows only the descriptors that it has
// opened, so that a program cannot get at others of its process, and keeps all
// of them in non-blocking mode: a wait is Wait's.
type Real struct {
	clock *clock.Clock
	buf   []byte

	mu    sync.Mutex // holds files, for Wait
	files map[int]*realFile
}

// NewReal makes the system of a host with this clock. On a virtual one it
// opens nothing, because the kernel does not follow it.
func NewReal(c *clock.Clock) *Real { return &Real{clock: c, files: map[int]*realFile{}} }

type realFile struct {
	path     string
	blocking bool
	waiter   *waiter // once somebody has waited
}

// Name is "real".
func (r *Real) Name() string { return "real" }

// Flags are the kernel's.
func (r *Real) Flags() Flags {
	return Flags{RDWR: unix.O_RDWR, NONBLOCK: unix.O_NONBLOCK, CLOEXEC: unix.O_CLOEXEC}
}

func (r *Real) followsClock(op, on string) error {
	if r.clock == nil || !r.clock.Virtual() {
		return nil
	}
	return &KindError{kind: "realtime", msg: op + " " + on + ": the kernel does not follow the virtual clock",
		hint: "run without --virtual, or use tunnel.memory()"}
}

// Open makes a descriptor, which no child process inherits.
func (r *Real) Open(path string, flags int, mode uint32) (int, error) {
	if err := r.followsClock("open", path); err != nil {
		return -1, err
	}
	for {
		fd, err := unix.Open(path, flags|unix.O_NONBLOCK|unix.O_CLOEXEC, mode)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return -1, refused("open", path, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.files[fd] = &realFile{path: path, blocking: flags&unix.O_NONBLOCK == 0}
		return fd, nil
	}
}

// refused is the error of a system call.
func refused(op, on string, err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return &Error{Op: op, On: on, Errno: errno}
	}
	return err
}

func (r *Real) file(op string, fd int) (*realFile, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.files[fd]; f != nil {
		return f, nil
	}
	return nil, &Error{Op: op, On: strconv.Itoa(fd), Errno: unix.EBADF}
}

// maxRead bounds the memory of one Read.
const maxRead = 1 << 20

// Read takes one packet.
func (r *Real) Read(fd, limit int) ([]byte, error) {
	f, err := r.file("read", fd)
	if err != nil {
		return nil, err
	}
	if limit < 0 {
		return nil, &Error{Op: "read", On: f.path, Errno: unix.EINVAL}
	}
	if limit = min(limit, maxRead); limit > len(r.buf) {
		r.buf = make([]byte, limit)
	}
	n, err := unix.Read(fd, r.buf[:limit])
	if err != nil {
		return nil, f.failed("read", err)
	}
	return r.buf[:n], nil
}

// Write sends one packet.
func (r *Real) Write(fd int, data []byte) (int, error) {
	f, err := r.file("write", fd)
	if err != nil {
		return 0, err
	}
	n, err := unix.Write(fd, data)
	if err != nil {
		return 0, f.failed("write", err)
	}
	return n, nil
}

func (f *realFile) failed(op string, err error) error {
	if err == unix.EAGAIN && f.blocking {
		return ErrWait
	}
	return refused(op, f.path, err)
}

// Close gives a descriptor up; whoever waits for it is told at once. To take an
// interface down takes some time; any goroutine may call it.
func (r *Real) Close(fd int) error {
	r.mu.Lock()
	f := r.files[fd]
	if f == nil {
		r.mu.Unlock()
		return &Error{Op: "close", On: strconv.Itoa(fd), Errno: unix.EBADF}
	}
	delete(r.files, fd)
	w := f.waiter
	r.mu.Unlock()
	if w != nil {
		w.close()
		return nil
	}
	if err := unix.Close(fd); err != nil {
		return refused("close", f.path, err)
	}
	return nil
}

// Ready asks the kernel.
func (r *Real) Ready(fd int) bool {
	if _, err := r.file("poll", fd); err != nil {
		return true
	}
	return polled(fd, unix.POLLIN)
}

func polled(fd int, events int16) bool {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: events}}
	n, err := unix.Poll(p[:], 0)
	return n > 0 || err != nil && err != unix.EINTR
}

// Wait returns nil when a Read of fd, or a Write, need not wait any more, an
// error of EBADF at once when fd is closed, and the context's error when that
// ends first. Any goroutine may call it.
func (r *Real) Wait(ctx context.Context, fd int, write bool) error {
	bad := &Error{Op: "wait", On: strconv.Itoa(fd), Errno: unix.EBADF}
	r.mu.Lock()
	f := r.files[fd]
	if f == nil {
		r.mu.Unlock()
		return bad
	}
	if f.waiter == nil {
		// Not before: the poller hears nothing from a /dev/net/tun that it got
		// before TUNSETIFF.
		w, err := newWaiter(os.NewFile(uintptr(fd), f.path))
		if err != nil {
			r.mu.Unlock()
			return err
		}
		f.waiter = w
	}
	w := f.waiter
	r.mu.Unlock()
	if err := w.wait(ctx, write); err != net.ErrClosed {
		return err
	}
	return bad
}

// CheckIoctl looks at the descriptor, then at the request: one that we do not
// know could write more than its argument has room for.
func (r *Real) CheckIoctl(fd int, request uint32) error {
	f, err := r.file("ioctl", fd)
	if err == nil && RequestOf(request) == nil {
		err = badIoctl(f.path)
	}
	return err
}

// Ioctl controls a device.
func (r *Real) Ioctl(fd int, request uint32, arg Arg) (Arg, error) {
	if err := r.CheckIoctl(fd, request); err != nil {
		return Arg{}, err
	}
	f, err := r.file("ioctl", fd)
	if err != nil {
		return Arg{}, err
	}
	q := RequestOf(request)
	if err := q.check(&arg); err != nil {
		return Arg{}, &Error{Op: "ioctl", On: f.path, Errno: unix.EINVAL, Text: err.Error()}
	}
	var req ifreq
	if q.Form == FormIfreq {
		copy(req.octets(), arg.Octets)
	} else {
		binary.NativeEndian.PutUint32(req.octets(), uint32(arg.Value))
	}
	var errno syscall.Errno
	if q.Form == FormValue {
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg.Value))
	} else {
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(unsafe.Pointer(&req)))
	}
	if errno != 0 {
		return Arg{}, refused("ioctl", f.path, errno)
	}
	switch q.Form {
	case FormIfreq:
		out := make([]byte, max(ifreqSize, len(arg.Octets)))
		copy(out, req.octets())
		return Arg{Octets: out}, nil
	case FormIntOut:
		return Arg{Value: int(int32(binary.NativeEndian.Uint32(req.octets())))}, nil
	}
	return Arg{}, nil
}

// SendUDP has the kernel send a datagram.
func (r *Real) SendUDP(data []byte, to netip.AddrPort) (netip.AddrPort, error) {
	if err := r.followsClock("send_udp", to.String()); err != nil {
		return netip.AddrPort{}, err
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.AddrPort{}, refused("send_udp", to.String(), err)
	}
	defer c.Close()
	if _, err := c.Write(data); err != nil {
		return netip.AddrPort{}, refused("send_udp", to.String(), err)
	}
	return addrPort(c.LocalAddr()), nil
}

func addrPort(a net.Addr) netip.AddrPort {
	if u, ok := a.(*net.UDPAddr); ok {
		p := u.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}

// ReceiveUDP binds a socket of the kernel.
func (r *Real) ReceiveUDP(fd int, at netip.AddrPort) (UDPPort, error) {
	if _, err := r.file("receive_udp", fd); err != nil {
		return nil, err
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, refused("receive_udp", at.String(), err)
	}
	w, err := newWaiter(c)
	if err != nil {
		return nil, err
	}
	return &RealPort{w: w, at: addrPort(c.LocalAddr())}, nil
}

// RealPort is a UDP socket of the kernel.
type RealPort struct {
	w  *waiter
	at netip.AddrPort
}

// Addr is where it listens.
func (p *RealPort) Addr() netip.AddrPort { return p.at }

// Recv takes the oldest datagram.
func (p *RealPort) Recv(limit int) (data []byte, from netip.AddrPort, err error) {
	data = make([]byte, max(0, min(limit, 1<<16)))
	closed := p.w.raw.Control(func(fd uintptr) {
		n, sa, e := 0, unix.Sockaddr(nil), error(unix.EINTR)
		for e == unix.EINTR {
			n, sa, e = unix.Recvfrom(int(fd), data, unix.MSG_DONTWAIT)
		}
		switch s := sa.(type) {
		case *unix.SockaddrInet4:
			from = netip.AddrPortFrom(netip.AddrFrom4(s.Addr), uint16(s.Port))
		case *unix.SockaddrInet6:
			from = netip.AddrPortFrom(netip.AddrFrom16(s.Addr).Unmap(), uint16(s.Port))
		}
		data, err = data[:max(0, n)], e
	})
	switch {
	case closed != nil:
		err = &Error{Op: "recv", On: p.at.String(), Errno: unix.EBADF}
	case err == unix.EAGAIN:
		err = ErrWait
	case err != nil:
		err = refused("recv", p.at.String(), err)
	}
	return data, from, err
}

// Wait returns nil when Recv need not wait any more. Any goroutine may call it.
func (p *RealPort) Wait(ctx context.Context) error {
	if err := p.w.wait(ctx, false); err != net.ErrClosed {
		return err
	}
	return &Error{Op: "recv", On: p.at.String(), Errno: unix.EBADF}
}

// Close wakes who waits.
func (p *RealPort) Close() error {
	p.w.close()
	return nil
}

// ---- waiting ----

// pollable is what Go's poller watches: a file or a socket.
type pollable interface {
	syscall.Conn
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	Close() error
}

// waiter waits in Go's poller for a descriptor in non-blocking mode.
type waiter struct {
	p    pollable
	raw  syscall.RawConn
	turn [2]chan struct{} // one goroutine at a time waits, per direction
	done chan struct{}
}

func newWaiter(p pollable) (*waiter, error) {
	raw, err := p.SyscallConn()
	if err != nil {
		p.Close()
		return nil, err
	}
	return &waiter{p: p, raw: raw, done: make(chan struct{}), turn: [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}}, nil
}

// longAgo is a deadline that ends a wait at once.
var longAgo = time.Unix(1, 0)

func (w *waiter) wait(ctx context.Context, write bool) error {
	wait, deadline, events, turn := w.raw.Read, w.p.SetReadDeadline, int16(unix.POLLIN), w.turn[0]
	if write {
		wait, deadline, events, turn = w.raw.Write, w.p.SetWriteDeadline, unix.POLLOUT, w.turn[1]
	}
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-w.done:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-w.done: // the turn came all the same
		return net.ErrClosed
	default:
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		deadline(longAgo)
		close(ended)
	})
	// The poller reports edges, and that of what lies there now may have
	// passed: ask for the level.
	err := wait(func(fd uintptr) bool { return polled(int(fd), events) })
	if !stop() {
		<-ended
		deadline(time.Time{})
	}
	select {
	case <-w.done:
		return net.ErrClosed
	default:
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// close wakes all who wait, and only then closes: to take an interface down
// costs the kernel some 20 ms, which would be those of the last waiter.
func (w *waiter) close() {
	close(w.done)
	w.p.SetDeadline(longAgo)
	for _, turn := range w.turn {
		turn <- struct{}{}
	}
	w.p.Close()
}

// ---- interfaces ----

// ifreq is struct ifreq of linux/if.h: the interface and a union.
type ifreq struct {
	name [NameSize]byte
	data [24]byte
}

func (r *ifreq) octets() []byte { return (*[40]byte)(unsafe.Pointer(r))[:] }

// in6Ifreq is struct in6_ifreq of linux/ipv6.h.
type in6Ifreq struct {
	addr   [16]byte
	prefix uint32
	index  int32
}

// Configure gives an interface of the current namespace what is not zero.
func (r *Real) Configure(name string, c Config) error {
	if err := r.followsClock("configure", name); err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return refused("socket", "", err)
	}
	defer unix.Close(fd)
	call := func(what string, request uintptr, req *ifreq) error {
		copy(req.name[:NameSize-1], name)
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(req))); errno != 0 {
			return &Error{Op: what, On: name, Errno: errno}
		}
		return nil
	}
	set := func(what string, request uintptr, data []byte) error {
		var req ifreq
		copy(req.data[:], data)
		return call(what, request, &req)
	}
	// sockaddr_in: family in the host's order, port 0, then the address.
	inet := func(a []byte) []byte {
		return append(binary.NativeEndian.AppendUint16(nil, unix.AF_INET), append([]byte{0, 0}, a...)...)
	}
	if c.MTU != 0 {
		if err := set("set mtu of", unix.SIOCSIFMTU, binary.NativeEndian.AppendUint32(nil, uint32(c.MTU))); err != nil {
			return err
		}
	}
	if a := c.Addr.Addr(); a.Is4() {
		mask := binary.BigEndian.AppendUint32(nil, ^uint32(0)<<(32-c.Addr.Bits()))
		if err := set("set address of", unix.SIOCSIFADDR, inet(a.AsSlice())); err != nil {
			return err
		}
		if err := set("set netmask of", unix.SIOCSIFNETMASK, inet(mask)); err != nil {
			return err
		}
	}
	if c.Up || c.Addr.IsValid() {
		var req ifreq
		if err := call("get flags of", unix.SIOCGIFFLAGS, &req); err != nil {
			return err
		}
		flags := binary.NativeEndian.Uint16(req.data[:]) | unix.IFF_UP | unix.IFF_RUNNING
		if err := set("set up", unix.SIOCSIFFLAGS, binary.NativeEndian.AppendUint16(nil, flags)); err != nil {
			return err
		}
	}
	if a := c.Addr.Addr(); a.Is6() {
		var req ifreq
		if err := call("get index of", unix.SIOCGIFINDEX, &req); err != nil {
			return err
		}
		fd6, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return refused("socket", "", err)
		}
		defer unix.Close(fd6)
		set6 := in6Ifreq{addr: a.As16(), prefix: uint32(c.Addr.Bits()), index: int32(binary.NativeEndian.Uint32(req.data[:]))}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd6), unix.SIOCSIFADDR, uintptr(unsafe.Pointer(&set6))); errno != 0 {
			return &Error{Op: "set address of", On: name, Errno: errno}
		}
	}
	return nil
}

// Settled returns when an IPv6 address that Configure gave can be used: the
// kernel first looks whether another station has it (RFC 4862 §5.4), which takes
// a moment on TUN and a second or two on TAP.
func (r *Real) Settled(ctx context.Context, name string, addr netip.Addr) error {
	if !addr.Is6() {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		switch flags, err := addressFlags(name, addr); {
		case err != nil:
			return err
		case flags&unix.IFA_F_DADFAILED != 0:
			return &KindError{kind: "exists", msg: fmt.Sprintf("configure %s: another station has %s", name, addr)}
		case flags&unix.IFA_F_TENTATIVE == 0:
			return nil
		}
		select {
		case <-ctx.Done():
			if ctx.Err() == context.DeadlineExceeded {
				return &KindError{kind: "timeout", msg: fmt.Sprintf("configure %s: the kernel has not yet made out whether %s is free", name, addr)}
			}
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// addressFlags reads the state of an address: the octets in hexadecimal, then
// index, prefix length, scope and flags, then the name.
func addressFlags(name string, addr netip.Addr) (uint64, error) {
	text, err := os.ReadFile("/proc/thread-self/net/if_inet6")
	if err != nil {
		return 0, err
	}
	want := hex.EncodeToString(addr.AsSlice())
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 6 && f[0] == want && f[5] == name {
			return strconv.ParseUint(f[4], 16, 64)
		}
	}
	return 0, &Error{Op: "configure", On: name, Errno: unix.EADDRNOTAVAIL}
}
