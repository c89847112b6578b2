package engine

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// LinkUser0 is the link type of frames that have no link header: what the
// payload is only the script knows (LINKTYPE_USER0).
const LinkUser0 LinkType = 147

func init() {
	schemes = slices.Concat(schemes, []scheme{
		{"stream+tcp", "stream+tcp://HOST:PORT?server=1  or  ?reconnect=SECONDS", openStreamURL("tcp", Prefixed, LinkEthernet)},
		{"stream+unix", "stream+unix:/PATH?server=1  or  ?reconnect=SECONDS", openStreamURL("unix", Prefixed, LinkEthernet)},
		{"stream+fd", "stream+fd:N", openStreamURL("fd", Prefixed, LinkEthernet)},
		{"bess", "bess:/PATH?server=1  or  ?reconnect=SECONDS", openStreamURL("unixpacket", Messages, LinkEthernet)},
		{"tcp", "tcp://HOST:PORT?server=1&prefix=4", openStreamURL("tcp", Segments, LinkUser0)},
		{"sctp", "sctp://HOST:PORT?server=1", openStreamURL("sctp", Messages, LinkUser0)},
		{"qemu", "qemu:listen=[HOST]:PORT  or  connect=HOST:PORT  or  mcast=GROUP:PORT,localaddr=ADDR  or  udp=ADDR:PORT,localaddr=ADDR:PORT", openQEMUText},
	}, datagramSchemes())
}

func openStreamURL(network string, framing Framing, link LinkType) func(*Env, *target) (Conn, error) {
	return func(env *Env, t *target) (Conn, error) {
		cfg := StreamConfig{Network: network, Address: t.what, Framing: framing, Link: link, Name: network}
		switch {
		case framing == Prefixed:
			cfg.Name = "stream+" + network
		case network == "unixpacket":
			cfg.Name = "bess"
		}
		if network == "fd" {
			if err := t.check(); err != nil {
				return nil, err
			}
			f, err := Inherited(t.what)
			if err != nil {
				return nil, err
			}
			cfg.File, cfg.Address = f, ""
			return OpenStream(env, cfg)
		}
		ns, release := t.netns()
		defer release()
		cfg.Netns = ns
		cfg.Server = t.flag("server", false)
		cfg.Reconnect = t.seconds("reconnect")
		if framing == Segments {
			if cfg.Prefix = t.number("prefix", 0, 2, 4); cfg.Prefix != 0 {
				cfg.Framing = Prefixed
			}
		}
		if err := t.check(); err != nil {
			return nil, err
		}
		if network == "tcp" || network == "sctp" {
			at, ok := strings.CutPrefix(t.what, "//")
			if !ok {
				return nil, argument("want // after %s:", cfg.Name)
			}
			cfg.Address = at
		}
		return OpenStream(env, cfg)
	}
}

// seconds is text that must be a time.
func (t *target) seconds(name string) time.Duration {
	s := t.text(name, "")
	if s == "" {
		return 0
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n > 0 && n < 1e9) {
		t.fail("option %s=%s: want seconds", name, s)
		return 0
	}
	return time.Duration(n * float64(time.Second))
}

// Inherited is a descriptor that whoever started us left open.
func Inherited(number string) (*os.File, error) {
	fd, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return nil, argument("descriptor %q: want a number", number)
	}
	f := os.NewFile(uintptr(fd), number)
	if f == nil {
		return nil, argument("descriptor %d is not open", fd)
	}
	return f, nil
}
