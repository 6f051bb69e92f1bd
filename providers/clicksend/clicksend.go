// Package clicksend reads ClickSend's SMS receipts and inbound messages, as
// forms, queries or flat JSON: the rule that sends them decides.
//
// Payload: https://developers.clicksend.com/docs/messaging/sms/other/
// Codes: https://help.clicksend.com/article/8cc479qlbb-list-of-sms-gateway-error-codes
// (read 2026-11-20).
// Signature: none.
//
// A receipt names no recipient: it stands in custom_string, where the sender
// put it, or in the query of the callback URL.
package clicksend

import (
	"strings"

	"github.com/strikeout/strikeout/providers"
	"github.com/strikeout/strikeout/providers/internal/sms"
	"github.com/strikeout/strikeout/providers/internal/wire"
	"github.com/strikeout/strikeout/recipient"
)

const name = "clicksend"

// codes translates status_code; what is not listed is soft, 301 among it, which
// is every failure there is.
var codes = map[string]recipient.Kind{
	"200": "", // handed to the network
	"201": recipient.Delivered,
	"300": "", // ClickSend tries again by itself
}

// unknown begins the only words that mean a faulty number. The numbers of
// error_code have changed their meaning between editions of the list.
const unknown = "unknown subscriber"

type adapter struct {
	sms.Unsigned
	words *sms.Keywords
	codes sms.Codes
}

// New needs no settings: the endpoint must have a path_secret or basic_auth.
func New(s providers.Settings) (providers.Adapter, error) {
	return adapter{words: sms.Words(s), codes: sms.NewCodes(s, "clicksend-status", codes)}, nil
}

func (a adapter) Parse(r *providers.Request) ([]recipient.Event, error) {
	return sms.EachParams(name, r, a.read)
}

func (a adapter) read(b *providers.Batch, p sms.Params) {
	get := func(names ...string) string {
		if v := p.Get(names...); !strings.EqualFold(v, "null") { // how some forms write it
			return v
		}
		return ""
	}
	id, status, at := get("message_id", "messageid"), get("status_code"), wire.Time(get("timestamp", "timestamp_send"))
	if text := get("body", "message"); status == "" && text != "" && get("from") != "" {
		a.words.Received(b, "from", sms.Inbound{Text: text, To: get("to"), ID: id, Number: get("from")}, at)
		return
	}
	if kind := strings.ToLower(get("message_type")); kind != "" && kind != "sms" { // voice, MMS, letters
		return
	}
	words, why := get("status_text"), get("error_text")
	if status == "" && words == "" && why == "" {
		if id == "" && !p.Empty() {
			b.Reject(providers.Malformed(name, "status_code", providers.ErrMissing))
		}
		return
	}
	e := recipient.Event{At: at, MessageID: id, Detail: strings.TrimSpace(words + " " + why), Code: get("error_code")}
	if e.Code == "" {
		e.Code = status
	}
	e.Kind, e.Rule = a.codes.Judge(status)
	if e.Rule == "clicksend-status" && e.Kind == recipient.SoftBounce && (begins(why, unknown) || begins(words, unknown)) {
		e.Kind, e.Rule = recipient.HardBounce, "clicksend-unknown-subscriber"
	}
	switch e.Kind {
	case "":
		return
	case recipient.Delivered:
		e.Code, e.Rule, e.Detail = "", "", ""
	}
	e.IDParts = []string{id, status}
	if id == "" {
		e.IDParts = append(e.IDParts, get("timestamp", "timestamp_send"), e.Detail)
	}
	// "<number>;<campaign>", as the setup says; the number needs its +.
	to := sms.NumberIn(get("custom_string", "customstring"))
	if to == "" {
		to = sms.MSISDN(p.Get("to", "recipient"))
	}
	b.AddTo(recipient.SMS, "custom_string", to, e)
}

func begins(s, with string) bool {
	return len(s) >= len(with) && strings.EqualFold(s[:len(with)], with)
}
