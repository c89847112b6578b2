package engine

import (
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"

	"pktsh/engine/clock"
)

// Env is the world that connectors live in: the time, the chance and the
// memory LANs of one host. It belongs to the goroutine that holds the host's
// baton. Missing parts are filled in at first use: the real clock, a random
// source of its own.
type Env struct {
	Clock *clock.Clock
	Rand  *rand.Rand // every random choice of the engine
	// Netns is the network namespace for connectors that name none; a nil
	// function or namespace is the process's own.
	Netns func() *Netns

	hubs map[string]*Hub
	lans int // number of the last LAN that named itself
}

func (e *Env) init() {
	if e.hubs != nil {
		return
	}
	e.hubs = map[string]*Hub{}
	if e.Clock == nil {
		e.Clock = clock.Real()
	}
	if e.Rand == nil {
		e.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
}

// Hub is the memory LAN of that name, made ideal if there is none yet.
func (e *Env) Hub(name string) (*Hub, error) {
	e.init()
	if h := e.hubs[name]; h != nil {
		return h, nil
	}
	return NewHub(e, HubConfig{Name: name})
}

// A scheme is one row of what Open understands.
type scheme struct {
	name  string
	usage string // SCHEME:REST?options, as a person would type it
	open  func(env *Env, t *target) (Conn, error)
}

// schemes is filled by init below because rows and their errors refer to each
// other.
var schemes []scheme

func init() {
	schemes = []scheme{
		{"mem", "mem:NAME", openMem},
		{"mcast", "mcast://GROUP:PORT?if=ADDR&ttl=N&loop=0&own=0&snaplen=N&netns=NAME", openMcastURL},
		{"tap", "tap:NAME?addr=ADDR/LEN&mtu=N&up=1&pi=1&vnet=1&netns=NAME", openTapURL(false)},
		{"tun", "tun:NAME?addr=ADDR/LEN&mtu=N&up=1&pi=1&vnet=1&netns=NAME", openTapURL(true)},
		{"link", "link:NAME?promisc=1&snaplen=N&direction=in&filter=EXPR&proto=N&up=1&netns=NAME", openLinkURL},
		{"pcap", "pcap:FILE?follow=1", openPcapURL},
		{"pcap_writer", "pcap_writer:FILE?linktype=NAME&nanos=1&snaplen=N&format=pcapng", openPcapWriterURL("")},
		{"pcapng_writer", "pcapng_writer:FILE?linktype=NAME&snaplen=N&comment=TEXT", openPcapWriterURL("pcapng")},
	}
}

// Schemes is what Open understands, one usage line each.
func Schemes() []string {
	lines := make([]string, len(schemes))
	for i, s := range schemes {
		lines[i] = s.usage
	}
	return lines
}

// Open opens a connector from a short text, SCHEME:WHAT?OPTIONS; Schemes lists
// the forms. A bare name is a capture file, if there is one, or else an
// interface. What is returned may still be an Opening.
func Open(env *Env, text string) (Conn, error) {
	env.init()
	name, rest, ok := strings.Cut(text, ":")
	if !ok || text[0] == '/' || text[0] == '.' {
		return openBare(env, text)
	}
	for _, s := range schemes {
		if s.name == name {
			t, err := parseTarget(rest)
			if err == nil {
				var c Conn
				if c, err = s.open(env, t); err == nil {
					return c, nil
				}
			}
			if _, is := err.(*OpError); is {
				return nil, err
			}
			return nil, &OpError{Op: "open", Conn: text, Err: err, hint: "as in " + s.usage}
		}
	}
	return nil, &OpError{Op: "open", Conn: text, Err: argument("unknown scheme %q, known are %s", name, strings.Join(schemeNames(), ", "))}
}

func schemeNames() []string {
	known := make([]string, len(schemes))
	for i, s := range schemes {
		known[i] = s.name
	}
	return known
}

// target is what stands behind the scheme: WHAT?key=value&…
type target struct {
	what    string
	options url.Values
	used    []string // option names that were asked for
	err     error    // the first fault among the options
}

// parseTarget splits at the last question mark that is followed by key=value,
// so that file names may contain one.
func parseTarget(rest string) (*target, error) {
	t := &target{what: rest}
	if i := strings.LastIndexByte(rest, '?'); i >= 0 && strings.Contains(rest[i:], "=") {
		v, err := url.ParseQuery(rest[i+1:])
		if err != nil {
			return nil, argument("options %q: %v", rest[i+1:], err)
		}
		t.what, t.options = rest[:i], v
	}
	return t, nil
}

// text is the value of an option, or def.
func (t *target) text(name, def string) string {
	t.used = append(t.used, name)
	if v := t.options[name]; len(v) > 0 {
		return v[len(v)-1]
	}
	return def
}

// number is text that must be a decimal number from lo to hi.
func (t *target) number(name string, def, lo, hi int) int {
	s := t.text(name, "")
	if s == "" {
		return def
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < lo || n > hi {
		t.fail("option %s=%s: want a number from %d to %d", name, s, lo, hi)
		return def
	}
	return n
}

// flag is text that must be 1 or 0 (or true or false).
func (t *target) flag(name string, def bool) bool {
	s := t.text(name, "")
	if s == "" {
		return def
	}
	b, err := strconv.ParseBool(s)
	if err != nil {
		t.fail("option %s=%s: want 1 or 0", name, s)
	}
	return b
}

func (t *target) fail(format string, args ...any) {
	if t.err == nil {
		t.err = argument(format, args...)
	}
}

// check reports a bad option, or one that nobody asked for.
func (t *target) check() error {
	if t.err != nil {
		return t.err
	}
	for name := range t.options {
		known := false
		for _, u := range t.used {
			known = known || u == name
		}
		if !known {
			if len(t.used) == 0 {
				return argument("unknown option %q, there are none", name)
			}
			return argument("unknown option %q, known are %s", name, strings.Join(t.used, ", "))
		}
	}
	return nil
}

func openMem(env *Env, t *target) (Conn, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.what == "" {
		return nil, argument("want the name of a LAN")
	}
	lan, port, _ := strings.Cut(t.what, "/")
	h, err := env.Hub(lan)
	if err != nil {
		return nil, err
	}
	p, err := h.Port(port)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func openMcastURL(env *Env, t *target) (Conn, error) {
	at, ok := strings.CutPrefix(t.what, "//")
	cfg := McastConfig{
		Interface: t.text("if", ""),
		TTL:       t.number("ttl", 0, 1, 255),
		NoLoop:    !t.flag("loop", true),
		NoOwn:     !t.flag("own", true),
		Snaplen:   t.number("snaplen", 0, 0, MaxFrame),
	}
	ns, release := t.netns()
	defer release()
	cfg.Netns = ns
	if err := t.check(); err != nil {
		return nil, err
	}
	if !ok {
		return nil, argument("want // after mcast:")
	}
	if at != "" {
		var err error
		if cfg.Group, cfg.Port, err = groupAndPort(at); err != nil {
			return nil, err
		}
	}
	return OpenMcast(env, cfg)
}

func openTapURL(tun bool) func(*Env, *target) (Conn, error) {
	return func(env *Env, t *target) (Conn, error) {
		cfg := TapConfig{
			Name: t.what,
			TUN:  tun,
			Addr: t.text("addr", ""),
			MTU:  t.number("mtu", 0, 68, MaxFrame),
			Up:   t.flag("up", false),

			Persist:    t.flag("persist", false),
			Owner:      t.text("owner", ""),
			MultiQueue: t.flag("multiqueue", false),
			PI:         t.flag("pi", false),
			VNet:       t.flag("vnet", false),
		}
		ns, release := t.netns()
		defer release()
		cfg.Netns = ns
		if err := t.check(); err != nil {
			return nil, err
		}
		return OpenTap(env, cfg)
	}
}

func openPcapURL(env *Env, t *target) (Conn, error) {
	cfg := PcapConfig{File: t.what, Follow: t.flag("follow", false)}
	if err := t.check(); err != nil {
		return nil, err
	}
	if t.what == "" {
		return nil, argument("want the name of a file")
	}
	return OpenPcap(env, cfg)
}

func openPcapWriterURL(format string) func(*Env, *target) (Conn, error) {
	return func(env *Env, t *target) (Conn, error) {
		cfg := PcapWriterConfig{File: t.what, Format: t.text("format", format), LinkType: LinkEthernet, Snaplen: t.number("snaplen", 0, 1, maxSnaplen)}
		if t.text("nanos", "") != "" {
			nanos := t.flag("nanos", false)
			cfg.Nanos = &nanos
		}
		link := t.text("linktype", "")
		if c := t.text("comment", ""); c != "" {
			cfg.Comments = []string{c}
		}
		if err := t.check(); err != nil {
			return nil, err
		}
		if t.what == "" {
			return nil, argument("want the name of a file")
		}
		if link != "" {
			var err error
			if cfg.LinkType, err = ParseLinkType(link); err != nil {
				return nil, err
			}
		}
		return CreatePcap(env, cfg)
	}
}
