package azureemail

import (
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/eventgrid"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Azure Communication Services Email.
var Info = providers.Info{
	Name:      name,
	Title:     "Azure Communication Services Email",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://learn.microsoft.com/azure/event-grid/communication-services-email-events",
	Signing:   providers.SignsOption,
	Settings:  eventgrid.Options(),
	RetryFor:  eventgrid.RetryFor,
	RetryNote: eventgrid.RetryNote,
	Setup:     eventgrid.Setup("Email Delivery Report Received"),
	Events:    []string{"Email Delivery Report Received"},
	Mapping: []providers.Mapping{
		{Report: "Bounced", Kind: recipient.HardBounce, Note: "soft when the message speaks of a policy, the content or a full mailbox"},
		{Report: "Failed", Kind: recipient.SoftBounce, Note: "hard when the message proves a faulty address"},
		{Report: "FilteredSpam, Quarantined and unknown statuses", Kind: recipient.SoftBounce},
		{Report: "Delivered", Kind: recipient.Delivered},
		{Report: "Suppressed, Expanded, and other event types", Note: "nothing was sent, or nothing about delivery"},
	},
	Gaps: []string{
		"Event Grid signs nothing, and its Microsoft Entra ID tokens are not checked: the secret in the address, or in a header, is the proof.",
		"Azure reports neither complaints nor unsubscribes.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: eventgrid.Settings,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: shot("Bounced", "550 5.1.1 The email account does not exist")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: shot("Failed", "452 4.2.2 Mailbox full")},
			{Name: "filtered", Title: "Filtered as spam", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: shot("FilteredSpam", "550 5.7.1 Identified as spam")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: shot("Delivered", "No error.")},
		},
	},
}

func shot(status, message string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return eventgrid.Post(s, reportType, sim.Object{
			"sender": "news@sender.example", "recipient": s.To, "internetMessageId": "<" + s.ID + "@sender.example>", "messageId": sim.UUID("m" + s.ID),
			"status": status, "deliveryStatusDetails": sim.Object{"statusMessage": message}, "deliveryAttemptTimeStamp": eventgrid.Stamp(s.At),
		})
	}
}
