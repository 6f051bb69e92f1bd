package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/strikeout/strikeout/providers/dsn"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/tokens"
)

type linkCmd struct {
	Address  string `arg:"" help:"An e-mail address, or a phone number."`
	SendOut  string `placeholder:"NAME" help:"The send-out that the link belongs to: at most 32 of A-Z a-z 0-9 _ . -"`
	Language string `placeholder:"TAG" help:"The language of the page, such as fi."`
	Headers  bool   `help:"Print the two message headers instead of the URL."`
	Preview  bool   `help:"A link for test messages: its page opens and changes nothing."`
	Short    bool   `help:"A short link, which stands in a table of the database."`

	ReturnPath string `placeholder:"MAILBOX" help:"Print a return path instead, which proves to verp_secret whose bounce comes back to that mailbox."`
	Endpoint   string `placeholder:"NAME" help:"With --return-path: the endpoint whose verp_secret makes it, where several have one."`
}

func (linkCmd) Help() string {
	return `Prints the URL alone, so that it can be used in scripts. It needs no database, but for --short and for a mailto with {code}.

    strikeout link nobody@example.com
    strikeout link +15551230100 --send-out spring --language fi
    strikeout link nobody@example.com --headers >> message.eml
    strikeout link nobody@example.com --return-path bounce@bounces.example.net`
}

func (cmd *linkCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	a, err := readAddress(c, cmd.Address)
	if err != nil {
		return err
	}
	if cmd.ReturnPath != "" {
		return cmd.returnPath(e, c, a)
	}
	keyer, err := c.keyer()
	if err != nil {
		return err
	}
	if keyer == nil {
		return c.errNoKeys("address key")
	}
	ring, err := c.ring()
	if err != nil {
		return err
	}
	if ring == nil {
		return c.errNoKeys("key that signs links")
	}
	linker, err := newLinker(c, keyer, func() *tokens.Ring { return ring }, e.now)
	if err != nil {
		return err
	}
	l, err := cmd.make(e, c, linker, a, keyer.Key(a))
	if err != nil {
		return err
	}
	if cmd.Headers {
		e.printf("%s", strings.ReplaceAll(l.Header(), "\r\n", "\n"))
	} else {
		e.printf("%s\n", l.URL)
	}
	if k, ok := ring.Active(); ok && !cmd.Short {
		e.countLinks(c, nil, map[string]int64{k.ID: 1})
	}
	return nil
}

// returnPath prints what bounces of a message to the address come back to.
func (cmd *linkCmd) returnPath(e *env, c *config, a recipient.Address) error {
	var secrets, names []string
	for _, provider := range []string{dsnProvider, "kumomta"} {
		list, err := c.endpoints(provider)
		if err != nil {
			return err
		}
		for _, ep := range list {
			first := ep.settings.Get(dsn.VerpSetting, "")
			if first != "" && (cmd.Endpoint == "" || cmd.Endpoint == ep.name) && !slices.Contains(secrets, first) {
				secrets, names = append(secrets, first), append(names, ep.name)
			}
		}
	}
	switch {
	case len(secrets) == 0:
		return usage("--return-path: no such endpoint has a verp_secret; strikeout providers dsn shows how to set one up")
	case len(secrets) > 1:
		return usage("--return-path: choose whose verp_secret makes it, one of %s, with --endpoint", strings.Join(names, ", "))
	}
	path, err := dsn.NewVerp(secrets[0]).Mint(cmd.ReturnPath, a)
	if err != nil {
		return usage("--return-path: %w", err)
	}
	e.printf("%s\n", path)
	return nil
}

// make makes the link, with a short code where that is asked for or the mailto
// carries one.
func (cmd *linkCmd) make(e *env, c *config, linker *tokens.Linker, a recipient.Address, key recipient.Key) (tokens.Link, error) {
	o := tokens.LinkOptions{SendOut: cmd.SendOut, Language: cmd.Language, Preview: cmd.Preview}
	if !tokens.ValidSendOut(o.SendOut) || !tokens.ValidLanguage(o.Language) {
		return tokens.Link{}, usage("link: expected --send-out of at most 32 of A-Z a-z 0-9 _ . - and --language such as fi")
	}
	if cmd.Short || linker.NeedsCode() && a.Channel() == recipient.Email {
		short := store.ShortLink{Key: key, Channel: a.Channel(), Preview: o.Preview}
		length := tokens.MailCodeLen
		if cmd.Short {
			short.SendOut, short.Language = o.SendOut, o.Language
			if a.Channel() == recipient.SMS {
				length = tokens.SMSCodeLen
			}
		}
		var err error
		if short.Code, err = tokens.NewCode(e.rand, length); err != nil {
			return tokens.Link{}, fmt.Errorf("link: %w", err)
		}
		db, _, err := e.openStore(c, e.logger(c), nil)
		if err != nil {
			return tokens.Link{}, err
		}
		defer db.Close() //nolint:errcheck // nothing waits in it
		list := []store.ShortLink{short}
		if err := db.PutShortLinks(e.ctx, list); err != nil {
			return tokens.Link{}, fmt.Errorf("link: %w", err)
		}
		if o.Code = list[0].Code; cmd.Short {
			return linker.ShortLink(o.Code, o.Code) //nolint:wrapcheck // a code of ours always fits
		}
	}
	l, err := linker.Link(a, o)
	if err != nil {
		return l, usage("link: %w", err)
	}
	return l, nil
}

// readAddress reads an address of the command line: what holds an @ is an
// e-mail address. The error does not repeat it: it may reach a log.
func readAddress(c *config, s string) (recipient.Address, error) {
	channel := recipient.SMS
	if strings.Contains(s, "@") {
		channel = recipient.Email
	}
	a, err := recipient.Parse(channel, s, c.defaultRegion)
	if err != nil {
		return a, usage("address: %w", err)
	}
	return a, nil
}
