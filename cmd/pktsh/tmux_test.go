package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pktsh/internal/need"
)

// A pane is pktsh in a terminal of tmux.
type pane struct {
	t    *testing.T
	sock string
}

// openPane runs the command in a tmux of its own.
func openPane(t *testing.T, args ...string) *pane {
	t.Helper()
	need.Program(t, "tmux")
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "pktsh-tmux") // short: the path of a socket has 107 octets at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &pane{t, filepath.Join(dir, "s")}
	// The shell's own status is told in words: tmux does not always notice that
	// a pane's process has ended.
	words := append([]string{"sh", "-c", `trap : INT; "$@"; echo "left with $?"; exec cat`, "sh", "env", "XDG_STATE_HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "NO_COLOR=1", bin}, args...)
	p.tmux(append([]string{"-f", "/dev/null", "new-session", "-d", "-x", "70", "-y", "40"}, words...)...)
	t.Cleanup(func() { exec.Command("tmux", "-S", p.sock, "kill-server").Run() })
	p.await("\n>")
	return p
}

func (p *pane) tmux(args ...string) string {
	p.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", p.sock}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

func (p *pane) typed(text string) { p.t.Helper(); p.tmux("send-keys", "-l", text) }
func (p *pane) keys(names ...string) {
	p.t.Helper()
	p.tmux(append([]string{"send-keys"}, names...)...)
}

func (p *pane) screen() string {
	return "\n" + strings.TrimRight(p.tmux("capture-pane", "-p", "-J"), "\n ")
}

func (p *pane) await(want string) {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		screen := p.screen()
		if strings.Contains(screen, want) {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the screen never showed %q:%s", want, screen)
		}
	}
}

// Half a line is typed, a callback prints, the line is finished: it is whole.
func TestPromptInTmux(t *testing.T) {
	p := openPane(t)
	p.typed(`lan = connector.lan() a = lan:port() b = lan:port()`)
	p.keys("Enter")
	p.typed(`b:on_packet(function(pkt) print("got " .. #pkt) end)`)
	p.keys("Enter")
	p.await("on_packet")
	p.typed(`t = every(0.1, function() a:write(("x"):rep(60)) end)`)
	p.keys("Enter")
	p.await("got 60\n>")
	for i := range 5 { // while the callback prints all the time
		for _, c := range fmt.Sprintf("print('the line %d' ", i) {
			p.typed(string(c))
		}
		p.typed(`.. ' is whole')`)
		p.keys("Enter")
		p.await(fmt.Sprintf("\nthe line %d is whole", i))
	}
	p.typed("t:cancel()")
	p.keys("Enter")

	// tmux's own Home and End, and Ctrl-C as the terminal sends it.
	p.typed("rint('home')")
	p.keys("Home")
	p.typed("p")
	p.keys("End")
	p.typed(" -- end")
	p.keys("Enter")
	p.await("\nhome\n")
	p.typed("print('busy') while true do end")
	p.keys("Enter")
	p.await("\nbusy")
	p.keys("C-c")
	p.await("interrupted\n>")
	p.typed("print('alive')")
	p.keys("Enter")
	p.await("\nalive\n>")

	// A long line, a resize, and a print.
	p.keys("C-l")
	p.typed("after(0.3, function() print('after the ' .. 'resize') end) x = '" + strings.Repeat("0123456789", 6) + "'")
	p.keys("Enter")
	p.typed("y = '" + strings.Repeat("abcdefghij", 8))
	p.tmux("resize-window", "-x", "90", "-y", "40")
	p.await("\nafter the resize\n")
	p.typed("' print(#y)")
	p.keys("Enter")
	p.await("\n80\n>")

	p.keys("C-d")
	p.await("left with 0")
	st, err := os.Stat(filepath.Join(filepath.Dir(p.sock), "pktsh", "history"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("history: %v", err)
	}
}
