// Package messagebird reads the SMS reports and received texts of Bird, in the
// classic form of MessageBird (queries and forms) and in that of the Bird
// Channels API (JSON).
//
// Classic: https://developers.messagebird.com/api/sms-messaging/
// Channels: https://docs.bird.com/connectivity-platform/getting-started/receiving-delivery-reports-dlrs
// Codes: https://docs.bird.com/api/channels-api/message-status-and-interactions/message-failure-sources/sms-platform-extended-error-codes
// (read 2026-11-20). The signatures are in verify.go.
package messagebird

import (
	"bytes"
	"strings"
	"time"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const (
	name = "messagebird"
	rule = "messagebird-code"
)

// codes translates statusErrorCode, a GSM MAP cause, and the codes of the
// platform from 101. Codes 2, 3 and 5 stand under "unknown subscriber" in the
// documentation, but are states of the network.
var codes = map[string]recipient.Kind{
	"1":   recipient.HardBounce, // unknown subscriber
	"103": recipient.OptOut,     // the recipient opted out
	"2":   recipient.SoftBounce, "3": recipient.SoftBounce, "5": recipient.SoftBounce, "6": recipient.SoftBounce, "8": recipient.SoftBounce, "9": recipient.SoftBounce,
	"11": recipient.SoftBounce, "12": recipient.SoftBounce, "13": recipient.SoftBounce, "27": recipient.SoftBounce, "31": recipient.SoftBounce,
	"32": recipient.SoftBounce, "33": recipient.SoftBounce, "34": recipient.SoftBounce, "35": recipient.SoftBounce, "36": recipient.SoftBounce,
}

// reasons translates statusReason where no listed code decides.
var reasons = map[string]recipient.Kind{
	"unknown subscriber": recipient.HardBounce,
	"incorrect number":   recipient.HardBounce,
	"opted out":          recipient.OptOut,
}

type adapter struct {
	secrets [][]byte
	words   *sms.Keywords
	codes   sms.Codes
}

// New needs the setting "signing_secret", the signing key.
func New(s providers.Settings) (providers.Adapter, error) {
	secrets, err := s.Secrets("signing_secret")
	if err != nil {
		return nil, err
	}
	return adapter{secrets, sms.Words(s), sms.NewCodes(s, rule, codes)}, nil
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	if body := bytes.TrimSpace(r.Body); len(body) > 0 && body[0] == '{' && r.Method != "GET" {
		var c channelEvent
		if wire.Decode(r.Body, &c) != nil {
			return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
		}
		b := providers.NewBatch(name, 1)
		switch kind, _, _ := strings.Cut(c.Type.Lower(), "."); {
		case c.Payload != nil:
			a.channels(b, &c)
			return b.Done()
		case kind == "message" && c.Message != nil:
			a.conversations(b, &c)
			return b.Done()
		case kind == "conversation":
			return nil, nil
		}
	}
	return sms.EachParams(name, r, a.classic)
}

// judge puts a failure into e. The words decide where the code says nothing.
func (a adapter) judge(e *recipient.Event, code, reason string) {
	e.Code, e.Detail = strings.TrimLeft(code, "0"), reason
	e.Kind, e.Rule = a.codes.Judge(e.Code)
	words, known := reasons[strings.ReplaceAll(strings.ToLower(plain(reason)), "_", " ")]
	_, listed := codes[e.Code]
	if known && e.Rule == rule && (!listed || words == recipient.OptOut) {
		e.Kind, e.Rule = words, "messagebird-reason"
		if e.Code == "" {
			e.Code = plain(reason)
		}
	}
}

// plain returns the reason out of Bird's "details: ...; reason: unknown_subscriber; code: 1".
func plain(reason string) string {
	if v := within(reason, "reason"); v != "" {
		return v
	}
	return reason
}

func within(reason, field string) string {
	for part := range strings.SplitSeq(reason, ";") {
		if name, value, ok := strings.Cut(part, ":"); ok && strings.TrimSpace(name) == field {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (a adapter) classic(b *providers.Batch, p sms.Params) {
	id, status := p.Get("id", "message_id", "mid"), strings.ToLower(p.Get("status"))
	if text := p.Get("body", "message"); status == "" && text != "" {
		// A short code calls the fields message, mid, shortcode and receive_datetime.
		a.words.Received(b, "originator", sms.Inbound{Text: text, To: p.Get("recipient", "receiver", "shortcode"), ID: id, Number: p.Get("originator", "sender", "msisdn")},
			clock(p.Get("createdDatetime", "receive_datetime", "date_utc", "date")))
		return
	}
	e := recipient.Event{At: clock(p.Get("statusDatetime")), MessageID: id}
	code := p.Get("statusErrorCode")
	switch status {
	case "delivered":
		e.Kind = recipient.Delivered
	case "delivery_failed", "expired":
		a.judge(&e, code, p.Get("statusReason"))
	case "":
		if id == "" && !p.Empty() {
			b.Reject(providers.Malformed(name, "status", providers.ErrMissing))
		}
	}
	if e.Kind == "" { // scheduled, sent, buffered
		return
	}
	e.IDParts = []string{id, status, code} // one message may have many recipients; the store adds the recipient
	if id == "" {
		e.IDParts = append(e.IDParts, p.Get("statusDatetime"))
	}
	b.AddTo(recipient.SMS, "recipient", sms.MSISDN(p.Get("recipient")), e)
}

// clock reads a time whose + may have become a space, or a short code's.
func clock(s string) time.Time {
	if strings.Contains(s, "T") {
		s = strings.Replace(s, " ", "+", 1)
	}
	return wire.Time(s, "20060102150405")
}

// contact is a party of a Bird message.
type contact struct {
	Key   wire.Text `json:"identifierKey"`
	Value wire.Text `json:"identifierValue"`
}

// party has one contact as the sender and several as the receiver.
type party struct {
	Contact  contact   `json:"contact"`
	Contacts []contact `json:"contacts"`
}

func (p *party) numbers() (out []string) {
	for _, c := range append(p.Contacts, p.Contact) {
		if k := c.Key.Lower(); c.Value != "" && (k == "" || k == "phonenumber") {
			out = append(out, sms.MSISDN(string(c.Value)))
		}
	}
	return out
}

// channelEvent is a webhook of the Channels API. The documentation shows id,
// status, reason and failure; the rest is as has been seen.
type channelEvent struct {
	conversation

	Event   wire.Text `json:"event"`
	Payload *struct {
		ID       wire.Text `json:"id"`
		Status   wire.Text `json:"status"`
		Reason   wire.Text `json:"reason"`
		Sender   party     `json:"sender"`
		Receiver party     `json:"receiver"`
		Failure  struct {
			Source struct {
				Name wire.Text `json:"name"`
				Code wire.Text `json:"code"`
			} `json:"source"`
		} `json:"failure"`
		Body struct {
			Text struct {
				Text wire.Text `json:"text"`
			} `json:"text"`
		} `json:"body"`
		LastStatusAt wire.Text `json:"lastStatusAt"`
		CreatedAt    wire.Text `json:"createdAt"`
	} `json:"payload"`
}

func (a adapter) channels(b *providers.Batch, c *channelEvent) {
	p := c.Payload
	channel, direction, _ := strings.Cut(c.Event.Lower(), ".")
	switch channel {
	case "sms", "mms", "channel", "channels":
	default: // WhatsApp and the like say nothing of texts
		return
	}
	if direction == "inbound" {
		from, to := "", ""
		if all := p.Sender.numbers(); len(all) > 0 {
			from = all[0]
		}
		if all := p.Receiver.numbers(); len(all) > 0 {
			to = all[0]
		}
		a.words.Received(b, "payload.sender.contact", sms.Inbound{Text: string(p.Body.Text.Text), To: to, ID: p.ID.String(), Number: from}, p.CreatedAt.Time())
		return
	}
	e := recipient.Event{At: p.LastStatusAt.Time(), MessageID: p.ID.String()}
	numbers, code := p.Receiver.numbers(), p.Failure.Source.Code.String()
	switch status := p.Status.Lower(); {
	case direction != "outbound":
	case status == "delivered":
		e.Kind = recipient.Delivered
	case status == "delivery_failed", status == "sending_failed":
		switch p.Failure.Source.Name.Lower() {
		case "sms-messagebird":
		case "":
			code = within(p.Reason.String(), "code")
		default: // another carrier's numbers mean other things
			code = ""
		}
		a.judge(&e, code, p.Reason.String())
		if e.Kind != "" && len(numbers) > 1 { // which of them?
			e.Kind = recipient.SoftBounce
		}
	}
	if e.Kind == "" { // accepted, processing, sent, scheduled
		return
	}
	e.IDParts = []string{e.MessageID, p.Status.Lower(), code}
	if e.MessageID == "" {
		e.IDParts = append(e.IDParts, p.LastStatusAt.String())
	}
	if len(numbers) == 0 {
		b.Reject(providers.Unresolved(name, "payload.receiver.contacts"))
	}
	for _, n := range numbers {
		b.AddTo(recipient.SMS, "payload.receiver.contacts", n, e)
	}
}
