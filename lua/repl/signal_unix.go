//go:build unix

package repl

import (
	"os"
	"os/signal"
	"syscall"
)

// watchScreen reports resizes and continuation after a stop.
func watchScreen(resize, cont chan os.Signal, nudge func()) {
	winch := make(chan os.Signal, 1)
	signal.Notify(winch, syscall.SIGWINCH)
	signal.Notify(cont, syscall.SIGCONT)
	go func() {
		for s := range winch {
			select {
			case resize <- s:
			default:
			}
			nudge()
		}
	}()
}

// stopGroup stops the process group, as the terminal would on Ctrl-Z.
func stopGroup() { syscall.Kill(0, syscall.SIGTSTP) }
