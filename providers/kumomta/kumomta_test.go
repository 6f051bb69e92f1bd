package kumomta

import (
	"strings"
	"testing"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/verp"
	"github.com/strikeout/strikeout/providers/providertest"
	"github.com/strikeout/strikeout/recipient"
)

var options = providertest.Options{Signature: []string{"header:Authorization"}, BodyUnsigned: "a token in a header vouches for the poster"}

func TestAdapter(t *testing.T) { providertest.Run(t, Info, providers.Set(), options) }

func FuzzAdapter(f *testing.F) { providertest.Fuzz(f, Info, options) }

func BenchmarkAdapter(b *testing.B) { providertest.Bench(b, Info, options) }

func rec(kind, code, enhanced, content, label string) string {
	return `{"type":"` + kind + `","id":"c0ffee","sender":"bounce@example.net","recipient":"a@example.com","response":{"code":` + code + `,"enhanced_code":` + enhanced + `,"content":"` + content + `","command":null},` +
		`"timestamp":1767607201,"event_time":"2026-01-05T10:00:01.440526026Z","num_attempts":0,"bounce_classification":"` + label + `","nodeid":"n1"}`
}

func esc(s string) string {
	p := strings.Split(s, ".")
	return `{"class":` + p[0] + `,"subject":` + p[1] + `,"detail":` + p[2] + `}`
}

func fbl(report string) string {
	return `{"type":"Feedback","id":"c0ffee","sender":"fbl@isp.example","recipient":"fbl@example.net","timestamp":1767607206,"num_attempts":5,"feedback_report":` + report + `,"nodeid":"n1"}`
}

func TestKinds(t *testing.T) {
	cases := []providertest.Case{}
	add := func(title, body, want string) {
		cases = append(cases, providertest.Case{Name: title, Body: body, Want: want})
	}
	const hard, soft = "hard_bounce a@example.com ", "soft_bounce a@example.com "
	for kind, want := range map[string]string{
		"Bounce": hard + "5.1.1", "OOB": hard + "5.1.1", "TransientFailure": soft + "5.1.1", "Expiration": soft + "5.1.1", "Delivery": "delivered a@example.com delivery",
		"AdminBounce": "", "Reception": "", "Rejection": "", "AdminRebind": "", "DeferredInjectionRebind": "", "Delayed": "", "XferIn": "", "XferOut": "", "Any": "", "New": "",
	} {
		add("type "+kind, rec(kind, "550", esc("5.1.1"), "User unknown", "InvalidRecipient"), want)
	}
	for _, c := range []struct{ code, enhanced, content, label, want string }{
		{"550", esc("5.1.1"), "", "Uncategorized", hard + "5.1.1"}, {"553", esc("5.1.2"), "bad destination", "Uncategorized", hard + "5.1.2"}, {"556", esc("5.1.10"), "null MX", "BadDomain", hard + "5.1.10"},
		{"550", "null", "no such user", "Uncategorized", hard + "550"}, {"550", "null", "unclear", "InvalidRecipient", hard + "550"}, {"550", "null", "unclear", "BadDomain", hard + "550"},
		{"550", esc("5.0.0"), "unclear", "InvalidRecipient", hard + "5.0.0"}, {"550", "null", "unclear", "InactiveMailbox", soft + "550"}, {"550", "null", "unclear", "Uncategorized", soft + "550"},
		{"550", "null", "unclear", "My own label", soft + "550"}, {"550", esc("5.1.6"), "moved", "InactiveMailbox", hard + "5.1.6"}, {"550", esc("5.2.1"), "account disabled", "InactiveMailbox", hard + "5.2.1"},
		{"550", esc("5.2.1"), "no", "InactiveMailbox", soft + "5.2.1"}, {"525", esc("5.7.13"), "account disabled", "InactiveMailbox", soft + "5.7.13"},
		{"451", "null", "unknown user", "InvalidRecipient", soft + "451"}, {"450", esc("4.1.1"), "user unknown", "InvalidRecipient", soft + "4.1.1"}, {"450", esc("5.1.1"), "user unknown", "InvalidRecipient", soft + "5.1.1"},
		{"550", esc("5.7.1"), "blocked", "InvalidRecipient", soft + "5.7.1"}, {"550", "null", "spam", "InvalidRecipient", soft + "550"}, {"550", "null", "relay denied by policy", "BadDomain", soft + "550"},
		{"550", "null", "line one\\nuser unknown", "Uncategorized", hard + "550"}, {"550", `"5.1.1"`, "x", "Uncategorized", hard + "5.1.1"}, {`"550"`, "null", "user unknown", "", hard + "550"},
		{"550", "null", "x", "AutoReply", ""}, {"550", "null", "x", "ChallengeResponse", ""}, {"550", "null", "x", "Subscribe", ""}, {"550", "null", "take me off", "Unsubscribe", "opt_out a@example.com"},
		{"550", esc("5.1.1"), "user unknown", "AutoReply", hard + "5.1.1"}, {"0", "null", "", "", soft + "TYPE"},
	} {
		for _, kind := range []string{"Bounce", "OOB"} {
			want := strings.Replace(c.want, "TYPE", strings.ToLower(kind), 1)
			if kind == "OOB" && c.content == "" && strings.HasPrefix(want, hard) {
				want = strings.Replace(want, "hard", "soft", 1) // no words of the server's
			}
			add(kind+" "+c.code+c.enhanced+c.content+c.label, rec(kind, c.code, c.enhanced, c.content, c.label), want)
		}
	}
	for _, label := range []string{"DNSFailure", "RoutingErrors", "NoAnswerFromHost", "BadConnection", "BadConfiguration", "MessageExpired", "TransientFailure", "ProtocolErrors", "RelayDenied", "RelayingIssues",
		"TooManyRecipients", "QuotaIssues", "SpamBlock", "SpamContent", "SpamRelated", "ContentRelated", "PolicyRelated", "ProhibitedAttachment", "VirusRelated", "AuthenticationFailed", "InvalidSender"} {
		add("label "+label, rec("Bounce", "550", "null", "unclear", label), soft+"550")
	}
	for kind, want := range map[string]string{"abuse": "complaint", "Fraud": "complaint", "virus": "complaint", "other": "complaint", "": "complaint", "opt-out": "opt_out", "opt-out-list": "opt_out",
		"not-spam": "", "auth-failure": "", "dmarc": "", "new": ""} {
		if want != "" {
			want = strings.TrimSpace(want + " a@example.com " + strings.ToLower(kind))
		}
		add("feedback "+kind, fbl(`{"feedback_type":"`+kind+`","version":1,"original_rcpto_to":["<a@example.com>"],"supplemental_trace":null}`), want)
	}
	const complaint = "complaint a@example.com abuse"
	add("traced", fbl(`{"feedback_type":"abuse","original_rcpto_to":["x@example.com"],"supplemental_trace":{"recipient":"a@example.com"}}`), complaint)
	add("only in the original", fbl(`{"feedback_type":"abuse","original_rcpto_to":[],"original_message":"From: n@example.net\nTo: A <a@example.com>"}`), complaint)
	add("original as bytes", fbl(`{"feedback_type":"abuse","original_message":[84,111,58,32,97,64,101,120,97,109,112,108,101,46,99,111,109,10,10,255]}`), complaint)
	add("two in the report", fbl(`{"feedback_type":"abuse","original_rcpto_to":["a@example.com","b@example.com"]}`), "!no_recipient")
	add("two in the original", fbl(`{"feedback_type":"abuse","original_message":"To: a@example.com, b@example.com\n\n"}`), "!no_recipient")
	add("hidden", fbl(`{"feedback_type":"abuse","original_rcpto_to":["<*@example.com>"]}`), "!no_recipient")
	add("hidden, our return path knows", fbl(`{"feedback_type":"abuse","original_mail_from":"<bounce+a=example.com@example.net>","original_rcpto_to":["<*@example.com>"]}`), complaint)
	add("the mailbox for reports", fbl(`{"feedback_type":"abuse","original_rcpto_to":["fbl@example.net"]}`), "!no_recipient")
	add("no report", fbl(`null`), "!no_recipient")
	one, other := rec("Bounce", "550", esc("5.1.1"), "x", ""), rec("Delivery", "250", "null", "OK", "")
	add("several recipients", strings.Replace(one, `"a@example.com"`, `["a@example.com","b@example.com"]`, 1), hard+"5.1.1; hard_bounce b@example.com 5.1.1")
	add("no recipient", strings.Replace(one, `"a@example.com"`, `null`, 1), "!no_recipient")
	add("bad recipient", strings.Replace(one, `"a@example.com"`, `"nobody"`, 1), "!bad_recipient")
	add("bad items cost no others", "["+one+`,{"a":1},7,`+other+"]", hard+"5.1.1; delivered a@example.com delivery; !unreadable; !unreadable")
	add("one a line", one+"\n"+other+"\r\n\n", hard+"5.1.1; delivered a@example.com delivery")
	add("one a line, one broken", one+"\n{\"type\":\n"+other, hard+"5.1.1; delivered a@example.com delivery; !unreadable")
	add("no json", "hello", "!unreadable")
	add("cut", one[:len(one)-5], "!unreadable")
	providertest.Table(t, Info, providers.Set(), cases)
}

// Anybody can mail a bounce: with a secret only our own return path blocks.
func TestProof(t *testing.T) {
	to, err := recipient.ParseEmail("a@example.com")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := verp.New("TEST-ONLY-secret").Mint("bounce@example.net", to)
	if err != nil {
		t.Fatal(err)
	}
	oob, bounce := rec("OOB", "550", esc("5.1.1"), "gone", ""), rec("Bounce", "550", esc("5.1.1"), "gone", "")
	from := func(body, sender string) string { return strings.Replace(body, "bounce@example.net", sender, 1) }
	providertest.Table(t, Info, providers.Set(verp.Setting, "TEST-ONLY-secret"), []providertest.Case{
		{Name: "ours", Body: from(oob, ours), Want: "hard_bounce a@example.com 5.1.1"},
		{Name: "ours without a recipient", Body: from(strings.Replace(oob, `"a@example.com"`, "null", 1), ours), Want: "hard_bounce a@example.com 5.1.1"},
		{Name: "ours about somebody else", Body: from(strings.Replace(oob, "a@example.com", "b@example.com", 1), ours), Want: "soft_bounce b@example.com 5.1.1"},
		{Name: "forged", Body: oob, Want: "soft_bounce a@example.com 5.1.1"},
		{Name: "the server's own bounce needs none", Body: bounce, Want: "hard_bounce a@example.com 5.1.1"},
	})
}
