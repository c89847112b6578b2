package bindings

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"pktsh/engine/clock"
	"pktsh/lua"
	"pktsh/stdlib"
)

// virtualRun runs a script on a host of its own in virtual time.
func virtualRun(t testing.TB, seed uint64, src string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	h, err := lua.New(lua.Config{Clock: clock.NewVirtual(time.Unix(0, 0).UTC()), Seed: seed, Stdin: strings.NewReader(""),
		Stdout: &out, Stderr: &out, Modules: Modules(), Stdlib: stdlib.FS})
	if err != nil {
		t.Fatal(err)
	}
	err = h.RunScript(context.Background(), "run.lua", src, args...)
	if cerr := h.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

// A busy hour: two hosts on a bad LAN, a capture, tasks, timers and chance.
const busy = `
local lan = connector.lan{latency = 0.01, loss = 0.1, duplicate = 0.05, reorder = 0.2}
local a, b = lan:host{ip = "10.0.0.1/24"}, lan:host{ip = {"10.0.0.2/24", "2001:db8::2/64"}}
ladder{on = lan, a, b}
local w = connector.pcap_writer{file = ...}
lan:port("tap"):tee(w)
local c = lan:port()
local noise = every(7, function()
  c:write(Ether{dst = "ff:ff:ff:ff:ff:ff"} / IP{src = "10.0.0.9", dst = "10.0.0.255", id = math.random(0, 65535)} / UDP{dport = 9} / ("x"):rep(math.random(1, 100)))
end)
local tasks = {}
for i = 1, 4 do
  tasks[i] = spawn(function()
    for j = 1, 50 do
      sleep(math.random() * 100)
      local ok, rtts = pcall(a.ping, a, "10.0.0.2", {timeout = 0.5})
      print(i, j, clock.now(), tostring(ok and rtts[1] or not ok and rtts))
    end
  end)
end
for _, t in ipairs(tasks) do t:wait() end
sleep(math.max(0, 3600 - clock.now()))
noise:cancel()
local s = lan:stats()
print(s.frames, s.lost, s.duplicated, s.reordered, clock.now())
lan:close()
w:close()
`

func TestVirtualRunsAreTheSame(t *testing.T) {
	runs := 100
	if testing.Short() {
		runs = 10
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	dir := t.TempDir()
	var out string
	var capture []byte
	for i := range runs {
		runtime.GOMAXPROCS(1 + i%2)
		file := filepath.Join(dir, "run.pcap")
		got := virtualRun(t, 7, busy, file)
		octets, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			out, capture = got, octets
			if len(octets) < 10_000 || !strings.Contains(got, "ARP who has") {
				t.Fatalf("not much happened: a capture of %d octets\n%s", len(octets), got)
			}
			continue
		}
		if got != out {
			t.Fatalf("run %d prints something else: %s", i, firstDifference(got, out))
		}
		if !bytes.Equal(octets, capture) {
			t.Fatalf("run %d captures something else", i)
		}
	}
	if got := virtualRun(t, 8, busy, filepath.Join(dir, "other.pcap")); got == out {
		t.Error("another seed makes no difference")
	}
}

// A million frames through the memory LAN leave nothing behind.
func TestMillionFrames(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: a million frames take seconds")
	}
	out := virtualRun(t, 1, `
		local lan = connector.lan()
		local a, b = lan:port(), lan:port()
		local frame = ("x"):rep(64)
		local function pass(n)
			for i = 1, n / 50 do
				for j = 1, 50 do a:write(frame) end
				for j = 1, 50 do if b:read(0) ~= frame then error("lost") end end
			end
			collectgarbage()
			return collectgarbage("count")
		end
		local before = pass(10000)
		local after = pass(1000000)
		print(after - before < 512, after - before)
		print(b:stats().rx_frames, b:stats().dropped)`)
	if !strings.HasPrefix(out, "true\t") {
		t.Errorf("the heap grew by KiB: %s", out)
	}
	if !strings.Contains(out, "1010000\t0") {
		t.Errorf("not every frame arrived: %s", out)
	}
}

// firstDifference is the first line in which two texts differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return "line " + strconv.Itoa(i+1) + "\n" + g[i] + "\n" + strings.Join(w[min(i, len(w)-1):min(i+1, len(w))], "")
		}
	}
	return "it is shorter"
}
