// Package ses reads what Amazon SES publishes: SNS notifications of identities,
// event publishing of configuration sets, raw or in SNS' envelope, and
// EventBridge events.
//
// Notifications: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
// Event publishing: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
// EventBridge: https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html
// (read 2026-11-20). Signature: see providers/internal/sns; raw delivery and
// EventBridge sign nothing.
package ses

import (
	"fmt"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/sns"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "ses"

type adapter struct{ *sns.Checker }

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
	return adapter{c}, nil
}

// record is what SES publishes of one message. Recipients are decoded one by
// one: a bad one must not cost the others.
type record struct {
	EventType        wire.Text `json:"eventType"`        // event publishing
	NotificationType wire.Text `json:"notificationType"` // notifications of an identity
	Mail             struct {
		MessageID   wire.Text `json:"messageId"`
		Destination wire.List `json:"destination"`
	} `json:"mail"`
	Bounce struct {
		Type       wire.Text  `json:"bounceType"`
		SubType    wire.Text  `json:"bounceSubType"`
		FeedbackID wire.Text  `json:"feedbackId"`
		Timestamp  wire.Text  `json:"timestamp"`
		Recipients []wire.Raw `json:"bouncedRecipients"`
	} `json:"bounce"`
	Complaint struct {
		SubType      wire.Text  `json:"complaintSubType"`
		FeedbackType wire.Text  `json:"complaintFeedbackType"`
		FeedbackID   wire.Text  `json:"feedbackId"`
		Timestamp    wire.Text  `json:"timestamp"`
		Recipients   []wire.Raw `json:"complainedRecipients"`
	} `json:"complaint"`
	Delivery struct {
		Timestamp  wire.Text  `json:"timestamp"`
		Response   wire.Text  `json:"smtpResponse"`
		Recipients []wire.Raw `json:"recipients"`
	} `json:"delivery"`
	Delay struct {
		Type       wire.Text  `json:"delayType"`
		Timestamp  wire.Text  `json:"timestamp"`
		Recipients []wire.Raw `json:"delayedRecipients"`
	} `json:"deliveryDelay"`
	Subscription subscription `json:"subscription"`
}

// person is one recipient. The address may carry a name or angle brackets.
type person struct {
	Address    wire.Text `json:"emailAddress"`
	Action     wire.Text `json:"action"`
	Status     wire.Text `json:"status"`
	Diagnostic wire.Text `json:"diagnosticCode"`
}

// detailTypes are EventBridge's names, for details that do not say their type.
var detailTypes = map[string]string{
	"email bounced": "bounce", "email complaint received": "complaint", "email delivered": "delivery",
	"email delivery delayed": "deliverydelay", "email subscribed": "subscription",
}

func (adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	outer, err := sns.Unwrap(name, r)
	if err != nil || outer.Body == nil {
		return nil, err
	}
	var rec record
	if err := wire.Decode(outer.Body, &rec); err != nil {
		return nil, providers.Malformed(name, "Message", providers.ErrNotJSON)
	}
	kind := rec.EventType.Lower()
	if kind == "" {
		kind = rec.NotificationType.Lower()
	}
	if kind == "" && outer.Type != "" {
		if kind = detailTypes[strings.ToLower(outer.Type)]; kind == "" {
			return nil, nil // an event about the account
		}
	}
	return rec.read(kind, outer)
}

// read returns the events of one record. Types that are not listed (Send, Open,
// Click, Reject, Rendering Failure, Received) are about the message or not
// about delivery.
func (rec *record) read(kind string, outer sns.Record) ([]recipient.Event, error) {
	b := providers.NewBatch(name, 1)
	all := func(field string, people []wire.Raw, e recipient.Event, judge func(*recipient.Event, *person)) {
		if len(people) == 0 {
			b.Reject(providers.Unresolved(name, field))
		}
		for i, raw := range people {
			at := fmt.Sprintf("%s[%d]", field, i)
			var p person
			if raw.Kind() == '"' {
				if wire.Decode(raw, &p.Address) != nil {
					b.Reject(providers.Malformed(name, at, providers.ErrNotJSON))
					continue
				}
			} else if wire.Decode(raw, &p) != nil {
				b.Reject(providers.Malformed(name, at, providers.ErrNotJSON))
				continue
			}
			own := e
			judge(&own, &p)
			b.AddTo(recipient.Email, at, smtp.Bare(p.Address.String()), own)
		}
	}
	switch kind {
	case "bounce":
		all("bounce.bouncedRecipients", rec.Bounce.Recipients, rec.event(kind, rec.Bounce.FeedbackID, rec.Bounce.Timestamp, outer), rec.bounced)
	case "complaint":
		switch rec.Complaint.FeedbackType.Lower() {
		case "not-spam", "auth-failure": // the person took it out of the spam folder; a report on authentication
			return nil, nil
		}
		all("complaint.complainedRecipients", rec.Complaint.Recipients, rec.event(kind, rec.Complaint.FeedbackID, rec.Complaint.Timestamp, outer), rec.complained)
	case "delivery":
		all("delivery.recipients", rec.Delivery.Recipients, rec.event(kind, "", rec.Delivery.Timestamp, outer), func(e *recipient.Event, _ *person) {
			e.Kind, e.Detail = recipient.Delivered, rec.Delivery.Response.String()
		})
	case "deliverydelay":
		all("deliveryDelay.delayedRecipients", rec.Delay.Recipients, rec.event(kind, "", rec.Delay.Timestamp, outer), func(e *recipient.Event, p *person) {
			e.Kind, e.Rule, e.Code, e.Detail = recipient.SoftBounce, "ses-delay", p.Status.String(), p.Diagnostic.String()
			if e.Code == "" {
				e.Code = rec.Delay.Type.String()
			}
		})
	case "subscription":
		e := rec.event(kind, "", rec.Subscription.Timestamp, outer)
		if e.Kind, e.Code = rec.Subscription.change(); e.Kind == "" {
			return nil, nil
		}
		e.Rule, e.Detail = "ses-subscription", rec.Subscription.Source.String()
		to := "" // the subscription itself names nobody
		if len(rec.Mail.Destination) > 0 {
			to = rec.Mail.Destination[0]
		}
		b.AddTo(recipient.Email, "mail.destination[0]", smtp.Bare(to), e)
	case "":
		return nil, providers.Malformed(name, "eventType", providers.ErrMissing)
	}
	return b.Done()
}

// event returns what the events of one record share. An identity and a
// configuration set may both publish the same bounce: its feedback id is the
// same then, the delivery's id is not.
func (rec *record) event(kind string, feedbackID, at wire.Text, outer sns.Record) recipient.Event {
	e := recipient.Event{MessageID: rec.Mail.MessageID.String(), EventID: feedbackID.String(), At: at.Time()}
	if e.At.IsZero() {
		e.At = wire.Time(outer.Time)
	}
	if e.EventID == "" {
		e.EventID = outer.ID
	}
	e.IDParts = []string{e.EventID}
	if e.EventID == "" {
		e.IDParts = []string{kind, e.MessageID, at.String()}
	}
	return e
}

// subTypes of a permanent bounce that say that the address is faulty. A
// subtype that is not listed is hard only with a status that proves it.
var subTypes = map[string]bool{"": true, "general": true, "noemail": true}

// lists are SES' own suppression lists. What a complaint put on the account's or
// the tenant's list is reported as a complaint, so this is an older bounce.
var lists = map[string]bool{"suppressed": true, "onaccountsuppressionlist": true, "ontenantsuppressionlist": true}

// guessed is the subtype of mail that SES did not even try to deliver, because
// it thinks the address unlikely to exist.
const guessed = "emailvalidationsuppressed"

func (rec *record) bounced(e *recipient.Event, p *person) {
	class, sub := rec.Bounce.Type.Lower(), rec.Bounce.SubType.Lower()
	e.Kind, e.Rule, e.Detail = recipient.SoftBounce, "ses-"+class, p.Diagnostic.String()
	code, spared := smtp.Spares(smtp.Reply{Status: p.Status.String(), Text: p.Diagnostic.String()})
	names := rec.Bounce.Type.String()
	if s := rec.Bounce.SubType.String(); s != "" {
		names += "/" + s
	}
	if e.Code = code; code == "" {
		e.Code = names
	}
	if e.Detail == "" {
		e.Detail = names
	}
	if class != "permanent" { // Undetermined is never hard; auto-replies come as Transient/General
		return
	}
	switch {
	case strings.HasPrefix(sub, "unsubscribe"): // a contact who left the list; in no page that we found (UNCONFIRMED)
		e.Kind, e.Echo, e.Rule, e.Code = recipient.OptOut, true, "ses-unsubscribed", names
	case lists[sub]:
		e.Kind, e.Echo, e.Rule = recipient.HardBounce, true, "ses-"+sub
	case sub == guessed:
		e.Rule = "ses-guessed"
	case p.Action.Lower() == "delayed", spared: // Amazon's own example mixes both in a permanent bounce
		e.Rule = "ses-permanent-spared"
	case subTypes[sub], strings.HasPrefix(code, "5.1."):
		e.Kind, e.Rule = recipient.HardBounce, "ses-permanent"
	}
}

func (rec *record) complained(e *recipient.Event, _ *person) {
	e.Kind, e.Rule = recipient.Complaint, "ses-complaint"
	e.Code = rec.Complaint.FeedbackType.String()
	if lists[rec.Complaint.SubType.Lower()] {
		e.Echo, e.Code = true, rec.Complaint.SubType.String()
	}
}
