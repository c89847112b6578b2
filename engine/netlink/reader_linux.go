package netlink

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Reader drains a socket into a queue from a goroutine of its own: what a burst
// brings waits there, where it costs its octets, not in the kernel, where it
// costs sixteen times that and overflows.
//
//	kernel ─recvmsg until EAGAIN─▶ scratch ─copy─▶ slabs of the Queue ─▶ who takes them
//	  └ ENOBUFS: read on until empty, then a mark with the count of SO_MEMINFO
//
// An error ends it only when the socket is closed.
type Reader struct {
	s    *Socket
	q    *Queue
	done chan struct{}

	mu    sync.Mutex // guards stats
	stats ReaderStats
}

// ReaderStats counts what a reader has done.
type ReaderStats struct {
	Datagrams, Octets uint64
	Overruns          uint64 // times that the kernel said it had lost something
	KernelLost        uint64 // how many it counted then
	Errors            uint64 // other errors of the socket
	LastError         error
}

// ReadInto starts a reader of the socket, which nobody else may read. It ends
// when the socket is closed, and closes the queue.
func (s *Socket) ReadInto(q *Queue) (*Reader, error) {
	scratch, err := unix.Mmap(-1, 0, MaxDatagram, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, s.fail("read", fmt.Errorf("no memory for a datagram: %w", err))
	}
	r := &Reader{s: s, q: q, done: make(chan struct{})}
	drops := uint32(0)
	if m, err := s.Memory(); err == nil {
		drops = m.Drops
	}
	go r.run(scratch, drops)
	return r, nil
}

// Done is closed when the reader has ended.
func (r *Reader) Done() <-chan struct{} { return r.done }

// Stats counts what the reader has done.
func (r *Reader) Stats() ReaderStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

func (r *Reader) run(scratch []byte, drops uint32) {
	defer close(r.done)
	defer r.q.Close()
	// Outside of Go's heap and touched only as far as datagrams go, so that a
	// reader that waits costs a few pages.
	defer unix.Munmap(scratch)
	var c recvCall
	c.prepare(r.s.far)
	c.into(scratch)
	overrun := false
	var local ReaderStats
	for {
		fatal := false
		err := r.s.raw.Read(func(fd uintptr) bool {
			defer func() {
				r.mu.Lock()
				r.stats = local
				r.mu.Unlock()
			}()
			var now time.Time
			faults := 0
			for n := 0; ; n++ {
				if r.s.shut.Load() { // Close waits for the end of this, a storm does not
					fatal = true
					return true
				}
				c.run(fd)
				switch {
				case c.err == nil:
					faults = 0
					if n%32 == 0 {
						now = time.Now()
					}
					if n%4096 == 4095 {
						r.mu.Lock()
						r.stats = local
						r.mu.Unlock()
					}
					local.Datagrams++
					local.Octets += uint64(c.n)
					r.q.Push(scratch[:min(c.n, len(scratch))], c.result(), now)
				case c.err == ErrOverrun:
					overrun = true
					local.Overruns++
				case c.err == ErrWait:
					if overrun {
						// The kernel takes in nothing more until the socket is empty. What
						// came between that and here stands before the mark: never behind
						// what is missing without one.
						overrun = false
						drops = r.lost(int(fd), drops, &local)
					}
					return false
				case r.s.far != nil || errors.Is(c.err, unix.EBADF) || errors.Is(c.err, unix.ENOTSOCK):
					fatal = true
					return true
				default:
					local.Errors++
					local.LastError = c.err
					if faults++; faults > 100 {
						return false // not now
					}
				}
			}
		})
		if err != nil || fatal {
			return // closed, or the relay has ended
		}
	}
}

// lost puts the mark of an overrun into the queue.
func (r *Reader) lost(fd int, before uint32, local *ReaderStats) uint32 {
	var m Memory
	var err error
	if r.s.far != nil {
		m = r.s.far.memory()
	} else {
		m, err = memory(fd)
	}
	n := uint64(m.Drops - before)
	if err != nil {
		n, m.Drops = 0, before
	}
	local.KernelLost += n
	r.q.Lose(Lost{Kernel: n, Exact: n > 0})
	return m.Drops
}
