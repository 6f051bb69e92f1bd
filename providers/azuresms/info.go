package azuresms

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/eventgrid"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Azure Communication Services SMS.
var Info = providers.Info{
	Name:     name,
	Title:    "Azure Communication Services SMS",
	Channels: []recipient.Channel{recipient.SMS},
	Docs:     "https://learn.microsoft.com/azure/event-grid/communication-services-telephony-sms-events",
	Signing:  providers.SignsOption,
	Settings: append(eventgrid.Options(),
		providers.Setting{Name: sms.StopSetting, Help: "More words that stop messages, beside the built-in ones.", List: true},
		providers.Setting{Name: sms.StartSetting, Help: "More words that ask for messages again.", List: true}),
	RetryFor:  eventgrid.RetryFor,
	RetryNote: eventgrid.RetryNote,
	Setup:     eventgrid.Setup("SMS Delivery Report Received and SMS Received"),
	Events:    []string{"SMS Delivery Report Received", "SMS Received"},
	Mapping: []providers.Mapping{
		{Report: "Failed: 4002, 4004", Kind: recipient.HardBounce, Note: "the number is malformed or does not exist"},
		{Report: "Failed: 4007, Sender blocked for given recipient", Kind: recipient.OptOut, Note: "the sending number is kept as its scope"},
		{Report: "Failed: 5002", Note: "no report from the carrier; it may have arrived"},
		{Report: "Failed: every other code", Kind: recipient.SoftBounce},
		{Report: "Delivered", Kind: recipient.Delivered},
		{Report: "SMS Received: STOP and its kin", Kind: recipient.OptOut},
		{Report: "SMS Received: START, UNSTOP", Kind: recipient.OptIn, Note: "the person's own text is the consent"},
		{Report: "other texts and event types"},
	},
	Gaps: []string{
		"Event Grid signs nothing, and its Microsoft Entra ID tokens are not checked: the secret in the address, or in a header, is the proof.",
		"Alphanumeric senders cannot receive texts, so nobody can stop them by one: put a link into each message.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: eventgrid.Settings,
		Samples: []providers.Sample{
			{Name: "hard", Title: "The number does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: report("Failed", "ErrorCode: 4004. ErrorMessage: Message failed to deliver since Destination/To number doesn't exist")},
			{Name: "soft", Title: "The phone cannot be reached", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: report("Failed", "ErrorCode: 4006. ErrorMessage: The Destination/To number isn't reachable")},
			{Name: "opt_out", Title: "The person stopped this sender earlier", Kinds: []recipient.Kind{recipient.OptOut}, Build: report("Failed", "Sender blocked for given recipient.")},
			{Name: "stop", Title: "STOP", Kinds: []recipient.Kind{recipient.OptOut}, Build: text("STOP")},
			{Name: "start", Title: "START", Kinds: []recipient.Kind{recipient.OptIn}, Build: text("START")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: report("Delivered", "No error.")},
		},
	},
}

func report(status, details string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return eventgrid.Post(s, reportType, sim.Object{
			"messageId": "Outgoing_" + s.ID, "from": "15005550001", "to": s.To, "deliveryStatus": status, "deliveryStatusDetails": details,
			"receivedTimestamp": eventgrid.Stamp(s.At), "deliveryAttempts": []sim.Object{{"timestamp": eventgrid.Stamp(s.At), "segmentsSucceeded": 0, "segmentsFailed": 1}}, "tag": "simulated",
		})
	}
}

func text(words string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return eventgrid.Post(s, textType, sim.Object{
			"messageId": "Incoming_" + s.ID, "from": strings.TrimPrefix(s.To, "+"), "to": "15005550001", "message": words, "receivedTimestamp": eventgrid.Stamp(s.At), "segmentCount": 1,
		})
	}
}
