package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"pktsh/engine"
	"pktsh/engine/clock"
)

func virtualEnv(seed uint64) *engine.Env {
	return &engine.Env{Clock: clock.NewVirtual(time.Unix(0, 0).UTC()), Rand: rand.New(rand.NewPCG(seed, 0))}
}

// hub makes a LAN with n ports.
func hub(t testing.TB, env *engine.Env, cfg engine.HubConfig, n int) (*engine.Hub, []*engine.Port) {
	t.Helper()
	h, err := engine.NewHub(env, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ports := make([]*engine.Port, n)
	for i := range ports {
		if ports[i], err = h.Port(""); err != nil {
			t.Fatal(err)
		}
	}
	return h, ports
}

// settle runs a virtual clock until nothing is under way.
func settle(env *engine.Env) {
	for {
		at, ok := env.Clock.Next()
		if !ok {
			return
		}
		env.Clock.Advance(at)
		env.Clock.RunDue()
	}
}

// arrived reads the numbers of the frames that lie at a port, and their times.
func arrived(t testing.TB, p *engine.Port) (numbers []int, times []time.Duration) {
	t.Helper()
	fs := make([]engine.Frame, 16)
	for {
		n, err := p.TryRead(fs)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return numbers, times
		}
		for _, f := range fs[:n] {
			numbers = append(numbers, int(binary.BigEndian.Uint32(f.Data[14:])))
			times = append(times, f.Time.Sub(time.Unix(0, 0)))
		}
	}
}

func TestHubDeliversToAllButTheSender(t *testing.T) {
	_, p := hub(t, realEnv(), engine.HubConfig{}, 4)
	send(t, p[1], frame(1, 60), frame(2, 60))
	send(t, p[2], frame(3, 60))
	for i, want := range []string{"[1 2 3]", "[3]", "[1 2]", "[1 2 3]"} {
		if got, _ := arrived(t, p[i]); fmt.Sprint(got) != want {
			t.Errorf("port %d got %v, want %s", i, got, want)
		}
	}
}

func TestHubBoundsQueuesAndCountsDrops(t *testing.T) {
	h, p := hub(t, realEnv(), engine.HubConfig{Queue: 10_000}, 2)
	for i := range 100 {
		send(t, p[0], frame(i, 1000))
	}
	got, _ := arrived(t, p[1])
	s := p[1].Stats()
	if len(got) != 9 || s.RxFrames != 9 || s.Dropped != 91 {
		t.Fatalf("got %d, stats %+v", len(got), s)
	}
	if hs := h.Stats(); hs.Frames != 100 || hs.Delivered != 9 || hs.Dropped != 91 || hs.Octets != 100_000 {
		t.Fatalf("hub %+v", hs)
	}
	send(t, p[0], frame(7, 1000))
	if got, _ := arrived(t, p[1]); fmt.Sprint(got) != "[7]" {
		t.Fatalf("after the overflow: %v", got)
	}
}

// What is under way takes memory, too: a LAN of great latency holds no more of
// it than its queue, and counts the rest.
func TestHubBoundsWhatIsUnderWay(t *testing.T) {
	env := virtualEnv(1)
	h, p := hub(t, env, engine.HubConfig{Latency: time.Hour, Duplicate: 1, Queue: 10_000}, 2)
	f := frame(0, 1000-64) // with its cost 1000
	for range 3 {
		send(t, p[0], f)
	}
	for range 97 {
		send(t, p[0], f)
	}
	if s := h.Stats(); s.Frames != 100 || s.Lost != 90 || s.Delivered != 0 {
		t.Errorf("%+v", s)
	}
	at, ok := env.Clock.Next()
	if !ok {
		t.Fatal("nothing is under way")
	}
	env.Clock.Advance(at)
	env.Clock.RunDue()
	// Each came twice, and the port has room for ten.
	if s, q := h.Stats(), p[1].Stats(); s.Delivered != 10 || s.Dropped != 10 || q.Dropped != 10 {
		t.Errorf("%+v, %+v", s, q)
	}
	send(t, p[0], f, f)
	h.Close()
	if s := h.Stats(); s.Frames != 102 || s.Lost != 92 {
		t.Errorf("%+v", s)
	}
}

func TestHubQueueKeepsOrderUnderAnyPattern(t *testing.T) {
	_, p := hub(t, realEnv(), engine.HubConfig{Queue: 1 << 20}, 2)
	r := rand.New(rand.NewPCG(7, 7))
	var queue [][]byte
	fs := make([]engine.Frame, 64)
	for step := range 20_000 {
		if r.IntN(2) == 0 {
			b := make([][]byte, r.IntN(5))
			for i := range b {
				b[i] = make([]byte, []int{0, 1, 14, 60, 1514, 9000, r.IntN(65536)}[r.IntN(7)])
				binary.PutUvarint(append(b[i], make([]byte, 10)...), uint64(step))
				if len(b[i]) > 0 {
					b[i][0], b[i][len(b[i])-1] = byte(step), byte(step>>8)
				}
			}
			before := p[1].Stats().Dropped
			send(t, p[0], b...)
			if p[1].Stats().Dropped == before {
				for _, f := range b {
					queue = append(queue, bytes.Clone(f))
				}
			} else { // which ones were dropped the next test need not know: start afresh
				for {
					if n, _ := p[1].TryRead(fs); n == 0 {
						break
					}
				}
				queue = nil
			}
			continue
		}
		n, err := p[1].TryRead(fs[:r.IntN(7)])
		if err != nil || n > len(queue) {
			t.Fatalf("%d frames of %d, %v", n, len(queue), err)
		}
		for i, f := range fs[:n] {
			if !bytes.Equal(f.Data, queue[i]) {
				t.Fatalf("step %d: frame %d differs", step, i)
			}
		}
		queue = queue[n:]
	}
}

func TestAMillionFramesLeaveNoGrowth(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	_, p := hub(t, realEnv(), engine.HubConfig{}, 2)
	f := [][]byte{frame(0, 60)}
	fs := make([]engine.Frame, 64)
	round := func(n int) {
		for range n {
			p[0].TryWrite(f)
			p[1].TryRead(fs)
		}
	}
	round(1000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	round(n)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("%d octets were allocated for %d frames", got, n)
	}
	if got := p[1].Stats().RxFrames; got != uint64(n+1000) {
		t.Errorf("%d of %d frames arrived", got, n+1000)
	}
}

func TestHubTakesItsTime(t *testing.T) {
	env := virtualEnv(1)
	// 1000 octets at 1 Mbit/s take 8 ms.
	_, p := hub(t, env, engine.HubConfig{Latency: 5 * time.Millisecond, Bandwidth: 1e6}, 3)
	send(t, p[0], frame(1, 1000), frame(2, 1000))
	if got, _ := arrived(t, p[1]); got != nil {
		t.Fatalf("%v came at once", got)
	}
	settle(env)
	for _, q := range p[1:] {
		got, at := arrived(t, q)
		if fmt.Sprint(got, at) != "[1 2] [13ms 21ms]" {
			t.Fatalf("%v at %v", got, at)
		}
	}
	if got, _ := arrived(t, p[0]); got != nil {
		t.Fatal("an echo")
	}
}

// A medium so slow that no time holds its delay delivers late, never early.
func TestHubOfNoSpeed(t *testing.T) {
	for _, cfg := range []engine.HubConfig{
		{Bandwidth: 1e-300},
		{Bandwidth: 1e-9, Latency: time.Hour},
		{Latency: math.MaxInt64, Reorder: 1},
	} {
		env := virtualEnv(1)
		_, ports := hub(t, env, cfg, 2)
		for range 10 {
			if _, err := ports[0].TryWrite([][]byte{{1}}); err != nil {
				t.Fatal(err)
			}
		}
		env.Clock.Advance(env.Clock.Now().Add(24 * time.Hour))
		env.Clock.RunDue()
		if early, _ := arrived(t, ports[1]); len(early) > 0 {
			t.Errorf("%+v: %d frames within a day", cfg, len(early))
		}
	}
}

func TestHubTakesItsChances(t *testing.T) {
	run := func(seed uint64, cfg engine.HubConfig) ([]int, engine.HubStats) {
		env := virtualEnv(seed)
		h, p := hub(t, env, cfg, 2)
		for i := range 1000 {
			send(t, p[0], frame(i, 60))
			env.Clock.Advance(env.Clock.Now().Add(100 * time.Microsecond))
			env.Clock.RunDue()
		}
		settle(env)
		got, _ := arrived(t, p[1])
		return got, h.Stats()
	}
	got, s := run(1, engine.HubConfig{Loss: 0.1})
	if s.Lost < 60 || s.Lost > 140 || len(got) != 1000-int(s.Lost) || !slices.IsSorted(got) {
		t.Errorf("loss: %d arrived, %+v", len(got), s)
	}
	got, s = run(1, engine.HubConfig{Duplicate: 0.1})
	if s.Duplicated < 60 || s.Duplicated > 140 || len(got) != 1000+int(s.Duplicated) || !slices.IsSorted(got) {
		t.Errorf("duplicate: %d arrived, %+v", len(got), s)
	}
	got, s = run(1, engine.HubConfig{Reorder: 0.1})
	if s.Reordered < 60 || s.Reordered > 140 || len(got) != 1000 || slices.IsSorted(got) {
		t.Errorf("reorder: %d arrived, %+v", len(got), s)
	}
	all := engine.HubConfig{Loss: 0.2, Duplicate: 0.2, Reorder: 0.2, Latency: time.Millisecond}
	a, _ := run(5, all)
	b, _ := run(5, all)
	c, _ := run(6, all)
	if !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("a seed must give one run, and another seed another")
	}
}

func TestHubRefusesWhatMakesNoSense(t *testing.T) {
	for _, cfg := range []engine.HubConfig{{Loss: 1.5}, {Loss: -1}, {Duplicate: 2}, {Reorder: 2}, {Latency: -1}, {Bandwidth: -1}, {Queue: -1}} {
		if _, err := engine.NewHub(realEnv(), cfg); !kindIs(err, "argument") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	env := realEnv()
	hub(t, env, engine.HubConfig{Name: "lab"}, 0)
	if _, err := engine.NewHub(env, engine.HubConfig{Name: "lab"}); !kindIs(err, "exists") {
		t.Errorf("second LAN of a name: %v", err)
	}
}

func TestHubNamesPortsAndFreesNames(t *testing.T) {
	env := realEnv()
	h, p := hub(t, env, engine.HubConfig{}, 2)
	if p[0].Name() != "lan1/1" || p[1].Name() != "lan1/2" {
		t.Errorf("%s, %s", p[0].Name(), p[1].Name())
	}
	a, err := h.Port("alice")
	if err != nil || a.Name() != "lan1/alice" || len(h.Ports()) != 3 {
		t.Fatal(a, err)
	}
	if _, err := h.Port("alice"); !kindIs(err, "exists") {
		t.Errorf("second alice: %v", err)
	}
	close2(t, a)
	if _, err := h.Port("alice"); err != nil {
		t.Errorf("alice again: %v", err)
	}
	h.Close()
	h.Close()
	if _, err := h.Port(""); !kindIs(err, "closed") {
		t.Errorf("port of a closed LAN: %v", err)
	}
	if _, err := p[0].TryRead(make([]engine.Frame, 1)); !kindIs(err, "closed") {
		t.Errorf("read on a closed LAN: %v", err)
	}
	// The name is free again.
	c, err := engine.Open(env, "mem:lan1")
	if err != nil || c.Name() != "lan1/1" {
		t.Errorf("%v, %v", c, err)
	}
}

func TestHubTellsNotifiers(t *testing.T) {
	env := virtualEnv(1)
	_, p := hub(t, env, engine.HubConfig{Latency: time.Millisecond}, 3)
	var log []string
	note := func(i int) func() { return p[i].Notify(func() { log = append(log, fmt.Sprint(i)) }) }
	note(0)
	cancel := note(1)
	note(2)
	send(t, p[0], frame(0, 60))
	if len(log) != 0 {
		t.Fatalf("told before anything came: %v", log)
	}
	settle(env)
	cancel()
	send(t, p[0], frame(0, 60))
	settle(env)
	p[2].Close()
	if got := fmt.Sprint(log); got != "[1 2 2 2]" {
		t.Fatal(got)
	}
}

func BenchmarkHub(b *testing.B) {
	_, p := hub(b, realEnv(), engine.HubConfig{}, 2)
	fs := make([]engine.Frame, 64)
	frames := make([][]byte, 64)
	for i := range frames {
		frames[i] = frame(i, 64)
	}
	b.ReportAllocs()
	for i := 0; i < b.N; i += 64 {
		p[0].TryWrite(frames)
		p[1].TryRead(fs)
	}
}
