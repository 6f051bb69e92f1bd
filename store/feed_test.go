package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// follow reads the feed until it has seen n events.
func follow(t *testing.T, db *store.DB, n int) []store.StoredEvent {
	t.Helper()
	var out []store.StoredEvent
	after := int64(0)
	for end := time.Now().Add(5 * time.Minute); len(out) < n; {
		page, err := db.Feed(t.Context(), after, 7)
		if err != nil {
			t.Errorf("feed: %v", err)
			return out
		}
		for _, e := range page {
			if e.ID <= after {
				t.Errorf("id %d after %d", e.ID, after)
			}
			after = e.ID
		}
		out = append(out, page...)
		if time.Now().After(end) {
			t.Errorf("got %d events, want %d", len(out), n)
			return out
		}
	}
	return out
}

// A reader that runs along with many writers, of two processes, sees every
// event once.
func TestFeedSkipsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		dbs := []*store.DB{open(store.Config{BatchEvents: 5}), open(store.Config{BatchEvents: 5})}
		const writers, each = 8, 40
		var work sync.WaitGroup
		for w := range writers {
			work.Go(func() {
				for i := range each {
					db := dbs[w%2]
					if err := patiently(db, func() (err error) {
						if w == 0 {
							_, err = db.Click(t.Context(), click(nth(i), fmt.Sprint(i)))
						} else {
							_, err = db.Record(t.Context(), []recipient.Event{report(nth(w*each+i), recipient.Delivered, fmt.Sprint(w, "-", i), noon, noon)})
						}
						return err
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		seen := map[recipient.Fingerprint]bool{}
		for _, e := range follow(t, dbs[1], writers*each) {
			seen[e.Fingerprint] = true
		}
		work.Wait()
		if len(seen) != writers*each {
			t.Errorf("got %d different events, want %d", len(seen), writers*each)
		}
		if e := follow(t, dbs[0], 1)[0]; e.Address.IsZero() && e.Source != recipient.FromLink {
			t.Errorf("no address: %+v", e)
		}
	})
}

// A writer that got a small id commits after one that got a greater id. The
// reader must not pass the gap.
func TestFeedWaitsForASlowCommit(t *testing.T) {
	url := storetest.MariaDB(t)
	slow, db := storetest.Open(t, store.Config{URL: url}), storetest.Open(t, store.Config{URL: url})
	ctx := t.Context()
	record(t, db, report(nth(0), recipient.Delivered, "0", noon, noon))
	if got := follow(t, db, 1); len(got) != 1 {
		t.Fatal("the first event is missing")
	}
	// What a committer does, by hand and with a pause before its commit.
	tx, err := store.SQL(slow).BeginTxx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.ShareFeed(ctx, slow, tx); err != nil {
		t.Fatal(err)
	}
	if err := store.InsertEvents(ctx, slow, tx, report(nth(1), recipient.Delivered, "slow", noon, noon)); err != nil {
		t.Fatal(err)
	}
	record(t, db, report(nth(2), recipient.Delivered, "quick", noon, noon))
	// The quick one is committed; the slow one, with the smaller id, is not.
	var blocked atomic.Bool
	blocked.Store(true)
	var work sync.WaitGroup
	var got []store.StoredEvent
	work.Go(func() {
		got = follow(t, db, 3)
		if blocked.Load() {
			t.Error("the feed passed the gap")
		}
	})
	if page, err := slow.Feed(ctx, 0, 10); err != nil || len(page) != 0 {
		t.Errorf("another reader: got %d events, %v; want none, not past the gap", len(page), err)
	}
	// While readers wait, writers go on.
	record(t, db, report(nth(3), recipient.Delivered, "later", noon, noon))
	blocked.Store(false)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	store.ForgetPause(db)
	work.Wait()
	if len(got) < 3 || got[1].EventID != "slow" || got[2].EventID != "quick" {
		t.Errorf("got %d events, want slow before quick", len(got))
	}
}
