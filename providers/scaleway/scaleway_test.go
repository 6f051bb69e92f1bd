package scaleway

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/providertest"
)

const topic = "arn:scw:sns:fr-par:project-bbbb0000-0000-4000-8000-000000000001:strikeout"

func file(name string) string {
	b, err := os.ReadFile("testdata/" + name) //nolint:gosec // our own testdata
	if err != nil {
		panic(err)
	}
	return string(b)
}

// fetch stands in for Scaleway: the leaf at the address that the samples name,
// the authority at its own, and the confirmation of the sample's subscription.
func fetch(_ context.Context, url string) ([]byte, error) {
	switch {
	case url == "https://messaging.s3.fr-par.scw.cloud/fr-par/sns/test-signing-cert.pem":
		return []byte(file("test-signing-cert.pem")), nil
	case url == "https://messaging.s3.fr-par.scw.cloud/fr-par/sns/sns-trust-chain.pem":
		return []byte(file("test-ca.pem")), nil
	case strings.HasPrefix(url, "https://sns.mnq.fr-par.scaleway.com/?Action=ConfirmSubscription&"):
		return []byte("<ConfirmSubscriptionResponse/>"), nil
	}
	return nil, errors.New("not found")
}

var (
	options  = providertest.Options{Signature: []string{"json:Signature"}, Fetch: fetch}
	settings = providers.Set("topics", topic)
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func message(inner string) string {
	b, err := json.Marshal(map[string]string{"Type": "Notification", "MessageId": "s", "TopicArn": topic, "Message": inner})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func notice(kind, more string) string {
	return message(`{"id":"e","type":"` + kind + `","created_at":"2026-01-05T10:00:00.123456Z","email_id":"m","email_to":"a@example.com"` + more + `}`)
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{
		{Name: "not found", Body: notice("email_mailbox_not_found", ""), Want: "hard_bounce a@example.com email_mailbox_not_found"},
		{Name: "not found, without a code", Body: notice("email_mailbox_not_found", `,"email_response_code":0,"email_response_message":""`), Want: "hard_bounce a@example.com email_mailbox_not_found"},
		{Name: "not found, for now", Body: notice("email_mailbox_not_found", `,"email_response_code":450,"email_response_message":"4.1.1 User unknown"`), Want: "soft_bounce a@example.com email_mailbox_not_found"},
		{Name: "deferred", Body: notice("email_deferred", `,"email_response_code":550,"email_response_message":"5.1.1 User unknown"`), Want: "soft_bounce a@example.com email_deferred"},
		{Name: "delivered", Body: notice("email_delivered", `,"email_response_code":250`), Want: "delivered a@example.com email_delivered"},
		{Name: "spam", Body: notice("email_spam", ""), Want: "soft_bounce a@example.com email_spam"},
		{Name: "dropped, proven", Body: notice("email_dropped", `,"email_response_code":550,"email_response_message":"5.1.1 User unknown"`), Want: "hard_bounce a@example.com email_dropped"},
		{Name: "dropped, old field", Body: notice("email_dropped", `,"email_error":"550 5.1.1 User unknown"`), Want: "hard_bounce a@example.com email_dropped"},
		{Name: "dropped, words", Body: notice("email_dropped", `,"email_response_code":"550","email_response_message":"No such user"`), Want: "hard_bounce a@example.com email_dropped"},
		{Name: "dropped, code only", Body: notice("email_dropped", `,"email_response_code":550`), Want: "soft_bounce a@example.com email_dropped"},
		{Name: "dropped, policy", Body: notice("email_dropped", `,"email_response_code":550,"email_response_message":"5.7.1 Rejected by policy"`), Want: "soft_bounce a@example.com email_dropped"},
		{Name: "dropped, gave up", Body: notice("email_dropped", `,"email_response_code":450,"email_response_message":"5.1.1 User unknown"`), Want: "soft_bounce a@example.com email_dropped"},
		{Name: "dropped, no reply", Body: notice("email_dropped", `,"email_response_code":0`), Want: "soft_bounce a@example.com email_dropped"},
		{Name: "plain words", Body: message("Hello, this is a test")},
		{Name: "broken event", Body: message(`{"id":`), Want: "!unreadable"},
		{Name: "no type", Body: message(`{"id":"e"}`), Want: "!unreadable"},
		{Name: "no recipient", Body: message(`{"id":"e","type":"email_deferred"}`), Want: "!no_recipient"},
		{Name: "no id", Body: message(`{"type":"email_deferred","email_to":"a@example.com"}`), Want: "soft_bounce a@example.com email_deferred"},
		{Name: "no envelope", Body: `{"id":"e","type":"email_deferred","email_to":"a@example.com"}`, Want: "soft_bounce a@example.com email_deferred"}, // Verify lets it pass on an unsigned endpoint only
		{Name: "unsubscribed from the topic", Body: `{"Type":"UnsubscribeConfirmation","MessageId":"x","SubscribeURL":"https://x","Token":"t"}`},
		{Name: "subject", Body: `{"Type":"Notification","Subject":null,"Message":"{\"id\":\"e\",\"type\":\"email_delivered\",\"email_to\":\"a@example.com\"}"}`, Want: "delivered a@example.com email_delivered"},
	}
	for _, kind := range []string{"email_blocklisted", "blocklist_created", "email_queued", "unknown_type", "new"} {
		cases = append(cases, providertest.Case{Name: kind, Body: notice(kind, `,"email_response_code":550,"email_response_message":"5.1.1 User unknown"`)})
	}
	providertest.Table(t, Info, settings, cases)
	providertest.Table(t, Info, providers.Set("topics", topic, "spam", "complaint"), []providertest.Case{
		{Name: "spam as complaint", Body: notice("email_spam", ""), Want: "complaint a@example.com email_spam"},
		{Name: "spam by a server", Body: notice("email_spam", `,"email_response_code":550,"email_response_message":"spam"`), Want: "soft_bounce a@example.com email_spam"},
	})
	if _, err := New(providers.Set("topics", topic, "spam", "hard_bounce")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("spam: %v", err)
	}
}

func TestHosts(t *testing.T) {
	for text, want := range map[string]bool{
		"https://messaging.s3.fr-par.scw.cloud/fr-par/sns/x.pem":           true,
		"https://messaging.s3.nl-ams.scw.cloud/nl-ams/sns/x.pem":           true,
		"https://messaging.s3.fr-par.scw.cloud/fr-par/sns/x.txt":           false,
		"https://messaging.s3.fr-par.scw.cloud.evil.example/x.pem":         false,
		"https://evil.s3.fr-par.scw.cloud/x.pem":                           false,
		"https://messaging.s3.a.b-cd.scw.cloud/x.pem":                      false,
		"https://evil.messaging.s3.fr-par.scw.cloud/x.pem":                 false,
		"https://messaging.s3.x--par.scw.cloud/x.pem":                      false,
		"https://messaging.s3.scw.cloud/x.pem":                             false,
		"https://messaging.s3.fr-par.scw.cloud@evil.example/fr-par/ns.pem": false,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := rules.CertURL(u, "fr-par"); got != want {
			t.Errorf("CertURL(%s) = %v", text, got)
		}
	}
	for text, want := range map[string]bool{
		"https://sns.mnq.fr-par.scaleway.com/": true, "https://sns.mnq.nl-ams.scaleway.com/": false, "https://sns.mnq.fr-par.scaleway.com.evil.example/": false, "https://evil.example/": false,
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := rules.SubscribeURL(u, "fr-par"); got != want {
			t.Errorf("SubscribeURL(%s) = %v", text, got)
		}
	}
	if got, want := rules.ChainURL("../evil"), "https://messaging.s3.fr-par.scw.cloud/fr-par/sns/sns-trust-chain.pem"; got != want {
		t.Errorf("ChainURL = %s", got)
	}
}
