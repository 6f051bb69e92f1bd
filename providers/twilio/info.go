package twilio

import (
	"crypto/sha1" //nolint:gosec // Twilio's own signature
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Twilio.
var Info = providers.Info{
	Name:     name,
	Title:    "Twilio",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://www.twilio.com/docs/messaging/guides/track-outbound-message-status",
	Signing:  providers.SignsAlways,
	Settings: append([]providers.Setting{
		{Name: "signing_secret", Help: "The Auth Token of the account (not an API key). Each subaccount has its own, and a secondary one while it rotates.", List: true, Verifies: true},
	}, sms.WordSettings...),
	RejectFinal: true,
	RetryNote:   "Callbacks are not repeated after an error answer, only once after a failed connection, unless the address ends in #rc=5&rp=all; Event Streams repeats for up to four hours.",
	Setup: []string{
		"In the Twilio Console open Account, API keys & tokens, copy the Auth Token into signing_secret and restart.",
		"Twilio signs the exact address: if it differs from public_url and the path of this endpoint, set url to what you enter at Twilio.",
		"Open Messaging, Services, the service you send with, Integration: enter {url}#rc=5&rp=all as the Delivery Status Callback. Without a Messaging Service give the address as StatusCallback with each message.",
		"On the same page choose Send a webhook for incoming messages and enter {url} as the Request URL, method HTTP POST. Without a service do it on each phone number under A message comes in.",
		"Under Opt-Out Management switch Advanced Opt-Out on, so that Twilio answers STOP in the person's language and tells us.",
		"Event Streams instead of callbacks: create a webhook sink with {url} and subscribe it to the types Message delivered, undelivered and failed.",
	},
	Events: []string{"Delivery status callback", "Incoming messages", "Event Streams: com.twilio.messaging.message.delivered, .undelivered, .failed"},
	Mapping: []providers.Mapping{
		{Report: "undelivered, failed: 21211, 21614, 21635, 30005, 30006", Kind: recipient.HardBounce, Note: "30006 is soft when the sender is a short code"},
		{Report: "undelivered, failed: 21610", Kind: recipient.OptOut, Note: "the sender is kept as its scope"},
		{Report: "undelivered, failed: 63xxx", Note: "not SMS"},
		{Report: "undelivered, failed: every other code, or none", Kind: recipient.SoftBounce},
		{Report: "delivered", Kind: recipient.Delivered},
		{Report: "incoming: OptOutType STOP; STOP and its kin", Kind: recipient.OptOut, Note: "our number is kept as its scope"},
		{Report: "incoming: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "incoming: OptOutType START with another word", Kind: recipient.Reactivation, Note: "lifts nothing here"},
		{Report: "queued, sending, sent, read, partially_delivered, WhatsApp and other channels, HELP, and all others"},
	},
	// https://help.twilio.com/articles/223134027 (read 2026-11-28)
	Lists: []providers.OwnList{
		{
			Title: "the opt-out of the sender number or messaging service",
			Kinds: []recipient.Kind{recipient.OptOut},
			Note:  "Only the person can lift it, by writing START to the number that the STOP went to.",
		},
	},
	Gaps: []string{
		"Twilio does not repeat callbacks by default: what comes while Strikeout or its database is down is lost, unless the address ends in #rc=5&rp=all.",
		"A callback has no time of its own and its signature none either: it counts from when it came, and a captured one can be sent again, which changes nothing.",
		"Event Streams does not say what Advanced Opt-Out took a text for: of its texts only whole stop and start words count, so use the incoming message webhook where the words are your own.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number does not exist any more", Kinds: []recipient.Kind{recipient.HardBounce}, Build: status("undelivered", "30005")},
			{Name: "soft", Title: "The phone cannot be reached", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: status("undelivered", "30003")},
			{Name: "opt_out", Title: "Refused: the person had opted out", Kinds: []recipient.Kind{recipient.OptOut}, Build: status("failed", "21610")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: incoming("Stop ", "STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: incoming("START", "START")},
			{Name: "reactivation", Title: "Another word by which one joins again", Kinds: []recipient.Kind{recipient.Reactivation}, Build: incoming("JOIN", "START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: status("delivered", "")},
			{Name: "stream_hard", Title: "Event Streams: the number does not exist any more", Kinds: []recipient.Kind{recipient.HardBounce}, Build: stream("undelivered", 30005)},
		},
	},
}

const simulatedNumber = "+15005550001"

func status(word, code string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		form := url.Values{"MessageStatus": {word}, "SmsStatus": {word}, "To": {s.To}, "From": {simulatedNumber}, "MessageSid": {sid(s)}, "SmsSid": {sid(s)}, "AccountSid": {simulatedAccount}, "ApiVersion": {"2010-04-01"}}
		if code != "" {
			form.Set("ErrorCode", code)
		}
		return post(s, form), nil
	}
}

func incoming(words, optOutType string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, url.Values{"SmsStatus": {"received"}, "Body": {words}, "OptOutType": {optOutType}, "From": {s.To}, "To": {simulatedNumber}, "MessageSid": {sid(s)}, "SmsMessageSid": {sid(s)}, "SmsSid": {sid(s)},
			"AccountSid": {simulatedAccount}, "MessagingServiceSid": {"MG00000000000000000000000000000001"}, "NumMedia": {"0"}, "NumSegments": {"1"}, "ApiVersion": {"2010-04-01"}}), nil
	}
}

const simulatedAccount = "AC00000000000000000000000000000001"

func sid(s providers.Shot) string { return "SM" + strings.ReplaceAll(sim.UUID(s.ID), "-", "") }

func post(s providers.Shot, form url.Values) *providers.Request {
	return s.Post("application/x-www-form-urlencoded", []byte(form.Encode()), "User-Agent", "TwilioProxy/1.1", signatureHeader, mac(s, s.URL, signedParams(form)))
}

func stream(word string, code int) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		body := sim.JSON([]sim.Object{{"specversion": "1.0", "type": streamPrefix + word, "id": "EZ" + sid(s)[2:], "time": sim.RFC3339(s.At), "datacontenttype": "application/json", "source": "/simulated",
			"data": sim.Object{"accountSid": simulatedAccount, "messageSid": sid(s), "to": s.To, "from": simulatedNumber, "messageStatus": word, "errorCode": code, "timestamp": sim.RFC3339(s.At)}}})
		sum, sep := sha256.Sum256(body), "?"
		if strings.Contains(s.URL, "?") {
			sep = "&"
		}
		s.URL += sep + bodyHash + "=" + hex.EncodeToString(sum[:])
		return s.Post("application/json", body, "User-Agent", "TwilioProxy/1.1", signatureHeader, mac(s, s.URL, nil)), nil
	}
}

func mac(s providers.Shot, address string, params []byte) string {
	return base64.StdEncoding.EncodeToString(sign.Sum(sha1.New, []byte(s.Settings.Get("signing_secret", "")), []byte(address), params))
}
