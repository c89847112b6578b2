//go:build !unix

package main

import (
	"os"
	"syscall"
)

func dieOf(s syscall.Signal) { os.Exit(128 + int(s)) }
