package netlink_test

import (
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pktsh/engine/netlink"
	"pktsh/internal/need"
)

var underRace bool // everything is some ten times slower

// inOwnNetwork is need.Netns, or if the process may, a network namespace of this
// thread alone, in which buffers can be forced to any size.
func inOwnNetwork(t *testing.T) (forced, ok bool) {
	runtime.LockOSThread() // and never unlocked, so that the thread ends with the test
	if unix.Unshare(unix.CLONE_NEWNET) == nil {
		return true, true
	}
	runtime.UnlockOSThread()
	return false, need.Netns(t)
}

// linkUp sets lo up.
func linkUp(t *testing.T, s *netlink.Socket) {
	b := netlink.Header{Len: 32, Type: unix.RTM_NEWLINK, Flags: netlink.FlagRequest | netlink.FlagAck, Seq: 1}.Append(nil)
	b = append(b, make([]byte, 16)...)
	binary.NativeEndian.PutUint32(b[20:], 1)
	binary.NativeEndian.PutUint32(b[24:], unix.IFF_UP)
	binary.NativeEndian.PutUint32(b[28:], unix.IFF_UP)
	buf := make([]byte, 65536)
	r, _, err := s.Exchange(b, buf)
	if err != nil {
		t.Fatal(err)
	}
	if e := netlink.ErrorOf(buf[:r.Len]); e != nil {
		t.Fatal(e)
	}
}

// appendRoute appends a request to add or delete route number i over lo.
func appendRoute(b []byte, typ, flags uint16, i uint32) []byte {
	b = netlink.Header{Len: 44, Type: typ, Flags: netlink.FlagRequest | flags, Seq: i}.Append(b)
	b = append(b, unix.AF_INET, 32, 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_BOOT, unix.RT_SCOPE_LINK, unix.RTN_UNICAST, 0, 0, 0, 0)
	attr := func(typ uint16, v uint32, order binary.AppendByteOrder) {
		b = binary.NativeEndian.AppendUint16(b, 8)
		b = binary.NativeEndian.AppendUint16(b, typ)
		b = order.AppendUint32(b, v)
	}
	attr(unix.RTA_DST, 10<<24|i, binary.BigEndian)
	attr(unix.RTA_OIF, 1, binary.NativeEndian)
	return b
}

// storm adds and deletes n routes, perCall requests in each sendmsg, and says
// how many events a second that made.
func storm(t *testing.T, s *netlink.Socket, n, perCall int) float64 {
	buf := make([]byte, 65536)
	start := time.Now()
	for from := 0; from < n; from += perCall {
		for _, typ := range []uint16{unix.RTM_NEWROUTE, unix.RTM_DELROUTE} {
			var b []byte
			for i := from; i < min(from+perCall, n); i++ {
				flags := uint16(0)
				if typ == unix.RTM_NEWROUTE {
					flags = netlink.FlagCreate
				}
				if i == min(from+perCall, n)-1 {
					flags |= netlink.FlagAck
				}
				b = appendRoute(b, typ, flags, uint32(i))
			}
			r, _, err := s.Exchange(b, buf)
			if err != nil {
				t.Fatal(err)
			}
			if e := netlink.ErrorOf(buf[:r.Len]); e != nil {
				t.Fatal(e)
			}
		}
	}
	return float64(2*n) / time.Since(start).Seconds()
}

// listen opens a socket for route events and drains it into a queue.
func listen(t *testing.T, rcvbuf, limit int) (*netlink.Socket, *netlink.Queue, *netlink.Reader) {
	s := open(t, netlink.Config{RcvBuf: rcvbuf})
	if err := s.Join(unix.RTNLGRP_IPV4_ROUTE); err != nil {
		t.Fatal(err)
	}
	q := netlink.NewQueue(limit, nil)
	r, err := s.ReadInto(q)
	if err != nil {
		t.Fatal(err)
	}
	return s, q, r
}

// tally counts what is in the queue until all n messages are accounted for.
func tally(t *testing.T, q *netlink.Queue, n uint64) (got uint64, lost netlink.Lost) {
	t.Helper()
	lost.Exact = true
	deadline := time.Now().Add(20 * time.Second)
	for got+lost.Kernel+lost.Queue < n {
		var m netlink.Datagram
		if !q.Next(&m) {
			if time.Now().After(deadline) {
				t.Fatalf("%d of %d events, %+v reported as lost", got, n, lost)
			}
			runtime.Gosched()
			continue
		}
		if m.Lost != nil {
			lost.Add(*m.Lost)
			continue
		}
		for range netlink.Messages(m.Data) {
			got++
		}
	}
	return got, lost
}

// A storm as dense as one processor can make it. With a forced receive buffer
// nothing is lost, and nobody has to take anything from the queue meanwhile.
func TestAStormLosesNothing(t *testing.T) {
	forced, ok := inOwnNetwork(t)
	if !ok {
		return
	}
	n := 100_000
	if underRace || testing.Short() {
		n = 10_000
	}
	if !forced {
		n /= 10
		t.Log("the receive buffer cannot be forced here: a small storm")
	}
	talk := open(t, netlink.Config{SndBuf: 1 << 20, RcvBuf: 1 << 20})
	linkUp(t, talk)
	_, q, r := listen(t, 32<<20, 256<<20)
	rate := storm(t, talk, n, 100)
	got, lost := tally(t, q, uint64(2*n))
	t.Logf("%.0f events a second, %d received, queue at most %d octets", rate, got, q.Stats().Most)
	if got != uint64(2*n) || lost.Kernel+lost.Queue != 0 {
		t.Errorf("%d of %d events, lost %+v, reader %+v", got, 2*n, lost, r.Stats())
	}
	if per := q.Stats().Most / (2 * n); per > 60+64 {
		t.Errorf("an event of 52 to 60 octets costs %d", per)
	}
}

// What the queue has no room for is counted, in its place.
func TestAQueueThatIsFullCounts(t *testing.T) {
	if _, ok := inOwnNetwork(t); !ok {
		return
	}
	n := 30_000
	talk := open(t, netlink.Config{})
	linkUp(t, talk)
	_, q, _ := listen(t, 32<<20, 1<<20)
	storm(t, talk, n, 100)
	got, lost := tally(t, q, uint64(2*n))
	if !lost.Exact || lost.Queue == 0 || got+lost.Kernel+lost.Queue != uint64(2*n) {
		t.Errorf("%d received, %+v of %d", got, lost, 2*n)
	}
	if most := q.Stats().Most; most > 1<<20 {
		t.Errorf("the queue has had %d octets", most)
	}
	t.Logf("%d received, %+v", got, lost)
}

// The kernel's own loss: a small receive buffer that nobody reads while the
// storm goes on. The count is exact, and it stands behind what came before.
func TestAnOverrunOfTheKernelIsCounted(t *testing.T) {
	if _, ok := inOwnNetwork(t); !ok {
		return
	}
	talk := open(t, netlink.Config{})
	linkUp(t, talk)
	s := open(t, netlink.Config{RcvBuf: 20_000})
	if err := s.Join(unix.RTNLGRP_IPV4_ROUTE); err != nil {
		t.Fatal(err)
	}
	storm(t, talk, 500, 100)
	m, err := s.Memory()
	if err != nil || m.Drops == 0 {
		t.Fatalf("%+v %v", m, err)
	}
	q := netlink.NewQueue(1<<20, nil)
	r, err := s.ReadInto(q)
	if err != nil {
		t.Fatal(err)
	}
	storm(t, talk, 10, 10) // lost or not, but accounted for
	var got, lost uint64
	for end := time.Now().Add(10 * time.Second); got+lost+uint64(m.Drops) < 1020 && time.Now().Before(end); {
		var d netlink.Datagram
		if !q.Next(&d) {
			runtime.Gosched()
		} else if d.Lost != nil {
			lost += d.Lost.Kernel
		} else {
			got++
		}
	}
	// What was lost before the reader began is not its to tell.
	if got+lost+uint64(m.Drops) != 1020 {
		t.Errorf("%d received, %d told as lost, %d lost before: not 1020; %+v", got, lost, m.Drops, r.Stats())
	}
}
