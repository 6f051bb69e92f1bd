package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/store"
)

type keysAPICmd struct {
	New    apiNewCmd    `cmd:"" help:"Make an API key; it is printed once."`
	List   apiListCmd   `cmd:"" help:"List the API keys of the database."`
	Revoke apiRevokeCmd `cmd:"" help:"Refuse an API key from now on."`
}

type apiNewCmd struct {
	Name   string   `arg:"" help:"Who uses it; it is named in the history of what it does."`
	Scopes []string `required:"" placeholder:"SCOPE,..." help:"Some of ${scopes}: read states and contacts; mint links; write opt-outs, blocks and contacts; admin."`
}

func (apiNewCmd) Help() string {
	return `The database keeps the SHA-256 only. A running service takes the key within seconds.

    strikeout keys api new crm --scopes read,mint,write`
}

func (cmd *apiNewCmd) Run(e *env) error {
	for _, s := range cmd.Scopes {
		if !contains(scopes, s) {
			return usage("--scopes: expected some of %s", strings.Join(scopes, ", "))
		}
	}
	if name := strings.TrimSpace(cmd.Name); name == "" || len(name) > 64 {
		return usage("name: expected 1 to 64 bytes")
	}
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	for _, k := range c.apiKeys {
		if k.Name == cmd.Name {
			return usage("name: %s has a key of this name", c.said("api_keys"))
		}
	}
	db, _, err := e.openStore(c, e.logger(c), nil)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	secret, hash, err := admin.NewAPIKey(e.rand)
	if err != nil {
		return fmt.Errorf("keys api new: %w", err)
	}
	k := store.APIKey{Name: cmd.Name, Scopes: cmd.Scopes, Hash: hash, CreatedAt: e.now()}
	switch err := db.AddAPIKey(e.ctx, k); {
	case errors.Is(err, store.ErrKeyTaken):
		return usage("name: there is a key of this name, or was; the history names keys, so take another")
	case err != nil:
		return fmt.Errorf("keys api new: %w", err)
	}
	fmt.Fprintln(e.stderr, "This is the only time that the key is shown.")
	e.printf("%s\n", secret)
	return nil
}

type apiListCmd struct{}

func (apiListCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	db, _, err := e.openStore(c, e.logger(c), nil)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	keys, err := db.APIKeys(e.ctx)
	if err != nil {
		return fmt.Errorf("keys api list: %w", err)
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSCOPES\tMADE\tLAST USED\tREVOKED")
	for _, k := range keys {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", k.Name, strings.Join(k.Scopes, ","), day(k.CreatedAt), day(k.LastUsedAt), day(k.RevokedAt))
	}
	for _, k := range c.apiKeys {
		fmt.Fprintf(t, "%s\t%s\t%s\t\t\n", k.Name, strings.Join(k.Scopes, ","), c.said("api_keys"))
	}
	return t.Flush() //nolint:wrapcheck // the terminal's own error
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

type apiRevokeCmd struct {
	Name string `arg:"" help:"The key's name."`
}

func (cmd *apiRevokeCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	for _, k := range c.apiKeys {
		if k.Name == cmd.Name {
			return usage("name: this key stands in %s: remove it there", c.said("api_keys"))
		}
	}
	db, _, err := e.openStore(c, e.logger(c), nil)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	err = db.RevokeAPIKey(e.ctx, cmd.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return usage("name: there is no such key; strikeout keys api list shows them")
	case err != nil:
		return fmt.Errorf("keys api revoke: %w", err)
	}
	e.printf("%s: refused from now on; a running service notices within ten seconds\n", cmd.Name)
	return nil
}
