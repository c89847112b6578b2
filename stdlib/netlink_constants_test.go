package stdlib_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pktsh/internal/need"
)

// Headers that have the names of netlink.constants.
var kernelHeaders = []string{
	"linux/netlink.h", "linux/rtnetlink.h", "linux/if_link.h", "linux/if_addr.h", "linux/neighbour.h", "linux/fib_rules.h",
	"linux/if_arp.h", "linux/if.h", "linux/pkt_sched.h", "linux/pkt_cls.h", "linux/nexthop.h", "linux/netconf.h",
	"linux/net_namespace.h", "linux/if_bridge.h", "linux/if_tun.h", "linux/lwtunnel.h", "linux/seg6_iptunnel.h",
	"linux/seg6_local.h", "linux/if_ether.h", "linux/tc_act/tc_vlan.h", "linux/tc_act/tc_mirred.h", "linux/genetlink.h",
	"linux/connector.h", "linux/cn_proc.h", "linux/sock_diag.h", "linux/taskstats.h", "linux/ethtool_netlink.h",
	"linux/wireguard.h", "sys/socket.h",
}

// Every constant has the number that the C compiler knows by its name. Names
// that the machine's headers are too old for are counted.
func TestConstantsAreTheKernels(t *testing.T) {
	cc := need.Program(t, "cc")
	constants := map[string]int64{}
	for line := range strings.Lines(run(t, `for k, v in pairs(require "netlink.constants") do print(k, ("%d"):format(v)) end`)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "\t")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			t.Fatal(line)
		}
		constants[name] = n
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "constants.c"), filepath.Join(dir, "constants")
	names := slices.Sorted(maps.Keys(constants))
	undeclared := regexp.MustCompile(`['‘](\w+)['’] undeclared|use of undeclared identifier '(\w+)'`)
	var missing []string
	for pass := range 3 {
		var c bytes.Buffer
		fmt.Fprintln(&c, "#include <stdio.h>\n#include <sys/socket.h>")
		for _, h := range kernelHeaders {
			fmt.Fprintf(&c, "#if __has_include(<%s>)\n#include <%s>\n#endif\n", h, h)
		}
		fmt.Fprintln(&c, "int main(void) {")
		for _, name := range names {
			fmt.Fprintf(&c, "printf(\"%s %%lld\\n\", (long long)(%s));\n", name, name)
		}
		fmt.Fprintln(&c, "return 0; }")
		if err := os.WriteFile(source, c.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(cc, "-w", "-fmax-errors=0", "-o", program, source)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		if err == nil {
			break
		}
		if bytes.Contains(out, []byte("linux/netlink.h: No such file")) {
			need.Thing(t, "linux headers", err)
		}
		before := len(names)
		for _, m := range undeclared.FindAllStringSubmatch(string(out), -1) {
			if i, ok := slices.BinarySearch(names, m[1]+m[2]); ok {
				names = slices.Delete(names, i, i+1)
				missing = append(missing, m[1]+m[2])
			}
		}
		if len(names) == before || pass == 2 {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	out, err := exec.Command(program).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.ParseInt(value, 10, 64)
		if constants[name] != n && uint32(constants[name]) != uint32(n) {
			t.Errorf("%s is %#x, and %#x in the headers", name, constants[name], n)
		}
	}
	t.Logf("%d constants agree; not in this machine's headers: %s", len(names), strings.Join(missing, " "))
	if len(names) < 500 {
		t.Errorf("only %d constants were compared", len(names))
	}
}
