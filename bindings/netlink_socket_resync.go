package bindings

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"time"

	"pktsh/engine/netlink"
	"pktsh/lua"
)

// Finding out what was lost. A socket with resync remembers, of each thing that
// its groups tell about, the newest message. After an overrun it dumps them
// anew and delivers the difference as if it had been told: first what is gone,
// then what is new or different. What has happened between the overrun and the
// dump comes again afterwards, in order, so that the end is the kernel's table.

// resyncGroups are the groups of rtnetlink whose things can be dumped, and how.
var resyncGroups = map[uint32]resyncSource{
	1:  {typ: 16, body: 16, only: []byte{0}},     // link; those of a bridge's ports are events of the same number
	3:  {typ: 28, body: 12, only: []byte{2, 10}}, // neigh
	4:  {typ: 36, body: 20},                      // tc: qdiscs
	5:  {typ: 20, body: 8, family: 2},            // ipv4_ifaddr
	7:  {typ: 24, body: 12, family: 2},           // ipv4_route
	8:  {typ: 32, body: 12, family: 2},           // ipv4_rule
	9:  {typ: 20, body: 8, family: 10},           // ipv6_ifaddr
	11: {typ: 24, body: 12, family: 10},          // ipv6_route
	19: {typ: 32, body: 12, family: 10},          // ipv6_rule
	24: {typ: 80, body: 4, family: 2},            // ipv4_netconf
	25: {typ: 80, body: 4, family: 10},           // ipv6_netconf
	27: {typ: 24, body: 12, family: 28},          // mpls_route
	28: {typ: 88, body: 4},                       // nsid
	32: {typ: 104, body: 8},                      // nexthop
}

type resyncSource struct {
	typ    uint16 // RTM_NEW…; DEL and GET follow it
	body   int    // octets of the request's fixed part
	family byte
	only   []byte // families of its messages; nil: that of family, or all if that is 0
}

// has reports whether a message is one of what the source dumps.
func (r resyncSource) has(typ uint16, raw []byte) bool {
	if typ != r.typ && typ != r.typ+1 || len(raw) <= netlink.HeaderSize {
		return false
	}
	family := raw[netlink.HeaderSize]
	if r.only != nil {
		return slices.Contains(r.only, family)
	}
	return r.family == 0 || r.family == family
}

// volatile are attributes by name that change without an event: counters, ages,
// and what only an event has.
var volatile = map[string]bool{
	"STATS": true, "STATS64": true, "STATS2": true, "XSTATS": true, "CACHEINFO": true, "PROBES": true, "AF_SPEC": true,
	"EVENT": true, "NEW_IFINDEX": true, "NEW_NETNSID": true,
}

// way are the members of keys that say how something is reached, not what.
var nlWay = map[string]bool{
	"RTA_OIF": true, "RTA_GATEWAY": true, "RTA_VIA": true, "RTA_NH_ID": true, "RTA_IIF": true, "type": true,
}

// nlThing is the newest message about something.
type nlThing struct {
	raw  []byte
	hash uint64 // of what does not change by itself
	base string // the key without the way there
}

// nlResync is what a socket remembers.
type nlResync struct {
	sources map[uint32]resyncSource // by group
	things  map[string]nlThing
	front   *netlink.Queue // what is to be delivered next
	keys    map[*netlink.Class]*nlKey
	seed    maphash.Seed
	scratch []byte
}

// nlKey tells what a message of a class is about.
type nlKey struct {
	fields, attrs []nlKeyPart
	fn            *lua.Function
	skip          map[uint16]bool // attributes that do not count
	size          int             // octets of the fixed part
	change        int             // offset of 4 octets of the fixed part that do not count; -1: none
}

type nlKeyPart struct {
	off, size int
	num       uint16
	way       bool
}

// startResync remembers what the socket's groups tell about.
func (s *netlinkSocket) startResync(L *lua.State, op string) error {
	if s.events == nil {
		return &lua.ArgError{Name: "opts", Msg: "option resync: needs async_cache = true"}
	}
	if s.resync == nil {
		s.resync = &nlResync{
			sources: map[uint32]resyncSource{}, things: map[string]nlThing{}, keys: map[*netlink.Class]*nlKey{},
			front: netlink.NewQueue(math.MaxInt, nil), seed: maphash.MakeSeed(),
		}
	}
	for g := range s.groups {
		src, ok := resyncGroups[g]
		if s.family != 0 || !ok {
			return &lua.ArgError{Name: "opts", Msg: fmt.Sprintf("option resync: what group %d of %s tells about cannot be dumped", g, s.name)}
		}
		if _, there := s.resync.sources[g]; there {
			continue
		}
		list, err := s.rawDump(op, src)
		if err != nil {
			return err
		}
		s.resync.sources[g] = src
		for _, raw := range list {
			s.observe(raw)
		}
	}
	return nil
}

// key is what a message is about; "" if nobody can say. base leaves the way
// there out.
func (s *netlinkSocket) keyOf(raw []byte) (key, base string, hash uint64, ok bool) {
	c := s.policy.classOf(raw)
	if c == nil {
		return "", "", 0, false
	}
	r := s.resync
	k := r.keys[c]
	if k == nil {
		k = newKey(c)
		r.keys[c] = k
	}
	body := raw[netlink.HeaderSize:]
	if len(body) < k.size {
		return "", "", 0, false
	}
	h, _ := netlink.ParseHeader(raw)
	b := append(r.scratch[:0], byte(h.Type&^3), byte(h.Type>>8), body[0])
	for _, f := range k.fields {
		if !f.way {
			b = append(b, body[f.off:f.off+f.size]...)
		}
	}
	attr := func(want nlKeyPart) {
		for rest := body[min(netlink.Align(k.size), len(body)):]; len(rest) >= 4; {
			n := int(binary.NativeEndian.Uint16(rest))
			if n < 4 || n > len(rest) {
				return
			}
			if binary.NativeEndian.Uint16(rest[2:])&0x3fff == want.num {
				b = binary.NativeEndian.AppendUint32(b, uint32(n)<<16|uint32(want.num))
				b = append(b, rest[4:n]...)
				return
			}
			rest = rest[min(netlink.Align(n), len(rest)):]
		}
	}
	for _, a := range k.attrs {
		if !a.way {
			attr(a)
		}
	}
	if k.fn != nil {
		vs, err := s.h.Call(nil, k.fn, s.w.pushMessage(nil, raw, s.policy, s.plainMeta()))
		if err != nil {
			return "", "", 0, false
		}
		for _, v := range vs {
			b = append(append(b, lua.Text(s.h.Root(), v)...), 0)
		}
	}
	n := len(b)
	for _, f := range k.fields {
		if f.way {
			b = append(b, body[f.off:f.off+f.size]...)
		}
	}
	for _, a := range k.attrs {
		if a.way {
			attr(a)
		}
	}
	r.scratch = b

	var m maphash.Hash
	m.SetSeed(r.seed)
	if k.change >= 0 {
		m.Write(body[:k.change])
		m.Write(body[k.change+4 : k.size])
	} else {
		m.Write(body[:k.size])
	}
	for rest := body[min(netlink.Align(k.size), len(body)):]; len(rest) >= 4; {
		n := int(binary.NativeEndian.Uint16(rest))
		if n < 4 || n > len(rest) {
			break
		}
		if !k.skip[binary.NativeEndian.Uint16(rest[2:])&0x3fff] {
			m.Write(rest[:n])
		}
		rest = rest[min(netlink.Align(n), len(rest)):]
	}
	return string(b), string(b[:n]), m.Sum64(), true
}

func newKey(c *netlink.Class) *nlKey {
	k := &nlKey{skip: map[uint16]bool{}, size: c.Size, change: -1}
	for _, a := range c.Attrs {
		if volatile[a.Name] {
			k.skip[a.Num] = true
		}
	}
	for _, f := range c.Fields {
		if f.Name == "change" && f.Size == 4 {
			k.change = f.Off
		}
	}
	lc, _ := c.Handle.(*luaClass)
	if lc == nil {
		return k
	}
	k.fn, _ = lc.key.(*lua.Function)
	if t, ok := lc.key.(*lua.Table); ok {
		for i := 1; i <= t.Len(); i++ {
			name := t.RawGetInt(i).String()
			m := c.Member(name)
			switch {
			case m.Field != nil:
				k.fields = append(k.fields, nlKeyPart{off: m.Field.Off, size: m.Field.Size, way: nlWay[name]})
			case m.Attr != nil:
				k.attrs = append(k.attrs, nlKeyPart{num: m.Attr.Num, way: nlWay[name]})
			}
		}
	}
	return k
}

// observe remembers what a message tells.
func (s *netlinkSocket) observe(raw []byte) {
	h, _ := netlink.ParseHeader(raw)
	for _, src := range s.resync.sources {
		if !src.has(h.Type, raw) {
			continue
		}
		key, base, hash, ok := s.keyOf(raw)
		switch {
		case !ok:
		case h.Type == src.typ:
			s.resync.things[key] = nlThing{slices.Clone(raw), hash, base}
		default:
			delete(s.resync.things, key)
		}
		return
	}
}

// observeAll is observe for the messages of a datagram from the reader.
func (s *netlinkSocket) observeAll(m *netlink.Datagram) {
	if s.resync == nil || m.Lost != nil {
		return
	}
	for msg, rest, err := netlink.Next(m.Data); msg != nil && err == nil; msg, rest, err = netlink.Next(rest) {
		s.observe(msg)
	}
}

// catchUp finds out what was lost, and has it delivered next.
func (s *netlinkSocket) catchUp(op string) error {
	r := s.resync
	if r == nil || s.closed {
		return nil
	}
	s.n.Resyncs++
	for _, src := range r.sources {
		list, err := s.rawDump(op, src)
		if err != nil {
			if e := s.h.Sleep(0); e != nil || s.closed {
				return e
			}
			fmt.Fprintf(s.h.Stderr(), "netlink socket %s: resync: %v\n", s.name, err)
			continue
		}
		s.difference(src, list)
	}
	return nil
}

func (s *netlinkSocket) difference(src resyncSource, list [][]byte) {
	r := s.resync
	now := s.h.Clock().Now()
	fresh := make(map[string]nlThing, len(list))
	order := make([]string, 0, len(list))
	for _, raw := range list {
		if h, _ := netlink.ParseHeader(raw); !src.has(h.Type, raw) {
			continue
		}
		key, base, hash, ok := s.keyOf(raw)
		if !ok {
			continue
		}
		if _, twice := fresh[key]; !twice {
			order = append(order, key)
		}
		fresh[key] = nlThing{raw, hash, base}
	}
	deliver := func(raw []byte, typ uint16) {
		m := slices.Clone(raw)
		netlink.Header{Len: uint32(len(m)), Type: typ}.Put(m)
		r.front.Push(m, netlink.Received{NSID: -1, Groups: 1 << 31}, now)
	}
	// Who knows things by less than the key takes the end of one way for the end
	// of the thing: tell what is still there once more.
	again := map[string]bool{}
	for key, old := range r.things {
		h, _ := netlink.ParseHeader(old.raw)
		if !src.has(h.Type, old.raw) {
			continue
		}
		if _, still := fresh[key]; !still {
			deliver(old.raw, src.typ+1)
			again[old.base] = true
			delete(r.things, key)
		}
	}
	for _, key := range order {
		f := fresh[key]
		old, known := r.things[key]
		if !known || old.hash != f.hash || again[f.base] {
			deliver(f.raw, src.typ)
		}
		f.raw = slices.Clone(f.raw)
		r.things[key] = f
	}
}

// rawDump is a dump that goes past scripts. One that was interrupted is made
// again.
func (s *netlinkSocket) rawDump(op string, src resyncSource) ([][]byte, error) {
	body := make([]byte, src.body)
	body[0] = src.family
	var list [][]byte
	for try := 0; ; try++ {
		x := s.begin(0, netlink.FlagRequest|netlink.FlagDump)
		x.quiet = true
		var err error
		if s.dumping != nil {
			err = s.wholeDump(x)
		}
		list = list[:0]
		if err == nil {
			h := netlink.Header{Len: uint32(netlink.HeaderSize + len(body)), Type: src.typ + 2, Flags: x.flags, Seq: x.seq, PID: s.sock.PID()}
			s.request = append(h.Append(s.request[:0]), body...)
			s.dumping = x
			err = s.send(op, x)
		}
		complete := false
		end := s.within(max(s.timeout, time.Second))
		for err == nil && !complete {
			msg := x.next()
			if msg == nil {
				var ok bool
				ok, err = s.until(end, op, x, func() (bool, error) {
					msg = x.next()
					return msg != nil, nil
				})
				if err == nil && !ok {
					err = s.tooLate(op, s.timeout, x.flags)
				}
				if err != nil {
					break
				}
			}
			h, _ := netlink.ParseHeader(msg)
			if h.Type == netlink.TypeError || h.Type == netlink.TypeDone {
				complete = true
				if e := netlink.ErrorOf(msg); e != nil && e.Errno != 0 {
					err = s.kernelError(op, e)
				}
			} else {
				list = append(list, msg)
			}
		}
		x.parts = nil
		s.end(x, complete)
		switch {
		case err != nil && netlink.IsBusy(err) && try < busyRetries:
			if err := s.h.Sleep(busyWait); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		case !x.interrupted || try >= busyRetries:
			return list, nil
		}
	}
}
