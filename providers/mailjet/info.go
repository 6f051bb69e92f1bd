package mailjet

import (
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Mailjet.
var Info = providers.Info{
	Name:      name,
	Title:     "Mailjet",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://dev.mailjet.com/email/guides/webhooks/",
	Signing:   providers.SignsNever,
	RetryFor:  24 * time.Hour,
	RetryNote: "Every 30 seconds for 24 hours after any answer but 200; then Mailjet suspends the URL until somebody saves a new one.",
	Setup: []string{
		"Set basic_auth (user:password) for this endpoint, or a path_secret of at least 20 random characters: Mailjet signs nothing.",
		"In Mailjet open Account settings, then Event notifications (webhooks) under the REST API.",
		"For each event listed here enter {url} as the endpoint URL; with basic_auth write the credentials into it: https://user:password@...",
		"Tick Group events for each, so that a second's events come in one request; single events are read as well.",
		"Use the test button, then save. Every API key (subaccount) has settings of its own.",
	},
	Events: []string{"bounce", "blocked", "spam", "unsub", "sent (optional)"},
	Mapping: []providers.Mapping{
		{Report: "bounce with hard_bounce: user unknown, mailbox inactive, invalid domain, typofix, no mail host", Kind: recipient.HardBounce, Note: "soft when a code in the comment names another reason"},
		{Report: "bounce: quota exceeded, relay/access denied, greylisted, sender blocked, content blocked, policy issue, system, protocol and connection issue, preblocked, blacklisted", Kind: recipient.SoftBounce, Note: "whatever hard_bounce says"},
		{Report: "bounce without hard_bounce, or with another error", Kind: recipient.SoftBounce, Note: "with another error hard only when hard_bounce is set and the comment proves a faulty address"},
		{Report: "blocked: user unknown, mailbox inactive, invalid domain, typofix", Kind: recipient.HardBounce, Echo: true},
		{Report: "blocked: preblocked, blacklisted", Kind: recipient.SoftBounce, Note: "the cause is not told"},
		{Report: "blocked or bounce: spam reporter", Kind: recipient.Complaint, Echo: true},
		{Report: "blocked: any other error; bounce: bad or empty template, error in template language, duplicate in campaign", Note: "the sender's own doing"},
		{Report: "spam", Kind: recipient.Complaint},
		{Report: "unsub", Kind: recipient.OptOut, Note: "the list is kept as its scope"},
		{Report: "sent", Kind: recipient.Delivered, Note: "accepted by the recipient's server"},
		{Report: "open, click and all others"},
	},
	Gaps: []string{
		"Mailjet signs nothing: whoever knows the URL can post.",
		"An unsubscribe that Mailjet only holds in its exclusion list is reported as blacklisted without its cause: soft.",
		"Nothing in an event names the API key it comes from.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: callback("bounce", sim.Object{"blocked": false, "hard_bounce": true, "error_related_to": "recipient", "error": "user unknown", "comment": "550 5.1.1 user unknown"})},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: callback("bounce", sim.Object{"blocked": false, "hard_bounce": false, "error_related_to": "recipient", "error": "quota exceeded", "comment": "552 5.2.2 mailbox full"})},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: callback("spam", sim.Object{"source": "JMRPP"})},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: callback("unsub", sim.Object{"mj_list_id": 1, "ip": "192.0.2.90", "geo": "FI", "agent": "Mozilla/5.0"})},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: callback("sent", sim.Object{"smtp_reply": "250 2.0.0 OK"})},
			{Name: "echo", Title: "Mailjet does not try an address that bounced before", Kinds: []recipient.Kind{recipient.HardBounce}, Build: callback("blocked", sim.Object{"error_related_to": "recipient", "error": "user unknown"})},
		},
	},
}

func callback(kind string, more sim.Object) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		ev := sim.Object{"event": kind, "time": s.At.Unix(), "MessageID": s.At.UnixNano(), "Message_GUID": sim.UUID(s.ID), "email": s.To,
			"mj_campaign_id": 0, "mj_contact_id": 0, "customcampaign": "", "CustomID": s.ID, "Payload": ""}
		for k, v := range more {
			ev[k] = v
		}
		return s.Post("application/json", sim.JSON([]any{ev})), nil
	}
}
