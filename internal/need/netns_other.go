//go:build !linux

package need

import (
	"errors"
	"os/exec"
	"syscall"
)

func isolate(*exec.Cmd) error { return errors.ErrUnsupported }

func dieWithParent(*syscall.SysProcAttr) {}

func refused(error) bool { return false }
