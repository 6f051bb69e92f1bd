package sinch

import (
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

// identity is a number on a channel.
type identity struct {
	Channel  wire.Text `json:"channel"`
	Identity wire.Text `json:"identity"`
}

// consent is an opt-in or opt-out that the Conversation API carried out.
type consent struct {
	identity
	Status    wire.Text `json:"status"`
	RequestID wire.Text `json:"request_id"`
	ContactID wire.Text `json:"contact_id"`
}

// conversation is a callback of the Conversation API, which serves many
// channels: only SMS and MMS count.
type conversation struct {
	AppID      wire.Text `json:"app_id"`
	AcceptedAt wire.Text `json:"accepted_time"`
	EventAt    wire.Text `json:"event_time"`
	Report     *struct {
		MessageID wire.Text `json:"message_id"`
		Status    wire.Text `json:"status"`
		Who       identity  `json:"channel_identity"`
		Reason    struct {
			Code        wire.Text `json:"code"`
			Description wire.Text `json:"description"`
		} `json:"reason"`
	} `json:"message_delivery_report"`
	OptOut  *consent `json:"opt_out_notification"`
	OptIn   *consent `json:"opt_in_notification"`
	Message *struct {
		ID       wire.Text `json:"id"`
		Who      identity  `json:"channel_identity"`
		SenderID wire.Text `json:"sender_id"`
		Contact  struct {
			Text struct {
				Text wire.Text `json:"text"`
			} `json:"text_message"`
		} `json:"contact_message"`
	} `json:"message"`
}

// isPhone reports whether the identity is a number that gets texts: who answers
// STOP to an MMS wants no SMS of the same sender either.
func (i identity) isPhone() bool { c := i.Channel.Lower(); return c == "sms" || c == "mms" }

func (a adapter) conversation(b *providers.Batch, c *conversation) {
	stamp := c.EventAt
	if stamp == "" {
		stamp = c.AcceptedAt
	}
	at := stamp.Time()
	add := func(field string, who identity, e recipient.Event) {
		if e.Kind == "" || !who.isPhone() {
			return
		}
		e.At = at
		b.AddTo(recipient.SMS, field, sms.MSISDN(who.Identity.String()), e)
	}
	if d := c.Report; d != nil {
		e := recipient.Event{MessageID: d.MessageID.String(), IDParts: []string{d.MessageID.String(), d.Status.Lower()}}
		if e.MessageID == "" {
			e.IDParts = append(e.IDParts, stamp.String())
		}
		switch d.Status.Lower() {
		case "delivered":
			e.Kind = recipient.Delivered
		case "failed":
			e.Code, e.Detail = d.Reason.Code.String(), d.Reason.Description.String()
			e.Kind, e.Rule = a.codes.Judge(e.Code)
		} // queued_on_channel, switching_channel and read say nothing new
		add("message_delivery_report.channel_identity.identity", d.Who, e)
	}
	if o := c.OptOut; o != nil && o.Status.Lower() == "opt_out_succeeded" {
		add("opt_out_notification.identity", o.identity, o.event(recipient.OptOut, c.AppID, stamp))
	}
	if o := c.OptIn; o != nil && o.Status.Lower() == "opt_in_succeeded" { // not the person's own words
		add("opt_in_notification.identity", o.identity, o.event(recipient.Reactivation, c.AppID, stamp))
	}
	if m := c.Message; m != nil && m.Who.isPhone() {
		in := sms.Inbound{Text: string(m.Contact.Text.Text), To: m.SenderID.String(), ID: m.ID.String(), Number: m.Who.Identity.String()}
		a.words.Received(b, "message.channel_identity.identity", in, at)
	}
}

// event keeps the app as the scope of the opt-out.
func (o *consent) event(kind recipient.Kind, app, stamp wire.Text) recipient.Event {
	e := recipient.Event{Kind: kind, EventID: o.RequestID.String(), Code: app.String(), Rule: "sinch-" + o.Status.Lower(), IDParts: []string{o.RequestID.String(), o.Status.Lower()}}
	if e.EventID == "" {
		e.IDParts = []string{o.ContactID.String(), o.Status.Lower(), stamp.String()}
	}
	return e
}
