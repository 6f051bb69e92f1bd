package cm

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func msg(to, code, reason string) string {
	return `{"received":"2026-11-22T19:30:05","to":` + to + `,"reference":"campaign-42","status":{"code":` + code + `,"errorCode":` + reason + `,"errorDescription":"x"},"operator":"24405"}`
}

func dlr(to, code, reason string) string {
	return `{"messages":{"msg":` + msg(to, code, reason) + `}}`
}

func mo(text, channel string) string {
	return `{"from":{"number":"00358450000013","name":""},"to":{"number":"0031600000001"},"message":{"text":"` + text + `","media":{}},"reference":"r","groupings":["","",""],"timeUtc":"2026-11-22T19:33:00","channel":"` + channel + `"}`
}

func TestKinds(t *testing.T) {
	const to = `"00447700900123"`
	cases := []providertest.Case{
		{Name: "delivered", Body: dlr(to, `"2"`, `""`), Want: "delivered +447700900123"},
		{Name: "accepted", Body: dlr(to, `"0"`, `""`)},
		{Name: "rejected", Body: dlr(to, `"1"`, `""`), Want: "soft_bounce +447700900123"},
		{Name: "rejected for good", Body: dlr(to, `"1"`, `"23"`), Want: "soft_bounce +447700900123 23"},
		{Name: "another state", Body: dlr(to, `"4"`, `""`), Want: "soft_bounce +447700900123"},
		{Name: "a negative state", Body: dlr(to, `"-1"`, `""`)},
		{Name: "a word as state", Body: dlr(to, `"READ"`, `""`)},
		{Name: "numbers", Body: dlr("447700900123", "3", "24"), Want: "soft_bounce +447700900123 24"},
		{Name: "a plus", Body: dlr(`"+447700900123"`, "3", "null"), Want: "soft_bounce +447700900123"},
		{Name: "no state", Body: dlr(to, "null", "null"), Want: "!unreadable"},
		{Name: "status null", Body: `{"messages":{"msg":{"to":"00447700900123","status":null}}}`, Want: "!unreadable"},
		{Name: "nobody", Body: dlr(`""`, `"3"`, `"24"`), Want: "!no_recipient"},
		{Name: "an array", Body: `{"messages":{"msg":[` + msg(to, `"2"`, `""`) + `,7,` + msg(to, `"3"`, `"24"`) + `]}}`, Want: "delivered +447700900123; soft_bounce +447700900123 24; !unreadable"},
		{Name: "messages that are none", Body: `{"messages":{"msg":"x"}}`, Want: "!unreadable"},
		{Name: "empty", Want: "!unreadable"},
		{Name: "XML", Body: `<?xml version="1.0" encoding="ISO-8859-1"?><MESSAGES><MSG RECEIVED="2026-11-22T19:30:05"><TO>00447700900123</TO><REFERENCE>r</REFERENCE><STATUS><CODE>3</CODE><ERRORCODE>24</ERRORCODE><ERRORDESCRIPTION>h` + "\xf6" + `</ERRORDESCRIPTION></STATUS></MSG><MSG><TO>00447700900124</TO><STATUS><CODE>2</CODE></STATUS></MSG></MESSAGES>`,
			Want: "soft_bounce +447700900123 24; delivered +447700900124"},
		{Name: "XML without messages", Body: `<MESSAGES></MESSAGES>`, Want: "!unreadable"},
		{Name: "broken XML", Body: `<MESSAGES><MSG>`, Want: "!unreadable"},
		{Name: "template by the setup steps", Body: "to=00447700900123&status=3&errorcode=24&reference=r&received=2026-11-22T19:30:05", Want: "soft_bounce +447700900123 24"},
		{Name: "template by CM's variables", Body: "GSM=00447700900123&STATUS=3&STATUSDESCRIPTION=24", Want: "soft_bounce +447700900123 24"},
		{Name: "template by other names", Body: "nummer=00447700900123&stand=3", Want: "!unreadable"},
		{Name: "flat JSON", Body: `{"to":"00447700900123","status":"2"}`, Want: "delivered +447700900123"},
		{Name: "stop", Body: mo("STOP", "SMS"), Want: "opt_out +358450000013 0031600000001"},
		{Name: "stop, no channel", Body: mo("afmelden", ""), Want: "opt_out +358450000013 0031600000001"},
		{Name: "stop on WhatsApp", Body: mo("STOP", "WhatsApp")},
		{Name: "start", Body: mo("start", "SMS"), Want: "opt_in +358450000013 0031600000001"},
		{Name: "hello", Body: mo("hello", "SMS")},
		{Name: "first edition", Body: `{"reference":"r","from":"0031612345678","to":"3669","body":"stop","groupings":["","",""]}`, Want: "opt_out +31612345678 3669"},
		{Name: "stop by a template", Body: "from=0031612345678&to=3669&message=Stop&reference=r", Want: "opt_out +31612345678 3669"},
		{Name: "text by a template", Body: "gsm=0031612345678&shortcode=3669&message=do+not+stop"},
		{Name: "stop from nobody", Body: `{"from":{},"message":{"text":"STOP"}}`, Want: "!no_recipient"},
	}
	for _, reason := range []string{"5", "6", "7", "8", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "33", "99"} {
		cases = append(cases, providertest.Case{Name: "reason " + reason, Body: dlr(to, `"3"`, `"`+reason+`"`), Want: "soft_bounce +447700900123 " + reason})
	}
	providertest.Table(t, Info, providers.Set(), cases)
}

func TestOwnDecisions(t *testing.T) {
	providertest.Table(t, Info, providers.Set("hard_codes", "23"), []providertest.Case{
		{Name: "do not use again", Body: dlr(`"00447700900123"`, `"3"`, `"23"`), Want: "hard_bounce +447700900123 23"},
		{Name: "rejected", Body: dlr(`"00447700900123"`, `"1"`, `23`), Want: "hard_bounce +447700900123 23"},
		{Name: "delivered all the same", Body: dlr(`"00447700900123"`, `"2"`, `"23"`), Want: "delivered +447700900123 23"},
		{Name: "another", Body: dlr(`"00447700900123"`, `"3"`, `"24"`), Want: "soft_bounce +447700900123 24"},
	})
}
