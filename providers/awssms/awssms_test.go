package awssms

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

func cert() string {
	b, err := os.ReadFile("testdata/TEST-ONLY-signing-cert.pem")
	if err != nil {
		panic(err)
	}
	return string(b)
}

// fetch stands in for Amazon's confirmation.
func fetch(_ context.Context, url string) ([]byte, error) {
	if strings.HasPrefix(url, "https://sns.eu-north-1.amazonaws.com/?Action=ConfirmSubscription&Token=0f0f") {
		return []byte("<ConfirmSubscriptionResponse><SubscriptionArn>arn:x</SubscriptionArn></ConfirmSubscriptionResponse>"), nil
	}
	return nil, errors.New("not found")
}

var (
	options  = providertest.Options{Signature: []string{"json:Signature", "json:SigningCertURL", "json:SignatureVersion"}, Fetch: fetch}
	settings = providers.Set("topics", "arn:aws:sns:eu-north-1:123456789012:strikeout-sms", "certificates", cert(), "stop_words", "Schluss")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func sent(kind, more string) string {
	return `{"eventType":"` + kind + `","eventTimestamp":1795375805000,"originationPhoneNumber":"+15005550001","destinationPhoneNumber":"+447700900123","messageId":"m"` + more + `}`
}

func logged(status, response string) string {
	return `{"notification":{"messageId":"m","timestamp":"2026-11-22 19:30:00.559"},"delivery":{"destination":"+447700900123","providerResponse":"` + response + `"},"status":"` + status + `"}`
}

func received(words string) string {
	return `{"originationNumber":"+358450000013","destinationNumber":"+15005550001","messageKeyword":"KEYWORD_15005550001","messageBody":"` + words + `","inboundMessageId":"i"}`
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "not final", Body: sent("TEXT_INVALID", `,"isFinal":false`)},
		{Name: "not final, as text", Body: sent("TEXT_INVALID", `,"isFinal":"false"`)},
		{Name: "delivered, not final", Body: sent("TEXT_SUCCESSFUL", `,"isFinal":false`)},
		{Name: "final null", Body: sent("TEXT_INVALID", `,"isFinal":null`), Want: "hard_bounce +447700900123 TEXT_INVALID"},
		{Name: "opted out", Body: sent("TEXT_BLOCKED", `,"isFinal":true,"messageStatusDescription":"Phone number is opted out"`), Want: "opt_out +447700900123 +15005550001"},
		{Name: "invalid and opted out", Body: sent("TEXT_INVALID", `,"messageStatusDescription":"Phone number is opted out of messages"`), Want: "opt_out +447700900123 +15005550001"},
		{Name: "unknown and opted out", Body: sent("TEXT_UNKNOWN", `,"messageStatusDescription":"Phone number is opted out"`), Want: "opt_out +447700900123 +15005550001"},
		{Name: "voice and opted out", Body: sent("VOICE_FAILED", `,"messageStatusDescription":"Phone number is opted out"`)},
		{Name: "RCS", Body: sent("TEXT_INVALID", `,"isFinal":true,"rcsBusinessId":"agent","agentIsoCountryCode":"US"`)},
		{Name: "no number", Body: `{"eventType":"TEXT_INVALID","messageId":"m"}`, Want: "!no_recipient"},
		{Name: "bare number", Body: strings.Replace(sent("TEXT_INVALID", ""), "+447700900123", "447700900123", 1), Want: "hard_bounce +447700900123 TEXT_INVALID"},
		{Name: "sender name", Body: strings.Replace(sent("TEXT_INVALID", ""), "+447700900123", "Strikeout", 1), Want: "!bad_recipient"},
		{Name: "lower case", Body: sent("text_invalid", ""), Want: "hard_bounce +447700900123 TEXT_INVALID"},

		{Name: "logged success", Body: logged("SUCCESS", "Message has been accepted by phone carrier"), Want: "delivered +447700900123"},
		{Name: "logged, new status", Body: logged("PENDING", "x")},
		{Name: "logged without a response", Body: `{"notification":{"messageId":"m"},"delivery":{"destination":"+447700900123"},"status":"FAILURE"}`, Want: "soft_bounce +447700900123"},
		{Name: "logged without a message id", Body: `{"delivery":{"destination":"+447700900123","providerResponse":"INVALID PHONE NUMBER"},"status":"failure"}`, Want: "hard_bounce +447700900123 INVALID PHONE NUMBER"},
		{Name: "logged without a number", Body: `{"notification":{"messageId":"m"},"delivery":{},"status":"FAILURE"}`, Want: "!no_recipient"},

		{Name: "text from a short code", Body: strings.Replace(received("STOP"), "+358450000013", "12345", 1), Want: "!bad_recipient"},
		{Name: "text without an id", Body: `{"originationNumber":"+358450000013","destinationNumber":"+15005550001","messageBody":"stop"}`, Want: "opt_out +358450000013 +15005550001"},
		{Name: "TD", Body: received("TD"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "REMOVE", Body: received("remove"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "text null", Body: `{"originationNumber":"+358450000013","messageBody":null}`},

		{Name: "nothing known", Body: `{"a":1}`, Want: "!unreadable"},
		{Name: "plain words", Body: `{"Type":"Notification","Message":"hello"}`},
		{Name: "broken message", Body: `{"Type":"Notification","Message":"{"}`, Want: "!unreadable"},
	}
	for kind, want := range map[string]string{
		"TEXT_DELIVERED": "delivered", "TEXT_SUCCESSFUL": "delivered", "TEXT_INVALID": "hard_bounce", "TEXT_UNREACHABLE": "soft_bounce", "TEXT_CARRIER_UNREACHABLE": "soft_bounce",
		"TEXT_TTL_EXPIRED": "soft_bounce", "TEXT_BLOCKED": "soft_bounce", "TEXT_CARRIER_BLOCKED": "soft_bounce", "TEXT_SPAM": "soft_bounce", "TEXT_INVALID_MESSAGE": "soft_bounce", "TEXT_PROTECT_BLOCKED": "soft_bounce",
		"TEXT_UNKNOWN": "", "TEXT_QUEUED": "", "TEXT_PENDING": "", "TEXT_SENT": "", "VOICE_COMPLETED": "", "VOICE_FAILED": "", "MEDIA_INVALID": "", "MEDIA_DELIVERED": "", "TEXT_ANYTHING_NEW": "",
	} {
		if want != "" {
			want += " +447700900123 " + kind
		}
		cases = append(cases, providertest.Case{Name: kind, Body: sent(kind, `,"isFinal":true`), Want: want})
	}
	for response, want := range map[string]string{
		"Invalid phone number": "hard_bounce", "Phone number is opted out": "opt_out", "The phone number is opted out of receiving messages": "opt_out",
		"Phone is currently unreachable/unavailable": "soft_bounce", "Phone carrier is currently unreachable/unavailable": "soft_bounce", "Blocked as spam by phone carrier": "soft_bounce",
		"Destination is on a blocked list": "soft_bounce", "Message body is invalid": "soft_bounce", "Phone carrier has blocked this message": "soft_bounce", "Phone has blocked SMS": "soft_bounce",
		"Phone is on a blocked list": "soft_bounce", "This delivery would exceed max price": "soft_bounce", "Rate exceeded": "soft_bounce", "Unknown error attempting to reach phone": "soft_bounce", "Something new": "soft_bounce",
	} {
		cases = append(cases, providertest.Case{Name: "logged " + response, Body: logged("FAILURE", response), Want: want + " +447700900123 " + response})
	}
	for _, word := range []string{"STOP", "stop", " Stop. ", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "ARRET", "Lopeta", "schluss"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Body: received(word), Want: "opt_out +358450000013 +15005550001"})
	}
	for _, word := range []string{"START", "unstop"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Body: received(word), Want: "opt_in +358450000013 +15005550001"})
	}
	for _, word := range []string{"", "please stop by", "HELP", "yes", "start the car"} {
		cases = append(cases, providertest.Case{Name: "other text " + word, Body: received(word)})
	}
	providertest.Table(t, Info, settings, cases)
}
