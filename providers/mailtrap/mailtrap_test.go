package mailtrap

import (
	"fmt"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:Mailtrap-Signature"}}
	settings = providers.Set("signing_secret", "0123456789abcdef0123456789abcdef")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func BenchmarkBatch(b *testing.B) {
	items := make([]string, 1000)
	for i := range items {
		items[i] = one("bounce", fmt.Sprintf(`"bounce_category":"badrecipient","response":"5.1.1 unknown","response_code":550,"message_id":"m%d"`, i))
	}
	a, err := New(settings)
	if err != nil {
		b.Fatal(err)
	}
	r := &providers.Request{Body: []byte(`{"events":[` + strings.Join(items, ",") + `]}`)}
	b.ReportAllocs()
	for b.Loop() {
		if events, err := a.Parse(r); err != nil || len(events) != 1000 {
			b.Fatal(len(events), err)
		}
	}
}

func one(kind, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"event":"` + kind + `","timestamp":1767607201,"event_id":"e","email":"a@example.com","sending_stream":"bulk"` + more + `}`
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "array", Body: "[" + one("spam", "") + "," + one("delivery", "") + "]", Want: "complaint a@example.com; delivered a@example.com"},
		{Name: "one event", Body: one("spam", ""), Want: "complaint a@example.com"},
		{Name: "spam as the screens call it", Body: one("spam complaint", ""), Want: "complaint a@example.com"},
		{Name: "one event and a line end", Body: one("spam", "") + "\n", Want: "complaint a@example.com"},
		{Name: "lines", Body: one("spam", "") + "\r\n\r\n" + one("delivery", "") + "\n", Want: "complaint a@example.com; delivered a@example.com"},
		{Name: "a bad line", Body: one("spam", "") + "\n{\"event\n" + one("delivery", "") + "\n", Want: "complaint a@example.com; delivered a@example.com; !unreadable"},
		{Name: "pretty", Body: "{\n\"events\": [\n{\n\"event\": \"spam\",\n\"email\": \"a@example.com\", \"event_id\": 7\n}\n]\n}\n", Want: "complaint a@example.com"},
		{Name: "pretty array", Body: "[\n{\n\"event\": \"spam\",\n\"email\": \"a@example.com\", \"event_id\": 7\n}\n]\n", Want: "complaint a@example.com"},
		{Name: "empty batch", Body: `{"events":[]}`},
		{Name: "null batch", Body: `{"events":null}`, Want: "!unreadable"},
		{Name: "a null among events", Body: `{"events":[null,` + one("spam", "") + `]}`, Want: "complaint a@example.com; !unreadable"},
		{Name: "no email", Body: `{"events":[{"event":"spam","event_id":"e"},` + one("delivery", "") + `]}`, Want: "delivered a@example.com; !no_recipient"},
		{Name: "bad email", Body: `{"events":[{"event":"spam","event_id":"e","email":"nobody"}]}`, Want: "!bad_recipient"},
		{Name: "audit log", Body: `{"events":[{"event":"activity_log.created","timestamp":1}]}`},
		{Name: "unsubscribe", Body: one("unsubscribe", ""), Want: "opt_out a@example.com bulk"},
		{Name: "soft with hyphen", Body: one("Soft-Bounce", ""), Want: "soft_bounce a@example.com"},
		{Name: "soft with underscore", Body: one("soft_bounce", ""), Want: "soft_bounce a@example.com"},
		{Name: "soft with badrecipient", Body: one("soft bounce", `"bounce_category":"badrecipient","response":"5.1.1 user unknown"`), Want: "soft_bounce a@example.com badrecipient"},
		{Name: "badrecipient", Body: one("bounce", `"bounce_category":"badrecipient"`), Want: "hard_bounce a@example.com badrecipient"},
		{Name: "documented spam", Body: one("bounce", `"bounce_category":"spam","response_code":555,"response":"bounced as spam"`), Want: "soft_bounce a@example.com spam"},
		{Name: "no category", Body: one("bounce", ""), Want: "soft_bounce a@example.com"},
		{Name: "code as text", Body: one("bounce", `"response_code":"550","response":"no such user"`), Want: "hard_bounce a@example.com"},
		{Name: "dns, no domain", Body: one("bounce", `"bounce_category":"dnsFail","response":"5.1.2 no such domain"`), Want: "hard_bounce a@example.com dnsFail"},
		{Name: "typed variables", Body: one("spam", `"custom_variables":{"a":1,"b":true,"c":"d"}`), Want: "complaint a@example.com"},
	}
	for category, proven := range map[string]string{
		"": "hard", "other": "hard", "generalfail": "hard", "serverfail": "hard", "dnsFail": "hard", "verifyfail": "hard", "badrecipient": "hard",
		"overquota": "soft", "timeout": "soft", "transientfail": "soft", "greylisting": "soft", "badsender": "soft", "block": "soft", "content": "soft", "spam": "soft",
		"spam_gmail": "soft", "serverpolicy": "soft", "relayfail": "soft", "somethingnew": "soft",
	} {
		tail := "_bounce a@example.com"
		if category != "" {
			tail += " " + category
		}
		vague := "soft"
		if category == "badrecipient" {
			vague = "hard"
		}
		cases = append(cases,
			providertest.Case{Name: "proven " + category, Body: one("bounce", `"bounce_category":"`+category+`","response_code":550,"response":"5.1.1 user unknown"`), Want: proven + tail},
			providertest.Case{Name: "vague " + category, Body: one("bounce", `"bounce_category":"`+category+`","response_code":550,"response":"rejected"`), Want: vague + tail})
	}
	cases = append(cases, providertest.Case{Name: "verifyfail, other code", Body: one("bounce", `"bounce_category":"verifyfail","response":"550 5.1.2 no such domain"`), Want: "soft_bounce a@example.com verifyfail"})
	for _, kind := range []string{"suspension", "reject", "open", "click", "new"} {
		cases = append(cases, providertest.Case{Name: kind, Body: one(kind, `"reason":"Recipient in suppression list. Reason: hard bounce"`)})
	}
	providertest.Table(t, Info, settings, cases)
}
