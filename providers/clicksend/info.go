package clicksend

import (
	"net/url"
	"strconv"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes ClickSend.
var Info = providers.Info{
	Name:      name,
	Title:     "ClickSend",
	Channels:  []recipient.Channel{recipient.SMS},
	Docs:      "https://developers.clicksend.com/docs/messaging/sms/other/",
	Signing:   providers.SignsNever,
	Settings:  append(append([]providers.Setting{}, sms.WordSettings...), sms.CodeSettings...),
	RetryNote: "ClickSend does not say whether it repeats a receipt that was not answered.",
	Setup: []string{
		sms.GuardStep,
		"Send every message with custom_string set to the number and, if you like, your campaign: +358450000012;campaign-42. A receipt names no other recipient, and without the number it goes to quarantine.",
		"In the ClickSend dashboard open SMS, Settings, Delivery Reports, and add a rule with the action URL and {url}; form, GET and JSON are all read.",
		"For texts from people add an inbound rule with the action URL and {url} under SMS, Settings, Inbound SMS.",
		"The dashboard's test receipt carries made-up ids and no number: it lands in quarantine, which shows that the address works.",
	},
	Events: []string{"Delivery receipts", "Inbound SMS"},
	Mapping: []providers.Mapping{
		{Report: "status 301 or any other failure whose text begins with \"Unknown subscriber\"", Kind: recipient.HardBounce},
		{Report: "status 301 and every other status", Kind: recipient.SoftBounce, Note: "whatever error_code says"},
		{Report: "status 201", Kind: recipient.Delivered},
		{Report: "status 200 and 300", Note: "on the way; ClickSend tries again by itself. Enter 300 in soft_codes to see it"},
		{Report: "inbound: STOP and its kin", Kind: recipient.OptOut},
		{Report: "inbound: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "other texts, and message types other than sms"},
	},
	Gaps: []string{
		"Nothing is signed: the secret in the address is the proof.",
		"A receipt whose custom_string holds no number with its + cannot be told whose it is.",
		"The numbers of error_code differ between editions of ClickSend's list, so that only words block.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: receipt("301", "Failed", "8", "Unknown subscriber")},
			{Name: "soft", Title: "Failed for an unknown reason", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: receipt("301", "Failed", "12", "Absent subscriber")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: receipt("201", "Success: Message received on handset.", "", "")},
		},
	},
}

func receipt(status, words, code, why string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		at := strconv.FormatInt(s.At.Unix(), 10)
		return post(s, url.Values{"timestamp_send": {at}, "timestamp": {at}, "message_id": {sim.UUID(s.ID)}, "status_code": {status}, "status_text": {words}, "error_code": {code}, "error_text": {why},
			"custom_string": {s.To + ";simulated"}, "user_id": {"12345"}, "subaccount_id": {"67890"}, "message_type": {"sms"}})
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, url.Values{"message_id": {sim.UUID(s.ID)}, "from": {s.To}, "to": {"+15005550001"}, "body": {words}, "timestamp": {strconv.FormatInt(s.At.Unix(), 10)}, "custom_string": {"simulated"}})
	}
}

func post(s providers.Shot, v url.Values) (*providers.Request, error) {
	return s.Post("application/x-www-form-urlencoded", []byte(v.Encode())), nil
}
