package engine_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"pktsh/engine"
)

// sink takes frames, at most room at once, and remembers them.
type sink struct {
	engine.Conn
	room  int
	calls int
	got   [][]byte
}

func (s *sink) TryWrite(fs [][]byte) (int, error) {
	s.calls++
	n := len(fs)
	if s.room > 0 {
		n = min(n, s.room)
	}
	s.got = append(s.got, fs[:n]...)
	return n, nil
}

func TestSenderRepeatsTheListInOrder(t *testing.T) {
	for _, size := range []int{1, 2, 3, 255, 256, 257, 1000} {
		for _, count := range []int{0, 1, size - 1, size, size + 1, 3*size + 2, 5000} {
			for _, room := range []int{0, 1, 7} {
				list := make([][]byte, size)
				for i := range list {
					list[i] = frame(i, 20)
				}
				c := &sink{room: room}
				s, err := engine.NewSender(c, list, engine.SendOptions{Count: count})
				if err != nil {
					t.Fatal(err)
				}
				want := count
				if count == 0 {
					want = size
				}
				for !s.Done() {
					if _, wait, err := s.Step(0); wait != 0 || err != nil {
						t.Fatal(wait, err)
					}
				}
				if len(c.got) != want || s.Result(time.Second).Sent != uint64(want) || s.Result(time.Second).Octets != uint64(20*want) {
					t.Fatalf("%d frames, %d times, room %d: %d came, %+v", size, count, room, len(c.got), s.Result(time.Second))
				}
				for i, f := range c.got {
					if !bytes.Equal(f, list[i%size]) {
						t.Fatalf("%d frames, %d times: frame %d is wrong", size, count, i)
					}
				}
			}
		}
	}
}

// Whenever somebody looks, exactly the frames are out that are due.
func TestSenderKeepsAnAbsoluteSchedule(t *testing.T) {
	for _, rate := range []float64{1e-6, 0.3, 1, 3, 7, 1000, 1e6, 14880952.38, 1e12} {
		c := &sink{}
		s, err := engine.NewSender(c, [][]byte{frame(0, 20)}, engine.SendOptions{Count: 3000, Rate: rate})
		if err != nil {
			t.Fatal(err)
		}
		at := time.Duration(0)
		for i := 0; !s.Done(); i++ {
			sent, wait, err := s.Step(at)
			if err != nil {
				t.Fatal(err)
			}
			if wait < 0 || wait > 0 && len(sent) > 0 || wait == 0 && len(sent) == 0 {
				t.Fatalf("rate %v at %v: %d sent, wait %v", rate, at, len(sent), wait)
			}
			if wait > 0 {
				due := math.Floor(at.Seconds()*rate) + 1
				if math.Abs(float64(len(c.got))-due) > 1 {
					t.Fatalf("rate %v at %v: %d are out, %v are due", rate, at, len(c.got), due)
				}
				if i%5 == 4 {
					wait *= 3 // late
				}
				at += wait
			}
			if i > 100_000 {
				t.Fatal("it does not end")
			}
		}
		if r := s.Result(at); rate < 1e6 && math.Abs(r.Rate/rate-1) > 0.01 {
			t.Errorf("rate %v: reached %v", rate, r.Rate)
		}
	}
}

func TestSenderRefuses(t *testing.T) {
	f := [][]byte{frame(0, 60)}
	for _, o := range []engine.SendOptions{{Count: -1}, {Rate: -1}, {Rate: math.NaN()}, {Rate: math.Inf(1)}, {Rate: 1e-9}} {
		if _, err := engine.NewSender(&sink{}, f, o); !kindIs(err, "argument") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := engine.NewSender(&sink{}, nil, engine.SendOptions{}); !kindIs(err, "argument") {
		t.Errorf("%v", err)
	}
}

func TestSendMany(t *testing.T) {
	for _, m := range append([]medium{memoryLAN()}, kernelMedia(t)...) {
		t.Run(m.name, func(t *testing.T) { sendMany(t, m) })
	}
}

// sendMany is what holds for SendMany on any connector.
func sendMany(t *testing.T, m medium) {
	from, to := m.pair(t)
	r := to()
	list := [][]byte{frame(0, 60), frame(1, 61), frame(2, 62)}
	res, err := engine.SendMany(t.Context(), from, list, engine.SendOptions{Count: 200})
	if err != nil || res.Sent != 200 || res.Rate <= 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	for i, f := range collect(t, r, 200, 64) {
		if !bytes.Equal(f.Data, list[i%3]) {
			t.Fatalf("frame %d is wrong", i)
		}
	}
	// The rate is kept; the machine may be busy, so the best of a few.
	best := math.Inf(1)
	for range 5 {
		res, err := engine.SendMany(t.Context(), from, list, engine.SendOptions{Count: 101, Rate: 2000})
		if err != nil || res.Sent != 101 {
			t.Fatalf("%+v, %v", res, err)
		}
		best = min(best, math.Abs(res.Rate/2000-1))
	}
	if best > 0.05 {
		t.Errorf("the rate is %.0f %% off", best*100)
	}
	drain(t, r)

	_, err = engine.SendMany(t.Context(), from, [][]byte{list[0], make([]byte, m.max+1)}, engine.SendOptions{})
	if !kindIs(err, "range") || !strings.Contains(err.Error(), "1 of 2 frames") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	res, err = engine.SendMany(ctx, from, list, engine.SendOptions{Count: 1 << 40, Rate: 100})
	if !errors.Is(err, context.Canceled) || res.Sent == 0 || res.Sent > 100 {
		t.Errorf("cancelled: %+v, %v", res, err)
	}
	time.AfterFunc(20*time.Millisecond, func() { from.Close() })
	_, err = engine.SendMany(t.Context(), from, list, engine.SendOptions{Count: 1 << 40})
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	close2(t, from)
	close2(t, r)
}

func TestSendManyIsConcurrentWithReading(t *testing.T) {
	m := memoryLAN()
	if k := kernelMedia(t); len(k) > 0 {
		m = k[slices.IndexFunc(k, func(m medium) bool { return m.name == "mcast" })]
	}
	from, to := m.pair(t)
	r := to()
	go func() {
		fs := make([]engine.Frame, 64)
		for {
			if _, err := engine.Read(context.Background(), from, fs); err != nil {
				return
			}
		}
	}()
	if _, err := engine.SendMany(t.Context(), from, [][]byte{frame(1, 60)}, engine.SendOptions{Count: 5000}); err != nil {
		t.Fatal(err)
	}
	close2(t, from)
	close2(t, r)
}
