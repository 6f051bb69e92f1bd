package handlers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
)

// A POST that is redirected becomes a GET, and the opt-out is lost: whatever a
// proxy says of the outside, a one-click is answered where it arrives.
func TestOneClickIsNeverRedirected(t *testing.T) {
	b := start(t, func(c *Config) { c.TrustedProxies = localProxy })
	for i, headers := range [][]string{
		{"X-Forwarded-Proto", "http"},
		{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "u.example.com", "X-Forwarded-For", "203.0.113.9"},
		{"Upgrade-Insecure-Requests", "1"},
		{"Accept-Language", "sv"},
		{"Cookie", "lang=fi"},
	} {
		for _, end := range []string{"", "/", "?lang=fi"} {
			key := b.keyer.Key(b.email(fmt.Sprintf("a%d.%d@example.com", i, len(end))))
			got := b.do("POST", "/u/"+b.links.active(key, recipient.Email)+end, "List-Unsubscribe=One-Click", append(headers, "Content-Type", formType)...)
			checkPage(t, got, http.StatusOK, "done") // it wants no Location and no Set-Cookie
			if !b.store.states[key].OptedOut() {
				t.Errorf("%q with %v: not opted out within the request", end, headers)
			}
		}
	}
}

func TestRefusedLinksAreCounted(t *testing.T) {
	b := start(t, nil)
	key := b.keyer.Key(b.email("a@example.com"))
	for token, reason := range map[string]string{
		b.links.unknown(key): "unknown_key", b.links.revoked(key): "revoked", b.links.forged(key): "signature",
		b.links.minted(key, b.clock.now().Add(48*time.Hour)): "future", "x": "malformed",
	} {
		b.do("GET", "/u/"+token, "")
		if got := b.metric(`strikeout_unsubscribe_bad_tokens_total{reason="` + reason + `"}`); got != "1" {
			t.Errorf("%s: got %q, want 1", reason, got)
		}
	}
}

// The clock was set back since the link was made, and since somebody opted in:
// the click counts.
func TestClockSetBack(t *testing.T) {
	b := start(t, nil)
	key := b.keyer.Key(b.email("a@example.com"))
	path := "/u/" + b.links.minted(key, b.clock.now())
	checkPage(t, b.do("POST", path, ""), http.StatusOK, "done")
	checkPage(t, b.do("POST", path+"/undo", "via=form", "Content-Type", formType), http.StatusOK, "undone")
	b.clock.add(-time.Hour)
	checkPage(t, b.do("GET", path, ""), http.StatusOK, "confirm")
	checkPage(t, b.do("POST", path, ""), http.StatusOK, "done")
	if !b.store.states[key].OptedOut() {
		t.Error("not opted out")
	}
	bounce := acme("a@example.com", recipient.HardBounce, "1")
	b.clock.add(time.Hour)
	b.do("POST", "/webhooks/acme", bounce, signed, "good")
	b.clock.add(-time.Hour)
	if got := b.do("POST", "/v1/recipients/email/a@example.com/unblock", `{"reason":"it exists"}`, bearer(writeKey)...); got.status != http.StatusOK {
		t.Fatalf("unblock: got %d", got.status)
	}
	if got := b.do("POST", "/webhooks/acme", bounce, signed, "good"); got.status != http.StatusOK || b.store.states[key].Blocked() {
		t.Errorf("the same report again: got %d, blocked %v", got.status, b.store.states[key].Blocked())
	}
}

// A link, an API key and a session open their own doors only.
func TestOneKindOfTokenIsNotAnother(t *testing.T) {
	b := start(t, nil)
	link := b.links.active(b.keyer.Key(b.email("a@example.com")), recipient.Email)
	for _, other := range []string{writeKey, adminKey, "so_live_" + strings.Repeat("a", 26)} {
		for _, method := range []string{"GET", "POST"} {
			checkPage(t, b.do(method, "/u/"+other, "List-Unsubscribe=One-Click", "Content-Type", formType), http.StatusNotFound, "bad_link")
		}
	}
	for _, r := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/v1/contacts/1", 401}, {"GET", "/v1/recipients/email/a@example.com", 401}, {"DELETE", "/v1/recipients/email/a@example.com", 401},
		{"POST", "/v1/recipients/email/a@example.com/opt-in", 401}, {"GET", "/v1/events", 401}, {"POST", "/v1/check", 401},
		{"GET", "/u/" + link + "/export", 404}, {"POST", "/u/" + link + "/wipe", 404}, {"DELETE", "/u/" + link, 405}, {"GET", "/admin/" + link, 404},
	} {
		got := b.do(r.method, r.path, "{}", append(bearer(link), "Cookie", "__Host-so="+link)...)
		if got.status != r.want {
			t.Errorf("%s %.20s with a link: got %d, want %d", r.method, r.path, got.status, r.want)
		}
	}
	if n := b.writes(); n != 0 {
		t.Errorf("wrote %d times", n)
	}
}

// Providers that sign a time and no more may be asked again by anybody who saw
// a request: late or soon, it has one effect.
func TestReplayedReportHasOneEffect(t *testing.T) {
	b := start(t, nil)
	body := acme("a@example.com", recipient.HardBounce, "id-1")
	for _, later := range []time.Duration{0, time.Second, 31 * 24 * time.Hour, 400 * 24 * time.Hour} {
		b.clock.add(later)
		if got := b.do("POST", "/webhooks/acme", body, signed, "good"); got.status != http.StatusOK {
			t.Fatalf("after %v: got %d", later, got.status)
		}
	}
	if n := len(b.stored()); n != 1 {
		t.Errorf("events: got %d, want 1", n)
	}
}

// Strangers send large bodies and never finish them: memory is bounded, large
// requests are told to come again, in the provider's own way, small ones pass.
func TestFloodOfLargeRequests(t *testing.T) {
	b := start(t, func(c *Config) { c.Limits.Unanswered = 2 << 20 })
	large := acme("a@example.com", recipient.SoftBounce, "1") + strings.Repeat(" ", 1<<20)
	if got := b.do("POST", "/webhooks/acme", large, signed, "good"); got.status != http.StatusOK {
		t.Fatalf("before the flood: got %d", got.status)
	}
	for range 40 {
		conn, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // the test's own end
		if _, err := fmt.Fprintf(conn, "POST /webhooks/acme HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", 1<<20, strings.Repeat(" ", 63<<10)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, func() bool { return b.srv.unanswered.Load() > 2<<20 })
	for path, want := range map[string]int{"/webhooks/acme": 503, "/webhooks/final": 429} {
		got := b.do("POST", path, large, signed, "good")
		checkProblem(t, got)
		if got.status != want || got.header.Get("Retry-After") == "" {
			t.Errorf("%s, large: got %d, want %d", path, got.status, want)
		}
		if got := b.do("POST", path, acme("b@example.com", recipient.SoftBounce, path), signed, "good"); got.status != http.StatusOK {
			t.Errorf("%s, small: got %d, want 200", path, got.status)
		}
	}
	if held := b.srv.unanswered.Load(); held > 4<<20 {
		t.Errorf("held: got %d bytes", held)
	}
}

// What was held is given back, by answers and by clients that leave.
func TestHeldBytesAreGivenBack(t *testing.T) {
	b := start(t, nil)
	for range 3 {
		b.do("POST", "/webhooks/acme", strings.Repeat(" ", 1<<20), signed, "bad")
		conn, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(conn, "POST /webhooks/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
		if err = errors.Join(err, conn.Close()); err != nil {
			t.Fatal(err)
		}
	}
	b.http.CloseIdleConnections()
	until(t, func() bool { return b.srv.unanswered.Load() == 0 })
}

// slowClients is how many there are in TestSlowBody: STRIKEOUT_SLOW_CLIENTS.
func slowClients(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("STRIKEOUT_SLOW_CLIENTS"))
	if err != nil || n < 1 {
		return 200
	}
	return n
}

// Clients that never finish their body, and one that sends a byte now and
// then: each is sent away, and others do not notice.
func TestSlowBody(t *testing.T) {
	// Longer than this process may stand still between a report's arrival and its reading.
	b := start(t, func(c *Config) { c.Limits.ReadTimeout = 4 * time.Second })
	conns := make([]net.Conn, slowClients(t))
	for i := range conns {
		conn, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // the test's own end
		if _, err := io.WriteString(conn, "POST /webhooks/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		conns[i] = conn
	}
	for range 20 {
		if got := b.do("POST", "/webhooks/acme", acme("a@example.com", recipient.SoftBounce, "1"), signed, "good"); got.status != http.StatusOK {
			t.Errorf("a report beside slow clients: got %d", got.status)
		}
	}
	for i, conn := range conns {
		var answer []byte
		wait := 3 * time.Minute
		if i == 0 { // goes on sending
			wait = 20 * time.Millisecond
		}
		for range 900 { // bytes: far more than come in the time, and too few to end the body
			var closed error
			if i == 0 {
				_, closed = conn.Write([]byte(" "))
			}
			if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if answer = append(answer, line...); err == nil || closed != nil || i > 0 {
				break
			}
		}
		if !strings.Contains(string(answer), " 408 ") {
			t.Fatalf("client %d: got %q, want 408", i, answer)
		}
	}
}
