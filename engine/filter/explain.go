package filter

import (
	"fmt"
	"strings"
)

// Explain is the program with what each instruction means:
//
//	ip and less 100: 6 instructions for Ethernet frames
//
//	  0  ldh  [12]       Ether.type
//	  1  jeq  #0x800     IP?                      yes 2, no reject
//	  2  ld   #pktlen    length on the wire
//	  3  jgt  #0x64      longer than 100?         yes reject, no accept
//	  4  ret  #262144    accept
//	  5  ret  #0         reject
func (p *Program) Explain() string {
	var b strings.Builder
	name := p.expr
	if strings.TrimSpace(name) == "" {
		name = "every frame"
	}
	fmt.Fprintf(&b, "%s: %s for %s frames\n\n", strings.Join(strings.Fields(name), " "), counted(len(p.code), "instruction"), p.link)
	explain(&b, p.code)
	if p.live != nil {
		b.WriteString("\nThe kernel gets another program, because it takes the outermost tag out of the frames it receives:\n\n")
		explain(&b, p.live)
	}
	return b.String()
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func explain(b *strings.Builder, code []insn) {
	type row struct{ asm, means, to string }
	rows := make([]row, len(code))
	wideAsm, wideMeans := 0, 0
	for i, c := range code {
		r := row{asm: c.assembly(), means: c.meaning()}
		if c.op&7 == classJMP {
			if c.op == classJMP {
				r.to = "go to " + target(code, i+1+int(c.k))
			} else {
				r.to = "yes " + target(code, i+1+int(c.jt)) + ", no " + target(code, i+1+int(c.jf))
			}
			wideMeans = max(wideMeans, width(r.means))
		}
		rows[i] = r
		wideAsm = max(wideAsm, len(r.asm))
	}
	for i, r := range rows {
		line := fmt.Sprintf("%4d  %-*s  %s", i, wideAsm, r.asm, r.means)
		if r.to != "" {
			line += strings.Repeat(" ", wideMeans-width(r.means)+2) + r.to
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func width(s string) int { return len([]rune(s)) }

// target is where a jump leads, in a word if that is a verdict.
func target(code []insn, i int) string {
	if code[i].op == classRET {
		return verdict(code[i].k)
	}
	return fmt.Sprint(i)
}

func verdict(k uint32) string {
	if k == 0 {
		return "reject"
	}
	return "accept"
}

var (
	aluMnemonics = map[uint16]string{aluAdd: "add", aluSub: "sub", aluMul: "mul", aluDiv: "div", aluMod: "mod",
		aluAnd: "and", aluOr: "or", aluXor: "xor", aluLsh: "lsh", aluRsh: "rsh"}
	aluSigns = map[uint16]string{aluAdd: "+", aluSub: "-", aluMul: "*", aluDiv: "/", aluMod: "%",
		aluAnd: "&", aluOr: "|", aluXor: "^", aluLsh: "<<", aluRsh: ">>"}
	jumpMnemonics = map[uint16]string{jmpEQ: "jeq", jmpGT: "jgt", jmpGE: "jge", jmpSET: "jset"}
)

var ancillaryNames = map[uint32]string{ancillaryPacketType: "#type", ancillaryIfindex: "#ifidx", ancillaryVLANTag: "#vlan_tci",
	ancillaryVLANThere: "#vlan_avail"}

// assembly is the instruction in the notation of tcpdump -d and bpf_asm.
func (c insn) assembly() string {
	line := func(mnemonic, format string, args ...any) string {
		return fmt.Sprintf("%-4s  %s", mnemonic, fmt.Sprintf(format, args...))
	}
	suffix := map[uint16]string{sizeW: "", sizeH: "h", sizeB: "b"}[c.op&0x18]
	switch c.op & 7 {
	case classLD:
		switch c.op & 0xe0 {
		case modeIMM:
			return line("ld", "#0x%x", c.k)
		case modeABS:
			if name, ok := ancillaryNames[c.k]; ok {
				return line("ld", "%s", name)
			}
			return line("ld"+suffix, "[%d]", c.k)
		case modeIND:
			return line("ld"+suffix, "[x + %d]", c.k)
		case modeMEM:
			return line("ld", "M[%d]", c.k)
		}
		return line("ld", "#pktlen")
	case classLDX:
		switch c.op & 0xe0 {
		case modeIMM:
			return line("ldx", "#0x%x", c.k)
		case modeMEM:
			return line("ldx", "M[%d]", c.k)
		case modeMSH:
			return line("ldxb", "4*([%d]&0xf)", c.k)
		}
		return line("ldx", "#pktlen")
	case classST:
		return line("st", "M[%d]", c.k)
	case classSTX:
		return line("stx", "M[%d]", c.k)
	case classALU:
		if c.op == classALU|aluNeg {
			return "neg"
		}
		if c.op&sourceX != 0 {
			return line(aluMnemonics[c.op&0xf0], "x")
		}
		return line(aluMnemonics[c.op&0xf0], "#0x%x", c.k)
	case classJMP:
		switch {
		case c.op == classJMP:
			return "ja"
		case c.op&sourceX != 0:
			return line(jumpMnemonics[c.op&0xf0], "x")
		}
		return line(jumpMnemonics[c.op&0xf0], "#0x%x", c.k)
	case classRET:
		return line("ret", "#%d", c.k)
	}
	if c.op&0xf8 == miscTXA {
		return "txa"
	}
	return "tax"
}

// meaning is what the instruction is for.
func (c insn) meaning() string {
	if c.op&7 == classJMP && c.op != classJMP {
		q := c.note.is
		switch {
		case q == "":
			q = c.note.field
		case strings.HasPrefix(q, "= "), strings.HasPrefix(q, "> "), strings.HasPrefix(q, ">= "), strings.HasPrefix(q, "!= "):
			q = c.note.field + " " + q
		}
		return q + "?"
	}
	if c.note != (note{}) {
		if c.op == classST {
			return c.note.field + ": " + c.note.is
		}
		return c.note.field
	}
	switch c.op & 7 {
	case classRET:
		return verdict(c.k)
	case classALU:
		switch {
		case c.op == classALU|aluNeg:
			return "A = -A"
		case c.op&sourceX != 0:
			return "A = A " + aluSigns[c.op&0xf0] + " X"
		}
		return fmt.Sprintf("A = A %s 0x%x", aluSigns[c.op&0xf0], c.k)
	case classM:
		if c.op&0xf8 == miscTXA {
			return "A = X"
		}
		return "X = A"
	case classLDX:
		switch c.op & 0xe0 {
		case modeMSH:
			return "IP header length in octets"
		case modeMEM:
			return "kept before"
		}
	case classLD:
		switch c.op & 0xe0 {
		case modeMEM:
			return "kept before"
		case modeLEN:
			return "length on the wire"
		case modeABS, modeIND:
			return map[uint16]string{sizeW: "4 octets", sizeH: "2 octets", sizeB: "an octet"}[c.op&0x18]
		}
	case classST:
		return "keep"
	}
	return ""
}
