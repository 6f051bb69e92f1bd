// Package sweego reads Sweego's webhooks about e-mail and SMS.
//
// Payloads: https://learn.sweego.io/docs/webhooks/email_events and
// https://learn.sweego.io/docs/webhooks/payload. Signature:
// https://learn.sweego.io/docs/webhooks/webhook_signature (read 2026-11-20): the
// base64 HMAC-SHA256 of "<webhook-id>.<webhook-timestamp>.<body>" without a
// version; the key is the base64 of the secret.
package sweego

import (
	"context"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/svix"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "sweego"

// kinds translates "event_type" of e-mail, with underscores for hyphens: the
// documentation writes both. Types that are not listed are not about delivery.
var kinds = map[string]recipient.Kind{
	"hard_bounce": recipient.HardBounce, // unless the reply says something else
	"soft_bounce": recipient.SoftBounce,
	"complaint":   recipient.Complaint,
	"list_unsub":  recipient.OptOut,
	"delivered":   recipient.Delivered,
}

// texts translates "event_type" of SMS. The page on SMS lists no failures that
// tell a faulty number from one out of reach (UNCONFIRMED), so nothing blocks.
var texts = map[string]recipient.Kind{
	"sms_delivered":   recipient.Delivered,
	"sms_undelivered": recipient.SoftBounce,
	"sms_failed":      recipient.SoftBounce,
	"sms_rejected":    recipient.SoftBounce,
	"sms_expired":     recipient.SoftBounce,
	"sms_stop":        recipient.OptOut,
	"sms_unsub":       recipient.OptOut,
	"sms_unsubscribe": recipient.OptOut,
	"list_unsub":      recipient.OptOut,
}

type adapter struct{ signature *svix.Verifier }

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	v, err := svix.NewBare(name, s)
	if err != nil {
		return nil, err
	}
	return adapter{v}, nil
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error { return a.signature.Verify(r) }

type body struct {
	Type      wire.Text `json:"event_type"`
	Timestamp wire.Text `json:"timestamp"`
	Channel   wire.Text `json:"channel"`
	EventID   wire.Text `json:"event_id"`
	SwgUID    wire.Text `json:"swg_uid"`
	Send      wire.Text `json:"transaction_id"`
	Recipient wire.Text `json:"recipient"`
	Phone     wire.Text `json:"phone_number"`
	OneClick  wire.Text `json:"one_click"`
	Code      wire.Text `json:"response_code"`
	Status    wire.Text `json:"status"`
	Details   wire.Text `json:"details"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var m body
	if err := wire.Decode(r.Body, &m); err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	kind := strings.ReplaceAll(m.Type.Lower(), "-", "_")
	if kind == "" {
		return nil, providers.Malformed(name, "event_type", providers.ErrMissing)
	}
	channel, table, field, to := recipient.Email, kinds, "recipient", smtp.Bare(m.Recipient.String())
	switch c := m.Channel.Lower(); {
	case c == "sms", c == "" && m.Recipient == "" && m.Phone != "":
		channel, table, field, to = recipient.SMS, texts, "phone_number", sms.MSISDN(m.Phone.String())
		if m.Phone == "" {
			to = sms.MSISDN(m.Recipient.String())
		}
	case c != "" && c != "email":
		return nil, nil
	}
	e := recipient.Event{
		Kind: table[kind], At: m.Timestamp.Time(), EventID: m.EventID.String(), MessageID: m.SwgUID.String(),
		Code: kind, Rule: "sweego-" + strings.ReplaceAll(kind, "_", "-"), Detail: m.Details.String(),
	}
	if e.MessageID == "" {
		e.MessageID = m.Send.String()
	}
	switch e.Kind {
	case "":
		return nil, nil
	case recipient.OptOut:
		e.Code = ""
		if m.OneClick.Bool() {
			e.Evidence.Via = "one_click"
		}
	case recipient.HardBounce:
		m.judge(&e)
	}
	switch {
	case e.EventID != "":
		e.IDParts = []string{e.EventID}
	case svix.ID(r) != "":
		e.IDParts = []string{svix.ID(r)}
	default:
		e.IDParts = []string{kind, e.MessageID, m.Code.String(), m.Timestamp.String()}
	}
	b := providers.NewBatch(name, 1)
	b.AddTo(channel, field, to, e)
	return b.Done()
}

// judge lets a hard bounce be one unless the server's reply names a policy, the
// content, a full mailbox or a temporary failure.
func (m *body) judge(e *recipient.Event) {
	verdict, reply := inDetails(m.Details.String())
	v := smtp.Reply{Status: m.Status.String(), Code: m.Code.String(), Text: reply}
	if c := smtp.Classify(v).Code; c != "" {
		e.Code = c
	}
	v.Text += " (" + verdict + ")"
	if verdict == "capacity" || smtp.Excuses(v) {
		e.Kind, e.Rule = recipient.SoftBounce, "sweego-reply"
	}
}

// inDetails takes the mail server's verdict, REJECTED[capacity], and the other
// server's reply, in the last parentheses, out of a line of the log:
//
//	... REJECTED[other] from=x to=y ... (550 5.1.1 Invalid Recipient)
func inDetails(line string) (verdict, reply string) {
	if _, rest, ok := strings.Cut(line, "REJECTED["); ok {
		verdict, _, _ = strings.Cut(rest, "]")
		verdict = strings.ToLower(verdict)
	} else if !strings.Contains(line, " to=") { // no line of the log
		return "", line
	}
	end := strings.LastIndexByte(line, ')')
	if end < 0 {
		return verdict, ""
	}
	// A reply may hold parentheses itself; it starts with its code.
	for i := 0; i < end; i++ {
		if line[i] == '(' && i+3 < end && smtp.BasicCode(line[i+1:i+4]) != "" {
			return verdict, line[i+1 : end]
		}
	}
	if start := strings.LastIndexByte(line[:end], '('); start >= 0 {
		return verdict, line[start+1 : end]
	}
	return verdict, ""
}
