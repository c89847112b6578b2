package main

import (
	"fmt"
	"io"
	"os/exec"
)

// netlinking compares netlink with ip and with pyroute2 (Debian's
// python3-pyroute2), all in one network namespace.
func netlinking(w io.Writer, bin string) error {
	fmt.Fprintln(w, "\nNETLINK\tpktsh\tip\tpyroute2\tbudget")
	if out, err := exec.Command(bin, "--sandbox", "-e", "").CombinedOutput(); err != nil {
		fmt.Fprintf(w, "SKIP: no network of our own: %s\n", out)
		return nil
	}
	m, err := figures(bin, "--sandbox", "scripts/bench/netlink.lua", python)
	if err != nil {
		return err
	}
	for _, r := range []struct {
		work, name string
		unit       float64
		per        string
		budget     string
	}{
		{"request by index and a field of the answer", "request", 1e6, "µs", "6 µs, pyroute2 / 30"},
		{"50,000 routes: a field of each", "routes-field", 1e3, "ms", "ip -j route"},
		{"50,000 routes: plain tables", "routes-table", 1e3, "ms", "pyroute2 / 20"},
		{"5,000 links: a field of each", "links-field", 1e3, "ms", "ip -j link"},
		{"5,000 links: plain tables", "links-table", 1e3, "ms", "pyroute2 / 20"},
		{"10,000 routes added, from tables", "batch", 1e3, "ms", "ip -batch"},
		{"route events a callback has seen, of 40,000 of ip -batch", "storm", 1, "", "all"},
		{"… and pyroute2 with async_cache", "storm-async", 1, "", ""},
	} {
		fmt.Fprint(w, r.work)
		for _, who := range []string{"pktsh", "ip", "pyroute2"} {
			v, ok := m[who+"-"+r.name]
			if !ok {
				fmt.Fprint(w, "\t")
				continue
			}
			fmt.Fprintf(w, "\t%.4g %s", v*r.unit, r.per)
		}
		fmt.Fprintf(w, "\t%s\n", r.budget)
	}
	// What the two system calls of a request cost here.
	out, err := exec.Command("go", "test", "-run", "^$", "-bench", "Exchange", "-benchtime", "0.3s", "./engine/netlink").Output()
	if m := benchLine.FindSubmatch(out); err == nil && m != nil {
		fmt.Fprintf(w, "request by index in Go, without Lua\t%s\n", m[2])
	}
	return nil
}
