// Command strikeout remembers what providers and recipients say about e-mail
// addresses and phone numbers: it serves webhooks, unsubscribe pages and the
// JSON API, and has a command for each thing that an operator does around them.
//
// Exit codes: 0 done; 1 the answer is no (check: suppressed; token: not valid;
// fsck: differences; doctor: something fails; simulate: refused; replay:
// something is still unreadable); 2 the command line or the configuration is
// wrong; 3 it cannot be done now (database, network, files). dsn and
// mail use the codes of sysexits.h: 0, 75 for "try again later", and mail 65 and
// 67 too.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv)
	stop()
	os.Exit(exitCode(err, os.Stderr))
}

// The exit codes.
const (
	exitNo    = 1
	exitUsage = 2
	exitNow   = 3
	exitTemp  = 75 // EX_TEMPFAIL of sysexits.h
)

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error // nil: everything was said already
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// errNo ends a command whose answer, printed already, is no.
var errNo = &exitError{code: exitNo}

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// exitCode writes the one line that an error is worth and returns the exit code.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	code := exitNow
	var e *exitError
	var c *configError
	switch {
	case errors.As(err, &e):
		code = e.code
	case errors.As(err, &c):
		code = exitUsage
	}
	if text := strings.Join(strings.Fields(err.Error()), " "); text != "" {
		fmt.Fprintln(stderr, "strikeout: "+text)
	}
	return code
}

// env is what a command gets from outside.
type env struct {
	ctx            context.Context //nolint:containedctx // kong calls Run without arguments of its own
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	rand           io.Reader
	globals        *globals
	parser         *kong.Kong
}

// exitPanic leaves kong where it wants to exit the process, after --help.
type exitPanic int

// run is the program without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			code, ok := v.(exitPanic)
			if !ok {
				panic(v)
			}
			if err = nil; code != 0 {
				err = &exitError{code: int(code)}
			}
		}
	}()
	var c cli
	parser, err := kong.New(&c,
		kong.Name("strikeout"),
		kong.Description(description),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exitPanic(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100, NoExpandSubcommands: true}),
		kong.ExplicitGroups(groups),
		kong.Vars{"scopes": strings.Join(scopes, ", ")},
	)
	if err != nil {
		return fmt.Errorf("the command line is broken: %w", err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil && (contains(args, "dsn") || contains(args, "mail")) {
		return &exitError{exitTemp, err} // a slip in an alias must bounce neither a bounce nor an opt-out
	}
	if err != nil {
		return usage("%w (strikeout --help shows what there is)", err)
	}
	return k.Run(&env{ctx: ctx, stdout: stdout, stderr: stderr, getenv: getenv, now: time.Now, rand: rand.Reader, globals: &c.globals, parser: parser})
}
