package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/strikeout/strikeout/store"
)

type dsnCmd struct {
	File     string `arg:"" optional:"" default:"-" help:"The mail; - is standard input."`
	Endpoint string `placeholder:"NAME" help:"The endpoint of provider dsn that reads it; needed where there are several."`
	Rcpt     string `placeholder:"ADDRESS" help:"The envelope recipient, which may carry a VERP mark (default: ORIGINAL_RECIPIENT, as Postfix sets it)."`
}

func (dsnCmd) Help() string {
	return `A mail server pipes one bounce or complaint mail into it. Exit code 0: stored, or nothing about delivery. 75: try again later,
which mail servers do; everything that is wrong with the configuration ends so too, because a bounce must not be lost for it.

    bounces: "|/usr/local/bin/strikeout --config /etc/strikeout.yaml dsn"     # /etc/aliases
    strikeout dsn < bounce.eml`
}

// dsnProvider is the adapter that reads raw mail.
const dsnProvider = "dsn"

// mailBytes is the most of a mail that is read.
const mailBytes = 20 << 20

func (cmd *dsnCmd) Run(e *env) error {
	if err := cmd.read(e); err != nil {
		return &exitError{exitTemp, err}
	}
	return nil
}

func (cmd *dsnCmd) read(e *env) error {
	mail, err := readMail(cmd.File)
	if err != nil {
		return err
	}
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	name, err := cmd.endpoint(c)
	if err != nil {
		return err
	}
	log := e.logger(c)
	a, err := e.newApp(c, log, dsnProvider)
	if err != nil {
		return err
	}
	defer a.db.Close() //nolint:errcheck // nothing waits in it
	target := "/webhooks/" + url.PathEscape(name)
	rcpt := cmd.Rcpt
	if rcpt == "" {
		rcpt = e.getenv("ORIGINAL_RECIPIENT")
	}
	if rcpt != "" {
		target += "?" + url.Values{"rcpt": {rcpt}}.Encode()
	}
	res, err := a.server.Replay(e.ctx, store.Held{Endpoint: name, Method: "POST", URL: target, Body: mail, ReceivedAt: e.now(),
		Header: map[string][]string{"Content-Type": {"message/rfc822"}}})
	if err != nil {
		return err //nolint:wrapcheck // it says where it comes from
	}
	for _, h := range res.Held {
		if err := a.db.Quarantine(e.ctx, h); err != nil {
			return fmt.Errorf("quarantine: %w", err)
		}
		log.Warn("kept a mail that was not understood", "endpoint", name, "reason", h.Reason, "err", h.Detail)
	}
	log.Info("read a mail", "endpoint", name, "stored", res.Stored, "duplicates", res.Duplicates)
	return nil
}

// readMail reads a mail from a file; - is standard input.
func readMail(name string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name) //nolint:gosec // the user names it
		if err != nil {
			return nil, fmt.Errorf("read the mail: %w", err)
		}
		defer f.Close() //nolint:errcheck // read only
		in = f
	}
	mail, err := io.ReadAll(io.LimitReader(in, mailBytes))
	if err != nil {
		return nil, fmt.Errorf("read the mail: %w", err)
	}
	if len(mail) == 0 {
		return nil, errors.New("the mail is empty")
	}
	return mail, nil
}

func (cmd *dsnCmd) endpoint(c *config) (string, error) {
	all, err := c.endpoints(dsnProvider)
	if err != nil {
		return "", err
	}
	var names []string
	for _, e := range all {
		if cmd.Endpoint == "" || cmd.Endpoint == e.name {
			names = append(names, e.name)
		}
	}
	switch len(names) {
	case 1:
		return names[0], nil
	case 0:
		return "", errors.New("no endpoint of provider dsn is configured; strikeout providers dsn shows how")
	}
	return "", fmt.Errorf("there are several endpoints of provider dsn, choose one of %s with --endpoint", strings.Join(names, ", "))
}
