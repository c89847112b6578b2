package netlink

import (
	"encoding/binary"
	"sync"
	"time"
)

// Queue keeps messages in the order in which they came, packed into slabs: one
// costs its octets and at most recordSize+7 more. It is bounded in octets. What
// it has no room for is counted, and the count is delivered in the place where
// it is missing.
//
// One goroutine at a time puts messages in and one at a time takes them out.
type Queue struct {
	notify func() // told when something comes into an empty queue; any goroutine

	mu     sync.Mutex // guards all but taken
	limit  int
	slabs  []*slab // the last one is being filled
	spare  *slab
	octets int  // in the slabs, and in the one that is being taken
	n      int  // messages, and marks of what was lost
	gap    bool // something has been lost after what is in the slabs
	lost   Lost // how much
	told   bool // notify has been called, and nobody has been told "empty" since
	closed bool

	pushed, dropped uint64
	most            int // octets at most so far

	taken struct {
		slab *slab
		at   int
	}
}

// slab is records, one after another, each aligned to 8 octets.
type slab struct {
	b []byte
}

// A record begins with its length and kind, group, namespace, sender and time.
const (
	recordSize = 24
	lostRecord = 1 << 31
	answerMark = 1 << 30
	minSlab    = 4 << 10
	maxSlab    = 64 << 10
)

// NewQueue makes a queue of at most limit octets. notify may be nil.
func NewQueue(limit int, notify func()) *Queue { return &Queue{limit: limit, notify: notify} }

// Push puts a copy of whole messages at the end. false means that there was no
// room: they are counted as lost.
func (q *Queue) Push(data []byte, r Received, at time.Time) bool {
	q.mu.Lock()
	need := recordSize + align8(len(data))
	mark := 0
	if q.gap {
		mark = recordSize + 24
	}
	if q.octets+need+mark > q.limit || q.closed {
		if !q.closed {
			q.loseLocked(Lost{Queue: countMessages(data), Exact: true})
		}
		q.mu.Unlock()
		return false
	}
	if mark > 0 {
		q.markLocked(at)
	}
	b := q.roomLocked(need)
	head := uint32(len(data))
	if r.Answer {
		head |= answerMark
	}
	putRecord(b, head, r, at)
	copy(b[recordSize:], data)
	q.n++
	q.pushed++
	tell := !q.told
	q.told = true
	q.mu.Unlock()
	if tell && q.notify != nil {
		q.notify()
	}
	return true
}

// Lose notes that messages are missing after those that are in the queue.
func (q *Queue) Lose(l Lost) {
	q.mu.Lock()
	q.loseLocked(l)
	tell := !q.told
	q.told = true
	q.mu.Unlock()
	if tell && q.notify != nil {
		q.notify()
	}
}

func (q *Queue) loseLocked(l Lost) {
	if !q.gap {
		q.gap, q.lost = true, Lost{Exact: true}
	}
	q.lost.Add(l)
	q.dropped += l.Kernel + l.Queue
}

func putRecord(b []byte, head uint32, r Received, at time.Time) {
	binary.NativeEndian.PutUint32(b, head)
	binary.NativeEndian.PutUint32(b[4:], r.Groups)
	binary.NativeEndian.PutUint32(b[8:], uint32(r.NSID))
	binary.NativeEndian.PutUint32(b[12:], r.PID)
	binary.NativeEndian.PutUint64(b[16:], uint64(at.UnixNano()))
}

// markLocked puts what was lost into the stream.
func (q *Queue) markLocked(at time.Time) {
	b := q.roomLocked(recordSize + 24)
	putRecord(b, lostRecord|24, Received{NSID: -1}, at)
	b = b[recordSize:]
	binary.NativeEndian.PutUint64(b, q.lost.Kernel)
	binary.NativeEndian.PutUint64(b[8:], q.lost.Queue)
	b[16] = 0
	if q.lost.Exact {
		b[16] = 1
	}
	q.gap = false
	q.n++
}

// roomLocked is the next n octets of the last slab, or of a new one.
func (q *Queue) roomLocked(n int) []byte {
	q.octets += n
	q.most = max(q.most, q.octets)
	size := minSlab
	if k := len(q.slabs); k > 0 {
		s := q.slabs[k-1]
		if at := len(s.b); cap(s.b)-at >= n {
			s.b = s.b[:at+n]
			return s.b[at:]
		}
		size = min(2*cap(s.b), maxSlab)
	}
	s := q.spare
	q.spare = nil
	if s == nil || cap(s.b) < n {
		s = &slab{make([]byte, 0, max(size, n))}
	}
	s.b = s.b[:n]
	q.slabs = append(q.slabs, s)
	return s.b
}

// Next takes the oldest message. m.Data is valid until the next call. false
// means that the queue is empty; notify will be called when it no longer is.
func (q *Queue) Next(m *Datagram) bool {
	t := &q.taken
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.slab == nil || t.at == len(t.slab.b) {
		if t.slab != nil {
			q.octets -= len(t.slab.b)
			if q.spare == nil && cap(t.slab.b) <= maxSlab {
				q.spare = t.slab
			}
			t.slab = nil
		}
		if len(q.slabs) == 0 {
			if !q.gap {
				q.told = false
				q.spare = nil // an idle queue costs nothing
				return false
			}
			q.markLocked(time.Now())
		}
		t.slab, t.at = q.slabs[0], 0
		q.slabs[0] = nil
		if q.slabs = q.slabs[1:]; len(q.slabs) == 0 {
			q.slabs = nil
		}
	}
	b := t.slab.b[t.at:]
	head := binary.NativeEndian.Uint32(b)
	n := int(head &^ (lostRecord | answerMark))
	*m = Datagram{
		Received: Received{
			Len:    n,
			Groups: binary.NativeEndian.Uint32(b[4:]),
			NSID:   int32(binary.NativeEndian.Uint32(b[8:])),
			PID:    binary.NativeEndian.Uint32(b[12:]),
			Answer: head&answerMark != 0,
		},
		Time: time.Unix(0, int64(binary.NativeEndian.Uint64(b[16:]))),
	}
	data := b[recordSize : recordSize+n : recordSize+n]
	if head&lostRecord != 0 {
		m.Lost = &Lost{
			Kernel: binary.NativeEndian.Uint64(data),
			Queue:  binary.NativeEndian.Uint64(data[8:]),
			Exact:  data[16] != 0,
		}
	} else {
		m.Data = data
	}
	t.at += recordSize + align8(n)
	q.n--
	m.Next = q.n
	return true
}

// Empty reports whether Next would find nothing; then notify will be called when
// it no longer is.
func (q *Queue) Empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n > 0 || q.gap {
		return false
	}
	q.told = false
	return true
}

// QueueStats counts what a queue has done.
type QueueStats struct {
	Messages int    // in it now
	Octets   int    // they take, with all that belongs to them
	Most     int    // the octets at most so far
	Limit    int    // the bound of them
	Pushed   uint64 // datagrams put in
	Lost     uint64 // messages reported as lost
}

// Stats counts what the queue has done.
func (q *Queue) Stats() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return QueueStats{q.n, q.octets, q.most, q.limit, q.pushed, q.dropped}
}

// SetLimit changes the bound.
func (q *Queue) SetLimit(octets int) {
	q.mu.Lock()
	q.limit = octets
	q.mu.Unlock()
}

// Close ends it: what is in it can still be taken, nothing comes in, and notify
// is called once more.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	if q.notify != nil {
		q.notify()
	}
}

func align8(n int) int { return (n + 7) &^ 7 }

// countMessages counts the messages of a datagram; one that is malformed
// counts, too.
func countMessages(b []byte) (n uint64) {
	for msg, rest, _ := Next(b); msg != nil; msg, rest, _ = Next(rest) {
		n++
	}
	return max(n, 1)
}
