package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// refuseCode makes the database refuse events with the code "poison", which
// nothing in front of it does.
func refuseCode(t *testing.T, db *store.DB) {
	t.Helper()
	trigger := "CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW BEGIN IF NEW.code = 'poison' OR NEW.actor = 'poison' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'; END IF; END"
	if db.Kind() == "sqlite" {
		trigger = "CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.code = 'poison' OR NEW.actor = 'poison' BEGIN SELECT RAISE(ABORT, 'no'); END"
	}
	if _, err := store.SQL(db).ExecContext(t.Context(), trigger); err != nil {
		t.Fatal(err)
	}
}

func TestPoisonCostsOnlyItself(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		refuseCode(t, db)
		var work sync.WaitGroup
		for w := range 8 {
			work.Go(func() {
				events := make([]recipient.Event, 100)
				for i := range events {
					events[i] = report(nth(w*100+i), recipient.HardBounce, fmt.Sprint(w, "-", i), noon, noon)
				}
				events[17].Code, events[91].Code = "poison", "poison"
				events[50].Kind = "nonsense" // refused before it reaches the database
				r, err := db.Record(t.Context(), events)
				if err != nil || r.Stored != 97 || len(r.Refused) != 3 || r.Duplicates != 0 {
					t.Errorf("got %d stored, %d refused, %v; want 97, 3", r.Stored, len(r.Refused), err)
				}
				for _, e := range r.Refused {
					if e.Code != "poison" && e.Kind != "nonsense" {
						t.Errorf("refused %s", e.EventID)
					}
				}
			})
		}
		work.Wait()
		if _, err := db.Recipient(t.Context(), keyer.Key(nth(17))); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a refused event left a state: %v", err)
		}
		clean(t, db)
	})
}

// An act that the database refuses does not spoil those of the same moment.
func TestPoisonActCostsOnlyItself(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		refuseCode(t, db)
		var work sync.WaitGroup
		for i := range 60 {
			work.Go(func() {
				a := nth(i)
				switch i % 3 {
				case 0:
					if out, err := db.Click(t.Context(), click(a, "t")); err != nil || !out.Changed {
						t.Errorf("click: got %+v, %v", out, err)
					}
				case 1:
					var none *store.UndoError
					if _, err := db.Undo(t.Context(), undo(a, "t"), time.Hour); !errors.As(err, &none) {
						t.Errorf("undo: got %v, want an UndoError", err)
					}
				case 2:
					if _, err := db.Act(t.Context(), store.Act{Kind: recipient.Block, Channel: recipient.Email, Key: keyer.Key(a), Source: recipient.FromAPI, Actor: "poison"}); err == nil {
						t.Error("a refused act succeeded")
					}
				}
			})
		}
		work.Wait()
		clean(t, db)
	})
}

// Refusals before the database are the same on both.
func TestRefusedEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		for name, change := range map[string]func(*recipient.Event){
			"no key":         func(e *recipient.Event) { e.Key = recipient.Key{} },
			"no fingerprint": func(e *recipient.Event) { e.Fingerprint = recipient.Fingerprint{} },
			"kind":           func(e *recipient.Event) { e.Kind = "x" },
			"channel":        func(e *recipient.Event) { e.Channel = "fax" },
			"source":         func(e *recipient.Event) { e.Source = "" },
			"no time":        func(e *recipient.Event) { e.At = time.Time{} },
			"an echo's time": func(e *recipient.Event) { e.At = recipient.EchoAt },
			"no arrival":     func(e *recipient.Event) { e.ReceivedAt = time.Time{} },
			"long code":      func(e *recipient.Event) { e.Code = fmt.Sprintf("%0200d", 1) },
			"not UTF-8":      func(e *recipient.Event) { e.Detail = "\xff" },
		} {
			e := report(nth(1), recipient.HardBounce, name, noon, noon)
			change(&e)
			if r := record(t, db, e, report(nth(2), recipient.Delivered, name, noon, noon)); len(r.Refused) != 1 || r.Stored != 1 {
				t.Errorf("%s: got %d refused, %d stored", name, len(r.Refused), r.Stored)
			}
		}
	})
}

// Sixteen workers write batches over the same few addresses, from two
// processes: no event fails and none is lost.
func TestDeadlockStorm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		dbs := []*store.DB{open(store.Config{BatchEvents: 50}), open(store.Config{BatchEvents: 50})}
		var stored atomic.Int64
		var work sync.WaitGroup
		const rounds, size = 8, 60
		for w := range 16 {
			work.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(w), 1))
				for round := range rounds {
					events := make([]recipient.Event, size)
					for i := range events {
						events[i] = report(nth(rng.IntN(40)), recipient.Kinds[rng.IntN(len(recipient.Kinds))], fmt.Sprint(w, round, i), noon.Add(-time.Duration(rng.IntN(1000))*time.Second), noon)
					}
					db := dbs[w%2]
					if err := patiently(db, func() error {
						r, err := db.Record(t.Context(), events)
						stored.Add(int64(r.Stored))
						return err
					}); err != nil {
						t.Errorf("worker %d: %v", w, err)
					}
					c := click(nth(rng.IntN(40)), fmt.Sprint(w, round))
					if err := patiently(db, func() error { _, err := db.Click(t.Context(), c); return err }); err != nil {
						t.Errorf("worker %d: click: %v", w, err)
					}
				}
			})
		}
		work.Wait()
		if got := stored.Load(); got != 16*rounds*size {
			t.Errorf("stored %d, want %d", got, 16*rounds*size)
		}
		clean(t, dbs[0])
	})
}

// Every event is sent twice, at the same time, to two processes: it counts once.
func TestDuplicatesUnderConcurrency(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		dbs := []*store.DB{open(store.Config{}), open(store.Config{})}
		var stored, dups atomic.Int64
		var work sync.WaitGroup
		const n = 400
		for i := range n {
			for _, db := range dbs {
				work.Go(func() {
					e := report(nth(i%50), recipient.HardBounce, fmt.Sprint(i), time.Time{}, noon.Add(time.Duration(i)*time.Microsecond))
					r, err := db.Record(t.Context(), []recipient.Event{e, report(nth(i%50), recipient.Delivered, fmt.Sprint(i), noon, noon)})
					if err != nil {
						t.Error(err)
					}
					stored.Add(int64(r.Stored))
					dups.Add(int64(r.Duplicates))
				})
			}
		}
		work.Wait()
		if stored.Load() != 2*n || dups.Load() != 2*n {
			t.Errorf("stored %d, duplicates %d; want %d each", stored.Load(), dups.Load(), 2*n)
		}
		clean(t, dbs[0])
	})
}

func TestNobodyIsMistakenForAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		record(t, db, report(email(t, "é@x.fi"), recipient.OptOut, "1", noon, noon), report(email(t, "A@X.fi"), recipient.OptOut, "2", noon, noon))
		keys := map[string]bool{"é@x.fi": true, "e\u0301@x.fi": true, "e@x.fi": false, "a@x.fi": true, "A@X.FI": true, "ä@x.fi": false}
		for a, want := range keys {
			k := keyer.Key(email(t, a))
			got, err := db.States(t.Context(), []recipient.Key{k, k})
			if err != nil || got[k].OptedOut() != want {
				t.Errorf("%s: got %v, %v; want %v", a, got[k].OptedOut(), err, want)
			}
		}
	})
}

func TestStatesInBulk(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		var events []recipient.Event
		var keys []recipient.Key
		for i := range 10_000 {
			keys = append(keys, keyer.Key(nth(i)))
			if i%2 == 0 {
				events = append(events, report(nth(i), recipient.HardBounce, fmt.Sprint(i), noon, noon))
			}
		}
		record(t, db, events...)
		got, err := db.States(t.Context(), keys)
		if err != nil || len(got) != 5000 {
			t.Fatalf("got %d, %v; want 5000", len(got), err)
		}
		for i, k := range keys {
			if got[k].Blocked() != (i%2 == 0) {
				t.Fatalf("address %d: got %+v", i, got[k])
			}
		}
	})
}

func TestHistoryPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		for i := range 25 { // many at the same moment
			record(t, db, report(nth(1), recipient.Delivered, fmt.Sprint(i), noon.Add(time.Duration(i/10)*time.Second), noon.Add(time.Hour)))
		}
		var ids []string
		for before := ""; ; {
			page, next, err := db.History(t.Context(), keyer.Key(nth(1)), 4, before)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				ids = append(ids, e.EventID)
			}
			if before = next; next == "" {
				break
			}
		}
		for i, id := range ids {
			if want := fmt.Sprint(24 - i); id != want {
				t.Fatalf("at %d: got %s, want %s", i, id, want)
			}
		}
		if len(ids) != 25 {
			t.Errorf("got %d events, want 25", len(ids))
		}
		if _, _, err := db.History(t.Context(), keyer.Key(nth(1)), 4, "junk"); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("a wrong cursor: got %v", err)
		}
	})
}

// The queue is bounded, half of it for one endpoint, and nobody waits longer
// than their context. A lock of the table keeps the committer busy.
func TestQueueIsBounded(t *testing.T) {
	db := storetest.Open(t, store.Config{URL: storetest.SQLite(t), QueueEvents: 20})
	tx, err := store.SQL(db).BeginTxx(t.Context(), nil) // the only writer
	if err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	send := func(endpoint string, id int) {
		e := recipient.Event{Kind: recipient.Delivered, Address: nth(id), At: noon, Source: recipient.FromProvider, IDParts: []string{fmt.Sprint(id)}}
		waiting.Go(func() {
			if _, err := db.Record(context.WithoutCancel(t.Context()), []recipient.Event{keyer.Seal(e, endpoint, noon)}); err != nil {
				t.Errorf("%s %d: %v", endpoint, id, err)
			}
		})
	}
	try := func(endpoint string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		e := recipient.Event{Kind: recipient.Delivered, Address: nth(999), At: noon, Source: recipient.FromProvider, IDParts: []string{"try"}}
		_, err := db.Record(ctx, []recipient.Event{keyer.Seal(e, endpoint, noon)})
		return err
	}
	queued := func(want int) {
		t.Helper()
		for end := time.Now().Add(time.Minute); store.Queued(db) != want; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("queued %d, want %d", store.Queued(db), want)
			}
		}
	}
	for i := range 10 {
		send("flood", i)
	}
	queued(10)
	if err := try("flood"); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("more of a flooding endpoint: got %v, want a refusal at once", err)
	}
	if err := try("calm"); !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("another endpoint: got %v, want it to wait for its context", err)
	}
	for i := range 9 {
		send("calm", 100+i)
	}
	queued(20)
	if err := try("third"); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a full queue: got %v, want a refusal at once", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	waiting.Wait()
	queued(0)
}

func TestKeyGuard(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		if empty, err := db.Empty(t.Context()); empty || err != nil {
			t.Errorf("a database with a key is empty: %v, %v", empty, err)
		}
		other, err := recipient.NewKeyer([]byte("quite another address key, long enough"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(t.Context(), store.Config{URL: store.URL(db), Keyer: other}); !errors.Is(err, store.ErrWrongAddressKey) {
			t.Errorf("another key: got %v, want ErrWrongAddressKey", err)
		}
		record(t, db, report(nth(1), recipient.Delivered, "1", noon, noon))
		if _, err := store.SQL(db).ExecContext(t.Context(), "DELETE FROM meta WHERE name = 'address_key_check'"); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(t.Context(), store.Config{URL: store.URL(db), Keyer: keyer}); !errors.Is(err, store.ErrWrongAddressKey) {
			t.Errorf("people without a check value: got %v, want ErrWrongAddressKey", err)
		}
	})
}

func TestBeforeTheMigration(t *testing.T) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "mariadb": storetest.MariaDB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			db, err := store.Open(ctx, store.Config{URL: url(t), Keyer: keyer})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close() //nolint:errcheck // looked at elsewhere
			if empty, err := db.Empty(ctx); !empty || err != nil {
				t.Errorf("empty: got %v, %v", empty, err)
			}
			want, err := db.Pending(ctx)
			if want < 1 || err != nil {
				t.Errorf("pending: got %d, %v", want, err)
			}
			if _, err := db.Record(ctx, []recipient.Event{report(nth(1), recipient.Delivered, "1", noon, noon)}); !errors.Is(err, store.ErrNotMigrated) || !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("record: got %v, want ErrNotMigrated", err)
			}
			var work sync.WaitGroup
			var applied atomic.Int64
			other, err := store.Open(ctx, store.Config{URL: store.URL(db), Keyer: keyer})
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close() //nolint:errcheck // looked at elsewhere
			for _, d := range []*store.DB{db, other} {
				work.Go(func() {
					names, err := d.Migrate(ctx)
					if err != nil && name == "mariadb" {
						t.Errorf("migrate: %v", err)
					}
					applied.Add(int64(len(names)))
				})
			}
			work.Wait()
			if n, err := db.Pending(ctx); n != 0 || err != nil || applied.Load() != int64(want) {
				t.Errorf("after the migration: %d pending, %v, %d applied, want %d", n, err, applied.Load(), want)
			}
			record(t, db, report(nth(1), recipient.Delivered, "1", noon, noon))
		})
	}
}

// A build between two releases may have known a later migration and not an
// earlier one.
func TestMigrationThatWasSkipped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		ctx, db := t.Context(), open(store.Config{})
		for _, statement := range []string{"DROP TABLE import_parts", "DROP TABLE imports", "DELETE FROM goose_db_version WHERE version_id = 26"} {
			if _, err := store.SQL(db).ExecContext(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		again, err := store.Open(ctx, store.Config{URL: store.URL(db), Keyer: keyer})
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close() //nolint:errcheck // looked at elsewhere
		if n, err := again.Pending(ctx); n != 1 || err != nil {
			t.Fatalf("pending: got %d, %v, want 1", n, err)
		}
		if names, err := again.Migrate(ctx); err != nil || !slices.Equal(names, []string{"00026_imports"}) {
			t.Errorf("migrate: got %v, %v", names, err)
		}
		if n, err := again.Pending(ctx); n != 0 || err != nil {
			t.Errorf("pending afterwards: got %d, %v", n, err)
		}
	})
}

func TestWrongURLs(t *testing.T) {
	for _, url := range []string{"", "postgres://x", "mysql://nothing", "mysql://u:secret@tcp(h:1)/", "mysql://u:secret@tcp(h:1)/db?allowAllFiles=true", "mysql://u:secret@tcp(h:1)/db?multiStatements=true", "sqlite:", "sqlite::memory:"} {
		db, err := store.Open(t.Context(), store.Config{URL: url, Keyer: keyer})
		if err == nil {
			_ = db.Close()
		}
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", url, err)
		}
	}
}

// A node that lost its cluster refuses everything: no row is to blame.
func TestNodeNotReadyIsAway(t *testing.T) {
	if !store.Away(1047, "08S01") {
		t.Error("a Galera node that is not ready counts as something that a row did")
	}
	if store.Away(1406, "22001") {
		t.Error("a value that is too long counts as a database that is away")
	}
}
