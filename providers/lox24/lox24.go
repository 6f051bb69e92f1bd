// Package lox24 reads LOX24's event notifications about SMS, and the queries
// of its older push service.
//
// Payloads: https://doc.lox24.eu/api/webhooks/webhookssms-delivery-webhook/ ,
// https://doc.lox24.eu/api/webhooks/smsincomingwebhook/ and
// https://doc.lox24.eu/info/inbound-and-reply-sms/ , codes:
// https://doc.lox24.eu/info/sms-delivery-report-codes-dlr/ and
// https://doc.lox24.eu/info/sms-status-codes/ (read 2026-11-20). Nothing is
// known to be signed.
//
// A report names no recipient: the operator puts it into callback_data. And a
// rejection can be the number's fault or the content's, so nothing blocks.
package lox24

import (
	"bytes"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "lox24"

type adapter struct {
	sms.Unsigned
	words *sms.Keywords
}

// New needs no settings.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{words: sms.Words(s)}, nil
}

// event is one notification.
type event struct {
	Name      wire.Text `json:"name"`
	CreatedAt wire.Text `json:"created_at"`
	Data      struct {
		ID       wire.Text `json:"id"`
		DLR      wire.Text `json:"dlr_code"`
		Status   wire.Text `json:"status_code"`
		Callback wire.Text `json:"callback_data"`
		From     wire.Text `json:"from"`
		To       wire.Text `json:"to"`
		Text     wire.Text `json:"text"`
	} `json:"data"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	if body := bytes.TrimSpace(r.Body); len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return sms.EachParams(name, r, a.flat)
	}
	return sms.Each(name, "body", r.Body, nil, a.read)
}

// flat reads the older push service, and events as form fields.
func (a adapter) flat(b *providers.Batch, p sms.Params) {
	e := event{Name: wire.Text(p.Get("name")), CreatedAt: wire.Text(p.Get("created_at", "time"))}
	d := &e.Data
	d.ID, d.DLR, d.Status = wire.Text(p.Get("data[id]", "uuid")), wire.Text(p.Get("data[dlr_code]", "dlr_code")), wire.Text(p.Get("data[status_code]", "status_code"))
	d.Callback, d.From = wire.Text(p.Get("data[callback_data]", "callback_data")), wire.Text(p.Get("data[from]", "sender_id"))
	d.To, d.Text = wire.Text(p.Get("data[to]", "phone")), wire.Text(p.Get("data[text]", "text"))
	if d.From != "" && e.Name == "" {
		e.Name = "sms.incoming"
		d.ID = wire.Text(p.Get("data[id]", "id")) // uuid is that of the message it answers
	}
	a.read(b, &e)
}

func (a adapter) read(b *providers.Batch, n *event) {
	switch kind := n.Name.Lower(); kind {
	case "sms.incoming", "sms.inbound": // the second name is not documented
		in := sms.Inbound{Text: n.Data.Text.String(), To: n.Data.To.String(), ID: n.Data.ID.String(), Number: n.Data.From.String()}
		a.words.Received(b, "data.from", in, n.CreatedAt.Time())
	case "sms.delivery", "": // the older service has no name
		if n.Data.DLR == "" && n.Data.Status == "" {
			b.Reject(providers.Malformed(name, "data.dlr_code", providers.ErrMissing))
			return
		}
		a.report(b, n)
	}
}

func (a adapter) report(b *providers.Batch, n *event) {
	d := &n.Data
	dlr, status := d.DLR.String(), d.Status.String()
	e := recipient.Event{At: n.CreatedAt.Time(), MessageID: d.ID.String(), Code: dlr, Rule: "lox24-dlr-code"}
	switch dlr {
	case "1":
		e.Kind = recipient.Delivered
	case "", "0", "2", "4": // none yet, queued, handed over: the status may say that it will not come to more
		e.Kind, e.Code, e.Rule = failed(status), status, "lox24-status-code"
	default: // 8 expired, 16 rejected: the number, its range or the content
		e.Kind = recipient.SoftBounce
	}
	if e.Kind == "" {
		return
	}
	// An event's own id is not promised to stay the same on each try.
	e.IDParts = []string{e.MessageID, dlr, status}
	b.AddTo(recipient.SMS, "data.callback_data", sms.NumberIn(strings.TrimSpace(string(d.Callback))), e)
}

// failed reads "status_code", which by itself never means delivered: 100 says
// that the operator has it.
func failed(status string) recipient.Kind {
	switch status {
	case "", "0", "100", // new, handed over
		"410", "6000": // stopped by the sender on the web or by the API
		return ""
	}
	return recipient.SoftBounce // destination blocked, maintenance, no landline connection, no money, no operator
}
