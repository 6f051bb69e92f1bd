package linkmobility

import (
	"net/url"
	"slices"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes LINK Mobility.
var Info = providers.Info{
	Name:     name,
	Title:    "LINK Mobility",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://www.linkmobility.com/developer/",
	Signing:  providers.SignsNever,
	Settings: slices.Concat([]providers.Setting{
		{Name: answerSetting, Help: "The text that your Common gate expects in the answer, if LINK's support set one. Never set it for the Finnish gateway, which would send it to the person."},
	}, sms.CodeSettings, sms.WordSettings),
	RetryNote: "LINK does not say how often it repeats a report; a Common gate wants exactly 200.",
	Setup: []string{
		sms.GuardStep,
		"Common: ask LINK's support for a gate that posts delivery reports as JSON to {url}, and for one for received texts; both may use this address. Name the gate's id in each sending call (gateIds, useDeliveryReport).",
		"Common: put each message's own recipient with its + into refId, alone or before a semicolon (+358450000012;campaign-42), or ask for a gate that adds customParameters.destination. A report without either cannot be matched to anybody.",
		"Finnish gateway (gw.labyrintti.com): name {url}?mid=ID as the report address in each sending call, with your own id of the message, and {url} as the address for received texts.",
	},
	Events: []string{"Delivery reports", "Received (MO) texts"},
	Mapping: []providers.Mapping{
		{Report: "Common: resultCode 2104, 2106", Kind: recipient.HardBounce, Note: "unknown subscriber, number does not exist"},
		{Report: "Common: 1001, 1007", Kind: recipient.Delivered},
		{Report: "Common: 1000, 1005, 1008, 1011, 1012, 1013, 1010, 4, 5", Note: "on its way, or the outcome will stay unknown"},
		{Report: "Common: every other code", Kind: recipient.SoftBounce, Note: "2105, barred for good, too: hard_codes can change that"},
		{Report: "gateway: ERROR with code 2", Kind: recipient.HardBounce, Note: "number invalid or unknown"},
		{Report: "gateway: ERROR with every other code", Kind: recipient.SoftBounce},
		{Report: "gateway: OK", Kind: recipient.Delivered},
		{Report: "gateway: WAITING", Note: "buffered; more reports follow"},
		{Report: "received text: STOP and its kin, as the keyword or after it", Kind: recipient.OptOut},
		{Report: "received text: START", Kind: recipient.OptIn, Note: "the person's own whole text is the consent"},
		{Report: "other texts"},
	},
	Gaps: []string{
		"Common's reports name no recipient unless refId or the gate does; others go to quarantine.",
		"The documentation of 2019 was read; codes added since are soft bounces.",
		"The gateway's times have no zone; Finnish local time is assumed, and for texts the time of receipt is taken.",
		"MyLINK and LINK's other regional platforms have other webhooks, which are not read; their requests go to quarantine.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "hard", Title: "Unknown subscriber", Kinds: []recipient.Kind{recipient.HardBounce}, Build: report(2104)},
			{Name: "soft", Title: "The phone's memory is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report(1004)},
			{Name: "gateway-hard", Title: "Invalid recipient, at the Finnish gateway", Kinds: []recipient.Kind{recipient.HardBounce}, Build: state("ERROR", "2", "Invalid recipient")},
			{Name: "gateway-soft", Title: "Unreachable recipient, at the Finnish gateway", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: state("ERROR", "3", "Unreachable recipient")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report(1001)},
		},
	},
}

func report(code int) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		at := s.At.UTC().Format(time.RFC3339)
		return s.Post("application/json", sim.JSON(sim.Object{
			"refId": s.To + ";simulated", "id": s.ID, "operator": "fi.elisa", "sentTimestamp": at, "timestamp": at, "resultCode": code, "operatorResultCode": nil, "segments": 1,
			"gateCustomParameters": sim.Object{}, "customParameters": sim.Object{},
		})), nil
	}
}

func state(status, code, words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		form := url.Values{"dest": {s.To}, "original-dest": {s.To}, "status": {status}, "code": {code}, "message": {words}, "timestamp": {s.At.UTC().Add(2 * time.Hour).Format(time.DateTime)}}
		s.URL += "?mid=" + url.QueryEscape(s.ID)
		return s.Post("application/x-www-form-urlencoded", []byte(form.Encode())), nil
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		form := url.Values{"source": {s.To}, "operator": {"Elisa"}, "dest": {"16400"}, "keyword": {words}, "params": {""}, "text": {words}, "timestamp": {s.At.UTC().Add(2 * time.Hour).Format(time.DateTime)}}
		return s.Post("application/x-www-form-urlencoded", []byte(form.Encode())), nil
	}
}
