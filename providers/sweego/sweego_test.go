package sweego

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:Webhook-Signature", "header:Webhook-Timestamp", "header:Webhook-Id"}}
	settings = providers.Set("signing_secret", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v") // TEST-ONLY
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func mail(kind, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"event_type":"` + kind + `","timestamp":"2026-01-05T10:00:01.123456","swg_uid":"01-x","event_id":"not a uuid","channel":"email","recipient":"a@example.com"` + more + `}`
}

func rejected(verdict, reply string) string {
	return `"status":null,"response_code":null,"details":"Jan  5 10:00:01 mta-01 zone-mta: info Sender/default id=zq7.001 REJECTED[` + verdict + `] from=spam@policy.example to=a@example.com mx=blocked.example[192.0.2.25] id=<1@sender.example> (` + reply + `)"`
}

func short(kind string) string {
	return `{"event_type":"` + kind + `","timestamp":"2026-01-05T10:00:01+00:00","event_id":"e1","swg_uid":"u1","channel":"sms","phone_number":"+358401234567"}`
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "no channel", Body: `{"event_type":"complaint","event_id":"e1","recipient":"a@example.com"}`, Want: "complaint a@example.com complaint"},
		{Name: "no channel but a number", Body: `{"event_type":"sms_stop","event_id":"e1","phone_number":"358401234567"}`, Want: "opt_out +358401234567"},
		{Name: "another channel", Body: `{"event_type":"hard_bounce","event_id":"e1","channel":"rcs","recipient":"a@example.com"}`},
		{Name: "no recipient", Body: `{"event_type":"complaint","event_id":"e1","channel":"email"}`, Want: "!no_recipient"},
		{Name: "no number", Body: `{"event_type":"sms_stop","event_id":"e1","channel":"sms"}`, Want: "!no_recipient"},
		{Name: "bad address", Body: `{"event_type":"complaint","event_id":"e1","recipient":"nobody"}`, Want: "!bad_recipient"},
		{Name: "no type", Body: `{"recipient":"a@example.com"}`, Want: "!unreadable"},
		{Name: "no id", Body: `{"event_type":"complaint","swg_uid":"u","recipient":"a@example.com"}`, Want: "complaint a@example.com complaint"},
		{Name: "one click", Body: mail("list_unsub", `"one_click":true`), Want: "opt_out a@example.com"},
		{Name: "on a page", Body: mail("list-unsub", `"one_click":false`), Want: "opt_out a@example.com"},
		{Name: "hard without a reply", Body: mail("hard_bounce", `"details":""`), Want: "hard_bounce a@example.com hard_bounce"},
		{Name: "hard with nulls", Body: mail("hard-bounce", `"details":null,"status":null,"response_code":null`), Want: "hard_bounce a@example.com hard_bounce"},
		{Name: "hard by its status", Body: mail("hard_bounce", `"details":null,"status":"5.1.1","response_code":"550"`), Want: "hard_bounce a@example.com 5.1.1"},
		{Name: "policy by its status", Body: mail("hard_bounce", `"details":null,"status":"5.7.1","response_code":550`), Want: "soft_bounce a@example.com 5.7.1"},
		{Name: "details that are no log line", Body: mail("hard_bounce", `"details":"552 mailbox full"`), Want: "soft_bounce a@example.com 552"},
		{Name: "soft whatever it says", Body: mail("soft-bounce", rejected("other", "550 5.1.1 user unknown")), Want: "soft_bounce a@example.com soft_bounce"},
		{Name: "hard with a temporary code", Body: mail("hard_bounce", `"details":null,"response_code":452`), Want: "soft_bounce a@example.com 452"},
	}
	for _, kind := range []string{"email_sent", "email_opened", "email_clicked", "email_inbound", "sms_sent", "new"} {
		cases = append(cases, providertest.Case{Name: kind, Body: mail(kind, "")}, providertest.Case{Name: kind + " sms", Body: short(kind)})
	}
	for kind, want := range map[string]string{
		"sms_delivered": "delivered +358401234567 sms_delivered", "sms_undelivered": "soft_bounce +358401234567 sms_undelivered", "sms-failed": "soft_bounce +358401234567 sms_failed",
		"sms_stop": "opt_out +358401234567", "hard_bounce": "", "delivered": "",
	} {
		cases = append(cases, providertest.Case{Name: "sms " + kind, Body: short(kind), Want: want})
	}
	for reply, want := range map[string]string{
		"550 5.1.1 Invalid Recipient <a@example.com>": "hard_bounce a@example.com 5.1.1", "550 5.1.1 unknown (see https://example.net) now": "hard_bounce a@example.com 5.1.1",
		"550 5.1.2 x": "hard_bounce a@example.com 5.1.2", "550 user unknown": "hard_bounce a@example.com 550", "550 no": "hard_bounce a@example.com 550",
		"550 5.7.1 no": "soft_bounce a@example.com 5.7.1", "550 spam": "soft_bounce a@example.com 550", "554 policy": "soft_bounce a@example.com 554", "550 blocked": "soft_bounce a@example.com 550",
		"552 5.2.2 full": "soft_bounce a@example.com 5.2.2", "452 4.2.2 quota": "soft_bounce a@example.com 4.2.2", "550 5.6.0 content": "soft_bounce a@example.com 5.6.0",
	} {
		cases = append(cases, providertest.Case{Name: "reply " + reply, Body: mail("hard_bounce", rejected("other", reply)), Want: want})
	}
	cases = append(cases,
		providertest.Case{Name: "capacity", Body: mail("hard_bounce", rejected("capacity", "550 no")), Want: "soft_bounce a@example.com 550"},
		providertest.Case{Name: "spam by the server's own verdict", Body: mail("hard_bounce", rejected("spam", "550 no")), Want: "soft_bounce a@example.com 550"})
	providertest.Table(t, Info, settings, cases)
}
