package store_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

// Any shuffle, split, repetition and concurrency of any history gives the
// state that folding it in Go gives, on both databases.
func TestAnyOrderGivesTheSameState(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Config) *store.DB) {
		dbs := []*store.DB{open(store.Config{}), open(store.Config{})}
		run := 0
		rapid.Check(t, func(rt *rapid.T) {
			run++
			people := rapid.IntRange(1, 4).Draw(rt, "people")
			n := rapid.IntRange(1, 40).Draw(rt, "events")
			events := make([]recipient.Event, n)
			for i := range events {
				a := nth(run*10 + rapid.IntRange(0, people-1).Draw(rt, "person"))
				received := noon.Add(time.Duration(rapid.IntRange(-3, 3).Draw(rt, "received")) * time.Hour)
				at := received.Add(time.Duration(rapid.IntRange(-4, 1).Draw(rt, "at")) * time.Hour)
				e := report(a, rapid.SampledFrom(recipient.Kinds).Draw(rt, "kind"), fmt.Sprint(run, "-", i), at, received)
				e.Echo = rapid.IntRange(0, 5).Draw(rt, "echo") == 0
				events[i] = e
			}
			want := map[recipient.Key]recipient.State{}
			for _, e := range events {
				want[e.Key] = want[e.Key].With(e)
			}
			seed := rapid.Uint64().Draw(rt, "seed")
			rng := rand.New(rand.NewPCG(seed, 1))
			all := append([]recipient.Event(nil), events...)
			for range rapid.IntRange(0, n).Draw(rt, "repeats") {
				all = append(all, events[rng.IntN(n)])
			}
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			var work sync.WaitGroup
			var mu sync.Mutex
			var total store.Recorded
			for i := 0; len(all) > 0; i++ {
				k := rng.IntN(len(all)) + 1
				chunk := all[:k]
				all = all[k:]
				work.Go(func() {
					r, err := dbs[i%2].Record(t.Context(), chunk)
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Errorf("record: %v", err)
					}
					total.Stored += r.Stored
				})
			}
			work.Wait()
			if total.Stored != n {
				rt.Fatalf("stored %d, want %d", total.Stored, n)
			}
			keys := make([]recipient.Key, 0, len(want))
			for k := range want {
				keys = append(keys, k)
			}
			got, err := dbs[0].States(t.Context(), keys)
			if err != nil {
				rt.Fatal(err)
			}
			check, err := dbs[0].CheckStates(t.Context(), keys)
			if err != nil {
				rt.Fatal(err)
			}
			for k, w := range want {
				if g := got[k]; g != w {
					rt.Fatalf("got %+v, want %+v", g, w)
				}
				if g, known := check[k]; known && g != w || !known && w.Suppressed() {
					rt.Fatalf("for a check: got %+v, want %+v", g, w)
				}
			}
		})
		clean(t, dbs[0])
	})
}
