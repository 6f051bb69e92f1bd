// Package brevo reads the e-mail webhooks of Brevo, formerly Sendinblue:
// transactional, marketing, and batches of either.
//
// Payloads: https://developers.brevo.com/docs/transactional-webhooks,
// https://developers.brevo.com/docs/marketing-webhooks and
// https://developers.brevo.com/docs/batch-webhooks (read 2026-11-20).
// Signature: none; https://developers.brevo.com/docs/secured-webhooks offers
// Basic auth, a bearer token and headers of one's own.
package brevo

import (
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/token"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "brevo"

// kinds translates "event" without case, "_", "-" and spaces: the names differ
// between the settings, the two families and the years. What is not listed is
// soft when it speaks of a bounce, and else not about delivery: being added to a
// list is an operator's act.
var kinds = map[string]recipient.Kind{
	"hardbounce":   recipient.HardBounce,
	"invalid":      recipient.HardBounce,
	"invalidemail": recipient.HardBounce,
	"softbounce":   recipient.SoftBounce,
	"deferred":     recipient.SoftBounce,
	"blocked":      recipient.SoftBounce, // not sent, for one of many older reasons
	"error":        recipient.SoftBounce,
	"spam":         recipient.Complaint,
	"complaint":    recipient.Complaint,
	"unsubscribe":  recipient.OptOut,
	"unsubscribed": recipient.OptOut,
	"delivered":    recipient.Delivered,
}

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

type adapter struct{ token.Header }

// New needs no settings; without "auth_token" the endpoint must have basic_auth
// or a path_secret.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{token.New(name, s)}, nil
}

// event is one event of either family. "id" is the webhook's; "date", "ts" and
// the dates of marketing events are in the account's zone and are not read as
// times.
type event struct {
	Event     wire.Text `json:"event"`
	Email     wire.List `json:"email"`
	MessageID wire.Text `json:"message-id"`
	Campaign  wire.Text `json:"camp_id"`
	Epoch     wire.Text `json:"ts_epoch"` // milliseconds, or seconds as the documented sample has it
	Seconds   wire.Text `json:"ts_event"`
	Local     wire.Text `json:"ts"`
	Reason    wire.Text `json:"reason"`
	Lists     wire.List `json:"list_id"`
	SMSStatus wire.Text `json:"msg_status"` // of an SMS, which comes to the same screens
}

// envelope is a batch whose array stands in an object. How batches look is not
// documented; both names have been seen.
type envelope struct {
	Event  wire.Text `json:"event"`
	Events wire.Raw  `json:"events"`
	Items  wire.Raw  `json:"items"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	items, err := wire.Array(r.Body)
	if err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	if len(items) == 1 && items[0].Kind() == '{' {
		var in envelope
		if wire.Outer(items[0], &in) == nil && in.Event == "" {
			if inner, err := wire.Array(in.array()); err == nil {
				items = inner
			}
		}
	}
	b, bad := batch.Items(name, "[]", items, read)
	if bad != nil {
		b.Keep(bad)
	}
	return b.Done()
}

func (in *envelope) array() wire.Raw {
	if in.Events.Kind() == '[' {
		return in.Events
	}
	if in.Items.Kind() == '[' {
		return in.Items
	}
	return nil
}

func read(b *providers.Batch, ev *event) {
	if ev.Event == "" {
		// SMS and inbound mail are other webhooks, and no event of an address.
		if ev.SMSStatus == "" && len(ev.Email) > 0 {
			b.Reject(providers.Malformed(name, "event", providers.ErrMissing))
		}
		return
	}
	word := separators.Replace(ev.Event.Lower())
	kind := kinds[word]
	switch {
	case ev.SMSStatus != "" && len(ev.Email) == 0:
		return
	case kind != "":
	case strings.Contains(word, "bounce"):
		kind = recipient.SoftBounce
	default:
		return
	}
	e := recipient.Event{Kind: kind, At: ev.at(), MessageID: smtp.MessageID(ev.MessageID.String()), Code: ev.Event.String(), Rule: "brevo-event", Detail: ev.Reason.String()}
	switch {
	case word == "hardbounce" && aboutMail(e.Detail):
		e.Kind, e.Rule = recipient.SoftBounce, "brevo-reason"
	case kind == recipient.OptOut:
		e.Code = strings.Join(ev.Lists, ",")
	}
	// No id of the event exists; these stay the same when it is repeated.
	e.IDParts = []string{word, e.MessageID, ev.Campaign.String(), ev.stamp()}
	if len(ev.Email) == 0 {
		b.Reject(providers.Unresolved(name, "email"))
	}
	for _, to := range ev.Email {
		b.AddTo(recipient.Email, "email", smtp.Bare(to), e)
	}
}

// at prefers the one time that is in UTC for certain.
func (ev *event) at() time.Time {
	if t := ev.Epoch.Time(); !t.IsZero() {
		return t
	}
	return ev.Seconds.Time()
}

// stamp is the event's own time as text, for its identity.
func (ev *event) stamp() string {
	for _, t := range []wire.Text{ev.Epoch, ev.Seconds, ev.Local} {
		if t != "" {
			return t.String()
		}
	}
	return ""
}

// aboutMail reports whether the reason of a hard bounce speaks of a full
// mailbox, the size, the content, a policy or a temporary failure.
func aboutMail(reason string) bool {
	reply := smtp.Reply{Text: reason}
	_, spared := smtp.Spares(reply)
	return spared || smtp.Excuses(reply) && smtp.Classify(reply).Rule == "smtp-veto"
}
