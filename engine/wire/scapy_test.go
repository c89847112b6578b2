package wire_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"pktsh/engine/wire"
	"pktsh/internal/need"
)

var update = flag.Bool("update", false, "write the goldens anew")

// scapy runs testdata/scapy_oracle.py, one line in, one line out.
type scapy struct {
	in  io.Writer
	out *bufio.Reader
}

func startScapy(t *testing.T) *scapy {
	t.Helper()
	cmd := exec.Command(need.Scapy(t), "testdata/scapy_oracle.py")
	need.Tie(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	return &scapy{in, bufio.NewReader(out)}
}

func (s *scapy) ask(t *testing.T, format string, args ...any) string {
	t.Helper()
	q := fmt.Sprintf(format, args...)
	if _, err := fmt.Fprintln(s.in, q); err != nil {
		t.Fatalf("scapy: %v", err)
	}
	a, err := s.out.ReadString('\n')
	if err != nil {
		t.Fatalf("scapy: %v after %s", err, q)
	}
	return strings.TrimSpace(a)
}

// golden is one packet of testdata/scapy.txt.
type golden struct{ name, py, lua, hex string }

func readGoldens(t testing.TB) []golden {
	t.Helper()
	b, err := os.ReadFile("testdata/scapy.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []golden
	for line := range strings.Lines(string(b)) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch key {
		case "==":
			out = append(out, golden{name: rest})
		case "py:":
			out[len(out)-1].py = rest
		case "lua:":
			out[len(out)-1].lua = rest
		case "hex:":
			out[len(out)-1].hex = rest
		}
	}
	return out
}

func writeGoldens(t *testing.T, goldens []golden) {
	t.Helper()
	old, err := os.ReadFile("testdata/scapy.txt")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(old), "\n==")
	var b strings.Builder
	b.WriteString(head)
	for _, g := range goldens {
		fmt.Fprintf(&b, "\n== %s\npy:  %s\nlua: %s\nhex: %s\n", g.name, g.py, g.lua, g.hex)
	}
	if err := os.WriteFile("testdata/scapy.txt", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPacketsAreThoseOfScapy(t *testing.T) {
	goldens := readGoldens(t)
	if *update {
		s := startScapy(t)
		for i := range goldens {
			goldens[i].hex = s.ask(t, "build %s", goldens[i].py)
		}
		writeGoldens(t, goldens)
	}
	h := newHost(t)
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			got := h.build(t, g.lua)
			if hex.EncodeToString(got) != g.hex {
				t.Errorf("%s\n got %x\nwant %s", g.lua, got, g.hex)
			}
		})
	}
}

// A random packet is written twice, in Lua and in Python.
type twice struct {
	r       *rand.Rand
	lua, py strings.Builder
}

// layer opens a layer; fields follow.
func (w *twice) layer(lua, py string, fields ...[3]string) {
	if w.lua.Len() > 0 {
		w.lua.WriteString("/")
		w.py.WriteString("/")
	}
	w.lua.WriteString(lua + "{")
	w.py.WriteString(py + "(")
	for _, f := range fields {
		if f[1] == "" {
			continue
		}
		name, pyName, _ := strings.Cut(f[0], ":")
		if pyName == "" {
			pyName = name
		}
		fmt.Fprintf(&w.lua, "%s=%s,", name, f[1])
		if f[2] == "" {
			f[2] = f[1]
		}
		fmt.Fprintf(&w.py, "%s=%s,", pyName, f[2])
	}
	w.lua.WriteString("}")
	w.py.WriteString(")")
}

func (w *twice) payload() {
	b := make([]byte, w.r.IntN(60))
	for i := range b {
		b[i] = byte(w.r.Uint32())
	}
	w.lua.WriteString("/\"")
	w.py.WriteString("/b\"")
	for _, c := range b {
		fmt.Fprintf(&w.lua, "\\%03d", c)
		fmt.Fprintf(&w.py, "\\x%02x", c)
	}
	w.lua.WriteString("\"")
	w.py.WriteString("\"")
}

func (w *twice) num(name string, bits int) [3]string {
	return [3]string{name, fmt.Sprint(w.r.Uint64() >> (64 - bits)), ""}
}

// maybe leaves the field out three times of four.
func (w *twice) maybe(f [3]string) [3]string {
	if w.r.IntN(4) > 0 {
		f[1] = ""
	}
	return f
}

func (w *twice) only(may bool, f [3]string) [3]string {
	if !may {
		f[1] = ""
	}
	return w.maybe(f)
}

func (w *twice) mac(name string) [3]string {
	return [3]string{name, fmt.Sprintf(`"02:00:00:%02x:%02x:%02x"`, w.r.IntN(256), w.r.IntN(256), w.r.IntN(256)), ""}
}

func (w *twice) ip4(name string) [3]string { return [3]string{name, w.addr4(), ""} }
func (w *twice) ip6(name string) [3]string { return [3]string{name, w.addr6(), ""} }

func (w *twice) addr4() string {
	return fmt.Sprintf(`"%d.%d.%d.%d"`, w.r.IntN(256), w.r.IntN(256), w.r.IntN(256), w.r.IntN(256))
}

func (w *twice) addr6() string {
	return fmt.Sprintf(`"2001:db8::%x:%x"`, w.r.IntN(65536), 1+w.r.IntN(65535))
}

func (w *twice) packet() {
	if w.r.IntN(3) > 0 {
		w.layer("Ether", "Ether", w.mac("src"), w.mac("dst"))
		for range w.r.IntN(3) {
			w.layer("Dot1Q", "Dot1Q", w.num("prio", 3), w.num("vlan", 12), w.num("dei:id", 1))
		}
		if w.r.IntN(6) == 0 {
			w.layer("ARP", "ARP", w.num("op", 2), w.mac("hwsrc"), w.ip4("psrc"), w.mac("hwdst"), w.ip4("pdst"),
				[3]string{"hwlen", "6", ""}, [3]string{"plen", "4", ""})
			return
		}
	}
	v6 := w.r.IntN(3) == 0
	upper := w.r.IntN(4)
	// Scapy takes a length that was set for the pseudo-header; we take what is
	// there. So lengths are set where nothing is summed.
	if v6 {
		w.v6(upper == 3)
	} else {
		w.v4(upper == 3)
	}
	switch upper {
	case 0:
		if w.r.IntN(3) == 0 {
			w.layer("UDP", "UDP", [3]string{"sport", "53", ""}, w.num("dport", 16))
			w.dns()
			return
		}
		w.layer("UDP", "UDP", w.num("sport", 16), w.num("dport", 16), w.maybe(w.num("len", 16)), w.maybe(w.num("chksum", 16)))
		w.payload()
	case 1:
		w.tcp()
		w.payload()
	case 2:
		if v6 {
			w.icmp6()
		} else {
			w.icmp()
		}
	default:
		w.payload()
	}
}

func (w *twice) v4(lengths bool) {
	var lua, py []string
	for range w.r.IntN(3) {
		switch w.r.IntN(5) {
		case 0:
			lua, py = append(lua, `"NOP"`), append(py, "IPOption_NOP()")
		case 1:
			a := w.addr4()
			lua, py = append(lua, `{"RR",4,{`+a+`}}`), append(py, "IPOption_RR(routers=["+a+"])")
		case 2:
			n := w.r.IntN(65536)
			lua, py = append(lua, fmt.Sprintf(`{"Stream_Id",%d}`, n)), append(py, fmt.Sprintf("IPOption_Stream_Id(security=%d)", n))
		case 3:
			// Scapy numbers this option 18; with its class it is 82 (RFC 1393).
			a := w.addr4()
			lua, py = append(lua, `{"Traceroute",1,2,3,`+a+`}`), append(py, "IPOption_Traceroute(optclass=2,id=1,outbound_hops=2,return_hops=3,originator_ip="+a+")")
		case 4:
			lua, py = append(lua, `{"Router_Alert",0}`), append(py, "IPOption_Router_Alert()")
		}
	}
	w.layer("IP", "IP", w.num("tos", 8), w.num("id", 16), w.maybe(w.num("flags", 3)), w.num("ttl", 8),
		w.ip4("src"), w.ip4("dst"), w.maybe(w.num("chksum", 16)), w.only(lengths, w.num("len", 16)),
		[3]string{"options", "{" + strings.Join(lua, ",") + "}", "[" + strings.Join(py, ",") + "]"})
}

func (w *twice) v6(lengths bool) {
	w.layer("IPv6", "IPv6", w.num("tc", 8), w.num("fl", 20), w.num("hlim", 8), w.ip6("src"), w.ip6("dst"), w.only(lengths, w.num("plen", 16)))
	if w.r.IntN(4) == 0 {
		n := fmt.Sprint(w.r.IntN(65536))
		w.layer("IPv6ExtHdrHopByHop", "IPv6ExtHdrHopByHop", [3]string{"options", `{{"RouterAlert",` + n + `}}`, "[RouterAlert(value=" + n + ")]"})
	}
	if w.r.IntN(4) == 0 {
		a, b := w.addr6(), w.addr6()
		w.layer("IPv6ExtHdrRouting", "IPv6ExtHdrRouting", [3]string{"addresses", "{" + a + "," + b + "}", "[" + a + "," + b + "]"})
	}
	if w.r.IntN(4) == 0 {
		w.layer("IPv6ExtHdrDestOpt", "IPv6ExtHdrDestOpt")
	}
}

func (w *twice) tcp() {
	var lua, py []string
	for range w.r.IntN(4) {
		n := w.r.IntN(256)
		switch w.r.IntN(6) {
		case 0:
			lua, py = append(lua, fmt.Sprintf(`{"MSS",%d}`, n)), append(py, fmt.Sprintf(`("MSS",%d)`, n))
		case 1:
			lua, py = append(lua, fmt.Sprintf(`{"WScale",%d}`, n)), append(py, fmt.Sprintf(`("WScale",%d)`, n))
		case 2:
			lua, py = append(lua, `"SAckOK"`), append(py, `("SAckOK",b"")`)
		case 3:
			lua, py = append(lua, fmt.Sprintf(`{"Timestamp",%d,7}`, n)), append(py, fmt.Sprintf(`("Timestamp",(%d,7))`, n))
		case 4:
			lua, py = append(lua, `"NOP"`), append(py, `("NOP",None)`)
		case 5:
			lua, py = append(lua, fmt.Sprintf(`{"SAck",{%d,5}}`, n)), append(py, fmt.Sprintf(`("SAck",(%d,5))`, n))
		}
	}
	w.layer("TCP", "TCP", w.num("sport", 16), w.num("dport", 16), w.num("seq", 32), w.num("ack", 32), w.num("flags", 9),
		w.num("window", 16), w.maybe(w.num("chksum", 16)), w.num("urgptr", 16), w.maybe(w.num("reserved", 3)),
		[3]string{"options", "{" + strings.Join(lua, ",") + "}", "[" + strings.Join(py, ",") + "]"})
}

func (w *twice) dns() {
	name := func() string {
		return fmt.Sprintf(`"h%d.%s."`, w.r.IntN(100), []string{"example", "x", "a.b.c"}[w.r.IntN(3)])
	}
	record := func() (lua, py string) {
		n, ttl := name(), fmt.Sprint(w.r.Uint32())
		num := func() string { return fmt.Sprint(w.r.IntN(65536)) }
		both := func(kind, data string) (string, string) {
			return fmt.Sprintf("{rrname=%s,type=%q,ttl=%s,rdata=%s}", n, kind, ttl, data), fmt.Sprintf("DNSRR(rrname=%s,type=%q,ttl=%s,rdata=%s)", n, kind, ttl, data)
		}
		switch w.r.IntN(8) {
		case 0:
			return both("A", w.addr4())
		case 1:
			return both("AAAA", w.addr6())
		case 2:
			return both([]string{"NS", "CNAME", "PTR"}[w.r.IntN(3)], name())
		case 3:
			a, b := num(), name() // Scapy 2.5 gives it the type of SOA
			return fmt.Sprintf(`{rrname=%s,type="MX",ttl=%s,rdata={preference=%s,exchange=%s}}`, n, ttl, a, b),
				fmt.Sprintf("DNSRRMX(type=15,rrname=%s,ttl=%s,preference=%s,exchange=%s)", n, ttl, a, b)
		case 4:
			a, b, c, d := num(), num(), num(), name()
			return fmt.Sprintf(`{rrname=%s,type="SRV",ttl=%s,rdata={priority=%s,weight=%s,port=%s,target=%s}}`, n, ttl, a, b, c, d),
				fmt.Sprintf("DNSRRSRV(rrname=%s,rclass=1,ttl=%s,priority=%s,weight=%s,port=%s,target=%s)", n, ttl, a, b, c, d)
		case 5:
			a, b, c := name(), name(), num()
			return fmt.Sprintf(`{rrname=%s,type="SOA",ttl=%s,rdata={mname=%s,rname=%s,serial=%s,refresh=2,retry=3,expire=4,minimum=5}}`, n, ttl, a, b, c),
				fmt.Sprintf("DNSRRSOA(rrname=%s,ttl=%s,mname=%s,rname=%s,serial=%s,refresh=2,retry=3,expire=4,minimum=5)", n, ttl, a, b, c)
		case 6:
			return fmt.Sprintf(`{rrname=%s,type="TXT",ttl=%s,rdata={{text="one"},{text="more"}}}`, n, ttl),
				fmt.Sprintf(`DNSRR(rrname=%s,type="TXT",ttl=%s,rdata=[b"one",b"more"])`, n, ttl)
		default:
			a := num()
			return fmt.Sprintf(`{type="OPT",rclass=%s,z=0x8000,rdata={{"NSID","hi"},{"Cookie","12345678"}}}`, a),
				fmt.Sprintf(`DNSRROPT(rclass=%s,z=0x8000,rdata=[EDNS0TLV(optcode=3,optdata=b"hi"),EDNS0TLV(optcode=10,optdata=b"12345678")])`, a)
		}
	}
	section := func(field string) [3]string {
		var lua, py []string
		for range w.r.IntN(3) {
			l, p := record()
			lua, py = append(lua, l), append(py, p)
		}
		if lua == nil {
			return [3]string{}
		}
		return [3]string{field, "{" + strings.Join(lua, ",") + "}", strings.Join(py, "/")}
	}
	q, t := name(), 1+w.r.IntN(300)
	w.layer("DNS", "DNS", w.num("id", 16), w.num("qr", 1), w.num("opcode", 4), w.num("aa", 1), w.num("tc", 1), w.num("rd", 1),
		w.num("ra", 1), w.num("z", 1), w.num("ad", 1), w.num("cd", 1), w.num("rcode", 4),
		[3]string{"qd", fmt.Sprintf("{{qname=%s,qtype=%d}}", q, t), fmt.Sprintf("DNSQR(qname=%s,qtype=%d)", q, t)},
		section("an"), section("ns"), section("ar"))
}

func (w *twice) icmp() {
	switch w.r.IntN(5) {
	case 0:
		w.layer("ICMP", "ICMP", [3]string{"type", `"echo-request"`, ""}, w.num("id", 16), w.num("seq", 16), w.maybe(w.num("chksum", 16)))
	case 1:
		w.layer("ICMP", "ICMP", [3]string{"type", `"echo-reply"`, ""}, w.num("id", 16), w.num("seq", 16))
	case 2:
		w.layer("ICMP", "ICMP", [3]string{"type", "5", ""}, w.num("code", 2), w.ip4("gw"))
	case 3:
		w.layer("ICMP", "ICMP", [3]string{"type", "3", ""}, [3]string{"code", "4", ""}, w.num("nexthopmtu", 16))
	case 4:
		w.layer("ICMP", "ICMP", [3]string{"type", "12", ""}, w.num("ptr", 8))
	}
	w.payload()
}

func (w *twice) icmp6() {
	switch w.r.IntN(5) {
	case 0:
		w.layer("ICMPv6", "ICMPv6EchoRequest", w.num("id", 16), w.num("seq", 16), w.maybe(w.num("chksum:cksum", 16)))
		w.payload()
	case 1:
		w.layer("ICMPv6", "ICMPv6PacketTooBig", [3]string{"type", "2", ""}, w.num("mtu", 32))
		w.payload()
	case 2:
		m := w.mac("")[1]
		w.layer("ICMPv6", "ICMPv6ND_NS", [3]string{"type", "135", ""}, w.ip6("target:tgt"), [3]string{"options", `{{"SourceLinkAddr",` + m + `}}`, "?"})
		s := strings.Replace(w.py.String(), "options=?,", "", 1)
		w.py.Reset()
		w.py.WriteString(s + "/ICMPv6NDOptSrcLLAddr(lladdr=" + m + ")")
	case 3:
		a := w.addr6()
		w.layer("ICMPv6", "ICMPv6MLReport2", [3]string{"type", "143", ""},
			[3]string{"records", "{{rtype=3,dst=" + a + "}}", "[ICMPv6MLDMultAddrRec(rtype=3,dst=" + a + ")]"})
	case 4:
		w.layer("ICMPv6", "ICMPv6MLReport", [3]string{"type", "131", ""}, w.num("mrd", 16), w.ip6("mladdr"))
	}
}

func TestRandomPacketsAreThoseOfScapy(t *testing.T) {
	s := startScapy(t)
	h := newHost(t)
	const seed = 20
	compared := 0
	defer func() { t.Logf("%d values compared", compared) }()
	for i := range 400 {
		w := &twice{r: rand.New(rand.NewPCG(seed, uint64(i)))}
		w.packet()
		want := s.ask(t, "build %s", w.py.String())
		got := hex.EncodeToString(h.build(t, w.lua.String()))
		compared += compareScapy(t, h, s, w.lua.String(), want)
		if got != want {
			t.Errorf("seed %d, packet %d\npy  %s\nlua %s\n got %s\nwant %s", seed, i, w.py.String(), w.lua.String(), got, want)
		}
	}
}

// compareScapy compares what Scapy reads in the octets of a packet with what we
// read: of layers and fields that have one name, numbers and addresses.
func compareScapy(t *testing.T, h *host, s *scapy, expr, octets string) int {
	t.Helper()
	first, _, _ := strings.Cut(expr, "{")
	b, err := hex.DecodeString(octets)
	if err != nil {
		t.Errorf("%s: %s", expr, octets)
		return 0
	}
	var theirs [][2]json.RawMessage
	if err := json.Unmarshal([]byte(s.ask(t, "parse %s %s", first, octets)), &theirs); err != nil {
		t.Errorf("%s: %v", octets, err)
		return 0
	}
	lay, err := h.reg.Layout(first)
	if err != nil {
		t.Fatal(err)
	}
	p := lay.Parse(b)
	count := map[string]int{}
	compared := 0
	for _, layer := range theirs {
		var name string
		var fields map[string]any
		if json.Unmarshal(layer[0], &name) != nil || json.Unmarshal(layer[1], &fields) != nil {
			t.Fatalf("%s", layer)
		}
		if !h.reg.Known(name) || name == "Raw" || name == "Padding" {
			continue
		}
		l := p.Layer(name, count[name])
		count[name]++
		if !l.OK() {
			t.Errorf("%s\n%s: Scapy finds %s, we find %s", expr, octets, name, p.Summary())
			continue
		}
		for field, want := range fields {
			f := l.Layout().Field(field)
			if f == nil || name == "ICMP" && field == "unused" {
				continue // which Scapy has as octets of several lengths
			}
			v, err := l.Value(field)
			if err != nil || v.Kind() == 0 {
				continue
			}
			var got any
			switch v.Kind() {
			case wire.Uint:
				got = float64(v.Uint())
			case wire.MAC, wire.IP4, wire.IP6:
				got = v.Text()
			default:
				continue
			}
			compared++
			if got != want {
				t.Errorf("%s\n%s: %s.%s is %v for Scapy and %v for us", expr, octets, name, field, want, got)
			}
		}
	}
	return compared
}
