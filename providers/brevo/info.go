package brevo

import (
	"net/http"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Brevo.
var Info = providers.Info{
	Name:      name,
	Title:     "Brevo (Sendinblue)",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://developers.brevo.com/docs/transactional-webhooks",
	Signing:   providers.SignsOption,
	BodyLimit: 4 << 20, // 500 events in a batch
	Settings:  token.Settings("the token (or a custom header) under Authentication in the webhook's settings"),
	// Any other 4xx, and every 5xx, makes Brevo discard the event.
	BusyStatus:  http.StatusTooManyRequests,
	RejectFinal: true,
	RetryFor:    8 * time.Hour,
	RetryNote:   "After a 429, a time-out or a failed connection 4 times, after 10 minutes, 1 hour, 2 hours and 8 hours; any other 4xx and every 5xx discards the event, also one of a proxy in front.",
	Setup: []string{
		"Choose how Brevo shall prove itself, because it signs nothing: set auth_token (with auth_header for a header of your own), or basic_auth, or a path_secret of at least 20 random characters. Start Strikeout with this endpoint first: a refused event is lost.",
		"In Brevo open Transactional, Settings, Webhook, and choose Add a new webhook; for campaigns do the same under Campaigns, Settings, Webhooks. The two are separate: do both.",
		"Enter {url}; with basic_auth write the credentials into it: https://user:password@..., with auth_token choose token authentication and enter the token.",
		"Tick the events listed here and save. Batched webhooks are read as well.",
		"Let a proxy in front of Strikeout answer 429 rather than 502 or 503 while Strikeout restarts.",
	},
	Events: []string{"Hard bounce", "Invalid email", "Soft bounce", "Deferred", "Blocked", "Complaint (spam)", "Unsubscribed", "Delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "hard_bounce", Kind: recipient.HardBounce, Note: "soft when the reason speaks of a full mailbox, the size, the content, a policy or a temporary failure"},
		{Report: "invalid_email", Kind: recipient.HardBounce},
		{Report: "soft_bounce, deferred, blocked, error, and unknown bounces", Kind: recipient.SoftBounce},
		{Report: "complaint, spam", Kind: recipient.Complaint},
		{Report: "unsubscribed, unsubscribe", Kind: recipient.OptOut, Note: "the list is kept as its scope"},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "list_addition, contact_deleted, contact_updated, request, sent, opened, click, reply and all others; SMS and inbound mail"},
	},
	// https://developers.brevo.com/reference/unblock-or-resubscribe-a-transactional-contact (read 2026-11-28)
	Lists: []providers.OwnList{
		{
			Title:   "blocked contacts",
			Kinds:   []recipient.Kind{recipient.HardBounce, recipient.Complaint, recipient.OptOut},
			Page:    "https://app-smtp.brevo.com/block",
			Command: `curl -X DELETE -H "api-key: $BREVO_API_KEY" 'https://api.brevo.com/v3/smtp/blockedContacts/{address_path}'`,
			Note:    "This is the list for transactional messages; a contact of campaigns is unblocked on its own page under Contacts.",
		},
	},
	Gaps: []string{
		"Brevo signs nothing: whoever knows the secret can post.",
		"Blocked may mean an older bounce, complaint or unsubscribe at Brevo; which one is only in free text, so it is soft.",
		"How a batch looks is not documented: arrays are read, bare or under events or items.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: token.Simulated,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: transactional("hard_bounce", "550 5.1.1 user unknown")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: transactional("soft_bounce", "452 4.2.2 mailbox full")},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: transactional("complaint", "")},
			{Name: "opt_out", Title: "Unsubscribed from a transactional mail", Kinds: []recipient.Kind{recipient.OptOut}, Build: transactional("unsubscribed", "")},
			{Name: "opt_out_marketing", Title: "Unsubscribed from a campaign", Kinds: []recipient.Kind{recipient.OptOut}, Build: marketing},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: transactional("delivered", "")},
		},
	},
}

func transactional(kind, reason string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		ev := sim.Object{"event": kind, "email": s.To, "id": 26224, "message-id": "<" + s.ID + "@smtp-relay.example.com>", "ts_event": s.At.Unix(), "ts_epoch": s.At.UnixMilli(),
			"subject": "Simulated", "tags": []string{}, "contact_id": 0}
		if reason != "" {
			ev["reason"] = reason
		}
		return post(s, ev)
	}
}

func marketing(s providers.Shot) (*providers.Request, error) {
	return post(s, sim.Object{"event": "unsubscribe", "email": s.To, "id": 26225, "camp_id": 30, "campaign name": "Simulated " + s.ID, "list_id": []int{3}, "tag": "",
		"ts_event": s.At.Unix(), "ts_sent": s.At.Add(-time.Hour).Unix()})
}

func post(s providers.Shot, ev sim.Object) (*providers.Request, error) {
	return token.Sign(s.Settings, s.Post("application/json", sim.JSON(ev))), nil
}
