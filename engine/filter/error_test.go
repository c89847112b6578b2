package filter

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestErrorsPointAtTheFault(t *testing.T) {
	for _, c := range []struct {
		expr string
		link LinkType
		want string // Render
	}{
		{"port 70000", Ethernet, `
filter: column 6: port 70000 does not fit 16 bits (0..65535)
    port 70000
         ^~~~~`},
		{"ip and\n\ttpc port 80", Ethernet, `
filter: line 2, column 2: tpc is not a keyword, want a primitive
    	tpc port 80
    	^~~
    did you mean "tcp"?`},
		{"tcp port htpp", Ethernet, `
filter: column 10: no service is called htpp
    tcp port htpp
             ^~~~
    did you mean "http"?`},
		{"host www.example.org", Ethernet, `
filter: column 6: www.example.org is not an address, and names are not resolved here
    host www.example.org
         ^~~~~~~~~~~~~~~
    write its address`},
		{"net 10.1.1.1/8", Ethernet, `
filter: column 5: 10.1.1.1 has bits set behind the mask
    net 10.1.1.1/8
        ^~~~~~~~
    the network is 10.0.0.0`},
		{"(tcp or udp", Ethernet, `
filter: column 1: "(" is not closed
    (tcp or udp
    ^`},
		{"tcp port ntp", Ethernet, `
filter: column 10: ntp is a UDP service
    tcp port ntp
             ^~~`},
		{"ip[0] = ", Ethernet, `
filter: column 9: the expression ends here, want a number, len or protocol[offset]
    ip[0] = 
            ^`},
		{"host tcp", Ethernet, `
filter: column 6: tcp is a keyword, want a value for host
    host tcp
         ^~~
    if it is a name, write \tcp`},
		{"tcp and udp", Ethernet, `
filter: column 1: no frame can match this
    tcp and udp
    ^~~~~~~~~~~`},
		{"ether host 00:11:22:33:44:55", Raw, `
filter: column 12: raw IP frames have no MAC addresses
    ether host 00:11:22:33:44:55
               ^~~~~~~~~~~~~~~~~`},
		{"ip", 253, `
filter: column 1: netlink frames cannot be filtered
    ip
    ^~`},
		{"gateway gw", Ethernet, `
filter: column 1: gateway needs name resolution, which this does not do
    gateway gw
    ^~~~~~~
    use: ether host MAC and not host ADDRESS`},
		{"vlan 4096", Ethernet, `
filter: column 6: VLAN 4096 is above 4095
    vlan 4096
         ^~~~`},
		{"ip[2] / 0 = 1", Ethernet, `
filter: column 9: division by zero
    ip[2] / 0 = 1
            ^`},
		{"oam", Ethernet, `
filter: column 1: "oam" is for ATM links only
    oam
    ^~~`},
	} {
		_, err := Compile(c.expr, c.link, Options{})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: no *Error but %v", c.expr, err)
			continue
		}
		if got := "\n" + e.Render(); got != c.want {
			t.Errorf("%s: got%s\nwant%s", c.expr, got, c.want)
		}
		if e.Kind() != "argument" {
			t.Errorf("%s: kind %s", c.expr, e.Kind())
		}
	}
}

// What stands here is refused, with an error that points into the expression.
func TestNonsenseIsRefused(t *testing.T) {
	for _, expr := range []string{
		"tcp tcp", "tcp 80", "10.0.0.1", "80", "foo", "not", "!", "()", "(", ")", "tcp or", "or tcp", "and", "&&", "tcp & udp", "tcp | udp",
		"tcp or 80", "port 80 and 10.0.0.1", "host 10.0.0.1 or 80.90.300.1", "host 1.2.3.4.5", "host 10.0.0.1/24", "net 10/8", "net 10.0.0.0/33",
		"net ::/129", "host ::1/64", "host 1::2::3", "host 00:11:22:33:44:55", "ether host 10.0.0.1", "ether host ::1",
		"ether port 80", "icmp host 10.0.0.1", "port", "port -1", "port 65536", "portrange 1-70000", "portrange x-80", "port 80-90", "portrange 80 90",
		"port 10.0.0.1", "port ::1", "proto foo", "tcp proto 6", "arp proto 1", "tcp protochain 6", "ip[", "ip[]", "ip[0", "ip[0:3]", "ip[0:x]", "ip[0] =",
		"ip[0] = 1 2", "ip[0] == = 1", "esp[0] = 1", "icmp6 [0] =", "1 =", "= 1", "1 < 2 < 3", "len-1 > 3", "ip[0xffffffff] = 1", "1 << 32 > ip[0]", "ip[0] % 0 = 1",
		"vlan 99999", "vlan foo", "mpls 1048576", "pppoes 65536", "geneve 16777216", "vxlan 16777216", "mpls and vlan", "mpls and arp", "pppoes and vlan",
		"llc foo", "llc 3", "type mgt", "dir tods", "addr1 00:11:22:33:44:55", "wlan ra 10.0.0.1", "src or src host 10.0.0.1", "src dst host 10.0.0.1",
		"ra host 10.0.0.1", "less", "less x", "greater ip", "ifindex", "ifindex eth0", "ifname eth0", "vpi 3", "opc 4", "radio[0] = 1", "$1", "ether host $1",
		"ip broadcast host", "tcp broadcast", "arp multicast", "gateway 10.0.0.1", "host", "src", "src host", "tcp src", "0x", "0xfffffffff = 1", "099 = 1",
		"ip; tcp", "ip # x", "ip\x00", "\\", "\\\\", "host \\", "ip ¬ tcp", "ether", "radio", "subtype", "byte 0", "byte 0 ! 1", "decnet host 64.1",
		"decnet host foo", "1 and 2", "host (10.0.0.1 or tcp)", "port (80 or udp port 53)", "isis proto foo", "iso proto foo", "(port 80", "port 80)",
		strings.Repeat("(", 600) + "ip" + strings.Repeat(")", 600), strings.Repeat("not ", 600) + "ip", strings.Repeat("-", 600) + "1 = 1",
	} {
		p, err := Compile(expr, Ethernet, Options{})
		if err == nil {
			t.Errorf("%q was compiled, to %d instructions", expr, len(p.code))
			continue
		}
		e := err.(*Error)
		if e.Msg == "" || e.Offset < 0 || e.Offset > len(expr) || e.Column() < 1 || strings.Count(e.Render(), "\n") < 2 {
			t.Errorf("%q: bad error %+v", expr, e)
		}
	}
}

// Documentation that is tested: what Explain prints.
func TestExplain(t *testing.T) {
	p, err := Compile("ip and less 100", Ethernet, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := `ip and less 100: 6 instructions for Ethernet frames

   0  ldh   [12]     Ether.type
   1  jeq   #0x800   IP?               yes 2, no reject
   2  ld    #pktlen  length
   3  jgt   #0x64    longer than 100?  yes reject, no accept
   4  ret   #262144  accept
   5  ret   #0       reject
`
	if got := p.Explain(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for _, e := range examples(t) {
		if p, err := Compile(e.expr, Ethernet, Options{}); err == nil {
			text := p.Explain()
			if n := strings.Count(text, "\n"); n < len(p.code) || strings.Contains(text, "%!") || strings.Contains(text, " ?") {
				t.Errorf("%s:\n%s", e.expr, text)
			}
		}
	}
	if os.Getenv("PKTSH_SHOW") != "" {
		p, _ := Compile(os.Getenv("PKTSH_SHOW"), Ethernet, Options{})
		t.Log("\n" + p.Explain())
	}
}
