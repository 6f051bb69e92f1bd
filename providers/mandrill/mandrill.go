// Package mandrill reads the webhooks of Mailchimp Transactional, formerly
// Mandrill: message events and changes of its denylist.
//
// Payload: https://mailchimp.com/developer/transactional/docs/webhooks/
// Signature: https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/
// (both read 2026-11-20). X-Mandrill-Signature is the base64 HMAC-SHA1 of the
// URL as entered at Mandrill and the names and values of the form.
package mandrill

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const (
	name  = "mandrill"
	field = "mandrill_events"
)

// kinds translates "event". Types that are not listed are not about delivery;
// "send" says that Mandrill handed the mail over, and "reject" has a reason.
var kinds = map[string]recipient.Kind{
	"hard_bounce": recipient.HardBounce,
	"soft_bounce": recipient.SoftBounce, // never becomes hard by itself
	"deferral":    recipient.SoftBounce,
	"spam":        recipient.Complaint,
	"unsub":       recipient.OptOut,
	"delivered":   recipient.Delivered,
}

// meaning is what a reason becomes; the zero meaning is no event.
type meaning struct {
	kind recipient.Kind
	echo bool
}

// reasons translates why mail was rejected or an address stands on the
// denylist. Those that are not listed are the sender's side: invalid-sender,
// test-mode-limit, unsigned, rule.
var reasons = map[string]meaning{
	"hard-bounce": {recipient.HardBounce, true},
	"soft-bounce": {kind: recipient.SoftBounce},
	"spam":        {recipient.Complaint, true},
	"unsub":       {recipient.OptOut, true},
	"custom":      {kind: recipient.SoftBounce}, // entered by the operator
	"invalid":     {kind: recipient.HardBounce}, // the address is not valid
}

type adapter struct{ signature *signature }

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	secrets, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	return adapter{&signature{secrets}}, nil
}

// Handshake answers the probe by which Mandrill checks a URL before it shows
// the key of the new webhook. It tells nobody anything.
func (a adapter) Handshake(_ context.Context, r *providers.Request) (*providers.Reply, error) {
	if r.Method == http.MethodHead || r.Method == http.MethodGet {
		return &providers.Reply{}, nil
	}
	return nil, nil //nolint:nilnil // an ordinary delivery
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error { return a.signature.verify(r) }

// event is one item: a message event, or a change of a list.
type event struct {
	Event wire.Text `json:"event"`
	ID    wire.Text `json:"_id"` // of the message
	TS    wire.Text `json:"ts"`
	Msg   struct {
		ID          wire.Text `json:"_id"`
		Email       wire.Text `json:"email"`
		Description wire.Text `json:"bounce_description"`
		Diag        wire.Text `json:"diag"`
		Reject      reason    `json:"reject"`
	} `json:"msg"`

	Type   wire.Text `json:"type"`
	Action wire.Text `json:"action"`
	Reject struct {
		Reason wire.Text `json:"reason"`
		Detail wire.Text `json:"detail"`
		Email  wire.Text `json:"email"`
		At     wire.Text `json:"last_event_at"`
		Sub    wire.Text `json:"subaccount"`
	} `json:"reject"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	text, form, err := a.events(r)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 { // a test of the URL
		return nil, nil
	}
	descriptions := smtp.Excuser{Spell: func(s string) string { return strings.ReplaceAll(s, "_", " ") }}
	b, bad, err := batch.Array(name, field, text, func(b *providers.Batch, ev *event) { read(b, ev, &descriptions) })
	if err != nil {
		return nil, err
	}
	switch {
	case bad != nil && form:
		b.Keep([]byte(field + "=" + url.QueryEscape(string(bad))))
	case bad != nil:
		b.Keep(bad)
	}
	return b.Done()
}

// events returns the JSON of the request: the form field or, where nothing is
// signed, a bare array as people post it who try things out. What is signed is
// the form, so that a signed request is never read as anything else.
func (a adapter) events(r *providers.Request) (text []byte, form bool, err error) {
	if body := bytes.TrimSpace(r.Body); len(a.signature.secrets) == 0 && len(body) > 0 && (body[0] == '[' || body[0] == '{') {
		return body, false, nil
	}
	if both, n, ok := r.OnlyField(); ok && string(both[:n]) == field { // as it always is
		return bytes.TrimSpace(both[n:]), true, nil
	}
	values, err := r.Form()
	if err != nil {
		return nil, true, providers.Malformed(name, "body", providers.ErrForm)
	}
	if _, ok := values[field]; !ok {
		return nil, true, providers.Malformed(name, field, providers.ErrMissing)
	}
	return bytes.TrimSpace([]byte(values.Get(field))), true, nil
}

func read(b *providers.Batch, ev *event, descriptions *smtp.Excuser) {
	switch {
	case ev.Event != "":
		ev.message(b, descriptions)
	case ev.Type != "":
		ev.sync(b)
	default:
		b.Reject(providers.Malformed(name, "event", providers.ErrMissing))
	}
}

// message reads an event of one mail. "_id" is the mail's, not the event's.
func (ev *event) message(b *providers.Batch, descriptions *smtp.Excuser) {
	what := ev.Event.Lower()
	e := recipient.Event{
		Kind: kinds[what], At: ev.TS.Time(), MessageID: ev.ID.String(), Code: ev.Msg.Description.String(), Rule: "mandrill-event", Detail: ev.Msg.Diag.String(),
	}
	if e.MessageID == "" {
		e.MessageID = ev.Msg.ID.String()
	}
	if e.Code == "" && (e.Kind == recipient.HardBounce || e.Kind == recipient.SoftBounce) {
		e.Code = what
	}
	switch what {
	case "hard_bounce":
		// The words of bounce_description are not documented, so the event decides
		// unless they name a full mailbox, a policy, the content.
		if _, spared := smtp.Spares(smtp.Reply{Text: e.Detail}); spared {
			e.Kind, e.Rule = recipient.SoftBounce, "mandrill-diag"
		} else if descriptions.Excuses(e.Code) {
			e.Kind, e.Rule = recipient.SoftBounce, "mandrill-description"
		}
	case "reject": // Mandrill did not send
		e.Code = word(ev.Msg.Reject.Text + ev.Msg.Reject.V.Reason)
		m := reasons[e.Code]
		e.Kind, e.Echo, e.Rule = m.kind, m.echo, "mandrill-reject"
	}
	if e.Kind == "" {
		return
	}
	e.IDParts = []string{what, e.MessageID, ev.TS.String()}
	b.AddTo(recipient.Email, "msg.email", smtp.Bare(ev.Msg.Email.String()), e)
}

// sync reads a change of the denylist, which follows from older events. Its
// entries expire, so a removal is nobody's consent; the allowlist says nothing.
func (ev *event) sync(b *providers.Batch) {
	list, action := ev.Type.Lower(), ev.Action.Lower()
	if list != "blacklist" && list != "denylist" || action != "add" && action != "change" {
		return
	}
	d := &ev.Reject
	m := reasons[word(d.Reason)]
	if m.kind == "" {
		return
	}
	e := recipient.Event{
		Kind: m.kind, At: d.At.Time(), Code: word(d.Reason), Rule: "mandrill-denylist", Detail: d.Detail.String(),
		IDParts: []string{"denylist", action, word(d.Reason), ev.TS.String(), d.At.String()},
	}
	e.Echo = m.kind != recipient.SoftBounce
	if e.At.IsZero() {
		e.At = ev.TS.Time()
	}
	b.AddTo(recipient.Email, "reject.email", smtp.Bare(d.Email.String()), e)
}
