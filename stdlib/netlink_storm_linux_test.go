package stdlib_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pktsh/internal/need"
	"pktsh/lua"
)

var underRace bool // everything is some ten times slower

// Storms of route events, made by ip -batch in a network namespace, and a script
// with default settings that is to miss none of them.
//
//	ip -batch: 50,000 routes added and deleted ── kernel ──▶ reader ─▶ callback
var storms = []struct{ name, script string }{
	{"a callback counts them", `
s:register_callback(function(m) count(m) end)
make()
settle()`},
	{"the callback is blocked for two seconds", `
local first = true
s:register_callback(function(m)
  if first then first = false sleep(2) end
  count(m)
end)
make()
settle()`},
	{"nobody looks until it is over", `
make()
while seen < n do
  local list = s:get{timeout = 10}
  for i = 1, #list do count(list[i]) end
end`},
	{"the queue is bound to 1 MiB", `
settle, bound = nil, true
local here = {}
local function apply(m)
  if m.event == "overrun" then lost = lost + m.lost check(m.exact == "yes", "not exact") return end
  if not m.dst then return end
  here[m.dst] = m.event == "RTM_NEWROUTE" and 1 or nil
  seen = seen + 1
end
local function dump()
  local t = {}
  for m in s:dump({family = 2}, netlink.RTM_GETROUTE) do t[m.dst or ""] = 1 end
  return t
end
for m in s:dump({family = 2}, netlink.RTM_GETROUTE) do if m.dst then here[m.dst] = 1 end end
make()
local st
repeat
  for _, m in ipairs(s:get{timeout = 0}) do apply(m) end
  st = s:stats()
until st.queue == 0 and st.received + (st.kernel_drops or 0) >= n
for _, m in ipairs(s:get{timeout = 0}) do apply(m) end
check(lost > 0, "nothing was lost")
check(s:stats().resyncs > 0, "no resync")
local fresh = dump()
for k in pairs(fresh) do check(k == "" or here[k], "missing " .. k) end
for k in pairs(here) do check(fresh[k], "too many: " .. k) end
seen = n`},
}

func TestStormsLoseNothing(t *testing.T) {
	need.Program(t, "ip")
	if !need.Netns(t) {
		return
	}
	n := 50_000
	if underRace || testing.Short() {
		n = 5_000
	}
	dir := t.TempDir()
	// The last storm leaves every third route where it is.
	for _, keep := range []bool{false, true} {
		var b bytes.Buffer
		for i := range n {
			fmt.Fprintf(&b, "route add 10.%d.%d.%d dev lo\n", i>>16, i>>8&255, i&255)
		}
		for i := range n {
			if !keep || i%3 != 0 {
				fmt.Fprintf(&b, "route del 10.%d.%d.%d dev lo\n", i>>16, i>>8&255, i&255)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("batch", keep)), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, storm := range storms {
		t.Run(storm.name, func(t *testing.T) {
			bound := strings.Contains(storm.script, "bound")
			opts, total := "", 2*n
			if bound {
				opts, total = fmt.Sprint("queue = ", 1<<20*n/50_000), 2*n-(n+2)/3
			}
			src := fmt.Sprintf(`
local n, seen, lost = %d, 0, 0
os.execute("ip link set lo up")
local s = netlink.socket{family = "route", %s}
s:bind{groups = "ipv4_route", async_cache = true, resync = %v}
local function check(ok, what) if not ok then error(what or "no", 2) end end
local function count(m)
  if m.event == "overrun" then lost = lost + m.lost else seen = seen + 1 end
end
local function make() check(os.execute("ip -batch %s") == 0, "ip -batch") end
local function settle()
  for i = 1, 2000 do
    if seen + lost >= n then return end
    sleep(0.01)
  end
end
%s
print(seen, lost)
local st = s:stats()
print(st.queue_most, st.rcvbuf, st.kernel_drops)
os.execute("ip route flush proto boot")
s:close()
`, total, opts, bound, filepath.Join(dir, fmt.Sprint("batch", bound)), storm.script)
			var out bytes.Buffer
			h, err := newHost(lua.Config{Seed: 1, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			if err := h.RunScript(context.Background(), "storm.lua", src); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			var seen, lost int
			fmt.Sscan(out.String(), &seen, &lost)
			if seen != total || !bound && lost != 0 {
				t.Errorf("%d events, want %d, and %d were lost:\n%s", seen, total, lost, out.String())
			}
			t.Log(out.String())
		})
	}
}
