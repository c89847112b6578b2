package engine_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"pktsh/engine"
	"pktsh/internal/need"
)

// written writes a capture file of frames and returns its name.
func written(t testing.TB, cfg engine.PcapWriterConfig, fs ...engine.Frame) string {
	t.Helper()
	if !filepath.IsAbs(cfg.File) {
		cfg.File = filepath.Join(t.TempDir(), cfg.File)
	}
	w, err := engine.CreatePcap(realEnv(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := w.TryWriteFrames(fs); n != len(fs) || err != nil {
		t.Fatalf("wrote %d of %d: %v", n, len(fs), err)
	}
	close2(t, w)
	return cfg.File
}

// about is what a file says of itself once it was read to its end.
func about(t testing.TB, file string) engine.About {
	t.Helper()
	c, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: file})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for fs := make([]engine.Frame, 8); err == nil; {
		_, err = c.TryRead(fs)
	}
	return c.(engine.Capture).About()
}

// rich is a file with all that we write.
func rich() (engine.PcapWriterConfig, []engine.Frame) {
	at := time.Unix(1700000000, 123456789)
	return engine.PcapWriterConfig{
			File: "x.pcapng", LinkType: engine.LinkEthernet,
			PcapSection: engine.PcapSection{Comments: []string{"first", "die zweite: ü"}, Hardware: "a desk", OS: "a system", UserAppl: "a test"},
			Interfaces: []engine.PcapInterface{
				{Name: "eth0", Description: "to the left", Filter: "udp", LinkType: engine.LinkEthernet},
				{Name: "tun0", LinkType: engine.LinkRaw, Snaplen: 5, Digits: 6},
			},
			Names: []engine.PcapName{
				{Addr: netip.MustParseAddr("10.0.0.2"), Names: []string{"server", "server.example"}},
				{Addr: netip.MustParseAddr("2001:db8::2"), Names: []string{"server6"}},
			},
		}, []engine.Frame{
			{Data: frame(0, 60), Len: 60, Time: at, Link: engine.LinkEthernet},
			{Data: frame(1, 61), Len: 1500, Time: at.Add(1), Link: engine.LinkEthernet, Info: &engine.FrameInfo{Interface: "eth0", Comments: []string{"one", "two ü"}, Flags: 2}},
			{Data: []byte("E-raw ip"), Len: 8, Time: at, Link: engine.LinkRaw, Info: &engine.FrameInfo{Interface: "tun0"}},
			{Data: []byte("new"), Len: 3, Time: at, Link: engine.LinkEthernet, Info: &engine.FrameInfo{Interface: "eth7"}},
			{Data: nil, Len: 0, Time: at, Link: engine.LinkNetlink},
			{Data: []byte("no time"), Len: 7, Link: engine.LinkEthernet, Info: &engine.FrameInfo{Comments: []string{strings.Repeat("long ", 13107)}}},
		}
}

func TestPcapNgRoundTrip(t *testing.T) {
	for _, ending := range []string{".pcapng", ".pcapng.gz", ".pcapng.zst"} {
		cfg, sent := rich()
		cfg.File = "x" + ending
		file := written(t, cfg, sent...)
		got, err := slurp(file, 3)
		if err != nil || len(got) != len(sent) {
			t.Fatalf("%s: %d frames, %v", ending, len(got), err)
		}
		sent[0].Info = &engine.FrameInfo{Interface: "eth0"} // the first of its link type
		sent[2].Data, sent[2].Time = sent[2].Data[:5], sent[2].Time.Truncate(time.Microsecond)
		sent[5].Info.Interface, sent[5].Time = "eth0", time.Unix(0, 0)
		for i := range sent {
			g, s := got[i], sent[i]
			if !bytes.Equal(g.Data, s.Data) || g.Len != s.Len || !g.Time.Equal(s.Time) || g.Link != s.Link || !reflect.DeepEqual(g.Info, s.Info) {
				t.Errorf("%s: frame %d is %+v %+v, was %+v %+v", ending, i, g, g.Info, s, s.Info)
			}
		}
		a := about(t, file)
		if a.Format != "pcapng" || !reflect.DeepEqual(a.PcapSection, cfg.PcapSection) || !reflect.DeepEqual(a.Names, cfg.Names) {
			t.Errorf("%s: %+v", ending, a)
		}
		want := []engine.PcapInterface{
			{Name: "eth0", Description: "to the left", LinkType: engine.LinkEthernet, Snaplen: 262144, Digits: 9, Filter: "udp"},
			{Name: "tun0", LinkType: engine.LinkRaw, Snaplen: 5, Digits: 6},
			{Name: "eth7", LinkType: engine.LinkEthernet, Snaplen: 262144, Digits: 9},
			{LinkType: engine.LinkNetlink, Snaplen: 262144, Digits: 9},
		}
		if !reflect.DeepEqual(a.Interfaces, want) {
			t.Errorf("%s: %+v", ending, a.Interfaces)
		}
		// A copy frame by frame is the same file, but for what the section says.
		again := written(t, engine.PcapWriterConfig{File: "y.pcapng", LinkType: engine.LinkEthernet, Interfaces: a.Interfaces, Names: a.Names, PcapSection: a.PcapSection}, got...)
		twice, err := slurp(again, 64)
		if err != nil || !reflect.DeepEqual(twice, got) {
			t.Errorf("%s: the copy differs: %v", ending, err)
		}
	}
}

// Times of any resolution are exact as far as it goes, up to the year 2554.
func TestPcapNgTimes(t *testing.T) {
	for digits := uint8(1); digits <= 9; digits++ {
		var sent []engine.Frame
		unit := time.Second
		for range digits {
			unit /= 10
		}
		for _, at := range []time.Time{time.Unix(0, 0), time.Unix(1700000000, 999999999), time.Unix(1, 1), time.Unix(1<<34, 123456789)} {
			sent = append(sent, engine.Frame{Data: []byte("x"), Len: 1, Link: engine.LinkRaw, Time: at.Truncate(unit)})
		}
		got, err := slurp(written(t, engine.PcapWriterConfig{File: "x.pcapng", LinkType: engine.LinkRaw, Interfaces: []engine.PcapInterface{{Digits: digits, LinkType: engine.LinkRaw}}}, sent...), 9)
		if err != nil {
			t.Fatal(err)
		}
		for i := range sent {
			if !got[i].Time.Equal(sent[i].Time) {
				t.Errorf("%d digits: %v, was %v", digits, got[i].Time, sent[i].Time)
			}
		}
	}
	w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: filepath.Join(t.TempDir(), "x.pcapng")})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, at := range []time.Time{time.Unix(-1, 0), time.Unix(1<<35, 0)} {
		if n, err := w.TryWriteFrames([]engine.Frame{{Data: []byte("x"), Time: at}}); n != 0 || !kindIs(err, "range") {
			t.Errorf("%v: %v", at, err)
		}
	}
}

func TestPcapNgWhatDoesNotFit(t *testing.T) {
	dir := t.TempDir()
	ng := filepath.Join(dir, "x.pcapng")
	nowhere := engine.PcapWriterConfig{File: filepath.Join(dir, "none.pcapng")}
	for name, c := range map[string]struct {
		cfg  engine.PcapWriterConfig
		kind string
	}{
		"a comment in pcap":      {engine.PcapWriterConfig{File: dir + "/x.pcap", PcapSection: engine.PcapSection{Comments: []string{"x"}}}, "argument"},
		"format":                 {engine.PcapWriterConfig{File: ng, Format: "pcapngng"}, "argument"},
		"snaplen":                {engine.PcapWriterConfig{File: ng, Snaplen: -1}, "argument"},
		"a long section comment": {engine.PcapWriterConfig{File: nowhere.File, PcapSection: engine.PcapSection{Comments: []string{strings.Repeat("x", 65536)}}}, "range"},
		"the same interface":     {engine.PcapWriterConfig{File: nowhere.File, Interfaces: []engine.PcapInterface{{Name: "a"}, {Name: "a"}}}, "exists"},
		"digits":                 {engine.PcapWriterConfig{File: nowhere.File, Interfaces: []engine.PcapInterface{{Digits: 10}}}, "argument"},
		"a name without address": {engine.PcapWriterConfig{File: nowhere.File, Names: []engine.PcapName{{Names: []string{"x"}}}}, "argument"},
	} {
		if _, err := engine.CreatePcap(realEnv(), c.cfg); !kindIs(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(nowhere.File); err == nil {
		t.Error("the file was created all the same")
	}
	w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: ng, LinkType: engine.LinkEthernet})
	if err != nil {
		t.Fatal(err)
	}
	long := engine.Frame{Data: frame(0, 60), Len: 60, Info: &engine.FrameInfo{Comments: []string{strings.Repeat("x", 65536)}}}
	if n, err := w.TryWriteFrames([]engine.Frame{long}); n != 0 || !kindIs(err, "range") {
		t.Errorf("a long comment: %v", err)
	}
	if _, err := w.TryWriteOn(3, []engine.Frame{long}); !kindIs(err, "argument") {
		t.Errorf("no such interface: %v", err)
	}
	// What was refused left no trace.
	send(t, w, frame(0, 60))
	close2(t, w)
	if fs, err := slurp(ng, 9); len(fs) != 1 || err != nil {
		t.Errorf("%d frames, %v", len(fs), err)
	}
	p, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: dir + "/y.pcap", LinkType: engine.LinkEthernet})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.AddInterface(engine.PcapInterface{}); !kindIs(err, "unsupported") {
		t.Error(err)
	}
	if n, err := p.TryWriteFrames([]engine.Frame{{Data: []byte("E"), Link: engine.LinkRaw}}); n != 0 || !kindIs(err, "argument") || !strings.Contains(err.Error(), "raw does not fit a pcap file of ethernet") {
		t.Error(err)
	}
	close2(t, p)
}

// A file without frames has an interface all the same, or others refuse it.
func TestPcapNgWithoutFrames(t *testing.T) {
	file := written(t, engine.PcapWriterConfig{File: "x.pcapng", LinkType: engine.LinkRaw})
	if a := about(t, file); len(a.Interfaces) != 1 || a.Interfaces[0].LinkType != engine.LinkRaw || a.UserAppl != "pktsh" {
		t.Errorf("%+v", a)
	}
	need.Program(t, "tshark")
	if out, err := exec.Command("tshark", "-n", "-r", file).CombinedOutput(); err != nil {
		t.Errorf("%s%v", out, err)
	}
}

// output is that of a program that must succeed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(need.Program(t, name), args...).Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// What we write Wireshark's programs and tcpdump read, to the last comment.
func TestPcapNgIsReadByOthers(t *testing.T) {
	for _, ending := range []string{".pcapng", ".pcapng.gz", ".pcapng.zst"} {
		cfg, sent := rich()
		cfg.File = "x" + ending
		file := written(t, cfg, sent[:4]...)
		t.Run("tshark"+ending, func(t *testing.T) {
			if ending == ".pcapng.zst" && !strings.Contains(output(t, "tshark", "--version"), "with Zstandard") {
				t.Skip("this tshark has no zstd")
			}
			got := output(t, "tshark", "-n", "-r", file, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len",
				"-e", "frame.interface_name", "-e", "frame.interface_description", "-e", "frame.comment", "-e", "frame.packet_flags_direction")
			want := "1700000000.123456789\t60\t60\teth0\tto the left\t\t\n" +
				"1700000000.123456790\t1500\t61\teth0\tto the left\tone,two ü\t0x00000002\n" +
				"1700000000.123456000\t8\t5\ttun0\t\t\t\n" +
				"1700000000.123456789\t3\t3\teth7\t\t\t\n"
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if hosts := output(t, "tshark", "-r", file, "-q", "-z", "hosts"); !strings.Contains(hosts, "10.0.0.2\tserver") || !strings.Contains(hosts, "2001:db8::2\tserver6") {
				t.Errorf("hosts:\n%s", hosts)
			}
		})
		t.Run("capinfos"+ending, func(t *testing.T) {
			if ending == ".pcapng.zst" && !strings.Contains(output(t, "tshark", "--version"), "with Zstandard") {
				t.Skip("this capinfos has no zstd")
			}
			out := output(t, "capinfos", file)
			for _, want := range []string{"Wireshark/... - pcapng", "nanoseconds (9)", "Number of packets:   4", "Capture comment:     first", "die zweite: ü",
				"Capture hardware:    a desk", "Capture oper-sys:    a system", "Capture application: a test", "Name = tun0", "Time precision = microseconds (6)", "Number of resolved IPv6 addresses in file: 1"} {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
	t.Run("tcpdump", func(t *testing.T) {
		_, sent := rich()
		file := written(t, engine.PcapWriterConfig{File: "x.pcapng", LinkType: engine.LinkEthernet}, sent[:2]...)
		if out := output(t, "tcpdump", "-tt", "-n", "-e", "--nano", "-r", file); !strings.Contains(out, "1700000000.123456789 02:00:00:00:00:01") || !strings.Contains(out, "1700000000.123456790") {
			t.Errorf("%s", out)
		}
	})
}

// What editcap writes we read, to the last comment.
func TestPcapNgFromEditcap(t *testing.T) {
	_, sent := rich()
	file := written(t, engine.PcapWriterConfig{File: "x.pcapng", LinkType: engine.LinkEthernet}, sent[:2]...)
	other := filepath.Join(t.TempDir(), "y.pcapng")
	output(t, "editcap", "-a", "1:by editcap", "--capture-comment", "of the whole", file, other)
	fs, err := slurp(other, 9)
	if err != nil || len(fs) != 2 {
		t.Fatal(fs, err)
	}
	if fs[0].Info == nil || strings.Join(fs[0].Info.Comments, "|") != "by editcap" || strings.Join(fs[1].Info.Comments, "|") != "one|two ü" {
		t.Errorf("%+v %+v", fs[0].Info, fs[1].Info)
	}
	for i := range fs {
		if !fs[i].Time.Equal(sent[i].Time) || !bytes.Equal(fs[i].Data, sent[i].Data) || fs[i].Len != sent[i].Len {
			t.Errorf("frame %d: %+v", i, fs[i])
		}
	}
	if a := about(t, other); strings.Join(a.Comments, "|") != "of the whole" {
		t.Errorf("%+v", a)
	}
	// Names, which tshark takes from a file of hosts and puts into its own.
	hosts := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(hosts, []byte("10.0.0.9 nine.example\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	ip := append(frame(0, 14)[:12], "\x08\x00\x45\x00\x00\x14\x00\x00\x00\x00\x40\x00\x00\x00\x0a\x00\x00\x09\x0a\x00\x00\x09"...)
	file = written(t, engine.PcapWriterConfig{File: "x.pcapng", LinkType: engine.LinkEthernet}, engine.Frame{Data: ip, Len: len(ip), Link: engine.LinkEthernet})
	output(t, "tshark", "-Nn", "-V", "-H", hosts, "-W", "n", "-F", "pcapng", "-r", file, "-w", other)
	if a := about(t, other); len(a.Names) != 1 || fmt.Sprint(a.Names[0]) != "{10.0.0.9 [nine.example]}" {
		t.Errorf("%+v", a.Names)
	}
}

// Big-endian files, and what only some writers write.
func TestPcapNgBigEndianOptions(t *testing.T) {
	be := binary.BigEndian
	block := func(kind uint32, body ...any) []byte {
		var b bytes.Buffer
		for _, v := range body {
			if s, ok := v.(string); ok {
				b.WriteString(s)
				b.Write(make([]byte, -len(s)&3))
				continue
			}
			binary.Write(&b, be, v)
		}
		out := be.AppendUint32(nil, kind)
		out = be.AppendUint32(out, uint32(b.Len()+12))
		return be.AppendUint32(append(out, b.Bytes()...), uint32(b.Len()+12))
	}
	file := stored(t, bytes.Join([][]byte{
		block(0x0a0d0d0a, uint32(0x1a2b3c4d), uint16(1), uint16(0), uint64(1<<64-1), uint16(1), uint16(5), "hello", uint32(0)),
		block(1, uint16(0), uint16(0), uint32(0), uint16(2), uint16(4), "lo0\x00", uint32(0)),
		block(6, uint32(0), uint32(0), uint32(1_500_000), uint32(8), uint32(8), "\x00\x00\x00\x02\x45\x00\x00\x00",
			uint16(1), uint16(3), "abc", uint16(0x8001), uint16(4), "hash", uint16(2), uint16(4), uint32(1), uint32(0)),
		block(5, uint32(0), uint64(0), uint16(4), uint16(8), uint64(70), uint16(5), uint16(8), uint64(7), uint32(0)),
		block(4, uint16(1), uint16(7), "\x0a\x00\x00\x01a\x00\x00", uint16(3), uint16(1), "?", uint32(0)),
		block(10, "secrets!"),
	}, nil))
	fs, err := slurp(file, 9)
	if err != nil || len(fs) != 1 {
		t.Fatal(fs, err)
	}
	if f := fs[0]; f.Link != engine.LinkNull || !reflect.DeepEqual(*f.Info, engine.FrameInfo{Interface: "lo0", Comments: []string{"abc"}, Flags: 1}) {
		t.Errorf("%+v %+v", f, f.Info)
	}
	a := about(t, file)
	if a.Comments[0] != "hello" || a.Interfaces[0].Received != 70 || a.Interfaces[0].Dropped != 7 || len(a.Names) != 1 || a.Names[0].Names[0] != "a" {
		t.Errorf("%+v", a)
	}
}

// Whatever a frame is, it comes back, from either format.
func FuzzPcapRoundTrip(f *testing.F) {
	f.Add([]byte("hello"), "a comment", "eth0", int64(1700000000123456789), uint32(60), uint16(1), uint32(2))
	f.Add([]byte{}, "", "", int64(0), uint32(0), uint16(0), uint32(0))
	f.Add([]byte("x"), "ü\x00", "a\x00b", int64(-1), uint32(1<<31), uint16(253), uint32(0))
	f.Fuzz(func(t *testing.T, data []byte, comment, iface string, ns int64, wire uint32, link uint16, flags uint32) {
		in := engine.Frame{Data: data, Len: int(wire), Time: time.Unix(0, ns), Link: engine.LinkType(link)}
		if in.Info = (&engine.FrameInfo{Interface: iface, Flags: flags}); comment != "" {
			in.Info.Comments = []string{comment}
		}
		for _, format := range []string{"pcap", "pcapng"} {
			file := filepath.Join(t.TempDir(), "x")
			nanos := true
			w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: file, Format: format, Nanos: &nanos, LinkType: in.Link})
			if err != nil {
				t.Fatal(err)
			}
			n, err := w.TryWriteFrames([]engine.Frame{in, in})
			close2(t, w)
			fs, rerr := slurp(file, 3)
			if rerr != nil || len(fs) != n || err == nil && n != 2 {
				t.Fatalf("%s: wrote %d (%v), read %d (%v)", format, n, err, len(fs), rerr)
			}
			for _, g := range fs {
				want := in.Link
				if want == 12 || want == 14 {
					want = engine.LinkRaw
				}
				if !bytes.Equal(g.Data, data) || g.Len != max(len(data), int(wire)) || !g.Time.Equal(in.Time) || g.Link != want {
					t.Fatalf("%s: %+v, was %+v", format, g, in)
				}
				if format != "pcapng" {
					continue
				}
				i := engine.FrameInfo{}
				if g.Info != nil {
					i = *g.Info
				}
				if strings.Join(i.Comments, "|") != comment || i.Flags != flags || i.Interface != strings.TrimRight(iface, "\x00") {
					t.Fatalf("%+v, was %+v", i, in.Info)
				}
			}
		}
	})
}

// A million frames, read and written again, are the same file, and take no more
// memory than a few.
func TestPcapMillion(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 50_000
	}
	for ending, n := range map[string]int{".pcap": n, ".pcapng": n, ".pcapng.zst": n / 10} {
		dir := t.TempDir()
		first, second := filepath.Join(dir, "a"+ending), filepath.Join(dir, "b"+ending)
		nanos := true
		cfg := engine.PcapWriterConfig{File: first, LinkType: engine.LinkEthernet, Nanos: &nanos}
		w, err := engine.CreatePcap(realEnv(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		octets := frame(0, 200)
		info := &engine.FrameInfo{Interface: "eth0"}
		for i := range n {
			binary.BigEndian.PutUint32(octets[14:], uint32(i))
			f := engine.Frame{Data: octets[:60+i%140], Len: 60 + i%200, Time: time.Unix(1700000000, int64(i)*997), Link: engine.LinkEthernet, Info: info}
			f.Len = max(f.Len, len(f.Data))
			if _, err := w.TryWriteFrames([]engine.Frame{f}); err != nil {
				t.Fatal(err)
			}
		}
		close2(t, w)
		r, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: first})
		if err != nil {
			t.Fatal(err)
		}
		cfg.File = second
		if w, err = engine.CreatePcap(realEnv(), cfg); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		fs := make([]engine.Frame, 64)
		read := 0
		for {
			k, err := r.TryRead(fs)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if m, err := w.TryWriteFrames(fs[:k]); m != k || err != nil {
				t.Fatal(m, err)
			}
			read += k
		}
		runtime.ReadMemStats(&after)
		close2(t, w)
		close2(t, r)
		if grown := after.TotalAlloc - before.TotalAlloc; read != n || grown > 16<<20 {
			t.Errorf("%s: %d frames, %d octets allocated", ending, read, grown)
		}
		same(t, first, second)
	}
}

// same compares files.
func same(t *testing.T, a, b string) {
	t.Helper()
	x, err1 := os.ReadFile(a)
	y, err2 := os.ReadFile(b)
	if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ (%d and %d octets) %v %v", a, b, len(x), len(y), err1, err2)
	}
}

func BenchmarkPcapNgWrite(b *testing.B) {
	w, err := engine.CreatePcap(realEnv(), engine.PcapWriterConfig{File: filepath.Join(b.TempDir(), "x.pcapng"), LinkType: engine.LinkEthernet})
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

func BenchmarkPcapNgRead(b *testing.B) {
	const frames = 100_000
	fs := make([]engine.Frame, frames)
	for i := range fs {
		fs[i] = engine.Frame{Data: frame(i, 64), Len: 64, Link: engine.LinkEthernet, Time: time.Unix(1, int64(i))}
	}
	file := written(b, engine.PcapWriterConfig{File: "x.pcapng", LinkType: engine.LinkEthernet}, fs...)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += frames {
		r, err := engine.OpenPcap(realEnv(), engine.PcapConfig{File: file})
		for err == nil {
			_, err = r.TryRead(fs[:64])
		}
		r.Close()
	}
}
