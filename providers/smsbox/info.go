package smsbox

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes SMSBOX.
var Info = providers.Info{
	Name:     name,
	Title:    "SMSBOX",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://docs.smsbox.dev/sms",
	Signing:  providers.SignsNever,
	Settings: slices.Concat([]providers.Setting{
		{Name: regionSetting, Help: "The country that completes a number with a leading 0, as in your SMSBOX account.", Default: "FR"},
	}, sms.CodeSettings),
	RetryNote: "SMSBOX does not say whether it repeats a report.",
	Setup: []string{
		sms.GuardStep,
		"In the SMSBOX customer area open the API settings and enter {url} as the callback address for delivery reports (accusés de réception).",
		"Ask for the reference and for a delivery report in each sending call, as the API's documentation says.",
		"Ask SMSBOX's support which codes of 3 to 8 mean a number that does not exist, and put them into hard_codes. Until then nothing blocks.",
	},
	Events: []string{"Delivery reports (accusés de réception)"},
	Mapping: []providers.Mapping{
		{Report: "accuse 1, 2, 3 to 8, -3 and every other", Kind: recipient.SoftBounce, Note: "a hard bounce for a code in hard_codes"},
		{Report: "accuse 0", Kind: recipient.Delivered},
		{Report: "accuse -1, 9, 10", Note: "on its way"},
		{Report: "sandbox numbers (+999...)"},
	},
	Gaps: []string{
		"Nothing blocks without hard_codes: SMSBOX documents the meaning of three codes only.",
		"STOP replies come by other callbacks, whose fields are not documented. They go to quarantine: SMSBOX keeps the list of those who stopped, so import it from there, and put a link into each message.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "soft", Title: "The message was rejected", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report("2")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report("0")},
		},
	},
}

func report(code string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return s.Get(url.Values{"numero": {strings.TrimPrefix(s.To, "+")}, "reference": {s.ID}, "accuse": {code}, "ts": {strconv.FormatInt(s.At.Unix(), 10)}}.Encode()), nil
	}
}
