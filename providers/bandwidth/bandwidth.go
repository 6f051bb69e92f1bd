// Package bandwidth reads Bandwidth's messaging callbacks (Messaging V2).
//
// Payload: https://dev.bandwidth.com/docs/messaging/webhooks/
// Codes: https://dev.bandwidth.com/docs/messaging/errors/ (read 2026-11-20).
// Signature: none; Basic credentials can be set at the application.
package bandwidth

import (
	"context"
	"slices"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const (
	name         = "bandwidth"
	applications = "application_ids"
)

// codes translates errorCode; what is not listed is soft. Forbidden, toll-free
// and listed numbers (4404, 4434, 4482, 4772) may as well be about the account.
var codes = map[string]recipient.Kind{
	"4303": recipient.HardBounce, // malformed-invalid-to-number
	"4406": recipient.HardBounce, // rejected-unallocated-to-number
	"4720": recipient.HardBounce, // invalid-destination-address
	"4721": recipient.HardBounce, // destination-tn-deactivated
	"4475": recipient.OptOut,     // destination-rejected-due-to-user-opt-out, by Bandwidth
	"4775": recipient.OptOut,     // the same, by the carrier
	"9902": "",                   // no receipt in time: the message may have arrived
}

type adapter struct {
	applications []string
	words        *sms.Keywords
	codes        sms.Codes
}

// New needs no settings; "application_ids" restricts the endpoint to one's own
// applications.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{s.All(applications), sms.Words(s), sms.NewCodes(s, "bandwidth-code", codes)}, nil
}

// callback is one event. The recipient of a report is To; Message.To are all
// recipients of a group message.
type callback struct {
	Type        wire.Text `json:"type"`
	Time        wire.Text `json:"time"`
	To          wire.List `json:"to"`
	Description wire.Text `json:"description"`
	ErrorCode   wire.Text `json:"errorCode"`
	Message     struct {
		ID          wire.Text `json:"id"`
		Time        wire.Text `json:"time"`
		Direction   wire.Text `json:"direction"`
		To          wire.List `json:"to"`
		From        wire.Text `json:"from"`
		Text        wire.Text `json:"text"`
		Application wire.Text `json:"applicationId"`
		Channel     wire.Text `json:"channel"` // of multi-channel messages
	} `json:"message"`
}

// Verify has only the applications to check: the endpoint's guard did the rest.
func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.applications) == 0 {
		return nil
	}
	items, _ := wire.Array(r.Body) //nolint:errcheck // Parse says what is wrong with it
	for _, raw := range items {
		var c callback
		if wire.Decode(raw, &c) == nil && !slices.Contains(a.applications, c.Message.Application.String()) {
			return providers.Unauthentic(name, "the callback is not of one of the application_ids")
		}
	}
	return nil
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return batch.JSON(name, r.Body, a.read)
}

func (a adapter) read(b *providers.Batch, c *callback) {
	m := &c.Message
	if channel := m.Channel.Lower(); channel != "" && channel != "sms" && channel != "mms" { // RBM says nothing of texts
		return
	}
	stamp := c.Time
	if stamp == "" {
		stamp = m.Time
	}
	inbound := m.Direction.Lower() == "in"
	e := recipient.Event{At: stamp.Time(), MessageID: m.ID.String(), Detail: c.Description.String()}
	switch kind := c.Type.Lower(); {
	case kind == "message-received" && (inbound || m.Direction == ""):
		in := sms.Inbound{Text: string(m.Text), To: only(c.To, m.To), ID: e.MessageID, Number: m.From.String()}
		a.words.Received(b, "[].message.from", in, e.At)
		return
	case inbound: // a reply that loops back
		return
	case kind == "message-delivered":
		e.Kind, e.Detail = recipient.Delivered, ""
	case kind == "message-failed":
		e.Code = c.ErrorCode.String()
		e.Kind, e.Rule = a.codes.Judge(e.Code)
	}
	if e.Kind == "" { // message-sending, other shapes
		return
	}
	e.IDParts = []string{e.MessageID, c.Type.Lower(), e.Code}
	if e.MessageID == "" {
		e.IDParts = append(e.IDParts, stamp.String())
	}
	if e.Kind == recipient.OptOut {
		e.Code = sms.MSISDN(m.From.String()) // the number that the person stopped
	}
	b.AddTo(recipient.SMS, "[].to", sms.MSISDN(only(c.To, m.To)), e)
}

// only returns the number a report is about: of a list only a single entry says.
func only(lists ...wire.List) string {
	for _, l := range lists {
		if len(l) == 1 {
			return l[0]
		}
	}
	return ""
}
