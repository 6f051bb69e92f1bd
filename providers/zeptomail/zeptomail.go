// Package zeptomail reads the webhooks of Zoho ZeptoMail, as JSON or as JSON in
// a form field.
//
// Payload and signature: https://www.zoho.com/zeptomail/help/webhooks.html and
// https://www.zoho.com/zeptomail/webhooks-instant-notification.html (read
// 2026-11-20). Zoho names the parts of a payload; the inner fields, complaints
// and what exactly is signed are as several open receivers have them.
package zeptomail

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "zeptomail"

// kinds translates "event_name" and "object" in lower case, letters alone.
// What is not listed (opens, clicks) is not about delivery.
var kinds = map[string]recipient.Kind{
	"hardbounce": recipient.HardBounce, "emailhardbounce": recipient.HardBounce,
	"softbounce": recipient.SoftBounce, "emailsoftbounce": recipient.SoftBounce,
	"feedbackloop": recipient.Complaint, "emailfeedbackloop": recipient.Complaint, complaint: recipient.Complaint,
	"delivered": recipient.Delivered, "emaildelivered": recipient.Delivered,
}

// complaint is the object that makes any event a complaint.
const complaint = "fblcomplaint"

// testReference stands in the made-up events by which Zoho tests a URL; its
// made-up people live at zylker.
const (
	testReference = "customer-unique-id"
	testDomain    = "@zylker."
)

// body is one webhook. Everything that Zoho writes as an array now and as one
// object then is Many.
type body struct {
	Names     wire.List          `json:"event_name"`
	Messages  wire.Many[message] `json:"event_message"`
	RequestID wire.Text          `json:"webhook_request_id"`

	diagnostics, reasons smtp.Excuser
}

type message struct {
	Infos     wire.Many[info] `json:"email_info"` // one
	Data      wire.Many[data] `json:"event_data"`
	RequestID wire.Text       `json:"request_id"`
}

func (m *message) info() *info {
	if len(m.Infos) == 0 {
		return &info{}
	}
	return &m.Infos[0]
}

type info struct {
	To        wire.Raw  `json:"to"` // decoded where they are asked for
	Cc        wire.Raw  `json:"cc"`
	Bcc       wire.Raw  `json:"bcc"`
	Reference wire.Text `json:"email_reference"`
	Client    wire.Text `json:"client_reference"`
}

type to struct {
	Email wire.Many[struct {
		Address wire.Text `json:"address"`
	}] `json:"email_address"`
}

type data struct {
	Object  wire.Text         `json:"object"`
	Details wire.Many[detail] `json:"details"`
}

type detail struct {
	To         wire.Text `json:"bounced_recipient"`
	Time       wire.Text `json:"time"`
	Reason     wire.Text `json:"reason"`
	Diagnostic wire.Text `json:"diagnostic_message"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return batch.JSON(name, document(r), read)
}

func read(b *providers.Batch, m *body) {
	if len(m.Names) == 0 {
		b.Reject(providers.Malformed(name, "event_name", providers.ErrMissing))
		return
	}
	if len(m.Messages) == 0 && kinds[letters(m.Names[0])] != "" {
		b.Reject(providers.Unresolved(name, "event_message"))
	}
	b.Grow(len(m.Messages))
	for i := range m.Messages {
		m.message(b, i)
	}
}

// message reads an item of event_message: one mail and what became of it.
func (m *body) message(b *providers.Batch, i int) {
	msg := &m.Messages[i]
	if msg.info().Client.String() == testReference {
		return
	}
	word := m.Names[0]
	if len(m.Names) == len(m.Messages) {
		word = m.Names[i]
	}
	if len(msg.Data) == 0 {
		msg.Data = append(msg.Data, data{})
	}
	for _, d := range msg.Data {
		kind := kindOf(word, d.Object.String())
		if kind == "" {
			continue
		}
		if len(d.Details) == 0 {
			d.Details = append(d.Details, detail{})
		}
		for i := range d.Details {
			m.event(b, msg, word, kind, &d.Details[i])
		}
	}
}

func (m *body) event(b *providers.Batch, msg *message, word string, kind recipient.Kind, d *detail) {
	e := recipient.Event{
		Kind: kind, At: d.Time.Time(), EventID: m.RequestID.String(), MessageID: msg.RequestID.String(), Code: word, Rule: "zeptomail-event", Detail: d.Diagnostic.String(),
		IDParts: []string{m.RequestID.String()},
	}
	if e.MessageID == "" {
		e.MessageID = msg.info().Reference.String()
	}
	if e.Detail == "" {
		e.Detail = d.Reason.String()
	}
	if e.EventID == "" {
		e.IDParts = []string{letters(word), e.MessageID, d.Time.String()}
	}
	if kind == recipient.HardBounce && (m.diagnostics.Excuses(d.Diagnostic.String()) || m.reasons.Excuses(d.Reason.String())) {
		e.Kind, e.Rule = recipient.SoftBounce, "zeptomail-diagnostic"
	}
	address := smtp.Bare(d.To.String())
	if address == "" {
		address = msg.info().only()
	}
	switch {
	case strings.Contains(strings.ToLower(address), testDomain):
	case address == "" && kind == recipient.Delivered: // some of several; nobody is helped by keeping it
	default:
		b.AddTo(recipient.Email, "event_message.event_data.details.bounced_recipient", address, e)
	}
}

// only returns the one recipient of a mail, "" where there are several: the
// event does not say which of them it is about.
func (i *info) only() string {
	to := peopleIn(i.To)
	if len(to) != 1 || len(to[0].Email) != 1 || len(peopleIn(i.Cc))+len(peopleIn(i.Bcc)) > 0 {
		return ""
	}
	return smtp.Bare(to[0].Email[0].Address.String())
}

func peopleIn(raw wire.Raw) (list wire.Many[to]) {
	if wire.Decode(raw, &list) != nil {
		return nil
	}
	return list
}

func kindOf(word, object string) recipient.Kind {
	o := letters(object)
	if o == complaint {
		return recipient.Complaint
	}
	if k := kinds[letters(word)]; k != "" {
		return k
	}
	return kinds[o]
}

// letters drops what differs between the spellings of an event's name.
func letters(s string) string {
	i := 0
	for i < len(s) && 'a' <= s[i] && s[i] <= 'z' {
		i++
	}
	if i == len(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r
		case 'A' <= r && r <= 'Z':
			return r + ('a' - 'A')
		}
		return -1
	}, s)
}
