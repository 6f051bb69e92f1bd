package mailomat

import (
	"errors"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options = providertest.Options{Signature: []string{"header:X-Mom-Webhook-Signature", "header:X-Mom-Webhook-Id", "header:X-Mom-Webhook-Event", "header:X-Mom-Webhook-Timestamp"},
		BodyUnsigned: "Mailomat signs the id, the event and the time of the headers"}
	settings = providers.Set("signing_secret", "mailomat-test-secret-0001")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func report(kind, payload string) string {
	return `{"id":"e1","eventType":"` + kind + `","occurredAt":"2026-01-05T10:00:01+00:00","messageUuid":"u1","messageId":"m1@example.net","recipient":"a@example.com","payload":` + payload + `}`
}

func status(code, enhanced, message string) string {
	return `{"delivery-status":{"attempt-nr":1,"code":` + code + `,"enhanced-code":` + enhanced + `,"message":"` + message + `"}}`
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "no recipient", Body: `{"id":"e1","eventType":"failure_tmp"}`, Want: "!no_recipient"},
		{Name: "bad recipient", Body: `{"id":"e1","eventType":"failure_tmp","recipient":"nobody"}`, Want: "!bad_recipient"},
		{Name: "no type", Body: `{"id":"e1","recipient":"a@example.com"}`, Want: "!unreadable"},
		{Name: "type in the header", Body: `{"id":"e1","recipient":"a@example.com"}`, Header: []string{"X-MOM-Webhook-Event", "delivered"}, Want: "delivered a@example.com delivered"},
		{Name: "no id", Body: `{"eventType":"delivered","recipient":"a@example.com"}`, Want: "delivered a@example.com delivered"},
	}
	for kind, want := range map[string]string{
		"failure_perm": "soft_bounce a@example.com failure_perm", "failure_tmp": "soft_bounce a@example.com failure_tmp", "delivered": "delivered a@example.com delivered",
		"not_accepted": "", "accepted": "", "opened": "", "clicked": "", "new": "",
	} {
		for _, empty := range []string{"[]", "null", "{}", `""`, `{"delivery-status":null}`, `{"delivery-status":[]}`} {
			cases = append(cases, providertest.Case{Name: kind + " " + empty, Body: report(kind, empty), Want: want})
		}
	}
	for _, c := range []struct{ payload, want string }{
		{status("550", `"5.1.1"`, "User unknown"), "hard_bounce a@example.com 5.1.1"}, {status(`"550"`, `"5.1.1"`, ""), "hard_bounce a@example.com 5.1.1"}, {status("550", "null", "no such user"), "hard_bounce a@example.com 550"},
		{status("550", `"5.1.2"`, ""), "hard_bounce a@example.com 5.1.2"}, {status("550", `"5.2.1"`, "account disabled"), "hard_bounce a@example.com 5.2.1"},
		{status("550", `"5.2.1"`, ""), "soft_bounce a@example.com 5.2.1"}, {status("554", `"5.7.1"`, "Message content rejected"), "soft_bounce a@example.com 5.7.1"},
		{status("552", `"5.2.2"`, "full"), "soft_bounce a@example.com 5.2.2"}, {status("450", `"4.1.1"`, "user unknown"), "soft_bounce a@example.com 4.1.1"}, {status("550", "null", "no"), "soft_bounce a@example.com 550"},
		{`{"reason":"550 5.1.1 no such user"}`, "hard_bounce a@example.com 5.1.1"}, {`{"reason":"blocked as spam"}`, "soft_bounce a@example.com failure_perm"},
		{`{"delivery-status":{"code":554,"enhanced-code":"5.7.1","message":"no"},"reason":"user unknown"}`, "soft_bounce a@example.com 5.7.1"},
		{`{"delivery-status":{"code":550},"reason":"user unknown"}`, "hard_bounce a@example.com 550"}, {`{"delivery-status":{"code":550,"message":"no"},"reason":"user unknown"}`, "hard_bounce a@example.com 550"},
		{`{"delivery-status":{"code":450},"reason":"user unknown"}`, "soft_bounce a@example.com 450"},
	} {
		cases = append(cases, providertest.Case{Name: "failure_perm " + c.payload, Body: report("failure_perm", c.payload), Want: c.want},
			providertest.Case{Name: "failure_tmp " + c.payload, Body: report("failure_tmp", c.payload), Want: strings.Replace(strings.Replace(c.want, "hard", "soft", 1), "failure_perm", "failure_tmp", 1)},
			providertest.Case{Name: "not_accepted " + c.payload, Body: report("not_accepted", c.payload)})
	}
	providertest.Table(t, Info, settings, cases)
}

func TestTrust(t *testing.T) {
	providertest.Table(t, Info, providers.Set("signing_secret", "x", trustSetting, trusted), []providertest.Case{
		{Name: "no reply", Body: report("failure_perm", "[]"), Want: "hard_bounce a@example.com failure_perm"},
		{Name: "policy", Body: report("failure_perm", status("554", `"5.7.1"`, "no")), Want: "soft_bounce a@example.com 5.7.1"},
		{Name: "temporary", Body: report("failure_tmp", "[]"), Want: "soft_bounce a@example.com failure_tmp"},
	})
	if _, err := New(providers.Set("signing_secret", "x", trustSetting, "yes")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("a wrong choice: %v", err)
	}
}
