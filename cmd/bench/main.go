// Bench measures Strikeout: how near it comes to what the machine and the
// database can do, and that nothing is lost on the way.
//
//	go run ./cmd/bench                     # the usual parts, in minutes; writes docs/benchmarks.md
//	go run ./cmd/bench -full               # with the large sizes
//	go run ./cmd/bench -only ingest,check  # some parts; their sections of the document are replaced
//	go run ./cmd/bench -only soak -soak 10m
//	go run ./cmd/bench -only kill -kills 20
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// part is a section of the document and how it is measured.
type part struct {
	name    string
	says    string
	usually bool // without -only
	run     func(e *bench, ctx context.Context) (*section, error)
}

// parts stand in the order of the document.
var parts []part

func init() { //nolint:gochecknoinits // the parts use the list themselves
	parts = []part{
		{"ingest", "single events on MariaDB", true, (*bench).ingest},
		{"arrays", "SendGrid: single events and arrays, on MariaDB", true, (*bench).arrays},
		{"sqlite", "single events on SQLite", true, (*bench).sqlite},
		{"duplicates", "repeated events", true, (*bench).duplicates},
		{"check", "10 000 addresses before a send-out", true, (*bench).check},
		{"size", "many addresses against few: with -full, or -large", true, (*bench).size},
		{"start", "start and size of the program", true, (*bench).start},
		{"tokens", "minting, and links on a list", true, (*bench).tokens},
		{"pages", "pages and clicks", true, (*bench).pages},
		{"desk", "an administrator's pages, and an import of contacts", true, (*bench).desk},
		{"imports", "lists of contacts and suppressions into new databases", false, (*bench).imports},
		{"remote", "a database that is round trips away", true, (*bench).remote},
		{"scale", "bytes of events and addresses", true, (*bench).scale},
		{"soak", "the service at 70 % of its peak, for the time of -soak", false, (*bench).soakIt},
		{"kill", "SIGKILL to the service and to MariaDB under load", false, (*bench).kill},
		{"galera", "a cluster of three nodes, one of them killed", false, (*bench).galera},
		{"adapters", "Verify and Parse of each provider", true, (*bench).adapters},
	}
}

func main() {
	if mode := os.Getenv(childMode); mode != "" {
		if err := child(mode); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures what the arguments say.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	e := &bench{out: stderr, commandLine: strings.TrimSpace("go run ./cmd/bench " + strings.Join(args, " "))}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, "Measures Strikeout and writes the document.\n\nParts:\n")
		for _, p := range parts {
			note := ""
			if !p.usually {
				note = " (only when named)"
			}
			fmt.Fprintf(stderr, "  %-11s %s%s\n", p.name, p.says, note)
		}
		fmt.Fprint(stderr, "\nOptions:\n")
		f.PrintDefaults()
	}
	only := f.String("only", "", "parts to measure, separated by commas; all is every one")
	document := f.String("o", "docs/benchmarks.md", "the document whose sections are replaced; - writes them to standard output")
	dir := f.String("dir", ".bin", "where databases are made, on the disk to be measured")
	keep := f.Bool("keep", false, "keep the databases and logs")
	full := f.Bool("full", false, "large sizes: 10 million addresses, lists of 5 million rows")
	f.BoolVar(&e.short, "short", false, "seconds only: shows that it runs, measures nothing")
	f.DurationVar(&e.long, "long", 2*time.Second, "one measurement")
	f.IntVar(&e.rounds, "rounds", 3, "measurements of each figure")
	f.IntVar(&e.extra, "extra", 2, "at most so many more in place of those that other programs disturbed")
	f.DurationVar(&e.patience, "patience", 3*time.Second, "how long to wait for a quiet machine before each measurement")
	f.DurationVar(&e.within, "within", 9*time.Minute, "when half of this has passed, nothing waits for a quiet machine or is measured again")
	f.IntVar(&e.addresses, "addresses", 1_000_000, "addresses in the database")
	f.IntVar(&e.large, "large", 0, "addresses of the parts size and check (default: as many, with -full 10 million)")
	f.IntVar(&e.listRows, "list", 300_000, "rows of the list of links")
	f.IntVar(&e.events, "events", 300_000, "events whose storage is measured")
	f.StringVar(&e.pool, "pool", "1G", "MariaDB's buffer pool")
	f.DurationVar(&e.soak, "soak", 10*time.Minute, "length of the part soak")
	f.IntVar(&e.kills, "kills", 20, "kills of the service and of MariaDB each, in the part kill")
	if err := f.Parse(args); err != nil {
		return err //nolint:wrapcheck // printed already
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected %q; parts are named by -only", f.Arg(0))
	}
	set := map[string]bool{}
	f.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if *full {
		for name, large := range map[string]string{"large": "10000000", "list": "5000000", "events": "3000000", "pool": "6G"} {
			if !set[name] {
				_ = f.Set(name, large)
			}
		}
	}
	if e.large == 0 {
		e.large = e.addresses
	}
	if e.short {
		e.shorten()
	}
	if e.rounds < 1 || e.long <= 0 || e.addresses < 1000 || e.large < 1000 {
		return errors.New("-rounds has to be 1 or more, -long positive, and -addresses and -large 1000 or more")
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*dir, 0o700); err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	if e.dir, err = os.MkdirTemp(*dir, "bench-"); err == nil {
		e.dir, err = filepath.Abs(e.dir) // MariaDB changes its directory
	}
	if err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	if *keep {
		e.progress("everything is kept in %s", e.dir)
	} else {
		defer os.RemoveAll(e.dir) //nolint:errcheck // as far as it goes
	}
	defer e.close()
	began := time.Now()
	e.hurry = began.Add(e.within / 2)
	if err := e.prepare(ctx); err != nil {
		return err
	}
	var sections []*section
	var failed error
	for _, p := range chosen {
		if p.name == "size" && e.large <= e.addresses {
			continue
		}
		e.progress("%s: %s", p.name, p.says)
		s, err := p.run(e, ctx)
		if err != nil { // the other parts' figures are still worth having
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.name, err))
			e.progress("  failed: %v", err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		s.name = p.name
		sections = append(sections, s)
		for _, g := range s.figures {
			e.progress("  %-52s %10s   %s", g.what, g.show(g.value), g.verdict())
		}
	}
	e.progress("took %s", time.Since(began).Round(time.Second))
	if *document == "-" {
		for _, s := range sections {
			fmt.Fprintln(stdout, s.markdown(time.Now(), e.commandLine))
		}
	} else if len(sections) > 0 {
		failed = errors.Join(failed, e.write(*document, sections, time.Now()))
	}
	return failed
}

// shorten makes everything as small as it can be and still be everything.
func (e *bench) shorten() {
	e.long, e.rounds, e.extra, e.patience = 200*time.Millisecond, 1, 0, 0
	e.addresses, e.large, e.listRows, e.events, e.pool = 3000, 12_000, 2000, 4000, "64M"
	e.soak, e.kills = 2*time.Second, 1
}

func choose(only string) ([]part, error) {
	var chosen []part
	if only == "" || only == "all" {
		for _, p := range parts {
			if p.usually || only == "all" {
				chosen = append(chosen, p)
			}
		}
		return chosen, nil
	}
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("-only: there is no part %q; -help lists them", name)
		}
		chosen = append(chosen, parts[i])
	}
	return chosen, nil
}
