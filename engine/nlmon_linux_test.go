package engine_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"pktsh/engine"
	"pktsh/internal/need"
)

// Few kernels have nlmon interfaces. What is put before their datagrams comes
// from the sender's address, which packet sockets of every interface have: so a
// cable stands for one, whose "family" is the EtherType.
func TestDatagramsOfNetlinkGetTheirHeader(t *testing.T) {
	if !need.Netns(t) {
		return
	}
	veth(t, 1500)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	a := openLink(t, engine.LinkConfig{Name: "pkva"})
	defer a.Close()
	end, err := net.InterfaceByName("pkvb")
	if err != nil {
		t.Fatal(err)
	}
	const family = 0x88b5 // for experiments
	proto := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, family))
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: end.Index}); err != nil {
		t.Fatal(err)
	}
	var sent [][]byte
	for i, to := range []byte{0xff, 0x33, 0x02} {
		f := append([]byte{to, to, to, to, to, to, 2, 0, 0, 0, 0, 1}, family>>8, family&0xff)
		f = append(f, bytes.Repeat([]byte{byte(i + 1)}, 50+i)...)
		sent = append(sent, f)
	}
	if n, err := a.TryWrite(sent); err != nil || n != len(sent) {
		t.Fatal(n, err)
	}
	got, err := engine.ReceiveAsNetlink(fd, len(sent))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range got {
		kind := []uint16{1, 2, 3}[i] // broadcast, multicast, to others
		want := binary.BigEndian.AppendUint16(nil, kind)
		want = binary.BigEndian.AppendUint16(want, 1) // ARPHRD_ETHER; of nlmon 824
		want = append(want, make([]byte, 10)...)
		want = binary.BigEndian.AppendUint16(want, family)
		want = append(want, sent[i]...)
		if !bytes.Equal(f.Data, want) || f.Len != len(want) || f.Link != engine.LinkNetlink {
			t.Errorf("frame %d: %d octets, link %v\n% x\nwant\n% x", i, f.Len, f.Link, f.Data, want)
		}
	}
}

func TestLinkOnNlmon(t *testing.T) {
	if !need.Netns(t) {
		return
	}
	need.Thing(t, "nlmon", exec.Command("ip", "link", "add", "nl0", "up", "type", "nlmon").Run())
	c := openLink(t, engine.LinkConfig{Name: "nl0"})
	defer c.Close()
	if c.LinkType() != engine.LinkNetlink {
		t.Errorf("link type %v", c.LinkType())
	}
	run(t, "ip", "link", "show", "lo")
	fs := make([]engine.Frame, 64)
	for seen := 0; seen == 0; {
		if err := c.Wait(t.Context(), engine.ReadReady); err != nil {
			t.Fatal(err)
		}
		n, err := c.TryRead(fs)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs[:n] {
			// A question of type RTM_GETLINK to the family route.
			if len(f.Data) > 32 && binary.BigEndian.Uint16(f.Data[2:]) == 824 && binary.BigEndian.Uint16(f.Data[14:]) == 0 &&
				binary.NativeEndian.Uint16(f.Data[16+4:]) == 18 {
				seen++
			}
		}
	}
}
