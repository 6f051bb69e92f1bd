package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// fillDisk lets no more be written, as a full disk does, and returns what makes
// room again. SQLite really runs out of pages; the server's answer is that of
// InnoDB when a tablespace cannot grow.
func fillDisk(t *testing.T, db *store.DB) (free func()) {
	t.Helper()
	do := func(statement string) {
		t.Helper()
		if _, err := store.SQL(db).ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if db.Kind() == "sqlite" {
		do("PRAGMA max_page_count = 1") // as many as there are
		return func() { do("PRAGMA max_page_count = 1000000") }
	}
	for _, table := range []string{"events", "recipients", "quarantine"} {
		do("CREATE TRIGGER full_" + table + " BEFORE INSERT ON " + table + " FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'")
	}
	return func() {
		for _, table := range []string{"events", "recipients", "quarantine"} {
			do("DROP TRIGGER full_" + table)
		}
	}
}

// A full disk is no fault of what was to be stored: nothing is refused for good,
// callers are told to try again, and all is well when there is room.
func TestDiskFull(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		record(t, db, report(nth(0), recipient.HardBounce, "before", noon, noon))
		free := fillDisk(t, db)
		batch := func(n int) []recipient.Event {
			events := make([]recipient.Event, 100)
			for i := range events {
				events[i] = report(nth(n*100+i), recipient.HardBounce, fmt.Sprint(n, "-", i), noon, noon)
			}
			return events
		}
		full := false
		stored := 1
		for n := 1; n < 50 && !full; n++ { // SQLite still has room in the pages it has
			r, err := db.Record(t.Context(), batch(n))
			stored += r.Stored
			if len(r.Refused) > 0 {
				t.Fatalf("batch %d: %d events were refused for good", n, len(r.Refused))
			}
			if full = err != nil; full && (!errors.Is(err, store.ErrUnavailable) || store.RowAtFault(err)) {
				t.Fatalf("batch %d: got %v, want ErrUnavailable that blames no row", n, err)
			}
		}
		if !full {
			t.Fatal("the disk does not fill up")
		}
		if err := db.Quarantine(t.Context(), store.Held{Endpoint: "acme", Reason: "unreadable", Body: noise(1 << 19), ReceivedAt: noon}); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrQuarantineFull) {
			t.Errorf("quarantine: got %v, want ErrUnavailable", err)
		}
		for i := range 200 { // a click is small; one of them finds no room
			c := click(nth(50_000+i), "t")
			c.Evidence.UserAgent = string(noiseText(3000))
			if _, err := db.Click(t.Context(), c); err != nil {
				if !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("a click: got %v, want ErrUnavailable", err)
				}
				break
			}
			if i == 199 {
				t.Error("every click found room")
			}
			stored++
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Errorf("a full disk can be read: %v", err)
		}
		clean(t, db)
		free()
		if r := record(t, db, batch(99)...); r.Stored != 100 {
			t.Errorf("with room again: %+v", r)
		}
		var n int
		if err := store.SQL(db).GetContext(t.Context(), &n, "SELECT COUNT(*) FROM events"); err != nil || n != stored+100 {
			t.Errorf("%d events, %v; want the %d that were acknowledged", n, err, stored+100)
		}
		clean(t, db)
	})
}

// noise cannot be compressed.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

func noiseText(n int) []byte {
	b := noise(n)
	for i := range b {
		b[i] = 'a' + b[i]%26
	}
	return b
}
