package messagebird

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Bird, formerly MessageBird.
var Info = providers.Info{
	Name:     name,
	Title:    "Bird (MessageBird)",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://developers.messagebird.com/api/sms-messaging/",
	Signing:  providers.SignsAlways,
	Settings: append(append([]providers.Setting{
		{Name: "signing_secret", Help: "The signing key of Developers, API settings (not the access key), or that of the webhook subscription of Bird Channels.", List: true, Verifies: true},
	}, sms.WordSettings...), sms.CodeSettings...),
	RetryNote: "A request without a 2xx is repeated; Bird does not say how often, older documentation spoke of about ten times. A token or time is fresh on each try.",
	MaxAge:    maxAge,
	Setup: []string{
		"Classic: in the dashboard open Developers, API settings, and copy the signing key into signing_secret.",
		"Enter {url} as the status report URL there, or send it as reportUrl with each message.",
		"Send every message with a reference: without one MessageBird sends no reports.",
		"For texts from people enter {url} as the forward URL of the number or in its flow.",
		"Bird Channels: create a webhook subscription for the events listed here with {url} and a signing key, and put that key into signing_secret.",
		"The endpoint's url setting must be exactly what you entered: it is part of the signature. Reports arrive as GET: keep query strings out of the logs of any proxy in front.",
	},
	Events: []string{"Status reports (classic)", "sms.outbound and sms.inbound (Bird Channels)"},
	Mapping: []providers.Mapping{
		{Report: "delivery_failed, expired: code 1", Kind: recipient.HardBounce, Note: "unknown subscriber"},
		{Report: "delivery_failed, expired: reason \"unknown subscriber\" or \"incorrect number\" without a listed code", Kind: recipient.HardBounce},
		{Report: "delivery_failed, expired: code 103 or reason \"opted out\"", Kind: recipient.OptOut},
		{Report: "delivery_failed, expired: every other code and reason, or none", Kind: recipient.SoftBounce},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "Bird sms.outbound, delivery_failed, sending_failed: the same codes in failure.source of sms-messagebird", Kind: recipient.HardBounce, Note: "1 hard, 103 opted out, the rest soft"},
		{Report: "received text: STOP and its kin", Kind: recipient.OptOut, Note: "classic, Bird sms.inbound, and message.created of the Conversations API with the platform sms"},
		{Report: "received text: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "scheduled, sent, buffered, accepted, processing, other texts and other channels"},
	},
	Gaps: []string{
		"Codes from 104 are not published as a list: soft, unless you say otherwise in hard_codes or opt_out_codes.",
		"Bird's failures of another connector than sms-messagebird are soft: their codes mean other things.",
		"The members of Bird's events beyond id, status, reason and failure are not documented in full.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: report("delivery_failed", "unknown subscriber", "1")},
			{Name: "soft", Title: "The phone is off", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report("expired", "unavailable subscriber", "27")},
			{Name: "opt_out", Title: "The person opted out earlier", Kinds: []recipient.Kind{recipient.OptOut}, Build: report("delivery_failed", "opted out", "103")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report("delivered", "", "")},
			{Name: "hard_channels", Title: "The number does not exist (Bird Channels)", Kinds: []recipient.Kind{recipient.HardBounce}, Build: channelsReport},
		},
	},
}

func report(status, reason, code string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return tokened(s, s.Get(url.Values{"id": {s.ID}, "reference": {"simulated"}, "recipient": {strings.TrimPrefix(s.To, "+")}, "status": {status}, "statusReason": {reason},
			"statusErrorCode": {code}, "statusDatetime": {s.At.UTC().Format(time.RFC3339)}, "messagePartCount": {"1"}}.Encode()))
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return tokened(s, s.Post("application/x-www-form-urlencoded", []byte(url.Values{"id": {s.ID}, "originator": {strings.TrimPrefix(s.To, "+")}, "recipient": {"15005550001"},
			"body": {words}, "createdDatetime": {s.At.UTC().Format(time.RFC3339)}}.Encode())))
	}
}

func tokened(s providers.Shot, r *providers.Request) (*providers.Request, error) {
	hash := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
	c := sim.Object{"iss": "MessageBird", "nbf": s.At.Unix(), "exp": s.At.Unix() + 60, "jti": sim.UUID(s.ID), "url_hash": hash([]byte(r.URL))}
	if len(r.Body) > 0 {
		c["payload_hash"] = hash(r.Body)
	}
	r.Header.Set(jwtHeader, sign.NewJWT256([]byte(s.Settings.Get("signing_secret", "")), sim.JSON(c)))
	return r, nil
}

func channelsReport(s providers.Shot) (*providers.Request, error) {
	body := sim.JSON(sim.Object{"service": "channels", "event": "sms.outbound", "payload": sim.Object{"id": sim.UUID(s.ID), "direction": "outgoing",
		"receiver": sim.Object{"contacts": []sim.Object{{"identifierKey": "phonenumber", "identifierValue": s.To}}}, "status": "delivery_failed",
		"reason":  "details: unknown subscriber; reason: unknown_subscriber; code: 1",
		"failure": sim.Object{"code": 15001, "source": sim.Object{"name": "sms-messagebird", "code": "1"}}, "lastStatusAt": sim.RFC3339(s.At)}})
	stamp, sum := strconv.FormatInt(s.At.Unix(), 10), sha256.Sum256(body)
	mac := sign.Sum(sha256.New, []byte(s.Settings.Get("signing_secret", "")), []byte(stamp+"\n"+s.URL+"\n"), sum[:])
	return s.Post("application/json", body, oldTime, stamp, oldHeader, base64.StdEncoding.EncodeToString(mac)), nil
}
