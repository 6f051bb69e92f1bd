package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.Main(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),            // one clock per process
		goleak.IgnoreAnyFunction("github.com/gofiber/fiber/v2/utils.StartTimeStampUpdater.func1"), // likewise
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))         // sleeps 10 s, then sees that it was stopped
}

// Requests that two servers could read differently (RFC 9112, section 6.1 and
// 6.3) get one answer and the connection closes.
func TestAmbiguousFraming(t *testing.T) {
	b := start(t, nil)
	second := "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	head := "POST /webhooks/acme HTTP/1.1\r\nHost: x\r\n"
	for name, request := range map[string]string{
		"length and chunked":  head + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
		"chunked on HTTP/1.0": "POST /webhooks/acme HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":         head + "Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc",
		"odd coding":          head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := b.raw(request + second)
			if n := strings.Count(got, "HTTP/1."); n != 1 {
				t.Errorf("answers: got %d, want 1\n%s", n, got)
			}
			if strings.Contains(got, " 200 ") {
				t.Errorf("the request was accepted:\n%s", got)
			}
		})
	}
	if n := len(b.stored()); n != 0 {
		t.Errorf("events: got %d, want 0", n)
	}
}

func TestTooLargeIsCounted(t *testing.T) {
	b := start(t, nil)
	big := strings.Repeat("x", 3<<20)
	chunked := func(path string) int {
		req, err := http.NewRequest("POST", b.url+path, io.MultiReader(strings.NewReader(big))) // no length known: chunked
		if err != nil {
			t.Fatal(err)
		}
		resp, err := b.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // only the status matters
		return resp.StatusCode
	}
	tests := []struct {
		path, route string
		sized       int
	}{
		{"/webhooks/acme", "/webhooks/{endpoint}", 3 << 20},
		{"/u/token", "/u/{token}", 65 << 10},
		{"/v1/check", "/v1/check", 5 << 20},
		{"/healthz", "/healthz", 2 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.route, func(t *testing.T) {
			if got := b.do("POST", tt.path, strings.Repeat("x", tt.sized)); got.status != http.StatusRequestEntityTooLarge {
				t.Errorf("sized: got %d, want 413", got.status)
			}
			want := "1"
			if tt.sized <= len(big) {
				want = "2"
				if got := chunked(tt.path); got != http.StatusRequestEntityTooLarge {
					t.Errorf("chunked: got %d, want 413", got)
				}
			}
			series := fmt.Sprintf(`strikeout_http_requests_total{route=%q,status="413"}`, tt.route)
			if got := b.metric(series); got != want {
				t.Errorf("%s: got %q, want %q", series, got, want)
			}
		})
	}
	if got := b.metric(`strikeout_webhook_requests_total{endpoint="acme",result="too_large"}`); got != "2" {
		t.Errorf("endpoint's count: got %q, want 2", got)
	}
	huge := b.raw("POST /webhooks/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
	if !strings.HasPrefix(huge, "HTTP/1.1 413") {
		t.Errorf("a large Content-Length alone: got %q", huge)
	}
}

// What a provider's requests may have is the provider's, unless the endpoint
// says otherwise; a stranger's body is not read beyond the common limit.
func TestBodyLimits(t *testing.T) {
	b := start(t, nil)
	body := func(n int) string { return acme("a@example.com", recipient.SoftBounce, "1") + strings.Repeat(" ", n) }
	for _, tt := range []struct {
		path string
		size int
		want int
	}{
		{"/webhooks/mails/s3cret", 5 << 20, 200},
		{"/webhooks/mails/s3cret", 6 << 20, 413},
		{"/webhooks/mails/guess", 1 << 20, 401},
		{"/webhooks/mails/guess", 5 << 20, 413},
		{"/webhooks/mails", 5 << 20, 413},
		{"/webhooks/large", 5 << 20, 200},
		{"/webhooks/large", 6 << 20, 413},
		{"/webhooks/acme", 1 << 20, 200},
		{"/webhooks/acme", 3 << 20, 413},
	} {
		if got := b.do("POST", tt.path, body(tt.size), signed, "good"); got.status != tt.want {
			t.Errorf("%s with %d bytes: got %d, want %d", tt.path, tt.size, got.status, tt.want)
		}
	}
}

func TestLongAndHostileURLs(t *testing.T) {
	b := start(t, nil)
	if got := b.raw("GET /u/" + strings.Repeat(".", 100<<10) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 431") {
		t.Errorf("a URL of 100 KiB: got %.40q, want 431", got)
	}
	for _, path := range []string{"/nothing", "/v1/nothing", "/webhooks", "/", "/admin.php", "/%00"} {
		got := b.do("GET", path, "")
		if got.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, got.status)
		}
		checkProblem(t, got)
		if strings.Contains(got.body, "admin.php") {
			t.Error("a problem quotes the path")
		}
	}
	if got := b.do("BREW", "/webhooks/acme", ""); got.status < 400 {
		t.Errorf("an unknown method: got %d", got.status)
	}
}

// Two requests on two connections, delayed in the store while other requests
// reuse the server's memory: each event belongs to its own request.
func TestNothingAliasesFibersMemory(t *testing.T) {
	b := start(t, nil)
	gate := make(chan struct{})
	b.store.set(func(f *fakeStore) { f.delay = gate })
	const n = 16
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			endpoint := []string{"acme", "final"}[i%2]
			who := fmt.Sprintf("person%02d@%s.example.com", i, endpoint)
			got := b.do("POST", "/webhooks/"+endpoint, acme(who, recipient.HardBounce, who), signed, "good", "X-Acme-Code", who)
			if got.status != http.StatusOK {
				t.Errorf("status: got %d", got.status)
			}
		})
	}
	for range 50 { // overwrite the buffers of other workers
		b.do("POST", "/webhooks/acme", strings.Repeat("Z", 4096), signed, "bad", "X-Acme-Code", strings.Repeat("Z", 64))
	}
	close(gate)
	wg.Wait()
	b.store.set(func(f *fakeStore) { f.delay = nil })
	for range 20 {
		b.do("POST", "/webhooks/acme", strings.Repeat("Z", 4096), signed, "bad")
	}
	events := b.stored()
	if len(events) != n {
		t.Fatalf("events: got %d, want %d", len(events), n)
	}
	for _, e := range events {
		who := e.Address.Value()
		if e.EventID != "‹address›" || e.IDParts[0] != who || !strings.HasSuffix(who, "@"+e.Endpoint+".example.com") || e.Key != b.keyer.Key(e.Address) {
			t.Errorf("mixed up: endpoint %s, id %q", e.Endpoint, e.IDParts)
		}
	}
}

// SIGTERM during load: every request that was sent is answered, and every
// answered event is stored.
func TestDrainUnderLoad(t *testing.T) {
	b := newBench(t)
	cfg := b.config()
	cfg.Limits.DrainWait = time.Hour // until the balancer has stopped sending, here
	srv, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv.drained = make(chan struct{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.addr, b.url, b.http = ln.Addr().String(), "http://"+ln.Addr().String(), &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	b.waitUp()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var notReady atomic.Bool
	var acked atomic.Int64
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; !notReady.Load(); i++ {
				id := fmt.Sprintf("%d-%d", w, i)
				req, err := http.NewRequest("POST", b.url+"/webhooks/acme", strings.NewReader(acme("a@example.com", recipient.SoftBounce, id)))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set(signed, "good")
				resp, err := b.http.Do(req)
				if err != nil {
					t.Errorf("a request was cut off: %v", err)
					return
				}
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("status: got %d", resp.StatusCode)
				}
				acked.Add(1)
			}
		})
	}
	until(t, func() bool { return acked.Load() > 200 })
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	down := make(chan error, 1)
	go func() {
		sctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		down <- srv.Shutdown(sctx)
	}()
	until(t, func() bool { // a balancer that asks for readiness and stops sending
		resp, err := b.http.Get(b.url + "/readyz")
		if err != nil {
			t.Error(err)
			return true
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusServiceUnavailable
	})
	notReady.Store(true)
	wg.Wait()
	close(srv.drained)
	if err := errors.Join(<-down, <-served); err != nil {
		t.Error(err)
	}
	b.http.CloseIdleConnections()
	if got := int64(len(b.stored())); got != acked.Load() {
		t.Errorf("stored: got %d, want the %d that were answered", got, acked.Load())
	}
	if conn, err := net.Dial("tcp", b.addr); err == nil {
		_ = conn.Close()
		t.Error("still listening after the shutdown")
	}
}
