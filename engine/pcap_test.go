package engine_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"pktsh/engine"
	"pktsh/internal/need"
)

// stored writes a file for a test.
func stored(t testing.TB, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.pcap")
	if err := os.WriteFile(name, content, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// slurp reads a capture file in batches until it ends.
func slurp(file string, batch int) (all []engine.Frame, err error) {
	c, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: file})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	fs := make([]engine.Frame, batch)
	for {
		n, err := c.TryRead(fs)
		for _, f := range fs[:n] {
			f.Data = bytes.Clone(f.Data)
			all = append(all, f)
		}
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		if n == 0 {
			return all, errors.New("a file is never without frames before its end")
		}
	}
}

// header is a pcap file header.
func header(o binary.ByteOrder, magic, link uint32) []byte {
	h := make([]byte, 24)
	o.PutUint32(h, magic)
	o.PutUint16(h[4:], 2)
	o.PutUint16(h[6:], 4)
	o.PutUint32(h[16:], 262144)
	o.PutUint32(h[20:], link)
	return h
}

func record(o binary.ByteOrder, sec, frac, wire uint32, data string) []byte {
	r := make([]byte, 16)
	o.PutUint32(r, sec)
	o.PutUint32(r[4:], frac)
	o.PutUint32(r[8:], uint32(len(data)))
	o.PutUint32(r[12:], wire)
	return append(r, data...)
}

func TestPcapByteOrdersAndResolutions(t *testing.T) {
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for magic, want := range map[uint32]time.Time{0xa1b2c3d4: time.Unix(69, 69000), 0xa1b23c4d: time.Unix(69, 69)} {
			for _, zipped := range []bool{false, true} {
				b := header(o, magic, 1)
				b = append(b, record(o, 69, 69, 5, "hello")...)
				b = append(b, record(o, 70, 0, 100, "cut")...)
				b = append(b, record(o, 71, 0, 2, "longer than said")...)
				if zipped {
					var z bytes.Buffer
					w := gzip.NewWriter(&z)
					w.Write(b)
					w.Close()
					b = z.Bytes()
				}
				fs, err := slurp(stored(t, b), 10)
				if err != nil || len(fs) != 3 {
					t.Fatalf("%v %x: %v, %v", o, magic, fs, err)
				}
				if f := fs[0]; string(f.Data) != "hello" || !f.Time.Equal(want) || f.Truncated() || f.Link != engine.LinkEthernet {
					t.Errorf("%v %x: %+v", o, magic, f)
				}
				if f := fs[1]; string(f.Data) != "cut" || f.Len != 100 || !f.Truncated() {
					t.Errorf("%v %x: %+v", o, magic, f)
				}
				// Real files have records like this one; nothing is missing.
				if f := fs[2]; string(f.Data) != "longer than said" || f.Truncated() {
					t.Errorf("%v %x: %+v", o, magic, f)
				}
			}
		}
	}
}

func TestPcapLinkTypes(t *testing.T) {
	for in, want := range map[uint32]engine.LinkType{
		0: engine.LinkNull, 1: engine.LinkEthernet, 12: engine.LinkRaw, 14: engine.LinkRaw, 101: engine.LinkRaw,
		276: engine.LinkLinuxSLL2, 0x2400_0001: engine.LinkEthernet, // with the length of the check sequence
	} {
		c, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: stored(t, header(binary.LittleEndian, 0xa1b2c3d4, in))})
		if err != nil || c.LinkType() != want {
			t.Errorf("%#x: %v, %v", in, c, err)
		}
	}
	if l, err := engine.ParseLinkType("linux_sll2"); l != 276 || err != nil {
		t.Error(l, err)
	}
	if l, err := engine.ParseLinkType("147"); l != 147 || l.String() != "147" || err != nil {
		t.Error(l, err)
	}
	if _, err := engine.ParseLinkType("ethernot"); !kindIs(err, "argument") {
		t.Error(err)
	}
}

// A file that is broken says where; the frames before that come all the same.
func TestPcapFaults(t *testing.T) {
	le := binary.LittleEndian
	good := append(header(le, 0xa1b2c3d4, 1), record(le, 1, 0, 5, "hello")...)
	huge := record(le, 1, 0, 5, "")
	le.PutUint32(huge[8:], 0xffffffff)
	claim := record(le, 1, 0, 5, "")
	le.PutUint32(claim[8:], 100<<20)
	for _, c := range []struct {
		name, kind, text string
		file             []byte
		frames           int
	}{
		{"empty", "truncated", "the file is empty", nil, 0},
		{"text", "argument", "not a capture file: it starts with 68656c6c", []byte("hello, world, this is no capture"), 0},
		{"half a magic", "truncated", "octet 0: want 4 octets, the file ends after 2", []byte{0xd4, 0xc3}, 0},
		{"half a header", "truncated", "octet 0: want 24 octets, the file ends after 23", good[:23], 0},
		{"version", "argument", "octet 4: version 9", append([]byte{0xd4, 0xc3, 0xb2, 0xa1, 9, 0}, good[6:]...), 0},
		{"half a record header", "truncated", "octet 45: want 16 octets, the file ends after 3", append(bytes.Clone(good), 1, 2, 3), 1},
		{"half a record", "truncated", "octet 24: want 21 octets, the file ends after 19", good[:len(good)-2], 0},
		{"unbelievable record", "argument", "octet 53: a record of 4294967295 octets", append(bytes.Clone(good), huge...), 1},
		{"a claim of 100 MiB", "truncated", "octet 45: want 104857616 octets, the file ends after 16", append(bytes.Clone(good), claim...), 1},
		{"broken gzip", "truncated", "gzip", []byte{0x1f, 0x8b, 8, 0, 0, 0}, 0},
	} {
		file := stored(t, c.file)
		fs, err := slurp(file, 4)
		if len(fs) != c.frames || !kindIs(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.text) || !strings.Contains(fmt.Sprint(err), file) {
			t.Errorf("%s: %d frames, %v", c.name, len(fs), err)
		}
	}
}

// block is a little-endian pcapng block.
func block(kind uint32, body ...byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)+12))
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, uint32(len(body)+12))
}

func words(ws ...uint32) (b []byte) {
	for _, w := range ws {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

var (
	section = block(0x0a0d0d0a, words(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff)...)
	ether   = block(1, words(1, 262144)...)
)

func TestPcapNgMixedInterfacesAndUnits(t *testing.T) {
	file := bytes.Join([][]byte{
		section,
		block(0xbad, 1, 2, 3), // unknown: skipped
		ether,
		// Raw IP, nanoseconds, two hours on.
		block(1, append(words(101, 0), append([]byte{9, 0, 1, 0, 9, 0, 0, 0, 14, 0, 8, 0}, words(7200, 0, 0)...)...)...),
		// Binary units: 2^-10 s.
		block(1, append(words(1, 0), 9, 0, 1, 0, 0x80|10, 0, 0, 0)...),
		block(6, append(words(0, 0, 1_500_000, 5, 5), "hello"...)...),
		block(6, append(words(1, 0, 1_500_000_000, 3, 9), "raw"...)...),
		block(6, append(words(2, 0, 1536, 2, 2), "ab"...)...),
		block(2, append(words(0, 0, 2_000_000, 3, 3), "old"...)...),
		block(3, append(words(6), "simple"...)...),
		section, // a second section has its own interfaces
		block(1, words(276, 0)...),
		block(6, append(words(0, 0, 0, 3, 3), "sll"...)...),
	}, nil)
	for _, batch := range []int{1, 2, 64} {
		fs, err := slurp(stored(t, file), batch)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range fs {
			at := "-"
			if !f.Time.IsZero() {
				at = f.Time.UTC().Format("15:04:05.0")
			}
			got = append(got, fmt.Sprintf("%s %d %s %s", f.Data, f.Len, f.Link, at))
		}
		want := []string{"hello 5 ethernet 00:00:01.5", "raw 9 raw 02:00:01.5", "ab 2 ethernet 00:00:01.5",
			"old 3 ethernet 00:00:02.0", "simple 6 ethernet -", "sll 3 linux_sll2 00:00:00.0"}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("batch %d:\n%s", batch, strings.Join(got, "\n"))
		}
	}
}

func TestPcapNgFaults(t *testing.T) {
	bad := func(b []byte, at int, with byte) []byte {
		b = bytes.Clone(b)
		b[at] = with
		return b
	}
	for _, c := range []struct {
		name, kind, text string
		file             []byte
	}{
		{"byte order", "argument", "octet 8: section with byte order", bad(section, 8, 0)},
		{"version", "argument", "octet 12: version 7", bad(section, 12, 7)},
		{"short block", "argument", "octet 32: a block of 8 octets", bad(append(bytes.Clone(section), ether...), 32, 8)},
		{"lengths differ", "argument", "octet 44: a block of 20 octets ends with length 21", bad(append(bytes.Clone(section), ether...), 44, 21)},
		{"cut", "truncated", "octet 28: want 12 octets, the file ends after 10", append(bytes.Clone(section), ether[:10]...)},
		{"no such interface", "argument", "octet 56: a packet of interface 7, the section has 1",
			bytes.Join([][]byte{section, ether, block(6, append(words(7, 0, 0, 1, 1), 'x')...)}, nil)},
		{"packet longer than block", "argument", "octet 68: a packet of 99 octets in a block with room for 4",
			bytes.Join([][]byte{section, ether, block(6, append(words(0, 0, 0, 99, 99), 'x')...)}, nil)},
		{"packet without room", "argument", "octet 52: a block of type 6 has 16 octets, want at least 32",
			bytes.Join([][]byte{section, ether, block(6, words(0)...)}, nil)},
	} {
		_, err := slurp(stored(t, c.file), 4)
		if !kindIs(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.text) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if fs, err := slurp(stored(t, section), 4); fs != nil || err != nil {
		t.Errorf("a section without anything: %v, %v", fs, err)
	}
}

// What we write, gopacket, tcpdump and tshark read.
func TestPcapWriterIsReadByOthers(t *testing.T) {
	for _, nanos := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "out.pcap")
		w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: file, LinkType: engine.LinkEthernet, Nanos: &nanos})
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(69, 69_000)
		if nanos {
			at = time.Unix(69, 69)
		}
		fs := []engine.Frame{{Data: frame(0, 60), Time: at, Len: 60, Link: engine.LinkEthernet},
			{Data: frame(1, 60), Time: at.Add(time.Second), Len: 1514, Link: engine.LinkEthernet}}
		if n, err := w.TryWriteFrames(fs); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		close2(t, w)
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r, err := pcapgo.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		for i := range fs {
			data, ci, err := r.ReadPacketData()
			if err != nil || !bytes.Equal(data, fs[i].Data) || !ci.Timestamp.Equal(fs[i].Time) || ci.Length != fs[i].Len {
				t.Errorf("gopacket: %+v, %v", ci, err)
			}
		}
		t.Run("tcpdump", func(t *testing.T) {
			need.Program(t, "tcpdump")
			args := []string{"-tt", "-n", "-e", "-r", file}
			want := "69.000069 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype Unknown (0x88b5), length 60"
			if nanos {
				args = append(args, "--nano")
				want = strings.Replace(want, "69.000069", "69.000000069", 1)
			}
			if out, err := exec.Command("tcpdump", args...).Output(); err != nil || !strings.Contains(string(out), want) || strings.Count(string(out), "\n") < 2 {
				t.Errorf("%s%v", out, err)
			}
		})
		t.Run("tshark", func(t *testing.T) {
			need.Program(t, "tshark")
			out, err := exec.Command("tshark", "-n", "-r", file, "-T", "fields", "-e", "frame.cap_len", "-e", "frame.len", "-e", "eth.type").Output()
			if err != nil || string(out) != "60\t60\t0x88b5\n60\t1514\t0x88b5\n" {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
}

// We read what gopacket writes as pcapng.
func TestPcapNgFromGopacket(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pcapng")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pcapgo.NewNgWriter(f, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1700000000, 123456789)
	for i := range 100 {
		b := frame(i, 60+i)
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(b), Length: len(b) + i}, b); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	f.Close()
	fs, err := slurp(file, 7)
	if err != nil || len(fs) != 100 {
		t.Fatal(len(fs), err)
	}
	for i, f := range fs {
		if !bytes.Equal(f.Data, frame(i, 60+i)) || !f.Time.Equal(at) || f.Len != 60+2*i {
			t.Fatalf("frame %d: %+v", i, f)
		}
	}
}

// On real files we agree with tshark on number, lengths, times and octets.
func TestPcapAgreesWithTshark(t *testing.T) {
	need.Program(t, "tshark")
	files, _ := filepath.Glob(filepath.Join(need.Captures(t, ".."), "*.pcap*"))
	if len(files) == 0 {
		t.Error("no capture files")
	}
	for _, file := range files {
		out, err := exec.Command("tshark", "-n", "-r", file, "-T", "fields", "-e", "frame.cap_len", "-e", "frame.len", "-e", "frame.time_epoch").Output()
		fs, ourErr := slurp(file, 64)
		if (err != nil) != (ourErr != nil) && len(out) == 0 {
			t.Errorf("%s: tshark says %v, we say %v", file, err, ourErr)
			continue
		}
		var ours strings.Builder
		for _, f := range fs {
			fmt.Fprintf(&ours, "%d\t%d\t%d.%09d\n", len(f.Data), f.Len, f.Time.Unix(), f.Time.Nanosecond())
		}
		// Where a record says that the frame was shorter than what was captured
		// of it, we take it to have been as long.
		var theirs strings.Builder
		for line := range strings.Lines(string(out)) {
			var captured, wire int
			var at string
			fmt.Sscan(line, &captured, &wire, &at)
			fmt.Fprintf(&theirs, "%d\t%d\t%s\n", captured, max(captured, wire), at)
		}
		if ours.String() != theirs.String() {
			t.Errorf("%s: %d frames; tshark\n%.300s\nwe\n%.300s", file, len(fs), theirs.String(), ours.String())
		}
	}
}

func TestPcapWriterShowsFramesWithoutClose(t *testing.T) {
	env := virtualEnv(1)
	file := filepath.Join(t.TempDir(), "x.pcap")
	w, err := engine.CreatePcap(env, engine.PcapWriterConfig{File: file, LinkType: engine.LinkRaw})
	if err != nil {
		t.Fatal(err)
	}
	if fs, err := slurp(file, 1); len(fs) != 0 || err != nil {
		t.Fatalf("at first: %v, %v", fs, err)
	}
	send(t, w, []byte("one"), []byte("two"))
	settle(env)
	send(t, w, []byte("three"))
	fs, err := slurp(file, 1)
	if err != nil || len(fs) != 2 || string(fs[1].Data) != "two" || fs[1].Link != engine.LinkRaw || !fs[0].Time.Equal(time.Unix(0, 0)) {
		t.Fatalf("after a while: %v, %v", fs, err)
	}
	close2(t, w)
	if fs, _ := slurp(file, 9); len(fs) != 3 || !fs[2].Time.Equal(time.Unix(0, 200e6)) {
		t.Fatalf("after close: %v", fs)
	}
}

func TestPcapFilesAreOneWay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pcap")
	w, err := engine.Open(realEnv(), "pcap_writer:"+file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.TryRead(make([]engine.Frame, 1)); !kindIs(err, "unsupported") {
		t.Error(err)
	}
	close2(t, w)
	r, err := engine.Open(realEnv(), "pcap:"+file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.TryWrite([][]byte{{1}}); !kindIs(err, "unsupported") {
		t.Error(err)
	}
	close2(t, r)
	if _, err := engine.Open(realEnv(), "pcap_writer:/dev/full"); !kindIs(err, "system") {
		t.Errorf("a full disk: %v", err)
	}
}

func FuzzPcap(f *testing.F) {
	le := binary.LittleEndian
	f.Add(append(header(le, 0xa1b2c3d4, 1), record(le, 1, 0, 5, "hello")...))
	f.Add(append(header(binary.BigEndian, 0xa1b23c4d, 1), record(binary.BigEndian, 1, 0, 5, "hello")...))
	f.Add(bytes.Join([][]byte{section, ether, block(6, append(words(0, 0, 1_500_000, 5, 5), "hello"...)...), block(3, append(words(6), "simple"...)...)}, nil))
	cfg, frames := rich()
	for _, ending := range []string{".pcapng", ".pcapng.gz", ".pcapng.zst"} {
		cfg.File = filepath.Join(f.TempDir(), "x"+ending)
		b, err := os.ReadFile(written(f, cfg, frames[:5]...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file := stored(t, b)
		one, err1 := slurp(file, 1)
		many, err2 := slurp(file, 64)
		if len(one) != len(many) || fmt.Sprint(err1) != fmt.Sprint(err2) {
			t.Fatalf("%d frames and %v in ones, %d and %v in batches", len(one), err1, len(many), err2)
		}
		for i := range one {
			if !bytes.Equal(one[i].Data, many[i].Data) || !one[i].Time.Equal(many[i].Time) || one[i].Len < len(one[i].Data) || !reflect.DeepEqual(one[i].Info, many[i].Info) {
				t.Fatalf("frame %d: %+v and %+v", i, one[i], many[i])
			}
		}
	})
}

func BenchmarkPcapRead(b *testing.B) {
	file := filepath.Join(b.TempDir(), "x.pcap")
	w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: file, LinkType: engine.LinkEthernet})
	if err != nil {
		b.Fatal(err)
	}
	const frames = 100_000
	for range frames {
		w.TryWrite([][]byte{frame(0, 64)})
	}
	w.Close()
	fs := make([]engine.Frame, 64)
	b.ReportAllocs()
	for i := 0; i < b.N; i += frames {
		r, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: file})
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.TryRead(fs)
		}
		r.Close()
	}
}

func BenchmarkPcapWrite(b *testing.B) {
	w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: filepath.Join(b.TempDir(), "x.pcap"), LinkType: engine.LinkEthernet})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	one := [][]byte{frame(0, 64)}
	b.ReportAllocs()
	for range b.N {
		w.TryWrite(one)
	}
}

// cut takes the last octet of a file away.
func cut(t testing.TB, file string) {
	t.Helper()
	st, err := os.Stat(file)
	if err == nil {
		err = os.Truncate(file, st.Size()-1)
	}
	if err != nil {
		t.Fatal(err)
	}
}
