package engine

import (
	"errors"
	"io/fs"
)

// inside opens something of the kernel in a namespace: the one that the caller
// names, else the Env's current one, else the process's own.
//
// Whatever a connector opens by descriptor stays in that namespace for good, so
// only opening goes through here; reading, writing and closing do not.
func (e *Env) inside(ns *Netns, open func() error) error {
	if ns == nil && e.Netns != nil {
		ns = e.Netns()
	}
	if ns == nil {
		return open()
	}
	return ns.Run(open)
}

// hold is a namespace of the caller's own for what opens sockets later, too: the
// one that inside would take, nil for the process's. The caller closes it.
func (e *Env) hold(ns *Netns) (*Netns, error) {
	if ns == nil && e.Netns != nil {
		ns = e.Netns()
	}
	if ns == nil {
		return nil, nil
	}
	return ns.dup()
}

// netnsError explains what usually goes wrong with namespaces.
func netnsError(op, name string, err error) error {
	e := &OpError{Op: op, Conn: "netns:" + name, Err: err}
	if errors.Is(err, fs.ErrPermission) {
		e.hint = "this needs CAP_SYS_ADMIN: run as root, or in a namespace of your own: pktsh --sandbox …"
	}
	return e
}

// netns is the namespace that the option netns= of a short text names, nil
// without one, and what lets go of it.
func (t *target) netns() (ns *Netns, release func()) {
	name := t.text("netns", "")
	if name == "" || t.err != nil {
		return nil, func() {}
	}
	ns, err := OpenNetns(name)
	if err != nil {
		t.err = err
		return nil, func() {}
	}
	return ns, func() { ns.Close() }
}
