// Package awssms reads what AWS End User Messaging SMS (Pinpoint SMS and Voice
// v2) publishes to SNS topics, texts from people, and the delivery log of SMS
// sent by SNS itself, where somebody forwards it.
//
// Events: https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
// Log: https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html
// (read 2026-11-20). Signature: see providers/internal/sns; raw delivery and
// forwarded logs are not signed.
package awssms

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/sns"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "aws-sms"

// kinds translates "eventType"; types that are not listed are not final or not
// about a text.
var kinds = map[string]recipient.Kind{
	"TEXT_DELIVERED":           recipient.Delivered,
	"TEXT_SUCCESSFUL":          recipient.Delivered,  // accepted by the carrier; countries use one or the other
	"TEXT_INVALID":             recipient.HardBounce, // the number is not valid
	"TEXT_UNREACHABLE":         recipient.SoftBounce,
	"TEXT_CARRIER_UNREACHABLE": recipient.SoftBounce,
	"TEXT_TTL_EXPIRED":         recipient.SoftBounce,
	"TEXT_BLOCKED":             recipient.SoftBounce, // by the phone or the carrier; not an opt-out from us
	"TEXT_CARRIER_BLOCKED":     recipient.SoftBounce,
	"TEXT_SPAM":                recipient.SoftBounce,
	"TEXT_INVALID_MESSAGE":     recipient.SoftBounce,
	"TEXT_PROTECT_BLOCKED":     recipient.SoftBounce,
}

// Phrases of "providerResponse" and "messageStatusDescription", in lower case.
// Every other one is about the message, the carrier or the day: a phone that
// "is currently unreachable" is switched off.
const (
	invalidNumber = "invalid phone number"
	optedOut      = "is opted out"
)

// tdWord is one of the words for which AWS itself opts a number out, beside the
// common ones: https://docs.aws.amazon.com/sms-voice/latest/userguide/opt-out-list-keywords.html
const tdWord = "td"

type adapter struct {
	*sns.Checker
	words *sms.Keywords
}

// New needs the setting "topics", unless the endpoint is explicitly unsigned.
func New(s providers.Settings) (providers.Adapter, error) {
	rules, err := sns.Amazon(name, s)
	if err != nil {
		return nil, err
	}
	c, err := sns.New(rules, s)
	if err != nil {
		return nil, err
	}
	return adapter{c, sms.NewKeywords(append([]string{tdWord}, s.All(sms.StopSetting)...), s.All(sms.StartSetting))}, nil
}

// record is any of the three forms.
type record struct {
	// An event of a configuration set.
	EventType   wire.Text `json:"eventType"`
	Final       wire.Text `json:"isFinal"`
	Timestamp   wire.Text `json:"eventTimestamp"` // Unix milliseconds
	From        wire.Text `json:"originationPhoneNumber"`
	To          wire.Text `json:"destinationPhoneNumber"`
	MessageID   wire.Text `json:"messageId"`
	Description wire.Text `json:"messageStatusDescription"`
	Agent       wire.Text `json:"rcsBusinessId"` // of RCS messages alone

	// A text from a person.
	Person    wire.Text `json:"originationNumber"`
	Ours      wire.Text `json:"destinationNumber"`
	Text      wire.Text `json:"messageBody"`
	InboundID wire.Text `json:"inboundMessageId"`

	// A log record of SNS.
	Status       wire.Text `json:"status"`
	Notification struct {
		MessageID wire.Text `json:"messageId"`
		Timestamp wire.Text `json:"timestamp"`
	} `json:"notification"`
	Delivery struct {
		Destination wire.Text `json:"destination"`
		Response    wire.Text `json:"providerResponse"`
	} `json:"delivery"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	outer, err := sns.Unwrap(name, r)
	if err != nil || outer.Body == nil {
		return nil, err
	}
	var rec record
	if err := wire.Decode(outer.Body, &rec); err != nil {
		return nil, providers.Malformed(name, "Message", providers.ErrNotJSON)
	}
	b := providers.NewBatch(name, 1)
	switch {
	case rec.EventType != "":
		rec.event(b, outer)
	case rec.InboundID != "" || rec.Person != "":
		id := rec.InboundID.String()
		if id == "" {
			id = outer.ID
		}
		a.words.Received(b, "originationNumber", sms.Inbound{Text: rec.Text.String(), To: rec.Ours.String(), ID: id, Number: rec.Person.String()}, wire.Time(outer.Time))
	case rec.Status != "":
		rec.logged(b)
	default:
		return nil, providers.Malformed(name, "eventType", providers.ErrMissing)
	}
	return b.Done()
}

func (rec *record) event(b *providers.Batch, outer sns.Record) {
	if rec.Agent != "" { // a phone without RCS still takes texts
		return
	}
	kind := strings.ToUpper(rec.EventType.String())
	e := recipient.Event{Kind: kinds[kind], At: rec.Timestamp.Time(), EventID: outer.ID, MessageID: rec.MessageID.String(),
		Code: kind, Rule: "aws-sms-event", Detail: rec.Description.String()}
	if e.Kind != recipient.Delivered && strings.HasPrefix(kind, "TEXT_") && strings.Contains(rec.Description.Lower(), optedOut) {
		e.Kind, e.Rule, e.Code = recipient.OptOut, "aws-sms-opted-out", sms.MSISDN(rec.From.String())
	}
	if strings.EqualFold(rec.Final.String(), "false") || e.Kind == "" {
		return
	}
	if e.At.IsZero() {
		e.At = wire.Time(outer.Time)
	}
	e.IDParts = []string{e.EventID}
	if e.EventID == "" {
		e.IDParts = []string{e.MessageID, kind, rec.Timestamp.String()}
	}
	b.AddTo(recipient.SMS, "destinationPhoneNumber", sms.MSISDN(rec.To.String()), e)
}

func (rec *record) logged(b *providers.Batch) {
	status, response := rec.Status.Lower(), rec.Delivery.Response.Lower()
	e := recipient.Event{Kind: recipient.SoftBounce, At: rec.Notification.Timestamp.Time(), MessageID: rec.Notification.MessageID.String(),
		Code: rec.Delivery.Response.String(), Rule: "aws-sms-response", Detail: rec.Delivery.Response.String()}
	switch {
	case status == "success":
		e.Kind, e.Rule, e.Code = recipient.Delivered, "", ""
	case status != "failure":
		return
	case strings.TrimRight(response, ".") == invalidNumber:
		e.Kind = recipient.HardBounce
	case strings.Contains(response, optedOut):
		e.Kind, e.Rule = recipient.OptOut, "aws-sms-opted-out"
	}
	e.IDParts = []string{e.MessageID, status}
	if e.MessageID == "" {
		e.IDParts = append(e.IDParts, e.Code, rec.Notification.Timestamp.String())
	}
	b.AddTo(recipient.SMS, "delivery.destination", sms.MSISDN(rec.Delivery.Destination.String()), e)
}
