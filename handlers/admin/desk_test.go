package admin

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/store/storetest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// desk is a server with a database of its own.
type desk struct {
	*Server
	t   *testing.T
	app *fiber.App
	db  *store.DB
	now time.Time
}

// newDesk mounts a desk on a fresh SQLite database. Its clock stands at noon.
func newDesk(t *testing.T, change ...func(*Config)) *desk {
	t.Helper()
	d := &desk{t: t, now: noon}
	clock := func() time.Time { return d.now }
	d.db = storetest.Open(t, store.Config{URL: storetest.SQLite(t), Now: clock})
	cfg := Config{Store: d.db, Keyer: storetest.Keyer(), URL: "http://127.0.0.1:8080", Now: clock, Timeout: 5 * time.Minute}
	cfg.Links = testLinks(t, clock)
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d.Server = s
	t.Cleanup(s.Close)
	d.app = fiber.New(fiber.Config{Immutable: true, DisableStartupMessage: true, DisableDefaultContentType: true})
	d.app.Use(func(c *fiber.Ctx) error { // as handlers does
		if a, err := netip.ParseAddr(c.Get("X-Test-Client")); err == nil {
			c.Locals(ClientKey, a)
		}
		return c.Next()
	})
	s.Mount(d.app)
	return d
}

// answer is a response, read.
type answer struct {
	*http.Response
	body string
}

func (a answer) to() string { return a.Header.Get("Location") }

// cookie returns the value of the Cookie header that a browser would send next.
func (a answer) cookie() string {
	for _, c := range a.Cookies() {
		if c.Value != "" {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}

// send makes a request as a browser does: headers in pairs.
func (d *desk) send(method, path string, form url.Values, headers ...string) answer {
	d.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if method != "GET" {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := d.app.Test(r, 300_000)
	if err != nil {
		d.t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer{res, string(b)}
}

// as signs somebody of a role in and returns how they ask and post.
func (d *desk) as(role store.Role) (get func(path string) answer, post func(path string, form url.Values) answer) {
	d.t.Helper()
	cookie, csrf := NewTestSession(d.t, d.db, role)
	get = func(path string) answer { return d.send("GET", path, nil, "Cookie", cookie) }
	post = func(path string, form url.Values) answer {
		if form == nil {
			form = url.Values{}
		}
		form.Set("csrf", csrf)
		return d.send("POST", path, form, "Cookie", cookie)
	}
	return get, post
}

func TestHome(t *testing.T) {
	d := newDesk(t)
	if got := d.send("GET", "/admin?x=1", nil); got.StatusCode != http.StatusSeeOther || got.to() != "/admin/login?next=%2Fadmin%3Fx%3D1" {
		t.Errorf("nobody: got %d to %q", got.StatusCode, got.to())
	}
	get, _ := d.as(store.RoleViewer)
	got := get("/admin")
	if got.StatusCode != http.StatusOK || !strings.Contains(got.body, "Dashboard") {
		t.Errorf("a viewer: got %d\n%s", got.StatusCode, got.body)
	}
	if strings.Contains(got.body, "/admin/users") {
		t.Error("a viewer is shown the way to the users")
	}
}
