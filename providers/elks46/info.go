package elks46

import (
	"net/url"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes 46elks.
var Info = providers.Info{
	Name:      name,
	Title:     "46elks",
	Channels:  []recipient.Channel{recipient.SMS},
	Docs:      "https://46elks.com/docs/sms-delivery-reports",
	Signing:   providers.SignsNever,
	Settings:  sms.WordSettings,
	RetryFor:  6 * time.Hour,
	RetryNote: "Anything but a 200 to 204 is tried again for at least 6 hours and at least 5 times.",
	Setup: []string{
		sms.GuardStep,
		"Put the recipient into the report's address: in each call that sends a message set whendelivered to {url}?to=%2B358450000012, with that message's own recipient and its + written as %2B. A report without it cannot be matched to anybody.",
		"For replies open Numbers in the 46elks dashboard, choose your number, and enter {url} as its sms_url.",
	},
	Events: []string{"whendelivered, in each sending call", "sms_url, for each of your numbers"},
	Mapping: []providers.Mapping{
		{Report: "failed", Kind: recipient.SoftBounce, Note: "46elks never says why"},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "sent", Note: "still on its way"},
		{Report: "received text: STOP and its kin", Kind: recipient.OptOut},
		{Report: "received text: START", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "other texts"},
	},
	Gaps: []string{
		"46elks gives no reason, so no report of it blocks a number: a number that fails each time stays a soft bounce.",
		"A report names no recipient: one whose address lacks ?to= goes to quarantine.",
		"Alphanumeric senders cannot receive texts, so nobody can stop them by one: put a link into each message.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "soft", Title: "The message failed", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report("failed")},
			{Name: "stop", Title: "STOPP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOPP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report("delivered")},
		},
	},
}

const stamp = "2006-01-02T15:04:05.000000"

func report(status string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		form := url.Values{"id": {"s" + s.ID}, "status": {status}}
		if status == "delivered" {
			form.Set("delivered", s.At.UTC().Format(stamp))
		}
		s.URL += "?to=" + url.QueryEscape(s.To)
		return s.Post("application/x-www-form-urlencoded", []byte(form.Encode())), nil
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		form := url.Values{"direction": {"incoming"}, "id": {"s" + s.ID}, "from": {s.To}, "to": {"+358450000001"}, "created": {s.At.UTC().Format(stamp)}, "message": {words}}
		return s.Post("application/x-www-form-urlencoded", []byte(form.Encode())), nil
	}
}
