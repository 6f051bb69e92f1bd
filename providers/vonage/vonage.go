// Package vonage reads the webhooks of Vonage's SMS API (delivery receipts and
// incoming texts, as a query, a form or JSON) and of its Messages API (v1 and
// v0.1).
//
// Receipts: https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
// Messages: https://developer.vonage.com/en/api/messages
// Opt-outs: https://developer.vonage.com/en/opt-out-assist/guides/messaging-opted-out-numbers
// (read 2026-11-20). Signatures: see signature.go.
package vonage

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "vonage"

// receiptCodes translates the SMS API's "err-code", messageCodes the number of
// the Messages API's error. Codes that are not listed are soft: the phone, the
// network, the content, the account.
var (
	receiptCodes = map[string]recipient.Kind{
		"3": recipient.HardBounce, // absent subscriber, permanent: the number is no longer active
		"9": recipient.OptOut,     // illegal number: the person asked not to be sent messages
	}
	messageCodes = map[string]recipient.Kind{
		"1170": recipient.HardBounce, // invalid or missing number
		"1190": recipient.HardBounce, // absent subscriber, permanent
		"1240": recipient.OptOut,     // illegal number: STOP was sent before
	}
)

// report is any of the webhooks. In a receipt "msisdn" is the person and "to"
// our sender; in the Messages API "to" is the person.
type report struct {
	// SMS API.
	MSISDN    wire.Text `json:"msisdn"`
	MessageID wire.Text `json:"messageId"`
	ErrCode   wire.Text `json:"err-code"`
	SentAt    wire.Text `json:"message-timestamp"` // UTC

	// Both.
	To     party     `json:"to"`
	Status wire.Text `json:"status"`
	Text   wire.Text `json:"text"`

	// Messages API.
	UUID      wire.Text `json:"message_uuid"`
	From      party     `json:"from"`
	Channel   wire.Text `json:"channel"`
	Timestamp wire.Text `json:"timestamp"` // in the SMS API: when it was signed
	Error     wire.Object[struct {
		Type   wire.Text `json:"type"`
		Title  wire.Text `json:"title"`
		Detail wire.Text `json:"detail"`
		Code   wire.Text `json:"code"`   // v0.1
		Reason wire.Text `json:"reason"` // v0.1
	}] `json:"error"`
	Message wire.Object[struct { // v0.1
		Content wire.Object[struct {
			Text wire.Text `json:"text"`
		}] `json:"content"`
	}] `json:"message"`
}

// isJSON tells JSON from a form by the body: account settings change
// the encoding of a running endpoint.
func isJSON(body []byte) bool {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

// fields returns the parameters of a query or a form. Parse and Verify read the
// same ones: a query beside a body is not signed.
func fields(r *providers.Request) (url.Values, error) {
	if r.Method == http.MethodGet {
		return r.Query(), nil
	}
	return r.Form()
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	var rep report
	if r.Method != http.MethodGet && isJSON(r.Body) {
		if err := wire.Decode(r.Body, &rep); err != nil {
			return nil, providers.Malformed(name, "body", providers.ErrNotJSON)
		}
	} else {
		form, err := fields(r)
		if err != nil {
			return nil, providers.Malformed(name, "body", providers.ErrForm)
		}
		get := func(n string) wire.Text { return wire.Text(form.Get(n)) }
		rep = report{MSISDN: get("msisdn"), MessageID: get("messageId"), ErrCode: get("err-code"), SentAt: get("message-timestamp"), Status: get("status"), Text: get("text")}
		rep.To.Text = get("to")
	}
	b := providers.NewBatch(name, 1)
	switch {
	case rep.UUID != "":
		a.message(b, &rep)
	case rep.MessageID == "": // a test call of the dashboard, or a wrong address
	case rep.Status != "":
		rep.receipt(b)
	default:
		a.words.Received(b, "msisdn", sms.Inbound{Text: string(rep.Text), To: number(rep.To).String(), ID: rep.MessageID.String(), Number: string(rep.MSISDN)}, rep.SentAt.Time())
	}
	return b.Done()
}

// receipt reads a delivery receipt of the SMS API: one for each part of a text.
func (rep *report) receipt(b *providers.Batch) {
	status, code := rep.Status.Lower(), strings.TrimLeft(rep.ErrCode.String(), "0")
	e := recipient.Event{At: rep.SentAt.Time(), MessageID: rep.MessageID.String(), IDParts: []string{rep.MessageID.String(), status, code}}
	switch status {
	case "delivered":
		e.Kind = recipient.Delivered
	case "expired", "failed", "rejected":
		e.Rule, e.Detail = strings.TrimSuffix("vonage-err-"+code, "-"), "status "+status
		e.Kind, e.Code = kindOf(receiptCodes, code, number(rep.To))
	default: // accepted, buffered; unknown says nothing
		return
	}
	b.AddTo(recipient.SMS, "msisdn", sms.MSISDN(string(rep.MSISDN)), e)
}

// kindOf returns the kind of a failure and what to keep as its code: of an
// opt-out, the sender that the person stopped.
func kindOf(codes map[string]recipient.Kind, code string, sender wire.Text) (recipient.Kind, string) {
	switch kind := codes[code]; kind {
	case recipient.OptOut:
		return kind, sms.MSISDN(sender.String())
	case "":
		return recipient.SoftBounce, code
	default:
		return kind, code
	}
}

// message reads a status or an incoming text of the Messages API. Channels that
// are neither SMS nor MMS are other addresses.
func (a adapter) message(b *providers.Batch, rep *report) {
	for _, channel := range []wire.Text{rep.Channel, rep.To.V.Type, rep.From.V.Type} {
		if c := channel.Lower(); c != "" && c != "sms" && c != "mms" {
			return
		}
	}
	if rep.Status == "" {
		text := rep.Text
		if text == "" {
			text = rep.Message.V.Content.V.Text
		}
		a.words.Received(b, "from", sms.Inbound{Text: string(text), To: number(rep.To).String(), ID: rep.UUID.String(), Number: string(number(rep.From))}, rep.Timestamp.Time())
		return
	}
	status, code := rep.Status.Lower(), rep.errorNumber()
	e := recipient.Event{At: rep.Timestamp.Time(), MessageID: rep.UUID.String(), IDParts: []string{rep.UUID.String(), status, code}}
	switch status {
	case "delivered":
		e.Kind = recipient.Delivered
	case "rejected", "undeliverable":
		e.Rule, e.Detail = strings.TrimSuffix("vonage-error-"+code, "-"), rep.Error.V.Detail.String()
		if e.Detail == "" {
			e.Detail = rep.Error.V.Reason.String()
		}
		e.Kind, e.Code = kindOf(messageCodes, code, number(rep.From))
	default: // submitted, read
		return
	}
	b.AddTo(recipient.SMS, "to", sms.MSISDN(string(number(rep.To))), e)
}

// errorNumber finds the number of an error: v1 has it as the title and at the
// end of the type, v0.1 as the code.
func (rep *report) errorNumber() string {
	e := &rep.Error.V
	_, fragment, _ := strings.Cut(e.Type.String(), "#")
	for _, v := range []string{e.Title.String(), fragment, e.Code.String()} {
		if v != "" && strings.Trim(v, "0123456789") == "" {
			return v
		}
	}
	return ""
}
