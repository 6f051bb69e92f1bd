// Package azureemail reads the delivery reports of Azure Communication Services
// Email, which come through Event Grid.
//
// Payload: https://learn.microsoft.com/azure/event-grid/communication-services-email-events
// (read 2026-11-20).
// Signature: none; see providers/internal/eventgrid.
package azureemail

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/eventgrid"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const (
	name       = "azure-email"
	reportType = "Microsoft.Communication.EmailDeliveryReportReceived"
)

// kinds translates "status". Statuses that are not listed are soft: the SDK
// calls every one but Delivered a failure, which is not to say that the
// address is faulty.
var kinds = map[string]recipient.Kind{
	"delivered":    recipient.Delivered,
	"bounced":      recipient.HardBounce, // unless the message names another reason
	"failed":       recipient.SoftBounce, // unless the message proves a faulty address
	"filteredspam": recipient.SoftBounce, // a filter's verdict, no complaint
	"quarantined":  recipient.SoftBounce,
	"suppressed":   "", // an echo of Azure's list: nothing was sent
	"expanded":     "", // a group address
}

type adapter struct{ *eventgrid.Receiver }

// New needs no settings: "auth_token" checks a header, "topics" restricts the
// endpoint to one's own resources.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{eventgrid.New(name, s)}, nil
}

type report struct {
	Recipient         wire.Text `json:"recipient,case:ignore"`
	Status            wire.Text `json:"status,case:ignore"`
	MessageID         wire.Text `json:"messageId,case:ignore"`         // shared by all recipients of a mail
	InternetMessageID wire.Raw  `json:"internetMessageId,case:ignore"` // read where there is no other
	AttemptTime       wire.Text `json:"deliveryAttemptTimeStamp,case:ignore"`
	Details           details   `json:"deliveryStatusDetails,case:ignore"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	messages := smtp.Excuser{Spell: apart}
	return eventgrid.Parse(name, r, func(b *providers.Batch, g *eventgrid.Event[report]) { read(b, g, &messages) })
}

func read(b *providers.Batch, g *eventgrid.Event[report], messages *smtp.Excuser) {
	if !g.Is(reportType) {
		return
	}
	d := &g.Data
	if d.Status == "" {
		b.Reject(providers.Malformed(name, "data.status", providers.ErrMissing))
		return
	}
	status := d.Status.Lower()
	kind, known := kinds[status]
	if !known {
		kind = recipient.SoftBounce
	}
	if kind == "" {
		return
	}
	e := recipient.Event{
		Kind: kind, At: g.At(d.AttemptTime), EventID: g.ID.String(), MessageID: d.MessageID.String(),
		Code: d.Status.String(), Rule: "azure-email-status", Detail: message(&d.Details), IDParts: []string{g.ID.String()},
	}
	if e.MessageID == "" {
		var id wire.Text
		if len(d.InternetMessageID) > 0 && wire.Decode(d.InternetMessageID, &id) == nil {
			e.MessageID = smtp.MessageID(id.String())
		}
	}
	if e.EventID == "" {
		e.IDParts = []string{e.MessageID, e.Code, d.AttemptTime.String()}
	}
	switch status {
	case "bounced":
		if messages.Excuses(e.Detail) {
			e.Kind, e.Rule = recipient.SoftBounce, "azure-email-message"
		}
	case "failed":
		v := smtp.Classify(smtp.Reply{Text: apart(e.Detail)})
		e.Kind, e.Rule = v.Kind, v.Rule
	}
	b.AddTo(recipient.Email, "data.recipient", smtp.Bare(d.Recipient.String()), e)
}

// apart puts spaces into a message that is one word, such as
// "DestinationMailboxFull" in Microsoft's own example.
func apart(s string) string {
	if strings.IndexByte(s, ' ') >= 0 || strings.ContainsAny(s, "\t\r\n") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if i > 0 && 'A' <= s[i] && s[i] <= 'Z' && 'a' <= s[i-1] && s[i-1] <= 'z' {
			b.WriteByte(' ')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// details are the server's words, which have no published grammar: in an object,
// and plain text in the SMS reports of the same resource.
type details = wire.Loose[wire.Either[struct {
	Message wire.Text `json:"statusMessage,case:ignore"`
}]]

func message(d *details) string {
	if t := d.V.V.Message.String(); t != "" {
		return t
	}
	return d.V.Text.String()
}
