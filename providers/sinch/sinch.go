// Package sinch reads the delivery reports and received texts of Sinch, from
// the SMS REST API (XMS) and from the Conversation API.
//
// SMS: https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks/
// Codes: https://developers.sinch.com/docs/sms/smpp/error-codes/
// Conversation: https://developers.sinch.com/docs/conversation/callbacks/
// (read 2026-11-20).
// Signature: x-sinch-webhook-signature is the base64 HMAC-SHA256 of
// "<body>.<nonce>.<timestamp>".
package sinch

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const (
	name = "sinch"
	rule = "sinch-code"
)

// codes translates "code" of the SMS API and "reason.code" of the Conversation
// API. What is not listed is soft: Sinch calls screening, barring and the
// sender's own mistakes permanent too, which say nothing of the number. So does
// 152, no SMS subscription, which suspended lines have as well.
var codes = map[string]recipient.Kind{
	"100":                                recipient.HardBounce, // SMSC: unidentified subscriber
	"150":                                recipient.HardBounce, // HLR: unknown subscriber
	"300":                                recipient.HardBounce, // ESME: invalid destination address
	"400":                                "",                   // queued
	"401":                                "",                   // dispatched
	"407":                                "",                   // cancelled by the sender
	"recipient_invalid_channel_identity": recipient.HardBounce, // the number is malformed
}

type adapter struct {
	secrets [][]byte
	words   *sms.Keywords
	codes   sms.Codes
}

// New checks signatures where "signing_secret" is set.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{s.OptionalSecrets("signing_secret"), sms.Words(s), sms.NewCodes(s, rule, codes)}, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.secrets) == 0 {
		return nil
	}
	const header = "X-Sinch-Webhook-Signature"
	signature, stamp, nonce := r.Header.Get(header), r.Header.Get(header+"-Timestamp"), r.Header.Get(header+"-Nonce")
	if signature == "" || stamp == "" || nonce == "" {
		return providers.Unauthentic(name, "the x-sinch-webhook-signature header, its timestamp or its nonce is missing")
	}
	if alg := r.Header.Get(header + "-Algorithm"); alg != "" && !strings.EqualFold(alg, "HmacSHA256") {
		return providers.Unauthentic(name, "the signature is not of the algorithm HmacSHA256")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || seconds <= 0 || stamp[0] == '+' {
		return providers.Unauthentic(name, "the timestamp of the signature is not a time")
	}
	if !sign.Base64HMAC256(a.secrets, signature, r.Body, []byte("."+nonce+"."+stamp)) {
		return providers.Unauthentic(name, "the signature does not match: compare signing_secret with the secret of the webhook at Sinch")
	}
	return r.Fresh(time.Unix(seconds, 0))
}

// body is one webhook of either API: those of the SMS API have a type.
type body struct {
	Type       wire.Text            `json:"type"`
	BatchID    wire.Text            `json:"batch_id"`
	Recipient  wire.Text            `json:"recipient"`
	Status     wire.Text            `json:"status"`
	Code       wire.Text            `json:"code"`
	At         wire.Text            `json:"at"`
	OperatorAt wire.Text            `json:"operator_status_at"`
	Statuses   wire.Many[statusRow] `json:"statuses"`

	ID         wire.Text `json:"id"`
	From       wire.Text `json:"from"`
	To         wire.Text `json:"to"`
	Body       written   `json:"body"`
	ReceivedAt wire.Text `json:"received_at"`

	conversation
}

// written is what a person wrote; in mo_media it stands in an object beside the pictures.
type written string

// UnmarshalJSONFrom implements the v2 decoder's interface.
func (t *written) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var plain wire.Text
	var o wire.Object[struct {
		Message wire.Text `json:"message"`
	}]
	if d.PeekKind() != '{' {
		err := plain.UnmarshalJSONFrom(d)
		*t = written(plain)
		return err
	}
	err := o.UnmarshalJSONFrom(d)
	*t = written(o.V.Message)
	return err
}

// statusRow is a part of a batch report: the recipients with one outcome.
type statusRow struct {
	Code       wire.Text `json:"code"`
	Status     wire.Text `json:"status"`
	Recipients wire.List `json:"recipients"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	items, err := wire.Array(r.Body)
	if err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	if len(items) == 1 { // as documented; only then can a part of it be kept
		var m body
		if wire.Decode(items[0], &m) != nil {
			return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
		}
		b := providers.NewBatch(name, 1)
		if kept := a.read(b, &m); len(kept) > 0 {
			rest, err := json.Marshal(map[string]any{"type": string(m.Type), "batch_id": string(m.BatchID), "statuses": kept})
			if err == nil {
				b.Keep(rest)
			}
		}
		return b.Done()
	}
	return batch.JSON(name, r.Body, func(b *providers.Batch, m *body) { a.read(b, m) })
}

// read returns the parts of a batch report that could not be read, where
// others could.
func (a adapter) read(b *providers.Batch, m *body) (kept []map[string]any) {
	switch kind := m.Type.Lower(); {
	case kind == "mo_text", kind == "mo_media":
		in := sms.Inbound{Text: string(m.Body), To: m.To.String(), ID: m.ID.String(), Number: m.From.String()}
		a.words.Received(b, "from", in, m.ReceivedAt.Time())
	case strings.HasPrefix(kind, "recipient_delivery_report_"):
		at := m.At
		if at == "" {
			at = m.OperatorAt
		}
		e := recipient.Event{At: at.Time(), MessageID: m.BatchID.String()}
		if a.judge(&e, m.Status, m.Code) {
			if e.MessageID == "" {
				e.IDParts = append(e.IDParts, at.String())
			}
			add(b, "recipient", m.Recipient.String(), e)
		}
	case strings.HasPrefix(kind, "delivery_report_"):
		return a.batch(b, m)
	case kind == "":
		a.conversation(b, &m.conversation)
	}
	return nil
}

func (a adapter) batch(b *providers.Batch, m *body) (kept []map[string]any) {
	good := false
	for i, row := range m.Statuses {
		field := "statuses[" + strconv.Itoa(i) + "].recipients"
		e := recipient.Event{MessageID: m.BatchID.String()} // a batch report has no time
		if !a.judge(&e, row.Status, row.Code) {
			continue
		}
		if len(row.Recipients) == 0 && e.Kind != recipient.Delivered { // a summary, which has only counts
			b.Reject(providers.Unresolved(name, field))
			kept = append(kept, map[string]any{"code": string(row.Code), "status": string(row.Status)})
		}
		var bad []string
		for _, to := range row.Recipients {
			before := b.Rejected()
			add(b, field, to, e)
			if b.Rejected() > before {
				bad = append(bad, to)
			} else {
				good = true
			}
		}
		if len(bad) > 0 {
			kept = append(kept, map[string]any{"code": string(row.Code), "status": string(row.Status), "recipients": bad})
		}
	}
	if !good {
		return nil
	}
	return kept
}

// stopped is the code of a text from a toll-free number to a person who had
// answered STOP. Of other senders it is an operator's barring.
//
// https://community.sinch.com/t5/Toll-Free-Numbers-TFN/How-does-STOP-work-on-a-Toll-Free-number/ta-p/15313
// (read 2026-11-29)
const stopped = "257"

// add adds an outcome of the SMS API for one number. A report does not name its
// sender, but only numbers in North America hear from toll-free ones.
func add(b *providers.Batch, field, to string, e recipient.Event) {
	to = sms.MSISDN(to)
	if e.Code == stopped && e.Rule == rule && strings.HasPrefix(to, "+1") {
		e.Kind, e.Rule = recipient.OptOut, "sinch-toll-free-stop"
	}
	b.AddTo(recipient.SMS, field, to, e)
}

// judge puts an outcome of the SMS API into e; ok is false when it is none.
func (a adapter) judge(e *recipient.Event, status, code wire.Text) (ok bool) {
	e.Code = code.String()
	switch status.Lower() {
	case "delivered":
		e.Kind, e.Code = recipient.Delivered, ""
	case "aborted", "rejected", "failed", "expired", "deleted":
		e.Kind, e.Rule = a.codes.Judge(e.Code)
	} // queued, dispatched and unknown are on the way, cancelled is the sender's
	e.IDParts = []string{e.MessageID, status.Lower(), e.Code}
	return e.Kind != ""
}
