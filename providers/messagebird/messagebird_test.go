package messagebird

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:MessageBird-Signature-JWT", "header:MessageBird-Signature", "header:MessageBird-Request-Timestamp"}}
	settings = providers.Set("signing_secret", "strikeout-messagebird-signing-key-01")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

// TestVectors are those of MessageBird's own SDK.
func TestVectors(t *testing.T) {
	tests := []struct {
		name, secret, url, query, body string
		at                             int64
		header                         []string
	}{
		{"token", "36efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb", "https://example.com/", "", "", 1625479200, []string{jwtHeader,
			"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI1OWEyNDRkYy1lOWFkLTRlMjMtOTc3OC0zNzFmYWEyMzhmNzIiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNzc4M2U5ZDcifQ.6Fp0rVOsRr1fj9S2GidXAfkmPVofKr8_RTffC6G6r2E"}}, //nolint:gosec // published by MessageBird
		{"old", "other-secret", "https://example.com/path?def=bar&abc=foo", "def=bar&abc=foo", `{"a key":"some value"}`, 1544544948,
			[]string{oldTime, "1544544948", oldHeader, "orb0adPhRCYND1WCAvPBr+qjm4STGtyvNDIDNBZ4Ir4="}},
	}
	for _, tt := range tests {
		a, err := New(providers.Set("signing_secret", "new", "signing_secret", tt.secret))
		if err != nil {
			t.Fatal(err)
		}
		r := &providers.Request{Method: "POST", URL: tt.url, RawQuery: tt.query, Header: http.Header{}, Body: []byte(tt.body), ReceivedAt: time.Unix(tt.at+1, 0), MaxAge: maxAge}
		for i := 0; i < len(tt.header); i += 2 {
			r.Header.Set(tt.header[i], tt.header[i+1])
		}
		if err := a.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		r.Body = append(r.Body, 'x')
		if a.Verify(t.Context(), r) == nil {
			t.Errorf("%s: accepted with another body", tt.name)
		}
	}
}

func TestKinds(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	status := func(status, reason, code string) string {
		return url.Values{"id": {"m1"}, "reference": {"r"}, "recipient": {"447700900123"}, "status": {status}, "statusReason": {reason}, "statusErrorCode": {code}}.Encode()
	}
	var cases []providertest.Case
	add := func(name, body, want string) {
		cases = append(cases, providertest.Case{Name: name, Body: body, Want: want, Header: form})
	}
	for _, s := range []string{"scheduled", "sent", "buffered", "pondering"} {
		add("status "+s, status(s, "", "1"), "")
	}
	add("delivered", status("delivered", "", ""), "delivered +447700900123")
	for _, s := range []string{"delivery_failed", "expired"} {
		add(s+" without anything", status(s, "", ""), "soft_bounce +447700900123")
		add(s+" code 1", status(s, "unknown subscriber", "1"), "hard_bounce +447700900123 1")
		add(s+" code 103", status(s, "", "103"), "opt_out +447700900123 103")
	}
	for _, code := range []string{"2", "3", "5", "6", "8", "9", "11", "12", "13", "27", "31", "32", "33", "34", "35", "36"} {
		add("code "+code, status("delivery_failed", "unknown subscriber", code), "soft_bounce +447700900123 "+code)
	}
	for _, code := range []string{"101", "102", "104", "105", "110", "200", "4711", "x"} {
		add("code "+code, status("delivery_failed", "carrier rejected", code), "soft_bounce +447700900123 "+code)
	}
	for _, reason := range []string{"DLR not received", "expired", "unavailable subscriber", "received network error", "carrier rejected", "capacity limit reached", "insufficient balance", "generic delivery failure"} {
		add("reason "+reason, status("delivery_failed", reason, ""), "soft_bounce +447700900123")
	}
	add("reason unknown subscriber", status("delivery_failed", "unknown subscriber", ""), "hard_bounce +447700900123 unknown subscriber")
	add("reason with underscore", status("delivery_failed", "Unknown_Subscriber", "0"), "hard_bounce +447700900123 Unknown_Subscriber")
	add("reason incorrect number", status("delivery_failed", "incorrect number", ""), "hard_bounce +447700900123 incorrect number")
	add("reason opted out", status("delivery_failed", "opted out", "31"), "opt_out +447700900123 31")
	add("number with plus", "id=m1&status=delivered&recipient=%2B447700900123", "delivered +447700900123")
	add("no recipient", "id=m1&status=delivered", "!no_recipient")
	add("sender name", "id=m1&status=delivered&recipient=Shop", "!bad_recipient")
	add("hello", "hello=world", "!unreadable")
	add("nothing", "", "")
	in := func(text string) string {
		return url.Values{"id": {"m1"}, "originator": {"358450000013"}, "recipient": {"15005550001"}, "body": {text}}.Encode()
	}
	for _, w := range []string{"STOP", "unsubscribe", " stop. ", "STOPALL", "CANCEL", "END", "QUIT"} {
		add("text "+w, in(w), "opt_out +358450000013 +15005550001")
	}
	add("text START", in("START"), "opt_in +358450000013 +15005550001")
	add("text UNSTOP", in("UNSTOP"), "opt_in +358450000013 +15005550001")
	add("text other", in("please stop by"), "")

	cases = append(cases, providertest.Case{Name: "flat JSON", Body: `{"id":"m1","originator":358450000013,"recipient":"15005550001","body":"STOP"}`, Want: "opt_out +358450000013 +15005550001"})
	bird := func(event, status, source, code string) string {
		return `{"service":"channels","event":"` + event + `","payload":{"id":"p1","receiver":{"contacts":[{"identifierKey":"phonenumber","identifierValue":"+447700900123"}]},"status":"` + status +
			`","failure":{"code":15001,"source":{"name":"` + source + `","code":` + code + `}},"lastStatusAt":"2026-01-05T10:00:00Z"}}`
	}
	addJSON := func(name, body, want string) {
		cases = append(cases, providertest.Case{Name: "bird " + name, Body: body, Want: want})
	}
	for _, s := range []string{"accepted", "processing", "sent", "scheduled", ""} {
		addJSON("status "+s, bird("sms.outbound", s, "sms-messagebird", `"1"`), "")
	}
	addJSON("delivered", bird("sms.outbound", "delivered", "", `null`), "delivered +447700900123")
	addJSON("hard", bird("sms.outbound", "delivery_failed", "sms-messagebird", `1`), "hard_bounce +447700900123 1")
	addJSON("opted out", bird("sms.outbound", "delivery_failed", "sms-messagebird", `"103"`), "opt_out +447700900123 103")
	addJSON("soft", bird("sms.outbound", "delivery_failed", "sms-messagebird", `"27"`), "soft_bounce +447700900123 27")
	addJSON("sending failed", bird("sms.outbound", "sending_failed", "sms-messagebird", `"1"`), "hard_bounce +447700900123 1")
	addJSON("sending failed, no code", bird("sms.outbound", "sending_failed", "", `null`), "soft_bounce +447700900123")
	for reason, want := range map[string]string{
		"details: unknown subscriber; reason: unknown_subscriber; code: 1": "hard_bounce +447700900123 1", "reason: unknown_subscriber": "hard_bounce +447700900123 unknown_subscriber", "details: system failure; reason: received_network_error; code: 34": "soft_bounce +447700900123 34",
		"details: unidentified subscriber; reason: unknown_subscriber; code: 5": "soft_bounce +447700900123 5", "reason: opted_out": "opt_out +447700900123 opted_out",
		"details: unknown subscriber; reason: carrier_rejected": "soft_bounce +447700900123", "details: the reason: unknown_subscriber": "soft_bounce +447700900123",
	} {
		addJSON(reason, `{"event":"sms.outbound","payload":{"id":"p1","status":"delivery_failed","reason":"`+reason+`","receiver":{"contacts":[{"identifierValue":"+447700900123"}]}}}`, want)
	}
	talk := func(kind, message string) string {
		return `{"type":"` + kind + `","contact":{"id":"c","msisdn":358450000013},"conversation":{"id":"v"},"message":{"id":"m1",` + message + `,"to":"+15005550001","createdDatetime":"2026-01-05T10:00:00Z","updatedDatetime":"2026-01-05T10:00:00Z"}}`
	}
	addJSON("conversation, stop", talk("message.created", `"platform":"sms","direction":"received","status":"received","type":"text","content":{"text":"Stop"}`), "opt_out +358450000013 +15005550001")
	addJSON("conversation, stop read", talk("message.updated", `"platform":"sms","direction":"received","status":"read","content":{"text":"Stop"}`), "")
	addJSON("conversation, other text", talk("message.created", `"platform":"sms","direction":"received","status":"received","content":{"text":"hello"}`), "")
	addJSON("conversation, WhatsApp", talk("message.created", `"platform":"whatsapp","direction":"received","status":"received","content":{"text":"Stop"}`), "")
	addJSON("conversation, platform unknown", talk("message.created", `"direction":"received","status":"received","content":{"text":"Stop"}`), "")
	addJSON("conversation, delivered", talk("message.updated", `"platform":"sms","direction":"sent","status":"delivered"`), "delivered +358450000013")
	addJSON("conversation, pending", talk("message.updated", `"platform":"sms","direction":"sent","status":"pending"`), "")
	addJSON("conversation, failed", talk("message.updated", `"platform":"sms","direction":"sent","status":"failed","error":{"code":1,"description":"x"}`), "soft_bounce +358450000013")
	addJSON("conversation, opened", `{"type":"conversation.created","conversation":{"id":"v"}}`, "")
	addJSON("another connector", bird("sms.outbound", "delivery_failed", "sms-acme", `"1"`), "soft_bounce +447700900123")
	addJSON("another channel", bird("whatsapp.outbound", "delivered", "", `""`), "")
	addJSON("two receivers", `{"event":"sms.outbound","payload":{"id":"p1","status":"delivery_failed","failure":{"source":{"name":"sms-messagebird","code":"1"}},"receiver":{"contacts":[{"identifierValue":"+447700900123"},{"identifierValue":"+358450000013"}]}}}`,
		"soft_bounce +447700900123 1; soft_bounce +358450000013 1")
	addJSON("two receivers, one opted out", `{"event":"sms.outbound","payload":{"id":"p1","status":"delivery_failed","reason":"reason: opted_out","receiver":{"contacts":[{"identifierValue":"+447700900123"},{"identifierValue":"+358450000013"}]}}}`,
		"soft_bounce +447700900123 opted_out; soft_bounce +358450000013 opted_out")
	addJSON("no receiver", `{"event":"sms.outbound","payload":{"id":"p1","status":"delivered"}}`, "!no_recipient")
	addJSON("stop", `{"service":"channels","event":"sms.inbound","payload":{"id":"p1","sender":{"contact":{"identifierKey":"phonenumber","identifierValue":"+358450000013"}},"body":{"type":"text","text":{"text":"Stop"}},"createdAt":"2026-01-05T10:00:00Z"}}`, "opt_out +358450000013")
	addJSON("other text", `{"event":"sms.inbound","payload":{"id":"p1","sender":{"contact":{"identifierValue":"+358450000013"}},"body":{"text":{"text":"hello"}}}}`, "")
	providertest.Table(t, Info, settings, cases)
}

func TestOwnCodes(t *testing.T) {
	const body = "id=m1&recipient=447700900123&status=delivery_failed&statusErrorCode="
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	providertest.Table(t, Info, providers.Set("signing_secret", "x", "soft_codes", "1", "hard_codes", "110"), []providertest.Case{
		{Name: "soft", Body: body + "1&statusReason=unknown+subscriber", Want: "soft_bounce +447700900123 1", Header: form},
		{Name: "hard", Body: body + "110", Want: "hard_bounce +447700900123 110", Header: form},
	})
}

func TestClock(t *testing.T) {
	want := time.Date(2026, 11, 22, 19, 30, 5, 0, time.UTC)
	for _, s := range []string{"2026-11-22T19:30:05+00:00", "2026-11-22T19:30:05 00:00", "2026-11-22T21:30:05 02:00", "20261122193005", "2026-11-22T19:30:05Z"} {
		if got := clock(s); !got.Equal(want) {
			t.Errorf("%q: %v", s, got)
		}
	}
}
