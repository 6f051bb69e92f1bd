package azuresms

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{Signature: []string{"header:Authorization"}, BodyUnsigned: "a token in a header vouches for the poster"}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func failed(details string) string {
	return `[{"id":"e","data":{"messageId":"Outgoing_1","from":"15005550001","to":"+447700900123","deliveryStatus":"Failed","deliveryStatusDetails":"` + details + `","receivedTimestamp":"2026-11-22T19:30:05.2855749Z"},"eventType":"Microsoft.Communication.SMSDeliveryReportReceived","eventTime":"2026-11-22T19:30:05Z"}]`
}

func received(text string) string {
	return `[{"id":"e","data":{"messageId":"Incoming_1","from":"358450000013","to":"15005550001","message":"` + text + `","receivedTimestamp":"2026-11-22T19:33:00.32Z"},"eventType":"Microsoft.Communication.SMSReceived","eventTime":"2026-11-22T19:33:00Z"}]`
}

func TestKinds(t *testing.T) {
	const kind = `"eventType":"Microsoft.Communication.SMSDeliveryReportReceived"`
	cases := []providertest.Case{
		{Name: "no details", Body: failed(""), Want: "soft_bounce +447700900123"},
		{Name: "words only", Body: failed("Something happened"), Want: "soft_bounce +447700900123"},
		{Name: "leading number", Body: failed("4004 Destination number does not exist"), Want: "hard_bounce +447700900123 4004"},
		{Name: "bare number", Body: failed("4002"), Want: "hard_bounce +447700900123 4002"},
		{Name: "longer number", Body: failed("40040"), Want: "soft_bounce +447700900123"},
		{Name: "no space", Body: failed("errorcode:4004."), Want: "hard_bounce +447700900123 4004"},
		{Name: "a phone number in the words", Body: failed("The number 4004 4004"), Want: "soft_bounce +447700900123"},
		{Name: "sender blocked", Body: failed("Sender blocked for given recipient."), Want: "opt_out +447700900123 +15005550001"},
		{Name: "sender blocked with another code", Body: failed("ErrorCode: 4005. ErrorMessage: Sender blocked for given recipient."), Want: "opt_out +447700900123 +15005550001"},
		{Name: "opted out", Body: failed("ErrorCode: 4007. ErrorMessage: x"), Want: "opt_out +447700900123 +15005550001"},
		{Name: "time-out", Body: failed("ErrorCode: 5002. ErrorMessage: Message Delivery Timeout")},
		{Name: "new status", Body: `[{"id":"e","data":{"to":"+447700900123","deliveryStatus":"Sent"},` + kind + `}]`},
		{Name: "no status", Body: `[{"id":"e","data":{"to":"+447700900123"},` + kind + `}]`, Want: "!unreadable"},
		{Name: "no recipient", Body: `[{"id":"e","data":{"deliveryStatus":"Delivered"},` + kind + `}]`, Want: "!no_recipient"},
		{Name: "bare recipient", Body: `[{"data":{"to":"447700900123","deliveryStatus":"Delivered","messageId":"m"},` + kind + `}]`, Want: "delivered +447700900123"},
		{Name: "short code", Body: `[{"id":"e","data":{"to":"12345","deliveryStatus":"Delivered"},` + kind + `}]`, Want: "!bad_recipient"},
		{Name: "number as a number", Body: `[{"id":"e","data":{"to":447700900123,"deliveryStatus":"Delivered"},` + kind + `}]`, Want: "delivered +447700900123"},
		{Name: "mail event", Body: `[{"id":"e","data":{"recipient":"a@example.com","status":"Bounced","deliveryStatusDetails":{"statusMessage":"x"}},"eventType":"Microsoft.Communication.EmailDeliveryReportReceived"}]`},
		{Name: "own stop word", Body: received("schluss"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "own start word", Body: received("weiter"), Want: "opt_in +358450000013 +15005550001"},
	}
	cases = append(cases, providertest.Case{Name: "delivered by its code", Body: failed("ErrorCode: 2000. ErrorMessage: Message delivered successfully"), Want: "delivered +447700900123 2000"})
	for _, code := range []string{"4000", "4001", "4003", "4005", "4006", "4008", "4009", "4010", "4020", "5000", "5001", "9999", "1234"} {
		cases = append(cases, providertest.Case{Name: "code " + code, Body: failed("ErrorCode: " + code + ". ErrorMessage: x"), Want: "soft_bounce +447700900123 " + code})
	}
	for _, word := range []string{"STOP", "stop", " Stop. ", "QUIT", "END", "REVOKE", "OPT OUT", "CANCEL", "UNSUBSCRIBE", "STOPALL", "OPTOUT"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Body: received(word), Want: "opt_out +358450000013 +15005550001"})
	}
	for _, word := range []string{"START", "unstop"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Body: received(word), Want: "opt_in +358450000013 +15005550001"})
	}
	for _, word := range []string{"", "please stop by", "HELP", "yes", "stop it", "start now please"} {
		cases = append(cases, providertest.Case{Name: "other text " + word, Body: received(word)})
	}
	providertest.Table(t, Info, providers.Set("stop_words", "Schluss", "start_words", "Weiter"), cases)
}
