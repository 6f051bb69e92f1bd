package store_test

import (
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// A click that was kept elsewhere and comes late counts from when it was made:
// before an opt-in that came after it, and once, however often it comes.
func TestLateClick(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		late := func(a recipient.Address, token string, at time.Time) store.Outcome {
			t.Helper()
			c := click(a, token)
			c.ReceivedAt = at
			out, err := db.Click(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		history := func(a recipient.Address) []store.StoredEvent {
			t.Helper()
			h, _, err := db.History(t.Context(), keyer.Key(a), 100, "")
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		set(noon.Add(time.Hour))

		a := nth(1) // nothing came between: like a click on time, undo included
		if out := late(a, "t", noon); !out.Changed || !out.After.OptedOutAt.Equal(noon) || !out.Event.ReceivedAt.Equal(noon) {
			t.Errorf("a late click: got %+v", out)
		}
		late(a, "t", noon)
		late(a, "t", noon.Add(time.Minute))
		if out, err := db.Click(t.Context(), click(a, "t")); err != nil || out.Changed {
			t.Errorf("the same link again: got %+v, %v", out, err)
		}
		if h := history(a); len(h) != 1 {
			t.Errorf("%d events, want 1", len(h))
		}
		if _, err := db.Undo(t.Context(), undo(a, "t"), 24*time.Hour); err != nil {
			t.Errorf("undo: %v", err)
		}

		// It comes again after the undo, as after a crash: it was before that.
		late(a, "t", noon)
		if h := history(a); len(h) != 2 || state(t, db, a).OptedOut() {
			t.Errorf("a late click repeated after the undo: %d events, opted out %v; want 2, false", len(h), state(t, db, a).OptedOut())
		}

		b := nth(2) // an opt-in came between
		act(t, db, recipient.OptIn, b)
		late(b, "t", noon)
		late(b, "t", noon)
		if h := history(b); len(h) != 2 || state(t, db, b).OptedOut() {
			t.Errorf("a click of before the opt-in: %d events, opted out %v; want 2, false", len(h), state(t, db, b).OptedOut())
		}
		if out, err := db.Click(t.Context(), click(b, "t")); err != nil || !out.Changed || !out.After.OptedOut() {
			t.Errorf("a click after the opt-in: got %+v, %v", out, err)
		}

		c := nth(3) // a clock that was ahead
		if out := late(c, "t", noon.Add(48*time.Hour)); !out.Event.At.Equal(now()) || !out.Event.ReceivedAt.Equal(now()) {
			t.Errorf("a click of the future: got %+v", out.Event)
		}

		d := nth(4) // a clock that was set back after an opt-in
		set(noon.Add(3 * time.Hour))
		act(t, db, recipient.OptIn, d)
		set(noon)
		late(d, "t", noon.Add(2*time.Hour))
		if state(t, db, d).OptedOut() {
			t.Error("with the clock set back a click of before the opt-in lifts it")
		}
		clean(t, db)
	})
}

func TestQuarantineOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		h := store.Held{Endpoint: "acme", Reason: "unreadable", Body: []byte("{"), ReceivedAt: noon}
		other := h
		other.Body = []byte("[")
		for range 2 {
			for _, one := range []store.Held{h, other} {
				if err := db.QuarantineOnce(t.Context(), one); err != nil {
					t.Fatal(err)
				}
			}
		}
		list, err := db.Quarantined(t.Context(), store.QuarantineQuery{})
		if err != nil || len(list) != 2 {
			t.Errorf("got %d, %v; want 2", len(list), err)
		}
	})
}

func TestErasedAt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		record(t, db, report(nth(1), recipient.HardBounce, "1", noon, noon), report(nth(2), recipient.HardBounce, "2", noon, noon))
		if err := db.Erase(t.Context(), keyer.Key(nth(1)), store.By{Actor: "anna"}); err != nil {
			t.Fatal(err)
		}
		got, err := db.ErasedAt(t.Context(), []recipient.Key{keyer.Key(nth(1)), keyer.Key(nth(2)), keyer.Key(nth(3))})
		if err != nil || len(got) != 1 || got[keyer.Key(nth(1))].IsZero() {
			t.Errorf("got %v, %v; want the first alone", got, err)
		}
	})
}

func TestRowAtFault(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		_, strange := store.SQL(db).ExecContext(t.Context(), "this is no statement")
		for _, tt := range []struct {
			err  error
			want bool
		}{{nil, false}, {store.ErrUnavailable, false}, {store.ErrNotMigrated, false}, {store.ErrWrongAddressKey, false}, {t.Context().Err(), false},
			{store.ErrInvalid, true}, {store.ErrQuarantineFull, true}, {strange, true}, {store.Unavailable(strange), true}} {
			if got := store.RowAtFault(tt.err); got != tt.want {
				t.Errorf("%v: got %v, want %v", tt.err, got, tt.want)
			}
		}
	})
}
