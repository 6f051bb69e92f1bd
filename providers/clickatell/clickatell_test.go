package clickatell

import (
	"fmt"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func TestKinds(t *testing.T) {
	const to = " +358450000012"
	status := func(code, word string) string {
		return `{"messageId":"m1","clientMessageId":"c","to":"358450000012","from":null,"statusCode":` + code + `,"status":"` + word + `","statusDescription":"d","timestamp":1767607205123}`
	}
	oneAPI := func(item string) string { return `{"event":{"messageStatusUpdate":[` + item + `]}}` }
	oneCode := func(code int) string {
		return oneAPI(fmt.Sprintf(`{"channel":"sms","messageId":"m1","to":"358450000012","statusCode":%d}`, code))
	}
	inbound := func(words, charset string) string {
		return fmt.Sprintf(`{"messageId":"m1","apiKey":"k","fromNumber":"358450000013","toNumber":"15005550001","timestamp":1767607205123,"text":%q,"charset":%q}`, words, charset)
	}
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	cases := []providertest.Case{
		{Name: "code in quotes", Body: status(`"004"`, ""), Want: "delivered" + to},
		{Name: "word without a code", Body: status("null", "RECEIVED_BY_RECIPIENT"), Want: "delivered" + to},
		{Name: "word on the way", Body: status("null", "DELIVERED_TO_GATEWAY")},
		{Name: "word of a failure", Body: status("null", "DELIVERY_FAILURE"), Want: "soft_bounce" + to + " DELIVERY_FAILURE"},
		{Name: "words of an invalid number", Body: `{"messageId":"m1","to":"358450000012","statusCode":7,"status":"DELIVERY_FAILURE","statusDescription":"Invalid destination address"}`, Want: "soft_bounce" + to + " 7"},
		{Name: "neither", Body: `{"messageId":"m1","to":"358450000012"}`},
		{Name: "something else", Body: `{"hello":"world"}`, Want: "!unreadable"},
		{Name: "number with plus", Body: `{"messageId":"m1","to":"+358450000012","statusCode":4}`, Want: "delivered" + to},
		{Name: "number with zeros", Body: `{"messageId":"m1","to":"00358450000012","statusCode":4}`, Want: "delivered" + to},
		{Name: "no number", Body: `{"messageId":"m1","statusCode":7}`, Want: "!no_recipient"},
		{Name: "form", Body: "messageId=m1&to=358450000012&statusCode=7&status=ERROR", Header: form, Want: "soft_bounce" + to + " 7"},
		{Name: "old names", Body: "apiMsgId=m1&cliMsgId=c&to=358450000012&status=003&charge=0.3", Header: form},
		{Name: "old names, delivered", Body: "apiMsgId=m1&cliMsgId=c&to=358450000012&status=004&charge=0.3", Header: form, Want: "delivered" + to},
		{Name: "old names, failed", Body: "apiMsgId=m1&to=358450000012&status=007", Header: form, Want: "soft_bounce" + to + " 7"},
		{Name: "nothing", Body: ""},
		{Name: "one API without a number", Body: oneAPI(`{"channel":"sms","messageId":"m1","statusCode":29}`), Want: "!no_recipient"},
		{Name: "one API with the number in the reference", Body: oneAPI(`{"channel":"sms","messageId":"m1","clientMessageId":"+358450000012;c","statusCode":29}`), Want: "hard_bounce" + to + " 29"},
		{Name: "one API on WhatsApp", Body: oneAPI(`{"channel":"whatsapp","messageId":"m1","to":"358450000012","statusCode":29}`)},
		{Name: "one API without a channel", Body: oneAPI(`{"messageId":"m1","to":"358450000012","statusCode":"5"}`), Want: "delivered" + to},
		{Name: "one API without a code", Body: oneAPI(`{"channel":"sms","messageId":"m1","to":"358450000012"}`), Want: "!unreadable"},
		{Name: "one API batch", Body: oneAPI(`{"to":"358450000012","messageId":"m1","statusCode":5},7,{"to":"358450000012","messageId":"m2","statusCode":29}`), Want: "delivered" + to + "; hard_bounce" + to + " 29; !unreadable"},
		{Name: "one API text", Body: `{"event":{"moText":[{"channel":"sms","messageId":"m1","from":"358450000013","to":"15005550001","content":"Stop","timestamp":1767607205123}]}}`, Want: "opt_out +358450000013 +15005550001"},
		{Name: "one API of tomorrow", Body: `{"event":{"moHologram":[]}}`},
		{Name: "one API, no list", Body: `{"event":{"messageStatusUpdate":7}}`, Want: "!unreadable"},
		{Name: "text in UTF-16", Body: inbound("%00S%00t%00o%00p", "UTF-16BE"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "text in UTF-16 with an accent", Body: inbound("%00a%00r%00r%00%EA%00t", "UTF-16BE"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "text in Latin-1", Body: inbound("Arr%EAt", "ISO-8859-1"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "text in Latin-1 with a space", Body: inbound("stop+all", "iso-8859-1"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "plain text said to be UTF-16", Body: inbound("STOP", "UTF-16BE"), Want: "opt_out +358450000013 +15005550001"},
		{Name: "broken escapes", Body: inbound("%zz", "UTF-16BE")},
		{Name: "escapes in UTF-8 stay", Body: inbound("%53TOP", "UTF-8")},
		{Name: "other text", Body: inbound("please stop by", "UTF-8")},
		{Name: "start", Body: inbound("START", "UTF-8"), Want: "opt_in +358450000013 +15005550001"},
		{Name: "unstop", Body: inbound("Unstop", ""), Want: "opt_in +358450000013 +15005550001"},
	}
	for _, code := range []int{1, 2, 3, 6, 8, 11} {
		cases = append(cases, providertest.Case{Name: fmt.Sprint("code ", code), Body: status(fmt.Sprint(code), "X")})
	}
	for _, code := range []int{5, 7, 9, 10, 12, 13, 14, 20, 29, 301} {
		cases = append(cases, providertest.Case{Name: fmt.Sprint("code ", code), Body: status(fmt.Sprint(code), "X"), Want: fmt.Sprint("soft_bounce", to, " ", code)})
	}
	cases = append(cases, providertest.Case{Name: "code 4", Body: status("4", "X"), Want: "delivered" + to})
	for _, code := range []int{1, 2, 3, 4, 6, 21, 22, 24} {
		cases = append(cases, providertest.Case{Name: fmt.Sprint("one API code ", code), Body: oneCode(code)})
	}
	for _, code := range []int{7, 20, 23, 25, 100, 999} {
		cases = append(cases, providertest.Case{Name: fmt.Sprint("one API code ", code), Body: oneCode(code), Want: fmt.Sprint("soft_bounce", to, " ", code)})
	}
	cases = append(cases,
		providertest.Case{Name: "one API code 5", Body: oneCode(5), Want: "delivered" + to},
		providertest.Case{Name: "one API code 29", Body: oneCode(29), Want: "hard_bounce" + to + " 29"})
	for _, w := range []string{"STOP", "stopall", "Unsubscribe", " quit. "} {
		cases = append(cases, providertest.Case{Name: "text " + w, Body: inbound(w, "UTF-8"), Want: "opt_out +358450000013 +15005550001"})
	}
	providertest.Table(t, Info, providers.Set(), cases)
	providertest.Table(t, Info, providers.Set("hard_codes", "301"), []providertest.Case{
		{Name: "the operator's own reading", Body: status("301", "X"), Want: "hard_bounce" + to + " 301"},
	})
}
