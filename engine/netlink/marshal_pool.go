package netlink

import (
	"math/bits"

	"pktsh/engine/wire"
)

// A Pool gives out numbers, each once until it is freed: the lowest first or, if
// reverse, the highest.
type Pool struct {
	min, max int
	reverse  bool
	release  int      // a number frees itself after so many allocations; 0: never
	cells    []uint64 // a bit for each number, set when it is allocated
	first    int      // no cell before this one has a free bit
	n        int
	bans     []ban
}

// ban keeps a freed number away for some allocations more.
type ban struct{ number, left int }

// maxPool is how many numbers a pool has at most.
const maxPool = 1 << 24

// NewPool makes a pool of the numbers min to max.
func NewPool(min, max, release int, reverse bool) (*Pool, error) {
	if min < 0 || max < min || max-min >= maxPool || release < 0 {
		return nil, faultf(wire.ErrRange, "a pool from %d to %d: want at least one number and at most %d", min, max, maxPool)
	}
	return &Pool{min: min, max: max, reverse: reverse, release: release}, nil
}

// Allocated is how many numbers are given out, banned ones among them.
func (p *Pool) Allocated() int { return p.n }

// place is a number's distance from the end that the pool begins with.
func (p *Pool) place(n int) int {
	if p.reverse {
		return p.max - n
	}
	return n - p.min
}

func (p *Pool) number(place int) int {
	if p.reverse {
		return p.max - place
	}
	return p.min + place
}

// Alloc gives a number out.
func (p *Pool) Alloc() (int, error) {
	kept := p.bans[:0]
	for _, b := range p.bans {
		if b.left == 0 {
			p.clear(p.place(b.number))
			continue
		}
		b.left--
		kept = append(kept, b)
	}
	p.bans = kept
	for ; ; p.first++ {
		if p.first == len(p.cells) {
			if p.first*64 > p.max-p.min {
				return 0, faultf(wire.ErrMissing, "no free address available")
			}
			p.cells = append(p.cells, 0)
		}
		if c := p.cells[p.first]; c != ^uint64(0) {
			at := p.first*64 + bits.TrailingZeros64(^c)
			if at > p.max-p.min {
				return 0, faultf(wire.ErrMissing, "no free address available")
			}
			p.cells[p.first] |= 1 << (at % 64)
			p.n++
			n := p.number(at)
			if p.release > 0 {
				p.bans = append(p.bans, ban{n, p.release})
			}
			return n, nil
		}
	}
}

func (p *Pool) clear(place int) {
	if c := place / 64; c < len(p.cells) && p.cells[c]>>(place%64)&1 != 0 {
		p.cells[c] &^= 1 << (place % 64)
		p.n--
		p.first = min(p.first, c)
	}
}

// Free gives a number back, after so many allocations more.
func (p *Pool) Free(n, after int) error {
	cell, bit, used, err := p.Locate(n)
	if err != nil || !used {
		return faultf(wire.ErrMissing, "address is not allocated: %d", n)
	}
	for i, b := range p.bans {
		if b.number == n { // of a number that frees itself, or is freed twice
			p.bans = append(p.bans[:i], p.bans[i+1:]...)
			break
		}
	}
	if after > 0 {
		p.bans = append(p.bans, ban{n, after})
		return nil
	}
	p.clear(cell*64 + bit)
	return nil
}

// Locate says where a number is kept, and whether it is allocated.
func (p *Pool) Locate(n int) (cell, bit int, allocated bool, err error) {
	if n < p.min || n > p.max {
		return 0, 0, false, faultf(wire.ErrRange, "%d is not in the pool (%d..%d)", n, p.min, p.max)
	}
	place := p.place(n)
	cell, bit = place/64, place%64
	return cell, bit, cell < len(p.cells) && p.cells[cell]>>bit&1 != 0, nil
}

// Set makes a number "allocated" or "free".
func (p *Pool) Set(n int, state string) error {
	cell, bit, used, err := p.Locate(n)
	if err != nil {
		return err
	}
	switch state {
	case "free":
		if used {
			return p.Free(n, 0)
		}
	case "allocated":
		if !used {
			for len(p.cells) <= cell {
				p.cells = append(p.cells, 0)
			}
			p.cells[cell] |= 1 << bit
			p.n++
		}
	default:
		return faultf(wire.ErrArgument, "%q is neither \"allocated\" nor \"free\"", state)
	}
	return nil
}
