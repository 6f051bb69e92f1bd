package sinch

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Sinch.
var Info = providers.Info{
	Name:     name,
	Title:    "Sinch (SMS and Conversation API)",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks/",
	Signing:  providers.SignsOption,
	Settings: append(append([]providers.Setting{
		{Name: "signing_secret", Help: "The secret of the Conversation API webhook; for the SMS API the account manager sets one up.", List: true, Verifies: true},
	}, sms.WordSettings...), sms.CodeSettings...),
	RejectFinal: true,
	RetryFor:    22*time.Hour + 45*time.Minute,
	RetryNote:   "Repeated after 5 seconds and then at doubled gaps, the last time 22 hours 45 minutes after the first, on 429 and 5xx only: any other 4xx is final.",
	// Sinch advises five minutes, but does not say that a retry is signed anew;
	// this leaves room for the last one.
	MaxAge: 24 * time.Hour,
	Setup: []string{
		"SMS API: in the Sinch dashboard open SMS, APIs, your service plan, and enter {url} as the callback URL, or send it as callback_url with each batch.",
		"Send batches with delivery_report set to per_recipient_final (or per_recipient, or full): a summary names no numbers.",
		"The SMS API signs nothing by itself: give the endpoint a path_secret, or have the account manager set up signing and enter its secret as signing_secret.",
		"Conversation API: open your app, Webhooks, add {url} with the triggers listed here and a secret, and enter that as signing_secret.",
		"Use an endpoint of its own for each of the two when one is signed and the other is not.",
	},
	Events: []string{"SMS API: delivery reports per recipient, inbound messages", "Conversation API: MESSAGE_DELIVERY, MESSAGE_INBOUND, OPT_IN, OPT_OUT"},
	Mapping: []providers.Mapping{
		{Report: "Failed, Rejected, Aborted, Expired, Deleted: 100, 150, 300", Kind: recipient.HardBounce, Note: "the number is unknown or invalid"},
		{Report: "Failed, Rejected, Aborted, Expired, Deleted: 257 for a number in North America", Kind: recipient.OptOut, Note: "from a toll-free number: the person had answered STOP"},
		{Report: "Failed, Rejected, Aborted, Expired, Deleted: every other code, or none", Kind: recipient.SoftBounce, Note: "400, 401 and 407 are left out"},
		{Report: "Delivered", Kind: recipient.Delivered},
		{Report: "mo_text, mo_media: STOP and its kin", Kind: recipient.OptOut},
		{Report: "mo_text, mo_media: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "Conversation, FAILED: RECIPIENT_INVALID_CHANNEL_IDENTITY", Kind: recipient.HardBounce},
		{Report: "Conversation, FAILED: every other reason", Kind: recipient.SoftBounce},
		{Report: "Conversation, DELIVERED", Kind: recipient.Delivered},
		{Report: "Conversation, opt_out_notification OPT_OUT_SUCCEEDED", Kind: recipient.OptOut, Note: "the app is kept as its scope"},
		{Report: "Conversation, opt_in_notification OPT_IN_SUCCEEDED", Kind: recipient.Reactivation},
		{Report: "Queued, Dispatched, Unknown, Cancelled, READ, other channels than SMS and MMS and all others"},
	},
	Gaps: []string{
		"A summary batch report holds only counts: its failures go to quarantine.",
		"Deleted may mean an invalid number or an opted-out person; without a code that tells, it is soft.",
		"RECIPIENT_NOT_OPTED_IN is soft; enter it in opt_out_codes if your app's opt-in list is yours to follow.",
		"Delivery by Amazon SNS, OAuth 2.0 and mutual TLS, which the account manager can set up, are not read.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Signed,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: report("Failed", 150)},
			{Name: "soft", Title: "The phone is off", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report("Failed", 201)},
			{Name: "opt_out", Title: "Opted out in the Conversation API", Kinds: []recipient.Kind{recipient.OptOut}, Build: consentOf("opt_out_notification", "OPT_OUT_SUCCEEDED")},
			{Name: "reactivation", Title: "Opted in again in the Conversation API", Kinds: []recipient.Kind{recipient.Reactivation}, Build: consentOf("opt_in_notification", "OPT_IN_SUCCEEDED")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report("Delivered", 0)},
			{Name: "hard_conversation", Title: "The number is malformed (Conversation API)", Kinds: []recipient.Kind{recipient.HardBounce}, Build: conversationFailed},
		},
	},
}

func report(status string, code int) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"type": "recipient_delivery_report_sms", "batch_id": "01H" + s.ID, "recipient": strings.TrimPrefix(s.To, "+"), "code": code, "status": status,
			"at": sim.RFC3339(s.At), "operator_status_at": sim.RFC3339(s.At), "client_reference": "simulated"})
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"type": "mo_text", "id": "01H" + s.ID, "from": strings.TrimPrefix(s.To, "+"), "to": "15005550001", "body": words, "received_at": sim.RFC3339(s.At)})
	}
}

func consentOf(member, status string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"app_id": "01SIMULATED", "accepted_time": sim.RFC3339(s.At), member: sim.Object{"contact_id": "01C" + s.ID, "channel": "SMS", "identity": strings.TrimPrefix(s.To, "+"),
			"status": status, "request_id": "01R" + s.ID}})
	}
}

func conversationFailed(s providers.Shot) (*providers.Request, error) {
	return post(s, sim.Object{"app_id": "01SIMULATED", "accepted_time": sim.RFC3339(s.At), "event_time": sim.RFC3339(s.At), "message_delivery_report": sim.Object{"message_id": "01M" + s.ID, "status": "FAILED",
		"channel_identity": sim.Object{"channel": "SMS", "identity": strings.TrimPrefix(s.To, "+"), "app_id": ""},
		"reason":           sim.Object{"code": "RECIPIENT_INVALID_CHANNEL_IDENTITY", "description": "The underlying channel reported: unknown subscriber", "sub_code": "UNSPECIFIED_SUB_CODE"}}})
}

func post(s providers.Shot, v sim.Object) (*providers.Request, error) {
	body, nonce, stamp := sim.JSON(v), "01N"+s.ID, strconv.FormatInt(s.At.Unix(), 10)
	mac := sign.Sum(sha256.New, []byte(s.Settings.Get("signing_secret", "")), body, []byte("."+nonce+"."+stamp))
	return s.Post("application/json", body, "x-sinch-webhook-signature", base64.StdEncoding.EncodeToString(mac), "x-sinch-webhook-signature-timestamp", stamp,
		"x-sinch-webhook-signature-nonce", nonce, "x-sinch-webhook-signature-algorithm", "HmacSHA256"), nil
}
