package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// buffer can be written by one goroutine and read by another.
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

// result is what a command left behind.
type result struct {
	stdout, stderr string
	code           int
}

// strikeout runs the program in this process, in the working directory.
func strikeout(t *testing.T, vars map[string]string, args ...string) result {
	t.Helper()
	var out, errs buffer
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute) // for a service that should not have started
	defer cancel()
	err := run(ctx, args, &out, &errs, lookup(vars))
	code := exitCode(err, &errs)
	return result{out.String(), errs.String(), code}
}

func (r result) want(t *testing.T, code int, out string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.stdout+r.stderr, out) {
		t.Errorf("exit code %d, want %d with %q; stdout:\n%s\nstderr:\n%s", r.code, code, out, r.stdout, r.stderr)
	}
}

// until polls a condition; it fails the test after a generous deadline.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// served is serve in this process.
type served struct {
	base   string
	out    *buffer
	errs   *buffer
	stop   func() error // drains and returns what serve returned
	cancel context.CancelFunc
}

var listensOn = regexp.MustCompile(`strikeout listens on (http://\S+)`)

func serveHere(t *testing.T, vars map[string]string, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{out: &buffer{}, errs: &buffer{}, cancel: cancel}
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), s.out, s.errs, lookup(vars))
	}()
	var once sync.Once
	var err error
	s.stop = func() error {
		once.Do(func() { cancel(); err = <-done })
		return err
	}
	t.Cleanup(func() { _ = s.stop() }) //nolint:errcheck // looked at by whoever calls stop
	until(t, "serve listens", func() bool {
		select {
		case err := <-done:
			t.Fatalf("serve ended: %v\n%s", err, s.errs)
		default:
		}
		m := listensOn.FindStringSubmatch(s.out.String())
		if m != nil {
			s.base = m[1]
		}
		return m != nil
	})
	until(t, "serve is ready", func() bool {
		resp, err := http.Get(s.base + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close() //nolint:errcheck // only the status matters
		return resp.StatusCode == http.StatusOK
	})
	return s
}

func TestHelp(t *testing.T) {
	top := strikeout(t, nil, "--help")
	top.want(t, 0, "strikeout demo")
	commands := []string{"serve", "demo", "migrate", "doctor", "fsck", "replay", "providers", "simulate", "dsn", "check", "link", "token inspect", "keys", "keys api new", "version"}
	for _, c := range commands {
		r := strikeout(t, nil, append(strings.Fields(c), "--help")...)
		r.want(t, 0, "strikeout "+c)
		if !strings.Contains(top.stdout, strings.Fields(c)[0]) {
			t.Errorf("--help does not name %s", c)
		}
	}
	strikeout(t, nil).want(t, 0, "Usage: strikeout <command>")
	strikeout(t, nil, "version").want(t, 0, "strikeout ")
	strikeout(t, nil, "serv").want(t, exitUsage, `strikeout: unexpected argument serv, did you mean one of "serve", "users"?`)
	strikeout(t, nil, "check").want(t, exitUsage, `strikeout: expected "<address> ..."`)
	strikeout(t, nil, "serve", "--lisen", "x").want(t, exitUsage, "--listen")
}

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{errNo, exitNo, ""},
		{&configError{where: "a.yaml:3", key: "listen", reason: "expected x"}, exitUsage, "strikeout: a.yaml:3: listen: expected x\n"},
		{fmt.Errorf("serve: %w", usage("no")), exitUsage, "strikeout: serve: no\n"},
		{errors.New("the disk\nis full"), exitNow, "strikeout: the disk is full\n"},
		{&exitError{exitTemp, errors.New("later")}, 75, "strikeout: later\n"},
	} {
		var b bytes.Buffer
		if got := exitCode(tt.err, &b); got != tt.code || b.String() != tt.text {
			t.Errorf("%v: got %d %q, want %d %q", tt.err, got, b.String(), tt.code, tt.text)
		}
	}
}

func TestProvidersCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	strikeout(t, nil, "providers").want(t, 0, "postmark")
	strikeout(t, nil, "providers", "--json").want(t, 0, `"name": "postmark"`)
	strikeout(t, nil, "providers", "postmrk").want(t, exitUsage, `did you mean "postmark"?`)
	r := strikeout(t, map[string]string{"STRIKEOUT_PUBLIC_URL": "https://hooks.example.com/x"}, "providers", "postmark")
	for _, part := range []string{"https://hooks.example.com/x/webhooks/postmark/THE_PATH_SECRET", `path_secret: "${POSTMARK_SECRET}"`, "Events to tick: Bounce",
		"strikeout simulate postmark hard", "tries again for 10h30m", "Known gaps"} {
		r.want(t, 0, part)
	}
	if strings.Contains(r.stdout, "{url}") {
		t.Error("the steps show {url}")
	}
}

// Zero configuration: fresh keys, tables and a service; then every command that
// looks at them.
func TestServeWithoutConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	strikeout(t, nil, "link", "nobody@example.com").want(t, exitUsage, "there is no address key yet")
	strikeout(t, nil, "doctor").want(t, 0, "does not exist yet")
	s := serveHere(t, nil)
	for _, name := range []string{"address.key", "keys.yaml", "strikeout.db"} {
		info, err := os.Stat(filepath.Join("strikeout-data", name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v, want mode 0600", name, info, err)
		}
	}
	link := strings.TrimSpace(strikeout(t, nil, "link", "Nobody@Example.com", "--send-out", "spring", "--public-url", s.base).stdout)
	if !strings.HasPrefix(link, s.base+"/u/") || strings.ContainsAny(link, " \n") {
		t.Fatalf("link: got %q, want the URL alone", link)
	}
	strikeout(t, nil, "link", "+15555550100", "--headers", "--public-url", "https://u.example.com").want(t, 0, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n")
	strikeout(t, nil, "link", "nobody").want(t, exitUsage, "address: not a valid address")
	strikeout(t, nil, "link", "nobody@example.com", "--send-out", "two words").want(t, exitUsage, "link:")
	strikeout(t, nil, "token", "inspect", link).want(t, 0, "send-out spring")
	strikeout(t, nil, "token", "inspect", "<"+link+">, <mailto:u@example.com>").want(t, 0, "send-out spring")
	strikeout(t, nil, "token", "inspect", link+"x").want(t, exitNo, "valid    no:")
	strikeout(t, nil, "token", "inspect", "rubbish").want(t, exitNo, "claims   (missing)")

	strikeout(t, nil, "check", "nobody@example.com").want(t, 0, "nobody@example.com\tok (not known)")
	resp, err := http.Post(link, "", nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("click: %v %v", resp, err)
	}
	resp.Body.Close() //nolint:errcheck // only the status matters
	strikeout(t, nil, "check", "fine@example.com", "nobody@example.com").want(t, exitNo, "nobody@example.com\topted out since ")
	strikeout(t, nil, "check", "--purpose", "transactional", "nobody@example.com").want(t, 0, "opted out since")
	strikeout(t, nil, "check", "fine@example.com", "nobody").want(t, exitUsage, "address 2: address: not a valid address")
	if r := strikeout(t, nil, "check", "-q", "nobody@example.com"); r.code != exitNo || r.stdout+r.stderr != "" {
		t.Errorf("check -q: got %+v", r)
	}
	strikeout(t, nil, "fsck").want(t, 0, "1 addresses, 1 events, 0 differences, 0 repaired")
	strikeout(t, nil, "doctor").want(t, 0, "durability     a commit is on disk")
	strikeout(t, nil, "migrate").want(t, 0, "the tables are up to date")
	strikeout(t, nil, "replay").want(t, 0, "0 requests")
	strikeout(t, nil, "keys", "address").want(t, 0, "strikeout-data/address.key")
	if err := s.stop(); err != nil {
		t.Errorf("serve ended with %v", err)
	}
	for _, secret := range []string{"obody@", link[len(s.base)+3:]} {
		if strings.Contains(s.errs.String(), secret) {
			t.Error("an address or a token reached the log")
		}
	}
	// The same keys and states after a restart.
	serveHere(t, nil)
	strikeout(t, nil, "check", "nobody@example.com").want(t, exitNo, "opted out since")
}

func TestLostKeysAreNotReplaced(t *testing.T) {
	t.Chdir(t.TempDir())
	strikeout(t, nil, "migrate").want(t, 0, "made strikeout-data/address.key: back it up")
	s := serveHere(t, nil)
	link := strings.TrimSpace(strikeout(t, nil, "link", "nobody@example.com", "--public-url", s.base).stdout)
	resp, err := http.Post(link, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close() //nolint:errcheck // only that it was stored matters
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(filepath.Join("strikeout-data", from), filepath.Join("strikeout-data", to)); err != nil {
			t.Fatal(err)
		}
	}
	move("keys.yaml", "saved.yaml")
	strikeout(t, nil, "serve", "--listen", "127.0.0.1:0").want(t, exitUsage, "strikeout: token_keys_file: the database is in use, and strikeout-data/keys.yaml is missing")
	move("saved.yaml", "keys.yaml")
	move("address.key", "saved.key")
	strikeout(t, nil, "serve", "--listen", "127.0.0.1:0").want(t, exitUsage, "strikeout: address_key: the database is in use")
	strikeout(t, nil, "migrate").want(t, exitUsage, "restore it from the backup")
	for _, name := range []string{"address.key"} {
		if _, err := os.Stat(filepath.Join("strikeout-data", name)); err == nil {
			t.Errorf("%s was made anew", name)
		}
	}
	// Another key than the database's is refused wherever it is used.
	wrong := map[string]string{"STRIKEOUT_ADDRESS_KEY": testKey}
	for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"check", "nobody@example.com"}, {"fsck"}} {
		strikeout(t, wrong, args...).want(t, exitUsage, "this address key does not belong to this database")
	}
	strikeout(t, wrong, "doctor").want(t, exitNo, "is not the one that this database was filled with")
	move("saved.key", "address.key")
	strikeout(t, nil, "check", "nobody@example.com").want(t, exitNo, "opted out")
}

func TestKeysCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	strikeout(t, nil, "keys", "list").want(t, exitUsage, "there is no key that signs links yet")
	s := serveHere(t, nil)
	old := strings.TrimSpace(strikeout(t, nil, "link", "nobody@example.com", "--public-url", s.base).stdout)
	id := regexp.MustCompile(`key\s+(\S+) \(HS256, active\)`).FindStringSubmatch(strikeout(t, nil, "token", "inspect", old).stdout)
	if id == nil {
		t.Fatal("token inspect names no key")
	}
	strikeout(t, nil, "keys", "confirm", id[1]).want(t, exitUsage, "rotate first")
	strikeout(t, nil, "keys", "new").want(t, 0, "it verifies only")
	strikeout(t, nil, "keys", "rotate").want(t, 0, "signs new links")
	strikeout(t, nil, "token", "inspect", old).want(t, 0, "(HS256, verify)")
	strikeout(t, nil, "keys", "confirm", id[1]).want(t, 0, "after the page was seen")
	strikeout(t, nil, "token", "inspect", old).want(t, 0, "may have leaked")
	strikeout(t, nil, "keys", "revoke", id[1]).want(t, 0, "do not work any more")
	strikeout(t, nil, "token", "inspect", old).want(t, exitNo, "revoked")
	strikeout(t, nil, "keys", "revoke", "nokey").want(t, exitUsage, "no such key")
	strikeout(t, nil, "keys", "list").want(t, 0, "its links do not work")
	// The service notices by itself.
	until(t, "the service revokes the key", func() bool {
		resp, err := http.Get(old)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // only the status matters
		return resp.StatusCode == http.StatusNotFound
	})
	writeFile(t, "agency.pem", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n")
	strikeout(t, nil, "keys", "new", "--public", "agency.pem").want(t, exitUsage, "--id: is missing")
	strikeout(t, nil, "keys", "new", "--public", "agency.pem", "--id", "agency").want(t, 0, "agency: added; links that its owner signs work")
	strikeout(t, nil, "keys", "rotate", "agency").want(t, exitUsage, "private key is missing")
	if got := strikeout(t, nil, "keys", "list"); !regexp.MustCompile(`agency +EdDSA +verify +\S+ +- +its links work`).MatchString(got.stdout) {
		t.Errorf("links of an outside key: got\n%s", got.stdout)
	}
	strikeout(t, nil, "keys", "revoke", "agency").want(t, 0, "nobody counts them")
	strikeout(t, nil, "keys", "list").want(t, 0, "EdDSA")
}

func TestAPIKeysCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveHere(t, nil)
	strikeout(t, nil, "keys", "api", "new", "crm", "--scopes", "read,everything").want(t, exitUsage, "--scopes: expected some of read, mint, write, admin")
	r := strikeout(t, nil, "keys", "api", "new", "crm", "--scopes", "read,mint")
	r.want(t, 0, "so_live_")
	key := strings.TrimSpace(r.stdout)
	ask := func() int {
		req, err := http.NewRequest("GET", s.base+"/v1/recipients/email/nobody@example.com", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // only the status matters
		return resp.StatusCode
	}
	until(t, "the key works", func() bool { return ask() == http.StatusOK })
	strikeout(t, nil, "keys", "api", "new", "crm", "--scopes", "read").want(t, exitUsage, "name: there is a key of this name")
	r = strikeout(t, nil, "keys", "api", "list")
	r.want(t, 0, "read,mint")
	if strings.Contains(r.stdout, "so_live_") {
		t.Error("the list shows a key")
	}
	strikeout(t, nil, "keys", "api", "revoke", "nobody").want(t, exitUsage, "there is no such key")
	strikeout(t, nil, "keys", "api", "revoke", "crm").want(t, 0, "refused from now on")
	until(t, "the key is refused", func() bool { return ask() == http.StatusUnauthorized })
}

func TestStartIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "strikeout.yaml", "endpoints:\n  mail:\n    provider: mailersend\n")
	strikeout(t, nil, "serve", "--listen", "127.0.0.1:0").want(t, exitUsage, "strikeout: strikeout.yaml:3: endpoints.mail.signing_secret: required")
	if _, err := os.Stat("strikeout-data"); err == nil {
		t.Error("a refused start left data behind")
	}
	writeFile(t, "strikeout.yaml", "public_url: http://u.example.com\n")
	strikeout(t, nil, "serve", "--listen", "127.0.0.1:0").want(t, exitUsage, "strikeout: strikeout.yaml:1: public_url: ")
	writeFile(t, "strikeout.yaml", "pages: {help_url: \"ftp://x\"}\n")
	strikeout(t, nil, "serve", "--listen", "127.0.0.1:0").want(t, exitUsage, "strikeout: strikeout.yaml:1: pages: ")
	writeFile(t, "own/texts/fi.json", "{\n\"done.titel\": \"Valmis\"}")
	writeFile(t, "strikeout.yaml", "pages: {dir: own}\n")
	strikeout(t, nil, "serve", "--listen", "127.0.0.1:0").want(t, exitUsage, "strikeout: strikeout.yaml:1: pages: texts/fi.json: unknown: done.titel")
	writeFile(t, "strikeout.yaml", "")
	writeFile(t, "strikeout-data/keys.yaml", "keys:\n  - {id: short, alg: HS256, state: active, secret: c2hvcnQ=}\n")
	r := strikeout(t, nil, "serve", "--listen", "127.0.0.1:0")
	r.want(t, exitUsage, `key "short": the secret is shorter than 32 bytes`)
	if strings.Contains(r.stderr, "c2hvcnQ") {
		t.Error("the error shows the secret")
	}
}

// Unsigned endpoints and settings without effect are named at every start.
func TestStartWarns(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "strikeout.yaml", "spool_limit: 1GiB\nendpoints:\n  mail: {provider: postmark, unsigned: true}\n  bounces: {provider: dsn, path_secret: 0123456789abcdef}\n")
	s := serveHere(t, nil)
	for _, want := range []string{"strikeout.yaml:1: spool_limit: there is no spool without", `endpoint \"mail\": UNSIGNED`, `endpoint \"bounces\": a bounce mail can be forged`} {
		if !strings.Contains(s.errs.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, s.errs)
		}
	}
	strikeout(t, nil, "doctor").want(t, 0, "UNSIGNED")
}

func TestListenTaken(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveHere(t, nil)
	taken := strings.TrimPrefix(s.base, "http://")
	strikeout(t, nil, "serve", "--listen", taken).want(t, exitNow, "strikeout: listen: ")
	strikeout(t, nil, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", taken).want(t, exitNow, "strikeout: metrics_listen: ")
	for _, url := range []string{"mysql://user:hunter2@nowhere", "mysql://user:hunter2@tcp(127.0.0.1:1)/x?bogus=%zz", "mysql://hunter2"} {
		vars := map[string]string{"STRIKEOUT_DATABASE": url, "STRIKEOUT_ADDRESS_KEY": testKey}
		if r := strikeout(t, vars, "check", "a@example.com"); r.code < exitUsage || strings.Contains(r.stderr, "hunter2") {
			t.Errorf("%d: %s", r.code, r.stderr)
		}
	}
}

func TestMetricsListen(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveHere(t, nil, "--metrics-listen", "127.0.0.1:0", "--log-format", "json")
	m := regexp.MustCompile(`"msg":"metrics","listen":"([^"]+)"`).FindStringSubmatch(s.errs.String())
	if m == nil {
		t.Fatalf("the log does not say where the metrics are:\n%s", s.errs)
	}
	for url, want := range map[string]int{"http://" + m[1] + "/metrics": 200, s.base + "/metrics": 404, "http://" + m[1] + "/u/x": 404} {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close() //nolint:errcheck // only the status matters
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", url, resp.StatusCode, want)
		}
	}
}
