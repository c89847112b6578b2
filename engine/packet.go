package engine

import (
	"strings"

	"pktsh/engine/filter"
)

// LinkConfig describes a network interface whose frames are read and written
// beside the kernel's own network stack.
type LinkConfig struct {
	Name      string // interface
	Promisc   bool   // take also frames that are addressed to others
	Snaplen   int    // octets of a frame to keep (default 65600: all, on a link without jumbo packets of the kernel's own making)
	Direction string // in, out or both (default both); our own frames are never among them
	Proto     int    // EtherType to receive (default all); with a number frames that go out are not seen
	Up        bool   // set the interface up first

	// Filter makes the program that frames must pass, for the link type of the
	// interface. It is in place before the first frame; nil lets all pass.
	Filter func(LinkType) (*filter.Program, error)

	// Ring asks for a ring of blocks shared with the kernel: the cheapest way to
	// sniff, but a frame may lie there for a millisecond or a few until its block
	// is handed over. Without it every batch is a system call, at once. Default:
	// with Promisc.
	Ring   *bool
	Buffer int // octets the kernel keeps unread before it drops (default 32 MiB)

	// Timestamps says where they come from: "software" (default), when the kernel
	// got the frame, or "hardware", when the network card did, by the card's own
	// clock; frames of which it says nothing then have the kernel's. The card keeps
	// the setting.
	Timestamps string

	Netns *Netns // network namespace (default: the Env's)
}

// The defaults of a link.
const (
	linkSnaplen = 65600 // the longest frame of lo has 65550 octets
	linkBuffer  = 32 << 20
)

func (c *LinkConfig) name() string { return "link:" + c.Name }

// resolve fills in the defaults and checks.
func (c *LinkConfig) resolve() error {
	if c.Snaplen == 0 {
		c.Snaplen = linkSnaplen
	}
	if c.Buffer == 0 {
		c.Buffer = linkBuffer
	}
	if c.Direction == "" {
		c.Direction = "both"
	}
	var err error
	switch {
	case c.Name == "":
		err = argument("want the name of an interface, such as link:eth0")
	case len(c.Name) > 15 || strings.ContainsAny(c.Name, "/ \t\n\x00"):
		err = argument("interface name %q: the kernel allows 15 octets, and no blank or slash", c.Name)
	case c.Snaplen < 1 || c.Snaplen > maxSnaplen:
		err = argument("snaplen %d: want 1 to %d", c.Snaplen, maxSnaplen)
	case c.Direction != "in" && c.Direction != "out" && c.Direction != "both":
		err = argument("direction %q: want in, out or both", c.Direction)
	case c.Proto < 0 || c.Proto > 0xffff:
		err = argument("proto %d: want an EtherType, 0 to 65535", c.Proto)
	case c.Timestamps != "" && c.Timestamps != "software" && c.Timestamps != "hardware":
		err = argument("tstamp %q: want software or hardware", c.Timestamps)
	case c.Buffer < 1<<16 || c.Buffer > 1<<30:
		err = argument("buffer %d: want 65536 to %d octets", c.Buffer, 1<<30)
	}
	if err != nil {
		return &OpError{Op: "open", Conn: c.name(), Err: err}
	}
	return nil
}

func openLinkURL(env *Env, t *target) (Conn, error) {
	cfg := LinkConfig{
		Name:      t.what,
		Promisc:   t.flag("promisc", false),
		Snaplen:   t.number("snaplen", 0, 1, maxSnaplen),
		Direction: t.text("direction", ""),
		Proto:     t.number("proto", 0, 0, 0xffff),
		Up:        t.flag("up", false),
		Buffer:    t.number("buffer", 0, 1<<16, 1<<30),

		Timestamps: t.text("tstamp", ""),
	}
	if ring := t.text("ring", ""); ring != "" {
		on := t.flag("ring", false)
		cfg.Ring = &on
	}
	if expr := t.text("filter", ""); expr != "" {
		cfg.Filter = func(link LinkType) (*filter.Program, error) {
			return filter.Compile(expr, filter.LinkType(link), filter.Options{})
		}
	}
	ns, release := t.netns()
	defer release()
	cfg.Netns = ns
	if err := t.check(); err != nil {
		return nil, err
	}
	return OpenLink(env, cfg)
}
