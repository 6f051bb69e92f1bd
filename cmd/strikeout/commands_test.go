package main

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers/all"
	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
)

// What simulate prints with --new-secrets is a configuration for which it can
// sign, of every provider.
func TestSimulate(t *testing.T) {
	t.Chdir(t.TempDir())
	strikeout(t, nil, "simulate", "postmark", "hard").want(t, exitUsage, "has no endpoint of provider postmark")
	var y strings.Builder
	y.WriteString("endpoints:\n")
	for _, info := range all.Infos() {
		r := strikeout(t, nil, "simulate", info.Name, "--new-secrets")
		r.want(t, 0, "provider: "+info.Name)
		y.WriteString(strings.TrimPrefix(r.stdout, "endpoints:\n"))
	}
	writeFile(t, "strikeout.yaml", y.String())
	s := serveHere(t, nil)
	url := func(name string) string { return s.base + "/webhooks/" + name }
	for _, info := range all.Infos() {
		// Where the provider signs the address, public_url has to be what simulate calls.
		strikeout(t, map[string]string{"STRIKEOUT_PUBLIC_URL": s.base}, "simulate", info.Name, "--url", url(info.Name)).want(t, 0, "answer 20")
	}
	r := strikeout(t, nil, "simulate", "postmark", "hard", "--url", url("postmark"), "--to", "Somebody@example.com", "--count", "2")
	r.want(t, 0, "about somebody@example.com")
	if n := strings.Count(r.stdout, "answer 200"); n != 2 || !strings.Contains(r.stdout, "/webhooks/postmark/…,") {
		t.Errorf("got %d answers, or the path secret:\n%s", n, r.stdout)
	}
	strikeout(t, nil, "check", "somebody@example.com").want(t, exitNo, "blocked since")

	strikeout(t, nil, "simulate", "postmark", "hard", "--url", s.base+"/webhooks/none").want(t, exitNo, "answer 404")
	strikeout(t, nil, "simulate", "postmark", "hrd").want(t, exitUsage, `has no sample "hrd", expected one of hard, soft`)
	strikeout(t, nil, "simulate", "postmark", "hard", "--count", "0").want(t, exitUsage, "--count: expected a number from 1 on")
	strikeout(t, nil, "simulate", "postmark", "--endpoint", "other").want(t, exitUsage, "expected one of postmark")
	strikeout(t, nil, "simulate", "postmark", "hard", "--url", "https://u.example.com/webhooks/postmark").want(t, exitUsage, "is not on this machine")
	strikeout(t, nil, "simulate", "postmark", "hard", "--url", "u.example.com").want(t, exitUsage, "--url: expected http")
	strikeout(t, nil, "simulate", "postmark", "hard", "--to", "nobody").want(t, exitUsage, "--to: not a valid address")
	strikeout(t, nil, "simulate", "postmark", "hard", "--url", "http://127.0.0.1:1/").want(t, exitNow, "is strikeout serve running?")
	r = strikeout(t, nil, "simulate", "postmark", "hard", "--url", url("postmark"), "--to", "someone@gmail.com")
	r.want(t, exitUsage, "--to: may belong to somebody")
}

func TestSimulatePrivateKey(t *testing.T) {
	t.Chdir(t.TempDir())
	r := strikeout(t, nil, "simulate", "sendgrid", "--new-secrets")
	_, key, ok := strings.Cut(r.stdout, "private_key: ")
	if !ok {
		t.Fatalf("no private key in\n%s", r.stdout)
	}
	_, after, _ := strings.Cut(key, "    public_key")
	key = strings.TrimSuffix(key, "    public_key"+after)
	writeFile(t, "strikeout.yaml", strings.Replace(r.stdout, "private_key: "+key, "max_age: 0\n", 1))
	key = strings.TrimPrefix(strings.TrimSpace(key), "|\n")
	var lines []string
	for line := range strings.SplitSeq(strings.Trim(key, "'"), "\n") {
		lines = append(lines, strings.TrimSpace(line))
	}
	writeFile(t, "key.pem", strings.Join(lines, "\n")+"\n")
	s := serveHere(t, nil)
	strikeout(t, nil, "simulate", "sendgrid", "hard", "--url", s.base+"/webhooks/sendgrid").want(t, exitUsage, "--private-key FILE")
	strikeout(t, nil, "simulate", "sendgrid", "hard", "--url", s.base+"/webhooks/sendgrid", "--private-key", "key.pem").want(t, 0, "answer 200")
	strikeout(t, nil, "simulate", "sendgrid", "hard", "--private-key", "none.pem").want(t, exitUsage, "--private-key: private_key: cannot read the file")
}

func TestReserved(t *testing.T) {
	for s, want := range map[string]bool{
		"a@example.com": true, "a@mail.example.org": true, "a@x.test": true, "a@b.invalid": true, "a@example.fi": false, "a@notexample.com": false, "a@gmail.com": false,
		"+15555550100": true, "+12125550199": true, "+12125550200": false, "+12125551234": false, "+447700900123": true, "+447700901123": false, "+46701740605": true, "+358401234567": false,
	} {
		channel := recipient.Email
		if s[0] == '+' {
			channel = recipient.SMS
		}
		a, err := recipient.Parse(channel, s, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := reserved(a); got != want {
			t.Errorf("%s: got %v, want %v", s, got, want)
		}
	}
	for n := range 3000 {
		for _, c := range []recipient.Channel{recipient.Email, recipient.SMS} {
			a, err := recipient.Parse(c, reservedAddress(c, n), "")
			if err != nil || !reserved(a) {
				t.Fatalf("the %d. address of %s is not reserved: %v", n, c, err)
			}
		}
	}
	for u, want := range map[string]bool{"http://127.0.0.1:1/x": true, "http://localhost/": true, "http://[::1]:2/": true, "http://[::ffff:127.0.0.1]/": true,
		"http://localhost.example.com/": false, "http://127.0.0.1.nip.io/": false, "http://127.0.0.1@example.com/": false, "http://10.0.0.1/": false} {
		if got := loopback(u); got != want {
			t.Errorf("%s: got %v, want %v", u, got, want)
		}
	}
}

func TestReplay(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "strikeout.yaml", "endpoints:\n  mail: {provider: postmark, path_secret: 0123456789abcdef}\n")
	s := serveHere(t, nil)
	post := func(body string) {
		t.Helper()
		resp, err := http.Post(s.base+"/webhooks/mail/0123456789abcdef", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // only the status matters
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("got %d, want 200: it is authentic", resp.StatusCode)
		}
	}
	post(`{"RecordType":"Bounce","Type":"HardBounce","ID":1,"Email":"not an address","BouncedAt":"2026-11-20T10:00:00Z"}`)
	r := strikeout(t, nil, "replay", "--dry-run")
	r.want(t, 0, "1 requests in quarantine")
	if strings.Contains(r.stdout, "not an address") {
		t.Error("the list quotes the report")
	}
	strikeout(t, nil, "doctor").want(t, 0, "1 requests of endpoint mail wait")
	strikeout(t, nil, "replay").want(t, exitNo, "0 understood and gone from quarantine, 1 stay")
	strikeout(t, nil, "replay", "--endpoint", "other").want(t, 0, "0 requests")
	strikeout(t, nil, "replay", "--reason", "unreadble").want(t, exitUsage, "--reason: expected one of unreadable, no_recipient")
	resp, err := http.Post(s.base+"/webhooks/mail", "application/json", strings.NewReader("{}"))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Fatalf("without the secret: got %+v, %v", resp, err)
	}
	resp.Body.Close() //nolint:errcheck // only the status matters
	// An endpoint that is gone loses nothing.
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, "strikeout.yaml", "")
	strikeout(t, nil, "replay").want(t, exitNo, `not read: handlers: replay: no such endpoint is configured: "mail"`)
	// After an upgrade that reads it, what was held becomes an event, as of when it came.
	writeFile(t, "strikeout.yaml", "endpoints:\n  mail: {provider: postmark, path_secret: 0123456789abcdef}\n")
	strikeout(t, nil, "doctor").want(t, 0, "1 requests were rejected in the last day, the latest: the request is not authentic: the path secret is missing or wrong. The URL at the provider lacks the secret at its end.")
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:strikeout-data/strikeout.db"})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Quarantine(t.Context(), store.Held{Endpoint: "mail", Provider: "postmark", Reason: "unreadable", Method: "POST", URL: "/webhooks/mail",
		Body:       []byte(`{"RecordType":"Bounce","Type":"HardBounce","ID":2,"Email":"later@example.com"}`),
		ReceivedAt: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	strikeout(t, nil, "replay", "--reason", "unreadable").want(t, 0, "1 events stored, 0 known already, understood")
	strikeout(t, nil, "replay", "--dry-run").want(t, 0, "1 requests in quarantine")
	strikeout(t, nil, "check", "later@example.com").want(t, exitNo, "blocked since 2026-11-01T08:00:00Z")
}

const bounceMail = `From: MAILER-DAEMON@mx.example.net
To: bounces@example.com
Message-ID: <report-1@mx.example.net>
Date: Fri, 20 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; gone@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b--
`

func TestDSN(t *testing.T) {
	t.Chdir(t.TempDir())
	mail := writeFile(t, "bounce.eml", bounceMail)
	// Whatever is wrong, the mail server keeps the mail and tries again.
	strikeout(t, nil, "dsn", mail).want(t, exitTemp, "no endpoint of provider dsn is configured")
	// The secrets of others are not known to a mail server's pipe.
	writeFile(t, "strikeout.yaml", "endpoints:\n  bounces: {provider: dsn, path_secret: 0123456789abcdef}\n  mail: {provider: postmark, path_secret: \"${POSTMARK_SECRET}\"}\n")
	strikeout(t, nil, "serve", "--listen", "127.0.0.1:0").want(t, exitUsage, "the variable POSTMARK_SECRET is not set")
	strikeout(t, nil, "dsn", mail).want(t, exitTemp, "there is no")
	strikeout(t, nil, "migrate").want(t, 0, "applied")
	strikeout(t, nil, "dsn", mail, "--endpont", "b").want(t, exitTemp, "--endpoint")
	strikeout(t, nil, "dsn", "none.eml").want(t, exitTemp, "read the mail")
	strikeout(t, nil, "dsn", writeFile(t, "empty.eml", "")).want(t, exitTemp, "the mail is empty")
	strikeout(t, nil, "dsn", mail).want(t, 0, "stored=1")
	strikeout(t, nil, "dsn", mail).want(t, 0, "duplicates=1")
	strikeout(t, nil, "check", "gone@example.com").want(t, exitNo, "blocked since 2026-11-20T10:00:00Z")
	strikeout(t, nil, "dsn", writeFile(t, "hello.eml", "From: a@example.com\nTo: b@example.com\nSubject: hello\n\nNo bounce.\n")).want(t, 0, "stored=0")
	strikeout(t, map[string]string{"STRIKEOUT_DATABASE": "mysql://nobody@tcp(127.0.0.1:1)/none", "STRIKEOUT_ADDRESS_KEY": testKey}, "dsn", mail).want(t, exitTemp, "strikeout: ")
	writeFile(t, "strikeout.yaml", "endpoints:\n  a: {provider: dsn, path_secret: 0123456789abcdef}\n  b: {provider: dsn, path_secret: 0123456789abcdef}\n")
	strikeout(t, nil, "dsn", mail).want(t, exitTemp, "choose one of a, b with --endpoint")
	strikeout(t, nil, "dsn", mail, "--endpoint", "b", "--rcpt", "bounces@example.com").want(t, 0, "endpoint=b")
	// Without an argument it reads standard input.
	in, err := os.Open(mail)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close() //nolint:errcheck // read only
	stdin := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = stdin }()
	strikeout(t, nil, "dsn", "--endpoint", "b").want(t, 0, "duplicates=1")
}

func TestReturnPath(t *testing.T) {
	t.Chdir(t.TempDir())
	const mailbox = "bounce@bounces.example.net"
	ask := func(args ...string) result {
		return strikeout(t, nil, append([]string{"link", "Nobody@Example.com", "--return-path", mailbox}, args...)...)
	}
	writeFile(t, "strikeout.yaml", "endpoints:\n  a: {provider: dsn, path_secret: 0123456789abcdef}\n")
	ask().want(t, exitUsage, "no such endpoint has a verp_secret")
	writeFile(t, "strikeout.yaml", "endpoints:\n  a: {provider: dsn, path_secret: 0123456789abcdef, verp_secret: [TEST-ONLY-secret, TEST-ONLY-older]}\n"+
		"  b: {provider: kumomta, path_secret: 0123456789abcdef, verp_secret: TEST-ONLY-secret}\n")
	want := "bounce+nobody=example.com-7qeluiunju5jdwta@bounces.example.net\n" // as docs/return-paths.md shows it
	if got := ask(); got.stdout != want || got.code != 0 {
		t.Errorf("got %q %q, want %q", got.stdout, got.stderr, want)
	}
	strikeout(t, nil, "link", "+15551230100", "--return-path", mailbox).want(t, exitUsage, "--return-path: ")
	strikeout(t, nil, "link", "a@example.com", "--return-path", "bounces").want(t, exitUsage, "mailbox for bounces must be")
	writeFile(t, "strikeout.yaml", "endpoints:\n  a: {provider: dsn, path_secret: 0123456789abcdef, verp_secret: TEST-ONLY-secret}\n"+
		"  b: {provider: dsn, path_secret: 0123456789abcdef, verp_secret: TEST-ONLY-other}\n")
	ask().want(t, exitUsage, "one of a, b, with --endpoint")
	ask("--endpoint", "a").want(t, 0, want)
}

func TestDoctorFinds(t *testing.T) {
	t.Chdir(t.TempDir())
	strikeout(t, nil, "migrate").want(t, 0, "applied")
	if err := os.Chmod("strikeout-data/address.key", 0o644); err != nil { //nolint:gosec // that is the point
		t.Fatal(err)
	}
	writeFile(t, "strikeout.yaml", `public_url: http://u.example.com
trusted_proxies: 0.0.0.0/0
endpoints:
  bounces: {provider: dsn, path_secret: 0123456789abcdef}
  mail: {provider: postmark, basic_auth: "u:p"}
`)
	r := strikeout(t, nil, "doctor")
	for _, want := range []string{
		"fail  public_url     must begin with https://", "warn  address_key    strikeout-data/address.key can be read by others: chmod 600",
		"fail  proxies        trusted_proxies holds everybody", `warn  bounces        strikeout.yaml:4: endpoint "bounces": a bounce mail can be forged, and would block the address it names: set verp_secret`,
		"ok    mail           Postmark posts to http://u.example.com/webhooks/mail; checked by a shared secret",
		"ok    bounces        Bounce mail (DSN, ARF) posts to http://u.example.com/webhooks/bounces/PATH_SECRET",
		"warn  API keys       there is none", "ok    tables         are up to date", "2 fail, ",
	} {
		r.want(t, exitNo, want)
	}
	writeFile(t, "strikeout.yaml", "endpoints:\n  mail: {provider: postmark}\n")
	strikeout(t, nil, "doctor").want(t, exitNo, "fail  endpoints      strikeout.yaml:2: endpoints.mail: Postmark signs nothing")
	writeFile(t, "own/texts/fi.json", `{"done.lead_anon": "Valmis."}`)
	writeFile(t, "strikeout.yaml", "pages: {sender: Example Ltd, dir: own}\n")
	r = strikeout(t, nil, "doctor")
	r.want(t, 0, "warn  pages          texts/fi.json: no page shows done.lead_anon in own")
	r.want(t, 0, "ok    pages          23 languages, changed by own")
	writeFile(t, "own/texts/fi.json", `{"done.lead": ""}`)
	strikeout(t, nil, "doctor").want(t, exitNo, "fail  pages          strikeout.yaml:1: pages: texts/fi.json: empty")
	writeFile(t, "strikeout.yaml", "nonsense: 1\n")
	strikeout(t, nil, "doctor").want(t, exitNo, "fail  configuration  strikeout.yaml:1: nonsense: unknown key")
	strikeout(t, map[string]string{"STRIKEOUT_DATABASE": "mysql://nobody@tcp(127.0.0.1:1)/none"}, "doctor", "--config", os.DevNull).want(t, exitNo, "cannot be reached")
}

func TestExampleConfigurationOfEachProvider(t *testing.T) {
	for _, info := range all.Infos() {
		var b bytes.Buffer
		howTo(&b, info, "https://u.example.com")
		if len(info.Simulate.Samples) == 0 || !strings.Contains(b.String(), "strikeout simulate "+info.Name) {
			t.Errorf("%s: nothing to test it with", info.Name)
		}
		_, text, _ := strings.Cut(b.String(), "below endpoints:\n\n")
		text, _, _ = strings.Cut(text, "\n\n2. ")
		// As it stands, with the variables set and file names left out, it is read without an error.
		c, err := loadConfig(writeFile(t, t.TempDir()+"/s.yaml", "endpoints:\n"+text+"\n"), nil, func(name string) string {
			if strings.HasPrefix(name, "STRIKEOUT_") {
				return ""
			}
			return "x"
		})
		if err != nil {
			t.Errorf("%s: %v\n%s", info.Name, err, text)
			continue
		}
		if _, err := c.endpoints(); err != nil {
			t.Errorf("%s: %v\n%s", info.Name, err, text)
		}
	}
}
