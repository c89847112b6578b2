package engine

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// PcapConfig describes a capture file to read.
type PcapConfig struct {
	File string // "-" is standard input
	// Follow waits for more at the end of the file, as long as it is open:
	// somebody else is still writing it.
	Follow bool
}

// pcapReader reads a capture: pcap in either byte order, in micro- or
// nanoseconds, or pcapng with any number of sections and interfaces, plain or
// compressed.
//
// Frames are handed out as views of one buffer, without a copy:
//
//	buf   | handed out | read, not yet looked at | free |
//	                   r                         w
//
// The source may say errAgain: then a record that is not there as a whole stays
// where it is, and is tried again.
//
// gopacket's readers were measured and not taken: they copy, refuse records
// whose captured length exceeds the original one (real files have them), cut
// link types to 8 bits, allocate what a broken file tells them to, and do not
// say where a file is broken.
type pcapReader struct {
	counters
	name             string
	link             LinkType
	src              io.Reader
	free             func() error // gives back what src has of the system
	closed, released atomic.Bool

	buf  []byte
	r, w int
	base int64 // place of buf[0] in the (uncompressed) file
	end  error // what the source said last; the rest of buf is still good
	fail error // final: the end, or the fault

	next  func(*Frame) (bool, error) // parses one record at r; false: not a frame
	order binary.ByteOrder
	nanos int64 // pcap: nanoseconds in a unit of the fraction; 0 in pcapng

	ng ngState
}

// errAgain is what a source says that has nothing now, but may later.
var errAgain = errors.New("nothing now")

// readAhead is what is asked of the file at once.
const readAhead = 256 << 10

// maxRecord is the longest record that is believed: as in libpcap, whose
// largest snapshot length is 128 MiB.
const maxRecord = 128<<20 + 64

// pcapFile is a file on a disk: reading it does not wait.
type pcapFile struct {
	pcapReader
	reading sync.Mutex // held by TryRead, and by Close when it takes away what that uses
}

// TryRead never waits but for the disk.
func (p *pcapFile) TryRead(fs []Frame) (int, error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	return p.pcapReader.TryRead(fs)
}

// OpenPcap opens a capture for reading: a file, a pipe, or standard input.
func OpenPcap(env *Env, cfg PcapConfig) (Conn, error) {
	env.init()
	name := "pcap:" + cfg.File
	failed := func(err error) (Conn, error) {
		var pe *fs.PathError
		if errors.As(err, &pe) { // its text would name the file a second time
			err = pe.Err
		}
		return nil, &OpError{Op: "open", Conn: name, Err: err}
	}
	f, mode, err := openSource(cfg.File)
	switch {
	case err != nil:
		return failed(err)
	case mode.IsDir():
		f.Close()
		return failed(&kindError{"argument", syscall.EISDIR})
	case cfg.Follow || !mode.IsRegular():
		// What others write comes when they have time.
		if err := needsRealTime(env, name); err != nil {
			f.Close()
			return nil, err
		}
		s, err := openStream(name, f, cfg.Follow && mode.IsRegular())
		if err != nil {
			return failed(err)
		}
		return s, nil
	}
	src, free, err := uncompressed(f)
	p := &pcapFile{pcapReader: pcapReader{name: name, src: src, buf: make([]byte, readAhead)}}
	p.free = func() error { free(); return f.Close() }
	if err == nil {
		err = p.open()
	}
	if err != nil {
		p.release()
		return nil, &OpError{Op: "open", Conn: name, Err: err, kind: kindOfFault(err)}
	}
	return p, nil
}

// openSource opens a file without waiting for anybody: a pipe need not have a
// writer yet.
func openSource(name string) (*os.File, fs.FileMode, error) {
	var f *os.File
	var err error
	switch name {
	case "-", "/dev/stdin": // which cannot be opened by that name if it is a socket
		f, err = standardInput()
	default:
		f, err = os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	}
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, st.Mode(), nil
}

// uncompressed reads what r holds, whatever it is packed in; free gives back
// the memory of that. An error belongs to the reading, too.
func uncompressed(r io.Reader) (src io.Reader, free func(), err error) {
	b := bufio.NewReaderSize(r, 64<<10)
	free = func() {}
	magic, _ := b.Peek(4) // an error comes again
	if len(magic) < 2 {
		return b, free, nil
	}
	for _, p := range packings {
		if string(magic[:min(len(magic), len(p.magic))]) != p.magic {
			continue
		}
		src, free, err = p.open(b)
		if err != nil {
			return b, func() {}, fmt.Errorf("%s: %w", p.name, err)
		}
		return &packed{p.name, src}, free, nil
	}
	return b, free, nil
}

// packed names the packing in errors.
type packed struct {
	name string
	r    io.Reader
}

func (p *packed) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if err != nil && err != io.EOF && err != errAgain {
		err = fmt.Errorf("%s: %w", p.name, err)
	}
	return n, err
}

// kindError is an error of the system that a script should see as another kind.
type kindError struct {
	kind string
	error
}

func (e *kindError) Kind() string  { return e.kind }
func (e *kindError) Unwrap() error { return e.error }

// kindOfFault: a file that is not what it should be is a wrong argument, unless
// it ended too early or could not be read.
func kindOfFault(err error) string {
	var sys syscall.Errno
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &sys) {
		return ""
	}
	return "argument"
}

// open reads the file header, and of pcapng all blocks before the first packet.
// If there is not enough of it yet, it may be called again.
func (p *pcapReader) open() error {
	if p.next == nil {
		if err := p.header(); err != nil {
			return err
		}
	}
	if p.nanos != 0 {
		return nil
	}
	for len(p.ng.ifaces) == 0 {
		var f Frame
		_, err := p.ngBlock(&f) // a frame needs an interface
		if err == io.EOF {      // sections without an interface have no frames
			p.fail, p.link = io.EOF, LinkEthernet
			return nil
		}
		if err != nil {
			return err
		}
	}
	p.link = p.ng.ifaces[0].LinkType
	return nil
}

func (p *pcapReader) header() error {
	magic, err := p.peek(4)
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
	p.ng.snaplen = p.order.Uint32(header[16:])
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
	if err == errAgain {
		return err
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
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
		if err == errAgain {
			return p.buf[p.r:p.w], err
		}
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
		if err == errAgain {
			break
		}
		if err == io.EOF {
			p.fail = io.EOF
		} else if err != nil {
			p.fail = &OpError{Op: "read", Conn: p.name, Err: err, kind: kindOfFault(err)}
		} else if frame {
			n++
		}
	}
	if n == 0 {
		if p.fail != nil {
			p.release()
			p.buf, p.r, p.w = nil, 0, 0
		}
		return 0, p.fail
	}
	p.received(fs[:n])
	return n, nil
}

func (p *pcapReader) finite() {}

// About tells of the capture as a whole, as far as it was read.
func (p *pcapReader) About() About {
	if p.nanos != 0 {
		digits := uint8(6)
		if p.nanos == 1 {
			digits = 9
		}
		return About{Format: "pcap", Interfaces: []PcapInterface{{LinkType: p.link, Snaplen: int(p.ng.snaplen), Digits: digits}}}
	}
	return p.ng.about()
}

// release gives the file back; frames handed out lie in the buffer.
func (p *pcapReader) release() error {
	if p.released.Swap(true) {
		return nil
	}
	return p.free()
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

// TryWrite refuses: the file was opened for reading.
func (p *pcapReader) TryWrite([][]byte) (int, error) {
	if p.closed.Load() {
		return 0, closedError("write", p.name)
	}
	return 0, &OpError{Op: "write", Conn: p.name, Err: errors.ErrUnsupported, hint: "the file was opened for reading; open it with connector.pcap_writer"}
}

// Wait returns at once: a file is always ready.
func (p *pcapFile) Wait(ctx context.Context, _ Readiness) error {
	if p.closed.Load() {
		return closedError("wait", p.name)
	}
	return ctx.Err()
}

// Notify has nothing to tell.
func (p *pcapFile) Notify(func()) (cancel func()) { return func() {} }

// Close ends it, also while another goroutine reads.
func (p *pcapFile) Close() error {
	if p.closed.Swap(true) {
		return nil
	}
	p.reading.Lock()
	defer p.reading.Unlock()
	return p.release()
}

var (
	_ Conn     = (*pcapFile)(nil)
	_ Notifier = (*pcapFile)(nil)
	_ Finite   = (*pcapFile)(nil)
)
