package main

import (
	"strings"
	"testing"

	"pktsh/internal/need"
)

// Events print above the line that is being typed, which stays whole:
//
//	a network namespace of the test's own
//	┌─────────────────────────────────────────────────────────┐
//	│ window 0: pktsh, half a line     window 1: ip link add  │
//	└─────────────────────────────────────────────────────────┘
func TestEventsAtThePromptInTmux(t *testing.T) {
	need.Program(t, "tmux")
	need.Program(t, "ip")
	if !need.Netns(t) {
		return
	}
	p := openPane(t)
	p.typed(`ip = netlink.route() m = ip:monitor("link", function(ev) print(ev.event .. " of " .. ev.ifname) end)`)
	p.keys("Enter")
	p.typed(`r = netlink.socket{family="route"} r:bind{groups={"link"}, async_cache=true}`)
	p.keys("Enter")
	p.typed(`r:register_callback(function(ev) print("raw " .. ev.ifname) end, function(ev) return ev.ifname == "v0" end)`)
	p.keys("Enter")
	p.typed(`print("ready")`)
	p.keys("Enter")
	p.await("\nready\n")

	// Half a line, and an interface from another window.
	p.typed(`print("this is one `)
	p.await(`> print("this is one`)
	p.tmux("new-window", "-d", "ip link add v0 type veth peer name v1")
	p.await("\nRTM_NEWLINK of v0")
	p.await("\nraw v0")
	p.await("\n> print(\"this is one")
	p.typed(`whole line")`)
	p.tmux("new-window", "-d", "ip link del v0")
	p.await("\nRTM_DELLINK of v1")
	p.await("\n> print(\"this is one whole line\")")
	if n := strings.Count(p.screen(), `> print("this is one`); n != 1 {
		t.Errorf("the line that is typed stands there %d times:%s", n, p.screen())
	}
	p.keys("Enter")
	p.await("\nthis is one whole line\n")

	// print itself is a callback: what ip monitor prints, in two lines each.
	p.typed(`m:close() r:close() m = ip:monitor("link", print)`)
	p.keys("Enter")
	p.typed("x = 6 * ")
	p.tmux("new-window", "-d", "ip link set lo mtu 65000")
	p.await("1: lo: <LOOPBACK")
	p.await("\n> x = 6 *")
	p.typed("7 print(x)")
	p.keys("Enter")
	p.await("\n42\n")
}
