package socketlabs

import (
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var (
	options  = providertest.Options{Signature: []string{"json:SecretKey"}, BodyUnsigned: "the body carries the key and no signature"}
	settings = providers.Set("signing_secret", "Z9y8X7w6V5u4T3s2R1q0")
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func one(kind, more string) string {
	return `{"Type":"` + kind + `","DateTime":"2026-01-05T10:00:01.3694682Z","MessageId":"m","Address":"a@example.com","ServerId":1,"SecretKey":"k","Data":{"Meta":[{"Key":"Type","Value":"x"}],"Tags":["t"]}` + more + `}`
}

func failed(kind, code, more string) string {
	return one("Failed", `,"FailureType":`+kind+`,"FailureCode":`+code+more)
}

func TestKinds(t *testing.T) {
	const gone = `,"BounceStatus":"5.1.1","DiagnosticCode":"smtp;550 5.1.1 User unknown"`
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	cases := []providertest.Case{
		{Name: "no type", Body: `{"Address":"a@example.com","Data":{"Tags":[]}}`, Want: "!unreadable"},
		{Name: "array", Body: `[` + one("Complaint", "") + `]`, Want: "!unreadable"},
		{Name: "no recipient", Body: `{"Type":"Deferred"}`, Want: "!no_recipient"},
		{Name: "bad recipient", Body: `{"Type":"Deferred","Address":"nobody"}`, Want: "!bad_recipient"},
		{Name: "wrapped", Body: `{"data":` + failed(`"Permanent"`, "2001", "") + `}`, Want: "hard_bounce a@example.com 2001"},
		{Name: "wrapped in Data", Body: `{"Data":` + failed(`1`, "2001", "") + `}`, Want: "hard_bounce a@example.com 2001"},
		{Name: "another case", Body: `{"type":"failed","ADDRESS":"a@example.com","serverID":1,"failuretype":"PERMANENT","failurecode":"2004"}`, Want: "hard_bounce a@example.com 2004"},
		{Name: "form", Body: "Type=Failed&Address=a%40example.com&FailureType=1&FailureCode=2002&SecretKey=k", Header: form, Want: "hard_bounce a@example.com 2002"},
		{Name: "form in another case", Body: "type=Tracking&address=a%40example.com&trackingtype=2", Header: form, Want: "opt_out a@example.com"},
		{Name: "broken form", Body: "Type=%zz", Header: form, Want: "!unreadable"},

		{Name: "2999 proven", Body: failed(`"Permanent"`, "2999", gone), Want: "hard_bounce a@example.com 2999"},
		{Name: "2999 proven by the status", Body: failed(`"Permanent"`, "2999", `,"BounceStatus":"5.1.1"`), Want: "hard_bounce a@example.com 2999"},
		{Name: "2999 proven by the reason", Body: failed(`"Permanent"`, "2999", `,"Reason":"550 no such user"`), Want: "hard_bounce a@example.com 2999"},
		{Name: "2999 policy", Body: failed(`"Permanent"`, "2999", `,"BounceStatus":"5.7.1","Reason":"550 5.7.1 blocked"`), Want: "soft_bounce a@example.com 2999"},
		{Name: "2999 temporary", Body: failed(`"Temporary"`, "2999", gone), Want: "soft_bounce a@example.com 2999"},
		{Name: "no code, proven", Body: one("Failed", `,"FailureType":"Permanent"`+gone), Want: "hard_bounce a@example.com 5.1.1"},
		{Name: "no code, proven in words", Body: one("Failed", `,"FailureType":1,"FailureCode":null,"Reason":"User unknown"`), Want: "hard_bounce a@example.com 1"},
		{Name: "no code, not proven", Body: one("Failed", `,"FailureType":"Permanent"`), Want: "soft_bounce a@example.com Permanent"},
		{Name: "nothing", Body: one("Failed", ""), Want: "soft_bounce a@example.com"},
		{Name: "hard code without a type", Body: one("Failed", `,"FailureCode":2001`), Want: "soft_bounce a@example.com 2001"},
		{Name: "suppressed", Body: failed(`"Suppressed"`, "9999", gone)},
		{Name: "suppressed, number, hard code", Body: failed(`2`, "2001", gone)},
		{Name: "suppressed, number in quotes", Body: failed(`"2"`, `"2001"`, gone)},

		{Name: "deferred", Body: one("Deferred", `,"DeferralCode":"452","Reason":"452 4.2.2 full"`), Want: "soft_bounce a@example.com 452"},
		{Name: "complaint", Body: one("Complaint", `,"FblType":"abuse","To":"other@example.com"`), Want: "complaint a@example.com abuse"},
		{Name: "complaint without an address", Body: `{"Type":"Complaint","To":"A B <a@example.com>","From":"news@sender.example"}`, Want: "complaint a@example.com"},
		{Name: "no complaint", Body: one("Complaint", `,"FblType":"not-spam"`)},
		{Name: "unsubscribe", Body: one("Tracking", `,"TrackingType":"Unsubscribe"`), Want: "opt_out a@example.com"},
		{Name: "unsubscribe as a type", Body: one("Unsubscribe", ""), Want: "opt_out a@example.com"},
		{Name: "open as a type", Body: one("Open", "")},
		{Name: "complaint that names several", Body: `{"Type":"Complaint","FblType":"abuse","To":"B <b@example.com>, C <c@example.com>"}`, Want: "!bad_recipient"},
		{Name: "unsubscribe, number", Body: one("Tracking", `,"TrackingType":2`), Want: "opt_out a@example.com"},
		{Name: "delivered", Body: one("Delivered", `,"Response":"250 OK"`), Want: "delivered a@example.com"},
		{Name: "sent", Body: one("Sent", ""), Want: "delivered a@example.com"},
	}
	for _, tracking := range []string{`"Click"`, `"Open"`, "0", "1", "null", `"New"`} {
		cases = append(cases, providertest.Case{Name: "tracking " + tracking, Body: one("Tracking", `,"TrackingType":`+tracking)})
	}
	for _, kind := range []string{"Queued", "Validation", "New"} {
		cases = append(cases, providertest.Case{Name: kind, Body: one(kind, `,"FailureType":1,"FailureCode":2001`)})
	}
	soft := "1002 1003 1004 1006 1007 1011 1999 3001 3002 3003 3999 4001 4002 4003 4004 4006 4999 9999 7777"
	for _, code := range strings.Fields(soft + " 2001 2002 2003 2004 5001 5999") {
		want := "soft_bounce a@example.com " + code
		switch code[0] {
		case '2':
			want = "hard_bounce a@example.com " + code
		case '5':
			want = ""
		}
		cases = append(cases,
			providertest.Case{Name: "permanent " + code, Body: failed(`"Permanent"`, code, gone), Want: want},
			providertest.Case{Name: "1 " + code, Body: failed(`1`, `"`+code+`"`, gone), Want: want})
		if want != "" {
			want = "soft_bounce a@example.com " + code
		}
		cases = append(cases,
			providertest.Case{Name: "temporary " + code, Body: failed(`"Temporary"`, code, gone), Want: want},
			providertest.Case{Name: "0 " + code, Body: failed(`0`, code, gone), Want: want})
	}
	providertest.Table(t, Info, settings, cases)
}
