//go:build linux

package repl

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// startEditor runs an editor that echoes what it reads as «…» until the input ends.
func startEditor(t testing.TB, term *terminal, recall []string) (*editor, *Console, func()) {
	t.Helper()
	con := NewConsole(term.slave, screenSize(term.slave))
	e, err := newEditor(term.slave, term.slave, con, false)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			line, err := e.readLine("> ", recall)
			switch {
			case err == io.EOF:
				fmt.Fprintln(con, "bye")
				e.close()
				return
			case err != nil:
				fmt.Fprintf(con, "«%v %s»\n", err, line)
			default:
				fmt.Fprintf(con, "«%s»\n", line)
			}
		}
	}()
	return e, con, func() {
		t.Helper()
		term.send("\x04")
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("Ctrl-D does not end the editor:\n%s", term.text())
		}
		term.await("bye")
	}
}

func TestKeys(t *testing.T) {
	term := openTerminal(t, 60, 30)
	_, _, stop := startEditor(t, term, []string{"first", "second\n  line"})
	for _, c := range []struct{ name, keys, want string }{
		{"plain", "abc\r", "«abc»"},
		{"Home and End of tmux", "bc\x1b[1~a\x1b[4~d\r", "«abcd»"},
		{"Home and End of xterm", "bc\x1b[Ha\x1b[Fd2\r", "«abcd2»"},
		{"word motion", "one two\x1b[1;5D\x1b[1;5DX\x1b[1;5CY\r", "«Xone Ytwo»"},
		{"Delete in a line", "abc\x1b[D\x1b[D\x1b[3~\r", "«ac»"},
		{"Delete at the end does nothing", "del\x1b[3~\r", "«del»"},
		{"Delete on an empty line does not leave", "\x1b[3~still\r", "«still»"},
		{"NUL does not leave", "\x00nul\r", "«nul»"},
		{"unknown keys type nothing", "f\x1b[15~\x1b[[A\x1b[200;9x\x1b[1;6Ax\r", "«fx»"},
		{"UTF-8", "grüße\r", "«grüße»"},
		{"paste is one input", "\x1b[200~if a then\r\n\tb()\nend\n\x1b[201~\r", "«if a then\n        b()\nend»"},
		{"control keys in a paste are text at most", "\x1b[200~a\x03b\x04c\x1b[31md\x1b[201~\r", "«abcd»"},
		{"Alt-Enter", "a\x1b\rb\r", "«a\nb»"},
		{"history", "\x1b[A\x1b[A\r", "«first»"},
		{"multi-line history", "\x1b[A!\r", "«second\n  line!»"},
		{"search", "\x12fir\r", "«first»"},
		{"Ctrl-C drops the line", "junk\x03", "«interrupted junk»"},
		{"a lone escape", "x\x1b\x1b[Dy\r", "«yx»"},
	} {
		term.send(c.keys)
		term.awaitFunc(c.name, func(text string) bool { return strings.Contains(text, c.want) })
		term.awaitFunc("prompt", func(text string) bool { return strings.HasSuffix(text, "\n>\n") })
	}
	stop()
	if term.cooks.Load() == 0 {
		t.Error("bracketed paste was left on")
	}
}

func TestOutputAbovePrompt(t *testing.T) {
	term := openTerminal(t, 40, 20)
	_, con, stop := startEditor(t, term, nil)
	term.send("half a li")
	term.await("> half a li")
	fmt.Fprintln(con, "a callback")
	term.await("a callback\n> half a li\n")
	// Longer than the screen is wide, and a line being typed that wraps.
	fmt.Fprintln(con, strings.Repeat("wide ", 20))
	term.send(strings.Repeat("x", 50))
	term.awaitFunc("wide line", func(s string) bool { return strings.HasSuffix(s, "xx\nxxxxxxxxxxxxxxxxxxxxx\n") })
	fmt.Fprintln(con, "again")
	want := "again\n> half a li" + strings.Repeat("x", 29) + "\n" + strings.Repeat("x", 21) + "\n"
	term.awaitFunc("wrapped input", func(s string) bool { return strings.HasSuffix(s, want) })
	term.send("ne\r")
	term.await("«half a li" + strings.Repeat("x", 29))
	stop()
	text := term.text()
	for _, once := range []string{"a callback", "again", "wide wide"} {
		if n := strings.Count(text, once); once != "wide wide" && n != 1 {
			t.Errorf("%q shown %d times:\n%s", once, n, text)
		}
	}
}

func TestUnfinishedLineIsContinuedInPlace(t *testing.T) {
	term := openTerminal(t, 20, 20)
	_, con, stop := startEditor(t, term, nil)
	term.send("typed")
	term.await("> typed")
	for i := range 30 { // wraps on its way
		fmt.Fprintf(con, "%d,", i)
		if i%7 == 0 {
			term.await(fmt.Sprintf("%d,", i)[:2])
		}
	}
	fmt.Fprint(con, "\x1b[31mend\x1b[0m\nnext")
	term.awaitFunc("the whole line", func(s string) bool { return strings.HasSuffix(s, "end\nnext\n> typed\n") })
	fmt.Fprint(con, "\r 50%")
	term.await("\n 50%\n> typed\n")
	fmt.Fprint(con, "\r100%\n")
	term.await("\n100%\n> typed\n")
	stop2 := func() { term.send("\x15"); stop() }
	stop2()
	var want strings.Builder
	for i := range 30 {
		fmt.Fprintf(&want, "%d,", i)
	}
	got := strings.ReplaceAll(term.text(), "\n", "")
	if !strings.Contains(got, want.String()+"end") || strings.Contains(got, "next 50") {
		t.Errorf("line lost its pieces:\n%s", term.text())
	}
}

// What is typed and what is printed are both whole, whatever their timing.
func TestTypingUnderBursts(t *testing.T) {
	for _, pause := range []time.Duration{0, 300 * time.Microsecond, 3 * time.Millisecond} {
		t.Run(pause.String(), func(t *testing.T) {
			term := openTerminal(t, 50, 24)
			_, con, stop := startEditor(t, term, nil)
			quit := make(chan struct{})
			var wg sync.WaitGroup
			printed := [2]int{}
			for w := range 2 {
				wg.Go(func() {
					rnd := rand.New(rand.NewPCG(1, uint64(w)))
					for {
						select {
						case <-quit:
							return
						default:
						}
						i := printed[w]
						if i%5 == 0 && w == 0 {
							fmt.Fprintf(con, "w%d ", w) // a partial line from one task
							time.Sleep(pause)
							fmt.Fprintf(con, "async %d%s.\n", i, strings.Repeat("-", rnd.IntN(90)))
						} else {
							fmt.Fprintf(con, "w%d async %d.\n", w, i)
						}
						printed[w]++
						if pause > 0 {
							time.Sleep(pause)
						} else if i%10 == 0 {
							time.Sleep(5 * time.Millisecond) // a screen under load draws some thousand lines a second
						}
					}
				})
			}
			lines := 25
			if testing.Short() {
				lines = 5
			}
			for i := range lines {
				line := fmt.Sprintf("line %d is typed while tasks print, wrapping at fifty", i)
				before := term.height() - 24
				for _, r := range line {
					term.send(string(r))
					time.Sleep(200 * time.Microsecond)
				}
				term.send("\r")
				got := "«" + line + "»"
				// It may have scrolled far up before anyone looks.
				term.awaitFunc(got, func(string) bool {
					s := term.tail(term.height() - before)
					return strings.Contains(strings.ReplaceAll(s, "\n", ""), got)
				})
			}
			close(quit)
			wg.Wait()
			stop()
			joined := strings.ReplaceAll(term.text(), "\n", "")
			for i := range printed[1] {
				if s := fmt.Sprintf("w1 async %d.", i); strings.Count(joined, s) != 1 {
					t.Fatalf("%q shown %d times", s, strings.Count(joined, s))
				}
			}
			if strings.Contains(joined, "w1 async 0.w1 async 0.") {
				t.Error("output doubled")
			}
			t.Logf("%d and %d lines printed", printed[0], printed[1])
		})
	}
}

func TestWriterIsHeldBack(t *testing.T) {
	term := openTerminal(t, 80, 24)
	_, con, stop := startEditor(t, term, nil)
	term.await(">")
	line := strings.Repeat("x", 78) + "\n"
	for range 3 * maxPending / len(line) {
		con.Write([]byte(line))
	}
	con.Write([]byte("done\n"))
	term.await("\ndone\n>\n")
	stop()
}

func TestSignalWhileReading(t *testing.T) {
	term := openTerminal(t, 80, 24)
	e, _, _ := startEditor(t, term, nil)
	term.send("abc")
	term.await("> abc")
	e.close()
	e.close()
	term.awaitFunc("cooked", func(string) bool { return term.cooks.Load() > 0 })
}
