package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/store/storetest"
)

// Two replicas on one database, and a provider that sends every report twice to
// both, at the same time and about few people: each counts once, and no
// deadlock surfaces.
func TestTwoReplicas(t *testing.T) {
	a := newService(t, storetest.MariaDB(t))
	a.start()
	b := &service{t: t, dir: a.dir, database: a.database, apiKey: a.apiKey, settings: a.settings}
	t.Cleanup(b.kill)
	b.start()
	const people, reports = 20, 600
	info, hard := sampleOf(t, "postmark", "hard")
	_, delivered := sampleOf(t, "postmark", "delivered")
	var work sync.WaitGroup
	var mu sync.Mutex
	bad := map[string]int{}
	wants := make([]int, people)
	turns := make(chan *providers.Request)
	for range clients {
		work.Go(func() {
			for r := range turns {
				var both sync.WaitGroup
				for _, s := range []*service{a, b, a, b} {
					both.Go(func() {
						got, err := s.post(r)
						for end := time.Now().Add(5 * time.Minute); err == nil && got.status == http.StatusServiceUnavailable && time.Now().Before(end); {
							got, err = s.post(r) // not stored in time, by a slow machine: the provider comes again
						}
						if err != nil || !got.ok() {
							mu.Lock()
							bad[fmt.Sprint(got.status, err)]++
							mu.Unlock()
						}
					})
				}
				both.Wait()
			}
		})
	}
	for i := range reports {
		sample := hard
		if i%3 == 0 {
			sample = delivered
		}
		n := rand.IntN(people) //nolint:gosec // a test
		wants[n]++
		turns <- a.shot(info, sample, fmt.Sprintf("replica-%d@example.com", n))
	}
	close(turns)
	work.Wait()
	if len(bad) > 0 {
		t.Errorf("answers that were not 2xx: %v", bad)
	}
	for n, want := range wants {
		k := a.lookup("email", fmt.Sprintf("replica-%d@example.com", n))
		if len(k.Events) != want {
			t.Errorf("person %d: %d events, want %d", n, len(k.Events), want)
		}
	}
	for name, s := range map[string]*service{"a": a, "b": b} {
		if got := s.metric("strikeout_store_commit_errors_total"); got != "0" {
			t.Errorf("replica %s: %s commits failed", name, got)
		}
		s.stop()
		if log := s.errs.String(); strings.Contains(log, "level=ERROR") || strings.Contains(strings.ToLower(log), "deadlock") {
			t.Errorf("replica %s: the log says\n%s", name, log)
		}
	}
	a.fsck()
}
