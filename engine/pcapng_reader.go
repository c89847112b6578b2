package engine

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/netip"
	"strings"
	"time"
)

// About is what a capture file says of itself.
type About struct {
	Format string // pcap or pcapng
	PcapSection
	Interfaces []PcapInterface
	Names      []PcapName
}

// PcapSection describes what wrote a pcapng file, and where.
type PcapSection struct {
	Comments               []string
	Hardware, OS, UserAppl string
}

// PcapInterface is an interface description of a pcapng file.
type PcapInterface struct {
	Name, Description string
	LinkType          LinkType
	Snaplen           int   // octets of a frame that are kept; 0: all
	Digits            uint8 // decimal digits of a second that timestamps have; 0 for binary fractions
	Filter            string
	Received, Dropped uint64 // what the interface counted, if the file says so
}

// PcapName is what an address is called.
type PcapName struct {
	Addr  netip.Addr
	Names []string
}

// Capture is a Conn that is a capture file. About has what was read or written
// so far.
type Capture interface{ About() About }

// Block types of pcapng (draft-ietf-opsawg-pcapng).
const (
	ngSection   = 0x0a0d0d0a
	ngIfaceDesc = 1
	ngOldPacket = 2
	ngSimple    = 3
	ngNames     = 4
	ngCounts    = 5
	ngEnhanced  = 6
)

// Option codes that many blocks have, and those of one.
const (
	optEnd     = 0
	optComment = 1

	optHardware = 2 // of a section
	optOS       = 3
	optUserAppl = 4

	optIfName   = 2
	optIfDesc   = 3
	optIfTsres  = 9
	optIfFilter = 11
	optIfTsoff  = 14

	optFlags = 2 // of a packet

	optIfRecv = 4 // of counts
	optIfDrop = 5
)

// ngState is what a reader of pcapng has learnt.
type ngState struct {
	section PcapSection
	ifaces  []ngInterface // of this section
	names   []PcapName
	snaplen uint32 // of a pcap file

	said, called kept // of the section and its interfaces; of names
}

// ngInterface is an interface description block of pcapng.
type ngInterface struct {
	PcapInterface
	snaplen uint32
	unit    ngUnit
	offset  int64      // seconds to add
	info    *FrameInfo // of a frame about which there is nothing more to say
}

// What is kept of a file beside its frames is bounded: a packed one may hold
// thousands of times its own length of it. Texts beyond the bound are left out.
const (
	maxIfaces   = 1 << 16
	maxNames    = 1 << 16
	maxTexts    = 16 << 20 // octets, with what a text costs beside
	maxComments = 1 << 20  // the same, of one frame
	textCost    = 16
)

// kept counts the octets of texts that are kept.
type kept int

// room takes place for texts of so many octets, if there is some up to the limit.
func (k *kept) room(texts, octets, limit int) bool {
	n := kept(octets + texts*textCost)
	if *k+n > kept(limit) {
		return false
	}
	*k += n
	return true
}

func (s *ngState) about() About {
	a := About{Format: "pcapng", PcapSection: s.section, Names: s.names}
	for i := range s.ifaces {
		a.Interfaces = append(a.Interfaces, s.ifaces[i].PcapInterface)
	}
	return a
}

// ngUnit is the unit of timestamps: 10 to the minus digits, or, if binary, 2 to
// the minus digits.
type ngUnit struct {
	digits uint8
	binary bool
}

func (u ngUnit) time(ticks uint64, offset int64) time.Time {
	if u.binary {
		if u.digits >= 64 {
			return time.Unix(offset, 0)
		}
		// Keep 32 bits of the fraction: enough for a nanosecond.
		sec, frac := ticks>>u.digits, ticks&(1<<u.digits-1)
		if u.digits > 32 {
			frac >>= u.digits - 32
		} else {
			frac <<= 32 - u.digits
		}
		return time.Unix(int64(sec)+offset, int64(frac*1e9>>32))
	}
	switch u.digits {
	case 6:
		return time.Unix(int64(ticks/1e6)+offset, int64(ticks%1e6)*1e3)
	case 9:
		return time.Unix(int64(ticks/1e9)+offset, int64(ticks%1e9))
	}
	if u.digits > 19 { // less than a second in 64 bits
		return time.Unix(offset, 0)
	}
	second := uint64(1)
	for range u.digits {
		second *= 10
	}
	frac := ticks % second
	for d := u.digits; d < 9; d++ {
		frac *= 10
	}
	for d := u.digits; d > 9; d-- {
		frac /= 10
	}
	return time.Unix(int64(ticks/second)+offset, int64(frac))
}

// ngBlock parses one block of a pcapng file and reports whether it was a frame.
func (p *pcapReader) ngBlock(f *Frame) (bool, error) {
	head, err := p.peek(12)
	if err != nil {
		if err == io.EOF && len(head) == 0 {
			return false, io.EOF
		}
		return false, p.short(12, err)
	}
	if binary.LittleEndian.Uint32(head) == ngSection { // reads the same in both orders
		switch {
		case binary.LittleEndian.Uint32(head[8:]) == 0x1a2b3c4d:
			p.order = binary.LittleEndian
		case binary.BigEndian.Uint32(head[8:]) == 0x1a2b3c4d:
			p.order = binary.BigEndian
		default:
			return false, p.fault(8, "section with byte order %x", head[8:12])
		}
		p.ng.ifaces = p.ng.ifaces[:0]
	}
	kind, n := p.order.Uint32(head), p.order.Uint32(head[4:])
	if n < 12 || n > maxRecord {
		return false, p.fault(4, "a block of %d octets is not believable", n)
	}
	size := int(n+3) &^ 3 // some writers do not count the padding
	block, err := p.peek(size)
	if err != nil {
		return false, p.short(size, err)
	}
	if again := p.order.Uint32(block[size-4:]); again != n {
		return false, p.fault(size-4, "a block of %d octets ends with length %d", n, again)
	}
	body := block[8 : size-4]
	need := func(octets int) error {
		if len(body) < octets {
			return p.fault(4, "a block of type %d has %d octets, want at least %d", kind, n, octets+12)
		}
		return nil
	}
	var iface, caplen, wire uint32
	var ticks uint64
	var data []byte
	switch kind {
	case ngSection:
		if err := need(16); err != nil {
			return false, err
		}
		if v := p.order.Uint16(body[4:]); v != 1 {
			return false, p.fault(12, "version %d of pcapng is unknown", v)
		}
		p.ng.section, p.ng.said = PcapSection{}, 0
		p.options(body[16:], func(code uint16, value []byte) {
			if code > optUserAppl || !p.ng.said.room(1, len(value), maxTexts) {
				return
			}
			switch s := &p.ng.section; code {
			case optComment:
				s.Comments = append(s.Comments, string(value))
			case optHardware:
				s.Hardware = string(value)
			case optOS:
				s.OS = string(value)
			case optUserAppl:
				s.UserAppl = string(value)
			}
		})
	case ngIfaceDesc:
		if err := need(8); err != nil {
			return false, err
		}
		if len(p.ng.ifaces) == maxIfaces {
			return false, p.fault(0, "more than %d interfaces are not believable", maxIfaces)
		}
		p.ng.ifaces = append(p.ng.ifaces, p.iface(body))
	case ngNames:
		p.nameRecords(body)
	case ngCounts:
		if err := need(12); err != nil {
			return false, err
		}
		if id := p.order.Uint32(body); int64(id) < int64(len(p.ng.ifaces)) {
			i := &p.ng.ifaces[id]
			p.options(body[12:], func(code uint16, value []byte) {
				switch {
				case code == optIfRecv && len(value) == 8:
					i.Received = p.order.Uint64(value)
				case code == optIfDrop && len(value) == 8:
					i.Dropped = p.order.Uint64(value)
				}
			})
		}
	case ngEnhanced, ngOldPacket:
		if err := need(20); err != nil {
			return false, err
		}
		iface = p.order.Uint32(body)
		if kind == ngOldPacket { // 16 bits of interface, 16 of drops
			iface = uint32(p.order.Uint16(body))
		}
		ticks = uint64(p.order.Uint32(body[4:]))<<32 | uint64(p.order.Uint32(body[8:]))
		caplen, wire, data = p.order.Uint32(body[12:]), p.order.Uint32(body[16:]), body[20:]
	case ngSimple:
		if err := need(4); err != nil {
			return false, err
		}
		wire, data = p.order.Uint32(body), body[4:]
		caplen = wire
		if len(p.ng.ifaces) > 0 && p.ng.ifaces[0].snaplen != 0 {
			caplen = min(caplen, p.ng.ifaces[0].snaplen)
		}
		caplen = min(caplen, uint32(len(data)))
	}
	if data == nil {
		p.r += size
		return false, nil
	}
	if int64(iface) >= int64(len(p.ng.ifaces)) {
		return false, p.fault(8, "a packet of interface %d, the section has %d", iface, len(p.ng.ifaces))
	}
	if int64(caplen) > int64(len(data)) {
		return false, p.fault(20, "a packet of %d octets in a block with room for %d", caplen, len(data))
	}
	p.r += size
	i := &p.ng.ifaces[iface]
	*f = Frame{Data: data[:caplen:caplen], Len: int(max(caplen, wire)), Link: i.LinkType, Info: i.info}
	if kind == ngSimple {
		return true, nil // neither time nor options
	}
	f.Time = i.unit.time(ticks, i.offset)
	if opts := data[min(len(data), int(caplen+3)&^3):]; len(opts) > 4 {
		f.Info = p.frameInfo(opts, i.info)
	}
	return true, nil
}

// iface reads an interface description.
func (p *pcapReader) iface(body []byte) ngInterface {
	i := ngInterface{snaplen: p.order.Uint32(body[4:]), unit: ngUnit{digits: 6}}
	i.LinkType, i.Snaplen = linkOf(p.order.Uint16(body)), int(i.snaplen)
	keep := func(value []byte) string {
		if !p.ng.said.room(1, len(value), maxTexts) {
			return ""
		}
		return text(value)
	}
	p.options(body[8:], func(code uint16, value []byte) {
		switch {
		case code == optIfName:
			i.Name = keep(value)
		case code == optIfDesc:
			i.Description = keep(value)
		case code == optIfFilter && len(value) > 0 && value[0] == 0:
			i.Filter = keep(value[1:])
		case code == optIfTsres && len(value) == 1:
			i.unit = ngUnit{value[0] & 0x7f, value[0]&0x80 != 0}
		case code == optIfTsoff && len(value) == 8:
			i.offset = int64(p.order.Uint64(value))
		}
	})
	if !i.unit.binary {
		i.Digits = i.unit.digits
	}
	if i.Name != "" {
		i.info = &FrameInfo{Interface: i.Name}
	}
	return i
}

// text is an option's text; some writers end it with a zero.
func text(b []byte) string { return string(bytes.TrimRight(b, "\x00")) }

// frameInfo is what the options of a packet say; info if they say nothing that
// we know.
func (p *pcapReader) frameInfo(opts []byte, info *FrameInfo) *FrameInfo {
	more := FrameInfo{}
	var octets kept
	p.options(opts, func(code uint16, value []byte) {
		switch {
		case code == optComment && octets.room(1, len(value), maxComments):
			more.Comments = append(more.Comments, string(value))
		case code == optFlags && len(value) == 4:
			more.Flags = p.order.Uint32(value)
		}
	})
	if more.Comments == nil && more.Flags == 0 {
		return info
	}
	if info != nil {
		more.Interface = info.Interface
	}
	return &more
}

// nameRecords reads a name resolution block: addresses and what they are called.
func (p *pcapReader) nameRecords(b []byte) {
	p.options(b, func(kind uint16, value []byte) { // records have the form of options
		octets := map[uint16]int{1: 4, 2: 16}[kind]
		if octets == 0 || len(value) <= octets || len(p.ng.names) >= maxNames {
			return
		}
		addr, _ := netip.AddrFromSlice(value[:octets])
		value = bytes.TrimRight(value[octets:], "\x00")
		if !p.ng.called.room(1+bytes.Count(value, zeros[:1]), len(value), maxTexts) {
			return
		}
		names := strings.Split(string(value), "\x00")
		p.ng.names = append(p.ng.names, PcapName{addr, names})
	})
}

// options walks the options of a block; a broken list ends early, it says
// nothing about frames.
func (p *pcapReader) options(b []byte, each func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, n := p.order.Uint16(b), int(p.order.Uint16(b[2:]))
		b = b[4:]
		if code == optEnd || n > len(b) {
			return
		}
		each(code, b[:n])
		b = b[min(len(b), (n+3)&^3):]
	}
}
