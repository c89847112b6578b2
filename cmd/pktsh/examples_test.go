package main

import (
	"bytes"
	testflag "flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pktsh/internal/need"
)

var update = testflag.Bool("update", false, "write what the examples print into testdata/examples")

// Every example runs and prints what it printed before: in virtual time and
// without privileges or, if its head says pktsh --sandbox, on a network of its
// own.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".lua")
		t.Run(name, func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			mode := "--virtual"
			if bytes.Contains(src, []byte("pktsh --sandbox examples/")) {
				mode = "--sandbox"
				out, err := pktsh(t, ".", mode, "-e", "netlink.route():close()")
				if err != nil {
					need.Thing(t, "netns", fmt.Errorf("%w: %s", err, out))
				}
			}
			got, err := pktsh(t, "../..", mode, "--seed", "7", "--timeout", "30", filepath.Join("examples", name+".lua"))
			if err != nil && strings.Contains(got, "the kernel has no generic netlink family") {
				t.Skipf("SKIP: %s", got)
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, got)
			}
			golden := filepath.Join("testdata", "examples", name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("it prints\n%s\nnot\n%s", got, want)
			}
		})
	}
}

// The picture in README.md is the first example's.
func TestReadmePicture(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	got, err := pktsh(t, "../..", "--virtual", "examples/01-hello-lan.lua")
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	_, rest, _ := strings.Cut(string(page), "```\n       ms")
	picture, _, _ := strings.Cut(rest, "```")
	if picture == "" || !strings.HasPrefix(got, "       ms"+picture) {
		t.Errorf("README.md shows\n       ms%s\nthe example prints\n%s", picture, got)
	}
}
