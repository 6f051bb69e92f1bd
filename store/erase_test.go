package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func TestErase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		a := email(t, "secret.person@example.com")
		key := keyer.Key(a)
		if err := db.Erase(ctx, key, anna); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown: got %v", err)
		}
		bounce := report(a, recipient.HardBounce, "1", time.Time{}, noon)
		bounce.MessageID, bounce.Detail = "<secret@example.com>", "secret words"
		record(t, db, bounce)
		if _, err := db.Act(ctx, store.Act{Kind: recipient.OptIn, Channel: recipient.Email, Key: key, Address: a, Source: recipient.FromAdmin, Actor: "anna",
			Evidence: recipient.Evidence{Language: "fi", Consent: &recipient.Consent{Source: "phone call", Wording: "yes", At: noon, Evidence: "secret recording"}}}); err != nil {
			t.Fatal(err)
		}
		set(noon.Add(time.Hour))
		act(t, db, recipient.OptOut, a)
		put(t, db, store.Contact{ExternalID: "1", Name: "Somebody", Email: a, Phone: phone("+15551230100")}, store.PutOptions{})
		if err := db.Quarantine(ctx, store.Held{Endpoint: "acme", Key: key, Body: []byte("secret"), ReceivedAt: noon}); err != nil {
			t.Fatal(err)
		}
		if err := db.AddRequest(ctx, store.PersonRequest{Channel: recipient.Email, Address: a, Kind: store.RequestTyped, ReceivedAt: noon}); err != nil {
			t.Fatal(err)
		}
		before := state(t, db, a)

		set(noon.Add(2 * time.Hour))
		if err := db.Erase(ctx, key, anna); err != nil {
			t.Fatal(err)
		}
		r, err := db.Recipient(ctx, key)
		if err != nil || !r.Address.IsZero() || r.State != before || !r.ErasedAt.Equal(now()) {
			t.Errorf("recipient: got %+v, %v", r, err)
		}
		for _, column := range []string{"events.detail", "events.message_id", "events.event_id", "events.evidence", "recipients.address", "contact_terms.term", "requests.address", "quarantine.header"} {
			table, col, _ := strings.Cut(column, ".")
			var values []string
			if err := store.SQL(db).SelectContext(ctx, &values, "SELECT COALESCE("+col+", '') FROM "+table); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(values, "|"); strings.Contains(got, "secret") || strings.Contains(got, "example.com") {
				t.Errorf("%s still says %q", column, got)
			}
		}
		h, _, err := db.History(ctx, key, 10, "")
		if err != nil || len(h) != 3 {
			t.Fatalf("history: got %d, %v", len(h), err)
		}
		if c := h[1].Evidence.Consent; c == nil || c.Source != "phone call" || !c.At.Equal(noon) || c.Evidence != "" || h[1].Evidence.Language != "" {
			t.Errorf("consent: got %+v, want basis and date only", h[1].Evidence)
		}
		if c, err := db.Contact(ctx, "1"); err != nil || !c.EmailKey.IsZero() || c.Phone.IsZero() || c.Name != "Somebody" {
			t.Errorf("contact: got %+v, %v; want it unlinked", c, err)
		}
		if found, _, err := db.Contacts(ctx, store.ContactQuery{Q: "secret"}); err != nil || len(found) != 0 {
			t.Errorf("the search finds the address: %v, %v", found, err)
		}
		if log, err := db.AuditLog(ctx, 0, 10); err != nil || len(log) != 1 || log[0].Action != "erase" || log[0].Key != key || log[0].Actor != "anna" {
			t.Errorf("audit: got %+v, %v", log, err)
		}

		// Nothing brings the address back by accident, and duplicates stay duplicates.
		set(noon.Add(3 * time.Hour))
		if got := record(t, db, bounce, report(a, recipient.SoftBounce, "2", time.Time{}, now())); got.Duplicates != 1 || got.Stored != 1 {
			t.Errorf("after the erasure: got %+v", got)
		}
		act(t, db, recipient.Unblock, a)
		saved := put(t, db, store.Contact{ExternalID: "1", Email: a}, store.PutOptions{})
		if r, _ := db.Recipient(ctx, key); !r.Address.IsZero() || r.ErasedAt.IsZero() || !saved.Email.IsZero() || saved.EmailKey != key {
			t.Errorf("a webhook, an act or a contact brings the address back: %+v, %+v", r, saved)
		}
		if found, _, err := db.Contacts(ctx, store.ContactQuery{Q: "secret"}); err != nil || len(found) != 0 {
			t.Errorf("the search finds the address: %v, %v", found, err)
		}
		// Consent does.
		saved = put(t, db, store.Contact{ExternalID: "1", Email: a}, store.PutOptions{Consent: &recipient.Consent{Source: "form", Wording: "yes", At: now()}})
		if r, _ := db.Recipient(ctx, key); r.Address != a || !r.ErasedAt.IsZero() || r.State.OptedOut() || saved.Email != a {
			t.Errorf("with consent: got %+v, %+v", r, saved)
		}
		clean(t, db)
	})
}

func TestConsentBeforeTheContactIsSaved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		a := nth(1)
		act(t, db, recipient.OptIn, a)
		set(noon.Add(time.Hour))
		if err := db.Erase(t.Context(), keyer.Key(a), anna); err != nil {
			t.Fatal(err)
		}
		if got := put(t, db, store.Contact{ExternalID: "1", Email: a}, store.PutOptions{}); !got.Email.IsZero() {
			t.Error("a consent of before the erasure counts")
		}
		set(noon.Add(2 * time.Hour))
		act(t, db, recipient.OptIn, a)
		if got := put(t, db, store.Contact{ExternalID: "1", Email: a}, store.PutOptions{}); got.Email != a {
			t.Error("a consent since the erasure does not count")
		}
	})
}

// Another system saves a contact again and again, with the consent that it
// knows. What was given before the erasure does not undo it, nor lifts what was
// given before an opt-out that opt-out.
func TestOldConsentRevivesNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		a := nth(1)
		key := keyer.Key(a)
		act(t, db, recipient.OptOut, a)
		set(noon.Add(time.Hour))
		if err := db.Erase(t.Context(), key, anna); err != nil {
			t.Fatal(err)
		}
		with := func(at time.Time) store.Recipient {
			t.Helper()
			put(t, db, store.Contact{ExternalID: "1", Email: a}, store.PutOptions{Consent: &recipient.Consent{Source: "form", Wording: "yes", At: at}})
			r, err := db.Recipient(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		set(noon.Add(48 * time.Hour))
		day := noon.Truncate(24 * time.Hour)
		for _, at := range []time.Time{noon.AddDate(-3, 0, 0), noon.Add(time.Hour - time.Microsecond), day.AddDate(0, 0, -1)} {
			if r := with(at); !r.Address.IsZero() || r.ErasedAt.IsZero() || !r.State.OptedOut() || !r.State.OptedInAt.IsZero() {
				t.Errorf("consent of %s: got %+v", at, r)
			}
		}
		set(noon.Add(72 * time.Hour))
		act(t, db, recipient.OptOut, a)
		set(noon.Add(96 * time.Hour))
		if r := with(noon.Add(24 * time.Hour)); r.Address != a || !r.State.OptedOut() {
			t.Errorf("consent between the erasure and an opt-out: got %+v", r)
		}
		if err := db.Erase(t.Context(), key, anna); err != nil {
			t.Fatal(err)
		}
		set(noon.Add(97 * time.Hour))
		if r := with(noon.Add(96 * time.Hour).Truncate(24 * time.Hour)); r.Address != a || r.State.OptedOut() {
			t.Errorf("consent of the same day, without a time: got %+v", r)
		}
		clean(t, db)
	})
}

func TestEraseContact(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		ctx := t.Context()
		if err := db.EraseContact(ctx, 1, anna); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown: got %v", err)
		}
		gone := put(t, db, store.Contact{ExternalID: "1", Name: "Somebody Secret", Email: nth(1), Phone: phone("+15551230100")}, store.PutOptions{})
		act(t, db, recipient.OptOut, nth(1))
		other := put(t, db, store.Contact{ExternalID: "2", Email: nth(1)}, store.PutOptions{AcceptShared: true})
		// The number was removed and has another owner since.
		put(t, db, store.Contact{ExternalID: "1", Name: "Somebody Secret", Email: nth(1)}, store.PutOptions{})
		put(t, db, store.Contact{ExternalID: "3", Phone: phone("+15551230100")}, store.PutOptions{})
		if err := db.EraseContact(ctx, gone.ID, anna); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ContactByID(ctx, gone.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the contact: got %v", err)
		}
		if found, _, err := db.Contacts(ctx, store.ContactQuery{Q: "secret"}); err != nil || len(found) != 0 {
			t.Errorf("the search finds the name: %v, %v", found, err)
		}
		r, err := db.Recipient(ctx, keyer.Key(nth(1)))
		if err != nil || !r.Address.IsZero() || !r.State.OptedOut() {
			t.Errorf("address: got %+v, %v; want the suppression alone", r, err)
		}
		if c, err := db.ContactByID(ctx, other.ID); err != nil || !c.EmailKey.IsZero() {
			t.Errorf("who shared it: got %+v, %v", c, err)
		}
		if c, err := db.Contact(ctx, "3"); err != nil || c.Phone != phone("+15551230100") {
			t.Errorf("who has the removed number now: got %+v, %v", c, err)
		}
		log, err := db.AuditLog(ctx, 0, 10)
		if err != nil || len(log) != 2 || log[0].Action != "contact.erase" || log[0].Network != anna.Network || log[1].Key != keyer.Key(nth(1)) {
			t.Errorf("audit: got %+v, %v", log, err)
		}
	})
}
