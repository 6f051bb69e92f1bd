package mailomat

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Mailomat.
var Info = providers.Info{
	Name:     name,
	Title:    "Mailomat",
	Channels: []recipient.Channel{recipient.Email},
	Docs:     "https://api.mailomat.swiss/docs/#tag/webhook",
	Signing:  providers.SignsAlways,
	Settings: []providers.Setting{
		{Name: "signing_secret", Help: "The webhook's secret at Mailomat.", List: true, Verifies: true},
		{Name: trustSetting, Help: "What failure_perm becomes: by_reply blocks only when the server's reply says that the address is faulty; hard_bounce blocks unless the reply names another reason.", Choices: []string{byReply, trusted}, Default: byReply},
	},
	RetryNote: "Mailomat does not say how often it repeats a failed request.",
	MaxAge:    maxAge,
	Setup: []string{
		"Set a long random path_secret as well: Mailomat signs three headers and not the body, so the address of the endpoint must stay secret.",
		"In Mailomat open Webhooks and add one with the URL {url}, over https.",
		"Tick the events listed here and save.",
		"Copy the webhook's secret into signing_secret and restart.",
	},
	Events: []string{"failure_perm", "failure_tmp", "delivered (optional)"},
	Mapping: []providers.Mapping{
		{Report: "failure_perm", Kind: recipient.HardBounce, Note: "when the reply in delivery-status, else the reason, says that the address is faulty"},
		{Report: "failure_perm with any other reply, or none", Kind: recipient.SoftBounce, Note: "unless the setting failure_perm is hard_bounce"},
		{Report: "failure_tmp", Kind: recipient.SoftBounce},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "not_accepted", Note: "Mailomat itself refused to send"},
		{Report: "accepted, opened, clicked and all others"},
	},
	Gaps: []string{
		"The body is not signed: whoever sees one request can send another body with its headers for five minutes. Use a path_secret and https.",
		"Mailomat reports neither complaints nor unsubscribes, as far as is known: use our own unsubscribe links, and a feedback loop with the provider dsn.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: event("failure_perm", 550, "5.1.1", "User unknown")},
			{Name: "policy", Title: "Refused for its content", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: event("failure_perm", 554, "5.7.1", "Message content rejected")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: event("failure_tmp", 452, "4.2.2", "Mailbox full")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: event("delivered", 0, "", "")},
		},
	},
}

func event(kind string, code int, enhanced, message string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		var details any = []any{}
		if code != 0 {
			details = sim.Object{"delivery-status": sim.Object{"attempt-nr": 1, "code": code, "enhanced-code": enhanced, "message": message}}
		}
		id, ts := sim.UUID(s.ID), strconv.FormatInt(s.At.Unix(), 10)
		mac := sign.Sum(sha256.New, []byte(s.Settings.Get("signing_secret", "")), []byte(id+"."+kind+"."+ts))
		return s.Post("application/json", sim.JSON(sim.Object{
			"id": id, "eventType": kind, "occurredAt": s.At.UTC().Format("2006-01-02T15:04:05+00:00"), "messageUuid": sim.UUID("m" + s.ID), "messageId": s.ID + "@sender.example", "recipient": s.To, "payload": details,
		}), "X-MOM-Webhook-Id", id, "X-MOM-Webhook-Event", kind, "X-MOM-Webhook-Timestamp", ts, "X-MOM-Webhook-Signature", "sha256="+hex.EncodeToString(mac)), nil
	}
}
