//go:build !race

package engine_test

// raced tells that the race detector slows everything down.
const raced = false
