package twilio

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"header:" + signatureHeader}}
	settings = providers.Set("signing_secret", "strikeout-twilio-auth-token-01", "start_words", "Yes")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

// TestVectors are those of Twilio's own libraries:
// https://github.com/twilio/twilio-node/blob/main/spec/unit/webhooks/webhooks.spec.ts
func TestVectors(t *testing.T) {
	const (
		call    = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
		hash    = "&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
		json    = `{"property": "value", "boolean": true}`
		address = "https://mycompany.com/myapp.php?foo=1&bar=2"
		ported  = "https://mycompany.com:443/myapp.php?foo=1&bar=2"
		plain   = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
		port    = "kvajT1Ptam85bY51eRf/AJRuM3w="
		list    = "83O6e2vORAoJHUNzJjDWN1jz+BA="
	)
	a, err := New(providers.Set("signing_secret", "another", "signing_secret", "12345"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, url, body, contentType, signature string
		ok                                      bool
	}{
		{"form", address, call, "application/x-www-form-urlencoded", plain, true},
		{"signed with port, called without", address, call, "application/x-www-form-urlencoded", port, true},
		{"signed with port, called so", ported, call, "application/x-www-form-urlencoded", port, true},
		{"signed without port, called with", ported, call, "application/x-www-form-urlencoded", plain, true},
		{"other path", "https://mycompany.com/other.php?foo=1&bar=2", call, "application/x-www-form-urlencoded", plain, false},
		{"other query", "https://mycompany.com/myapp.php?foo=1&bar=3", call, "application/x-www-form-urlencoded", plain, false},
		{"http", "http://mycompany.com/myapp.php?foo=1&bar=2", call, "application/x-www-form-urlencoded", plain, false},
		{"more parameters", address, call + "&More=1", "application/x-www-form-urlencoded", plain, false},
		{"JSON", address + hash, json, "application/json", "a9nBmqA0ju/hNViExpshrM61xv4=", true},
		{"JSON under another content type", address + hash, json, "text/plain", "a9nBmqA0ju/hNViExpshrM61xv4=", true},
		{"JSON with more", address + hash, json + " ", "application/json", "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		{"hash that is none", address + "&bodySHA256=zz", json, "application/json", "a9nBmqA0ju/hNViExpshrM61xv4=", false},
		{"array", address, "MessagingBinding.Address=%2B1325xxxxxxx&MessagingBinding.Address=%2B1415xxxxxxx", "application/x-www-form-urlencoded", list, true},
		{"array, other order, one twice", address, "MessagingBinding.Address=%2B1415xxxxxxx&MessagingBinding.Address=%2B1325xxxxxxx&MessagingBinding.Address=%2B1415xxxxxxx", "application/x-www-form-urlencoded", list, true},
		{"no base64", address, call, "application/x-www-form-urlencoded", "RSOYDt4T1cUTdK1PDd93", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := url.Parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			r := &providers.Request{Method: "POST", URL: tt.url, RawQuery: u.RawQuery, Body: []byte(tt.body), Header: http.Header{"Content-Type": {tt.contentType}, signatureHeader: {tt.signature}}}
			if err := a.Verify(t.Context(), r); (err == nil) != tt.ok || err != nil && !errors.Is(err, providers.ErrUnauthentic) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string][]string{
		"https://a.example/x?y#rc=5&rp=all": {"https://a.example/x?y", "https://a.example:443/x?y"},
		"http://a.example":                  {"http://a.example", "http://a.example:80"},
		"https://u:p@a.example:8443/x":      {"https://u:p@a.example:8443/x", "https://u:p@a.example/x"},
		"https://u:p@a.example/x":           {"https://u:p@a.example/x", "https://u:p@a.example:443/x"},
		"https://[2001:db8::1]/x":           {"https://[2001:db8::1]/x", "https://[2001:db8::1]:443/x"},
		"https://[2001:db8::1]:443?x":       {"https://[2001:db8::1]:443?x", "https://[2001:db8::1]?x"},
		"nothing":                           {"nothing"},
	} {
		if diff := cmp.Diff(want, addresses(in)); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

func TestKinds(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	const to = "&To=%2B447700900123&MessageSid=SM1"
	cases := []providertest.Case{
		{Name: "nothing", Header: form},
		{Name: "a call", Header: form, Body: "CallSid=CA1&From=%2B447700900123&To=%2B15005550001"},
		{Name: "no code", Header: form, Body: "MessageStatus=failed" + to, Want: "soft_bounce +447700900123"},
		{Name: "empty code", Header: form, Body: "MessageStatus=failed&ErrorCode=" + to, Want: "soft_bounce +447700900123"},
		{Name: "upper case", Header: form, Body: "MessageStatus=UNDELIVERED&ErrorCode=30005" + to, Want: "hard_bounce +447700900123 30005"},
		{Name: "old status field", Header: form, Body: "SmsStatus=undelivered&ErrorCode=30005&SmsSid=SM1&To=%2B447700900123", Want: "hard_bounce +447700900123 30005"},
		{Name: "landline", Header: form, Body: "MessageStatus=undelivered&ErrorCode=30006&From=%2B15005550001" + to, Want: "hard_bounce +447700900123 30006"},
		{Name: "landline, no sender", Header: form, Body: "MessageStatus=undelivered&ErrorCode=30006" + to, Want: "hard_bounce +447700900123 30006"},
		{Name: "landline, sender name", Header: form, Body: "MessageStatus=undelivered&ErrorCode=30006&From=Strikeout" + to, Want: "hard_bounce +447700900123 30006"},
		{Name: "landline from a short code", Header: form, Body: "MessageStatus=undelivered&ErrorCode=30006&From=12345" + to, Want: "soft_bounce +447700900123 30006"},
		{Name: "opted out", Header: form, Body: "MessageStatus=undelivered&ErrorCode=21610&From=%2B15005550001" + to, Want: "opt_out +447700900123 +15005550001"},
		{Name: "delivered", Header: form, Body: "MessageStatus=delivered&From=12345" + to, Want: "delivered +447700900123"},
		{Name: "plus that was not escaped", Header: form, Body: "MessageStatus=delivered&To=+447700900123&MessageSid=SM1", Want: "delivered +447700900123"},
		{Name: "no recipient", Header: form, Body: "MessageStatus=delivered&MessageSid=SM1", Want: "!no_recipient"},
		{Name: "a name", Header: form, Body: "MessageStatus=delivered&MessageSid=SM1&To=Bob", Want: "!bad_recipient"},
		{Name: "RCS", Header: form, Body: "MessageStatus=delivered&To=rcs%3A%2B447700900123&MessageSid=SM1"},
		{Name: "messenger text", Header: form, Body: "SmsStatus=received&Body=STOP&From=messenger%3A123&To=messenger%3A4&MessageSid=SM1"},
		{Name: "WhatsApp text", Header: form, Body: "SmsStatus=received&Body=STOP&From=whatsapp%3A%2B358450000013&To=whatsapp%3A%2B1&MessageSid=SM1"},
		{Name: "broken form", Header: form, Body: "MessageStatus=%zz", Want: "!unreadable"},
		{Name: "text with MessageStatus", Header: form, Body: "MessageStatus=received&Body=STOP&From=%2B358450000013&To=%2B15005550001&MessageSid=SM1", Want: "opt_out +358450000013 +15005550001"},
		{Name: "status with a body", Header: form, Body: "MessageStatus=delivered&Body=STOP" + to, Want: "delivered +447700900123"},
		{Name: "said STOP, other word", Header: form, Body: "SmsStatus=received&OptOutType=STOP&Body=Enough&From=%2B358450000013&To=%2B15005550001&MessageSid=SM1", Want: "opt_out +358450000013 +15005550001"},
		{Name: "said stop in lower case, no body", Header: form, Body: "OptOutType=stop&From=%2B358450000013&To=%2B15005550001&MessageSid=SM1", Want: "opt_out +358450000013 +15005550001"},
		{Name: "said START, start word", Header: form, Body: "OptOutType=START&Body=start&From=%2B358450000013&To=%2B15005550001&MessageSid=SM1", Want: "opt_in +358450000013 +15005550001"},
		{Name: "said START, other word", Header: form, Body: "OptOutType=START&Body=JOIN+US&From=%2B358450000013&To=%2B15005550001&MessageSid=SM1", Want: "reactivation +358450000013 +15005550001"},
		{Name: "said HELP", Header: form, Body: "OptOutType=HELP&Body=HELP&From=%2B358450000013&To=%2B15005550001&MessageSid=SM1"},
		{Name: "said something new", Header: form, Body: "OptOutType=NEW&Body=STOP&From=%2B358450000013&To=%2B15005550001&MessageSid=SM1", Want: "opt_out +358450000013 +15005550001"},
		{Name: "text from nobody", Header: form, Body: "Body=STOP&MessageSid=SM1", Want: "!no_recipient"},

		{Name: "stream, other type", Body: `[{"type":"com.twilio.messaging.inbound-message.deleted","data":{"from":"+358450000013","body":"STOP"}}]`},
		{Name: "stream, stop", Body: `[{"type":"com.twilio.messaging.inbound-message.received","id":"E","data":{"messageSid":"SM1","from":"+358450000013","to":"+15005550001","body":" Stop. ","timestamp":"2026-01-05T10:00:00.000Z"}}]`, Want: "opt_out +358450000013 +15005550001"},
		{Name: "stream, start", Body: `{"type":"com.twilio.messaging.inbound-message.received","id":"E","data":{"messageSid":"SM1","from":"+358450000013","to":"+15005550001","body":"START"}}`, Want: "opt_in +358450000013 +15005550001"},
		{Name: "stream, other text", Body: `[{"type":"com.twilio.messaging.inbound-message.received","id":"E","data":{"messageSid":"SM1","from":"+358450000013","to":"+15005550001","body":"do not stop"}}]`},
		{Name: "stream, text on WhatsApp", Body: `[{"type":"com.twilio.messaging.inbound-message.received","id":"E","data":{"messageSid":"SM1","from":"whatsapp:+358450000013","to":"whatsapp:+15005550001","body":"STOP"}}]`},
		{Name: "stream, test event", Body: `[{"type":"com.twilio.eventstreams.test-event","id":"E","data":{"test_id":"t"}}]`},
		{Name: "stream, sent", Body: `[{"type":"com.twilio.messaging.message.sent","id":"E","data":{"to":"+447700900123"}}]`},
		{Name: "stream, no type", Body: `[{"id":"E"}]`, Want: "!unreadable"},
		{Name: "stream, one bad", Body: `[7,{"type":"com.twilio.messaging.message.delivered","id":"E","data":{"to":"+447700900123"}},{"type":"com.twilio.messaging.message.failed","data":[]}]`, Want: "delivered +447700900123; !unreadable; !no_recipient"},
		{Name: "stream, opted out", Body: `[{"type":"com.twilio.messaging.message.failed","id":"E","data":{"to":"+447700900123","from":"+15005550001","errorCode":21610}}]`, Want: "opt_out +447700900123 +15005550001"},
		{Name: "stream, code null", Body: `[{"type":"com.twilio.messaging.message.undelivered","id":"E","data":{"To":"+447700900123","ErrorCode":null}}]`, Want: "soft_bounce +447700900123"},
		{Name: "stream, a single event", Body: `{"type":"com.twilio.messaging.message.undelivered","id":"E","data":{"to":"+447700900123","errorCode":"30005"}}`, Want: "hard_bounce +447700900123 30005"},
		{Name: "broken JSON", Body: `[{"type":`, Want: "!unreadable"},
	}
	for _, status := range []string{"accepted", "scheduled", "queued", "sending", "sent", "canceled", "receiving", "received", "partially_delivered", "read", "teleported"} {
		cases = append(cases, providertest.Case{Name: status, Header: form, Body: "MessageStatus=" + status + "&ErrorCode=30005" + to})
	}
	for code, want := range map[string]string{"21211": "hard_bounce", "21614": "hard_bounce", "21635": "hard_bounce", "30005": "hard_bounce", "63016": "", "63001": ""} {
		if want != "" {
			want += " +447700900123 " + code
		}
		for _, status := range []string{"failed", "undelivered"} {
			cases = append(cases, providertest.Case{Name: status + " " + code, Header: form, Body: "MessageStatus=" + status + "&ErrorCode=" + code + to, Want: want})
		}
	}
	for _, code := range []string{
		"30003", "30004", "30007", "30038", "30039", "30008", "30009", "30001", "30017", "30022", "30023", "30027", "21611", "14107", "30002", "30010", "30032", "30034", "30024", "30018", "30035",
		"30011", "30012", "30013", "30014", "30015", "30016", "30019", "30020", "30021", "30036", "21214", "21217", "21612", "21408", "21421", "21606", "21608", "21609", "21617", "21602", "14111", "60200", "30410", "30450", "30453", "30454", "99999", "0",
	} {
		cases = append(cases, providertest.Case{Name: "failed " + code, Header: form, Body: "MessageStatus=failed&ErrorCode=" + code + to, Want: "soft_bounce +447700900123 " + code})
	}
	for _, word := range []string{"STOP", "Stop ", "STOP.", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Header: form, Body: "SmsStatus=received&From=%2B358450000013&To=%2B15005550001&MessageSid=SM1&Body=" + url.QueryEscape(word), Want: "opt_out +358450000013 +15005550001"})
	}
	for _, word := range []string{"START", "unstop", "Yes"} {
		cases = append(cases, providertest.Case{Name: "text " + word, Header: form, Body: "SmsStatus=received&From=%2B358450000013&To=%2B15005550001&MessageSid=SM1&Body=" + word, Want: "opt_in +358450000013 +15005550001"})
	}
	for _, word := range []string{"", "HELP", "please stop", "stop it", "nonstop", "start over"} {
		cases = append(cases, providertest.Case{Name: "other text " + word, Header: form, Body: "SmsStatus=received&From=%2B358450000013&To=%2B15005550001&MessageSid=SM1&Body=" + url.QueryEscape(word)})
	}
	providertest.Table(t, Info, settings, cases)
}
