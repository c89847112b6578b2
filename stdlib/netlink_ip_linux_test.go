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
? ip link add ifb0 type ifb
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

// What our classes say of a namespace with one of everything is what ip -j -d
// and bridge -j say of it, value by value: stdlib/testdata/ip_words.lua says the
// one in the words of the other.
func TestClassesSayWhatIPSays(t *testing.T) {
	for _, program := range []string{"ip", "bridge"} {
		need.Program(t, program)
	}
	if !need.Netns(t) {
		return
	}
	for line := range strings.Lines(everything) {
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
			if m, ok := item.(map[string]any); ok && of.name == "addr" { // of the link, link tells
				item = map[string]any{"ifindex": m["ifindex"], "addr_info": m["addr_info"]}
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
	var out bytes.Buffer
	h, err := newHost(lua.Config{Clock: clock.Real(), Seed: 1, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.RunScript(context.Background(), "ip_words.lua", script); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	said, optional = map[string]string{}, map[string]string{}
	for line := range strings.Lines(out.String()) {
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
