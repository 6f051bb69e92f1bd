package admin

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/strikeout/strikeout/store"
)

const goodPassword = "correct horse battery"

// quick makes hashing cheap and counts it. The hashes are no argon2id any more,
// but the road is the same.
func (d *desk) quick() *atomic.Int64 {
	var runs atomic.Int64
	d.hash.key = func(password, salt []byte, _, _ uint32, lanes uint8, size uint32) []byte {
		runs.Add(1)
		return argon2.IDKey(password, salt, 1, 8, lanes, size)
	}
	return &runs
}

func (d *desk) user(name string, role store.Role, password string) store.User {
	d.t.Helper()
	hash := ""
	if password != "" {
		var err error
		if hash, err = d.hash.hash(d.t.Context(), d.cfg.Rand, password); err != nil {
			d.t.Fatal(err)
		}
	}
	u, err := d.db.AddUser(d.t.Context(), store.User{Name: name, Role: role, PasswordHash: hash}, store.By{Actor: "test"})
	if err != nil {
		d.t.Fatal(err)
	}
	return u
}

func (d *desk) login(name, password string, headers ...string) answer {
	d.t.Helper()
	return d.send("POST", "/admin/login", url.Values{"name": {name}, "password": {password}}, headers...)
}

// log returns the actions of the audit log, newest first.
func (d *desk) log() []store.AuditEntry {
	d.t.Helper()
	log, err := d.db.AuditLog(d.t.Context(), 0, 10_000)
	if err != nil {
		d.t.Fatal(err)
	}
	return log
}

func TestLogin(t *testing.T) {
	d := newDesk(t)
	d.user("anna@example.com", store.RoleOperator, goodPassword)
	got := d.send("POST", "/admin/login", url.Values{"name": {" Anna@Example.com"}, "password": {goodPassword}, "next": {"/admin/account?x=1"}}, "User-Agent", "Testfox")
	if got.StatusCode != http.StatusSeeOther || got.to() != "/admin/account?x=1" {
		t.Fatalf("got %d to %q\n%s", got.StatusCode, got.to(), got.body)
	}
	c := got.Cookies()[0]
	if c.Name != "so" || !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != int(store.SessionLife.Seconds()) {
		t.Errorf("cookie: got %+v", c)
	}
	page := d.send("GET", "/admin/account", nil, "Cookie", got.cookie())
	for _, want := range []string{"anna@example.com", "operator", "Testfox", "this browser"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the account page lacks %q", want)
		}
	}
	if e := d.log()[0]; e.Action != "login" || e.Actor != "anna@example.com" {
		t.Errorf("audit: got %+v", e)
	}
	out := d.send("POST", "/admin/logout", url.Values{"csrf": {csrfToken(c.Value)}}, "Cookie", got.cookie())
	if out.StatusCode != http.StatusOK || d.send("GET", "/admin/account", nil, "Cookie", got.cookie()).StatusCode != http.StatusSeeOther {
		t.Errorf("signed out: got %d, and the session lives on", out.StatusCode)
	}
}

func TestLoginReturnsToTheDeskOnly(t *testing.T) {
	for in, want := range map[string]string{
		"/admin/contacts?q=a": "/admin/contacts?q=a", "/admin": "/admin", "": "/admin", "https://evil.example": "/admin", "//evil.example/admin/": "/admin",
		"/admin/\\evil.example": "/admin", "/administrator": "/admin", "/admin/login?next=/admin/login": "/admin", "/admin/a\r\nX: y": "/admin",
	} {
		if got := localPath(in); got != want {
			t.Errorf("localPath(%q): got %q, want %q", in, got, want)
		}
	}
}

// With https the cookie is bound to it and to the host.
func TestCookieOverHTTPS(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.URL = "https://desk.example.com" })
	d.quick()
	d.user("anna", store.RoleViewer, goodPassword)
	got := d.login("anna", goodPassword)
	if c := got.Cookies()[0]; c.Name != "__Host-so" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
		t.Errorf("got %+v", c)
	}
	if got.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no HSTS")
	}
}

// Nothing in the answer or in the work tells whether somebody exists.
func TestUnknownUsersLookTheSame(t *testing.T) {
	d := newDesk(t)
	runs := d.quick()
	d.user("anna", store.RoleViewer, goodPassword)
	d.user("invited", store.RoleViewer, "")
	locked := d.user("locked", store.RoleViewer, goodPassword)
	if err := d.db.SetDisabled(t.Context(), locked.ID, true, store.By{}); err != nil {
		t.Fatal(err)
	}
	want := ""
	for _, tt := range []struct{ name, password string }{
		{"anna", "wrong password"}, {"nobody", goodPassword}, {"invited", goodPassword}, {"invited", ""}, {"locked", goodPassword}, {"bad\x01name", goodPassword},
		{"anna", goodPassword + strings.Repeat("x", 2000)}, {"anna", ""},
	} {
		before := runs.Load()
		got := d.login(tt.name, tt.password)
		if n := runs.Load() - before; n != 1 {
			t.Errorf("%q: %d hashes were computed, want 1", tt.name, n)
		}
		body := strings.ReplaceAll(got.body, `value="`+tt.name+`"`, "")
		if strings.Contains(tt.name, "\x01") {
			body = want
		}
		if want == "" {
			want = body
		}
		if got.StatusCode != http.StatusUnauthorized || body != want || got.cookie() != "" {
			t.Errorf("%q: got %d\n%s\nwant\n%s", tt.name, got.StatusCode, body, want)
		}
	}
	for _, e := range d.log()[:8] {
		if e.Action == "login.failed" && e.Actor != "unknown" && e.Actor != "anna" && e.Actor != "invited" && e.Actor != "locked" {
			t.Errorf("the audit log keeps what was typed: %+v", e)
		}
	}
}

// Guessing gets slow, and its owner at home is not kept out.
func TestLoginIsSlowedDown(t *testing.T) {
	d := newDesk(t)
	runs := d.quick()
	d.user("anna", store.RoleViewer, goodPassword)
	if got := d.login("anna", goodPassword, "X-Test-Client", "192.0.2.1"); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("at home: got %d", got.StatusCode)
	}
	before := runs.Load()
	var last answer
	for range 50 {
		last = d.login("anna", "guess", "X-Test-Client", "198.51.100.1")
	}
	if n := runs.Load() - before; n != 5 || last.StatusCode != http.StatusTooManyRequests || last.Header.Get("Retry-After") != "1" {
		t.Errorf("50 guesses: %d were checked; the last got %d, %q", n, last.StatusCode, last.Header.Get("Retry-After"))
	}
	if got := d.login("anna", goodPassword, "X-Test-Client", "192.0.2.1"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the owner at home: got %d", got.StatusCode)
	}
	if got := d.login("anna", goodPassword, "X-Test-Client", "198.51.100.1"); got.StatusCode != http.StatusSeeOther && got.StatusCode != http.StatusTooManyRequests {
		t.Errorf("got %d", got.StatusCode)
	}
	d.now = d.now.Add(time.Hour)
	if got := d.login("anna", goodPassword, "X-Test-Client", "198.51.100.1"); got.StatusCode != http.StatusSeeOther {
		t.Errorf("an hour later: got %d", got.StatusCode)
	}
}

// 200 people at once cost the memory of four.
func TestLoginFloodIsBounded(t *testing.T) {
	d := newDesk(t)
	d.user("anna", store.RoleViewer, goodPassword)
	var now, peak atomic.Int64
	d.hash.key = func(password, salt []byte, _, _ uint32, lanes uint8, size uint32) []byte {
		for n := now.Add(1); ; {
			p := peak.Load()
			if n <= p || peak.CompareAndSwap(p, n) {
				break
			}
		}
		defer now.Add(-1)
		return argon2.IDKey(password, salt, 1, 4<<10, lanes, size) // long enough to overlap
	}
	var wg sync.WaitGroup
	var answered atomic.Int64
	for i := range 200 {
		wg.Go(func() {
			got := d.login("nobody"+string(rune('a'+i%20)), "guess", "X-Test-Client", "10.0."+string(rune('0'+i%10))+".1")
			if got.StatusCode == http.StatusUnauthorized || got.StatusCode == http.StatusTooManyRequests {
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	if peak.Load() > maxHashing || peak.Load() < 2 || answered.Load() != 200 {
		t.Errorf("%d hashes at once, %d of 200 answered", peak.Load(), answered.Load())
	}
}

// An id that somebody planted in the browser never becomes a signed-in one.
func TestSessionFixation(t *testing.T) {
	d := newDesk(t)
	d.quick()
	d.user("anna", store.RoleViewer, goodPassword)
	planted := "so=" + strings.Repeat("A", 43)
	got := d.login("anna", goodPassword, "Cookie", planted)
	if got.cookie() == planted || got.cookie() == "" {
		t.Fatalf("got %q", got.cookie())
	}
	if d.send("GET", "/admin", nil, "Cookie", planted).StatusCode != http.StatusSeeOther {
		t.Error("the planted id is signed in")
	}
	// Signing in again replaces the id, and the old one is dead.
	again := d.login("anna", goodPassword, "Cookie", got.cookie())
	if again.cookie() == got.cookie() || d.send("GET", "/admin", nil, "Cookie", got.cookie()).StatusCode != http.StatusSeeOther ||
		d.send("GET", "/admin", nil, "Cookie", again.cookie()).StatusCode != http.StatusOK {
		t.Error("the id before the second sign-in lives on")
	}
}

func TestOneTimeLinks(t *testing.T) {
	d := newDesk(t)
	d.quick()
	link, err := d.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page := strings.TrimPrefix(link, "http://127.0.0.1:8080")
	for range 3 { // scanners look
		if got := d.send("GET", page, nil); got.StatusCode != http.StatusOK || got.Header.Get("Referrer-Policy") != "same-origin" || got.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("got %d", got.StatusCode)
		}
	}
	for what, form := range map[string]url.Values{
		"short":     {"name": {"anna"}, "password": {"elevenchars"}, "again": {"elevenchars"}},
		"long":      {"name": {"anna"}, "password": {strings.Repeat("ab", 513)}, "again": {strings.Repeat("ab", 513)}},
		"repeated":  {"name": {"anna"}, "password": {"aaaaaaaaaaaaaa"}, "again": {"aaaaaaaaaaaaaa"}},
		"the name":  {"name": {"anna@example.com"}, "password": {"Anna@example.com"}, "again": {"Anna@example.com"}},
		"different": {"name": {"anna"}, "password": {goodPassword}, "again": {goodPassword + "x"}},
		"no name":   {"name": {" "}, "password": {goodPassword}, "again": {goodPassword}},
	} {
		if got := d.send("POST", page, form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, `role="alert"`) {
			t.Errorf("%s: got %d", what, got.StatusCode)
		}
	}
	form := url.Values{"name": {"Anna"}, "password": {goodPassword}, "again": {goodPassword}}
	if got := d.send("POST", page, form, "Sec-Fetch-Site", "cross-site"); got.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: got %d", got.StatusCode)
	}
	got := d.send("POST", page, form)
	if got.StatusCode != http.StatusSeeOther || d.send("GET", "/admin/users", nil, "Cookie", got.cookie()).StatusCode != http.StatusOK {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	if got := d.send("POST", page, form); got.StatusCode != http.StatusNotFound {
		t.Errorf("again: got %d", got.StatusCode)
	}
	if link, err := d.SetupLink(t.Context()); link != "" || err != nil {
		t.Errorf("another set-up link: got %q, %v", link, err)
	}
}

func TestSetupLinkExpires(t *testing.T) {
	d := newDesk(t)
	link, err := d.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(time.Hour)
	if got := d.send("GET", strings.TrimPrefix(link, "http://127.0.0.1:8080"), nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("after an hour: got %d", got.StatusCode)
	}
}

func TestChangePassword(t *testing.T) {
	d := newDesk(t)
	d.quick()
	d.user("anna", store.RoleViewer, goodPassword)
	here, there := d.login("anna", goodPassword), d.login("anna", goodPassword)
	csrf := csrfToken(here.Cookies()[0].Value)
	change := func(current, next string) answer {
		return d.send("POST", "/admin/account/password", url.Values{"csrf": {csrf}, "current": {current}, "password": {next}, "again": {next}}, "Cookie", here.cookie())
	}
	if got := change("wrong", "another good one"); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without the old one: got %d", got.StatusCode)
	}
	got := change(goodPassword, "another good one")
	if got.StatusCode != http.StatusSeeOther || got.cookie() == "" {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	for what, c := range map[string]string{"this browser's old id": here.cookie(), "the other browser": there.cookie()} {
		if d.send("GET", "/admin", nil, "Cookie", c).StatusCode != http.StatusSeeOther {
			t.Errorf("%s is still signed in", what)
		}
	}
	if page := d.send("GET", "/admin/account", nil, "Cookie", got.cookie()); !strings.Contains(page.body, "Your password is changed") {
		t.Errorf("no message:\n%s", page.body)
	}
	if page := d.send("GET", "/admin/account", nil, "Cookie", got.cookie()); strings.Contains(page.body, "Your password is changed") {
		t.Error("the message is shown twice")
	}
	if d.login("anna", "another good one").StatusCode != http.StatusSeeOther {
		t.Error("the new password does not work")
	}
}

func TestOldHashesAreRenewed(t *testing.T) {
	d := newDesk(t)
	old := encodePHC([]byte("0123456789abcdef"), argon2.IDKey([]byte(goodPassword), []byte("0123456789abcdef"), 1, 8<<10, 1, 32), 8<<10, 1, 1)
	u, err := d.db.AddUser(t.Context(), store.User{Name: "anna", Role: store.RoleViewer, PasswordHash: old}, store.By{})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.login("anna", goodPassword); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("got %d", got.StatusCode)
	}
	if u, err = d.db.User(t.Context(), u.ID); err != nil || !strings.HasPrefix(u.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %q, %v", u.PasswordHash, err)
	}
	if got := d.login("anna", goodPassword); got.StatusCode != http.StatusSeeOther {
		t.Errorf("with the new hash: got %d", got.StatusCode)
	}
}
