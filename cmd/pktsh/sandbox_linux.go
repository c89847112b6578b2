package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"pktsh/engine"
)

// inSandbox names the process that made the sandbox, to the pktsh in it: only
// its own child is meant, not a pktsh that a script starts.
const inSandbox = "PKTSH_SANDBOX"

// sandbox runs this same command once more, as root of a fresh user and network
// namespace, and returns its exit status. In there it prepares the network and
// returns done = false: the caller goes on.
//
// A user namespace can be entered only by a process of a single thread, which a
// Go program never is: hence a child. It stays in our process group, so that
// the terminal treats the two as one job, and it dies when we do. With it go
// the namespaces and all that is in them.
func sandbox() (status int, done bool) {
	by := os.Getenv(inSandbox)
	os.Unsetenv(inSandbox)
	if by == strconv.Itoa(os.Getppid()) {
		if err := engine.BringUp("lo"); err != nil {
			return sandboxFailed(fmt.Errorf("the network of the sandbox: %w", err))
		}
		return 0, false
	}
	// The child is to die together with the thread that makes it.
	runtime.LockOSThread()
	signals := make(chan os.Signal, 16)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2} {
		if !signal.Ignored(s) { // what is ignored the child ignores, too
			signal.Notify(signals, s)
		}
	}
	cmd, err := startInSandbox(sameIDs())
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() == 0 {
		cmd, err = startInSandbox(onlyRoot())
	}
	if err != nil {
		return sandboxFailed(err)
	}
	go func() {
		for s := range signals {
			// What a terminal sends to its foreground job the child has got, too.
			if (s == syscall.SIGINT || s == syscall.SIGQUIT) && foreground() {
				continue
			}
			_ = cmd.Process.Signal(s) // it may have ended
		}
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return sandboxFailed(err)
	}
	st, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if st.Signaled() {
		signal.Reset()
		dieOf(st.Signal())
	}
	return cmd.ProcessState.ExitCode(), true
}

// idMaps say who is who in a user namespace.
type idMaps struct {
	uid, gid []syscall.SysProcIDMap
	groups   bool // setgroups is allowed
}

// onlyRoot makes us root, and nobody else exists.
func onlyRoot() idMaps {
	return idMaps{
		uid: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		gid: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}

// sameIDs leaves everybody as he is, if we are root; files of others stay
// accessible.
func sameIDs() idMaps {
	read := func(file string) (m []syscall.SysProcIDMap) {
		text, _ := os.ReadFile(file)
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) != 3 {
				continue
			}
			first, err1 := strconv.Atoi(f[0])
			count, err2 := strconv.Atoi(f[2])
			if err1 == nil && err2 == nil {
				m = append(m, syscall.SysProcIDMap{ContainerID: first, HostID: first, Size: count})
			}
		}
		return m
	}
	m := idMaps{uid: read("/proc/self/uid_map"), gid: read("/proc/self/gid_map"), groups: true}
	if os.Geteuid() != 0 || len(m.uid) == 0 || len(m.gid) == 0 {
		return onlyRoot()
	}
	return m
}

func startInSandbox(ids idMaps) (*exec.Cmd, error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = os.Args
	cmd.Env = append(os.Environ(), inSandbox+"="+strconv.Itoa(os.Getpid()))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: ids.uid, GidMappings: ids.gid,
		GidMappingsEnableSetgroups: ids.groups,
		Pdeathsig:                  syscall.SIGKILL,
	}
	return cmd, cmd.Start()
}

// foreground reports whether we are the job that has the terminal.
func foreground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	pgrp, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && pgrp == unix.Getpgrp()
}

// sandboxFailed says what the system forbids, and why if we can find out.
func sandboxFailed(err error) (status int, done bool) {
	setting := func(name string) string {
		b, _ := os.ReadFile("/proc/sys/" + name)
		return strings.TrimSpace(string(b))
	}
	why := ""
	switch {
	case setting("user/max_user_namespaces") == "0":
		why = "user namespaces are switched off: sysctl user.max_user_namespaces is 0"
	case setting("user/max_net_namespaces") == "0":
		why = "network namespaces are switched off: sysctl user.max_net_namespaces is 0"
	case os.Geteuid() != 0 && setting("kernel/unprivileged_userns_clone") == "0":
		why = "user namespaces are reserved to root: sysctl kernel.unprivileged_userns_clone is 0"
	case setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
		why = "AppArmor restricts user namespaces: sysctl kernel.apparmor_restrict_unprivileged_userns is 1; a profile for pktsh, or 0 there, allows them"
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		why = "there are too many namespaces: see sysctl user.max_user_namespaces and user.max_net_namespaces, or how deeply they are nested"
	case errors.Is(err, fs.ErrPermission):
		why = "the system forbids a user namespace; in a container, its seccomp profile may: --security-opt seccomp=unconfined"
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
		why = "the kernel has no user namespaces (CONFIG_USER_NS, CONFIG_NET_NS)"
	}
	fmt.Fprintf(os.Stderr, "pktsh: --sandbox: %v\n", err)
	if why != "" {
		fmt.Fprintf(os.Stderr, "(%s)\n", why)
	}
	return exitFailed, true
}
