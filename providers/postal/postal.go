// Package postal reads the webhooks of Postal, the self-hosted mail server.
//
// Payloads: https://docs.postalserver.io/developer/webhooks, inside the envelope
// of https://github.com/postalserver/postal (webhook_delivery_service.rb).
// Signature: X-Postal-Signature-256 is the base64 RSA signature (PKCS #1 v1.5,
// SHA-256) of the body with the installation's key; X-Postal-Signature is the
// same with SHA-1 (read 2026-11-20).
package postal

import (
	"context"
	"crypto"
	"encoding/base64"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "postal"

// bounced is the event whose recipient is not that of its message.
const bounced = "messagebounced"

// kinds translates "event" in lower case; events that are not listed (held messages, clicks,
// limits, DNS) are not about delivery.
var kinds = map[string]recipient.Kind{
	"messagesent":           recipient.Delivered,
	"messagedelayed":        recipient.SoftBounce,
	"messagedeliveryfailed": recipient.HardBounce, // if judge agrees
	bounced:                 recipient.SoftBounce, // a later bounce mail, of which nothing is told
}

// statuses name the event of a payload without its envelope, the form that the
// documentation shows.
var statuses = map[string]string{"sent": "messagesent", "softfail": "messagedelayed", "hardfail": "messagedeliveryfailed"}

type adapter struct {
	keys []crypto.PublicKey
	sha1 bool
}

// New needs the setting "public_key". With "signature_method: sha1" it accepts
// the signature of Postal before version 3 where there is no other.
func New(s providers.Settings) (providers.Adapter, error) {
	texts, err := s.Secrets("public_key")
	if err != nil {
		return nil, err
	}
	a := adapter{}
	for _, t := range texts {
		keys, err := publicKeys(string(t))
		if err != nil {
			return nil, providers.SettingError("public_key", "expected the p= value of `postal default-dkim-record`, PEM, or the JSON of /.well-known/jwks.json")
		}
		a.keys = append(a.keys, keys...)
	}
	switch s.Get("signature_method", "sha256") {
	case "sha256":
	case "sha1":
		a.sha1 = true
	default:
		return nil, providers.SettingError("signature_method", "expected sha256 or sha1")
	}
	return a, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.keys) == 0 {
		return nil
	}
	hash, text := crypto.SHA256, r.Header.Get("X-Postal-Signature-256")
	if text == "" {
		hash, text = crypto.SHA1, r.Header.Get("X-Postal-Signature")
		switch {
		case text == "":
			return providers.Unauthentic(name, "the X-Postal-Signature-256 header is missing")
		case !a.sha1:
			return providers.Unauthentic(name, "only the SHA-1 signature is present, as from Postal before version 3: set signature_method to sha1 to accept it")
		}
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !sign.PublicKeyMatch(a.keys, hash, signature, r.Body) {
		return providers.Unauthentic(name, "the signature does not match: compare public_key with `postal default-dkim-record`")
	}
	return nil
}

type message struct {
	ID        wire.Text `json:"id"`
	Token     wire.Text `json:"token"`
	Direction wire.Text `json:"direction"`
	MessageID wire.Text `json:"message_id"`
	To        wire.Text `json:"to"`
}

type payload struct {
	Message   message   `json:"message"`
	Original  message   `json:"original_message"`
	Status    wire.Text `json:"status"`
	Details   wire.Text `json:"details"`
	Output    wire.Text `json:"output"`
	Timestamp wire.Text `json:"timestamp"`
}

type envelope struct {
	Event     wire.Text `json:"event"`
	Timestamp wire.Text `json:"timestamp"`
	UUID      wire.Text `json:"uuid"`
	Payload   payload   `json:"payload"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var m envelope
	if err := wire.Decode(r.Body, &m); err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	kind := m.Event.Lower()
	if kind == "" {
		// Inbound mail that Postal hands to an HTTP endpoint is signed with the same
		// key. It has another form and no status, and is no event.
		if wire.Decode(r.Body, &m.Payload) != nil {
			return nil, nil
		}
		kind = statuses[m.Payload.Status.Lower()]
		if kind == "" && m.Payload.Original.To != "" {
			kind = bounced
		}
	}
	p, msg, field := &m.Payload, &m.Payload.Message, "payload.message.to"
	if kind == bounced {
		msg, field = &p.Original, "payload.original_message.to"
	}
	e := recipient.Event{
		Kind: kinds[kind], At: p.Timestamp.Time(), EventID: m.UUID.String(), MessageID: smtp.MessageID(msg.MessageID.String()),
		Code: p.Status.String(), Detail: p.detail(), IDParts: []string{m.UUID.String()},
	}
	if e.Kind == "" || msg.Direction.Lower() == "incoming" {
		return nil, nil
	}
	if e.At.IsZero() {
		e.At = m.Timestamp.Time()
	}
	if e.MessageID == "" {
		e.MessageID = msg.Token.String()
	}
	if e.EventID == "" {
		e.IDParts = []string{kind, msg.ID.String(), msg.Token.String(), p.Status.String(), p.Timestamp.String()}
	}
	if e.Kind == recipient.HardBounce {
		e.Kind, e.Rule = p.judge()
	}
	b := providers.NewBatch(name, 1)
	b.AddTo(recipient.Email, field, smtp.Bare(msg.To.String()), e)
	return b.Done()
}

// judge decides a HardFail, which is any reply of class 5, and also what Postal
// gives up on by itself.
func (p *payload) judge() (recipient.Kind, string) {
	output := p.Output.String()
	if d := p.Details.String(); d != "" && !strings.HasPrefix(d, "Permanent SMTP delivery error") {
		return recipient.SoftBounce, "postal-gave-up"
	}
	if !strings.HasPrefix(output, "5") || smtp.BasicCode(output) == "" {
		return recipient.SoftBounce, "postal-no-reply"
	}
	v := smtp.Classify(smtp.Reply{Text: output})
	return v.Kind, v.Rule
}

func (p *payload) detail() string {
	d, o := p.Details.String(), p.Output.String()
	if d != "" && o != "" {
		return d + ": " + o
	}
	return d + o
}
