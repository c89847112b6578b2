package filter

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
)

// A machine is a program decoded for our interpreter: operations numbered
// densely, jumps absolute, and the commonest pair, "load an octet or more and
// compare it with a constant", one operation.
type machine []op

type op struct {
	code   opcode
	t, f   uint16 // where to go on
	k, cmp uint32
}

type opcode uint8

const (
	opReject opcode = iota // the zero op, so that a fall off the end rejects
	opRet
	opRetA
	// load (fixed offset) and compare
	opByteEQ
	opHalfEQ
	opWordEQ
	opByteSET
	opHalfSET
	opByteGT
	opHalfGT
	opByteGE
	opHalfGE
	// load
	opLdB
	opLdH
	opLdW
	opLdBX
	opLdHX
	opLdWX
	opLdLen
	opLdImm
	opLdMem
	opLdxMSH
	opLdxLen
	opLdxImm
	opLdxMem
	opSt
	opStx
	opTax
	opTxa
	// compare
	opJump
	opEQ
	opGT
	opGE
	opSET
	opEQX
	opGTX
	opGEX
	opSETX
	// arithmetic
	opAdd
	opMul
	opDiv
	opMod
	opAnd
	opOr
	opXor
	opLsh
	opRsh
	opSub
	opNegate
	opAddX
	opMulX
	opDivX
	opModX
	opAndX
	opOrX
	opXorX
	opLshX
	opRshX
	opSubX
)

var aluCodes = map[uint16]opcode{aluAdd: opAdd, aluMul: opMul, aluDiv: opDiv, aluMod: opMod, aluAnd: opAnd, aluOr: opOr,
	aluXor: opXor, aluLsh: opLsh, aluRsh: opRsh, aluSub: opSub}

var simpleCodes = map[uint16]opcode{
	classLD | modeABS | sizeB: opLdB, classLD | modeABS | sizeH: opLdH, classLD | modeABS | sizeW: opLdW,
	classLD | modeIND | sizeB: opLdBX, classLD | modeIND | sizeH: opLdHX, classLD | modeIND | sizeW: opLdWX,
	classLD | modeLEN: opLdLen, classLD | modeIMM: opLdImm, classLD | modeMEM: opLdMem,
	classLDX | modeMSH | sizeB: opLdxMSH, classLDX | modeLEN: opLdxLen, classLDX | modeIMM: opLdxImm, classLDX | modeMEM: opLdxMem,
	classST: opSt, classSTX: opStx, classM | miscTAX: opTax, classM | miscTXA: opTxa, classALU | aluNeg: opNegate,
	classRET: opRet, classRET | 0x10: opRetA,
}

var jumpCodes = map[uint16]opcode{jmpEQ: opEQ, jmpGT: opGT, jmpGE: opGE, jmpSET: opSET}

var fusedCodes = map[[2]opcode]opcode{
	{opLdB, opEQ}: opByteEQ, {opLdH, opEQ}: opHalfEQ, {opLdW, opEQ}: opWordEQ, {opLdB, opSET}: opByteSET, {opLdH, opSET}: opHalfSET,
	{opLdB, opGT}: opByteGT, {opLdH, opGT}: opHalfGT, {opLdB, opGE}: opByteGE, {opLdH, opGE}: opHalfGE,
}

// newMachine decodes a program that is known to be valid: made by emit, or
// passed by Validate.
func newMachine(code []bpf.RawInstruction) machine {
	m := make(machine, len(code)+1)
	for i, c := range code {
		o := op{k: c.K, t: uint16(i + 1), f: uint16(i + 1)}
		switch {
		case c.Op == classJMP:
			o.code, o.t = opJump, uint16(i+1+int(c.K))
		case c.Op&7 == classJMP:
			o.code, o.cmp = jumpCodes[c.Op&0xf0], c.K
			if c.Op&sourceX != 0 {
				o.code += opEQX - opEQ
			}
			o.t, o.f = uint16(i+1+int(c.Jt)), uint16(i+1+int(c.Jf))
		case c.Op&7 == classALU && c.Op != classALU|aluNeg:
			o.code = aluCodes[c.Op&0xf0]
			if c.Op&sourceX != 0 {
				o.code += opAddX - opAdd
				if c.Op&0xf0 == aluSub {
					o.code = opSubX
				}
			}
		default:
			o.code = simpleCodes[c.Op]
		}
		m[i] = o
	}
	// A load followed by a test becomes one operation. The test stays in its
	// place for those who jump to it.
	for i := range len(code) - 1 {
		if fused, ok := fusedCodes[[2]opcode{m[i].code, m[i+1].code}]; ok {
			m[i].code, m[i].cmp, m[i].t, m[i].f = fused, m[i+1].cmp, m[i+1].t, m[i+1].f
		}
	}
	return m
}

// run returns how many octets of the frame to keep, 0 for none. A load beyond
// the captured octets rejects, as does a division by zero. A keeps its value
// across operations, so a fused load leaves it there.
func (m machine) run(frame []byte, wireLen uint32) uint32 {
	var a, x uint32
	var mem [scratchCells]uint32
	pc := 0
	for {
		o := &m[pc]
		pc = int(o.t)
		switch o.code {
		case opReject:
			return 0
		case opRet:
			return o.k
		case opRetA:
			return a

		case opByteEQ:
			if uint(o.k) >= uint(len(frame)) {
				return 0
			}
			if a = uint32(frame[o.k]); a != o.cmp {
				pc = int(o.f)
			}
		case opHalfEQ:
			if uint(o.k)+2 > uint(len(frame)) {
				return 0
			}
			if a = uint32(binary.BigEndian.Uint16(frame[o.k:])); a != o.cmp {
				pc = int(o.f)
			}
		case opWordEQ:
			if uint(o.k)+4 > uint(len(frame)) {
				return 0
			}
			if a = binary.BigEndian.Uint32(frame[o.k:]); a != o.cmp {
				pc = int(o.f)
			}
		case opByteSET:
			if uint(o.k) >= uint(len(frame)) {
				return 0
			}
			if a = uint32(frame[o.k]); a&o.cmp == 0 {
				pc = int(o.f)
			}
		case opHalfSET:
			if uint(o.k)+2 > uint(len(frame)) {
				return 0
			}
			if a = uint32(binary.BigEndian.Uint16(frame[o.k:])); a&o.cmp == 0 {
				pc = int(o.f)
			}
		case opByteGT:
			if uint(o.k) >= uint(len(frame)) {
				return 0
			}
			if a = uint32(frame[o.k]); a <= o.cmp {
				pc = int(o.f)
			}
		case opHalfGT:
			if uint(o.k)+2 > uint(len(frame)) {
				return 0
			}
			if a = uint32(binary.BigEndian.Uint16(frame[o.k:])); a <= o.cmp {
				pc = int(o.f)
			}
		case opByteGE:
			if uint(o.k) >= uint(len(frame)) {
				return 0
			}
			if a = uint32(frame[o.k]); a < o.cmp {
				pc = int(o.f)
			}
		case opHalfGE:
			if uint(o.k)+2 > uint(len(frame)) {
				return 0
			}
			if a = uint32(binary.BigEndian.Uint16(frame[o.k:])); a < o.cmp {
				pc = int(o.f)
			}

		case opLdB:
			if uint(o.k) >= uint(len(frame)) {
				return 0
			}
			a = uint32(frame[o.k])
		case opLdH:
			if uint(o.k)+2 > uint(len(frame)) {
				return 0
			}
			a = uint32(binary.BigEndian.Uint16(frame[o.k:]))
		case opLdW:
			if uint(o.k)+4 > uint(len(frame)) {
				return 0
			}
			a = binary.BigEndian.Uint32(frame[o.k:])
		case opLdBX:
			// The sum wraps around at 32 bits, as in the kernel.
			at := uint(x + o.k)
			if at >= uint(len(frame)) {
				return 0
			}
			a = uint32(frame[at])
		case opLdHX:
			at := uint(x + o.k)
			if at+2 > uint(len(frame)) {
				return 0
			}
			a = uint32(binary.BigEndian.Uint16(frame[at:]))
		case opLdWX:
			at := uint(x + o.k)
			if at+4 > uint(len(frame)) {
				return 0
			}
			a = binary.BigEndian.Uint32(frame[at:])
		case opLdLen:
			a = wireLen
		case opLdImm:
			a = o.k
		case opLdMem:
			a = mem[o.k&(scratchCells-1)]
		case opLdxMSH:
			if uint(o.k) >= uint(len(frame)) {
				return 0
			}
			x = uint32(frame[o.k]&15) << 2
		case opLdxLen:
			x = wireLen
		case opLdxImm:
			x = o.k
		case opLdxMem:
			x = mem[o.k&(scratchCells-1)]
		case opSt:
			mem[o.k&(scratchCells-1)] = a
		case opStx:
			mem[o.k&(scratchCells-1)] = x
		case opTax:
			x = a
		case opTxa:
			a = x

		case opJump:
		case opEQ:
			if a != o.cmp {
				pc = int(o.f)
			}
		case opGT:
			if a <= o.cmp {
				pc = int(o.f)
			}
		case opGE:
			if a < o.cmp {
				pc = int(o.f)
			}
		case opSET:
			if a&o.cmp == 0 {
				pc = int(o.f)
			}
		case opEQX:
			if a != x {
				pc = int(o.f)
			}
		case opGTX:
			if a <= x {
				pc = int(o.f)
			}
		case opGEX:
			if a < x {
				pc = int(o.f)
			}
		case opSETX:
			if a&x == 0 {
				pc = int(o.f)
			}

		case opAdd:
			a += o.k
		case opMul:
			a *= o.k
		case opDiv:
			a /= o.k
		case opMod:
			a %= o.k
		case opAnd:
			a &= o.k
		case opOr:
			a |= o.k
		case opXor:
			a ^= o.k
		case opLsh:
			a <<= o.k
		case opRsh:
			a >>= o.k
		case opSub:
			a -= o.k
		case opNegate:
			a = -a
		case opAddX:
			a += x
		case opMulX:
			a *= x
		case opDivX:
			if x == 0 {
				return 0
			}
			a /= x
		case opModX:
			if x == 0 {
				return 0
			}
			a %= x
		case opAndX:
			a &= x
		case opOrX:
			a |= x
		case opXorX:
			a ^= x
		case opLshX:
			a <<= x
		case opRshX:
			a >>= x
		case opSubX:
			a -= x
		}
	}
}
