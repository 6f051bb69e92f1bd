package plivo

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Plivo.
var Info = providers.Info{
	Name:     name,
	Title:    "Plivo",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://www.plivo.com/docs/messaging/api/message/message-status-callbacks",
	Signing:  providers.SignsAlways,
	Settings: append([]providers.Setting{
		{Name: "signing_secret", Help: "The Auth Token of the account, on the overview page of the console; a subaccount has its own.", List: true, Verifies: true},
	}, sms.WordSettings...),
	RetryNote: "Callbacks of received texts are tried for 24 hours; Plivo does not say how long it repeats those of delivery.",
	Setup: []string{
		"In the Plivo console copy the Auth Token from the overview page into signing_secret.",
		"Give this endpoint a path_secret too: Plivo signs many callbacks with V2 only, which does not cover their content.",
		"Set {url} as the url parameter of each message you send (method POST), or as the Message URL of the application or Powerpack.",
		"For texts from people set {url} as the Message URL of the application that your numbers use.",
		"The endpoint's url setting must be exactly what you entered: it is part of the signature.",
	},
	Events: []string{"Message status callbacks (url, method)", "Received messages (the application's Message URL)"},
	Mapping: []providers.Mapping{
		{Report: "undelivered, failed or rejected: 50, 70", Kind: recipient.HardBounce, Note: "the number is invalid or out of service for good"},
		{Report: "undelivered, failed or rejected: 200", Kind: recipient.OptOut, Note: "the person stopped this sender; its number is kept as the scope"},
		{Report: "undelivered, failed or rejected: every other code, or none", Kind: recipient.SoftBounce},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "received text: STOP and its kin", Kind: recipient.OptOut},
		{Report: "received text: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "queued, sent, read, other texts, and all of another Type than sms and mms"},
	},
	Gaps: []string{
		"The V2 signature covers neither query nor body: the path secret protects what it leaves open.",
		"Signatures carry no time: a captured request can be sent again, which changes nothing.",
		"Plivo states no time zone; UTC is assumed.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number is invalid", Kinds: []recipient.Kind{recipient.HardBounce}, Build: report("undelivered", "50")},
			{Name: "soft", Title: "The phone is off", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report("undelivered", "80")},
			{Name: "opt_out", Title: "The person stopped this sender earlier", Kinds: []recipient.Kind{recipient.OptOut}, Build: report("failed", "200")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report("delivered", "")},
		},
	},
}

const timeLayout = "2006-01-02 15:04:05.000000"

func report(status, code string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		at := s.At.UTC().Format(timeLayout)
		v := url.Values{"From": {"15005550001"}, "To": {strings.TrimPrefix(s.To, "+")}, "MessageUUID": {sim.UUID(s.ID)}, "ParentMessageUUID": {sim.UUID(s.ID)}, "PartInfo": {"1 of 1"},
			"Status": {status}, "Units": {"1"}, "Type": {"sms"}, "Sequence": {"3"}, "MessageTime": {at}, "DeliveryReportTime": {at}}
		if code != "" {
			v.Set("ErrorCode", code)
		}
		return post(s, v)
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, url.Values{"From": {strings.TrimPrefix(s.To, "+")}, "To": {"15005550001"}, "Text": {words}, "Type": {"sms"}, "MessageUUID": {sim.UUID(s.ID)}, "Units": {"1"}})
	}
}

// post signs with V3, which covers the content.
func post(s providers.Shot, v url.Values) (*providers.Request, error) {
	r := s.Post("application/x-www-form-urlencoded", []byte(v.Encode()))
	signedText, err := signedV3(r)
	if err != nil {
		return nil, err
	}
	nonce := "4050" + s.ID
	mac := sign.Sum(sha256.New, []byte(s.Settings.Get("signing_secret", "")), []byte(signedText), []byte(nonce))
	r.Header.Set("X-Plivo-Signature-V3", base64.StdEncoding.EncodeToString(mac))
	r.Header.Set("X-Plivo-Signature-V3-Nonce", nonce)
	return r, nil
}
