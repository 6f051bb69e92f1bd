// Package clickatell reads the SMS status and reply callbacks of Clickatell: of
// the SMS Platform (JSON, forms or queries), of the older Communicator and
// Central products, and of the One API.
//
// Payload: https://www.clickatell.com/developers/api-documentation/rest-api-status-callback/
// One API: https://docs.clickatell.com/ (read 2026-11-20).
// Signature: none.
package clickatell

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "clickatell"

// codes translates statusCode after the message status table of the platform;
// what is not listed is soft. No code means a faulty number for sure: 7 and 9
// are a phone that is off as well.
var codes = map[string]recipient.Kind{
	"1": "", // the id is unknown
	"2": "", // queued
	"3": "", // delivered to the gateway
	"4": recipient.Delivered,
	"6": "",           // cancelled by the user
	"8": "", "11": "", // received by the gateway, queued for later
}

// oneCodes is the table of the One API, which gives the same numbers other
// meanings.
var oneCodes = map[string]recipient.Kind{
	"1": "", "2": "", "3": "", "4": "", "6": "", "24": "", // on the way, read
	"5":  recipient.Delivered,
	"21": "", "22": "", // stopped, but not by the person
	"29": recipient.HardBounce, // RECIPIENT_DOES_NOT_EXIST
}

// statuses stand in for a missing statusCode.
var statuses = map[string]string{
	"received_by_recipient": "4", "message_queued": "2", "queued": "2", "delivered_to_gateway": "3", "received_by_gateway": "8", "message_queued_for_delivery": "11",
}

type adapter struct {
	sms.Unsigned
	words  *sms.Keywords
	legacy sms.Codes
	one    sms.Codes
}

// New needs no settings: the endpoint must have a path_secret or basic_auth.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{words: sms.Words(s), legacy: sms.NewCodes(s, "clickatell-code", codes), one: sms.NewCodes(s, "clickatell-one-code", oneCodes)}, nil
}

// update is an item of a One API event. Its shape is not documented in full: in
// the only description it names no recipient.
type update struct {
	Channel   wire.Text `json:"channel"`
	MessageID wire.Text `json:"messageId"`
	ClientID  wire.Text `json:"clientMessageId"`
	To        wire.Text `json:"to"`
	Code      wire.Text `json:"statusCode"`
	Status    wire.Text `json:"status"`
	Words     wire.Text `json:"statusDescription"`
	Timestamp wire.Text `json:"timestamp"`
	From      wire.Text `json:"from"`
	Content   wire.Text `json:"content"`
	Charset   wire.Text `json:"charset"`
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var m struct {
		Event *struct {
			Updates wire.Raw `json:"messageStatusUpdate"`
			Texts   wire.Raw `json:"moText"`
		} `json:"event"`
	}
	body := bytes.TrimSpace(r.Body)
	if len(body) == 0 || body[0] != '{' || r.Method == "GET" || wire.Decode(body, &m) != nil || m.Event == nil {
		return sms.EachParams(name, r, a.flat)
	}
	var items []wire.Raw
	for _, list := range []wire.Raw{m.Event.Updates, m.Event.Texts} {
		if len(list) == 0 || list.Kind() == 'n' {
			continue
		}
		more, err := wire.Array(list)
		if err != nil {
			return nil, providers.Malformed(name, "event", providers.ErrNotJSON)
		}
		items = append(items, more...)
	}
	number := sms.MSISDN(r.Query().Get("to"))
	wrap := func(array []byte) []byte {
		return append(append([]byte(`{"event":{"messageStatusUpdate":`), array...), "}}"...)
	}
	return sms.Each(name, "event.messageStatusUpdate[]", wire.Join(items), wrap, func(b *providers.Batch, u *update) { a.read(b, u, number) })
}

// read reads an item of a One API event. Number is the one in the callback
// URL, if the operator put it there.
func (a adapter) read(b *providers.Batch, u *update, number string) {
	if c := u.Channel.Lower(); c != "" && c != "sms" {
		return
	}
	if u.Content != "" && u.Code == "" {
		in := sms.Inbound{Text: text(string(u.Content), u.Charset.String()), To: u.To.String(), ID: u.MessageID.String(), Number: u.From.String()}
		a.words.Received(b, "event.moText[].from", in, u.Timestamp.Time())
		return
	}
	to := sms.MSISDN(u.To.String())
	if to == "" {
		to = sms.NumberIn(u.ClientID.String())
	}
	if to == "" {
		to = number
	}
	if u.Code == "" && u.Status == "" {
		b.Reject(providers.Malformed(name, "event.messageStatusUpdate[].statusCode", providers.ErrMissing))
		return
	}
	e := recipient.Event{MessageID: u.MessageID.String(), Code: decimal(u.Code.String()), Detail: strings.TrimSpace(u.Status.String() + " " + u.Words.String())}
	a.add(b, a.one, "event.messageStatusUpdate[].to", to, u.Timestamp.String(), e)
}

// flat reads the platform's callbacks and their forerunners, whose names are
// apiMsgId, cliMsgId and a status of three digits.
func (a adapter) flat(b *providers.Batch, p sms.Params) {
	id, stamp := p.Get("messageId", "apiMsgId", "apiMessageId", "moMsgId"), p.Get("timestamp")
	if words := p.Get("text"); words != "" && p.Get("statusCode") == "" {
		in := sms.Inbound{Text: text(words, p.Get("charset")), To: p.Get("toNumber", "to"), ID: id, Number: p.Get("fromNumber", "from")}
		a.words.Received(b, "fromNumber", in, wire.Time(stamp))
		return
	}
	code, status := p.Get("statusCode"), p.Get("status")
	switch {
	case code != "":
	case status == "":
		if id == "" && !p.Empty() {
			b.Reject(providers.Malformed(name, "statusCode", providers.ErrMissing))
		}
		return
	default:
		if code = statuses[strings.ToLower(status)]; code == "" {
			code = status
		}
	}
	to := sms.MSISDN(p.Get("to"))
	if to == "" {
		to = sms.NumberIn(p.Get("clientMessageId", "cliMsgId"))
	}
	e := recipient.Event{MessageID: id, Code: decimal(code), Detail: strings.TrimSpace(status + " " + p.Get("statusDescription"))}
	a.add(b, a.legacy, "to", to, stamp, e)
}

func (a adapter) add(b *providers.Batch, codes sms.Codes, field, to, stamp string, e recipient.Event) {
	e.Kind, e.Rule = codes.Judge(e.Code)
	if e.Kind == "" {
		return
	}
	e.At, e.IDParts = wire.Time(stamp), []string{e.MessageID, e.Code}
	if e.MessageID == "" || e.Code == "" {
		e.IDParts = append(e.IDParts, stamp, e.Detail)
	}
	if e.Kind == recipient.Delivered {
		e.Code, e.Rule, e.Detail = "", "", ""
	}
	b.AddTo(recipient.SMS, field, to, e)
}

// decimal reads "004" as 4; words stay words.
func decimal(code string) string {
	if n, err := strconv.Atoi(code); err == nil && n >= 0 {
		return strconv.Itoa(n)
	}
	return code
}

// text undoes the URL escapes of texts in UTF-16 and Latin-1, which Clickatell
// puts into its JSON.
func text(s, charset string) string {
	charset = strings.ToUpper(charset)
	if charset != "UTF-16BE" && charset != "ISO-8859-1" || !strings.ContainsAny(s, "%+") {
		return s
	}
	raw, err := url.QueryUnescape(s)
	switch {
	case err != nil:
		return s
	case charset == "UTF-16BE" && len(raw)%2 == 0:
		units := make([]uint16, 0, len(raw)/2)
		for i := 0; i < len(raw); i += 2 {
			units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
		}
		return string(utf16.Decode(units))
	case charset == "ISO-8859-1" && !utf8.ValidString(raw):
		runes := make([]rune, 0, len(raw))
		for i := range len(raw) {
			runes = append(runes, rune(raw[i]))
		}
		return string(runes)
	}
	return raw
}
