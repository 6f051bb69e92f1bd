package clickatell

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Clickatell.
var Info = providers.Info{
	Name:      name,
	Title:     "Clickatell",
	Channels:  []recipient.Channel{recipient.SMS},
	Docs:      "https://www.clickatell.com/developers/api-documentation/rest-api-status-callback/",
	Signing:   providers.SignsNever,
	Settings:  append(append([]providers.Setting{}, sms.WordSettings...), sms.CodeSettings...),
	RetryNote: "Clickatell does not say whether it repeats a callback that was not answered.",
	Setup: []string{
		sms.GuardStep,
		"In the Clickatell portal open the SMS integration (API), and enter {url} as the status callback with the method POST; a user name and password there go into basic_auth.",
		"Enter {url} as the reply callback too, for numbers that people can answer.",
		"One API: its status events name no recipient; set clientMessageId to the number with its + when you send, such as +358450000012;campaign-42.",
	},
	Events: []string{"Status callback", "Reply callback"},
	Mapping: []providers.Mapping{
		{Report: "status 4", Kind: recipient.Delivered, Note: "received by the recipient"},
		{Report: "status 1, 2, 3, 6, 8, 11", Note: "unknown id, on the way, cancelled"},
		{Report: "every other status", Kind: recipient.SoftBounce, Note: "no code tells a faulty number from a phone that is off"},
		{Report: "One API: 29, RECIPIENT_DOES_NOT_EXIST", Kind: recipient.HardBounce},
		{Report: "One API: 5", Kind: recipient.Delivered},
		{Report: "One API: 1 to 4, 6, 21, 22, 24", Note: "on the way, read, stopped by the sender"},
		{Report: "One API: every other status", Kind: recipient.SoftBounce},
		{Report: "received text: STOP and its kin", Kind: recipient.OptOut},
		{Report: "received text: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "other texts and other channels"},
	},
	Gaps: []string{
		"Nothing is signed: the secret in the address is the proof.",
		"The platform's status table has no code for a number that does not exist: enter one in hard_codes if your account gets a finer one.",
		"The One API's status events are not documented in full; without a recipient they go to quarantine.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The recipient does not exist (One API)", Kinds: []recipient.Kind{recipient.HardBounce}, Build: one(29, "RECIPIENT_DOES_NOT_EXIST")},
			{Name: "soft", Title: "Not delivered", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report(7, "ERROR_DELIVERING", "Error delivering message")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: reply("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: reply("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report(4, "RECEIVED_BY_RECIPIENT", "Received by recipient")},
		},
	},
}

func report(code int, status, words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"integrationName": "simulated", "messageId": "6f00" + s.ID, "requestId": "r-" + s.ID, "clientMessageId": "simulated", "to": strings.TrimPrefix(s.To, "+"), "from": nil,
			"statusCode": code, "status": status, "statusDescription": words, "timestamp": s.At.UnixMilli()})
	}
}

func one(code int, status string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"event": sim.Object{"messageStatusUpdate": []sim.Object{{"channel": "sms", "messageId": "6f00" + s.ID, "clientMessageId": s.To + ";simulated",
			"statusCode": code, "status": status, "timestamp": s.At.UnixMilli()}}}})
	}
}

func reply(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"integrationId": "simulated", "messageId": "6f00" + s.ID, "replyMessageId": nil, "fromNumber": strings.TrimPrefix(s.To, "+"), "toNumber": "15005550001",
			"timestamp": s.At.UnixMilli(), "text": words, "charset": "UTF-8", "udh": "", "network": "", "keyword": ""})
	}
}

func post(s providers.Shot, v sim.Object) (*providers.Request, error) {
	return s.Post("application/json", sim.JSON(v)), nil
}
