package clock_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pktsh/engine/clock"
)

func epoch() time.Time { return time.Unix(0, 0).UTC() }

// drain runs a virtual clock until no timer is left.
func drain(c *clock.Clock) {
	for {
		at, ok := c.Next()
		if !ok {
			return
		}
		c.Advance(at)
		c.RunDue()
	}
}

func TestVirtualTimeStandsUntilAdvanced(t *testing.T) {
	c := clock.NewVirtual(epoch())
	if !c.Virtual() || !c.Now().Equal(epoch()) {
		t.Fatalf("starts at %v, virtual %v", c.Now(), c.Virtual())
	}
	ran := false
	c.After(time.Hour, func() { ran = true })
	if c.RunDue() != 0 || ran {
		t.Fatal("a timer ran before its time")
	}
	at, ok := c.Next()
	if !ok || at.Sub(epoch()) != time.Hour {
		t.Fatalf("next %v %v", at, ok)
	}
	c.Advance(at.Add(-time.Nanosecond))
	if c.RunDue() != 0 {
		t.Fatal("a timer ran a nanosecond early")
	}
	c.Advance(at)
	if c.RunDue() != 1 || !ran {
		t.Fatal("the timer did not run")
	}
	c.Advance(epoch())
	if got := c.Now().Sub(epoch()); got != time.Hour {
		t.Fatalf("time ran backwards to %v", got)
	}
	if _, ok := c.Next(); ok {
		t.Fatal("a timer is left")
	}
}

func TestTimersRunByTimeAndThenByAge(t *testing.T) {
	c := clock.NewVirtual(epoch())
	r := rand.New(rand.NewPCG(1, 2))
	type ev struct{ at, age int }
	var want, got []ev
	for age := range 2000 {
		e := ev{r.IntN(50), age}
		tm := c.After(time.Duration(e.at)*time.Second, func() { got = append(got, e) })
		if r.IntN(4) == 0 {
			if !tm.Stop() || tm.Stop() {
				t.Fatal("Stop must work once")
			}
			continue
		}
		want = append(want, e)
	}
	slices.SortStableFunc(want, func(a, b ev) int { return a.at - b.at })
	drain(c)
	if !slices.Equal(got, want) {
		t.Fatal("wrong order")
	}
}

func TestTimerMadeByATimerWaitsForTheNextRun(t *testing.T) {
	c := clock.NewVirtual(epoch())
	var log []string
	c.After(0, func() {
		log = append(log, "a")
		c.After(-time.Second, func() { log = append(log, "c") })
	})
	c.After(0, func() { log = append(log, "b") })
	if n := c.RunDue(); n != 2 {
		t.Fatalf("ran %d, %v", n, log)
	}
	if n := c.RunDue(); n != 1 || fmt.Sprint(log) != "[a b c]" {
		t.Fatalf("ran %d, %v", n, log)
	}
}

func TestTimerMayStopAnother(t *testing.T) {
	c := clock.NewVirtual(epoch())
	var b *clock.Timer
	c.After(1, func() {
		if !b.Stop() {
			t.Error("b had run")
		}
	})
	b = c.After(1, func() { t.Error("b ran") })
	drain(c)
	if b.Stop() {
		t.Error("stopped twice")
	}
}

func TestAnEndlessWaitDoesNotOverflow(t *testing.T) {
	c := clock.NewVirtual(epoch())
	c.Advance(epoch().Add(time.Hour))
	c.After(math.MaxInt64, func() { t.Error("ran") })
	c.After(time.Second, func() {})
	if at, _ := c.Next(); at.Sub(epoch()) != time.Hour+time.Second {
		t.Fatalf("next %v", at)
	}
}

func TestRealClockFollowsTheWall(t *testing.T) {
	c := clock.Real()
	if c.Virtual() {
		t.Fatal("virtual")
	}
	if d := time.Since(c.Now()); d < 0 || d > time.Minute {
		t.Fatalf("off by %v", d)
	}
	ran := 0
	c.After(0, func() { ran++ })
	c.After(time.Hour, func() { t.Error("ran an hour early") })
	if c.RunDue() != 1 || ran != 1 {
		t.Fatal("what was due did not run")
	}
	at, ok := c.Next()
	if d := time.Until(at); !ok || d < 59*time.Minute || d > time.Hour {
		t.Fatalf("next in %v", d)
	}
	defer func() {
		if recover() == nil {
			t.Error("Advance moved the real clock")
		}
	}()
	c.Advance(time.Now())
}

func BenchmarkAfterAndRun(b *testing.B) {
	c := clock.NewVirtual(epoch())
	for i := range 10000 {
		c.After(time.Hour+time.Duration(i), func() {})
	}
	b.ReportAllocs()
	for b.Loop() {
		c.After(1, func() {})
		c.Advance(c.Now().Add(1))
		c.RunDue()
	}
}
