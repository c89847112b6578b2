package netlink

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Relay serves one remote socket: it opens the socket that is asked for here,
// and carries its datagrams both ways until in ends.
func Relay(in io.Reader, out io.Writer) error {
	r := &relay{out: bufio.NewWriterSize(out, 1<<16)}
	var buf []byte
	br := bufio.NewReaderSize(in, 1<<16)
	f, err := readFrame(br, &buf)
	if err != nil {
		if err == io.EOF {
			return errors.New("a relay is started by netlink.socket{remote=…}, which talks to it through standard input and output")
		}
		return err
	}
	cfg, ok := parseConfig(f.body)
	switch {
	case f.kind != relayOpen || !ok:
		return errors.New("what comes in is not from a remote socket")
	case f.a != relayVersion:
		err = fmt.Errorf("the relay speaks version %d, not %d: %w", relayVersion, f.a, errors.ErrUnsupported)
	default:
		r.sock, err = Open(cfg)
	}
	if err != nil {
		e := cause(err)
		no, _ := e.(syscall.Errno)
		r.write(relayFrame{kind: relayFault, a: uint32(no), body: []byte(e.Error())}, true)
		return err
	}
	m, _ := r.sock.Memory()
	hello := relayFrame{kind: relayHello, a: relayVersion, b: r.sock.PID(), c: byteOrder,
		body: appendNumbers(nil, m.ReceiveBuf, m.SendBuf)}
	if err := r.write(hello, true); err != nil {
		r.sock.Close()
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- r.receive() }()
	err = r.serve(br, buf)
	r.sock.Close()
	if e := <-ended; err == nil {
		err = e
	}
	return err
}

type relay struct {
	sock *Socket

	mu  sync.Mutex // guards out
	out *bufio.Writer
}

func (r *relay) write(f relayFrame, flush bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := writeFrame(r.out, f)
	if err == nil && flush {
		err = r.out.Flush()
	}
	return err
}

// serve does what comes in.
func (r *relay) serve(in *bufio.Reader, buf []byte) error {
	for {
		f, err := readFrame(in, &buf)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch f.kind {
		case relaySend:
			if err := r.send(f); err != nil {
				return err
			}
		case relayCall:
			reply := relayFrame{kind: relayReply, a: f.a}
			body, err := r.call(f.b, f.body)
			if err != nil {
				no, ok := cause(err).(syscall.Errno)
				if !ok {
					no = unix.EINVAL
				}
				reply.b = uint32(no)
			}
			reply.body = body
			if err := r.write(reply, true); err != nil {
				return err
			}
		}
	}
}

// send sends a datagram. The sender has gone on: what cannot be sent is
// answered as the kernel answers what it refuses.
func (r *relay) send(f relayFrame) error {
	for {
		err := r.sock.TrySend(f.body, f.a, f.b)
		if err == ErrWait {
			if err = r.sock.Wait(context.Background(), true); err == nil {
				continue
			}
		}
		if err == nil {
			return nil
		}
		no, ok := cause(err).(syscall.Errno)
		if !ok {
			return err
		}
		var b []byte
		for msg := range Messages(f.body) {
			if h, ok := ParseHeader(msg); ok {
				b = Header{Len: HeaderSize + 4 + HeaderSize, Type: TypeError, Seq: h.Seq, PID: h.PID}.Append(b)
				b = binary.NativeEndian.AppendUint32(b, uint32(-int32(no)))
				b = append(b, msg[:HeaderSize]...)
			}
		}
		return r.write(relayFrame{kind: relayData, c: ^uint32(0), body: b}, true)
	}
}

func (r *relay) call(op uint32, b []byte) ([]byte, error) {
	n := map[uint32]int{callSetInt: 3, callSetBytes: 2, callGetBytes: 3}[op]
	v, ok := numbers(b, n)
	if !ok {
		return nil, unix.EINVAL
	}
	switch op {
	case callSetInt:
		return nil, r.sock.SetInt(int(v[0]), int(v[1]), int(int32(v[2])))
	case callSetBytes:
		return nil, r.sock.SetBytes(int(v[0]), int(v[1]), b[8:])
	case callGetBytes:
		if v[2] > 1<<20 {
			return nil, unix.EINVAL
		}
		return r.sock.GetBytes(int(v[0]), int(v[1]), int(v[2]))
	case callFilter:
		var list []Instruction
		for ; len(b) >= 8; b = b[8:] {
			list = append(list, Instruction{Op: binary.BigEndian.Uint16(b), Jt: b[2], Jf: b[3], K: binary.BigEndian.Uint32(b[4:])})
		}
		return nil, r.sock.SetFilter(list)
	case callAddress:
		pid, groups, err := r.sock.Address()
		return appendNumbers(nil, pid, groups), err
	}
	return nil, unix.EOPNOTSUPP
}

// receive carries what the kernel sends, in one piece with all that is there.
func (r *relay) receive() error {
	b := make([]byte, MaxDatagram)
	overrun, drops := false, uint32(0)
	if m, err := r.sock.Memory(); err == nil {
		drops = m.Drops
	}
	for {
		got, err := r.sock.TryReceive(b)
		switch {
		case err == nil:
			f := relayFrame{kind: relayData, a: got.PID, b: got.Groups, c: uint32(got.NSID), body: b[:min(got.Len, len(b))]}
			if err := r.write(f, false); err != nil {
				return err
			}
			continue
		case err == ErrOverrun:
			overrun = true
			continue
		case err != ErrWait:
			return ended(err)
		}
		if overrun { // behind what is still there, as Reader does it
			overrun = false
			n := uint32(0)
			if m, err := r.sock.Memory(); err == nil {
				n, drops = m.Drops-drops, m.Drops
			}
			if err := r.write(relayFrame{kind: relayLost, a: n}, false); err != nil {
				return err
			}
		}
		r.mu.Lock()
		err = r.out.Flush()
		r.mu.Unlock()
		if err != nil {
			return err
		}
		if err := r.sock.Wait(context.Background(), false); err != nil {
			return ended(err)
		}
	}
}

// ended is nil after Close, which is how a relay ends.
func ended(err error) error {
	if errors.Is(err, unix.EBADF) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
