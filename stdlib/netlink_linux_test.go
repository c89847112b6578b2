package stdlib_test

import (
	"context"
	"testing"

	"pktsh/internal/need"
	"pktsh/lua/spec"
)

// The specs of netlink run on the virtual clock with all others, as far as
// octets go. Here they run on the real one, where they ask the kernel, too, in a
// user and network namespace of their own.
func TestNetlinkOnTheKernel(t *testing.T) {
	need.Program(t, "ip")
	if !need.Netns(t) {
		return
	}
	files, err := spec.Find([]string{"netlink"})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		err := spec.RunFile(context.Background(), spec.Config{NewHost: newHost, Real: true}, file, func(r spec.Result) {
			switch {
			case r.Skipped:
				t.Logf("%s: %s: skipped: %s", r.File, r.Name, r.Why)
			case r.Failure != "":
				t.Errorf("%s: %s\n%s%s", r.File, r.Name, r.Output, r.Failure)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
