// Package elks46 reads the delivery reports and received texts of 46elks.
//
// Payloads: https://46elks.com/docs/sms-delivery-reports and
// https://46elks.com/docs/receive-sms (read 2026-11-20). Nothing is signed.
//
// A report names the message and its state, never the recipient and never a
// reason. The recipient stands in the callback URL, where the operator put it;
// it is believed because the guard in the same URL was right. And as nothing
// tells a faulty number from a phone that is off, nothing here blocks.
package elks46

import (
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "46elks"

// kinds translates "status". A message that was "sent" is still on its way.
var kinds = map[string]recipient.Kind{
	"delivered": recipient.Delivered,
	"failed":    recipient.SoftBounce,
}

type adapter struct {
	sms.Unsigned
	sms.Silent // a body would be sent back to the person as a text
	words      *sms.Keywords
}

// New needs no settings.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{words: sms.Words(s)}, nil
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return sms.EachParams(name, r, a.read)
}

func (a adapter) read(b *providers.Batch, p sms.Params) {
	id, status := p.Get("id"), wire.Text(p.Get("status")).Lower()
	text := p.Get("message")
	switch {
	case status != "": // a received text has none
		if kind := kinds[status]; kind != "" {
			b.AddTo(recipient.SMS, "to", sms.MSISDN(p.Get("to")), recipient.Event{
				Kind: kind, At: wire.Time(p.Get("delivered")), MessageID: id, Code: status, Rule: "46elks-status", IDParts: []string{id, status},
			})
		}
	case text != "":
		a.words.Received(b, "from", sms.Inbound{Text: text, To: p.Get("to"), ID: id, Number: p.Get("from")}, wire.Time(p.Get("created")))
	case p.Get("direction") == "" && p.Get("from") == "": // neither a report nor an empty text or picture
		b.Reject(providers.Malformed(name, "status", providers.ErrMissing))
	}
}
