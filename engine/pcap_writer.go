package engine

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"pktsh/engine/clock"
)

// PcapWriterConfig describes a capture file to write.
type PcapWriterConfig struct {
	File     string
	LinkType LinkType
	Nanos    bool // timestamps in nanoseconds (else microseconds)
}

// maxSnaplen is what the file header promises, and the longest frame that
// readers accept: libpcap's limit for Ethernet.
const maxSnaplen = 262144

// flushAfter is how long a frame may wait in the buffer, in the host's time,
// before others can see it in the file.
const flushAfter = 200 * time.Millisecond

// PcapWriter writes a capture file in the pcap format, little-endian so that
// the same run gives the same file on every machine.
type PcapWriter struct {
	counters
	name  string
	cfg   PcapWriterConfig
	clock *clock.Clock

	mu     sync.Mutex // guards all below
	file   *os.File
	out    *bufio.Writer
	closed bool
	timer  *clock.Timer // runs Flush; nil when the buffer is empty
}

// CreatePcap creates the file, or empties it.
func CreatePcap(env *Env, cfg PcapWriterConfig) (*PcapWriter, error) {
	env.init()
	name := "pcap_writer:" + cfg.File
	f, err := os.Create(cfg.File)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, &OpError{Op: "open", Conn: name, Err: err}
	}
	w := &PcapWriter{name: name, cfg: cfg, clock: env.Clock, file: f, out: bufio.NewWriterSize(f, 256<<10)}
	var h [24]byte
	binary.LittleEndian.PutUint32(h[0:], 0xa1b2c3d4)
	if cfg.Nanos {
		binary.LittleEndian.PutUint32(h[0:], 0xa1b23c4d)
	}
	binary.LittleEndian.PutUint16(h[4:], 2)
	binary.LittleEndian.PutUint16(h[6:], 4)
	binary.LittleEndian.PutUint32(h[16:], maxSnaplen)
	binary.LittleEndian.PutUint32(h[20:], uint32(cfg.LinkType))
	w.out.Write(h[:])
	// The header goes out at once, so that a reader that comes early finds a
	// capture file, and a full disk is found here.
	if err := w.out.Flush(); err != nil {
		f.Close()
		return nil, &OpError{Op: "open", Conn: name, Err: err}
	}
	return w, nil
}

// Name is pcap_writer:FILE.
func (w *PcapWriter) Name() string { return w.name }

// LinkType is that of the file.
func (w *PcapWriter) LinkType() LinkType { return w.cfg.LinkType }

// TryWrite records frames at the host's current time.
func (w *PcapWriter) TryWrite(frames [][]byte) (int, error) {
	now := w.clock.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, f := range frames {
		if err := w.record(f, len(f), now); err != nil {
			return i, err
		}
	}
	return len(frames), nil
}

// TryWriteFrames records frames with their own time and length on the wire.
func (w *PcapWriter) TryWriteFrames(fs []Frame) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range fs {
		if err := w.record(fs[i].Data, fs[i].Len, fs[i].Time); err != nil {
			return i, err
		}
	}
	return len(fs), nil
}

// record appends one record; mu is held.
func (w *PcapWriter) record(data []byte, wire int, at time.Time) error {
	if w.closed {
		return closedError("write", w.name)
	}
	if len(data) > maxSnaplen {
		return tooLong(w.name, len(data), maxSnaplen)
	}
	sec, frac := at.Unix(), at.Nanosecond()
	if sec < 0 || sec > 1<<32-1 {
		return &OpError{Op: "write", Conn: w.name, kind: "range", Err: errors.New("time " + at.UTC().Format(time.RFC3339) + " does not fit a pcap file (1970 to 2106)")}
	}
	if !w.cfg.Nanos {
		frac /= 1000
	}
	h := w.out.AvailableBuffer()
	if cap(h) < 16 {
		if err := w.flush(); err != nil {
			return err
		}
		h = w.out.AvailableBuffer()
	}
	h = binary.LittleEndian.AppendUint32(h, uint32(sec))
	h = binary.LittleEndian.AppendUint32(h, uint32(frac))
	h = binary.LittleEndian.AppendUint32(h, uint32(len(data)))
	h = binary.LittleEndian.AppendUint32(h, uint32(max(wire, len(data))))
	w.out.Write(h)
	if _, err := w.out.Write(data); err != nil { // bufio remembers the first error
		return &OpError{Op: "write", Conn: w.name, Err: err}
	}
	w.txFrames.Add(1)
	w.txOctets.Add(uint64(len(data)))
	if w.timer == nil {
		w.timer = w.clock.After(flushAfter, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.timer = nil
			_ = w.flush() // bufio tells the next write
		})
	}
	return nil
}

func (w *PcapWriter) flush() error {
	if err := w.out.Flush(); err != nil {
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

// Wait returns at once: a file is always ready.
func (w *PcapWriter) Wait(ctx context.Context, _ Readiness) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return closedError("wait", w.name)
	}
	return ctx.Err()
}

// Notify has nothing to tell.
func (w *PcapWriter) Notify(func()) (cancel func()) { return func() {} }

// Close flushes and closes the file.
func (w *PcapWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	if w.timer != nil {
		w.timer.Stop()
	}
	err := w.flush()
	if cerr := w.file.Close(); err == nil && cerr != nil {
		err = &OpError{Op: "close", Conn: w.name, Err: cerr}
	}
	return err
}

var (
	_ Conn        = (*PcapWriter)(nil)
	_ FrameWriter = (*PcapWriter)(nil)
)
