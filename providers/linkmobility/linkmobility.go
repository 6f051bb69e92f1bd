// Package linkmobility reads the delivery reports and received texts of two of
// LINK Mobility's platforms: the "Common" SMS REST API, also sold by Sergel,
// and the Finnish gateway that began as Labyrintti Media.
//
// Payloads and codes: "LINK Mobility SMS REST API, MT and Delivery Reports"
// from https://www.linkmobility.com/developer/ ,
// https://sergel.se/foretagstjanster/sergel-connect/sergel-connect-support/smsapi/sms-delivery-reports
// and the library lmgw-api-php 2.2 (read 2026-11-20). Neither signs anything.
//
// Common has "resultCode" and, for texts, "content"; the gateway has "dest"
// and "status" and, for texts, "source" and "keyword".
package linkmobility

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
	name          = "linkmobility"
	answerSetting = "answer"
)

// commonCodes translates Common's "resultCode". What is not listed is soft:
// routing, charging, content, and 2105, a subscriber barred for good, whose
// number is no less his.
var commonCodes = map[string]recipient.Kind{
	"1001": recipient.Delivered,
	"1007": recipient.Delivered,                                            // delivered, billing late
	"2104": recipient.HardBounce,                                           // unknown subscriber
	"2106": recipient.HardBounce,                                           // number error: it does not exist
	"1000": "", "1005": "", "1008": "", "1011": "", "1012": "", "1013": "", // on its way
	"1010": "", "4": "", "5": "", // no report will come: unknown outcome
}

type adapter struct {
	sms.Unsigned
	common, gateway sms.Codes
	words           *sms.Keywords
	answer          []byte
}

// New needs no settings.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{
		common: sms.NewCodes(s, "linkmobility-result-code", commonCodes), gateway: sms.NewCodes(s, "linkmobility-gateway-code", gatewayCodes),
		words: sms.Words(s), answer: []byte(s.Get(answerSetting, "")),
	}, nil
}

// Reply has the body that a Common gate may be told to expect. The gateway
// would send a body back to the person as a text, so by default it is empty.
func (a adapter) Reply(*providers.Request) *providers.Reply { return &providers.Reply{Body: a.answer} }

// common is a report of Common, or a text that a person sent, which alone has Content.
type common struct {
	ID         wire.Text `json:"id"`
	RefID      wire.Text `json:"refId"`
	Timestamp  wire.Text `json:"timestamp"`
	Sent       wire.Text `json:"sentTimestamp"`
	ResultCode wire.Text `json:"resultCode"`
	Custom     wire.Raw  `json:"customParameters"`

	Content struct {
		UserData wire.Text `json:"userData"`
	} `json:"content"`
	MessageID   wire.Text `json:"messageId"`
	Source      wire.Text `json:"source"`
	Destination wire.Text `json:"destination"`
	Route       struct {
		Keyword wire.Text `json:"keyword"`
	} `json:"route"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	if body := bytes.TrimSpace(r.Body); len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return sms.EachParams(name, r, a.flat)
	}
	return sms.Each(name, "body", r.Body, nil, a.report)
}

func (a adapter) report(b *providers.Batch, c *common) {
	if text := c.Content.UserData; text != "" && c.ResultCode == "" {
		a.text(b, c.Source.String(), c.Destination.String(), c.Route.Keyword.String(), text.String(), c.Timestamp, c.MessageID.String())
		return
	}
	code := c.ResultCode.String()
	if code == "" {
		b.Reject(providers.Malformed(name, "resultCode", providers.ErrMissing))
		return
	}
	kind, rule := a.common.Judge(code)
	if kind == "" {
		return
	}
	at := c.Timestamp.Time()
	if at.IsZero() {
		at = c.Sent.Time()
	}
	// The id ends in $n for part n of a long text, so each part counts for itself.
	e := recipient.Event{Kind: kind, At: at, MessageID: c.ID.String(), Code: code, Rule: rule, IDParts: []string{c.ID.String(), code}}
	if c.ID == "" {
		e.IDParts = []string{c.RefID.String(), code, c.Timestamp.String()}
	}
	// A report names no recipient by itself. Some gates add it; else the operator
	// put it into the reference.
	to := custom(c.Custom, "destination")
	if to == "" {
		to = sms.NumberIn(string(c.RefID))
	}
	b.AddTo(recipient.SMS, "refId", sms.MSISDN(to), e)
}

// custom returns one of the custom parameters, which are an object in examples
// and a list of pairs in the reference.
func custom(raw wire.Raw, key string) string {
	var object map[string]wire.Text
	switch raw.Kind() {
	case '{':
		if wire.Decode(raw, &object) == nil {
			return object[key].String()
		}
	case '[':
		pairs, err := wire.Array(raw)
		for i := 0; err == nil && i < len(pairs); i++ {
			if pairs[i].Kind() != '{' || wire.Decode(pairs[i], &object) != nil {
				continue
			}
			if v := object[key].String(); v != "" {
				return v
			}
			if object["key"].String() == key || object["name"].String() == key {
				return object["value"].String()
			}
		}
	}
	return ""
}

// text reads what a person sent. The keyword is the text's first word, by
// which the platform found us; a stop may be that word or the one after it. A
// start must be the whole text.
func (a adapter) text(b *providers.Batch, from, to, keyword, text string, stamp wire.Text, id string) {
	in := sms.Inbound{Text: text, To: to, ID: id, Number: from}
	if first, rest, ok := strings.Cut(text, " "); ok && keyword != "" && strings.EqualFold(first, keyword) && a.words.Kind(rest) == recipient.OptOut {
		in.Before, in.Text = first, rest
	}
	e, ok := a.words.Event(in)
	if !ok && a.words.Kind(keyword) == recipient.OptOut {
		in.Text = keyword
		if e, ok = a.words.Event(in); ok && text != "" {
			e.Evidence.Text = recipient.Clean(text, 160)
		}
	}
	if !ok {
		return
	}
	// Common says the time with its zone. The gateway's zone is a guess, and an
	// opt-out must not lose against an older act for a wrong guess: it happened
	// when we heard of it.
	if at, err := time.Parse(time.RFC3339, stamp.String()); err == nil {
		e.At = at.UTC()
	}
	e.IDParts = []string{"text", id, to, text, keyword, stamp.String()} // Common's messageId may be 0
	b.AddTo(recipient.SMS, "source", sms.MSISDN(from), e)
}
