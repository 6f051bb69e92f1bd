package store_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// What comes by the thousand is written by other statements than what comes one
// by one, and must come to the same.
func TestBulkEventsAreAsSingleOnes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		const n = 999
		many, single := open(store.Config{Bulk: true}), open(store.Config{})
		var events []recipient.Event
		for i := range n {
			e := report(nth(i%700), []recipient.Kind{recipient.HardBounce, recipient.Complaint, recipient.Delivered}[i%3], fmt.Sprint(i), noon.Add(time.Duration(i)*time.Second), noon.Add(time.Hour))
			if i%2 == 0 {
				e.Detail, e.SendOut = "it's \"gone\" \U0001F4ED; --", ""
			} else {
				e.Code = ""
			}
			events = append(events, e)
		}
		some := append(append([]recipient.Event{}, events[:300]...), events[600:700]...)
		if got, want := record(t, many, some...), (store.Recorded{Stored: 400}); !reflect.DeepEqual(got, want) {
			t.Errorf("first: got %+v, want %+v", got, want)
		}
		if got, want := record(t, many, events...), (store.Recorded{Stored: n - 400, Duplicates: 400}); !reflect.DeepEqual(got, want) {
			t.Errorf("again, with more: got %+v, want %+v", got, want)
		}
		if got, want := record(t, many, events...), (store.Recorded{Duplicates: n}); !reflect.DeepEqual(got, want) {
			t.Errorf("all again: got %+v, want %+v", got, want)
		}
		for i := 0; i < n; i += 50 {
			record(t, single, events[i:min(i+50, n)]...)
		}
		var keys []recipient.Key
		for i := range 700 {
			keys = append(keys, keyer.Key(nth(i)))
		}
		got, err := many.States(t.Context(), keys)
		if err != nil {
			t.Fatal(err)
		}
		want, err := single.States(t.Context(), keys)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 700 || !reflect.DeepEqual(got, want) {
			t.Errorf("states of %d addresses differ from those of %d", len(got), len(want))
		}
		for _, i := range []int{0, 1, 2, 299, 650} {
			a, b := history(t, many, keys[i]), history(t, single, keys[i])
			if !reflect.DeepEqual(a, b) || len(a) == 0 {
				t.Errorf("history of %d: got %+v, want %+v", i, a, b)
			}
		}
	})
}

// history returns the events of an address without their ids.
func history(t *testing.T, db *store.DB, k recipient.Key) (events []recipient.Event) {
	t.Helper()
	h, _, err := db.History(t.Context(), k, 10, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range h {
		events = append(events, e.Event)
	}
	return events
}

func TestBulkContactsAreFoundAndKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		const n = 2500
		db := open(store.Config{Bulk: true})
		o := store.PutOptions{Source: recipient.FromImport, Actor: "cli"}
		put := func(list []store.Contact) (created, changed, refused int) {
			t.Helper()
			results, err := db.PutContacts(t.Context(), list, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				switch {
				case r.Err != nil:
					refused++
				case r.Created:
					created++
				case r.Changed:
					changed++
				}
			}
			return created, changed, refused
		}
		var list []store.Contact
		for i := range n {
			list = append(list, store.Contact{ExternalID: fmt.Sprintf("c%d", i), Name: fmt.Sprintf("Ågot Name%d", i), Language: "fi", Email: nth(i)})
		}
		counts := func(a, b, c int) string { return fmt.Sprintf("%d created, %d changed, %d refused", a, b, c) }
		if got, want := counts(put(list[:n/2])), counts(n/2, 0, 0); got != want {
			t.Errorf("half: got %s, want %s", got, want)
		}
		// Every fifth has another name now, one has another's address, and one is there twice.
		for i := 0; i < n; i += 5 {
			list[i].Name = fmt.Sprintf("Other%d", i)
		}
		list = append(list, store.Contact{ExternalID: "thief", Email: nth(7)}, list[n-1])
		if got, want := counts(put(list)), counts(n/2, n/10, 1); got != want {
			t.Errorf("all: got %s, want %s", got, want)
		}
		if got, want := counts(put(list)), counts(0, 0, 1); got != want {
			t.Errorf("again: got %s, want %s", got, want)
		}
		for q, want := range map[string]string{"other5": "c5", "name6": "c6", "ÅGOT NAME2001": "c2001", "person2400@": "c2400", "other2405": "c2405"} {
			found, _, err := db.Contacts(t.Context(), store.ContactQuery{Q: q})
			if err != nil || len(found) == 0 || found[0].ExternalID != want {
				t.Errorf("search for %q: got %+v, %v, want %s first", q, found, err, want)
			}
		}
		if found, _, err := db.Contacts(t.Context(), store.ContactQuery{Q: "name5"}); err != nil || len(found) > 0 && found[0].Name == "Other5" {
			t.Errorf("search for a name that is gone: got %+v, %v", found, err)
		}
		if c, err := db.Contact(t.Context(), "c2405"); err != nil || c.Name != "Other2405" || c.Email != nth(2405) || c.Language != "fi" {
			t.Errorf("got %+v, %v", c, err)
		}
	})
}
