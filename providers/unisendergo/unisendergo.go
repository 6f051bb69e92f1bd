// Package unisendergo reads the webhooks of Unisender Go and of UniOne, which
// is the same service under another name.
//
// Payloads: https://godocs.unisender.ru/web-api-ref#callback-format and
// https://docs.unione.io/en/web-api-ref; delivery statuses:
// https://docs.unione.io/en/email-statuses. White labels rename some members:
// https://developers.gms.net/email-api/webhooks/callback-format (read
// 2026-11-20). The member "auth" is the MD5 of the body with the API key in the
// place of that MD5.
package unisendergo

import (
	"context"
	"net/http"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "unisender-go"

// kinds translates "status"; what is not listed is not about delivery.
var kinds = map[string]recipient.Kind{
	"hard_bounced": recipient.HardBounce, // "no more attempts": its delivery_status decides
	"soft_bounced": recipient.SoftBounce,
	"spam":         recipient.Complaint,
	"unsubscribed": recipient.OptOut,
	"subscribed":   recipient.Reactivation,
	"delivered":    recipient.Delivered,
}

// faulty are the delivery statuses that are about the address. All others may
// be a full mailbox, a policy, spam, or the provider's own fault.
var faulty = map[string]bool{"err_user_unknown": true, "err_user_inactive": true, "err_mailbox_discarded": true}

// unsent are those of mail that was never tried, because of something older.
var unsent = map[string]bool{"err_unsubscribed": true, "err_skip_letter": true, "err_spam_skipped": true, "err_spam_removed": true, "not_sent": true}

type adapter struct{ keys [][]byte }

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	keys, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	return adapter{keys}, nil
}

// Handshake answers the GET by which the provider tries the URL. It stores nothing.
func (a adapter) Handshake(_ context.Context, r *providers.Request) (*providers.Reply, error) {
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && len(r.Body) == 0 {
		return &providers.Reply{}, nil
	}
	return nil, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.keys) == 0 || authentic(plain(r.Body), a.keys) {
		return nil
	}
	return providers.Unauthentic(name, "the member auth is missing or does not match: signing_secret must be the API key of the project if the webhook belongs to a project, else that of the account")
}

// data is what happened to one recipient. White labels say record for event
// and report for info.
type data struct {
	JobID      wire.Text             `json:"job_id"`
	Email      wire.Text             `json:"email"`
	Status     wire.Text             `json:"status"`
	EventTime  wire.Text             `json:"event_time"`
	RecordTime wire.Text             `json:"record_time"`
	Info       wire.Object[delivery] `json:"delivery_info"`
	Report     wire.Object[delivery] `json:"delivery_report"`
}

type delivery struct {
	Status       wire.Text `json:"delivery_status"`
	ReportStatus wire.Text `json:"delivery_report_status"` // in a report
	Response     wire.Text `json:"destination_response"`
}

type event struct {
	EventName  wire.Text `json:"event_name"`
	RecordName wire.Text `json:"record_name"`
	EventData  *data     `json:"event_data"`
	RecordData *data     `json:"record_data"`
}

type user struct {
	Events  wire.Raw `json:"events"`
	Records wire.Raw `json:"records"`
}

type body struct {
	EventName     wire.Text `json:"event_name"`
	RecordName    wire.Text `json:"record_name"`
	EventsByUser  wire.Raw  `json:"events_by_user"`
	RecordsByUser wire.Raw  `json:"records_by_user"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	raw := plain(r.Body)
	c := collector{size: len(raw)}
	if wire.EachAt(raw, c.item, "events_by_user", "events") {
		return c.done()
	}
	var m body
	if err := wire.Decode(raw, &m); err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	byUser := first(m.EventsByUser, m.RecordsByUser)
	if byUser == nil {
		return single(raw, m)
	}
	c = collector{size: len(byUser)}
	if wire.Each(byUser, func(raw wire.Raw, u *user) {
		c.begin(raw)
		if u == nil {
			c.b.Reject(providers.Malformed(name, "events_by_user[]", providers.ErrNotJSON))
		} else if events := first(u.Events, u.Records); events != nil && wire.Each(events, c.item) != nil {
			c.b.Reject(providers.Malformed(name, "events_by_user[].events", providers.ErrNotJSON))
		}
	}) != nil {
		return nil, providers.Malformed(name, "events_by_user", providers.ErrNotJSON)
	}
	return c.done()
}

// collector keeps the events, and the items that could not be read.
type collector struct {
	b    *providers.Batch
	bad  []wire.Raw
	size int // of what holds the items
}

// begin makes room for as many as there are, if all are as long as the first.
func (c *collector) begin(raw wire.Raw) {
	if c.b == nil {
		c.b = providers.NewBatch(name, max(1, c.size/(len(raw)+1)))
	}
}

func (c *collector) item(raw wire.Raw, it *event) {
	c.begin(raw)
	before := c.b.Rejected()
	if item(c.b, raw, it); c.b.Rejected() > before {
		c.bad = append(c.bad, raw)
	}
}

func (c *collector) done() ([]recipient.Event, error) {
	if c.b == nil {
		c.b = providers.NewBatch(name, 0)
	}
	if len(c.bad) == c.b.Rejected() && len(c.bad) > 0 {
		c.b.Keep(append(append([]byte(`{"events_by_user":[{"events":`), wire.Join(c.bad)...), "}]}"...))
	}
	return c.b.Done()
}

// first returns the first member that is there.
func first(values ...wire.Raw) wire.Raw {
	for _, v := range values {
		if k := v.Kind(); k == '[' || k == '{' {
			return v
		}
	}
	return nil
}

// single reads the flat form, one event a request.
func single(raw []byte, m body) ([]recipient.Event, error) {
	if m.EventName == "" && m.RecordName == "" {
		return nil, providers.Malformed(name, "events_by_user", providers.ErrMissing)
	}
	var d data
	if wire.Decode(raw, &d) != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	b := providers.NewBatch(name, 1)
	add(b, m.EventName+m.RecordName, &d)
	return b.Done()
}

func item(b *providers.Batch, raw wire.Raw, it *event) {
	if it == nil {
		b.Reject(providers.Malformed(name, "event", providers.ErrNotJSON))
		return
	}
	d := it.EventData
	if d == nil {
		d = it.RecordData
	}
	if d == nil {
		d = &data{}
		if wire.Decode(raw, d) != nil {
			b.Reject(providers.Malformed(name, "event_data", providers.ErrNotJSON))
			return
		}
	}
	add(b, it.EventName+it.RecordName, d)
}

func add(b *providers.Batch, kind wire.Text, d *data) {
	status := d.Status.Lower()
	info := d.Info.V
	if info == (delivery{}) {
		info = d.Report.V
	}
	if info.Status == "" {
		info.Status = info.ReportStatus
	}
	at := d.EventTime
	if at == "" {
		at = d.RecordTime
	}
	e := recipient.Event{
		Kind: kinds[status], At: at.Time(), MessageID: d.JobID.String(), Code: info.Status.Lower(), Rule: "unisender-status", Detail: info.Response.String(),
		IDParts: []string{d.JobID.String(), status, at.String()},
	}
	if kind.Lower() != "transactional_email_status" || e.Kind == "" {
		return
	}
	if e.Code == "" {
		e.Code = status
	}
	switch e.Kind {
	case recipient.HardBounce:
		if !judge(&e, info) {
			return
		}
	case recipient.OptOut, recipient.Reactivation:
		e.Code = ""
	}
	b.AddTo(recipient.Email, "email", smtp.Bare(d.Email.String()), e)
}

// judge decides a hard_bounced, which only means that no more attempts are
// made; false when the mail was never tried.
func judge(e *recipient.Event, info delivery) bool {
	code := info.Status.Lower()
	switch {
	case unsent[code], strings.HasPrefix(code, "skip_"):
		return false
	case faulty[code]:
		e.Rule = "unisender-" + strings.ReplaceAll(code, "_", "-")
		return true
	case code == "err_delivery_failed": // "the server refused": for what, its reply says
		v := smtp.Classify(smtp.Reply{Text: info.Response.String()})
		e.Kind, e.Rule = v.Kind, v.Rule
		return true
	}
	e.Kind = recipient.SoftBounce
	return true
}
