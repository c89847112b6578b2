//go:build race

package netlink_test

func init() { underRace = true }
