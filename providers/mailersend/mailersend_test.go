package mailersend

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:Signature"}}
	settings = providers.Set("signing_secret", "ms_test_secret_0123456789")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func flat(kind, meta string) string {
	return `{"type":"activity.` + kind + `","created_at":"2026-01-05T10:00:01.000000Z","data":{"id":"e1","message_id":"m1","type":"` + kind + `","email":"a@example.com","tags":null,"meta":` + meta + `}}`
}

func nest(kind, morph string) string {
	return `{"type":"activity.` + kind + `","created_at":"2026-01-05T10:00:01.000000Z","webhook_id":"w","data":{"object":"activity","id":"e1","type":"` + kind + `","created_at":"2026-01-05T10:00:01.000000Z",` +
		`"email":{"object":"email","id":"x","status":"rejected","tags":null,"message":{"id":"m1"},"recipient":{"object":"recipient","email":"a@example.com"}},"morph":` + morph + `}}`
}

func why(reason string) string { return `{"object":"recipient_bounce","reason":"` + reason + `"}` }

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "no email", Body: `{"type":"activity.spam_complaint","data":{"id":"e1","email":null}}`, Want: "!no_recipient"},
		{Name: "no data", Body: `{"type":"activity.spam_complaint"}`, Want: "!no_recipient"},
		{Name: "nested without a recipient", Body: `{"type":"activity.spam_complaint","data":{"id":"e1","email":{"recipient":null}}}`, Want: "!no_recipient"},
		{Name: "bad address", Body: `{"type":"activity.spam_complaint","data":{"id":"e1","email":"nobody"}}`, Want: "!bad_recipient"},
		{Name: "no type", Body: `{"data":{"email":"a@example.com"}}`, Want: "!unreadable"},
		{Name: "only the bare type", Body: `{"data":{"id":"e1","type":"spam_complaint","email":"a@example.com"}}`, Want: "complaint a@example.com spam_complaint"},
		{Name: "no id", Body: `{"type":"activity.delivered","created_at":"2026-01-05 10:00:01","data":{"message_id":"m1","email":"a@example.com"}}`, Want: "delivered a@example.com delivered"},
		{Name: "meta and morph", Body: `{"type":"activity.hard_bounced","data":{"id":"e1","email":"a@example.com","meta":{},"morph":` + why("554 5.7.1 blocked") + `}}`, Want: "soft_bounce a@example.com hard_bounced"},
		{Name: "readable reason only", Body: flat("hard_bounced", `{"readable_reason":"Mailbox full"}`), Want: "soft_bounce a@example.com hard_bounced"},
		{Name: "ping", Body: `{"type":"webhook.test","message":"This is a ping test message","created_at":"2026-01-05T10:00:00.000000Z"}`},
	}
	for kind, want := range map[string]string{
		"hard_bounced": "hard_bounce", "soft_bounced": "soft_bounce", "deferred": "soft_bounce", "spam_complaint": "complaint", "delivered": "delivered", "unsubscribed": "opt_out",
		"sent": "", "opened": "", "opened_unique": "", "clicked": "", "clicked_unique": "", "survey_opened": "", "survey_submitted": "", "suppressed": "", "new": "",
	} {
		if want != "" {
			want += " a@example.com"
			if kind != "unsubscribed" {
				want += " " + kind
			}
		}
		cases = append(cases,
			providertest.Case{Name: kind + " flat", Body: flat(kind, `[]`), Want: want},
			providertest.Case{Name: kind + " nested", Body: nest(kind, `null`), Want: want})
	}
	for _, kind := range []string{"recipient.on_hold_added", "recipient.on_hold_removed", "sender_identity.verified", "maintenance.start", "inbound_forward.failed", "email_single.verified", "bulk_email.completed", "sms.sent", "sms.delivered", "sms.failed", "delivered", "hard_bounced"} {
		cases = append(cases, providertest.Case{Name: "type " + kind, Body: `{"type":"` + kind + `","created_at":"2026-01-05 10:00:01","data":{"id":"e1","type":"hard_bounced","email":"a@example.com"}}`})
	}
	for reason, want := range map[string]string{
		"": "hard", "550 5.1.1 x": "hard", "5.1.2": "hard", "5.1.3": "hard", "5.1.6": "hard", "5.1.10": "hard", "550 user unknown": "hard", "no such user": "hard", "The account does not exist": "hard",
		"Host or domain name not found": "hard", "unknown": "hard",
		"554 5.7.1 x": "soft", "554 5.6.0 x": "soft", "rejected as spam": "soft", "blocked": "soft", "blacklisted": "soft", "policy": "soft", "SPF fail": "soft", "DKIM": "soft", "DMARC": "soft",
		"5.2.2": "soft", "mailbox full": "soft", "552 5.2.3 x": "soft", "5.3.4 too large": "soft", "452 4.2.2 x": "soft",
	} {
		w := want + "_bounce a@example.com hard_bounced"
		cases = append(cases,
			providertest.Case{Name: "flat reason " + reason, Body: flat("hard_bounced", why(reason)), Want: w},
			providertest.Case{Name: "nested reason " + reason, Body: nest("hard_bounced", why(reason)), Want: w})
	}
	providertest.Table(t, Info, settings, cases)
}
