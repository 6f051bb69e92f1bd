package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/all"
	"github.com/strikeout/strikeout/recipient"
)

// testKey is an address key for tests.
var testKey = base64.StdEncoding.EncodeToString([]byte("0123456789abcdef-test-only-0123456"))

func noEnv(string) string { return "" }

func lookup(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestConfigErrors(t *testing.T) {
	const header = "listen: 127.0.0.1:1\n" // so that line 1 is not the answer to everything
	hash := strings.Repeat("ab", 32)
	tests := []struct {
		name, yaml string
		want       string // after the file's name
	}{
		{"unknown key", "pubic_url: https://u.example.com", `:2: pubic_url: unknown key, did you mean "public_url"?`},
		{"hyphen", "data-dir: x", `:2: data-dir: unknown key, did you mean "data_dir"?`},
		{"far off", "colour: red", `:2: colour: unknown key, expected one of listen, `},
		{"twice", "listen: 127.0.0.1:2", `:2: listen: stands twice; the first is on line 1`},
		{"not YAML", "endpoints: [", `: not valid YAML: `},
		{"two documents", "---\nlisten: x", `: expected one YAML document`},
		{"list for text", "public_url: [a, b]", `:2: public_url: expected a URL such as https://u.example.com, not a list`},
		{"empty", "public_url:", `:2: public_url: is empty; expected a URL`},
		{"no scheme", "public_url: u.example.com", `:2: public_url: expected a URL`},
		{"query", "public_url: https://u.example.com/?a=b", `:2: public_url: expected a URL`},
		{"database", "database: postgres://x", `:2: database: expected mysql://user:password@tcp(host:3306)/name or sqlite:path/to/file.db`},
		{"database without a name", "database: mysql://u:so_live_secret@tcp(db)/", `:2: database: the database URL is not mysql://user:password@tcp(host:3306)/name`},
		{"unsafe database", "database: mysql://u:so_live_secret@tcp(db)/s?allowAllFiles=true", `:2: database: the database URL sets an unsafe option`},
		{"database in memory", "database: \"sqlite::memory:\"", `:2: database: the database URL names no file`},
		{"port", "metrics_listen: 127.0.0.1:99999", `:2: metrics_listen: expected host:port such as 127.0.0.1:8080`},
		{"listen", "admin_listen: localhost", `:2: admin_listen: expected host:port such as 127.0.0.1:8080`},
		{"region", "default_region: Finland", `:2: default_region: expected the two letters of a country, such as FI`},
		{"no region", "default_region: XX", `:2: default_region: expected the two letters`},
		{"retention kind", "retention: {deliverd: 90d}", `:2: retention.deliverd: unknown key, did you mean "delivered"?`},
		{"retention time", "retention: {delivered: 90 days}", `:2: retention.delivered: expected a duration such as 30s, 24h or 90d`},
		{"retention hour", "retention: {delivered: 1h}", `:2: retention.delivered: expected at least 1d, or forever`},
		{"proxies", "trusted_proxies:\n  - 10.0.0.0/8\n  - 10.0.0.0/99", `:4: trusted_proxies[1]: expected addresses such as 10.0.0.0/8`},
		{"level", "log_level: loud", `:2: log_level: expected debug, info, warn or error`},
		{"format", "log_format: xml", `:2: log_format: expected text or json`},
		{"boolean", "migrate: maybe", `:2: migrate: expected true or false`},
		{"variable", "database: mysql://u:${DB_PASSWORD}@tcp(db)/s", `:2: database: the variable DB_PASSWORD is not set`},
		{"half a variable", "database: mysql://u:${DB-PW}@tcp(db)/s", `:2: database: expected ${NAME} with the name of a variable`},
		{"key without name", "api_keys: [{scopes: [read], sha256: \"" + hash + "\"}]", `:2: api_keys[0]: name: is missing`},
		{"key scope", "api_keys: [{name: crm, scopes: [reed], sha256: \"" + hash + "\"}]", `:2: api_keys[0].scopes: expected some of read, mint, write, admin`},
		{"key hash", "api_keys: [{name: crm, scopes: [read], sha256: so_live_secret}]", `:2: api_keys[0].sha256: expected 64 hex digits`},
		{"key without hash", "api_keys: [{name: crm, scopes: read}]", `:2: api_keys[0]: sha256: is missing`},
		{"key key", "api_keys:\n  - name: crm\n    scope: read", `:4: api_keys[0].scope: unknown key, did you mean "scopes"?`},
		{"two keys", "api_keys:\n  - {name: crm, scopes: read, sha256: " + hash + "}\n  - {name: crm, scopes: read, sha256: " + hash + "}", `:4: api_keys[1]: name: another key has the same`},
		{"one key twice", "api_keys:\n  - {name: crm, scopes: read, sha256: " + hash + "}\n  - {name: desk, scopes: write, sha256: " + hash + "}", `:4: api_keys[1]: sha256: another key has the same`},
		{"small spool", "spool: x\nspool_limit: 1MiB", `:3: spool_limit: expected a number of bytes such as 2MiB, at least 67108864`},
		{"spool unit", "spool: x\nspool_limit: 99999999999GiB", `:3: spool_limit: expected a number of bytes such as 2MiB, at least`},
		{"spool list", "spool: [a, b]", `:2: spool: expected a directory`},
		{"evidence", "evidence: [ip, fingerprint]", `:2: evidence[1]: expected some of ip, user_agent`},
		{"pages", "pages: {sendr: x}", `:2: pages.sendr: unknown key, did you mean "sender"?`},
		{"pages folder", "pages: {dir: none}", `:2: pages.dir: is no folder that can be read`},
		{"logo", "pages: {logo: none.png}", `:2: pages.logo: cannot read the file`},
		{"endpoint list", "endpoints: [postmark]", `:2: endpoints: expected endpoints such as`},
		{"endpoint name", "endpoints: {\"a/b\": {provider: postmark}}", `:2: endpoints.a/b: expected a name of at most 64`},
		{"no provider", "endpoints:\n  mail: {path_secret: abcdefgh12345678}", `:3: endpoints.mail: provider: is missing`},
		{"provider", "endpoints:\n  mail: {provider: postmrk}", `:3: endpoints.mail.provider: unknown provider, did you mean "postmark"?`},
		{"no secret", "endpoints:\n  mail:\n    provider: postmark", `:3: endpoints.mail: Postmark signs nothing, so the endpoint needs path_secret or basic_auth`},
		{"no signing secret", "endpoints:\n  mail:\n    provider: mailersend", `: endpoints.mail.signing_secret: required; without it requests cannot be told from forged ones`},
		{"empty secret", "endpoints:\n  mail: {provider: mailersend, signing_secret: \"\"}", `:3: endpoints.mail.signing_secret: is empty`},
		{"empty in rotation", "endpoints:\n  mail: {provider: mailersend, signing_secret: [abc, \"\"]}", `:3: endpoints.mail.signing_secret[1]: is empty`},
		{"setting", "endpoints:\n  mail:\n    provider: mailersend\n    signing_secrt: abc", `:5: endpoints.mail.signing_secrt: unknown key, did you mean "signing_secret"?`},
		{"basic auth", "endpoints:\n  mail: {provider: postmark, basic_auth: password}", `:3: endpoints.mail.basic_auth: expected "user:password"`},
		{"path secret", "endpoints:\n  mail: {provider: postmark, path_secret: \"a/b\"}", `:3: endpoints.mail.path_secret: expected A-Z`},
		{"max age", "endpoints:\n  mail: {provider: postmark, path_secret: abcdefgh, max_age: -1h}", `:3: endpoints.mail.max_age: expected a duration`},
		{"body limit", "endpoints:\n  mail: {provider: postmark, path_secret: abcdefgh, body_limit: 1GiB}", `:3: endpoints.mail.body_limit: expected a number of bytes such as 2MiB`},
		{"url", "endpoints:\n  mail: {provider: postmark, path_secret: abcdefgh, url: /webhooks/mail}", `:3: endpoints.mail.url: expected the address as it is entered at the provider`},
		{"unsigned", "endpoints:\n  mail: {provider: postmark, unsigned: sure}", `:3: endpoints.mail.unsigned: expected true or false`},
		{"certificates", "endpoints:\n  mail: {provider: scaleway, topics: [arn], certificates: [none.pem]}", `:3: endpoints.mail.certificates[0]: cannot read the file`},
		{"secret variable", "endpoints:\n  mail: {provider: postmark, path_secret: \"${MAIL_SECRET}\"}", `:3: endpoints.mail.path_secret: the variable MAIL_SECRET is not set`},
		{"address key", "address_key: c2hvcnQ=", `:2: address_key: expected 32 random bytes in base64`},
		{"constant address key", "address_key: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", `:2: address_key: expected 32 random bytes`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := writeFile(t, filepath.Join(t.TempDir(), "strikeout.yaml"), header+tt.yaml+"\n")
			err := loadWhole(name)
			if err == nil {
				t.Fatal("it was accepted")
			}
			got, ok := strings.CutPrefix(err.Error(), name)
			if !ok || !strings.Contains(got, tt.want) || !strings.HasPrefix(tt.want, ": endpoints") && !strings.HasPrefix(tt.want, ": not valid") && !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want the file and %q", got, tt.want)
			}
			if strings.Contains(err.Error(), "so_live_secret") || strings.Contains(err.Error(), "c2hvcnQ") {
				t.Errorf("the error quotes a secret: %v", err)
			}
		})
	}
}

// loadWhole reads everything that a command may need.
func loadWhole(file string) error {
	c, err := loadConfig(file, nil, noEnv)
	if err != nil {
		return err
	}
	if _, err := c.addressKey(); err != nil {
		return err
	}
	endpoints, err := c.endpoints()
	for _, ep := range endpoints {
		if err == nil {
			_, err = ep.build(nil)
		}
	}
	return err
}

func TestConfigIsReadWhole(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "certs", "a.pem"), "first")
	name := writeFile(t, filepath.Join(dir, "strikeout.yaml"), `
listen: 127.0.0.1:9
metrics_listen: 127.0.0.1:10
public_url: https://example.com/mail/
database: sqlite:data/s.db
data_dir: data
address_key: ${KEY}
token_keys_file: keys.yaml
default_region: fi
retention: {delivered: 30d, complaint: forever}
trusted_proxies: [10.1.2.3/8, "::1"]
api_keys: [{name: crm, scopes: [read, mint], sha256: "`+strings.Repeat("0f", 32)+`"}]
pages: {sender: Acme Oy, dir: certs}
drain_wait: 5s
evidence: [ip, user_agent]
endpoints:
  b: {provider: postmark, basic_auth: ["u:p", "u:${PART}$${x}"], max_age: 1d12h, url: "https://x.example.com/hook", body_limit: 64KiB}
  a: &a {provider: scaleway, topics: arn, certificates: certs/a.pem}
  c: *a
`)
	c, err := loadConfig(name, nil, lookup(map[string]string{"KEY": testKey, "PART": "p${not again}"}))
	if err != nil {
		t.Fatal(err)
	}
	if c.listen != "127.0.0.1:9" || c.metricsListen != "127.0.0.1:10" || c.publicURL != "https://example.com/mail" || c.pages.BasePath != "/mail" ||
		c.database != "sqlite:"+filepath.Join(dir, "data/s.db") || c.dataDir != filepath.Join(dir, "data") || c.tokenKeysFile != filepath.Join(dir, "keys.yaml") ||
		c.defaultRegion != "FI" || c.drainWait != 5*time.Second || c.pages.Sender != "Acme Oy" || !c.migrate || !c.evidence.IP || !c.evidence.UserAgent {
		t.Errorf("got %+v", c)
	}
	want := map[recipient.Kind]time.Duration{recipient.Delivered: 30 * 24 * time.Hour, recipient.SoftBounce: 90 * 24 * time.Hour}
	if d := cmp.Diff(want, c.retention); d != "" {
		t.Errorf("retention (-want +got):\n%s", d)
	}
	if len(c.trustedProxies) != 2 || c.trustedProxies[0].String() != "10.0.0.0/8" || c.trustedProxies[1].String() != "::1/128" {
		t.Errorf("proxies: got %v", c.trustedProxies)
	}
	if len(c.apiKeys) != 1 || c.apiKeys[0].SHA256[31] != 0x0f {
		t.Errorf("API keys: got %v", c.apiKeys)
	}
	key, from, err := c.savedAddressKey()
	if err != nil || base64.StdEncoding.EncodeToString(key) != testKey || from != name+":7" {
		t.Errorf("address key: from %q, %v", from, err)
	}
	eps, err := c.endpoints()
	if err != nil {
		t.Fatal(err)
	}
	if len(eps) != 3 || eps[0].name != "a" || eps[0].settings.Get("certificates", "") != "first" || eps[2].settings.Get("topics", "") != "arn" {
		t.Errorf("endpoints: got %d", len(eps))
	}
	b := eps[1]
	if d := cmp.Diff([]string{"u:p", "u:p${not again}${x}"}, b.settings.All("basic_auth")); d != "" {
		t.Errorf("variables are filled in once (-want +got):\n%s", d)
	}
	if b.maxAge != 36*time.Hour || b.url != "https://x.example.com/hook" || b.bodyLimit != 64<<10 {
		t.Errorf("endpoint b: got %+v", b)
	}
}

func TestPrecedence(t *testing.T) {
	name := writeFile(t, filepath.Join(t.TempDir(), "strikeout.yaml"), "listen: 127.0.0.1:1\ndata_dir: file\ntrusted_proxies: 10.0.0.0/8\n")
	vars := map[string]string{"STRIKEOUT_LISTEN": "127.0.0.1:2", "STRIKEOUT_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1"}
	for _, tt := range []struct {
		what   string
		vars   map[string]string
		flags  map[string]string
		listen string
		origin string
	}{
		{"file", nil, nil, "127.0.0.1:1", name + ":1"},
		{"variable", vars, nil, "127.0.0.1:2", "STRIKEOUT_LISTEN"},
		{"flag", vars, map[string]string{"listen": "127.0.0.1:3"}, "127.0.0.1:3", "--listen"},
	} {
		c, err := loadConfig(name, tt.flags, lookup(tt.vars))
		if err != nil {
			t.Fatal(err)
		}
		if c.listen != tt.listen || c.said("listen") != tt.origin {
			t.Errorf("%s: got %s from %s, want %s from %s", tt.what, c.listen, c.said("listen"), tt.listen, tt.origin)
		}
		if want := 1 + len(tt.vars)/2; len(c.trustedProxies) != want {
			t.Errorf("%s: got %d proxies, want %d", tt.what, len(c.trustedProxies), want)
		}
	}
	// Paths of a flag are relative to the working directory, those of the file to the file.
	c, err := loadConfig(name, map[string]string{"database": "sqlite:here.db"}, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if c.database != "sqlite:here.db" || c.dataDir != filepath.Join(filepath.Dir(name), "file") {
		t.Errorf("paths: got %s and %s", c.database, c.dataDir)
	}
	_, err = loadConfig(name, nil, lookup(map[string]string{"STRIKEOUT_LISTEN": "nowhere"}))
	if err == nil || err.Error() != "STRIKEOUT_LISTEN: listen: expected host:port such as 127.0.0.1:8080" {
		t.Errorf("a wrong variable: got %v", err)
	}
}

func TestConfigFileIsFound(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := loadConfig("", nil, noEnv)
	if err != nil || c.file != "" || c.database != "sqlite:strikeout-data/strikeout.db" || c.publicURL != "http://127.0.0.1:8080" {
		t.Fatalf("without a file: got %+v, %v", c, err)
	}
	if _, err := loadConfig("other.yaml", nil, noEnv); err == nil || !strings.Contains(err.Error(), "other.yaml: no such file") {
		t.Errorf("a file that is named must exist: got %v", err)
	}
	writeFile(t, "strikeout.yaml", "listen: 0.0.0.0:7\n")
	c, err = loadConfig("", nil, noEnv)
	if err != nil || c.listen != "0.0.0.0:7" || c.publicURL != "http://127.0.0.1:7" {
		t.Errorf("./strikeout.yaml: got %+v, %v", c, err)
	}
	if err := os.Mkdir("folder.yaml", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := loadConfig("folder.yaml", nil, noEnv); err == nil || !strings.Contains(err.Error(), "folder.yaml: is a directory, expected a YAML file") {
		t.Errorf("a directory: got %v", err)
	}
	writeFile(t, "empty.yaml", "# nothing\n")
	if _, err := loadConfig("empty.yaml", nil, noEnv); err != nil {
		t.Errorf("an empty file: got %v", err)
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{"0": 0, "90d": 90 * 24 * time.Hour, "1w": 168 * time.Hour, "1w2d3h": 219 * time.Hour, "1d12h": 36 * time.Hour, "250ms": 250 * time.Millisecond} {
		if got, ok := parseDuration(s); !ok || got != want {
			t.Errorf("%s: got %s %v, want %s", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "d", "-1d", "1.5d", "1d-2h", "2h1d", "90", "999999999999w", "4294967295w", "1d 2h"} {
		if got, ok := parseDuration(s); ok {
			t.Errorf("%q: got %s, want none", s, got)
		}
	}
}

// unsigned: true holds, whatever secrets the endpoint still has.
func TestUnsignedChecksNoSignature(t *testing.T) {
	for _, info := range all.Infos() {
		settings, err := info.Simulate.Settings(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		others, err := info.Simulate.Settings(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		settings.Unsigned = true
		ep, err := newEndpoint("mail", info, settings, nil)
		if err != nil {
			t.Fatal(err)
		}
		sample := info.Simulate.Samples[0]
		to := "nobody@example.com"
		if sample.Channel == recipient.SMS || sample.Channel == "" && info.Channels[0] == recipient.SMS {
			to = "+12005550100"
		}
		r, err := sample.Build(providers.Shot{Settings: others, URL: "https://u.example.com/webhooks/mail", To: to, ID: "1", At: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if err := ep.Adapter.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: signed by another: %v", info.Name, err)
		}
		if got := unverified(info, settings).All("topics"); len(got) != len(settings.All("topics")) {
			t.Errorf("%s: no subscription can be confirmed: %d topics are left", info.Name, len(got))
		}
		if len(ep.Secrets) != len(settings.Confidential()) {
			t.Errorf("%s: what is kept of a request may hold a secret", info.Name)
		}
	}
}

func TestWarnings(t *testing.T) {
	name := writeFile(t, filepath.Join(t.TempDir(), "strikeout.yaml"), `
endpoints:
  open: {provider: postmark, unsigned: true}
  half: {provider: mailersend, unsigned: true, path_secret: 0123456789abcdef, signing_secret: abc}
  short: {provider: postmark, path_secret: abc}
  fine: {provider: postmark, path_secret: 0123456789abcdef}
  bounces: {provider: dsn, path_secret: 0123456789abcdef}
  guarded: {provider: dsn, path_secret: 0123456789abcdef, verp_secret: 0123456789abcdef}
  kumo: {provider: kumomta, path_secret: 0123456789abcdef}
`)
	c, err := loadConfig(name, nil, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	eps, err := c.endpoints()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"fine": nil, "guarded": nil, "bounces": {"set verp_secret"}, "kumo": {"set verp_secret"}, "half": {"the signatures of MailerSend are not checked", "signing_secret is set but not used"},
		"open": {"nothing proves who posts here"}, "short": {"path_secret is short"}}
	for _, ep := range eps {
		got := ep.warnings()
		if len(got) != len(want[ep.name]) {
			t.Errorf("%s: got %q", ep.name, got)
			continue
		}
		for i, w := range want[ep.name] {
			if !strings.Contains(got[i], w) || !strings.Contains(got[i], `endpoint "`+ep.name+`"`) {
				t.Errorf("%s: got %q, want %q", ep.name, got[i], w)
			}
		}
	}
}

func TestLogFormats(t *testing.T) {
	for format, want := range map[string]string{"text": "level=WARN msg=x", "json": `"level":"WARN","msg":"x"`} {
		var b bytes.Buffer
		e := &env{stderr: &b}
		log := e.logger(&config{logFormat: format, logLevel: slog.LevelWarn})
		log.Info("not this")
		log.Warn("x")
		if !strings.Contains(b.String(), want) || strings.Contains(b.String(), "not this") {
			t.Errorf("%s: got %q", format, b.String())
		}
	}
}

func TestDatabaseTextHidesThePassword(t *testing.T) {
	for url, want := range map[string]string{
		"mysql://u:p@ss:w@tcp(db:3306)/s?tls=true": "mysql tcp(db:3306)/s", "mysql://unix(/run/my.sock)/s": "mysql unix(/run/my.sock)/s", "sqlite:a/b.db": "sqlite a/b.db"} {
		if got := databaseText(url); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
