package tunnel

import (
	"bytes"
	"hash/fnv"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// FirstDescriptor is where the descriptors of a Memory begin, out of the way of
// the kernel's. None is given out twice.
const FirstDescriptor = 8192

// The source of what SendUDP sends through an interface without an address.
var (
	SourceIPv4 = netip.MustParseAddrPort("10.1.2.3:21345")
	SourceIPv6 = netip.MustParseAddrPort("[fd10:1:2::3]:21345")
)

// Permissions of a Memory.
const (
	MayOpen  = "open"
	MayIoctl = "ioctl"
)

// Memory is the I/O system in memory.
type Memory struct {
	// Permissions is what the process may do. What is missing fails with EPERM.
	Permissions map[string]bool
	// Strict makes a Read that would have to wait fail, as in the reference,
	// whose tunnels cannot block.
	Strict bool
	// UID is who the process is: anybody but 0 can make no interface, and
	// attaches only to those that have no owner or are his own.
	UID int
	// OnChange, unless nil, is called whenever a descriptor became readable,
	// was written to or was closed.
	OnChange func(fd int)

	devices map[string]OpenDevice
	files   map[int]*memFile
	open    []int // the keys of files, the lowest first
	next    int
	ifaces  map[string]*iface
}

// memFile is an open descriptor.
type memFile struct {
	Device
	path string
}

// OpenDevice makes the device that a path stands for.
type OpenDevice func(m *Memory, fd, flags int, mode uint32) (Device, error)

// Device is what a descriptor of a Memory leads to.
type Device interface {
	// Read is as System.Read, and so on.
	Read(limit int) ([]byte, error)
	Write(data []byte) (int, error)
	Ioctl(request uint32, arg Arg) (Arg, error)
	Ready() bool
	Close() error
}

// Feeder is a Device to which SendUDP can send.
type Feeder interface {
	// AddToReadBuffer takes an IP packet for Read.
	AddToReadBuffer(packet []byte) error
}

// NewMemory makes a system that has /dev/net/tun and permits everything.
func NewMemory() *Memory {
	m := &Memory{
		Permissions: map[string]bool{MayOpen: true, MayIoctl: true},
		devices:     map[string]OpenDevice{}, files: map[int]*memFile{}, ifaces: map[string]*iface{}, next: FirstDescriptor,
	}
	m.Register(Path, func(m *Memory, fd, flags int, mode uint32) (Device, error) {
		return newTunnel(m, fd, flags, mode), nil
	})
	return m
}

// Name is "memory".
func (m *Memory) Name() string { return "memory" }

// Flags are the system's own, on purpose not those of any kernel.
func (m *Memory) Flags() Flags { return Flags{RDWR: 1, NONBLOCK: 2, CLOEXEC: 4} }

// Register makes a path known; it replaces what was there.
func (m *Memory) Register(path string, open OpenDevice) { m.devices[path] = open }

// Open makes a descriptor. A path that was not registered is ENOSYS.
func (m *Memory) Open(path string, flags int, mode uint32) (int, error) {
	if !m.Permissions[MayOpen] {
		return -1, &Error{Op: "open", On: path, Errno: syscall.EPERM}
	}
	open := m.devices[path]
	if open == nil {
		return -1, &Error{Op: "open", On: path, Errno: syscall.ENOSYS}
	}
	fd := m.next
	m.next++ // also when it fails: the device may have told its number to somebody
	d, err := open(m, fd, flags, mode)
	if err != nil {
		return -1, err
	}
	m.files[fd] = &memFile{d, path}
	m.open = append(m.open, fd) // unless the device has opened another one meanwhile, it is the highest
	slices.Sort(m.open)
	return fd, nil
}

func (m *Memory) file(op string, fd int) (*memFile, error) {
	if f := m.files[fd]; f != nil {
		return f, nil
	}
	return nil, &Error{Op: op, On: strconv.Itoa(fd), Errno: syscall.EBADF}
}

// Read takes one packet.
func (m *Memory) Read(fd, limit int) ([]byte, error) {
	f, err := m.file("read", fd)
	if err != nil {
		return nil, err
	}
	return f.Read(limit)
}

// Write sends one packet.
func (m *Memory) Write(fd int, data []byte) (int, error) {
	f, err := m.file("write", fd)
	if err != nil {
		return 0, err
	}
	return f.Write(data)
}

// Close gives a descriptor up; whoever waits for it is told.
func (m *Memory) Close(fd int) error {
	f, err := m.file("close", fd)
	if err != nil {
		return err
	}
	delete(m.files, fd)
	if i, ok := slices.BinarySearch(m.open, fd); ok {
		m.open = slices.Delete(m.open, i, i+1)
	}
	err = f.Close()
	m.changed(fd)
	return err
}

// Ready reports whether a Read would not have to wait.
func (m *Memory) Ready(fd int) bool {
	f := m.files[fd]
	return f == nil || f.Ready()
}

// CheckIoctl looks at the permission, then at the descriptor, then at the request.
func (m *Memory) CheckIoctl(fd int, request uint32) error {
	if !m.Permissions[MayIoctl] {
		return &Error{Op: "ioctl", On: strconv.Itoa(fd), Errno: syscall.EPERM}
	}
	f, err := m.file("ioctl", fd)
	if err != nil {
		return err
	}
	if _, ours := f.Device.(*Tunnel); ours && RequestOf(request) == nil {
		return badIoctl(f.path)
	}
	return nil
}

func badIoctl(on string) error {
	return &Error{Op: "ioctl", On: on, Errno: syscall.EINVAL, Text: "request or args is not valid"}
}

// Ioctl controls a device.
func (m *Memory) Ioctl(fd int, request uint32, arg Arg) (Arg, error) {
	if err := m.CheckIoctl(fd, request); err != nil {
		return Arg{}, err
	}
	return m.files[fd].Ioctl(request, arg)
}

// Device is what an open descriptor leads to; nil if it is not open.
func (m *Memory) Device(fd int) Device {
	if f := m.files[fd]; f != nil {
		return f.Device
	}
	return nil
}

func (m *Memory) changed(fd int) {
	if m.OnChange != nil {
		m.OnChange(fd)
	}
}

// ---- interfaces ----

// iface is an interface, to which descriptors are attached.
type iface struct {
	requested, name string
	mode            uint16
	persist         bool
	owner, group    int // -1: nobody
	addrs           []netip.Prefix
	mtu             int
	queues          []*Tunnel // attached, in their order
}

const features = IFF_NO_PI | IFF_ONE_QUEUE | IFF_VNET_HDR | IFF_MULTI_QUEUE | IFF_NAPI | IFF_NAPI_FRAGS | IFF_NO_CARRIER

// flags is what TUNGETIFF tells.
func (i *iface) flags() uint16 {
	f := i.mode & (IFF_TUN | IFF_TAP | features)
	if i.persist {
		f |= IFF_PERSIST
	}
	return f
}

// find is the interface that a name of TUNSETIFF means: one that has it, or
// that was requested by it.
func (m *Memory) find(name string) *iface {
	if i := m.ifaces[name]; i != nil || name == "" || strings.Contains(name, "%d") {
		return i
	}
	for _, n := range slices.Sorted(maps.Keys(m.ifaces)) {
		if m.ifaces[n].requested == name {
			return m.ifaces[n]
		}
	}
	return nil
}

// queueOf is the queue that a flow comes out of; nil if all are switched off.
func (i *iface) queueOf(from, to netip.AddrPort) *Tunnel {
	ready := make([]*Tunnel, 0, 8)
	for _, t := range i.queues {
		if !t.off {
			ready = append(ready, t)
		}
	}
	if len(ready) < 2 {
		return append(ready, nil)[0]
	}
	h := fnv.New32a()
	for _, a := range []netip.AddrPort{from, to} {
		b, _ := a.MarshalBinary() // has no error to give
		h.Write(b)
	}
	return ready[h.Sum32()%uint32(len(ready))]
}

// grant is the name that a new interface gets: not the one that was requested,
// so that a program which does not look at what it was given fails its test. An
// empty name and one with %d get the first number that is free, as in Linux.
func (m *Memory) grant(name string, mode uint16) string {
	if name == "" {
		if name = "tun%d"; mode&IFF_TAP != 0 {
			name = "tap%d"
		}
	}
	if strings.Contains(name, "%d") {
		for n := 0; ; n++ {
			if s := strings.Replace(name, "%d", strconv.Itoa(n), 1); m.ifaces[s] == nil {
				return s
			}
		}
	}
	return name[:min(len(name), NameSize-3)] + "123"
}

// attach is TUNSETIFF, in the order of linux/drivers/net/tun.c.
func (m *Memory) attach(t *Tunnel, arg Arg) (Arg, error) {
	refuse := func(e syscall.Errno) (Arg, error) { return Arg{}, &Error{Op: "ioctl", On: Path, Errno: e} }
	name, mode, _ := ParseIfreq(arg)
	t.detach()
	i := m.find(name)
	switch {
	case i == nil && m.UID != 0:
		return refuse(syscall.EPERM)
	case i == nil:
		i = &iface{requested: name, name: m.grant(name, mode), owner: -1, group: -1}
		if m.ifaces[i.name] != nil { // two that were requested by different names
			return refuse(syscall.EBUSY)
		}
		m.ifaces[i.name] = i
	case mode&IFF_TUN_EXCL != 0:
		return refuse(syscall.EBUSY)
	case (i.mode^mode)&(IFF_TUN|IFF_TAP|IFF_MULTI_QUEUE) != 0:
		return refuse(syscall.EINVAL)
	case m.UID != 0 && i.owner >= 0 && i.owner != m.UID:
		return refuse(syscall.EPERM)
	case len(i.queues) > 0 && mode&IFF_MULTI_QUEUE == 0:
		return refuse(syscall.EBUSY)
	}
	i.mode = mode
	i.queues = append(i.queues, t)
	t.iface, t.Name, t.mode, t.attached = i, i.name, mode, true
	t.RequestedName = bytes.Clone(arg.Octets[:NameSize])
	out := bytes.Clone(arg.Octets)
	clear(out[:NameSize])
	copy(out[:NameSize], i.name)
	return Arg{Octets: out}, nil
}

// Configure gives the other side of an interface an address: SendUDP goes
// through the interface in whose network its destination is.
func (m *Memory) Configure(name string, c Config) error {
	i := m.ifaces[name]
	if i == nil {
		return &Error{Op: "configure", On: name, Errno: syscall.ENODEV}
	}
	if c.Addr.IsValid() {
		i.addrs = append(i.addrs, c.Addr)
	}
	if c.MTU != 0 {
		i.mtu = c.MTU
	}
	return nil
}

// ---- the other side ----

// SendUDP puts a datagram into the read buffer of the tunnel that leads to its
// destination, or else of the tunnel that was opened first. Of an interface
// with several queues a flow has always the same.
func (m *Memory) SendUDP(data []byte, to netip.AddrPort) (netip.AddrPort, error) {
	refuse := func(e syscall.Errno) (netip.AddrPort, error) {
		return netip.AddrPort{}, &Error{Op: "send_udp", On: to.String(), Errno: e}
	}
	to = netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port())
	from, most := SourceIPv4, 0xffff-ipv4Size-udpSize
	if to.Addr().Is6() {
		from, most = SourceIPv6, 0xffff-udpSize
	}
	if len(data) > most {
		return refuse(syscall.EMSGSIZE)
	}
	var by *iface
	best := netip.Prefix{}
	for _, i := range m.ifaces {
		for _, p := range i.addrs {
			// The longest prefix, and of equals the first by name.
			if p.Contains(to.Addr()) && (by == nil || p.Bits() > best.Bits() || p.Bits() == best.Bits() && i.name < by.name) {
				by, best = i, p
			}
		}
	}
	var dev Feeder
	if by != nil {
		from = netip.AddrPortFrom(best.Addr(), from.Port())
	} else {
		for _, fd := range m.open {
			d, ok := m.files[fd].Device.(Feeder)
			t, ours := d.(*Tunnel)
			if ok && (!ours || t.iface != nil) {
				if dev = d; ours {
					by = t.iface
				}
				break
			}
		}
	}
	if by != nil {
		dev = by.queueOf(from, to)
	}
	if dev == nil || dev == (*Tunnel)(nil) {
		return refuse(syscall.ENETUNREACH)
	}
	return from, dev.AddToReadBuffer(udpPacket(from, to, data))
}

// ReceiveUDP takes datagrams out of the write buffer of a tunnel.
func (m *Memory) ReceiveUDP(fd int, at netip.AddrPort) (UDPPort, error) {
	f, err := m.file("receive_udp", fd)
	if err != nil {
		return nil, err
	}
	t, ok := f.Device.(*Tunnel)
	if !ok {
		return nil, &Error{Op: "receive_udp", On: f.path, Errno: syscall.ENOTSOCK}
	}
	return &memPort{t: t, fd: fd, at: netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())}, nil
}

// memPort is a UDPPort. It leaves in the write buffer what is not for it.
type memPort struct {
	t      *Tunnel
	fd     int
	at     netip.AddrPort
	closed bool
}

func (p *memPort) Addr() netip.AddrPort { return p.at }

func (p *memPort) Recv(limit int) ([]byte, netip.AddrPort, error) {
	if p.closed {
		return nil, netip.AddrPort{}, &Error{Op: "recv", On: p.at.String(), Errno: syscall.EBADF}
	}
	for i, frame := range p.t.WriteBuffer.items {
		packet, ok := p.t.packetOf(frame)
		if !ok {
			continue
		}
		from, to, data, ok := parseUDP(packet)
		if !ok || p.at.Port() != 0 && to.Port() != p.at.Port() || p.at.Addr().IsValid() && !p.at.Addr().IsUnspecified() && to.Addr() != p.at.Addr() {
			continue
		}
		p.t.WriteBuffer.remove(i)
		return data[:max(0, min(limit, len(data)))], from, nil
	}
	if p.t.system.files[p.fd] == nil {
		return nil, netip.AddrPort{}, &Error{Op: "recv", On: p.at.String(), Errno: syscall.EBADF}
	}
	return nil, netip.AddrPort{}, ErrWait
}

func (p *memPort) Close() error {
	p.closed = true
	p.t.system.changed(p.fd)
	return nil
}
