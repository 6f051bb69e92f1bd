package main

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"time"

	"github.com/strikeout/strikeout/handlers"
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/mailgun"
	"github.com/strikeout/strikeout/providers/sendgrid"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storebench"
	"github.com/strikeout/strikeout/templates"
	"github.com/strikeout/strikeout/tokens"
)

// childMode names the variable that makes this program one of the services
// that the real one is measured against. They are processes of their own, so
// that each one's CPU time can be told.
const childMode = "STRIKEOUT_BENCH_CHILD"

// What such a service leaves out.
const (
	modeNoStore  = "no store"    // the same handler; events go nowhere
	modeVerify   = "verify only" // signatures are checked, nothing is read
	modeNaive    = "naive"       // a transaction for each request
	modeCopyCSV  = "copy csv"    // no service: standard input to standard output by encoding/csv
	naivePool    = 64            // connections to MariaDB
	childStorage = 8             // seconds a request may wait
)

func child(mode string) error {
	if mode == modeCopyCSV {
		return copyCSV(os.Stdin, os.Stdout)
	}
	debug.SetGCPercent(150) // as `strikeout serve` does
	raw, err := hex.DecodeString(os.Getenv("BENCH_ADDRESS_KEY"))
	if err != nil {
		return fmt.Errorf("address key: %w", err)
	}
	keyer, err := recipient.NewKeyer(raw)
	if err != nil {
		return fmt.Errorf("address key: %w", err)
	}
	st := handlers.Store(nowhere{})
	if mode == modeNaive {
		db, err := storebench.Open(os.Getenv("BENCH_DATABASE"), naivePool)
		if err != nil {
			return fmt.Errorf("open the database: %w", err)
		}
		st = naive{Naive: storebench.Naive{DB: db}}
	}
	pages, err := templates.NewWatcher(templates.WatcherConfig{})
	if err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	key, err := tokens.GenerateKey(rand.Reader, time.Now(), tokens.HS256)
	if err != nil {
		return fmt.Errorf("token key: %w", err)
	}
	ring, err := tokens.NewRing([]tokens.Key{key})
	if err != nil {
		return fmt.Errorf("token key: %w", err)
	}
	current := func() *tokens.Ring { return ring }
	linker, err := tokens.NewLinker(tokens.LinkerConfig{Ring: current, Keyer: keyer, PublicURL: "https://u.example.com"})
	if err != nil {
		return fmt.Errorf("links: %w", err)
	}
	endpoints := map[string]handlers.Endpoint{}
	for _, p := range []struct {
		info     providers.Info
		settings providers.Settings
	}{{mailgun.Info, providers.Set("signing_secret", os.Getenv("BENCH_MAILGUN"))}, {sendgrid.Info, providers.Set("public_key", os.Getenv("BENCH_SENDGRID"))}} {
		a, err := p.info.New(p.settings)
		if err != nil {
			return fmt.Errorf("endpoint %s: %w", p.info.Name, err)
		}
		if mode == modeVerify {
			a = verifier{a}
		}
		endpoints[p.info.Name] = handlers.Endpoint{Info: p.info, Adapter: a}
	}
	srv, err := handlers.New(handlers.Config{Store: st, Keyer: keyer, Ring: current, Linker: linker, Pages: pages, Endpoints: endpoints,
		PublicURL: "https://u.example.com", Limits: handlers.Limits{StoreTimeout: childStorage * time.Second}})
	if err != nil {
		return fmt.Errorf("service: %w", err)
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", anyPort)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Printf("listens on http://%s \n", ln.Addr()) //nolint:forbidigo // what the parent waits for
	return srv.Serve(ln)                             //nolint:wrapcheck // it says where it comes from
}

// nowhere is a store that forgets. Methods that a webhook does not need would
// panic.
type nowhere struct{ handlers.Store }

func (nowhere) Ping(context.Context) error           { return nil }
func (nowhere) Pending(context.Context) (int, error) { return 0, nil }
func (nowhere) Record(_ context.Context, events []recipient.Event) (store.Recorded, error) {
	return store.Recorded{Stored: len(events)}, nil
}
func (nowhere) Meta(context.Context, string) (string, bool, error)       { return "", false, nil }
func (nowhere) SetMeta(context.Context, string, string) error            { return nil }
func (nowhere) QuarantineCounts(context.Context) (map[string]int, error) { return nil, nil }
func (nowhere) CountLinks(context.Context, map[string]int64) error       { return nil }

func (nowhere) RollUp(context.Context) (int, bool, error)                              { return 0, false, nil }
func (nowhere) Brake(context.Context) ([]store.Incident, error)                        { return nil, nil }
func (nowhere) HealthOf(context.Context, []string) ([]store.Health, error)             { return nil, nil }
func (nowhere) CountTraffic(context.Context, []store.Traffic, []store.Rejection) error { return nil }

// naive is a store that writes each request in a transaction of its own.
type naive struct {
	nowhere
	storebench.Naive
}

func (n naive) Record(ctx context.Context, events []recipient.Event) (store.Recorded, error) {
	if err := n.Naive.Record(ctx, events); err != nil {
		return store.Recorded{}, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	return store.Recorded{Stored: len(events)}, nil
}

// verifier checks signatures and reads nothing.
type verifier struct{ providers.Adapter }

func (verifier) Parse(*providers.Request) ([]recipient.Event, error) { return nil, nil }

// copyCSV copies a list by encoding/csv, the measure of `strikeout links`.
func copyCSV(in io.Reader, out io.Writer) error {
	r := csv.NewReader(in)
	r.ReuseRecord = true
	w := csv.NewWriter(out)
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			w.Flush()
			return w.Error() //nolint:wrapcheck // a yardstick
		}
		if err == nil {
			err = w.Write(rec)
		}
		if err != nil {
			return err //nolint:wrapcheck // a yardstick
		}
	}
}
