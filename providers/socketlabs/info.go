package socketlabs

import (
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes SocketLabs.
var Info = providers.Info{
	Name:     name,
	Title:    "SocketLabs",
	Channels: []recipient.Channel{recipient.Email},
	Docs:     "https://help.socketlabs.com/docs/event-webhooks-events",
	Signing:  providers.SignsAlways,
	Settings: []providers.Setting{
		{Name: "signing_secret", Help: "The Secret Key shown when the webhook is created; every event carries it.", List: true, Verifies: true},
	},
	RetryNote: "SocketLabs does not say how often it repeats a failed request.",
	Setup: []string{
		"In SocketLabs open the server, Configuration, Event Webhooks (or the account's webhooks for all servers), and choose to create an endpoint.",
		"Enter {url} as the endpoint URL: it must be https with a valid certificate. Copy the Secret Key into signing_secret and start Strikeout with this endpoint.",
		"Press Validate: SocketLabs posts a validation event, which is answered with the key.",
		"Tick the events listed here and enable the endpoint.",
	},
	Events: []string{"Failed", "Deferred", "Complaint", "Tracking (unsubscribes)", "Delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "Failed, Permanent: codes 2001, 2002, 2003, 2004", Kind: recipient.HardBounce},
		{Report: "Failed, Permanent: code 2999 or none", Kind: recipient.SoftBounce, Note: "hard when the server's reply proves a faulty address"},
		{Report: "Failed: every other code, and Temporary", Kind: recipient.SoftBounce},
		{Report: "Failed, Suppressed", Note: "not attempted: an older event repeated"},
		{Report: "Failed: codes 5001, 5999", Note: "an automatic reply, information"},
		{Report: "Deferred", Kind: recipient.SoftBounce},
		{Report: "Complaint", Kind: recipient.Complaint},
		{Report: "Tracking: Unsubscribe; Unsubscribe", Kind: recipient.OptOut},
		{Report: "Delivered, Sent", Kind: recipient.Delivered},
		{Report: "Tracking: Open, Click; Queued, Validation and all others"},
	},
	Gaps: []string{
		"Nothing is signed: whoever has seen one request knows the key. A path secret or basic_auth on top costs nothing.",
		"An inactive mailbox (3002) is among the temporary failures and does not block.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: happened("Failed", sim.Object{"FailureType": "Permanent", "FailureCode": 2001, "BounceStatus": "5.1.1", "DiagnosticCode": "smtp;550 5.1.1 User unknown", "Reason": "550 5.1.1 User unknown", "RemoteMta": "mx1.example.com"})},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: happened("Failed", sim.Object{"FailureType": "Temporary", "FailureCode": 3001, "BounceStatus": "4.2.2", "DiagnosticCode": "smtp;452 4.2.2 Mailbox full", "Reason": "452 4.2.2 Mailbox full", "RemoteMta": "mx1.example.com"})},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: happened("Complaint", sim.Object{"FblType": "abuse", "UserAgent": "ExampleFBL/1.0", "From": "news@sender.example", "Length": 2048})},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: happened("Tracking", sim.Object{"TrackingType": "Unsubscribe", "ClientIp": "192.0.2.7", "Url": "https://sender.example/u", "UserAgent": "Mozilla/5.0"})},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: happened("Delivered", sim.Object{"Response": "250 2.0.0 OK", "RemoteMta": "mx1.example.com"})},
		},
	},
}

func happened(kind string, more sim.Object) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		ev := sim.Object{"Type": kind, "DateTime": s.At.UTC().Format("2006-01-02T15:04:05.0000000Z"), "MailingId": "simulated", "MessageId": s.ID, "Address": s.To, "ServerId": 12345, "SubaccountId": 12345, "IpPoolId": 678,
			"SecretKey": s.Settings.Get("signing_secret", ""), "Data": sim.Object{"Meta": []any{}, "Tags": []string{"simulated"}}}
		for k, v := range more {
			ev[k] = v
		}
		return s.Post("application/json", sim.JSON(ev)), nil
	}
}
