package mailersend

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes MailerSend.
var Info = providers.Info{
	Name:     name,
	Title:    "MailerSend",
	Channels: []recipient.Channel{recipient.Email},
	Docs:     "https://developers.mailersend.com/api/v1/account/webhooks.html",
	Signing:  providers.SignsAlways,
	Settings: []providers.Setting{
		{Name: "signing_secret", Help: "The Signing secret of the webhook (not the API token).", List: true, Verifies: true},
	},
	RejectFinal: true,
	RetryFor:    72 * time.Hour,
	RetryNote:   "Retried with growing gaps for about three days, but not after a 4xx other than 429; it waits 3 seconds for an answer.",
	Setup: []string{
		"Start Strikeout with this endpoint first, with any long random text as signing_secret: MailerSend saves a webhook only after its test ping was answered.",
		"In MailerSend open Domains, Manage your domain, Webhooks, and choose Create webhook.",
		"Enter {url} as the endpoint URL, tick the events listed here, leave it enabled, and save.",
		"Copy the webhook's Signing secret into signing_secret and restart.",
	},
	Events: []string{"activity.hard_bounced", "activity.soft_bounced", "activity.deferred", "activity.spam_complaint", "activity.unsubscribed", "activity.delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "activity.hard_bounced", Kind: recipient.HardBounce, Note: "soft when the reason speaks of a policy, the content, a full mailbox or a temporary failure"},
		{Report: "activity.soft_bounced, activity.deferred", Kind: recipient.SoftBounce},
		{Report: "activity.spam_complaint", Kind: recipient.Complaint},
		{Report: "activity.unsubscribed", Kind: recipient.OptOut},
		{Report: "activity.delivered", Kind: recipient.Delivered},
		{Report: "webhook.test, activity.sent, activity.opened, activity.clicked, recipient.on_hold_added, sms.* and all others"},
	},
	Gaps: []string{
		"Signatures carry no time: a captured request can be sent again, which changes nothing.",
		"MailerSend does not say whether mail to an address on its own suppression list is reported as another hard bounce.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: activity("hard_bounced", sim.Object{"reason": "550 5.1.1 user unknown", "readable_reason": "The mailbox does not exist"})},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: activity("soft_bounced", sim.Object{"reason": "452 4.2.2 mailbox full"})},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: activity("spam_complaint", []string{})},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: activity("unsubscribed", []string{})},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: activity("delivered", []string{})},
		},
	},
}

func activity(kind string, meta any) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		body := sim.JSON(sim.Object{"type": "activity." + kind, "created_at": s.At.UTC().Format("2006-01-02T15:04:05.000000Z"), "data": sim.Object{
			"id": s.ID, "domain_id": "dm0000simulated", "message_id": "m" + s.ID, "email_id": "e" + s.ID, "type": kind, "subject": "Simulated", "email": s.To, "tags": nil, "meta": meta,
		}})
		mac := sign.Sum(sha256.New, []byte(s.Settings.Get("signing_secret", "")), body)
		return s.Post("application/json", body, "Signature", hex.EncodeToString(mac)), nil
	}
}
