package store_test

import (
	"fmt"
	"reflect"
	"strings"
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
		if _, err := store.SQL(many).ExecContext(t.Context(), "UPDATE events SET kind = 'a word that no kind is'"); err == nil {
			t.Error("the database checks columns no longer")
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

// What all events of a list have in common is written in another way: it must
// come out as it is, however long and whatever is in it. And the few addresses of
// a list that are there already must be joined.
func TestBulkEventsKeepWhatTheyHaveInCommon(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{Bulk: true})
		const list, fresh = 400, 390
		for i, detail := range []string{"plain", "it's ?1 \"gone\" \U0001F4ED; --", strings.Repeat("Ä", recipient.MaxDetailBytes/2)} {
			at := noon.Add(time.Duration(i) * time.Second)
			var events []recipient.Event
			var keys []recipient.Key
			for n := range list {
				e := report(nth(i*fresh+n), recipient.Complaint, fmt.Sprint(i, n), at, noon.Add(time.Hour))
				e.Detail, e.Actor = detail, "Åsa O'Hara"
				events, keys = append(events, e), append(keys, e.Key)
			}
			if got, want := record(t, db, events...), (store.Recorded{Stored: list}); !reflect.DeepEqual(got, want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
			for _, n := range []int{0, list - 1} {
				h := history(t, db, keys[n])
				if len(h) == 0 || h[0].Detail != detail || h[0].Actor != "Åsa O'Hara" || h[0].Kind != recipient.Complaint || h[0].Channel != recipient.Email {
					t.Errorf("list %d: history of %d: got %+v", i, n, h)
				}
			}
			states, err := db.States(t.Context(), keys)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range keys {
				if want := (recipient.State{ComplainedAt: at}); states[k] != want {
					t.Fatalf("list %d: got %+v, want %+v", i, states[k], want)
				}
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
