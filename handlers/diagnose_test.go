package handlers

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// urlSigner checks a signature over URL and body, and then a time, as several
// providers do.
type urlSigner struct {
	fakeAdapter
	secret string
}

func urlSignature(secret, url, body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(url + "\n" + body))
	return hex.EncodeToString(m.Sum(nil))
}

func (a urlSigner) Verify(ctx context.Context, r *providers.Request) error {
	if ctx.Err() == nil && r.Header.Get("X-Acme-Fetch") != "" {
		return providers.ErrNotNow
	}
	if r.Header.Get("X-Acme-Signature") != urlSignature(a.secret, r.URL, string(r.Body)) {
		return providers.Unauthentic("acme", "the signature does not match")
	}
	at, err := time.Parse(time.RFC3339, r.Header.Get("X-Acme-Time"))
	if err != nil {
		return providers.Unauthentic("acme", "the time is missing")
	}
	return r.Fresh(at)
}

func signers(c *Config) {
	info := providers.Info{Name: "acme", Title: "Acme", Signing: providers.SignsAlways}
	c.Endpoints["one"] = Endpoint{Info: info, Adapter: urlSigner{secret: "first secret"}, MaxAge: 5 * time.Minute}
	c.Endpoints["two"] = Endpoint{Info: info, Adapter: urlSigner{secret: "second secret"}, MaxAge: 5 * time.Minute}
	c.Endpoints["fixed"] = Endpoint{Info: info, Adapter: urlSigner{secret: "third secret"}, URL: "https://old.example.com/hooks/acme"}
	c.Endpoints["spare"] = Endpoint{Info: providers.Info{Name: "acme"}, Adapter: fakeAdapter{open: true}, Guard: providers.NewGuard(nil, []string{"other"})}
}

func TestHints(t *testing.T) {
	b := start(t, signers)
	const body = `{"to":"anna@example.com"}` + "\r\n"
	tests := []struct {
		name, endpoint, secret, url, body string
		off                               time.Duration
		want                              string // empty: no hint
	}{
		{name: "the scheme", url: "http://u.example.com/webhooks/one", want: "http instead of https"},
		{name: "the host that a proxy hid", url: "https://inner.example.com/webhooks/one", want: "the host inner.example.com instead of u.example.com"},
		{name: "the port", url: "https://u.example.com:443/webhooks/one", want: "the host u.example.com:443"},
		{name: "a slash", url: "https://u.example.com/webhooks/one/", want: "with a slash at the end"},
		{name: "the path", endpoint: "fixed", secret: "third secret", url: "https://old.example.com/webhooks/fixed", want: "the path as it was called"},
		{name: "the whole URL", endpoint: "fixed", secret: "third secret", url: "http://inner.example.com/webhooks/fixed", want: "http instead of https, the host inner.example.com instead of old.example.com, the path as it was called"},
		{name: "line ends", body: strings.TrimSpace(body), want: "something between the provider and this server changes bodies"},
		{name: "another endpoint", secret: "second secret", want: "signed for the endpoint two"},
		{name: "another endpoint, and late", secret: "second secret", off: -time.Hour, want: "signed for the endpoint two"},
		{name: "late", off: -7 * time.Minute, want: "it is 7 minutes old"},
		{name: "days late", off: -100 * time.Hour, want: "it is 4 days old"},
		{name: "early", off: 20 * time.Minute, want: "its time is 20 minutes ahead"},
		{name: "a stranger", secret: "guess", want: ""},
		{name: "another host", url: "https://evil.example/webhooks/one", want: ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.endpoint == "" {
				tt.endpoint = "one"
			}
			if tt.secret == "" {
				tt.secret = "first secret"
			}
			if tt.url == "" {
				tt.url = "https://u.example.com/webhooks/one"
			}
			if tt.body == "" {
				tt.body = body
			}
			ep := b.srv.endpoints[tt.endpoint]
			seen := "https://u.example.com/webhooks/" + tt.endpoint
			if ep.URL != "" {
				seen = ep.URL
			}
			now := b.clock.now()
			r := &providers.Request{Method: "POST", URL: seen, Body: []byte(body), Endpoint: tt.endpoint, ReceivedAt: now, MaxAge: ep.MaxAge,
				Header: http.Header{"Host": {"inner.example.com"}, "X-Forwarded-Host": {"<script>"}, "X-Acme-Fetch": {"1"},
					"X-Acme-Signature": {urlSignature(tt.secret, tt.url, tt.body)}, "X-Acme-Time": {now.Add(tt.off).Format(time.RFC3339)}}}
			err := verify(noFetch, ep, r)
			if err == nil {
				t.Fatal("it is authentic")
			}
			got := b.srv.hint(&suspect{ep: ep, r: r, path: "/webhooks/" + tt.endpoint, err: err})
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			for _, secret := range []string{"first secret", "second secret", "third secret", "anna@example.com", "<script>"} {
				if strings.Contains(got, secret) {
					t.Errorf("the hint holds %q", secret)
				}
			}
		})
	}
}

// Rejections are counted, and one in ten seconds is examined.
func TestRejectionsAreExplained(t *testing.T) {
	b := startQuiet(t, signers)
	b.srv.work.Go(b.srv.examine)
	post := func(secret string) {
		t.Helper()
		body := acme("a@example.com", recipient.SoftBounce, "1")
		got := b.do("POST", "/webhooks/one", body, "X-Acme-Signature", urlSignature(secret, "http://u.example.com/webhooks/one", body), "X-Acme-Time", b.clock.now().Format(time.RFC3339))
		if got.status != http.StatusUnauthorized {
			t.Fatalf("status: got %d", got.status)
		}
	}
	traffic := &b.srv.endpoints["one"].traffic
	explained := func(n int) {
		t.Helper()
		until(t, func() bool {
			traffic.mu.Lock()
			defer traffic.mu.Unlock()
			total := int64(0)
			for _, r := range traffic.reasons {
				total += r.N
			}
			return total == int64(n)
		})
	}
	post("first secret")
	explained(1)
	for range 50 { // a flood: counted under what was found
		post("guess")
	}
	explained(51)
	b.clock.add(examineEvery)
	post("guess")
	explained(52)
	b.do("GET", "/webhooks/one", "") // a browser that looks in
	b.srv.saveTraffic()
	var traf int64
	for _, c := range b.store.traffic {
		if c.Endpoint == "one" {
			traf += c.Rejected
		}
	}
	hints := map[string]int64{}
	for _, r := range b.store.rejections {
		if r.Endpoint == "one" {
			hints[r.Hint] += r.N
		}
	}
	if traf != 52 || len(hints) != 2 || hints[""] != 1 {
		t.Errorf("got %d rejections, %v", traf, hints)
	}
}

func TestGuardHints(t *testing.T) {
	b := startQuiet(t, signers)
	for path, want := range map[string]string{
		"/webhooks/secret":                  "The URL at the provider lacks the secret at its end.",
		"/webhooks/secret/other":            "It carries the secret of the endpoint spare: the URLs at the provider are mixed up.",
		"/webhooks/secret/s3cret%252Fpath":  "The path secret is percent-encoded twice in the URL at the provider.",
		"/webhooks/secret/s3cret%2Fpath%20": "The path secret has a blank at its end in the URL at the provider.",
		"/webhooks/secret/guess":            "",
		"/webhooks/basic":                   "The URL at the provider lacks the user and the password.",
	} {
		b.clock.add(examineEvery)
		name := strings.Split(path, "/")[2]
		ep := b.srv.endpoints[name]
		if got := b.do("POST", path, "{}"); got.status != http.StatusUnauthorized {
			t.Fatalf("%s: got %d", path, got.status)
		}
		_, reasons := ep.traffic.take(name, b.clock.now())
		if len(reasons) != 1 || reasons[0].Hint != want {
			t.Errorf("%s: got %+v, want %q", path, reasons, want)
		}
	}
}
