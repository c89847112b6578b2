//go:build race

package stdlib_test

func init() { underRace = true }
