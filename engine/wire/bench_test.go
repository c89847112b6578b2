package wire

import (
	"bytes"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Each benchmark stands beside gopacket's way of doing the same:
//
//	go test ./engine/wire -run '^$' -bench 'Encode|Decode' -benchmem

func BenchmarkEncodePktsh(b *testing.B) {
	r := testLayouts(b)
	ether, ip, udp := r.layouts["Ether"], r.layouts["IP"], r.layouts["UDP"]
	eSrc, eDst := ether.Field("src"), ether.Field("dst")
	iSrc, iDst := ip.Field("src"), ip.Field("dst")
	sport, dport := udp.Field("sport"), udp.Field("dport")
	m1, m2 := net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.HardwareAddr{2, 0, 0, 0, 0, 2}
	a1, a2 := net.IP{10, 0, 0, 1}, net.IP{10, 0, 0, 2}
	payload := string(bytes.Repeat([]byte("x"), 22))
	p := ether.New()
	var out []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Reset()
		l := p.Push(ether)
		l.SetOctets(eSrc, m1)
		l.SetOctets(eDst, m2)
		l = p.Push(ip)
		l.SetOctets(iSrc, a1)
		l.SetOctets(iDst, a2)
		l = p.Push(udp)
		l.SetUint(sport, uint64(1000+i&1023))
		l.SetUint(dport, 9999)
		p.PushOctets(payload)
		var err error
		if out, err = p.AppendBinary(out[:0]); err != nil {
			b.Fatal(err)
		}
	}
	if len(out) != 64 {
		b.Fatal(len(out))
	}
}

func BenchmarkEncodeGopacket(b *testing.B) {
	ether := &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: net.IP{10, 0, 0, 1}, DstIP: net.IP{10, 0, 0, 2}}
	udp := &layers.UDP{DstPort: 9999}
	udp.SetNetworkLayerForChecksum(ip)
	payload := gopacket.Payload(bytes.Repeat([]byte("x"), 22))
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		udp.SrcPort = layers.UDPPort(1000 + i&1023)
		if err := gopacket.SerializeLayers(buf, opts, ether, ip, udp, payload); err != nil {
			b.Fatal(err)
		}
	}
	if len(buf.Bytes()) != 64 {
		b.Fatal(len(buf.Bytes()))
	}
}

func BenchmarkEncodeChangePktsh(b *testing.B) {
	r := testLayouts(b)
	p := frame(b, r)
	l := p.Layer("UDP", 0)
	sport := l.Field("sport")
	var out []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.SetUint(sport, uint64(1000+i&1023))
		var err error
		if out, err = p.AppendBinary(out[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePktsh(b *testing.B) {
	r := testLayouts(b)
	ether, ip, udp := r.layouts["Ether"], r.layouts["IP"], r.layouts["UDP"]
	src, dport := ip.Field("src"), udp.Field("dport")
	data := unhexed(frameHex)
	p := ether.New()
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		ether.ParseInto(p, data)
		a := p.Find(ip, 0).Octets4(src)
		d, _ := p.Find(udp, 0).Uint(dport)
		n += uint64(a[3]) + d
	}
}

func BenchmarkDecodeWholePktsh(b *testing.B) {
	r := testLayouts(b)
	ether, ip, udp := r.layouts["Ether"], r.layouts["IP"], r.layouts["UDP"]
	src, dport := ip.Field("src"), udp.Field("dport")
	data := unhexed(frameHex)
	p := ether.New()
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		ether.ParseInto(p, data)
		a := p.Find(ip, 0).Octets4(src)
		d, _ := p.Find(udp, 0).Uint(dport)
		n += uint64(a[3]) + d + uint64(len(p.Payload()))
	}
}

func BenchmarkDecodeGopacket(b *testing.B) {
	var ether layers.Ethernet
	var ip layers.IPv4
	var udp layers.UDP
	var payload gopacket.Payload
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &ether, &ip, &udp, &payload)
	var found []gopacket.LayerType
	data := unhexed(frameHex)
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		if err := parser.DecodeLayers(data, &found); err != nil {
			b.Fatal(err)
		}
		n += uint64(ip.SrcIP[3]) + uint64(udp.DstPort)
	}
}
