//go:build !linux

package main

import (
	"fmt"
	"os"
)

// sandbox needs namespaces, which only Linux has.
func sandbox() (status int, done bool) {
	fmt.Fprintln(os.Stderr, "pktsh: --sandbox works on Linux only")
	return exitFailed, true
}
