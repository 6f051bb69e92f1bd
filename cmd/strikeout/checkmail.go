package main

import (
	"encoding/json"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/tokens"
	"github.com/strikeout/strikeout/tokens/mailcheck"
)

type checkMailCmd struct {
	File   string `arg:"" optional:"" default:"-" placeholder:"FILE" help:"The message with its header, as a file; - is standard input."`
	JSON   bool   `name:"json" help:"Print the findings as JSON."`
	Strict bool   `help:"Count warnings as failures."`
}

func (checkMailCmd) Help() string {
	return `Looks at a rendered message before a million of its kind are out: the link, the two headers, click tracking, DKIM, whose link it is. It needs the keys of
links; the database only where a link is a short one. It prints no address and no token. Exit code 1: something fails.

    strikeout check-mail message.eml
    strikeout check-mail --json < message.eml`
}

func (cmd *checkMailCmd) Run(e *env) error {
	raw, err := readMail(cmd.File)
	if err != nil {
		return usage("check-mail: %w", err)
	}
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	keyer, err := c.keyer()
	if err != nil {
		return err
	}
	ring, err := c.ring()
	if err != nil {
		return err
	}
	if ring == nil {
		return c.errNoKeys("key that signs links")
	}
	var db *store.DB
	defer func() {
		if db != nil {
			_ = db.Close() //nolint:errcheck // nothing waits in it
		}
	}()
	r := mailcheck.Check(raw, mailcheck.Config{Ring: ring, PublicURL: c.publicURL, Keyer: keyer, Mailto: c.mailto, Now: e.now(), Code: func(code string) (tokens.Claims, error) {
		if db == nil { // most messages need none
			if db, err = e.existing(e.ctx, c); err != nil {
				return tokens.Claims{}, err
			}
		}
		return admin.LinkCode(e.ctx, db)(code)
	}})
	if err := cmd.print(e, r); err != nil {
		return err
	}
	if worst := r.Worst(); worst == mailcheck.Fail || worst == mailcheck.Warn && cmd.Strict {
		return errNo
	}
	return nil
}

func (cmd *checkMailCmd) print(e *env, r mailcheck.Report) error {
	if cmd.JSON {
		enc := json.NewEncoder(e.stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(struct { //nolint:wrapcheck // the terminal's own error
			Result mailcheck.Level `json:"result"`
			mailcheck.Report
		}{r.Worst(), r})
	}
	p := e.colours(e.stdout)
	mark := map[mailcheck.Level]string{mailcheck.OK: p.green("ok  "), mailcheck.Warn: p.yellow("warn"), mailcheck.Fail: p.red("fail")}
	for _, f := range r.Findings {
		e.printf("%s  %s\n", mark[f.Level], f.Text)
		if f.Do != "" {
			e.printf("      %s\n", f.Do)
		}
	}
	return nil
}
