package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pktsh/internal/need"
)

// A machine that is not ours boots from a host that is not there, and then asks
// a second one. Each is on a LAN of its own kind; inside QEMU a hub joins them.
//
//	┌ network namespace ──────────────────────────────────────────────┐
//	│ QEMU ┌───────────────────────────┐                              │
//	│      │ SeaBIOS, iPXE ═ NIC ═ hub ╪═ one LAN ═ scripts/pxe.lua   │
//	│      │                        ╙──╪═ other ═ scripts/responder.lua│
//	│      └───────────────────────────┘                              │
//	└─────────────────────────────────────────────────────────────────┘
func TestNetboot(t *testing.T) {
	for _, lans := range [][2]string{{"mcast", "stream+tcp"}, {"stream+tcp", "stream+unix"}, {"stream+unix", "listen"},
		{"listen", "dgram+udp"}, {"dgram+udp", "dgram+unix"}, {"dgram+unix", "mcast"}} {
		t.Run(lans[0]+" and "+lans[1], func(t *testing.T) {
			t.Parallel()
			netboot(t, lans[0], lans[1])
		})
	}
}

// lans are the LANs by kind: how pktsh opens them, and how QEMU does. DIR is a
// folder of the test.
var lans = map[string][2]string{
	"mcast": {"mcast://239.192.168.1:1102?if=127.0.0.1",
		"socket,mcast=239.192.168.1:1102,localaddr=127.0.0.1"},
	"stream+tcp": {"stream+tcp://127.0.0.1:5000?server=1",
		"socket,connect=127.0.0.1:5000"},
	"stream+unix": {"stream+unix:DIR/lan?server=1",
		"stream,server=off,addr.type=unix,addr.path=DIR/lan"},
	// QEMU is the server, and comes up after us.
	"listen": {"stream+tcp://127.0.0.1:5003?reconnect=0.1",
		"socket,listen=127.0.0.1:5003"},
	"dgram+udp": {"dgram+udp://127.0.0.1:5004?local=127.0.0.1:5005",
		"dgram,local.type=inet,local.host=127.0.0.1,local.port=5004,remote.type=inet,remote.host=127.0.0.1,remote.port=5005"},
	"dgram+unix": {"dgram+unix:DIR/guest?local=DIR/host",
		"dgram,local.type=unix,local.path=DIR/guest,remote.type=unix,remote.path=DIR/host"},
}

func netboot(t *testing.T, server, other string) {
	qemu := machine(t)
	if !need.Netns(t) {
		return
	}
	must(t, need.Program(t, "ip"), "link", "set", "lo", "up")
	// A short name without commas, which QEMU takes for the end of an option.
	dir, err := os.MkdirTemp("", "netboot")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	open := func(lan string) string { return strings.ReplaceAll(lans[lan][0], "DIR", dir) }
	join := func(lan string) string { return strings.ReplaceAll(lans[lan][1], "DIR", dir) }

	root := filepath.Join(dir, "root")
	if err := os.MkdirAll(filepath.Join(root, "images"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "boot.ipxe"), `#!ipxe
imgfetch --name fetched http://10.0.2.1/images/big.bin || goto failed
imgstat
imgfetch tftp://10.0.2.1/%2e%2e/outside && goto failed || echo REFUSED
imgfetch --timeout 1000 tftp://10.0.2.9/x && goto failed || echo ASKED
echo BOOTED ${net0/ip} ${next-server}
sleep 1
reboot
:failed
echo FAILED
sleep 1
reboot
`)
	write(t, filepath.Join(root, "images", "big.bin"), strings.Repeat("pktsh netboot\n", 20000))
	write(t, filepath.Join(dir, "outside"), "secret")

	p := start(t, "../../scripts/pxe.lua", open(server), "--ip", "10.0.2.1/24", "--root", root, "--boot", "boot.ipxe")
	p.expect("serving")
	r := start(t, "../../scripts/responder.lua", open(other), "10.0.2.9/24")
	r.expect("answering on")
	guest := run(t, qemu, join(server), join(other))
	p.expect("dhcp ack: 10.0.2.100 for 52:54:00:12:34:56")
	p.expect(`tftp 10.0.2.100: "boot.ipxe"`)
	p.expect(`http 10.0.2.100: GET "/images/big.bin" 200, 280000 octets`)
	// It has no TFTP server, and says so.
	r.expect("ARP who-has 10.0.2.9 tell 10.0.2.100")
	r.expect("TFTP_RRQ")
	console := guest()
	for _, want := range []string{"fetched : 280000 bytes", "REFUSED", "ASKED", "BOOTED 10.0.2.100 10.0.2.1"} {
		if !strings.Contains(console, want) {
			t.Errorf("no %q on the console:\n%s\npxe.lua said\n%s", want, console, p.said())
		}
	}
}

// machine is QEMU's path, on a machine that has the ROMs to boot with, too.
func machine(t *testing.T) string {
	t.Helper()
	qemu := need.Program(t, "qemu-system-x86_64")
	var err error
	for _, rom := range []string{"/usr/lib/ipxe/qemu/pxe-virtio.rom", "/usr/share/qemu/pxe-virtio.rom"} {
		if _, err = os.Stat(rom); err == nil {
			break
		}
	}
	need.Thing(t, "qemu", err)
	return qemu
}

// run starts a guest with one network card on a hub that joins all netdevs. The
// function it returns waits for the guest's end and returns its serial console.
func run(t *testing.T, qemu string, netdevs ...string) func() string {
	t.Helper()
	serial := filepath.Join(t.TempDir(), "console")
	cmd := exec.Command(qemu, "-M", "pc,graphics=off", "-m", "64", "-nodefaults", "-display", "none", "-vga", "none",
		"-serial", "file:"+serial, "-no-reboot", "-boot", "n",
		"-netdev", "hubport,id=nic,hubid=0", "-device", "virtio-net-pci,netdev=nic,mac=52:54:00:12:34:56")
	for i, dev := range netdevs {
		cmd.Args = append(cmd.Args, "-netdev", fmt.Sprintf("%s,id=n%d", dev, i), "-netdev", fmt.Sprintf("hubport,id=h%d,hubid=0,netdev=n%d", i, i))
	}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })
	return func() string {
		t.Helper()
		var err error
		select {
		case err = <-ended:
		case <-time.After(60 * time.Second):
			err = fmt.Errorf("it does not end")
		}
		console, _ := os.ReadFile(serial)
		if err != nil {
			t.Fatalf("qemu: %v\n%s\n%s", err, said.String(), console)
		}
		return string(console)
	}
}
