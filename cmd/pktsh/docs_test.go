package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pktsh/internal/need"
)

var gives = regexp.MustCompile(`^(\S.*?)\s+--> (.*)$`)

// The Lua blocks of a page are one script. A line EXPRESSION --> TEXT is
// checked; the other lines only have to run. Those marked "lua sandbox" are
// another one, which runs in a network of its own. Blocks marked "lua spec" are
// a spec of pktsh test.
func TestDocumentation(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../README.md") {
		t.Run(filepath.Base(page), func(t *testing.T) {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			scripts, spec, checks := script(string(text))
			if spec != "" {
				file := filepath.Join(dir, "page_spec.lua")
				if err := os.WriteFile(file, []byte(spec), 0o600); err != nil {
					t.Fatal(err)
				}
				if out, err := pktsh(t, dir, "test", file); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			}
			for i, script := range scripts {
				if script == "" {
					continue
				}
				args := []string{"--timeout", "30"}
				if i == 1 {
					args = append(args, "--sandbox")
					if out, err := pktsh(t, dir, "--sandbox", "-e", ""); err != nil {
						need.Thing(t, "netns", fmt.Errorf("%w: %s", err, out))
					}
				}
				file := filepath.Join(dir, "page.lua")
				if err := os.WriteFile(file, []byte(prelude+script), 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := pktsh(t, dir, append(args, file)...)
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if n := strings.Count(out, "\x00checked"); n != checks[i] {
					t.Errorf("%d of %d lines checked\n%s", n, checks[i], out)
				}
			}
		})
	}
}

// prelude is one line, so that positions stay close to the page's: what the
// pages take for granted, and the check of a line.
const prelude = `do local w = connector.pcap_writer{file="trace.pcap"} w:write(Ether{}/IP{}/UDP{}) w:close() end ` +
	`function __gives(line, want, ...) local got = {} for i = 1, math.max(1, select("#", ...)) do got[i] = tostring((select(i, ...))) end ` +
	`got = table.concat(got, "  ") if got ~= want then error(line .. "\n  gives " .. got .. "\n  not   " .. want, 0) end print("\0checked") end` + "\n"

// script gives the kinds of blocks, ordinary and in the sandbox, and how many
// lines of each are checked.
func script(page string) (scripts [2]string, spec string, checks [2]int) {
	var blocks [3]strings.Builder
	kind := -1
	for _, line := range strings.Split(page, "\n") {
		switch {
		case line == "```lua":
			kind = 0
			continue
		case line == "```lua sandbox":
			kind = 1
			continue
		case line == "```lua spec":
			kind = 2
			continue
		case strings.HasPrefix(line, "```"):
			kind = -1
		}
		if kind < 0 {
			continue
		}
		if m := gives.FindStringSubmatch(line); m != nil && kind < 2 {
			line = fmt.Sprintf("__gives(%q, %q, %s)", m[1], m[2], m[1])
			checks[kind]++
		}
		blocks[kind].WriteString(line + "\n")
	}
	return [2]string{blocks[0].String(), blocks[1].String()}, blocks[2].String(), checks
}
