package sweego

import (
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/svix"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Sweego.
var Info = providers.Info{
	Name:     name,
	Title:    "Sweego",
	Channels: []recipient.Channel{recipient.Email, recipient.SMS},
	Docs:     "https://learn.sweego.io/docs/webhooks/email_events",
	Signing:  providers.SignsAlways,
	Settings: []providers.Setting{
		{Name: "signing_secret", Help: "The webhook's secret in Sweego's dashboard: 64 characters of base64.", List: true, Verifies: true},
	},
	RetryNote: "Sweego does not say how often it repeats a failed request.",
	MaxAge:    svix.MaxAge,
	Setup: []string{
		"In Sweego open Webhooks and add one with the URL {url}.",
		"Tick the events listed here and save.",
		"Copy the webhook's secret into signing_secret and restart.",
	},
	Events: []string{"hard_bounce", "soft_bounce", "complaint", "list_unsub", "delivered (optional)", "sms_stop and the delivery events of SMS, where SMS is sent"},
	Mapping: []providers.Mapping{
		{Report: "hard_bounce", Kind: recipient.HardBounce, Note: "soft when the server's reply speaks of a policy, the content, a full mailbox or a temporary failure"},
		{Report: "soft_bounce, soft-bounce", Kind: recipient.SoftBounce},
		{Report: "complaint", Kind: recipient.Complaint},
		{Report: "list_unsub", Kind: recipient.OptOut, Note: "with one click or on a page"},
		{Report: "delivered, sms_delivered", Kind: recipient.Delivered},
		{Report: "sms_undelivered, sms_failed, sms_rejected, sms_expired", Kind: recipient.SoftBounce, Note: "Sweego does not publish why, so nothing blocks a number"},
		{Report: "sms_stop, sms_unsub, sms_unsubscribe", Kind: recipient.OptOut},
		{Report: "email_sent, email_opened, email_clicked, email_inbound, sms_sent, sms_clicked, other channels and all others"},
	},
	Gaps: []string{
		"Sweego publishes no reasons for undelivered SMS: a dead number is never blocked by it.",
		"Replies to SMS other than STOP are not reported in a form that we know; START opts nobody in.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: svix.Settings,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.HardBounce}, Build: email("hard_bounce", sim.Object{"response_code": 550, "status": nil, "details": "mta-01 zone-mta: info Sender/default id=1 REJECTED[other] (550 5.1.1 Invalid Recipient)"})},
			{Name: "soft", Title: "The mailbox is full", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.SoftBounce}, Build: email("soft-bounce", sim.Object{"response_code": 452, "status": nil, "details": "mta-01 zone-mta: info Sender/default id=1 REJECTED[capacity] (452 4.2.2 User quota exceeded)"})},
			{Name: "complaint", Title: "Marked as spam", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.Complaint}, Build: email("complaint", sim.Object{"details": ""})},
			{Name: "opt_out", Title: "Unsubscribed with one click", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.OptOut}, Build: email("list_unsub", sim.Object{"one_click": true})},
			{Name: "delivered", Title: "Delivered", Channel: recipient.Email, Kinds: []recipient.Kind{recipient.Delivered}, Build: email("delivered", sim.Object{"response_code": 250})},
			{Name: "stop", Title: "STOP to an SMS", Channel: recipient.SMS, Kinds: []recipient.Kind{recipient.OptOut}, Build: text("sms_stop")},
			{Name: "sms_undelivered", Title: "An SMS did not arrive", Channel: recipient.SMS, Kinds: []recipient.Kind{recipient.SoftBounce}, Build: text("sms_undelivered")},
		},
	},
}

func email(kind string, more sim.Object) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		m := event(s, kind, "email")
		m["recipient"] = s.To
		for k, v := range more {
			m[k] = v
		}
		return svix.PostBare(s, sim.JSON(m))
	}
}

func text(kind string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		m := event(s, kind, "sms")
		m["phone_number"] = s.To
		return svix.PostBare(s, sim.JSON(m))
	}
}

func event(s providers.Shot, kind, channel string) sim.Object {
	return sim.Object{"event_type": kind, "channel": channel, "timestamp": s.At.UTC().Format("2006-01-02T15:04:05+00:00"), "event_id": sim.UUID(s.ID), "swg_uid": "01-" + sim.UUID(s.ID),
		"transaction_id": sim.UUID("t" + s.ID), "headers": sim.Object{"x-mailer": "Sweego"}}
}
