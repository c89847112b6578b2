package main

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseArgs(t *testing.T) {
	for _, c := range []struct {
		words string
		want  options
	}{
		{"", options{}},
		{"a.lua -x --virtual", options{hasFile: true, file: "a.lua", args: []string{"-x", "--virtual"}, before: []string{}}},
		{"--virtual --seed 7 a.lua", options{virtual: true, seed: 7, hasSeed: true, hasFile: true, file: "a.lua", args: []string{}, before: []string{"--virtual", "--seed", "7"}}},
		{"--seed=0x10 -", options{seed: 16, hasSeed: true, hasFile: true, file: "-", args: []string{}, before: []string{"--seed=0x10"}}},
		{"-e print(1) -eprint(2) -i", options{code: []string{"print(1)", "print(2)"}, shell: true}},
		{"-ie print(1)", options{code: []string{"print(1)"}, shell: true}},
		{"-- -odd.lua --seed", options{hasFile: true, file: "-odd.lua", args: []string{"--seed"}, before: []string{"--"}}},
		{"--timeout 0.5 --max-memory 1.5G", options{timeout: 500 * time.Millisecond, maxMemory: 3 << 29}},
		{"test --tap --run arp a b", options{command: "test", tap: true, match: "arp", args: []string{"a", "b"}}},
		{"--seed 3 test a --junit=x.xml", options{command: "test", seed: 3, hasSeed: true, junit: "x.xml", args: []string{"a"}}},
		{"help connector.lan", options{command: "help", args: []string{"connector.lan"}}},
		{"version -v", options{command: "version", verbose: true}},
		{"--help", options{command: "help"}},
		{"./test", options{hasFile: true, file: "./test", args: []string{}, before: []string{}}},
		{"a.lua test", options{hasFile: true, file: "a.lua", args: []string{"test"}, before: []string{}}},
	} {
		got, err := parseArgs(strings.Fields(c.words))
		if err != nil {
			t.Errorf("%s: %v", c.words, err)
		} else if !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s\n got %+v\nwant %+v", c.words, *got, c.want)
		}
	}
}

func TestParseArgsRefuses(t *testing.T) {
	for words, want := range map[string]string{
		"--sed 1":          "unknown option --sed (did you mean --seed?)",
		"--frobnicate":     "unknown option --frobnicate",
		"--virt":           "unknown option --virt (did you mean --virtual?)",
		"-x":               "unknown option -x",
		"--seed":           "--seed needs a value: --seed N",
		"-e":               "-e needs a value: -e CODE",
		"--seed x":         "--seed x: want a whole number from 1 to 18446744073709551615",
		"--timeout -1":     "--timeout -1: want a number of seconds above 0",
		"--max-memory 12X": "--max-memory 12X: want a size such as 512M or 2G",
		"--virtual=yes":    "--virtual takes no value",
		"--tap a.lua":      "--tap is an option of pktsh test",
		"test -i":          "pktsh test takes no -e and no -i",
	} {
		if _, err := parseArgs(strings.Fields(words)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", words, err, want)
		}
	}
}
