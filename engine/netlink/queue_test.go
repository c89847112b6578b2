package netlink_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"pktsh/engine/netlink"
)

func TestAQueueKeepsOrderAndCountsWhatItHasNoRoomFor(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	told := 0
	q := netlink.NewQueue(50_000, func() { told++ })
	now := time.Unix(1000, 5)
	var sent, got [][]byte
	var lost uint64
	var m netlink.Datagram
	take := func() {
		for q.Next(&m) {
			if m.Lost != nil {
				if !m.Lost.Exact || m.Lost.Kernel != 0 {
					t.Fatalf("%+v", m.Lost)
				}
				lost += m.Lost.Queue
				got = append(got, nil)
				continue
			}
			if m.Received.Groups != 7 || m.NSID != -1 || m.PID != 9 || m.Answer != (len(m.Data)%2 == 0) || !m.Time.Equal(now) {
				t.Fatalf("%+v", m)
			}
			got = append(got, bytes.Clone(m.Data))
		}
	}
	for i := range 5000 {
		b := netlink.Header{Len: uint32(16 + i%500), Type: 16, Seq: uint32(i)}.Append(nil)
		b = append(b, make([]byte, i%500)...)
		if q.Push(b, netlink.Received{Groups: 7, NSID: -1, PID: 9, Answer: len(b)%2 == 0}, now) {
			if n := len(sent); n > 0 && sent[n-1] == nil && lost == 0 {
				t.Fatal("room without a mark")
			}
			sent = append(sent, b)
		} else if len(sent) == 0 || sent[len(sent)-1] != nil {
			sent = append(sent, nil)
		}
		if s := q.Stats(); s.Octets > 50_000 {
			t.Fatalf("%d octets", s.Octets)
		}
		if rng.IntN(400) == 0 {
			take()
		}
	}
	take()
	if len(got) != len(sent) {
		t.Fatalf("%d of %d", len(got), len(sent))
	}
	whole := uint64(0)
	for i := range got {
		if !bytes.Equal(got[i], sent[i]) {
			t.Fatalf("number %d: %d octets, want %d", i, len(got[i]), len(sent[i]))
		}
		if got[i] != nil {
			whole++
		}
	}
	if whole+lost != 5000 || lost == 0 {
		t.Errorf("%d and %d", whole, lost)
	}
	if s := q.Stats(); s.Octets != 0 || s.Messages != 0 || s.Lost != lost || !q.Empty() {
		t.Errorf("%+v", s)
	}
	if told == 0 {
		t.Error("nobody was told")
	}
}

func TestAQueueTellsOfALossThatNobodyCounted(t *testing.T) {
	told := 0
	q := netlink.NewQueue(1000, func() { told++ })
	q.Lose(netlink.Lost{})
	if told != 1 || q.Empty() {
		t.Fatalf("told %d times, empty %v", told, q.Empty())
	}
	q.Push(netlink.Header{Len: 16}.Append(nil), netlink.Received{}, time.Now())
	var m netlink.Datagram
	if !q.Next(&m) || m.Lost == nil || *m.Lost != (netlink.Lost{}) {
		t.Fatalf("%+v", m)
	}
	if !q.Next(&m) || m.Lost != nil || q.Next(&m) {
		t.Fatalf("%+v", m)
	}
}

func TestAQueueThatWasClosedStillTellsWhatIsMissing(t *testing.T) {
	q := netlink.NewQueue(10, nil)
	q.Push(netlink.Header{Len: 16}.Append(nil), netlink.Received{}, time.Now())
	q.Close()
	var m netlink.Datagram
	if q.Empty() || !q.Next(&m) || m.Lost == nil || m.Lost.Queue != 1 || !m.Lost.Exact {
		t.Fatalf("%+v", m.Lost)
	}
	if !q.Empty() || q.Next(&m) {
		t.Error("not empty")
	}
}

func TestWhoHasSeenThatAQueueIsEmptyIsTold(t *testing.T) {
	told := 0
	q := netlink.NewQueue(1000, func() { told++ })
	push := func() { q.Push(netlink.Header{Len: 16}.Append(nil), netlink.Received{}, time.Now()) }
	push()
	push()
	var m netlink.Datagram
	if q.Next(&m); !q.Next(&m) || told != 1 {
		t.Fatalf("told %d times", told)
	}
	if !q.Empty() {
		t.Fatal("not empty")
	}
	if push(); told != 2 {
		t.Errorf("told %d times", told)
	}
}

func TestNextStopsAtWhatIsNoMessage(t *testing.T) {
	head := func(n uint32) []byte { return netlink.Header{Len: n, Type: 16}.Append(nil) }
	for _, c := range []struct {
		name string
		b    []byte
		want string // lengths; ! is a fault
	}{
		{"nothing", nil, ""},
		{"fewer octets than a header", make([]byte, 15), ""},
		{"a length of zero", make([]byte, 64000), ""},
		{"one", head(16), "16"},
		{"padding between two", append(append(head(17), 1, 0, 0, 0), head(16)...), "17 16"},
		{"no padding after the last", append(head(17), 1), "17"},
		{"a length less than the header", append(head(16), head(3)...), "16 16!"},
		{"a length past the end", append(head(16), head(17)...), "16 16!"},
		{"a length of all ones", head(0xffffffff), "16!"},
	} {
		var got []string
		for msg, err := range netlink.Messages(c.b) {
			s := fmt.Sprint(len(msg))
			if err != nil {
				s += "!"
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q, want %q", c.name, s, c.want)
		}
	}
}

func octets(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestErrorsOfTheKernel(t *testing.T) {
	req := "14000000 1200 0500 08000000 07000000 00000000"
	for _, c := range []struct {
		name, msg, want string
		errno           syscall.Errno
	}{
		{"an acknowledgement", "24000000 0200 0000 08000000 07000000 00000000" + req, "", 0},
		{"no such device", "28000000 0200 0000 08000000 07000000 edffffff" + req, "no such device", syscall.ENODEV},
		{
			"with the kernel's words and an offset", "40000000 0200 0002 08000000 07000000 eaffffff" + req +
				"0a000100 6e6f2121 2100 0000 08000200 10000000",
			"invalid argument: no!!! (at octet 16 of the request)", syscall.EINVAL,
		},
		{
			"capped", "38000000 0200 0003 08000000 07000000 eaffffff 54000000 1200 0500 08000000 07000000 0a000100 6e6f2121 2100 0000",
			"invalid argument: no!!!", syscall.EINVAL,
		},
		{
			"an attribute is missing", "38000000 0200 0003 08000000 07000000 eaffffff 54000000 1200 0500 08000000 07000000 08000500 07000000",
			"invalid argument (attribute 7 is missing)", syscall.EINVAL,
		},
		{"a remark", "30000000 0200 0003 08000000 07000000 00000000 54000000 1200 0500 08000000 07000000 08000100 68690000", "hi", 0},
		{"the end of a dump", "14000000 0300 0200 08000000 07000000 00000000", "", 0},
		{"the end of a dump with what was sent", "14000000 0300 0200 08000000 07000000 05000000", "", 0},
		{"the end of a dump with an error", "1c000000 0300 0202 08000000 07000000 f0ffffff 08000100 68690000", "device or resource busy: hi", syscall.EBUSY},
		{"close", "1c000000 0200 0000 00000000 00000000 68000000 00000000 00000000", "connection reset by peer", syscall.ECONNRESET},
		{"too short", "12000000 0200 0000 08000000 07000000 edff", "", 0},
		{"another type", "14000000 1000 0000 08000000 07000000 edffffff", "", 0},
		{"an attribute that is too long", "30000000 0200 0003 08000000 07000000 eaffffff 54000000 1200 0500 08000000 07000000 ff000100 68690000", "invalid argument", syscall.EINVAL},
	} {
		e := netlink.ErrorOf(octets(t, c.msg))
		if e == nil {
			if c.want != "" {
				t.Errorf("%s: none", c.name)
			}
			continue
		}
		if e.Error() != c.want || e.Errno != c.errno {
			t.Errorf("%s: %q, errno %d; want %q", c.name, e.Error(), e.Errno, c.want)
		}
	}
	if b := netlink.ClosedMessage(104); netlink.ErrorOf(b).Kind() != "closed" || len(b) != 28 {
		t.Errorf("% x", b)
	}
}

// FuzzDatagram: whatever comes, nothing is read outside and the walk ends.
func FuzzDatagram(f *testing.F) {
	f.Add(netlink.ClosedMessage(104))
	f.Add(netlink.OverrunMessage(&netlink.Lost{Kernel: 1, Exact: true}))
	f.Add(make([]byte, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		for msg, err := range netlink.Messages(b) {
			if total += len(msg); total > len(b) {
				t.Fatal("more than there is")
			}
			if err == nil {
				if h, ok := netlink.ParseHeader(msg); !ok || int(h.Len) != len(msg) {
					t.Fatal(h)
				}
			}
			if e := netlink.ErrorOf(msg); e != nil {
				_ = e.Error()
				_ = e.Kind()
			}
		}
		if e := netlink.ErrorOf(b); e != nil {
			_ = e.Error()
		}
		q := netlink.NewQueue(1<<20, nil)
		q.Push(b, netlink.Received{}, time.Time{})
		var m netlink.Datagram
		if q.Next(&m) && !bytes.Equal(m.Data, b) {
			t.Fatal("the queue has changed it")
		}
	})
}

// run executes a filter as the kernel would: 0 drops the datagram.
func run(p []netlink.Instruction, b []byte) uint32 {
	var a uint32
	for pc := 0; pc < len(p); pc++ {
		in := p[pc]
		switch in.Op {
		case 0x20, 0x28, 0x30:
			n := map[uint16]int{0x20: 4, 0x28: 2, 0x30: 1}[in.Op]
			if int(in.K)+n > len(b) {
				return 0
			}
			a = 0
			for _, x := range b[in.K : int(in.K)+n] {
				a = a<<8 | uint32(x)
			}
		case 0x54:
			a &= in.K
		case 0x15:
			if a == in.K {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		case 0x06:
			return in.K
		default:
			panic("no such instruction")
		}
	}
	panic("past the end")
}

func TestKeepIsWhatItSays(t *testing.T) {
	p, err := netlink.Keep([]netlink.Condition{
		{Offset: 4, Size: 2, Values: []uint32{24, 25, 0x1234}},
		{Offset: 16, Size: 1, Values: []uint32{2}},
		{Offset: 20, Size: 4, Mask: 0xff, Values: []uint32{7, 9}},
		{Offset: 24, Size: 2, Net: true, Values: []uint32{0x0800}},
	})
	if err != nil {
		t.Fatal(err)
	}
	msg := func(typ uint16, family byte, n uint32, proto ...byte) []byte {
		b := netlink.Header{Len: 28, Type: typ}.Append(nil)
		b = append(b, family, 0, 0, 0, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
		return append(append(b, proto...), 0, 0)
	}
	for _, c := range []struct {
		b    []byte
		keep bool
	}{
		{msg(24, 2, 7, 8, 0), true},
		{msg(0x1234, 2, 0x309, 8, 0), true},
		{msg(26, 2, 7, 8, 0), false},
		{msg(25, 10, 7, 8, 0), false},
		{msg(25, 2, 8, 8, 0), false},
		{msg(25, 2, 7, 0, 8), false},
		{msg(25, 2, 7, 8, 0)[:20], false},
		{netlink.ClosedMessage(1), true},
		{msg(netlink.TypeDone, 0, 0), true},
		{msg(netlink.TypeOverrun, 0, 0), true},
	} {
		if got := run(p, c.b) != 0; got != c.keep {
			t.Errorf("% x: %v", c.b, got)
		}
	}
	for _, bad := range []netlink.Condition{{Size: 8, Values: []uint32{1}}, {Size: 4}, {Size: 4, Values: make([]uint32, 300)}, {Offset: -1, Size: 4, Values: []uint32{1}}} {
		if _, err := netlink.Keep([]netlink.Condition{bad}); err == nil {
			t.Errorf("%+v", bad)
		}
	}
}
