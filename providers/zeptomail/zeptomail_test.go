package zeptomail

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:Producer-Signature"}}
	settings = providers.Set("signing_secret", "zepto_test_auth_key_0001")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

const people = `"to":[{"email_address":{"address":"a@example.com","name":""}}]`

// one makes a webhook about one mail.
func one(names, info, data string) string {
	return `{"event_name":` + names + `,"event_message":[{"email_info":{` + info + `},"event_data":` + data + `,"request_id":"r1"}],"webhook_request_id":"w1"}`
}

func bounced(object, detail string) string {
	return `[{"details":[{"time":"2026-01-05T10:00:00Z"` + detail + `}],"object":"` + object + `"}]`
}

func TestKinds(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	gone := bounced("hardbounce", `,"bounced_recipient":"b@example.com","diagnostic_message":"smtp; 550 5.1.1 User unknown"`)
	whole := one(`["hardbounce"]`, people, gone)
	const want = "hard_bounce b@example.com hardbounce"
	cases := []providertest.Case{
		{Name: "JSON", Body: whole, Want: want},
		{Name: "form data", Body: "data=" + url.QueryEscape(whole), Header: form, Want: want},
		{Name: "form eventData", Body: "eventData=" + url.QueryEscape(whole), Header: form, Want: want},
		{Name: "form, any name", Body: "x=" + url.QueryEscape(whole), Header: form, Want: want},
		{Name: "form, several fields", Body: "a=1&data=" + url.QueryEscape(whole) + "&b=2", Header: form, Want: want},
		{Name: "form, not encoded", Body: "data=" + whole, Header: form, Want: want},
		{Name: "encoded without a name", Body: url.QueryEscape(whole), Want: want},
		{Name: "no JSON", Body: "data=1", Header: form, Want: "!unreadable"},
		{Name: "no event", Body: `{}`, Want: "!unreadable"},
		{Name: "no message", Body: `{"event_name":["hardbounce"]}`, Want: "!no_recipient"},
		{Name: "nothing of ours", Body: `{"event_name":["email_open"]}`},
		{Name: "name as text", Body: one(`"hardbounce"`, people, gone), Want: want},
		{Name: "everything as one object", Body: `{"event_name":"softbounce","event_message":{"email_info":{"to":{"email_address":[{"address":"a@example.com"}]}},"event_data":{"object":"softbounce","details":{"reason":"x"}},"request_id":1}}`, Want: "soft_bounce a@example.com softbounce"},
		{Name: "info as an array", Body: `{"event_name":"hardbounce","event_message":{"email_info":[{` + people + `}],"event_data":null}}`, Want: "hard_bounce a@example.com hardbounce"},
		{Name: "no info", Body: `{"event_name":"hardbounce","event_message":[{"event_data":null}]}`, Want: "!no_recipient"},
		{Name: "the only recipient", Body: one(`["hardbounce"]`, people+`,"cc":[],"bcc":null`, bounced("hardbounce", "")), Want: "hard_bounce a@example.com hardbounce"},
		{Name: "no details", Body: one(`["hardbounce"]`, people, `[{"object":"hardbounce"}]`), Want: "hard_bounce a@example.com hardbounce"},
		{Name: "no data", Body: one(`["hardbounce"]`, people, `null`), Want: "hard_bounce a@example.com hardbounce"},
		{Name: "with a copy", Body: one(`["hardbounce"]`, people+`,"cc":[{"email_address":{"address":"c@example.com"}}]`, bounced("hardbounce", "")), Want: "!no_recipient"},
		{Name: "two recipients", Body: one(`["feedback loop"]`, `"to":[{"email_address":{"address":"a@example.com"}},{"email_address":{"address":"c@example.com"}}]`, bounced("fbl_complaint", "")), Want: "!no_recipient"},
		{Name: "two recipients, one named", Body: one(`["hardbounce"]`, `"to":[{"email_address":[{"address":"a@example.com"},{"address":"b@example.com"}]}]`, gone), Want: want},
		{Name: "delivered to several", Body: one(`["delivered"]`, people+`,"bcc":[{"email_address":{"address":"c@example.com"}}]`, bounced("delivered", ""))},
		{Name: "several details", Body: one(`["softbounce"]`, people, `[{"object":"softbounce","details":[{"bounced_recipient":"b@example.com"},{"bounced_recipient":"<c@example.com>"}]}]`), Want: "soft_bounce b@example.com softbounce; soft_bounce c@example.com softbounce"},
		{Name: "several messages", Body: `{"event_name":["softbounce","delivered"],"event_message":[{"email_info":{` + people + `}},{"email_info":{` + people + `}}]}`, Want: "soft_bounce a@example.com softbounce; delivered a@example.com delivered"},
		{Name: "bad recipient", Body: one(`["hardbounce"]`, people, bounced("", `,"bounced_recipient":"nobody"`)), Want: "!bad_recipient"},
		{Name: "made up", Body: one(`["hardbounce"]`, people+`,"client_reference":"customer-unique-id"`, gone)},
		{Name: "made up people", Body: one(`["hardbounce"]`, people, bounced("hardbounce", `,"bounced_recipient":"rebecca@zylker.com"`))},
		{Name: "object says complaint", Body: one(`["softbounce"]`, people, bounced("fbl_complaint", "")), Want: "complaint a@example.com softbounce"},
		{Name: "object only", Body: one(`["new"]`, people, bounced("hardbounce", "")), Want: "hard_bounce a@example.com new"},
	}
	for word, want := range map[string]string{
		"hardbounce": "hard_bounce", "email_hardbounce": "hard_bounce", "hard bounce": "hard_bounce", "Hard-Bounce": "hard_bounce", "softbounce": "soft_bounce", "email_softbounce": "soft_bounce",
		"feedback loop": "complaint", "feedbackloop": "complaint", "fbl_complaint": "complaint", "delivered": "delivered", "email_delivered": "delivered",
		"email_open": "", "email_link_click": "", "unsubscribe": "", "new": "",
	} {
		if want != "" {
			want += " a@example.com " + word
		}
		cases = append(cases, providertest.Case{Name: "event " + word, Body: one(`["`+word+`"]`, people, bounced("", `,"diagnostic_message":"550 5.1.1 User unknown"`)), Want: want})
	}
	for text, want := range map[string]string{
		"": "hard", "smtp; 550 5.1.1 User unknown": "hard", "no such user": "hard", "failed": "hard",
		"550 5.7.1 x": "soft", "rejected as spam": "soft", "policy": "soft", "blocked": "soft", "552 5.2.2 x": "soft", "Mailbox full": "soft", "552 5.3.4 message too large": "soft", "too large": "soft",
	} {
		for _, field := range []string{"diagnostic_message", "reason"} {
			cases = append(cases, providertest.Case{Name: field + " " + text, Body: one(`["hardbounce"]`, people, bounced("hardbounce", `,"`+field+`":"`+text+`"`)), Want: want + "_bounce a@example.com hardbounce"})
		}
	}
	cases = append(cases, providertest.Case{Name: "soft stays soft", Body: one(`["softbounce"]`, people, gone), Want: "soft_bounce b@example.com softbounce"})
	providertest.Table(t, Info, settings, cases)
}

func TestSettings(t *testing.T) {
	if _, err := New(providers.Set("signing_secret", "x", "test_calls", "some")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("test_calls: %v", err)
	}
	if _, err := New(providers.Set("auth_token", "x")); err != nil {
		t.Errorf("auth_token alone: %v", err)
	}
}

// TestTestCalls: what is answered before the webhook can be saved, and what is not.
func TestTestCalls(t *testing.T) {
	real, sample := one(`["hardbounce"]`, people, "[]"), one(`["hardbounce"]`, people+`,"client_reference":"customer-unique-id"`, "[]")
	tests := []struct {
		name, method, body string
		settings           providers.Settings
		signed, answered   bool
	}{
		{"GET", "GET", "", settings, false, true},
		{"HEAD", "HEAD", "", settings, false, true},
		{"empty post", "POST", "", settings, false, true},
		{"other post", "POST", "test=1", settings, false, true},
		{"made-up event", "POST", sample, settings, false, true},
		{"made-up event in a form", "POST", "data=" + url.QueryEscape(sample), settings, false, true},
		{"event", "POST", real, settings, false, false},
		{"event in a form", "POST", "data=" + url.QueryEscape(real), settings, false, false},
		{"signed made-up event", "POST", sample, settings, true, false},
		{"event, any call", "POST", real, providers.Set("signing_secret", "x", "test_calls", "any"), false, true},
		{"signed event, any call", "POST", real, providers.Set("signing_secret", "x", "test_calls", "any"), true, false},
		{"event on an unsigned endpoint", "POST", real, providers.Settings{Unsigned: true}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := New(tt.settings)
			if err != nil {
				t.Fatal(err)
			}
			r := &providers.Request{Method: tt.method, Body: []byte(tt.body), Header: http.Header{}}
			if tt.signed {
				r.Header.Set("producer-signature", "ts=1;s=x")
			}
			reply, err := a.(providers.Handshaker).Handshake(context.Background(), r) //nolint:forcetypeassert // it must be one
			if err != nil || (reply != nil) != tt.answered {
				t.Errorf("reply %v, error %v, want answered: %v", reply, err, tt.answered)
			}
		})
	}
}
