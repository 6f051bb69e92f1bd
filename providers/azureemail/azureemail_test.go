package azureemail

import (
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{Signature: []string{"header:Authorization"}, BodyUnsigned: "a token in a header vouches for the poster"}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func one(status, message string) string {
	return `{"id":"e","topic":"/t","data":{"recipient":"a@example.com","messageId":"m","status":"` + status + `","deliveryStatusDetails":{"statusMessage":"` + message +
		`"},"deliveryAttemptTimeStamp":"2026-01-05T10:00:00.1234567+00:00"},"eventType":"Microsoft.Communication.EmailDeliveryReportReceived","eventTime":"2026-01-05T10:00:00.5Z"}`
}

func TestKinds(t *testing.T) {
	const kind = `"eventType":"Microsoft.Communication.EmailDeliveryReportReceived"`
	cases := []providertest.Case{
		{Name: "delivered", Body: "[" + one("Delivered", "") + "]", Want: "delivered a@example.com Delivered"},
		{Name: "bounced", Body: "[" + one("Bounced", "") + "]", Want: "hard_bounce a@example.com Bounced"},
		{Name: "bounced, one word", Body: "[" + one("Bounced", "DestinationMailboxFull") + "]", Want: "soft_bounce a@example.com Bounced"},
		{Name: "failed, one word", Body: "[" + one("Failed", "RecipientNotFound") + "]", Want: "hard_bounce a@example.com Failed"},
		{Name: "lower case", Body: "[" + one("bounced", "") + "]", Want: "hard_bounce a@example.com bounced"},
		{Name: "filtered", Body: "[" + one("FilteredSpam", "550 5.1.1 user unknown") + "]", Want: "soft_bounce a@example.com FilteredSpam"},
		{Name: "quarantined", Body: "[" + one("Quarantined", "") + "]", Want: "soft_bounce a@example.com Quarantined"},
		{Name: "suppressed", Body: "[" + one("Suppressed", "") + "]"},
		{Name: "expanded", Body: "[" + one("Expanded", "") + "]"},
		{Name: "unknown status", Body: "[" + one("OutForDelivery", "550 5.1.1 user unknown") + "]", Want: "soft_bounce a@example.com OutForDelivery"},
		{Name: "one object", Body: one("Bounced", ""), Want: "hard_bounce a@example.com Bounced"},
		{Name: "no details", Body: `[{"id":"e","data":{"recipient":"a@example.com","status":"Bounced"},` + kind + `}]`, Want: "hard_bounce a@example.com Bounced"},
		{Name: "null details", Body: `[{"id":"e","data":{"recipient":"a@example.com","status":"Failed","messageId":null,"deliveryStatusDetails":null},` + kind + `}]`, Want: "soft_bounce a@example.com Failed"},
		{Name: "details as text", Body: `[{"id":"e","data":{"recipient":"a@example.com","status":"Failed","deliveryStatusDetails":"550 5.1.1 x"},` + kind + `}]`, Want: "hard_bounce a@example.com Failed"},
		{Name: "names in another case", Body: `[{"id":"e","data":{"Recipient":"a@example.com","Status":"Failed","DeliveryAttemptTimestamp":"2026-01-05T10:00:00Z","DeliveryStatusDetails":{"StatusMessage":"550 5.1.1 x"}},"eventType":"microsoft.communication.emaildeliveryreportreceived"}]`, Want: "hard_bounce a@example.com Failed"},
		{Name: "names twice", Body: `[{"id":"e","data":{"recipient":"a@example.com","Recipient":"b@example.com","status":"Bounced"},` + kind + `}]`, Want: "!unreadable"},
		{Name: "no status", Body: `[{"id":"e","data":{"recipient":"a@example.com"},` + kind + `}]`, Want: "!unreadable"},
		{Name: "no data", Body: `[{"id":"e",` + kind + `}]`, Want: "!unreadable"},
		{Name: "no type", Body: `[{"id":"e","data":{"recipient":"a@example.com","status":"Bounced"}}]`, Want: "!unreadable"},
		{Name: "no recipient", Body: `[{"id":"e","data":{"status":"Bounced"},` + kind + `}]`, Want: "!no_recipient"},
		{Name: "no id", Body: `[{"data":{"recipient":"a@example.com","status":"Bounced","internetMessageId":"<x@y>"},` + kind + `}]`, Want: "hard_bounce a@example.com Bounced"},
		{Name: "mixed batch", Body: `[` + one("Bounced", "") + `,{"id":"s","data":{"to":"+15551230100","deliveryStatus":"Failed","deliveryStatusDetails":"x"},"eventType":"Microsoft.Communication.SMSDeliveryReportReceived"},7,` + one("Delivered", "") + `]`,
			Want: "hard_bounce a@example.com Bounced; delivered a@example.com Delivered; !unreadable"},
		{Name: "engagement", Body: `[{"id":"e","data":{"recipient":"a@example.com","engagementType":"view"},"eventType":"Microsoft.Communication.EmailEngagementTrackingReportReceived"}]`},
		{Name: "empty batch", Body: `[]`},
		{Name: "text", Body: `"x"`, Want: "!unreadable"},
	}
	for message, want := range map[string]string{
		"": "soft", "550 5.1.1 x": "hard", "550 5.1.10 x": "hard", "550 5.1.2 x": "hard", "No such user": "hard", "550 5.4.310 DNS domain x does not exist": "hard",
		"550 5.7.1 x": "soft", "550 5.0.0 x": "soft", "452 4.2.2 x": "soft", "timed out": "soft",
	} {
		cases = append(cases, providertest.Case{Name: "failed " + message, Body: one("Failed", message), Want: want + "_bounce a@example.com Failed"})
	}
	for message, want := range map[string]string{
		"550 5.1.1 x": "hard", "550 5.0.0 x": "hard", "bounced": "hard", "550 5.7.1 x": "soft", "550 5.6.0 x": "soft", "552 5.2.2 x": "soft", "Mailbox full": "soft", "blocked by policy": "soft", "450 4.1.1 x": "soft",
	} {
		cases = append(cases, providertest.Case{Name: "bounced " + message, Body: one("Bounced", message), Want: want + "_bounce a@example.com Bounced"})
	}
	providertest.Table(t, Info, providers.Set(), cases)
}
