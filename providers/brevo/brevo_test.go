package brevo

import (
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{Signature: []string{"header:Authorization"}, BodyUnsigned: "the token stands beside the body"}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func one(kind, more string) string {
	return `{"event":"` + kind + `","email":"a@example.com","id":1,"message-id":"<m@x>","ts_event":1772615703` + more + `}`
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "array", Body: `[` + one("spam", "") + `,7,{"email":"a@example.com"},` + one("delivered", "") + `]`, Want: "complaint a@example.com spam; delivered a@example.com delivered; !unreadable; !unreadable"},
		{Name: "empty array", Body: `[]`},
		{Name: "under events", Body: `{"events":[` + one("spam", "") + `,` + one("delivered", "") + `]}`, Want: "complaint a@example.com spam; delivered a@example.com delivered"},
		{Name: "a bad item under events", Body: `{"events":[` + one("spam", "") + `,{"event":"spam","event":"delivered"}]}`, Want: "complaint a@example.com spam; !unreadable"},
		{Name: "under items", Body: `{"items":[` + one("spam", "") + `]}`, Want: "complaint a@example.com spam"},
		{Name: "inbound mail", Body: `{"items":[{"Uuid":["u"],"MessageId":"<m@x>","From":{"Name":"A","Address":"a@example.com"},"Subject":"hi"}]}`},
		{Name: "SMS", Body: `{"id":1,"to":"358401234567","sms_count":1,"credits_used":1,"messageId":2,"remaining_credit":3,"msg_status":"hard_bounce","bounce_type":"hard","date":"2026-01-05 10:00:00"}`},
		{Name: "SMS with event", Body: `{"event":"hard_bounce","to":"358401234567","msg_status":"hard_bounce"}`},
		{Name: "empty object", Body: `{}`},
		{Name: "several addresses", Body: `{"event":"spam","email":["a@example.com","b@example.com"],"ts_event":1}`, Want: "complaint a@example.com spam; complaint b@example.com spam"},
		{Name: "no recipient", Body: `{"event":"spam","email":null}`, Want: "!no_recipient"},
		{Name: "bad recipient", Body: `{"event":"spam","email":"nobody"}`, Want: "!bad_recipient"},
		{Name: "marketing, lists", Body: `{"event":"unsubscribe","email":"a@example.com","camp_id":30,"campaign name":"x","list_id":[3,42],"ts_event":1772619600}`, Want: "opt_out a@example.com 3,42"},
		{Name: "marketing, one list", Body: `{"event":"unsubscribe","email":"a@example.com","list_id":3}`, Want: "opt_out a@example.com 3"},
		{Name: "no reason", Body: one("hard_bounce", ""), Want: "hard_bounce a@example.com hard_bounce"},
		{Name: "invalid with a reason", Body: one("invalid_email", `,"reason":"blocked"`), Want: "hard_bounce a@example.com invalid_email"},
		{Name: "unknown bounce", Body: one("bounced_again", ""), Want: "soft_bounce a@example.com bounced_again"},
	}
	for kind, want := range map[string]string{
		"hard_bounce": "hard_bounce", "hardBounce": "hard_bounce", "hardbounce": "hard_bounce", "hard-bounce": "hard_bounce", "Hard Bounce": "hard_bounce",
		"invalid_email": "hard_bounce", "invalid": "hard_bounce", "invalidEmail": "hard_bounce",
		"soft_bounce": "soft_bounce", "softBounce": "soft_bounce", "deferred": "soft_bounce", "blocked": "soft_bounce", "error": "soft_bounce",
		"spam": "complaint", "complaint": "complaint", "delivered": "delivered",
		"unsubscribed": "opt_out", "unsubscribe": "opt_out",
		"list_addition": "", "listAddition": "", "contact_deleted": "", "contact_updated": "", "request": "", "sent": "", "click": "", "opened": "", "unique_opened": "",
		"uniqueOpened": "", "proxy_open": "", "unique_proxy_open": "", "reply": "", "new": "",
	} {
		if want != "" {
			want += " a@example.com"
			if kind != "unsubscribed" && kind != "unsubscribe" {
				want += " " + kind
			}
		}
		cases = append(cases, providertest.Case{Name: "event " + kind, Body: one(kind, `,"reason":"550 5.1.1 user unknown"`), Want: want})
	}
	for reason, want := range map[string]string{
		"550 5.1.1 user unknown": "hard", "550 5.2.1 x": "hard", "550 5.0.0 x": "hard", "550 5.4.4 x": "hard", "unknown": "hard", "user unknown": "hard", "550": "hard",
		"552 5.2.2 x": "soft", "552 5.2.3 x": "soft", "552 5.3.4 x": "soft", "550 5.7.1 x": "soft", "550 5.7.26 x": "soft", "450 4.2.1 x": "soft", "421 4.7.0 x": "soft", "451 try later": "soft",
		"mailbox over quota": "soft", "mailbox full": "soft", "550 mailbox full": "soft", "rejected as spam": "soft", "550 5.1.1 blocked": "soft", "on a blacklist": "soft", "550 policy": "soft",
	} {
		cases = append(cases, providertest.Case{Name: "reason " + reason, Body: one("hard_bounce", `,"reason":"`+reason+`"`), Want: want + "_bounce a@example.com hard_bounce"})
	}
	providertest.Table(t, Info, providers.Set(), cases)
}

func TestTimes(t *testing.T) {
	for body, want := range map[string]string{
		one("spam", `,"ts_epoch":1772615703123`):                                                                  "2026-03-04T09:15:03.123Z",
		one("spam", `,"ts_epoch":1772615703`):                                                                     "2026-03-04T09:15:03Z",
		one("spam", `,"ts_epoch":"1772615703000"`):                                                                "2026-03-04T09:15:03Z",
		one("spam", `,"ts":1,"date":"2026-03-04 10:15:03"`):                                                       "2026-03-04T09:15:03Z",
		`{"event":"spam","email":"a@example.com","ts":1772615703,"ts_sent":1772615703,"date":"2026-03-04 10:15"}`: "",
	} {
		events, err := adapter{}.Parse(&providers.Request{Body: []byte(body)})
		if err != nil || len(events) != 1 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		got := ""
		if at := events[0].At; !at.IsZero() {
			got = at.Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%s: at %s, want %s", body, got, want)
		}
	}
}
