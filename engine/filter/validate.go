package filter

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Validate checks a program as the kernel does before it attaches it
// (bpf_check_classic): known instructions, forward jumps to within the
// program, scratch cells written before they are read, no division by a
// constant zero, a verdict at every end.
func Validate(code []bpf.RawInstruction) error {
	if len(code) == 0 || len(code) > maxProgram {
		return fmt.Errorf("filter: %d instructions, want 1 to %d", len(code), maxProgram)
	}
	// written[i] is the set of cells written on every way to instruction i.
	written := make([]uint16, len(code)+1)
	for i := range written {
		written[i] = 0xffff
	}
	written[0] = 0
	for i, c := range code {
		bad := func(what string) error { return fmt.Errorf("filter: instruction %d: %s", i, what) }
		have := written[i]
		reach := func(to uint64) bool {
			if to >= uint64(len(code)) {
				return false
			}
			written[to] &= have
			return true
		}
		next := uint64(i) + 1
		switch {
		case c.Op == classJMP:
			if !reach(next + uint64(c.K)) {
				return bad("jumps out of the program")
			}
			continue
		case c.Op&7 == classJMP:
			if _, ok := jumpCodes[c.Op&0xf0]; !ok || c.Op&^0xf8 != classJMP {
				return bad("is unknown")
			}
			if !reach(next+uint64(c.Jt)) || !reach(next+uint64(c.Jf)) {
				return bad("jumps out of the program")
			}
			continue
		case c.Op == classRET, c.Op == classRET|0x10:
			continue
		case c.Op == classALU|aluNeg:
		case c.Op&7 == classALU:
			if _, ok := aluCodes[c.Op&0xf0]; !ok || c.Op > 0xff {
				return bad("is unknown")
			}
			if op := c.Op & 0xf0; c.Op&sourceX == 0 {
				if (op == aluDiv || op == aluMod) && c.K == 0 {
					return bad("divides by zero")
				}
				if (op == aluLsh || op == aluRsh) && c.K > 31 {
					return bad("shifts by more than 31")
				}
			}
		default:
			if _, ok := simpleCodes[c.Op]; !ok {
				return bad("is unknown")
			}
			switch c.Op {
			case classST, classSTX, classLD | modeMEM, classLDX | modeMEM:
				if c.K >= scratchCells {
					return bad("uses a scratch cell that does not exist")
				}
				if c.Op == classST || c.Op == classSTX {
					have |= 1 << c.K
				} else if have&(1<<c.K) == 0 {
					return bad("reads a scratch cell that was not written")
				}
			}
		}
		if !reach(next) {
			return bad("is the last and no verdict")
		}
	}
	return nil
}
