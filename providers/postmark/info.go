package postmark

import (
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Postmark.
var Info = providers.Info{
	Name:      name,
	Title:     "Postmark",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://postmarkapp.com/developer/webhooks/webhooks-overview",
	Signing:   providers.SignsNever,
	BodyLimit: 16 << 20, // "Include bounce content in payload" sends the whole mail
	RetryFor:  10*time.Hour + 30*time.Minute,
	RetryNote: "Ten attempts within about 10.5 hours after any answer but 200; a 403 would end them at once, so a wrong password is answered 401.",
	Setup: []string{
		"In Postmark open the server, then the message stream you send with (Transactional or Broadcast), then its Webhooks tab. Every stream has webhooks of its own: repeat these steps for each.",
		"Choose Add webhook and enter {url} as the webhook URL.",
		"Under Basic auth credentials enter the user name and password that you set as basic_auth for this endpoint (or leave them empty and use an address with a path secret).",
		"Tick the events listed here. Leave Include bounce content in payload and Include complaint content in payload off: the mails are large and are not used.",
		"Press Send test, which must show a 200 for each event, then Save webhook. The tests name john@example.com with an empty message id and change nothing.",
	},
	Events: []string{"Bounce", "Spam Complaint", "Subscription Change", "Delivery (optional)"},
	Mapping: []providers.Mapping{
		{Report: "Bounce: HardBounce, BadEmailAddress", Kind: recipient.HardBounce},
		{Report: "Bounce: SoftBounce, Transient, DnsError, Blocked, SpamNotification, VirusNotification, DMARCPolicy and every other type", Kind: recipient.SoftBounce},
		{Report: "Bounce: Unsubscribe", Kind: recipient.OptOut, Note: "a reply that asked for removal"},
		{Report: "Bounce: ManuallyDeactivated", Kind: recipient.OptOut, Echo: true, Note: "somebody deactivated the address at Postmark"},
		{Report: "Bounce: AutoResponder, AddressChange, Subscribe, Unconfirmed, SMTPApiError, TemplateRenderingFailed, InboundError", Note: "nothing about the address"},
		{Report: "SpamComplaint", Kind: recipient.Complaint},
		{Report: "SubscriptionChange: ManualSuppression", Kind: recipient.OptOut, Note: "the message stream is kept as its scope"},
		{Report: "SubscriptionChange: HardBounce", Kind: recipient.HardBounce, Echo: true},
		{Report: "SubscriptionChange: SpamComplaint", Kind: recipient.Complaint, Echo: true},
		{Report: "SubscriptionChange: SuppressSending false", Kind: recipient.Reactivation, Note: "lifts nothing here"},
		{Report: "Delivery", Kind: recipient.Delivered},
		{Report: "Open, Click, Inbound"},
	},
	// https://postmarkapp.com/developer/api/suppressions-api (read 2026-11-28)
	Lists: []providers.OwnList{
		{
			Title:   "the message stream's suppressions",
			Kinds:   []recipient.Kind{recipient.HardBounce, recipient.OptOut},
			Page:    "https://account.postmarkapp.com/servers",
			Command: `curl -X POST "https://api.postmarkapp.com/message-streams/$STREAM/suppressions/delete" -H 'Content-Type: application/json' -H "X-Postmark-Server-Token: $POSTMARK_SERVER_TOKEN" -d '{"Suppressions":[{"EmailAddress":"{address_json}"}]}'`,
			Note:    "Open the server, the message stream, Suppressions. Every stream has a list of its own; STREAM is its id, such as outbound or broadcast.",
		},
		{
			Title: "spam complaints",
			Kinds: []recipient.Kind{recipient.Complaint},
			Note:  "Postmark does not let customers lift a spam complaint themselves.",
		},
	},
	Gaps: []string{
		"Postmark signs nothing: whoever knows the credentials can post.",
		"Removing a suppression at Postmark does not say whether a bounce or an opt-out was removed, so it lifts neither here.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: bounced("Bounce", "HardBounce", "smtp;550 5.1.1 The email account that you tried to reach does not exist.")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: bounced("Bounce", "SoftBounce", "smtp;552 5.2.2 mailbox over quota")},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: bounced("SpamComplaint", "SpamComplaint", "")},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: changed("Recipient", "ManualSuppression")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: delivered},
			{Name: "echo", Title: "Postmark's list holds the address because of the bounce", Kinds: []recipient.Kind{recipient.HardBounce}, Build: changed("Recipient", "HardBounce")},
		},
	},
}

func bounced(record, kind, details string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"RecordType": record, "ID": s.ID, "Type": kind, "Email": s.To, "BouncedAt": sim.RFC3339(s.At), "Details": details, "Inactive": kind != "SoftBounce"})
	}
}

func changed(origin, reason string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"RecordType": "SubscriptionChange", "Recipient": s.To, "ChangedAt": sim.RFC3339(s.At), "Origin": origin, "SuppressSending": true, "SuppressionReason": reason})
	}
}

func delivered(s providers.Shot) (*providers.Request, error) {
	return post(s, sim.Object{"RecordType": "Delivery", "Recipient": s.To, "DeliveredAt": sim.RFC3339(s.At), "Details": "smtp;250 2.0.0 OK"})
}

func post(s providers.Shot, body sim.Object) (*providers.Request, error) {
	body["MessageID"], body["MessageStream"], body["ServerID"] = sim.UUID(s.ID), "broadcast", 123456
	return s.Post("application/json", sim.JSON(body), "User-Agent", "Postmark"), nil
}
