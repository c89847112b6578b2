package stdlib_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pktsh/engine/clock"
	"pktsh/internal/need"
	"pktsh/lua"
)

// One of everything that may be had without a module that few kernels have. A
// line that begins with "?" may fail: the machine's kernel lacks the kind.
const everything = `
ip link set lo up
ip link add v0 type veth peer name v1
ip link add br0 type bridge stp_state 1 priority 4096
? ip link add br1 type bridge vlan_filtering 1 vlan_default_pvid 3 vlan_stats_enabled 1
? ip link add br2 type bridge group_fwd_mask 8 no_linklocal_learn 1 mcast_querier 1 mcast_igmp_version 3
? ip link add vx0 type vxlan id 42 local 10.0.0.1 group 239.1.1.1 dev v0 dstport 4789 ttl 5 nolearning srcport 1000 2000
? ip link add vx1 type vxlan id 43 local fd00::1 remote fd00::2 dstport 4790 ttl inherit df set tos 4
? ip link add vx2 type vxlan id 44 remote 10.0.0.2 dstport 0 proxy rsc l2miss l3miss ageing 77 maxaddress 9 udp6zerocsumrx
? ip link add vx3 type vxlan external dstport 4791
? ip link add link v0 name mv0 type macvlan mode bridge bcqueuelen 500
? ip link add link v0 name mv1 type macvlan mode source
? ip link set mv1 type macvlan macaddr add 02:00:00:00:00:31
? ip link set mv1 type macvlan macaddr add 02:00:00:00:00:32
? ip link add link v0 name mt0 type macvtap mode vepa
? ip tuntap add tap0 mode tap multi_queue
? ip tuntap add tun0 mode tun user 0
ip link add p0 type veth peer name p1
ip link set p0 master br0
ip link set p0 type bridge_slave priority 7 cost 12 hairpin on guard on isolated on group_fwd_mask 8
ip link set p0 alias port group 5 txqueuelen 77
ip link property add dev p1 altname other altname another
ip link set p1 addrgenmode none
ip link set v0 mtu 1400 promisc on
ip link set v0 up
ip link set v1 up
ip link set br0 up
ip link set p0 up
ip link set p1 up
? ip link set vx3 up
ip addr add 10.1.2.3/24 broadcast + dev v0 label v0:x metric 5
ip addr add 10.1.2.4/24 dev v0
ip addr add 10.9.0.1 peer 10.9.0.2/32 dev v0 scope link
ip addr add 10.8.0.1/24 dev v1 valid_lft 600 preferred_lft 300
ip addr add 2001:db8::1/64 dev v0 valid_lft 600 preferred_lft 300 nodad noprefixroute home
ip addr add 2001:db8::2/64 dev v0 nodad
ip route add 192.0.2.0/24 via 10.1.2.1 dev v0 table 1000 metric 50 mtu lock 1400 advmss 1300 proto bird src 10.1.2.3 onlink
ip route add 198.51.100.0/24 nexthop via 10.1.2.1 dev v0 weight 3 nexthop via 10.1.2.2 dev v0 onlink
ip -6 route add 2001:db8:1::/48 via 2001:db8::9 dev v0 pref high expires 100 metric 7
ip -6 route add 2001:db8:2::/48 nexthop via 2001:db8::9 dev v0 nexthop via 2001:db8::a dev v0
ip route add 203.0.113.0/24 via inet6 2001:db8::9 dev v0
? ip route add 10.51.0.0/16 encap ip id 100 src 10.1.1.1 dst 10.1.1.2 ttl 9 dev vx3
? ip route add 10.52.0.0/16 encap ip6 id 100 dst fd00::2 dev vx3
? ip -6 route add fd01::/64 encap seg6 mode encap segs fd00::1,fd00::2 dev v0
ip route add blackhole 10.53.0.0/16
ip route add unreachable 10.54.0.0/16 metric 9
ip route add 10.55.0.0/16 dev v0 tos 0x10 scope link rtt 5s initcwnd 20 features ecn
ip route add default via 10.1.2.1
ip -6 route add prohibit 2001:db8:3::/48
ip -6 route add default via 2001:db8::9 dev v0 metric 2000
ip neigh add 10.1.2.9 lladdr 02:00:00:00:00:99 dev v0 nud permanent router protocol static
ip neigh add 10.1.2.8 lladdr 02:00:00:00:00:98 dev v0 nud reachable
ip -6 neigh add 2001:db8::9 lladdr 02:00:00:00:00:97 dev v0 nud stale extern_learn
ip neigh add proxy 10.1.2.10 dev v0
? bridge fdb add 02:00:00:00:00:77 dev vx0 dst 10.0.0.7 vni 42 port 4800 self permanent
bridge fdb add 02:00:00:00:00:78 dev p0 master static
? ip rule add from 10.0.0.0/8 to 192.0.2.0/24 fwmark 0x10/0xff table 1000 pref 100 iif v0 ipproto tcp sport 100-200 dport 80 tos 0x10
? ip rule add uidrange 0-0 lookup main pref 101
ip -6 rule add not from fd00::/64 lookup main suppress_prefixlength 0 pref 99 oif v0
ip rule add goto 32766 pref 55
ip rule add blackhole pref 56 from 10.99.0.0/16
? ip nexthop add id 5 via 10.1.2.1 dev v0
? ip nexthop add id 6 via 10.1.2.2 dev v0 onlink
? ip nexthop add id 10 group 5,3/6
? ip nexthop add id 11 blackhole
? ip nexthop add id 12 group 5/6 type resilient buckets 8 idle_timer 60
? ip route add 10.70.0.0/16 nhid 10
`

// Traffic control that is told value by value, and that which is only looked at.
const ordinaryTraffic = `
? tc qdisc replace dev v1 root handle 1: htb default 0x10
? tc class add dev v1 parent 1: classid 1:10 htb rate 1mbit ceil 2mbit burst 10k prio 2
? tc class add dev v1 parent 1: classid 1:20 htb rate 5gbit
? tc qdisc add dev v1 parent 1:10 handle 20: tbf rate 8mbit burst 32k latency 50ms peakrate 10mbit mtu 1500
? tc qdisc add dev v0 clsact
? tc qdisc add dev p1 ingress
? tc qdisc add dev p1 root pfifo limit 50
? tc qdisc add dev tap0 root mq
`
const traffic = `
? tc qdisc add dev v1 parent 1:20 handle 30: fq_codel limit 100 target 4ms
? tc qdisc add dev p0 root netem delay 10ms 2ms 25% loss 1% duplicate 2% reorder 25% 50% corrupt 0.1% rate 1mbit
? tc qdisc add dev tun0 root sfq perturb 10
? tc qdisc add dev mv0 root red limit 400000 min 30000 max 90000 avpkt 1000 burst 55 ecn bandwidth 10mbit probability 0.02
? tc qdisc add dev mv1 root fq limit 1000 maxrate 1mbit
? tc qdisc add dev mt0 root prio bands 4
? tc qdisc add dev vx0 root cake bandwidth 10mbit
? tc filter add dev v1 parent 1: protocol ip prio 5 u32 match ip src 10.0.0.0/8 match ip dport 80 0xffff flowid 1:10
? tc filter add dev v0 ingress protocol ip prio 6 flower dst_mac 02:00:00:00:00:01 ip_proto tcp src_ip 10.0.0.0/8 dst_port 80 action mirred egress redirect dev lo
? tc filter add dev v0 ingress prio 7 matchall action vlan push id 5 protocol 802.1Q priority 3 action skbedit mark 7 priority 1:5
? tc filter add dev v0 ingress prio 8 matchall action police rate 1mbit burst 10k conform-exceed drop/pipe
? tc filter add dev v0 ingress prio 9 matchall action drop
? tc filter add dev v0 ingress prio 11 fw classid 1:1
`

// perform makes what the lines say.
func perform(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		may := words[0] == "?"
		if may {
			words = words[1:]
		}
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil && may {
			t.Logf("not here: %s: %s", strings.Join(words, " "), out)
		} else if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
		}
	}
}

// Everything that the kernel answers is known, and nothing of it is lost:
// stdlib/testdata/netlink_answers.lua tells what is not so.
func TestClassesKnowWhatTheKernelAnswers(t *testing.T) {
	for _, program := range []string{"ip", "bridge", "tc"} {
		need.Program(t, program)
	}
	if !need.Netns(t) {
		return
	}
	perform(t, everything+ordinaryTraffic+traffic)
	script, err := os.ReadFile("testdata/netlink_answers.lua")
	if err != nil {
		t.Fatal(err)
	}
	var seen string
	for line := range strings.Lines(onKernel(t, "netlink_answers.lua", string(script))) {
		switch {
		case strings.HasPrefix(line, "seen\t"):
			seen = line
		case strings.HasPrefix(line, "?"):
			t.Logf("not here: %s", line)
		case strings.HasPrefix(line, "unknown attribute") && newer(t):
			t.Logf("of a kernel that is newer than these classes: %s", line)
		default:
			t.Error(line)
		}
	}
	for _, event := range []string{"LINK", "ADDR", "ROUTE", "NEIGH", "RULE", "NEIGHTBL", "NETCONF", "STATS", "ADDRLABEL", "QDISC"} {
		if !strings.Contains(seen, "RTM_NEW"+event+" ") {
			t.Errorf("no RTM_NEW%s among %s", event, seen)
		}
	}
	t.Log(seen)
}

// newer reports whether the kernel is newer than 6.18, whose messages the
// classes know.
func newer(t *testing.T) bool {
	t.Helper()
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(b), "%d.%d", &major, &minor); err != nil {
		t.Fatalf("%q: %v", b, err)
	}
	return major > 6 || major == 6 && minor > 18
}

// onKernel runs a script on the real clock, and returns what it printed.
func onKernel(t *testing.T, name, script string) string {
	t.Helper()
	var out bytes.Buffer
	h, err := newHost(lua.Config{Clock: clock.Real(), Seed: 1, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.RunScript(context.Background(), name, script); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

// What our classes say of a namespace with one of everything is what ip -j -d
// and bridge -j say of it, value by value: stdlib/testdata/ip_words.lua says the
// one in the words of the other.
func TestClassesSayWhatIPSays(t *testing.T) {
	for _, program := range []string{"ip", "bridge", "tc"} {
		need.Program(t, program)
	}
	if !need.Netns(t) {
		return
	}
	perform(t, everything+ordinaryTraffic)
	script, err := os.ReadFile("testdata/ip_words.lua")
	if err != nil {
		t.Fatal(err)
	}
	// States go on changing for a moment (addresses are probed, ports learn), so
	// what differs is looked at again.
	var faults []string
	values := 0
	for range 20 {
		want := ipSays(t)
		got, optional := weSay(t, string(script))
		values = len(want)
		if faults = differences(want, got, optional); len(faults) == 0 {
			break
		}
	}
	for _, f := range faults {
		t.Error(f)
	}
	if values < 1000 {
		t.Errorf("only %d values were compared", values)
	}
	t.Logf("%d values agree", values)
}

// toldQdiscs are the kinds whose options ip_words.lua says in tc's words; others
// may be the default of some kernel.
var toldQdiscs = []string{"htb", "pfifo", "pfifo_fast", "tbf", "noqueue", "clsact", "ingress", "mq"}

// ipSays is what iproute2 says: values by command and path.
func ipSays(t *testing.T) map[string]string {
	t.Helper()
	said := map[string]string{}
	for _, of := range []struct {
		name string
		args []string
	}{
		{"link", []string{"ip", "-j", "-d", "link"}},
		{"addr", []string{"ip", "-j", "-d", "addr"}},
		{"route2", []string{"ip", "-4", "-j", "-d", "route", "show", "table", "all"}},
		{"route10", []string{"ip", "-6", "-j", "-d", "route", "show", "table", "all"}},
		{"neigh", []string{"ip", "-j", "-d", "neigh"}},
		{"proxy", []string{"ip", "-j", "neigh", "show", "proxy"}},
		{"fdb", []string{"bridge", "-j", "fdb"}},
		{"rule2", []string{"ip", "-4", "-j", "-d", "rule"}},
		{"rule10", []string{"ip", "-6", "-j", "-d", "rule"}},
		{"nexthop", []string{"ip", "-j", "nexthop"}},
		{"netconf2", []string{"ip", "-4", "-j", "netconf"}},
		{"netconf10", []string{"ip", "-6", "-j", "netconf"}},
		{"addrlabel", []string{"ip", "-j", "addrlabel"}},
		{"ntable", []string{"ip", "-j", "ntable"}},
		{"qdisc", []string{"tc", "-j", "-d", "-s", "qdisc"}},
	} {
		out, err := exec.Command(of.args[0], of.args[1:]...).Output()
		if err != nil {
			t.Fatalf("%v: %v", of.args, err)
		}
		d := json.NewDecoder(bytes.NewReader(out))
		d.UseNumber()
		var v []any
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v: %v\n%s", of.args, err, out)
		}
		for i, item := range v {
			m, _ := item.(map[string]any)
			switch options, _ := m["options"].(map[string]any); {
			case of.name == "addr": // of the link, link tells
				item = map[string]any{"ifindex": m["ifindex"], "addr_info": m["addr_info"]}
			case of.name == "qdisc" && m["kind"] == "tbf": // the rest is made of several values, for people
				m["options"] = map[string]any{"rate": options["rate"], "linklayer": options["linklayer"]}
			case of.name == "qdisc" && !slices.Contains(toldQdiscs, fmt.Sprint(m["kind"])):
				m["options"] = map[string]any{}
			}
			flatten(said, fmt.Sprintf("%s %d", of.name, i), item)
		}
	}
	return said
}

func flatten(into map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			into[path] = "{}"
		}
		for k, item := range v {
			flatten(into, path+"."+k, item)
		}
	case []any:
		if len(v) == 0 {
			into[path] = "[]"
		}
		for i, item := range v {
			flatten(into, fmt.Sprintf("%s.%d", path, i), item)
		}
	case nil:
		into[path] = "null"
	case json.Number:
		f, _ := v.Float64()
		into[path] = strconv.FormatFloat(f, 'g', 14, 64)
		if f == math.Trunc(f) {
			into[path] = strconv.FormatFloat(f, 'f', 0, 64)
		}
	default:
		into[path] = fmt.Sprint(v)
	}
}

// weSay runs the script: values by command and path, and those that iproute2
// may leave out.
func weSay(t *testing.T, script string) (said, optional map[string]string) {
	t.Helper()
	said, optional = map[string]string{}, map[string]string{}
	for line := range strings.Lines(onKernel(t, "ip_words.lua", script)) {
		w := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(w) != 3 {
			t.Fatalf("what is %q?", line)
		}
		if path, ok := strings.CutPrefix(w[1], "?"); ok {
			optional[w[0]+" "+path] = w[2]
		} else {
			said[w[0]+" "+w[1]] = w[2]
		}
	}
	return said, optional
}

// Values that time changes, and by how much they may differ.
var moving = map[string]float64{
	"hello_timer": 3, "gc_timer": 301, "tcn_timer": 2, "topology_change_timer": 40, "forward_delay_timer": 16, "hold_timer": 2,
	"message_age_timer": 21, "expires": 3, "valid_life_time": 3, "preferred_life_time": 3, "unbalanced_time": 5,
}

func differences(want, got, optional map[string]string) (faults []string) {
	for _, path := range slices.Sorted(maps.Keys(want)) {
		w := want[path]
		g, ok := got[path]
		if !ok {
			g, ok = optional[path]
		}
		if ok && g == w {
			continue
		}
		if limit := moving[path[strings.LastIndexByte(path, '.')+1:]]; ok && limit > 0 {
			a, err1 := strconv.ParseFloat(w, 64)
			b, err2 := strconv.ParseFloat(g, 64)
			if err1 == nil && err2 == nil && math.Abs(a-b) <= limit {
				continue
			}
		}
		if !ok {
			g = "nothing"
		}
		faults = append(faults, fmt.Sprintf("%s: iproute2 says %s, our classes %s", path, w, g))
	}
	for _, path := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[path]; !ok {
			faults = append(faults, fmt.Sprintf("%s: iproute2 says nothing, our classes %s", path, got[path]))
		}
	}
	return faults
}
