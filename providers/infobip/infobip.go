// Package infobip reads Infobip's SMS delivery reports and received texts.
//
// Payload: https://www.infobip.com/docs/api/channels/sms and
// https://www.infobip.com/docs/api/platform/messages-api
// Codes: https://www.infobip.com/docs/essentials/response-status-and-error-codes
// (read 2026-11-20).
// Signature: none that is documented.
package infobip

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/batch"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "infobip"

// failures translates error.id of a failure; what is not listed is soft. Never
// error.permanent: it says that the same message would fail again, and comes
// with a phone that was off.
var failures = map[string]recipient.Kind{
	"1":   recipient.HardBounce, // EC_UNKNOWN_SUBSCRIBER
	"352": recipient.HardBounce, // country code not recognised
	"629": recipient.HardBounce, // the destination cannot receive SMS
	"573": recipient.OptOut,     // EC_SC_BLOCKED_BY_END_USER
	"603": recipient.OptOut,     // EC_CONTENT_BLOCKED: stopped by the person
}

// rejectedDestination is the one status.id of a failure that means a faulty
// number: prefix or length fit no operator. Its name does not decide, since 14,
// a list, has had the same.
const rejectedDestination = "52"

// Groups of status, by id and name.
const (
	undeliverable = "2"
	delivered     = "3"
	expired       = "4"
	rejected      = "5"
)

var groups = map[string]string{"undeliverable": undeliverable, "delivered": delivered, "expired": expired, "rejected": rejected}

type adapter struct {
	sms.Unsigned
	words *sms.Keywords
	codes sms.Codes
}

// New needs no settings: the endpoint must have a path_secret or basic_auth.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{words: sms.Words(s), codes: sms.NewCodes(s, "infobip-error", failures)}, nil
}

// outcome is a status or an error.
type outcome struct {
	GroupID     wire.Text `json:"groupId"`
	GroupName   wire.Text `json:"groupName"`
	ID          wire.Text `json:"id"`
	Name        wire.Text `json:"name"`
	Description wire.Text `json:"description"`
}

// result is a delivery report or a received text.
type result struct {
	MessageID  wire.Text            `json:"messageId"`
	To         wire.Text            `json:"to"`
	From       wire.Text            `json:"from"`
	Channel    wire.Text            `json:"channel"`         // of reports that are not SMS, and of the Messages API
	Platform   wire.Text            `json:"integrationType"` // the same, in received messages of other channels
	SentAt     wire.Text            `json:"sentAt"`
	DoneAt     wire.Text            `json:"doneAt"`
	Status     *outcome             `json:"status"`
	Error      wire.Object[outcome] `json:"error"`
	ReceivedAt wire.Text            `json:"receivedAt"`
	Text       wire.Text            `json:"text"`
	CleanText  wire.Text            `json:"cleanText"`
	Keyword    wire.Text            `json:"keyword"`

	// Messages API, where they stand for to and from in either direction.
	Destination wire.Text           `json:"destination"`
	Sender      wire.Text           `json:"sender"`
	Content     wire.Many[fragment] `json:"content"`
	Event       wire.Text           `json:"event"`
	SeenAt      wire.Text           `json:"seenAt"`
}

// fragment is a part of a received message of the Messages API.
type fragment struct {
	Text      wire.Text `json:"text"`
	CleanText wire.Text `json:"cleanText"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	wrap := func(array []byte) []byte { return append(append([]byte(`{"results":`), array...), '}') }
	if b, bad, ok := batch.At(name, r.Body, "results", a.read); ok {
		if bad != nil {
			bad = wrap(bad)
		}
		return batch.Done(b, bad, nil)
	}
	var m struct {
		Results   wire.Raw  `json:"results"`
		MessageID wire.Text `json:"messageId"`
	}
	array := wire.Raw(r.Body)
	one := array
	if one.Kind() != '{' {
		if items, err := wire.Array(array); err == nil && len(items) == 1 {
			one = items[0]
		}
	}
	if wire.Decode(one, &m) == nil {
		switch {
		case len(m.Results) > 0 && m.Results.Kind() != 'n':
			array = m.Results
		case m.MessageID == "":
			return nil, nil
		}
	}
	return sms.Each(name, "results[]", array, wrap, a.read)
}

func (a adapter) read(b *providers.Batch, m *result) {
	for _, c := range []string{m.Channel.Lower(), m.Platform.Lower()} { // the same ids mean other things there
		if c != "" && c != "sms" && c != "mms" {
			return
		}
	}
	if m.To == "" {
		m.To = m.Destination
	}
	if m.Status == nil {
		switch {
		case m.Text != "" || m.ReceivedAt != "":
			a.text(b, m)
		case m.SeenAt != "" || m.Event.Lower() == "seen":
		default:
			b.Reject(providers.Malformed(name, "results[].status", providers.ErrMissing))
		}
		return
	}
	at := m.DoneAt
	if at == "" {
		at = m.SentAt
	}
	e := recipient.Event{At: at.Time(), MessageID: m.MessageID.String()}
	status, failure := m.Status.ID.String(), m.Error.V.ID.String()
	switch group(m.Status) {
	case delivered:
		if status == "2" || m.Status.Name.Lower() == "delivered_to_operator" { // still on its way to the phone
			return
		}
		e.Kind = recipient.Delivered
	case undeliverable, expired, rejected:
		a.judge(&e, m)
	default: // pending, accepted
		return
	}
	if e.Kind == "" {
		return
	}
	e.IDParts = []string{e.MessageID, status, failure}
	if e.MessageID == "" {
		e.IDParts = append(e.IDParts, at.String())
		if status+failure == "" && at == "" { // there is nothing else
			e.IDParts = append(e.IDParts, group(m.Status))
		}
	}
	b.AddTo(recipient.SMS, "results[].to", sms.MSISDN(m.To.String()), e)
}

// judge lets the error decide, then the status.
func (a adapter) judge(e *recipient.Event, m *result) {
	e.Code, e.Detail = m.Error.V.ID.String(), words(&m.Error.V)
	if e.Code != "" && e.Code != "0" {
		e.Kind, e.Rule = a.codes.Judge(e.Code)
		if e.Kind != recipient.SoftBounce || m.Status.ID != rejectedDestination {
			return
		}
	}
	e.Kind, e.Rule, e.Code, e.Detail = recipient.SoftBounce, "infobip-status", m.Status.ID.String(), words(m.Status)
	if e.Code == rejectedDestination {
		e.Kind = recipient.HardBounce
	}
}

func words(o *outcome) string {
	return strings.TrimSpace(o.Name.String() + " " + o.Description.String())
}

// group returns the id of a status' group, from its name or, failing that,
// from the name of the status, which begins with it.
func group(o *outcome) string {
	if id := o.GroupID.String(); id != "" {
		return id
	}
	name := o.GroupName.Lower()
	if name == "" {
		name, _, _ = strings.Cut(o.Name.Lower(), "_")
	}
	return groups[name]
}

func (a adapter) text(b *providers.Batch, m *result) {
	if m.From == "" {
		m.From = m.Sender
	}
	if len(m.Content) == 1 && m.Text == "" { // of several parts none is the whole text
		m.Text, m.CleanText = m.Content[0].Text, m.Content[0].CleanText
	}
	in := sms.Inbound{Text: string(m.Text), To: m.To.String(), ID: m.MessageID.String(), Number: m.From.String()}
	if in.Text == "" {
		in.Text = string(m.Keyword)
	}
	// The keyword by which Infobip found us may stop messages, and so may what
	// follows the keyword of a shared number. Neither can ask for them again, which
	// takes the whole text.
	if a.words.Kind(in.Text) == "" {
		switch recipient.OptOut {
		case a.words.Kind(string(m.CleanText)):
			in.Before, in.Text = m.Keyword.String(), string(m.CleanText)
		case a.words.Kind(string(m.Keyword)):
			in.Text = string(m.Keyword)
		}
	}
	a.words.Received(b, "results[].from", in, m.ReceivedAt.Time())
}
