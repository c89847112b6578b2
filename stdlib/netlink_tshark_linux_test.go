package stdlib_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pktsh/internal/need"
	"pktsh/lua"
)

// What a kernel says in dumps of several families goes into a capture file as
// nlmon would have it. We read it, tshark reads it, and every field that tshark
// knows has to be the same in every frame.
//
//	kernel ──dumps──▶ netlink.socket ──▶ nl.pcap ─┬─▶ netlink.capture ──▶ ours
//	                                              └─▶ tshark ──────────▶ theirs
const netlinkCapture = `
local file = arg[1]
os.execute("ip link set lo up; ip link add ts0 type veth peer name ts1; ip addr add 10.77.0.1/24 dev ts0; ip link set ts0 up; "
  .. "ip addr add 2001:db8::7/64 dev ts0 nodad; ip neigh add 10.77.0.9 lladdr 02:00:00:00:00:09 dev ts0; ip link add ts2 type bridge")
local server = open"tcp://127.0.0.1:8188?server=1"
local six = open"tcp://[::1]:8189?server=1"
local client = open"tcp://127.0.0.1:8188"
client:wait_up(2)
local w = connector.pcap_writer{file = file, linktype = "netlink"}
local function dump(number, family, typ, msg)
  local s = netlink.socket{family = family}
  s:put(msg, typ, netlink.NLM_F_REQUEST + netlink.NLM_F_DUMP, nil, 9)
  local last
  repeat
    local octets = s:recv()
    w:write(string.pack(">I2I2c10I2", 6, 824, ("\0"):rep(10), number) .. octets)
    for _, m in ipairs(netlink.decode(octets, {family = family})) do last = m.header.type end
  until last == 3
  s:close()
end
for _, typ in ipairs{netlink.RTM_GETLINK, netlink.RTM_GETADDR, netlink.RTM_GETROUTE, netlink.RTM_GETNEIGH} do dump(0, "route", typ) end
dump(16, "generic", 16, {cmd = 3, version = 2})
local ANY = ("\0"):rep(16)
for _, family in ipairs{2, 10} do
  dump(4, "sock_diag", 20, {family = family, protocol = 6, states = 0xfff, ext = 2, src = ANY, dst = ANY})
end
w:close()

-- By tshark's names: what of each message.
local inet = require "netlink.inet"
local function header(name) return function(m) return m.header[name] end end
local function of(events, ...)
  local path = {...}
  return function(m) if m.event and m.event:find(events) then return m:get(unpack(path)) end end
end
local function address(name, family)
  return function(m)
    if m.event == "SOCK_DIAG_BY_FAMILY" and m.family == family then return inet.text(family == 2 and m[name]:sub(1, 4) or m[name]) end
  end
end
local function hex(width, fn)
  return function(m)
    local v = fn(m)
    return v and ("0x%0" .. width .. "x"):format(tonumber(v))
  end
end
local function each(events, list, name)
  return function(m)
    if not (m.event and m.event:find(events)) then return end
    local out = {}
    for _, e in ipairs(m:get(list) or {}) do out[#out + 1] = e[name] end
    return #out > 0 and table.concat(out, ",") or nil
  end
end
local LINK, ADDR, ROUTE, NEIGH, CTRL, DIAG = "^RTM_NEWLINK$", "^RTM_NEWADDR$", "^RTM_NEWROUTE$", "^RTM_NEWNEIGH$", "^CTRL_", "^SOCK_DIAG"
local FIELDS = {
  {"netlink.hdr_len", header "length"}, {"netlink.hdr_seq", header "seq"}, {"netlink.hdr_pid", header "pid"},
  {"netlink-route.ifi_index", of(LINK, "index")}, {"netlink-route.ifi_type", of(LINK, "type")},
  {"netlink-route.ifla_ifname", of(LINK, "ifname")}, {"netlink-route.ifla_mtu", of(LINK, "mtu")},
  {"netlink-route.ifla_txqlen", of(LINK, "txqlen")}, {"netlink-route.ifla_hwaddr", of(LINK, "address")},
  {"netlink-route.ifla_qdisc", of(LINK, "qdisc")}, {"netlink-route.ifla_group", of(LINK, "group")},
  {"netlink-route.ifla_txqnum", of(LINK, "num_tx_queues")}, {"netlink-route.ifla_max_mtu", of(LINK, "max_mtu")},
  {"netlink-route.ifla_gso_maxsegs", of(LINK, "gso_max_segs")},
  {"netlink-route.ifa_index", of(ADDR, "index")}, {"netlink-route.ifa_prefixlen", of(ADDR, "prefixlen")},
  {"netlink-route.ifa_label", of(ADDR, "label")},
  {"netlink-route.rt_dst_len", of(ROUTE, "dst_len")}, {"netlink-route.rta_oif", of(ROUTE, "oif")},
  {"netlink-route.nd_index", of(NEIGH, "ifindex")},
  {"genl.ctrl.family_name", of(CTRL, "family_name")}, {"genl.ctrl.maxattr", of(CTRL, "maxattr")},
  {"genl.ctrl.hdrsize", of(CTRL, "hdrsize")},
  {"genl.ctrl.group_name", each(CTRL, "mcast_groups", "name")},
  {"netlink-sock_diag.inet_sport", of(DIAG, "sport")}, {"netlink-sock_diag.inet_dport", of(DIAG, "dport")},
  {"netlink-sock_diag.inet_src_ip4", address("src", 2)}, {"netlink-sock_diag.inet_dest_ip4", address("dst", 2)},
  {"netlink-sock_diag.inet_src_ip6", address("src", 10)}, {"netlink-sock_diag.inode", of(DIAG, "inode")},
  {"netlink-sock_diag.recv_queue", of(DIAG, "rqueue")}, {"netlink-sock_diag.send_queue", of(DIAG, "wqueue")},
  {"netlink-sock_diag.cookie", hex(16, of(DIAG, "cookie"))},
}
local names = {}
for i, f in ipairs(FIELDS) do names[i] = f[1] end
print(table.concat(names, " "))
local frame, columns
local function flush()
  if not frame then return end
  local row = {}
  for i in ipairs(FIELDS) do row[i] = table.concat(columns[i], ",") end
  print(table.concat(row, "\t"))
end
for m, at in netlink.capture(open("pcap:" .. file)) do
  if at ~= frame then
    flush()
    frame, columns = at, {}
    for i in ipairs(FIELDS) do columns[i] = {} end
  end
  for i, f in ipairs(FIELDS) do
    local v = f[2](m)
    if v ~= nil then table.insert(columns[i], tostring(v)) end
  end
end
flush()
client:close()
server:close()
six:close()
`

func TestNetlinkDecodesAsTsharkDoes(t *testing.T) {
	tshark := need.Program(t, "tshark")
	need.Program(t, "ip")
	if !need.Netns(t) {
		return
	}
	file := filepath.Join(t.TempDir(), "nl.pcap")
	lines := strings.Split(strings.TrimRight(runReal(t, netlinkCapture, file), "\n"), "\n")
	names, ours := strings.Fields(lines[0]), lines[1:]
	args := []string{"-r", file, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,"}
	for _, n := range names {
		args = append(args, "-e", n)
	}
	cmd := exec.Command(tshark, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if len(ours) != len(theirs) {
		t.Fatalf("%d frames, tshark sees %d", len(ours), len(theirs))
	}
	values, empty := 0, 0
	seen := make([]bool, len(names))
	for i := range ours {
		a, b := strings.Split(ours[i], "\t"), strings.Split(theirs[i], "\t")
		for j, name := range names {
			x, y := at(a, j), at(b, j)
			if x != y {
				t.Errorf("frame %d, %s: %s, tshark %s", i+1, name, x, y)
			}
			if x != "" {
				values += 1 + strings.Count(x, ",")
				seen[j] = true
			}
		}
	}
	for j, name := range names {
		if !seen[j] {
			empty++
			t.Logf("%s: in no frame", name)
		}
	}
	t.Logf("%d frames, %d values", len(ours), values)
	if values < 200 || empty > 0 {
		t.Errorf("only %d values compared, %d fields never", values, empty)
	}
}

// runReal runs a script on the real clock and returns what it printed.
func runReal(t *testing.T, src string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	h, err := newHost(lua.Config{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.RunScript(context.Background(), "test.lua", src, args...); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
