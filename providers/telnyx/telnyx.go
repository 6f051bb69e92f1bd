// Package telnyx reads Telnyx's messaging webhooks (API v2).
//
// Payload: https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks
// Codes: https://developers.telnyx.com/docs/messaging/messages/error-codes
// Stop words: https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out
// (read 2026-11-20).
// Signature: telnyx-signature-ed25519 is the base64 Ed25519 signature of
// "<telnyx-timestamp>|<body>".
package telnyx

import (
	"context"
	"crypto"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "telnyx"

// blockedCode is judged by its words: an earlier STOP, or a sender that is not
// assigned to the profile.
const blockedCode = "40300"

// invalidCode is hard, but not from a short code: then it may as well be a
// contract without texts from those.
// https://support.telnyx.com/en/articles/6505121-telnyx-messaging-error-codes (read 2026-11-29)
const invalidCode = "40012"

// codes translates errors[].code; what is not listed is soft. "Blocked as spam
// (permanent)", 40003, is about the sender.
var codes = map[string]recipient.Kind{
	"40001":     recipient.HardBounce, // a landline or non-routable number
	invalidCode: recipient.HardBounce, // invalid destination number; see judge
	"40310":     recipient.HardBounce, // invalid "to" address
}

// failed are the statuses of a recipient that mean it got nothing. Those of
// old accounts are the last two. "delivery_unconfirmed" only lacks a receipt.
var failed = map[string]bool{"delivery_failed": true, "sending_failed": true, "expired": true, "gw_timeout": true, "dlr_timeout": true}

type adapter struct {
	keys  []crypto.PublicKey
	words *sms.Keywords
	codes sms.Codes
}

// New needs the setting "public_key".
func New(s providers.Settings) (providers.Adapter, error) {
	if _, err := s.Secrets("public_key"); err != nil {
		return nil, err
	}
	keys, err := sign.PublicKeys(s.All("public_key"))
	if err != nil {
		return nil, providers.SettingError("public_key", "expected the base64 public key of Account settings, Keys & credentials")
	}
	return adapter{keys, sms.Words(s), sms.NewCodes(s, "telnyx-code", codes)}, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.keys) == 0 {
		return nil
	}
	text, stamp := r.Header.Get("Telnyx-Signature-Ed25519"), r.Header.Get("Telnyx-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	switch {
	case text == "":
		return providers.Unauthentic(name, "the telnyx-signature-ed25519 header is missing")
	case err != nil || seconds <= 0 || stamp[0] == '+':
		return providers.Unauthentic(name, "the telnyx-timestamp header is not a time")
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !sign.PublicKeyMatch(a.keys, crypto.SHA256, signature, []byte(stamp+"|"), r.Body) {
		return providers.Unauthentic(name, "the signature does not match: compare public_key with the one in the Telnyx portal")
	}
	return r.Fresh(time.Unix(seconds, 0))
}

type failure struct {
	Code   wire.Text `json:"code"`
	Title  wire.Text `json:"title"`
	Detail wire.Text `json:"detail"`
}

type event struct {
	Type       wire.Text `json:"event_type"`
	ID         wire.Text `json:"id"`
	OccurredAt wire.Text `json:"occurred_at"`
	Raw        wire.Raw  `json:"payload"` // read when the type says that it is a message
	payload    payload
}

type payload struct {
	ID           wire.Text          `json:"id"`
	Type         wire.Text          `json:"type"`
	From         party              `json:"from"`
	To           parties            `json:"to"`
	CC           parties            `json:"cc"`
	Text         wire.Text          `json:"text"`
	Autoresponse wire.Text          `json:"autoresponse_type"`
	Errors       wire.Many[failure] `json:"errors"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var m struct {
		Data event `json:"data"`
	}
	if wire.Decode(r.Body, &m) != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	d, read := &m.Data, a.finalized
	switch d.Type.Lower() {
	case "message.finalized":
	case "message.received":
		read = a.received
	case "":
		return nil, providers.Malformed(name, "data.event_type", providers.ErrMissing)
	default: // calls, fax and verification share the envelope
		return nil, nil
	}
	if len(d.Raw) > 0 && wire.Decode(d.Raw, &d.payload) != nil {
		return nil, providers.Malformed(name, "data.payload", providers.ErrNotJSON)
	}
	if kind := d.payload.Type.Lower(); kind != "" && kind != "sms" && kind != "mms" { // RCS and WhatsApp say nothing of texts
		return nil, nil
	}
	b := providers.NewBatch(name, 1)
	read(b, d)
	return b.Done()
}

func (a adapter) finalized(b *providers.Batch, d *event) {
	p := &d.payload
	all, failures := append(p.To, p.CC...), 0
	for _, to := range all {
		if failed[to.Status.Lower()] {
			failures++
		}
	}
	bad := a.judge(p.Errors, failures, p.From.Number.String())
	if bad.Kind == recipient.OptOut && bad.Rule == "telnyx-stop" {
		bad.Code = p.From.Number.String() // the sender that the person stopped
	}
	if len(all) == 0 {
		b.Reject(providers.Unresolved(name, "data.payload.to"))
	}
	for _, to := range all {
		var e recipient.Event
		switch status := to.Status.Lower(); {
		case status == "delivered":
			e.Kind = recipient.Delivered
		case failed[status]:
			e = bad
		}
		if e.Kind != "" {
			a.add(b, d, "data.payload.to[].phone_number", to, e)
		}
	}
}

// judge returns the verdict of a message's errors, which do not say whose they
// are: among several failures only what all errors agree on, one for each,
// may be more than soft.
func (a adapter) judge(errs []failure, failures int, from string) recipient.Event {
	verdict := recipient.Event{Kind: recipient.SoftBounce, Rule: "telnyx-code"}
	agree := len(errs) >= failures
	for i, f := range errs {
		e := recipient.Event{Code: f.Code.String(), Detail: strings.TrimSpace(f.Title.String() + ": " + f.Detail.String())}
		e.Detail = strings.Trim(e.Detail, ": ")
		e.Kind, e.Rule = a.codes.Judge(e.Code)
		if e.Code == blockedCode && e.Rule == "telnyx-code" && speaksOfStop(e.Detail) {
			e.Kind, e.Rule = recipient.OptOut, "telnyx-stop"
		}
		if e.Code == invalidCode && e.Rule == "telnyx-code" && sms.IsShortCode(from) {
			e.Kind, e.Rule = recipient.SoftBounce, "telnyx-short-code"
		}
		agree = agree && (i == 0 || e.Kind == verdict.Kind)
		// What says more of the address counts; of equals the first.
		if i == 0 || weight(e.Kind) > weight(verdict.Kind) {
			verdict = e
		}
	}
	if failures > 1 && !agree && weight(verdict.Kind) > 0 {
		verdict.Kind, verdict.Rule = recipient.SoftBounce, "telnyx-several"
	}
	return verdict
}

func weight(k recipient.Kind) int {
	switch k {
	case recipient.OptOut:
		return 2
	case recipient.HardBounce:
		return 1
	}
	return 0
}

func speaksOfStop(words string) bool {
	words = strings.ToLower(words)
	return strings.Contains(words, "stop message") || strings.Contains(words, "block rule") || strings.Contains(words, "opted out")
}

// received trusts autoresponse_type: with Advanced Opt-In/Out the words are the
// operator's. Only a whole START of the person's own is an opt-in.
func (a adapter) received(b *providers.Batch, d *event) {
	p := &d.payload
	in := sms.Inbound{Text: string(p.Text), ID: p.ID.String(), Number: p.From.Number.String()}
	if len(p.To) > 0 {
		in.To = p.To[0].Number.String()
	}
	e, known := a.words.Event(in)
	var want recipient.Kind
	switch p.Autoresponse.Lower() {
	case "stop":
		want = recipient.OptOut
	case "start":
		want = recipient.OptIn
	case "":
		want = e.Kind
	} // help and what comes tomorrow: nothing
	switch {
	case want == "":
		return
	case !known || e.Kind != want:
		e = recipient.Event{Kind: want, Code: sms.MSISDN(in.To), Rule: "telnyx-autoresponse", Evidence: recipient.Evidence{Via: "text", Text: recipient.Clean(in.Text, 160)}}
		if want == recipient.OptIn {
			e.Kind = recipient.Reactivation
		}
	}
	a.add(b, d, "data.payload.from.phone_number", p.From, e)
}

func (a adapter) add(b *providers.Batch, d *event, field string, who party, e recipient.Event) {
	e.At, e.EventID, e.MessageID = d.OccurredAt.Time(), d.ID.String(), d.payload.ID.String()
	e.IDParts = []string{e.EventID}
	if e.EventID == "" {
		e.IDParts = []string{e.MessageID, who.Status.Lower(), e.Code, d.OccurredAt.String()}
	}
	b.AddTo(recipient.SMS, field, sms.MSISDN(who.Number.String()), e)
}
