package ses

import (
	"io"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sim"
	"github.com/strikeout/strikeout/providers/internal/sns"
	"github.com/strikeout/strikeout/recipient"
)

// Info describes Amazon SES.
var Info = providers.Info{
	Name:        name,
	Title:       "Amazon SES",
	Channels:    []recipient.Channel{recipient.Email},
	Docs:        "https://docs.aws.amazon.com/ses/latest/dg/monitor-sending-activity-using-notifications.html",
	Signing:     providers.SignsAlways,
	Settings:    []providers.Setting{sns.TopicsSetting, sns.CertificatesSetting, sns.DomainsSetting},
	RejectFinal: true,
	RetryFor:    sns.RetryFor,
	RetryNote:   sns.RetryNote,
	Setup: []string{
		"In the Amazon SNS console, in the region you send from, create a topic of type Standard; copy its ARN into topics and restart Strikeout.",
		"In the topic choose Create subscription, protocol HTTPS, endpoint {url}, raw message delivery off. Strikeout checks the confirmation's signature and topic and confirms by itself; the host must be able to reach sns.<region>.amazonaws.com.",
		"In the subscription's delivery policy set numRetries to 50 or more and add a dead-letter queue: by default SNS gives up after one minute.",
		"In the Amazon SES console open Configuration sets, the set you send with, Event destinations, Add destination; tick the events listed here and choose Amazon SNS and the topic. Or open Identities, the domain, Notifications, and choose the topic for bounces, complaints and deliveries.",
		"SES posts a test message in plain words; it changes nothing. Mail to bounce@simulator.amazonses.com shows a real bounce.",
		"Raw message delivery and EventBridge API destinations are not signed: make an endpoint of their own with unsigned: true and a path_secret or basic_auth, and keep topics there: only a signed confirmation of a listed topic is answered.",
	},
	Events: []string{"Hard bounces", "Complaints", "Delivery delays", "Subscriptions", "Deliveries (optional)"},
	Mapping: []providers.Mapping{
		{Report: "Bounce: Permanent/General, Permanent/NoEmail", Kind: recipient.HardBounce, Note: "soft for a recipient whose action is delayed or whose status speaks of quota, size, content, policy or a temporary failure"},
		{Report: "Bounce: Permanent/Suppressed, Permanent/OnAccountSuppressionList, Permanent/OnTenantSuppressionList", Kind: recipient.HardBounce, Echo: true},
		{Report: "Bounce: Permanent/EmailValidationSuppressed", Kind: recipient.SoftBounce, Note: "not sent: Amazon only guesses that the address does not exist"},
		{Report: "Bounce: Permanent with another subtype", Kind: recipient.SoftBounce, Note: "hard with the status 5.1.x"},
		{Report: "Bounce: Transient, Undetermined; DeliveryDelay", Kind: recipient.SoftBounce},
		{Report: "Complaint", Kind: recipient.Complaint},
		{Report: "Complaint: OnAccountSuppressionList, OnTenantSuppressionList", Kind: recipient.Complaint, Echo: true},
		{Report: "Complaint: not-spam, auth-failure", Note: "no complaint of the person"},
		{Report: "Bounce, Permanent, UnsubscribedRecipient", Kind: recipient.OptOut, Echo: true, Note: "not sent, because the person left the contact list"},
		{Report: "Subscription: unsubscribeAll, or a topic from OptIn to OptOut", Kind: recipient.OptOut, Note: "the contact list and topics are kept as its scope"},
		{Report: "Subscription: back to OptIn", Kind: recipient.Reactivation, Note: "lifts nothing here"},
		{Report: "Delivery", Kind: recipient.Delivered},
		{Report: "Send, Open, Click, Reject, Rendering Failure, Received, UnsubscribeConfirmation and all others"},
	},
	// https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html (read 2026-11-28)
	Lists: []providers.OwnList{
		{
			Title:   "the account's suppression list",
			Kinds:   []recipient.Kind{recipient.HardBounce, recipient.Complaint},
			Page:    "https://console.aws.amazon.com/ses/home#/suppression-list",
			Command: "aws sesv2 delete-suppressed-destination --email-address {address}",
			Note:    "Every region has a list of its own: choose the one you send from (--region).",
		},
		{
			Title: "contact lists",
			Kinds: []recipient.Kind{recipient.OptOut},
			Page:  "https://console.aws.amazon.com/ses/home#/contact-lists",
			Note:  "Only where you use SES's subscription management: the contact's status stands in its contact list.",
		},
	},
	Gaps: []string{
		"Raw message delivery and EventBridge carry no signature; the endpoint's secret is the proof.",
		"The certificate's chain is checked only against authorities given in certificates; without them the proof is its exact address at SNS, fetched over TLS, and its name.",
		"A complaint may name several people of one domain, because mailbox providers hide who complained: send each message to one person.",
		"An EventBridge input transformer that reshapes the event is not understood.",
	},
	New: New,
	Simulate: providers.Simulator{
		Settings: func(rand io.Reader) (providers.Settings, error) {
			return sns.Settings(rand, "arn:aws:sns:eu-west-1:123456789012:")
		},
		Samples: []providers.Sample{
			{Name: "hard", Title: "The mailbox does not exist", Kinds: []recipient.Kind{recipient.HardBounce}, Build: bounce("Permanent", "General", "5.1.1", "smtp; 550 5.1.1 user unknown")},
			{Name: "soft", Title: "The mailbox is full", Kinds: []recipient.Kind{recipient.SoftBounce}, Build: bounce("Transient", "MailboxFull", "5.2.2", "smtp; 552 5.2.2 mailbox over quota")},
			{Name: "complaint", Title: "Marked as spam", Kinds: []recipient.Kind{recipient.Complaint}, Build: func(s providers.Shot) (*providers.Request, error) {
				return publish(s, "Complaint", "complaint", sim.Object{"feedbackId": "f" + s.ID, "complaintSubType": nil, "complaintFeedbackType": "abuse", "complainedRecipients": []sim.Object{{"emailAddress": s.To}}})
			}},
			{Name: "opt_out", Title: "Unsubscribed from the contact list", Kinds: []recipient.Kind{recipient.OptOut}, Build: subscribe(true)},
			{Name: "reactivation", Title: "Subscribed to the contact list again", Kinds: []recipient.Kind{recipient.Reactivation}, Build: subscribe(false)},
			{Name: "echo", Title: "Not sent: on the account's suppression list", Kinds: []recipient.Kind{recipient.HardBounce}, Build: bounce("Permanent", "OnAccountSuppressionList", "5.1.1", "Amazon SES did not send the message")},
			{Name: "delivered", Title: "Delivered", Kinds: []recipient.Kind{recipient.Delivered}, Build: func(s providers.Shot) (*providers.Request, error) {
				return publish(s, "Delivery", "delivery", sim.Object{"recipients": []string{s.To}, "smtpResponse": "250 2.0.0 OK"})
			}},
		},
	},
}

func bounce(kind, sub, status, diagnostic string) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return publish(s, "Bounce", "bounce", sim.Object{"feedbackId": "f" + s.ID, "bounceType": kind, "bounceSubType": sub,
			"bouncedRecipients": []sim.Object{{"emailAddress": s.To, "action": "failed", "status": status, "diagnosticCode": diagnostic}}})
	}
}

func subscribe(leave bool) func(providers.Shot) (*providers.Request, error) {
	return func(s providers.Shot) (*providers.Request, error) {
		return publish(s, "Subscription", "subscription", sim.Object{"contactList": "newsletter", "source": "UnsubscribeHeader",
			"newTopicPreferences": sim.Object{"unsubscribeAll": leave}, "oldTopicPreferences": sim.Object{"unsubscribeAll": !leave}})
	}
}

func publish(s providers.Shot, kind, object string, about sim.Object) (*providers.Request, error) {
	about["timestamp"] = sim.RFC3339(s.At)
	return sns.Post(s, "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-00000000000000000000000000000000.pem", string(sim.JSON(sim.Object{
		"eventType": kind, object: about, "mail": sim.Object{"messageId": s.ID, "timestamp": sim.RFC3339(s.At), "source": "news@sender.example", "destination": []string{s.To}},
	})))
}
