package filter

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"golang.org/x/net/bpf"
)

// The machine does what the reference interpreter does, on programs of its own
// and of libpcap, instruction by instruction.
func TestMachineAgreesWithReference(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	var frames []packet
	for range 200 {
		d := make([]byte, r.IntN(80))
		for i := range d {
			d[i] = byte(r.Uint32())
		}
		frames = append(frames, packet{d, len(d) + r.IntN(3)})
	}
	for range 3000 {
		code := randomProgram(r)
		if err := Validate(code); err != nil {
			t.Fatalf("%v: %v", err, code)
		}
		m := newMachine(code)
		for _, f := range frames[:20] {
			want, _ := reference(code, f.data, f.wire, nil)
			if got := m.run(f.data, uint32(f.wire)); got != want {
				t.Fatalf("got %d, want %d: %v on % x", got, want, code, f.data)
			}
		}
		r.Shuffle(len(frames), func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
	}
}

// randomProgram is valid and otherwise anything.
func randomProgram(r *rand.Rand) []bpf.RawInstruction {
	n := 3 + r.IntN(40)
	code := make([]bpf.RawInstruction, 0, n+17)
	for c := range uint32(scratchCells) {
		code = append(code, bpf.RawInstruction{Op: classST, K: c})
	}
	var simple []uint16
	for op := range simpleCodes {
		if op&7 != classRET && op != classALU|aluNeg {
			simple = append(simple, op)
		}
	}
	var alu []uint16
	for op := range aluCodes {
		alu = append(alu, classALU|op, classALU|op|sourceX)
	}
	for i := range n {
		left := n - i - 1
		in := bpf.RawInstruction{K: uint32(r.IntN(70))}
		switch k := r.IntN(10); {
		case left == 0:
			in.Op = classRET | uint16(r.IntN(2))*0x10
		case k < 5:
			in.Op = simple[r.IntN(len(simple))]
			if m := in.Op & 0xe7; m == classST || m == classSTX || m == classLD|modeMEM || m == classLDX|modeMEM {
				in.K %= scratchCells
			}
		case k < 7:
			in.Op = alu[r.IntN(len(alu))]
			in.K = 1 + in.K%31
		case k == 7 && left > 1:
			in.Op, in.K = classJMP, uint32(r.IntN(min(left, 4)))
		default:
			in.Op = classJMP | []uint16{jmpEQ, jmpGT, jmpGE, jmpSET}[r.IntN(4)] | uint16(r.IntN(2))*sourceX
			in.Jt, in.Jf = uint8(r.IntN(min(left, 6))), uint8(r.IntN(min(left, 6)))
		}
		code = append(code, in)
	}
	return code
}

// udpFrame is an Ethernet frame with a DNS query's headers.
func udpFrame() []byte {
	f := make([]byte, 80)
	binary.BigEndian.PutUint16(f[12:], 0x0800)
	f[14], f[23] = 0x45, 17
	copy(f[26:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	binary.BigEndian.PutUint16(f[34:], 40000)
	binary.BigEndian.PutUint16(f[36:], 53)
	return f
}

var benchmarkExpressions = []struct{ name, expr string }{
	{"udp", "udp"},
	{"port", "port 53"},
	{"syn", "tcp[tcpflags] & tcp-syn != 0 and not port 22"},
	{"mixed", "(tcp port 22 and src net 10.0.0.0/8) or (udp port 53 and not host 10.0.0.9) or icmp"},
}

func BenchmarkMatch(b *testing.B) {
	frame := udpFrame()
	for _, e := range benchmarkExpressions {
		p, err := Compile(e.expr, Ethernet, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(e.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(frame, len(frame))
			}
		})
		ins, _ := bpf.Disassemble(p.Instructions())
		vm, err := bpf.NewVM(ins)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(e.name+"/xnet", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := vm.Run(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, e := range benchmarkExpressions {
		b.Run(e.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Compile(e.expr, Ethernet, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	p, err := Compile("port 53 or ip6 protochain 17 or geneve", Ethernet, Options{})
	if err != nil {
		t.Fatal(err)
	}
	frame := udpFrame()
	if n := testing.AllocsPerRun(100, func() { p.Match(frame, len(frame)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestFromFields(t *testing.T) {
	frame := udpFrame()
	tests := []Test{
		{Offset: 12, Value: []byte{8, 0}, Name: "Ether.type"},
		{Offset: 23, Value: []byte{17}, Name: "IP.proto"},
		{Offset: 26, Value: []byte{10, 0, 0, 1, 10, 0, 0}, Name: "addresses"},
		{Offset: 14, Value: []byte{0x40}, Mask: []byte{0xf0}, Name: "IP.version"},
	}
	p, err := FromFields(tests, Ethernet, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := Validate(p.Instructions()); err != nil {
		t.Fatal(err)
	}
	if !p.Match(frame, len(frame)) {
		t.Errorf("the frame does not match:\n%s", p.Explain())
	}
	for _, at := range []int{12, 23, 32, 14} {
		changed := append([]byte{}, frame...)
		changed[at] ^= 0x10
		if p.Match(changed, len(frame)) {
			t.Errorf("matches with octet %d changed:\n%s", at, p.Explain())
		}
	}
	if p.Match(frame[:30], len(frame)) {
		t.Error("matches a frame cut before the last field")
	}
	changed := append([]byte{}, frame...)
	changed[14] = 0x4f
	if !p.Match(changed, len(frame)) {
		t.Error("a bit outside of the mask matters")
	}
	again, err := Compile(p.Expr(), Ethernet, Options{})
	if err != nil || again.Match(changed, len(frame)) != p.Match(changed, len(frame)) || len(again.code) != len(p.code) {
		t.Errorf("%s is not the same: %v", p.Expr(), err)
	}
	if p, err = FromFields(nil, Ethernet, Options{}); err != nil || !p.Match(nil, 0) {
		t.Errorf("no tests: %v", err)
	}
	for _, bad := range []Test{{Offset: -1, Value: []byte{1}}, {Offset: 0xfffff004, Value: []byte{1}}, {Value: []byte{1}, Mask: []byte{1, 2}}} {
		if _, err := FromFields([]Test{bad}, Ethernet, Options{}); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("tcp port 80", udpFrame(), 80)
	f.Add("geneve or ip6 protochain 6", udpFrame(), 80)
	f.Fuzz(func(t *testing.T, expr string, frame []byte, wire int) {
		if len(expr) > 200 {
			return
		}
		p, err := Compile(expr, Ethernet, Options{})
		if err != nil {
			return
		}
		want, _ := reference(p.Instructions(), frame, wire, nil)
		if got := p.Match(frame, wire); got != (want != 0) {
			t.Errorf("%s: %v, the reference says %d", expr, got, want)
		}
	})
}

func FuzzCompile(f *testing.F) {
	for _, e := range examples(f) {
		f.Add(e.expr, uint16(Ethernet))
	}
	for _, e := range linkExpressions {
		f.Add(e, uint16(Radiotap))
	}
	f.Fuzz(func(t *testing.T, expr string, link uint16) {
		p, err := Compile(expr, LinkType(link), Options{})
		if err != nil {
			e, ok := err.(*Error)
			if !ok || e.Offset < 0 || e.Offset > len(expr) {
				t.Fatalf("%q: %#v", expr, err)
			}
			e.Render()
			return
		}
		validate(t, expr, p)
		p.Explain()
	})
}
