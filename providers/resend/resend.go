// Package resend reads Resend's webhooks.
//
// Payloads: https://resend.com/docs/dashboard/webhooks/event-types and
// https://resend.com/docs/dashboard/emails/email-bounces (read 2026-11-20).
// Signature: Svix, https://docs.svix.com/receiving/verifying-payloads/how-manual
package resend

import (
	"context"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/svix"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "resend"

// kinds translates "type"; types that are not listed are not about delivery.
// Bounces and contacts need a closer look.
var kinds = map[string]recipient.Kind{
	"email.bounced":          recipient.HardBounce,
	"email.delivery_delayed": recipient.SoftBounce,
	"email.failed":           recipient.SoftBounce, // quota, template, sender: nothing about the address
	"email.complained":       recipient.Complaint,
	"email.delivered":        recipient.Delivered,
	"contact.updated":        recipient.OptOut,
}

type adapter struct{ signature *svix.Verifier }

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	v, err := svix.New(name, s)
	if err != nil {
		return nil, err
	}
	return adapter{v}, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error { return a.signature.Verify(r) }

// body is one webhook of any type.
type body struct {
	Type      wire.Text `json:"type"`
	CreatedAt wire.Text `json:"created_at"`
	Data      struct {
		EmailID wire.Text `json:"email_id"`
		To      wire.List `json:"to"`
		Cc      wire.List `json:"cc"`
		Bcc     wire.List `json:"bcc"`
		Bounce  bounce    `json:"bounce"`
		Failed  struct {
			Reason wire.Text `json:"reason"`
		} `json:"failed"`
		// Of contacts:
		Email        wire.Text `json:"email"`
		Unsubscribed wire.Text `json:"unsubscribed"`
		AudienceID   wire.Text `json:"audience_id"`
	} `json:"data"`
}

// bounce has Amazon SES' vocabulary.
type bounce struct {
	Message wire.Text `json:"message"`
	Type    wire.Text `json:"type"`
	SubType wire.Text `json:"subType"`
	// What the other server said, in newer payloads. Some have it, the rest only
	// Amazon's advice in Message.
	Diagnostic wire.List `json:"diagnosticCode"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var m body
	if err := wire.Decode(r.Body, &m); err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	kind := m.Type.Lower()
	if kind == "" {
		return nil, providers.Malformed(name, "type", providers.ErrMissing)
	}
	d := &m.Data
	e := recipient.Event{Kind: kinds[kind], At: m.CreatedAt.Time(), EventID: svix.ID(r), MessageID: d.EmailID.String()}
	e.IDParts = []string{e.EventID}
	if e.EventID == "" { // only on an endpoint that is explicitly unsigned
		e.IDParts = []string{kind, e.MessageID, d.Bounce.Type.String(), m.CreatedAt.String()}
	}
	b := providers.NewBatch(name, len(d.To))
	// Every event of a mail names all its "to" addresses and not the one it is about.
	several := len(d.To)+len(d.Cc)+len(d.Bcc) > 1
	switch {
	case e.Kind == "":
		return nil, nil
	case e.Kind == recipient.OptOut:
		if d.Unsubscribed.Bool() { // any other edit of a contact says nothing
			e.Code, e.Rule = d.AudienceID.String(), "resend-contact"
			b.AddTo(recipient.Email, "data.email", smtp.Bare(d.Email.String()), e)
		}
		return b.Done()
	case kind == "email.bounced":
		e.Kind, e.Rule = d.Bounce.kind(several)
		if e.Kind == "" {
			return nil, nil
		}
		e.Code, e.Detail = d.Bounce.code(), d.Bounce.words()
	case kind == "email.failed":
		e.Detail = d.Failed.Reason.String()
	case e.Kind == recipient.Complaint && several:
		// One of them complained. Nobody is opted out by a guess: an administrator decides.
		b.Reject(providers.Unresolved(name, "data.to"))
		return b.Done()
	}
	if len(d.To) == 0 {
		b.Reject(providers.Unresolved(name, "data.to"))
	}
	for _, to := range d.To {
		b.AddTo(recipient.Email, "data.to", smtp.Bare(to), e)
	}
	return b.Done()
}

// kind judges a bounce; "" is an echo of Resend's own list, which says nothing new.
func (b bounce) kind(several bool) (recipient.Kind, string) {
	permanent, sub := b.Type.Lower() == "permanent", b.SubType.Lower()
	switch {
	case permanent && (sub == "suppressed" || sub == "onaccountsuppressionlist" || sub == "ontenantsuppressionlist"):
		return "", ""
	case b.Type == "": // payloads before 2025 had only the message
		permanent = strings.Contains(strings.ToLower(string(b.Message)), "hard bounce message")
	case sub != "general" && sub != "noemail":
		permanent = false
	}
	switch {
	case !permanent:
		return recipient.SoftBounce, "resend-bounce"
	case several:
		return recipient.SoftBounce, "resend-several-recipients"
	case aboutMessage(b.Message.String()), smtp.Excuses(smtp.Reply{Text: strings.Join(b.Diagnostic, "\n")}):
		return recipient.SoftBounce, "resend-bounce-smtp"
	}
	return recipient.HardBounce, "resend-bounce"
}

// aboutMessage reports whether the message quotes an SMTP reply that speaks of
// the mail, the sender, a policy or a full mailbox. Without a code it is
// Amazon's advice, which warns of one's reputation in every text.
func aboutMessage(text string) bool {
	return smtp.EnhancedCode(text) != "" && smtp.Excuses(smtp.Reply{Text: text})
}

// words prefers the other server's reply to Amazon's advice.
func (b bounce) words() string {
	if len(b.Diagnostic) > 0 {
		return strings.Join(b.Diagnostic, " ")
	}
	return b.Message.String()
}

func (b bounce) code() string {
	if b.SubType == "" {
		return b.Type.String()
	}
	return b.Type.String() + "/" + b.SubType.String()
}
