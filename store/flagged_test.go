package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// The column that is indexed says what the rules say, for every order in which
// the seven things can have happened, echoes and ties included.
func TestFlagsAreThoseOfTheRules(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		times := []int64{0, 1, 5_000_000, 6_000_000}
		var want []recipient.State
		n := 0
		for code := range 1 << 14 {
			if code%7 != 0 {
				continue
			}
			var v [7]int64
			for i := range v {
				v[i] = times[code>>(2*i)&3]
			}
			key := [16]byte{1, byte(n >> 8), byte(n)}
			n++
			if _, err := store.SQL(db).Exec("INSERT INTO recipients (recipient_key, channel, blocked_at, unblocked_at, opted_out_at, complained_at, opted_in_at, soft_bounced_at, delivered_at) VALUES (?, 'email', ?, ?, ?, ?, ?, ?, ?)",
				key[:], v[0], v[1], v[2], v[3], v[4], v[5], v[6]); err != nil {
				t.Fatal(err)
			}
			var s recipient.State
			for i, f := range []*time.Time{&s.BlockedAt, &s.UnblockedAt, &s.OptedOutAt, &s.ComplainedAt, &s.OptedInAt, &s.SoftBouncedAt, &s.DeliveredAt} {
				if v[i] > 0 {
					*f = time.UnixMicro(v[i]).UTC()
				}
			}
			want = append(want, s)
		}
		for _, f := range store.Flags {
			got, after := map[recipient.Key]bool{}, ""
			var last time.Time
			for {
				page, next, err := db.Flagged(t.Context(), f, 100, after)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page {
					at := slices.MaxFunc([]time.Time{r.State.BlockedAt, r.State.OptedOutAt, r.State.ComplainedAt, r.State.SoftBouncedAt}, time.Time.Compare)
					if got[r.Key] || !last.IsZero() && at.After(last) {
						t.Fatalf("%s: twice, or older before newer", f)
					}
					got[r.Key], last = true, at
				}
				if after = next; next == "" {
					break
				}
			}
			for i, s := range want {
				key := recipient.Key{1, byte(i >> 8), byte(i)}
				if got[key] != f.Of(s) {
					t.Fatalf("%s of %+v: listed %v, want %v", f, s, got[key], f.Of(s))
				}
			}
		}
		for _, bad := range []string{"x", "AAAA", "!"} {
			if _, _, err := db.Flagged(t.Context(), store.FlagBlocked, 1, bad); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("cursor %q: got %v", bad, err)
			}
		}
	})
}

func TestFlaggedContacts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		for i := range 450 {
			put(t, db, store.Contact{ExternalID: fmt.Sprint(i), Name: fmt.Sprintf("Person %03d", i), Email: nth(i)}, store.PutOptions{})
			if i%50 == 7 {
				record(t, db, report(nth(i), recipient.HardBounce, fmt.Sprint(i), noon, noon))
			}
		}
		var got []string
		q := store.ContactQuery{Q: "person", Flag: store.FlagBlocked, Limit: 3}
		for {
			page, next, err := db.Contacts(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				got = append(got, c.ExternalID)
			}
			if q.After = next; next == "" {
				break
			}
		}
		if want := []string{"7", "57", "107", "157", "207", "257", "307", "357", "407"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if _, _, err := db.Contacts(t.Context(), store.ContactQuery{Flag: "x"}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("a wrong flag: got %v", err)
		}
	})
}

// Somebody who sees masked addresses must not find them by their beginning, but
// everything else; also when the address is the first term that fits.
func TestSearchHidesAddresses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		a, err := recipient.ParseEmail("maija.a@example.com")
		if err != nil {
			t.Fatal(err)
		}
		put(t, db, store.Contact{ExternalID: "maija.crm", Name: "Zoe Maija", Email: a}, store.PutOptions{})
		for q, want := range map[string][2]int{"maija": {1, 1}, "maija.": {1, 1}, "maija.a": {1, 0}, "maija.c": {1, 1}, "zoe": {1, 1}, "zo": {1, 1}} {
			for i, hide := range []bool{false, true} {
				list, _, err := db.Contacts(t.Context(), store.ContactQuery{Q: q, HideAddresses: hide})
				if err != nil || len(list) != want[i] {
					t.Errorf("%q, hidden %v: got %d, %v, want %d", q, hide, len(list), err, want[i])
				}
			}
		}
	})
}

func TestCausesAndCard(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		saved := put(t, db, store.Contact{ExternalID: "1", Name: "A", Email: nth(1)}, store.PutOptions{})
		put(t, db, store.Contact{ExternalID: "2", Email: nth(1)}, store.PutOptions{AcceptShared: true})
		if got, err := db.ContactByID(ctx, saved.ID); err != nil || got != saved || saved.ID == 0 {
			t.Errorf("by id: got %+v, %v, want %+v", got, err, saved)
		}
		if _, err := db.ContactByID(ctx, 99); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nobody: got %v", err)
		}
		key := keyer.Key(nth(1))
		if n, err := db.Sharing(ctx, recipient.Email, key); err != nil || n != 2 {
			t.Errorf("sharing: got %d, %v", n, err)
		}
		if at, err := db.ContactsAt(ctx, []recipient.Key{key, keyer.Key(nth(9))}); err != nil || len(at) != 1 || len(at[key]) != 2 {
			t.Errorf("contacts at: got %v, %v", at, err)
		}
		echo := report(nth(1), recipient.Complaint, "c", noon, noon)
		echo.Echo = true
		record(t, db, report(nth(1), recipient.HardBounce, "old", noon.Add(-time.Hour), noon), report(nth(1), recipient.HardBounce, "b", noon, noon), report(nth(1), recipient.SoftBounce, "s", noon, noon), echo)
		set(noon.Add(time.Hour))
		if _, err := db.Act(ctx, store.Act{Kind: recipient.Unblock, Channel: recipient.Email, Key: key, Source: recipient.FromAdmin, Actor: "anna", By: store.By{Actor: "anna", Network: "192.0.2.1"}}); err != nil {
			t.Fatal(err)
		}
		all, err := db.Recipients(ctx, []recipient.Key{key, keyer.Key(nth(9))})
		if err != nil || len(all) != 1 {
			t.Fatalf("recipients: got %v, %v", all, err)
		}
		c, err := db.Causes(ctx, key, all[key].State)
		if err != nil || c.Block == nil || c.Block.Kind != recipient.HardBounce || !c.Block.At.Equal(noon) || c.SoftBounce == nil || c.Complaint == nil || !c.Complaint.Echo || c.Unblock == nil || c.Unblock.Actor != "anna" || c.OptOut != nil || c.OptIn != nil {
			t.Errorf("causes: got %+v, %v", c, err)
		}
		elsewhere := report(nth(1), recipient.HardBounce, "x", noon.Add(time.Minute), noon.Add(time.Minute))
		elsewhere.Endpoint = "other"
		record(t, db, elsewhere)
		told, err := db.Told(ctx, key, noon.Add(-2*time.Hour))
		if err != nil || len(told) != 3 || told[0].Endpoint != "other" || told[1].Kind == told[2].Kind || !told[1].At.Equal(noon) || !told[2].At.Equal(noon) {
			t.Errorf("told: got %+v, %v", told, err)
		}
		if told, err := db.Told(ctx, key, noon.Add(time.Hour)); err != nil || len(told) != 0 {
			t.Errorf("told since: got %+v, %v", told, err)
		}
		if e, err := db.Event(ctx, c.Unblock.ID); err != nil || e.Kind != recipient.Unblock {
			t.Errorf("event: got %+v, %v", e, err)
		}
		log, err := db.Audited(ctx, store.AuditQuery{Action: "address."})
		if err != nil || len(log) != 1 || log[0].Action != "address.unblock" || log[0].Key != key || log[0].Network != "192.0.2.1" {
			t.Errorf("audit: got %+v, %v", log, err)
		}
	})
}

func TestChangesByAdministratorsAreAudited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		ctx, by := t.Context(), store.By{Actor: "anna", Network: "192.0.2.1"}
		c := store.Contact{ExternalID: "1", Name: "A", Language: "fi", Email: nth(1)}
		for range 2 {
			if _, _, err := db.PutContact(ctx, c, store.PutOptions{Source: recipient.FromAdmin, Actor: "anna", By: by}); err != nil {
				t.Fatal(err)
			}
			c.Email, c.Language = nth(2), "sv"
		}
		if err := db.Quarantine(ctx, store.Held{Endpoint: "acme", Reason: "unreadable", ReceivedAt: noon}); err != nil {
			t.Fatal(err)
		}
		held, err := db.Quarantined(ctx, store.QuarantineQuery{})
		if err != nil || len(held) != 1 {
			t.Fatal(held, err)
		}
		if err := db.AddRequest(ctx, store.PersonRequest{Kind: store.RequestTyped, Channel: recipient.Email, Address: nth(3)}); err != nil {
			t.Fatal(err)
		}
		waiting, err := db.Requests(ctx, store.RequestQuery{})
		if err != nil || len(waiting) != 1 {
			t.Fatal(waiting, err)
		}
		if r, err := db.Request(ctx, waiting[0].ID); err != nil || r.Address != nth(3) {
			t.Errorf("one request: got %+v, %v", r, err)
		}
		if n, err := db.RequestCount(ctx); err != nil || n != 1 {
			t.Errorf("waiting: got %d, %v", n, err)
		}
		for again := range 2 {
			err1, err2 := db.DiscardHeld(ctx, held[0].ID, "test", by), db.CloseRequest(ctx, waiting[0].ID, "discarded", by)
			if again == 0 && (err1 != nil || err2 != nil) || again == 1 && !(errors.Is(err1, store.ErrNotFound) && errors.Is(err2, store.ErrNotFound)) {
				t.Errorf("time %d: got %v, %v", again+1, err1, err2)
			}
		}
		log, err := db.Audited(ctx, store.AuditQuery{Actor: "anna"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range log {
			got = append(got, e.Action+" "+e.Detail)
		}
		if want := []string{"request.resolve discarded", "quarantine.discard test", "contact.edit language, e-mail address", "contact.add name, language, e-mail address"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
