package elasticemail

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

var form = []string{"Content-Type", "application/x-www-form-urlencoded"}

func one(status, category string) string {
	return "to=a%40example.com&date=1%2F5%2F2026+10%3A00%3A00+AM&status=" + status + "&category=" + category + "&messageid=m&transaction=t"
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "JSON", Body: `{"to":"a@example.com","status":"Error","category":"NoMailbox","messageid":"m"}`, Want: "hard_bounce a@example.com NoMailbox"},
		{Name: "JSON in another case", Body: `{"To":"a@example.com","Status":"Error","Category":"No Mailbox","MessageID":7}`, Want: "hard_bounce a@example.com No Mailbox"},
		{Name: "JSON array", Body: `[{"to":"a@example.com","status":"Sent"},7,{"to":"b@example.com","status":"AbuseReport"}]`, Want: "delivered a@example.com; complaint b@example.com; !unreadable"},
		{Name: "event names of the API", Body: `{"to":"a@example.com","eventtype":"Bounce","category":"NoMailbox"}`, Want: "hard_bounce a@example.com NoMailbox"},
		{Name: "failed attempt", Body: `{"to":"a@example.com","status":"FailedAttempt","category":"NoMailbox"}`, Want: "soft_bounce a@example.com"},
		{Name: "complaint of the API", Body: `{"to":"a@example.com","status":"Complaint"}`, Want: "complaint a@example.com"},
		{Name: "unsubscribe of the API", Body: `{"to":"a@example.com","status":"Unsubscribe"}`, Want: "opt_out a@example.com"},
		{Name: "broken JSON", Body: `{"to":`, Want: "!unreadable"},
		{Name: "broken form", Body: "to=%zz", Header: form, Want: "!unreadable"},
		{Name: "no status", Body: "to=a%40example.com", Header: form},
		{Name: "no recipient", Body: "status=AbuseReport&messageid=m", Header: form, Want: "!no_recipient"},
		{Name: "bad recipient", Body: "to=nobody&status=AbuseReport&messageid=m", Header: form, Want: "!bad_recipient"},
		{Name: "with a name", Body: "to=Anna+B+%3Ca%40example.com%3E&status=AbuseReport", Header: form, Want: "complaint a@example.com"},
		{Name: "lost plus", Body: "to=a+b%40example.com&status=AbuseReport", Header: form, Want: "complaint a+b@example.com"},
		{Name: "escaped plus", Body: "to=a%2Bb%40example.com&status=AbuseReport", Header: form, Want: "complaint a+b@example.com"},
		{Name: "two spaces", Body: "to=a+b+c%40example.com&status=AbuseReport", Header: form, Want: "!bad_recipient"},
		{Name: "multipart", Body: "--x\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\na@example.com\r\n--x\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nSent\r\n--x--\r\n",
			Header: []string{"Content-Type", "multipart/form-data; boundary=x"}, Want: "delivered a@example.com"},
	}
	for category, kind := range map[string]string{
		"NoMailbox": "hard_bounce", "nomailbox": "hard_bounce", "Ignore": "", "ManualCancel": "", "NotDeliveredCancelled": "",
		"AccountProblem": "soft_bounce", "DNSProblem": "soft_bounce", "Spam": "soft_bounce", "ContentFilter": "soft_bounce", "BlackListed": "soft_bounce", "Blacklisted": "soft_bounce",
		"SPFProblem": "soft_bounce", "WhitelistingProblem": "soft_bounce", "GreyListed": "soft_bounce", "Throttled": "soft_bounce", "Timeout": "soft_bounce",
		"ConnectionProblem": "soft_bounce", "ConnectionTerminated": "soft_bounce", "CodeError": "soft_bounce", "NotDelivered": "soft_bounce", "Unknown": "soft_bounce", "New": "soft_bounce",
	} {
		want := kind
		if kind != "" {
			want += " a@example.com " + category
		}
		cases = append(cases, providertest.Case{Name: "error " + category, Body: one("Error", category), Header: form, Want: want})
	}
	cases = append(cases, providertest.Case{Name: "error without a category", Body: one("Error", ""), Header: form, Want: "soft_bounce a@example.com"})
	for status, want := range map[string]string{
		"AbuseReport": "complaint a@example.com", "Unsubscribed": "opt_out a@example.com", "Sent": "delivered a@example.com", "sent": "delivered a@example.com",
		"Opened": "", "Clicked": "", "Submission": "", "New": "",
	} {
		cases = append(cases, providertest.Case{Name: "status " + status, Body: one(status, "NoMailbox"), Header: form, Want: want})
	}
	providertest.Table(t, Info, providers.Set(), cases)
}
