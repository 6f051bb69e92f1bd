package handlers

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// What is kept can be read again, and opens no door.
func TestQuarantineKeepsNoSecret(t *testing.T) {
	b := start(t, nil)
	got := b.do("POST", "/webhooks/secret/s3cret%2Fpath?team=7&sig=abc&X-Signature=def&api%5Fkey=ghi&token=jkl&a%20b=1", zipped(t, "{junk"),
		"Authorization", "Basic dTpw", "Cookie", "sid=1", "X-Acme-Signature", "good", "X-Api-Key", "k", "Svix-Signature", "v1,x",
		"Content-Encoding", "gzip", "Content-Type", "application/json", "X-Acme-Event", "bounce", "X-Forwarded-For", "203.0.113.9")
	if got.status != 200 {
		t.Fatalf("status: got %d", got.status)
	}
	h := b.store.held[0]
	if h.URL != "/webhooks/secret?team=7&a%20b=1" {
		t.Errorf("URL: got %q", h.URL)
	}
	delete(h.Header, "User-Agent")
	delete(h.Header, "Accept-Encoding")
	if d := cmp.Diff(map[string][]string{"Content-Type": {"application/json"}, "X-Acme-Event": {"bounce"}}, h.Header); d != "" {
		t.Errorf("headers (-want +got):\n%s", d)
	}
	if string(h.Body) != "{junk" || h.Method != "POST" || h.Endpoint != "secret" || h.Provider != "acme" || h.Reason != "unreadable" || !h.ReceivedAt.Equal(b.clock.now()) {
		t.Errorf("held: got %+v", h)
	}
	if strings.Contains(h.Detail, "junk") {
		t.Errorf("detail quotes the body: %q", h.Detail)
	}
}

// Some providers send the endpoint's secret in the body, in the query or in a
// header of the operator's choice, in whatever spelling that place asks for.
func TestQuarantineKeepsNoConfiguredSecret(t *testing.T) {
	secret, word := `S3cr3t/w0rd+"x"`, "correct-horse"
	b := start(t, func(c *Config) {
		ep := c.Endpoints["acme"]
		ep.Secrets = []string{secret, word, "abc", secret + "-older"} // "abc": too short to be looked for
		c.Endpoints["acme"] = ep
	})
	b.store.refuse = func(recipient.Event) bool { return true }
	body := `{"abc":1,"json":"S3cr3t/w0rd+\"x\"","slash":"S3cr3t\/w0rd+\"x\"","older":"S3cr3t/w0rd+\"x\"-older","form":"S3cr3t%2Fw0rd%2B%22x%22","word":"correct-horse","b64":"` +
		"Y29ycmVjdC1ob3JzZQ==" + `"`
	for _, tt := range []struct{ name, body, reason string }{
		{"unreadable", body, "unreadable"},
		{"refused", "[" + acme("a@example.com", recipient.HardBounce, word) + "]", "refused_row"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := b.do("POST", "/webhooks/acme?team=7&check="+word+"&other=S3cr3t%2fw0rd%2b%22x%22", tt.body, signed, "good", "X-Acme-Check", word, "X-Acme-Event", "bounce")
			if got.status != http.StatusOK {
				t.Fatalf("status: got %d", got.status)
			}
			h := b.store.held[len(b.store.held)-1]
			if h.Reason != tt.reason || h.URL != "/webhooks/acme?team=7" || h.Header["X-Acme-Check"] != nil || h.Header["X-Acme-Event"] == nil {
				t.Errorf("kept: got reason %q, %q, headers %v", h.Reason, h.URL, h.Header)
			}
			for _, s := range []string{"S3cr3t", "S3cr3t%2F", word, "Y29y"} {
				if strings.Contains(string(h.Body), s) {
					t.Errorf("the body holds %s: %s", s, h.Body)
				}
			}
			if tt.reason == "unreadable" && !strings.HasPrefix(string(h.Body), `{"abc":1,"json":"-","slash"`) {
				t.Errorf("body: got %s", h.Body)
			}
		})
	}
}

func TestQuarantineKeepsOnlyWhatIsBad(t *testing.T) {
	b := start(t, nil)
	var items []string
	for i := range 1000 {
		to := "a@example.com"
		if i == 500 {
			to = "nobody"
		}
		items = append(items, acme(to, recipient.SoftBounce, time.Duration(i).String()))
	}
	if got := b.do("POST", "/webhooks/acme", "["+strings.Join(items, ",")+"]", signed, "good"); got.status != 200 {
		t.Fatalf("status: got %d", got.status)
	}
	if n := len(b.stored()); n != 999 {
		t.Errorf("events: got %d, want 999", n)
	}
	h := b.store.held[0]
	if len(b.store.held) != 1 || len(h.Body) > 100 || h.Reason != "bad_recipient" || h.Detail != "acme: [500].to: not a valid address: expected name@domain" {
		t.Errorf("held: got %d bytes, %q, %q", len(h.Body), h.Reason, h.Detail)
	}
}

func TestRefusedRowsAreKept(t *testing.T) {
	b := start(t, nil)
	a := b.email("a@example.com")
	b.store.refuse = func(e recipient.Event) bool { return e.Address == a }
	both := "[" + acme("a@example.com", recipient.HardBounce, "1") + "," + acme("b@example.com", recipient.HardBounce, "2") + "]"
	if got := b.do("POST", "/webhooks/acme", both, signed, "good"); got.status != 200 {
		t.Fatalf("status: got %d", got.status)
	}
	h := b.store.held[0]
	if h.Reason != "refused_row" || h.Key != b.keyer.Key(a) || string(h.Body) != both {
		t.Errorf("held: got reason %q, own key %v", h.Reason, h.Key == b.keyer.Key(a))
	}
	if got := b.metric(`strikeout_webhook_events_total{endpoint="acme",result="refused"}`); got != "1" {
		t.Errorf("refused: got %q, want 1", got)
	}
}

// A replay keeps the time of receipt, checks no signature and no window, and
// says what came of it.
func TestReplay(t *testing.T) {
	b := start(t, nil)
	a := b.email("a@example.com")
	b.store.refuse = func(recipient.Event) bool { return true }
	b.do("POST", "/webhooks/acme", acme("a@example.com", recipient.HardBounce, "1"), signed, "good")
	received := b.clock.now()
	h := b.store.held[0]
	b.clock.add(20 * 24 * time.Hour)

	res, err := b.srv.Replay(t.Context(), h)
	if err != nil || res.Done() || len(res.Held) != 1 {
		t.Errorf("still refused: got %+v, %v", res, err)
	}
	b.store.set(func(f *fakeStore) { f.refuse = nil })
	res, err = b.srv.Replay(t.Context(), h)
	if err != nil || !res.Done() || res.Stored != 1 {
		t.Fatalf("replay: got %+v, %v", res, err)
	}
	if e := b.stored()[0]; !e.ReceivedAt.Equal(received) || !e.At.Equal(received) || e.Key != b.keyer.Key(a) {
		t.Errorf("event: received at %v, want %v", e.ReceivedAt, received)
	}
	if res, err = b.srv.Replay(t.Context(), h); err != nil || res.Duplicates != 1 || res.Stored != 0 {
		t.Errorf("again: got %+v, %v", res, err)
	}
	if res, err = b.srv.Replay(t.Context(), store.Held{Endpoint: "acme", Method: "POST", Body: []byte("{")}); err != nil || res.Done() {
		t.Errorf("unreadable: got %+v, %v", res, err)
	}
	if res, err = b.srv.Replay(t.Context(), store.Held{Endpoint: "acme", Method: "GET", URL: "/webhooks/acme?to=b@example.com&kind=soft_bounce&id=9"}); err != nil || res.Stored != 1 {
		t.Errorf("by GET: got %+v, %v", res, err)
	}
	if _, err = b.srv.Replay(t.Context(), store.Held{Endpoint: "gone"}); err == nil {
		t.Error("an endpoint that is gone: no error")
	}
	b.store.set(func(f *fakeStore) { f.down = store.ErrUnavailable })
	if _, err = b.srv.Replay(t.Context(), h); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("store down: got %v", err)
	}
}
