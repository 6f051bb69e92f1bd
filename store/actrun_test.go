package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// Clicks, acts and undos of people who are known and of others, in one group
// and while reports about the same people come in: each does what it does alone.
func TestActsAmongReports(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		const people, rounds = 48, 4
		var work sync.WaitGroup
		for i := range people {
			a := nth(i)
			if i%3 == 0 {
				record(t, db, report(a, recipient.Delivered, fmt.Sprint("before", i), noon, noon))
			}
			work.Go(func() {
				for n := range rounds {
					token := fmt.Sprint("t", n)
					if out, err := db.Click(t.Context(), click(a, token)); err != nil || !out.Changed || !out.After.OptedOut() {
						t.Errorf("%d, click %d: got %+v, %v", i, n, out, err)
					}
					if out, err := db.Click(t.Context(), click(a, token)); err != nil || out.Changed || !out.After.OptedOut() {
						t.Errorf("%d, click %d again: got %+v, %v", i, n, out, err)
					}
					if out, err := db.Undo(t.Context(), undo(a, token), undoWithin); err != nil || out.After.OptedOut() {
						t.Errorf("%d, undo %d: got %+v, %v", i, n, out, err)
					}
				}
				if out, err := db.Click(t.Context(), click(a, "last")); err != nil || !out.Changed {
					t.Errorf("%d, the last click: got %+v, %v", i, out, err)
				}
			})
			work.Go(func() {
				for n := range rounds {
					events := []recipient.Event{report(a, recipient.SoftBounce, fmt.Sprint(i, "-", n), noon, noon), report(nth(people-1-i), recipient.Delivered, fmt.Sprint(i, "+", n), noon, noon)}
					if _, err := db.Record(t.Context(), events); err != nil {
						t.Errorf("%d, reports %d: %v", i, n, err)
					}
				}
			})
		}
		work.Wait()
		for i := range people {
			r, err := db.Recipient(t.Context(), keyer.Key(nth(i)))
			if err != nil || !r.State.OptedOut() || r.State.SoftBouncedAt.IsZero() || r.State.DeliveredAt.IsZero() {
				t.Errorf("%d: got %+v, %v", i, r, err)
			}
			want := 4*rounds + 1 // clicks, undos, reports of two
			if i%3 == 0 {
				want++
			}
			if h, _, err := db.History(t.Context(), keyer.Key(nth(i)), 100, ""); err != nil || len(h) != want {
				t.Errorf("%d: %d events, %v; want %d", i, len(h), err, want)
			}
		}
		clean(t, db)
	})
}
