package handlers

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/strikeout/strikeout/recipient"
	"github.com/strikeout/strikeout/store"
	"github.com/strikeout/strikeout/tokens"
)

const (
	smsCode     = "abcdefghijklmnob"
	mailCode    = "abcdefghijklmnopqrstuvwxyz"
	previewCode = "pppppppppppppppppppppppppp"
)

// withCodes is a server with an address for mails, and three codes in its table.
func withCodes(t *testing.T) (*bench, recipient.Address) {
	t.Helper()
	b := newBench(t)
	cfg := b.config()
	cfg.Mailto = "u-{code}@unsub.example.com"
	var err error
	cfg.Linker, err = tokens.NewLinker(tokens.LinkerConfig{Ring: b.links.ring, Keyer: b.keyer, PublicURL: cfg.PublicURL, Mailto: cfg.Mailto, Now: b.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	b.serve(cfg)
	phone, err := recipient.ParsePhone("+15551230100", "")
	if err != nil {
		t.Fatal(err)
	}
	at := b.clock.now().Add(-time.Hour)
	for _, l := range []store.ShortLink{
		{Code: smsCode, Key: b.keyer.Key(phone), Channel: recipient.SMS, SendOut: "spring", Language: "fi", CreatedAt: at},
		{Code: mailCode, Key: b.keyer.Key(b.email("a@example.com")), Channel: recipient.Email, CreatedAt: at},
		{Code: previewCode, Key: b.keyer.Key(b.email("p@example.com")), Channel: recipient.Email, Preview: true, CreatedAt: at},
	} {
		if err := b.store.PutShortLinks(t.Context(), []store.ShortLink{l}); err != nil {
			t.Fatal(err)
		}
	}
	return b, phone
}

// A code does what a token does: it asks, opts out, says so again, and takes
// it back.
func TestShortLinkFlow(t *testing.T) {
	b, phone := withCodes(t)
	key := b.keyer.Key(phone)
	writes := b.store.writes
	got := b.do("GET", "/u/"+smsCode, "")
	checkPage(t, got, 200, "confirm")
	if !strings.Contains(got.body, `lang="fi"`) || b.store.writes != writes {
		t.Errorf("language or %d writes:\n%s", b.store.writes-writes, got.body)
	}
	checkPage(t, b.do("POST", "/u/"+smsCode, "List-Unsubscribe=One-Click"), 200, "done")
	if st := b.store.states[key]; !st.OptedOut() {
		t.Fatalf("not opted out: %+v", st)
	}
	e := b.store.events[len(b.store.events)-1]
	if e.SendOut != "spring" || e.Channel != recipient.SMS || e.Source != recipient.FromLink || e.Evidence.Via != viaOneClick {
		t.Errorf("event %+v", e)
	}
	checkPage(t, b.do("POST", "/u/"+smsCode, ""), 200, "already")
	checkPage(t, b.do("POST", "/u/"+smsCode+"/undo", ""), 200, "undone")
	if st := b.store.states[key]; st.OptedOut() {
		t.Errorf("still opted out: %+v", st)
	}
}

// A code survives what people and mail programs do to it.
func TestShortLinkSpellings(t *testing.T) {
	b, _ := withCodes(t)
	for _, s := range []string{strings.ToUpper(smsCode), "abcd-efgh-ijkl-mno8", "abcdefghijk1mn0b", smsCode + ".", smsCode + "%3E", smsCode + "%20", smsCode + "/", smsCode + "?utm_source=x", smsCode + "%3Futm_source=x", "abcdefgh=%0D%0Aijklmnob"} {
		checkPage(t, b.do("GET", "/u/"+s, ""), 200, "confirm")
	}
	for _, s := range []string{smsCode[:15], smsCode + "a", "bbbbbbbbbbbbbbbb"} {
		checkPage(t, b.do("GET", "/u/"+s, ""), 404, "bad_link")
	}
}

func TestShortPreview(t *testing.T) {
	b, _ := withCodes(t)
	writes := b.store.writes
	for _, m := range []string{"GET", "POST"} {
		checkPage(t, b.do(m, "/u/"+previewCode, ""), 200, "preview")
	}
	if b.store.writes != writes {
		t.Errorf("%d writes", b.store.writes-writes)
	}
}

// Whoever tries codes is slowed down; those who have one never are.
func TestCodesCannotBeTried(t *testing.T) {
	b, _ := withCodes(t)
	for i := range limiterBurst + 5 {
		want := 404
		if i >= limiterBurst {
			want = 429
		}
		got := b.do("GET", fmt.Sprintf("/u/%s%c", strings.Repeat("q", 15), 'a'+i), "")
		checkPage(t, got, want, "bad_link")
		if want == 429 && got.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	checkPage(t, b.do("POST", "/u/qqqqqqqqqqqqqqqq", ""), 429, "bad_link")
	checkPage(t, b.do("POST", "/u/qqqqqqqqqqqqqqqq", "address=me@example.com", "Content-Type", "application/x-www-form-urlencoded"), 202, "requested")
	checkPage(t, b.do("GET", "/u/"+smsCode, ""), 200, "confirm")
	checkPage(t, b.do("POST", "/u/"+smsCode, ""), 200, "done")
}

// Without the database nobody can tell whether a code is a good one.
func TestShortLinkWhileTheStoreIsAway(t *testing.T) {
	b, _ := withCodes(t)
	b.store.mu.Lock()
	b.store.down = store.ErrUnavailable
	b.store.mu.Unlock()
	for _, m := range []string{"GET", "POST"} {
		got := b.do(m, "/u/"+smsCode, "")
		checkPage(t, got, 503, "unavailable")
		if got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "/u/"+smsCode) {
			t.Errorf("%s: no Retry-After, or no button for another try", m)
		}
	}
}

func TestMailedOptOut(t *testing.T) {
	b, _ := withCodes(t)
	key := b.keyer.Key(b.email("a@example.com"))
	post := func(mail, query string) string {
		t.Helper()
		got := b.do("POST", "/v1/mail"+query, mail, append(bearer(writeKey), "Content-Type", "message/rfc822")...)
		if got.status != 200 {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		return strings.TrimSpace(got.body)
	}
	to := "To: u-" + mailCode + "@unsub.example.com\r\n"
	from := "From: Other Address <other@example.org>\r\n"
	tests := []struct{ name, mail, query, want string }{
		{"automatic answer", from + to + "Auto-Submitted: auto-replied\r\n\r\n", "", `{"kind":"auto-reply","opted_out":0,"kept":false}`},
		{"bounce", "Return-Path: <>\r\n" + to + "\r\n", "", `{"kind":"bounce","opted_out":0,"kept":false}`},
		{"preview", from + "To: u-" + previewCode + "@unsub.example.com\r\n\r\n", "", `{"kind":"opt-out","opted_out":1,"kept":false}`},
		{"unknown code", from + "To: u-" + strings.Repeat("q", 26) + "@unsub.example.com\r\n\r\n", "", `{"kind":"opt-out","opted_out":0,"kept":true}`},
		{"no code", from + "To: unsubscribe@example.com\r\n\r\n", "", `{"kind":"unknown","opted_out":0,"kept":true}`},
		{"nobody", "To: unsubscribe@example.com\r\n\r\n", "", `{"kind":"unknown","opted_out":0,"kept":false}`},
	}
	for _, tt := range tests {
		if got := post(tt.mail, tt.query); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	if len(b.store.events) != 0 {
		t.Fatalf("events %+v", b.store.events)
	}
	if r := b.store.requests; len(r) == 0 || r[0].Address.Value() != "other@example.org" || r[0].Kind != "typed" {
		t.Errorf("requests %+v", r)
	}
	for range 2 { // mail servers deliver twice
		if got := post(from+"Subject: \r\n\r\n", "?rcpt=u-"+strings.ToUpper(mailCode)+"@unsub.example.com"); got != `{"kind":"opt-out","opted_out":1,"kept":false}` {
			t.Errorf("got %s", got)
		}
	}
	if st := b.store.states[key]; !st.OptedOut() || len(b.store.events) != 1 {
		t.Errorf("state %+v, %d events", st, len(b.store.events))
	}
	if e := b.store.events[0]; e.Evidence.Via != viaMail || e.Channel != recipient.Email {
		t.Errorf("event %+v", e)
	}
	b.store.mu.Lock()
	b.store.down = store.ErrUnavailable
	b.store.mu.Unlock()
	if got := b.do("POST", "/v1/mail", from+to+"\r\n", bearer(writeKey)...); got.status != http.StatusServiceUnavailable {
		t.Errorf("database away: got %d", got.status)
	}
	if strings.Contains(b.log.String(), "other@example.org") || strings.Contains(b.log.String(), mailCode) {
		t.Error("an address or a code is in the log")
	}
}

func TestLinksAPI(t *testing.T) {
	b, phone := withCodes(t)
	post := func(body string, header ...string) answer {
		t.Helper()
		got := b.do("POST", "/v1/links", body, append(bearer(mintKey), header...)...)
		if got.status != 200 {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		return got
	}
	two := `"recipients":[{"channel":"email","address":"B@example.com"},{"channel":"sms","address":"+1 555 123 0100"}]`

	// A short link of each kind, the same again, and another for another send-out.
	first := post(`{` + two + `,"short":true,"send_out":"spring","language":"fi"}`).body
	if post(`{`+two+`,"short":true,"send_out":"spring","language":"fi"}`).body != first {
		t.Error("the same links again are others")
	}
	if !strings.Contains(first, "https://u.example.com/u/"+smsCode+`"`) {
		t.Errorf("the phone has a code already: %s", first)
	}
	if post(`{`+two+`,"short":true,"send_out":"summer"}`).body == first {
		t.Error("another send-out has the same links")
	}
	if l := b.store.short[smsCode]; l.Key != b.keyer.Key(phone) {
		t.Errorf("the code of %+v", l)
	}

	// Long ones, with a code in the mailto of e-mail alone, and as lines.
	lines := strings.Split(strings.TrimSpace(post(`{`+two+`,"preview":true}`, "Accept", "application/x-ndjson").body), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "mailto:u-") || strings.Contains(lines[1], "mailto:") {
		t.Fatalf("lines %q", lines)
	}
	for _, line := range lines {
		_, token, _ := strings.Cut(line, "/u/")
		v, err := b.links.ring().Verify(token[:strings.IndexByte(token, '"')], b.clock.now())
		if err != nil || !v.Preview {
			t.Errorf("%+v, %v", v, err)
		}
	}

	// Ten thousand fit, one more does not.
	many := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"recipients":[`)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"channel":"email","address":"user%d@example.com"}`, i)
		}
		return b.String() + "]}"
	}
	if got := post(many(10_000), "Accept", "application/x-ndjson"); strings.Count(got.body, "\n") != 10_000 {
		t.Errorf("got %d lines", strings.Count(got.body, "\n"))
	}
	if got := b.do("POST", "/v1/links", many(10_001), bearer(mintKey)...); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("10 001: got %d", got.status)
	}

	var counted int64
	until(t, func() bool { // the server saves by itself, too
		b.srv.saveLinkCounts()
		b.store.set(func(f *fakeStore) { counted = f.counted["active"] })
		return counted >= 10_002
	})
	if counted != 10_002 {
		t.Errorf("counted %d", counted)
	}
}

// A check finds what package mailcheck finds, short codes included, for two
// scopes, and keeps nothing.
func TestLinksCheck(t *testing.T) {
	b, _ := withCodes(t)
	short := "https://u.example.com/u/" + mailCode
	mail := "From: n@example.org\r\nTo: a@example.com\r\nDKIM-Signature: d=example.org; b=x; h=list-unsubscribe:list-unsubscribe-post\r\n" +
		"List-Unsubscribe: <" + short + ">, <mailto:u-" + mailCode + "@unsub.example.com>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nUnsubscribe: " + short + "\r\n"
	writes := b.store.writes
	for _, key := range []string{readKey, mintKey} {
		got := b.do("POST", "/v1/links/check", mail, bearer(key)...)
		if got.status != 200 || !strings.HasPrefix(got.body, `{"result":"ok","findings":[{"check":"list-unsubscribe","level":"ok"`) || strings.Contains(got.body, mailCode) {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	if got := b.do("POST", "/v1/links/check", strings.Replace(mail, "To: a@", "To: b@", 1), bearer(readKey)...); !strings.Contains(got.body, `"result":"fail"`) {
		t.Errorf("somebody else's link: %s", got.body)
	}
	if got := b.do("POST", "/v1/links/check", strings.ReplaceAll(mail, mailCode, strings.Repeat("q", 26)), bearer(readKey)...); !strings.Contains(got.body, "nobody issued this code") {
		t.Errorf("unknown code: %s", got.body)
	}
	for _, tt := range []struct {
		body, key string
		want      int
	}{{mail, writeKey, 403}, {" \r\n", readKey, 400}, {strings.Repeat("x", 5<<20), readKey, 413}} {
		if got := b.do("POST", "/v1/links/check", tt.body, bearer(tt.key)...); got.status != tt.want {
			t.Errorf("got %d, want %d", got.status, tt.want)
		}
	}
	if b.store.writes != writes {
		t.Errorf("%d writes", b.store.writes-writes)
	}
}
