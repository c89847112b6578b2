package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"
)

// Hub is a LAN in memory: a frame written to one port comes out of all the
// others, in the order in which it was written, and not out of its own.
//
// An ideal LAN (no Latency, Loss and so on) delivers within TryWrite and may be
// used from any goroutine. One that delays frames does so by timers on its
// clock, and belongs to the goroutine that runs that clock.
type Hub struct {
	cfg  HubConfig
	env  *Env
	slow bool // frames take time or may be lost

	mu    sync.Mutex // guards all below and the queues of the ports
	ports []*Port    // replaced, never changed, so that it may be walked without mu
	made  int        // ports ever made; numbers them
	busy  time.Time  // when the medium has sent what it was given
	away  int        // frames under way
	load  int        // their octets, with what they cost beside
	spare [][]byte   // buffers for frames under way
	stats HubStats
	done  bool
}

// HubConfig says what the medium does to frames. The zero value is an ideal
// LAN.
type HubConfig struct {
	Name      string        // default lan1, lan2, …
	Latency   time.Duration // from the sender's last octet to the receivers
	Loss      float64       // probability that the medium loses a frame
	Duplicate float64       // probability that it delivers it twice
	Reorder   float64       // probability that a frame takes twice its latency (at least 1 ms more), so that later ones overtake it
	Bandwidth float64       // bits per second; 0 is without limit
	Queue     int           // octets of unread frames that a port keeps, and of frames under way that the medium does, before it drops (default 16 MiB)
}

// HubStats counts what happened on the medium.
type HubStats struct {
	Frames, Octets uint64 // written by the ports
	Lost           uint64 // by Loss, because more than Queue octets were unsent or under way, or because Close came first
	Duplicated     uint64
	Reordered      uint64
	Delivered      uint64 // into the queues of ports, one for each
	Dropped        uint64 // by ports whose queue was full
}

// frameOverhead is what a queued frame costs beside its octets, so that Queue
// bounds the memory of empty frames too.
const frameOverhead = 64

const defaultQueue = 16 << 20

// longest is a time that never ends, to all who wait.
const longest = time.Duration(math.MaxInt64)

// later is the sum of two waits, of which neither is negative.
func later(a, b time.Duration) time.Duration {
	if a > longest-b {
		return longest
	}
	return a + b
}

// NewHub makes a LAN. A named one can be reached by Open("mem:NAME") in the
// same Env, and its name must be free.
func NewHub(env *Env, cfg HubConfig) (*Hub, error) {
	for _, p := range []struct {
		name  string
		value float64
	}{{"loss", cfg.Loss}, {"duplicate", cfg.Duplicate}, {"reorder", cfg.Reorder}} {
		if !(p.value >= 0 && p.value <= 1) {
			return nil, argument("%s: want a probability from 0 to 1, got %v", p.name, p.value)
		}
	}
	switch {
	case cfg.Latency < 0:
		return nil, argument("latency: want 0 or more seconds, got %v", cfg.Latency.Seconds())
	case !(cfg.Bandwidth >= 0):
		return nil, argument("bandwidth: want 0 or more bits per second, got %v", cfg.Bandwidth)
	case cfg.Queue < 0:
		return nil, argument("queue: want 0 or more octets, got %d", cfg.Queue)
	case cfg.Queue == 0:
		cfg.Queue = defaultQueue
	}
	if err := hubName("LAN", cfg.Name); err != nil {
		return nil, err
	}
	env.init()
	for n := env.lans + 1; cfg.Name == ""; n++ {
		if name := fmt.Sprintf("lan%d", n); env.hubs[name] == nil {
			cfg.Name, env.lans = name, n
		}
	}
	if env.hubs[cfg.Name] != nil {
		return nil, &OpError{Op: "open", Conn: "mem:" + cfg.Name, Err: errors.New("there is a LAN of this name already"), kind: "exists"}
	}
	h := &Hub{cfg: cfg, env: env}
	h.slow = cfg.Latency > 0 || cfg.Loss > 0 || cfg.Duplicate > 0 || cfg.Reorder > 0 || cfg.Bandwidth > 0
	env.hubs[cfg.Name] = h
	return h, nil
}

// Name is the LAN's name.
func (h *Hub) Name() string { return h.cfg.Name }

// Port adds a port. It is called LAN/NAME; without a name it gets a number.
func (h *Hub) Port(name string) (*Port, error) {
	if err := hubName("port", name); err != nil {
		return nil, &OpError{Op: "open", Conn: "mem:" + h.cfg.Name, Err: err}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done {
		return nil, closedError("open", "mem:"+h.cfg.Name)
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(h.ports, func(q *Port) bool { return q.name == h.cfg.Name+"/"+name })
	}
	for name == "" {
		h.made++
		if n := strconv.Itoa(h.made); !taken(n) {
			name = n
		}
	}
	p := &Port{hub: h, name: h.cfg.Name + "/" + name}
	if taken(name) {
		return nil, &OpError{Op: "open", Conn: p.name, Err: errors.New("the LAN has a port of this name already"), kind: "exists"}
	}
	h.ports = append(slices.Clip(h.ports), p)
	return p, nil
}

// hubName refuses names of LANs and ports that would garble what is printed of
// them, or that open"mem:LAN/PORT" could not say.
func hubName(what, name string) error {
	switch {
	case strings.ContainsFunc(name, unicode.IsControl):
		return argument("name %q of a %s: want no line feeds, zeros or other control characters", name, what)
	case !utf8.ValidString(name):
		return argument("name %q of a %s: want UTF-8", name, what)
	case len(name) > 255:
		return argument("name of a %s: %d octets are too many, want at most 255", what, len(name))
	case what == "LAN" && strings.Contains(name, "/"):
		return argument("name %q of a LAN: want no slash, behind which the name of a port stands", name)
	}
	return nil
}

// Ports are the open ports in the order in which they were made.
func (h *Hub) Ports() []*Port {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ports)
}

// Stats are the counts of the medium.
func (h *Hub) Stats() HubStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stats
}

// Close closes all ports; frames under way are gone.
func (h *Hub) Close() error {
	h.mu.Lock()
	ports := h.ports
	if !h.done {
		h.stats.Lost += uint64(h.away)
	}
	h.done = true
	h.mu.Unlock()
	for _, p := range ports {
		p.Close()
	}
	if h.env.hubs[h.cfg.Name] == h {
		delete(h.env.hubs, h.cfg.Name)
	}
	return nil
}

// deliver puts a frame into the queue of every port but from; mu is held.
func (h *Hub) deliver(from *Port, frame []byte, now time.Time) {
	for _, p := range h.ports {
		if p == from {
			continue
		}
		if p.q.push(frame, now, h.cfg.Queue) {
			h.stats.Delivered++
			if p.readable != nil {
				close(p.readable)
				p.readable = nil
			}
		} else {
			h.stats.Dropped++
			p.stats.Dropped++
		}
	}
}

// wake tells the hosts of all ports but from that something may have come.
func wake(ports []*Port, from *Port) {
	for _, p := range ports {
		if p != from {
			p.notify()
		}
	}
}

// transmit gives one frame to a medium that is not ideal; mu is held. It
// reports whether something was delivered at once.
func (h *Hub) transmit(from *Port, frame []byte, now time.Time, r *rand.Rand) bool {
	wait := h.cfg.Latency
	if h.cfg.Bandwidth > 0 {
		if h.busy.Before(now) {
			h.busy = now
		}
		if h.busy.Sub(now).Seconds()*h.cfg.Bandwidth/8+float64(len(frame)) > float64(h.cfg.Queue) {
			h.stats.Lost++
			return false
		}
		takes := longest // what no Duration holds would become a time in the past
		if ns := float64(len(frame)*8) / h.cfg.Bandwidth * float64(time.Second); ns < float64(longest) {
			takes = time.Duration(ns)
		}
		h.busy = h.busy.Add(takes)
		wait = later(wait, h.busy.Sub(now))
	}
	// A setting of zero draws nothing, so that a run's random numbers depend
	// only on what is switched on.
	chance := func(p float64) bool { return p > 0 && r.Float64() < p }
	if chance(h.cfg.Loss) {
		h.stats.Lost++
		return false
	}
	copies := 1
	if chance(h.cfg.Duplicate) {
		h.stats.Duplicated++
		copies++
	}
	if chance(h.cfg.Reorder) {
		h.stats.Reordered++
		wait = later(wait, max(h.cfg.Latency, time.Millisecond))
	}
	if wait <= 0 {
		for range copies {
			h.deliver(from, frame, now)
		}
		return true
	}
	cost := len(frame) + frameOverhead
	if h.load+cost > h.cfg.Queue {
		h.stats.Lost++
		return false
	}
	h.away++
	h.load += cost
	var buf []byte
	if n := len(h.spare); n > 0 {
		buf, h.spare = h.spare[n-1], h.spare[:n-1]
	}
	buf = append(buf[:0], frame...)
	h.env.Clock.After(wait, func() {
		h.mu.Lock()
		if h.done {
			h.mu.Unlock()
			return
		}
		h.away--
		h.load -= cost
		for range copies {
			h.deliver(from, buf, h.env.Clock.Now())
		}
		if len(h.spare) < 64 {
			h.spare = append(h.spare, buf)
		}
		ports := h.ports
		h.mu.Unlock()
		wake(ports, from)
	})
	return false
}

// Port is one host's place on a Hub. It is a Conn and a Notifier. It always
// has room to write; a receiver that does not read loses frames, and counts
// them.
type Port struct {
	hub  *Hub
	name string

	notes atomic.Pointer[[]*func()] // replaced, never changed

	// guarded by hub.mu
	q        frameQueue
	readable chan struct{} // closed when a frame or Close comes; nil while nobody waits
	closed   bool
	stats    Stats
}

// Name is LAN/PORT.
func (p *Port) Name() string { return p.name }

// Hub is the LAN the port is on.
func (p *Port) Hub() *Hub { return p.hub }

// LinkType is Ethernet; the LAN itself does not look into frames.
func (p *Port) LinkType() LinkType { return LinkEthernet }

// TryRead takes what has arrived.
func (p *Port) TryRead(fs []Frame) (int, error) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	if p.closed {
		return 0, closedError("read", p.name)
	}
	n := p.q.take(fs)
	for i := range fs[:n] {
		p.stats.RxOctets += uint64(len(fs[i].Data))
	}
	p.stats.RxFrames += uint64(n)
	return n, nil
}

// TryWrite sends to all other ports.
func (p *Port) TryWrite(frames [][]byte) (n int, err error) {
	h := p.hub
	now := h.env.Clock.Now()
	h.mu.Lock()
	if p.closed {
		h.mu.Unlock()
		return 0, closedError("write", p.name)
	}
	arrived := false
	for _, f := range frames {
		if len(f) > MaxFrame {
			err = tooLong(p.name, len(f), MaxFrame)
			break
		}
		n++
		p.stats.TxFrames++
		p.stats.TxOctets += uint64(len(f))
		h.stats.Frames++
		h.stats.Octets += uint64(len(f))
		if h.slow {
			arrived = h.transmit(p, f, now, h.env.Rand) || arrived
		} else {
			h.deliver(p, f, now)
			arrived = true
		}
	}
	ports := h.ports
	h.mu.Unlock()
	if arrived {
		wake(ports, p)
	}
	return n, err
}

// Wait waits for a frame; there is always room to write.
func (p *Port) Wait(ctx context.Context, w Readiness) error {
	p.hub.mu.Lock()
	if p.closed {
		p.hub.mu.Unlock()
		return closedError("wait", p.name)
	}
	if w == WriteReady || p.q.count > 0 {
		p.hub.mu.Unlock()
		return nil
	}
	if p.readable == nil {
		p.readable = make(chan struct{})
	}
	ch := p.readable
	p.hub.mu.Unlock()
	select {
	case <-ch:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	if p.closed {
		return closedError("wait", p.name)
	}
	return nil
}

// Notify arranges for f to be called when frames arrive or the port closes.
func (p *Port) Notify(f func()) (cancel func()) {
	key := &f
	p.change(func(fs []*func()) []*func() { return append(slices.Clip(fs), key) })
	return func() {
		p.change(func(fs []*func()) []*func() {
			return slices.DeleteFunc(slices.Clone(fs), func(k *func()) bool { return k == key })
		})
	}
}

func (p *Port) change(edit func([]*func()) []*func()) {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	var old []*func()
	if l := p.notes.Load(); l != nil {
		old = *l
	}
	now := edit(old)
	if len(now) == 0 {
		p.notes.Store(nil)
		return
	}
	p.notes.Store(&now)
}

func (p *Port) notify() {
	if l := p.notes.Load(); l != nil {
		for _, f := range *l {
			(*f)()
		}
	}
}

// Stats are the counts of this port.
func (p *Port) Stats() Stats {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	return p.stats
}

// Close takes the port off the LAN. What it had not read counts as dropped.
func (p *Port) Close() error {
	h := p.hub
	h.mu.Lock()
	if p.closed {
		h.mu.Unlock()
		return nil
	}
	p.closed = true
	p.stats.Dropped += uint64(p.q.count)
	p.q = frameQueue{}
	if p.readable != nil {
		close(p.readable)
		p.readable = nil
	}
	h.ports = slices.DeleteFunc(slices.Clone(h.ports), func(q *Port) bool { return q == p })
	h.mu.Unlock()
	p.notify()
	p.notes.Store(nil)
	return nil
}

// frameQueue is a first-in first-out of frames in one ring of octets, so that
// a steady stream makes no garbage:
//
//	buf   |  free  | handed out | unread … | free |
//	               head                    tail
//
// What take hands out keeps its place until the next take. The ring grows as
// needed up to a bound and is given back when it has been emptied.
type frameQueue struct {
	buf        []byte
	head, tail int
	wrapped    bool // tail has gone round and is behind head

	slots  []slot // ring; its length is a power of two
	first  int    // the oldest unread one
	count  int    // unread
	octets int    // unread, with overhead
}

type slot struct {
	off, n int
	at     time.Time
}

// keepOctets is how large an empty ring may stay.
const keepOctets = 1 << 20

// push copies a frame in; false means that it would exceed limit.
func (q *frameQueue) push(frame []byte, at time.Time, limit int) bool {
	n := len(frame)
	if q.octets+n+frameOverhead > limit {
		return false
	}
	if q.count == len(q.slots) {
		q.growSlots()
	}
	if !q.room(n) {
		q.growOctets(n)
	}
	q.slots[(q.first+q.count)&(len(q.slots)-1)] = slot{q.tail, n, at}
	q.tail += copy(q.buf[q.tail:], frame)
	q.count++
	q.octets += n + frameOverhead
	return true
}

// room makes tail a place for n octets, going round if that helps.
func (q *frameQueue) room(n int) bool {
	if n == 0 {
		return true
	}
	if q.wrapped {
		return q.head-q.tail >= n
	}
	if len(q.buf)-q.tail >= n {
		return true
	}
	if q.head >= n {
		q.tail, q.wrapped = 0, true
		return true
	}
	return false
}

func (q *frameQueue) growSlots() {
	slots := make([]slot, max(16, 2*len(q.slots)))
	for i := range q.count {
		slots[i] = q.slots[(q.first+i)&(len(q.slots)-1)]
	}
	q.slots, q.first = slots, 0
}

// growOctets moves the unread frames to a larger ring. Frames that were handed
// out stay valid in the old one, which lives as long as they do.
func (q *frameQueue) growOctets(n int) {
	size := max(4096, 2*len(q.buf))
	for size < q.octets+n {
		size *= 2
	}
	buf := make([]byte, size)
	tail := 0
	for i := range q.count {
		s := &q.slots[(q.first+i)&(len(q.slots)-1)]
		copy(buf[tail:], q.buf[s.off:s.off+s.n])
		s.off = tail
		tail += s.n
	}
	q.buf, q.head, q.tail, q.wrapped = buf, 0, tail, false
}

// take hands out up to len(fs) frames and frees what it handed out before.
func (q *frameQueue) take(fs []Frame) int {
	if q.count == 0 {
		q.head, q.tail, q.wrapped = 0, 0, false
		if len(q.buf) > keepOctets {
			q.buf, q.slots, q.first = nil, nil, 0
		}
		return 0
	}
	off := q.slots[q.first].off
	if off < q.head { // the oldest unread frame is at the front again
		q.wrapped = false
	}
	q.head = off
	n := min(len(fs), q.count)
	for i := range n {
		s := &q.slots[(q.first+i)&(len(q.slots)-1)]
		fs[i] = Frame{Data: q.buf[s.off : s.off+s.n : s.off+s.n], Time: s.at, Len: s.n, Link: LinkEthernet}
		q.octets -= s.n + frameOverhead
	}
	q.first = (q.first + n) & (len(q.slots) - 1)
	q.count -= n
	return n
}

var (
	_ Conn     = (*Port)(nil)
	_ Notifier = (*Port)(nil)
)
