package stdlib_test

import (
	"context"
	"os"
	"regexp"
	"testing"

	"pktsh/internal/need"
	"pktsh/lua/spec"
)

// The specs of tunnels run on the virtual clock with all others. Here they run
// on the real one, where they take the kernel's devices, too, in a namespace:
//
//	user and network namespace of its own
//	┌──────────────────────────────────────────────┐
//	│ spec ── /dev/net/tun ── tap-twtest ── kernel │
//	└──────────────────────────────────────────────┘
func TestTunnelsOnTheKernel(t *testing.T) {
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	need.Thing(t, "tap", err)
	f.Close()
	if !need.Netns(t) {
		return
	}
	files, err := spec.Find([]string{"tunnel"})
	if err != nil {
		t.Fatal(err)
	}
	real := 0
	for _, file := range files {
		err := spec.RunFile(context.Background(), spec.Config{NewHost: newHost, Real: true}, file, func(r spec.Result) {
			switch {
			case r.Skipped:
				t.Errorf("%s: %s: skipped: %s", r.File, r.Name, r.Why) // all that they need is here
			case r.Failure != "":
				t.Errorf("%s: %s\n%s%s", r.File, r.Name, r.Output, r.Failure)
			case regexp.MustCompile(`\[real`).MatchString(r.Name):
				real++
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d tests on the kernel's devices", real)
	if real < 60 {
		t.Errorf("only %d tests ran on the kernel's devices", real)
	}
}
