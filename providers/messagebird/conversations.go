package messagebird

import (
	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

// conversation is a webhook of the older Conversations API, which serves many
// platforms: https://developers.messagebird.com/api/conversations/
type conversation struct {
	Type    wire.Text `json:"type"`
	Contact wire.Object[struct {
		MSISDN wire.Text `json:"msisdn"`
	}] `json:"contact"`
	Message *struct {
		ID        wire.Text `json:"id"`
		Platform  wire.Text `json:"platform"`
		Direction wire.Text `json:"direction"`
		Status    wire.Text `json:"status"`
		From      wire.Text `json:"from"`
		To        wire.Text `json:"to"`
		Content   wire.Object[struct {
			Text wire.Text `json:"text"`
		}] `json:"content"`
		Error wire.Object[struct {
			Code        wire.Text `json:"code"`
			Description wire.Text `json:"description"`
		}] `json:"error"`
		CreatedAt wire.Text `json:"createdDatetime"`
		UpdatedAt wire.Text `json:"updatedDatetime"`
	} `json:"message"`
}

// conversations reads texts, and the states of sent ones. The codes of its
// errors are those of the API, so only the words may call a number faulty.
func (a adapter) conversations(b *providers.Batch, c *channelEvent) {
	m, person := c.Message, c.Contact.V.MSISDN.String()
	if m.Platform.Lower() != "sms" { // or not said: it may be WhatsApp
		return
	}
	if m.Direction.Lower() == "received" {
		if person == "" {
			person = m.From.String()
		}
		if c.Type.Lower() == "message.created" {
			a.words.Received(b, "contact.msisdn", sms.Inbound{Text: string(m.Content.V.Text), To: m.To.String(), ID: m.ID.String(), Number: person}, m.CreatedAt.Time())
		}
		return
	}
	if person == "" {
		person = m.To.String()
	}
	e := recipient.Event{At: m.UpdatedAt.Time(), MessageID: m.ID.String()}
	switch m.Status.Lower() {
	case "delivered":
		e.Kind = recipient.Delivered
	case "failed", "rejected":
		a.judge(&e, "", m.Error.V.Description.String())
	default: // accepted, pending, sent, read, deleted
		return
	}
	e.IDParts = []string{e.MessageID, m.Status.Lower(), e.Code}
	b.AddTo(recipient.SMS, "message.to", sms.MSISDN(person), e)
}
