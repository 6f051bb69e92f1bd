// Package mailjet reads the callbacks of Mailjet's Event API, single (version
// 1) and grouped (version 2).
//
// Payload and errors: https://dev.mailjet.com/email/guides/webhooks/ (read
// 2026-11-20). Signature: none; credentials or a secret in the URL.
package mailjet

import (
	"context"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "mailjet"

// meaning is what one "error" becomes in a bounce and in a blocked event, where
// Mailjet did not try. "" is no event.
type meaning struct {
	bounce, blocked recipient.Kind
}

// errors translates "error". In a bounce a hard one still needs "hard_bounce",
// and a permanent flag changes nothing of the soft ones. Of blocked mail only
// older events of the address count, as echoes; the rest is the sender's doing.
// Preblocked ("recently or repeatedly bounced") and blacklisted (the account's
// own list) do not tell their cause.
var errors = map[string]meaning{
	"user unknown":     {recipient.HardBounce, recipient.HardBounce},
	"mailbox inactive": {recipient.HardBounce, recipient.HardBounce},
	"invalid domain":   {recipient.HardBounce, recipient.HardBounce},
	"typofix":          {recipient.HardBounce, recipient.HardBounce},
	"no mail host":     {recipient.HardBounce, ""},

	"spam reporter": {recipient.Complaint, recipient.Complaint},
	"preblocked":    {recipient.SoftBounce, recipient.SoftBounce},
	"blacklisted":   {recipient.SoftBounce, recipient.SoftBounce},

	"quota exceeded":      {recipient.SoftBounce, ""},
	"relay/access denied": {recipient.SoftBounce, ""},
	"greylisted":          {recipient.SoftBounce, ""},
	"sender blocked":      {recipient.SoftBounce, ""},
	"content blocked":     {recipient.SoftBounce, ""},
	"policy issue":        {recipient.SoftBounce, ""},
	"system issue":        {recipient.SoftBounce, ""},
	"protocol issue":      {recipient.SoftBounce, ""},
	"connection issue":    {recipient.SoftBounce, ""},

	"bad or empty template": {}, "error in template language": {}, "duplicate in campaign": {},
}

type adapter struct{}

// New needs no settings: the endpoint must have basic_auth or a path_secret.
func New(providers.Settings) (providers.Adapter, error) { return adapter{}, nil }

// Verify has nothing to check: the endpoint's guard did.
func (adapter) Verify(context.Context, *providers.Request) error { return nil }

// event is one callback. MessageID is an integer beyond what a float64 holds,
// so it is kept as written.
type event struct {
	Event     wire.Text `json:"event"`
	Time      wire.Text `json:"time"`
	MessageID wire.Text `json:"MessageID"`
	GUID      wire.Text `json:"Message_GUID"`
	OldID     wire.Text `json:"mj_message_id"`
	Email     wire.Text `json:"email"`
	Hard      wire.Text `json:"hard_bounce"`
	Error     wire.Text `json:"error"`
	Comment   wire.Text `json:"comment"`
	SMTPReply wire.Text `json:"smtp_reply"`
	Source    wire.Text `json:"source"`
	ListID    wire.Text `json:"mj_list_id"`
}

func (adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return batch.JSON(name, r.Body, read)
}

func read(b *providers.Batch, ev *event) {
	if ev.Event == "" {
		b.Reject(providers.Malformed(name, "event", providers.ErrMissing))
		return
	}
	e := recipient.Event{At: ev.Time.Time(), MessageID: ev.messageID(), Detail: ev.Comment.String()}
	kind := ev.Event.Lower()
	switch kind {
	case "bounce":
		e.Kind, e.Rule = ev.bounce()
		e.Code = ev.Error.String()
		if e.Code == "" {
			e.Code = "bounce"
		}
		e.Echo = e.Kind == recipient.Complaint // of an earlier mail
	case "blocked":
		e.Kind, e.Rule, e.Code = errors[ev.Error.Lower()].blocked, "mailjet-blocked", ev.Error.String()
		e.Echo = e.Kind != recipient.SoftBounce
	case "spam":
		e.Kind, e.Code = recipient.Complaint, ev.Source.String()
	case "unsub":
		e.Kind, e.Code = recipient.OptOut, ev.ListID.String()
	case "sent": // accepted by the recipient's server
		e.Kind, e.Detail = recipient.Delivered, ev.SMTPReply.String()
	}
	if e.Kind == "" {
		return
	}
	// There is no event id, but a retry sends the same body again.
	e.IDParts = []string{kind, e.MessageID, ev.Time.String(), ev.Error.Lower()}
	b.AddTo(recipient.Email, "email", smtp.Bare(ev.Email.String()), e)
}

func (ev *event) messageID() string {
	for _, id := range []wire.Text{ev.MessageID, ev.GUID, ev.OldID} {
		if s := id.String(); s != "" && s != "0" {
			return s
		}
	}
	return ""
}

// bounce judges a bounce. The server's words are in "comment", more or less: an
// enhanced code in them that names another reason than the address makes a
// hard bounce soft, and an error that is not listed is hard only when they
// prove it.
func (ev *event) bounce() (recipient.Kind, string) {
	m, known := errors[ev.Error.Lower()]
	reply := smtp.Reply{Text: ev.Comment.String()}
	switch {
	case known && m.bounce != recipient.HardBounce:
		return m.bounce, "mailjet-error"
	case !ev.Hard.Bool():
		return recipient.SoftBounce, "mailjet-error"
	case !known:
		v := smtp.Classify(reply)
		return v.Kind, v.Rule
	}
	if smtp.EnhancedCode(reply.Text) != "" {
		if _, spared := smtp.Spares(reply); spared {
			return recipient.SoftBounce, "mailjet-comment"
		}
	}
	return recipient.HardBounce, "mailjet-error"
}
