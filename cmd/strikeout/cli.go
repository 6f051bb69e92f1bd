package main

import (
	"fmt"
	"log/slog"

	"github.com/alecthomas/kong"
)

const description = `Remembers what providers and recipients say about your contacts' addresses.

A hard bounce blocks an address; an unsubscribe or a spam complaint opts it out; every other system asks before it sends.

    strikeout demo                                 see it work
    strikeout serve                                SQLite and fresh keys in ./strikeout-data
    strikeout providers postmark                   how to set a provider up
    strikeout simulate postmark hard               send a signed sample
    strikeout check nobody@example.com             may I write to this address?

Settings come from flags, then STRIKEOUT_* variables (STRIKEOUT_PUBLIC_URL sets public_url), then --config or ./strikeout.yaml.

Exit codes: 0 done, 1 the answer is no, 2 wrong command line or configuration, 3 cannot be done now.`

// cli is the whole command line.
type cli struct {
	globals

	Serve     serveCmd     `cmd:"" group:"run" help:"Answer webhooks, unsubscribe links and the JSON API."`
	Demo      demoCmd      `cmd:"" group:"run" help:"Serve with sample contacts and signed, simulated provider traffic."`
	Migrate   migrateCmd   `cmd:"" group:"run" help:"Bring the database's tables up to date."`
	Doctor    doctorCmd    `cmd:"" group:"run" help:"Check the configuration, the database, keys and endpoints."`
	Fsck      fsckCmd      `cmd:"" group:"run" help:"Fold the history of every address again and compare."`
	Replay    replayCmd    `cmd:"" group:"run" help:"Read the requests in quarantine again."`
	Providers providersCmd `cmd:"" group:"prov" help:"List the providers, or print how to set one up."`
	Simulate  simulateCmd  `cmd:"" group:"prov" help:"Send signed sample requests of a provider."`
	DSN       dsnCmd       `cmd:"" name:"dsn" group:"prov" help:"Read one bounce mail; for mail servers to pipe into."`
	Check     checkCmd     `cmd:"" group:"addr" help:"Say whether addresses are blocked or opted out."`
	Link      linkCmd      `cmd:"" group:"addr" help:"Print the unsubscribe link of an address."`
	Links     linksCmd     `cmd:"" group:"addr" help:"Add unsubscribe links to a list: CSV of any size."`
	CheckMail checkMailCmd `cmd:"" name:"check-mail" group:"addr" help:"Check the links and headers of a rendered message."`
	Mail      mailCmd      `cmd:"" group:"addr" help:"Read one mail by which somebody unsubscribes; for mail servers to pipe into."`
	Token     tokenCmd     `cmd:"" group:"addr" help:"Look into the token of a link."`
	Import    importCmd    `cmd:"" group:"addr" help:"Read contacts or suppressions from a list: CSV of any size."`
	Export    exportCmd    `cmd:"" group:"addr" help:"Write all contacts or all suppressed addresses as CSV."`
	Keys      keysCmd      `cmd:"" group:"keys" help:"The keys that sign links, API keys, and the address key."`
	Users     usersCmd     `cmd:"" group:"keys" help:"Who may sign in to the administrators' pages."`
	Version   versionCmd   `cmd:"" group:"keys" help:"Print the version."`
}

// globals are the flags of every command.
type globals struct {
	Config    string  `placeholder:"FILE" help:"Configuration file (default ./strikeout.yaml where present)."`
	Database  *string `placeholder:"URL" help:"mysql://user:password@tcp(host)/name or sqlite:FILE."`
	DataDir   *string `placeholder:"DIR" help:"Keys and the SQLite file (default ./strikeout-data)."`
	PublicURL *string `name:"public-url" placeholder:"URL" help:"What links and providers call."`
	LogLevel  *string `placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogFormat *string `placeholder:"FORMAT" help:"text or json."`
}

// flags returns what was set, by configuration key.
func (g *globals) flags() map[string]string {
	return given(map[string]*string{"database": g.Database, "data_dir": g.DataDir, "public_url": g.PublicURL,
		"log_level": g.LogLevel, "log_format": g.LogFormat})
}

func given(flags map[string]*string) map[string]string {
	out := map[string]string{}
	for k, v := range flags {
		if v != nil {
			out[k] = *v
		}
	}
	return out
}

// config loads the configuration, with further flags of the command.
func (e *env) config(more map[string]string) (*config, error) {
	flags := e.globals.flags()
	for k, v := range more {
		flags[k] = v
	}
	file := e.globals.Config
	if file == "" {
		file = e.getenv("STRIKEOUT_CONFIG")
	}
	return loadConfig(file, flags, e.getenv)
}

// logger writes to stderr; stdout is for answers.
func (e *env) logger(c *config) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.logLevel}
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(e.stderr, opts))
	}
	return slog.New(slog.NewTextHandler(e.stderr, opts))
}

func (e *env) printf(format string, args ...any) { fmt.Fprintf(e.stdout, format, args...) }

// groups are the headings of --help.
var groups = []kong.Group{
	{Key: "run", Title: "Running it:"},
	{Key: "prov", Title: "Providers:"},
	{Key: "addr", Title: "Addresses and links:"},
	{Key: "keys", Title: "Keys and the rest:"},
}
