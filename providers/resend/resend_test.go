package resend

import (
	"fmt"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{Signature: []string{"header:Svix-Signature", "header:Svix-Id", "header:Svix-Timestamp"}}

// testSecret signs the fixtures and nothing else.
const testSecret = "whsec_c3RyaWtlb3V0LXJlc2VuZC10ZXN0LWtl" //nolint:gosec // for tests only

func TestAdapter(t *testing.T) {
	providertest.Run(t, Info, providers.Set("signing_secret", testSecret), options)
}

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func event(kind, data string) string {
	return `{"type":"` + kind + `","created_at":"2026-01-05T10:00:01.500Z","data":{"email_id":"m",` + data + `}}`
}

func bounced(typ, sub, message string) string {
	return event("email.bounced", fmt.Sprintf(`"to":["A <a@example.com>"],"bounce":{"message":%q,"type":%q,"subType":%q}`, message, typ, sub))
}

func TestKinds(t *testing.T) {
	const amazon = "The recipient's email provider sent a hard bounce message, but didn't specify the reason for the hard bounce. We recommend removing the recipient's email address from your mailing list. Sending messages to addresses that produce hard bounces can have a negative impact on your reputation as a sender."
	cases := []providertest.Case{
		{Name: "general", Body: bounced("Permanent", "General", amazon), Want: "hard_bounce a@example.com Permanent/General"},
		{Name: "no email", Body: bounced("Permanent", "NoEmail", ""), Want: "hard_bounce a@example.com Permanent/NoEmail"},
		{Name: "lower case", Body: bounced("permanent", "general", ""), Want: "hard_bounce a@example.com permanent/general"},
		{Name: "upper case", Body: event("EMAIL.BOUNCED", `"to":["a@example.com"],"bounce":{"type":"PERMANENT","subType":"GENERAL"}`), Want: "hard_bounce a@example.com PERMANENT/GENERAL"},
		{Name: "diagnosis", Body: event("email.bounced", `"to":["a@example.com"],"bounce":{"message":"x","type":"Permanent","subType":"General","diagnosticCode":["smtp; 550 5.1.1 user unknown"]}`),
			Want: "hard_bounce a@example.com Permanent/General"},
		{Name: "policy in the diagnosis", Body: event("email.bounced", `"to":["a@example.com"],"bounce":{"message":"x","type":"Permanent","subType":"General","diagnosticCode":["smtp; 550 5.7.1 rejected"]}`),
			Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "full in the diagnosis", Body: event("email.bounced", `"to":["a@example.com"],"bounce":{"type":"Permanent","subType":"General","diagnosticCode":"smtp; 550 mailbox full"}`),
			Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "new subtype", Body: bounced("Permanent", "Moon", ""), Want: "soft_bounce a@example.com Permanent/Moon"},
		{Name: "no subtype", Body: bounced("Permanent", "", ""), Want: "soft_bounce a@example.com Permanent"},
		{Name: "suppressed", Body: bounced("Permanent", "Suppressed", "")},
		{Name: "on the tenant's list", Body: bounced("Permanent", "OnTenantSuppressionList", "")},
		{Name: "on list", Body: bounced("Permanent", "OnAccountSuppressionList", "")},
		{Name: "undetermined", Body: bounced("Undetermined", "Undetermined", ""), Want: "soft_bounce a@example.com Undetermined/Undetermined"},
		{Name: "new type", Body: bounced("Cosmic", "General", ""), Want: "soft_bounce a@example.com Cosmic/General"},
		{Name: "old payload, hard", Body: event("email.bounced", `"to":["a@example.com"],"bounce":{"message":"`+amazon+`"}`), Want: "hard_bounce a@example.com"},
		{Name: "old payload, soft", Body: event("email.bounced", `"to":["a@example.com"],"bounce":{"message":"Mailbox full"}`), Want: "soft_bounce a@example.com"},
		{Name: "no bounce", Body: event("email.bounced", `"to":["a@example.com"]`), Want: "soft_bounce a@example.com"},
		{Name: "null bounce", Body: event("email.bounced", `"to":["a@example.com"],"bounce":null`), Want: "soft_bounce a@example.com"},
		{Name: "policy in the reply", Body: bounced("Permanent", "General", "550 5.7.1 rejected"), Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "full in the reply", Body: bounced("Permanent", "General", "552 5.2.2 over"), Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "too long in the reply", Body: bounced("Permanent", "General", "552 5.2.3 long"), Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "system in the reply", Body: bounced("Permanent", "General", "554 5.3.4 big"), Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "content in the reply", Body: bounced("Permanent", "General", "554 5.6.0 bad"), Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "veto in the reply", Body: bounced("Permanent", "General", "550 5.1.1 blocked by policy"), Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "temporary reply", Body: bounced("Permanent", "General", "452 4.2.2 x"), Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "reply that says nothing", Body: bounced("Permanent", "General", "550 5.5.0 x"), Want: "hard_bounce a@example.com Permanent/General"},
		{Name: "several recipients", Body: event("email.bounced", `"to":["a@example.com","b@example.com"],"bounce":{"type":"Permanent","subType":"General"}`),
			Want: "soft_bounce a@example.com Permanent/General; soft_bounce b@example.com Permanent/General"},
		{Name: "one recipient and a copy", Body: event("email.bounced", `"to":["a@example.com"],"cc":["b@example.com"],"bounce":{"type":"Permanent","subType":"General"}`),
			Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "recipient as text", Body: event("email.bounced", `"to":"a@example.com","bounce":{"type":"Permanent","subType":"General"}`), Want: "hard_bounce a@example.com Permanent/General"},
		{Name: "delayed", Body: event("email.delivery_delayed", `"to":["a@example.com"],"tags":[{"name":"a","value":"b"}]`), Want: "soft_bounce a@example.com"},
		{Name: "failed", Body: event("email.failed", `"to":["a@example.com"],"failed":{"reason":"reached_daily_quota"}`), Want: "soft_bounce a@example.com"},
		{Name: "complained", Body: event("email.complained", `"to":["a@example.com"]`), Want: "complaint a@example.com"},
		{Name: "one of two complained", Body: event("email.complained", `"to":["a@example.com","b@example.com"]`), Want: "!no_recipient"},
		{Name: "delivered", Body: event("email.delivered", `"to":["a@example.com","b@example.com"]`), Want: "delivered a@example.com; delivered b@example.com"},
		{Name: "unsubscribed", Body: event("contact.updated", `"email":"a@example.com","unsubscribed":true,"audience_id":"au"`), Want: "opt_out a@example.com au"},
		{Name: "contact edited", Body: event("contact.updated", `"email":"a@example.com","unsubscribed":false`)},
		{Name: "contact without an address", Body: event("contact.updated", `"unsubscribed":true`), Want: "!no_recipient"},
		{Name: "contact created", Body: event("contact.created", `"email":"a@example.com","unsubscribed":true`)},
		{Name: "no recipient", Body: event("email.complained", `"to":[]`), Want: "!no_recipient"},
		{Name: "bad recipient", Body: event("email.complained", `"to":["nobody"]`), Want: "!bad_recipient"},
		{Name: "no type", Body: `{"data":{"to":["a@example.com"]}}`, Want: "!unreadable"},
		{Name: "no data", Body: `{"type":"email.bounced"}`, Want: "!no_recipient"},
		{Name: "array", Body: `[{"type":"email.bounced"}]`, Want: "!unreadable"},
	}
	for _, sub := range []string{"General", "MailboxFull", "MessageTooLarge", "ContentRejected", "AttachmentRejected"} {
		cases = append(cases, providertest.Case{Name: "transient " + sub, Body: bounced("Transient", sub, "550 5.1.1 user unknown"), Want: "soft_bounce a@example.com Transient/" + sub})
	}
	for _, kind := range []string{"email.sent", "email.scheduled", "email.opened", "email.clicked", "email.received", "email.suppressed", "suppression.added", "suppression.removed", "contact.deleted", "domain.created", "email.new"} {
		cases = append(cases, providertest.Case{Name: kind, Body: event(kind, `"to":["a@example.com"],"email":"a@example.com"`)})
	}
	providertest.Table(t, Info, providers.Set("signing_secret", testSecret), cases)
}
