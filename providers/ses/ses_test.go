package ses

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

func cert() []byte {
	b, err := os.ReadFile("testdata/TEST-ONLY-signing-cert.pem")
	if err != nil {
		panic(err)
	}
	return b
}

// fetch stands in for Amazon: the certificate that the samples name and the
// confirmation of their subscription.
func fetch(_ context.Context, url string) ([]byte, error) {
	switch {
	case url == "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem":
		return cert(), nil
	case strings.HasPrefix(url, "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f"):
		return []byte("<ConfirmSubscriptionResponse><SubscriptionArn>arn:x</SubscriptionArn></ConfirmSubscriptionResponse>"), nil
	}
	return nil, errors.New("not found")
}

const topic = "arn:aws:sns:eu-west-1:123456789012:ses-feedback"

var (
	options  = providertest.Options{Signature: []string{"json:Signature", "json:SigningCertURL", "json:SignatureVersion"}, Fetch: fetch}
	settings = providers.Set("topics", topic)
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

// TestGivenCertificate: with the certificate given, nothing is fetched to
// check a signature.
func TestGivenCertificate(t *testing.T) {
	s := providers.Set("topics", topic, "certificates", string(cert()))
	for _, name := range []string{"sns-v2-bounce-permanent", "sns-v1-complaint", "sns-v1-unsubscribe-confirmation", "sns-delivery"} {
		raw, err := os.ReadFile("testdata/" + name + ".http") //nolint:gosec // our own testdata
		if err != nil {
			t.Fatal(err)
		}
		a, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(string(raw), "\n\n")
		if err := a.Verify(t.Context(), &providers.Request{Body: []byte(body)}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func report(kind, object, members string) string {
	return `{"eventType":"` + kind + `","mail":{"messageId":"m","destination":["A <a@example.com>","b@example.com"]},"` + object + `":{"timestamp":"2026-03-04T09:15:03.000Z",` + members + `}}`
}

func bounced(kind, sub, entry string) string {
	return report("Bounce", "bounce", `"feedbackId":"f","bounceType":"`+kind+`","bounceSubType":`+sub+`,"bouncedRecipients":[{"emailAddress":"a@example.com"`+entry+`}]`)
}

func complained(members string) string {
	return report("Complaint", "complaint", `"feedbackId":"f","complainedRecipients":[{"emailAddress":"a@example.com"}],`+members)
}

func subscribed(now, before string) string {
	return report("Subscription", "subscription", `"contactList":"news","source":"UnsubscribeHeader","newTopicPreferences":`+now+`,"oldTopicPreferences":`+before)
}

func prefs(all, topics string) string {
	out := `{"unsubscribeAll":` + all
	if topics != "" {
		out += `,"topicSubscriptionStatus":[`
		for i, t := range strings.Fields(topics) {
			if i > 0 {
				out += ","
			}
			name, status, _ := strings.Cut(t, "=")
			out += `{"topicName":"` + name + `","subscriptionStatus":"` + status + `"}`
		}
		out += `]`
	}
	return out + `}`
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "no type", Body: `{"bounce":{"bounceType":"Permanent"}}`, Want: "!unreadable"},
		{Name: "a new type", Body: report("Teleport", "teleport", `"x":1`)},
		{Name: "identity notification", Body: strings.Replace(complained(`"complaintFeedbackType":"abuse"`), "eventType", "notificationType", 1), Want: "complaint a@example.com abuse"},
		{Name: "both types", Body: `{"eventType":"Delivery","notificationType":"Bounce","delivery":{"recipients":["a@example.com"]}}`, Want: "delivered a@example.com"},
		{Name: "nobody bounced", Body: report("Bounce", "bounce", `"bounceType":"Permanent","bouncedRecipients":[]`), Want: "!no_recipient"},
		{Name: "bounce null", Body: `{"eventType":"Bounce","bounce":null}`, Want: "!no_recipient"},
		{Name: "empty address", Body: strings.Replace(bounced("Permanent", `"General"`, ""), "a@example.com", "<>", 2), Want: "!no_recipient"},
		{Name: "display name", Body: strings.Replace(bounced("Permanent", `"General"`, ""), `"emailAddress":"a@example.com"`, `"emailAddress":"Ann <A@Example.com>"`, 1), Want: "hard_bounce a@example.com Permanent/General"},
		{Name: "subtype null", Body: bounced("Permanent", `null`, `,"status":"5.1.1"`), Want: "hard_bounce a@example.com 5.1.1"},
		{Name: "no email", Body: bounced("Permanent", `"NoEmail"`, ""), Want: "hard_bounce a@example.com Permanent/NoEmail"},
		{Name: "global list", Body: bounced("Permanent", `"Suppressed"`, `,"status":"5.1.1"`), Want: "~hard_bounce a@example.com 5.1.1"},
		{Name: "account list", Body: bounced("Permanent", `"OnAccountSuppressionList"`, `,"status":"5.1.1"`), Want: "~hard_bounce a@example.com 5.1.1"},
		{Name: "tenant's list", Body: bounced("Permanent", `"OnTenantSuppressionList"`, `,"status":"5.1.1"`), Want: "~hard_bounce a@example.com 5.1.1"},
		{Name: "guessed", Body: bounced("Permanent", `"EmailValidationSuppressed"`, `,"status":"5.1.1"`), Want: "soft_bounce a@example.com 5.1.1"},
		{Name: "left the list", Body: bounced("Permanent", `"UnsubscribedRecipient"`, `,"status":"5.1.1"`), Want: "~opt_out a@example.com Permanent/UnsubscribedRecipient"},
		{Name: "delayed in a permanent bounce", Body: bounced("Permanent", `"General"`, `,"action":"delayed"`), Want: "soft_bounce a@example.com Permanent/General"},
		{Name: "a new subtype", Body: bounced("Permanent", `"MailboxMoved"`, `,"status":"5.0.0"`), Want: "soft_bounce a@example.com 5.0.0"},
		{Name: "a new subtype with proof", Body: bounced("Permanent", `"MailboxMoved"`, `,"status":"5.1.6"`), Want: "hard_bounce a@example.com 5.1.6"},
		{Name: "code in the diagnosis only", Body: bounced("Permanent", `"General"`, `,"diagnosticCode":"smtp; 550 5.7.1 refused"`), Want: "soft_bounce a@example.com 5.7.1"},
		{Name: "undetermined", Body: bounced("Undetermined", `"Undetermined"`, `,"status":"5.1.1"`), Want: "soft_bounce a@example.com 5.1.1"},
		{Name: "no bounce type", Body: bounced("", `""`, `,"status":"5.1.1"`), Want: "soft_bounce a@example.com 5.1.1"},
		{Name: "unroutable domain", Body: bounced("Transient", `"General"`, `,"status":"5.4.4"`), Want: "soft_bounce a@example.com 5.4.4"},

		{Name: "complaint without details", Body: complained(`"complaintSubType":null`), Want: "complaint a@example.com"},
		{Name: "old complaint of the tenant", Body: complained(`"complaintSubType":"OnTenantSuppressionList"`), Want: "~complaint a@example.com OnTenantSuppressionList"},
		{Name: "old complaint", Body: complained(`"complaintSubType":"OnAccountSuppressionList"`), Want: "~complaint a@example.com OnAccountSuppressionList"},
		{Name: "not spam", Body: complained(`"complaintFeedbackType":"not-spam"`)},
		{Name: "authentication report", Body: complained(`"complaintFeedbackType":"auth-failure"`)},
		{Name: "several complained", Body: report("Complaint", "complaint", `"feedbackId":"f","complainedRecipients":[{"emailAddress":"a@example.com"},{"emailAddress":"b@example.com"}]`), Want: "complaint a@example.com; complaint b@example.com"},

		{Name: "delay", Body: report("DeliveryDelay", "deliveryDelay", `"delayType":"MailboxFull","delayedRecipients":[{"emailAddress":"a@example.com"}]`), Want: "soft_bounce a@example.com MailboxFull"},
		{Name: "delivery", Body: report("Delivery", "delivery", `"recipients":["a@example.com","b@example.com"]`), Want: "delivered a@example.com; delivered b@example.com"},

		{Name: "left all", Body: subscribed(prefs("true", ""), prefs("false", "")), Want: "opt_out a@example.com news"},
		{Name: "left all, as text", Body: subscribed(prefs(`"true"`, ""), prefs("false", "")), Want: "opt_out a@example.com news"},
		{Name: "left a topic", Body: subscribed(prefs("false", "w=OptOut m=OptIn"), prefs("false", "w=OptIn m=OptIn")), Want: "opt_out a@example.com news/w"},
		{Name: "left two topics", Body: subscribed(prefs("false", "w=OptOut m=OptOut"), prefs("false", "w=OptIn")), Want: "opt_out a@example.com news/w,m"},
		{Name: "left one, joined one", Body: subscribed(prefs("false", "w=OptOut m=OptIn"), prefs("false", "w=OptIn m=OptOut")), Want: "opt_out a@example.com news/w"},
		{Name: "came back", Body: subscribed(prefs("false", ""), prefs("true", "")), Want: "reactivation a@example.com news"},
		{Name: "joined a topic", Body: subscribed(prefs("false", "w=OptIn"), prefs("false", "w=OptOut")), Want: "reactivation a@example.com news/w"},
		{Name: "nothing changed", Body: subscribed(prefs("false", "w=OptIn"), prefs("false", "w=OptIn"))},
		{Name: "no preferences", Body: subscribed("null", "null")},
		{Name: "subscription of nobody", Body: `{"eventType":"Subscription","mail":{},"subscription":{"newTopicPreferences":{"unsubscribeAll":true}}}`, Want: "!no_recipient"},

		{Name: "plain words", Body: `{"Type":"Notification","Message":"Successfully validated SNS topic for Amazon SES event publishing."}`},
		{Name: "broken message", Body: `{"Type":"Notification","Message":"{\"eventType\":"}`, Want: "!unreadable"},
		{Name: "no JSON", Body: `bounce`, Want: "!unreadable"},
	}
	for _, kind := range []string{"Send", "Open", "Click", "Reject", "Rendering Failure", "Received"} {
		cases = append(cases, providertest.Case{Name: kind, Body: report(kind, strings.ToLower(kind), `"reason":"Bad content"`)})
	}
	for _, sub := range []string{"General", "MailboxFull", "MessageTooLarge", "ContentRejected", "AttachmentRejected", "CustomTimeoutExceeded"} {
		cases = append(cases, providertest.Case{Name: "transient " + sub, Body: bounced("Transient", `"`+sub+`"`, ""), Want: "soft_bounce a@example.com Transient/" + sub})
	}
	for _, status := range []string{"4.4.7", "4.2.2", "5.7.1", "5.7.26", "5.2.2", "5.2.3", "5.3.4", "5.6.0"} {
		cases = append(cases, providertest.Case{Name: "permanent " + status, Body: bounced("Permanent", `"General"`, `,"action":"failed","status":"`+status+`"`), Want: "soft_bounce a@example.com " + status})
	}
	for _, status := range []string{"5.1.1", "5.1.2", "5.0.0", "5.2.1", "5.3.0", "5.4.1"} {
		cases = append(cases, providertest.Case{Name: "permanent " + status, Body: bounced("Permanent", `"General"`, `,"action":"failed","status":"`+status+`"`), Want: "hard_bounce a@example.com " + status})
	}
	for kind, want := range map[string]string{"Email Bounced": "soft_bounce a@example.com 4.4.1", "Email Sent": "", "Sending Status Disabled": "", "Advisor Recommendation Status Open": ""} {
		cases = append(cases, providertest.Case{Name: "EventBridge without a type, " + kind, Body: `{"id":"e","source":"aws.ses","detail-type":"` + kind + `","detail":{"bounce":{"bounceType":"Transient","bouncedRecipients":[{"emailAddress":"a@example.com","status":"4.4.1"}]}}}`, Want: want})
	}
	providertest.Table(t, Info, settings, cases)
}
