package engine

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Netns is a network namespace, held by a descriptor: it lives at least until
// Close. It may be used from any goroutine.
type Netns struct {
	name string
	mu   sync.RWMutex // guards file against Close
	file *os.File     // nil after Close
}

// NewNetns makes a namespace with nothing in it but lo, which is up.
func NewNetns() (*Netns, error) {
	var n *Netns
	err := elsewhere(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		f, err := os.Open(ownNetns)
		if err != nil {
			return err
		}
		if err := configureLink("lo", 0, netip.Prefix{}, true); err != nil {
			f.Close()
			return err
		}
		n = &Netns{file: f}
		return nil
	})
	if err != nil {
		return nil, netnsError("make", "new", err)
	}
	id, err := n.ID()
	if err != nil {
		n.Close()
		return nil, netnsError("make", "new", err)
	}
	n.name = strconv.FormatUint(id, 10)
	return n, nil
}

// OpenNetns opens a namespace by its name under /run/netns (as of ip netns), by
// the number of a process that lives in it, or by a path.
func OpenNetns(name string) (*Netns, error) {
	path := name
	if name == "" || name == "." || name == ".." {
		return nil, netnsError("open", name, argument("want a name, the number of a process, or a path"))
	}
	if !strings.Contains(name, "/") {
		path = filepath.Join("/run/netns", name)
		if _, err := os.Stat(path); err != nil {
			if pid, perr := strconv.Atoi(name); perr == nil && pid > 0 {
				path = fmt.Sprintf("/proc/%d/ns/net", pid)
			}
		}
	}
	// Without O_NONBLOCK a path to a FIFO would wait for its other end.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		e := netnsError("open", name, err).(*OpError)
		if errors.Is(err, unix.ENOENT) {
			e.hint = "ip netns list shows the names"
		}
		return nil, e
	}
	kind, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE)
	if err != nil || kind != unix.CLONE_NEWNET {
		unix.Close(fd)
		return nil, netnsError("open", name, argument("%s is no network namespace", path))
	}
	return &Netns{name: name, file: os.NewFile(uintptr(fd), path)}, nil
}

// Name is what OpenNetns was given, or the ID as text.
func (n *Netns) Name() string { return n.name }

// ID is the number the kernel gives the namespace, as in /proc/PID/ns/net.
func (n *Netns) ID() (id uint64, err error) {
	err = n.use("stat", func(fd int) error {
		var st unix.Stat_t
		err := unix.Fstat(fd, &st)
		id = st.Ino
		return err
	})
	return id, err
}

// Path leads other programs to the namespace while it is held:
// nsenter --net=PATH, ip netns attach.
func (n *Netns) Path() (path string, err error) {
	err = n.use("path", func(fd int) error {
		path = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd)
		return nil
	})
	return path, err
}

// use runs f on the descriptor, which stays open meanwhile.
func (n *Netns) use(op string, f func(fd int) error) error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.file == nil {
		return netnsError(op, n.name, net.ErrClosed)
	}
	return f(int(n.file.Fd()))
}

// dup is the same namespace, held by a descriptor of its own.
func (n *Netns) dup() (d *Netns, err error) {
	err = n.use("hold", func(fd int) error {
		own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("dup", err)
		}
		d = &Netns{name: n.name, file: os.NewFile(uintptr(own), n.name)}
		return nil
	})
	return d, err
}

// Run runs f in the namespace and waits for it: what f opens is in there.
// f runs on a goroutine and an operating system thread of its own. Goroutines
// that it starts are not in the namespace.
func (n *Netns) Run(f func() error) error {
	var entered bool
	err := n.use("enter", func(fd int) error {
		return elsewhere(func() error {
			if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
				return os.NewSyscallError("setns", err)
			}
			entered = true
			return f()
		})
	})
	if err != nil && !entered {
		var e *OpError
		if errors.As(err, &e) {
			return err
		}
		return netnsError("enter", n.name, err)
	}
	return err
}

// Close lets go of the namespace. The kernel removes it when nothing is left in
// it: no process, no descriptor, no connector.
func (n *Netns) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.file == nil {
		return nil
	}
	err := n.file.Close()
	n.file = nil
	return err
}

// BringUp sets an interface of the calling thread's namespace up.
func BringUp(name string) error { return configureLink(name, 0, netip.Prefix{}, true) }

// ownNetns is the namespace of the calling thread.
const ownNetns = "/proc/thread-self/ns/net"

// elsewhere runs f, which may change the network namespace of its thread, so
// that no other code is ever in the wrong one: on a goroutine that no other
// shares its thread with. Afterwards the thread goes back, or if it cannot, it
// ends together with the goroutine.
func elsewhere(f func() error) error {
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() { done <- err }()
		runtime.LockOSThread() // a goroutine that ends locked takes its thread with it
		var home *os.File
		if home, err = os.Open(ownNetns); err != nil {
			runtime.UnlockOSThread()
			return
		}
		err = errGoexit
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
			if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
				runtime.UnlockOSThread()
			}
			home.Close()
		}()
		err = f()
	}()
	return <-done
}

var errGoexit = errors.New("the function ended its goroutine")
