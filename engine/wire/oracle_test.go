package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"pktsh/engine/wire"
	"pktsh/internal/need"
)

// captures lists the capture files to check against other programs: those of
// the tcpdump project if they lie beside the module, and ours in testdata.
func captures(t *testing.T) []string {
	t.Helper()
	var out []string
	seen := map[string]bool{}
	for _, dir := range []string{"../../../shared/captures", "testdata"} {
		for _, pattern := range []string{"*.pcap", "*.pcapng"} {
			files, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if !seen[filepath.Base(f)] {
					seen[filepath.Base(f)] = true
					out = append(out, f)
				}
			}
		}
	}
	if len(out) == 0 {
		need.Captures(t, "../..")
	}
	return out
}

// captured is one frame of a capture file.
type captured struct {
	file  string // without folder and origin
	frame int    // from 1
	link  layers.LinkType
	info  gopacket.CaptureInfo
	data  []byte
}

func (c captured) String() string { return fmt.Sprintf("%s frame %d", c.file, c.frame) }

func readCapture(t *testing.T, file string) []captured {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var src interface {
		gopacket.PacketDataSource
		LinkType() layers.LinkType
	}
	if strings.HasSuffix(file, "ng") {
		src, err = pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	} else {
		src, err = pcapgo.NewReader(f)
	}
	if err != nil {
		t.Skipf("SKIP: pcapgo cannot read %s: %v", file, err)
	}
	var out []captured
	for {
		data, info, err := src.ReadPacketData()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return out
		}
		if err != nil {
			t.Logf("%s: frame %d: %v", file, len(out)+1, err)
			return out
		}
		name := strings.TrimPrefix(filepath.Base(file), "tcpdump_")
		out = append(out, captured{name, len(out) + 1, src.LinkType(), info, bytes.Clone(data)})
	}
}

// firstLayout is the layout of a frame's first octet.
func firstLayout(c captured) string {
	switch c.link {
	case layers.LinkTypeEthernet:
		return "Ether"
	case layers.LinkTypeLinuxSLL:
		return "SLL"
	case layers.LinkTypeNull:
		return "Null"
	case layers.LinkTypeLoop:
		return "Loop"
	case layers.LinkTypeRaw, 12, 14, layers.LinkTypeIPv4, layers.LinkTypeIPv6:
		if len(c.data) > 0 && c.data[0]>>4 == 6 {
			return "IPv6"
		}
		return "IP"
	}
	return ""
}

func (h *host) parse(t *testing.T, c captured) *wire.Packet {
	t.Helper()
	name := firstLayout(c)
	if name == "" {
		return nil
	}
	l, err := h.reg.Layout(name)
	if err != nil {
		t.Fatal(err)
	}
	return l.Parse(c.data)
}

// A frame that nobody edits goes out as it came in; one that is edited and set
// back as well, if its automatic fields were right; and every print-out of it
// has an end.
func TestCapturesEncodeToTheSameOctets(t *testing.T) {
	h := newHost(t)
	frames := 0
	for _, file := range captures(t) {
		for i, c := range readCapture(t, file) {
			p := h.parse(t, c)
			if p == nil {
				continue
			}
			frames++
			where := fmt.Sprintf("%s frame %d", filepath.Base(file), i+1)
			check := func(what string, p *wire.Packet) {
				t.Helper()
				b, err := p.AppendBinary(nil)
				if err != nil {
					t.Errorf("%s: %s: %v", where, what, err)
				} else if !bytes.Equal(b, c.data) {
					t.Errorf("%s: %s: %s\n got %x\nwant %x", where, what, p.Summary(), b, c.data)
				}
			}
			check("unedited", p)
			q := p.Copy()
			first := q.At(0)
			for f := range first.Fields() {
				if f.Auto() != nil {
					continue
				}
				v, err := first.Get(f)
				if err != nil {
					t.Fatal(err)
				}
				if err := first.SetField(f, v); err != nil {
					t.Fatalf("%s: %v", where, err)
				}
				break
			}
			check("set to what it was", q)
			p.Summary()
			p.Show()
			p.Diagram()
			p.HexdumpFields()
			if _, err := p.AppendJSON(nil); err != nil {
				t.Errorf("%s: %v", where, err)
			}
			if d := p.Diff(q); d != "" {
				t.Errorf("%s: differs from itself: %s", where, d)
			}
			if ok, why := p.Matches(p); !ok {
				t.Errorf("%s: does not match itself: %s", where, why)
			}
			for _, at := range []int{0, len(c.data) / 2, len(c.data) - 1} {
				if _, err := p.Why(at); err != nil && len(c.data) > 0 {
					t.Errorf("%s: %v", where, err)
				}
			}
		}
	}
	t.Logf("%d frames", frames)
}

// p:lua() of every frame builds the frame.
func TestTheLuaSourceOfACapturedFrameBuildsIt(t *testing.T) {
	h := newHost(t)
	octets, frames := 0, 0
	for _, file := range captures(t) {
		for i, c := range readCapture(t, file) {
			p := h.parse(t, c)
			if p == nil || len(c.data) == 0 {
				continue
			}
			src, err := p.LuaSource()
			if err != nil {
				t.Fatal(err)
			}
			frames++
			if strings.Contains(src, ".parse(") {
				octets++
			}
			if got := h.build(t, src); !bytes.Equal(got, c.data) {
				t.Errorf("%s frame %d: %s\n got %x\nwant %x", filepath.Base(file), i+1, src, got, c.data)
			}
		}
	}
	t.Logf("%d frames, %d of them as octets", frames, octets)
}

// tsharkFields says what tshark calls our fields. "*4": ours is in units of 4.
// "*?8": so it is in newer versions of tshark. "&511": theirs has more bits.
var tsharkFields = map[string]struct {
	proto  string
	fields map[string]string
}{
	"Ether":  {"eth", map[string]string{"dst": "eth.dst", "src": "eth.src", "type": "eth.type"}},
	"Dot3":   {"eth", map[string]string{"dst": "eth.dst", "src": "eth.src", "len": "eth.len"}},
	"LLC":    {"llc", map[string]string{"dsap": "llc.dsap", "ssap": "llc.ssap"}},
	"Dot1Q":  {"vlan", map[string]string{"prio": "vlan.priority", "dei": "vlan.dei", "vlan": "vlan.id", "type": "vlan.etype"}},
	"Dot1AD": {"ieee8021ad", map[string]string{"prio": "ieee8021ad.priority", "dei": "ieee8021ad.dei", "vlan": "ieee8021ad.id"}},
	"ARP": {"arp", map[string]string{"hwtype": "arp.hw.type", "ptype": "arp.proto.type", "hwlen": "arp.hw.size", "plen": "arp.proto.size",
		"op": "arp.opcode", "hwsrc": "arp.src.hw_mac", "psrc": "arp.src.proto_ipv4", "hwdst": "arp.dst.hw_mac", "pdst": "arp.dst.proto_ipv4"}},
	"IP": {"ip", map[string]string{"version": "ip.version", "ihl": "ip.hdr_len*4", "tos": "ip.dsfield", "len": "ip.len", "id": "ip.id",
		"frag": "ip.frag_offset*?8", "ttl": "ip.ttl", "proto": "ip.proto", "chksum": "ip.checksum", "src": "ip.src", "dst": "ip.dst"}},
	"IPv6": {"ipv6", map[string]string{"version": "ipv6.version", "tc": "ipv6.tclass", "fl": "ipv6.flow", "plen": "ipv6.plen", "nh": "ipv6.nxt",
		"hlim": "ipv6.hlim", "src": "ipv6.src", "dst": "ipv6.dst"}},
	"IPv6ExtHdrHopByHop": {"ipv6", map[string]string{"nh": "ipv6.hopopts.nxt", "len": "ipv6.hopopts.len"}},
	"IPv6ExtHdrDestOpt":  {"ipv6", map[string]string{"nh": "ipv6.dstopts.nxt", "len": "ipv6.dstopts.len"}},
	"IPv6ExtHdrRouting":  {"ipv6", map[string]string{"nh": "ipv6.routing.nxt", "len": "ipv6.routing.len", "type": "ipv6.routing.type", "segleft": "ipv6.routing.segleft"}},
	"IPv6ExtHdrFragment": {"ipv6", map[string]string{"nh": "ipv6.fraghdr.nxt", "offset": "ipv6.fraghdr.offset", "m": "ipv6.fraghdr.more", "id": "ipv6.fraghdr.ident"}},
	"ICMP": {"icmp", map[string]string{"type": "icmp.type", "code": "icmp.code", "chksum": "icmp.checksum", "id": "icmp.ident", "seq": "icmp.seq",
		"gw": "icmp.redir_gw", "nexthopmtu": "icmp.mtu", "length": "icmp.length"}},
	"ICMPv6": {"icmpv6", map[string]string{"type": "icmpv6.type", "code": "icmpv6.code", "chksum": "icmpv6.checksum",
		"id": "icmpv6.echo.identifier", "seq": "icmpv6.echo.sequence_number", "mtu": "icmpv6.mtu", "ptr": "icmpv6.pointer",
		"chlim": "icmpv6.nd.ra.cur_hop_limit", "routerlifetime": "icmpv6.nd.ra.router_lifetime", "reachabletime": "icmpv6.nd.ra.reachable_time",
		"retranstimer": "icmpv6.nd.ra.retrans_timer", "records_number": "icmpv6.mldr.nb_mcast_records"}},
	"UDP": {"udp", map[string]string{"sport": "udp.srcport", "dport": "udp.dstport", "len": "udp.length", "chksum": "udp.checksum"}},
	"TCP": {"tcp", map[string]string{"sport": "tcp.srcport", "dport": "tcp.dstport", "seq": "tcp.seq_raw", "ack": "tcp.ack_raw", "dataofs": "tcp.hdr_len*4",
		"flags": "tcp.flags&511", "window": "tcp.window_size_value", "chksum": "tcp.checksum", "urgptr": "tcp.urgent_pointer"}},
	"DNS": {"dns", map[string]string{"id": "dns.id", "qr": "dns.flags.response", "opcode": "dns.flags.opcode", "tc": "dns.flags.truncated",
		"rd": "dns.flags.recdesired", "cd": "dns.flags.checkdisable", "qdcount": "dns.count.queries", "ancount": "dns.count.answers",
		"nscount": "dns.count.auth_rr", "arcount": "dns.count.add_rr"}},
	"GRE":   {"gre", map[string]string{"proto": "gre.proto", "chksum": "gre.checksum", "key": "gre.key", "sequence_number": "gre.sequence_number"}},
	"VXLAN": {"vxlan", map[string]string{"vni": "vxlan.vni"}},
	"IGMP":  {"igmp", map[string]string{"type": "igmp.type", "chksum": "igmp.checksum", "gaddr": "igmp.maddr"}},
	"SLL":   {"sll", map[string]string{"pkttype": "sll.pkttype", "lladdrtype": "sll.hatype", "lladdrlen": "sll.halen", "proto": "sll.etype"}},
	"Null":  {"null", map[string]string{"type": "null.family"}},
}

// optionKinds is what tshark calls the numbers of options.
var optionKinds = map[string]string{"TCP": "tcp.option_kind", "IP": "ip.opt.type", "ICMPv6": "icmpv6.opt.type"}

// optionValues is what tshark calls the values in options.
var optionValues = map[string]map[uint64][]string{
	"TCP": {2: {"tcp.options.mss_val"}, 3: {"tcp.options.wscale.shift"}, 5: {"tcp.options.sack_le", "tcp.options.sack_re"},
		8: {"tcp.options.timestamp.tsval", "tcp.options.timestamp.tsecr"}},
	"ICMPv6": {1: {"icmpv6.opt.linkaddr"}},
}

// optionParts are the values in an option.
func optionParts(o wire.Option) []wire.Value {
	var out []wire.Value
	switch o.Value.Kind() {
	case wire.RecordOf:
		r := o.Value.Record()
		for f := range r.Fields() {
			out = append(out, r.Get(f))
		}
	case wire.List:
		for e := range o.Value.Items() {
			out = append(out, e)
		}
	case 0:
	default:
		out = append(out, o.Value)
	}
	return out
}

// knownProtocols are tshark's words for what we have layouts of. Behind any
// other protocol tshark may find packets that we do not look for.
var knownProtocols = map[string]bool{"eth": true, "vlan": true, "ieee8021ad": true, "arp": true, "ip": true, "ipv6": true, "icmp": true,
	"icmpv6": true, "udp": true, "tcp": true, "sll": true, "null": true, "raw": true, "llc": true}

// explained lists where tshark and we differ and why that is right.
// The key is FILE LAYER.FIELD or FILE LAYER.
var explained = map[string]string{
	"icmp-cksum-oobr-3.pcapng ICMP.chksum": "IP.len says 4419 octets and 323 are there: tshark sums those, we say that a part cannot be judged",
	"mptcp-aa-echo.pcap TCP.options":       "tshark shows the MPTCP options as a protocol of their own",
}

func TestCapturesReadAsTsharkReadsThem(t *testing.T) {
	need.Program(t, "tshark")
	h := newHost(t)
	// One run of tshark for all frames of a link type: it takes longer to start
	// than to read them.
	byLink := map[layers.LinkType][]captured{}
	for _, file := range captures(t) {
		for _, c := range readCapture(t, file) {
			if firstLayout(c) != "" {
				byLink[c.link] = append(byLink[c.link], c)
			}
		}
	}
	used := map[string]bool{}
	compared := 0
	for link, frames := range byLink {
		theirs := tshark(t, writeCapture(t, link, frames))
		if len(theirs) != len(frames) {
			t.Fatalf("%v: tshark has %d frames, we have %d", link, len(theirs), len(frames))
		}
		for i, c := range frames {
			p := h.parse(t, c)
			differ := func(what, format string, args ...any) {
				key := c.file + " " + what
				if explained[key] != "" {
					used[key] = true
					return
				}
				t.Errorf("%s: %s: %s\n%s", c, what, fmt.Sprintf(format, args...), p.Summary())
			}
			compared += compareTshark(p, theirs[i], differ)
		}
	}
	t.Logf("%d values compared", compared)
	for key := range explained {
		if !used[key] {
			t.Errorf("%q is explained and does not happen", key)
		}
	}
}

// writeCapture writes frames of one link type to a file.
func writeCapture(t *testing.T, link layers.LinkType, frames []captured) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "frames.pcap")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pcapgo.NewWriter(f)
	if err := w.WriteFileHeader(262144, link); err != nil {
		t.Fatal(err)
	}
	for _, c := range frames {
		if err := w.WritePacket(c.info, c.data); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// compareTshark compares what both see in a frame and returns how many values
// it compared.
func compareTshark(p *wire.Packet, f tsFrame, differ func(what, format string, args ...any)) int {
	compared := 0
	seen := map[int]bool{}
	var ipv6 *tsLayer
	cut := false
	for l := range p.Layers() {
		name := l.Layout().Name
		names, ok := tsharkFields[name]
		if !ok {
			continue
		}
		ext := strings.HasPrefix(name, "IPv6Ext")
		var ts *tsLayer
		if ext {
			ts = ipv6
		} else {
			for k := range f.layers {
				if f.layers[k].name == names.proto && f.layers[k].pos == l.Offset() {
					ts, seen[k] = &f.layers[k], true
				}
			}
		}
		if f := l.Layout().Field("type"); name == "IGMP" && ts == nil && f != nil {
			if n, ok := l.Number(f); !ok || f.Type.Word(n) == "" {
				continue // tshark has PIM 1 and DVMRP, which are types of it, as protocols of their own
			}
		}
		if ts == nil {
			cut = cut || l.Cut()
			differ(name, "tshark has no %s at octet %d", names.proto, l.Offset())
			continue
		}
		if name == "IPv6" {
			ipv6 = ts
		}
		for f := range l.Fields() {
			theirs, ok := names.fields[f.Name]
			if !ok {
				continue
			}
			name, how := theirs, ""
			if at := strings.IndexAny(theirs, "*&"); at >= 0 {
				name, how = theirs[:at], theirs[at:]
			}
			show, ok := ts.first(name)
			if !ok {
				continue // a protocol's variants have their own fields there
			}
			v, err := l.Get(f)
			if err != nil {
				differ(name+"."+f.Name, "%v", err)
				continue
			}
			compared++
			if !agrees(v, show, how) {
				differ(l.Layout().Name+"."+f.Name, "%s here, %q there", v.Text(), show)
			}
		}
		if kinds := optionKinds[name]; kinds != "" {
			var ours, theirs []string
			v, _ := l.Value("options")
			for o := range v.Options() {
				if !o.Raw && o.Code != 0 {
					ours = append(ours, fmt.Sprint(o.Code))
				}
			}
			for _, f := range ts.fields[kinds] {
				if f.show != "0" {
					theirs = append(theirs, f.show)
				}
			}
			compared += len(ours)
			if strings.Join(ours, " ") != strings.Join(theirs, " ") {
				differ(name+".options", "%v here, %v there", ours, theirs)
			}
		}
		for code, names := range optionValues[name] {
			v, _ := l.Value("options")
			k := 0
			for o := range v.Options() {
				if o.Code != code {
					continue
				}
				for i, ours := range optionParts(o) {
					if list := ts.fields[names[i%len(names)]]; k < len(list) || i >= len(names) {
						at := k + i/len(names)
						compared++
						if at >= len(list) || !agrees(ours, list[at].show, "") {
							differ(name+".options", "%s: %s here, %v there", o.Label(), ours.Text(), list)
						}
					}
				}
				k++
			}
		}
		if f := l.Field("chksum"); f != nil && l.Has(f) && !l.Quoted() {
			if status, ok := ts.first(names.proto + ".checksum.status"); ok {
				compared++
				right := l.Provenance(f) == wire.Automatic
				if status == "1" && !right || status == "0" && right {
					differ(name+".chksum", "status %s there, %s here", status, l.Provenance(f))
				}
			}
		}
	}
	for k, ts := range f.layers {
		if !knownProtocols[ts.name] {
			break
		}
		if ts.name != "raw" && !seen[k] && !cut {
			differ(ts.name, "tshark has it at octet %d", ts.pos)
		}
	}
	return compared
}

// agrees compares a value with how tshark shows it.
func agrees(v wire.Value, show, how string) bool {
	switch v.Kind() {
	case wire.Uint:
		n, err := strconv.ParseUint(show, 0, 64)
		if err != nil {
			return show == "True" && v.Uint() == 1 || show == "False" && v.Uint() == 0
		}
		m := v.Uint()
		arg, _ := strconv.ParseUint(strings.TrimLeft(how, "*?&"), 10, 64)
		switch {
		case strings.HasPrefix(how, "*?"):
			return m == n || m*arg == n
		case strings.HasPrefix(how, "*"):
			return m*arg == n
		case strings.HasPrefix(how, "&"):
			return m == n&arg
		}
		return m == n
	case wire.IP4, wire.IP6:
		a, err := netip.ParseAddr(show)
		return err == nil && a == v.Addr()
	}
	return v.Text() == show
}

// The first layer of each kind that gopacket decodes has the same values.
func TestCapturesReadAsGopacketReadsThem(t *testing.T) {
	h := newHost(t)
	compared := 0
	for _, file := range captures(t) {
		base := strings.TrimPrefix(filepath.Base(file), "tcpdump_")
		for i, c := range readCapture(t, file) {
			p := h.parse(t, c)
			if p == nil {
				continue
			}
			g := gopacket.NewPacket(c.data, c.link, gopacket.NoCopy)
			compared += compareGopacket(p, g, func(what string, ours, theirs any) {
				t.Errorf("%s frame %d: %s: %v here, %v there\n%s\n%v", base, i+1, what, ours, theirs, p.Summary(), g)
			})
		}
	}
	t.Logf("%d values compared", compared)
}

func compareGopacket(p *wire.Packet, g gopacket.Packet, differ func(what string, ours, theirs any)) int {
	n, network := 0, false
	check := func(layer string, want map[string]any) {
		l := p.Layer(layer, 0)
		if !l.OK() {
			differ(layer, "no such layer", "there is one")
			return
		}
		for name, w := range want {
			v, err := l.Value(name)
			if err != nil || v.Kind() == 0 {
				differ(layer+"."+name, "absent", w)
				continue
			}
			n++
			var ours, theirs string
			if v.Kind() == wire.Uint {
				ours, theirs = fmt.Sprint(v.Uint()), fmt.Sprint(w)
			} else {
				ours, theirs = v.Text(), fmt.Sprint(w)
			}
			if ours != theirs {
				differ(layer+"."+name, ours, theirs)
			}
		}
	}
	for _, layer := range g.Layers() {
		switch x := layer.(type) {
		case *layers.Ethernet:
			if x.EthernetType == layers.EthernetTypeLLC {
				check("Dot3", map[string]any{"dst": x.DstMAC, "src": x.SrcMAC, "len": x.Length})
			} else {
				check("Ether", map[string]any{"dst": x.DstMAC, "src": x.SrcMAC, "type": uint16(x.EthernetType)})
			}
		case *layers.Dot1Q:
			if p.Layer("Dot1AD", 0).OK() {
				continue // gopacket has one word for both tags
			}
			check("Dot1Q", map[string]any{"prio": x.Priority, "vlan": x.VLANIdentifier, "type": uint16(x.Type)})
		case *layers.ARP:
			check("ARP", map[string]any{"hwtype": uint16(x.AddrType), "ptype": uint16(x.Protocol), "op": x.Operation, "hwlen": x.HwAddressSize, "plen": x.ProtAddressSize})
		case *layers.IPv4:
			if network {
				return n // a packet within a packet has the same layers again
			}
			network = true
			check("IP", map[string]any{"version": x.Version, "ihl": x.IHL, "tos": x.TOS, "len": binary.BigEndian.Uint16(x.Contents[2:]), "id": x.Id,
				"frag": x.FragOffset, "ttl": x.TTL, "proto": uint8(x.Protocol), "chksum": x.Checksum, "src": x.SrcIP, "dst": x.DstIP})
		case *layers.IPv6:
			if network {
				return n
			}
			network = true
			check("IPv6", map[string]any{"version": x.Version, "tc": x.TrafficClass, "fl": x.FlowLabel, "plen": x.Length, "nh": uint8(x.NextHeader),
				"hlim": x.HopLimit, "src": x.SrcIP, "dst": x.DstIP})
		case *layers.IPv6HopByHop:
			check("IPv6ExtHdrHopByHop", map[string]any{"nh": uint8(x.NextHeader), "len": x.HeaderLength})
		case *layers.IPv6Fragment:
			check("IPv6ExtHdrFragment", map[string]any{"nh": uint8(x.NextHeader), "offset": x.FragmentOffset, "id": x.Identification})
		case *layers.UDP:
			check("UDP", map[string]any{"sport": uint16(x.SrcPort), "dport": uint16(x.DstPort), "len": x.Length, "chksum": x.Checksum})
			return n // and so may a tunnel
		case *layers.TCP:
			check("TCP", map[string]any{"sport": uint16(x.SrcPort), "dport": uint16(x.DstPort), "seq": x.Seq, "ack": x.Ack, "dataofs": x.DataOffset,
				"window": x.Window, "chksum": x.Checksum, "urgptr": x.Urgent})
			return n
		case *layers.ICMPv4:
			check("ICMP", map[string]any{"chksum": x.Checksum, "code": x.TypeCode.Code()})
			if x.TypeCode.Type() == layers.ICMPv4TypeEchoRequest || x.TypeCode.Type() == layers.ICMPv4TypeEchoReply {
				check("ICMP", map[string]any{"id": x.Id, "seq": x.Seq})
			}
			return n
		case *layers.ICMPv6:
			check("ICMPv6", map[string]any{"chksum": x.Checksum, "code": x.TypeCode.Code()})
		case *layers.ICMPv6Echo:
			check("ICMPv6", map[string]any{"id": x.Identifier, "seq": x.SeqNumber})
		case *layers.ICMPv6NeighborSolicitation:
			check("ICMPv6", map[string]any{"tgt": x.TargetAddress})
		case *layers.ICMPv6NeighborAdvertisement:
			check("ICMPv6", map[string]any{"tgt": x.TargetAddress})
		case *layers.ICMPv6RouterAdvertisement:
			check("ICMPv6", map[string]any{"chlim": x.HopLimit, "routerlifetime": x.RouterLifetime, "reachabletime": x.ReachableTime, "retranstimer": x.RetransTimer})
		case *layers.GRE, *layers.MPLS, *layers.EAPOL:
			return n
		}
	}
	return n
}
