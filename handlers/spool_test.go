package handlers

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/spool"
)

// spooling is a store with a spool before it, while the database is away.
type spooling struct {
	*fakeStore
	stats  spool.Stats
	events []recipient.Event
	clicks []store.Click
}

func (s *spooling) Stats() spool.Stats { return s.stats }

func (s *spooling) Record(_ context.Context, events []recipient.Event) (store.Recorded, error) {
	s.events = append(s.events, events...)
	return store.Recorded{Spooled: len(events)}, nil
}

func (s *spooling) Click(_ context.Context, c store.Click) (store.Outcome, error) {
	s.clicks = append(s.clicks, c)
	return store.Outcome{Spooled: true}, nil
}

func startSpooling(t *testing.T) (*bench, *spooling) {
	t.Helper()
	s := &spooling{}
	b := start(t, func(c *Config) {
		s.fakeStore = c.Store.(*fakeStore)
		c.Store, c.Spool = s, s
	})
	s.stats = spool.Stats{Records: 3, Bytes: 4096, Limit: 1 << 20, Oldest: b.clock.now().Add(-90 * time.Second), Refused: 1, Takes: true, Away: true, Spooled: 5, Replayed: 2}
	return b, s
}

func TestReadinessWithASpool(t *testing.T) {
	b, s := startSpooling(t)
	got := b.do("GET", "/readyz", "")
	if want := `{"status":"ready","spool":{"records":3,"bytes":4096,"oldest_seconds":90,"refused_files":1,"damaged_files":0}}`; got.status != 200 || strings.TrimSpace(got.body) != want {
		t.Errorf("got %d %s, want 200 %s", got.status, got.body, want)
	}
	b.store.set(func(f *fakeStore) { f.down = store.ErrUnavailable })
	if got := b.do("GET", "/readyz", ""); got.status != 200 || !strings.Contains(got.body, `"database":"away"`) {
		t.Errorf("database away: got %d %s, want 200", got.status, got.body)
	}
	s.stats.Takes = false
	if got := b.do("GET", "/readyz", ""); got.status != 503 {
		t.Errorf("database away and the spool full: got %d, want 503", got.status)
	}
	b.store.set(func(f *fakeStore) { f.down = nil })
	if got := b.do("GET", "/readyz", ""); got.status != 200 {
		t.Errorf("the spool full: got %d, want 200", got.status)
	}
	s.stats.Takes = true
	b.store.set(func(f *fakeStore) { f.down = store.ErrWrongAddressKey })
	if got := b.do("GET", "/readyz", ""); got.status != 503 {
		t.Errorf("another database's key: got %d, want 503", got.status)
	}
	for series, want := range map[string]string{"strikeout_spool_records": "3", "strikeout_spool_bytes": "4096", "strikeout_spool_oldest_seconds": "90", "strikeout_spool_refused_files": "1",
		"strikeout_spool_database_away": "1", "strikeout_spool_takes": "1", "strikeout_spool_spooled_total": "5", "strikeout_spool_stored_total": "2", "strikeout_spool_limit_bytes": "1.048576e+06"} {
		if got := b.metric(series); got != want {
			t.Errorf("%s: got %q, want %s", series, got, want)
		}
	}
}

func TestSpooledReport(t *testing.T) {
	b, s := startSpooling(t)
	if got := b.do("POST", "/webhooks/acme", acme("a@example.com", recipient.HardBounce, "1"), signed, "good"); got.status != 200 || len(s.events) != 1 {
		t.Errorf("got %d, %d events", got.status, len(s.events))
	}
	if got := b.metric(`strikeout_webhook_events_total{endpoint="acme",result="spooled"}`); got != "1" {
		t.Errorf("spooled: got %q, want 1", got)
	}
}

// A click that is spooled is received: the page neither says that it is done
// nor asks the database about anybody.
func TestSpooledClick(t *testing.T) {
	b, s := startSpooling(t)
	b.store.set(func(f *fakeStore) { f.down = store.ErrUnavailable })
	a := b.email("maija@example.com")
	path := "/u/" + b.links.active(b.keyer.Key(a), recipient.Email)
	for i, body := range []string{"List-Unsubscribe=One-Click", "via=form", "via=form&all=1"} {
		got := b.do("POST", path, body, "Content-Type", formType)
		checkPage(t, got, http.StatusOK, "received")
		if len(s.clicks) != i+1 {
			t.Fatalf("%s: %d clicks, want one", body, len(s.clicks)-i)
		}
		if c := s.clicks[i]; c.Key != b.keyer.Key(a) || c.Everything != strings.Contains(body, "all=1") || c.TokenID == "" {
			t.Errorf("%s: got %+v", body, c)
		}
	}
	if got := b.metric(`strikeout_unsubscribe_total{result="spooled"}`); got != "3" {
		t.Errorf("spooled: got %q, want 3", got)
	}
	checkPage(t, b.do("POST", path+"/undo", "", "Content-Type", formType), http.StatusServiceUnavailable)
}

// forgetful loses its database after the first click.
type forgetful struct{ *fakeStore }

func (forgetful) Person(context.Context, recipient.Channel, recipient.Key) (store.Person, error) {
	return store.Person{}, store.ErrUnavailable
}

// "Stop everything" must not say that it did what could not be looked up.
func TestStopEverythingUnread(t *testing.T) {
	b := start(t, func(c *Config) { c.Store = forgetful{c.Store.(*fakeStore)} })
	path := "/u/" + b.links.active(b.keyer.Key(b.email("maija@example.com")), recipient.Email)
	checkPage(t, b.do("POST", path, "via=form&all=1", "Content-Type", formType), http.StatusServiceUnavailable, "unavailable")
	checkPage(t, b.do("POST", path, "via=form", "Content-Type", formType), http.StatusOK)
}
