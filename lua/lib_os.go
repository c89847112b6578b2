package lua

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// osModule is Lua 5.1's os; time and clock follow the host's clock, so that a
// script in virtual time sees one time.
func (h *Host) osModule() Module {
	start := h.clock.Now()
	return Module{
		Name: "os",
		Doc:  "The operating system, as in Lua 5.1.",
		Funcs: []Func{
			{`
---Tells the host's time in whole seconds, or that of a table as os.date"*t" makes it.
---@param t? table
---@return integer
function os.time(t)`, func(L *State) int {
				t, ok := L.Get(1).(*Table)
				if !ok {
					if L.Get(1) != Nil {
						typeError(L, 1, "table")
					}
					L.Push(Number(h.clock.Now().Unix()))
					return 1
				}
				field := func(name string, def int) int {
					v := t.RawGetString(name)
					if n, ok := toNumber(v); ok {
						return int(n)
					}
					if def < 0 {
						raisef(L, "field '%s' missing in date table", name)
					}
					return def
				}
				sec, min, hour := field("sec", 0), field("min", 0), field("hour", 12)
				day, month, year := field("day", -1), field("month", -1), field("year", -1)
				L.Push(Number(time.Date(year, time.Month(month), day, hour, min, sec, 0, h.zone()).Unix()))
				return 1
			}},
			{`
---Tells how long the host has run, in seconds.
---@return number
function os.clock()`, func(L *State) int {
				L.Push(Number(h.clock.Now().Sub(start).Seconds()))
				return 1
			}},
			{`
---Formats a time as strftime does; "*t" gives a table, a leading "!" means UTC.
---@param format? string   (default "%c")
---@param t? number        (default: now)
---@return string|table
function os.date(format, t)`, h.osDate},
			{`
---Subtracts two times.
---@param t2 number
---@param t1? number
---@return number
function os.difftime(t2, t1)`, func(L *State) int {
				t1 := 0.0
				if L.Get(2) != Nil {
					t1 = checkNumber(L, 2)
				}
				L.Push(Num(checkNumber(L, 1) - t1))
				return 1
			}},
			{`
---Reads an environment variable.
---@param name string
---@return string?
function os.getenv(name)`, func(L *State) int {
				if v, ok := os.LookupEnv(checkString(L, 1)); ok {
					L.Push(String(v))
				} else {
					L.Push(Nil)
				}
				return 1
			}},
			{`
---Removes a file or an empty folder.
---@param name string
---@return boolean?   nil, a message and a number when it fails
function os.remove(name)`, func(L *State) int {
				name := checkString(L, 1)
				return osResult(L, name, os.Remove(name))
			}},
			{`
---Renames a file.
---@param old string
---@param new string
---@return boolean?   nil, a message and a number when it fails
function os.rename(old, new)`, func(L *State) int {
				old := checkString(L, 1)
				return osResult(L, old, os.Rename(old, checkString(L, 2)))
			}},
			{`
---Names a file that can be used as a temporary one.
---@return string
function os.tmpname()`, func(L *State) int {
				f, err := os.CreateTemp("", "lua_")
				if err != nil {
					h.Raise(L, err)
				}
				f.Close()
				L.Push(String(f.Name()))
				return 1
			}},
			{`
---Runs a command with the system's shell; other tasks go on meanwhile.
---@param command? string   without it: says whether there is a shell
---@return integer          exit status, as wait(2) gives it
function os.execute(command)`, func(L *State) int {
				if L.Get(1) == Nil {
					L.Push(Int(1))
					return 1
				}
				cmd := exec.Command("/bin/sh", "-c", checkString(L, 1))
				if f, ok := h.cfg.Stdin.(*os.File); ok {
					cmd.Stdin = f
				}
				cmd.Stdout, cmd.Stderr = h.childOutput(h.cfg.Stdout), h.childOutput(h.cfg.Stderr)
				start := h.cur.inside(cmd.Start)
				err := h.Await("os.execute", func(ctx context.Context) error { return runCommand(ctx, cmd, start) })
				var exit *exec.ExitError
				switch {
				case err == nil:
					L.Push(Int(0))
				case errors.As(err, &exit):
					st := exit.Sys().(syscall.WaitStatus)
					L.Push(Int(int(st)))
				case h.cur.cancel != nil:
					h.raiseOp(L, err, "os.execute")
				default:
					L.Push(Int(-1))
				}
				return 1
			}},
			{`
---Ends the run: everything open is closed first.
---@param code? integer|boolean   exit status (default 0)
function os.exit(code)`, func(L *State) int {
				code := 0
				switch v := L.Get(1).(type) {
				case Bool:
					if !v {
						code = 1
					}
				default:
					code = optInt(L, 1, 0)
				}
				h.Exit(L, code)
				return 0
			}},
			{`
---Answers for the "C" locale only.
---@param locale? string
---@param category? string
---@return string?
function os.setlocale(locale, category)`, func(L *State) int {
				switch optString(L, 1, "C") {
				case "", "C", "POSIX":
					L.Push(String("C"))
				default:
					L.Push(Nil)
				}
				return 1
			}},
		},
	}
}

// zone is the time zone of os.date: UTC in virtual time, which must not depend
// on the machine.
func (h *Host) zone() *time.Location {
	if h.clock.Virtual() {
		return time.UTC
	}
	return time.Local
}

// Exit ends the run with an exit status, from a function that Lua has called.
// RunScript returns an *ExitError once everything has been unwound.
func (h *Host) Exit(L *State, code int) {
	err := &ExitError{code}
	h.stop(err)
	h.CancelAll(h.stopped) // hard: nothing more is to happen
	h.raiseOp(L, err, "os.exit")
}

func osResult(L *State, name string, err error) int {
	if err == nil {
		L.Push(True)
		return 1
	}
	return failure(L, name, err)
}

// failure is nil, message, errno, as Lua 5.1's io and os report.
func failure(L *State, name string, err error) int {
	msg, no := err.Error(), 0
	var errno syscall.Errno
	if errors.As(err, &errno) {
		msg, no = strings.ToUpper(errno.Error()[:1])+errno.Error()[1:], int(errno)
	}
	if name != "" {
		msg = name + ": " + msg
	}
	L.Push(Nil)
	L.Push(String(msg))
	L.Push(Int(no))
	return 3
}

// runCommand runs cmd and kills it with its children when ctx ends.
func runCommand(ctx context.Context, cmd *exec.Cmd, start func() error) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := start(); err != nil {
		return err
	}
	off := context.AfterFunc(ctx, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer off()
	return cmd.Wait()
}

func (h *Host) osDate(L *State) int {
	format := optString(L, 1, "%c")
	t := h.clock.Now()
	if v := L.Get(2); v != Nil {
		t = time.Unix(truncate(math.Floor(checkNumber(L, 2))), 0)
	}
	t = t.In(h.zone())
	if f, ok := strings.CutPrefix(format, "!"); ok {
		format, t = f, t.UTC()
	}
	if strings.HasPrefix(format, "*t") {
		tb := L.CreateTable(0, 9)
		for _, f := range []struct {
			name string
			v    int
		}{{"sec", t.Second()}, {"min", t.Minute()}, {"hour", t.Hour()}, {"day", t.Day()}, {"month", int(t.Month())},
			{"year", t.Year()}, {"wday", int(t.Weekday()) + 1}, {"yday", t.YearDay()}} {
			tb.RawSetString(f.name, Int(f.v))
		}
		tb.RawSetString("isdst", Bool(t.IsDST()))
		L.Push(tb)
		return 1
	}
	L.Push(String(strftime(format, t)))
	return 1
}

// strftime formats as C does in the "C" locale.
func strftime(format string, t time.Time) string {
	var b strings.Builder
	two := func(n int) {
		fmt.Fprintf(&b, "%02d", n)
	}
	week := func(first int) int { // weeks that begin on day first (0 Sunday)
		return (t.YearDay() - 1 + 7 - (int(t.Weekday())-first+7)%7) / 7
	}
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		if (format[i] == 'E' || format[i] == 'O') && i+1 < len(format) {
			i++
		}
		switch format[i] {
		case 'a':
			b.WriteString(t.Format("Mon"))
		case 'A':
			b.WriteString(t.Format("Monday"))
		case 'b', 'h':
			b.WriteString(t.Format("Jan"))
		case 'B':
			b.WriteString(t.Format("January"))
		case 'c':
			b.WriteString(t.Format("Mon Jan _2 15:04:05 2006"))
		case 'C':
			two(t.Year() / 100)
		case 'd':
			two(t.Day())
		case 'D', 'x':
			b.WriteString(t.Format("01/02/06"))
		case 'e':
			b.WriteString(t.Format("_2"))
		case 'F':
			b.WriteString(t.Format("2006-01-02"))
		case 'g':
			y, _ := t.ISOWeek()
			two(y % 100)
		case 'G':
			y, _ := t.ISOWeek()
			b.WriteString(strconv.Itoa(y))
		case 'H':
			two(t.Hour())
		case 'I':
			two((t.Hour()+11)%12 + 1)
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'm':
			two(int(t.Month()))
		case 'M':
			two(t.Minute())
		case 'n':
			b.WriteByte('\n')
		case 'p':
			b.WriteString(t.Format("PM"))
		case 'r':
			b.WriteString(t.Format("03:04:05 PM"))
		case 'R':
			b.WriteString(t.Format("15:04"))
		case 's':
			b.WriteString(strconv.FormatInt(t.Unix(), 10))
		case 'S':
			two(t.Second())
		case 't':
			b.WriteByte('\t')
		case 'T', 'X':
			b.WriteString(t.Format("15:04:05"))
		case 'u':
			b.WriteString(strconv.Itoa((int(t.Weekday())+6)%7 + 1))
		case 'U':
			two(week(0))
		case 'V':
			_, w := t.ISOWeek()
			two(w)
		case 'w':
			b.WriteString(strconv.Itoa(int(t.Weekday())))
		case 'W':
			two(week(1))
		case 'y':
			two(t.Year() % 100)
		case 'Y':
			b.WriteString(strconv.Itoa(t.Year()))
		case 'z':
			b.WriteString(t.Format("-0700"))
		case 'Z':
			b.WriteString(t.Format("MST"))
		case '%':
			b.WriteByte('%')
		default:
			b.WriteByte('%')
			b.WriteByte(format[i])
		}
	}
	return b.String()
}
