package lox24

import (
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes LOX24.
var Info = providers.Info{
	Name:      name,
	Title:     "LOX24",
	Channels:  []recipient.Channel{recipient.SMS},
	Docs:      "https://doc.lox24.eu/api/webhooks/webhookssms-delivery-webhook/",
	Signing:   providers.SignsNever,
	Settings:  sms.WordSettings,
	RetryNote: "Up to 4 tries; how far apart is not documented.",
	Setup: []string{
		sms.GuardStep,
		"In the LOX24 account open Settings, then Event notifications (API settings), and add a target of the type webhook with the address {url}.",
		"Choose the events for SMS delivery (sms.delivery) and incoming SMS (sms.incoming).",
		"Put each message's own recipient into callback_data when you send it, with its + and before a semicolon: +358450000012;campaign-42. A report without it cannot be matched to anybody.",
	},
	Events: []string{"sms.delivery", "sms.incoming"},
	Mapping: []providers.Mapping{
		{Report: "dlr_code 8 (expired), 16 (rejected)", Kind: recipient.SoftBounce, Note: "a rejection may be the number's fault or the content's"},
		{Report: "dlr_code 0, 2, 4 with status_code 208, 400, 2000, 3000, 5000 and every other", Kind: recipient.SoftBounce},
		{Report: "dlr_code 1", Kind: recipient.Delivered},
		{Report: "dlr_code 0, 2, 4 with status_code 0, 100, 410, 6000", Note: "on its way, or stopped by its sender"},
		{Report: "sms.incoming: STOP and its kin", Kind: recipient.OptOut},
		{Report: "sms.incoming: START", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "sms.delivery.dryrun, other texts and events"},
	},
	Gaps: []string{
		"LOX24 does not tell an invalid number from other rejections, so nothing blocks.",
		"A report names no recipient: one without a number in callback_data goes to quarantine.",
		"LOX24's page has a heading on the authorization of webhooks that says nothing; requests count as unsigned.",
		"The older push service (HTTP GET) is read as well.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "soft", Title: "The message expired", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report(8)},
			{Name: "rejected", Title: "The message was rejected", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report(16)},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report(1)},
		},
	},
}

func report(code int) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, "sms.delivery", sim.Object{"key_id": 8207, "dlr_code": code, "status_code": 100, "callback_data": s.To + ";simulated"})
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, "sms.incoming", sim.Object{"from": s.To, "to": "+4915735000001", "text": words})
	}
}

func post(s providers.Shot, event string, data sim.Object) (*providers.Request, error) {
	id := sim.UUID(s.ID)
	data["id"] = id
	return s.Post("application/json", sim.JSON(sim.Object{
		"id": id, "api_version": "2022-05-25", "name": event, "created_at": s.At.Unix(), "attempt_total": 4, "attempt_number": 1, "data": data, "notification_task_id": id,
	})), nil
}
