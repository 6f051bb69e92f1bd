package clicksend

import (
	"net/url"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func TestKinds(t *testing.T) {
	var cases []providertest.Case
	add := func(name, want string, pairs ...string) {
		v := url.Values{"message_id": {"M-1"}, "timestamp": {"1767607205"}, "message_type": {"sms"}, "custom_string": {"+358450000012;c"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		cases = append(cases, providertest.Case{Name: name, Body: v.Encode(), Want: want, Header: []string{"Content-Type", "application/x-www-form-urlencoded"}})
	}
	const to = " +358450000012"
	add("201", "delivered"+to, "status_code", "201")
	add("200", "", "status_code", "200")
	add("300", "", "status_code", "300", "error_text", "Unknown subscriber")
	add("301", "soft_bounce"+to+" 301", "status_code", "301")
	add("302", "soft_bounce"+to+" 302", "status_code", "302")
	add("words for a status", "soft_bounce"+to+" FAILED", "status_code", "FAILED")
	add("unknown subscriber", "hard_bounce"+to+" 9", "status_code", "301", "error_code", "9", "error_text", "UNKNOWN SUBSCRIBER (absent)")
	add("unknown subscriber as the status", "hard_bounce"+to+" 301", "status_code", "301", "status_text", "Unknown subscriber")
	add("unknown subscriber in the middle", "soft_bounce"+to+" 301", "status_code", "301", "error_text", "Not an unknown subscriber")
	add("unknown failure", "soft_bounce"+to+" 8", "status_code", "301", "error_code", "8", "error_text", "Unknown failure")
	for _, code := range []string{"1", "5", "8", "9", "12", "13", "16", "19"} {
		add("error code "+code, "soft_bounce"+to+" "+code, "status_code", "301", "error_code", code)
	}
	add("null texts", "soft_bounce"+to+" 301", "status_code", "301", "error_code", "null", "error_text", "NULL")
	add("voice", "", "status_code", "301", "message_type", "voice")
	add("upper case type", "soft_bounce"+to+" 301", "status_code", "301", "message_type", "SMS")
	add("no type", "soft_bounce"+to+" 301", "status_code", "301", "message_type", "")
	add("no status", "")
	add("no status but words", "soft_bounce"+to, "status_text", "Failed")
	add("number alone", "delivered"+to, "status_code", "201", "custom_string", "+358450000012")
	add("order number", "!no_recipient", "status_code", "301", "custom_string", "12345678;c")
	add("no custom string", "!no_recipient", "status_code", "301", "custom_string", "")
	add("null custom string", "!no_recipient", "status_code", "301", "custom_string", "null")
	add("old names", "delivered +447700900123", "status_code", "201", "message_id", "", "messageid", "M-2", "custom_string", "", "customstring", "+447700900123;c")
	for _, w := range []string{"STOP", "stopall", "Unsubscribe", "OPTOUT", "cancel", " Stop. "} {
		add("text "+w, "opt_out +358450000013 +15005550001", "from", "+358450000013", "to", "+15005550001", "body", w, "message_type", "")
	}
	add("text under its old name", "opt_out +358450000013 +15005550001", "from", "+358450000013", "to", "+15005550001", "message", "STOP")
	add("text START", "opt_in +358450000013 +15005550001", "from", "+358450000013", "to", "+15005550001", "body", "START")
	add("other text", "", "from", "+358450000013", "to", "+15005550001", "body", "please stop by")
	cases = append(cases,
		providertest.Case{Name: "JSON", Body: `{"message_id":"M-1","status_code":301,"error_text":"Unknown subscriber","error_code":null,"custom_string":"+358450000012;c","timestamp":1767607205,"message_type":"sms"}`, Want: "hard_bounce" + to + " 301"},
		providertest.Case{Name: "JSON list", Body: `[{"message_id":"M-1","status_code":"201","custom_string":"+358450000012"},{"message_id":"M-2","status_code":"301","custom_string":""}]`, Want: "delivered" + to + "; !no_recipient"},
		providertest.Case{Name: "something else", Body: "hello=world", Want: "!unreadable"},
		providertest.Case{Name: "nothing"})
	providertest.Table(t, Info, providers.Set(), cases)
	providertest.Table(t, Info, providers.Set("soft_codes", "300"), []providertest.Case{
		{Name: "the operator wants to see it", Body: "message_id=M-1&status_code=300&custom_string=%2B358450000012", Want: "soft_bounce" + to + " 300"},
	})
}

// TestNumberInTheURL: the callback URL may carry the number instead.
func TestNumberInTheURL(t *testing.T) {
	a, err := New(providers.Set())
	if err != nil {
		t.Fatal(err)
	}
	r := &providers.Request{Method: "POST", RawQuery: "to=358450000012", Body: []byte("message_id=M-1&status_code=301")}
	if got, want := providertest.Outcome(a.Parse(r)), "soft_bounce +358450000012 301"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
