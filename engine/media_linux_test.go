package engine_test

import (
	"errors"
	"os"
	"sync/atomic"
	"testing"

	"pktsh/engine"
)

var mcastPort atomic.Int32

// lanConfig is a LAN on lo that no other test uses.
func lanConfig() engine.McastConfig {
	return engine.McastConfig{Group: "239.192.77.1", Port: int(20000 + os.Getpid()%20000 + int(mcastPort.Add(1))), Interface: "127.0.0.1"}
}

func openMcast(t testing.TB, cfg engine.McastConfig) engine.Conn {
	t.Helper()
	c, err := engine.OpenMcast(realEnv(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func multicastLAN() medium {
	return medium{name: "mcast", max: engine.MaxDatagram, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
		cfg := lanConfig()
		a, b := openMcast(t, cfg), openMcast(t, cfg)
		return a, func() engine.Conn { return b }
	}}
}

func kernelMedia(testing.TB) []medium { return append(datagramMedia(), multicastLAN()) }

// bridgedTaps are two TAP devices on one bridge of the kernel:
//
//	tap ── pka ── pkbr ── pkb ── tap
func bridgedTaps() medium {
	return medium{name: "tap", max: engine.MaxFrame, slow: true, pair: func(t testing.TB) (engine.Conn, func() engine.Conn) {
		// A frame of 65,535 octets is 14 of header and 65,521 of payload.
		a, err1 := engine.OpenTap(realEnv(), engine.TapConfig{Name: "pka", MTU: 65521, Up: true})
		b, err2 := engine.OpenTap(realEnv(), engine.TapConfig{Name: "pkb", MTU: 65521, Up: true})
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"pka", "pkb"} {
			if err := engine.Enslave("pkbr", name); err != nil {
				t.Fatal(err)
			}
		}
		return a, func() engine.Conn { return b }
	}}
}
