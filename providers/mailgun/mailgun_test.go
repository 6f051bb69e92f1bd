package mailgun

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/providertest"
)

const testKey = "strikeout-test-webhook-signing-key"

var (
	options = providertest.Options{
		Signature:    []string{"json:signature.signature", "json:signature.token", "json:signature.timestamp", "form:signature", "form:token", "form:timestamp"},
		BodyUnsigned: "Mailgun signs a timestamp and a token alone",
	}
	settings = providers.Set("signing_secret", testKey)
)

func TestAdapter(t *testing.T) { providertest.Run(t, Info, settings, options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

// TestSignatureIsForOneRecipient: where the operator wants it, who has seen a
// signature cannot put another person under it, and a repeated event is still
// welcome.
func TestSignatureIsForOneRecipient(t *testing.T) {
	strict, err := New(providers.Set("signing_secret", testKey, reuseSetting, "refuse"))
	if err != nil {
		t.Fatal(err)
	}
	lenient, err := New(settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(providers.Set("signing_secret", testKey, reuseSetting, "perhaps")); !errors.Is(err, providers.ErrSetting) {
		t.Errorf("an unknown choice: %v", err)
	}
	verify := func(a providers.Adapter, token, event, to string) error {
		mac := hex.EncodeToString(sign.Sum(sha256.New, []byte(testKey), []byte("1772615703"), []byte(token)))
		return a.Verify(t.Context(), &providers.Request{Body: []byte(`{"signature":{"timestamp":1772615703,"token":"` + token + `","signature":"` + mac + `"},"event-data":{"event":"` + event + `","recipient":"` + to + `"}}`)})
	}
	for i, tt := range []struct {
		token, event, to string
		ok               bool
	}{
		{"t1", "delivered", "a@example.com", true},
		{"t1", "delivered", "A@example.com ", true},
		{"t1", "failed", "b@example.com", false},
		{"t2", "failed", "b@example.com", true},
		{"t1", "delivered", "a@example.com", true},
	} {
		if err := verify(lenient, tt.token, tt.event, tt.to); err != nil {
			t.Errorf("step %d, lenient: %v", i, err)
		}
		if err := verify(strict, tt.token, tt.event, tt.to); (err == nil) != tt.ok || err != nil && !errors.Is(err, providers.ErrUnauthentic) {
			t.Errorf("step %d: %v", i, err)
		}
	}
}

func TestTokensForget(t *testing.T) {
	u := newTokens()
	for i := range 3 * maxTokens {
		if !u.use("1", fmt.Sprint(i), "a") {
			t.Fatal("a new token was refused")
		}
	}
	if n := len(u.now) + len(u.old); n > 2*maxTokens {
		t.Errorf("%d kept", n)
	}
	if u.use("1", fmt.Sprint(3*maxTokens-1), "b") {
		t.Error("a fresh token was forgotten")
	}
}

func data(event, more string) string {
	return `{"signature":{},"event-data":{"event":"` + event + `","id":"i","timestamp":1529701969.818328,"recipient":"a@example.com"` + more + `}}`
}

func failure(severity, reason, status string) string {
	more := `,"severity":"` + severity + `","delivery-status":` + status
	if reason != "" {
		more += `,"reason":"` + reason + `"`
	}
	return data("failed", more)
}

func TestKinds(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	cases := []providertest.Case{
		{Name: "no event data", Body: `{"signature":{}}`, Want: "!unreadable"},
		{Name: "event data as text", Body: `{"event-data":"x"}`, Want: "!unreadable"},
		{Name: "no event", Body: `{"event-data":{"recipient":"a@example.com"}}`, Want: "!unreadable"},
		{Name: "no recipient", Body: `{"event-data":{"event":"complained","message":{"headers":{"to":"b@example.com"}}}}`, Want: "!no_recipient"},
		{Name: "bad recipient", Body: `{"event-data":{"event":"complained","recipient":"nobody"}}`, Want: "!bad_recipient"},
		{Name: "upper case", Body: data("COMPLAINED", ""), Want: "complaint a@example.com"},
		{Name: "odd members", Body: data("complained", `,"flags":[],"message":null,"delivery-status":"x","tags":{},"user-variables":[],"mailing-list":""`), Want: "complaint a@example.com"},
		{Name: "test mode", Body: data("failed", `,"severity":"permanent","reason":"bounce","flags":{"is-test-mode":true},"delivery-status":{"code":550}`)},
		{Name: "unsubscribed from a list", Body: data("unsubscribed", `,"mailing-list":{"address":"news@mg.example.com"}`), Want: "opt_out a@example.com list news@mg.example.com"},
		{Name: "delivered", Body: data("delivered", `,"delivery-status":{"code":250,"message":"OK"}`), Want: "delivered a@example.com"},
		{Name: "failed without anything", Body: data("failed", ""), Want: "soft_bounce a@example.com"},
		{Name: "permanent without anything", Body: failure("permanent", "", "null"), Want: "soft_bounce a@example.com"},
		{Name: "severity unknown", Body: failure("unknown", "bounce", `{"code":550,"enhanced-code":"5.1.1"}`), Want: "soft_bounce a@example.com 5.1.1"},
		{Name: "severity internal", Body: failure("internal", "bounce", `{"code":550}`), Want: "soft_bounce a@example.com 550"},
		{Name: "temporary though listed", Body: failure("temporary", "suppress-bounce", `{"code":605}`), Want: "soft_bounce a@example.com 605"},
		{Name: "temporary and old", Body: failure("temporary", "old", `{"code":602}`), Want: "soft_bounce a@example.com 602"},

		{Name: "old bounce", Header: form, Body: "event=bounced&recipient=a%40example.com&code=550&error=5.1.1+user+unknown&timestamp=1", Want: "hard_bounce a@example.com 5.1.1"},
		{Name: "old bounce, basic code", Header: form, Body: "event=bounced&recipient=a%40example.com&code=550&error=No+such+user", Want: "hard_bounce a@example.com 550"},
		{Name: "old bounce, enhanced code in the place of the basic one", Header: form, Body: "event=bounced&recipient=a%40example.com&code=5.1.1&error=not+found", Want: "hard_bounce a@example.com 5.1.1"},
		{Name: "old bounce, enhanced code of a policy", Header: form, Body: "event=bounced&recipient=a%40example.com&code=5.7.1&error=not+found", Want: "soft_bounce a@example.com 5.7.1"},
		{Name: "old bounce, full", Header: form, Body: "event=bounced&recipient=a%40example.com&code=552&error=5.2.2+full", Want: "soft_bounce a@example.com 5.2.2"},
		{Name: "old bounce, policy", Header: form, Body: "event=bounced&recipient=a%40example.com&code=550&error=5.7.1+no", Want: "soft_bounce a@example.com 5.7.1"},
		{Name: "old bounce, no code", Header: form, Body: "event=bounced&recipient=a%40example.com", Want: "soft_bounce a@example.com bounce"},
		{Name: "old drop 605", Header: form, Body: "event=dropped&recipient=a%40example.com&reason=hardfail&code=605", Want: "~hard_bounce a@example.com 605"},
		{Name: "old drop 606", Header: form, Body: "event=dropped&recipient=a%40example.com&reason=hardfail&code=606", Want: "~opt_out a@example.com 606"},
		{Name: "old drop 607", Header: form, Body: "event=dropped&recipient=a%40example.com&reason=hardfail&code=607", Want: "~complaint a@example.com 607"},
		{Name: "old drop by words, bounced", Header: form, Body: "event=dropped&recipient=a%40example.com&reason=hardfail&description=Not+delivering+to+previously+bounced+address", Want: "~hard_bounce a@example.com"},
		{Name: "old drop by words, unsubscribed", Header: form, Body: "event=dropped&recipient=a%40example.com&reason=hardfail&description=Not+delivering+to+unsubscribed+address", Want: "~opt_out a@example.com"},
		{Name: "old drop by words, complained", Header: form, Body: "event=dropped&recipient=a%40example.com&reason=hardfail&description=Not+delivering+to+a+user+who+marked+your+messages+as+spam", Want: "~complaint a@example.com"},
		{Name: "old drop, old", Header: form, Body: "event=dropped&recipient=a%40example.com&reason=old&code=602", Want: "soft_bounce a@example.com 602"},
		{Name: "old drop, by code", Header: form, Body: "event=dropped&recipient=a%40example.com&reason=hardfail&code=550&description=5.1.1", Want: "hard_bounce a@example.com 550"},
		{Name: "old complaint", Header: form, Body: "event=complained&recipient=a%40example.com&timestamp=1", Want: "complaint a@example.com"},
		{Name: "old unsubscribe", Header: form, Body: "event=unsubscribed&recipient=a%40example.com&mailing-list=news%40mg.example.com", Want: "opt_out a@example.com list news@mg.example.com"},
		{Name: "old delivery", Header: form, Body: "event=delivered&recipient=a%40example.com", Want: "delivered a@example.com"},
		{Name: "old open", Header: form, Body: "event=opened&recipient=a%40example.com"},
		{Name: "the sender's own event after the genuine one", Header: form, Body: "event=delivered&recipient=a%40example.com&event=complained&recipient=b%40example.com", Want: "delivered a@example.com"},
		{Name: "forwarded mail", Header: form, Body: "recipient=a%40example.com&sender=b%40example.com&body-plain=x"},
		{Name: "some other form", Header: form, Body: "a=b", Want: "!unreadable"},
		{Name: "form with a JSON content type", Body: "event=complained&recipient=a%40example.com", Want: "complaint a@example.com"},
		{Name: "JSON with a form content type", Header: form, Body: data("complained", ""), Want: "complaint a@example.com"},
	}
	for _, event := range []string{"accepted", "rejected", "opened", "clicked", "stored", "list_member_uploaded", "list_member_upload_error", "list_uploaded", "teleported"} {
		cases = append(cases, providertest.Case{Name: event, Body: data(event, `,"severity":"permanent","reason":"bounce"`)})
	}
	for reason, want := range map[string]string{
		"suppress-bounce 605": "~hard_bounce", "suppress-unsubscribe 606": "~opt_out", "suppress-complaint 607": "~complaint", "suppress-bounce ": "~hard_bounce", "generic 605": "~hard_bounce", "hardfail 606": "~opt_out", "bounce 607": "~complaint",
		"old 550": "soft_bounce", "espblock 550": "soft_bounce", "blacklisted 550": "soft_bounce", "greylisted 451": "soft_bounce", "bounce 625": "soft_bounce", "something-new 550": "soft_bounce",
		"bounce 550": "hard_bounce", "bounce 551": "hard_bounce", "bounce 553": "hard_bounce", "hardfail 550": "hard_bounce", "bounce 554": "soft_bounce", "bounce 552": "soft_bounce", "bounce 421": "soft_bounce", "bounce 498": "soft_bounce", "bounce 499": "soft_bounce",
		"generic 550": "soft_bounce", "unknown 550": "soft_bounce", " 550": "soft_bounce",
	} {
		r, code, _ := strings.Cut(reason, " ")
		status, shown := `{"code":`+code+`}`, " "+code
		if code == "" {
			status, shown = `{}`, ""
		}
		cases = append(cases, providertest.Case{Name: "permanent " + reason, Body: failure("permanent", r, status), Want: want + " a@example.com" + shown})
	}
	for code, want := range map[string]string{
		"5.1.1": "hard", "5.1.2": "hard", "5.1.10": "hard", "5.1.0": "hard", "5.0.0": "hard", "5.2.1": "hard", "5.1.7": "soft", "5.1.8": "soft", "5.2.0": "soft", "5.2.2": "soft", "5.2.3": "soft", "5.3.0": "soft", "5.3.4": "soft",
		"5.4.1": "soft", "5.4.4": "soft", "5.5.1": "soft", "5.6.0": "soft", "5.7.1": "soft", "5.7.26": "soft", "4.4.7": "soft", "4.2.2": "soft",
	} {
		for _, reason := range []string{"bounce", "generic", "hardfail", "unknown", ""} {
			for where, status := range map[string]string{"enhanced": `{"code":550,"enhanced-code":"` + code + `"}`, "bounce code": `{"code":"550","bounce-code":"` + code + `"}`, "message": `{"code":550,"message":"` + code + ` no"}`} {
				cases = append(cases, providertest.Case{Name: code + " " + reason + " " + where, Body: failure("permanent", reason, status), Want: want + "_bounce a@example.com " + code})
			}
		}
	}
	for status, want := range map[string]string{
		`{"bounce-type":"hard"}`: "hard_bounce a@example.com generic", `{"bounce-type":"hard","code":550}`: "hard_bounce a@example.com 550", `{"bounce-type":"hard","enhanced-code":"5.5.0"}`: "hard_bounce a@example.com 5.5.0",
		`{"bounce-type":"hard","enhanced-code":"5.2.2"}`: "soft_bounce a@example.com 5.2.2", `{"bounce-type":"hard","enhanced-code":"5.7.1"}`: "soft_bounce a@example.com 5.7.1", `{"bounce-type":"soft","enhanced-code":"5.1.1"}`: "soft_bounce a@example.com 5.1.1",
		`{"enhanced-code":"5.0.0","message":"mailbox is full"}`: "soft_bounce a@example.com 5.0.0", `{"bounce-type":"HARD","code":"550","message":"quota exceeded"}`: "soft_bounce a@example.com 550",
	} {
		cases = append(cases, providertest.Case{Name: status, Body: failure("permanent", "generic", status), Want: want})
	}
	providertest.Table(t, Info, settings, cases)
}
