package main

import (
	"fmt"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

type fsckCmd struct {
	Repair  bool `help:"Raise what is lower than the history says."`
	Rebuild bool `help:"Lower too: the history is right. Refused once retention has deleted events."`
}

func (fsckCmd) Help() string {
	return `Compares the state of every address with its history, and names differences by the address's key. It changes nothing
unless told to, and can run while the service does. Of a spool it says what waits there and what cannot be read.
Exit code 1: differences were found and not repaired, or the spool is damaged.

    strikeout fsck
    strikeout fsck --repair`
}

func (cmd *fsckCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	db, _, err := e.openStore(c, e.logger(c), nil)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	opts := store.FsckOptions{Repair: cmd.Repair || cmd.Rebuild, Rebuild: cmd.Rebuild}
	if isTerminal(e.stderr) {
		opts.Progress = func(done int) { fmt.Fprintf(e.stderr, "\r%d addresses", done) }
	}
	report, err := db.Fsck(e.ctx, opts)
	if opts.Progress != nil {
		fmt.Fprint(e.stderr, "\r\033[K")
	}
	if err != nil {
		return fmt.Errorf("fsck: %w", err)
	}
	for _, d := range report.Differences {
		e.printf("%s %s %s: stored %s, the history says %s\n", d.Channel, d.Key, d.Field, whenText(d.Have), whenText(d.Want))
	}
	e.printf("%d addresses, %d events, %d differences, %d repaired\n", report.Recipients, report.Events, len(report.Differences), report.Repaired)
	if sound := e.fsckSpool(c); len(report.Differences) > report.Repaired || !sound {
		return errNo
	}
	return nil
}

func whenText(t time.Time) string {
	switch {
	case t.IsZero():
		return "never"
	case t.Equal(recipient.EchoAt):
		return "an echo"
	}
	return t.UTC().Format(time.RFC3339Nano)
}
