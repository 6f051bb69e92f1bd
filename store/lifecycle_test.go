package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

type observer struct{ events, duplicates, commits, queued, peak atomic.Int64 }

func (o *observer) Committed(events, duplicates int, _ time.Duration, err error) {
	o.commits.Add(1)
	if err == nil {
		o.events.Add(int64(events))
		o.duplicates.Add(int64(duplicates))
	}
}

func (o *observer) Queued(events int, _ int64) {
	o.queued.Store(int64(events))
	o.peak.Store(max(o.peak.Load(), int64(events)))
}

func TestObserver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		var o observer
		db := open(store.Config{Observer: &o})
		e := report(nth(1), recipient.Delivered, "1", noon, noon)
		record(t, db, e, e, report(nth(2), recipient.Delivered, "2", noon, noon))
		record(t, db, e)
		if o.events.Load() != 2 || o.duplicates.Load() != 2 || o.commits.Load() != 2 || o.queued.Load() != 0 || o.peak.Load() != 3 {
			t.Errorf("got %d events, %d duplicates in %d commits; queued %d, at most %d", o.events.Load(), o.duplicates.Load(), o.commits.Load(), o.queued.Load(), o.peak.Load())
		}
	})
}

// Close stores what waits. Afterwards nothing is taken, and nothing hangs.
func TestClose(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		var o observer
		db, second := open(store.Config{Observer: &o, BatchEvents: 10}), open(store.Config{})
		var acked atomic.Int64
		var work sync.WaitGroup
		for w := range 20 {
			work.Go(func() {
				for i := 0; ; i++ {
					_, err := db.Record(context.WithoutCancel(t.Context()), []recipient.Event{report(nth(i), recipient.Delivered, fmt.Sprint(w, "-", i), noon, noon)})
					if err != nil {
						if !errors.Is(err, store.ErrUnavailable) {
							t.Errorf("record: %v", err)
						}
						return
					}
					acked.Add(1)
				}
			})
		}
		for end := time.Now().Add(5 * time.Minute); acked.Load() < 100 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		}
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		work.Wait()
		if _, err := db.Click(t.Context(), click(nth(1), "t")); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("a click afterwards: got %v", err)
		}
		r, err := second.Fsck(t.Context(), store.FsckOptions{})
		if err != nil || int64(r.Events) < acked.Load() || int64(r.Events) != o.events.Load() || acked.Load() < 100 {
			t.Errorf("%d events, %v; %d acknowledged, %d observed", r.Events, err, acked.Load(), o.events.Load())
		}
	})
}

// Arrays of hot addresses keep both committers busy; a third of the events come
// twice. Fsck looks on and sees nothing half-done.
func TestArraysWithBothCommitters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		db := open(store.Config{BatchEvents: 400})
		const callers, size = 6, 1500
		var stored, dups atomic.Int64
		var work sync.WaitGroup
		done := make(chan struct{})
		var looking sync.WaitGroup
		looking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					clean(t, db)
				}
			}
		})
		for c := range callers {
			work.Go(func() {
				events := make([]recipient.Event, size)
				for i := range events {
					id := fmt.Sprint(c, "-", i)
					if i%3 == 0 {
						id = fmt.Sprint("same-", i) // from every caller
					}
					events[i] = report(nth(i%200), recipient.Kinds[i%len(recipient.Kinds)], id, noon.Add(-time.Duration(i)*time.Second), noon)
				}
				r, err := db.Record(t.Context(), events)
				if err != nil {
					t.Error(err)
				}
				stored.Add(int64(r.Stored))
				dups.Add(int64(r.Duplicates))
			})
		}
		work.Wait()
		close(done)
		looking.Wait()
		same := int64(size / 3)
		if want := same + callers*(size-same); stored.Load() != want || dups.Load() != (callers-1)*same {
			t.Errorf("stored %d, duplicates %d; want %d, %d", stored.Load(), dups.Load(), want, (callers-1)*same)
		}
		clean(t, db)
	})
}
