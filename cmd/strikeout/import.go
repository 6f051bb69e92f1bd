package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/recipient/listcsv"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/port"
)

type importCmd struct {
	File string `arg:"" placeholder:"FILE" help:"The list: CSV or TSV of any size; - is standard input."`

	Kind     string `enum:"auto,contacts,suppressions" default:"auto" help:"What it holds: contacts or suppressions (default: what its header says)."`
	DryRun   bool   `help:"Change nothing; say what would change."`
	As       string `enum:"opt_out,block,hard_bounce,complaint,soft_bounce" default:"opt_out" help:"What a suppression means that does not say so itself: opt_out, block, hard_bounce, complaint or soft_bounce."`
	ListedAt string `placeholder:"DATE" help:"When the list was taken from its tool: entries without a date count as of then. Default: they count as older than any unblock or opt-in."`

	AcceptShared bool   `help:"Let contacts have an address that belongs to another contact."`
	Rejects      string `placeholder:"FILE" help:"Records that cannot be used, with line and reason (default: beside the list, FILE.rejects.csv)."`

	IDColumn       string `name:"id-column" placeholder:"NAME" help:"The column of the contacts' ids, by name or number; - for none (default: found by its name)."`
	NameColumn     string `placeholder:"NAME" help:"The column of names, likewise."`
	LanguageColumn string `placeholder:"NAME" help:"The column of languages, likewise."`
	EmailColumn    string `placeholder:"NAME" help:"The column of e-mail addresses, likewise."`
	PhoneColumn    string `placeholder:"NAME" help:"The column of phone numbers, likewise."`
	KindColumn     string `placeholder:"NAME" help:"The column that says what happened, likewise."`
	DateColumn     string `placeholder:"NAME" help:"The column that says when, likewise."`
	Delimiter      string `placeholder:"CHAR" help:"comma, semicolon, tab or bar, or the character (default: detected)."`
	Encoding       string `placeholder:"NAME" help:"utf-8, utf-16le, utf-16be or windows-1252 (default: detected)."`
	Header         string `enum:"auto,yes,no" default:"auto" help:"Whether the first record holds the names of the columns."`
}

func (importCmd) Help() string {
	return `Contacts have an id, a name, a language, an e-mail address and a phone number; what a cell leaves empty stays as it is. Suppressions have an address, what
happened and when. The lists of Amazon SES, SendGrid, Mailgun, Postmark, listmonk and Mautic are known by their headers, and so are our own exports.

An import can only tighten. It never unblocks, and opts in only where the columns consent_source, consent_wording and consent_at say so, and only against what is
older. The same list again changes nothing, so an import that was interrupted is simply run again. Records that cannot be used go into the rejects file.

    strikeout import suppression_bounces.csv --dry-run
    strikeout import contacts.csv
    strikeout import do-not-call.txt --kind suppressions --as opt_out --listed-at 2026-11-20`
}

func (cmd *importCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	cfg, err := cmd.config(e, c)
	if err != nil {
		return err
	}
	cfg.Together = mysqlTogether
	lite := strings.HasPrefix(c.database, "sqlite:")
	if lite {
		cfg.Together = sqliteTogether
	}
	db, keyer, err := e.openStore(c, e.logger(c), nil, func(sc *store.Config) {
		if sc.Bulk = true; lite {
			sc.BatchEvents = cfg.Together
		}
	})
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	cfg.Store, cfg.Keyer = db, keyer
	in, size, err := openList(cmd.File)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // read only
	cfg.By = store.By{Actor: store.CommandLine}
	cfg.Audit = func(a store.AuditEntry) error { return db.Audit(context.WithoutCancel(e.ctx), a) } //nolint:wrapcheck // port does
	sum, rejects, err := cmd.read(e, in, size, cfg)
	if err != nil {
		return err
	}
	cmd.report(e, sum, rejects)
	return nil
}

const (
	// sqliteTogether is as much as a service on the same file can wait for: about a
	// second.
	sqliteTogether = 20_000
	// mysqlTogether: there, others wait for the same addresses alone.
	mysqlTogether = 10_000
)

// config is what the command line says.
func (cmd *importCmd) config(e *env, c *config) (cfg port.Config, err error) {
	delim, ok := delimiterNames[cmd.Delimiter]
	if !ok {
		return cfg, usage("--delimiter: expected comma, semicolon, tab or bar")
	}
	cfg = port.Config{As: recipient.Kind(cmd.As), FileName: filepath.Base(cmd.File), Region: c.defaultRegion, AcceptShared: cmd.AcceptShared, DryRun: cmd.DryRun,
		Actor: store.CommandLine, Now: e.now, Layout: listcsv.Layout{Encoding: cmd.Encoding, Delimiter: delim},
		Columns: port.Columns{ID: cmd.IDColumn, Name: cmd.NameColumn, Language: cmd.LanguageColumn, Email: cmd.EmailColumn, Phone: cmd.PhoneColumn, Kind: cmd.KindColumn, Date: cmd.DateColumn}}
	if cmd.Kind != "auto" {
		cfg.Kind = port.Kind(cmd.Kind)
	}
	if cmd.Header != "auto" {
		cfg.Layout.Header = listcsv.Header(cmd.Header)
	}
	if cfg.ListedAt, err = port.ParseTime(cmd.ListedAt); err != nil {
		return cfg, usage("--listed-at: expected a date such as 2026-11-24")
	}
	if cfg.ListedAt.After(e.now()) {
		return cfg, usage("--listed-at: is in the future")
	}
	return cfg, nil
}

// read runs the list. It returns where the rejects went; empty: nowhere.
func (cmd *importCmd) read(e *env, in io.Reader, size int64, cfg port.Config) (sum port.Summary, rejects string, err error) {
	bad := &lateFile{name: cmd.rejects()}
	defer bad.discard()
	if bad.name != "" {
		cfg.Rejects = bad
	}
	meter := newMeter(e.stderr, in, size, "import")
	cfg.Progress = func(s port.Summary) { meter.show(s.Rows) }
	sum, err = port.Import(e.ctx, meter, cfg)
	meter.clear()
	var list *port.ListError
	switch {
	case errors.As(err, &list):
		return sum, "", usage("%s: %w%s", cmd.File, err, hint(err))
	case errors.Is(err, context.Canceled):
		return sum, "", fmt.Errorf("import: stopped after %d records; run it again, nothing counts twice", sum.Rows)
	case err != nil:
		return sum, "", fmt.Errorf("import: after %d records: %w; run it again, nothing counts twice", sum.Rows, err)
	}
	if err = bad.commit(); err != nil || bad.file == nil {
		return sum, "", err
	}
	return sum, bad.name, nil
}

// hint names the flag that helps.
func hint(err error) string {
	if errors.Is(err, port.ErrNoKind) {
		return " (--kind)"
	}
	return ""
}

func (cmd *importCmd) rejects() string {
	if cmd.Rejects != "" || cmd.File == "-" {
		return cmd.Rejects
	}
	ext := filepath.Ext(cmd.File)
	return strings.TrimSuffix(cmd.File, ext) + ".rejects.csv"
}

// report says what came of it.
func (cmd *importCmd) report(e *env, s port.Summary, rejects string) {
	e.printf("%s\n", strings.Join(s.Lines(), "\n"))
	if s.Rejected > 0 {
		where := "--rejects FILE keeps them"
		if rejects != "" {
			where = "see " + rejects
		}
		fmt.Fprintf(e.stderr, "%d rejected, the first on line %d: %s; %s\n", s.Rejected, s.FirstLine, s.FirstReason, where)
	}
}

type exportCmd struct {
	What string `arg:"" enum:"contacts,suppressions" placeholder:"WHAT" help:"contacts or suppressions (addresses that are blocked or opted out)."`
	Out  string `short:"o" default:"-" placeholder:"FILE" help:"Where it goes; - is standard output."`
}

func (exportCmd) Help() string {
	return `Writes CSV in UTF-8, of any size. What a spreadsheet would take for a formula begins with an apostrophe; strikeout import takes it off again. A file appears whole
or not at all, readable by you alone.

    strikeout export suppressions -o suppressions.csv
    strikeout export contacts | gzip > contacts.csv.gz`
}

func (cmd *exportCmd) Run(e *env) error {
	c, err := e.config(nil)
	if err != nil {
		return err
	}
	db, _, err := e.openStore(c, e.logger(c), nil)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // nothing waits in it
	out := e.stdout
	var file *newFile
	if cmd.Out != "-" {
		if file, err = beginFile(cmd.Out); err != nil {
			return err
		}
		defer file.discard()
		out = file
	}
	// Before the first byte: what was taken out stands in the log.
	if err := db.Audit(e.ctx, port.Exported(port.Kind(cmd.What), store.By{Actor: store.CommandLine})); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	meter := newMeter(e.stderr, strings.NewReader(""), 0, "export")
	began := time.Now()
	n, err := port.Export(e.ctx, out, db, port.Kind(cmd.What), func(rows int) error { meter.show(rows); return nil })
	meter.clear()
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if file != nil {
		if err := file.commit(); err != nil {
			return err
		}
		fmt.Fprintf(e.stderr, "%d rows in %s\n", n, time.Since(began).Round(time.Millisecond))
	}
	return nil
}
