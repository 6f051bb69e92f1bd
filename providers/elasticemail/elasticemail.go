// Package elasticemail reads Elastic Email's HTTP notifications, which come as
// a query, a form or flat JSON.
//
// Payload: https://help.elasticemail.com/en/articles/4804685-notification-settings
// Categories: https://help.elasticemail.com/en/articles/2300650-what-are-the-bounce-error-categories-and-filters
// and the MessageCategory enum of the API (read 2026-11-20).
// Signature: none that is documented.
package elasticemail

import (
	"bytes"
	"context"
	"net/url"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "elasticemail"

// kinds translates "status", and the event names of the API, in lower case.
// What is not listed (opens, clicks, submissions) is not about delivery.
var kinds = map[string]recipient.Kind{
	"error": recipient.HardBounce, "bounce": recipient.HardBounce, // as the category says
	"failedattempt": recipient.SoftBounce,
	"abusereport":   recipient.Complaint, "complaint": recipient.Complaint,
	"unsubscribed": recipient.OptOut, "unsubscribe": recipient.OptOut,
	"sent": recipient.Delivered,
}

// categories translates "category" of an error, in lower case without spaces.
// What is not listed is soft: a full or inactive mailbox and a missing domain
// are not told from passing troubles.
var categories = map[string]recipient.Kind{
	"nomailbox": recipient.HardBounce,
	// Not attempted: the account's own list, or cancelled.
	"ignore": "", "manualcancel": "", "notdeliveredcancelled": "",
}

// usTime is the form of "date" that notifications have been seen with, in UTC.
const usTime = "1/2/2006 3:04:05 PM"

type adapter struct{}

// New needs no settings: the endpoint must have a path_secret or basic_auth.
func New(providers.Settings) (providers.Adapter, error) { return adapter{}, nil }

// Verify has nothing to check: the endpoint's guard did.
func (adapter) Verify(context.Context, *providers.Request) error { return nil }

type notification struct {
	To          wire.Text `json:"to,case:ignore"`
	Date        wire.Text `json:"date,case:ignore"`
	Status      wire.Text `json:"status,case:ignore"`
	Event       wire.Text `json:"eventtype,case:ignore"`
	Category    wire.Text `json:"category,case:ignore"`
	MessageID   wire.Text `json:"messageid,case:ignore"`
	Transaction wire.Text `json:"transaction,case:ignore"` // of the send call, shared by all its recipients
}

func fromForm(v url.Values) notification {
	get := func(name string) wire.Text { return wire.Text(v.Get(name)) }
	return notification{To: get("to"), Date: get("date"), Status: get("status"), Event: get("eventtype"), Category: get("category"),
		MessageID: get("messageid"), Transaction: get("transaction")}
}

func (adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	body := bytes.TrimSpace(r.Body)
	b := providers.NewBatch(name, 1)
	switch {
	case len(body) == 0:
		read(b, fromForm(r.Query()))
	case body[0] == '{' || body[0] == '[':
		items, err := wire.Array(body)
		if err != nil {
			return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
		}
		for _, raw := range items {
			var n notification
			if wire.Decode(raw, &n) != nil {
				b.Reject(providers.Malformed(name, "body", providers.ErrNotJSON))
				continue
			}
			read(b, n)
		}
	default:
		form, err := r.Form()
		if err != nil {
			return nil, providers.Malformed(name, "body", providers.ErrForm)
		}
		if form.Get("status") == "" && r.Query().Get("status") != "" {
			form = r.Query()
		}
		read(b, fromForm(form))
	}
	return b.Done()
}

func read(b *providers.Batch, n notification) {
	status := n.Status
	if status == "" {
		status = n.Event
	}
	e := recipient.Event{Kind: kinds[status.Lower()], At: n.Date.Time(usTime), MessageID: n.MessageID.String()}
	if e.MessageID == "" {
		e.MessageID = n.Transaction.String()
	}
	// The category comes with every status and means something in errors only.
	if e.Kind == recipient.HardBounce {
		kind, known := categories[strings.ReplaceAll(n.Category.Lower(), " ", "")]
		if !known {
			kind = recipient.SoftBounce
		}
		e.Kind, e.Code, e.Rule = kind, n.Category.String(), "elasticemail-category"
	}
	if e.Kind == "" { // also the empty request that checks the address of a new notification
		return
	}
	// There is no event id, so that what is the same on a retry makes one.
	e.IDParts = []string{n.MessageID.String(), n.Transaction.String(), status.Lower(), n.Category.Lower(), n.Date.String()}
	b.AddTo(recipient.Email, "to", address(n.To.String()), e)
}

// address puts back a "+" that was sent unescaped and so became a space.
func address(to string) string {
	to = smtp.Bare(to)
	if strings.Count(to, " ") == 1 {
		return strings.Replace(to, " ", "+", 1)
	}
	return to
}
