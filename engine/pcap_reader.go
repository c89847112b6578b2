package engine

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"sync/atomic"
	"time"
)

// pcapReader is a capture file as a Conn: pcap in either byte order, in micro-
// or nanoseconds, or pcapng with any number of sections and interfaces, plain
// or compressed with gzip.
//
// Frames are handed out as views of one buffer, without a copy:
//
//	buf   | handed out | read, not yet looked at | free |
//	                   r                         w
//
// gopacket's readers were measured and not taken: they copy, refuse records
// whose captured length exceeds the original one (real files have them), cut
// link types to 8 bits, allocate what a broken file tells them to, and do not
// say where a file is broken.
type pcapReader struct {
	counters
	name             string
	link             LinkType
	file             io.Closer
	src              io.Reader
	closed, released atomic.Bool

	buf  []byte
	r, w int
	base int64 // place of buf[0] in the (uncompressed) file
	end  error // what the source said last; the rest of buf is still good
	fail error // final: the end, or the fault

	next  func(*Frame) (bool, error) // parses one record at r; false: not a frame
	order binary.ByteOrder
	nanos int64 // pcap: nanoseconds in a unit of the fraction; 0 in pcapng

	ifaces []ngInterface // pcapng: of this section
}

// ngInterface is an interface description block of pcapng.
type ngInterface struct {
	link    LinkType
	snaplen uint32
	unit    ngUnit
	offset  int64 // seconds to add
}

// readAhead is what is asked of the file at once.
const readAhead = 256 << 10

// maxRecord is the longest record that is believed: as in libpcap, whose
// largest snapshot length is 128 MiB.
const maxRecord = 128<<20 + 64

// OpenPcap opens a capture file for reading. It may also be a pipe, which then
// blocks the caller of TryRead until frames come.
func OpenPcap(file string) (Conn, error) {
	name := "pcap:" + file
	f, err := os.Open(file)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) { // its text would name the file a second time
			err = pe.Err
		}
		return nil, &OpError{Op: "open", Conn: name, Err: err}
	}
	p := &pcapReader{name: name, file: f, src: f, buf: make([]byte, readAhead)}
	if err := p.open(); err != nil {
		f.Close()
		return nil, &OpError{Op: "open", Conn: name, Err: err, kind: kindOfFault(err)}
	}
	return p, nil
}

// kindOfFault: a file that is not what it should be is a wrong argument, unless
// it ended too early or could not be read.
func kindOfFault(err error) string {
	var sys *fs.PathError
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &sys) {
		return ""
	}
	return "argument"
}

// open reads the file header, and of pcapng all blocks before the first packet.
func (p *pcapReader) open() error {
	magic, err := p.peek(4)
	if len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(p.buf[p.r:p.w])), p.src))
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		p.src, p.r, p.w, p.end = z, 0, 0, nil
		magic, err = p.peek(4)
		if err != nil && len(magic) > 0 {
			return fmt.Errorf("gzip: %w", err)
		}
	}
	switch {
	case len(magic) == 0 && err == io.EOF:
		return endsEarly("the file is empty")
	case len(magic) < 4:
		return p.short(4, err)
	}
	switch m := binary.LittleEndian.Uint32(magic); m {
	case 0xa1b2c3d4, 0xa1b23c4d:
		p.order = binary.LittleEndian
	case 0xd4c3b2a1, 0x4d3cb2a1:
		p.order = binary.BigEndian
	case ngSection:
		p.next = p.ngBlock
		for len(p.ifaces) == 0 {
			var f Frame
			frame, err := p.ngBlock(&f)
			if err == io.EOF { // sections without an interface have no frames
				p.fail, p.link = io.EOF, LinkEthernet
				return nil
			}
			if err != nil {
				return err
			}
			if frame {
				break
			}
		}
		p.link = p.ifaces[0].link
		return nil
	default:
		return fmt.Errorf("not a capture file: it starts with %x", magic)
	}
	header, err := p.peek(24)
	if err != nil {
		return p.short(24, err)
	}
	p.nanos = 1000
	if p.order.Uint32(header) == 0xa1b23c4d {
		p.nanos = 1
	}
	if v := p.order.Uint16(header[4:]); v != 2 {
		return p.fault(4, "version %d of the format is unknown", v)
	}
	// The upper half of the word says whether frames end with a check sequence.
	p.link = linkOf(uint16(p.order.Uint32(header[20:])))
	p.r += 24
	p.next = p.record
	return nil
}

// linkOf maps the numbers that some systems wrote for raw IP to the one of the
// standard.
func linkOf(n uint16) LinkType {
	if n == 12 || n == 14 {
		return LinkRaw
	}
	return LinkType(n)
}

// fault is a fault of the file, found off octets behind r.
func (p *pcapReader) fault(off int, format string, args ...any) error {
	return fmt.Errorf("octet %d: "+format, append([]any{p.base + int64(p.r+off)}, args...)...)
}

// endsEarly is io.ErrUnexpectedEOF in better words.
type endsEarly string

func (e endsEarly) Error() string { return string(e) }
func (e endsEarly) Unwrap() error { return io.ErrUnexpectedEOF }

// short says that the file ends where n octets should be.
func (p *pcapReader) short(n int, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return endsEarly(fmt.Sprintf("octet %d: want %d octets, the file ends after %d", p.base+int64(p.r), n, p.w-p.r))
	}
	return fmt.Errorf("octet %d: %w", p.base+int64(p.w), err)
}

// peek shows the next n octets; fewer with an error, io.EOF at the end. It may
// move the buffer, so what was handed out before is gone.
func (p *pcapReader) peek(n int) ([]byte, error) {
	for p.w-p.r < n {
		if p.end != nil {
			return p.buf[p.r:p.w], p.end
		}
		if p.r > 0 {
			p.w = copy(p.buf, p.buf[p.r:p.w])
			p.base += int64(p.r)
			p.r = 0
		}
		if p.w == len(p.buf) {
			// Doubling keeps the memory below twice what the file really holds,
			// whatever length it claims.
			p.buf = append(p.buf, make([]byte, len(p.buf))...)
		}
		m, err := p.src.Read(p.buf[p.w:])
		p.w += m
		p.end = err
	}
	return p.buf[p.r : p.r+n], nil
}

func (p *pcapReader) Name() string       { return p.name }
func (p *pcapReader) LinkType() LinkType { return p.link }

func (p *pcapReader) TryRead(fs []Frame) (n int, err error) {
	if p.closed.Load() {
		return 0, closedError("read", p.name)
	}
	for n < len(fs) && p.fail == nil {
		// What this call has handed out must stay: go on only while the next
		// record is in the buffer as a whole.
		if n > 0 && !p.buffered() {
			break
		}
		frame, err := p.next(&fs[n])
		if err == io.EOF {
			p.fail = io.EOF
		} else if err != nil {
			p.fail = &OpError{Op: "read", Conn: p.name, Err: err, kind: kindOfFault(err)}
		} else if frame {
			n++
		}
	}
	if n == 0 {
		if p.fail == io.EOF {
			p.release()
		}
		return 0, p.fail
	}
	p.received(fs[:n])
	return n, nil
}

func (p *pcapReader) finite() {}

// release gives the file back; frames handed out lie in the buffer.
func (p *pcapReader) release() error {
	if p.released.Swap(true) {
		return nil
	}
	return p.file.Close()
}

// buffered reports whether the next record can be parsed without reading.
func (p *pcapReader) buffered() bool {
	have := p.w - p.r
	if p.order == nil || have < 16 {
		return false
	}
	head := p.buf[p.r:p.w]
	if p.nanos == 0 { // pcapng; a section may change the byte order
		return (uint64(p.order.Uint32(head[4:]))+3)&^3 <= uint64(have) && p.order.Uint32(head) != ngSection
	}
	return uint64(p.order.Uint32(head[8:]))+16 <= uint64(have)
}

// record parses a record of a pcap file: seconds, fraction, captured length,
// original length.
func (p *pcapReader) record(f *Frame) (bool, error) {
	head, err := p.peek(16)
	if err != nil {
		if err == io.EOF && len(head) == 0 {
			return false, io.EOF
		}
		return false, p.short(16, err)
	}
	sec, frac := p.order.Uint32(head), p.order.Uint32(head[4:])
	n, wire := p.order.Uint32(head[8:]), p.order.Uint32(head[12:])
	if n > maxRecord {
		return false, p.fault(8, "a record of %d octets is not believable", n)
	}
	all, err := p.peek(16 + int(n))
	if err != nil {
		return false, p.short(16+int(n), err)
	}
	p.r += len(all)
	*f = Frame{
		Data: all[16:len(all):len(all)],
		Time: time.Unix(int64(sec), int64(frac)*p.nanos),
		Len:  int(max(n, wire)),
		Link: p.link,
	}
	return true, nil
}

// Block types of pcapng (draft-ietf-opsawg-pcapng).
const (
	ngSection   = 0x0a0d0d0a
	ngIfaceDesc = 1
	ngOldPacket = 2
	ngSimple    = 3
	ngEnhanced  = 6
)

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
	nanos := float64(ticks%second) / float64(second) * 1e9
	return time.Unix(int64(ticks/second)+offset, int64(math.Min(nanos, 1e9-1)))
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
		p.ifaces = p.ifaces[:0]
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
	case ngIfaceDesc:
		if err := need(8); err != nil {
			return false, err
		}
		i := ngInterface{link: linkOf(p.order.Uint16(body)), snaplen: p.order.Uint32(body[4:]), unit: ngUnit{digits: 6}}
		p.options(body[8:], func(code uint16, value []byte) {
			switch {
			case code == 9 && len(value) == 1: // if_tsresol
				i.unit = ngUnit{value[0] & 0x7f, value[0]&0x80 != 0}
			case code == 14 && len(value) == 8: // if_tsoffset
				i.offset = int64(p.order.Uint64(value))
			}
		})
		p.ifaces = append(p.ifaces, i)
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
		if len(p.ifaces) > 0 && p.ifaces[0].snaplen != 0 {
			caplen = min(caplen, p.ifaces[0].snaplen)
		}
		caplen = min(caplen, uint32(len(data)))
	}
	if data == nil {
		p.r += size
		return false, nil
	}
	if int64(iface) >= int64(len(p.ifaces)) {
		return false, p.fault(8, "a packet of interface %d, the section has %d", iface, len(p.ifaces))
	}
	if int64(caplen) > int64(len(data)) {
		return false, p.fault(20, "a packet of %d octets in a block with room for %d", caplen, len(data))
	}
	p.r += size
	i := &p.ifaces[iface]
	*f = Frame{Data: data[:caplen:caplen], Len: int(max(caplen, wire)), Link: i.link}
	if kind != ngSimple { // which has no time
		f.Time = i.unit.time(ticks, i.offset)
	}
	return true, nil
}

// options walks the options of a block; a broken list ends early, it says
// nothing about frames.
func (p *pcapReader) options(b []byte, each func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, n := p.order.Uint16(b), int(p.order.Uint16(b[2:]))
		b = b[4:]
		if code == 0 || n > len(b) {
			return
		}
		each(code, b[:n])
		b = b[min(len(b), (n+3)&^3):]
	}
}

// TryWrite refuses: the file was opened for reading.
func (p *pcapReader) TryWrite([][]byte) (int, error) {
	if p.closed.Load() {
		return 0, closedError("write", p.name)
	}
	return 0, &OpError{Op: "write", Conn: p.name, Err: errors.ErrUnsupported, hint: "the file was opened for reading; open it with connector.pcap_writer"}
}

// Wait returns at once: a file is always ready.
func (p *pcapReader) Wait(ctx context.Context, _ Readiness) error {
	if p.closed.Load() {
		return closedError("wait", p.name)
	}
	return ctx.Err()
}

// Notify has nothing to tell.
func (p *pcapReader) Notify(func()) (cancel func()) { return func() {} }

func (p *pcapReader) Close() error {
	if p.closed.Swap(true) {
		return nil
	}
	return p.release()
}

var _ Conn = (*pcapReader)(nil)
