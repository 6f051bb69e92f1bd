package handlers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/recipient"
)

// clock is an injected clock.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// buffer is a log that can be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// raceDetector is set in race_test.go: the detector makes SQLite many times slower.
var raceDetector bool

const (
	readKey  = "so_live_read"
	mintKey  = "so_live_mint"
	writeKey = "so_live_write"
	adminKey = "so_live_admin"
)

// bench is a server on a real TCP port with a fake store and a clock.
type bench struct {
	t     testing.TB
	srv   *Server
	store *fakeStore
	clock *clock
	keyer *recipient.Keyer
	log   *buffer
	url   string
	addr  string
	http  *http.Client
	links testLinks
	quiet bool // without the server's background work
}

// start runs a server; change may adjust its configuration.
func start(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	b := newBench(t)
	b.serve(b.changed(change))
	return b
}

// startQuiet is start for a test that looks at what the server's background work
// changes: on a slow machine that may come at any moment.
func startQuiet(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	b := newBench(t)
	b.quiet = true
	b.serve(b.changed(change))
	return b
}

func newBench(t testing.TB) *bench {
	t.Helper()
	keyer, err := recipient.NewKeyer([]byte("a test key of thirty-two bytes or more"))
	if err != nil {
		t.Fatal(err)
	}
	clk := newClock()
	b := &bench{t: t, clock: clk, keyer: keyer, log: &buffer{}, store: newFakeStore(clk.now)}
	b.links = newTestLinks(t, clk)
	return b
}

func (b *bench) config() Config {
	key := func(name, secret, scope string) APIKey {
		return APIKey{Name: name, Scopes: []string{scope}, SHA256: sha256.Sum256([]byte(secret))}
	}
	// A test that is about time sets its own: a machine with much else to do may
	// take long for everything.
	const patience = 5 * time.Minute
	return Config{
		Limits: Limits{ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: patience, StoreTimeout: patience},
		Store:  b.store, Keyer: b.keyer, Now: b.clock.now, PublicURL: "https://u.example.com", DefaultRegion: "FI",
		Ring: b.links.ring, Linker: b.links.linker(b.keyer), Pages: testWatcher(b.t, b.clock.now, ""),
		Logger:  slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		APIKeys: []APIKey{key("reader", readKey, "read"), key("minter", mintKey, "mint"), key("writer", writeKey, "write"), key("admin", adminKey, "admin")},
		Endpoints: map[string]Endpoint{
			"acme":   {Info: providers.Info{Name: "acme", Signing: providers.SignsAlways}, Adapter: fakeAdapter{}},
			"final":  {Info: providers.Info{Name: "acme", BusyStatus: 429, RejectFinal: true}, Adapter: fakeAdapter{}},
			"basic":  {Info: providers.Info{Name: "acme"}, Adapter: fakeAdapter{open: true}, Guard: providers.NewGuard([]string{"user:password"}, nil)},
			"secret": {Info: providers.Info{Name: "acme"}, Adapter: fakeAdapter{open: true}, Guard: providers.NewGuard(nil, []string{"s3cret/path"})},
			"open":   {Info: providers.Info{Name: "acme"}, Adapter: fakeAdapter{open: true}, Unsigned: true},
			"shaker": {Info: providers.Info{Name: "acme"}, Adapter: shaker{}},
			"mails":  {Info: providers.Info{Name: "acme", BodyLimit: 6 << 20}, Adapter: fakeAdapter{open: true}, Guard: providers.NewGuard(nil, []string{"s3cret"})},
			"large":  {Info: providers.Info{Name: "acme"}, Adapter: fakeAdapter{}, BodyLimit: 6 << 20},
		},
	}
}

func (b *bench) changed(change func(*Config)) Config {
	cfg := b.config()
	if change != nil {
		change(&cfg)
	}
	return cfg
}

func (b *bench) serve(cfg Config) {
	b.t.Helper()
	srv, err := New(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	if b.quiet {
		srv.started.Do(func() {})
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	b.srv, b.addr, b.url = srv, ln.Addr().String(), "http://"+ln.Addr().String()
	b.http = &http.Client{Timeout: 3 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	b.t.Cleanup(func() {
		b.http.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			b.t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			b.t.Errorf("serve: %v", err)
		}
	})
	b.waitUp()
}

func (b *bench) waitUp() {
	b.t.Helper()
	until(b.t, func() bool {
		r, err := b.http.Get(b.url + "/healthz")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// until polls a condition; a test fails when it does not come true.
func until(t testing.TB, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatal("the condition did not come true")
		}
		time.Sleep(5 * time.Millisecond) // between two looks at a condition
	}
}

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request. Headers come as name, value pairs.
func (b *bench) do(method, path, body string, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	if _, set := req.Header["User-Agent"]; !set { // that of this program is one of a program
		req.Header.Set("User-Agent", browserAgent)
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(got)}
}

// raw writes bytes to a fresh connection and returns what comes back until it closes.
func (b *bench) raw(request string) string {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()                                                    //nolint:errcheck // read to its end
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil { // far less than the server's own patience
		b.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		b.t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		b.t.Fatalf("the connection was not closed: %v (got %d bytes)", err, len(got))
	}
	return string(got)
}

// metric returns the value of one line of /metrics, "" when it is not there.
func (b *bench) metric(series string) string {
	b.t.Helper()
	for line := range strings.SplitSeq(b.do("GET", "/metrics", "").body, "\n") {
		if v, ok := strings.CutPrefix(line, series+" "); ok {
			return v
		}
	}
	return ""
}

func (b *bench) email(s string) recipient.Address {
	b.t.Helper()
	a, err := recipient.ParseEmail(s)
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

func (b *bench) stored() []recipient.Event {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	return append([]recipient.Event(nil), b.store.events...)
}

func (b *bench) writes() int {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	return b.store.writes
}
