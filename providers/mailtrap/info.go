package mailtrap

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Mailtrap.
var Info = providers.Info{
	Name:      name,
	Title:     "Mailtrap",
	Channels:  []recipient.Channel{recipient.Email},
	Docs:      "https://docs.mailtrap.io/email-api-smtp/advanced/webhooks",
	Signing:   providers.SignsAlways,
	BodyLimit: 4 << 20, // 500 events in a batch
	Settings: []providers.Setting{
		{Name: "signing_secret", Help: "The Signature secret in the webhook's details: 32 hex characters, entered as they are.", List: true, Verifies: true},
	},
	RetryFor:  200 * time.Minute,
	RetryNote: "40 attempts, one every 5 minutes, after any answer but 200; then the webhook is paused until it is resumed by hand.",
	Setup: []string{
		"In Mailtrap open Settings, Webhooks, and choose Create new webhook.",
		"Enter {url} as the webhook URL. Choose JSON or JSON Lines as the format: both are read.",
		"Choose the sending domain and stream, tick the events listed here, and save.",
		"Open the webhook's details, copy the signature secret into signing_secret, restart, and press Run Test.",
	},
	Events: []string{"Bounce", "Soft bounce", "Spam complaint", "Unsubscribe", "Delivery (optional)"},
	Mapping: []providers.Mapping{
		{Report: "bounce: badrecipient", Kind: recipient.HardBounce},
		{Report: "bounce: other, generalfail, serverfail, dnsFail or no category", Kind: recipient.SoftBounce, Note: "hard when the server's reply proves a faulty address"},
		{Report: "bounce: verifyfail", Kind: recipient.SoftBounce, Note: "hard when the reply says 5.1.1"},
		{Report: "bounce: every other category", Kind: recipient.SoftBounce},
		{Report: "soft bounce", Kind: recipient.SoftBounce},
		{Report: "spam", Kind: recipient.Complaint},
		{Report: "unsubscribe", Kind: recipient.OptOut, Note: "the sending stream is kept as its scope"},
		{Report: "delivery", Kind: recipient.Delivered},
		{Report: "suspension, reject, open, click, activity_log.* and all others"},
	},
	Gaps: []string{
		"Signatures carry no time: a captured request can be sent again, which changes nothing.",
		"Mailtrap stops sending to addresses that were over quota or timed out once; here they stay open.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: event("bounce", sim.Object{"response": "5.1.1 The email account does not exist", "response_code": 550, "bounce_category": "badrecipient"})},
			{Name: "soft", Title: "Greylisted", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: event("soft bounce", sim.Object{"response": "4.7.1 Greylisted, try later", "response_code": 451, "bounce_category": "greylisting"})},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: event("spam", nil)},
			{Name: "opt_out", Title: "Unsubscribed", Kinds: []recipient.Kind{recipient.OptOut}, Build: event("unsubscribe", sim.Object{"ip": "192.0.2.7"})},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: event("delivery", nil)},
		},
	},
}

func event(kind string, more sim.Object) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		it := sim.Object{"event": kind, "timestamp": s.At.Unix(), "sending_stream": "bulk", "category": "Simulated", "message_id": sim.UUID("m" + s.ID), "email": s.To, "event_id": sim.UUID(s.ID), "sending_domain_name": "sender.example"}
		for k, v := range more {
			it[k] = v
		}
		body := sim.JSON(sim.Object{"events": []sim.Object{it}})
		mac := sign.Sum(sha256.New, []byte(s.Settings.Get("signing_secret", "")), body)
		return s.Post("application/json", body, "Mailtrap-Signature", hex.EncodeToString(mac)), nil
	}
}
