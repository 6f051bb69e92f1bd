package store_test

import (
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// A contact whose address was erased keeps its key when it is saved again. A
// list that brings the same contact under another name must not bring back what
// the person had erased: not even as something to search for.
func TestAListKeepsAnErasedAddressErased(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		c := store.Contact{ExternalID: "1", Name: "Maija", Email: nth(1)}
		put(t, db, c, store.PutOptions{})
		if err := db.Erase(t.Context(), keyer.Key(nth(1)), store.By{Actor: "anna"}); err != nil {
			t.Fatal(err)
		}
		set(noon.Add(time.Hour))
		put(t, db, c, store.PutOptions{})
		c.Name = "Maija Virtanen"
		list := []store.Contact{c, {ExternalID: "2", Name: "Other", Email: nth(2)}}
		got, err := db.PutContacts(t.Context(), list, store.PutOptions{Source: recipient.FromImport})
		if err != nil || got[0] != (store.ContactResult{Changed: true}) || got[1] != (store.ContactResult{Created: true}) {
			t.Fatalf("got %+v, %v", got, err)
		}
		var n int
		if err := store.SQL(db).GetContext(t.Context(), &n, "SELECT COUNT(*) FROM contact_terms WHERE term = ?", []byte(nth(1).Value())); err != nil || n != 0 {
			t.Errorf("%d terms are the address of an erased person, %v", n, err)
		}
		if saved, err := db.Contact(t.Context(), "1"); err != nil || saved.Name != c.Name || !saved.Email.IsZero() || saved.EmailKey != keyer.Key(nth(1)) {
			t.Errorf("got %+v, %v", saved, err)
		}
	})
}

// A list that leaves an erased address empty does not make it the empty address
// of somebody who came back since.
func TestAListDoesNotReviveWhatItLeavesEmpty(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		c := store.Contact{ExternalID: "1", Name: "Maija", Email: nth(1), Phone: phone("+358401234561")}
		put(t, db, c, store.PutOptions{})
		if err := db.Erase(t.Context(), keyer.Key(nth(1)), store.By{Actor: "anna"}); err != nil {
			t.Fatal(err)
		}
		set(noon.Add(time.Hour))
		put(t, db, c, store.PutOptions{})
		set(noon.Add(2 * time.Hour))
		act(t, db, recipient.OptIn, nth(1))
		list := []store.Contact{{ExternalID: "1", Phone: phone("+358401234562")}}
		if got, err := db.PutContacts(t.Context(), list, store.PutOptions{Source: recipient.FromImport}); err != nil || got[0] != (store.ContactResult{Changed: true}) {
			t.Fatalf("got %+v, %v", got, err)
		}
		if r, err := db.Recipient(t.Context(), keyer.Key(nth(1))); err != nil || r.ErasedAt.IsZero() {
			t.Errorf("got %+v, %v; want it erased as before", r, err)
		}
		// One that brings it does, by the same rules as when it is saved alone.
		list = []store.Contact{{ExternalID: "1", Name: "Maija Virtanen", Email: nth(1)}}
		if _, err := db.PutContacts(t.Context(), list, store.PutOptions{Source: recipient.FromImport}); err != nil {
			t.Fatal(err)
		}
		if r, err := db.Recipient(t.Context(), keyer.Key(nth(1))); err != nil || !r.ErasedAt.IsZero() || r.Address != nth(1) {
			t.Errorf("got %+v, %v; want it back", r, err)
		}
	})
}

// An address that can be read again is a change, although its key stays.
func TestARevivedAddressIsAudited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		c := store.Contact{ExternalID: "1", Name: "Maija", Email: nth(1)}
		o := store.PutOptions{By: store.By{Actor: "crm"}}
		put(t, db, c, o)
		if err := db.Erase(t.Context(), keyer.Key(nth(1)), store.By{Actor: "anna"}); err != nil {
			t.Fatal(err)
		}
		set(noon.Add(time.Hour))
		put(t, db, c, o)
		act(t, db, recipient.OptIn, nth(1))
		put(t, db, c, o)
		put(t, db, c, o)
		log, err := db.Audited(t.Context(), store.AuditQuery{Actor: "crm"})
		if err != nil || len(log) != 3 || log[0].Detail != "e-mail address" || log[1].Detail != "e-mail address" {
			t.Errorf("got %+v, %v; want the key's return, and the address's", log, err)
		}
	})
}

// Who edits a contact at the desk cannot read an erased address. Leaving it empty
// takes nothing away, and another one still gets its opt-out.
func TestAnEditKeepsWhatNobodyCanRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		number := phone("+358401234561")
		c := store.Contact{ExternalID: "1", Name: "Maija", Email: nth(1), Phone: number}
		put(t, db, c, store.PutOptions{})
		for _, a := range []recipient.Address{nth(1), number} {
			act(t, db, recipient.OptOut, a)
			if err := db.Erase(t.Context(), keyer.Key(a), store.By{Actor: "anna"}); err != nil {
				t.Fatal(err)
			}
		}
		put(t, db, c, store.PutOptions{})
		put(t, db, store.Contact{ExternalID: "1", Name: "Maija Virtanen"}, store.PutOptions{KeepUnread: true})
		saved, err := db.Contact(t.Context(), "1")
		if err != nil || saved.Name != "Maija Virtanen" || saved.EmailKey != keyer.Key(nth(1)) || saved.PhoneKey != keyer.Key(number) || !saved.Email.IsZero() {
			t.Errorf("edited: got %+v, %v", saved, err)
		}
		put(t, db, store.Contact{ExternalID: "1", Email: nth(2)}, store.PutOptions{KeepUnread: true})
		put(t, db, store.Contact{ExternalID: "1"}, store.PutOptions{KeepUnread: true}) // this one could be read
		saved, err = db.Contact(t.Context(), "1")
		if err != nil || !saved.EmailKey.IsZero() || saved.PhoneKey != keyer.Key(number) {
			t.Errorf("another address, taken away: got %+v, %v", saved, err)
		}
		if r, err := db.Recipient(t.Context(), keyer.Key(nth(2))); err != nil || !r.State.OptedOut() {
			t.Errorf("another address: got %+v, %v; want the opt-out to go along", r, err)
		}
		if r, err := db.Recipient(t.Context(), keyer.Key(nth(1))); err != nil || r.ErasedAt.IsZero() || !r.Address.IsZero() {
			t.Errorf("the erased one: got %+v, %v", r, err)
		}
	})
}
