package telnyx

import (
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:telnyx-signature-ed25519", "header:telnyx-timestamp"}}
	settings = providers.Set("public_key", "MkI+Ga5JTDKlVOWZliYlO/SjXt7NsS2vrrBFW3B0gNU=")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func TestBadKey(t *testing.T) {
	for _, key := range []string{"x", "KEY0123456789", "AAAA"} {
		if _, err := New(providers.Set("public_key", key)); err == nil {
			t.Errorf("accepted %q", key)
		}
	}
}

func message(to, errs string) string {
	return `{"data":{"event_type":"message.finalized","id":"e1","occurred_at":"2026-01-05T12:00:00.000+02:00","record_type":"event","payload":{"id":"m1","from":{"phone_number":"+15005550001"},"to":` + to + `,"errors":` + errs + `}},"meta":{"attempt":1}}`
}

func single(status, errs string) string {
	return message(`[{"phone_number":"+447700900123","status":"`+status+`"}]`, errs)
}

func code(c string) string { return `[{"code":"` + c + `","title":"t","detail":"d"}]` }

func text(words, autoresponse string) string {
	return `{"data":{"event_type":"message.received","id":"e1","occurred_at":"2026-01-05T10:00:00Z","payload":{"id":"m1","direction":"inbound","from":{"phone_number":"+358450000013"},"to":[{"phone_number":"+15005550001"}],"text":"` +
		words + `","autoresponse_type":` + autoresponse + `}}}`
}

func fromShort(errs string) string {
	return strings.Replace(single("delivery_failed", errs), "+15005550001", "12345", 1)
}

func TestKinds(t *testing.T) {
	const to = " +447700900123"
	const two = `[{"phone_number":"+447700900123","status":"delivery_failed"},{"phone_number":"+358450000012","status":"delivery_failed"}]`
	cases := []providertest.Case{
		{Name: "delivered", Body: single("delivered", `[]`), Want: "delivered" + to},
		{Name: "delivered with an old error", Body: single("delivered", code("40012")), Want: "delivered" + to},
		{Name: "no errors", Body: single("delivery_failed", `null`), Want: "soft_bounce" + to},
		{Name: "code as a number", Body: single("delivery_failed", `[{"code":40012}]`), Want: "hard_bounce" + to + " 40012"},
		{Name: "RCS", Body: strings.Replace(single("delivery_failed", code("40012")), `"id":"m1"`, `"id":"m1","type":"RCS"`, 1)},
		{Name: "MMS", Body: strings.Replace(single("delivery_failed", code("40012")), `"id":"m1"`, `"id":"m1","type":"MMS"`, 1), Want: "hard_bounce" + to + " 40012"},
		{Name: "invalid, from a short code", Body: fromShort(code("40012")), Want: "soft_bounce" + to + " 40012"},
		{Name: "not routable, from a short code", Body: fromShort(`[{"code":"40012"},{"code":"40001"}]`), Want: "hard_bounce" + to + " 40001"},
		{Name: "the second error says more", Body: single("delivery_failed", `[{"code":"40008"},{"code":"40001"}]`), Want: "hard_bounce" + to + " 40001"},
		{Name: "40300 with a title", Body: single("sending_failed", `[{"code":"40300","title":"Blocked due to STOP message"}]`), Want: "opt_out" + to + " +15005550001"},
		{Name: "40300 with a detail", Body: single("sending_failed", `[{"code":"40300","detail":"... due to an existing block rule."}]`), Want: "opt_out" + to + " +15005550001"},
		{Name: "40300 otherwise", Body: single("sending_failed", `[{"code":"40300","title":"From number not assigned to a profile"}]`), Want: "soft_bounce" + to + " 40300"},
		{Name: "one of two failed", Body: message(`[{"phone_number":"+447700900123","status":"delivered"},{"phone_number":"+358450000012","status":"delivery_failed"}]`, code("40012")),
			Want: "delivered" + to + "; hard_bounce +358450000012 40012"},
		{Name: "two failed, one error", Body: message(two, code("40012")), Want: "soft_bounce" + to + " 40012; soft_bounce +358450000012 40012"},
		{Name: "two failed, two equal errors", Body: message(two, `[{"code":"40012"},{"code":"40001"}]`), Want: "hard_bounce" + to + " 40012; hard_bounce +358450000012 40012"},
		{Name: "two failed, two different errors", Body: message(two, `[{"code":"40012"},{"code":"40008"}]`), Want: "soft_bounce" + to + " 40012; soft_bounce +358450000012 40012"},
		{Name: "two failed, one stop", Body: message(two, `[{"code":"40300","title":"Blocked due to STOP message"}]`), Want: "soft_bounce" + to + " 40300; soft_bounce +358450000012 40300"},
		{Name: "one error that is no list", Body: single("delivery_failed", `{"code":"40012"}`), Want: "hard_bounce" + to + " 40012"},
		{Name: "bare numbers", Body: `{"data":{"event_type":"message.received","id":"e1","payload":{"id":"m1","from":"+358450000013","to":"+15005550001","text":"STOP"}}}`, Want: "opt_out +358450000013 +15005550001"},
		{Name: "a list of bare numbers", Body: `{"data":{"event_type":"message.received","id":"e1","payload":{"id":"m1","from":{"phone_number":"+358450000013"},"to":["+15005550001"],"cc":null,"text":"STOP"}}}`, Want: "opt_out +358450000013 +15005550001"},
		{Name: "one recipient that is no list", Body: message(`{"phone_number":"+447700900123","status":"delivery_failed"}`, code("40012")), Want: "hard_bounce" + to + " 40012"},
		{Name: "cc", Body: `{"data":{"event_type":"message.finalized","id":"e1","payload":{"id":"m1","to":[],"cc":[{"phone_number":"+447700900123","status":"delivered"}]}}}`, Want: "delivered" + to},
		{Name: "no recipient", Body: message(`[]`, code("40012")), Want: "!no_recipient"},
		{Name: "recipient without a number", Body: message(`[{"status":"delivery_failed"}]`, code("40012")), Want: "!no_recipient"},
		{Name: "no event id", Body: `{"data":{"event_type":"message.finalized","payload":{"id":"m1","to":[{"phone_number":"+447700900123","status":"delivered"}]}}}`, Want: "delivered" + to},
		{Name: "sent", Body: `{"data":{"event_type":"message.sent","id":"e1","payload":{"to":[{"phone_number":"+447700900123","status":"delivery_failed"}],"errors":[{"code":"40012"}]}}}`},
		{Name: "call", Body: `{"data":{"event_type":"call.initiated","id":"e1","payload":{"from":{"phone_number":"+1"},"to":[]}}}`},
		{Name: "call with plain numbers", Body: `{"data":{"event_type":"call.initiated","id":"e1","payload":{"from":"+15005550001","to":"+15005550002"}}}`},
		{Name: "no type", Body: `{"data":{"id":"e1"}}`, Want: "!unreadable"},
		{Name: "STOP by a word of the operator's", Body: text("no more", `"STOP"`), Want: "opt_out +358450000013 +15005550001"},
		{Name: "STOP and autoresponse", Body: text("Stop", `"STOP"`), Want: "opt_out +358450000013 +15005550001"},
		{Name: "START and autoresponse", Body: text("START", `"START"`), Want: "opt_in +358450000013 +15005550001"},
		{Name: "START by a word of the operator's", Body: text("JOIN", `"START"`), Want: "reactivation +358450000013 +15005550001"},
		{Name: "HELP", Body: text("help", `"HELP"`)},
		{Name: "HELP that says stop", Body: text("stop", `"HELP"`)},
		{Name: "hello", Body: text("hello", `null`)},
	}
	for _, s := range []string{"delivery_failed", "sending_failed", "expired", "gw_timeout", "dlr_timeout"} {
		cases = append(cases, providertest.Case{Name: "status " + s, Body: single(s, code("40012")), Want: "hard_bounce" + to + " 40012"})
	}
	for _, s := range []string{"delivery_unconfirmed", "queued", "sending", "sent", "webhook_delivered", "pondering", ""} {
		cases = append(cases, providertest.Case{Name: "status " + s, Body: single(s, code("40012"))})
	}
	for _, c := range []string{"40001", "40012", "40310"} {
		cases = append(cases, providertest.Case{Name: "code " + c, Body: single("delivery_failed", code(c)), Want: "hard_bounce" + to + " " + c})
	}
	for _, c := range []string{"40002", "40003", "40015", "40322", "40004", "40006", "40008", "40005", "40014", "40009", "40301", "40302", "40304", "40316", "40317", "40319", "40328", "40010", "40013", "40100", "40150",
		"40151", "40305", "40306", "40308", "40309", "40311", "40312", "40313", "40314", "40315", "40318", "40320", "40321", "40329", "40333", "40011", "10015", "20012", "49999"} {
		cases = append(cases, providertest.Case{Name: "code " + c, Body: single("delivery_failed", code(c)), Want: "soft_bounce" + to + " " + c})
	}
	for _, w := range []string{"STOP", "stopall", "Stop All", "Unsubscribe", "CANCEL", "end", "QUIT"} {
		cases = append(cases, providertest.Case{Name: "text " + w, Body: text(w, `null`), Want: "opt_out +358450000013 +15005550001"})
	}
	for _, w := range []string{"START", "unstop"} {
		cases = append(cases, providertest.Case{Name: "text " + w, Body: text(w, `""`), Want: "opt_in +358450000013 +15005550001"})
	}
	providertest.Table(t, Info, settings, cases)
}
