package postmark

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

func bounce(kind string) string {
	return `{"RecordType":"Bounce","ID":7,"Type":"` + kind + `","TypeCode":512,"MessageID":"m","Email":"a@example.com","BouncedAt":"2026-03-04T09:15:03Z","Inactive":true}`
}

func change(members string) string {
	return `{"RecordType":"SubscriptionChange","MessageID":"m","MessageStream":"broadcast","ChangedAt":"2026-03-04T09:15:03Z","Recipient":"a@example.com",` + members + `}`
}

func TestKinds(t *testing.T) {
	var cases []providertest.Case
	for kinds, want := range map[string]string{
		"HardBounce BadEmailAddress": "hard_bounce",
		"SoftBounce Transient DnsError Unknown SpamNotification VirusNotification DMARCPolicy Blocked ChallengeVerification OpenRelayTest SomethingNew": "soft_bounce",
		"AutoResponder AddressChange SMTPApiError TemplateRenderingFailed InboundError Subscribe Unconfirmed":                                           "",
		"Unsubscribe": "opt_out", "SpamComplaint": "complaint", "ManuallyDeactivated": "~opt_out",
	} {
		for _, k := range strings.Fields(kinds) {
			c := providertest.Case{Name: k, Body: bounce(k)}
			if want != "" {
				c.Want = want + " a@example.com " + k
			}
			cases = append(cases, c)
		}
	}
	cases = append(cases, []providertest.Case{
		{Name: "no bounce type", Body: `{"RecordType":"Bounce","ID":7,"TypeCode":1,"Email":"a@example.com"}`, Want: "soft_bounce a@example.com"},
		{Name: "type in lower case", Body: bounce("hardbounce"), Want: "hard_bounce a@example.com hardbounce"},
		{Name: "no record type", Body: `{"ID":7,"Type":"HardBounce","Email":"a@example.com","MessageID":"m","BouncedAt":"2014-08-01T13:28:10.2735393-04:00"}`, Want: "hard_bounce a@example.com HardBounce"},
		{Name: "no record type and no time", Body: `{"Type":"SoftBounce","Email":"a@example.com","MessageID":"m"}`, Want: "soft_bounce a@example.com SoftBounce"},
		{Name: "delivery without a record type", Body: `{"ServerID":23,"MessageID":"m","Recipient":"a@example.com","DeliveredAt":"2014-08-01T13:28:10.2735393-04:00"}`, Want: "delivered a@example.com"},
		{Name: "click without a record type", Body: `{"OriginalLink":"https://example.com/","MessageID":"m","Recipient":"a@example.com","ReceivedAt":"2014-08-01T13:28:10.2735393-04:00"}`},
		{Name: "no record type and no bounce", Body: `{"From":"a@example.com","Subject":"x"}`, Want: "!unreadable"},
		{Name: "inbound mail without a record type", Body: `{"From":"a@example.com","FromFull":{"Email":"a@example.com","Name":"","MailboxHash":""},"To":"in@example.com","Subject":"x","MessageID":"m"}`},
		{Name: "inbound mail", Body: `{"RecordType":"Inbound","From":"a@example.com","MessageID":"m"}`},
		{Name: "new record type", Body: `{"RecordType":"Teleport","Recipient":"a@example.com"}`},
		{Name: "click", Body: `{"RecordType":"Click","Recipient":"a@example.com","MessageID":"m"}`},
		{Name: "complaint without a type", Body: `{"RecordType":"SpamComplaint","ID":"8","MessageID":"m","Email":"a@example.com"}`, Want: "complaint a@example.com SpamComplaint"},
		{Name: "no id", Body: `{"RecordType":"Bounce","Type":"SoftBounce","MessageID":"m","Email":"A <a@example.com>"}`, Want: "soft_bounce a@example.com SoftBounce"},
		{Name: "no recipient", Body: `{"RecordType":"Delivery","MessageID":"m","DeliveredAt":"x"}`, Want: "!no_recipient"},
		{Name: "bad recipient", Body: `{"RecordType":"Delivery","MessageID":"m","Recipient":"nobody"}`, Want: "!bad_recipient"},
		{Name: "unsubscribed", Body: change(`"SuppressSending":true,"SuppressionReason":"ManualSuppression","Origin":"Recipient"`), Want: "opt_out a@example.com broadcast"},
		{Name: "entered by the API", Body: change(`"SuppressSending":true,"SuppressionReason":"ManualSuppression","Origin":"Customer"`), Want: "opt_out a@example.com broadcast"},
		{Name: "written as text", Body: change(`"SuppressSending":"true","SuppressionReason":"ManualSuppression"`), Want: "opt_out a@example.com broadcast"},
		{Name: "new reason of the recipient", Body: change(`"SuppressSending":true,"SuppressionReason":"ListUnsubscribe","Origin":"Recipient"`), Want: "opt_out a@example.com broadcast"},
		{Name: "new reason of staff", Body: change(`"SuppressSending":true,"SuppressionReason":"Other","Origin":"Admin"`), Want: "~opt_out a@example.com broadcast"},
		{Name: "list after a bounce", Body: change(`"SuppressSending":true,"SuppressionReason":"HardBounce","Origin":"Recipient"`), Want: "~hard_bounce a@example.com HardBounce"},
		{Name: "list after a complaint", Body: change(`"SuppressSending":true,"SuppressionReason":"SpamComplaint","Origin":"Recipient"`), Want: "~complaint a@example.com SpamComplaint"},
		{Name: "reactivated", Body: change(`"SuppressSending":false,"SuppressionReason":null,"Origin":"Customer"`), Want: "reactivation a@example.com broadcast"},
		{Name: "reactivated, with the old reason", Body: change(`"SuppressSending":false,"SuppressionReason":"HardBounce"`), Want: "reactivation a@example.com broadcast"},
		{Name: "no decision", Body: change(`"Origin":"Customer"`), Want: "!unreadable"},
		{Name: "test post", Body: `{"RecordType":"SpamComplaint","ID":42,"MessageID":"00000000-0000-0000-0000-000000000000","Email":"john@example.com"}`},
	}...)
	providertest.Table(t, Info, providers.Set(), cases)
}
