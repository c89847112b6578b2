package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"net"
	"syscall"
	"time"
)

// ReplayOptions say how the frames of a capture are sent again.
type ReplayOptions struct {
	Speed  float64           // times the capture's own; 0 is 1, +Inf as fast as the Conn takes them
	Rate   float64           // frames per second, whatever their times (0: as their times say)
	Loop   int               // how often in all (0: once)
	Limit  uint64            // frames to send at most (0: all)
	Gap    time.Duration     // the longest pause between two frames (0: as their times say)
	Filter func(*Frame) bool // frames that are sent (nil: all)

	// Again opens the source anew for a further pass.
	Again func() (Conn, error)
	// First are frames that were taken from the source before. They may lie in
	// its buffer.
	First []Frame
}

// ReplayResult is what a Replayer has done.
type ReplayResult struct {
	Frames, Octets uint64 // sent
	Seconds        float64
	Rate           float64 // frames per second; 0 when no time has passed
	Passes         int     // how often the source was begun
	Filtered       uint64  // frames that did not pass the filter
	Truncated      uint64  // of those sent: were cut off in the capture, and went out so
	Errors         uint64  // frames that the Conn refused
	Error          string  // why the first one was refused
	Late           Spread  // behind the schedule, when the frame was handed over
	Jitter         Spread  // how much that changed from one frame to the next
}

// Spread describes many times, in seconds. Percentiles are exact to 7 %.
type Spread struct{ Mean, P50, P90, P99, Max float64 }

// Replayer sends the frames of a source at the times they have there, or
// faster, slower, or at a rate. As a Sender it holds neither a clock nor a
// goroutine, and its schedule is absolute: a frame that is late does not delay
// the next.
type Replayer struct {
	src, dst Conn
	o        ReplayOptions
	timed    bool

	batch   []Frame
	due     []time.Duration // of the frames of batch
	at, n   int
	octets  [][]byte
	scanned int // frames of batch before it have a place in the schedule

	pass     int           // number of this pass through the source
	offset   time.Duration // when this pass began
	first    time.Time     // the time in the source that is due then
	begun    bool          // first is known
	prev     time.Time     // of the frame before
	lastDue  time.Duration
	passed   uint64 // frames of this pass that are to be sent
	planned  uint64 // frames that have a place in the schedule
	ended    bool
	own      bool // src is ours to close
	res      ReplayResult
	late     histogram
	jitter   histogram
	lastLate time.Duration
	measured bool
}

// What Step waits for when it is not the time.
const (
	ForRoom   time.Duration = -1 // until the Conn can be written to
	ForFrames time.Duration = -2 // until the source can be read
)

// replayBatch is how many frames are looked at ahead.
const replayBatch = 256

// NewReplayer prepares to send what src holds to dst. src belongs to the
// Replayer until it is done.
func NewReplayer(src, dst Conn, o ReplayOptions) (*Replayer, error) {
	switch {
	case o.Speed == 0:
		o.Speed = 1
	case !(o.Speed > 0):
		return nil, argument("speed: want more than 0 times that of the capture, got %v", o.Speed)
	}
	switch {
	case !(o.Rate >= 0) || math.IsInf(o.Rate, 1):
		return nil, argument("rate: want a number of frames per second, got %v", o.Rate)
	case o.Rate > 0 && o.Rate < 1e-6:
		return nil, argument("rate: want at least one frame in 1,000,000 s, got %v", o.Rate)
	case o.Loop < 0:
		return nil, argument("loop: want 1 or more, got %d", o.Loop)
	case o.Loop > 1 && o.Again == nil:
		return nil, argument("loop: %s can be read only once", src.Name())
	case o.Gap < 0:
		return nil, argument("gap: want 0 or more seconds, got %v", o.Gap.Seconds())
	}
	if s, d := src.LinkType(), dst.LinkType(); !Carries(d, s) {
		return nil, argument("the frames of %s are %s, and %s carries %s", src.Name(), s, dst.Name(), d)
	}
	r := &Replayer{src: src, dst: dst, o: o, pass: 1, octets: make([][]byte, 0, replayBatch)}
	r.timed = o.Rate > 0 || !math.IsInf(o.Speed, 1)
	r.batch = make([]Frame, max(replayBatch, len(o.First)))
	r.n = copy(r.batch, o.First)
	r.due = make([]time.Duration, len(r.batch))
	r.res.Passes = 1
	return r, nil
}

// Carries reports whether a Conn of link type dst can send frames of link type
// src: the same, IP as IP, and anything where nothing is known of frames.
func Carries(dst, src LinkType) bool {
	ip := func(l LinkType) bool { return l == LinkRaw || l == LinkIPv4 || l == LinkIPv6 }
	return dst == src || dst == LinkUser0 || ip(dst) && ip(src)
}

// Done reports whether there is nothing more to send.
func (r *Replayer) Done() bool { return r.ended }

// plan gives the frame its place in the schedule.
func (r *Replayer) plan(f *Frame) time.Duration {
	defer func() { r.planned++; r.passed++ }()
	switch {
	case !r.timed:
		return 0
	case r.o.Rate > 0:
		return clampDue(math.Ceil(float64(r.planned) / r.o.Rate * 1e9))
	}
	at := f.Time
	if at.IsZero() { // nobody knows: with the one before
		at = r.prev
	}
	switch {
	case !r.begun:
		r.begun, r.first, r.prev = true, at, at
	case r.o.Gap > 0 && at.Sub(r.prev) > r.o.Gap:
		r.first = r.first.Add(at.Sub(r.prev) - r.o.Gap)
	}
	r.prev = at
	due := r.offset + clampDue(float64(at.Sub(r.first))/r.o.Speed)
	if due < r.lastDue { // its time is before that of an earlier one
		due = r.lastDue
	}
	r.lastDue = due
	return due
}

func clampDue(ns float64) time.Duration {
	if ns > math.MaxInt64/4 {
		return math.MaxInt64 / 4
	}
	return time.Duration(ns)
}

// scanTurn is how many batches in a row may hold nothing that is to be sent before
// others have a turn, and a cancelled replay its end.
const scanTurn = 16

// errTurn is what fill says then.
var errTurn = errors.New("nothing yet")

// fill looks for the next frame; false with a nil error means that the source
// has none now.
func (r *Replayer) fill() (bool, error) {
	for turn := 0; ; turn++ {
		for r.at < r.n {
			f := &r.batch[r.at]
			if r.at >= r.scanned {
				r.scanned = r.at + 1
				if r.o.Filter != nil && !r.o.Filter(f) {
					r.res.Filtered++
					r.at++
					continue
				}
				if !Carries(r.dst.LinkType(), f.Link) {
					r.refused(argument("a frame of link type %s, and %s carries %s", f.Link, r.dst.Name(), r.dst.LinkType()))
					r.at++
					continue
				}
				r.due[r.at] = r.plan(f)
			}
			return true, nil
		}
		if turn == scanTurn {
			return false, errTurn
		}
		n, err := r.src.TryRead(r.batch)
		r.at, r.n, r.scanned = 0, n, 0
		switch {
		case n > 0:
		case err == io.EOF:
			if err := r.again(); err != nil || r.ended {
				return false, err
			}
		default:
			return false, err
		}
	}
}

// again begins the next pass, or ends.
func (r *Replayer) again() error {
	if r.pass >= r.o.Loop || r.passed == 0 {
		r.ended = true
		return nil
	}
	// A capture says nothing of the time behind its last frame: take what lies
	// between two of them.
	gap := time.Duration(0)
	if r.passed > 1 {
		gap = (r.lastDue - r.offset) / time.Duration(r.passed-1)
	}
	r.offset = r.lastDue + gap
	r.begun, r.passed = false, 0
	src, err := r.o.Again()
	if err != nil {
		return err
	}
	if r.own {
		r.src.Close()
	}
	r.src, r.own = src, true
	r.pass++
	r.res.Passes = r.pass
	return nil
}

func (r *Replayer) refused(err error) {
	if r.res.Errors++; r.res.Errors == 1 {
		r.res.Error = err.Error()
	}
}

// Step sends what is due once so much time has passed and returns the frames
// that went out. If none did, wait is how long until the next is due, or
// ForRoom, or ForFrames; 0 means that Step has looked long enough for now. A frame that the Conn refuses is counted; an error is
// one that ends it all.
func (r *Replayer) Step(elapsed time.Duration) (sent [][]byte, wait time.Duration, err error) {
	if r.ended {
		return nil, 0, nil
	}
	ok, err := r.fill()
	switch {
	case err == errTurn:
		return nil, 0, nil
	case err != nil:
		return nil, 0, r.so(err)
	case r.ended:
		return nil, 0, nil
	case !ok:
		return nil, ForFrames, nil
	}
	if due := r.due[r.at]; r.timed && due > elapsed {
		return nil, due - elapsed, nil
	}
	// All that is due and lies in a row.
	start := r.at
	r.octets = r.octets[:0]
	for r.at < r.n && len(r.octets) < replayBatch && (r.o.Limit == 0 || r.res.Frames+uint64(len(r.octets)) < r.o.Limit) {
		if r.at >= r.scanned {
			f := &r.batch[r.at]
			if r.o.Filter != nil && !r.o.Filter(f) || !Carries(r.dst.LinkType(), f.Link) {
				break // the next Step counts it
			}
			r.due[r.at] = r.plan(f)
			r.scanned = r.at + 1
		}
		if r.timed && r.due[r.at] > elapsed {
			break
		}
		r.octets = append(r.octets, r.batch[r.at].Data)
		r.at++
	}
	n, err := r.dst.TryWrite(r.octets)
	r.at = start + n
	sent = r.octets[:n]
	for i, b := range sent {
		r.res.Octets += uint64(len(b))
		if r.batch[start+i].Truncated() {
			r.res.Truncated++
		}
		if r.timed {
			r.measure(elapsed - r.due[start+i])
		}
	}
	r.res.Frames += uint64(n)
	if n > 0 {
		r.res.Seconds = elapsed.Seconds()
	}
	switch {
	case err != nil && notTheFrame(err):
		return sent, 0, r.so(err)
	case err != nil:
		r.refused(err)
		r.at++
	case n == 0:
		return nil, ForRoom, nil
	}
	if r.o.Limit > 0 && r.res.Frames >= r.o.Limit {
		r.ended = true
	}
	return sent, 0, nil
}

// notTheFrame reports whether an error means that the next frame will not fare
// better.
func notTheFrame(err error) bool {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENETDOWN) || errors.Is(err, syscall.ENXIO) {
		return true
	}
	var k interface{ Kind() string }
	if errors.As(err, &k) && (k.Kind() == "range" || k.Kind() == "argument") {
		return false
	}
	return !errors.Is(err, syscall.EMSGSIZE) && !errors.Is(err, syscall.EINVAL)
}

func (r *Replayer) so(err error) error {
	return fmt.Errorf("%w (%d frames went out)", err, r.res.Frames)
}

// measure notes how late a frame was.
func (r *Replayer) measure(late time.Duration) {
	late = max(0, late)
	r.late.add(late)
	if r.measured {
		r.jitter.add((late - r.lastLate).Abs())
	}
	r.measured, r.lastLate = true, late
}

// Rest are frames that were taken from the source and not sent.
func (r *Replayer) Rest() []Frame { return r.batch[r.at:r.n] }

// Close gives back what it has opened itself.
func (r *Replayer) Close() {
	if r.own {
		r.src.Close()
	}
}

// Source is what it reads now.
func (r *Replayer) Source() Conn { return r.src }

// Result is what was done so far; elapsed is the time since the first step.
func (r *Replayer) Result(elapsed time.Duration) ReplayResult {
	res := r.res
	gaps := float64(res.Frames)
	if r.timed {
		gaps--
	} else {
		res.Seconds = elapsed.Seconds()
	}
	if res.Seconds > 0 && gaps > 0 {
		res.Rate = gaps / res.Seconds
	}
	res.Late, res.Jitter = r.late.spread(), r.jitter.spread()
	return res
}

// Replay runs a Replayer in real time until it is done, fails, or ctx ends.
func Replay(ctx context.Context, r *Replayer) (ReplayResult, error) {
	if r.timed {
		defer exactTimers()()
	}
	start := time.Now()
	for !r.Done() {
		if err := ctx.Err(); err != nil {
			return r.Result(time.Since(start)), r.so(err)
		}
		_, wait, err := r.Step(time.Since(start))
		switch {
		case err != nil:
		case wait > 0:
			pauseUntil(ctx, start, time.Since(start)+wait)
		case wait == ForRoom:
			err = r.dst.Wait(ctx, WriteReady)
		case wait == ForFrames:
			err = r.src.Wait(ctx, ReadReady)
		}
		if err != nil {
			return r.Result(time.Since(start)), err
		}
	}
	return r.Result(time.Since(start)), nil
}

// How the last moments before a frame is due are spent: below naps the kernel's
// timer is asked, below spins nobody is, because waking up takes that long.
const (
	naps  = 2 * time.Millisecond
	spins = 60 * time.Microsecond
)

// pauseUntil waits until so much time has passed since start, or ctx ends.
func pauseUntil(ctx context.Context, start time.Time, due time.Duration) {
	for {
		left := due - time.Since(start)
		switch {
		case left <= 0:
			return
		case left > naps:
			t := time.NewTimer(left - naps/2)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return
			}
		case left > spins:
			nap(left - spins)
		}
	}
}

// histogram counts times by their size: sixteen steps for each power of two.
type histogram struct {
	counts [60 * 16]uint64
	n      uint64
	sum    float64
	most   time.Duration
}

func (h *histogram) add(d time.Duration) {
	v := uint64(max(0, d))
	i := v
	if v >= 32 {
		e := bits.Len64(v) - 5
		i = uint64(e)<<4 + v>>e
	}
	h.counts[min(i, uint64(len(h.counts)-1))]++
	h.n++
	h.sum += float64(v)
	h.most = max(h.most, d)
}

// at is the time that a share of all does not exceed.
func (h *histogram) at(share float64) float64 {
	left := uint64(math.Ceil(share * float64(h.n)))
	for i, c := range h.counts {
		if left > c {
			left -= c
			continue
		}
		v := uint64(i)
		if i >= 32 {
			e := i>>4 - 1
			v = (uint64(i) - uint64(e)<<4 + 1) << e
			v--
		}
		return min(float64(v), float64(h.most)) / 1e9
	}
	return h.most.Seconds()
}

func (h *histogram) spread() Spread {
	if h.n == 0 {
		return Spread{}
	}
	return Spread{Mean: h.sum / float64(h.n) / 1e9, P50: h.at(0.5), P90: h.at(0.9), P99: h.at(0.99), Max: h.most.Seconds()}
}
