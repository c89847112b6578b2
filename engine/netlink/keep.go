package netlink

import (
	"encoding/binary"
	"fmt"
)

// Instruction is one instruction of a classic BPF program, linux/filter.h.
type Instruction struct {
	Op     uint16
	Jt, Jf uint8
	K      uint32
}

// Condition says which values of a number at a fixed place of a message to
// keep: Size octets at Offset, 1, 2 or 4, in host order, or with Net in network
// order.
type Condition struct {
	Offset, Size int
	Net          bool
	Mask         uint32 // of the bits that count; 0: all
	Values       []uint32
}

// classic BPF, linux/bpf_common.h.
const (
	bpfLoad   = 0x20 // ld abs: +0x00 word, +0x08 half, +0x10 octet
	bpfAnd    = 0x54 // and #k
	bpfEqual  = 0x15 // jeq #k
	bpfReturn = 0x06
)

// Keep compiles conditions that must all hold into a program for
// Socket.SetFilter. It sees the first message of a datagram, and an event is a
// datagram of its own. Errors, ends of dumps and overruns always pass.
func Keep(list []Condition) ([]Instruction, error) {
	var p []Instruction
	all := append([]Condition{}, list...)
	for _, c := range all {
		sizes := map[int]uint16{1: 0x10, 2: 0x08, 4: 0}
		size, ok := sizes[c.Size]
		switch {
		case !ok:
			return nil, fmt.Errorf("a filter looks at 1, 2 or 4 octets, not %d", c.Size)
		case c.Offset < 0 || c.Offset > 0xffff:
			return nil, fmt.Errorf("a filter cannot look at octet %d", c.Offset)
		case len(c.Values) == 0 || len(c.Values) > 200:
			return nil, fmt.Errorf("a filter compares with 1 to 200 values, not %d", len(c.Values))
		}
		p = append(p, Instruction{Op: bpfLoad | size, K: uint32(c.Offset)})
		if c.Mask != 0 {
			p = append(p, Instruction{Op: bpfAnd, K: asRead(c.Mask, c)})
		}
		// Each equality leads past the rest of them and the refusal.
		for i, v := range c.Values {
			p = append(p, Instruction{Op: bpfEqual, Jt: uint8(len(c.Values) - i), K: asRead(v, c)})
		}
		p = append(p, Instruction{Op: bpfReturn})
	}
	p = append(p, Instruction{Op: bpfReturn, K: 0xffffffff})
	if len(list) == 0 {
		return nil, nil
	}
	// What every socket has to see: the types below TypeMin.
	var own []Instruction
	own = append(own, Instruction{Op: bpfLoad | 0x08, K: 4})
	types := []uint32{TypeNoop, TypeError, TypeDone, TypeOverrun}
	for i, v := range types {
		own = append(own, Instruction{Op: bpfEqual, Jt: uint8(len(types) - 1 - i), K: asRead(v, Condition{Size: 2})})
	}
	own[len(own)-1].Jf = 1
	own = append(own, Instruction{Op: bpfReturn, K: 0xffffffff})
	return append(own, p...), nil
}

// asRead is how BPF, which reads in network order, sees v in a message.
func asRead(v uint32, c Condition) uint32 {
	if c.Net {
		return v
	}
	var b [4]byte
	switch c.Size {
	case 1:
		return v & 0xff
	case 2:
		binary.NativeEndian.PutUint16(b[:], uint16(v))
		return uint32(binary.BigEndian.Uint16(b[:]))
	}
	binary.NativeEndian.PutUint32(b[:], v)
	return binary.BigEndian.Uint32(b[:])
}
