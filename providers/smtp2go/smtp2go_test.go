package smtp2go

import (
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{Signature: []string{"header:Authorization"}, BodyUnsigned: "the token stands beside the body"}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

// both makes the same report in JSON and as a form: they must read the same.
func both(name, want string, pairs ...string) []providertest.Case {
	object, form := map[string]any{"recipients": []string{"a@example.com", "other@example.com"}}, url.Values{"recipients": {"a@example.com", "other@example.com"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		object[pairs[i]] = pairs[i+1]
		form.Set(pairs[i], pairs[i+1])
	}
	body, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return []providertest.Case{
		{Name: name + ", JSON", Body: string(body), Want: want},
		{Name: name + ", form", Body: form.Encode(), Header: []string{"Content-Type", "application/x-www-form-urlencoded"}, Want: want},
	}
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "nothing", Body: ""},
		{Name: "no event", Body: `{"rcpt":"a@example.com"}`, Want: "!unreadable"},
		{Name: "nulls", Body: `{"event":"bounce","rcpt":"a@example.com","bounce":null,"message":null,"email_id":7,"X-Own":{"a":[1]}}`, Want: "soft_bounce a@example.com"},
		{Name: "array", Body: `[{"event":"spam","rcpt":"a@example.com"},7,{"event":"spam"}]`, Want: "complaint a@example.com; !unreadable; !no_recipient"},
	}
	add := func(name, want string, pairs ...string) { cases = append(cases, both(name, want, pairs...)...) }
	mail := func(name, want string, pairs ...string) {
		add(name, want, append(pairs, "rcpt", "a@example.com", "email_id", "e1", "time", "2026-01-05T10:00:00Z", "id", "w1")...)
	}
	mail("hard", "hard_bounce a@example.com hard", "event", "bounce", "bounce", "hard", "message", "550 5.1.1 User unknown")
	mail("hard without a message", "hard_bounce a@example.com hard", "event", "bounce", "bounce", "Hard")
	mail("hard for an unknown reason", "hard_bounce a@example.com hard", "event", "bounce", "bounce", "hard", "message", "550 no")
	for _, reply := range []string{"550 5.7.1 x", "554 5.6.0 x", "552 5.2.2 x", "552 5.2.3 x", "552 5.3.4 x", "550 rejected as spam", "550 5.1.1 blocked by policy", "mailbox full", "450 4.2.0 x"} {
		mail("hard, "+reply, "soft_bounce a@example.com hard", "event", "bounce", "bounce", "hard", "message", reply)
	}
	mail("soft", "soft_bounce a@example.com soft", "event", "bounce", "bounce", "soft", "message", "550 5.1.1 User unknown")
	mail("bounce without a verdict", "soft_bounce a@example.com", "event", "bounce", "message", "550 5.1.1 User unknown")
	mail("another verdict", "soft_bounce a@example.com odd", "event", "bounce", "bounce", "odd")
	mail("spam", "complaint a@example.com", "event", "spam")
	mail("unsubscribe", "opt_out a@example.com", "event", "unsubscribe")
	mail("resubscribe", "reactivation a@example.com", "event", "resubscribe")
	mail("delivered", "delivered a@example.com", "event", "Delivered")
	for _, event := range []string{"reject", "processed", "open", "click", "new", "sms_submitted", "sms_sending"} {
		mail(event, "", "event", event, "bounce", "hard", "message", "550 5.1.1 User unknown")
	}
	add("with a name", "complaint a@example.com", "event", "spam", "rcpt", "Anna <a@example.com>")
	add("bad recipient", "!bad_recipient", "event", "spam", "rcpt", "nobody")
	add("no recipient", "!no_recipient", "event", "spam")

	text := func(name, want string, pairs ...string) {
		add(name, want, append(pairs, "destination_number", "+358401234567", "source_number", "358401230000", "message_id", "m1", "received_timestamp", "2026-01-05 10:00:00")...)
	}
	text("SMS delivered", "delivered +358401234567 0", "event", "sms_delivered", "status_code", "0")
	text("SMS failed", "soft_bounce +358401234567 7", "event", "sms_failed", "status_code", "7")
	text("SMS rejected", "soft_bounce +358401234567", "event", "sms-rejected")
	text("SMS opt-out", "opt_out +358401234567 +358401230000", "event", "opt-out")
	text("SMS opt_out", "opt_out +358401234567 +358401230000", "event", "opt_out")
	add("bare number", "opt_out +358401234567", "event", "opt-out", "destination_number", "358401234567")
	add("no number", "!no_recipient", "event", "opt-out")
	providertest.Table(t, Info, providers.Set(), cases)
}

func TestTimes(t *testing.T) {
	for _, text := range []string{"2026-01-05T10:00:00Z", "2026-01-05T12:00:00+02:00", "2026-01-05 10:00:00", "1767607200"} {
		events, err := adapter{}.Parse(&providers.Request{Body: []byte(`{"event":"spam","rcpt":"a@example.com","time":"` + text + `","sendtime":"2026-01-05T09:00:00Z"}`)})
		if err != nil || len(events) != 1 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		if got, want := events[0].At, time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC); !got.Equal(want) {
			t.Errorf("%s: at %s, want %s", text, got, want)
		}
	}
}
