package stdlib_test

import (
	"fmt"
	"os"
	"testing"

	"pktsh/bindings"
)

// TestMain is the other end of remote sockets, too, whose default is this same
// program.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "netlink-relay" {
		if err := bindings.NetlinkRelay(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
