// Package smtp2go reads SMTP2GO's webhooks, e-mail and SMS, in JSON or as a
// form.
//
// Payload: https://developers.smtp2go.com/docs/webhooks-overview
// Authentication: https://support.smtp2go.com/hc/en-gb/articles/223087967 (both
// read 2026-11-20). Nothing is signed; a secret in the URL, Basic auth or a
// header of one's own.
package smtp2go

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "smtp2go"

// mailKinds translates "event" of mail; a bounce is judged by more. What is not
// listed is not about delivery; a reject was never sent, for an older reason or
// for none of the address.
var mailKinds = map[string]recipient.Kind{
	"bounce":      recipient.SoftBounce,
	"spam":        recipient.Complaint,
	"unsubscribe": recipient.OptOut,
	// The link on the unsubscribe page, or staff who removed a suppression: not told apart.
	"resubscribe": recipient.Reactivation,
	"delivered":   recipient.Delivered,
}

// textKinds translates "event" of SMS. A failure is never hard: faulty numbers,
// gateways, blocks and duplicates are not told apart.
var textKinds = map[string]recipient.Kind{
	"sms_delivered": recipient.Delivered,
	"sms_failed":    recipient.SoftBounce,
	"sms_rejected":  recipient.SoftBounce,
	"opt_out":       recipient.OptOut,
	"sms_opt_out":   recipient.OptOut,
}

type adapter struct{ token.Header }

// New needs no settings; without "auth_token" the endpoint must have basic_auth
// or a path_secret.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{token.New(name, s)}, nil
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return sms.EachParams(name, r, read)
}

func read(b *providers.Batch, p sms.Params) {
	event := strings.ReplaceAll(strings.ToLower(p.Get("event")), "-", "_")
	switch kind := mailKinds[event]; {
	case kind != "":
		mail(b, p, event, kind)
	case textKinds[event] != "":
		text(b, p, event, textKinds[event])
	case event == "" && !p.Empty():
		b.Reject(providers.Malformed(name, "event", providers.ErrMissing))
	}
}

// mail reads an event of one recipient of a mail. "recipients" lists them all,
// and "id" may be the webhook's own: neither is read.
func mail(b *providers.Batch, p sms.Params, event string, kind recipient.Kind) {
	at := p.Get("time")
	e := recipient.Event{Kind: kind, At: wire.Time(at), MessageID: p.Get("email_id"), Rule: "smtp2go-event", Detail: p.Get("message")}
	if e.MessageID == "" {
		e.MessageID = smtp.MessageID(p.Get("message-id"))
	}
	if event == "bounce" {
		verdict := strings.ToLower(p.Get("bounce"))
		e.Code, e.Rule = verdict, "smtp2go-bounce"
		switch {
		case verdict != "hard":
		case smtp.Excuses(smtp.Reply{Text: e.Detail}):
			e.Rule = "smtp2go-message"
		default:
			e.Kind = recipient.HardBounce
		}
	}
	// email_id is shared by all recipients of the mail, of whom the event has one.
	e.IDParts = []string{event, e.MessageID, at, e.Code}
	b.AddTo(recipient.Email, "rcpt", smtp.Bare(p.Get("rcpt")), e)
}

func text(b *providers.Batch, p sms.Params, event string, kind recipient.Kind) {
	at := p.Get("time", "received_timestamp", "submitted_timestamp")
	e := recipient.Event{Kind: kind, At: wire.Time(at), MessageID: p.Get("message_id"), Code: p.Get("status_code"), Rule: "smtp2go-event", Detail: p.Get("message")}
	if kind == recipient.OptOut {
		e.Code = sms.MSISDN(p.Get("source_number"))
	}
	e.IDParts = []string{event, e.MessageID, at, e.Code}
	b.AddTo(recipient.SMS, "destination_number", sms.MSISDN(p.Get("destination_number")), e)
}
