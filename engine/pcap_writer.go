package engine

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"pktsh/engine/clock"
)

// PcapWriterConfig describes a capture file to write.
type PcapWriterConfig struct {
	File     string // "-" is standard output; .gz and .zst are compressed
	Format   string // pcap or pcapng (default: by the file's ending, .pcapng, else pcap)
	LinkType LinkType
	Nanos    *bool // timestamps in nanoseconds, else microseconds (default: pcapng)
	Snaplen  int   // octets of a frame to keep (default: all, and 262144 is the longest)

	// Only pcapng keeps the rest.
	PcapSection                 // UserAppl is by default pktsh
	Interfaces  []PcapInterface // default: one of LinkType that is described with the first frame
	Names       []PcapName
}

// maxSnaplen is what the file header promises, and the longest frame that
// readers accept: libpcap's limit for Ethernet.
const maxSnaplen = 262144

// flushAfter is how long a frame may wait in the buffer, in the host's time,
// before others can see it in the file.
const flushAfter = 200 * time.Millisecond

// PcapWriter writes a capture file, little-endian so that the same run gives
// the same file on every machine.
type PcapWriter struct {
	counters
	name  string
	cfg   PcapWriterConfig
	nanos bool
	clock *clock.Clock

	pipe  *drain    // what writes, where a reader may keep a writer waiting; else nil
	last  sync.Once // the part of Close that may take its time
	fault error     // of End

	mu     sync.Mutex // guards all below
	file   *os.File   // nil with pipe
	pack   packer     // between out and file; nil: nothing
	out    *bufio.Writer
	closed bool
	timer  *clock.Timer // runs Flush; nil when the buffer is empty
	ng     *ngWriter    // nil: pcap
}

// CreatePcap creates the file, or empties it.
func CreatePcap(env *Env, cfg PcapWriterConfig) (*PcapWriter, error) {
	env.init()
	packing, plain := packingOf(cfg.File)
	w := &PcapWriter{name: "pcap_writer:" + cfg.File, clock: env.Clock}
	if cfg.Format == "" {
		cfg.Format = "pcap"
		if ending := filepath.Ext(plain); ending == ".pcapng" || ending == ".ntar" {
			cfg.Format = "pcapng"
		}
	}
	w.nanos = cfg.Format == "pcapng"
	if cfg.Nanos != nil {
		w.nanos = *cfg.Nanos
	}
	failed := func(err error) (*PcapWriter, error) {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, &OpError{Op: "open", Conn: w.name, Err: err}
	}
	if cfg.Snaplen == 0 {
		cfg.Snaplen = maxSnaplen
	}
	var err error
	switch {
	case cfg.Format != "pcap" && cfg.Format != "pcapng":
		err = argument("format %q: want pcap or pcapng", cfg.Format)
	case cfg.Snaplen < 1 || cfg.Snaplen > maxSnaplen:
		err = argument("snaplen %d: want 1 to %d", cfg.Snaplen, maxSnaplen)
	case cfg.Format == "pcapng":
		w.ng, err = newNgWriter(cfg, w.nanos)
	case len(cfg.Interfaces) > 0 || len(cfg.Names) > 0 || cfg.Comments != nil || cfg.Hardware+cfg.OS+cfg.UserAppl != "":
		err = &hinted{argument("a pcap file has no room for interfaces, names and comments"), `use format="pcapng", or a name that ends in .pcapng`}
	}
	if err != nil {
		return failed(err)
	}
	w.cfg = cfg
	to, err := w.create()
	if err != nil {
		return failed(err)
	}
	if packing != nil {
		if w.pack, err = packing.create(to); err != nil {
			w.release()
			return failed(err)
		}
		to = w.pack
	}
	w.out = bufio.NewWriterSize(to, 256<<10)
	if w.ng != nil {
		_ = w.ng.flush(w.out)
	} else {
		w.out.Write(w.header())
	}
	// The header goes out at once, so that a reader that comes early finds a
	// capture file, and a full disk is found here.
	if err := w.push(); err != nil {
		w.release()
		return failed(err)
	}
	return w, nil
}

// create creates the file, or empties it; "-" is standard output. A named pipe
// need not have a reader yet.
func (w *PcapWriter) create() (io.Writer, error) {
	name, open := w.cfg.File, standardOutput
	if name != "-" {
		open = func() (*os.File, error) { return os.Create(name) }
		if st, err := os.Stat(name); err == nil && st.Mode()&fs.ModeNamedPipe != 0 {
			open = openPipe(name)
		}
	}
	f, err := open()
	if err != nil && !errors.Is(err, syscall.ENXIO) {
		return nil, err
	}
	if err == nil {
		if st, serr := f.Stat(); serr != nil || st.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) == 0 {
			w.file = f
			return f, nil
		}
		open = func() (*os.File, error) { return f, nil }
	}
	w.pipe = newDrain(open)
	return w.pipe, nil
}

// release gives the file back.
func (w *PcapWriter) release() error {
	if w.pipe != nil {
		return w.pipe.stop()
	}
	return w.file.Close()
}

// header is that of a pcap file.
func (w *PcapWriter) header() []byte {
	h := make([]byte, 24)
	binary.LittleEndian.PutUint32(h[0:], 0xa1b2c3d4)
	if w.nanos {
		binary.LittleEndian.PutUint32(h[0:], 0xa1b23c4d)
	}
	binary.LittleEndian.PutUint16(h[4:], 2)
	binary.LittleEndian.PutUint16(h[6:], 4)
	binary.LittleEndian.PutUint32(h[16:], uint32(w.cfg.Snaplen))
	binary.LittleEndian.PutUint32(h[20:], uint32(w.cfg.LinkType))
	return h
}

// Name is pcap_writer:FILE.
func (w *PcapWriter) Name() string { return w.name }

// LinkType is that of the file, or of the first interface of a pcapng file.
func (w *PcapWriter) LinkType() LinkType { return w.cfg.LinkType }

// TryWrite records frames at the host's current time, of the first interface.
func (w *PcapWriter) TryWrite(frames [][]byte) (int, error) {
	f := Frame{Time: w.clock.Now(), Link: w.cfg.LinkType}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, b := range frames {
		if w.pipe != nil && w.pipe.full() {
			return i, nil
		}
		f.Data, f.Len = b, len(b)
		if err := w.record(&f, -1); err != nil {
			return i, err
		}
	}
	return len(frames), nil
}

// TryWriteFrames records frames with all that is known of them. A pcapng file
// gets a description of every interface, by name and link type, that it does
// not have yet.
func (w *PcapWriter) TryWriteFrames(fs []Frame) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range fs {
		if w.pipe != nil && w.pipe.full() {
			return i, nil
		}
		if err := w.record(&fs[i], -1); err != nil {
			return i, err
		}
	}
	return len(fs), nil
}

// TryWriteOn is TryWriteFrames for frames of the interface of that number in a
// pcapng file.
func (w *PcapWriter) TryWriteOn(id int, fs []Frame) (int, error) {
	_, err := w.more(func() (int, error) {
		if id < 0 || id >= len(w.ng.ifaces) {
			return 0, argument("interface %d: the file has %d, counted from 0", id, len(w.ng.ifaces))
		}
		return 0, nil
	})
	if err != nil {
		return 0, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range fs {
		if w.pipe != nil && w.pipe.full() {
			return i, nil
		}
		if err := w.record(&fs[i], id); err != nil {
			return i, err
		}
	}
	return len(fs), nil
}

// record appends one record; mu is held. id is the number of the interface, -1
// for the frame's own.
func (w *PcapWriter) record(f *Frame, id int) error {
	if w.closed {
		return closedError("write", w.name)
	}
	octets, wire := len(f.Data), max(f.Len, len(f.Data))
	var err error
	switch {
	case octets > maxSnaplen && w.cfg.Snaplen == maxSnaplen:
		return tooLong(w.name, octets, maxSnaplen)
	case wire > math.MaxUint32:
		err = &kindError{"range", fmt.Errorf("a length of %d octets on the wire does not fit 32 bits", wire)}
	case w.ng != nil:
		octets, err = w.ng.packet(w.out, f, id, wire)
	default:
		octets = min(octets, w.cfg.Snaplen)
		err = w.plain(f, f.Data[:octets], wire)
	}
	if err != nil {
		return &OpError{Op: "write", Conn: w.name, Err: err}
	}
	w.txFrames.Add(1)
	w.txOctets.Add(uint64(octets))
	w.flushSoon()
	return nil
}

// plain is record for a pcap file.
func (w *PcapWriter) plain(f *Frame, data []byte, wire int) error {
	if f.Link != w.cfg.LinkType && !(w.cfg.LinkType == LinkRaw && (f.Link == LinkIPv4 || f.Link == LinkIPv6)) {
		return &hinted{argument("a frame of link type %s does not fit a pcap file of %s", f.Link, w.cfg.LinkType), "pcapng files hold several link types"}
	}
	sec, frac := f.Time.Unix(), f.Time.Nanosecond()
	if f.Time.IsZero() { // it never had one
		sec, frac = 0, 0
	}
	if sec < 0 || sec > 1<<32-1 {
		return &kindError{"range", errors.New("time " + f.Time.UTC().Format(time.RFC3339) + " does not fit a pcap file (1970 to 2106)")}
	}
	if !w.nanos {
		frac /= 1000
	}
	h := w.out.AvailableBuffer()
	if cap(h) < 16 {
		if err := w.out.Flush(); err != nil {
			return err
		}
		h = w.out.AvailableBuffer()
	}
	h = binary.LittleEndian.AppendUint32(h, uint32(sec))
	h = binary.LittleEndian.AppendUint32(h, uint32(frac))
	h = binary.LittleEndian.AppendUint32(h, uint32(len(data)))
	h = binary.LittleEndian.AppendUint32(h, uint32(wire))
	w.out.Write(h)
	_, err := w.out.Write(data) // bufio remembers the first error
	return err
}

// AddInterface describes one more interface to a pcapng file and returns its
// number, counted from 0.
func (w *PcapWriter) AddInterface(i PcapInterface) (int, error) {
	return w.more(func() (int, error) { return w.ng.add(w.out, i) })
}

// AddName notes in a pcapng file what an address is called.
func (w *PcapWriter) AddName(n PcapName) error {
	_, err := w.more(func() (int, error) { return 0, w.ng.name(w.out, n) })
	return err
}

// more writes what only pcapng has.
func (w *PcapWriter) more(write func() (int, error)) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, closedError("write", w.name)
	}
	if w.ng == nil {
		return 0, &OpError{Op: "write", Conn: w.name, Err: errors.ErrUnsupported, hint: "only pcapng files keep that"}
	}
	n, err := write()
	if err != nil {
		return 0, &OpError{Op: "write", Conn: w.name, Err: err}
	}
	w.flushSoon()
	return n, nil
}

// About tells what the file has so far.
func (w *PcapWriter) About() About {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ng != nil {
		return w.ng.about()
	}
	digits := uint8(6)
	if w.nanos {
		digits = 9
	}
	return About{Format: "pcap", Interfaces: []PcapInterface{{LinkType: w.cfg.LinkType, Snaplen: w.cfg.Snaplen, Digits: digits}}}
}

// flushSoon sees to it that what was written does not wait for ever.
func (w *PcapWriter) flushSoon() {
	if w.timer != nil {
		return
	}
	w.timer = w.clock.After(flushAfter, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.timer = nil
		_ = w.flush() // bufio tells the next write
	})
}

// push hands on all that is in the buffers.
func (w *PcapWriter) push() error {
	err := w.out.Flush()
	if err == nil && w.pack != nil {
		err = w.pack.Flush()
	}
	return err
}

func (w *PcapWriter) flush() error {
	if err := w.push(); err != nil {
		return &OpError{Op: "write", Conn: w.name, Err: err}
	}
	return nil
}

// Flush makes what was written visible in the file.
func (w *PcapWriter) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return closedError("flush", w.name)
	}
	return w.flush()
}

// TryRead refuses: the file was opened for writing.
func (w *PcapWriter) TryRead([]Frame) (int, error) {
	if err := w.Wait(context.Background(), ReadReady); err != nil {
		return 0, err
	}
	return 0, &OpError{Op: "read", Conn: w.name, Err: errors.ErrUnsupported, hint: "the file was opened for writing; open it with connector.pcap"}
}

// Wait returns at once, because a file is always ready, unless the reader of a
// pipe is far behind.
func (w *PcapWriter) Wait(ctx context.Context, r Readiness) error {
	w.mu.Lock()
	closed := w.closed
	w.mu.Unlock()
	if closed {
		return closedError("wait", w.name)
	}
	if w.pipe != nil && r == WriteReady {
		if err := w.pipe.room(ctx); err != nil {
			return err
		}
		return w.Wait(ctx, ReadReady) // it may have been closed meanwhile
	}
	return ctx.Err()
}

// Pipe reports whether it writes to one, so that Close may take its time.
func (w *PcapWriter) Pipe() bool { return w.pipe != nil }

// Notify has nothing to tell.
func (w *PcapWriter) Notify(func()) (cancel func()) { return func() {} }

// End is the part of Close that does not wait for the reader of a pipe: it takes
// no more frames, and wakes who waits to write some. Who holds the host's baton
// calls it before another goroutine calls Close.
func (w *PcapWriter) End() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	if w.timer != nil {
		w.timer.Stop()
	}
	var err error
	if w.ng != nil {
		err = w.ng.finish(w.out)
	}
	if ferr := w.out.Flush(); err == nil {
		err = ferr
	}
	if w.pack != nil {
		if perr := w.pack.Close(); err == nil {
			err = perr
		}
	}
	w.fault = err
	if w.pipe != nil {
		w.pipe.end()
	}
}

// Close flushes and closes the file. It waits until the reader of a pipe has
// taken all, and gives up when he takes nothing for some seconds.
func (w *PcapWriter) Close() (err error) {
	w.End()
	w.last.Do(func() {
		err = w.fault
		if w.pipe != nil {
			if perr := w.pipe.wait(context.Background()); err == nil {
				err = perr
			}
		}
		if cerr := w.release(); err == nil {
			err = cerr
		}
		if err != nil {
			err = &OpError{Op: "close", Conn: w.name, Err: err}
		}
	})
	return err
}

var (
	_ Conn        = (*PcapWriter)(nil)
	_ FrameWriter = (*PcapWriter)(nil)
	_ Capture     = (*PcapWriter)(nil)
)

// hinted is an error that knows what to do about it.
type hinted struct {
	error
	hint string
}

func (e *hinted) Hint() string  { return e.hint }
func (e *hinted) Unwrap() error { return e.error }
