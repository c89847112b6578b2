package stdlib_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"pktsh/internal/need"
	"pktsh/lua/spec"
)

// The specs of connectors run on the virtual clock with all others, in memory.
// Here they run on the real one, where they take the kernel's sockets and
// interfaces, too, each in a namespace that it makes. What the reference asks of
// connectors and of their frames on the wire is shown by a spec of that name
// that has run: nothing may be skipped.
func TestConnectorsOnTheKernel(t *testing.T) {
	need.Program(t, "ip")
	if !need.Netns(t) {
		return
	}
	var ids []string
	for i := 1; i <= 15; i++ {
		ids = append(ids, fmt.Sprintf("P%03d", i))
	}
	for i := 1; i <= 5; i++ {
		ids = append(ids, fmt.Sprintf("Q%03d", i))
	}
	covers(t, ids, "connector/pcs_spec.lua", "connector/interop_spec.lua")
}

// Sockets and devices of the kernel, beyond the reference.
func TestKernelConnectors(t *testing.T) {
	need.Program(t, "ip")
	if !need.Netns(t) {
		return
	}
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	need.Thing(t, "tap", err)
	f.Close()
	covers(t, nil, "connector/kernel_spec.lua")
}

// The one of them that takes a machine which is not ours.
func TestConnectorMeetsAGuest(t *testing.T) {
	need.Program(t, "qemu-system-x86_64")
	var err error
	for _, rom := range []string{"/usr/lib/ipxe/qemu/pxe-virtio.rom", "/usr/share/qemu/pxe-virtio.rom"} {
		if _, err = os.Stat(rom); err == nil {
			break
		}
	}
	need.Thing(t, "qemu", err)
	if !need.Netns(t) {
		return
	}
	covers(t, []string{"P015"}, "connector/guest_spec.lua")
}

// covers runs specs on the real clock. Of the ids all but P015, which has a test
// of its own, must be names of tests that have run.
func covers(t *testing.T, ids []string, files ...string) {
	t.Helper()
	ran := map[string]int{}
	for _, file := range files {
		err := spec.RunFile(context.Background(), spec.Config{NewHost: newHost, Real: true}, file, func(r spec.Result) {
			id, _, _ := strings.Cut(r.Name, ":")
			switch {
			case r.Skipped:
				t.Errorf("%s: %s: skipped: %s", r.File, r.Name, r.Why) // all that they need is here
			case r.Failure != "":
				t.Errorf("%s: %s\n%s%s", r.File, r.Name, r.Output, r.Failure)
			default:
				ran[id]++
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		if ran[id] == 0 && (len(ids) == 1 || id != "P015") {
			t.Errorf("no spec of the name %s has run", id)
		}
	}
}
