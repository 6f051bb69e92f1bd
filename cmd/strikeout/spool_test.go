package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/spool"
	"github.com/strikeout/strikeout/store/storetest"
)

// withSpool adds a spool to the configuration of a service.
func (s *service) withSpool() *service {
	s.t.Helper()
	name := filepath.Join(s.dir, "strikeout.yaml")
	b, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	writeFile(s.t, name, "spool: spool\nspool_limit: 256MiB\n"+string(b))
	return s
}

// ready is the answer of /readyz.
func (s *service) ready() (status int, r struct {
	Status, Database string
	Spool            *struct {
		Records       int
		Bytes         int64
		OldestSeconds int64 `json:"oldest_seconds"`
	}
}) {
	s.t.Helper()
	a, err := s.ask("GET", "/readyz", nil)
	if err == nil {
		err = json.Unmarshal([]byte(a.body), &r)
	}
	if err != nil {
		s.t.Fatalf("readyz: %d %v", a.status, err)
	}
	return a.status, r
}

func (s *service) drained() {
	s.t.Helper()
	until(s.t, "the spool is stored", func() bool {
		_, r := s.ready()
		return r.Database == "" && r.Spool != nil && r.Spool.Records == 0
	})
}

// steady posts one event per turn, so many turns a second, whatever the answers.
func (s *service) steady(prefix string, perSecond int) *load {
	info, smp := sampleOf(s.t, "postmark", "hard")
	l := &load{s: s, stop: make(chan struct{}), other: map[int]int{}}
	for c := range clients {
		l.done.Go(func() {
			gap := time.Second / time.Duration(perSecond)
			<-time.After(time.Duration(c) * gap) // else all come at once
			turn := time.NewTicker(clients * gap)
			defer turn.Stop()
			for n := 0; ; n++ {
				select {
				case <-l.stop:
					return
				case <-turn.C:
				}
				to := fmt.Sprintf("%s-%d-%d@example.com", prefix, c, n)
				l.note(to, s.shot(info, smp, to))
			}
		})
	}
	return l
}

// awayFor is how long the database is away: STRIKEOUT_SPOOL_SECONDS, by default few.
func awayFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("STRIKEOUT_SPOOL_SECONDS")
	if text == "" {
		return 3 * time.Second
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatal("STRIKEOUT_SPOOL_SECONDS: expected a number above 0")
	}
	return time.Duration(n) * time.Second
}

// The database is away under load, the service is killed meanwhile and starts
// without it: every report gets a 2xx from whoever is alive, and all that got
// one is there once in the end.
func TestSpool(t *testing.T) {
	server := storetest.StartServer(t)
	s := newService(t, server.URL(t)).withSpool()
	s.start()
	link := s.link("click@example.com")
	l := s.steady("spool", 500)
	until(t, "some reports are stored", func() bool { return l.count() > 200 })
	server.Kill()
	gone := time.Now()
	until(t, "half of the time has passed", func() bool { return time.Since(gone) > awayFor(t)/2 })
	if n := l.refused(); n > 0 {
		t.Errorf("%d reports were refused while the database was away: %v", n, l.other)
	}
	for provider, to := range map[string]string{"brevo": "brevo@example.com", "ses": "ses@example.com", "twilio": "+15551230100"} {
		info, sample := sampleOf(t, provider, "hard")
		if a, err := s.post(s.shot(info, sample, to)); err != nil || !a.ok() {
			t.Errorf("%s while the database is away: got %d %v, want 2xx", provider, a.status, err)
		}
	}
	for range 2 {
		a, err := s.open("POST", link)
		if err != nil || a.status != http.StatusOK || !strings.Contains(a.body, "We have received your wish") {
			t.Errorf("a click while the database is away: got %d %v, want the page that says received", a.status, err)
		}
	}
	status, r := s.ready()
	until(t, "100 reports are spooled", func() bool { status, r = s.ready(); return r.Spool != nil && r.Spool.Records >= 100 })
	if status != http.StatusOK || r.Database != "away" || r.Spool.Bytes == 0 {
		t.Errorf("readyz: got %d %+v, want 200 with the depth of the spool", status, r)
	}
	for path, body := range map[string]any{"/v1/check": map[string]any{"channel": "email", "addresses": []string{"a@example.com"}},
		"/v1/recipients/email/a@example.com/unblock": map[string]any{"reason": "x"}} {
		if a, err := s.ask("POST", path, body); err != nil || a.status != http.StatusServiceUnavailable {
			t.Errorf("%s while the database is away: got %d %v, want 503", path, a.status, err)
		}
	}
	out, err := s.command("doctor").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "wait to be stored") {
		t.Errorf("doctor: %v\n%s", err, out)
	}

	s.kill()
	s.start() // the database is still away
	refused := l.refused()
	until(t, "reports are taken again", func() bool { status, r = s.ready(); return r.Spool.Records > 0 })
	until(t, "all of the time has passed", func() bool { return time.Since(gone) > awayFor(t) })
	if n := l.refused() - refused; n > clients { // those in flight at the kill
		t.Errorf("%d reports were refused after the restart: %v", n, l.other)
	}
	server.Start(t)
	n := l.count()
	s.drained()
	until(t, "reports are stored at once again", func() bool { return l.count() > n+200 })
	l.end()
	s.drained() // should the database have been slow since
	t.Logf("%d reports acknowledged, %d unanswered while the service was killed", l.count(), l.refused())
	if s.metric("strikeout_spool_records") != "0" || s.metric("strikeout_spool_database_away") != "0" || s.metric("strikeout_spool_stored_total") == "0" {
		t.Errorf("metrics: %s records, away %s, %s stored", s.metric("strikeout_spool_records"), s.metric("strikeout_spool_database_away"), s.metric("strikeout_spool_stored_total"))
	}
	l.verify()
	if k := s.lookup("email", "click@example.com"); !k.OptedOut || len(k.Events) != 1 {
		t.Errorf("the click: got %+v, want one opt-out", k)
	}
	if a, err := s.open("POST", link+"/undo"); err != nil || a.status != http.StatusOK {
		t.Errorf("undo of a click that was spooled: got %d %v", a.status, err)
	}
	s.stop()
	s.fsck()
	if names, err := filepath.Glob(filepath.Join(s.dir, "spool", "0*")); err != nil || len(names) > 0 {
		t.Errorf("files are left: %v", names)
	}
	for _, line := range strings.Split(s.errs.String(), "\n") {
		if strings.Contains(line, "@example.com") || strings.Contains(line, "+1555") {
			t.Errorf("an address reached the log: %s", line)
		}
	}
}

// What doctor and fsck say of a spool, and that each process needs its own.
func TestSpoolCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "strikeout.yaml", "spool: spool\naddress_key: "+testKey+"\n")
	strikeout(t, nil, "doctor").want(t, 0, "spool does not exist yet")
	strikeout(t, nil, "migrate").want(t, 0, "")
	strikeout(t, nil, "fsck").want(t, 0, "0 differences")

	away, err := store.Open(t.Context(), store.Config{URL: "mysql://nobody@tcp(127.0.0.1:1)/none", Keyer: storetest.Keyer()})
	if err != nil {
		t.Fatal(err)
	}
	sp, err := spool.Open(spool.Config{Dir: "spool", DB: away, Keyer: storetest.Keyer()})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := sp.Click(t.Context(), store.Click{Channel: recipient.Email, Key: recipient.Key{1}, TokenID: "t", Source: recipient.FromLink}); err != nil || !out.Spooled {
		t.Fatalf("click: got %+v, %v", out, err)
	}
	strikeout(t, nil, "serve", "--listen", "127.0.0.1:0").want(t, exitNow, "strikeout.yaml:1: spool: spool: another process uses this spool")
	strikeout(t, nil, "doctor").want(t, 0, "1 requests and clicks wait to be stored, the oldest for")
	if err := errors.Join(sp.Close(), away.Close()); err != nil {
		t.Fatal(err)
	}
	strikeout(t, nil, "doctor").want(t, 0, "strikeout serve stores them")
	strikeout(t, nil, "fsck").want(t, 0, "spool: 1 requests and clicks wait to be stored, the oldest for")

	writeFile(t, "spool/00000000000000000077.spool", "this was a letter once, and never a segment")
	writeFile(t, "spool/00000000000000000078.refused", "strkspl1")
	writeFile(t, "spool/notes.txt", "not ours")
	strikeout(t, nil, "doctor").want(t, 1, "1 files hold records that the database refused")
	strikeout(t, nil, "fsck").want(t, 1, "spool: 43 bytes of what waits and 0 whole files cannot be read")
	s := serveHere(t, nil)
	until(t, "the spool is stored", func() bool {
		names, err := filepath.Glob("spool/0*")
		return err == nil && len(names) == 1 && names[0] == "spool/00000000000000000077.damaged"
	})
	if !strings.Contains(s.errs.String(), "the spool holds what an earlier process could not store") {
		t.Errorf("the log says nothing of the backlog:\n%s", s.errs)
	}
	strikeout(t, nil, "doctor").want(t, 1, "1 files were damaged on the disk and the rest of them stored")
	if err := os.Remove("spool/00000000000000000077.damaged"); err != nil {
		t.Fatal(err)
	}
	strikeout(t, nil, "fsck").want(t, 0, "1 addresses, 1 events, 0 differences")
}
