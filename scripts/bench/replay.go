package main

import (
	"fmt"
	"io"
	"os/exec"
)

// replaying shows how well replay and tcpreplay keep to the times of a capture.
func replaying(w io.Writer, bin string) error {
	fmt.Fprintln(w, "\nREPLAY, 2000 FRAMES A SECOND: BEHIND THE CAPTURE'S TIMES\tmedian\t99 %\tmost")
	if out, err := exec.Command(bin, "--sandbox", "-e", "").CombinedOutput(); err != nil {
		fmt.Fprintf(w, "SKIP: no network of our own: %s\n", out)
		return nil
	}
	m, err := figures(bin, "--sandbox", "scripts/bench/replay.lua")
	if err != nil {
		fmt.Fprintf(w, "SKIP: %v\n", err)
		return nil
	}
	for _, tool := range []string{"pktsh", "tcpreplay"} {
		name := "replay-" + tool
		if _, ok := m[name+"-p50"]; !ok {
			fmt.Fprintf(w, "%s\tSKIP: see above\n", tool)
			continue
		}
		fmt.Fprintf(w, "%s\t%.1f µs\t%.1f µs\t%.1f µs\n", tool, m[name+"-p50"]*1e6, m[name+"-p99"]*1e6, m[name+"-max"]*1e6)
	}
	return nil
}
