package resend

import (
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/svix"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Resend.
var Info = providers.Info{
	Name:     name,
	Title:    "Resend",
	Channels: []recipient.Channel{recipient.Email},
	Docs:     "https://resend.com/docs/dashboard/webhooks/introduction",
	Signing:  providers.SignsAlways,
	Settings: []providers.Setting{
		{Name: "signing_secret", Help: "The Signing Secret (whsec_...) on the webhook's page in Resend.", List: true, Verifies: true},
	},
	RetryFor:  27*time.Hour + 35*time.Minute,
	RetryNote: "Eight attempts: at once, then after 5 seconds, 5 and 30 minutes, 2, 5, 10 and 10 hours; each is signed anew. Failed messages can be replayed by hand.",
	MaxAge:    svix.MaxAge,
	Setup: []string{
		"In Resend open Webhooks and choose Add Webhook.",
		"Enter {url} as the endpoint URL and tick the events listed here.",
		"After adding it, copy the Signing Secret from the webhook's page into signing_secret.",
		"Send each mail to one recipient: Resend's events do not say which of several recipients they are about.",
	},
	Events: []string{"email.bounced", "email.complained", "email.delivery_delayed", "contact.updated", "email.failed (optional)", "email.delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "email.bounced: Permanent/General, Permanent/NoEmail", Kind: recipient.HardBounce, Note: "soft when the quoted SMTP reply speaks of a policy, the content or a full mailbox, or when the mail had several recipients"},
		{Report: "email.bounced: Permanent/Suppressed, Permanent/OnAccountSuppressionList, Permanent/OnTenantSuppressionList", Note: "nothing was sent"},
		{Report: "email.bounced: Transient, Undetermined and all others", Kind: recipient.SoftBounce},
		{Report: "email.delivery_delayed, email.failed", Kind: recipient.SoftBounce},
		{Report: "email.complained", Kind: recipient.Complaint, Note: "with several recipients it is kept for the administrator"},
		{Report: "contact.updated with unsubscribed", Kind: recipient.OptOut},
		{Report: "email.delivered", Kind: recipient.Delivered},
		{Report: "email.suppressed, suppression.added, suppression.removed, contact.created, contact.deleted and all others"},
	},
	// https://resend.com/docs/dashboard/emails/email-suppressions (read 2026-11-28)
	Lists: []providers.OwnList{
		{
			Title:   "the team's suppressions",
			Kinds:   []recipient.Kind{recipient.HardBounce, recipient.Complaint},
			Page:    "https://resend.com/emails/suppressions",
			Command: `curl -X DELETE -H "Authorization: Bearer $RESEND_API_KEY" 'https://api.resend.com/suppressions/{address_path}'`,
			Note:    "The list counts for all domains of the team. The API for it was in a private beta in November 2026; the page works for everybody.",
		},
	},
	Gaps: []string{
		"A bounce of a mail with several recipients names nobody: it counts as soft for each. A hidden Bcc recipient cannot be seen in the event at all, so send to one recipient at a time.",
		"A contact who subscribes again at Resend is not opted in here.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: svix.Settings,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: mail("email.bounced", "550 5.1.1 The mailbox does not exist.", "Permanent", "General")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: mail("email.bounced", "The recipient inbox was full.", "Transient", "MailboxFull")},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: mail("email.complained", "", "", "")},
			{Name: "opt_out", Title: "Unsubscribed from a broadcast", Kinds: []recipient.Kind{recipient.OptOut}, Build: func(s providers.Shot) (*providers.Request, error) {
				return post(s, "contact.updated", sim.Object{"id": sim.UUID(s.ID), "audience_id": "78261eea-8f8b-4381-83c6-79fa7120f1cf", "email": s.To, "unsubscribed": true})
			}},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: mail("email.delivered", "", "", "")},
		},
	},
}

func mail(kind, message, bounceType, subType string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		data := sim.Object{"email_id": sim.UUID(s.ID), "from": "Shop <news@sender.example>", "to": []string{s.To}, "subject": "Simulated", "created_at": sim.RFC3339(s.At)}
		if bounceType != "" {
			data["bounce"] = sim.Object{"message": message, "type": bounceType, "subType": subType}
		}
		return post(s, kind, data)
	}
}

func post(s providers.Shot, kind string, data sim.Object) (*providers.Request, error) {
	return svix.Post(s, sim.JSON(sim.Object{"type": kind, "created_at": sim.RFC3339(s.At), "data": data}))
}
