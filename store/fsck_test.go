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

func TestFsck(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{})
		ctx := t.Context()
		var events []recipient.Event
		for i := range 4500 { // several chunks
			events = append(events, report(nth(i), recipient.HardBounce, fmt.Sprint(i), noon.Add(-time.Minute), noon))
		}
		record(t, db, events...)
		steps := 0
		r, err := db.Fsck(ctx, store.FsckOptions{Progress: func(int) { steps++ }})
		if err != nil || r.Recipients != 4500 || r.Events != 4500 || r.Different != 0 || steps < 3 {
			t.Fatalf("clean: got %+v, %v, %d steps", r, err, steps)
		}
		low, high, gone := keyer.Key(nth(7)), keyer.Key(nth(8)), keyer.Key(nth(9))
		for _, s := range []struct {
			query string
			key   recipient.Key
		}{
			{"UPDATE recipients SET blocked_at = 5 WHERE recipient_key = ?", low},
			{"UPDATE recipients SET opted_in_at = 77000000 WHERE recipient_key = ?", high},
			{"DELETE FROM recipients WHERE recipient_key = ?", gone},
		} {
			if _, err := store.SQL(db).ExecContext(ctx, s.query, s.key[:]); err != nil {
				t.Fatal(err)
			}
		}
		want := map[recipient.Key]store.FsckDifference{
			low:  {Key: low, Channel: recipient.Email, Field: "blocked_at", Have: time.UnixMicro(5).UTC(), Want: noon.Add(-time.Minute)},
			high: {Key: high, Channel: recipient.Email, Field: "opted_in_at", Have: time.UnixMicro(77000000).UTC()},
			gone: {Key: gone, Channel: recipient.Email, Field: "blocked_at", Want: noon.Add(-time.Minute)},
		}
		check := func(o store.FsckOptions, repaired int, keys ...recipient.Key) {
			t.Helper()
			r, err := db.Fsck(ctx, o)
			if err != nil || r.Repaired != repaired || r.Different != len(keys) || len(r.Differences) != len(keys) {
				t.Errorf("%+v: got %+v, %v", o, r, err)
			}
			for _, d := range r.Differences {
				if d != want[d.Key] {
					t.Errorf("got %+v, want %+v", d, want[d.Key])
				}
			}
		}
		check(store.FsckOptions{}, 0, low, high, gone)
		check(store.FsckOptions{Repair: true}, 2, low, high, gone)
		check(store.FsckOptions{Repair: true}, 0, high)
		check(store.FsckOptions{Rebuild: true}, 1, high)
		check(store.FsckOptions{}, 0)
	})
}

func TestRetain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		now, set := clock()
		db := open(store.Config{Now: now})
		ctx := t.Context()
		a := nth(1)
		at := func(days int) time.Time { return noon.AddDate(0, 0, days) }
		echo := report(a, recipient.SoftBounce, "echo", at(10), at(10))
		echo.Echo = true
		record(t, db,
			report(a, recipient.Delivered, "1", at(0), at(0)), report(a, recipient.Delivered, "2", at(1), at(1)), report(a, recipient.Delivered, "3", at(1), at(1)),
			report(a, recipient.SoftBounce, "4", at(2), at(2)), echo, report(a, recipient.HardBounce, "5", at(0), at(0)), report(a, recipient.HardBounce, "6", at(1), at(1)),
			report(nth(2), recipient.Delivered, "7", at(0), at(0)))
		before := state(t, db, a)
		set(at(200))
		keep := map[recipient.Kind]time.Duration{recipient.Delivered: 90 * 24 * time.Hour, recipient.SoftBounce: 90 * 24 * time.Hour}
		if n, err := db.Retain(ctx, keep); n != 2 || err != nil {
			t.Errorf("got %d, %v; want the 2 delivered events that are not the latest", n, err)
		}
		if n, err := db.Retain(ctx, keep); n != 0 || err != nil {
			t.Errorf("again: got %d, %v", n, err)
		}
		if got := state(t, db, a); got != before {
			t.Errorf("got %+v, want %+v", got, before)
		}
		clean(t, db)
		// What was the latest then goes once it no longer is, and what is young stays.
		record(t, db, report(nth(2), recipient.Delivered, "8", at(150), at(150)), report(a, recipient.Delivered, "9", at(199), at(199)), report(a, recipient.Delivered, "10", at(200), at(200)))
		for i, want := range []int{2, 0, 0} {
			if n, err := db.Retain(ctx, keep); n != want || err != nil {
				t.Errorf("with later events, run %d: got %d, %v; want %d", i+1, n, err, want)
			}
		}
		set(at(500))
		if n, err := db.Retain(ctx, keep); n != 1 || err != nil {
			t.Errorf("when all are old: got %d, %v; want the last but one", n, err)
		}
		clean(t, db)
		if _, err := db.Fsck(ctx, store.FsckOptions{Rebuild: true}); !errors.Is(err, store.ErrRetention) {
			t.Errorf("rebuild: got %v, want ErrRetention", err)
		}
	})
}
