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

// A machine that is not ours boots from a host that is not there.
//
//	┌ network namespace ────────────────────────────────────────────┐
//	│ QEMU: SeaBIOS, iPXE ═ a LAN on the loopback ═ scripts/pxe.lua │
//	└───────────────────────────────────────────────────────────────┘
func TestNetboot(t *testing.T) {
	for _, lan := range []struct{ name, url, netdev string }{
		{"mcast", "mcast://239.192.168.1:1102?if=127.0.0.1", "socket,id=n0,mcast=239.192.168.1:1102,localaddr=127.0.0.1"},
	} {
		t.Run(lan.name, func(t *testing.T) {
			qemu := machine(t)
			if !need.Netns(t) {
				return
			}
			must(t, need.Program(t, "ip"), "link", "set", "lo", "up")
			root := t.TempDir()
			write(t, filepath.Join(root, "boot.ipxe"), `#!ipxe
imgfetch --name fetched http://10.0.2.1/images/big.bin || goto failed
imgstat
imgfetch http://10.0.2.1/../outside && goto failed || echo REFUSED
echo BOOTED ${net0/ip} ${next-server}
sleep 1
reboot
:failed
echo FAILED
sleep 1
reboot
`)
			if err := os.Mkdir(filepath.Join(root, "images"), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(root, "images", "big.bin"), strings.Repeat("pktsh netboot\n", 20000))

			p := start(t, "../../scripts/pxe.lua", lan.url, "--ip", "10.0.2.1/24", "--root", root, "--boot", "boot.ipxe")
			p.expect("serving")
			guest := run(t, qemu, lan.netdev)
			p.expect("dhcp ack: 10.0.2.100 for 52:54:00:12:34:56")
			p.expect(`tftp 10.0.2.100: "boot.ipxe"`)
			p.expect(`http 10.0.2.100: GET "/images/big.bin" 200, 280000 octets`)
			console := guest()
			for _, want := range []string{"fetched : 280000 bytes", "REFUSED", "BOOTED 10.0.2.100 10.0.2.1"} {
				if !strings.Contains(console, want) {
					t.Errorf("no %q on the console:\n%s\npktsh said\n%s", want, console, p.said())
				}
			}
		})
	}
}

// The responder knows no DHCP; the guest gives itself an address, finds the
// responder by ARP and is told by ICMP that there is no TFTP server.
func TestResponderAnswersAGuest(t *testing.T) {
	for _, lan := range []struct{ name, url, netdev string }{
		{"mcast", "mcast://239.192.168.1:1102?if=127.0.0.1", "socket,id=n0,mcast=239.192.168.1:1102,localaddr=127.0.0.1"},
	} {
		t.Run(lan.name, func(t *testing.T) {
			qemu := machine(t)
			if !need.Netns(t) {
				return
			}
			must(t, need.Program(t, "ip"), "link", "set", "lo", "up")
			p := start(t, "../../scripts/responder.lua", lan.url, "10.0.2.9/24")
			p.expect("answering on")
			// A second station of the LAN boots the guest into a script that asks for the first.
			root := t.TempDir()
			write(t, filepath.Join(root, "boot.ipxe"), "#!ipxe\nimgfetch tftp://10.0.2.9/x || echo ASKED\nsleep 1\nreboot\n")
			s := start(t, "../../scripts/pxe.lua", lan.url, "--ip", "10.0.2.1/24", "--root", root, "--boot", "boot.ipxe")
			s.expect("serving")
			guest := run(t, qemu, lan.netdev)
			p.expect("answered Ether / ARP who-has 10.0.2.9 tell 10.0.2.100")
			p.expect("TFTP_RRQ x octet")
			if console := guest(); !strings.Contains(console, "ASKED") {
				t.Errorf("the guest's console:\n%s", console)
			}
		})
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

// run starts a guest with one network card. The function it returns waits for
// the guest's end and returns its serial console.
func run(t *testing.T, qemu, netdev string) func() string {
	t.Helper()
	serial := filepath.Join(t.TempDir(), "console")
	cmd := exec.Command(qemu, "-M", "pc,graphics=off", "-m", "64", "-nodefaults", "-display", "none", "-vga", "none",
		"-serial", "file:"+serial, "-no-reboot", "-boot", "n", "-netdev", netdev,
		"-device", "virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56")
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

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
