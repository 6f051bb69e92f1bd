package sendgrid

import (
	"errors"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options = providertest.Options{Signature: []string{"header:" + signatureHeader, "header:" + timestampHeader}}
	// The key that signed the fixtures; its private half signs nothing else.
	settings = providers.Set("public_key", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP1QupPJtcfkTGEmUaWsA80qehBrl0U77egD7bfJmcRRZj0Mouwz3lrpqlyuc+eaxeL1ciWxFmzlSKyPCDtZ+w==")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func TestNew(t *testing.T) {
	if _, err := New(providers.Set("public_key", "SG.not-a-key")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("an API key as public_key: %v", err)
	}
}

// one is a batch of one event.
func one(kind, more string) string {
	return `[{"email":"a@example.com","timestamp":1772615703,"event":"` + kind + `","sg_event_id":"e","sg_message_id":"m.recvd-1-1.0"` + more + `}]`
}

func bounce(kind, class, status, reason string) string {
	more := `,"type":"` + kind + `"`
	for name, v := range map[string]string{"bounce_classification": class, "status": status, "reason": reason} {
		if v != "" {
			more += `,"` + name + `":"` + v + `"`
		}
	}
	return one("bounce", more)
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "empty batch", Body: `[]`},
		{Name: "one object instead of an array", Body: `{"email":"a@example.com","event":"spamreport"}`, Want: "complaint a@example.com"},
		{Name: "text", Body: `"bounce"`, Want: "!unreadable"},
		{Name: "no event", Body: `[{"email":"a@example.com"}]`, Want: "!unreadable"},
		{Name: "no email", Body: `[{"event":"bounce","type":"bounce"}]`, Want: "!no_recipient"},
		{Name: "email null", Body: `[{"event":"spamreport","email":null}]`, Want: "!no_recipient"},
		{Name: "event in upper case", Body: one("SpamReport", ""), Want: "complaint a@example.com"},
		{Name: "display name", Body: `[{"event":"spamreport","email":"A <A@Example.com>"}]`, Want: "complaint a@example.com"},
		{Name: "account event", Body: `[{"event":"account_status_change","type":"compliance_suspend","timestamp":1772615703}]`},
		{Name: "blocked as an event", Body: one("blocked", `,"type":"bounce","status":"5.1.1"`), Want: "soft_bounce a@example.com 5.1.1"},
		{Name: "bounce without a type", Body: one("bounce", `,"status":"5.1.1"`), Want: "hard_bounce a@example.com 5.1.1"},
		{Name: "bounce with nothing", Body: one("bounce", ""), Want: "hard_bounce a@example.com"},
		{Name: "status as a number", Body: one("bounce", `,"type":"bounce","status":550`), Want: "hard_bounce a@example.com 550"},
		{Name: "unresolvable host", Body: bounce("blocked", "Unclassified", "", "unable to get mx info: failed to get IPs from PTR record"), Want: "soft_bounce a@example.com"},
		{Name: "deferred", Body: one("deferred", `,"response":"400 try again later","attempt":"5"`), Want: "soft_bounce a@example.com 400"},
		{Name: "deferred without words", Body: one("deferred", ""), Want: "soft_bounce a@example.com"},
		{Name: "delivered", Body: one("delivered", `,"response":"250 OK","tls":1`), Want: "delivered a@example.com"},
		{Name: "unsubscribe", Body: one("unsubscribe", `,"asm_group_id":10`), Want: "opt_out a@example.com"},
		{Name: "group unsubscribe", Body: one("group_unsubscribe", `,"asm_group_id":10,"status":"custom"`), Want: "opt_out a@example.com group 10"},
		{Name: "group as text", Body: one("group_unsubscribe", `,"asm_group_id":"10"`), Want: "opt_out a@example.com group 10"},
		{Name: "group missing", Body: one("group_unsubscribe", ""), Want: "opt_out a@example.com"},
		{Name: "group resubscribe", Body: one("group_resubscribe", `,"asm_group_id":10`), Want: "reactivation a@example.com group 10"},
		{Name: "custom type on a complaint", Body: one("spamreport", `,"type":"bounce","reason":"Bounced Address"`), Want: "complaint a@example.com"},
		{Name: "dropped without a reason", Body: one("dropped", "")},
		{Name: "dropped, spaces and case", Body: one("dropped", `,"reason":" bounced ADDRESS "`), Want: "~hard_bounce a@example.com bounced ADDRESS"},
	}
	for _, kind := range []string{"processed", "open", "click", "teleported", "machine_open"} {
		cases = append(cases, providertest.Case{Name: "event " + kind, Body: one(kind, `,"type":"bounce","reason":"Bounced Address"`)})
	}
	for reason, want := range map[string]string{
		"Bounced Address": "~hard_bounce", "Invalid": "hard_bounce", "Unsubscribed Address": "~opt_out", "Spam Reporting Address": "~complaint",
		"Spam Content": "", "Invalid SMTPAPI header": "", "Recipient List over Package Quota": "", "Spam Content (if spam checker app enabled)": "", "Duplicate": "", "bounced": "",
	} {
		if want != "" {
			want += " a@example.com " + reason
		}
		cases = append(cases, providertest.Case{Name: "dropped " + reason, Body: one("dropped", `,"reason":"`+reason+`","type":"bounce"`), Want: want})
	}
	for _, class := range []string{"Invalid Address", "Mailbox Unavailable", "Unclassified", "Technical", "Technical Failure", "Content", "Reputation", "Frequency or Volume Too High", "", "Something New"} {
		cases = append(cases,
			providertest.Case{Name: "blocked/" + class, Body: bounce("blocked", class, "5.1.1", "550 5.1.1 no"), Want: "soft_bounce a@example.com 5.1.1"},
			providertest.Case{Name: "expired/" + class, Body: bounce("expired", class, "5.1.1", ""), Want: "soft_bounce a@example.com 5.1.1"},
			providertest.Case{Name: "new type/" + class, Body: bounce("other", class, "5.1.1", ""), Want: "soft_bounce a@example.com 5.1.1"})
	}
	for _, tt := range []struct{ class, status, reason, want string }{
		{"Invalid Address", "5.1.1", "550 5.1.1 no", "hard_bounce a@example.com 5.1.1"},
		{"Invalid Address", "", "", "hard_bounce a@example.com"},
		{"invalid address", "5.0.0", "550 no", "hard_bounce a@example.com 5.0.0"},
		{"", "5.0.0", "500 unknown recipient", "hard_bounce a@example.com 5.0.0"},
		{"Something New", "5.1.1", "", "hard_bounce a@example.com 5.1.1"},
		{"", "5.2.1", "", "hard_bounce a@example.com 5.2.1"},
		{"", "5.4.1", "", "hard_bounce a@example.com 5.4.1"},
		{"Mailbox Unavailable", "5.1.1", "", "hard_bounce a@example.com 5.1.1"},
		{"Mailbox Unavailable", "", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", "hard_bounce a@example.com 5.1.10"},
		{"Mailbox Unavailable", "5.2.1", "550 5.2.1 disabled", "soft_bounce a@example.com 5.2.1"},
		{"Mailbox Unavailable", "5.0.0", "550 mailbox unavailable", "soft_bounce a@example.com 5.0.0"},
		{"Mailbox Unavailable", "5.5.0", "550 5.1.1 no such user", "hard_bounce a@example.com 5.1.1"},
		{"Mailbox Unavailable", "5.5.0", "550 5.1.8 sender", "soft_bounce a@example.com 5.1.8"},
		{"Mailbox Unavailable", "5.2.1", "550 5.2.1 receiving mail at a rate that prevents additional messages", "soft_bounce a@example.com 5.2.1"},
		{"", "5.2.1", "550 5.2.1 receiving mail at a rate that prevents additional messages", "soft_bounce a@example.com 5.2.1"},
		{"", "5.1.8", "550 5.1.8 sender domain", "soft_bounce a@example.com 5.1.8"},
		{"Mailbox Unavailable", "5.1.8", "sender", "soft_bounce a@example.com 5.1.8"},
		{"Unclassified", "5.0.0", "550 5.1.1 user unknown", "hard_bounce a@example.com 5.1.1"},
		{"Unclassified", "", "bounced", "soft_bounce a@example.com"},
		{"Unclassified", "5.5.0", "", "soft_bounce a@example.com 5.5.0"},
		{"Technical", "5.1.1", "", "soft_bounce a@example.com 5.1.1"},
		{"technical failure", "5.1.1", "", "soft_bounce a@example.com 5.1.1"},
		{"Content", "5.1.1", "", "soft_bounce a@example.com 5.1.1"},
		{"REPUTATION", "5.1.1", "", "soft_bounce a@example.com 5.1.1"},
		{"Frequency or Volume Too High", "5.1.1", "", "soft_bounce a@example.com 5.1.1"},
		{"Invalid Address", "4.2.2", "", "soft_bounce a@example.com 4.2.2"},
		{"Invalid Address", "5.2.2", "", "soft_bounce a@example.com 5.2.2"},
		{"", "5.2.3", "", "soft_bounce a@example.com 5.2.3"},
		{"", "5.3.4", "", "soft_bounce a@example.com 5.3.4"},
		{"", "5.7.1", "", "soft_bounce a@example.com 5.7.1"},
		{"", "5.7.26", "", "soft_bounce a@example.com 5.7.26"},
		{"", "", "550 5.7.1 refused", "soft_bounce a@example.com 5.7.1"},
		{"", "", "452 4.2.2 full", "soft_bounce a@example.com 4.2.2"},
		{"", "", "421 try again later", "soft_bounce a@example.com 421"},
		{"", "5.0.0", "550 5.7.1 refused", "soft_bounce a@example.com 5.7.1"},
		{"", "", "550 mailbox is full", "soft_bounce a@example.com 550"},
		{"", "5.1.1", "550 5.1.1 no such user, see our policy", "hard_bounce a@example.com 5.1.1"},
	} {
		cases = append(cases, providertest.Case{Name: tt.class + "/" + tt.status + "/" + tt.reason, Body: bounce("bounce", tt.class, tt.status, tt.reason), Want: tt.want})
	}
	providertest.Table(t, Info, settings, cases)
}

// TestRetry: a request sent again may carry new event ids.
func TestRetry(t *testing.T) {
	a, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]bool{}
	for _, id := range []string{"first", "second"} {
		events, err := a.Parse(&providers.Request{Body: []byte(`[{"email":"a@example.com","timestamp":1,"event":"bounce","type":"bounce","sg_message_id":"m.x","sg_event_id":"` + id + `"}]`)})
		if err != nil || len(events) != 1 || events[0].EventID != id {
			t.Fatalf("%v, %v", events, err)
		}
		for _, p := range events[0].IDParts {
			parts[p] = true
		}
	}
	if parts["first"] || parts["second"] {
		t.Error("the id of the event is one of its id parts")
	}
}
