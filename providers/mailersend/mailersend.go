// Package mailersend reads MailerSend's e-mail webhooks, in the nested and in
// the flat form.
//
// Payloads and signature:
// https://developers.mailersend.com/api/v1/account/webhooks.html (read
// 2026-11-20). The Signature header is the hex HMAC-SHA256 of the body.
package mailersend

import (
	"context"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "mailersend"

// kinds translates "type" after "activity."; types that are not listed are not
// about delivery.
var kinds = map[string]recipient.Kind{
	"hard_bounced":   recipient.HardBounce,
	"soft_bounced":   recipient.SoftBounce,
	"deferred":       recipient.SoftBounce,
	"spam_complaint": recipient.Complaint,
	"unsubscribed":   recipient.OptOut,
	"delivered":      recipient.Delivered,
}

// A new webhook is saved only after this ping was answered. It is signed with
// a published secret, which therefore proves nothing else.
const (
	pingType   = "webhook.test"
	pingSecret = "test_Am3L1GuOIc4blLUuHqAPxxwkZaJyEk8G" //nolint:gosec // published by MailerSend
)

type adapter struct {
	secrets [][]byte
	ping    [][]byte
}

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	secrets, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	return adapter{secrets, [][]byte{[]byte(pingSecret)}}, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.secrets) == 0 {
		return nil
	}
	got := r.Header.Get("Signature")
	switch {
	case got == "":
		return providers.Unauthentic(name, "the Signature header is missing")
	case sign.HexHMAC256(a.secrets, got, r.Body):
		return nil
	case sign.HexHMAC256(a.ping, got, r.Body):
		var m struct {
			Type string `json:"type"`
		}
		if wire.Decode(r.Body, &m) == nil && m.Type == pingType {
			return nil
		}
		return providers.Unauthentic(name, "an event is signed with the published test secret")
	}
	return providers.Unauthentic(name, "the signature does not match: compare signing_secret with the webhook's signing secret at MailerSend")
}

// body is one webhook. Email is the address in the flat form and an object in
// the nested one; Meta and Morph are an empty array or null when there is nothing,
// as Data may be in events that are about no mail.
type body struct {
	Type      wire.Text `json:"type"`
	CreatedAt wire.Text `json:"created_at"`
	Data      wire.Object[struct {
		ID        wire.Text `json:"id"`
		Type      wire.Text `json:"type"`
		CreatedAt wire.Text `json:"created_at"`
		MessageID wire.Text `json:"message_id"`
		EmailID   wire.Text `json:"email_id"`
		Email     wire.Raw  `json:"email"`
		Meta      wire.Raw  `json:"meta"`
		Morph     wire.Raw  `json:"morph"`
	}] `json:"data"`
}

// reason is what Meta and Morph hold.
type reason struct {
	Reason   wire.Text `json:"reason"`
	Readable wire.Text `json:"readable_reason"`
}

// nested is Email in the nested form.
type nested struct {
	Message struct {
		ID wire.Text `json:"id"`
	} `json:"message"`
	Recipient struct {
		Email wire.Text `json:"email"`
	} `json:"recipient"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var m body
	if err := wire.Decode(r.Body, &m); err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	d := &m.Data.V
	kind, activity := strings.CutPrefix(m.Type.Lower(), "activity.")
	if m.Type == "" {
		kind, activity = d.Type.Lower(), d.Type != ""
		if !activity {
			return nil, providers.Malformed(name, "type", providers.ErrMissing)
		}
	}
	e := recipient.Event{Kind: kinds[kind], EventID: d.ID.String(), MessageID: d.MessageID.String(), Code: kind, Rule: "mailersend-type"}
	if !activity || e.Kind == "" {
		return nil, nil
	}
	at := m.CreatedAt
	if at == "" {
		at = d.CreatedAt
	}
	e.At = at.Time()
	to, field := "", "data.email"
	switch d.Email.Kind() {
	case '"':
		var flat wire.Text
		if err := wire.Decode(d.Email, &flat); err != nil {
			return nil, providers.Malformed(name, field, providers.ErrNotJSON)
		}
		to = flat.String()
		if e.MessageID == "" {
			e.MessageID = d.EmailID.String()
		}
	case '{':
		var n nested
		if err := wire.Decode(d.Email, &n); err != nil {
			return nil, providers.Malformed(name, field, providers.ErrNotJSON)
		}
		to, field, e.MessageID = n.Recipient.Email.String(), "data.email.recipient.email", n.Message.ID.String()
	}
	why := reasonOf(d.Meta, d.Morph)
	e.Detail = why
	switch {
	case e.Kind == recipient.OptOut:
		e.Code = ""
	case e.Kind == recipient.HardBounce && smtp.Excuses(smtp.Reply{Text: why}):
		e.Kind, e.Rule = recipient.SoftBounce, "mailersend-reason"
	}
	e.IDParts = []string{e.EventID}
	if e.EventID == "" {
		e.IDParts = []string{kind, e.MessageID, at.String()}
	}
	b := providers.NewBatch(name, 1)
	b.AddTo(recipient.Email, field, smtp.Bare(to), e)
	return b.Done()
}

// reasonOf returns the words of the first object that has some.
func reasonOf(objects ...wire.Raw) string {
	for _, o := range objects {
		if o.Kind() != '{' {
			continue
		}
		var w reason
		if wire.Decode(o, &w) != nil {
			continue
		}
		if s := strings.TrimSpace(w.Reason.String() + " " + w.Readable.String()); s != "" {
			return s
		}
	}
	return ""
}
