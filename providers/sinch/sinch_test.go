package sinch

import (
	"fmt"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:x-sinch-webhook-signature", "header:x-sinch-webhook-signature-nonce", "header:x-sinch-webhook-signature-timestamp"}}
	settings = providers.Set("signing_secret", "strikeout-sinch-webhook-secret-01")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func one(status, code string) string {
	return `{"type":"recipient_delivery_report_sms","batch_id":"b1","recipient":"447700900123","code":` + code + `,"status":"` + status + `","at":"2026-01-05T10:00:00.5Z"}`
}

func report2(status, channel, reason string) string {
	return `{"app_id":"A","event_time":"2026-01-05T10:00:00Z","message_delivery_report":{"message_id":"m1","status":"` + status + `","channel_identity":{"channel":"` + channel +
		`","identity":"447700900123"},"reason":{"code":"` + reason + `","description":"d"}}}`
}

func TestKinds(t *testing.T) {
	const to = " +447700900123"
	cases := []providertest.Case{
		{Name: "delivered", Body: one("Delivered", "0"), Want: "delivered" + to},
		{Name: "delivered with a code", Body: one("Delivered", "150"), Want: "delivered" + to},
		{Name: "no code", Body: one("Failed", "null"), Want: "soft_bounce" + to},
		{Name: "code in quotes", Body: one("Failed", `"150"`), Want: "hard_bounce" + to + " 150"},
		{Name: "number with plus", Body: `{"type":"recipient_delivery_report_sms","recipient":"+447700900123","status":"Failed","code":150}`, Want: "hard_bounce" + to + " 150"},
		{Name: "number as a number", Body: `{"type":"recipient_delivery_report_sms","recipient":447700900123,"status":"Delivered"}`, Want: "delivered" + to},
		{Name: "no recipient", Body: `{"type":"recipient_delivery_report_sms","batch_id":"b1","status":"Failed","code":150}`, Want: "!no_recipient"},
		{Name: "mms", Body: `{"type":"recipient_delivery_report_mms","batch_id":"b1","recipient":"447700900123","status":"Failed","code":414}`, Want: "soft_bounce" + to + " 414"},
		{Name: "summary", Body: `{"type":"delivery_report_sms","batch_id":"b1","statuses":[{"code":0,"status":"Delivered","count":9},{"code":150,"status":"Failed","count":1}]}`, Want: "!no_recipient"},
		{Name: "batch without statuses", Body: `{"type":"delivery_report_sms","batch_id":"b1","statuses":null}`},
		{Name: "batch with a bad number", Body: `{"type":"delivery_report_sms","batch_id":"b1","statuses":[{"code":150,"status":"Failed","recipients":["447700900123","Shop",358450000012]},{"code":401,"status":"Dispatched","recipients":["15005550001"]}]}`,
			Want: "hard_bounce +447700900123 150; hard_bounce +358450000012 150; !bad_recipient"},
		{Name: "batch of MMS", Body: `{"type":"delivery_report_mms","batch_id":"b1","statuses":[{"code":0,"status":"Delivered","recipients":["447700900123"]}]}`, Want: "delivered" + to},
		{Name: "binary text", Body: `{"type":"mo_binary","id":"i","from":"447700900123","body":"STOP"}`},
		{Name: "stop with a picture", Body: `{"type":"mo_media","id":"i","from":"447700900123","to":"15005550001","body":{"subject":"s","message":"Stop","media":[{"url":"https://example.com/x","content_type":"image/jpeg","status":"Uploaded","code":0}]},"received_at":"2026-01-05T10:00:00Z"}`, Want: "opt_out" + to + " +15005550001"},
		{Name: "batch with one status that is no list", Body: `{"type":"delivery_report_sms","batch_id":"b","statuses":{"code":150,"status":"Failed","recipients":"447700900123"}}`, Want: "hard_bounce" + to + " 150"},
		{Name: "a picture", Body: `{"type":"mo_media","id":"i","from":"447700900123","to":"15005550001","body":{"subject":"STOP","message":"look","media":[]}}`},
		{Name: "a type of tomorrow", Body: `{"type":"mo_hologram","id":"i","from":"447700900123","body":"STOP"}`},
		{Name: "several in an array", Body: "[" + one("Delivered", "0") + "," + `7,` + one("Failed", "150") + "]", Want: "delivered" + to + "; hard_bounce" + to + " 150; !unreadable"},
		{Name: "toll-free stop", Body: `{"type":"recipient_delivery_report_sms","batch_id":"b1","recipient":"15005550009","status":"Rejected","code":257}`, Want: "opt_out +15005550009 257"},
		{Name: "batch with a toll-free stop", Body: `{"type":"delivery_report_sms","batch_id":"b1","statuses":[{"code":257,"status":"Failed","recipients":["15005550009","447700900123"]}]}`, Want: "opt_out +15005550009 257; soft_bounce" + to + " 257"},
		{Name: "stop to an MMS by Conversation", Body: `{"message":{"id":"i","contact_message":{"text_message":{"text":"Stop"}},"channel_identity":{"channel":"MMS","identity":"447700900123"},"sender_id":"15005550001"}}`, Want: "opt_out" + to + " +15005550001"},
		{Name: "MMS delivered by Conversation", Body: report2("DELIVERED", "MMS", ""), Want: "delivered" + to},
		{Name: "text on WhatsApp", Body: `{"message":{"id":"i","contact_message":{"text_message":{"text":"STOP"}},"channel_identity":{"channel":"WHATSAPP","identity":"447700900123"}}}`},
		{Name: "text by Conversation", Body: `{"message":{"id":"i","direction":"TO_APP","contact_message":{"text_message":{"text":"Stop"}},"channel_identity":{"channel":"SMS","identity":"447700900123"},"sender_id":"15005550001"}}`, Want: "opt_out" + to + " +15005550001"},
		{Name: "other text by Conversation", Body: `{"message":{"id":"i","contact_message":{"text_message":{"text":"hi"}},"channel_identity":{"channel":"SMS","identity":"447700900123"}}}`},
		{Name: "start by Conversation", Body: `{"message":{"id":"i","contact_message":{"text_message":{"text":"START"}},"channel_identity":{"channel":"SMS","identity":"447700900123"}}}`, Want: "opt_in" + to},
		{Name: "opt-in", Body: `{"app_id":"A","opt_in_notification":{"channel":"SMS","identity":"447700900123","status":"OPT_IN_SUCCEEDED","request_id":"r"}}`, Want: "reactivation" + to + " A"},
		{Name: "opt-in failed", Body: `{"opt_in_notification":{"channel":"SMS","identity":"447700900123","status":"OPT_IN_FAILED","request_id":"r"}}`},
		{Name: "opt-out", Body: `{"app_id":"A","opt_out_notification":{"channel":"SMS","identity":"447700900123","status":"OPT_OUT_SUCCEEDED"}}`, Want: "opt_out" + to + " A"},
		{Name: "opt-out failed", Body: `{"opt_out_notification":{"channel":"SMS","identity":"447700900123","status":"OPT_OUT_FAILED"}}`},
		{Name: "opt-out on WhatsApp", Body: `{"opt_out_notification":{"channel":"WHATSAPP","identity":"447700900123","status":"OPT_OUT_SUCCEEDED"}}`},
		{Name: "opt-out of nobody", Body: `{"opt_out_notification":{"channel":"SMS","status":"OPT_OUT_SUCCEEDED","request_id":"r"}}`, Want: "!no_recipient"},
		{Name: "delivered by Conversation", Body: report2("DELIVERED", "SMS", ""), Want: "delivered" + to},
		{Name: "delivered on RCS", Body: report2("DELIVERED", "RCS", "")},
		{Name: "failed on WhatsApp", Body: report2("FAILED", "WHATSAPP", "RECIPIENT_INVALID_CHANNEL_IDENTITY")},
		{Name: "invalid identity", Body: report2("FAILED", "SMS", "RECIPIENT_INVALID_CHANNEL_IDENTITY"), Want: "hard_bounce" + to + " RECIPIENT_INVALID_CHANNEL_IDENTITY"},
		{Name: "failed without a reason", Body: `{"message_delivery_report":{"message_id":"m1","status":"FAILED","channel_identity":{"channel":"SMS","identity":"447700900123"}}}`, Want: "soft_bounce" + to},
		{Name: "empty object", Body: `{}`},
		{Name: "garbage", Body: `x`, Want: "!unreadable"},
	}
	for _, s := range []string{"Queued", "Dispatched", "Unknown", "Cancelled", "Pondering", ""} {
		cases = append(cases, providertest.Case{Name: "status " + s, Body: one(s, "150")})
	}
	for _, s := range []string{"Aborted", "Rejected", "Failed", "Expired", "Deleted"} {
		for _, code := range []int{100, 150, 300} {
			cases = append(cases, providertest.Case{Name: fmt.Sprint(s, " ", code), Body: one(s, fmt.Sprint(code)), Want: fmt.Sprint("hard_bounce", to, " ", code)})
		}
		for _, code := range []int{400, 401, 407} {
			cases = append(cases, providertest.Case{Name: fmt.Sprint(s, " ", code), Body: one(s, fmt.Sprint(code))})
		}
	}
	soft := func(from, to2 int) {
		for code := from; code <= to2; code++ {
			cases = append(cases, providertest.Case{Name: fmt.Sprint("code ", code), Body: one("Failed", fmt.Sprint(code)), Want: fmt.Sprint("soft_bounce", to, " ", code)})
		}
	}
	for _, r := range [][2]int{{1, 19}, {40, 56}, {60, 67}, {70, 77}, {101, 114}, {151, 164}, {200, 217}, {250, 257}, {301, 303}, {310, 312}, {320, 350}, {360, 362}, {370, 370}, {399, 399}, {402, 406}, {408, 408}, {410, 418}, {999, 999}} {
		soft(r[0], r[1])
	}
	for _, s := range []string{"QUEUED_ON_CHANNEL", "SWITCHING_CHANNEL", "READ"} {
		cases = append(cases, providertest.Case{Name: "conversation " + s, Body: report2(s, "SMS", "")})
	}
	for _, r := range []string{"RECIPIENT_NOT_OPTED_IN", "RECIPIENT_NOT_REACHABLE", "DELIVERY_TIMED_OUT", "CHANNEL_FAILURE", "CHANNEL_REJECT", "DELIVERY_REJECTED_DUE_TO_POLICY", "RATE_LIMITED", "INTERNAL_ERROR", "UNKNOWN",
		"BAD_REQUEST", "NO_CHANNELS_LEFT", "CONTACT_NOT_FOUND", "NO_CHANNEL_IDENTITY_FOR_CONTACT", "CHANNEL_BAD_CONFIGURATION", "CHANNEL_CONFIGURATION_MISSING", "TEMPLATE_NOT_FOUND", "MEDIA_NOT_FOUND",
		"OUTSIDE_ALLOWED_SENDING_WINDOW", "UNKNOWN_APP", "NO_PERMISSION", "NO_PROFILE_AVAILABLE", "UNSUPPORTED_OPERATION"} {
		cases = append(cases, providertest.Case{Name: "reason " + r, Body: report2("FAILED", "SMS", r), Want: "soft_bounce" + to + " " + r})
	}
	for _, w := range []string{"STOP", "stopall", " Unsubscribe ", "cancel", "END", "quit"} {
		cases = append(cases, providertest.Case{Name: "text " + w, Body: `{"type":"mo_text","id":"i","from":"447700900123","to":"15005550001","body":"` + w + `"}`, Want: "opt_out" + to + " +15005550001"})
	}
	for _, w := range []string{"START", "unstop"} {
		cases = append(cases, providertest.Case{Name: "text " + w, Body: `{"type":"mo_text","id":"i","from":"447700900123","to":"15005550001","body":"` + w + `"}`, Want: "opt_in" + to + " +15005550001"})
	}
	cases = append(cases, providertest.Case{Name: "other text", Body: `{"type":"mo_text","id":"i","from":"447700900123","to":"15005550001","body":"do not stop"}`})
	providertest.Table(t, Info, settings, cases)
	providertest.Table(t, Info, providers.Set("soft_codes", "257"), []providertest.Case{
		{Name: "257 as the operator reads it", Body: `{"type":"recipient_delivery_report_sms","recipient":"15005550009","status":"Failed","code":257}`, Want: "soft_bounce +15005550009 257"},
	})
	providertest.Table(t, Info, providers.Set("opt_out_codes", "RECIPIENT_NOT_OPTED_IN"), []providertest.Case{
		{Name: "the operator's own reading", Body: report2("FAILED", "SMS", "RECIPIENT_NOT_OPTED_IN"), Want: "opt_out" + to + " RECIPIENT_NOT_OPTED_IN"},
	})
}

// TestKeep: of a batch report only the numbers that could not be read are kept, in a form that can be read again.
func TestKeep(t *testing.T) {
	a, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"delivery_report_sms","batch_id":"b1","statuses":[{"code":150,"status":"Failed","recipients":["447700900123","Shop"]},{"code":0,"status":"Delivered","recipients":["15005550001"]}]}`)
	_, err = a.Parse(&providers.Request{Method: "POST", Body: body})
	kept := providers.QuarantineBody(err, body)
	if got, want := string(kept), `{"batch_id":"b1","statuses":[{"code":"150","recipients":["Shop"],"status":"Failed"}],"type":"delivery_report_sms"}`; got != want {
		t.Errorf("kept %s\nwant %s", got, want)
	}
	events, err := a.Parse(&providers.Request{Method: "POST", Body: kept})
	if len(events) != 0 || providers.ReasonOf(err) != providers.BadRecipient {
		t.Errorf("read again: %d events, %v", len(events), err)
	}
}
