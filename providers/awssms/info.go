package awssms

import (
	"io"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/sns"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes AWS End User Messaging SMS.
var Info = providers.Info{
	Name:        name,
	Title:       "AWS End User Messaging SMS",
	Channels:    []recipient.Channel{recipient.SMS},
	Docs:        "https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html",
	Signing:     providers.SignsAlways,
	Settings:    append([]providers.Setting{sns.TopicsSetting, sns.CertificatesSetting, sns.DomainsSetting}, sms.WordSettings...),
	RejectFinal: true,
	RetryFor:    sns.RetryFor,
	RetryNote:   sns.RetryNote,
	Setup: []string{
		"In the Amazon SNS console, in the region you send from, create a topic of type Standard; copy its ARN into topics and restart Strikeout.",
		"In the topic choose Create subscription, protocol HTTPS, endpoint {url}, raw message delivery off. Strikeout checks the confirmation's signature and topic and confirms by itself; the host must be able to reach sns.<region>.amazonaws.com.",
		"In the subscription's delivery policy set numRetries to 50 or more and add a dead-letter queue: by default SNS gives up after one minute.",
		"In AWS End User Messaging open SMS, Configuration sets, the set you send with, and add an event destination of type Amazon SNS with the topic and the events listed here.",
		"Under Phone numbers open each number, tab Two-way SMS, enable it and choose the same topic. Leave self-managed opt-outs off unless you answer STOP yourself: with it off, AWS also refuses to send.",
		"SMS sent by SNS itself are logged in CloudWatch only. To read them, let a log subscription post each record to an endpoint of its own with unsigned: true and a path_secret.",
	},
	Events: []string{"TEXT_DELIVERED (optional)", "TEXT_SUCCESSFUL (optional)", "TEXT_INVALID", "TEXT_UNREACHABLE", "TEXT_CARRIER_UNREACHABLE", "TEXT_TTL_EXPIRED", "TEXT_BLOCKED", "TEXT_CARRIER_BLOCKED", "TEXT_SPAM", "TEXT_INVALID_MESSAGE", "TEXT_PROTECT_BLOCKED", "two-way SMS"},
	Mapping: []providers.Mapping{
		{Report: "TEXT_INVALID; logged: Invalid phone number", Kind: recipient.HardBounce},
		{Report: "TEXT_UNREACHABLE, TEXT_CARRIER_UNREACHABLE, TEXT_TTL_EXPIRED, TEXT_BLOCKED, TEXT_CARRIER_BLOCKED, TEXT_SPAM, TEXT_INVALID_MESSAGE, TEXT_PROTECT_BLOCKED; logged: every other failure", Kind: recipient.SoftBounce},
		{Report: "a failure that says \"is opted out\"", Kind: recipient.OptOut},
		{Report: "two-way: STOP and its kin", Kind: recipient.OptOut, Note: "our number is kept as its scope"},
		{Report: "two-way: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "TEXT_DELIVERED, TEXT_SUCCESSFUL; logged: SUCCESS", Kind: recipient.Delivered},
		{Report: "isFinal false, TEXT_UNKNOWN, TEXT_QUEUED, TEXT_PENDING, TEXT_SENT, VOICE_*, MEDIA_* and other texts"},
	},
	Gaps: []string{
		"Sending to a number on AWS' opt-out list fails in the sending call and is not reported: opt-outs are seen only by two-way SMS.",
		"Raw message delivery and forwarded logs carry no signature; the endpoint's secret is the proof.",
		"Reports may come up to 72 hours late.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: func(rand io.Reader) (providers.Settings, error) {
			return sns.Settings(rand, "arn:aws:sns:eu-north-1:123456789012:")
		},
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number is not valid", Kinds: []recipient.Kind{recipient.HardBounce}, Build: event("INVALID", "The phone number is invalid")},
			{Name: "soft", Title: "The phone cannot be reached", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: event("UNREACHABLE", "Phone is currently unreachable/unavailable")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: event("DELIVERED", "Message has been accepted by phone")},
		},
	},
}

const simulatedNumber = "+15005550001"

func event(status, description string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"eventType": "TEXT_" + status, "eventVersion": "1.0", "eventTimestamp": s.At.UnixMilli(), "isFinal": true, "originationPhoneNumber": simulatedNumber,
			"destinationPhoneNumber": s.To, "messageId": s.ID, "messageType": "PROMOTIONAL", "messageStatus": status, "messageStatusDescription": description, "totalMessageParts": 1})
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return post(s, sim.Object{"originationNumber": s.To, "destinationNumber": simulatedNumber, "messageKeyword": "KEYWORD_15005550001", "messageBody": words, "inboundMessageId": s.ID})
	}
}

func post(s providers.Shot, record sim.Object) (*providers.Request, error) {
	return sns.Post(s, "https://sns.eu-north-1.amazonaws.com/SimpleNotificationService-00000000000000000000000000000000.pem", string(sim.JSON(record)))
}
