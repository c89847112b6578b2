//go:build !unix

package repl

import "os"

func watchScreen(resize, cont chan os.Signal, nudge func()) {}

func stopGroup() {}
