package filter

// Values are what a program computes: octets of the frame, its length,
// constants, and arithmetic on them. Equal values are one object, so that
// "the same load again" is a comparison of pointers.
type value struct {
	op   valueOp
	size uint16 // of a load: sizeB, sizeH, sizeW
	alu  uint16 // of arithmetic: the BPF operation
	k    uint32 // constant, offset, or number of the scratch cell
	l, r *value // operands; of a load: l is added to the offset, or nil
	// cells is the set of scratch cells it depends on: it is another value
	// after one of them was written.
	cells uint16
}

type valueOp uint8

const (
	opNum  valueOp = iota
	opLen          // length of the frame on the wire
	opLoad         // octets at k, or at l+k
	opMSH          // 4 * (octet at k & 15): the length of an IPv4 header
	opCell         // scratch cell k
	opALU          // l alu r
	opNeg          // -l
)

// Parts of instruction codes, linux/bpf_common.h.
const (
	sizeW, sizeH, sizeB = 0x00, 0x08, 0x10

	aluAdd, aluSub, aluMul, aluDiv, aluOr  = 0x00, 0x10, 0x20, 0x30, 0x40
	aluAnd, aluLsh, aluRsh, aluMod, aluXor = 0x50, 0x60, 0x70, 0x90, 0xa0

	jmpEQ, jmpGT, jmpGE, jmpSET = 0x10, 0x20, 0x30, 0x40
)

type valueKey struct {
	op        valueOp
	size, alu uint16
	k         uint32
	l, r      *value
}

type values map[valueKey]*value

func newValues() values { return values{} }

func (vs values) intern(v value) *value {
	key := valueKey{v.op, v.size, v.alu, v.k, v.l, v.r}
	if old := vs[key]; old != nil {
		return old
	}
	if v.l != nil {
		v.cells |= v.l.cells
	}
	if v.r != nil {
		v.cells |= v.r.cells
	}
	if v.op == opCell {
		v.cells |= 1 << v.k
	}
	vs[key] = &v
	return &v
}

func (vs values) num(k uint32) *value { return vs.intern(value{op: opNum, k: k}) }
func (vs values) length() *value      { return vs.intern(value{op: opLen}) }
func (vs values) cell(c uint32) *value {
	return vs.intern(value{op: opCell, k: c})
}

// load is size octets at off, or at base+off.
func (vs values) load(size uint16, base *value, off uint32) *value {
	if base != nil && base.op == opNum {
		base, off = nil, base.k+off
	}
	// (x+c)[off] is x[c+off].
	for base != nil && base.op == opALU && base.alu == aluAdd && base.r.op == opNum {
		base, off = base.l, base.r.k+off
	}
	return vs.intern(value{op: opLoad, size: size, l: base, k: off})
}

// msh is the length in octets of the IPv4 header at off, or at base+off.
func (vs values) msh(base *value, off uint32) *value {
	if base == nil {
		return vs.intern(value{op: opMSH, k: off})
	}
	return vs.alu(aluLsh, vs.alu(aluAnd, vs.load(sizeB, base, off), vs.num(15)), vs.num(2))
}

func (vs values) neg(v *value) *value {
	if v.op == opNum {
		return vs.num(-v.k)
	}
	return vs.intern(value{op: opNeg, l: v})
}

// alu folds constants; dividing by a constant zero is for the caller to refuse.
func (vs values) alu(op uint16, l, r *value) *value {
	if r.op == opNum {
		if l.op == opNum {
			if x, ok := arith(op, l.k, r.k); ok {
				return vs.num(x)
			}
		}
		switch {
		case r.k == 0 && (op == aluAdd || op == aluSub || op == aluOr || op == aluXor || op == aluLsh || op == aluRsh),
			r.k == 1 && (op == aluMul || op == aluDiv), r.k == 0xffffffff && op == aluAnd:
			return l
		case r.k == 0 && (op == aluAnd || op == aluMul):
			return r
		case op == aluSub: // so that x-1 and x+0xffffffff are one value
			op, r = aluAdd, vs.num(-r.k)
		}
		if l.op == opALU && l.alu == op && l.r.op == opNum && (op == aluAdd || op == aluAnd) {
			x, _ := arith(op, l.r.k, r.k)
			return vs.alu(op, l.l, vs.num(x))
		}
	} else if l.op == opNum && (op == aluAdd || op == aluMul || op == aluAnd || op == aluOr || op == aluXor) {
		return vs.alu(op, r, l)
	}
	return vs.intern(value{op: opALU, alu: op, l: l, r: r})
}

// arith is the BPF machine's arithmetic; ok is false for a division by zero,
// which ends a program.
func arith(op uint16, a, b uint32) (x uint32, ok bool) {
	switch op {
	case aluAdd:
		return a + b, true
	case aluSub:
		return a - b, true
	case aluMul:
		return a * b, true
	case aluDiv, aluMod:
		if b == 0 {
			return 0, false
		}
		if op == aluDiv {
			return a / b, true
		}
		return a % b, true
	case aluOr:
		return a | b, true
	case aluAnd:
		return a & b, true
	case aluLsh:
		return a << b, true
	case aluRsh:
		return a >> b, true
	}
	return a ^ b, true
}
