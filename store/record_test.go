package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func TestRecord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		a := email(t, `Märta.O'Neil+"x@bücher.example`[:13]+"@bücher.example")
		e := report(a, recipient.HardBounce, "1", noon.Add(-time.Hour), noon)
		e.Detail, e.Rule = `550 'no' "such" \user; -- été 日本`, "smtp_5.1.1"
		e.Evidence = recipient.Evidence{Via: "text", Text: "STOPP é"}
		if r := record(t, db, e, e, report(a, recipient.Delivered, "2", time.Time{}, noon)); r.Stored != 2 || r.Duplicates != 1 {
			t.Errorf("got %+v, want 2 stored, 1 duplicate", r)
		}
		if r := record(t, db, e); r.Stored != 0 || r.Duplicates != 1 {
			t.Errorf("again: got %+v, want 1 duplicate", r)
		}
		got, err := db.Recipient(t.Context(), keyer.Key(a))
		want := store.Recipient{Key: keyer.Key(a), Channel: recipient.Email, Address: a, State: recipient.State{BlockedAt: noon.Add(-time.Hour), DeliveredAt: noon}}
		if d := cmp.Diff(want, got, cmp.Comparer(func(a, b recipient.Address) bool { return a == b })); d != "" || err != nil {
			t.Errorf("recipient (-want +got): %v\n%s", err, d)
		}
		history, next, err := db.History(t.Context(), keyer.Key(a), 10, "")
		if err != nil || len(history) != 2 || next != "" {
			t.Fatalf("history: got %d, %q, %v", len(history), next, err)
		}
		e.Address, e.IDParts = recipient.Address{}, nil
		if d := cmp.Diff(e, history[1].Event, cmp.Comparer(func(a, b recipient.Address) bool { return a == b })); d != "" {
			t.Errorf("event (-want +got):\n%s", d)
		}
	})
}
