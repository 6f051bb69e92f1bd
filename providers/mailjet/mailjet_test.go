package mailjet

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func posted(kind, more string) string {
	return `{"event":"` + kind + `","time":1772615703,"MessageID":19421777835146490,"email":"a@example.com"` + more + `}`
}

func failed(hard, err, comment string) string {
	return `,"blocked":true,"hard_bounce":` + hard + `,"error_related_to":"x","error":"` + err + `","comment":"` + comment + `"`
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "empty array", Body: `[]`},
		{Name: "array", Body: `[` + posted("unsub", "") + `,7,null,{},` + posted("sent", `,"smtp_reply":"250 OK"`) + `]`, Want: "opt_out a@example.com; delivered a@example.com; !unreadable; !unreadable; !unreadable"},
		{Name: "spam", Body: posted("spam", `,"source":"JMRPP"`), Want: "complaint a@example.com JMRPP"},
		{Name: "unsub", Body: posted("unsub", `,"mj_list_id":17`), Want: "opt_out a@example.com 17"},
		{Name: "upper case", Body: posted("Unsub", `,"mj_list_id":""`), Want: "opt_out a@example.com"},
		{Name: "no recipient", Body: `{"event":"unsub","time":1}`, Want: "!no_recipient"},
		{Name: "bad recipient", Body: `{"event":"unsub","email":"nobody"}`, Want: "!bad_recipient"},
		{Name: "no hard_bounce", Body: posted("bounce", `,"error":"user unknown"`), Want: "soft_bounce a@example.com user unknown"},
		{Name: "hard_bounce null", Body: posted("bounce", failed("null", "user unknown", "")), Want: "soft_bounce a@example.com user unknown"},
		{Name: "hard_bounce 1", Body: posted("bounce", failed("1", "user unknown", "")), Want: "hard_bounce a@example.com user unknown"},
		{Name: "hard_bounce in quotes", Body: posted("bounce", failed(`"true"`, " User Unknown ", "")), Want: "hard_bounce a@example.com User Unknown"},
		{Name: "comment: full", Body: posted("bounce", failed("true", "user unknown", "552 5.2.2 mailbox full")), Want: "soft_bounce a@example.com user unknown"},
		{Name: "comment: policy", Body: posted("bounce", failed("true", "mailbox inactive", "550 5.7.1 no")), Want: "soft_bounce a@example.com mailbox inactive"},
		{Name: "comment without a code", Body: posted("bounce", failed("true", "invalid domain", "Host or domain name not found. Blocked.")), Want: "hard_bounce a@example.com invalid domain"},
		{Name: "no error, proven", Body: posted("bounce", failed("true", "", "550 5.1.1 user unknown")), Want: "hard_bounce a@example.com bounce"},
		{Name: "no error, proven by words", Body: posted("bounce", failed("true", "new word", "550 user unknown")), Want: "hard_bounce a@example.com new word"},
		{Name: "no error, not proven", Body: posted("bounce", failed("true", "", "failed")), Want: "soft_bounce a@example.com bounce"},
		{Name: "no error, not hard", Body: posted("bounce", failed("false", "", "550 5.1.1 user unknown")), Want: "soft_bounce a@example.com bounce"},
		{Name: "blocked without an error", Body: posted("blocked", "")},
		{Name: "blocked, new word", Body: posted("blocked", failed("true", "new word", "550 5.1.1 user unknown"))},
	}
	for _, tt := range []struct{ err, hard, soft, blocked string }{
		{"user unknown", "hard_bounce", "soft_bounce", "~hard_bounce"},
		{"mailbox inactive", "hard_bounce", "soft_bounce", "~hard_bounce"},
		{"invalid domain", "hard_bounce", "soft_bounce", "~hard_bounce"},
		{"typofix", "hard_bounce", "soft_bounce", "~hard_bounce"},
		{"no mail host", "hard_bounce", "soft_bounce", ""},
		{"quota exceeded", "soft_bounce", "soft_bounce", ""},
		{"blacklisted", "soft_bounce", "soft_bounce", "soft_bounce"},
		{"preblocked", "soft_bounce", "soft_bounce", "soft_bounce"},
		{"spam reporter", "~complaint", "~complaint", "~complaint"},
		{"relay/access denied", "soft_bounce", "soft_bounce", ""},
		{"greylisted", "soft_bounce", "soft_bounce", ""},
		{"bad or empty template", "", "", ""},
		{"error in template language", "", "", ""},
		{"duplicate in campaign", "", "", ""},
		{"sender blocked", "soft_bounce", "soft_bounce", ""},
		{"content blocked", "soft_bounce", "soft_bounce", ""},
		{"policy issue", "soft_bounce", "soft_bounce", ""},
		{"system issue", "soft_bounce", "soft_bounce", ""},
		{"protocol issue", "soft_bounce", "soft_bounce", ""},
		{"connection issue", "soft_bounce", "soft_bounce", ""},
	} {
		for how, c := range map[string]struct{ body, want string }{
			"hard bounce": {posted("bounce", failed("true", tt.err, "550 5.1.1 user unknown")), tt.hard},
			"soft bounce": {posted("bounce", failed("false", tt.err, "550 5.1.1 user unknown")), tt.soft},
			"blocked":     {posted("blocked", `,"error":"`+tt.err+`"`), tt.blocked},
		} {
			want := c.want
			if want != "" {
				want += " a@example.com " + tt.err
			}
			cases = append(cases, providertest.Case{Name: how + " " + tt.err, Body: c.body, Want: want})
		}
	}
	for _, kind := range []string{"open", "click", "new"} {
		cases = append(cases, providertest.Case{Name: kind, Body: posted(kind, failed("true", "user unknown", ""))})
	}
	providertest.Table(t, Info, providers.Set(), cases)
}
