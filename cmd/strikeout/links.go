package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/strikeout/strikeout/handlers/admin"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/tokens"
	"github.com/strikeout/strikeout/tokens/linkcsv"
)

type linksCmd struct {
	In  string `arg:"" placeholder:"FILE" help:"The list: CSV or TSV of any size; - is standard input."`
	Out string `short:"o" required:"" placeholder:"FILE" help:"Where it goes, with the columns unsubscribe_url, list_unsubscribe and list_unsubscribe_post; - is standard output."`

	Rejects string `placeholder:"FILE" help:"Records that cannot be used, with line and reason (default: beside the output, OUT.rejects.csv)."`

	SendOut  string `placeholder:"NAME" help:"The send-out that the links belong to: at most 32 of A-Z a-z 0-9 _ . -"`
	Language string `placeholder:"TAG" help:"The language of the pages, such as fi, where no column says it."`
	Preview  bool   `help:"Links for test messages: their page opens and changes nothing."`
	Short    bool   `help:"Short links, which stand in a table of the database: 16 characters for text messages, 26 for e-mail."`
	SubOnly  bool   `help:"Only the column sub, for a minter outside who signs with a key of its own."`

	SkipSuppressed bool   `help:"Leave out who is blocked or opted out: a last look before the send-out."`
	SMSText        string `name:"sms-text" placeholder:"TEXT" help:"A text with {url}, and perhaps {column}: say how many messages (160 characters) it takes."`

	EmailColumn    string `placeholder:"NAME" help:"The column of e-mail addresses, by name or number; - for none (default: found by its name or content)."`
	PhoneColumn    string `placeholder:"NAME" help:"The column of phone numbers, likewise."`
	LanguageColumn string `placeholder:"NAME" help:"The column of languages, likewise."`
	Channel        string `enum:"auto,email,sms" default:"auto" help:"Whom a row with both is about: auto and email the e-mail address, sms the phone number."`
	Delimiter      string `placeholder:"CHAR" help:"comma, semicolon, tab or bar, or the character (default: detected)."`
	Encoding       string `placeholder:"NAME" help:"utf-8, utf-16le, utf-16be or windows-1252 (default: detected)."`
	Header         string `enum:"auto,yes,no" default:"auto" help:"Whether the first record holds the names of the columns."`
}

func (linksCmd) Help() string {
	return `Detects encoding, delimiter, header and columns, keeps every record as it is, and uses all cores. The output is UTF-8; it appears whole or not at all, readable by
you alone: whoever has a link can use it. Records without a usable address go into the rejects file and never stop the run. Only --short, --skip-suppressed and
a mailto with {code} ask the database.

    strikeout links recipients.csv -o with-links.csv --send-out spring --skip-suppressed
    strikeout links phones.csv -o with-links.csv --short --sms-text "Spring sale! Stop: {url}"
    gunzip < list.csv.gz | strikeout links - -o - | gzip > out.csv.gz`
}

var delimiterNames = map[string]byte{"": 0, "comma": ',', "semicolon": ';', "tab": '\t', `\t`: '\t', "bar": '|', ",": ',', ";": ';', "\t": '\t', "|": '|'}

func (cmd *linksCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	cfg, counts, err := cmd.config(e, c)
	if err != nil {
		return err
	}
	db, err := cmd.database(e, c, &cfg)
	if err != nil {
		return err
	}
	if db != nil {
		defer db.Close() //nolint:errcheck // nothing waits in it
	}
	in, size, err := openList(cmd.In)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // read only
	sum, rejects, err := cmd.write(e, in, size, cfg)
	if err != nil {
		return err
	}
	cmd.report(e, sum, rejects)
	if key, ok := counts(); ok && sum.Minted > 0 {
		e.countLinks(c, db, map[string]int64{key: int64(sum.Minted)})
	}
	return nil
}

// config is what the command line says. Counts returns the key that signs.
func (cmd *linksCmd) config(e *env, c *config) (cfg linkcsv.Config, counts func() (string, bool), err error) {
	counts = func() (string, bool) { return "", false }
	delim, ok := delimiterNames[cmd.Delimiter]
	switch {
	case !ok:
		return cfg, counts, usage("--delimiter: expected comma, semicolon, tab or bar")
	case !tokens.ValidSendOut(cmd.SendOut):
		return cfg, counts, usage("--send-out: at most 32 of A-Z a-z 0-9 _ . -")
	case !tokens.ValidLanguage(cmd.Language):
		return cfg, counts, usage("--language: expected a language tag such as fi or en-GB")
	case cmd.SubOnly && (cmd.Short || cmd.Preview || cmd.SMSText != ""):
		return cfg, counts, usage("--sub-only makes no links, so it goes without --short, --preview and --sms-text")
	}
	cfg = linkcsv.Config{Region: c.defaultRegion, Options: tokens.LinkOptions{SendOut: cmd.SendOut, Language: cmd.Language, Preview: cmd.Preview},
		SubOnly: cmd.SubOnly, Short: cmd.Short, SMSText: cmd.SMSText, Rand: e.rand, Now: e.now,
		Layout: listcsv.Layout{Encoding: cmd.Encoding, Delimiter: delim, Email: cmd.EmailColumn, Phone: cmd.PhoneColumn, Language: cmd.LanguageColumn}}
	if cmd.Header != "auto" {
		cfg.Layout.Header = listcsv.Header(cmd.Header)
	}
	if cmd.Channel != "auto" {
		cfg.Channel = recipient.Channel(cmd.Channel)
	}
	if cfg.Keyer, err = c.keyer(); err != nil {
		return cfg, counts, err
	}
	if cfg.Keyer == nil {
		return cfg, counts, c.errNoKeys("address key")
	}
	if cmd.SubOnly {
		return cfg, counts, nil
	}
	ring, err := c.ring()
	if err != nil {
		return cfg, counts, err
	}
	if ring == nil {
		return cfg, counts, c.errNoKeys("key that signs links")
	}
	cfg.Linker, err = newLinker(c, cfg.Keyer, func() *tokens.Ring { return ring }, e.now)
	return cfg, func() (string, bool) { k, ok := ring.Active(); return k.ID, ok }, err
}

// database opens it where something of it is needed.
func (cmd *linksCmd) database(e *env, c *config, cfg *linkcsv.Config) (*store.DB, error) {
	codes := !cmd.SubOnly && (cmd.Short || cfg.Linker.NeedsCode())
	if !cmd.SkipSuppressed && !codes {
		return nil, nil
	}
	db, _, err := e.openStore(c, e.logger(c), nil)
	if err != nil {
		return nil, err
	}
	if cmd.SkipSuppressed {
		cfg.Suppressed = admin.LinkSuppressed(db)
	}
	if codes {
		cfg.Codes = admin.LinkCodes(db)
	}
	return db, nil
}

// openList opens the input; size is 0 where nobody knows it.
func openList(name string) (in *os.File, size int64, err error) {
	if name == "-" {
		return os.Stdin, 0, nil
	}
	f, err := os.Open(name) //nolint:gosec // the user names it
	if err != nil {
		return nil, 0, usage("%w", err)
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	return f, size, nil
}

// write runs the list. It returns where the rejects went; empty: nowhere.
func (cmd *linksCmd) write(e *env, in io.Reader, size int64, cfg linkcsv.Config) (sum linkcsv.Summary, rejects string, err error) {
	out := e.stdout
	var file *newFile
	if cmd.Out != "-" {
		if file, err = beginFile(cmd.Out); err != nil {
			return sum, "", err
		}
		defer file.discard()
		out = file
	}
	bad := &lateFile{name: cmd.rejects()}
	defer bad.discard()
	if bad.name != "" {
		cfg.Rejects = bad
	}
	meter := newMeter(e.stderr, in, size, "links")
	cfg.Progress = func(s linkcsv.Summary) { meter.show(s.Rows) }
	sum, err = linkcsv.Run(e.ctx, meter, out, cfg)
	meter.clear()
	var list *linkcsv.ListError
	switch {
	case errors.As(err, &list):
		return sum, "", usage("%s: %w", cmd.In, err)
	case errors.Is(err, context.Canceled):
		return sum, "", errors.New("links: stopped; nothing was written")
	case err != nil:
		return sum, "", fmt.Errorf("links: %w", err)
	}
	if err = bad.commit(); err != nil {
		return sum, "", err
	}
	if file != nil {
		err = file.commit()
	}
	if bad.file == nil {
		return sum, "", err
	}
	return sum, bad.name, err
}

func (cmd *linksCmd) rejects() string {
	if cmd.Rejects != "" || cmd.Out == "-" {
		return cmd.Rejects
	}
	ext := filepath.Ext(cmd.Out)
	return strings.TrimSuffix(cmd.Out, ext) + ".rejects.csv"
}

// report says on stderr what came of it.
func (cmd *linksCmd) report(e *env, s linkcsv.Summary, rejects string) {
	say := func(format string, args ...any) { fmt.Fprintf(e.stderr, format+"\n", args...) }
	text := fmt.Sprintf("%d of %d recipients written", s.Written, s.Rows)
	if cmd.SkipSuppressed {
		text += fmt.Sprintf(", %d blocked or opted out and left out", s.Suppressed)
	}
	say("%s (%s, columns %s)", text, s.Encoding, strings.Join(s.Columns, ", "))
	if s.Rejected > 0 {
		where := "--rejects FILE keeps them"
		if rejects != "" {
			where = "see " + rejects
		}
		say("%d rejected, the first on line %d: %v; %s", s.Rejected, s.FirstLine, s.First, where)
	}
	if cmd.SMSText == "" || s.Written == 0 {
		return
	}
	say("text messages: %d in one part, %d in two, %d in more (at most %d parts)", s.SMS.One, s.SMS.Two, s.SMS.More, s.SMS.Longest)
	if s.SMS.UCS2 > 0 {
		say("%d have a character that is not in the GSM alphabet, the first is %q: they take 70 characters instead of 160", s.SMS.UCS2, s.SMS.Other)
	}
}

// countWait is how long a command waits to count links. A count that is lost
// does no harm.
const countWait = 2 * time.Second

// countLinks tells the database how many links a key has signed, where there is
// one: minting itself needs none.
func (e *env) countLinks(c *config, db *store.DB, issued map[string]int64) {
	ctx, cancel := context.WithTimeout(e.ctx, countWait)
	defer cancel()
	if db == nil {
		var err error
		if db, err = e.existing(ctx, c); err != nil {
			return
		}
		defer db.Close() //nolint:errcheck // nothing waits in it
	}
	if err := db.CountLinks(ctx, issued); err != nil {
		e.logger(c).Debug("cannot count the links", "err", err)
	}
}

// linkCounts returns the counts by key; false when nobody knows.
func (e *env) linkCounts(c *config) (map[string]store.LinkCount, bool) {
	ctx, cancel := context.WithTimeout(e.ctx, countWait)
	defer cancel()
	db, err := e.existing(ctx, c)
	if err != nil {
		return nil, false
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	n, err := db.LinkCounts(ctx)
	return n, err == nil
}

// existing opens the database unless that would make one.
func (e *env) existing(ctx context.Context, c *config) (*store.DB, error) {
	if name, ok := strings.CutPrefix(c.database, "sqlite:"); ok {
		if _, err := os.Stat(name); err != nil {
			return nil, err //nolint:wrapcheck // nobody sees it
		}
	}
	keyer, err := c.keyer()
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, store.Config{URL: c.database, Keyer: keyer, Now: e.now}) //nolint:wrapcheck // nobody sees it
}
