// Package mailtrap reads the webhooks of Mailtrap Email Sending, as JSON and as
// JSON Lines.
//
// Payloads: https://docs.mailtrap.io/email-api-smtp/advanced/webhooks and
// .../bounce-categorization (read 2026-11-20).
// Signature: Mailtrap-Signature is the hex HMAC-SHA256 of the body; the secret
// is used as text.
package mailtrap

import (
	"bytes"
	"context"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "mailtrap"

// kinds translates "event"; "soft bounce" has a space. Events that are not
// listed (suspension, reject, open, click, audit logs) are not about delivery.
var kinds = map[string]recipient.Kind{
	"bounce":         recipient.HardBounce, // if judge agrees
	"soft bounce":    recipient.SoftBounce,
	"spam":           recipient.Complaint,
	"spam complaint": recipient.Complaint, // as the screens call it
	"unsubscribe":    recipient.OptOut,
	"delivery":       recipient.Delivered,
}

// separators are those that people write for the space, as other providers do.
var separators = strings.NewReplacer("_", " ", "-", " ")

// byText are the bounce categories that leave it to the server's reply whether
// the address is faulty. All others but badrecipient are soft; Mailtrap itself
// stops sending after overquota and timeout, which prove nothing.
var byText = map[string]bool{"": true, "other": true, "generalfail": true, "serverfail": true, "dnsfail": true}

type adapter struct{ secrets [][]byte }

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	secrets, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	return adapter{secrets}, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.secrets) == 0 {
		return nil
	}
	got := r.Header.Get("Mailtrap-Signature")
	if got == "" {
		got = r.Header.Get("X-Mt-Signature") // a name that only a security advisory knows
	}
	switch {
	case got == "":
		return providers.Unauthentic(name, "the Mailtrap-Signature header is missing: webhooks created before Mailtrap signed must be created anew")
	case !sign.HexHMAC256(a.secrets, got, r.Body):
		return providers.Unauthentic(name, "the signature does not match: compare signing_secret with the webhook's at Mailtrap")
	}
	return nil
}

type item struct {
	Event     wire.Text `json:"event"`
	EventID   wire.Text `json:"event_id"`
	MessageID wire.Text `json:"message_id"`
	Email     wire.Text `json:"email"`
	Timestamp wire.Text `json:"timestamp"`
	Stream    wire.Text `json:"sending_stream"`
	Category  wire.Text `json:"bounce_category"`
	Response  wire.Text `json:"response"`
	Code      wire.Text `json:"response_code"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	b, bad, ok := batch.At(name, r.Body, "events", read)
	if !ok {
		items, err := split(r.Body)
		if err != nil {
			return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
		}
		b, bad = batch.Items(name, "events[]", items, read)
	}
	// A line that is no JSON cannot stand in an array.
	if bad != nil && wire.Raw(bad).IsValid() {
		b.Keep(bad)
	}
	return b.Done()
}

// split returns the items of {"events": [...]}, of an array, of JSON Lines and
// of one bare event.
func split(body []byte) ([]wire.Raw, error) {
	var wrapped struct {
		Events []wire.Raw `json:"events"`
	}
	switch {
	case wire.Outer(body, &wrapped) == nil && wrapped.Events != nil:
		return wrapped.Events, nil
	case !bytes.Contains(bytes.TrimSpace(body), []byte("}\n")) && !bytes.Contains(bytes.TrimSpace(body), []byte("}\r\n")):
		return wire.Array(body)
	}
	if items, err := wire.Array(body); err == nil {
		return items, nil
	}
	var items []wire.Raw
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			items = append(items, wire.Raw(line))
		}
	}
	return items, nil
}

func read(b *providers.Batch, it *item) {
	e := recipient.Event{
		Kind: kinds[separators.Replace(it.Event.Lower())], At: it.Timestamp.Time(), EventID: it.EventID.String(), MessageID: it.MessageID.String(),
		IDParts: []string{it.EventID.String()},
	}
	if e.EventID == "" {
		e.IDParts = []string{it.MessageID.String(), it.Event.String(), it.Category.String(), it.Timestamp.String()}
	}
	switch e.Kind {
	case "":
		if it.Event == "" {
			b.Reject(providers.Malformed(name, "events[].event", providers.ErrMissing))
		}
		return
	case recipient.HardBounce:
		e.Kind, e.Rule = it.judge()
		e.Code, e.Detail = it.Category.String(), it.detail()
	case recipient.SoftBounce:
		e.Code, e.Detail = it.Category.String(), it.detail()
	case recipient.OptOut:
		e.Code = it.Stream.String()
	}
	b.AddTo(recipient.Email, "events[].email", smtp.Bare(it.Email.String()), e)
}

// judge decides a "bounce", which is any reply of class 5.
func (it *item) judge() (recipient.Kind, string) {
	category := it.Category.Lower()
	reply := smtp.Reply{Code: it.Code.String(), Text: it.Response.String()}
	switch {
	case category == "badrecipient":
		return recipient.HardBounce, "mailtrap-badrecipient"
	case byText[category]:
		v := smtp.Classify(reply)
		return v.Kind, v.Rule
	case category == "verifyfail": // of the sender or of the recipient
		if v := smtp.Classify(reply); v.Hard() && v.Code == "5.1.1" {
			return v.Kind, v.Rule
		}
	}
	return recipient.SoftBounce, "mailtrap-category"
}

func (it *item) detail() string {
	return strings.TrimSpace(it.Code.String() + " " + it.Response.String())
}
