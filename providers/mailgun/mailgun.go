// Package mailgun reads Mailgun's webhooks, in JSON and in the form of before
// 2018.
//
// Payloads: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks
// and https://github.com/mailgun/documentation (source/api-events.rst)
// Signature: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
// (read 2026-11-20): hex HMAC-SHA256 of a timestamp and a token that stand in
// the body. The event itself is not signed.
package mailgun

import (
	"bytes"
	"context"
	"net/url"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sign"
	"github.com/strikeout/strikeout/providers/internal/smtp"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "mailgun"

type adapter struct {
	keys [][]byte
	used *tokens // nil: a signature may come again for anybody
}

// reuseSetting says what becomes of a signature that comes again for another
// recipient. Accepting is the default: what the process remembers is lost at
// each restart and not shared, and a relay that signs once for several reports
// must not lose bounces.
const reuseSetting = "token_reuse"

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	keys, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	a := adapter{keys: keys}
	switch s.Get(reuseSetting, "accept") {
	case "accept":
	case "refuse":
		a.used = newTokens()
	default:
		return nil, providers.SettingError(reuseSetting, "expected accept or refuse")
	}
	return a, nil
}

// signature is what is signed, and with what. A subaccount's events are signed
// with the key of the primary account too.
type signature struct {
	Timestamp wire.Text `json:"timestamp"`
	Token     wire.Text `json:"token"`
	Signature wire.Text `json:"signature"`
	Parent    wire.Text `json:"parent-signature"`
}

// message is a body in JSON.
type message struct {
	Signature wire.Object[signature] `json:"signature"`
	Event     wire.Object[report]    `json:"event-data"`
}

// decode reads a body in JSON, once for Verify and Parse.
func decode(r *providers.Request) (*message, error) {
	return providers.Decoded(r, func() (*message, error) {
		var m message
		return &m, wire.Decode(r.Body, &m)
	})
}

// isForm tells the old form from JSON, whatever the content type says.
func isForm(r *providers.Request) bool {
	return !bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(r.Body, []byte("\xef\xbb\xbf")), " \t\r\n"), []byte("{"))
}

// last returns the last value of a field: the sender's own variables stand
// before the genuine signature.
func last(form url.Values, field string) wire.Text {
	if vs := form[field]; len(vs) > 0 {
		return wire.Text(vs[len(vs)-1])
	}
	return ""
}

func (a adapter) Verify(_ context.Context, r *providers.Request) error {
	if len(a.keys) == 0 {
		return nil
	}
	m := &message{}
	if isForm(r) {
		form, err := r.Form()
		if err != nil {
			return providers.Unauthentic(name, "the body is neither JSON nor a form")
		}
		m.Signature.V = signature{Timestamp: last(form, "timestamp"), Token: last(form, "token"), Signature: last(form, "signature")}
		m.Event.V.Recipient = wire.Text(form.Get("recipient"))
	} else if read, err := decode(r); err != nil {
		return providers.Unauthentic(name, "the body is neither JSON nor a form")
	} else {
		m = read
	}
	s := &m.Signature.V
	if s.Timestamp == "" || s.Token == "" || s.Signature == "" && s.Parent == "" {
		return providers.Unauthentic(name, "the body has no signature")
	}
	at, token := []byte(s.Timestamp), []byte(s.Token)
	if !sign.HexHMAC256(a.keys, string(s.Signature), at, token) && !sign.HexHMAC256(a.keys, string(s.Parent), at, token) {
		return providers.Unauthentic(name, "the signature does not match: compare signing_secret with the HTTP webhook signing key (not the API key)")
	}
	if a.used != nil && !a.used.use(string(at), string(token), m.Event.V.Recipient.Lower()) {
		return providers.Unauthentic(name, "the signature was used before, for another recipient")
	}
	return r.Fresh(s.Timestamp.Time())
}

// report is one event of either form.
type report struct {
	Event     wire.Text `json:"event"`
	ID        wire.Text `json:"id"` // unique within a day
	Timestamp wire.Text `json:"timestamp"`
	Recipient wire.Text `json:"recipient"`
	Severity  wire.Text `json:"severity"`
	Reason    wire.Text `json:"reason"`
	Status    wire.Object[struct {
		Code        wire.Text `json:"code"`
		Enhanced    wire.Text `json:"enhanced-code"`
		BounceCode  wire.Text `json:"bounce-code"`
		BounceType  wire.Text `json:"bounce-type"`
		Message     wire.Text `json:"message"`
		Description wire.Text `json:"description"`
	}] `json:"delivery-status"`
	Flags wire.Object[struct {
		Test wire.Text `json:"is-test-mode"`
	}] `json:"flags"`
	Message wire.Object[struct {
		Headers wire.Object[struct {
			ID wire.Text `json:"message-id"`
		}] `json:"headers"`
	}] `json:"message"`
	List wire.Object[struct {
		Address wire.Text `json:"address"`
	}] `json:"mailing-list"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	if isForm(r) {
		return parseForm(r)
	}
	m, err := decode(r)
	if err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	rep := &m.Event.V
	switch {
	case m.Event.Kind == 0:
		return nil, providers.Malformed(name, "event-data", providers.ErrMissing)
	case m.Event.Kind != '{':
		return nil, providers.Malformed(name, "event-data", providers.ErrNotJSON)
	case rep.Event == "":
		return nil, providers.Malformed(name, "event-data.event", providers.ErrMissing)
	case rep.Flags.V.Test.Bool(): // never sent
		return nil, nil
	}
	return rep.read("event-data.recipient")
}

// parseForm reads the old form, where the genuine event stands before the
// sender's own variables.
func parseForm(r *providers.Request) ([]recipient.Event, error) {
	form, err := r.Form()
	if err != nil {
		return nil, providers.Malformed(name, "body", providers.ErrForm)
	}
	get := func(fields ...string) wire.Text {
		for _, f := range fields {
			if v := form.Get(f); v != "" {
				return wire.Text(v)
			}
		}
		return ""
	}
	var rep report
	rep.Event, rep.Timestamp, rep.Recipient = get("event"), last(form, "timestamp"), get("recipient")
	if rep.Event == "" {
		if get("sender", "from", "body-plain", "body-mime") != "" { // mail that a route forwards
			return nil, nil
		}
		return nil, providers.Malformed(name, "event", providers.ErrMissing)
	}
	rep.Severity, rep.Reason, rep.List.V.Address = get("severity"), get("reason"), get("mailing-list")
	rep.Message.V.Headers.V.ID = get("Message-Id", "message-id")
	s := &rep.Status.V
	s.Code, s.Message, s.Description = get("code"), get("error"), get("description", "notification")
	return rep.read("recipient")
}

func (rep *report) read(field string) ([]recipient.Event, error) {
	s := &rep.Status.V
	e := recipient.Event{At: rep.Timestamp.Time(), EventID: rep.ID.String(), MessageID: smtp.MessageID(rep.Message.V.Headers.V.ID.String()), Detail: s.Message.String()}
	if e.Detail == "" {
		e.Detail = s.Description.String()
	}
	event := rep.Event.Lower()
	switch event {
	case "delivered":
		e.Kind = recipient.Delivered
	case "complained":
		e.Kind = recipient.Complaint
	case "unsubscribed": // from the domain, a tag or a list: only a list is told
		e.Kind = recipient.OptOut
		if list := rep.List.V.Address.String(); list != "" {
			e.Code = "list " + list
		}
	case "failed", "bounced", "dropped":
		j := rep.judge(event)
		e.Kind, e.Echo, e.Rule, e.Code = j.kind, j.echo, j.rule, j.code
	default:
		return nil, nil
	}
	e.IDParts = []string{event, e.EventID, day(e.At)}
	if e.EventID == "" {
		e.IDParts = []string{event, e.MessageID, rep.Timestamp.String(), rep.Reason.String(), s.Code.String()}
	}
	b := providers.NewBatch(name, 1)
	b.AddTo(recipient.Email, field, smtp.Bare(rep.Recipient.String()), e)
	return b.Done()
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}
