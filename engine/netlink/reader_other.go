//go:build !linux

package netlink

// Reader drains a socket into a queue.
type Reader struct{}

// ReaderStats counts what a reader has done.
type ReaderStats struct {
	Datagrams, Octets, Overruns, KernelLost, Errors uint64
	LastError                                       error
}

// ReadInto fails.
func (s *Socket) ReadInto(*Queue) (*Reader, error) { return nil, noLinux("read") }

// Done never ends.
func (*Reader) Done() <-chan struct{} { return nil }

// Stats is empty.
func (*Reader) Stats() ReaderStats { return ReaderStats{} }
