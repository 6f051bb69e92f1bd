package main

import (
	"strings"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/tokens"
)

type linkCmd struct {
	Address  string `arg:"" help:"An e-mail address, or a phone number."`
	SendOut  string `placeholder:"NAME" help:"The send-out that the link belongs to: at most 32 of A-Z a-z 0-9 _ . -"`
	Language string `placeholder:"TAG" help:"The language of the page, such as fi."`
	Headers  bool   `help:"Print the two message headers instead of the URL."`
	Preview  bool   `help:"A link for test messages: its page opens and changes nothing."`
}

func (linkCmd) Help() string {
	return `Prints the URL alone, so that it can be used in scripts. It asks no database.

    strikeout link nobody@example.com
    strikeout link +15551230100 --send-out spring --language fi
    strikeout link nobody@example.com --headers >> message.eml`
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
	l, err := linker.Link(a, tokens.LinkOptions{SendOut: cmd.SendOut, Language: cmd.Language, Preview: cmd.Preview})
	if err != nil {
		return usage("link: %w", err)
	}
	if cmd.Headers {
		e.printf("%s", strings.ReplaceAll(l.Header(), "\r\n", "\n"))
		return nil
	}
	e.printf("%s\n", l.URL)
	return nil
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
