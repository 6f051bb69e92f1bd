package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func phone(s string) recipient.Address { return recipient.Stored(recipient.SMS, s) }

func put(t testing.TB, db *store.DB, c store.Contact, o store.PutOptions) store.Contact {
	t.Helper()
	o.Source, o.Actor = recipient.FromAPI, "crm"
	saved, _, err := db.PutContact(t.Context(), c, o)
	if err != nil {
		t.Fatalf("put %s: %v", c.ExternalID, err)
	}
	return saved
}

func TestPutContact(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		c := store.Contact{ExternalID: "a/1", Name: "Maija Mäkinen", Language: "fi", Email: nth(1), Phone: phone("+358401234567")}
		saved, created, err := db.PutContact(t.Context(), c, store.PutOptions{Source: recipient.FromAdmin, Actor: "anna"})
		if err != nil || !created || !saved.CreatedAt.Equal(noon) || saved.EmailKey != keyer.Key(nth(1)) {
			t.Fatalf("create: got %+v, %v, %v", saved, created, err)
		}
		set(noon.Add(time.Hour))
		c.Name = "Maija Virtanen"
		if saved, created, err = db.PutContact(t.Context(), c, store.PutOptions{Source: recipient.FromAdmin}); err != nil || created {
			t.Fatalf("replace: got %v, %v", created, err)
		}
		got, err := db.Contact(t.Context(), "a/1")
		if err != nil || got != saved || !got.CreatedAt.Equal(noon) || !got.UpdatedAt.Equal(now()) || got.Email != nth(1) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, saved)
		}
		for _, id := range []string{"a/1 ", "A/1", "a"} {
			if _, err := db.Contact(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%q: got %v, want ErrNotFound", id, err)
			}
		}
		if r, err := db.Recipient(t.Context(), keyer.Key(nth(1))); err != nil || r.Address != nth(1) {
			t.Errorf("the address is not kept: %+v, %v", r, err)
		}
		of, err := db.ContactsOf(t.Context(), keyer.Key(phone("+358401234567")))
		if err != nil || len(of) != 1 || of[0] != got {
			t.Errorf("contacts of the phone: got %+v, %v", of, err)
		}
	})
}

func TestSharedAddress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		put(t, db, store.Contact{ExternalID: "1", Email: nth(1)}, store.PutOptions{})
		second := store.Contact{ExternalID: "2", Email: nth(1)}
		var shared *store.SharedError
		if _, _, err := db.PutContact(t.Context(), second, store.PutOptions{Source: recipient.FromAPI}); !errors.As(err, &shared) || shared.Contacts != 1 || shared.Channel != recipient.Email {
			t.Errorf("got %v, want a SharedError", err)
		}
		if _, err := db.Contact(t.Context(), "2"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a refused contact was kept: %v", err)
		}
		put(t, db, second, store.PutOptions{AcceptShared: true})
		second.Name = "no new address, no question"
		put(t, db, second, store.PutOptions{})
		if of, err := db.ContactsOf(t.Context(), keyer.Key(nth(1))); err != nil || len(of) != 2 {
			t.Errorf("got %d contacts, %v", len(of), err)
		}
	})
}

func TestAddressChangeCarriesTheOptOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		change := func(id string, to recipient.Address) {
			t.Helper()
			put(t, db, store.Contact{ExternalID: id, Email: to}, store.PutOptions{AcceptShared: true})
		}
		// Opted out, complained, blocked.
		change("1", nth(1))
		record(t, db, report(nth(1), recipient.OptOut, "o", time.Time{}, noon), report(nth(1), recipient.Complaint, "c", time.Time{}, noon.Add(time.Minute)),
			report(nth(1), recipient.HardBounce, "b", time.Time{}, noon))
		set(noon.Add(time.Hour))
		change("1", nth(2))
		want := recipient.State{OptedOutAt: noon.Add(time.Minute)}
		if got := state(t, db, nth(2)); got != want {
			t.Errorf("new address: got %+v, want %+v", got, want)
		}
		h, _, err := db.History(t.Context(), keyer.Key(nth(2)), 10, "")
		if err != nil || len(h) != 2 || h[0].Source != recipient.FromAPI || h[0].Actor != "crm" || !h[0].At.Equal(noon.Add(time.Minute)) {
			t.Errorf("history: got %+v, %v", h, err)
		}
		change("1", nth(1))
		change("1", nth(2)) // there and back: nothing twice
		if h, _, _ := db.History(t.Context(), keyer.Key(nth(2)), 10, ""); len(h) != 2 {
			t.Errorf("there and back: got %d events, want 2", len(h))
		}
		// Opted in since: nothing to carry.
		change("2", nth(10))
		act(t, db, recipient.OptOut, nth(10))
		act(t, db, recipient.OptIn, nth(10))
		change("2", nth(11))
		if got := state(t, db, nth(11)); got != (recipient.State{}) {
			t.Errorf("after an opt-in: got %+v", got)
		}
		// Removed first, replaced later.
		change("3", nth(20))
		act(t, db, recipient.OptOut, nth(20))
		change("3", recipient.Address{})
		if c, err := db.Contact(t.Context(), "3"); err != nil || !c.Email.IsZero() || !c.EmailKey.IsZero() {
			t.Errorf("removed: got %+v, %v", c, err)
		}
		if of, err := db.ContactsOf(t.Context(), keyer.Key(nth(20))); err != nil || len(of) != 0 {
			t.Errorf("contacts of a removed address: got %+v, %v", of, err)
		}
		change("3", nth(21))
		if !state(t, db, nth(21)).OptedOut() {
			t.Error("an address removed and replaced loses the opt-out")
		}
		// An echo stays one.
		change("4", nth(30))
		e := report(nth(30), recipient.OptOut, "echo", time.Time{}, noon)
		e.Echo = true
		record(t, db, e)
		change("4", nth(31))
		if got := state(t, db, nth(31)); !got.OptedOutAt.Equal(recipient.EchoAt) {
			t.Errorf("echo: got %+v", got)
		}
		clean(t, db)
	})
}

func TestSearchContacts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		for i := range 25 {
			put(t, db, store.Contact{ExternalID: fmt.Sprintf("crm-%02d", i), Name: fmt.Sprintf("Maija Mäkinen-%02d", i), Email: nth(i)}, store.PutOptions{})
		}
		put(t, db, store.Contact{ExternalID: "X", Name: "Åke  100% _STRASSE_ Mäki", Phone: phone("+358401234567")}, store.PutOptions{})
		find := func(q store.ContactQuery) (ids []string) {
			t.Helper()
			for pages := 0; ; pages++ {
				got, next, err := db.Contacts(t.Context(), q)
				if err != nil || pages > 40 {
					t.Fatalf("search: %v", err)
				}
				for _, c := range got {
					ids = append(ids, c.ExternalID)
				}
				if next == "" {
					return ids
				}
				if len(got) != q.Limit {
					t.Errorf("%+v: a page of %d with a next one", q, len(got))
				}
				q.After = next
			}
		}
		for q, want := range map[string]int{
			"": 26, "maija": 25, "MAIJA MÄKINEN": 25, "mäkinen-0": 10, "mäk": 26, "m": 26, "ma\u0308k": 26, "mak": 0, "crm-2": 5, "CRM-07": 1, "person1": 11,
			"person24@example.com": 1, "+35840": 1, "x": 1, "åke 100% _str": 1, "%": 0, "_": 1, "1": 1, "zzz": 0, "'": 0,
		} {
			for _, limit := range []int{1, 3, 1000} {
				got := find(store.ContactQuery{Q: q, Limit: limit})
				seen := map[string]bool{}
				for _, id := range got {
					if seen[id] {
						t.Errorf("%q: %s twice", q, id)
					}
					seen[id] = true
				}
				if len(got) != want {
					t.Errorf("%q, %d a page: got %d, want %d", q, limit, len(got), want)
				}
			}
		}
		if got := find(store.ContactQuery{Key: keyer.Key(nth(3)), Q: "ignored", Limit: 5}); len(got) != 1 || got[0] != "crm-03" {
			t.Errorf("by key: got %v", got)
		}
		if _, _, err := db.Contacts(t.Context(), store.ContactQuery{After: "?"}); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("a wrong cursor: got %v", err)
		}
	})
}

// Two people who save one contact do not undo each other's work.
func TestPutContactAsSeen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		first := put(t, db, store.Contact{ExternalID: "1", Name: "A"}, store.PutOptions{OnlyNew: true})
		for name, tt := range map[string]struct {
			id   string
			o    store.PutOptions
			want error
		}{
			"not new": {"1", store.PutOptions{OnlyNew: true}, store.ErrExists},
			"gone":    {"2", store.PutOptions{Seen: first.UpdatedAt}, store.ErrNotFound},
			"changed": {"1", store.PutOptions{Seen: first.UpdatedAt.Add(-time.Second)}, store.ErrChanged},
		} {
			tt.o.Source = recipient.FromAdmin
			if _, _, err := db.PutContact(t.Context(), store.Contact{ExternalID: tt.id, Name: "B"}, tt.o); !errors.Is(err, tt.want) {
				t.Errorf("%s: got %v, want %v", name, err, tt.want)
			}
		}
		set(noon.Add(time.Hour))
		if got := put(t, db, store.Contact{ExternalID: "1", Name: "B"}, store.PutOptions{Seen: first.UpdatedAt}); got.Name != "B" {
			t.Errorf("as seen: got %+v", got)
		}
	})
}

// The history of two addresses reads as one, page by page.
func TestHistories(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		var want []string
		for i := range 25 {
			at := noon.Add(time.Duration(i/2) * time.Minute) // two at a time
			record(t, db, report(nth(i%3), recipient.SoftBounce, fmt.Sprint(i), at, at))
			if i%3 < 2 {
				want = append([]string{fmt.Sprint(i)}, want...)
			}
		}
		var got []string
		for before := ""; ; {
			page, next, err := db.Histories(t.Context(), []recipient.Key{keyer.Key(nth(0)), keyer.Key(nth(1))}, 4, before)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				got = append(got, e.EventID)
			}
			if before = next; next == "" {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v\nwant %v", got, want)
		}
		if page, next, err := db.Histories(t.Context(), nil, 4, ""); err != nil || len(page) != 0 || next != "" {
			t.Errorf("of nobody: got %v, %q, %v", page, next, err)
		}
	})
}

// Who sees addresses masked finds none through names and ids that hold them.
func TestSearchHidesAddressesInNames(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		put(t, db, store.Contact{ExternalID: "maija@example.com", Name: "maija@example.com", Email: email(t, "maija@example.com")}, store.PutOptions{})
		put(t, db, store.Contact{ExternalID: "tel:358401234567", Name: "Maija", Phone: phone("+358401234567")}, store.PutOptions{})
		for q, want := range map[string]int{"mai": 1, "maija@": 0, "tel:358": 0, "+3584": 0} {
			found, _, err := db.Contacts(t.Context(), store.ContactQuery{Q: q, HideAddresses: true})
			if err != nil || len(found) != want {
				t.Errorf("%q: got %d contacts, %v; want %d", q, len(found), err, want)
			}
		}
	})
}

// A search that hides addresses looks at a part of a long stretch of addresses
// only, and goes on where it stopped.
func TestSearchBehindManyAddresses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		put(t, db, store.Contact{ExternalID: "1", Name: "Person Zuletzt"}, store.PutOptions{})
		insert := "INSERT INTO contact_terms (term, contact_id) VALUES "
		for i := range 5000 {
			if i > 0 {
				insert += ", "
			}
			insert += fmt.Sprintf("(X'%x', 1)", fmt.Sprintf("person%d@example.com", i))
		}
		if _, err := store.SQL(db).ExecContext(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
		put(t, db, store.Contact{ExternalID: "2", Name: "Persson"}, store.PutOptions{})
		found, pages := 0, 0
		for after := ""; ; pages++ {
			page, next, err := db.Contacts(t.Context(), store.ContactQuery{Q: "pers", HideAddresses: true, Limit: 10, After: after})
			if err != nil || pages > 10 {
				t.Fatalf("page %d: %v", pages, err)
			}
			found += len(page)
			if after = next; next == "" {
				break
			}
		}
		if found != 2 || pages < 2 {
			t.Errorf("got %d contacts on %d pages and one", found, pages)
		}
	})
}
