package ahasend

import (
	"errors"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:Webhook-Signature", "header:Webhook-Timestamp", "header:Webhook-Id"}}
	settings = providers.Set("signing_secret", "aha-whsec-0123456789abcdefghijklmnopqrstuv") // TEST-ONLY
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func event(kind, to string) string {
	return `{"type":"` + kind + `","webhook_id":"w","timestamp":"2026-01-05T10:00:01.687031577Z","data":{"account_id":"a","event":"x","from":"news@example.net","recipient":` + to + `,"message_id_header":"m1@example.net","id":"5eed"}}`
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "no type but an event", Body: `{"data":{"event":"on_transient_error","id":"1","recipient":"a@example.com"}}`, Want: "soft_bounce a@example.com transient_error"},
		{Name: "no type", Body: `{"data":{"recipient":"a@example.com"}}`, Want: "!unreadable"},
		{Name: "no recipient", Body: event("message.bounced", "null"), Want: "!no_recipient"},
		{Name: "bad recipient", Body: event("message.bounced", `"nobody"`), Want: "!bad_recipient"},
		{Name: "no data", Body: `{"type":"message.bounced"}`, Want: "!no_recipient"},
	}
	for kind, want := range map[string]string{
		"message.bounced": "hard_bounce a@example.com bounced", "message.failed": "soft_bounce a@example.com failed", "message.transient_error": "soft_bounce a@example.com transient_error",
		"message.delivered":  "delivered a@example.com delivered",
		"message.suppressed": "", "message.reception": "", "message.opened": "", "message.clicked": "", "message.routing": "", "suppression.created": "", "domain.dns_error": "", "bounced": "", "message.new": "",
	} {
		cases = append(cases, providertest.Case{Name: kind, Body: event(kind, `"a@example.com"`), Want: want})
	}
	providertest.Table(t, Info, settings, cases)
}

// An attempt says more than the event: https://ahasend.com/docs/api-reference/webhooks/message-bounced
func TestAttempt(t *testing.T) {
	attempt := func(kind, attempt string) string {
		return strings.Replace(event(kind, `"a@example.com"`), `"id":`, `"delivery_attempt":`+attempt+`,"id":`, 1)
	}
	cases := []providertest.Case{
		{Name: "null", Body: attempt("message.bounced", `null`), Want: "hard_bounce a@example.com bounced"},
		{Name: "text", Body: attempt("message.bounced", `"550 5.7.1"`), Want: "hard_bounce a@example.com bounced"},
		{Name: "code alone", Body: attempt("message.bounced", `{"smtp_code":550}`), Want: "hard_bounce a@example.com 550"},
		{Name: "no code", Body: attempt("message.bounced", `{"smtp_code":0,"response":"connection reset before greeting"}`), Want: "soft_bounce a@example.com bounced"},
		{Name: "new class and policy", Body: attempt("message.bounced", `{"classification":"SomeFutureBucket","smtp_code":550,"enhanced_status_code":"5.7.1"}`), Want: "soft_bounce a@example.com 5.7.1"},
		{Name: "new class and no such user", Body: attempt("message.bounced", `{"classification":"SomeFutureBucket","smtp_code":550,"enhanced_status_code":"5.1.1"}`), Want: "hard_bounce a@example.com 5.1.1"},
		{Name: "code in the text", Body: attempt("message.bounced", `{"smtp_code":550,"response":"550 5.2.2 mailbox full"}`), Want: "soft_bounce a@example.com 5.2.2"},
		{Name: "delivered", Body: attempt("message.delivered", `{"smtp_code":250,"response":"2.0.0 OK"}`), Want: "delivered a@example.com delivered"},
		{Name: "transient", Body: attempt("message.transient_error", `{"smtp_code":421,"classification":"NoAnswerFromHost"}`), Want: "soft_bounce a@example.com 421"},
		{Name: "failed", Body: attempt("message.failed", `{"smtp_code":550,"enhanced_status_code":"5.1.1","classification":"InvalidRecipient"}`), Want: "soft_bounce a@example.com 5.1.1"},
	}
	for class, want := range map[string]string{
		"InvalidRecipient": "hard", "BadDomain": "hard", "InactiveMailbox": "hard", "Uncategorized": "hard", "": "hard", "SomeFutureBucket": "soft",
		"InvalidSender": "soft", "QuotaIssues": "soft", "NoAnswerFromHost": "soft", "BadConnection": "soft", "DNSFailure": "soft", "RoutingErrors": "soft", "TransientFailure": "soft",
		"MessageExpired": "soft", "ProtocolErrors": "soft", "AuthenticationFailed": "soft", "PolicyRelated": "soft",
	} {
		cases = append(cases, providertest.Case{Name: "class " + class, Body: attempt("message.bounced", `{"classification":"`+class+`","smtp_code":550}`), Want: want + "_bounce a@example.com 550"})
	}
	providertest.Table(t, Info, settings, cases)
}

func TestBouncedSetting(t *testing.T) {
	soft := providers.Set("signing_secret", "x", bouncedSetting, "soft_bounce")
	providertest.Table(t, Info, soft, []providertest.Case{{Name: "bounced", Body: event("message.bounced", `"a@example.com"`), Want: "soft_bounce a@example.com bounced"}})
	if _, err := New(providers.Set("signing_secret", "x", bouncedSetting, "complaint")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("a wrong choice: %v", err)
	}
}
