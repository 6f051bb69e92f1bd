package bandwidth

import (
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Bandwidth.
var Info = providers.Info{
	Name:     name,
	Title:    "Bandwidth",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://dev.bandwidth.com/docs/messaging/webhooks/",
	Signing:  providers.SignsNever,
	Settings: append(append([]providers.Setting{
		{Name: applications, Help: "Ids of your messaging applications: with them, callbacks of any other are refused.", List: true},
	}, sms.WordSettings...), sms.CodeSettings...),
	RetryFor:  24 * time.Hour,
	RetryNote: "A callback without a 2xx within 10 seconds is repeated over 24 hours and then dropped.",
	Setup: []string{
		"Give this endpoint basic_auth (\"user:password\", a long random password) or a path_secret of at least 20 random characters: Bandwidth signs nothing.",
		"In the Bandwidth dashboard open Applications, your messaging application.",
		"Enter {url} as the outbound callback URL and as the inbound callback URL, with the user and password of basic_auth as callback credentials for both.",
		"Copy the application's id into application_ids.",
	},
	Events: []string{"Outbound callbacks: message-delivered, message-failed", "Inbound callbacks: message-received"},
	Mapping: []providers.Mapping{
		{Report: "message-failed: 4303, 4406, 4720, 4721", Kind: recipient.HardBounce, Note: "invalid, unassigned or deactivated number"},
		{Report: "message-failed: 4475, 4775", Kind: recipient.OptOut, Note: "rejected because the person opted out; the sending number is kept as its scope"},
		{Report: "message-failed: 9902", Note: "no receipt in time; it may have arrived"},
		{Report: "message-failed: every other code, or none", Kind: recipient.SoftBounce},
		{Report: "message-delivered", Kind: recipient.Delivered},
		{Report: "message-received: STOP and its kin", Kind: recipient.OptOut},
		{Report: "message-received: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "message-sending, other texts and types"},
	},
	Gaps: []string{
		"Nothing is signed: credentials or the secret in the address are the proof.",
		"4720 may in rare cases be a T-Mobile customer's own block of toll-free senders; the carrier's words are kept. Enter 4720 in soft_codes if you send from toll-free numbers.",
		"Callbacks of the international messaging product have another shape and are left out.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number is deactivated", Kinds: []recipient.Kind{recipient.HardBounce}, Build: report("message-failed", "destination-tn-deactivated", 4721)},
			{Name: "soft", Title: "The phone is off", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report("message-failed", "destination-subscriber-unavailable", 4702)},
			{Name: "opt_out", Title: "Rejected because the person opted out", Kinds: []recipient.Kind{recipient.OptOut}, Build: report("message-failed", "destination-rejected-due-to-user-opt-out", 4775)},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("Stop")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report("message-delivered", "ok", 0)},
		},
	},
}

const application = "93de2206-0000-4000-8000-simulated000"

func report(kind, description string, code int) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		item := sim.Object{"time": sim.RFC3339(s.At), "type": kind, "to": s.To, "description": description, "message": sim.Object{"id": "15931105" + s.ID, "owner": "+15005550001",
			"applicationId": application, "time": sim.RFC3339(s.At), "segmentCount": 1, "direction": "out", "to": []string{s.To}, "from": "+15005550001", "text": "", "tag": "simulated"}}
		if code != 0 {
			item["errorCode"] = code
		}
		return post(s, item)
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"type": "message-received", "time": sim.RFC3339(s.At), "description": "Incoming message received", "to": "+15005550001", "message": sim.Object{"id": "14762070" + s.ID,
			"time": sim.RFC3339(s.At), "to": []string{"+15005550001"}, "from": s.To, "text": words, "applicationId": application, "owner": "+15005550001", "direction": "in", "segmentCount": 1}})
	}
}

func post(s providers.Shot, item sim.Object) (*providers.Request, error) {
	return s.Post("application/json; charset=utf-8", sim.JSON([]sim.Object{item}), "User-Agent", "BandwidthAPI/v2"), nil
}
