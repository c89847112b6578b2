package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"pktsh/engine"
)

// Close ends whatever waits, also when waits end by themselves and begin anew at
// the same moment.
func TestCloseAmongWaitsThatEnd(t *testing.T) {
	for range 1000 {
		c, err := engine.Open(realEnv(), "udp://127.0.0.1:9?local=127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		const waiters = 4
		var closing atomic.Bool
		for range waiters {
			go func() {
				defer func() { ended <- struct{}{} }()
				for {
					ctx, cancel := context.WithCancel(context.Background())
					if !closing.Load() {
						ctx, cancel = context.WithTimeout(ctx, 20*time.Microsecond)
					}
					err := c.Wait(ctx, engine.ReadReady)
					cancel()
					if kindIs(err, "closed") {
						return
					}
				}
			}()
		}
		time.Sleep(100 * time.Microsecond) // let them begin; any moment is right
		go func() {
			closing.Store(true)
			c.Close()
			ended <- struct{}{}
		}()
		limit := time.After(10 * time.Second)
		for range waiters + 1 {
			select {
			case <-ended:
			case <-limit:
				t.Fatal("Close or a waiter hangs")
			}
		}
	}
}
