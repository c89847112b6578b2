package main

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
)

// inputOutput compares send_many with C loops around the same system calls, and
// shows how many frames a second reach a Lua function.
func inputOutput(w io.Writer, bin, dir string) error {
	fmt.Fprintln(w, "\nSENDING, BESIDE A LOOP IN C\tpktsh\tC\tof C's speed\tbudget")
	c := filepath.Join(dir, "io")
	if out, err := exec.Command("gcc", "-O2", "-o", c, "scripts/bench/limits/io.c").CombinedOutput(); err != nil {
		fmt.Fprintf(w, "SKIP: gcc: %v %s\n", err, out)
		return nil
	}
	if out, err := exec.Command(bin, "--sandbox", "-e", "").CombinedOutput(); err != nil {
		fmt.Fprintf(w, "SKIP: no network of our own: %s\n", out)
		return nil
	}
	m, err := figures(bin, "--sandbox", "scripts/bench/io.lua", c)
	if err != nil {
		fmt.Fprintf(w, "SKIP: %v\n", err)
		return nil
	}
	for _, what := range []string{"mcast", "udp", "dgram", "link", "tap"} {
		for _, size := range []int{64, 1400} {
			name := fmt.Sprintf("send-%s-%d", what, size)
			ours, theirs := m[name+"-ours"], m[name+"-c"]
			if ours == 0 {
				fmt.Fprintf(w, "%s, %d octets\tSKIP: see above\n", what, size)
				continue
			}
			fmt.Fprintf(w, "%s, %d octets\t%.0f ns\t%.0f ns\t%.2f\t0.9\n", what, size, ours*1e9, theirs*1e9, theirs/ours)
		}
	}
	fmt.Fprintln(w, "\nRECEIVING: A C LOOP SENDS, A LUA FUNCTION GETS PACKETS\tframes/s\tdropped\tof\tbudget")
	for _, what := range []string{"mcast", "dgram", "link"} {
		name := "receive-" + what
		fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t300000 frames/s, or all that is sent\n", what, m[name+"-rate"], m[name+"-dropped"], m[name+"-sent"])
	}
	return nil
}
