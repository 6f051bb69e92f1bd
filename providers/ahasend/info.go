package ahasend

import (
	"io"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/svix"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes AhaSend.
var Info = providers.Info{
	Name:     name,
	Title:    "AhaSend",
	Channels: []recipient.Channel{recipient.Email},
	Docs:     "https://ahasend.com/docs/integrations/webhooks",
	Signing:  providers.SignsAlways,
	Settings: []providers.Setting{
		{Name: "signing_secret", Help: "The webhook's Secret in AhaSend, whole and as it is shown (aha-whsec-...).", List: true, Verifies: true},
		{Name: bouncedSetting, Help: "What message.bounced becomes where neither AhaSend's classification nor the server's reply names another reason than the address; older webhooks carry neither.", Choices: []string{string(recipient.HardBounce), string(recipient.SoftBounce)}, Default: string(recipient.HardBounce)},
	},
	RetryFor:  16 * time.Minute,
	RetryNote: "Six more attempts within about 16 minutes; after 100 failures in a row AhaSend disables the webhook. It waits 10 seconds for an answer.",
	MaxAge:    svix.MaxAge,
	Setup: []string{
		"In AhaSend open Webhooks and choose Add Webhook.",
		"Enter {url} as the URL, tick the events listed here, and save.",
		"Copy the webhook's secret, whole with its prefix, into signing_secret and restart.",
		"Send Test Event shows whether the secret is right.",
	},
	Events: []string{"message.bounced", "message.failed", "message.transient_error", "message.delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "message.bounced", Kind: recipient.HardBounce, Note: "soft where delivery_attempt names another reason than the address, and with the setting bounced: soft_bounce"},
		{Report: "message.failed", Kind: recipient.SoftBounce, Note: "given up after retries"},
		{Report: "message.transient_error", Kind: recipient.SoftBounce},
		{Report: "message.delivered", Kind: recipient.Delivered},
		{Report: "message.suppressed, suppression.created", Note: "AhaSend's own list, which follows from earlier bounces or is kept by hand"},
		{Report: "message.reception, message.opened, message.clicked, message.routing, domain.dns_error and all others"},
	},
	Gaps: []string{
		"AhaSend reports neither complaints nor unsubscribes: use our own unsubscribe links, and a feedback loop with the provider dsn.",
		"A bounce that came by a later mail carries no reply, so one for another reason than the address cannot be told apart.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: func(rand io.Reader) (providers.Settings, error) {
			secret, err := sim.Secret(rand)
			return providers.Set("signing_secret", "aha-whsec-"+secret), err
		},
		Samples: []providers.Sample{
			{Name: "hard", Title: "The server refused the address", Kinds: []recipient.Kind{recipient.HardBounce}, Build: message("bounced")},
			{Name: "soft", Title: "A temporary failure", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: message("transient_error")},
			{Name: "failed", Title: "Given up after retries", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: message("failed")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: message("delivered")},
			{Name: "suppressed", Title: "Not sent, AhaSend suppresses the address", Build: message("suppressed")},
		},
	},
}

func message(kind string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return svix.PostRaw(s, sim.JSON(sim.Object{"type": "message." + kind, "webhook_id": "0eb00000-0000-4000-8000-000000000001", "timestamp": s.At.UTC().Format("2006-01-02T15:04:05.000000000Z"), "data": sim.Object{
			"account_id": "acc00000-0000-4000-8000-000000000001", "event": "on_" + kind, "from": "news@sender.example", "recipient": s.To, "subject": "Simulated",
			"message_id_header": "<" + s.ID + "@sender.example>", "id": strings.ReplaceAll(sim.UUID(s.ID), "-", ""),
		}}))
	}
}
