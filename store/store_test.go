package store_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var keyer = storetest.Keyer()

// noon is when tests happen.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func clock() (now func() time.Time, set func(time.Time)) {
	var t atomic.Int64
	t.Store(noon.UnixMicro())
	return func() time.Time { return time.UnixMicro(t.Load()).UTC() }, func(to time.Time) { t.Store(to.UnixMicro()) }
}

func email(t testing.TB, s string) recipient.Address {
	t.Helper()
	a, err := recipient.ParseEmail(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// nth is one of many addresses.
func nth(i int) recipient.Address {
	return recipient.Stored(recipient.Email, fmt.Sprintf("person%d@example.com", i))
}

// report is a provider's event about an address; zero at means that the
// provider gave no time.
func report(a recipient.Address, k recipient.Kind, id string, at, receivedAt time.Time) recipient.Event {
	e := recipient.Event{Kind: k, Address: a, At: at, Source: recipient.FromProvider, IDParts: []string{id}, EventID: id, Code: "550 5.1.1", Detail: "user unknown"}
	return keyer.Seal(e, "acme", receivedAt)
}

func record(t testing.TB, db *store.DB, events ...recipient.Event) store.Recorded {
	t.Helper()
	r, err := db.Record(t.Context(), events)
	if err != nil {
		t.Fatalf("record: %v", err)
	}
	return r
}

// patiently repeats what a database did not do in time, as callers do. Where
// several processes write to one SQLite file the lock goes to whoever asks at the
// right moment: on a slow machine one of them may have to wait for long.
func patiently(db *store.DB, do func() error) error {
	for end := time.Now().Add(5 * time.Minute); ; {
		err := do()
		if !errors.Is(err, store.ErrUnavailable) || db.Kind() != "sqlite" || time.Now().After(end) {
			return err
		}
	}
}

func state(t testing.TB, db *store.DB, a recipient.Address) recipient.State {
	t.Helper()
	r, err := db.Recipient(t.Context(), keyer.Key(a))
	if err != nil {
		t.Fatalf("recipient: %v", err)
	}
	return r.State
}

func act(t testing.TB, db *store.DB, k recipient.Kind, a recipient.Address) store.Outcome {
	t.Helper()
	in := store.Act{Kind: k, Channel: a.Channel(), Key: keyer.Key(a), Address: a, Source: recipient.FromAdmin, Actor: "anna", Reason: "asked on the phone"}
	if k == recipient.OptIn {
		in.Evidence.Consent = &recipient.Consent{Source: "phone call", Wording: "yes, please", At: noon}
	}
	out, err := db.Act(t.Context(), in)
	if err != nil {
		t.Fatalf("%s: %v", k, err)
	}
	return out
}

func clean(t testing.TB, db *store.DB) {
	t.Helper()
	r, err := db.Fsck(t.Context(), store.FsckOptions{})
	if err != nil || len(r.Differences) > 0 {
		t.Errorf("fsck: got %+v, %v; want no differences", r, err)
	}
}
