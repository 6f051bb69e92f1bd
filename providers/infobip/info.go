package infobip

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Infobip.
var Info = providers.Info{
	Name:      name,
	Title:     "Infobip",
	Channels:  []recipient.Channel{recipient.SMS},
	Docs:      "https://www.infobip.com/docs/api/channels/sms",
	Signing:   providers.SignsNever,
	BodyLimit: 8 << 20, // a bulk of reports, each with 4000 characters of callbackData
	Settings:  append(append([]providers.Setting{}, sms.WordSettings...), sms.CodeSettings...),
	RetryNote: "A push without a 2xx is repeated for a time; Infobip does not say how long.",
	Setup: []string{
		sms.GuardStep,
		"Send {url} as webhooks.delivery.url with each message (notifyUrl in the older API), with the content type application/json; or create a subscription for delivery reports in the Subscriptions API.",
		"For texts from people open Channels and Numbers, Numbers, your number, and add a forward-to-HTTP action with {url} to it or to its keyword, format JSON.",
		"Do not ask for intermediate reports: they are left out.",
	},
	Events: []string{"SMS delivery reports", "Incoming SMS"},
	Mapping: []providers.Mapping{
		{Report: "UNDELIVERABLE, EXPIRED, REJECTED: error 1, 352, 629", Kind: recipient.HardBounce, Note: "unknown subscriber, unknown country code, cannot receive SMS"},
		{Report: "UNDELIVERABLE, EXPIRED, REJECTED: status 52", Kind: recipient.HardBounce, Note: "prefix or length fit no operator"},
		{Report: "UNDELIVERABLE, EXPIRED, REJECTED: error 573, 603", Kind: recipient.OptOut, Note: "stopped by the person"},
		{Report: "UNDELIVERABLE, EXPIRED, REJECTED: everything else", Kind: recipient.SoftBounce, Note: "whatever error.permanent says"},
		{Report: "DELIVERED", Kind: recipient.Delivered, Note: "but not DELIVERED_TO_OPERATOR"},
		{Report: "received text: STOP and its kin", Kind: recipient.OptOut, Note: "also after the keyword of a shared number"},
		{Report: "received text: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "PENDING, ACCEPTED, SEEN, typing, other texts and other channels"},
	},
	Gaps: []string{
		"The header by which subscriptions with a security profile can sign is not documented: the secret in the address is the proof.",
		"Reports in XML are not read: ask for JSON.",
		"Numbers on a do-not-disturb or block list (errors 2050, 2052) are soft; enter the codes in opt_out_codes if you want them to count as opted out.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: sim.Guarded,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: report(
				sim.Object{"groupId": 2, "groupName": "UNDELIVERABLE", "id": 9, "name": "UNDELIVERABLE_NOT_DELIVERED", "description": "Message sent not delivered"},
				sim.Object{"groupId": 1, "groupName": "HANDSET_ERRORS", "id": 1, "name": "EC_UNKNOWN_SUBSCRIBER", "description": "Unknown Subscriber", "permanent": true})},
			{Name: "soft", Title: "The phone was off for too long", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report(
				sim.Object{"groupId": 4, "groupName": "EXPIRED", "id": 15, "name": "EXPIRED_EXPIRED", "description": "Message expired"},
				sim.Object{"groupId": 2, "groupName": "USER_ERRORS", "id": 4101, "name": "EC_VALIDITYEXPIRED", "description": "Validity expired", "permanent": true})},
			{Name: "opt_out", Title: "The person had the sender blocked", Kinds: []recipient.Kind{recipient.OptOut}, Build: report(
				sim.Object{"groupId": 5, "groupName": "REJECTED", "id": 4, "name": "UNDELIVERABLE_REJECTED_OPERATOR", "description": "Rejected"},
				sim.Object{"groupId": 2, "groupName": "USER_ERRORS", "id": 573, "name": "EC_SC_BLOCKED_BY_END_USER", "description": "Blocked by the end user", "permanent": true})},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report(
				sim.Object{"groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET", "description": "Message delivered to handset"},
				sim.Object{"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "description": "No Error", "permanent": false})},
		},
	},
}

// timeLayout has an offset without a colon.
const timeLayout = "2006-01-02T15:04:05.000-0700"

func report(status, failure sim.Object) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		at := s.At.UTC().Format(timeLayout)
		return s.Post("application/json", sim.JSON(sim.Object{"results": []sim.Object{{"bulkId": "B-simulated", "messageId": s.ID, "to": strings.TrimPrefix(s.To, "+"), "sender": "Strikeout",
			"sentAt": at, "doneAt": at, "messageCount": 1, "mccMnc": "23410", "callbackData": "simulated", "status": status, "error": failure}}})), nil
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return s.Post("application/json", sim.JSON(sim.Object{"results": []sim.Object{{"messageId": s.ID, "from": strings.TrimPrefix(s.To, "+"), "to": "15005550001", "text": words, "cleanText": words,
			"keyword": words, "receivedAt": s.At.UTC().Format(timeLayout), "smsCount": 1}}, "messageCount": 1, "pendingMessageCount": 0})), nil
	}
}
