package main

import (
	"errors"
	"strings"

	"github.com/strikeout/strikeout/tokens/mailin"
)

type mailCmd struct {
	File string `arg:"" optional:"" default:"-" placeholder:"FILE" help:"The mail; - is standard input."`
	Rcpt string `placeholder:"ADDRESS" help:"The recipient of the envelope (default: ORIGINAL_RECIPIENT, as Postfix sets it)."`
}

func (mailCmd) Help() string {
	return `A mail server pipes the mails into it that people unsubscribe with: those to the address of the setting mailto. The code in that address says who; the sender
and the subject say nothing. A mail without a code waits for an administrator; automatic answers and bounces do nothing.
Exit codes: 0 done, 65 not a mail, 67 no code in the address and no sender, 75 try again later.

    # mailto: u-{code}@unsub.example.com, and in Postfix's master.cf
    unsub unix - n n - 4 pipe flags=ORq user=strikeout argv=/usr/local/bin/strikeout --config /etc/strikeout.yaml mail --rcpt ${original_recipient}`
}

// Exit codes of sysexits.h, for mail servers.
const (
	exitData   = 65 // EX_DATAERR
	exitNoUser = 67 // EX_NOUSER
)

func (cmd *mailCmd) Run(e *env) error {
	raw, err := readMail(cmd.File)
	if err != nil {
		return &exitError{exitTemp, err}
	}
	if head, _, _ := strings.Cut(string(raw[:min(len(raw), 64<<10)]), "\n\n"); !strings.Contains(head, ":") {
		return &exitError{exitData, errors.New("this is not a mail")}
	}
	if err := cmd.read(e, raw); err != nil {
		var own *exitError
		if errors.As(err, &own) && own.code == exitNoUser {
			return err
		}
		return &exitError{exitTemp, err} // an opt-out must not be lost for a slip in the configuration
	}
	return nil
}

func (cmd *mailCmd) read(e *env, raw []byte) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	log := e.logger(c)
	a, err := e.newApp(c, log, "no provider")
	if err != nil {
		return err
	}
	defer a.db.Close() //nolint:errcheck // nothing waits in it
	rcpt := cmd.Rcpt
	if rcpt == "" {
		rcpt = e.getenv("ORIGINAL_RECIPIENT")
	}
	res, err := a.server.UnsubscribeMail(e.ctx, raw, rcpt)
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	log.Info("read a mail", "kind", res.Kind, "opted_out", res.OptedOut, "kept", res.Kept)
	if res.OptedOut == 0 && !res.Kept && (res.Kind == mailin.OptOut || res.Kind == mailin.Unknown) {
		return &exitError{exitNoUser, errors.New("the address carries no code that works, and nobody can be asked")}
	}
	return nil
}
