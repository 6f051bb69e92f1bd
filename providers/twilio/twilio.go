// Package twilio reads the status callbacks and incoming texts of Twilio
// Programmable Messaging, and its Event Streams.
//
// Status: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
// Texts: https://www.twilio.com/docs/messaging/guides/webhook-request and
// https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
// Codes: https://www.twilio.com/docs/api/errors
// (read 2026-11-20). Signature: see signature.go.
package twilio

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "twilio"

// codes translates the "ErrorCode" of a failed text. Codes that are not listed
// are soft: the phone, the carrier, the sender, the content, the account.
var codes = map[string]recipient.Kind{
	"21211": recipient.HardBounce, // invalid To number
	"21614": recipient.HardBounce, // not a mobile number
	"21635": recipient.HardBounce, // a landline, in a country where Twilio sends nothing to them
	"30005": recipient.HardBounce, // unknown destination handset
	"30006": recipient.HardBounce, // landline or unreachable carrier; see read
	"21610": recipient.OptOut,     // the person had opted out earlier
}

type adapter struct {
	secrets [][]byte
	words   *sms.Keywords
}

// New needs the setting "signing_secret".
func New(s providers.Settings) (providers.Adapter, error) {
	secrets, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	return adapter{secrets, sms.Words(s)}, nil
}

// isStream tells Event Streams from a callback by the body: a form cannot begin so.
func isStream(r *providers.Request) bool {
	body := bytes.TrimLeft(r.Body, " \t\r\n")
	return r.Method != http.MethodGet && len(body) > 0 && (body[0] == '[' || body[0] == '{')
}

// Reply answers callbacks with an empty TwiML document: any text in the answer
// to an incoming message would be sent to the person.
func (adapter) Reply(r *providers.Request) *providers.Reply {
	if isStream(r) {
		return nil
	}
	return &providers.Reply{Header: http.Header{"Content-Type": {"text/xml; charset=utf-8"}}, Body: []byte("<Response/>")}
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	if isStream(r) {
		return a.parseStream(r)
	}
	form := r.Query() // of a number that is set to GET
	if r.Method != http.MethodGet {
		var err error
		if form, err = r.Form(); err != nil {
			return nil, providers.Malformed(name, "body", providers.ErrForm)
		}
	}
	b := providers.NewBatch(name, 1)
	status := wire.Text(form.Get("MessageStatus")).Lower()
	switch {
	case form.Get("OptOutType") != "", form.Has("Body") && (status == "" || status == "received" || status == "receiving"):
		a.incoming(b, form)
	default:
		if status == "" {
			status = wire.Text(form.Get("SmsStatus")).Lower()
		}
		m := message{To: form.Get("To"), From: form.Get("From"), Sid: form.Get("MessageSid"), Code: strings.TrimSpace(form.Get("ErrorCode")), Words: form.Get("ErrorMessage")}
		if m.Sid == "" {
			m.Sid = form.Get("SmsSid")
		}
		m.add(b, "To", status, recipient.Event{})
	}
	return b.Done()
}

// message is one status report.
type message struct{ To, From, Sid, Code, Words string }

// add adds the event of a final status. "RawDlrDoneDate" has minutes and no
// zone, so a callback happened when it came.
func (m *message) add(b *providers.Batch, field, status string, e recipient.Event) {
	switch status {
	case "delivered":
		e.Kind = recipient.Delivered
	case "undelivered", "failed":
		e.Kind, e.Rule, e.Code, e.Detail = m.kind(), strings.TrimSuffix("twilio-"+m.Code, "-"), m.Code, m.Words
		if e.Kind == recipient.OptOut {
			e.Code = m.From // what the person stopped
		}
	}
	if e.Kind == "" || other(m.To) {
		return
	}
	e.MessageID = m.Sid
	if e.IDParts == nil {
		e.IDParts = []string{m.Sid, status, m.Code}
	}
	b.AddTo(recipient.SMS, field, sms.MSISDN(m.To), e)
}

func (m *message) kind() recipient.Kind {
	kind, known := codes[m.Code]
	switch {
	case len(m.Code) == 5 && strings.HasPrefix(m.Code, "63"): // WhatsApp and other channels
		return ""
	case !known, m.Code == "30006" && sms.IsShortCode(m.From): // from a short code it means the carrier
		return recipient.SoftBounce
	}
	return kind
}

// other reports whether an address belongs to another channel, as
// "whatsapp:+15551230100" does.
func other(address string) bool { return strings.Contains(address, ":") }

// incoming reads a person's text. With Advanced Opt-Out, Twilio says what it
// took the text for, in words that the operator chose. Only the person's own
// start word is an opt-in.
func (a adapter) incoming(b *providers.Batch, form url.Values) {
	in := sms.Inbound{Text: form.Get("Body"), To: form.Get("To"), ID: form.Get("MessageSid"), Number: form.Get("From")}
	if in.ID == "" {
		in.ID = form.Get("SmsSid")
	}
	if other(in.Number) {
		return
	}
	e := recipient.Event{Rule: "twilio-opt-out-type", Code: sms.MSISDN(in.To), EventID: in.ID, MessageID: in.ID, IDParts: []string{"text", in.ID},
		Evidence: recipient.Evidence{Via: "text", Text: recipient.Clean(in.Text, 160)}}
	switch said := strings.ToUpper(strings.TrimSpace(form.Get("OptOutType"))); {
	case said == "HELP":
		return
	case said == "STOP":
		e.Kind = recipient.OptOut
	case said == "START" && a.words.Kind(in.Text) != recipient.OptIn: // a word of the operator's choice
		e.Kind = recipient.Reactivation
	default:
		a.words.Received(b, "From", in, time.Time{})
		return
	}
	b.AddTo(recipient.SMS, "From", sms.MSISDN(in.Number), e)
}

// cloudEvent is one item of Event Streams.
type cloudEvent struct {
	Type wire.Text `json:"type"`
	ID   wire.Text `json:"id"`
	Time wire.Text `json:"time"`
	Data wire.Object[struct {
		Sid       wire.Text `json:"messageSid,case:ignore"`
		To        wire.Text `json:"to,case:ignore"`
		From      wire.Text `json:"from,case:ignore"`
		ErrorCode wire.Text `json:"errorCode,case:ignore"`
		Words     wire.Text `json:"errorMessage,case:ignore"`
		Timestamp wire.Text `json:"timestamp,case:ignore"`
		Body      wire.Text `json:"body,case:ignore"`
	}] `json:"data"`
}

const (
	// streamPrefix begins the types of reports; what follows is the status.
	streamPrefix = "com.twilio.messaging.message."
	streamText   = "com.twilio.messaging.inbound-message.received"
)

func (a adapter) parseStream(r *providers.Request) ([]recipient.Event, error) {
	return sms.Each(name, "[]", r.Body, nil, func(b *providers.Batch, c *cloudEvent) {
		status, ours := strings.CutPrefix(c.Type.Lower(), streamPrefix)
		if c.Type == "" {
			b.Reject(providers.Malformed(name, "[].type", providers.ErrMissing))
		}
		d := &c.Data.V
		e := recipient.Event{At: d.Timestamp.Time(), EventID: c.ID.String()}
		if e.At.IsZero() {
			e.At = c.Time.Time()
		}
		if !ours {
			if in := (sms.Inbound{Text: string(d.Body), To: d.To.String(), ID: d.Sid.String(), Number: d.From.String()}); c.Type.Lower() == streamText && !other(in.Number) {
				a.words.Received(b, "[].data.from", in, e.At)
			}
			return
		}
		if e.EventID != "" {
			e.IDParts = []string{e.EventID}
		}
		m := message{To: d.To.String(), From: d.From.String(), Sid: d.Sid.String(), Code: d.ErrorCode.String(), Words: d.Words.String()}
		m.add(b, "[].data.to", status, e)
	})
}
