package cm

import (
	"slices"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes CM.com.
var Info = providers.Info{
	Name:      name,
	Title:     "CM.com",
	Channels:  []recipient.Channel{recipient.SMS},
	Docs:      "https://developers.cm.com/messaging/docs/incoming-status-report",
	Signing:   providers.SignsNever,
	Settings:  slices.Concat(sms.CodeSettings, sms.WordSettings),
	RetryFor:  7 * 24 * time.Hour,
	RetryNote: "A status report that did not get a 200 is sent again from time to time for up to 7 days, a received text every 5 minutes for up to a month.",
	Setup: []string{
		sms.GuardStep,
		"In CM's Channels app open SMS, then Webhooks, and enter {url} for status reports; choose POST and JSON. XML is read too.",
		"An older gateway with a GET template needs these names: {url}?to=[GSM]&status=[STATUS]&errorcode=[STATUSDESCRIPTION]&errordescription=[STANDARDERRORTEXT]&reference=[REFERENCE]&received=[CREATED_S]",
		"Enter {url} for incoming messages as well.",
		"Give each message a reference of its own (at most 32 characters) when you send it: CM has no other id, and without it two messages to one number look alike.",
		"Ask CM which of your operators' error codes mean a faulty number, 23 for most, and put them into hard_codes. Until then nothing blocks.",
	},
	Events: []string{"Status reports", "Incoming messages"},
	Mapping: []providers.Mapping{
		{Report: "status 1 (rejected), 3 (failed) and every other above 0", Kind: recipient.SoftBounce, Note: "a hard bounce for an errorCode in hard_codes"},
		{Report: "status 2", Kind: recipient.Delivered},
		{Report: "status 0", Note: "accepted by the operator"},
		{Report: "incoming message: STOP and its kin", Kind: recipient.OptOut},
		{Report: "incoming message: START", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "other texts, and texts on other channels than SMS"},
	},
	Gaps: []string{
		"Nothing blocks without hard_codes: CM does not document its operators' error codes.",
		"The zone of a status report's time is not documented; it is read as UTC.",
		"A GET template with other names than those in the setup steps goes to quarantine.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "soft", Title: "The phone cannot be reached for now", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report("3", "24", "Subscriber temporarily absent")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report("2", "", "")},
		},
	},
}

const stamp = "2006-01-02T15:04:05"

// zeros writes a number as CM does: 00358450000012.
func zeros(to string) string { return "00" + strings.TrimPrefix(to, "+") }

func report(code, reason, words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		msg := sim.Object{"received": s.At.UTC().Format(stamp), "to": zeros(s.To), "reference": s.ID, "status": sim.Object{"code": code, "errorCode": reason, "errorDescription": words}, "operator": "24405"}
		return s.Post("application/json", sim.JSON(sim.Object{"messages": sim.Object{"msg": msg}})), nil
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return s.Post("application/json", sim.JSON(sim.Object{
			"reference": s.ID, "messageContext": "", "from": sim.Object{"number": zeros(s.To), "name": ""}, "to": sim.Object{"number": "0031600000001"}, "message": sim.Object{"text": words},
			"groupings": []string{"", "", ""}, "timeUtc": s.At.UTC().Format(stamp), "channel": "SMS",
		})), nil
	}
}
