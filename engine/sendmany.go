package engine

import (
	"context"
	"fmt"
	"math"
	"time"
)

// SendOptions say how often and how fast a Sender sends.
type SendOptions struct {
	Count int     // frames in all, the list over and over (0: the list once)
	Rate  float64 // frames per second (0: as fast as the Conn takes them)
}

// SendResult is what a Sender has done.
type SendResult struct {
	Sent    uint64
	Octets  uint64
	Seconds float64 // from the first frame to the last
	Rate    float64 // frames per second that were reached; 0 when no time has passed
}

// Sender sends a list of frames, again and again, at a rate. It holds neither a
// clock nor a goroutine: its caller tells it how much time has passed and does
// the waiting, so that it works in real and in virtual time.
//
// The schedule is absolute: frame i is due i/rate after the first, however long
// the sending of others took, so that no error adds up.
type Sender struct {
	conn  Conn
	list  [][]byte // the frames, and then again from the first on for a batch more
	n     int      // frames before they repeat
	at    int      // the next of them
	count int
	rate  float64

	sent   int
	octets uint64
	last   time.Duration // when the last ones went out
}

// sendBatch is how many frames a step hands to the Conn at once.
const sendBatch = 256

// maxCount keeps the arithmetic of the schedule exact.
const maxCount = 1 << 53

// NewSender prepares to send frames, which must not change until it is done.
func NewSender(c Conn, frames [][]byte, o SendOptions) (*Sender, error) {
	switch {
	case len(frames) == 0:
		return nil, argument("want at least one frame")
	case o.Count < 0 || o.Count > maxCount:
		return nil, argument("count: want 0 or more frames, got %d", o.Count)
	case !(o.Rate >= 0) || math.IsInf(o.Rate, 1):
		return nil, argument("rate: want a number of frames per second, got %v", o.Rate)
	case o.Rate > 0 && o.Rate < 1e-6:
		return nil, argument("rate: want at least one frame in 1,000,000 s, got %v", o.Rate)
	}
	s := &Sender{conn: c, n: len(frames), count: o.Count, rate: o.Rate}
	if s.count == 0 {
		s.count = len(frames)
	}
	extra := min(s.count, sendBatch)
	s.list = append(make([][]byte, 0, s.n+extra), frames...)
	for i := range extra {
		s.list = append(s.list, frames[i%s.n])
	}
	return s, nil
}

// Done reports whether all frames are sent.
func (s *Sender) Done() bool { return s.sent >= s.count }

// due is when frame i is to be sent, counted from the first.
func (s *Sender) due(i int) time.Duration {
	ns := math.Ceil(float64(i) / s.rate * 1e9)
	if ns > math.MaxInt64/2 {
		return math.MaxInt64 / 2
	}
	return time.Duration(ns)
}

// Step sends what is due once so much time has passed, at most a batch, and
// returns the frames that went out. If none did, wait is how long until the
// next is due; a wait of zero then means that the Conn has no room now.
func (s *Sender) Step(elapsed time.Duration) (sent [][]byte, wait time.Duration, err error) {
	n := min(s.count-s.sent, sendBatch)
	if s.rate > 0 {
		// An estimate, and then exactly what due says, whatever the rounding.
		k := s.sent + int(min(max(0, elapsed.Seconds()*s.rate-float64(s.sent)), float64(n)))
		for k < s.sent+n && s.due(k) <= elapsed {
			k++
		}
		for k > s.sent && s.due(k-1) > elapsed {
			k--
		}
		if n = k - s.sent; n == 0 {
			return nil, s.due(s.sent) - elapsed, nil
		}
	}
	k, err := s.conn.TryWrite(s.list[s.at : s.at+n])
	if k > 0 {
		sent = s.list[s.at : s.at+k]
		for _, f := range sent {
			s.octets += uint64(len(f))
		}
		s.sent += k
		s.at = (s.at + k) % s.n
		s.last = elapsed
	}
	if err != nil {
		err = fmt.Errorf("%w (%d of %d frames went out)", err, s.sent, s.count)
	}
	return sent, 0, err
}

// Result is what was done so far; elapsed is the time since the first step.
func (s *Sender) Result(elapsed time.Duration) SendResult {
	r := SendResult{Sent: uint64(s.sent), Octets: s.octets}
	gaps := float64(s.sent)
	if s.rate > 0 { // n frames at a rate are n-1 gaps
		elapsed, gaps = s.last, gaps-1
	}
	r.Seconds = elapsed.Seconds()
	if elapsed > 0 && gaps > 0 {
		r.Rate = gaps / r.Seconds
	}
	return r
}

// SendMany runs a Sender in real time until it is done, fails, or ctx ends.
func SendMany(ctx context.Context, c Conn, frames [][]byte, o SendOptions) (SendResult, error) {
	s, err := NewSender(c, frames, o)
	if err != nil {
		return SendResult{}, err
	}
	start := time.Now()
	for !s.Done() {
		if err := ctx.Err(); err != nil {
			return s.Result(time.Since(start)), fmt.Errorf("%w (%d of %d frames went out)", err, s.sent, s.count)
		}
		sent, wait, err := s.Step(time.Since(start))
		switch {
		case err != nil:
			return s.Result(time.Since(start)), err
		case wait > 0:
			pause(ctx, wait)
		case len(sent) == 0:
			if err := c.Wait(ctx, WriteReady); err != nil {
				return s.Result(time.Since(start)), fmt.Errorf("%w (%d of %d frames went out)", err, s.sent, s.count)
			}
		}
	}
	return s.Result(time.Since(start)), nil
}

// pause waits for d, or until ctx ends. Go's timers are a millisecond late when
// nothing else runs; the last two are left to the kernel.
func pause(ctx context.Context, d time.Duration) {
	const rough = 2 * time.Millisecond
	if d <= rough {
		nap(d)
		return
	}
	t := time.NewTimer(d - rough/2)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
