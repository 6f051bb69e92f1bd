package lox24

import (
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func dlr(dlr, status string) string {
	return `{"id":"e1","name":"sms.delivery","created_at":1795375805,"attempts_total":4,"attempt_number":2,"data":{"id":"m1","key_id":8207,"dlr_code":` + dlr + `,"status_code":` + status + `,"callback_data":"+358450000012;campaign-42"}}`
}

func named(event, data string) string {
	return `{"id":"e1","name":"` + event + `","created_at":1795375805,"data":` + data + `}`
}

func TestKinds(t *testing.T) {
	const to = " +358450000012"
	const mo = `{"id":"m1","from":"+358450000013","to":"+4915735000001","text":`
	cases := []providertest.Case{
		{Name: "delivered", Body: dlr("1", "100"), Want: "delivered" + to + " 1"},
		{Name: "delivered, whatever the status", Body: dlr("1", "0"), Want: "delivered" + to + " 1"},
		{Name: "handed over", Body: dlr("0", "100")},
		{Name: "queued", Body: dlr("2", "100")},
		{Name: "en route", Body: dlr("4", "0")},
		{Name: "expired", Body: dlr("8", "100"), Want: "soft_bounce" + to + " 8"},
		{Name: "rejected", Body: dlr("16", "100"), Want: "soft_bounce" + to + " 16"},
		{Name: "a new code", Body: dlr("32", "100"), Want: "soft_bounce" + to + " 32"},
		{Name: "codes in quotes", Body: dlr(`"8"`, `"100"`), Want: "soft_bounce" + to + " 8"},
		{Name: "only the status", Body: dlr("null", "3000"), Want: "soft_bounce" + to + " 3000"},
		{Name: "no code", Body: dlr("null", "null"), Want: "!unreadable"},
		{Name: "no data", Body: `{"name":"sms.delivery"}`, Want: "!unreadable"},
		{Name: "dry run", Body: named("sms.delivery.dryrun", `{"id":"m1","dlr_code":16,"status_code":100,"callback_data":"+358450000012"}`)},
		{Name: "another event", Body: named("account.balance", `{"dlr_code":16}`)},
		{Name: "nobody", Body: named("sms.delivery", `{"id":"m1","dlr_code":8,"status_code":100}`), Want: "!no_recipient"},
		{Name: "a reference without a number", Body: named("sms.delivery", `{"id":"m1","dlr_code":8,"callback_data":"123456789"}`), Want: "!no_recipient"},
		{Name: "nobody, on its way", Body: named("sms.delivery", `{"id":"m1","dlr_code":2,"status_code":100}`)},
		{Name: "number alone", Body: named("sms.delivery", `{"id":"m1","dlr_code":8,"callback_data":"+358450000012"}`), Want: "soft_bounce" + to + " 8"},
		{Name: "an array", Body: "[" + dlr("1", "100") + "," + dlr("8", "100") + "]", Want: "delivered" + to + " 1; soft_bounce" + to + " 8"},
		{Name: "stop", Body: named("sms.incoming", mo+`"Stopp"}`), Want: "opt_out +358450000013 +4915735000001"},
		{Name: "stop by another name", Body: named("sms.inbound", mo+`"STOP"}`), Want: "opt_out +358450000013 +4915735000001"},
		{Name: "start", Body: named("sms.incoming", mo+`"START"}`), Want: "opt_in +358450000013 +4915735000001"},
		{Name: "hello", Body: named("sms.incoming", mo+`"Hallo"}`)},
		{Name: "stop from nobody", Body: named("sms.incoming", `{"id":"m1","text":"STOP"}`), Want: "!no_recipient"},
		{Name: "older report", Body: "uuid=m1&dlr_code=8&key_id=1&callback_data=%2B358450000012%3Bx", Want: "soft_bounce" + to + " 8"},
		{Name: "older delivery", Body: "uuid=m1&dlr_code=1&key_id=1&callback_data=%2B358450000012", Want: "delivered" + to + " 1"},
		{Name: "older reply", Body: "sender_id=%2B358450000013&text=STOP&time=1795375805&uuid=m1", Want: "opt_out +358450000013"},
		{Name: "older inbound text", Body: "sender_id=358450000013&text=STOP&time=1795375805&id=7&phone=%2B4915735000001", Want: "opt_out +358450000013 +4915735000001"},
		{Name: "form fields", Body: "name=sms.delivery&data%5Bid%5D=m1&data%5Bdlr_code%5D=16&data%5Bstatus_code%5D=100&data%5Bcallback_data%5D=%2B358450000012", Want: "soft_bounce" + to + " 16"},
		{Name: "nothing", Want: "!unreadable"},
	}
	for status, soft := range map[string]bool{"208": true, "400": true, "2000": true, "3000": true, "5000": true, "999": true, "0": false, "100": false, "410": false, "6000": false} {
		c := providertest.Case{Name: "status " + status, Body: dlr("0", status)}
		if soft {
			c.Want = "soft_bounce" + to + " " + status
		}
		cases = append(cases, c)
	}
	for i := range cases {
		if !strings.ContainsAny(cases[i].Body, "{") {
			cases[i].Header = []string{"Content-Type", "application/x-www-form-urlencoded"}
		}
	}
	providertest.Table(t, Info, providers.Set(), cases)
}
