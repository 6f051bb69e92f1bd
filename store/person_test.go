package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func TestPerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		shared, one, other := nth(1), phone("+358401234561"), phone("+358401234562")
		put := func(id string, email, number recipient.Address) {
			t.Helper()
			c := store.Contact{ExternalID: id, Email: email, Phone: number}
			if _, _, err := db.PutContact(t.Context(), c, store.PutOptions{Source: recipient.FromAPI, AcceptShared: true}); err != nil {
				t.Fatal(err)
			}
		}
		check := func(what string, a recipient.Address, want ...recipient.Address) store.Person {
			t.Helper()
			p, err := db.Person(t.Context(), a.Channel(), keyer.Key(a))
			if err != nil || p.Key != keyer.Key(a) || len(p.Others) != len(want) {
				t.Fatalf("%s: got %+v, %v; want %d others", what, p, err, len(want))
			}
			for i, o := range p.Others {
				if o.Address != want[i] || o.Key != keyer.Key(want[i]) || o.Channel != want[i].Channel() {
					t.Errorf("%s: got %+v, want %v", what, o, want[i])
				}
			}
			return p
		}

		if p := check("nobody", shared); !p.Address.IsZero() || p.State != (recipient.State{}) {
			t.Errorf("nobody: got %+v", p)
		}
		record(t, db, report(nth(2), recipient.HardBounce, "1", noon, noon))
		if p := check("an address without a contact", nth(2)); p.Address != nth(2) || !p.State.Blocked() {
			t.Errorf("without a contact: got %+v", p)
		}
		put("1", shared, one)
		act(t, db, recipient.OptOut, one)
		if p := check("one person", shared, one); !p.Others[0].State.OptedOut() || p.State.OptedOut() || p.Address != shared {
			t.Errorf("one person: got %+v", p)
		}
		if p := check("the other way round", one, shared); p.Others[0].State.OptedOut() || !p.State.OptedOut() {
			t.Errorf("the other way round: got %+v", p)
		}
		// A link that says another channel than its key is of: nobody knows whom it means.
		if p, err := db.Person(t.Context(), recipient.SMS, keyer.Key(shared)); err != nil || len(p.Others) != 0 {
			t.Errorf("another channel: got %+v, %v", p, err)
		}
		put("2", shared, one)
		check("two entries of one person", shared, one)
		put("3", shared, other)
		check("two people who share an address", shared)
		check("and the number of one of them", other, shared)
		put("3", shared, recipient.Address{})
		check("one of them without a number", shared)
		check("a number that was removed", other)
		put("3", recipient.Address{}, other)
		check("an address that was removed", shared, one)
		if err := db.Erase(t.Context(), keyer.Key(one), store.By{Actor: "anna"}); err != nil {
			t.Fatal(err)
		}
		check("an erased number", shared)
	})
}

const undoWithin = 24 * time.Hour

// An outcome, the state that follows from it, and the undo itself say the same.
func TestCanUndoOfAnOutcome(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		check := func(what string, a recipient.Address, token string, want bool) {
			t.Helper()
			out, err := db.Click(t.Context(), click(a, token))
			if err != nil {
				t.Fatal(err)
			}
			can, err := db.CanUndo(t.Context(), click(a, token), out.After, undoWithin)
			if got := out.CanUndo(now(), undoWithin); err != nil || got != want || can != want {
				t.Errorf("%s: the outcome says %v, the database %v, %v; want %v", what, got, can, err, want)
			}
		}
		check("the first click", nth(1), "t", true)
		check("the same again", nth(1), "t", true)
		check("another link", nth(1), "u", false)
		check("the first once more", nth(1), "t", true)
		set(now().Add(undoWithin))
		check("at the last moment", nth(1), "t", true)
		set(now().Add(1000))
		check("too late", nth(1), "t", false)
		act(t, db, recipient.OptIn, nth(1))
		check("after an opt-in", nth(1), "t", true)
		record(t, db, report(nth(1), recipient.Complaint, "1", now(), now()))
		check("after a complaint", nth(1), "t", false)
	})
}

// Whoever is asked for together is answered as if alone.
func TestPersonsTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		var keys []recipient.Key
		number := func(i int) recipient.Address { return phone(fmt.Sprintf("+35840123%04d", i)) }
		var contacts []store.Contact
		for i := range 2*store.LooksGroup + 30 {
			keys = append(keys, keyer.Key(nth(i)))
			switch i % 3 {
			case 0:
				contacts = append(contacts, store.Contact{ExternalID: fmt.Sprint(i), Email: nth(i), Phone: number(i)})
			case 1:
				record(t, db, report(nth(i), recipient.HardBounce, fmt.Sprint(i), noon, noon))
			}
		}
		save := func() {
			t.Helper()
			results, err := db.PutContacts(t.Context(), contacts, store.PutOptions{Source: recipient.FromAPI, AcceptShared: true})
			for _, r := range results {
				err = errors.Join(err, r.Err)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		save()
		keys = append(keys, keys[0], keys[1], keys[0])
		gone := func(i int) bool { return i%7 == 5 }
		check := func(what string) {
			t.Helper()
			got, errs := store.PersonsTogether(db, recipient.Email, keys, gone)
			for i, k := range keys {
				if gone(i) {
					continue
				}
				want, err := db.Person(t.Context(), recipient.Email, k)
				if err != nil || errs[i] != nil || !reflect.DeepEqual(got[i], want) || want.Key != k {
					t.Fatalf("%s, %d: got %+v, %v; want %+v, %v", what, i, got[i], errs[i], want, err)
				}
			}
		}
		check("different people")
		if p, _ := db.Person(t.Context(), recipient.Email, keys[0]); len(p.Others) != 1 {
			t.Fatalf("one contact: got %+v", p)
		}
		// So many contacts of one address that those of others are not all among the
		// rows of one statement.
		contacts = nil
		for i := range store.MaxSharing {
			contacts = append(contacts, store.Contact{ExternalID: fmt.Sprint("many", i), Email: nth(0), Phone: number(0)})
		}
		save()
		check("an address of many")
		if p, _ := db.Person(t.Context(), recipient.Email, keys[0]); len(p.Others) != 0 || p.Address != nth(0) {
			t.Errorf("an address of many: got %+v", p)
		}
	})
}

// Many at once, as after one commit of many clicks.
func TestPersonsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		const people = 64
		for i := range people {
			c := store.Contact{ExternalID: fmt.Sprint(i), Email: nth(i), Phone: phone(fmt.Sprintf("+35840123%04d", i))}
			if _, _, err := db.PutContact(t.Context(), c, store.PutOptions{Source: recipient.FromAPI}); err != nil {
				t.Fatal(err)
			}
		}
		var work sync.WaitGroup
		for i := range people {
			a, other := nth(i), phone(fmt.Sprintf("+35840123%04d", i))
			if i%2 == 1 {
				a, other = other, a
			}
			work.Go(func() {
				for range 20 {
					if p, err := db.Person(t.Context(), a.Channel(), keyer.Key(a)); err != nil || p.Address != a || len(p.Others) != 1 || p.Others[0].Address != other {
						t.Errorf("%d: got %+v, %v", i, p, err)
					}
				}
			})
		}
		work.Wait()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Person(t.Context(), recipient.Email, keyer.Key(nth(1))); err == nil {
			t.Error("after the end: no error")
		}
	})
}

// What is kept is prepared again where the connection or the tables are others.
func TestKeptStatements(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		record(t, db, report(nth(1), recipient.HardBounce, "1", noon, noon))
		look := func(what string) {
			t.Helper()
			if p, err := db.Person(t.Context(), recipient.Email, keyer.Key(nth(1))); err != nil || !p.State.Blocked() {
				t.Errorf("%s: got %+v, %v", what, p, err)
			}
		}
		look("at first")
		look("again")
		gone, stop := context.WithCancel(t.Context())
		stop()
		if _, err := db.Person(gone, recipient.Email, keyer.Key(nth(1))); err == nil {
			t.Error("nobody waits: no error")
		}
		look("after somebody left")
		if _, err := store.SQL(db).ExecContext(t.Context(), "ALTER TABLE recipients ADD COLUMN extra INT NULL"); err != nil {
			t.Fatal(err)
		}
		look("after a change of the table")
	})
}
