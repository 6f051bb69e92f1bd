package handlers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

const signed = "X-Acme-Signature"

func TestWebhookAnswers(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:password"))
	bounce := acme("a@example.com", recipient.HardBounce, "1")
	tests := []struct {
		name, method, path, body string
		headers                  []string
		change                   func(*fakeStore)
		want, events, held       int
	}{
		{name: "stored", path: "/webhooks/acme", body: bounce, headers: []string{signed, "good"}, want: 200, events: 1},
		{name: "by GET", method: "GET", path: "/webhooks/acme?to=a@example.com&kind=hard_bounce&id=1", headers: []string{signed, "good"}, want: 200, events: 1},
		{name: "trailing slash", path: "/webhooks/acme/", body: bounce, headers: []string{signed, "good"}, want: 200, events: 1},
		{name: "wrong signature", path: "/webhooks/acme", body: bounce, headers: []string{signed, "bad"}, want: 401},
		{name: "no signature", path: "/webhooks/acme", body: bounce, want: 401},
		{name: "a path secret that is not configured", path: "/webhooks/acme/x", body: bounce, headers: []string{signed, "good"}, want: 401},
		{name: "unknown endpoint", path: "/webhooks/nobody", body: bounce, want: 404},
		{name: "unknown type", path: "/webhooks/acme", body: acme("a@example.com", "opened", "ignored"), headers: []string{signed, "good"}, want: 200},
		{name: "not understood", path: "/webhooks/acme", body: `{"to":`, headers: []string{signed, "good"}, want: 200, held: 1},
		{name: "no recipient", path: "/webhooks/acme", body: acme("", recipient.HardBounce, "1"), headers: []string{signed, "good"}, want: 200, held: 1},
		{name: "one bad of three", path: "/webhooks/acme", body: "[" + bounce + "," + acme("nobody", recipient.HardBounce, "2") + "," + acme("b@example.com", recipient.SoftBounce, "3") + "]",
			headers: []string{signed, "good"}, want: 200, events: 2, held: 1},
		{name: "panic in Parse", path: "/webhooks/acme", body: acme("a@example.com", recipient.HardBounce, "panic"), headers: []string{signed, "good"}, want: 200, held: 1},
		{name: "panic in Verify", path: "/webhooks/acme", body: bounce, headers: []string{signed, "panic"}, want: 503},
		{name: "cannot verify now", path: "/webhooks/acme", body: bounce, headers: []string{signed, "later"}, want: 503},
		{name: "cannot store", path: "/webhooks/acme", body: bounce, headers: []string{signed, "good"}, want: 503,
			change: func(f *fakeStore) { f.down = store.ErrUnavailable }},
		{name: "cannot store, own status", path: "/webhooks/final", body: bounce, headers: []string{signed, "good"}, want: 429,
			change: func(f *fakeStore) { f.down = store.ErrUnavailable }},
		{name: "unforeseen error", path: "/webhooks/acme", body: bounce, headers: []string{signed, "good"}, want: 503,
			change: func(f *fakeStore) { f.down = fmt.Errorf("odd") }},
		{name: "quarantine full", path: "/webhooks/final", body: "{", headers: []string{signed, "good"}, want: 429,
			change: func(f *fakeStore) { f.full = true }},
		{name: "panic in the store", path: "/webhooks/final", body: bounce, headers: []string{signed, "good"}, want: 429,
			change: func(f *fakeStore) { f.refuse = func(e recipient.Event) bool { panic(e.Address.Value()) } }},
		{name: "refused row", path: "/webhooks/acme", body: bounce, headers: []string{signed, "good"}, want: 200, held: 1,
			change: func(f *fakeStore) { f.refuse = func(recipient.Event) bool { return true } }},
		{name: "basic", path: "/webhooks/basic", body: bounce, headers: []string{"Authorization", basic}, want: 200, events: 1},
		{name: "basic missing", path: "/webhooks/basic", body: bounce, want: 401},
		{name: "path secret", path: "/webhooks/secret/s3cret%2Fpath", body: bounce, want: 200, events: 1},
		{name: "path secret missing", path: "/webhooks/secret", body: bounce, want: 401},
		{name: "path secret wrong", path: "/webhooks/secret/s3cret", body: bounce, want: 401},
		{name: "guarded and malformed", path: "/webhooks/secret/s3cret%2Fpath", body: "{", want: 200, held: 1},
		{name: "unsigned from here", path: "/webhooks/open", body: bounce, want: 200, events: 1},
		{name: "unsigned and malformed", path: "/webhooks/open", body: "{", want: 400},
		{name: "unsigned through an unknown proxy", path: "/webhooks/open", body: bounce, headers: []string{"X-Forwarded-For", "203.0.113.9"}, want: 401},
		{name: "identity", path: "/webhooks/acme", body: bounce, headers: []string{signed, "good", "Content-Encoding", "identity"}, want: 200, events: 1},
		{name: "br", path: "/webhooks/acme", body: bounce, headers: []string{signed, "good", "Content-Encoding", "br"}, want: 415},
		{name: "gzip twice", path: "/webhooks/acme", body: zipped(t, bounce), headers: []string{signed, "good", "Content-Encoding", "gzip, gzip"}, want: 415},
		{name: "gzip in two headers", path: "/webhooks/acme", body: zipped(t, bounce), headers: []string{signed, "good", "Content-Encoding", "gzip", "Content-Encoding", "gzip"}, want: 415},
		{name: "gzip", path: "/webhooks/acme", body: zipped(t, bounce), headers: []string{signed, "good", "Content-Encoding", "gzip"}, want: 200, events: 1},
		{name: "junk gzip", path: "/webhooks/acme", body: bounce, headers: []string{signed, "good", "Content-Encoding", "gzip"}, want: 400},
		{name: "cut gzip", path: "/webhooks/acme", body: zipped(t, bounce)[:30], headers: []string{signed, "good", "Content-Encoding", "gzip"}, want: 400},
		{name: "gzip bomb", path: "/webhooks/acme", body: bomb(), headers: []string{signed, "good", "Content-Encoding", "gzip"}, want: 413},
		{name: "too large", path: "/webhooks/acme", body: strings.Repeat("0", 3<<20), headers: []string{signed, "good"}, want: 413},
		{name: "larger limit", path: "/webhooks/large", body: acme(strings.Repeat("0", 3<<20), recipient.HardBounce, "1"), headers: []string{signed, "good"}, want: 200, held: 1},
		{name: "DELETE", method: "DELETE", path: "/webhooks/acme", want: 405},
		{name: "HEAD without a handshake", method: "HEAD", path: "/webhooks/acme", headers: []string{signed, "good"}, want: 405},
		{name: "HEAD handshake", method: "HEAD", path: "/webhooks/shaker", want: 200},
		{name: "OPTIONS handshake", method: "OPTIONS", path: "/webhooks/shaker", want: 200},
		{name: "GET handshake", method: "GET", path: "/webhooks/shaker?challenge=x", want: 202},
		{name: "forged handshake", path: "/webhooks/shaker", headers: []string{"X-Handshake", "forged"}, want: 401},
		{name: "junk handshake", path: "/webhooks/shaker", headers: []string{"X-Handshake", "junk"}, want: 400},
		{name: "panic in Handshake", path: "/webhooks/shaker", headers: []string{"X-Handshake", "panic"}, want: 503},
		{name: "fixed reply", path: "/webhooks/shaker", body: bounce, headers: []string{signed, "good"}, want: 200, events: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, nil)
			if tt.change != nil {
				b.store.set(tt.change)
			}
			method := tt.method
			if method == "" {
				method = "POST"
			}
			got := b.do(method, tt.path, tt.body, tt.headers...)
			if got.status != tt.want {
				t.Errorf("status: got %d, want %d (%s)", got.status, tt.want, got.body)
			}
			b.store.set(func(f *fakeStore) { f.down = nil })
			if n := len(b.stored()); n != tt.events {
				t.Errorf("events: got %d, want %d", n, tt.events)
			}
			if n := len(b.store.held); n != tt.held {
				t.Errorf("quarantined: got %d, want %d", n, tt.held)
			}
			if busy := tt.want == 429 || tt.want == 503; busy != (got.header.Get("Retry-After") != "") {
				t.Errorf("Retry-After: got %q with status %d", got.header.Get("Retry-After"), got.status)
			}
			if tt.want >= 400 && method != "HEAD" {
				checkProblem(t, got)
			}
			if strings.Contains(b.log.String()+got.body, "example.com") {
				t.Error("an address reached the log or the answer")
			}
		})
	}
}

// checkProblem checks the form of RFC 9457 and that instance is a pattern.
func checkProblem(t *testing.T, a answer) {
	t.Helper()
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("Content-Type: got %q, want application/problem+json", ct)
	}
	var p struct {
		Type, Title, Detail, Instance string
		Status                        int
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("problem: %v", err)
	}
	if p.Status != a.status || p.Type == "" || p.Title == "" || p.Detail == "" {
		t.Errorf("problem: got %+v with status %d", p, a.status)
	}
	if strings.HasPrefix(p.Instance, "/webhooks/") && !strings.HasPrefix(p.Instance, "/webhooks/{endpoint}") {
		t.Errorf("instance: got %q, want a pattern", p.Instance)
	}
}

func TestWebhookChallenges(t *testing.T) {
	b := start(t, nil)
	for path, want := range map[string]string{"/webhooks/basic": `Basic realm="strikeout"`, "/webhooks/acme": "", "/webhooks/secret/x": ""} {
		if got := b.do("POST", path, "{}").header.Get("WWW-Authenticate"); got != want {
			t.Errorf("%s: WWW-Authenticate: got %q, want %q", path, got, want)
		}
	}
	if got := b.do("OPTIONS", "/webhooks/shaker", "").header.Get("Webhook-Allowed-Origin"); got != "*" {
		t.Errorf("OPTIONS: Webhook-Allowed-Origin: got %q", got)
	}
	if got := b.do("GET", "/webhooks/shaker?challenge=abc", "").body; got != "abc" {
		t.Errorf("GET: got body %q, want the challenge", got)
	}
	reply := b.do("POST", "/webhooks/shaker", acme("a@example.com", recipient.HardBounce, "1"), signed, "good")
	if reply.body != "<ok/>" || reply.header.Get("Content-Type") != "text/xml" {
		t.Errorf("fixed reply: got %q as %q", reply.body, reply.header.Get("Content-Type"))
	}
	if got := b.do("DELETE", "/webhooks/acme", "").header.Get("Allow"); !strings.Contains(got, "POST") || !strings.Contains(got, "GET") {
		t.Errorf("Allow: got %q", got)
	}
}

func TestWebhookSealsEvents(t *testing.T) {
	b := start(t, nil)
	for range 2 { // the repeat of a provider changes nothing
		if got := b.do("POST", "/webhooks/acme", acme("A@Example.com", recipient.HardBounce, "id-1"), signed, "good", "X-Acme-Code", "5.1.1"); got.status != 200 {
			t.Fatalf("status: got %d", got.status)
		}
		b.clock.add(time.Minute)
	}
	a := b.email("a@example.com")
	first := newClock().now()
	want := []recipient.Event{{Kind: recipient.HardBounce, Address: a, Channel: recipient.Email, Key: b.keyer.Key(a), At: first, ReceivedAt: first,
		Source: recipient.FromProvider, Endpoint: "acme", IDParts: []string{"id-1"}, EventID: "id-1", Code: "5.1.1",
		Fingerprint: recipient.NewFingerprint("acme", []string{"id-1"}, b.keyer.Key(a), recipient.HardBounce)}}
	if d := cmp.Diff(want, b.stored(), cmp.Comparer(func(x, y recipient.Address) bool { return x == y })); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	for series, want := range map[string]string{
		`strikeout_webhook_requests_total{endpoint="acme",result="accepted"}`: "2",
		`strikeout_webhook_events_total{endpoint="acme",result="stored"}`:     "1",
		`strikeout_webhook_events_total{endpoint="acme",result="duplicate"}`:  "1",
	} {
		if got := b.metric(series); got != want {
			t.Errorf("%s: got %q, want %q", series, got, want)
		}
	}
}

// A provider's resubscribe lifts nothing; the person's own START does.
func TestProvidersCannotOptIn(t *testing.T) {
	b := start(t, nil)
	batch := "[" + acme("a@example.com", recipient.OptIn, "1") + "," + acme("a@example.com", recipient.Unblock, "2") + "," +
		acme("+15551230100", "text_start", "3") + "," + acme("+15551230100", recipient.OptIn, "4") + "]"
	if got := b.do("POST", "/webhooks/acme", batch, signed, "good"); got.status != http.StatusOK {
		t.Fatalf("status: got %d", got.status)
	}
	var got []recipient.Kind
	for _, e := range b.stored() {
		got = append(got, e.Kind)
	}
	if d := cmp.Diff([]recipient.Kind{recipient.Reactivation, recipient.Reactivation, recipient.OptIn, recipient.Reactivation}, got); d != "" {
		t.Errorf("kinds (-want +got):\n%s", d)
	}
}
