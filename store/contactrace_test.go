package store_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// Another writer makes a contact after a list has found that there is none, and
// before it saves its own. What the person told us at the other's address goes
// along all the same. On SQLite nobody can come between.
func TestAListMeetsAContactThatWasJustMade(t *testing.T) {
	url := storetest.MariaDB(t)
	other := storetest.Open(t, store.Config{URL: url})
	var between atomic.Pointer[func()]
	db := storetest.Open(t, store.Config{URL: url, Now: func() time.Time { // asked for when all is read, before the first contact is written
		if f := between.Swap(nil); f != nil {
			(*f)()
		}
		return noon
	}})
	const id = " " // nothing to search for, so that no term of the other's is in the way either
	if _, err := other.Click(t.Context(), click(nth(1), "t")); err != nil {
		t.Fatal(err)
	}
	came := false
	meanwhile := func() {
		came = true
		put(t, other, store.Contact{ExternalID: id, Name: "Maija", Language: "fi", Email: nth(1)}, store.PutOptions{})
	}
	between.Store(&meanwhile)
	list := []store.Contact{{ExternalID: id, Email: nth(2)}, {ExternalID: "b", Email: nth(3)}}
	got, err := db.PutContacts(t.Context(), list, store.PutOptions{Source: recipient.FromImport})
	if err != nil || !came {
		t.Fatalf("got %v; the other came between: %v", err, came)
	}
	if want := (store.ContactResult{Changed: true, Carried: true}); got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	if want := (store.ContactResult{Created: true}); got[1] != want {
		t.Errorf("got %+v, want %+v", got[1], want)
	}
	if !state(t, db, nth(2)).OptedOut() {
		t.Error("the opt-out stayed at the former address")
	}
	c, err := db.Contact(t.Context(), id)
	if err != nil || c.Email != nth(2) || c.Name != "Maija" || c.Language != "fi" {
		t.Errorf("got %+v, %v; want the list's address and the other's name", c, err)
	}
	clean(t, db)
}
