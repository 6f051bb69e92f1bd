package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// BenchmarkRecord measures durable events per second: one event a call from 64
// and 256 callers, arrays of 1000 from 8, and for comparison batches of one,
// which is a transaction an event.
func BenchmarkRecord(b *testing.B) {
	for _, base := range []struct {
		name string
		url  func(testing.TB) string
	}{{"mariadb", storetest.MariaDB}, {"sqlite", storetest.SQLite}} {
		for _, load := range []struct {
			name                   string
			callers, events, batch int
		}{{"single-64", 64, 1, 0}, {"single-256", 256, 1, 0}, {"array-1000", 8, 1000, 0}, {"naive-64", 64, 1, 1}} {
			b.Run(base.name+"/"+load.name, func(b *testing.B) {
				db := storetest.Open(b, store.Config{URL: base.url(b), BatchEvents: load.batch})
				var next atomic.Int64
				var work sync.WaitGroup
				b.ResetTimer()
				for range load.callers {
					work.Go(func() {
						events := make([]recipient.Event, load.events)
						for {
							n := next.Add(int64(load.events)) - int64(load.events)
							if n >= int64(b.N) {
								return
							}
							for i := range events {
								id := int(n) + i
								events[i] = report(nth(id), recipient.HardBounce, fmt.Sprint(id), noon, noon)
							}
							if _, err := db.Record(b.Context(), events); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				work.Wait()
				b.ReportMetric(float64(max(int64(b.N), int64(load.events)))/b.Elapsed().Seconds(), "events/s")
			})
		}
	}
}

// BenchmarkClick measures clicks per second from 64 people at once.
func BenchmarkClick(b *testing.B) {
	for _, base := range []struct {
		name string
		url  func(testing.TB) string
	}{{"mariadb", storetest.MariaDB}, {"sqlite", storetest.SQLite}} {
		b.Run(base.name, func(b *testing.B) {
			db := storetest.Open(b, store.Config{URL: base.url(b)})
			var next atomic.Int64
			var work sync.WaitGroup
			b.ResetTimer()
			for range 64 {
				work.Go(func() {
					for {
						n := next.Add(1)
						if n > int64(b.N) {
							return
						}
						if _, err := db.Click(b.Context(), click(nth(int(n)), "t")); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			work.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "clicks/s")
		})
	}
}
