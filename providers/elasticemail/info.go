package elasticemail

import (
	"net/url"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Elastic Email.
var Info = providers.Info{
	Name:      name,
	Title:     "Elastic Email",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://help.elasticemail.com/en/articles/4804685-notification-settings",
	Signing:   providers.SignsNever,
	RetryNote: "Elastic Email does not say whether it repeats a failed notification; after 1000 failures it switches the notification off.",
	Setup: []string{
		"Give this endpoint a path_secret of at least 20 random characters: notifications are not signed.",
		"In Elastic Email open Settings, Notifications (a paid plan is needed), and add a notification.",
		"Enter {url} as the notification link. Elastic Email calls it once to check that it answers.",
		"Tick the events listed here and save.",
		"Notifications may arrive as GET with the address in the query: keep query strings out of the logs of any proxy in front.",
	},
	Events: []string{"Bounced (Error)", "Abuse report", "Unsubscribed", "Sent (optional)"},
	Mapping: []providers.Mapping{
		{Report: "Error: NoMailbox", Kind: recipient.HardBounce},
		{Report: "Error: Ignore, ManualCancel, NotDeliveredCancelled", Note: "not attempted"},
		{Report: "Error: every other category", Kind: recipient.SoftBounce},
		{Report: "AbuseReport", Kind: recipient.Complaint},
		{Report: "Unsubscribed", Kind: recipient.OptOut},
		{Report: "Sent", Kind: recipient.Delivered, Note: "accepted by the recipient's server"},
		{Report: "Opened, Clicked and all others"},
	},
	Gaps: []string{
		"Notifications are not signed, and those of the newer webhook API are signed in a way that is not documented: the secret in the address is the proof.",
		"The server's words are not in the notification, so a full and an inactive mailbox (AccountProblem) cannot be told apart: soft.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: notify("Error", "NoMailbox")},
			{Name: "soft", Title: "The mailbox is full or inactive", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: notify("Error", "AccountProblem")},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: notify("AbuseReport", "Unknown")},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: notify("Unsubscribed", "Unknown")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: notify("Sent", "Unknown")},
		},
	},
}

func notify(status, category string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		q := url.Values{}
		for k, v := range map[string]string{
			"from": "news@sender.example", "to": s.To, "date": s.At.UTC().Format(usTime), "subject": "Simulated", "status": status, "channel": "simulated",
			"account": "owner@sender.example", "category": category, "messageid": s.ID, "transaction": sim.UUID(s.ID),
		} {
			q.Set(k, v)
		}
		return s.Get(q.Encode(), "User-Agent", "ElasticEmail"), nil
	}
}
