package mandrill

import (
	"crypto/sha1" //nolint:gosec // as Mandrill signs
	"encoding/base64"
	"net/url"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:X-Mandrill-Signature"}}
	settings = providers.Set("signing_secret", "strikeout-test-mandrill-key")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func msg(kind, more string) string {
	return `{"event":"` + kind + `","_id":"m1","ts":1772615703,"msg":{"_id":"m1","ts":1772615690,"email":"a@example.com","metadata":[],"tags":[]` + more + `}}`
}

func list(kind, action, reason string) string {
	return `{"type":"` + kind + `","action":"` + action + `","ts":1772619400,"reject":{"reason":"` + reason + `","detail":null,"last_event_at":"2026-03-04 10:16:40","email":"a@example.com","expires_at":null}}`
}

// TestSignedForms: whatever the form looks like, what is signed is what net/url reads,
// and the published key proves an empty array alone.
func TestSignedForms(t *testing.T) {
	a, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	own := []byte(settings.Get("signing_secret", ""))
	for _, tt := range []struct {
		body   string
		tested bool // with the published key
		events int
		whole  bool // Parse has no error
	}{
		{"mandrill_events=[]", true, 0, true},
		{"mandrill_events=+%5B%5d", true, 0, true},
		{"&mandrill_events=[]", true, 0, true},
		{"mandrill_events=[]&mandrill_events=[1]", true, 0, true},
		{"mandrill_events=[]&x=1", false, 0, true},
		{"x=[]", false, 0, false},
		{"mandrill_events", false, 0, true},
		{"mandrill_events=" + url.QueryEscape("["+msg("spam", "")+"]"), false, 1, true},
		{"a+b=%31&mandrill%5fevents=" + url.QueryEscape(msg("spam", "")), false, 1, true},
	} {
		form, err := url.ParseQuery(tt.body)
		if err != nil {
			t.Fatal(err)
		}
		request := func(key []byte) *providers.Request {
			mac := sign.Sum(sha1.New, key, []byte("https://u.example.com/m"), signedFields(form))
			return providers.Shot{URL: "https://u.example.com/m"}.Post("application/x-www-form-urlencoded", []byte(tt.body), signatureHeader, base64.StdEncoding.EncodeToString(mac))
		}
		if err := a.Verify(t.Context(), request(testKey[0])); (err == nil) != tt.tested {
			t.Errorf("%s: with the published key: %v", tt.body, err)
		}
		r := request(own)
		if err := a.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", tt.body, err)
		}
		if events, err := a.Parse(r); len(events) != tt.events || (err == nil) != tt.whole {
			t.Errorf("%s: %d events, %v", tt.body, len(events), err)
		}
	}
}

func TestKinds(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	cases := []providertest.Case{
		{Name: "empty body", Body: "", Header: form, Want: "!unreadable"},
		{Name: "no field", Body: "x=1", Header: form, Want: "!unreadable"},
		{Name: "empty field", Body: "mandrill_events=", Header: form},
		{Name: "empty array", Body: "mandrill_events=[]", Header: form},
		{Name: "broken", Body: "mandrill_events=%5B%7B", Header: form, Want: "!unreadable"},
		{Name: "bare array", Body: "[" + msg("spam", "") + "]", Want: "!unreadable"},
	}
	add := func(name, item, want string) {
		cases = append(cases, providertest.Case{Name: name, Body: "mandrill_events=" + url.QueryEscape("["+item+"]"), Header: form, Want: want})
	}
	add("bad items cost nothing", msg("spam", "")+`,7,null,{},{"event":"unsub","msg":7},`+msg("unsub", ""), "complaint a@example.com; opt_out a@example.com; !unreadable; !unreadable; !unreadable; !unreadable")
	add("no recipient", `{"event":"spam","_id":"m","msg":{}}`, "!no_recipient")
	add("no message", `{"event":"spam","_id":"m"}`, "!no_recipient")
	add("bad recipient", `{"event":"spam","_id":"m","msg":{"email":"nobody"}}`, "!bad_recipient")
	add("hard", msg("hard_bounce", `,"bounce_description":"bad_mailbox","bgtools_code":10,"diag":"smtp;550 5.1.1 user unknown"`), "hard_bounce a@example.com bad_mailbox")
	add("hard, other words", msg("hard_bounce", `,"bounce_description":"invalid_domain","bgtools_code":50,"diag":""`), "hard_bounce a@example.com invalid_domain")
	add("hard, full mailbox", msg("hard_bounce", `,"bounce_description":"mailbox_full","bgtools_code":22,"diag":""`), "soft_bounce a@example.com mailbox_full")
	add("hard, no words", msg("hard_bounce", ""), "hard_bounce a@example.com hard_bounce")
	for diag, want := range map[string]string{"550 5.2.1 x": "hard", "554 5.0.0 x": "hard", "smtp;552 5.2.2 x": "soft", "552 5.2.3 x": "soft", "5.3.4": "soft", "550 5.7.1 x": "soft", "450 4.2.0 x": "soft"} {
		add("hard, diag "+diag, msg("hard_bounce", `,"diag":"`+diag+`"`), want+"_bounce a@example.com hard_bounce")
	}
	add("soft", msg("soft_bounce", `,"bounce_description":"mailbox_full","diag":"550 5.1.1 user unknown"`), "soft_bounce a@example.com mailbox_full")
	add("soft, general", msg("soft_bounce", `,"bounce_description":"general"`), "soft_bounce a@example.com general")
	add("deferral", msg("deferral", `,"diag":"421 slow down"`), "soft_bounce a@example.com deferral")
	add("delivered", msg("delivered", ""), "delivered a@example.com")
	for _, kind := range []string{"send", "open", "click", "inbound", "new"} {
		add(kind, msg(kind, `,"reject":{"reason":"hard-bounce"}`), "")
	}
	for reason, want := range map[string]string{
		"hard-bounce": "~hard_bounce", "soft-bounce": "soft_bounce", "spam": "~complaint", "unsub": "~opt_out", "custom": "soft_bounce",
		"invalid-sender": "", "test-mode-limit": "", "unsigned": "", "rule": "", "new": "", "": "",
	} {
		if want != "" {
			want += " a@example.com " + reason
		}
		add("reject "+reason, msg("reject", `,"reject":{"reason":"`+reason+`","x":1}`), want)
		add("reject as text "+reason, msg("reject", `,"reject":"`+reason+`"`), want)
		add("blacklist add "+reason, list("blacklist", "add", reason), want)
		add("denylist change "+reason, list("denylist", "change", reason), want)
		add("blacklist remove "+reason, list("blacklist", "remove", reason), "")
		add("whitelist add "+reason, list("whitelist", "add", reason), "")
	}
	add("reject invalid", msg("reject", `,"reject":{"reason":"invalid"}`), "hard_bounce a@example.com invalid")
	add("denylist invalid", list("denylist", "add", "invalid"), "~hard_bounce a@example.com invalid")
	add("reject with an underscore", msg("reject", `,"reject":{"reason":"Hard_Bounce"}`), "~hard_bounce a@example.com hard-bounce")
	add("reject without a reason", msg("reject", ""), "")
	add("allowlist", `{"type":"allowlist","action":"add","ts":1,"entry":{"email":"a@example.com","detail":null}}`, "")
	providertest.Table(t, Info, settings, cases)
	providertest.Table(t, Info, providers.Settings{Unsigned: true}, []providertest.Case{
		{Name: "bare array", Body: "[" + msg("spam", "") + ",7]", Want: "complaint a@example.com; !unreadable"},
	})
}
