package stdlib_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"pktsh/bindings"
	"pktsh/engine/clock"
	"pktsh/lua"
	"pktsh/lua/spec"
	"pktsh/stdlib"
)

var update = flag.Bool("update", false, "write proto/INDEX anew")

func newHost(cfg lua.Config) (*lua.Host, error) {
	cfg.Modules = append(cfg.Modules, bindings.Modules()...)
	cfg.Stdlib = stdlib.FS
	return lua.New(cfg)
}

func TestSpecs(t *testing.T) { spec.RunDir(t, newHost, ".") }

// run runs a script on a host of its own and returns what it printed.
func run(t *testing.T, src string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	h, err := newHost(lua.Config{Clock: clock.NewVirtual(time.Unix(0, 0).UTC()), Seed: 1, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.RunScript(context.Background(), "test.lua", src, args...); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

// protocolFiles are the files that declare layouts.
func protocolFiles(t *testing.T) []string {
	t.Helper()
	all, err := fs.Glob(stdlib.FS, "proto/*.lua")
	if err != nil || len(all) == 0 {
		t.Fatal("no protocols", err)
	}
	var files []string
	for _, f := range all {
		if !strings.HasSuffix(f, "_spec.lua") && path.Base(f) != "numbers.lua" {
			files = append(files, f)
		}
	}
	return files
}

// The index is what the declarations say, written down so that nothing has to
// be loaded before it is used. Here every file runs with a wire that only
// listens.
const listen = `
local lines = {}
for _, file in ipairs(arg) do
  local name = file:match("[^/]*$")
  local env = setmetatable({}, {__index = _G})
  env.wire = setmetatable({
    layout = function(layout)
      local line = {layout, name}
      lines[#lines + 1] = line
      return {follows = function(_, under, conds)
        local tests = {}
        for field, v in pairs(conds or {}) do
          if type(v) == "table" then v = v.from .. ".." .. v.to end
          tests[#tests + 1] = field .. "=" .. v
        end
        table.sort(tests, function(a, b) return a > b end)
        line[#line + 1] = under .. (#tests > 0 and ":" .. table.concat(tests, ",") or "")
      end}
    end,
    preset = function(preset) lines[#lines + 1] = {preset, name} end,
  }, {__index = function() return function() return {} end end})
  local f = assert(io.open(file))
  local chunk = assert(loadstring(f:read("*a"), "@" .. file))
  f:close()
  setfenv(chunk, env)()
end
table.sort(lines, function(a, b) return a[1] < b[1] end)
for _, line in ipairs(lines) do print(table.concat(line, " ")) end
`

func TestIndexIsWhatTheDeclarationsSay(t *testing.T) {
	const head = `# Layouts, the file that declares each, and what each follows. Generated from
# the declarations: go test ./stdlib -run Index -update
`
	got := head + run(t, listen, protocolFiles(t)...)
	if *update {
		if err := os.WriteFile("proto/INDEX", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("proto/INDEX")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Every field of every layout that ships says what it is.
func TestEveryFieldIsDocumented(t *testing.T) {
	out := run(t, `
for _, name in ipairs(wire.layouts()) do
  local ok, fields = pcall(function() return _G[name]:fields() end)
  if ok then
    for _, f in ipairs(fields) do if not f.doc then print(name .. "." .. f.name) end end
  end
end`)
	if out != "" {
		t.Errorf("fields without a word on them:\n%s", out)
	}
}

// What the reference's tests of tunnels show, our specs show, each under its id.
func TestTunnelsCoverTheReference(t *testing.T) {
	var all strings.Builder
	for _, name := range []string{"device", "port", "dispatch"} {
		b, err := os.ReadFile("tunnel/" + name + "_spec.lua")
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for _, ids := range [][2]int{{1, 1}, {10, 17}, {20, 22}, {30, 31}, {40, 69}, {80, 92}, {100, 101}, {110, 117}, {120, 127}, {130, 137}} {
		for id := ids[0]; id <= ids[1]; id++ {
			if !strings.Contains(all.String(), fmt.Sprintf(`"T%03d `, id)) {
				t.Errorf("no spec is named T%03d", id)
			}
		}
	}
}
