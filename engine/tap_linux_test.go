package engine_test

import (
	"errors"
	"os"
	"testing"

	"pktsh/engine"
)

func needTun(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	need(t, "tap", err)
	f.Close()
}

func TestTapConn(t *testing.T) {
	needTun(t)
	needProgram(t, "ip")
	if !inNetns(t) {
		return
	}
	run(t, "ip", "link", "add", "pkbr", "mtu", "65521", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
	run(t, "ip", "link", "set", "pkbr", "up")
	conformance(t, bridgedTaps())
}

var _ = errors.Is
var _ = engine.OpenTap
