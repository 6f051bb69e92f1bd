package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

type checkCmd struct {
	Addresses []string `arg:"" name:"address" help:"E-mail addresses or phone numbers."`
	Purpose   string   `enum:"marketing,transactional" default:"marketing" help:"marketing, or transactional: then only a block counts."`
	Quiet     bool     `short:"q" help:"Print nothing; the exit code is the answer."`
}

func (checkCmd) Help() string {
	return `Exit code 0: all of them may be written to. 1: at least one may not. 3: nobody knows, so do not send.

    strikeout check nobody@example.com
    strikeout check --purpose transactional nobody@example.com +15551230100`
}

func (cmd *checkCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	db, keyer, err := e.openStore(c, e.logger(c), nil)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	keys := make([]recipient.Key, len(cmd.Addresses))
	for i, s := range cmd.Addresses {
		a, err := readAddress(c, s)
		if err != nil {
			return usage("address %d: %w", i+1, err)
		}
		keys[i] = keyer.Key(a)
	}
	states, err := db.States(e.ctx, keys)
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	suppressed := false
	for i, k := range keys {
		st, known := states[k]
		if st.Blocked() || st.OptedOut() && cmd.Purpose != "transactional" {
			suppressed = true
		}
		if !cmd.Quiet {
			e.printf("%s\t%s\n", cmd.Addresses[i], stateText(st, known))
		}
	}
	if suppressed {
		return errNo
	}
	return nil
}

// stateText says in words how an address stands.
func stateText(s recipient.State, known bool) string {
	var parts []string
	since := func(what string, at time.Time) {
		if at.After(recipient.EchoAt) {
			what += " since " + at.UTC().Format(time.RFC3339)
		}
		parts = append(parts, what)
	}
	if s.Blocked() {
		since("blocked", s.BlockedAt)
	}
	switch {
	case s.OptedOut() && s.ComplainedAt.After(s.OptedOutAt):
		since("opted out by a complaint", s.ComplainedAt)
	case s.OptedOut():
		since("opted out", s.OptedOutAt)
	}
	switch {
	case len(parts) > 0:
		return strings.Join(parts, ", ")
	case known:
		return "ok"
	}
	return "ok (not known)"
}
