package bulksms

import (
	"slices"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes BulkSMS.
var Info = providers.Info{
	Name:     name,
	Title:    "BulkSMS",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://www.bulksms.com/developer/json/v1/",
	Signing:  providers.SignsNever,
	Settings: slices.Concat(sms.CodeSettings, sms.WordSettings),
	// Which answers are final is not documented; a 4xx may well be.
	RejectFinal: true,
	RetryFor:    48 * time.Hour,
	RetryNote:   "After some quick tries every 15 minutes for 2 days; answers that it takes for final are not repeated.",
	Setup: []string{
		sms.GuardStep,
		"In the BulkSMS web app open Settings, Advanced, Webhooks, and create a webhook with the URL {url}.",
		"Choose the trigger scope SENT, and MANY as the invoke option, which brings up to 10 updates in one request.",
		"Create a second webhook with the same URL and the trigger scope RECEIVED.",
		"BulkSMS calls the URL with an empty list before it saves a webhook; Strikeout answers it like any other.",
	},
	Events: []string{"SENT", "RECEIVED"},
	Mapping: []providers.Mapping{
		{Report: "SENT: FAILED.BLOCKED", Kind: recipient.OptOut, Note: "usually the person answered STOP; it may be an administrator's block at BulkSMS"},
		{Report: "SENT: FAILED.EXPIRED, HANDSET_ERROR, NOT_SENT and every other", Kind: recipient.SoftBounce, Note: "NOT_SENT may hide an invalid number: hard_codes can change that"},
		{Report: "SENT: DELIVERED", Kind: recipient.Delivered},
		{Report: "SENT: ACCEPTED, SCHEDULED, SENT, UNKNOWN", Note: "on its way"},
		{Report: "RECEIVED: STOP and its kin", Kind: recipient.OptOut},
		{Report: "RECEIVED: START", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "other texts"},
	},
	Gaps: []string{
		"BulkSMS has no state that means an invalid number, so nothing blocks unless hard_codes says so (FAILED.NOT_SENT).",
		"A status update has no time of its own: it happened when we heard of it.",
		"The status push of the older EAPI is another product and goes to quarantine.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "soft", Title: "The phone's storage is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: status("FAILED", "HANDSET_ERROR")},
			{Name: "opt_out", Title: "The person stopped your messages earlier", Kinds: []recipient.Kind{recipient.OptOut}, Build: status("FAILED", "BLOCKED")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: status("DELIVERED", "")},
		},
	},
}

func status(state, sub string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		st := sim.Object{"id": state + ".null", "type": state, "subtype": nil}
		if sub != "" {
			st["id"], st["subtype"] = state+"."+sub, sub
		}
		return post(s, sim.Object{"id": s.ID, "type": "SENT", "from": "Strikeout", "to": strings.TrimPrefix(s.To, "+"), "body": "Hello", "status": st, "userSuppliedId": "simulated"})
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"id": s.ID, "type": "RECEIVED", "from": strings.TrimPrefix(s.To, "+"), "to": "15005550001", "body": words, "status": sim.Object{"id": "UNKNOWN.null", "type": "UNKNOWN", "subtype": nil}})
	}
}

func post(s providers.Shot, o sim.Object) (*providers.Request, error) {
	o["encoding"], o["submission"] = "TEXT", sim.Object{"id": "1-" + s.ID, "date": s.At.UTC().Format(time.RFC3339)}
	return s.Post("application/json", sim.JSON([]sim.Object{o})), nil
}
