package handlers

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

func TestReadiness(t *testing.T) {
	b := start(t, nil)
	tests := []struct {
		name   string
		change func(*fakeStore)
		want   int
	}{
		{"ready", func(*fakeStore) {}, 200},
		{"database away", func(f *fakeStore) { f.down = errors.New("gone") }, 503},
		{"migrations wait", func(f *fakeStore) { f.down, f.pending = nil, 2 }, 503},
		{"ready again", func(f *fakeStore) { f.pending = 0 }, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.store.set(tt.change)
			if got := b.do("GET", "/readyz", "").status; got != tt.want {
				t.Errorf("readyz: got %d, want %d", got, tt.want)
			}
			if got := b.do("GET", "/healthz", "").status; got != 200 {
				t.Errorf("healthz: got %d, want 200", got)
			}
		})
	}
	b.srv.draining.Store(true)
	got := b.do("GET", "/readyz", "")
	if got.status != 503 || !strings.Contains(got.body, "shutting down") {
		t.Errorf("while draining: got %d", got.status)
	}
}

func TestMetrics(t *testing.T) {
	b := startQuiet(t, nil)
	b.do("POST", "/webhooks/acme", acme("a@example.com", recipient.HardBounce, "1"), signed, "good")
	b.do("POST", "/webhooks/acme", "{", signed, "good")
	b.do("POST", "/webhooks/acme", "{}", signed, "bad")
	b.do("GET", "/webhooks/secret/this-is-secret", "")
	b.do("GET", "/v1/recipients/email/a@example.com", "", bearer(readKey)...)
	b.srv.metrics.Committed(30, 2, 3*time.Millisecond, nil)
	b.srv.metrics.Committed(5, 0, time.Millisecond, errors.New("no"))
	b.srv.metrics.Queued(7, 4096)
	b.srv.countQuarantine()
	for series, want := range map[string]string{
		`strikeout_webhook_requests_total{endpoint="acme",result="accepted"}`:                    "2",
		`strikeout_webhook_requests_total{endpoint="acme",result="quarantined"}`:                 "1",
		`strikeout_webhook_requests_total{endpoint="acme",result="rejected"}`:                    "1",
		`strikeout_quarantine_requests{endpoint="acme"}`:                                         "1",
		`strikeout_http_requests_total{route="/webhooks/{endpoint}",status="200"}`:               "2",
		`strikeout_http_requests_total{route="/webhooks/{endpoint}/{secret}",status="401"}`:      "1",
		`strikeout_http_requests_total{route="/v1/recipients/{channel}/{address}",status="200"}`: "1",
		`strikeout_store_commits_total`:                                                          "1",
		`strikeout_store_commit_errors_total`:                                                    "1",
		`strikeout_store_events_total`:                                                           "30",
		`strikeout_store_duplicates_total`:                                                       "2",
		`strikeout_store_queue_events`:                                                           "7",
		`strikeout_store_queue_bytes`:                                                            "4096",
		`strikeout_store_commit_seconds_count`:                                                   "2",
		`strikeout_endpoint_last_accepted_timestamp_seconds{endpoint="acme"}`:                    strconv.FormatFloat(float64(b.clock.now().Unix()), 'g', -1, 64),
	} {
		if got := b.metric(series); got != want {
			t.Errorf("%s: got %q, want %q", series, got, want)
		}
	}
	all := b.do("GET", "/metrics", "")
	for _, secret := range []string{"this-is-secret", "example.com"} {
		if strings.Contains(all.body, secret) || strings.Contains(b.log.String(), secret) {
			t.Errorf("%q reached the metrics or the log", secret)
		}
	}
	if ct := all.header.Get("Content-Type"); !strings.HasPrefix(ct, "text/plain; version=0.0.4") {
		t.Errorf("Content-Type: got %q", ct)
	}
}

// /metrics may listen elsewhere, and is then nowhere else.
func TestSeparateMetrics(t *testing.T) {
	b := start(t, func(c *Config) { c.SeparateMetrics = true })
	if got := b.do("GET", "/metrics", "").status; got != http.StatusNotFound {
		t.Errorf("on the main listener: got %d, want 404", got)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.srv.ServeMetrics(ln) }()
	t.Cleanup(func() {
		if err := b.srv.MetricsApp().Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	for path, want := range map[string]int{"/metrics": 200, "/readyz": 200, "/healthz": 200, "/v1/contacts": 404, "/u/x": 404} {
		resp, err := b.http.Get("http://" + ln.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Error(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
		}
	}
	b.http.CloseIdleConnections()
}

func TestNewChecksItsConfiguration(t *testing.T) {
	tests := map[string]func(*Config){
		"no store":                    func(c *Config) { c.Store = nil },
		"no address key":              func(c *Config) { c.Keyer = nil },
		"no token keys":               func(c *Config) { c.Ring = nil },
		"no linker":                   func(c *Config) { c.Linker = nil },
		"no pages":                    func(c *Config) { c.Pages = nil },
		`endpoint "x" has no adapter`: func(c *Config) { c.Endpoints = map[string]Endpoint{"x": {}} },
		`endpoint "y": acme signs nothing`: func(c *Config) {
			c.Endpoints = map[string]Endpoint{"y": {Info: providers.Info{Name: "acme", Signing: providers.SignsNever}, Adapter: fakeAdapter{open: true}}}
		},
	}
	b := newBench(t)
	for want, change := range tests {
		cfg := b.config()
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	cfg := b.config()
	cfg.Logger, cfg.Now, cfg.Metrics = nil, nil, nil
	srv, err := New(cfg)
	if err != nil || srv.log == (*slog.Logger)(nil) || srv.cfg.Now == nil || srv.metrics.Registry() == nil {
		t.Errorf("defaults: %v", err)
	}
}
