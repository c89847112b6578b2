package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pktsh/engine"
)

// taker is a Conn that notes what is written to it, up to room frames at once.
type taker struct {
	engine.Conn
	link   engine.LinkType
	room   int
	refuse map[string]error
	got    []string
}

func (s *taker) Name() string              { return "sink" }
func (s *taker) LinkType() engine.LinkType { return s.link }
func (s *taker) TryWrite(frames [][]byte) (int, error) {
	for i, f := range frames {
		if err := s.refuse[string(f)]; err != nil {
			return i, err
		}
		if s.room == 0 {
			return i, nil
		}
		s.room--
		s.got = append(s.got, string(f))
	}
	return len(frames), nil
}

// capture is a file of frames named a, b, c … at the given times in seconds;
// one with a negative time has none.
func capture(t testing.TB, times ...float64) func() (engine.Conn, error) {
	var fs []engine.Frame
	for i, at := range times {
		fs = append(fs, engine.Frame{Data: []byte{byte('a' + i)}, Len: 1, Link: engine.LinkRaw, Time: time.Unix(1700000000, 0).Add(time.Duration(at * 1e9))})
	}
	file := written(t, engine.PcapWriterConfig{File: "x.pcapng", LinkType: engine.LinkRaw}, fs...)
	return func() (engine.Conn, error) { return engine.OpenPcap(realEnv(), engine.PcapConfig{File: file}) }
}

// schedule runs a Replayer in made-up time and says what went out when.
func schedule(t *testing.T, open func() (engine.Conn, error), dst *taker, o engine.ReplayOptions) (string, engine.ReplayResult, error) {
	t.Helper()
	src, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if o.Loop > 1 {
		o.Again = open
	}
	r, err := engine.NewReplayer(src, dst, o)
	if err != nil {
		return "", engine.ReplayResult{}, err
	}
	defer r.Close()
	var out strings.Builder
	now := time.Duration(0)
	for !r.Done() {
		sent, wait, err := r.Step(now)
		if err != nil {
			return out.String(), r.Result(now), err
		}
		if len(sent) > 0 {
			fmt.Fprintf(&out, "%v:", now.Round(time.Microsecond).Seconds())
			for _, b := range sent {
				out.Write(b)
			}
			out.WriteByte(' ')
		}
		switch {
		case wait > 0:
			now += wait
		case wait == engine.ForRoom:
			dst.room++
			now += time.Millisecond
		case wait == engine.ForFrames:
			t.Fatal("a file has frames, or ends")
		}
	}
	return strings.TrimSpace(out.String()), r.Result(now), nil
}

func TestReplaySchedule(t *testing.T) {
	for _, c := range []struct {
		name  string
		times []float64
		o     engine.ReplayOptions
		want  string
	}{
		{"as it was", []float64{5, 5.25, 5.25, 7}, engine.ReplayOptions{}, "0:a 0.25:bc 2:d"},
		{"faster", []float64{0, 1, 4}, engine.ReplayOptions{Speed: 4}, "0:a 0.25:b 1:c"},
		{"slower", []float64{0, 1}, engine.ReplayOptions{Speed: 0.5}, "0:a 2:b"},
		{"as fast as it goes", []float64{0, 1, 4}, engine.ReplayOptions{Speed: math.Inf(1)}, "0:abc"},
		{"at a rate", []float64{0, 1, 4, 5, 6}, engine.ReplayOptions{Rate: 4}, "0:a 0.25:b 0.5:c 0.75:d 1:e"},
		{"out of order", []float64{2, 1, 3}, engine.ReplayOptions{}, "0:ab 1:c"},
		{"over and over, a pass begins where the next frame would be", []float64{0, 1, 2}, engine.ReplayOptions{Loop: 3}, "0:a 1:b 2:c 3:a 4:b 5:c 6:a 7:b 8:c"},
		{"one frame over and over", []float64{3}, engine.ReplayOptions{Loop: 2}, "0:a 0:a"},
		{"at a rate over and over", []float64{0, 9}, engine.ReplayOptions{Loop: 2, Rate: 1}, "0:a 1:b 2:a 3:b"},
		{"a limit", []float64{0, 0, 0, 1}, engine.ReplayOptions{Loop: 2, Limit: 6}, "0:abc 1:d 1.333333:ab"},
		{"no pause is longer", []float64{0, 1000, 1001, 2000}, engine.ReplayOptions{Gap: 2 * time.Second}, "0:a 2:b 3:c 5:d"},
		{"a filter leaves the rest its time", []float64{0, 1, 2, 3}, engine.ReplayOptions{Filter: func(f *engine.Frame) bool { return f.Data[0] != 'a' && f.Data[0] != 'c' }}, "0:b 2:d"},
		{"nothing passes, however often", []float64{0, 1}, engine.ReplayOptions{Loop: 1000000, Filter: func(f *engine.Frame) bool { return false }}, ""},
		{"nothing", nil, engine.ReplayOptions{Loop: 1000000}, ""},
	} {
		dst := &taker{link: engine.LinkRaw, room: 1000}
		got, res, err := schedule(t, capture(t, c.times...), dst, c.o)
		if err != nil || got != c.want {
			t.Errorf("%s: %s, want %s (%v)", c.name, got, c.want, err)
		}
		if res.Late.Max != 0 || res.Jitter.Max != 0 || int(res.Frames) != len(dst.got) || res.Errors != 0 {
			t.Errorf("%s: %+v", c.name, res)
		}
	}
}

// A Conn without room makes frames late, and the schedule stays what it was.
func TestReplayLateness(t *testing.T) {
	dst := &taker{link: engine.LinkRaw, room: 1}
	got, res, err := schedule(t, capture(t, 0, 0.010, 0.0105, 0.030), dst, engine.ReplayOptions{})
	if want := "0:a 0.011:b 0.012:c 0.031:d"; got != want || err != nil {
		t.Errorf("%s, want %s (%v)", got, want, err)
	}
	want := engine.Spread{Mean: 0.003500 / 4, Max: 0.0015}
	if l := res.Late; math.Abs(l.Mean-want.Mean) > 1e-9 || l.Max != want.Max || math.Abs(l.P50-0.001) > 0.00007 || l.P99 > l.Max || l.P99 < 0.0014 {
		t.Errorf("%+v", l)
	}
	if j := res.Jitter; j.Max != 0.001 || math.Abs(j.Mean-0.002/3) > 1e-9 {
		t.Errorf("%+v", j)
	}
	if res.Seconds != 0.031 || res.Frames != 4 || res.Octets != 4 {
		t.Errorf("%+v", res)
	}
}

// A frame that is refused is counted; a Conn that is gone ends it.
func TestReplayErrors(t *testing.T) {
	big := &engine.OpError{Op: "write", Conn: "sink", Err: errRange{}}
	dst := &taker{link: engine.LinkRaw, room: 100, refuse: map[string]error{"b": big, "d": big}}
	got, res, err := schedule(t, capture(t, 0, 0, 0, 1, 1), dst, engine.ReplayOptions{})
	if got != "0:a 0:c 1:e" || err != nil || res.Errors != 2 || res.Frames != 3 || res.Error != big.Error() {
		t.Errorf("%s, %+v, %v", got, res, err)
	}
	dst = &taker{link: engine.LinkRaw, room: 100, refuse: map[string]error{"c": &engine.OpError{Op: "write", Conn: "sink", Err: net.ErrClosed}}}
	if got, _, err := schedule(t, capture(t, 0, 0, 1), dst, engine.ReplayOptions{}); got != "0:ab " || !kindIs(err, "closed") || !strings.Contains(err.Error(), "(2 frames went out)") {
		t.Errorf("%s, %v", got, err)
	}
	for _, o := range []engine.ReplayOptions{{Speed: -1}, {Speed: math.NaN()}, {Rate: -1}, {Rate: math.Inf(1)}, {Rate: 1e-9}, {Loop: -1}, {Gap: -1}} {
		if _, _, err := schedule(t, capture(t, 0), dst, o); !kindIs(err, "argument") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, _, err := schedule(t, capture(t, 0), &taker{link: engine.LinkEthernet}, engine.ReplayOptions{}); !kindIs(err, "argument") || !strings.Contains(err.Error(), "are raw, and sink carries ethernet") {
		t.Error(err)
	}
	// A file that breaks off.
	file := written(t, engine.PcapWriterConfig{File: "x.pcap", LinkType: engine.LinkRaw}, engine.Frame{Data: []byte("a"), Len: 1, Link: engine.LinkRaw, Time: time.Unix(1, 0)})
	cut(t, file)
	if _, _, err := schedule(t, func() (engine.Conn, error) { return engine.OpenPcap(realEnv(), engine.PcapConfig{File: file}) }, dst, engine.ReplayOptions{}); !kindIs(err, "truncated") {
		t.Error(err)
	}
}

type errRange struct{}

func (errRange) Error() string { return "too long" }
func (errRange) Kind() string  { return "range" }

// Other link types of a file that mixes them are counted.
func TestReplayMixedLinkTypes(t *testing.T) {
	at := time.Unix(1, 0)
	file := written(t, engine.PcapWriterConfig{File: filepath.Join(t.TempDir(), "x.pcapng"), LinkType: engine.LinkRaw},
		engine.Frame{Data: []byte("a"), Link: engine.LinkRaw, Time: at}, engine.Frame{Data: []byte("b"), Link: engine.LinkEthernet, Time: at},
		engine.Frame{Data: []byte("c"), Len: 5, Link: engine.LinkIPv4, Time: at})
	dst := &taker{link: engine.LinkRaw, room: 9}
	got, res, err := schedule(t, func() (engine.Conn, error) { return engine.OpenPcap(realEnv(), engine.PcapConfig{File: file}) }, dst, engine.ReplayOptions{})
	if got != "0:a 0:c" || err != nil || res.Errors != 1 || res.Truncated != 1 || !strings.Contains(res.Error, "link type ethernet") {
		t.Errorf("%s, %+v, %v", got, res, err)
	}
}

// In real time it takes as long as the capture did, and can be ended.
func TestReplayRealTime(t *testing.T) {
	open := capture(t, 0, 0.001, 0.004, 0.020, 100)
	src, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst := &taker{link: engine.LinkRaw, room: 100}
	r, err := engine.NewReplayer(src, dst, engine.ReplayOptions{Limit: 4})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	res, err := engine.Replay(t.Context(), r)
	if took := time.Since(start); err != nil || res.Frames != 4 || took < 20*time.Millisecond || res.Late.Max > took.Seconds() {
		t.Errorf("%v: %+v, %v", took, res, err)
	}
	if rest := r.Rest(); len(rest) != 1 || string(rest[0].Data) != "e" {
		t.Errorf("left: %+v", rest)
	}
	again, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if r, err = engine.NewReplayer(again, dst, engine.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if res, err := engine.Replay(ctx, r); !errors.Is(err, context.DeadlineExceeded) || res.Frames != 4 {
		t.Errorf("%+v, %v", res, err)
	}
}

// A long capture of which nothing is to be sent neither holds up others nor
// outlives its task.
func TestReplayOfNothingTakesTurns(t *testing.T) {
	const frames = 20000
	fs := make([]engine.Frame, frames)
	for i := range fs {
		fs[i] = engine.Frame{Data: []byte("x"), Len: 1, Link: engine.LinkRaw}
	}
	fs[frames-1].Data = []byte("last")
	fs[frames-1].Len = 4
	file := written(t, engine.PcapWriterConfig{File: "x.pcap", LinkType: engine.LinkRaw}, fs...)
	src, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: file})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ctx, cancel := context.WithCancel(t.Context())
	seen := 0
	dst := &taker{link: engine.LinkRaw, room: 1}
	r, err := engine.NewReplayer(src, dst, engine.ReplayOptions{Filter: func(f *engine.Frame) bool {
		seen++
		cancel()
		return len(f.Data) > 1
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Replay(ctx, r); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if seen == 0 || seen > frames/2 {
		t.Errorf("%d of %d frames were looked at once it was cancelled", seen, frames)
	}
	res, err := engine.Replay(t.Context(), r) // it goes on where it was
	if err != nil || res.Frames != 1 || res.Filtered != frames-1 || dst.got[0] != "last" {
		t.Errorf("%v, %+v", err, res)
	}
}
