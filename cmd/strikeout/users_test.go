package main

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var startLink = regexp.MustCompile(`http://\S+(/admin/start/[A-Za-z0-9_-]{43})`)

func fetchText(t *testing.T, method, url string, form url.Values) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // a test reads it whole
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// A fresh service prints a link; by it the first administrator is made, and the
// next start prints none.
func TestSetupLink(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveHere(t, nil)
	m := startLink.FindStringSubmatch(s.out.String())
	if m == nil {
		t.Fatalf("no link in\n%s", s.out)
	}
	page := s.base + m[1]
	if code, body := fetchText(t, "GET", page, nil); code != 200 || !strings.Contains(body, "first administrator") {
		t.Fatalf("the link: got %d\n%s", code, body)
	}
	password := "correct horse battery"
	if code, body := fetchText(t, "POST", page, url.Values{"name": {"Anna@Example.com"}, "password": {password}, "again": {password}}); code != http.StatusSeeOther {
		t.Fatalf("got %d\n%s", code, body)
	}
	if code, _ := fetchText(t, "POST", page, url.Values{"name": {"eve@example.com"}, "password": {password}, "again": {password}}); code != http.StatusNotFound {
		t.Errorf("the link again: got %d", code)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	again := serveHere(t, nil)
	if startLink.MatchString(again.out.String()) {
		t.Error("the second start prints a link, too")
	}
	if strings.Contains(s.errs.String()+again.errs.String(), m[1][len("/admin/start/"):]) {
		t.Error("the link's secret is in the log")
	}
	strikeout(t, nil, "users", "list").want(t, 0, "anna@example.com  admin")
}

func TestUsersCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	serveHere(t, nil)
	add := strikeout(t, nil, "users", "add", "Bo@Example.com", "--role", "operator", "--public-url", "https://u.example.com")
	add.want(t, 0, "https://u.example.com/admin/start/")
	strikeout(t, nil, "users", "add", "bo@example.com").want(t, exitUsage, "there is a user of this name")
	strikeout(t, nil, "users", "add", "x", "--role", "root").want(t, exitUsage, "role")
	strikeout(t, nil, "users", "role", "bo@example.com", "admin").want(t, 0, "bo@example.com: admin")
	strikeout(t, nil, "users", "disable", "bo@example.com").want(t, 0, "locked out")
	strikeout(t, nil, "users", "reset-password", "bo@example.com").want(t, exitUsage, "strikeout users enable")
	strikeout(t, nil, "users", "enable", "BO@example.com").want(t, 0, "may sign in again")
	strikeout(t, nil, "users", "reset-password", "bo@example.com").want(t, 0, "/admin/start/")
	strikeout(t, nil, "users", "disable", "nobody@example.com").want(t, exitUsage, "there is no such user")
	strikeout(t, nil, "users", "list").want(t, 0, "bo@example.com  admin")
}

func TestAdminListen(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveHere(t, nil, "--admin-listen", "127.0.0.1:0", "--log-format", "json")
	m := regexp.MustCompile(`"msg":"desk","listen":"([^"]+)"`).FindStringSubmatch(s.errs.String())
	if m == nil {
		t.Fatalf("no desk in the log\n%s", s.errs)
	}
	if code, _ := fetchText(t, "GET", "http://"+m[1]+"/admin/login", nil); code != http.StatusOK {
		t.Errorf("the desk's own address: got %d", code)
	}
	if code, _ := fetchText(t, "GET", "http://"+m[1]+"/v1/openapi.yaml", nil); code != http.StatusNotFound {
		t.Errorf("the API at the desk's address: got %d", code)
	}
	if code, _ := fetchText(t, "GET", s.base+"/admin/login", nil); code != http.StatusNotFound {
		t.Errorf("the main address: got %d", code)
	}
}

func TestOIDCConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	for text, want := range map[string]string{
		"oidc: {issuer: https://id.example.com}":                                                     ":1: oidc: client_id: is missing",
		"oidc: {issuer: http://id.example.com, client_id: a}":                                        ":1: oidc: issuer: expected https",
		"oidc: {isuer: https://id.example.com, client_id: a}":                                        `did you mean "issuer"`,
		"oidc: {issuer: https://id.example.com, client_id: a, role: root}":                           "oidc.role: expected viewer, operator or admin",
		"oidc: {issuer: https://id.example.com, client_id: a, groups: {x: root}}":                    "oidc.groups.x: expected viewer, operator or admin",
		"oidc: {issuer: https://id.example.com, client_id: a, client_secret: \"${STRIKEOUT_NONE}\"}": "the variable STRIKEOUT_NONE is not set",
		"admin_url: desk.example.com":                                                                ":1: admin_url: expected a URL",
	} {
		writeFile(t, "strikeout.yaml", text+"\n")
		strikeout(t, nil, "serve", "--listen", "127.0.0.1:0").want(t, exitUsage, want)
	}
	writeFile(t, "strikeout.yaml", "admin_url: https://desk.example.com\noidc: {issuer: https://id.example.com, client_id: a, client_secret: \"${SECRET}\", title: Example ID, domains: example.com, groups: {admins: admin}, password_login: false}\n")
	s := serveHere(t, map[string]string{"SECRET": "s"})
	code, body := fetchText(t, "GET", s.base+"/admin/login", nil)
	if code != 200 || !strings.Contains(body, "Sign in with Example ID") || strings.Contains(body, `type="password"`) {
		t.Errorf("got %d\n%s", code, body)
	}
	if !strings.Contains(s.out.String(), "https://desk.example.com/admin/start/") {
		t.Errorf("the set-up link is not at admin_url:\n%s", s.out)
	}
	// Commands that serve nobody need no secret of the identity provider.
	strikeout(t, nil, "users", "list").want(t, 0, "NAME")
}
