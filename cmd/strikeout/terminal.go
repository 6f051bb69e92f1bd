package main

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
)

// isTerminal reports whether somebody looks at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// paint adds colours where they can be seen.
type paint bool

func (p paint) code(code, s string) string {
	if !p {
		return s
	}
	return "\033[" + code + "m" + s + "\033[0m"
}

func (p paint) bold(s string) string   { return p.code("1", s) }
func (p paint) red(s string) string    { return p.code("31", s) }
func (p paint) green(s string) string  { return p.code("32", s) }
func (p paint) yellow(s string) string { return p.code("33", s) }
func (p paint) struck(s string) string { return p.code("9", s) }

// colours decides once for a writer: NO_COLOR (https://no-color.org) turns them off.
func (e *env) colours(w io.Writer) paint {
	return paint(isTerminal(w) && e.getenv("NO_COLOR") == "" && e.getenv("TERM") != "dumb")
}
