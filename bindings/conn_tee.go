package bindings

import (
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"slices"
	"strings"
	"time"

	"pktsh/engine"
)

// copyTo writes a frame that was read or written here to the connectors of the
// tees, now: TryWrite never waits, so whoever has read a frame can rely on the
// copies. What another connector refuses is counted, and told once.
//
// There it is a frame that was written, so its own tees copy it on; but not to
// where it comes from, so that two connectors that copy to each other are a
// bridge and no loop.
func (c *Conn) copyTo(f *engine.Frame) {
	c.copying = true
	defer func() { c.copying = false }()
	for _, k := range c.tees { // the slice is replaced, never changed
		if k.to.copying {
			continue
		}
		n, err := 0, error(nil)
		if w, ok := k.to.Conn.(engine.FrameWriter); ok {
			k.frame[0] = *f
			if f.Info == nil {
				k.frame[0].Info = c.label(false)
			}
			k.to.tx.Lock()
			n, err = w.TryWriteFrames(k.frame[:])
			k.to.tx.Unlock()
			k.frame[0] = engine.Frame{}
		} else {
			k.octets[0] = f.Data
			n, err = k.to.tryWrite(k.octets[:])
			k.octets[0] = nil
		}
		if n == 0 {
			c.refused(k, err)
			continue
		}
		k.Frames++
		for s := c; s != nil; s = s.via {
			if sameMedium(s, k.to) {
				s.echoes.expect(s, f)
			}
		}
		if len(k.to.tees) > 0 {
			if hearsItself(k.to) {
				k.to.echoes.expect(k.to, f)
			}
			k.to.via = c
			k.to.copyTo(k.to.written(f))
			k.to.via = nil
		}
	}
}

// label is what a pcapng file says of frames that are read here, or written; of
// those of another file it knows better.
func (c *Conn) label(out bool) *engine.FrameInfo {
	if c.labels[0] == nil {
		if _, file := c.Conn.(engine.Capture); file {
			return nil
		}
		name := c.Conn.Name()
		for _, scheme := range []string{"link:", "tap:", "tun:"} {
			name = strings.TrimPrefix(name, scheme)
		}
		c.labels = [2]*engine.FrameInfo{{Interface: name}, {Interface: name, Flags: 2}}
	}
	if out {
		return c.labels[1]
	}
	return c.labels[0]
}

// written is a frame as one that was written here.
func (c *Conn) written(f *engine.Frame) *engine.Frame {
	g := *f
	g.Info = c.label(true)
	if f.Info != nil && f.Info.Comments != nil && g.Info != nil {
		info := *g.Info
		info.Comments = f.Info.Comments
		g.Info = &info
	}
	return &g
}

var errNoRoom = errors.New("the other has no room now")

// refused counts a frame that a tee could not write. One whose other end was
// closed is over.
func (c *Conn) refused(k *handler, err error) {
	k.Errors++
	if errors.Is(err, net.ErrClosed) {
		k.cancel()
		return
	}
	c.failed++
	if k.Errors == 1 {
		if err == nil {
			err = errNoRoom
		}
		fmt.Fprintf(c.h.Stderr(), "tee of %s to %s loses a frame, and goes on (handler:stats().errors counts): %s",
			c.Conn.Name(), k.to.Conn.Name(), c.h.Report(err))
	}
}

// sameMedium reports whether a hears what b writes: two ports of one memory
// LAN, two members of one multicast group, two sockets on one interface.
func sameMedium(a, b *Conn) bool {
	p, ok1 := a.Conn.(*engine.Port)
	q, ok2 := b.Conn.(*engine.Port)
	if ok1 || ok2 {
		return ok1 && ok2 && p.Hub() == q.Hub()
	}
	if _, file := b.Conn.(engine.FrameWriter); file {
		return false
	}
	return a.Conn.Name() == b.Conn.Name()
}

// hearsItself reports whether what is written to c is read there, too.
func hearsItself(c *Conn) bool {
	e, ok := c.Conn.(engine.Echoing)
	return ok && e.HearsItself()
}

// echoes are frames that a tee wrote to the medium of a connector, which hears
// each of them once. They are not copied again: without that, copies between
// connectors on one medium would never end.
type echoes struct {
	list []echo
}

type echo struct {
	sum uint64
	at  time.Time
}

// echoTime is how long an echo may take, maxEchoes how many are under way.
const (
	echoTime  = time.Second
	maxEchoes = 4096
)

var echoSeed = maphash.MakeSeed()

func (e *echoes) expect(c *Conn, f *engine.Frame) {
	if len(e.list) == maxEchoes {
		e.list = e.list[maxEchoes/4:]
	}
	e.list = append(e.list, echo{maphash.Bytes(echoSeed, f.Data), c.h.Clock().Now()})
}

// heard reports whether f is an echo.
func (e *echoes) heard(c *Conn, f *engine.Frame) bool {
	if len(e.list) == 0 {
		return false
	}
	old := 0
	for now := c.h.Clock().Now(); old < len(e.list) && now.Sub(e.list[old].at) > echoTime; {
		old++
	}
	e.list = e.list[old:]
	sum := maphash.Bytes(echoSeed, f.Data)
	for i := range e.list {
		if e.list[i].sum == sum {
			if i == 0 { // as most often: they come in order
				e.list = e.list[1:]
			} else {
				e.list = slices.Delete(e.list, i, i+1)
			}
			return true
		}
	}
	return false
}
