package postal

import (
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/providertest"
)

var options = providertest.Options{Signature: []string{"header:X-Postal-Signature-256"}}

func testKey(tb testing.TB) string {
	tb.Helper()
	b, err := os.ReadFile("testdata/public-key.pem")
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestAdapter(t *testing.T) {
	providertest.Run(t, Info, providers.Set("public_key", testKey(t)), options)
}

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func TestKeys(t *testing.T) {
	key, err := sign.PublicKey(testKey(t))
	if err != nil {
		t.Fatal(err)
	}
	n := base64.RawURLEncoding.EncodeToString(key.(*rsa.PublicKey).N.Bytes())
	e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.(*rsa.PublicKey).E)).Bytes())
	jwk := `{"kty":"RSA","use":"sig","alg":"RS256","kid":"k","n":"` + n + `","e":"` + e + `"}`
	bare := strings.ReplaceAll(strings.TrimPrefix(strings.TrimSuffix(strings.TrimSpace(testKey(t)), "-----END PUBLIC KEY-----"), "-----BEGIN PUBLIC KEY-----"), "\n", "")
	for form, text := range map[string]string{
		"PEM": testKey(t), "base64": bare, "p=": "p=" + bare + ";", "DKIM record": "v=DKIM1; t=s; h=sha256; p=" + bare + ";",
		"JWK": jwk, "JWK set": `{"keys":[{"kty":"EC"},` + jwk + `]}`,
	} {
		got, err := publicKeys(text)
		if err != nil || len(got) != 1 || !key.(*rsa.PublicKey).Equal(got[0]) {
			t.Errorf("%s: %d keys, %v", form, len(got), err)
		}
	}
	for _, bad := range []string{"{}", `{"keys":[]}`, `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`, `{"kty":"RSA","n":"` + n + `"}`, "p=", "x",
		"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="} {
		if _, err := New(providers.Set("public_key", bad)); !errors.Is(err, providers.ErrSetting) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := New(providers.Set("public_key", bare, "signature_method", "md5")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("signature_method: %v", err)
	}
}

func body(event, payload string) string {
	return `{"event":"` + event + `","timestamp":1767607200.123456,"payload":{"message":{"id":1,"token":"t","direction":"outgoing","message_id":"1@x","to":"a@example.com"},` + payload + `},"uuid":"u"}`
}

func failed(details, output string) string {
	return body("MessageDeliveryFailed", `"status":"HardFail","details":"`+details+`","output":"`+output+`","timestamp":1767607199.5`)
}

func TestKinds(t *testing.T) {
	const permanent = "Permanent SMTP delivery error when sending to mx1.example.com (192.0.2.25)"
	cases := []providertest.Case{
		{Name: "sent", Body: body("MessageSent", `"status":"Sent","output":"250 ok"`), Want: "delivered a@example.com Sent"},
		{Name: "sent, lower case", Body: body("messagesent", `"status":"Sent"`), Want: "delivered a@example.com Sent"},
		{Name: "delayed", Body: body("MessageDelayed", `"status":"SoftFail","output":"550 5.1.1 user unknown"`), Want: "soft_bounce a@example.com SoftFail"},
		{Name: "nulls", Body: body("MessageDeliveryFailed", `"status":"HardFail","details":null,"output":null,"time":null`), Want: "soft_bounce a@example.com HardFail"},
		{Name: "no details", Body: failed("", "550 5.1.1 x"), Want: "hard_bounce a@example.com HardFail"},
		{Name: "incoming", Body: `{"event":"MessageDeliveryFailed","payload":{"message":{"direction":"incoming","to":"a@example.com"},"status":"HardFail","output":"550 5.1.1 x"},"uuid":"u"}`},
		{Name: "incoming bounced", Body: `{"event":"MessageBounced","payload":{"original_message":{"direction":"incoming","to":"a@example.com"},"bounce":{"to":"b@example.com"}},"uuid":"u"}`},
		{Name: "bounced", Body: `{"event":"MessageBounced","payload":{"original_message":{"direction":"outgoing","to":"a@example.com"},"bounce":{"to":"b@example.com"}},"uuid":"u"}`, Want: "soft_bounce a@example.com"},
		{Name: "bounced without the original", Body: `{"event":"MessageBounced","payload":{"bounce":{"to":"b@example.com"}},"uuid":"u"}`, Want: "!no_recipient"},
		{Name: "inbound mail", Body: `{"id":12345,"rcpt_to":"a@example.com","mail_from":"b@example.com","message":"x","base64":true}`},
		{Name: "payload alone", Body: `{"message":{"id":1,"to":"a@example.com"},"status":"HardFail","details":"` + permanent + `","output":"550 5.1.1 x","timestamp":1767607199.5}`, Want: "hard_bounce a@example.com HardFail"},
		{Name: "bounce payload alone", Body: `{"original_message":{"id":1,"to":"a@example.com"},"bounce":{"to":"b@example.com"}}`, Want: "soft_bounce a@example.com"},
		{Name: "no recipient", Body: `{"event":"MessageSent","payload":{"message":{}},"uuid":"u"}`, Want: "!no_recipient"},
		{Name: "no payload", Body: `{"event":"MessageSent","uuid":"u"}`, Want: "!no_recipient"},
		{Name: "bad recipient", Body: `{"event":"MessageSent","payload":{"message":{"to":"nobody"}},"uuid":"u"}`, Want: "!bad_recipient"},
	}
	for output, want := range map[string]string{
		"550 5.1.1 x": "hard", "550 5.1.2 x": "hard", "550 5.1.3 x": "hard", "550 5.1.6 x": "hard", "550 5.1.10 x": "hard",
		"550 user unknown": "hard", "554 no such user": "hard", "550 mailbox does not exist": "hard", "550 invalid recipient": "hard", "550 5.2.1 disabled": "hard", "550 5.2.1 inactive": "hard",
		"550 5.2.1 x": "soft", "550 5.7.1 x": "soft", "554 5.6.0 x": "soft", "550 5.5.0 x": "soft", "550 5.4.1 x": "soft", "550 5.3.0 x": "soft", "552 5.2.2 x": "soft", "552 5.2.3 x": "soft",
		"550 rejected as spam": "soft", "550": "soft", "554": "soft", "550 no": "soft", "": "soft", "user unknown": "soft", "450 4.1.1 x": "soft",
	} {
		cases = append(cases, providertest.Case{Name: "output " + output, Body: failed(permanent, output), Want: want + "_bounce a@example.com HardFail"})
	}
	for _, details := range []string{"Maximum number of delivery attempts (18) has been reached", "Message is likely spam. Threshold is 5.0 and the message scored 8.", "The domain no longer exists", "Message doesn't have an RCPT to address", "Raw message has been removed", "Scope 'x' is not valid"} {
		cases = append(cases, providertest.Case{Name: details, Body: failed(details, "550 5.1.1 user unknown"), Want: "soft_bounce a@example.com HardFail"})
	}
	for _, event := range []string{"MessageHeld", "MessageLinkClicked", "MessageLoaded", "DomainDNSError", "SendLimitApproaching", "SendLimitExceeded", "New"} {
		cases = append(cases, providertest.Case{Name: event, Body: body(event, `"status":"Held"`)})
	}
	providertest.Table(t, Info, providers.Set("public_key", testKey(t)), cases)
}
