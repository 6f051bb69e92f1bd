package telnyx

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Telnyx.
var Info = providers.Info{
	Name:     name,
	Title:    "Telnyx",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks",
	Signing:  providers.SignsAlways,
	Settings: append(append([]providers.Setting{
		{Name: "public_key", Help: "The account's public key: portal, Account settings, Keys & credentials, Public key.", List: true, Verifies: true},
	}, sms.WordSettings...), sms.CodeSettings...),
	RetryNote: "Three tries within seconds, then three more to the failover URL; Telnyx waits two seconds for an answer.",
	MaxAge:    5 * time.Minute,
	Setup: []string{
		"In the Telnyx portal open Account settings, Keys & credentials, and copy the Public key into public_key.",
		"Open Messaging, your messaging profile, Inbound, and enter {url} as the webhook URL with API version 2; a second Strikeout makes a good failover URL.",
		"A webhook_url given with a single message takes the place of the profile's: use {url} there too.",
	},
	Events: []string{"message.finalized", "message.received"},
	Mapping: []providers.Mapping{
		{Report: "message.finalized, delivery_failed, sending_failed, expired: 40001, 40012, 40310", Kind: recipient.HardBounce, Note: "not routable or invalid; 40012 from a short code is soft; never guessed among several failed recipients"},
		{Report: "message.finalized, the same: 40300 that speaks of a STOP message or block rule", Kind: recipient.OptOut, Note: "the sending number is kept as its scope"},
		{Report: "message.finalized, the same: every other code, or none", Kind: recipient.SoftBounce},
		{Report: "message.finalized, delivered", Kind: recipient.Delivered},
		{Report: "message.received with autoresponse_type STOP, or STOP and its kin", Kind: recipient.OptOut},
		{Report: "message.received with START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "message.received with autoresponse_type START and other words", Kind: recipient.Reactivation},
		{Report: "message.sent, delivery_unconfirmed, HELP, other texts and event types, and all of another type than SMS and MMS"},
	},
	Gaps: []string{
		"The errors of a group message do not say whose they are: where several recipients failed they count only if all say the same.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Ed25519,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number is invalid", Kinds: []recipient.Kind{recipient.HardBounce}, Build: finalized("delivery_failed", "40012", "Invalid messaging destination number", "The destination number is invalid.")},
			{Name: "soft", Title: "Expired on the way", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: finalized("delivery_failed", "40005", "Message expired during transmission", "")},
			{Name: "opt_out", Title: "The person stopped this sender earlier", Kinds: []recipient.Kind{recipient.OptOut}, Build: finalized("sending_failed", "40300", "Blocked due to STOP message", "Messages cannot be sent due to an existing block rule.")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: received("Stop", "STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: received("START", "START")},
			{Name: "reactivation", Title: "Another word that opts in at Telnyx", Kinds: []recipient.Kind{recipient.Reactivation}, Build: received("JOIN", "START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: finalized("delivered", "", "", "")},
		},
	},
}

func finalized(status, code, title, detail string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		errs := []sim.Object{}
		if code != "" {
			errs = append(errs, sim.Object{"code": code, "title": title, "detail": detail})
		}
		return post(s, "message.finalized", sim.Object{"direction": "outbound", "from": sim.Object{"phone_number": "+15005550001", "carrier": "Telnyx", "line_type": "Wireless"},
			"to": []sim.Object{{"phone_number": s.To, "status": status, "carrier": "", "line_type": ""}}, "text": "Simulated", "errors": errs, "tags": []string{"simulated"}})
	}
}

func received(text, autoresponse string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, "message.received", sim.Object{"direction": "inbound", "from": sim.Object{"phone_number": s.To, "carrier": "", "line_type": "Wireless"},
			"to": []sim.Object{{"phone_number": "+15005550001", "status": "webhook_delivered"}}, "text": text, "autoresponse_type": autoresponse, "errors": []sim.Object{}})
	}
}

func post(s providers.Shot, kind string, payload sim.Object) (*providers.Request, error) {
	payload["id"], payload["record_type"], payload["type"] = "5555"+s.ID, "message", "SMS"
	body := sim.JSON(sim.Object{"data": sim.Object{"event_type": kind, "id": sim.UUID(s.ID), "occurred_at": sim.RFC3339(s.At), "record_type": "event", "payload": payload},
		"meta": sim.Object{"attempt": 1, "delivered_to": s.URL}})
	stamp := strconv.FormatInt(s.At.Unix(), 10)
	signature, err := sim.SignEd25519(s.Settings, append([]byte(stamp+"|"), body...))
	if err != nil {
		return nil, err
	}
	return s.Post("application/json", body, "telnyx-timestamp", stamp, "telnyx-signature-ed25519", base64.StdEncoding.EncodeToString(signature)), nil
}
