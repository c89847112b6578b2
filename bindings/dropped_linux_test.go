package bindings

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pktsh/lua"
	"pktsh/stdlib"
)

// countDescriptors is Lua for the number of descriptors that this process has open.
const countDescriptors = `
local function descriptors()
  local p = io.popen("ls /proc/$PPID/fd | wc -l")
  local n = tonumber((p:read("*a")))
  p:close()
  return n
end
`

// Connectors that no script can reach any more let go of their descriptors,
// those with handlers go on, and the runner of tests hears of them.
func TestDroppedConnectorsAreClosed(t *testing.T) {
	var out bytes.Buffer
	h, err := lua.New(lua.Config{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Modules: Modules(), Stdlib: stdlib.FS})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	name := t.TempDir() + "/x.pcap"
	err = h.RunScript(context.Background(), "run.lua", countDescriptors+`
local before = descriptors()
local seen = 0
do -- reached by its handler alone
  local server = open"stream+tcp://127.0.0.1:0?server=1"
  server:on_packet(function() seen = seen + 1 end)
  address = server.name
end
for i = 1, 50 do
  open"stream+tcp://127.0.0.1:0?server=1"
  open("pcap_writer:" .. arg[1] .. i):write("a frame")
  open("udp://127.0.0.1:9")
end
local many = descriptors()
for i = 1, 500 do
  collectgarbage()
  sleep(0.01)
  if descriptors() < before + 10 then break end
end
print(many > before, descriptors() - before < 10)
local r = open("pcap:" .. arg[1] .. 7) -- what was written is there
print(r:read(), r:read() == EOF)
local client = open((address:gsub("%?.*", "")))
client:write(Ether{} / "x")
while seen == 0 do sleep(0.01) end
client:close()
print(seen)`, name)
	if err != nil {
		t.Fatalf("%s\n%s", h.Report(err), out.String())
	}
	if got, want := out.String(), "true\ttrue\na frame\ttrue\n1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	left := strings.Join(h.Leftovers(), "\n") + "\n"
	for i := 1; i <= 50; i++ {
		if want := fmt.Sprintf("pcap_writer:%s%d was not closed", name, i); strings.Count(left, want+"\n") != 1 {
			t.Errorf("%d times %q in\n%s", strings.Count(left, want), want, left)
		}
	}
}

// The same of netlink sockets: what is kept of their messages keeps a few alive.
func TestDroppedNetlinkSocketsAreClosed(t *testing.T) {
	var out bytes.Buffer
	h, err := lua.New(lua.Config{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Modules: Modules(), Stdlib: stdlib.FS})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	err = h.RunScript(context.Background(), "run.lua", countDescriptors+`
local before = descriptors()
local seen, pid = 0
do -- reached by its callback alone
  local s = netlink.socket{family = "usersock"}
  s:register_callback(function() seen = seen + 1 end)
  pid = s.pid
end
for i = 1, 60 do
  local s = netlink.socket{family = "route"}
  if i % 2 == 0 then s:bind{groups = {"link"}, async_cache = true} end
  if i % 3 == 0 then s:request({index = 1}, netlink.RTM_GETLINK, 1) end
end
local many = descriptors()
for i = 1, 500 do
  collectgarbage()
  sleep(0.01)
  if descriptors() < before + 20 then break end
end
print(many > before + 60, descriptors() - before < 20)
netlink.socket{family = "usersock"}:put("x", 100, 0, {pid})
while seen == 0 do sleep(0.01) end
print(seen)`)
	if err != nil {
		t.Fatalf("%s\n%s", h.Report(err), out.String())
	}
	if got, want := out.String(), "true\ttrue\n1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if left := h.Leftovers(); !slices.Contains(left, "netlink socket route was not closed") {
		t.Errorf("left: %q", left)
	}
}
