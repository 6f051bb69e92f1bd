// Package sendgrid reads the Event Webhook of Twilio SendGrid, version 3.
//
// Events: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
// Classes: https://docs.sendgrid.com/ui/analytics-and-reporting/bounce-and-block-classifications
// Signature: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
// (read 2026-11-20): ECDSA over the timestamp header and the raw body.
package sendgrid

import (
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const (
	name            = "sendgrid"
	signatureHeader = "X-Twilio-Email-Event-Webhook-Signature"
	timestampHeader = "X-Twilio-Email-Event-Webhook-Timestamp"
)

// kinds translates "event". Bounces and drops need more than the word; events
// that are not listed (processed, open, click, account events) are not about
// delivery.
var kinds = map[string]recipient.Kind{
	"bounce":            recipient.HardBounce,
	"dropped":           recipient.HardBounce,
	"blocked":           recipient.SoftBounce, // not documented as an event of its own, but some report it
	"deferred":          recipient.SoftBounce,
	"spamreport":        recipient.Complaint,
	"unsubscribe":       recipient.OptOut,
	"group_unsubscribe": recipient.OptOut,
	"group_resubscribe": recipient.Reactivation,
	"delivered":         recipient.Delivered,
}

// drops translates the whole "reason" of a dropped message, in lower case.
// Most say that SendGrid's own list holds the address; reasons that are not
// listed are about the message or the account.
var drops = map[string]struct {
	kind recipient.Kind
	echo bool
}{
	"bounced address":        {recipient.HardBounce, true},
	"invalid":                {recipient.HardBounce, false},
	"unsubscribed address":   {recipient.OptOut, true},
	"spam reporting address": {recipient.Complaint, true},
}

// messageClasses are the values of "bounce_classification" that speak of the
// message, the sender or the day, in lower case. SendGrid writes them
// capitalised, some receivers compare in lower case.
var messageClasses = map[string]bool{
	"content": true, "reputation": true, "technical": true, "technical failure": true, "frequency or volume too high": true,
}

// vagueClasses are refusals that SendGrid itself calls no proof of a bad
// address: full, suspended, too vague to read.
var vagueClasses = map[string]bool{"mailbox unavailable": true, "unclassified": true}

type adapter struct{ keys []crypto.PublicKey }

// New reads the setting "public_key". Without it the endpoint must have a path
// secret or Basic credentials: SendGrid signs only where it is told to.
func New(s providers.Settings) (providers.Adapter, error) {
	keys, err := sign.PublicKeys(s.All("public_key"))
	if err != nil {
		return nil, providers.SettingError("public_key", err.Error())
	}
	return adapter{keys}, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.keys) == 0 {
		return nil
	}
	signature, at := r.Header.Get(signatureHeader), r.Header.Get(timestampHeader)
	if signature == "" || at == "" {
		return providers.Unauthentic(name, "the signature headers are missing: switch Signed Event Webhook on at SendGrid")
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return providers.Unauthentic(name, "the signature header is no base64")
	}
	if !sign.PublicKeyMatch(a.keys, crypto.SHA256, raw, []byte(at), r.Body) {
		return providers.Unauthentic(name, "the signature does not match: compare public_key with the verification key of this webhook; switching its signing off and on makes a new one")
	}
	return r.Fresh(wire.Time(at))
}

// event is one event with the members we read. Custom arguments stand flat
// among them, of any name and type, so each member is read leniently and only
// where the event is known to have it.
type event struct {
	Event     wire.Text `json:"event"`
	Email     wire.Text `json:"email"`
	Timestamp wire.Text `json:"timestamp"`
	EventID   wire.Text `json:"sg_event_id"`
	MessageID wire.Text `json:"sg_message_id"` // empty for asynchronous bounces
	Type      wire.Text `json:"type"`
	Class     wire.Text `json:"bounce_classification"`
	Status    wire.Text `json:"status"`
	Reason    wire.Text `json:"reason"`
	Response  wire.Text `json:"response"`
	Attempt   wire.Text `json:"attempt"`
	Group     wire.Text `json:"asm_group_id"`
}

func (adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return batch.Done(batch.Indexed(name, "", r.Body, func(b *providers.Batch, i int, ev *event) {
		if ev == nil {
			b.Reject(providers.Malformed(name, fmt.Sprintf("[%d]", i), providers.ErrNotJSON))
		} else if ev.Event == "" {
			b.Reject(providers.Malformed(name, fmt.Sprintf("[%d].event", i), providers.ErrMissing))
		} else if e := ev.read(); e.Kind != "" {
			b.AddTo(recipient.Email, "email", smtp.Bare(ev.Email.String()), e)
		}
	}))
}

// read returns the event without its address; no kind: nothing to keep.
func (ev *event) read() recipient.Event {
	kind := ev.Event.Lower()
	e := recipient.Event{Kind: kinds[kind], At: ev.Timestamp.Time(), EventID: ev.EventID.String(), MessageID: ev.MessageID.String()}
	if e.Kind == "" {
		return e
	}
	switch kind {
	case "bounce", "blocked":
		e.Detail = ev.Reason.String()
		e.Kind, e.Rule, e.Code = ev.bounce(kind)
	case "dropped":
		d := drops[ev.Reason.Lower()]
		e.Kind, e.Echo, e.Rule = d.kind, d.echo, "sendgrid-dropped"
		e.Code, e.Detail = ev.Reason.String(), ev.Reason.String()
	case "deferred":
		e.Detail, e.Rule = ev.Response.String(), "sendgrid-deferred"
		if e.Code = smtp.EnhancedCode(e.Detail); e.Code == "" {
			e.Code = smtp.BasicCode(e.Detail)
		}
	case "delivered":
		e.Detail = ev.Response.String()
	case "group_unsubscribe", "group_resubscribe":
		if ev.Group != "" {
			e.Code = "group " + ev.Group.String()
		}
	}
	// Not sg_event_id: a request that is sent again has been seen with new ones.
	e.IDParts = []string{kind, e.MessageID, ev.Timestamp.String(), ev.Type.String(), ev.Status.String(), ev.Attempt.String(), ev.Group.String()}
	if e.MessageID == "" && ev.Timestamp == "" {
		e.IDParts = []string{kind, e.EventID}
	}
	return e
}

// bounce judges a bounce. A block is never hard, whatever its code says: the
// server refused the message, and SendGrid itself goes on sending.
func (ev *event) bounce(kind string) (recipient.Kind, string, string) {
	code, spared := smtp.Spares(smtp.Reply{Status: ev.Status.String(), Text: ev.Reason.String()})
	if code == "" {
		code = ev.Status.String()
	}
	class := ev.Class.Lower()
	switch t := ev.Type.Lower(); {
	case kind == "blocked" || t == "blocked":
		return recipient.SoftBounce, "sendgrid-blocked", code
	case t != "" && t != "bounce": // "expired" once, or a new one
		return recipient.SoftBounce, "sendgrid-type", code
	case messageClasses[class]:
		return recipient.SoftBounce, "sendgrid-class", code
	case spared:
		return recipient.SoftBounce, "sendgrid-code", code
	case vagueClasses[class]:
		for _, proof := range []string{code, smtp.EnhancedCode(ev.Reason.String())} {
			if strings.HasPrefix(proof, "5.1.") && proof != "5.1.7" && proof != "5.1.8" { // those two are about the sender's address
				return recipient.HardBounce, "sendgrid-class-5.1", proof
			}
		}
		return recipient.SoftBounce, "sendgrid-class", code
	}
	return recipient.HardBounce, "sendgrid-bounce", code
}
