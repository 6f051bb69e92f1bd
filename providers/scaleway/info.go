package scaleway

import (
	"io"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sns"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Scaleway Transactional Email.
var Info = providers.Info{
	Name:     name,
	Title:    "Scaleway Transactional Email",
	Channels: []recipient.Channel{recipient.Email},
	Docs:     "https://www.scaleway.com/en/docs/transactional-email/reference-content/webhook-events-payloads",
	Signing:  providers.SignsAlways,
	Settings: []providers.Setting{
		sns.TopicsSetting,
		sns.CertificatesSetting,
		{Name: spamSetting, Help: "What email_spam without a server's reply becomes: a filter may have decided it, or the recipient.", Choices: []string{string(recipient.SoftBounce), string(recipient.Complaint)}, Default: string(recipient.SoftBounce)},
	},
	RetryNote: "Scaleway does not say how often it repeats a failed request; Amazon SNS, whose format it uses, does so for an hour.",
	// Repeats keep the first time, so the window is wider than that hour.
	MaxAge: 24 * time.Hour,
	Setup: []string{
		"In the Scaleway console open Topics and Events, activate it for the project, and create a topic; copy its ARN (arn:scw:sns:...) into topics and restart.",
		"Open Transactional Email, the domain, then Webhooks, and choose Create webhook; choose that topic and the events listed here.",
		"In the topic create a subscription with the protocol HTTPS and the endpoint {url}.",
		"Scaleway posts a confirmation; Strikeout checks its signature and topic and confirms by itself. The host must be able to reach messaging.s3.fr-par.scw.cloud and sns.mnq.<region>.scaleway.com.",
	},
	Events: []string{"email_mailbox_not_found", "email_dropped", "email_deferred", "email_spam", "email_delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "email_mailbox_not_found", Kind: recipient.HardBounce},
		{Report: "email_dropped", Kind: recipient.SoftBounce, Note: "hard when the server's reply proves a faulty address"},
		{Report: "email_deferred", Kind: recipient.SoftBounce},
		{Report: "email_spam", Kind: recipient.SoftBounce, Note: "a complaint with the setting spam: complaint, where no server's reply explains it"},
		{Report: "email_delivered", Kind: recipient.Delivered},
		{Report: "email_blocklisted, blocklist_created, email_queued and all others", Note: "not sent, or an older event repeated"},
	},
	Gaps: []string{
		"Scaleway knows no unsubscribes, and does not tell a filter's verdict from a complaint.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: func(rand io.Reader) (providers.Settings, error) {
			return sns.Settings(rand, "arn:scw:sns:fr-par:project-00000000-0000-4000-8000-000000000000:")
		},
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: shot("email_mailbox_not_found", 550, "5.1.1 User unknown")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: shot("email_deferred", 452, "4.2.2 Mailbox full")},
			{Name: "policy", Title: "Refused by a policy", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: shot("email_dropped", 550, "5.7.1 Rejected by policy")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: shot("email_delivered", 250, "2.0.0 OK")},
		},
	},
}

func shot(kind string, code int, message string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return sns.Post(s, "https://messaging.s3.fr-par.scw.cloud/fr-par/sns/simulated.pem", string(sim.JSON(sim.Object{
			"id": sim.UUID(s.ID), "type": kind, "domain_name": "sender.example", "created_at": sim.RFC3339(s.At), "email_id": sim.UUID("m" + s.ID), "email_from": "news@sender.example",
			"email_to": s.To, "email_headers": []sim.Object{{"key": "X-Simulated", "value": "yes"}}, "email_response_code": code, "email_response_message": message,
		})))
	}
}
