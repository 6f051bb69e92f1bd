package admin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// concrete fills the parameters of a row's path, so that they name what fill
// put into the database.
func concrete(r *row) string {
	path := strings.NewReplacer("{channel}", "email", "{key}", keyOf("nobody@example.com").String()).Replace(r.path)
	return placeholder.ReplaceAllString(path, "1")
}

func TestRows(t *testing.T) {
	d := newDesk(t)
	seen := map[string]bool{}
	for _, r := range d.table {
		key := r.method + " " + placeholder.ReplaceAllString(r.path, "{}")
		switch {
		case seen[key]:
			t.Errorf("%s stands in the table twice", key)
		case r.path != "/admin" && !strings.HasPrefix(r.path, "/admin/"):
			t.Errorf("%s is outside /admin", r.path)
		case changes(r.method) && r.audit == "" && !r.asks:
			t.Errorf("%s changes something and has no audit action", key)
		case !changes(r.method) && r.audit != "":
			t.Errorf("%s changes nothing and has an audit action", key)
		case r.role != anybody && !r.role.Valid():
			t.Errorf("%s has no role", key)
		}
		seen[key] = true
	}
}

// Whoever has a lesser role, or none, gets nowhere: every row is tried, and the
// audit log and the tables stay as they are.
func TestEveryRowRefusesLesserRoles(t *testing.T) {
	d := newDesk(t)
	d.quick()
	d.fill()
	d.user("root@example.com", store.RoleAdmin, goodPassword)
	cookies, tokens := map[store.Role]string{}, map[store.Role]string{}
	for _, role := range store.Roles {
		cookies[role], tokens[role] = NewTestSession(t, d.db, role)
	}
	before := len(d.log())
	tried := 0
	for _, r := range d.table {
		if r.role == anybody {
			continue
		}
		for _, role := range append([]store.Role{anybody}, store.Roles...) {
			if role.Includes(r.role) {
				continue
			}
			var form url.Values
			want := http.StatusForbidden
			if changes(r.method) {
				form = url.Values{"csrf": {tokens[role]}, "role": {"admin"}, "name": {"eve"}, "reason": {"x"}, "scope_admin": {"1"}}
			}
			if role == anybody {
				want = http.StatusUnauthorized
				if !changes(r.method) {
					want = http.StatusSeeOther
				}
			}
			tried++
			if got := d.send(r.method, concrete(r), form, "Cookie", cookies[role]); got.StatusCode != want {
				t.Errorf("%s %s as %q: got %d, want %d", r.method, r.path, role, got.StatusCode, want)
			}
			if !changes(r.method) {
				if got := d.send("HEAD", concrete(r), nil, "Cookie", cookies[role]); got.StatusCode != want {
					t.Errorf("HEAD %s as %q: got %d, want %d", r.path, role, got.StatusCode, want)
				}
			}
		}
	}
	if got := len(d.log()); got != before || tried < 20 {
		t.Errorf("%d tries left %d lines in the audit log", tried, got-before)
	}
}

// Every row that changes something refuses what another site sends, whatever
// the role, and a form without the session's own token.
func TestEveryRowRefusesForgedForms(t *testing.T) {
	d := newDesk(t)
	d.quick()
	d.fill()
	cookie, csrf := NewTestSession(t, d.db, store.RoleAdmin)
	_, other := NewTestSession(t, d.db, store.RoleAdmin)
	before := len(d.log())
	for _, r := range d.table {
		if !changes(r.method) {
			continue
		}
		good := func() url.Values { return url.Values{"csrf": {csrf}} }
		tests := []struct {
			name    string
			form    url.Values
			headers []string
		}{
			{"another site", good(), []string{"Sec-Fetch-Site", "cross-site"}},
			{"a neighbour of the same site", good(), []string{"Sec-Fetch-Site", "same-site"}},
			{"another origin, an old browser", good(), []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}},
			{"a sandboxed frame", good(), []string{"Sec-Fetch-Site", "", "Origin", "null"}},
		}
		if r.role != anybody {
			tests = append(tests, []struct {
				name    string
				form    url.Values
				headers []string
			}{
				{"no token", url.Values{}, nil},
				{"another session's token", url.Values{"csrf": {other}}, nil},
				{"a cookie and a token of nobody", good(), []string{"X-CSRF-Token", "x"}},
			}...)
		}
		for _, tt := range tests {
			got := d.send(r.method, concrete(r), tt.form, append([]string{"Cookie", cookie}, tt.headers...)...)
			if got.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s, %s: got %d", r.method, r.path, tt.name, got.StatusCode)
			}
		}
	}
	if got := len(d.log()); got != before {
		t.Errorf("forged forms left %d lines in the audit log", got-before)
	}
}

// Looking changes nothing: every GET and HEAD, as administrator.
func TestLookingChangesNothing(t *testing.T) {
	d := newDesk(t)
	d.fill()
	cookie, _ := NewTestSession(t, d.db, store.RoleAdmin)
	before := len(d.log())
	for _, r := range d.table {
		if changes(r.method) {
			continue
		}
		for _, m := range []string{"GET", "HEAD"} {
			if got := d.send(m, concrete(r), nil, "Cookie", cookie); got.StatusCode >= 500 {
				t.Errorf("%s %s: got %d\n%s", m, r.path, got.StatusCode, got.body)
			}
		}
	}
	if got := len(d.log()); got != before {
		t.Errorf("looking left %d lines in the audit log", got-before)
	}
}

func TestSameSite(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.URL = "https://desk.example.com" })
	d.quick()
	tests := []struct {
		name    string
		headers []string
		want    int
	}{
		{"same origin", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://whatever.example"}, http.StatusUnauthorized},
		{"typed by the user", []string{"Sec-Fetch-Site", "none"}, http.StatusUnauthorized},
		{"the host of the request", []string{"Sec-Fetch-Site", "", "Origin", "https://example.com"}, http.StatusUnauthorized},
		{"the configured host behind a proxy", []string{"Sec-Fetch-Site", "", "Origin", "https://desk.example.com"}, http.StatusUnauthorized},
		{"no browser", []string{"Sec-Fetch-Site", ""}, http.StatusUnauthorized},
		{"another port", []string{"Sec-Fetch-Site", "", "Origin", "https://desk.example.com:8443"}, http.StatusForbidden},
	}
	for _, tt := range tests {
		if got := d.login("nobody", "x", tt.headers...); got.StatusCode != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got.StatusCode, tt.want)
		}
	}
}

func TestHeaders(t *testing.T) {
	d := newDesk(t)
	get, _ := d.as(store.RoleAdmin)
	for _, path := range []string{"/admin", "/admin/nothing", "/admin/users", "/admin/audit.csv"} {
		got := get(path)
		csp := got.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy lacks %q", path, want)
			}
		}
		if strings.Contains(csp, "unsafe") || got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %v", path, got.Header)
		}
	}
}

var inline = regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=|javascript:|(href|action|src)="/admin`)

// Pages hold nothing inline, and under a path every link carries it.
func TestPagesFollowThePolicy(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.URL = "https://example.com/strikeout" })
	d.fill()
	cookie, _ := NewTestSession(t, d.db, store.RoleAdmin)
	cookie = "__Host-" + cookie
	for _, r := range d.table {
		if changes(r.method) {
			continue
		}
		got := d.send("GET", concrete(r), nil, "Cookie", cookie)
		if m := inline.FindString(got.body); m != "" && strings.Contains(got.Header.Get("Content-Type"), "html") {
			t.Errorf("%s: found %q", r.path, m)
		}
		if to := got.to(); to != "" && !strings.HasPrefix(to, "/strikeout/admin") {
			t.Errorf("%s: sends to %q", r.path, to)
		}
	}
}

func TestUsersPages(t *testing.T) {
	d := newDesk(t)
	d.quick()
	get, post := d.as(store.RoleAdmin)
	got := post("/admin/users", url.Values{"name": {"Bo@Example.com"}, "role": {"operator"}})
	link := regexp.MustCompile(`http://127\.0\.0\.1:8080(/admin/start/[\w-]+)`).FindStringSubmatch(got.body)
	if got.StatusCode != http.StatusOK || link == nil {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	if got := post("/admin/users", url.Values{"name": {"bo@example.com"}, "role": {"viewer"}}); got.StatusCode != http.StatusConflict {
		t.Errorf("twice: got %d", got.StatusCode)
	}
	in := d.send("POST", link[1], url.Values{"password": {goodPassword}, "again": {goodPassword}, "name": {"root"}, "role": {"admin"}})
	bo, err := d.db.UserByName(t.Context(), "bo@example.com")
	if err != nil || in.StatusCode != http.StatusSeeOther || bo.Role != store.RoleOperator {
		t.Fatalf("got %d, %+v, %v", in.StatusCode, bo, err)
	}
	page := userPath(bo)
	if got := get(page); !strings.Contains(got.body, "bo@example.com") || !strings.Contains(got.body, "/sessions/") {
		t.Errorf("the user's page: got\n%s", got.body)
	}
	if got := post(page+"/role", url.Values{"role": {"viewer"}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("role: got %d", got.StatusCode)
	}
	if d.send("GET", "/admin", nil, "Cookie", in.cookie()).StatusCode != http.StatusSeeOther {
		t.Error("the session of the old role lives on")
	}
	if got := post(page+"/disable", nil); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("disable: got %d", got.StatusCode)
	}
	if got := post(page+"/link", nil); got.StatusCode != http.StatusConflict {
		t.Errorf("a link for a locked-out user: got %d", got.StatusCode)
	}
	if d.login("bo@example.com", goodPassword).StatusCode != http.StatusUnauthorized {
		t.Error("a locked-out user may sign in")
	}
	if got := get(page); !strings.Contains(got.body, "locked out since") || !strings.Contains(got.body, "cannot sign in any more") {
		t.Errorf("got\n%s", got.body)
	}
	admin, err := d.db.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range admin {
		if u.Role == store.RoleAdmin {
			if got := post(userPath(u)+"/role", url.Values{"role": {"viewer"}}); got.StatusCode != http.StatusConflict {
				t.Errorf("the last administrator: got %d", got.StatusCode)
			}
		}
	}
	if got := get("/admin/users/999"); got.StatusCode != http.StatusNotFound {
		t.Errorf("nobody: got %d", got.StatusCode)
	}
	if got := get("/admin/users/x%27--"); got.StatusCode != http.StatusNotFound {
		t.Errorf("no number: got %d", got.StatusCode)
	}
}

// Somebody else's session cannot be ended from the own account page.
func TestSessionsOfOthers(t *testing.T) {
	d := newDesk(t)
	victim, _ := NewTestSession(t, d.db, store.RoleAdmin)
	_, post := d.as(store.RoleOperator)
	s, _, err := d.session(t.Context(), strings.TrimPrefix(victim, "so="))
	if err != nil {
		t.Fatal(err)
	}
	if got := post("/admin/account/sessions/"+s.ID()+"/end", nil); got.StatusCode != http.StatusNotFound {
		t.Errorf("got %d", got.StatusCode)
	}
	post("/admin/account/sessions/others/end", nil)
	if d.send("GET", "/admin", nil, "Cookie", victim).StatusCode != http.StatusOK {
		t.Error("the victim was signed out")
	}
}

func TestKeysPages(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.APIKeys = []ConfiguredKey{{Name: "fixed", Scopes: []string{"read"}}} })
	get, post := d.as(store.RoleAdmin)
	got := post("/admin/keys", url.Values{"name": {"crm"}, "scope_read": {"1"}, "scope_mint": {"1"}})
	secret := regexp.MustCompile(`so_live_[\w-]{32}`).FindString(got.body)
	if got.StatusCode != http.StatusOK || secret == "" {
		t.Fatalf("got %d\n%s", got.StatusCode, got.body)
	}
	keys, err := d.db.APIKeys(t.Context())
	if err != nil || len(keys) != 1 || strings.Join(keys[0].Scopes, " ") != "read mint" {
		t.Fatalf("got %+v, %v", keys, err)
	}
	for name, want := range map[string]int{"crm": http.StatusConflict, "fixed": http.StatusConflict, "": http.StatusUnprocessableEntity, "a\u202eb": http.StatusUnprocessableEntity} {
		if got := post("/admin/keys", url.Values{"name": {name}, "scope_read": {"1"}}); got.StatusCode != want {
			t.Errorf("%q: got %d, want %d", name, got.StatusCode, want)
		}
	}
	if got := post("/admin/keys", url.Values{"name": {"none"}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without scopes: got %d", got.StatusCode)
	}
	if list := get("/admin/keys"); !strings.Contains(list.body, "crm") || !strings.Contains(list.body, "fixed") || strings.Contains(list.body, secret) {
		t.Errorf("the list shows the secret or lacks keys:\n%s", list.body)
	}
	if got := post("/admin/keys/revoke", url.Values{"name": {"crm"}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("revoke: got %d", got.StatusCode)
	}
	if keys, err = d.db.APIKeys(t.Context()); err != nil || keys[0].RevokedAt.IsZero() {
		t.Errorf("got %+v, %v", keys, err)
	}
	for _, e := range d.log() {
		if strings.Contains(e.Detail+e.Object, secret) {
			t.Error("the audit log holds the secret")
		}
	}
}

func TestAuditPages(t *testing.T) {
	d := newDesk(t)
	get, _ := d.as(store.RoleAdmin)
	hostile := "=cmd|'/C calc'!A0 <script>alert(1)</script>"
	for i := range 2100 {
		e := store.AuditEntry{Actor: "anna", Action: "test.many", Object: "thing"}
		if i == 2099 {
			e = store.AuditEntry{Actor: "@eve", Action: "test.hostile", Object: "+1", Key: recipient.Key{1, 0xab}, Detail: hostile}
		}
		if err := d.db.Audit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	page := get("/admin/audit")
	if strings.Contains(page.body, "<script>alert") || !strings.Contains(page.body, "&lt;script&gt;") || !strings.Contains(page.body, "before=") {
		t.Errorf("got\n%s", page.body)
	}
	const key = "01ab0000000000000000000000000000"
	if !strings.Contains(page.body, "address "+key+"<") {
		t.Errorf("the page names the address otherwise than the exports do:\n%s", page.body[:4000])
	}
	older := regexp.MustCompile(`href="(/admin/audit\?[^"]+)"`).FindStringSubmatch(get("/admin/audit?actor=anna&action=test.").body)
	if older == nil {
		t.Fatal("no way to older entries")
	}
	if got := get(strings.ReplaceAll(older[1], "&amp;", "&")); got.StatusCode != http.StatusOK || strings.Contains(got.body, "@eve") || !strings.Contains(got.body, "test.many") {
		t.Errorf("older ones: got %d", got.StatusCode)
	}
	csv := get("/admin/audit.csv?action=test.")
	lines := strings.Split(strings.TrimSpace(csv.body), "\n")
	if len(lines) != 2101 || !strings.HasPrefix(csv.Header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("CSV: got %d lines", len(lines))
	}
	if !strings.Contains(lines[1], `,'@eve,test.hostile,+1,`+key+`,"'=cmd`) && !strings.Contains(lines[1], `,'@eve,test.hostile,+1,`+key+`,'=cmd`) {
		t.Errorf("a formula in the CSV: %s", lines[1])
	}
	nd := get("/admin/audit.ndjson?actor=%40eve")
	var line auditLine
	if err := json.Unmarshal([]byte(nd.body), &line); err != nil || line.Detail != hostile || line.Recipient != key || line.Actor != "@eve" {
		t.Errorf("NDJSON: got %q, %v", nd.body, err)
	}
}

func TestPHC(t *testing.T) {
	h := newHasher()
	good, err := h.hash(t.Context(), strings.NewReader("0123456789abcdef"), goodPassword)
	if err != nil || !strings.HasPrefix(good, "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$") {
		t.Fatalf("got %q, %v", good, err)
	}
	for password, want := range map[string]bool{goodPassword: true, goodPassword + " ": false, "": false} {
		if ok, old, err := h.verify(t.Context(), good, password); ok != want || old || err != nil {
			t.Errorf("%q: got %v, %v, %v", password, ok, old, err)
		}
	}
	for _, bad := range []string{"x", "$argon2i$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + strings.Repeat("A", 43), strings.Replace(good, "m=19456", "m=99999999", 1),
		strings.Replace(good, "t=2", "t=0", 1), strings.Replace(good, "v=19", "v=16", 1), good + "="} {
		if _, err := parsePHC(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	composed, decomposed := "caf\u00e9 caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301 cafe\u0301"
	hash, err := h.hash(t.Context(), strings.NewReader("0123456789abcdef"), composed)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, _ := h.verify(t.Context(), hash, decomposed); !ok {
		t.Error("the same password from another keyboard is refused")
	}
}

// A proxy in front may hide the peer; without the local, the peer counts.
func TestClient(t *testing.T) {
	d := newDesk(t)
	r := httptest.NewRequest("POST", "/admin/login", strings.NewReader("name=x&password=y"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Test-Client", "203.0.113.5")
	r.Header.Set("X-Forwarded-For", "6.6.6.6")
	res, err := d.app.Test(r, 60_000)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // nobody reads it
	if e := d.log()[0]; e.Network != "203.0.113.5" {
		t.Errorf("got %q", e.Network)
	}
}
