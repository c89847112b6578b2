package filter

import (
	"slices"

	"golang.org/x/net/bpf"
)

// An insn is one instruction with what Explain says about it.
type insn struct {
	op     uint16
	jt, jf uint8
	k      uint32
	v      *value // what a load or a computation leaves behind
	note   note   // of the test it ends, or the value it loads
}

// Limits of the kernel, linux/bpf_common.h.
const (
	maxProgram   = 4096
	scratchCells = 16
)

// Instruction classes and modes, linux/bpf_common.h.
const (
	classLD, classLDX, classST, classSTX = 0x00, 0x01, 0x02, 0x03
	classALU, classJMP, classRET, classM = 0x04, 0x05, 0x06, 0x07

	modeIMM, modeABS, modeIND, modeMEM, modeLEN, modeMSH = 0x00, 0x20, 0x40, 0x60, 0x80, 0xa0

	sourceX = 0x08
	aluNeg  = 0x80
	miscTAX = 0x00
	miscTXA = 0x80
)

func raw(code []insn) []bpf.RawInstruction {
	out := make([]bpf.RawInstruction, len(code))
	for i, c := range code {
		out[i] = bpf.RawInstruction{Op: c.op, Jt: c.jt, Jf: c.jf, K: c.k}
	}
	return out
}

// emit turns a predicate into instructions.
func (l *lowering) emit(p predicate, snapLen uint32) []insn {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case tooLong:
			fail(l.expr, 0, len(l.expr), "split it into several filters", "the program would be longer than the %d instructions the kernel takes", maxProgram)
		default:
			panic(r)
		}
	}()
	g := newGraph(snapLen)
	root := g.optimize(g.build(p, g.accept, g.reject), false)
	if root == g.reject || !slices.Contains(g.order(root), g.accept) {
		fail(l.expr, 0, len(l.expr), "", "no frame can match this")
	}
	root = g.initialize(g.optimize(root, true))
	order := g.order(root)
	if len(order) > maxProgram {
		panic(tooLong{})
	}
	code := l.code(order)
	return layout(g.order(mergeTails(root, order, code)), code)
}

// mergeTails makes blocks one whose instructions turned out the same, after
// loads were left out, and returns the root.
func mergeTails(root *block, order []*block, code map[*block][]insn) *block {
	now := map[*block]*block{}
	var kept []*block
	for _, b := range slices.Backward(order) {
		if b.kind != isVerdict {
			b.t, b.f = now[b.t], now[b.f]
		}
		now[b] = b
		i := slices.IndexFunc(kept, func(c *block) bool {
			return b.kind == c.kind && b.kind != isVerdict && b.t == c.t && b.f == c.f && b.op == c.op && b.r == c.r &&
				slices.EqualFunc(code[b], code[c], func(x, y insn) bool { return x.op == y.op && x.k == y.k })
		})
		if i >= 0 {
			now[b] = kept[i]
		} else {
			kept = append(kept, b)
		}
	}
	return now[root]
}

// registers is what A and X hold when a block begins, as far as every way
// there agrees.
type registers struct{ a, x *value }

// code generates the instructions of each block but its jumps.
func (l *lowering) code(order []*block) map[*block][]insn {
	code := map[*block][]insn{}
	in := map[*block]registers{}
	for i, b := range order {
		if b.kind == isVerdict {
			continue
		}
		c := &coder{lowering: l, reg: in[b], next: l.cells}
		if i == 0 {
			c.reg = registers{}
		}
		switch b.kind {
		case isTest:
			if b.r.op == opNum {
				c.toA(b.l)
			} else {
				c.operands(b.l, b.r, b.op == jmpEQ || b.op == jmpSET)
			}
		case isStore:
			for _, s := range b.to {
				c.store(s)
			}
		}
		c.annotate(b)
		code[b] = c.out
		for _, to := range []*block{b.t, b.f} {
			if r, ok := in[to]; ok {
				if r.a != c.reg.a {
					r.a = nil
				}
				if r.x != c.reg.x {
					r.x = nil
				}
				in[to] = r
			} else {
				in[to] = c.reg
			}
		}
	}
	return code
}

// annotate writes the block's note to the load of what it tests, or to its
// only load if it tests something computed, and to its stores.
func (c *coder) annotate(b *block) {
	loads := 0
	last := -1
	for i := range c.out {
		in := &c.out[i]
		if in.op == classST && b.kind == isStore {
			in.note = b.note
		}
		if in.op&7 == classLD && in.v != nil && (in.v.op == opLoad || in.v.op == opLen) {
			loads++
			last = i
		}
	}
	if b.kind == isTest && last >= 0 && (loads == 1 || c.out[last].v == b.l) {
		c.out[last].note = note{field: b.note.field}
	}
}

// A coder generates the instructions of one block.
type coder struct {
	*lowering
	out  []insn
	reg  registers
	next uint32 // free scratch cell, for what does not fit A and X
}

func (c *coder) put(op uint16, k uint32, v *value) {
	in := insn{op: op, k: k, v: v}
	if v != nil && v.op == opCell && op&0xe0 == modeMEM {
		in.note.field = c.cellNames[k]
	}
	c.out = append(c.out, in)
}

// inX reports that v can be put in X without passing through A.
func inX(v *value) bool {
	switch v.op {
	case opNum, opLen, opMSH, opCell:
		return true
	}
	return false
}

// needsX reports that computing v overwrites X.
func needsX(v *value) bool {
	switch v.op {
	case opMSH:
		return true
	case opLoad:
		return v.l != nil
	case opALU:
		return v.r.op != opNum || needsX(v.l)
	case opNeg:
		return needsX(v.l)
	}
	return false
}

// toA computes v in A.
func (c *coder) toA(v *value) {
	if c.reg.a == v {
		return
	}
	if c.reg.x == v {
		c.put(classM|miscTXA, 0, v)
		c.reg.a = v
		return
	}
	switch v.op {
	case opNum:
		c.put(classLD|modeIMM, v.k, v)
	case opLen:
		c.put(classLD|modeLEN, 0, v)
	case opCell:
		c.put(classLD|modeMEM, v.k, v)
	case opLoad:
		if v.l == nil {
			c.put(classLD|modeABS|v.size, v.k, v)
		} else {
			c.toX(v.l)
			c.put(classLD|modeIND|v.size, v.k, v)
		}
	case opMSH:
		c.toX(v)
		c.put(classM|miscTXA, 0, v)
	case opNeg:
		c.toA(v.l)
		c.put(classALU|aluNeg, 0, v)
	case opALU:
		if v.r.op == opNum {
			c.toA(v.l)
			c.put(classALU|v.alu, v.r.k, v)
		} else {
			commutes := v.alu == aluAdd || v.alu == aluMul || v.alu == aluAnd || v.alu == aluOr || v.alu == aluXor
			c.operands(v.l, v.r, commutes)
			c.put(classALU|v.alu|sourceX, 0, v)
		}
	}
	c.reg.a = v
}

// toX computes v in X. A is lost unless v fits X directly.
func (c *coder) toX(v *value) {
	switch {
	case c.reg.x == v:
		return
	case c.reg.a == v || !inX(v):
		c.toA(v)
		c.put(classM|miscTAX, 0, v)
	case v.op == opNum:
		c.put(classLDX|modeIMM, v.k, v)
	case v.op == opLen:
		c.put(classLDX|modeLEN, 0, v)
	case v.op == opCell:
		c.put(classLDX|modeMEM, v.k, v)
	case v.op == opMSH:
		c.put(classLDX|modeMSH|sizeB, v.k, v)
	}
	c.reg.x = v
}

// operands computes l in A and r in X, or the other way round if swap allows.
func (c *coder) operands(l, r *value, swap bool) {
	switch {
	case c.reg.x == r && !needsX(l), inX(r) && (c.reg.a != r || needsX(l)):
		c.toA(l)
		c.toX(r)
	case swap && (inX(l) || c.reg.x == l && !needsX(r)):
		c.toA(r)
		c.toX(l)
	case !needsX(l):
		c.toX(r)
		c.toA(l)
	case swap && !needsX(r):
		c.toX(l)
		c.toA(r)
	default:
		c.toA(r)
		cell := c.next
		if c.next++; c.next > scratchCells {
			fail(c.expr, 0, len(c.expr), "", "this needs more than the %d scratch cells of the BPF machine", scratchCells)
		}
		c.put(classST, cell, nil)
		c.toA(l)
		c.put(classLDX|modeMEM, cell, r)
		c.reg.x = r
		c.next--
	}
}

func (c *coder) store(s store) {
	c.toA(s.v)
	c.put(classST, s.cell, nil)
	// Values that depend on the cell are now others; A is the cell.
	if c.reg.x != nil && c.reg.x.cells&(1<<s.cell) != 0 {
		c.reg.x = nil
	}
	c.reg.a = c.values.cell(s.cell)
}

// layout puts the blocks in a row and resolves their jumps. A conditional jump
// reaches 255 instructions; beyond, it goes to a jump (or a verdict of its
// own) put right behind it.
func layout(order []*block, code map[*block][]insn) []insn {
	type far struct{ t, f bool }
	long := map[*block]far{}
	at := map[*block]int{}
	for {
		n, grown := 0, false
		for i, b := range order {
			at[b] = n
			n += len(code[b])
			switch b.kind {
			case isTest:
				n++
				if long[b].t {
					n++
				}
				if long[b].f {
					n++
				}
			case isStore:
				if order[i+1] != b.t {
					n++
				}
			case isVerdict:
				n++
			}
		}
		if n > maxProgram {
			panic(tooLong{})
		}
		for _, b := range order {
			if b.kind != isTest {
				continue
			}
			here := at[b] + len(code[b]) + 1
			l := long[b]
			if !l.t && at[b.t]-here > 255 {
				l.t, grown = true, true
			}
			if !l.f && at[b.f]-here > 255 {
				l.f, grown = true, true
			}
			long[b] = l
		}
		if !grown {
			break
		}
	}
	var out []insn
	jump := func(to *block) {
		if to.kind == isVerdict {
			out = append(out, insn{op: classRET, k: to.k})
		} else {
			out = append(out, insn{op: classJMP, k: uint32(at[to] - len(out) - 1)})
		}
	}
	for i, b := range order {
		out = append(out, code[b]...)
		switch b.kind {
		case isVerdict:
			out = append(out, insn{op: classRET, k: b.k})
		case isStore:
			if order[i+1] != b.t {
				jump(b.t)
			}
		case isTest:
			here, l := len(out)+1, long[b]
			j := insn{op: classJMP | b.op, k: b.r.k, note: b.note, v: b.l}
			if b.r.op != opNum {
				j.op, j.k = j.op|sourceX, 0
			}
			switch {
			case l.t && l.f:
				j.jt, j.jf = 0, 1
			case l.t:
				j.jt, j.jf = 0, uint8(at[b.f]-here)
			case l.f:
				j.jt, j.jf = uint8(at[b.t]-here), 0
			default:
				j.jt, j.jf = uint8(at[b.t]-here), uint8(at[b.f]-here)
			}
			out = append(out, j)
			if l.t {
				jump(b.t)
			}
			if l.f {
				jump(b.f)
			}
		}
	}
	return out
}
