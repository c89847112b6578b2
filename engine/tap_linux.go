package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/songgao/water"
	"golang.org/x/sys/unix"
)

// tap is a TAP or TUN device: one read or write is one frame, with what is to
// stand before it.
type tap struct {
	*device
	before int    // octets before every frame
	arena  []byte // frames of the last TryRead, one behind the other
	fs     []Frame
	n      int
	errno  error

	out    [][]byte // frames to write; then how many went out and what stopped it
	wrote  int
	outErr unix.Errno
	recv   func(fd uintptr)
	send   func(fd uintptr)

	drops  sync.Mutex // orders the readings of the kernel's drop counter
	start  uint64     // that counter when we opened
	counts *os.File   // where it stands; nil without /proc
}

// tapRead is the room a read needs. The kernel cuts a frame that does not fit
// and does not say so, and with segmentation offload off no frame is longer.
const tapRead = piHeader + vnetHeader + MaxFrame + 1

// tapArena bounds a batch: at least tapArena/tapRead frames of any length.
const tapArena = 512 << 10

// OpenTap creates the interface or attaches to a persistent one.
func OpenTap(env *Env, cfg TapConfig) (c Conn, err error) {
	env.init()
	err = env.inside(cfg.Netns, func() (err error) { c, err = openTap(env, cfg); return err })
	return c, err
}

func openTap(env *Env, cfg TapConfig) (Conn, error) {
	addr, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	if err := needsRealTime(env, cfg.name()); err != nil {
		return nil, err
	}
	open := openWater
	if cfg.before() > 0 {
		open = openHeaded
	}
	file, name, err := open(cfg)
	if err != nil {
		return nil, tapError(cfg, err)
	}
	cfg.Name = name
	d, err := newDevice(cfg.name(), LinkEthernet, file)
	if err != nil {
		return nil, tapError(cfg, err)
	}
	switch {
	case cfg.before() > 0:
		d.link = LinkUser0
	case cfg.TUN:
		d.link = LinkRaw
	}
	if err := configureLink(cfg.Name, cfg.MTU, addr, cfg.Up); err != nil {
		d.Close()
		return nil, tapError(cfg, err)
	}
	t := &tap{device: d, before: cfg.before()}
	// Its contents are those of the namespace in which it was opened, for ever.
	// Without /proc no drops are counted.
	t.counts, _ = os.Open("/proc/thread-self/net/dev")
	t.start = txDropped(t.counts, cfg.Name)
	d.last = t.abandon
	t.recv = t.readAll
	t.send = t.writeAll
	return t, nil
}

// opening is held while water has a descriptor that is not attached yet.
var opening sync.Mutex

// userNumber is who a user is; -1 is nobody in particular.
func userNumber(name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return -1, argument("owner %q: there is no such user", name)
	}
	return strconv.Atoi(u.Uid)
}

// openWater is all we use of songgao/water. Unless cfg.Persist the device goes
// at close, also one that was made persistent before: water insists on that.
func openWater(cfg TapConfig) (*os.File, string, error) {
	wc := water.Config{DeviceType: water.TAP, PlatformSpecificParams: water.PlatformSpecificParams{
		Name: cfg.Name, Persist: cfg.Persist, MultiQueue: cfg.MultiQueue,
	}}
	if cfg.TUN {
		wc.DeviceType = water.TUN
	}
	owner, err := userNumber(cfg.Owner)
	if err != nil {
		return nil, "", err
	}
	opening.Lock()
	defer opening.Unlock()
	// water opens without O_CLOEXEC; the lock keeps a fork from inheriting the
	// descriptor before it is marked.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	others := unattached() // of scripts that have a device's descriptor themselves
	w, err := water.New(wc)
	if err != nil {
		// It leaves its descriptor open when it fails.
		for _, fd := range unattached() {
			if !slices.Contains(others, fd) {
				unix.Close(fd)
			}
		}
		return nil, "", err
	}
	file, ok := w.ReadWriteCloser.(*os.File)
	if !ok {
		w.Close()
		return nil, "", fmt.Errorf("water returned a %T", w.ReadWriteCloser)
	}
	raw, err := file.SyscallConn()
	if err == nil {
		cerr := raw.Control(func(fd uintptr) {
			unix.CloseOnExec(int(fd))
			if owner >= 0 {
				err = os.NewSyscallError("TUNSETOWNER", unix.IoctlSetInt(int(fd), unix.TUNSETOWNER, owner))
			}
		})
		err = errors.Join(cerr, err)
	}
	if err != nil {
		w.Close()
		return nil, "", err
	}
	return file, w.Name(), nil
}

// openHeaded opens what water cannot: a device with something before every
// frame. Persistence and owner are as with water.
func openHeaded(cfg TapConfig) (_ *os.File, name string, err error) {
	owner, err := userNumber(cfg.Owner)
	if err != nil {
		return nil, "", err
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, "", &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	flags := uint16(unix.IFF_TAP)
	if cfg.TUN {
		flags = unix.IFF_TUN
	}
	if !cfg.PI {
		flags |= unix.IFF_NO_PI
	}
	if cfg.VNet {
		flags |= unix.IFF_VNET_HDR
	}
	if cfg.MultiQueue {
		flags |= unix.IFF_MULTI_QUEUE
	}
	var req ifreq
	copy(req.name[:], cfg.Name)
	binary.NativeEndian.PutUint16(req.data[:], flags)
	if err := ioctl(fd, unix.TUNSETIFF, &req); err != nil {
		return nil, "", os.NewSyscallError("TUNSETIFF", err)
	}
	if cfg.VNet {
		size := int32(vnetHeader)
		if err := ioctl(fd, unix.TUNSETVNETHDRSZ, &size); err != nil {
			return nil, "", os.NewSyscallError("TUNSETVNETHDRSZ", err)
		}
	}
	if owner >= 0 {
		if err := unix.IoctlSetInt(fd, unix.TUNSETOWNER, owner); err != nil {
			return nil, "", os.NewSyscallError("TUNSETOWNER", err)
		}
	}
	persist := 0
	if cfg.Persist {
		persist = 1
	}
	if err := unix.IoctlSetInt(fd, unix.TUNSETPERSIST, persist); err != nil {
		return nil, "", os.NewSyscallError("TUNSETPERSIST", err)
	}
	// Not before: the poller hears nothing from a /dev/net/tun that it got
	// before TUNSETIFF.
	return os.NewFile(uintptr(fd), "/dev/net/tun"), unix.ByteSliceToString(req.name[:]), nil
}

// unattached are the descriptors of /dev/net/tun that no interface hangs on.
func unattached() (all []int) {
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, e := range fds {
		if to, _ := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); to != "/dev/net/tun" {
			continue
		}
		fd, _ := strconv.Atoi(e.Name())
		var req ifreq
		if ioctl(fd, unix.TUNGETIFF, &req) == unix.EBADFD {
			all = append(all, fd)
		}
	}
	return all
}

// tapError explains what usually goes wrong.
func tapError(cfg TapConfig, err error) error {
	e := &OpError{Op: "open", Conn: cfg.name(), Err: err}
	const grant = "this needs CAP_NET_ADMIN: setcap cap_net_admin+ep pktsh, or run in a namespace of your own: pktsh --sandbox …"
	switch {
	case errors.Is(err, unix.EBUSY):
		e.Err, e.kind = fmt.Errorf("another process holds the interface: %w", err), "exists"
	case errors.Is(err, fs.ErrPermission):
		e.hint = grant
		if errors.Is(err, unix.EACCES) {
			e.hint = "this user may not open /dev/net/tun: as root, chmod 666 /dev/net/tun, as most systems have it; then pktsh --sandbox gives taps to anybody"
		}
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		e.Err, e.kind = fmt.Errorf("/dev/net/tun: %w", err), "missing"
		e.hint = "load the driver with modprobe tun; in a container, pass the device in: --device /dev/net/tun"
	case errors.Is(err, unix.EINVAL):
		what := "tap"
		if cfg.TUN {
			what = "tun"
		}
		e.Err, e.kind = fmt.Errorf("there is an interface of this name that is no %s device: %w", what, err), "exists"
	}
	return e
}

// readAll reads until there is nothing more, or no room.
func (t *tap) readAll(fd uintptr) {
	t.n, t.errno = 0, nil
	now := time.Now()
	for off := 0; t.n < len(t.fs) && len(t.arena)-off >= tapRead; {
		n, err := unix.Read(int(fd), t.arena[off:off+tapRead])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			t.errno = err
			return
		}
		t.fs[t.n] = Frame{Data: t.arena[off : off+n : off+n], Time: now, Len: n, Link: t.link}
		t.n++
		off += n
	}
}

func (t *tap) TryRead(fs []Frame) (int, error) {
	if t.arena == nil {
		t.arena = make([]byte, tapArena)
	}
	t.fs = fs
	err := t.control("read", t.recv)
	t.fs = nil
	if err != nil {
		return 0, err
	}
	if t.n == 0 && t.errno != nil && t.errno != unix.EAGAIN {
		return 0, t.failed("read", t.errno)
	}
	t.received(fs[:t.n])
	return t.n, nil
}

func (t *tap) TryWrite(frames [][]byte) (int, error) {
	if len(frames) == 0 {
		return 0, nil
	}
	t.out = frames
	err := t.control("write", t.send)
	t.out = nil
	if err != nil {
		return 0, err
	}
	t.sent(frames[:t.wrote])
	switch {
	case t.wrote == len(frames) || t.outErr == unix.EAGAIN:
		return t.wrote, nil
	case len(frames[t.wrote]) > t.longest():
		return t.wrote, tooLong(t.name, len(frames[t.wrote]), t.longest())
	}
	return t.wrote, t.failed("write", t.outErr)
}

// longest is the longest frame with what stands before it.
func (t *tap) longest() int { return t.before + MaxFrame }

// writeAll writes frames until one is refused. The device never blocks and a
// write takes less than a microsecond, so the scheduler is not told: that would
// cost a quarter as much again.
func (t *tap) writeAll(fd uintptr) {
	t.wrote, t.outErr = 0, 0
	for t.wrote < len(t.out) {
		f := t.out[t.wrote]
		if len(f) > t.longest() {
			return
		}
		_, _, errno := unix.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(f))), uintptr(len(f)))
		switch errno {
		case 0:
			t.wrote++
		case unix.EINTR:
		default:
			t.outErr = errno
			return
		}
	}
}

// Stats asks the kernel how many frames it threw away because we did not read
// them in time.
func (t *tap) Stats() Stats {
	t.drops.Lock()
	defer t.drops.Unlock()
	_ = t.control("stats", func(fd uintptr) { t.dropped.Store(t.kernelDrops(fd)) }) // closed: abandon has counted
	return t.counters.Stats()
}

// kernelDrops counts since we opened. The interface may have been renamed.
func (t *tap) kernelDrops(fd uintptr) uint64 {
	var req ifreq
	if ioctl(int(fd), unix.TUNGETIFF, &req) != nil {
		return t.dropped.Load()
	}
	if n := txDropped(t.counts, unix.ByteSliceToString(req.name[:])); n >= t.start {
		return n - t.start
	}
	return t.dropped.Load()
}

// ClosesSlowly: an interface goes.
func (t *tap) ClosesSlowly() bool { return true }

// abandon counts what the kernel still holds for us when we close.
func (t *tap) abandon(fd uintptr) {
	t.drops.Lock()
	defer t.drops.Unlock()
	unread := uint64(0)
	var head [1]byte // of a frame; the rest is gone with it
	for end := time.Now().Add(abandonTime); time.Now().Before(end); unread++ {
		if _, err := unix.Read(int(fd), head[:]); err != nil {
			break
		}
	}
	t.dropped.Store(t.kernelDrops(fd) + unread)
	t.counts.Close() // of nil, too
}

// failed explains the errors of a device that was opened.
func (t *tap) failed(op string, errno error) error {
	e := t.opError(op, os.NewSyscallError(op, errno)).(*OpError)
	switch errno {
	case unix.EIO:
		e.hint = "the interface is down: ip link set NAME up, or open it with up=true"
	case unix.EBADFD:
		e.Err, e.kind = fmt.Errorf("the interface was deleted: %w", errno), "missing"
	case unix.EINVAL:
		if op == "write" {
			e.Err, e.kind = fmt.Errorf("the kernel takes no such frame, a link header is missing or of an unknown kind: %w", errno), "argument"
		}
	}
	return e
}
