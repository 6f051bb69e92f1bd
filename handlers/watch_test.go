package handlers

import (
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// The net under a wrong secret: worked within a day, rejects everything for
// five minutes -> alert; and where a 4xx is final, "come again" for a day.
func TestRejectingEndpoint(t *testing.T) {
	tests := []struct {
		endpoint      string
		before, after int // the answer to a wrong signature before and during the alarm
	}{
		{"acme", 401, 401},
		{"final", 401, 429},
	}
	for _, tt := range tests {
		t.Run(tt.endpoint, func(t *testing.T) {
			b := start(t, nil)
			path := "/webhooks/" + tt.endpoint
			id := 0
			post := func(sig string, want int) {
				t.Helper()
				id++
				if got := b.do("POST", path, acme("a@example.com", recipient.SoftBounce, time.Duration(id).String()), signed, sig); got.status != want {
					t.Fatalf("status: got %d, want %d", got.status, want)
				}
			}
			rejecting := func(want string) {
				t.Helper()
				if got := b.metric(`strikeout_endpoint_rejecting{endpoint="` + tt.endpoint + `"}`); got != want {
					t.Fatalf("rejecting: got %q, want %q", got, want)
				}
			}
			post("bad", 401)
			b.clock.add(time.Hour)
			post("bad", 401) // never worked: nothing to alarm about
			rejecting("0")

			post("good", 200)
			b.clock.add(20 * time.Hour)
			post("bad", tt.before)
			b.clock.add(4 * time.Minute)
			post("bad", tt.before)
			rejecting("0")
			b.clock.add(time.Minute)
			post("bad", tt.after)
			rejecting("1")
			if !strings.Contains(b.log.String(), "now rejects all of them") {
				t.Error("no alert in the log")
			}
			b.do("GET", path, "") // a browser that looks in does not count
			b.clock.add(23 * time.Hour)
			post("bad", tt.after)
			b.clock.add(time.Hour)
			post("bad", tt.before)
			rejecting("1")

			post("good", 200)
			rejecting("0")
			post("bad", tt.before)
			b.clock.add(4 * time.Minute)
			post("good", 200) // one good one and the run starts again
			b.clock.add(4 * time.Minute)
			post("bad", tt.before)
			rejecting("0")

			b.clock.add(25 * time.Hour) // silence for a day, then a stranger
			b.srv.endpoints[tt.endpoint].watch.accept(b.clock.now().Add(-25 * time.Hour))
			post("bad", tt.before)
			b.clock.add(10 * time.Minute)
			post("bad", tt.before)
			rejecting("0")
		})
	}
}

// Secrets change with a restart, so the net must outlive it.
func TestLastAcceptedOutlivesARestart(t *testing.T) {
	b := newBench(t)
	b.store.meta[store.MetaLastAccepted+"final"] = b.clock.now().Add(-time.Hour).Format(time.RFC3339Nano)
	b.serve(b.config())
	until(t, func() bool { // loaded before the first request is served
		return b.metric(`strikeout_endpoint_last_accepted_timestamp_seconds{endpoint="final"}`) != "0"
	})
	b.do("POST", "/webhooks/final", "{}")
	b.clock.add(5 * time.Minute)
	if got := b.do("POST", "/webhooks/final", "{}"); got.status != 429 {
		t.Errorf("after a restart with a wrong secret: got %d, want 429", got.status)
	}
	b.do("POST", "/webhooks/acme", acme("a@example.com", recipient.SoftBounce, "1"), signed, "good")
	b.srv.saveWatches()
	want := b.clock.now().Format(time.RFC3339Nano)
	if got, _, err := b.store.Meta(t.Context(), store.MetaLastAccepted+"acme"); err != nil || got != want {
		t.Errorf("saved: got %q (%v), want %q", got, err, want)
	}
}
