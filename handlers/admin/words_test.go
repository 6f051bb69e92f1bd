package admin

import (
	"strings"
	"testing"

	"github.com/strikeout/strikeout/recipient"
)

func TestReasons(t *testing.T) {
	tests := []struct {
		channel            recipient.Channel
		rule, code, detail string
		want               string
	}{
		{recipient.Email, "ses-permanent", "5.1.1", "smtp; 550 5.1.1 <x>: user unknown", noMailbox},
		{recipient.Email, "smtp-5.1.1", "HardFail", "", noMailbox},
		{recipient.Email, "elasticemail-category", "NoMailbox", "", noMailbox},
		{recipient.Email, "mandrill-event", "bad_mailbox", "", noMailbox},
		{recipient.Email, "sendgrid-bounce", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; recipient not found", noMailbox},
		{recipient.Email, "sendgrid-bounce", "5.1.10", "556 5.1.10 null MX", "the domain takes no mail"},
		{recipient.Email, "mailjet-error", "invalid domain", "Host or domain name not found", noDomain},
		{recipient.Email, "acme", "", "550 5.1.2 bad destination system", noDomain},
		{recipient.Email, "acme", "", "550 5.2.1 mailbox disabled", "the mailbox is closed"},
		{recipient.Email, "acme", "550", "this account has been deactivated", "the mailbox is closed"},
		{recipient.Email, "acme", "15.1.1", "version 1.5.1.1.2", "the provider says that the e-mail address is faulty"},
		{recipient.SMS, "twilio-30005", "30005", "", noNumber},
		{recipient.SMS, "sinch-code", "150", "", noNumber},
		{recipient.SMS, "gatewayapi-code", "0x1010", "Unknown subscriber", noNumber},
		{recipient.SMS, "plivo-code", "50", "", badNumber},
		{recipient.SMS, "telnyx-code", "40012", "Invalid messaging destination number", badNumber},
		{recipient.SMS, "acme", "5.1.1", "", "the provider says that the phone number is faulty"},
	}
	for _, tt := range tests {
		if got := reason(&recipient.Event{Channel: tt.channel, Rule: tt.rule, Code: tt.code, Detail: tt.detail}); got != tt.want {
			t.Errorf("%s %s %q: got %q, want %q", tt.rule, tt.code, tt.detail, got, tt.want)
		}
	}
}

// Every kind of event has its own words, and those that lift nothing say so.
func TestHeadlines(t *testing.T) {
	seen := map[string]recipient.Kind{}
	for _, k := range recipient.Kinds {
		e := recipient.Event{Kind: k, Channel: recipient.Email, Source: recipient.FromProvider}
		got := headline(&e)
		if seen[got] != "" || got == string(k) {
			t.Errorf("%s: got %q", k, got)
		}
		seen[got] = k
	}
	tests := []struct {
		e    recipient.Event
		want string
	}{
		{recipient.Event{Kind: recipient.HardBounce, Echo: true}, "still lists the e-mail address as faulty"},
		{recipient.Event{Kind: recipient.Complaint, Echo: true}, "still lists a complaint"},
		{recipient.Event{Kind: recipient.OptOut, Echo: true}, "still lists an unsubscribe"},
		{recipient.Event{Kind: recipient.Reactivation}, "lifts nothing here"},
		{recipient.Event{Kind: recipient.Delivered}, "lifts nothing"},
		{recipient.Event{Kind: recipient.SoftBounce}, "blocks nothing"},
		{recipient.Event{Kind: recipient.OptOut, Source: recipient.FromLink, Evidence: recipient.Evidence{Via: "one_click"}}, "mail program's unsubscribe button"},
		{recipient.Event{Kind: recipient.OptOut, Source: recipient.FromLink, Evidence: recipient.Evidence{Via: "form"}}, "on the unsubscribe page"},
		{recipient.Event{Kind: recipient.OptOut, Source: recipient.FromLink, Evidence: recipient.Evidence{Via: "mail"}}, "unsubscribe mail"},
		{recipient.Event{Kind: recipient.OptOut, Source: recipient.FromLink}, "unsubscribe link"},
		{recipient.Event{Kind: recipient.OptOut, Source: recipient.FromProvider, Rule: "sms-stop-word"}, "stop word"},
		{recipient.Event{Kind: recipient.OptOut, Source: recipient.FromAPI, Rule: "address_changed"}, "former address"},
		{recipient.Event{Kind: recipient.OptIn, Source: recipient.FromLink, Evidence: recipient.Evidence{Via: "undo"}}, "took the unsubscribe back"},
		{recipient.Event{Kind: recipient.OptIn, Source: recipient.FromProvider, Rule: "sms-start-word"}, "start word"},
	}
	for _, tt := range tests {
		tt.e.Channel = recipient.Email
		if got := headline(&tt.e); !strings.Contains(got, tt.want) {
			t.Errorf("%+v: got %q, want %q in it", tt.e, got, tt.want)
		}
	}
}

func TestWho(t *testing.T) {
	d := newDesk(t, withSES)
	for want, e := range map[string]recipient.Event{
		"Amazon SES (endpoint ses-eu)":                 {Source: recipient.FromProvider, Endpoint: "ses-eu"},
		"the provider of the endpoint gone":            {Source: recipient.FromProvider, Endpoint: "gone"},
		"the person":                                   {Source: recipient.FromLink},
		"the person, by a link in the send-out spring": {Source: recipient.FromLink, SendOut: "spring"},
		"administrator anna":                           {Source: recipient.FromAdmin, Actor: "anna"},
		"API key crm":                                  {Source: recipient.FromAPI, Actor: "crm"},
		"an import by anna":                            {Source: recipient.FromImport, Actor: "anna"},
		"an import":                                    {Source: recipient.FromImport},
		"a rule":                                       {Source: recipient.FromRule},
	} {
		if got := d.who(&e); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
