package engine_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pktsh/engine"
)

func TestOpenNamedLANs(t *testing.T) {
	env := realEnv()
	a, err1 := engine.Open(env, "mem:lab")
	b, err2 := engine.Open(env, "mem:lab/bob")
	c, err3 := engine.Open(env, "mem:other")
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if a.Name() != "lab/1" || b.Name() != "lab/bob" {
		t.Errorf("%s, %s", a.Name(), b.Name())
	}
	send(t, a, frame(1, 60))
	collect(t, b, 1, 1)
	if n, _ := c.TryRead(make([]engine.Frame, 1)); n != 0 {
		t.Error("LANs of different names are joined")
	}
	if x, err := engine.Open(realEnv(), "mem:lab"); err != nil || x.Name() != "lab/1" {
		t.Error("hosts share a LAN", x, err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ url, kind, text string }{
		{"", "argument", `open "": want the name of a file or an interface, or SCHEME:WHAT`},
		{"none", "missing", `open "none": no such file, and no such interface`},
		{"./none", "missing", `open "./none": no such file, and no interface can be called so`},
		{dir, "missing", "it is a directory, and no interface can be called so"},
		{"none?follow=1", "argument", `unknown option "follow"`},
		{"foo:bar", "argument", `unknown scheme "foo", known are mem, mcast, tap, tun, link, pcap, pcap_writer`},
		{"mem:", "argument", "want the name of a LAN"},
		{"mem:x?y=1", "argument", `unknown option "y", there are none`},
		{"mcast:239.0.0.1:1", "argument", "want // after mcast:"},
		{"mcast://239.0.0.1:0", "argument", `port "0": want a number from 1 to 65535`},
		{"mcast://239.0.0.1:x", "argument", `port "x"`},
		{"mcast://239.0.0.1:1?iff=lo", "argument", `unknown option "iff", known are if, ttl, loop`},
		{"mcast://239.0.0.1:1?ttl=900", "argument", "option ttl=900: want a number from 1 to 255"},
		{"mcast://239.0.0.1:1?loop=maybe", "argument", "option loop=maybe: want 1 or 0"},
		{"mcast://10.1.2.3:1102", "argument", "group 10.1.2.3 is not a multicast address"},
		{"tap:pk0?addr=10.0.0.1", "argument", "want ADDR/LEN"},
		{"tap:pk0?mtu=9", "argument", "option mtu=9"},
		{"pcap:", "argument", "want the name of a file"},
		{"pcap:" + dir + "/none", "missing", "no such file"},
		{"pcap_writer:" + dir + "/none/x", "missing", "no such file"},
		{"pcap_writer:" + dir + "/x?linktype=foo", "argument", `link type "foo"`},
	} {
		x, err := engine.Open(realEnv(), c.url)
		if err == nil {
			t.Errorf("%s: opened %s", c.url, x.Name())
			continue
		}
		if !kindIs(err, c.kind) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.url, err)
		}
	}
}

func TestOpenTakesNamesWithQuestionMarks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "really?.pcap")
	w, err := engine.Open(realEnv(), "pcap_writer:"+file+"?linktype=raw&nanos=1")
	if err != nil {
		t.Fatal(err)
	}
	close2(t, w)
	r, err := engine.Open(realEnv(), "pcap:"+file)
	if err != nil || r.LinkType() != engine.LinkRaw || r.Name() != "pcap:"+file {
		t.Fatal(r, err)
	}
	close2(t, r)
}

func TestSchemesAreDocumented(t *testing.T) {
	for _, s := range engine.Schemes() {
		name, _, ok := strings.Cut(s, ":")
		if _, err := engine.Open(realEnv(), name+":?bogus=1"); !ok || err == nil || strings.Contains(fmt.Sprint(err), "unknown scheme") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// A bare name is the file, if there is one, even of the name of an interface.
func TestOpenByBareName(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"trace.pcap", "lo", "a:b?c.pcap"} {
		if err := os.WriteFile(name, header(binary.LittleEndian, 0xa1b2c3d4, 101), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ text, name string }{
		{"trace.pcap", "pcap:trace.pcap"}, {"lo", "pcap:lo"}, {"./a:b?c.pcap", "pcap:./a:b?c.pcap"},
		{filepath.Join(dir, "trace.pcap"), "pcap:" + filepath.Join(dir, "trace.pcap")},
	} {
		x, err := engine.Open(realEnv(), c.text)
		if err != nil {
			t.Error(err)
			continue
		}
		if x.Name() != c.name || x.LinkType() != engine.LinkRaw {
			t.Errorf("%s: opened %s", c.text, x.Name())
		}
		close2(t, x)
	}
	if err := os.WriteFile("text", []byte("hello, world"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Open(realEnv(), "text"); !kindIs(err, "argument") || !strings.Contains(err.Error(), "open pcap:text: not a capture file") {
		t.Error(err)
	}
	if _, err := engine.Open(virtualEnv(1), "none"); !kindIs(err, "missing") {
		t.Error(err)
	}
}
