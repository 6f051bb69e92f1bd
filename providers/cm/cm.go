// Package cm reads CM.com's SMS status reports and received texts.
//
// Payloads: https://developers.cm.com/messaging/docs/incoming-status-report and
// https://developers.cm.com/messaging/docs/incoming-messages (read 2026-11-20).
// Nothing is signed.
//
// CM passes on the operators' reason numbers. The list that European
// aggregators share is not confirmed to be CM's, so no number blocks until the
// operator has compared the lists and put 23 into hard_codes.
package cm

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "cm"

type adapter struct {
	sms.Unsigned
	codes sms.Codes
	words *sms.Keywords
}

// New needs no settings.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{codes: sms.NewCodes(s, "cm-error-code", nil), words: sms.Words(s)}, nil
}

// status is one report. The fields are called after the variables of the
// older templates, and those names mislead: ErrorCode is STATUSDESCRIPTION.
type status struct {
	Received  wire.Text `json:"received"`
	To        wire.Text `json:"to"`
	Reference wire.Text `json:"reference"`
	Status    struct {
		Code             wire.Text `json:"code"`
		ErrorCode        wire.Text `json:"errorCode"`
		ErrorDescription wire.Text `json:"errorDescription"`
	} `json:"status"`
}

// received is a text that a person sent: From and To are objects, or bare
// numbers beside Body in the first edition, which has no time.
type received struct {
	Messages struct {
		Msg wire.Raw `json:"msg"`
	} `json:"messages"`
	From    wire.Raw `json:"from"`
	To      wire.Raw `json:"to"`
	Message struct {
		Text wire.Text `json:"text"`
	} `json:"message"`
	Body      wire.Text `json:"body"`
	Reference wire.Text `json:"reference"`
	TimeUTC   wire.Text `json:"timeUtc"`
	Channel   wire.Text `json:"channel"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	body := bytes.TrimSpace(r.Body)
	switch {
	case len(body) > 0 && body[0] == '<':
		return a.xml(body)
	case len(body) == 0 || body[0] != '{':
		return sms.EachParams(name, r, func(b *providers.Batch, p sms.Params) { a.template(b, p, r.ReceivedAt) })
	}
	var m received
	if wire.Decode(r.Body, &m) != nil {
		return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
	}
	if m.Messages.Msg != nil {
		return sms.Each(name, "messages.msg", m.Messages.Msg, wrap, a.report)
	}
	if m.From == nil {
		return sms.EachParams(name, r, func(b *providers.Batch, p sms.Params) { a.template(b, p, r.ReceivedAt) })
	}
	b := providers.NewBatch(name, 1)
	if c := m.Channel.Lower(); c != "" && c != "sms" { // a stop on WhatsApp is none for texts
		return b.Done()
	}
	in := sms.Inbound{Text: m.Message.Text.String(), To: number(m.To), Number: number(m.From)}
	at := m.TimeUTC.Time()
	if in.Text == "" {
		in.Text = m.Body.String()
	}
	in.Parts = []string{m.Reference.String()}
	if at.IsZero() {
		// Neither an id nor a time: only the day keeps a stop of next month, after
		// the person came back, apart from this one.
		in.Parts = append(in.Parts, r.ReceivedAt.UTC().Format(time.DateOnly))
	}
	a.words.Received(b, "from.number", in, at)
	return b.Done()
}

func wrap(array []byte) []byte { return []byte(`{"messages":{"msg":` + string(array) + `}}`) }

// number reads {"number":"0031..."} or the number itself.
func number(raw wire.Raw) string {
	var t wire.Text
	var o struct {
		Number wire.Text `json:"number"`
	}
	if raw.Kind() == '{' {
		if wire.Decode(raw, &o) == nil {
			t = o.Number
		}
	} else if raw != nil && wire.Decode(raw, &t) != nil {
		t = ""
	}
	return t.String()
}

func (a adapter) report(b *providers.Batch, s *status) {
	code := s.Status.Code.String()
	// The zone of "received" is not documented. Read as UTC it is at most two
	// hours late, and never later than the receipt.
	e := recipient.Event{At: s.Received.Time(), MessageID: s.Reference.String(), Code: s.Status.ErrorCode.String(), Detail: s.Status.ErrorDescription.String()}
	n, err := strconv.Atoi(code)
	switch {
	case code == "":
		b.Reject(providers.Malformed(name, "status.code", providers.ErrMissing))
		return
	case n == 2:
		e.Kind = recipient.Delivered
	case err == nil && n > 0: // 1 rejected, 3 failed
		e.Kind, e.Rule = a.codes.Judge(e.Code)
	}
	if e.Kind == "" { // 0: the operator accepted it
		return
	}
	// There is no id, and the operator's reference may be the campaign's.
	e.IDParts = []string{e.MessageID, code, e.Code, s.Received.String()}
	b.AddTo(recipient.SMS, "to", sms.MSISDN(s.To.String()), e)
}

// template reads the names of the template in Info.Setup, and CM's own
// variables as names.
func (a adapter) template(b *providers.Batch, p sms.Params, received time.Time) {
	if words := p.Get("message", "MESSAGE", "text", "body"); words != "" && p.Get("status", "STATUS", "code") == "" {
		in := sms.Inbound{Text: words, To: p.Get("to", "shortcode", "SHORTCODE"), Number: p.Get("from", "originator", "gsm", "GSM")}
		in.Parts = []string{p.Get("reference", "REFERENCE"), received.UTC().Format(time.DateOnly)} // as in Parse
		a.words.Received(b, "from", in, time.Time{})
		return
	}
	var s status
	for to, names := range map[*wire.Text][]string{
		&s.To: {"to", "gsm", "GSM"}, &s.Reference: {"reference", "REFERENCE"}, &s.Received: {"received", "created_s", "CREATED_S"}, &s.Status.Code: {"status", "STATUS", "code"},
		&s.Status.ErrorCode:        {"errorcode", "errorCode", "statusdescription", "STATUSDESCRIPTION"},
		&s.Status.ErrorDescription: {"errordescription", "errorDescription", "standarderrortext", "STANDARDERRORTEXT"},
	} {
		*to = wire.Text(p.Get(names...))
	}
	a.report(b, &s)
}

func (a adapter) xml(body []byte) ([]recipient.Event, error) {
	var m struct {
		Msg []struct {
			Received         string `xml:"RECEIVED,attr"`
			To               string `xml:"TO"`
			Reference        string `xml:"REFERENCE"`
			Code             string `xml:"STATUS>CODE"`
			ErrorCode        string `xml:"STATUS>ERRORCODE"`
			ErrorDescription string `xml:"STATUS>ERRORDESCRIPTION"`
		} `xml:"MSG"`
	}
	d := xml.NewDecoder(bytes.NewReader(bytes.ToValidUTF8(body, []byte("?"))))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	if d.Decode(&m) != nil || len(m.Msg) == 0 {
		return nil, providers.Malformed(name, "MESSAGES", errNotXML)
	}
	b := providers.NewBatch(name, len(m.Msg))
	for _, x := range m.Msg {
		s := status{Received: wire.Text(x.Received), To: wire.Text(x.To), Reference: wire.Text(strings.TrimSpace(x.Reference))}
		s.Status.Code, s.Status.ErrorCode, s.Status.ErrorDescription = wire.Text(x.Code), wire.Text(x.ErrorCode), wire.Text(x.ErrorDescription)
		a.report(b, &s)
	}
	return b.Done()
}

var errNotXML = errors.New("not the expected XML")
