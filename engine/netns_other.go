//go:build !linux

package engine

// Netns is a network namespace, on Linux.
type Netns struct{}

// NewNetns makes a namespace, on Linux.
func NewNetns() (*Netns, error) { return nil, unsupported("netns:new") }

// OpenNetns opens a namespace, on Linux.
func OpenNetns(name string) (*Netns, error) { return nil, unsupported("netns:" + name) }

// Name is what OpenNetns was given.
func (*Netns) Name() string { return "" }

// ID is the number of the namespace.
func (*Netns) ID() (uint64, error) { return 0, unsupported("netns:") }

// Path leads other programs to the namespace.
func (*Netns) Path() (string, error) { return "", unsupported("netns:") }

// Run runs f in the namespace.
func (*Netns) Run(func() error) error { return unsupported("netns:") }

// Close lets go of the namespace.
func (*Netns) Close() error { return nil }

func (n *Netns) dup() (*Netns, error) { return n, nil }
