package engine

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// ngWriter makes the blocks of a pcapng file of one section, in little-endian
// order (draft-ietf-opsawg-pcapng). Its caller holds the writer's lock.
//
// gopacket's writer was looked at and not taken: it knows neither comments nor
// names.
type ngWriter struct {
	cfg    PcapWriterConfig
	digits uint8 // of an interface that does not say
	ifaces []PcapInterface
	byKey  map[ngKey]int
	names  []PcapName

	buf   []byte // the blocks that are being made
	start int    // where the one at work begins
	err   error  // what did not fit it

	// The interface of the last frame: most files have one.
	last     *FrameInfo
	lastLink LinkType
	lastID   int // -1: none
}

// ngKey is what tells interfaces apart. Without a name it is the one for frames
// of which no interface is known.
type ngKey struct {
	name string
	link LinkType
}

// maxOption is the longest value of an option.
const maxOption = math.MaxUint16

// newNgWriter checks what the file is to begin with, and makes that.
func newNgWriter(cfg PcapWriterConfig, nanos bool) (*ngWriter, error) {
	if cfg.UserAppl == "" {
		cfg.UserAppl = "pktsh"
	}
	w := &ngWriter{cfg: cfg, digits: 6, byKey: map[ngKey]int{}, lastID: -1}
	if nanos {
		w.digits = 9
	}
	w.block(ngSection)
	w.u32(0x1a2b3c4d)
	w.u32(1)              // version 1.0
	w.u32(math.MaxUint32) // how long the section is nobody knows yet
	w.u32(math.MaxUint32)
	for _, c := range cfg.Comments {
		w.text(optComment, c)
	}
	w.text(optHardware, cfg.Hardware)
	w.text(optOS, cfg.OS)
	w.text(optUserAppl, cfg.UserAppl)
	if err := w.end(); err != nil {
		return nil, err
	}
	for _, in := range cfg.Interfaces {
		if _, err := w.describe(in, true); err != nil {
			return nil, err
		}
	}
	for _, n := range cfg.Names {
		if err := w.resolve(n); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// flush hands over the blocks that were made.
func (w *ngWriter) flush(out io.Writer) error {
	_, err := out.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// add describes an interface that the user asked for.
func (w *ngWriter) add(out io.Writer, in PcapInterface) (int, error) {
	id, err := w.describe(in, true)
	if err != nil {
		return 0, err
	}
	return id, w.flush(out)
}

// name writes what an address is called.
func (w *ngWriter) name(out io.Writer, n PcapName) error {
	if err := w.resolve(n); err != nil {
		return err
	}
	return w.flush(out)
}

// finish writes what a file must have that has no frames.
func (w *ngWriter) finish(out io.Writer) error {
	if len(w.ifaces) > 0 {
		return nil
	}
	_, err := w.add(out, PcapInterface{LinkType: w.cfg.LinkType})
	return err
}

// describe makes an interface description block. Frames of which no interface
// is known go to the first one of their link type that was asked for, or to one
// without a name.
func (w *ngWriter) describe(in PcapInterface, asked bool) (id int, err error) {
	if in.Snaplen == 0 {
		in.Snaplen = w.cfg.Snaplen
	}
	if in.Digits == 0 {
		in.Digits = w.digits
	}
	key := ngKey{in.Name, in.LinkType}
	switch _, exists := w.byKey[key]; {
	case in.Snaplen < 1 || in.Snaplen > maxSnaplen:
		return 0, argument("snaplen %d: want 1 to %d", in.Snaplen, maxSnaplen)
	case in.Digits > 9:
		return 0, argument("digits %d: want 1 to 9 decimal digits of a second", in.Digits)
	case exists && in.Name != "":
		return 0, &kindError{"exists", fmt.Errorf("there is an interface %q of link type %s already", in.Name, in.LinkType)}
	case len(w.ifaces) == maxIfaces:
		return 0, &kindError{"range", fmt.Errorf("more than %d interfaces", maxIfaces)}
	}
	w.block(ngIfaceDesc)
	w.u16(uint16(in.LinkType))
	w.u16(0)
	w.u32(uint32(in.Snaplen))
	w.text(optIfName, in.Name)
	w.text(optIfDesc, in.Description)
	w.option(optIfTsres, in.Digits)
	if in.Filter != "" {
		w.option(optIfFilter, append([]byte{0}, in.Filter...)...)
	}
	if err := w.end(); err != nil {
		return 0, err
	}
	id = len(w.ifaces)
	w.ifaces = append(w.ifaces, in)
	for _, k := range []ngKey{key, {"", in.LinkType}} {
		if _, exists := w.byKey[k]; !exists && (k == key || asked) {
			w.byKey[k] = id
		}
	}
	w.lastID = -1
	return id, nil
}

// resolve makes a name resolution block.
func (w *ngWriter) resolve(n PcapName) error {
	kind := uint16(1)
	switch {
	case n.Addr.Is4():
	case n.Addr.Is6():
		kind = 2
	default:
		return argument("want the address that has the names")
	}
	if len(n.Names) == 0 {
		return argument("want a name for %s", n.Addr)
	}
	value := n.Addr.AsSlice()
	for _, s := range n.Names {
		if s == "" || strings.IndexByte(s, 0) >= 0 {
			return argument("name %q: want text without zeros", s)
		}
		value = append(append(value, s...), 0)
	}
	w.block(ngNames)
	w.option(kind, value...)
	w.option(optEnd) // of the records
	if err := w.end(); err != nil {
		return err
	}
	if len(w.names) < maxNames {
		w.names = append(w.names, PcapName{n.Addr, slices.Clone(n.Names)})
	}
	return nil
}

// ifaceOf is the interface of a frame; one that the file does not have yet is
// described.
func (w *ngWriter) ifaceOf(out io.Writer, f *Frame) (int, error) {
	if w.lastID >= 0 && f.Info == w.last && f.Link == w.lastLink {
		return w.lastID, nil
	}
	key := ngKey{link: f.Link}
	if f.Info != nil {
		key.name = f.Info.Interface
	}
	id, ok := w.byKey[key]
	if !ok {
		var err error
		if id, err = w.describe(PcapInterface{Name: key.name, LinkType: key.link}, false); err == nil {
			err = w.flush(out)
		}
		if err != nil {
			return 0, err
		}
	}
	w.last, w.lastLink, w.lastID = f.Info, f.Link, id
	return id, nil
}

// packet writes an enhanced packet block; id -1 is the frame's own interface.
func (w *ngWriter) packet(out *bufio.Writer, f *Frame, id, wire int) (octets int, err error) {
	// All that may be refused comes first, so that nothing is half written.
	w.buf = w.buf[:0]
	if f.Info != nil && (f.Info.Comments != nil || f.Info.Flags != 0) {
		w.start = 0
		for _, c := range f.Info.Comments {
			w.option(optComment, []byte(c)...)
		}
		if f.Info.Flags != 0 {
			w.option(optFlags, binary.LittleEndian.AppendUint32(nil, f.Info.Flags)...)
		}
		w.option(optEnd)
		if w.err != nil {
			return 0, w.refuse()
		}
	}
	opts := w.buf
	w.buf = nil
	if id < 0 {
		if id, err = w.ifaceOf(out, f); err != nil {
			return 0, err
		}
	}
	w.buf = opts
	in := &w.ifaces[id]
	data := f.Data[:min(len(f.Data), in.Snaplen)]
	ticks, err := in.ticks(f.Time)
	if err != nil {
		return 0, err
	}
	size := uint32(32 + (len(data)+3)&^3 + len(opts))
	h := out.AvailableBuffer()
	if cap(h) < 28 {
		if err := out.Flush(); err != nil {
			return 0, err
		}
		h = out.AvailableBuffer()
	}
	le := binary.LittleEndian
	h = le.AppendUint32(h, ngEnhanced)
	h = le.AppendUint32(h, size)
	h = le.AppendUint32(h, uint32(id))
	h = le.AppendUint32(h, uint32(ticks>>32))
	h = le.AppendUint32(h, uint32(ticks))
	h = le.AppendUint32(h, uint32(len(data)))
	h = le.AppendUint32(h, uint32(wire))
	out.Write(h)
	out.Write(data)
	out.Write(zeros[:-len(data)&3])
	out.Write(opts)
	h = le.AppendUint32(out.AvailableBuffer(), size)
	_, err = out.Write(h) // bufio remembers the first error
	return len(data), err
}

var zeros [4]byte

// ticks is a time in the unit of the interface.
func (in *PcapInterface) ticks(at time.Time) (uint64, error) {
	if at.IsZero() { // it never had one
		return 0, nil
	}
	second := uint64(1)
	for range in.Digits {
		second *= 10
	}
	sec := at.Unix()
	if sec < 0 || uint64(sec) >= math.MaxUint64/second {
		return 0, &kindError{"range", errors.New("time " + at.UTC().Format(time.RFC3339) + " does not fit a pcapng file")}
	}
	return uint64(sec)*second + uint64(at.Nanosecond())/(1e9/second), nil
}

func (w *ngWriter) about() About {
	sec := w.cfg.PcapSection
	return About{Format: "pcapng", PcapSection: sec, Interfaces: slices.Clone(w.ifaces), Names: slices.Clone(w.names)}
}

// block begins a block; end says how long it was.
func (w *ngWriter) block(kind uint32) {
	w.start = len(w.buf)
	w.u32(kind)
	w.u32(0)
}

// end ends a block that has options, or takes it back if something did not fit.
func (w *ngWriter) end() error {
	if w.err != nil {
		return w.refuse()
	}
	w.option(optEnd)
	size := uint32(len(w.buf) - w.start + 4)
	binary.LittleEndian.PutUint32(w.buf[w.start+4:], size)
	w.u32(size)
	return nil
}

func (w *ngWriter) refuse() error {
	err := w.err
	w.buf, w.err = w.buf[:w.start], nil
	return err
}

func (w *ngWriter) u16(n uint16) { w.buf = binary.LittleEndian.AppendUint16(w.buf, n) }
func (w *ngWriter) u32(n uint32) { w.buf = binary.LittleEndian.AppendUint32(w.buf, n) }

// option appends an option, or a record of names, which has the same form.
func (w *ngWriter) option(code uint16, value ...byte) {
	if len(value) > maxOption {
		w.err = &kindError{"range", fmt.Errorf("a text of %d octets exceeds %d", len(value), maxOption)}
		return
	}
	w.u16(code)
	w.u16(uint16(len(value)))
	w.buf = append(w.buf, value...)
	w.buf = append(w.buf, zeros[:-len(value)&3]...)
}

// text is option for text; none is nothing.
func (w *ngWriter) text(code uint16, s string) {
	if s != "" {
		w.option(code, []byte(s)...)
	}
}
