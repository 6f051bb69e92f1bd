// Package postmark reads Postmark's webhooks: bounces, spam complaints,
// subscription changes and deliveries.
//
// Payloads: https://postmarkapp.com/developer/webhooks/webhooks-overview and the
// pages below it (read 2026-11-20).
// Bounce types: https://postmarkapp.com/developer/api/bounce-api
// Signature: none; Basic authentication in the webhook's settings.
package postmark

import (
	"context"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "postmark"

// meaning is what one bounce type becomes; the zero meaning is no event.
type meaning struct {
	kind recipient.Kind
	echo bool
}

// bounces translates "Type" of a bounce, in lower case. The number beside it
// ("TypeCode") differs between Postmark's own documents and is not read. Types
// that are not listed are soft.
var bounces = map[string]meaning{
	"hardbounce":          {kind: recipient.HardBounce},
	"bademailaddress":     {kind: recipient.HardBounce},
	"softbounce":          {kind: recipient.SoftBounce},
	"spamcomplaint":       {kind: recipient.Complaint},
	"unsubscribe":         {kind: recipient.OptOut},             // a reply that asked for removal
	"manuallydeactivated": {kind: recipient.OptOut, echo: true}, // the operator's own act at Postmark
	// Nothing about the address:
	"autoresponder": {}, "addresschange": {}, "subscribe": {}, "unconfirmed": {},
	"smtpapierror": {}, "templaterenderingfailed": {}, "inbounderror": {},
}

// testMessage is the message id of posts that the "Send test" button makes.
const testMessage = "00000000-0000-0000-0000-000000000000"

type adapter struct{}

// New needs no settings: Postmark signs nothing, so the endpoint must have
// basic_auth or a path_secret.
func New(providers.Settings) (providers.Adapter, error) { return adapter{}, nil }

// Verify has nothing to check: the endpoint's guard did.
func (adapter) Verify(context.Context, *providers.Request) error { return nil }

// record is one webhook of any type.
type record struct {
	RecordType    wire.Text
	ID            wire.Text // int64, of bounces and complaints
	Type          wire.Text
	MessageID     wire.Text // null for changes that staff made
	MessageStream wire.Text
	Email         wire.Text // of bounces and complaints
	Recipient     wire.Text // of all others
	Details       wire.Text
	Description   wire.Text
	FromFull      wire.Raw  // of inbound mail
	ReceivedAt    wire.Text // of opens and clicks

	BouncedAt, DeliveredAt, ChangedAt wire.Text

	Origin            wire.Text
	SuppressSending   wire.Text
	SuppressionReason wire.Text
}

func (adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var rec record
	if err := wire.Decode(r.Body, &rec); err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	if rec.MessageID == testMessage {
		return nil, nil
	}
	b := providers.NewBatch(name, 1)
	switch rec.kind() {
	case "bounce":
		rec.bounce(b)
	case "spamcomplaint":
		rec.Type = "SpamComplaint"
		rec.bounce(b)
	case "subscriptionchange":
		rec.change(b)
	case "delivery":
		b.AddTo(recipient.Email, "Recipient", smtp.Bare(rec.Recipient.String()), recipient.Event{
			Kind: recipient.Delivered, At: rec.DeliveredAt.Time(), MessageID: rec.MessageID.String(),
			IDParts: []string{"Delivery", rec.MessageID.String(), rec.DeliveredAt.String()}, Detail: rec.Details.String(),
		})
	case "":
		return nil, providers.Malformed(name, "RecordType", providers.ErrMissing)
	}
	return b.Done()
}

// kind returns the type of a webhook in lower case. The hooks of old servers do
// not name it, but each has members of its own.
func (rec *record) kind() string {
	switch {
	case rec.RecordType != "":
		return rec.RecordType.Lower()
	case rec.Type != "" && (rec.Email != "" || rec.BouncedAt != ""):
		return "bounce"
	case rec.DeliveredAt != "" && rec.Recipient != "":
		return "delivery"
	case len(rec.FromFull) > 0, rec.ReceivedAt != "" && rec.Recipient != "":
		return "inbound, open or click"
	}
	return ""
}

// bounce reads bounces and spam complaints, which have the same form. A soft
// bounce that turns hard is another record with another ID.
func (rec *record) bounce(b *providers.Batch) {
	m, known := bounces[rec.Type.Lower()]
	if !known {
		m.kind = recipient.SoftBounce
	}
	if m.kind == "" {
		return
	}
	e := recipient.Event{
		Kind: m.kind, Echo: m.echo, At: rec.BouncedAt.Time(), EventID: rec.ID.String(), MessageID: rec.MessageID.String(),
		Code: rec.Type.String(), Rule: "postmark-bounce-type", Detail: rec.Details.String(),
	}
	if e.Detail == "" {
		e.Detail = rec.Description.String()
	}
	e.IDParts = []string{e.EventID}
	if e.EventID == "" || e.EventID == "0" {
		e.IDParts = []string{"Bounce", e.MessageID, e.Code, rec.BouncedAt.String()}
	}
	b.AddTo(recipient.Email, "Email", smtp.Bare(rec.Email.String()), e)
}

// change reads a change of Postmark's suppression list. What a bounce or a
// complaint caused has its own webhook, so it is an echo here.
func (rec *record) change(b *providers.Batch) {
	reason := rec.SuppressionReason.Lower()
	e := recipient.Event{
		At: rec.ChangedAt.Time(), MessageID: rec.MessageID.String(), Code: rec.SuppressionReason.String(), Rule: "postmark-suppression",
		IDParts: []string{"SubscriptionChange", rec.MessageID.String(), rec.SuppressSending.Lower(), reason, rec.MessageStream.String(), rec.ChangedAt.String()},
	}
	if rec.Origin != "" {
		e.Detail = "origin " + rec.Origin.String()
	}
	switch {
	case rec.SuppressSending == "" && reason == "":
		b.Reject(providers.Malformed(name, "SuppressSending", providers.ErrMissing))
		return
	case rec.SuppressSending != "" && !rec.SuppressSending.Bool():
		e.Kind, e.Code = recipient.Reactivation, rec.MessageStream.String()
	case reason == "hardbounce":
		e.Kind, e.Echo = recipient.HardBounce, true
	case reason == "spamcomplaint":
		e.Kind, e.Echo = recipient.Complaint, true
	default:
		// ManualSuppression is how every unsubscribe arrives. A reason we do not know
		// counts the same when the recipient gave it.
		e.Kind, e.Code = recipient.OptOut, rec.MessageStream.String()
		e.Echo = reason != "manualsuppression" && rec.Origin.Lower() != "recipient"
	}
	b.AddTo(recipient.Email, "Recipient", smtp.Bare(rec.Recipient.String()), e)
}
