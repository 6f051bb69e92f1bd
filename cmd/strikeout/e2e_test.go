package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers/all"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store/storetest"
)

// Every sample of every provider, signed and over HTTP; then the states by the
// API, the same after a restart, a click, and the figures.
func TestEveryProviderEndToEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		s := newService(t, database)
		s.start()
		type sent struct {
			what, to string
			channel  recipient.Channel
			kinds    []recipient.Kind
		}
		var list []sent
		for _, info := range all.Infos() {
			for _, sample := range info.Simulate.Samples {
				one := sent{info.Name + " " + sample.Name, fmt.Sprintf("%s.%s@example.com", sample.Name, info.Name), channelOf(info, sample), sample.Kinds}
				if one.channel == recipient.SMS {
					one.to = fmt.Sprintf("+1555%07d", 1000000+len(list))
				}
				r := s.shot(info, sample, one.to)
				for range 2 { // the second is a provider's retry
					if a, err := s.post(r); err != nil || !a.ok() {
						t.Errorf("%s: got %d %q %v, want 2xx", one.what, a.status, a.body, err)
					}
				}
				list = append(list, one)
			}
		}
		check := func(when string) {
			for _, one := range list {
				k := s.lookup(one.channel, one.to)
				var got []recipient.Kind
				for _, e := range k.Events {
					got = append(got, e.Kind)
				}
				want := slices.Clone(one.kinds)
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%s, %s: events: got %v, want %v", one.what, when, got, want)
				}
				if want := slices.Contains(one.kinds, recipient.HardBounce); k.Blocked != want {
					t.Errorf("%s, %s: blocked: got %v, want %v", one.what, when, k.Blocked, want)
				}
				out := slices.Contains(one.kinds, recipient.OptOut) || slices.Contains(one.kinds, recipient.Complaint)
				if k.OptedOut != out {
					t.Errorf("%s, %s: opted out: got %v, want %v", one.what, when, k.OptedOut, out)
				}
			}
		}
		check("at once")
		link := s.link("click@example.com")
		for range 20 {
			if a, err := s.open("GET", link); err != nil || a.status != http.StatusOK {
				t.Fatalf("look at the link: %d %v", a.status, err)
			}
		}
		if s.lookup("email", "click@example.com").Known {
			t.Error("looking at a link changed something")
		}
		if a, err := s.open("POST", link); err != nil || a.status != http.StatusOK || a.header.Get("Location")+a.header.Get("Set-Cookie") != "" {
			t.Errorf("click: %d %v", a.status, err)
		}
		for series, want := range map[string]string{
			`strikeout_webhook_requests_total{endpoint="postmark",result="accepted"}`: strconv.Itoa(2 * samplesOf("postmark")),
			`strikeout_webhook_events_total{endpoint="postmark",result="duplicate"}`:  strconv.Itoa(samplesOf("postmark")),
			`strikeout_unsubscribe_total{result="one_click"}`:                         "1",
		} {
			if got := s.metric(series); got != want {
				t.Errorf("%s: got %q, want %s", series, got, want)
			}
		}
		s.stop()
		s.fsck()
		s.start()
		check("after a restart")
		if !s.lookup("email", "click@example.com").OptedOut {
			t.Error("the click is gone after a restart")
		}
		for _, line := range strings.Split(s.errs.String(), "\n") {
			if strings.Contains(line, "@example.com") || strings.Contains(line, "+1555") || strings.Contains(line, "eyJ") {
				t.Errorf("an address or a token reached the log: %s", line)
			}
		}
	})
}

func samplesOf(provider string) int {
	info, _ := all.Lookup(provider)
	return len(info.Simulate.Samples)
}

func (s *service) link(address string) string {
	s.t.Helper()
	var links []struct{ URL string }
	a, err := s.ask("POST", "/v1/links", map[string]any{"recipients": []map[string]any{{"channel": "email", "address": address}}})
	if err == nil {
		err = json.Unmarshal([]byte(a.body), &links)
	}
	if err != nil || len(links) != 1 || !strings.HasPrefix(links[0].URL, publicURL+"/u/") {
		s.t.Fatalf("links: %d %v %v", a.status, links, err)
	}
	return links[0].URL
}

func (s *service) open(method, link string) (answer, error) {
	req, err := http.NewRequest(method, s.local(link), strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "Mozilla/5.0") // a person's: programs cannot undo
	return do(req)
}

// A provider that says no time sends the same report again after somebody
// removed the block: it stays removed.
func TestRetryAfterRemoveBlock(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		s := newService(t, database)
		s.start()
		info, sample := sampleOf(t, "postmark", "hard")
		r := s.shot(info, sample, "gone@example.com")
		r.Body = timeless(t, r.Body)
		for round := range 3 {
			if a, err := s.post(r); err != nil || !a.ok() {
				t.Fatalf("post: %d %v", a.status, err)
			}
			k := s.lookup("email", "gone@example.com")
			if round == 0 {
				if !k.Blocked || len(k.Events) != 1 || k.Events[0].At != k.Events[0].ReceivedAt {
					t.Fatalf("the first report: got %+v", k)
				}
				if a, err := s.ask("POST", "/v1/recipients/email/gone@example.com/unblock", map[string]string{"reason": "it exists again"}); err != nil || a.status != http.StatusOK {
					t.Fatalf("unblock: %d %v", a.status, err)
				}
				continue
			}
			if k.Blocked || k.UnblockedAt == nil || len(k.Events) != 2 {
				t.Errorf("after the retry: got %+v, want unblocked", k)
			}
		}
		// An echo is no news either, and of somebody unknown it is.
		_, echo := sampleOf(t, "postmark", "echo")
		for _, to := range []string{"gone@example.com", "new@example.com"} {
			if a, err := s.post(s.shot(info, echo, to)); err != nil || !a.ok() {
				t.Fatalf("echo: %d %v", a.status, err)
			}
		}
		if s.lookup("email", "gone@example.com").Blocked {
			t.Error("an echo blocks again what somebody unblocked")
		}
		if k := s.lookup("email", "new@example.com"); !k.Blocked || k.BlockedAt != nil {
			t.Errorf("an echo of an unknown address: got %+v, want blocked without a time", k)
		}
		s.stop()
		s.fsck()
	})
}

// What people and providers say about an address holds for that address alone,
// whoever becomes known later and whatever else happens.
func TestStatesThroughTheAPI(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		s := newService(t, database)
		s.start()
		// Nobody has heard of these; "e" and "E" are one person, "é" is another.
		for _, address := range []string{"unknown@example.com", "é@example.com"} {
			if a, err := s.open("POST", s.link(address)); err != nil || a.status != http.StatusOK {
				t.Fatalf("click: %d %v", a.status, err)
			}
		}
		for id, address := range map[string]string{"1": "Unknown@EXAMPLE.com", "2": "É@example.com", "3": "e@example.com"} {
			if a, err := s.ask("PUT", "/v1/contacts/"+id, map[string]any{"name": "Contact " + id, "email": address}); err != nil || a.status != http.StatusCreated {
				t.Fatalf("contact %s: %d %s %v", id, a.status, a.body, err)
			}
		}
		for address, want := range map[string]bool{"unknown@example.com": true, "UNKNOWN@example.com": true, "é@example.com": true, "e\u0301@example.com": true, "e@example.com": false} {
			if got := s.lookup("email", address).OptedOut; got != want {
				t.Errorf("%s: opted out: got %v, want %v", address, got, want)
			}
		}
		// A delivery lifts no block, a bounce no opt-out; a complaint that is older
		// than the consent does not count against it.
		hist := "history@example.com"
		report := func(provider, name string) {
			t.Helper()
			info, sample := sampleOf(t, provider, name)
			if a, err := s.post(s.shot(info, sample, hist)); err != nil || !a.ok() {
				t.Fatalf("%s %s: %d %v", provider, name, a.status, err)
			}
		}
		report("postmark", "hard")
		report("postmark", "delivered")
		if !s.lookup("email", hist).Blocked {
			t.Error("a delivery lifted the block")
		}
		if a, err := s.open("POST", s.link(hist)); err != nil || a.status != http.StatusOK {
			t.Fatalf("click: %d %v", a.status, err)
		}
		report("postmark", "hard")
		if !s.lookup("email", hist).OptedOut {
			t.Error("a bounce lifted the opt-out")
		}
		info, complaint := sampleOf(t, "postmark", "complaint")
		late := s.shot(info, complaint, hist)
		consent := map[string]any{"consent": map[string]string{"source": "phone", "wording": "write to me again"}}
		if a, err := s.ask("POST", "/v1/recipients/email/"+hist+"/opt-in", consent); err != nil || a.status != http.StatusOK {
			t.Fatalf("opt-in: %d %v", a.status, err)
		}
		if a, err := s.post(late); err != nil || !a.ok() {
			t.Fatalf("late complaint: %d %v", a.status, err)
		}
		if s.lookup("email", hist).OptedOut {
			t.Error("a complaint older than the consent opted out")
		}
		s.stop()
		s.fsck()
	})
}

// timeless takes the provider's time out of a body.
func timeless(t *testing.T, body []byte) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "BouncedAt")
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// SIGTERM in the middle of it: what got a 2xx is there, and the program ends well.
func TestTermUnderLoad(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		s := newService(t, database)
		s.start()
		l := s.load("term", "postmark", "hard")
		until(t, "some reports are stored", func() bool { return l.count() > 300 })
		s.stop()
		l.end()
		s.fsck()
		s.start()
		l.verify()
	})
}

// rounds is how often the crash test kills: STRIKEOUT_CRASH_ROUNDS, by default few.
func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("STRIKEOUT_CRASH_ROUNDS")
	if text == "" {
		return 3
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatal("STRIKEOUT_CRASH_ROUNDS: expected a number above 0")
	}
	return n
}

// SIGKILL at a random moment: every event that got a 2xx is there once, and
// states and history agree.
func TestKillUnderLoad(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		s := newService(t, database)
		total := 0
		for round := range rounds(t) {
			s.start()
			l := s.load(fmt.Sprintf("kill%d", round), "postmark", "hard")
			target := 1 + rand.IntN(1500) //nolint:gosec // a test
			until(t, "it is time to kill", func() bool { return l.count() >= target })
			s.kill()
			l.end()
			s.start()
			l.verify()
			total += l.count()
			s.stop()
			s.fsck()
		}
		t.Logf("%d acknowledged events in %d rounds", total, rounds(t))
	})
}

// outage is how long the database is away: STRIKEOUT_OUTAGE, by default short.
func outage(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("STRIKEOUT_OUTAGE")
	if text == "" {
		return 3 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatal("STRIKEOUT_OUTAGE: expected a duration such as 10s")
	}
	return d
}

// The database is away for seconds under load: nothing is acknowledged that was
// not stored, the answer makes each provider try again, and all is well
// without a restart when it is back.
func TestDatabaseAway(t *testing.T) {
	server := storetest.StartServer(t)
	s := newService(t, server.URL(t))
	s.start()
	l := s.load("away", "postmark", "hard")
	until(t, "some reports are stored", func() bool { return l.count() > 200 })
	server.Kill()
	from := l.refused()
	away := time.Now()
	until(t, "reports are refused", func() bool { return l.refused() > from+clients && time.Since(away) > outage(t) })
	for provider, want := range map[string]int{"postmark": http.StatusServiceUnavailable, "brevo": http.StatusTooManyRequests} {
		info, sample := sampleOf(t, provider, "hard")
		a, err := s.post(s.shot(info, sample, "busy@example.com"))
		if err != nil || a.status != want || a.header.Get("Retry-After") == "" {
			t.Errorf("%s while the database is away: got %d %v, want %d with Retry-After", provider, a.status, err, want)
		}
	}
	if a, err := s.ask("GET", "/readyz", nil); err != nil || a.status != http.StatusServiceUnavailable {
		t.Errorf("readyz: got %d %v, want 503", a.status, err)
	}
	if a, err := s.open("POST", s.link("click@example.com")); err != nil || a.status != http.StatusServiceUnavailable {
		t.Errorf("a click: got %d %v, want 503", a.status, err)
	}
	server.Start(t)
	back := l.count()
	until(t, "1000 reports are stored again", func() bool { return l.count() >= back+1000 })
	l.end()
	for status, n := range l.other {
		if status != http.StatusServiceUnavailable {
			t.Errorf("%d answers %d, want 503 alone", n, status)
		}
	}
	if l.retry == 0 || l.lost > 0 {
		t.Errorf("answers with Retry-After: %d; requests without an answer: %d", l.retry, l.lost)
	}
	l.verify()
	s.stop()
	s.fsck()
}

// A start while the database is away answers, and becomes ready by itself.
func TestStartWhileTheDatabaseIsAway(t *testing.T) {
	server := storetest.StartServer(t)
	s := newService(t, server.URL(t))
	// The keys of links are there already: they are never made blindly.
	s.start()
	s.stop()
	server.Kill()
	s.launch()
	info, sample := sampleOf(t, "postmark", "hard")
	r := s.shot(info, sample, "early@example.com")
	if a, err := s.post(r); err != nil || a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("a report: got %d %v, want 503 with Retry-After", a.status, err)
	}
	server.Start(t)
	until(t, "the report is stored", func() bool { a, err := s.post(r); return err == nil && a.ok() })
	if !s.lookup("email", "early@example.com").Blocked {
		t.Error("the report is not there")
	}
	s.stop()
}
