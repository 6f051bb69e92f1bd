package gatewayapi

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes GatewayAPI.
var Info = providers.Info{
	Name:     name,
	Title:    "GatewayAPI",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://gatewayapi.com/docs/apis/rest/",
	Signing:  providers.SignsOption,
	Settings: slices.Concat([]providers.Setting{
		{Name: "signing_secret", Help: "The webhook's authentication token: a text that you invent and enter there. At least 32 random characters.", List: true, Verifies: true},
		{Name: noCodeSetting, Help: "What the state UNDELIVERABLE without a code becomes. GatewayAPI calls it permanent and most likely an invalid number.", Choices: []string{string(recipient.HardBounce), string(recipient.SoftBounce)}, Default: string(recipient.HardBounce)},
		{Name: keywordsSetting, Help: "The keywords that you lease on a shared short code. People write them before STOP and START.", List: true},
	}, sms.CodeSettings, sms.WordSettings),
	RetryFor:  15 * time.Hour,
	RetryNote: "After a status of 300 or more, or no answer within 15 seconds: again after 60, 120 and 360 seconds, 24 minutes, 2 hours and 12 hours.",
	Setup: []string{
		"Invent a text of at least 32 random characters and put it into signing_secret.",
		"In the GatewayAPI dashboard open API, then Web Hooks, choose REST, and create a webhook.",
		"Enter {url} as its address and the same text as its authentication token.",
		"Make it the default for delivery status notifications, or name its address as callback_url in each sending call.",
		"For replies open Keywords and Numbers, choose yours, and assign the same webhook.",
	},
	Events: []string{"Delivery status notifications", "Mobile originated (MO) messages"},
	Mapping: []providers.Mapping{
		{Report: "UNDELIVERABLE, EXPIRED, REJECTED with 0x1010, 0x1040, 0x1060, 0x1084", Kind: recipient.HardBounce, Note: "no such subscriber"},
		{Report: "UNDELIVERABLE without a code", Kind: recipient.HardBounce, Note: "soft with undeliverable: soft_bounce"},
		{Report: "UNDELIVERABLE, EXPIRED, REJECTED with every other code", Kind: recipient.SoftBounce},
		{Report: "EXPIRED, REJECTED without a code", Kind: recipient.SoftBounce},
		{Report: "DELIVERED, ACCEPTED", Kind: recipient.Delivered},
		{Report: "MO: STOP and its kin, also after the leased keyword", Kind: recipient.OptOut},
		{Report: "MO: START", Kind: recipient.OptIn, Note: "the person's own text is the consent; after a keyword only if it is in keywords"},
		{Report: "UNKNOWN, SCHEDULED, BUFFERED, ENROUTE, DELETED, SKIPPED"},
		{Report: "other texts and states"},
	},
	Gaps: []string{
		"The token has no time: a captured request can be sent again and is then a duplicate, which changes nothing.",
		"Without signing_secret GatewayAPI signs nothing: give the endpoint a path_secret.",
		"The webhooks of the newer messaging API (messaging.gatewayapi.com) have another body, which its documentation does not show. They go to quarantine.",
		"UNDELIVERABLE has been seen once for a number that worked; see undeliverable.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "No such subscriber", Kinds: []recipient.Kind{recipient.HardBounce}, Build: report("UNDELIVERABLE", "0x1010", "Unknown subscriber")},
			{Name: "soft", Title: "The phone was off until the message expired", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report("EXPIRED", "0x1013", "Absent subscriber")},
			{Name: "stop", Title: "STOP after a keyword", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("foo STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report("DELIVERED", "", "")},
		},
	},
}

// id makes the number that GatewayAPI's ids are, the same for the same shot.
func id(s string) int64 {
	n := int64(1)
	for _, c := range []byte(s) {
		n = (n*131 + int64(c)) % 1_000_000_007
	}
	return n
}

func report(status, code, words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		o := sim.Object{"time": s.At.Unix(), "status": status, "error": nil, "code": nil, "userref": "simulated"}
		if code != "" {
			o["code"], o["error"] = code, words
		}
		return post(s, o)
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"receiver": 451204, "message": words, "senttime": s.At.Unix(), "webhook_label": "simulated", "country_code": "DK", "country_prefix": 45})
	}
}

// post completes a notice, whose number is one in JSON too, and signs it.
func post(s providers.Shot, o sim.Object) (*providers.Request, error) {
	o["id"], o["msisdn"] = id(s.ID), json.Number(strings.TrimPrefix(s.To, "+"))
	body := sim.JSON(o)
	if secret := s.Settings.Get("signing_secret", ""); secret != "" {
		return s.Post("application/json", body, signatureHeader, sign.NewJWT256([]byte(secret), body)), nil
	}
	return s.Post("application/json", body), nil
}
