// Package bulksms reads the webhooks of BulkSMS's JSON REST API: status
// updates of sent messages and received texts, in arrays.
//
// Payloads and codes: https://www.bulksms.com/developer/json/v1/ (read
// 2026-11-20). Nothing is signed. A new webhook is probed with an empty array,
// which needs a 2xx as any other delivery does.
package bulksms

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "bulksms"

// codes translates "status.id" of a failed message. Every other one is soft;
// FAILED.NOT_SENT may hide an invalid number, but no route does so too.
var codes = map[string]recipient.Kind{
	"failed.blocked": recipient.OptOut, // usually because the person answered STOP
}

type adapter struct {
	sms.Unsigned
	codes sms.Codes
	words *sms.Keywords
}

// New needs no settings.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{codes: sms.NewCodes(s, "bulksms-status", codes), words: sms.Words(s)}, nil
}

// message is a sent or a received one. Ids have been seen as bare numbers of
// 19 digits, so they never pass through a float.
type message struct {
	ID         wire.Text `json:"id"`
	Type       wire.Text `json:"type"`
	From       wire.Text `json:"from"`
	To         wire.Text `json:"to"`
	Body       wire.Text `json:"body"`
	Submission struct {
		Date wire.Text `json:"date"`
	} `json:"submission"`
	Status struct {
		ID      wire.Text `json:"id"`
		Type    wire.Text `json:"type"`
		Subtype wire.Text `json:"subtype"`
	} `json:"status"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return sms.Each(name, "body", r.Body, nil, a.read)
}

func (a adapter) read(b *providers.Batch, m *message) {
	switch strings.ToUpper(m.Type.String()) { // first: received messages have a status too
	case "SENT":
		a.status(b, m)
	case "RECEIVED":
		a.words.Received(b, "from", sms.Inbound{Text: m.Body.String(), To: m.To.String(), ID: m.ID.String(), Number: m.From.String()}, m.Submission.Date.Time())
	case "":
		b.Reject(providers.Malformed(name, "type", providers.ErrMissing))
	}
}

func (a adapter) status(b *providers.Batch, m *message) {
	state, sub := strings.ToUpper(m.Status.Type.String()), strings.ToUpper(m.Status.Subtype.String())
	if idState, idSub, ok := strings.Cut(strings.ToUpper(m.Status.ID.String()), "."); ok {
		if state == "" {
			state = idState
		}
		if sub == "" && idSub != "NULL" { // "FAILED.null": there is no subtype
			sub = idSub
		}
	}
	e := recipient.Event{MessageID: m.ID.String(), Code: state}
	if sub != "" {
		e.Code += "." + sub
	}
	switch state {
	case "DELIVERED":
		e.Kind = recipient.Delivered
	case "FAILED":
		e.Kind, e.Rule = a.codes.Judge(e.Code)
	case "":
		b.Reject(providers.Malformed(name, "status", providers.ErrMissing))
	}
	if e.Kind == "" { // ACCEPTED, SCHEDULED, SENT, UNKNOWN: on its way
		return
	}
	// submission.date is when it was sent; when the state changed is not said.
	e.IDParts = []string{e.MessageID, e.Code}
	b.AddTo(recipient.SMS, "to", sms.MSISDN(m.To.String()), e)
}
