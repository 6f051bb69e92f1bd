// Package ahasend reads AhaSend's webhooks.
//
// Payloads: https://ahasend.com/docs/integrations/webhooks and
// https://ahasend.com/docs/api-reference/webhooks. Signature: Standard Webhooks
// with the secret's text as the key, as https://github.com/AhaSend/ahasend-go
// checks it (read 2026-11-20).
package ahasend

import (
	"context"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/svix"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "ahasend"

// kinds translates "type" after "message."; types that are not listed,
// suppressions among them, tell nothing new of the address.
var kinds = map[string]recipient.Kind{
	"bounced":         recipient.HardBounce, // refused at once or by a later mail; unless judge finds another reason
	"failed":          recipient.SoftBounce, // given up after deferrals; one page calls it a hard bounce, so it is unclear and never blocks
	"transient_error": recipient.SoftBounce,
	"delivered":       recipient.Delivered,
}

// bouncedSetting says what message.bounced becomes.
const bouncedSetting = "bounced"

type adapter struct {
	signature *svix.Verifier
	bounced   recipient.Kind
}

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	v, err := svix.NewRaw(name, s)
	if err != nil {
		return nil, err
	}
	a := adapter{v, recipient.Kind(s.Get(bouncedSetting, string(recipient.HardBounce)))}
	if a.bounced != recipient.HardBounce && a.bounced != recipient.SoftBounce {
		return nil, providers.SettingError(bouncedSetting, "expected hard_bounce or soft_bounce")
	}
	return a, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error { return a.signature.Verify(r) }

// body is one webhook. Its webhook_id names the configured webhook and is the
// same in all of them; the header's tells them apart.
type body struct {
	Type      wire.Text `json:"type"`
	Timestamp wire.Text `json:"timestamp"`
	Data      struct {
		Event     wire.Text `json:"event"`
		Recipient wire.Text `json:"recipient"`
		ID        wire.Text `json:"id"`
		MessageID wire.Text `json:"message_id_header"`

		Attempt wire.Object[attempt] `json:"delivery_attempt"`
	} `json:"data"`
}

// attempt is what one delivery attempt ended with. Older payloads have none, nor
// have bounces that came by a later mail.
type attempt struct {
	Class    wire.Text `json:"classification"`
	Code     wire.Text `json:"smtp_code"` // 0: none
	Enhanced wire.Text `json:"enhanced_status_code"`
	Response wire.Text `json:"response"`
}

// classes are the classifications of a refusal, in lower case; true: of one that
// may be about the address. The list is open.
var classes = map[string]bool{
	"": true, "uncategorized": true, "invalidrecipient": true, "baddomain": true, "inactivemailbox": true,
	"invalidsender": false, "quotaissues": false, "noanswerfromhost": false, "badconnection": false, "dnsfailure": false, "routingerrors": false,
	"transientfailure": false, "messageexpired": false, "protocolerrors": false, "authenticationfailed": false, "policyrelated": false,
}

// judge keeps a bounce hard unless AhaSend's classification or the server's reply
// names another reason than the address, or there was no reply to the attempt.
// With a classification that we do not know the reply must prove it.
func (a *attempt) judge(e *recipient.Event) {
	e.Detail = a.Response.String()
	if e.Kind == recipient.Delivered {
		return
	}
	reply := smtp.Reply{Status: a.Enhanced.String(), Code: a.Code.String(), Text: e.Detail}
	code, spared := smtp.Spares(reply)
	if code != "" {
		e.Code = code
	}
	class, known := classes[a.Class.Lower()]
	switch {
	case e.Kind != recipient.HardBounce:
	case !known:
		v := smtp.Classify(reply)
		e.Kind, e.Rule = v.Kind, v.Rule
	case !class:
		e.Kind, e.Rule = recipient.SoftBounce, "ahasend-classification"
	case spared, a.Code == "0" && code == "":
		e.Kind, e.Rule = recipient.SoftBounce, "ahasend-reply"
	}
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var m body
	if err := wire.Decode(r.Body, &m); err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	d := &m.Data
	kind, message := strings.CutPrefix(m.Type.Lower(), "message.")
	if m.Type == "" {
		if kind, message = strings.CutPrefix(d.Event.Lower(), "on_"); d.Event == "" {
			return nil, providers.Malformed(name, "type", providers.ErrMissing)
		}
	}
	e := recipient.Event{Kind: kinds[kind], At: m.Timestamp.Time(), EventID: svix.ID(r), MessageID: smtp.MessageID(d.MessageID.String()), Code: kind, Rule: "ahasend-type"}
	if !message || e.Kind == "" {
		return nil, nil
	}
	if e.Kind == recipient.HardBounce {
		e.Kind = a.bounced
	}
	d.Attempt.V.judge(&e)
	if e.MessageID == "" {
		e.MessageID = d.ID.String()
	}
	e.IDParts = []string{e.EventID}
	if e.EventID == "" { // only on an endpoint that is explicitly unsigned
		e.IDParts = []string{kind, d.ID.String(), e.MessageID, m.Timestamp.String()}
	}
	b := providers.NewBatch(name, 1)
	b.AddTo(recipient.Email, "data.recipient", smtp.Bare(d.Recipient.String()), e)
	return b.Done()
}
