package engine_test

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"

	"pktsh/engine"
	"pktsh/internal/need"
)

// inNetns is need.Netns with lo up and IPv6 quiet in the child.
//
//	func TestX(t *testing.T) {
//		if !inNetns(t) {
//			return
//		}
//		…
func inNetns(t *testing.T) bool {
	t.Helper()
	if !need.Netns(t) {
		return false
	}
	for _, f := range []string{"all", "default"} {
		_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+f+"/disable_ipv6", []byte("1"), 0) // absent without IPv6
	}
	if err := engine.ConfigureLink("lo", 0, netip.Prefix{}, true); err != nil {
		t.Fatal(err)
	}
	return true
}

// run runs a program and fails the test if that fails.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
